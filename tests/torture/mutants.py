"""Faulty variants of the logic: a simulator that misses one of them is worth nothing."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

from client.domain.record.event import Event
from client.domain.record.fold import Fold
from client.domain.record.log import Taken
from client.domain.record.table import SPEC_OF_TYPE
from client.domain.record.vector import Vector
from tests.fakes import memory_log
from tests.fakes.memory_log import MemoryLog
from tests.torture.machines import Hub, Room

_siblings = Fold.siblings
_take = MemoryLog._take


def _one_event_a_place(log: MemoryLog, data: bytes, given) -> Taken:
    """INSERT OR IGNORE on (writer, seq)."""
    places = {(event.writer, event.seq): event.hash for event in log.events.values()}
    code = _take(log, data, given)
    if code is Taken.STORED:
        for event in log.segments[data].events:
            if places.get((event.writer, event.seq), event.hash) != event.hash:
                del log.events[event.hash]
                log.segments.pop(data, None)
    return code


def _known_types_only(log: MemoryLog, data: bytes, given) -> Taken:
    code = _take(log, data, given)
    if code is Taken.STORED:
        for event in log.segments[data].events:
            spec = SPEC_OF_TYPE.get(event.type)
            if spec is None or spec.version != event.version:
                log.events.pop(event.hash, None)
    return code


def _up_to_the_highest_number(events: dict[bytes, Event], stretches) -> set[bytes]:
    reach: dict[bytes, int] = {}
    for one in stretches:
        reach[one.writer] = max(one.seq, reach.get(one.writer, 0))
    return {name for name, event in events.items() if event.seq <= reach.get(event.writer, 0)}


def _behind_in_number(log: MemoryLog, there: Vector) -> frozenset[bytes]:
    reach: dict[bytes, int] = {}
    for event in log.events.values():
        reach[event.writer] = max(event.seq, reach.get(event.writer, 0))
    heads = memory_log.told(there, log.vector())
    return frozenset(one.writer for one in heads if one.seq > reach.get(one.writer, 0))


def _latest_by_wall_clock(fold: Fold, number, key):
    found = _siblings(fold, number, key)
    return (max(found, key=lambda entry: entry.event.wall_ms),) if found else ()


def _as_they_came(fold: Fold, number, key):
    found = fold._registers.get((number, key), {})
    replaced = fold._replaced.get((number, key), set())
    return tuple(entry for name, entry in found.items() if name not in replaced)


def _writers_only(vector: Vector) -> bytes:
    return b"".join(sorted({one.writer[:4] for one in vector.open}))[:16].ljust(16, b"\0")


def _sometimes(hub: Hub) -> None:
    hub.takes += 1
    if hub.takes % 8 == 0:
        hub.disk.flush()


PATCHES: dict[str, tuple[tuple[object, str, object], ...]] = {
    "unique_writer_seq": ((MemoryLog, "_take", _one_event_a_place),),
    "max_seq_cursor": (
        (memory_log, "held_there", _up_to_the_highest_number),
        (MemoryLog, "lacks", _behind_in_number),
    ),
    "wall_clock_lww": ((Fold, "siblings", _latest_by_wall_clock),),
    "arrival_order": ((Fold, "siblings", _as_they_came),),
    "ack_before_fsync": ((Hub, "sync", _sometimes),),
    "skipped_signature": ((memory_log, "unseal", None),),
    "dropped_unknown_types": ((MemoryLog, "_take", _known_types_only),),
    "digest_collision": ((Vector, "summary", property(_writers_only)),),
    "unnamed_heads": ((Room, "predecessors", lambda room, heads: []),),
    "no_rotation": ((Room, "must_rotate", lambda room: False),),
}
SURVIVE = ("no_rotation",)
"""Hygiene alone: the tree of events carries what is right without it."""

_unseal = memory_log.unseal
PATCHES["skipped_signature"] = (
    (memory_log, "unseal", lambda data, key_of, verify: _unseal(data, key_of, lambda *_: True)),
)


@contextmanager
def mutated(name: str) -> Iterator[None]:
    """Run with one fault in the logic; an empty name is no fault."""
    with ExitStack() as stack:
        for target, attribute, value in PATCHES[name] if name else ():
            stack.enter_context(patch.object(target, attribute, value))
        yield
