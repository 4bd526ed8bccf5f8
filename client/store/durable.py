"""Files that are there or not, never half: temp name, write, fsync, rename, fsync the folder.

Invariants:
  Y1  After `write_file` or `move_file` returned, the new content survives a power cut; before,
      the old one does.
  Y2  `set_aside` never overwrites and never deletes.
"""

import os
from pathlib import Path
from typing import Final

from client.store.locked import replace

_NEW: Final = ".new"


def write_file(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Replace `path` with `data` so that no reader ever sees a part of it.

    Raises:
        OSError: The disk refused; `path` is as it was.
    """
    fresh = path.with_name(path.name + _NEW)
    fresh.unlink(missing_ok=True)
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        move_file(fresh, path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise


def move_file(source: Path, target: Path) -> None:
    """Rename durably inside one folder, replacing `target`. `source` is already on the disk."""
    replace(source, target)
    sync_folder(target.parent)


def sync_file(path: Path) -> None:
    """Bring what was written to `path` to the disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Bring the names in `folder` to the disk, where the system knows how."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def set_aside(path: Path) -> Path:
    """Rename `path` to the first free `<name>.damaged-<n>`, and return where it is now."""
    number = 1
    while (target := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    move_file(path, target)
    return target
