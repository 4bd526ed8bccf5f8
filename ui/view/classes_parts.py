"""The parts of 班级: a sitting that opens in place, a line added by hand, two versions of a thing.

Invariants:
  KP1  A sitting opens by its button, by Enter on it and by a click on its line, and the focus
       stays where it is.
"""

from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QGridLayout, QSizePolicy, QWidget

from client.domain.availability import Light
from client.domain.record.bodies import Ended, NoteWritten
from client.service.classes_page import Loose, Round, Sitting
from client.service.disputes import Choice, Dispute, joined
from ui.base.button import Button, Face
from ui.base.context import UiContext
from ui.base.layout import Fold, Paper, row, rows
from ui.base.text import ElidedLabel, label
from ui.base.theme import Type
from ui.base.widgets import light_with_word
from ui.view.classes_words import ClassWords
from ui.view.transfer import SubjectBar

_LIGHTS: Final = {
    Ended.FINISHED: Light.DONE,
    Ended.CARRY_ON: Light.PARTIAL,
    Ended.NOT_A_CLASS: Light.NO_DEVICE,
}
_TIME: Final = 104
"""Width of the times, so that all lines of a day begin under each other."""
_BAR: Final = 6
_ROW: Final = 112
"""Width of the names in an opened sitting."""


class RoundBar(QWidget):
    """How many chose what, as one bar in one colour: nothing tells which one was right."""

    def __init__(self, context: UiContext, asked: Round) -> None:
        super().__init__()
        self._theme = context.theme
        self._counts = [(choice, count) for choice, count in asked.counts if count]
        said = ", ".join(f"{choice} {count}" for choice, count in asked.counts)
        self.setAccessibleName(f"{context.words('classes.round', n=asked.number)}: {said}")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Any width, one line high."""
        return QSize(self._theme.size(160), self._theme.size(28))

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint a box for each choice, as wide as its share."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self._theme.font(Type.CAPTION, bold=True))
        metrics = QFontMetrics(painter.font())
        texts = [f"{choice} {count}" for choice, count in self._counts]
        least = [metrics.horizontalAdvance(text) + self._theme.size(16) for text in texts]
        gap = self._theme.gap(4)
        free = max(0, self.width() - sum(least) - gap * max(0, len(texts) - 1))
        total = sum(count for _, count in self._counts)
        is_rtl = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        x = 0.0
        for text, narrow, (_, count) in zip(texts, least, self._counts, strict=True):
            wide = narrow + free * count / total
            left = self.width() - x - wide if is_rtl else x
            box = QRectF(left, 0, wide, self.height()).adjusted(0.5, 0.5, -0.5, -0.5)
            painter.setPen(QPen(self._theme.color("chart"), 1))
            painter.setBrush(self._theme.color("accent_soft"))
            painter.drawRoundedRect(box, 6, 6)
            painter.setPen(self._theme.color("accent_text"))
            painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), text)
            x += wide + gap
        painter.end()


class SittingLine(QFrame):
    """One class that took place; opens in place (KP1)."""

    toggled = Signal(str)

    def __init__(
        self, context: UiContext, say: ClassWords, sitting: Sitting, *, is_open: bool
    ) -> None:
        super().__init__()
        self._context = context
        self._say = say
        self._sitting = sitting
        self._detail: QWidget | None = None
        theme = context.theme
        self._column = rows(self)
        across = row(gap=theme.gap(12))
        across.setContentsMargins(*(theme.gap(12),) * 4)
        across.addWidget(_time_label(context, say.time(sitting.when, is_short=True)))
        across.addWidget(SubjectBar(context, sitting.subject))
        texts = rows(gap=theme.gap(2))
        tone = "ink" if sitting.title else "muted"
        texts.addWidget(
            ElidedLabel(theme, say.title(sitting), Type.BODY, tone=tone, is_bold=True, lines=2)
        )
        under = " · ".join(part for part in (say.place(sitting), say.summary(sitting)) if part)
        texts.addWidget(ElidedLabel(theme, under, Type.CAPTION, tone="muted", lines=2))
        across.addLayout(texts, 1)
        across.addWidget(self._lights(), 0, Qt.AlignmentFlag.AlignVCenter)
        self.button = Button(context, Face(icon="chevron-down", kind="quiet"))
        self.button.setObjectName(f"sitting-{sitting.id}")
        self.button.clicked.connect(self._on_pressed)
        across.addWidget(self.button, 0, Qt.AlignmentFlag.AlignVCenter)
        self._column.addLayout(across)
        self.set_open(is_open=is_open)

    def set_open(self, *, is_open: bool) -> None:
        """Show or hide the rest."""
        if is_open and self._detail is None:
            self._detail = self._make_detail()
            self._column.addWidget(self._detail)
        if self._detail is not None:
            self._detail.setVisible(is_open)
        words = self._context.words
        what = words("classes.close" if is_open else "classes.open")
        self.button.set_face(
            Face(icon="chevron-up" if is_open else "chevron-down", kind="quiet", gap=8)
        )
        self.button.setAccessibleName(f"{what}: {self._say.title(self._sitting)}")
        self.button.setToolTip(what)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Take the press, or its release would go to somebody else."""
        event.accept()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Let the whole line be pressed."""
        head = self.button.geometry().bottom() + self._context.theme.gap(12)
        if event.button() is Qt.MouseButton.LeftButton and event.position().y() <= head:
            self._on_pressed()

    def _on_pressed(self) -> None:
        self.toggled.emit(self._sitting.id)

    def _lights(self) -> QWidget:
        """Say how it ended, and above all whether two versions wait for somebody."""
        sitting, words = self._sitting, self._context.words
        if sitting.is_disputed:
            return light_with_word(self._context, Light.PARTIAL, words("classes.disputed"))
        light = _LIGHTS[sitting.ends[-1]] if sitting.ends else Light.PARTIAL
        return light_with_word(self._context, light, self._say.end(sitting))

    def _make_detail(self) -> QWidget:
        theme, words = self._context.theme, self._context.words
        holder = QWidget()
        across = row(holder)
        across.setContentsMargins(theme.gap(12), 0, theme.gap(12), theme.gap(16))
        # A spacing is mirrored with the layout; a margin would not be.
        across.addSpacing(theme.gap(24) + theme.size(_TIME) + theme.size(_BAR))
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        across.addLayout(grid, 1)
        grid.setHorizontalSpacing(theme.gap(12))
        grid.setVerticalSpacing(theme.gap(8))
        grid.setColumnMinimumWidth(0, theme.size(_ROW))
        grid.setColumnStretch(1, 1)
        top = Qt.AlignmentFlag.AlignTop
        for number, (key, text) in enumerate(self._say.rows(self._sitting)):
            grid.addWidget(label(words(key), tone="muted"), number, 0, top)
            grid.addWidget(label(text, is_wrapped=True), number, 1)
        for asked in self._sitting.rounds:
            number = grid.rowCount()
            name = label(words("classes.round", n=asked.number), tone="muted")
            grid.addWidget(name, number, 0, Qt.AlignmentFlag.AlignVCenter)
            if any(count for _, count in asked.counts):
                grid.addWidget(RoundBar(self._context, asked), number, 1)
            else:
                grid.addWidget(label(words("classes.round_empty"), tone="muted"), number, 1)
        return holder


class LooseLine(QWidget):
    """A line that somebody added by hand."""

    def __init__(self, context: UiContext, say: ClassWords, loose: Loose) -> None:
        super().__init__()
        theme, words = context.theme, context.words
        across = row(self, gap=theme.gap(12))
        across.setContentsMargins(*(theme.gap(12),) * 4)
        across.addWidget(_time_label(context, say.time(loose.when, is_short=True)))
        across.addSpacing(theme.size(_BAR) + theme.gap(12))
        texts = rows(gap=theme.gap(2))
        texts.addWidget(label(say.fact(loose.fact), Type.BODY, is_wrapped=True))
        class_id = loose.fact.class_id
        parts = [words("classes.by_hand"), say.name(class_id) if class_id else "", loose.title]
        if loose.fact.lesson and not loose.title:
            parts[-1] = words("classes.lesson_gone")
        under = " · ".join(part for part in parts if part)
        texts.addWidget(ElidedLabel(theme, under, Type.CAPTION, tone="muted"))
        across.addLayout(texts, 1)


class DisputeView(QWidget):
    """Two versions of one thing side by side, each with its PC and a button."""

    kept = Signal(int)
    """Index of the version that counts."""
    join_wanted = Signal()

    def __init__(self, context: UiContext, say: ClassWords, dispute: Dispute) -> None:
        super().__init__()
        self._context = context
        self._say = say
        theme, words = context.theme, context.words
        self.setAccessibleName(f"{say.topic(dispute)}, {say.about(dispute)}")
        column = rows(self, gap=theme.gap(8))
        column.setContentsMargins(*(theme.gap(12),) * 4)
        head = row(gap=theme.gap(12))
        head.addWidget(light_with_word(context, Light.PARTIAL, say.topic(dispute)))
        about = ElidedLabel(theme, say.about(dispute), Type.CAPTION, tone="muted")
        head.addWidget(about, 1)
        column.addLayout(head)
        beside = Fold(context, gap=12, least_px=640)
        for number, choice in enumerate(dispute.choices):
            beside.add(self._version(number, choice), 1)
        column.addWidget(beside)
        if joined(dispute) is not None:
            both = Button(context, Face(text=words("classes.join"), kind="link"))
            both.setObjectName("dispute-join")
            both.clicked.connect(self.join_wanted)
            column.addWidget(both, 0, Qt.AlignmentFlag.AlignLeading)

    def _version(self, number: int, choice: Choice) -> QWidget:
        theme, words = self._context.theme, self._context.words
        paper = Paper("inset")
        across = row(paper, gap=theme.gap(12))
        across.setContentsMargins(*(theme.gap(12),) * 4)
        place = words("classes.here" if choice.is_here else "classes.elsewhere")
        parts = [place, self._say.time(choice.when) if choice.when is not None else ""]
        texts = rows(gap=theme.gap(2))
        head = " · ".join(part for part in parts if part)
        texts.addWidget(label(head, Type.CAPTION, tone="muted"))
        value = self._say.value(choice.body)
        is_text = isinstance(choice.body, NoteWritten)
        texts.addWidget(label(value, is_bold=not is_text, is_wrapped=True))
        texts.addStretch(1)
        across.addLayout(texts, 1)
        keep = Button(self._context, Face(text=words("classes.keep"), kind="outline"))
        keep.setObjectName(f"dispute-keep-{number}")
        keep.setAccessibleName(f"{words('classes.keep')}: {place}, {value}")
        keep.clicked.connect(lambda: self.kept.emit(number))
        across.addWidget(keep, 0, Qt.AlignmentFlag.AlignVCenter)
        return paper


def _time_label(context: UiContext, text: str) -> QWidget:
    holder = QWidget()
    holder.setFixedWidth(context.theme.size(_TIME))
    across = row(holder)
    # Figures run left to right in every language: only the layout may mirror them.
    across.addWidget(label(text, tone="muted"))
    across.addStretch(1)
    return holder
