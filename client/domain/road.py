"""How many bytes a link can have brought by when: its hours, budgets and speed, looked ahead.

Bytes are those of files; budgets are counted on the wire and bring less. Times are seconds from
now. A `Road` is what is certain or hoped to be possible; walking it spends nothing.

Invariants:
  RD1  No day and no month carries more than its budget leaves to content; nothing comes in closed
       hours, and nothing at all behind what is known while time is unsure.
  RD2  A faster link never brings the same bytes later.
"""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from client.domain.settings import LinkKind
from client.domain.spend import (
    DAY_MS,
    LinkProfile,
    Purpose,
    Standing,
    Why,
    Window,
    body_bytes,
    content_share,
    local_hours,
    may_spend,
    month_of_day,
)

_HOUR_S: Final = 3600
_UNSURE_S: Final = 24 * 3600.0
_ENDLESS: Final = 1 << 62
_CAUTION: Final = 0.7
_LOST: Final = 40
"""One byte in so many of a budget goes for requests and for grants that ended unspent."""
_FIRST_GUESS: Final = {
    LinkKind.BROADBAND: 500_000.0,
    LinkKind.SCHOOL: 500_000.0,
    LinkKind.PHONE: 100_000.0,
    LinkKind.SATELLITE: 50_000.0,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Throughput:
    """What was measured: bytes a second while the link was lit, and for which share it was."""

    bytes_per_s: float = 0.0
    """0.0 while nothing was measured."""
    lit_share: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """An open stretch of time and the budgets it draws on."""

    begin_s: float
    end_s: float
    day: int = 0
    month: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the profile allows in the days to come. Bytes by day and month; absent for no limit."""

    stretches: tuple[Stretch, ...]
    days: tuple[tuple[int, int], ...] = ()
    months: tuple[tuple[int, int], ...] = ()


class Road:
    """Bytes by time. Pure: made of terms and a speed.

    Args:
        terms: When, and how much.
        bytes_per_s: At what speed.
    """

    def __init__(self, terms: Terms, bytes_per_s: float) -> None:
        self._rate: Final = bytes_per_s
        days, months = dict(terms.days), dict(terms.months)
        self._runs: Final[list[tuple[float, int]]] = []
        """Begin in seconds and bytes, for stretches that bring something."""
        self._ends: Final[list[int]] = []
        """Bytes that are here at the end of each."""
        total = 0
        for one in terms.stretches:
            least = min(days.get(one.day, _ENDLESS), months.get(one.month, _ENDLESS))
            brings = min(least, int((one.end_s - one.begin_s) * bytes_per_s))
            if brings:
                for left, key in ((days, one.day), (months, one.month)):
                    left[key] = left.get(key, _ENDLESS) - brings
                self._runs.append((one.begin_s, total))
                total += brings
                self._ends.append(total)

    def by(self, at_s: float) -> int:
        """Give the bytes that can be here at a time."""
        here = 0
        for (begin_s, from_bytes), end in zip(self._runs, self._ends, strict=True):
            if begin_s < at_s:
                here = min(end, from_bytes + int((at_s - begin_s) * self._rate))
        return here

    def at(self, size_bytes: int) -> float | None:
        """Give the time at which so many bytes are here; None when they never are."""
        place = bisect_left(self._ends, size_bytes)
        if size_bytes <= 0:
            return 0.0
        if place == len(self._ends):
            return None
        begin_s, from_bytes = self._runs[place]
        return begin_s + max(0.0, size_bytes - from_bytes) / self._rate


def speeds(profile: LinkProfile, measured: Throughput) -> tuple[float, float]:
    """Give a cautious and a hopeful speed in bytes a second."""
    if measured.bytes_per_s > 0:
        hopeful = measured.bytes_per_s * measured.lit_share
    else:
        hopeful = _FIRST_GUESS[profile.kind]
    if profile.cap_bytes_per_s:
        hopeful = min(hopeful, float(profile.cap_bytes_per_s))
    return hopeful * _CAUTION, hopeful


def terms(standing: Standing, profile: LinkProfile, days: int) -> Terms:
    """Look ahead so many days (RD1).

    Bounds are cautious: hours open when it is certain that they do, and close when they may.
    """
    if standing.span is None:
        return _unsure_terms(standing, profile)
    span, ledger = standing.span, standing.ledger
    first = span[0] // DAY_MS
    stretches = [
        stretch
        for day in range(first, first + days + 1)
        for begin, end in local_hours(profile.hours)
        if (stretch := _stretch(span, day, begin, end)) is not None
    ]
    return Terms(
        stretches=tuple(stretches),
        days=_left(ledger.day, profile.day_bytes, first, (one.day for one in stretches)),
        months=_left(
            ledger.month, profile.month_bytes, month_of_day(first), (o.month for o in stretches)
        ),
    )


def _unsure_terms(standing: Standing, profile: LinkProfile) -> Terms:
    now = may_spend(standing, profile, Purpose.URGENT)
    stretch = Stretch(begin_s=0.0, end_s=_UNSURE_S)
    return Terms(stretches=(stretch,), days=() if now.bytes is None else ((0, bodies(now.bytes)),))


def _stretch(span: tuple[int, int], day: int, begin: int, end: int) -> Stretch | None:
    zero = day * DAY_MS
    begin_s = max(0.0, (zero - span[0]) / 1000 + begin * _HOUR_S)
    end_s = (zero - span[1]) / 1000 + end * _HOUR_S
    if end_s <= begin_s:
        return None
    return Stretch(begin_s=begin_s, end_s=end_s, day=day, month=month_of_day(day))


def _left(
    window: Window, budget: int, now: int, numbers: Iterable[int]
) -> tuple[tuple[int, int], ...]:
    """Give what content may still use of each day or month to come, `now` being the first."""
    if not budget:
        return ()
    stands = now if window.number is None else window.number
    used = {stands: window.used, stands + 1: window.loose}
    share = content_share(budget)
    return tuple((one, bodies(share - used.get(one, 0))) for one in sorted(set(numbers)))


def bodies(wire: int) -> int:
    """Give the bytes of files that a rest of a budget brings, requests and odd ends left out."""
    return body_bytes(max(0, wire) - max(0, wire) // _LOST)


def limit_now(standing: Standing, profile: LinkProfile) -> Why:
    """Tell what keeps content off the link at this moment, NOTHING when it may go on."""
    now = may_spend(standing, profile, Purpose.CONTENT)
    return now.why if now.bytes == 0 else Why.NOTHING
