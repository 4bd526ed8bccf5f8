"""Errors of 今天 and of starting a class."""

from typing import Final

WORDS: Final[dict[str, str]] = {
    "error.nothing_to_teach": "There is no lesson in this period",
    "hint.nothing_to_teach": "Choose one with Swap, or set the class's textbook",
    "error.slot_is_free": "This period is free in the timetable",
    "hint.slot_is_free": "Put a subject there in the timetable first",
    "error.sitting_is_over": "That class has been ended already",
    "hint.sitting_is_over": "Start the lesson again from Today",
}
