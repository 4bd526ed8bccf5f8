"""A recorder that keeps nothing: for looking at a lesson before class."""

from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from typing import Final

from client.domain.ids import ClassId, EventId, LessonId, PartId, SittingId
from client.domain.record.bodies import Ended, TaughtBy, Understood
from client.domain.record.resume import ResumePoint, RunningTimer
from client.domain.timetable import SlotKey
from client.service.records import OpenedSitting
from client.service.sitting_port import Written

_NOBODY: Final = SittingId("0" * 16)


def _done() -> Future[EventId]:
    done: Future[EventId] = Future()
    done.set_result(EventId(b""))
    return done


class Unrecorded:
    """See `client.service.sitting_port.Recorder`."""

    def open(
        self,
        class_ids: Sequence[ClassId],
        lesson: LessonId,
        slot: SlotKey | None = None,
        lesson_period: int = 0,
    ) -> OpenedSitting:
        """See the port."""
        del class_ids, lesson, slot, lesson_period
        return OpenedSitting(sitting=_NOBODY, recorded=_done())

    def go_on(self, point: ResumePoint) -> None:
        """See the port."""

    def save_resume(  # noqa: PLR0913 - the port's shape
        self,
        sitting: SittingId,
        *,
        part: PartId | None,
        position_s: float,
        is_playing: bool,
        page: int = -1,
        cue: int = 0,
        timers: Sequence[RunningTimer] = (),
    ) -> Written:
        """See the port."""
        del sitting, part, position_s, is_playing, page, cue, timers
        return _done()

    def played(self, sitting: SittingId, stretches: Iterable[tuple[float, float]]) -> Written:
        """See the port."""
        del sitting, stretches
        return _done()

    def cue(self, sitting: SittingId, ordinal: int) -> Written:
        """See the port."""
        del sitting, ordinal
        return _done()

    def question(
        self, sitting: SittingId, round_: int, counts: Sequence[tuple[str, int]]
    ) -> Written:
        """See the port."""
        del sitting, round_, counts
        return _done()

    def headcount(self, sitting: SittingId, class_id: ClassId, count: int) -> Written:
        """See the port."""
        del sitting, class_id, count
        return _done()

    def note(self, sitting: SittingId, text: str) -> Written:
        """See the port."""
        del sitting, text
        return _done()

    def understood(self, sitting: SittingId, class_id: ClassId, level: Understood) -> Written:
        """See the port."""
        del sitting, class_id, level
        return _done()

    def taught_by(self, sitting: SittingId, who: TaughtBy) -> Written:
        """See the port."""
        del sitting, who
        return _done()

    def end(self, sitting: SittingId, how: Ended, screen_s: float = 0.0) -> Written:
        """See the port."""
        del sitting, how, screen_s
        return _done()
