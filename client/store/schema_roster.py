"""Tables of roster.db (docs/store.md). A migration is never edited after a release."""

import sqlite3
from typing import Final

from client.store.database import Migration, script

_ROSTER: Final = """
CREATE TABLE about (
    id      TEXT NOT NULL,
    edition INTEGER NOT NULL
) STRICT;
INSERT INTO about VALUES (lower(hex(randomblob(8))), 0);
CREATE TABLE pupil (
    id         TEXT PRIMARY KEY,
    class_id   TEXT NOT NULL,
    position   INTEGER NOT NULL,
    name       TEXT NOT NULL,
    is_present INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX pupil_by_class ON pupil (class_id);
CREATE TABLE mark (
    n        INTEGER PRIMARY KEY,
    class_id TEXT NOT NULL,
    pupil    TEXT NOT NULL REFERENCES pupil(id) ON DELETE CASCADE,
    kind     TEXT NOT NULL,
    value    TEXT NOT NULL,
    day      TEXT NOT NULL
) STRICT;
CREATE INDEX mark_by_pupil ON mark (pupil);
"""


def m0001_roster(connection: sqlite3.Connection) -> None:
    """Pupils and their marks; `about` is one row: which roster, and how often it was changed."""
    script(connection, _ROSTER)


MIGRATIONS: Final[tuple[Migration, ...]] = (m0001_roster,)
