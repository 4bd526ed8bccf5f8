"""The main job, end to end, with everything real: a room, its week, a lesson over a link that
breaks, no network, a class on the wall, a power cut in the middle, and the record of it.

Set TONGKE_TEST_PICTURES to a folder to keep a picture of every station.
"""

import json
import os
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from tests.app_driver import Desk, Film, crop, is_black, school_zone
from tests.display import virtual_display
from tests.replica import Replica

pytestmark = [pytest.mark.shared, pytest.mark.xvfb]
PICTURES = os.environ.get("TONGKE_TEST_PICTURES")
WHOLE = (0, 0, 1920, 1080)
PROJECTOR = (1920, 0, 1280, 720)


@pytest.fixture
def peer(shared_dir):
    """A platform that wants a login and whose plain videos may be fetched."""
    replica = Replica(shared_dir / "tools", "--token", "village", "--drm-share", "0.2")
    replica.truth()
    yield replica
    if replica.process.poll() is None:
        replica.stop()


def split(display: str) -> None:
    """Make two monitors of the one virtual screen."""
    for name, place, output in (
        ("TEACHER", "1920/508x1080/286+0+0", "screen"),
        ("PROJ", "1280/339x720/190+1920+0", "none"),
    ):
        command = ["xrandr", "--setmonitor", name, place, output]
        subprocess.run(command, env={**os.environ, "DISPLAY": display}, check=True)


def prepare(desk: Desk, peer: Replica, folder: Path) -> dict:
    """Set up the room and its week, find a lesson by initials, fetch it over a breaking link."""
    token = folder / "token.json"
    token.write_text(json.dumps({"access_token": "village"}))
    desk.tell("room", "set", "--school", "云岭村小学", "--room", "三五年级教室")
    desk.tell("class", "add", "三年级", "--grade", "3")
    desk.tell("class", "add", "五年级", "--grade", "5")
    desk.tell("source", "add", "platform", peer.base, "--token-file", str(token))
    peer.fault("cut", probability=0.2)
    desk.tell("catalogue", "sync")
    books = desk.tell("book", "list")["books"]
    book = next(b for b in books if (b["grade"], b["subject"]) == ("三年级", "数学"))
    desk.tell("book", "choose", book["id"])
    assert [b["id"] for b in desk.tell("book", "list", "--chosen")["books"]] == [book["id"]]
    desk.tell("catalogue", "sync", "--details")
    plain = {
        lesson["id"]
        for shelf in peer.truth()["books"]
        for lesson in shelf["lessons"]
        if not lesson["protected"] and lesson["type"] == "national_lesson" and lesson["videos"]
    }
    found = desk.tell("catalogue", "search", "sj", "--limit", "50")["results"]
    found += desk.tell("catalogue", "search", "rs", "--limit", "50")["results"]
    lesson = next(row for row in found if row["id"] in plain and row["grade"] == "三年级")
    peer.faults(
        {"profile": "cut", "probability": 0.4},
        {"profile": "flaky-5xx", "probability": 0.2},
    )
    for _ in range(6):
        code, report = desk.ask("lesson", "fetch", lesson["id"])
        if code == 0:
            break
    assert code == 0, report
    stats = peer.stats()["classes"]
    assert "key" not in stats
    assert "media.segment.protected" not in stats
    peer.fault("none")
    peer.reset("stats")
    again = desk.tell("lesson", "fetch", lesson["id"])
    assert again["bytes_received"] == 0
    assert peer.requests("media.segment") == 0
    shown = desk.tell("catalogue", "show", lesson["id"])
    assert shown["availability"] == "ready"
    for period in range(1, 7):
        desk.tell(
            "timetable", "set", "三年级", desk.weekday(), str(period), "数学",
            "--lesson", lesson["id"],
        )  # fmt: skip
    return shown


def video_of(lesson: dict) -> Path:
    return Path(next(p["path"] for p in lesson["parts"] if p["role"] == "video"))


def second_shown(desk: Desk, film: Film, box) -> float | None:
    return film.second_on(crop(desk.grab(), box))


def has_shown(desk: Desk, film: Film, box, least: float) -> bool:
    second = second_shown(desk, film, box)
    return second is not None and second >= least


def keep(desk: Desk, screens: str, name: str) -> None:
    desk.save(Path(PICTURES) / screens if PICTURES else None, name)


def teach_until_the_plug_is_pulled(desk: Desk, film: Film, box, screens: str) -> float:
    """Two presses from 今天 to the moving picture; returns the second on the wall."""
    with desk.app():
        desk.wait_until_still()
        keep(desk, screens, "1-today")
        desk.keys("Return")
        desk.wait_for(lambda: second_shown(desk, film, box) is not None, "the first picture")
        keep(desk, screens, "2-stage")
        desk.keys("space")
        desk.wait_for(lambda: has_shown(desk, film, box, 8.0), "eight seconds of the lesson")
        keep(desk, screens, "3-playing")
        before = second_shown(desk, film, box)
        assert before is not None
        return before


def go_on_and_end(desk: Desk, film: Film, box, screens: str, before: float) -> None:
    """Start again on the same second, stop, again, black, end, 好了."""
    with desk.app():
        desk.wait_until_still()
        keep(desk, screens, "4-resume-offered")
        desk.keys("Return")
        desk.wait_for(lambda: second_shown(desk, film, box) is not None, "the picture again")
        after = second_shown(desk, film, box)
        keep(desk, screens, "5-resumed")
        assert after is not None
        assert abs(after - before) <= 5.0
        desk.keys("space")
        desk.wait_for(lambda: has_shown(desk, film, box, after + 2), "going on")
        desk.keys("b")
        desk.wait_for(lambda: is_black(crop(desk.grab(), box)), "black")
        desk.keys("b")
        desk.wait_for(lambda: second_shown(desk, film, box) is not None, "the picture back")
        desk.keys("q")
        desk.keys("1", "1", "1", "2")
        desk.wait_until_still()
        keep(desk, screens, "6-question")
        desk.keys("q")
        desk.hold("Escape", 2.0)
        desk.wait_until_still()
        keep(desk, screens, "7-end-page")
        desk.keys("Return")
        desk.wait_until_still()
        keep(desk, screens, "8-today-after")


def check_record(desk: Desk, lesson: dict, before: float) -> None:
    """What the class did is recorded and stays, also without library.db."""
    facts = [f for f in desk.tell("record", "list")["facts"] if f["lesson"] == lesson["id"]]
    kinds = [fact["kind"] for fact in facts]
    assert kinds.count("opened") == 1
    assert kinds.count("ended") == 1
    answer = next(fact for fact in facts if fact["kind"] == "answer")
    assert answer["value"].startswith("A=3,B=1")
    played = [fact["value"] for fact in facts if fact["kind"] == "played"]
    ends = [int(stretch.split("-")[1]) for value in played for stretch in value.split(",")]
    assert max(ends) >= int(before)
    whole = desk.tell("record", "list")
    for path in desk.profile.glob("library.db*"):
        path.unlink()
    assert desk.tell("record", "list") == whole
    assert desk.tell("catalogue", "show", lesson["id"])["availability"] == "ready"
    verified = desk.tell("lesson", "verify")
    assert (verified["bad"], verified["checked"] > 0) == (0, True)


@pytest.mark.parametrize("screens", ["mirrored", "two"])
def test_the_main_job(tmp_path, peer, screens):
    is_two = screens == "two"
    with virtual_display("3200x1080x24" if is_two else "1920x1080x24") as display:
        if is_two:
            split(display)
        box = PROJECTOR if is_two else WHOLE
        desk = Desk(tmp_path / "profile", display, school_zone(9, 30))
        lesson = prepare(desk, peer, tmp_path)
        peer.stop()
        code, answer = desk.ask("catalogue", "sync")
        assert (code, answer["error"]["kind"]) == (4, "resource")
        film = Film(video_of(lesson))
        before = teach_until_the_plug_is_pulled(desk, film, box, screens)
        go_on_and_end(desk, film, box, screens, before)
        check_record(desk, lesson, before)


def test_a_film_knows_its_own_pictures(tmp_path):
    """The judge itself: a still of second 3 is found at second 3, a white wall nowhere."""
    path = tmp_path / "clip.mp4"
    subprocess.run(
        ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=320x180:d=8", str(path)],
        check=True,
    )
    still = tmp_path / "still.png"
    subprocess.run(["ffmpeg", "-v", "error", "-ss", "3", "-i", str(path), "-frames:v", "1",
                    str(still)], check=True)  # fmt: skip
    film = Film(path)
    found = film.second_on(Image.open(still).resize((1920, 1080)))
    assert found is not None
    assert abs(found - 3) <= 0.4
    assert film.second_on(Image.new("RGB", (1920, 1080), "white")) is None
