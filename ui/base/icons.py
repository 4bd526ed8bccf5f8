"""Icons: Lucide outlines, tinted and cached.

Invariants:
  I1  An icon is drawn once per name, colour, size and pixel ratio.
"""

import re
from pathlib import Path
from typing import Final

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QGuiApplication, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

FOLDER: Final = Path(__file__).resolve().parents[2] / "assets" / "icons"
STROKE: Final = "1.75"
_STROKE_WIDTH: Final = re.compile(r'stroke-width="[\d.]+"')


class Icons:
    """Tinted pixmaps of `assets/icons/<name>.svg`. GUI thread only."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._folder = folder
        self._sources: dict[str, str] = {}
        self._pixmaps: dict[tuple[str, str, int, float, bool], QPixmap] = {}

    def pixmap(self, name: str, colour: str, size: int = 24, *, is_dashed: bool = False) -> QPixmap:
        """Draw `name` in `colour` (`#RRGGBB`), `size` logical pixels square.

        Dashed strokes say that the thing is missing.
        """
        ratio = _ratio()
        key = (name, colour, size, ratio, is_dashed)
        found = self._pixmaps.get(key)
        if found is None:
            found = self._pixmaps[key] = self._draw(name, colour, size, ratio, is_dashed=is_dashed)
        return found

    def icon(self, name: str, colour: str, size: int = 24) -> QIcon:
        """Wrap `pixmap` for widgets that want a `QIcon`."""
        return QIcon(self.pixmap(name, colour, size))

    def _draw(self, name: str, colour: str, size: int, ratio: float, *, is_dashed: bool) -> QPixmap:
        svg = self._source(name).replace("currentColor", colour)
        if is_dashed:
            svg = svg.replace("<svg", '<svg stroke-dasharray="2.4 2.6"', 1)
        renderer = QSvgRenderer(QByteArray(svg.encode()))
        pixels = round(size * ratio)
        pixmap = QPixmap(QSize(pixels, pixels))
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        renderer.render(painter, QRectF(0, 0, pixels, pixels))
        painter.end()
        pixmap.setDevicePixelRatio(ratio)
        return pixmap

    def _source(self, name: str) -> str:
        found = self._sources.get(name)
        if found is None:
            text = (self._folder / f"{name}.svg").read_text(encoding="utf-8")
            found = self._sources[name] = _STROKE_WIDTH.sub(f'stroke-width="{STROKE}"', text)
        return found


def _ratio() -> float:
    screen = QGuiApplication.primaryScreen()
    return screen.devicePixelRatio() if screen is not None else 1.0
