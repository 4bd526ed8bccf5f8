"""Small painting functions shared by views: bars, shadow, key caps, day cells."""

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen

from client.domain.availability import Light
from ui.base.palette import Palette


def paint_shadow(painter: QPainter, rect: QRectF, palette: Palette, radius: float = 10) -> None:
    """Paint the one elevation under `rect`: 6 px down, 18 px soft. Needs 16 px of margin."""
    painter.save()
    painter.setPen(Qt.PenStyle.NoPen)
    colour = QColor(palette.shadow)
    steps = 9
    for step in range(steps):
        spread = (steps - step) * 1.7
        colour.setAlphaF((0.05 if palette.is_dark else 0.012) * (1 + step * 0.16))
        painter.setBrush(colour)
        box = rect.adjusted(-spread, -spread + 4, spread, spread + 4)
        painter.drawRoundedRect(box, radius + spread, radius + spread)
    painter.restore()


def paint_card_bar(
    painter: QPainter, rect: QRectF, colour: QColor, *, is_rtl: bool = False, width: float = 6
) -> None:
    """Paint a subject's bar on the leading edge of a card with radius 10."""
    path = QPainterPath()
    path.addRoundedRect(rect, 10, 10)
    left = rect.right() - width if is_rtl else rect.left()
    strip = QPainterPath()
    strip.addRect(QRectF(left, rect.top(), width, rect.height()))
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.fillPath(path.intersected(strip), colour)
    painter.restore()


def paint_day_cell(painter: QPainter, rect: QRectF, light: Light, palette: Palette) -> None:
    """Paint one lesson of a coming day: shape and fill differ, not the colour alone."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    box = rect.adjusted(0.5, 0.5, -0.5, -0.5)
    fills = {
        Light.READY: palette.accent,
        Light.DONE: palette.accent,
        Light.PARTIAL: palette.amber_soft,
        Light.NOT_READY: palette.red_soft,
        Light.WITHOUT_VIDEO: palette.line2,
        Light.NO_DEVICE: palette.inset,
    }
    borders = {
        Light.PARTIAL: QPen(QColor(palette.amber), 1),
        Light.NOT_READY: QPen(QColor(palette.red), 2),
        Light.NO_DEVICE: QPen(QColor(palette.line), 1),
    }
    painter.setBrush(QColor(fills[light]))
    painter.setPen(borders.get(light, QPen(Qt.PenStyle.NoPen)))
    if light is Light.NOT_READY:
        box = rect.adjusted(1, 1, -1, -1)
    painter.drawRoundedRect(box, 3, 3)
    if light is Light.PARTIAL:
        half = QPainterPath()
        half.addRoundedRect(box, 3, 3)
        cut = QPainterPath()
        cut.addRect(QRectF(box.left(), box.top(), box.width() / 2, box.height()))
        painter.fillPath(half.intersected(cut), QColor(palette.amber))
    painter.restore()


def paint_mark(painter: QPainter, side: float, palette: Palette) -> None:
    """Paint the program's mark: two open pages that share one spine."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(palette.accent))
    painter.drawRoundedRect(QRectF(0, 0, side, side), side * 0.22, side * 0.22)
    painter.scale(side / 44, side / 44)
    pen = QPen(QColor(palette.on_accent), 3)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for mirror in (1, -1):
        page = QPainterPath(QPointF(22, 15))
        page.quadTo(QPointF(22 - mirror * 6, 11), QPointF(22 - mirror * 12, 13))
        page.lineTo(QPointF(22 - mirror * 12, 30))
        page.quadTo(QPointF(22 - mirror * 6, 28), QPointF(22, 32))
        painter.drawPath(page)
    painter.drawLine(QPointF(22, 15), QPointF(22, 32))
    painter.restore()
