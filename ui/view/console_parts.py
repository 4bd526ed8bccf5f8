"""Parts of the console: next-step card, list of steps, headcount, the other grade."""

from typing import Final

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QFrame,
    QLabel,
    QProgressBar,
    QScrollArea,
    QWidget,
)

from client.domain.cues import Cue
from client.domain.sitting import Phase
from client.domain.sitting_keys import Key
from client.service.sitting import SittingView
from ui.base.button import Button, Face
from ui.base.context import UiContext
from ui.base.layout import Paper, row, rows
from ui.base.text import ElidedLabel, label
from ui.base.theme import Type
from ui.base.widgets import repolish
from ui.view.class_words import say_line
from ui.view.clock_text import countdown, media_time, minutes
from ui.viewmodel.class_lines import Line, prompt_line

_LEFT: Final = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
_RIGHT: Final = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
_CENTRE: Final = int(Qt.AlignmentFlag.AlignCenter)


class NextCard(Paper):
    """The one thing to know now: the next step, a question to ask, or a notice."""

    def __init__(self, context: UiContext) -> None:
        super().__init__("next")
        theme = context.theme
        self._context = context
        box = rows(self, gap=theme.gap(6))
        box.setContentsMargins(theme.gap(20), theme.gap(14), theme.gap(20), theme.gap(14))
        head = row(gap=theme.gap(8))
        self._lead = label("", Type.CAPTION, tone="accent", is_bold=True)
        self._rest = label("", Type.CAPTION, tone="muted")
        self._left = label("", Type.TITLE, tone="accent", is_bold=True)
        head.addWidget(self._lead)
        head.addWidget(self._rest, 1)
        head.addWidget(self._left)
        box.addLayout(head)
        self._title = ElidedLabel(theme, "", Type.HEAD, is_bold=True, lines=2)
        self._prompt = ElidedLabel(theme, "", Type.TITLE, lines=2)
        box.addWidget(self._title)
        box.addWidget(self._prompt)
        self.action = Button(context, Face(text="", kind="outline", height=48))
        self.action.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.action.hide()
        box.addWidget(self.action, 0, Qt.AlignmentFlag.AlignLeft)

    def refresh(self, view: SittingView, notice: Line | None) -> None:
        """Show what is true now."""
        line = notice or prompt_line(view)
        said = say_line(self._context, line)
        words = self._context.words
        kind = "" if said.is_notice else "next"
        if self.property("card") != kind:
            self.setProperty("card", kind)
            self.setProperty("notice", "amber" if said.is_notice else "")
            repolish(self)
        self._lead.setText(said.lead or words("classroom.now"))
        stop_s = line.stop_s
        self._rest.setText(
            words("classroom.stops", at=media_time(stop_s)) if stop_s is not None else ""
        )
        left = line.left_s
        shows_left = left is not None and line.stop_s is not None
        self._left.setText(
            words("classroom.in_time", left=countdown(left or 0.0)) if shows_left else ""
        )
        self._title.set_text(said.text)
        self._prompt.set_text(said.rest if said.is_notice else self._prompt_of(view, line))

    def set_compact(self, *, is_compact: bool) -> None:
        """Leave out the prompt where the place is low."""
        self._prompt.setVisible(not is_compact)

    def _prompt_of(self, view: SittingView, line: Line) -> str:
        following = view.track.next
        if line.lead == "classroom.next" and following is not None:
            return self._context.words(following.prompt)
        return ""


class StepRow(QAbstractButton):
    """One step: number, time, title, length. A click goes there."""

    def __init__(self, context: UiContext, cue: Cue) -> None:
        super().__init__()
        self._context = context
        self._cue = cue
        self._state = "later"
        self._aside = ""
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFixedHeight(context.theme.size(48))
        self.setAccessibleName(context.words(cue.title))

    def tell(self, state: str, aside: str) -> None:
        """Show a state: past, now or later."""
        if (state, aside) != (self._state, self._aside):
            self._state, self._aside = state, aside
            self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint the row."""
        theme, cue = self._context.theme, self._cue
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        is_now = self._state == "now"
        if is_now or self.underMouse():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("accent_soft" if is_now else "inset"))
            painter.drawRoundedRect(QRectF(self.rect()), 10, 10)
        tone = {"past": "muted", "now": "accent_text", "later": "ink"}[self._state]
        disc = theme.size(26)
        left, middle = theme.gap(14), self.height() / 2
        box = QRectF(left, middle - disc / 2, disc, disc)
        self._paint_disc(painter, box)
        painter.setPen(theme.color(tone))
        painter.setFont(theme.font(Type.BODY, bold=is_now))
        time = "–" if cue.at_s is None else media_time(cue.at_s)  # noqa: RUF001 - a dash
        x = box.right() + theme.gap(12)
        wide = QFontMetrics(theme.font(Type.BODY, bold=True)).horizontalAdvance("00:00")
        painter.drawText(QRectF(x, 0, wide + 8, self.height()), _LEFT, time)
        aside_font = theme.font(Type.CAPTION)
        aside = QFontMetrics(aside_font).horizontalAdvance(self._aside) + theme.gap(14)
        start = x + wide + theme.gap(20)
        room = self.width() - start - aside - theme.gap(12)
        title = painter.fontMetrics().elidedText(
            self._context.words(cue.title), Qt.TextElideMode.ElideRight, int(room)
        )
        painter.drawText(QRectF(start, 0, room, self.height()), _LEFT, title)
        painter.setFont(aside_font)
        painter.drawText(
            QRectF(0, 0, self.width() - theme.gap(14), self.height()), _RIGHT, self._aside
        )
        painter.end()

    def _paint_disc(self, painter: QPainter, box: QRectF) -> None:
        theme = self._context.theme
        is_now = self._state == "now"
        painter.setBrush(theme.color("accent") if is_now else Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(theme.color("accent" if is_now else "line2"), 1))
        painter.drawEllipse(box.adjusted(0.5, 0.5, -0.5, -0.5))
        if self._state == "past":
            side = theme.size(16)
            pixmap = self._context.icons.pixmap("check", theme.hex("muted"), side)
            point = box.center().toPoint()
            painter.drawPixmap(point.x() - side // 2, point.y() - side // 2, pixmap)
            return
        painter.setPen(theme.color("on_accent" if is_now else "ink"))
        painter.setFont(theme.font(Type.CAPTION, bold=True))
        painter.drawText(box, _CENTRE, str(self._cue.ordinal))


class Steps(Paper):
    """The list of steps."""

    pressed = Signal(object, float)

    def __init__(self, context: UiContext) -> None:
        super().__init__()
        theme = context.theme
        self._context = context
        box = rows(self, gap=0)
        box.setContentsMargins(theme.gap(6), theme.gap(12), theme.gap(6), theme.gap(8))
        head = row(gap=8)
        head.setContentsMargins(theme.gap(14), 0, theme.gap(14), theme.gap(6))
        head.addWidget(label(context.words("classroom.steps"), Type.BODY, is_bold=True), 1)
        self._count = label("", Type.CAPTION, tone="muted")
        head.addWidget(self._count)
        box.addLayout(head)
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        ground = QWidget()
        ground.setProperty("scrolled", "true")
        self._list = rows(ground, gap=0)
        self._list.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._scroll.setWidget(ground)
        self._scroll.setMinimumHeight(theme.size(48))
        box.addWidget(self._scroll, 1)
        self._at = -1
        self._cues: tuple[Cue, ...] = ()
        self.rows: list[StepRow] = []

    def refresh(self, view: SittingView) -> None:
        """Show where the class is."""
        track, words = view.track, self._context.words
        if track.cues != self._cues:
            self._rebuild(track.cues)
        total = len(track.cues)
        self._count.setText(words("classroom.step_of", n=track.cue + 1, total=total))
        for index, one in enumerate(self.rows):
            state = "past" if index < track.cue else "now" if index == track.cue else "later"
            one.tell(state, self._aside(view, index))
        if track.cue != self._at and self.rows:
            self._at = track.cue
            self._scroll.ensureWidgetVisible(self.rows[track.cue], 0, self.rows[0].height())

    def _aside(self, view: SittingView, index: int) -> str:
        words = self._context.words
        if index == view.track.cue:
            is_playing = view.state.phase is Phase.PLAYING
            return words("classroom.now_playing" if is_playing else "classroom.now_here")
        return words.plural("classroom.about", minutes(view.track.cues[index].length_s))

    def _rebuild(self, cues: tuple[Cue, ...]) -> None:
        for one in self.rows:
            one.hide()
            one.deleteLater()
        self._cues = cues
        self.rows = []
        for index, cue in enumerate(cues):
            one = StepRow(self._context, cue)
            one.clicked.connect(lambda _=False, n=index: self.pressed.emit(Key.STEP, float(n)))
            self.rows.append(one)
            self._list.addWidget(one)


class Heads(Paper):
    """The headcount with its less and more."""

    pressed = Signal(object, float)

    def __init__(self, context: UiContext) -> None:
        super().__init__()
        theme = context.theme
        self._context = context
        line = row(self, gap=theme.gap(12))
        line.setContentsMargins(theme.gap(20), theme.gap(12), theme.gap(14), theme.gap(12))
        texts = rows(gap=0)
        texts.addWidget(ElidedLabel(theme, context.words("classroom.heads"), is_bold=True))
        self._how = ElidedLabel(theme, "", Type.CAPTION, tone="muted", lines=2)
        texts.addWidget(self._how)
        line.addLayout(texts, 1)
        self.less = Button(context, Face(icon="minus", height=56, gap=16))
        self.more = Button(context, Face(icon="plus", height=56, gap=16))
        self._figure = label("", Type.DISPLAY, is_bold=True)
        self._figure.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._figure.setMinimumWidth(theme.size(64))
        self._of = label("", Type.BODY, tone="muted")
        for button, key, name in (
            (self.less, Key.HEAD_LESS, "classroom.fewer"),
            (self.more, Key.HEAD_MORE, "classroom.more_heads"),
        ):
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            button.setAccessibleName(context.words(name))
            button.clicked.connect(lambda _=False, k=key: self.pressed.emit(k, 0.0))
        line.addWidget(self.less)
        line.addWidget(self._figure)
        line.addWidget(self._of)
        line.addWidget(self.more)

    def set_compact(self, *, is_compact: bool) -> None:
        """Leave out how it was counted where the place is narrow."""
        self._how.setVisible(not is_compact)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Leave out the listed number where the place is narrow."""
        super().resizeEvent(event)
        self._of.setVisible(self.width() >= self._context.theme.size(380))

    def refresh(self, view: SittingView) -> None:
        """Show the count and whether it is one."""
        words, track = self._context.words, view.track
        self._figure.setText(str(track.headcount))
        listed = view.track_plan.headcount
        self._of.setText(f"/ {listed}" if listed else "")
        self._how.set_text(words("classroom.counted" if track.is_counted else "classroom.assumed"))


class OtherGrade(Paper):
    """复式: what the grade off the stage does, its countdown, and two buttons."""

    pressed = Signal(object, float, object)

    def __init__(self, context: UiContext) -> None:
        super().__init__()
        theme, words = context.theme, context.words
        self._context = context
        self._track = 0
        line = row(self, gap=theme.gap(12))
        line.setContentsMargins(theme.gap(16), theme.gap(6), theme.gap(8), theme.gap(6))
        self._name = label("", Type.BODY, is_bold=True)
        line.addWidget(self._name)
        self._task = label(words("classroom.quietly"), Type.BODY)
        line.addWidget(self._task)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        line.addWidget(self._bar, 1)
        self._left: QLabel = label("", Type.TITLE, tone="amber", is_bold=True)
        line.addWidget(self._left)
        self.plus = Button(context, Face(icon="plus", text=words("classroom.plus2"), height=48))
        self.collect = Button(context, Face(text=words("classroom.collect"), height=48))
        for button, key, n in (
            (self.plus, Key.TIMER_MORE, 120.0),
            (self.collect, Key.TIMER_END, 0.0),
        ):
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            button.clicked.connect(
                lambda _=False, k=key, many=n: self.pressed.emit(k, many, self._track)
            )
            line.addWidget(button)

    def set_compact(self, *, is_compact: bool) -> None:
        """Leave out task and bar where the place is narrow; the countdown stays."""
        self._task.setVisible(not is_compact)
        self._bar.setVisible(not is_compact)

    def refresh(self, view: SittingView) -> None:
        """Show the other track, or nothing."""
        state = view.state
        other = next((i for i in range(len(state.tracks)) if i != state.on_stage), None)
        timer = state.tracks[other].timer if other is not None else None
        self.setVisible(timer is not None)
        if other is None or timer is None:
            return
        self._track = other
        self._name.setText(view.plan.tracks[other].class_name)
        self._bar.setMaximum(max(1, round(timer.total_s)))
        self._bar.setValue(round(timer.total_s - timer.left_s))
        self._left.setText(countdown(timer.left_s))
