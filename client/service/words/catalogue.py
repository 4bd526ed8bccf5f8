"""Words for where a catalogue sync stands (`SyncStatus.catalogue`)."""

from typing import Final

WORDS: Final[dict[str, str | tuple[str, str]]] = {
    "reason.sync_begins": "Asking the platform for news",
    "reason.sync_tags": "Reading how the books are sorted",
    "reason.sync_books": "Reading the list of books",
    "reason.sync_textbooks": "Reading the list of e-textbooks",
    "reason.sync_lessons": "Reading lessons: {done} of {total} books",
    "reason.sync_details": "Reading what the lessons hold: {done} of {total}",
}
