"""Lessons from a county's folder through its hub to a room: real programs, TLS, power cuts."""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from client.domain.failpoint import VARIABLE
from client.service.paths import ROOT
from sync.engine.hub_content import PIECE_BYTES
from sync.protocol.manifest import BLOCK_BYTES
from tests.content_world import UNIT, put
from tests.media import ClipSpec, clip

MAIN = (sys.executable, str(ROOT / "main.py"))
BLOCKS = 9
KEPT = 6
"""Blocks whose pieces are all on the disk when the power goes."""
MARKS = 2 + (KEPT + 1) * (BLOCK_BYTES // PIECE_BYTES + 1)
"""Those of the manifest and the film, and of each block one for every piece and its own."""
SHEETS = b"%PDF-1.4\n" + random.Random(4).randbytes(BLOCKS * BLOCK_BYTES)


def start(*arguments: object, failpoint: str = "") -> "subprocess.Popen[str]":
    command = [*MAIN, "--json", *map(str, arguments)]
    wishes = {**os.environ, VARIABLE: failpoint}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=wishes)


def run(*arguments: object) -> dict:
    with start(*arguments) as process:
        out, error = process.communicate()
    assert process.returncode == 0, error
    return json.loads(out)


@contextlib.contextmanager
def running(data: Path) -> Iterator[str]:
    """A hub as a process that speaks TLS on every address, loopback too."""
    process = start("hub", "--data", data, "--host", "0.0.0.0", "--port", 0)
    try:
        assert process.stdout is not None
        yield f"https://127.0.0.1:{urlsplit(process.stdout.readline().strip()).port}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate()
    assert process.returncode == 0


def test_a_lesson_goes_from_a_folder_to_a_room_and_outlives_power_cuts(tmp_path):
    disk, data = tmp_path / "disk", tmp_path / "hub"
    film = clip(ClipSpec(seconds=2, width=320, height=180))
    put(disk, f"{UNIT}/分一分/film.mp4", film.read_bytes())
    put(disk, f"{UNIT}/分一分/课件.pdf", SHEETS)
    broken = put(disk, f"{UNIT}/比大小/film.mp4", film.read_bytes()[:64] + b"x" * 5000)
    made = run("hub", "publish", "--data", data, disk)
    assert (made["lessons"], made["files"]) == (2, 2)
    assert [one["why"] for one in made["left_out"]] == ["not_decoded"]
    room = ("--profile", tmp_path / "room")
    run(*room, "room", "set", "--school", "石板小学", "--room", "1号教室")
    with running(data) as url:
        code = (data / "admin-code.txt").read_text("ascii").strip()
        run(*room, "source", "add", "hub", url, "--code", code)
        first = run(*room, "catalogue", "sync")
        assert (first["books"], first["lessons"], first["requests"]) == (1, 2, 2)
        (found,) = run(*room, "catalogue", "search", "分一分")["results"]
        cut = start(*room, "lesson", "fetch", found["id"], failpoint=f"grow.after_mark:{MARKS}")
        cut.communicate()
        assert cut.returncode == -signal.SIGKILL
        done = run(*room, "lesson", "fetch", found["id"])
        assert done["bytes_reused"] > 0
        wanted = len(SHEETS) + film.stat().st_size - KEPT * BLOCK_BYTES
        assert done["bytes_received"] <= wanted + 1000
        shown = run(*room, "catalogue", "show", found["id"])
        assert shown["availability"] == "ready"
        assert {part["trust"] for part in shown["parts"]} == {"attested"}
        broken.unlink()
        put(disk, f"{UNIT}/量一量/课件.pdf", SHEETS[:100])
        again = run("hub", "publish", "--data", data, disk)
        assert 0 < again["delta_bytes"] < made["catalogue_bytes"]
        second = run(*room, "catalogue", "sync")
    assert (second["added"], second["lessons"], second["number"]) == (1, 3, again["number"])
    assert second["bytes_received"] < first["bytes_received"]
