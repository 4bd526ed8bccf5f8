"""班级: what each class did, day by day, and what two machines wrote differently.

Invariants:
  KV1  Every visible control acts, and each is reached by keys; after a decision the focus is on
       the next thing to decide.
"""

from collections.abc import Sequence
from typing import Final, cast

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QApplication, QWidget

from client.domain.errors import ClassroomError
from client.domain.ids import ClassId, EventId
from client.service.classes_page import ClassesPage, Day
from client.service.when import day_label
from ui.base.button import Button, Face
from ui.base.context import Say, UiContext
from ui.base.layout import Page, Paper, clear, divider, row, rows
from ui.base.sight import WhileSeen
from ui.base.text import label
from ui.base.theme import Type
from ui.view.classes_parts import DisputeView, LooseLine, SittingLine
from ui.view.classes_words import ClassWords
from ui.view.today_notices import IconTile
from ui.viewmodel.classes import ClassesModel

_WIDTH: Final = 1040
_DISPUTES: Final = 3
"""So many things to decide stand open; the others wait behind a button."""


class ClassesView(WhileSeen, Page):
    """See the module."""

    today_wanted = Signal()

    def __init__(self, context: UiContext, model: ClassesModel) -> None:
        super().__init__(context, most_px=_WIDTH)
        self._context = context
        self._model = model
        self._watch = model.watch
        self._shows_all_disputes = False
        theme = context.theme
        head = row(gap=theme.gap(12))
        self._title = label("", Type.HEAD, is_bold=True)
        head.addWidget(self._title)
        self._sum = label("", Type.BODY, tone="muted")
        head.addWidget(self._sum, 1)
        self.body.addLayout(head)
        self._list = rows(gap=theme.gap(16))
        self.body.addLayout(self._list)
        self.body.addStretch(1)
        model.changed.connect(self._rebuild)
        model.settled.connect(self._on_settled)
        model.failed.connect(self._on_failed)
        self._rebuild()

    # --- building ----------------------------------------------------------------------------

    def _rebuild(self) -> None:
        held = _held_name(self)
        clear(self._list)
        page, words = self._model.page, self._context.words
        say = ClassWords(self._context, page or ClassesPage())
        self._title.setText(words("classes.title"))
        if page is None:
            self._sum.setText(words("classes.looking"))
            return
        if self._model.shown_class:
            name = say.name(ClassId(self._model.shown_class))
            self._title.setText(words("classes.title_of", name=name))
        count = sum(1 for _ in page.sittings())
        self._sum.setText(words.plural("classes.count", count) if count else "")
        self._add_disputes(say, page)
        for day in self._model.days:
            self._list.addWidget(self._day(say, day))
        if not page.days:
            self._list.addWidget(self._empty())
        if self._model.days_left:
            text = words.plural("classes.older", self._model.days_left)
            older = Button(self._context, Face(text=text, icon="chevron-down"))
            older.setObjectName("older")
            older.clicked.connect(self._model.show_more)
            self._list.addWidget(older, 0, Qt.AlignmentFlag.AlignHCenter)
        _give_focus(self, held)

    def _add_disputes(self, say: ClassWords, page: ClassesPage) -> None:
        words, disputes = self._context.words, page.disputes
        if not disputes:
            return
        text = words.plural("classes.disputes", len(disputes))
        head = rows(gap=self._context.theme.gap(4))
        head.addWidget(label(text, Type.TITLE, is_bold=True, is_wrapped=True))
        head.addWidget(label(words("classes.disputes_hint"), Type.CAPTION, tone="muted"))
        self._list.addLayout(head)
        most = len(disputes) if self._shows_all_disputes else _DISPUTES
        parts: list[QWidget] = []
        for dispute in disputes[:most]:
            view = DisputeView(self._context, say, dispute)
            view.kept.connect(lambda index, one=dispute: self._model.keep(one, index))
            view.join_wanted.connect(lambda one=dispute: self._model.join(one))
            parts.append(view)
        self._list.addWidget(_paper_of(parts))
        if len(disputes) > most:
            text = words.plural("classes.disputes_more", len(disputes) - most)
            more = Button(self._context, Face(text=text, icon="chevron-down"))
            more.setObjectName("more-disputes")
            more.clicked.connect(self._show_all_disputes)
            self._list.addWidget(more, 0, Qt.AlignmentFlag.AlignLeading)

    def _day(self, say: ClassWords, day: Day) -> QWidget:
        context, words, theme = self._context, self._context.words, self._context.theme
        holder = QWidget()
        column = rows(holder, gap=theme.gap(8))
        head = row(gap=theme.gap(12))
        name = day_label(words, day.date, say.today, is_about=day.is_about)
        head.addWidget(label(name, Type.BODY, is_bold=True))
        if day.sittings:
            count = words.plural("classes.count", len(day.sittings))
            head.addWidget(label(count, Type.CAPTION, tone="muted"))
        head.addStretch(1)
        column.addLayout(head)
        parts: list[QWidget] = []
        for sitting in day.sittings:
            line = SittingLine(context, say, sitting, is_open=sitting.id in self._model.open)
            line.toggled.connect(
                lambda name, one=line: one.set_open(is_open=self._model.toggle(name))
            )
            parts.append(line)
        parts += [LooseLine(context, say, loose) for loose in day.loose]
        column.addWidget(_paper_of(parts))
        return holder

    def _empty(self) -> QWidget:
        words, theme = self._context.words, self._context.theme
        paper = Paper()
        column = rows(paper, gap=theme.gap(12))
        column.setContentsMargins(*(theme.gap(32),) * 4)
        centre = Qt.AlignmentFlag.AlignHCenter
        column.addWidget(IconTile(self._context, "school"), 0, centre)
        key = "classes.empty_class" if self._model.shown_class else "classes.empty"
        column.addWidget(label(words(key), Type.TITLE, is_bold=True), 0, centre)
        column.addWidget(label(words("classes.empty_hint"), tone="muted"), 0, centre)
        face = Face(text=words("classes.to_today"), icon="sun", kind="primary")
        today = Button(self._context, face)
        today.setObjectName("to-today")
        today.clicked.connect(self.today_wanted)
        column.addWidget(today, 0, centre)
        return paper

    # --- acting ------------------------------------------------------------------------------

    def _show_all_disputes(self) -> None:
        self._shows_all_disputes = True
        self._rebuild()

    def _on_settled(self, name: EventId) -> None:
        words = self._context.words
        self._context.said.emit(
            Say(
                text=words("classes.kept"),
                hint=words("classes.disputes_hint"),
                tone="good",
                action=words("frame.undo"),
                act=lambda: self._model.undo(name),
            )
        )

    def _on_failed(self, error: ClassroomError) -> None:
        self._context.say_error(error)


def _paper_of(parts: Sequence[QWidget]) -> Paper:
    """Put parts onto one card, with lines between them."""
    paper = Paper()
    column = rows(paper)
    for number, part in enumerate(parts):
        if number:
            column.addWidget(divider())
        column.addWidget(part)
    return paper


def _held_name(view: QWidget) -> str:
    """Name the control inside that has the focus, empty for none."""
    held = QApplication.focusWidget()
    return held.objectName() if held is not None and view.isAncestorOf(held) else ""


def _give_focus(view: QWidget, name: str) -> None:
    """Give the focus to the control of that name, else to the first of its kind (KV1)."""
    if not name:
        return
    buttons = cast("list[Button]", view.findChildren(Button))
    stem = name.split("-", maxsplit=1)[0]
    fitting = [one for one in buttons if one.objectName() == name]
    fitting += [one for one in buttons if one.objectName().startswith(stem)]
    if fitting:
        fitting[0].setFocus()
