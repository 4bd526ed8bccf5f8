"""Between which times a start of a machine lies, by anchors and by order alone.

A span is the true time at running time 0 of an uptime, earliest and latest, in Unix ms. What was
read at `m` was between `span[0] + m - slack` and `span[1] + m + slack`.

Invariants:
  BD1  Where anchors tell the truth, and running time is as good as `Uptime.slack_ms` says, the
       truth is inside.
  BD2  Anchors that contradict each other widen; they never pick a side among equals.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, TypeAlias

from client.domain.record.anchors import Anchor, AnchorKind
from client.domain.record.uptimes import JUMP_MS, Uptime, Uptimes

FLOOR: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""Before this the program did not exist: a clock that says so is not believed."""
CEILING: Final = datetime(2056, 1, 1, tzinfo=UTC)
"""After this nobody runs it any more."""
FLOOR_MS: Final = int(FLOOR.timestamp()) * 1000
CEILING_MS: Final = int(CEILING.timestamp()) * 1000

Span: TypeAlias = tuple[int, int]
Spans: TypeAlias = Mapping[Uptime, Span]


def anchored(up: Uptime) -> Span | None:
    """Give the span that a start's own anchors tell, None if they tell none.

    A hub is asked before other machines; what they say counts only where no hub was.
    """
    told = _told(up, AnchorKind.HUB) or _told(up, AnchorKind.PEER)
    if not told:
        return None
    low, high = _common(told)
    if low > high:
        low, high = min(low for low, _ in told), max(high for _, high in told)
    return low, high


def are_apart(up: Uptime, span: Span) -> bool:
    """Tell whether those who told the time of a start, or of those around it, do not agree."""
    told = [*_told(up, AnchorKind.HUB), *_told(up, AnchorKind.PEER), *map(_since, _signed(up))]
    low, high = _common(told) if told else span
    return max(low - high, span[0] - span[1]) > JUMP_MS + 2 * up.slack_ms


def between(ups: Uptimes, fixed: Spans) -> dict[Uptime, Span]:
    """Bound every uptime by those in `fixed` that were before and after it.

    A span that ends before it begins lies between anchors that contradict each other.
    """
    low: dict[Uptime, int] = {}
    for up in ups:
        known = [FLOOR_MS - up.first_ms]
        known += [since for since, _ in map(_since, _signed(up))]
        known += [low[a.before] + a.before_ms - a.before.slack_ms - a.ms for a in up.links]
        low[up] = fixed[up][0] if up in fixed else max(known)
    high = {up: CEILING_MS - up.last_ms for up in ups}
    for up in reversed(ups):
        if up in fixed:
            high[up] = fixed[up][1]
        for link in up.links:
            limit = high[up] + link.ms + up.slack_ms - link.before_ms
            high[link.before] = min(high[link.before], limit)
    return {up: (low[up], high[up]) for up in ups}


def within(span: Span, outer: Span) -> Span | None:
    """Return what two spans have in common."""
    low, high = max(span[0], outer[0]), min(span[1], outer[1])
    return (low, high) if low <= high else None


def _told(up: Uptime, kind: AnchorKind) -> list[Span]:
    possible = (one for one in up.anchors if FLOOR_MS <= one.utc_ms <= CEILING_MS)
    return [_span(one) for one in possible if one.kind is kind]


def _common(told: Sequence[Span]) -> Span:
    """Return what spans have in common; it ends before it begins if that is nothing."""
    return max(low for low, _ in told), min(high for _, high in told)


def _signed(up: Uptime) -> list[Anchor]:
    return [one for one in up.anchors if one.kind is AnchorKind.SIGNED]


def _span(anchor: Anchor) -> Span:
    zero = anchor.utc_ms - anchor.mono_ms
    return zero - anchor.err_ms, zero + anchor.err_ms


def _since(anchor: Anchor) -> Span:
    return anchor.utc_ms - anchor.mono_ms, CEILING_MS
