"""Which lesson belongs to which slot (client.domain.today)."""

from hypothesis import given
from hypothesis import strategies as st

from client.domain.ids import ClassId, LessonId
from client.domain.timetable import DEFAULT_BELLS, Slot, SlotKey, Weeks
from client.domain.today import (
    Step,
    after,
    assign,
    coming,
    current_period,
    guess_time,
    in_week,
    is_running,
)

C3 = ClassId("c3")
BOOK = tuple(Step(lesson=LessonId(f"l{n}"), period=p) for n in range(6) for p in range(1 + n % 2))
COURSE = (C3, "math")


def slot(day: int, period: int, lesson: str | None = None) -> Slot:
    return Slot(
        key=SlotKey(day=day, period=period, class_id=C3),
        subject="math",
        lesson=LessonId(lesson) if lesson else None,
    )


keys = st.builds(slot, st.integers(1, 7), st.integers(1, 6))
weeks = st.lists(keys, unique_by=lambda s: s.key, max_size=12)


@given(week=weeks, today=st.integers(1, 7), start=st.integers(0, len(BOOK) - 1))
def test_d3_slots_take_the_steps_of_the_book_in_the_order_they_come(week, today, start):
    order = coming(week, today)
    plan = assign(order, {COURSE: BOOK}, {COURSE: BOOK[start]}, {}, {})
    expected = [*BOOK[start:], *[None] * len(order)][: len(order)]
    assert [plan[s.key] for s in order] == expected


@given(week=weeks.filter(bool), today=st.integers(1, 7), data=st.data())
def test_d1_and_d2_taught_and_swapped_slots_do_not_move_the_others(week, today, data):
    order = coming(week, today)
    fixed = data.draw(st.sampled_from(order)).key
    other = Step(lesson=LessonId("other"))
    plain = assign([s for s in order if s.key != fixed], {COURSE: BOOK}, {}, {}, {})
    for done, swaps in (({fixed: other}, {}), ({}, {fixed: other})):
        plan = assign(order, {COURSE: BOOK}, {}, done, swaps)
        assert plan.pop(fixed) == other
        assert plan == plain


def test_d2_a_lesson_put_by_hand_leaves_the_pointer_alone():
    order = coming([slot(1, 1, "hand"), slot(1, 2)], 1)
    plan = assign(order, {COURSE: BOOK}, {}, {}, {})
    assert plan[order[0].key] == Step(lesson=LessonId("hand"))
    assert plan[order[1].key] == BOOK[0]


def test_a_pointer_that_left_the_book_falls_back_to_its_lesson_then_to_the_first_step():
    order = (slot(1, 1),)
    inside = Step(lesson=LessonId("l1"), period=7)
    assert assign(order, {COURSE: BOOK}, {COURSE: inside}, {}, {})[order[0].key] == BOOK[1]
    gone = Step(lesson=LessonId("gone"))
    assert assign(order, {COURSE: BOOK}, {COURSE: gone}, {}, {})[order[0].key] == BOOK[0]


def test_after_follows_periods_and_lessons_to_the_end():
    assert [after(BOOK, step) for step in BOOK] == [*BOOK[1:], None]
    assert after(BOOK, Step(lesson=LessonId("gone"))) is None


@given(minute=st.none() | st.integers(0, 1439), taught=st.sets(st.integers(1, 6)))
def test_d4_one_period_at_most_is_put_forward_and_it_is_not_over(minute, taught):
    open_periods = [bell.period for bell in DEFAULT_BELLS if bell.period not in taught]
    chosen = current_period(DEFAULT_BELLS, minute, open_periods)
    if chosen is None:
        assert not open_periods or minute is not None
        return
    assert chosen in open_periods
    bell = DEFAULT_BELLS[chosen - 1]
    assert minute is None or minute < bell.ends
    earlier = [p for p in open_periods if p < chosen]
    assert minute is not None or not earlier


def test_a_period_runs_from_ten_minutes_before_its_bell():
    bell = DEFAULT_BELLS[1]
    assert [is_running(bell, m) for m in (549, 550, 599, 600, None)] == [
        False, True, True, False, False,
    ]  # fmt: skip


def test_guess_is_the_slot_after_the_last_one_taught():
    week = [s.key for s in (slot(1, 1), slot(1, 2), slot(3, 1))]
    assert guess_time(week, week[1]) == (3, 1)
    assert guess_time(week, week[2]) == (1, 1)
    assert guess_time(week, None) == (1, 1)
    assert guess_time([], None) is None


def test_odd_and_even_weeks():
    odd = Slot(key=slot(1, 1).key, subject="math", weeks=Weeks.ODD)
    assert [in_week(odd, is_odd_week=x) for x in (True, False, None)] == [True, False, True]
