"""State of sharing with PCs near by: the switch, who is there, and what is wrong. GUI thread.

Invariants:
  NM1  Nothing is asked while nobody looks; while somebody does, every few seconds.
  NM2  One check or one adding runs at a time; what comes back of an older question is not shown.
"""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Final, Protocol

from PySide6.QtCore import QObject, QTimer, Signal

from client.domain.errors import ClassroomError
from client.service.near_view import NearView
from ui.base.dispatch import Latest, UiDispatcher

EVERY_MS: Final = 3_000


class NearPort(Protocol):
    """What is asked of the link. All return at once."""

    def lan(self) -> Future[NearView]:
        """Tell how sharing stands."""
        ...

    def check_lan(self) -> Future[NearView]:
        """Try everything, then tell."""
        ...

    def add_peer(self, text: str) -> Future[NearView]:
        """Make the PC with a typed code or address one of this school."""
        ...


class NearModel(QObject):
    """See the module.

    Args:
        port: Asks.
        set_setting: Writes a setting.
        dispatcher: Brings answers back.
    """

    changed = Signal()
    added = Signal()
    failed = Signal(object)
    stick_wanted = Signal()
    """Somebody takes the way of a stick instead."""

    def __init__(
        self,
        port: NearPort,
        set_setting: Callable[[str, str], Future[Any]],
        dispatcher: UiDispatcher,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.view = NearView()
        self.is_busy = False
        self._port = port
        self._set_setting = set_setting
        self._dispatcher = dispatcher
        self._latest = Latest(dispatcher, self)
        self._watchers = 0
        self._timer = QTimer(self)
        self._timer.setInterval(EVERY_MS)
        self._timer.timeout.connect(self.refresh)

    def watch(self, *, is_watched: bool) -> None:
        """Tell that one more, or one less, looks at it (NM1)."""
        self._watchers += 1 if is_watched else -1
        if self._watchers > 0:
            self._timer.start()
            self.refresh()
        else:
            self._timer.stop()

    def refresh(self) -> None:
        """Ask how sharing stands."""
        if not self.is_busy:
            self._latest.ask(self._port.lan(), self._show, self.failed.emit)

    def share(self, *, is_on: bool) -> None:
        """Turn the switch, then see what comes of it."""
        if is_on == self.view.is_on:
            return
        future = self._set_setting("lan_share", "on" if is_on else "off")
        done = self.check if is_on else self.refresh
        self._dispatcher.watch(future, done=lambda _: done(), failed=self.failed.emit, owner=self)

    def check(self) -> None:
        """Try everything."""
        self._begin(self._port.check_lan, lambda: None)

    def add(self, text: str) -> None:
        """Make the PC with a typed code or address one of this school."""
        self._begin(lambda: self._port.add_peer(text), self.added.emit)

    def _begin(self, ask: Callable[[], Future[NearView]], then: Callable[[], None]) -> None:
        if self.is_busy:
            return
        self.is_busy = True
        self.changed.emit()

        def done(view: NearView) -> None:
            self.is_busy = False
            self._show(view)
            self.changed.emit()
            then()

        def failed(error: ClassroomError) -> None:
            self.is_busy = False
            self.changed.emit()
            self.failed.emit(error)

        self._latest.ask(ask(), done, failed)

    def _show(self, view: NearView) -> None:
        if view != self.view:
            self.view = view
            self.changed.emit()
