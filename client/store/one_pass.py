"""Writing a file while it is hashed: every byte is touched once, and nobody waits for the other.

Invariants:
  OP1  What is hashed is what is written, in its order.
  OP2  At most `_AHEAD` pieces wait in memory, whichever side is slower.
"""

import hashlib
import os
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from io import FileIO
from typing import Final, Protocol, Self

from client.store.disk import disk_errors

_AHEAD: Final = 8
_FLUSH_BYTES: Final = 32 << 20
"""After so much the system is told to bring it to the disk, so that the fsync finds little left."""


class Hash(Protocol):
    """What `hashlib` gives."""

    def update(self, data: bytes, /) -> None:
        """Take bytes."""
        ...

    def hexdigest(self) -> str:
        """Give the digest of all that was taken."""
        ...


def sha256() -> Hash:
    """Begin a SHA-256."""
    return hashlib.sha256()


def md5() -> Hash:
    """Begin an MD5, which is what the platform announces."""
    return hashlib.md5(usedforsecurity=False)


class OnePass:
    """Writes to an open file and hashes beside it; used by one thread, as a context.

    Args:
        file: Where the bytes go; stays open.
        hashes: Take the same bytes, each on a thread of its own.

    Raises:
        StorageError: From `write`: the disk is full or failed.
    """

    def __init__(self, file: FileIO, hashes: Sequence[Hash]) -> None:
        self._file = file
        self._pools = [(one, ThreadPoolExecutor(1, thread_name_prefix="hash")) for one in hashes]
        self._waiting: deque[Future[None]] = deque()
        self._unflushed = 0

    def write(self, data: bytes) -> None:
        """Write and hash the next bytes."""
        while len(self._waiting) > (_AHEAD - 1) * len(self._pools):
            self._waiting.popleft().result()
        for one, pool in self._pools:
            self._waiting.append(pool.submit(one.update, data))
        with disk_errors():
            write_all(self._file.write, data)
            self._unflushed += len(data)
            if self._unflushed >= _FLUSH_BYTES:
                begin_flush(self._file.fileno())
                self._unflushed = 0

    def settle(self) -> None:
        """Wait until everything is hashed; nothing may be written after. Idempotent."""
        for _, pool in self._pools:
            pool.shutdown(wait=True)

    def __enter__(self) -> Self:
        """Give the object itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Wait until everything is hashed."""
        self.settle()


def write_all(write: Callable[[memoryview], int | None], data: bytes) -> None:
    """Call a raw file's `write` until everything is written."""
    rest = memoryview(data)
    while rest:
        rest = rest[write(rest) or 0 :]


def begin_flush(handle: int) -> None:
    """Have the system begin to write what it holds of a file, where it knows how."""
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
