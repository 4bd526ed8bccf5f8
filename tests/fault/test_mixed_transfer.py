"""A room is killed and its link is cut while lessons come from everywhere at once.

Some lessons come from the platform, some from a hub, some from a stick, into one profile, with the
desks of the program on screen. The room is killed at named points and at random moments, and the
link ends in between; what was verified is read from the disk by the relay, when a request comes,
and what the servers send is counted by the relay.

Invariants of this test's world, checked after every kill:
  - no answer holds a byte that was verified when it was asked for;
  - every file that was acknowledged is here, and every file that is here hashes to its name;
  - without any word from outside the next life goes on, until all lessons are here.
"""

import contextlib
import hashlib
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from client.domain.cancel import CancelToken
from client.domain.catalogue import FileUse, LessonKind, RemoteFile
from client.domain.clock import SystemClock
from client.domain.failpoint import COURIER_POINTS, POINTS
from client.domain.ids import LessonId
from client.domain.want import Want
from client.service.paths import ROOT, Profile
from client.service.station import Station
from client.store.blob_store import growing_key
from client.store.catalogue_read import SourceRow
from client.store.database import quick_check
from client.store.edition_store import EditionStore
from sync.engine.catalogue_sync import no_progress
from sync.engine.hls import parse_playlist, segment_urls
from sync.engine.hub_catalogue import add_hub_source, sync_hub
from sync.engine.hub_content import PIECE_BYTES, manifest_key, object_key
from sync.engine.hub_link import enrol
from sync.engine.platform_link import KIND
from sync.source.addresses import AddressBook
from sync.source.platform.source import PLATFORM
from tests.content_world import PDF, UNIT, put
from tests.counting_relay import Relay
from tests.fault.test_power_cuts import DONE, MARKED, plain_lessons
from tests.fetch_room import prepare
from tests.replica import Replica, Replicas

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="kills by signal"),
]

KILLS = int(os.environ.get("TONGKE_KILLS", "10"))
MAIN = (sys.executable, str(ROOT / "main.py"), "--json")
FROM_PLATFORM, FROM_HUB, FROM_STICK = 2, 2, 3
HUB_BYTES, STICK_BYTES = 5_000_000, 2_500_000
RATE = 6_000_000
ALL = 1 << 60
CUTS = ("reset", "closed", "silent")
INSIDE = (*POINTS, *(one for one in COURIER_POINTS if one != "courier.before_index"))


def run(*arguments: object) -> dict:
    command = [*MAIN, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


@contextlib.contextmanager
def running(data: Path) -> Iterator[str]:
    command = [*MAIN, "hub", "--data", str(data), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as hub:
        assert hub.stdout is not None
        try:
            yield hub.stdout.readline().strip()
        finally:
            hub.send_signal(signal.SIGTERM)
            hub.communicate()


@dataclass(frozen=True)
class Way:
    """How what lies at an address grows in a profile, and what names it once it is here."""

    key: str
    held: str
    """A query that gives a row then."""
    name: str
    segment: int | None = None


@dataclass
class World:
    """Servers, a stick, and the profile of the moment behind their relays."""

    furnished: Path
    stick: Path
    lessons: list[LessonId] = field(default_factory=list)
    ways: dict[str, Way] = field(default_factory=dict)
    profile: Path = Path()
    hashed: set[Path] = field(default_factory=set)
    promised: set[tuple[str, ...]] = field(default_factory=set)
    most: dict[str, int] = field(default_factory=dict)
    """What was verified at an address after any kill: it may not become less."""
    pieces: dict[tuple[str, int], int] = field(default_factory=dict)
    """The same of its pieces, by their first bytes."""

    def begin(self, profile: Path) -> None:
        """Go on with a new room, in which nothing is yet."""
        for known in (self.hashed, self.promised, self.most, self.pieces):
            known.clear()
        shutil.copytree(self.furnished, profile)
        self.profile = profile

    def verified(self, path: str, start: int = 0) -> int | None:
        """Tell up to which byte, from `start` on, an address was verified, now or ever."""
        way = self.ways.get(path)
        if way is None:
            return None
        whole = max(self.most.get(path, 0), self._verified(way))
        known = {**self.pieces, **self._pieces(path, way)}
        ends = (
            first + length
            for (of, first), length in known.items()
            if of == path and first <= start < first + PIECE_BYTES
        )
        return max((whole, *ends))

    def _pieces(self, path: str, way: Way) -> dict[tuple[str, int], int]:
        """Give what of each piece of an object is verified now."""
        found = {}
        for one in (self.profile / "blobs" / "incoming").glob(f"{way.key}-*.list"):
            first = one.stem.removeprefix(f"{way.key}-")
            if path.startswith("/v1/o/"):
                marks = MARKED.findall(self._list(one.stem) or "")
                found[path, int(first)] = sum(int(length) for length, _ in marks)
        return found

    def _verified(self, way: Way) -> int:
        said = self._list(way.key)
        marks = [int(length) for length, _ in MARKED.findall(said or "")]
        if (said is None and self._is_held(way)) or (said and DONE.search(said)):
            return ALL
        if way.segment is None:
            return sum(marks)
        if len(marks) > way.segment:
            return ALL
        said = self._list(f"{way.key}-{way.segment:05d}") or ""
        marks = [int(length) for length, _ in MARKED.findall(said)]
        return ALL if DONE.search(said) else sum(marks)

    def _list(self, key: str) -> str | None:
        try:
            path = self.profile / "blobs" / "incoming" / f"{key}.list"
            return path.read_text("utf-8", "replace").rpartition("\n")[0]
        except FileNotFoundError:
            return None

    def _is_held(self, way: Way) -> bool:
        with contextlib.closing(sqlite3.connect(self.profile / "library.db")) as library:
            return library.execute(way.held, (way.name,)).fetchone() is not None

    def check(self) -> None:
        """Look at the profile from outside, as the next start would find it."""
        assert quick_check(self.profile / "library.db")
        with contextlib.closing(sqlite3.connect(self.profile / "library.db")) as library:
            rows = library.execute(
                "SELECT lesson, part, digest FROM holding WHERE digest IS NOT NULL"
            ).fetchall()
            blobs = library.execute("SELECT digest || ext FROM blob").fetchall()
        assert self.promised <= set(rows)
        assert all((self.profile / "blobs" / one[:2] / one).exists() for (one,) in blobs)
        for path in (self.profile / "blobs").glob("??/*"):
            if path not in self.hashed:
                assert hashlib.sha256(path.read_bytes()).hexdigest() == path.stem
                self.hashed.add(path)
        self.most = {path: self.verified(path) or 0 for path in self.ways}
        for path, way in self.ways.items():
            self.pieces.update(self._pieces(path, way))


HOLDING = "SELECT 1 FROM holding WHERE path = ? AND digest IS NOT NULL"
BLOB = "SELECT 1 FROM blob WHERE digest = ?"


def ways_of(station: Station, lessons: list[LessonId], base: str) -> Iterator[tuple[str, Way]]:
    """Say how everything that can be asked for grows."""
    for name in lessons:
        lesson = station.catalogue.lesson(name)
        assert lesson is not None
        for file in (file for part in lesson.parts for file in part.files):
            for _, told in EditionStore(station.database).attested(file.path):
                digest = told.digest
                yield f"/v1/o/{digest}", Way(object_key(digest), BLOB, digest)
                yield f"/v1/m/{digest}", Way(manifest_key(digest), BLOB, digest)
            if lesson.kind is LessonKind.NATIONAL and not file.is_protected:
                yield from platform_ways(file, base)


def platform_ways(file: RemoteFile, base: str) -> Iterator[tuple[str, Way]]:
    key, urls = growing_key(file.path, file.md5), AddressBook(base).media_urls(file)
    is_film = file.use is FileUse.RENDITION
    way = Way(f"{key}-list" if is_film else key, HOLDING, file.path)
    yield from ((url.removeprefix(base), way) for url in urls)
    if is_film:
        playlist = urllib.request.urlopen(urls[0]).read()
        for at, segment in enumerate(parse_playlist(playlist, file.segments)):
            way = Way(key, HOLDING, file.path, at)
            yield from ((url.removeprefix(base), way) for url in segment_urls(urls, segment))


class Lives:
    """The process that begins lives, and the observer at its pipe."""

    def __init__(self, world: World) -> None:
        self.world = world
        command = [sys.executable, "-m", "tests.mixed_child"]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._changed = threading.Condition()
        self._handle = -1
        self._said: set[str] = set()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def begin(self, point: str = "-") -> None:
        with self._changed:
            self._said = set()
        assert self.process.stdin is not None
        names = (str(self.world.profile), str(self.world.stick), point, *self.world.lessons)
        self.process.stdin.write(" ".join(names) + "\n")
        self.process.stdin.flush()

    def wait(self, word: str, seconds: float) -> bool:
        """Wait until the life said so, or ended."""
        with self._changed:
            self._changed.wait_for(lambda: {word, "ended"} & self._said, seconds)
            return word in self._said

    def has_ended(self) -> bool:
        return "ended" in self._said

    def kill(self) -> None:
        """Pull the plug; it may have been pulled inside."""
        assert self.wait("life", 60)
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._handle, signal.SIGKILL)
        assert self.wait("ended", 60)
        os.close(self._handle)

    def close(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self._reader.join(60)
        self.process.wait(60)
        self.process.stdout.close()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            word, *rest = line.split()
            with self._changed:
                if word == "life":
                    self._handle = os.pidfd_open(int(rest[0]))
                if word == "kept":
                    self.world.promised.add(tuple(rest))
                self._said.add(word)
                self._changed.notify_all()


@pytest.fixture(scope="module")
def peer(replicas: Replicas) -> Replica:
    return replicas()


@pytest.fixture
def world(peer: Replica, tmp_path: Path) -> Iterator[tuple[World, Relay, Relay]]:
    """A room that knows a platform and a hub, has a list of wants, and a stick of that hub."""
    peer.reset()
    furnished, stick, data = tmp_path / "furnished", tmp_path / "stick", tmp_path / "hub"
    stick.mkdir()
    prepare(peer, furnished)
    luck = random.Random(5)
    for number in range(FROM_HUB + FROM_STICK):
        size = HUB_BYTES if number < FROM_HUB else STICK_BYTES
        put(tmp_path / "disk", f"{UNIT}/第{number}课/课件.pdf", PDF + luck.randbytes(size))
    run("hub", "publish", "--data", data, tmp_path / "disk")
    world = World(furnished, stick, profile=furnished)
    with running(data) as url, contextlib.ExitStack() as stack:
        from_hub = Relay(url, world.verified)
        stack.callback(from_hub.close)
        from_platform = Relay(peer.base, world.verified)
        stack.callback(from_platform.close)
        code = (data / "admin-code.txt").read_text("ascii").strip()
        station = Station(Profile(furnished), SystemClock())
        try:
            know(station, from_hub.base, code, from_platform.base)
            own = [
                row.id
                for book in station.catalogue.books()
                for row in station.catalogue.lessons_of_book(book.id)
                if station.catalogue.lesson(row.id).kind is LessonKind.FOLDER
            ]
            by_link = [*own[:FROM_HUB], *list(plain_lessons(station))[:FROM_PLATFORM]]
            by_stick = own[FROM_HUB:]
            assert len(by_stick) == FROM_STICK
            for name in by_link:
                station.wants.put(Want(lesson=name)).result()
            world.lessons = [*by_link, *by_stick]
            world.ways = dict(ways_of(station, by_link, peer.base))
        finally:
            station.close()
        keeper = ("--profile", data / "profile")
        names = ",".join(by_stick)
        run(*keeper, "courier", "pack", stick, "--data", data, "--lessons", names)
        peer.reset("stats")
        yield world, from_hub, from_platform


def know(station: Station, hub: str, code: str, platform: str) -> None:
    """Enrol with a hub and take its edition; have a platform."""
    station.room.set_room("石板小学", "1号教室").result()
    known = enrol(station, hub, code, CancelToken())
    add_hub_source(station, known)
    sync_hub(station, known, no_progress, CancelToken())
    station.add_source(SourceRow(id=PLATFORM, kind=KIND, address=platform, pace_s=0.0))


@pytest.mark.timeout(3600)
def test_nothing_verified_comes_twice_from_anywhere(world, peer, tmp_path, capsys):  # F1 CU4 HC1 U1
    room, *relays = world
    luck, begun = random.Random(20270518), time.monotonic()
    lives = Lives(room)
    rounds = cuts = inside = 0
    room.begin(tmp_path / "room-0")
    try:
        for number in range(KILLS):
            for relay in relays:
                relay.slow(RATE)
            is_inside = number % 3 == 1
            lives.begin(f"{luck.choice(INSIDE)}:{luck.randint(1, 3)}" if is_inside else "-")
            lives.wait("open", 60)
            if number % 3 == 0:
                lives.wait("complete", luck.uniform(0.1, 0.4))
                cuts += 1
                for relay in relays:
                    relay.cut(luck.choice(CUTS), luck.uniform(0.0, 0.05))
            lives.wait("complete", 1.5 if is_inside else luck.uniform(0.05, 0.4))
            inside += lives.has_ended()
            lives.kill()
            room.check()
            if lives.wait("complete", 0):
                rounds += 1
                shutil.rmtree(room.profile)
                room.begin(tmp_path / f"room-{rounds}")
        for relay in relays:
            relay.slow(0)
        lives.begin()
        assert lives.wait("complete", 120)
        lives.kill()
        room.check()
    finally:
        lives.close()
    answers = [one for relay in relays for one in relay.answers]
    again = [one for one in answers if one.verified is not None and one.start < one.verified]
    unknown = {one.path for one in answers if one.verified is None}
    media = sum(one.size for one in answers if one.verified is not None)
    with capsys.disabled():
        print(
            f"\n{KILLS} kills, {inside} of them inside at a fail-point, {cuts} cuts of the link"
            f" that ended {sum(relay.hits for relay in relays)} connections; everything arrived"
            f" {rounds + 1} times; {media} B of media in {len(answers)} answers, "
            f"{sum(one.size for one in again)} B verified and sent again,"
            f" 0 files damaged; {time.monotonic() - begun:.0f} s"
        )
    assert again == []
    assert not {path for path in unknown if path.startswith(("/v1/o/", "/v1/m/"))}
    assert not [path for path in unknown if path.endswith((".ts", ".pdf"))]
