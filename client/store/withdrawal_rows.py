"""What was said to be withdrawn, in library.db: by hubs in their lists, by platforms with a 404.

Invariants:
  WR1  A lesson that anybody lists is withdrawn, also one that comes to be known only later; it is
       on offer again when nobody lists it.
  WR2  What a source says replaces what it said before, and nothing of what others say.
"""

import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, TypeAlias

from client.domain.ids import LessonId, SourceId
from client.domain.withdrawal import GONE, GONE_GRACE_DAYS, Withdrawal, strictest
from client.store.database import Database

_PUT: Final = "INSERT OR REPLACE INTO withdrawal VALUES (?, ?, ?, ?, ?)"
_SAID: Final = "SELECT * FROM withdrawal WHERE lesson = ? ORDER BY source"
_CHANGE: Final = "SELECT coalesce(max(changed), 0) + 1 FROM lesson"
_HIDE: Final = """
UPDATE lesson SET is_withdrawn = 1, changed = ?
WHERE is_withdrawn = 0 AND id IN (SELECT lesson FROM withdrawal)
"""
_SHOW: Final = """
UPDATE lesson SET is_withdrawn = 0, changed = ?
WHERE id = ? AND is_withdrawn = 1 AND source <> ?
AND NOT EXISTS (SELECT 1 FROM withdrawal WHERE lesson = lesson.id)
"""
_HERE: Final = """
SELECT DISTINCT lesson FROM withdrawal WHERE lesson IN (SELECT lesson FROM kept)
OR lesson IN (SELECT lesson FROM holding)
"""
_GONE: Final = """
INSERT OR IGNORE INTO withdrawal SELECT id, source, ?, ?, '' FROM lesson WHERE id = ?
"""
_BACK: Final = """
DELETE FROM withdrawal WHERE lesson = ?1 AND source = (SELECT source FROM lesson WHERE id = ?1)
"""

Said: TypeAlias = tuple[SourceId, Withdrawal]
"""Who says it, and what."""


class WithdrawalRows:
    """See the module. Blocking; worker threads only.

    Args:
        database: library.db.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, source: SourceId, listed: Sequence[Withdrawal]) -> int:
        """Take a source's whole list (WR1, WR2). Returns how many lessons it hides anew.

        What left its list and is another's to keep up to date is on offer again; its own lessons
        the source offers itself.
        """

        def job(c: sqlite3.Connection) -> int:
            rows = {one.lesson: _row(source, one) for one in listed}
            known = c.execute("SELECT * FROM withdrawal WHERE source = ?", (source,))
            before = {row[0]: tuple(row) for row in known}
            if before == rows:
                return 0
            gone = before.keys() - rows.keys()
            change = c.execute(_CHANGE).fetchone()[0]
            c.execute("DELETE FROM withdrawal WHERE source = ?", (source,))
            c.executemany(_PUT, rows.values())
            c.executemany(_SHOW, [(change, lesson, source) for lesson in gone])
            return c.execute(_HIDE, (change,)).rowcount

        return self._database.write(job).result()

    def said(self, lessons: Collection[LessonId]) -> Mapping[LessonId, Withdrawal]:
        """Give the word that counts on each of these lessons; those on offer lack."""

        def job(c: sqlite3.Connection) -> dict[LessonId, Withdrawal]:
            found = (strictest(one for _, one in _words(c, lesson)) for lesson in lessons)
            return {word.lesson: word for word in found if word is not None}

        return self._database.read_here(job)

    def words(self, lesson: LessonId) -> tuple[Said, ...]:
        """Give everything that is said of a lesson, by source."""
        return self._database.read_here(lambda c: _words(c, lesson))

    def put_back(self, said: Iterable[Said]) -> None:
        """Tell a new library.db what was said (WR1)."""
        rows = [_row(source, one) for source, one in said]

        def job(c: sqlite3.Connection) -> None:
            c.executemany(_PUT, rows)
            c.execute(_HIDE, (c.execute(_CHANGE).fetchone()[0],))

        self._database.write(job).result()

    def here(self) -> tuple[LessonId, ...]:
        """List the withdrawn lessons of which something is here."""
        return self._database.read_here(
            lambda c: tuple(LessonId(row[0]) for row in c.execute(_HERE))
        )


def note_gone(connection: sqlite3.Connection, lessons: Iterable[str], *, is_gone: bool) -> None:
    """Keep, or forget, that the source of lessons answers that it has them no more."""
    if is_gone:
        rows = [(GONE, GONE_GRACE_DAYS, lesson) for lesson in lessons]
        connection.executemany(_GONE, rows)
    else:
        connection.executemany(_BACK, [(lesson,) for lesson in lessons])


def _row(source: SourceId, one: Withdrawal) -> tuple[object, ...]:
    return (one.lesson, source, one.reason, one.grace_days, one.replacement or "")


def _words(connection: sqlite3.Connection, lesson: LessonId) -> tuple[Said, ...]:
    return tuple(
        (
            SourceId(source),
            Withdrawal(
                lesson=lesson,
                reason=reason,
                grace_days=grace_days,
                replacement=LessonId(replacement) if replacement else None,
            ),
        )
        for _, source, reason, grace_days, replacement in connection.execute(_SAID, (lesson,))
    )
