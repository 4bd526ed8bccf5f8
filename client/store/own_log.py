"""The log this machine writes: its next event, its next name, and what it goes on from.

Every method that takes a connection runs inside its caller's write transaction.

Invariants:
  OL1  Each event follows its log's tip; number, chain and Lamport counter come from the database
       inside the same transaction, never from memory.
  OL2  Every log begins with an INCARNATION that names the tips of the logs of this machine that it
       goes on from. A log the database does not know is begun by whoever writes next.
  OL3  A new name is durable in the key file before anything is written under it.
  OL4  An event of the present log that this machine did not write makes it take a new name, in the
       transaction that keeps that event.
  OL5  A tip of an older log of this machine is named once by somebody; naming alone never makes
       two copies of a disk answer each other without end. A log that grew again and again after it
       was named belongs to a copy that is in use, and is left open: copies that teach for years
       name each other a bounded number of times.
"""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from client.domain.clock import Clock
from client.domain.failpoint import failpoint
from client.domain.record.bodies import Body, EventType, GoesOn, Incarnation, WhyIncarnation
from client.domain.record.event import NO_PREVIOUS, SCOPE_ROOM, Event, writer_of
from client.domain.record.fields import MAX_SEEN
from client.domain.record.fold import read
from client.domain.record.segment import BootRow
from client.domain.record.table import pack, spec_of
from client.store import journal_rows as rows
from client.store import log_rows
from client.store.disk import disk_errors
from client.store.journal_rows import Boot, Tip
from client.store.keyfile import KeyFile

CLEAN: Final = "journal.clean"
KEYS: Final = "journal.keys"
"""Local value: the public keys this machine ever wrote with."""
MAX_NAMED: Final = 4
"""So many tips of one log are named while it grows."""
RETURNED: Final = "journal.returned"
"""Local value: how many logs that this machine began after it was set back were given back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What a journal has to know about this start of the program.

    `boot_key` names the start of the machine where the system tells, else it is empty and a
    monotonic clock that went back tells.
    """

    why: WhyIncarnation = WhyIncarnation.FIRST
    boot_key: str = ""
    at_close: Callable[[], None] | None = None
    """Called once the file is closed."""


class OwnLog:
    """See the module. Only the writer thread changes it; any thread may ask for its name."""

    def __init__(self, key: KeyFile, clock: Clock, start: Start) -> None:
        self._clock: Final = clock
        self._start: Final = start
        self.key = key
        self.boot = 0
        """The present start of the machine, as the log that is written counts."""

    @property
    def writer(self) -> bytes:
        """The log that is written now."""
        return writer_of(self.key.public_key, self.key.nonce)

    def begin(self, connection: sqlite3.Connection) -> bool:
        """Begin this start of the program; tells whether the machine was started anew.

        Raises:
            StorageError: The disk refused.
        """
        self._remember_key(connection)
        wi = log_rows.writer_index(connection, self.writer)
        if wi is not None and len(rows.heads_of(connection, wi)) > 1:
            self.rotate()
            wi = None
        is_new_boot = wi is None or self._begin_boot(connection, wi)
        if wi is None:
            self._begin_log(connection)
        rows.put_local(connection, CLEAN, "")
        return is_new_boot

    def add(self, connection: sqlite3.Connection, body: Body) -> Event:
        """Write one event behind the tip (OL1)."""
        wi = log_rows.writer_index(connection, self.writer)
        if wi is None:
            wi = self._begin_log(connection)[0]
        return self._write(connection, wi, body)

    def rotate(self) -> None:
        """Take a new name; whoever writes next begins its log (OL3).

        Raises:
            StorageError: The disk refused; the old name stands.
        """
        with disk_errors():
            self.key = self.key.rotated()

    def took(self, connection: sqlite3.Connection, fresh: Sequence[Event]) -> list[Event]:
        """Look at events that came from elsewhere; returns what is written because of them (OL4).

        Raises:
            StorageError: A new name was needed and the disk refused it.
        """
        returned = sum(map(self._is_returned, fresh))
        if returned:
            before = rows.select_local(connection).get(RETURNED, "0")
            rows.put_local(connection, RETURNED, str(int(before) + returned))
        if all(event.writer != self.writer for event in fresh):
            return []
        self.rotate()
        return [self._begin_log(connection)[1]]

    def loose(self, connection: sqlite3.Connection) -> tuple[Tip, ...]:
        """Return the tips of older logs of this machine that nobody goes on from (OL5)."""
        return tuple(
            tip
            for tip in self._own_tips(connection)
            if tip.writer != self.writer and tip.first == 1 and _says_more(connection, tip)
        )

    def gather(self, connection: sqlite3.Connection) -> tuple[Event, ...]:
        """Name the loose tips, so that their logs cost nothing in a vector any more."""
        pairs = [(tip.writer, tip.hash) for tip in self.loose(connection)]
        return tuple(
            self.add(connection, GoesOn(predecessors=tuple(pairs[at : at + MAX_SEEN])))
            for at in range(0, len(pairs), MAX_SEEN)
        )

    def end(self, connection: sqlite3.Connection) -> None:
        """Mark a clean end."""
        wi = log_rows.writer_index(connection, self.writer)
        boot = None if wi is None else rows.last_boot(connection, wi)
        if wi is not None and boot is not None:
            mono = self._clock.boot_monotonic_ms()
            rows.touch_boot(connection, wi, boot.ordinal, mono)
        rows.put_local(connection, CLEAN, "1")

    # --- inside --------------------------------------------------------------------------

    def _begin_log(self, connection: sqlite3.Connection) -> tuple[int, Event]:
        tips = self._own_tips(connection)[-MAX_SEEN:]
        why = self._start.why
        if tips and why is WhyIncarnation.FIRST:
            why = WhyIncarnation.RESTORED
        key = self.key.public_key, self.key.nonce
        wi = log_rows.insert_writer(connection, self.writer, key)
        self._begin_boot(connection, wi)
        body = Incarnation(
            public_key=key[0],
            nonce=key[1],
            why=why,
            predecessors=tuple((tip.writer, tip.hash) for tip in tips),
        )
        return wi, self._write(connection, wi, body)

    def _is_returned(self, event: Event) -> bool:
        entry = read(event) if event.type == EventType.INCARNATION.value else None
        return (
            entry is not None
            and isinstance(entry.body, Incarnation)
            and entry.body.public_key == self.key.public_key
            and entry.body.why is WhyIncarnation.RESTORED
        )

    def _own_tips(self, connection: sqlite3.Connection) -> list[Tip]:
        """Return the tips of logs this machine wrote, under any key, that nobody goes on from."""
        keys = rows.select_local(connection).get(KEYS, "").split()
        return [tip for tip in rows.open_tips(connection) if tip.public_key.hex() in keys]

    def _remember_key(self, connection: sqlite3.Connection) -> None:
        told = rows.select_local(connection).get(KEYS)
        # An earlier version held nothing but logs of its own machine.
        known = (
            {key.hex() for _, _, (key, _) in rows.select_writers(connection)}
            if told is None
            else set(told.split())
        )
        rows.put_local(connection, KEYS, " ".join(sorted(known | {self.key.public_key.hex()})))

    def _begin_boot(self, connection: sqlite3.Connection, wi: int) -> bool:
        mono, key = self._clock.boot_monotonic_ms(), self._start.boot_key
        last = rows.last_boot(connection, wi)
        if last is not None and not is_new_boot(last, key, mono):
            rows.touch_boot(connection, wi, last.ordinal, mono)
            self.boot = last.ordinal
            return False
        boot = Boot(ordinal=1 if last is None else last.ordinal + 1, key=key, mono_ms=mono)
        row = BootRow(
            ordinal=boot.ordinal,
            wall_ms=self._wall_ms(),
            was_clean=rows.select_local(connection).get(CLEAN) == "1",
        )
        rows.insert_boot(connection, wi, boot, row)
        self.boot = boot.ordinal
        return True

    def _write(self, connection: sqlite3.Connection, wi: int, body: Body) -> Event:
        heads = rows.heads_of(connection, wi)
        seq, prev = heads[-1] if heads else (0, NO_PREVIOUS)
        boot = rows.last_boot(connection, wi)
        spec = spec_of(body)
        event = Event(
            writer=self.writer,
            seq=seq + 1,
            prev=prev,
            lc=1 + rows.largest_counter(connection),
            boot=0 if boot is None else boot.ordinal,
            mono_ms=self._clock.boot_monotonic_ms(),
            wall_ms=self._wall_ms(),
            scope=SCOPE_ROOM,
            type=spec.number.value,
            version=spec.version,
            body=pack(body),
        )
        log_rows.insert_event(connection, wi, event)
        failpoint("journal.before_commit")
        return event

    def _wall_ms(self) -> int:
        return int(self._clock.wall().timestamp() * 1000)


def _says_more(connection: sqlite3.Connection, tip: Tip) -> bool:
    """Tell whether a log is worth naming (OL5).

    It has more behind what was named of it than namings of other logs, and did not often before.
    """
    if log_rows.count_named(connection, tip.writer) >= MAX_NAMED:
        return False
    at: Event | None = rows.find_by_hash(connection, tip.writer, tip.hash)
    while at is not None and at.type == EventType.GOES_ON.value:
        if log_rows.is_named(connection, at):
            break
        at = rows.find_by_hash(connection, tip.writer, at.prev)
    return at is not None and not log_rows.is_named(connection, at)


def is_new_boot(last: Boot, key: str, mono_ms: int) -> bool:
    """Tell whether the machine was started again since `last` was written.

    | keys known | same  | monotonic went back | new boot |
    |------------|-------|---------------------|----------|
    | both       | yes   | -                   | no       |
    | both       | no    | -                   | yes      |
    | not both   | -     | yes                 | yes      |
    | not both   | -     | no                  | no       |
    """
    if key and last.key:
        return key != last.key
    return mono_ms < last.mono_ms
