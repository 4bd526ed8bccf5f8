"""Who signs a room's log: a port, so that the domain knows no key and no library."""

from collections.abc import Callable
from typing import Protocol, TypeAlias

Verify: TypeAlias = Callable[[bytes, bytes, bytes], bool]
"""(public key, signature, message) -> whether the signature holds."""


class Signer(Protocol):
    """Holds the key of one installation. May be used from any thread."""

    @property
    def public_key(self) -> bytes:
        """The Ed25519 public key, 32 bytes."""
        ...

    @property
    def nonce(self) -> bytes:
        """The nonce of the present incarnation, 16 bytes."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Return the Ed25519 signature of `message`, 64 bytes."""
        ...
