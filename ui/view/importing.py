"""Telling of an import, and asking where lessons belong that nobody could place.

Invariants:
  IM1  One notice tells how an import ended: what came, what was left out and why, and the one
       thing to do next.
  IM2  A lesson is put into a slot only by a press on that slot, and the press can be undone.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import Final, Protocol

from PySide6.QtCore import QObject, QRect, Signal
from PySide6.QtWidgets import QButtonGroup, QWidget

from client.domain.errors import ClassroomError
from client.domain.ids import EventId
from client.domain.record.room import RoomSnapshot
from client.domain.timetable import Slot
from client.service.intake import ImportResult, OfferedLesson
from ui.base.button import Button, Face
from ui.base.choice import Chip, ChoiceRow
from ui.base.context import Say, UiContext
from ui.base.layout import FlowLayout, clear, rows
from ui.base.popover import Popover
from ui.base.text import ElidedLabel, label
from ui.base.theme import Type
from ui.base.widgets import day_name

_NAMED: Final = 3
Put = Callable[[OfferedLesson, Slot], None]


class RoomPort(Protocol):
    """What placing needs of the room (client.service.room)."""

    def snapshot(self) -> RoomSnapshot:
        """Read the room."""
        ...

    def set_slot(self, slot: Slot) -> Future[EventId]:
        """Write a place of the week."""
        ...

    def undo(self, name: EventId) -> Future[EventId]:
        """Take a change back."""
        ...


class Importing(QObject):
    """Tells of imports that were begun. GUI thread."""

    ended = Signal()
    """Something may have come in: pages that list lessons should ask again."""

    def __init__(self, context: UiContext, window: QWidget, room: RoomPort) -> None:
        super().__init__(window)
        self._context = context
        self._window = window
        self._room = room

    def watch(self, future: Future[ImportResult]) -> None:
        """Say that it is under way, and how it ends."""
        self._context.say("program.importing")
        self._context.dispatcher.watch(
            future, done=self._on_ended, failed=self._on_failed, owner=self
        )

    def ask_places(self, offered: Sequence[OfferedLesson]) -> "OfferedPopover":
        """Ask for each lesson which slot of the week it is for."""
        popover = OfferedPopover(self._context, self._window, offered, self._room, self._put)
        middle = QRect(self._window.rect().center(), self._window.rect().center())
        popover.open_at(self._window, middle)
        return popover

    def _on_failed(self, error: ClassroomError) -> None:
        self._context.say_error(error)
        self.ended.emit()

    def _on_ended(self, result: ImportResult) -> None:
        self._context.said.emit(self._told(result))
        self.ended.emit()

    def _told(self, result: ImportResult) -> Say:
        """Make the one notice (IM1)."""
        words = self._context.words
        texts = []
        if result.lessons:
            texts.append(words.plural("program.imported", result.lessons))
        if result.offered:
            texts.append(words.plural("program.offered", len(result.offered)))
        if not texts and result.failed is None:
            texts.append(words("program.imported_none"))
        hints = [self._left_out(result)] if result.not_taken else []
        if result.failed is not None:
            texts.append(words.error(result.failed))
            hints.append(words.hint(result.failed))
        return Say(
            text=words("program.sentences").join(texts),
            hint=words("program.sentences").join(hints),
            tone=_tone(result),
            action=words("program.offer_place") if result.offered else "",
            act=(lambda: self._ask(result)) if result.offered else None,
        )

    def _ask(self, result: ImportResult) -> None:
        self.ask_places(result.offered)

    def _left_out(self, result: ImportResult) -> str:
        words = self._context.words
        named = [
            words("program.left_out_file", name=one.name, why=words(f"rejected.{one.why}"))
            for one in result.not_taken[:_NAMED]
        ]
        files = words("program.list").join(named)
        return words.plural("program.left_out", len(result.not_taken), files=files)

    def _put(self, lesson: OfferedLesson, slot: Slot) -> None:
        def done(event: EventId) -> None:
            self._on_put(lesson, slot, event)

        future = self._room.set_slot(replace(slot, lesson=lesson.id))
        self._context.dispatcher.watch(future, done=done, owner=self)

    def _on_put(self, lesson: OfferedLesson, slot: Slot, event: EventId) -> None:
        words, key = self._context.words, slot.key
        day = day_name(self._context, key.day)
        self._context.said.emit(
            Say(
                text=words("library.placed", title=lesson.title, day=day, period=key.period),
                tone="good",
                action=words("frame.undo"),
                act=lambda: self._undo(event),
            )
        )

    def _undo(self, event: EventId) -> None:
        def done(_: EventId) -> None:
            self._context.say("library.taken_back", tone="good")

        self._context.dispatcher.watch(self._room.undo(event), done=done, owner=self)


class OfferedPopover(Popover):
    """One lesson after the other: a day, then the slot. It closes behind the last one."""

    def __init__(
        self,
        context: UiContext,
        window: QWidget,
        offered: Sequence[OfferedLesson],
        room: RoomPort,
        put: Put,
    ) -> None:
        super().__init__(context, window, width=460)
        self.setObjectName("offered")
        self._left = list(offered)
        self._room = room
        self._put = put
        words = context.words
        self.body.addWidget(label(words("program.place_title"), Type.TITLE, is_bold=True))
        self._title = ElidedLabel(context.theme, "", is_bold=True)
        self.body.addWidget(self._title)
        days = QWidget()
        flow = FlowLayout(days, gap=context.theme.gap(8))
        self._days = QButtonGroup(self)
        for number in sorted({slot.key.day for slot in room.snapshot().slots}):
            chip = Chip(context, day_name(context, number), height=40)
            self._days.addButton(chip, number)
            flow.addWidget(chip)
        self._days.idClicked.connect(lambda _: self._list())
        self.body.addWidget(days)
        self._slots = rows(gap=context.theme.gap(4))
        self.body.addLayout(self._slots)
        later = Button(context, Face(text=words("program.place_later"), kind="quiet"))
        later.setObjectName("place-later")
        later.clicked.connect(self._next)
        self.body.addWidget(later)
        today = context.now().isoweekday()
        chosen = self._days.button(today) or next(iter(self._days.buttons()), None)
        if chosen is not None:
            chosen.setChecked(True)
        self._show()

    def _show(self) -> None:
        self._title.set_text(self._left[0].title)
        self._list()

    def _list(self) -> None:
        """List the slots of the chosen day."""
        clear(self._slots)
        context = self._context
        room = self._room.snapshot()
        names = {group.id: group.name for group in room.classes}
        slots = [slot for slot in room.slots if slot.key.day == self._days.checkedId()]
        if not slots:
            text = context.words("program.place_no_week")
            self._slots.addWidget(label(text, tone="muted", is_wrapped=True))
        for slot in sorted(slots, key=lambda one: one.key):
            text = context.words(
                "program.place_slot",
                n=slot.key.period,
                name=names.get(slot.key.class_id, ""),
                subject=context.subjects.short(slot.subject),
            )
            hint = context.words(
                "library.place_free" if slot.lesson is None else "library.place_taken"
            )
            choice = ChoiceRow(context, text, hint)
            choice.clicked.connect(lambda _=False, one=slot: self._on_slot(one))
            self._slots.addWidget(choice)
        self.refit()

    def _on_slot(self, slot: Slot) -> None:
        self._put(self._left[0], slot)
        self._next()

    def _next(self) -> None:
        del self._left[0]
        if self._left:
            self._show()
        else:
            self.close()


def _tone(result: ImportResult) -> str:
    if result.failed is not None:
        return "red"
    return "amber" if result.offered or result.not_taken else "good"
