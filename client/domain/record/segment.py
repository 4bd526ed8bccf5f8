"""A signed run of one writer's events: what crosses a border, whatever carries it.

    segment = [header, payload, signature]
    header  = [1, writer, first seq, count, prev, head, packing, boots]
    payload = rows, each [lc step, boot, mono step, drift step, scope, type, version, body]

Steps are differences to the row before (the first: to 0); drift is wall - mono. Identities and
`prev` of later rows are derived, so they cost nothing.

Invariants:
  G1  The signature covers domain, header and the digest of the payload; nothing is read from a
      payload before it held.
  G2  A segment that is accepted is a valid stretch of the chain: it starts after `prev`, ends in
      `head`, and a first one introduces its writer's key.
  G3  Unpacking is bounded; hostile bytes end in `ProtocolError` and nothing else.
"""

import hashlib
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from client.domain.canon import MAX_BYTES, Wire, decode_array, encode
from client.domain.errors import ProtocolError
from client.domain.ids import EventId
from client.domain.record.bodies import Incarnation
from client.domain.record.event import (
    HASH_BYTES,
    ID_BYTES,
    MAX_BODY_BYTES,
    WRITER_BYTES,
    Event,
    writer_of,
)
from client.domain.record.fold import read
from client.domain.record.vector import Stretch
from client.domain.signer import Signer, Verify

DOMAIN: Final = b"tongke/segment/1"
FORMAT: Final = 1
MAX_EVENTS: Final = 512
MAX_SEGMENT_BYTES: Final = 256 * 1024
_PLAIN, _ZLIB = 0, 1
_ROW: Final = 8
_MAX_ROW_BYTES: Final = MAX_BODY_BYTES + 16 * _ROW


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
        ProtocolError: No event, too many, or too large together; the caller halves the run.
    """
    if not 0 < len(events) <= MAX_EVENTS:
        raise ProtocolError("segment_invalid")
    plain = encode(_rows(events))
    packed = zlib.compress(plain, 9)
    packing, payload = (_ZLIB, packed) if len(packed) < len(plain) else (_PLAIN, plain)
    first, last = events[0], events[-1]
    head: list[Wire] = [FORMAT, first.writer, first.seq, len(events), first.prev, last.hash]
    table: list[Wire] = [[row.ordinal, row.wall_ms, int(row.was_clean)] for row in boots]
    header = encode([*head, packing, table])
    data = encode([header, payload, signer.sign(_signed(header, payload))])
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
        ProtocolError: `segment_invalid`, `too_large`, `writer_unknown`, `signature_bad` or
            `chain_broken`.
    """
    header, payload, signature = _parts(data)
    writer, seq, count, prev, head, packing, boots = _header(header)
    key = key_of(writer)
    rows = None
    if key is None:
        # The key stands inside the payload: unpack it (bounded), believe it only if the
        # writer's name is its hash, and read nothing else before the signature held.
        rows = _unpack(packing, payload, count)
        key = _introduced(rows, writer, seq)
    if not verify(key, signature, _signed(header, payload)):
        raise ProtocolError("signature_bad")
    rows = _unpack(packing, payload, count) if rows is None else rows
    if len(rows) != count:
        raise ProtocolError("segment_invalid")
    events = _chain(rows, writer, seq, prev)
    if events[-1].hash != head:
        raise ProtocolError("chain_broken")
    return Segment(events=events, boots=boots)


def covers(data: bytes) -> Stretch:
    """Tell what a segment says to hold, from its header alone: believe it of one that was read.

    Raises:
        ProtocolError: It is no segment.
    """
    header, _, _ = _parts(data)
    writer, seq, count, _, head, _, _ = _header(header)
    return Stretch(writer=writer, seq=seq + count - 1, head=EventId(head[:ID_BYTES]), first=seq)


def _signed(header: bytes, payload: bytes) -> bytes:
    return DOMAIN + header + hashlib.sha256(payload).digest()


def _rows(events: Sequence[Event]) -> list[Wire]:
    rows: list[Wire] = []
    lc = mono = drift = 0
    for event in events:
        gap = event.wall_ms - event.mono_ms
        rows.append(
            [
                event.lc - lc,
                event.boot,
                event.mono_ms - mono,
                gap - drift,
                event.scope,
                event.type,
                event.version,
                event.body,
            ]
        )
        lc, mono, drift = event.lc, event.mono_ms, gap
    return rows


def _chain(rows: list[Wire], writer: bytes, seq: int, prev: bytes) -> tuple[Event, ...]:
    events: list[Event] = []
    lc = mono = drift = 0
    for number, row in enumerate(rows, seq):
        if not isinstance(row, list) or len(row) != _ROW:
            raise ProtocolError("segment_invalid")
        *numbers, body = row
        if not isinstance(body, bytes):
            raise ProtocolError("segment_invalid")
        lc_step, boot, mono_step, drift_step, scope, kind, version = _ints(numbers)
        if lc_step < 1:
            raise ProtocolError("chain_broken")
        lc, mono, drift = lc + lc_step, mono + mono_step, drift + drift_step
        event = Event(
            writer=writer,
            seq=number,
            prev=prev,
            lc=lc,
            boot=boot,
            mono_ms=mono,
            wall_ms=mono + drift,
            scope=scope,
            type=kind,
            version=version,
            body=body,
        )
        events.append(event)
        prev = event.hash
    return tuple(events)


def _introduced(rows: list[Wire], writer: bytes, seq: int) -> bytes:
    if seq != 1:
        raise ProtocolError("writer_unknown")
    entry = read(_chain(rows[:1], writer, seq, bytes(HASH_BYTES))[0])
    body = None if entry is None else entry.body
    if not isinstance(body, Incarnation) or writer_of(body.public_key, body.nonce) != writer:
        raise ProtocolError("writer_unknown")
    return body.public_key


def _parts(data: bytes) -> tuple[bytes, bytes, bytes]:
    match decode_array(data, max_bytes=MAX_SEGMENT_BYTES):
        case [bytes(header), bytes(payload), bytes(signature)]:
            return header, payload, signature
        case _:
            raise ProtocolError("segment_invalid")


def _header(
    data: bytes,
) -> tuple[bytes, int, int, bytes, bytes, int, tuple[BootRow, ...]]:
    match decode_array(data):
        case [
            1,
            bytes(writer),
            int(seq),
            int(count),
            bytes(prev),
            bytes(head),
            (0 | 1) as packing,
            list(table),
        ] if len(writer) == WRITER_BYTES and seq > 0 and 0 < count <= MAX_EVENTS:
            return writer, seq, count, prev, head, int(packing), tuple(map(_boot, table))
        case _:
            raise ProtocolError("segment_invalid")


def _boot(row: Wire) -> BootRow:
    match row:
        case [int(ordinal), int(wall), (0 | 1) as clean]:
            return BootRow(ordinal=ordinal, wall_ms=wall, was_clean=clean == 1)
        case _:
            raise ProtocolError("segment_invalid")


def _ints(values: list[Wire]) -> list[int]:
    numbers = [value for value in values if isinstance(value, int)]
    if len(numbers) != len(values):
        raise ProtocolError("segment_invalid")
    return numbers


def _unpack(packing: int, payload: bytes, count: int) -> list[Wire]:
    """Unpack as many rows as the header names; what would be more is not even looked at (G3)."""
    plain = payload
    if packing == _ZLIB:
        unpacker = zlib.decompressobj()
        try:
            plain = unpacker.decompress(payload, min(MAX_BYTES, count * _MAX_ROW_BYTES + _ROW))
        except zlib.error as error:
            raise ProtocolError("segment_invalid") from error
        if not unpacker.eof or unpacker.unused_data:
            raise ProtocolError("segment_invalid")
    return decode_array(plain, max_items=1 + count * (1 + _ROW))
