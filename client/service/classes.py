"""班级: reads what the classes did, and writes what a person decides about different records.

Invariants:
  CS1  What is asked for runs on one worker thread, so answers come in the order of the questions;
       each reads only the events that came since the one before.
  CS2  A decision supersedes what was shown when it was taken, no more, and can be undone.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, Protocol

from client.domain.catalogue import Book, Lesson
from client.domain.errors import UserError
from client.domain.ids import BookId, EventId, LessonId
from client.domain.record.dates import Dates
from client.domain.record.facts import fact_rows
from client.domain.record.fold import Fold
from client.service.classes_page import ClassesPage, Known, build_page, named_in
from client.service.disputes import Dispute, joined, kept
from client.service.room import RoomService
from client.store.journal import Journal

if TYPE_CHECKING:
    from client.domain.record.event import Event


class Catalogue(Protocol):
    """Where titles come from. Blocking."""

    def lessons(self, ids: Sequence[LessonId]) -> tuple[Lesson, ...]:
        """Give the lessons that are known of several."""
        ...

    def book(self, book: BookId) -> Book | None:
        """Give a book, None when it is not known."""
        ...


class ClassesService:
    """Answers the page and carries out its choices. Methods return at once."""

    def __init__(self, journal: Journal, room: RoomService, catalogue: Catalogue) -> None:
        self._journal: Final = journal
        self._room: Final = room
        self._catalogue: Final = catalogue
        self._fold = Fold()
        self._events: list[Event] = []
        self._place = 0
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="classes")

    def page(self) -> Future[ClassesPage]:
        """Answer the whole page as it is now."""
        return self._worker.submit(self._page)

    def keep(self, dispute: Dispute, index: int) -> Future[EventId]:
        """Keep one of the things that were said; the future names the write, for `undo`."""
        return self._journal.append(kept(dispute, index))

    def join(self, dispute: Dispute) -> Future[EventId]:
        """Keep all notes, one below the other; the future names the write, for `undo`.

        Raises:
            UserError: `notes_do_not_join`.
        """
        body = joined(dispute)
        if body is None:
            raise UserError("notes_do_not_join")
        return self._journal.append(body)

    def undo(self, name: EventId) -> Future[EventId]:
        """Bring back, side by side, what a decision replaced."""
        return self._room.undo(name)

    def subscribe(self, callback: Callable[[], None]) -> None:
        """Call `callback` when something was recorded, on some thread; it must only post."""
        self._journal.listen(lambda _: callback())

    def close(self) -> None:
        """Answer what was asked, then stop."""
        self._worker.shutdown(wait=True)

    def _page(self) -> ClassesPage:
        for place, event in self._journal.events(after=self._place):
            self._fold.add(event)
            self._events.append(event)
            self._place = place
        facts = fact_rows(self._fold, dates=Dates(self._events, self._journal.anchors()))
        named = named_in(self._fold, facts)
        lessons = {one.id: one for one in self._catalogue.lessons(named.lessons)}
        found = (self._catalogue.book(book) for book in named.books)
        books = {one.id: one for one in found if one is not None}
        known = Known(lessons=lessons, books=books)
        return build_page(self._fold, facts, self._journal.writer, known)
