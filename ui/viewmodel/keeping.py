"""What threatens the records now, for the banner: asked again and again. GUI thread.

Invariants:
  KB1  A threat is shown until a look no longer finds it, and not one look longer.
  KB2  One look at a time: a disk that takes long to refuse is not asked faster than it answers.
"""

from concurrent.futures import Future
from typing import Final, Protocol

from PySide6.QtCore import QObject, QTimer, Signal

from client.service.checks import Check
from ui.base.dispatch import UiDispatcher

EVERY_MS: Final = 10_000


class KeepingPort(Protocol):
    """What the banner asks (client.service.keeping)."""

    def look(self) -> Future[tuple[Check, ...]]:
        """Answer what threatens the records now."""
        ...


class KeepingModel(QObject):
    """See the module."""

    changed = Signal()

    def __init__(
        self, port: KeepingPort, dispatcher: UiDispatcher, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.checks: tuple[Check, ...] = ()
        """The worst first; empty when nothing threatens."""
        self._port = port
        self._dispatcher = dispatcher
        self._is_looking = False
        self._is_due = False
        self._timer = QTimer(self)
        self._timer.setInterval(EVERY_MS)
        self._timer.timeout.connect(self.look)

    def begin(self) -> None:
        """Look now, and from now on."""
        self.look()
        self._timer.start()

    def end(self) -> None:
        """Look no more."""
        self._timer.stop()

    def look(self) -> None:
        """Look now, or again once the look under way is over (KB2)."""
        self._is_due = self._is_looking
        if self._is_looking:
            return
        self._is_looking = True
        self._dispatcher.watch(self._port.look(), done=self._on_checks, owner=self)

    def _on_checks(self, checks: tuple[Check, ...]) -> None:
        self._is_looking = False
        if self._is_due:
            self.look()
        self.show(checks)

    def show(self, checks: tuple[Check, ...]) -> None:
        """Show what was found."""
        if checks != self.checks:
            self.checks = checks
            self.changed.emit()
