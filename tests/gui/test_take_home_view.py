"""带回家 over a real desk (HO1, HO2, TP1, TP2).

ui.view.take_home, ui.viewmodel.take_home, sync.engine.home_desk.
"""

from concurrent.futures import Future

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QWidget

from client.domain.availability import Decodes
from client.domain.cancel import CancelToken
from client.domain.clock import FrozenClock
from client.domain.errors import StorageFullError
from client.domain.ids import LessonId
from client.service.intake import NotTaken
from client.service.paths import Profile
from client.service.station import Station
from client.service.sticks import HomeEnd, PackOffer
from client.service.text import Words
from sync.engine.folder_import import import_folder
from sync.engine.home_desk import HomeDesk
from tests.visible_text import visible_text
from ui.base.button import Button
from ui.base.context import Appearance, UiContext
from ui.view.take_home import HomePopover, HomeTold, show_folder
from ui.viewmodel.take_home import HomeModel, HomePhase


class Slow:
    """A desk whose packs end when the test says so."""

    def __init__(self, *offers: PackOffer) -> None:
        self.listed, self.packs, self.stopped, self.closed = offers, [], 0, 0
        self.future: Future[HomeEnd] = Future()

    def offers(self, first):
        made: Future[tuple[PackOffer, ...]] = Future()
        made.set_result(self.listed)
        return made

    def pack(self, folder, wish, tell):
        self.packs.append((folder, wish))
        self.tell, self.future = tell, Future()
        return self.future

    def stop(self):
        self.stopped += 1

    def close(self):
        self.closed += 1


class House:
    """A window from which packs are made."""

    def __init__(self, qtbot, desk, **look):
        self.qtbot, self.desk, self.chosen = qtbot, desk, None
        appearance = Appearance(**look)
        self.context = UiContext(Words(appearance.language), FrozenClock(), appearance)
        self.context.apply()
        self.said = []
        self.context.said.connect(self.said.append)
        self.model = HomeModel(desk, self.context.dispatcher)
        self.told = HomeTold(self.context, self.model)
        self.window = QWidget()
        qtbot.addWidget(self.window)
        self.window.resize(1024, 700)
        self.window.show()

    def open(self, *first: str) -> HomePopover:
        self.model.open([LessonId(one) for one in first])
        self.popover = HomePopover(self.context, self.window, self.model, lambda: self.chosen)
        self.popover.open_at(self.window)
        self.qtbot.waitUntil(lambda: self.model.offers is not None)
        return self.popover

    def press(self, key: str) -> None:
        button = self.popover.findChild(Button, key)
        assert button is not None, key
        self.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    def texts(self) -> str:
        return visible_text(self.popover)


def offer(name: str, *, is_soon: bool = True) -> PackOffer:
    return PackOffer(id=LessonId(name), title=f"课 {name}", size_bytes=3 << 20, is_soon=is_soon)


@pytest.fixture
def house(qtbot, tmp_path):
    made = House(qtbot, Slow(offer("a"), offer("b", is_soon=False)))
    made.chosen = tmp_path
    return made


def test_lessons_go_into_a_folder_that_is_shown(qtbot, tmp_path, monkeypatch):
    source = tmp_path / "source" / "三年级" / "数学" / "一" / "分一分"
    source.mkdir(parents=True)
    (source / "课件.pdf").write_bytes(b"%PDF-1.4\n")
    station = Station(Profile(tmp_path / "profile"), FrozenClock())
    (lesson,) = import_folder(
        station, tmp_path / "source", lambda _: Decodes.YES, CancelToken()
    ).lessons
    house = House(qtbot, HomeDesk(station, lambda _source, _target: False))
    house.chosen = tmp_path / "stick"
    opened = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile()))
    try:
        house.open(lesson)
        house.press("take_home.folder")
        qtbot.waitUntil(lambda: house.model.phase is HomePhase.DONE, timeout=20_000)
        pack = tmp_path / "stick" / "带回家的课"
        assert (pack / "index.html").is_file()
        assert house.model.end.path == pack
        qtbot.waitUntil(lambda: str(pack) in house.texts())
        house.press("take_home.open")
        (said,) = house.said
        said.act()
        assert opened == [str(pack / "index.html")] * 2
    finally:
        house.model.close()
        station.close()


@pytest.mark.parametrize("look", [{}, {"theme": "dark", "language": "en"}])
def test_the_panel_says_what_is_chosen_and_how_far_it_is(qtbot, tmp_path, look):
    house = House(qtbot, Slow(offer("a"), offer("b", is_soon=False)), **look)
    house.chosen = tmp_path
    words = house.context.words
    popover = house.open()
    assert [tick.isChecked() for tick in popover.ticks] == [True, False]
    assert words.plural("take_home.chosen", 1, size="3 MB") in house.texts()
    popover.ticks[1].click()
    assert words.plural("take_home.chosen", 2, size="6 MB") in house.texts()
    for tick in popover.ticks:
        tick.click()
    assert words("take_home.choose") in house.texts()
    assert not popover.findChild(Button, "take_home.zip").isEnabled()
    popover.ticks[0].click()
    house.press("take_home.zip")
    ((folder, wish),) = house.desk.packs
    assert (folder, wish.lessons, wish.is_zip) == (tmp_path, ("a",), True)
    assert wish.name == words("take_home.name")
    qtbot.waitUntil(lambda: words("take_home.busy", done=1, n=1) in house.texts())
    house.desk.tell(1, 1)
    qtbot.waitUntil(lambda: house.model.done == 1)
    assert "take_home" not in house.texts()
    popover.grab()


def test_a_chooser_that_was_left_begins_nothing(house):
    house.chosen = None
    house.open()
    house.press("take_home.folder")
    assert (house.desk.packs, house.model.phase) == ([], HomePhase.CHOOSING)


def test_one_that_was_stopped_is_heard_of_no_more(qtbot, house):
    """HO1"""
    house.open()
    house.press("take_home.folder")
    house.model.pack(house.chosen, ["b"], "x", is_zip=True)
    assert len(house.desk.packs) == 1, "one at a time"
    late, tell = house.desk.future, house.desk.tell
    house.press("take_home.stop")
    assert (house.desk.stopped, house.model.phase) == (1, HomePhase.CHOOSING)
    house.model.stop()
    assert house.desk.stopped == 1
    tell(1, 1)
    late.set_result(HomeEnd(path=house.chosen, lessons=1, size_bytes=5))
    house.press("take_home.zip")
    qtbot.wait(20)
    assert (house.model.phase, house.model.done, house.said) == (HomePhase.BUSY, 0, [])


def test_the_end_is_told_though_the_panel_is_closed(qtbot, house):
    """HO2, TP2"""
    house.open()
    house.press("take_home.folder")
    house.popover.close()
    qtbot.wait(0)
    left = tuple(NotTaken(name=name, why="not_here") for name in "甲乙丙丁")
    house.desk.future.set_result(
        HomeEnd(path=house.chosen / "a", lessons=1, size_bytes=5 << 20, not_taken=left)
    )
    qtbot.waitUntil(lambda: bool(house.said))
    assert house.said[0].tone == "amber"
    assert "丙" in house.said[0].hint
    assert "丁" not in house.said[0].hint
    house.open()
    assert house.model.phase is HomePhase.CHOOSING, "what is done is forgotten"


def test_a_full_stick_is_told_in_both_places(qtbot, house):
    """TP2"""
    house.open()
    house.press("take_home.folder")
    house.desk.future.set_exception(StorageFullError("home_full", {"need_mb": 9, "free_mb": 1}))
    qtbot.waitUntil(lambda: bool(house.said))
    said = house.context.words("error.home_full", need_mb=9, free_mb=1)
    assert house.said[0].text == said
    qtbot.waitUntil(lambda: said in house.texts())
    house.press("take_home.folder")
    assert len(house.desk.packs) == 2, "once more, on another stick"


def test_the_panel_stays_open_until_done(qtbot, house):
    house.open()
    house.press("take_home.zip")
    pack = house.chosen / "a.zip"
    house.desk.future.set_result(HomeEnd(path=pack, lessons=1, size_bytes=5))
    qtbot.waitUntil(lambda: house.popover.findChild(Button, "take_home.close") is not None)
    house.press("take_home.close")
    assert not house.popover.isVisible()


def test_where_a_pack_lies_is_shown(tmp_path, monkeypatch):
    opened = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile()))
    show_folder(tmp_path / "a.zip")
    show_folder(tmp_path / "a")
    assert opened == [str(tmp_path), str(tmp_path / "a" / "index.html")]


def test_without_lessons_it_says_what_to_do(qtbot):
    house = House(qtbot, Slow())
    house.open()
    words = house.context.words
    qtbot.waitUntil(lambda: words("take_home.none") in house.texts())
    assert words("take_home.none_hint") in house.texts()
    house.model.close()
    assert house.desk.closed == 1


def test_however_long_the_list_the_buttons_are_in_sight(qtbot):
    """TP1"""
    house = House(qtbot, Slow(*(offer(str(n)) for n in range(80))))
    popover = house.open()
    assert len(popover.ticks) == 60
    assert house.context.words.plural("take_home.more", 20) in house.texts()
    button = popover.findChild(Button, "take_home.folder")
    assert (
        popover.panel.viewport()
        .rect()
        .contains(button.mapTo(popover.panel.viewport(), button.rect().center()))
    )
