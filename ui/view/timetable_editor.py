"""The editor of one slot: subject, place in the book, who teaches, in which weeks.

Invariants:
  ED1  Every touch is saved at once; the editor only shows what the model then says.
"""

from typing import Final

from PySide6.QtWidgets import QApplication, QButtonGroup, QFrame, QSizePolicy, QVBoxLayout, QWidget

from client.domain.availability import Light
from client.domain.ids import BookId
from client.domain.timetable import SlotKey, TeachingMode, Weeks
from client.service.api import Stopped
from client.service.stopped_words import other, until, why
from client.service.week_page import CoursePage, CourseStep
from ui.base.button import Button, Face
from ui.base.choice import Chip, ChoiceRow, Segments, Select
from ui.base.context import UiContext
from ui.base.layout import FlowLayout, Paper, clear, row, rows
from ui.base.light import ReadinessLight
from ui.base.popover import Popover
from ui.base.text import ElidedLabel, label
from ui.base.theme import Type
from ui.base.widgets import day_name, place_line
from ui.view.today_popovers import head
from ui.viewmodel.timetable import TimetableModel

_MODES: Final = tuple(TeachingMode)
_WEEKS: Final = (Weeks.EVERY, Weeks.ODD, Weeks.EVEN)
_FIRST_SUBJECTS: Final = 12
_LIGHT_KEYS: Final = {
    Light.READY: "timetable.light_ready",
    Light.PARTIAL: "timetable.light_partial",
    Light.WITHOUT_VIDEO: "timetable.light_without_video",
    Light.NOT_READY: "timetable.light_not_ready",
}


class SlotEditor(Popover):
    """Edits the slot the model points at."""

    def __init__(
        self, context: UiContext, window: QWidget, model: TimetableModel, key: SlotKey
    ) -> None:
        super().__init__(context, window, width=412)
        self._context = context
        self._model = model
        self._key = key
        self.body.setSpacing(context.theme.gap(10))
        self.body.addLayout(head(context, self, self._title()))
        self._subjects = self._subject_chips()
        self.body.addWidget(self._subjects)
        self._rest = rows(gap=context.theme.gap(10))
        self.body.addLayout(self._rest)
        self._pointer = QWidget()
        self._pointer_body = rows(self._pointer, gap=context.theme.gap(6))
        self._arrows: list[Button] = []
        self._shown_subject: str | None = None
        model.changed.connect(self._refresh)
        model.course_changed.connect(self._show_pointer)
        model.books_changed.connect(self._show_pointer)
        model.edit(key)
        self._refresh()

    def _title(self) -> str:
        group = self._model.group(self._key.class_id)
        values = {"day": day_name(self._context, self._key.day), "period": self._key.period}
        if group is None or len(self._model.room.classes) <= 1:
            return self._context.words("timetable.editor_title_one", **values)
        return self._context.words("timetable.editor_title", group=group.name, **values)

    def _subject_chips(self) -> QWidget:
        holder = QWidget()
        flow = FlowLayout(holder, gap=self._context.theme.gap(8))
        self._group = QButtonGroup(self)
        slot = self._model.slot(self._key)
        names = [subject.name for subject in self._context.subjects.all[:_FIRST_SUBJECTS]]
        if slot is not None and slot.subject not in names:
            names.append(slot.subject)
        for number, name in enumerate(names):
            chip = Chip(self._context, self._context.subjects.short(name), height=36)
            chip.setChecked(slot is not None and slot.subject == name)
            chip.clicked.connect(lambda _=False, one=name: self._model.choose_subject(one))
            self._group.addButton(chip, number)
            flow.addWidget(chip)
        return holder

    # --- what follows a subject ----------------------------------------------------------

    def _refresh(self) -> None:
        slot = self._model.slot(self._key)
        subject = slot.subject if slot is not None else None
        if subject != self._shown_subject or self._rest.count() == 0:
            self._shown_subject = subject
            self._build_rest()
            self.refit()

    def _build_rest(self) -> None:
        self._pointer.setParent(None)
        clear(self._rest)
        slot = self._model.slot(self._key)
        if slot is None:
            hint = label(self._context.words("timetable.subject"), Type.CAPTION, tone="muted")
            self._rest.addWidget(hint)
            return
        self._rest.addWidget(self._pointer)
        self._pointer.show()
        self._show_pointer()
        words = self._context.words
        self._rest.addWidget(label(words("timetable.mode"), Type.CAPTION, tone="muted"))
        self._rest.addWidget(self._mode_rows(slot.mode))
        line = row(gap=self._context.theme.gap(8))
        texts = [words(f"timetable.weeks_{weeks.value}") for weeks in _WEEKS]
        segments = Segments(self._context, texts, _WEEKS.index(slot.weeks))
        segments.chosen.connect(lambda at: self._model.choose_weeks(_WEEKS[at]))
        line.addWidget(segments)
        line.addStretch(1)
        wipe = Button(self._context, Face(text=words("timetable.clear"), icon="x", kind="quiet"))
        wipe.clicked.connect(self._on_clear)
        line.addWidget(wipe)
        self._rest.addLayout(line)

    def _mode_rows(self, mode: TeachingMode) -> QFrame:
        paper = Paper()
        body = rows(paper)
        body.setContentsMargins(1, 1, 1, 1)
        for one in _MODES:
            text = self._context.words(f"timetable.mode_{one.value}")
            hint = self._context.words(f"timetable.mode_{one.value}_hint")
            choice = ChoiceRow(self._context, text, hint)
            choice.setChecked(one is mode)
            choice.clicked.connect(lambda _=False, chosen=one: self._model.choose_mode(chosen))
            body.addWidget(choice)
        return paper

    # --- the place in the book -----------------------------------------------------------

    def _show_pointer(self) -> None:
        if self._model.slot(self._key) is None:
            return
        focused = QApplication.focusWidget()
        has_focus = focused is not None and self._pointer.isAncestorOf(focused)
        name = focused.objectName() if focused is not None and has_focus else ""
        clear(self._pointer_body)
        self._arrows = []
        course = self._model.course
        if course is not None and course.steps:
            self._pointer_of(course)
        elif course is not None:
            self._book_choice()
        self.refit()
        for again in self._arrows:
            if again.objectName() == name and again.isEnabled():
                again.setFocus()

    def _pointer_of(self, course: CoursePage) -> None:
        words, theme = self._context.words, self._context.theme
        book = place_line(course.place)
        body: QVBoxLayout = self._pointer_body
        body.addWidget(label(words("timetable.pointer", book=book), Type.CAPTION, tone="muted"))
        line = row(gap=theme.gap(8))
        line.addWidget(self._arrow(-1, "chevron-left", "timetable.pointer_back"))
        paper = Paper()
        inner = rows(paper)
        inner.setContentsMargins(theme.gap(12), theme.gap(6), theme.gap(12), theme.gap(6))
        paper.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        step = course.steps[course.at] if course.at is not None else None
        title = self._step_title(course, step) if step else words("timetable.book_ended")
        inner.addWidget(ElidedLabel(theme, title, Type.BODY, is_bold=True))
        if step is not None and course.at is not None:
            values = {"unit": step.unit, "n": course.at + 1, "total": len(course.steps)}
            place = words("timetable.pointer_place", **values).removeprefix(" · ")
            inner.addWidget(ElidedLabel(theme, place, Type.CAPTION, tone="muted"))
        line.addWidget(paper, 1)
        line.addWidget(self._arrow(1, "chevron-right", "timetable.pointer_on"))
        body.addLayout(line)
        if step is not None and step.stopped is not None:
            self._show_stopped(step.stopped)
        elif step is not None and step.light in _LIGHT_KEYS:
            lamp = row(gap=theme.gap(8))
            lamp.addWidget(ReadinessLight(theme, step.light))
            lamp.addWidget(label(words(_LIGHT_KEYS[step.light]), Type.CAPTION, tone="muted"), 1)
            body.addLayout(lamp)

    def _show_stopped(self, stopped: Stopped) -> None:
        """Say why a lesson is withdrawn, and offer what replaces it with one press."""
        words = self._context.words
        for text in (why(words, stopped), until(words, stopped), other(words, stopped)):
            if text:
                self._pointer_body.addWidget(
                    label(text, Type.CAPTION, tone="amber_text", is_wrapped=True)
                )
        if stopped.replacement_title:
            face = Face(text=words("today.replace"), icon="repeat", kind="outline", height=40)
            button = Button(self._context, face)
            button.setObjectName("replace")
            button.clicked.connect(lambda _=False: self._model.use_instead())
            self._pointer_body.addWidget(button)

    def _step_title(self, course: CoursePage, step: CourseStep) -> str:
        several = sum(one.lesson == step.lesson for one in course.steps) > 1
        if not several:
            return step.title
        return f"{step.title} {self._context.words('timetable.period_of', n=step.period + 1)}"

    def _arrow(self, steps: int, icon: str, key: str) -> Button:
        button = Button(self._context, Face(icon=icon, height=48, gap=12))
        button.setObjectName(key)
        button.setAccessibleName(self._context.words(key))
        button.setToolTip(self._context.words(key))
        button.setEnabled(self._model.can_move(steps))
        button.clicked.connect(lambda: self._model.move(steps))
        self._arrows.append(button)
        return button

    def _book_choice(self) -> None:
        words = self._context.words
        body = self._pointer_body
        if not self._model.books:
            body.addWidget(label(words("timetable.no_book"), Type.BODY, is_bold=True))
            hint = words("timetable.no_books_here")
            body.addWidget(label(hint, Type.CAPTION, tone="muted", is_wrapped=True))
            return
        body.addWidget(label(words("timetable.choose_book"), Type.CAPTION, tone="muted"))
        choice = Select(self._context)
        choice.setAccessibleName(words("timetable.choose_book"))
        choice.addItem(words("timetable.no_book"), "")
        for book in self._model.books:
            choice.addItem(place_line(book.place) or book.title, book.id)
        choice.activated.connect(lambda at: self._on_book(str(choice.itemData(at))))
        body.addWidget(choice)

    def _on_book(self, book: str) -> None:
        if book:
            self._model.choose_book(BookId(book))

    def _on_clear(self) -> None:
        self._model.clear()
        self.close()

    def closeEvent(self, event: object) -> None:  # noqa: N802 - Qt's name
        """Stop following the model."""
        self._model.changed.disconnect(self._refresh)
        self._model.course_changed.disconnect(self._show_pointer)
        self._model.books_changed.disconnect(self._show_pointer)
        self._model.edit(None)
        super().closeEvent(event)
