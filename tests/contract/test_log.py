"""What is true of every store of logs (client.domain.record.log, client.domain.record.vector)."""

import itertools
import random
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from client.domain.canon import decode_array, encode
from client.domain.record.log import MAX_LAMPORT_JUMP, Introduction, Log, Taken
from client.domain.record.vector import EMPTY, Vector
from client.store.database import Database
from client.store.log_store import LogStore
from client.store.schema_journal import MIGRATIONS
from tests.fakes.memory_log import MemoryLog
from tests.log_world import Pen

LARGE = 1 << 30


def take(log: Log, *segments: bytes) -> tuple[Taken, ...]:
    return log.take(segments).result()


def bring(source: Log, target: Log) -> None:
    """Give `target` everything it lacks, in one go."""
    lacking = source.missing(target.vector(), LARGE)
    target.take(lacking, source.introductions(lacking)).result()


@pytest.fixture(params=["memory", "room", "hub"])
def make(request, tmp_path):
    """Make empty stores: each hub is one school of the same file."""
    opened: list[Database] = []

    def one() -> Log:
        if request.param == "memory":
            return MemoryLog()
        name = f"{len(opened)}.db" if request.param == "room" else "hub.db"
        opened.append(Database(tmp_path / name, MIGRATIONS))
        site = b"" if request.param == "room" else len(opened).to_bytes(8, "big")
        return LogStore(opened[-1], site)

    yield one
    for database in opened:
        database.close()


def test_an_empty_store_holds_nothing(make):
    assert make().vector() == EMPTY
    assert make().missing(EMPTY, LARGE) == ()


def test_what_was_taken_is_told_and_given(make):
    """W1."""
    log, pen = make(), Pen().write(1, 2)
    data = pen.seal()
    assert take(log, data) == (Taken.STORED,)
    (stretch,) = log.vector().open
    assert (stretch.writer, stretch.seq, stretch.head) == (pen.writer, 3, pen.events[-1].id)
    assert log.missing(EMPTY, LARGE) == (data,)
    assert log.missing(log.vector(), LARGE) == ()


def test_taking_again_changes_nothing(make):
    """W2."""
    log, pen = make(), Pen().write(1)
    first, second = pen.seal(), pen.write(2).seal()
    assert take(log, first, second) == (Taken.STORED, Taken.STORED)
    before = log.vector()
    assert take(log, second, first) == (Taken.HELD, Taken.HELD)
    assert log.vector() == before
    assert log.missing(EMPTY, LARGE) == (first, second)


def test_heads_that_are_not_here_are_found(make):
    """X2: a head further back is here, one further on or on another branch is not."""
    log, pen = make(), Pen().write(1)
    first, twin = pen.seal(), pen.clone()
    take(log, first, pen.write(2).seal())
    there, other = make(), make()
    take(there, first)
    assert log.lacks(there.vector()) == frozenset()
    assert there.lacks(log.vector()) == {pen.writer}
    take(other, first, twin.write(3).seal(), Pen(after=(pen,)).seal())
    assert pen.writer in log.lacks(other.vector())
    assert len(log.lacks(other.vector())) == 2
    assert make().lacks(EMPTY) == frozenset()
    assert make().lacks(log.vector()) == {pen.writer}


def test_what_a_log_goes_on_from_is_known(make):
    """X2: as soon as the log that says so is held, whether the other is or not."""
    log, old = make(), Pen()
    assert not log.is_continued(old.writer)
    heir = Pen(after=(old,))
    take(log, heir.seal())
    assert log.is_continued(old.writer)
    assert not log.is_continued(heir.writer)
    assert not make().is_continued(old.writer)


def test_a_log_nobody_introduced_waits(make):
    """W2."""
    log, pen = make(), Pen().write(1)
    first, second = pen.seal(), pen.write(2).seal()
    assert take(log, second) == (Taken.WRITER_UNKNOWN,)
    assert log.vector() == EMPTY
    assert take(log, first, second) == (Taken.STORED, Taken.STORED)


def test_an_introduction_opens_a_log_whose_beginning_is_lost(make):
    """W2."""
    log, other, pen = make(), make(), Pen().write(1, 2)
    pen.sealed = 1
    data = pen.seal()
    key = Introduction(public_key=pen.key.public_key, nonce=pen.key.nonce)
    assert log.take((data,), (key,)).result() == (Taken.STORED,)
    assert log.vector().open[0].first == 2
    assert log.introductions((data,)) == (key,)
    bring(log, other)
    assert other.vector() == log.vector()


def test_both_branches_of_a_fork_stay(make):
    """W3."""
    log, pen = make(), Pen().write(1)
    twin = pen.clone()
    mine, theirs = pen.write(2).seal(), twin.write(3, 4).seal()
    assert take(log, mine, theirs) == (Taken.STORED, Taken.STORED)
    heads = {stretch.head for stretch in log.vector().open}
    assert heads == {pen.events[-1].id, twin.events[-1].id}
    assert {stretch.first for stretch in log.vector().open} == {1}
    other = make()
    bring(log, other)
    assert other.vector() == log.vector()


def test_a_gap_is_told_and_filled(make):
    """W4."""
    whole, torn, pen = make(), make(), Pen().write(1)
    parts = [pen.seal(), pen.write(2).seal(), pen.write(3).seal()]
    take(whole, *parts)
    take(torn, parts[0], parts[2])
    assert [(s.first, s.seq) for s in torn.vector().open] == [(1, 2), (4, 4)]
    assert whole.missing(torn.vector(), LARGE) == (parts[1],)
    bring(whole, torn)
    assert torn.vector() == whole.vector()


def test_a_head_that_is_gone_on_from_is_closed(make):
    log, pen = make(), Pen().write(1)
    old = pen.seal()
    new = Pen(pen.key.rotated(), after=(pen,))
    take(log, old, new.seal())
    vector = log.vector()
    assert [stretch.writer for stretch in vector.open] == [new.writer]
    assert [stretch.writer for stretch in vector.closed or ()] == [pen.writer]
    told = Vector(open=vector.open, closed_digest=vector.closed_digest)
    assert log.missing(told, LARGE) == ()
    other = Vector(open=vector.open, closed_digest=EMPTY.closed_digest)
    assert log.missing(other, LARGE) == (old,)


def test_a_closed_log_that_grows_is_open_again(make):
    log, pen = make(), Pen().write(1)
    first = pen.seal()
    new = Pen(pen.key.rotated(), after=(pen,))
    take(log, first, new.seal(), pen.write(2).seal())
    assert {stretch.writer for stretch in log.vector().open} == {pen.writer, new.writer}


def test_a_bound_is_kept_and_something_is_always_given(make):
    """W4."""
    log, pen = make(), Pen()
    parts = [pen.write(number).seal() for number in range(1, 6)]
    take(log, *parts)
    assert log.missing(EMPTY, 1) == (parts[0],)
    assert log.missing(EMPTY, len(parts[0]) + len(parts[1])) == tuple(parts[:2])


def test_events_of_types_nobody_knows_are_kept(make):
    """W1."""
    log, other, pen = make(), make(), Pen()
    pen.add_raw(9999, 7, encode([[], b"what is this"]))
    pen.add_raw(20, 99, encode([["\x00"]]))
    assert take(log, pen.seal()) == (Taken.STORED,)
    bring(log, other)
    assert other.vector() == log.vector()


def test_a_bad_segment_changes_nothing(make):
    """W5."""
    log, pen = make(), Pen().write(1)
    take(log, pen.seal())
    before = log.vector()
    good = pen.write(2).seal()
    forged = encode([*decode_array(good)[:-1], bytes(64)])
    assert take(log, forged, b"", b"\xff" * 90) == (
        Taken.SIGNATURE_BAD,
        Taken.INVALID,
        Taken.INVALID,
    )
    assert log.vector() == before
    assert take(log, good) == (Taken.STORED,)


def test_a_counter_that_jumps_is_kept_out(make):
    """W5."""
    log, pen = make(), Pen().write(1)
    take(log, pen.seal())
    before = log.vector()
    hostile = pen.clone()
    hostile.add_raw(9999, 1, encode([[]]), step=MAX_LAMPORT_JUMP + 1)
    assert take(log, hostile.seal()) == (Taken.QUARANTINED,)
    assert log.vector() == before


def test_a_copy_that_sealed_elsewhere_overlaps(make):
    """W3: copies of a disk need not cut their logs at the same places."""
    log, pen = make(), Pen().write(1, 2)
    twin = pen.clone()
    take(log, pen.write(3).seal())
    assert take(log, twin.seal(2)) == (Taken.HELD,)
    assert take(log, twin.write(4).seal()) == (Taken.STORED,)
    other = make()
    bring(log, other)
    assert other.vector() == log.vector()


def push(source: Log, target: Log, portion: int) -> None:
    """Send in portions, remembering what was acknowledged."""
    told, sent = target.vector(), []
    while lacking := source.missing(told, portion, sent=sent):
        codes = target.take(lacking, source.introductions(lacking)).result()
        assert all(code.is_kept for code in codes)
        sent += source.stretches(lacking)


def test_logs_about_to_be_sent_are_waited_for(make):
    """W4."""
    here, there, pen = make(), make(), Pen().write(1)
    first, second = pen.seal(), pen.write(2).seal()
    take(here, first)
    take(there, first, second)
    assert here.missing(there.vector(), LARGE) == (first,)
    assert here.missing(there.vector(), LARGE, is_patient=True) == ()
    assert here.missing(there.vector(), LARGE, sent=here.stretches((first,))) == ()


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 1 << 32))
def test_any_history_in_any_order_converges(seed):
    """W2, W3, W4, X1, X2: whatever is written, copied and carried, in any portions."""
    converge(seed, MemoryLog)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1 << 32))
def test_any_history_converges_on_disk_too(seed):
    """W2, W3, W4, X1, X2: the same with SQLite, four schools in one file."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database(Path(folder) / "hub.db", MIGRATIONS)
        sites = (number.to_bytes(8, "big") for number in itertools.count())
        try:
            converge(seed, lambda: LogStore(database, next(sites)))
        finally:
            database.close()


def converge(seed: int, store) -> None:
    """Write a random history, hand it out in random portions, and reconcile."""
    dice = random.Random(seed)
    pens, data = [Pen()], []
    for _ in range(dice.randrange(4, 14)):
        pen = dice.choice(pens)
        match dice.randrange(5):
            case 0:
                pens.append(pen.clone())
            case 1:
                pens.append(Pen(pen.key.rotated(), after=(pen,)))
            case 2 if pen.sealed < len(pen.events):
                data.append(pen.seal(dice.randrange(1, 3)))
            case _:
                pen.write(dice.randrange(400))
    data += [pen.seal() for pen in pens if pen.sealed < len(pen.events)]
    stores = [store() for _ in range(3)]
    for one in stores:
        some = [part for part in data if dice.random() < 0.6]
        one.take(sorted(some, key=lambda _: dice.random())).result()
    everything = store()
    everything.take(data).result()
    everything.take(data).result()
    for one in stores[1:]:
        push(one, stores[0], dice.choice([1, 500, LARGE]))
    lacking = everything.missing(stores[0].vector(), LARGE)
    stores[0].take(lacking).result()
    assert stores[0].vector() == everything.vector()
    assert stores[0].vector().summary == everything.vector().summary
    for one in stores[1:]:
        bring(stores[0], one)
        assert one.vector() == everything.vector()
