"""What the program on screen asks of the outside (sync.engine.link_desk)."""

import threading
import time
from concurrent.futures import CancelledError

import pytest

from client.domain.availability import Decodes
from client.domain.clock import FrozenClock
from client.domain.errors import Cancelled, StorageFullError, UserError
from client.domain.ids import LessonId, SittingId, SourceId
from client.domain.record import bodies as b
from client.domain.want import Want
from client.domain.withdrawal import Withdrawal
from client.service.api import Reason
from client.service.paths import Profile
from client.service.station import Station
from client.store.withdrawal_rows import WithdrawalRows
from sync.engine.demo_school import pack_demo
from sync.engine.hub_calls import Trigger
from sync.engine.link_desk import LinkDesk
from sync.engine.watched_folder import watch_folder
from sync.protocol.exchange import node_of
from tests.log_world import Pen
from tests.unit.sync.test_hub_link import Whole

FILM = b"\0\0\0\x18ftypmp42" + b"x" * 100
PATIENCE_S = 20


@pytest.fixture
def station(tmp_path):
    opened = Station(Profile(tmp_path / "profile"), FrozenClock())
    yield opened
    opened.close()


class Probe:
    """Waits until it is let go."""

    def __init__(self, is_open=True):
        self.gate, self.begun, self.asked = threading.Event(), threading.Event(), 0
        if is_open:
            self.gate.set()

    def __call__(self, _path):
        self.asked += 1
        self.begun.set()
        assert self.gate.wait(PATIENCE_S)
        return Decodes.YES


def put(folder, name, data=FILM):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def test_one_bad_folder_keeps_no_other_out(station, tmp_path):
    """LD2"""
    desk = LinkDesk(station, Probe())
    put(tmp_path, "a/三年级/数学/甲/film.mp4")
    put(tmp_path, "b/x.mp4", FILM + b"b")
    put(tmp_path, "b/y.exe")
    paths = (tmp_path / "none", tmp_path / "a", tmp_path / "b")
    result = desk.import_paths(paths).result(PATIENCE_S)
    desk.close()
    assert result.lessons == 1
    assert [one.title for one in result.offered] == ["x"]
    assert [(one.name, one.why) for one in result.not_taken] == [("y.exe", "kind_unknown")]
    assert isinstance(result.failed, UserError)
    assert result.failed.code == "folder_missing"


def test_the_folder_of_a_stick_is_taken_in_as_a_stick_is(station, tmp_path):
    """LD1: with what it says of its lessons; a file that is not there is told."""
    put(tmp_path, "tree/三年级/数学/单元/甲/sheet.pdf", b"%PDF-1.4 a")
    put(tmp_path, "tree/三年级/数学/单元/乙/sheet.pdf", b"%PDF-1.4 b")
    packed = pack_demo(tmp_path / "tree", tmp_path / "stick", FrozenClock())
    lost = next((tmp_path / "stick").rglob("*乙/*.pdf"))
    lost.unlink()
    desk = LinkDesk(station, Probe())
    try:
        result = desk.import_paths([tmp_path / "stick"]).result(PATIENCE_S)
    finally:
        desk.close()
    assert (result.lessons, len(packed.lessons)) == (1, 2)
    assert [one.why for one in result.not_taken] == ["file_absent"]
    assert result.offered == ()


def test_a_full_disk_ends_the_whole_import(station, tmp_path, monkeypatch):
    """LD1: what came before stays and is told."""
    desk = LinkDesk(station, Probe())
    put(tmp_path, "a/三年级/数学/甲/film.mp4")
    put(tmp_path, "b/x.mp4", FILM + b"b")
    put(tmp_path, "c/y.mp4", FILM + b"c")
    real = station.blobs.require_room
    left = [1]

    def require_room(more_bytes):
        if not left[0]:
            raise StorageFullError("disk_full", {"free_mb": 1, "need_mb": 2})
        left[0] -= 1
        real(0)

    monkeypatch.setattr(station.blobs, "_floor_bytes", 0)
    monkeypatch.setattr(station.blobs, "require_room", require_room)
    result = desk.import_paths([tmp_path / name for name in "abc"]).result(PATIENCE_S)
    desk.close()
    assert (result.lessons, result.offered) == (1, ())
    assert isinstance(result.failed, StorageFullError)


def test_imports_run_one_at_a_time_in_order(station, tmp_path):
    """LD1"""
    probe = Probe(is_open=False)
    desk = LinkDesk(station, probe)
    put(tmp_path, "a/x.mp4")
    put(tmp_path, "b/y.mp4", FILM + b"b")
    first = desk.import_paths([tmp_path / "a"])
    assert probe.begun.wait(PATIENCE_S)
    second = desk.import_paths([tmp_path / "b"])
    assert not second.running()
    assert probe.asked == 1
    probe.gate.set()
    assert second.result(PATIENCE_S).offered[0].title == "y"
    assert first.done()
    desk.close()


def test_closing_ends_an_import_at_once(station, tmp_path):
    """LD1: the one under way stops behind its present step, the one that waits never begins."""
    probe = Probe(is_open=False)
    desk = LinkDesk(station, probe)
    put(tmp_path, "a/x.mp4")
    first = desk.import_paths([tmp_path / "a"])
    second = desk.import_paths([tmp_path / "a"])
    assert probe.begun.wait(PATIENCE_S)
    closing = threading.Thread(target=desk.close)
    closing.start()
    with pytest.raises(Cancelled):
        desk._cancel.sleep(PATIENCE_S)
    probe.gate.set()
    closing.join(PATIENCE_S)
    assert not closing.is_alive()
    with pytest.raises(Cancelled):
        first.result(0)
    with pytest.raises((Cancelled, CancelledError)):
        second.result(PATIENCE_S)
    assert station.holdings.kept_lessons() == ()


def test_the_desk_hands_on_what_the_program_asks(station):
    """Fetching without a source fails in the status, not here; pausing is seen there."""
    desk = LinkDesk(station, Probe())
    seen, heard = [], threading.Event()

    def listen(status):
        seen.append(status)
        heard.set()

    desk.subscribe(listen)
    desk.pause()
    desk.request(LessonId("l1"))
    desk.cancel(LessonId("l1"))
    desk.resume()
    with pytest.raises(UserError, match="no_source"):
        desk.sync().result(PATIENCE_S)
    assert heard.wait(PATIENCE_S)
    desk.close()
    assert seen


class Told:
    """A round of hubs that notes what it hears."""

    def __init__(self, desk, monkeypatch):
        self.heard, self.looked = [], 0
        monkeypatch.setattr(desk._round, "tell", self.heard.append)
        monkeypatch.setattr(desk._round, "look_again", self._look)

    def _look(self):
        self.looked += 1


def test_what_is_written_here_calls_the_hubs(station, monkeypatch):
    """LD3"""
    desk = LinkDesk(station, Probe())
    told = Told(desk, monkeypatch)
    station.room.set_room("S", "R").result()
    sitting = SittingId("00112233aabbccdd")
    ended = b.SittingEnded(sitting=sitting, how=b.Ended.FINISHED, screen_s=9)
    station.journal.append(ended).result()
    other = Pen().write(1)
    station.journal.log.take((other.seal(),)).result()
    assert told.heard == [Trigger.WRITTEN, Trigger.CLASS_ENDED]
    station.journal.wants_push()
    desk.call_hubs()
    assert told.heard[2:] == [Trigger.CLASS_ENDED, Trigger.ASKED]
    assert told.looked == 1
    desk.close()


def test_a_class_that_begins_here_holds_watched_folders_back(station, tmp_path):
    """LD4, WT1: what other rooms wrote says nothing of this one."""
    put(tmp_path, "drop/x.mp4")
    watch_folder(station, tmp_path / "drop")
    desk = LinkDesk(station, Probe())
    seen = threading.Event()
    desk.subscribe(lambda status: status.watched is not None and seen.set())
    desk.supervisor.tell_watched(Reason(code="watch_moving"))
    assert seen.wait(PATIENCE_S)
    sitting = SittingId("00112233aabbccdd")
    ended = b.SittingEnded(sitting=sitting, how=b.Ended.FINISHED, screen_s=9)
    station.journal.append(b.CueReached(sitting=sitting, ordinal=1)).result()
    assert desk._watch.in_class
    station.journal.append(ended).result()
    assert not desk._watch.in_class
    desk.close()
    assert not desk._watch._thread.is_alive()


def test_folders_are_watched_and_left_from_the_page(station, tmp_path):
    """LD4: each with how it stands, as soon as it was looked at."""
    desk = LinkDesk(station, Probe())
    try:
        folder = tmp_path / "接收"
        folder.mkdir()
        assert desk.folders().result(PATIENCE_S) == ()
        desk.watch_folder(folder, is_watched=True).result(PATIENCE_S)
        seen = threading.Event()
        for _ in range(PATIENCE_S * 20):
            (row,) = desk.folders().result(PATIENCE_S)
            if row.reason is not None or seen.wait(0.05):
                break
        assert (row.path, row.reason and row.reason.code) == (folder, "watch_quiet")
        desk.watch_folder(folder, is_watched=False).result(PATIENCE_S)
        assert desk.folders().result(PATIENCE_S) == ()
    finally:
        desk.close()


def test_hubs_are_listed_with_what_waits_and_a_new_one_is_called_at_once(station):
    """A room names itself, enrols, and the figures follow; a wrong code adds nothing."""
    hub = Whole()
    desk = LinkDesk(station, Probe())
    try:
        assert desk.hubs().result(PATIENCE_S) == ()
        station.room.set_room("S", "R").result()
        with pytest.raises(UserError, match="code_invalid"):
            desk.add_hub(hub.url, "222").result(PATIENCE_S)
        assert desk.hubs().result(PATIENCE_S) == ()
        assert desk.add_hub(hub.url, hub.code).result(PATIENCE_S).name == "central school"
        row = wait_for(desk, lambda row: row.last_contact_ms and not row.waiting)
        assert (row.name, row.url, row.reason) == ("central school", hub.url, None)
        assert row.answers is True
        hub.directory.revoke(node_of(station.journal.signer.public_key))
        station.room.set_room("S", "other").result()
        assert desk.hubs().result(PATIENCE_S)[0].waiting == 1
        desk.call_hubs()
        row = wait_for(desk, lambda row: row.reason is not None)
        assert row.reason == Reason(code="node_revoked")
        assert (row.waiting, bool(row.last_contact_ms), row.answers) == (1, True, False)
        fresh = LinkDesk(station, Probe())
        assert fresh.hubs().result(PATIENCE_S)[0].answers is None
        fresh.close()
    finally:
        desk.close()
        hub.http.close()


def wait_for(desk, holds):
    """Ask until a row is as it should be."""
    for _ in range(PATIENCE_S * 20):
        row = desk.hubs().result(PATIENCE_S)[0]
        if holds(row):
            return row
        time.sleep(0.05)
    raise AssertionError(row)


def test_a_file_that_rotted_is_found_while_nothing_happens_and_wanted_again(station, tmp_path):
    """SC1, SC3"""
    probe = Probe(is_open=False)
    desk = LinkDesk(station, probe)
    put(tmp_path, "a/三年级/数学/甲/film.mp4")
    future = desk.import_paths((tmp_path / "a",))
    assert probe.begun.wait(PATIENCE_S)
    assert not desk._is_idle()
    probe.gate.set()
    assert future.result(PATIENCE_S).lessons == 1
    (blob,) = station.profile.blobs.glob("??/*")
    blob.write_bytes(b"rotten" + FILM)
    assert desk._is_idle()
    station.scrub.step(desk._is_idle, desk.request)
    (lesson,) = [kept.id for kept in station.holdings.kept_lessons()]
    assert [row.lesson for row in desk.supervisor.status.rows] == [lesson]
    assert not blob.exists()
    desk.close()


def test_ld5_limits_and_lessons_make_another_plan(station, tmp_path):
    """LD5"""
    desk = LinkDesk(station, Probe())
    seen = []
    changed = threading.Condition()

    def note(status):
        with changed:
            seen.append(status)
            changed.notify_all()

    desk.subscribe(note)

    def until(check):
        with changed:
            assert changed.wait_for(lambda: any(map(check, seen)), PATIENCE_S)
            seen.clear()

    desk.supervisor.replan()
    until(lambda status: status.link is not None and status.link.day_budget == 0)
    station.room.set_setting("link_budget_mb", "50").result()
    until(lambda status: status.link is not None and status.link.day_budget == 50_000_000)
    put(tmp_path, "a/三年级/数学/甲/film.mp4")
    desk.import_paths([tmp_path / "a"]).result(PATIENCE_S)
    until(lambda status: status.link is not None)
    desk.close()


def test_what_is_withdrawn_leaves_the_list_and_an_error_stops_nothing(station, monkeypatch):
    """A look that fails is tried again with the next plan."""
    lesson, told = LessonId("l1"), threading.Event()
    station.wants.put(Want(lesson=lesson)).result()
    word = Withdrawal(lesson=lesson, reason="legal")
    WithdrawalRows(station.database).put(SourceId("hub"), [word])
    look, tries = station.withdrawals.look_now, []

    def failing():
        tries.append(None)
        if len(tries) == 1:
            raise StorageFullError("disk_full")
        return look()

    monkeypatch.setattr(station.withdrawals, "look_now", failing)
    desk = LinkDesk(station, Probe())

    def listen(status):
        if len(tries) > 1 and not status.rows:
            told.set()

    desk.supervisor.subscribe(listen)
    desk.supervisor.replan()
    assert told.wait(PATIENCE_S)
    desk.close()
    assert station.wants.all() == ()
