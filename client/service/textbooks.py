"""Where a lesson stands in the textbooks that are here. Reads small files; worker threads only."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from client.domain.availability import PartState
from client.domain.bookmarks import MOST_BYTES, Bookmarks, pages_of, read_bookmarks
from client.domain.catalogue import Role, Section
from client.domain.ids import BookId, SectionId
from client.service.api import LessonDetail, PartView, TextbookPages

_PAGED: Final = "pdf"


def textbook_pages(
    book: BookId, way: Sequence[SectionId], tree: Sequence[Section], books: Iterable[LessonDetail]
) -> TextbookPages | None:
    """Choose the textbook whose bookmarks know the lesson, else the only one without bookmarks.

    Args:
        book: The lesson's.
        way: Its chapters from unit to leaf.
        tree: The chapters of its book, parents before children.
        books: Textbooks of its place in school.
    """
    unmarked: list[TextbookPages] = []
    for one in books:
        pages = _here(one, Role.TEXTBOOK)
        if pages is None or pages.format != _PAGED:
            continue
        marks = _bookmarks(_here(one, Role.BOOKMARKS))
        if marks is None:
            unmarked.append(TextbookPages(part=pages))
        elif marks.book in {book, ""}:
            found = pages_of(marks, way, tree, pages.pages)
            if found is not None:
                return TextbookPages(part=pages, first=found.first, last=found.last)
    return unmarked[0] if len(unmarked) == 1 else None


def _here(detail: LessonDetail, role: Role) -> PartView | None:
    here = (part for part in detail.parts if part.state is PartState.PRESENT)
    return next((part for part in here if part.role is role and part.path is not None), None)


def _bookmarks(part: PartView | None) -> Bookmarks | None:
    if part is None:
        return None
    try:
        with Path(str(part.path)).open("rb") as file:
            return read_bookmarks(file.read(MOST_BYTES))
    except OSError:
        return None
