"""Messages of an exchange (sync.protocol.exchange)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.domain.canon import decode_array, encode
from client.domain.errors import ProtocolError
from client.domain.record.log import Introduction, Taken
from client.domain.record.vector import Stretch, Vector, vector
from client.store.keyfile import verify
from sync.protocol import exchange as x
from tests.log_world import Key

HUB, ROOM = Key(71), Key(72)
names = st.binary(min_size=8, max_size=8)
halves = st.binary(min_size=16, max_size=16)
counts = st.integers(0, (1 << 53) - 1)
dates = st.integers(-(1 << 53) + 1, (1 << 53) - 1)
stretches = st.builds(
    lambda writer, head, first, more: Stretch(
        writer=writer, seq=first + more, head=head, first=first
    ),
    names,
    halves,
    st.integers(1, 1 << 40),
    st.integers(0, 1 << 40),
)
vectors = st.builds(vector, st.lists(stretches, max_size=4), st.lists(stretches, max_size=4))
shut = vectors.map(lambda v: Vector(open=v.open, closed_digest=v.closed_digest))
haves = st.one_of(halves, vectors, shut)
blobs = st.lists(st.binary(max_size=40), max_size=4).map(tuple)
introductions = st.lists(
    st.builds(Introduction, public_key=st.binary(min_size=32, max_size=32), nonce=halves),
    max_size=3,
).map(tuple)
requests = st.builds(
    x.Request,
    site=names,
    node=names,
    machine=names,
    have=haves,
    segments=blobs,
    introductions=introductions,
    max_bytes=counts,
    clock=st.builds(x.Reading, boot=counts, mono_ms=counts, wall_ms=dates),
)
replies = st.builds(
    x.Reply,
    status=st.sampled_from(x.Status),
    request=halves,
    have=haves,
    codes=st.lists(st.sampled_from(Taken), max_size=5).map(tuple),
    segments=blobs,
    introductions=introductions,
    clock=st.builds(x.HubTime, came_ms=dates, left_ms=dates, err_ms=dates),
    next_s=counts,
    notes=st.lists(st.text(max_size=12), max_size=3).map(tuple),
)

REQUEST = x.Request(
    site=b"s" * 8,
    node=x.node_of(ROOM.public_key),
    machine=b"m" * 8,
    have=vector(()),
    segments=(b"one",),
    introductions=(Introduction(public_key=b"k" * 32, nonce=b"n" * 16),),
    clock=x.Reading(boot=1, mono_ms=2, wall_ms=3),
)
REPLY = x.Reply(
    status=x.Status.DONE,
    request=b"r" * 16,
    have=b"h" * 16,
    clock=x.HubTime(came_ms=1, left_ms=2, err_ms=-1),
    next_s=600,
)


def ask(request: x.Request = REQUEST) -> bytes:
    return x.pack_request(request, HUB.public_key, ROOM)


def open_reply(reply: x.Reply, to: bytes) -> x.Reply:
    return x.open_reply(x.pack_reply(reply, HUB), to, HUB.public_key, verify)


def changed(envelope: bytes, at: int, value: object, key: Key = ROOM) -> bytes:
    """The same message with another field, signed as nothing."""
    body = decode_array(decode_array(envelope)[0])
    body[at] = value
    return encode([encode(body), bytes(64)])


def code_of(read, *args) -> str:
    with pytest.raises(ProtocolError) as caught:
        read(*args)
    return caught.value.code


@given(requests)
def test_a_request_is_read_as_it_was_meant(request):
    """M1."""
    envelope = ask(request)
    assert x.read_request(envelope) == request
    assert ask(x.read_request(envelope)) == envelope
    x.check_request(envelope, ROOM.public_key, HUB.public_key, verify)


@given(replies)
def test_a_reply_is_read_as_it_was_meant(reply):
    """M1 M2."""
    asked = ask()
    mine = x.Reply(**{**fields(reply), "request": x.digest_of(asked)})
    assert open_reply(mine, asked) == mine


def fields(reply: x.Reply) -> dict[str, object]:
    return {name: getattr(reply, name) for name in reply.__slots__}


def test_a_reply_to_another_request_is_refused():
    """M2."""
    first, second = ask(), ask(x.Request(**{**fields(REQUEST), "machine": b"x" * 8}))
    reply = x.Reply(**{**fields(REPLY), "request": x.digest_of(first)})
    assert open_reply(reply, first) == reply
    assert code_of(open_reply, reply, second) == "reply_to_another"


def test_a_signature_holds_for_one_hub_and_one_kind_of_message():
    """M3."""
    envelope = ask()
    other = Key(73).public_key
    assert code_of(x.check_request, envelope, ROOM.public_key, other, verify) == "signature_bad"
    assert code_of(x.check_request, envelope, other, HUB.public_key, verify) == "signature_bad"
    twisted = x.pack_reply(REPLY, ROOM)
    assert (
        code_of(x.check_request, twisted, ROOM.public_key, HUB.public_key, verify)
        == "signature_bad"
    )
    assert code_of(x.open_reply, envelope, envelope, ROOM.public_key, verify) == "signature_bad"


def test_fields_of_a_later_version_are_left_unread():
    """M1."""
    body = decode_array(decode_array(ask())[0])
    body[-1] = [*body[-1], 7]
    longer = encode([encode([*body, "later"]), bytes(64)])
    assert x.read_request(longer) == REQUEST
    asked = ask()
    row = decode_array(decode_array(x.pack_reply(REPLY, HUB))[0])
    row[2] = x.digest_of(asked)
    data = encode([*row, [1, 2]])
    envelope = encode([data, HUB.sign(b"tongke/reply/1" + data)])
    assert x.open_reply(envelope, asked, HUB.public_key, verify).next_s == 600


STRETCH = [b"w" * 8, 3, b"h" * 16, 1]


@pytest.mark.parametrize(
    ("at", "value"),
    [
        (1, b"short"),
        (2, 7),
        (4, b"h" * 15),
        (4, [[], b"d" * 15]),
        (4, [[], b"d" * 15, []]),
        (4, []),
        (4, [[[b"w" * 7, 3, b"h" * 16, 1]], b"d" * 16]),
        (4, [[[b"w" * 8, 3, b"h" * 15, 1]], b"d" * 16]),
        (4, [[[b"w" * 8, 3, b"h" * 16, 4]], b"d" * 16]),
        (4, [[[b"w" * 8, 3, b"h" * 16, 0]], b"d" * 16]),
        (4, [[[b"w" * 8, 1 << 53, b"h" * 16, 1]], b"d" * 16]),
        (4, [[], b"d" * 16, [7]]),
        (5, ["text"]),
        (6, [[b"k" * 31, b"n" * 16]]),
        (6, [[b"k" * 32]]),
        (7, -1),
        (7, 1 << 53),
        (8, [-1, 0, 0]),
        (8, [0, 1 << 60, 0]),
        (8, [0, 0, 1 << 53]),
        (8, [0, 0, -(1 << 53)]),
        (8, [0, 0]),
    ],
)
def test_a_field_out_of_its_range_is_refused(at, value):
    """M1."""
    assert code_of(x.read_request, changed(ask(), at, value)) == "message_invalid"


@pytest.mark.parametrize(
    ("at", "value"),
    [
        (4, [[STRETCH] * (x.MAX_STRETCHES + 1), b"d" * 16]),
        (5, [b""] * (x.MAX_SEGMENTS + 1)),
        (5, [bytes(x.MAX_PUSH_BYTES), b"1"]),
        (6, [[b"k" * 32, b"n" * 16]] * (x.MAX_SEGMENTS + 1)),
    ],
)
def test_lists_are_bounded(at, value):
    """M1."""
    assert code_of(x.read_request, changed(ask(), at, value)) == "too_large"


@pytest.mark.parametrize(
    ("at", "value"),
    [(1, 9), (4, [99]), (9, [3]), (7, 7), (2, b"short")],
)
def test_a_reply_out_of_its_range_is_refused(at, value):
    """M1."""
    asked = ask()
    row = decode_array(decode_array(x.pack_reply(REPLY, HUB))[0])
    row[2] = x.digest_of(asked)
    row[at] = value
    data = encode(row)
    envelope = encode([data, HUB.sign(b"tongke/reply/1" + data)])
    code = code_of(x.open_reply, envelope, asked, HUB.public_key, verify)
    assert code == ("reply_to_another" if at == 2 else "message_invalid")


def test_other_versions_and_other_things_are_told_apart():
    """M1."""
    assert code_of(x.read_request, changed(ask(), 0, 2)) == "version_unknown"
    assert code_of(x.read_request, encode([encode([]), bytes(64)])) == "version_unknown"
    assert code_of(x.read_request, encode([b"", b"", b""])) == "message_invalid"
    assert code_of(x.read_request, b"<html>") == "not_canonical"
    assert code_of(x.read_request, bytes(x.MAX_MESSAGE_BYTES + 1)) == "too_large"


@given(st.binary(max_size=300), st.integers(0, 400), st.binary(min_size=1, max_size=3))
def test_hostile_bytes_end_in_a_protocol_error(noise, at, patch):
    """M1."""
    good = ask()
    at %= len(good)
    for data in (noise, encode([noise, bytes(64)]), good[:at] + patch + good[at + len(patch) :]):
        try:
            x.read_request(data)
        except ProtocolError:
            continue
    with pytest.raises(ProtocolError):
        x.open_reply(noise, good, HUB.public_key, verify)
