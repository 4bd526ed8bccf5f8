"""What a class starts from, put together of the day and the record. Pure.

Invariants:
  L1  The screen limit is 30 % of the planned minutes of the day's periods of a class.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from client.domain.ids import ClassId
from client.domain.record.room import RoomSnapshot
from client.domain.timetable import Bell, ClassGroup, SlotKey
from client.domain.today import Step
from client.service.api import Card, LessonDetail, PeriodRow, TodayPage
from client.service.records import SittingRow, UnfinishedSitting
from client.service.sitting_port import SittingPlan, TrackPlan

SCREEN_SHARE: Final = 0.3
"""Share of teaching time a screen may be looked at (综合防控儿童青少年近视实施方案)."""

Wanted = tuple[SlotKey, Step, LessonDetail]


@dataclass(frozen=True, slots=True, kw_only=True)
class DayRecord:
    """What was recorded today, and the sittings that go on: two of them in a 复式 class."""

    sittings: tuple[SittingRow, ...]
    unfinished: tuple[UnfinishedSitting, ...] = ()
    watched: tuple[tuple[tuple[float, float], ...], ...] = ()
    """What was shown in each of `unfinished` already."""
    begun: tuple[UnfinishedSitting | None, ...] = ()
    """For each class: the sitting of an earlier day that left off in this lesson."""


def sitting_plan(
    room: RoomSnapshot, page: TodayPage, wanted: Sequence[Wanted], record: DayRecord, first: int
) -> SittingPlan:
    """Make the plan of a class; one track for each class that is taught."""
    groups = {group.id: group for group in room.classes}
    key = wanted[0][0]
    rows = [row for row in page.rows if any(row.cards)]
    planned = sum(row.bell.ends - row.bell.begins for row in rows)
    coming = _following(rows, key.period) if key.period else None
    return SittingPlan(
        tracks=tuple(
            _track(one, page, groups, record, record.begun[n] if n < len(record.begun) else None)
            for n, one in enumerate(wanted)
        ),
        key=key if key.period else None,
        bell=_bell(room.bells, key.period),
        screen_limit_s=planned * 60 * SCREEN_SHARE,
        planned_min=planned,
        planned_periods=len(rows),
        next_bell=coming.bell if coming is not None else None,
        next_cards=_next_cards(coming, page.classes),
        first=first,
    )


def _track(
    wanted: Wanted,
    page: TodayPage,
    groups: dict[ClassId, ClassGroup],
    record: DayRecord,
    begun: UnfinishedSitting | None,
) -> TrackPlan:
    key, step, detail = wanted
    group = groups.get(key.class_id)
    held = next(
        (n for n, one in enumerate(record.unfinished) if key.class_id in one.point.class_ids), None
    )
    card = next((c for row in page.rows for c in row.cards if c is not None and c.key == key), None)
    return TrackPlan(
        class_id=key.class_id,
        class_name=group.name if group is not None else "",
        lesson=detail,
        subject=card.subject if card is not None else detail.row.place.subject,
        headcount=group.headcount if group is not None else 0,
        period=step.period,
        resume=record.unfinished[held].point if held is not None else None,
        start=begun.point if begun is not None else None,
        watched=record.watched[held] if held is not None else (),
        screen_today_s=float(
            sum(row.screen_s for row in record.sittings if key.class_id in row.class_ids)
        ),
    )


def _bell(bells: Sequence[Bell], period: int) -> Bell | None:
    return next((bell for bell in bells if bell.period == period), None)


def _following(rows: Sequence[PeriodRow], period: int) -> PeriodRow | None:
    return next((row for row in rows if row.period > period), None)


def _next_cards(
    row: PeriodRow | None, classes: Sequence[ClassGroup]
) -> tuple[tuple[str, Card], ...]:
    if row is None:
        return ()
    pairs = zip(classes, row.cards, strict=True)
    return tuple((group.name, card) for group, card in pairs if card is not None)
