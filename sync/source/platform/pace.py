"""How politely and how stubbornly the platform is asked.

Invariants:
  K1  Requests start at least `gap_s` apart, whatever thread they come from.
  K2  A wait between tries grows, is spread by chance, and ends at once when cancelled.
"""

import random
import threading
from dataclasses import dataclass, field
from typing import Final

from client.domain.cancel import CancelToken
from client.domain.clock import Clock, SystemClock

LONGEST_ASKED_S: Final = 120.0
"""A peer that asks for more is busy for good: the sync ends and another one tries later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """The figures. `tries` counts all attempts at one document, over all mirrors."""

    gap_s: float = 0.5
    backoff_s: float = 0.5
    tries: int = 8
    longest_s: float = 60.0
    """No single wait is longer, unless the peer asks for it."""
    refusals: int = 8
    """So many 401 or 403 in a row end the work: the platform does not want to be asked."""


LOOPBACK_PACE: Final = Pace(gap_s=0.0, backoff_s=0.01, tries=12, longest_s=0.2)
"""For a peer on this machine."""


def wait_s(pace: Pace, failures: int, retry_after_s: float, chance: float) -> float:
    """Tell how long to wait after `failures` failed rounds.

    Args:
        pace: The figures.
        failures: Rounds over all mirrors that failed, from 1.
        retry_after_s: What the peer asked for, 0.0 if nothing.
        chance: From 0.0 to 1.0.
    """
    grown = pace.backoff_s * 2.0 ** (failures - 1)
    spread = grown * (0.5 + chance)
    return max(min(spread, pace.longest_s), min(retry_after_s, LONGEST_ASKED_S))


@dataclass(slots=True)
class Gate:
    """Lets one request after the other start. May be used from any thread."""

    gap_s: float
    clock: Clock = field(default_factory=SystemClock)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _next: float = 0.0

    def enter(self, cancel: CancelToken) -> None:
        """Wait for the turn of one request.

        Raises:
            Cancelled: While waiting.
        """
        with self._lock:
            now = self.clock.monotonic()
            turn = max(now, self._next)
            self._next = turn + self.gap_s
        if turn > now:
            cancel.sleep(turn - now)
        else:
            cancel.check()


def chance() -> float:
    """Draw the spread of one wait."""
    return random.random()  # noqa: S311 - spreads load, hides nothing
