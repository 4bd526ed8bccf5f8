"""Who has the journal open: so that nobody repairs it under somebody else's feet.

The app and the command line may use one profile at the same time. Each holds a shared lock while it
has the journal open; a repair, which renames the file, needs to be alone. SQLite's own locks do
this on every system and end with the process.

Invariants:
  PR1  While anybody is present, nobody is alone.
"""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_WAIT_S: Final = 0.5


class Presence:
    """One user of one lock file. Not thread-safe: its owner calls it."""

    def __init__(self, path: Path) -> None:
        self._connection: Final = sqlite3.connect(
            path, isolation_level=None, timeout=_WAIT_S, check_same_thread=False
        )

    def enter(self) -> None:
        """Be present until `leave` or the end of the process."""
        self._connection.execute("BEGIN")
        self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()

    def leave(self) -> None:
        """Be present no more. Idempotent."""
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    @contextlib.contextmanager
    def alone(self) -> Iterator[bool]:
        """Be the only one, if nobody is present; yields whether it is so."""
        try:
            self._connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            yield False
            return
        try:
            yield True
        finally:
            self._connection.execute("ROLLBACK")

    def close(self) -> None:
        """Leave for good."""
        self._connection.close()
