"""Media time of the picture on show, from the few moments at which a player tells it.

libvlc tells the time about twice a second and never with a picture. In between, time passes
with the monotonic clock; a late report can only claim too little, so the most advanced of the
last few reports wins.

After a change of speed libvlc's reports follow the new speed at once, while pictures already
decoded keep their old turns. So for a while there are two lines: pictures follow the old one
until `settle` is called, reports form the new one.

Invariants:
  K1  Between two restarts `at` never steps back.
  K2  A report of one moment, delivered late, does not pull the clock back.
"""

from collections import deque
from typing import Final

_REPORTS: Final = 4
_GAP: Final = 1.6
"""A pause this many times longer or shorter than the usual one tells another speed."""
_HASTY: Final = 2
"""So many short pauses in a row; one alone follows every late picture."""


class MediaClock:
    """Not thread-safe: its player guards it. All times are seconds.

    Args:
        frame_s: Length of one picture; times of pictures are multiples of it. 0.0 for none.
    """

    def __init__(self, frame_s: float = 0.0) -> None:
        self.frame_s = frame_s
        self._rate = 1.0
        self._offset = 0.0
        self._floor = 0.0
        self._told: deque[float] = deque(maxlen=_REPORTS)
        self._old: tuple[float, float] | None = None
        """Rate and offset of the line that pictures still follow."""
        self._hasty = 0

    @property
    def is_changing(self) -> bool:
        """Tell whether pictures still follow the speed of before."""
        return self._old is not None

    def has_changed(self, gap_s: float) -> bool:
        """Tell from the time between two pictures whether they follow the new speed."""
        if self._old is None:
            return True
        usual_s = self.frame_s / self._old[0]
        if self._rate < self._old[0]:
            return gap_s > _GAP * usual_s
        self._hasty = self._hasty + 1 if gap_s * _GAP < usual_s else 0
        return self._hasty >= _HASTY

    def restart(self, at_s: float, now: float) -> None:
        """Set the time anew, as after a seek."""
        self._told.clear()
        self._old = None
        self._offset = at_s - now * self._rate
        self._floor = at_s

    def set_rate(self, rate: float, now: float) -> None:
        """Go on at another speed."""
        old = self._old or (self._rate, self._offset)
        at_s = now * old[0] + old[1]
        self._rate = rate
        self.restart(at_s, now)
        self._old = old if rate != old[0] else None
        self._hasty = 0

    def settle(self) -> None:
        """Let pictures follow the new speed."""
        self._old = None

    def tell(self, at_s: float, now: float) -> None:
        """Take a report of the player."""
        self._told.append(at_s - now * self._rate)
        self._offset = max(self._told)

    def at(self, now: float) -> float:
        """Return the media time at `now`."""
        self._floor = max(self._floor, now * self._rate + self._offset)
        return self._floor

    def picture_at(self, now: float) -> float:
        """Return the time of the picture whose turn is nearest to `now`."""
        rate, offset = self._old or (self._rate, self._offset)
        return self.snap(max(0.0, now * rate + offset))

    def snap(self, at_s: float) -> float:
        """Round to the nearest picture."""
        return round(at_s / self.frame_s) * self.frame_s if self.frame_s else at_s

    def snap_down(self, at_s: float) -> float:
        """Return the time of the picture on show at `at_s`."""
        if not self.frame_s:
            return at_s
        return int(at_s / self.frame_s + 1e-6) * self.frame_s
