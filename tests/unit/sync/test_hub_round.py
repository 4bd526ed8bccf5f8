"""Calling all hubs in turn (sync.engine.hub_round), and the supervisor that lends its thread."""

import threading
from dataclasses import replace

import pytest

from client.domain.cancel import CancelToken
from client.domain.clock import FrozenClock
from client.domain.errors import BusyError, Cancelled, UnreachableError
from client.service.hubs import KnownHub
from sync.engine.exchange import Outcome
from sync.engine.hub_calls import Trigger
from sync.engine.hub_round import HubRound

DONE = Outcome(next_s=600, is_agreed=True)


def a_hub(name: bytes) -> KnownHub:
    return KnownHub(
        key=name * 32, url="http://hub", authority=b"", site=bytes(8), school="", name=""
    )


class FakeLink:
    """Does what `will` says."""

    def __init__(self) -> None:
        self.will: list[object] = []
        self.calls = self.closed = 0
        self.meanwhile = lambda: None

    def exchange(self, cancel: CancelToken) -> Outcome:
        cancel.check()
        self.calls += 1
        self.meanwhile()
        did = self.will.pop(0) if self.will else DONE
        if isinstance(did, Exception):
            raise did
        return did

    def close(self) -> None:
        self.closed += 1


class World:
    def __init__(self, *names: bytes) -> None:
        self.hubs = [a_hub(name) for name in names]
        self.links = {hub.key: FakeLink() for hub in self.hubs}
        self.clock = FrozenClock()
        self.round = HubRound(
            lambda: self.hubs, lambda hub: self.links[hub.key], self.clock, luck=lambda: 0.5
        )

    def link(self, name: bytes) -> FakeLink:
        return self.links[name * 32]

    def call(self) -> bool:
        return self.round.call(CancelToken())

    def until_due(self) -> float:
        wait = self.round.wait_s()
        assert wait is not None
        self.clock.advance(wait)
        return wait


def test_without_hubs_there_is_nothing_to_do():
    world = World()
    assert world.round.wait_s() is None
    assert not world.call()
    world.round.close()


def test_a_hub_that_moved_is_called_at_its_new_address():
    world = World(b"a")
    world.until_due()
    assert world.call()
    world.hubs[0] = replace(world.hubs[0], url="http://moved")
    old, new = world.link(b"a"), FakeLink()
    world.links[world.hubs[0].key] = new
    world.until_due()
    assert world.call()
    assert (old.calls, old.closed, new.calls, new.closed) == (1, 1, 1, 0)


def test_a_hub_is_called_in_its_time():
    world = World(b"a")
    assert world.until_due() == 15
    assert world.call()
    assert world.until_due() == 600
    assert world.link(b"a").calls == 1


def test_what_is_not_complete_goes_on_soon():
    world = World(b"a")
    world.link(b"a").will = [Outcome(next_s=600)]
    world.until_due()
    assert world.call()
    assert world.until_due() == 5


@pytest.mark.parametrize(
    "failure", [UnreachableError("unreachable"), Outcome(is_put_off=True), ZeroDivisionError()]
)
def test_failures_are_waited_out(failure):
    """HR1."""
    world = World(b"a")
    world.link(b"a").will = [failure, failure]
    waits = []
    for _ in range(2):
        world.until_due()
        world.call()
        waits.append(world.round.wait_s())
    assert waits == [3.75, 7.5]
    world.round.link_up()
    assert world.round.wait_s() == 0
    assert world.call()


def test_a_busy_hub_is_left_alone_as_long_as_it_asks():
    world = World(b"a")
    world.link(b"a").will = [BusyError("busy", {"retry_after_s": 90})]
    world.until_due()
    assert not world.call()
    world.round.tell(Trigger.ASKED)
    assert world.round.wait_s() == 90


def test_hubs_take_turns_and_one_that_fails_holds_up_no_other():
    world = World(b"a", b"b")
    world.link(b"a").will = [UnreachableError("unreachable")] * 9
    world.until_due()
    assert {world.call(), world.call()} == {True, False}
    assert world.link(b"b").calls == 1


def test_facts_written_during_an_exchange_are_not_forgotten():
    world = World(b"a")
    world.link(b"a").meanwhile = lambda: world.round.tell(Trigger.CLASS_ENDED)
    world.until_due()
    assert world.call()
    assert world.round.wait_s() == 60


@pytest.mark.parametrize("trigger", [Trigger.ASKED, Trigger.LINK])
@pytest.mark.parametrize("did", [DONE, UnreachableError("unreachable")])
def test_who_asks_during_an_exchange_gets_one_of_their_own(trigger, did):
    world = World(b"a")
    link = world.link(b"a")
    link.meanwhile, link.will = lambda: world.round.tell(trigger), [did]
    world.until_due()
    world.call()
    link.meanwhile = lambda: None
    assert world.until_due() == 0
    assert world.call()
    assert world.until_due() > 60


def test_hubs_come_and_go():
    world = World(b"a")
    world.until_due()
    world.call()
    world.hubs.append(a_hub(b"b"))
    world.links[b"b" * 32] = FakeLink()
    world.round.look_again()
    assert world.until_due() == 15
    assert world.call()
    assert world.link(b"b").calls == 1
    world.hubs.pop()
    world.round.look_again()
    assert world.round.wait_s() == 585


def test_a_request_to_stop_passes_through():
    """HR1."""
    world = World(b"a")
    world.until_due()
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        world.round.call(cancel)


def test_the_last_word_is_what_no_hub_has_got():
    """HR2."""
    world = World(b"a", b"b", b"c")
    for _ in range(3):
        world.clock.advance(30)
        world.call()
    world.round.tell(Trigger.WRITTEN)
    world.link(b"b").will = [UnreachableError("unreachable")]
    world.clock.advance(60)
    for _ in range(3):
        world.call()
    world.round.tell(Trigger.WRITTEN)
    world.round.close()
    assert [world.link(name).calls for name in (b"a", b"b", b"c")] == [3, 2, 3]
    assert [world.link(name).closed for name in (b"a", b"b", b"c")] == [1, 1, 1]


def test_the_last_word_does_not_take_long(monkeypatch):
    """HR2."""
    monkeypatch.setattr("sync.engine.hub_round._LAST_WORD_S", 0.01)
    world = World(b"a")
    gate = threading.Event()

    def wait(cancel: CancelToken) -> Outcome:
        while not gate.wait(0.01):
            cancel.check()
        return DONE

    world.link(b"a").exchange = wait
    world.round.close()
    assert world.link(b"a").closed == 1
