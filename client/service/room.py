"""The room's choices: who is taught, from which books, when, and how the program behaves.

Invariants:
  Q1  `snapshot` reads memory only and may be called on the GUI thread.
  Q2  A change is in the snapshot when its future is done, and it is durable then.
  Q3  A write supersedes exactly what was visible when it was written; nothing is overwritten
      silently.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import Final

from client.domain.errors import ProtocolError, UserError
from client.domain.ids import BookId, ClassId, EventId
from client.domain.record import bodies as b
from client.domain.record.bodies import EventType
from client.domain.record.event import Event
from client.domain.record.fold import Entry, Fold
from client.domain.record.room import (
    ROOM_TYPES,
    Conflict,
    RoomSnapshot,
    SwapOnce,
    room_snapshot,
    taken_back,
)
from client.domain.record.table import pack, spec_of, topic
from client.domain.settings import check_setting
from client.domain.timetable import ClassGroup, Pointer, Slot, SlotKey
from client.service.records import write_register
from client.store.futures import then
from client.store.journal import Journal
from client.store.journal_rows import Look

__all__ = ["Conflict", "RoomService", "RoomSnapshot", "SwapOnce"]

_MAX_GRADE: Final = 12
_LOCAL: Final = "room."
"""Values of this machine share their table with those of the journal itself."""


class RoomService:
    """Reads and changes the room. Making one reads the disk; see Q1 for the rest.

    Writers return futures and raise `UserError` at once for what cannot be written.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal: Final = journal
        self._gate = threading.Lock()
        self._fold = Fold()
        self._snapshot = RoomSnapshot()
        self._subscribers: tuple[Callable[[], None], ...] = ()
        self._local = {
            name.removeprefix(_LOCAL): value
            for name, value in journal.local().items()
            if name.startswith(_LOCAL)
        }
        journal.listen(self._on_events)
        self._take([event for _, event in journal.events(ROOM_TYPES)])

    # --- reading -------------------------------------------------------------------------

    def snapshot(self) -> RoomSnapshot:
        """Return the room as it is now (Q1)."""
        return self._snapshot

    def subscribe(self, callback: Callable[[], None]) -> None:
        """Call `callback` after each change, on some thread; it must only post."""
        with self._gate:
            self._subscribers = (*self._subscribers, callback)

    def class_ids(self) -> tuple[ClassId, ...]:
        """Return the classes of the room."""
        return tuple(group.id for group in self._snapshot.classes)

    def find_class(self, text: str) -> ClassGroup:
        """Find a class by its id or its name.

        Raises:
            UserError: `class_unknown`.
        """
        for group in self._snapshot.classes:
            if text in (group.id, group.name):
                return group
        raise UserError("class_unknown", {"name": text})

    # --- writing -------------------------------------------------------------------------

    def set_room(self, school: str, room: str) -> Future[EventId]:
        """Name school and room."""
        if not school.strip():
            raise UserError("name_empty")
        return self._write(b.RoomWritten(school=school.strip(), room=room.strip()))

    def add_class(self, name: str, grade: int, headcount: int = 0) -> Future[ClassId]:
        """Add a class; its id is `c` and the grade, with a number behind if that is taken.

        Raises:
            UserError: `name_empty`, `class_exists`, `grade_unreadable`, `value_does_not_fit`.
        """
        name = name.strip()
        if not name:
            raise UserError("name_empty")
        if not 1 <= grade <= _MAX_GRADE:
            raise UserError("grade_unreadable", {"grade": grade})
        if any(group.name == name for group in self._snapshot.classes):
            raise UserError("class_exists", {"name": name})
        wanted = b.ClassWritten(
            class_id=ClassId(f"c{grade}"), name=name, grade=grade, headcount=headcount
        )
        _check(wanted)

        def draft(look: Look) -> Sequence[b.Body]:
            body, number = wanted, 1
            while look.siblings(EventType.CLASS, topic(body)):
                number += 1
                body = replace(wanted, class_id=ClassId(f"c{grade}-{number}"))
            return (body,)

        return then(self._journal.draft(draft), lambda events: _class_of(events[0]))

    def set_class(
        self, class_id: ClassId, *, name: str | None = None, headcount: int | None = None
    ) -> Future[EventId]:
        """Change name or assumed headcount of a class."""
        group = self._class(class_id)
        return self._write(
            b.ClassWritten(
                class_id=class_id,
                name=group.name if name is None else name.strip(),
                grade=group.grade,
                headcount=group.headcount if headcount is None else headcount,
            )
        )

    def set_headcount(self, class_id: ClassId, headcount: int) -> Future[EventId]:
        """Change how many pupils a class is assumed to have."""
        return self.set_class(class_id, headcount=headcount)

    def remove_class(self, class_id: ClassId) -> Future[EventId]:
        """Take a class out of the room; its records stay."""
        group = self._class(class_id)
        return self._write(
            b.ClassWritten(
                class_id=class_id,
                name=group.name,
                grade=group.grade,
                headcount=group.headcount,
                is_present=False,
            )
        )

    def choose_book(self, class_id: ClassId, subject: str, book: BookId | None) -> Future[EventId]:
        """Choose the textbook of a class in a subject, None for none."""
        self._class(class_id)
        return self._write(
            b.BookChosen(class_id=class_id, subject=subject, book=book or BookId(""))
        )

    def set_slot(self, slot: Slot) -> Future[EventId]:
        """Write a place of the week."""
        return self._write(self._slot_body(slot))

    def set_slots(self, slots: Sequence[Slot]) -> Future[tuple[EventId, ...]]:
        """Write many places of the week in one go: all or none (a pasted timetable)."""
        wanted = [self._slot_body(slot) for slot in slots]
        for body in wanted:
            _check(body)

        def draft(look: Look) -> Sequence[b.Body]:
            return [
                replace(body, sup=_ids(look.siblings(EventType.SLOT, topic(body))))
                for body in wanted
            ]

        return then(self._journal.draft(draft), lambda events: tuple(event.id for event in events))

    def clear_slot(self, key: SlotKey) -> Future[EventId]:
        """Make a place of the week free."""
        return self.set_slot(Slot(key=key, subject=""))

    def set_pointer(self, pointer: Pointer) -> Future[EventId]:
        """Say which lesson of a subject is next for a class."""
        self._class(pointer.class_id)
        return self._write(
            b.PointerMoved(
                class_id=pointer.class_id,
                subject=pointer.subject,
                lesson=pointer.lesson,
                period=pointer.period,
            )
        )

    def swap_once(self, swap: SwapOnce, *, is_taken_back: bool = False) -> Future[EventId]:
        """只换这次: teach another lesson (or 课本课) in a slot on one occasion."""
        self._class(swap.key.class_id)
        return self._write(
            b.Swapped(
                class_id=swap.key.class_id,
                day=swap.key.day,
                period=swap.key.period,
                occasion=swap.occasion,
                lesson=None if is_taken_back else swap.lesson,
                lesson_period=swap.lesson_period,
                is_textbook=swap.lesson is None and not is_taken_back,
            )
        )

    def set_setting(self, name: str, value: str) -> Future[EventId]:
        """Change one setting (docs/settings.md); an empty text brings back its default.

        Raises:
            UserError: `setting_unknown`, `setting_unreadable`.
        """
        check_setting(name, value)
        return self._write(b.SettingWritten(name=name, value=value))

    def undo(self, name: EventId) -> Future[EventId]:
        """Bring back what a change replaced; the undo can be undone in the same way.

        The future fails with `UserError("undo_too_late")` when something newer was written.
        """

        def draft(look: Look) -> Sequence[b.Body]:
            entry = look.find(name)
            if entry is None or not isinstance(entry.body, b.RegisterBody):
                raise UserError("undo_too_late")
            number, key = spec_of(entry.body).number, topic(entry.body)
            if name not in _ids(look.siblings(number, key)):
                raise UserError("undo_too_late")
            before = (look.find(one) for one in entry.body.sup)
            return taken_back(entry, tuple(one for one in before if one is not None))

        return then(self._journal.draft(draft), lambda events: events[-1].id)

    def undo_all(self, names: Sequence[EventId]) -> Future[tuple[EventId, ...]]:
        """Undo several changes, the last first (a pasted timetable)."""
        answer: Future[tuple[EventId, ...]] = Future()
        undone = [self.undo(name) for name in reversed(names)]
        if not undone:
            answer.set_result(())
            return answer
        # Futures of one journal finish in the order they were asked for.
        undone[-1].add_done_callback(lambda _: _gather(undone, answer))
        return answer

    # --- this machine only ---------------------------------------------------------------

    def local(self, name: str) -> str:
        """Return a value of this machine that is no event, empty when there is none (Q1)."""
        return self._local.get(name, "")

    def locals(self, prefix: str) -> dict[str, str]:
        """Return the values of this machine whose names begin with `prefix`, without it (Q1)."""
        found = self._local.items()
        return {name.removeprefix(prefix): text for name, text in found if name.startswith(prefix)}

    def set_local(self, name: str, value: str) -> Future[None]:
        """Remember a value of this machine; it survives deleting library.db, and never leaves."""
        with self._gate:
            self._local = {**self._local, name: value}
        return self._journal.set_local(_LOCAL + name, value)

    # --- inside --------------------------------------------------------------------------

    def _class(self, class_id: ClassId) -> ClassGroup:
        for group in self._snapshot.classes:
            if group.id == class_id:
                return group
        raise UserError("class_unknown", {"name": class_id})

    def _slot_body(self, slot: Slot) -> b.SlotWritten:
        self._class(slot.key.class_id)
        if slot.key.day < 1 or slot.key.period < 1:
            raise UserError("slot_outside_week", {"day": slot.key.day, "period": slot.key.period})
        return b.SlotWritten(
            class_id=slot.key.class_id,
            day=slot.key.day,
            period=slot.key.period,
            subject=slot.subject,
            mode=slot.mode,
            weeks=slot.weeks,
            lesson=slot.lesson,
        )

    def _write(self, body: b.RegisterBody) -> Future[EventId]:
        _check(body)
        return write_register(self._journal, body)

    def _on_events(self, events: Sequence[Event]) -> None:
        if self._take([event for event in events if event.type in ROOM_TYPES]):
            for callback in self._subscribers:
                callback()

    def _take(self, events: Sequence[Event]) -> bool:
        with self._gate:
            changes = [self._fold.add(event) for event in events]
            if any(changes):
                self._snapshot = room_snapshot(self._fold)
            return any(changes)


def _check(body: b.RegisterBody) -> None:
    """Refuse at once what does not fit its event."""
    try:
        pack(body)
    except ProtocolError as error:
        raise UserError("value_does_not_fit") from error


def _ids(entries: Sequence[Entry]) -> tuple[EventId, ...]:
    return tuple(entry.id for entry in entries)


def _class_of(event: Event) -> ClassId:
    """Return the id of the one class that an event just added."""
    ((_, body),) = Fold((event,)).writes_of(b.ClassWritten)
    return body.class_id


def _gather(futures: Sequence[Future[EventId]], answer: Future[tuple[EventId, ...]]) -> None:
    errors = [error for future in futures if (error := future.exception()) is not None]
    if errors:
        answer.set_exception(errors[0])
    else:
        answer.set_result(tuple(future.result() for future in futures))
