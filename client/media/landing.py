"""Which of the pictures libvlc shows around a seek or a resume is the one that was asked for.

After a seek the demuxer reports 0 % and then 100 % buffered. Pictures shown before that are
old ones. The first new one is up to 160 ms early, the next that differs is the one asked for
(at the very start of a file the first is). After a resume libvlc repeats the held picture, and
the first that differs is the next one.

A film may stand still: equal pictures are waited out only `_PATIENCE` times.
"""

from enum import Enum
from typing import Final

_PATIENCE: Final = 2
_SPIN_UP_S: Final = 0.045
"""From the report of 100 % until the first picture is due (27 to 57 ms measured)."""


class Flight(Enum):
    """Where a seek or resume stands."""

    NONE = "none"
    HELD = "held"
    """libvlc is being paused; nothing is wanted until the seek begins."""
    LAUNCHED = "launched"
    ARRIVING = "arriving"
    EARLY = "early"


class Verdict(Enum):
    """What to do with a picture."""

    PLAY = "play"
    """No seek is under way."""
    DROP = "drop"
    HOLD = "hold"
    """Drop it, unless nothing better comes."""
    LAND = "land"


class Landing:
    """Follows one seek or resume at a time. Not thread-safe: its player guards it."""

    def __init__(self) -> None:
        self.flight = Flight.NONE
        self._mark = -1
        self._equal = 0
        self._has_dipped = False
        self._ready_at = 0.0
        self.is_still = False
        """Whether libvlc repeats its picture while nothing is wanted: it has really paused."""
        self.is_resume = False
        """Whether what is under way is a resume."""

    @property
    def is_over(self) -> bool:
        """Tell whether nothing is under way."""
        return self.flight is Flight.NONE

    def hold(self) -> None:
        """Want no picture until a seek begins."""
        self._begin(Flight.HELD, -1)

    def seek(self, mark: int, *, has_early: bool) -> None:
        """Begin a seek. `mark` identifies the picture on show, -1 for none."""
        self._begin(Flight.LAUNCHED, mark)
        self._has_early = has_early
        self._ready_at = 0.0

    def start(self) -> None:
        """Begin to wait for the first picture of a file."""
        self._begin(Flight.ARRIVING, -1)
        self._has_early = False
        self._ready_at = 0.0

    def resume(self, mark: int) -> None:
        """Begin to wait for the picture after the held one."""
        self._begin(Flight.ARRIVING, mark)
        self._has_early = False
        self._ready_at = 0.0
        self.is_resume = True

    def late_s(self, now: float) -> float:
        """Tell how long after its turn a picture that lands now is: a busy machine skips some.

        The first picture after a seek is never skipped.
        """
        if not self._ready_at or not self._has_early:
            return 0.0
        return max(0.0, now - self._ready_at - _SPIN_UP_S)

    def buffered(self, percent: float, now: float) -> None:
        """Take a report of the demuxer."""
        if self.flight is not Flight.LAUNCHED:
            return
        if percent < 100.0:  # noqa: PLR2004 - per cent
            self._has_dipped = True
        elif self._has_dipped:
            self.flight = Flight.ARRIVING
            self._ready_at = now

    def judge(self, mark: int) -> Verdict:
        """Decide about the picture that is shown now."""
        if self.flight is Flight.NONE:
            return Verdict.PLAY
        if self.flight is Flight.HELD:
            self.is_still = self.is_still or mark == self._mark
            self._mark = mark
            return Verdict.DROP
        if self.flight is Flight.LAUNCHED:
            return Verdict.DROP
        if mark == self._mark and self._equal < _PATIENCE:
            self._equal += 1
            return Verdict.DROP
        if self.flight is Flight.ARRIVING and self._has_early:
            self._begin(Flight.EARLY, mark)
            return Verdict.HOLD
        self._end()
        return Verdict.LAND

    def give_up(self) -> None:
        """End it without a picture."""
        self._end()

    def _begin(self, flight: Flight, mark: int) -> None:
        self.flight = flight
        self._mark = mark
        self._equal = 0
        self._has_dipped = False
        self.is_resume = False
        self.is_still = False

    def _end(self) -> None:
        self.flight = Flight.NONE
        self.is_resume = False
