"""Killing a fetch at every named point and at random times: B2, G1, K1, F1, V2, E1, X1, X2.

Acknowledged is what a separate observer read before the kill. The oracle for "no verified byte
fetched again" is the replica: a segment or document it sent whole is not sent whole again once
the room had marked it.
"""

import hashlib
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from client.domain.availability import PartState
from client.domain.catalogue import Lesson, Role
from client.domain.failpoint import (
    COURIER_POINTS,
    JOURNAL_POINTS,
    POINTS,
    PUBLISH_POINTS,
    PURGE_POINTS,
    ROSTER_POINTS,
    VARIABLE,
)
from client.domain.holding import part_state
from client.store.database import quick_check
from sync.engine.pacing import MOST_WIDTH
from tests.fetch_room import fetch_room, prepare, rendition
from tests.replica import Replica, Replicas

pytestmark = [pytest.mark.shared, pytest.mark.skipif(os.name == "nt", reason="kills by signal")]

KILLS = int(os.environ.get("TONGKE_KILLS", "6"))


@pytest.fixture(scope="module")
def peer(replicas: Replicas) -> Replica:
    return replicas()


@pytest.fixture(scope="module")
def library(peer: Replica, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepare(peer, tmp_path_factory.mktemp("library"))


@pytest.fixture
def lesson(peer: Replica, library: Path, tmp_path: Path) -> Lesson:
    peer.reset()
    with fetch_room(tmp_path / "room", peer.base, library=library) as room:
        return room.lesson()


def life(profile: Path, peer: Replica, lesson: Lesson, point: str = "") -> subprocess.Popen[str]:
    environment = {**os.environ, VARIABLE: point}
    return subprocess.Popen(
        [sys.executable, "-m", "tests.fetch_child", str(profile), peer.base, lesson.id],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=Path(__file__).resolve().parents[2],
    )


def finish(child: subprocess.Popen[str]) -> set[str]:
    """What the observer read before the child ended."""
    output, _ = child.communicate(timeout=60)
    # A torn last line was not read by anybody.
    return set(output.rpartition("\n")[0].splitlines())


def whole_bytes(lesson: Lesson) -> int:
    films = [part for part in lesson.parts if part.role is Role.VIDEO]
    return rendition(lesson).total_bytes * len(films)


def segments(peer: Replica, lesson: Lesson) -> list[dict[str, int]]:
    """Segments of the lesson's first film as the replica knows them."""
    path = rendition(lesson).path

    def walk(value: object) -> list[dict[str, int]]:
        if isinstance(value, dict):
            if "segments" in value and path in str(value):
                return list(value["segments"])
            value = list(value.values())
        found = (walk(one) for one in value) if isinstance(value, list) else ()
        return next((one for one in found if one), [])

    return walk(peer.truth(lesson=lesson.id))


def check_room(profile: Path, peer: Replica, lesson: Lesson, told: set[str]) -> None:
    """Everything acknowledged is here and sound; the whole lesson is."""
    assert quick_check(profile / "library.db")
    with fetch_room(profile, peer.base) as room:
        held = room.holdings.of_lesson(lesson.id)
        here = {f"{h.path} {h.blob.digest}" for h in held if h.blob is not None}
        assert told - {"complete"} <= here
        assert {part_state(part, held) for part in lesson.parts} == {PartState.PRESENT}
        for holding in held:
            assert holding.file is not None
            assert holding.blob is not None
            digest = hashlib.sha256(holding.file.read_bytes()).hexdigest()
            assert digest == holding.blob.digest
    assert list((profile / "blobs" / "incoming").iterdir()) == []


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("point", POINTS)
def test_a_kill_at_any_point_costs_no_verified_byte(
    peer: Replica, lesson: Lesson, tmp_path: Path, point: str, count: int
) -> None:  # B2, F1, V2
    profile = tmp_path / "room"
    killed = life(profile, peer, lesson, f"{point}:{count}")
    told = finish(killed)
    is_once = point in {"fetch.after_playlist", "fetch.after_probe"}
    if count == 1 or not is_once:
        assert killed.returncode == -signal.SIGKILL, f"{point} was never passed"
    told |= finish(life(profile, peer, lesson))
    assert "complete" in told
    check_room(profile, peer, lesson, told)
    # The replica counts whole answers. One segment for each connection may have been whole there
    # and not yet marked here; one whose list line was torn away may come once more.
    largest = max(one["size"] for one in segments(peer, lesson))
    again = peer.body_bytes("media.segment") - whole_bytes(lesson)
    assert again <= MOST_WIDTH * largest
    films = [part for part in lesson.parts if part.role is Role.VIDEO]
    assert peer.requests("media.playlist") <= len(films) + 1
    assert peer.requests("key") == 0


def test_random_kills_lose_nothing_that_was_told(
    peer: Replica, lesson: Lesson, tmp_path: Path
) -> None:  # E1, K1
    profile = tmp_path / "room"
    peer.fault("slow", match=r"\.ts$", params={"bytes_per_second": 1_500_000})
    luck = random.Random(5)
    told: set[str] = set()
    for _ in range(KILLS):
        child = life(profile, peer, lesson)
        time.sleep(luck.uniform(0.3, 1.2))  # a kill from outside falls where it falls
        child.kill()
        told |= finish(child)
    peer.fault("none")
    told |= finish(life(profile, peer, lesson))
    assert "complete" in told
    check_room(profile, peer, lesson, told)


def test_a_deleted_database_is_made_again_from_what_lies_on_the_disk(
    peer: Replica, lesson: Lesson, tmp_path: Path
) -> None:  # K2
    profile = tmp_path / "room"
    told = finish(life(profile, peer, lesson))
    assert "complete" in told
    peer.reset("stats")
    for path in profile.glob("library.db*"):
        path.unlink()
    with fetch_room(profile, peer.base) as room:
        assert not room.holdings.is_adopted()
        report = room.holdings.adopt(
            lambda one: room.catalogue.put_whole((one,)) and None, "2027-05-18"
        )
        assert (report.lessons, report.damaged) == (1, 0)
        assert report.files == len(lesson.parts)
        assert [kept.id for kept in room.holdings.kept_lessons()] == [lesson.id]
        known = room.catalogue.lesson(lesson.id)
        assert known is not None
        assert known.parts == lesson.parts
        assert room.fetch(known).bytes_received == 0
    check_room(profile, peer, lesson, told)
    assert peer.requests("media") == 0


def test_without_the_variable_no_point_does_anything() -> None:  # X2
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from client.domain.failpoint import *; [failpoint(p) for p in POINTS]",
        ],
        check=False,
        env={k: v for k, v in os.environ.items() if k != VARIABLE},
        cwd=Path(__file__).resolve().parents[2],
    )
    assert done.returncode == 0


def test_every_point_named_in_the_code_is_listed() -> None:  # X1
    root = Path(__file__).resolve().parents[2]
    named = {
        name
        for folder in ("client", "sync", "ui")
        for path in (root / folder).rglob("*.py")
        for name in re.findall(r'failpoint\("([^"]+)"\)', path.read_text())
    }
    assert named == {
        *POINTS,
        *JOURNAL_POINTS,
        *COURIER_POINTS,
        *PUBLISH_POINTS,
        *PURGE_POINTS,
        *ROSTER_POINTS,
    }
