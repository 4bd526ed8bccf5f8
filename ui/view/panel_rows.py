"""The rows of panel and console: counts per choice, the time line, the headcount."""

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from client.domain.cues import CueKind
from client.domain.sitting import CHOICES
from client.domain.sitting_keys import Key
from client.service.sitting import SittingView
from ui.base.context import UiContext
from ui.view.class_key import PANEL_SKIN, ClassKey, Look, Skin
from ui.view.clock_text import media_time
from ui.view.stage_paint import CHOICE_COLOURS, LETTERS

CELL: Final = "#1F232B"
SHARE: Final = "#7FE0B8"
_CENTRE: Final = int(Qt.AlignmentFlag.AlignCenter)
_LEFT: Final = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
_RIGHT: Final = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)


class Tallies(QWidget):
    """Four counts with their less and more. One neutral green: no hint of the right one."""

    pressed = Signal(object, float)

    def __init__(self, context: UiContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._unit = 1.0
        self._counts: tuple[int, ...] = (0,) * CHOICES
        self.minus: list[ClassKey] = []
        self.plus: list[ClassKey] = []
        for index in range(CHOICES):
            self.minus.append(self._key("minus", "", Key.TAKE, index))
            self.plus.append(self._key("plus", str(index + 1), Key.ADD, index))

    def _key(self, icon: str, cap: str, act: Key, index: int) -> ClassKey:
        made = ClassKey(self._context, PANEL_SKIN, Look(icon=icon, cap=cap))
        made.setParent(self)
        sign = "classroom.one_more" if act is Key.ADD else "classroom.one_less"
        made.setAccessibleName(self._context.words(sign, choice=LETTERS[index]))
        made.clicked.connect(lambda: self.pressed.emit(act, float(index)))
        return made

    def set_unit(self, unit: float) -> None:
        """Scale to the stage."""
        self._unit = unit

    def refresh(self, view: SittingView) -> None:
        """Show the counts."""
        question = view.state.question
        counts = question.counts if question is not None else (0,) * CHOICES
        if counts != self._counts:
            self._counts = counts
            self.update()

    def _cell(self, index: int) -> QRectF:
        gap = 12 * self._unit
        width = (self.width() - gap * (CHOICES - 1)) / CHOICES
        return QRectF(index * (width + gap), 0, width, self.height())

    def resizeEvent(self, _event: object) -> None:  # noqa: N802 - Qt's name
        """Place the keys in their cells."""
        side = min(max(48, round(64 * self._unit)), self.height() - 14)
        top = (self.height() - round(6 * self._unit) - side) // 2
        for index in range(CHOICES):
            cell = self._cell(index)
            right = round(cell.right() - 10 * self._unit)
            self.plus[index].setGeometry(right - side, top, side, side)
            self.minus[index].setGeometry(
                right - 2 * side - round(10 * self._unit), top, side, side
            )
            for key in (self.plus[index], self.minus[index]):
                key.set_sizes(
                    icon=round(24 * self._unit), word=12, cap=max(11, round(13 * self._unit))
                )

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint cells, letters, counts and shares."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        unit = self._unit
        total = max(1, sum(self._counts))
        for index, count in enumerate(self._counts):
            cell = self._cell(index).adjusted(0.5, 0.5, -0.5, -0.5)
            painter.setPen(QPen(QColor("#3A4150"), 1))
            painter.setBrush(QColor(CELL))
            painter.drawRoundedRect(cell, 10, 10)
            side = 56 * unit
            tile = QRectF(
                cell.left() + 12 * unit, cell.center().y() - side / 2 - 3 * unit, side, side
            )
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(CHOICE_COLOURS[index]))
            painter.drawRoundedRect(tile, 8, 8)
            painter.setPen(QColor("#FFFFFF"))
            painter.setFont(self._context.theme.font_px(round(34 * unit), bold=True))
            painter.drawText(tile, _CENTRE, LETTERS[index])
            painter.setFont(self._context.theme.font_px(round(39 * unit), bold=True))
            painter.setPen(QColor("#F2F4F7"))
            number = QRectF(tile.right() + 20 * unit, tile.top(), 120 * unit, side)
            painter.drawText(number, _LEFT, str(count))
            bar = QRectF(cell.left() + 1, cell.bottom() - 6 * unit, cell.width() - 2, 5 * unit)
            painter.fillRect(bar, QColor("#4A5160"))
            bar.setWidth(bar.width() * count / total)
            painter.fillRect(bar, QColor(SHARE))
        painter.end()


class TimeLine(QWidget):
    """Where the video stands, with a tick per step. A click goes there."""

    sought = Signal(float)

    def __init__(self, skin: Skin, context: UiContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._skin = skin
        self._context = context
        self._unit = 1.0
        self._at_s = 0.0
        self._total_s = 0.0
        self._ticks: tuple[float, ...] = ()
        self._loop: tuple[float | None, float | None] = (None, None)

    def set_unit(self, unit: float) -> None:
        """Scale to the stage."""
        self._unit = unit

    def refresh(self, view: SittingView) -> None:
        """Show the place."""
        track, state = view.track, view.state
        ticks = tuple(
            dict.fromkeys(
                cue.at_s
                for cue in track.cues
                if cue.at_s is not None and cue.kind in (CueKind.PLAY, CueKind.ASK)
            )
        )
        loop = (state.loop_begin_s, state.loop_end_s)
        now = (track.position_s, track.duration_s, ticks, loop)
        if now != (self._at_s, self._total_s, self._ticks, self._loop):
            self._at_s, self._total_s, self._ticks, self._loop = now
            self.update()

    def _font(self) -> QFont:
        return self._context.theme.font_px(max(13, round(27 * self._unit)), bold=True)

    def _rail(self) -> QRectF:
        wide = QFontMetricsF(self._font()).horizontalAdvance("00:00") * 1.06 + 26 * self._unit
        middle = self.height() / 2
        high = max(6.0, 10 * self._unit)
        return QRectF(wide, middle - high / 2, max(10.0, self.width() - 2 * wide), high)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Go where the click was."""
        rail = self._rail()
        share = (event.position().x() - rail.left()) / rail.width()
        if self._total_s > 0:
            self.sought.emit(min(1.0, max(0.0, share)) * self._total_s)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint times, rail, ticks and the place."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rail, skin = self._rail(), self._skin
        painter.setFont(self._font())
        painter.setPen(QColor(skin.text))
        whole = QRectF(self.rect())
        painter.drawText(whole, _LEFT, media_time(self._at_s))
        painter.setFont(self._context.theme.font_px(max(13, round(24 * self._unit))))
        painter.drawText(whole, _RIGHT, media_time(self._total_s))
        painter.setPen(Qt.PenStyle.NoPen)
        radius = rail.height() / 2
        painter.setBrush(QColor(skin.edge))
        painter.drawRoundedRect(rail, radius, radius)
        self._paint_loop(painter, rail)
        x = self._x(rail, self._at_s)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(skin.main))
        painter.drawRoundedRect(
            QRectF(rail.left(), rail.top(), max(radius * 2, x - rail.left()), rail.height()),
            radius,
            radius,
        )
        for tick in self._ticks:
            at = self._x(rail, tick)
            mark = QRectF(
                at - 1.5, rail.center().y() - rail.height() * 1.05, 3, rail.height() * 2.1
            )
            painter.fillRect(mark, QColor(skin.text))
        painter.setBrush(QColor(skin.ground))
        painter.setPen(QPen(QColor(skin.main), max(3.0, 6 * self._unit)))
        painter.drawEllipse(QPointF(x, rail.center().y()), rail.height(), rail.height())
        painter.end()

    def _paint_loop(self, painter: QPainter, rail: QRectF) -> None:
        begin, end = self._loop
        if begin is None:
            return
        left = self._x(rail, begin)
        right = self._x(rail, end if end is not None else max(begin, self._at_s))
        box = QRectF(left, rail.top() - rail.height() * 0.7, max(2.0, right - left), 0)
        box.setHeight(rail.height() * 0.5)
        painter.fillRect(box, QColor("#E3AE54"))

    def _x(self, rail: QRectF, at_s: float) -> float:
        share = at_s / self._total_s if self._total_s > 0 else 0.0
        return rail.left() + rail.width() * min(1.0, max(0.0, share))


def paint_heads(
    painter: QPainter,
    row: QRectF,
    keys: tuple[QRect, QRect],
    texts: tuple[str, str, str],
    font: Callable[..., QFont],
) -> float:
    """Paint the headcount between its keys, its name and who is missing before them.

    Returns:
        The x at which other text of the row must end.
    """
    less, more = keys
    heads, here, missing = texts
    painter.setPen(QColor(PANEL_SKIN.text))
    painter.setFont(font(39, bold=True))
    box = QRectF(less.right(), row.top(), more.left() - less.right(), row.height())
    painter.drawText(box, _CENTRE, heads)
    painter.setFont(font(18))
    painter.setPen(QColor(PANEL_SKIN.hint))
    metrics = QFontMetricsF(painter.font())
    right = less.left() - 14.0
    left = right - metrics.horizontalAdvance(here)
    painter.drawText(QRectF(left, row.top(), right - left, row.height()), _CENTRE, here)
    if not missing:
        return left - 24
    painter.fillRect(QRectF(left - 20, row.center().y() - 14, 1, 28), QColor(PANEL_SKIN.edge))
    width = metrics.horizontalAdvance(missing)
    start = left - 36 - width
    painter.setPen(QColor(PANEL_SKIN.text))
    painter.drawText(QRectF(start, row.top(), width + 4, row.height()), _CENTRE, missing)
    return start - 20
