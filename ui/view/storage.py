"""本机空间: what takes room by book, what may go, what is pinned, and making room.

Invariants:
  SV1  Every lesson says why it stays or why it may go; none goes that is not said to.
  SV2  Figures that change do not rebuild rows and buttons: the focus stays where it is.
"""

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from client.domain.eviction import Shield
from client.service.storage import MB, BookRoom, LessonRoom, StoragePage
from ui.base.button import Button, Face
from ui.base.choice import Select
from ui.base.context import UiContext
from ui.base.layout import FlowLayout, Paper, clear, divider, row, rows
from ui.base.sight import WhileSeen
from ui.base.text import ElidedLabel, label
from ui.base.theme import Type
from ui.viewmodel.storage import StorageModel

_QUOTAS_GB: Final = (5, 10, 20, 40, 80, 160)
_FLOORS_GB: Final = (1, 2, 5, 10, 20, 50)
_GB_MB: Final = 1024
_CHOICE: Final = 8
"""Letters of the longest choice."""
_REST: Final = "rest"
_TONES: Final = {
    "coming": "accent",
    "pinned": "info",
    "other": "chart",
    "may_go": "amber",
    _REST: "line2",
}
"""Parts of the bar in their order, with their theme colours; the last one is no lessons."""


class RoomBar(QWidget):
    """One bar, a colour for each kind of lesson, of the room of the whole disk."""

    def __init__(self, context: UiContext, name: str) -> None:
        super().__init__()
        self._theme = context.theme
        self._shares: tuple[tuple[float, str], ...] = ()
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Any width, 10 pixels high."""
        return QSize(self._theme.size(160), self._theme.size(10))

    def set_shares(self, shares: Sequence[tuple[float, str]]) -> None:
        """Show shares from 0 to 1, each in a theme colour, from the leading end."""
        self._shares = tuple(shares)
        self.setAccessibleDescription(f"{round(sum(share for share, _ in shares) * 100)} %")
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint the ground, then one stretch behind the other."""
        painter = QPainter(self)
        painter.setPen(Qt.PenStyle.NoPen)
        box = QRectF(self.rect())
        painter.fillRect(box, self._theme.color("inset"))
        is_rtl = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        done = 0.0
        for share, tone in self._shares:
            width = box.width() * share
            left = box.width() - done - width if is_rtl else done
            painter.fillRect(QRectF(left, 0, width, box.height()), self._theme.color(tone))
            done += width
        painter.end()


class Patch(QWidget):
    """A small square in a theme colour, beside the words for it."""

    def __init__(self, context: UiContext, tone: str) -> None:
        super().__init__()
        self._color = context.theme.color(tone)
        self.setFixedSize(*(context.theme.size(10),) * 2)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Fill it."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._color)
        painter.end()


class StoragePaper(WhileSeen, Paper):
    """See the module."""

    def __init__(self, context: UiContext, model: StorageModel) -> None:
        super().__init__()
        self._context = context
        self._model = model
        self._watch = model.watch
        self._shown_acts: tuple[object, ...] = ()
        self._shown_books: tuple[object, ...] = ()
        words, theme = context.words, context.theme
        body = rows(self, gap=theme.gap(12))
        body.setContentsMargins(*(theme.gap(16),) * 4)
        head = row(gap=theme.gap(12))
        head.addWidget(label(words("storage.title"), Type.TITLE, is_bold=True), 1)
        self._used = label("", Type.CAPTION, tone="muted")
        head.addWidget(self._used)
        body.addLayout(head)
        self._bar = RoomBar(context, words("storage.title"))
        body.addWidget(self._bar)
        self._legend = {kind: label("", Type.CAPTION, tone="muted") for kind in _TONES}
        body.addWidget(self._key())
        self._acts = row(gap=theme.gap(12))
        body.addLayout(self._acts)
        body.addLayout(self._limits())
        self._list = rows()
        body.addLayout(self._list)
        model.changed.connect(self._refresh)
        model.freed.connect(self._on_freed)
        self._refresh()

    def _key(self) -> QWidget:
        """Say what each colour of the bar is."""
        theme, holder = self._context.theme, QWidget()
        holder.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        flow = FlowLayout(holder, gap=theme.gap(16))
        for kind, text in self._legend.items():
            pair = QWidget()
            across = row(pair, gap=theme.gap(6))
            across.addWidget(Patch(self._context, _TONES[kind]))
            across.addWidget(text)
            flow.addWidget(pair)
        return holder

    # --- figures -------------------------------------------------------------------------

    def _refresh(self) -> None:
        page, model = self._model.page, self._model
        if page is None:
            return
        words = self._context.words
        used = page.room.total_bytes - page.room.free_bytes
        total = words.size(page.room.total_bytes)
        self._used.setText(words("storage.used", used=words.size(used), total=total))
        sizes = _sizes(page)
        whole = page.room.total_bytes or 1
        self._bar.set_shares([(sizes[kind] / whole, _TONES[kind]) for kind in _TONES])
        for kind, text in self._legend.items():
            text.setText(words(f"storage.{kind}", size=words.size(sizes[kind])))
        self._show_limits(page)
        acts = (page.freeable, page.freeable_bytes, model.is_asking)
        if acts != self._shown_acts:
            self._shown_acts = acts
            clear(self._acts)
            self._add_acts(page)
        if (page.books, model.open_books) != self._shown_books:
            self._shown_books = (page.books, model.open_books)
            clear(self._list)
            for book in page.books:
                self._list.addWidget(divider())
                self._list.addWidget(self._book(book))

    def _add_acts(self, page: StoragePage) -> None:
        words, context, model = self._context.words, self._context, self._model
        if not page.freeable:
            self._acts.addWidget(label(words("storage.nothing_to_free"), Type.CAPTION), 1)
            return
        size = words.size(page.freeable_bytes)
        if not model.is_asking:
            free = Button(context, Face(text=words("storage.free", size=size), kind="outline"))
            free.setObjectName("storage-free")
            free.clicked.connect(model.free)
            self._acts.addWidget(free)
            self._acts.addStretch(1)
            return
        said = words.plural("storage.free_sure", page.freeable, size=size)
        self._acts.addWidget(label(said, Type.CAPTION, is_wrapped=True), 1)
        sure = Button(context, Face(text=words("storage.free_now"), kind="danger"))
        sure.setObjectName("storage-free")
        sure.clicked.connect(model.free)
        self._acts.addWidget(sure)
        stay = Button(context, Face(text=words("storage.stay")))
        stay.clicked.connect(model.stay)
        self._acts.addWidget(stay)

    def _on_freed(self, count: float) -> None:
        size = self._context.words.size(count)
        self._context.say("storage.freed", tone="good", size=size)

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
        pin.setAccessibleName(f"{pin.text() or words('storage.pin')} {one.title}")
        pin.clicked.connect(lambda: model.pin(one.lesson, is_pinned=not one.is_pinned))
        across.addWidget(pin)
        return holder


def _sizes(page: StoragePage) -> dict[str, int]:
    """Add up the lessons of each part of the bar; the rest is what other files take."""
    sizes = dict.fromkeys(_TONES, 0)
    for book in page.books:
        for one in book.lessons:
            sizes[_kind(one)] += one.size_bytes
    used = page.room.total_bytes - page.room.free_bytes
    sizes[_REST] = max(0, used - sum(sizes.values()))
    return sizes


def _kind(one: LessonRoom) -> str:
    if one.shield is None:
        return "may_go"
    if one.shield in (Shield.TEACHING, Shield.COMING):
        return "coming"
    return "pinned" if one.shield is Shield.PINNED else "other"
