"""A file that comes from near by, whose blocks are known before it comes.

It grows by plain appends; what an earlier life left is believed block by block, by hash, so nothing
has to be written down on the way and a file costs one fsync. `Growing` is for links, where a block
costs more than an fsync.

Invariants:
  V1  Bytes of an earlier life count only as far as their blocks match; the rest is cut off.
  V2  A file is finished only when all of its bytes have the digest that names it and are on the
      disk.
"""

import contextlib
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Final, Self

from client.domain.errors import DigestMismatchError
from client.domain.failpoint import failpoint
from client.domain.ids import Digest
from client.store.disk import disk_errors
from client.store.one_pass import Hash, OnePass, sha256


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a file must be: its digest, length, and the SHA-256 of every block."""

    digest: Digest
    size_bytes: int
    block_bytes: int
    blocks: Sequence[bytes]


class Arriving:
    """One such file. Used by one thread at a time, as a context.

    Args:
        path: Where it grows.
        expected: What it must be.

    Raises:
        StorageError: The disk is full or failed (as from every method).
    """

    def __init__(self, path: Path, expected: Expected) -> None:
        self.path: Final = path
        self.expected: Final = expected
        self._hash: Hash = sha256()
        self._stack = contextlib.ExitStack()
        with disk_errors():
            path.parent.mkdir(exist_ok=True)
            handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644)
            self._file = self._stack.enter_context(FileIO(handle, "r+b"))
            self.size = self._take_up()
        self._writer = self._stack.enter_context(OnePass(self._file, (self._hash,)))

    def write(self, data: bytes) -> None:
        """Append bytes."""
        self._writer.write(data)
        self.size += len(data)
        failpoint("arrive.after_write")

    def check(self) -> None:
        """Be sure that everything is here and right; nothing may be written after. Idempotent.

        Raises:
            DigestMismatchError: It is something else; what is right of it counts for the next.
        """
        self._writer.settle()
        is_right = self._hash.hexdigest() == self.expected.digest
        if self.size != self.expected.size_bytes or not is_right:
            raise DigestMismatchError("digest_mismatch", {"size_bytes": self.size})

    def finish(self) -> None:
        """Have it on the disk, checked and closed (V2).

        Raises:
            DigestMismatchError: See `check`.
        """
        self.check()
        with disk_errors():
            os.fsync(self._file.fileno())
        failpoint("arrive.after_sync")
        self.close()

    def close(self) -> None:
        """Close it; what is there stays for the next life. Idempotent."""
        with disk_errors():
            self._stack.close()

    def discard(self) -> None:
        """Delete it."""
        self.close()
        with disk_errors():
            self.path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        """Give the object itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def _take_up(self) -> int:
        """Hash what is there, and cut it behind its last right block (V1)."""
        size = 0
        for block in self.expected.blocks:
            data = self._file.read(self.expected.block_bytes)
            if not data or hashlib.sha256(data).digest() != block:
                break
            self._hash.update(data)
            size += len(data)
        self._file.seek(size)
        self._file.truncate()
        return size
