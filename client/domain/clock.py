"""Time as the program may see it.

Invariants:
  C1  Nothing decides by the wall clock: durations come from `monotonic`, order from counters.
  C2  The wall clock is evidence and decoration: it is recorded, shown, and may be wrong.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final, Protocol

# Linux leaves sleep out of its monotonic clock; times within one start would come out too near.
_running_ns: Final[Callable[[], int]] = (
    partial(time.clock_gettime_ns, time.CLOCK_BOOTTIME)
    if hasattr(time, "CLOCK_BOOTTIME")
    else time.monotonic_ns
)


class Clock(Protocol):
    """The only door to time."""

    def monotonic(self) -> float:
        """Seconds since some start; never steps back."""
        ...

    def boot_monotonic_ms(self) -> int:
        """Milliseconds since the machine started, its sleep included, as the system tells."""
        ...

    def wall(self) -> datetime:
        """Tell what the machine believes the UTC date is (aware). May be off by decades."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def monotonic(self) -> float:
        """See `Clock`."""
        return time.monotonic()

    def boot_monotonic_ms(self) -> int:
        """See `Clock`."""
        return _running_ns() // 1_000_000

    def wall(self) -> datetime:
        """See `Clock`."""
        return datetime.now(UTC)  # noqa: TID251 - this is the Clock


@dataclass(slots=True)
class FrozenClock:
    """A clock that moves only when told: the in-memory twin of `SystemClock`."""

    at: datetime = field(default_factory=lambda: datetime(2027, 5, 18, 1, 16, tzinfo=UTC))
    seconds: float = 1000.0

    def monotonic(self) -> float:
        """See `Clock`."""
        return self.seconds

    def boot_monotonic_ms(self) -> int:
        """See `Clock`."""
        return int(self.seconds * 1000)

    def wall(self) -> datetime:
        """See `Clock`."""
        return self.at

    def advance(self, seconds: float) -> None:
        """Let time pass on both clocks."""
        self.seconds += seconds
        self.at += timedelta(seconds=seconds)
