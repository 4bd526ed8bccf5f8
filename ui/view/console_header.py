"""The head of the console: lesson and period, the grades, minutes left, the clock."""

from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QFrame, QSizePolicy

from client.domain.sitting import Showing
from client.domain.sitting_keys import Key
from client.service.sitting import SittingView
from ui.base.context import UiContext
from ui.base.layout import row, rows
from ui.base.text import ElidedLabel, label
from ui.base.theme import Type
from ui.view.clock_text import bell_time, countdown

_LEFT: Final = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)


class TrackChip(QAbstractButton):
    """One grade in the header: what it does and how long still. The one on stage is framed."""

    def __init__(self, context: UiContext) -> None:
        super().__init__()
        self._context = context
        self._parts = ("", "", "", "")
        self._is_on = False
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def tell(self, icon: str, name: str, doing: str, left: str, *, is_on: bool) -> None:
        """Show a track."""
        if (icon, name, doing, left) != self._parts or is_on != self._is_on:
            self._parts, self._is_on = (icon, name, doing, left), is_on
            self.setAccessibleName(" ".join((name, doing, left)).strip())
            self.updateGeometry()
            self.update()

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Room for all words."""
        theme = self._context.theme
        bold = QFontMetrics(theme.font(Type.BODY, bold=True))
        plain = QFontMetrics(theme.font(Type.BODY))
        _, name, doing, left = self._parts
        wide = bold.horizontalAdvance(name) + plain.horizontalAdvance(doing)
        wide += bold.horizontalAdvance(left) + (12 if left else 0)
        return QSize(wide + theme.size(18 + 10 + 10) + 2 * theme.gap(14), theme.size(48))

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint frame and words."""
        theme = self._context.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        painter.setBrush(theme.color("accent_soft" if self._is_on else "surface"))
        painter.setPen(QPen(theme.color("accent" if self._is_on else "line"), 2))
        painter.drawRoundedRect(box, 10, 10)
        icon, name, doing, left = self._parts
        side, x = theme.size(18), float(theme.gap(14))
        pixmap = self._context.icons.pixmap(icon, theme.hex("accent_text"), side)
        painter.drawPixmap(int(x), (self.height() - side) // 2, pixmap)
        x += side + theme.size(10)
        ink = theme.color("accent_text" if self._is_on else "ink")
        for text, bold, colour in (
            (name, True, ink),
            (doing, False, ink),
            (left, True, theme.color("amber_text")),
        ):
            if text:
                font = theme.font(Type.BODY, bold=bold)
                painter.setFont(font)
                painter.setPen(colour)
                painter.drawText(QRectF(x, 0, self.width(), self.height()), _LEFT, text)
                x += QFontMetrics(font).horizontalAdvance(text) + theme.size(10)
        painter.end()


class Header(QFrame):
    """Title and period, the grades, minutes left and the clock."""

    pressed = Signal(object, float)

    def __init__(self, context: UiContext) -> None:
        super().__init__()
        theme = context.theme
        self._context = context
        self.setFixedHeight(theme.size(64))
        line = row(self, gap=theme.gap(16))
        line.setContentsMargins(theme.gap(24), 0, theme.gap(24), 0)
        texts = rows(gap=0)
        self._title = ElidedLabel(theme, "", Type.TITLE, is_bold=True)
        self._place = ElidedLabel(theme, "", Type.CAPTION, tone="muted")
        texts.addStretch(1)
        texts.addWidget(self._title)
        texts.addWidget(self._place)
        texts.addStretch(1)
        line.addLayout(texts, 3)
        self.chips: list[TrackChip] = []
        self._is_compact = False
        self._chip_line = row(gap=theme.gap(12))
        line.addLayout(self._chip_line, 0)
        line.addStretch(1)
        self._left = label("", Type.BODY, tone="muted")
        self._clock = label("", Type.HEAD, is_bold=True)
        line.addWidget(self._left)
        line.addWidget(self._clock)

    def refresh(self, view: SittingView) -> None:
        """Show what is true now."""
        words, plan = self._context.words, view.track_plan
        self._title.set_text(plan.lesson.row.title)
        self._place.set_text(self._place_of(view))
        now = self._context.now()
        self._clock.setText(f"{now.hour:02}:{now.minute:02}")
        bell = view.plan.bell
        if bell is not None:
            left = bell.ends - (now.hour * 60 + now.minute)
            text = words.plural("classroom.left_min", left) if left > 0 else ""
            self._left.setText(text or words("classroom.over_time"))
            self._left.setVisible(not self._is_compact)
        if len(view.state.tracks) > 1:
            self._refresh_chips(view)

    def set_compact(self, *, is_compact: bool) -> None:
        """Leave out minutes left and what a grade does where the place is narrow."""
        self._is_compact = is_compact

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint surface and lower line."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._context.theme.color("surface"))
        painter.fillRect(0, self.height() - 1, self.width(), 1, self._context.theme.color("line"))
        painter.end()

    def _place_of(self, view: SittingView) -> str:
        words, plan, bell = self._context.words, view.track_plan, view.plan.bell
        parts = [" ".join(part for part in (plan.class_name, plan.subject) if part)]
        if bell is not None:
            parts.append(
                words(
                    "classroom.period",
                    n=bell.period,
                    begins=bell_time(bell.begins),
                    ends=bell_time(bell.ends),
                )
            )
        return " · ".join(part for part in parts if part)

    def _refresh_chips(self, view: SittingView) -> None:
        words = self._context.words
        while len(self.chips) < len(view.state.tracks):
            chip = TrackChip(self._context)
            chip.clicked.connect(self._on_chip)
            self.chips.append(chip)
            self._chip_line.addWidget(chip)
        for index, (chip, track) in enumerate(zip(self.chips, view.state.tracks, strict=True)):
            is_on = index == view.state.on_stage
            left = ""
            if track.timer is not None:
                left = words("classroom.left", left=countdown(track.timer.left_s))
            doing, icon = "classroom.doing_task", "file-text"
            if is_on:
                pages = track.showing is Showing.PAGES
                doing = "classroom.doing_pages" if pages else "classroom.doing_video"
                icon = "presentation" if pages else "circle-play"
            name = view.plan.tracks[index].class_name
            what = "" if self._is_compact else words(doing)
            chip.tell(icon, name, what, left, is_on=is_on)
            chip.setProperty("on", is_on)

    def _on_chip(self) -> None:
        """Give the stage to the grade that was pressed."""
        sender = self.sender()
        if isinstance(sender, TrackChip) and sender.property("on") is not True:
            self.pressed.emit(Key.SWITCH, 0.0)
