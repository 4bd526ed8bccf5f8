"""The right column of 今天: what comes tomorrow and this week, and what needs a hand."""

from collections.abc import Callable, Sequence
from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QSizePolicy, QVBoxLayout, QWidget

from client.domain.availability import Light
from client.service.api import Card, DayBar
from client.service.plan_words import moment
from ui.base.button import Button, Face
from ui.base.context import UiContext
from ui.base.layout import FlowLayout, Paper, clear, row, rows
from ui.base.notice import Notice
from ui.base.paint import paint_day_cell
from ui.base.text import label
from ui.base.theme import Type
from ui.base.widgets import day_name, light_with_word

_COUNT_KEYS: Final = {
    Light.READY: "today.bar_ready",
    Light.PARTIAL: "today.bar_partial",
    Light.NOT_READY: "today.bar_not_ready",
    Light.WITHOUT_VIDEO: "today.bar_without",
}
_LEGEND: Final = (
    (Light.READY, "today.legend_ready"),
    (Light.PARTIAL, "today.legend_partial"),
    (Light.NOT_READY, "today.legend_not_ready"),
    (Light.WITHOUT_VIDEO, "today.legend_without"),
)


class DayCells(QWidget):
    """One cell per lesson of a day, in order; `cells` of them share the width."""

    def __init__(
        self, context: UiContext, lights: Sequence[Light], cells: int, height: int
    ) -> None:
        super().__init__()
        self._theme = context.theme
        self._lights = tuple(lights)
        self._cells = max(cells, len(self._lights), 1)
        self._height = context.theme.size(height)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(counts_text(context, lights))

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Any width, fixed height."""
        return QSize(self._theme.size(24) * self._cells, self._height)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint the cells from the leading edge."""
        painter = QPainter(self)
        gap = 4
        width = (self.width() - gap * (self._cells - 1)) / self._cells
        is_rtl = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        for number, light in enumerate(self._lights):
            x = number * (width + gap)
            left = self.width() - x - width if is_rtl else x
            box = QRectF(left, 0, width, self.height())
            paint_day_cell(painter, box, light, self._theme.palette)
        painter.end()


def counts_text(context: UiContext, lights: Sequence[Light]) -> str:
    """Say how many lessons stand in each light."""
    counts = [(key, sum(one is light for one in lights)) for light, key in _COUNT_KEYS.items()]
    return ", ".join(context.words.plural(key, n) for key, n in counts if n)


def counts_row(context: UiContext, lights: Sequence[Light]) -> QWidget:
    """Show each light that occurs with its count in words."""
    holder = QWidget()
    line = FlowLayout(holder, gap=context.theme.gap(14))
    for light, key in _COUNT_KEYS.items():
        n = sum(one is light for one in lights)
        if n:
            line.addWidget(light_with_word(context, light, context.words.plural(key, n)))
    return holder


def bar_lines(context: UiContext, bar: DayBar, month_left: int | None) -> list[str]:
    """Say what is still to come for a day: when it is here, what misses it, what may be spent."""
    words = context.words
    size = words.size(bar.missing_bytes)
    lines = [words("today.bar_missing", size=size)]
    if bar.arrives_ms is not None and bar.now_ms is not None:
        when = moment(words, bar.arrives_ms, bar.now_ms)
        lines = [words.plural("today.bar_arrives", bar.coming, size=size, when=when)]
    if bar.late:
        lines.append(words.plural("today.bar_late", bar.late))
    if month_left is not None:
        lines.append(words("today.bar_month_left", size=words.size(month_left)))
    return lines


class SideColumn(QWidget):
    """明天, 本周 and 还要您动手."""

    def __init__(
        self,
        context: UiContext,
        upcoming: Sequence[DayBar],
        needs_hand: Sequence[Card],
        month_left: int | None,
        open_station: Callable[[str], None],
    ) -> None:
        super().__init__()
        theme = context.theme
        self._context = context
        self._open_station = open_station
        body = rows(self, gap=theme.gap(12))
        body.addWidget(label(context.words("today.next"), Type.TITLE, is_bold=True))
        if upcoming:
            body.addWidget(self._tomorrow(upcoming[0], month_left))
        if len(upcoming) > 1:
            body.addWidget(self._week(upcoming))
        if needs_hand:
            body.addWidget(self._needs_hand(needs_hand))
        if not upcoming and not needs_hand:
            body.addWidget(label(context.words("today.bar_none"), Type.CAPTION, tone="muted"))
        body.addStretch(1)

    def _paper(self) -> tuple[QFrame, QVBoxLayout]:
        theme = self._context.theme
        paper = Paper()
        body = rows(paper, gap=theme.gap(10))
        body.setContentsMargins(*(theme.gap(16),) * 4)
        return paper, body

    def _tomorrow(self, bar: DayBar, month_left: int | None) -> QFrame:
        context = self._context
        paper, body = self._paper()
        head = row()
        name = context.words("today.tomorrow", day=day_name(context, bar.day))
        head.addWidget(label(name, Type.BODY, is_bold=True), 1)
        count = context.words.plural("today.bar_lessons", len(bar.lights))
        head.addWidget(label(count, Type.CAPTION, tone="muted"))
        body.addLayout(head)
        body.addWidget(DayCells(context, bar.lights, len(bar.lights), 20))
        body.addWidget(counts_row(context, bar.lights))
        if bar.missing_bytes > 0:
            text = "\n".join(bar_lines(context, bar, month_left))
            body.addWidget(label(text, Type.CAPTION, is_wrapped=True))
        elif all(light is Light.READY for light in bar.lights):
            body.addWidget(label(context.words("today.bar_all_here"), Type.CAPTION, tone="muted"))
        return paper

    def _week(self, upcoming: Sequence[DayBar]) -> QFrame:
        context = self._context
        theme = context.theme
        paper, body = self._paper()
        head = row()
        head.addWidget(label(context.words("today.week"), Type.BODY, is_bold=True), 1)
        link = Button(
            context,
            Face(
                text=context.words("today.to_timetable"),
                icon_after="chevron-right",
                kind="link",
                height=28,
            ),
        )
        link.clicked.connect(lambda: self._open_station("timetable"))
        head.addWidget(link)
        body.addLayout(head)
        grid = QGridLayout()
        grid.setHorizontalSpacing(theme.gap(12))
        grid.setVerticalSpacing(theme.gap(12))
        cells = max(len(bar.lights) for bar in upcoming)
        for at, bar in enumerate(upcoming):
            day = label(day_name(context, bar.day), Type.CAPTION, is_bold=True)
            grid.addWidget(day, at, 0)
            grid.addWidget(DayCells(context, bar.lights, cells, 14), at, 1)
            needed = [light for light in bar.lights if light is not Light.NO_DEVICE]
            ready = sum(light is Light.READY for light in needed)
            text = f"{ready}/{len(needed)}" if needed else ""
            figures = label(text, Type.CAPTION, tone="muted")
            figures.setAlignment(Qt.AlignmentFlag.AlignTrailing | Qt.AlignmentFlag.AlignVCenter)
            grid.addWidget(figures, at, 2)
        grid.setColumnStretch(1, 1)
        body.addLayout(grid)
        body.addWidget(self._legend())
        return paper

    def _legend(self) -> QWidget:
        context = self._context
        holder = QWidget()
        line = FlowLayout(holder, gap=context.theme.gap(12))
        for light, key in _LEGEND:
            entry = QWidget()
            pair = row(entry, gap=context.theme.gap(4))
            sample = DayCells(context, (light,), 1, 10)
            sample.setFixedWidth(context.theme.size(10))
            pair.addWidget(sample)
            pair.addWidget(label(context.words(key), Type.CAPTION, tone="muted"))
            line.addWidget(entry)
        return holder

    def _needs_hand(self, cards: Sequence[Card]) -> QWidget:
        context = self._context
        lines = [
            context.words(
                "today.needs_hand_line",
                day=day_name(context, one.key.day),
                period=one.key.period,
                subject=context.subjects.short(one.subject),
            )
            for one in cards
        ]
        return Notice(
            context,
            context.words.plural("today.needs_hand", len(cards)),
            hint="\n".join(lines),
            tone="red",
        )


class BottomStrip(QFrame):
    """Tomorrow in one line, where the side column has no room."""

    def __init__(self, context: UiContext) -> None:
        super().__init__()
        self._context = context
        self.setProperty("strip", "true")
        self.setFixedHeight(context.theme.size(56))
        self._line = row(self, gap=context.theme.gap(16))
        self._line.setContentsMargins(context.theme.gap(24), 0, context.theme.gap(24), 0)

    def show_bar(self, bar: DayBar) -> None:
        """Show the next school day."""
        clear(self._line)
        context = self._context
        self._line.addStretch(1)
        name = context.words("today.tomorrow", day=day_name(context, bar.day))
        self._line.addWidget(label(name, Type.BODY, is_bold=True))
        count = context.words.plural("today.bar_lessons", len(bar.lights))
        self._line.addWidget(label(count, Type.BODY, tone="muted"))
        for light, key in _COUNT_KEYS.items():
            n = sum(one is light for one in bar.lights)
            if n:
                text = context.words.plural(key, n)
                self._line.addWidget(light_with_word(context, light, text))
        if bar.missing_bytes > 0:
            size = context.words.size(bar.missing_bytes)
            text = context.words("today.bar_missing", size=size)
            self._line.addWidget(label(text, Type.CAPTION, tone="muted"))
