"""What hubs signed of lessons that came by stick, kept so that it can be passed on.

Invariants:
  VO1  What a hub signed of a lesson is never replaced by what it signed before.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from client.domain.canon import decode_array, encode
from client.domain.errors import ProtocolError
from client.domain.ids import LessonId
from client.store.disk import disk_errors, write_durably
from client.store.sidecar import file_name
from sync.protocol.bundle import MAX_SHEET_BYTES, Entry, Sheet, read_sheet, sheet_digest

_ROOM: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Vouched:
    """What a hub signed of a lesson: its entry without paths, and the sheet read and packed."""

    entry: Entry
    sheet: Sheet
    data: bytes


class Vouchers:
    """One file for each lesson. Blocking; any thread.

    Args:
        folder: Made with the first that is kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder: Final = folder

    def find(self, lesson: LessonId) -> Vouched | None:
        """Give the newest word on a lesson; None without one that can be read."""
        try:
            data = self._path(lesson).read_bytes()
            row = decode_array(data, max_bytes=MAX_SHEET_BYTES + _ROOM)
            match row:
                case [bytes(key), int(number), bytes(signature), bytes(sheet)]:
                    entry = Entry(
                        lesson=lesson,
                        sheet=sheet_digest(sheet),
                        size_bytes=len(sheet),
                        key=key,
                        number=number,
                        signature=signature,
                    )
                    return Vouched(entry=entry, sheet=read_sheet(sheet), data=sheet)
                case _:
                    return None
        except (OSError, ProtocolError):
            return None

    def is_older(self, entry: Entry) -> bool:
        """Tell whether the same hub signed something newer of this lesson (VO1)."""
        known = self.find(entry.lesson)
        if known is None or known.entry.key != entry.key:
            return False
        return known.entry.number > entry.number

    def keep(self, entry: Entry, sheet: bytes) -> None:
        """Keep what was signed, unless it is older (VO1).

        Raises:
            StorageError: The disk refused.
        """
        if not self.is_older(entry):
            with disk_errors():
                self._folder.mkdir(exist_ok=True)
            row = encode([entry.key, entry.number, entry.signature, sheet])
            write_durably(self._path(entry.lesson), row)

    def _path(self, lesson: LessonId) -> Path:
        return self._folder / file_name(lesson).replace(".json", ".les")
