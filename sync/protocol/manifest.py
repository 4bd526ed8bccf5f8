"""What a file of content is made of: its length, its SHA-256, and that of every block of 1 MiB.

    manifest = [1, size, sha256, blocks]        blocks: 32 bytes each, joined

Whoever trusts a manifest can check each block as it comes, from whomever it comes. A manifest is
trusted because something signed names its own SHA-256, or because its sender does.

Invariants:
  M1  The same bytes have the same manifest, whoever makes it and however they were read.
  M2  A manifest that was read is whole: its blocks are as many as its size asks for, and a file of
      one block has its digest for that block.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from client.domain.canon import decode_array, encode
from client.domain.errors import ProtocolError

BLOCK_BYTES: Final = 1 << 20
MAX_FILE_BYTES: Final = 16 << 30
MAX_MANIFEST_BYTES: Final = MAX_FILE_BYTES // BLOCK_BYTES * 32 + 128
_FORMAT: Final = 1
_HASH_BYTES: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One stretch of a file: where it begins, how long it is, and its SHA-256."""

    start: int
    length: int
    sha256: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """See the module. `sha256` and each of `blocks` have 32 bytes."""

    size_bytes: int
    sha256: bytes
    blocks: tuple[bytes, ...]

    def __iter__(self) -> Iterator[Block]:
        """Give the blocks in their order."""
        for number, sha256 in enumerate(self.blocks):
            start = number * BLOCK_BYTES
            length = min(BLOCK_BYTES, self.size_bytes - start)
            yield Block(start=start, length=length, sha256=sha256)


class ManifestMaker:
    """Makes the manifest of bytes that come in pieces of any length (M1)."""

    def __init__(self) -> None:
        self._whole = hashlib.sha256()
        self._block = hashlib.sha256()
        self._size = 0
        self._blocks: list[bytes] = []

    def update(self, data: bytes) -> None:
        """Take the next bytes."""
        self._whole.update(data)
        rest = memoryview(data)
        while rest:
            piece = rest[: BLOCK_BYTES - self._size % BLOCK_BYTES]
            self._block.update(piece)
            self._size += len(piece)
            if self._size % BLOCK_BYTES == 0:
                self._end_block()
            rest = rest[len(piece) :]

    def manifest(self) -> Manifest:
        """Give the manifest of everything that was taken; nothing may follow.

        Raises:
            ProtocolError: `too_large`.
        """
        if self._size > MAX_FILE_BYTES:
            raise ProtocolError("too_large")
        if self._size % BLOCK_BYTES:
            self._end_block()
        return Manifest(
            size_bytes=self._size, sha256=self._whole.digest(), blocks=tuple(self._blocks)
        )

    def _end_block(self) -> None:
        self._blocks.append(self._block.digest())
        self._block = hashlib.sha256()


def pack_manifest(manifest: Manifest) -> bytes:
    """Give the one byte form of a manifest."""
    blocks = b"".join(manifest.blocks)
    return encode([_FORMAT, manifest.size_bytes, manifest.sha256, blocks])


def read_manifest(data: bytes) -> Manifest:
    """Read a manifest from anybody (M2).

    Raises:
        ProtocolError: `not_canonical`, `too_large`, `version_unknown` or `message_invalid`.
    """
    match decode_array(data, max_bytes=MAX_MANIFEST_BYTES):
        case [int(number), *_] if number != _FORMAT:
            raise ProtocolError("version_unknown")
        case [int(_), int(size), bytes(sha256), bytes(joined)]:
            manifest = Manifest(
                size_bytes=size,
                sha256=sha256,
                blocks=tuple(
                    joined[at : at + _HASH_BYTES] for at in range(0, len(joined), _HASH_BYTES)
                ),
            )
        case _:
            raise ProtocolError("message_invalid")
    wanted = -(-size // BLOCK_BYTES)
    is_whole = len(sha256) == _HASH_BYTES and len(joined) == _HASH_BYTES * wanted
    if not (is_whole and 0 <= size <= MAX_FILE_BYTES):
        raise ProtocolError("message_invalid")
    if wanted == 1 and manifest.blocks != (sha256,):
        raise ProtocolError("message_invalid")
    return manifest
