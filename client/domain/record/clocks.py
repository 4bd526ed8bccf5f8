"""What the clock of a machine is worth: likely, never certain.

Invariants:
  CK1  A clock is used only where its error is known from both sides, or nothing speaks against
       it: it says what can be, was not set to two different times, and agrees with more than half
       of the starts of its machine on what came first.
  CK2  A person's word about the day narrows only where it leaves one choice.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from client.domain.record.anchors import Anchor, AnchorKind
from client.domain.record.bounds import Span, Spans, within
from client.domain.record.uptimes import Uptime, Uptimes

_MINUTE: Final = 60_000
SAME_MS: Final = 10 * _MINUTE
"""Errors of a clock that differ by no more are the same error, and a smaller one is none: a clock
that is believed may be off by so much."""
_BACK: Final = 2 * _MINUTE
"""A clock may go back by so much from one start to the next: somebody put it right."""
_WEEK: Final = 7 * 24 * 60 * _MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Errors:
    """How far anchors show a clock to be ahead, in ms; None where no anchor tells."""

    before: int | None = None
    after: int | None = None

    def shift(self) -> Span | None:
        """Give what to take off a clock between the two; None where it cannot be used.

        | before, after                      | take off         |
        |------------------------------------|------------------|
        | both known, the same within 10 min | what they show   |
        | each unknown or within 10 min of 0 | nothing          |
        | anything else                      | clock is no use  |
        """
        if self.before is not None and self.after is not None:
            low, high = sorted((self.before, self.after))
            if high - low <= SAME_MS:
                return low, high
        return (0, 0) if self.are_small else None

    @property
    def are_small(self) -> bool:
        """Tell whether no anchor shows the clock wrong."""
        return all(abs(error or 0) <= SAME_MS for error in (self.before, self.after))


def errors(ups: Uptimes, fixed: Spans) -> tuple[dict[Uptime, Errors], dict[Uptime, int | None]]:
    """Tell what the nearest anchored starts of the same machine show of its clock.

    Returns:
        For each uptime the errors before and after it, and the error at its own end.
    """
    before: dict[Uptime, int | None] = {}
    at_end: dict[Uptime, int | None] = {}
    for up in ups:
        parent = up.parent()
        before[up] = None if parent is None else at_end[parent.before]
        at_end[up] = _error(up, fixed, -1) if _shows(up, fixed) else before[up]
    following: dict[Uptime, list[int | None]] = {up: [] for up in ups}
    after: dict[Uptime, int | None] = {}
    for up in reversed(ups):
        # Behind a fork there are two machines: neither tells of the clock before it.
        after[up] = following[up][0] if len(following[up]) == 1 else None
        parent = up.parent()
        if parent is not None:
            shown = _error(up, fixed, 0) if _shows(up, fixed) else after[up]
            following[parent.before].append(shown)
    return {up: Errors(before=before[up], after=after[up]) for up in ups}, at_end


def claim(up: Uptime, hard: Span, shift: Span = (0, 0)) -> Span | None:
    """Give the span that a clock tells, put right by `shift`; None if it tells nothing or two.

    What it said while it was set to something impossible does not count.
    """
    told = [(one.low - shift[1], one.high - shift[0]) for one in up.stretches]
    told = [span for span in told if fits(span, hard)]
    if not told:
        return None
    span = min(low for low, _ in told), max(high for _, high in told)
    is_one = span[1] - span[0] <= SAME_MS + shift[1] - shift[0]
    return span if is_one and allows(up, span) else None


def fits(span: Span, hard: Span) -> bool:
    """Tell whether what a clock says is possible."""
    return hard[0] - SAME_MS <= span[0] and span[1] <= hard[1] + SAME_MS


def belief(claimed: Span, hard: Span) -> Span:
    """Give the span to use of a clock that fits and is believed."""
    return max(claimed[0] - SAME_MS, hard[0]), min(claimed[1] + SAME_MS, hard[1])


def steady(ups: Uptimes, claims: Mapping[Uptime, Span]) -> frozenset[Uptime]:
    """Find the starts whose clocks agree with most others on what came first (CK1).

    Where a log was copied each branch is looked at alone: behind it are two machines.
    """
    parents = {up: link.before for up in ups if (link := up.parent()) is not None}
    following = Counter(parents.values())
    branches: dict[Uptime, list[Uptime]] = {}
    for up in ups:
        before = parents.get(up)
        branches[up] = [] if before is None or following[before] > 1 else branches[before]
        branches[up].append(up)
    agreed: set[Uptime] = set()
    for branch in {id(branch): branch for branch in branches.values()}.values():
        told = [up for up in branch if up in claims]
        chain = _longest([_from_to(claims[up], up) for up in told])
        if 2 * len(chain) > len(told):
            agreed.update(told[at] for at in chain)
    return frozenset(agreed)


def allows(up: Uptime, span: Span) -> bool:
    """Tell whether what somebody said of the day leaves room for a span."""
    return all(_choices(one, (span[0] - SAME_MS, span[1] + SAME_MS)) for one in _taps(up))


def tapped(up: Uptime, span: Span) -> Span:
    """Narrow a span by what somebody said of the day, if that leaves one choice (CK2)."""
    for tap in _taps(up):
        choices = _choices(tap, span)
        if len(choices) == 1:
            return within(choices[0], span) or span
    return span


def _shows(up: Uptime, fixed: Spans) -> bool:
    """Tell whether an anchor shows the error of a clock: one that is rough itself does not."""
    return up in fixed and bool(up.stretches) and fixed[up][1] - fixed[up][0] <= SAME_MS


def _error(up: Uptime, fixed: Spans, at: int) -> int:
    stretch = up.stretches[at]
    return (stretch.low + stretch.high) // 2 - sum(fixed[up]) // 2


def _from_to(span: Span, up: Uptime) -> Span:
    begin = span[0] + up.first_ms
    return begin, max(begin, span[1] + up.last_ms - _BACK)


def _longest(spans: list[Span]) -> list[int]:
    """Find the most spans of which each begins after the one before it has ended."""
    ends: list[int] = []
    last: list[int] = []
    before: list[int] = []
    for at, (begin, end) in enumerate(spans):
        length = bisect_right(ends, begin)
        before.append(last[length - 1] if length else -1)
        if length == len(ends):
            ends.append(end)
            last.append(at)
        elif end < ends[length]:
            ends[length], last[length] = end, at
    chain = last[-1:]
    while chain and before[chain[-1]] >= 0:
        chain.append(before[chain[-1]])
    return chain


def _taps(up: Uptime) -> Iterable[Anchor]:
    return (one for one in up.anchors if one.kind is AnchorKind.TAP)


def _choices(tap: Anchor, span: Span) -> list[Span]:
    """List the spans that a tap may mean, at most two: more say nothing."""
    zero = tap.utc_ms - tap.mono_ms
    weeks = (span[0] - zero - tap.err_ms + _WEEK - 1) // _WEEK
    first = zero + weeks * _WEEK
    found = [(at - tap.err_ms, at + tap.err_ms) for at in (first, first + _WEEK)]
    return [one for one in found if one[0] <= span[1]]
