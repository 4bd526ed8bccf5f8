"""What all views stand on: ui.base.dispatch, button, text, icons, theme, choice, notice."""

import ast
import threading
from concurrent.futures import Future
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QObject, QSize, Qt
from PySide6.QtGui import QFontMetrics, QImage
from PySide6.QtWidgets import QLabel, QLineEdit, QWidget

from client.domain.availability import Light
from client.domain.catalogue import Placement
from client.domain.clock import FrozenClock
from client.domain.errors import Cancelled, UserError
from client.service.api import Reason
from client.service.text import Words
from ui.base import sheet
from ui.base.button import Button, Face
from ui.base.choice import Chip, ChoiceRow, Segments, Select, Stepper, Tick
from ui.base.context import Appearance, Say, UiContext
from ui.base.dispatch import Latest, UiDispatcher
from ui.base.icons import FOLDER, Icons
from ui.base.layout import FlowLayout, Page, clear, row
from ui.base.light import ReadinessLight
from ui.base.notice import Notice, Passing
from ui.base.palette import DARK, LIGHT, contrast
from ui.base.text import ElidedLabel, broken_lines
from ui.base.theme import Theme, Type, make_theme
from ui.base.widgets import bell_text, place_line, reason_text, when_text


@pytest.fixture
def context(qapp) -> UiContext:
    made = UiContext(Words("zh_CN"), FrozenClock())
    made.apply()
    return made


# --- ui.base.dispatch --------------------------------------------------------------------


def test_posts_of_a_thread_run_on_the_gui_thread_in_order(qtbot) -> None:
    """G1."""
    dispatcher, seen = UiDispatcher(), []

    def work() -> None:
        for number in range(2000):
            dispatcher.post(lambda n=number: seen.append((n, threading.get_ident())))

    thread = threading.Thread(target=work)
    thread.start()
    qtbot.waitUntil(lambda: len(seen) == 2000)
    thread.join()
    assert [n for n, _ in seen] == list(range(2000))
    assert {ident for _, ident in seen} == {threading.get_ident()}


def test_a_slow_answer_to_an_old_question_is_dropped(qtbot) -> None:
    """G2."""
    dispatcher, seen = UiDispatcher(), []
    latest, old, new = Latest(dispatcher), Future(), Future()
    latest.ask(old, seen.append)
    latest.ask(new, seen.append)
    new.set_result("new")
    old.set_result("old")
    dispatcher.post(lambda: seen.append("end"))
    qtbot.waitUntil(lambda: "end" in seen)
    assert seen == ["new", "end"]


def test_forgetting_drops_the_open_question_and_its_error(qtbot) -> None:
    """G2."""
    dispatcher, seen = UiDispatcher(), []
    latest, late, bad = Latest(dispatcher), Future(), Future()
    latest.ask(late, seen.append)
    latest.ask(bad, seen.append, seen.append)
    latest.forget()
    late.set_result(1)
    bad.set_exception(UserError("x"))
    dispatcher.post(lambda: seen.append("end"))
    qtbot.waitUntil(lambda: "end" in seen)
    assert seen == ["end"]


def test_errors_go_to_the_one_who_watches_or_to_the_frame(qtbot) -> None:
    dispatcher, seen = UiDispatcher(), []
    dispatcher.on_failure(lambda error: seen.append(("frame", error.code)))
    for failed in (None, lambda error: seen.append(("view", error.code))):
        future = Future()
        dispatcher.watch(future, done=seen.append, failed=failed)
        future.set_exception(UserError("name_empty"))
    gone = Future()
    dispatcher.watch(gone, done=seen.append)
    gone.set_exception(Cancelled())
    dispatcher.post(lambda: seen.append("end"))
    qtbot.waitUntil(lambda: "end" in seen)
    assert seen == [("frame", "name_empty"), ("view", "name_empty"), "end"]


def test_nothing_runs_for_a_deleted_owner_or_after_closing(qtbot) -> None:
    """G3."""
    dispatcher, seen = UiDispatcher(), []
    owner, kept = QObject(), Future()
    dispatcher.watch(kept, done=seen.append, owner=owner)
    import shiboken6

    shiboken6.delete(owner)
    kept.set_result(1)
    dispatcher.post(lambda: seen.append("end"))
    qtbot.waitUntil(lambda: "end" in seen)
    dispatcher.post(lambda: seen.append("late"))
    dispatcher.close()
    dispatcher.post(lambda: seen.append("later"))
    other = UiDispatcher()
    other.post(lambda: seen.append("other"))
    qtbot.waitUntil(lambda: "other" in seen)
    assert seen == ["end", "other"]


# --- ui.base.palette, theme, sheet -------------------------------------------------------


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_every_text_colour_can_be_read_on_every_ground_it_stands_on(palette) -> None:
    grounds = (palette.bg, palette.surface)
    for ground in grounds:
        for ink in (palette.ink, palette.muted, palette.accent_text, palette.amber_text):
            assert contrast(ink, ground) >= 4.5
        assert contrast(palette.red, ground) >= 4.5
        assert contrast(palette.line2, ground) >= 3
    for name, colour in palette.subjects.items():
        assert contrast(colour, palette.surface) >= 4.5, name
    pairs = (
        (palette.muted, palette.rail),
        (palette.on_accent, palette.accent),
        (palette.on_accent, palette.accent_hover),
        (palette.on_accent, palette.accent_pressed),
        (palette.accent_text, palette.accent_soft),
        (palette.amber_text, palette.amber_soft),
        (palette.red, palette.red_soft),
        (palette.info, palette.info_soft),
        (palette.ink, palette.mark),
        (palette.disabled, palette.inset),
    )
    for ink, ground in pairs:
        assert contrast(ink, ground) >= 4.5, (ink, ground)


def test_contrast_is_what_the_standard_says() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#FFFFFF", "#1F7A5A") == pytest.approx(5.26, abs=0.01)


@pytest.mark.parametrize(
    ("scale", "sizes"), [(100, (13, 16, 20, 26, 34)), (150, (20, 24, 30, 39, 51))]
)
def test_text_sizes_are_those_of_the_scale(scale, sizes) -> None:
    """L1."""
    theme = make_theme(is_dark=False, scale=scale)
    assert tuple(theme.text_px(role) for role in Type) == sizes
    text = theme.sheet()
    import re

    used = {int(px) for px in re.findall(r"font-size: (\d+)px", text)}
    assert used <= set(sizes)


def test_an_unknown_scale_is_the_usual_one() -> None:
    assert make_theme(is_dark=True, scale=77).scale == 100


def test_no_view_carries_a_style_of_its_own() -> None:
    """L2."""
    root = Path(sheet.__file__).parents[1]
    calls = [
        path.name
        for path in root.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == "setStyleSheet"
    ]
    assert calls == ["context.py"]


def test_view_models_know_no_widgets() -> None:
    """What the import contracts cannot say of a part of a foreign package."""
    folder = Path(sheet.__file__).parents[1] / "viewmodel"
    for path in folder.glob("*.py"):
        names = {
            node.module
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.ImportFrom)
        }
        assert not names & {"PySide6.QtWidgets", "ui.base.context", "ui.base.theme"}, path.name


def test_the_look_can_change_while_running(qtbot, context) -> None:
    with qtbot.waitSignal(context.changed):
        context.change(theme="dark", scale=150, language="en")
    assert context.theme.palette is DARK
    assert context.theme.is_large
    assert context.words("frame.today") == "Today"
    assert context.subjects.short("数学") == "Maths"
    context.changed.connect(lambda: pytest.fail("nothing changed"))
    context.change(theme="dark")


def test_colours_are_found_by_token_subject_or_value(context) -> None:
    theme: Theme = context.theme
    assert theme.hex("accent") == LIGHT.accent
    assert theme.hex(context.subjects.tone("道法")) == LIGHT.subjects["morals"]
    assert theme.hex("subject:unheard-of") == LIGHT.subjects["other"]
    assert theme.hex("#123456") == "#123456"
    assert context.subjects.short("编织") == "编织"
    assert context.subjects.tone("编织") == "subject:other"


# --- ui.base.icons, light ----------------------------------------------------------------


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.svg")), ids=lambda path: path.stem)
def test_every_icon_can_be_drawn(qapp, path) -> None:
    image = Icons().pixmap(path.stem, "#1F7A5A", 24).toImage()
    inked = sum(image.pixelColor(x, y).alpha() > 0 for x in range(24) for y in range(24))
    assert 10 < inked < 24 * 24


def test_an_icon_is_drawn_once(qapp) -> None:
    """I1."""
    icons = Icons()
    assert icons.pixmap("play", "#000000", 18) is icons.pixmap("play", "#000000", 18)
    assert icons.pixmap("play", "#000000", 18) is not icons.pixmap("play", "#FFFFFF", 18)
    dashed = icons.pixmap("play", "#000000", 24, is_dashed=True)
    assert dashed.toImage() != icons.pixmap("play", "#000000", 24).toImage()
    assert not icons.icon("play", "#000000").isNull()


def test_lights_differ_in_shape_not_in_colour_alone(qtbot, context) -> None:
    shapes = set()
    for light in Light:
        widget = ReadinessLight(context.theme, light, 36)
        qtbot.addWidget(widget)
        grey = widget.grab().toImage().convertToFormat(QImage.Format.Format_Grayscale8)
        shapes.add(bytes(grey.constBits()))
    assert len(shapes) == len(Light)


# --- ui.base.button ----------------------------------------------------------------------

KINDS = ("primary", "secondary", "outline", "quiet", "link", "danger")


@pytest.mark.parametrize("kind", KINDS)
def test_a_button_keeps_its_place_in_all_states(qtbot, context, kind) -> None:
    """B1."""
    button = Button(
        context, Face(text="开始上课", icon="play", side="点开再选", key="A", kind=kind)
    )
    qtbot.addWidget(button)
    button.show()
    before = button.sizeHint()
    button.setDown(True)
    assert button.sizeHint() == before
    button.setDown(False)
    button.setFocus()
    assert button.sizeHint() == before
    button.setEnabled(False)
    assert button.sizeHint() == before


@pytest.mark.parametrize("kind", KINDS)
def test_keyboard_focus_is_seen_on_every_kind(qtbot, context, kind) -> None:
    """B2."""
    holder = QWidget()
    line = row(holder)
    other, button = QLineEdit(), Button(context, Face(text="x", kind=kind, icon="play"))
    line.addWidget(other)
    line.addWidget(button)
    qtbot.addWidget(holder)
    holder.show()
    other.setFocus()
    without = button.grab().toImage()
    button.setFocus()
    qtbot.waitUntil(button.hasFocus)
    assert button.grab().toImage() != without


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space])
@pytest.mark.parametrize("make", [lambda c: Button(c, Face(text="x")), lambda c: Chip(c, "x")])
def test_enter_and_space_press(qtbot, context, make, key) -> None:
    button = make(context)
    qtbot.addWidget(button)
    with qtbot.waitSignal(button.clicked):
        qtbot.keyClick(button, key)


def test_a_button_without_its_words_keeps_them_as_tool_tip(qtbot, context) -> None:
    button = Button(context, Face(text="打印", icon="printer", kind="quiet"))
    qtbot.addWidget(button)
    wide = button.sizeHint().width()
    button.hide_text(is_hidden=True)
    assert button.toolTip() == "打印"
    assert button.sizeHint().width() < wide == button.full_width()
    button.set_face(Face(text="下载", kind="primary"))
    assert button.property("kind") == "primary"


# --- ui.base.text ------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(
    text=st.text(alphabet="分数的初步认识 unit6（一）", max_size=80),
    width=st.integers(40, 400),
    lines=st.integers(1, 3),
)
def test_broken_lines_fit_and_lose_nothing_that_would_fit(qapp, text, width, lines) -> None:
    """E1."""
    font = make_theme(is_dark=False).font(Type.TITLE, bold=True)
    shown = broken_lines(text, font, width, lines)
    metrics = QFontMetrics(font)
    assert len(shown) <= lines
    assert all(metrics.horizontalAdvance(line) <= width + 2 for line in shown)
    if metrics.horizontalAdvance(text) <= width and text.strip():
        assert "".join(shown).strip() == text.strip()


def test_an_elided_label_keeps_its_whole_text(qtbot, context) -> None:
    """E1."""
    made = ElidedLabel(context.theme, "认识几分之一" * 20, Type.TITLE, lines=2)
    qtbot.addWidget(made)
    made.resize(200, made.heightForWidth(200))
    made.show()
    made.grab()
    assert made.toolTip() == made.accessibleName() == made.text()
    assert made.hasHeightForWidth()
    made.set_text("短")
    made.grab()
    assert made.toolTip() == ""
    assert made.minimumSizeHint().width() < 60


# --- ui.base.choice ----------------------------------------------------------------------


def test_segments_are_exclusive_and_tell(qtbot, context) -> None:
    made = Segments(context, ["三年级", "五年级", "并排"], 2, icons=("", "", "columns-2"))
    qtbot.addWidget(made)
    made.show()
    with qtbot.waitSignal(made.chosen) as told:
        made.buttons()[0].click()
    assert told.args == [0]
    assert made.current() == 0
    made.grab()


def test_a_stepper_stays_inside_its_limits(qtbot, context) -> None:
    made, told = Stepper(context, 1, least=0, most=2), []
    made.changed.connect(told.append)
    qtbot.addWidget(made)
    for button in (made.less, made.less, made.more, made.more, made.more):
        button.click()
    assert told == [0, 1, 2]
    assert made.value() == 2


def test_choices_paint_all_their_states(qtbot, context) -> None:
    """Also right to left."""
    for make in (
        lambda: Tick(context, "任务单"),
        lambda: Tick(context, "流畅", is_radio=True),
        lambda: ChoiceRow(context, "本班老师上", "视频和课件由您控制"),
        lambda: ChoiceRow(context, "专递课堂"),
        lambda: Chip(context, "数学", count="3"),
    ):
        for direction in (Qt.LayoutDirection.LeftToRight, Qt.LayoutDirection.RightToLeft):
            widget = make()
            qtbot.addWidget(widget)
            widget.setLayoutDirection(direction)
            widget.resize(widget.sizeHint())
            off = widget.grab().toImage()
            widget.setChecked(True)
            assert widget.grab().toImage() != off
            assert widget.minimumSizeHint() == widget.sizeHint()
            widget.setEnabled(False)
            widget.grab()


def test_a_select_paints_its_chevron(qtbot, context) -> None:
    made = Select(context)
    made.addItems(["统编版", "北师大版"])
    qtbot.addWidget(made)
    made.resize(200, 40)
    image = made.grab().toImage()
    right = [image.pixelColor(x, 20).lightness() for x in range(170, 190)]
    assert min(right) < 200


# --- ui.base.layout, notice, context, widgets --------------------------------------------


@pytest.mark.parametrize("direction", list(Qt.LayoutDirection)[:2])
def test_a_flow_breaks_its_row_and_never_overlaps(qtbot, context, direction) -> None:
    holder = QWidget()
    holder.setLayoutDirection(direction)
    flow = FlowLayout(holder, gap=8)
    chips = [Chip(context, "数学" * (1 + n % 3)) for n in range(12)]
    for chip in chips:
        flow.addWidget(chip)
    chips[3].hide()
    qtbot.addWidget(holder)
    holder.resize(300, flow.heightForWidth(300))
    holder.show()
    boxes = [chip.geometry() for chip in chips if not chip.isHidden()]
    assert all(holder.rect().contains(box) for box in boxes)
    assert not any(a.intersects(b) for n, a in enumerate(boxes) for b in boxes[:n])
    assert flow.sizeHint().width() > 300
    assert flow.itemAt(99) is None
    clear(flow)
    assert flow.count() == 0
    assert flow.takeAt(0) is None


def test_a_page_stays_centred_and_narrow(qtbot, context) -> None:
    page = Page(context, most_px=400)
    page.body.addWidget(QLabel("x"))
    qtbot.addWidget(page)
    page.resize(1000, 300)
    page.show()
    qtbot.waitUntil(lambda: page.content.width() == 400)
    assert abs(page.content.geometry().center().x() - 500) < 12


def test_a_passing_notice_leaves_by_itself_or_when_acted_on(qtbot, context, monkeypatch) -> None:
    parent = QWidget()
    parent.resize(800, 600)
    qtbot.addWidget(parent)
    parent.show()
    monkeypatch.setattr(Passing, "STAYS_MS", 30)
    passing, acted = Passing(context, parent), []
    passing.show_say(Say(text="换好了", action="撤销", act=lambda: acted.append(1)))
    assert parent.rect().contains(passing.geometry())
    passing.findChildren(Button)[-1].click()
    assert acted == [1]
    assert not passing.isVisible()
    passing.show_say(Say(text="好了", tone="good"))
    qtbot.waitUntil(lambda: not passing.isVisible())


def test_notices_exist_in_every_tone(qtbot, context) -> None:
    for tone in ("info", "good", "amber", "red"):
        notice = Notice(context, "标题", hint="下一步", tone=tone, action="做")
        qtbot.addWidget(notice)
        notice.grab()
        with qtbot.waitSignal(notice.acted):
            notice.button.click()


def test_the_context_says_errors_with_their_hint(qtbot, context) -> None:
    with qtbot.waitSignal(context.said) as told:
        context.say_error(UserError("not_in_this_version", {"what": "x"}))
    assert told.args[0].tone == "red"
    assert "x" in told.args[0].text
    assert told.args[0].hint
    with qtbot.waitSignal(context.said) as told:
        context.say("frame.ok", tone="good")
    assert told.args[0].text == "好了"


def test_a_single_screen_counts_as_mirrored(qapp) -> None:
    assert UiContext(Words(), FrozenClock()).is_mirrored is True
    assert UiContext(Words(), FrozenClock(), is_mirrored=False).is_mirrored is False
    assert UiContext(Words(), FrozenClock(), Appearance(theme="auto")).theme.scale == 100


def test_places_reasons_and_times_in_words(context) -> None:
    place = Placement(grade="三年级", volume="下册", edition="北师大版")
    assert place_line(place, "第六单元") == "北师大版 三下 第六单元"
    assert place_line(Placement(grade="三年级")) == "三年级"
    reason = Reason(code="reason_missing", values=(("size_bytes", 210 * 1024 * 1024),))
    assert "210 MB" in reason_text(context, reason)
    assert reason_text(context, Reason(code="unheard_of", values=(("at_s", 5.0),)))
    assert bell_text(510) == "08:30"
    now_ms = int(context.now().timestamp() * 1000)
    day = 24 * 3600 * 1000
    assert when_text(context, None) == ""
    assert when_text(context, now_ms).startswith("今天")
    assert when_text(context, now_ms - day).startswith("昨天")
    assert "月" in when_text(context, now_ms - 9 * day)


def test_sizes_grow_with_the_scale(qapp) -> None:
    small, large = make_theme(is_dark=False), make_theme(is_dark=False, scale=150)
    assert (small.size(40), large.size(40)) == (40, 60)
    assert (small.gap(16), large.gap(16)) == (16, 20)
    assert QSize(1, 1).isValid()
