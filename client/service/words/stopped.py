"""Words of lessons that are withdrawn."""

from typing import Final

WORDS: Final[dict[str, str | tuple[str, str]]] = {
    "library.stopped": "Withdrawn",
    "reason.reason_stopped": "Withdrawn",
    "stopped.why": "Withdrawn: {reason}",
    "stopped.legal": "it may not be used any more, for a legal reason",
    "stopped.safety": "something in it is dangerous",
    "stopped.wrong": "something in it is wrong",
    "stopped.outdated": "it is out of date",
    "stopped.gone": "its source does not have it any more",
    "stopped.teaching": "This class may go on to its end.",
    "stopped.left": (
        "It may be used in {n} more class here, then it is deleted from this PC.",
        "It may be used in {n} more classes here, then it is deleted from this PC.",
    ),
    "stopped.over": "It is no longer on this PC. What classes recorded stays.",
    "stopped.other": "In its place: {title}",
    "stopped.open": "Open the replacement",
    "today.replace": "Use replacement",
    "error.lesson_withdrawn": "This lesson was withdrawn.",
    "hint.lesson_withdrawn": "It is not fetched any more. The library tells why and what takes its place.",
    "cli.key.offered": "offered again",
    "cli.key.strays": "files that no lesson refers to",
    "cli.key.without": "not in the backup",
    "cli.arg.undo": "offer it again from the next edition on",
    "hubs.silent": (
        "no newer catalogue for {n} day of running time",
        "no newer catalogue for {n} days of running time",
    ),
    "doctor.catalogue": "Catalogue",
    "doctor.catalogue_frozen": "{name} has had nothing newer for {n} days in which this PC ran",
    "doctor.catalogue_frozen_hint": (
        "What was withdrawn since then is not known here. Let it sync, or bring a stick from"
        " whoever keeps the hub."
    ),
}
