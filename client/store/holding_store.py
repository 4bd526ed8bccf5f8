"""What is held of which lesson: rows in library.db, and a sidecar for each cached lesson.

Invariants:
  K1  A holding is PRESENT only while its blob's row is there; `keep` writes blob, sidecar and
      rows in this order, so a crash never leaves a row without its file.
  K2  What the sidecars say is enough to make all PRESENT rows again (`adopt`).
  K3  A file found damaged is set aside and its holdings become ABSENT in one transaction.
  K4  An older edition of a file stays until the new one is here, then it goes: behind the class,
      where one is open on the lesson. Dropping a lesson, too, deletes a blob only when no other
      lesson refers to it.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from client.domain.availability import PartState
from client.domain.cancel import CancelToken
from client.domain.catalogue import Lesson
from client.domain.errors import ProtocolError
from client.domain.failpoint import failpoint
from client.domain.holding import Blob, Holding, KeptLesson
from client.domain.ids import Digest, LessonId, PartId
from client.store.blob_store import BlobStore
from client.store.database import Database
from client.store.disk import disk_errors, write_durably
from client.store.holding_rows import (
    FORGET_UNUSED,
    blob_from,
    forget_files,
    forget_unused,
    outdated_in,
    put_blob,
    put_holding,
    put_kept,
)
from client.store.sidecar import LIMIT_BYTES, Held, Sidecar, decode, encode, file_name

DAMAGED: Final = "damaged"
MISSING: Final = "missing"
_BLOB: Final = "SELECT digest, ext, size_bytes, trust, decodes, verified_at FROM blob"
_HOLDINGS: Final = """
SELECT h.lesson, h.part, h.path, h.state, h.reason,
       b.digest, b.ext, b.size_bytes, b.trust, b.decodes, b.verified_at
FROM holding AS h LEFT JOIN blob AS b ON b.digest = h.digest
"""
_KEPT: Final = """
SELECT k.lesson, k.title, total(b.size_bytes), coalesce(min(b.verified_at), '')
FROM kept AS k
LEFT JOIN (SELECT DISTINCT lesson, digest FROM holding) AS h ON h.lesson = k.lesson
LEFT JOIN blob AS b ON b.digest = h.digest
GROUP BY k.lesson ORDER BY k.title, k.lesson
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyReport:
    """What re-hashing found. `damaged` names the holdings that are absent again."""

    checked: int
    bad: int
    damaged: tuple[tuple[LessonId, PartId, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptReport:
    """What the sidecars gave back."""

    lessons: int
    files: int
    damaged: int


class HoldingStore:
    """Rows, sidecars and blobs of one profile. Blocking; may be used from worker threads.

    Args:
        database: `library.db` with the tables of `schema_holdings`.
        blobs: The files.
        sidecars: Folder of the sidecars; made when missing.
    """

    def __init__(self, database: Database, blobs: BlobStore, sidecars: Path) -> None:
        self.blobs: Final = blobs
        self._database = database
        self._sidecars = sidecars
        self._gate = threading.RLock()
        self._listeners: tuple[Callable[[LessonId], None], ...] = ()
        self._is_taught: Callable[[LessonId], bool] = _never
        self._untidy: set[LessonId] = set()
        self._is_tidy = False
        with disk_errors():
            sidecars.mkdir(parents=True, exist_ok=True)

    def subscribe(self, listener: Callable[[LessonId], None]) -> None:
        """Have `listener` told each lesson whose holdings changed, on the changing thread."""
        self._listeners = (*self._listeners, listener)

    def have_old_kept(self, is_taught: Callable[[LessonId], bool]) -> None:
        """Have older files kept while a class is open on their lesson, until `tidy` (K4)."""
        self._is_taught = is_taught

    # --- reading -----------------------------------------------------------------------------

    def of_lesson(self, lesson: LessonId) -> tuple[Holding, ...]:
        """List what is known of one lesson's files."""
        return self.of_lessons((lesson,))

    def of_lessons(self, lessons: Iterable[LessonId]) -> tuple[Holding, ...]:
        """List what is known of several lessons' files."""
        wanted = tuple(lessons)

        def read(connection: sqlite3.Connection) -> tuple[Holding, ...]:
            rows: list[Holding] = []
            for lesson in wanted:
                found = connection.execute(_HOLDINGS + "WHERE h.lesson = ?", (lesson,))
                rows += [self._holding(row) for row in found]
            return tuple(rows)

        return self._database.read_here(read)

    def kept_lessons(self) -> tuple[KeptLesson, ...]:
        """List the cached lessons by title."""

        def read(connection: sqlite3.Connection) -> tuple[KeptLesson, ...]:
            return tuple(
                KeptLesson(
                    id=LessonId(row[0]), title=row[1], size_bytes=int(row[2]), verified_at=row[3]
                )
                for row in connection.execute(_KEPT)
            )

        return self._database.read_here(read)

    def lesson(self, lesson: LessonId) -> Lesson | None:
        """Read a cached lesson from its sidecar, None when it is not cached or unreadable."""
        sidecar = self._read(self._sidecars / file_name(lesson))
        return None if sidecar is None else sidecar.lesson

    def has_blob(self, digest: Digest) -> Blob | None:
        """Find a blob by its digest; None when it is not here in its full length."""
        blob = self._one_blob("WHERE digest = ?", digest)
        if blob is None or not self.blobs.has(blob.digest, blob.ext, blob.size_bytes):
            return None
        return blob

    def knows(self, digest: Digest) -> bool:
        """Tell whether anything refers to a file."""
        return self._one_blob("WHERE digest = ?", digest) is not None

    def strays(self) -> int:
        """Count the files among the blobs that nothing refers to."""
        known = {self.blobs.path(blob.digest, blob.ext) for blob in self._blobs(None)}
        return sum(path not in known for path in self.blobs.all_files())

    def of_size(self, size_bytes: int) -> tuple[Blob, ...]:
        """List the blobs of this length: a file of it may be one of them, and no other."""

        def read(connection: sqlite3.Connection) -> tuple[Blob, ...]:
            rows = connection.execute(f"{_BLOB} WHERE size_bytes = ?", (size_bytes,))
            return tuple(map(blob_from, rows))

        return self._database.read_here(read)

    def keep(self, lesson: Lesson, part: PartId, path: str, blob: Blob) -> Holding:
        """Record that a file of a lesson is here (K1). The blob stands in its place already.

        Raises:
            StorageError: The disk or the database refused; the blob stays and can be kept again.
        """
        with self._gate:
            new, outdated = Held(part=part, path=path, blob=blob), outdated_in(lesson, part)
            is_taught = self._is_taught(lesson.id)
            known = {
                (one.part, one.path): Held(part=one.part, path=one.path, blob=one.blob)
                for one in self.of_lesson(lesson.id)
                if one.blob is not None
            }
            before = known.pop((part, path), new).blob
            held = [one for of, one in known.items() if is_taught or not outdated(*of)]
            self._write_sidecar(Sidecar(lesson=lesson, held=(*held, new)))
            if is_taught:
                self._untidy.add(lesson.id)

            def write(connection: sqlite3.Connection) -> list[tuple[str, str]]:
                put_blob(connection, blob)
                put_holding(connection, lesson.id, new)
                put_kept(connection, lesson)
                if is_taught:
                    return []
                found = connection.execute(
                    "SELECT path FROM holding WHERE lesson = ? AND part = ?", (lesson.id, part)
                ).fetchall()
                old = [row[0] for row in found if outdated(part, row[0])]
                gone = forget_files(connection, lesson.id, part, old)
                if connection.execute(FORGET_UNUSED, (before.digest, before.digest)).rowcount:
                    gone.append((before.digest, before.ext))
                return gone

            for digest, ext in self._database.write(write).result():
                self.blobs.drop(Digest(digest), ext)
        failpoint("holding.after_row")
        self._tell(lesson.id)
        return Holding(
            lesson=lesson.id,
            part=part,
            path=path,
            state=PartState.PRESENT,
            blob=blob,
            file=self.blobs.path(blob.digest, blob.ext),
        )

    def tidy(self) -> None:
        """Delete what newer editions replaced while a class was open on the lesson (K4)."""
        with self._gate:
            over = [lesson for lesson in self._untidy if not self._is_taught(lesson)]
            for lesson in over:
                known, held = self.lesson(lesson), self.of_lesson(lesson)
                old = [
                    (one.part, one.path)
                    for one in held
                    if known is not None and outdated_in(known, one.part)(one.part, one.path)
                ]
                self._forget(lesson, old)
                self._refresh_sidecar(lesson)
                self._untidy.discard(lesson)
            if not (self._is_tidy or self._untidy):
                # A life that ended in the middle of a class left files that nothing refers to.
                self._forget(LessonId(""), ())
                self._is_tidy = True
        for lesson in over:
            self._tell(lesson)

    def _forget(self, lesson: LessonId, old: Iterable[tuple[PartId, str]]) -> None:
        def write(connection: sqlite3.Connection) -> list[tuple[str, str]]:
            gone = [
                one for of, path in old for one in forget_files(connection, lesson, of, (path,))
            ]
            return [*gone, *forget_unused(connection)]

        for digest, ext in self._database.write(write).result():
            self.blobs.drop(Digest(digest), ext)

    def mark(
        self, lesson: LessonId, part: PartId, path: str, state: PartState, reason: str = ""
    ) -> None:
        """Record why a file is not here. A file that is present stays present."""
        assert state is not PartState.PRESENT  # noqa: S101 - only `keep` may say so

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT INTO holding (lesson, part, path, state, reason) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT DO UPDATE SET state = excluded.state, reason = excluded.reason"
                " WHERE digest IS NULL",
                (lesson, part, path, state.name, reason),
            )

        self._database.write(write).result()
        self._tell(lesson)

    def settle(self) -> None:
        """Forget that anything was being fetched: the program has just started."""
        self._database.write(
            lambda connection: connection.execute(
                "DELETE FROM holding WHERE state = ?", (PartState.FETCHING.name,)
            )
        ).result()

    def verify(self, lesson: LessonId | None, cancel: CancelToken, at: str) -> VerifyReport:
        """Hash the files of one lesson, or all, again (K3).

        Args:
            lesson: None for every blob.
            cancel: Checked after each MiB; what was found so far stays recorded.
            at: The wall clock as evidence, ISO 8601.
        """
        checked, bad = 0, 0
        damaged: list[tuple[LessonId, PartId, str]] = []
        for blob in self._blobs(lesson):
            cancel.check()
            checked += 1
            lost = self.check(blob, cancel, at)
            bad += lost is not None
            damaged += lost or ()
        return VerifyReport(checked=checked, bad=bad, damaged=tuple(damaged))

    def check(
        self, blob: Blob, cancel: CancelToken, at: str, pace: Callable[[int], None] | None = None
    ) -> tuple[tuple[LessonId, PartId, str], ...] | None:
        """Hash one file again (K3); gives the holdings lost with it, None if it is good.

        `at` is as in `verify`, `cancel` and `pace` as in `BlobStore.matches`.
        """
        if self.blobs.matches(blob.digest, blob.ext, cancel, pace):
            self._note_verified(blob.digest, at)
            return None
        return self.lose(blob.digest, DAMAGED)

    def next_blob(self, after: str) -> Blob | None:
        """Give the blob whose digest follows `after`; None behind the last one."""
        return self._one_blob("WHERE digest > ? ORDER BY digest LIMIT 1", after)

    def lose(self, digest: Digest, reason: str) -> tuple[tuple[LessonId, PartId, str], ...]:
        """Make every holding of a blob ABSENT; returns which. The blob's row goes."""

        def write(connection: sqlite3.Connection) -> list[tuple[LessonId, PartId, str]]:
            rows = connection.execute(
                "SELECT lesson, part, path FROM holding WHERE digest = ?", (digest,)
            ).fetchall()
            connection.execute(
                "UPDATE holding SET state = ?, reason = ?, digest = NULL WHERE digest = ?",
                (PartState.ABSENT.name, reason, digest),
            )
            connection.execute("DELETE FROM blob WHERE digest = ?", (digest,))
            return [(LessonId(a), PartId(b), str(c)) for a, b, c in rows]

        with self._gate:
            lost = self._database.write(write).result()
            for lesson in {row[0] for row in lost}:
                self._refresh_sidecar(lesson)
        for lesson in {row[0] for row in lost}:
            self._tell(lesson)
        return tuple(lost)

    def missing(self) -> tuple[tuple[LessonId, PartId, str], ...]:
        """Notice files that somebody deleted or shortened, without reading any.

        Returns:
            All files that were here once and are not now, damaged ones too: to be fetched again.
        """
        for blob in self._blobs(None):
            if not self.blobs.has(blob.digest, blob.ext, blob.size_bytes):
                self.lose(blob.digest, MISSING)

        def read(connection: sqlite3.Connection) -> tuple[tuple[LessonId, PartId, str], ...]:
            rows = connection.execute(
                "SELECT lesson, part, path FROM holding WHERE state = ? AND reason IN (?, ?)",
                (PartState.ABSENT.name, DAMAGED, MISSING),
            )
            return tuple((LessonId(a), PartId(b), str(c)) for a, b, c in rows)

        return self._database.read_here(read)

    def drop(self, lesson: LessonId) -> int:
        """Forget a cached lesson and delete the files nobody else needs (K4).

        Returns:
            Bytes freed.
        """

        def write(connection: sqlite3.Connection) -> list[tuple[str, str]]:
            found = connection.execute(
                "SELECT DISTINCT b.digest, b.ext FROM holding AS h JOIN blob AS b USING (digest)"
                " WHERE h.lesson = ?",
                (lesson,),
            ).fetchall()
            connection.execute("DELETE FROM holding WHERE lesson = ?", (lesson,))
            connection.execute("DELETE FROM kept WHERE lesson = ?", (lesson,))
            return [
                (digest, ext)
                for digest, ext in found
                if connection.execute(FORGET_UNUSED, (digest, digest)).rowcount
            ]

        with self._gate:
            with disk_errors():
                (self._sidecars / file_name(lesson)).unlink(missing_ok=True)
            unused = self._database.write(write).result()
            freed = sum(self.blobs.drop(Digest(digest), ext) for digest, ext in unused)
        self._tell(lesson)
        return freed

    # --- building the rows again ---------------------------------------------------------------

    def is_adopted(self) -> bool:
        """Tell whether this database has read the sidecars already."""
        return self._database.read_here(
            lambda connection: connection.execute("SELECT 1 FROM adoption").fetchone() is not None
        )

    def adopt(self, put: Callable[[Lesson], None], at: str) -> AdoptReport:
        """Make the rows of all cached lessons from their sidecars (K2).

        Sizes are compared now; hashes at the next verification.

        Args:
            put: Puts a lesson with its parts into the catalogue.
            at: The wall clock as evidence.
        """
        lessons = files = damaged = 0
        with disk_errors():
            paths = sorted(self._sidecars.glob("*.json"))
        for path in paths:
            sidecar = self._read(path)
            if sidecar is None:
                damaged += 1
                continue
            put(sidecar.lesson)
            files += self._adopt_one(sidecar)
            lessons += 1
        self._database.write(
            lambda connection: connection.execute("INSERT INTO adoption VALUES (?)", (at,))
        ).result()
        return AdoptReport(lessons=lessons, files=files, damaged=damaged)

    def _adopt_one(self, sidecar: Sidecar) -> int:
        here = [
            held
            for held in sidecar.held
            if self.blobs.has(held.blob.digest, held.blob.ext, held.blob.size_bytes)
        ]

        def write(connection: sqlite3.Connection) -> None:
            for held in here:
                put_blob(connection, held.blob)
                put_holding(connection, sidecar.lesson.id, held)
            put_kept(connection, sidecar.lesson)

        self._database.write(write).result()
        return len(here)

    # --- inside --------------------------------------------------------------------------------

    def _note_verified(self, digest: Digest, at: str) -> None:
        self._database.write(
            lambda connection: connection.execute(
                "UPDATE blob SET verified_at = ? WHERE digest = ?", (at, digest)
            )
        ).result()

    def _one_blob(self, where: str, value: str) -> Blob | None:
        def read(connection: sqlite3.Connection) -> Blob | None:
            row = connection.execute(f"{_BLOB} {where}", (value,)).fetchone()
            return None if row is None else blob_from(row)

        return self._database.read_here(read)

    def _blobs(self, lesson: LessonId | None) -> list[Blob]:
        chosen = _BLOB
        if lesson is not None:
            chosen += " WHERE digest IN (SELECT digest FROM holding WHERE lesson = ?)"
        values = () if lesson is None else (lesson,)

        return self._database.read_here(lambda c: [blob_from(r) for r in c.execute(chosen, values)])

    def _holding(self, row: tuple[str, ...]) -> Holding:
        blob = None if row[5] is None else blob_from(row[5:])
        return Holding(
            lesson=LessonId(row[0]),
            part=PartId(row[1]),
            path=row[2],
            state=PartState[row[3]],
            reason=row[4],
            blob=blob,
            file=None if blob is None else self.blobs.path(blob.digest, blob.ext),
        )

    def _refresh_sidecar(self, lesson: LessonId) -> None:
        sidecar = self._read(self._sidecars / file_name(lesson))
        if sidecar is None:
            return
        held = tuple(
            Held(part=one.part, path=one.path, blob=one.blob)
            for one in self.of_lesson(lesson)
            if one.blob is not None
        )
        self._write_sidecar(replace(sidecar, held=held))

    def _write_sidecar(self, sidecar: Sidecar) -> None:
        failpoint("sidecar.before_rename")
        write_durably(self._sidecars / file_name(sidecar.lesson.id), encode(sidecar))
        failpoint("sidecar.after_rename")

    def _read(self, path: Path) -> Sidecar | None:
        try:
            if path.stat().st_size > LIMIT_BYTES:
                return None
            return decode(path.read_bytes())
        except (OSError, ProtocolError):
            return None

    def _tell(self, lesson: LessonId) -> None:
        for listener in self._listeners:
            listener(lesson)


def _never(_: LessonId) -> bool:
    return False
