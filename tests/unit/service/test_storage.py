"""SR1 and SR2: room is made in time, and what is protected stays."""

import hashlib
from pathlib import Path
from typing import NamedTuple

import pytest

from client.domain.availability import Trust
from client.domain.cancel import CancelToken
from client.domain.catalogue import Book, Lesson, LessonKind, Placement, Role
from client.domain.clock import FrozenClock
from client.domain.errors import StorageFullError
from client.domain.eviction import Leaving, Shield
from client.domain.holding import Blob
from client.domain.ids import BookId, Digest, LessonId, SourceId
from client.domain.record.bodies import Ended
from client.domain.timetable import Slot, SlotKey
from client.domain.today import Step
from client.domain.want import Want
from client.service.paths import Profile
from client.service.station import Station
from client.store.catalogue_read import SourceRow
from tests.lesson_values import a_file, a_part

BOOK, SOURCE, FOLDER = BookId("b1"), SourceId("platform"), SourceId("stick")
PLACE = Placement(stage="p", grade="g", subject="math", edition="e", volume="v")
KEY = SlotKey(day=2, period=1, class_id="c3")
SIZE = 1000
FLOOR = 300 << 20


class Usage(NamedTuple):
    """As the system tells it."""

    total: int
    used: int
    free: int


def a_lesson(key: str, source: SourceId = SOURCE, book: BookId | None = BOOK) -> Lesson:
    return Lesson(
        id=LessonId(key), source=source, kind=LessonKind.FOLDER, title=f"Lesson {key}", place=PLACE,
        book=book, position=int(key[1:]), has_detail=True,
        parts=(a_part(Role.TASK, a_file(f"/{key}.pdf", md5="m"), lesson=key),),
    )  # fmt: skip


def content(key: str) -> bytes:
    """A thousand bytes that nothing else in a profile has."""
    return hashlib.sha256(key.encode()).hexdigest().encode() * 15 + b"-" * (SIZE - 15 * 64)


@pytest.fixture
def station(tmp_path):
    opened = Station(Profile(tmp_path / "profile"), FrozenClock())
    for name, kind in ((SOURCE, "platform"), (FOLDER, "folder")):
        opened.add_source(SourceRow(id=name, kind=kind))
    book = Book(id=BOOK, source=SOURCE, title="B", place=PLACE)
    opened.catalogue.put_books(SOURCE, (book,))
    opened.room.set_setting("store_floor_mb", "300").result()
    yield opened
    opened.close()


@pytest.fixture
def disk(station, monkeypatch):
    """A disk above whose floor so many bytes are free while no lesson is here."""
    above = [10 * SIZE]

    def usage(folder: Path) -> Usage:
        used = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        return Usage(1000 * FLOOR, used, FLOOR + above[0] - used)

    monkeypatch.setattr("client.store.blob_store.shutil.disk_usage", usage)
    return above


def hold(station: Station, *keys: str, source: SourceId = SOURCE, book=BOOK) -> None:
    for key in keys:
        lesson = a_lesson(key, source, book)
        station.catalogue.put_whole([lesson])
        keep(station, lesson, content(key))


def keep(station: Station, lesson: Lesson, data: bytes) -> Digest:
    growing = station.blobs.growing(hashlib.md5(data).hexdigest(), "x")
    growing.write(data)
    stored = station.blobs.commit(growing, "pdf")
    growing.discard()
    part = lesson.parts[0]
    blob = Blob(digest=stored.digest, ext=".pdf", size_bytes=len(data), trust=Trust.OBSERVED)
    station.holdings.keep(lesson, part.id, part.files[0].path, blob)
    return stored.digest


def here(station: Station) -> set[str]:
    return {kept.id for kept in station.holdings.kept_lessons()}


def teach(station: Station, key: str, how: Ended | None = Ended.FINISHED):
    station.room.add_class("three", 3, 13).result()
    opened = station.records.recorder.open(("c3",), LessonId(key), KEY)
    opened.recorded.result()
    if how is not None:
        station.records.recorder.end(opened.sitting, how).result()
    return opened.sitting


def test_sr1_nothing_goes_while_there_is_room(station, disk):
    hold(station, "l0", "l1")
    station.blobs.require_room(8 * SIZE)
    assert here(station) == {"l0", "l1"}


def test_sr1_a_fetch_that_asks_gets_room_from_what_was_used_least(station, disk):
    hold(station, "l0", "l1", "l2")
    teach(station, "l0")
    station.blobs.require_room(8 * SIZE)
    assert here(station) == {"l0", "l2"}


def test_sr1_where_it_would_not_be_enough_nothing_goes_and_the_error_says_what_lacks(station, disk):
    hold(station, "l0", "l1")
    disk[0] = 3 * SIZE
    with pytest.raises(StorageFullError) as caught:
        station.blobs.require_room(4_000_000)
    assert caught.value.code == "disk_full"
    assert caught.value.values["need_mb"] == 4
    assert here(station) == {"l0", "l1"}


def test_sr1_a_quota_counts_what_lessons_take(station, disk):
    disk[0] = 1 << 40
    hold(station, "l0", "l1")
    station.storage.set_limit("store_quota_mb", "1").result()
    page = station.storage.page_now()
    assert (page.quota_mb, page.floor_mb) == (1, 300)
    station.blobs.require_room((1 << 20) - 1999)
    assert len(here(station)) == 1
    with pytest.raises(StorageFullError) as caught:
        station.blobs.require_room(2_000_000)
    assert caught.value.code == "quota_full"
    assert len(here(station)) == 1


def test_the_default_floor_is_bounded_on_a_large_disk(station, disk):
    station.room.set_setting("store_floor_mb", "auto").result()
    assert station.storage.page_now().limits.floor_bytes == 2_000_000_000


def test_an_import_asks_for_room_too(station, disk, tmp_path):
    hold(station, "l0")
    source = tmp_path / "film.mp4"
    source.write_bytes(b"f" * 9500)
    station.blobs.import_file(source, "mp4", CancelToken())
    assert here(station) == set()


def test_shields_are_told_by_room_record_and_wants(station, disk):
    hold(station, "l0", "l1", "l2", "l3", "l4", "l5", "l6")
    hold(station, "l7", source=FOLDER, book=None)
    teach(station, "l4", None)
    station.room.choose_book("c3", "math", BOOK).result()
    station.room.set_slot(Slot(key=KEY, subject="math")).result()
    station.storage.pin(LessonId("l5"), is_pinned=True).result()
    station.wants.put(Want(lesson=LessonId("l6"))).result()
    page = station.storage.page().result()
    shields = {one.lesson: one.shield for book in page.books for one in book.lessons}
    assert shields == {
        "l0": Shield.COMING,
        "l1": Shield.COMING,
        "l2": None,
        "l3": None,
        "l4": Shield.TEACHING,
        "l5": Shield.PINNED,
        "l6": Shield.WANTED,
        "l7": Shield.ONLY_COPY,
    }
    assert (page.freeable, page.freeable_bytes) == (2, 2 * SIZE)
    assert [(book.title, book.size_bytes) for book in page.books] == [("B", 7 * SIZE), ("", SIZE)]
    assert page.room.held_bytes == 8 * SIZE
    assert station.storage.free().result() == 2 * SIZE
    assert here(station) == {"l0", "l1", "l4", "l5", "l6", "l7"}
    station.storage.pin(LessonId("l5"), is_pinned=False).result()
    assert station.storage.free().result() == SIZE


def test_what_was_taught_today_does_not_shorten_the_two_weeks(station):
    hold(station, *(f"l{n}" for n in range(6)))
    teach(station, "l0")
    station.room.choose_book("c3", "math", BOOK).result()
    for day in (2, 4):
        key = SlotKey(day=day, period=1, class_id="c3")
        station.room.set_slot(Slot(key=key, subject="math")).result()
    station.today.finished(("c3",), Step(lesson=LessonId("l0")), KEY).result()
    assert station.today.lessons_ahead_now() == ("l0", "l1", "l2", "l3")


def test_sr2_a_lesson_that_a_class_opens_meanwhile_stays(station, disk, monkeypatch):
    hold(station, "l0", "l1")
    looked = station.storage._stored

    def opened_behind_the_look(rows):
        found = looked(rows)
        teach(station, "l0", None)
        return found

    monkeypatch.setattr(station.storage, "_stored", opened_behind_the_look)
    assert station.storage.free().result() == SIZE
    assert here(station) == {"l0"}


def test_a_withdrawn_lesson_goes_before_one_that_may_be_taught(station, disk):
    hold(station, "l0", "l1")
    station.catalogue.withdraw([LessonId("l1")])
    (book,) = station.storage.page_now().books
    assert {one.lesson: one.leaving for one in book.lessons} == {
        "l0": Leaving.NEVER_USED,
        "l1": Leaving.WITHDRAWN,
    }
    station.blobs.require_room(8 * SIZE + 1)
    assert here(station) == {"l0"}


def test_one_lesson_can_be_let_go(station, disk):
    hold(station, "l0", "l1")
    assert station.storage.drop(LessonId("l0")).result() == SIZE
    assert here(station) == {"l1"}
