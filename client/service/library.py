"""The library: search as one types, a book's tree, one lesson with all that is here of it.

Invariants:
  B1  Every answer is a frozen value made on a reader thread; nothing blocks the caller.
  B2  While the index is being brought up to date, searches are answered from the one before.
  B3  Lights and states come from `client.domain.availability` and nowhere else.
  B4  A lesson's textbook is one that is here, of the same place in school, and whose bookmarks,
      if it has any, speak of the lesson's own book.

The `*_now` twins do the same on the calling thread, for the command line and for workers.
"""

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from client.domain.cancel import CancelToken
from client.domain.catalogue import Book, LessonKind, Section, display_title
from client.domain.errors import UserError
from client.domain.ids import BookId, LessonId, SectionId
from client.domain.spelling import Marker, query_words
from client.service.api import (
    Facets,
    Filters,
    LessonDetail,
    LessonRow,
    SearchPage,
    SectionRow,
    Stopped,
)
from client.service.library_views import lesson_detail, lesson_row
from client.service.textbooks import chapters_of, textbook_pages
from client.store import catalogue_read, library_read
from client.store.database import Database
from client.store.holding_store import HoldingStore
from client.store.library_read import CountedSection, ListedLesson
from client.store.pinyin import load_readings
from client.store.place_order import value_key
from client.store.search_edition import SearchQuery
from client.store.search_index import FACETS
from client.store.search_store import BuildReport, SearchStore

if TYPE_CHECKING:
    from client.domain.holding import Holding

PAGE: Final = 50
NOT_COUNTED: Final = -1
_ANY: Final = Filters()


def no_books() -> tuple[BookId, ...]:
    """Stand for a room that has chosen no books yet."""
    return ()


def none_stopped(_: Collection[LessonId]) -> Mapping[LessonId, Stopped]:
    """Stand for a room where nobody withdraws anything."""
    return {}


class LibraryService:
    """See the module.

    Args:
        database: library.db.
        holdings: What is here.
        chosen: Gives the books this room has chosen; they rank first. Any thread.
        stopped: Tells which of some withdrawn lessons somebody stopped, and why. Blocking.
    """

    def __init__(
        self,
        database: Database,
        holdings: HoldingStore,
        chosen: Callable[[], tuple[BookId, ...]] = no_books,
        stopped: Callable[[Collection[LessonId]], Mapping[LessonId, Stopped]] = none_stopped,
    ) -> None:
        self._database = database
        self._holdings = holdings
        self._chosen = chosen
        self._stopped = stopped
        self._search = SearchStore(database)

    # --- search ------------------------------------------------------------------------------

    def search(self, text: str, filters: Filters = _ANY, limit: int = PAGE) -> Future[SearchPage]:
        """Find the first lessons, ranked; `total` may be left to `facets`."""
        return self._database.read(lambda _: self.search_now(text, filters, limit))

    def search_now(
        self, text: str, filters: Filters = _ANY, limit: int = PAGE, *, count: bool = False
    ) -> SearchPage:
        """See `search`; with `count` the total is always counted."""
        begun = time.perf_counter()
        query = self._query(text, filters)
        numbers = self._search.first(query, limit)
        rows = self._rows(numbers, query.words)
        total = len(numbers) if len(numbers) < limit else NOT_COUNTED
        if count and total == NOT_COUNTED:
            total = self._search.counts(query).total
        elapsed_ms = (time.perf_counter() - begun) * 1000
        return SearchPage(query=text, rows=rows, total=total, elapsed_ms=elapsed_ms)

    def facets(self, text: str, filters: Filters = _ANY) -> Future[Facets]:
        """Count what `search` finds, in all and per value of each facet."""
        return self._database.read(lambda _: self.facets_now(text, filters))

    def facets_now(self, text: str, filters: Filters = _ANY) -> Facets:
        """See `facets`."""
        counts = self._search.counts(self._query(text, filters))
        return Facets(total=counts.total, **dict(counts.facets))

    def refresh(self, cancel: CancelToken | None = None) -> BuildReport | None:
        """Bring the index up to the catalogue. Worker threads only; blocks for some seconds.

        Returns:
            What was built, None if nothing had changed since the last time.
        """
        last = self._database.read_here(library_read.last_change)
        if last and self._search.cursor() == last:
            return None
        return self._search.rebuild(library_read.groups(self._database), cursor=last, cancel=cancel)

    # --- books and lessons -------------------------------------------------------------------

    def books(self, filters: Filters = _ANY, *, chosen: bool = False) -> Future[tuple[Book, ...]]:
        """Give the books on offer in the order of school, or only those the room has chosen."""
        return self._database.read(lambda _: self.books_now(filters, chosen=chosen))

    def books_now(self, filters: Filters = _ANY, *, chosen: bool = False) -> tuple[Book, ...]:
        """See `books`."""
        mine = frozenset(self._chosen()) if chosen else None
        found = self._database.read_here(library_read.books)
        return tuple(
            book for book in found if (mine is None or book.id in mine) and _fits(book, filters)
        )

    def sections(self, book: BookId) -> Future[tuple[SectionRow, ...]]:
        """Give a book's chapter tree in reading order."""
        return self._database.read(lambda _: self.sections_now(book))

    def sections_now(self, book: BookId) -> tuple[SectionRow, ...]:
        """See `sections`."""
        return _tree(self._database.read_here(lambda c: library_read.sections(c, book)))

    def lessons_of(
        self, book: BookId, section: SectionId | None = None
    ) -> Future[tuple[LessonRow, ...]]:
        """Give a book's lessons in reading order, or those on and below a section."""
        return self._database.read(lambda _: self.lessons_of_now(book, section))

    def lessons_of_now(
        self, book: BookId, section: SectionId | None = None
    ) -> tuple[LessonRow, ...]:
        """See `lessons_of`."""
        numbers = self._database.read_here(lambda c: library_read.lessons_of(c, book, section))
        return self._rows(numbers, ())

    def detail(self, lesson: LessonId) -> Future[LessonDetail]:
        """Give everything known of one lesson. `UserError("lesson_unknown")` if it is not known."""
        return self._database.read(lambda _: self.detail_now(lesson))

    def detail_now(self, lesson: LessonId) -> LessonDetail:
        """See `detail`."""
        found = self.details_now((lesson,))
        if lesson not in found:
            raise UserError("lesson_unknown", {"id": lesson})
        return self.with_textbook_now(found[lesson])

    def with_textbook_now(self, detail: LessonDetail) -> LessonDetail:
        """Add where a lesson stands in its textbook (B4), or the chapters of a textbook."""
        if detail.row.kind is LessonKind.TEXTBOOK:
            return replace(detail, chapters=chapters_of(detail, self._sections))
        if detail.book is None:
            return detail
        place = detail.row.place
        known = self._database.read_here(lambda c: library_read.textbooks_here(c, place))
        if not known:
            return detail
        records = self._database.read_here(lambda c: catalogue_read.records(c, (detail.row.id,)))
        way = records[0].lesson.sections if records else ()
        books = self.details_now(known).values()
        pages = textbook_pages(detail.book, way, self._sections(detail.book), books)
        return replace(detail, textbook=pages)

    def details_now(self, lessons: Sequence[LessonId]) -> dict[LessonId, LessonDetail]:
        """Give the details of several lessons in one round of statements; unknown ones lack."""
        records = self._database.read_here(lambda c: catalogue_read.records(c, lessons))
        pinned = self._database.read_here(library_read.pinned)
        stopped = self._stopped([one.lesson.id for one in records if one.is_withdrawn])
        held: dict[LessonId, list[Holding]] = {one: [] for one in lessons}
        for holding in self._holdings.of_lessons(lessons):
            held[holding.lesson].append(holding)
        return {
            one.lesson.id: lesson_detail(
                ListedLesson(
                    lesson=one.lesson,
                    unit=one.lesson.unit,
                    is_withdrawn=one.is_withdrawn,
                    holdings=tuple(held[one.lesson.id]),
                    is_stopped=one.lesson.id in stopped,
                ),
                is_pinned=one.lesson.id in pinned,
                stopped=stopped.get(one.lesson.id),
            )
            for one in records
        }

    # --- inside ------------------------------------------------------------------------------

    def _sections(self, book: BookId) -> tuple[Section, ...]:
        return self._database.read_here(partial(catalogue_read.sections, book_id=book))

    def _query(self, text: str, filters: Filters) -> SearchQuery:
        return SearchQuery(
            words=query_words(text), wanted=_wanted(filters), room=tuple(self._chosen())
        )

    def _rows(self, numbers: Sequence[int], words: tuple[str, ...]) -> tuple[LessonRow, ...]:
        listed = self._database.read_here(lambda c: library_read.listed(c, numbers))
        marker = Marker(words, load_readings())
        return tuple(
            lesson_row(one, marker.spans(display_title(one.lesson.title))) for one in listed
        )


def in_school_order(name: str, values: Iterable[str]) -> tuple[str, ...]:
    """Sort the values of a facet as school does; names it does not know come last, by text."""
    return tuple(sorted(values, key=lambda value: value_key(name, value)))


def _wanted(filters: Filters) -> tuple[tuple[str, tuple[str, ...]], ...]:
    kinds = tuple(kind.value for kind in filters.kinds)
    named = ((name, getattr(filters, name)) for name in FACETS)
    return tuple((name, values) for name, values in (*named, ("kind", kinds)) if values)


def _fits(book: Book, filters: Filters) -> bool:
    chosen = ((getattr(filters, name), getattr(book.place, name)) for name in FACETS)
    return all(value in values for values, value in chosen if values)


def _tree(counted: Sequence[CountedSection]) -> tuple[SectionRow, ...]:
    depth: dict[SectionId, int] = {}
    for one in counted:
        parent = one.section.parent
        depth[one.section.id] = 0 if parent is None else depth.get(parent, -1) + 1
    return tuple(
        SectionRow(
            id=one.section.id,
            title=display_title(one.section.title),
            depth=depth[one.section.id],
            lessons=one.lessons,
        )
        for one in counted
    )
