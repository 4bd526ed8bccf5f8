"""State of the watched folders on screen: which they are, how each stands. GUI thread.

Invariants:
  FM1  They are asked for again and again while somebody looks, and at once after a change.
"""

from concurrent.futures import Future
from pathlib import Path
from typing import Final, Protocol

from PySide6.QtCore import QObject, QTimer, Signal

from client.service.api import WatchedRow
from ui.base.dispatch import Latest, UiDispatcher

EVERY_MS: Final = 3_000


class FoldersPort(Protocol):
    """What is asked of the link. All return at once."""

    def folders(self) -> Future[tuple[WatchedRow, ...]]:
        """List the watched folders."""
        ...

    def watch_folder(self, folder: Path, *, is_watched: bool) -> Future[None]:
        """Watch a folder from now on, or no longer."""
        ...


class FoldersModel(QObject):
    """See the module."""

    changed = Signal()
    failed = Signal(object)

    def __init__(
        self, port: FoldersPort, dispatcher: UiDispatcher, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.rows: tuple[WatchedRow, ...] | None = None
        """None until it was answered."""
        self._port = port
        self._dispatcher = dispatcher
        self._latest = Latest(dispatcher, self)
        self._timer = QTimer(self)
        self._timer.setInterval(EVERY_MS)
        self._timer.timeout.connect(self.refresh)

    def watch(self, *, is_watched: bool) -> None:
        """Look now and again while somebody sees it (FM1)."""
        if is_watched:
            self.refresh()
            self._timer.start()
        else:
            self._timer.stop()

    def refresh(self) -> None:
        """Ask now."""
        self._latest.ask(self._port.folders(), self._on_rows)

    def set_watched(self, folder: Path, *, is_watched: bool) -> None:
        """Have a folder watched, or no longer."""
        future = self._port.watch_folder(folder, is_watched=is_watched)
        self._dispatcher.watch(
            future, done=lambda _: self.refresh(), failed=self.failed.emit, owner=self
        )

    def _on_rows(self, found: tuple[WatchedRow, ...]) -> None:
        if found != self.rows:
            self.rows = found
            self.changed.emit()
