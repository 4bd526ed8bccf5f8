"""The log this machine writes when disks are copied, set back and lost (client.store.own_log, OL1
to OL5; client.store.sealing, SE1 and SE2; client.service.bench_boots)."""

import errno
import itertools

import pytest

from client.domain.errors import StorageError
from client.domain.record.bodies import EventType, GoesOn, Incarnation, WhyIncarnation
from client.domain.record.fold import read
from client.domain.record.log import Taken
from client.domain.record.segment import MAX_EVENTS, unseal
from client.service.bench_boots import exchange, forgetful_year, vector_bytes, year_vector_bytes
from client.store.database import Database
from client.store.keyfile import KeyFile, verify
from client.store.log_store import LogStore
from client.store.own_log import MAX_NAMED
from client.store.schema_journal import MIGRATIONS
from client.store.sealing import runs
from tests.disk_world import Disk, settle
from tests.journal_room import cue
from tests.log_world import Pen

LARGE = 1 << 30


@pytest.fixture
def hub(tmp_path):
    database = Database(tmp_path / "hub.db", MIGRATIONS)
    yield LogStore(database, b"school-1")
    database.close()


@pytest.fixture
def disk(tmp_path):
    made = Disk(tmp_path / "disk")
    yield made
    made.journal.close()


def names(journal):
    """How many times this log went on from older ones behind its beginning."""
    namings = journal.events([EventType.GOES_ON])
    return sum(event.writer == journal.writer for _, event in namings)


# --- rotation ----------------------------------------------------------------------------


def test_ol4_a_branch_of_the_present_log_makes_a_new_one(disk, hub, tmp_path):
    disk.write(1)
    disk.copy(tmp_path / "image")
    twin = Disk(tmp_path / "image")
    twin.write(2, 3)
    exchange(twin.journal, hub)
    disk.write(4)
    old = disk.journal.writer
    heard = []
    disk.journal.listen(heard.extend)
    exchange(disk.journal, hub)
    assert disk.journal.writer != old
    begun = disk.begun()
    assert begun.why is WhyIncarnation.RESTORED
    assert {writer for writer, _ in begun.predecessors} == {old}
    assert len(begun.predecessors) == 2
    assert {event.id for event in heard} >= twin.promised
    assert any(isinstance(read(event).body, Incarnation) for event in heard)
    disk.write(5)
    assert disk.journal.events()[-1][1].writer == disk.journal.writer
    settle(hub, disk, twin)
    assert disk.ids() == twin.ids() >= disk.promised | twin.promised
    assert disk.journal.log.vector() == hub.vector() == twin.journal.log.vector()
    twin.journal.close()
    disk.journal.close()
    disk.open()
    assert disk.journal.writer != old
    assert disk.ids() >= disk.promised


def test_ol3_a_death_between_key_and_log_is_no_hindrance(disk, tmp_path):
    disk.write(1)
    old = disk.journal.writer
    KeyFile.load(disk.folder / "journal.key").rotated()
    disk.journal.close()
    disk.open()
    assert disk.journal.writer != old
    assert [writer for writer, _ in disk.begun().predecessors] == [old]
    assert disk.begun().why is WhyIncarnation.RESTORED


def test_ol2_whoever_writes_next_begins_the_log(disk):
    disk.journal._own.rotate()
    disk.write(1)
    events = [event for _, event in disk.journal.events()]
    assert [event.seq for event in events] == [1, 1, 2]
    assert len({event.writer for event in events}) == 2


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS])
def test_a_disk_that_refuses_the_new_name_keeps_the_old_state(
    disk, hub, tmp_path, monkeypatch, code
):
    disk.write(1)
    disk.copy(tmp_path / "image")
    twin = Disk(tmp_path / "image")
    twin.write(2)
    exchange(twin.journal, hub)
    twin.journal.close()
    before, old = disk.journal.log.vector(), disk.journal.writer

    def refuse(_):
        raise OSError(code, "no")

    monkeypatch.setattr(KeyFile, "rotated", refuse)
    lacking = hub.missing(before, LARGE)
    if code == errno.ENOSPC:
        assert set(disk.journal.log.take(lacking).result()) == {Taken.FULL}
    else:
        with pytest.raises(StorageError):
            disk.journal.log.take(lacking).result()
    assert (disk.journal.log.vector(), disk.journal.writer) == (before, old)
    monkeypatch.undo()
    disk.write(3)
    exchange(disk.journal, hub)
    assert disk.journal.writer != old
    assert disk.ids() >= disk.promised | twin.promised


def test_ol4_a_log_with_two_tips_is_not_written_on(disk, tmp_path):
    disk.write(1)
    disk.copy(tmp_path / "image")
    twin = Disk(tmp_path / "image")
    twin.write(2)
    twin.journal.seal().result()
    disk.write(3)
    disk.journal.close()
    database = Database(disk.folder / "journal.db", MIGRATIONS)
    LogStore(database).take(twin.journal.segments()).result()
    database.close()
    twin.journal.close()
    disk.open()
    assert len(disk.begun().predecessors) == 2


def test_own_lost_events_come_back_to_a_disk_that_was_set_back(disk, hub, tmp_path):
    disk.write(1)
    disk.copy(tmp_path / "image")
    disk.write(2, 3)
    exchange(disk.journal, hub)
    disk.set_back(tmp_path / "image")
    assert not disk.ids() >= disk.promised
    exchange(disk.journal, hub)
    assert disk.ids() >= disk.promised
    disk.write(4)
    exchange(disk.journal, hub)
    assert disk.journal.log.vector() == hub.vector()
    assert len(hub.vector().open) == 1


# --- sealing -----------------------------------------------------------------------------


def test_se1_the_old_tail_is_still_sealed(disk, hub, tmp_path):
    disk.write(1)
    disk.copy(tmp_path / "image")
    twin = Disk(tmp_path / "image")
    twin.write(2)
    exchange(twin.journal, hub)
    twin.journal.close()
    disk.write(3, 4)
    disk.journal.log.take(hub.missing(disk.journal.log.vector(), LARGE)).result()
    disk.write(5)
    disk.journal.seal().result()
    other = LogStore(disk.journal._database, b"nobody")
    other.take(disk.journal.segments()).result()
    assert other.vector() == disk.journal.log.vector()


def test_se1_every_shape_of_a_log_is_cut_into_chains():
    pen = Pen().write(*range(6))
    left, right = pen.clone(), pen.clone()
    left.write(*(n % 500 for n in range(MAX_EVENTS + 3)))
    right.write(7)
    events = {event.hash: event for one in (left, right) for event in one.events}
    gap = left.events[3].hash
    torn = tuple(event for digest, event in events.items() if digest != gap)
    found = list(runs(torn))
    assert sorted(event.hash for run in found for event in run) == sorted(e.hash for e in torn)
    for run in found:
        assert len(run) <= MAX_EVENTS
        assert all(b.prev == a.hash for a, b in itertools.pairwise(run))


def test_se1_a_row_that_does_not_hold_stops_nothing(disk):
    disk.write(1, 2, 3)
    disk.journal._database.write(
        lambda c: c.execute("UPDATE event SET wall = wall + 1 WHERE seq = 3")
    ).result()
    assert disk.journal.seal().result() == 2
    assert disk.journal.health().is_suspect
    key = disk.journal._own.key.public_key
    sealed = [unseal(data, lambda _: key, verify).events for data in disk.journal.segments()]
    assert [[event.seq for event in run] for run in sealed] == [[1, 2], [4]]


# --- going on from older logs ------------------------------------------------------------


def older_log(disk, image, hub):
    """A log of this machine that only the hub knows; the disk writes another one already."""
    disk.copy(image)
    disk.journal._own.rotate()
    disk.write(1)
    exchange(disk.journal, hub)
    disk.set_back(image)
    disk.journal._own.rotate()
    disk.write(2)


def test_ol5_an_older_log_that_comes_back_is_gone_on_from(disk, hub, tmp_path):
    older_log(disk, tmp_path / "image", hub)
    exchange(disk.journal, hub)
    (event,) = (event for _, event in disk.journal.events([EventType.GOES_ON]))
    assert isinstance(read(event).body, GoesOn)
    assert [one.writer for one in hub.vector().open] == [disk.journal.writer]
    for _ in range(3):
        exchange(disk.journal, hub)
    assert names(disk.journal) == 1


def test_ol5_copies_of_a_disk_do_not_answer_each_other_without_end(disk, hub, tmp_path):
    disk.write(1)
    disk.copy(tmp_path / "a")
    disk.copy(tmp_path / "b")
    rooms = [disk, Disk(tmp_path / "a"), Disk(tmp_path / "b")]
    for n, one in enumerate(rooms):
        one.write(n)
    settle(hub, *rooms)
    counts = [one.journal.count() for one in rooms]
    settle(hub, *rooms)
    assert [one.journal.count() for one in rooms] == counts
    assert len(set(counts)) == 1
    promised = set.union(*(one.promised for one in rooms))
    assert all(one.ids() >= promised for one in rooms)
    for one in rooms[1:]:
        one.journal.close()


def test_ol5_copies_that_teach_for_years_name_each_other_a_bounded_number_of_times(
    disk, hub, tmp_path
):
    disk.write(1)
    disk.copy(tmp_path / "image")
    twin = Disk(tmp_path / "image")
    for lesson in range(40):
        for n, one in enumerate((disk, twin)):
            one.write(2 * lesson + n)
            exchange(one.journal, hub)
    settle(hub, disk, twin)
    logs = {event.writer for _, event in disk.journal.events()}
    assert len(logs) <= 3
    assert len(disk.journal.events([EventType.GOES_ON])) <= MAX_NAMED * len(logs)
    assert disk.ids() == twin.ids() >= disk.promised | twin.promised
    assert len(hub.vector().open) <= 2
    assert disk.journal.log.vector() == twin.journal.log.vector() == hub.vector()
    twin.journal.close()


def test_ol5_what_was_named_and_then_only_named_others_is_not_named_again(disk):
    """Whichever of its events was named: a fact, or a naming."""
    one = Pen(PastKey(disk.journal._own.key, 1)).write(1)
    two = Pen(PastKey(disk.journal._own.key, 2))
    for naming in (one, two):
        naming.add(GoesOn(predecessors=()))
    disk.journal.log.take((one.seal(), two.seal())).result()
    disk.journal.seal().result()
    assert names(disk.journal) == 1
    one.add(GoesOn(predecessors=()))
    disk.journal.log.take((one.seal(),)).result()
    disk.journal.seal().result()
    assert names(disk.journal) == 1
    one.add(cue(7))
    disk.journal.log.take((one.seal(),)).result()
    disk.journal.seal().result()
    assert names(disk.journal) == 2


def test_a_name_nothing_was_written_under_may_end(disk):
    disk.journal._own.rotate()
    disk.journal.close()
    disk.open()
    assert disk.begun().why is WhyIncarnation.RESTORED


def test_logs_of_other_machines_are_left_open(disk, hub):
    other = Pen().write(1)
    disk.journal.log.take((other.seal(),)).result()
    exchange(disk.journal, hub)
    assert names(disk.journal) == 0
    disk.journal._own.rotate()
    disk.write(1)
    assert other.writer not in {writer for writer, _ in disk.begun().predecessors}


def test_more_logs_than_one_event_can_name(disk, hub):
    """70 older logs come back at once."""
    key = disk.journal._own.key
    past = []
    for number in range(70):
        one = Pen(PastKey(key, number))
        past.append(one.seal())
    disk.journal.log.take(past).result()
    exchange(disk.journal, hub)
    assert names(disk.journal) == 2
    assert [one.writer for one in hub.vector().open] == [disk.journal.writer]


class PastKey:
    """The key of this machine under an earlier name."""

    def __init__(self, key, number):
        self._key = key
        self.public_key = key.public_key
        self.nonce = number.to_bytes(16, "big")

    def sign(self, message):
        return self._key.sign(message)


def test_a_disk_that_forgets_every_day_has_a_small_vector(tmp_path):
    """Each day's log is closed by the next one's; what remains open does not grow."""
    assert year_vector_bytes(2) <= 200
    year = forgetful_year(tmp_path, 25)
    assert len(year.closed) >= 25
    assert vector_bytes(year) <= 200
