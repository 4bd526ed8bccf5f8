"""Words for reading the catalogue: where a sync stands and what it found."""

from typing import Final

WORDS: Final[dict[str, str | tuple[str, str]]] = {
    "catalogue.tags": "Reading how the books are sorted",
    "catalogue.books": "Reading the list of books",
    "catalogue.textbooks": "Reading the list of e-textbooks",
    "catalogue.lessons": "Reading lessons: {done} of {total} books",
    "catalogue.details": "Reading what the lessons hold: {done} of {total}",
    "catalogue.found": "{lessons} lessons in {books} books",
    "catalogue.news": "{added} new, {changed} changed, {withdrawn} withdrawn",
    "catalogue.no_news": "Nothing new",
    "catalogue.held_back": (
        "{n} lesson is missing from the list but still there: it is kept.",
        "{n} lessons are missing from the list but still there: they are kept.",
    ),
    "catalogue.failed": (
        "{n} document could not be read; it is asked for again next time.",
        "{n} documents could not be read; they are asked for again next time.",
    ),
    "catalogue.skipped": (
        "{n} entry could not be understood and was left out.",
        "{n} entries could not be understood and were left out.",
    ),
    "catalogue.traffic": "{requests} requests, {size} received",
}
