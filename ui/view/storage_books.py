"""What takes room on this PC: lessons by textbook, why each stays or may go, and the limits.

Invariants:
  SV1  Every lesson says why it stays or why it may go; none goes that is not said to.
  SV3  What is pressed keeps the focus, also where its row is built anew.
"""

from collections.abc import Sequence
from typing import Final, cast

from PySide6.QtWidgets import QApplication, QHBoxLayout, QWidget

from client.service.storage import MB, BookRoom, LessonRoom, StoragePage
from ui.base.button import Button, Face
from ui.base.choice import Select
from ui.base.context import UiContext
from ui.base.layout import clear, divider, row, rows
from ui.base.popover import Popover
from ui.base.text import ElidedLabel, label
from ui.base.theme import Type
from ui.viewmodel.storage import StorageModel

_QUOTAS_GB: Final = (5, 10, 20, 40, 80, 160)
_FLOORS_GB: Final = (1, 2, 5, 10, 20, 50)
_GB_MB: Final = 1024
_CHOICE: Final = 8
"""Letters of the longest choice."""


class StorageBooks(Popover):
    """See the module."""

    def __init__(self, context: UiContext, window: QWidget, model: StorageModel) -> None:
        super().__init__(context, window, width=640)
        self.setObjectName("storage-books")
        self._model = model
        self._shown: tuple[object, ...] = ()
        title = label(context.words("storage.books_title"), Type.TITLE, is_bold=True)
        self.body.addWidget(title)
        self.body.addLayout(self._limits())
        self._list = rows()
        self.body.addLayout(self._list)
        model.changed.connect(self._refresh)
        self._refresh()

    def _refresh(self) -> None:
        page, open_books = self._model.page, self._model.open_books
        if page is None:
            return
        self._show_limits(page)
        if (page.books, open_books) == self._shown:
            return
        self._shown = (page.books, open_books)
        at = QApplication.focusWidget()
        name = at.objectName() if at is not None and self.isAncestorOf(at) else ""
        clear(self._list)
        for book in page.books:
            self._list.addWidget(divider())
            self._list.addWidget(self._book(book))
        if not page.books:
            self._list.addWidget(label(self._context.words("storage.no_lessons"), Type.CAPTION))
        if self.isVisible():
            self.refit()
        again = cast("QWidget | None", self.findChild(QWidget, name)) if name else None
        if again is not None:
            again.setFocus()

    # --- limits --------------------------------------------------------------------------

    def _limits(self) -> QHBoxLayout:
        words = self._context.words
        across = row(gap=self._context.theme.gap(12))
        self.quota = self._select("storage.quota", ("0", words("storage.quota_none")), _QUOTAS_GB)
        self.floor = self._select(
            "storage.floor", ("auto", words("storage.floor_auto")), _FLOORS_GB
        )
        for name, select in (("quota", self.quota), ("floor", self.floor)):
            across.addWidget(label(words(f"storage.{name}"), Type.CAPTION, tone="muted"))
            across.addWidget(select)
        across.addStretch(1)
        self.quota.activated.connect(lambda at: self._choose("store_quota_mb", self.quota, at))
        self.floor.activated.connect(lambda at: self._choose("store_floor_mb", self.floor, at))
        return across

    def _select(self, key: str, usual: tuple[str, str], sizes: Sequence[int]) -> Select:
        words = self._context.words
        made = Select(self._context)
        made.setAccessibleName(words(key))
        made.setMinimumContentsLength(_CHOICE)
        made.addItem(usual[1], usual[0])
        for size in sizes:
            made.addItem(words.size(size * _GB_MB * MB), str(size * _GB_MB))
        return made

    def _choose(self, name: str, select: Select, at: int) -> None:
        self._model.set_limit(name, str(select.itemData(at)))

    def _show_limits(self, page: StoragePage) -> None:
        floor = "auto" if page.floor_mb is None else str(page.floor_mb)
        for select, value in ((self.quota, str(page.quota_mb)), (self.floor, floor)):
            if select.findData(value) < 0:
                select.addItem(self._context.words.size(int(value) * MB), value)
            select.setCurrentIndex(select.findData(value))

    # --- books and lessons -----------------------------------------------------------------

    def _book(self, book: BookRoom) -> QWidget:
        words, theme, model = self._context.words, self._context.theme, self._model
        name = book.title or words("storage.no_book")
        is_open = book.title in model.open_books
        holder = QWidget()
        body = rows(holder)
        across = row(gap=theme.gap(12))
        across.setContentsMargins(0, theme.gap(8), 0, theme.gap(8))
        across.addWidget(ElidedLabel(theme, name, Type.BODY), 1)
        count = words.plural("storage.lessons", len(book.lessons))
        across.addWidget(label(count, Type.CAPTION, tone="muted"))
        across.addWidget(label(words.size(book.size_bytes), Type.BODY, is_bold=True))
        icon = "chevron-up" if is_open else "chevron-down"
        more = Button(self._context, Face(icon=icon, kind="quiet", gap=8))
        more.setObjectName(f"book-{book.title}")
        more.setAccessibleName(words("storage.less" if is_open else "storage.more", book=name))
        more.clicked.connect(lambda: model.toggle_book(book.title))
        across.addWidget(more)
        body.addLayout(across)
        for one in book.lessons if is_open else ():
            body.addWidget(self._lesson(one))
        return holder

    def _lesson(self, one: LessonRoom) -> QWidget:
        """Show a lesson with why it stays or may go (SV1)."""
        words, theme, model = self._context.words, self._context.theme, self._model
        holder = QWidget()
        across = row(holder, gap=theme.gap(12))
        across.setContentsMargins(theme.gap(16), theme.gap(4), 0, theme.gap(4))
        texts = rows(gap=theme.gap(2))
        texts.addWidget(ElidedLabel(theme, one.title, Type.BODY))
        key = f"storage.stays_{one.shield.value}" if one.shield else f"storage.{one.leaving.value}"
        tone = "muted" if one.shield else "amber"
        texts.addWidget(label(words(key), Type.CAPTION, tone=tone))
        across.addLayout(texts, 1)
        across.addWidget(label(words.size(one.size_bytes), Type.CAPTION))
        pin = Button(
            self._context, Face(text=words("storage.unpin" if one.is_pinned else "storage.pin"))
        )
        pin.setObjectName(f"pin-{one.lesson}")
        pin.setAccessibleName(f"{pin.text() or words('storage.pin')} {one.title}")
        pin.clicked.connect(lambda: model.pin(one.lesson, is_pinned=not one.is_pinned))
        across.addWidget(pin)
        return holder
