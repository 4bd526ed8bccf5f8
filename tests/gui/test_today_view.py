"""今天 as a person uses it: ui.view.today and its cards, notices and popovers."""

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget

from client.domain.availability import Light
from client.domain.clock import FrozenClock
from client.domain.errors import StorageCorruptError
from client.domain.ids import ClassId, LessonId
from client.service.api import CardAction, DayBar, Promise, Reason, Swap, SwapScope, TodayPage
from client.service.text import Words
from tests.fakes.today_pages import (
    FakeActions,
    FakeToday,
    card,
    empty_day,
    full_day,
    interrupted_day,
    one_class_day,
)
from ui.base.button import Button
from ui.base.context import Appearance, UiContext
from ui.base.notice import Notice
from ui.view.today import TodayView
from ui.view.today_cards import Footer, JointCard, PartIcon, QuietCard, SingleCard
from ui.view.today_notices import EmptyDay, ResumeCard, TimeLine
from ui.view.today_pair import PairCard
from ui.view.today_popovers import Offer, PrintPopover, SwapPopover, TimePopover
from ui.viewmodel.today import TodayModel


class Desk:
    """A shown page with what it was built from."""

    def __init__(self, qtbot, page: TodayPage, *, size=(1512, 904), scale=100, error=None):
        self.port = FakeToday(page)
        self.port.error = error
        self.actions = FakeActions()
        self.context = UiContext(Words("zh_CN"), FrozenClock(), Appearance(scale=scale))
        self.context.apply()
        self.said = []
        self.context.said.connect(self.said.append)
        self.model = TodayModel(self.port, self.actions, self.context.dispatcher)
        self.view = TodayView(self.context, self.model)
        self.context.setParent(self.view)
        self.model.setParent(self.view)
        qtbot.addWidget(self.view)
        self.view.resize(*size)
        self.view.show()
        qtbot.waitUntil(lambda: ("page",) in self.port.asked)
        if error is None:
            qtbot.waitUntil(lambda: self.model.page is not None)
            qtbot.waitUntil(lambda: isinstance(QApplication.focusWidget(), Button))

    def find(self, kind):
        return [one for one in self.view.window().findChildren(kind) if one.isVisible()]

    def press(self, qtbot, key):
        qtbot.keyClick(QApplication.focusWidget(), key)


@pytest.fixture
def desk(qtbot):
    return Desk(qtbot, full_day())


def test_enter_twice_starts_the_next_pair_with_a_chosen_grade(qtbot, desk) -> None:
    """Y1, and PC1 of ui.view.today_pair: two presses from 今天 to the picture."""
    assert QApplication.focusWidget().face.kind == "primary"
    desk.press(qtbot, Qt.Key.Key_Return)
    desk.press(qtbot, Qt.Key.Key_Return)
    assert [step[0] for step in desk.actions.done] == ["start"]
    cards = desk.actions.done[0][1]
    assert [one.key.class_id for one in cards] == ["c3", "c5"]
    assert {one.key.period for one in cards} == {2}


def test_the_other_grade_can_have_the_screen_first(qtbot, desk) -> None:
    desk.press(qtbot, Qt.Key.Key_Return)
    desk.press(qtbot, Qt.Key.Key_Tab)
    desk.press(qtbot, Qt.Key.Key_Space)
    assert [one.key.class_id for one in desk.actions.done[0][1]] == ["c5", "c3"]


def test_escape_takes_the_choice_back(qtbot, desk) -> None:
    desk.press(qtbot, Qt.Key.Key_Return)
    pair = next(one for one in desk.find(PairCard) if one.is_choosing())
    desk.press(qtbot, Qt.Key.Key_Escape)
    assert not pair.is_choosing()
    assert QApplication.focusWidget() is pair.main
    assert desk.actions.done == []


def test_a_single_class_starts_with_one_press(qtbot) -> None:
    desk = Desk(qtbot, one_class_day())
    desk.press(qtbot, Qt.Key.Key_Return)
    assert [step[0] for step in desk.actions.done] == ["start"]
    assert len(desk.find(SingleCard)) == 4


@pytest.mark.parametrize("page", [full_day(), interrupted_day(), one_class_day(), empty_day()])
def test_at_most_one_filled_button_is_on_the_page(qtbot, page) -> None:
    """Y2."""
    desk = Desk(qtbot, page)
    filled = [one for one in desk.find(Button) if one.face.kind == "primary"]
    assert len(filled) == 1


def test_arrows_walk_the_main_buttons(qtbot, desk) -> None:
    first = QApplication.focusWidget()
    desk.press(qtbot, Qt.Key.Key_Down)
    second = QApplication.focusWidget()
    assert second is not first
    assert isinstance(second.parent(), PairCard)
    desk.press(qtbot, Qt.Key.Key_Up)
    assert QApplication.focusWidget() is first


def test_a_joint_class_is_one_card_and_starts_both(qtbot, desk) -> None:
    joint = desk.find(JointCard)[0]
    joint.main.click()
    assert len(desk.actions.done[0][1]) == 2


def test_each_card_says_what_its_button_does(desk) -> None:
    """K1."""
    for kind in (SingleCard, PairCard, JointCard):
        for frame in desk.find(kind):
            assert frame.main.text()
    assert all(frame.main is None for frame in desk.find(QuietCard))


def test_footers_drop_words_before_they_cut_anything(qtbot) -> None:
    """K2: in a narrow window every part stays, as an icon with a tool tip."""
    desk = Desk(qtbot, full_day(), size=(936, 704))
    qtbot.waitUntil(lambda: all(one.height() > 20 for one in desk.find(Footer)))
    for footer in desk.find(Footer):
        shown = [one for one in footer.findChildren(PartIcon) if one.isVisible()]
        buttons = [one for one in footer.findChildren(Button) if one.isVisible()]
        for one in (*shown, *buttons):
            assert one.width() >= one.sizeHint().width()
            assert footer.rect().contains(one.geometry())
            assert one.accessibleName() or one.text()


@pytest.mark.parametrize("height", [560, 600, 640, 680, 704, 740])
def test_no_row_is_shown_in_half(qtbot, height) -> None:
    """Y3."""
    desk = Desk(qtbot, full_day(), size=(1192, height))
    more = desk.view._more
    qtbot.waitUntil(more.isVisible)
    assert more.button.text().startswith("下面还有")
    edge = more.y()
    view = desk.view._page.viewport()
    assert edge + more.button.height() <= view.height()
    for one in desk.view._rows:
        top = one.mapTo(view, QPoint(0, 0)).y()
        assert top >= edge or top + one.height() <= edge + 10
    before = desk.view._page.verticalScrollBar().value()
    qtbot.mouseClick(more.button, Qt.MouseButton.LeftButton)
    assert desk.view._page.verticalScrollBar().value() > before


def test_helping_actions_of_a_red_card(qtbot, desk) -> None:
    button = next(one for one in desk.find(Button) if one.text() == "从U盘导入")
    button.click()
    assert desk.actions.done == [("stick",)]


def test_a_lesson_that_can_be_fetched_offers_that(qtbot) -> None:
    page = one_class_day()
    red = card(2, page.classes[0].id, "数学", "分一分", action=CardAction.FETCH)
    rows = tuple(one if one.period != 2 else replace(one, cards=(red,)) for one in page.rows)
    desk = Desk(qtbot, replace(page, rows=rows))
    button = next(one for one in desk.find(Button) if one.text() == "下载")
    button.click()
    assert desk.actions.done == [("fetch", LessonId("l-2-c3"))]


def swap_buttons(desk):
    return [one for one in desk.find(Button) if one.text() == "换"]


@pytest.mark.parametrize(
    ("which", "scope"), [(0, SwapScope.SHIFT), (1, SwapScope.ONCE)], ids=["shift", "once"]
)
def test_swap_offers_and_asks_about_the_rest_and_can_be_undone(qtbot, desk, which, scope) -> None:
    swap_buttons(desk)[2].click()
    popover = desk.find(SwapPopover)[0]
    qtbot.waitUntil(lambda: len(desk.find(Offer)) == 4)
    assert [one.accessibleName().split(":")[0] for one in desk.find(Offer)] == [
        "上次没上完的",
        "下一课",
        "别的版本",
        "课本课",
    ]
    assert popover.panel.height() > 4 * 60
    desk.find(Offer)[0].click()
    choices = [one for one in popover.findChildren(Button) if one.face.side and one.isVisible()]
    assert [one.text() for one in choices] == ["后面顺延", "只换这次"]
    choices[which].click()
    asked = next(one for one in desk.port.asked if one[0] == "swap")
    assert asked[1].period == 2
    assert (asked[2].kind, asked[3]) == (Swap.UNFINISHED, scope)
    qtbot.waitUntil(lambda: bool(desk.said))
    desk.said[0].act()
    assert ("undo",) in desk.port.asked


def test_a_taught_card_is_corrected_without_asking_about_the_rest(qtbot, desk) -> None:
    swap_buttons(desk)[0].click()
    qtbot.waitUntil(lambda: len(desk.find(Offer)) == 4)
    desk.find(Offer)[3].click()
    asked = next(one for one in desk.port.asked if one[0] == "swap")
    assert (asked[2].kind, asked[3]) == (Swap.TEXTBOOK, SwapScope.ONCE)


def test_escape_closes_a_popover_and_gives_the_focus_back(qtbot, desk) -> None:
    """O1 of ui.base.popover."""
    before = QApplication.focusWidget()
    desk.view._on_swap(desk.model.page.rows[1].cards[0], before)
    popover = desk.find(SwapPopover)[0]
    qtbot.waitUntil(lambda: bool(desk.find(Offer)))
    assert desk.view.window().rect().contains(popover.panel.geometry())
    desk.press(qtbot, Qt.Key.Key_Escape)
    assert desk.find(SwapPopover) == []
    assert QApplication.focusWidget() is before


def test_printing_asks_which_sheet(qtbot, desk) -> None:
    paper = [one for one in desk.find(Button) if one.text() == "打印"]
    for what, text in (("task", "任务单"), ("steps", "教师步骤单")):
        paper[2].click()
        popover = desk.find(PrintPopover)[0]
        next(one for one in popover.findChildren(Button) if one.text() == text).click()
        assert desk.actions.done[-1][0::2] == ("print", what)


def test_a_lesson_without_a_sheet_does_not_offer_one(qtbot, desk) -> None:
    english = desk.model.page.rows[2].cards[0]
    desk.view._on_print(english, desk.view)
    popover = desk.find(PrintPopover)[0]
    assert [one.text() for one in popover.findChildren(Button) if one.text()] == ["教师步骤单"]


def test_after_a_power_cut_one_press_goes_on(qtbot) -> None:
    desk = Desk(qtbot, interrupted_day())
    notice = desk.find(ResumeCard)[0]
    assert QApplication.focusWidget() is notice.main
    desk.press(qtbot, Qt.Key.Key_Return)
    assert desk.actions.done[0][0] == "resume"
    assert desk.actions.done[0][1].position_s == 408.0
    next(one for one in notice.findChildren(Button) if one.text() == "用课本上完了").click()
    assert desk.port.asked[-1][0] in {"finish_with_textbook", "page"}
    qtbot.waitUntil(lambda: any(one[0] == "finish_with_textbook" for one in desk.port.asked))


def test_the_pair_that_was_interrupted_goes_on_too(qtbot) -> None:
    desk = Desk(qtbot, interrupted_day())
    pair = next(one for one in desk.find(PairCard) if "6分48秒" in one.main.text())
    assert pair.main.face.kind == "outline"
    pair.main.click()
    assert desk.actions.done[0][0] == "resume"


def test_an_unsure_clock_asks_one_line(qtbot) -> None:
    desk = Desk(qtbot, interrupted_day())
    line = desk.find(TimeLine)[0]
    buttons = {one.text(): one for one in line.findChildren(Button)}
    buttons["是"].click()
    assert ("tell_time", 2, 2) in desk.port.asked
    buttons["不是，选一下"].click()
    popover = desk.find(TimePopover)[0]
    chips = {one.text(): one for one in popover.findChildren(QAbstractButton)}
    chips["周四"].click()
    chips["第 3 节"].click()
    assert ("tell_time", 4, 3) in desk.port.asked
    assert desk.find(TimePopover) == []


def test_an_empty_day_leads_somewhere(qtbot) -> None:
    desk = Desk(qtbot, empty_day())
    paper = desk.find(EmptyDay)[0]
    for button in paper.findChildren(Button):
        button.click()
    assert desk.actions.done == [("open", "library"), ("import", ()), ("open", "timetable")]


def test_a_free_day_still_shows_the_week(qtbot) -> None:
    desk = Desk(qtbot, empty_day(is_planned=True))
    next(one for one in desk.find(Button) if one.text() == "看课程表").click()
    assert desk.actions.done == [("open", "timetable")]


def test_files_dropped_on_the_page_are_imported(qtbot, desk, tmp_path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path)), QUrl("https://example.org/a")])
    event = QDropEvent(
        QPointF(10, 10),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    desk.view.dropEvent(event)
    assert desk.actions.done == [("import", (Path(tmp_path),))]


def test_a_day_that_cannot_be_read_says_so_and_tries_again(qtbot) -> None:
    desk = Desk(qtbot, full_day(), error=StorageCorruptError("store_damaged"))
    qtbot.waitUntil(lambda: bool(desk.find(Notice)))
    desk.port.error = None
    desk.find(Notice)[0].button.click()
    qtbot.waitUntil(lambda: bool(desk.find(PairCard)))


def test_a_failed_choice_leaves_the_page_and_tells(qtbot, desk) -> None:
    """N2 of ui.viewmodel.today."""
    before = desk.model.page
    desk.port.error = StorageCorruptError("store_damaged")
    desk.model.undo()
    qtbot.waitUntil(lambda: bool(desk.said))
    assert desk.model.page is before
    assert desk.said[0].tone == "red"


def test_three_grades_are_all_named(qtbot) -> None:
    page = full_day()
    third = replace(page.classes[0], id=ClassId("c1"), name="一年级")
    row = page.rows[1]
    one = replace(row.cards[0], key=replace(row.cards[0].key, class_id=third.id))
    rows = (replace(row, cards=(*row.cards, one)),)
    desk = Desk(qtbot, replace(page, classes=(*page.classes, third), rows=rows))
    pair = desk.find(PairCard)[0]
    pair.main.click()
    assert len(desk.find(Button)) >= 3
    assert any("五年级、一年级" in one.face.side for one in pair.findChildren(Button))


@pytest.mark.parametrize("size", [(914, 672), (1490, 904)])
def test_at_the_largest_type_nothing_leaves_the_page(qtbot, size) -> None:
    desk = Desk(qtbot, full_day(), size=size, scale=150)
    desk.press(qtbot, Qt.Key.Key_Return)
    content = desk.view._page.widget()
    qtbot.waitUntil(lambda: content.width() == desk.view._page.viewport().width())


def test_one_class_alone_can_be_shown(qtbot, desk) -> None:
    desk.model.show_class("c5")
    qtbot.waitUntil(lambda: len(desk.find(SingleCard)) == 4)
    assert desk.find(PairCard) == []


def test_every_visible_button_acts(qtbot) -> None:
    """Each one asks the port, does something, opens a panel or changes the page."""
    desk = Desk(qtbot, interrupted_day())
    bar = desk.view._page.verticalScrollBar()
    qtbot.waitUntil(desk.view._more.isVisible)
    count = len(desk.find(Button))
    for number in range(count):
        button = desk.find(Button)[number]
        name, frame = button.text(), button.parent()
        before = (len(desk.port.asked), len(desk.actions.done), bar.value())
        button.click()
        opened = [*desk.find(SwapPopover), *desk.find(PrintPopover), *desk.find(TimePopover)]
        is_choosing = isinstance(frame, PairCard) and frame.is_choosing()
        after = (len(desk.port.asked), len(desk.actions.done), bar.value())
        assert opened or is_choosing or after != before, name
        for popover in opened:
            popover.close()
        desk.model.changed.emit()
        bar.setValue(0)
        qtbot.waitUntil(lambda: len(desk.find(Button)) == count)


NOW_MS = 1_810_630_800_000
"""A Tuesday, 09:00 local."""


def test_what_only_has_to_come_says_when(qtbot) -> None:
    """今天 tells the plan's sentence, tomorrow's bar its hour, its size and the month's rest."""
    values = (("size_bytes", 310 << 20),)
    told = Promise(
        reason=Reason(code="plan_full", values=values),
        arrives_ms=(NOW_MS, NOW_MS + 17 * 3_600_000),
        now_ms=NOW_MS,
        missing_bytes=310 << 20,
    )
    page = full_day()
    first = page.rows[0]
    coming = replace(
        card(1, ClassId("c3"), "数学", "分一分"),
        light=Light.PARTIAL,
        reason=Reason(code="reason_missing", values=values),
        promise=told,
    )
    bar = DayBar(
        day=3,
        lights=(Light.READY, Light.PARTIAL, Light.NOT_READY),
        missing_bytes=310 << 20,
        coming=1,
        late=1,
        arrives_ms=told.arrives_ms[1] if told.arrives_ms else None,
        now_ms=NOW_MS,
    )
    rows = (replace(first, cards=(coming, *first.cards[1:])), *page.rows[1:])
    desk = Desk(qtbot, replace(page, rows=rows, upcoming=(bar,), month_left=1 << 30))
    shown = "\n".join(
        one.text() for one in desk.find(QWidget) if hasattr(one, "text") and callable(one.text)
    )
    words = desk.context.words
    when = words("plan.tonight", clock="02:00")
    assert words("reason.plan_full_when", size="310 MB", when=when) in shown
    assert words.plural("today.bar_arrives", 1, size="310 MB", when=when) in shown
    assert words.plural("today.bar_late", 1) in shown
    assert words("today.bar_month_left", size="1.0 GB") in shown
