"""Parts of the end page: the card of one class, choices of 64 px, bars of counts and minutes."""

from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QSizePolicy, QWidget

from client.domain.availability import Light
from client.domain.record.bodies import Understood
from client.service.sitting import SittingView
from ui.base.button import Button, Face
from ui.base.context import UiContext
from ui.base.layout import Paper, clear, row, rows
from ui.base.light import ReadinessLight
from ui.base.paint import paint_card_bar
from ui.base.text import ElidedLabel, label
from ui.base.theme import Type
from ui.base.widgets import light_with_word
from ui.view.clock_text import minutes
from ui.view.stage_paint import CHOICE_COLOURS, LETTERS
from ui.viewmodel.classroom import ClassroomModel
from ui.viewmodel.end_lines import DoneLine, done_lines

_CENTRE: Final = int(Qt.AlignmentFlag.AlignCenter)
_LEVELS: Final = (
    (Understood.MOST, "end.most"),
    (Understood.HALF, "end.half"),
    (Understood.FEW, "end.few"),
)


class Choice(QAbstractButton):
    """One of a few exclusive words, big; on: soft fill, border and tick."""

    def __init__(
        self, context: UiContext, text: str, *, is_on: bool = False, height: int = 64
    ) -> None:
        super().__init__()
        self._context = context
        self._is_on = is_on
        self.setText(text)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setFixedHeight(context.theme.size(height))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    @property
    def is_on(self) -> bool:
        """Tell whether it is the chosen one."""
        return self._is_on

    def set_on(self, *, is_on: bool) -> None:
        """Choose it or not, without telling anybody."""
        self._is_on = is_on
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Room for tick and bold word."""
        metrics = self.fontMetrics()
        return QSize(metrics.horizontalAdvance(self.text()) + 80, self.height())

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Let Enter press, as Space does."""
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter} and not event.isAutoRepeat():
            self.click()
            return
        super().keyPressEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint ground, tick and word."""
        theme = self._context.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        strong = self._is_on or self.hasFocus()
        fill = "accent_soft" if self._is_on else ("inset" if self.underMouse() else "surface")
        painter.setBrush(theme.color(fill))
        painter.setPen(QPen(theme.color("accent" if strong else "line2"), 2 if strong else 1))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 10, 10)
        font = theme.font(Type.TITLE, bold=self._is_on)
        painter.setFont(font)
        painter.setPen(theme.color("accent_text" if self._is_on else "ink"))
        side = theme.size(22) if self._is_on else 0
        gap = theme.gap(8) if self._is_on else 0
        wide = painter.fontMetrics().horizontalAdvance(self.text())
        left = (self.width() - wide - side - gap) // 2
        if self._is_on:
            pixmap = self._context.icons.pixmap("check", theme.hex("accent_text"), side)
            painter.drawPixmap(left, (self.height() - side) // 2, pixmap)
        box = QRectF(left + side + gap, 0, wide + 4, self.height())
        painter.drawText(box, _CENTRE, self.text())
        painter.end()


class CountBar(QWidget):
    """The counts of a question round as one bar of four colours, each with its number inside."""

    def __init__(self, context: UiContext, counts: tuple[int, ...]) -> None:
        super().__init__()
        self._context = context
        self._counts = counts
        self.setFixedHeight(context.theme.size(28))
        self.setAccessibleName(
            " ".join(f"{letter} {n}" for letter, n in zip(LETTERS, counts, strict=False))
        )

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint the shares; a choice nobody took is left out."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        taken = [(index, n) for index, n in enumerate(self._counts) if n]
        total = sum(n for _, n in taken)
        least = self._context.theme.size(36)
        room = self.width() - 2 * max(0, len(taken) - 1) - least * len(taken)
        left = 0.0
        painter.setFont(self._context.theme.font(Type.CAPTION, bold=True))
        for index, n in taken:
            width = least + room * n / max(1, total)
            box = QRectF(left, 0, width, self.height())
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(CHOICE_COLOURS[index]))
            painter.drawRoundedRect(box, 3, 3)
            painter.setPen(QColor("#FFFFFF"))
            painter.drawText(box, _CENTRE, f"{LETTERS[index]} {n}")
            left += width + 2
        painter.end()


class TrackCard(Paper):
    """One class: what was done, 听懂, headcount."""

    def __init__(
        self, context: UiContext, model: ClassroomModel, index: int, *, shows_counts: bool
    ) -> None:
        super().__init__()
        self._context, self._model, self._index = context, model, index
        self._level = Understood.UNSAID
        theme = context.theme
        self._box = rows(self, gap=theme.gap(6))
        self._box.setContentsMargins(theme.gap(26), theme.gap(16), theme.gap(20), theme.gap(16))
        view = model.view
        self._add_head(view)
        for line in done_lines(view, index):
            self._add_line(line)
        if shows_counts:
            self._add_rounds(view)
        self._box.addSpacing(theme.gap(6))
        self._add_understood()
        self._box.addSpacing(theme.gap(6))
        self._add_heads(view)
        self._box.addStretch(1)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint the card and its subject's bar."""
        super().paintEvent(event)
        painter = QPainter(self)
        plan = self._model.view.plan.tracks[self._index]
        colour = self._context.theme.color(self._context.subjects.tone(plan.subject))
        is_rtl = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        paint_card_bar(painter, QRectF(self.rect()), colour, is_rtl=is_rtl)
        painter.end()

    def _add_head(self, view: SittingView) -> None:
        context, theme, words = self._context, self._context.theme, self._context.words
        plan = view.plan.tracks[self._index]
        place = plan.lesson.row.place
        head = row(gap=theme.gap(10))
        named = words("end.class", class_name=plan.class_name, subject=plan.subject).strip()
        tone = context.subjects.tone(plan.subject)
        head.addWidget(label(named, Type.CAPTION, tone=tone, is_bold=True))
        where = (place.edition, place.grade, place.volume, plan.lesson.row.unit)
        text = " ".join(part for part in where if part)
        head.addWidget(ElidedLabel(theme, text, Type.CAPTION, tone="muted"), 1)
        self._box.addLayout(head)
        title = ElidedLabel(theme, plan.lesson.row.title, Type.TITLE, is_bold=True, lines=2)
        self._box.addWidget(title)
        self._box.addSpacing(theme.gap(4))

    def _add_line(self, line: DoneLine) -> None:
        theme, words = self._context.theme, self._context.words
        names = words("end.list").join(words(name) for name in line.names)
        text = words(
            line.text,
            names=names,
            seen=words.length(line.seen_s),
            total=words.length(line.total_s),
        )
        made = row(gap=theme.gap(10))
        made.addWidget(ReadinessLight(theme, line.light, 20))
        made.addWidget(ElidedLabel(theme, text, Type.BODY), 1)
        if line.aside:
            aside = words(line.aside, **dict(line.values))
            made.addWidget(label(aside, Type.CAPTION, tone="muted"))
        self._box.addLayout(made)

    def _add_rounds(self, view: SittingView) -> None:
        theme, words = self._context.theme, self._context.words
        rounds = [one for one in view.rounds if one.track == self._index]
        if not rounds:
            self._box.addWidget(label(words("end.no_rounds"), Type.CAPTION, tone="muted"))
            return
        made = row(gap=theme.gap(10))
        text = words.plural("end.rounds", len(rounds))
        made.addWidget(label(text, Type.CAPTION, tone="muted"), 0, Qt.AlignmentFlag.AlignTop)
        bars = rows(gap=theme.gap(4))
        for one in rounds[-3:]:
            bars.addWidget(CountBar(self._context, one.counts))
        made.addLayout(bars, 1)
        self._box.addLayout(made)

    # --- 听懂 -----------------------------------------------------------------------------

    def _add_understood(self) -> None:
        theme, words = self._context.theme, self._context.words
        self._box.addWidget(label(words("end.understood"), Type.CAPTION, tone="muted"))
        line = row(gap=theme.gap(8))
        self.levels: dict[Understood, Choice] = {}
        for level, key in _LEVELS:
            made = Choice(self._context, words(key))
            made.clicked.connect(lambda _=False, chosen=level: self._choose(chosen))
            self.levels[level] = made
            line.addWidget(made, 1)
        self._box.addLayout(line)

    def _choose(self, level: Understood) -> None:
        """Write the level; a second tap clears it (EP3)."""
        self._level = Understood.UNSAID if level is self._level else level
        for one, button in self.levels.items():
            button.set_on(is_on=one is self._level)
        self._model.sitting.understood(self._index, self._level)

    # --- headcount ------------------------------------------------------------------------

    def _add_heads(self, view: SittingView) -> None:
        context, theme, words = self._context, self._context.theme, self._context.words
        self._box.addWidget(label(words("end.heads"), Type.CAPTION, tone="muted"))
        line = row(gap=theme.gap(12))
        self.less = Button(context, Face(icon="minus", height=56, gap=16))
        self.more = Button(context, Face(icon="plus", height=56, gap=16))
        self.less.setAccessibleName(words("classroom.fewer"))
        self.more.setAccessibleName(words("classroom.more_heads"))
        self._figure = label("", Type.DISPLAY, is_bold=True)
        self._figure.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._figure.setMinimumWidth(theme.size(56))
        listed = view.plan.tracks[self._index].headcount
        line.addWidget(self.less)
        line.addWidget(self._figure)
        if listed:
            line.addWidget(label(words("end.of", n=listed), Type.BODY, tone="muted"))
        line.addWidget(self.more)
        line.addStretch(1)
        self._status = QHBoxLayout()
        self._status.setSpacing(theme.gap(10))
        line.addLayout(self._status)
        self._box.addLayout(line)
        self.less.clicked.connect(lambda: self._count(-1))
        self.more.clicked.connect(lambda: self._count(1))
        self.just: Button | None = None
        self._show_heads()

    def _count(self, by: int) -> None:
        self._model.sitting.counted(self._index, by)
        self._model.refresh()
        self._show_heads()

    def _show_heads(self) -> None:
        context, words = self._context, self._context.words
        track = self._model.view.state.tracks[self._index]
        self._figure.setText(str(track.headcount))
        clear(self._status)
        self.just = None
        if track.is_counted:
            self._status.addWidget(light_with_word(context, Light.READY, words("end.counted")))
            return
        self._status.addWidget(light_with_word(context, Light.NO_DEVICE, words("end.assumed")))
        if track.headcount:
            text = words.plural("end.just", track.headcount)
            self.just = Button(context, Face(text=text, kind="outline", height=48))
            self.just.clicked.connect(lambda: self._count(0))
            self._status.addWidget(self.just)


class ScreenBars(Paper):
    """用屏 today against the limit of 30 % of the planned minutes."""

    def __init__(self, context: UiContext, view: SittingView) -> None:
        super().__init__()
        theme, words = context.theme, context.words
        box = rows(self, gap=theme.gap(10))
        margin = theme.gap(20)
        box.setContentsMargins(margin, theme.gap(14), margin, theme.gap(14))
        limit = round(view.plan.screen_limit_s / 60)
        head = row(gap=theme.gap(12))
        head.addWidget(label(words("end.screen"), Type.BODY, is_bold=True), 1)
        if limit:
            text = words(
                "end.screen.limit",
                limit=limit,
                minutes=view.plan.planned_min,
                periods=view.plan.planned_periods,
            )
            head.addWidget(label(text, Type.CAPTION, tone="muted"))
        box.addLayout(head)
        parts = []
        for track, plan in zip(view.state.tracks, view.plan.tracks, strict=True):
            today = minutes(track.screen_s + plan.screen_today_s)
            line = row(gap=theme.gap(12))
            line.addWidget(label(plan.class_name, Type.BODY))
            line.addWidget(_Bar(context, today, limit), 1)
            line.addWidget(label(str(today), Type.TITLE, is_bold=True))
            unit = words("end.screen.of", limit=limit) if limit else words("end.screen.min")
            line.addWidget(label(unit, Type.BODY, tone="muted"))
            if limit and today > limit:
                over = words("end.screen.over", n=today - limit)
                line.addWidget(label(over, Type.CAPTION, tone="amber", is_bold=True))
            box.addLayout(line)
            parts.append(words("end.screen.part", name=plan.class_name, n=minutes(track.screen_s)))
        here = words("end.screen.here", parts=words("end.list").join(parts))
        box.addWidget(label(here, Type.CAPTION, tone="muted", is_wrapped=True))
        box.addStretch(1)


class _Bar(QWidget):
    def __init__(self, context: UiContext, value: int, limit: int) -> None:
        super().__init__()
        self._context, self._value, self._limit = context, value, limit
        self.setFixedHeight(context.theme.size(12))
        self.setMinimumWidth(80)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        theme = self._context.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("inset"))
        radius = self.height() / 2
        painter.drawRoundedRect(QRectF(self.rect()), radius, radius)
        most = max(self._limit, self._value, 1)
        is_over = bool(self._limit) and self._value > self._limit
        filled = QRectF(self.rect())
        filled.setWidth(self.width() * self._value / most)
        if self._value:
            painter.setBrush(theme.color("amber" if is_over else "accent"))
            painter.drawRoundedRect(filled, radius, radius)
        painter.end()
