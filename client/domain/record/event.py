"""One entry of a writer's hash-chained log (SYNC §1.1).

Invariants:
  L1  An event's identity is its hash; nothing else names it. `id` is the first 16 bytes.
  L2  A writer's events are numbered from 1, and each names the full hash of the one before it
      (32 zero bytes for the first).
  L3  No field is trusted to be a date: `wall_ms` is evidence, order comes from `seq` and `lc`.
"""

import hashlib
from dataclasses import dataclass, field
from typing import Final

from client.domain.canon import Wire, encode
from client.domain.errors import ProtocolError
from client.domain.ids import EventId

FORMAT: Final = 1
WRITER_BYTES: Final = 8
HASH_BYTES: Final = 32
ID_BYTES: Final = 16
NO_PREVIOUS: Final = bytes(HASH_BYTES)
SCOPE_ROOM: Final = 1
"""Facts of a room, readable by its school and hub. The only scope there is."""

MAX_BODY_BYTES: Final = 16 * 1024
MAX_LAMPORT: Final = 1 << 40
_MAX_UINT: Final = 1 << 63
_WALL_LIMIT: Final = 1 << 53


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One entry. Times are milliseconds; `boot` is the writer's own count of machine starts.

    Raises:
        ProtocolError: A field is out of its range.
    """

    writer: bytes
    seq: int
    prev: bytes
    lc: int
    boot: int
    mono_ms: int
    wall_ms: int
    scope: int
    type: int
    version: int
    body: bytes
    hash: bytes = field(init=False, compare=True)

    def __post_init__(self) -> None:
        """Check the ranges and derive the hash."""
        whole = (self.boot, self.mono_ms, self.scope, self.type, self.version)
        sound = (
            len(self.writer) == WRITER_BYTES
            and len(self.prev) == HASH_BYTES
            and 0 < self.seq < _MAX_UINT
            and 0 < self.lc <= MAX_LAMPORT
            and all(0 <= number < _MAX_UINT for number in whole)
            and abs(self.wall_ms) < _WALL_LIMIT
            and len(self.body) <= MAX_BODY_BYTES
            and (self.seq == 1) == (self.prev == NO_PREVIOUS)
        )
        if not sound:
            raise ProtocolError("event_invalid")
        object.__setattr__(self, "hash", self._hash())

    @property
    def id(self) -> EventId:
        """Its name: the first half of the hash."""
        return EventId(self.hash[:ID_BYTES])

    def _hash(self) -> bytes:
        row: list[Wire] = [
            FORMAT,
            self.writer,
            self.seq,
            self.prev,
            self.lc,
            self.boot,
            self.mono_ms,
            self.wall_ms,
            self.scope,
            self.type,
            self.version,
            hashlib.sha256(self.body).digest(),
        ]
        return hashlib.sha256(encode(row)).digest()


def writer_of(public_key: bytes, nonce: bytes) -> bytes:
    """Name one incarnation of one installation."""
    return hashlib.sha256(public_key + nonce).digest()[:WRITER_BYTES]


def follows(event: Event, before: Event | None) -> bool:
    """Tell whether `event` is the next link after `before` in the same log (L2)."""
    if before is None:
        return event.seq == 1
    return (
        event.writer == before.writer
        and event.seq == before.seq + 1
        and event.prev == before.hash
        and event.lc > before.lc
    )
