"""SC1 to SC3: every file is read again in its turn, in peace and slowly; rot is told at once."""

import threading
from pathlib import Path

import pytest

from client.domain.cancel import CancelToken
from client.domain.clock import FrozenClock
from client.domain.errors import Cancelled, StorageError
from client.service import scrub
from client.service.scrub import BYTES_PER_S, Pace, Scrubber
from client.store.database import Database
from tests.unit.service.test_storage import content, hold, station

__all__ = ["station"]


@pytest.fixture
def scrubber(station):
    made = Scrubber(station.holdings, station.room, station.clock)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(scrub, "FIRST_S", 0.0)


def always() -> bool:
    return True


def files(station) -> list[Path]:
    return sorted(station.profile.blobs.glob("??/*.pdf"), key=lambda path: path.name)


def rot(path: Path) -> None:
    path.write_bytes(b"x" + path.read_bytes()[1:])


def test_sc3_each_file_is_read_once_a_round_and_rot_is_told(station, scrubber):
    hold(station, "l0", "l1", "l2")
    lost: list[str] = []
    rot(files(station)[1])
    waits = [scrubber.step(always, lost.append) for _ in range(4)]
    assert waits == [0.0, 0.0, 0.0, scrub.ROUND_S]
    assert len(lost) == 1
    assert len(files(station)) == 2
    assert len(list((station.profile.blobs / "damaged").iterdir())) == 1
    again = [scrubber.step(always, lost.append) for _ in range(3)]
    assert again == [0.0, 0.0, scrub.ROUND_S]
    assert len(lost) == 1


def test_the_place_survives_the_program(station, scrubber):
    hold(station, "l0", "l1")
    rot(files(station)[0])
    lost: list[str] = []
    scrubber.step(always, lost.append)
    other = Scrubber(station.holdings, station.room, station.clock)
    rot(files(station)[0])
    other.step(always, lost.append)
    assert len(set(lost)) == 2


def test_sc1_nothing_is_read_while_a_class_is_on_or_something_is_fetched(station, scrubber):
    hold(station, "l0")
    rot(files(station)[0])
    lost: list[str] = []
    scrubber.step(lambda: False, lost.append)
    scrubber.rest()
    scrubber.step(always, lost.append)
    assert lost == []
    scrubber.go_on()
    scrubber.step(always, lost.append)
    assert lost == ["l0"]


@pytest.mark.parametrize("how", ["class", "fetch"])
def test_sc1_it_stops_within_a_piece_and_reads_the_file_again(station, scrubber, monkeypatch, how):
    hold(station, "l0")
    rot(files(station)[0])
    lost: list[str] = []
    is_idle = [True]
    read = Pace.read

    def begun(pace: Pace, count: int) -> None:
        if how == "class":
            scrubber.rest()
        is_idle[0] = how == "class"
        read(pace, count)
        pace._cancel.check()

    monkeypatch.setattr(Pace, "read", begun)
    assert scrubber.step(lambda: is_idle[0], lost.append) > 0
    assert lost == []
    monkeypatch.setattr(Pace, "read", read)
    scrubber.go_on()
    scrubber.step(always, lost.append)
    assert lost == ["l0"]


def test_sc2_reading_waits_for_its_time():
    clock, slept = FrozenClock(), []

    class Token(CancelToken):
        def sleep(self, seconds: float) -> None:
            slept.append(seconds)
            clock.advance(seconds)

    pace = Pace(clock, Token(), always)
    for _ in range(10):
        pace.read(1 << 20)
        clock.advance(0.01)
    taken = sum(slept) + 0.09
    assert (10 << 20) / taken <= BYTES_PER_S * 1.0001
    clock.advance(99)
    before = len(slept)
    pace.read(1)
    assert len(slept) == before
    with pytest.raises(Cancelled):
        Pace(clock, Token(), lambda: False).read(1)


def test_the_thread_reads_tells_and_ends(station, scrubber):
    hold(station, "l0")
    rot(files(station)[0])
    told = threading.Event()
    scrubber.begin(always, lambda _: told.set())
    assert told.wait(30)
    scrubber.close()
    assert scrubber.step(always, lambda _: None) > 0
    assert content("l0") not in [path.read_bytes() for path in files(station)]


def test_a_disk_that_refuses_ends_the_round(station, scrubber, monkeypatch):
    hold(station, "l0")
    asked = threading.Event()

    def refuse(*_: object) -> object:
        asked.set()
        raise StorageError("store_failed")

    monkeypatch.setattr(Database, "read_here", refuse)
    scrubber.begin(always, lambda _: None)
    assert asked.wait(30)
    scrubber.close()
