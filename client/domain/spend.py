"""What a link may still cost: a ledger that only grows, and the one table that is asked.

A budget belongs to a day or a month of the school. What was spent is counted in the window (that
day or month) that stands; a window is closed only by what is certain:

| what is known of now                      | the window                                         |
|-------------------------------------------|----------------------------------------------------|
| certainly in a later day or month         | closes; what may have been spent in the new one    |
|                                           | already is carried over: all of it if the clock    |
|                                           | that dated the window is shown to be wrong         |
| the first certain date of a dateless one  | gets this date; nothing is refilled                |
| another machine says it is earlier        | gets the right date; nothing is refilled           |
| not certain, ran 24 hours (31 days) since | closes without a date; all of it is carried over   |
| anything else                             | stays                                              |

| time    | hours            | budget left | content           | urgent papers     | progress     |
|---------|------------------|-------------|-------------------|-------------------|--------------|
| sure    | open or none     | some        | 9/10, less spent  | as content        | all of it    |
| sure    | closed           | some        | nothing           | nothing           | all of it    |
| sure    | midnight, budget | some        | nothing           | nothing           | all of it    |
| unsure  | none             | some, dated | 9/10, less spent  | as content        | all of it    |
| unsure  | set, or dateless | some        | nothing           | a small allowance | all of it    |
| any     | any              | none        | nothing           | nothing           | nothing      |

A link that is not metered has no budget, and is closed only while it is sure that it is.

Invariants:
  SL1  What was spent is never forgotten before its day or month is certainly over: no budget is
       exceeded in any true day or month, whatever the clock shows, while a time that counts as
       sure is right. Charges are made before the bytes are asked for.
  SL2  While time is unsure no content is refilled but the small urgent allowance, and that by the
       running time of the machine alone; closed hours of metered links stay closed.
  SL3  Content leaves a tenth of every budget to progress.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Final

from client.domain.record.clocks import SAME_MS
from client.domain.record.dates import Dated, Quality
from client.domain.settings import Hours, LinkKind, Settings

MEGABYTE: Final = 1_000_000
"""As links are sold."""
DAY_MS: Final = 24 * 3600 * 1000
URGENT_MOST: Final = 10 * MEGABYTE
REQUEST_BYTES: Final = 2_000
"""What a request costs beside its body: its own headers and the answer's."""
TRY_BYTES: Final = 500
"""What a connection costs, also one that is never answered: its packets without any content."""
HANDSHAKE_BYTES: Final = 8_000
"""What agreeing on keys costs: mostly certificates."""
_OVERHEAD: Final = 6
"""One byte in so many is added. Headers of packets with 536 bytes to 1,348 take 4 to 10 %, their
acknowledgements in the other direction as much at most, and a lossy link sends the rest again."""
_MONTH_MS: Final = 31 * DAY_MS
_HOUR_MS: Final = 3600 * 1000
_URGENT_SHARE: Final = 5
_STEP_MS: Final = 2 * 60 * 1000
"""A clock whose distance to running time changes by more was set."""
_LONGEST_MS: Final = 400 * DAY_MS
"""A machine's own clock that claims a longer absence is not believed."""
_ASK_AGAIN_S: Final = 600.0


class Purpose(Enum):
    """What bytes are for."""

    CONTENT = "content"
    URGENT = "urgent"
    """Papers of lessons that are taught within a day or two."""
    PROGRESS = "progress"


class Why(Enum):
    """What limits an allowance."""

    NOTHING = "nothing"
    HOURS = "hours"
    DAY = "day"
    MONTH = "month"
    MIDNIGHT = "midnight"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkProfile:
    """What a link is and may cost. Bytes; 0 for no limit."""

    kind: LinkKind = LinkKind.BROADBAND
    day_bytes: int = 0
    month_bytes: int = 0
    hours: Hours | None = None
    cap_bytes_per_s: int = 0

    @property
    def is_metered(self) -> bool:
        """Tell whether bytes of this link cost something."""
        is_costly = self.kind in {LinkKind.SATELLITE, LinkKind.PHONE}
        return is_costly or bool(self.day_bytes or self.month_bytes)

    @property
    def urgent_bytes(self) -> int:
        """What urgent papers may cost in a day whose date nobody knows."""
        days = [share for share in (self.day_bytes, self.month_bytes // 30) if share]
        return min([URGENT_MOST, *(share // _URGENT_SHARE for share in days)])


def profile_of(settings: Settings) -> LinkProfile:
    """Read a link's profile out of the room's settings."""
    return LinkProfile(
        kind=settings.link_kind,
        day_bytes=settings.link_budget_mb * MEGABYTE,
        month_bytes=settings.link_month_mb * MEGABYTE,
        hours=settings.link_hours,
        cap_bytes_per_s=settings.link_cap_kbps * 1000 // 8,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What the machine can tell of time at one moment."""

    now: Dated
    wall_ms: int
    boot: str
    """Names this start of the machine."""
    mono_ms: int
    zone_ms: int = 0
    """How far local time is ahead of UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """One day or month of spending. Bytes."""

    number: int | None = None
    """Days since 1970 or months since year 0, local; None while nobody knows."""
    spent: int = 0
    before: int = 0
    """Spent earlier, perhaps in the same day or month."""
    loose: int = 0
    """Of `spent`, since it was last certain that this window stands."""
    opened_ms: int = 0
    """Running time of the ledger."""
    is_told: bool = False
    """Another machine told the date."""

    @property
    def used(self) -> int:
        """What counts against the budget."""
        return self.spent + self.before


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """What one link has cost. A new one is empty."""

    day: Window = field(default_factory=Window)
    month: Window = field(default_factory=Window)
    total: int = 0
    ran_ms: int = 0
    """Running time that the ledger saw: real time since it began is never less."""
    boot: str = ""
    mono_ms: int = 0
    drift_ms: int | None = None
    """Wall clock less running time when it was last believed in this start."""
    is_doubted: bool = False
    """The clock was set in this start: only what others tell counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A ledger as of a look, and when that is: local milliseconds, None while unsure."""

    ledger: Ledger
    span: tuple[int, int] | None

    @property
    def day(self) -> int | None:
        """The day it certainly is."""
        return None if self.span is None else _one(self.span[0] // DAY_MS, self.span[1] // DAY_MS)

    @property
    def month(self) -> int | None:
        """The month it certainly is."""
        return None if self.span is None else _one(_month(self.span[0]), _month(self.span[1]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What may be spent now. `bytes` None: no limit."""

    bytes: int | None
    for_s: float
    """How long this holds; then, or when nothing is allowed, ask again."""
    why: Why = Why.NOTHING


def look(ledger: Ledger, seen: Look) -> Standing:
    """Bring a ledger up to a moment: the first table of the module (SL1, SL2)."""
    ledger = _noticed(ledger, seen)
    zone = seen.zone_ms
    span = (seen.now.earliest_ms + zone, seen.now.latest_ms + zone)
    if not _is_sure(ledger, seen, span):
        ledger = replace(
            ledger,
            day=_aged(ledger.day, ledger.ran_ms, DAY_MS),
            month=_aged(ledger.month, ledger.ran_ms, _MONTH_MS),
        )
        return Standing(ledger=ledger, span=None)
    standing = Standing(ledger=ledger, span=span)
    is_told = seen.now.quality is Quality.EXACT
    is_wrong = is_told and abs(seen.wall_ms - seen.now.middle_ms) > SAME_MS

    def dated(window: Window, number: int | None) -> Window:
        if number is None:
            return window
        if window.number is None or number <= window.number:
            return replace(window, number=number, loose=0, is_told=window.is_told or is_told)
        carried = window.spent if is_wrong and not window.is_told else window.loose
        return Window(number=number, before=carried, opened_ms=ledger.ran_ms, is_told=is_told)

    day, month = dated(ledger.day, standing.day), dated(ledger.month, standing.month)
    return replace(standing, ledger=replace(ledger, day=day, month=month))


def charge(standing: Standing, size_bytes: int) -> Standing:
    """Count bytes that are about to be spent."""
    ledger = standing.ledger
    charged = replace(
        ledger,
        total=ledger.total + size_bytes,
        day=_charged(ledger.day, size_bytes, is_certain=standing.day is not None),
        month=_charged(ledger.month, size_bytes, is_certain=standing.month is not None),
    )
    return replace(standing, ledger=charged)


def may_spend(standing: Standing, profile: LinkProfile, purpose: Purpose) -> Allowance:
    """Tell what may be spent: the second table of the module (SL2, SL3)."""
    left, short = _left(standing, profile, purpose)
    if purpose is Purpose.PROGRESS:
        for_s = _window_s(standing)
        return Allowance(bytes=left, for_s=for_s, why=short if left == 0 else Why.NOTHING)
    if standing.span is None:
        return _while_unsure(standing.ledger, profile, purpose, left, short)
    if left == 0:
        return Allowance(bytes=0, for_s=_to_midnight_s(standing.span), why=short)
    wait_s = _opens_in_s(standing.span, profile.hours)
    if wait_s > 0:
        return Allowance(bytes=0, for_s=wait_s, why=Why.HOURS)
    if left is not None and standing.day is None:
        return Allowance(bytes=0, for_s=_to_midnight_s(standing.span), why=Why.MIDNIGHT)
    for_s = min(_closes_in_s(standing.span, profile.hours), _to_midnight_s(standing.span))
    return Allowance(bytes=left, for_s=for_s)


def wire_bytes(body: int) -> int:
    """Estimate what a body costs on the wire."""
    return body + -(-body // _OVERHEAD)


def body_bytes(wire: int) -> int:
    """Give the largest body that so many bytes pay for."""
    return max(0, wire * _OVERHEAD // (_OVERHEAD + 1))


def content_share(budget: int) -> int:
    """Give the part of a budget that content may use (SL3)."""
    return budget - budget // 10


def local_hours(hours: Hours | None) -> tuple[tuple[int, int], ...]:
    """Give the open stretches of a day in hours from midnight."""
    if hours is None or hours.begin == hours.end % 24:
        return ((0, 24),)
    if hours.begin < hours.end:
        return ((hours.begin, hours.end),)
    return tuple(part for part in ((0, hours.end), (hours.begin, 24)) if part[0] < part[1])


def month_of_day(day: int) -> int:
    """Give the month (since year 0) of a day since 1970."""
    return _month(day * DAY_MS)


# --- the ledger ----------------------------------------------------------------------------


def _noticed(ledger: Ledger, seen: Look) -> Ledger:
    """Count running time, and notice a clock that was set."""
    is_clock = seen.now.quality is Quality.CLOCK
    drift_ms = seen.wall_ms - seen.mono_ms if is_clock else None
    if seen.boot != ledger.boot:
        return replace(
            ledger, boot=seen.boot, mono_ms=seen.mono_ms, drift_ms=drift_ms, is_doubted=False
        )
    known = ledger.drift_ms
    was_set = known is not None and drift_ms is not None and abs(drift_ms - known) > _STEP_MS
    return replace(
        ledger,
        ran_ms=ledger.ran_ms + max(0, seen.mono_ms - ledger.mono_ms),
        mono_ms=max(ledger.mono_ms, seen.mono_ms),
        drift_ms=known if drift_ms is None else drift_ms,
        is_doubted=ledger.is_doubted or was_set,
    )


def _is_sure(ledger: Ledger, seen: Look, span: tuple[int, int]) -> bool:
    """Tell whether a time may open a window.

    | told by                  | counts                                                     |
    |--------------------------|------------------------------------------------------------|
    | a hub, another machine   | yes                                                        |
    | this machine's clock     | unless it was set in this start, goes back behind the day  |
    |                          | that stands, or claims an absence of more than 400 days    |
    | nobody                   | no                                                         |
    """
    if seen.now.quality is Quality.EXACT:
        return True
    if seen.now.quality is not Quality.CLOCK or ledger.is_doubted:
        return False
    number = ledger.day.number
    return number is None or 0 <= span[1] - number * DAY_MS <= _LONGEST_MS


def _aged(window: Window, ran_ms: int, length_ms: int) -> Window:
    if ran_ms - window.opened_ms < length_ms:
        return window
    return Window(before=window.spent, opened_ms=ran_ms)


def _charged(window: Window, size_bytes: int, *, is_certain: bool) -> Window:
    loose = window.loose if is_certain else window.loose + size_bytes
    return replace(window, spent=window.spent + size_bytes, loose=loose)


# --- the table -----------------------------------------------------------------------------


def _left(standing: Standing, profile: LinkProfile, purpose: Purpose) -> tuple[int | None, Why]:
    """Give what all budgets leave, and which leaves least; None without a budget."""
    ledger = standing.ledger
    found: list[tuple[int, Why]] = []
    for budget, window, why in (
        (profile.month_bytes, ledger.month, Why.MONTH),
        (profile.day_bytes, ledger.day, Why.DAY),
    ):
        share = budget if purpose is Purpose.PROGRESS else content_share(budget)
        if budget:
            found.append((max(0, share - window.used), why))
    least = min(found, key=lambda one: one[0], default=None)
    return (None, Why.NOTHING) if least is None else least


def _while_unsure(
    ledger: Ledger, profile: LinkProfile, purpose: Purpose, left: int | None, short: Why
) -> Allowance:
    if not profile.is_metered:
        return Allowance(bytes=None, for_s=_ASK_AGAIN_S)
    if left == 0:
        return Allowance(bytes=0, for_s=_ASK_AGAIN_S, why=short)
    is_dated = ledger.day.number is not None or left is None
    if profile.hours is None and is_dated:
        return Allowance(bytes=left, for_s=_ASK_AGAIN_S)
    if purpose is not Purpose.URGENT:
        return Allowance(bytes=0, for_s=_ASK_AGAIN_S, why=Why.UNSURE)
    used = ledger.day.used if ledger.day.number is None else ledger.day.loose
    urgent = max(0, profile.urgent_bytes - used)
    allowed = urgent if left is None else min(urgent, left)
    return Allowance(bytes=allowed, for_s=_ASK_AGAIN_S, why=Why.UNSURE)


def _window_s(standing: Standing) -> float:
    """Tell for how long what is charged now counts in the day in which it is spent."""
    if standing.span is not None:
        return _to_midnight_s(standing.span)
    return max(0, DAY_MS - (standing.ledger.ran_ms - standing.ledger.day.opened_ms)) / 1000


def _opens_in_s(span: tuple[int, int], hours: Hours | None) -> float:
    """Tell in how many seconds it is certain that the hours are open; 0.0 when it is now."""
    waits = [0.0] if _is_open(span, hours) else []
    for begin, _ in local_hours(hours):
        at = (span[0] // DAY_MS) * DAY_MS + begin * _HOUR_MS
        waits += [(day - span[0]) / 1000 for day in (at, at + DAY_MS) if day > span[0]]
    return min(waits)


def _is_open(span: tuple[int, int], hours: Hours | None) -> bool:
    return all(
        any(
            begin * _HOUR_MS <= moment % DAY_MS < end * _HOUR_MS
            for begin, end in local_hours(hours)
        )
        for moment in span
    )


def _closes_in_s(span: tuple[int, int], hours: Hours | None) -> float:
    """Tell for how many seconds it is certain that the hours stay open."""
    of_day = span[1] % DAY_MS
    ends = [end * _HOUR_MS - of_day for _, end in local_hours(hours)]
    return min(end for end in ends if end > 0) / 1000


def _to_midnight_s(span: tuple[int, int]) -> float:
    """Tell in how many seconds it may be midnight, or is certainly past it when it may be now."""
    if span[0] // DAY_MS != span[1] // DAY_MS:
        return (DAY_MS - span[0] % DAY_MS) / 1000
    return (DAY_MS - span[1] % DAY_MS) / 1000


def _one(first: int, last: int) -> int | None:
    return first if first == last else None


def _month(local_ms: int) -> int:
    day = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=local_ms)
    return day.year * 12 + day.month - 1
