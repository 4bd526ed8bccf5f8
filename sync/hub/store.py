"""hub.db: who is enrolled, whose each log is, and the keys of codes. SQLite; see `sync.hub.ports`.

Hubs above this one stand in the same file (`sync.hub.upstreams`). Nothing is kept in memory: a
command line that revokes beside a running hub is obeyed at the next request.
"""

import sqlite3
from collections.abc import Sequence
from typing import Any, Final

from client.domain.errors import UserError
from client.store.database import Database, Migration, script
from sync.hub import ports, upstreams
from sync.hub.ports import Code, Node, Role
from sync.protocol.enrol import site_of

# Columns of a key come first: SQLite's own check (3.40) calls other tables without row ids damaged.
_TABLES: Final = """
CREATE TABLE node (
    name    BLOB PRIMARY KEY,
    number  INTEGER NOT NULL UNIQUE,
    key     BLOB NOT NULL,
    role    TEXT NOT NULL,
    site    BLOB NOT NULL,
    school  TEXT NOT NULL,
    room    TEXT NOT NULL,
    revoked INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE machine (
    node   BLOB NOT NULL REFERENCES node (name),
    name   BLOB NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (node, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE owner (
    site   BLOB NOT NULL,
    writer BLOB NOT NULL,
    key    BLOB NOT NULL,
    node   BLOB NOT NULL,
    PRIMARY KEY (site, writer)
) STRICT, WITHOUT ROWID;
CREATE INDEX owner_by_node ON owner (node);
CREATE TABLE code (
    number INTEGER PRIMARY KEY,
    key    BLOB NOT NULL,
    role   TEXT NOT NULL,
    school TEXT NOT NULL
) STRICT;
"""

_NODES: Final = "SELECT name, key, role, site, school, room, revoked, number FROM node"


def _m0001(connection: sqlite3.Connection) -> None:
    script(connection, _TABLES)


def _m0002(connection: sqlite3.Connection) -> None:
    """Schools are told apart by their ids; until here a code knew a name only."""
    script(connection, "ALTER TABLE code ADD COLUMN site BLOB NOT NULL DEFAULT x'';")
    for number, school in connection.execute("SELECT number, school FROM code").fetchall():
        site = site_of(school) if school else b""
        connection.execute("UPDATE code SET site = ? WHERE number = ?", (site, number))


def _m0003(connection: sqlite3.Connection) -> None:
    script(connection, upstreams.TABLES)


MIGRATIONS: Final[tuple[Migration, ...]] = (_m0001, _m0002, _m0003)


class SqliteDirectory:
    """See `sync.hub.ports.Directory`.

    Args:
        database: Opened with `MIGRATIONS`; the caller closes it.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, name: bytes) -> Node | None:
        """See the port."""
        return self._database.read_here(lambda connection: _find(connection, name))

    def nodes(self) -> tuple[Node, ...]:
        """See the port."""

        def read(connection: sqlite3.Connection) -> tuple[Node, ...]:
            rows = connection.execute(f"{_NODES} ORDER BY number").fetchall()
            return tuple(_node(connection, row) for row in rows)

        return self._database.read_here(read)

    def enrol(self, node: Node) -> Node:
        """See the port."""

        def write(connection: sqlite3.Connection) -> Node:
            known = _find(connection, node.name)
            if known is not None and known.key != node.key:
                raise UserError("node_unknown")
            connection.execute(
                "INSERT INTO node (name, number, key, role, site, school, room, revoked)"
                " VALUES (?, (SELECT coalesce(max(number), 0) + 1 FROM node), ?, ?, ?, ?, ?, 0)"
                " ON CONFLICT (name) DO UPDATE SET role = excluded.role, site = excluded.site,"
                " school = excluded.school, room = excluded.room",
                (node.name, node.key, node.role.value, node.site, node.school, node.room),
            )
            for machine in node.machines:
                _remember(connection, node.name, machine)
            return _known(connection, node.name)

        return self._database.write(write).result()

    def saw(self, name: bytes, machine: bytes) -> Node:
        """See the port."""

        def write(connection: sqlite3.Connection) -> Node:
            _known(connection, name)
            _remember(connection, name, machine)
            return _known(connection, name)

        return self._database.write(write).result()

    def revoke(self, name: bytes) -> Node:
        """See the port."""

        def write(connection: sqlite3.Connection) -> Node:
            _known(connection, name)
            connection.execute("UPDATE node SET revoked = 1 WHERE name = ?", (name,))
            return _known(connection, name)

        return self._database.write(write).result()

    def owner(self, site: bytes, writer: bytes) -> bytes | None:
        """See the port."""

        def read(connection: sqlite3.Connection) -> bytes | None:
            row = connection.execute(
                "SELECT key FROM owner WHERE site = ? AND writer = ?", (site, writer)
            ).fetchone()
            return None if row is None else bytes(row[0])

        return self._database.read_here(read)

    def admit(self, site: bytes, writer: bytes, key: bytes, by: Node) -> bool:
        """See the port."""

        def write(connection: sqlite3.Connection) -> bool:
            brought = connection.execute(
                "SELECT count(*) FROM owner WHERE node = ?", (by.name,)
            ).fetchone()
            if by.role is Role.ROOM and brought[0] >= ports.MAX_LOGS:
                return False
            connection.execute(
                "INSERT INTO owner (site, writer, key, node) VALUES (?, ?, ?, ?)"
                " ON CONFLICT DO NOTHING",
                (site, writer, key, by.name),
            )
            return True

        return self._database.write(write).result()

    def codes(self) -> tuple[Code, ...]:
        """See the port."""

        def read(connection: sqlite3.Connection) -> tuple[Code, ...]:
            rows = connection.execute("SELECT key, role, site, school FROM code ORDER BY number")
            return tuple(
                Code(key=key, role=Role(role), site=site, school=name)
                for key, role, site, name in rows
            )

        return self._database.read_here(read)

    def set_codes(self, codes: Sequence[Code]) -> None:
        """See the port."""

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM code")
            connection.executemany(
                "INSERT INTO code (key, role, site, school) VALUES (?, ?, ?, ?)",
                [(code.key, code.role.value, code.site, code.school) for code in codes],
            )

        self._database.write(write).result()


def _find(connection: sqlite3.Connection, name: bytes) -> Node | None:
    row = connection.execute(f"{_NODES} WHERE name = ?", (name,)).fetchone()
    return None if row is None else _node(connection, row)


def _known(connection: sqlite3.Connection, name: bytes) -> Node:
    node = _find(connection, name)
    if node is None:
        raise UserError("node_unknown")
    return node


def _node(connection: sqlite3.Connection, row: Sequence[Any]) -> Node:
    name, key, role, site, school, room, revoked, number = row
    machines = connection.execute(
        "SELECT name FROM machine WHERE node = ? ORDER BY number", (name,)
    )
    return Node(
        key=key,
        role=Role(role),
        site=site,
        school=school,
        room=room,
        machines=tuple(machine for (machine,) in machines),
        is_revoked=bool(revoked),
        number=number,
    )


def _remember(connection: sqlite3.Connection, name: bytes, machine: bytes) -> None:
    count = connection.execute("SELECT count(*) FROM machine WHERE node = ?", (name,)).fetchone()
    if count[0] < ports.MAX_MACHINES:
        connection.execute(
            "INSERT INTO machine (node, number, name) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            (name, count[0] + 1, machine),
        )
