"""The recorder's side of a sitting: one record per track, and trying again when it fails."""

import logging
from collections.abc import Callable
from functools import partial
from typing import Final

from client.domain.clock import Clock
from client.domain.errors import ClassroomError
from client.domain.ids import SittingId
from client.domain.record.bodies import Ended, TaughtBy, Understood
from client.domain.record.resume import RunningTimer
from client.domain.sitting import Intervals, Showing, Track, add_interval, missing
from client.service.api import Reason
from client.service.sitting_port import (
    Notify,
    Recorder,
    SittingPlan,
    TrackPlan,
    Trouble,
    Written,
)

AGAIN_S: Final = 30.0
"""A fact that could not be written is tried again after this long."""

LEAST_S: Final = 0.5
"""A shorter stretch waits until it has grown: records count whole seconds."""
LETTERS: Final = ("A", "B", "C", "D")

log = logging.getLogger(__name__)


class SittingWriter:
    """The recorder's side of a sitting: one record per track, and trying again (CL2)."""

    def __init__(
        self, recorder: Recorder, plan: SittingPlan, clock: Clock, on_change: Notify
    ) -> None:
        self._recorder = recorder
        self._plan = plan
        self._clock = clock
        self._on_change = on_change
        self._written: list[Intervals] = [track.watched for track in plan.tracks]
        self._failed: list[Callable[[], Written]] = []
        self._failed_s = clock.monotonic()
        self.trouble: Trouble | None = None
        self.sittings = tuple(self._begin(track) for track in plan.tracks)

    def _begin(self, track: TrackPlan) -> SittingId:
        if track.resume is not None:
            self._recorder.go_on(track.resume)
            return track.resume.sitting
        opened = self._recorder.open(
            (track.class_id,), track.lesson.row.id, self._plan.key, track.period
        )
        # An opening that was not kept cannot be repeated under the same name; what follows
        # names the sitting all the same, so the class is still found in the record.
        self._watch(opened.recorded, None)
        return opened.sitting

    def watched(self, index: int, watched: Intervals) -> None:
        """Write the stretches that grew since the last time."""
        known = self._written[index]
        new = tuple(span for span in missing(watched, known) if span[1] - span[0] >= LEAST_S)
        if not new:
            return
        for begin_s, end_s in new:
            known = add_interval(known, begin_s, end_s)
        self._written[index] = known
        self._write(partial(self._recorder.played, self.sittings[index], new))

    def cue(self, index: int, ordinal: int) -> None:
        """Write that a step began."""
        self._write(partial(self._recorder.cue, self.sittings[index], ordinal))

    def question(self, index: int, number: int, counts: tuple[int, ...]) -> None:
        """Write a question round."""
        named = tuple(zip(LETTERS, counts, strict=False))
        self._write(partial(self._recorder.question, self.sittings[index], number, named))

    def headcount(self, index: int, heads: int) -> None:
        """Write a headcount."""
        class_id = self._plan.tracks[index].class_id
        self._write(partial(self._recorder.headcount, self.sittings[index], class_id, heads))

    def note(self, index: int, text: str) -> None:
        """Write the line."""
        self._write(partial(self._recorder.note, self.sittings[index], text))

    def understood(self, index: int, level: Understood) -> None:
        """Write 听懂."""
        class_id = self._plan.tracks[index].class_id
        self._write(partial(self._recorder.understood, self.sittings[index], class_id, level))

    def taught_by(self, index: int, who: TaughtBy) -> None:
        """Write who taught."""
        self._write(partial(self._recorder.taught_by, self.sittings[index], who))

    def end(self, index: int, how: Ended, screen_s: int) -> Written:
        """Close the record of a track."""
        return self._write(
            partial(self._recorder.end, self.sittings[index], how, screen_s=screen_s)
        )

    def save(self, index: int, track: Track, *, is_playing: bool) -> None:
        """Save the resume point of a track; a lost one is replaced by the next."""
        video = self._plan.tracks[index].video
        shows_pages = track.showing in (Showing.PAGES, Showing.BESIDE)
        saved = self._recorder.save_resume(
            self.sittings[index],
            part=video.id if video else None,
            position_s=track.position_s,
            is_playing=is_playing,
            page=track.page if shows_pages else -1,
            cue=track.cue,
            timers=_timers_of(track),
        )
        self._watch(saved, None)

    def write_again(self, now_s: float) -> None:
        """Try once more what could not be written."""
        if not self._failed or now_s - self._failed_s < AGAIN_S:
            return
        self._failed_s = now_s
        waiting, self._failed = self._failed, []
        for write in waiting:
            self._write(write)

    def _write(self, write: Callable[[], Written]) -> Written:
        future = write()
        self._watch(future, write)
        return future

    def _watch(self, future: Written, write: Callable[[], Written] | None) -> None:
        def settle(done: Written) -> None:
            error = done.exception()
            if error is None:
                if write is not None and not self._failed:
                    self.trouble = None
                return
            if not isinstance(error, ClassroomError):
                log.error("a fact was not written", exc_info=error)
                return
            if write is not None:
                self._failed.append(write)
            reason = Reason(code=error.code, values=values_of(error))
            self.trouble = Trouble(reason=reason, at_s=self._clock.monotonic())
            self._on_change()

        future.add_done_callback(settle)


def _timers_of(track: Track) -> tuple[RunningTimer, ...]:
    if track.timer is None:
        return ()
    return (RunningTimer(name="stage", total_s=track.timer.total_s, left_s=track.timer.left_s),)


def values_of(error: ClassroomError) -> tuple[tuple[str, str | int | float], ...]:
    """Make the values of an error fit for a snapshot."""
    return tuple(
        (name, value if isinstance(value, str | int | float) else str(value))
        for name, value in error.values.items()
    )
