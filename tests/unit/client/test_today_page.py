"""The page 今天 as a value (client.service.today_page)."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.domain.availability import Decodes, LessonState, Light, PartState
from client.domain.catalogue import LessonKind, Placement, Role
from client.domain.ids import ClassId, LessonId, PartId, SittingId
from client.domain.timetable import DEFAULT_BELLS, ClassGroup, Slot, SlotKey, Weeks
from client.domain.today import DayTime, Step
from client.domain.withdrawal import Standing
from client.service.api import (
    CardAction,
    LessonDetail,
    LessonRow,
    Moment,
    PartView,
    Reason,
    Stopped,
)
from client.service.today_page import (
    DayInputs,
    Interrupted,
    LeftOpen,
    build_page,
    facts_of,
    plan_of,
)

C3, C5 = ClassId("c3"), ClassId("c5")
CLASSES = (ClassGroup(id=C3, name="3", grade=3), ClassGroup(id=C5, name="5", grade=5))
STEPS = tuple(Step(lesson=LessonId(f"l{n}")) for n in range(8))


def view(role: Role, state: PartState, decodes: Decodes = Decodes.UNKNOWN, **more) -> PartView:
    return PartView(
        id=PartId(role.value), role=role, title="", label="", format="", size_bytes=7,
        duration_s=60.0, pages=0, period=more.pop("period", -1), state=state, decodes=decodes,
        **more,
    )  # fmt: skip


def detail(*parts: PartView, has_detail: bool = True) -> LessonDetail:
    row = LessonRow(
        id=LessonId("l0"), title="T", kind=LessonKind.NATIONAL, place=Placement(grade="3"),
        unit="U", provider="", state=LessonState.ABSENT, has_detail=has_detail,
    )  # fmt: skip
    return LessonDetail(row=row, light=Light.NOT_READY, book=None, sections=(), parts=parts)


VIDEO = view(Role.VIDEO, PartState.PRESENT, Decodes.YES)
SLIDES = view(Role.SLIDES, PartState.PRESENT)
LOCKED = view(Role.VIDEO, PartState.PROTECTED)
FAILED = view(Role.SLIDES, PartState.FAILED, reason=Reason(code="disk_full"))
READY = facts_of(detail(VIDEO, SLIDES), 0)


def slot(day: int, period: int, group: ClassId = C3) -> Slot:
    return Slot(key=SlotKey(day=day, period=period, class_id=group), subject="math")


def inputs(*slots: Slot, **more) -> DayInputs:
    fields = {
        "time": DayTime(day=2, minute=500),
        "classes": CLASSES,
        "bells": DEFAULT_BELLS,
        "steps": {(C3, "math"): STEPS, (C5, "math"): STEPS},
        "pointers": {},
    }
    return DayInputs(**{**fields, **more}, slots=slots)


def page(given_inputs: DayInputs, facts=None):
    plan = plan_of(given_inputs)
    known = {step: READY for step in plan.values() if step} if facts is None else facts
    return build_page(given_inputs, plan, known)


@pytest.mark.parametrize(
    ("parts", "lamp", "code"),
    [
        ((VIDEO, SLIDES), Light.READY, None),
        ((view(Role.VIDEO, PartState.PRESENT), SLIDES), Light.PARTIAL, "reason_not_checked"),
        ((view(Role.VIDEO, PartState.PRESENT, Decodes.NO), SLIDES), Light.WITHOUT_VIDEO,
         "reason_not_decoded"),
        ((LOCKED, SLIDES), Light.WITHOUT_VIDEO, "reason_protected"),
        ((view(Role.VIDEO, PartState.FETCHING), SLIDES), Light.PARTIAL, "reason_coming"),
        ((view(Role.VIDEO, PartState.ABSENT),), Light.NOT_READY, "reason_missing"),
        ((VIDEO, FAILED), Light.PARTIAL, "disk_full"),
        ((), Light.NOT_READY, "reason_unknown_parts"),
    ],
)  # fmt: skip
def test_a_lesson_says_its_light_and_why(parts, lamp, code):
    known = facts_of(detail(*parts), 0)
    assert known.light is lamp
    assert (known.reason.code if known.reason else None) == code


def test_only_parts_of_the_class_period_count():
    first = replace(VIDEO, period=0)
    second = view(Role.VIDEO, PartState.ABSENT, period=1)
    assert facts_of(detail(first, second), 0).light is Light.READY
    assert facts_of(detail(first, second), 1).light is Light.NOT_READY
    assert facts_of(detail(first, second), 1).missing_bytes == 7


def test_each_card_has_the_action_that_fits():
    """P1 P2 P3"""
    keys = [slot(2, n) for n in range(1, 7)]
    held = Interrupted(sitting=SittingId("s"), key=keys[1].key, step=STEPS[0], position_s=408.0)
    given_inputs = inputs(
        *keys,
        taught={keys[0].key: STEPS[7]},
        swaps={keys[5].key: None},
        interrupted=(held,),
    )
    plan = plan_of(given_inputs)
    facts = {
        STEPS[7]: READY,
        STEPS[0]: READY,
        STEPS[1]: READY,
        STEPS[2]: facts_of(detail(LOCKED), 0),
        STEPS[3]: facts_of(detail(has_detail=False), 0),
    }
    cards = [row.cards[0] for row in build_page(given_inputs, plan, facts).rows]
    assert [(card.light, card.action) for card in cards] == [
        (Light.DONE, CardAction.NONE),
        (Light.READY, CardAction.RESUME),
        (Light.READY, CardAction.START),
        (Light.NOT_READY, CardAction.IMPORT),
        (Light.NOT_READY, CardAction.FETCH),
        (Light.NO_DEVICE, CardAction.NONE),
    ]
    assert cards[1].resume_s == 408.0
    assert cards[1].sitting == SittingId("s")
    needs = build_page(given_inputs, plan, facts).needs_hand
    assert [card.key.period for card in needs] == [4]
    resume = build_page(given_inputs, plan, facts).resume
    assert resume is not None
    assert (resume.title, resume.position_s, resume.key) == ("T", 408.0, keys[1].key)


def test_a_lesson_that_was_left_goes_on_where_it_stopped_if_anything_is_here():
    keys = [slot(2, 1), slot(2, 2)]
    left = LeftOpen(class_ids=(C3,), step=STEPS[0], position_s=70.0)
    stranger = LeftOpen(class_ids=(C5,), step=STEPS[1], position_s=30.0)
    shown = page(inputs(*keys, left_open=(left, stranger))).rows
    assert [(row.cards[0].action, row.cards[0].resume_s) for row in shown] == [
        (CardAction.RESUME, 70.0),
        (CardAction.START, None),
    ]
    absent = facts_of(detail(view(Role.VIDEO, PartState.ABSENT)), 0)
    red = page(inputs(keys[0], left_open=(left,)), {STEPS[0]: absent}).rows[0].cards[0]
    assert red.action is CardAction.FETCH


def test_an_interrupted_class_outside_of_the_timetable_can_go_on_too():
    held = Interrupted(sitting=SittingId("s"), key=None, step=STEPS[5], position_s=1.0)
    shown = page(inputs(interrupted=(held,))).resume
    assert shown is not None
    assert (shown.key.period, shown.title, shown.lesson) == (0, "", LessonId("l5"))


def test_a_lesson_that_left_the_catalogue_is_red_and_says_so():
    card = page(inputs(slot(2, 1)), facts={}).rows[0].cards[0]
    assert (card.light, card.reason.code) == (Light.NOT_READY, "reason_not_in_catalogue")


@given(
    minute=st.none() | st.integers(0, 1439),
    taught=st.sets(st.integers(1, 6)),
    day=st.integers(1, 7),
)
def test_d4_one_row_at_most_is_now_or_next(minute, taught, day):
    week = [slot(d, p, g) for d in range(1, 6) for p in range(1, 7) for g in (C3, C5)]
    done = {s.key: STEPS[0] for s in week if s.key.day == day and s.key.period in taught}
    shown = page(inputs(*week, time=DayTime(day=day, minute=minute), taught=done))
    marked = [row for row in shown.rows if row.moment in (Moment.NOW, Moment.NEXT)]
    assert len(marked) <= 1
    assert all(not all(card.is_taught for card in row.cards) for row in marked)
    assert len(shown.rows) == (6 if day <= 5 else 0)
    assert [bar.day for bar in shown.upcoming] == [
        d for ahead in range(1, 7) if (d := (day - 1 + ahead) % 7 + 1) <= 5
    ]


def test_rows_align_with_classes_and_bells_and_hide_other_rooms_and_weeks():
    odd = replace(slot(2, 3), weeks=Weeks.ODD)
    stranger = slot(2, 4, ClassId("gone"))
    late = slot(2, 9, C5)
    shown = page(
        inputs(slot(2, 2, C5), odd, stranger, late,
               time=DayTime(day=2, minute=565, is_odd_week=False))
    )  # fmt: skip
    assert [row.period for row in shown.rows] == [2, 9]
    assert shown.rows[0].cards[0] is None
    assert shown.rows[0].moment is Moment.NOW
    assert shown.rows[0].starts_in_min is None
    assert shown.rows[1].bell.ends == 0


def test_the_next_row_says_how_long_it_takes():
    shown = page(inputs(slot(2, 1), time=DayTime(day=2, minute=480)))
    assert (shown.rows[0].moment, shown.rows[0].starts_in_min) == (Moment.NEXT, 30)


def test_bars_count_what_is_missing():
    absent = facts_of(detail(view(Role.VIDEO, PartState.ABSENT)), 0)
    given_inputs = inputs(slot(3, 1), slot(3, 2))
    shown = build_page(given_inputs, plan_of(given_inputs), {STEPS[0]: READY, STEPS[1]: absent})
    assert [(bar.lights, bar.missing_bytes) for bar in shown.upcoming] == [
        ((Light.READY, Light.NOT_READY), 7)
    ]


@pytest.mark.parametrize(
    ("standing", "title", "lamp", "action"),
    [
        (Standing.GRACE, "other", Light.READY, CardAction.START),
        (Standing.TEACHING, "", Light.READY, CardAction.START),
        (Standing.OVER, "other", Light.NOT_READY, CardAction.REPLACE),
        (Standing.OVER, "", Light.NOT_READY, CardAction.SWAP),
    ],
)
def test_p4_a_withdrawn_lesson_is_taught_while_it_may_be(standing, title, lamp, action):
    """P4: also in the moment before its files are gone."""
    stopped = Stopped(reason="wrong", standing=standing, replacement_title=title)
    known = facts_of(replace(detail(VIDEO, SLIDES), stopped=stopped), 0)
    card = page(inputs(slot(2, 1)), {STEPS[0]: known}).rows[0].cards[0]
    assert card is not None
    assert (card.light, card.action, card.stopped) == (lamp, action, stopped)
    assert not known.can_be_fetched
