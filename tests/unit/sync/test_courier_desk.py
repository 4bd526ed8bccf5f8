"""The courier and its commands (sync.engine.courier, sync.engine.courier_commands)."""

from dataclasses import replace
from pathlib import Path

import pytest

from client.domain.cancel import CancelToken
from client.domain.catalogue import Role
from client.domain.errors import Cancelled, StorageError, UserError
from client.domain.ids import LessonId
from client.domain.timetable import Pointer, Slot, SlotKey
from client.domain.want import Want
from client.service.command.parse import Invocation
from client.service.text import Words
from sync.engine.courier import Courier, CourierPorts
from sync.engine.courier_commands import CourierDesk, HubSide, labels_of
from sync.engine.hub_link import HubLink
from sync.transport.stick import Stick
from tests.courier_world import (
    BOOK,
    LABELS,
    SIZE,
    a_lesson,
    content,
    hub_of,
    keep,
    room,
    shown_files,
    yes,
)
from tests.log_world import Key

TWO = a_lesson("l2", (Role.SLIDES, "pdf"), title="比大小")


@pytest.fixture
def county(tmp_path):
    station = room(tmp_path / "county")
    keep(station, TWO, content(3))
    keep(station, a_lesson("l3", (Role.SLIDES, "pdf")), content(4))
    yield station
    station.close()


@pytest.fixture
def school(tmp_path):
    station = room(tmp_path / "school")
    yield station
    station.close()


@pytest.fixture
def stick(tmp_path):
    (tmp_path / "stick").mkdir()
    return tmp_path / "stick"


def courier(station, **more) -> Courier:
    return Courier(replace(CourierPorts(station=station, probe=yes, labels=LABELS), **more))


def call(folder, **values) -> Invocation:
    given = {"dir": folder, **values}
    return Invocation(command="", language="en", values=tuple(given.items()))


def test_a_stick_is_looked_into_before_and_after(county, school, stick):
    hub = Key()
    hub_of(school, hub)
    courier(county).pack(stick, site="石门教学点")
    seen = courier(school).inspect(stick)
    assert seen.sites == ("石门教学点",)
    assert sorted((one.id, one.size_bytes, one.missing) for one in seen.lessons) == [
        ("l2", SIZE, 0),
        ("l3", SIZE, 0),
    ]
    assert not any(one.is_attested or one.is_held for one in seen.lessons)
    courier(county).pack(stick, [TWO.id], signer=hub)
    (stick / next(one for one in shown_files(stick) if "l3" in one)).unlink()
    courier(school).results(stick)
    assert courier(school).unpack(stick).lessons == ("l2",)
    seen = courier(school).inspect(stick)
    assert sorted((one.id, one.is_attested, one.is_held, one.missing) for one in seen.lessons) == [
        ("l2", True, True, 0),
        ("l3", False, False, 1),
    ]
    assert (seen.requests, seen.answers) == (1, 0)
    courier(school).pack(stick)
    assert len(courier(county).inspect(stick).lessons) == 2


def test_what_is_taught_next_goes_first(county):
    """The week, then what somebody asked for, then the rest."""
    county.wants.put(Want(lesson=LessonId("l3"))).result()
    assert courier(county).all_lessons() == ("l3", "l2")
    room_ = county.room
    class_id = room_.add_class("三年级", 3).result()
    room_.choose_book(class_id, "数学", BOOK.id).result()
    key = SlotKey(class_id=class_id, day=1, period=1)
    room_.set_slot(Slot(key=key, subject="数学")).result()
    pointer = Pointer(class_id=class_id, subject="数学", lesson=TWO.id, period=0)
    room_.set_pointer(pointer).result()
    assert courier(county).all_lessons() == ("l2", "l3")


def test_a_stick_that_is_not_there_is_said_so(county, tmp_path):
    """CO2: nothing is made where there is none."""
    for act in ("results", "unpack", "pack", "inspect"):
        with pytest.raises(UserError, match="folder_missing"):
            getattr(courier(county), act)(tmp_path / "absent")
    assert not (tmp_path / "absent").exists()


def test_everything_stops_when_asked(county, stick):
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        courier(county, cancel=cancel).pack(stick)


def test_results_do_not_follow_a_link(county, stick, tmp_path):
    """CO1"""
    hub_of(county, Key())
    (tmp_path / "elsewhere").mkdir()
    (stick / "TONGKE").symlink_to(tmp_path / "elsewhere")
    carried = courier(county).results(stick)
    assert [one.why for one in carried.rejected] == ["is_link"]
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_an_error_of_the_log_is_no_error_of_the_stick(county, stick, monkeypatch):
    hub_of(county, Key())

    def by_folder(_self, _carrier):
        raise StorageError("store_failed")

    monkeypatch.setattr(HubLink, "by_folder", by_folder)
    with pytest.raises(StorageError, match="store_failed"):
        courier(county).results(stick)


def test_the_commands_answer_what_programs_read(county, school, stick):
    """CO1 CO2: results first, also for a hub's keeper, and then the stick may be pulled out."""
    said: list[str] = []
    hub, answered = Key(), []
    hub_of(school, hub)

    def answer(folder: Path) -> int:
        answered.append(shown_files(folder))
        return 3

    desk = CourierDesk(yes, said.append, CancelToken())
    commands = desk.commands(HubSide(signer=hub, answer=answer))
    packed = commands["courier pack"](county, call(stick, lessons=("l2", "l9"), **{"for": "石门"}))
    assert packed.exit_code == 4
    assert packed.value["lessons"] == 1
    assert (packed.value["size_bytes"], packed.value["answered"]) == (SIZE, 3)
    assert answered == [[]]
    assert said[-1] == Words("en")("courier.may_pull")
    assert desk.pack(county, call(stick)).exit_code == 0
    seen = desk.inspect(school, call(stick))
    assert {one["id"]: one["trust"] for one in seen["lessons"]} == {
        "l2": "attested",
        "l3": "observed",
    }
    assert seen["for"] == ("石门",)
    taken = commands["courier unpack"](school, call(stick))
    assert (taken["lessons"], taken["events"], taken["rejected"]) == (2, 0, ())
    assert taken["left_events"] > 0
    assert any("比大小" in line for line in said)


def test_the_folders_of_a_stick_are_named_in_the_rooms_words():
    labels = labels_of(Words("en"))
    assert labels.role(Role.VIDEO) == "Video"
    assert labels.elsewhere == "Other lessons"


def test_a_pace_is_told_every_step(county, stick):
    moved = [0]

    def pace(size):
        moved[0] += size

    courier(county, pace=pace).pack(stick)
    assert moved[0] > 4 * SIZE
    assert Stick(stick).is_there()
