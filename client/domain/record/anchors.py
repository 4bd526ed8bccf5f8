"""What is known of the true time at one moment of one start of a machine: evidence for dates.

Invariants:
  AN1  Evidence is kept as it was given; what it means is worked out anew each time it is read.
  AN2  A start of the machine keeps a handful of anchors, however often it was told the time.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from client.domain.errors import ProtocolError
from client.domain.record.event import WRITER_BYTES

_LIMIT_MS: Final = 1 << 53


class AnchorKind(Enum):
    """Who told the time. Values are stored."""

    HUB = 1
    """An exchange with a hub: certain within `err_ms`."""
    PEER = 2
    """Another machine of the school: certain where no hub says otherwise."""
    SIGNED = 3
    """Something signed at that time is here: it is not earlier. `err_ms` says nothing."""
    TAP = 4
    """A person said which day of the week and about what hour: counts modulo a week, soft."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """One moment: the machine's running time and the true time, Unix milliseconds ± `err_ms`.

    Raises:
        ProtocolError: A field is out of its range (`anchor_invalid`).
    """

    writer: bytes
    boot: int
    mono_ms: int
    utc_ms: int
    err_ms: int
    kind: AnchorKind

    def __post_init__(self) -> None:
        """Check the ranges: what tells the time may be anybody."""
        numbers = (self.boot, self.mono_ms, self.utc_ms, self.err_ms)
        if len(self.writer) != WRITER_BYTES or not all(0 <= n < _LIMIT_MS for n in numbers):
            raise ProtocolError("anchor_invalid")


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """What the clocks of a machine show now, and where an event would stand that it writes."""

    writer: bytes
    boot: int
    mono_ms: int
    wall_ms: int

    def anchor(self, kind: AnchorKind, utc_ms: int, err_ms: int) -> Anchor:
        """Say that it is `utc_ms` now."""
        return Anchor(
            writer=self.writer,
            boot=self.boot,
            mono_ms=self.mono_ms,
            utc_ms=utc_ms,
            err_ms=err_ms,
            kind=kind,
        )


def kept(anchors: Iterable[Anchor]) -> tuple[Anchor, ...]:
    """Choose which anchors of one start of the machine are worth keeping (AN2).

    | kind      | kept                                                       |
    |-----------|------------------------------------------------------------|
    | hub, peer | the most exact one, and the last: two can disagree         |
    | signed    | the one that says most                                     |
    | tap       | the last: who taps again corrects what was said before     |
    """
    found = sorted(anchors, key=lambda one: (one.mono_ms, one.utc_ms, one.err_ms))
    chosen: list[Anchor] = []
    for kind in AnchorKind:
        known = [one for one in found if one.kind is kind]
        if kind is AnchorKind.SIGNED:
            chosen += sorted(known, key=lambda one: one.utc_ms - one.mono_ms)[-1:]
        elif kind is AnchorKind.TAP:
            chosen += known[-1:]
        else:
            best = sorted(known, key=lambda one: one.err_ms)[:1]
            chosen += dict.fromkeys((*best, *known[-1:]))
    return tuple(chosen)
