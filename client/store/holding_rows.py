"""The SQL of what is held, for `holding_store`; on its caller's connection, in its transaction."""

import sqlite3
from collections.abc import Callable, Iterable
from typing import Final

from client.domain.availability import Decodes, PartState, Trust
from client.domain.catalogue import Lesson
from client.domain.holding import Blob
from client.domain.ids import Digest, LessonId, PartId
from client.store.sidecar import Held

_PUT_BLOB: Final = """
INSERT INTO blob VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
    ext = excluded.ext,
    verified_at = excluded.verified_at,
    trust = CASE trust WHEN 'ATTESTED' THEN trust ELSE excluded.trust END,
    decodes = CASE excluded.decodes WHEN 'UNKNOWN' THEN decodes ELSE excluded.decodes END
"""
FORGET_UNUSED: Final = """
DELETE FROM blob WHERE digest = ? AND NOT EXISTS (SELECT 1 FROM holding WHERE digest = ?)
"""


def blob_from(row: tuple[str, ...]) -> Blob:
    """Make a blob of its row."""
    return Blob(
        digest=Digest(row[0]),
        ext=row[1],
        size_bytes=int(row[2]),
        trust=Trust[row[3]],
        decodes=Decodes[row[4]],
        verified_at=row[5],
    )


def put_blob(connection: sqlite3.Connection, blob: Blob) -> None:
    """Write what is known of a file."""
    connection.execute(
        _PUT_BLOB,
        (
            blob.digest,
            blob.ext,
            blob.size_bytes,
            blob.trust.name,
            blob.decodes.name,
            blob.verified_at,
        ),
    )


def put_holding(connection: sqlite3.Connection, lesson: LessonId, held: Held) -> None:
    """Write that a file of a lesson is here."""
    connection.execute(
        "INSERT OR REPLACE INTO holding VALUES (?, ?, ?, ?, '', ?)",
        (lesson, held.part, held.path, PartState.PRESENT.name, held.blob.digest),
    )


def outdated_in(lesson: Lesson, part: PartId) -> Callable[[str, str], bool]:
    """Make a test for files of `part` that its lesson no longer has: older editions."""
    paths = {file.path for one in lesson.parts if one.id == part for file in one.files}

    def is_outdated(of: str, path: str) -> bool:
        return of == part and bool(paths) and path not in paths

    return is_outdated


def forget_files(
    connection: sqlite3.Connection, lesson: LessonId, part: PartId, paths: Iterable[str]
) -> list[tuple[str, str]]:
    """Delete holdings of a part; returns digest and extension of blobs nobody needs now."""
    unused: list[tuple[str, str]] = []
    for path in paths:
        row = connection.execute(
            "SELECT b.digest, b.ext FROM holding AS h JOIN blob AS b USING (digest)"
            " WHERE h.lesson = ? AND h.part = ? AND h.path = ?",
            (lesson, part, path),
        ).fetchone()
        connection.execute(
            "DELETE FROM holding WHERE lesson = ? AND part = ? AND path = ?", (lesson, part, path)
        )
        if row and connection.execute(FORGET_UNUSED, (row[0], row[0])).rowcount:
            unused.append((row[0], row[1]))
    return unused


def put_kept(connection: sqlite3.Connection, lesson: Lesson) -> None:
    """Write that something of a lesson is here."""
    connection.execute("INSERT OR REPLACE INTO kept VALUES (?, ?)", (lesson.id, lesson.title))


def forget_unused(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    """Delete the rows of files that nothing refers to; returns digest and extension of each."""
    unused = connection.execute(
        "SELECT digest, ext FROM blob WHERE NOT EXISTS"
        " (SELECT 1 FROM holding WHERE holding.digest = blob.digest)"
    ).fetchall()
    connection.executemany("DELETE FROM blob WHERE digest = ?", [(row[0],) for row in unused])
    return [(row[0], row[1]) for row in unused]
