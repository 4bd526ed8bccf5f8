"""State of 课程库: what is asked, what came back, which lesson is open.

Invariants:
  LM1  An answer to an older question never replaces the answer to a newer one.
  LM2  Rows are asked for at once, counts only after the rows of the same question are here.
  LM3  The facets chosen are remembered for the next start of the program.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Final, Protocol

from PySide6.QtCore import QObject, Signal

from client.domain.availability import PartState
from client.domain.catalogue import Book, Placement, Role
from client.domain.errors import ClassroomError
from client.domain.ids import BookId, EventId, LessonId, SectionId
from client.service.api import (
    Facets,
    Filters,
    LessonDetail,
    LessonRow,
    PartView,
    RenditionView,
    SearchPage,
    SectionRow,
    TextbookPages,
)
from client.service.placing import PlaceOffer
from ui.base.dispatch import Latest, UiDispatcher

FACETS: Final = ("stage", "grade", "subject", "edition", "volume")
MEMORY: Final = "library.filters"
PREFERRED_PX: Final = 360
_MOST_BOOKS: Final = 24


class LibraryPort(Protocol):
    """What the page asks of the services (client.service.library)."""

    def search(self, text: str, filters: Filters = ...) -> Future[SearchPage]:
        """Find the first lessons, ranked."""
        ...

    def facets(self, text: str, filters: Filters = ...) -> Future[Facets]:
        """Count what `search` finds."""
        ...

    def books(self, filters: Filters = ..., *, chosen: bool = ...) -> Future[tuple[Book, ...]]:
        """Give the books on offer, or those the room has chosen."""
        ...

    def sections(self, book: BookId) -> Future[tuple[SectionRow, ...]]:
        """Give a book's chapter tree."""
        ...

    def lessons_of(
        self, book: BookId, section: SectionId | None = ...
    ) -> Future[tuple[LessonRow, ...]]:
        """Give the lessons of a book or of a section."""
        ...

    def detail(self, lesson: LessonId) -> Future[LessonDetail]:
        """Give everything known of one lesson."""
        ...


class PlacingPort(Protocol):
    """Where in the week a lesson fits (client.service.placing)."""

    def offers(self, place: Placement) -> tuple[PlaceOffer, ...]:
        """List the places, free ones first. Does not block."""
        ...

    def put(self, offer: PlaceOffer, lesson: LessonId) -> Future[EventId]:
        """Teach the lesson there; done when it is durable."""
        ...

    def undo(self, event: EventId) -> Future[EventId]:
        """Take a `put` back."""
        ...


class MemoryPort(Protocol):
    """Small values of this machine (client.service.room)."""

    def local(self, name: str) -> str:
        """Read a value; empty when there is none."""
        ...

    def set_local(self, name: str, value: str) -> Future[None]:
        """Remember a value."""
        ...


class LibraryActions(Protocol):
    """What the page asks of the program around it. GUI thread."""

    def fetch_parts(self, lesson: LessonId, rendition: str, roles: frozenset[Role]) -> None:
        """Have these parts of a lesson brought here, the film in that rendition."""
        ...

    def preview(self, lesson: LessonDetail) -> None:
        """Show what is here of a lesson; nothing is recorded."""
        ...

    def print_task(self, lesson: LessonId) -> None:
        """Print the task sheet."""
        ...

    def open_station(self, name: str) -> None:
        """Go to another page: settings, timetable, transfer."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryPorts:
    """Everything the page is joined to."""

    library: LibraryPort
    placing: PlacingPort
    memory: MemoryPort
    actions: LibraryActions


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a person wants of the open lesson: the film's rendition and the other parts."""

    rendition: str = ""
    """Name of a `RenditionView`, empty for no film."""
    roles: frozenset[Role] = frozenset()
    """Roles of the other parts to bring along."""


class LibraryModel(QObject):
    """See the module. GUI thread."""

    rows_changed = Signal()
    facets_changed = Signal()
    """Counts, or the choice among them, are new."""
    tree_changed = Signal()
    detail_changed = Signal()
    failed = Signal(object)
    """A `ClassroomError` to tell."""
    placed = Signal(object)
    """A `Placed`: a lesson stands in the timetable now, durably."""
    taken_back = Signal()

    def __init__(
        self, ports: LibraryPorts, dispatcher: UiDispatcher, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._ports = ports
        self._dispatcher = dispatcher
        self.actions: Final = ports.actions
        self.text = ""
        self.filters = filters_from(ports.memory.local(MEMORY))
        self.rows: tuple[LessonRow, ...] = ()
        self.total = -1
        """All that were found; -1 while nobody knows."""
        self.is_answered = False
        """Whether the rows answer the question as it stands."""
        self.facets = Facets()
        self.books: tuple[Book, ...] = ()
        self.book: Book | None = None
        self.tree: tuple[SectionRow, ...] = ()
        self.section: SectionId | None = None
        """The section of which the lessons are listed, None while searching."""
        self.selected: LessonId | None = None
        self.detail: LessonDetail | None = None
        self._row_questions = Latest(dispatcher, self)
        self._facet_questions = Latest(dispatcher, self)
        self._book_questions = Latest(dispatcher, self)
        self._tree_questions = Latest(dispatcher, self)
        self._detail_questions = Latest(dispatcher, self)

    # --- asking ----------------------------------------------------------------------------

    def refresh(self) -> None:
        """Ask everything again: the catalogue, the room or what is held changed."""
        self._ask_rows()
        self._ask_books()
        self._ask_detail()

    def search(self, text: str) -> None:
        """Show what matches `text`."""
        if text == self.text and self.section is None and self.is_answered:
            return
        self.text = text
        self._leave_section()
        self._ask_rows()

    def toggle(self, name: str, value: str) -> None:
        """Choose a value of a facet, or choose it no more."""
        values: tuple[str, ...] = getattr(self.filters, name)
        chosen = tuple(v for v in values if v != value) if value in values else (*values, value)
        self._filter(_filters(_chosen(self.filters) | {name: chosen}))

    def clear_filters(self) -> None:
        """Choose nothing."""
        self._filter(Filters())

    def open_book(self, book: BookId) -> None:
        """Show the tree of another book."""
        found = next((one for one in self.books if one.id == book), None)
        if found is not None and found != self.book:
            self.book = found
            self._leave_section()
            self._ask_tree()
            self._ask_rows()

    def open_section(self, section: SectionId | None) -> None:
        """List the lessons of a section, or search again when None."""
        self.section = section
        self.tree_changed.emit()
        self._ask_rows()

    def select(self, lesson: LessonId | None) -> None:
        """Open a lesson beside the list."""
        if lesson == self.selected:
            return
        self.selected = lesson
        self.detail = None
        self.detail_changed.emit()
        self._ask_detail()

    # --- doing -----------------------------------------------------------------------------

    def fetch(self, wish: Wish) -> None:
        """Have the open lesson brought here as wished."""
        if self.detail is not None:
            roles = wish.roles | ({Role.VIDEO} if wish.rendition else frozenset())
            rendition = wish.rendition or f"{PREFERRED_PX}p"
            # Nothing named means: all of it, once its parts are known.
            self.actions.fetch_parts(self.detail.row.id, rendition, frozenset(roles))

    def preview(self) -> None:
        """Show what is here of the open lesson."""
        if self.detail is not None:
            self.actions.preview(self.detail)

    def open_textbook(self, pages: TextbookPages) -> None:
        """Show a textbook at these pages: where the open lesson stands, or one of its chapters."""
        if self.detail is not None:
            self.actions.preview(replace(self.detail, parts=(), textbook=pages))

    def print_task(self) -> None:
        """Print the task sheet of the open lesson."""
        if self.detail is not None:
            self.actions.print_task(self.detail.row.id)

    def offers(self) -> tuple[PlaceOffer, ...]:
        """List where in the week the open lesson fits."""
        return () if self.detail is None else self._ports.placing.offers(self.detail.row.place)

    def put(self, offer: PlaceOffer) -> None:
        """Put the open lesson there."""
        if self.detail is None:
            return
        row = self.detail.row

        def done(event: EventId) -> None:
            self.placed.emit(Placed(offer=offer, title=row.title, event=event))

        future = self._ports.placing.put(offer, row.id)
        self._dispatcher.watch(future, done=done, failed=self._on_failed, owner=self)

    def take_back(self, event: EventId) -> None:
        """Undo a `put`."""

        def done(_: EventId) -> None:
            self.taken_back.emit()

        future = self._ports.placing.undo(event)
        self._dispatcher.watch(future, done=done, failed=self._on_failed, owner=self)

    # --- inside ----------------------------------------------------------------------------

    def _filter(self, filters: Filters) -> None:
        self.filters = filters
        self._ports.memory.set_local(MEMORY, filters_text(filters))
        self.facets_changed.emit()
        self._leave_section()
        self._ask_rows()
        self._ask_books()

    def _leave_section(self) -> None:
        if self.section is not None:
            self.section = None
            self.tree_changed.emit()

    def _ask_rows(self) -> None:
        self.is_answered = False
        self._facet_questions.forget()
        library = self._ports.library
        if self.section is not None and self.book is not None:
            future = library.lessons_of(self.book.id, self.section)
            self._row_questions.ask(future, self._on_lessons, self._on_failed)
            return
        self._row_questions.ask(
            library.search(self.text, self.filters), self._on_page, self._on_failed
        )

    def _on_page(self, page: SearchPage) -> None:
        self.total = page.total
        self._show(page.rows)
        # Only now: rows must not wait behind counts (LM2).
        self._facet_questions.ask(
            self._ports.library.facets(self.text, self.filters), self._on_facets, self._on_failed
        )

    def _on_lessons(self, rows: tuple[LessonRow, ...]) -> None:
        self.total = len(rows)
        self._show(rows)

    def _show(self, rows: Sequence[LessonRow]) -> None:
        self.rows = tuple(rows)
        self.is_answered = True
        self.rows_changed.emit()

    def _on_facets(self, facets: Facets) -> None:
        self.facets = facets
        self.total = facets.total
        self.facets_changed.emit()

    def _ask_books(self) -> None:
        mine = self._ports.library.books(self.filters, chosen=True)
        self._book_questions.ask(mine, self._on_own_books, self._on_failed)

    def _on_own_books(self, mine: tuple[Book, ...]) -> None:
        """Show the room's own books; where facets are chosen, the others that fit as well."""
        if self.filters == Filters():
            self._on_books(mine)
            return

        def done(every: tuple[Book, ...]) -> None:
            self._on_books((*mine, *(book for book in every if book not in mine)))

        self._book_questions.ask(self._ports.library.books(self.filters), done, self._on_failed)

    def _on_books(self, books: tuple[Book, ...]) -> None:
        self.books = books[:_MOST_BOOKS]
        kept = next((one for one in self.books if self.book and one.id == self.book.id), None)
        self.book = kept or next(iter(self.books), None)
        self._ask_tree()

    def _ask_tree(self) -> None:
        if self.book is None:
            self._tree_questions.forget()
            self._on_tree(())
            return
        self._tree_questions.ask(
            self._ports.library.sections(self.book.id), self._on_tree, self._on_failed
        )

    def _on_tree(self, tree: tuple[SectionRow, ...]) -> None:
        self.tree = tree
        self.tree_changed.emit()

    def _ask_detail(self) -> None:
        if self.selected is None:
            self._detail_questions.forget()
            return
        future = self._ports.library.detail(self.selected)
        self._detail_questions.ask(future, self._on_detail, self._on_failed)

    def _on_detail(self, detail: LessonDetail) -> None:
        self.detail = detail
        self.detail_changed.emit()

    def _on_failed(self, error: ClassroomError) -> None:
        self.failed.emit(error)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A lesson that was put into the timetable; `event` takes it back."""

    offer: PlaceOffer
    title: str
    event: EventId


def films(detail: LessonDetail) -> tuple[RenditionView, ...]:
    """Renditions of the lesson's films that can be had, the smallest first, one per name.

    Sizes of films that have a rendition in common add up.
    """
    sums: dict[str, RenditionView] = {}
    for part in detail.parts:
        for one in part.renditions if part.role is Role.VIDEO else ():
            if one.is_protected:
                continue
            before = sums.get(one.name)
            more = before.size_bytes if before else 0
            sums[one.name] = replace(one, size_bytes=one.size_bytes + more)
    return tuple(sorted(sums.values(), key=lambda one: (one.height, one.size_bytes)))


def preferred(found: Sequence[RenditionView]) -> str:
    """Name of the rendition to begin with: 360p, the nearest below it, else the smallest."""
    below = [one for one in found if one.height <= PREFERRED_PX]
    chosen = below[-1] if below else next(iter(found), None)
    return chosen.name if chosen else ""


def companions(detail: LessonDetail) -> tuple[PartView, ...]:
    """Parts beside the films that can be had or are here."""
    never = {PartState.PROTECTED, PartState.WITHDRAWN}
    return tuple(p for p in detail.parts if p.role is not Role.VIDEO and p.state not in never)


def missing_bytes(detail: LessonDetail, wish: Wish) -> int:
    """Bytes that a wish would cost, 0 when all of it is here or its sizes are unknown."""
    total = sum(
        part.size_bytes
        for part in companions(detail)
        if part.role in wish.roles and part.state is not PartState.PRESENT
    )
    for part in detail.parts:
        if part.role is Role.VIDEO and part.state is not PartState.PRESENT:
            total += sum(r.size_bytes for r in part.renditions if r.name == wish.rendition)
    return total


def filters_text(filters: Filters) -> str:
    """Write the chosen facets, one to a line."""
    return "\n".join(
        f"{name}={value}" for name, values in _chosen(filters).items() for value in values
    )


def filters_from(text: str) -> Filters:
    """Read what `filters_text` wrote; what is no facet any more is left out."""
    chosen: dict[str, tuple[str, ...]] = {}
    for line in text.splitlines():
        name, _, value = line.partition("=")
        if value:
            chosen[name] = (*chosen.get(name, ()), value)
    return _filters(chosen)


def _chosen(filters: Filters) -> dict[str, tuple[str, ...]]:
    return {name: getattr(filters, name) for name in FACETS}


def _filters(chosen: Mapping[str, tuple[str, ...]]) -> Filters:
    return Filters(
        stage=chosen.get("stage", ()),
        grade=chosen.get("grade", ()),
        subject=chosen.get("subject", ()),
        edition=chosen.get("edition", ()),
        volume=chosen.get("volume", ()),
    )
