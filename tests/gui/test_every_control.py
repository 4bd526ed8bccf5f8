"""Every control that is seen and can be pressed does something, on every page of the program."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import QEventLoop, QRect, Qt, QTimer
from PySide6.QtGui import QDesktopServices, QPainter
from PySide6.QtWidgets import QAbstractButton, QApplication, QFileDialog, QWidget

from client.domain.clock import SystemClock
from client.domain.ids import LessonId
from client.domain.record.bodies import Ended, SettingWritten
from client.service.paths import Profile
from client.service.station import Station
from tests.gui.test_program import (
    PAGES,
    first_card,
    make_program,
    program,
    show_today,
    station,
)
from ui.base.popover import Popover
from ui.view.first_run import STEPS, FirstRunView

__all__ = ["program", "station"]

SETTLE_MS = 220


class Room:
    """What can be seen of the program from outside."""

    def __init__(self, program, station, asked: list[str]) -> None:
        self.program, self.station, self.asked = program, station, asked
        self.said: list[object] = []
        program.context.said.connect(self.said.append)

    def rest(self, milliseconds: int = SETTLE_MS) -> None:
        loop = QEventLoop()
        QTimer.singleShot(milliseconds, loop.quit)
        loop.exec()

    def state(self, window: QWidget, but: QRect) -> tuple[object, ...]:
        """Everything a press may change, without the pixels of the control itself."""
        image = window.grab().toImage()
        painter = QPainter(image)
        painter.fillRect(but, 0)
        painter.end()
        top = {id(widget) for widget in QApplication.topLevelWidgets() if widget.isVisible()}
        return (
            bytes(image.constBits()),
            self.station.journal.count(),
            len(self.program.link.asked),
            len(self.asked),
            len(self.said),
            top,
        )

    def close_what_opened(self) -> None:
        """Come back from whatever a press opened."""
        for popover in self.program.window.findChildren(Popover):
            popover.close()
        while self.program.classroom is not None:
            self.program.classroom.close()
            self.rest(60)
        self.rest(60)


def controls(page: QWidget) -> list[QAbstractButton]:
    """Give what can be pressed now; the one that is chosen already among its like is left out."""
    found = page.findChildren(QAbstractButton)
    return [
        one
        for one in found
        if one.isVisible()
        and one.isEnabled()
        and not one.visibleRegion().isEmpty()
        and not (one.isCheckable() and one.isChecked() and _is_one_of_many(one))
    ]


def _is_one_of_many(one: QAbstractButton) -> bool:
    group = one.group()
    return one.autoExclusive() or (group is not None and group.exclusive())


@pytest.fixture
def asked(monkeypatch):
    """What the program asks of the desktop."""
    made: list[str] = []
    monkeypatch.setattr(
        QFileDialog, "getExistingDirectory", lambda *_, **__: made.append("folder") or ""
    )
    monkeypatch.setattr(
        QFileDialog, "getOpenFileName", lambda *_, **__: (made.append("file") or "", "")
    )
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda _: made.append("open") or True)
    return made


@pytest.fixture
def room(qtbot, program, station, asked):
    show_today(program, qtbot)
    made = Room(program, station, asked)
    yield made
    made.close_what_opened()


def idle_controls(room: Room, open_page: Callable[[], QWidget]) -> list[str]:
    """Press each control of a window, and name those that did nothing."""
    idle, count = [], len(controls(open_page()))
    assert count > 0
    room.close_what_opened()
    for number in range(count):
        window = open_page()
        there = controls(window)
        if number >= len(there):
            room.close_what_opened()
            break
        one = there[number]
        name = f"{type(one).__name__} {one.text() or one.accessibleName() or one.toolTip()}"
        rect = QRect(one.mapTo(window, one.rect().topLeft()), one.size())
        before = room.state(window, rect)
        one.click()
        room.rest(0)
        at_once = room.state(window, rect)
        room.rest()
        if at_once == before == room.state(window, rect):
            idle.append(name)
        room.close_what_opened()
    return idle


@pytest.mark.parametrize("name", PAGES)
def test_every_control_of_a_page_acts(room, name):
    def open_page() -> QWidget:
        room.program.open_station("today" if name != "today" else "library")
        room.program.open_station(name)
        room.rest()
        return room.program.window

    # The chip of the link leads to the page of transfers, which is open there already.
    already = ["LinkChip 离线"] if name == "transfer" else []
    assert idle_controls(room, open_page) == already


def test_every_control_of_a_record_acts(room):
    """班级 with a class that was taught and a setting that was written twice."""
    recorder, journal = room.station.records.recorder, room.station.journal
    group = room.station.room.snapshot().classes[0]
    recorder.end(recorder.open((group.id,), LessonId("gone")).sitting, Ended.FINISHED).result()
    for value in ("dark", "light"):
        journal.append(SettingWritten(name="unheard-of", value=value)).result()

    def open_page() -> QWidget:
        room.program.open_station("today")
        room.program.open_station("classes")
        room.rest()
        return room.program.window

    assert idle_controls(room, open_page) == []


@pytest.mark.parametrize("is_mirrored", [True, False])
def test_every_control_of_a_class_acts(qtbot, station, tmp_path, asked, is_mirrored):
    program = make_program(station, tmp_path, is_mirrored=is_mirrored)
    qtbot.addWidget(program.window)
    show_today(program, qtbot)
    room = Room(program, station, asked)

    def open_page() -> QWidget:
        qtbot.waitUntil(lambda: program.today.page is not None)
        program.start((first_card(program),))
        qtbot.waitUntil(lambda: program.classroom is not None and program.classroom.isVisible())
        qtbot.keyClick(program.classroom, Qt.Key.Key_Space)
        room.rest()
        if is_mirrored:
            qtbot.mouseClick(program.classroom, Qt.MouseButton.LeftButton)
        room.rest()
        return program.classroom

    assert idle_controls(room, open_page) == []
    assert [one for one in QApplication.topLevelWidgets() if one.isVisible()] == [program.window]
    program.close()


def test_every_control_of_the_first_run_acts(qtbot, tmp_path, asked):
    station = Station(Profile(tmp_path / "fresh"), SystemClock())
    program = make_program(station, tmp_path)
    qtbot.addWidget(program.window)
    program.show()
    qtbot.waitUntil(lambda: program.link is not None)
    room = Room(program, station, asked)
    for at in range(len(STEPS) - 1):

        def open_page(at: int = at) -> QWidget:
            view = program.window.findChild(FirstRunView)
            while view.at < at:
                view.go_on()
            while view.at > at:
                view.go_back()
            room.rest()
            return program.window

        assert idle_controls(room, open_page) == []
    program.close()
    station.close()
