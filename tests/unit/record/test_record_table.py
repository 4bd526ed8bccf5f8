"""Bodies of events: client.domain.record.bodies, fields and table."""

import re
from dataclasses import fields, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from client.domain.canon import decode_array, encode
from client.domain.errors import ProtocolError
from client.domain.ids import SittingId
from client.domain.record import bodies as b
from client.domain.record import fields as f
from client.domain.record.bodies import EventType, Shape
from client.domain.record.event import MAX_BODY_BYTES
from client.domain.record.table import SPECS, pack, spec_of, topic, unpack
from tests.record_samples import BODIES, C3, SITTING

ids = pytest.mark.parametrize("body", BODIES, ids=lambda body: type(body).__name__)


def test_b1_every_type_has_one_of_three_merge_shapes_and_a_sample():
    assert {spec.number for spec in SPECS} == set(EventType)
    assert {spec.shape for spec in SPECS} == set(Shape)
    assert len(Shape) == 3
    assert [spec_of(body).number for body in BODIES] == [spec.number for spec in SPECS]


def test_b2_no_type_has_a_field_for_a_person():
    person = re.compile(r"pupil|student|person|teacher|name|who|phone|birth|gender|card|photo|face")
    found = {
        (spec.number.name, name) for spec in SPECS for name, _ in spec.fields if person.search(name)
    }
    # A class's name, a setting's name, and own or substitute.
    assert found == {("CLASS", "name"), ("SETTING", "name"), ("TAUGHT_BY", "who")}
    assert {who.value for who in b.TaughtBy} == {"own", "substitute"}


@ids
def test_the_table_lists_the_fields_of_the_body(body):
    assert [one.name for one in fields(body)] == [name for name, _ in spec_of(body).fields]


@ids
def test_f1_what_is_packed_is_unpacked_to_the_same(body):
    spec = spec_of(body)
    assert unpack(spec.number, 1, pack(body)) == body


@ids
def test_b3_unknown_types_and_versions_say_nothing(body):
    assert unpack(999, 1, pack(body)) is None
    assert unpack(spec_of(body).number, 2, pack(body)) is None


@ids
def test_b4_fields_behind_the_known_ones_are_ignored(body):
    row = decode_array(pack(body))
    assert unpack(spec_of(body).number, 1, encode([*row, 7, "new", [b""]])) == body
    with pytest.raises(ProtocolError):
        unpack(spec_of(body).number, 1, encode(row[:-1]))


@ids
@given(data=st.data())
@settings(max_examples=20)
def test_f1_a_field_of_a_wrong_kind_is_refused_or_read_within_its_limits(body, data):
    row = decode_array(pack(body))
    at = data.draw(st.integers(0, len(row) - 1))
    row[at] = data.draw(
        st.sampled_from([-1, 10**9, b"x", "?" * 3000, [[]], [1], [b"x" * 16] * 65, [[3, 2]]])
    )
    try:
        read = unpack(spec_of(body).number, 1, encode(row))
    except ProtocolError:
        return
    assert read is not None
    assert pack(read) == encode(row)


@pytest.mark.parametrize(
    "body",
    [
        replace(BODIES[2], school="x" * 121),
        replace(BODIES[3], grade=13),
        replace(BODIES[3], headcount=-1),
        replace(BODIES[0], nonce=b"short"),
        b.Played(sitting=SITTING, class_ids=(C3,), lesson=None, stretches=((5, 5),)),
        b.CueReached(sitting=SittingId("no hex"), ordinal=1),
        b.CueReached(sitting=SittingId("00"), ordinal=1),
        b.CueReached(sitting=SITTING, ordinal=501),
    ],
)
def test_f1_a_value_outside_of_its_limits_is_not_written(body):
    with pytest.raises(ProtocolError):
        pack(body)


def test_f1_a_body_that_is_too_large_together_is_not_written():
    many = tuple((10_000 + n, 20_000 + n) for n in range(1000))
    ok = b.Played(sitting=SITTING, class_ids=(C3,), lesson=None, stretches=many)
    assert len(pack(ok)) < MAX_BODY_BYTES
    wide = tuple(b.ClassId("班" * 40) for _ in range(16))
    far = tuple((70_000, 80_000) for _ in range(1000))
    too_large = b.Played(sitting=SITTING, class_ids=wide * 1, lesson=None, stretches=far)
    assert len(pack(too_large)) <= MAX_BODY_BYTES
    with pytest.raises(ProtocolError):
        pack(b.Correction(sup=tuple(bytes(16) for _ in range(65))))


def test_f1_single_codecs_refuse_what_is_not_theirs():
    cases = [
        (f.text(3), 1),
        (f.text(3), "four"),
        (f.whole(3), "1"),
        (f.whole(3), 4),
        (f.flag(), 2),
        (f.flag(), "1"),
        (f.octets(2), b"x"),
        (f.choice(b.Ended), "unheard of"),
        (f.choice(b.Ended), 1),
        (f.several(f.flag(), 1), [0, 1]),
        (f.several(f.flag(), 1), 1),
        (f.pair(f.flag(), f.flag()), [1]),
        (f.pair(f.flag(), f.flag()), 1),
        (f.sitting(), b"four"),
        (f.sitting(), "00"),
        (f.stretches(), [[2, 1]]),
        (f.seen(), [b"short"]),
    ]
    for codec, value in cases:
        with pytest.raises(ProtocolError):
            codec.unpack(value)


def test_writes_to_one_register_have_one_topic_and_to_two_have_two():
    slot = BODIES[5]
    assert topic(slot) == topic(replace(slot, subject="语文"))
    assert topic(slot) != topic(replace(slot, period=2))
    assert topic(BODIES[2]) == encode([])
