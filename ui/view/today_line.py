"""The day line of 今天: period, time and dot beside each row, and what is below the edge."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from client.service.api import Card, Moment, PeriodRow
from ui.base.button import Button, Face
from ui.base.context import UiContext
from ui.base.layout import Page, row
from ui.base.theme import Type
from ui.base.widgets import bell_text

GUTTER: Final = 104
_DOT: Final = 7
_LONG_MIN: Final = 90
"""From here on hours are easier to grasp than minutes."""


class RowGutter(QWidget):
    """Number, bell times and state of a period, with its stretch of the day line."""

    def __init__(
        self,
        context: UiContext,
        period: PeriodRow,
        *,
        is_first: bool,
        is_last: bool,
    ) -> None:
        super().__init__()
        self._context = context
        self._period = period
        self._is_first = is_first
        self._is_last = is_last
        self.setFixedWidth(context.theme.size(GUTTER))
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(" ".join(self._lines()))

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Room for its lines."""
        theme = self._context.theme
        extra = 24 if self._state() else 0
        return QSize(theme.size(GUTTER), theme.size(44 + extra) + theme.gap(10))

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Room for its lines."""
        return self.sizeHint()

    def _state(self) -> str:
        words = self._context.words
        held = next((c for c in self._period.cards if _is_held(c)), None)
        if held is not None and held.resume_s is not None:
            return words("today.stopped_at", at=words.clock(held.resume_s))
        waits = self._period.starts_in_min
        if waits is not None and waits >= _LONG_MIN:
            return words("today.in_hours", hours=waits // 60, minutes=waits % 60)
        if waits is not None and waits > 0:
            return words.plural("today.in_minutes", waits)
        return words("today.now") if self._period.moment is Moment.NOW else ""

    def _lines(self) -> tuple[str, str, str]:
        bell = self._period.bell
        times = f"{bell_text(bell.begins)}\u2013{bell_text(bell.ends)}" if bell.ends else ""
        return self._context.words("frame.period", n=self._period.period), times, self._state()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint words, line and dot."""
        theme = self._context.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        is_rtl = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        self._paint_words(painter, is_rtl=is_rtl)
        x = theme.size(12) if is_rtl else self.width() - theme.size(12)
        y = theme.size(18)
        painter.setPen(QPen(theme.color("line"), 2))
        top = y if self._is_first else 0
        bottom = y if self._is_last else self.height()
        painter.drawLine(QPointF(x, top), QPointF(x, bottom))
        self._paint_dot(painter, QPointF(x, y))
        painter.end()

    def _paint_words(self, painter: QPainter, *, is_rtl: bool) -> None:
        theme = self._context.theme
        number, times, state = self._lines()
        width = self.width() - theme.size(24)
        left = theme.size(24) if is_rtl else 0
        align = int(Qt.AlignmentFlag.AlignLeading | Qt.AlignmentFlag.AlignVCenter)
        painter.setPen(theme.color("ink"))
        painter.setFont(theme.font(Type.BODY, bold=True))
        painter.drawText(QRectF(left, theme.size(6), width, theme.size(24)), align, number)
        painter.setPen(theme.color("muted"))
        painter.setFont(theme.font(Type.CAPTION))
        painter.drawText(QRectF(left, theme.size(30), width, theme.size(18)), align, times)
        painter.setPen(theme.color("accent_text"))
        painter.setFont(theme.font(Type.CAPTION, bold=True))
        painter.drawText(QRectF(left, theme.size(50), width, theme.size(20)), align, state)

    def _paint_dot(self, painter: QPainter, at: QPointF) -> None:
        theme = self._context.theme
        moment = self._period.moment
        if moment in (Moment.NOW, Moment.NEXT):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("accent_halo"))
            painter.drawEllipse(at, _DOT + 4, _DOT + 4)
            painter.setBrush(theme.color("accent"))
            painter.drawEllipse(at, _DOT, _DOT)
        elif moment is Moment.PAST:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("line2"))
            painter.drawEllipse(at, _DOT, _DOT)
        else:
            painter.setPen(QPen(theme.color("line2"), 2))
            painter.setBrush(theme.color("bg"))
            painter.drawEllipse(at, _DOT - 1, _DOT - 1)


def _is_held(card: Card | None) -> bool:
    return card is not None and card.resume_s is not None


class MoreBelow(QWidget):
    """Covers the row that the lower edge would cut, and says how many are below (Y3)."""

    _LEAST: Final = 0.35
    """A row that begins in the upper part of the view is never covered."""

    def __init__(self, context: UiContext, page: Page) -> None:
        super().__init__(page.viewport())
        self._context = context
        self._page = page
        self._rows: tuple[QWidget, ...] = ()
        self._line = row(self)
        self.button = Button(context, Face(text="", icon="chevron-down", kind="link", height=36))
        self.button.clicked.connect(self._on_pressed)
        self._line.addWidget(self.button, 0, Qt.AlignmentFlag.AlignTop)
        self._line.addStretch(1)
        page.verticalScrollBar().valueChanged.connect(self._place)
        page.verticalScrollBar().rangeChanged.connect(self._place)
        page.viewport().installEventFilter(self)
        self.hide()

    def set_rows(self, rows: Sequence[QWidget]) -> None:
        """Watch these rows."""
        self._rows = tuple(rows)
        self._place()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Follow the size of the view."""
        if event.type() in (QEvent.Type.Resize, QEvent.Type.LayoutRequest):
            self._place()
        return super().eventFilter(watched, event)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint the page's ground."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self._context.theme.palette.bg))
        painter.end()

    def _place(self, *_: object) -> None:
        view = self._page.viewport()
        hidden, top = self._below(view.height())
        if hidden:
            hidden, top = self._below(view.height() - self.button.sizeHint().height())
        if not hidden:
            self.hide()
            return
        theme = self._context.theme
        left = self._rows[0].mapTo(view, QPoint(0, 0)).x() + theme.size(GUTTER) - theme.size(6)
        self._line.setContentsMargins(left, 0, 0, 0)
        self.setGeometry(QRect(0, top, view.width(), view.height() - top))
        text = self._context.words.plural("today.more_below", hidden)
        self.button.set_face(replace(self.button.face, text=text))
        self.show()
        self.raise_()

    def _below(self, edge: int) -> tuple[int, int]:
        """Count the rows that do not end above `edge`, and tell where the first of them begins."""
        view = self._page.viewport()
        gap = self._context.theme.gap(10)
        hidden, top = 0, edge
        for one in self._rows:
            y = one.mapTo(view, QPoint(0, 0)).y()
            is_cut = y < edge < y + one.height() - gap
            if y >= edge or (is_cut and y > edge * self._LEAST):
                hidden += 1
                top = min(top, y)
        return hidden, top

    def _on_pressed(self) -> None:
        bar = self._page.verticalScrollBar()
        bar.setValue(bar.value() + max(80, self.y() - self._context.theme.gap(24)))
