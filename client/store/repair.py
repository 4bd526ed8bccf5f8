"""Opening the journal whatever happened to it, and telling what was done.

Invariants:
  E1  Whatever the journal's file holds, opening gives a journal that works; only a file of a
      newer program, a disk too full to begin or repair, or a missing right refuses, and then
      nothing was changed.
  E2  A damaged file is never deleted or written to: it is kept under another name.
  E3  After a repair the journal holds every event that the damaged file, an earlier one or a
      backup still gives and whose hash holds, each once.
  E4  After a repair the machine writes under a new name that names the tips it goes on from.
  E5  A file that another process has open is not renamed.
"""

import sqlite3
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

from client.domain.clock import Clock
from client.domain.errors import ProtocolError, StorageError, StorageTooNewError
from client.domain.failpoint import failpoint
from client.domain.record.bodies import WhyIncarnation
from client.store import journal_rows as rows
from client.store.backup import Backups
from client.store.ballast import Ballast
from client.store.boot import boot_key
from client.store.database import Database
from client.store.durable import move_file, set_aside, sync_file, sync_folder
from client.store.guard import Guard
from client.store.journal import BALLAST, SUSPECT, Journal
from client.store.journal_rows import Tip
from client.store.keyfile import KeyFile
from client.store.machine import Marks
from client.store.own_log import Start
from client.store.presence import Presence
from client.store.salvage import BESIDE, fill, gather
from client.store.schema_journal import MIGRATIONS
from client.store.sentinel import Sentinel

FILE: Final = "journal.db"
KEY_FILE: Final = "journal.key"
KEY_COPY: Final = "keys/journal.key"
"""In the folder for secrets, away from what people move about together with the journal."""
LOCK_FILE: Final = "journal.lock"
_TAIL: Final = 64
"""So many events at the end of each log that may still grow are checked at every start."""


_DAMAGE: Final = (
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_ERROR,
    sqlite3.SQLITE_CONSTRAINT,
)
"""SQLITE_ERROR is a table or column that should be there and is not, SQLITE_CONSTRAINT a row that
should not be there, met while a file of an earlier version is brought up to date."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something that was found and done at start: a message code `notice.<code>` and values."""

    code: str
    values: tuple[tuple[str, str | int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedJournal:
    """A journal that works, and what had to be done for it."""

    journal: Journal
    notices: tuple[Notice, ...]


def open_journal(
    folder: Path,
    clock: Clock,
    sentinel: Sentinel | None = None,
    marks: Marks = (),
    boot: str | None = None,
) -> OpenedJournal:
    """Open or make the journal of a profile, repairing it if it must be. Blocking.

    Behind it a backup is made when one is due, and room is kept back for a full disk.

    Args:
        folder: The profile.
        clock: Gives evidence of time.
        sentinel: Tells whether the disk was set back; None where nobody looks.
        marks: Tell the machine, see `client.store.machine`.
        boot: Names this start of the machine; the system is asked when it is left out.

    Raises:
        StorageTooNewError: A newer program wrote it; nothing was touched.
        StorageError: The disk is full or refuses.
        OSError: The folder cannot be used.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        opened = _open(folder, clock, (sentinel, marks), boot)
    except StorageTooNewError:
        raise
    except (StorageError, OSError):
        # A full disk may refuse in many words: give up the ballast and try once more.
        if not Ballast(path=folder / BALLAST).drop():
            raise
        opened = _open(folder, clock, (sentinel, marks), boot)
        opened = replace(opened, notices=(*opened.notices, Notice(code="disk_full")))
    else:
        opened.journal.lay_ballast()
    opened.journal.backup_if_due()
    return opened


def _open(
    folder: Path, clock: Clock, seen: tuple[Sentinel | None, Marks], boot: str | None
) -> OpenedJournal:
    sentinel, marks = seen
    notices: list[Notice] = []
    presence = Presence(folder / LOCK_FILE)
    try:
        presence.enter()
        database, key, why = _whole(folder, presence, notices)
        try:
            key_of_boot = boot_key() if boot is None else boot
            start = Start(why=why, boot_key=key_of_boot, at_close=presence.close)
            guard = None if sentinel is None else Guard(sentinel, marks)
            if guard is not None and why is WhyIncarnation.FIRST:
                key = _unshared(database, key, guard, notices)
            journal = Journal(database, key, clock, start, guard)
        except (StorageError, OSError):
            database.close()
            raise
    except BaseException:
        presence.close()
        raise
    return OpenedJournal(journal=journal, notices=tuple(notices))


def _whole(
    folder: Path, presence: Presence, notices: list[Notice]
) -> tuple[Database, KeyFile, WhyIncarnation]:
    """Open a journal that is whole, repairing it only while nobody else has it open."""
    path = folder / FILE
    database = _begun(path, heeds_suspect=True)
    if database is None and (path.exists() or _remains(path)):
        presence.leave()
        with presence.alone() as is_alone:
            if is_alone:
                return _repaired(path, notices)
        presence.enter()
        # Somebody else is at it: a suspect row can wait, real damage cannot.
        database = _begun(path, heeds_suspect=False)
        if database is None:
            raise StorageError("journal_in_use")
    database = database or Database(path, MIGRATIONS)
    return database, *_key(folder, database, notices)


def _repaired(path: Path, notices: list[Notice]) -> tuple[Database, KeyFile, WhyIncarnation]:
    ready = _rebuilt(path, notices)
    key, why = _new_name(path.parent)
    # Last of all: until now a crash only means that the next start does it again.
    failpoint("repair.before_rename")
    move_file(ready, path)
    failpoint("repair.after_rename")
    return Database(path, MIGRATIONS), key, why


def _begun(path: Path, *, heeds_suspect: bool) -> Database | None:
    """Open a whole file; None for a damaged one and for one that was cut down to nothing."""
    database = _open_sound(path, heeds_suspect=heeds_suspect) if path.exists() else None
    if database is not None and _remains(path) and not _is_begun(database):
        # Sound for SQLite, and yet a loss.
        database.close()
        return None
    return database


def is_sound(connection: sqlite3.Connection, *, heeds_suspect: bool) -> bool:
    """Check the file and the end of each log: pages, hashes, links, tips."""
    try:
        if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            return False
        if heeds_suspect and rows.select_local(connection).get(SUSPECT) == "1":
            return False
        return all(_tail_holds(connection, tip) for tip in rows.open_tips(connection))
    except ProtocolError:
        return False
    except sqlite3.Error as error:
        if _is_damage(error):
            return False
        raise


def _tail_holds(connection: sqlite3.Connection, tip: Tip) -> bool:
    first = max(tip.first, tip.seq - _TAIL)
    by_hash = {event.hash: event for event in rows.select_log(connection, tip.writer, first)}
    event, lowest = by_hash.get(tip.hash), tip.seq + 1
    while event is not None:
        lowest = event.seq
        event = by_hash.get(event.prev)
    return lowest == first


def _is_damage(error: BaseException | None) -> bool:
    """Tell a damaged file from a disk that is full, busy or refuses."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGE


# --- opening -----------------------------------------------------------------------------


def _open_sound(path: Path, *, heeds_suspect: bool) -> Database | None:
    """Open a file if it is whole; None when it is damaged."""
    try:
        database = Database(path, MIGRATIONS)
    except StorageTooNewError:
        raise
    except StorageError as error:
        if _is_damage(error.__cause__):
            return None
        raise
    try:
        if database.read(partial(is_sound, heeds_suspect=heeds_suspect)).result():
            return database
    except BaseException:
        database.close()
        raise
    database.close()
    return None


def _is_begun(database: Database) -> bool:
    return database.read(rows.count_events).result() > 0


def _remains(path: Path) -> tuple[Path, ...]:
    """Return backups and files set aside: signs that a missing journal was there once."""
    return (*Backups(path=path).present(), *_damaged(path))


def _damaged(path: Path) -> tuple[Path, ...]:
    names = path.parent.glob(f"{path.name}.damaged-*")
    return tuple(sorted(name for name in names if name.name.rpartition("-")[2].isdigit()))


def _rebuilt(path: Path, notices: list[Notice]) -> Path:
    """Make a whole journal beside `path` out of what there is; `path` itself is set aside."""
    if path.exists():
        now = _set_aside(path)
        notices.append(Notice(code="journal_damaged", values=(("name", now.name),)))
    else:
        notices.append(Notice(code="journal_missing"))
    work, ready = (path.with_name(path.name + ending) for ending in (".work", ".new"))
    backups, damaged = Backups(path=path).present(), _damaged(path)
    kept = gather(reversed(backups))
    saved = gather(damaged, kept)
    _remove(work)
    database = Database(work, MIGRATIONS)
    try:
        counts = database.write(lambda target: fill(target, (kept, saved))).result()
        database.write(lambda target: rows.put_local(target, SUSPECT, "")).result()
        for code, count in zip(("journal_restored", "journal_salvaged"), counts, strict=True):
            if count:
                notices.append(Notice(code=code, values=(("events", count),)))
        if not any(counts):
            notices.append(Notice(code="journal_empty"))
        ready.unlink(missing_ok=True)
        database.backup_to(ready)
    finally:
        database.close()
    sync_file(ready)
    _remove(work)
    return ready


def _set_aside(path: Path) -> Path:
    """Move the file and what SQLite keeps beside it; returns where the file is now."""
    target = set_aside(path)
    for ending in BESIDE:
        beside = path.with_name(path.name + ending)
        if beside.exists():
            beside.replace(target.with_name(target.name + ending))
    sync_folder(path.parent)
    return target


def _remove(path: Path) -> None:
    for ending in ("", *BESIDE):
        path.with_name(path.name + ending).unlink(missing_ok=True)


def _key(folder: Path, database: Database, notices: list[Notice]) -> tuple[KeyFile, WhyIncarnation]:
    """Find the key to write a whole journal with."""
    files = folder / KEY_FILE, folder / KEY_COPY
    key = KeyFile.load(*files)
    is_used = _is_begun(database)
    if key is None and is_used:
        notices.append(Notice(code="journal_key_new"))
        return KeyFile.create(*files), WhyIncarnation.KEY_LOST
    if key is None:
        return KeyFile.create(*files), WhyIncarnation.FIRST
    if key.is_restored:
        notices.append(Notice(code="journal_key_restored"))
    if is_used:
        return key, WhyIncarnation.FIRST
    # The key wrote a log that is gone: its numbers must not be used again.
    notices.append(Notice(code="journal_empty"))
    return key.rotated(), WhyIncarnation.RESTORED


def _unshared(database: Database, key: KeyFile, guard: Guard, notices: list[Notice]) -> KeyFile:
    """Take a new name where another disk may write on under the old one."""
    found = database.read(guard.look).result()
    if found.is_set_back:
        notices.append(Notice(code="journal_rolled_back"))
    if found.is_other_machine:
        notices.append(Notice(code="machine_changed"))
    return key.rotated() if found.wants_new_name else key


def _new_name(folder: Path) -> tuple[KeyFile, WhyIncarnation]:
    """Find the key to go on with after a repair: always under a new name (E4)."""
    files = folder / KEY_FILE, folder / KEY_COPY
    key = KeyFile.load(*files)
    if key is None:
        return KeyFile.create(*files), WhyIncarnation.KEY_LOST
    return key.rotated(), WhyIncarnation.RESTORED
