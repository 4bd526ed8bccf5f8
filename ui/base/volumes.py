"""Which sticks are plugged in, as the system tells.

Invariants:
  VO1  A disk of the system itself is never taken for a stick.
"""

import ctypes
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PySide6.QtCore import QStorageInfo

_PLACES: Final = ("/media/", "/run/media/", "/mnt/", "/Volumes/")
"""Where systems other than Windows mount what is plugged in."""
_LIGHT: Final = frozenset({"vfat", "msdos", "exfat", "fuseblk", "ntfs", "ntfs3", "fat32", "fat"})
_REMOVABLE: Final = 2
"""What Windows calls a drive whose medium can be taken out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """One stick."""

    root: Path
    name: str
    free_bytes: int
    size_bytes: int


def sticks() -> tuple[Volume, ...]:
    """List the sticks that can be read. Asks the system: not for the GUI thread."""
    found = []
    for info in QStorageInfo.mountedVolumes():
        kind = bytes(info.fileSystemType().data()).decode("ascii", "replace").lower()
        root = info.rootPath()
        if info.isValid() and info.isReady() and is_stick(root, kind):
            volume = Volume(
                root=Path(root),
                name=info.name() or Path(root).name or root,
                free_bytes=info.bytesAvailable(),
                size_bytes=info.bytesTotal(),
            )
            found.append(volume)
    return tuple(sorted(found, key=lambda one: str(one.root)))


def is_stick(root: str, kind: str, *, is_windows: bool = os.name == "nt") -> bool:
    """Tell whether something mounted is a stick, by where it is and how it is written (VO1)."""
    if is_windows:
        return _drive_type(root) == _REMOVABLE
    return kind in _LIGHT and root.startswith(_PLACES)


def _drive_type(root: str) -> int:
    windll = getattr(ctypes, "windll", None)
    return 0 if windll is None else int(windll.kernel32.GetDriveTypeW(root))
