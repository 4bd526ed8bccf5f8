"""Lessons with bytes of their own in a profile, for tests of what stays and what goes."""

import hashlib
from pathlib import Path

from client.domain.availability import Trust
from client.domain.catalogue import Lesson, LessonKind, Placement, Role
from client.domain.holding import Blob
from client.domain.ids import BookId, ClassId, Digest, LessonId, SourceId
from client.domain.record.bodies import Ended
from client.domain.timetable import SlotKey
from client.service.station import Station
from client.store.blob_store import growing_key
from tests.lesson_values import a_file, a_part

BOOK, PLATFORM = BookId("b1"), SourceId("platform")
CLASS = ClassId("c3")
PLACE = Placement(stage="p", grade="g", subject="math", edition="e", volume="v")
SIZE = 1000


def a_lesson(key: str) -> Lesson:
    return Lesson(
        id=LessonId(key), source=PLATFORM, kind=LessonKind.NATIONAL, title=f"Lesson {key}",
        place=PLACE, book=BOOK, position=int(key[1:]), has_detail=True,
        parts=(a_part(Role.TASK, a_file(f"/{key}.pdf", md5="m"), lesson=key),),
    )  # fmt: skip


def content(key: str) -> bytes:
    """A thousand bytes that nothing else in a profile has."""
    return hashlib.sha256(key.encode()).hexdigest().encode() * 15 + b"-" * (SIZE - 15 * 64)


def hold(station: Station, *keys: str) -> None:
    for key in keys:
        lesson = a_lesson(key)
        station.catalogue.put_whole([lesson])
        keep(station, lesson, content(key))


def keep(station: Station, lesson: Lesson, data: bytes) -> Digest:
    part = lesson.parts[0]
    path = part.files[0].path
    growing = station.blobs.growing(growing_key(path, hashlib.md5(data).hexdigest()), "x")
    growing.write(data)
    stored = station.blobs.commit(growing, "pdf")
    growing.discard()
    blob = Blob(digest=stored.digest, ext=".pdf", size_bytes=len(data), trust=Trust.OBSERVED)
    station.holdings.keep(lesson, part.id, path, blob)
    return stored.digest


def here(station: Station) -> set[str]:
    return {kept.id for kept in station.holdings.kept_lessons()}


def begin(station: Station, key: str, period: int = 1):
    """Open a class; gives its sitting."""
    slot = SlotKey(day=2, period=period, class_id=CLASS)
    opened = station.records.recorder.open((CLASS,), LessonId(key), slot)
    opened.recorded.result()
    return opened.sitting


def teach(station: Station, key: str, times: int = 1) -> None:
    """Hold classes from begin to end."""
    for _ in range(times):
        station.records.recorder.end(begin(station, key), Ended.FINISHED).result()


def places_of(folder: Path, wanted: bytes) -> list[Path]:
    """Find every file of a folder, databases too, in which these bytes stand."""
    return [path for path in folder.rglob("*") if path.is_file() and wanted in path.read_bytes()]
