"""Words of what may go wrong between a room and its hubs, seen from the room."""

from typing import Final

WORDS: Final[dict[str, str | tuple[str, str]]] = {
    "error.no_hub": "This PC is not enrolled with any hub yet.",
    "hint.no_hub": (
        "Ask whoever keeps the hub for its address and a code, and add it in Settings or with:"
        " source add hub URL --code C"
    ),
    "error.room_unnamed": "School and room have no name yet.",
    "hint.room_unnamed": "Give them one first, under Settings or with: room set",
    "error.not_the_hub": "Something else answered in place of the hub.",
    "hint.not_the_hub": (
        "A login page of the network may be in between. Tongke tries again by itself; "
        "nothing recorded is lost."
    ),
    "error.hub_unreachable": "The hub cannot be reached.",
    "hint.hub_unreachable": "Check the network. Tongke tries again by itself; nothing recorded is lost.",
    "error.hub_silent": "The hub did not answer in time.",
    "hint.hub_silent": "Tongke tries again by itself; nothing recorded is lost.",
    "error.hub_busy": "The hub has too much to do just now.",
    "hint.hub_busy": "Tongke tries again by itself.",
    "error.hub_certificate_other": "Who answered has another certificate than your hub.",
    "hint.hub_certificate_other": (
        "Nothing was sent. If the hub was set up anew, enrol again with a new code."
    ),
    "error.hub_certificate_dates": "The hub's certificate has run out.",
    "hint.hub_certificate_dates": "Ask whoever keeps the hub. Everything recorded stays on this PC.",
    "error.hub_full": "The hub has no room left.",
    "hint.hub_full": "Tongke tries again by itself. Everything recorded stays on this PC.",
    "notice.segment_refused": (
        "The hub calls a part of the records damaged. It is kept here, with a copy put aside."
    ),
    "notice.segment_not_taken": "The hub did not take a part of the records this time.",
    "notice.hub_full": "The hub has no room left; the rest is brought later.",
    "notice.hub_segment_refused": "The hub sent something damaged; it was left out.",
}
