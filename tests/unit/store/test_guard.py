"""Disks that are set back, cut, copied to another machine, or that forget at every start
(client.store.guard GU1 GU2, client.store.sentinel ST1 ST2, client.store.machine MA1 MA2,
client.store.later LA1, client.domain.forgetting)."""

import contextlib
import errno
import shutil
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.domain.clock import FrozenClock
from client.domain.errors import StorageError, StorageFullError
from client.domain.forgetting import forgets, times_set_back
from client.domain.record.bodies import EventType, WhyIncarnation
from client.domain.record.fold import read
from client.service.bench_boots import exchange
from client.store import guard as guard_module
from client.store import journal as journal_module
from client.store import machine, repair, sentinel
from client.store.database import Database
from client.store.later import Later
from client.store.log_store import LogStore
from client.store.machine import describe, is_other, machine_name, read_marks
from client.store.repair import open_journal
from client.store.schema_journal import MIGRATIONS
from client.store.sentinel import Mark, Sentinel, sentinel_of
from tests.journal_room import cue

MARKS = ("machine-1", "board-1", "00:11:22:33:44:55")


class Room:
    """A profile, its sentinel in another place, and the machine it stands on."""

    def __init__(self, folder, state):
        self.folder, self.sentinel = folder, Sentinel(path=state / "sentinel")
        self.marks = MARKS
        self.boots = 0
        self.journal = None

    def start(self, monkeypatch, *, is_new_boot=True):
        """Start the program; returns the codes it says."""
        self.boots += is_new_boot
        monkeypatch.setattr(repair, "boot_key", lambda: f"boot-{self.boots}")
        found = open_journal(self.folder, FrozenClock(), self.sentinel, self.marks)
        self.journal = found.journal
        self.journal.backup_if_due().result()
        return [notice.code for notice in found.notices]

    def stop(self):
        self.journal.close()

    def write(self, *ordinals):
        return [self.journal.append(cue(n)).result() for n in ordinals]

    def logs(self):
        return len(self.journal.tips())


@pytest.fixture
def room(tmp_path, monkeypatch):
    made = Room(tmp_path / "room", tmp_path / "state")
    assert made.start(monkeypatch) == []
    made.write(1, 2)
    yield made
    made.stop()


def restart(room, monkeypatch, change=lambda: None, *, is_new_boot=True):
    room.stop()
    change()
    return room.start(monkeypatch, is_new_boot=is_new_boot)


# --- the sentinel ------------------------------------------------------------------------


def test_an_ordinary_start_finds_nothing(room, monkeypatch):
    for _ in range(3):
        assert restart(room, monkeypatch) == []
    room.journal.seal().result()
    starts = room.sentinel.read().starts
    assert restart(room, monkeypatch, is_new_boot=False) == []
    assert room.sentinel.read().starts == starts == (1, 2, 3, 4)
    assert room.logs() == 1
    assert not room.journal.health().forgets
    assert room.journal.health().is_guarded


def test_gu1_a_disk_that_was_set_back_goes_on_under_a_new_name(room, monkeypatch, tmp_path):
    room.stop()
    shutil.copytree(room.folder, tmp_path / "image")
    room.start(monkeypatch)
    lost = room.write(3)
    room.journal.seal().result()

    def set_back():
        shutil.rmtree(room.folder)
        shutil.copytree(tmp_path / "image", room.folder)

    old = room.journal.writer
    assert restart(room, monkeypatch, set_back) == ["journal_rolled_back"]
    assert room.journal.writer != old
    assert not {event.id for _, event in room.journal.events()} & set(lost)
    (begun,) = (
        read(event).body
        for _, event in room.journal.events([EventType.INCARNATION])
        if event.writer == room.journal.writer
    )
    assert begun.why is WhyIncarnation.RESTORED
    assert restart(room, monkeypatch) == []


def test_gu1_rows_cut_off_the_end_are_noticed(room, monkeypatch):
    def cut():
        database = Database(room.folder / "journal.db", MIGRATIONS)
        database.write(_cut_last).result()
        database.close()

    assert restart(room, monkeypatch, cut) == ["journal_rolled_back"]


def _cut_last(connection):
    """Cut so cleanly that the file is sound."""
    digest, prev, seq = connection.execute(
        "SELECT hash, prev, seq FROM event ORDER BY n DESC LIMIT 1"
    ).fetchone()
    connection.execute("DELETE FROM event WHERE hash = ?", (digest,))
    connection.execute("UPDATE head SET hash = ?, seq = ?", (prev, seq - 1))


def test_st1_the_sentinel_names_what_is_durable_and_only_that(room, monkeypatch):
    room.journal.seal().result()
    mark = room.sentinel.read()
    assert mark.head == room.journal.tips()[0].hash
    room.write(3)
    assert room.sentinel.read().head == mark.head
    room.stop()
    assert room.sentinel.read().seq == mark.seq + 1
    room.start(monkeypatch)


def test_gu2_new_events_reach_the_sentinel_without_closing(room, monkeypatch):
    written = threading.Event()
    monkeypatch.setattr(journal_module, "NOTE_S", 0.01)
    restart(room, monkeypatch)
    whole = Sentinel.write

    def write(self, mark):
        whole(self, mark)
        if mark.seq == 4:
            written.set()

    monkeypatch.setattr(Sentinel, "write", write)
    room.write(3)
    assert written.wait(20)


@pytest.mark.parametrize("junk", [b"", b"junk", b"\x81\x01", b"\x80"])
def test_st2_a_sentinel_that_cannot_be_read_says_nothing(room, monkeypatch, junk):
    def spoil():
        room.sentinel.path.write_bytes(junk)

    for _ in range(3):
        assert restart(room, monkeypatch, spoil) == []
        assert restart(room, monkeypatch, room.sentinel.remove) == []
    assert room.logs() == 1
    assert not room.journal.forgets


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS])
def test_st2_a_sentinel_that_cannot_be_written_stops_nothing(room, monkeypatch, code):
    def refuse(*_, **__):
        raise OSError(code, "no")

    monkeypatch.setattr(sentinel, "write_file", refuse)
    kind = StorageFullError if code == errno.ENOSPC else StorageError
    with pytest.raises(kind):
        room.sentinel.write(Mark())
    assert room.write(3)
    assert restart(room, monkeypatch) == []
    assert room.write(4)
    room.journal.seal().result()
    assert not room.journal.health().is_guarded
    monkeypatch.undo()
    room.journal.seal().result()
    assert room.journal.health().is_guarded


def test_st1_a_name_nothing_was_written_under_is_not_noted(room):
    room.journal.seal().result()
    before = room.sentinel.read()
    room.journal._own.rotate()
    room.journal._note()
    assert room.sentinel.read() == before


def test_a_new_profile_in_an_old_place_is_no_loss(room, monkeypatch):
    assert restart(room, monkeypatch, lambda: shutil.rmtree(room.folder)) == []


def test_a_repair_says_what_it_did_and_nothing_else(room, monkeypatch):
    def damage():
        (room.folder / "journal.db").write_bytes(b"junk")

    assert restart(room, monkeypatch, damage) == ["journal_damaged", "journal_restored"]
    for _ in range(3):
        codes = restart(room, monkeypatch, damage)
        assert set(codes) <= {"journal_damaged", "journal_restored", "journal_salvaged"}
    assert not room.journal.forgets


def test_the_place_of_a_sentinel(tmp_path, monkeypatch):
    monkeypatch.setenv("TONGKE_STATE", str(tmp_path))
    one, other = sentinel_of(Path("/a")), sentinel_of(Path("/b"))
    assert one.path.parent.parent == tmp_path
    assert one != other
    monkeypatch.delenv("TONGKE_STATE")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "x"))
    assert sentinel_of(Path("/a")).path.parts[-4:-2] == ("x", "tongke")
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.delenv("LOCALAPPDATA", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert tmp_path / ".local/state/tongke" in sentinel_of(Path("/a")).path.parents


# --- machines ----------------------------------------------------------------------------


def test_gu1_a_copy_on_another_machine_takes_a_new_name(room, monkeypatch):
    old = room.journal.writer

    def move():
        room.marks = ("machine-2", "board-2", MARKS[2])

    assert restart(room, monkeypatch, move) == ["machine_changed"]
    assert room.journal.writer != old
    assert restart(room, monkeypatch) == []


def test_one_new_part_is_the_same_machine_and_so_is_the_next(room, monkeypatch):
    for marks in (("x", *MARKS[1:]), ("x", "y", MARKS[2]), ("x", "y", "z")):
        room.marks = marks
        assert restart(room, monkeypatch) == []
    assert room.logs() == 1


def test_ma1_nothing_of_the_machine_is_written_down(room):
    text = room.journal.local()[guard_module.MACHINE]
    assert not any(mark in text for mark in MARKS)
    assert describe(MARKS) != describe(MARKS)
    assert machine_name(MARKS, b"key") == machine_name(MARKS, b"key")
    assert machine_name(MARKS, b"key") != machine_name(MARKS, b"other")


@given(
    then=st.tuples(*[st.sampled_from(["", "a", "b"])] * 3),
    now=st.tuples(*[st.sampled_from(["", "a", "b"])] * 3),
)
def test_ma2_two_marks_that_are_known_and_differ_make_another_machine(then, now):
    differing = sum(bool(a and b and a != b) for a, b in zip(then, now, strict=True))
    assert is_other(describe(then), now) is (differing >= 2)


def test_ma2_windows_has_a_name_for_an_installation(tmp_path, monkeypatch):
    def ask(_, name):
        if not registry.name:
            raise OSError
        return registry.name, 1

    registry = SimpleNamespace(
        HKEY_LOCAL_MACHINE=1,
        name="guid",
        OpenKey=lambda *_: contextlib.nullcontext(),
        QueryValueEx=ask,
    )
    monkeypatch.setitem(sys.modules, "winreg", registry)
    monkeypatch.setattr(machine.sys, "platform", "win32")
    assert read_marks(tmp_path)[0] == "guid"
    registry.name = ""
    assert read_marks(tmp_path)[0] == ""


def test_ma2_marks_are_read_where_the_system_tells(tmp_path, monkeypatch):
    monkeypatch.setattr(machine.uuid, "getnode", lambda: 0x001122334455)
    assert read_marks(tmp_path) == ("", "", "001122334455")
    monkeypatch.setattr(machine.uuid, "getnode", lambda: 1 << 40)
    assert read_marks(tmp_path) == ("", "", "")
    for name, text in {
        "etc/machine-id": "m\n",
        "sys/class/dmi/id/product_uuid": "u\n",
        "sys/class/net/eth1/address": "02\n",
        "sys/class/net/eth0/address": "01\n",
        "sys/class/net/lo/address": "00\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    for card in ("eth0", "eth1"):
        (tmp_path / "sys/class/net" / card / "device").mkdir()
    assert read_marks(tmp_path) == ("m", "u", "01")
    assert len(read_marks()) == 3


# --- disks that forget -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("starts", "returned", "expected"),
    [
        ((), 0, False),
        ((1, 2, 3), 1, False),
        ((5, 6, 6, 7), 1, False),
        ((5, 6, 6, 6), 0, True),
        ((9, 1, 1), 0, True),
        ((1, 2), 2, True),
    ],
)
def test_when_a_disk_forgets(starts, returned, expected):
    assert forgets(starts, returned) is expected


@given(st.lists(st.integers(0, 100), unique=True).map(sorted))
def test_a_count_that_grows_was_never_set_back(ordinals):
    assert times_set_back(ordinals) == 0


def test_a_restore_card_is_told_by_its_counts(room, monkeypatch, tmp_path):
    """The data folder is set back at every start, the sentinel stands on another partition."""
    room.stop()
    shutil.copytree(room.folder, tmp_path / "image")

    def set_back():
        shutil.rmtree(room.folder)
        shutil.copytree(tmp_path / "image", room.folder)

    codes = room.start(monkeypatch)
    for _ in range(3):
        room.write(7)
        codes = restart(room, monkeypatch, set_back)
    assert codes == ["journal_rolled_back"]
    assert room.journal.health().forgets
    assert room.journal.local()[guard_module.FORGETS] == "1"


def test_a_restore_card_is_told_by_what_the_hub_gives_back(room, monkeypatch, tmp_path):
    """Even the sentinel is set back: only the hub remembers."""
    hub_file = Database(tmp_path / "hub.db", MIGRATIONS)
    hub = LogStore(hub_file, b"school-1")
    room.stop()
    for place in (room.folder, room.sentinel.path.parent):
        shutil.copytree(place, tmp_path / f"image-{place.name}")

    def set_back():
        for place in (room.folder, room.sentinel.path.parent):
            shutil.rmtree(place)
            shutil.copytree(tmp_path / f"image-{place.name}", place)

    room.start(monkeypatch)
    found = []
    for day in range(5):
        assert restart(room, monkeypatch, set_back) == []
        room.write(day)
        exchange(room.journal, hub)
        found.append(room.journal.forgets)
    assert found[-1]
    assert found == sorted(found)
    hub_file.close()


def test_a_disk_that_forgets_is_pushed_soon_after_a_fact(room, monkeypatch):
    monkeypatch.setattr(journal_module, "PUSH_S", 0.01)
    restart(room, monkeypatch)
    pushed = threading.Event()
    room.journal.wants_push = pushed.set
    room.write(3)
    assert room.journal._pushing._timer is None
    room.journal.forgets = True
    room.write(4)
    assert pushed.wait(20)
    room.journal.wants_push = None
    room.journal._push()


# --- later -------------------------------------------------------------------------------


def test_la1_many_who_ask_are_answered_once_and_nobody_after_the_end():
    done = threading.Semaphore(0)
    later = Later(done.release, 0.01)
    later.soon()
    later.soon()
    assert done.acquire(timeout=20)
    later.close()
    later.close()
    later.soon()
    later._run()
    assert not done.acquire(blocking=False)


def test_la1_it_may_be_ended_by_what_it_does():
    ended = threading.Event()
    later = Later(lambda: (later.close(), ended.set()), 0.0)
    later.soon()
    assert ended.wait(20)
