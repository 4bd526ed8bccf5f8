"""A signed run of one writer's events: what crosses a border, whatever carries it.

    segment = [1, writer, first seq, count, prev, number, strings, signature]

`number` and `strings` hold the events (`client.domain.record.packing`). Identities, and `prev` of
all events but the first, are derived, so they cost nothing.

Invariants:
  G1  The signature covers domain and everything before it; no event is believed before it held.
  G2  A segment that is accepted is a valid stretch of the chain that starts after `prev`, and a
      first one introduces its writer's key.
  G3  Unpacking is bounded; hostile bytes end in `ProtocolError` and nothing else.
  G4  A run of events has exactly one form that can be signed; every other one is refused.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from client.domain.canon import Wire, decode_array, encode
from client.domain.errors import ProtocolError
from client.domain.record.bodies import Incarnation
from client.domain.record.event import HASH_BYTES, WRITER_BYTES, Event, follows, writer_of
from client.domain.record.fold import read
from client.domain.record.packing import BootFacts, Packed, RunStart, pack, unpack, unpack_first
from client.domain.signer import Signer, Verify

DOMAIN: Final = b"tongke/segment/1"
FORMAT: Final = 1
MAX_EVENTS: Final = 512
MAX_SEGMENT_BYTES: Final = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class BootRow:
    """A start of the machine as its writer saw it: evidence for repairing dates."""

    ordinal: int
    wall_ms: int
    was_clean: bool
    """Whether the program ended properly the time before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A segment that was read and found valid."""

    events: tuple[Event, ...]
    boots: tuple[BootRow, ...]

    @property
    def head(self) -> bytes:
        """Full hash of its last event."""
        return self.events[-1].hash


def seal(events: Sequence[Event], boots: Sequence[BootRow], signer: Signer) -> bytes:
    """Make the bytes of a segment from consecutive events of one writer.

    Raises:
        ProtocolError: `too_large` together, then the caller halves the run; `segment_invalid`:
            none or too many; `chain_broken`: they do not follow one another.
    """
    if not 0 < len(events) <= MAX_EVENTS:
        raise ProtocolError("segment_invalid")
    if not all(follows(after, event) for event, after in pairwise(events)):
        raise ProtocolError("chain_broken")
    packed = pack(events, [(row.ordinal, row.wall_ms, int(row.was_clean)) for row in boots])
    first = events[0]
    start = RunStart(writer=first.writer, seq=first.seq, count=len(events), prev=first.prev)
    parts = _parts(start, packed)
    data = encode([*parts, signer.sign(_signed(parts))])
    if len(data) > MAX_SEGMENT_BYTES:
        raise ProtocolError("too_large")
    return data


def unseal(data: bytes, key_of: Callable[[bytes], bytes | None], verify: Verify) -> Segment:
    """Read and check a segment.

    Args:
        data: What arrived.
        key_of: Gives the public key of a writer that is known, else None. A segment that
            starts at 1 may introduce its writer itself.
        verify: Checks signatures.

    Raises:
        ProtocolError: `segment_invalid`, `too_large`, `not_canonical`, `writer_unknown`,
            `signature_bad`, `chain_broken` or `event_invalid`.
    """
    start, packed, signature = _read(data)
    key = key_of(start.writer)
    if key is None:
        key = _introduced(start, packed)
    if not verify(key, signature, _signed(_parts(start, packed))):
        raise ProtocolError("signature_bad")
    events, boots = unpack(packed, start)
    return Segment(events=events, boots=tuple(map(_boot, boots)))


def peek(data: bytes) -> RunStart:
    """Read where a segment begins and how many events it has. Nothing of it was checked.

    Raises:
        ProtocolError: `segment_invalid`, `too_large` or `not_canonical`.
    """
    return _read(data)[0]


def _parts(start: RunStart, packed: Packed) -> list[Wire]:
    run: list[Wire] = [FORMAT, start.writer, start.seq, start.count, start.prev]
    return [*run, packed.number, packed.strings]


def _signed(parts: list[Wire]) -> bytes:
    return DOMAIN + encode(parts)


def _read(data: bytes) -> tuple[RunStart, Packed, bytes]:
    match decode_array(data, max_bytes=MAX_SEGMENT_BYTES):
        case [
            1,
            bytes(writer),
            int(seq),
            int(count),
            bytes(prev),
            bytes(number),
            bytes(strings),
            bytes(signature),
        ] if (
            len(writer) == WRITER_BYTES
            and len(prev) == HASH_BYTES
            and seq > 0
            and 0 < count <= MAX_EVENTS
        ):
            start = RunStart(writer=writer, seq=seq, count=count, prev=prev)
            return start, Packed(number=number, strings=strings), signature
        case _:
            raise ProtocolError("segment_invalid")


def _introduced(start: RunStart, packed: Packed) -> bytes:
    """Find the key of an unknown writer in its first event.

    It is believed only if the writer's name is its hash; nothing else is read.
    """
    if start.seq != 1:
        raise ProtocolError("writer_unknown")
    entry = read(unpack_first(packed, start))
    body = None if entry is None else entry.body
    if not isinstance(body, Incarnation) or writer_of(body.public_key, body.nonce) != start.writer:
        raise ProtocolError("writer_unknown")
    return body.public_key


def _boot(row: BootFacts) -> BootRow:
    ordinal, wall_ms, clean = row
    return BootRow(ordinal=ordinal, wall_ms=wall_ms, was_clean=clean == 1)
