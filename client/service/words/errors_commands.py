"""Errors of commands that name something the room does not have."""

from typing import Final

WORDS: Final[dict[str, str]] = {
    "error.book_unknown": "No textbook {id} in the catalogue",
    "hint.book_unknown": "See the list with: book list",
    "error.no_class_for_book": "No class of this room uses {title}",
    "hint.no_class_for_book": "Add the class first: class add NAME --grade N",
    "error.slot_unreadable": "Day {day}, period {period} is no place in the week",
    "hint.slot_unreadable": "Days go from 1 to 7, periods from 1 to 20",
    "error.source_unknown": "There is no source named {name}",
    "hint.source_unknown": "See the list with: source list",
    "error.no_source": "No source of lessons has been set up yet",
    "hint.no_source": "Add one in Settings, or with: source add",
    "error.nothing_to_play": "Nothing of {title} is on this PC yet",
    "hint.nothing_to_play": "Fetch it first: lesson fetch ID",
    "error.no_demo": "The demo school has not been made yet",
    "hint.no_demo": "Run: make setup",
    "notice.library_damaged": "The catalogue file was damaged and has been made anew; records are safe",
    "notice.library_rebuilt": "The catalogue was made anew; {lessons} lessons on this PC are back",
}
