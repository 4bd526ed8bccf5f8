"""The walk through all screens: ui.screenshots, on the real program with an empty room."""

from pathlib import Path

import pytest

from client.domain.availability import Decodes
from client.domain.clock import SystemClock
from client.domain.errors import PlayerError
from client.domain.ids import BookId, LessonId
from client.domain.timetable import Slot, SlotKey
from client.service.paths import Profile
from client.service.station import Station
from tests.no_link import NoLink
from ui import screenshots
from ui.program import Parts, Program
from ui.screenshots import Look, Walk, write_index

LOOK = Look(name="small", sizes=((1024, 768),))


def no_player():
    raise PlayerError("player_missing")


@pytest.fixture
def program(qtbot, tmp_path, monkeypatch):
    monkeypatch.setattr(screenshots, "SETTLE_MS", 40)
    station = Station(Profile(tmp_path / "profile"), SystemClock())
    made = Program(
        Parts(
            services=station,
            clock=station.clock,
            player=no_player,
            link=NoLink,  # type: ignore[arg-type]
            prints=tmp_path,
            demo=tmp_path,
            check_address=lambda _: None,
            decodes=lambda _: Decodes.YES,
        )
    )
    made.station = station
    qtbot.addWidget(made.window)
    yield made
    made.close()
    station.close()


def names(pictures: list[Path]) -> set[str]:
    assert all(path.stat().st_size > 4000 for path in pictures)
    return {path.stem.removeprefix("t-small-1024x768-") for path in pictures}


def test_an_empty_profile_is_walked_through_first_run(program, tmp_path) -> None:
    """SS1."""
    taken = Walk(program, tmp_path / "shots", (LOOK,)).run("t")
    assert names(taken) == {
        "first-run-1-language",
        "first-run-2-room",
        "first-run-3-sources",
        "first-run-4-books",
        "first-run-5-week",
    }
    index = write_index(tmp_path / "shots", taken)
    assert index.read_text(encoding="utf-8").count("<img") == 5


def test_a_room_is_walked_page_by_page(program, tmp_path) -> None:
    """SS1."""
    room = program.station.room
    for grade in (3, 5):
        class_id = room.add_class(f"{grade}年级", grade, 10).result()
        room.choose_book(class_id, "数学", BookId("none")).result()
        for day in range(1, 8):
            key = SlotKey(day=day, period=1, class_id=class_id)
            room.set_slot(Slot(key=key, subject="数学")).result()
    opened = program.station.records.recorder.open((class_id,), LessonId("gone"))
    opened.recorded.result()
    taken = names(Walk(program, tmp_path / "shots", (LOOK,)).run("t"))
    pages = {"today", "library", "timetable", "classes", "transfer", "settings", "doctor"}
    assert pages | {"today-offline", "today-forgets", "today-swap", "today-error"} <= taken
    assert {"timetable-editor", "timetable-paste"} <= taken
    assert {"classes-open", "classes-rtl"} <= taken
