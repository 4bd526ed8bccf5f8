"""Copies of a disk that teach apart, are set back and meet in any order
(client.store.own_log, client.store.log_store, client.store.sealing)."""

import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from client.domain.record.fold import Fold
from client.service.bench_boots import exchange
from client.store.database import Database
from client.store.log_store import LogStore
from client.store.schema_journal import MIGRATIONS
from tests.disk_world import Disk, settle

ROOMS = 3
AT = st.integers(0, ROOMS - 1)


class CopiesMachine(RuleBasedStateMachine):
    """A hub, up to three disks that began as one, and images of them."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="copies-"))
        self.database = Database(self.folder / "hub.db", MIGRATIONS)
        self.hub = LogStore(self.database, b"school-1")
        self.rooms = [Disk(self.folder / "0")]
        self.images: list[Path] = []
        self.numbers = iter(range(10**6))

    def room(self, at: int) -> Disk:
        return self.rooms[at % len(self.rooms)]

    @rule(at=AT, count=st.integers(1, 3))
    def teach(self, at, count) -> None:
        self.room(at).write(*(next(self.numbers) % 500 for _ in range(count)))

    @rule(at=AT)
    def visit(self, at) -> None:
        exchange(self.room(at).journal, self.hub)

    @rule(at=AT, other=AT)
    def meet(self, at, other) -> None:
        if self.room(at) is not self.room(other):
            exchange(self.room(at).journal, self.room(other).journal.log)

    @rule(at=AT)
    def image(self, at) -> None:
        self.images.append(self.folder / f"image-{next(self.numbers)}")
        self.room(at).copy(self.images[-1])

    @rule(at=st.integers(0, 9))
    @precondition(lambda self: self.images and len(self.rooms) < ROOMS)
    def clone(self, at) -> None:
        target = self.folder / f"room-{next(self.numbers)}"
        shutil.copytree(self.images[at % len(self.images)], target)
        self.rooms.append(Disk(target))

    @rule(at=AT, image=st.integers(0, 9))
    @precondition(lambda self: self.images)
    def set_back(self, at, image) -> None:
        self.room(at).set_back(self.images[image % len(self.images)])

    @rule(at=AT)
    def restart(self, at) -> None:
        self.room(at).journal.close()
        self.room(at).open()

    @invariant()
    def the_log_that_is_written_is_nobody_elses(self) -> None:
        for room in getattr(self, "rooms", ()):
            tips = [tip for tip in room.journal.tips() if tip.writer == room.journal.writer]
            assert len(tips) == 1
            assert tips[0].first == 1

    def teardown(self) -> None:
        """Whatever is on some disk is on all of them once they met."""
        if not hasattr(self, "rooms"):
            return
        there = set.union(*(room.ids() for room in self.rooms))
        settle(self.hub, *self.rooms)
        settle(self.hub, *self.rooms)
        assert there <= self.rooms[0].ids()
        vectors = {room.journal.log.vector().summary for room in self.rooms}
        assert vectors == {self.hub.vector().summary}
        assert len({room.journal.count() for room in self.rooms}) == 1
        for room in self.rooms:
            assert Fold(event for _, event in room.journal.events()).unread == 0
            room.journal.close()
        self.database.close()
        shutil.rmtree(self.folder)


CopiesMachine.TestCase.settings = settings(
    max_examples=15,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestCopies = CopiesMachine.TestCase
