"""Builds the week grid (课程表) and one course's textbook line from what is known. Pure.

Invariants:
  W1  A cell shows the lesson that 今天 would show for the same slot.
  W2  Moving a slot by one step moves the pointer of its course by one step, and so every slot
      of that course.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from client.domain.availability import Light
from client.domain.catalogue import Lesson, Placement, display_title
from client.domain.ids import LessonId
from client.domain.timetable import Pointer, Slot, SlotKey
from client.domain.today import Course, Step
from client.service.api import Stopped
from client.service.today_page import DayInputs, StepFacts

NEAR = 6
"""So many steps on either side of a course's place have their lights looked up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekCell:
    """What one slot of the week teaches next."""

    slot: Slot
    title: str = ""
    unit: str = ""
    period: int = 0
    """Class period inside the lesson, from 0."""
    light: Light = Light.NO_DEVICE
    is_taught: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekPage:
    """The whole grid. `is_odd_week` is None while the date is not believed."""

    today: int
    is_odd_week: bool | None
    cells: tuple[WeekCell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseStep:
    """One step of a textbook. `light` is None when it was not looked up."""

    lesson: LessonId
    period: int
    title: str
    unit: str
    light: Light | None = None
    stopped: Stopped | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CoursePage:
    """Where one slot stands in its textbook.

    `at` is the step the slot teaches, `pointer_at` the one the course teaches next; both None
    when there is no book.
    """

    key: SlotKey
    subject: str
    place: Placement
    steps: tuple[CourseStep, ...] = ()
    at: int | None = None
    pointer_at: int | None = None


def build_week(
    inputs: DayInputs, plan: Mapping[SlotKey, Step | None], facts: Mapping[Step, StepFacts]
) -> WeekPage:
    """Put the grid together; slots of the other week parity stand there without a lesson (W1)."""
    return WeekPage(
        today=inputs.time.day,
        is_odd_week=inputs.time.is_odd_week,
        cells=tuple(_cell(slot, inputs, plan, facts) for slot in inputs.slots),
    )


def _cell(
    slot: Slot,
    inputs: DayInputs,
    plan: Mapping[SlotKey, Step | None],
    facts: Mapping[Step, StepFacts],
) -> WeekCell:
    step = plan.get(slot.key)
    known = facts.get(step) if step is not None else None
    is_taught = slot.key in inputs.taught
    if step is None or known is None:
        light = Light.NO_DEVICE if step is None else Light.NOT_READY
        return WeekCell(slot=slot, is_taught=is_taught, light=Light.DONE if is_taught else light)
    return WeekCell(
        slot=slot,
        title=known.title,
        unit=known.unit,
        period=step.period,
        light=Light.DONE if is_taught else known.light,
        is_taught=is_taught,
    )


def build_course(
    slot: Slot,
    lessons: Sequence[Lesson],
    steps: Sequence[Step],
    place: tuple[Step | None, Step | None],
    facts: Mapping[Step, StepFacts],
) -> CoursePage:
    """Put a slot's textbook line together.

    Args:
        slot: The slot.
        lessons: The book in teaching order.
        steps: Its steps.
        place: What the slot teaches, and where the pointer stands.
        facts: Of the steps near the place.
    """
    by_id = {lesson.id: lesson for lesson in lessons}
    # What is withdrawn, or stands in for it, need not be among the lessons on offer.
    known = [step for step in steps if step.lesson in by_id or step in facts]
    shown, pointer = place
    return CoursePage(
        key=slot.key,
        subject=slot.subject,
        place=lessons[0].place if lessons else Placement(),
        steps=tuple(_course_step(step, by_id.get(step.lesson), facts.get(step)) for step in known),
        at=known.index(shown) if shown in known else None,
        pointer_at=known.index(pointer) if pointer in known else (0 if known else None),
    )


def _course_step(step: Step, lesson: Lesson | None, facts: StepFacts | None) -> CourseStep:
    made = CourseStep(lesson=step.lesson, period=step.period, title="", unit="")
    if lesson is not None:
        made = replace(made, title=display_title(lesson.title), unit=lesson.unit)
    if facts is None:
        return made
    return replace(
        made,
        title=made.title or facts.title,
        unit=made.unit or facts.unit,
        light=facts.light,
        stopped=facts.stopped,
    )


def near(steps: Sequence[Step], place: Step | None) -> set[Step]:
    """Choose the steps whose lights are worth looking up."""
    at = steps.index(place) if place in steps else 0
    return set(steps[max(0, at - NEAR) : at + NEAR + 1])


def moved_pointer(course: CoursePage, target: int) -> Pointer | None:
    """Find where the pointer must stand so that the slot teaches step `target` (W2).

    None when there is no book, or when the pointer would leave it.
    """
    if course.at is None or course.pointer_at is None or not 0 <= target < len(course.steps):
        return None
    ahead = course.at - course.pointer_at
    place = target - ahead
    if not 0 <= place < len(course.steps):
        return None
    step = course.steps[place]
    return Pointer(
        class_id=course.key.class_id,
        subject=course.subject,
        lesson=step.lesson,
        period=step.period,
    )


def course_of(slot: Slot) -> Course:
    """Name the course a slot belongs to."""
    return slot.key.class_id, slot.subject
