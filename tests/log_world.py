"""Logs written without any store, for tests of what stores do with them."""

import copy
import itertools

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from client.domain.record import bodies as b
from client.domain.record.event import NO_PREVIOUS, SCOPE_ROOM, Event, writer_of
from client.domain.record.segment import BootRow, seal
from client.domain.record.table import pack, spec_of

_numbers = itertools.count(1)


class Key:
    """A `Signer` in memory."""

    def __init__(self, number: int = 0) -> None:
        number = number or next(_numbers)
        self._private = Ed25519PrivateKey.from_private_bytes(number.to_bytes(32, "big"))
        self.public_key = self._private.public_key().public_bytes_raw()
        self.nonce = number.to_bytes(16, "big")

    def rotated(self) -> "Key":
        """The same key with another nonce."""
        key = copy.copy(self)
        key.nonce = next(_numbers).to_bytes(16, "big") + b""
        return key

    def sign(self, message: bytes) -> bytes:
        """See `client.domain.signer.Signer`."""
        return self._private.sign(message)


class Pen:
    """Writes one log. A copy (`clone`) writes on from the same event: a fork."""

    def __init__(self, key: Key | None = None, after: "tuple[Pen, ...]" = ()) -> None:
        self.key = key or Key()
        self.writer = writer_of(self.key.public_key, self.key.nonce)
        self.events: list[Event] = []
        self.sealed = 0
        self.lc = max((pen.lc for pen in after), default=0)
        self.add(
            b.Incarnation(
                public_key=self.key.public_key,
                nonce=self.key.nonce,
                why=b.WhyIncarnation.RESTORED if after else b.WhyIncarnation.FIRST,
                predecessors=tuple((pen.writer, pen.events[-1].hash) for pen in after),
            )
        )

    def add(self, body: b.Body, *, step: int = 1) -> Event:
        """Write one event."""
        spec = spec_of(body)
        return self.add_raw(spec.number.value, spec.version, pack(body), step=step)

    def add_raw(self, kind: int, version: int, body: bytes, *, step: int = 1) -> Event:
        """Write an event of any type."""
        self.lc += step
        event = Event(
            writer=self.writer,
            seq=len(self.events) + 1,
            prev=self.events[-1].hash if self.events else NO_PREVIOUS,
            lc=self.lc,
            boot=1,
            mono_ms=1000 * len(self.events),
            wall_ms=1_810_000_000_000,
            scope=SCOPE_ROOM,
            type=kind,
            version=version,
            body=body,
        )
        self.events.append(event)
        return event

    def write(self, *ordinals: int) -> "Pen":
        """Write one small fact each."""
        for ordinal in ordinals:
            self.add(b.CueReached(sitting=b.SittingId("00112233aabbccdd"), ordinal=ordinal))
        return self

    def clone(self) -> "Pen":
        """Copy the disk."""
        twin = copy.copy(self)
        twin.events = list(self.events)
        return twin

    def seal(self, count: int = 0) -> bytes:
        """Seal what is not sealed yet, or its first `count` events."""
        events = self.events[self.sealed : self.sealed + count if count else None]
        self.sealed += len(events)
        boots = [BootRow(ordinal=1, wall_ms=1_810_000_000_000, was_clean=True)]
        return seal(events, boots, self.key)
