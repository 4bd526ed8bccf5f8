"""Tables of journal.db (docs/store.md). A migration is never edited after a release.

A hub's file has the same tables; those that concern one machine stay empty there.
"""

import sqlite3
from typing import Final

from client.store.database import Migration, script

_LOG: Final = """
CREATE TABLE site (
    si      INTEGER PRIMARY KEY,
    name    BLOB NOT NULL UNIQUE,
    lc      INTEGER NOT NULL DEFAULT 0,
    bytes   INTEGER NOT NULL DEFAULT 0,
    changes INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE writer (
    wi         INTEGER PRIMARY KEY,
    si         INTEGER NOT NULL DEFAULT 1 REFERENCES site(si),
    w          BLOB NOT NULL,
    public_key BLOB NOT NULL,
    nonce      BLOB NOT NULL,
    bytes      INTEGER NOT NULL DEFAULT 0,
    UNIQUE (si, w)
) STRICT;
CREATE TABLE event (
    n         INTEGER PRIMARY KEY,
    hash      BLOB NOT NULL,
    wi        INTEGER NOT NULL REFERENCES writer(wi),
    seq       INTEGER NOT NULL,
    prev      BLOB NOT NULL,
    lc        INTEGER NOT NULL,
    boot      INTEGER NOT NULL,
    mono      INTEGER NOT NULL,
    wall      INTEGER NOT NULL,
    scope     INTEGER NOT NULL,
    type      INTEGER NOT NULL,
    version   INTEGER NOT NULL,
    topic     BLOB NOT NULL,
    body      BLOB NOT NULL,
    is_sealed INTEGER NOT NULL DEFAULT 0,
    UNIQUE (hash, wi)
) STRICT;
CREATE INDEX event_by_place ON event (wi, seq);
CREATE INDEX event_by_topic ON event (type, topic);
CREATE INDEX event_unsealed ON event (wi, seq) WHERE is_sealed = 0;
CREATE TABLE head (
    wi    INTEGER NOT NULL REFERENCES writer(wi),
    hash  BLOB NOT NULL,
    seq   INTEGER NOT NULL,
    lc    INTEGER NOT NULL,
    root  BLOB NOT NULL,
    first INTEGER NOT NULL,
    PRIMARY KEY (wi, hash)
) STRICT, WITHOUT ROWID;
CREATE TABLE named (
    si   INTEGER NOT NULL REFERENCES site(si),
    w    BLOB NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (si, w, hash)
) STRICT, WITHOUT ROWID;
CREATE TABLE sealed (
    wi        INTEGER NOT NULL REFERENCES writer(wi),
    first_seq INTEGER NOT NULL,
    count     INTEGER NOT NULL,
    head      BLOB NOT NULL,
    data      BLOB NOT NULL,
    PRIMARY KEY (wi, first_seq, head)
) STRICT;
CREATE TABLE quarantine (
    q    INTEGER PRIMARY KEY,
    si   INTEGER NOT NULL REFERENCES site(si),
    data BLOB NOT NULL
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
    """Make all tables: logs, and beside them what is no event."""
    script(connection, _LOG)
    connection.execute("INSERT INTO site (si, name) VALUES (1, x'')")


MIGRATIONS: Final[tuple[Migration, ...]] = (m0001_log,)
