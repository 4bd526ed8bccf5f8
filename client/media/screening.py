"""What is on show and at what media time: the bookkeeping of pictures of one player.

Every method is called with the player's lock held; `now` is `time.monotonic()`.

Invariants:
  N1  The time of delivered pictures does not step back, except by a seek that lands.
  N2  While nothing is wanted (paused, a seek on its way) no picture is delivered.
"""

import zlib
from typing import Final

from client.media.frame_ring import FrameRing
from client.media.landing import Landing, Verdict
from client.media.media_clock import MediaClock
from client.media.port import Frame

_WATCHED: Final = 4
"""Pictures after a pause that are looked at: libvlc runs up to two past the held one."""
_UNKNOWN: Final = -1


class Screening:
    """Decides about each picture libvlc shows.

    Args:
        max_size: Largest width and height to decode into.
    """

    def __init__(self, max_size: tuple[int, int]) -> None:
        self.ring: Final = FrameRing(max_size)
        self.landing: Final = Landing()
        self.clock = MediaClock()
        self.shown_s = 0.0
        """Media time of the picture delivered last."""
        self._shown_at = 0.0
        self._target_s = 0.0
        self._is_quiet = False
        self._serial = 0
        self._delivered: int | None = None
        self._held: int | None = None
        self._ahead_s = 0.0
        self._watched = 0
        self._mark = _UNKNOWN

    def reset(self, frame_s: float) -> None:
        """Forget everything and wait for a film's first picture, which is not delivered.

        With `frame_s` 0.0 it has sound only.
        """
        self.clock = MediaClock(frame_s)
        self.shown_s = self._target_s = self._ahead_s = 0.0
        self._delivered = self._held = None
        self._mark = _UNKNOWN
        self._watched = 0
        self._is_quiet = True
        self.landing.start()
        if not frame_s:
            self.landing.give_up()

    # --- what is wanted next ------------------------------------------------------------

    def aim(self, target_s: float) -> float:
        """Expect the picture at `target_s`; return the time to send libvlc to."""
        self._is_quiet = False
        self._target_s = self.clock.snap_down(target_s)
        self.landing.seek(self.last_mark(), has_early=self._target_s > 0.0)
        # A quarter of a picture later, lest the rounding to milliseconds hits the one before.
        return self._target_s + self.clock.frame_s / 4

    def await_next(self, now: float) -> None:
        """Expect the picture after the one on show."""
        if not self.clock.frame_s:
            self.clock.restart(self.shown_s, now)
            return
        self._target_s = self.shown_s + self._ahead_s + self.clock.frame_s
        self._is_quiet = False
        self.landing.resume(self.last_mark())

    def go_without_picture(self, at_s: float, now: float) -> None:
        """Set the time of a film that has sound only."""
        self.shown_s = at_s
        self.clock.restart(at_s, now)

    def settle(self, now: float) -> Frame | None:
        """End a seek that found no better picture than the early one, or none at all."""
        if self.landing.is_over:
            return None
        self.landing.give_up()
        held = self._held
        if held is not None:
            return self._land(held, now)
        self.clock.restart(self._target_s, now)
        return None

    # --- pictures -----------------------------------------------------------------------

    def take(self, index: int, now: float, *, is_playing: bool) -> Frame | None:
        """Decide about the picture in buffer `index`; return it if it is to be delivered."""
        if self.landing.is_over:
            if is_playing:
                return self._next(index, now)
            self._watch(index)
            return None
        self._mark = zlib.crc32(self.ring.view(index))
        verdict = self.landing.judge(self._mark)
        if verdict is Verdict.LAND:
            return self._land(index, now)
        if verdict is Verdict.HOLD:
            self._held = index
        else:
            self.ring.give_back(index)
        return None

    def position(self, now: float, rate: float, *, is_playing: bool) -> float:
        """Return the media time of the picture on show, or of the sound."""
        if not is_playing or not self.landing.is_over:
            return self.shown_s
        if not self.clock.frame_s:
            return self.clock.at(now)
        return self.shown_s + min((now - self._shown_at) * rate, self.clock.frame_s)

    def last_mark(self) -> int:
        """Identify the picture libvlc showed last."""
        if self._mark == _UNKNOWN and self._delivered is not None:
            self._mark = zlib.crc32(self.ring.view(self._delivered))
        return self._mark

    def _next(self, index: int, now: float) -> Frame | None:
        """Take the next picture of a film that runs."""
        if self.clock.is_changing:
            before = self.last_mark()
            self._mark = zlib.crc32(self.ring.view(index))
            if self._mark == before or self.clock.has_changed(now - self._shown_at):
                self.clock.settle()
            if self._mark == before:
                self.ring.give_back(index)
                return None
        self._mark = _UNKNOWN
        return self._frame(index, self.clock.picture_at(now), now)

    def _watch(self, index: int) -> None:
        """See how far libvlc runs past the picture that is held on the stage."""
        if self._watched < _WATCHED:
            self._watched += 1
            before = self.last_mark()
            self._mark = zlib.crc32(self.ring.view(index))
            if self._mark != before:
                self._ahead_s += self.clock.frame_s
        self.ring.give_back(index)

    def _land(self, index: int, now: float) -> Frame | None:
        if self._held is not None and self._held != index:
            self.ring.give_back(self._held)
        self._held = None
        if self._is_quiet:
            self.ring.give_back(index)
            return None
        late_s = self.landing.late_s(now)
        at_s = self.clock.snap_down(self._target_s + self.clock.frame_s / 4 + late_s)
        self.clock.restart(at_s, now)
        self.shown_s = min(self.shown_s, at_s)
        return self._frame(index, at_s, now)

    def _frame(self, index: int, at_s: float, now: float) -> Frame:
        shape = self.ring.shape
        assert shape is not None  # noqa: S101 - a picture has a shape
        self._serial += 1
        self._delivered = index
        self.shown_s = max(self.shown_s, at_s)
        self._shown_at = now
        self._watched = 0
        self._ahead_s = 0.0
        return Frame(
            data=self.ring.deliver(index),
            width=shape.width,
            height=shape.height,
            stride=shape.stride,
            serial=self._serial,
            at_s=self.shown_s,
        )
