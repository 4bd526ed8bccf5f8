"""Layouts and frames: flow of chips, cards, dividers, scrolling pages of limited width."""

from collections.abc import Callable
from typing import TypeVar

from PySide6.QtCore import QMargins, QPoint, QRect, QSize, Qt
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QLayout,
    QLayoutItem,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from ui.base.context import UiContext

L = TypeVar("L", bound=QBoxLayout)


class FlowLayout(QLayout):
    """Puts things in a row and breaks it where the width ends. Mirrors in RTL."""

    def __init__(self, parent: QWidget | None = None, *, gap: int = 8) -> None:
        super().__init__(parent)
        self._items: list[QLayoutItem] = []
        self._gap = gap
        self.setContentsMargins(QMargins(0, 0, 0, 0))

    def addItem(self, item: QLayoutItem) -> None:  # noqa: N802 - Qt's name
        """Append an item."""
        self._items.append(item)

    def count(self) -> int:
        """Count the items."""
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:  # noqa: N802 - Qt's name
        """Item number `index`, None past the end."""
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:  # type: ignore[override]  # noqa: N802 - Qt's name
        """Remove and give item number `index`."""
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def hasHeightForWidth(self) -> bool:  # noqa: N802 - Qt's name
        """Its height follows from its width."""
        return True

    def heightForWidth(self, width: int) -> int:  # noqa: N802 - Qt's name
        """Height of all rows at `width`."""
        return self._arrange(QRect(0, 0, width, 0), is_real=False)

    def setGeometry(self, rect: QRect) -> None:  # noqa: N802 - Qt's name
        """Place the items."""
        super().setGeometry(rect)
        self._arrange(rect, is_real=True)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """All items in one row."""
        sizes = [item.sizeHint() for item in self._items]
        width = sum(size.width() for size in sizes) + self._gap * max(0, len(sizes) - 1)
        return QSize(width, max((size.height() for size in sizes), default=0))

    def minimumSize(self) -> QSize:  # noqa: N802 - Qt's name
        """Fit the largest single item."""
        size = QSize()
        for item in self._items:
            size = size.expandedTo(item.minimumSize())
        return size

    def _arrange(self, rect: QRect, *, is_real: bool) -> int:
        parent = self.parentWidget()
        is_rtl = parent is not None and (parent.layoutDirection() is Qt.LayoutDirection.RightToLeft)
        x, y, row = 0, 0, 0
        for item in self._items:
            widget = item.widget()
            if widget is not None and widget.isHidden():
                continue
            size = item.sizeHint()
            width = min(size.width(), rect.width())
            if x > 0 and x + width > rect.width():
                x, y, row = 0, y + row + self._gap, 0
            if is_real:
                left = rect.right() + 1 - x - width if is_rtl else rect.left() + x
                item.setGeometry(QRect(QPoint(left, rect.top() + y), QSize(width, size.height())))
            x += width + self._gap
            row = max(row, size.height())
        return y + row


def rows(parent: QWidget | None = None, *, gap: int = 0) -> QVBoxLayout:
    """Make a column layout without margins."""
    made = QVBoxLayout(parent) if parent is not None else QVBoxLayout()
    return _bare(made, gap)


def row(parent: QWidget | None = None, *, gap: int = 0) -> QHBoxLayout:
    """Make a row layout without margins."""
    made = QHBoxLayout(parent) if parent is not None else QHBoxLayout()
    return _bare(made, gap)


def _bare(layout: L, gap: int) -> L:
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(gap)
    return layout


def clear(layout: QLayout) -> None:
    """Remove everything from `layout` and delete its widgets."""
    while layout.count():
        item = layout.takeAt(0)
        widget = item.widget()
        inner = item.layout()
        if widget is not None:
            widget.hide()
            widget.setParent(None)
            widget.deleteLater()
        elif inner is not None:  # type: ignore[unreachable]  # the stubs never give None
            clear(inner)


class Paper(QFrame):
    """A paper card: true, next (2 px accent), done (no fill) or inset."""

    def __init__(self, kind: str = "true") -> None:
        super().__init__()
        self.setProperty("card", kind)


def divider(*, is_vertical: bool = False) -> QFrame:
    """Make a 1 px line."""
    made = QFrame()
    made.setProperty("divider", "v" if is_vertical else "h")
    return made


def _no_key(_key: int) -> bool:
    return False


class Fold(QWidget):
    """Two things side by side, or one above the other where that is too narrow."""

    def __init__(self, context: UiContext, *, gap: int = 24, least_px: int = 840) -> None:
        super().__init__()
        self._least = context.theme.size(least_px)
        self._line = _bare(QBoxLayout(QBoxLayout.Direction.LeftToRight, self), 0)
        self._line.setSpacing(context.theme.gap(gap))

    def add(self, widget: QWidget, share: int) -> None:
        """Append a thing with its share of the width."""
        self._line.addWidget(widget, share)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Ask for the width of the folded form only, so that folding can happen."""
        hints = [self._line.itemAt(n).minimumSize() for n in range(self._line.count())]
        width = max((hint.width() for hint in hints), default=0)
        return QSize(width, self._line.minimumSize().height())

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Fold or unfold."""
        super().resizeEvent(event)
        is_wide = self.width() >= self._least
        side, below = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom
        self._line.setDirection(side if is_wide else below)


class Page(QScrollArea):
    """A scrolling page whose content stays centred and at most `most_px` wide.

    Put things into `body` (a column). `most_px` 0 lets the content fill the window.
    """

    def __init__(self, context: UiContext, *, most_px: int = 1280, margin: int = 24) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.take_key: Callable[[int], bool] = _no_key
        """Asked before a key scrolls the page; true when it did something."""
        ground = QWidget()
        ground.setProperty("scrolled", "true")
        outer = row(ground)
        gap = context.theme.gap(margin)
        outer.setContentsMargins(gap, context.theme.gap(16), gap, context.theme.gap(16))
        self.content = QWidget()
        if most_px:
            self.content.setMaximumWidth(context.theme.size(most_px))
        self.content.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.body = rows(self.content, gap=context.theme.gap(16))
        outer.addWidget(self.content, 1)
        self.setWidget(ground)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Let the page use the key before it scrolls."""
        if self.take_key(event.key()):
            event.accept()
            return
        super().keyPressEvent(event)

    def show_widget(self, widget: QWidget) -> None:
        """Scroll so that `widget` is seen."""
        self.ensureWidgetVisible(widget, 0, 48)
