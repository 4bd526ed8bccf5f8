"""The disk of a simulated machine in memory: the reference store, and what a journal keeps."""

import copy
from collections.abc import Iterable

from client.domain.errors import StorageFullError
from client.domain.record.bodies import Body, GoesOn, Incarnation, WhyIncarnation
from client.domain.record.event import NO_PREVIOUS, SCOPE_ROOM, Event, writer_of
from client.domain.record.log import Taken
from client.domain.record.segment import MAX_EVENTS, BootRow, Segment, seal
from client.domain.record.table import pack, spec_of
from client.domain.record.vector import Vector, vector_of
from tests.fakes import memory_log
from tests.fakes.memory_log import MemoryLog
from tests.torture.keys import QuickKey

PREDECESSORS = 64


class QuickLog(MemoryLog):
    """`MemoryLog` that looks at each event once and remembers its vector."""

    def __init__(self) -> None:
        super().__init__()
        self._looked = 0
        self._named: list[tuple[bytes, bytes]] = []
        self._vector: Vector | None = None
        self.is_full = False

    def _take(self, data: bytes, given: dict[bytes, tuple[bytes, bytes]]) -> Taken:
        return Taken.FULL if self.is_full else super()._take(data, given)

    def vector(self) -> Vector:
        if self._vector is None or self._looked != len(self.events):
            events = list(self.events.values())
            for event in events[self._looked :]:
                entry = memory_log.read(event)
                if entry is not None and isinstance(entry.body, Incarnation | GoesOn):
                    self._named += entry.body.predecessors
            self._looked = len(events)
            self._vector = vector_of(self.events, self._named)
        return self._vector

    def copy(self) -> "QuickLog":
        twin = copy.copy(self)
        twin.events, twin.segments = dict(self.events), dict(self.segments)
        twin.keys, twin._named = dict(self.keys), list(self._named)
        return twin


class MemoryDisk:
    """What a room keeps: the store, its key, the end of its own log.

    `past` are the states after the newest commits: a disk that lies may go back to one of them.
    """

    KEPT = 4

    def __init__(self, key: QuickKey) -> None:
        self.log = QuickLog()
        self.key = key
        self.tip: Event | None = None
        self.unsealed: list[Event] = []
        self._begun: list[Event] = []
        self.boot = 1
        self.is_liar = False
        """It says that it wrote what it did not: older states count."""
        self.clocks: list[BootRow] = []
        self.beliefs: dict[str, bytes] = {}
        """What is believed of each hub."""
        self.past: list[MemoryDisk] = []
        self._flushed: MemoryDisk | None = None

    @property
    def writer(self) -> bytes:
        return writer_of(self.key.public_key, self.key.nonce)

    def copy(self) -> "MemoryDisk":
        twin = copy.copy(self)
        twin._flushed = None
        twin.log, twin.unsealed = self.log.copy(), list(self.unsealed)
        twin.clocks, twin.beliefs, twin.past = list(self.clocks), dict(self.beliefs), []
        return twin

    def commit(self) -> None:
        """Note the state behind a commit."""
        if self.is_liar:
            self.past = [*self.past, self.copy()][-self.KEPT :]

    def set_full(self, is_full: bool) -> None:
        """Refuse every write from now on, or take them again."""
        self.log.is_full = is_full

    def _check_room(self) -> None:
        if self.log.is_full:
            raise StorageFullError("disk_full")

    def cut(self, commits: int, torn: float = 0.0) -> "MemoryDisk":
        """The state after a power cut that takes the newest `commits` with it."""
        behind = self.past[: len(self.past) - commits] if commits else []
        return behind[-1].copy() if behind else self.copy()

    def open(self, _clock: object) -> None:
        """Start the program here."""

    def close(self) -> None:
        """Nothing is open."""

    def flush(self) -> None:
        """Bring what was committed to the disk."""
        self._flushed = self.copy()

    def flushed(self) -> "MemoryDisk":
        """The state after a power cut of a hub."""
        return self._flushed.copy()

    # --- bit rot: only files rot ----------------------------------------------------------

    def rot(self, _luck: float, _where: float) -> bool:
        return False

    def is_rotten(self) -> bool:
        return False

    # --- what a journal does -------------------------------------------------------------

    def begin(
        self,
        why: WhyIncarnation,
        key: QuickKey,
        tips: Iterable[tuple[bytes, bytes]],
        now: tuple[int, int],
    ) -> Event:
        """Begin a log that names the tips it goes on from."""
        self.key, self.tip = key, None
        self.log.keys[self.writer] = (self.key.public_key, self.key.nonce)
        event = self.write(
            Incarnation(
                public_key=self.key.public_key,
                nonce=self.key.nonce,
                why=why,
                predecessors=tuple(tips)[-PREDECESSORS:],
            ),
            now,
        )
        self._begun.append(event)
        return event

    def write(self, body: Body, now: tuple[int, int]) -> Event:
        spec = spec_of(body)
        return self.write_raw(spec.number.value, spec.version, pack(body), now)

    def write_raw(self, kind: int, version: int, body: bytes, now: tuple[int, int]) -> Event:
        """Write one event behind the end of the own log; `now` is (mono, wall) in ms."""
        self._check_room()
        tip = self.tip
        event = Event(
            writer=self.writer,
            seq=1 if tip is None else tip.seq + 1,
            prev=NO_PREVIOUS if tip is None else tip.hash,
            lc=1 + max((one.lc for one in self.log.events.values()), default=0),
            boot=self.boot,
            mono_ms=now[0],
            wall_ms=now[1],
            scope=SCOPE_ROOM,
            type=kind,
            version=version,
            body=body,
        )
        self.log.events[event.hash] = event
        self.unsealed.append(event)
        self.tip = event
        self.commit()
        return event

    def seal(self, most: int = MAX_EVENTS) -> None:
        """Sign what no segment holds; a run ends where another log begins."""
        while self.unsealed:
            self._check_room()
            writer = self.unsealed[0].writer
            run = [event for event in self.unsealed if event.writer == writer][:most]
            nonce = self.log.keys[writer][1]
            data = seal(run, self.clocks[-1:], self.key.renewed(nonce))
            self.log.segments[data] = Segment(events=tuple(run), boots=())
            self.unsealed = [event for event in self.unsealed if event not in run]
        self.commit()

    def own_heads(self) -> set[tuple[bytes, bytes]]:
        """(writer, head) of every open log that this key began."""
        by_id = {event.id: event.hash for event in self.log.events.values()}
        return {
            (one.writer, by_id[one.head])
            for one in self.log.vector().open
            if self.log.keys.get(one.writer, (b"",))[0] == self.key.public_key
        }

    def is_forked(self) -> bool:
        """Whether the own log has another end than the one written last."""
        heads = {head for writer, head in self.own_heads() if writer == self.writer}
        return self.tip is not None and heads != {self.tip.hash}

    def written_alone(self) -> list[Event]:
        """What was written without anybody asking for it since this was asked before."""
        begun, self._begun = self._begun, []
        return begun

    def events_since(self, mark: int) -> tuple[list[Event], int]:
        """The events that came behind `mark`, and the mark behind them."""
        events = list(self.log.events.values())[mark:]
        return events, mark + len(events)

    def there(self) -> set[bytes]:
        """Hashes of everything that is held."""
        return set(self.log.events)

    def events(self) -> Iterable[Event]:
        return self.log.events.values()
