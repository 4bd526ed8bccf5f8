"""When things happened, as far as it can be known; the events themselves are never rewritten.

What is certain comes from anchors and from order: an anchored start of a machine is exact, any
other lies between what was before and after it. Inside of that, what is merely likely narrows:

| known of a start of the machine                                      | its times                 |
|----------------------------------------------------------------------|---------------------------|
| a hub or another machine told the time in it                         | exact                     |
| anchors on both sides show the same error of its clock (10 min)      | its clock, put right      |
| its clock is possible, was not set to two times, and agrees with the |                           |
| most starts of this machine; no anchor shows it wrong                | its clock                 |
| none of these                                                        | between its neighbours    |
| as before, and somebody told the day of the week                     | the one such day in there |

Invariants:
  DT1  By what is certain alone, the true time is never outside of its bounds.
  DT2  What is merely likely narrows and never leaves what is certain.
  DT3  No result depends on the order in which events or anchors came.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from client.domain.record import clocks
from client.domain.record.anchors import Anchor, Present
from client.domain.record.bounds import (
    CEILING_MS,
    FLOOR_MS,
    Span,
    anchored,
    are_apart,
    between,
    within,
)
from client.domain.record.event import Event
from client.domain.record.uptimes import Uptime, Uptimes

_MINUTE: Final = 60_000
_DAY: Final = 24 * 60 * _MINUTE
_EXACT: Final = 20 * _MINUTE
_ABOUT: Final = 31 * _DAY


class Quality(Enum):
    """How well a time is known; the values are `at_quality` in outputs."""

    EXACT = "exact"
    """Told by a hub or another machine."""
    CLOCK = "clock"
    """By the machine's clock, put right where its error is known; nothing speaks against it."""
    DAY = "day"
    """Within 24 hours."""
    ABOUT = "about"
    """Within a month."""
    UNKNOWN = "unknown"


class Fault(Enum):
    """What is wrong with the clock of a machine."""

    WRONG = "off"
    """It says what cannot be, or anchors showed it wrong by more than 10 minutes."""
    WENT_BACK = "went_back"
    """It does not agree with other starts of the machine on what came first."""
    CONTRADICTED = "contradicted"
    """Those who told the time do not agree."""
    SET = "set"
    """It was set while the machine ran."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dated:
    """A time as it is known: Unix milliseconds, both ends included."""

    earliest_ms: int
    latest_ms: int
    quality: Quality

    @property
    def middle_ms(self) -> int:
        """The moment to show where one is needed."""
        return (self.earliest_ms + self.latest_ms) // 2

    @property
    def is_sure(self) -> bool:
        """Tell whether the minute may be shown."""
        return self.quality in {Quality.EXACT, Quality.CLOCK}


NEVER: Final = Dated(earliest_ms=FLOOR_MS, latest_ms=CEILING_MS, quality=Quality.UNKNOWN)
"""All that is known where there is no evidence at all."""


class Dates:
    """The repaired times of a set of events. All work is done when it is made.

    Args:
        events: Of any logs, in any order, with gaps and repeats.
        anchors: What is known of the true time.
    """

    def __init__(self, events: Iterable[Event], anchors: Iterable[Anchor] = ()) -> None:
        self._ups: Final = Uptimes(events, anchors)
        spans = {up: anchored(up) for up in self._ups}
        self._exact: Final = {up: span for up, span in spans.items() if span is not None}
        bounds = between(self._ups, self._exact)
        self._torn: Final = frozenset(up for up, span in bounds.items() if are_apart(up, span))
        self._certain: Final = {up: (min(span), max(span)) for up, span in bounds.items()}
        self._errors, self._error_at_end = clocks.errors(self._ups, self._exact)
        told_by_clock = {up: clocks.claim(up, span) for up, span in self._certain.items()}
        self._claims: Final = {up: span for up, span in told_by_clock.items() if span is not None}
        self._steady: Final = clocks.steady(self._ups, self._claims)
        self._believed: Final = self._beliefs()
        likely = between(self._ups, {**self._exact, **self._believed})
        self._spans: Final = {
            up: clocks.tapped(up, within(likely[up], span) or span)
            for up, span in self._certain.items()
        }

    def of(self, event: Event) -> Dated:
        """Tell when an event was written."""
        up = self._ups.of(event)
        return NEVER if up is None else self._at(up, event.mono_ms)

    def certain(self, event: Event) -> tuple[int, int]:
        """Tell between which moments, in Unix ms, an event was written beyond any doubt (DT1)."""
        up = self._ups.of(event)
        if up is None:
            return FLOOR_MS, CEILING_MS
        return _reach(up, self._certain[up], event.mono_ms)

    def now(self, present: Present) -> Dated:
        """Tell what time it is: by an anchor of this start, else by the clock if it can be so."""
        up = self._ups.find(present.writer, present.boot)
        told = None if up is None or up not in self._exact else self._at(up, present.mono_ms)
        if told is not None and told.is_sure:
            return told
        since = max((self._since(one, present) for one in self._ups), default=FLOOR_MS)
        if self._is_likely(up, present) and since <= present.wall_ms <= CEILING_MS:
            return Dated(
                earliest_ms=present.wall_ms - clocks.SAME_MS,
                latest_ms=present.wall_ms + clocks.SAME_MS,
                quality=Quality.CLOCK,
            )
        return Dated(earliest_ms=since, latest_ms=CEILING_MS, quality=Quality.UNKNOWN)

    def faults(self, writer: bytes) -> frozenset[Fault]:
        """Tell what is wrong with a machine's clock, by the last start in which it wrote."""
        wrote = (up for up in reversed(self._ups) if up.writer == writer and up.stretches)
        up = next(wrote, None)
        if up is None:
            return frozenset()
        is_possible = all(clocks.fits((s.low, s.high), self._certain[up]) for s in up.stretches)
        is_used = up in self._exact or up in self._believed
        found = {
            Fault.WRONG: not is_possible or not self._errors[up].are_small,
            Fault.SET: len(up.stretches) > 1,
            Fault.WENT_BACK: up in self._claims and not is_used and up not in self._steady,
            Fault.CONTRADICTED: up in self._torn,
        }
        return frozenset(fault for fault, is_so in found.items() if is_so)

    def _beliefs(self) -> dict[Uptime, Span]:
        """Choose the clocks to use, and the spans they tell (DT2)."""
        believed = {}
        for up, span in self._certain.items():
            shift = self._errors[up].shift()
            claim = self._claims.get(up) if up in self._steady else None
            if shift is not None and shift != (0, 0):
                claim = clocks.claim(up, span, shift)
            if up not in self._exact and shift is not None and claim is not None:
                believed[up] = clocks.belief(claim, span)
        return believed

    def _at(self, up: Uptime, mono_ms: int) -> Dated:
        span = self._spans[up]
        width = span[1] - span[0] + 2 * up.slack_ms
        quality = _by_width(width)
        if up in self._exact and width <= _EXACT:
            quality = Quality.EXACT
        if up in self._believed and width <= _DAY:
            quality = Quality.CLOCK
        earliest, latest = _reach(up, span, mono_ms)
        return Dated(earliest_ms=earliest, latest_ms=latest, quality=quality)

    def _since(self, up: Uptime, present: Present) -> int:
        """Tell what the present is not before: another machine's clock proves nothing."""
        spans = self._spans if up.writer == present.writer else self._certain
        return _reach(up, spans[up], up.last_ms)[0]

    def _is_likely(self, up: Uptime | None, present: Present) -> bool:
        """Tell whether nothing speaks against what the clock shows now."""
        drift = present.wall_ms - present.mono_ms
        if up is not None and not clocks.allows(up, (drift, drift)):
            return False
        last = up or self._ups.newest(present.writer)
        error = None if last is None else self._error_at_end[last]
        return error is None or abs(error) <= clocks.SAME_MS


def _reach(up: Uptime, span: Span, mono_ms: int) -> Span:
    earliest, latest = span[0] + mono_ms - up.slack_ms, span[1] + mono_ms + up.slack_ms
    return min(max(earliest, FLOOR_MS), CEILING_MS), max(min(latest, CEILING_MS), FLOOR_MS)


def _by_width(width_ms: int) -> Quality:
    wide = Quality.ABOUT if width_ms <= _ABOUT else Quality.UNKNOWN
    return Quality.DAY if width_ms <= _DAY else wide
