"""Drawings of the demo lessons: a blackboard, and what is drawn on it. 1280x720, QPainter."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPainterPath, QPen, QPolygonF

WIDTH: Final = 1280
HEIGHT: Final = 720
FAMILY: Final = "Noto Sans CJK SC"
PAPER: Final = QColor("#F4ECDA")
WOOD: Final = QColor("#8A6136")
BOARD: Final = QColor("#22513E")
CHALK: Final = QColor("#FBF7EC")
SOFT: Final = QColor("#C9DACF")
YELLOW: Final = QColor("#F2C14E")
ORANGE: Final = QColor("#EE9B3A")
BLUE: Final = QColor("#7FB7E6")
CREAM: Final = QColor("#FBF1DC")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One scene of a lesson, as the data file has it."""

    draw: str
    seconds: float
    say: str
    lines: tuple[str, ...]
    numbers: Mapping[str, int] = field(default_factory=dict)
    show: str = ""
    fraction: tuple[int, ...] = ()


Drawing = Callable[[QPainter, Scene, float], None]


def paint(painter: QPainter, scene: Scene, grown: float) -> None:
    """Draw a scene; `grown` goes from 0 to 1 while it appears."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setRenderHint(QPainter.RenderHint.TextAntialiasing)
    _board(painter)
    _DRAWINGS[scene.draw](painter, scene, grown)


def _board(painter: QPainter) -> None:
    painter.fillRect(QRectF(0, 0, WIDTH, HEIGHT), PAPER)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(WOOD)
    painter.drawRoundedRect(QRectF(48, 40, WIDTH - 96, HEIGHT - 96), 12, 12)
    painter.setBrush(BOARD)
    painter.drawRoundedRect(QRectF(64, 56, WIDTH - 128, HEIGHT - 128), 6, 6)
    painter.setBrush(WOOD.darker(112))
    painter.drawRoundedRect(QRectF(460, HEIGHT - 58, 360, 16), 4, 4)
    for x, colour in ((500, CHALK), (560, YELLOW), (620, BLUE)):
        painter.setBrush(colour)
        painter.drawRoundedRect(QRectF(x, HEIGHT - 66, 44, 9), 4, 4)


def _font(pixels: int, *, bold: bool = False) -> QFont:
    font = QFont(FAMILY)
    font.setPixelSize(pixels)
    font.setBold(bold)
    return font


def _text(painter: QPainter, box: QRectF, text: str, pixels: int, colour: QColor) -> None:
    painter.setFont(_font(pixels, bold=pixels >= 48))  # noqa: PLR2004 - headlines
    painter.setPen(colour)
    flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextWordWrap
    painter.drawText(box, int(flags), text)


def _centred(painter: QPainter, box: QRectF, text: str, pixels: int, colour: QColor) -> None:
    painter.setFont(_font(pixels, bold=True))
    painter.setPen(colour)
    flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
    painter.drawText(box, int(flags), text)


def _faded(colour: QColor, share: float) -> QColor:
    faded = QColor(colour)
    faded.setAlphaF(max(0.0, min(1.0, share)))
    return faded


def _lines(painter: QPainter, scene: Scene, grown: float, left: float) -> None:
    """Write the scene's lines one after the other, beside a drawing."""
    for number, line in enumerate(scene.lines):
        share = grown * (len(scene.lines) + 1) - number
        box = QRectF(left, 150 + number * 76, WIDTH - left - 110, 70)
        _text(painter, box, line, 42, _faded(CHALK, share))


def _fraction(painter: QPainter, scene: Scene, grown: float, left: float) -> None:
    if len(scene.fraction) != 2:  # noqa: PLR2004 - above and below
        return
    colour = _faded(YELLOW, grown * 2 - 0.8)
    _centred(painter, QRectF(left, 400, 140, 90), str(scene.fraction[0]), 84, colour)
    painter.setPen(QPen(colour, 7, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    painter.drawLine(QPointF(left + 20, 500), QPointF(left + 120, 500))
    _centred(painter, QRectF(left, 508, 140, 90), str(scene.fraction[1]), 84, colour)


def _title(painter: QPainter, scene: Scene, grown: float) -> None:
    _centred(painter, QRectF(90, 190, WIDTH - 180, 140), scene.lines[0], 88, CHALK)
    painter.setPen(QPen(YELLOW, 5))
    half = 320 * grown
    painter.drawLine(QPointF(WIDTH / 2 - half, 360), QPointF(WIDTH / 2 + half, 360))
    for number, line in enumerate(scene.lines[1:]):
        box = QRectF(90, 390 + number * 80, WIDTH - 180, 76)
        _centred(painter, box, line, 48, _faded(SOFT, grown * 2 - 0.5))


def _pie(painter: QPainter, scene: Scene, grown: float) -> None:
    centre, radius = QPointF(350, 350), 205.0
    box = QRectF(centre.x() - radius, centre.y() - radius, radius * 2, radius * 2)
    parts, shaded = scene.numbers.get("parts", 2), scene.numbers.get("shaded", 1)
    painter.setPen(QPen(QColor("#D9B77A"), 8))
    painter.setBrush(CREAM)
    painter.drawEllipse(box)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(_faded(ORANGE, grown * 2 - 0.7))
    painter.drawPie(box, 90 * 16, -int(360 * 16 * shaded / parts))
    painter.setPen(QPen(BOARD, 5, Qt.PenStyle.DashLine))
    for number in range(parts):
        angle = math.radians(90 - 360 * number / parts)
        reach = radius * min(1.0, grown * 2)
        end = QPointF(centre.x() + reach * math.cos(angle), centre.y() - reach * math.sin(angle))
        painter.drawLine(centre, end)
    _lines(painter, scene, grown, 650)
    _fraction(painter, scene, grown, 900)


def _bar(painter: QPainter, scene: Scene, grown: float) -> None:
    parts, shaded = scene.numbers.get("parts", 8), scene.numbers.get("shaded", 1)
    left, top, width, height = 120.0, 430.0, 700.0, 110.0
    step = width / parts
    painter.setPen(QPen(BOARD.darker(130), 4))
    for number in range(parts):
        is_on = number < shaded
        colour = ORANGE if is_on else CREAM
        painter.setBrush(_faded(colour, grown * (parts + 3) - number))
        painter.drawRect(QRectF(left + number * step, top, step, height))
    for number, line in enumerate(scene.lines):
        share = grown * (len(scene.lines) + 1) - number
        _text(painter, QRectF(120, 120 + number * 80, 800, 74), line, 46, _faded(CHALK, share))
    _fraction(painter, scene, grown, 960)


def _question(painter: QPainter, scene: Scene, grown: float) -> None:
    painter.setPen(QPen(YELLOW, 8))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawEllipse(QPointF(250, 350), 110, 110)
    _centred(painter, QRectF(140, 240, 220, 220), "?", 150, YELLOW)
    for number, line in enumerate(scene.lines):
        share = grown * (len(scene.lines) + 1) - number
        box = QRectF(430, 230 + number * 110, WIDTH - 540, 100)
        _text(painter, box, line, 56, _faded(CHALK, share))


def _summary(painter: QPainter, scene: Scene, grown: float) -> None:
    painter.setPen(QPen(SOFT, 3, Qt.PenStyle.DashLine))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(QRectF(130, 170, WIDTH - 260, 330), 18, 18)
    for number, line in enumerate(scene.lines):
        share = grown * (len(scene.lines) + 1) - number
        box = QRectF(170, 215 + number * 120, WIDTH - 340, 110)
        _centred(painter, box, line, 54, _faded(CHALK if number else YELLOW, share))


def _states(painter: QPainter, scene: Scene, grown: float) -> None:
    step = scene.numbers.get("step", 1)
    for number, drawn in enumerate((_ice, _water, _steam), 1):
        share = grown if number == step else (1.0 if number < step else 0.12)
        painter.setOpacity(share)
        drawn(painter, QPointF(250 + (number - 1) * 390, 300))
        painter.setOpacity(1.0)
        if number < len(_DRAWINGS) and number < 3:  # noqa: PLR2004 - two arrows, three states
            _arrow(painter, QPointF(370 + (number - 1) * 390, 300), _faded(YELLOW, share))
    for number, line in enumerate(scene.lines):
        box = QRectF(120, 460 + number * 72, WIDTH - 240, 68)
        _centred(painter, box, line, 46 if number else 54, CHALK if number else YELLOW)


def _arrow(painter: QPainter, at: QPointF, colour: QColor) -> None:
    painter.setPen(QPen(colour, 8, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    painter.drawLine(at, at + QPointF(130, 0))
    painter.drawLine(at + QPointF(130, 0), at + QPointF(102, -24))
    painter.drawLine(at + QPointF(130, 0), at + QPointF(102, 24))


def _ice(painter: QPainter, at: QPointF) -> None:
    painter.setPen(QPen(CHALK, 5))
    painter.setBrush(QColor(190, 225, 245, 150))
    painter.drawRoundedRect(QRectF(at.x() - 85, at.y() - 75, 150, 150), 14, 14)
    painter.drawRoundedRect(QRectF(at.x() - 50, at.y() - 105, 130, 130), 14, 14)


def _water(painter: QPainter, at: QPointF) -> None:
    low = (at + QPointF(60, 90), at + QPointF(-60, 90))
    glass = QPolygonF([at + QPointF(-80, -110), at + QPointF(80, -110), *low])
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(BLUE)
    painter.drawPolygon(QPolygonF([at + QPointF(-74, -50), at + QPointF(74, -50), *low]))
    painter.setPen(QPen(CHALK, 5))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPolygon(glass)


def _steam(painter: QPainter, at: QPointF) -> None:
    painter.setPen(QPen(CHALK, 6, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for shift in (-60, 0, 60):
        path = QPainterPath(at + QPointF(shift, 60))
        path.cubicTo(
            at + QPointF(shift - 45, 10), at + QPointF(shift + 45, -30), at + QPointF(shift, -90)
        )
        painter.drawPath(path)
    painter.drawEllipse(at + QPointF(0, 90), 90, 12)


_CORNERS: Final = tuple(
    QPointF(150 + x * 330 + z * 120, 470 - y * 220 - z * 90)
    for z in (0, 1)
    for y in (0, 1)
    for x in (0, 1)
)
_EDGES: Final = ((0, 1), (2, 3), (0, 2), (1, 3), (4, 5), (6, 7), (4, 6), (5, 7), (0, 4), (1, 5),
                 (2, 6), (3, 7))  # fmt: skip
_HIDDEN: Final = frozenset({(4, 5), (4, 6), (0, 4)})


def _cuboid(painter: QPainter, scene: Scene, grown: float) -> None:
    faces = (((0, 1, 3, 2), ORANGE), ((1, 5, 7, 3), BLUE), ((2, 3, 7, 6), YELLOW))
    for number, (corners, colour) in enumerate(faces):
        share = (grown * 4 - number) * 0.85 if scene.show == "faces" else 0.18
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(_faded(colour, share))
        painter.drawPolygon(QPolygonF([_CORNERS[n] for n in corners]))
    is_edges = scene.show == "edges"
    for number, (a, b) in enumerate(_EDGES):
        share = grown * 14 - number if is_edges else 1.0
        style = Qt.PenStyle.DashLine if (a, b) in _HIDDEN else Qt.PenStyle.SolidLine
        painter.setPen(
            QPen(_faded(YELLOW if is_edges else CHALK, share), 7 if is_edges else 5, style)
        )
        painter.drawLine(_CORNERS[a], _CORNERS[b])
    if scene.show == "corners":
        painter.setPen(Qt.PenStyle.NoPen)
        for number, corner in enumerate(_CORNERS):
            painter.setBrush(_faded(YELLOW, grown * 10 - number))
            painter.drawEllipse(corner, 15, 15)
    _lines(painter, scene, grown, 740)


def _poem(painter: QPainter, scene: Scene, grown: float) -> None:
    read = scene.numbers.get("step", len(scene.lines))
    begins = 0 if read <= 2 else read - 2  # noqa: PLR2004 - two lines are read at a time
    for number, line in enumerate(scene.lines):
        is_now = begins <= number < read
        share = grown * 3 - (number - begins) if is_now else 1.0
        colour = _faded(YELLOW, share) if is_now else SOFT
        box = QRectF(120, 120 + number * 112, WIDTH - 240, 100)
        _centred(painter, box, line, 66, colour)


_DRAWINGS: Final[dict[str, Drawing]] = {
    "title": _title,
    "pie": _pie,
    "bar": _bar,
    "question": _question,
    "summary": _summary,
    "states": _states,
    "cuboid": _cuboid,
    "poem": _poem,
}
