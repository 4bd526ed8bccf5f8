"""One stick goes from a hub through two schools and back (sync.engine.courier_commands)."""

import contextlib
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from client.service.paths import ROOT
from tests.media import ClipSpec, clip

MAIN = (sys.executable, str(ROOT / "main.py"))
PDF = b"%PDF-1.4\n%%EOF\n"
UNIT = "三年级/数学/第六单元 认识分数"


def run(*arguments: object, code: int = 0) -> dict:
    done = subprocess.run(
        [*MAIN, "--json", *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    return json.loads(done.stdout)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def county_disk(folder: Path) -> Path:
    """What a county keeps: two lessons of a unit."""
    for number, title in enumerate(("分一分", "比大小")):
        home = folder / UNIT / title
        home.mkdir(parents=True)
        film = clip(ClipSpec(seconds=2, width=320, height=180)).read_bytes()
        (home / "film.mp4").write_bytes(film + bytes([number]))
        (home / "课件.pdf").write_bytes(PDF + bytes([number]))
    return folder


@contextlib.contextmanager
def running(data: Path, code_file: Path) -> Iterator[str]:
    arguments = ("hub", "--data", data, "--port", "0", "--admin-code-file", code_file)
    with subprocess.Popen([*MAIN, *map(str, arguments)], stdout=subprocess.PIPE, text=True) as hub:
        assert hub.stdout is not None
        try:
            yield hub.stdout.readline().strip()
        finally:
            hub.send_signal(signal.SIGTERM)
        assert hub.wait() == 0


def trust_of(room, lesson: str) -> set[tuple[str, str]]:
    parts = run(*room, "catalogue", "show", lesson)["parts"]
    return {(part["trust"], part["availability"]) for part in parts}


def spoil(stick: Path, outside: Path, round_: int) -> None:
    """Fill a stick with what somebody may put there who wishes ill; what lies there stays."""
    luck = random.Random(round_)
    tongke, box = stick / "TONGKE", stick / "TONGKE" / "x"
    for folder in (tongke, tongke / "s", box):
        folder.mkdir(exist_ok=True)
        for ending in (".idx", ".les", ".ask", ".say", ".part", ".new"):
            for name in (luck.randbytes(8).hex(), f"{luck.randbytes(16).hex()}-00"):
                (folder / (name + ending)).write_bytes(luck.randbytes(luck.randrange(3000)))
        (folder / f"{luck.randbytes(8).hex()}.idx").symlink_to(outside)
        (folder / f"{luck.randbytes(16).hex()}-00.ask").symlink_to(outside)
        (folder / f"{luck.randbytes(16).hex()}-01.ask").mkdir()
        os.mkfifo(folder / f"{luck.randbytes(8).hex()}.idx")
    for ask in [path for path in box.glob("*.ask") if path.is_file()]:
        if not ask.with_suffix(".say").exists():
            ask.with_suffix(".say").write_bytes(luck.randbytes(200))
    for index in [path for path in tongke.glob("*.idx") if path.is_file()]:
        data = bytearray(index.read_bytes() or b"x")
        data[luck.randrange(len(data))] ^= 1
        index.with_name(f"{luck.randbytes(8).hex()}.idx").write_bytes(data)
    (stick / f"三年级{round_}").symlink_to(outside.parent)
    (stick / f"film{round_}.mp4").write_bytes(b"<html>")
    (stick / f"autorun{round_}.inf").write_bytes(b"[autorun]")


def test_a_stick_goes_from_a_hub_through_two_schools_and_back(tmp_path):
    """CU1 CU2 CU5 FC2 FC4: somebody fills it anew on each of its ways, and does no harm."""
    outside = tmp_path / "outside" / "diary.txt"
    outside.parent.mkdir()
    outside.write_text("mine")
    data, code_file, stick = tmp_path / "hub", tmp_path / "code.txt", tmp_path / "stick"
    stick.mkdir()
    county, *schools = [("--profile", tmp_path / name) for name in ("county", "one", "two")]
    run(*county, "source", "add", "folder", county_disk(tmp_path / "disk"))
    with running(data, code_file) as url:
        for number, room in enumerate(schools, 1):
            run(*room, "room", "set", "--school", f"{number}号教学点", "--room", "教室")
            run(*room, "class", "add", "三年级", "--grade", "3")
            run(*room, "record", "add", "headcount", "--class", "三年级", "--value", f"1{number}")
            run(*room, "source", "add", "hub", url, "--code", code_file.read_text("ascii"))

    go_round(tmp_path, outside, county, schools)
    check_rooms(tmp_path)
    assert [path.read_text() for path in outside.parent.iterdir()] == ["mine"]


def go_round(folder: Path, outside: Path, county: tuple, schools: list[tuple]) -> None:
    data, stick = folder / "hub", folder / "stick"
    # At the hub: lessons out.
    packed = run(*county, "courier", "pack", stick, "--data", data, "--for", "教学点")
    assert (packed["lessons"], packed["rejected"]) == (2, [])
    film = stick / UNIT.replace("/数学", "/数学") / "01 分一分" / "视频.mp4"
    assert film.is_file()
    assert run(*county, "courier", "pack", stick, "--data", data)["copied_bytes"] == 0

    # In the first school: the record out, lessons in, and the stick goes on.
    spoil(stick, outside, 1)
    seen = run(*schools[0], "courier", "inspect", stick)
    assert {(one["trust"], one["held"]) for one in seen["lessons"]} == {("attested", False)}
    taken = run(*schools[0], "courier", "unpack", stick)
    assert taken["lessons"] == 2
    assert {one["what"].partition("/")[0] for one in taken["rejected"]} == {"TONGKE"}
    assert taken["left_events"] > 0
    lesson = seen["lessons"][0]["id"]
    assert trust_of(schools[0], lesson) == {("attested", "present")}
    again = run(*schools[0], "courier", "unpack", stick)
    assert (again["lessons"], again["copied_bytes"]) == (0, 0)

    # A stick of the first school for the second: the hub's word goes with it.
    other = folder / "other"
    other.mkdir()
    spoil(other, outside, 2)
    assert run(*schools[0], "courier", "pack", other, "--lessons", lesson)["lessons"] == 1
    assert run(*schools[1], "courier", "unpack", other)["lessons"] == 1
    assert trust_of(schools[1], lesson) == {("attested", "present")}
    spoil(stick, outside, 3)
    assert run(*schools[1], "courier", "unpack", stick)["lessons"] == 1

    # Back at the hub both schools' records arrive; the next round brings the receipts.
    spoil(stick, outside, 4)
    back = run(*county, "courier", "pack", stick, "--data", data)
    assert back["answered"] == 2
    assert run("hub", "fsck", "--data", data)["sound"] is True
    spoil(stick, outside, 5)
    for room in schools:
        closed = run(*room, "courier", "unpack", stick)
        assert closed["receipts"] > 0
        assert closed["left_events"] == 0
    listed = run("hub", "nodes", "--data", data)["nodes"]
    assert len(listed) == 2


def check_rooms(folder: Path) -> None:
    """Both schools have the county's films, and nothing that is not what its name says."""
    films = {digest(path) for path in (folder / "disk").rglob("*.mp4")}
    for room in ("one", "two"):
        files = [path for path in (folder / room / "blobs").rglob("*") if path.is_file()]
        assert all(digest(path) == path.stem for path in files)
        assert films == {path.stem for path in files if path.suffix == ".mp4"}


def test_a_strangers_stick_brings_lessons_that_are_observed(tmp_path):
    """No hub knows the packer: what it brings is decoded here and marked."""
    stranger, room = (("--profile", tmp_path / name) for name in ("stranger", "room"))
    stick = tmp_path / "stick"
    run(*room, "courier", "unpack", stick, code=3)
    stick.mkdir()
    run(*stranger, "source", "add", "folder", county_disk(tmp_path / "disk"))
    asked = ("--lessons", "nobody-knows-it")
    assert run(*stranger, "courier", "pack", stick, *asked, code=4)["rejected"] == [
        {"what": "nobody-knows-it", "why": "lesson_unknown"}
    ]
    assert run(*stranger, "courier", "pack", stick)["lessons"] == 2
    taken = run(*room, "courier", "unpack", stick)
    assert taken["lessons"] == 2
    lesson = run(*room, "courier", "inspect", stick)["lessons"][0]
    assert (lesson["trust"], lesson["held"]) == ("observed", True)
    assert trust_of(room, lesson["id"]) == {("observed", "present")}
