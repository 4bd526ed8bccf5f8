"""Care of a hub's data: copies that can be believed, putting one back, and checking everything.

Invariants:
  Q1  A backup that is there is whole: it is written under another name, each file is checked and
      brought to the disk, and it is renamed last. The hub may run meanwhile.
  Q2  Restoring checks the backup before it touches anything, sets aside what was there and deletes
      nothing.
  Q3  A check reads every segment and event again, and calls sound only what follows from the
      signatures.
"""

import hashlib
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from client.domain.canon import Wire, decode_array, encode
from client.domain.errors import ProtocolError, StorageCorruptError, StorageError, UserError
from client.domain.record.bodies import Incarnation
from client.domain.record.event import Event, writer_of
from client.domain.record.fold import read
from client.domain.record.segment import unseal
from client.domain.record.vector import vector_of
from client.store.database import quick_check
from client.store.durable import move_file, set_aside, sync_file, sync_folder, write_file
from client.store.keyfile import verify
from client.store.log_rows import EVENT, FROM, event_of
from client.store.presence import Presence
from sync.hub.content import WITHDRAWN
from sync.hub.folder import CONTENT, HUB_DB, KEY, LOCK, LOGS_DB, TLS, HubFolder

_MANIFEST: Final = "manifest"
_FORMAT: Final = 1
_NEW: Final = ".new"


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """What a backup or a restored hub holds."""

    path: Path
    files: int
    size_bytes: int
    set_aside: Path | None = None
    """Where that is now which was there before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """One thing that is not as it must be. `why` is a code."""

    what: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a check found."""

    sites: int
    logs: int
    segments: int
    events: int
    nodes: int
    damaged: tuple[Damage, ...]

    @property
    def is_sound(self) -> bool:
        """Whether nothing is damaged."""
        return not self.damaged


def backup(folder: HubFolder, target: Path) -> Copied:
    """Copy a hub's data while it runs (Q1). Blocking.

    What it withdrew is part of it; the lessons it publishes are not: they are taken in again.

    Raises:
        UserError: `backup_exists`: there is something under this name.
        StorageError: The disk refused, or the hub itself is damaged; no backup was made.
    """
    if target.exists():
        raise UserError("backup_exists", {"path": str(target)})
    fresh = target.with_name(target.name + _NEW)
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        fresh.mkdir(mode=0o700, parents=True)
        # The logs first: whoever brought them is in the directory that is copied after them.
        folder.log_database.backup_to(fresh / LOGS_DB)
        folder.database.backup_to(fresh / HUB_DB)
        if not (quick_check(fresh / LOGS_DB) and quick_check(fresh / HUB_DB)):
            raise StorageCorruptError("store_corrupt")
        for path in _keys(folder.path):
            (fresh / path).parent.mkdir(mode=0o700, exist_ok=True)
            write_file(fresh / path, (folder.path / path).read_bytes(), mode=0o600)
        for name in (LOGS_DB, HUB_DB):
            (fresh / name).chmod(0o600)
            sync_file(fresh / name)
        copied = _describe(fresh)
        move_file(fresh, target)
    except OSError as error:
        raise StorageError("store_failed", {"detail": str(error)}) from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return Copied(path=target, files=len(copied), size_bytes=sum(copied.values()))


def restore(source: Path, folder: Path) -> Copied:
    """Put a backup in the place of a hub's data, which no process may have open (Q2). Blocking.

    What rooms brought since the backup they bring again: the hub tells each what it holds.

    Raises:
        UserError: `backup_absent`, or `hub_in_use`.
        StorageCorruptError: `backup_damaged`: a file is not what was written; nothing changed.
        StorageError: The disk refused.
    """
    files = _check_manifest(source)
    fresh = folder.with_name(folder.name + _NEW)
    try:
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700, parents=True)
        for name in files:
            (fresh / name).parent.mkdir(mode=0o700, exist_ok=True)
            write_file(fresh / name, (source / name).read_bytes(), mode=0o600)
        sync_folder(fresh)
        aside = _make_room(folder)
        move_file(fresh, folder)
    except OSError as error:
        raise StorageError("store_failed", {"detail": str(error)}) from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return Copied(path=folder, files=len(files), size_bytes=sum(files.values()), set_aside=aside)


def check(folder: HubFolder) -> Checked:
    """Check every byte that a hub keeps (Q3). Blocking; the hub may run meanwhile."""
    paths = (folder.database.path, folder.log_database.path)
    damaged = [
        Damage(what=path.name, why="store_corrupt") for path in paths if not quick_check(path)
    ]
    counts = [0, 0, 0, 0]
    if not damaged:
        for found in folder.log_database.read_here(lambda c: list(_check_sites(c, folder))):
            damaged += found.damaged
            for at, more in enumerate((1, found.logs, found.segments, found.events)):
                counts[at] += more
    return Checked(
        sites=counts[0],
        logs=counts[1],
        segments=counts[2],
        events=counts[3],
        nodes=len(folder.directory.nodes()) if not damaged else 0,
        damaged=tuple(damaged),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Site:
    logs: int
    segments: int
    events: int
    damaged: tuple[Damage, ...]


def _check_sites(connection: sqlite3.Connection, folder: HubFolder) -> Iterator[_Site]:
    # One transaction: what a running hub takes meanwhile is not seen half.
    connection.execute("BEGIN")
    try:
        for si, name in connection.execute("SELECT si, name FROM site ORDER BY si").fetchall():
            yield _check_site(connection, folder, si, name)
    finally:
        connection.execute("ROLLBACK")


def _check_site(connection: sqlite3.Connection, folder: HubFolder, si: int, name: bytes) -> _Site:
    damaged: list[Damage] = []
    keys: dict[bytes, bytes] = {}
    for w, key, nonce in connection.execute(
        "SELECT w, public_key, nonce FROM writer WHERE si = ?", (si,)
    ):
        keys[w] = key
        if writer_of(key, nonce) != w or folder.directory.owner(name, w) not in (key, None):
            damaged.append(Damage(what=f"log {w.hex()}", why="writer_unknown"))
    sealed: dict[bytes, Event] = {}
    segments = 0
    for w, first, data in connection.execute(
        "SELECT w, first_seq, data FROM sealed JOIN writer USING (wi) WHERE si = ?", (si,)
    ):
        segments += 1
        try:
            sealed.update((one.hash, one) for one in unseal(data, keys.get, verify).events)
        except ProtocolError as error:
            damaged.append(Damage(what=f"segment {w.hex()} {first}", why=error.code))
    events: dict[bytes, Event] = {}
    for row in connection.execute(f"SELECT {EVENT} {FROM} WHERE si = ?", (si,)):
        try:
            event = event_of(row)
            events[event.hash] = event
        except ProtocolError as error:
            damaged.append(Damage(what=f"event {row[0].hex()} {row[1]}", why=error.code))
    damaged += [
        Damage(what=f"event {one.writer.hex()} {one.seq}", why="chain_broken")
        for one in {**sealed, **events}.values()
        if (one.hash in sealed) != (one.hash in events)
    ]
    if not damaged and folder.logs.of(name).vector() != vector_of(events, _named(events)):
        damaged.append(Damage(what=f"site {name.hex()}", why="chain_broken"))
    return _Site(logs=len(keys), segments=segments, events=len(events), damaged=tuple(damaged))


def _named(events: dict[bytes, Event]) -> list[tuple[bytes, bytes]]:
    bodies = [entry.body for entry in map(read, events.values()) if entry is not None]
    return [pair for body in bodies if isinstance(body, Incarnation) for pair in body.predecessors]


def _keys(folder: Path) -> list[str]:
    """Name the files beside the databases that a copy must hold."""
    named = (folder / KEY, folder / CONTENT / WITHDRAWN, *sorted((folder / TLS).glob("*.*")))
    return [path.relative_to(folder).as_posix() for path in named if path.is_file()]


def _describe(folder: Path) -> dict[str, int]:
    """Write what a backup holds beside it; gives sizes by name."""
    sizes: dict[str, int] = {}
    rows: list[Wire] = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        sizes[name] = path.stat().st_size
        rows.append([name, sizes[name], _digest(path)])
    write_file(folder / _MANIFEST, encode([_FORMAT, rows]))
    for path in {entry.parent for entry in folder.rglob("*")}:
        sync_folder(path)
    return sizes


def _check_manifest(source: Path) -> dict[str, int]:
    """Read what a backup holds and check every file."""
    try:
        row = decode_array((source / _MANIFEST).read_bytes())
    except FileNotFoundError as error:
        raise UserError("backup_absent", {"path": str(source)}) from error
    except ProtocolError as error:
        raise StorageCorruptError("backup_damaged", {"path": str(source)}) from error
    sizes: dict[str, int] = {}
    match row:
        case [1, list(rows)]:
            for entry in rows:
                match entry:
                    case [str(name), int(size), bytes(digest)] if _is_inside(name):
                        path = source / name
                        if not path.is_file() or _digest(path) != digest:
                            raise StorageCorruptError("backup_damaged", {"path": str(path)})
                        sizes[name] = size
                    case _:
                        raise StorageCorruptError("backup_damaged", {"path": str(source)})
        case _:
            raise StorageCorruptError("backup_damaged", {"path": str(source)})
    return sizes


def _is_inside(name: str) -> bool:
    """Tell whether a name is one that backups write: a file, or one of `tls/` or `content/`."""
    parts = name.split("/")
    return all(part and part not in (".", "..") for part in parts) and parts[:-1] in (
        [],
        [TLS],
        [CONTENT],
    )


def _make_room(folder: Path) -> Path | None:
    """Set aside what is there, if nobody has it open."""
    if not folder.exists():
        return None
    presence = Presence(folder / LOCK)
    try:
        with presence.alone() as is_alone:
            if not is_alone:
                raise UserError("hub_in_use", {"path": str(folder)})
    finally:
        presence.close()
    return set_aside(folder)


def _digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
