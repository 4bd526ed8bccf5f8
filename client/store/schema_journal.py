"""Tables of journal.db (docs/store.md). A migration is never edited after a release."""

import sqlite3
from typing import Final

from client.domain.errors import ProtocolError
from client.domain.record.bodies import EventType
from client.domain.record.table import unpack
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

_SITES: Final = """
DROP INDEX event_by_place;
DROP INDEX event_by_topic;
ALTER TABLE writer RENAME TO old_writer;
ALTER TABLE event RENAME TO old_event;
ALTER TABLE head RENAME TO old_head;
ALTER TABLE sealed RENAME TO old_sealed;
ALTER TABLE boot RENAME TO old_boot;
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
INSERT INTO site (si, name, lc) SELECT 1, x'', coalesce(max(lc), 0) FROM old_head;
INSERT INTO writer (wi, w, public_key, nonce) SELECT wi, w, public_key, nonce FROM old_writer;
INSERT INTO event (n, hash, wi, seq, prev, lc, boot, mono, wall, scope, type, version, topic, body)
    SELECT n, hash, wi, seq, prev, lc, boot, mono, wall, scope, type, version, topic, body
    FROM old_event;
INSERT INTO head (wi, hash, seq, lc, root, first) SELECT wi, hash, seq, lc, hash, seq FROM old_head;
INSERT INTO boot SELECT wi, ordinal, key, mono, wall, was_clean FROM old_boot;
DROP TABLE old_boot;
DROP TABLE old_sealed;
DROP TABLE old_head;
DROP TABLE old_event;
DROP TABLE old_writer;
"""

_ROOT: Final = """
WITH RECURSIVE up (hash, prev, seq) AS (
    SELECT hash, prev, seq FROM event WHERE hash = :hash AND wi = :wi
    UNION ALL
    SELECT e.hash, e.prev, e.seq FROM up JOIN event e ON e.hash = up.prev AND e.wi = :wi)
SELECT hash, min(seq) FROM up
"""


def m0001_log(connection: sqlite3.Connection) -> None:
    """Events, tips, sealed segments, and the local rows that are no events."""
    script(connection, _LOG)


def m0002_sites(connection: sqlite3.Connection) -> None:
    """Give each log a site; know forks, gaps, and what is sealed and closed.

    Segments of the first version never left their machine and had another form: they are made
    again.
    """
    script(connection, _SITES)
    for wi, digest in connection.execute("SELECT wi, hash FROM head").fetchall():
        root, first = connection.execute(_ROOT, {"wi": wi, "hash": digest}).fetchone()
        # A tip without its event is damage: the check behind this finds it.
        if root is not None:
            connection.execute(
                "UPDATE head SET root = ?, first = ? WHERE wi = ? AND hash = ?",
                (root, first, wi, digest),
            )
    number = EventType.INCARNATION.value
    begun = connection.execute("SELECT version, body FROM event WHERE type = ?", (number,))
    for version, data in begun.fetchall():
        try:
            body = unpack(number, version, data)
        except ProtocolError:
            continue
        for pair in getattr(body, "predecessors", ()):
            connection.execute("INSERT OR IGNORE INTO named VALUES (1, ?, ?)", pair)


LOG_MIGRATIONS: Final[tuple[Migration, ...]] = (m0001_log, m0002_sites)
"""What a store of logs needs (`client.store.log_store`); a hub opens its file with these."""

MIGRATIONS: Final[tuple[Migration, ...]] = (*LOG_MIGRATIONS,)
