"""The sealed backup of a roster: one file that the recovery code opens, and nothing else.

| bytes   | holds                                                                 |
|---------|-----------------------------------------------------------------------|
| 8       | `TKROSTER`                                                            |
| 1       | version of this form, 1                                               |
| 16      | salt: with the code it gives the key (HKDF-SHA256)                    |
| …       | ChaCha20-Poly1305 of edition (8 bytes) and database, bound to the above |
| 32      | SHA-256 of all that stands before it                                  |

The code has 95 random bits, so no slow derivation is needed; each file has a salt and so a key of
its own, and the nonce may be constant. The digest tells a damaged file from a wrong code.

Invariants:
  RB1  Without the code a backup tells its size and which roster it is of, and no more.
  RB2  A damaged file, a wrong code, a newer form and any other file are told apart, and none of
       them changes anything.
  RB3  Reading is bounded, whatever stands on the stick.
  RB4  A backup counts when it was read back and opened; until then, and after it, the one before
       stays.
  RB5  A backup that holds more than this machine knows, or that another code opens, is not
       overwritten.
"""

import hashlib
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from client.domain.errors import (
    ResourceError,
    StorageError,
    UserError,
    VersionUnsupportedError,
)
from client.store.disk import disk_errors
from client.store.durable import move_file, write_file

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

MAX_BYTES: Final = 64 << 20
_MAGIC: Final = b"TKROSTER"
_VERSION: Final = 1
_SALT_BYTES: Final = 16
_HEAD_BYTES: Final = len(_MAGIC) + 1 + _SALT_BYTES
_TAG_BYTES: Final = 16
_DIGEST_BYTES: Final = 32
_EDITION_BYTES: Final = 8
_NONCE: Final = bytes(12)
_PURPOSE: Final = b"tongke roster backup 1"
_MODE: Final = 0o600
_OF_OTHERS: Final = frozenset({"roster_code_wrong", "roster_backup_too_new"})
"""Why a whole backup does not open: another code, another program. Not ours to replace."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What a backup holds."""

    edition: int
    """How often the roster had been changed."""
    image: bytes = field(repr=False)
    """A database file."""


def seal(contents: Contents, code: str, salt: bytes | None = None) -> bytes:
    """Close a roster's contents up. `salt` is random unless a test needs it.

    Raises:
        StorageError: `roster_too_large`.
    """
    head = _MAGIC + bytes([_VERSION]) + (salt or secrets.token_bytes(_SALT_BYTES))
    plain = contents.edition.to_bytes(_EDITION_BYTES, "big") + contents.image
    if len(head) + len(plain) + _TAG_BYTES + _DIGEST_BYTES > MAX_BYTES:
        raise StorageError("roster_too_large")
    sealed = head + _cipher(code, head).encrypt(_NONCE, plain, head)
    return sealed + hashlib.sha256(sealed).digest()


def unseal(data: bytes, code: str) -> Contents:
    """Open a backup (RB2).

    Raises:
        UserError: `roster_backup_unknown` (some other file), `roster_code_wrong`.
        ResourceError: `roster_backup_damaged`.
        VersionUnsupportedError: `roster_backup_too_new`.
    """
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - slow, rare

    if not data.startswith(_MAGIC) or len(data) > MAX_BYTES:
        raise UserError("roster_backup_unknown")
    sealed, digest = data[:-_DIGEST_BYTES], data[-_DIGEST_BYTES:]
    if len(sealed) < _HEAD_BYTES + _TAG_BYTES + _EDITION_BYTES:
        raise ResourceError("roster_backup_damaged")
    if hashlib.sha256(sealed).digest() != digest:
        raise ResourceError("roster_backup_damaged")
    if sealed[len(_MAGIC)] != _VERSION:
        raise VersionUnsupportedError("roster_backup_too_new")
    head = sealed[:_HEAD_BYTES]
    try:
        plain = _cipher(code, head).decrypt(_NONCE, sealed[_HEAD_BYTES:], head)
    except InvalidTag as error:
        raise UserError("roster_code_wrong") from error
    edition = int.from_bytes(plain[:_EDITION_BYTES], "big")
    return Contents(edition=edition, image=plain[_EDITION_BYTES:])


def _cipher(code: str, head: bytes) -> "ChaCha20Poly1305":
    from cryptography.hazmat.primitives.ciphers.aead import (  # noqa: PLC0415 - slow, rare
        ChaCha20Poly1305,
    )
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF  # noqa: PLC0415

    salt = head[-_SALT_BYTES:]
    key = HKDF(algorithm=SHA256(), length=32, salt=salt, info=_PURPOSE).derive(code.encode())
    return ChaCha20Poly1305(key)


# --- files -------------------------------------------------------------------------------


def read_backup(path: Path, code: str) -> Contents:
    """Read and open a backup file (RB3).

    Raises:
        UserError: `roster_backup_unreadable`, and as `unseal` does.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UserError("roster_backup_unreadable", {"file": path.name}) from error
    return unseal(data, code)


def write_backup(folder: Path, name: str, contents: Contents, code: str) -> Path:
    """Write a backup durably and return its path; the one before it becomes `….old` (RB4).

    Args:
        folder: On a stick or another partition.
        name: The file's, without ending; it names the roster.
        contents: What to keep.
        code: The recovery code.

    Raises:
        UserError: `roster_backup_newer`: the backup there holds more changes (RB5).
        StorageError: The disk is full, refuses, or does not give back what was written.
    """
    path = _place(folder, name, contents.edition, code)
    fresh = path.with_name(f"{path.name}.part")
    data = seal(contents, code)
    with disk_errors():
        try:
            write_file(fresh, data, mode=_MODE)
            if fresh.read_bytes() != data or unseal(data, code) != contents:
                raise StorageError("roster_backup_not_kept")
            if path.exists():
                move_file(path, path.with_name(f"{path.name}.old"))
            move_file(fresh, path)
        finally:
            fresh.unlink(missing_ok=True)
    return path


def _place(folder: Path, name: str, edition: int, code: str) -> Path:
    """Find the first name that is free, or holds what may be followed by this backup (RB5)."""
    number = 1
    while True:
        path = folder / (f"{name}.tongke" if number == 1 else f"{name}-{number}.tongke")
        try:
            known = read_backup(path, code).edition
        except (UserError, ResourceError, VersionUnsupportedError) as error:
            if error.code in _OF_OTHERS:
                number += 1
                continue
            return path
        if known > edition:
            raise UserError("roster_backup_newer", {"file": path.name})
        return path
