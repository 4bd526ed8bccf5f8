"""What a store holds of every log, in a form small enough to send with each request.

A log may be a tree (a copied disk goes on twice) and may have gaps (a repaired file). A store tells
it as stretches: a head, and how far back from there nothing is missing. A head that a later event
names as its predecessor is *closed*; closed stretches are told as one digest, so that a disk which
forgets every day costs nothing by the end of the year.

Invariants:
  X1  Equal sets of events give equal vectors; different ones give different summaries.
  X2  An event counts as held by the other side only if its vector says so: it is an ancestor of
      a head there, inside that head's stretch.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from client.domain.canon import Wire, encode
from client.domain.ids import EventId
from client.domain.record.event import ID_BYTES, Event

_DOMAIN: Final = b"tongke/vector/1"
_CLOSED: Final = b"tongke/closed/1"
SUMMARY_BYTES: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Stretch:
    """A run of one log without a gap: from number `first` up to `head`, whose number is `seq`."""

    writer: bytes
    seq: int
    head: EventId
    first: int = 1

    def wire(self) -> list[Wire]:
        """Give its form on the wire."""
        return [self.writer, self.seq, self.head, self.first]


@dataclass(frozen=True, slots=True, kw_only=True)
class Vector:
    """Everything a store holds. `closed` is None where only the digest was told."""

    open: tuple[Stretch, ...]
    closed_digest: bytes
    closed: tuple[Stretch, ...] | None = None

    @property
    def summary(self) -> bytes:
        """Sixteen bytes that are equal for equal holdings (X1)."""
        rows: list[Wire] = [stretch.wire() for stretch in self.open]
        return hashlib.sha256(_DOMAIN + encode([rows, self.closed_digest])).digest()[:SUMMARY_BYTES]


def vector(stretches: Iterable[Stretch], closed: Iterable[Stretch] = ()) -> Vector:
    """Make a vector; order and repeats do not matter."""
    shut = tuple(sorted(set(closed)))
    return Vector(
        open=tuple(sorted(set(stretches))), closed_digest=closed_digest(shut), closed=shut
    )


def closed_digest(closed: tuple[Stretch, ...]) -> bytes:
    """Sum up closed stretches, which must be sorted."""
    rows: list[Wire] = [stretch.wire() for stretch in closed]
    return hashlib.sha256(_CLOSED + encode([rows])).digest()[:SUMMARY_BYTES]


EMPTY: Final = vector(())


def vector_of(events: Mapping[bytes, Event], named: Iterable[tuple[bytes, bytes]]) -> Vector:
    """Tell what a set of events is. Slow and obvious: stores do the same with SQL.

    Args:
        events: By full hash.
        named: (writer, full hash) of the heads that events name as predecessors.
    """
    shut_heads = set(named)
    parents = {event.prev for event in events.values()}
    opened: list[Stretch] = []
    shut: list[Stretch] = []
    for event in events.values():
        if event.hash in parents:
            continue
        first = ancestors(events, event)[-1].seq
        stretch = Stretch(writer=event.writer, seq=event.seq, head=event.id, first=first)
        is_shut = first == 1 and (event.writer, event.hash) in shut_heads
        (shut if is_shut else opened).append(stretch)
    return vector(opened, shut)


def ancestors(events: Mapping[bytes, Event], head: Event, first: int = 1) -> list[Event]:
    """Walk back from `head` (included) as far as nothing is missing, at most to number `first`."""
    found = [head]
    while found[-1].seq > first and found[-1].prev in events:
        found.append(events[found[-1].prev])
    return found


def told(there: Vector, here: Vector) -> tuple[Stretch, ...]:
    """Return everything the other side says to hold; equal digests stand for our closed logs."""
    if there.closed is None and there.closed_digest == here.closed_digest:
        return (*there.open, *(here.closed or ()))
    return (*there.open, *(there.closed or ()))


def held_there(events: Mapping[bytes, Event], stretches: Iterable[Stretch]) -> set[bytes]:
    """Return the hashes of those `events` that somebody who told `stretches` has (X2)."""
    by_id = {event.hash[:ID_BYTES]: event for event in events.values()}
    held: set[bytes] = set()
    for stretch in stretches:
        head = by_id.get(stretch.head)
        if head is not None and head.writer == stretch.writer:
            held.update(event.hash for event in ancestors(events, head, stretch.first))
    return held
