"""Signed editions in library.db: each book of one, with what it says of the bytes of files.

Invariants:
  ES1  A book, everything below it, what is attested of its files and the digest it is remembered by
       are committed together: a sync that was cut off anywhere goes on from there.
  ES2  Records that another source of this room keeps up to date are left to it: only what it does
       not know yet is taken, and what is attested of their files always.
  ES3  What an edition no longer has is withdrawn, never deleted, and may come back.

All methods block; call them from worker threads, never from the GUI thread.
"""

import sqlite3
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from client.domain.catalogue import Lesson
from client.domain.edition import Attested, Group
from client.domain.ids import BookId, Digest, SourceId
from client.domain.seen import Seen, Validator
from client.store.catalogue_rows import DetailState, unpacked
from client.store.catalogue_store import (
    FLAG_BOOK,
    FLAG_LESSON,
    Changes,
    LessonWriter,
    next_change,
    put_books,
    put_parts,
    put_sections,
    remember,
)
from client.store.database import Database

_PLACE: Final = "edition/"
_BEHIND: Final = "edition0"
"""The first text behind all that begin with `_PLACE`."""
_WHOLE: Final = "edition"


class EditionStore:
    """See the module. May be used from any thread but the GUI's.

    Args:
        database: library.db.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def digests(self, source: SourceId) -> Mapping[str, str]:
        """Give the digests of the groups that were taken of a hub's edition, by their keys."""

        def job(c: sqlite3.Connection) -> dict[str, str]:
            rows = c.execute(
                "SELECT path, digest FROM seen WHERE source = ? AND path >= ? AND path < ?",
                (source, _PLACE, _BEHIND),
            )
            return {row[0].removeprefix(_PLACE): row[1] for row in rows}

        return self._database.read_here(job)

    def counts(self, source: SourceId) -> tuple[tuple[str, ...], int]:
        """Give the books that were taken of a hub's edition, and count its lessons."""

        def job(c: sqlite3.Connection) -> tuple[tuple[str, ...], int]:
            rows = c.execute(
                "SELECT path, json_array_length(ids) FROM seen"
                " WHERE source = ? AND path >= ? AND path < ?",
                (source, _PLACE, _BEHIND),
            ).fetchall()
            keys = (row[0].removeprefix(_PLACE) for row in rows)
            return tuple(key for key in keys if key), sum(row[1] for row in rows)

        return self._database.read_here(job)

    def taken(self, source: SourceId) -> str:
        """Give the digest of the edition that was taken last as a whole, empty at first."""

        def job(c: sqlite3.Connection) -> str:
            row = c.execute(
                "SELECT digest FROM seen WHERE source = ? AND path = ?", (source, _WHOLE)
            ).fetchone()
            return "" if row is None else str(row[0])

        return self._database.read_here(job)

    def note_taken(self, source: SourceId, digest: Digest) -> None:
        """Remember that all groups of an edition were taken."""
        self._database.write(lambda c: remember(c, source, [_seen(_WHOLE, digest)])).result()

    def put(
        self, source: SourceId, group: Group, digest: str, others: Collection[SourceId]
    ) -> tuple[Changes, int]:
        """Take one group of an edition (ES1 to ES3).

        Args:
            source: The hub.
            group: What it has now; empty where the edition lacks it.
            digest: What the group is remembered by, empty to forget it.
            others: Sources that this room reads by itself.

        Returns:
            What changed, and how many lessons were withdrawn.
        """

        def job(c: sqlite3.Connection) -> tuple[Changes, int]:
            writer = _Writer(c, frozenset(others))
            changes = writer.put(group)
            ids = tuple(str(lesson.id) for lesson in group.lessons)
            place = _PLACE + group.key
            gone = writer.withdraw(set(_ids_before(c, source, place)) - set(ids))
            writer.flag_book(group)
            _put_attested(c, source, group.key, group.attested)
            if digest:
                remember(c, source, [_seen(place, digest, ids)])
            else:
                c.execute("DELETE FROM seen WHERE source = ? AND path = ?", (source, place))
            return changes, gone

        return self._database.write(job).result()

    def attested(self, path: str) -> tuple[tuple[SourceId, Attested], ...]:
        """Tell which hubs have a file, and what they say of its bytes."""

        def job(c: sqlite3.Connection) -> tuple[tuple[SourceId, Attested], ...]:
            rows = c.execute(
                "SELECT source, digest, size_bytes, manifest FROM attested WHERE path = ?"
                " ORDER BY source",
                (path,),
            )
            return tuple(
                (
                    SourceId(row[0]),
                    Attested(
                        path=path,
                        digest=Digest(row[1]),
                        size_bytes=row[2],
                        manifest=Digest(row[3]),
                    ),
                )
                for row in rows
            )

        return self._database.read_here(job)


class _Writer:
    """Takes a group inside one transaction."""

    def __init__(self, connection: sqlite3.Connection, others: frozenset[SourceId]) -> None:
        self._connection = connection
        self._others = others

    def put(self, group: Group) -> Changes:
        """Put book, chapters and lessons, as far as they are this edition's to say (ES2)."""
        c, parts = self._connection, []
        if group.book is not None and not self._is_kept("book", group.book.id):
            parts.append(put_books(c, (group.book,)))
            parts.append(put_sections(c, BookId(group.key), group.sections))
        mine = [lesson for lesson in group.lessons if not self._is_kept("lesson", lesson.id)]
        parts.append(LessonWriter(c).put(mine))
        renewed = [str(one.id) for one in group.lessons if self._put_parts(one)]
        self._flag(FLAG_LESSON, (lesson.id for lesson in mine), is_withdrawn=False)
        added = tuple(id_ for one in parts for id_ in one.added)
        changed = dict.fromkeys([*(id_ for one in parts for id_ in one.changed), *renewed])
        return Changes(added=added, changed=tuple(id_ for id_ in changed if id_ not in added))

    def withdraw(self, ids: Iterable[str]) -> int:
        """Withdraw what is this edition's (ES3)."""
        mine = [id_ for id_ in ids if not self._is_kept("lesson", id_)]
        return self._flag(FLAG_LESSON, mine, is_withdrawn=True)

    def flag_book(self, group: Group) -> None:
        """Offer a book that is there, withdraw one that is not."""
        if group.key and not self._is_kept("book", group.key):
            self._flag(FLAG_BOOK, (group.key,), is_withdrawn=group.book is None)

    def _put_parts(self, lesson: Lesson) -> bool:
        if self._is_kept("lesson", lesson.id) and self._has_detail(lesson):
            return False
        return put_parts(self._connection, lesson)

    def _has_detail(self, lesson: Lesson) -> bool:
        row = self._connection.execute(
            "SELECT 1 FROM lesson WHERE id = ? AND detail <> ?",
            (lesson.id, DetailState.UNREAD.value),
        ).fetchone()
        return row is not None

    def _is_kept(self, table: str, id_: str) -> bool:
        """Tell whether a record is known and another source of this room keeps it."""
        statement = (
            "SELECT source FROM book WHERE id = ?"
            if table == "book"
            else "SELECT source FROM lesson WHERE id = ?"
        )
        row = self._connection.execute(statement, (id_,)).fetchone()
        return row is not None and row[0] in self._others

    def _flag(self, statement: str, ids: Iterable[str], *, is_withdrawn: bool) -> int:
        values = {"flag": int(is_withdrawn), "change": next_change(self._connection)}
        return sum(
            self._connection.execute(statement, {**values, "id": id_}).rowcount for id_ in ids
        )


def _put_attested(
    connection: sqlite3.Connection, source: SourceId, book: str, attested: Iterable[Attested]
) -> None:
    # What was signed of withdrawn lessons stays: their purge has to know what may lie here.
    connection.execute(
        "DELETE FROM attested WHERE source = ? AND book = ? AND path NOT IN"
        " (SELECT file.path FROM withdrawal JOIN lesson ON lesson.id = withdrawal.lesson"
        " JOIN file ON file.lesson = lesson.n WHERE lesson.book = ?)",
        (source, book, book or None),
    )
    connection.executemany(
        "INSERT OR REPLACE INTO attested (path, source, book, digest, size_bytes, manifest)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        [(one.path, source, book, one.digest, one.size_bytes, one.manifest) for one in attested],
    )


def _ids_before(connection: sqlite3.Connection, source: SourceId, place: str) -> tuple[str, ...]:
    row = connection.execute(
        "SELECT ids FROM seen WHERE source = ? AND path = ?", (source, place)
    ).fetchone()
    return () if row is None else unpacked(row[0])


def _seen(place: str, digest: str, ids: tuple[str, ...] = ()) -> Seen:
    return Seen(path=place, validator=Validator(digest=digest), ids=ids)
