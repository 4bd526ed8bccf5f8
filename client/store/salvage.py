"""Reading what damaged files and backups of the journal still give, and joining it.

Invariants:
  V1  Only an event whose hash holds is taken; anything else is passed over, never an error. A
      segment whose signature holds gives its events too, and is kept.
  V2  The files are read through copies and stay as they are.
"""

import contextlib
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Final, TypeVar

from client.domain.errors import ProtocolError
from client.domain.record.anchors import Anchor
from client.domain.record.event import Event, writer_of
from client.domain.record.resume import ResumePoint
from client.domain.record.segment import BootRow, unseal
from client.store import clock_rows, log_rows
from client.store import journal_rows as rows
from client.store.journal_rows import Boot
from client.store.keyfile import verify

T = TypeVar("T")

BESIDE: Final = ("-wal", "-shm")
"""What SQLite keeps beside a file."""

_ALL_ROWS: Final = (
    "SELECT wi, seq, prev, lc, boot, mono, wall, scope, type, version, body, hash"
    " FROM event NOT INDEXED ORDER BY n ASC",
    "SELECT wi, seq, prev, lc, boot, mono, wall, scope, type, version, body, hash"
    " FROM event NOT INDEXED ORDER BY n DESC",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Salvaged:
    """What a group of files gave, None for what none of them could tell."""

    names: Mapping[bytes, tuple[bytes, bytes]] = field(default_factory=dict)
    """Writer -> public key and nonce."""
    events: Mapping[bytes, Event] = field(default_factory=dict)
    """Full hash -> event."""
    segments: frozenset[bytes] = frozenset()
    boots: frozenset[tuple[bytes, Boot, BootRow]] = frozenset()
    anchors: frozenset[Anchor] = frozenset()
    points: tuple[ResumePoint, ...] | None = None
    local: Mapping[str, str] | None = None


def gather(paths: Iterable[Path], known: Salvaged | None = None) -> Salvaged:
    """Read all that can be read of these files, in order; for local rows the last one counts.

    Args:
        paths: Databases, whole or not.
        known: Gives the names of writers to a file that has lost its own.
    """
    found = Salvaged(names=dict(known.names) if known else {})
    for path in paths:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix="salvage-") as folder:
            # SQLite may write to what it opens: work on a copy (V2).
            copy = Path(folder) / path.name
            for ending in ("", *BESIDE):
                source = path.with_name(path.name + ending)
                if source.exists():
                    shutil.copyfile(source, copy.with_name(copy.name + ending))
            with contextlib.closing(sqlite3.connect(copy)) as connection:
                found = _join(found, connection)
    return found


def fill(connection: sqlite3.Connection, groups: Sequence[Salvaged]) -> tuple[int, ...]:
    """Write the groups into an empty journal; returns how many events each one added."""
    names = {writer: key for group in groups for writer, key in group.names.items()}
    events = {digest: event for group in groups for digest, event in group.events.items()}
    numbers = {
        writer: log_rows.insert_writer(connection, writer, key) for writer, key in names.items()
    }
    # In the order of each log, so that tips come out right.
    for event in sorted(events.values(), key=lambda one: (one.lc, one.writer, one.seq)):
        log_rows.insert_event(connection, numbers[event.writer], event)
    for data in sorted(data for group in groups for data in group.segments):
        segment = unseal(data, lambda writer: names[writer][0], verify)
        wi = numbers[segment.events[0].writer]
        log_rows.insert_sealed(connection, wi, segment.events, data)
    boots = {(writer, boot.ordinal): (boot, row) for g in groups for writer, boot, row in g.boots}
    for (writer, _), (boot, row) in boots.items():
        rows.insert_boot(connection, numbers[writer], boot, row)
    clock_rows.insert_anchors(connection, (one for group in groups for one in group.anchors))
    points = next((g.points for g in reversed(groups) if g.points is not None), ())
    for point in reversed(points):
        rows.put_resume(connection, point)
    local = next((g.local for g in reversed(groups) if g.local is not None), {})
    for name, value in local.items():
        rows.put_local(connection, name, value)
    seen: set[bytes] = set()
    counts = []
    for group in groups:
        counts.append(len(group.events.keys() - seen))
        seen |= group.events.keys()
    return tuple(counts)


def _join(found: Salvaged, connection: sqlite3.Connection) -> Salvaged:
    writers = [
        (wi, writer, key)
        for wi, writer, key in _first_of(connection, rows.select_writers) or ()
        # Two empty ones: a log of somebody who was not introduced yet.
        if key == (b"", b"") or writer_of(*key) == writer
    ]
    own = {wi: (writer, key) for wi, writer, key in writers}
    names = {**found.names, **dict(own.values())}
    by_number = {number: (writer,) for number, (writer, _) in own.items()}
    signed = dict(_segments(connection, names))
    read = (*_events(connection, by_number, tuple(names)), *chain(*signed.values()))
    boots = {
        (writer, boot, row)
        for wi, writer, _ in writers
        for boot, row in _first_of(connection, partial(rows.all_boots, wi=wi)) or ()
    }
    return Salvaged(
        names=names,
        events={**found.events, **{event.hash: event for event in read}},
        segments=found.segments | signed.keys(),
        boots=found.boots | boots,
        anchors=found.anchors | set(_first_of(connection, clock_rows.select_anchors) or ()),
        points=_newer(_first_of(connection, rows.select_resume), found.points),
        local=_newer(_first_of(connection, rows.select_local), found.local),
    )


def _newer(now: T | None, before: T | None) -> T | None:
    return before if now is None else now


def _first_of(connection: sqlite3.Connection, fn: Callable[[sqlite3.Connection], T]) -> T | None:
    try:
        return fn(connection)
    except (sqlite3.Error, ProtocolError):
        return None


def _segments(
    connection: sqlite3.Connection, names: Mapping[bytes, tuple[bytes, bytes]]
) -> Iterator[tuple[bytes, tuple[Event, ...]]]:
    """Read the segments of logs that have a name, each with its events."""

    def key_of(writer: bytes) -> bytes | None:
        return names[writer][0] if writer in names else None

    with contextlib.suppress(sqlite3.Error):
        for (value,) in connection.execute("SELECT data FROM sealed"):
            with contextlib.suppress(ProtocolError):
                data = log_rows.octets(value)
                segment = unseal(data, key_of, verify)
                if segment.events[0].writer in names:
                    yield data, segment.events


def _events(
    connection: sqlite3.Connection,
    by_number: Mapping[int, tuple[bytes, ...]],
    names: tuple[bytes, ...],
) -> Iterator[Event]:
    """Read rows from both ends until a page cannot be read; bad rows are passed over.

    Where the file has lost the name of a row's writer, or names another, the hash tells which one
    fits.
    """
    for query in _ALL_ROWS:
        with contextlib.suppress(sqlite3.Error):
            for wi, *row in connection.execute(query):
                for writer in dict.fromkeys((*by_number.get(wi, ()), *names)):
                    with contextlib.suppress(ProtocolError):
                        yield log_rows.event_of((writer, *row))
                        break
