"""The store of logs in SQLite against its twin in memory, and what the twin does not know:
schools in one file, quotas, quarantine, full disks (client.store.log_store, LS1 to LS4;
client.store.log_rows)."""

import random
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from client.domain.canon import encode
from client.domain.errors import ProtocolError, StorageError
from client.domain.record.fold import read
from client.domain.record.log import MAX_LAMPORT_JUMP, Introduction, Taken
from client.domain.record.segment import MAX_SEGMENT_BYTES
from client.domain.record.vector import EMPTY, Vector
from client.store import log_rows
from client.store.database import Database
from client.store.log_store import LogStore, Quota
from client.store.schema_journal import MIGRATIONS
from tests.fakes.memory_log import MemoryLog
from tests.log_world import Pen

LARGE = 1 << 30
ONE, OTHER = b"school-1", b"school-2"


@pytest.fixture
def database(tmp_path):
    opened = Database(tmp_path / "logs.db", MIGRATIONS)
    yield opened
    opened.close()


def take(log, *segments, introductions=()):
    return log.take(segments, introductions).result()


def key(pen) -> Introduction:
    return Introduction(public_key=pen.key.public_key, nonce=pen.key.nonce)


def count(database, table) -> int:
    return database.read_here(lambda c: c.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


# --- bit rot -----------------------------------------------------------------------------


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(where=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
@example(where=0, bit=7)
def test_ls4_whatever_bit_of_a_segment_changes_it_is_never_given_and_holds_up_nothing(
    tmp_path, where, bit
):
    path = Path(tempfile.mkdtemp(dir=tmp_path)) / "logs.db"
    with closing(Database(path, MIGRATIONS)) as database:
        log, pen, other, spoilt = LogStore(database), Pen().write(1), Pen(), []
        first, second, third = pen.seal(), pen.write(2).seal(), other.seal()
        take(log, first, second, third)
        rotten = bytearray(first)
        rotten[int(where * len(rotten))] ^= 1 << bit
        database.write(
            lambda c: c.execute("UPDATE sealed SET data = ? WHERE data = ?", (rotten, first))
        ).result()
        assert set(log.missing(EMPTY, LARGE)) == {second, third}
        log.spoilt = lambda: spoilt.append(1)
        given_now = log.missing(EMPTY, LARGE)
        assert set(given_now) == {second, third}
        assert spoilt == [1]


def test_ls4_a_log_whose_beginning_nobody_can_be_given_is_introduced(database):
    """Its first event is here, but the segment that held it is gone."""
    log, pen = LogStore(database), Pen().write(1)
    first, second = pen.seal(), pen.write(2).seal()
    take(log, first, second)
    assert log.introductions((second,)) == ()
    database.write(lambda c: c.execute("DELETE FROM sealed WHERE data = ?", (first,))).result()
    database.write(lambda c: c.execute("UPDATE event SET is_sealed = 0 WHERE seq < 3")).result()
    assert log.introductions((second,)) == (key(pen),)


# --- against the twin --------------------------------------------------------------------


def history(dice) -> tuple[list[bytes], list[Introduction]]:
    """Logs with forks, rotations, other cuts of the same events, and jumps of the counter."""
    pens, data = [Pen()], []
    for _ in range(dice.randrange(4, 16)):
        pen = dice.choice(pens)
        match dice.randrange(7):
            case 0:
                pens.append(pen.clone())
            case 1:
                pens.append(Pen(pen.key.rotated(), after=(pen, dice.choice(pens))))
            case 2 | 3 if pen.sealed < len(pen.events):
                data.append(pen.seal(dice.randrange(1, 4)))
            case 4:
                twin = pen.clone()
                twin.sealed = dice.randrange(len(twin.events))
                data.append(twin.seal(dice.randrange(1, 3)))
            case 5 if dice.random() < 0.2:
                pen.add_raw(9999, 1, encode([[]]), step=MAX_LAMPORT_JUMP + 1)
            case _:
                pen.write(dice.randrange(400))
    data += [pen.seal() for pen in pens if pen.sealed < len(pen.events)]
    return data, [key(pen) for pen in pens]


def some(dice, items):
    chosen = [item for item in items if dice.random() < 0.5]
    dice.shuffle(chosen)
    return chosen


def told_by(dice, data, keys) -> Vector:
    """What some other store would tell, with or without its closed logs."""
    other = MemoryLog()
    other.take(some(dice, data), keys)
    found = other.vector()
    if dice.random() < 0.5:
        return Vector(open=found.open, closed_digest=found.closed_digest)
    return found


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 1 << 32))
def test_it_answers_as_the_twin_in_memory_does(seed, tmp_path_factory):
    dice = random.Random(seed)
    database = Database(tmp_path_factory.mktemp("twin") / "a.db", MIGRATIONS)
    model, real = MemoryLog(), LogStore(database, ONE)
    try:
        data, keys = history(dice)
        for _ in range(4):
            batch, given_keys = some(dice, data), some(dice, keys)
            expected = take(model, *batch, introductions=given_keys)
            assert take(real, *batch, introductions=given_keys) == expected
            assert real.vector() == model.vector()
            there, sent = told_by(dice, data, keys), told_by(dice, data, keys).open
            for is_patient in (False, True):
                bound = dice.choice([1, 700, LARGE])
                lacking = model.missing(there, bound, sent=sent, is_patient=is_patient)
                found = real.missing(there, bound, sent=sent, is_patient=is_patient)
                assert found == lacking
                assert real.stretches(found) == model.stretches(found)
                assert real.introductions(found) == model.introductions(found)
    finally:
        database.close()


# --- schools in one file -----------------------------------------------------------------


def test_ls2_schools_in_one_file_know_nothing_of_each_other(database):
    one, other, pen = LogStore(database, ONE), LogStore(database, OTHER), Pen().write(1)
    data = pen.seal()
    assert take(one, data) == (Taken.STORED,)
    assert other.vector() == EMPTY
    assert other.missing(EMPTY, LARGE) == ()
    assert take(other, pen.clone().write(2).seal()) == (Taken.WRITER_UNKNOWN,)
    # A PC that moved brings its log along: it is kept once for each.
    assert take(other, data) == (Taken.STORED,)
    assert other.vector() == one.vector()
    more = pen.write(3).seal()
    assert take(one, more) == (Taken.STORED,)
    assert other.vector() != one.vector()
    assert take(other, more) == (Taken.STORED,)
    assert other.vector() == one.vector()


def test_ls2_a_counter_of_another_school_allows_no_jump(database):
    one, other = LogStore(database, ONE), LogStore(database, OTHER)
    far = Pen()
    far.add_raw(9999, 1, encode([[]]), step=MAX_LAMPORT_JUMP - 10)
    assert take(one, far.seal()) == (Taken.STORED,)
    further = Pen()
    further.lc = MAX_LAMPORT_JUMP
    further.write(1)
    data = further.seal()
    intro = (key(further),)
    assert take(other, data, introductions=intro) == (Taken.QUARANTINED,)
    assert take(one, data, introductions=intro) == (Taken.STORED,)


def test_ls2_quotas_bound_a_log_and_a_school(database):
    pen, second = Pen().write(1), Pen()
    first, more = pen.seal(), pen.write(*range(200)).seal()
    bounded = LogStore(database, ONE, quota=Quota(log_bytes=len(first) + 10))
    assert take(bounded, first, more, first) == (Taken.STORED, Taken.FULL, Taken.HELD)
    assert take(bounded, second.seal()) == (Taken.STORED,)
    whole = LogStore(database, ONE, quota=Quota(site_bytes=len(first) + 10))
    assert take(whole, more) == (Taken.FULL,)
    assert take(LogStore(database, OTHER, quota=Quota(site_bytes=LARGE)), first) == (Taken.STORED,)
    assert take(LogStore(database, ONE), more) == (Taken.STORED,)


# --- refusals ----------------------------------------------------------------------------


def test_ls1_what_a_refused_beginning_introduced_is_unknown(database):
    pen = Pen().write(1)
    first, second = pen.seal(), pen.write(2).seal()
    small = LogStore(database, quota=Quota(log_bytes=10))
    assert take(small, first, second) == (Taken.FULL, Taken.WRITER_UNKNOWN)
    assert small.vector() == EMPTY


def test_ls1_nothing_that_does_not_verify_reaches_the_writer(database, monkeypatch):
    log, pen = LogStore(database), Pen()
    reached = []
    monkeypatch.setattr(log, "_keep_one", lambda *args: reached.append(args) or Taken.STORED)
    data = pen.seal()
    forged = data[:-1] + bytes([data[-1] ^ 1])
    assert take(log, forged, b"x") == (Taken.SIGNATURE_BAD, Taken.INVALID)
    assert reached == []
    assert take(log, data) == (Taken.STORED,)


def test_the_quarantine_is_bounded(database, monkeypatch):
    monkeypatch.setattr(log_rows, "_KEPT_OUT", 3)
    log = LogStore(database)
    for number in range(5):
        pen = Pen()
        pen.add_raw(9999, number, encode([[]]), step=MAX_LAMPORT_JUMP + 1)
        assert take(log, pen.seal()) == (Taken.QUARANTINED,)
    assert count(database, "quarantine") == 3
    assert log.vector() == EMPTY
    assert 64 * MAX_SEGMENT_BYTES == 16 << 20


def test_a_full_disk_keeps_nothing_and_says_so(database):
    log, pen = LogStore(database), Pen().write(1)
    first, more = pen.seal(), pen.write(*range(400)).seal()
    assert take(log, first) == (Taken.STORED,)
    before = log.vector()

    def bound(pages):
        return database.write(lambda c: c.execute(f"PRAGMA max_page_count = {pages}")).result()

    pages = database.read_here(lambda c: c.execute("PRAGMA page_count").fetchone()[0])
    bound(pages)
    assert take(log, more, b"x") == (Taken.FULL, Taken.INVALID)
    assert log.vector() == before
    bound(1 << 20)
    assert take(log, more) == (Taken.STORED,)


def test_room_that_is_made_on_a_full_disk_is_used(database):
    log = LogStore(database, relieve=lambda: bool(bound(1 << 20)))
    more = Pen().write(*range(400)).seal()

    def bound(pages):
        # Only the writer thread may, and it is the one that asks.
        return log._database.write(lambda c: c.execute(f"PRAGMA max_page_count = {pages}"))

    pages = database.read_here(lambda c: c.execute("PRAGMA page_count").fetchone()[0])
    bound(pages).result()
    assert take(log, more) == (Taken.STORED,)


def test_the_same_events_are_kept_in_one_segment(database):
    log, pen = LogStore(database), Pen().write(1)
    data = pen.seal()
    take(log, data)
    database.write(lambda c: log_rows.insert_sealed(c, 1, pen.events, data + b"x")).result()
    assert log.missing(EMPTY, LARGE) == (data,)
    (size,) = database.read_here(
        lambda c: c.execute("SELECT bytes FROM site WHERE si = 1").fetchone()
    )
    assert size == len(data)


def test_a_beginning_that_names_another_log_introduces_nobody(database):
    log, pen = LogStore(database), Pen()
    other = Pen()
    pen.events, pen.sealed = [], 0
    pen.add(read(other.events[0]).body)
    data = pen.seal()
    assert take(log, data) == (Taken.WRITER_UNKNOWN,)
    assert take(log, data, introductions=(key(pen),)) == (Taken.STORED,)
    assert [one.writer for one in log.vector().open] == [pen.writer]


def test_what_is_not_held_covers_nothing(database):
    with pytest.raises(ProtocolError):
        LogStore(database).stretches((Pen().seal(),))


def test_a_closed_store_refuses(tmp_path):
    database = Database(tmp_path / "a.db", MIGRATIONS)
    log, data = LogStore(database), Pen().seal()
    log.vector()
    database.close()
    for closed in (log, LogStore(database)):
        with pytest.raises(StorageError):
            closed.take((data,)).result()


def test_a_store_that_is_being_closed_refuses(database, monkeypatch):
    def closed(*_, **__):
        raise StorageError("store_closed")

    monkeypatch.setattr(database, "write", closed)
    with pytest.raises(StorageError):
        take(LogStore(database), Pen().seal())


def test_another_failure_of_the_disk_is_the_callers(database, monkeypatch):
    log = LogStore(database)

    def broken(*_):
        raise sqlite3.OperationalError("no")

    monkeypatch.setattr(log, "_keep_one", broken)
    with pytest.raises(StorageError):
        take(log, Pen().seal())


def test_ls3_a_listener_hears_what_is_new_once_it_is_there(database):
    heard = []
    log = LogStore(database, heard=lambda events: heard.append((tuple(events), log.vector())))
    pen = Pen().write(1)
    data = pen.seal()
    take(log, data)
    take(log, data)
    assert heard == [(tuple(pen.events), log.vector())]


def test_a_row_that_is_no_row_is_refused():
    with pytest.raises(ProtocolError):
        log_rows.octets("text")
    with pytest.raises(ProtocolError):
        log_rows.whole("text")


# --- files of an earlier version ---------------------------------------------------------
