"""`bench import`: taking lessons in from a folder and from a stick, beside `cp` and `sync`.

Every lesson is a film that decodes, made long by bytes no decoder reads, and a PDF. Source and room
lie on the same disk. All three take turns for some rounds, as a machine has other work too; what is
told is the middle one.

    cp_s                        `cp -r` of the files, and `sync`
    ratio_to_cp                 cp_s / the seconds a room takes for the same lessons from a stick:
                                copied, hashed, on the disk, every film tried, rows kept
    folder_ratio_to_cp          the same for a plain folder
    first_lesson_s              until the first lesson of the stick can be taught
    slow_results_s              a stick of 8 MB/s: until the record is on it
    slow_first_lesson_s         until the first of three lessons can be taught, and
    slow_all_s                  until all of them can
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from client.domain.cancel import CancelToken
from client.domain.catalogue import Role
from client.domain.clock import Clock, SystemClock
from client.domain.ids import LessonId
from client.service.hubs import KnownHub
from client.service.paths import Profile
from client.service.station import Station
from client.store.keyfile import KeyFile
from sync.engine.courier import Courier, CourierPorts
from sync.engine.courier_pack import Labels
from sync.engine.fetch import Probe
from sync.engine.folder_import import import_folder
from sync.transport.folder_carrier import FOLDER

SLOW_BYTES_PER_S: Final = 8_000_000
_PDF: Final = b"%PDF-1.4\n%%EOF\n"
_CHUNK: Final = 1 << 20
_FACTS: Final = 300
_SLOW_LESSONS: Final = 3

Log = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How much is taken in."""

    lessons: int = 8
    film_bytes: int = 250_000_000
    slow_film_bytes: int = 24_000_000
    rounds: int = 3


QUICK: Final = Load(lessons=4, film_bytes=40_000_000, slow_film_bytes=8_000_000, rounds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What the bench works with."""

    probe: Probe
    film: Path
    """A film that decodes."""
    before: Callable[[], None]
    """Called before each measurement; may drop the page cache."""
    log: Log


def bench_import(load: Load, tools: Tools) -> dict[str, object]:
    """Run the bench; see the module. Needs three times the room of its lessons.

    Raises:
        StorageError: The disk is too small.
    """
    with tempfile.TemporaryDirectory() as name:
        return _Bench(Path(name), load, tools).run()


class _Bench:
    def __init__(self, folder: Path, load: Load, tools: Tools) -> None:
        self._folder = folder
        self._load = load
        self._tools = tools
        self._clock: Clock = SystemClock()

    def run(self) -> dict[str, object]:
        load = self._load
        source = self._lessons("source", load.lessons, load.film_bytes)
        size = sum(one.stat().st_size for one in source.rglob("*") if one.is_file())
        self._tools.log(f"{size // 1_000_000} MB in {load.lessons} lessons")
        rounds = [self._round(source) for _ in range(load.rounds)]
        shutil.rmtree(source)
        cp_s, folder_s, pack_s, first_s, all_s = map(median, zip(*rounds, strict=True))
        return {
            "ratio_to_cp": round(cp_s / all_s, 3),
            "first_lesson_s": round(first_s, 3),
            "folder_ratio_to_cp": round(cp_s / folder_s, 3),
            "cp_s": round(cp_s, 3),
            "import_s": round(all_s, 3),
            "folder_s": round(folder_s, 3),
            "pack_s": round(pack_s, 3),
            "size_bytes": size,
            **self._slow(),
        }

    def _round(self, source: Path) -> tuple[float, ...]:
        """Measure each way once; gives the seconds of `cp`, folder, packing, first lesson, all."""
        cp_s = self._seconds(lambda: self._cp(source, "copied"))
        shutil.rmtree(self._folder / "copied")
        room = self._room("county")
        folder_s = self._seconds(lambda: import_folder(room, source, self._tools.probe, _never()))
        stick = self._folder / "stick"
        stick.mkdir()
        pack_s = self._seconds(lambda: self._courier(room).pack(stick))
        room.close()
        shutil.rmtree(self._folder / "county")
        first_s, all_s = self._unpack("school", stick)
        shutil.rmtree(stick)
        shutil.rmtree(self._folder / "school")
        self._tools.log(f"cp {cp_s:.1f} s, folder {folder_s:.1f} s")
        self._tools.log(f"pack {pack_s:.1f} s, unpack {all_s:.1f} s, first {first_s:.1f} s")
        return cp_s, folder_s, pack_s, first_s, all_s

    def _slow(self) -> dict[str, object]:
        """Measure a stick of 8 MB/s."""
        source = self._lessons("slow", _SLOW_LESSONS, self._load.slow_film_bytes)
        room, stick = self._room("slow-county"), self._folder / "slow-stick"
        stick.mkdir()
        import_folder(room, source, self._tools.probe, _never())
        self._courier(room).pack(stick)
        room.close()
        school = self._room("slow-school")
        pace = Pace(self._clock, SLOW_BYTES_PER_S)
        self._write_down(school)
        courier = self._courier(school, pace)

        def results() -> None:
            courier.results(stick)
            record = stick / FOLDER
            pace(sum(one.stat().st_size for one in record.iterdir()))

        results_s = self._seconds(results)
        school.close()
        first_s, all_s = self._unpack("slow-school", stick, pace)
        return {
            "slow_results_s": round(results_s, 3),
            "slow_first_lesson_s": round(results_s + first_s, 3),
            "slow_all_s": round(results_s + all_s, 3),
        }

    def _unpack(self, name: str, stick: Path, pace: "Pace | None" = None) -> tuple[float, float]:
        """Take a stick in; gives seconds to the first lesson, and to the last."""
        room = self._room(name)
        ready: dict[LessonId, list[float]] = {}
        begun = self._clock.monotonic()

        def tell(lesson: LessonId) -> None:
            ready.setdefault(lesson, []).append(self._clock.monotonic() - begun)

        room.holdings.subscribe(tell)
        try:
            all_s = self._seconds(lambda: self._courier(room, pace).unpack(stick))
        finally:
            room.close()
        return min(moments[-1] for moments in ready.values()), all_s

    def _seconds(self, act: Callable[[], object]) -> float:
        os.sync()
        self._tools.before()
        begun = self._clock.monotonic()
        act()
        return self._clock.monotonic() - begun

    def _cp(self, source: Path, name: str) -> None:
        subprocess.run(["/bin/cp", "-r", source, self._folder / name], check=True)  # noqa: S603 - own
        os.sync()

    def _lessons(self, name: str, lessons: int, film_bytes: int) -> Path:
        root = self._folder / name
        film = self._tools.film.read_bytes()
        for number in range(lessons):
            home = root / str(number)
            home.mkdir(parents=True)
            (home / "a.pdf").write_bytes(_PDF + bytes([number]))
            with (home / "film.mp4").open("wb") as file:
                file.write(film)
                while file.tell() < film_bytes:
                    file.write(os.urandom(_CHUNK))
        return root

    def _room(self, name: str) -> Station:
        return Station(Profile(self._folder / name), self._clock)

    def _courier(self, room: Station, pace: "Pace | None" = None) -> Courier:
        ports = CourierPorts(
            station=room, probe=self._tools.probe, labels=_LABELS, pace=pace or _at_once
        )
        return Courier(ports)

    def _write_down(self, room: Station) -> None:
        """Have a hub, and something to tell it."""
        room.room.set_room("bench", "bench").result()
        for number in range(_FACTS):
            room.room.set_setting("rendition", "360p" if number % 2 else "720p").result()
        key = KeyFile.create(self._folder / "hub.key")
        room.hubs.put(
            KnownHub(
                key=key.public_key,
                url="http://127.0.0.1:1",
                authority=b"",
                site=b"bench---",
                school="bench",
                name="bench",
            )
        )


class Pace:
    """A stick that moves so many bytes in a second: a `Step` that waits."""

    def __init__(self, clock: Clock, bytes_per_s: int) -> None:
        self._clock = clock
        self._rate = bytes_per_s
        self._due_s = clock.monotonic()

    def __call__(self, size_bytes: int) -> None:
        """Wait until the stick would have moved them; it does not save up for later."""
        now_s = self._clock.monotonic()
        self._due_s = max(self._due_s, now_s) + size_bytes / self._rate
        if self._due_s > now_s:
            _never().sleep(self._due_s - now_s)


_LABELS: Final = Labels(role=lambda role: role.value, elsewhere=Role.VIDEO.value)


def _at_once(_size_bytes: int) -> None:
    """Wait for nothing."""


def _never() -> CancelToken:
    """Give a token that nobody cancels."""
    return CancelToken()
