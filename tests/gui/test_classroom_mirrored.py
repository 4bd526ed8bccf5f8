"""A class on one mirrored screen, by keys (ui.view.classroom, stage, panel, class_key): ST1, ST3,
ST4, PN1, PN2, PN3, CW1, CW3, CK1, CK2, CK3."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor

from client.domain.sitting import Overlay, Phase, Showing
from client.domain.sitting_keys import Key
from tests.classroom_desk import Desk
from ui.view.class_key import HOLD_MS, ClassKey
from ui.view.panel import SHOWN_MS, Panel
from ui.view.stage_paint import LOWER
from ui.viewmodel.class_lines import uncounted

K = Qt.Key
SHIFT = Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def desk(qtbot, tmp_path):
    return Desk(qtbot, tmp_path)


def test_st1_the_stage_has_no_cursor_and_nothing_on_it(desk):
    stage = desk.window.stage
    assert stage.cursor().shape() is Qt.CursorShape.BlankCursor
    assert desk.window.stage_window.cursor().shape() is Qt.CursorShape.BlankCursor
    assert stage.findChildren(ClassKey) == []
    assert stage.geometry() == desk.window.rect()


def test_pn2_a_mouse_that_moves_shows_nothing_a_click_and_a_key_show_the_panel(desk):
    panel = desk.window.panel
    assert panel.isVisible(), "a class opens with its keys"
    panel.rest()
    desk.move_mouse()
    assert not panel.isVisible()
    desk.click(desk.window.stage)
    assert panel.isVisible()
    panel.rest()
    desk.key(K.Key_X)
    assert panel.isVisible()


def test_pn2_the_panel_goes_by_itself_and_stays_while_a_count_is_entered(desk, qtbot):
    panel = desk.window.panel
    desk.key(K.Key_Q).key(K.Key_1)
    assert uncounted(desk.view) == 12
    qtbot.wait(SHOWN_MS + 400)  # the one legal wait: to show that it does not go
    assert panel.isVisible()
    for _ in range(12):
        desk.key(K.Key_2)
    qtbot.waitUntil(lambda: not panel.isVisible(), timeout=SHOWN_MS * 3)


def test_seeking_and_black_do_not_bring_the_panel(desk):
    desk.window.panel.rest()
    desk.key(K.Key_Right).key(K.Key_Right)
    assert desk.state.seek_shown_s == 10.0
    assert not desk.window.panel.isVisible()
    desk.key(K.Key_B)
    assert not desk.window.panel.isVisible()
    assert desk.state.overlay is Overlay.BLACK


@pytest.mark.parametrize("size", [(1024, 768), (1366, 768), (1600, 900), (1920, 1080)])
def test_pn1_the_panel_never_covers_the_question(desk, size):
    desk.window.resize(*size)
    desk.key(K.Key_Q)
    panel: Panel = desk.window.panel
    height = desk.window.height()
    assert panel.height() <= 0.34 * height
    assert panel.y() >= LOWER * height - 8
    assert panel.geometry().bottom() + 1 == height


@pytest.mark.parametrize("size", [(1024, 768), (1366, 768), (1920, 1080)])
def test_keys_are_large_enough_to_hit_and_inside_the_panel(desk, size):
    desk.window.resize(*size)
    desk.key(K.Key_Q)
    for key in desk.window.panel.findChildren(ClassKey):
        if key.isVisible():
            assert key.height() >= 48
            assert key.width() >= 48
            assert desk.window.panel.rect().contains(key.geometry()) or (
                key.parentWidget() is desk.window.panel.tallies
            )


def test_st4_black_is_black(desk):
    desk.key(K.Key_K).key(K.Key_T)
    desk.qtbot.waitUntil(lambda: _has_white(desk.window.stage))
    desk.key(K.Key_B)
    image = desk.window.stage.grab().toImage()
    places = [(x, y) for x in range(0, 1600, 97) for y in range(0, 900, 89)]
    assert {image.pixelColor(x, y).name() for x, y in places} == {"#000000"}
    desk.key(K.Key_Period)
    assert desk.state.overlay is Overlay.NONE


def test_st3_a_frozen_stage_keeps_its_picture_whatever_happens(desk):
    desk.key(K.Key_K)
    desk.qtbot.waitUntil(lambda: _has_white(desk.window.stage))
    desk.key(K.Key_F)
    before = desk.window.stage.grab().toImage()
    desk.key(K.Key_PageDown).key(K.Key_T)
    assert desk.state.track.page == 1
    assert desk.window.stage.grab().toImage() == before
    desk.window.resize(1366, 768)
    desk.window.resize(1600, 900)
    desk.key(K.Key_F).key(K.Key_PageDown)
    desk.qtbot.waitUntil(lambda: desk.window.stage.grab().toImage() != before)


def _has_white(stage):
    return stage.grab().toImage().pixelColor(800, 800) == QColor("white")


def test_cw1_every_classroom_key_does_its_work(desk):
    desk.play(20.0)
    assert desk.state.phase is Phase.PLAYING
    desk.key(K.Key_F5)
    assert desk.state.phase is Phase.PAUSED
    desk.key(K.Key_Up)
    assert desk.state.track.position_s == 0.0
    desk.key(K.Key_BracketRight)
    assert desk.state.rate == 1.25
    desk.key(K.Key_BracketLeft).key(K.Key_BracketLeft)
    assert desk.state.rate == 0.75
    desk.key(K.Key_L)
    assert desk.state.loop_begin_s is not None
    desk.key(K.Key_T)
    assert desk.state.track.timer.left_s == 180.0
    desk.key(K.Key_T, SHIFT)
    assert desk.state.track.timer.left_s == 240.0
    desk.key(K.Key_Plus).key(K.Key_Equal).key(K.Key_Minus)
    assert desk.state.track.headcount == 14
    desk.key(K.Key_PageDown)
    assert desk.state.is_skip_armed
    desk.key(K.Key_PageDown)
    assert desk.state.track.cue == 1
    desk.key(K.Key_PageUp)
    assert desk.state.track.cue == 0
    desk.key(K.Key_Tab)
    assert desk.state.on_stage == 0


def test_a_tally_by_number_keys_and_shift_takes_away(desk):
    desk.key(K.Key_Q)
    for _ in range(3):
        desk.key(K.Key_1)
    desk.key(K.Key_3).key(K.Key_1, SHIFT).key(K.Key_NumberSign, SHIFT)
    assert desk.state.question.counts == (2, 0, 0, 0)


def test_cw3_the_answer_is_asked_about_once_where_pupils_see_it(desk):
    desk.key(K.Key_Q).key(K.Key_D)
    assert desk.window.panel.asks
    assert not desk.state.question.is_naming
    desk.key(K.Key_Escape)
    assert not desk.window.panel.asks
    desk.key(K.Key_D).key(K.Key_D)
    assert desk.state.question.is_naming
    desk.key(K.Key_2)
    assert desk.state.question.is_revealed
    assert desk.state.question.right == 1
    desk.key(K.Key_Q).key(K.Key_Q).key(K.Key_D)
    assert desk.state.question.is_naming


def test_cw3_by_mouse(desk):
    desk.key(K.Key_Q).key(K.Key_D)
    desk.click(desk.window.panel.leave_shut)
    assert not desk.window.panel.asks
    desk.key(K.Key_D)
    desk.click(desk.window.panel.open_anyway)
    assert desk.state.question.is_naming


def test_ck2_esc_ends_only_when_it_is_held(desk, qtbot):
    desk.hold(K.Key_Escape)
    qtbot.wait(HOLD_MS // 4)  # the one legal wait: to show that nothing happens
    desk.release(K.Key_Escape)
    qtbot.wait(HOLD_MS)
    assert desk.state.phase is not Phase.ENDED
    desk.hold(K.Key_Escape)
    qtbot.waitUntil(lambda: desk.state.phase is Phase.ENDED, timeout=HOLD_MS * 4)
    assert desk.window.end_page.isVisible()


def test_ck2_the_end_key_ends_only_when_it_is_held(desk, qtbot):
    desk.key(K.Key_X)
    end = desk.window.panel.keys[Key.END]
    desk.click(end)
    assert desk.state.phase is not Phase.ENDED
    qtbot.mousePress(end, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: desk.state.phase is Phase.ENDED, timeout=HOLD_MS * 4)
    qtbot.mouseRelease(end, Qt.MouseButton.LeftButton)


def test_esc_folds_more_before_it_ends(desk, qtbot):
    desk.click(desk.window.stage)
    desk.click(desk.window.panel.more)
    assert desk.window.panel.is_more
    desk.key(K.Key_Escape)
    assert not desk.window.panel.is_more


def test_ck1_keys_take_no_focus_and_ck3_stay_where_they_are(desk):
    desk.key(K.Key_X)
    panel = desk.window.panel
    before = {key: face.geometry() for key, face in panel.keys.items()}
    for key in panel.findChildren(ClassKey):
        assert key.focusPolicy() is Qt.FocusPolicy.NoFocus
    desk.key(K.Key_Space).key(K.Key_F).key(K.Key_F)
    assert {key: face.width() for key, face in panel.keys.items()} == {
        key: box.width() for key, box in before.items()
    }
    assert [key.look.word for key in panel.keys.values()][1] == "再看一遍"


def test_cw1_keys_work_while_more_is_open_and_tab_moves_no_focus(qtbot, tmp_path):
    desk = Desk(qtbot, tmp_path, grades=2)
    desk.key(K.Key_X)
    desk.window.panel.toggle_more()
    desk.key(K.Key_F)
    assert desk.state.overlay is Overlay.FROZEN
    desk.window.panel.toggle_more()
    desk.key(K.Key_Tab).key(K.Key_Tab).key(K.Key_Tab)
    assert desk.state.on_stage == 1
    assert desk.window.focusWidget() in (None, desk.window)


def _tools(sheet):
    return {key.property("tool").key: key for key in sheet.tool_keys}


@pytest.mark.parametrize("is_console", [False, True])
@pytest.mark.parametrize("asks", [False, True])
def test_every_visible_control_acts(qtbot, tmp_path, is_console, asks):
    """Click each key, tool and button once: the view, the volume or the layout changes."""
    desk = Desk(qtbot, tmp_path, is_console=is_console, grades=2)
    desk.play(8.0)
    if asks:
        desk.key(K.Key_Q)
        desk.key(K.Key_1).key(K.Key_2)
    desk.key(K.Key_Plus)
    sheet = desk.sheet
    acted = 0
    for one in _controls(desk, sheet):
        if isinstance(one, ClassKey) and one.look.role == "danger":
            continue
        desk.clock.advance(2.0)
        desk.window.model.tick()
        before = _seen(desk)
        desk.click(one)
        assert _seen(desk) != before, one.accessibleName()
        acted += 1
        if desk.sheet.is_more:
            desk.sheet.fold_more()
        if asks and desk.state.question is None:
            desk.key(K.Key_Q)
            desk.key(K.Key_1).key(K.Key_2).key(K.Key_3).key(K.Key_4)
    assert acted >= (14 if asks and not is_console else 7)


def _controls(desk, sheet):
    from ui.base.button import Button
    from ui.view.console_header import TrackChip
    from ui.view.console_parts import StepRow

    desk.window.panel.poke()
    kinds = (ClassKey, Button, StepRow)
    found = [one for kind in kinds for one in sheet.findChildren(kind) if one.isVisible()]
    chips = [chip for chip in sheet.findChildren(TrackChip) if chip.property("on") is False]
    return [one for one in found if one.isEnabled()] + chips


def _seen(desk):
    view = desk.view
    players = [tuple(player.calls) for player in desk.players]
    written = len([call for call in desk.book.calls if call[0] != "save_resume"])
    return (
        view.state.question,
        view.state.overlay,
        view.state.phase,
        view.volume,
        view.state.is_skip_armed,
        view.state.seek_shown_s,
        [(t.cue, t.page, t.headcount, t.showing, t.timer, t.position_s) for t in view.state.tracks],
        view.state.on_stage,
        written,
        desk.sheet.is_more,
        players if view.track.has_video else (),
    )


@pytest.mark.parametrize("is_console", [False, True])
def test_every_tool_of_more_acts_and_folds_it(qtbot, tmp_path, is_console):
    desk = Desk(qtbot, tmp_path, is_console=is_console, grades=2)
    desk.play(8.0)
    desk.key(K.Key_Q)
    desk.sheet.toggle_more()
    wanted = list(_tools(desk.sheet))
    assert {Key.FREEZE, Key.TIMER, Key.QUESTION, Key.ANSWER, Key.PAGES, Key.SWITCH} <= set(wanted)
    for key in wanted:
        if desk.state.question is None:
            desk.key(K.Key_Q)
        if not desk.sheet.is_more:
            desk.sheet.toggle_more()
        if not is_console:
            desk.window.panel.stop_asking()
        before = (_seen(desk), desk.window.panel.asks, desk.state.rate, desk.state.loop_begin_s)
        desk.click(_tools(desk.sheet)[key])
        after = (_seen(desk), desk.window.panel.asks, desk.state.rate, desk.state.loop_begin_s)
        assert after != before, key
        assert not desk.sheet.is_more


def test_the_time_line_goes_where_it_is_clicked(desk):
    desk.play(2.0)
    line = desk.window.panel.time_line
    desk.qtbot.mouseClick(line, Qt.MouseButton.LeftButton, pos=line.rect().center())
    assert desk.state.track.position_s == pytest.approx(300.0, abs=5.0)


def test_a_class_without_video_teaches_by_pages_and_board(qtbot, tmp_path):
    desk = Desk(qtbot, tmp_path, has_video=False)
    assert desk.state.track.showing is Showing.PAGES
    qtbot.waitUntil(lambda: desk.state.track.pages == (4, 2))
    desk.key(K.Key_PageDown).key(K.Key_PageDown)
    assert desk.state.track.page == 2
    assert not desk.window.panel.time_line.isVisible()
    bare = Desk(qtbot, tmp_path, has_video=False, has_pages=False)
    assert bare.state.track.showing is Showing.BOARD
    image = bare.window.stage.grab().toImage()
    assert image.pixelColor(5, 5).name() == "#fcfaf5"


def test_closing_in_mid_class_keeps_the_place(desk):
    desk.play(30.0)
    desk.window.close()
    assert desk.done == [None]
    assert desk.book.of("save_resume")[-1][2]["position_s"] == pytest.approx(30.0, abs=1.0)
    assert desk.book.of("end") == []
    desk.window.model.press(Key.PLAY)
    desk.window.model.tick()
