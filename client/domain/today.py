"""Which lesson belongs to which slot, and where each period stands in the day. Pure.

Invariants:
  D1  A slot that was taught today keeps the lesson that was taught.
  D2  A lesson put into a slot by hand (for the week, or only this time) does not move the
      pointer of the slots after it.
  D3  Every other slot of a class and subject takes the next step of the textbook, starting at
      the pointer, in the order in which the slots will come.
  D4  At most one row of a day is `NOW` or `NEXT`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from client.domain.ids import ClassId, LessonId
from client.domain.timetable import Bell, Slot, SlotKey, Weeks

Course = tuple[ClassId, str]
"""A class and a subject: the owner of a pointer."""

_EARLY_MIN = 10
"""A period counts as running this many minutes before its bell: teachers set up early."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One class period of one lesson: what a slot teaches. `period` counts from 0."""

    lesson: LessonId
    period: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DayTime:
    """School-local time as far as it is believed. `minute` is None when it is not known."""

    day: int
    minute: int | None
    is_sure: bool = True
    is_odd_week: bool | None = None


def in_week(slot: Slot, *, is_odd_week: bool | None) -> bool:
    """Tell whether a slot takes place in such a week; unknown parity keeps every slot."""
    if slot.weeks is Weeks.EVERY or is_odd_week is None:
        return True
    return (slot.weeks is Weeks.ODD) == is_odd_week


def coming(slots: Iterable[Slot], today: int) -> tuple[Slot, ...]:
    """Order a week's slots as they will come, from today's first to the day before today."""
    return tuple(
        sorted(slots, key=lambda s: ((s.key.day - today) % 7, s.key.period, s.key.class_id))
    )


def assign(
    slots: Sequence[Slot],
    steps: Mapping[Course, Sequence[Step]],
    pointers: Mapping[Course, Step],
    done: Mapping[SlotKey, Step],
    swaps: Mapping[SlotKey, Step | None],
) -> dict[SlotKey, Step | None]:
    """Give each slot (in the order of `coming`) its step, None where the book has ended.

    Args:
        slots: Slots in the order in which they take place.
        steps: The textbook of each course, in order.
        pointers: The step each course is to teach next.
        done: What was already taught today, by slot.
        swaps: 只换这次: the step of this one time, None for 课本课.
    """
    places = {
        course: _place(steps.get(course, ()), pointers.get(course)) for course in _courses(slots)
    }
    answer: dict[SlotKey, Step | None] = {}
    for slot in slots:
        course = (slot.key.class_id, slot.subject)
        if slot.key in done:
            answer[slot.key] = done[slot.key]
        elif slot.key in swaps:
            answer[slot.key] = swaps[slot.key]
        elif slot.lesson is not None:
            answer[slot.key] = Step(lesson=slot.lesson)
        else:
            book, place = steps.get(course, ()), places[course]
            answer[slot.key] = book[place] if place < len(book) else None
            places[course] = place + 1
    return answer


def after(steps: Sequence[Step], taught: Step) -> Step | None:
    """Return the step after `taught`, None at the end of the book or outside of it."""
    for place, step in enumerate(steps):
        if step == taught:
            return steps[place + 1] if place + 1 < len(steps) else None
    return None


def current_period(
    bells: Sequence[Bell], minute: int | None, open_periods: Sequence[int]
) -> int | None:
    """Choose the one period to put forward: running or next, among those not taught yet.

    Without a believed time it is the first that was not taught.
    """
    if minute is None:
        return min(open_periods, default=None)
    by_number = {bell.period: bell for bell in bells}
    for period in sorted(open_periods):
        bell = by_number.get(period)
        if bell is None or minute < bell.ends:
            return period
    return None


def is_running(bell: Bell, minute: int | None) -> bool:
    """Tell whether a period runs, or is about to, at a minute of the day."""
    return minute is not None and bell.begins - _EARLY_MIN <= minute < bell.ends


def guess_time(week: Sequence[SlotKey], last: SlotKey | None) -> tuple[int, int] | None:
    """Guess (day, period) from what was taught last: the next slot of the week, wrapping.

    Used only when the clock is not believed; the teacher is asked and may correct it.
    """
    places = sorted({(key.day, key.period) for key in week})
    if not places:
        return None
    if last is None:
        return places[0]
    later = [place for place in places if place > (last.day, last.period)]
    return later[0] if later else places[0]


def _courses(slots: Iterable[Slot]) -> set[Course]:
    return {(slot.key.class_id, slot.subject) for slot in slots}


def _place(steps: Sequence[Step], pointer: Step | None) -> int:
    """Find the pointer in the book; a book that lost the lesson starts over at its first step."""
    if pointer is None:
        return 0
    for place, step in enumerate(steps):
        if step == pointer:
            return place
    same = [place for place, step in enumerate(steps) if step.lesson == pointer.lesson]
    return same[0] if same else 0


def told_time(day: int, minute: int | None, passed_min: int) -> DayTime:
    """Let a time that a person told run on, into the days after it.

    `minute` is None for a period without a bell: then the minute is not known that day.
    """
    days, now = divmod((minute or 0) + passed_min, 24 * 60)
    is_known = minute is not None or days > 0
    return DayTime(day=(day - 1 + days) % 7 + 1, minute=now if is_known else None)
