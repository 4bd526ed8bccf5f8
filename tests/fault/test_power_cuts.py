"""A room that fetches and teaches is killed again and again: P1 and the resume rule of P5.

Acknowledged is what a separate observer read from a pipe before the kill. What crossed the link is
what the replica counted. Where the blow falls is drawn: at a named fail-point inside, or by time
from outside.

Invariants of this test's world, checked after every kill:
  - every acknowledged fact is in the log, and the class goes on where it was last seen to stand;
  - every acknowledged file is here, and its bytes hash to its name;
  - a life is never sent more than what was not verified when it began.
"""

import hashlib
import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from client.domain.cancel import CancelToken
from client.domain.catalogue import LessonKind, Role
from client.domain.clock import SystemClock
from client.domain.failpoint import JOURNAL_POINTS, POINTS, VARIABLE
from client.domain.ids import LessonId
from client.domain.record.fold import Fold
from client.domain.timetable import Slot, SlotKey
from client.service.paths import Profile
from client.service.station import Station
from client.store.database import quick_check
from sync.engine.folder_import import import_folder
from sync.engine.pacing import MOST_WIDTH
from tests.fetch_room import films_protected, prepare, sees_everything
from tests.media import ClipSpec, clip
from tests.replica import Replica, Replicas

pytestmark = [pytest.mark.shared, pytest.mark.skipif(os.name == "nt", reason="kills by signal")]

ROOT = Path(__file__).resolve().parents[2]
KILLS = int(os.environ.get("TONGKE_KILLS", "24"))
"""200 on demand; fewer where every push has to wait for it."""
LESSONS = 12
MARKED = re.compile(r"^B (\d+) ([0-9a-f]{64})$", re.MULTILINE)
NAMED = re.compile(r"^I (\S+) .*$", re.MULTILINE)
DONE = re.compile(r"^D ([0-9a-f]{64}) (\S+)$", re.MULTILINE)
INSIDE = (*POINTS, *(p for p in JOURNAL_POINTS if not p.startswith("repair")))


@dataclass
class Promised:
    """Everything the observer ever read."""

    facts: set[str] = field(default_factory=set)
    files: set[tuple[str, str]] = field(default_factory=set)
    place: tuple[str, float] | None = None
    """The last place of the last life."""
    notices: list[str] = field(default_factory=list)
    is_open: bool = False
    is_complete: bool = False


class Life:
    """One process, and the observer at its pipe."""

    def __init__(self, room: "Room", seed: int, point: str = "") -> None:
        self.promised = room.promised
        self.promised.place, self.promised.notices = None, []
        self.promised.is_open = self.promised.is_complete = False
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.power_child", str(room.profile), room.peer.base,
             str(seed), *room.lessons],
            cwd=ROOT, env={**os.environ, VARIABLE: point}, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.opened = threading.Event()
        self.completed = threading.Event()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.endswith("\n"):  # a torn line was not read by anybody
                self._take(line.split())
        self.opened.set()
        self.completed.set()

    def _take(self, words: list[str]) -> None:
        match words:
            case ["fact", name]:
                self.promised.facts.add(name)
            case ["place", sitting, seconds]:
                self.promised.place = (sitting, float(seconds))
            case ["kept", path, digest]:
                self.promised.files.add((path, digest))
            case ["notice", code]:
                self.promised.notices.append(code)
            case ["open"]:
                self.promised.is_open = True
                self.opened.set()
            case ["complete"]:
                self.promised.is_complete = True
                self.completed.set()

    def end_after(self, seconds: float) -> bool:
        """Kill it so long after it opened; tell whether it had died by itself before."""
        assert self.opened.wait(60)
        try:
            self.process.wait(seconds)
            died = True
        except subprocess.TimeoutExpired:
            self.process.kill()
            died = False
        self.join()
        return died

    def join(self) -> None:
        self.process.wait(60)
        self._reader.join(60)
        assert self.process.stdout is not None
        self.process.stdout.close()


@dataclass
class Room:
    """The profile under test."""

    profile: Path
    peer: Replica
    lessons: tuple[LessonId, ...]
    promised: Promised = field(default_factory=Promised)

    def sent(self) -> int:
        """Bytes of media the replica sent since it was asked last."""
        classes = self.peer.stats()["classes"]
        self.peer.reset("stats")
        assert "key" not in classes
        return sum(
            int(row["body_bytes"])
            for name, row in classes.items()
            if name.startswith("media.") and name != "media.playlist"
        )

    def verified(self) -> int:
        """Bytes on disk that count, by remote file: what is kept, else what is on its way."""
        kept = self._kept()
        growing: dict[str, list[Path]] = {}
        for name in sorted((self.profile / "blobs" / "incoming").glob("*.list")):
            if not name.stem.endswith("-list"):  # a playlist is no media
                growing.setdefault(name.stem[:32], []).append(name)
        coming = (self._coming(names) for names in growing.values() if path_of(names) not in kept)
        return sum(kept.values()) + sum(coming)

    def _kept(self) -> dict[str, int]:
        with closing(sqlite3.connect(self.profile / "library.db")) as library:
            rows = library.execute(
                "SELECT path, blob.digest, ext FROM holding JOIN blob USING (digest)"
            ).fetchall()
        found = {}
        for path, digest, ext in rows:
            content = (self.profile / "blobs" / digest[:2] / (digest + ext)).read_bytes()
            assert hashlib.sha256(content).hexdigest() == digest
            found[path] = len(content)
        return found

    def _coming(self, names: list[Path]) -> int:
        """The file that grows, and segments that wait for those before them."""
        whole = [name for name in names if len(name.stem) == 32]
        lengths = stretches(whole[0]) if whole else []
        done = DONE.search(whole[0].read_text("utf-8", "replace")) if whole else None
        if done and not whole[0].with_suffix(".part").exists():
            # It was moved to its place; its row was not written yet.
            digest, ext = done.groups()
            return (self.profile / "blobs" / digest[:2] / (digest + ext)).stat().st_size
        waiting = [name for name in names if name not in whole]
        later = [name for name in waiting if int(name.stem[33:]) >= len(lengths)]
        return sum(lengths) + sum(sum(stretches(name)) for name in later)

    def check(self) -> None:
        """Look at the profile from outside, as the next start would find it."""
        assert quick_check(self.profile / "library.db")
        station = Station(Profile(self.profile), SystemClock())
        try:
            events = [event for _, event in station.journal.events()]
            assert station.notices == ()
            assert Fold(events).unread == 0
            assert self.promised.facts <= {event.id.hex() for event in events}
            self._check_place(station)
            held = {
                (one.path, one.blob.digest)
                for one in station.holdings.of_lessons(self.lessons)
                if one.blob is not None
            }
            assert self.promised.files <= held
        finally:
            station.close()

    def _check_place(self, station: Station) -> None:
        if self.promised.place is None:
            return
        sitting, second = self.promised.place
        ended = {row.sitting for row in station.records.sittings() if row.how is not None}
        points = {one.point.sitting: one.point for one in station.records.unfinished()}
        if sitting not in ended:
            assert points[sitting].position_s >= second


def path_of(names: list[Path]) -> str:
    """The remote file that a growing file is of, empty for one whose list was torn at once."""
    found = NAMED.search(names[0].read_text("utf-8", "replace"))
    return found.group(1) if found else ""


def stretches(name: Path) -> list[int]:
    """Lengths of the stretches of a growing file that are marked and hold."""
    part = name.with_suffix(".part")
    content = part.read_bytes() if part.exists() else b""
    at, found = 0, []
    for length, digest in MARKED.findall(name.read_text("utf-8", "replace")):
        end = at + int(length)
        if hashlib.sha256(content[at:end]).hexdigest() != digest:
            break
        at = end
        found.append(int(length))
    return found


@pytest.fixture(scope="module")
def peer(replicas: Replicas) -> Replica:
    return replicas()


@pytest.fixture(scope="module")
def furnished(peer: Replica, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple]:
    """A profile with the platform's catalogue, a class, a week and a lesson that can be taught."""
    profile = tmp_path_factory.mktemp("furnished")
    prepare(peer, profile)
    folder = tmp_path_factory.mktemp("folder")
    shutil.copy(clip(ClipSpec(seconds=5, width=320, height=180)), folder / "lesson.mp4")
    station = Station(Profile(profile), SystemClock())
    try:
        taken = import_folder(station, folder, sees_everything, CancelToken())
        room = station.room
        room.set_room("S", "R").result()
        group = room.add_class("三年级", 3, 12).result()
        room.set_slots(
            [
                Slot(
                    key=SlotKey(day=day, period=1, class_id=group),
                    subject="数学",
                    lesson=(*taken.lessons, *taken.offered)[0],
                )
                for day in range(1, 8)
            ]
        ).result()
        lessons = tuple(plain_lessons(station))[:LESSONS]
    finally:
        station.close()
    return profile, lessons


def plain_lessons(station: Station) -> Iterator[LessonId]:
    for book in station.catalogue.books():
        for row in station.catalogue.lessons_of_book(book.id):
            lesson = station.catalogue.lesson(row.id)
            if lesson is None or lesson.kind is not LessonKind.NATIONAL:
                continue
            films = [part for part in lesson.parts if part.role is Role.VIDEO]
            if films and not any(films_protected(part) for part in films):
                yield lesson.id


@pytest.fixture
def room(peer: Replica, furnished: tuple[Path, tuple], tmp_path: Path) -> Room:
    peer.reset()
    profile = tmp_path / "room"
    shutil.copytree(furnished[0], profile)
    return Room(profile=profile, peer=peer, lessons=furnished[1])


@pytest.mark.timeout(900)
def test_p1_p5_nothing_acknowledged_is_lost_and_nothing_verified_comes_twice(room, capsys):
    luck = random.Random(20270518)
    begun, wasted, inside, unfinished = room.verified(), 0, 0, 0
    before = begun
    lives: list[tuple[int, int]] = []
    for number in range(KILLS):
        is_inside = number % 2 == 1
        point = f"{luck.choice(INSIDE)}:{luck.randint(1, 3)}" if is_inside else ""
        # Slow from outside, so that there is something to fetch in every life.
        pace = 800_000 if is_inside else max(15_000, 4_000_000 // KILLS)
        room.peer.fault("slow", match=r"\.(ts|pdf)$", params={"bytes_per_second": pace})
        life = Life(room, number, point)
        inside += life.end_after(1.0 if is_inside else luck.uniform(0.05, 0.6))
        unfinished += not room.promised.is_complete
        sent, after = room.sent(), room.verified()
        assert after >= before
        lives.append((before, sent))
        wasted += sent - (after - before)
        before = after
        room.check()
    room.peer.fault("none")
    room.sent()
    last = Life(room, KILLS)
    assert last.completed.wait(60)
    assert room.promised.is_complete
    last.end_after(0.0)
    whole, sent = room.verified(), room.sent()
    assert sent == whole - before
    assert all(got <= whole - had for had, got in lives)
    check_nothing_bad(room)
    with capsys.disabled():
        print(
            f"\n{KILLS} kills, {inside} inside at a fail-point, {unfinished} while fetching, "
            f"{len(room.promised.facts)} facts and {len(room.promised.files)} files acknowledged, "
            f"0 lost; {whole - begun} B of media, 0 of them verified and sent again, "
            f"{wasted} B in flight at the blows"
        )
    assert unfinished >= KILLS // 4
    assert inside >= KILLS // 8
    assert wasted <= KILLS * MOST_WIDTH * 2_000_000


def check_nothing_bad(room: Room) -> None:
    """`lesson verify` finds nothing."""
    done = subprocess.run(
        [sys.executable, "main.py", "--profile", str(room.profile), "--json", "lesson", "verify"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert '"bad": 0' in done.stdout


def lived(room: Room, facts: int = 25) -> None:
    """One life that records at least so many facts, then the plug."""
    life = Life(room, 1)
    assert life.opened.wait(60)
    until = time.monotonic() + 60
    while len(room.promised.facts) < facts and time.monotonic() < until:
        life.process.poll()
        life.completed.wait(0.05)
    life.end_after(0.0)
    assert len(room.promised.facts) >= facts


def test_n2_a_deleted_library_comes_back_from_what_lies_on_the_disk(room):
    first = Life(room, 1)
    assert first.completed.wait(60)
    first.end_after(0.0)
    for name in room.profile.glob("library.db*"):
        name.unlink()
    again = Life(room, 2)
    assert again.opened.wait(60)
    again.end_after(0.5)
    assert room.promised.notices == ["library_rebuilt"]
    room.check()
    check_nothing_bad(room)


@pytest.mark.parametrize("how", ["overwritten", "cut", "emptied", "nonsense", "gone"])
def test_n1_a_torn_journal_is_mended_and_the_start_says_so(room, how):
    lived(room)
    station = Station(Profile(room.profile), SystemClock())
    assert station.journal.backup().result()
    station.close()
    tear(room.profile / "journal.db", how)
    again = Life(room, 2)
    assert again.opened.wait(60)
    again.end_after(0.3)
    notices = room.promised.notices
    assert notices[0] == ("journal_missing" if how == "gone" else "journal_damaged")
    assert "journal_restored" in notices
    room.check()


def tear(path: Path, how: str) -> None:
    """Do to the file what bad disks and helpful people do."""
    content = path.read_bytes()
    for ending in ("-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)
    third = len(content) // 3
    match how:
        case "overwritten":
            path.write_bytes(content[:third] + b"\xa5" * third + content[2 * third :])
        case "cut":
            path.write_bytes(content[:third])
        case "emptied":
            path.write_bytes(b"")
        case "nonsense":
            path.write_bytes(b"torn" * 5000)
        case _:
            path.unlink()


def test_n1_what_no_backup_covers_is_salvaged_from_the_torn_file(room):
    lived(room, facts=60)
    before = set(room.promised.facts)
    path = room.profile / "journal.db"
    station = Station(Profile(room.profile), SystemClock())
    station.close()
    for name in room.profile.glob("journal.backup-*"):
        name.unlink()
    content = bytearray(path.read_bytes())
    # A page in the middle is gone; those before and after it are what a salvage can read.
    middle = len(content) // 2 // 4096 * 4096
    content[middle : middle + 4096] = b"\xa5" * 4096
    path.write_bytes(content)
    station = Station(Profile(room.profile), SystemClock())
    try:
        there = {event.id.hex() for _, event in station.journal.events()}
        codes = [notice.code for notice in station.notices]
    finally:
        station.close()
    assert codes[:2] == ["journal_damaged", "journal_salvaged"]
    assert before & there
