"""Repairing dates: client.domain.record.dates, bounds, clocks, uptimes, anchors."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from client.domain.errors import ProtocolError
from client.domain.record import bodies as b
from client.domain.record.anchors import Anchor, AnchorKind, Present, kept
from client.domain.record.bounds import CEILING_MS, FLOOR_MS
from client.domain.record.clocks import Errors
from client.domain.record.dates import Dated, Dates, Fault, Quality
from client.domain.record.event import Event
from client.domain.record.uptimes import Uptimes
from tests.clock_worlds import (
    BEGIN,
    DAY,
    HOUR,
    MINUTE,
    YEAR,
    Machine,
    World,
    utc,
    world,
    worlds,
)

W = b"\x07" * 8
MORNING = utc(2026, 11, 2, 1)
"""Monday, 09:00 in China."""


def machine(**fields) -> Machine:
    return Machine(writer=W, now=MORNING, **fields)


def dates_of(*machines: Machine) -> Dates:
    made = world(machines)
    return Dates(made.events, made.anchors)


def seen(one: Machine) -> list[Quality]:
    dates = dates_of(one)
    return [dates.of(event).quality for event in one.events]


def holds(dated: Dated, one: Machine, event: Event) -> bool:
    return dated.earliest_ms <= one.truth[event.hash] <= dated.latest_ms


# --- certain ---------------------------------------------------------------------------------


@given(worlds())
@settings(max_examples=400)
def test_dt1_what_is_certain_holds_the_truth(made: World):
    """BD1 UP1 UP2: copies, logs set up anew, any clocks, running time that is off by 400 ppm."""
    dates = Dates(made.events, made.anchors)
    for event in made.events:
        low, high = dates.certain(event)
        assert low <= made.truth[event.hash] <= high


@given(worlds())
@settings(max_examples=200)
def test_dt2_what_is_likely_stays_inside_of_what_is_certain(made: World):
    dates = Dates(made.events, made.anchors)
    for event in made.events:
        low, high = dates.certain(event)
        dated = dates.of(event)
        assert low <= dated.earliest_ms <= dated.middle_ms <= dated.latest_ms <= high


@given(worlds(), st.randoms(use_true_random=False))
@settings(max_examples=100)
def test_dt3_order_and_repeats_change_nothing(made: World, dice: random.Random):
    """UP3"""
    events, anchors = list(made.events) * 2, list(made.anchors)
    dice.shuffle(events)
    dice.shuffle(anchors)
    one, other = Dates(made.events, made.anchors), Dates(events, anchors)
    assert [one.of(e) for e in made.events] == [other.of(e) for e in made.events]
    assert one.faults(W) == other.faults(W)


@given(worlds(models=("good", "offset", "dead", "future"), copies=False))
@settings(max_examples=300)
def test_ck1_clocks_that_run_or_forget_never_lead_outside_of_the_truth(made: World):
    dates = Dates(made.events, made.anchors)
    for event in made.events:
        dated = dates.of(event)
        assert dated.earliest_ms <= made.truth[event.hash] <= dated.latest_ms


@given(worlds())
@settings(max_examples=200)
def test_bd2_nobody_who_tells_the_truth_is_said_to_be_contradicted(made: World):
    dates = Dates(made.events, made.anchors)
    assert Fault.CONTRADICTED not in dates.faults(W) | dates.faults(b"\x08" * 8)


@given(worlds(models=("good",), copies=False))
@settings(max_examples=100)
def test_a_good_clock_is_never_left_unused(made: World):
    dates = Dates(made.events, made.anchors)
    close = [a for a in made.anchors if a.err_ms > 10 * MINUTE]
    assert close or all(dates.of(event).is_sure for event in made.events)


@given(worlds(models=("dead",), copies=False))
@settings(max_examples=100)
def test_a_start_that_was_told_the_time_is_exact(made: World):
    told = {a.boot for a in made.anchors if a.kind is AnchorKind.HUB and a.err_ms <= 5000}
    dates = Dates(made.events, made.anchors)
    for event in made.events:
        if event.boot in told:
            assert dates.of(event).quality is Quality.EXACT


def test_bd1_a_start_in_between_lies_between_the_hubs():
    one = machine()
    one.start(off_ms=0, wall_ms=0)
    one.write(MINUTE)
    one.hear()
    one.start(off_ms=HOUR, wall_ms=0)
    first, last = one.write(10 * MINUTE), one.write(HOUR)
    one.start(off_ms=HOUR, wall_ms=0)
    one.write(MINUTE)
    one.hear()
    dates = dates_of(one)
    assert seen(one) == [Quality.EXACT, Quality.DAY, Quality.DAY, Quality.EXACT]
    (low, _), (_, high) = dates.certain(first), dates.certain(last)
    # Running time counts: an hour passed inside, so the last is an hour after the first hub.
    assert low == pytest.approx(one.truth[one.events[0].hash], abs=5000)
    assert dates.certain(last)[0] == pytest.approx(low + HOUR, abs=5000)
    assert high == pytest.approx(one.truth[one.events[3].hash], abs=5000)


def test_bd1_a_start_that_only_met_a_hub_bounds_its_neighbours():
    one = machine()
    one.start(off_ms=0, wall_ms=0)
    before = one.write(MINUTE)
    one.start(off_ms=HOUR, wall_ms=0)
    one.now += MINUTE
    one.hear()
    one.hear()
    met = one.now
    one.start(off_ms=HOUR, wall_ms=0)
    after = one.write(MINUTE)
    dates = dates_of(one)
    assert dates.certain(before)[1] == pytest.approx(met, abs=10)
    assert dates.certain(after)[0] == pytest.approx(met, abs=10)


def test_bd1_a_start_that_only_met_a_hub_may_be_the_first_or_the_last():
    one = machine()
    for boot in range(3):
        one.start(off_ms=HOUR, wall_ms=0)
        if boot == 1:
            event = one.write(MINUTE)
        else:
            one.hear()
    dates = dates_of(one)
    low, high = dates.certain(event)
    assert low <= one.truth[event.hash] <= high
    assert high - low == pytest.approx(2 * HOUR + MINUTE, abs=10)


def test_bd1_what_was_signed_is_a_lower_bound():
    one = machine()
    one.start(off_ms=0, wall_ms=0)
    event = one.write(MINUTE)
    one.hear(AnchorKind.SIGNED, off_by=-DAY)
    dates = dates_of(one)
    assert dates.certain(event) == (pytest.approx(one.now - DAY, abs=10), pytest.approx(CEILING_MS))
    assert dates.of(event).quality is Quality.UNKNOWN


def test_up1_a_predecessor_that_is_not_here_bounds_nothing():
    old, new = machine(), Machine(writer=b"\x08" * 8, now=MORNING + DAY, lc=5)
    old.start(off_ms=0)
    tip = old.write(0)
    old.hear()
    new.start(off_ms=0, wall_ms=0)
    why = b.WhyIncarnation.KEY_LOST
    body = b.Incarnation(
        public_key=bytes(32), nonce=bytes(16), why=why, predecessors=((W, tip.hash),)
    )
    event = new.write(0, body)
    low = [Dates(known, old.anchors).certain(event)[0] for known in ([event], [event, tip])]
    assert low == [FLOOR_MS, pytest.approx(MORNING, abs=10)]


def test_bd2_hubs_that_disagree_widen_and_are_told():
    one = machine()
    one.start(off_ms=0)
    event = one.write(MINUTE)
    one.hear(off_by=20 * MINUTE, err_ms=30 * MINUTE)
    one.hear(off_by=3 * HOUR, err_ms=30 * MINUTE)
    dates = dates_of(one)
    assert dates.faults(W) == {Fault.CONTRADICTED}
    assert dates.of(event).quality is Quality.DAY
    assert holds(dates.of(event), one, event)


def test_bd2_a_hub_counts_more_than_another_machine():
    one = machine()
    one.start(off_ms=0)
    event = one.write(MINUTE)
    one.hear(AnchorKind.PEER, off_by=70 * YEAR // 3)
    one.hear()
    dates = dates_of(one)
    assert dates.of(event).quality is Quality.EXACT
    assert holds(dates.of(event), one, event)
    assert Fault.CONTRADICTED in dates.faults(W)


def test_bd2_a_hub_that_says_what_cannot_be_is_not_heard():
    one = machine()
    one.start(off_ms=0)
    event = one.write(MINUTE)
    one.hear(off_by=BEHIND)
    one.hear(off_by=60 * YEAR)
    assert dates_of(one).of(event).quality is C


def test_a_running_time_that_makes_no_sense_gives_no_impossible_date():
    one = machine()
    one.start(off_ms=0)
    one.write(MINUTE)
    one.hear()
    last = one.write(1 << 52)
    dated = dates_of(one).of(last)
    assert dated == Dated(earliest_ms=CEILING_MS, latest_ms=CEILING_MS, quality=U)


def test_bd2_hubs_that_contradict_the_order_give_a_wide_interval():
    one = machine()
    for off_by in (10 * DAY, None, 0):
        one.start(off_ms=HOUR, wall_ms=0)
        one.write(MINUTE)
        if off_by is not None:
            one.hear(off_by=off_by)
    dated = dates_of(one).of(one.events[1])
    assert dated.quality is Quality.ABOUT
    assert dated.earliest_ms == pytest.approx(one.now, abs=MINUTE)
    assert dated.latest_ms == pytest.approx(one.truth[one.events[0].hash] + 10 * DAY, abs=MINUTE)


def test_up1_a_gap_in_a_log_is_bridged():
    one = machine()
    one.start(off_ms=0, wall_ms=0)
    first = one.write(MINUTE)
    one.hear()
    one.write(MINUTE)
    last = one.write(MINUTE)
    dates = Dates([first, last], one.anchors)
    assert dates.of(last).quality is Quality.EXACT
    assert dates.of(one.events[1]) == Dated(
        earliest_ms=FLOOR_MS, latest_ms=CEILING_MS, quality=Quality.UNKNOWN
    )
    assert dates.certain(one.events[1]) == (FLOOR_MS, CEILING_MS)


def test_up2_what_a_copy_heard_dates_nobody_else():
    one = machine()
    one.start(off_ms=0, wall_ms=0)
    one.write(MINUTE)
    one.hear()
    two = one.copied()
    for each, days in ((one, 1), (two, 5)):
        each.start(off_ms=days * DAY, wall_ms=0)
        each.write(MINUTE)
        each.hear()
    dates = dates_of(one, two)
    assert dates.of(one.events[0]).quality is Quality.EXACT
    for each in (one, two):
        assert dates.of(each.events[1]).quality is Quality.UNKNOWN
        assert holds(dates.of(each.events[1]), each, each.events[1])
    assert Uptimes(world([one, two]).events).find(W, 2) is None


def test_up2_a_start_without_events_of_one_copy_dates_nobody_of_the_other():
    one = machine()
    one.start(off_ms=0, wall_ms=0)
    one.write(MINUTE)
    two = one.copied()
    for each, days in ((one, 1), (two, 9)):
        each.start(off_ms=days * DAY, wall_ms=0)
        each.write(MINUTE)
        each.start(off_ms=DAY, wall_ms=0)
    event = one.write(MINUTE)
    two.hear()
    dates = dates_of(one, two)
    assert holds(dates.of(event), one, event)
    assert dates.of(event).quality is U


def test_up2_a_running_time_that_went_back_is_another_machine():
    one = machine()
    one.start(off_ms=0, wall_ms=0)
    first = one.write(HOUR)
    one.pose(off_ms=DAY, mono_ms=MINUTE)
    one.write(MINUTE)
    one.hear()
    assert dates_of(one).of(first).quality is U
    assert holds(dates_of(one).of(first), one, first)


def test_up2_a_gap_in_a_copied_log_is_not_bridged():
    one = machine()
    one.start(off_ms=0, wall_ms=0)
    one.write(MINUTE)
    two = one.copied()
    one.write(MINUTE)
    two.start(off_ms=DAY, wall_ms=0)
    for _ in range(3):
        two.write(MINUTE)
    known = [*one.events, two.events[1], two.events[3]]
    ups = Uptimes(known)
    assert ups.of(known[-1]) is not ups.of(known[-2])
    assert ups.of(known[-1]).links == []


# --- likely ----------------------------------------------------------------------------------


def offsets(*rtc: int, hear: tuple[int, ...]) -> Machine:
    """Starts an hour apart, the clock ahead by each of `rtc`; hubs met in those of `hear`."""
    one = machine()
    for number, ahead in enumerate(rtc):
        one.rtc_ms = ahead
        one.start(off_ms=DAY)
        one.write(30 * MINUTE)
        if number in hear:
            one.hear()
    return one


E, C, D, A, U = Quality.EXACT, Quality.CLOCK, Quality.DAY, Quality.ABOUT, Quality.UNKNOWN
BEHIND = -8 * YEAR


@pytest.mark.parametrize(
    ("rtc", "hear", "qualities"),
    [
        ((0, 0, 0), (), [C, C, C]),
        ((0, 0, 0), (1,), [C, E, C]),
        ((BEHIND, BEHIND, BEHIND), (), [U, U, U]),
        ((BEHIND, BEHIND, BEHIND), (0, 2), [E, C, E]),
        ((BEHIND, BEHIND + 9 * MINUTE, BEHIND + 9 * MINUTE), (0, 2), [E, C, E]),
        ((BEHIND, BEHIND + 9 * MINUTE, BEHIND + 12 * MINUTE), (0, 2), [E, A, E]),
        ((BEHIND, BEHIND, BEHIND), (0,), [E, U, U]),
        # Put right between two hubs; what is between is not known.
        ((3 * DAY, 0, 0), (0, 2), [E, A, E]),
        # The same error on both sides, but the clock says what cannot be then.
        ((BEHIND, 0, BEHIND), (0, 2), [E, A, E]),
        # An hour fast is not seen without a hub, and put right with two.
        ((HOUR, HOUR, HOUR), (), [C, C, C]),
        ((HOUR, HOUR, HOUR), (0, 2), [E, C, E]),
        ((HOUR, HOUR, HOUR), (0,), [E, U, U]),
        # One start in 2031: the others outvote it; its own day lies between theirs.
        ((0, 5 * YEAR, 0, 0), (), [C, A, C, C]),
        ((0, 5 * YEAR), (1,), [U, E]),
        # Nobody is in the majority.
        ((5 * YEAR, 0), (), [U, U]),
        ((60 * YEAR, 0), (), [U, C]),
    ],
)
def test_ck1_the_table_of_clocks(rtc, hear, qualities):
    assert seen(offsets(*rtc, hear=hear)) == qualities


@pytest.mark.parametrize(
    ("before", "after", "shift"),
    [
        (None, None, (0, 0)),
        (HOUR, None, None),
        (None, -HOUR, None),
        (9 * MINUTE, None, (0, 0)),
        (HOUR, HOUR + 10 * MINUTE, (HOUR, HOUR + 10 * MINUTE)),
        (HOUR, HOUR - 10 * MINUTE, (HOUR - 10 * MINUTE, HOUR)),
        (HOUR, HOUR + 11 * MINUTE, None),
        (-8 * MINUTE, 8 * MINUTE, (0, 0)),
    ],
)
def test_ck1_what_is_taken_off_a_clock(before, after, shift):
    assert Errors(before=before, after=after).shift() == shift


def test_ck1_a_hub_that_knows_the_time_roughly_shows_no_error():
    one = machine()
    for number in range(3):
        one.start(off_ms=DAY)
        one.write(MINUTE)
        if number != 1:
            one.hear(off_by=25 * MINUTE, err_ms=30 * MINUTE)
    assert seen(one) == [D, C, D]
    assert holds(dates_of(one).of(one.events[1]), one, one.events[1])


def test_ck1_a_battery_that_forgets_to_a_possible_day_is_not_believed():
    one = machine()
    for _ in range(6):
        one.start(off_ms=DAY, wall_ms=utc(2026, 3, 1))
        one.write(MINUTE)
        one.write(HOUR)
    assert set(seen(one)) == {U}
    assert dates_of(one).faults(W) == {Fault.WENT_BACK}


def test_ck1_the_error_of_one_copy_tells_nothing_of_the_other():
    one = machine()
    one.start(off_ms=0)
    one.write(MINUTE)
    one.start(off_ms=DAY)
    shared = one.write(MINUTE)
    two = one.copied()
    for each, rtc in ((one, 0), (two, BEHIND)):
        each.rtc_ms = rtc
        each.start(off_ms=DAY)
        each.write(MINUTE)
    dates = dates_of(one, two)
    assert dates.of(shared).quality is C
    assert [dates.of(e).quality for e in (one.events[2], two.events[2])] == [C, U]


def test_ck1_a_clock_that_was_put_right_dates_what_was_before():
    one = machine(rtc_ms=BEHIND)
    one.start(off_ms=0)
    one.write(MINUTE)
    one.rtc_ms = 0
    one.write(MINUTE)
    dates = dates_of(one)
    assert seen(one) == [C, C]
    assert all(holds(dates.of(event), one, event) for event in one.events)
    assert dates.faults(W) == {Fault.WRONG, Fault.SET}


def test_ck1_a_clock_that_was_set_to_two_possible_times_tells_nothing():
    one = machine()
    one.start(off_ms=0)
    one.write(MINUTE)
    one.rtc_ms = DAY
    one.write(MINUTE)
    assert seen(one) == [U, U]
    assert dates_of(one).faults(W) == {Fault.SET}


def test_the_time_of_a_clock_that_nothing_speaks_against_is_what_it_says():
    one = machine()
    one.start(off_ms=0)
    event = one.write(MINUTE)
    dated = dates_of(one).of(event)
    assert abs(dated.middle_ms - event.wall_ms) <= 1
    assert dated.latest_ms - dated.earliest_ms == pytest.approx(20 * MINUTE, abs=10)


# --- taps ------------------------------------------------------------------------------------


def tapped(*, off_by: int, days: int, err_ms: int = 2 * HOUR) -> tuple[Machine, Dated]:
    """A start in between hubs `days` away on each side, in which somebody tapped."""
    one = machine()
    one.start(off_ms=0, wall_ms=0)
    one.write(MINUTE)
    one.hear()
    one.start(off_ms=days * DAY, wall_ms=0)
    event = one.write(MINUTE)
    one.hear(AnchorKind.TAP, off_by=off_by, err_ms=err_ms)
    one.start(off_ms=days * DAY, wall_ms=0)
    one.write(MINUTE)
    one.hear()
    return one, dates_of(one).of(event)


@pytest.mark.parametrize("weeks", [-50, -1, 0, 1])
def test_ck2_a_tap_narrows_to_the_one_day_it_can_mean(weeks):
    one, dated = tapped(off_by=weeks * 7 * DAY, days=3)
    assert dated.quality is Quality.DAY
    assert dated.latest_ms - dated.earliest_ms == pytest.approx(4 * HOUR, abs=10)
    assert holds(dated, one, one.events[1])


def test_ck2_a_tap_that_may_mean_two_days_says_nothing():
    _, dated = tapped(off_by=0, days=7)
    assert dated.quality is Quality.ABOUT


def test_dt2_a_tap_against_what_is_certain_says_nothing():
    one, dated = tapped(off_by=2 * DAY, days=1)
    assert dated.latest_ms - dated.earliest_ms == pytest.approx(2 * DAY, abs=HOUR)
    assert holds(dated, one, one.events[1])


def test_ck2_a_tap_against_the_clock_stops_its_use():
    one = machine()
    one.start(off_ms=0)
    one.write(MINUTE)
    one.hear(AnchorKind.TAP, off_by=HOUR, err_ms=2 * HOUR)
    assert seen(one) == [C]
    one.hear(AnchorKind.TAP, off_by=2 * DAY, err_ms=2 * HOUR)
    one.anchors.pop(0)
    assert seen(one) == [U]


# --- now -------------------------------------------------------------------------------------


def present(one: Machine, boot: int | None = None) -> Present:
    return Present(
        writer=W,
        boot=one.boot if boot is None else boot,
        mono_ms=one.mono,
        wall_ms=one.now + one.rtc_ms,
    )


def test_now_an_anchor_of_this_start_counts_and_not_the_clock():
    one = offsets(0, BEHIND, hear=(1,))
    one.now += HOUR
    now = dates_of(one).now(present(one))
    assert now.quality is Quality.EXACT
    assert now.earliest_ms <= one.now <= now.latest_ms


def test_now_a_hub_of_a_month_ago_leaves_it_to_the_clock():
    one = offsets(0, hear=(0,))
    one.now += 30 * DAY
    one.write(0)
    dates = dates_of(one)
    assert dates.now(present(one)).quality is Quality.CLOCK
    assert dates.of(one.events[-1]).quality is Quality.DAY


@pytest.mark.parametrize(
    ("rtc", "hear", "now", "is_sure"),
    [
        ((), (), 0, True),
        ((), (), BEHIND, False),
        ((), (), 60 * YEAR, False),
        ((0,), (), 0, True),
        ((0,), (), -DAY, False),
        ((0,), (), DAY, True),
        # What was written in 2031 is before now, so this cannot be 2026; or that clock was wrong.
        ((5 * YEAR,), (), 0, False),
        ((0, 5 * YEAR, 0, 0), (), 0, True),
        ((BEHIND,), (0,), BEHIND, False),
        # A hub showed it an hour fast, and nobody knows whether it still is.
        ((HOUR,), (0,), HOUR, False),
    ],
)
def test_now_by_the_clock_where_nothing_speaks_against_it(rtc, hear, now, is_sure):
    one = offsets(*rtc, hear=hear)
    one.rtc_ms = now
    one.start(off_ms=HOUR)
    told = dates_of(one).now(present(one))
    assert told.is_sure is is_sure
    if is_sure:
        assert abs(told.middle_ms - one.now - one.rtc_ms) <= 1


def test_now_the_clock_of_another_machine_proves_nothing():
    other = Machine(writer=b"\x01" * 8, now=MORNING, rtc_ms=5 * YEAR)
    other.start(off_ms=0)
    other.write(MINUTE)
    one = machine()
    one.start(off_ms=HOUR)
    one.write(MINUTE)
    assert dates_of(one, other).now(present(one)).is_sure


def test_now_is_asked_where_a_person_said_otherwise():
    one = machine()
    one.start(off_ms=0)
    one.write(MINUTE)
    assert dates_of(one).now(present(one)).is_sure
    one.hear(AnchorKind.TAP, off_by=2 * DAY, err_ms=HOUR)
    assert not dates_of(one).now(present(one)).is_sure


def test_nobody_who_wrote_nothing_has_faults():
    assert Dates([]).faults(W) == frozenset()
    one = offsets(0, hear=(0,))
    assert dates_of(one).faults(W) == frozenset()
    assert dates_of(offsets(HOUR, 0, hear=(0,))).faults(W) == {Fault.WRONG}


# --- anchors ---------------------------------------------------------------------------------


def anchor(kind: AnchorKind, mono_ms: int, utc_ms: int = BEGIN, err_ms: int = 0) -> Anchor:
    return Anchor(writer=W, boot=1, mono_ms=mono_ms, utc_ms=utc_ms, err_ms=err_ms, kind=kind)


ANCHORS = st.lists(
    st.builds(
        anchor,
        st.sampled_from(AnchorKind),
        st.integers(0, 50),
        st.integers(0, 50),
        st.integers(0, 3),
    )
)


@given(ANCHORS, st.randoms(use_true_random=False))
def test_an2_a_few_anchors_are_kept_whatever_the_order(anchors, dice):
    chosen = kept(anchors)
    assert len(chosen) <= 6
    assert set(chosen) <= set(anchors)
    assert kept(chosen) == chosen
    shuffled = list(anchors)
    dice.shuffle(shuffled)
    assert kept(shuffled) == chosen
    step: tuple[Anchor, ...] = ()
    for one in sorted(anchors, key=lambda one: (one.mono_ms, one.utc_ms, one.err_ms)):
        step = kept((*step, one))
    assert set(step) == set(chosen)


def test_an2_the_best_and_the_last_are_kept():
    hub, tap, signed = AnchorKind.HUB, AnchorKind.TAP, AnchorKind.SIGNED
    found = [anchor(hub, at, err_ms=err) for at, err in ((1, 9), (2, 1), (3, 5), (4, 7))]
    assert kept(found) == (found[1], found[3])
    taps = [anchor(tap, 1), anchor(tap, 2)]
    assert kept(taps) == (taps[1],)
    bounds = [anchor(signed, 1, 10), anchor(signed, 9, 12)]
    assert kept(bounds) == (bounds[0],)


@pytest.mark.parametrize(
    "change",
    [{"writer": b"short"}, {"boot": -1}, {"mono_ms": -1}, {"utc_ms": 1 << 53}, {"err_ms": -1}],
)
def test_an1_an_anchor_out_of_range_is_refused(change):
    fields = {
        "writer": W, "boot": 1, "mono_ms": 1, "utc_ms": 1, "err_ms": 1, "kind": AnchorKind.HUB
    }  # fmt: skip
    with pytest.raises(ProtocolError):
        Anchor(**{**fields, **change})


def test_an1_a_present_moment_makes_anchors():
    now = Present(writer=W, boot=3, mono_ms=5, wall_ms=0)
    made = now.anchor(AnchorKind.HUB, 77, 2)
    assert (made.boot, made.mono_ms, made.utc_ms, made.err_ms) == (3, 5, 77, 2)
