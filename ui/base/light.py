"""The readiness light: a shape and a colour, always beside its word."""

from typing import Final

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QBrush, QColor, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from client.domain.availability import Light
from ui.base.palette import Palette
from ui.base.theme import Theme

WORD_KEYS: Final = {
    Light.READY: "light.ready",
    Light.PARTIAL: "light.partial",
    Light.WITHOUT_VIDEO: "light.without_video",
    Light.NOT_READY: "light.not_ready",
    Light.DONE: "light.done",
    Light.NO_DEVICE: "light.no_device",
}
"""Message key of the word that follows each light."""

TONES: Final = {
    Light.READY: "accent_text",
    Light.PARTIAL: "amber_text",
    Light.WITHOUT_VIDEO: "muted",
    Light.NOT_READY: "red",
    Light.DONE: "muted",
    Light.NO_DEVICE: "muted",
}
"""Theme token of the word's colour."""


def paint_light(painter: QPainter, rect: QRectF, light: Light, palette: Palette) -> None:
    """Paint `light` into the square `rect`. Colour is never the only difference."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(rect.topLeft())
    painter.scale(rect.width() / 18, rect.height() / 18)
    _SHAPES[light](painter, palette)
    painter.restore()


def _ready(painter: QPainter, palette: Palette) -> None:
    _disc(painter, palette.accent)
    _tick(painter, palette.on_accent)


def _partial(painter: QPainter, palette: Palette) -> None:
    painter.setPen(QPen(QColor(palette.amber), 2))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawEllipse(QRectF(2, 2, 14, 14))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(palette.amber))
    painter.drawPie(QRectF(2, 2, 14, 14), 90 * 16, 180 * 16)


def _without_video(painter: QPainter, palette: Palette) -> None:
    _disc(painter, palette.grey)
    pen = QPen(QColor(palette.surface), 1.6)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    painter.setPen(pen)
    for y, right in ((6.0, 12.5), (9.0, 12.5), (12.0, 10.0)):
        painter.drawLine(QPointF(5.5, y), QPointF(right, y))


def _not_ready(painter: QPainter, palette: Palette) -> None:
    pen = QPen(QColor(palette.red), 2)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    painter.setBrush(QColor(palette.red))
    painter.drawPolygon(QPolygonF([QPointF(9, 2.5), QPointF(16.2, 15.2), QPointF(1.8, 15.2)]))
    pen = QPen(QColor(palette.surface), 1.8)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    painter.setPen(pen)
    painter.drawLine(QPointF(9, 6.8), QPointF(9, 10.2))
    painter.drawPoint(QPointF(9, 13.1))


def _done(painter: QPainter, palette: Palette) -> None:
    painter.setPen(QPen(QColor(palette.muted), 1.6))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawEllipse(QRectF(1.8, 1.8, 14.4, 14.4))
    _tick(painter, palette.muted)


def _no_device(painter: QPainter, palette: Palette) -> None:
    pen = QPen(QBrush(QColor(palette.muted)), 1.6)
    pen.setDashPattern([1.9, 1.7])
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawEllipse(QRectF(1.8, 1.8, 14.4, 14.4))


def _disc(painter: QPainter, colour: str) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(colour))
    painter.drawEllipse(QRectF(1, 1, 16, 16))


def _tick(painter: QPainter, colour: str) -> None:
    pen = QPen(QColor(colour), 2)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    painter.drawPolyline(QPolygonF([QPointF(5.3, 9.3), QPointF(8, 11.9), QPointF(12.8, 6.6)]))


_SHAPES: Final = {
    Light.READY: _ready,
    Light.PARTIAL: _partial,
    Light.WITHOUT_VIDEO: _without_video,
    Light.NOT_READY: _not_ready,
    Light.DONE: _done,
    Light.NO_DEVICE: _no_device,
}


class ReadinessLight(QWidget):
    """The light alone, `pixels` square at 100 %. Put its word (`WORD_KEYS`) beside it."""

    def __init__(
        self, theme: Theme, light: Light, pixels: int = 18, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._light = light
        side = theme.size(pixels)
        self.setFixedSize(QSize(side, side))

    def paintEvent(self, _event: object) -> None:  # noqa: N802 - Qt's name
        """Paint the shape."""
        painter = QPainter(self)
        paint_light(painter, QRectF(self.rect()), self._light, self._theme.palette)
        painter.end()
