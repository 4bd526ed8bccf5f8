"""The top bar: class switch, search, link chip, clock.

Invariants:
  A1  The chip is neutral in every state; offline is no alarm.
  A2  When the bar is narrow, details leave in a fixed order and nothing is cut off.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QFontMetrics,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QShortcut,
)
from PySide6.QtWidgets import QAbstractButton, QLineEdit, QSizePolicy, QWidget

from ui.base.button import paint_key
from ui.base.choice import Segments
from ui.base.context import UiContext
from ui.base.layout import row
from ui.base.text import label
from ui.base.theme import Type
from ui.base.widgets import day_name, when_text
from ui.viewmodel.frame import FrameModel

HEIGHT: Final = 64
_SEARCH_MOST: Final = 320


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fit:
    search: int
    detail: int
    has_date: bool
    is_compact: bool


_FITS: Final = (
    _Fit(search=320, detail=2, has_date=True, is_compact=False),
    _Fit(search=320, detail=1, has_date=True, is_compact=False),
    _Fit(search=200, detail=1, has_date=True, is_compact=False),
    _Fit(search=200, detail=1, has_date=False, is_compact=False),
    _Fit(search=150, detail=0, has_date=False, is_compact=False),
    _Fit(search=90, detail=0, has_date=False, is_compact=True),
    _Fit(search=90, detail=-1, has_date=False, is_compact=True),
)
"""From roomy to tight: what leaves first (A2)."""


class SearchBox(QLineEdit):
    """Search from anywhere. Down or Enter goes into the results, Esc gives up."""

    entered = Signal()
    left = Signal()

    def __init__(self, context: UiContext) -> None:
        super().__init__()
        self._context = context
        theme = context.theme
        self.setObjectName("search")
        self.setPlaceholderText(context.words("frame.search"))
        self.setAccessibleName(context.words("frame.search_name"))
        self.setTextMargins(theme.size(28), 0, theme.size(4), 0)
        self.setMinimumWidth(theme.size(150))
        self.setMaximumWidth(theme.size(_SEARCH_MOST))
        self.setClearButtonEnabled(False)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Send the three leaving keys on."""
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Down}:
            self.entered.emit()
            return
        if event.key() == Qt.Key.Key_Escape:
            self.clear()
            self.left.emit()
            return
        super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint the glass, and the key that leads here while it is empty."""
        super().paintEvent(event)
        theme = self._context.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        side = theme.size(18)
        pixmap = self._context.icons.pixmap("search", theme.hex("muted"), side)
        is_rtl = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        left = self.width() - side - 12 if is_rtl else 12
        painter.drawPixmap(left, (self.height() - side) // 2, pixmap)
        font = theme.font(Type.BODY)
        hint = QFontMetrics(font).horizontalAdvance(self.placeholderText())
        key = theme.size(58)
        if not self.text() and not self.hasFocus() and hint + key + theme.size(64) < self.width():
            at = 10 if is_rtl else self.width() - key - 10
            paint_key(painter, QRectF(at, 0, key, self.height()), "Ctrl+K", theme)
        painter.end()


class LinkChip(QAbstractButton):
    """Icon, kind, what waits, what came. `detail` -1 (icon alone) to 2 says how much of it."""

    def __init__(self, context: UiContext, model: FrameModel) -> None:
        super().__init__()
        self._context = context
        self._model = model
        self.detail = 2
        self.setObjectName("link-chip")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.refresh()

    def refresh(self) -> None:
        """Show the model's newest line."""
        self.setText(self._context.words(self._model.link.kind_key))
        spoken = ", ".join(part for part in (self.text(), *self._facts(2)) if part)
        self.setAccessibleName(spoken)
        self.setToolTip(self._context.words("frame.link_name"))
        self.updateGeometry()
        self.update()

    def _facts(self, detail: int) -> tuple[str, ...]:
        words, link = self._context.words, self._model.link
        waiting = (
            words.plural("frame.link_waiting", link.waiting)
            if link.waiting
            else words("frame.link_nothing")
        )
        contact = when_text(self._context, link.last_contact_ms)
        received = words("frame.link_received", size=words.size(link.bytes_received))
        facts = {
            -1: (),
            0: (),
            1: (waiting if link.waiting else "",),
            2: (contact, waiting, received if link.bytes_received else ""),
        }
        return tuple(part for part in facts[detail] if part)

    def width_at(self, detail: int) -> int:
        """Tell the width with so much detail."""
        theme = self._context.theme
        if detail < 0:
            return theme.size(18 + 32)
        bold = QFontMetrics(theme.font(Type.CAPTION, bold=True))
        plain = QFontMetrics(theme.font(Type.CAPTION))
        rest = " · ".join(self._facts(detail))
        width = theme.size(18 + 8 + 32) + bold.horizontalAdvance(self.text())
        return width + (plain.horizontalAdvance(rest) + theme.size(8) if rest else 0)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Room for the detail it shows."""
        return QSize(self.width_at(self.detail), self._context.theme.size(40))

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Never cut."""
        return self.sizeHint()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint the pill (A1)."""
        theme = self._context.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        painter.setBrush(theme.color("inset" if self.underMouse() else "surface"))
        edge, width = ("accent", 2) if self.hasFocus() else ("line", 1)
        painter.setPen(QPen(theme.color(edge), width))
        painter.drawRoundedRect(box, box.height() / 2, box.height() / 2)
        side = theme.size(18)
        pixmap = self._context.icons.pixmap(self._model.link.icon, theme.hex("ink"), side)
        x = theme.size(16)
        is_rtl = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        left = self.width() - x - side if is_rtl else x
        painter.drawPixmap(left, (self.height() - side) // 2, pixmap)
        if self.detail < 0:
            painter.end()
            return
        bold = theme.font(Type.CAPTION, bold=True)
        align = int(Qt.AlignmentFlag.AlignLeading | Qt.AlignmentFlag.AlignVCenter)
        shift = x + side + theme.size(8)
        inner = box.adjusted(0, 0, -shift, 0) if is_rtl else box.adjusted(shift, 0, 0, 0)
        painter.setFont(bold)
        painter.setPen(theme.color("ink"))
        painter.drawText(inner, align, self.text())
        taken = QFontMetrics(bold).horizontalAdvance(self.text()) + theme.size(8)
        inner = inner.adjusted(0, 0, -taken, 0) if is_rtl else inner.adjusted(taken, 0, 0, 0)
        painter.setFont(theme.font(Type.CAPTION))
        painter.setPen(theme.color("muted"))
        painter.drawText(inner, align, " · ".join(self._facts(self.detail)))
        painter.end()


class TopBar(QWidget):
    """All of it in one row."""

    searched = Signal(str)
    search_entered = Signal()
    search_left = Signal()
    link_pressed = Signal()

    def __init__(self, context: UiContext, model: FrameModel) -> None:
        super().__init__()
        theme = context.theme
        self._context = context
        self._model = model
        self.setFixedHeight(theme.size(HEIGHT))
        self._line = row(self, gap=theme.gap(16))
        self._line.setContentsMargins(theme.gap(24), 0, theme.gap(24), 0)
        self._switch: Segments | None = None
        self._classes: tuple[object, ...] = ()
        self.search = SearchBox(context)
        self.search.textEdited.connect(self.searched)
        self.search.entered.connect(self.search_entered)
        self.search.left.connect(self.search_left)
        self._line.addWidget(self.search, 1)
        self._line.addStretch(0)
        self._line.addStretch(1)
        self.chip = LinkChip(context, model)
        self.chip.clicked.connect(self.link_pressed)
        self._line.addWidget(self.chip)
        self._date = label("", Type.BODY, tone="muted")
        mark = context.words("frame.clock_unsure")
        self._unsure = label(mark, Type.CAPTION, tone="amber", is_bold=True)
        self._unsure.setToolTip(context.words("frame.clock_unsure_hint"))
        self._time = label("", Type.TITLE, is_bold=True)
        for part in (self._date, self._unsure, self._time):
            self._line.addWidget(part)
        QShortcut(QKeySequence("Ctrl+K"), self, self.focus_search)
        model.changed.connect(self.refresh)
        self._ticker = QTimer(self)
        self._ticker.setInterval(1000)
        self._ticker.timeout.connect(self._tick)
        self._ticker.start()
        self.refresh()

    def refresh(self) -> None:
        """Show the model's newest state."""
        if self._model.classes != self._classes:
            self._classes = self._model.classes
            self._build_switch()
        self.chip.refresh()
        self._unsure.setVisible(not self._model.is_time_sure)
        self._tick()
        self._fit()

    def focus_search(self) -> None:
        """Go to the search box from anywhere."""
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.selectAll()

    def clear_search(self) -> None:
        """Empty the box without searching."""
        self.search.clear()

    def _build_switch(self) -> None:
        if self._switch is not None:
            self._line.removeWidget(self._switch)
            self._switch.deleteLater()
            self._switch = None
        groups = self._model.classes
        if len(groups) <= 1:
            return
        names = [*(group.name for group in groups), self._context.words("frame.side_by_side")]
        ids = [*(group.id for group in groups), ""]
        icons = [*("" for _ in groups), "columns-2"]
        current = ids.index(self._model.shown_class) if self._model.shown_class in ids else -1
        self._switch = Segments(self._context, names, current, icons=icons)
        self._switch.setAccessibleName(self._context.words("frame.class_switch"))
        self._switch.chosen.connect(lambda at: self._model.show_class(ids[at]))
        self._line.insertWidget(0, self._switch)

    def _tick(self) -> None:
        now = self._context.now()
        text = f"{now:%H:%M}"
        if text != self._time.text():
            self._time.setText(text)
            self._date.setText(self._date_text(now))
            self._fit()

    def _date_text(self, now: datetime) -> str:
        weekday = day_name(self._context, now.isoweekday())
        return self._context.words("frame.date", month=now.month, day=now.day, weekday=weekday)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Drop details until it fits (A2)."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        for fit in _FITS:
            if self._needed(fit) <= self.width() or fit is _FITS[-1]:
                self._use(fit)
                return

    def _needed(self, fit: "_Fit") -> int:
        theme = self._context.theme
        widths = [theme.size(fit.search), self.chip.width_at(fit.detail)]
        widths.append(self._time.sizeHint().width())
        if self._switch is not None:
            self._switch.set_compact(is_compact=fit.is_compact)
            widths.append(self._switch.sizeHint().width())
        if fit.has_date:
            widths.append(self._date.sizeHint().width())
        if not self._model.is_time_sure:
            widths.append(self._unsure.sizeHint().width())
        # Two stretches stand between search and chip.
        return sum(widths) + self._line.spacing() * (len(widths) + 1) + 2 * theme.gap(24)

    def _use(self, fit: "_Fit") -> None:
        theme = self._context.theme
        self._date.setVisible(fit.has_date)
        self.chip.detail = fit.detail
        self.chip.updateGeometry()
        self.search.setMinimumWidth(theme.size(fit.search))
        long, short = self._context.words("frame.search"), self._context.words("frame.search_short")
        metrics = QFontMetrics(theme.font(Type.BODY))
        is_long = metrics.horizontalAdvance(long) + theme.size(84) <= theme.size(_SEARCH_MOST)
        is_wide = fit.search >= _SEARCH_MOST and is_long
        self.search.setPlaceholderText(long if is_wide else short)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint the ground and the line below."""
        theme = self._context.theme
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.color("bg"))
        painter.fillRect(0, self.height() - 1, self.width(), 1, theme.color("line"))
        painter.end()
