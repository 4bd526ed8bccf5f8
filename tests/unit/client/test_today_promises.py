"""P3 of today_page with a plan: what a card and a day say of what only has to come."""

from dataclasses import replace

from client.domain.availability import Light, PartState
from client.domain.catalogue import Role
from client.service.api import CardAction, LinkView, Promise, Reason
from client.service.today_page import facts_of, promised
from tests.unit.client.test_today_page import (
    FAILED,
    READY,
    SLIDES,
    STEPS,
    detail,
    inputs,
    page,
    slot,
    view,
)
from tests.unit.client.test_today_service import clock, station

__all__ = ["clock", "station"]
TOLD = Promise(
    reason=Reason(code="plan_full", values=(("size_bytes", 7),)),
    arrives_ms=(1000, 2000),
    now_ms=500,
    missing_bytes=7,
)
LATE = replace(TOLD, is_in_time=False, reason=Reason(code="plan_late"))
ABSENT = facts_of(detail(view(Role.VIDEO, PartState.ABSENT)), 0)
HALF = facts_of(detail(view(Role.VIDEO, PartState.ABSENT), SLIDES), 0)


def test_only_what_just_has_to_come_is_promised():
    assert promised(ABSENT, TOLD).promise is TOLD
    assert promised(HALF, TOLD).promise is TOLD
    assert promised(READY, TOLD).promise is None
    broken = facts_of(detail(view(Role.VIDEO, PartState.ABSENT), FAILED), 0)
    assert promised(broken, TOLD).promise is None


def test_p3_a_red_card_downloads_in_time_and_takes_a_stick_when_late():
    for promise, action in ((TOLD, CardAction.FETCH), (LATE, CardAction.IMPORT)):
        made = page(inputs(slot(2, 1)), {STEPS[0]: promised(ABSENT, promise)})
        (card,) = [one for one in made.rows[0].cards if one is not None]
        assert (card.light, card.action, card.promise) == (Light.NOT_READY, action, promise)
        assert bool(made.needs_hand) is (action is CardAction.IMPORT)


def test_p1_a_green_card_makes_no_promise():
    made = page(inputs(slot(2, 1)), {STEPS[0]: replace(READY, promise=TOLD)})
    (card,) = [one for one in made.rows[0].cards if one is not None]
    assert (card.light, card.promise) == (Light.READY, None)


def test_a_day_says_when_its_last_lesson_is_here_and_what_misses_it():
    slots = (slot(3, 1), slot(3, 2), slot(3, 3), slot(3, 4))
    later = replace(TOLD, arrives_ms=(1500, 3000))
    facts = {
        STEPS[0]: promised(HALF, TOLD),
        STEPS[1]: promised(HALF, later),
        STEPS[2]: promised(ABSENT, LATE),
        STEPS[3]: READY,
    }
    link = LinkView(month_budget=100, month_spent=130)
    made = page(inputs(*slots, link=link), facts)
    (bar,) = made.upcoming
    assert (bar.coming, bar.late, bar.arrives_ms, bar.now_ms) == (2, 1, 3000, 500)
    assert made.month_left == 0
    unknown = {STEPS[0]: promised(HALF, replace(TOLD, arrives_ms=None)), **facts}
    unknown[STEPS[0]] = promised(HALF, replace(TOLD, arrives_ms=None))
    assert page(inputs(*slots), unknown).upcoming[0].arrives_ms is None
    assert page(inputs(*slots), unknown).month_left is None


def test_the_page_says_what_was_planned_last(station):
    before = station.today.page_now()
    assert before.month_left is None
    station.room.set_setting("link_month_mb", "100").result()
    station.agenda.look_now()
    assert station.today.page_now().month_left == 100_000_000
