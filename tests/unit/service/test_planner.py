"""PL1 to PL4 of planner, RD1 and RD2 of road: what is promised holds, whatever is chosen."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.domain.ids import LessonId
from client.domain.record.dates import NEVER, Dated, Quality
from client.domain.road import (
    Road,
    Stretch,
    Terms,
    Throughput,
    bodies,
    limit_now,
    speeds,
    terms,
)
from client.domain.settings import Hours, LinkKind
from client.domain.spend import (
    DAY_MS,
    MEGABYTE,
    Ledger,
    LinkProfile,
    Look,
    Standing,
    Why,
    charge,
    look,
    wire_bytes,
)
from client.service.planner import Film, Form, Need, make_plan

HOUR = 3600.0
MONDAY_MS = int(datetime(2027, 5, 17, tzinfo=UTC).timestamp() * 1000)
SIZES = (Form.LATE, Form.PAPERS, Form.SMALLER, Form.FULL)


def standing(hour: float = 12.0, err_ms: int = 0, quality: Quality = Quality.EXACT) -> Standing:
    at = MONDAY_MS + round(hour * HOUR) * 1000
    now = Dated(earliest_ms=at - err_ms, latest_ms=at + err_ms, quality=quality)
    return look(Ledger(), Look(now=now, wall_ms=at, boot="a", mono_ms=0))


@st.composite
def needs(draw):
    count = draw(st.integers(0, 9))
    made = []
    for number in range(count):
        sizes = sorted(draw(st.lists(st.integers(1, 400), max_size=3, unique=True)), reverse=True)
        start = draw(st.none() | st.integers(0, 240))
        made.append(
            Need(
                lesson=LessonId(f"l{number}"),
                papers_bytes=draw(st.integers(0, 20)) * MEGABYTE // 4,
                films=tuple(Film(rendition=f"{s}p", size_bytes=s * MEGABYTE) for s in sizes),
                slot_s=None if start is None else (start * HOUR, start * HOUR + 600),
                has_sound=draw(st.booleans()),
                is_wished=draw(st.booleans()),
                is_barred=not sizes and draw(st.booleans()),
            )
        )
    return tuple(made)


profiles = st.builds(
    LinkProfile,
    kind=st.sampled_from(LinkKind),
    day_bytes=st.sampled_from([0, 50, 200]).map(lambda n: n * MEGABYTE),
    month_bytes=st.sampled_from([0, 100, 1000]).map(lambda n: n * MEGABYTE),
    hours=st.sampled_from([None, Hours(begin=20, end=6), Hours(begin=8, end=17)]),
)
seconds = st.integers(0, 86_399).map(lambda second: second / HOUR)
rates = st.integers(1, 2_000_000).map(float)


@given(needs(), profiles, seconds, rates, rates)
def test_pl3_rd2_more_bandwidth_never_makes_the_same_bytes_later(
    wanted, profile, hour, first, second
):
    allowed = terms(standing(hour), profile, 14)
    slow, fast = (Road(allowed, rate) for rate in sorted((first, second)))
    for size in (1, MEGABYTE, 40 * MEGABYTE, 300 * MEGABYTE):
        at = slow.at(size)
        assert at is None or fast.at(size) <= at
    # Papers stand before all choices.
    papers = tuple(replace(need, films=()) for need in wanted)
    check_not_later(make_plan(papers, slow, slow), make_plan(papers, fast, fast), papers)


@given(needs(), profiles, seconds, rates, st.data())
def test_pl3_one_wish_less_never_makes_another_later(wanted, profile, hour, rate, data):
    road = Road(terms(standing(hour), profile, 14), rate)
    if not wanted:
        return
    gone = data.draw(st.sampled_from(wanted))
    less = tuple(need for need in wanted if need is not gone)
    check_not_later(make_plan(wanted, road, road), make_plan(less, road, road), less)


def check_not_later(worse, better, wanted):
    before, after = worse.by_lesson, better.by_lesson
    for need in wanted:
        was, now = before[need.lesson], after[need.lesson]
        if was.form not in SIZES:
            assert now.form is was.form
            continue
        assert SIZES.index(now.form) >= SIZES.index(was.form)
        if was.arrival_s is None:
            continue
        assert now.arrival_s is not None
        if (now.form, now.rendition) == (was.form, was.rendition):
            assert now.arrival_s[1] <= was.arrival_s[1] + 1e-6
        else:
            assert now.arrival_s[1] <= need.due_s or was.form is Form.LATE


@given(needs(), profiles, seconds, rates, rates)
def test_pl1_pl2_papers_first_within_every_budget_and_never_too_early(
    wanted, profile, hour, first, second
):
    allowed = terms(standing(hour), profile, 14)
    cautious, hopeful = (Road(allowed, rate) for rate in sorted((first, second)))
    plan = make_plan(wanted, cautious, hopeful)
    assert plan == make_plan(wanted, cautious, hopeful)
    kinds = [task.is_film for task in plan.tasks]
    assert kinds == sorted(kinds)
    known, spent = plan.by_lesson, 0
    for task in plan.tasks:
        spent += task.size_bytes
        promise = known[task.lesson]
        is_promised = promise.arrival_s is not None and (
            not task.is_film or promise.rendition == task.rendition != ""
        )
        if is_promised:
            at = promise.arrival_s[1]
            # To the byte: what stands before it and itself can be here by then.
            assert cautious.by(at + 1e-3) >= spent
            assert promise.arrival_s[0] <= at
            if task.is_film and promise.slot_s is not None:
                assert at <= promise.slot_s[0]
    assert plan.cost_bytes == spent


@given(profiles, seconds, rates, st.integers(0, 60 * MEGABYTE))
def test_rd1_no_day_month_or_closed_hour_carries_too_much(profile, hour, rate, spent):
    stands = charge(standing(hour), spent)
    allowed = terms(stands, profile, 40)
    road = Road(allowed, rate)
    begin = round(hour * HOUR)
    for day in range(40):
        zero = day * 86400 - begin
        carried = road.by(zero + 86400) - road.by(zero)
        used = spent if day == 0 else 0
        if profile.day_bytes:
            assert carried <= max(0, profile.day_bytes * 9 // 10 - used)
        if profile.hours is not None:
            closed = {20: (6, 20), 8: (17, 24)}[profile.hours.begin]
            first, last = (zero + one * HOUR for one in closed)
            if first >= 0:
                assert road.by(last) == road.by(first)
    may = (31 - 17 + 1) * 86400 - begin
    if profile.month_bytes:
        assert road.by(may) <= max(0, profile.month_bytes * 9 // 10 - spent)
    assert road.at(0) == 0.0
    assert road.at(10**15) is None


def test_rd1_hours_open_when_it_is_certain_and_close_when_they_may():
    clock = standing(19.0, err_ms=600_000, quality=Quality.CLOCK)
    profile = LinkProfile(kind=LinkKind.SATELLITE, hours=Hours(begin=20, end=6))
    stretches = terms(clock, profile, 1).stretches
    assert stretches[0].begin_s == HOUR + 600
    assert stretches[0].end_s == 5 * HOUR - 600
    assert limit_now(clock, profile) is Why.HOURS
    assert limit_now(clock, LinkProfile()) is Why.NOTHING


def test_rd1_nothing_is_promised_behind_the_small_allowance_while_time_is_unsure():
    unsure = look(Ledger(), Look(now=NEVER, wall_ms=0, boot="a", mono_ms=0))
    metered = LinkProfile(kind=LinkKind.SATELLITE, day_bytes=50 * MEGABYTE)
    road = Road(terms(unsure, metered, 14), 1e9)
    assert road.at(bodies(10 * MEGABYTE)) is not None
    assert road.at(bodies(10 * MEGABYTE) + 1) is None
    assert wire_bytes(bodies(10 * MEGABYTE)) < 10 * MEGABYTE
    assert Road(terms(unsure, LinkProfile(), 14), 1e9).at(10**12) is not None


def test_what_the_window_before_midnight_may_have_spent_counts_in_the_new_day():
    night = standing(24.0, err_ms=600_000, quality=Quality.CLOCK)
    stands = charge(replace(night, ledger=standing(20).ledger), 10 * MEGABYTE)
    left = dict(terms(stands, LinkProfile(day_bytes=50 * MEGABYTE), 1).days)
    day = MONDAY_MS // DAY_MS
    assert left == {day + 1: bodies(35 * MEGABYTE)}


def test_speeds_are_cautious_and_capped():
    satellite = LinkProfile(kind=LinkKind.SATELLITE)
    assert speeds(satellite, Throughput()) == (35_000.0, 50_000.0)
    measured = Throughput(bytes_per_s=100_000.0, lit_share=0.5)
    assert speeds(satellite, measured) == (35_000.0, 50_000.0)
    capped = replace(satellite, cap_bytes_per_s=10_000)
    assert speeds(capped, measured) == (7_000.0, 10_000.0)


ONE = Need(
    lesson=LessonId("l"),
    papers_bytes=MEGABYTE,
    films=(
        Film(rendition="720p", size_bytes=200 * MEGABYTE),
        Film(rendition="360p", size_bytes=50 * MEGABYTE),
    ),
    slot_s=(10 * HOUR, 10 * HOUR),
)


@pytest.mark.parametrize(
    ("need", "rate", "form", "code"),
    [
        (ONE, 10e6, Form.FULL, "plan_full"),
        (ONE, 2e3, Form.SMALLER, "plan_smaller"),
        (ONE, 1e3, Form.PAPERS, "plan_papers"),
        (replace(ONE, is_wished=True), 1e3, Form.PAPERS, "plan_papers"),
        (replace(ONE, has_sound=True), 1e3, Form.PAPERS, "plan_sound"),
        (replace(ONE, slot_s=(0.0, 0.0)), 1e3, Form.LATE, "plan_late"),
        (replace(ONE, films=(), is_barred=True), 1e3, Form.PAPERS, "plan_protected"),
        (replace(ONE, papers_bytes=0, films=(), is_barred=True), 1, Form.PAPERS, "plan_protected"),
        (replace(ONE, papers_bytes=0, films=()), 1e3, Form.HERE, "plan_here"),
        (replace(ONE, is_unknown=True), 1e3, Form.UNKNOWN, "plan_unknown"),
        (replace(ONE, slot_s=None), 1e-3, Form.FULL, "plan_open"),
    ],
)
def test_pl4_every_lesson_has_its_reason(need, rate, form, code):
    road = Road(Terms(stretches=(Stretch(begin_s=0, end_s=1e6),)), rate)
    (found,) = make_plan((need,), road, road).forecasts
    assert (found.form, found.reason.code) == (form, code)


def test_what_comes_half_a_day_ahead_is_early():
    road = Road(Terms(stretches=(Stretch(begin_s=0, end_s=1e6),)), 1e6)
    soon, later = ONE, replace(ONE, lesson=LessonId("m"), slot_s=(20 * HOUR, 20 * HOUR))
    wish = replace(ONE, lesson=LessonId("n"), slot_s=None)
    plan = make_plan((soon, later, wish), road, road)
    assert [one.is_early for one in plan.forecasts] == [False, True, False]
    assert [task.is_urgent for task in plan.tasks] == [True, True, False, False, False, False]
    assert soon.missing_bytes == 201 * MEGABYTE
