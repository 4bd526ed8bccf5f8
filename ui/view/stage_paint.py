"""What the stage draws besides video and pages: board, question, figures.

All sizes are those of a 1600 x 900 stage times `unit`. Text is at least 28 pt there, contrast at
least 7:1 (the last row of the room reads it); colours are the stage's own, the same in light
and dark rooms.
"""

from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPainterPath, QPen

from client.domain.sitting import Question
from ui.base.text import broken_lines
from ui.base.theme import Theme

PAPER: Final = "#FCFAF5"
INK: Final = "#14181F"
SOFT_INK: Final = "#3D4653"
LINE: Final = "#D6D0C2"
TROUGH: Final = "#EFEBE1"
RIGHT: Final = "#0F5C41"
RIGHT_SOFT: Final = "#E3F0EA"
CHOICE_COLOURS: Final = ("#1D4FC4", "#8A3B00", "#0F5C41", "#6A35B5")
LETTERS: Final = ("A", "B", "C", "D")
DARK: Final = "#16181D"
LIGHT_TEXT: Final = "#F2F4F7"
LOWER: Final = 0.685
"""Where the part begins that the panel may cover, as a share of the height. Questions and
choices end above it on every screen; the bars lie below it."""
_CENTRE: Final = int(Qt.AlignmentFlag.AlignCenter)
_LEFT: Final = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardText:
    """What the board says: the lesson, the step, and what pupils are asked to do."""

    lesson: str
    step: str
    prompt: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionText:
    """Words of a question round; `people` is the unit of the counts."""

    question: str
    people: str
    naming: str


class StageBrush:
    """Paints in stage units onto one painter."""

    def __init__(self, painter: QPainter, theme: Theme, area: QRectF) -> None:
        self._painter = painter
        self._theme = theme
        self._area = area
        self.unit = min(area.width() / 1600, area.height() / 900)

    def _px(self, size: float) -> int:
        return max(1, round(size * self.unit))

    def _font(self, size: float, *, bold: bool = True) -> QFont:
        return self._theme.font_px(self._px(size), bold=bold)

    def paper(self) -> None:
        """Fill with paper."""
        self._painter.fillRect(self._area, QColor(PAPER))

    def board(self, text: BoardText) -> None:
        """Paint the board in the upper part, left-aligned as on a blackboard."""
        self.paper()
        left, width = self._area.left() + 72 * self.unit, self._area.width() - 144 * self.unit
        top = self._area.top() + 84 * self.unit
        top = self._lines(text.lesson, 36, QRectF(left, top, width, 0), SOFT_INK, bold=False)
        top = self._lines(text.step, 76, QRectF(left, top + 26 * self.unit, width, 0), INK)
        mark = QRectF(left, top + 18 * self.unit, 120 * self.unit, 8 * self.unit)
        self._painter.fillRect(mark, QColor(CHOICE_COLOURS[2]))
        box = QRectF(left, top + 64 * self.unit, width, 0)
        self._lines(text.prompt, 52, box, INK, bold=False, most=3)

    def _lines(
        self, text: str, size: float, box: QRectF, colour: str, *, bold: bool = True, most: int = 2
    ) -> float:
        """Paint wrapped text from the top of `box`; give where it ends."""
        font = self._font(size, bold=bold)
        self._painter.setFont(font)
        self._painter.setPen(QColor(colour))
        step = self._px(size * 1.36)
        top = box.top()
        for line in broken_lines(text, font, int(box.width()), most):
            self._painter.drawText(QRectF(box.left(), top, box.width(), step), _LEFT, line)
            top += step
        return top

    # --- the question ---------------------------------------------------------------

    def question(self, question: Question, text: QuestionText) -> None:
        """Paint text and choices above, the counts as bars below."""
        self.paper()
        unit, area = self.unit, self._area
        left, width = area.left() + 64 * unit, area.width() - 128 * unit
        title = question.text or text.question
        end = self._lines(title, 62, QRectF(left, area.top() + 44 * unit, width, 0), INK)
        if question.is_naming:
            self._lines(text.naming, 36, QRectF(left, end + 4 * unit, width, 0), RIGHT, most=1)
        has_words = any(question.choices)
        for index, words in enumerate(question.choices):
            box = self._choice_box(index, has_words=has_words)
            is_right = question.is_revealed and question.right == index
            self._choice(index, words, box, is_right=is_right)
        for index, count in enumerate(question.counts):
            share = count / max(1, *question.counts, sum(question.counts))
            self._bar(index, count, share, text.people)

    def _choice_box(self, index: int, *, has_words: bool) -> QRectF:
        unit, area = self.unit, self._area
        left, width = area.left() + 64 * unit, area.width() - 128 * unit
        if has_words:
            wide, high = (width - 18 * unit) / 2, 134 * unit
            column, line = index % 2, index // 2
            top = area.top() + 268 * unit + line * (high + 16 * unit)
            return QRectF(left + column * (wide + 18 * unit), top, wide, high)
        wide = (width - 3 * 18 * unit) / 4
        top = area.top() + 268 * unit
        return QRectF(left + index * (wide + 18 * unit), top, wide, 284 * unit)

    def _choice(self, index: int, words: str, box: QRectF, *, is_right: bool) -> None:
        painter, unit = self._painter, self.unit
        edge = QColor(RIGHT if is_right else LINE)
        painter.setPen(QPen(edge, max(1.0, (6 if is_right else 2) * unit)))
        painter.setBrush(QColor(RIGHT_SOFT if is_right else "#FFFFFF"))
        painter.drawRoundedRect(box, 10 * unit, 10 * unit)
        side = (88 if words else 150) * unit
        left = box.left() + 28 * unit if words else box.center().x() - side / 2
        tile = QRectF(left, box.center().y() - side / 2, side, side)
        self._letter(index, tile)
        if words:
            inner = QRectF(tile.right() + 32 * unit, box.top(), 0, box.height())
            inner.setRight(box.right() - 20 * unit)
            painter.setFont(self._font(52))
            painter.setPen(QColor(INK))
            painter.drawText(inner, _LEFT | int(Qt.TextFlag.TextWordWrap), words)
        if is_right:
            self._tick(QPointF(box.right() - 44 * unit, box.top() + 44 * unit), 26 * unit)

    def _letter(self, index: int, tile: QRectF) -> None:
        painter = self._painter
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(CHOICE_COLOURS[index]))
        painter.drawRoundedRect(tile, 10 * self.unit, 10 * self.unit)
        painter.setPen(QColor("#FFFFFF"))
        painter.setFont(self._theme.font_px(max(1, round(tile.height() * 0.62)), bold=True))
        painter.drawText(tile, _CENTRE, LETTERS[index])

    def _tick(self, centre: QPointF, radius: float) -> None:
        painter = self._painter
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(RIGHT))
        painter.drawEllipse(centre, radius, radius)
        pen = QPen(QColor("#FFFFFF"), radius * 0.24)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        path = QPainterPath(centre + QPointF(-radius * 0.42, radius * 0.04))
        path.lineTo(centre + QPointF(-radius * 0.1, radius * 0.36))
        path.lineTo(centre + QPointF(radius * 0.46, -radius * 0.32))
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(path)

    def _bar(self, index: int, count: int, share: float, people: str) -> None:
        painter, unit, area = self._painter, self.unit, self._area
        high = 54 * unit
        top = area.top() + area.height() * LOWER + (index * 65 + 8) * unit
        left = area.left() + 64 * unit
        self._letter(index, QRectF(left, top, high, high))
        trough = QRectF(left + high + 28 * unit, top + 5 * unit, 0, high - 10 * unit)
        trough.setRight(area.right() - 240 * unit)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(TROUGH))
        painter.drawRoundedRect(trough, 6 * unit, 6 * unit)
        if count:
            filled = QRectF(trough)
            filled.setWidth(max(12 * unit, trough.width() * share))
            painter.setBrush(QColor(CHOICE_COLOURS[index]))
            painter.drawRoundedRect(filled, 6 * unit, 6 * unit)
        self._count(count, people, QRectF(trough.right() + 24 * unit, top, 160 * unit, high))

    def _count(self, count: int, people: str, box: QRectF) -> None:
        painter = self._painter
        font = self._font(52)
        painter.setFont(font)
        painter.setPen(QColor(INK))
        painter.drawText(box, _LEFT, str(count))
        after = QFontMetricsF(font).horizontalAdvance(str(count)) + 12 * self.unit
        painter.setFont(self._font(34, bold=False))
        painter.drawText(box.adjusted(after, 6 * self.unit, 0, 0), _LEFT, people)

    # --- figures over everything --------------------------------------------------------

    def figure(self, text: str) -> None:
        """Paint a figure such as minus ten in the middle: the only sign of a seek."""
        self._chip(text, 96, self._area.center())

    def timer(self, text: str, *, is_over: bool) -> None:
        """Paint the countdown in the upper right corner."""
        font = self._font(88)
        width = QFontMetricsF(font).horizontalAdvance(text) + 56 * self.unit
        centre = QPointF(
            self._area.right() - width / 2 - 28 * self.unit, self._area.top() + 92 * self.unit
        )
        self._chip(text, 88, centre, colour="#FFD7A0" if is_over else LIGHT_TEXT)

    def _chip(self, text: str, size: float, centre: QPointF, *, colour: str = LIGHT_TEXT) -> None:
        painter, unit = self._painter, self.unit
        font = self._font(size)
        width = QFontMetricsF(font).horizontalAdvance(text) + 56 * unit
        height = size * 1.5 * unit
        box = QRectF(centre.x() - width / 2, centre.y() - height / 2, width, height)
        ground = QColor(DARK)
        ground.setAlphaF(0.92)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ground)
        painter.drawRoundedRect(box, 16 * unit, 16 * unit)
        painter.setFont(font)
        painter.setPen(QColor(colour))
        painter.drawText(box, _CENTRE, text)

    def state_word(self, text: str) -> None:
        """Paint a word such as 黑屏 on the thumbnail, where pupils do not see it."""
        self._chip(text, 64, self._area.center())
