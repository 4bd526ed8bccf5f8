"""Twelve tasks of the day on one mirrored screen, by keys only, in the real program.

Each task is told what the wall must show or the record must say. The number of presses is
asserted; seconds are printed with `-s`.
"""

import time
from dataclasses import dataclass, field

import pytest

from tests.app_driver import Desk, Film, crop, is_black, school_zone
from tests.display import virtual_display

pytestmark = pytest.mark.xvfb
WHOLE = (0, 0, 1920, 1080)
UPPER = (0, 0, 1920, 600)


@dataclass
class Day:
    """One class, its film, and what each task took."""

    desk: Desk
    film: Film
    took: list[tuple[str, int, float]] = field(default_factory=list)

    def second(self) -> float | None:
        return self.film.second_on(crop(self.desk.grab(), WHOLE))

    def do(self, task: str, keys: tuple[str, ...], shows) -> None:
        began = time.monotonic()
        self.desk.keys(*keys)
        self.desk.wait_for(shows, task)
        self.took.append((task, len(keys), round(time.monotonic() - began, 2)))


def test_twelve_tasks_by_keys_only(tmp_path, demo):
    film = Film(next(demo.rglob("*分一分（一）*/视频.mp4")), upper=0.6)
    with virtual_display("1920x1080x24") as display:
        day = Day(Desk(tmp_path / "profile", display, school_zone(8, 32)), film)
        with day.desk.app("--demo"):
            day.desk.wait_until_still()
            teach(day)
            finish(day)
        facts = day.desk.tell("record", "list")["facts"]
    for name, presses, seconds in day.took:
        print(f"{name:<14} {presses} presses {seconds:5.2f} s")
    assert len(day.took) == 12
    assert all(presses <= 2 for _, presses, _ in day.took)
    kinds = {fact["kind"]: fact["value"] for fact in facts}
    assert kinds["answer"].startswith("A=1")
    assert kinds["headcount"] == "14"
    assert kinds["ended"] == "finished"


def teach(day: Day) -> None:
    day.do("start", ("Return", "Return"), lambda: day.second() is not None)
    day.do("play", ("space",), lambda: (day.second() or 0.0) >= 8.0)
    day.do("pause", ("space",), lambda: stands_still(day))
    before = day.second()
    assert before is not None
    day.do("back", ("Left",), lambda: is_before(day, before - 3.0))
    day.do("again", ("Up",), lambda: is_before(day, 1.0))
    day.do("black", ("b",), lambda: is_black(crop(day.desk.grab(), WHOLE)))
    day.do("picture", ("b",), lambda: day.second() is not None)
    day.do("slides", ("k",), lambda: day.second() is None)
    day.do("film", ("k", "k"), lambda: day.second() is not None)


def finish(day: Day) -> None:
    day.do("ask", ("q", "1"), lambda: day.second() is None)
    day.do("count", ("q", "plus"), lambda: day.second() is not None)
    day.desk.hold("Escape", 2.0)
    day.desk.wait_until_still()
    day.do("end", ("Return",), lambda: day.second() is None)
    day.desk.wait_until_still()


def stands_still(day: Day) -> bool:
    first = crop(day.desk.grab(), UPPER).tobytes()
    time.sleep(0.3)
    return crop(day.desk.grab(), UPPER).tobytes() == first


def is_before(day: Day, second: float) -> bool:
    shown = day.second()
    return shown is not None and shown <= second
