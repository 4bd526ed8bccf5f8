"""What the journal's last state was, written down in a second place.

If the sentinel knows an event that the journal does not have, the disk was set back, or rows were
cut off; a file system alone cannot tell.

Invariants:
  ST1  The sentinel never names an event that was not durable in the journal before.
  ST2  A sentinel that is missing or damaged says nothing; one that cannot be written stops nothing.
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from client.domain.canon import Wire, decode_array, encode
from client.domain.errors import ProtocolError
from client.store.disk import disk_errors
from client.store.durable import write_file

VARIABLE: Final = "TONGKE_STATE"
FILE: Final = "sentinel"
_FORMAT: Final = 1
KEPT: Final = 16
"""So many starts are remembered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """The tip of the log that was written, and what the data folder counted at the last starts."""

    writer: bytes = b""
    seq: int = 0
    head: bytes = b""
    starts: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentinel:
    """One file."""

    path: Path

    def read(self) -> Mark | None:
        """Read it; None where there is none that can be read (ST2)."""
        try:
            row = decode_array(self.path.read_bytes())
        except (OSError, ProtocolError):
            return None
        match row:
            case [1, bytes(writer), int(seq), bytes(head), list(starts)]:
                numbers = tuple(one for one in starts if isinstance(one, int))
                return Mark(writer=writer, seq=seq, head=head, starts=numbers)
            case _:
                return None

    def write(self, mark: Mark) -> None:
        """Replace it durably.

        Raises:
            StorageError: The disk is full or refuses; the old one stands.
        """
        starts: list[Wire] = list(mark.starts[-KEPT:])
        row: list[Wire] = [_FORMAT, mark.writer, mark.seq, mark.head, starts]
        with disk_errors():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_file(self.path, encode(row))

    def remove(self) -> None:
        """Forget everything.

        Raises:
            StorageError: The disk refused.
        """
        with disk_errors():
            self.path.unlink(missing_ok=True)


def sentinel_of(profile: Path) -> Sentinel:
    """Return the sentinel of a profile: in the user's folder for states, away from the data."""
    named = os.environ.get(VARIABLE)
    base = Path(named) if named else _state_home() / "tongke"
    name = hashlib.sha256(str(profile.absolute()).encode()).hexdigest()[:16]
    return Sentinel(path=base / name / FILE)


def _state_home() -> Path:
    for variable in ("XDG_STATE_HOME", "LOCALAPPDATA"):
        if found := os.environ.get(variable):
            return Path(found)
    return Path.home() / ".local" / "state"
