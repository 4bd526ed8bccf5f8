"""The demo school comes as a stick does (sync.engine.demo_school), once."""

import pytest

from client.domain.availability import Decodes, Trust
from client.domain.cancel import CancelToken
from client.domain.clock import FrozenClock
from client.domain.errors import UserError
from client.service.paths import Profile
from client.service.station import Station
from sync.engine.demo_school import open_demo, pack_demo

LESSON = """title = "分一分"
grade = "{grade}"
subject = "数学"
edition = "北师大版"
volume = "下册"
unit = "第六单元"
"""


@pytest.fixture
def demo(tmp_path):
    for grade in ("三年级", "四年级"):
        folder = tmp_path / "demo" / grade
        folder.mkdir(parents=True)
        (folder / "lesson.toml").write_text(LESSON.format(grade=grade), encoding="utf-8")
        (folder / "sheet.pdf").write_bytes(b"%PDF-1.4 " + grade.encode())
    packed = pack_demo(tmp_path / "demo", tmp_path / "stick", FrozenClock())
    assert (len(packed.lessons), packed.rejected) == (2, ())
    return tmp_path / "stick"


@pytest.fixture
def station(tmp_path):
    opened = Station(Profile(tmp_path / "profile"), FrozenClock())
    yield opened
    opened.close()


def test_an_empty_room_becomes_the_demo_school(station, demo):
    report = open_demo(station, lambda _: Decodes.YES, CancelToken(), demo)
    room = station.room.snapshot()
    assert len(report.lessons) == 2
    assert [group.grade for group in room.classes] == [3, 5]
    assert {choice.class_id for choice in room.chosen_books} == {"c3"}
    maths = [slot for slot in room.slots if slot.lesson is not None]
    assert {slot.key.class_id for slot in maths} == {"c3"}
    assert {slot.key.day for slot in maths} == set(range(1, 8))


def test_a_room_that_is_set_up_keeps_its_own_week(station, demo):
    station.room.set_room("mine", "room").result()
    open_demo(station, lambda _: Decodes.YES, CancelToken(), demo)
    assert station.room.snapshot().slots == ()
    assert len(station.holdings.kept_lessons()) == 2


def test_its_files_are_tried_here_and_vouched_for_by_nobody(station, demo):
    asked = []
    open_demo(station, lambda path: asked.append(path) or Decodes.YES, CancelToken(), demo)
    blobs = [
        one.blob
        for kept in station.holdings.kept_lessons()
        for one in station.holdings.of_lesson(kept.id)
    ]
    assert [blob.trust for blob in blobs] == [Trust.OBSERVED] * 2
    assert asked == [], "papers are not tried"


def test_it_is_packed_anew_over_what_lay_there(tmp_path, demo):
    (demo / "old.txt").write_text("x", encoding="utf-8")
    pack_demo(tmp_path / "demo", demo, FrozenClock())
    assert not (demo / "old.txt").exists()
    assert not (tmp_path / "stick.new").exists()


@pytest.mark.parametrize("name", ["none", "demo"])
def test_a_demo_that_was_never_made_is_told(station, tmp_path, demo, name):
    """A tree of folders that nobody packed is none."""
    with pytest.raises(UserError) as caught:
        open_demo(station, lambda _: Decodes.YES, CancelToken(), tmp_path / name)
    assert caught.value.code == "no_demo"
