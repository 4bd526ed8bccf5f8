"""What a set of events means, whatever the order in which they came.

Invariants:
  O1  The fold of a set of events is the same for every order of adding, with repeats.
  O2  No silent overwrite: a register write stays visible until a write to the same register
      that names it in `sup` is known.
  O3  A fact or stretch stays until an event that names it in `sup` is known.
  O4  Events that say nothing to this program are counted and change nothing else.
  O5  Played time is a union: showing the same second twice adds nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, TypeAlias, TypeVar

from client.domain.errors import ProtocolError
from client.domain.ids import EventId
from client.domain.record.bodies import Body, EventType, FactBody, RegisterBody, Shape
from client.domain.record.event import Event
from client.domain.record.table import SPECS, number_of, spec_of, topic, unpack

F = TypeVar("F", bound=FactBody)
R = TypeVar("R", bound=RegisterBody)

Stretches: TypeAlias = tuple[tuple[int, int], ...]

_REGISTERS: Final = frozenset(spec.number for spec in SPECS if spec.shape is Shape.REGISTER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One event together with what it says."""

    event: Event
    body: Body

    @property
    def id(self) -> EventId:
        """The event's name."""
        return self.event.id

    @property
    def rank(self) -> tuple[int, bytes]:
        """Order among entries: Lamport counter, then identity. Never a clock."""
        return self.event.lc, self.event.hash


def read(event: Event) -> Entry | None:
    """Read one event; None when it says nothing to this program (unknown or unreadable)."""
    try:
        body = unpack(event.type, event.version, event.body)
    except ProtocolError:
        return None
    return None if body is None else Entry(event=event, body=body)


class Fold:
    """Grows by `add`, answers with tuples. Not thread-safe: its owner locks."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self._seen: set[bytes] = set()
        self._facts: dict[EventId, Entry] = {}
        self._gone: set[EventId] = set()
        self._registers: dict[tuple[EventType, bytes], dict[EventId, Entry]] = {}
        self._replaced: dict[tuple[EventType, bytes], set[EventId]] = {}
        self.unread = 0
        """Events that said nothing (O4)."""
        for event in events:
            self.add(event)

    def add(self, event: Event) -> bool:
        """Take in one event. Returns False when it was known already or said nothing."""
        if event.hash in self._seen:
            return False
        self._seen.add(event.hash)
        entry = read(event)
        if entry is None:
            self.unread += 1
            return False
        number = spec_of(entry.body).number
        if number in _REGISTERS:
            key = (number, topic(entry.body))
            self._registers.setdefault(key, {})[entry.id] = entry
            self._replaced.setdefault(key, set()).update(entry.body.sup)
        else:
            self._facts[entry.id] = entry
            self._gone.update(entry.body.sup)
        return True

    def siblings(self, number: EventType, key: bytes) -> tuple[Entry, ...]:
        """Return the writes of one register that nobody superseded, the one to show last."""
        found = self._registers.get((number, key), {})
        replaced = self._replaced.get((number, key), set())
        alive = (entry for name, entry in found.items() if name not in replaced)
        return tuple(sorted(alive, key=lambda entry: entry.rank))

    def registers(self, number: EventType) -> tuple[tuple[Entry, ...], ...]:
        """Return the siblings of every register of a type, ordered by register."""
        keys = sorted(key for kind, key in self._registers if kind is number)
        groups = (self.siblings(number, key) for key in keys)
        return tuple(group for group in groups if group)

    def facts(self, *numbers: EventType) -> tuple[Entry, ...]:
        """Return facts and stretches of these types that nobody took back, in rank order."""
        alive = (
            entry
            for name, entry in self._facts.items()
            if entry.event.type in numbers and name not in self._gone
        )
        return tuple(sorted(alive, key=lambda entry: entry.rank))

    def facts_of(self, kind: type[F]) -> tuple[tuple[Entry, F], ...]:
        """Return the facts or stretches of one kind that nobody took back, in rank order."""
        found = ((entry, entry.body) for entry in self.facts(number_of(kind)))
        return tuple((entry, body) for entry, body in found if isinstance(body, kind))

    def writes_of(self, kind: type[R]) -> tuple[tuple[Entry, R], ...]:
        """Return all visible writes to registers of one kind, register by register."""
        found = (
            (entry, entry.body) for group in self.registers(number_of(kind)) for entry in group
        )
        return tuple((entry, body) for entry, body in found if isinstance(body, kind))

    def shown_of(self, kind: type[R]) -> tuple[R, ...]:
        """Return the write to show of each register of one kind."""
        found = (group[-1].body for group in self.registers(number_of(kind)))
        return tuple(body for body in found if isinstance(body, kind))

    def find(self, name: EventId) -> Entry | None:
        """Find one event that was read, superseded or not."""
        if name in self._facts:
            return self._facts[name]
        return next((group[name] for group in self._registers.values() if name in group), None)

    def is_alive(self, entry: Entry) -> bool:
        """Tell whether nobody superseded or took back an entry of this fold."""
        number = spec_of(entry.body).number
        if number in _REGISTERS:
            return entry in self.siblings(number, topic(entry.body))
        return entry.id not in self._gone


def union(stretches: Iterable[tuple[int, int]]) -> Stretches:
    """Join stretches that overlap or touch; sorted (O5)."""
    joined: list[tuple[int, int]] = []
    for begin, end in sorted(stretches):
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((begin, end))
    return tuple(joined)


def seconds(stretches: Iterable[tuple[int, int]]) -> int:
    """Count the seconds that were shown at least once."""
    return sum(end - begin for begin, end in union(stretches))
