"""Noticing that a disk was set back, copied to another machine, or forgets at every start.

Invariants:
  GU1  A journal that lacks an event its sentinel names, or lies on another machine than before, is
       written under a new name from this start on.
  GU2  No fact ever waits for the sentinel.
"""

import sqlite3
import threading
from dataclasses import dataclass, replace
from typing import Final

from client.domain.errors import StorageError
from client.domain.forgetting import forgets
from client.store import journal_rows as rows
from client.store import log_rows
from client.store.machine import Marks, describe, is_other
from client.store.own_log import RETURNED
from client.store.sentinel import Mark, Sentinel

MACHINE: Final = "journal.machine"
STARTS: Final = "journal.starts"
"""Local value: how often the machine was started since this journal began."""
FORGETS: Final = "journal.forgets"
"""Local value: `1` on a disk that forgets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was found before the journal is written to."""

    is_set_back: bool = False
    is_other_machine: bool = False

    @property
    def wants_new_name(self) -> bool:
        """Whether another disk may write on under the old name (GU1)."""
        return self.is_set_back or self.is_other_machine


class Guard:
    """See the module."""

    def __init__(self, sentinel: Sentinel, marks: Marks) -> None:
        self._sentinel: Final = sentinel
        self._marks: Final = marks
        self._mark = sentinel.read() or Mark()
        self._gate = threading.Lock()
        self.is_written = True
        """Whether the sentinel could be written the last time."""

    def look(self, connection: sqlite3.Connection) -> Finding:
        """Compare the journal with what the sentinel and an earlier start say."""
        if not rows.count_events(connection):
            return Finding()
        mark, described = self._mark, rows.select_local(connection).get(MACHINE, "")
        is_lost = rows.find_by_hash(connection, mark.writer, mark.head) is None
        return Finding(
            is_set_back=bool(mark.head) and is_lost,
            is_other_machine=bool(described) and is_other(described, self._marks),
        )

    def begin(
        self, connection: sqlite3.Connection, *, is_new_boot: bool, is_repaired: bool
    ) -> bool:
        """Count this start; tells whether the disk forgets.

        A repair that went on from an older copy does not count as a disk that was set back.
        """
        local = rows.select_local(connection)
        salt = bytes.fromhex(local.get(MACHINE, "").partition(":")[0])
        rows.put_local(connection, MACHINE, describe(self._marks, salt))
        if is_new_boot:
            told = self._mark.starts[-1:] if is_repaired else ()
            count = 1 + max((int(local.get(STARTS, "0")), *told))
            rows.put_local(connection, STARTS, str(count))
            self._mark = replace(self._mark, starts=(*self._mark.starts, count))
        return self.judge(connection)

    def judge(self, connection: sqlite3.Connection) -> bool:
        """Decide whether the disk forgets, and write it down."""
        local = rows.select_local(connection)
        found = forgets(self._mark.starts, int(local.get(RETURNED, "0")))
        if found != (local.get(FORGETS) == "1"):
            rows.put_local(connection, FORGETS, "1" if found else "")
        return found

    def note(self, connection: sqlite3.Connection, writer: bytes) -> None:
        """Write down the tip of the log that is written (ST1)."""
        wi = log_rows.writer_index(connection, writer)
        heads = () if wi is None else rows.heads_of(connection, wi)
        with self._gate:
            if heads:
                seq, head = heads[-1]
                self._mark = replace(self._mark, writer=writer, seq=seq, head=head)
            try:
                self._sentinel.write(self._mark)
            except StorageError:
                self.is_written = False
            else:
                self.is_written = True
