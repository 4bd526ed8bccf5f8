"""Signed runs of events (client.domain.record.segment) with real keys."""

import hashlib
import random
import zlib
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from client.domain.canon import MAX_BYTES, decode_array, encode
from client.domain.errors import ProtocolError
from client.domain.record import bodies as b
from client.domain.record.event import Event, writer_of
from client.domain.record.segment import (
    MAX_EVENTS,
    MAX_SEGMENT_BYTES,
    BootRow,
    seal,
    unseal,
)
from client.store.keyfile import KeyFile, verify
from tests.record_samples import BODIES, NONCE, chain, event

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


def resigned(key: KeyFile, data: bytes, **changes) -> bytes:
    """Change parts of a segment and sign it again: a writer that breaks its own rules."""
    header, payload, _ = decode_array(data)
    row = decode_array(header)
    for at, value in changes.pop("head", {}).items():
        row[at] = value
    header = changes.get("header", encode(row))
    payload = changes.get("payload", payload)
    signed = b"tongke/segment/1" + header + hashlib.sha256(payload).digest()
    return encode([header, payload, key.sign(signed)])


def rows_of(data: bytes) -> list:
    _, payload, _ = decode_array(data)
    return decode_array(zlib.decompress(payload))


def test_g2_a_run_that_is_signed_but_no_chain_is_refused(key, log):
    data = seal(log, BOOTS, key)
    rows = rows_of(data)
    step = [[0, *rows[1][1:]] if at == 1 else row for at, row in enumerate(rows)]
    cases = {
        "count": resigned(key, data, head={3: 5}),
        "prev": resigned(key, data, head={4: b"\x01" * 32}),
        "head": resigned(key, data, head={5: b"\x01" * 32}),
        "lc step 0": resigned(key, data, payload=zlib.compress(encode(step))),
        "no row": resigned(key, data, payload=zlib.compress(encode([1] * len(rows)))),
        "short row": resigned(key, data, payload=zlib.compress(encode([[1]] * len(rows)))),
        "no body": resigned(key, data, payload=zlib.compress(encode([[1] * 8] * len(rows)))),
        "texts": resigned(
            key, data, payload=zlib.compress(encode([["x"] * 7 + [b""]] * len(rows)))
        ),
    }
    for name, broken in cases.items():
        with pytest.raises(ProtocolError):
            unseal(broken, lambda _: key.public_key, verify)
            pytest.fail(name)


def test_g3_hostile_packing_and_headers_are_refused(key, log):
    data = seal(log, BOOTS, key)
    bomb = zlib.compress(bytes(MAX_BYTES + 1), 9)
    cases = [
        resigned(key, data, payload=bomb),
        resigned(key, data, payload=b"no zlib"),
        resigned(key, data, payload=decode_array(data)[1] + b"behind"),
        resigned(key, data, payload=decode_array(data)[1][:-4]),
        resigned(key, data, head={0: 2}),
        resigned(key, data, head={1: b"short"}),
        resigned(key, data, head={2: 0}),
        resigned(key, data, head={3: MAX_EVENTS + 1}),
        resigned(key, data, head={6: 2}),
        resigned(key, data, head={7: [[1, 2, 3]]}),
        resigned(key, data, head={7: ["boot"]}),
        resigned(key, data, header=encode([1])),
        encode([b"only two", b"parts"]),
        encode([1, 2, 3]),
    ]
    for broken in cases:
        with pytest.raises(ProtocolError):
            unseal(broken, lambda _: key.public_key, verify)


@given(st.binary(max_size=200))
@settings(max_examples=60)
def test_g3_noise_is_a_protocol_error_and_nothing_else(noise):
    with pytest.raises(ProtocolError):
        unseal(noise, nobody, verify)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_g3_noise_inside_a_signed_shape_is_a_protocol_error(tmp_path_factory, data):
    key = KeyFile.load(tmp_path_factory.getbasetemp() / "shape.key") or KeyFile.create(
        tmp_path_factory.getbasetemp() / "shape.key"
    )
    sealed = seal(own_log(key), BOOTS, key)
    at = data.draw(st.sampled_from([0, 1, 2, 3, 4, 5, 6, 7]))
    value = data.draw(
        st.integers(-5, 600) | st.binary(max_size=40) | st.lists(st.integers(0, 3), max_size=3)
    )
    broken = resigned(key, sealed, head={at: value})
    if broken == sealed:
        return
    try:
        unseal(broken, lambda _: key.public_key, verify)
    except ProtocolError:
        return
    # Only boots and a packing that fits say nothing of the chain.
    assert at == 7


def test_a_run_that_does_not_shrink_stands_as_it_is(key):
    noise = hashlib.sha256(b"noise").digest()
    wide = event(b.Incarnation(public_key=noise, nonce=noise[::-2], why=b.WhyIncarnation.FIRST))
    data = seal((wide,), (), key)
    header, payload, _ = decode_array(data)
    assert decode_array(header)[6] == 0
    assert decode_array(payload)
    assert unseal(data, lambda _: key.public_key, verify).events == (wide,)


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
        for _ in range(60)
    )
    with pytest.raises(ProtocolError) as caught:
        seal(chain(notes), (), key)
    assert caught.value.code == "too_large"
    assert MAX_SEGMENT_BYTES < 60 * 6000


def test_a_wrong_key_or_no_key_does_not_verify(key, log):
    data = seal(log, (), key)
    for public in (bytes(32), b"short", NONCE * 2):
        with pytest.raises(ProtocolError) as caught:
            unseal(data, lambda _, public=public: public, verify)
        assert caught.value.code == "signature_bad"


@pytest.mark.parametrize("row", [b"", bytes(40_000)])
def test_a_payload_is_not_unpacked_beyond_what_its_header_names(key, log, row):
    """G3: neither by number of rows nor by their size, whoever signed it."""
    header, _, _ = decode_array(seal(log[:1], (), key))
    fields = decode_array(header)
    payload = zlib.compress(encode([[1, 1, 1, 1, 1, 1, 1, row]] * 100))
    assert (fields[3], fields[6]) == (1, 0)
    header = encode([*fields[:6], 1, fields[7]])
    signature = key.sign(b"tongke/segment/1" + header + hashlib.sha256(payload).digest())
    with pytest.raises(ProtocolError) as caught:
        unseal(encode([header, payload, signature]), lambda _: key.public_key, verify)
    assert caught.value.code == ("segment_invalid" if row else "too_large")
