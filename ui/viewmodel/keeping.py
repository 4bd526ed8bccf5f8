"""What threatens the records now, for the banner: asked again and again. GUI thread.

Invariants:
  KB1  A threat is shown until a look no longer finds it, and not one look longer.
"""

from concurrent.futures import Future
from typing import Final, Protocol

from PySide6.QtCore import QObject, QTimer, Signal

from client.service.checks import Check
from ui.base.dispatch import Latest, UiDispatcher

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
        self._latest = Latest(dispatcher, self)
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
        """Look now."""
        self._latest.ask(self._port.look(), self._on_checks)

    def _on_checks(self, checks: tuple[Check, ...]) -> None:
        if checks != self.checks:
            self.checks = checks
            self.changed.emit()
