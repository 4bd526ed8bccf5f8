"""Rooms and a hub in SQLite beside their twins in memory: whatever is written, copied, cut, spoilt
and carried in any order, both say the same (client.domain.record.log, client.store.log_store)."""

import itertools
import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from client.domain.record.log import MAX_LAMPORT_JUMP, Taken
from client.domain.record.vector import EMPTY
from client.store.database import Database
from client.store.log_store import LogStore
from client.store.schema_journal import MIGRATIONS
from tests.contract.test_log import LARGE, push
from tests.fakes.memory_log import MemoryLog
from tests.log_world import Pen

PLACES = 3
at_place = st.integers(0, PLACES - 1)
index = st.integers(0, 1 << 16)


class Pair:
    """A store and its twin; what one is told the other is told too. The last one is a hub."""

    def __init__(self, folder: Path, number: int) -> None:
        self.path = folder / f"{number}.db"
        self.site = b"school-1" if number == PLACES - 1 else b""
        self.twin = MemoryLog()
        self.open()

    def open(self) -> None:
        self.database = Database(self.path, MIGRATIONS)
        self.store = LogStore(self.database, self.site)

    def restart(self) -> None:
        self.database.close()
        self.open()

    def take(self, *segments: bytes) -> tuple[Taken, ...]:
        codes = self.store.take(segments).result()
        assert codes == self.twin.take(segments).result()
        return codes


class LogsMachine(RuleBasedStateMachine):
    """`pens` write logs, `data` are the segments they made."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="logs-model-"))
        self.pairs = [Pair(self.folder, number) for number in range(PLACES)]
        self.pens = [Pen()]
        self.data: list[bytes] = []

    def pen(self, number: int) -> Pen:
        return self.pens[number % len(self.pens)]

    @rule(number=index, ordinals=st.lists(st.integers(0, 400), min_size=1, max_size=3))
    def write(self, number, ordinals) -> None:
        self.pen(number).write(*ordinals)

    @rule(number=index)
    def write_something_new(self, number) -> None:
        self.pen(number).add_raw(9999, 3, b"\x80")

    @rule(number=index)
    def copy_the_disk(self, number) -> None:
        self.pens.append(self.pen(number).clone())

    @rule(number=index)
    def rotate(self, number) -> None:
        pen = self.pen(number)
        self.pens.append(Pen(pen.key.rotated(), after=(pen,)))

    @rule(number=index, count=st.integers(0, 3))
    def seal(self, number, count) -> None:
        pen = self.pen(number)
        if pen.sealed < len(pen.events):
            self.data.append(pen.seal(count))

    @rule(place=at_place, numbers=st.lists(index, min_size=1, max_size=4))
    @precondition(lambda self: self.data)
    def carry(self, place, numbers) -> None:
        self.pairs[place].take(*(self.data[number % len(self.data)] for number in numbers))

    @rule(place=at_place, number=index, at=index, mask=st.integers(1, 255))
    @precondition(lambda self: self.data)
    def carry_spoilt(self, place, number, at, mask) -> None:
        data = bytearray(self.data[number % len(self.data)])
        data[at % len(data)] ^= mask
        (code,) = self.pairs[place].take(bytes(data))
        assert not code.is_kept

    @rule(place=at_place, number=index)
    def leap(self, place, number) -> None:
        hostile = self.pen(number).clone()
        hostile.add_raw(9999, 1, b"\x80", step=2 * MAX_LAMPORT_JUMP)
        (code,) = self.pairs[place].take(hostile.seal())
        assert not code.is_kept

    @rule(source=at_place, goal=at_place, portion=st.sampled_from([1, 700, LARGE]))
    def exchange(self, source, goal, portion) -> None:
        if source == goal:
            return
        push(self.pairs[source].store, self.pairs[goal].store, portion)
        push(self.pairs[source].twin, self.pairs[goal].twin, portion)

    @rule(place=at_place)
    def restart(self, place) -> None:
        self.pairs[place].restart()

    @invariant()
    def both_say_the_same(self) -> None:
        """W1, W2, W3, W5, LS1, X1."""
        for pair in self.pairs:
            assert pair.store.vector() == pair.twin.vector()

    @invariant()
    def both_give_the_same(self) -> None:
        """W4, X2."""
        for one, other in itertools.permutations(self.pairs, 2):
            there = other.twin.vector()
            for is_patient in (False, True):
                given = one.store.missing(there, LARGE, is_patient=is_patient)
                assert given == one.twin.missing(there, LARGE, is_patient=is_patient)

    def teardown(self) -> None:
        """In the end all hold everything."""
        everything = [pen.seal() for pen in self.pens if pen.sealed < len(pen.events)]
        for pair in self.pairs:
            for data in (*self.data, *everything):
                pair.take(data)
            for data in (*self.data, *everything):
                pair.take(data)
        vectors = {pair.store.vector().summary for pair in self.pairs}
        assert len(vectors) == 1
        assert self.pairs[0].store.missing(EMPTY, LARGE)
        for pair in self.pairs:
            pair.database.close()
        shutil.rmtree(self.folder, ignore_errors=True)


LogsMachine.TestCase.settings = settings(
    max_examples=30,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestLogs = LogsMachine.TestCase
