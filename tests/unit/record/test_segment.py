"""Signed runs of events (client.domain.record.segment) with real keys."""

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from client.domain.canon import decode_array, encode
from client.domain.errors import ProtocolError
from client.domain.record import bodies as b
from client.domain.record.event import Event, writer_of
from client.domain.record.packing import pack
from client.domain.record.segment import (
    MAX_EVENTS,
    MAX_SEGMENT_BYTES,
    BootRow,
    peek,
    seal,
    unseal,
)
from client.store.keyfile import KeyFile, verify
from tests.record_samples import BODIES, NONCE, chain

BOOTS = (BootRow(ordinal=4, wall_ms=5, was_clean=True),)


@pytest.fixture(scope="module")
def key(tmp_path_factory) -> KeyFile:
    return KeyFile.create(tmp_path_factory.mktemp("key") / "journal.key")


@pytest.fixture(scope="module")
def log(key) -> tuple[Event, ...]:
    return own_log(key)


def own_log(key: KeyFile) -> tuple[Event, ...]:
    first = replace(BODIES[0], public_key=key.public_key, nonce=key.nonce)
    return chain((first, *BODIES[1:]), writer=writer_of(key.public_key, key.nonce))


def nobody(_: bytes) -> None:
    return None


def test_g2_a_log_introduces_its_writer_and_comes_back_whole(key, log):
    read = unseal(seal(log, BOOTS, key), nobody, verify)
    assert read.events == log
    assert read.boots == BOOTS
    assert read.head == log[-1].hash


def test_g2_a_later_run_needs_the_key_of_its_writer(key, log):
    data = seal(log[5:9], (), key)
    assert unseal(data, lambda _: key.public_key, verify).events == log[5:9]
    with pytest.raises(ProtocolError) as caught:
        unseal(data, nobody, verify)
    assert caught.value.code == "writer_unknown"


def test_g2_nobody_introduces_a_writer_with_another_key(key):
    stolen = chain(BODIES[:3], writer=writer_of(key.public_key, key.nonce))
    with pytest.raises(ProtocolError) as caught:
        unseal(seal(stolen, (), key), nobody, verify)
    assert caught.value.code == "writer_unknown"
    no_introduction = chain(BODIES[2:5])
    with pytest.raises(ProtocolError) as caught:
        unseal(seal(no_introduction, (), key), nobody, verify)
    assert caught.value.code == "writer_unknown"


def test_g1_any_changed_byte_is_found(key, log):
    data = seal(log, BOOTS, key)
    for at in range(0, len(data), 7):
        broken = bytearray(data)
        broken[at] ^= 1
        with pytest.raises(ProtocolError):
            unseal(bytes(broken), lambda _: key.public_key, verify)


def resigned(key: KeyFile, data: bytes, changes: dict) -> bytes:
    """Change parts of a segment and sign it again: a writer that breaks its own rules."""
    *parts, _ = decode_array(data)
    for at, value in changes.items():
        parts[at] = value
    return encode([*parts, key.sign(b"tongke/segment/1" + encode(parts))])


FORMAT, WRITER, SEQ, COUNT, PREV, NUMBER, STRINGS = range(7)


def test_a_peek_reads_where_a_run_begins(key, log):
    start = peek(seal(log[5:9], (), key))
    assert (start.writer, start.seq, start.count, start.prev) == (
        log[5].writer,
        6,
        4,
        log[4].hash,
    )
    with pytest.raises(ProtocolError):
        peek(b"")


def test_g2_only_events_that_follow_one_another_are_sealed(key, log):
    other = own_log(key)[3]
    for run in ((log[1], log[3]), (log[2], log[1]), (log[1], replace(other, lc=9))):
        with pytest.raises(ProtocolError) as caught:
            seal(run, (), key)
        assert caught.value.code == "chain_broken"


def test_g2_both_branches_of_a_fork_are_sealed_and_read(key, log):
    branch = replace(log[9], body=log[9].body, wall_ms=1)
    for tip in (log[9], branch):
        data = seal((log[8], tip), (), key)
        assert unseal(data, lambda _: key.public_key, verify).head == tip.hash


def test_g2_another_place_in_the_log_gives_another_chain(key, log):
    data = seal(log[3:6], (), key)
    moved = resigned(key, data, {SEQ: 9, PREV: log[7].hash})
    events = unseal(moved, lambda _: key.public_key, verify).events
    assert {one.hash for one in events}.isdisjoint(one.hash for one in log)


def test_g2_a_writer_is_introduced_by_the_first_event_of_its_log_only(key, log):
    late = resigned(key, seal(log, (), key), {SEQ: 5, PREV: log[3].hash})
    assert unseal(late, lambda _: key.public_key, verify).events
    with pytest.raises(ProtocolError) as caught:
        unseal(late, nobody, verify)
    assert caught.value.code == "writer_unknown"


def test_g3_a_segment_holds_one_to_512_events(key):
    one, many = chain(BODIES[7:8]), chain((BODIES[7],) * (MAX_EVENTS + 1))
    for count, run in ((0, ()), (MAX_EVENTS + 1, many)):
        packed = pack(run, ())
        changes = {COUNT: count, NUMBER: packed.number, STRINGS: packed.strings}
        with pytest.raises(ProtocolError):
            unseal(resigned(key, seal(one, (), key), changes), lambda _: key.public_key, verify)
    full = seal(many[:-1], (), key)
    assert unseal(full, lambda _: key.public_key, verify).events == many[:-1]


def test_g3_g4_what_no_writer_makes_is_refused(key, log):
    """G3 G4"""
    data = seal(log, BOOTS, key)
    number, strings = decode_array(data)[NUMBER : STRINGS + 1]
    cases = [
        {FORMAT: 2},
        {WRITER: b"short"},
        {SEQ: 0},
        {SEQ: 2},
        {SEQ: "1"},
        {COUNT: 0},
        {COUNT: MAX_EVENTS + 1},
        {PREV: b"short"},
        {PREV: b"\x01" * 32},
        {NUMBER: b"\0" + number},
        {NUMBER: number[1:]},
        {NUMBER: number + b"\0"},
        {NUMBER: b""},
        {NUMBER: b"\xff" * 20_000},
        {STRINGS: strings + b"\0"},
        {STRINGS: strings[:-1]},
    ]
    for changes in cases:
        with pytest.raises(ProtocolError):
            unseal(resigned(key, data, changes), lambda _: key.public_key, verify)
            pytest.fail(str(changes))
    for broken in (encode([b"only two", b"parts"]), encode([1, 2, 3]), encode([1] * 8)):
        with pytest.raises(ProtocolError):
            unseal(broken, lambda _: key.public_key, verify)


@given(st.binary(max_size=200))
@settings(max_examples=60)
def test_g3_noise_is_a_protocol_error_and_nothing_else(noise):
    with pytest.raises(ProtocolError):
        unseal(noise, nobody, verify)


@pytest.fixture(scope="module")
def sealed(key, log) -> bytes:
    return seal(log, BOOTS, key)


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_g3_g4_changes_that_are_signed_are_refused_or_make_another_segment(key, sealed, data):
    """G3 G4: nobody can say the same thing in two ways."""
    at = data.draw(st.sampled_from([SEQ, COUNT, PREV, NUMBER, STRINGS]))
    part = decode_array(sealed)[at]
    if isinstance(part, bytes):
        begin = data.draw(st.integers(0, len(part)))
        end = data.draw(st.integers(begin, min(len(part), begin + 6)))
        changed = part[:begin] + data.draw(st.binary(max_size=6)) + part[end:]
    else:
        changed = data.draw(st.integers(-5, 600))
    broken = resigned(key, sealed, {at: changed})
    try:
        read = unseal(broken, lambda _: key.public_key, verify)
    except ProtocolError:
        return
    assert seal(read.events, read.boots, key) == broken


def test_runs_that_are_empty_or_too_long_or_too_large_are_refused(key):
    with pytest.raises(ProtocolError):
        seal((), (), key)
    with pytest.raises(ProtocolError):
        seal(chain((BODIES[7],) * (MAX_EVENTS + 1)), (), key)
    noise = random.Random(1)
    notes = tuple(
        b.NoteWritten(
            note=bytes(8),
            sitting=BODIES[14].sitting,
            class_ids=(),
            lesson=None,
            text="".join(chr(noise.randrange(0x4E00, 0x9F00)) for _ in range(2000)),
        )
        for _ in range(70)
    )
    with pytest.raises(ProtocolError) as caught:
        seal(chain(notes), (), key)
    assert caught.value.code == "too_large"
    assert MAX_SEGMENT_BYTES < 70 * 4000


def test_a_wrong_key_or_no_key_does_not_verify(key, log):
    data = seal(log, (), key)
    for public in (bytes(32), b"short", NONCE * 2):
        with pytest.raises(ProtocolError) as caught:
            unseal(data, lambda _, public=public: public, verify)
        assert caught.value.code == "signature_bad"
