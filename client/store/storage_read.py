"""What takes room, out of library.db: lessons that are here, with their files and their book."""

import sqlite3
from dataclasses import dataclass, field
from typing import Final

from client.domain.availability import Trust
from client.domain.ids import Digest, LessonId
from client.domain.want import WantState

_STORED: Final = """
SELECT k.lesson, k.title, coalesce(b.title, ''), coalesce(l.subject, ''), coalesce(s.kind, ''),
       coalesce(l.is_withdrawn, 0), f.digest, f.size_bytes, f.trust
FROM kept AS k
JOIN (SELECT DISTINCT lesson, digest FROM holding WHERE digest IS NOT NULL) AS h USING (lesson)
JOIN blob AS f USING (digest)
LEFT JOIN lesson AS l ON l.id = k.lesson
LEFT JOIN book AS b ON b.id = l.book
LEFT JOIN source AS s ON s.id = l.source
ORDER BY k.lesson, f.digest
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRow:
    """One lesson that is here. Texts are empty where the catalogue does not know it."""

    lesson: LessonId
    title: str
    """Raw, as in the catalogue."""
    book: str
    subject: str
    source_kind: str
    is_withdrawn: bool
    files: dict[Digest, int] = field(default_factory=dict)
    trusts: set[Trust] = field(default_factory=set)


def stored(connection: sqlite3.Connection) -> tuple[StoredRow, ...]:
    """List the lessons that have a file here, by id."""
    found: dict[str, StoredRow] = {}
    for row in connection.execute(_STORED):
        one = found.setdefault(
            row[0],
            StoredRow(
                lesson=LessonId(row[0]),
                title=row[1],
                book=row[2],
                subject=row[3],
                source_kind=row[4],
                is_withdrawn=bool(row[5]),
            ),
        )
        one.files[Digest(row[6])] = int(row[7])
        one.trusts.add(Trust[row[8]])
    return tuple(found.values())


def held_bytes(connection: sqlite3.Connection) -> int:
    """Add up the files that are here."""
    row = connection.execute("SELECT coalesce(sum(size_bytes), 0) FROM blob").fetchone()
    return int(row[0])


def wanted(connection: sqlite3.Connection) -> frozenset[LessonId]:
    """Give the lessons that are on their way."""
    rows = connection.execute("SELECT lesson FROM want WHERE state = ?", (WantState.WAITING.name,))
    return frozenset(LessonId(row[0]) for row in rows)
