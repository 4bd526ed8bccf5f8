"""Tables of the search index in library.db (docs/store.md). All of it can be rebuilt."""

import sqlite3

from client.store.database import script


def m0003_search(connection: sqlite3.Connection) -> None:
    """Shards and their sets; `search_state` has one row."""
    script(
        connection,
        """
        CREATE TABLE search_shard (
            shard INTEGER PRIMARY KEY AUTOINCREMENT,
            place INTEGER,
            first_key TEXT NOT NULL,
            digest BLOB NOT NULL,
            head BLOB NOT NULL
        ) STRICT;
        CREATE TABLE search_posting (
            token TEXT NOT NULL,
            shard INTEGER NOT NULL,
            bits BLOB NOT NULL,
            PRIMARY KEY (token, shard)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE search_state (
            one INTEGER PRIMARY KEY CHECK (one = 1),
            format INTEGER NOT NULL,
            edition INTEGER NOT NULL,
            cursor INTEGER NOT NULL
        ) STRICT;
        INSERT INTO search_state VALUES (1, 0, 0, 0);
        """,
    )
