"""班级 on a real profile (client.service.classes), with what another PC wrote."""

from datetime import UTC, datetime

import pytest

from client.domain.clock import FrozenClock
from client.domain.errors import UserError
from client.domain.ids import ClassId, LessonId
from client.domain.record import bodies as b
from client.service.paths import Profile
from client.service.records import Understood
from client.service.station import Station
from tests.journal_room import make_journal

C3, L1 = ClassId("c3"), LessonId("l1")


def elsewhere(folder, *bodies: b.Body) -> None:
    """Let another PC write into the log of a closed profile, having seen nothing of it."""
    key = folder / "journal.key"
    kept = key.rename(folder / "kept.key")
    journal = make_journal(folder)
    for body in bodies:
        journal.append(body).result()
    journal.close()
    kept.replace(key)


@pytest.fixture
def sitting(tmp_path):
    station = Station(Profile(tmp_path), FrozenClock())
    recorder = station.records.recorder
    opened = recorder.open((C3,), L1)
    recorder.note(opened.sitting, "one")
    recorder.understood(opened.sitting, C3, Understood.MOST).result()
    station.close()
    elsewhere(
        tmp_path,
        b.NoteWritten(
            note=bytes.fromhex(opened.sitting),
            sitting=opened.sitting,
            class_ids=(C3,),
            lesson=L1,
            text="two",
        ),
        b.UnderstoodWritten(sitting=opened.sitting, class_id=C3, level=Understood.FEW),
    )
    return opened.sitting


@pytest.fixture
def station(sitting, tmp_path):
    opened = Station(Profile(tmp_path), FrozenClock())
    yield opened
    opened.close()


def page(station):
    return station.classes.page().result()


def test_both_machines_are_told_apart_and_the_page_follows_what_comes(station, sitting) -> None:
    """CS1."""
    first = page(station)
    asked, real = [], station.journal.events
    station.journal.events = lambda **more: asked.append(more["after"]) or real(**more)
    assert [one.id for one in first.sittings()] == [sitting]
    for dispute in first.disputes:
        assert sorted(choice.is_here for choice in dispute.choices) == [False, True]
    assert page(station) == first
    heard = []
    station.classes.subscribe(lambda: heard.append(True))
    station.records.recorder.open((C3,), L1).recorded.result()
    assert heard
    assert len(list(page(station).sittings())) == 2
    assert len(real(after=asked[-1])) == 1
    assert real(after=asked[0]) == real(after=asked[-1])
    assert station.classes is station.classes


def test_a_decision_is_written_for_what_was_shown_and_can_be_undone(station) -> None:
    """CS2."""
    classes = station.classes
    by_type = {dispute.type: dispute for dispute in page(station).disputes}
    level = by_type[b.EventType.UNDERSTOOD]
    few = next(n for n, one in enumerate(level.choices) if one.body.level is Understood.FEW)
    name = classes.keep(level, few).result()
    assert [one.type for one in page(station).disputes] == [b.EventType.NOTE]
    both = classes.join(by_type[b.EventType.NOTE]).result()
    (one,) = page(station).sittings()
    assert one.understood == ((C3, Understood.FEW),)
    assert sorted(one.notes[0].split("\n")) == ["one", "two"]
    classes.undo(both).result()
    classes.undo(name).result()
    again = {dispute.type: dispute for dispute in page(station).disputes}
    assert {c.body.level for c in again[b.EventType.UNDERSTOOD].choices} == {
        Understood.MOST,
        Understood.FEW,
    }
    assert len(again[b.EventType.NOTE].choices) == 2
    with pytest.raises(UserError) as caught:
        classes.join(again[b.EventType.UNDERSTOOD])
    assert caught.value.code == "notes_do_not_join"


def test_what_came_after_the_page_was_read_stays_visible(station, sitting) -> None:
    """CS2: the decision does not know of it."""
    level = next(d for d in page(station).disputes if d.type is b.EventType.UNDERSTOOD)
    late = b.UnderstoodWritten(sitting=sitting, class_id=C3, level=Understood.HALF)
    station.journal.append(late).result()
    station.classes.keep(level, 0).result()
    left = next(d for d in page(station).disputes if d.type is b.EventType.UNDERSTOOD)
    assert Understood.HALF in {choice.body.level for choice in left.choices}


def test_the_time_is_that_of_the_clock(station) -> None:
    (day,) = page(station).days
    assert day.date == datetime(2027, 5, 18, 1, 16, tzinfo=UTC).astimezone().date()
