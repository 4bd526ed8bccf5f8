"""The SQL of a store of logs: sites, writers, events, tips and sealed segments.

Every function runs on its caller's connection, inside its caller's transaction. A *fragment* is a
connected piece of a log; all its tips carry the same `root`, its oldest event. A log with gaps has
several; a fork is a fragment with several tips.
"""

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from client.domain.errors import ProtocolError
from client.domain.ids import EventId
from client.domain.record.bodies import GoesOn, Incarnation
from client.domain.record.event import ID_BYTES, Event
from client.domain.record.fold import read
from client.domain.record.log import Introduction
from client.domain.record.segment import peek
from client.domain.record.table import topic
from client.domain.record.vector import Stretch, Vector, vector

HOME: Final = 1
"""The site of a journal; hubs number theirs from 2."""
_KEPT_OUT: Final = 64
"""So many segments stay in quarantine: at 256 KiB each, 16 MB."""

EVENT: Final = (
    "writer.w, event.seq, event.prev, event.lc, event.boot, event.mono, event.wall,"
    " event.scope, event.type, event.version, event.body, event.hash"
)
FROM: Final = "FROM event JOIN writer ON writer.wi = event.wi"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One row of `site`. `changes` grows with every event, `lc` is the largest counter."""

    si: int
    lc: int
    size_bytes: int
    changes: int


def event_of(row: Sequence[object]) -> Event:
    """Make an event from its row and check that it is the one it claims to be.

    Raises:
        ProtocolError: The row was changed: its hash does not fit (`chain_broken`).
    """
    writer, seq, prev, lc, boot, mono, wall, scope, kind, version, body, digest = row
    event = Event(
        writer=octets(writer),
        seq=whole(seq),
        prev=octets(prev),
        lc=whole(lc),
        boot=whole(boot),
        mono_ms=whole(mono),
        wall_ms=whole(wall),
        scope=whole(scope),
        type=whole(kind),
        version=whole(version),
        body=octets(body),
    )
    if event.hash != digest:
        raise ProtocolError("chain_broken")
    return event


# --- sites and writers -------------------------------------------------------------------


def select_site(connection: sqlite3.Connection, name: bytes) -> Site | None:
    """Find a site; None when nothing of it is held."""
    row = connection.execute(
        "SELECT si, lc, bytes, changes FROM site WHERE name = ?", (name,)
    ).fetchone()
    return None if row is None else Site(si=row[0], lc=row[1], size_bytes=row[2], changes=row[3])


def select_sites(connection: sqlite3.Connection) -> tuple[bytes, ...]:
    """Name the schools in the file of a hub, in the order in which they came."""
    rows = connection.execute("SELECT name FROM site WHERE name != x'' ORDER BY si")
    return tuple(name for (name,) in rows)


def insert_site(connection: sqlite3.Connection, name: bytes) -> Site:
    """Begin a site."""
    cursor = connection.execute("INSERT INTO site (name) VALUES (?)", (name,))
    return Site(si=whole(cursor.lastrowid), lc=0, size_bytes=0, changes=0)


def writer_index(connection: sqlite3.Connection, writer: bytes, si: int = HOME) -> int | None:
    """Find a writer's local number."""
    row = connection.execute(
        "SELECT wi FROM writer WHERE si = ? AND w = ?", (si, writer)
    ).fetchone()
    return None if row is None else whole(row[0])


def insert_writer(
    connection: sqlite3.Connection, writer: bytes, key: tuple[bytes, bytes], si: int = HOME
) -> int:
    """Remember a writer by public key and nonce; returns its local number."""
    cursor = connection.execute(
        "INSERT INTO writer (si, w, public_key, nonce) VALUES (?, ?, ?, ?)", (si, writer, *key)
    )
    return whole(cursor.lastrowid)


def select_key(connection: sqlite3.Connection, name: bytes, writer: bytes) -> bytes | None:
    """Return the public key of a writer of a site."""
    row = connection.execute(
        "SELECT public_key FROM writer JOIN site USING (si) WHERE name = ? AND w = ?",
        (name, writer),
    ).fetchone()
    return None if row is None else octets(row[0])


def select_unbegun(
    connection: sqlite3.Connection, name: bytes, writers: Iterable[bytes]
) -> tuple[Introduction, ...]:
    """Return the keys of those writers whose first event no segment here holds."""
    found = (
        connection.execute(
            "SELECT public_key, nonce FROM writer JOIN site USING (si) WHERE name = ? AND w = ?"
            " AND NOT EXISTS (SELECT 1 FROM event e WHERE e.wi = writer.wi AND e.seq = 1"
            " AND e.is_sealed)",
            (name, writer),
        ).fetchone()
        for writer in writers
    )
    return tuple(
        Introduction(public_key=octets(row[0]), nonce=octets(row[1]))
        for row in found
        if row is not None
    )


def size_of(connection: sqlite3.Connection, wi: int) -> int:
    """Tell how many bytes the segments of a log have together."""
    return whole(connection.execute("SELECT bytes FROM writer WHERE wi = ?", (wi,)).fetchone()[0])


# --- events and tips ---------------------------------------------------------------------


def insert_event(
    connection: sqlite3.Connection, wi: int, event: Event, *, is_sealed: bool = False
) -> None:
    """Store an event that is new here, wherever in its log it belongs."""
    entry = read(event)
    connection.execute(
        "INSERT INTO event (hash, wi, seq, prev, lc, boot, mono, wall, scope, type, version,"
        " topic, body, is_sealed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            event.hash,
            wi,
            event.seq,
            event.prev,
            event.lc,
            event.boot,
            event.mono_ms,
            event.wall_ms,
            event.scope,
            event.type,
            event.version,
            b"" if entry is None else topic(entry.body),
            event.body,
            int(is_sealed),
        ),
    )
    _place(connection, wi, event)
    connection.execute(
        "UPDATE site SET changes = changes + 1, lc = max(lc, ?)"
        " WHERE si = (SELECT si FROM writer WHERE wi = ?)",
        (event.lc, wi),
    )
    if entry is not None and isinstance(entry.body, Incarnation | GoesOn):
        connection.executemany(
            "INSERT OR IGNORE INTO named SELECT si, ?, ? FROM writer WHERE wi = ?",
            [(*pair, wi) for pair in entry.body.predecessors],
        )


def _place(connection: sqlite3.Connection, wi: int, event: Event) -> None:
    """Bring the tips up to date: a fragment grew, was joined to another one, or began."""
    root, first = _root(connection, wi, event)
    connection.execute("DELETE FROM head WHERE wi = ? AND hash = ?", (wi, event.prev))
    children = connection.execute(
        "SELECT hash FROM event WHERE wi = ? AND seq = ? AND prev = ?",
        (wi, event.seq + 1, event.hash),
    ).fetchall()
    for (child,) in children:
        connection.execute(
            "UPDATE head SET root = ?, first = ? WHERE wi = ? AND root = ?",
            (root, first, wi, child),
        )
    if not children:
        connection.execute(
            "INSERT INTO head (wi, hash, seq, lc, root, first) VALUES (?, ?, ?, ?, ?, ?)",
            (wi, event.hash, event.seq, event.lc, root, first),
        )


def _root(connection: sqlite3.Connection, wi: int, event: Event) -> tuple[bytes, int]:
    """Find the oldest event of the fragment that `event` belongs to."""
    where = {"wi": wi, "prev": event.prev}
    row = connection.execute(
        "SELECT root, first FROM head WHERE wi = :wi AND hash = :prev", where
    ).fetchone()
    if row is None:
        # A fork, or the beginning of a fragment.
        row = connection.execute(
            "WITH RECURSIVE up (hash, prev, seq) AS ("
            " SELECT hash, prev, seq FROM event WHERE hash = :prev AND wi = :wi UNION ALL"
            " SELECT e.hash, e.prev, e.seq FROM up JOIN event e ON e.hash = up.prev AND e.wi = :wi)"
            " SELECT hash, min(seq) FROM up",
            where,
        ).fetchone()
    return (event.hash, event.seq) if row[0] is None else (octets(row[0]), whole(row[1]))


def is_named(connection: sqlite3.Connection, event: Event) -> bool:
    """Tell whether some log of this machine's site goes on from an event."""
    row = connection.execute(
        "SELECT 1 FROM named WHERE si = ? AND w = ? AND hash = ?",
        (HOME, event.writer, event.hash),
    ).fetchone()
    return row is not None


def count_named(connection: sqlite3.Connection, writer: bytes, si: int = HOME) -> int:
    """Count the events of a log that other logs of its site say they go on from."""
    row = connection.execute(
        "SELECT count(*) FROM named WHERE si = ? AND w = ?", (si, writer)
    ).fetchone()
    return whole(row[0])


def held(
    connection: sqlite3.Connection, wi: int, events: Sequence[Event]
) -> tuple[frozenset[bytes], frozenset[bytes]]:
    """Tell which of a run of events are here, and which of them a segment holds."""
    rows = connection.execute(
        "SELECT hash, is_sealed FROM event WHERE wi = ? AND seq BETWEEN ? AND ?",
        (wi, events[0].seq, events[-1].seq),
    ).fetchall()
    return (
        frozenset(octets(digest) for digest, _ in rows),
        frozenset(octets(digest) for digest, is_sealed in rows if is_sealed),
    )


def select_vector(connection: sqlite3.Connection, si: int) -> Vector:
    """Tell what a site holds."""
    rows = connection.execute(
        "SELECT writer.w, head.seq, head.hash, head.first, named.hash IS NOT NULL"
        " FROM writer JOIN head ON head.wi = writer.wi LEFT JOIN named"
        " ON named.si = writer.si AND named.w = writer.w AND named.hash = head.hash"
        " WHERE writer.si = ?",
        (si,),
    )
    opened: list[Stretch] = []
    closed: list[Stretch] = []
    for w, seq, digest, first, is_named in rows:
        stretch = Stretch(writer=w, seq=seq, head=EventId(digest[:ID_BYTES]), first=first)
        (closed if is_named and first == 1 else opened).append(stretch)
    return vector(opened, closed)


# --- sealed segments ---------------------------------------------------------------------


def insert_sealed(
    connection: sqlite3.Connection, wi: int, events: Sequence[Event], data: bytes
) -> None:
    """Keep a segment of events that are here; one with the same events is kept once."""
    connection.executemany(
        "UPDATE event SET is_sealed = 1 WHERE hash = ? AND wi = ? AND is_sealed = 0",
        [(event.hash, wi) for event in events],
    )
    cursor = connection.execute(
        "INSERT OR IGNORE INTO sealed (wi, first_seq, count, head, data) VALUES (?, ?, ?, ?, ?)",
        (wi, events[0].seq, len(events), events[-1].hash, data),
    )
    if cursor.rowcount:
        connection.execute("UPDATE writer SET bytes = bytes + ? WHERE wi = ?", (len(data), wi))
        connection.execute(
            "UPDATE site SET bytes = bytes + ? WHERE si = (SELECT si FROM writer WHERE wi = ?)",
            (len(data), wi),
        )


def select_stretch(connection: sqlite3.Connection, name: bytes, data: bytes) -> Stretch:
    """Tell what a segment of a site covers.

    Raises:
        ProtocolError: `segment_invalid`: it is not held here.
    """
    start = peek(data)
    row = connection.execute(
        "SELECT head FROM sealed JOIN writer USING (wi) JOIN site USING (si)"
        " WHERE name = ? AND w = ? AND first_seq = ? AND data = ?",
        (name, start.writer, start.seq, data),
    ).fetchone()
    if row is None:
        raise ProtocolError("segment_invalid")
    return Stretch(
        writer=start.writer,
        seq=start.seq + start.count - 1,
        head=EventId(octets(row[0])[:ID_BYTES]),
        first=start.seq,
    )


def has_id(connection: sqlite3.Connection, wi: int, name: EventId) -> bool:
    """Tell whether a log holds an event."""
    return _find(connection, wi, name) is not None


def lacking(
    connection: sqlite3.Connection, wi: int, mine: Collection[Stretch], theirs: Iterable[Stretch]
) -> Iterator[bytes]:
    """Give the segments of a log that hold an event which nobody who told `theirs` has, in order.

    Args:
        connection: The database.
        wi: The log.
        mine: What is held of it here.
        theirs: What the other side told of it.
    """
    # Whoever began further back goes first, so that no walk is made twice.
    by_reach = sorted(theirs, key=lambda one: one.first)
    known = [(*found, one.first) for one in by_reach if (found := _find(connection, wi, one.head))]
    held_below = 0
    if len(mine) == 1:
        # One stretch, no fork: what is under a known head needs no look.
        (log,) = mine
        held_below = max((seq for _, seq, first in known if first <= log.first), default=0)
    up = {
        digest: (seq, prev)
        for digest, seq, prev in connection.execute(
            "SELECT hash, seq, prev FROM event WHERE wi = ? AND seq > ?", (wi, held_below)
        )
    }
    there: set[bytes] = set()
    for head, _, first in known:
        at = head
        while at in up and at not in there and up[at][0] >= first:
            there.add(at)
            at = up[at][1]
    segments = connection.execute(
        "SELECT count, head, data FROM sealed WHERE wi = ? AND first_seq + count - 1 > ?"
        " ORDER BY first_seq, data",
        (wi, held_below),
    )
    for count, head, data in segments:
        if any(digest not in there for digest in _back(up, head, count)):
            yield data


def _back(up: dict[bytes, tuple[int, bytes]], head: bytes, count: int) -> Iterator[bytes]:
    """Walk back over a run; what is not in `up` is held below."""
    at = head
    for _ in range(count):
        if at not in up:
            return
        yield at
        at = up[at][1]


def _find(connection: sqlite3.Connection, wi: int, name: EventId) -> tuple[bytes, int] | None:
    row = connection.execute(
        "SELECT hash, seq FROM event WHERE hash >= ? AND hash <= ? AND wi = ?",
        (name, name + b"\xff" * ID_BYTES, wi),
    ).fetchone()
    return None if row is None else (octets(row[0]), whole(row[1]))


def keep_out(connection: sqlite3.Connection, si: int, data: bytes) -> None:
    """Put a segment into quarantine, for somebody to look at; the oldest ones make room."""
    connection.execute("INSERT INTO quarantine (si, data) VALUES (?, ?)", (si, data))
    connection.execute(
        "DELETE FROM quarantine WHERE q <= (SELECT max(q) FROM quarantine) - ?", (_KEPT_OUT,)
    )


def whole(value: object) -> int:
    """Check that a column holds a whole number."""
    if isinstance(value, int):
        return value
    raise ProtocolError("chain_broken")


def octets(value: object) -> bytes:
    """Check that a column holds bytes."""
    if isinstance(value, bytes):
        return value
    raise ProtocolError("chain_broken")
