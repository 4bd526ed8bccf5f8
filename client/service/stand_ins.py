"""What a room teaches in place of withdrawn lessons, wherever the timetable has them.

Invariants:
  SI1  What somebody chose stands in every week and course as long as the lesson is withdrawn, and
       no longer.
  SI2  A course finds its place: what stands in for a lesson has the place of that lesson, and is
       taught once where the textbook has it elsewhere too.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import Final

from client.domain.ids import LessonId
from client.domain.timetable import Pointer, Slot
from client.domain.today import Course, Step
from client.service.api import LessonDetail
from client.service.room import RoomService

_INSTEAD: Final = "instead."
Instead = Mapping[LessonId, LessonId]


class StandIns:
    """See the module. `details` blocks.

    Args:
        room: Keeps the choices, as values of this machine.
        details: Gives what is known of lessons.
    """

    def __init__(
        self,
        room: RoomService,
        details: Callable[[Sequence[LessonId]], Mapping[LessonId, LessonDetail]],
    ) -> None:
        self._room: Final = room
        self._details: Final = details

    def choose(self, stopped: LessonId, other: LessonId) -> Future[None]:
        """Teach another lesson in place of a withdrawn one; an empty id takes it back."""
        return self._room.set_local(_INSTEAD + stopped, other)

    def now(self) -> dict[LessonId, LessonId]:
        """Tell what stands in for which withdrawn lesson (SI1). Blocking."""
        chosen = {LessonId(one): LessonId(o) for one, o in self._room.locals(_INSTEAD).items() if o}
        details = self._details(sorted(chosen)) if chosen else {}
        return {
            lesson: other
            for lesson, other in chosen.items()
            if lesson in details and details[lesson].stopped is not None
        }


def steps_with(periods: Mapping[LessonId, int], instead: Instead) -> tuple[Step, ...]:
    """List a textbook's steps, given its lessons in order with their class periods (SI2)."""
    known: dict[LessonId, int] = {}
    for lesson, count in periods.items():
        other = instead.get(lesson, lesson)
        known.setdefault(other, periods.get(other, count))
    return tuple(
        Step(lesson=lesson, period=period)
        for lesson, count in known.items()
        for period in range(count)
    )


def slots_with(slots: Iterable[Slot], instead: Instead) -> tuple[Slot, ...]:
    """Put what stands in into the places of the week that name a withdrawn lesson."""
    return tuple(
        replace(slot, lesson=instead[slot.lesson])
        if slot.lesson is not None and slot.lesson in instead
        else slot
        for slot in slots
    )


def pointers_with(pointers: Iterable[Pointer], instead: Instead) -> dict[Course, Step]:
    """Give each course the step that it teaches next."""
    return {
        (one.class_id, one.subject): Step(
            lesson=instead.get(one.lesson, one.lesson), period=one.period
        )
        for one in pointers
    }
