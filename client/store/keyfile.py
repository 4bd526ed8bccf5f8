"""The key of this installation: a file beside the journal that only its owner can read.

Invariants:
  K1  The secret key never leaves this file and this object.
  K2  A rotation is on the disk before anything is written under the new name.
"""

import secrets
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from client.domain.canon import decode_array, encode
from client.domain.errors import ProtocolError
from client.store.durable import set_aside, write_file

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_FORMAT: Final = 1
_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 16
_MODE: Final = 0o600


@dataclass(frozen=True)
class KeyFile:
    """The `Signer` of a machine with an ordinary disk. The library loads with the first use."""

    path: Path
    public_key: bytes
    nonce: bytes
    _secret: bytes

    @classmethod
    def create(cls, path: Path) -> "KeyFile":
        """Make a key and its first incarnation, durably.

        Raises:
            OSError: The disk refused.
        """
        from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415 - slow, rare
            Ed25519PrivateKey,
        )

        private = Ed25519PrivateKey.generate()
        key = cls(
            path=path,
            public_key=private.public_key().public_bytes_raw(),
            nonce=secrets.token_bytes(_NONCE_BYTES),
            _secret=private.private_bytes_raw(),
        )
        key._write()
        return key

    @classmethod
    def load(cls, path: Path) -> "KeyFile | None":
        """Read the key; None when there is none. A damaged file is set aside.

        Raises:
            OSError: It is there and cannot be read.
        """
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        parts = _parts(data)
        if parts is None:
            set_aside(path)
            return None
        secret, public, nonce = parts
        return cls(path=path, public_key=public, nonce=nonce, _secret=secret)

    def rotated(self) -> "KeyFile":
        """Begin a new incarnation of the same key, durably (K2).

        Raises:
            OSError: The disk refused; the old incarnation stands.
        """
        key = KeyFile(
            path=self.path,
            public_key=self.public_key,
            nonce=secrets.token_bytes(_NONCE_BYTES),
            _secret=self._secret,
        )
        key._write()
        return key

    def sign(self, message: bytes) -> bytes:
        """See `client.domain.signer.Signer`."""
        return self._private.sign(message)

    @cached_property
    def _private(self) -> "Ed25519PrivateKey":
        from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415 - slow, rare
            Ed25519PrivateKey,
        )

        return Ed25519PrivateKey.from_private_bytes(self._secret)

    def _write(self) -> None:
        data = encode([_FORMAT, self._secret, self.public_key, self.nonce])
        write_file(self.path, data, mode=_MODE)

    def __repr__(self) -> str:
        """Show nothing of the secret (K1)."""
        return f"KeyFile({self.path.name})"


def _parts(data: bytes) -> tuple[bytes, bytes, bytes] | None:
    try:
        row = decode_array(data)
    except ProtocolError:
        return None
    match row:
        case [1, bytes(secret), bytes(public), bytes(nonce)] if (
            len(secret) == len(public) == _KEY_BYTES and len(nonce) == _NONCE_BYTES
        ):
            return secret, public, nonce
        case _:
            return None


def verify(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Check an Ed25519 signature: a `client.domain.signer.Verify`."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - slow, rare
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415 - slow, rare
        Ed25519PublicKey,
    )

    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
