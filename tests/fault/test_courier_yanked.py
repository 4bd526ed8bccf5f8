"""A stick pulled out at a hundred points, and a room that dies at named ones.

Of sync.engine.courier_pack, courier_unpack and courier, and the files in client.store.arriving.
"""

import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from client.domain.catalogue import Role
from client.domain.errors import StorageError
from client.domain.failpoint import COURIER_POINTS, VARIABLE
from client.domain.ids import LessonId
from client.service.paths import ROOT
from client.store.arriving import Arriving
from client.store.keyfile import verify
from sync.engine.courier import Courier, CourierPorts
from sync.engine.courier_stick import PART, look, sheet_of
from sync.protocol.manifest import BLOCK_BYTES
from sync.transport import folder_carrier, stick
from sync.transport.stick import Stick
from tests.courier_world import (
    LABELS,
    SIZE,
    a_lesson,
    content,
    film,
    hub_of,
    keep,
    pack,
    room,
    unpack,
    yes,
)
from tests.exchange_world import at_hub
from tests.hub_world import SITE, Hub

POINTS = 100
LESSONS = {
    "l1": (film(1), content(2)),
    "l2": (content(3),),
    "l3": (film(4), content(5)),
}


@pytest.fixture
def county(tmp_path):
    station = fill(room(tmp_path / "county"))
    yield station
    station.close()


def fill(station):
    for name, contents in LESSONS.items():
        kinds = [
            (Role.SLIDES, "pdf") if one.startswith(b"%PDF") else (Role.VIDEO, "mp4")
            for one in contents
        ]
        keep(station, a_lesson(name, *kinds), *contents)
    return station


class Yank:
    """Pulls the stick out at a step; `steps` counts those that were made."""

    def __init__(self, at: int) -> None:
        self.at, self.steps = at, 0

    def __call__(self, _size: int) -> None:
        self.steps += 1
        if self.steps >= self.at:
            raise StorageError("stick_failed", {"detail": "gone"})


def points_of(steps: int) -> list[int]:
    """A hundred different steps, the first and the last among them."""
    luck = random.Random(steps)
    return sorted({1, steps, *luck.sample(range(1, steps + 1), min(steps, POINTS) - 2)})


def is_sound(folder: Path) -> dict[str, bool]:
    """Everything an index names is whole; gives the lessons."""
    found = {}
    on_stick = Stick(folder)
    for index in look(on_stick, verify).indexes:
        for entry in index.entries:
            sheet, _ = sheet_of(on_stick, entry)
            for file, path in zip(sheet.files, entry.paths, strict=True):
                data = (folder / path).read_bytes()
                assert hashlib.sha256(data).digest() == file.manifest.sha256
            found[entry.lesson] = True
    return found


def test_packing_is_yanked_at_a_hundred_points(county, tmp_path, monkeypatch):
    """CP2 CS3 SF2: whole lessons, it goes on, and no file that was whole is written twice."""
    written = [0]
    real = stick.StickFile.write

    def write(self, data):
        real(self, data)
        written[0] += len(data) if len(data) >= BLOCK_BYTES // 2 or len(data) == 5 else 0

    monkeypatch.setattr(stick.StickFile, "write", write)
    counter = Yank(1 << 40)
    pack(county, tmp_path / "whole", step=counter)
    whole, written[0] = written[0], 0
    assert whole == sum(len(one) for contents in LESSONS.values() for one in contents)
    folder = tmp_path / "stick"
    for at in points_of(counter.steps):
        shutil.rmtree(folder, ignore_errors=True)
        written[0] = 0
        with pytest.raises(StorageError, match="stick_failed"):
            pack(county, folder, step=Yank(at))
        before = is_sound(folder)
        assert pack(county, folder).lessons == ("l1", "l2", "l3")
        assert set(before) <= set(is_sound(folder)) == set(LESSONS)
        assert written[0] <= whole + max(len(one) for made in LESSONS.values() for one in made)
        assert not list(folder.rglob(f"*{PART}"))


def held(station) -> dict[str, str]:
    found = {}
    for name in LESSONS:
        for row in station.holdings.of_lesson(LessonId(name)):
            assert row.blob is not None
            assert hashlib.sha256(row.file.read_bytes()).hexdigest() == row.blob.digest
            found[row.part] = row.blob.digest
    return found


def forget(station) -> None:
    for name in LESSONS:
        station.holdings.drop(LessonId(name))


def test_taking_in_is_yanked_at_a_hundred_points(county, tmp_path, monkeypatch):
    """CU3 CU4 V1: nothing half, lesson by lesson, and no block that is right is read twice."""
    folder, copied = tmp_path / "stick", [0]
    real = Arriving.write

    def write(self, data):
        real(self, data)
        copied[0] += len(data)

    monkeypatch.setattr(Arriving, "write", write)
    pack(county, folder)
    school = room(tmp_path / "school")
    try:
        counter = Yank(1 << 40)
        whole = unpack(school, folder, step=counter).copied_bytes
        complete = held(school)
        for at in points_of(counter.steps):
            forget(school)
            copied[0] = 0
            with pytest.raises(StorageError, match="stick_failed"):
                unpack(school, folder, step=Yank(at))
            before = held(school)
            assert before.items() <= complete.items()
            # What is here of a lesson is all of it: lessons come whole.
            assert {one.partition("-")[0] for one in complete.keys() - before.keys()}.isdisjoint(
                one.partition("-")[0] for one in before
            )
            unpack(school, folder)
            assert held(school) == complete
            assert copied[0] == whole
            assert list((school.blobs.folder / "arriving").iterdir()) == []
    finally:
        school.close()


def test_the_record_is_yanked_at_every_step(tmp_path, monkeypatch):
    """CO1: what a room wrote reaches the hub over a stick that was pulled out again and again."""
    hub, folder = Hub(), tmp_path / "stick"
    folder.mkdir()
    school = room(tmp_path / "school")
    try:
        school.room.set_room("石板小学", "教室").result()
        hub_of(school, hub.key)
        hub.enrol(school.journal.signer, SITE)
        courier = Courier(CourierPorts(station=school, probe=yes, labels=LABELS))
        calls = [0]
        real = folder_carrier.write_file

        def write_file(path, data):
            calls[0] += 1
            if calls[0] % 3:
                path.with_name(path.name + ".new").write_bytes(data[: len(data) // 2])
                raise OSError(5, "gone")
            real(path, data)

        monkeypatch.setattr(folder_carrier, "write_file", write_file)
        for _ in range(9):
            carried = courier.results(folder)
            assert carried.left_events > 0 or [one.why for one in carried.rejected] == [
                "not_writable"
            ]
        monkeypatch.setattr(folder_carrier, "write_file", real)
        assert courier.results(folder).left_events > 0
        folder_carrier.answer_folder(folder, hub.responder.answer)
        assert at_hub(hub)
        assert courier.results(folder).pushed_events > 0
        assert courier.results(folder).left_events == 0

        def gone(_path, _data):
            shutil.rmtree(folder)
            raise OSError(5, "gone")

        monkeypatch.setattr(folder_carrier, "write_file", gone)
        with pytest.raises(StorageError, match="stick_failed"):
            courier.results(folder)
    finally:
        school.close()


def test_a_leftover_that_cannot_go_keeps_no_lesson_from_coming(county, tmp_path, monkeypatch):
    """CO1 CS3: nothing is written then."""
    folder = tmp_path / "stick"
    pack(county, folder)
    (folder / f"x.pdf{PART}").write_bytes(b"x")

    def refused(_stick, _path):
        raise StorageError("stick_failed")

    def gone(_stick, _path):
        shutil.rmtree(folder)
        raise StorageError("stick_failed")

    monkeypatch.setattr(stick.Stick, "remove", refused)
    school = room(tmp_path / "school")
    try:
        courier = Courier(CourierPorts(station=school, probe=yes, labels=LABELS))
        assert [one.why for one in courier.results(folder).rejected] == ["not_writable"]
        assert courier.unpack(folder).lessons == tuple(LESSONS)
        with pytest.raises(StorageError, match="stick_failed"):
            courier.pack(folder)
        monkeypatch.setattr(stick.Stick, "remove", gone)
        with pytest.raises(StorageError, match="stick_failed"):
            courier.results(folder)
    finally:
        school.close()


def life(*arguments: object, point: str = "") -> int:
    done = subprocess.run(
        [sys.executable, str(ROOT / "main.py"), "--json", *map(str, arguments)],
        capture_output=True,
        env={**os.environ, VARIABLE: point},
        check=False,
    )
    return done.returncode


@pytest.mark.skipif(os.name == "nt", reason="kills by signal")
@pytest.mark.parametrize("point", [*COURIER_POINTS, "blob.after_rename", "holding.after_row"])
def test_a_kill_at_any_point_is_gone_on_from(tmp_path, point):
    """CP2 CU3 V2"""
    county = room(tmp_path / "county")
    keep(county, a_lesson("l2", (Role.SLIDES, "pdf")), content(3))
    keep(county, a_lesson("l4", (Role.SLIDES, "pdf")), content(4))
    county.close()
    folder = tmp_path / "stick"
    folder.mkdir()
    packing = ("--profile", tmp_path / "county", "courier", "pack", folder)
    taking = ("--profile", tmp_path / "school", "courier", "unpack", folder)
    is_packing = point == "courier.before_index"
    if is_packing:
        assert life(*packing, point=f"{point}:2") == -signal.SIGKILL
        assert len(is_sound(folder)) == 1
    assert life(*packing) == 0
    assert len(is_sound(folder)) == 2
    if not is_packing:
        assert life(*taking, point=f"{point}:2") == -signal.SIGKILL
    assert life(*taking) == 0
    school = room(tmp_path / "school")
    try:
        for name, data in (("l2", content(3)), ("l4", content(4))):
            (row,) = school.holdings.of_lesson(LessonId(name))
            assert row.file.read_bytes() == data
        assert len(list(school.blobs.folder.rglob("*.pdf"))) == 2
    finally:
        school.close()
    assert SIZE > BLOCK_BYTES
