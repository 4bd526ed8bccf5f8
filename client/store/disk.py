"""Errors of the disk in this program's words, and small files written durably with them.

Invariants:
  D1  temp name -> write -> fsync -> rename -> fsync folder, in this order.
  D2  A failure of the disk leaves as `StorageFullError` or `StorageError`.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from client.domain.errors import StorageError, StorageFullError
from client.store.durable import sync_folder
from client.store.locked import replace, unlink

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextmanager
def disk_errors() -> Iterator[None]:
    """Turn what the operating system raises into this program's own errors (D2)."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StorageFullError("disk_full") from error
        raise StorageError("disk_failed", {"detail": error.strerror or str(error)}) from error


def write_durably(path: Path, data: bytes) -> None:
    """Replace the content of `path` (D1). Its folder must exist.

    Raises:
        StorageError: The disk is full or failed; `path` is as it was.
    """
    temp = path.with_name(path.name + ".tmp")
    with disk_errors():
        try:
            with temp.open("wb") as file:
                file.write(data)
                sync_file(file)
            replace(temp, path)
        except OSError:
            unlink(temp)
            raise
        sync_folder(path.parent)


def sync_file(file: BinaryIO) -> None:
    """Have what was written to an open file reach the disk."""
    file.flush()
    os.fsync(file.fileno())
