"""One exchange as the hub sees it (sync.hub.respond, sync.hub.ports)."""

from concurrent.futures import Future

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from client.domain.canon import decode_array, encode
from client.domain.errors import BusyError, ClassroomError, StorageFullError
from client.domain.record.log import Introduction, Taken
from client.domain.record.vector import EMPTY, Vector
from sync.hub.ports import Role
from sync.hub.respond import LATEST_S, SOONEST_S, TWO_MACHINES, Policy, next_s
from sync.protocol.exchange import Status
from tests.fakes.memory_log import MemoryLog
from tests.hub_world import OTHER_SITE, SITE, Hub, Room
from tests.log_world import Key, Pen


def school(*, role: Role = Role.ROOM) -> tuple[Hub, Room]:
    hub = Hub()
    room = Room(hub)
    hub.enrol(room.key, role=role)
    return hub, room


def full(vector: Vector) -> Vector:
    """As it is told: closed logs as a digest."""
    return Vector(open=vector.open, closed_digest=vector.closed_digest)


def refused(room: Room, *args, **kwargs) -> str:
    with pytest.raises(ClassroomError) as caught:
        room.say(*args, **kwargs)
    return caught.value.code


def test_nothing_to_do_is_one_small_reply():
    _, room = school()
    envelope = room.ask()
    reply = room.say()
    assert (reply.status, reply.have, reply.segments) == (Status.DONE, EMPTY.summary, ())
    answer = room.hub.responder.answer(envelope)
    assert len(envelope) + len(answer) <= 350


def test_what_a_room_brings_is_kept_and_acknowledged():
    """H2."""
    hub, room = school()
    pen = Pen(room.key).write(1, 2)
    data = pen.seal()
    room.log.take((data,))
    reply = room.say(None, data)
    assert reply.codes == (Taken.STORED,)
    assert reply.status is Status.DONE
    assert hub.logs.of(SITE).vector() == room.log.vector()


def test_the_same_again_changes_nothing():
    """H4."""
    hub, room = school()
    data = Pen(room.key).write(1).seal()
    room.log.take((data,))
    envelope = room.ask(None, data)
    hub.responder.answer(envelope)
    before = hub.logs.of(SITE).vector(), hub.directory.nodes()
    hub.responder.answer(envelope)
    assert (hub.logs.of(SITE).vector(), hub.directory.nodes()) == before


class RefusingLog(MemoryLog):
    """A disk that is full."""

    def take(self, segments, introductions=()):
        failed: Future = Future()
        failed.set_exception(StorageFullError("disk_full"))
        return failed


def test_nothing_is_acknowledged_that_did_not_reach_the_disk():
    """H2."""
    hub, room = school()
    hub.logs.by_site[SITE] = RefusingLog()
    assert refused(room, None, Pen(room.key).seal()) == "disk_full"


def test_strangers_and_lost_machines_are_refused():
    """H1."""
    hub, room = school()
    stranger = Room(hub)
    data = Pen(stranger.key).seal()
    assert refused(stranger, None, data) == "node_unknown"
    hub.directory.revoke(hub.directory.nodes()[0].name)
    assert refused(room, None, data) == "node_revoked"
    assert hub.logs.of(SITE).vector() == EMPTY


def test_a_forged_request_does_nothing():
    """H1."""
    hub, room = school()
    thief = Room(hub, key=Key(), machine=b"thief-pc")
    data = Pen(room.key).seal()
    body, _ = decode_array(room.ask(None, data))
    _, signature = decode_array(thief.ask(None, data))
    with pytest.raises(ClassroomError, match="signature_bad"):
        hub.responder.answer(encode([body, signature]))
    assert hub.logs.of(SITE).vector() == EMPTY
    assert hub.directory.nodes()[0].machines == ()


def test_a_room_reaches_its_own_school_only():
    """H1."""
    hub, room = school()
    hub.logs.of(OTHER_SITE).take((Pen().seal(),))
    room.site = OTHER_SITE
    assert refused(room, EMPTY) == "site_denied"


def test_a_room_brings_logs_of_enrolled_keys_only():
    """H3."""
    hub, room = school()
    neighbour, stranger, elsewhere = Key(), Key(), Key()
    hub.enrol(neighbour)
    hub.enrol(elsewhere, OTHER_SITE)
    segments = [Pen(key).seal() for key in (neighbour, stranger, elsewhere, room.key)]
    codes = room.say(EMPTY, *segments, b"nothing").codes
    assert codes == (Taken.STORED, Taken.DENIED, Taken.DENIED, Taken.STORED, Taken.INVALID)
    assert len(hub.logs.of(SITE).vector().open) == 2


def test_a_log_of_a_lost_key_is_brought_by_its_successor():
    """H3: what an enrolled key goes on from is let in, once the hub knows of it."""
    hub, room = school()
    lost = Pen().write(1)
    lost_too = Pen(after=(lost,)).write(2)
    heir = Pen(room.key, after=(lost_too,))
    past = [lost.seal(), lost_too.seal()]
    assert room.say(EMPTY, *past).codes == (Taken.DENIED, Taken.DENIED)
    assert room.say(EMPTY, heir.seal()).codes == (Taken.STORED,)
    assert room.say(EMPTY, *past).codes == (Taken.DENIED, Taken.STORED)
    assert room.say(EMPTY, *past).codes == (Taken.STORED, Taken.HELD)
    assert hub.directory.owner(SITE, lost.writer) == lost.key.public_key


def test_a_log_of_a_lost_key_may_come_without_its_beginning():
    """H3."""
    _, room = school()
    lost = Pen().write(1)
    lost.sealed = 1
    one = Introduction(public_key=lost.key.public_key, nonce=lost.key.nonce)
    data = lost.seal()
    assert room.say(EMPTY, data, introductions=(one,)).codes == (Taken.DENIED,)
    room.say(EMPTY, Pen(room.key, after=(lost,)).seal())
    assert room.say(EMPTY, data, introductions=(one,)).codes == (Taken.STORED,)


def test_a_stranger_does_not_let_himself_in():
    """H3: neither by naming his own logs, nor by what another school says, nor a revoked key."""
    hub, room = school()
    elsewhere, thief = Room(hub, site=OTHER_SITE), Room(hub)
    hub.enrol(elsewhere.key, OTHER_SITE)
    lost = hub.enrol(thief.key)
    stranger = Pen().write(1)
    friend = Pen(after=(stranger,))
    stolen = Pen(thief.key.rotated())
    hub.directory.revoke(lost.name)
    assert elsewhere.say(EMPTY, Pen(elsewhere.key, after=(stranger,)).seal()).codes == (
        Taken.STORED,
    )
    assert room.say(EMPTY, Pen(room.key, after=(stolen,)).seal()).codes == (Taken.STORED,)
    segments = [friend.seal(), stranger.seal(), stolen.seal()]
    assert room.say(EMPTY, *segments).codes == (Taken.DENIED,) * 3
    assert [one.writer for one in hub.logs.of(SITE).vector().open] != []
    assert stranger.writer not in {one.writer for one in hub.logs.of(SITE).vector().open}


def test_a_room_cannot_go_on_from_logs_without_end(monkeypatch):
    """H3: what it says it goes on from counts against the same bound as its own logs."""
    monkeypatch.setattr("sync.hub.ports.MAX_LOGS", 5)
    hub, room = school()
    past = [Pen() for _ in range(60)]
    heir = Pen(room.key, after=tuple(past)).seal()
    assert room.say(EMPTY, heir).codes == (Taken.STORED,)
    codes = room.say(EMPTY, *(one.seal() for one in past)).codes
    assert (codes.count(Taken.STORED), codes.count(Taken.FULL)) == (4, 56)
    known = hub.logs.of(SITE).vector()
    assert len((*known.open, *known.closed)) == 5


def test_a_hub_vouches_for_what_it_brings_and_a_room_may_go_on_with_it():
    """H3."""
    hub, county = school(role=Role.HUB)
    room, pen = Room(hub), Pen()
    hub.enrol(room.key)
    assert county.say(EMPTY, pen.seal()).codes == (Taken.STORED,)
    assert room.say(EMPTY, pen.write(1).seal()).codes == (Taken.STORED,)


def test_a_revoked_key_writes_nothing_more_whoever_brings_it():
    """H3."""
    hub, county = school(role=Role.HUB)
    lost = Key()
    name = hub.enrol(lost).name
    pen = Pen(lost)
    assert county.say(EMPTY, pen.seal()).codes == (Taken.STORED,)
    hub.directory.revoke(name)
    fresh = Pen(lost.rotated()).seal()
    assert county.say(EMPTY, pen.write(1).seal(), fresh).codes == (Taken.DENIED, Taken.DENIED)


def test_a_log_without_its_beginning_needs_an_introduction():
    """H3."""
    _, room = school()
    stranger = Pen().write(1)
    pen = Pen(room.key).write(1)
    for one in (pen, stranger):
        one.sealed = 1
    keys = tuple(
        Introduction(public_key=one.key.public_key, nonce=one.key.nonce) for one in (pen, stranger)
    )
    data = pen.seal()
    assert room.say(EMPTY, data).codes == (Taken.WRITER_UNKNOWN,)
    reply = room.say(EMPTY, data, stranger.seal(), introductions=keys)
    assert reply.codes == (Taken.STORED, Taken.DENIED)
    assert room.say(EMPTY).introductions == keys[:1]


def test_a_name_that_hides_another_key_opens_nothing():
    """H3."""
    hub, room = school()
    forged = Pen(room.key)
    *parts, _ = decode_array(forged.seal())
    assert room.say(EMPTY, encode([*parts, bytes(64)])).codes == (Taken.SIGNATURE_BAD,)
    assert hub.directory.owner(SITE, forged.writer) is None


def test_a_room_that_fell_behind_is_asked_for_everything_then_served():
    hub, room = school()
    other = Key()
    hub.enrol(other)
    data = Pen(other).write(1, 2).seal()
    hub.logs.of(SITE).take((data,))
    reply = room.say()
    assert (reply.status, reply.segments) == (Status.VECTOR_WANTED, ())
    assert reply.have == full(hub.logs.of(SITE).vector())
    reply = room.say(full(room.log.vector()))
    assert (reply.status, reply.segments) == (Status.DONE, (data,))
    room.log.take(reply.segments)
    assert room.say(full(room.log.vector())).have == room.log.vector().summary


def test_a_room_may_ask_for_nothing():
    hub, room = school()
    hub.logs.of(SITE).take((Pen().seal(),))
    reply = room.say(EMPTY, max_bytes=0)
    assert (reply.status, reply.segments) == (Status.DONE, ())


def closed_chain(count: int) -> tuple[list[bytes], list[bytes]]:
    """Logs that each name the one before: all but the last are closed."""
    pens = [Pen()]
    for _ in range(count):
        pens.append(Pen(pens[-1].key.rotated(), after=(pens[-1],)))
    segments = [pen.seal() for pen in pens]
    return segments[:-1], segments[-1:]


def test_a_rotation_is_told_without_telling_every_closed_log():
    hub, room = school()
    closed, last = closed_chain(20)
    hub.logs.of(SITE).take((*closed, *last))
    room.log.take(closed)
    reply = room.say(full(room.log.vector()))
    assert (reply.status, reply.segments) == (Status.DONE, tuple(last))


def test_closed_logs_that_differ_are_asked_for_last():
    hub, room = school()
    closed, last = closed_chain(3)
    hub.logs.of(SITE).take((*closed, *last))
    room.log.take((*closed[1:], *last))
    reply = room.say(full(room.log.vector()))
    assert (reply.status, reply.segments) == (Status.CLOSED_WANTED, ())
    reply = room.say(room.log.vector())
    assert (reply.status, reply.segments) == (Status.DONE, (closed[0],))
    assert reply.have == hub.logs.of(SITE).vector()


def test_a_key_on_two_machines_is_taken_and_told():
    _, room = school()
    assert room.say().notes == ()
    room.machine = b"machine2"
    assert room.say().notes == (TWO_MACHINES,)
    room.machine = b"machine1"
    assert room.say().notes == (TWO_MACHINES,)


def test_a_hub_that_cannot_know_the_date_says_so():
    hub, room = school()
    assert room.say().clock.err_ms > 0
    later = Hub(key=hub.key, directory=hub.directory, policy=Policy(floor_ms=1 << 50))
    room.hub = later
    assert room.say().clock.err_ms == -1


@given(st.binary(min_size=16, max_size=16))
def test_the_next_visit_lies_between_its_bounds(digest):
    assert SOONEST_S <= next_s(digest) <= LATEST_S


def test_visits_are_spread():
    seen = [next_s(n.to_bytes(2, "big") + bytes(14)) for n in range(0, 1 << 16, 256)]
    assert len(set(seen)) > 200
    assert abs(sum(seen) / len(seen) - (SOONEST_S + LATEST_S) / 2) < 10


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_two_sides_end_equal(data):
    """Whatever each holds, and however the room tells it, exchanges end with both equal."""
    hub, room = school()
    pens, segments = history(data, room.key)
    for log in (room.log, hub.logs.of(SITE)):
        held = data.draw(st.lists(st.sampled_from(segments)))
        log.take(held, keys_of(pens))
    reply = room.say()
    for _ in range(12):
        if reply.have == room.log.vector().summary:
            break
        codes = room.log.take(reply.segments, reply.introductions).result()
        mine = room.log.vector()
        is_told = reply.status is Status.CLOSED_WANTED or Taken.WRITER_UNKNOWN in codes
        told = mine if is_told else full(mine)
        give = room.log.missing(reply.have, 1 << 20) if isinstance(reply.have, Vector) else ()
        reply = room.say(told, *give, introductions=room.log.introductions(give))
    assert room.log.vector() == hub.logs.of(SITE).vector()


def history(data: st.DataObject, key: Key) -> tuple[list[Pen], list[bytes]]:
    """Logs of one key that go on, fork and follow each other."""
    pens = [Pen(key.rotated())]
    segments = [pens[0].seal()]
    for step in range(data.draw(st.integers(0, 12))):
        pen = data.draw(st.sampled_from(pens))
        match data.draw(st.sampled_from(("write", "fork", "rotate"))):
            case "write":
                segments.append(pen.write(step).seal())
            case "fork":
                pens.append(pen.clone())
            case "rotate":
                pens.append(Pen(key.rotated(), after=(pen,)))
                segments.append(pens[-1].seal())
    return pens, segments


def test_a_room_cannot_open_logs_without_end(monkeypatch):
    """H3."""
    monkeypatch.setattr("sync.hub.ports.MAX_LOGS", 2)
    _, room = school()
    segments = [Pen(room.key.rotated()).seal() for _ in range(3)]
    assert room.say(EMPTY, *segments).codes == (Taken.STORED, Taken.STORED, Taken.FULL)


def keys_of(pens: list[Pen]) -> tuple[Introduction, ...]:
    return tuple(Introduction(public_key=p.key.public_key, nonce=p.key.nonce) for p in pens)


def test_a_request_may_not_hold_work_for_minutes(monkeypatch):
    monkeypatch.setattr("sync.protocol.exchange.MAX_WORK", 3 * 256)
    _, room = school()
    pen = Pen(room.key).write(1, 2)
    first, second = pen.seal(), pen.write(3, 4, 5).seal()
    assert room.say(EMPTY, first, second).codes == (Taken.STORED, Taken.FULL)
    assert room.say(EMPTY, second).codes == (Taken.STORED,)


def test_a_node_that_asks_too_often_is_told_when_to_come_again():
    hub, room = school()
    name = hub.directory.nodes()[0].name
    hub.policy = Policy(spend=lambda who, size: 7 if who == name and size else 0)
    hub.__post_init__()
    with pytest.raises(BusyError, match="too_often") as caught:
        room.say()
    assert caught.value.retry_after_s == 7
