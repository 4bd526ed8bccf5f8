"""Importing as a person sees it: ui.view.importing over a real desk and a real profile."""

from concurrent.futures import Future

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from client.domain.availability import Decodes
from client.domain.clock import FrozenClock
from client.domain.errors import Cancelled, UserError
from client.domain.timetable import Slot, SlotKey
from client.service.intake import ImportResult, NotTaken, OfferedLesson
from client.service.paths import Profile
from client.service.station import Station
from client.service.text import Words
from sync.engine.link_desk import LinkDesk
from ui.base.button import Button
from ui.base.choice import Chip, ChoiceRow
from ui.base.context import UiContext
from ui.view.importing import Importing

FILM = b"\0\0\0\x18ftypmp42" + b"x" * 100


class House:
    """A window, a room with a week, and the desk that imports."""

    def __init__(self, qtbot, folder, language="zh_CN"):
        self.qtbot = qtbot
        self.station = Station(Profile(folder / "profile"), FrozenClock())
        self.desk = LinkDesk(self.station, lambda _: Decodes.YES)
        self.group = self.station.room.add_class("三年级", 3, 13).result()
        self.context = UiContext(Words(language), FrozenClock())
        self.said = []
        self.context.said.connect(self.said.append)
        self.context.dispatcher.on_failure(self.context.say_error)
        self.window = QWidget()
        self.window.resize(1400, 900)
        qtbot.addWidget(self.window)
        self.window.show()
        self.importing = Importing(self.context, self.window, self.station.room)
        self.ended = []
        self.importing.ended.connect(lambda: self.ended.append(True))

    def week(self, *days):
        for day in days:
            for period in (2, 1):
                key = SlotKey(day=day, period=period, class_id=self.group)
                self.station.room.set_slot(Slot(key=key, subject="数学")).result()

    def take(self, *paths):
        return self.tell(self.desk.import_paths(paths))

    def told(self, result):
        future = Future()
        future.set_result(result)
        return self.tell(future)

    def tell(self, future):
        before = len(self.ended)
        self.importing.watch(future)
        self.qtbot.waitUntil(lambda: len(self.ended) > before)
        return self.said[-1]

    def close(self):
        self.desk.close()
        self.station.close()


@pytest.fixture
def house(qtbot, tmp_path):
    made = House(qtbot, tmp_path)
    yield made
    made.close()


def put(folder, name, data=FILM):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def rows_of(popover):
    return [one for one in popover.findChildren(ChoiceRow) if one.isVisible()]


def lessons_of(house):
    return {slot.key: slot.lesson for slot in house.station.room.snapshot().slots if slot.lesson}


def test_lessons_with_a_place_come_in_without_a_question(house, tmp_path):
    """IM1"""
    put(tmp_path, "disk/三年级/数学/第一单元/分一分/film.mp4")
    say = house.take(tmp_path / "disk")
    assert house.said[0].text == "正在导入…"
    assert (say.text, say.hint, say.tone, say.act) == ("导入了 1 课", "", "good", None)


def test_what_was_left_out_is_named_with_its_reason(house, tmp_path):
    """IM1"""
    put(tmp_path, "disk/三年级/数学/分一分/film.mp4")
    put(tmp_path, "disk/三年级/数学/分一分/任务单.pdf", b"<html>")
    put(tmp_path, "disk/a.xyz")
    say = house.take(tmp_path / "disk")
    assert say.tone == "amber"
    assert say.hint.startswith("2 个文件没有收：")
    assert "a.xyz（" in say.hint
    assert "任务单.pdf（" in say.hint
    assert "rejected." not in say.hint


def test_nothing_found_failed_and_many_left_out_are_said(house, tmp_path):
    """IM1"""
    assert house.told(ImportResult()).text == "这里没有找到课程文件"
    files = tuple(NotTaken(name=f"{n}.x", why="kind_unknown") for n in range(9))
    many = house.told(ImportResult(lessons=2, not_taken=files))
    assert many.hint.startswith("9 个文件没有收：0.x（")
    assert "3.x" not in many.hint
    say = house.take(tmp_path / "gone")
    assert (say.tone, say.action) == ("red", "")
    assert str(tmp_path / "gone") in say.text
    assert say.hint == house.context.words("hint.folder_missing")


def test_failures_are_told_and_a_closing_program_says_nothing(house):
    """IM1"""
    failed: Future[ImportResult] = Future()
    failed.set_exception(UserError("folder_missing", {"path": "X"}))
    house.importing.watch(failed)
    house.qtbot.waitUntil(lambda: bool(house.ended))
    assert "X" in house.said[-1].text
    cancelled: Future[ImportResult] = Future()
    cancelled.set_exception(Cancelled())
    house.importing.watch(cancelled)
    house.told(ImportResult(lessons=1))
    assert len(house.ended) == 2


def test_lessons_nobody_can_place_are_put_into_the_week_by_a_press(house, tmp_path):
    """IM2: the question, a day, a slot; the slot then teaches it; undo takes it out."""
    house.week(1, 4)
    put(tmp_path, "stick/video1.mp4")
    put(tmp_path, "stick/video2.mp4", FILM + b"2")
    say = house.take(tmp_path / "stick")
    assert "有 2 个认不出是哪课" in say.text
    assert say.action == "放进课表"
    say.act()
    popover = house.window.findChild(QWidget, "offered")
    assert popover.isVisible()
    assert lessons_of(house) == {}
    thursday = next(
        chip
        for chip in popover.findChildren(Chip)
        if chip.text() == house.context.words("frame.day4")
    )
    house.qtbot.mouseClick(thursday, Qt.MouseButton.LeftButton)
    first, second = rows_of(popover)
    assert "第1节" in first.accessibleName() + first.text()
    house.qtbot.mouseClick(second, Qt.MouseButton.LeftButton)
    house.qtbot.waitUntil(lambda: bool(lessons_of(house)))
    ((key, lesson),) = lessons_of(house).items()
    assert (key.day, key.period) == (4, 2)
    assert house.station.library.detail_now(lesson).row.title == "video1"
    house.qtbot.waitUntil(lambda: house.said[-1].action == "撤销")
    assert popover.isVisible()
    house.said[-1].act()
    house.qtbot.waitUntil(lambda: not lessons_of(house))
    house.qtbot.waitUntil(lambda: house.said[-1].text == house.context.words("library.taken_back"))
    later = popover.findChild(Button, "place-later")
    house.qtbot.mouseClick(later, Qt.MouseButton.LeftButton)
    house.qtbot.waitUntil(lambda: not popover.isVisible())
    assert lessons_of(house) == {}


def test_a_room_without_a_week_is_led_to_the_timetable(house):
    """IM2"""
    offered = (OfferedLesson(id="f-1", title="video1"),)
    popover = house.importing.ask_places(offered)
    assert rows_of(popover) == []
    house.qtbot.keyClick(popover, Qt.Key.Key_Escape)
    house.qtbot.waitUntil(lambda: not popover.isVisible())


def test_english_counts(qtbot, tmp_path):
    """IM1"""
    house = House(qtbot, tmp_path, language="en")
    try:
        offered = (OfferedLesson(id="f-1", title="video1"),)
        say = house.told(ImportResult(lessons=1, offered=offered))
        assert say.text == "1 lesson brought in. Nobody knows which lesson 1 of them is"
    finally:
        house.close()
