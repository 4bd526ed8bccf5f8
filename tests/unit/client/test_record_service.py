"""Facts and sittings (client.service.records) on a real journal."""

import pytest

from client.domain.errors import UserError
from client.domain.ids import EventId
from client.domain.record.values import event_id
from client.domain.timetable import SlotKey
from client.service.records import (
    Ended,
    RecordService,
    RunningTimer,
    TaughtBy,
    Understood,
    whole_seconds,
)
from tests.journal_room import make_journal

SLOT = SlotKey(day=2, period=1, class_id="c3")


@pytest.fixture
def journal(tmp_path):
    made = make_journal(tmp_path)
    yield made
    made.close()


@pytest.fixture
def records(journal):
    return RecordService(journal, lambda: ("c3", "c5"))


def lines(records, class_id=None):
    return [(row.kind, row.value) for row in records.facts(class_id)]


def test_r1_r2_what_is_added_is_listed_oldest_first(records, journal):
    given = [
        ("headcount", "13"),
        ("note", "余数再讲"),
        ("answer", "A=3,B=1"),
        ("opened", ""),
        ("played", "0-90,120-300"),
    ]
    names = [records.add(kind, "c3", value, "L1").result() for kind, value in given]
    assert lines(RecordService(journal, tuple)) == given
    assert [event_id(row.id) for row in records.facts()] == names
    assert {row.lesson for row in records.facts()} == {"L1"}
    records.add("headcount", "c5", "9").result()
    assert lines(records, "c5") == [("headcount", "9")]


def test_r2_played_time_is_a_union(records):
    for value in ("0-90", "60-120", "200-210"):
        records.add("played", "c3", value, "L1").result()
    assert lines(records) == [("played", "0-120,200-210")]


def test_r3_unknown_classes_kinds_and_values_are_refused_at_once(records, journal):
    before = journal.count()
    for arguments, code in (
        (("headcount", "c9", "1"), "class_unknown"),
        (("marks", "c3", "1"), "record_kind_unknown"),
        (("headcount", "c3", "many"), "value_unreadable"),
    ):
        with pytest.raises(UserError) as caught:
            records.add(*arguments)
        assert caught.value.code == code
    with pytest.raises(UserError):
        records.facts(since="yesterday")
    assert journal.count() == before


def test_r2_a_fact_that_was_taken_back_is_gone(records):
    head = records.add("headcount", "c3", "13").result()
    note = records.add("note", "c3", "wrong").result()
    records.add("note", "c3", "right").result()
    records.take_back(head).result()
    records.take_back(note).result()
    assert lines(records) == [("note", "right")]
    with pytest.raises(UserError) as caught:
        records.take_back(EventId(bytes(16))).result()
    assert caught.value.code == "fact_unknown"


def open_class(records):
    opened = records.recorder.open(("c3",), "L1", SLOT, lesson_period=1)
    opened.recorded.result()
    return opened.sitting


def test_a_sitting_records_what_the_class_did(records):
    recorder = records.recorder
    sitting = open_class(records)
    recorder.played(sitting, ((0.0, 61.4), (58.2, 118.9))).result()
    recorder.cue(sitting, 2).result()
    recorder.question(sitting, 1, (("A", 3), ("B", 0))).result()
    recorder.question(sitting, 2, (("A", 1),)).result()
    recorder.question(sitting, 1, (("A", 4), ("B", 7))).result()
    recorder.headcount(sitting, "c3", 10).result()
    recorder.headcount(sitting, "c5", 6).result()
    recorder.headcount(sitting, "c3", 11).result()
    recorder.note(sitting, "first").result()
    recorder.note(sitting, "second").result()
    recorder.understood(sitting, "c3", Understood.HALF).result()
    recorder.understood(sitting, "c3", Understood.MOST).result()
    recorder.taught_by(sitting, TaughtBy.SUBSTITUTE).result()
    recorder.end(sitting, Ended.FINISHED, 719.6).result()
    assert lines(records) == [
        ("opened", ""),
        ("played", "0-119"),
        ("cue", "2"),
        ("answer", "A=1"),
        ("answer", "A=4,B=7"),
        ("headcount", "6"),
        ("headcount", "11"),
        ("note", "second"),
        ("understood", "most"),
        ("taught_by", "substitute"),
        ("ended", "finished"),
    ]
    (row,) = records.sittings()
    assert (row.how, row.screen_s, row.day, row.period) == (Ended.FINISHED, 720, 2, 1)
    recorder.note(sitting, "").result()
    recorder.understood(sitting, "c3", Understood.UNSAID).result()
    assert not {"note", "understood"} & {kind for kind, _ in lines(records)}


def test_r4_an_interrupted_sitting_is_found_where_it_stood(records, journal):
    sitting = open_class(records)
    timer = RunningTimer(name="练习", total_s=180.0, left_s=61.5)
    records.recorder.save_resume(
        sitting, part="P1", position_s=408.3, is_playing=True, page=2, cue=3, timers=(timer,)
    ).result()
    again = RecordService(journal, tuple)
    (found,) = again.unfinished()
    assert found.is_interrupted
    assert found.point.position_s == pytest.approx(408.3, abs=0.001)
    assert (found.point.day, found.point.period, found.point.lesson_period) == (2, 1, 1)
    assert found.point.timers == (timer,)
    again.recorder.go_on(found.point)
    again.recorder.played(sitting, ((408, 500),)).result()
    again.recorder.end(sitting, Ended.FINISHED).result()
    assert again.unfinished() == ()
    assert ("played", "408-500") in lines(again)


def test_r4_a_sitting_left_for_next_time_keeps_its_place(records, journal):
    sitting = open_class(records)
    records.recorder.save_resume(sitting, part=None, position_s=-3.0, is_playing=False).result()
    records.recorder.end(sitting, Ended.CARRY_ON).result()
    (found,) = RecordService(journal, tuple).unfinished()
    assert not found.is_interrupted
    assert found.point.position_s == 0.0
    records.recorder.open(("c3",), "L1").recorded.result()
    assert [one.is_interrupted for one in records.unfinished()] == [True]


def test_r4_a_place_is_not_forgotten_before_the_end_is_durable(records, journal):
    sitting = open_class(records)
    journal.close()
    assert records.recorder.end(sitting, Ended.FINISHED).exception() is not None
    assert journal._database is not None


def test_a_sitting_that_was_no_class_is_ended_and_listed_as_such(records):
    sitting = open_class(records)
    records.recorder.end(sitting, Ended.NOT_A_CLASS).result()
    assert records.unfinished() == ()
    assert records.sittings()[0].how is Ended.NOT_A_CLASS


def test_sittings_that_were_listed_before_stay_true(records, journal):
    first = open_class(records)
    assert [row.how for row in records.sittings()] == [None]
    records.recorder.end(first, Ended.CARRY_ON).result()
    records.recorder.end(first, Ended.FINISHED).result()
    second = open_class(records)
    assert [(row.sitting, row.how) for row in records.sittings()] == [
        (first, Ended.FINISHED),
        (second, None),
    ]
    assert records.sittings() == RecordService(journal, tuple).sittings()


def test_the_stretches_of_a_sitting_are_joined(records):
    sitting, other = open_class(records), open_class(records)
    records.recorder.played(sitting, ((0, 30), (20, 40))).result()
    records.recorder.played(other, ((50, 60),)).result()
    assert records.stretches(sitting) == ((0, 40),)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (((0.0, 0.1),), ((0, 1),)),
        (((0.4, 10.5),), ((0, 10),)),
        (((5.9, 5.95),), ((5, 6),)),
        (((20.0, 30.0), (0.0, 4.6)), ((0, 5), (20, 30))),
        ((), ()),
    ],
)
def test_stretches_are_rounded_to_whole_seconds(given, expected):
    assert whole_seconds(given) == expected
