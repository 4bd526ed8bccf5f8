"""The thread that owns a player."""

import threading

import pytest

from client.domain.errors import PlayerError
from client.media.pilot import Pilot


def _pilot(errors=None) -> Pilot:
    told = errors if errors is not None else []
    return Pilot("test-pilot", tick=lambda: None, failed=told.append)


def test_orders_run_in_order_and_a_newer_one_of_a_kind_replaces_the_waiting_one():
    """O1."""
    pilot = _pilot()
    ran: list[str] = []
    gate, done = threading.Event(), threading.Event()
    pilot.post("first", gate.wait)
    pilot.post("seek", lambda: ran.append("old"))
    pilot.post("rate", lambda: ran.append("rate"))
    pilot.post("seek", lambda: ran.append("new"))
    pilot.post("last", done.set)
    gate.set()
    assert done.wait(5)
    assert ran == ["rate", "new"]
    assert pilot.close(lambda: None, 5)


def test_the_last_order_runs_even_when_the_thread_was_asleep():
    """O2."""
    pilot = _pilot()
    asleep = threading.Event()
    pilot.post("a", asleep.set)
    assert asleep.wait(5)
    ran = threading.Event()
    assert pilot.close(ran.set, 5)
    assert ran.is_set()
    assert pilot.close(ran.set, 5)


def test_closing_does_not_wait_for_ever():
    """O2."""
    pilot = _pilot()
    stuck = threading.Event()
    entered = threading.Event()

    def hang() -> None:
        entered.set()
        stuck.wait()

    pilot.post("hang", hang)
    assert entered.wait(5)
    assert not pilot.close(lambda: None, 0.05)
    stuck.set()


def test_a_call_that_never_came_to_its_turn_is_refused_when_closing():
    """O2."""
    pilot = _pilot()
    gate, entered, waiting = threading.Event(), threading.Event(), threading.Event()

    def hang() -> None:
        entered.set()
        gate.wait()

    pilot.post("hang", hang)
    assert entered.wait(5)
    codes: list[str] = []

    def ask() -> None:
        waiting.set()
        try:
            pilot.call(lambda: None)
        except PlayerError as error:
            codes.append(error.code)

    asker = threading.Thread(target=ask)
    asker.start()
    assert waiting.wait(5)
    while not pilot._called:
        threading.Event().wait(0.001)
    pilot.close(lambda: None, 0.01)
    asker.join(5)
    gate.set()
    assert codes == ["player_closed"]


def test_a_call_gives_back_what_it_returns_or_raises():
    pilot = _pilot()
    assert pilot.call(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        pilot.call(lambda: 1 // 0)
    pilot.close(lambda: None, 5)
    with pytest.raises(PlayerError):
        pilot.call(lambda: 7)
    pilot.post("late", lambda: None)


def test_a_posted_order_that_fails_is_told():
    errors: list[PlayerError] = []
    pilot = _pilot(errors)
    done = threading.Event()

    def fail() -> None:
        raise PlayerError("media_unplayable")

    pilot.post("fail", fail)
    pilot.post("done", done.set)
    assert done.wait(5)
    assert [error.code for error in errors] == ["media_unplayable"]
    pilot.close(lambda: None, 5)


def test_a_tick_comes_when_it_asked_for():
    ticks: list[int] = []
    enough = threading.Event()

    def tick() -> float | None:
        ticks.append(1)
        if len(ticks) >= 3:
            enough.set()
            return None
        return 0.001

    pilot = Pilot("test-pilot", tick=tick, failed=lambda _error: None)
    assert enough.wait(5)
    pilot.close(lambda: None, 5)
