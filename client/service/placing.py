"""加入课表: where in the week a lesson fits, and putting it there."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, replace

from client.domain.catalogue import Placement
from client.domain.ids import ClassId, EventId, LessonId
from client.domain.timetable import ClassGroup, Slot
from client.service.room import RoomService
from client.service.school import grade_number
from client.service.school_words import load_subjects


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceOffer:
    """A place of the week that a lesson fits into."""

    slot: Slot
    class_name: str
    is_free: bool
    """No lesson was chosen for it by hand; it follows the textbook."""


class Placing:
    """Offers slots and writes them. Reading never blocks; writing gives futures."""

    def __init__(self, room: RoomService) -> None:
        self._room = room

    def offers(self, place: Placement) -> tuple[PlaceOffer, ...]:
        """List the slots of the subject: those of the lesson's own grade, else all of them.

        Free ones come first, then in the order of the week.
        """
        room = self._room.snapshot()
        groups = {group.id: group for group in room.classes}
        fits = _same_subject(place.subject)
        slots = [slot for slot in room.slots if fits(slot.subject)]
        grade = grade_number(place.grade)
        own = [slot for slot in slots if _grade(groups, slot) == grade]
        offers = [
            PlaceOffer(
                slot=slot, class_name=groups[slot.key.class_id].name, is_free=slot.lesson is None
            )
            for slot in own or slots
        ]
        return tuple(sorted(offers, key=lambda one: (not one.is_free, one.slot.key)))

    def put(self, offer: PlaceOffer, lesson: LessonId) -> Future[EventId]:
        """Teach the lesson in that slot; done when it is durable."""
        return self._room.set_slot(replace(offer.slot, lesson=lesson))

    def undo(self, event: EventId) -> Future[EventId]:
        """Take a `put` back."""
        return self._room.undo(event)


def _grade(groups: Mapping[ClassId, ClassGroup], slot: Slot) -> int:
    return groups[slot.key.class_id].grade


def _same_subject(name: str) -> Callable[[str], bool]:
    subjects = load_subjects()
    wanted = subjects.find(name)

    def fits(other: str) -> bool:
        found = subjects.find(other)
        return other == name if wanted is None or found is None else found is wanted

    return fits
