"""Sticks filled with anything do no harm (sync.engine.courier_unpack, sync.engine.courier)."""

import hashlib
import os
import random
import shutil
from pathlib import Path

import pytest

from client.domain.catalogue import Role
from client.domain.errors import StorageError
from client.domain.ids import LessonId
from sync.engine.courier import Courier, CourierPorts
from tests.courier_world import (
    LABELS,
    a_lesson,
    content,
    film,
    hub_of,
    keep,
    pack,
    room,
    yes,
)
from tests.log_world import Key

STICKS = 150
OWN = "own"


def a_stick(folder: Path) -> Path:
    county = room(folder / "county")
    hub = Key()
    keep(
        county, a_lesson("l1", (Role.VIDEO, "mp4"), (Role.SLIDES, "pdf")), film(1, 3000), b"%PDF-1"
    )
    keep(county, a_lesson(OWN, (Role.SLIDES, "pdf"), title="theirs"), content(8, 3000))
    pack(county, folder / "stick")
    pack(county, folder / "stick", "l1", signer=hub)
    county.close()
    return folder / "stick"


def files_of(stick: Path) -> list[Path]:
    return sorted(path for path in stick.rglob("*") if path.is_file() and not path.is_symlink())


def flip(luck: random.Random, path: Path) -> None:
    data = bytearray(path.read_bytes() or b"x")
    for _ in range(luck.randint(1, 4)):
        data[luck.randrange(len(data))] ^= luck.randint(1, 255)
    path.write_bytes(data)


def cut(luck: random.Random, path: Path) -> None:
    path.write_bytes(path.read_bytes()[: luck.randrange(3000)])


def grow(luck: random.Random, path: Path) -> None:
    path.write_bytes(path.read_bytes() + luck.randbytes(luck.randint(1, 9000)))


def lead_out(_: random.Random, path: Path) -> None:
    path.unlink()
    path.symlink_to("/etc/passwd")


def become_a_folder(_: random.Random, path: Path) -> None:
    path.unlink()
    path.mkdir()


def become_a_pipe(_: random.Random, path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def go(_: random.Random, path: Path) -> None:
    path.unlink()


def junk(luck: random.Random, path: Path) -> None:
    names = ["\u202e.idx", "a" * 200 + ".idx", "0" * 16 + ".idx", " .les", "x.ask", "NUL"]
    (path.parent / luck.choice(names)).write_bytes(luck.randbytes(luck.randint(0, 5000)))


HARM = (flip, flip, cut, grow, lead_out, become_a_folder, become_a_pipe, go, junk)


def photo(station) -> dict[tuple[str, str], str]:
    found = {}
    for kept in station.holdings.kept_lessons():
        for row in station.holdings.of_lesson(kept.id):
            assert row.blob is not None
            assert hashlib.sha256(row.file.read_bytes()).hexdigest() == row.blob.digest
            found[row.lesson, row.part] = row.blob.digest
    return found


@pytest.mark.skipif(os.name == "nt", reason="only on Windows there are no pipes")
def test_a_hundred_and_fifty_hostile_sticks_change_nothing_that_is_held(tmp_path):
    """CU1 CU2 CU5: whatever lies there ends in a report, and only signed bytes come in."""
    good = a_stick(tmp_path)
    school = room(tmp_path / "school")
    try:
        school.room.set_room("石板小学", "教室").result()
        keep(school, a_lesson(OWN, (Role.SLIDES, "pdf"), title="ours"), content(7, 3000))
        hub_of(school, Key())
        held, told = photo(school), set()
        courier = Courier(CourierPorts(station=school, probe=yes, labels=LABELS))
        for seed in range(STICKS):
            luck = random.Random(seed)
            stick = tmp_path / "hostile"
            shutil.rmtree(stick, ignore_errors=True)
            shutil.copytree(good, stick)
            for _ in range(luck.randint(1, 6)):
                there = files_of(stick)
                if there:
                    luck.choice(HARM)(luck, luck.choice(there))
            try:
                courier.results(stick)
                report = courier.unpack(stick)
                courier.inspect(stick)
            except StorageError as error:
                told.add(error.code)
                continue
            told |= {one.why for one in report.rejected}
            after = photo(school)
            assert held.items() <= after.items()
            assert school.catalogue.lesson(LessonId(OWN)).title == "ours"
            blobs = [path for path in school.blobs.folder.rglob("*") if path.is_file()]
            assert all(hashlib.sha256(path.read_bytes()).hexdigest() == path.stem for path in blobs)
            school.holdings.drop(LessonId("l1"))
        assert {"file_absent", "digest_mismatch", "sheet_damaged", "not_canonical"} <= told
        assert told.isdisjoint({"disk_failed"})
    finally:
        school.close()
