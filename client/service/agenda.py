"""What this room needs by when, and what will be here: gathers, plans, and tells the screens.

Invariants:
  AG1  A lesson is planned for its soonest slot that was not taught; wishes stand in the order in
       which they were made.
  AG2  Times of day are given only while time is sure; without it a plan has an order and no hours.
  AG3  Without a source to fetch from nothing is promised.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from client.domain.catalogue import Lesson
from client.domain.holding import Holding
from client.domain.ids import LessonId
from client.domain.road import Road, Terms, limit_now, speeds, terms
from client.domain.spend import Standing, month_of_day, wire_bytes
from client.domain.today import DayTime
from client.domain.want import Want, WantState
from client.service.api import LinkView, Promise, Reason
from client.service.needs import need_of
from client.service.planner import Forecast, Form, Need, Plan, make_plan
from client.service.purse import Purse
from client.service.room import RoomService
from client.service.slots_ahead import Ahead

_DAYS: Final = 14
_DAY_S: Final = 86_400.0
_MINUTE_S: Final = 60.0
_STEP_MS: Final = 10 * 60 * 1000
"""Times are told in such steps, promises rounded up: nobody reads what changes all the time."""
_HOUR_MS: Final = 3600 * 1000
_UNSURE_S: Final = 1800.0
"""How far a told time of day may be off."""


class Shelf(Protocol):
    """What is read of catalogue and disk. Blocking."""

    def lesson(self, lesson: LessonId) -> Lesson | None:
        """Return a lesson with its parts, None when it left the catalogue."""
        ...

    def of_lesson(self, lesson: LessonId) -> Sequence[Holding]:
        """Return what is held of it."""
        ...

    def is_offered(self, path: str) -> bool:
        """Tell whether a hub has the file at a path of the catalogue."""
        ...


class Timetable(Protocol):
    """The slots to come; `client.service.today.TodayService`. Blocking."""

    def ahead_now(self) -> tuple[DayTime, tuple[Ahead, ...]]:
        """List them, soonest first, with the time as it is believed."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """A plan, and what the screens say of it."""

    plan: Plan
    promises: Mapping[LessonId, Promise]
    link: LinkView
    is_reachable: bool = True
    """Whether there is a source to fetch from."""


class Agenda:
    """Makes outlooks; keeps the newest. Any thread may call.

    Args:
        room: Its settings.
        timetable: The slots to come.
        shelf: What is here.
        purse: What may be spent, and how fast the link was.
        is_reachable: Tells whether there is a source that lessons are fetched from. Blocking.
    """

    def __init__(
        self,
        room: RoomService,
        timetable: Timetable,
        shelf: Shelf,
        purse: Purse,
        is_reachable: Callable[[], bool],
    ) -> None:
        self._room: Final = room
        self._timetable: Final = timetable
        self._shelf: Final = shelf
        self._purse: Final = purse
        self._is_reachable: Final = is_reachable
        self._gate = threading.Lock()
        self._newest: Outlook | None = None

    @property
    def newest(self) -> Outlook | None:
        """The outlook that was made last, None before the first. Memory only."""
        return self._newest

    def look_now(self, wants: Sequence[Want] = ()) -> Outlook:
        """Plan anew for the timetable and what somebody wished. Blocking."""
        standing, profile = self._purse.standing(), self._purse.profile
        time, ahead = self._timetable.ahead_now()
        slots = soonest(ahead)
        needs = self._needs(wants, slots, time)
        allowed = terms(standing, profile, _DAYS)
        cautious, hopeful = speeds(profile, self._purse.throughput())
        plan = make_plan(needs, Road(allowed, cautious), Road(allowed, hopeful))
        is_reachable = self._is_reachable()
        outlook = Outlook(
            plan=plan,
            is_reachable=is_reachable,
            promises={
                one.lesson: _promise(
                    one if is_reachable else _unreachable(one),
                    slots.get(one.lesson),
                    standing,
                    time,
                )
                for one in plan.forecasts
            },
            link=self._link(standing, plan, Road(allowed, cautious), allowed),
        )
        with self._gate:
            self._newest = outlook
        return outlook

    def _needs(
        self, wants: Sequence[Want], slots: Mapping[LessonId, Ahead], time: DayTime
    ) -> tuple[Need, ...]:
        usual = self._room.snapshot().settings.rendition
        wished = {want.lesson: want for want in wants if want.state is WantState.WAITING}
        given_up = {want.lesson for want in wants if want.state is WantState.FAILED}
        found = []
        for lesson_id in dict.fromkeys((*slots, *wished)):
            lesson = None if lesson_id in given_up else self._shelf.lesson(lesson_id)
            if lesson is None:
                continue
            want = wished.get(lesson_id)
            ahead = slots.get(lesson_id)
            need = need_of(
                lesson,
                self._shelf.of_lesson(lesson_id),
                want.rendition if want is not None else usual,
                want.roles if want is not None else frozenset(),
                self._shelf.is_offered,
            )
            slot_s = None if ahead is None else slot_seconds(ahead, time)
            found.append(replace(need, slot_s=slot_s, is_wished=want is not None))
        return tuple(found)

    def _link(self, standing: Standing, plan: Plan, road: Road, allowed: Terms) -> LinkView:
        profile, ledger = self._purse.profile, standing.ledger
        month = standing.month
        until_s = _month_end_s(standing, allowed)
        planned = min(plan.cost_bytes, road.by(until_s)) if until_s is not None else 0
        return LinkView(
            kind=profile.kind,
            is_metered=profile.is_metered,
            is_detected=self._purse.is_detected,
            day_budget=profile.day_bytes,
            day_spent=ledger.day.used,
            month_budget=profile.month_bytes,
            month_spent=ledger.month.used,
            month_expected=ledger.month.used + wire_bytes(planned) if month is not None else 0,
            hours=profile.hours,
            cap_bytes_per_s=profile.cap_bytes_per_s,
            is_time_sure=standing.span is not None,
            limit=limit_now(standing, profile),
        )


def soonest(ahead: Sequence[Ahead]) -> dict[LessonId, Ahead]:
    """Choose each lesson's first slot (AG1)."""
    found: dict[LessonId, Ahead] = {}
    for one in ahead:
        found.setdefault(one.step.lesson, one)
    return found


def slot_seconds(ahead: Ahead, time: DayTime) -> tuple[float, float]:
    """Tell between which seconds from now a slot begins; a wide span while time is unsure."""
    begins = ahead.begins if ahead.begins is not None else 8 * 60
    if time.minute is None:
        return max(0.0, (ahead.days - 1) * _DAY_S), (ahead.days + 1) * _DAY_S
    at = ahead.days * _DAY_S + (begins - time.minute) * _MINUTE_S
    wide = 0.0 if time.is_sure else _UNSURE_S
    return max(0.0, at - wide), max(0.0, at + wide)


def _unreachable(one: Forecast) -> Forecast:
    """Promise nothing that nobody can bring (AG3)."""
    if one.form is Form.HERE:
        return one
    reason = Reason(code="plan_no_source", values=one.reason.values)
    return replace(one, form=Form.LATE, arrival_s=None, reason=reason)


def _promise(one: Forecast, ahead: Ahead | None, standing: Standing, time: DayTime) -> Promise:
    """Tell the screens what becomes of a lesson; hours only while time is sure (AG2)."""
    arrives: tuple[int, int] | None = None
    if standing.span is not None and one.arrival_s is not None:
        first, last = one.arrival_s
        first_ms = int(standing.span[0] + first * 1000)
        last_ms = int(standing.span[1] + last * 1000)
        arrives = first_ms // _STEP_MS * _STEP_MS, -(-last_ms // _STEP_MS) * _STEP_MS
    return Promise(
        arrives_ms=arrives,
        days_ahead=None if ahead is None else ahead.days,
        day=0 if ahead is None else (time.day - 1 + ahead.days) % 7 + 1,
        period=0 if ahead is None else ahead.slot.key.period,
        begins=None if ahead is None else ahead.begins,
        missing_bytes=one.cost_bytes,
        is_in_time=one.form not in {Form.LATE, Form.PAPERS},
        reason=one.reason,
        now_ms=None if standing.span is None else standing.span[1] // _HOUR_MS * _HOUR_MS,
    )


def _month_end_s(standing: Standing, allowed: Terms) -> float | None:
    """Tell how far the road of this month reaches; None while nobody knows the month."""
    if standing.month is None:
        return None
    ends = [s.end_s for s in allowed.stretches if month_of_day(s.day) == standing.month]
    return max(ends, default=0.0)
