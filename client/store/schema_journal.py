"""Tables of journal.db (docs/store.md). A migration is never edited after a release."""

import sqlite3
from typing import Final

from client.store.database import Migration, script

_LOG: Final = """
CREATE TABLE writer (
    wi         INTEGER PRIMARY KEY,
    w          BLOB NOT NULL UNIQUE,
    public_key BLOB NOT NULL,
    nonce      BLOB NOT NULL
) STRICT;
CREATE TABLE event (
    n       INTEGER PRIMARY KEY,
    hash    BLOB NOT NULL UNIQUE,
    wi      INTEGER NOT NULL REFERENCES writer(wi),
    seq     INTEGER NOT NULL,
    prev    BLOB NOT NULL,
    lc      INTEGER NOT NULL,
    boot    INTEGER NOT NULL,
    mono    INTEGER NOT NULL,
    wall    INTEGER NOT NULL,
    scope   INTEGER NOT NULL,
    type    INTEGER NOT NULL,
    version INTEGER NOT NULL,
    topic   BLOB NOT NULL,
    body    BLOB NOT NULL
) STRICT;
CREATE INDEX event_by_place ON event (wi, seq);
CREATE INDEX event_by_topic ON event (type, topic);
CREATE TABLE head (
    wi   INTEGER NOT NULL REFERENCES writer(wi),
    hash BLOB NOT NULL,
    seq  INTEGER NOT NULL,
    lc   INTEGER NOT NULL,
    PRIMARY KEY (wi, hash)
) STRICT, WITHOUT ROWID;
CREATE TABLE sealed (
    wi        INTEGER NOT NULL REFERENCES writer(wi),
    first_seq INTEGER NOT NULL,
    count     INTEGER NOT NULL,
    head      BLOB NOT NULL,
    data      BLOB NOT NULL,
    PRIMARY KEY (wi, head)
) STRICT;
CREATE TABLE boot (
    wi        INTEGER NOT NULL REFERENCES writer(wi),
    ordinal   INTEGER NOT NULL,
    key       TEXT NOT NULL,
    mono      INTEGER NOT NULL,
    wall      INTEGER NOT NULL,
    was_clean INTEGER NOT NULL,
    PRIMARY KEY (wi, ordinal)
) STRICT;
CREATE TABLE resume (
    sitting       TEXT PRIMARY KEY,
    class_ids     BLOB NOT NULL,
    lesson        TEXT NOT NULL,
    day           INTEGER NOT NULL,
    period        INTEGER NOT NULL,
    lesson_period INTEGER NOT NULL,
    part          TEXT,
    position_ms   INTEGER NOT NULL,
    is_playing    INTEGER NOT NULL,
    page          INTEGER NOT NULL,
    cue           INTEGER NOT NULL,
    timers        BLOB NOT NULL,
    wall          INTEGER NOT NULL
) STRICT;
CREATE TABLE local (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;
"""

_CLOCK: Final = """
CREATE TABLE anchor (
    writer BLOB NOT NULL,
    boot   INTEGER NOT NULL,
    kind   INTEGER NOT NULL,
    mono   INTEGER NOT NULL,
    utc    INTEGER NOT NULL,
    err    INTEGER NOT NULL,
    PRIMARY KEY (writer, boot, kind, mono, utc, err)
) STRICT, WITHOUT ROWID;
"""


def m0001_log(connection: sqlite3.Connection) -> None:
    """Events, tips, sealed segments, and the local rows that are no events."""
    script(connection, _LOG)


def m0002_clock(connection: sqlite3.Connection) -> None:
    """Anchors: what is known of the true time."""
    script(connection, _CLOCK)


MIGRATIONS: Final[tuple[Migration, ...]] = (m0001_log, m0002_clock)
