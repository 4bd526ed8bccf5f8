"""State of 体检: the newest checks, and what is being mended.

Invariants:
  DM1  While it looks or mends, nothing can be pressed twice.
"""

from concurrent.futures import Future
from typing import Protocol

from PySide6.QtCore import QObject, Signal

from client.domain.errors import ClassroomError
from client.service.checks import Check, CheckState, Fix
from client.service.doctor import Facts
from ui.base.dispatch import UiDispatcher


class DoctorPort(Protocol):
    """What 体检 asks (client.service.doctor)."""

    def look(self, seen: Facts) -> Future[tuple[Check, ...]]:
        """Look at everything."""
        ...

    def mend(self, fix: Fix) -> Future[int]:
        """Do what a button says."""
        ...


class DoctorModel(QObject):
    """See the module. GUI thread."""

    changed = Signal()
    mended = Signal(object, int)
    """The fix, and how much was done."""
    failed = Signal(object)

    def __init__(self, port: DoctorPort, dispatcher: UiDispatcher) -> None:
        super().__init__()
        self.checks: tuple[Check, ...] = ()
        self.is_busy = False
        self._port = port
        self._dispatcher = dispatcher
        self._seen = Facts()

    def look(self, seen: Facts) -> None:
        """Look at everything; `seen` holds what only the screen knows."""
        if self.is_busy:
            return
        self._seen = seen
        self._begin()
        self._dispatcher.watch(
            self._port.look(seen), done=self._on_checks, failed=self._on_failed, owner=self
        )

    def mend(self, fix: Fix) -> None:
        """Do what a button says, then look again."""
        if self.is_busy:
            return
        self._begin()

        def done(count: int) -> None:
            self.is_busy = False
            self.mended.emit(fix, count)
            self.look(self._seen)

        self._dispatcher.watch(self._port.mend(fix), done=done, failed=self._on_failed, owner=self)

    def count(self, state: CheckState) -> int:
        """Count the checks in a state."""
        return sum(check.state is state for check in self.checks)

    def _begin(self) -> None:
        self.is_busy = True
        self.changed.emit()

    def _on_checks(self, checks: tuple[Check, ...]) -> None:
        self.checks = checks
        self.is_busy = False
        self.changed.emit()

    def _on_failed(self, error: ClassroomError) -> None:
        self.is_busy = False
        self.changed.emit()
        self.failed.emit(error)
