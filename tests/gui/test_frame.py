"""The window around the pages: ui.app, ui.view.rail, ui.view.top_bar, ui.viewmodel.frame."""

from concurrent.futures import Future

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from client.domain.clock import FrozenClock
from client.domain.ids import LessonId
from client.domain.timetable import Room
from client.service.api import HubRow, SyncStatus, TransferRow, TransferState
from client.service.checks import Fix
from client.service.keeping import KeepingFacts, keeping
from client.service.text import Words
from tests.fakes.today_pages import CLASSES
from ui.app import (
    LIBRARY_ENTRY,
    SETTINGS_ENTRY,
    TODAY_ENTRY,
    TRANSFER_ENTRY,
    MainWindow,
    Station,
)
from ui.base.button import Button
from ui.base.choice import Segments
from ui.base.context import Appearance, UiContext
from ui.view.keeping import KeepingBanner
from ui.view.rail import RailButton, RailEntry
from ui.viewmodel.frame import FrameModel, link_line
from ui.viewmodel.keeping import KeepingModel


class PageDouble(QWidget):
    def __init__(self, name: str, built: list[str]) -> None:
        super().__init__()
        built.append(name)
        self.name = name
        self.queries: list[str] = []
        layout = QVBoxLayout(self)
        layout.addWidget(QLabel(name))
        self.button = QPushButton(name)
        layout.addWidget(self.button)

    def search(self, text: str) -> None:
        self.queries.append(text)

    def focus_results(self) -> None:
        self.button.setFocus()


class Threats:
    """Answers with what threatens the records (`KeepingPort`)."""

    def __init__(self) -> None:
        self.facts = KeepingFacts()

    def look(self):
        future = Future()
        future.set_result(keeping(self.facts))
        return future


class House:
    def __init__(self, qtbot, *, size=(1600, 968), scale=100) -> None:
        self.built: list[str] = []
        self.context = UiContext(Words("zh_CN"), FrozenClock(), Appearance(scale=scale))
        self.context.apply()
        self.model = FrameModel()
        entries = (TODAY_ENTRY, LIBRARY_ENTRY, TRANSFER_ENTRY, SETTINGS_ENTRY)
        stations = [
            Station(entry=one, build=self.builder(one.name), has_records=one is TODAY_ENTRY)
            for one in entries
        ]
        hidden = RailEntry(name="doctor", icon="shield-check")
        stations.append(Station(entry=hidden, build=self.builder("doctor"), marks="settings"))
        self.port = Threats()
        self.keeping = KeepingModel(self.port, self.context.dispatcher)
        self.window = MainWindow(self.context, self.model, self.keeping, stations)
        qtbot.addWidget(self.window)
        self.window.resize(*size)
        self.window.open_station("today")
        self.window.show()
        self.bar = self.window._bar
        qtbot.waitExposed(self.window)

    def builder(self, name):
        return lambda _context: PageDouble(name, self.built)

    @property
    def rail(self):
        return {one.text(): one for one in self.window._rail.findChildren(RailButton)}


@pytest.fixture
def house(qtbot):
    return House(qtbot)


def test_a_page_is_built_when_it_is_first_opened(house) -> None:
    """F1."""
    assert house.built == ["today"]
    house.window.open_station("settings")
    house.window.open_station("today")
    assert house.built == ["today", "settings"]
    assert house.window.page("transfer") is None


def test_every_entry_of_the_rail_opens_its_page(qtbot, house) -> None:
    for word, name in (("课程库", "library"), ("传输", "transfer"), ("设置", "settings")):
        with qtbot.waitSignal(house.window.station_opened) as told:
            qtbot.mouseClick(house.rail[word], Qt.MouseButton.LeftButton)
        assert told.args == [name]
        assert house.rail[word].isChecked()
        house.rail[word].grab()
    qtbot.keyClick(house.rail["今天"], Qt.Key.Key_Return)
    assert house.window.station == "today"


def test_a_page_without_an_entry_marks_its_parent(house) -> None:
    house.window.open_station("doctor")
    assert house.rail["设置"].isChecked()
    assert len(house.rail) == 4


def test_number_keys_open_stations(qtbot, house) -> None:
    qtbot.keyClick(house.window, Qt.Key.Key_2, Qt.KeyboardModifier.ControlModifier)
    assert house.window.station == "library"
    qtbot.keyClick(house.window, Qt.Key.Key_F11)
    assert house.window.isFullScreen()
    house.window.toggle_full_screen()
    assert not house.window.isFullScreen()


def test_a_change_of_look_builds_all_anew_and_keeps_the_page(qtbot, house) -> None:
    """F2."""
    house.window.open_station("settings")
    house.context.change(language="en", theme="dark")
    assert house.window.station == "settings"
    assert house.built == ["today", "settings", "settings"]
    assert "Settings" in {b.text() for b in house.window._rail.findChildren(RailButton)}


def test_search_works_from_every_page(qtbot, house) -> None:
    """F3."""
    qtbot.keyClick(house.window, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(house.bar.search.hasFocus)
    qtbot.keyClicks(house.bar.search, "fs")
    assert house.window.station == "library"
    page = house.window.page("library")
    assert page.queries == ["f", "fs"]
    qtbot.waitUntil(house.bar.search.hasFocus)
    qtbot.keyClick(house.bar.search, Qt.Key.Key_Return)
    assert page.queries[-1] == "fs"
    qtbot.waitUntil(page.button.hasFocus)
    house.bar.focus_search()
    qtbot.keyClick(house.bar.search, Qt.Key.Key_Escape)
    assert (page.queries[-1], house.bar.search.text()) == ("", "")
    house.window.open_station("today")
    qtbot.keyClick(house.bar.search, Qt.Key.Key_Escape)


def test_the_class_switch_tells_which_class_is_shown(qtbot, house) -> None:
    assert house.window.findChildren(Segments) == []
    house.model.set_room(Room(school="云岭村小学", room="三五年级"), CLASSES)
    switch = house.window.findChildren(Segments)[0]
    with qtbot.waitSignal(house.model.class_shown) as told:
        switch.buttons()[1].click()
    assert told.args == ["c5"]
    with qtbot.waitSignal(house.model.class_shown):
        switch.buttons()[2].click()
    assert house.model.shown_class == ""
    house.model.show_class("c5")
    house.model.set_room(Room(school="云岭村小学", room="三五年级"), CLASSES[:1])
    assert house.model.shown_class == ""
    assert "云岭村小学" in house.window.windowTitle()


ROW = TransferRow(
    lesson=LessonId("l"),
    title="分一分",
    subject="数学",
    state=TransferState.FETCHING,
    bytes_needed=10,
    bytes_done=1,
)


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (SyncStatus(), "还没连"),
        (SyncStatus(is_online=True, rows=(ROW,)), "已连接"),
        (SyncStatus(is_online=False, last_contact_ms=0), "离线"),
        (SyncStatus(is_online=True, is_paused=True), "已暂停"),
    ],
)
def test_the_link_chip_says_how_it_is_and_never_alarms(qtbot, house, status, word) -> None:
    """A1: the same colours in every state."""
    house.model.set_status(status)
    assert house.bar.chip.text() == word
    assert word in house.bar.chip.accessibleName()
    image = house.bar.chip.grab().toImage()
    red = sum(
        image.pixelColor(x, y).red() > image.pixelColor(x, y).green() + 60
        for x in range(0, image.width(), 2)
        for y in range(0, image.height(), 2)
    )
    assert red == 0
    house.bar.chip.click()
    assert house.window.station == "transfer"


def test_what_is_done_is_not_waiting() -> None:
    done = TransferRow(
        **{**{n: getattr(ROW, n) for n in ROW.__slots__}, "state": TransferState.DONE}
    )
    assert link_line(SyncStatus(rows=(ROW, done))).waiting == 1


@pytest.mark.parametrize("scale", [100, 150])
@pytest.mark.parametrize("width", [1024, 1280, 1600, 1920])
@pytest.mark.parametrize("language", ["zh_CN", "en"])
def test_nothing_in_the_bar_is_cut_off(qtbot, width, scale, language) -> None:
    """A2."""
    house = House(qtbot, size=(width, 768), scale=scale)
    house.context.change(language=language)
    house.model.set_room(Room(school="云岭村小学", room="三五年级"), CLASSES)
    house.model.set_time_sure(is_sure=False)
    house.model.set_status(
        SyncStatus(is_online=True, rows=(ROW,), bytes_received=10**8, last_contact_ms=1)
    )
    bar = house.window._bar
    qtbot.waitUntil(lambda: bar.layout().geometry().width() == bar.width())
    for child in bar.children():
        if isinstance(child, QWidget) and child.isVisible() and child is not bar.search:
            assert child.width() >= child.sizeHint().width(), child
            assert bar.rect().contains(child.geometry()), child


def test_the_clock_is_marked_when_the_time_is_unsure(house) -> None:
    marks = [one for one in house.bar.findChildren(QLabel) if one.text() == "校时"]
    assert [one.isVisible() for one in marks] == [False]
    house.model.set_time_sure(is_sure=False)
    assert [one.isVisible() for one in marks] == [True]


def test_first_run_covers_the_frame_until_it_is_done(qtbot, house) -> None:
    house.window.cover(house.builder("first_run"))
    assert house.window._root.currentWidget().name == "first_run"
    house.context.change(language="en")
    assert house.window._root.currentWidget().name == "first_run"
    house.context.say("frame.ok")
    house.window.uncover()
    assert house.window._root.currentIndex() == 0
    house.context.say("frame.ok")
    qtbot.waitUntil(house.window._passing.isVisible)
    house.window.resize(1100, 800)


def test_closing_tells(qtbot, house) -> None:
    with qtbot.waitSignal(house.window.closing):
        house.window.close()


def test_the_window_fits_the_screen(qtbot, house) -> None:
    house.window.show_fitting()
    assert house.window.isVisible()
    assert all(isinstance(one, QAbstractButton) for one in house.rail.values())


# --- what threatens records ----------------------------------------------------------------


def seen(house, kind) -> list:
    QApplication.sendPostedEvents()
    return [one for one in house.window.findChildren(kind) if one.isVisible()]


def said(house) -> str:
    return "\n".join(one.text() for one in seen(house, QLabel))


def threaten(qtbot, house, **facts) -> None:
    house.port.facts = KeepingFacts(**facts)
    with qtbot.waitSignal(house.keeping.changed):
        house.keeping.look()


@pytest.mark.parametrize("language", ["zh_CN", "en"])
@pytest.mark.parametrize(
    ("facts", "variant"),
    [
        ({"refusal": "disk_full"}, "journal_full"),
        ({"refusal": "store_failed"}, "journal_refused"),
        ({"is_low": True}, "journal_low"),
        ({"forgets": True}, "restore_alone"),
        ({"forgets": True, "hubs": 1}, "restore_forgets"),
        ({"forgets": True, "hubs": 1, "is_sent": True}, "restore_sent"),
    ],
)
def test_a_threat_stands_while_it_lasts_in_the_words_of_the_check_up(
    qtbot, house, facts, variant, language
):
    """F4, KB1, KW1, KE1."""
    house.context.change(language=language)
    focus = house.window._bar.search
    focus.setFocus()
    threaten(qtbot, house, **facts)
    words = house.context.words
    for key in (f"doctor.{variant}", f"doctor.{variant}_hint"):
        assert words(key) in said(house)
    assert QApplication.focusWidget() is focus
    house.keeping.look()
    qtbot.wait(20)
    assert words(f"doctor.{variant}") in said(house)
    with qtbot.waitSignal(house.keeping.changed):
        house.port.facts = KeepingFacts()
        house.keeping.look()
    assert words(f"doctor.{variant}") not in said(house)
    assert not seen(house, KeepingBanner)


def test_f4_the_banner_stands_over_pages_with_records_and_in_every_look(qtbot, house):
    threaten(qtbot, house, forgets=True)
    words = house.context.words
    for name, stands in (("library", False), ("today", True), ("settings", False)):
        house.window.open_station(name)
        assert bool(seen(house, KeepingBanner)) is stands, name
    house.window.open_station("today")
    house.context.change(theme="dark", scale=150)
    assert words("doctor.restore_alone") in said(house)
    banner = seen(house, KeepingBanner)[0]
    assert banner.mapTo(house.window, QPoint(0, 0)).x() + banner.width() <= house.window.width()


def test_the_button_of_a_threat_says_what_it_wants_and_is_reached_by_keys(qtbot, house):
    asked = []
    house.window.fix_wanted.connect(asked.append)
    threaten(qtbot, house, forgets=True, hubs=1, refusal="disk_full")
    buttons = seen(house, KeepingBanner)[0].findChildren(Button)
    assert [one.text() for one in buttons] == [house.context.words("doctor.fix_send")]
    buttons[0].setFocus()
    qtbot.keyClick(buttons[0], Qt.Key.Key_Return)
    threaten(qtbot, house, forgets=True)
    QApplication.sendPostedEvents()
    seen(house, KeepingBanner)[0].findChildren(Button)[0].click()
    assert asked == [Fix.SEND, Fix.OPEN_SETTINGS]


def test_kb1_it_looks_again_by_itself_until_the_program_ends(qtbot, house):
    house.keeping._timer.setInterval(10)
    house.keeping.begin()
    house.port.facts = KeepingFacts(forgets=True)
    qtbot.waitUntil(lambda: bool(house.keeping.checks))
    house.port.facts = KeepingFacts()
    qtbot.waitUntil(lambda: not house.keeping.checks)
    house.keeping.end()
    assert not house.keeping._timer.isActive()


@pytest.mark.parametrize(
    ("is_online", "hubs", "expected"),
    [
        (None, (), ("link_unknown", 0, None)),
        (None, ((6, 50, None),), ("link_unknown", 1, 50)),
        (None, ((6, 50, True),), ("online", 1, 50)),
        (False, ((6, 50, False), (2, 70, True)), ("online", 2, 70)),
        (False, ((0, 50, False),), ("offline", 0, 60)),
    ],
)
def test_the_chip_counts_hubs_among_those_that_answer_and_wait(house, is_online, hubs, expected):
    rows = tuple(
        HubRow(
            key=bytes([number]),
            name="",
            url="",
            waiting=lacks,
            last_contact_ms=at,
            answers=answers,
        )
        for number, (lacks, at, answers) in enumerate(hubs)
    )
    house.model.set_hubs(rows)
    house.model.set_status(
        SyncStatus(is_online=is_online, last_contact_ms=60 if is_online is False else None)
    )
    link = house.model.link
    word = link.kind_key.removeprefix("frame.")
    assert (word, link.waiting, link.last_contact_ms) == expected


def test_kb2_a_slow_look_is_waited_for_and_followed_by_the_one_that_was_due(qtbot, house):
    asked: list[Future] = []
    house.port.look = lambda: asked.append(Future()) or asked[-1]
    for _ in range(5):
        house.keeping.look()
    assert len(asked) == 1
    asked[0].set_result(keeping(KeepingFacts(is_low=True)))
    qtbot.waitUntil(lambda: len(asked) == 2)
    assert [one.variant for one in house.keeping.checks] == ["low"]
    asked[1].set_result(())
    qtbot.waitUntil(lambda: not house.keeping.checks)
    assert len(asked) == 2
