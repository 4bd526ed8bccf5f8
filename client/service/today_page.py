"""Builds the page 今天 from what is known. Pure.

Invariants:
  P1  A card is green only when its light says `READY` (every part verified and decoded here).
  P2  A card that was taught says DONE; one that was interrupted offers to go on at its second.
  P3  A red card always names the one action that helps: what cannot come in time is brought in by
      hand, what is withdrawn is replaced.
  P4  A withdrawn lesson can be taught while its grace lasts or its class is open, never after.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from client.domain.availability import Decodes, Light, PartFacts, PartState, light
from client.domain.catalogue import Placement, Role
from client.domain.ids import ClassId, LessonId, SittingId
from client.domain.timetable import Bell, ClassGroup, Slot, SlotKey
from client.domain.today import (
    Course,
    DayTime,
    Step,
    assign,
    coming,
    current_period,
    in_week,
    is_running,
)
from client.domain.withdrawal import Standing
from client.service.api import (
    Card,
    CardAction,
    CardPart,
    DayBar,
    LessonDetail,
    LinkView,
    Moment,
    PartView,
    PeriodRow,
    Promise,
    Reason,
    ResumeNotice,
    Stopped,
    TodayPage,
)

_SCREEN_ROLES = (Role.VIDEO, Role.AUDIO, Role.SLIDES, Role.TASK, Role.EXERCISE, Role.TEXTBOOK)
_MEDIA = (Role.VIDEO, Role.AUDIO, Role.EXPERIMENT)
_DAYS_AHEAD = 6
_COMING = frozenset({"reason_coming", "reason_missing"})


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFacts:
    """What a card says of one class period of a lesson."""

    title: str
    place: Placement
    unit: str
    light: Light
    parts: tuple[CardPart, ...]
    video_s: float
    missing_bytes: int
    can_be_fetched: bool
    reason: Reason | None
    periods: int = 1
    promise: Promise | None = None
    """What becomes of it, when it only has to come."""
    stopped: Stopped | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Interrupted:
    """A sitting that was opened and never ended. `key` is None outside of the timetable."""

    sitting: SittingId
    key: SlotKey | None
    step: Step
    position_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOpen:
    """A lesson that was left for the next time, and where (没上完，下次接着上)."""

    class_ids: tuple[ClassId, ...]
    step: Step
    position_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DayInputs:
    """Everything the page is made of."""

    time: DayTime
    classes: tuple[ClassGroup, ...]
    bells: tuple[Bell, ...]
    slots: tuple[Slot, ...]
    steps: Mapping[Course, Sequence[Step]]
    pointers: Mapping[Course, Step]
    swaps: Mapping[SlotKey, Step | None] = field(default_factory=dict)
    taught: Mapping[SlotKey, Step] = field(default_factory=dict)
    interrupted: tuple[Interrupted, ...] = ()
    left_open: tuple[LeftOpen, ...] = ()
    link: LinkView | None = None


def plan_of(inputs: DayInputs) -> dict[SlotKey, Step | None]:
    """Give each slot of the coming week its step."""
    order = coming(_slots(inputs), inputs.time.day)
    return assign(order, inputs.steps, inputs.pointers, inputs.taught, inputs.swaps)


def build_page(
    inputs: DayInputs, plan: Mapping[SlotKey, Step | None], facts: Mapping[Step, StepFacts]
) -> TodayPage:
    """Put the page together.

    Args:
        inputs: The day.
        plan: Of `plan_of`.
        facts: What is known of each step of the plan; a step without facts left the catalogue.
    """
    today = [slot for slot in _slots(inputs) if slot.key.day == inputs.time.day]
    by_key = {slot.key: slot for slot in today}
    cards = {key: _card(slot, inputs, plan, facts) for key, slot in by_key.items()}
    chosen = current_period(
        inputs.bells,
        inputs.time.minute,
        sorted({key.period for key, card in cards.items() if not card.is_taught}),
    )
    rows = tuple(_row(bell, inputs, cards, chosen) for bell in _bells(inputs.bells, cards) if cards)
    return TodayPage(
        day=inputs.time.day,
        is_time_sure=inputs.time.is_sure,
        classes=inputs.classes,
        rows=rows,
        resume=_notice(inputs.interrupted, facts),
        upcoming=_upcoming(inputs, plan, facts),
        month_left=_month_left(inputs.link),
        needs_hand=tuple(
            card
            for _, card in sorted(cards.items())
            if card.light is Light.NOT_READY and card.action is not CardAction.FETCH
        ),
    )


def promised(facts: StepFacts, promise: Promise | None) -> StepFacts:
    """Add what is promised to what is said of a lesson that only has to come."""
    only_comes = facts.reason is not None and facts.reason.code in _COMING
    return replace(facts, promise=promise) if only_comes else facts


def facts_of(detail: LessonDetail, period: int) -> StepFacts:
    """Fold a lesson into what its card for one class period says."""
    parts = [part for part in detail.parts if part.period in (period, -1)] or list(detail.parts)
    shown = [part for part in parts if part.role in _SCREEN_ROLES]
    stopped = detail.stopped
    lamp = light(_part_facts(part) for part in shown)
    if stopped is not None and stopped.standing is Standing.OVER:
        lamp = Light.NOT_READY
    missing = [part for part in shown if part.state in (PartState.ABSENT, PartState.FETCHING)]
    return StepFacts(
        title=detail.row.title,
        place=detail.row.place,
        unit=detail.row.unit,
        light=lamp,
        parts=_icons(shown),
        video_s=max((part.duration_s for part in shown if part.role is Role.VIDEO), default=0.0),
        missing_bytes=sum(part.size_bytes for part in missing),
        can_be_fetched=stopped is None and (bool(missing) or not detail.row.has_detail),
        reason=_reason(shown, lamp, missing) if stopped is None else Reason(code="reason_stopped"),
        periods=max(1, len(detail.periods)),
        stopped=stopped,
    )


def _month_left(link: LinkView | None) -> int | None:
    if link is None or not link.month_budget:
        return None
    return max(0, link.month_budget - link.month_spent)


def _slots(inputs: DayInputs) -> tuple[Slot, ...]:
    known = {group.id for group in inputs.classes}
    return tuple(
        slot
        for slot in inputs.slots
        if slot.key.class_id in known and in_week(slot, is_odd_week=inputs.time.is_odd_week)
    )


def _part_facts(part: PartView) -> PartFacts:
    return PartFacts(is_video=part.role in _MEDIA, state=part.state, decodes=part.decodes)


def _icons(parts: Sequence[PartView]) -> tuple[CardPart, ...]:
    usable = {part.role for part in parts if _part_facts(part).is_usable}
    roles = {part.role for part in parts}
    return tuple(
        CardPart(role=role, is_usable=role in usable) for role in _SCREEN_ROLES if role in roles
    )


def _reason(shown: Sequence[PartView], lamp: Light, missing: Sequence[PartView]) -> Reason | None:
    """Name the first thing that keeps a lesson from being green."""
    videos = [part for part in shown if part.role in _MEDIA]
    failed = next((part.reason for part in shown if part.state is PartState.FAILED), None)
    coming_in = any(part.state is PartState.FETCHING for part in shown)
    table: tuple[tuple[bool, Reason | None], ...] = (
        (lamp is Light.READY, None),
        (any(part.decodes is Decodes.NO for part in shown), Reason(code="reason_not_decoded")),
        (
            bool(videos) and all(part.state is PartState.PROTECTED for part in videos),
            Reason(code="reason_protected"),
        ),
        (failed is not None, failed),
        (coming_in, Reason(code="reason_coming", values=_missing_values(missing))),
        (bool(missing), Reason(code="reason_missing", values=_missing_values(missing))),
        (not shown, Reason(code="reason_unknown_parts")),
    )
    return next((reason for holds, reason in table if holds), Reason(code="reason_not_checked"))


def _missing_values(missing: Sequence[PartView]) -> tuple[tuple[str, str | int | float], ...]:
    return (("size_bytes", sum(part.size_bytes for part in missing)),)


def _card(
    slot: Slot,
    inputs: DayInputs,
    plan: Mapping[SlotKey, Step | None],
    facts: Mapping[Step, StepFacts],
) -> Card:
    step = plan.get(slot.key)
    is_taught = slot.key in inputs.taught
    held = next((one for one in inputs.interrupted if one.key == slot.key), None)
    known = facts.get(step) if step is not None else None
    lamp = _lamp(known, step, is_taught=is_taught)
    stood_s = held.position_s if held is not None else _left_at(slot, step, inputs)
    common = Card(
        key=slot.key,
        subject=slot.subject,
        mode=slot.mode,
        light=lamp,
        action=_action(lamp, known, is_held=held is not None, is_left=stood_s is not None),
        lesson=step.lesson if step is not None else None,
        lesson_period=step.period if step is not None else 0,
        minutes=_minutes(inputs.bells, slot.key.period),
        resume_s=None if is_taught else stood_s,
        sitting=held.sitting if held is not None else None,
        is_taught=is_taught,
        reason=_card_reason(known, step, lamp),
    )
    if known is None:
        return common
    return replace(
        common,
        title=known.title,
        place=known.place,
        unit=known.unit,
        video_s=known.video_s,
        parts=known.parts,
        lesson_periods=known.periods,
        promise=None if lamp in (Light.DONE, Light.READY) else known.promise,
        stopped=None if lamp is Light.DONE else known.stopped,
    )


def _lamp(known: StepFacts | None, step: Step | None, *, is_taught: bool) -> Light:
    if is_taught:
        return Light.DONE
    if step is None:
        return Light.NO_DEVICE
    return known.light if known is not None else Light.NOT_READY


def _left_at(slot: Slot, step: Step | None, inputs: DayInputs) -> float | None:
    """Tell at which second a class left this lesson the last time, None if it did not."""
    return next(
        (
            one.position_s
            for one in inputs.left_open
            if slot.key.class_id in one.class_ids and one.step == step and one.position_s > 0
        ),
        None,
    )


def _action(lamp: Light, known: StepFacts | None, *, is_held: bool, is_left: bool) -> CardAction:
    if is_held:
        return CardAction.RESUME
    if lamp in (Light.DONE, Light.NO_DEVICE):
        return CardAction.NONE
    if lamp is not Light.NOT_READY:
        return CardAction.RESUME if is_left else CardAction.START
    if known is not None and known.stopped is not None:
        has_other = bool(known.stopped.replacement_title)
        return CardAction.REPLACE if has_other else CardAction.SWAP
    is_late = known is not None and known.promise is not None and not known.promise.is_in_time
    can_be_fetched = known is not None and known.can_be_fetched and not is_late
    return CardAction.FETCH if can_be_fetched else CardAction.IMPORT


def _card_reason(known: StepFacts | None, step: Step | None, lamp: Light) -> Reason | None:
    if lamp is Light.DONE or step is None:
        return None
    return known.reason if known is not None else Reason(code="reason_not_in_catalogue")


def _minutes(bells: Iterable[Bell], period: int) -> int:
    return next((bell.ends - bell.begins for bell in bells if bell.period == period), 40)


def _bells(bells: Iterable[Bell], cards: Iterable[SlotKey]) -> tuple[Bell, ...]:
    """Bells of the periods that have a card; a period without a bell follows the last one."""
    by_number = {bell.period: bell for bell in bells}
    periods = sorted({key.period for key in cards})
    return tuple(
        by_number.get(period) or Bell(period=period, begins=0, ends=0) for period in periods
    )


def _row(
    bell: Bell, inputs: DayInputs, cards: Mapping[SlotKey, Card], chosen: int | None
) -> PeriodRow:
    minute = inputs.time.minute
    here = tuple(
        cards.get(SlotKey(day=inputs.time.day, period=bell.period, class_id=group.id))
        for group in inputs.classes
    )
    if bell.period == chosen:
        moment = Moment.NOW if is_running(bell, minute) else Moment.NEXT
    elif all(card.is_taught for card in here if card is not None):
        moment = Moment.PAST
    else:
        moment = Moment.PAST if minute is not None and bell.ends <= minute else Moment.LATER
    waits = bell.begins - minute if minute is not None and bell.begins > minute else None
    return PeriodRow(
        period=bell.period,
        bell=bell,
        moment=moment,
        cards=here,
        starts_in_min=waits if moment in (Moment.NOW, Moment.NEXT) else None,
    )


def _notice(
    interrupted: Sequence[Interrupted], facts: Mapping[Step, StepFacts]
) -> ResumeNotice | None:
    """Offer the newest interrupted class; it may stand outside of the timetable (period 0).

    Of two classes of one period (复式) it is the one that had the screen: its film went further.
    """
    if not interrupted:
        return None
    newest = interrupted[-1]
    beside = [one for one in interrupted if _place(one) == _place(newest)]
    last = max(beside, key=lambda one: one.position_s) if newest.key is not None else newest
    known = facts.get(last.step)
    return ResumeNotice(
        key=last.key or SlotKey(day=0, period=0, class_id=ClassId("")),
        sitting=last.sitting,
        lesson=LessonId(last.step.lesson),
        title=known.title if known is not None else "",
        position_s=last.position_s,
    )


def _place(one: Interrupted) -> tuple[int, int] | None:
    return (one.key.day, one.key.period) if one.key is not None else None


def _upcoming(
    inputs: DayInputs, plan: Mapping[SlotKey, Step | None], facts: Mapping[Step, StepFacts]
) -> tuple[DayBar, ...]:
    """One bar per coming school day, until the day before today."""
    bars = []
    for ahead in range(1, _DAYS_AHEAD + 1):
        day = (inputs.time.day - 1 + ahead) % 7 + 1
        keys = sorted(key for key in plan if key.day == day)
        if not keys:
            continue
        known = [facts.get(step) if (step := plan[key]) is not None else None for key in keys]
        promises = [one.promise for one in known if one is not None and one.promise is not None]
        coming = [one for one in promises if one.is_in_time]
        arrivals = [one.arrives_ms[1] for one in coming if one.arrives_ms is not None]
        bars.append(
            DayBar(
                day=day,
                lights=tuple(
                    _lamp(one, plan[key], is_taught=False)
                    for key, one in zip(keys, known, strict=True)
                ),
                missing_bytes=sum(one.missing_bytes for one in known if one is not None),
                coming=len(coming),
                late=len(promises) - len(coming),
                arrives_ms=max(arrivals) if len(arrivals) == len(coming) > 0 else None,
                now_ms=next((one.now_ms for one in promises), None),
            )
        )
    return tuple(bars)
