"""Signers whose keys are numbers, so that a history repeats byte by byte."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from unittest.mock import patch

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from client.domain.record import fold, segment
from client.domain.record.event import Event
from client.domain.record.fold import Entry
from client.domain.record.segment import Segment
from client.domain.record.vector import Vector
from client.domain.signer import Verify
from client.store import keyfile, log_store, salvage
from sync.engine import exchange
from tests.fakes import memory_log
from tests.torture import observer


@dataclass(frozen=True)
class QuickKey:
    """A `Signer` that costs one hash. Anybody could forge it, and no simulated enemy does."""

    number: int
    nonce: bytes = bytes(16)
    draw: Callable[[], bytes] = field(default=lambda: bytes(16), compare=False)
    """Gives the nonce of the next incarnation: copies of a disk draw different ones."""

    @cached_property
    def public_key(self) -> bytes:
        return hashlib.sha256(b"key" + self.number.to_bytes(8, "big")).digest()

    def sign(self, message: bytes) -> bytes:
        return _tag(self.public_key, message)

    def rotated(self) -> "QuickKey":
        """Begin a new incarnation, as `KeyFile` does."""
        return replace(self, nonce=self.draw())

    def renewed(self, nonce: bytes) -> "QuickKey":
        """The same key under another incarnation."""
        return replace(self, nonce=nonce)


def _tag(public_key: bytes, message: bytes) -> bytes:
    return hashlib.sha512(b"signed" + public_key + message).digest()


def quick_verify(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """The `Verify` of `QuickKey`."""
    return signature == _tag(public_key, message)


@cache
def _private(number: int) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(number.to_bytes(8, "big")).digest())


@dataclass(frozen=True)
class RealKey(QuickKey):
    """The same with Ed25519."""

    @cached_property
    def public_key(self) -> bytes:
        return _private(self.number).public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        return _private(self.number).sign(message)


_read = fold.read


class _Reader:
    """`unseal` that remembers: reading is a pure function of the bytes and the key."""

    def __init__(self, unseal) -> None:
        self._unseal = unseal
        self._known: dict[bytes, tuple[bytes | None, Segment]] = {}

    def __call__(self, data: bytes, key_of, verify: Verify) -> Segment:
        known = self._known.get(data)
        if known is not None and key_of(known[1].events[0].writer) == known[0]:
            return known[1]
        segment = self._unseal(data, key_of, verify)
        self._known[data] = key_of(segment.events[0].writer), segment
        return segment


@contextmanager
def signed(*, for_real: bool) -> Iterator[Verify]:
    """Have the stores check signatures of `RealKey` or `QuickKey`; gives the `Verify`.

    What is a pure function of bytes is worked out once in a history: segments, events, summaries.
    """
    verify = keyfile.verify if for_real else quick_verify
    entries: dict[bytes, Entry | None] = {}

    def read(event: Event) -> Entry | None:
        if event.hash not in entries:
            entries[event.hash] = _read(event)
        return entries[event.hash]

    summaries: dict[Vector, bytes] = {}
    summed = Vector.__dict__["summary"].fget

    def summary(vector: Vector) -> bytes:
        if vector not in summaries:
            summaries[vector] = summed(vector)
        return summaries[vector]

    covers = cache(segment.covers)
    with (
        patch.object(exchange, "covers", covers),
        patch.object(observer, "covers", covers),
        patch.object(Vector, "summary", property(summary)),
        patch.object(fold, "read", read),
        patch.object(memory_log, "read", read),
        patch.object(memory_log, "verify", verify),
        patch.object(memory_log, "unseal", _Reader(memory_log.unseal)),
        patch.object(log_store, "verify", verify),
        patch.object(salvage, "verify", verify),
        patch.object(log_store, "unseal", _Reader(log_store.unseal)),
    ):
        yield verify
