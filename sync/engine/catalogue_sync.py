"""Bring the catalogue up to date from a source, a document at a time.

Invariants:
  Y1  Each document is committed by itself, together with what it is remembered by. A sync that
      was cut off anywhere goes on from there and reads nothing twice.
  Y2  A list that lost records withdraws nothing by itself (`withdrawal`).
  Y3  One document that is broken or refused costs itself: it is counted in `failed` and asked
      for again next time. A link that is down, or a source that refuses everything, ends the
      sync with its error; what was committed stays.
"""

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus
from typing import Final, TypeVar

from client.domain.cancel import CancelToken
from client.domain.catalogue import Book, Lesson
from client.domain.clock import Clock, SystemClock
from client.domain.errors import ProtocolError, RefusedError
from client.domain.ids import BookId, LessonId, SourceId
from client.store.catalogue_rows import DetailState
from client.store.catalogue_store import CatalogueStore, Changes
from sync.engine.withdrawal import Verdict, judge, to_probe
from sync.source.port import DetailStatus, Found, Listing, Source, Unchanged

Id = TypeVar("Id", bound=str)
T = TypeVar("T")

_STATES: Final[Mapping[DetailStatus, DetailState]] = {
    DetailStatus.GONE: DetailState.GONE,
    DetailStatus.REFUSED: DetailState.REFUSED,
}
_END: Final = "platform_refuses"


class Phase(Enum):
    """What is being read."""

    TAGS = "tags"
    BOOKS = "books"
    TEXTBOOKS = "textbooks"
    LESSONS = "lessons"
    DETAILS = "details"


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueProgress:
    """Where a sync stands: `done` of `total` documents of the phase."""

    phase: Phase
    done: int
    total: int
    requests: int
    bytes_received: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueReport:
    """What a sync found; the names are those of the command line's JSON.

    `books` counts the books on offer, `lessons` those on offer in the books that were read,
    `resources` the parts known of these. `added`, `changed` and `withdrawn` count records of
    all lists, each once. `skipped` records could not be understood, `failed` documents not be
    had this time.
    """

    source: SourceId
    books: int
    lessons: int
    resources: int
    added: int
    changed: int
    withdrawn: int
    held_back: int
    requests: int
    bytes_received: int
    seconds: float
    skipped: int
    failed: int


Progress = Callable[[CatalogueProgress], None]


def no_progress(_: CatalogueProgress) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a sync should read besides tags and book lists.

    `books` are those whose lessons are read, None for all on offer; `with_details` reads the
    details of all their lessons and e-textbooks; `detail_ids` are read in any case.
    """

    books: tuple[BookId, ...] | None = None
    with_details: bool = False
    detail_ids: tuple[LessonId, ...] = ()


def sync_catalogue(
    source: Source,
    store: CatalogueStore,
    wanted: Wanted,
    *,
    progress: Progress = no_progress,
    cancel: CancelToken | None = None,
    clock: Clock | None = None,
) -> CatalogueReport:
    """Read tags and book lists, then trees and lessons of the wanted books, then details.

    Args:
        source: Where from.
        store: Where to.
        wanted: How much.
        progress: Told after each document, on a worker thread.
        cancel: Stops it at the next document or wait.
        clock: Measures `seconds`.

    Raises:
        TransportError: The link is down.
        RefusedError: The source refuses everything, or the first book list.
        ProtocolError: The first book list is broken.
        Cancelled: As asked.
    """
    clock = clock or SystemClock()
    started = clock.monotonic()
    run = _Run(source, store, progress, cancel or CancelToken())
    run.tags()
    run.books()
    run.textbooks()
    chosen = run.chosen(wanted.books)
    run.lessons(chosen)
    run.details([*(run.of_books(chosen) if wanted.with_details else ()), *wanted.detail_ids])
    return run.report(chosen, clock.monotonic() - started)


def read_details(
    source: Source,
    store: CatalogueStore,
    ids: Sequence[LessonId],
    *,
    progress: Progress = no_progress,
    cancel: CancelToken | None = None,
) -> None:
    """Read the details of a few known lessons, as a lesson is opened, planned or fetched.

    Raises:
        TransportError: The link is down.
        RefusedError: The source refuses everything.
        Cancelled: As asked.
    """
    _Run(source, store, progress, cancel or CancelToken()).details(ids)


class _Outcome(Enum):
    """What reading one detail came to."""

    CHANGED = "changed"
    SAME = "same"
    FAILED = "failed"


class _Run:
    """One sync on its way."""

    def __init__(
        self, source: Source, store: CatalogueStore, progress: Progress, cancel: CancelToken
    ) -> None:
        self._source = source
        self._store = store
        self._progress = progress
        self._cancel = cancel
        self._chance = random.Random()  # noqa: S311 - a sample, no secret
        self._added: set[str] = set()
        self._changed: set[str] = set()
        self._withdrawn: set[str] = set()
        self._held_back = 0
        self._skipped = 0
        self._failed = 0

    # --- the phases -----------------------------------------------------------------------

    def tags(self) -> None:
        """Read the tag trees."""
        found = self._survive(lambda: self._source.tags(self._cancel))
        if isinstance(found, Found):
            self._store.put_tags(self._source.id, found.value, found.seen)
        self._tell(Phase.TAGS, 1, 1)

    def books(self) -> None:
        """Read the book list and settle which books are gone or back."""
        try:
            listing = self._source.books(self._cancel)
        except (ProtocolError, RefusedError) as error:
            if error.code == _END or not self._store.books(self._source.id):
                raise
            self._failed += 1
            return
        self._note(self._store.put_books(self._source.id, listing.records, listing.seen))
        self._skipped += listing.skipped
        held = [book.id for book in self._store.books(self._source.id)]
        withdrawn = [book.id for book in self._store.books(self._source.id, withdrawn=True)]
        listed = _listed(listing)
        gone = self._judge([b for b in held if b not in listed], self._is_book_gone)
        self._held_back += len(gone.acquitted)
        self._withdrawn.update(self._store.withdraw_books(gone.convicted))
        back = self._judge([b for b in withdrawn if b in listed], self._is_book_back)
        self._changed.update(self._store.restore_books(back.convicted))
        for book in [*gone.convicted, *(b for b in withdrawn if b not in listed)]:
            self._settle(self._store.ids_of_book(book), (), frozenset())
        self._tell(Phase.BOOKS, 1, 1)

    def textbooks(self) -> None:
        """Read the list of e-textbooks."""
        listing = self._survive(lambda: self._source.textbooks(self._cancel))
        if listing is not None:
            self._take(
                listing,
                self._store.ids_of_textbooks(self._source.id),
                self._store.ids_of_textbooks(self._source.id, withdrawn=True),
            )
        self._tell(Phase.TEXTBOOKS, 1, 1)

    def chosen(self, books: Sequence[BookId] | None) -> tuple[BookId, ...]:
        """Give the books to read: those asked for that are on offer, or all."""
        offered = [book.id for book in self._store.books(self._source.id)]
        if books is None:
            return tuple(offered)
        wanted = frozenset(offered)
        return tuple(dict.fromkeys(book for book in books if book in wanted))

    def lessons(self, books: Sequence[BookId]) -> None:
        """Read the chapter tree and the lesson list of every book."""
        for done, book in enumerate(books):
            self._tell(Phase.LESSONS, done, len(books))
            self._sections(book)
            self._list(book)
        self._tell(Phase.LESSONS, len(books), len(books))

    def of_books(self, books: Sequence[BookId]) -> list[LessonId]:
        """Give the lessons on offer in these books, and the e-textbooks that go with them."""
        ids = [id_ for book in books for id_ in self._store.ids_of_book(book)]
        found = (self._store.book(book) for book in books)
        places = {book.place for book in found if book is not None}
        textbooks = self._store.textbooks(self._source.id)
        return [*ids, *(lesson.id for lesson in textbooks if lesson.place in places)]

    def details(self, ids: Iterable[LessonId]) -> None:
        """Read the own documents of these lessons, with as many connections as allowed."""
        wanted = tuple(dict.fromkeys(ids))
        with ThreadPoolExecutor(self._source.connections, thread_name_prefix="catalogue") as pool:
            try:
                for done, (id_, outcome) in enumerate(
                    zip(wanted, pool.map(self._detail, wanted), strict=True), 1
                ):
                    if outcome is _Outcome.CHANGED:
                        self._changed.add(id_)
                    self._failed += outcome is _Outcome.FAILED
                    self._tell(Phase.DETAILS, done, len(wanted))
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise

    def report(self, books: Sequence[BookId], seconds: float) -> CatalogueReport:
        """Give the figures."""
        traffic = self._source.traffic
        return CatalogueReport(
            source=self._source.id,
            books=len(self._store.books(self._source.id)),
            lessons=sum(len(self._store.ids_of_book(book)) for book in books),
            resources=self._store.parts_of_books(books),
            added=len(self._added),
            changed=len(self._changed - self._added),
            withdrawn=len(self._withdrawn),
            held_back=self._held_back,
            requests=traffic.requests,
            bytes_received=traffic.bytes_received,
            seconds=round(seconds, 3),
            skipped=self._skipped,
            failed=self._failed,
        )

    # --- one document ---------------------------------------------------------------------

    def _sections(self, book: BookId) -> None:
        found = self._survive(lambda: self._source.sections(book, self._cancel))
        if isinstance(found, Found):
            self._note(self._store.put_sections(self._source.id, book, found.value, found.seen))

    def _list(self, book: BookId) -> None:
        listing = self._survive(lambda: self._source.lessons(book, self._cancel))
        if listing is not None:
            self._take(
                listing,
                self._store.ids_of_book(book),
                self._store.ids_of_book(book, withdrawn=True),
            )

    def _take(
        self, listing: Listing[Lesson], held: Sequence[LessonId], withdrawn: Sequence[LessonId]
    ) -> None:
        """Keep a list's records, then settle what is missing from it or back in it."""
        self._note(self._store.put_lessons(self._source.id, listing.records, listing.seen))
        self._skipped += listing.skipped
        self._settle(held, withdrawn, _listed(listing))

    def _settle(
        self, held: Sequence[LessonId], withdrawn: Sequence[LessonId], listed: frozenset[str]
    ) -> None:
        gone = self._judge([id_ for id_ in held if id_ not in listed], self._is_gone)
        self._held_back += len(gone.acquitted)
        self._withdrawn.update(self._store.withdraw(gone.convicted))
        back = self._judge([id_ for id_ in withdrawn if id_ in listed], self._is_back)
        self._changed.update(self._store.restore(back.convicted))

    def _detail(self, id_: LessonId) -> "_Outcome":
        """Read one lesson's own document and keep it. Runs on several threads."""
        lesson = self._store.lesson(id_)
        if lesson is None:
            return _Outcome.SAME
        try:
            found = self._source.detail(lesson, self._cancel)
        except (ProtocolError, RefusedError) as error:
            if error.code == _END:
                raise
            return _Outcome.FAILED
        if isinstance(found, Found):
            is_changed = self._store.put_detail(found.value, found.seen)
            return _Outcome.CHANGED if is_changed else _Outcome.SAME
        state = DetailState.HERE if isinstance(found, Unchanged) else _STATES[found]
        self._store.put_detail_state(id_, state)
        return _Outcome.SAME

    # --- in doubt -------------------------------------------------------------------------

    def _judge(self, doubtful: Sequence[Id], ask: Callable[[Id], bool]) -> Verdict[Id]:
        return judge(doubtful, {id_: ask(id_) for id_ in to_probe(doubtful, self._chance)})

    def _is_gone(self, id_: LessonId) -> bool:
        lesson = self._store.lesson(id_)
        return lesson is not None and self._source.is_gone(lesson, self._cancel)

    def _is_back(self, id_: LessonId) -> bool:
        return not self._is_gone(id_)

    def _is_book_gone(self, book: BookId) -> bool:
        return self._source.is_book_gone(book, self._cancel)

    def _is_book_back(self, book: BookId) -> bool:
        return not self._is_book_gone(book)

    # --- counting -------------------------------------------------------------------------

    def _survive(self, read: Callable[[], T]) -> T | None:
        """Read one document; None if it is broken or refused (Y3)."""
        try:
            return read()
        except ProtocolError:
            self._failed += 1
        except RefusedError as error:
            if error.code == _END:
                raise
            # A book without a list is common: an empty shell, not a failure.
            self._failed += error.status != HTTPStatus.NOT_FOUND
        return None

    def _note(self, changes: Changes) -> None:
        self._added.update(changes.added)
        self._changed.update(changes.changed)

    def _tell(self, phase: Phase, done: int, total: int) -> None:
        traffic = self._source.traffic
        self._progress(
            CatalogueProgress(
                phase=phase,
                done=done,
                total=total,
                requests=traffic.requests,
                bytes_received=traffic.bytes_received,
            )
        )


def _listed(listing: Listing[Book] | Listing[Lesson]) -> frozenset[str]:
    return frozenset((*(str(record.id) for record in listing.records), *listing.kept))
