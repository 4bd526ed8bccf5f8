"""SL1 to SL3 of spend: a machine, its link and true time; whatever the clock shows."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from client.domain.record.dates import NEVER, Dated, Quality
from client.domain.settings import Hours, LinkKind, Settings
from client.domain.spend import (
    DAY_MS,
    MEGABYTE,
    Allowance,
    Ledger,
    LinkProfile,
    Look,
    Purpose,
    Why,
    charge,
    content_share,
    local_hours,
    look,
    may_spend,
    profile_of,
)

HOUR_MS = 3600 * 1000
ZONE_MS = 8 * HOUR_MS
BEGIN_MS = int(datetime(2027, 5, 1, tzinfo=UTC).timestamp() * 1000) - ZONE_MS
ERR_MS = 10 * 60 * 1000
METERED = LinkProfile(
    kind=LinkKind.SATELLITE,
    day_bytes=50 * MEGABYTE,
    month_bytes=400 * MEGABYTE,
    hours=Hours(begin=20, end=6),
)
clocks = st.sampled_from(["good", "told", "2013", "2099", "stepping"])
steps = st.lists(
    st.tuples(
        st.sampled_from(["run", "spend", "urgent", "progress", "boot", "told"]),
        st.integers(1, 30),
    ),
    min_size=1,
    max_size=120,
)


class World:
    """One machine over true time; the link spends all it may."""

    def __init__(self, clock: str, profile: LinkProfile) -> None:
        self.clock, self.profile = clock, profile
        self.true_ms = BEGIN_MS
        self.boot = 0
        self.boot_ms = BEGIN_MS
        self.ledger = Ledger()
        self.days: Counter[int] = Counter()
        self.months: Counter[int] = Counter()
        self.content: Counter[int] = Counter()
        self.is_told = False
        self.closed = 0
        """Content bytes in hours that were truly closed."""

    def seen(self) -> Look:
        mono = self.true_ms - self.boot_ms
        wall = self.true_ms
        now = Dated(earliest_ms=wall - ERR_MS, latest_ms=wall + ERR_MS, quality=Quality.CLOCK)
        if self.clock in {"2013", "2099"}:
            wall, now = mono, NEVER
        elif self.clock == "stepping":
            # Each hour of running shows another day, to and fro; the first one is believed.
            wall += (mono // HOUR_MS) * 37 * HOUR_MS * (1 if mono // HOUR_MS % 3 else -1)
            now = Dated(earliest_ms=wall - ERR_MS, latest_ms=wall + ERR_MS, quality=Quality.CLOCK)
        if self.is_told or self.clock == "told":
            now = Dated(
                earliest_ms=self.true_ms - 1000,
                latest_ms=self.true_ms + 1000,
                quality=Quality.EXACT,
            )
        return Look(now=now, wall_ms=wall, boot=str(self.boot), mono_ms=mono, zone_ms=ZONE_MS)

    def spend(self, purpose: Purpose, most: int) -> Allowance:
        standing = look(self.ledger, self.seen())
        allowance = may_spend(standing, self.profile, purpose)
        size = most if allowance.bytes is None else min(most, allowance.bytes)
        self.ledger = charge(standing, size).ledger
        local = self.true_ms + ZONE_MS
        day = local // DAY_MS
        at = datetime.fromtimestamp(local / 1000, UTC)
        self.days[day] += size
        self.months[at.year * 12 + at.month] += size
        if purpose is not Purpose.PROGRESS:
            self.content[day] += size
            is_open = any(a <= at.hour < b for a, b in local_hours(self.profile.hours))
            if not is_open and standing.span is not None:
                self.closed += size
        return allowance

    def act(self, what: str, size: int) -> None:
        if what == "run":
            self.true_ms += size * HOUR_MS // 3
        elif what == "boot" and self.clock != "stepping":
            self.true_ms += size * HOUR_MS
            self.boot, self.boot_ms, self.is_told = self.boot + 1, self.true_ms, False
        elif what == "told":
            self.is_told = True
        elif what in {"spend", "urgent", "progress"}:
            purpose = {"spend": "content"}.get(what, what)
            self.spend(Purpose(purpose), size * MEGABYTE)


@settings(max_examples=250, deadline=None)
@given(clocks, steps, st.booleans())
def test_sl1_sl2_sl3_never_one_byte_over_with_any_clock(clock, todo, has_hours):
    profile = METERED if has_hours else replace(METERED, hours=None)
    world = World(clock, profile)
    before = 0
    for what, size in todo:
        world.act(what, size)
        assert world.ledger.total >= before
        before = world.ledger.total
    assert max(world.days.values(), default=0) <= profile.day_bytes
    assert max(world.months.values(), default=0) <= profile.month_bytes
    assert max(world.content.values(), default=0) <= content_share(profile.day_bytes)
    if clock in {"good", "told"}:
        assert world.closed == 0
    if clock in {"2013", "2099"} and not any(what == "told" for what, _ in todo):
        assert max(world.content.values(), default=0) <= profile.urgent_bytes


@pytest.mark.parametrize("clock", ["good", "told", "2013", "2099", "stepping"])
@pytest.mark.parametrize("hours", [METERED.hours, None])
@pytest.mark.parametrize("order", [(Purpose.PROGRESS, Purpose.CONTENT), (Purpose.URGENT,)])
def test_sl1_a_link_that_takes_all_it_gets_is_never_over(clock, hours, order):
    profile = replace(METERED, hours=hours)
    world = World(clock, profile)
    world.true_ms += 23 * HOUR_MS
    world.boot_ms = world.true_ms - HOUR_MS // 2
    for _ in range(5 * 24 * 6):
        for purpose in order:
            world.spend(purpose, 5 * MEGABYTE if purpose is Purpose.PROGRESS else 1 << 40)
        world.true_ms += HOUR_MS // 6
    assert max(world.days.values()) <= profile.day_bytes
    if clock in {"2013", "2099"}:
        assert max(world.content.values()) <= profile.urgent_bytes


def test_sl1_what_was_spent_at_midnight_counts_in_the_new_day():
    world = World("good", replace(METERED, hours=None))
    world.true_ms -= HOUR_MS
    world.spend(Purpose.CONTENT, 0)
    world.true_ms += HOUR_MS
    assert world.spend(Purpose.PROGRESS, 5 * MEGABYTE).bytes == 50 * MEGABYTE
    world.true_ms += HOUR_MS
    assert world.spend(Purpose.CONTENT, 1 << 40).bytes == 40 * MEGABYTE


def test_sl1_what_was_spent_just_before_a_dateless_day_ends_counts_in_the_next():
    world = World("2099", replace(METERED, month_bytes=0))
    world.spend(Purpose.URGENT, 0)
    world.true_ms += 23 * HOUR_MS
    assert world.spend(Purpose.URGENT, 1 << 40).bytes == 10 * MEGABYTE
    world.true_ms += 2 * HOUR_MS
    assert world.spend(Purpose.URGENT, 1 << 40).bytes == 0
    world.true_ms += DAY_MS
    assert world.spend(Purpose.URGENT, 1 << 40).bytes == 10 * MEGABYTE


def test_a_good_week_uses_its_budget_every_night():
    world = World("good", METERED)
    for _ in range(7 * 24 * 3):
        world.spend(Purpose.CONTENT, 2 * MEGABYTE)
        world.true_ms += HOUR_MS // 3
    assert set(world.content.values()) == {45 * MEGABYTE}
    assert world.closed == 0


def test_sl2_papers_still_come_with_a_dead_clock():
    world = World("2013", METERED)
    for _ in range(7 * 24):
        world.spend(Purpose.CONTENT, MEGABYTE)
        world.spend(Purpose.URGENT, MEGABYTE)
        world.true_ms += HOUR_MS
    assert sum(world.content.values()) >= 4 * METERED.urgent_bytes
    assert max(world.days.values()) <= 2 * METERED.urgent_bytes


def test_a_far_clock_that_was_believed_once_is_put_right_by_who_knows():
    world = World("good", METERED)
    world.true_ms += 300 * DAY_MS + HOUR_MS
    world.spend(Purpose.CONTENT, 45 * MEGABYTE)
    world.true_ms -= 300 * DAY_MS - HOUR_MS
    world.boot, world.boot_ms = 1, world.true_ms
    assert world.spend(Purpose.CONTENT, 1).bytes == 0
    world.is_told = True
    assert world.spend(Purpose.CONTENT, 1).why is Why.DAY
    world.true_ms += DAY_MS
    assert world.spend(Purpose.CONTENT, 1).bytes == 45 * MEGABYTE


def test_a_window_that_a_wrong_clock_dated_is_carried_over():
    noon = BEGIN_MS + ZONE_MS + 12 * HOUR_MS
    behind = noon - 3 * DAY_MS
    clock = Dated(earliest_ms=behind, latest_ms=behind, quality=Quality.CLOCK)
    seen = Look(now=clock, wall_ms=behind, boot="a", mono_ms=0)
    spent = charge(look(Ledger(), seen), 45 * MEGABYTE).ledger
    told = replace(seen, now=exact(noon))
    assert look(spent, told).ledger.day.used == 45 * MEGABYTE
    assert look(spent, replace(told, wall_ms=noon)).ledger.day.used == 0


def exact(at_ms: int) -> Dated:
    return Dated(earliest_ms=at_ms, latest_ms=at_ms, quality=Quality.EXACT)


def allowance(
    now: Dated, profile: LinkProfile, purpose: Purpose = Purpose.CONTENT, spent: int = 0
) -> Allowance:
    seen = Look(now=now, wall_ms=now.middle_ms, boot="a", mono_ms=0)
    return may_spend(charge(look(Ledger(), seen), spent), profile, purpose)


def test_sl2_the_table():
    midnight = BEGIN_MS + ZONE_MS
    noon, night = exact(midnight + 12 * HOUR_MS), exact(midnight + 21 * HOUR_MS)
    turn = replace(exact(midnight), earliest_ms=midnight - 5, latest_ms=midnight + 5)
    plain, hours = LinkProfile(), replace(METERED, month_bytes=0)
    day = replace(hours, hours=None)
    assert allowance(noon, plain) == Allowance(bytes=None, for_s=12 * 3600)
    assert allowance(noon, replace(plain, hours=METERED.hours)).why is Why.HOURS
    assert allowance(noon, hours) == Allowance(bytes=0, for_s=8 * 3600, why=Why.HOURS)
    assert allowance(night, hours) == Allowance(bytes=45 * MEGABYTE, for_s=3 * 3600)
    assert allowance(night, hours, Purpose.URGENT).bytes == 45 * MEGABYTE
    assert allowance(noon, hours, Purpose.PROGRESS, 49 * MEGABYTE).bytes == MEGABYTE
    assert allowance(noon, hours, Purpose.PROGRESS, 50 * MEGABYTE).why is Why.DAY
    assert allowance(noon, METERED, Purpose.CONTENT, 400 * MEGABYTE).why is Why.MONTH
    assert allowance(night, hours, spent=45 * MEGABYTE).why is Why.DAY
    assert allowance(turn, day).why is Why.MIDNIGHT
    assert allowance(turn, plain).bytes is None
    assert allowance(NEVER, plain).bytes is None
    assert allowance(NEVER, hours).why is Why.UNSURE
    assert allowance(NEVER, hours, spent=45 * MEGABYTE).why is Why.DAY
    assert allowance(NEVER, hours, Purpose.URGENT, MEGABYTE).bytes == 9 * MEGABYTE
    assert allowance(NEVER, replace(plain, kind=LinkKind.PHONE)).bytes is None
    dear = LinkProfile(kind=LinkKind.PHONE, hours=METERED.hours)
    assert allowance(NEVER, dear, Purpose.URGENT).bytes == 10 * MEGABYTE


def test_hours_are_read_as_they_are_meant():
    assert local_hours(None) == ((0, 24),)
    assert local_hours(Hours(begin=0, end=24)) == ((0, 24),)
    assert local_hours(Hours(begin=8, end=17)) == ((8, 17),)
    assert local_hours(Hours(begin=20, end=6)) == ((0, 6), (20, 24))
    assert local_hours(Hours(begin=20, end=0)) == ((20, 24),)


def test_a_profile_is_read_out_of_the_settings():
    told = Settings(
        link_kind=LinkKind.SATELLITE, link_budget_mb=50, link_month_mb=8000, link_cap_kbps=512
    )
    assert profile_of(told) == LinkProfile(
        kind=LinkKind.SATELLITE,
        day_bytes=50_000_000,
        month_bytes=8_000_000_000,
        cap_bytes_per_s=64_000,
    )
    assert LinkProfile(month_bytes=300 * MEGABYTE).urgent_bytes == 2 * MEGABYTE
    assert not LinkProfile().is_metered
