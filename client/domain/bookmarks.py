"""Bookmarks of an e-textbook: at which page each chapter begins, and so where a lesson stands.

Invariants:
  BM1  Only sound pairs of chapter and page are believed: what else a file holds is passed over,
       and a file that is none gives no bookmarks.
  BM2  A lesson's pages begin at the deepest of its chapters that has a bookmark and end before
       the next chapter that is not part of it; they never lie outside the book.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from client.domain.catalogue import Section
from client.domain.ids import BookId, SectionId

MOST_BYTES: Final = 1 << 20
"""No book has so many chapters that its bookmarks are longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bookmarks:
    """Pages from 1 by chapter; `book` is the book whose chapters are meant, empty if unsaid."""

    book: BookId
    pages: Mapping[SectionId, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRange:
    """Pages from 1, both ends included; see `pages_of`."""

    first: int
    last: int


def read_bookmarks(data: bytes) -> Bookmarks | None:
    """Read what the platform keeps beside an e-textbook (BM1)."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict) or not isinstance(document.get("mappings"), list):
        return None
    book = document.get("ebook_id")
    pages = dict(pair for entry in document["mappings"] for pair in _pairs(entry))
    return Bookmarks(book=BookId(book if isinstance(book, str) else ""), pages=pages)


def pages_of(
    bookmarks: Bookmarks, way: Sequence[SectionId], tree: Iterable[Section], length: int
) -> PageRange | None:
    """Find the pages of a lesson (BM2).

    Args:
        bookmarks: Of the textbook.
        way: The lesson's chapters from unit to leaf.
        tree: The chapters of the book, parents before children.
        length: Pages of the book, 0 when unknown.

    Returns:
        None where no chapter of the lesson has a bookmark inside the book. `last` is 0 when
        the lesson goes on to an end that is not known.
    """
    known = bookmarks.pages.items()
    pages = {chapter: page for chapter, page in known if not length or page <= length}
    inside: set[SectionId] = set()
    for chapter in reversed(way):
        inside = _with_below(chapter, tree)
        if begins := [page for one, page in pages.items() if one in inside]:
            first = min(begins)
            break
    else:
        return None
    after = [page for one, page in pages.items() if one not in inside and page > first]
    return PageRange(first=first, last=min(after) - 1 if after else length)


def _pairs(entry: object) -> Iterable[tuple[SectionId, int]]:
    match entry:
        case {"node_id": str(chapter), "page_number": int(page)} if chapter and page > 0:
            if not isinstance(page, bool):
                yield SectionId(chapter), page


def _with_below(chapter: SectionId, tree: Iterable[Section]) -> set[SectionId]:
    found = {chapter}
    for section in tree:
        if section.parent in found:
            found.add(section.id)
    return found
