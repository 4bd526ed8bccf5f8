"""Table of what signed catalogues say of bytes (library.db, version 4). Rebuilt from editions."""

import sqlite3
from typing import Final

from client.store.database import script

_TABLES: Final = """
CREATE TABLE attested (
    path TEXT NOT NULL,
    source TEXT NOT NULL,
    book TEXT NOT NULL,
    digest TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    manifest TEXT NOT NULL,
    PRIMARY KEY (path, source)
) STRICT, WITHOUT ROWID;
CREATE INDEX attested_book ON attested (source, book);
"""


def m0004_attested(connection: sqlite3.Connection) -> None:
    """Make the table of attested files."""
    script(connection, _TABLES)
