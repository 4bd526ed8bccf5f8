"""The whole program in one process: pages, class, preview (ui.program), with a real profile."""

import threading
from concurrent.futures import Future
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QFileDialog, QWidget

from client.domain.availability import Decodes
from client.domain.cancel import CancelToken
from client.domain.clock import SystemClock
from client.domain.errors import UserError
from client.domain.timetable import Slot, SlotKey
from client.media.null_player import NullPlayer
from client.service.api import HubRow, SyncStatus, WatchedRow
from client.service.hubs import KnownHub
from client.service.intake import ImportResult
from client.service.near_view import NearView
from client.service.paths import Profile
from client.service.station import Station
from client.service.sticks import StickEnd, StickStage
from client.store.database import Database
from sync.engine.folder_import import import_folder
from sync.engine.home_desk import HomeDesk
from tests.media import ClipSpec, clip
from ui.base.button import Button
from ui.base.volumes import Volume
from ui.program import Parts, Program
from ui.view.classroom import ClassroomWindow
from ui.view.courier import CourierEnd
from ui.view.courier_pack import PackPopover
from ui.viewmodel.courier import Phase

PAGES = ("today", "library", "timetable", "classes", "transfer", "settings", "doctor")


class QuietLink:
    """A link of a room without any: it keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.rows: tuple[HubRow, ...] = ()
        self.watched: tuple[WatchedRow, ...] = ()

    def request(self, lesson, rendition="", roles=frozenset()):
        self.asked.append(f"request {lesson}")

    def cancel(self, lesson):
        self.asked.append("cancel")

    def pause(self):
        self.asked.append("pause")

    def resume(self):
        self.asked.append("resume")

    def sync(self):
        self.asked.append("sync")
        done = Future()
        done.set_result(None)
        return done

    def call_hubs(self):
        self.asked.append("call")

    def lan(self):
        done = Future()
        done.set_result(NearView())
        return done

    check_lan = lan

    def add_peer(self, text):
        self.asked.append(f"peer {text}")
        return self.lan()

    def hubs(self):
        done = Future()
        done.set_result(self.rows)
        return done

    def add_hub(self, url, code):
        self.asked.append(f"add {url} {code}")
        return Future()

    def folders(self):
        done = Future()
        done.set_result(self.watched)
        return done

    def watch_folder(self, folder, *, is_watched):
        self.asked.append(f"watch {folder.name} {is_watched}")
        done = Future()
        done.set_result(None)
        return done

    def import_paths(self, paths):
        self.asked.append(f"import {len(paths)}")
        done = Future()
        done.set_result(ImportResult())
        return done

    def subscribe(self, listener):
        listener(SyncStatus(is_online=False))

    def close(self):
        self.asked.append("close")


@pytest.fixture
def station(tmp_path):
    lessons = tmp_path / "source" / "三年级" / "数学" / "第一单元" / "分一分"
    lessons.mkdir(parents=True)
    film = clip(ClipSpec(seconds=4, width=320, height=180))
    (lessons / "film.mp4").write_bytes(film.read_bytes())
    opened = Station(Profile(tmp_path / "profile"), SystemClock())
    report = import_folder(opened, tmp_path / "source", lambda _: Decodes.YES, CancelToken())
    group = opened.room.add_class("三年级", 3, 13).result()
    for day in range(1, 8):
        slots = [_slot(day, period, group, report.lessons[0]) for period in range(1, 7)]
        opened.room.set_slots(slots).result()
    opened.room.set_room("云岭村小学", "三年级教室").result()
    yield opened
    opened.close()


def _slot(day, period, group, lesson):
    return Slot(key=SlotKey(day=day, period=period, class_id=group), subject="数学", lesson=lesson)


def make_program(station, folder, *, is_mirrored=True, sticks=None):
    """The program on a station, with a player that shows nothing and no link."""
    return Program(
        Parts(
            services=station,
            clock=SystemClock(),
            player=lambda: NullPlayer(SystemClock()),
            link=QuietLink,
            prints=folder / "prints",
            demo=Path("nowhere"),
            check_address=str,
            decodes=lambda _: Decodes.YES,
            is_windowed=True,
            is_mirrored=is_mirrored,
            sticks=sticks,
            home=lambda: HomeDesk(station, lambda _source, _target: False),
        )
    )


@pytest.fixture
def program(qtbot, station, tmp_path):
    made = make_program(station, tmp_path)
    qtbot.addWidget(made.window)
    yield made
    made.close()


def first_card(program):
    rows = program.today.page.rows
    return next(card for row in rows for card in row.cards if card is not None)


def show_today(program, qtbot):
    program.show()
    qtbot.waitUntil(lambda: program.today.page is not None and bool(program.today.page.rows))
    qtbot.waitUntil(lambda: program.link is not None)


def test_pr1_the_gui_thread_reads_no_database(program, qtbot, monkeypatch):
    main, guilty = threading.main_thread(), []
    real = Database.read_here

    def watched(self, fn):
        if threading.current_thread() is main:
            guilty.append(fn)
        return real(self, fn)

    monkeypatch.setattr(Database, "read_here", watched)
    show_today(program, qtbot)
    for name in PAGES:
        program.open_station(name)
        qtbot.wait(50)  # the pages ask as they are shown: let the questions come
    program.window.page("library").search("fyf")
    qtbot.waitUntil(lambda: bool(program.library.rows))
    program.start((first_card(program),))
    qtbot.waitUntil(lambda: program.classroom is not None)
    assert guilty == []


def test_pr2_nothing_of_the_main_window_is_seen_in_class(program, qtbot, station):
    show_today(program, qtbot)
    program.start((first_card(program),))
    qtbot.waitUntil(lambda: program.classroom is not None and program.classroom.isVisible())
    assert not program.window.isVisible()
    program.today.refresh()
    program.context.say("program.fetching")
    qtbot.wait(100)  # nothing may come up meanwhile
    visible = [w for w in QApplication.topLevelWidgets() if w.isVisible()]
    assert visible == [program.classroom]
    program.classroom.close()
    qtbot.waitUntil(lambda: program.classroom is None)
    assert program.window.isVisible()
    qtbot.waitUntil(lambda: bool(station.records.unfinished()))


def test_a_second_press_opens_no_second_class(program, qtbot):
    show_today(program, qtbot)
    card = first_card(program)
    program.start((card,))
    program.start((card,))
    qtbot.waitUntil(lambda: program.classroom is not None)
    qtbot.wait(300)
    classes = [w for w in QApplication.topLevelWidgets() if isinstance(w, ClassroomWindow)]
    assert [w for w in classes if w.isVisible()] == [program.classroom]
    qtbot.waitUntil(lambda: program.classroom.model.view is not None)
    program.classroom.close()
    qtbot.waitUntil(lambda: program.classroom is None)
    assert not any(w.isVisible() for w in classes)


def test_a_preview_records_nothing(program, qtbot, station):
    show_today(program, qtbot)
    before = station.records.facts()
    lesson = first_card(program).lesson
    program.preview(station.library.detail_now(lesson))
    qtbot.waitUntil(lambda: program.classroom is not None)
    qtbot.keyClick(program.classroom, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: program.classroom.model.at_s > 0.3)
    program.classroom.close()
    qtbot.waitUntil(lambda: program.classroom is None)
    assert station.records.facts() == before
    assert station.records.unfinished() == ()


def test_what_is_asked_for_reaches_the_link(program, qtbot, station):
    show_today(program, qtbot)
    link = program.link
    lesson = first_card(program).lesson
    program.fetch(lesson)
    program.sync_now()
    program.transfer.toggle_pause()
    program.transfer.request(lesson)
    program.transfer.cancel(lesson)
    program.import_demo()
    program.import_paths((Path("somewhere"),))
    qtbot.waitUntil(lambda: "import 1" in link.asked)
    assert link.asked[:6] == [
        f"request {lesson}", "call", "sync", "pause", f"request {lesson}", "cancel",
    ]  # fmt: skip


def test_a_sheet_is_printed_and_told(program, qtbot, station):
    show_today(program, qtbot)
    said = []
    program.context.said.connect(said.append)
    program.print_sheet(first_card(program), "steps")
    qtbot.waitUntil(lambda: bool(said), timeout=15_000)
    assert Path(said[0].hint).read_bytes().startswith(b"%PDF")
    program.print_task(first_card(program).lesson)
    qtbot.waitUntil(lambda: len(said) == 2, timeout=15_000)
    assert said[1].tone == "red"


def test_the_class_chosen_above_is_the_one_whose_record_is_shown(program, qtbot, station):
    show_today(program, qtbot)
    class_id = station.room.snapshot().classes[0].id
    program.frame.show_class(class_id)
    program.open_station("classes")
    model = program.pages.classes
    qtbot.waitUntil(lambda: model.page is not None)
    assert model.shown_class == class_id
    station.records.add("headcount", class_id, "12").result()
    qtbot.waitUntil(lambda: len(model.days) == 1)
    program.frame.show_class("")
    assert model.shown_class == ""
    program.context.change(theme="dark")
    qtbot.waitUntil(program.window.page("classes").isVisible)
    station.records.add("note", class_id, "after another look").result()
    qtbot.waitUntil(lambda: len(model.days[0].loose) == 2)


def test_an_empty_record_leads_to_today(program, qtbot):
    show_today(program, qtbot)
    program.open_station("classes")
    qtbot.waitUntil(lambda: program.pages.classes.page is not None)
    view = program.window.page("classes")
    with qtbot.waitSignal(program.window.station_opened):
        view.today_wanted.emit()
    assert program.window.station == "today"


def press_in_banner(program, qtbot, text: str) -> None:
    """Press the button of that name above the page."""
    words = program.context.words

    def found():
        buttons = program.window.findChildren(Button)
        return [one for one in buttons if one.isVisible() and one.text() == words(text)]

    qtbot.waitUntil(lambda: bool(found()))
    qtbot.mouseClick(found()[0], Qt.MouseButton.LeftButton)


def test_a_disk_that_forgets_is_said_until_it_remembers_and_its_button_acts(
    program, qtbot, station
):
    """F4 in the living program: without a hub the way to one, with one what is to be sent."""
    station.journal.forgets = True
    show_today(program, qtbot)
    press_in_banner(program, qtbot, "doctor.fix_open_settings")
    assert program.window.station == "settings"
    qtbot.waitUntil(lambda: program.window.focusWidget().objectName() == "hub-url")
    assert not program.window.focusWidget().visibleRegion().isEmpty()
    hub = KnownHub(key=b"k", url="u", authority=b"", site=b"s" * 8, school="S", name="H")
    station.hubs.put(hub)
    program.open_station("classes")
    program.keeping.look()
    press_in_banner(program, qtbot, "doctor.fix_send")
    assert program.link.asked[-2:] == ["call", "sync"]
    station.journal.acknowledge(station.journal.log.vector().summary).result()
    program.keeping.look()
    qtbot.waitUntil(lambda: [one.variant for one in program.keeping.checks] == ["sent"])
    station.journal.forgets = False
    program.keeping.look()
    qtbot.waitUntil(lambda: not program.keeping.checks)


def test_a_room_with_hubs_alone_is_not_scolded_for_lacking_a_source(program, qtbot):
    show_today(program, qtbot)
    said = []
    program.context.said.connect(said.append)
    failed = Future()
    failed.set_exception(UserError("no_source"))
    program.link.sync = lambda: failed
    program.sync_now()
    qtbot.waitUntil(lambda: len(said) == 1)
    assert said[0].text == program.context.words.error(UserError("no_source"))
    program.link.rows = (HubRow(key=b"k", name="H", url="u", waiting=3),)
    program.open_station("transfer")
    qtbot.waitUntil(lambda: program.hubs.rows == program.link.rows)
    assert program.frame.link.waiting == 1
    program.context.change(theme="dark")
    QApplication.sendPostedEvents()
    assert program.hubs._watchers == 1
    program.window.page("transfer").sync.click()
    assert program.link.asked[-1] == "call"
    assert said.pop().text == program.context.words("transfer.syncing")
    program.open_station("settings")
    qtbot.wait(30)
    assert len(said) == 1
    program.open_station("transfer")
    program.window.page("transfer").settings_wanted.emit()
    assert program.window.station == "settings"


class Desk:
    """A desk of sticks that answers nothing by itself (`StickPort`)."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def _waits(self, what: str) -> Future:
        self.asked.append(what)
        return Future()

    def ask(self, question):
        return self._waits("ask")

    def look(self, folder):
        return self._waits("look")

    def take(self, folder, tell):
        return self._waits("take")

    def pack(self, folder, lessons, site, tell):
        return self._waits("pack")

    def offers(self):
        return self._waits("offers")

    def close(self):
        self.asked.append("close")


def test_sticks_are_a_way_out_where_no_other_is_left(qtbot, station, tmp_path, monkeypatch):
    """A red card takes from the stick that is plugged in; a hub that is away is served by it."""
    folders: list[str] = []
    monkeypatch.setattr(
        QFileDialog, "getExistingDirectory", lambda *_, **__: folders.append("asked") or ""
    )
    desk = Desk()
    program = make_program(station, tmp_path, sticks=lambda: desk)
    qtbot.addWidget(program.window)
    said = []
    program.context.said.connect(said.append)
    program.show()
    qtbot.waitUntil(lambda: program.link is not None)
    program.import_stick()
    assert folders == ["asked"]
    program.link.rows = (
        HubRow(key=b"k", name="中心校", url="https://h", waiting=0, answers=False),
    )
    program.hubs.refresh()
    program.open_station("transfer")
    page = program.window.page("transfer")

    def by_stick():
        return [one for one in page.findChildren(Button) if one.objectName() == "by-stick"]

    qtbot.waitUntil(lambda: len(by_stick()) == 1)
    by_stick()[0].click()
    assert said[-1].text == program.context.words("transfer.plug_stick")
    courier = program.pages.courier
    courier.volume = Volume(root=tmp_path, name="KINGSTON", free_bytes=1 << 30, size_bytes=1 << 31)
    courier.phase = Phase.FOUND
    courier.changed.emit()
    name = program.context.words("transfer.stick", name="KINGSTON")
    assert any(name in one.accessibleName() for one in page.sources.findChildren(QWidget))
    qtbot.waitUntil(lambda: len(by_stick()) == 1)
    by_stick()[0].click()
    assert program.window.findChildren(PackPopover)
    for popover in program.window.findChildren(PackPopover):
        popover.close()
    program.open_station("today")
    program.import_stick()
    assert "take" in desk.asked
    assert page.isVisible()
    assert folders == ["asked"]
    program.close()
    assert desk.asked[-1] == "close"


def test_f4_that_the_stick_may_go_is_said_on_every_page_in_every_look(
    qtbot, station, tmp_path, monkeypatch
):
    """CV3: also where 传输 was never opened; with one sound."""
    beeps: list[bool] = []
    monkeypatch.setattr(QApplication, "beep", lambda: beeps.append(True))
    program = make_program(station, tmp_path, sticks=Desk)
    qtbot.addWidget(program.window)
    program.show()
    qtbot.waitUntil(lambda: program.link is not None)

    def shown() -> list[CourierEnd]:
        return [one for one in program.window.findChildren(CourierEnd) if one.isVisible()]

    assert shown() == []
    courier = program.pages.courier
    courier.volume = Volume(root=tmp_path, name="KINGSTON", free_bytes=1 << 30, size_bytes=1 << 31)
    courier.phase, courier.end = Phase.DONE, StickEnd(stage=StickStage.TAKING, lessons=2)
    courier.changed.emit()
    courier.finished.emit()
    assert len(shown()) == 1
    program.context.change(theme="dark", scale=150)
    for name in program.window.stations():
        program.open_station(name)
        qtbot.waitUntil(lambda: len(shown()) == 1)
        end = shown()[0]
        assert end.mapTo(program.window, end.rect().bottomRight()).x() == program.window.width() - 1
    courier.finished.emit()
    assert len(beeps) == 2
    courier.hide_end()
    assert shown() == []
    program.close()
