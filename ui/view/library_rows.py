"""The list of lessons in 课程库: one view, its rows painted by a delegate.

Invariants:
  LR1  Rows have the height of their words at every type size; a row never shows half a line.
  LR2  Colour is never the only sign: a matched part is bold too, a light has its word.
"""

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPointF,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QFontMetrics, QFontMetricsF, QKeyEvent, QPainter, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from client.domain.availability import LessonState, Light
from client.domain.ids import LessonId
from client.service.api import LessonRow
from ui.base.context import UiContext
from ui.base.light import TONES, WORD_KEYS, paint_light
from ui.base.theme import Type
from ui.base.widgets import place_line

ROW: Final = Qt.ItemDataRole.UserRole
_Index = QModelIndex | QPersistentModelIndex
_PADDING: Final = 12
_GAP: Final = 8
_COVER: Final = QSize(128, 78)
_ROOMY_PX: Final = 470


def light_of(row: LessonRow) -> tuple[Light, str]:
    """Choose light and word key of a row: what was never fetched is not an alarm here."""
    if row.is_stopped:
        return Light.NO_DEVICE, "library.stopped"
    if row.state is LessonState.WITHDRAWN:
        return Light.NO_DEVICE, "library.withdrawn"
    if row.state is LessonState.PROTECTED:
        return Light.NO_DEVICE, "library.protected"
    if row.light is Light.NOT_READY:
        return Light.NO_DEVICE, "light.not_fetched"
    return row.light, WORD_KEYS[row.light]


class RowModel(QAbstractListModel):
    """The rows as Qt wants them."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: tuple[LessonRow, ...] = ()

    def set_rows(self, rows: Sequence[LessonRow]) -> None:
        """Show other rows; equal ones keep place and selection."""
        if [row.id for row in rows] == [row.id for row in self._rows]:
            self._rows = tuple(rows)
            if rows:
                self.dataChanged.emit(self.index(0), self.index(len(rows) - 1))
            return
        self.beginResetModel()
        self._rows = tuple(rows)
        self.endResetModel()

    def row_of(self, lesson: LessonId) -> int:
        """Row number of a lesson, -1 when it is not listed."""
        return next((at for at, row in enumerate(self._rows) if row.id == lesson), -1)

    def rowCount(self, _parent: _Index = QModelIndex()) -> int:  # noqa: B008, N802 - Qt's signature
        """Count the rows."""
        return len(self._rows)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Give title, whole row, or what a screen reader says."""
        row = self._rows[index.row()]
        if role == ROW:
            return row
        if role in {Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole}:
            return f"{row.title}, {place_line(row.place, row.unit)}"
        return None


class RowDelegate(QStyledItemDelegate):
    """Paints a row: cover, title with the matched parts marked, place, facts, light."""

    def __init__(self, context: UiContext, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._theme = context.theme
        theme = self._theme
        self._plain = theme.font(Type.TITLE)
        self._bold = theme.font(Type.TITLE, bold=True)
        self._small = theme.font(Type.CAPTION)
        self._small_bold = theme.font(Type.CAPTION, bold=True)

    def sizeHint(self, _option: QStyleOptionViewItem, _index: _Index) -> QSize:  # noqa: N802 - Qt's name
        """Title, place and facts, with the padding of a card (LR1)."""
        theme = self._theme
        small = QFontMetrics(self._small).height()
        lines = QFontMetrics(self._bold).height() + small + self._tag_height() + theme.gap(8)
        inside = max(lines, theme.size(_COVER.height()))
        return QSize(theme.size(300), inside + theme.gap(2 * _PADDING) + theme.gap(_GAP))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Paint one row."""
        row: LessonRow = index.data(ROW)
        theme = self._theme
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        state = option.state  # type: ignore[attr-defined]  # the stubs forget it
        box = QRectF(option.rect)  # type: ignore[attr-defined]
        box = box.adjusted(1, 1, -1, -theme.gap(_GAP) - 1)
        self._paint_card(painter, box, state)
        pad = theme.gap(_PADDING)
        inner = box.adjusted(pad, pad, -pad, -pad)
        if inner.width() > theme.size(_COVER.width() * 3):
            inner = self._paint_cover(painter, inner, row)
        line = QFontMetrics(self._bold).height()
        top = QRectF(inner.left(), inner.top(), inner.width(), line)
        title = QRectF(top)
        if inner.width() < theme.size(_ROOMY_PX):
            # The title needs the whole line; the light stands beside the facts.
            height = self._tag_height()
            top = QRectF(inner.left(), inner.bottom() - height, inner.width(), height)
            self._paint_light(painter, top, row)
        else:
            light_px = self._paint_light(painter, top, row)
            is_rtl = painter.layoutDirection() is Qt.LayoutDirection.RightToLeft
            shift = light_px + theme.gap(12)
            title.adjust(shift if is_rtl else 0, 0, 0 if is_rtl else -shift, 0)
        self._paint_title(painter, title, row)
        below = inner.adjusted(0, line + theme.gap(2), 0, 0)
        self._paint_place(painter, below, row)
        self._paint_facts(painter, inner, row)
        painter.restore()

    def _paint_card(self, painter: QPainter, box: QRectF, state: QStyle.StateFlag) -> None:
        theme = self._theme
        is_chosen = bool(state & QStyle.StateFlag.State_Selected)
        is_hot = bool(state & QStyle.StateFlag.State_MouseOver) and not is_chosen
        painter.setBrush(theme.color("inset" if is_hot else "surface"))
        edge, width = ("accent", 2) if is_chosen else ("line", 1)
        painter.setPen(QPen(theme.color(edge), width))
        painter.drawRoundedRect(box, 10, 10)
        if is_chosen and state & QStyle.StateFlag.State_HasFocus:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(theme.color("accent_halo"), 2))
            painter.drawRoundedRect(box.adjusted(3, 3, -3, -3), 8, 8)

    def _paint_cover(self, painter: QPainter, box: QRectF, row: LessonRow) -> QRectF:
        """Paint a tile in the subject's colour; give what is left beside it."""
        theme = self._theme
        width = theme.size(_COVER.width())
        is_rtl = painter.layoutDirection() is Qt.LayoutDirection.RightToLeft
        left = box.right() - width if is_rtl else box.left()
        tile = QRectF(left, box.top(), width, box.height())
        colour = theme.color(self._context.subjects.tone(row.place.subject))
        ground = theme.color(self._context.subjects.tone(row.place.subject))
        ground.setAlphaF(0.16 if theme.palette.is_dark else 0.10)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("surface"))
        painter.drawRoundedRect(tile, 6, 6)
        painter.setBrush(ground)
        painter.drawRoundedRect(tile, 6, 6)
        side = theme.size(26)
        icon = self._context.icons.pixmap("book-open", colour.name(), side)
        middle = tile.center()
        painter.drawPixmap(int(middle.x() - side / 2), int(middle.y() - side - 2), icon)
        painter.setPen(colour)
        painter.setFont(self._small_bold)
        words = tile.adjusted(4, tile.height() / 2 + 2, -4, 0)
        top = int(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        painter.drawText(words, top, self._context.subjects.short(row.place.subject))
        gap = width + theme.gap(16)
        return box.adjusted(0, 0, -gap, 0) if is_rtl else box.adjusted(gap, 0, 0, 0)

    def _paint_light(self, painter: QPainter, box: QRectF, row: LessonRow) -> int:
        """Paint light and word at the far end; give the width they take."""
        theme = self._theme
        light, key = light_of(row)
        word = self._context.words(key)
        side = theme.size(18)
        metrics = QFontMetricsF(self._small_bold)
        width = side + theme.gap(6) + metrics.horizontalAdvance(word)
        is_rtl = painter.layoutDirection() is Qt.LayoutDirection.RightToLeft
        left = box.left() if is_rtl else box.right() - width
        lamp = left + width - side if is_rtl else left
        top = box.center().y() - side / 2
        paint_light(painter, QRectF(lamp, top, side, side), light, theme.palette)
        painter.setFont(self._small_bold)
        painter.setPen(theme.color(TONES[light]))
        text_left = left if is_rtl else left + side + theme.gap(6)
        text = QRectF(text_left, box.top(), width - side - theme.gap(6) + 1, box.height())
        painter.drawText(text, int(Qt.AlignmentFlag.AlignCenter), word)
        return round(width)

    def _paint_title(self, painter: QPainter, box: QRectF, row: LessonRow) -> None:
        pieces = cut_title(row.title, row.matches)
        shown = self._fitting(pieces, box.width())
        is_rtl = painter.layoutDirection() is Qt.LayoutDirection.RightToLeft
        x = box.left()
        if is_rtl:
            x = box.right() - sum(self._width(text, is_bold=on) for text, on in shown)
        for text, on in shown:
            width = self._width(text, is_bold=on)
            if on:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(self._theme.color("mark"))
                painter.drawRoundedRect(QRectF(x - 1, box.top(), width + 2, box.height()), 3, 3)
            painter.setFont(self._bold if on else self._plain)
            painter.setPen(self._theme.color("ink"))
            painter.drawText(QPointF(x, box.top() + QFontMetricsF(self._bold).ascent()), text)
            x += width

    def _width(self, text: str, *, is_bold: bool) -> float:
        return QFontMetricsF(self._bold if is_bold else self._plain).horizontalAdvance(text)

    def _fitting(self, pieces: list[tuple[str, bool]], width: float) -> list[tuple[str, bool]]:
        """Keep the pieces that fit; the last one is elided."""
        shown: list[tuple[str, bool]] = []
        for text, on in pieces:
            needed = self._width(text, is_bold=on)
            if needed > width:
                metrics = QFontMetricsF(self._bold if on else self._plain)
                cut = metrics.elidedText(text, Qt.TextElideMode.ElideRight, max(width, 0))
                return [*shown, (cut, on)]
            shown.append((text, on))
            width -= needed
        return shown

    def _paint_place(self, painter: QPainter, box: QRectF, row: LessonRow) -> None:
        parts = (place_line(row.place, row.unit), row.provider)
        text = " · ".join(part for part in parts if part)
        painter.setFont(self._small)
        painter.setPen(self._theme.color("muted"))
        metrics = QFontMetricsF(self._small)
        shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, box.width())
        align = Qt.AlignmentFlag.AlignLeading | Qt.AlignmentFlag.AlignTop
        painter.drawText(box, int(align), shown)

    def _tag_height(self) -> int:
        return QFontMetrics(self._small).height() + self._theme.gap(6)

    def _paint_facts(self, painter: QPainter, box: QRectF, row: LessonRow) -> None:
        theme = self._theme
        height = self._tag_height()
        x = box.left()
        is_rtl = painter.layoutDirection() is Qt.LayoutDirection.RightToLeft
        painter.setFont(self._small)
        for fact in facts_of(self._context, row):
            width = QFontMetricsF(self._small).horizontalAdvance(fact) + theme.gap(16)
            left = box.right() - (x - box.left()) - width if is_rtl else x
            tag = QRectF(left, box.bottom() - height, width, height)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("inset"))
            painter.drawRoundedRect(tag, 6, 6)
            painter.setPen(theme.color("ink"))
            painter.drawText(tag, int(Qt.AlignmentFlag.AlignCenter), fact)
            x += width + theme.gap(6)


def facts_of(context: UiContext, row: LessonRow) -> tuple[str, ...]:
    """Length and least size of a lesson, as far as they are known."""
    words = context.words
    minutes, seconds = divmod(round(row.duration_s), 60)
    return tuple(
        fact
        for fact in (
            f"{minutes}:{seconds:02}" if row.duration_s else "",
            words.size(row.size_bytes) if row.size_bytes else "",
        )
        if fact
    )


def cut_title(title: str, matches: Sequence[tuple[int, int]]) -> list[tuple[str, bool]]:
    """Cut a title into pieces; True marks those that match."""
    pieces: list[tuple[str, bool]] = []
    at = 0
    for start, length in matches:
        pieces += [(title[at:start], False), (title[start : start + length], True)]
        at = start + length
    pieces.append((title[at:], False))
    return [(text, on) for text, on in pieces if text]


class LessonList(QListView):
    """The list itself. Enter opens what is chosen; ← leaves it."""

    opened = Signal()
    """Enter, or a second click, on the chosen lesson."""
    left = Signal()

    def __init__(self, context: UiContext) -> None:
        super().__init__()
        self.setObjectName("lessons")
        self.setAccessibleName(context.words("library.results"))
        self.setItemDelegate(RowDelegate(context, self))
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setResizeMode(QListView.ResizeMode.Adjust)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Enter opens; typing is for the search box, not for jumping about."""
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self.opened.emit()
            return
        if event.key() in {Qt.Key.Key_Left, Qt.Key.Key_Escape}:
            self.left.emit()
            return
        super().keyPressEvent(event)

    def keyboardSearch(self, _search: str) -> None:  # noqa: N802 - Qt's name
        """Do nothing: letters belong to the search box."""
