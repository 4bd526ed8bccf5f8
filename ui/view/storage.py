"""本机空间 on 传输: how much is used and for what, making room, and the way to what takes it.

Invariants:
  SV2  Figures that change do not rebuild buttons, and the focus stays where it is; after the press
       that asks, it is on what keeps the lessons.
"""

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QApplication, QSizePolicy, QWidget

from client.domain.eviction import Shield
from client.service.storage import LessonRoom, StoragePage
from ui.base.button import Button, Face
from ui.base.context import UiContext
from ui.base.layout import FlowLayout, Paper, clear, row, rows
from ui.base.sight import WhileSeen
from ui.base.text import label
from ui.base.theme import Type
from ui.view.storage_books import StorageBooks
from ui.viewmodel.storage import StorageModel

_FREE: Final = "storage-free"
_STAY: Final = "storage-stay"
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
        self._acts = rows(gap=theme.gap(12))
        body.addLayout(self._acts)
        self.books = Button(context, Face(text=words("storage.books"), icon_after="chevron-right"))
        self.books.clicked.connect(self._open_books)
        body.addWidget(self.books)
        model.changed.connect(self._refresh)
        model.freed.connect(self._on_freed)
        self._refresh()

    def _key(self) -> QWidget:
        """Say what each colour of the bar is."""
        theme, holder = self._context.theme, QWidget()
        flow = FlowLayout(holder, gap=theme.gap(12))
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
        acts = (page.freeable, page.freeable_bytes, model.is_asking)
        if acts != self._shown_acts:
            self._shown_acts = acts
            at = QApplication.focusWidget()
            had_focus = at is not None and at.objectName() in (_FREE, _STAY)
            clear(self._acts)
            last = self._add_acts(page)
            if had_focus:
                last.show()  # else only the event loop would, and what is hidden takes no focus
                last.setFocus()

    def _add_acts(self, page: StoragePage) -> QWidget:
        """Offer to make room; gives where the focus is to be."""
        words, context, model = self._context.words, self._context, self._model
        if not page.freeable:
            self._acts.addWidget(label(words("storage.nothing_to_free"), Type.CAPTION))
            return self.books
        size = words.size(page.freeable_bytes)
        if not model.is_asking:
            free = Button(context, Face(text=words("storage.free", size=size), kind="outline"))
            free.setObjectName(_FREE)
            free.clicked.connect(model.free)
            self._acts.addWidget(free)
            return free
        said = words.plural("storage.free_sure", page.freeable, size=size)
        self._acts.addWidget(label(said, Type.CAPTION, is_wrapped=True))
        both = row(gap=self._context.theme.gap(12))
        sure = Button(context, Face(text=words("storage.free_now"), kind="danger"))
        sure.setObjectName(_FREE)
        sure.clicked.connect(model.free)
        both.addWidget(sure, 1)
        stay = Button(context, Face(text=words("storage.stay")))
        stay.setObjectName(_STAY)
        stay.clicked.connect(model.stay)
        both.addWidget(stay, 1)
        self._acts.addLayout(both)
        return stay

    def _open_books(self) -> None:
        StorageBooks(self._context, self.window(), self._model).open_at(self.books)

    def _on_freed(self, count: float) -> None:
        size = self._context.words.size(count)
        self._context.say("storage.freed", tone="good", size=size)


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
