"""State of 课程表: the week, the slot being edited, a pasted table, and what can be undone.

Invariants:
  Z1  Every change is saved at once, and the last one can be undone.
  Z2  A pasted table changes nothing until it is accepted; then all of it is written, or nothing.
"""

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import Protocol

from PySide6.QtCore import QObject, Signal

from client.domain.catalogue import Book
from client.domain.errors import ClassroomError
from client.domain.ids import BookId, ClassId, EventId, LessonId
from client.domain.record.room import RoomSnapshot
from client.domain.timetable import ClassGroup, Pointer, Slot, SlotKey, TeachingMode, Weeks
from client.domain.timetable_paste import ParsedTimetable, parse_timetable
from client.service.school_words import load_paste_words, load_subjects
from client.service.week_page import CoursePage, WeekCell, WeekPage, moved_pointer
from ui.base.dispatch import Latest, UiDispatcher


class RoomPort(Protocol):
    """What 课程表 changes (client.service.room)."""

    def snapshot(self) -> RoomSnapshot:
        """Return the room as it is now; memory only."""
        ...

    def set_slot(self, slot: Slot) -> Future[EventId]:
        """Write a place of the week."""
        ...

    def set_slots(self, slots: Sequence[Slot]) -> Future[tuple[EventId, ...]]:
        """Write many places, all or none."""
        ...

    def clear_slot(self, key: SlotKey) -> Future[EventId]:
        """Make a place free."""
        ...

    def set_pointer(self, pointer: Pointer) -> Future[EventId]:
        """Say which lesson is next."""
        ...

    def choose_book(self, class_id: ClassId, subject: str, book: BookId | None) -> Future[EventId]:
        """Choose a textbook."""
        ...

    def undo_all(self, names: Sequence[EventId]) -> Future[tuple[EventId, ...]]:
        """Take changes back, the last first."""
        ...


class WeekPort(Protocol):
    """What 课程表 reads (client.service.today, client.service.library)."""

    def week(self) -> Future[WeekPage]:
        """Answer the grid."""
        ...

    def course(self, key: SlotKey) -> Future[CoursePage]:
        """Answer where a slot stands in its textbook."""
        ...

    def use_instead(self, stopped: LessonId, other: LessonId) -> Future[object]:
        """Teach another lesson wherever a withdrawn one stands."""
        ...

    def books(self, grade: int, subject: str) -> Future[tuple[Book, ...]]:
        """Offer the textbooks of a grade and subject that are known here."""
        ...


class TimetableModel(QObject):
    """See the module. GUI thread."""

    changed = Signal()
    """Grid, room or pasted table are new."""
    course_changed = Signal()
    books_changed = Signal()
    failed = Signal(object)

    def __init__(
        self,
        room: RoomPort,
        week: WeekPort,
        dispatcher: UiDispatcher,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.room: RoomSnapshot = room.snapshot()
        self.week: WeekPage | None = None
        self.pasted: ParsedTimetable | None = None
        self.key: SlotKey | None = None
        """The slot being edited."""
        self.course: CoursePage | None = None
        self.books: tuple[Book, ...] = ()
        self.undoable: tuple[EventId, ...] = ()
        self._room_port = room
        self._week_port = week
        self._dispatcher = dispatcher
        self._weeks = Latest(dispatcher, self)
        self._courses = Latest(dispatcher, self)
        self._books = Latest(dispatcher, self)

    # --- reading -------------------------------------------------------------------------

    def refresh(self) -> None:
        """Read the room again, and ask for the lessons of the week."""
        self.room = self._room_port.snapshot()
        self._weeks.ask(self._week_port.week(), self._on_week, self._on_failed)
        if self.key is not None:
            self._ask_course()
        self.changed.emit()

    def slot(self, key: SlotKey) -> Slot | None:
        """Find a slot, None where the week is free."""
        return next((slot for slot in self.shown_slots() if slot.key == key), None)

    def shown_slots(self) -> tuple[Slot, ...]:
        """List the slots to draw: those of the room, with a pasted table over them."""
        if self.pasted is None:
            return self.room.slots
        fresh = {slot.key: slot for slot in self.pasted.slots}
        return tuple({**{slot.key: slot for slot in self.room.slots}, **fresh}.values())

    def is_fresh(self, key: SlotKey) -> bool:
        """Tell whether a slot comes from the pasted table."""
        return self.pasted is not None and any(slot.key == key for slot in self.pasted.slots)

    def cell(self, key: SlotKey) -> WeekCell | None:
        """Find what a slot teaches next."""
        cells = self.week.cells if self.week is not None else ()
        return next((cell for cell in cells if cell.slot.key == key), None)

    def group(self, class_id: ClassId) -> ClassGroup | None:
        """Find a class of the room."""
        return next((group for group in self.room.classes if group.id == class_id), None)

    # --- one slot ------------------------------------------------------------------------

    def edit(self, key: SlotKey | None) -> None:
        """Begin or end editing a slot."""
        self.key = key
        self.course = None
        self.books = ()
        if key is not None:
            self._ask_course()

    def choose_subject(self, subject: str) -> None:
        """Teach another subject in the slot being edited."""
        if self.key is None:
            return
        slot = self.slot(self.key) or Slot(key=self.key, subject=subject)
        self._write(self._room_port.set_slot(replace(slot, subject=subject, lesson=None)))

    def choose_mode(self, mode: TeachingMode) -> None:
        """Say who leads the slot."""
        self._change(mode=mode)

    def choose_weeks(self, weeks: Weeks) -> None:
        """Say in which weeks the slot takes place."""
        self._change(weeks=weeks)

    def clear(self) -> None:
        """Free the slot being edited."""
        if self.key is not None and self.slot(self.key) is not None:
            self._write(self._room_port.clear_slot(self.key))

    def move(self, steps: int) -> None:
        """Move the slot along its textbook; a lesson put in by hand gives way to the book."""
        course = self.course
        if course is None or course.at is None:
            return
        pointer = moved_pointer(course, course.at + steps)
        if pointer is not None:
            self._write(self._room_port.set_pointer(pointer))

    def can_move(self, steps: int) -> bool:
        """Tell whether the book goes on in that direction."""
        course = self.course
        if course is None or course.at is None:
            return False
        return moved_pointer(course, course.at + steps) is not None

    def use_instead(self) -> None:
        """Have what replaces it taught in place of the withdrawn lesson of the slot."""
        course = self.course
        step = None if course is None or course.at is None else course.steps[course.at]
        if step is None or step.stopped is None or step.stopped.replacement is None:
            return
        future = self._week_port.use_instead(step.lesson, step.stopped.replacement)
        self._dispatcher.watch(
            future, done=lambda _: self._on_written(()), failed=self._on_failed, owner=self
        )

    def choose_book(self, book: BookId) -> None:
        """Choose the textbook of the slot's class and subject."""
        slot = self.slot(self.key) if self.key is not None else None
        if slot is not None:
            self._write(self._room_port.choose_book(slot.key.class_id, slot.subject, book))

    # --- the whole week ------------------------------------------------------------------

    def paste(self, text: str) -> None:
        """Read a table and show it over the week (Z2)."""
        self.pasted = parse_timetable(
            text, self.room.classes, load_subjects(), load_paste_words(), self.room.bells
        )
        self.changed.emit()

    def accept_paste(self) -> None:
        """Write the pasted table."""
        pasted, self.pasted = self.pasted, None
        if pasted is not None and pasted.slots:
            self._write_all(self._room_port.set_slots(pasted.slots))
        self.changed.emit()

    def drop_paste(self) -> None:
        """Forget the pasted table."""
        self.pasted = None
        self.changed.emit()

    def undo(self) -> None:
        """Take the last change back (Z1)."""
        names, self.undoable = self.undoable, ()
        if names:
            future = self._room_port.undo_all(names)
            self._dispatcher.watch(future, done=self._on_undone, failed=self._on_failed, owner=self)

    # --- inside --------------------------------------------------------------------------

    def _change(self, **fields: object) -> None:
        slot = self.slot(self.key) if self.key is not None else None
        if slot is not None:
            changed: Slot = replace(slot, **fields)  # type: ignore[arg-type]
            self._write(self._room_port.set_slot(changed))

    def _write(self, future: Future[EventId]) -> None:
        self._dispatcher.watch(
            future,
            done=lambda name: self._on_written((name,)),
            failed=self._on_failed,
            owner=self,
        )

    def _write_all(self, future: Future[tuple[EventId, ...]]) -> None:
        self._dispatcher.watch(future, done=self._on_written, failed=self._on_failed, owner=self)

    def _on_written(self, names: tuple[EventId, ...]) -> None:
        self.undoable = names
        self.refresh()

    def _on_undone(self, _names: tuple[EventId, ...]) -> None:
        self.refresh()

    def _ask_course(self) -> None:
        slot = self.slot(self.key) if self.key is not None else None
        group = self.group(slot.key.class_id) if slot is not None else None
        if slot is None or group is None:
            self._courses.forget()
            self.course, self.books = None, ()
            self.course_changed.emit()
            return
        self._courses.ask(self._week_port.course(slot.key), self._on_course, self._on_failed)
        books = self._week_port.books(group.grade, slot.subject)
        self._books.ask(books, self._on_books, self._on_failed)

    def _on_week(self, week: WeekPage) -> None:
        self.week = week
        self.changed.emit()

    def _on_course(self, course: CoursePage) -> None:
        self.course = course
        self.course_changed.emit()

    def _on_books(self, books: tuple[Book, ...]) -> None:
        self.books = books
        self.books_changed.emit()

    def _on_failed(self, error: ClassroomError) -> None:
        self.failed.emit(error)
