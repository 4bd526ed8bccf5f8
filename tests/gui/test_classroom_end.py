"""The page after a class (ui.view.end_page): EP1, EP2, EP3; ui.view.classroom: CW4."""

from concurrent.futures import Future

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton

from client.domain.record.bodies import Ended, TaughtBy, Understood
from tests.classroom_desk import Desk
from tests.visible_text import visible_text
from ui.base.notice import Notice
from ui.view.end_parts import CountBar, ScreenBars

K = Qt.Key


@pytest.fixture
def mirrored(qtbot, tmp_path):
    return Desk(qtbot, tmp_path)


@pytest.fixture
def desk(qtbot, tmp_path):
    return Desk(qtbot, tmp_path, is_console=True, grades=2)


def ask(desk):
    desk.key(K.Key_Q).key(K.Key_1).key(K.Key_3).key(K.Key_Q)


def test_ep2_a_mirrored_page_shows_no_minutes_and_no_counts(mirrored):
    ask(mirrored)
    page = mirrored.end()
    assert page.isVisible()
    assert page.findChildren(CountBar) == []
    assert page.findChildren(ScreenBars) == []


def test_the_teachers_own_screen_shows_both(desk):
    desk.play(130.0)
    ask(desk)
    page = desk.end()
    assert len(page.findChildren(CountBar)) == 1
    assert page.findChildren(CountBar)[0].accessibleName() == "A 1 B 0 C 1 D 0"
    assert len(page.findChildren(ScreenBars)) == 1
    assert "上限 72 分钟：今天 6 节 240 分钟的 30%" in visible_text(page)
    assert "这节没有提问" in visible_text(page)


def test_what_was_done_is_told_with_its_share(desk):
    desk.play(300.0)
    page = desk.end()
    said = visible_text(page)
    assert "看完 50%" in said
    assert any(text.startswith("走了 2 步") for text in said.split("\n"))


def test_ep3_understood_has_no_preset_and_a_second_tap_clears_it(desk):
    page = desk.end()
    card = page.cards[1]
    assert not any(one.is_on for one in card.levels.values())
    desk.click(card.levels[Understood.HALF])
    assert card.levels[Understood.HALF].is_on
    desk.click(card.levels[Understood.MOST])
    desk.click(card.levels[Understood.MOST])
    levels = [call[3] for call in desk.book.of("understood")]
    assert levels == [Understood.HALF, Understood.MOST, Understood.UNSAID]
    assert not any(one.is_on for one in card.levels.values())
    assert desk.book.of("understood")[0][2] == "c5"


def test_ep3_a_headcount_counts_once_it_was_touched(desk):
    page = desk.end()
    card = page.cards[0]
    assert card.just.face.text == "就是 13 人"
    desk.click(card.just)
    assert card.just is None
    desk.qtbot.waitUntil(lambda: "数过，算进报告" in visible_text(page))
    assert desk.book.of("headcount")[-1][3] == 13
    desk.click(card.more)
    desk.click(card.less)
    desk.click(card.less)
    assert desk.book.of("headcount")[-1][3] == 12


def test_ep1_note_and_teacher_are_saved_as_they_are_touched(mirrored, qtbot):
    page = mirrored.end()
    page.note.setFocus()
    QTest.keyClicks(page.note, "halves and quarters")
    qtbot.waitUntil(lambda: mirrored.book.of("note") != [], timeout=5000)
    assert mirrored.book.of("note")[-1][2] == "halves and quarters"
    mirrored.click(page.substitute)
    assert mirrored.book.of("taught_by")[-1][2] is TaughtBy.SUBSTITUTE
    assert page.substitute.is_on
    assert not page.own.is_on
    mirrored.click(page.own)
    assert page.own.is_on


def test_a_note_still_in_the_line_is_saved_with_done(mirrored, qtbot):
    page = mirrored.end()
    page.note.setText("again tomorrow")
    mirrored.click(page.done)
    qtbot.waitUntil(lambda: mirrored.done == [Ended.FINISHED])
    assert mirrored.book.of("note")[-1][2] == "again tomorrow"


def test_cw4_done_is_told_once_and_only_after_the_record_is_durable(desk, qtbot):
    page = desk.end()
    waiting = [Future(), Future()]
    kept = iter(waiting)
    desk.book.end = lambda *_args, **_more: next(kept)
    desk.click(page.done)
    assert not page.done.isEnabled()
    waiting[0].set_result(None)
    qtbot.wait(30)  # the one legal wait: to show that nothing happens
    assert desk.done == []
    waiting[1].set_result(None)
    qtbot.waitUntil(lambda: desk.done == [Ended.FINISHED])
    desk.window.close()
    assert desk.done == [Ended.FINISHED]


def test_not_finished_keeps_the_place(desk, qtbot):
    page = desk.end()
    desk.click(page.carry_on)
    qtbot.waitUntil(lambda: desk.done == [Ended.CARRY_ON])
    assert {call[2] for call in desk.book.of("end")} == {Ended.CARRY_ON}


def test_enter_alone_finishes(mirrored, qtbot):
    page = mirrored.end()
    qtbot.waitUntil(page.done.hasFocus)
    QTest.keyClick(page.done, K.Key_Return)
    qtbot.waitUntil(lambda: mirrored.done == [Ended.FINISHED])


def test_a_class_of_a_minute_is_offered_as_none(mirrored, qtbot):
    page = mirrored.end()
    assert page.slight is not None
    mirrored.click(page.slight.button)
    qtbot.waitUntil(lambda: mirrored.done == [Ended.NOT_A_CLASS])


def test_a_class_that_counted_is_not(mirrored):
    mirrored.key(K.Key_Plus)
    page = mirrored.end()
    assert page.slight is None
    assert page.findChildren(Notice) == []


def test_the_next_class_and_the_next_time_are_there(desk):
    page = desk.end()
    assert "第 3 节 10:20" in visible_text(page)
    assert "三年级 英语" in visible_text(page)
    assert page.done.isVisible()


def test_every_button_of_the_page_can_be_reached_and_acts(desk):
    page = desk.end()
    for button in page.findChildren(QAbstractButton):
        if button.isVisible() and button not in (page.done, page.carry_on):
            if page.slight is not None and button is page.slight.button:
                continue
            before = len(desk.book.calls)
            desk.click(button)
            assert len(desk.book.calls) > before, button.text()


@pytest.mark.parametrize(
    ("scale", "theme", "size"), [(150, "dark", (1280, 900)), (100, "light", (1024, 768))]
)
def test_the_page_never_scrolls_sideways(qtbot, tmp_path, scale, theme, size):
    desk = Desk(qtbot, tmp_path, grades=2, scale=scale, theme=theme, size=size, is_console=True)
    page = desk.end()

    def fits():
        ends = [card.mapTo(page, card.rect().topRight()).x() for card in page.cards]
        return max(ends) <= page.width()

    qtbot.waitUntil(fits)
