"""Facts as people read and write them: client.domain.record.facts and values."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.domain.errors import UserError
from client.domain.ids import ClassId
from client.domain.record import bodies as b
from client.domain.record.dates import Dates, Quality
from client.domain.record.event import Event
from client.domain.record.facts import fact_rows, played_seconds, sitting_rows
from client.domain.record.fold import Fold, union
from client.domain.record.values import (
    event_id,
    parse_value,
    read_counts,
    read_stretches,
    write_counts,
    write_stretches,
)
from tests.record_samples import BODIES, C3, C5, LESSON, SITTING, chain, event

FRESH = bytes(range(8))


def rows(*bodies: b.Body):
    return fact_rows(Fold(chain(bodies)))


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        ("headcount", "13", "13"),
        ("headcount", " 0 ", "0"),
        ("note", " 余数再讲一遍\n明天 ", "余数再讲一遍\n明天"),
        ("answer", "A=3,B=1", "A=3,B=1"),
        ("answer", " 对 = 7 , 错=0", "对=7,错=0"),
        ("opened", "", ""),
        ("played", "0-90,120-300", "0-90,120-300"),
        ("played", "60-90, 0-70", "0-90"),
    ],
)
def test_a4_what_was_written_is_read_as_it_was_meant(kind, value, shown):
    body = parse_value(kind, C3, value, LESSON, FRESH)
    (row,) = rows(body)
    assert (row.kind, row.class_id, row.lesson, row.value) == (kind, C3, LESSON, shown)
    assert row.at_quality == "clock"
    assert row.at == "2027-05-11T01:46:41+00:00"


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("headcount", ""),
        ("headcount", "-1"),
        ("headcount", "13.5"),
        ("headcount", "十三"),
        ("headcount", "501"),
        ("headcount", "１３"),
        ("note", "  "),
        ("note", "x" * 2001),
        ("answer", ""),
        ("answer", "A"),
        ("answer", "A=3,"),
        ("answer", "A=3,A=4"),
        ("answer", "A=-3"),
        ("answer", "A=99999"),
        ("answer", ",".join(f"{n}=1" for n in range(13))),
        ("played", ""),
        ("played", "90"),
        ("played", "90-0"),
        ("played", "5-5"),
        ("played", "0-90;100-120"),
        ("played", "0-99999"),
        ("played", ",".join(f"{2 * n}-{2 * n + 1}" for n in range(1001))),
    ],
)
def test_a3_a_value_that_cannot_be_read_exactly_is_refused(kind, value):
    with pytest.raises(UserError) as caught:
        parse_value(kind, C3, value, LESSON, FRESH)
    assert caught.value.code == "value_unreadable"


def test_a3_an_unknown_kind_is_refused():
    with pytest.raises(UserError) as caught:
        parse_value("marks", C3, "1", LESSON, FRESH)
    assert caught.value.code == "record_kind_unknown"


@given(st.lists(st.tuples(st.integers(0, 9000), st.integers(1, 500)), min_size=1, max_size=20))
def test_a4_stretches_are_read_as_they_are_written(pairs):
    stretches = union((begin, begin + length) for begin, length in pairs)
    assert read_stretches(write_stretches(stretches)) == stretches


@given(st.dictionaries(st.sampled_from("ABCD对错"), st.integers(0, 9999), min_size=1))
def test_a4_counts_are_read_as_they_are_written(counts):
    written = tuple(counts.items())
    assert read_counts(write_counts(written)) == written


def test_a2_the_whole_table_is_listed_in_rank_order():
    found = rows(*BODIES)
    kinds = [row.kind for row in found]
    assert kinds == [
        "opened",
        "opened",
        "played",
        "cue",
        "cue",
        "answer",
        "headcount",
        "note",
        "understood",
        "taught_by",
        "taught_by",
        "ended",
        "ended",
    ]
    # A fact of two classes is a line for each, with names that differ.
    assert [row.class_id for row in found[:2]] == [C3, C5]
    assert len({row.id for row in found}) == len(found)
    assert {row.lesson for row in found} == {LESSON}
    assert fact_rows(Fold(reversed(chain()))) == found


def test_o5_what_a_sitting_played_is_one_line():
    part = replace(BODIES[10], stretches=((80, 130),))
    other = replace(part, sitting=b.SittingId("ff" * 8))
    assert [row.value for row in rows(BODIES[10], part)] == ["0-300"]
    assert [row.value for row in rows(BODIES[10], other)] == ["0-90,120-300", "80-130"]
    fold = Fold(chain((BODIES[10], other)))
    assert played_seconds(fold, C3, LESSON) == 300
    assert played_seconds(fold, C5, LESSON) == 0


def test_facts_of_a_sitting_nobody_opened_have_no_class():
    (row,) = rows(BODIES[11])
    assert (row.class_id, row.lesson) == ("", None)


def test_empty_notes_and_unsaid_answers_are_no_lines():
    assert rows(replace(BODIES[14], text="")) == ()
    assert rows(replace(BODIES[15], level=b.Understood.UNSAID)) == ()


def at(wall_ms: int, writer: bytes = b"\x07" * 8) -> Event:
    made = event(BODIES[13])
    names = ["writer", "seq", "prev", "lc", "boot", "mono_ms", "scope", "type", "version", "body"]
    fields = {name: getattr(made, name) for name in names}
    return Event(**{**fields, "wall_ms": wall_ms, "writer": writer})


@pytest.mark.parametrize("wall_ms", [0, -(1 << 52), 1_400_000_000_000, 1 << 52])
def test_a1_an_impossible_clock_gives_no_date(wall_ms):
    (row,) = fact_rows(Fold([at(wall_ms)]))
    assert (row.at, row.at_quality) == ("", "unknown")


def test_since_keeps_later_facts_and_those_without_a_date():
    fold = Fold([at(1_810_000_000_000), at(0, writer=b"\x08" * 8)])
    assert len(fact_rows(fold, "2027-05-01")) == 2
    assert len(fact_rows(fold, "2027-05-11T01:00:00+00:00")) == 2
    assert [row.at for row in fact_rows(fold, "2028-01-01")] == [""]
    assert fact_rows(fold, "2060-01-01") == ()
    with pytest.raises(UserError):
        fact_rows(fold, "yesterday")


def test_sittings_are_listed_with_how_they_ended():
    later = replace(BODIES[9], sitting=b.SittingId("ee" * 8))
    by_hand = replace(BODIES[9], sitting=b.SittingId(""))
    events = chain((*BODIES, later, by_hand))
    first, second = sitting_rows(Fold(events), Dates(events))
    assert (first.sitting, first.how, first.screen_s) == (SITTING, b.Ended.FINISHED, 720)
    assert (first.day, first.period, first.class_ids) == (2, 1, (C3, C5))
    assert (second.how, second.screen_s) == (None, 0)
    assert second.opened.quality is Quality.CLOCK


def test_ids_are_read_as_they_are_listed():
    name = chain()[9].id
    assert event_id(name.hex()) == name
    assert event_id(f"{name.hex()}/{ClassId('c5')}") == name
    for text in ("", "xyz", name.hex()[:-2], name.hex().upper() + "0"):
        with pytest.raises(UserError):
            event_id(text)
