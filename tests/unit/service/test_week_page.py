"""The week grid and the textbook line: client.service.week_page."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.domain.availability import Light
from client.domain.catalogue import Lesson, LessonKind, Placement
from client.domain.ids import ClassId, LessonId, SourceId
from client.domain.timetable import DEFAULT_BELLS, ClassGroup, Slot, SlotKey, Weeks
from client.domain.today import DayTime, Step
from client.service.today_page import DayInputs, StepFacts, plan_of
from client.service.week_page import (
    CoursePage,
    CourseStep,
    build_course,
    build_week,
    course_of,
    moved_pointer,
    near,
)

C3 = ClassId("c3")
GROUP = ClassGroup(id=C3, name="三年级", grade=3)
PLACE = Placement(grade="三年级", subject="数学", edition="北师大版", volume="下册")
LESSONS = tuple(
    Lesson(
        id=LessonId(f"l{n}"),
        source=SourceId("demo"),
        kind=LessonKind.NATIONAL,
        title=f"第{n}课",
        place=PLACE,
        section_titles=("第一单元",),
    )
    for n in range(20)
)
STEPS = tuple(Step(lesson=lesson.id) for lesson in LESSONS)


def slot(day: int, period: int = 1, weeks: Weeks = Weeks.EVERY) -> Slot:
    return Slot(key=SlotKey(day=day, period=period, class_id=C3), subject="数学", weeks=weeks)


def facts(step: Step) -> StepFacts:
    return StepFacts(
        title=f"T {step.lesson}",
        place=PLACE,
        unit="第一单元",
        light=Light.READY,
        parts=(),
        video_s=0.0,
        missing_bytes=0,
        can_be_fetched=False,
        reason=None,
    )


def inputs(pointer: int = 3, **more: object) -> DayInputs:
    values: dict[str, object] = {
        "time": DayTime(day=2, minute=600, is_odd_week=True),
        "classes": (GROUP,),
        "bells": DEFAULT_BELLS,
        "slots": (slot(2), slot(3), slot(5), slot(1, weeks=Weeks.EVEN)),
        "steps": {(C3, "数学"): STEPS},
        "pointers": {(C3, "数学"): STEPS[pointer]},
    }
    return DayInputs(**{**values, **more})  # type: ignore[arg-type]


def test_cells_show_what_today_would_show() -> None:
    """W1: the pointer's lesson today, the next ones after it."""
    day = inputs()
    plan = plan_of(day)
    page = build_week(day, plan, {step: facts(step) for step in plan.values() if step})
    titles = {cell.slot.key.day: cell.title for cell in page.cells}
    assert titles == {2: "T l3", 3: "T l4", 5: "T l5", 1: ""}
    assert (page.today, page.is_odd_week) == (2, True)
    assert {cell.light for cell in page.cells} == {Light.READY, Light.NO_DEVICE}


def test_a_taught_slot_is_marked_and_a_lost_lesson_is_red() -> None:
    day = inputs(taught={slot(2).key: STEPS[2]})
    page = build_week(day, plan_of(day), {STEPS[2]: facts(STEPS[2])})
    by_day = {cell.slot.key.day: cell for cell in page.cells}
    assert by_day[2].is_taught
    assert by_day[2].light is Light.DONE
    assert by_day[3].light is Light.NOT_READY


def course(at: int, pointer: int) -> CoursePage:
    return build_course(
        slot(3),
        LESSONS,
        STEPS,
        (STEPS[at], STEPS[pointer]),
        {step: facts(step) for step in near(STEPS, STEPS[at])},
    )


@given(st.integers(0, 19), st.integers(0, 19), st.integers(-2, 21))
def test_moving_a_slot_moves_its_course_by_as_much(pointer: int, ahead: int, target: int) -> None:
    """W2."""
    at = min(19, pointer + ahead)
    page = course(at, pointer)
    moved = moved_pointer(page, target)
    place = target - (at - pointer)
    if not 0 <= target < 20 or not 0 <= place < 20:
        assert moved is None
        return
    assert moved is not None
    assert moved.lesson == f"l{place}"
    assert (moved.class_id, moved.subject) == course_of(slot(3))


def test_lights_are_known_near_the_place_only() -> None:
    page = course(10, 8)
    assert (page.at, page.pointer_at) == (10, 8)
    assert [n for n, step in enumerate(page.steps) if step.light is not None] == list(range(4, 17))
    assert near(STEPS, None) == set(STEPS[:7])


def test_a_course_without_a_book_goes_nowhere() -> None:
    page = build_course(slot(3), (), (), (None, None), {})
    assert (page.at, page.pointer_at, page.steps) == (None, None, ())
    assert moved_pointer(page, 0) is None


def test_a_course_without_a_pointer_begins_at_its_first_step() -> None:
    page = build_course(slot(3), LESSONS, STEPS, (STEPS[0], None), {})
    assert page.pointer_at == 0
    assert page.steps[0] == CourseStep(
        lesson=LessonId("l0"), period=0, title="第0课", unit="第一单元"
    )


@pytest.mark.parametrize("target", [-1, 20])
def test_nobody_leaves_the_book(target: int) -> None:
    """W2."""
    assert moved_pointer(course(3, 3), target) is None
