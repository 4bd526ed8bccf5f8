"""Media time of the picture on show, from the few moments at which a player tells it.

libvlc tells the time about twice a second and never with a picture. In between, time passes
with the monotonic clock; a late report can only claim too little, so the most advanced of the
last few reports wins.

Invariants:
  K1  Between two restarts the time never steps back.
  K2  A report of one moment, delivered late, does not pull the clock back.
"""

from collections import deque
from typing import Final

_REPORTS: Final = 4


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

    def restart(self, at_s: float, now: float) -> None:
        """Set the time anew, as after a seek."""
        self._told.clear()
        self._offset = at_s - now * self._rate
        self._floor = at_s

    def set_rate(self, rate: float, now: float) -> None:
        """Go on at another speed."""
        at_s = self.at(now)
        self._rate = rate
        self.restart(at_s, now)

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
        at_s = max(0.0, now * self._rate + self._offset)
        return self.snap(at_s)

    def snap(self, at_s: float) -> float:
        """Round to the nearest picture."""
        return round(at_s / self.frame_s) * self.frame_s if self.frame_s else at_s

    def snap_down(self, at_s: float) -> float:
        """Return the time of the picture on show at `at_s`."""
        if not self.frame_s:
            return at_s
        return int(at_s / self.frame_s + 1e-6) * self.frame_s
