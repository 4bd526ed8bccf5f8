"""The week as one sheet of paper: painted, walked by the arrow keys, opened by Enter or click.

Invariants:
  GR1  Exactly one cell has the cursor; it is always in view and has an accessible name.
  GR2  A cell's rectangle as painted is the one that a click finds.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetrics,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from client.domain.timetable import Bell, ClassGroup, Slot, SlotKey, TeachingMode, Weeks
from ui.base.context import UiContext
from ui.base.theme import Type
from ui.base.widgets import bell_text, day_name
from ui.viewmodel.timetable import TimetableModel

HEAD: Final = 44
BELLS: Final = 112
HALF: Final = 58
NOON: Final = 26
_SCHOOL_DAYS: Final = 5
_NOON_MIN: Final = 12 * 60 + 30
_BAR: Final = 5
MODE_TAGS: Final = {
    TeachingMode.DELIVERY: "timetable.tag_delivery",
    TeachingMode.MASTER: "timetable.tag_master",
    TeachingMode.PARTNER: "timetable.tag_partner",
}
_WEEK_TAGS: Final = {Weeks.ODD: "timetable.odd_week", Weeks.EVEN: "timetable.even_week"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """Which days, bells and classes the sheet has."""

    days: tuple[int, ...]
    bells: tuple[Bell, ...]
    classes: tuple[ClassGroup, ...]

    def cells(self) -> Iterator[SlotKey]:
        """Walk all cells, row by row."""
        for bell in self.bells:
            for group in self.classes:
                for day in self.days:
                    yield SlotKey(day=day, period=bell.period, class_id=group.id)


def sheet_of(model: TimetableModel) -> Sheet:
    """Choose days and bells: the usual five and those of the room, more where slots ask for it."""
    slots = model.shown_slots()
    last = max([_SCHOOL_DAYS, *(slot.key.day for slot in slots)])
    known = {bell.period: bell for bell in model.room.bells}
    for slot in slots:
        known.setdefault(slot.key.period, Bell(period=slot.key.period, begins=0, ends=0))
    return Sheet(
        days=tuple(range(1, last + 1)),
        bells=tuple(known[number] for number in sorted(known)),
        classes=model.room.classes,
    )


class WeekGrid(QWidget):
    """The sheet. `opened` carries the key of a cell; `cell_rect` tells where it is."""

    opened = Signal(object)
    cleared = Signal(object)
    moved = Signal()

    def __init__(self, context: UiContext, model: TimetableModel) -> None:
        super().__init__()
        self._context = context
        self._model = model
        self._sheet = sheet_of(model)
        self._cursor: SlotKey | None = next(self._sheet.cells(), None)
        self._hover: SlotKey | None = None
        self._open: SlotKey | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.refresh()

    def refresh(self) -> None:
        """Draw the model's newest state."""
        self._sheet = sheet_of(self._model)
        keys = tuple(self._sheet.cells())
        if self._cursor not in keys:
            self._cursor = keys[0] if keys else None
        self._name_cursor()
        self.updateGeometry()
        self.update()

    @property
    def cursor_key(self) -> SlotKey | None:
        """The cell the keys act on (GR1)."""
        return self._cursor

    def set_cursor_key(self, key: SlotKey) -> None:
        """Put the cursor on a cell."""
        self._cursor = key
        self._name_cursor()
        self.moved.emit()
        self.update()

    def mark_open(self, key: SlotKey | None) -> None:
        """Mark the cell whose editor is open."""
        self._open = key
        self.update()

    # --- geometry ------------------------------------------------------------------------

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Head, all rows, and the noon line."""
        theme = self._context.theme
        return QSize(theme.size(720), self._top(len(self._sheet.bells)) + 1 + theme.size(0))

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """As high as it is; narrower is possible."""
        return QSize(self._context.theme.size(560), self.sizeHint().height())

    def _row_px(self) -> int:
        count = len(self._sheet.classes)
        return self._context.theme.size(HALF if count > 1 else HALF + 8) * max(1, count)

    def _noon_at(self) -> int | None:
        bells = self._sheet.bells
        for at in range(1, len(bells)):
            if bells[at].begins >= _NOON_MIN and 0 < bells[at - 1].ends <= _NOON_MIN:
                return at
        return None

    def _top(self, row: int) -> int:
        theme = self._context.theme
        noon = self._noon_at()
        shift = theme.size(NOON) if noon is not None and row >= noon else 0
        return theme.size(HEAD) + row * self._row_px() + shift

    def _column(self, at: int) -> tuple[int, int]:
        left = self._context.theme.size(BELLS)
        width = (self.width() - left) / max(1, len(self._sheet.days))
        start = round(left + at * width)
        end = round(left + (at + 1) * width)
        if self.layoutDirection() is Qt.LayoutDirection.RightToLeft:
            return self.width() - end, end - start
        return start, end - start

    def cell_rect(self, key: SlotKey) -> QRect:
        """Tell where a cell is (GR2)."""
        sheet = self._sheet
        row = next(n for n, bell in enumerate(sheet.bells) if bell.period == key.period)
        half = next(n for n, group in enumerate(sheet.classes) if group.id == key.class_id)
        left, width = self._column(sheet.days.index(key.day))
        height = self._row_px() // len(sheet.classes)
        return QRect(left, self._top(row) + half * height, width, height)

    def key_at(self, point: QPoint) -> SlotKey | None:
        """Find the cell at a point (GR2)."""
        return next(
            (key for key in self._sheet.cells() if self.cell_rect(key).contains(point)), None
        )

    # --- keys and mouse ------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Walk, open, clear."""
        key = Qt.Key(event.key())
        steps = {
            Qt.Key.Key_Left: (-1, 0),
            Qt.Key.Key_Right: (1, 0),
            Qt.Key.Key_Up: (0, -1),
            Qt.Key.Key_Down: (0, 1),
        }
        if self._cursor is None:
            super().keyPressEvent(event)
        elif key in steps:
            self._walk(*steps[key])
        elif key in {Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space}:
            self.opened.emit(self._cursor)
        elif key in {Qt.Key.Key_Delete, Qt.Key.Key_Backspace}:
            self.cleared.emit(self._cursor)
        else:
            super().keyPressEvent(event)

    def _walk(self, right: int, down: int) -> None:
        if self._cursor is None:
            return
        sheet = self._sheet
        if self.layoutDirection() is Qt.LayoutDirection.RightToLeft:
            right = -right
        lines = [(bell.period, group.id) for bell in sheet.bells for group in sheet.classes]
        row = lines.index((self._cursor.period, self._cursor.class_id)) + down
        column = sheet.days.index(self._cursor.day) + right
        if 0 <= row < len(lines) and 0 <= column < len(sheet.days):
            period, class_id = lines[row]
            self.set_cursor_key(SlotKey(day=sheet.days[column], period=period, class_id=class_id))

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Open the cell under the mouse."""
        key = self.key_at(event.position().toPoint())
        if key is not None and event.button() is Qt.MouseButton.LeftButton:
            self.set_cursor_key(key)
            self.opened.emit(key)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Show which cell a click would open."""
        key = self.key_at(event.position().toPoint())
        shape = Qt.CursorShape.PointingHandCursor if key else Qt.CursorShape.ArrowCursor
        self.setCursor(shape)
        if key != self._hover:
            self._hover = key
            self.update()

    def leaveEvent(self, _event: object) -> None:  # noqa: N802 - Qt's name
        """Forget the mouse."""
        self._hover = None
        self.update()

    def _name_cursor(self) -> None:
        key, words = self._cursor, self._context.words
        if key is None:
            return
        group = self._model.group(key.class_id)
        values = {
            "day": day_name(self._context, key.day),
            "period": key.period,
            "group": group.name if group is not None else "",
        }
        slot = self._model.slot(key)
        if slot is None:
            self.setAccessibleName(words("timetable.cell_free", **values))
            return
        cell = self._model.cell(key)
        self.setAccessibleName(
            words(
                "timetable.cell_name",
                subject=self._context.subjects.full(slot.subject),
                title=cell.title if cell is not None else "",
                **values,
            )
        )

    # --- painting ------------------------------------------------------------------------

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint paper, heads, bells, cells, lines, cursor."""
        theme = self._context.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paper = QPainterPath()
        frame = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        paper.addRoundedRect(frame, 10, 10)
        painter.save()
        painter.setClipPath(paper)
        painter.fillPath(paper, theme.color("surface"))
        self._paint_heads(painter)
        self._paint_bells(painter)
        for key in self._sheet.cells():
            self._paint_cell(painter, key)
        self._paint_lines(painter)
        painter.restore()
        painter.setPen(QPen(theme.color("line"), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(paper)
        self._paint_cursor(painter)
        painter.end()

    def _paint_heads(self, painter: QPainter) -> None:
        theme, words = self._context.theme, self._context.words
        height = theme.size(HEAD)
        painter.fillRect(QRect(0, 0, self.width(), height), theme.color("inset"))
        today = self._model.week.today if self._model.week is not None else 0
        for at, day in enumerate(self._sheet.days):
            left, width = self._column(at)
            box = QRectF(left, 0, width, height)
            if day == today:
                painter.fillRect(box, theme.color("accent_soft"))
            text = day_name(self._context, day)
            painter.setPen(theme.color("accent_text" if day == today else "ink"))
            painter.setFont(theme.font(Type.BODY, bold=True))
            long = f"{text} · {words('timetable.today')}"
            if day == today and QFontMetrics(painter.font()).horizontalAdvance(long) < width:
                text = long
            painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), text)
        groups = self._sheet.classes
        if len(groups) > 1:
            text = words("timetable.classes_above", a=groups[0].name, b=groups[-1].name)
            painter.setPen(theme.color("muted"))
            painter.setFont(theme.font(Type.CAPTION))
            metrics = QFontMetrics(painter.font())
            width = theme.size(BELLS) - 8
            text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, width)
            painter.drawText(self._bell_box(0, height), int(Qt.AlignmentFlag.AlignCenter), text)

    def _bell_box(self, top: int, height: int) -> QRectF:
        width = self._context.theme.size(BELLS)
        is_rtl = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        return QRectF(self.width() - width if is_rtl else 0, top, width, height)

    def _paint_bells(self, painter: QPainter) -> None:
        theme, words = self._context.theme, self._context.words
        noon = self._noon_at()
        for row, bell in enumerate(self._sheet.bells):
            box = self._bell_box(self._top(row), self._row_px())
            painter.fillRect(box, theme.color("inset"))
            inner = box.adjusted(theme.size(14), theme.size(10), 0, 0)
            align = int(Qt.AlignmentFlag.AlignLeading | Qt.AlignmentFlag.AlignTop)
            painter.setPen(theme.color("ink"))
            painter.setFont(theme.font(Type.BODY, bold=True))
            painter.drawText(inner, align, words("frame.period", n=bell.period))
            if bell.ends:
                painter.setPen(theme.color("muted"))
                painter.setFont(theme.font(Type.CAPTION))
                text = f"{bell_text(bell.begins)}\u2013{bell_text(bell.ends)}"
                painter.drawText(inner.adjusted(0, theme.size(25), 0, 0), align, text)
        if noon is not None:
            top = self._top(noon) - theme.size(NOON)
            line = QRectF(0, top, self.width(), theme.size(NOON))
            painter.fillRect(line, theme.color("inset"))
            painter.setPen(theme.color("muted"))
            painter.setFont(theme.font(Type.CAPTION))
            painter.drawText(line, int(Qt.AlignmentFlag.AlignCenter), words("timetable.noon"))

    def _paint_cell(self, painter: QPainter, key: SlotKey) -> None:
        theme = self._context.theme
        box = QRectF(self.cell_rect(key))
        ground = self._ground(key)
        if ground:
            painter.fillRect(box, theme.color(ground))
        slot = self._model.slot(key)
        if slot is None:
            self._paint_free(painter, box, is_hot=key in (self._hover, self._open))
            return
        is_rtl = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        colour = theme.color(self._context.subjects.tone(slot.subject))
        left = box.right() - _BAR if is_rtl else box.left() + 1
        painter.fillRect(QRectF(left, box.top() + 1, _BAR, box.height() - 1), colour)
        pad = theme.size(14)
        inner = box.adjusted(4 if is_rtl else pad + 2, 0, -(pad + 2) if is_rtl else -4, 0)
        self._paint_slot(painter, inner, slot, colour)

    def _ground(self, key: SlotKey) -> str:
        if key == self._open or self._model.is_fresh(key):
            return "accent_soft"
        return "inset" if key == self._hover else ""

    def _paint_free(self, painter: QPainter, box: QRectF, *, is_hot: bool) -> None:
        theme = self._context.theme
        painter.setPen(theme.color("muted" if is_hot else "line2"))
        painter.setFont(theme.font(Type.CAPTION))
        side = theme.size(16)
        pixmap = self._context.icons.pixmap("plus", theme.hex("line2"), side)
        text = self._context.words("timetable.free")
        width = QFontMetrics(painter.font()).horizontalAdvance(text)
        left = box.center().x() - (side + 6 + width) / 2
        painter.drawPixmap(int(left), int(box.center().y() - side / 2), pixmap)
        words = QRectF(left + side + 6, box.top(), width + 4, box.height())
        painter.drawText(words, int(Qt.AlignmentFlag.AlignVCenter), text)

    def _paint_slot(self, painter: QPainter, box: QRectF, slot: Slot, colour: QColor) -> None:
        theme = self._context.theme
        cell = self._model.cell(slot.key)
        title = cell.title if cell is not None and not self._model.is_fresh(slot.key) else ""
        bold = theme.font(Type.BODY, bold=True)
        small = theme.font(Type.CAPTION)
        top_px, line_px = QFontMetrics(bold).height(), QFontMetrics(small).height()
        total = top_px + (line_px if title else 0)
        top = box.top() + (box.height() - total) / 2
        align = int(Qt.AlignmentFlag.AlignLeading | Qt.AlignmentFlag.AlignVCenter)
        line = QRectF(box.left(), top, box.width(), top_px)
        painter.setFont(bold)
        painter.setPen(colour)
        name = self._context.subjects.short(slot.subject)
        name = QFontMetrics(bold).elidedText(name, Qt.TextElideMode.ElideRight, int(box.width()))
        painter.drawText(line, align, name)
        self._paint_tags(painter, line, QFontMetrics(bold).horizontalAdvance(name), slot)
        if title:
            painter.setFont(small)
            painter.setPen(theme.color("muted" if cell is not None and cell.is_taught else "ink"))
            elide = Qt.TextElideMode.ElideRight
            text = QFontMetrics(small).elidedText(title, elide, int(box.width()) - 2)
            painter.drawText(QRectF(box.left(), top + top_px, box.width(), line_px), align, text)

    def _paint_tags(self, painter: QPainter, line: QRectF, taken: int, slot: Slot) -> None:
        theme, words = self._context.theme, self._context.words
        keys = [MODE_TAGS.get(slot.mode), _WEEK_TAGS.get(slot.weeks)]
        painter.setFont(theme.font(Type.CAPTION, bold=True))
        metrics = QFontMetrics(painter.font())
        is_rtl = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        shift = float(taken + theme.size(8))
        for key in keys:
            if key is None:
                continue
            width = metrics.horizontalAdvance(words(key)) + theme.size(14)
            left = line.right() - shift - width if is_rtl else line.left() + shift
            if shift + width > line.width():
                return
            tag = QRectF(left, line.center().y() - theme.size(10), width, theme.size(20))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("info_soft"))
            painter.drawRoundedRect(tag, tag.height() / 2, tag.height() / 2)
            painter.setPen(theme.color("info"))
            painter.drawText(tag, int(Qt.AlignmentFlag.AlignCenter), words(key))
            shift += width + theme.size(6)

    def _paint_lines(self, painter: QPainter) -> None:
        theme = self._context.theme
        solid, dashed = QPen(theme.color("line"), 1), QPen(theme.color("line"), 1)
        dashed.setDashPattern([4, 3])
        half = self._row_px() // max(1, len(self._sheet.classes))
        bells = theme.size(BELLS)
        is_rtl = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        begin, end = (0, self.width() - bells) if is_rtl else (bells, self.width())
        for row in range(len(self._sheet.bells)):
            top = self._top(row)
            painter.setPen(solid)
            painter.drawLine(0, top, self.width(), top)
            painter.setPen(dashed)
            for number in range(1, len(self._sheet.classes)):
                painter.drawLine(begin, top + number * half, end, top + number * half)
        painter.setPen(solid)
        for at in range(len(self._sheet.days)):
            left, width = self._column(at)
            x = left + width if is_rtl else left
            painter.drawLine(x, 0, x, self.height())

    def _paint_cursor(self, painter: QPainter) -> None:
        key = self._open or (self._cursor if self.hasFocus() else None)
        if key is None:
            return
        box = QRectF(self.cell_rect(key)).adjusted(1, 1, -1, -1)
        painter.setPen(QPen(self._context.theme.color("accent"), 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(box, 4, 4)
