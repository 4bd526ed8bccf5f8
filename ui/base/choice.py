"""Widgets to choose with: chips, segments, ticks, radio rows, selects, steppers.

All are reached by Tab and pressed by Space or Enter; all paint their state by shape as well as
by colour.
"""

from collections.abc import Sequence
from typing import Final, cast

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QAbstractButton,
    QButtonGroup,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QListView,
    QSizePolicy,
    QWidget,
)

from ui.base.button import Button, Face
from ui.base.context import UiContext
from ui.base.text import label
from ui.base.theme import Type

TALL: Final = 40
"""From this height on a chip speaks in body size."""


class _Painted(QAbstractButton):
    """Common ground of the checkable widgets painted here."""

    def __init__(self, context: UiContext, text: str) -> None:
        super().__init__()
        self.context = context
        self.theme = context.theme
        self.setText(text)
        self.setCheckable(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Let Enter press, as Space does."""
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter} and not event.isAutoRepeat():
            self.click()
            return
        super().keyPressEvent(event)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Never narrower than its words."""
        return self.sizeHint()

    def ink(self) -> QColor:
        """Colour of the text in the state it has."""
        if not self.isEnabled():
            return self.theme.color("disabled")
        return self.theme.color("accent_text" if self.isChecked() else "ink")


class Chip(_Painted):
    """A pill that is on or off; `count` stands after the text."""

    def __init__(self, context: UiContext, text: str, *, count: str = "", height: int = 32) -> None:
        super().__init__(context, text)
        self._count = count
        self._height = height
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Room for the bold text, so that checking does not resize it."""
        bold = QFontMetrics(self.theme.font(self._role, bold=True))
        width = bold.horizontalAdvance(self.text()) + 2 * self.theme.size(12)
        if self._count:
            small = QFontMetrics(self.theme.font(Type.CAPTION))
            width += small.horizontalAdvance(self._count) + self.theme.size(6)
        height = self.theme.size(self._height)
        return QSize(max(width, height), height)

    @property
    def _role(self) -> Type:
        return Type.BODY if self._height >= TALL else Type.CAPTION

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint the pill."""
        theme = self.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        on = self.isChecked()
        fill = "accent_soft" if on else ("inset" if self.underMouse() else "surface")
        painter.setBrush(theme.color(fill))
        edge = "accent" if on or self.hasFocus() else "line2"
        painter.setPen(QPen(theme.color(edge), 2 if self.hasFocus() else 1))
        box = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        painter.drawRoundedRect(box, box.height() / 2, box.height() / 2)
        painter.setPen(self.ink())
        painter.setFont(theme.font(self._role, bold=on))
        if not self._count:
            painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), self.text())
            painter.end()
            return
        inner = box.adjusted(theme.size(11), 0, -theme.size(11), 0)
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(inner, int(Qt.AlignmentFlag.AlignLeading | middle), self.text())
        painter.setFont(theme.font(Type.CAPTION))
        painter.setPen(theme.color("muted"))
        painter.drawText(inner, int(Qt.AlignmentFlag.AlignTrailing | middle), self._count)
        painter.end()


class Tick(_Painted):
    """A check box with its words; `is_radio` makes it one of several."""

    def __init__(self, context: UiContext, text: str, *, is_radio: bool = False) -> None:
        super().__init__(context, text)
        self._is_radio = is_radio
        self.setAutoExclusive(is_radio)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Box, gap and bold words, 40 high."""
        font = self.theme.font(Type.BODY, bold=True)
        width = QFontMetrics(font).horizontalAdvance(self.text())
        return QSize(self.theme.size(20 + 10) + width + 6, self.theme.size(40))

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint box or ring, and the words."""
        theme = self.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        side = theme.size(20)
        is_rtl = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        left = self.width() - side - 3 if is_rtl else 3
        paint_tick(
            painter,
            QRectF(left, (self.height() - side) / 2, side, side),
            self,
            is_radio=self._is_radio,
        )
        painter.setPen(theme.color("ink" if self.isEnabled() else "disabled"))
        painter.setFont(theme.font(Type.BODY, bold=self.isChecked() and self._is_radio))
        shift = side + theme.size(10) + 3
        words = QRectF(self.rect()).adjusted(0 if is_rtl else shift, 0, -shift if is_rtl else 0, 0)
        align = Qt.AlignmentFlag.AlignLeading | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(words, int(align), self.text())
        painter.end()


def paint_tick(painter: QPainter, box: QRectF, button: _Painted, *, is_radio: bool) -> None:
    """Paint the box of a `Tick` (or of a row that looks like one) in the button's state."""
    theme = button.theme
    on = button.isChecked()
    edge = "accent" if on or button.hasFocus() else "line2"
    painter.setPen(QPen(theme.color(edge), 2 if on or button.hasFocus() else 1.4))
    painter.setBrush(theme.color("accent" if on else "surface"))
    radius = box.height() / 2 if is_radio else 5
    painter.drawRoundedRect(box.adjusted(1, 1, -1, -1), radius, radius)
    if button.hasFocus():
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(theme.color("accent_halo"), 2))
        painter.drawRoundedRect(box.adjusted(-1, -1, 1, 1), radius + 2, radius + 2)
    if not on:
        return
    if is_radio:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("on_accent"))
        inner = box.height() * 0.3
        painter.drawEllipse(box.adjusted(inner, inner, -inner, -inner))
        return
    icon = button.context.icons.pixmap("check", theme.hex("on_accent"), round(box.height() * 0.8))
    shift = box.height() * 0.1
    painter.drawPixmap(int(box.left() + shift), int(box.top() + shift), icon)


class ChoiceRow(_Painted):
    """A radio row with a bold line and an explanation below it."""

    def __init__(self, context: UiContext, text: str, hint: str = "") -> None:
        super().__init__(context, text)
        self._hint = hint
        self.setAutoExclusive(True)
        self.setAccessibleDescription(hint)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Two lines of words."""
        wide = QFontMetrics(self.theme.font(Type.BODY, bold=True)).horizontalAdvance(self.text())
        small = QFontMetrics(self.theme.font(Type.CAPTION)).horizontalAdvance(self._hint)
        height = 52 if self._hint else 44
        return QSize(max(wide, small) + self.theme.size(60), self.theme.size(height))

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint ring and words on the soft ground when chosen."""
        theme = self.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.isChecked() or self.underMouse():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("accent_soft" if self.isChecked() else "inset"))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 8, 8)
        side = theme.size(20)
        pad = theme.size(14)
        is_rtl = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        left = self.width() - pad - side if is_rtl else pad
        paint_tick(
            painter, QRectF(left, (self.height() - side) / 2, side, side), self, is_radio=True
        )
        shift = pad + side + theme.size(12)
        words = QRectF(self.rect()).adjusted(
            0 if is_rtl else shift, theme.size(5), -shift if is_rtl else 0, -theme.size(5)
        )
        painter.setPen(theme.color("ink" if self.isEnabled() else "disabled"))
        painter.setFont(theme.font(Type.BODY, bold=self.isChecked()))
        top = words if not self._hint else words.adjusted(0, 0, 0, -words.height() * 0.44)
        align = Qt.AlignmentFlag.AlignLeading | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(top, int(align), self.text())
        if self._hint:
            painter.setPen(theme.color("muted"))
            painter.setFont(theme.font(Type.CAPTION))
            below = words.adjusted(0, words.height() * 0.52, 0, 0)
            painter.drawText(below, int(align), self._hint)
        painter.end()


class _Segment(_Painted):
    def __init__(self, context: UiContext, text: str, icon: str) -> None:
        super().__init__(context, text)
        self._icon = icon
        self.is_icon_only = False

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        theme = self.theme
        if self.is_icon_only:
            return QSize(theme.size(18) + 2 * theme.size(12), theme.size(40))
        font = theme.font(Type.BODY, bold=True)
        width = QFontMetrics(font).horizontalAdvance(self.text()) + 2 * theme.size(16)
        if self._icon:
            width += theme.size(18 + 8)
        return QSize(width, theme.size(40))

    def set_icon_only(self, *, is_icon_only: bool) -> None:
        self.is_icon_only = is_icon_only and bool(self._icon)
        self.setToolTip(self.text() if self.is_icon_only else "")
        self.updateGeometry()
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        theme = self.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect())
        if self.isChecked() or self.underMouse():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("accent_soft" if self.isChecked() else "inset"))
            painter.drawRoundedRect(box.adjusted(2, 2, -2, -2), 8, 8)
        if self.hasFocus():
            painter.setPen(QPen(theme.color("accent"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(box.adjusted(2, 2, -2, -2), 8, 8)
        font = theme.font(Type.BODY, bold=self.isChecked())
        painter.setFont(font)
        painter.setPen(self.ink())
        if self.is_icon_only:
            side = theme.size(18)
            pixmap = self.context.icons.pixmap(self._icon, self.ink().name(), side)
            at = ((self.width() - side) // 2, (self.height() - side) // 2)
            painter.drawPixmap(*at, pixmap)
            painter.end()
            return
        if self._icon:
            side = theme.size(18)
            text_px = QFontMetrics(font).horizontalAdvance(self.text())
            left = int((self.width() - side - theme.size(8) - text_px) / 2)
            pixmap = self.context.icons.pixmap(self._icon, self.ink().name(), side)
            painter.drawPixmap(left, (self.height() - side) // 2, pixmap)
            box = QRectF(left + side + theme.size(8), 0, text_px + 2, self.height())
        painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), self.text())
        painter.end()


class Segments(QWidget):
    """Two to five exclusive words in one frame; ← and → move between them."""

    chosen = Signal(int)
    """Index of the segment a person pressed."""

    def __init__(
        self,
        context: UiContext,
        texts: Sequence[str],
        current: int = 0,
        *,
        icons: Sequence[str] = (),
    ) -> None:
        super().__init__()
        self._theme = context.theme
        self._group = QButtonGroup(self)
        self._group.setExclusive(True)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        for number, text in enumerate(texts):
            segment = _Segment(context, text, icons[number] if number < len(icons) else "")
            segment.setChecked(number == current)
            self._group.addButton(segment, number)
            row.addWidget(segment)
        self._group.idClicked.connect(self.chosen)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def current(self) -> int:
        """Index of the chosen segment."""
        return self._group.checkedId()

    def set_compact(self, *, is_compact: bool) -> None:
        """Let segments that have an icon do without their words."""
        for segment in self._group.buttons():
            cast("_Segment", segment).set_icon_only(is_icon_only=is_compact)

    def buttons(self) -> tuple[QAbstractButton, ...]:
        """Give the segments in order."""
        return tuple(self._group.buttons())

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint the common frame and the dividers."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self._theme.color("line2"), 1))
        painter.setBrush(self._theme.color("surface"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 10, 10)
        painter.setPen(QPen(self._theme.color("line"), 1))
        for segment in self._group.buttons()[1:]:
            left = segment.geometry().left()
            painter.drawLine(left, 8, left, self.height() - 8)
        painter.end()


class Select(QComboBox):
    """A combo box with the chevron of the icon set. Its list never hides the whole words."""

    def __init__(self, context: UiContext) -> None:
        super().__init__()
        self._context = context
        self.setView(QListView())
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(4)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint the sheet's box, then the chevron."""
        super().paintEvent(event)
        painter = QPainter(self)
        side = self._context.theme.size(18)
        colour = self._context.theme.hex("ink" if self.isEnabled() else "disabled")
        is_rtl = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        left = 12 if is_rtl else self.width() - side - 12
        pixmap = self._context.icons.pixmap("chevron-down", colour, side)
        painter.drawPixmap(left, (self.height() - side) // 2, pixmap)
        painter.end()


class Stepper(QWidget):
    """A number between less and more; the arrow keys and digits work on the buttons."""

    changed = Signal(int)

    def __init__(
        self, context: UiContext, value: int, *, least: int = 0, most: int = 99, height: int = 48
    ) -> None:
        super().__init__()
        self._least, self._most, self._value = least, most, value
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(context.theme.gap(8))
        self.less = Button(context, Face(icon="minus", height=height, gap=11))
        self.more = Button(context, Face(icon="plus", height=height, gap=11))
        self.less.setAccessibleName(context.words("frame.less"))
        self.more.setAccessibleName(context.words("frame.more"))
        self._figure: QLabel = label(str(value), Type.HEAD, is_bold=True)
        self._figure.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._figure.setMinimumWidth(context.theme.size(56))
        row.addWidget(self.less)
        row.addWidget(self._figure)
        row.addWidget(self.more)
        self.less.clicked.connect(self._on_less)
        self.more.clicked.connect(self._on_more)
        self._enable()
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def value(self) -> int:
        """Tell the number shown."""
        return self._value

    def set_value(self, value: int) -> None:
        """Show `value`, held inside its limits, and tell if it changed."""
        value = max(self._least, min(self._most, value))
        if value == self._value:
            return
        self._value = value
        self._figure.setText(str(value))
        self._enable()
        self.changed.emit(value)

    def _enable(self) -> None:
        self.less.setEnabled(self._value > self._least)
        self.more.setEnabled(self._value < self._most)

    def _on_less(self) -> None:
        self.set_value(self._value - 1)

    def _on_more(self) -> None:
        self.set_value(self._value + 1)


class Tile(_Painted):
    """A large choice that is on or off: a frame, a tick when on, words in the middle."""

    def __init__(self, context: UiContext, text: str, *, height: int = 56) -> None:
        super().__init__(context, text)
        self._height = height
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Room for tick and bold words in both states."""
        font = self.theme.font(Type.BODY, bold=True)
        width = QFontMetrics(font).horizontalAdvance(self.text())
        return QSize(width + self.theme.size(72), self.theme.size(self._height))

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint frame, tick and words."""
        theme, on = self.theme, self.isChecked()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        fill = "accent_soft" if on else ("inset" if self.underMouse() else "surface")
        painter.setBrush(theme.color(fill))
        edge = theme.color("accent" if on or self.hasFocus() else "line2")
        painter.setPen(QPen(edge, 2 if on or self.hasFocus() else 1))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 10, 10)
        if self.hasFocus():
            painter.setPen(QPen(theme.color("accent_halo"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(4, 4, -4, -4), 7, 7)
        font = theme.font(Type.BODY, bold=on)
        painter.setFont(font)
        painter.setPen(self.ink())
        painter.drawText(self.rect(), int(Qt.AlignmentFlag.AlignCenter), self.text())
        if on:
            side = theme.size(18)
            half = QFontMetrics(font).horizontalAdvance(self.text()) // 2
            shift = half + side + theme.size(8)
            is_rtl = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
            x = self.width() // 2 + (half + theme.size(8) if is_rtl else -shift)
            pixmap = self.context.icons.pixmap("check", self.ink().name(), side)
            painter.drawPixmap(x, (self.height() - side) // 2, pixmap)
        painter.end()
