"""The courier on exFAT and FAT32 as sticks have them (sync.transport.stick, sync.engine.courier).

FAT32 is mounted by this kernel or, with `TONGKE_WHOLE=1` and a User-Mode Linux, by one that runs
these same tests. A stick that is pulled out is a driver that is killed: what it held is lost.
"""

import contextlib
import functools
import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from client.domain.availability import Decodes, Trust
from client.domain.cancel import CancelToken
from client.domain.catalogue import Role
from client.domain.errors import StorageError
from client.domain.holding import Blob
from client.domain.ids import Digest, LessonId
from client.service.paths import ROOT
from sync.engine.courier import Courier, CourierPorts
from sync.engine.courier_pack import MOST_BYTES
from sync.engine.courier_stick import PART
from sync.engine.folder_import import import_folder
from tests import stick_systems
from tests.content_world import UNIT, put
from tests.courier_world import (
    LABELS,
    a_lesson,
    content,
    film,
    hub_of,
    keep,
    know,
    pack,
    room,
    shown_files,
    unpack,
    yes,
)
from tests.fault.test_courier_yanked import is_sound
from tests.log_world import Key
from tests.stick_systems import KINDS, PLACE, UML, WHY_NOT, Mounted

SIZE_MB = 80
YANKS = 100 if "TONGKE_WHOLE" in os.environ else 4
PLUGS = 3
"""So often a stick is plugged in until a packing comes to its end."""
CUTS = 25 if "TONGKE_WHOLE" in os.environ else 1
TITLES = (
    'a<b>:"c"/d\\e|f?*',
    "CON",
    "Abc",
    "ABC",
    "e\u0301te\u0301.",
    "\u00e9t\u00e9",
    "😀 . ",
    "长" * 90,
)


@pytest.fixture(params=KINDS)
def stick(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Mounted]:
    """An empty stick of each kind that can be mounted."""
    kind = request.param
    if not stick_systems.can_mount(kind):
        pytest.skip(WHY_NOT)
    if kind == "fat32" and PLACE in os.environ:
        folder = Path(os.environ[PLACE])
        for path in folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        yield Mounted(folder, kind)
        return
    image = stick_systems.make_image(tmp_path / "image", kind, SIZE_MB)
    with stick_systems.mounted(image, kind, tmp_path / "stick") as plugged:
        yield plugged


@contextlib.contextmanager
def read_only(stick: Mounted, image: Path) -> Iterator[Path]:
    """The same stick with its little switch pushed."""
    if stick.device:
        again = image.with_name("read-only")
        subprocess.run(["umount", str(stick.folder)], check=True)
        with stick_systems.mounted(image, stick.kind, again, read_only=True):
            yield again
        return
    for mode in ("ro", "rw"):
        subprocess.run(["mount", "-o", f"remount,{mode}", str(stick.folder)], check=True)
        if mode == "ro":
            yield stick.folder


@pytest.fixture
def county(tmp_path: Path):
    station = room(tmp_path / "county")
    yield station
    station.close()


@pytest.fixture
def school(tmp_path: Path):
    station = room(tmp_path / "school")
    yield station
    station.close()


def fill(station, size: int = 300_000) -> dict[str, tuple[bytes, ...]]:
    """Have lessons whose names no stick would take as they are."""
    made = {}
    for number, title in enumerate(TITLES):
        contents = (film(number, size), content(number, size), content(number + 100, size))
        roles = ((Role.VIDEO, "mp4"), (Role.SLIDES, "pdf"), (Role.SLIDES, "pdf"))
        keep(station, a_lesson(f"l{number}", *roles, title=title), *contents)
        made[f"l{number}"] = contents
    return made


def held(station, lesson: str) -> tuple[bytes, ...]:
    rows = sorted(station.holdings.of_lesson(LessonId(lesson)), key=lambda row: row.part)
    return tuple(row.file.read_bytes() for row in rows if row.file is not None)


def test_lessons_with_any_names_go_over_a_real_stick(stick, county, school):
    """P1 P2 CP1 CP3: once each, readable, and back as they were."""
    made = fill(county)
    packed = pack(county, stick.folder)
    assert (len(packed.lessons), packed.rejected) == (len(TITLES), ())
    names = shown_files(stick.folder)
    assert len({name.casefold() for name in names}) == len(names) == 3 * len(TITLES)
    assert set(is_sound(stick.folder)) == set(made)
    assert unpack(school, stick.folder).rejected == ()
    assert {name: held(school, name) for name in made} == made
    assert pack(county, stick.folder).copied_bytes == 0
    # The next room adds its own, and what lies there is used as it lies.
    keep(school, a_lesson("own", (Role.SLIDES, "pdf"), title="abc"), content(9))
    more = pack(school, stick.folder)
    assert (more.copied_bytes, more.rejected) == (len(content(9)), ())
    assert set(is_sound(stick.folder)) == {*made, "own"}


def test_a_stick_that_is_full_takes_what_fits_and_still_gives(stick, county, school):
    """CO1 SF3"""
    keep(county, a_lesson("l1", (Role.SLIDES, "pdf")), content(1))
    keep(county, a_lesson("l2", (Role.SLIDES, "pdf")), content(2, 30_000_000))
    keep(county, a_lesson("l3", (Role.SLIDES, "pdf")), content(3))
    left = 20_000_000
    ballast = stick.folder / "someone's film.mp4"
    with ballast.open("wb") as file:
        size = shutil.disk_usage(stick.folder).free - left
        for _ in range(size >> 20):
            file.write(bytes(1 << 20))
    packed = pack(county, stick.folder)
    assert packed.lessons == ("l1", "l3")
    assert [one.why for one in packed.rejected] == ["stick_full"]
    for size in (1 << 16, 512):
        with contextlib.suppress(OSError), ballast.open("ab", buffering=0) as file:
            while file.write(bytes(size)):
                pass
    school.room.set_room("石板小学", "教室").result()
    hub_of(school, Key())
    courier = Courier(CourierPorts(station=school, probe=yes, labels=LABELS))
    carried = courier.results(stick.folder)
    assert [one.why for one in carried.rejected] == ["not_writable"]
    assert courier.unpack(stick.folder).lessons == ("l1", "l3")
    assert not list(stick.folder.rglob("*.part"))
    ballast.unlink()
    assert courier.results(stick.folder).left_events > 0
    assert pack(county, stick.folder).lessons == ("l1", "l2", "l3")
    assert set(is_sound(stick.folder)) == {"l1", "l2", "l3"}


def test_a_film_that_fat32_cannot_hold_is_left_out(stick, county):
    """CP1"""
    lesson = a_lesson("l1", (Role.VIDEO, "mp4"))
    know(county, lesson)
    digest = Digest("0" * 64)
    blob = Blob(digest=digest, ext=".mp4", size_bytes=MOST_BYTES + 1, trust=Trust.OBSERVED)
    path = county.blobs.path(digest, ".mp4")
    path.parent.mkdir(exist_ok=True)
    with path.open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    blob = replace(blob, decodes=Decodes.YES)
    county.holdings.keep(lesson, lesson.parts[0].id, lesson.parts[0].files[0].path, blob)
    assert [one.why for one in pack(county, stick.folder).rejected] == ["too_large_for_stick"]
    if stick.kind == "fat32":
        with (stick.folder / "film.mp4").open("wb") as file, pytest.raises(OSError, match="large"):
            file.truncate(MOST_BYTES + 1)


def test_a_stick_that_cannot_be_written_still_gives(stick, county, school, tmp_path):
    """CO1"""
    made = fill(county, 3000)
    pack(county, stick.folder)
    school.room.set_room("石板小学", "教室").result()
    hub_of(school, Key())
    with read_only(stick, tmp_path / "image") as folder:
        courier = Courier(CourierPorts(station=school, probe=yes, labels=LABELS))
        assert [one.why for one in courier.results(folder).rejected] == ["not_writable"]
        assert len(courier.unpack(folder).lessons) == len(made)
        with pytest.raises(StorageError, match="stick_read_only"):
            pack(school, folder, "l1")


def test_a_folder_on_a_real_stick_is_taken_in(stick, school):
    """I1 I3: also where times have two seconds and names no capitals of their own."""
    put(stick.folder, f"{UNIT}/分一分/film.mp4", film(1))
    put(stick.folder, f"{UNIT}/分一分/课件.pdf", content(2))
    first = import_folder(school, stick.folder, yes, CancelToken())
    assert (len(first.lessons), first.rejected) == (1, ())
    assert import_folder(school, stick.folder, yes, CancelToken()).copied_bytes == 0


def pulled_out(image: Path, folder: Path, at: int, act: Callable[..., object]) -> str:
    """Do something with a stick whose driver dies at a step; gives the error's code."""
    with stick_systems.mounted(image, "exfat", folder) as plug:
        left = iter(range(at, 0, -1))

        def step(_size: int) -> None:
            if next(left, 0) == 1:
                plug.yank()

        try:
            act(folder, step=step)
        except StorageError as error:
            return error.code
    return ""


@pytest.mark.skipif(not stick_systems.can_yank(), reason=WHY_NOT)
def test_a_stick_is_pulled_out_of_its_driver(county, school, tmp_path):
    """CP2 SF2 CU4: what an index names is whole, and both ways go on."""
    made = fill(county, 3_000_000)
    image, folder = tmp_path / "image", tmp_path / "plug"
    ways = (functools.partial(pack, county), functools.partial(unpack, school))
    luck, told = random.Random(1), set()
    for number in range(YANKS):
        if number % 4 == 0:
            stick_systems.make_image(image, "exfat", SIZE_MB)
        told.add(pulled_out(image, folder, luck.randrange(1, 160), ways[number % 2]))
        with stick_systems.mounted(image, "exfat", folder):
            assert set(is_sound(folder)) <= set(made)
        assert all(held(school, name) in ((), contents) for name, contents in made.items())
    with stick_systems.mounted(image, "exfat", folder):
        assert len(pack(county, folder).lessons) == len(made)
        assert set(is_sound(folder)) == set(made)
        unpack(school, folder)
    assert {name: held(school, name) for name in made} == made
    assert "stick_failed" in told <= {"stick_failed", ""}


# --- FAT32 by a kernel of its own ----------------------------------------------------------

needs_uml = pytest.mark.skipif(
    "TONGKE_WHOLE" not in os.environ
    or not shutil.which(UML)
    or not shutil.which("mkfs.vfat")
    or PLACE in os.environ,
    reason=WHY_NOT,
)


@needs_uml
@pytest.mark.timeout(600)
def test_the_same_holds_on_fat32_in_a_kernel_of_its_own(tmp_path):
    """All tests of this file that mount FAT32."""
    image = stick_systems.make_image(tmp_path / "image", "fat32", SIZE_MB)
    scratch = tmp_path / "scratch"
    command = (sys.executable, "-m", "pytest", "-q", "--no-cov", "-p", "no:cacheprovider")
    chosen = (str(Path(__file__).relative_to(ROOT)), "-k", "fat32 and stick")
    with stick_systems.run_beside_fat32(image, scratch, *command, *chosen) as kernel:
        kernel.wait(500)
    said = (scratch / "said").read_text()
    assert (scratch / "rc").read_text() == "0", said
    assert "5 passed" in said


@needs_uml
@pytest.mark.timeout(1800)
def test_the_plug_is_pulled_while_fat32_is_written(tmp_path):
    """CP2 CS3 SF2: the kernel dies with all that it did not write yet, and packing goes on.

    A file may end in a cluster that is free then: removing it makes the system read-only until
    the stick is plugged in again.
    """
    station = room(tmp_path / "county")
    made = fill(station, 1_000_000)
    station.close()
    image, luck = tmp_path / "image", random.Random(3)
    for number in range(CUTS):
        stick_systems.make_image(image, "fat32", SIZE_MB)
        before = image.stat().st_blocks
        with packing(image, tmp_path / f"cut-{number}") as kernel:
            until = before + luck.randrange(0, 3 * len(made) * 1_000_000) // 512
            while image.stat().st_blocks < until and kernel.poll() is None:
                time.sleep(0.002)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(kernel.pid, signal.SIGKILL)
        assert whole_lessons(image, tmp_path / f"look-{number}") <= set(made)
        for plug in range(PLUGS):
            with packing(image, tmp_path / f"rest-{number}-{plug}") as kernel:
                kernel.wait(300)
            if (tmp_path / f"rest-{number}-{plug}" / "rc").read_text() == "0":
                break
        assert whole_lessons(image, tmp_path / f"after-{number}") == set(made)


@needs_uml
@pytest.mark.timeout(600)
def test_a_file_that_ends_in_a_free_cluster_costs_no_other(tmp_path):
    """CS3: as a stick has it that was pulled out while a file grew."""
    station = room(tmp_path / "county")
    made = fill(station, 1_000_000)
    station.close()
    image = stick_systems.make_image(tmp_path / "image", "fat32", SIZE_MB)
    left = f"head -c 1000000 /dev/urandom > ${PLACE}/left.pdf{PART}"
    with stick_systems.run_beside_fat32(image, tmp_path / "left", "sh", "-c", left) as kernel:
        kernel.wait(300)
    free_from(image, 1000)
    for plug in range(2):
        with packing(image, tmp_path / f"plug-{plug}") as kernel:
            kernel.wait(300)
    assert "现在只能读" in (tmp_path / "plug-0" / "said").read_text()
    assert (tmp_path / "plug-1" / "rc").read_text() == "0"
    assert whole_lessons(image, tmp_path / "look") == set(made)


def free_from(image: Path, cluster: int) -> None:
    """Have the table call free what lies from a cluster on, and give it away next."""
    with image.open("r+b") as file:
        boot = file.read(512)
        sector, reserved, tables = struct.unpack_from("<HxHB", boot, 11)
        (size,), (info,) = struct.unpack_from("<I", boot, 36), struct.unpack_from("<H", boot, 48)
        for table in range(tables):
            file.seek((reserved + table * size) * sector + 4 * cluster)
            file.write(bytes(size * sector - 4 * cluster))
        file.seek(info * sector + 492)
        file.write(struct.pack("<I", cluster - 1))


def packing(image: Path, scratch: Path) -> "subprocess.Popen[bytes]":
    """The program packs a stick in a kernel of its own."""
    profile = str(scratch.with_name("county"))
    main = (sys.executable, str(ROOT / "main.py"), "--profile", profile)
    place = str(scratch / "stick")
    return stick_systems.run_beside_fat32(image, scratch, *main, "courier", "pack", place)


def whole_lessons(image: Path, scratch: Path) -> set[str]:
    """Lessons that an index of the stick names; all of their files are right."""
    look = (sys.executable, "-m", "tests.fault.test_stick_systems")
    with stick_systems.run_beside_fat32(image, scratch, *look) as kernel:
        kernel.wait(300)
    said = (scratch / "said").read_text()
    assert (scratch / "rc").read_text() == "0", said
    return set(said.split())


if __name__ == "__main__":
    print(*is_sound(Path(os.environ[PLACE])))
