"""The fold and its three shapes (client.domain.record.fold)."""

import itertools
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from client.domain.canon import encode
from client.domain.record import bodies as b
from client.domain.record.bodies import EventType
from client.domain.record.event import Event
from client.domain.record.fold import Fold, read, seconds, union
from client.domain.record.table import spec_of, topic
from tests.record_samples import BODIES, C3, SITTING, chain, event

FACTS = tuple(kind for kind in EventType)


def state(fold: Fold):
    """Everything a fold answers."""
    registers = {kind: fold.registers(kind) for kind in EventType}
    return fold.facts(*FACTS), registers, fold.unread


@st.composite
def histories(draw) -> list[Event]:
    """Several logs of random bodies that supersede random earlier events of any log."""
    events: list[Event] = []
    tips: dict[bytes, Event] = {}
    for _ in range(draw(st.integers(1, 14))):
        body = draw(st.sampled_from(BODIES))
        if isinstance(body, b.SettingWritten):
            body = replace(body, value=draw(st.sampled_from(["dark", "light", ""])))
        if events and draw(st.booleans()):
            seen = draw(st.lists(st.sampled_from(events), max_size=3))
            body = replace(body, sup=tuple(one.id for one in seen))
        writer = bytes([draw(st.integers(1, 3))]) * 8
        made = event(body, writer=writer, before=tips.get(writer))
        tips[writer] = made
        events.append(made)
    return events


@given(histories(), st.randoms(use_true_random=False))
def test_o1_the_order_of_arrival_and_repeats_change_nothing(events, random):
    shuffled = events + random.choices(events, k=3)
    random.shuffle(shuffled)
    assert state(Fold(shuffled)) == state(Fold(events))


@given(histories(), st.data())
def test_o1_a_fold_that_grows_equals_one_that_had_everything(events, data):
    first = data.draw(st.sets(st.sampled_from(range(len(events)))))
    fold = Fold(events[at] for at in sorted(first))
    for one in events:
        fold.add(one)
    assert state(fold) == state(Fold(events))


@given(histories())
def test_o2_a_register_write_is_visible_or_superseded_by_one_who_saw_it(events):
    fold = Fold(events)
    entries = [entry for one in events if (entry := read(one))]
    for entry in entries:
        number, key = spec_of(entry.body).number, topic(entry.body)
        if not isinstance(entry.body, b.RegisterBody):
            continue
        writes = [
            one for one in entries if (spec_of(one.body).number, topic(one.body)) == (number, key)
        ]
        seen = {name for one in writes for name in one.body.sup}
        assert (entry in fold.siblings(number, key)) == (entry.id not in seen)
        assert fold.is_alive(entry) == (entry.id not in seen)


@given(histories())
def test_o3_a_fact_stays_until_a_fact_names_it(events):
    fold = Fold(events)
    facts = [e for one in events if (e := read(one)) and not isinstance(e.body, b.RegisterBody)]
    gone = {name for one in facts for name in one.body.sup}
    assert {entry.id for entry in fold.facts(*FACTS)} == {e.id for e in facts} - gone
    for entry in facts:
        assert fold.is_alive(entry) == (entry.id not in gone)


def test_o2_writes_that_did_not_see_each_other_stand_side_by_side_the_later_one_last():
    one = event(b.SettingWritten(name="theme", value="dark"), writer=b"\x01" * 8)
    two = event(b.SettingWritten(name="theme", value="light"), writer=b"\x02" * 8)
    fold = Fold([one, two])
    key = encode(["theme"])
    found = fold.siblings(EventType.SETTING, key)
    assert {entry.id for entry in found} == {one.id, two.id}
    assert [entry.rank for entry in found] == sorted(entry.rank for entry in found)
    both = b.SettingWritten(name="theme", value="auto", sup=(one.id, two.id))
    merged = event(both, writer=b"\x01" * 8, before=one)
    fold.add(merged)
    assert [entry.id for entry in fold.siblings(EventType.SETTING, key)] == [merged.id]
    assert fold.siblings(EventType.SETTING, encode(["other"])) == ()


def test_o2_a_register_cannot_be_superseded_from_another_one():
    one = event(b.SettingWritten(name="theme", value="dark"), writer=b"\x01" * 8)
    other = b.SettingWritten(name="rendition", value="720p", sup=(one.id,))
    correction = b.Correction(sup=(one.id,))
    fold = Fold([one, *chain((other, correction), writer=b"\x02" * 8)])
    assert fold.siblings(EventType.SETTING, encode(["theme"]))


def test_o4_what_says_nothing_is_counted_and_changes_nothing():
    known = chain()
    fold = Fold(known)
    before = state(fold)
    unknown = [
        Event(
            writer=b"\x09" * 8,
            seq=1,
            prev=bytes(32),
            lc=1,
            boot=1,
            mono_ms=0,
            wall_ms=0,
            scope=1,
            type=kind,
            version=version,
            body=body,
        )
        for kind, version, body in ((77, 1, b"\x80"), (10, 2, b"\x80"), (10, 1, b"junk"))
    ]
    assert [fold.add(one) for one in (*unknown, *unknown)] == [False] * 6
    assert state(fold) == (*before[:2], 3)
    assert fold.find(unknown[0].id) is None
    assert fold.find(known[9].id).id == known[9].id
    assert fold.find(known[2].id).id == known[2].id


STRETCHES = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20)), max_size=12).map(
    lambda pairs: [(begin, begin + length) for begin, length in pairs]
)


@given(STRETCHES)
@settings(max_examples=60)
def test_o5_played_time_is_a_union(stretches):
    joined = union(stretches)
    covered = {second for begin, end in stretches for second in range(begin, end)}
    assert {second for begin, end in joined for second in range(begin, end)} == covered
    assert seconds(stretches) == len(covered)
    assert all(a[1] < c[0] for a, c in itertools.pairwise(joined))
    assert union([*stretches, *joined]) == joined


def test_o3_taking_back_a_stretch_takes_its_seconds_back():
    logs = chain(
        (
            b.Played(sitting=SITTING, class_ids=(C3,), lesson=None, stretches=((0, 10),)),
            b.Played(sitting=SITTING, class_ids=(C3,), lesson=None, stretches=((20, 30),)),
        )
    )
    back = event(b.Correction(sup=(logs[0].id,)), before=logs[1])
    fold = Fold([back, *logs])
    assert [entry.id for entry in fold.facts(EventType.PLAYED)] == [logs[1].id]


@pytest.mark.parametrize("kind", EventType)
def test_an_empty_fold_answers_nothing(kind):
    assert Fold().registers(kind) == ()
    assert Fold().facts(kind) == ()
