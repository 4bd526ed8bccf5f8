"""roster.db: names and marks of pupils, on this machine only.

No sync code may import this module (pyproject.toml), and nothing of it is in any other file but a
sealed backup.

Invariants:
  RS1  There is no file before the first pupil is written.
  RS2  The file and all that stands beside it can be read by its owner only.
  RS3  A damaged file is set aside, never deleted or written to, and whoever asks is told its name.
  RS4  A change is one transaction: the list that is decided on is the list that is changed.
  RS5  A restored roster replaces a present one only after that is kept whole beside it.
  RS6  A file that another process has open is not moved.
  RS7  What was dropped is overwritten in the file, not only unlinked.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from client.domain.errors import StorageCorruptError, StorageError, UserError
from client.domain.failpoint import failpoint
from client.domain.ids import ClassId
from client.domain.roster import Mark, MarkKind, Pupil, PupilId, in_order
from client.store.database import Database
from client.store.disk import disk_errors
from client.store.durable import move_file, sync_folder, write_file
from client.store.presence import Presence
from client.store.schema_roster import MIGRATIONS

T = TypeVar("T")
FILE: Final = "roster.db"
LOCK_FILE: Final = "roster.lock"
_MODE: Final = 0o600
_BESIDE: Final = ("-wal", "-shm")


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """Which roster a file holds, how often it was changed, and how many pupils are in it."""

    id: str
    edition: int
    pupils: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaced:
    """What a restored roster took the place of. None: there was none."""

    about: About | None
    kept: Path | None


class RosterStore:
    """Blocking, for one thread at a time: its owner's worker. See the module's invariants.

    Args:
        folder: The profile.
    """

    def __init__(self, folder: Path) -> None:
        self._path: Final = folder / FILE
        self._lock: Final = folder / LOCK_FILE
        self._presence: Presence | None = None
        self._database: Database | None = None
        self.set_aside: Path | None = None
        """Where a damaged file was put since this store was made (RS3)."""

    # --- reading -------------------------------------------------------------------------

    def about(self) -> About | None:
        """Tell what there is, None if there is no roster."""
        return self._read(_select_about, None)

    def pupils(self, class_id: ClassId) -> tuple[Pupil, ...]:
        """Return a class in order, those who left last."""
        return self._read(partial(_select_pupils, class_id=class_id), ())

    def marks(self, class_id: ClassId) -> tuple[Mark, ...]:
        """Return the marks of a class in the order in which they were made."""
        return self._read(partial(_select_marks, class_id=class_id), ())

    def image(self) -> bytes:
        """Return the whole roster as the bytes of a database file, empty if there is none."""
        return self._read(_serialize, b"")

    # --- writing -------------------------------------------------------------------------

    def change(
        self, class_id: ClassId, decide: Callable[[tuple[Pupil, ...]], Sequence[Pupil]]
    ) -> tuple[Pupil, ...]:
        """Replace the list of a class by what `decide` makes of it, and return it (RS4).

        Nobody is removed: a pupil that `decide` leaves out stays as before.

        Raises:
            UserError: What `decide` raises; nothing is changed, and no file is made.
            StorageError: The disk is full or refuses.
        """
        if not self._path.exists() and not decide(()):
            return ()
        return self._write(partial(_change, class_id=class_id, decide=decide))

    def add_mark(self, mark: Mark) -> None:
        """Keep a mark.

        Raises:
            UserError: `pupil_unknown`: nobody of that id is in the class.
            StorageError: The disk is full or refuses.
        """
        if mark.pupil not in {pupil.id for pupil in self.pupils(mark.class_id)}:
            raise UserError("pupil_unknown")
        self._write(partial(_insert_mark, mark=mark))

    def drop(self, class_id: ClassId) -> int:
        """Delete a class with its marks and return how many pupils it had (RS7)."""
        if not self.pupils(class_id):
            return 0
        count = self._write(partial(_delete_class, class_id=class_id))
        # Closing empties the write-ahead log, which still holds pages with the names.
        self.close()
        return count

    def replace(self, image: bytes) -> Replaced:
        """Put a roster that `image` gave in the place of the present one (RS5).

        Raises:
            StorageCorruptError: `image` holds no sound roster; nothing was changed.
            StorageTooNewError: A newer program made it; nothing was changed.
            StorageError: `roster_in_use`, or the disk refuses; nothing was changed.
        """
        fresh = self._path.with_name(f"{FILE}.restoring")
        try:
            with disk_errors():
                write_file(fresh, image, mode=_MODE)
            _check(fresh)
            return self._put_in_place(fresh)
        finally:
            _remove(fresh)

    def beside(self) -> tuple[Path, ...]:
        """List files that were set aside, replaced, or left by a crash: they still hold names."""
        found = self._path.parent.glob(f"{FILE}.*")
        return tuple(sorted(one for one in found if not one.name.endswith(_BESIDE)))

    def close(self) -> None:
        """Close the file; the next question opens it again."""
        if self._database is not None:
            self._database.close()
        if self._presence is not None:
            self._presence.close()
        self._database = self._presence = None

    # --- inside --------------------------------------------------------------------------

    def _read(self, fn: Callable[[sqlite3.Connection], T], nothing: T) -> T:
        database = self._found()
        return nothing if database is None else database.read(fn).result()

    def _write(self, fn: Callable[[sqlite3.Connection], T]) -> T:
        return (self._found() or self._made()).write(fn).result()

    def _found(self) -> Database | None:
        """Open the file if there is a sound one; set a damaged one aside."""
        if self._database is None and self._path.exists():
            self._enter()
            self._database = _opened(self._path)
            if self._database is None:
                with self._alone():
                    self._set_aside()
        return self._database

    def _made(self) -> Database:
        with disk_errors():
            # SQLite gives the files it keeps beside this one the same mode (RS2).
            os.close(os.open(self._path, os.O_WRONLY | os.O_CREAT, _MODE))
        self._enter()
        self._database = _begun(self._path)
        return self._database

    def _enter(self) -> None:
        if self._presence is not None:
            return
        with disk_errors():
            self._path.chmod(_MODE)
        presence = self._new_presence()
        try:
            presence.enter()
        except sqlite3.Error as error:
            presence.close()
            raise StorageError("roster_in_use") from error
        self._presence = presence

    def _new_presence(self) -> Presence:
        with disk_errors():
            self._lock.touch(mode=_MODE)
        return Presence(self._lock)

    def _set_aside(self) -> None:
        target = _free(self._path, "damaged")
        with disk_errors():
            # First what belongs to it: a log left behind would be taken for that of the next file.
            for ending in (*_BESIDE, ""):
                source = self._path.with_name(self._path.name + ending)
                if source.exists():
                    source.replace(target.with_name(target.name + ending))
            sync_folder(self._path.parent)
        self.set_aside = target

    def _put_in_place(self, fresh: Path) -> Replaced:
        with self._alone(), disk_errors():
            about, kept = self._keep() if self._path.exists() else (None, None)
            for ending in _BESIDE:
                self._path.with_name(self._path.name + ending).unlink(missing_ok=True)
            failpoint("roster.before_rename")
            move_file(fresh, self._path)
        return Replaced(about=about, kept=kept)

    def _keep(self) -> tuple[About | None, Path | None]:
        """Write a whole copy of the present roster beside it; a damaged one is set aside."""
        database = _opened(self._path)
        if database is None:
            self._set_aside()
            return None, None
        about = database.read(_select_about).result()
        image = database.read(_serialize).result()
        database.close()
        kept = _free(self._path, "replaced")
        write_file(kept, image, mode=_MODE)
        return about, kept

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Close the file and be the only one who may touch it (RS6).

        Raises:
            StorageError: `roster_in_use`.
        """
        self.close()
        presence = self._new_presence()
        try:
            with presence.alone() as is_alone:
                if not is_alone:
                    raise StorageError("roster_in_use")
                yield
        finally:
            presence.close()


# --- files -------------------------------------------------------------------------------


def _opened(path: Path) -> Database | None:
    """Open a file if it is a sound roster, None if it is damaged; an empty one was cut down."""
    if not path.stat().st_size:
        return None
    database = None
    try:
        database = _begun(path)
        if database.read(_is_sound).result():
            return database
    except StorageError as error:
        if not _is_damage(error):
            raise
    if database is not None:
        database.close()
    return None


def _is_sound(connection: sqlite3.Connection) -> bool:
    if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
        return False
    for table in ("pupil", "mark"):
        connection.execute(f"SELECT count(*) FROM {table}")  # noqa: S608 - a word of this module
    return len(connection.execute("SELECT id, edition FROM about").fetchall()) == 1


def _is_damage(error: StorageError) -> bool:
    """Tell a damaged file from a disk that is full, busy or refuses."""
    if isinstance(error, StorageCorruptError):
        return True
    # A table that should be there and is not, or the other way round.
    code = getattr(error.__cause__, "sqlite_errorcode", 0)
    return code == sqlite3.SQLITE_ERROR


def _begun(path: Path) -> Database:
    database = Database(path, MIGRATIONS)
    # RS7; a setting of the connection, not of the file.
    database.write(lambda c: c.execute("PRAGMA secure_delete = ON").fetchall()).result()
    return database


def _check(path: Path) -> None:
    """Bring a restored file up to this version, or refuse it."""
    database = _opened(path)
    if database is None:
        raise StorageCorruptError("store_corrupt")
    database.close()


def _free(path: Path, kind: str) -> Path:
    number = 1
    while (target := path.with_name(f"{path.name}.{kind}-{number}")).exists():
        number += 1
    return target


def _remove(path: Path) -> None:
    with disk_errors():
        for ending in ("", *_BESIDE):
            path.with_name(path.name + ending).unlink(missing_ok=True)


# --- rows --------------------------------------------------------------------------------


def _serialize(connection: sqlite3.Connection) -> bytes:
    return connection.serialize()


def _select_about(connection: sqlite3.Connection) -> About:
    name, edition, pupils = connection.execute(
        "SELECT id, edition, (SELECT count(*) FROM pupil) FROM about"
    ).fetchone()
    return About(id=name, edition=edition, pupils=pupils)


def _select_pupils(connection: sqlite3.Connection, class_id: ClassId) -> tuple[Pupil, ...]:
    found = connection.execute(
        "SELECT id, position, name, is_present FROM pupil WHERE class_id = ?", (class_id,)
    )
    return in_order(
        [
            Pupil(id=PupilId(name), position=position, name=text, is_present=bool(is_present))
            for name, position, text, is_present in found
        ]
    )


def _select_marks(connection: sqlite3.Connection, class_id: ClassId) -> tuple[Mark, ...]:
    found = connection.execute(
        "SELECT pupil, kind, value, day FROM mark WHERE class_id = ? ORDER BY n", (class_id,)
    )
    return tuple(
        Mark(class_id=class_id, pupil=PupilId(pupil), kind=MarkKind(kind), value=value, day=day)
        for pupil, kind, value, day in found
    )


def _change(
    connection: sqlite3.Connection,
    class_id: ClassId,
    decide: Callable[[tuple[Pupil, ...]], Sequence[Pupil]],
) -> tuple[Pupil, ...]:
    before = _select_pupils(connection, class_id)
    changed = [pupil for pupil in decide(before) if pupil not in before]
    connection.executemany(
        "INSERT INTO pupil (id, class_id, position, name, is_present) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET position = excluded.position, name = excluded.name,"
        " is_present = excluded.is_present",
        [(one.id, class_id, one.position, one.name, one.is_present) for one in changed],
    )
    if changed:
        _count(connection)
    return _select_pupils(connection, class_id)


def _insert_mark(connection: sqlite3.Connection, mark: Mark) -> None:
    connection.execute(
        "INSERT INTO mark (class_id, pupil, kind, value, day) VALUES (?, ?, ?, ?, ?)",
        (mark.class_id, mark.pupil, mark.kind.value, mark.value, mark.day),
    )
    _count(connection)


def _delete_class(connection: sqlite3.Connection, class_id: ClassId) -> int:
    count = connection.execute("DELETE FROM pupil WHERE class_id = ?", (class_id,)).rowcount
    _count(connection)
    return count


def _count(connection: sqlite3.Connection) -> None:
    """Count one change: what a backup is compared by."""
    connection.execute("UPDATE about SET edition = edition + 1")
