"""State of 今天: the page, its one open question, and what a person asked for.

Invariants:
  N1  An answer to an older question never replaces the answer to a newer one.
  N2  A choice that failed leaves the page as it was and says what went wrong.
"""

from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Protocol

from PySide6.QtCore import QObject, Signal

from client.domain.errors import ClassroomError
from client.domain.ids import LessonId
from client.domain.timetable import SlotKey
from client.service.api import (
    Alternative,
    Card,
    PeriodRow,
    ResumeNotice,
    SwapScope,
    TodayPage,
)
from ui.base.dispatch import Latest, UiDispatcher


class TodayPort(Protocol):
    """What 今天 asks of the services (client.service.today)."""

    def page(self) -> Future[TodayPage]:
        """Answer the whole page as it is now."""
        ...

    def alternatives(self, key: SlotKey) -> Future[tuple[Alternative, ...]]:
        """Offer what could be taught in that slot instead, best first."""
        ...

    def swap(self, key: SlotKey, alternative: Alternative, scope: SwapScope) -> Future[object]:
        """Teach something else in that slot; done when it is durable."""
        ...

    def use_instead(self, stopped: LessonId, other: LessonId) -> Future[object]:
        """Teach another lesson wherever a withdrawn one stands."""
        ...

    def undo(self) -> Future[object]:
        """Take the last swap back."""
        ...

    def tell_time(self, day: int, period: int) -> Future[object]:
        """Say which period of the week it is now."""
        ...

    def finish_with_textbook(self, notice: ResumeNotice) -> Future[object]:
        """End an interrupted class as taught with the textbook."""
        ...


class TodayActions(Protocol):
    """What 今天 asks of the program around it. GUI thread."""

    def start(self, cards: Sequence[Card]) -> None:
        """Open the classroom; the first card gets the screen."""
        ...

    def resume(self, notice: ResumeNotice) -> None:
        """Go on with the interrupted class."""
        ...

    def fetch(self, lesson: LessonId) -> None:
        """Have a lesson brought here."""
        ...

    def import_stick(self) -> None:
        """Take lessons from the stick that is plugged in; where there is none, ask for a folder."""
        ...

    def import_paths(self, paths: Sequence[Path]) -> None:
        """Take lessons from files or folders; an empty sequence asks for a folder."""
        ...

    def print_sheet(self, card: Card, what: str) -> None:
        """Print `task` or `steps` of a card."""
        ...

    def open_station(self, name: str) -> None:
        """Go to another page: library, timetable, transfer."""
        ...


class TodayModel(QObject):
    """Holds the newest `TodayPage`. GUI thread."""

    changed = Signal()
    """`page` is a new value."""
    failed = Signal(object)
    """A `ClassroomError` to tell."""
    swapped = Signal()
    """A swap is durable and can be undone."""
    undone = Signal()

    def __init__(
        self,
        port: TodayPort,
        actions: TodayActions,
        dispatcher: UiDispatcher,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.actions = actions
        self.page: TodayPage | None = None
        self.shown_class: str = ""
        """Id of the one class shown; empty for all side by side."""
        self._port = port
        self._dispatcher = dispatcher
        self._pages = Latest(dispatcher, self)
        self._offers = Latest(dispatcher, self)

    def refresh(self) -> None:
        """Ask for the page again."""
        self._pages.ask(self._port.page(), self._on_page, self._on_failed)

    def show_class(self, class_id: str) -> None:
        """Show one class only, or all when empty."""
        if class_id != self.shown_class:
            self.shown_class = class_id
            self.changed.emit()

    def columns(self) -> tuple[int, ...]:
        """Say which of the page's classes are shown, by index."""
        if self.page is None:
            return ()
        chosen = [n for n, group in enumerate(self.page.classes) if group.id == self.shown_class]
        return tuple(chosen or range(len(self.page.classes)))

    def next_row(self) -> PeriodRow | None:
        """Find the one row that is running or next."""
        rows = self.page.rows if self.page is not None else ()
        return next((row for row in rows if row.moment.name in {"NOW", "NEXT"}), None)

    def offer(self, key: SlotKey, done: "OffersTaker") -> None:
        """Ask what could be taught instead in a slot; `done` gets the newest answer only."""
        self._offers.ask(self._port.alternatives(key), done, self._on_failed)

    def swap(self, key: SlotKey, alternative: Alternative, scope: SwapScope) -> None:
        """Choose an alternative; then the page is asked for again."""
        future = self._port.swap(key, alternative, scope)
        self._dispatcher.watch(future, done=self._on_swapped, failed=self._on_failed, owner=self)

    def use_instead(self, stopped: LessonId, other: LessonId) -> None:
        """Have another lesson taught in place of a withdrawn one."""
        future = self._port.use_instead(stopped, other)
        self._dispatcher.watch(future, done=self._on_swapped, failed=self._on_failed, owner=self)

    def undo(self) -> None:
        """Take the last swap back."""
        future = self._port.undo()
        self._dispatcher.watch(future, done=self._on_undone, failed=self._on_failed, owner=self)

    def tell_time(self, day: int, period: int) -> None:
        """Answer the question about the time."""
        self._then_refresh(self._port.tell_time(day, period))

    def finish_with_textbook(self) -> None:
        """End the interrupted class: the rest was taught with the textbook."""
        if self.page is not None and self.page.resume is not None:
            self._then_refresh(self._port.finish_with_textbook(self.page.resume))

    def _then_refresh(self, future: Future[object]) -> None:
        self._dispatcher.watch(future, done=self._on_done, failed=self._on_failed, owner=self)

    def _on_done(self, _result: object) -> None:
        self.refresh()

    def _on_swapped(self, _result: object) -> None:
        self.swapped.emit()
        self.refresh()

    def _on_undone(self, _result: object) -> None:
        self.undone.emit()
        self.refresh()

    def _on_page(self, page: TodayPage) -> None:
        if page != self.page:
            self.page = page
            self.changed.emit()

    def _on_failed(self, error: ClassroomError) -> None:
        self.failed.emit(error)


class OffersTaker(Protocol):
    """Takes the alternatives of a slot."""

    def __call__(self, offers: tuple[Alternative, ...], /) -> None:
        """Show them."""
        ...
