"""Watched folders, with receivers that are slow, rude, or gone (sync.engine.watched_folder)."""

import json
import os
import shutil
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from client.domain.availability import Decodes
from client.domain.cancel import CancelToken
from client.domain.clock import FrozenClock
from client.domain.errors import Cancelled, StorageFullError, UserError
from client.domain.record.bodies import EventType
from client.service.api import Reason
from client.service.command.parse import Invocation
from client.service.paths import Profile
from client.service.station import Station
from sync.engine import commands as commands_module
from sync.engine import watched_folder
from sync.engine.folder_watch import CLASS_S, FolderWatch, WatchPorts
from sync.engine.watched_folder import Step, WatchedFolder, watch_folder, watched_folders
from sync.source.folder_looks import LOOKS, OFTEN_S, RARELY_S, STILL_S

UNIT = "三年级/数学/第六单元 认识分数"
PDF = b"%PDF-1.4\n%%EOF\n"
PATIENCE_S = 20


def yes(_path):
    return Decodes.YES


def film(salt):
    return b"\0\0\0\x18ftypmp42" + salt * 100


def put(root, name, data):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


@pytest.fixture
def station(tmp_path):
    opened = Station(Profile(tmp_path / "profile"), FrozenClock())
    yield opened
    opened.close()


@pytest.fixture
def drop(tmp_path):
    made = tmp_path / "drop"
    put(made, f"{UNIT}/分一分/film.mp4", film(b"1"))
    return made


def settle(station, watched):
    """Look until what stands still counts."""
    for _ in range(LOOKS):
        seen = watched.look(CancelToken())
        station.clock.advance(STILL_S)
    return seen


def take(watched, cancel=None, **options):
    return watched.take(yes, cancel or CancelToken(), **options)


def parts(station):
    """Give lessons by title with the titles of their parts."""
    ids = [kept.id for kept in station.holdings.kept_lessons()]
    lessons = station.catalogue.lessons(ids)
    return {lesson.title: sorted(part.title for part in lesson.parts) for lesson in lessons}


# --- one folder -----------------------------------------------------------------------------


def test_what_stood_still_is_taken_in_once(station, drop):
    """WF1, WF2: the next life of the program reads nothing again."""
    watched = WatchedFolder(station, drop)
    assert watched.look(CancelToken()).step is Step.MOVING
    assert settle(station, watched).step is Step.READY
    assert take(watched).copied_bytes == len(film(b"1"))
    assert not watched.has_more
    assert settle(station, watched).step is Step.QUIET
    again = WatchedFolder(station, drop)
    assert settle(station, again).step is Step.QUIET


def test_half_a_file_is_not_taken_nor_what_stands_beside_its_description(station, drop):
    """WF1"""
    watched = WatchedFolder(station, drop)
    settle(station, watched)
    put(drop, f"{UNIT}/比大小/film.mp4", film(b"2")[:40])
    put(drop, f"{UNIT}/甲/film.mp4", film(b"3"))
    settle(station, watched)
    put(drop, f"{UNIT}/比大小/film.mp4", film(b"2"))
    put(drop, f"{UNIT}/甲/lesson.toml", b'title = "half a na')
    seen = watched.look(CancelToken())
    assert (seen.step, seen.files, seen.has_changed, seen.is_moving) == (Step.READY, 1, True, True)
    take(watched)
    assert parts(station) == {"分一分": ["film"]}
    put(drop, f"{UNIT}/甲/lesson.toml", 'title = "整数"'.encode())
    settle(station, watched)
    take(watched)
    assert parts(station) == {"分一分": ["film"], "比大小": ["film"], "整数": ["film"]}


def test_a_description_that_comes_later_counts(station, drop):
    """WF1: it makes its lesson fresh though no film changed."""
    watched = WatchedFolder(station, drop)
    settle(station, watched)
    take(watched)
    put(drop, f"{UNIT}/分一分/lesson.toml", 'title = "一半"'.encode())
    assert settle(station, watched).step is Step.READY
    take(watched)
    assert "一半" in parts(station)


def test_a_file_that_cannot_be_opened_waits_and_is_told(station, drop, monkeypatch):
    """WF1, WF4"""
    monkeypatch.setattr(watched_folder, "_opens", lambda path: path.suffix != ".mp4")
    watched = WatchedFolder(station, drop)
    seen = settle(station, watched)
    assert (seen.step, seen.files) == (Step.UNREADABLE, 1)
    monkeypatch.undo()
    assert settle(station, watched).step is Step.READY


def test_opening_tells_whether_a_file_is_there_to_be_read(tmp_path):
    """WF1"""
    assert watched_folder._opens(put(tmp_path, "a", b"x"))
    assert not watched_folder._opens(tmp_path / "none")


def test_what_became_unreadable_on_the_way_is_tried_again(station, drop):
    """WF4: remembered are only those that are in."""
    put(drop, f"{UNIT}/比大小/other.mp4", film(b"2"))
    watched = WatchedFolder(station, drop)
    settle(station, watched)
    gone = drop / UNIT / "比大小/other.mp4"
    real = commands_module.import_folder

    def lose(*arguments):
        found = arguments[-1]

        def look(folder, cancel):
            lessons = found(folder, cancel)
            gone.rename(gone.with_suffix(".away"))
            return lessons

        return real(*arguments[:-1], look)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(watched_folder, "import_folder", lose)
        report = take(watched)
    assert [one.why for one in report.rejected] == ["file_unreadable"]
    gone.with_suffix(".away").rename(gone)
    assert settle(station, watched).files == 1
    take(watched)
    assert parts(station) == {"分一分": ["film"], "比大小": ["other"]}


@pytest.mark.parametrize("rubbish", [b"", b"[1]", b'{"a": 1}', b'{"a": [1, "x"]}', b"\xff"])
def test_a_lost_memory_costs_reading_only(station, drop, rubbish):
    """WF2"""
    watched = WatchedFolder(station, drop)
    settle(station, watched)
    take(watched)
    (memory,) = (station.profile.folder / "watched").iterdir()
    memory.write_bytes(rubbish)
    again = WatchedFolder(station, drop)
    assert settle(station, again).step is Step.READY
    report = take(again)
    assert (report.copied_bytes, report.reused) == (0, 1)


def test_a_memory_that_cannot_be_kept_stops_nothing(station, drop):
    """WF2"""
    (station.profile.folder / "watched").write_bytes(b"no folder")
    watched = WatchedFolder(station, drop)
    settle(station, watched)
    assert len(take(watched).lessons) == 1


def test_vanishing_takes_nothing_away(station, drop):
    """WF3: a disk that is unplugged and comes back is not read again."""
    watched = WatchedFolder(station, drop)
    settle(station, watched)
    take(watched)
    shutil.move(drop, drop.with_name("away"))
    assert watched.look(CancelToken()).step is Step.MISSING
    drop.mkdir()
    assert settle(station, watched).step is Step.QUIET
    drop.rmdir()
    shutil.move(drop.with_name("away"), drop)
    assert settle(station, watched).step is Step.QUIET
    assert parts(station) == {"分一分": ["film"]}


def test_a_folder_whose_name_no_system_takes_is_missing(station):
    """WF3"""
    watched = WatchedFolder(station, Path("/" + "x" * 5000))
    assert watched.look(CancelToken()).step is Step.MISSING


def test_a_file_that_goes_while_it_is_listed_is_left_out(station, drop, monkeypatch):
    """WF3"""
    real = Path.lstat

    def lstat(path):
        if path.name == "film.mp4":
            raise FileNotFoundError(path)
        return real(path)

    monkeypatch.setattr(Path, "lstat", lstat)
    assert settle(station, WatchedFolder(station, drop)).step is Step.QUIET


def test_a_dropped_lesson_stays_dropped_until_its_files_change(station, drop):
    """WF4"""
    watched = WatchedFolder(station, drop)
    settle(station, watched)
    (lesson,) = take(watched).lessons
    station.holdings.drop(lesson)
    assert settle(station, WatchedFolder(station, drop)).step is Step.QUIET
    put(drop, f"{UNIT}/分一分/film.mp4", film(b"9") * 2)
    assert settle(station, watched).step is Step.READY


def test_thousands_of_files_come_in_batches_that_interruptions_keep(station, tmp_path):
    """WF2: what a batch took in is not read again after a class began in the middle."""
    drop = tmp_path / "many"
    for number in range(30):
        put(drop, f"{UNIT}/{number}/a.pdf", PDF + str(number).encode())
    put(drop, "x.pdf.part", PDF)
    (drop / "link.pdf").symlink_to(drop / "x.pdf.part")
    watched = WatchedFolder(station, drop)
    assert settle(station, watched).files == 30
    assert len(take(watched, most=20).lessons) == 20
    stop = CancelToken()
    stop.cancel()
    with pytest.raises(Cancelled):
        take(watched, stop, most=20)
    again = WatchedFolder(station, drop)
    assert settle(station, again).files == 10
    assert len(take(again, most=20).lessons) == 10
    assert not again.has_more


class Receiver(RuleBasedStateMachine):
    """A receiver writes, renames and deletes; looks, imports and restarts come between.

    WF2, WF3: left alone, all that is there comes in, and what came in stays.
    """

    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        root = Path(self.folder.name)
        self.drop = root / "drop"
        self.drop.mkdir()
        self.station = Station(Profile(root / "profile"), FrozenClock())
        self.watched = WatchedFolder(self.station, self.drop)
        self.number = 0
        self.came_in = set()

    def teardown(self):
        self.station.close()
        self.folder.cleanup()

    @rule(name=st.sampled_from("abc"), size=st.integers(1, 3))
    def write(self, name, size):
        path = self.drop / f"{name}.pdf"
        self.number += 1
        path.write_bytes(PDF * size)
        os.utime(path, ns=(self.number, self.number))

    @rule(name=st.sampled_from("abc"), other=st.sampled_from("abc"))
    def rename(self, name, other):
        path = self.drop / f"{name}.pdf"
        if path.exists():
            path.replace(self.drop / f"{other}.pdf")

    @rule(name=st.sampled_from("abc"))
    def delete(self, name):
        (self.drop / f"{name}.pdf").unlink(missing_ok=True)

    @rule()
    def begin_anew(self):
        self.watched = WatchedFolder(self.station, self.drop)

    @rule()
    def look(self):
        self.station.clock.advance(STILL_S / 2)
        if self.watched.look(CancelToken()).step is Step.READY:
            take(self.watched)

    @rule()
    def leave_alone(self):
        settle(self.station, self.watched)
        if self.watched.has_more:
            take(self.watched)
        assert settle(self.station, self.watched).step is Step.QUIET
        self.came_in |= {path.stem for path in self.drop.iterdir()}

    @invariant()
    def stays(self):
        assert self.came_in <= set(parts(self.station))


TestReceiver = Receiver.TestCase
TestReceiver.settings = settings(max_examples=15, stateful_step_count=12, deadline=None)


# --- the thread -----------------------------------------------------------------------------


class Desk:
    """A watch whose turns the test makes."""

    def __init__(self, station, probe=yes):
        self.told, self.worker = [], ThreadPoolExecutor(1)
        self.watch = FolderWatch(
            WatchPorts(
                station=station, probe=probe, submit=self.worker.submit, tell=self.told.append
            )
        )

    @property
    def codes(self):
        return [None if one is None else one.code for one in self.told]

    def close(self):
        self.watch.close()
        self.worker.shutdown()


@pytest.fixture
def desk(station):
    made = Desk(station)
    yield made
    made.close()


def turns(station, desk, count=LOOKS):
    waits = []
    for _ in range(count):
        waits.append(desk.watch.turn(waits[-1] if waits else OFTEN_S))
        station.clock.advance(STILL_S)
    return waits


def test_a_watched_folder_comes_in_by_itself_and_is_told_once(station, desk, drop):
    """WT4"""
    assert desk.watch.turn(OFTEN_S) == 2 * OFTEN_S
    assert desk.told == []
    watch_folder(station, drop)
    assert watched_folders(station) == (drop,)
    turns(station, desk)
    assert desk.codes == ["watch_moving", "watch_taking", "watch_quiet"]
    assert desk.told[0] == Reason(code="watch_moving", values=(("n", 1), ("name", "drop")))
    assert turns(station, desk, 8)[-1] == RARELY_S
    assert len(desk.told) == 3
    shutil.rmtree(drop)
    turns(station, desk, 1)
    assert desk.codes[-1] == "watch_missing"


def test_a_class_holds_it_back_and_its_end_lets_it_go(station, desk, drop):
    """WT1"""
    watch_folder(station, drop)
    desk.watch.heard([EventType.ROOM])
    assert not desk.watch.in_class
    desk.watch.heard([EventType.SITTING_OPENED])
    assert turns(station, desk)[-1] == RARELY_S
    assert desk.codes[-1] == "watch_class"
    assert parts(station) == {}
    desk.watch.heard([EventType.PLAYED, EventType.SITTING_ENDED])
    turns(station, desk, 1)
    assert parts(station) == {"分一分": ["film"]}
    desk.watch.heard([EventType.PLAYED])
    station.clock.advance(CLASS_S)
    assert not desk.watch.in_class


def test_a_class_stops_what_is_under_way(station, drop):
    """WT1: the film being tried is the last step; nothing of it is kept, and later it comes in."""
    watch_folder(station, drop)
    desk = Desk(station, lambda _: desk.watch.heard([EventType.SITTING_OPENED]) or Decodes.YES)
    turns(station, desk)
    assert parts(station) == {}
    assert desk.codes[-1] == "watch_class"
    desk.watch.heard([EventType.SITTING_ENDED])
    desk.close()


def test_one_folder_keeps_no_other_out(station, desk, drop, tmp_path, monkeypatch, caplog):
    """WT3: one is gone, one is full, one has a bug."""
    for name in ("bug", "full", "gone"):
        put(tmp_path, f"{name}/{UNIT}/{name}/a.pdf", PDF + name.encode())
        watch_folder(station, tmp_path / name)
    watch_folder(station, drop)
    real = WatchedFolder.take

    def broken(watched, *arguments):
        match watched.folder.name:
            case "bug":
                raise ZeroDivisionError
            case "full":
                raise StorageFullError("disk_full", {"free_mb": 1, "need_mb": 2})
            case "gone":
                raise UserError("folder_missing", {"path": "gone"})
        return real(watched, *arguments)

    monkeypatch.setattr(WatchedFolder, "take", broken)
    turns(station, desk)
    assert parts(station) == {"分一分": ["film"]}
    assert desk.codes[-1] == "watch_disk"
    assert "failed inside" in caplog.text
    caplog.clear()


def test_the_thread_looks_when_asked_and_ends_at_once(station, drop):
    """WT2: it sleeps while no folder is watched, and wakes for the first one."""
    desk = Desk(station)
    quiet = threading.Event()

    def tell(reason):
        desk.told.append(reason)
        station.clock.advance(STILL_S)
        if reason is not None and reason.code == "watch_quiet":
            quiet.set()
        desk.watch.look_again()

    desk.watch._ports = WatchPorts(
        station=station, probe=yes, submit=desk.worker.submit, tell=tell, still_s=0.0
    )
    desk.watch.start()
    watch_folder(station, drop)
    for _ in range(PATIENCE_S * 20):
        desk.watch.look_again()
        if quiet.wait(0.05):
            break
    assert parts(station) == {"分一分": ["film"]}
    desk.close()
    desk.close()
    assert not desk.watch._thread.is_alive()


def test_closing_ends_what_is_under_way(station, drop):
    """WT2"""
    watch_folder(station, drop)
    desk = Desk(station, lambda _: desk.watch.close() or Decodes.YES)
    turns(station, desk)
    assert parts(station) == {}
    turns(station, desk, 1)
    assert parts(station) == {}
    desk.close()


# --- the command ----------------------------------------------------------------------------


def command(station, folder, monkeypatch):
    monkeypatch.setattr(commands_module, "_LOOK_S", 0.0)
    handlers = commands_module.commands(yes, lambda _: None, CancelToken())
    call = Invocation(command="source add folder", values=(("dir", folder), ("watch", True)))
    return handlers["source add folder"](station, call)


def test_the_command_takes_in_what_stands_and_names_what_does_not(station, drop, monkeypatch):
    """WF1"""
    shut = put(drop, f"{UNIT}/比大小/shut.mp4", film(b"2"))
    monkeypatch.setattr(watched_folder, "_opens", lambda path: path != shut)
    report = command(station, drop, monkeypatch)
    assert len(report.lessons) == 1
    assert [(Path(one.what).name, one.why) for one in report.rejected] == [
        ("shut.mp4", "file_changes")
    ]
    assert watched_folders(station) == (drop,)
    with pytest.raises(UserError, match="folder_missing"):
        command(station, drop / "none", monkeypatch)
    assert watched_folders(station) == (drop,)
    assert json.loads(station.room.local(f"watch.{report.source}")) == str(drop)
