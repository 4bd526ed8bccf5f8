"""State of the stick that is plugged in: found, written to, taken from, may be pulled out.

Invariants:
  CM1  A stick of ours is used by itself as soon as it is found: the record goes out, then lessons
       come in. Any other stick is only shown, and nothing is written to it unasked.
  CM2  A stick that is gone leaves nothing behind but why it failed, until the next one; one that is
       plugged in again is found again.
  CM3  An answer about a stick that is not the one shown changes nothing.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from enum import Enum
from pathlib import Path
from typing import Final, Protocol, TypeVar

from PySide6.QtCore import QObject, QTimer, Signal

from client.domain.errors import ClassroomError
from client.domain.ids import LessonId
from client.service.sticks import PackOffer, StickEnd, StickProgress, StickSeen
from ui.base.dispatch import UiDispatcher
from ui.base.volumes import Volume

POLL_MS: Final = 3000
T = TypeVar("T")


class StickPort(Protocol):
    """What the page asks of sticks; `sync.engine.stick_desk.StickDesk` is one."""

    def ask(self, question: Callable[[], T]) -> Future[T]:
        """Answer a question off the GUI thread."""
        ...

    def look(self, folder: Path) -> Future[StickSeen]:
        """Look into a stick."""
        ...

    def take(self, folder: Path, tell: Callable[[StickProgress], None]) -> Future[StickEnd]:
        """Record out, lessons in."""
        ...

    def pack(
        self,
        folder: Path,
        lessons: Sequence[LessonId],
        site: str,
        tell: Callable[[StickProgress], None],
    ) -> Future[StickEnd]:
        """Record out, lessons out."""
        ...

    def offers(self) -> Future[tuple[PackOffer, ...]]:
        """List what may be packed."""
        ...

    def close(self) -> None:
        """Stop."""
        ...


class Phase(Enum):
    """Where things stand with the stick."""

    NONE = "none"
    FOUND = "found"
    BUSY = "busy"
    DONE = "done"
    FAILED = "failed"


class CourierModel(QObject):
    """See the module. GUI thread.

    Args:
        port: Does the work.
        volumes: Lists the sticks; called off the GUI thread.
        dispatcher: The way back.
    """

    changed = Signal()
    finished = Signal()
    """The stick may be pulled out."""

    def __init__(
        self,
        port: StickPort,
        volumes: Callable[[], tuple[Volume, ...]],
        dispatcher: UiDispatcher,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._port = port
        self._volumes = volumes
        self._dispatcher = dispatcher
        self._is_asking = False
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self.poll)
        self.phase = Phase.NONE
        self.volume: Volume | None = None
        self.is_gone = False
        """It failed and was pulled out; what is shown of it is why."""
        self.seen: StickSeen | None = None
        self.progress: StickProgress | None = None
        self.end: StickEnd | None = None
        self.error: ClassroomError | None = None
        self.is_end_hidden = False
        """Whether somebody read how it ended and closed that."""
        self.offers: tuple[PackOffer, ...] | None = None
        """What may be packed, None until it is known."""

    @property
    def is_end_shown(self) -> bool:
        """Whether it ended, well or not, and that is still to be said."""
        return self.phase in (Phase.DONE, Phase.FAILED) and not self.is_end_hidden

    def hide_end(self) -> None:
        """Say no more how it ended."""
        self.is_end_hidden = True
        self.changed.emit()

    def start(self) -> None:
        """Watch for sticks from now on."""
        self._timer.start()
        self.poll()

    def close(self) -> None:
        """Watch no more."""
        self._timer.stop()
        self._port.close()

    def poll(self) -> None:
        """Ask which sticks there are, unless that was asked just now."""
        if self._is_asking:
            return
        self._is_asking = True
        self._dispatcher.watch(
            self._port.ask(self._volumes), done=self._on_volumes, failed=self._on_none, owner=self
        )

    def take(self) -> None:
        """Write the record out and take lessons in."""
        if self._may_begin():
            self._begin(lambda root: self._port.take(root, self._tell))

    def pack(self, lessons: Sequence[LessonId], site: str) -> None:
        """Write the record out and pack lessons."""
        if self._may_begin():
            self._begin(lambda root: self._port.pack(root, lessons, site, self._tell))

    def ask_offers(self) -> None:
        """Learn what may be packed; `changed` tells when it is known."""

        def known(offers: tuple[PackOffer, ...]) -> None:
            self.offers = offers
            self.changed.emit()

        self.offers = None
        self._dispatcher.watch(self._port.offers(), done=known, owner=self)

    # --- inside --------------------------------------------------------------------------

    def _may_begin(self) -> bool:
        return self.volume is not None and self.phase is not Phase.BUSY and not self.is_gone

    def _on_none(self, _error: ClassroomError) -> None:
        self._is_asking = False

    def _on_volumes(self, found: tuple[Volume, ...]) -> None:
        self._is_asking = False
        here = next((one for one in found if self._is_shown(one)), None)
        if here is not None and not self.is_gone:
            if here != self.volume:
                self.volume = here
                self.changed.emit()
        elif found:
            self._found(found[0])
        elif self.phase is Phase.FAILED:
            self.is_gone = True
            self.changed.emit()
        elif self.volume is not None and self.phase is not Phase.BUSY:
            self._forget()

    def _is_shown(self, volume: Volume) -> bool:
        return self.volume is not None and self.volume.root == volume.root

    def _found(self, volume: Volume) -> None:
        if self.phase is Phase.BUSY:
            return  # what is under way ends by itself, with an error that says why
        self._forget()
        self.volume = volume
        self.phase = Phase.FOUND
        self.changed.emit()

        def seen(what: StickSeen) -> None:
            if self._is_shown(volume) and self.phase is Phase.FOUND:
                self.seen = what
                self.changed.emit()
                if what.is_ours:
                    self.take()

        self._dispatcher.watch(
            self._port.look(volume.root), done=seen, failed=self._on_none, owner=self
        )

    def _forget(self) -> None:
        """Show no stick (CM2)."""
        self.phase, self.volume, self.is_gone = Phase.NONE, None, False
        self.seen = self.progress = self.end = self.error = None
        self.changed.emit()

    def _begin(self, begin: Callable[[Path], Future[StickEnd]]) -> None:
        volume = self.volume
        assert volume is not None  # noqa: S101 - the callers looked
        self.phase, self.progress, self.end, self.error = Phase.BUSY, None, None, None
        self.is_end_hidden = False
        self.changed.emit()

        def done(end: StickEnd) -> None:
            self.phase, self.end = Phase.DONE, end
            self.changed.emit()
            self.finished.emit()

        def failed(error: ClassroomError) -> None:
            self.phase, self.error = Phase.FAILED, error
            self.changed.emit()

        self._dispatcher.watch(begin(volume.root), done=done, failed=failed, owner=self)

    def _tell(self, progress: StickProgress) -> None:
        """Hear of progress on a worker thread."""

        def show() -> None:
            if self.phase is Phase.BUSY and progress != self.progress:
                self.progress = progress
                self.changed.emit()

        self._dispatcher.post(show)
