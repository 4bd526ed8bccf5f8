"""班级: ui.view.classes, classes_parts, classes_words and ui.viewmodel.classes."""

from concurrent.futures import Future
from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QLabel

from client.domain.clock import FrozenClock
from client.domain.errors import StorageError
from client.domain.ids import BookId, ClassId, EventId, LessonId, SittingId
from client.domain.record import bodies as b
from client.domain.record.table import SPECS
from client.domain.timetable import TeachingMode
from client.service.classes_page import ClassesPage, Known
from client.service.disputes import Dispute
from client.service.text import Words
from tests.class_logs import HERE, OTHER, Logs, lesson
from tests.record_samples import BODIES, C3, C5, LESSON, SITTING
from ui.base.button import Button
from ui.base.context import Appearance, UiContext
from ui.base.text import ElidedLabel
from ui.view.classes import ClassesView
from ui.view.classes_parts import RoundBar, SittingLine
from ui.view.classes_words import ClassWords
from ui.viewmodel.classes import ClassesModel

NOON = 1_810_000_000_000
DAY_MS = 24 * 3_600_000
KNOWN = Known(lessons={LESSON: lesson()})
NAME = EventId(bytes(16))


def done(value):
    future = Future()
    future.set_result(value)
    return future


class Port:
    """Answers with a page and writes down what was asked."""

    def __init__(self, page: ClassesPage) -> None:
        self.answer = page
        self.asked: list[tuple] = []
        self.error: Exception | None = None

    def page(self):
        self.asked.append(("page",))
        return done(self.answer)

    def keep(self, dispute: Dispute, index: int):
        self.asked.append(("keep", dispute.type, index))
        return self._written()

    def join(self, dispute: Dispute):
        self.asked.append(("join", dispute.type))
        return self._written()

    def undo(self, name: EventId):
        self.asked.append(("undo", name))
        return self._written()

    def _written(self):
        if self.error is None:
            return done(NAME)
        future = Future()
        future.set_exception(self.error)
        return future


def full_logs() -> Logs:
    """A class of each state, and each kind of line and of dispute."""
    logs = Logs()
    logs.add(b.ClassWritten(class_id=C3, name="三年级", grade=3, headcount=12))
    for body in (one for one in BODIES if hasattr(one, "sitting")):
        logs.add(body)
    for number, how in enumerate((*b.Ended, None), 1):
        sitting = SittingId(f"{number:016x}")
        opened = b.SittingOpened(sitting=sitting, class_ids=(C3, C5), lesson=LessonId("gone"))
        logs.add(opened, HERE, NOON + number * DAY_MS)
        level = tuple(b.Understood)[number - 1]
        logs.add(b.UnderstoodWritten(sitting=sitting, class_id=C5, level=level))
        if how is not None:
            logs.add(b.SittingEnded(sitting=sitting, how=how), HERE, NOON + number * DAY_MS)
    silent = b.QuestionRound(
        sitting=SITTING, class_ids=(C3,), lesson=LESSON, round=2, counts=(("A", 0),)
    )
    logs.add(silent)
    free = b.SittingOpened(sitting=SittingId("f" * 16), class_ids=(C5,), lesson=None)
    logs.add(free, b"\x06" * 8, 0)
    for body in (one for one in BODIES if hasattr(one, "sitting")):
        loose = replace(body, sitting=SittingId(""))
        if isinstance(loose, b.NoteWritten):
            loose = replace(loose, note=b"\x05" * 8)
        logs.add(loose, HERE, NOON + 9 * DAY_MS)
    for body in differing():
        logs.add(body, OTHER, NOON + 9 * DAY_MS)
    return logs


def differing() -> tuple[b.RegisterBody, ...]:
    """Two writes of each kind that do not say the same; some stand against `full_logs`."""
    lessons = (LESSON, LessonId("gone"))
    pairs = [
        (b.RoomWritten(school="云岭", room=name) for name in "一二"),
        (
            b.ClassWritten(class_id=C5, name="五", grade=5, headcount=9, is_present=is_present)
            for is_present in (True, False)
        ),
        (b.BookChosen(class_id=C3, subject="数学", book=BookId(name)) for name in ("b1", "")),
        (
            b.SlotWritten(class_id=C3, day=2, period=1, subject=name, mode=TeachingMode.MASTER)
            for name in ("数学", "")
        ),
        (
            b.PointerMoved(class_id=C3, subject="数学", lesson=name, period=number)
            for number, name in enumerate(lessons)
        ),
        (b.SettingWritten(name="theme", value=value) for value in ("dark", "odd")),
        (b.SettingWritten(name="unheard", value=value) for value in ("a", "")),
        (
            b.Swapped(
                class_id=C3, day=2, period=1, occasion="2027-05-18", lesson=name, is_textbook=is_it
            )
            for name, is_it in ((LESSON, False), (None, True), (None, False))
        ),
        (b.UnderstoodWritten(sitting=SITTING, class_id=C3, level=b.Understood.FEW),),
        (b.TaughtByWritten(sitting=SITTING, who=b.TaughtBy.OWN),),
        (b.SittingEnded(sitting=SITTING, how=b.Ended.CARRY_ON, screen_s=30),),
        (
            b.NoteWritten(
                note=bytes(8), sitting=SITTING, class_ids=(C3,), lesson=LESSON, text="另一句"
            ),
        ),
    ]
    return tuple(body for pair in pairs for body in pair)


def full_page() -> ClassesPage:
    return full_logs().page(KNOWN)


@pytest.fixture
def port() -> Port:
    return Port(full_page())


@pytest.fixture
def made(qtbot, port):
    views = []

    def make(*, size=(1100, 800), **look) -> ClassesView:
        appearance = Appearance(**look)
        context = UiContext(Words(appearance.language), FrozenClock(), appearance)
        context.apply()
        model = ClassesModel(port, context.dispatcher)
        view = ClassesView(context, model)
        view.context, view.model = context, model
        view.said = []
        context.said.connect(view.said.append)
        qtbot.addWidget(view)
        view.resize(*size)
        view.show()
        qtbot.waitUntil(lambda: model.page is not None)
        QApplication.sendPostedEvents()
        views.append(view)
        return view

    yield make
    for view in views:
        view.context.dispatcher.close()


def find(view, kind):
    QApplication.sendPostedEvents()  # what was just added appears with these
    return [one for one in view.findChildren(kind) if one.isVisible()]


def texts(view) -> str:
    labels = [one.text() for kind in (QLabel, ElidedLabel) for one in find(view, kind)]
    names = [one.accessibleName() for one in view.findChildren(Button)]
    return "\n".join(labels + names)


def button(view, name: str) -> Button:
    return next(one for one in find(view, Button) if one.objectName() == name)


def open_all(view) -> None:
    for line in find(view, SittingLine):
        line.button.click()


@pytest.mark.parametrize("language", ["zh_CN", "en"])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("scale", [100, 150])
def test_everything_is_said_in_words(made, language, theme, scale) -> None:
    view = made(language=language, theme=theme, scale=scale)
    view.model.days_shown = 99
    button(view, "more-disputes").click()
    open_all(view)
    shown = texts(view)
    for wrong in ("classes.", "when.", "settings.", "frame.", "{", "None"):
        assert wrong not in shown, wrong
    view.grab()


def test_all_kinds_of_disputes_are_there_to_be_said(port) -> None:
    types = {one.type for one in port.answer.disputes}
    assert types == {spec.number for spec in SPECS if spec.shape is b.Shape.REGISTER}


def test_what_was_done_is_told(made) -> None:
    view = made()
    open_all(view)
    shown = texts(view)
    for said in ("上课记录", "分一分", "（课程已不在目录）", "没有选课", "时间不明"):
        assert said in shown
    for said in ("不算上课", "没记下结束", "手工补记", "余数再讲一遍", "有两种记法", "数过，11 人"):
        assert said in shown
    bars = find(view, RoundBar)
    assert {bar.accessibleName() for bar in bars} == {"第 1 次提问: A 3, B 1"}
    assert "没有数" in shown
    for direction in (Qt.LayoutDirection.RightToLeft, Qt.LayoutDirection.LeftToRight):
        view.setLayoutDirection(direction)
        view.grab()
        colours = {bars[0].grab().toImage().pixelColor(x, 14).name() for x in range(4, 90)}
        assert view.context.theme.color("accent_soft").name() in colours


def test_a_sitting_opens_by_button_key_and_line(qtbot, made) -> None:
    """KP1, KM2."""
    view = made()
    line = find(view, SittingLine)[0]
    line.button.setFocus()
    qtbot.keyClick(line.button, Qt.Key.Key_Return)
    assert view.model.open == {line._sitting.id}
    assert QApplication.focusWidget() is line.button
    qtbot.mouseClick(line, Qt.MouseButton.LeftButton, pos=QPoint(30, 10))
    assert view.model.open == frozenset()
    qtbot.mouseClick(line, Qt.MouseButton.RightButton, pos=QPoint(30, 10))
    assert view.model.open == frozenset()
    line.button.click()
    QApplication.sendPostedEvents()
    line.grab()
    qtbot.mouseClick(line, Qt.MouseButton.LeftButton, pos=QPoint(30, line.height() - 3))
    assert view.model.open == {line._sitting.id}
    view._rebuild()
    again = find(view, SittingLine)[0]
    assert not again._detail.isHidden()


def test_every_visible_control_acts(qtbot, made, port) -> None:
    """KV1."""
    view = made()
    button(view, "more-disputes").click()
    count = len(port.answer.disputes)
    for one in find(view, Button):
        name = one.objectName()
        assert name.split("-")[0] in {"dispute", "sitting", "older"}, name
        assert one.accessibleName() or one.text()
        assert one.focusPolicy() & Qt.FocusPolicy.TabFocus
    keeps = [one for one in find(view, Button) if one.objectName().startswith("dispute-keep")]
    assert len(keeps) == sum(len(one.choices) for one in port.answer.disputes)
    joins = [one for one in find(view, Button) if one.objectName() == "dispute-join"]
    assert len(joins) == 1
    joins[0].click()
    keeps[-1].click()
    qtbot.waitUntil(lambda: len(view.said) == 2)
    last = port.answer.disputes[count - 1]
    asked = [one for one in port.asked if one[0] != "page"]
    assert asked == [("join", b.EventType.NOTE), ("keep", last.type, len(last.choices) - 1)]
    view.said[0].act()
    assert port.asked[-1] == ("undo", NAME)


def test_after_a_decision_the_focus_is_on_the_next_thing_to_decide(qtbot, made, port) -> None:
    """KV1."""
    view = made()
    first = button(view, "dispute-keep-0")
    first.setFocus()
    port.answer = replace(port.answer, disputes=port.answer.disputes[1:])
    qtbot.keyClick(first, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: view.model.page.disputes == port.answer.disputes)
    held = QApplication.focusWidget()
    assert held.objectName() == "dispute-keep-0"
    assert held is not first
    port.answer = replace(port.answer, disputes=())
    qtbot.keyClick(held, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: view.model.page.disputes == ())
    assert not [one for one in find(view, Button) if "dispute" in one.objectName()]


def test_a_write_that_failed_is_told_and_the_page_stays(qtbot, made, port) -> None:
    view = made()
    port.error = StorageError("disk_failed")
    button(view, "dispute-keep-0").click()
    qtbot.waitUntil(lambda: bool(view.said))
    assert view.said[0].tone == "red"
    view.model.undo(NAME)
    qtbot.waitUntil(lambda: len(view.said) == 2)
    assert view.model.page == port.answer


def test_a_page_that_stays_the_same_is_not_built_anew(qtbot, made, port) -> None:
    """KM1: and nothing is read while nobody looks."""
    view = made()
    line = find(view, SittingLine)[0]
    with qtbot.assertNotEmitted(view.model.changed, wait=50):
        view.model.refresh()
    assert find(view, SittingLine)[0] is line
    view.hide()
    asked = len(port.asked)
    view.model.refresh()
    assert len(port.asked) == asked
    view.show()
    assert len(port.asked) == asked + 1


def test_one_class_is_shown_by_its_name(made) -> None:
    """KM2."""
    view = made()
    view.model.show_class(C3)
    shown = texts(view)
    assert "三年级的上课记录" in shown
    assert "没有选课" not in shown
    view.model.show_class("c9")
    assert "这个班还没有上课记录" in texts(view)
    view.model.show_class("")
    assert "没有选课" in texts(view)


def test_an_empty_record_says_what_to_do(qtbot, made, port) -> None:
    port.answer = ClassesPage()
    view = made()
    assert "还没有上课记录" in texts(view)
    with qtbot.waitSignal(view.today_wanted):
        button(view, "to-today").click()


def test_older_days_come_on_request(made, port) -> None:
    logs = Logs()
    for number in range(20):
        sitting = SittingId(f"{number:016x}")
        opened = b.SittingOpened(sitting=sitting, class_ids=(C3,), lesson=LESSON)
        logs.add(opened, HERE, NOON + number * DAY_MS)
    port.answer = logs.page(KNOWN)
    view = made()
    assert len(find(view, SittingLine)) == 7
    button(view, "older").click()
    assert len(find(view, SittingLine)) == 14
    button(view, "older").click()
    assert len(find(view, SittingLine)) == 20
    assert not [one for one in find(view, Button) if one.objectName() == "older"]


@pytest.mark.parametrize("scale", [100, 150])
@pytest.mark.parametrize("language", ["zh_CN", "en"])
def test_buttons_stay_inside_the_narrowest_window(made, scale, language) -> None:
    view = made(scale=scale, language=language, size=(914, 700))
    button(view, "more-disputes").click()
    open_all(view)
    view.grab()
    for one in find(view, Button):
        at = one.mapTo(view, QPoint(0, 0)).x()
        assert at >= 0, one.accessibleName()
        assert at + one.width() <= view.width(), one.accessibleName()


def test_values_that_say_nothing_are_said_to_be_empty(made, port) -> None:
    say = ClassWords(made().context, port.answer)
    empty = b.NoteWritten(note=bytes(8), sitting=SITTING, class_ids=(C3,), lesson=None, text="")
    assert say.value(empty) == "（空）"
    assert say.name(ClassId("c9")) == "c9"
