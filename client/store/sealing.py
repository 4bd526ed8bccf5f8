"""Signing what no segment holds yet, in runs.

Invariants:
  SE1  An event whose key this machine has is in a segment after sealing, whatever the shape of its
       log: branches of a fork, what stands behind a gap, tails of logs that are closed.
  SE2  A segment is made once: what somebody else sealed meanwhile is passed over.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from client.domain.errors import ProtocolError
from client.domain.record.event import Event
from client.domain.record.segment import MAX_EVENTS, BootRow, seal
from client.domain.signer import Signer
from client.store import journal_rows as rows
from client.store import log_rows
from client.store.database import Database

_TOO_LARGE: Final = "too_large"


def seal_all(connection: sqlite3.Connection, database: Database, signer: Signer) -> tuple[int, int]:
    """Seal all that is not; returns how many segments were made and how many rows did not hold.

    Args:
        connection: A reader's; only `database`'s writer thread writes.
        database: The journal.
        signer: Its key signs every log that was begun with it.

    Raises:
        StorageError: The disk refused; what was sealed before stays so.
    """
    made = broken = 0
    for wi, _ in rows.writers_of(connection, signer.public_key):
        events, unread = rows.select_unsealed(connection, wi)
        broken += unread
        for run in runs(events):
            ordinals = {event.boot for event in run}
            boots = rows.select_boots(connection, wi, ordinals)
            for part, data in _signed(run, boots, signer):
                made += database.write(_keep(wi, part, data)).result()
    return made, broken


def runs(events: Sequence[Event]) -> Iterator[tuple[Event, ...]]:
    """Cut events of one log into chains of at most `MAX_EVENTS`; each event is in one of them."""
    by_hash = {event.hash: event for event in events}
    after: dict[bytes, list[Event]] = {}
    for event in events:
        after.setdefault(event.prev, []).append(event)
    begun = [event for event in events if event.prev not in by_hash]
    while begun:
        run = [begun.pop()]
        while len(run) < MAX_EVENTS and (following := after.get(run[-1].hash)):
            first, *others = following
            begun += others
            run.append(first)
        # A chain that is cut goes on in the next run.
        begun += after.get(run[-1].hash, ())
        yield tuple(run)


def _signed(
    run: tuple[Event, ...], boots: tuple[BootRow, ...], signer: Signer
) -> Iterator[tuple[tuple[Event, ...], bytes]]:
    """Seal a run, halving it while it is too large; one event always fits."""
    try:
        yield run, seal(run, boots, signer)
    except ProtocolError as error:
        if error.code != _TOO_LARGE:
            raise
        middle = len(run) // 2
        yield from _signed(run[:middle], boots, signer)
        yield from _signed(run[middle:], boots, signer)


def _keep(wi: int, events: tuple[Event, ...], data: bytes) -> Callable[[sqlite3.Connection], bool]:
    def job(connection: sqlite3.Connection) -> bool:
        _, sealed = log_rows.held(connection, wi, events)
        if all(event.hash in sealed for event in events):
            return False
        log_rows.insert_sealed(connection, wi, events, data)
        return True

    return job
