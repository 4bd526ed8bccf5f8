"""Events and their chain (client.domain.record.event)."""

import hashlib
from dataclasses import replace

import cbor2
import pytest

from client.domain.errors import ProtocolError
from client.domain.record.event import NO_PREVIOUS, Event, follows, writer_of
from tests.record_samples import KEY, NONCE, chain


def fields(event: Event) -> dict:
    names = [
        "writer",
        "seq",
        "prev",
        "lc",
        "boot",
        "mono_ms",
        "wall_ms",
        "scope",
        "type",
        "version",
        "body",
    ]
    return {name: getattr(event, name) for name in names}


def test_l1_the_identity_is_the_hash_of_the_documented_row():
    event = chain()[3]
    row = [1, event.writer, event.seq, event.prev, event.lc, event.boot, event.mono_ms]
    row += [event.wall_ms, event.scope, event.type, event.version]
    row.append(hashlib.sha256(event.body).digest())
    assert event.hash == hashlib.sha256(cbor2.dumps(row, canonical=True)).digest()
    assert event.id == event.hash[:16]


@pytest.mark.parametrize(
    "change",
    [
        {"writer": b"\x08" * 8},
        {"seq": 9},
        {"prev": b"\x01" * 32},
        {"lc": 99},
        {"boot": 5},
        {"mono_ms": 1},
        {"wall_ms": 1},
        {"scope": 2},
        {"type": 99},
        {"version": 2},
        {"body": b"\x80"},
    ],
)
def test_l1_every_field_is_part_of_the_identity(change):
    event = chain()[3]
    assert Event(**{**fields(event), **change}).hash != event.hash


def test_l2_each_event_names_the_one_before_it():
    first, second, third = chain()[:3]
    assert (first.seq, first.prev) == (1, NO_PREVIOUS)
    assert second.prev == first.hash
    assert follows(first, None)
    assert follows(third, second)
    assert not follows(second, None)
    assert not follows(third, first)
    assert not follows(Event(**{**fields(second), "prev": third.hash}), first)
    assert not follows(Event(**{**fields(second), "lc": 1}), first)
    assert not follows(Event(**{**fields(second), "writer": b"\x08" * 8}), first)


@pytest.mark.parametrize(
    "change",
    [
        {"writer": b"short"},
        {"prev": b""},
        {"seq": 0},
        {"seq": 1},
        {"seq": 1 << 63},
        {"lc": 0},
        {"lc": (1 << 40) + 1},
        {"boot": -1},
        {"mono_ms": 1 << 63},
        {"wall_ms": 1 << 53},
        {"prev": NO_PREVIOUS},
        {"body": bytes(16 * 1024 + 1)},
    ],
)
def test_l2_an_event_outside_of_its_ranges_is_refused(change):
    with pytest.raises(ProtocolError):
        Event(**{**fields(chain()[3]), **change})


def test_l3_any_clock_makes_a_valid_event():
    for wall in (-(1 << 52), 0, 1 << 52):
        assert Event(**{**fields(chain()[3]), "wall_ms": wall}).wall_ms == wall


def test_a_writer_is_named_by_key_and_nonce():
    name = writer_of(KEY, NONCE)
    assert len(name) == 8
    assert name != writer_of(KEY, b"\xff" * 16)
    assert replace(chain()[0]) == chain()[0]
