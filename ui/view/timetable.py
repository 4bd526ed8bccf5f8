"""课程表: the week on one sheet, edited in place or pasted from a spreadsheet.

Invariants:
  TT1  A pasted table lies over the week until it is accepted or dropped; meanwhile nothing else
       can be edited.
"""

from typing import Final

from PySide6.QtCore import QRect, Signal
from PySide6.QtGui import QGuiApplication, QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from client.domain.timetable import SlotKey, TeachingMode
from client.domain.timetable_paste import ParsedTimetable, PasteProblem
from ui.base.button import Button, Face
from ui.base.context import UiContext
from ui.base.layout import Page, clear, row, rows
from ui.base.notice import Notice
from ui.base.text import label
from ui.base.theme import Type
from ui.view.timetable_editor import SlotEditor
from ui.view.timetable_grid import MODE_TAGS, WeekGrid
from ui.viewmodel.timetable import TimetableModel

_SHOWN_PROBLEMS: Final = 4


class TimetableView(QWidget):
    """The page."""

    settings_wanted = Signal()

    def __init__(self, context: UiContext, model: TimetableModel) -> None:
        super().__init__()
        self._context = context
        self._model = model
        self.setProperty("page", "true")
        frame = rows(self)
        self._page = Page(context, most_px=0)
        frame.addWidget(self._page)
        self._page.body.setSpacing(context.theme.gap(12))
        self._page.body.addLayout(self._head())
        self._pasted = QFrame()
        self._pasted_body = rows(self._pasted, gap=context.theme.gap(8))
        self._page.body.addWidget(self._pasted)
        self._empty = self._empty_notice()
        self._page.body.addWidget(self._empty)
        self.grid = WeekGrid(context, model)
        self.grid.opened.connect(self.open_slot)
        self.grid.cleared.connect(self._on_cleared)
        self.grid.moved.connect(self._on_moved)
        self._page.body.addWidget(self.grid)
        self._foot = row(gap=context.theme.gap(12))
        self._page.body.addLayout(self._foot)
        self._page.body.addStretch(1)
        for keys, slot in (
            (QKeySequence.StandardKey.Paste, self.paste),
            (QKeySequence.StandardKey.Undo, model.undo),
        ):
            QShortcut(QKeySequence(keys), self, slot)
        model.changed.connect(self._refresh)
        model.failed.connect(context.say_error)
        self._refresh()

    # --- parts ---------------------------------------------------------------------------

    def _head(self) -> QHBoxLayout:
        words, theme = self._context.words, self._context.theme
        line = row(gap=theme.gap(12))
        line.addWidget(label(words("timetable.title"), Type.HEAD, is_bold=True))
        self._parity = label("", Type.BODY, tone="muted")
        line.addWidget(self._parity)
        line.addStretch(1)
        self._paste_button = Button(
            self._context,
            Face(
                text=words("timetable.paste_hint"),
                icon="clipboard-paste",
                key="Ctrl+V",
                kind="quiet",
            ),
        )
        self._paste_button.clicked.connect(self.paste)
        line.addWidget(self._paste_button)
        return line

    def _empty_notice(self) -> Notice:
        words = self._context.words
        notice = Notice(
            self._context,
            words("timetable.no_classes_title"),
            hint=words("timetable.no_classes_hint"),
            action=words("timetable.to_settings"),
        )
        notice.acted.connect(self.settings_wanted)
        return notice

    def _refresh(self) -> None:
        has_classes = bool(self._model.room.classes)
        self._empty.setVisible(not has_classes)
        self.grid.setVisible(has_classes)
        self._paste_button.setVisible(has_classes)
        self.grid.refresh()
        self._refresh_parity()
        self._refresh_pasted()
        self._refresh_foot()

    def _refresh_parity(self) -> None:
        is_odd = self._model.week.is_odd_week if self._model.week is not None else None
        keys = {True: "timetable.odd_week", False: "timetable.even_week"}
        self._parity.setText(self._context.words(keys[is_odd]) if is_odd is not None else "")

    def _refresh_foot(self) -> None:
        clear(self._foot)
        words = self._context.words
        modes = {slot.mode for slot in self._model.room.slots} - {TeachingMode.OWN}
        for mode in (one for one in TeachingMode if one in modes):
            tag = label(words(MODE_TAGS[mode]), Type.CAPTION, tone="info", is_bold=True)
            self._foot.addWidget(tag)
            hint = words(f"timetable.mode_{mode.value}_hint")
            self._foot.addWidget(label(hint, Type.CAPTION, tone="muted"))
        self._foot.addWidget(label(words("timetable.advances"), Type.CAPTION, tone="muted"))
        self._foot.addStretch(1)
        if self._model.undoable:
            self._foot.addWidget(label(words("timetable.saved"), Type.CAPTION, tone="muted"))
            face = Face(text=words("timetable.undo"), icon="undo-2", kind="link", key="Ctrl+Z")
            undo = Button(self._context, face)
            undo.clicked.connect(self._model.undo)
            self._foot.addWidget(undo)

    # --- pasting -------------------------------------------------------------------------

    def paste(self) -> None:
        """Read the clipboard."""
        text = QGuiApplication.clipboard().text()
        if not text.strip():
            self._context.say("timetable.paste_empty", tone="amber")
            return
        self._model.paste(text)

    def _refresh_pasted(self) -> None:
        clear(self._pasted_body)
        pasted = self._model.pasted
        self._pasted.setVisible(pasted is not None)
        if pasted is None:
            return
        self._pasted.setProperty("notice", "good" if pasted.slots else "amber")
        self._pasted.style().unpolish(self._pasted)
        self._pasted.style().polish(self._pasted)
        theme, words = self._context.theme, self._context.words
        pad = theme.gap(16)
        self._pasted_body.setContentsMargins(pad, theme.gap(12), pad, theme.gap(12))
        line = row(gap=theme.gap(12))
        text = words("timetable.pasted_none")
        if pasted.slots:
            text = words.plural("timetable.pasted", len(pasted.slots))
        line.addWidget(label(text, Type.TITLE, is_bold=True))
        if pasted.slots:
            line.addWidget(label(words("timetable.pasted_hint"), Type.CAPTION))
        line.addStretch(1)
        drop = Button(self._context, Face(text=words("timetable.paste_drop")))
        drop.clicked.connect(self._model.drop_paste)
        line.addWidget(drop)
        if pasted.slots:
            face = Face(text=words("timetable.paste_accept"), icon="check", kind="primary")
            accept = Button(self._context, face)
            accept.clicked.connect(self._model.accept_paste)
            line.addWidget(accept)
            accept.show()
            accept.setFocus()
        self._pasted_body.addLayout(line)
        self._add_problems(pasted)

    def _add_problems(self, pasted: ParsedTimetable) -> None:
        words = self._context.words
        if not pasted.problems:
            return
        count = words.plural("timetable.pasted_problems", len(pasted.problems))
        self._pasted_body.addWidget(label(count, Type.BODY, tone="amber", is_bold=True))
        for problem in pasted.problems[:_SHOWN_PROBLEMS]:
            line = label(self._problem_text(problem), Type.CAPTION, is_wrapped=True)
            self._pasted_body.addWidget(line)
        rest = len(pasted.problems) - _SHOWN_PROBLEMS
        if rest > 0:
            text = words.plural("timetable.problems_more", rest)
            self._pasted_body.addWidget(label(text, Type.CAPTION, tone="muted"))

    def _problem_text(self, problem: PasteProblem) -> str:
        return self._context.words(
            f"timetable.trouble_{problem.trouble.value}",
            row=problem.row,
            column=problem.column,
            text=problem.text,
        )

    # --- editing -------------------------------------------------------------------------

    def open_slot(self, key: SlotKey) -> None:
        """Open the editor beside a cell (TT1)."""
        if self._model.pasted is not None:
            return
        editor = SlotEditor(self._context, self, self._model, key)
        editor.closed.connect(self._on_closed)
        self.grid.mark_open(key)
        editor.open_at(self.grid, self.grid.cell_rect(key))

    def class_name(self, key: SlotKey) -> str:
        """Name the class of a cell."""
        group = self._model.group(key.class_id)
        return group.name if group is not None else ""

    def drop_paste(self) -> None:
        """Forget a pasted table."""
        self._model.drop_paste()

    def _on_closed(self) -> None:
        self.grid.mark_open(None)
        self.grid.setFocus()

    def _on_cleared(self, key: SlotKey) -> None:
        if self._model.pasted is None:
            self._model.edit(key)
            self._model.clear()
            self._model.edit(None)

    def _on_moved(self) -> None:
        key = self.grid.cursor_key
        if key is not None:
            box: QRect = self.grid.cell_rect(key)
            at = self.grid.mapTo(self._page.content, box.center())
            self._page.ensureVisible(at.x(), at.y(), 0, box.height())

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Look again whenever the page comes to the front."""
        super().showEvent(event)
        self._model.refresh()
        self.grid.setFocus()
