"""State of 本机空间: what takes room, which books are open, and what a person does about it.

Invariants:
  SM1  Room is made only by a second press: the first one says what would go.
"""

from concurrent.futures import Future
from typing import Final, Protocol

from PySide6.QtCore import QObject, QTimer, Signal

from client.domain.ids import EventId, LessonId
from client.service.storage import StoragePage
from ui.base.dispatch import Latest, UiDispatcher

EVERY_MS: Final = 10_000


class StoragePort(Protocol):
    """What is asked of the room for lessons (client.service.storage). All return at once."""

    def page(self) -> Future[StoragePage]:
        """Answer what takes room."""
        ...

    def free(self) -> Future[int]:
        """Let everything go that may; gives the bytes."""
        ...

    def pin(self, lesson: LessonId, *, is_pinned: bool) -> Future[None]:
        """Keep a lesson whatever else goes, or no longer."""
        ...

    def set_limit(self, name: str, value: str) -> Future[EventId]:
        """Change how much room lessons take or leave."""
        ...


class StorageModel(QObject):
    """See the module. GUI thread."""

    changed = Signal()
    freed = Signal(float)
    """Bytes that are free now."""

    def __init__(
        self, port: StoragePort, dispatcher: UiDispatcher, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.page: StoragePage | None = None
        """None until it was answered."""
        self.open_books: frozenset[str] = frozenset()
        self.is_asking = False
        """Whether the next press makes room (SM1)."""
        self._port = port
        self._dispatcher = dispatcher
        self._latest = Latest(dispatcher, self)
        self._timer = QTimer(self)
        self._timer.setInterval(EVERY_MS)
        self._timer.timeout.connect(self.refresh)

    def watch(self, *, is_watched: bool) -> None:
        """Look now and again while somebody sees it."""
        if is_watched:
            self.refresh()
            self._timer.start()
        else:
            self.is_asking = False
            self._timer.stop()

    def refresh(self) -> None:
        """Ask for the figures now."""
        self._latest.ask(self._port.page(), self._on_page)

    def toggle_book(self, title: str) -> None:
        """Show or hide the lessons of a book."""
        self.open_books ^= {title}
        self.changed.emit()

    def free(self) -> None:
        """Ask, then make room (SM1)."""
        self.is_asking = not self.is_asking
        self.changed.emit()
        if not self.is_asking:
            self._dispatcher.watch(self._port.free(), done=self._on_freed, owner=self)

    def stay(self) -> None:
        """Make no room after all."""
        self.is_asking = False
        self.changed.emit()

    def pin(self, lesson: LessonId, *, is_pinned: bool) -> None:
        """Keep a lesson whatever else goes, or no longer."""
        future = self._port.pin(lesson, is_pinned=is_pinned)
        self._dispatcher.watch(future, done=lambda _: self.refresh(), owner=self)

    def set_limit(self, name: str, value: str) -> None:
        """Change how much room lessons take or leave."""
        future = self._port.set_limit(name, value)
        self._dispatcher.watch(future, done=lambda _: self.refresh(), owner=self)

    def _on_freed(self, count: int) -> None:
        self.freed.emit(count)
        self.refresh()

    def _on_page(self, page: StoragePage) -> None:
        if page != self.page:
            self.page = page
            self.changed.emit()
