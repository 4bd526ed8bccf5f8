"""Small facts of a day, read out of records and holdings. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from client.domain.ids import ClassId, LessonId, SittingId
from client.domain.record.bodies import Ended
from client.domain.record.dates import Dated
from client.domain.timetable import SlotKey
from client.domain.today import Step
from client.service.api import Alternative, Card, LessonDetail, Swap
from client.service.records import SittingRow, UnfinishedSitting
from client.service.today_page import Interrupted, LeftOpen

_PERIOD: Final = 40
"""Minutes of a class period."""
_SCHOOL_DAY: Final = (750, 330)
"""Middle of the school day, and half of it, in minutes: 7:00 to 18:00."""


def slot_keys(row: SittingRow) -> tuple[SlotKey, ...]:
    """Name the slots a sitting stood in, none outside of the timetable."""
    if not row.period:
        return ()
    return tuple(SlotKey(day=row.day, period=row.period, class_id=c) for c in row.class_ids)


def point_keys(one: UnfinishedSitting) -> tuple[SlotKey, ...]:
    """Name the slots of an unfinished sitting, one for each of its classes."""
    point = one.point
    return tuple(SlotKey(day=point.day, period=point.period, class_id=c) for c in point.class_ids)


def local(at_ms: int) -> datetime:
    """Give a moment in the time of the school, which is that of this machine."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone()


def todays(sittings: Sequence[SittingRow], now: Dated, day: int) -> tuple[SittingRow, ...]:
    """Choose the sittings of today, oldest first; `day` is the day of the week.

    Where dates are not sure it is the newest ones, back to the first on another day of the week:
    a week ago is not today.
    """
    found = []
    is_near = True
    for row in reversed(sittings):
        if row.opened.is_sure and now.is_sure:
            is_today = local(row.opened.middle_ms).date() == local(now.middle_ms).date()
            is_near = is_near and is_today
        else:
            is_today = is_near = is_near and row.day in {0, day}
        if is_today:
            found.append(row)
    return tuple(reversed(found))


def told_moment(day: int, begins: int | None) -> tuple[int, int]:
    """Give what a person said of the time as a moment of any week, Unix ms, and ± ms.

    Args:
        day: Of the week.
        begins: Minute of the day at which the period begins; None leaves all school hours.
    """
    minute, around = _SCHOOL_DAY if begins is None else (begins + _PERIOD // 2, 2 * _PERIOD)
    moment = datetime(2026, 1, 4 + day) + timedelta(minutes=minute)  # noqa: DTZ001 - local time
    return int(moment.astimezone().timestamp() * 1000), around * 60_000


def taught_slots(today: Sequence[SittingRow]) -> dict[SlotKey, Step]:
    """Slots that had their class today, whether its lesson was finished or goes on next time."""
    return {
        key: Step(lesson=row.lesson, period=row.lesson_period)
        for row in today
        if row.how in (Ended.FINISHED, Ended.CARRY_ON) and row.lesson is not None
        for key in slot_keys(row)
    }


def together(
    unfinished: Sequence[UnfinishedSitting], sitting: SittingId
) -> tuple[UnfinishedSitting, ...]:
    """Find a sitting and those cut off with it in the same period (复式), it first.

    Each class goes on once: of several sittings of one class the newest counts.
    """
    wanted = next((one for one in unfinished if one.point.sitting == sitting), None)
    if wanted is None:
        return ()
    found, place = [wanted], (wanted.point.day, wanted.point.period)
    for one in unfinished:
        taken = {class_id for held in found for class_id in held.point.class_ids}
        is_beside = (one.point.day, one.point.period) == place and one.point.period > 0
        if is_beside and one.is_interrupted and not taken & set(one.point.class_ids):
            found.append(one)
    return tuple(found)


def interrupted_classes(
    unfinished: Sequence[UnfinishedSitting], today: set[SittingId]
) -> tuple[Interrupted, ...]:
    """Interrupted classes, the newest last; only today's stand in a slot of today."""
    return tuple(
        Interrupted(
            sitting=one.point.sitting,
            key=keys[0] if one.point.sitting in today and one.point.period else None,
            step=Step(lesson=one.point.lesson, period=one.point.lesson_period),
            position_s=one.point.position_s,
        )
        for one in reversed(unfinished)
        if one.is_interrupted and (keys := point_keys(one))
    )


def swap_offers(
    steps: Sequence[Step], now: Step | None, left_open: Sequence[LessonId]
) -> list[tuple[Swap, LessonId]]:
    """List what 换 may offer, each lesson once, best first."""
    order = list(dict.fromkeys(step.lesson for step in steps))
    here = order.index(now.lesson) if now is not None and now.lesson in order else -1
    wanted = [(Swap.UNFINISHED, lesson) for lesson in left_open]
    wanted += [(Swap.NEXT, lesson) for lesson in order[here + 1 : here + 2]]
    wanted += [(Swap.SAME_UNIT, lesson) for lesson in order]
    seen = {now.lesson} if now is not None else set()
    offers = []
    for kind, lesson in wanted:
        if lesson not in seen:
            seen.add(lesson)
            offers.append((kind, lesson))
    return offers


def own_step(card: Card) -> Step | None:
    """Teach what the card shows, even if the plan moved on since it was drawn."""
    return Step(lesson=card.lesson) if card.lesson is not None else None


def offer_of(kind: Swap, detail: LessonDetail) -> Alternative:
    """Make an offer of a lesson."""
    return Alternative(
        kind=kind,
        lesson=detail.row.id,
        title=detail.row.title,
        place=detail.row.place,
        light=detail.light,
    )


def left_open(unfinished: Sequence[UnfinishedSitting]) -> tuple[LeftOpen, ...]:
    """List what was left for the next time, the newest first."""
    return tuple(
        LeftOpen(
            class_ids=one.point.class_ids,
            step=Step(lesson=one.point.lesson, period=one.point.lesson_period),
            position_s=one.point.position_s,
        )
        for one in unfinished
        if not one.is_interrupted
    )


def begins_at(
    unfinished: Sequence[UnfinishedSitting], class_id: ClassId, step: Step
) -> UnfinishedSitting | None:
    """Find where a class left a lesson the last time, None when it begins anew."""
    for one in unfinished:
        place = Step(lesson=one.point.lesson, period=one.point.lesson_period)
        if not one.is_interrupted and class_id in one.point.class_ids and place == step:
            return one
    return None
