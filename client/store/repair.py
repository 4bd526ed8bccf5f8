"""Opening the journal whatever happened to it, and telling what was done.

Invariants:
  E1  Whatever the journal's file holds, opening gives a journal that works; only a file of a
      newer program, a full disk or a missing right refuses, and then nothing was changed.
  E2  A damaged file is never deleted or written to: it is kept under another name.
  E3  The state to go on from is the newest backup that is whole, with every event on top of it
      that the damaged file still gives and whose chain holds.
  E4  After a repair the machine writes under a new name that names the tips it goes on from.
"""

import contextlib
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from client.domain.clock import Clock
from client.domain.errors import ProtocolError, StorageError, StorageTooNewError
from client.domain.failpoint import failpoint
from client.domain.record.bodies import WhyIncarnation
from client.domain.record.event import NO_PREVIOUS, Event
from client.domain.record.resume import ResumePoint
from client.store import journal_rows as rows
from client.store.backup import Backups
from client.store.boot import boot_key
from client.store.database import Database
from client.store.durable import move_file, set_aside, sync_file, sync_folder
from client.store.journal import Journal, Start
from client.store.keyfile import KeyFile
from client.store.schema_journal import MIGRATIONS

T = TypeVar("T")

FILE: Final = "journal.db"
KEY_FILE: Final = "journal.key"
_BESIDE: Final = ("-wal", "-shm")
_TAIL: Final = 64
"""So many events at the end of each log are checked at every start."""


_ALL_ROWS: Final = (
    "SELECT wi, seq, prev, lc, boot, mono, wall, scope, type, version, body, hash"
    " FROM event NOT INDEXED ORDER BY n ASC",
    "SELECT wi, seq, prev, lc, boot, mono, wall, scope, type, version, body, hash"
    " FROM event NOT INDEXED ORDER BY n DESC",
)
_DAMAGE: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)
"""SQLITE_ERROR is a table or column that should be there and is not."""


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


def open_journal(folder: Path, clock: Clock) -> OpenedJournal:
    """Open or make the journal of a profile, repairing it if it must be. Blocking.

    A backup is made behind it when one is due.

    Raises:
        StorageTooNewError: A newer program wrote it; nothing was touched.
        StorageError: The disk is full or refuses.
        OSError: The folder cannot be used.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path, key_path = folder / FILE, folder / KEY_FILE
    notices: list[Notice] = []
    database = _open_sound(path) if path.exists() else None
    if database is not None and _remains(path) and not _is_begun(database):
        # Cut down to nothing: sound for SQLite, and yet a loss.
        database.close()
        database = None
    if database is None and (path.exists() or _remains(path)):
        ready = _rebuilt(path, notices)
        key, why = _new_name(key_path)
        # Last of all: until now a crash only means that the next start does it again.
        failpoint("repair.before_rename")
        move_file(ready, path)
        failpoint("repair.after_rename")
        database = Database(path, MIGRATIONS)
    else:
        database = database or Database(path, MIGRATIONS)
        key, why = _key(key_path, database, notices)
    journal = Journal(database, key, clock, Start(why=why, boot_key=boot_key()))
    journal.backup_if_due()
    return OpenedJournal(journal=journal, notices=tuple(notices))


def is_sound(connection: sqlite3.Connection) -> bool:
    """Check the file and the end of each log: pages, hashes, links, tips."""
    try:
        if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            return False
        return all(_tail_holds(connection, tip) for tip in rows.select_tips(connection))
    except ProtocolError:
        return False
    except sqlite3.Error as error:
        if _is_damage(error):
            return False
        raise


def _tail_holds(connection: sqlite3.Connection, tip: rows.Tip) -> bool:
    first = max(1, tip.seq - _TAIL)
    by_hash = {event.hash: event for event in rows.select_log(connection, tip.writer, first)}
    event = by_hash.get(tip.hash)
    while event is not None and event.seq > first:
        event = by_hash.get(event.prev)
    return event is not None


def _is_damage(error: BaseException | None) -> bool:
    """Tell a damaged file from a disk that is full, busy or refuses."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGE


# --- opening -----------------------------------------------------------------------------


def _open_sound(path: Path) -> Database | None:
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
        if database.read(is_sound).result():
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
        now = None
        notices.append(Notice(code="journal_missing"))
    work, ready = (path.with_name(path.name + ending) for ending in (".work", ".new"))
    database = _restored(path, work, notices)
    try:
        saved = sum(_salvage(database, one, with_resume=one == now) for one in _damaged(path))
        if saved:
            notices.append(Notice(code="journal_salvaged", values=(("events", saved),)))
        ready.unlink(missing_ok=True)
        database.backup_to(ready)
    finally:
        database.close()
    sync_file(ready)
    _remove(work)
    return ready


def _restored(path: Path, work: Path, notices: list[Notice]) -> Database:
    """Open a copy of the newest whole backup, or begin with nothing."""
    for backup in Backups(path=path).present():
        _remove(work)
        shutil.copyfile(backup, work)
        database = _open_sound(work)
        if database is not None:
            count = database.read(rows.count_events).result()
            notices.append(Notice(code="journal_restored", values=(("events", count),)))
            return database
    _remove(work)
    notices.append(Notice(code="journal_empty"))
    return Database(work, MIGRATIONS)


def _set_aside(path: Path) -> Path:
    """Move the file and what SQLite keeps beside it; returns where the file is now."""
    target = set_aside(path)
    for ending in _BESIDE:
        beside = path.with_name(path.name + ending)
        if beside.exists():
            beside.replace(target.with_name(target.name + ending))
    sync_folder(path.parent)
    return target


def _remove(path: Path) -> None:
    for ending in ("", *_BESIDE):
        path.with_name(path.name + ending).unlink(missing_ok=True)


def _key(path: Path, database: Database, notices: list[Notice]) -> tuple[KeyFile, WhyIncarnation]:
    """Find the key to write a whole journal with."""
    key = KeyFile.load(path)
    is_used = _is_begun(database)
    if key is None and is_used:
        notices.append(Notice(code="journal_key_new"))
        return KeyFile.create(path), WhyIncarnation.KEY_LOST
    if key is None:
        return KeyFile.create(path), WhyIncarnation.FIRST
    if is_used:
        return key, WhyIncarnation.FIRST
    # The key wrote a log that is gone: its numbers must not be used again.
    notices.append(Notice(code="journal_empty"))
    return key.rotated(), WhyIncarnation.RESTORED


def _new_name(path: Path) -> tuple[KeyFile, WhyIncarnation]:
    """Find the key to go on with after a repair: always under a new name (E4)."""
    key = KeyFile.load(path)
    if key is None:
        return KeyFile.create(path), WhyIncarnation.KEY_LOST
    return key.rotated(), WhyIncarnation.RESTORED


# --- saving what a damaged file still gives -------------------------------------------------


def _salvage(database: Database, damaged: Path, *, with_resume: bool) -> int:
    """Add what can still be read of `damaged`; returns how many events that were.

    Resume points are taken only from the file that was in use until now.
    """
    with tempfile.TemporaryDirectory(dir=damaged.parent, prefix="salvage-") as folder:
        # SQLite may write to what it opens: work on a copy (E2).
        copy = Path(folder) / FILE
        for ending in ("", *_BESIDE):
            source = damaged.with_name(damaged.name + ending)
            if source.exists():
                shutil.copyfile(source, copy.with_name(copy.name + ending))
        with contextlib.closing(sqlite3.connect(copy)) as connection:
            logs = _first_of(connection, _read_writers) or {}
            events = tuple(_events(connection, {wi: log[0] for wi, log in logs.items()}))
            points = _first_of(connection, rows.select_resume) if with_resume else None
    return database.write(
        lambda target: _add(target, tuple(logs.values()), events, points or ())
    ).result()


def _first_of(connection: sqlite3.Connection, fn: Callable[[sqlite3.Connection], T]) -> T | None:
    try:
        return fn(connection)
    except (sqlite3.Error, ProtocolError):
        return None


def _read_writers(
    connection: sqlite3.Connection,
) -> dict[int, tuple[bytes, bytes, bytes]]:
    found = connection.execute("SELECT wi, w, public_key, nonce FROM writer")
    return {wi: (w, key, nonce) for wi, w, key, nonce in found}


def _events(connection: sqlite3.Connection, writers: dict[int, bytes]) -> Iterator[Event]:
    """Read rows from both ends until a page cannot be read; bad rows are passed over."""
    for query in _ALL_ROWS:
        try:
            for wi, *row in connection.execute(query):
                with contextlib.suppress(ProtocolError):
                    yield rows.event_of((writers.get(wi), *row))
        except sqlite3.Error:
            continue


def _add(
    connection: sqlite3.Connection,
    logs: Iterable[tuple[bytes, bytes, bytes]],
    events: Iterable[Event],
    points: Iterable[ResumePoint],
) -> int:
    """Add events whose predecessor is there, in the order of their logs."""
    known = dict(connection.execute("SELECT w, wi FROM writer"))
    keys = {writer: (key, nonce) for writer, key, nonce in logs}
    added = 0
    for event in sorted(set(events), key=lambda one: (one.writer, one.seq)):
        if event.writer not in known:
            known[event.writer] = rows.insert_writer(connection, event.writer, *keys[event.writer])
        if rows.has_event(connection, event.hash):
            continue
        if event.prev == NO_PREVIOUS or rows.has_event(connection, event.prev):
            rows.insert_event(connection, known[event.writer], event)
            added += 1
    for point in points:
        rows.put_resume(connection, point)
    return added
