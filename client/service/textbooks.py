"""Where a lesson stands in the textbooks that are here, and where their sections begin.

Reads small files: worker threads only.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

from client.domain.availability import PartState
from client.domain.bookmarks import MOST_BYTES, Bookmarks, pages_of, read_bookmarks
from client.domain.catalogue import Role, Section, display_title
from client.domain.ids import BookId, SectionId
from client.service.api import Chapter, LessonDetail, PartView, TextbookPages

_PAGED: Final = "pdf"
Sections = Callable[[BookId], Sequence[Section]]


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
        pages = _paged(one)
        if pages is None:
            continue
        marks = _bookmarks(_here(one, Role.BOOKMARKS))
        if marks is None:
            unmarked.append(TextbookPages(part=pages))
        elif marks.book in {book, ""}:
            found = pages_of(marks, way, tree, pages.pages)
            if found is not None:
                return TextbookPages(part=pages, first=found.first, last=found.last)
    return unmarked[0] if len(unmarked) == 1 else None


def chapters_of(detail: LessonDetail, sections: Sections) -> tuple[Chapter, ...]:
    """List the sections of a textbook that have bookmarks, in reading order, with their pages.

    Args:
        detail: A textbook's.
        sections: Gives the tree of a book, parents before children.
    """
    part, marks = _paged(detail), _bookmarks(_here(detail, Role.BOOKMARKS))
    if part is None or marks is None:
        return ()
    tree = sections(marks.book)
    depth: dict[SectionId, int] = {}
    found: list[Chapter] = []
    for one in tree:
        depth[one.id] = 0 if one.parent is None else depth.get(one.parent, -1) + 1
        pages = pages_of(marks, (one.id,), tree, part.pages)
        if pages is not None:
            at = TextbookPages(part=part, first=pages.first, last=pages.last)
            found.append(Chapter(title=display_title(one.title), depth=depth[one.id], pages=at))
    return tuple(found)


def _paged(detail: LessonDetail) -> PartView | None:
    part = _here(detail, Role.TEXTBOOK)
    return part if part is not None and part.format == _PAGED else None


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
