"""The console with a projector, and two grades (ui.view.classroom, stage, screens): CW1, CW2,
ST2, SC1, SC2."""

import pytest
from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent
from PySide6.QtWidgets import QApplication

from client.domain.sitting import Overlay, Phase, Showing
from client.domain.sitting_keys import Key
from client.media.port import Frame
from tests.classroom_desk import Desk
from ui.view.screens import identity, shown_name

K = Qt.Key


@pytest.fixture
def desk(qtbot, tmp_path):
    return Desk(qtbot, tmp_path, is_console=True)


@pytest.fixture
def pair(qtbot, tmp_path):
    return Desk(qtbot, tmp_path, is_console=True, grades=2)


def test_st2_the_thumbnail_shows_what_pupils_see_in_their_proportions(desk):
    stage = desk.window.console.thumbnail
    assert stage.width() / stage.height() == pytest.approx(16 / 9, abs=0.05)
    desk.play(1.0)
    stage.grab()
    assert stage.painted_at_s == desk.window.model.at_s


def test_st2_a_picture_keeps_its_proportions_on_a_stage_of_another_shape(qtbot, tmp_path):
    desk = Desk(qtbot, tmp_path, size=(1024, 768))
    white = Frame(
        data=memoryview(b"\xff" * (64 * 36 * 4)),
        width=64,
        height=36,
        stride=256,
        serial=9,
        at_s=1.0,
    )
    desk.window.model._hear_frame(white)
    qtbot.waitUntil(lambda: desk.window.model.at_s == 1.0)
    image = desk.window.stage.grab().toImage()
    column = [image.pixelColor(512, y).name() == "#ffffff" for y in range(768)]
    assert column.count(True) == pytest.approx(1024 * 9 / 16, abs=2)
    assert not column[10]
    assert not column[757]


def test_the_thumbnail_names_what_covers_the_stage(desk):
    stage = desk.window.console.thumbnail
    plain = stage.grab().toImage()
    desk.key(K.Key_B)
    assert desk.state.overlay is Overlay.BLACK
    assert stage.grab().toImage() != plain
    black = desk.window.projected.grab().toImage()
    assert black.pixelColor(black.width() // 2, black.height() // 2).name() == "#000000"


def test_the_next_card_counts_down_to_the_stop(desk):
    desk.play(130.0)
    card = desk.window.console.next_card
    assert "07:00" in card._rest.text()
    assert card._left.text() == "04:50 后"
    assert card._title.text() == desk.context.words("cue.pause_and_ask")


def test_steps_show_past_now_and_later_and_go_where_they_are_clicked(desk):
    rows = desk.window.console.steps.rows
    assert len(rows) == 7
    desk.click(rows[4])
    assert desk.state.track.showing is Showing.PAGES
    assert [row._state for row in rows] == ["past"] * 4 + ["now"] + ["later"] * 2
    assert "第 1 页" in desk.window.console._page.text()


def test_the_volume_goes_by_tens_and_reaches_the_player(desk):
    console = desk.window.console
    desk.click(console.quieter)
    assert console._loudness.text() == "70"
    desk.qtbot.waitUntil(lambda: ("volume", 70) in desk.players[-1].calls)
    for _ in range(5):
        desk.click(console.louder)
    assert console._loudness.text() == "100"


def test_two_grades_change_places_by_tab_and_by_chip(pair):
    console = pair.window.console
    chips = console.header.chips
    assert [chip.accessibleName().split()[0] for chip in chips] == ["三年级", "五年级"]
    pair.play(3.0)
    pair.click(chips[0])
    assert pair.state.on_stage == 0
    pair.click(chips[1])
    assert pair.state.on_stage == 1
    assert console.other.isVisible()
    assert console.other._left.text() == "08:00"
    pair.click(console.other.plus)
    assert console.other._left.text() == "10:00"
    pair.click(console.other.collect)
    assert not console.other.isVisible()
    pair.key(K.Key_Tab)
    assert pair.state.on_stage == 0


def test_a_countdown_that_ends_is_told_until_a_key_is_pressed(pair):
    pair.key(K.Key_Tab)
    for _ in range(260):
        pair.clock.advance(2.0)
        pair.window.model.tick()
    card = pair.window.console.next_card
    assert card._title.text() == "三年级 时间到"
    pair.key(K.Key_Plus)
    assert card._title.text() != "三年级 时间到"


def test_the_answer_is_not_asked_about_where_only_the_teacher_sees_the_keys(desk):
    desk.key(K.Key_Q).key(K.Key_D)
    assert desk.state.question.is_naming


def test_keys_pressed_on_the_projectors_window_reach_the_class(desk):
    target = desk.window.stage_window
    for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
        event = QKeyEvent(kind, K.Key_Space, Qt.KeyboardModifier.NoModifier)
        QApplication.sendEvent(target, event)
    assert desk.state.phase is Phase.PLAYING


class Plug(QObject):
    """Screens as if a projector were pulled and plugged."""

    lost = Signal()
    found = Signal(object)

    def __init__(self):
        super().__init__()
        self.projector = QGuiApplication.primaryScreen()
        self.teacher = QGuiApplication.primaryScreen()
        self.remembered = ""

    def pull(self):
        self.projector = None
        self.lost.emit()

    def plug(self):
        self.projector = QGuiApplication.primaryScreen()
        self.found.emit(self.projector)

    def swap(self):
        self.remembered = "swapped"


@pytest.fixture
def plugged(qtbot, tmp_path, monkeypatch):
    import ui.view.classroom as module

    plug = Plug()
    monkeypatch.setattr(module, "Screens", lambda parent=None: plug)
    made = Desk(qtbot, tmp_path)
    made.plug = plug
    return made


def test_cw2_a_lost_projector_hides_the_stage_pauses_and_says_where(plugged):
    desk = plugged
    assert desk.window.layout_now.value == "console"
    assert desk.window.stage_window.isVisible()
    desk.play(42.0)
    desk.plug.pull()
    assert not desk.window.stage_window.isVisible()
    assert desk.state.phase is Phase.PAUSED
    card = desk.window.console.next_card
    assert card._title.text() == "投影断了，停在 00:42"
    assert card.action.isVisible()
    place = desk.state.track.position_s
    desk.plug.plug()
    assert desk.window.stage_window.isVisible()
    assert desk.state.phase is Phase.PAUSED
    assert desk.state.track.position_s == place
    assert not card.action.isVisible()


def test_cw2_without_a_projector_the_class_may_go_on_with_this_screen(plugged):
    desk = plugged
    desk.play(10.0)
    desk.plug.pull()
    desk.click(desk.window.console.next_card.action)
    assert desk.window.layout_now.value == "mirrored"
    desk.key(K.Key_Space)
    assert desk.state.phase is Phase.PLAYING
    desk.plug.plug()
    assert desk.window.layout_now.value == "mirrored"
    assert not desk.window.stage_window.isVisible()
    assert desk.window.panel.isVisible()
    desk.key(K.Key_F6)
    assert desk.window.layout_now.value == "console"
    assert desk.window.stage_window.isVisible()


def test_f6_changes_the_screens_and_remembers(plugged):
    plugged.key(K.Key_F6)
    assert plugged.plug.remembered == "swapped"
    plugged.click(plugged.window.console.swap)
    assert plugged.window.stage_window.isVisible()


def test_sc1_a_monitor_is_named_by_what_it_says(qtbot):
    screen = QGuiApplication.primaryScreen()
    assert identity(screen).endswith(screen.name())
    assert shown_name(screen) in identity(screen).replace("|", " ")


@pytest.mark.parametrize(
    ("size", "scale"),
    [((1024, 768), 100), ((1024, 768), 125), ((1024, 768), 150), ((1920, 1080), 150)],
)
def test_the_console_fits_its_window(qtbot, tmp_path, size, scale):
    desk = Desk(qtbot, tmp_path, is_console=True, grades=2, size=size, scale=scale)
    desk.key(K.Key_Tab)
    console = desk.window.console
    assert (desk.window.width(), desk.window.height()) == size
    wanted = [*console.keys.values(), console.more, console.louder, console.heads.more]
    wanted += [console.other.collect, console.header._clock, console.swap, console.next_card]

    def fits():
        ends = [one.mapTo(console, one.rect().bottomRight()) for one in wanted if one.isVisible()]
        return all(end.y() < size[1] and end.x() < size[0] for end in ends)

    qtbot.waitUntil(fits)
    assert console.thumbnail.width() >= 300


def test_english_says_every_word_of_the_class(qtbot, tmp_path):
    desk = Desk(qtbot, tmp_path, is_console=True, language="en", theme="dark", scale=125)
    desk.key(K.Key_Q)
    desk.window.console.toggle_more()
    words = [key.look.word for key in desk.window.console.tool_keys]
    words += [key.look.word for key in desk.window.console.keys.values()]
    assert all(word and "classroom." not in word for word in words)
    assert "Hold to end" in words
    assert desk.window.console.keys[Key.PLAY].look.word == "Play"
