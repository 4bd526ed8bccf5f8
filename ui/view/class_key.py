"""Keys of the classroom: big painted buttons in the colours of console or panel.

Invariants:
  CK1  A key takes no focus: the keyboard always belongs to the class.
  CK2  结束 acts only after it was held for `HOLD_MS`; letting go earlier does nothing.
  CK3  Keys never move or resize between their states.
"""

from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QElapsedTimer, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QFont, QFontMetrics, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy

from ui.base.context import UiContext
from ui.base.theme import Theme

HOLD_MS: Final = 1000
_STEP_MS: Final = 40
_CENTRE: Final = int(Qt.AlignmentFlag.AlignCenter)


@dataclass(frozen=True, slots=True, kw_only=True)
class Skin:
    """Colours of the keys on one ground."""

    ground: str
    edge: str
    text: str
    hint: str
    main: str
    on_main: str
    next_edge: str
    next_text: str
    danger: str
    on: str
    hover: str


PANEL_SKIN: Final = Skin(
    ground="#282D37",
    edge="#4A5160",
    text="#F2F4F7",
    hint="#C3CAD6",
    main="#4FC398",
    on_main="#0A1F17",
    next_edge="#4FC398",
    next_text="#8FE3C4",
    danger="#FFB3A7",
    on="#1D3A30",
    hover="#343A46",
)
"""The mirrored panel is dark in every room: it lies over the lesson."""


def console_skin(theme: Theme) -> Skin:
    """Take the colours of the teacher's theme."""
    palette = theme.palette
    return Skin(
        ground=palette.surface,
        edge=palette.line2,
        text=palette.ink,
        hint=palette.muted,
        main=palette.accent,
        on_main=palette.on_accent,
        next_edge=palette.accent,
        next_text=palette.accent_text,
        danger=palette.red,
        on=palette.accent_soft,
        hover=palette.inset,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a key shows. `role` is plain, main, next, danger or tool."""

    icon: str = ""
    word: str = ""
    cap: str = ""
    role: str = "plain"
    is_on: bool = False


class ClassKey(QAbstractButton):
    """One key. Sizes in logical pixels are given by the owner through `set_sizes`."""

    held = Signal()
    """A danger key was held long enough."""

    def __init__(
        self, context: UiContext, skin: Skin, look: Look, *, is_stacked: bool = True
    ) -> None:
        super().__init__()
        self._context = context
        self._skin = skin
        self._look = look
        self._is_stacked = is_stacked
        self._icon_px, self._word_px, self._cap_px = 30, 20, 14
        self._held_ms = 0
        self._since = QElapsedTimer()
        self._hold = QTimer(self)
        self._hold.setInterval(_STEP_MS)
        self._hold.timeout.connect(self._on_hold)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.set_look(look)

    def set_look(self, look: Look) -> None:
        """Show something else."""
        changed = look != self._look
        self._look = look
        self.setAccessibleName(look.word)
        if changed:
            self.update()

    @property
    def look(self) -> Look:
        """What it shows."""
        return self._look

    def set_sizes(self, *, icon: int, word: int, cap: int) -> None:
        """Set pixel sizes."""
        self._icon_px, self._word_px, self._cap_px = icon, word, cap
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Room for icon and word."""
        word = QFontMetrics(self._word_font()).horizontalAdvance(self._look.word)
        if self._is_stacked:
            return QSize(max(word, self._icon_px) + 24, self._icon_px + self._word_px * 2 + 8)
        return QSize(word + self._icon_px + 56, max(self._icon_px, self._word_px * 2) + 16)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Shrink to the icon."""
        return QSize(self._icon_px + 16, 48)

    def set_stacked(self, *, is_stacked: bool) -> None:
        """Put the word under the icon, or beside it where it fits."""
        if is_stacked != self._is_stacked:
            self._is_stacked = is_stacked
            self.update()

    # --- holding --------------------------------------------------------------------------

    def hold_begin(self) -> None:
        """Begin to hold (mouse or Esc)."""
        if self._look.role == "danger" and not self._hold.isActive():
            self._held_ms = 0
            self._since.start()
            self._hold.start()
            self.update()

    def hold_end(self) -> None:
        """Let go (CK2)."""
        self._hold.stop()
        self._held_ms = 0
        self.update()

    def _on_hold(self) -> None:
        # Measured, not counted: a busy machine drops ticks, and the teacher's second is a second.
        self._held_ms = self._since.elapsed()
        self.update()
        if self._held_ms >= HOLD_MS:
            self.hold_end()
            self.held.emit()

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Begin to hold where holding is needed."""
        super().mousePressEvent(event)
        if self.isDown():
            self.hold_begin()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Let go."""
        self.hold_end()
        super().mouseReleaseEvent(event)

    # --- painting -------------------------------------------------------------------------

    def _colours(self) -> tuple[str, str, str, int]:
        """Give ground, edge, text and edge width of the present state."""
        skin, look = self._skin, self._look
        if look.role == "main":
            return skin.main, skin.main, skin.on_main, 2
        ground = skin.hover if self.isDown() or self.underMouse() else skin.ground
        if look.is_on:
            return skin.on, skin.next_edge, skin.next_text, 2
        if look.role == "next":
            return ground, skin.next_edge, skin.next_text, 2
        if look.role == "danger":
            return ground, skin.danger, skin.danger, 1
        return ground, skin.edge, skin.text, 1

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint ground, ring, icon, word and cap."""
        ground, edge, text, width = self._colours()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        inset = width / 2
        box = QRectF(self.rect()).adjusted(inset, inset, -inset, -inset)
        painter.setBrush(QColor(ground))
        painter.setPen(QPen(QColor(edge), width))
        painter.drawRoundedRect(box, 10, 10)
        if self._held_ms:
            self._paint_ring(painter, box)
        self._paint_face(painter, text)
        if self._look.cap:
            self._paint_cap(painter, text)
        painter.end()

    def _paint_ring(self, painter: QPainter, box: QRectF) -> None:
        filled = QRectF(box)
        filled.setWidth(box.width() * min(1.0, self._held_ms / HOLD_MS))
        colour = QColor(self._skin.danger)
        colour.setAlphaF(0.28)
        painter.save()
        painter.setClipRect(filled)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawRoundedRect(box, 10, 10)
        painter.restore()

    def _word_font(self) -> QFont:
        bold = self._look.role != "tool" or self._look.is_on
        return self._context.theme.font_px(self._word_px, bold=bold)

    def _paint_face(self, painter: QPainter, colour: str) -> None:
        icon, look = self._icon_px, self._look
        font = self._word_font()
        painter.setFont(font)
        painter.setPen(QColor(colour))
        metrics = QFontMetrics(font)
        if self._is_stacked or not self._fits_beside(metrics):
            gap = max(3, self._word_px // 4) if look.word else 0
            word_high = metrics.height() if look.word else 0
            top = (self.height() - icon - gap - word_high) // 2
            if look.icon:
                pixmap = self._context.icons.pixmap(look.icon, QColor(colour).name(), icon)
                painter.drawPixmap((self.width() - icon) // 2, top, pixmap)
            box = QRectF(4, top + icon + gap, self.width() - 8, word_high)
            elided = metrics.elidedText(look.word, Qt.TextElideMode.ElideRight, int(box.width()))
            painter.drawText(box, _CENTRE, elided)
            return
        gap = 12 if look.word and look.icon else 0
        room = self.width() - 20 - (icon + gap if look.icon else 0)
        elided = metrics.elidedText(look.word, Qt.TextElideMode.ElideRight, room)
        total = metrics.horizontalAdvance(elided) + (icon + gap if look.icon else 0)
        left = (self.width() - total) / 2
        if look.icon:
            pixmap = self._context.icons.pixmap(look.icon, QColor(colour).name(), icon)
            painter.drawPixmap(int(left), (self.height() - icon) // 2, pixmap)
            left += icon + gap
        box = QRectF(left, 0, self.width() - left, self.height())
        painter.drawText(
            box, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), elided
        )

    def _fits_beside(self, metrics: QFontMetrics) -> bool:
        """Tell whether icon and word fit beside each other; else they stand one on the other."""
        return metrics.horizontalAdvance(self._look.word) + self._icon_px + 32 <= self.width()

    def _paint_cap(self, painter: QPainter, colour: str) -> None:
        look = self._look
        ink = colour if look.role == "main" else self._skin.hint
        font = self._context.theme.font_px(self._cap_px)
        painter.setFont(font)
        width = QFontMetrics(font).horizontalAdvance(look.cap) + self._cap_px
        height = round(self._cap_px * 1.5)
        box = QRectF(self.width() - width - 6, 6, width, height)
        edge = QColor(ink)
        edge.setAlphaF(0.4)
        painter.setPen(QPen(edge, 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(box, 5, 5)
        painter.setPen(QColor(ink))
        painter.drawText(box, _CENTRE, look.cap)
