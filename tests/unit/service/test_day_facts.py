"""Which sittings are today's, and what a person's word means (client.service.day_facts)."""

from datetime import UTC, datetime

import pytest

from client.domain.ids import ClassId, SittingId
from client.domain.record.dates import NEVER, Dated, Quality
from client.domain.record.facts import SittingRow
from client.service.day_facts import local, todays, told_moment

NOON = int(datetime(2027, 5, 18, 4, tzinfo=UTC).timestamp() * 1000)
DAY = 86_400_000


def sure(days: int) -> Dated:
    at = NOON + days * DAY
    return Dated(earliest_ms=at, latest_ms=at, quality=Quality.CLOCK)


def row(name: str, day: int, opened: Dated) -> SittingRow:
    return SittingRow(
        sitting=SittingId(name),
        class_ids=(ClassId("c3"),),
        lesson=None,
        day=day,
        period=1,
        lesson_period=0,
        opened=opened,
        how=None,
        screen_s=0,
    )


@pytest.mark.parametrize(
    ("rows", "now", "expected"),
    [
        # Sure dates: the date decides, whatever slot it stood in.
        ([("a", 2, sure(-7)), ("b", 2, sure(0)), ("c", 0, sure(0))], sure(0), "bc"),
        ([("a", 2, sure(0)), ("b", 3, sure(1)), ("c", 2, sure(0))], sure(0), "ac"),
        # Nobody knows the date: the newest of this weekday, and not those of a week ago.
        ([("a", 2, NEVER), ("b", 3, NEVER), ("c", 2, NEVER), ("d", 2, NEVER)], NEVER, "cd"),
        ([("a", 2, NEVER), ("b", 0, NEVER)], NEVER, "ab"),
        ([("a", 3, NEVER)], NEVER, ""),
        # The time is known now, and was not this morning.
        ([("a", 2, NEVER), ("b", 2, sure(0))], sure(0), "ab"),
        ([("a", 2, NEVER), ("b", 2, sure(-7)), ("c", 2, NEVER)], sure(0), "c"),
        # It was known this morning, and is not now.
        ([("a", 3, sure(-6)), ("b", 2, sure(0))], NEVER, "b"),
        ([], sure(0), ""),
    ],
)
def test_the_sittings_of_today(rows, now, expected):
    """T3"""
    found = todays([row(*one) for one in rows], now, 2)
    assert "".join(one.sitting for one in found) == expected


@pytest.mark.parametrize("day", range(1, 8))
def test_what_was_told_is_that_day_of_some_week(day):
    at, around = told_moment(day, 8 * 60 + 30)
    moment = local(at)
    assert (moment.isoweekday(), moment.hour, moment.minute) == (day, 8, 50)
    assert around == 80 * 60_000


def test_a_period_without_a_bell_may_be_at_any_school_hour():
    at, around = told_moment(1, None)
    first, last = local(at - around), local(at + around)
    assert (first.hour, last.hour) == (7, 18)
    assert first.date() == last.date()
