"""Taking folders in, with everything going wrong (sync.engine.folder_import)."""

import hashlib
import os
import shutil
import subprocess
import urllib.request
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from client.domain.availability import Decodes, Light, PartState, Trust
from client.domain.cancel import CancelToken
from client.domain.catalogue import Role
from client.domain.clock import FrozenClock
from client.domain.errors import Cancelled, StorageFullError, UserError
from client.domain.ids import LessonId, PartId, SourceId
from client.media.probe import decodes
from client.service.paths import Profile
from client.service.station import Station
from client.store import blob_store, one_pass
from client.store.blob_store import BlobStore
from client.store.holding_store import HoldingStore
from sync.engine import folder_import
from sync.engine.catalogue_sync import Wanted
from sync.engine.commands import add_platform
from sync.engine.folder_import import KIND, import_folder
from sync.engine.platform_link import PlatformLink
from sync.source.platform.source import PLATFORM
from tests.media import ClipSpec, clip

UNIT = "三年级/数学/第六单元 认识分数"
PDF = b"%PDF-1.4\n%%EOF\n"
SHORT = ClipSpec(seconds=2, width=320, height=180)


def yes(path: Path) -> Decodes:
    assert path.is_file()
    return Decodes.YES


@pytest.fixture
def station(tmp_path):
    opened = Station(Profile(tmp_path / "profile"), FrozenClock())
    yield opened
    opened.close()


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "disk"
    put(made, f"{UNIT}/分一分/film.mp4", film(b"1"))
    put(made, f"{UNIT}/分一分/课件.pdf", PDF + b"1")
    put(made, f"{UNIT}/比大小/film.mp4", film(b"2"))
    return made


def put(root: Path, name: str, data: bytes) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def film(salt: bytes) -> bytes:
    return b"\0\0\0\x18ftypmp42" + salt * 100


def take(station, folder, probe=yes, cancel=None, **options):
    return import_folder(station, folder, probe, cancel or CancelToken(), **options)


def photo(root: Path):
    return {
        str(path.relative_to(root)): (
            path.lstat().st_mtime_ns,
            path.read_bytes() if path.is_file() else b"",
        )
        for path in sorted(root.rglob("*"))
    }


def blobs(station) -> dict[str, str]:
    """Stored files by their names, and the digests of their bytes."""
    return {
        path.stem: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in station.blobs.folder.rglob("*")
        if path.is_file()
    }


def test_a_folder_is_usable_at_once(station, folder):
    """I1 I2 F1: copied, placed in a book, found, green; the folder is as it was."""
    before = photo(folder)
    told = []
    report = take(station, folder, progress=lambda done, whole: told.append((done, whole)))
    assert photo(folder) == before
    assert (len(report.lessons), report.offered, report.rejected) == (2, (), ())
    assert (report.matched, report.reused) == (0, 0)
    assert told == [(0, 2), (1, 2), (2, 2)]
    assert set(blobs(station)) == set(blobs(station).values())
    detail = station.library.detail_now(report.lessons[0])
    assert detail.light is Light.READY
    assert {part.trust for part in detail.parts} == {Trust.OBSERVED}
    assert [row.id for row in station.library.search_now("fyf").rows] == [detail.row.id]
    (book,) = station.library.books_now()
    assert (book.title, detail.book) == ("数学 三年级", book.id)
    assert [row.title for row in station.library.sections_now(book.id)] == ["第六单元 认识分数"]
    (row,) = station.sources()
    assert (row.id, row.kind, row.address) == (report.source, KIND, str(folder))


def test_taking_it_in_again_copies_and_changes_nothing(station, folder):
    """I3: not even the time of a file in the profile's lessons and blobs."""
    first = take(station, folder)
    kept = [photo(station.blobs.folder), photo(station.profile.lessons)]
    change = station.catalogue.changed_since(0)
    probed = []
    again = take(station, folder, probe=lambda path: probed.append(path) or Decodes.YES)
    assert (again.copied_bytes, again.reused, probed) == (0, 3, [])
    assert (again.lessons, again.source) == (first.lessons, first.source)
    assert [photo(station.blobs.folder), photo(station.profile.lessons)] == kept
    assert station.catalogue.changed_since(0) == change


def test_the_same_disk_elsewhere_is_the_same_lessons(station, folder, tmp_path):
    """I3 I4"""
    first = take(station, folder)
    shutil.copytree(folder, tmp_path / "mnt" / "disk")
    again = take(station, tmp_path / "mnt" / "disk")
    assert again.lessons == first.lessons
    assert again.copied_bytes == 0
    assert len(station.library.books_now()) == 1
    assert station.catalogue.lesson(first.lessons[0]).source == first.source


def test_a_lesson_that_comes_again_loses_no_part(station, folder, tmp_path):
    """I4: the county's film and the teacher's sheet are one lesson; a new file replaces its old."""
    report = take(station, folder)
    mine = tmp_path / "mine"
    put(mine, f"{UNIT}/分一分/任务单.pdf", PDF + b"mine")
    put(mine, f"{UNIT}/分一分/课件.pdf", PDF + b"better")
    put(mine, "三年级/数学/第二单元/前面/film.mp4", film(b"3"))
    put(mine, "三年级/数学/散课/film.mp4", film(b"4"))
    second = take(station, mine)
    shared = next(id_ for id_ in second.lessons if id_ in report.lessons)
    detail = station.library.detail_now(shared)
    assert {part.role for part in detail.parts} == {Role.VIDEO, Role.SLIDES, Role.TASK}
    assert {part.state for part in detail.parts} == {PartState.PRESENT}
    held = [one for one in station.holdings.of_lesson(shared) if one.blob]
    assert len(held) == len(detail.parts) == 3
    assert hashlib.sha256(PDF + b"1").hexdigest() not in blobs(station)
    titles = [row.title for row in station.library.sections_now(detail.book)]
    assert titles == ["第二单元", "第六单元 认识分数"]


def test_files_of_one_name_all_stay(station, tmp_path):
    """I4: and get the same ids again."""
    for at, kind in enumerate(("课件", "幻灯", "ppt")):
        put(tmp_path / "d", f"{UNIT}/分一分/{kind}/第一页.pdf", PDF + bytes([at]))
    report = take(station, tmp_path / "d")
    detail = station.library.detail_now(report.lessons[0])
    assert len(detail.parts) == len({part.digest for part in detail.parts}) == 3
    assert take(station, tmp_path / "d").copied_bytes == 0
    assert station.library.detail_now(report.lessons[0]) == detail


def test_the_same_bytes_are_copied_and_shown_once(station, folder):
    """I3 I4: a copy of the disk on itself is no second lesson and no second part."""
    shutil.copytree(folder, folder / "backup")
    report = take(station, folder)
    assert (len(report.lessons), report.reused) == (2, 3)
    assert report.copied_bytes == sum(path.stat().st_size for path in stored(station))
    assert [len(station.catalogue.lesson(id_).parts) for id_ in report.lessons] == [2, 1]


def stored(station):
    return [path for path in station.blobs.folder.rglob("*") if path.is_file()]


def test_a_long_film_is_read_once_and_hashed_once(station, tmp_path, monkeypatch):
    """I1: unless its bytes may be here, or the catalogue may know them by their MD5."""
    monkeypatch.setattr(folder_import, "_LONG_BYTES", 1)
    monkeypatch.setattr(one_pass, "md5", None)
    reads = []
    real = folder_import._read
    monkeypatch.setattr(folder_import, "_read", lambda *a: reads.append(a[0].name) or real(*a))
    for number in range(3):
        put(tmp_path / "stick", f"{number}.mp4", film(b"%d" % number))
    assert len(take(station, tmp_path / "stick").offered) == 3
    assert reads == []


@pytest.mark.parametrize(("few", "look_bytes"), [(5, 1 << 30), (0, 1), (8, 8_000_000)])
def test_lessons_of_one_length_are_read_once(station, tmp_path, monkeypatch, few, look_bytes):
    """I1: each of those that are here counts once, and long files are worth many looks."""
    monkeypatch.setattr(folder_import, "_FEW", few)
    monkeypatch.setattr(folder_import, "_LOOK_BYTES", look_bytes)
    reads = []
    real = folder_import._read
    monkeypatch.setattr(folder_import, "_read", lambda *a: reads.append(a[0].name) or real(*a))
    for number in range(6):
        put(tmp_path / f"stick/{number}", "a.mp4", film(b"%d" % number))
    assert len(take(station, tmp_path / "stick").offered) == 6
    assert reads == []
    take(station, tmp_path / "stick")
    assert len(reads) == 6


@pytest.mark.parametrize("few", [0, 8])
def test_files_that_differ_in_one_byte_are_two(station, tmp_path, monkeypatch, few):
    """I1 I3: looking at some places of a file only tells which need no second reading."""
    monkeypatch.setattr(folder_import, "_FEW", few)
    monkeypatch.setattr(folder_import, "_LOOK_BYTES", 1 << 30)
    data = bytearray(PDF + bytes(100_000))
    names = []
    for place in (0, 20_000, 80_000):
        data[place + len(PDF)] ^= 1
        names += [put(tmp_path / "stick", f"{place}.pdf", bytes(data))]
        names += [put(tmp_path / "stick", f"{place} again.pdf", bytes(data))]
    report = take(station, tmp_path / "stick")
    assert (report.copied_bytes, report.reused) == (3 * len(data), 3)
    assert set(blobs(station)) == {hashlib.sha256(one.read_bytes()).hexdigest() for one in names}
    assert set(blobs(station)) == set(blobs(station).values())
    stored(station)[0].unlink()
    assert take(station, tmp_path / "stick").copied_bytes == len(data)


def test_bytes_that_did_not_reach_their_place_are_in_no_lesson(station, tmp_path, monkeypatch):
    """I1 I5: nor in a later one that has the same, and nothing is left of them."""
    for number in (1, 2):
        put(tmp_path / "disk", f"{UNIT}/第{number}课/film.mp4", film(b"1"))
    real, left = blob_store.sync_file, [1]

    def sync_file(path):
        if left.pop() if left else 0:
            raise OSError(28, "full")
        real(path)

    monkeypatch.setattr(blob_store, "sync_file", sync_file)
    with pytest.raises(StorageFullError):
        take(station, tmp_path / "disk")
    assert stored(station) == []
    assert all(one.blob is None for one in held_of(station))
    assert take(station, tmp_path / "disk").rejected == ()
    assert len(stored(station)) == 1
    assert [one.blob is not None for one in held_of(station)] == [True, True]


def held_of(station):
    lessons = [kept.id for kept in station.holdings.kept_lessons()]
    return station.holdings.of_lessons(lessons)


def test_cancelling_within_a_lesson_leaves_nothing_of_it(station, folder, monkeypatch):
    """I5"""
    shutil.rmtree(folder / UNIT / "比大小")
    cancel, real = CancelToken(), BlobStore.copy_in

    def copy_in(self, source, ext, *options, **more):
        made = real(self, source, ext, *options, **more)
        cancel.cancel()
        return made

    monkeypatch.setattr(BlobStore, "copy_in", copy_in)
    with pytest.raises(Cancelled):
        take(station, folder, cancel=cancel)
    assert stored(station) == []


def test_a_hubs_folder_lesson_is_no_catalogues_file(station, tmp_path):
    """I2: also where its row has an MD5."""
    path = put(tmp_path / "stick", "one.mp4", film(b"1"))
    report = take(station, tmp_path / "stick")
    lesson = station.catalogue.lesson(report.offered[0])
    (part,) = lesson.parts
    file = replace(part.files[0], md5=hashlib.md5(path.read_bytes()).hexdigest())
    theirs = replace(lesson, id=LessonId("theirs"), source=SourceId("hub-1"), title="theirs")
    part = replace(part, id=PartId("theirs-1"), lesson=theirs.id, files=(file,))
    station.catalogue.put_whole((replace(theirs, parts=(part,)),))
    assert take(station, tmp_path / "stick").matched == 0
    assert station.holdings.of_lesson(theirs.id) == ()


def test_what_no_name_tells_is_offered(station, tmp_path):
    put(tmp_path / "stick", "video1.mp4", film(b"1"))
    put(tmp_path / "stick", "video2.mp4", film(b"2"))
    report = take(station, tmp_path / "stick")
    assert (report.lessons, len(report.offered)) == ((), 2)
    detail = station.library.detail_now(report.offered[0])
    assert (detail.row.title, detail.book, detail.light) == ("video1", None, Light.READY)


def test_a_single_file_is_taken(station, tmp_path):
    path = put(tmp_path, "one.mp4", film(b"1"))
    put(tmp_path, "two.mp4", film(b"2"))
    assert len(take(station, path).offered) == 1


def test_a_folder_that_is_not_there_is_said(station, tmp_path, monkeypatch):
    with pytest.raises(UserError, match="folder_missing"):
        take(station, tmp_path / "none")

    def refuse(_):
        raise PermissionError(13, "no")

    monkeypatch.setattr(Path, "exists", refuse)
    with pytest.raises(UserError, match="folder_missing"):
        take(station, tmp_path)


def test_what_is_not_what_its_name_says_is_rejected_alone(station, folder):
    """F3: a login page called PDF costs only itself."""
    put(folder, f"{UNIT}/分一分/任务单.pdf", b"<html><body>login</body></html>")
    put(folder, f"{UNIT}/only/x.pdf", b"{}")
    report = take(station, folder)
    assert {(one.what, one.why) for one in report.rejected} == {
        ("任务单.pdf", "not_the_file"), ("x.pdf", "not_the_file"),
    }  # fmt: skip
    assert len(report.lessons) == 2
    assert len(blobs(station)) == 3


@pytest.mark.parametrize("is_again", [True, False])
def test_an_unreadable_file_is_rejected_alone(station, folder, monkeypatch, is_again):
    real = Path.open
    if is_again:
        take(station, folder)

    def open_(path, *options, **more):
        if path.name == "课件.pdf":
            raise OSError(5, "bad sector")
        return real(path, *options, **more)

    monkeypatch.setattr(Path, "open", open_)
    report = take(station, folder)
    assert [(one.what, one.why) for one in report.rejected] == [("课件.pdf", "file_unreadable")]
    assert len(report.lessons) == 2


def rewriting(monkeypatch, path: Path, times: int) -> None:
    """Let somebody write to a file each time while it is copied."""
    real, left = blob_store._copy, [times]

    def copy(source, *options):
        said = real(source, *options)
        if source == path and left[0]:
            left[0] -= 1
            source.write_bytes(film(b"v%d" % left[0]))
            os.utime(source, ns=(left[0], left[0]))
        return said

    monkeypatch.setattr(blob_store, "_copy", copy)


def test_a_file_that_changes_while_it_is_copied_is_read_again(station, folder, monkeypatch):
    """I1: what is kept under a name has that digest, and it is matched by the same bytes."""
    path = folder / UNIT / "比大小" / "film.mp4"
    rewriting(monkeypatch, path, 2)
    report = take(station, folder)
    assert report.rejected == ()
    stored = blobs(station)
    assert set(stored) == set(stored.values())
    assert hashlib.sha256(path.read_bytes()).hexdigest() in stored
    (part,) = station.catalogue.lesson(report.lessons[1]).parts
    assert hashlib.sha256(path.read_bytes()).hexdigest() in part.files[0].path


def test_a_file_that_never_stops_changing_is_left_for_later(station, folder, monkeypatch):
    """I1 F3"""
    rewriting(monkeypatch, folder / UNIT / "比大小" / "film.mp4", 99)
    report = take(station, folder)
    assert [(one.what, one.why) for one in report.rejected] == [("film.mp4", "file_changes")]
    assert len(report.lessons) == 1
    assert set(blobs(station)) == set(blobs(station).values())


def test_cancelling_stops_and_keeps_what_came_before(station, folder):
    """I5"""
    cancel = CancelToken()

    def progress(done, _):
        if done == 1:
            cancel.cancel()

    with pytest.raises(Cancelled):
        take(station, folder, cancel=cancel, progress=progress)
    assert len(station.holdings.kept_lessons()) == 1
    assert take(station, folder).reused == 2


def test_cancelling_in_the_last_file_is_not_a_rejection(station, folder):
    """It once ended as a report that called the file `cancelled`."""
    cancel = CancelToken()

    def probe(path):
        cancel.cancel()
        return Decodes.YES

    with pytest.raises(Cancelled):
        take(station, folder / UNIT / "比大小", probe=probe, cancel=cancel)


def test_a_full_disk_ends_it_and_keeps_what_came_before(station, folder, monkeypatch):
    """I1: nothing half-written stands anywhere, and what came is found."""
    put(folder, "三年级/数学/第九单元/最后/film.mp4", film(b"x"))

    real, left = BlobStore.require_room, [3]

    def require_room(self, more_bytes):
        left[0] -= 1
        if left[0] < 0:
            monkeypatch.setattr(self, "_floor_bytes", 1 << 60)
        real(self, more_bytes)

    monkeypatch.setattr(BlobStore, "require_room", require_room)
    with pytest.raises(StorageFullError, match="disk_full"):
        take(station, folder)
    left[0] = 99
    assert len(station.holdings.kept_lessons()) == 2
    assert len(station.library.search_now("fyf").rows) == 1
    assert set(blobs(station)) == set(blobs(station).values())
    monkeypatch.setattr(station.blobs, "_floor_bytes", 0)
    assert len(take(station, folder).lessons) == 3


@contextmanager
def tiny_disk(folder: Path, megabytes: int):
    folder.mkdir()
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "none", str(folder)], check=True
    )
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.root
def test_a_really_full_disk(tmp_path):
    """I1: the system says so in the middle of a write."""
    disk = tmp_path / "from"
    for n in range(6):
        put(disk, f"{UNIT}/第{n}课/film.mp4", film(bytes([n])) + os.urandom(1 << 20))
    with tiny_disk(tmp_path / "tiny", 6) as tiny:
        station = Station(Profile(tiny), FrozenClock())
        station.blobs._floor_bytes = 0
        station.blobs.have_room_kept(lambda _: None)
        with pytest.raises(StorageFullError):
            take(station, disk)
        assert 0 < len(station.holdings.kept_lessons()) < 6
        assert set(blobs(station)) == set(blobs(station).values())
        station.close()


def test_a_damaged_film_is_never_green(station, tmp_path):
    """The real decoder is asked."""
    good, bad = clip(SHORT).read_bytes(), bytearray(clip(SHORT).read_bytes())
    bad[len(bad) // 8 :] = os.urandom(len(bad) - len(bad) // 8)
    put(tmp_path / "d", f"{UNIT}/good/film.mp4", good)
    put(tmp_path / "d", f"{UNIT}/bad/film.mp4", bytes(bad[:64]) + os.urandom(5000))
    report = take(station, tmp_path / "d", probe=decodes)
    lights = {
        detail.row.title: (detail.light, detail.parts[0].decodes)
        for detail in map(station.library.detail_now, report.lessons)
    }
    assert lights == {
        "good": (Light.READY, Decodes.YES), "bad": (Light.NOT_READY, Decodes.NO),
    }  # fmt: skip


def test_a_film_that_nobody_could_try_is_tried_again(station, folder):
    """A machine without a player says UNKNOWN; the next import asks again (P9)."""
    report = take(station, folder, probe=lambda _: Decodes.UNKNOWN)
    assert station.library.detail_now(report.lessons[0]).light is not Light.READY
    again = take(station, folder)
    assert again.copied_bytes == 0
    assert station.library.detail_now(report.lessons[0]).light is Light.READY


def test_a_lesson_survives_losing_the_database(station, folder, tmp_path):
    """K2 of holding_store, for folders: sidecars give everything back."""
    report = take(station, folder)
    detail = station.library.detail_now(report.lessons[0])
    station.close()
    station.profile.library_db.unlink()
    again = Station(Profile(tmp_path / "profile"), FrozenClock())
    try:
        assert [notice.code for notice in again.notices] == ["library_rebuilt"]
        assert again.library.detail_now(report.lessons[0]) == detail
        assert [row.id for row in again.sources()] == [report.source]
    finally:
        again.close()


@pytest.mark.shared
@pytest.mark.parametrize("long", [folder_import._LONG_BYTES, 1], ids=["short", "long"])
def test_files_of_the_catalogue_are_recognised_by_their_bytes(
    station, tmp_path, replica, monkeypatch, long
):
    """I2: whatever they are called; matched files are ATTESTED, all others OBSERVED."""
    monkeypatch.setattr(folder_import, "_LONG_BYTES", long)

    class Call:
        language = ""

        def text(self, name):
            return replica.base

        def path(self, _):
            return None

        def seconds(self, _):
            return 0.0

    add_platform(station, Call())
    link = PlatformLink(station, station.source(PLATFORM, "platform"), yes)
    try:
        link.sync(Wanted(with_details=True))
    finally:
        link.close()
    truth = replica.truth()
    lesson, true = next(
        (lesson, file)
        for book in truth["books"]
        for lesson in book["lessons"]
        for file in lesson["files"]
        if file["format"] == "pdf" and not file["protected"] and file["size_in_catalogue"]
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    row = next(
        part
        for part in station.catalogue.lesson(lesson["id"]).parts
        if any(file.path == true["path"] for file in part.files)
    )
    url = next(url for file in row.files if file.path == true["path"] for url in file.urls)
    url = url.replace("https://", "").split("/", 1)
    data = opener.open(f"{replica.base}/{url[0].split('.')[0]}/{url[1]}").read()
    assert hashlib.md5(data).hexdigest() == true["md5"]
    put(tmp_path / "stick", "anything.pdf", data)
    put(tmp_path / "stick", "other.pdf", PDF)
    report = take(station, tmp_path / "stick")
    assert report.matched == 1
    detail = station.library.detail_now(lesson["id"])
    (part,) = (part for part in detail.parts if part.id == row.id)
    assert (part.state, part.trust) == (PartState.PRESENT, Trust.ATTESTED)
    trusts = {
        station.library.detail_now(id_).row.title: station.library.detail_now(id_).parts[0].trust
        for id_ in report.offered
    }
    assert trusts == {"anything": Trust.ATTESTED, "other": Trust.OBSERVED}
    before = photo(station.profile.lessons)
    assert take(station, tmp_path / "stick").matched == 1
    assert photo(station.profile.lessons) == before


def test_a_blob_and_a_row_are_written_in_that_order(station, folder, monkeypatch):
    """I1: a crash between the two leaves a file too many, never a row without its file."""
    real = HoldingStore.keep

    def keep(self, lesson, part, path, blob):
        assert self.blobs.has(blob.digest, blob.ext, blob.size_bytes)
        return real(self, lesson, part, path, blob)

    monkeypatch.setattr(HoldingStore, "keep", keep)
    assert len(take(station, folder).lessons) == 2


def test_a_file_that_goes_to_its_place_meanwhile_is_looked_at_there(tmp_path):
    """I1: it is no reason to read the new one through."""
    one, temp, place = (tmp_path / name for name in ("one", "temp", "place"))
    one.write_bytes(b"1" * 9)
    temp.write_bytes(b"2" * 9)
    assert not folder_import._looks_like(one, (temp, place), 9)
    temp.rename(place)
    assert not folder_import._looks_like(one, (temp, place), 9)
    place.unlink()
    assert folder_import._looks_like(one, (temp, place), 9)
