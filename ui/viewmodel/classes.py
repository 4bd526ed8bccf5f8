"""State of 班级: the page, the class shown, how far back, and which sittings are open. GUI thread.

Invariants:
  KM1  A page equal to the one shown changes nothing; what is recorded while nobody looks waits
       until somebody does.
  KM2  The class shown and the sittings that are open stay through new pages.
"""

from concurrent.futures import Future
from typing import Final, Protocol

from PySide6.QtCore import QObject, Signal

from client.domain.errors import ClassroomError
from client.domain.ids import EventId, SittingId
from client.service.classes_page import ClassesPage, Day, of_class
from client.service.disputes import Dispute
from ui.base.dispatch import Latest, UiDispatcher

DAYS_AT_ONCE: Final = 7


class ClassesPort(Protocol):
    """What 班级 asks (client.service.classes). All return at once."""

    def page(self) -> Future[ClassesPage]:
        """Answer the page as it is now."""
        ...

    def keep(self, dispute: Dispute, index: int) -> Future[EventId]:
        """Keep one of the things that were said."""
        ...

    def join(self, dispute: Dispute) -> Future[EventId]:
        """Keep all notes."""
        ...

    def undo(self, name: EventId) -> Future[EventId]:
        """Take a decision back."""
        ...


class ClassesModel(QObject):
    """See the module."""

    changed = Signal()
    settled = Signal(object)
    """A decision was written: its `EventId`, for `undo`."""
    failed = Signal(object)

    def __init__(
        self, port: ClassesPort, dispatcher: UiDispatcher, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.page: ClassesPage | None = None
        """What is shown; None until it was answered."""
        self.shown_class = ""
        self.days_shown = DAYS_AT_ONCE
        self.open: frozenset[SittingId] = frozenset()
        self._port = port
        self._dispatcher = dispatcher
        self._latest = Latest(dispatcher, self)
        self._whole: ClassesPage | None = None
        self._is_watched = False

    @property
    def days(self) -> tuple[Day, ...]:
        """The days shown, the newest first."""
        return self.page.days[: self.days_shown] if self.page is not None else ()

    @property
    def days_left(self) -> int:
        """How many older days are not shown."""
        return len(self.page.days) - len(self.days) if self.page is not None else 0

    def watch(self, *, is_watched: bool) -> None:
        """Tell whether somebody looks at the page (KM1)."""
        self._is_watched = is_watched
        self.refresh()

    def refresh(self) -> None:
        """Ask for the page if somebody looks."""
        if self._is_watched:
            self._latest.ask(self._port.page(), self._on_page, self.failed.emit)

    def show_class(self, class_id: str) -> None:
        """Show one class, empty for all."""
        if class_id != self.shown_class:
            self.shown_class, self.days_shown = class_id, DAYS_AT_ONCE
            self._show()

    def show_more(self) -> None:
        """Go further back."""
        self.days_shown += DAYS_AT_ONCE
        self.changed.emit()

    def toggle(self, sitting: SittingId) -> bool:
        """Open or close a sitting, and tell whether it is open now."""
        self.open ^= {sitting}
        return sitting in self.open

    def keep(self, dispute: Dispute, index: int) -> None:
        """Keep one of the things that were said."""
        self._write(self._port.keep(dispute, index))

    def join(self, dispute: Dispute) -> None:
        """Keep all notes."""
        self._write(self._port.join(dispute))

    def undo(self, name: EventId) -> None:
        """Take a decision back."""
        self._dispatcher.watch(
            self._port.undo(name),
            done=lambda _: self.refresh(),
            failed=self.failed.emit,
            owner=self,
        )

    def _write(self, future: Future[EventId]) -> None:
        def done(name: EventId) -> None:
            self.settled.emit(name)
            self.refresh()

        self._dispatcher.watch(future, done=done, failed=self._on_failed, owner=self)

    def _on_failed(self, error: ClassroomError) -> None:
        self.failed.emit(error)
        self.refresh()

    def _on_page(self, page: ClassesPage) -> None:
        if page != self._whole:
            self._whole = page
            self._show()

    def _show(self) -> None:
        if self._whole is not None:
            self.page = of_class(self._whole, self.shown_class)
            self.changed.emit()
