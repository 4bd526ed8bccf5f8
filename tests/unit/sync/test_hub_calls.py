"""When to speak to which hub (sync.engine.hub_calls)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.engine.hub_calls import (
    LEAST_S,
    MOST_S,
    Call,
    Trigger,
    after_exchange,
    after_failure,
    first_call,
    next_hub,
    triggered,
    wait_s,
)

NOW = 1000.0
luck = st.floats(0, 1)


@given(luck)
def test_a_start_is_spread_over_half_a_minute(dice):
    assert NOW <= first_call(NOW, dice).at_s <= NOW + 30


@given(st.integers(-5, 1 << 40), luck)
def test_the_hub_says_when_within_bounds(next_s, dice):
    call = after_exchange(NOW, next_s, dice, is_complete=True)
    assert NOW + LEAST_S / 2 <= call.at_s <= NOW + MOST_S * 1.5
    assert not call.has_news


def test_what_the_hub_asks_for_is_spread_by_half():
    assert after_exchange(NOW, 1000, 0.0, is_complete=True).at_s == NOW + 500
    assert after_exchange(NOW, 1000, 1.0, is_complete=True).at_s == NOW + 1500


def test_a_backlog_goes_on_soon():
    call = after_exchange(NOW, 1000, 0.5, is_complete=False)
    assert (call.at_s, call.has_news) == (NOW + 5, True)


def test_failures_make_it_rarer():
    """HC1."""
    call, waits = Call(due_s=NOW), []
    for _ in range(14):
        call = after_failure(call, NOW, 0.0, 1.0)
        waits.append(call.at_s - NOW)
    assert waits[:4] == [5, 10, 20, 40]
    assert waits[-1] == 3600


@given(st.sampled_from(Trigger))
def test_a_hub_that_asked_to_be_left_alone_is(trigger):
    """HC1."""
    call = after_failure(Call(due_s=NOW), NOW, 600.0, 0.5)
    assert triggered(call, trigger, NOW).at_s == NOW + 600
    assert after_failure(call, NOW, 1e9, 0.5).at_s == NOW + 3600
    assert after_failure(call, NOW, 0.0, 0.5).at_s == NOW + 600


@pytest.mark.parametrize(
    ("trigger", "at_s", "while_failing_s"),
    [
        (Trigger.CLASS_ENDED, NOW, NOW + 900),
        (Trigger.WRITTEN, NOW + 60, NOW + 900),
        (Trigger.LINK, NOW, NOW),
        (Trigger.ASKED, NOW, NOW),
    ],
)
def test_what_happens_calls_earlier(trigger, at_s, while_failing_s):
    """HC1."""
    assert triggered(Call(due_s=NOW + 900), trigger, NOW).at_s == at_s
    failing = Call(due_s=NOW + 900, failures=3)
    called = triggered(failing, trigger, NOW)
    assert called.at_s == while_failing_s
    assert called.failures == (0 if called.at_s == NOW else 3)
    assert called.has_news is (trigger in (Trigger.CLASS_ENDED, Trigger.WRITTEN))


def test_more_facts_do_not_put_it_off():
    call = triggered(Call(due_s=NOW + 900), Trigger.WRITTEN, NOW)
    assert triggered(call, Trigger.WRITTEN, NOW + 50).at_s == NOW + 60


def test_hubs_are_called_in_turn():
    """HC2."""
    calls = {b"a": Call(due_s=NOW - 1), b"b": Call(due_s=NOW - 5), b"c": Call(due_s=NOW + 1)}
    assert next_hub(calls, NOW) == b"b"
    calls[b"b"] = after_exchange(NOW, 600, 0.5, is_complete=True)
    assert next_hub(calls, NOW) == b"a"
    del calls[b"a"]
    assert next_hub(calls, NOW) is None
    assert wait_s(calls, NOW) == 1
    assert wait_s(calls, NOW + 2) == 0
    assert wait_s({}, NOW) is None
