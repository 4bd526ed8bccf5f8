"""State of the hubs on screen: when each was met, what it has not got, and calling them now.

Invariants:
  HM1  Figures are asked for again and again: every few seconds while somebody looks, else once a
       minute for the chip of the frame.
"""

from concurrent.futures import Future
from typing import Final, Protocol

from PySide6.QtCore import QObject, QTimer, Signal

from client.domain.errors import ClassroomError
from client.service.api import HubRow
from client.service.hubs import KnownHub
from ui.base.dispatch import Latest, UiDispatcher

EVERY_MS: Final = 3_000
SELDOM_MS: Final = 60_000


class HubsPort(Protocol):
    """What is asked of the link. All return at once."""

    def hubs(self) -> Future[tuple[HubRow, ...]]:
        """List the hubs of this room."""
        ...

    def add_hub(self, url: str, code: str) -> Future[KnownHub]:
        """Enrol with a hub; the future gives it, or fails."""
        ...


class HubsModel(QObject):
    """See the module. GUI thread."""

    changed = Signal()
    added = Signal(str)
    """Name of the hub this room is now enrolled with."""
    failed = Signal(object)
    form_wanted = Signal()
    """Somebody wants to add a hub."""

    def __init__(
        self, port: HubsPort, dispatcher: UiDispatcher, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.rows: tuple[HubRow, ...] | None = None
        """None until it was answered."""
        self.is_adding = False
        self._port = port
        self._dispatcher = dispatcher
        self._latest = Latest(dispatcher, self)
        self._watchers = 0
        self._timer = QTimer(self)
        self._timer.setInterval(SELDOM_MS)
        self._timer.timeout.connect(self.refresh)

    def watch(self, *, is_watched: bool) -> None:
        """Tell that one more, or one less, looks at it (HM1)."""
        self._watchers += 1 if is_watched else -1
        self._timer.setInterval(EVERY_MS if self._watchers > 0 else SELDOM_MS)
        if self._watchers > 0:
            self.refresh()

    def begin(self) -> None:
        """Ask now, and from now on."""
        self.refresh()
        self._timer.start()

    def end(self) -> None:
        """Ask no more."""
        self._timer.stop()

    def refresh(self) -> None:
        """Ask for the figures now."""
        self._latest.ask(self._port.hubs(), self._on_rows, self.failed.emit)

    def add(self, url: str, code: str) -> None:
        """Enrol with the hub at `url`; `code` comes from whoever keeps it."""
        if self.is_adding:
            return
        self._set_adding(is_adding=True)

        def done(hub: KnownHub) -> None:
            self._set_adding(is_adding=False)
            self.added.emit(hub.name)
            self.refresh()

        def failed(error: ClassroomError) -> None:
            self._set_adding(is_adding=False)
            self.failed.emit(error)

        future = self._port.add_hub(url.strip(), code.strip())
        self._dispatcher.watch(future, done=done, failed=failed, owner=self)

    def _set_adding(self, *, is_adding: bool) -> None:
        self.is_adding = is_adding
        self.changed.emit()

    def _on_rows(self, found: tuple[HubRow, ...]) -> None:
        if found != self.rows:
            self.rows = found
            self.changed.emit()
