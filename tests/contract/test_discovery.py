"""The discovery port: a twin in memory, broadcasts and zeroconf (air, broadcast, mdns, knock)."""

import itertools
import os
import queue
import socket
import threading
from collections.abc import Callable

import pytest
import zeroconf

from client.domain.clock import SystemClock
from sync.transport import broadcast
from sync.transport.air import MAX_CARD_BYTES, Air, Discovery, MemoryDiscovery, own_networks
from sync.transport.broadcast import BroadcastDiscovery, all_networks
from sync.transport.knock import Knock, knock
from sync.transport.mdns import MdnsDiscovery

LOOPBACK = "127.0.0.1"
EVERYBODY = "127.255.255.255"
PATIENCE_S = 30
CARDS = (b"a" * 60, b"b" * 70)

Make = Callable[[int], Discovery]


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def by_memory() -> Make:
    air = Air()
    return lambda number: MemoryDiscovery(air, f"10.0.0.{number}")


def by_broadcast() -> Make:
    port = free_port()
    return lambda _: BroadcastDiscovery(SystemClock(), port=port, targets=lambda: [EVERYBODY])


_names = itertools.count()


def by_zeroconf() -> Make:
    return lambda number: MdnsDiscovery(
        f"t{os.getpid()}-{next(_names)}", [f"127.0.0.{number + 1}"], [LOOPBACK]
    )


class Ear:
    """Hears, and waits for what it wants to hear."""

    def __init__(self) -> None:
        self.heard: queue.Queue[tuple[str, bytes]] = queue.Queue()

    def __call__(self, host: str, card: bytes) -> None:
        self.heard.put((host, card))

    def until(self, card: bytes) -> str:
        while True:
            host, found = self.heard.get(timeout=PATIENCE_S)
            if found == card:
                return host


@pytest.mark.parametrize("way", [by_memory, by_broadcast, by_zeroconf])
def test_di1_two_hear_each_other_and_nobody_hears_himself(way):
    """DI1, DI2"""
    make = way()
    ways, ears = [make(1), make(2)], [Ear(), Ear()]
    try:
        for one, card, ear in zip(ways, CARDS, ears, strict=True):
            one.start(card, ear)
        assert ears[0].until(CARDS[1])
        assert ears[1].until(CARDS[0])
        ways[0].call()
    finally:
        for one in ways:
            one.close()
            one.close()
    assert CARDS[0] not in {card for _, card in ears[0].heard.queue}


@pytest.mark.parametrize("way", [by_memory, by_broadcast])
def test_di2_who_closed_is_heard_no_more_and_calling_is_no_error(way):
    """DI2"""
    make = way()
    first, second = make(1), make(2)
    first.close()
    first.call()
    ear = Ear()
    second.start(CARDS[1], ear)
    second.call()
    second.close()
    assert ear.heard.empty()


def test_di2_zeroconf_may_be_closed_before_it_began_and_where_there_is_no_network(monkeypatch):
    """DI2"""
    early = MdnsDiscovery("early", [LOOPBACK], [LOOPBACK])
    early.close()
    early.start(CARDS[0], Ear())
    early.close()

    def nowhere(**_: object) -> None:
        raise OSError

    monkeypatch.setattr(zeroconf, "Zeroconf", nowhere)
    none = MdnsDiscovery("none", [LOOPBACK])
    none.start(CARDS[0], Ear())
    none.call()
    none.close()


class Wire:
    """A socket in the air of broadcasts that says what a test wants."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.wire.settimeout(PATIENCE_S)
        self.wire.bind((LOOPBACK, 0))

    def say(self, data: bytes) -> None:
        self.wire.sendto(data, (LOOPBACK, self.port))


def test_di1_what_is_no_card_is_not_handed_on_and_only_questions_are_answered():
    """DI1, BC1: one answer in a second, and none that is much longer than its question."""
    port, ear, listens = free_port(), Ear(), threading.Event()

    def nobody() -> tuple[str, ...]:
        listens.set()
        return ()

    way = BroadcastDiscovery(SystemClock(), port=port, host=LOOPBACK, targets=nobody)
    wire = Wire(port)
    way.start(b"x" * 200, ear)
    try:
        assert listens.wait(PATIENCE_S)
        mark = b"TKNEAR1"
        for data in (b"", b"other", mark, mark + b"?", mark + b"?" + bytes(MAX_CARD_BYTES + 1)):
            wire.say(data)
        wire.say(mark + b"?" + b"short")
        assert ear.until(b"short") == LOOPBACK
        assert ear.heard.empty()
        wire.say(mark + b"." + b"y" * 200)
        ear.until(b"y" * 200)
        wire.say(mark + b"?" + b"z" * 200)
        assert wire.wire.recv(999) == mark + b"." + b"x" * 200
        wire.say(mark + b"?" + b"q" * 200)
        ear.until(b"q" * 200)
        wire.wire.settimeout(0)
        with pytest.raises(BlockingIOError):
            wire.wire.recv(999)
    finally:
        way.close()
        wire.wire.close()


def test_bc1_only_so_many_addresses_are_remembered(monkeypatch):
    """BC1"""
    monkeypatch.setattr(broadcast, "_REMEMBERED", 2)
    way = BroadcastDiscovery(SystemClock())
    assert [way._may(host) for host in "abca"] == [True] * 4
    assert [way._may(host) for host in "ac"] == [False, False]


def test_a_network_that_is_not_there_is_no_error():
    """DI2: nor one that forbids broadcasts."""
    way = BroadcastDiscovery(SystemClock(), host="192.0.2.77")
    way.start(b"c", Ear())
    way.close()
    assert all_networks()[-1] == "255.255.255.255"
    assert not any(one.is_loopback for one in own_networks())


def test_a_door_is_open_or_refuses():
    with socket.create_server((LOOPBACK, 0)) as server:
        port = server.getsockname()[1]
        assert knock(LOOPBACK, port) is Knock.OPEN
    assert knock(LOOPBACK, port) is Knock.REFUSED
    assert knock("no such host.", 1) is Knock.SILENT
