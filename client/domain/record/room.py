"""The room as its registers say: school, classes, books, week, pointers, swaps, settings.

Invariants:
  M1  Where writes of two machines stand side by side, one is shown and all are listed as a
      conflict, unless they say the same.
  M2  An empty value means: not there.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final

from client.domain.errors import UserError
from client.domain.ids import EventId, LessonId
from client.domain.record import bodies as b
from client.domain.record.bodies import EventType
from client.domain.record.fold import Entry, Fold
from client.domain.settings import Settings, settings_of
from client.domain.timetable import Bell, ChosenBook, ClassGroup, Pointer, Room, Slot, SlotKey

ROOM_TYPES = (
    EventType.ROOM,
    EventType.CLASS,
    EventType.BOOK_CHOICE,
    EventType.SLOT,
    EventType.POINTER,
    EventType.SETTING,
    EventType.SWAP,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SwapOnce:
    """只换这次: what a slot teaches on one occasion; no lesson means 课本课."""

    key: SlotKey
    occasion: str
    lesson: LessonId | None
    lesson_period: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """A register that two machines wrote without seeing each other, the shown write last."""

    type: EventType
    writes: tuple[b.RegisterBody, ...]
    ids: tuple[EventId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomSnapshot:
    """Everything the room has chosen, as one value."""

    room: Room | None = None
    classes: tuple[ClassGroup, ...] = ()
    """Ordered by grade, then name."""
    chosen_books: tuple[ChosenBook, ...] = ()
    slots: tuple[Slot, ...] = ()
    """Ordered by day, period, class."""
    pointers: tuple[Pointer, ...] = ()
    swaps: tuple[SwapOnce, ...] = ()
    settings: Settings = field(default_factory=Settings)
    conflicts: tuple[Conflict, ...] = ()

    @property
    def bells(self) -> tuple[Bell, ...]:
        """The bells of the day."""
        return self.settings.bells


def room_snapshot(fold: Fold) -> RoomSnapshot:
    """Read the room out of a fold."""
    rooms = [body for body in fold.shown_of(b.RoomWritten) if body.school]
    classes = _classes(fold)
    present = {group.id for group in classes}
    texts = {body.name: body.value for body in fold.shown_of(b.SettingWritten)}
    return RoomSnapshot(
        room=Room(school=rooms[0].school, room=rooms[0].room) if rooms else None,
        classes=classes,
        chosen_books=tuple(
            ChosenBook(class_id=body.class_id, subject=body.subject, book=body.book)
            for body in fold.shown_of(b.BookChosen)
            if body.book and body.class_id in present
        ),
        slots=tuple(slot for slot in _slots(fold) if slot.key.class_id in present),
        pointers=tuple(
            Pointer(
                class_id=body.class_id,
                subject=body.subject,
                lesson=body.lesson,
                period=body.period,
            )
            for body in fold.shown_of(b.PointerMoved)
            if body.lesson and body.class_id in present
        ),
        swaps=tuple(_swaps(fold)),
        settings=settings_of(texts),
        conflicts=tuple(_conflicts(fold)),
    )


def _classes(fold: Fold) -> tuple[ClassGroup, ...]:
    groups = [
        ClassGroup(id=body.class_id, name=body.name, grade=body.grade, headcount=body.headcount)
        for body in fold.shown_of(b.ClassWritten)
        if body.is_present
    ]
    return tuple(sorted(groups, key=lambda group: (group.grade, group.name, group.id)))


def _slots(fold: Fold) -> list[Slot]:
    slots = [
        Slot(
            key=SlotKey(day=body.day, period=body.period, class_id=body.class_id),
            subject=body.subject,
            mode=body.mode,
            weeks=body.weeks,
            lesson=body.lesson,
        )
        for body in fold.shown_of(b.SlotWritten)
        if body.subject
    ]
    return sorted(slots, key=lambda slot: slot.key)


def _swaps(fold: Fold) -> Iterator[SwapOnce]:
    for body in fold.shown_of(b.Swapped):
        if body.lesson is not None or body.is_textbook:
            yield SwapOnce(
                key=SlotKey(day=body.day, period=body.period, class_id=body.class_id),
                occasion=body.occasion,
                lesson=body.lesson,
                lesson_period=body.lesson_period,
            )


def _conflicts(fold: Fold) -> Iterator[Conflict]:
    for number in ROOM_TYPES:
        for group in fold.registers(number):
            writes = tuple(entry.body for entry in group if isinstance(entry.body, b.RegisterBody))
            if len({replace(body, sup=()) for body in writes}) > 1:
                yield Conflict(type=number, writes=writes, ids=tuple(entry.id for entry in group))


def taken_back(entry: Entry, before: tuple[Entry, ...]) -> tuple[b.RegisterBody, ...]:
    """Decide what to write to undo a register write.

    Args:
        entry: The write to undo, still visible.
        before: The writes it superseded.

    Returns:
        What was there before it (one body for each sibling), or the empty value.

    Raises:
        UserError: `undo_impossible`: it has no empty value and nothing was there before.
    """
    earlier = [one.body for one in before if isinstance(one.body, b.RegisterBody)]
    values = earlier or [_cleared(entry.body)]
    return tuple(replace(body, sup=(entry.id,)) for body in values)


_EMPTY: Final[Mapping[type[b.Body], Mapping[str, object]]] = MappingProxyType(
    {
        b.RoomWritten: {"school": "", "room": ""},
        b.ClassWritten: {"is_present": False},
        b.BookChosen: {"book": ""},
        b.SlotWritten: {"subject": "", "lesson": None},
        b.PointerMoved: {"lesson": "", "period": 0},
        b.SettingWritten: {"value": ""},
        b.Swapped: {"lesson": None, "is_textbook": False},
        b.NoteWritten: {"text": ""},
        b.UnderstoodWritten: {"level": b.Understood.UNSAID},
    }
)
"""The empty value of each register that has one (M2)."""


def _cleared(body: b.Body) -> b.RegisterBody:
    if not isinstance(body, b.RegisterBody) or type(body) not in _EMPTY:
        raise UserError("undo_impossible")
    empty: dict[str, Any] = dict(_EMPTY[type(body)])
    return replace(body, **empty)
