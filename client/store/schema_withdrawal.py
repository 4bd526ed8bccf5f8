"""Table of what is withdrawn (library.db, version 5). Rebuilt from editions and lists."""

import sqlite3
from typing import Final

from client.store.database import script

_TABLES: Final = """
CREATE TABLE withdrawal (
    lesson TEXT NOT NULL,
    source TEXT NOT NULL,
    reason TEXT NOT NULL,
    grace_days INTEGER NOT NULL,
    replacement TEXT NOT NULL,
    PRIMARY KEY (lesson, source)
) STRICT, WITHOUT ROWID;
CREATE INDEX withdrawal_source ON withdrawal (source);
"""


def m0005_withdrawal(connection: sqlite3.Connection) -> None:
    """Make the table of withdrawals."""
    script(connection, _TABLES)
