"""The hubs above this one, in hub.db: who they are, what is believed of them, how calls went.

Invariants:
  UP1  What `put` and `remove` returned from is on the disk, and seen by other processes at once.
  UP2  Enrolling anew with a hub keeps nothing of what was believed of it: it may be another folder.
"""

import sqlite3
from collections.abc import Sequence
from typing import Any, Final

from client.domain.errors import UserError
from client.service.hubs import Contact, KnownHub
from client.store.database import Database

TABLES: Final = """
CREATE TABLE upstream (
    key       BLOB PRIMARY KEY,
    url       TEXT NOT NULL,
    authority BLOB NOT NULL,
    site      BLOB NOT NULL,
    school    TEXT NOT NULL,
    name      TEXT NOT NULL,
    exchanges INTEGER NOT NULL DEFAULT 0,
    failures  INTEGER NOT NULL DEFAULT 0,
    reason    TEXT NOT NULL DEFAULT '',
    wall_ms   INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE TABLE belief (
    upstream BLOB NOT NULL REFERENCES upstream (key) ON DELETE CASCADE,
    site     BLOB NOT NULL,
    data     BLOB NOT NULL,
    PRIMARY KEY (upstream, site)
) STRICT, WITHOUT ROWID;
"""

_HUBS: Final = "SELECT key, url, authority, site, school, name FROM upstream"


class SqliteUpstreams:
    """See the module. Any thread may call; methods block until they are done.

    Args:
        database: Opened with `sync.hub.store.MIGRATIONS`; the caller closes it.
    """

    def __init__(self, database: Database) -> None:
        self._database: Final = database

    def hubs(self) -> tuple[KnownHub, ...]:
        """List them in the order of their keys."""

        def read(connection: sqlite3.Connection) -> tuple[KnownHub, ...]:
            rows = connection.execute(f"{_HUBS} ORDER BY key").fetchall()
            return tuple(_hub(row) for row in rows)

        return self._database.read_here(read)

    def put(self, hub: KnownHub) -> None:
        """Add one, or change what is known of it (UP2)."""

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM upstream WHERE key = ?", (hub.key,))
            connection.execute(
                "INSERT INTO upstream (key, url, authority, site, school, name)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (hub.key, hub.url, hub.authority, hub.site, hub.school, hub.name),
            )

        self._database.write(write).result()

    def remove(self, name: str) -> KnownHub:
        """Forget the hub with this address, or with this key in hexadecimal digits.

        Raises:
            UserError: `upstream_absent`.
        """
        url = name.rstrip("/")
        found = [hub for hub in self.hubs() if name == hub.key.hex() or url == hub.url]
        if not found:
            raise UserError("upstream_absent", {"url": name})

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM upstream WHERE key = ?", (found[0].key,))

        self._database.write(write).result()
        return found[0]

    def belief(self, key: bytes, site: bytes) -> bytes:
        """Give the blob that an exchange about a school left, empty at first."""

        def read(connection: sqlite3.Connection) -> bytes:
            row = connection.execute(
                "SELECT data FROM belief WHERE upstream = ? AND site = ?", (key, site)
            ).fetchone()
            return b"" if row is None else bytes(row[0])

        return self._database.read_here(read)

    def save_belief(self, key: bytes, site: bytes, blob: bytes) -> None:
        """Keep the blob of an exchange, unless the hub was removed meanwhile."""

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT INTO belief (upstream, site, data)"
                " SELECT key, ?, ? FROM upstream WHERE key = ?"
                " ON CONFLICT (upstream, site) DO UPDATE SET data = excluded.data",
                (site, blob, key),
            )

        self._database.write(write).result()

    def contact(self, key: bytes) -> Contact:
        """Tell how calls to a hub went."""

        def read(connection: sqlite3.Connection) -> Contact:
            row = connection.execute(
                "SELECT exchanges, failures, reason, wall_ms FROM upstream WHERE key = ?", (key,)
            ).fetchone()
            return Contact() if row is None else _contact(row)

        return self._database.read_here(read)

    def note_contact(self, key: bytes, contact: Contact) -> None:
        """Keep how calls went."""
        row = (contact.exchanges, contact.failures, contact.reason, contact.wall_ms, key)

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(
                "UPDATE upstream SET exchanges = ?, failures = ?, reason = ?, wall_ms = ?"
                " WHERE key = ?",
                row,
            )

        self._database.write(write).result()


def _hub(row: Sequence[Any]) -> KnownHub:
    key, url, authority, site, school, name = row
    return KnownHub(key=key, url=url, authority=authority, site=site, school=school, name=name)


def _contact(row: Sequence[Any]) -> Contact:
    exchanges, failures, reason, wall_ms = row
    return Contact(exchanges=exchanges, failures=failures, reason=reason, wall_ms=wall_ms)
