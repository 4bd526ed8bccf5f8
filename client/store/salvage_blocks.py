"""What is still good of a file that was set aside: its stretches, by the marks of when it came.

`blobs/marks/<sha256>.list` is the list of the file's growing (see `client.store.growing`), kept
when it was complete. A damaged file whose list names the same identity gives every stretch that
still has its hash.

Invariants:
  SB1  A stretch is given only with the hash it had when it came; anything else is not given.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from client.store.growing import read_marks

MOST_BYTES: Final = 64 << 20
"""Longer stretches are not looked at: no source makes them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Where a stretch of the file lies, and its SHA-256 in hexadecimal digits."""

    start: int
    length: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Salvage:
    """One file that was set aside, with its stretches in order."""

    path: Path
    stretches: tuple[Stretch, ...]

    def read(self, stretch: Stretch) -> bytes | None:
        """Give the bytes of a stretch if they are good (SB1). Blocking."""
        try:
            with self.path.open("rb") as file:
                file.seek(stretch.start)
                data = file.read(stretch.length)
        except OSError:
            return None
        return data if is_good(stretch, data) else None


def is_good(stretch: Stretch, data: bytes) -> bool:
    """Tell whether these are the bytes of a stretch, whoever gave them (SB1)."""
    return len(data) == stretch.length and hashlib.sha256(data).hexdigest() == stretch.sha256


def find_salvage(damaged: Path, marks: Path, identity: str) -> Salvage | None:
    """Find the file of this identity among those that were set aside. Blocking."""
    for path in sorted(damaged.iterdir()):
        blocks = read_marks(marks / f"{path.name[:64]}.list", identity)
        if blocks and all(length <= MOST_BYTES for length, _ in blocks):
            return Salvage(path=path, stretches=_stretches(blocks))
    return None


def _stretches(blocks: tuple[tuple[int, str], ...]) -> tuple[Stretch, ...]:
    found, start = [], 0
    for length, sha256 in blocks:
        found.append(Stretch(start=start, length=length, sha256=sha256))
        start += length
    return tuple(found)
