"""The left rail: the stations that exist, as icon and word."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QSizePolicy, QWidget

from ui.base.context import UiContext
from ui.base.layout import rows
from ui.base.paint import paint_mark
from ui.base.theme import Type

WIDTH: Final = 88


@dataclass(frozen=True, slots=True, kw_only=True)
class RailEntry:
    """A station: its name is also its message key `frame.<name>`."""

    name: str
    icon: str
    is_at_foot: bool = False


class RailButton(QAbstractButton):
    """One station."""

    def __init__(self, context: UiContext, entry: RailEntry, number: int) -> None:
        super().__init__()
        self._context = context
        self._entry = entry
        self.setText(context.words(f"frame.{entry.name}"))
        self.setObjectName(f"rail-{entry.name}")
        self.setToolTip(f"Ctrl+{number}")
        self.setCheckable(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Icon over word."""
        theme = self._context.theme
        return QSize(theme.gap(WIDTH), theme.size(68))

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Let Enter press, as Space does."""
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self.click()
            return
        super().keyPressEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint paper and marker when chosen, then icon and word."""
        theme = self._context.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(8.5, 1.5, -8.5, -1.5)
        self._paint_ground(painter, box)
        token = "accent_text" if self.isChecked() else "muted"
        side = theme.size(24)
        pixmap = self._context.icons.pixmap(self._entry.icon, theme.hex(token), side)
        top = (self.height() - side - theme.size(22)) // 2
        painter.drawPixmap((self.width() - side) // 2, top, pixmap)
        painter.setPen(theme.color(token))
        painter.setFont(theme.font(Type.CAPTION, bold=self.isChecked()))
        words = QRectF(0, top + side + theme.size(2), self.width(), theme.size(20))
        painter.drawText(words, int(Qt.AlignmentFlag.AlignCenter), self.text())
        painter.end()

    def _paint_ground(self, painter: QPainter, box: QRectF) -> None:
        theme = self._context.theme
        if self.isChecked():
            painter.setBrush(theme.color("surface"))
            painter.setPen(QPen(theme.color("line"), 1))
            painter.drawRoundedRect(box, 10, 10)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("accent"))
            is_rtl = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
            left = self.width() - 2 if is_rtl else -2
            tall = theme.size(30)
            bar = QRectF(left, (self.height() - tall) / 2, 5, tall)
            painter.drawRoundedRect(bar, 2, 2)
        elif self.underMouse():
            painter.setBrush(theme.color("pressed"))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.drawRoundedRect(box, 10, 10)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(theme.color("accent"), 2))
            painter.drawRoundedRect(box, 10, 10)


class _Mark(QWidget):
    def __init__(self, context: UiContext) -> None:
        super().__init__()
        self._context = context
        side = context.theme.size(44)
        self.setFixedSize(side, side)
        self.setAccessibleName(context.words("frame.title"))

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        painter = QPainter(self)
        paint_mark(painter, self.width(), self._context.theme.palette)
        painter.end()


class Rail(QWidget):
    """All stations from top to foot."""

    chosen = Signal(str)

    def __init__(self, context: UiContext, entries: Sequence[RailEntry]) -> None:
        super().__init__()
        theme = context.theme
        self._context = context
        self.setFixedWidth(theme.gap(WIDTH))
        self._group = QButtonGroup(self)
        self._buttons: dict[str, RailButton] = {}
        body = rows(self, gap=theme.gap(6))
        body.setContentsMargins(0, theme.gap(10), 0, theme.gap(12))
        body.addWidget(_Mark(context), 0, Qt.AlignmentFlag.AlignHCenter)
        body.addSpacing(theme.gap(8))
        has_foot = False
        for number, entry in enumerate(entries, 1):
            if entry.is_at_foot and not has_foot:
                body.addStretch(1)
                has_foot = True
            button = RailButton(context, entry, number)
            button.clicked.connect(lambda _=False, name=entry.name: self.chosen.emit(name))
            self._group.addButton(button)
            self._buttons[entry.name] = button
            body.addWidget(button)
        if not has_foot:
            body.addStretch(1)

    def show_station(self, name: str) -> None:
        """Mark the station that is open."""
        if name in self._buttons:
            self._buttons[name].setChecked(True)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint the rail's ground and its edge."""
        theme = self._context.theme
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.color("rail"))
        is_rtl = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        x = 0 if is_rtl else self.width() - 1
        painter.fillRect(x, 0, 1, self.height(), theme.color("line"))
        painter.end()
