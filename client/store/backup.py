"""Rolling copies of the journal beside it: two, compact, each checked before it counts.

Invariants:
  P1  A backup that is there is whole: it is written under another name, checked, brought to the
      disk and renamed last.
  P2  While a backup is made, at least one that was there before stays, whatever happens.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from client.domain.failpoint import failpoint
from client.store.database import Database, quick_check
from client.store.durable import move_file, sync_file

KEPT: Final = 2
EVENTS_BETWEEN: Final = 200
"""So many events may be newer than the newest backup before a start makes another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backups:
    """The backups of one file."""

    path: Path
    """The file they are copies of."""

    def name(self, number: int) -> Path:
        """Name a backup; 1 is the newest."""
        return self.path.with_name(f"{self.path.stem}.backup-{number}{self.path.suffix}")

    def present(self) -> tuple[Path, ...]:
        """Return the backups there are, newest first."""
        names = (self.name(number) for number in range(1, KEPT + 1))
        return tuple(path for path in names if path.exists())

    def make(self, database: Database) -> bool:
        """Add a backup of the present state; False when the copy was not sound. Blocking.

        Raises:
            StorageError: The copy could not be written; the old backups stand.
            OSError: The same, while renaming.
        """
        # A name of this process alone: the command line may run beside the app.
        fresh = self.path.with_name(f"{self.path.stem}.backup-new-{os.getpid()}{self.path.suffix}")
        fresh.unlink(missing_ok=True)
        try:
            database.backup_to(fresh)
            if not quick_check(fresh):
                return False
            sync_file(fresh)
            failpoint("backup.before_rename")
            for number in range(KEPT - 1, 0, -1):
                if self.name(number).exists():
                    move_file(self.name(number), self.name(number + 1))
            failpoint("backup.between_renames")
            move_file(fresh, self.name(1))
        finally:
            fresh.unlink(missing_ok=True)
        return True


def is_due(*, is_new_boot: bool, events: int, events_then: int | None) -> bool:
    """Decide whether a start makes a backup.

    | a backup is there | something new | new boot | many new | make one |
    |-------------------|---------------|----------|----------|----------|
    | no                | -             | -        | -        | yes      |
    | yes               | no            | -        | -        | no       |
    | yes               | yes           | yes      | -        | yes      |
    | yes               | yes           | no       | yes      | yes      |
    | yes               | yes           | no       | no       | no       |
    """
    if events_then is None:
        return True
    fresh = events - events_then
    return fresh != 0 and (is_new_boot or fresh < 0 or fresh >= EVENTS_BETWEEN)
