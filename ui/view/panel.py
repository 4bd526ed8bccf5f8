"""The panel over the lower third of a mirrored stage: prompt, counts or time line, five keys.

Invariants:
  PN1  It is at most 34 % high, so that the question above (laid out in the upper 590 of 900)
       is never covered.
  PN2  It comes with a key or click, its top edge runs down over `SHOWN_MS`, then it goes; while
       a count is being entered it stays.
  PN3  What it says is fit for pupils' eyes: no right answer, no name.
"""

from typing import Final

from PySide6.QtCore import QElapsedTimer, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QWidget

from client.domain.sitting_keys import Key
from client.service.sitting import SittingView
from ui.base.context import UiContext
from ui.view.class_key import PANEL_SKIN, ClassKey, Look
from ui.view.class_words import key_look, say_line, tool_look
from ui.view.panel_rows import Tallies, TimeLine, paint_heads
from ui.viewmodel.class_lines import (
    Line,
    Tone,
    five_keys,
    is_tallying,
    prompt_line,
    tools,
    uncounted,
)
from ui.viewmodel.classroom import ClassroomModel

SHOWN_MS: Final = 3000
STEP_MS: Final = 60
TALL: Final = 283
"""Height with counts or tools, of 900."""
MIDDLE: Final = 232
"""With the time line."""
LOW: Final = 187
"""With prompt and keys only."""
GROUND: Final = "#16181D"
TEXT: Final = "#F2F4F7"
HINT: Final = "#C3CAD6"
EDGE: Final = "#4FC398"
_LEFT: Final = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)


class Panel(QWidget):
    """Lies in its stage's window; `poke` shows it, `rest` hides it."""

    pressed = Signal(object, float)
    """A key was clicked: `Key` and its number."""
    end_held = Signal()
    confirmed = Signal(bool)
    """学生能看到，仍要打开? was answered."""

    def __init__(self, context: UiContext, model: ClassroomModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._context = context
        self._model = model
        self._clock = QElapsedTimer()
        self._timer = QTimer(self)
        self._timer.setInterval(STEP_MS)
        self._timer.timeout.connect(self._on_step)
        self._unit = 1.0
        self._stage_size = (1600, 900)
        self._line = prompt_line(model.view)
        self._notice: Line | None = None
        self._is_more = False
        self._asks = False
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setCursor(Qt.CursorShape.ArrowCursor)
        self._make_keys()
        model.changed.connect(self.refresh)
        self.hide()
        self.refresh()

    # --- building -----------------------------------------------------------------------

    def _key(self, look: Look, act: Key, n: float = 0.0) -> ClassKey:
        made = ClassKey(self._context, PANEL_SKIN, look)
        made.setParent(self)
        made.clicked.connect(lambda: self.pressed.emit(act, n))
        return made

    def _make_keys(self) -> None:
        view = self._model.view
        words = self._context.words
        self.keys: dict[Key, ClassKey] = {}
        for face in five_keys(view):
            look = key_look(self._context, face)
            if face.key is Key.END:
                made = ClassKey(self._context, PANEL_SKIN, look)
                made.setParent(self)
                made.held.connect(self.end_held)
            else:
                made = self._key(look, face.key)
            self.keys[face.key] = made
        self.more = ClassKey(
            self._context, PANEL_SKIN, Look(icon="ellipsis", word=words("classroom.more"))
        )
        self.more.setParent(self)
        self.more.clicked.connect(self.toggle_more)
        self.less_heads = self._key(Look(icon="minus", cap=""), Key.HEAD_LESS)
        self.more_heads = self._key(Look(icon="plus", cap=""), Key.HEAD_MORE)
        self.less_heads.setAccessibleName(words("classroom.fewer"))
        self.more_heads.setAccessibleName(words("classroom.more_heads"))
        self.open_anyway = ClassKey(
            self._context, PANEL_SKIN, Look(word=words("classroom.open"), role="next")
        )
        self.leave_shut = ClassKey(self._context, PANEL_SKIN, Look(word=words("classroom.leave")))
        for button, answer in ((self.open_anyway, True), (self.leave_shut, False)):
            button.setParent(self)
            button.clicked.connect(lambda _=False, a=answer: self.confirmed.emit(a))
        self.tallies = Tallies(self._context, self)
        self.tallies.pressed.connect(self.pressed)
        self.time_line = TimeLine(PANEL_SKIN, self._context, self)
        self.time_line.sought.connect(lambda to_s: self.pressed.emit(Key.SEEK_TO, to_s))
        self.tool_keys: list[ClassKey] = []

    # --- showing and hiding -------------------------------------------------------------

    def poke(self) -> None:
        """Show it, or start its three seconds again (PN2)."""
        self._clock.restart()
        self._timer.start()
        if not self.isVisible():
            self.show()
            self.raise_()
        self.update(0, 0, self.width(), 4)

    def rest(self) -> None:
        """Hide it at once."""
        self._timer.stop()
        self._is_more = False
        self._asks = False
        self.hide()
        self.refresh()

    def toggle_more(self) -> None:
        """Open or fold 更多."""
        self._is_more = not self._is_more
        self.poke()
        self.refresh()

    def fold_more(self) -> None:
        """Fold 更多 if it is open."""
        self._is_more = False
        self.refresh()

    @property
    def is_more(self) -> bool:
        """Tell whether 更多 is open."""
        return self._is_more

    def ask_to_open(self) -> None:
        """Ask 学生能看到，仍要打开? in the prompt line."""
        self._asks = True
        self._is_more = False
        self.poke()
        self.refresh()

    @property
    def asks(self) -> bool:
        """Tell whether it waits for that answer."""
        return self._asks

    def stop_asking(self) -> None:
        """Take the question away."""
        self._asks = False
        self.refresh()

    def tell(self, notice: Line | None) -> None:
        """Show a notice of the window's in the prompt line; None takes it away."""
        self._notice = notice
        self.refresh()

    def _on_step(self) -> None:
        stays = is_tallying(self._model.view) or self._is_more or self._asks
        if stays or any(key.isDown() for key in self.keys.values()):
            self._clock.restart()
        if self._clock.elapsed() >= SHOWN_MS:
            self.rest()
            return
        self.update(0, 0, self.width(), 4)

    # --- content ------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show what is true now."""
        view = self._model.view
        self._line = self._notice or prompt_line(view)
        for face in five_keys(view):
            self.keys[face.key].set_look(key_look(self._context, face))
        words = self._context.words
        self.more.set_look(
            Look(
                icon="chevron-down" if self._is_more else "ellipsis",
                word=words("classroom.fold" if self._is_more else "classroom.more"),
                is_on=self._is_more,
            )
        )
        self._sync_tools(view)
        is_asking = view.state.question is not None
        self.tallies.setVisible(is_asking and not self._is_more)
        self.time_line.setVisible(view.track.has_video and not is_asking and not self._is_more)
        self.tallies.refresh(view)
        self.time_line.refresh(view)
        for key in (self.less_heads, self.more_heads):
            key.setVisible(not self._is_more and not self._asks)
        for key in (self.open_anyway, self.leave_shut):
            key.setVisible(self._asks and not self._is_more)
        self._fit()
        if self.isVisible():
            self.update()

    def _high(self) -> int:
        view = self._model.view
        if self._is_more or view.state.question is not None:
            return TALL
        return MIDDLE if view.track.has_video else LOW

    def _fit(self) -> None:
        """Take the height that its rows need, at the foot of the stage."""
        width, height = self._stage_size
        high = round(self._high() * self._unit)
        self.setGeometry(0, height - high, width, high)

    def _sync_tools(self, view: SittingView) -> None:
        wanted = tools(view) if self._is_more else ()
        looks = [tool_look(self._context, tool) for tool in wanted]
        if len(looks) == len(self.tool_keys):
            for key, look, tool in zip(self.tool_keys, looks, wanted, strict=True):
                key.set_look(look)
                key.setProperty("tool", tool)
            return
        for key in self.tool_keys:
            key.hide()
            key.deleteLater()
        self.tool_keys = []
        for tool, look in zip(wanted, looks, strict=True):
            made = ClassKey(self._context, PANEL_SKIN, look)
            made.setParent(self)
            made.setProperty("tool", tool)
            made.clicked.connect(self._on_tool)
            made.show()
            self.tool_keys.append(made)
        self._place()

    def _on_tool(self) -> None:
        tool = self.sender().property("tool")
        self.fold_more()
        self.pressed.emit(tool.key, tool.n)

    # --- geometry -----------------------------------------------------------------------

    def place_in(self, width: int, height: int) -> None:
        """Take the lower third of a stage of this size (PN1)."""
        self._unit = height / 900
        self._stage_size = (width, height)
        self._fit()
        self._place()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Place everything anew."""
        super().resizeEvent(event)
        self._place()

    def _px(self, size: float) -> int:
        return round(size * self._unit)

    def _place(self) -> None:
        side, width = self._px(32), self.width() - 2 * self._px(32)
        self._place_heads(side, width)
        top = self._px(86)
        self.tallies.set_unit(self._unit)
        self.tallies.setGeometry(side, top, width, self._px(86))
        self.time_line.set_unit(self._unit)
        self.time_line.setGeometry(side, top, width, self._px(36))
        self._place_five(side, width)
        self._place_tools(side, width)

    def _place_heads(self, side: int, width: int) -> None:
        key, top = max(48, self._px(64)), self._px(12)
        right = side + width
        self.more_heads.setGeometry(right - key, top, key, key)
        self.less_heads.setGeometry(right - 2 * key - self._px(84), top, key, key)
        for button in (self.more_heads, self.less_heads):
            button.set_sizes(icon=self._px(24), word=self._px(20), cap=self._px(14))
        wide = self._px(150)
        self.leave_shut.setGeometry(right - wide, top, wide, key)
        self.open_anyway.setGeometry(right - 2 * wide - self._px(12), top, wide, key)
        for button in (self.open_anyway, self.leave_shut):
            button.set_sizes(icon=0, word=self._px(20), cap=self._px(14))

    def _place_five(self, side: int, width: int) -> None:
        gap, high = self._px(12), self._px(86)
        top = self.height() - high - self._px(15)
        more = self._px(202)
        each = (width - more - self._px(28) - 4 * gap) / 5
        left = float(side)
        for key in self.keys.values():
            key.setGeometry(round(left), top, round(each), high)
            key.set_sizes(icon=self._px(30), word=self._px(20), cap=self._px(15))
            left += each + gap
        self.more.setGeometry(side + width - more, top, more, high)
        self.more.set_sizes(icon=self._px(28), word=self._px(20), cap=self._px(15))

    def _place_tools(self, side: int, width: int) -> None:
        if not self.tool_keys:
            return
        gap = self._px(12)
        high = self._px(100)
        top = self._px(70)
        each = min(self._px(180), (width - gap * (len(self.tool_keys) - 1)) / len(self.tool_keys))
        for index, key in enumerate(self.tool_keys):
            key.setGeometry(round(side + index * (each + gap)), top, round(each), high)
            key.set_sizes(icon=self._px(30), word=self._px(19), cap=self._px(15))

    # --- painting -----------------------------------------------------------------------

    def _font(self, size: float, *, bold: bool = False) -> QFont:
        return self._context.theme.font_px(max(1, self._px(size)), bold=bold)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint ground, running edge, prompt line and heads."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), QColor(GROUND))
        left = 1.0
        if self._clock.isValid():
            left = max(0.0, 1.0 - self._clock.elapsed() / SHOWN_MS)
        painter.fillRect(QRectF(0, 0, self.width(), 3), QColor("#4A5160"))
        painter.fillRect(QRectF(0, 0, self.width() * left, 3), QColor(EDGE))
        if self._is_more:
            self._paint_more_head(painter)
        else:
            right = self._paint_right(painter)
            self._paint_line(painter, right)
        painter.end()

    def _paint_more_head(self, painter: QPainter) -> None:
        words = self._context.words
        box = QRectF(self._px(32), self._px(12), self.width() - self._px(64), self._px(52))
        painter.setPen(QColor(TEXT))
        painter.setFont(self._font(24, bold=True))
        title = words("classroom.more")
        painter.drawText(box, _LEFT, title)
        wide = QFontMetricsF(painter.font()).horizontalAdvance(title) + self._px(16)
        painter.setPen(QColor(HINT))
        painter.setFont(self._font(18))
        painter.drawText(box.adjusted(wide, 0, 0, 0), _LEFT, words("classroom.more.how"))

    def _paint_right(self, painter: QPainter) -> float:
        """Paint headcount and who is missing; give where the prompt must end."""
        if self._asks:
            return float(self.open_anyway.x() - self._px(16))
        view = self._model.view
        missing = uncounted(view) if view.state.question is not None else 0
        return paint_heads(
            painter,
            QRectF(0, self.less_heads.y(), self.width(), self.less_heads.height()),
            (self.less_heads.geometry(), self.more_heads.geometry()),
            (
                str(view.track.headcount),
                self._context.words("classroom.here"),
                self._context.words.plural("classroom.missing", missing) if missing else "",
            ),
            self._font,
        )

    def _paint_line(self, painter: QPainter, right: float) -> None:
        line = say_line(self._context, self._line)
        if self._asks:
            line = say_line(
                self._context, Line(icon="eye", text="classroom.pupils_see", tone=Tone.NOTICE)
            )
        icon = self._px(30)
        top, high = self._px(12), self._px(64)
        colour = "#FFD7A0" if line.is_notice else EDGE
        pixmap = self._context.icons.pixmap(line.icon, colour, icon)
        painter.drawPixmap(self._px(32), top + (high - icon) // 2, pixmap)
        left = float(self._px(32) + icon + self._px(16))
        for text, size, bold, tone in (
            (line.lead, 18, False, HINT),
            (line.text, 26, True, TEXT),
            (line.rest, 19, False, HINT),
        ):
            if not text or left >= right:
                continue
            painter.setFont(self._font(size, bold=bold))
            painter.setPen(QColor(tone))
            metrics = QFontMetricsF(painter.font())
            shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, right - left)
            painter.drawText(QRectF(left, top, right - left, high), _LEFT, shown)
            left += metrics.horizontalAdvance(shown) + self._px(16)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Stay for a click on the ground."""
        self.poke()
        event.accept()
