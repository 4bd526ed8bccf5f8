"""What the slots of the coming school days teach, further than one week. Pure.

Invariants:
  SA1  The first seven days are those of the week grid; behind them the week begins again, odd
       after even, and each slot takes the next step of its course.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from client.domain.timetable import Slot
from client.domain.today import Step, assign, in_week
from client.service.today_page import DayInputs

SCHOOL_DAYS: Final = 10
_DAYS: Final = 14
_WEEK: Final = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """One slot to come. `days` from today; `begins` in minutes after midnight, None if unknown."""

    days: int
    slot: Slot
    step: Step
    begins: int | None


def slots_ahead(inputs: DayInputs, school_days: int = SCHOOL_DAYS) -> tuple[Ahead, ...]:
    """List the slots of so many school days, soonest first (SA1); what was taught is left out."""
    slots = {slot.key: slot for slot in _numbered(inputs, school_days)}
    today = inputs.time.day

    def first(key_day: int) -> int:
        return (key_day - today) % _WEEK

    taught = {replace(key, day=first(key.day)): step for key, step in inputs.taught.items()}
    swaps = {replace(key, day=first(key.day)): step for key, step in inputs.swaps.items()}
    steps = assign(tuple(slots.values()), inputs.steps, inputs.pointers, taught, swaps)
    begins = {bell.period: bell.begins for bell in inputs.bells}
    return tuple(
        Ahead(days=key.day, slot=slots[key], step=step, begins=begins.get(key.period))
        for key, step in steps.items()
        if step is not None and key not in taught
    )


def _numbered(inputs: DayInputs, school_days: int) -> Iterator[Slot]:
    """Give the slots to come in their order, with days from today in place of days of the week."""
    known = {group.id for group in inputs.classes}
    left, is_odd = school_days, inputs.time.is_odd_week
    for ahead in range(_DAYS):
        day = (inputs.time.day - 1 + ahead) % _WEEK + 1
        if ahead and day == 1 and is_odd is not None:
            is_odd = not is_odd
        found = [
            slot
            for slot in inputs.slots
            if slot.key.day == day
            and slot.key.class_id in known
            and in_week(slot, is_odd_week=is_odd)
        ]
        for slot in sorted(found, key=lambda one: (one.key.period, one.key.class_id)):
            yield replace(slot, key=replace(slot.key, day=ahead))
        left -= bool(found)
        if not left:
            return
