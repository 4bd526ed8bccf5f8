"""State of the pack to take home: what is offered, how far it is, what came of it. GUI thread.

Invariants:
  HO1  One pack at a time; one that was stopped is heard of no more.
  HO2  It goes on whether or not anybody looks, and tells its end.
"""

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future
from enum import Enum
from pathlib import Path
from typing import Protocol

from PySide6.QtCore import QObject, Signal

from client.domain.errors import ClassroomError
from client.domain.ids import LessonId
from client.service.sticks import HomeEnd, HomeWish, PackOffer
from ui.base.dispatch import Latest, UiDispatcher


class HomePort(Protocol):
    """What is asked of packs; `sync.engine.home_desk.HomeDesk` is one."""

    def offers(self, first: Collection[LessonId]) -> Future[tuple[PackOffer, ...]]:
        """List what may be packed, these first."""
        ...

    def pack(
        self, folder: Path, wish: HomeWish, tell: Callable[[int, int], None]
    ) -> Future[HomeEnd]:
        """Make a pack; `tell` is called on a worker thread."""
        ...

    def stop(self) -> None:
        """Make no pack after all."""
        ...

    def close(self) -> None:
        """Stop."""
        ...


class HomePhase(Enum):
    """Where things stand with the pack."""

    CHOOSING = "choosing"
    BUSY = "busy"
    DONE = "done"
    FAILED = "failed"


class HomeModel(QObject):
    """See the module."""

    changed = Signal()
    ended = Signal()
    """A pack is there, or failed; `end` or `error` tells."""

    def __init__(
        self, port: HomePort, dispatcher: UiDispatcher, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._port = port
        self._dispatcher = dispatcher
        self._questions = Latest(dispatcher, self)
        self._packs = 0
        self.phase = HomePhase.CHOOSING
        self.offers: tuple[PackOffer, ...] | None = None
        """What may be packed, None until it is known."""
        self.done, self.whole = 0, 0
        """Lessons written and in all."""
        self.end: HomeEnd | None = None
        self.error: ClassroomError | None = None

    def open(self, first: Collection[LessonId]) -> None:
        """Ask what may be packed, these first; what is under way stays."""
        if self.phase is not HomePhase.BUSY:
            self.phase, self.end, self.error = HomePhase.CHOOSING, None, None
        self.offers = None
        self._questions.ask(self._port.offers(tuple(first)), self._on_offers)
        self.changed.emit()

    def pack(self, folder: Path, lessons: Sequence[LessonId], name: str, *, is_zip: bool) -> None:
        """Make a pack in a folder (HO1)."""
        if self.phase is HomePhase.BUSY:
            return
        self._packs += 1
        number = self._packs
        self.phase, self.end, self.error = HomePhase.BUSY, None, None
        self.done, self.whole = 0, len(lessons)

        def done(end: HomeEnd) -> None:
            self._finish(number, HomePhase.DONE, end=end)

        def failed(error: ClassroomError) -> None:
            self._finish(number, HomePhase.FAILED, error=error)

        def tell(done: int, whole: int) -> None:
            self._dispatcher.post(lambda: self._on_progress(number, done, whole))

        wish = HomeWish(lessons=tuple(lessons), name=name, is_zip=is_zip)
        future = self._port.pack(folder, wish, tell)
        self._dispatcher.watch(future, done=done, failed=failed, owner=self)
        self.changed.emit()

    def stop(self) -> None:
        """Make no pack after all."""
        if self.phase is HomePhase.BUSY:
            self._packs += 1
            self._port.stop()
            self.phase = HomePhase.CHOOSING
            self.changed.emit()

    def close(self) -> None:
        """Stop whatever is under way."""
        self._port.close()

    def _on_offers(self, offers: tuple[PackOffer, ...]) -> None:
        self.offers = offers
        self.changed.emit()

    def _on_progress(self, number: int, done: int, whole: int) -> None:
        if number == self._packs and self.phase is HomePhase.BUSY:
            self.done, self.whole = done, whole
            self.changed.emit()

    def _finish(
        self,
        number: int,
        phase: HomePhase,
        end: HomeEnd | None = None,
        error: ClassroomError | None = None,
    ) -> None:
        if number != self._packs:
            return  # it was stopped
        self.phase, self.end, self.error = phase, end, error
        self.changed.emit()
        self.ended.emit()
