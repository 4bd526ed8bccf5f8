"""The key of this installation: a file beside the journal and a copy in another folder of it.

Without its key nothing that is not signed yet can ever be sent, so one lost file must not cost it.

Invariants:
  K1  The secret key never leaves these two files and this object; only their owner can read them.
  K2  A rotation is on the disk before anything is written under the new name.
  K3  Whichever one of the two files is lost or damaged, at whatever moment: the next `load` gives
      the same key, and both files are there again. A disk that refuses the copy stops nothing.
  K4  A key that only the copy gave takes a new name at once: the copy may tell an older one.
"""

import contextlib
import secrets
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from client.domain.canon import decode_array, encode
from client.domain.errors import ProtocolError
from client.store.durable import set_aside, sync_folder, write_file

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_FORMAT: Final = 1
_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 16
_MODE: Final = 0o600
_FOLDER_MODE: Final = 0o700
_Parts: TypeAlias = tuple[bytes, bytes, bytes]
"""Secret key, public key, nonce."""


@dataclass(frozen=True)
class KeyFile:
    """The `Signer` of a machine with an ordinary disk. The library loads with the first use."""

    path: Path
    public_key: bytes
    nonce: bytes
    _secret: bytes
    copy: Path | None = None
    """Where the second file is; None for a key that has none."""
    is_restored: bool = False
    """Only the copy gave it."""

    @classmethod
    def create(cls, path: Path, copy: Path | None = None) -> "KeyFile":
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
            copy=copy,
        )
        key._write()
        return key

    @classmethod
    def load(cls, path: Path, copy: Path | None = None) -> "KeyFile | None":
        """Read the key and mend what is lost of it (K3); None when neither file gives one.

        A damaged file is set aside.

        Raises:
            OSError: It is there and cannot be read, or the copy gave it and it cannot be written.
        """
        own, spare = _read(path), None
        if copy is not None:
            with contextlib.suppress(OSError):
                spare = _read(copy)
        found = own or spare
        if found is None:
            return None
        secret, public, nonce = found
        key = cls(path=path, public_key=public, nonce=nonce, _secret=secret, copy=copy)
        if own is None:
            return replace(key.rotated(), is_restored=True)
        if spare != own:
            key._write_copy(is_other=spare is not None and spare[0] != secret)
        return key

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
            copy=self.copy,
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
        write_file(self.path, self._data(), mode=_MODE)
        self._write_copy()

    def _write_copy(self, *, is_other: bool = False) -> None:
        """Bring the copy up to date; one that holds another key is kept aside."""
        if self.copy is None:
            return
        with contextlib.suppress(OSError):
            if not self.copy.parent.exists():
                self.copy.parent.mkdir(mode=_FOLDER_MODE)
                sync_folder(self.copy.parent.parent)
            if is_other:
                set_aside(self.copy)
            write_file(self.copy, self._data(), mode=_MODE)

    def _data(self) -> bytes:
        return encode([_FORMAT, self._secret, self.public_key, self.nonce])

    def __repr__(self) -> str:
        """Show nothing of the secret (K1)."""
        return f"KeyFile({self.path.name})"


def _read(path: Path) -> _Parts | None:
    """Read a file; None where there is none, or after a damaged one was set aside."""
    try:
        parts = _parts(path.read_bytes())
    except FileNotFoundError:
        return None
    if parts is None:
        set_aside(path)
    return parts


def _parts(data: bytes) -> _Parts | None:
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
