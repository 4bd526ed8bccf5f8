"""Words of catalogue editions: what hubs publish and rooms read."""

from typing import Final

WORDS: Final[dict[str, str | tuple[str, str]]] = {
    "cli.hub_withdraw": "withdraw a lesson from the next edition on",
    "cli.arg.reason": "why, in a few words",
    "cli.arg.grace": "days for which schools may still use it",
    "cli.arg.replacement": "number of the lesson that takes its place",
    "cli.key.number": "edition",
    "cli.key.rows": "entries",
    "cli.key.catalogue_bytes": "whole catalogue (bytes)",
    "cli.key.delta_bytes": "changes since the last edition (bytes)",
    "cli.key.left_out": "not handed on",
    "cli.key.grace_days": "days of grace",
    "cli.key.replacement": "in its place",
    "cli.key.hubs": "hubs",
    "cli.key.notes": "notes",
    "error.editions_damaged": "The list of editions of this hub is damaged: {path}",
    "hint.editions_damaged": "Nothing was published. Put back a backup of this file, or ask for help.",
    "error.edition_rollback": "The hub offers an older catalogue than it did before.",
    "hint.edition_rollback": "It was not taken; the newer one stays. Whoever keeps the hub should publish again.",
    "error.edition_mixed": "The hub gave two different catalogues under one number.",
    "hint.edition_mixed": "It was not taken; the one from before stays. Whoever keeps the hub should publish again.",
    "error.edition_damaged": "The hub's catalogue arrived damaged.",
    "hint.edition_damaged": "It was not taken. Tongke tries again by itself.",
    "error.edition_absent": "This hub publishes no lessons yet.",
    "hint.edition_absent": "Ask whoever keeps it, or fetch from the platform.",
    "error.block_wrong": "A piece of the file arrived wrong.",
    "hint.block_wrong": "It was thrown away and is asked for again.",
    "notice.edition_frozen": "This hub has had no newer catalogue for 30 days.",
}
