"""The left column of 课程库: facets as chips, below them the tree of one textbook."""

from typing import Final

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPainter, QPen, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QSizePolicy,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeView,
    QWidget,
)

from client.domain.catalogue import Book
from client.domain.ids import BookId, SectionId
from client.service.api import SectionRow
from client.service.library import in_school_order
from client.service.school import grade_number
from ui.base.button import Button, Face
from ui.base.choice import Chip, Select
from ui.base.context import UiContext
from ui.base.layout import FlowLayout, clear, divider, row, rows
from ui.base.text import label
from ui.base.theme import Type
from ui.base.widgets import place_line
from ui.viewmodel.library import FACETS, LibraryModel

_Index = QModelIndex | QPersistentModelIndex
_SHOWN: Final = 6
SECTION: Final = Qt.ItemDataRole.UserRole


def chip_text(context: UiContext, name: str, value: str) -> str:
    """Write a facet value for a narrow place: subjects and school years by their short names."""
    if name == "subject":
        return context.subjects.short(value)
    is_year = name == "grade" and 0 < grade_number(value) <= 9  # noqa: PLR2004 - then names differ
    return value[:1] if is_year else value


class Facet(QWidget):
    """One facet: its name and its values; the rest behind 还有 n 个."""

    def __init__(self, context: UiContext, model: LibraryModel, name: str) -> None:
        super().__init__()
        self._context = context
        self._model = model
        self._name = name
        self._is_open = False
        gap = context.theme.gap(6)
        column = rows(self, gap=gap)
        column.addWidget(
            label(context.words(f"library.{name}"), Type.CAPTION, tone="muted", is_bold=True)
        )
        self._chips = QWidget()
        self._chips.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        self._flow = FlowLayout(self._chips, gap=gap)
        column.addWidget(self._chips)
        self._values: list[Chip] = []
        self._shown: object = None
        self.refresh()

    def refresh(self) -> None:
        """Show the model's counts and choice. Chips that stay as they are are not built anew."""
        chosen: tuple[str, ...] = getattr(self._model.filters, self._name)
        counted: tuple[tuple[str, int], ...] = getattr(self._model.facets, self._name)
        values = [value for value, _ in counted]
        values += [value for value in chosen if value not in values]
        if self._name != "edition":
            values = list(in_school_order(self._name, values))
        self.setVisible(bool(values))
        state = (tuple(values), chosen, self._is_open)
        if state == self._shown:
            return
        self._shown = state
        held = self._held_value()
        clear(self._flow)
        self._values = []
        most = len(values) if self._is_open or len(values) <= _SHOWN + 1 else _SHOWN
        first = [value for at, value in enumerate(values) if at < most or value in chosen]
        for value in first:
            self._add_chip(value, is_on=value in chosen)
        if len(first) < len(values):
            self._add_switch("library.more", len(values) - len(first))
        elif self._is_open:
            self._add_switch("library.fewer", 0)
        self._focus(held)

    def _add_chip(self, value: str, *, is_on: bool) -> None:
        chip = Chip(self._context, chip_text(self._context, self._name, value))
        chip.setChecked(is_on)
        chip.setToolTip(value)
        chip.setAccessibleName(value)
        chip.clicked.connect(lambda: self._model.toggle(self._name, value))
        self._flow.addWidget(chip)
        self._values.append(chip)

    def _add_switch(self, key: str, n: int) -> None:
        button = Button(
            self._context, Face(text=self._context.words(key, n=n), kind="quiet", height=32)
        )
        button.clicked.connect(self._on_switch)
        self._flow.addWidget(button)

    def _on_switch(self) -> None:
        self._is_open = not self._is_open
        self.refresh()

    def _held_value(self) -> str | None:
        return next((chip.toolTip() for chip in self._values if chip.hasFocus()), None)

    def _focus(self, value: str | None) -> None:
        """Give the focus back to the chip that was pressed."""
        for chip in self._values:
            if value is not None and chip.toolTip() == value:
                chip.setFocus()


class _SectionDelegate(QStyledItemDelegate):
    """Paints a section: chevron, title, count at the far end."""

    def __init__(self, context: UiContext, tree: QTreeView) -> None:
        super().__init__(tree)
        self._context = context
        self._tree = tree

    def sizeHint(self, _option: QStyleOptionViewItem, _index: _Index) -> QSize:  # noqa: N802 - Qt's name
        theme = self._context.theme
        text = QFontMetrics(theme.font(Type.BODY)).height()
        return QSize(theme.size(120), max(theme.size(36), text + theme.gap(8)))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        theme = self._context.theme
        section: SectionRow = index.data(SECTION)
        state = option.state  # type: ignore[attr-defined]  # the stubs forget it
        box = QRectF(option.rect)  # type: ignore[attr-defined]
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        is_on = bool(state & QStyle.StateFlag.State_Selected)
        if is_on or state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("accent_soft" if is_on else "inset"))
            painter.drawRoundedRect(box.adjusted(0, 1, 0, -1), 6, 6)
        if is_on and self._tree.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(theme.color("accent"), 2))
            painter.drawRoundedRect(box.adjusted(1, 2, -1, -2), 6, 6)
        self._paint_words(painter, box, section, index, is_on=is_on)
        painter.restore()

    def _paint_words(
        self, painter: QPainter, box: QRectF, section: SectionRow, index: _Index, *, is_on: bool
    ) -> None:
        theme = self._context.theme
        is_rtl = painter.layoutDirection() is Qt.LayoutDirection.RightToLeft
        side = theme.size(16)
        shift = theme.gap(6) + section.depth * theme.gap(14)
        colour = theme.color("accent_text" if is_on else "ink")
        if index.model().hasChildren(index):
            is_open = self._tree.isExpanded(index)
            name = "chevron-down" if is_open else ("chevron-left" if is_rtl else "chevron-right")
            pixmap = self._context.icons.pixmap(name, colour.name(), side)
            left = box.right() - shift - side if is_rtl else box.left() + shift
            painter.drawPixmap(int(left), int(box.center().y() - side / 2), pixmap)
        start = shift + side + theme.gap(6)
        end = theme.gap(8)
        inner = box.adjusted(end, 0, -start, 0) if is_rtl else box.adjusted(start, 0, -end, 0)
        middle = Qt.AlignmentFlag.AlignVCenter
        small = theme.font(Type.CAPTION)
        count = str(section.lessons) if section.lessons else ""
        painter.setFont(small)
        painter.setPen(theme.color("muted"))
        painter.drawText(inner, int(Qt.AlignmentFlag.AlignTrailing | middle), count)
        taken = QFontMetrics(small).horizontalAdvance(count) + theme.gap(8)
        words = inner.adjusted(taken, 0, 0, 0) if is_rtl else inner.adjusted(0, 0, -taken, 0)
        font = theme.font(Type.BODY if section.depth == 0 else Type.CAPTION, bold=is_on)
        painter.setFont(font)
        painter.setPen(colour)
        metrics = QFontMetrics(font)
        shown = metrics.elidedText(section.title, Qt.TextElideMode.ElideRight, int(words.width()))
        painter.drawText(words, int(Qt.AlignmentFlag.AlignLeading | middle), shown)


class SectionTree(QTreeView):
    """The tree of a textbook. A press lists the lessons of a section; its chevron folds it."""

    pressed_section = Signal(object)

    def __init__(self, context: UiContext) -> None:
        super().__init__()
        self.setObjectName("sections")
        self.setAccessibleName(context.words("library.contents"))
        self.setHeaderHidden(True)
        self.setIndentation(0)
        self.setRootIsDecorated(False)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setMouseTracking(True)
        self.setItemDelegate(_SectionDelegate(context, self))
        self._model = QStandardItemModel(self)
        self.setModel(self._model)
        self._rows: tuple[SectionRow, ...] = ()
        self.clicked.connect(self._on_clicked)
        self.activated.connect(self._on_clicked)
        self.expanded.connect(self._refit)
        self.collapsed.connect(self._refit)

    def set_sections(self, sections: tuple[SectionRow, ...], current: SectionId | None) -> None:
        """Show a tree, the current section chosen and its parents open."""
        if sections != self._rows:
            self._rows = sections
            self._fill()
        self.clearSelection()
        for item in self._items():
            if item.data(SECTION).id == current:
                self.setCurrentIndex(item.index())
                self.expand(item.index())
        self._refit()

    def _fill(self) -> None:
        self._model.clear()
        open_items: list[QStandardItem] = [self._model.invisibleRootItem()]
        for section in self._rows:
            item = QStandardItem(section.title)
            item.setData(section, SECTION)
            item.setToolTip(section.title)
            del open_items[section.depth + 1 :]
            open_items[-1].appendRow(item)
            open_items.append(item)

    def _items(self) -> list[QStandardItem]:
        return self._model.findItems("*", Qt.MatchFlag.MatchWildcard | Qt.MatchFlag.MatchRecursive)

    def _on_clicked(self, index: QModelIndex) -> None:
        self.setExpanded(index, not self.isExpanded(index))
        self.pressed_section.emit(index.data(SECTION).id)

    def _refit(self) -> None:
        """Be as tall as what is open: the column scrolls, not the tree."""
        height, index = 0, self._model.index(0, 0)
        while index.isValid():
            height += self.rowHeight(index) or self.sizeHintForIndex(index).height()
            index = self.indexBelow(index)
        self.setFixedHeight(height)


class FacetColumn(QWidget):
    """Facets and tree, one below the other."""

    def __init__(self, context: UiContext, model: LibraryModel) -> None:
        super().__init__()
        self._context = context
        self._model = model
        theme = context.theme
        column = rows(self, gap=theme.gap(14))
        column.setContentsMargins(theme.gap(24), theme.gap(16), theme.gap(16), theme.gap(16))
        self._facets = {name: Facet(context, model, name) for name in FACETS}
        for one in self._facets.values():
            column.addWidget(one)
        self._clear = Button(
            context, Face(text=context.words("library.clear"), icon="x", kind="quiet", height=32)
        )
        self._clear.setObjectName("clear-filters")
        self._clear.clicked.connect(model.clear_filters)
        line = row()
        line.addWidget(self._clear)
        line.addStretch(1)
        column.addLayout(line)
        self._book_part = QWidget()
        part = rows(self._book_part, gap=theme.gap(8))
        part.addWidget(divider())
        part.addSpacing(theme.gap(4))
        self._head = label("", Type.CAPTION, tone="muted", is_bold=True)
        part.addWidget(self._head)
        self._books = Select(context)
        self._books.setObjectName("books")
        self._books.setAccessibleName(context.words("library.contents"))
        self._books.activated.connect(self._on_book)
        part.addWidget(self._books)
        self.tree = SectionTree(context)
        self.tree.pressed_section.connect(self._on_section)
        part.addWidget(self.tree)
        column.addWidget(self._book_part)
        column.addStretch(1)
        model.facets_changed.connect(self.refresh_facets)
        model.tree_changed.connect(self.refresh_tree)
        self.refresh_facets()
        self.refresh_tree()

    def refresh_facets(self) -> None:
        """Show counts and choice as they are."""
        for one in self._facets.values():
            one.refresh()
        chosen = any(getattr(self._model.filters, name) for name in FACETS)
        self._clear.setVisible(chosen)

    def refresh_tree(self) -> None:
        """Show the books to choose from and the tree of the one that is open."""
        model = self._model
        self._book_part.setVisible(model.book is not None)
        if model.book is None:
            return
        names = [(self._name(book), book.id) for book in model.books]
        shown = [
            (self._books.itemText(at), self._books.itemData(at))
            for at in range(self._books.count())
        ]
        if names != shown:
            self._books.clear()
            for name, book in names:
                self._books.addItem(name, book)
        self._books.setCurrentIndex(self._books.findData(model.book.id))
        self._books.setVisible(len(names) > 1)
        words = self._context.words
        only = len(names) == 1
        head = words("library.contents_of", book=names[0][0]) if only else words("library.contents")
        self._head.setText(head)
        self.tree.set_sections(model.tree, model.section)

    def _name(self, book: Book) -> str:
        subject = self._context.subjects.short(book.place.subject)
        return " ".join(part for part in (subject, place_line(book.place)) if part) or book.title

    def _on_book(self, at: int) -> None:
        self._model.open_book(BookId(self._books.itemData(at)))

    def _on_section(self, section: SectionId) -> None:
        self._model.open_section(section)
