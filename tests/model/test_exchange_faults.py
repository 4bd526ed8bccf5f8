"""Any fault between rooms and a hub: nothing is lost, and peace follows (sync.engine.exchange).

Rooms write, begin new logs, are copied and set back; every request and every reply may be dropped,
repeated, cut short, garbled, answered by somebody else or contradicted by a hub that lies. When the
faults stop, all hold what a list outside of the stores says was written, and an exchange is one
request.
"""

import dataclasses
import random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from client.domain.canon import encode
from client.domain.errors import UnreachableError
from client.domain.ids import EventId
from client.domain.record.log import Taken
from client.domain.record.vector import EMPTY, Stretch, Vector
from client.store.keyfile import verify
from sync.engine import exchange
from sync.protocol.exchange import Status, open_reply, pack_reply
from tests.exchange_world import Room, at_hub
from tests.hub_world import Hub

HTML = b"<html><body>please log in</body></html>"


class Road:
    """A carrier that does its worst while `is_bad`."""

    def __init__(self, room: Room, dice: random.Random) -> None:
        self.room, self.dice = room, dice
        self.is_bad = True
        self.old: list[bytes] = []

    def __call__(self, envelope: bytes) -> bytes:  # noqa: C901 - a table of faults
        answer = self.room.hub.responder.answer
        if not self.is_bad:
            return answer(envelope)
        if self.dice.randrange(10) == 0:
            raise UnreachableError("unreachable")
        reply = answer(envelope)
        match self.dice.randrange(9):
            case 0:
                raise UnreachableError("cut_off")
            case 1:
                reply = answer(envelope)
            case 2:
                reply = reply[: self.dice.randrange(60)]
            case 3:
                garbled = bytearray(reply)
                garbled[self.dice.randrange(len(reply))] ^= 1 << self.dice.randrange(8)
                reply = bytes(garbled)
            case 4:
                reply = HTML
            case 5 if self.old:
                reply = self.dice.choice(self.old)
            case 6:
                reply = self.lie(envelope)
            case _:
                self.old.append(reply)
        return reply

    def lie(self, envelope: bytes) -> bytes:
        """Have the hub sign what is not so."""
        hub = self.room.hub
        true = open_reply(hub.responder.answer(envelope), envelope, hub.key.public_key, verify)
        pens = self.room.pens
        pen = self.dice.choice(pens)
        event = self.dice.choice(pen.events)
        heads = (
            Stretch(writer=pen.writer, seq=event.seq, head=event.id),
            Stretch(writer=pen.writer, seq=99, head=EventId(self.dice.randbytes(16))),
        )
        change = self.dice.choice(
            [
                {"have": Vector(open=heads[:1], closed_digest=EMPTY.closed_digest)},
                {"have": Vector(open=heads[1:], closed_digest=EMPTY.closed_digest)},
                {"have": self.dice.randbytes(16)},
                {"have": EMPTY},
                {"have": self.room.log.vector()},
                {"status": self.dice.choice(list(Status))},
                {"segments": (encode([1]), HTML)},
                {"codes": tuple(self.dice.choice(list(Taken)) for _ in true.codes)},
                {"codes": (Taken.STORED,)},
            ]
        )
        return pack_reply(dataclasses.replace(true, **change), hub.key)


def disturb(dice: random.Random, rooms: list[Room]) -> None:
    room = dice.choice(rooms)
    match dice.randrange(8):
        case 0 | 1 | 2:
            room.write(dice.randrange(400))
        case 3:
            room.rotate()
        case 4:
            room.pen.add_raw(9000 + dice.randrange(9), 3, encode([[], b"from a later version"]))
        case 5 if len(rooms) < 4:
            room.seal()
            rooms.append(copied(room, dice))
        case _:
            room.try_sync()


def copied(room: Room, dice: random.Random) -> Room:
    """Copy a machine with all it knows; both go on."""
    twin = Room(room.hub, key=room.key, machine=dice.randbytes(8))
    twin.pens = [pen.clone() for pen in room.pens]
    twin.memory.blob = room.memory.blob
    twin.log.take(tuple(room.log.segments))
    twin.carrier = Road(twin, dice)
    return twin


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 1 << 32), portion=st.sampled_from([1, 600, 1 << 18]))
def test_any_faults_lose_nothing_and_end_in_peace(seed, portion):
    """EX1, EX2, EX3, EX4, B1, B2."""
    dice = random.Random(seed)
    hub = Hub()
    rooms = [Room(hub), Room(hub)]
    for room in rooms:
        room.carrier = Road(room, dice)
    before, exchange.MAX_PUSH_BYTES = exchange.MAX_PUSH_BYTES, portion
    try:
        for _ in range(dice.randrange(5, 40)):
            disturb(dice, rooms)
            if not dice.randrange(25):
                hub.logs.by_site.clear()
        everything = set().union(*(room.written() for room in rooms))
        for room in rooms:
            room.carrier.is_bad = False
        make_peace(rooms)
        refused = any(room.refused for room in rooms)
        assert refused or all(room.events() == everything for room in rooms)
        assert refused or at_hub(hub).keys() == everything
        assert all(room.written() <= room.events() for room in rooms)
        for room in rooms:
            assert room.sync().requests == 1
    finally:
        exchange.MAX_PUSH_BYTES = before


def make_peace(rooms: list[Room]) -> None:
    for _ in range(3):
        for room in rooms:
            for _ in range(4):
                room.sync()
