"""A panel beside the thing it belongs to. A click outside, or Esc, closes it; nothing is modal.

Invariants:
  O1  A popover stays inside its window, and the focus returns to where it was when it closes.
"""

from typing import Final, cast

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QFrame,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from ui.base.context import UiContext
from ui.base.layout import rows
from ui.base.paint import paint_shadow

ARROW: Final = 10
_EDGE: Final = 12
CLOSE: Final = "popover-close"
"""Object name of the button that closes a popover."""
_SETTLED: Final = Qt.WidgetAttribute.WA_WState_ExplicitShowHide


class Popover(QWidget):
    """Covers the whole window invisibly and shows one panel; fill `body`, then `open_at`."""

    closed = Signal()

    def __init__(self, context: UiContext, window: QWidget, *, width: int = 404) -> None:
        super().__init__(window.window())
        self._window = window.window()
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._context = context
        self._before: QWidget | None = None
        self._tip = QPoint()
        self._box = QRect()
        self.panel = QScrollArea(self)
        self.panel.setFrameShape(QFrame.Shape.NoFrame)
        self.panel.setWidgetResizable(True)
        self.panel.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.panel.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.panel.setFixedWidth(min(context.theme.size(width), self._window.width() - 24))
        content = QWidget()
        content.setProperty("scrolled", "true")
        self.panel.setWidget(content)
        self.body: QVBoxLayout = rows(content, gap=context.theme.gap(12))
        margin = context.theme.gap(20)
        self.body.setContentsMargins(margin, margin, margin, margin)

    def open_at(self, anchor: QWidget, area: QRect | None = None) -> None:
        """Show beside `anchor` (or beside `area` of it), on the side that has room."""
        self._before = QApplication.focusWidget()
        window = self._window
        self.setGeometry(window.rect())
        local = area if area is not None else anchor.rect()
        self._box = QRect(anchor.mapTo(window, local.topLeft()), local.size())
        self.refit()
        self.show()
        self.raise_()
        self._focus_inside()

    def _focus_inside(self) -> None:
        """Begin at what is chosen, else at the first thing that is not the close button."""
        buttons = [
            one
            for one in cast("list[QAbstractButton]", self.panel.findChildren(QAbstractButton))
            if one.objectName() != CLOSE and one.isEnabled() and one.focusPolicy()
        ]
        chosen = [one for one in buttons if one.isCheckable() and one.isChecked()]
        for target in (*chosen, *buttons, self.panel):
            target.setFocus()
            return

    def refit(self) -> None:
        """Place the panel again, after its content changed."""
        box = self._box
        for child in cast("list[QWidget]", self.panel.findChildren(QWidget)):
            # A widget put into a living layout is shown by the event loop only, and until then
            # counts for nothing.
            if child.isHidden() and not child.isWindow() and not child.testAttribute(_SETTLED):
                child.show()
            child.ensurePolished()  # else it has not the height that it is going to have
        self.body.activate()
        width = self.panel.width()
        if self.body.hasHeightForWidth():
            height = self.body.totalHeightForWidth(width)
        else:
            height = self.body.totalSizeHint().height()
        self.panel.resize(width, min(height, self.height() - 2 * _EDGE))
        size = self.panel.size()
        right = box.right() + ARROW + 2
        x = (
            right
            if right + size.width() + 12 <= self.width()
            else box.left() - ARROW - size.width()
        )
        x = max(12, min(x, self.width() - size.width() - 12))
        y = max(12, min(box.top() - 24, self.height() - size.height() - 12))
        beside = x >= box.right() or x + size.width() <= box.left()
        if not beside:
            y = box.bottom() + ARROW
            if y + size.height() + 12 > self.height():
                y = max(12, box.top() - ARROW - size.height())
        self.panel.move(x, y)
        self._tip = QPoint(
            box.right() if x >= box.right() else box.left(),
            max(y + 24, min(box.center().y(), y + size.height() - 24)),
        )
        if not beside:
            self._tip = QPoint()
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint shadow, paper and arrow."""
        theme = self._context.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.panel.geometry())
        if not theme.is_low_power:
            paint_shadow(painter, box, theme.palette)
        painter.setBrush(theme.color("surface"))
        painter.setPen(QPen(theme.color("accent"), 2))
        painter.drawRoundedRect(box.adjusted(1, 1, -1, -1), 10, 10)
        if not self._tip.isNull():
            self._paint_arrow(painter, box)
        painter.end()

    def _paint_arrow(self, painter: QPainter, box: QRectF) -> None:
        y = float(self._tip.y())
        at_left = self._tip.x() <= box.left()
        edge = box.left() + 2 if at_left else box.right() - 2
        out = edge - ARROW if at_left else edge + ARROW
        painter.drawPolyline(
            QPolygonF([QPointF(edge, y - ARROW), QPointF(out, y), QPointF(edge, y + ARROW)])
        )
        painter.setPen(QPen(self._context.theme.color("surface"), 3))
        painter.drawLine(QPointF(edge, y - ARROW + 2), QPointF(edge, y + ARROW - 2))

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Close on a click outside the panel."""
        if not self.panel.geometry().contains(event.position().toPoint()):
            self.close()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Close on Esc."""
        if event.key() == Qt.Key.Key_Escape:
            self.close()
            return
        super().keyPressEvent(event)

    def closeEvent(self, event: object) -> None:  # noqa: N802 - Qt's name
        """Give the focus back (O1)."""
        del event
        if self._before is not None and self._before.isVisible():
            self._before.setFocus()
        self.closed.emit()
