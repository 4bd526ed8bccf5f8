"""Tables of what is held and wanted (library.db, version 2). Rebuilt from the sidecars."""

import sqlite3
from typing import Final

from client.store.database import script

_TABLES: Final = """
CREATE TABLE blob (
    digest TEXT PRIMARY KEY,
    ext TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    trust TEXT NOT NULL,
    decodes TEXT NOT NULL,
    verified_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE holding (
    lesson TEXT NOT NULL,
    part TEXT NOT NULL,
    path TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    digest TEXT REFERENCES blob (digest),
    PRIMARY KEY (lesson, part, path)
) STRICT, WITHOUT ROWID;
CREATE INDEX holding_digest ON holding (digest);
CREATE TABLE kept (
    lesson TEXT PRIMARY KEY,
    title TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE want (
    lesson TEXT PRIMARY KEY,
    place INTEGER NOT NULL,
    rendition TEXT NOT NULL,
    roles TEXT NOT NULL,
    pinned INTEGER NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    bytes_needed INTEGER NOT NULL,
    bytes_done INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE adoption (at TEXT NOT NULL) STRICT;
"""


def m0002_holdings(connection: sqlite3.Connection) -> None:
    """Make the tables of blobs, holdings, cached lessons and wants."""
    script(connection, _TABLES)
