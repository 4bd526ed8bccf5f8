"""How hard to try and how wide to go: pure rules, and one meter of the link.

Invariants:
  R1  Waiting grows with each fruitless try and is never shorter than what the peer asked for.
  R2  Connections double from 2 to 8 while each step brings 10 % more, and halve after 429/503.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from client.domain.clock import Clock

START_WIDTH: Final = 2
MOST_WIDTH: Final = 8
WORTH: Final = 1.1
_DARK_AFTER_S: Final = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How often to try again without a single byte in between."""

    tries: int = 8
    first_s: float = 0.25
    most_s: float = 30.0


def backoff_s(patience: Patience, failures: int, retry_after_s: float, luck: float) -> float:
    """Choose how long to wait after `failures` fruitless tries in a row (R1).

    Args:
        patience: The limits.
        failures: From 1.
        retry_after_s: What the peer asked for, 0.0 if nothing.
        luck: A random number from 0 to 1, so that many rooms do not come back together.
    """
    wait = min(patience.first_s * float(2 ** (failures - 1)), patience.most_s)
    return max(wait * (0.5 + luck / 2), retry_after_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Width:
    """How many connections, and what the best measured so far was."""

    now: int = START_WIDTH
    best_bytes_per_s: float = 0.0


def next_width(width: Width, bytes_per_s: float, *, was_busy: bool) -> Width:
    """Choose the number of connections for the next stretch (R2).

    | the stretch            | connections                | best           |
    |------------------------|----------------------------|----------------|
    | 429 or 503             | half, at least 1           | forgotten      |
    | 10 % above the best    | twice as many, at most 8   | this           |
    | else, wider than 2     | as they are                | fades by 5 %   |
    """
    if was_busy:
        return Width(now=max(1, width.now // 2))
    if bytes_per_s > width.best_bytes_per_s * WORTH:
        return Width(now=min(MOST_WIDTH, 2 * width.now), best_bytes_per_s=bytes_per_s)
    return Width(now=width.now, best_bytes_per_s=width.best_bytes_per_s * 0.95)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """What the meter saw since it was last asked. `lit_s` leaves dark seconds out."""

    received: int
    lit_s: float
    was_busy: bool

    @property
    def bytes_per_s(self) -> float:
        """Throughput in lit time, 0.0 when nothing came."""
        return self.received / self.lit_s if self.lit_s > 0 else 0.0


class LinkMeter:
    """Counts what comes in. May be used from several threads.

    Args:
        clock: Its monotonic time.
        listener: Called after bytes came, on the thread that took them.
    """

    def __init__(self, clock: Clock, listener: Callable[[], None] | None = None) -> None:
        self._clock = clock
        self._listener = listener
        self._gate = threading.Lock()
        self._last = clock.monotonic()
        self._total = 0
        self._received = 0
        self._lit_s = 0.0
        self._all_lit_s = 0.0
        self._busy = False

    @property
    def lit_s(self) -> float:
        """Seconds since the meter was made in which bytes came, without the dark ones."""
        with self._gate:
            return self._all_lit_s

    @property
    def total(self) -> int:
        """Bytes since the meter was made."""
        with self._gate:
            return self._total

    def came(self, count: int) -> None:
        """Note bytes from the wire, if any."""
        if not count:
            return
        with self._gate:
            now = self._clock.monotonic()
            lit_s = min(max(now - self._last, 0.0), _DARK_AFTER_S)
            self._lit_s += lit_s
            self._all_lit_s += lit_s
            self._last = now
            self._received += count
            self._total += count
        if self._listener is not None:
            self._listener()

    def busy(self) -> None:
        """Note that a peer asked for less."""
        with self._gate:
            self._busy = True

    def take(self, least_s: float) -> Stretch | None:
        """Give and begin anew the present stretch; None while it is shorter than `least_s` lit.

        A busy peer ends the stretch at once.
        """
        with self._gate:
            if self._lit_s < least_s and not self._busy:
                return None
            stretch = Stretch(received=self._received, lit_s=self._lit_s, was_busy=self._busy)
            self._received, self._lit_s, self._busy = 0, 0.0, False
            return stretch
