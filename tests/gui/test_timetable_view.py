"""课程表 as a person uses it: ui.view.timetable, timetable_grid, timetable_editor."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel

from client.domain.clock import FrozenClock
from client.domain.timetable import SlotKey, TeachingMode, Weeks
from client.service.api import Stopped
from client.service.text import Words
from tests.fakes.school import C3, C5, School
from ui.base.button import Button
from ui.base.choice import Chip, ChoiceRow, Segments, Select
from ui.base.context import Appearance, UiContext
from ui.base.notice import Notice
from ui.base.text import ElidedLabel
from ui.view.timetable import TimetableView
from ui.view.timetable_editor import SlotEditor
from ui.view.timetable_grid import sheet_of
from ui.viewmodel.timetable import TimetableModel

MATHS = SlotKey(day=3, period=2, class_id=C3)
FREE = SlotKey(day=5, period=1, class_id=C3)
TABLE = "\n".join(
    (
        "三年级\t周一\t周二",
        "第1节\t语文\t数学",
        "第2节\t编织\t英语",
    )
)


class Desk:
    def __init__(self, qtbot, folder, *, is_furnished=True, scale=100, size=(1512, 904)):
        self.school = School(folder)
        if is_furnished:
            self.school.furnish()
        self.context = UiContext(Words("zh_CN"), FrozenClock(), Appearance(scale=scale))
        self.context.apply()
        self.said = []
        self.context.said.connect(self.said.append)
        self.model = TimetableModel(self.school.room, self.school, self.context.dispatcher)
        self.view = TimetableView(self.context, self.model)
        self.context.setParent(self.view)
        self.model.setParent(self.view)
        qtbot.addWidget(self.view)
        self.view.resize(*size)
        self.view.show()
        qtbot.waitUntil(lambda: self.model.week is not None)
        self.qtbot = qtbot

    def close(self):
        self.context.dispatcher.close()
        self.school.close()

    def find(self, kind):
        return [one for one in self.view.findChildren(kind) if one.isVisible()]

    def button(self, text):
        return next(one for one in self.find(QAbstractButton) if one.text() == text)

    def has(self, text):
        return any(one.text() == text for one in self.find(QAbstractButton))

    def slot(self, key):
        slots = self.school.room.snapshot().slots
        return next((one for one in slots if one.key == key), None)

    def open(self, key):
        self.qtbot.mouseClick(
            self.view.grid,
            Qt.MouseButton.LeftButton,
            pos=self.view.grid.cell_rect(key).center(),
        )
        return self.find(SlotEditor)[0]

    def titles(self):
        return [one.text() for one in self.find(ElidedLabel)]


@pytest.fixture
def desk(qtbot, tmp_path):
    made = Desk(qtbot, tmp_path)
    yield made
    made.close()


def test_a_click_finds_the_cell_that_was_painted(desk) -> None:
    """GR2."""
    grid = desk.view.grid
    cells = tuple(sheet_of(desk.model).cells())
    assert len(cells) == 6 * 2 * 5
    for key in cells:
        box = grid.cell_rect(key)
        assert grid.key_at(box.center()) == key
        assert grid.rect().contains(box.adjusted(1, 1, -1, -1))
    assert grid.key_at(QPoint(3, 3)) is None


def test_arrows_walk_every_cell_and_say_where_they_are(qtbot, desk) -> None:
    """GR1."""
    grid = desk.view.grid
    names = set()
    for row in range(12):
        for _ in range(4):
            names.add(grid.accessibleName())
            qtbot.keyClick(grid, Qt.Key.Key_Right if row % 2 == 0 else Qt.Key.Key_Left)
        names.add(grid.accessibleName())
        qtbot.keyClick(grid, Qt.Key.Key_Down)
    assert len(names) == 60
    assert any("空着" in name for name in names)
    assert any("数学 面积的练习" in name for name in names)
    for _ in range(9):
        qtbot.keyClick(grid, Qt.Key.Key_Up)
        qtbot.keyClick(grid, Qt.Key.Key_Left)
    assert grid.cursor_key.day == 1


def test_enter_opens_the_editor_and_escape_leads_back(qtbot, desk) -> None:
    grid = desk.view.grid
    grid.setFocus()
    grid.set_cursor_key(MATHS)
    qtbot.keyClick(grid, Qt.Key.Key_Return)
    editor = desk.find(SlotEditor)[0]
    assert desk.view.rect().contains(editor.panel.geometry())
    chosen = [one.text() for one in editor.findChildren(Chip) if one.isChecked()]
    assert chosen == ["数学"]
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Escape)
    assert desk.find(SlotEditor) == []
    assert grid.hasFocus()


def test_the_pointer_moves_along_the_textbook_and_can_be_undone(qtbot, desk) -> None:
    """ED1, and Z1 of ui.viewmodel.timetable."""
    desk.open(MATHS)
    qtbot.waitUntil(lambda: "分一分（一）" in desk.titles())
    buttons = {b.accessibleName(): b for b in desk.find(Button) if b.accessibleName()}
    assert not buttons["往前一课"].isEnabled()
    buttons["往后一课"].click()
    qtbot.waitUntil(lambda: "分一分（二）" in desk.titles())
    assert desk.school.room.snapshot().pointers[0].lesson == "b3-1"
    qtbot.waitUntil(lambda: desk.model.cell(MATHS).title == "分一分（二）")
    desk.find(SlotEditor)[0].close()
    qtbot.waitUntil(lambda: desk.has("撤销"))
    desk.button("撤销").click()
    qtbot.waitUntil(lambda: desk.school.room.snapshot().pointers == ())


def test_a_free_slot_gets_a_subject_and_then_its_book(qtbot, desk) -> None:
    editor = desk.open(FREE)
    assert desk.find(ChoiceRow) == []
    next(one for one in editor.findChildren(Chip) if one.text() == "科学").click()
    qtbot.waitUntil(lambda: desk.slot(FREE) is not None)
    qtbot.waitUntil(lambda: any("还没选课本" in one.text() for one in desk.find(QLabel)))
    next(one for one in editor.findChildren(Chip) if one.text() == "数学").click()
    qtbot.waitUntil(lambda: desk.slot(FREE).subject == "数学")
    qtbot.waitUntil(lambda: bool(desk.titles()))


def test_a_book_can_be_chosen_where_none_is(qtbot, desk) -> None:
    desk.school.room.choose_book(C3, "数学", None).result()
    desk.model.refresh()
    desk.open(MATHS)
    qtbot.waitUntil(lambda: bool(desk.find(Select)))
    choice = desk.find(Select)[0]
    assert [choice.itemText(n) for n in range(1, choice.count())] == [
        "北师大版 三下",
        "人教版 三下",
    ]
    choice.activated.emit(0)
    choice.activated.emit(2)
    qtbot.waitUntil(lambda: any(b.book == "r3" for b in desk.school.room.snapshot().chosen_books))
    qtbot.waitUntil(lambda: "几分之几" in desk.titles())


def test_modes_and_weeks_are_kept(qtbot, desk) -> None:
    editor = desk.open(MATHS)
    row = next(one for one in editor.findChildren(ChoiceRow) if one.text() == "名师课堂")
    row.click()
    qtbot.waitUntil(lambda: desk.slot(MATHS).mode is TeachingMode.MASTER)
    editor.findChildren(Segments)[0].buttons()[2].click()
    qtbot.waitUntil(lambda: desk.slot(MATHS).weeks is Weeks.EVEN)
    assert desk.slot(MATHS).mode is TeachingMode.MASTER
    qtbot.waitUntil(lambda: any("名师" in one.text() for one in desk.find(QLabel)))
    desk.view.grid.grab()


def test_a_slot_is_freed_by_button_or_key(qtbot, desk) -> None:
    desk.open(MATHS)
    desk.button("清空这一格").click()
    qtbot.waitUntil(lambda: desk.slot(MATHS) is None)
    other = SlotKey(day=1, period=1, class_id=C5)
    desk.view.grid.set_cursor_key(other)
    qtbot.keyClick(desk.view.grid, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: desk.slot(other) is None and desk.model.slot(other) is None)
    qtbot.keyClick(desk.view.grid, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: desk.slot(other) is not None)


def test_a_pasted_table_lies_over_the_week_until_it_is_accepted(qtbot, desk) -> None:
    """TT1, and Z2 of ui.viewmodel.timetable."""
    QGuiApplication.clipboard().setText(TABLE)
    before = desk.school.room.snapshot().slots
    qtbot.keyClick(desk.view.grid, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert desk.model.pasted is not None
    fresh = SlotKey(day=2, period=1, class_id=C3)
    assert desk.model.slot(fresh).subject == "数学"
    assert desk.model.is_fresh(fresh)
    qtbot.waitUntil(lambda: "认出 3 节课" in [one.text() for one in desk.find(QLabel)])
    assert any("编织" in one.text() for one in desk.find(QLabel))
    desk.view.open_slot(fresh)
    desk.view.grid.cleared.emit(fresh)
    assert desk.find(SlotEditor) == []
    assert desk.school.room.snapshot().slots == before
    desk.view.grid.grab()
    desk.button("就用这张").click()
    qtbot.waitUntil(lambda: desk.slot(fresh).subject == "数学")
    assert desk.model.pasted is None
    qtbot.waitUntil(lambda: desk.has("撤销"))
    desk.button("撤销").click()
    qtbot.waitUntil(lambda: desk.slot(fresh).subject == "语文")
    assert desk.school.room.snapshot().slots == before


def test_a_pasted_table_can_be_dropped(qtbot, desk) -> None:
    """Z2 of ui.viewmodel.timetable."""
    before = desk.school.room.snapshot().slots
    QGuiApplication.clipboard().setText(TABLE)
    desk.button("在 Excel 里选中课程表，复制，到这里按").click()
    qtbot.waitUntil(lambda: desk.has("不用了"))
    desk.button("不用了").click()
    assert desk.model.pasted is None
    assert desk.school.room.snapshot().slots == before


@pytest.mark.parametrize(("text", "told"), [("买菜\n鸡蛋", "没认出课程表"), ("  ", "")])
def test_what_is_no_table_says_so(qtbot, desk, text, told) -> None:
    QGuiApplication.clipboard().setText(text)
    desk.view.paste()
    if told:
        qtbot.waitUntil(lambda: any(told in one.text() for one in desk.find(QLabel)))
    else:
        assert [say.tone for say in desk.said] == ["amber"]


def test_a_room_without_classes_leads_to_the_settings(qtbot, tmp_path) -> None:
    desk = Desk(qtbot, tmp_path, is_furnished=False)
    with qtbot.waitSignal(desk.view.settings_wanted):
        desk.find(Notice)[0].button.click()
    assert not desk.view.grid.isVisible()
    qtbot.keyClick(desk.view.grid, Qt.Key.Key_Return)
    desk.close()


@pytest.mark.parametrize("scale", [100, 150])
def test_the_sheet_keeps_its_words_inside_at_every_size(qtbot, tmp_path, scale) -> None:
    """GR2, also right to left."""
    desk = Desk(qtbot, tmp_path, scale=scale, size=(936, 700))
    desk.view.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    grid = desk.view.grid
    box = grid.cell_rect(SlotKey(day=1, period=1, class_id=C3))
    assert box.center().x() > grid.width() // 2
    qtbot.keyClick(grid, Qt.Key.Key_Left)
    assert grid.cursor_key.day == 2
    grid.grab()
    desk.close()


def test_a_withdrawn_lesson_says_so_and_is_replaced_with_one_press(qtbot, desk) -> None:
    """As 今天 does; the course goes on behind what takes its place."""
    course = desk.school.today.course(MATHS).result()
    stopped, other = course.steps[course.at].lesson, course.steps[course.at + 2].lesson
    desk.school.shelf.stopped[stopped] = Stopped(
        reason="wrong", replacement=other, replacement_title="新的一课"
    )
    editor = desk.open(MATHS)
    qtbot.waitUntil(lambda: editor.findChild(QAbstractButton, "replace") is not None)
    said = [one.text() for one in editor.findChildren(QLabel)]
    assert "已停用：其中有错误" in said
    assert "替代课：新的一课" in said
    editor.findChild(QAbstractButton, "replace").click()
    qtbot.waitUntil(lambda: desk.model.course.steps[desk.model.course.at].lesson == other)
    after = desk.model.course
    assert [step.lesson for step in after.steps].count(other) == 1
    assert stopped not in [step.lesson for step in after.steps]
    qtbot.waitUntil(lambda: editor.findChild(QAbstractButton, "replace") is None)
