"""A room's side of an exchange (sync.engine.exchange, sync.engine.belief)."""

import dataclasses
from concurrent.futures import Future

import pytest

from client.domain.cancel import CancelToken
from client.domain.canon import decode_array, encode
from client.domain.errors import Cancelled, ProtocolError, UnreachableError
from client.domain.ids import EventId
from client.domain.record.log import Taken
from client.domain.record.vector import EMPTY, Stretch, Vector, vector
from client.store.keyfile import verify
from sync.engine import exchange
from sync.engine.belief import (
    NOTHING,
    Belief,
    acknowledged,
    pack_belief,
    read_belief,
    told,
    waiting,
)
from sync.engine.exchange import Exchanger, TimeSample, better, sample_of
from sync.hub import respond
from sync.protocol.exchange import (
    HubTime,
    Status,
    digest_of,
    open_reply,
    pack_reply,
    pack_request,
    read_request,
)
from tests.exchange_world import Room, at_hub, dark
from tests.fakes.memory_log import MemoryLog
from tests.hub_world import Hub
from tests.log_world import Key, Pen


def forged(room: Room, **changes) -> None:
    """Have the hub sign something else than what it would say."""

    def carrier(envelope: bytes) -> bytes:
        answer = room.hub.responder.answer(envelope)
        reply = open_reply(answer, envelope, room.hub.key.public_key, verify)
        return pack_reply(dataclasses.replace(reply, **changes), room.hub.key)

    room.carrier = carrier


def test_what_was_recorded_reaches_the_hub():
    hub = Hub()
    room = Room(hub).write(1, 2)
    outcome = room.sync()
    assert at_hub(hub).keys() == room.written()
    assert (outcome.pushed_events, outcome.pulled_events, outcome.is_agreed) == (3, 0, True)
    assert outcome.held == room.sync().held == room.log.vector().summary
    # Asked what is there, then pushed.
    assert outcome.requests == 2


def test_nothing_new_is_one_small_request():
    """EX3."""
    room = Room(Hub()).write(1)
    room.sync()
    for _ in range(30):
        Room(room.hub).write(2).sync()
    room.sync()
    outcome = room.sync()
    assert outcome.requests == 1
    assert outcome.pushed_bytes + outcome.pulled_bytes <= 360
    assert (outcome.pushed_events, outcome.pulled_events) == (0, 0)


def test_a_new_fact_is_one_request_once_the_hub_is_known():
    """EX3."""
    room = Room(Hub()).write(1)
    room.sync()
    outcome = room.write(2).sync()
    assert (outcome.requests, outcome.pushed_events) == (1, 1)


def test_what_others_wrote_comes_here():
    hub = Hub()
    one, other = Room(hub).write(1, 2), Room(hub).write(3)
    one.sync()
    outcome = other.sync()
    assert outcome.pulled_events == 3
    one.sync()
    assert one.events() == other.events() == set(at_hub(hub))
    assert one.sync().requests == other.sync().requests == 1


def test_a_long_backlog_takes_no_more_at_once_than_the_hub_does(monkeypatch):
    """EX5."""
    monkeypatch.setattr("sync.protocol.exchange.MAX_WORK", 600)
    hub = Hub()
    room = Room(hub)
    for number in range(1, 6):
        room.write(number).seal()
    outcome = room.sync()
    assert at_hub(hub).keys() == room.written()
    assert (outcome.is_agreed, outcome.notes) == (True, ())
    other = Room(hub)
    other.sync()
    assert other.events() == set(at_hub(hub))


def test_a_broken_exchange_goes_on_behind_the_last_acknowledged_segment(monkeypatch):
    """EX2."""
    hub = Hub()
    room = Room(hub)
    monkeypatch.setattr(exchange, "MAX_PUSH_BYTES", 1)
    for number in range(1, 6):
        room.write(number).seal()
    answered = 0

    def carrier(envelope: bytes) -> bytes:
        nonlocal answered
        answered += 1
        return dark(envelope) if answered > 3 else hub.responder.answer(envelope)

    room.carrier = carrier
    with pytest.raises(UnreachableError):
        room.sync()
    assert len(hub.logs.of(room.site).segments) == 2
    room.carrier, room.calls = None, []
    room.sync()
    pushed = [data for call in room.calls for data in read_request(call).segments]
    assert len(pushed) == 3
    assert at_hub(hub).keys() == room.written()


def test_a_lost_reply_costs_nothing_but_bytes():
    """EX2."""
    hub = Hub()
    room = Room(hub).write(1)

    def carrier(envelope: bytes) -> bytes:
        hub.responder.answer(envelope)
        raise UnreachableError("cut_off")

    room.sync()
    room.carrier = carrier
    with pytest.raises(UnreachableError):
        room.write(2).sync()
    room.carrier = None
    assert room.sync().pushed_events == 0
    assert at_hub(hub).keys() == room.written()
    assert room.sync().requests == 1


@pytest.mark.parametrize(
    "junk",
    [b"<html>log in</html>", b"", encode([b"", b""]), encode([encode([1]), bytes(64)])],
)
def test_a_stranger_in_between_is_no_network(junk):
    """EX1."""
    room = Room(Hub(), carrier=lambda _: junk)
    with pytest.raises(UnreachableError, match="not_the_hub"):
        room.sync()
    assert room.memory.load() == b""


def test_a_reply_to_another_request_is_not_believed():
    """EX1."""
    room = Room(Hub()).write(1)
    kept: list[bytes] = []

    def cache(envelope: bytes) -> bytes:
        kept.append(room.hub.responder.answer(envelope))
        return kept[0]

    room.carrier = cache
    with pytest.raises(UnreachableError, match="not_the_hub"):
        room.sync()


def test_nonsense_under_the_hubs_own_signature_is_its_fault():
    """EX1."""
    room = Room(Hub())
    body = encode([1, 99])
    signature = room.hub.key.sign(b"tongke/reply/1" + body)
    room.carrier = lambda _: encode([body, signature])
    with pytest.raises(ProtocolError, match="message_invalid"):
        room.sync()


def test_codes_for_other_segments_are_its_fault():
    room = Room(Hub()).write(1)
    forged(room, codes=(Taken.STORED,))
    with pytest.raises(ProtocolError, match="message_invalid"):
        room.sync()


def test_a_hub_that_was_restored_gets_back_what_it_lost():
    """B2."""
    hub = Hub()
    room = Room(hub).write(1)
    room.sync()
    room.write(2).sync()
    del hub.logs.by_site[room.site]
    outcome = room.sync()
    assert at_hub(hub).keys() == room.written()
    assert outcome.is_agreed
    assert room.sync().requests == 1


def test_a_restored_room_gets_back_what_it_lost():
    hub = Hub()
    room = Room(hub).write(1)
    room.sync()
    blob, events, segments = room.memory.blob, dict(room.log.events), dict(room.log.segments)
    room.write(2).sync()
    everything = room.written()
    for is_belief_restored in (True, False):
        room.log.events, room.log.segments = dict(events), dict(segments)
        if is_belief_restored:
            room.memory.blob = blob
        assert room.sync().pulled_events == 1
        assert room.events() == everything
        assert room.sync().requests == 1


def test_a_restored_hub_whose_copy_of_the_log_went_on_gets_back_what_it_lost():
    """B2: the other branch is longer, so its vector does not show that anything is lacking."""
    hub = Hub()
    room = Room(hub).write(1)
    room.sync()
    twin = Room(hub, key=room.key, machine=b"machine2")
    twin.pens = [room.pen.clone()]
    twin.log.take(tuple(room.log.segments))
    room.write(2).seal()
    (last,) = (run.events[-1] for run in room.log.segments.values() if run.events[-1].seq == 3)
    twin.write(3, 4).sync()
    acked = Stretch(writer=last.writer, seq=3, head=last.id, first=3)
    belief = dataclasses.replace(read_belief(room.memory.blob), sent=(acked,), agreed=None)
    room.memory.blob = pack_belief(belief)
    room.sync()
    assert at_hub(hub).keys() == room.events() == room.written() | twin.written()


def test_what_comes_in_portions_comes_in_one_exchange(monkeypatch):
    monkeypatch.setattr(respond, "MAX_PUSH_BYTES", 1)
    hub = Hub()
    other, room = Room(hub), Room(hub)
    for number in range(6):
        other.write(number).seal()
    other.sync()
    outcome = room.write(9).sync()
    assert (outcome.pulled_events, outcome.pushed_events) == (7, 2)
    assert outcome.is_agreed
    # Nothing is told back to the hub while it still gives.
    assert sum(len(read_request(call).segments) for call in room.calls) == 1


def test_copies_of_a_machine_all_reach_the_hub():
    hub = Hub()
    one = Room(hub).write(1)
    one.sync()
    two = Room(hub, key=one.key, machine=b"machine2")
    two.pens, two.memory.blob = [one.pen.clone()], one.memory.blob
    two.log.take(tuple(one.log.segments))
    one.write(2).sync()
    outcome = two.write(3, 4).sync()
    assert (outcome.pushed_events, outcome.pulled_events) == (2, 1)
    assert outcome.notes == ("key_on_two_machines",)
    one.sync()
    assert one.events() == two.events() == one.written() | two.written()


def test_a_machine_that_forgets_tells_no_old_log():
    hub = Hub()
    room = Room(hub)
    for number in range(40):
        room.rotate().write(number).sync()
    outcome = room.write(1).sync()
    assert outcome.requests == 1
    assert len(room.calls[-1]) < 500
    assert room.sync().requests == 1
    assert at_hub(hub).keys() == room.written()


def test_closed_logs_that_differ_are_told_in_full():
    hub = Hub()
    room, other = Room(hub), Room(hub)
    room.rotate().write(1).rotate().sync()
    other.log.take(tuple(room.log.segments)[1:], hub.logs.of(room.site).introductions(()))
    other.pens = []
    outcome = other.sync()
    assert other.events() == room.events()
    assert outcome.is_agreed


def test_a_log_with_a_closed_and_an_open_branch_comes_whole():
    """EX4: a hub that takes the closed branch for known sends the open one without its root."""
    hub = Hub()
    pen = Pen().write(1)
    begun, twin = pen.seal(), pen.clone()
    closed = pen.write(2).seal()
    later = Pen(pen.key.rotated(), after=(pen,)).seal()
    room = Room(hub).write(9)
    room.sync()
    room.log.take((later,)).result()
    hub.logs.of(room.site).take((begun, closed, later, twin.write(3).seal())).result()
    assert room.sync().is_agreed
    assert room.events() == set(at_hub(hub))
    assert room.sync().requests == 1


def test_new_rooms_get_closed_logs_without_being_asked_twice():
    hub = Hub()
    old = Room(hub).rotate().rotate()
    old.sync()
    new = Room(hub).write(1)
    outcome = new.sync()
    assert new.events() == set(at_hub(hub))
    assert outcome.requests <= 3
    assert new.sync().requests == 1


class Grudging(MemoryLog):
    """Answers one segment with the same code for as long as `grudge` stands."""

    def __init__(self, bad: bytes, code: Taken) -> None:
        super().__init__()
        self.grudge: tuple[bytes, Taken] | None = (bad, code)

    def _take(self, data: bytes, given) -> Taken:
        if self.grudge is not None and data == self.grudge[0]:
            return self.grudge[1]
        return super()._take(data, given)


def grudging(code: Taken) -> tuple[Room, Grudging, bytes]:
    """A room whose hub does not like its second segment of three."""
    room = Room(Hub())
    room.seal()
    first = set(room.log.segments)
    room.write(1).seal()
    (bad,) = set(room.log.segments) - first
    room.write(2).seal()
    hub = Grudging(bad, code)
    room.hub.logs.by_site[room.site] = hub
    return room, hub, bad


@pytest.mark.parametrize("code", [Taken.SIGNATURE_BAD, Taken.CHAIN_BROKEN, Taken.INVALID])
def test_a_damaged_segment_is_put_aside_told_and_not_offered_again(code):
    """EX5."""
    room, hub, bad = grudging(code)
    outcome = room.sync()
    assert room.refused == [(bad, code)]
    assert "segment_refused" in outcome.notes
    assert outcome.pushed_events == 2
    assert bad in room.log.segments
    assert room.write(3).sync().pushed_events == 1
    assert room.refused == [(bad, code)]
    assert room.sync().requests == 1
    assert hub.events.keys() < room.written()


@pytest.mark.parametrize("code", [Taken.DENIED, Taken.QUARANTINED, Taken.TOO_LARGE])
def test_a_segment_that_is_not_taken_now_is_offered_another_time(code):
    """EX5."""
    room, hub, _ = grudging(code)
    outcome = room.sync()
    assert "segment_not_taken" in outcome.notes
    assert outcome.pushed_events == 2
    assert outcome.is_agreed
    assert outcome.held == room.sync().held == b""
    assert room.sync().requests == 1
    hub.grudge = None
    room.write(3).sync()
    assert hub.events.keys() == room.written()


@pytest.mark.parametrize("lost", [1, 2, 3])
def test_logs_of_lost_keys_are_brought_in_one_exchange_by_their_heir(lost):
    """EX5: each is let in once the hub knows which log goes on from it."""
    hub = Hub()
    room = Room(hub)
    pens: list[Pen] = []
    for number in range(lost):
        pens.append(Pen(after=tuple(pens[-1:])).write(number))
    room.pens = [*pens, Pen(room.key, after=(pens[-1],)).write(9)]
    outcome = room.sync()
    assert at_hub(hub).keys() == room.written()
    assert outcome.is_agreed
    assert outcome.notes == ()
    assert outcome.requests <= 3 + lost
    assert room.sync().requests == 1


def cut_short(room: Room, twin: Room) -> None:
    """A copy of the room goes on; the room's key is lost with a fact that nobody can sign."""
    twin.log.take(tuple(room.log.segments))
    twin.pens = [room.pen.clone()]
    old = room.pen
    (*_, tail) = old.write(77).events
    room.log.events[tail.hash] = tail
    old.sealed = len(old.events)
    room.key = Key()
    room.hub.enrol(room.key)
    room.pens.append(Pen(room.key, after=(old,)))


@pytest.mark.parametrize("portion", [1, 300, 1 << 18])
@pytest.mark.parametrize("lessons", [1, 8])
def test_an_end_that_nobody_can_sign_holds_back_nothing(monkeypatch, portion, lessons):
    """EX4: the hub would wait for it before it gives what a copy of the disk wrote."""
    hub = Hub()
    room = Room(hub).write(1, 2)
    room.sync()
    for number in range(lessons):
        room.write(number).sync()
    twin = Room(hub, key=room.key, machine=b"machine2")
    cut_short(room, twin)
    for number in range(lessons):
        twin.write(100 + number).seal()
    twin.sync()
    monkeypatch.setattr(respond, "MAX_PUSH_BYTES", portion)
    outcome = room.sync()
    assert at_hub(hub).keys() <= room.events()
    assert outcome.is_agreed
    assert outcome.requests <= 6 + 3 * lessons
    assert room.sync().requests == 1
    twin.write(200).sync()
    room.write(3).sync()
    assert at_hub(hub).keys() <= room.events()
    assert room.sync().requests == 1


def test_a_full_hub_is_left_alone_until_the_next_time():
    """EX5."""
    room, hub, _ = grudging(Taken.FULL)
    outcome = room.sync()
    assert outcome.is_put_off
    assert not outcome.is_agreed
    assert "hub_full" in outcome.notes
    hub.grudge = None
    assert room.sync().pushed_events == 1
    assert hub.events.keys() == room.written()


class Small(MemoryLog):
    """Takes one segment at a time."""

    def take(self, segments, introductions=()):
        codes = super().take(segments[:1], introductions).result()
        answer: Future = Future()
        answer.set_result((*codes, *(Taken.FULL for _ in segments[1:])))
        return answer


def test_a_hub_that_takes_little_at_a_time_gets_it_in_portions():
    """EX5: full may also mean that it was too much for one request."""
    room = Room(Hub())
    hub = room.hub.logs.by_site[room.site] = Small()
    for number in range(5):
        room.write(number).seal()
    outcome = room.sync()
    assert (outcome.pushed_events, outcome.is_agreed, outcome.is_put_off) == (6, True, False)
    assert hub.events.keys() == room.written()


def test_a_full_hub_still_gives():
    room, _, _ = grudging(Taken.FULL)
    other = Room(room.hub).write(7)
    other.sync()
    assert room.sync().pulled_events == 2


def test_a_hub_that_lost_the_beginning_is_asked_anew():
    """B1."""
    hub = Hub()
    room = Room(hub).write(1)
    room.sync()
    belief = read_belief(room.memory.blob)
    del hub.logs.by_site[room.site]
    room.memory.blob = pack_belief(dataclasses.replace(belief, agreed=None))
    room.write(2).sync()
    assert at_hub(hub).keys() == room.written()


def test_a_writer_that_stays_unknown_holds_up_nothing():
    """EX5."""
    room, hub, _ = grudging(Taken.WRITER_UNKNOWN)
    assert room.sync().pushed_events == 2
    assert room.sync().requests == 1
    hub.grudge = None
    room.write(4).sync()
    assert hub.events.keys() == room.written()


def test_what_a_hub_gives_is_checked_like_anything_else():
    """EX5."""
    hub = Hub()
    room = Room(hub).write(1)
    *parts, _ = decode_array(Pen().seal())
    forged(room, segments=(encode([*parts, bytes(64)]), b"junk"))
    outcome = room.sync()
    assert "hub_segment_refused" in outcome.notes
    assert outcome.pulled_events == 0
    assert room.events() == room.written()
    assert outcome.requests <= 6
    room.carrier = None
    room.write(2).sync()
    assert at_hub(hub).keys() == room.written()
    assert room.sync().requests == 1


def test_acknowledgements_without_deed_are_found_out():
    """B2."""
    hub = Hub()
    room = Room(hub).write(1)
    room.sync()
    room.write(2).seal()

    def liar(envelope: bytes) -> bytes:
        request = read_request(envelope)
        answer = hub.responder.answer(_without_segments(room, envelope))
        reply = open_reply(answer, _without_segments(room, envelope), hub.key.public_key, verify)
        codes = (Taken.STORED,) * len(request.segments)
        lie = dataclasses.replace(reply, request=digest_of(envelope), codes=codes)
        return pack_reply(lie, hub.key)

    room.carrier = liar
    assert room.sync().requests <= 8
    room.carrier = None
    room.sync()
    assert at_hub(hub).keys() == room.written()


def _without_segments(room: Room, envelope: bytes) -> bytes:
    request = dataclasses.replace(read_request(envelope), segments=(), introductions=())
    return pack_request(request, room.hub.key.public_key, room.key)


@pytest.mark.parametrize(
    "have",
    [
        bytes(16),
        Vector(open=(), closed_digest=bytes(16)),
        Vector(
            open=(Stretch(writer=b"w" * 8, seq=9, head=EventId(b"h" * 16)),),
            closed_digest=EMPTY.closed_digest,
        ),
    ],
)
@pytest.mark.parametrize("status", list(Status))
def test_a_hub_that_tells_nonsense_gets_few_requests(have, status):
    """EX4."""
    hub = Hub()
    room = Room(hub).write(1)
    forged(room, have=have, status=status)
    for number in range(3):
        outcome = room.write(number).sync()
        assert outcome.requests <= 8
    room.carrier = None
    room.sync()
    assert at_hub(hub).keys() == room.written()
    assert room.sync().requests == 1


def test_a_hub_that_tells_more_than_it_gives_is_not_waited_for_for_ever():
    """EX4: of this very log it tells a head that nobody ever wrote."""
    hub = Hub()
    room = Room(hub).write(1)
    head = Stretch(writer=room.pen.writer, seq=99, head=EventId(b"h" * 16))
    forged(room, have=Vector(open=(head,), closed_digest=EMPTY.closed_digest), segments=())
    assert room.sync().requests <= 8
    assert at_hub(hub).keys() == room.written()


def test_a_backlog_of_many_messages_is_bounded(monkeypatch):
    """EX4."""
    monkeypatch.setattr(exchange, "MAX_PUSH_BYTES", 1)
    monkeypatch.setattr(exchange, "MAX_ROUNDS", 5)
    hub = Hub()
    room = Room(hub)
    for number in range(12):
        room.write(number).seal()
    assert room.sync().requests == 5
    while not (outcome := room.sync()).is_agreed:
        assert outcome.pushed_events > 0
    assert at_hub(hub).keys() == room.written()


def test_a_request_to_stop_is_met():
    room = Room(Hub()).write(1)
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        Exchanger(room.ports(), cancel).run()
    assert room.calls == []


# --- what is believed -----------------------------------------------------------------------


def a_stretch(seq: int, first: int = 1, writer: bytes = b"w" * 8) -> Stretch:
    return Stretch(writer=writer, seq=seq, head=EventId(bytes([seq]) * 16), first=first)


@pytest.mark.parametrize(
    "belief",
    [
        NOTHING,
        Belief(there=EMPTY, sent=(a_stretch(3),), refused=(a_stretch(5, 4),)),
        Belief(
            there=Vector(open=(a_stretch(9),), closed_digest=bytes(16)),
            agreed=(bytes(16), b"x" * 16),
        ),
    ],
)
def test_a_belief_is_kept_as_it_was(belief):
    assert read_belief(pack_belief(belief)) == belief


@pytest.mark.parametrize(
    "blob",
    [
        b"",
        b"\xff",
        encode([2]),
        encode([1, bytes(16), [], [], []]),
        encode([1, b"", [[1]], [], []]),
        encode([1, b"", [], [], [b"", b""]]),
    ],
)
def test_a_damaged_belief_is_none(blob):
    """B1."""
    assert read_belief(blob) == NOTHING


def test_acknowledgements_are_joined_only_along_one_branch():
    first = a_stretch(3)
    assert acknowledged((first,), a_stretch(5, 4), first.head + bytes(16)) == (a_stretch(5),)
    other = a_stretch(5, 4)
    assert acknowledged((first,), other, bytes(32)) == (first, other)
    stranger = a_stretch(5, 4, b"x" * 8)
    assert acknowledged((first,), stranger, first.head + bytes(16)) == (first, stranger)


def test_acknowledgements_count_until_a_vector_speaks_against_them():
    """B2."""
    belief = Belief(sent=(a_stretch(3), a_stretch(4, 1, b"x" * 8)))
    there = Vector(open=(a_stretch(3),), closed_digest=EMPTY.closed_digest)
    assert told(belief, there, EMPTY).sent == (a_stretch(3),)
    unknown = Vector(open=(a_stretch(2),), closed_digest=bytes(16))
    assert told(belief, unknown, EMPTY).sent == (a_stretch(4, 1, b"x" * 8),)


def test_closed_logs_are_recognised_by_their_digest():
    here = Vector(open=(), closed_digest=bytes(16), closed=(a_stretch(3),))
    digest = dataclasses.replace(here, closed=None)
    assert told(NOTHING, digest, here).there == here
    assert told(Belief(there=here), digest, EMPTY).there == here
    assert told(NOTHING, digest, EMPTY).there == digest


# --- the time ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hub", "back_ms", "sample"),
    [
        ((5000, 5100, 2000), 1700, TimeSample(mono_ms=1350, utc_ms=5050, err_ms=2301)),
        ((5000, 5000, 0), 1000, TimeSample(mono_ms=1000, utc_ms=5000, err_ms=1)),
        ((5000, 5100, -1), 1700, None),
        ((5100, 5000, 0), 1700, None),
        ((-9, 5000, 0), 9700, None),
        ((5000, 9000, 0), 1700, None),
    ],
)
def test_the_hubs_time_is_known_to_half_the_road(hub, back_ms, sample):
    came, left, err = hub
    told_by_hub = HubTime(came_ms=came, left_ms=left, err_ms=err)
    assert sample_of(told_by_hub, 1000, back_ms) == sample


def test_the_surer_sample_counts():
    sure = TimeSample(mono_ms=1, utc_ms=1, err_ms=5)
    vague = dataclasses.replace(sure, err_ms=50)
    assert better(None, sure) == better(sure, None) == sure
    assert better(sure, vague) == better(vague, sure) == sure
    assert better(None, None) is None


def test_an_exchange_hands_out_the_time():
    room = Room(Hub())
    assert room.sync().anchor == TimeSample(
        mono_ms=room.clock.boot_monotonic_ms(),
        utc_ms=int(room.hub.clock.wall().timestamp() * 1000),
        err_ms=2001,
    )


def test_what_waits_is_counted_from_what_is_believed():
    """A figure for people: all before the first word, nothing that was said to be held."""
    a, b, c = (bytes([n]) * 8 for n in (1, 2, 3))

    def stretch(writer, seq):
        return Stretch(writer=writer, seq=seq, head=EventId(bytes(16)))

    here = vector([stretch(a, 5), stretch(a, 4), stretch(b, 3)], [stretch(c, 2)])
    assert waiting(NOTHING, here) == 10
    some = Belief(sent=(stretch(a, 3),), refused=(stretch(b, 1),))
    assert waiting(some, here) == 2 + 2 + 2
    in_full = Belief(there=vector([stretch(a, 4), stretch(b, 9)]))
    assert waiting(in_full, here) == 1 + 0 + 2
    digest_alone = Belief(there=dataclasses.replace(in_full.there, closed=None))
    assert waiting(digest_alone, here) == 1
    assert waiting(digest_alone, dataclasses.replace(here, closed=None)) == 1
