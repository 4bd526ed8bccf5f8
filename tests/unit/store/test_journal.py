"""The journal: client.store.journal and journal_rows, its key (keyfile) and files (durable)."""

import os
import sqlite3
import stat
import threading
from concurrent.futures import Future
from dataclasses import replace
from types import SimpleNamespace

import pytest

from client.domain.canon import encode
from client.domain.clock import FrozenClock
from client.domain.errors import ProtocolError, StorageError, StorageFullError, UserError
from client.domain.ids import EventId, SittingId
from client.domain.record import bodies as b
from client.domain.record.bodies import EventType
from client.domain.record.event import NO_PREVIOUS, follows
from client.domain.record.fold import read
from client.domain.record.resume import ResumePoint, RunningTimer
from client.domain.record.segment import MAX_EVENTS, unseal
from client.domain.record.table import topic
from client.store import journal_rows as rows
from client.store.ballast import Ballast
from client.store.durable import move_file, set_aside, sync_folder, write_file
from client.store.futures import after, then
from client.store.journal_rows import Boot
from client.store.keyfile import KeyFile, verify
from client.store.own_log import Start, is_new_boot
from tests.journal_room import cue, make_journal, theme

POINT = ResumePoint(
    sitting=SittingId("00112233aabbccdd"),
    class_ids=("c3", "c5"),
    lesson="L1",
    day=2,
    period=1,
    lesson_period=1,
    part="P1",
    position_s=408.25,
    is_playing=True,
    page=3,
    cue=2,
    timers=(RunningTimer(name="练习", total_s=180.0, left_s=61.5),),
)


@pytest.fixture
def journal(tmp_path):
    made = make_journal(tmp_path)
    yield made
    made.close()


def log(journal):
    return [event for _, event in journal.events()]


def test_j1_what_is_acknowledged_is_in_the_file(journal, tmp_path):
    names = [journal.append(cue(n)).result() for n in range(1, 6)]
    with sqlite3.connect(tmp_path / "journal.db") as other:
        found = {row[0][:16] for row in other.execute("SELECT hash FROM event")}
    other.close()
    assert set(names) <= found


def test_ol1_a_log_is_numbered_and_chained_and_its_counter_grows(journal):
    futures = [journal.append(cue(n)) for n in range(1, 30)]
    for future in futures:
        future.result()
    before = None
    for event in log(journal):
        assert follows(event, before)
        before = event
    assert len(log(journal)) == 30
    (tip,) = journal.tips()
    assert (tip.hash, tip.seq, tip.lc) == (before.hash, 30, before.lc)


def test_ol1_appends_from_many_threads_make_one_chain(journal):
    def work():
        for n in range(1, 20):
            journal.append(cue(n)).result()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    before = None
    for event in log(journal):
        assert follows(event, before)
        before = event
    assert journal.count() == 1 + 4 * 19


def test_ol1_a_second_process_on_the_same_file_goes_on_in_the_same_chain(journal, tmp_path):
    journal.append(cue(1)).result()
    other = make_journal(tmp_path)
    other.append(cue(2)).result()
    journal.append(cue(3)).result()
    other.close()
    assert [event.seq for event in log(journal)] == [1, 2, 3, 4]
    assert len(journal.tips()) == 1


def test_ol1_a_draft_that_fails_leaves_nothing_and_the_next_goes_on(journal):
    def draft(_):
        return (cue(1), cue(501))

    with pytest.raises(ProtocolError):
        journal.draft(draft).result()
    journal.append(cue(2)).result()
    assert [event.seq for event in log(journal)] == [1, 2]


def test_j3_a_draft_sees_what_was_written_before_it(journal):
    key = topic(theme(""))

    def write(value):
        def draft(look):
            seen = look.siblings(EventType.SETTING, key)
            return (replace(theme(value), sup=tuple(entry.id for entry in seen)),)

        return journal.draft(draft)

    futures = [write(value) for value in ("light", "dark", "auto")]
    events = [future.result()[0] for future in futures]
    assert [read(event).body.sup for event in events] == [(), (events[0].id,), (events[1].id,)]


def test_j3_a_draft_finds_facts_and_single_events(journal):
    name = journal.append(cue(1)).result()
    found = []

    def draft(look):
        found.append(look.facts(EventType.CUE_REACHED, topic(cue(1))))
        found.append(look.find(name))
        found.append(look.find(EventId(bytes(16))))
        return ()

    assert journal.draft(draft).result() == ()
    assert [entry.id for entry in found[0]] == [name]
    assert found[1].id == name
    assert found[2] is None


def test_j4_listeners_hear_of_durable_events_before_the_future_is_done(journal, tmp_path):
    heard = []

    def listener(events):
        with sqlite3.connect(tmp_path / "journal.db") as other:
            heard.append(other.execute("SELECT count(*) FROM event").fetchone()[0])
        other.close()
        heard.extend(event.id for event in events)

    journal.listen(listener)
    name = journal.append(cue(1)).result()
    assert heard == [2, name]


def test_j4_a_listener_that_fails_does_not_fail_the_fact(journal, caplog):
    def listener(_):
        raise ValueError("a bug elsewhere")

    journal.listen(listener)
    assert journal.append(cue(1)).result()
    caplog.clear()


def test_ol2_a_log_begins_by_saying_whose_it_is_and_what_it_goes_on_from(tmp_path):
    first = make_journal(tmp_path)
    first.append(cue(1)).result()
    tip = first.tips()[0]
    first.close()
    (tmp_path / "journal.key").unlink()
    second = make_journal(tmp_path, start=Start(why=b.WhyIncarnation.KEY_LOST))
    begin = next(event for event in log(second) if event.writer == second.writer)
    body = read(begin).body
    assert (begin.seq, begin.prev, begin.lc) == (1, NO_PREVIOUS, tip.lc + 1)
    assert body.why is b.WhyIncarnation.KEY_LOST
    assert body.predecessors == ((tip.writer, tip.hash),)
    assert len(second.tips()) == 2
    second.close()


def test_j6_a_changed_row_is_never_believed_when_it_is_read(journal, tmp_path):
    journal.append(cue(1)).result()
    with sqlite3.connect(tmp_path / "journal.db") as other:
        other.execute("UPDATE event SET wall = wall + 1 WHERE n = 2")
    other.close()
    assert len(journal.events()) == 1
    with pytest.raises(ProtocolError):
        rows.event_of((1,) + (0,) * 11)
    with pytest.raises(ProtocolError):
        rows.event_of((b"", "x") + (0,) * 10)


def test_events_are_read_by_type_place_and_number(journal):
    for n in range(1, 5):
        journal.append(cue(n)).result()
    journal.append(theme("dark")).result()
    assert len(journal.events([EventType.CUE_REACHED])) == 4
    (place, event), *_ = journal.events([EventType.CUE_REACHED], after=3, limit=1)
    assert (place, event.seq) == (4, 4)
    assert journal.events([]) == ()


def test_a_closed_journal_answers_with_an_error(tmp_path):
    journal = make_journal(tmp_path)
    journal.close()
    journal.close()
    for future in (journal.append(cue(1)), journal.set_local("x", "y")):
        with pytest.raises(StorageError):
            future.result()


# --- boots -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("last", "key", "mono", "expected"),
    [
        ("a", "a", 0, False),
        ("a", "b", 999, True),
        ("", "b", 99, True),
        ("", "b", 100, False),
        ("a", "", 99, True),
        ("a", "", 100, False),
    ],
)
def test_a_new_boot_is_told_by_its_key_or_a_clock_that_went_back(last, key, mono, expected):
    assert is_new_boot(Boot(ordinal=1, key=last, mono_ms=100), key, mono) is expected


def test_boots_are_counted_with_how_the_time_before_ended(tmp_path):
    clock = FrozenClock()
    first = make_journal(tmp_path, clock, Start(boot_key="one"))
    first.append(cue(1)).result()
    first._database.close()  # the power went: nothing marked a clean end
    second = make_journal(tmp_path, clock, Start(boot_key="two"))
    assert second.is_new_boot
    second.append(cue(2)).result()
    second.close()
    third = make_journal(tmp_path, clock, Start(boot_key="two"))
    assert not third.is_new_boot
    third.close()
    fourth = make_journal(tmp_path, clock, Start(boot_key="three"))
    fourth.append(cue(3)).result()
    assert [event.boot for event in log(fourth)] == [1, 1, 2, 3]
    fourth.seal().result()
    (data,) = fourth.segments()
    boots = unseal(data, lambda _: None, verify).boots
    assert [(boot.ordinal, boot.was_clean) for boot in boots] == [(1, False), (2, False), (3, True)]
    fourth.close()


# --- segments ----------------------------------------------------------------------------


def test_sealing_takes_each_event_once_and_only_what_is_new(journal):
    for n in range(1, 4):
        journal.append(cue(n)).result()
    assert journal.seal().result() == 1
    assert journal.seal().result() == 0
    journal.append(cue(4)).result()
    assert journal.seal().result() == 1
    first, second = (unseal(data, key_of(journal), verify) for data in journal.segments())
    assert [event.seq for event in (*first.events, *second.events)] == [1, 2, 3, 4, 5]


def key_of(journal):
    return lambda _: journal._own.key.public_key


def test_a_long_log_is_sealed_in_runs(journal):
    journal.draft(lambda _: [cue(n % 500) for n in range(MAX_EVENTS + 10)]).result()
    assert journal.seal().result() == 2
    counts = [len(unseal(data, key_of(journal), verify).events) for data in journal.segments()]
    assert counts == [MAX_EVENTS, 11]


def test_a_run_that_is_too_large_is_halved(journal):
    import random

    noise = random.Random(5)

    def note(number):
        text = "".join(chr(noise.randrange(0x4E00, 0x9F00)) for _ in range(2000))
        return b.NoteWritten(
            note=number.to_bytes(8), sitting=SittingId(""), class_ids=(), lesson=None, text=text
        )

    journal.draft(lambda _: [note(n) for n in range(100)]).result()
    made = journal.seal().result()
    assert made > 1
    read_back = [
        event
        for data in journal.segments()
        for event in unseal(data, key_of(journal), verify).events
    ]
    assert read_back == log(journal)


def test_another_error_while_sealing_is_not_swallowed(journal, monkeypatch):
    journal.append(cue(1)).result()

    class Broken:
        public_key, nonce = journal._own.key.public_key, journal._own.key.nonce

        def sign(self, message):
            raise ProtocolError("no_token")

    monkeypatch.setattr(journal._own, "key", Broken())
    with pytest.raises(ProtocolError):
        journal.seal().result()


def test_two_that_seal_at_the_same_time_keep_one_segment(journal, tmp_path):
    journal.append(cue(1)).result()
    other = make_journal(tmp_path)
    futures = [journal.seal(), other.seal()]
    for future in futures:
        future.result()
    other.close()
    assert len(journal.segments()) == 1


def test_se2_what_somebody_else_sealed_meanwhile_is_passed_over(journal):
    from client.store.sealing import _keep

    journal.append(cue(1)).result()
    journal.seal().result()
    assert not journal._database.write(_keep(1, tuple(log(journal)), b"again")).result()
    assert len(journal.segments()) == 1


# --- local rows --------------------------------------------------------------------------


def test_a_resume_point_comes_back_with_its_timers(journal):
    journal.save_resume(POINT).result()
    (found,) = journal.resume_points()
    assert found == replace(POINT, saved_wall_ms=found.saved_wall_ms)
    assert found.saved_wall_ms == int(FrozenClock().at.timestamp() * 1000)
    later = replace(POINT, part=None, position_s=409.0, timers=(), is_playing=False)
    journal.save_resume(later).result()
    assert [one.position_s for one in journal.resume_points()] == [409.0]
    journal.drop_resume(POINT.sitting).result()
    assert journal.resume_points() == ()


def test_a_new_sitting_of_the_same_lesson_replaces_the_older_point(journal):
    other = replace(POINT, sitting=SittingId("ff" * 8))
    elsewhere = replace(POINT, sitting=SittingId("ee" * 8), lesson="L2")
    for point in (POINT, elsewhere):
        journal.save_resume(point).result()
    journal.save_resume(other, is_first=True).result()
    assert [point.sitting for point in journal.resume_points()] == ["ff" * 8, "ee" * 8]


def test_a_damaged_timer_is_told(journal):
    journal.save_resume(POINT).result()
    bad = encode([["no", "numbers"]])
    journal._database.write(lambda c: c.execute("UPDATE resume SET timers = ?", (bad,))).result()
    with pytest.raises(ProtocolError):
        journal.resume_points()


def test_values_of_this_machine_are_kept_until_they_are_empty(journal):
    journal.set_local("stage", "HDMI-1").result()
    journal.set_local("stage", "HDMI-2").result()
    assert journal.local()["stage"] == "HDMI-2"
    journal.set_local("stage", "").result()
    assert "stage" not in journal.local()


def test_errors_pass_through_then(journal):
    failed = then(journal.append(cue(501)), lambda name: name)
    with pytest.raises(ProtocolError):
        failed.result()
    with pytest.raises(ZeroDivisionError):
        then(journal.append(cue(1)), lambda _: 1 // 0).result()


def test_after_is_done_when_both_are_with_the_answer_of_the_first(journal):
    first, second = journal.append(cue(1)), journal.set_local("x", "y")
    assert after(first, second).result() == first.result()
    assert second.done()
    with pytest.raises(ProtocolError):
        after(journal.append(cue(501)), second).result()


# --- the key -----------------------------------------------------------------------------


def test_k1_the_key_is_for_its_owner_only_and_never_shown(tmp_path):
    key = KeyFile.create(tmp_path / "journal.key")
    mode = (tmp_path / "journal.key").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600
    assert key._secret.hex() not in repr(key)
    assert repr(key._secret) not in repr(key)
    again = KeyFile.load(tmp_path / "journal.key")
    assert verify(key.public_key, again.sign(b"m"), b"m")
    assert not verify(key.public_key, again.sign(b"m"), b"n")
    assert not verify(b"short", again.sign(b"m"), b"m")


def test_k2_a_rotation_is_on_the_disk_and_keeps_the_key(tmp_path):
    key = KeyFile.create(tmp_path / "journal.key")
    fresh = key.rotated()
    assert fresh.public_key == key.public_key
    assert fresh.nonce != key.nonce
    assert KeyFile.load(tmp_path / "journal.key").nonce == fresh.nonce


@pytest.mark.parametrize("data", [b"", b"junk", encode([1, b"a", b"b", b"c"]), encode([2])])
def test_a_damaged_key_is_set_aside(tmp_path, data):
    path = tmp_path / "journal.key"
    path.write_bytes(data)
    assert KeyFile.load(path) is None
    assert (tmp_path / "journal.key.damaged-1").read_bytes() == data
    assert KeyFile.load(path) is None


@pytest.fixture
def files(tmp_path):
    return tmp_path / "journal.key", tmp_path / "keys" / "journal.key"


def test_k1_the_copy_is_for_its_owner_only_too(files):
    KeyFile.create(*files)
    assert [stat.S_IMODE(path.stat().st_mode) for path in files] == [0o600, 0o600]
    assert stat.S_IMODE(files[1].parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("data", [None, b"", b"junk"])
@pytest.mark.parametrize("number", [0, 1])
def test_k3_k4_either_file_gives_the_key_and_mends_the_other(files, number, data):
    key = KeyFile.create(*files).rotated()
    files[number].unlink() if data is None else files[number].write_bytes(data)
    found = KeyFile.load(*files)
    assert (found.public_key, found._secret) == (key.public_key, key._secret)
    assert found.is_restored == (number == 0) == (found.nonce != key.nonce)
    assert files[0].read_bytes() == files[1].read_bytes()
    assert KeyFile.load(*files).is_restored is False
    assert not list(files[0].parent.glob("*.new"))


def test_k3_a_disk_that_refuses_the_copy_stops_nothing(files, tmp_path):
    (tmp_path / "keys").write_bytes(b"a file where the folder should be")
    key = KeyFile.create(*files).rotated()
    assert KeyFile.load(*files).nonce == key.nonce
    (tmp_path / "keys").unlink()
    assert KeyFile.load(*files).nonce == key.nonce
    files[0].unlink()
    assert KeyFile.load(*files).public_key == key.public_key


def test_k3_another_key_in_the_place_of_the_copy_is_kept_aside(files, tmp_path):
    other = KeyFile.create(tmp_path / "other.key")
    key = KeyFile.create(*files)
    (tmp_path / "other.key").replace(files[1])
    assert KeyFile.load(*files).public_key == key.public_key
    aside = files[1].with_name("journal.key.damaged-1")
    assert KeyFile.load(aside).public_key == other.public_key
    assert files[0].read_bytes() == files[1].read_bytes()


# --- files -------------------------------------------------------------------------------


def test_y1_a_file_is_replaced_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_file(path, b"old")
    (tmp_path / "file.new").write_bytes(b"left over from a crash")
    write_file(path, b"new")
    assert path.read_bytes() == b"new"

    def no_room(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_room)
    with pytest.raises(OSError, match="No space"):
        write_file(path, b"newer")
    assert path.read_bytes() == b"new"
    assert [one.name for one in tmp_path.iterdir()] == ["file"]


def test_y1_content_and_name_are_brought_to_the_disk(tmp_path, monkeypatch):
    synced = []
    real = os.fsync

    def remember(handle):
        synced.append(stat.S_ISDIR(os.fstat(handle).st_mode))
        real(handle)

    monkeypatch.setattr(os, "fsync", remember)
    write_file(tmp_path / "file", b"data")
    assert synced == [False, True]
    move_file(tmp_path / "file", tmp_path / "other")
    assert synced == [False, True, True]


def test_a_system_without_folder_handles_is_passed_over(tmp_path, monkeypatch):
    monkeypatch.setattr("client.store.durable.os.name", "nt")
    monkeypatch.setattr(os, "open", None)
    sync_folder(tmp_path)


def test_y2_setting_aside_never_overwrites(tmp_path):
    for n in (1, 2, 3):
        (tmp_path / "f").write_bytes(bytes([n]))
        assert set_aside(tmp_path / "f").name == f"f.damaged-{n}"
    assert (tmp_path / "f.damaged-1").read_bytes() == b"\x01"


class Refusing:
    """Makes a database refuse writes as a disk does that was locked or pulled."""

    def __init__(self, monkeypatch, journal):
        self.error, self.real = None, journal._database.write
        monkeypatch.setattr(journal._database, "write", self.write)

    def write(self, fn, **kwargs):
        if self.error is None:
            return self.real(fn, **kwargs)
        failed = Future()
        failed.set_exception(self.error)
        return failed


def test_j8_what_kept_a_write_from_the_disk_is_known_until_one_is_kept(journal, monkeypatch):
    disk = Refusing(monkeypatch, journal)
    for write in (lambda: journal.append(cue(1)), lambda: journal.set_local("a", "1")):
        disk.error = StorageError("store_failed")
        with pytest.raises(StorageError):
            write().result()
        assert journal.refusal == "store_failed"
        journal.try_disk()
        assert journal.refusal == "store_failed"
        disk.error = None
        write().result()
        assert journal.refusal == ""
    disk.error = StorageFullError("disk_full")
    with pytest.raises(StorageFullError):
        journal.append(cue(2)).result()
    disk.error = None
    journal.try_disk()
    assert journal.refusal == ""


def test_j8_a_draft_that_fails_says_nothing_of_the_disk(journal):
    def draft(_look):
        raise UserError("room_unnamed")

    with pytest.raises(UserError):
        journal.draft(draft).result()
    assert journal.refusal == ""


@pytest.mark.parametrize(
    ("is_laid", "free", "expected"),
    [(False, 10, True), (False, 2 * 4096, False), (True, 10, False), (False, None, False)],
)
def test_little_room_is_noticed_once_the_ballast_is_gone(
    tmp_path, monkeypatch, is_laid, free, expected
):
    def usage(_folder):
        if free is None:
            raise OSError
        return SimpleNamespace(free=free)

    ballast = Ballast(path=tmp_path / "ballast", size_bytes=4096)
    if is_laid:
        ballast.path.write_bytes(bytes(4096))
    monkeypatch.setattr("client.store.ballast.shutil.disk_usage", usage)
    assert ballast.is_low() is expected
