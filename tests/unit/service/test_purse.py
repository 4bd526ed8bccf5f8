"""PU1 to PU3 of purse: the ledger is durable before a byte is given away."""

from datetime import UTC, datetime

import pytest

from client.domain.clock import FrozenClock
from client.domain.metering import Metering
from client.domain.record.anchors import AnchorKind
from client.domain.road import Throughput
from client.domain.spend import MEGABYTE, Ledger, Purpose, Why
from client.service.paths import Profile
from client.service.purse import MOST_GRANT, read_ledger
from client.service.station import Station

NIGHT = datetime(2027, 5, 18, 21, 0)


@pytest.fixture
def clock():
    return FrozenClock(at=NIGHT.astimezone(UTC))


@pytest.fixture
def room(tmp_path, clock):
    opened = Station(Profile(tmp_path), clock)
    yield opened
    opened.close()


def limit(room, **texts):
    for name, text in texts.items():
        room.room.set_setting(name, text).result()


def kept(room) -> Ledger:
    return read_ledger(room.journal.local()["room.link.ledger.satellite"])


def test_pu1_grants_are_charged_before_they_are_given(room):
    limit(room, link_kind="satellite", link_budget_mb="50")
    purse = room.purse
    assert purse.take(Purpose.CONTENT, 1000) == 1000
    assert kept(room).total == 1000
    assert purse.take(Purpose.CONTENT, 1 << 30) == MOST_GRANT
    assert kept(room).total == 1000 + MOST_GRANT
    purse.give_back(Purpose.CONTENT, 500)
    assert purse.take(Purpose.CONTENT, 500) == 500
    assert kept(room).total == 1000 + MOST_GRANT


def test_a_budget_ends_at_its_byte_and_leaves_the_tenth_to_progress(room):
    limit(room, link_kind="satellite", link_budget_mb="2")
    purse, taken = room.purse, 0
    while piece := purse.take(Purpose.CONTENT, 300_000):
        taken += piece
    assert taken == 1_800_000
    assert purse.allowance(Purpose.CONTENT).why is Why.DAY
    while piece := purse.take(Purpose.PROGRESS, 1 << 20):
        taken += piece
    assert taken == 2_000_000


def test_an_unknown_day_that_becomes_known_ends_like_any_other(room, clock):
    limit(room, link_kind="satellite", link_budget_mb="50")
    right, clock.at = clock.at, datetime(2013, 1, 1, tzinfo=UTC)
    assert room.purse.take(Purpose.URGENT, 1000) == 1000
    clock.at = right
    assert room.purse.standing().ledger.day.used == 1000
    clock.advance(4 * 3600)
    assert room.purse.standing().ledger.day.used == 0


def test_pu2_a_grant_ends_with_its_allowance(room, clock):
    limit(room, link_kind="satellite", link_budget_mb="50", link_hours="20-22")
    purse = room.purse
    purse.take(Purpose.CONTENT, 1000)
    purse.give_back(Purpose.CONTENT, 1000)
    assert purse.allowance(Purpose.CONTENT).bytes == 45 * MEGABYTE
    assert purse.is_good(Purpose.CONTENT)
    clock.advance(3000)
    assert not purse.is_good(Purpose.CONTENT)
    assert purse.take(Purpose.CONTENT, 1000) == 0
    assert purse.allowance(Purpose.CONTENT).why is Why.HOURS
    assert purse.take(Purpose.PROGRESS, 1000) == 1000


def test_the_ledger_survives_library_and_program(tmp_path, clock):
    first = Station(Profile(tmp_path), clock)
    limit(first, link_kind="satellite", link_budget_mb="50")
    first.purse.take(Purpose.CONTENT, 5000)
    first.close()
    (tmp_path / "library.db").unlink()
    again = Station(Profile(tmp_path), clock)
    assert again.purse.standing().ledger.day.used == 5000
    again.close()


def test_each_kind_of_link_has_its_own_ledger(room):
    limit(room, link_kind="satellite", link_budget_mb="50")
    room.purse.take(Purpose.CONTENT, 5000)
    limit(room, link_kind="phone")
    assert room.purse.standing().ledger.total == 0
    assert room.purse.is_limited(Purpose.CONTENT)
    limit(room, link_kind="broadband", link_budget_mb="")
    assert not room.purse.is_limited(Purpose.CONTENT)
    assert room.purse.take(Purpose.CONTENT, 100) == 100
    assert room.purse.allowance(Purpose.CONTENT).bytes is None


def test_sl2_a_dead_clock_opens_a_little_every_day_that_the_machine_runs(room, clock):
    limit(room, link_kind="satellite", link_budget_mb="50", link_hours="20-6")
    clock.at = datetime(2013, 1, 1, tzinfo=UTC)
    days = []
    for _ in range(6):
        taken = 0
        while piece := room.purse.take(Purpose.URGENT, 1 << 22):
            taken += piece
        days.append(taken)
        for _ in range(25):
            clock.advance(3600)
            room.purse.allowance(Purpose.URGENT)
    assert days == [10_000_000, 0] * 3
    assert room.purse.take(Purpose.CONTENT, 1) == 0


@pytest.mark.parametrize("text", ["", "{", "[]", '{"day": 1}', '{"day": {"x": 1}, "month": {}}'])
def test_pu3_a_row_that_cannot_be_read_is_spent_until_a_day_begins(room, clock, text):
    limit(room, link_kind="satellite", link_budget_mb="50")
    room.room.set_local("link.ledger.satellite", text or "null").result()
    assert room.purse.take(Purpose.CONTENT, 1) == 0
    clock.advance(4 * 3600)
    assert room.purse.take(Purpose.CONTENT, 1) == 1


def test_a_hub_that_tells_the_time_opens_what_a_dead_clock_kept_shut(room, clock):
    limit(room, link_kind="satellite", link_budget_mb="50", link_hours="20-6")
    right = clock.at
    clock.at = datetime(2013, 1, 1, tzinfo=UTC)
    assert room.purse.allowance(Purpose.CONTENT).why is Why.UNSURE
    assert room.purse.take(Purpose.URGENT, 1 << 30) > 0
    told = room.journal.present().anchor(AnchorKind.HUB, int(right.timestamp() * 1000), 50)
    room.journal.note_anchor(told).result()
    room.room.set_setting("low_power", "on").result()
    assert room.purse.take(Purpose.CONTENT, 1000) == 1000


def test_pu2_what_was_granted_without_a_limit_is_worth_nothing_under_one(room):
    assert room.purse.take(Purpose.CONTENT, 1000) == 1000
    limit(room, link_kind="satellite", link_budget_mb="50")
    assert room.purse.allowance(Purpose.CONTENT).bytes == 45 * MEGABYTE
    room.purse.take(Purpose.CONTENT, 1000)
    assert kept(room).total == 1000


def test_pu2_nothing_is_charged_that_would_come_too_late(room, clock):
    limit(room, link_kind="satellite", link_budget_mb="50", link_hours="20-22")
    clock.advance(50 * 60 - 20)
    assert room.purse.take(Purpose.CONTENT, 1000) == 0
    assert room.purse.allowance(Purpose.CONTENT).bytes == 0
    assert room.purse.standing().ledger.total == 0


def test_pu2_a_grant_ends_earlier_on_a_slow_link(room, clock):
    limit(room, link_kind="satellite", link_budget_mb="50", link_hours="20-22")
    room.purse.measured(10_000, 10, 10)
    room.purse.take(Purpose.CONTENT, 1000)
    clock.advance(3600 - (1 << 20) / 1000 - 600 + 1)
    assert not room.purse.is_good(Purpose.CONTENT)


def test_md1_a_link_that_the_system_calls_metered_has_a_budget_of_its_own(room):
    room.purse.hear(Metering.METERED)
    assert room.purse.is_detected
    assert room.purse.allowance(Purpose.CONTENT).bytes == 45 * MEGABYTE
    assert room.agenda.look_now().link.is_detected
    room.purse.hear(Metering.FREE)
    assert room.purse.allowance(Purpose.CONTENT).bytes is None
    room.purse.hear(Metering.METERED)
    limit(room, link_budget_mb="10")
    assert not room.purse.is_detected
    assert room.purse.allowance(Purpose.CONTENT).bytes == 9 * MEGABYTE


def test_speed_is_learnt_and_kept(room):
    purse = room.purse
    assert purse.throughput() == Throughput()
    purse.measured(0, 10, 10)
    purse.measured(100, 0.5, 1)
    assert purse.throughput() == Throughput()
    purse.measured(1000, 10, 20)
    assert purse.throughput() == Throughput(bytes_per_s=100, lit_share=0.5)
    purse.measured(2000, 10, 10)
    assert purse.throughput() == Throughput(bytes_per_s=120, lit_share=0.6)
