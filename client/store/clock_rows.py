"""The SQL of anchors in journal.db: what is known of the true time.

Every function runs on its caller's connection, inside its caller's transaction.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Final

from client.domain.errors import ProtocolError
from client.domain.record.anchors import Anchor, AnchorKind, kept
from client.store.log_rows import octets, whole

_SELECT: Final = "SELECT writer, boot, mono, utc, err, kind FROM anchor"
_INSERT: Final = (
    "INSERT OR IGNORE INTO anchor (writer, boot, mono, utc, err, kind) VALUES (?, ?, ?, ?, ?, ?)"
)


def put_anchor(connection: sqlite3.Connection, anchor: Anchor) -> None:
    """Keep an anchor, and of those of its start only what `kept` keeps."""
    place = (anchor.writer, anchor.boot)
    found = connection.execute(f"{_SELECT} WHERE writer = ? AND boot = ?", place).fetchall()
    connection.execute("DELETE FROM anchor WHERE writer = ? AND boot = ?", place)
    insert_anchors(connection, kept((*_read(found), anchor)))


def insert_anchors(connection: sqlite3.Connection, anchors: Iterable[Anchor]) -> None:
    """Write anchors as they are."""
    connection.executemany(
        _INSERT,
        (
            (one.writer, one.boot, one.mono_ms, one.utc_ms, one.err_ms, one.kind.value)
            for one in anchors
        ),
    )


def select_anchors(connection: sqlite3.Connection) -> tuple[Anchor, ...]:
    """Return all anchors; a row that cannot be one is left out."""
    return tuple(_read(connection.execute(_SELECT)))


def _read(found: Iterable[Sequence[object]]) -> Iterable[Anchor]:
    for writer, boot, mono, utc, err, kind in found:
        try:
            yield Anchor(
                writer=octets(writer),
                boot=whole(boot),
                mono_ms=whole(mono),
                utc_ms=whole(utc),
                err_ms=whole(err),
                kind=AnchorKind(kind),
            )
        except (ProtocolError, ValueError):
            # Evidence of a newer program, or damage: dates become less sure, nothing else.
            continue
