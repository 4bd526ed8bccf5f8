"""A bar that shows how much of something is here or done."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui.base.context import UiContext


class Bar(QWidget):
    """How much of something is here."""

    def __init__(self, context: UiContext, name: str = "") -> None:
        super().__init__()
        self._theme = context.theme
        self._share = 0.0
        self._tone = "accent"
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Any width, 8 pixels high."""
        return QSize(self._theme.size(160), self._theme.size(8))

    def set_share(self, share: float, tone: str = "accent") -> None:
        """Show a share from 0 to 1 in a theme colour."""
        share = min(1.0, max(0.0, share))
        if (share, tone) != (self._share, self._tone):
            self._share, self._tone = share, tone
            self.setAccessibleDescription(f"{round(share * 100)} %")
            self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint the ground and what is here on it."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        box = QRectF(self.rect())
        radius = box.height() / 2
        painter.setBrush(self._theme.color("inset"))
        painter.drawRoundedRect(box, radius, radius)
        if self._share > 0:
            width = max(box.height(), box.width() * self._share)
            is_rtl = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
            left = box.width() - width if is_rtl else 0.0
            painter.setBrush(self._theme.color(self._tone))
            painter.drawRoundedRect(QRectF(left, 0, width, box.height()), radius, radius)
        painter.end()
