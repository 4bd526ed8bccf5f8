"""The button: icon, bold text, quiet second text and key cap, drawn on the sheet's panel.

Invariants:
  B1  A button never moves or resizes between its states.
  B2  Keyboard focus is visible on every kind: a ring inside a filled one, a border elsewhere.
"""

from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QPushButton, QStyle, QStyleOptionButton, QStylePainter

from ui.base.context import UiContext
from ui.base.theme import Theme, Type

_INK: Final = {
    "primary": "on_accent",
    "secondary": "ink",
    "outline": "accent_text",
    "quiet": "muted",
    "link": "accent_text",
    "danger": "red",
}
_ENDS: Final = {"quiet": 4, "link": 6}
BIG: Final = 56
"""From this height on a button speaks in title size."""
_BOLD: Final = frozenset({"primary", "outline", "link", "danger"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """What a button shows. `height` is in pixels at 100 %; `side` stands after the text."""

    text: str = ""
    icon: str = ""
    side: str = ""
    icon_after: str = ""
    key: str = ""
    kind: str = "secondary"
    height: int = 40
    is_bold: bool | None = None
    tone: str = ""
    """Theme token instead of the colour of the kind."""
    gap: int = 16
    """Space at both ends, at 100 %."""


class Button(QPushButton):
    """One of the kinds primary, secondary, outline, quiet, link, danger.

    Enter and Space both press it (Qt alone would take Space only).
    """

    def __init__(self, context: UiContext, face: Face) -> None:
        super().__init__()
        self._context = context
        self._face = face
        self._is_text_hidden = False
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.set_face(face)

    @property
    def face(self) -> Face:
        """What it shows now."""
        return self._face

    def set_face(self, face: Face) -> None:
        """Show something else; the kind may change too."""
        has_changed_kind = face.kind != self.property("kind")
        self._face = face
        self.setProperty("kind", face.kind)
        self.setText(face.text)
        self.setAccessibleName(" ".join(part for part in (face.text, face.side) if part))
        if has_changed_kind:
            self.style().unpolish(self)
            self.style().polish(self)
        self.setMinimumHeight(self._theme.size(face.height))
        self.setMaximumHeight(self._theme.size(face.height))
        self.updateGeometry()
        self.update()

    def hide_text(self, *, is_hidden: bool) -> None:
        """Show the icon alone where the place is narrow; the words become the tool tip."""
        if is_hidden == self._is_text_hidden:
            return
        self._is_text_hidden = is_hidden
        self.setToolTip(self._face.text if is_hidden else "")
        self.updateGeometry()
        self.update()

    def full_width(self) -> int:
        """Width with its words shown, in pixels."""
        return self._width_of(is_text_hidden=False)

    @property
    def _theme(self) -> Theme:
        return self._context.theme

    @property
    def _role(self) -> Type:
        if self._face.kind == "quiet":
            return Type.CAPTION
        return Type.TITLE if self._face.height >= BIG else Type.BODY

    @property
    def _is_bold(self) -> bool:
        if self._face.is_bold is not None:
            return self._face.is_bold
        return self._face.kind in _BOLD

    @property
    def _gap(self) -> int:
        return self._theme.gap(4 if self._face.kind == "quiet" else 8)

    @property
    def _icon_px(self) -> int:
        return self._theme.size(18 if self._role is not Type.TITLE else 22)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Room for everything it shows."""
        height = self._theme.size(self._face.height)
        return QSize(self._width_of(is_text_hidden=self._is_text_hidden), height)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Never narrower than its words."""
        return self.sizeHint()

    def _width_of(self, *, is_text_hidden: bool) -> int:
        widths = [width for _, width in self._pieces(is_text_hidden=is_text_hidden)]
        ends = self._theme.size(_ENDS.get(self._face.kind, self._face.gap))
        wide = sum(widths) + self._gap * max(0, len(widths) - 1) + 2 * ends
        return max(wide, self._theme.size(min(self._face.height, 40)))

    def _pieces(self, *, is_text_hidden: bool) -> list[tuple[str, int]]:
        face = self._face
        pieces: list[tuple[str, int]] = []
        if face.icon:
            pieces.append(("icon", self._icon_px))
        if face.text and not (is_text_hidden and face.icon):
            font = self._theme.font(self._role, bold=self._is_bold)
            pieces.append(("text", QFontMetrics(font).horizontalAdvance(face.text) + 1))
        if face.side:
            font = self._theme.font(Type.CAPTION)
            pieces.append(("side", QFontMetrics(font).horizontalAdvance(face.side) + 1))
        if face.key:
            font = self._theme.font(Type.CAPTION)
            width = QFontMetrics(font).horizontalAdvance(face.key) + self._theme.size(12)
            pieces.append(("key", width))
        if face.icon_after:
            pieces.append(("icon_after", self._icon_px))
        return pieces

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint the panel by the sheet, the rest here."""
        painter = QStylePainter(self)
        option = QStyleOptionButton()
        self.initStyleOption(option)
        option.text = ""  # type: ignore[attr-defined]  # the stubs forget it
        painter.drawControl(QStyle.ControlElement.CE_PushButtonBevel, option)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.hasFocus() and self._face.kind == "primary":
            self._paint_ring(painter)
        self._paint_pieces(painter)
        painter.end()

    def _paint_ring(self, painter: QPainter) -> None:
        painter.setPen(QPen(self._theme.color("on_accent"), 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(4, 4, -4, -4), 7, 7)

    def _paint_pieces(self, painter: QPainter) -> None:
        pieces = self._pieces(is_text_hidden=self._is_text_hidden)
        gap = self._gap
        total = sum(width for _, width in pieces) + gap * max(0, len(pieces) - 1)
        is_rtl = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        x = (self.width() - total) / 2
        for name, width in reversed(pieces) if is_rtl else pieces:
            self._paint_piece(painter, name, QRectF(x, 0, width, self.height()))
            x += width + gap

    def _colour(self) -> QColor:
        if not self.isEnabled():
            return self._theme.color("disabled")
        return self._theme.color(self._face.tone or _INK[self._face.kind])

    def _paint_piece(self, painter: QPainter, name: str, box: QRectF) -> None:
        colour = self._colour()
        painter.setPen(colour)
        centre = Qt.AlignmentFlag.AlignCenter
        if name in {"icon", "icon_after"}:
            side = self._icon_px
            icon = self._face.icon if name == "icon" else self._face.icon_after
            pixmap = self._context.icons.pixmap(icon, colour.name(), side)
            painter.drawPixmap(int(box.left()), (self.height() - side) // 2, pixmap)
        elif name == "text":
            painter.setFont(self._theme.font(self._role, bold=self._is_bold))
            painter.drawText(box, int(centre), self._face.text)
        elif name == "side":
            painter.setFont(self._theme.font(Type.CAPTION))
            painter.drawText(box, int(centre), self._face.side)
        else:
            paint_key(painter, box, self._face.key, self._theme, colour)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Let Enter press, as Space does."""
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter} and not event.isAutoRepeat():
            self.click()
            return
        if event.key() in {Qt.Key.Key_Up, Qt.Key.Key_Down}:
            # Qt would step to the next widget; a page knows better, or scrolls.
            event.ignore()
            return
        super().keyPressEvent(event)


def paint_key(
    painter: QPainter, box: QRectF, key: str, theme: Theme, colour: QColor | None = None
) -> None:
    """Paint a key cap with `key` in it, centred in `box`."""
    height = theme.size(22)
    cap = QRectF(box.left(), box.center().y() - height / 2, box.width(), height)
    ink = colour or theme.color("muted")
    frame = QColor(ink)
    frame.setAlphaF(0.45)
    painter.setPen(QPen(frame, 1))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(cap.adjusted(0.5, 0.5, -0.5, -0.5), 5, 5)
    painter.setPen(ink)
    painter.setFont(theme.font(Type.CAPTION))
    painter.drawText(cap, int(Qt.AlignmentFlag.AlignCenter), key)
