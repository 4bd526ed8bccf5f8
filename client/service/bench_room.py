"""A school of full size for benches: a whole catalogue, many cached lessons, a full week.

The generator of lessons lives with the tests, so benches that need it run from a checkout only.
What was built stays in a folder of the system's temporary files for the next run.
"""

import importlib
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, Final

from client.domain.availability import Decodes, Trust
from client.domain.cancel import CancelToken
from client.domain.catalogue import Book, FileUse, Lesson, Part, RemoteFile, Role
from client.domain.clock import SystemClock
from client.domain.errors import UserError
from client.domain.holding import Blob
from client.domain.ids import LessonId, PartId
from client.domain.record.bodies import Ended
from client.domain.timetable import Slot, SlotKey
from client.service.paths import Profile
from client.service.school import grade_number
from client.service.station import Station
from client.store.search_store import FORMAT

RESOURCES: Final = 130_000
CACHED: Final = 2_000
QUICK_RESOURCES: Final = 2_000
QUICK_CACHED: Final = 50
_LAYOUT: Final = 2
"""Grows when what is built changes, so that an older build is not used again."""
_GRADES: Final = 2
_PERIODS: Final = 6
_DAYS: Final = 7
ALONE: Final = 2
"""In this period the first class has the screen for itself."""
_ROLES: Final = ((Role.VIDEO, "mp4"), (Role.SLIDES, "pdf"), (Role.TASK, "pdf"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How large the school is."""

    resources: int = RESOURCES
    cached: int = CACHED


QUICK: Final = Size(resources=QUICK_RESOURCES, cached=QUICK_CACHED)


def bench_room(
    video: Path, size: Size | None = None, progress: Callable[[str], None] = lambda _: None
) -> Path:
    """Give the profile of such a school, building it when it does not stand yet. Blocking.

    Args:
        video: The film of every lesson of the timetable.
        size: 130,000 resources and 2,000 cached lessons unless said otherwise.
        progress: Told what is being done, as a word.

    Raises:
        UserError: `bench_needs_checkout`.
    """
    size = size or Size()
    generator = _generator()
    folder = _temporary(size, generator.VERSION, video.stem)
    done = folder / "complete"
    if done.exists():
        return folder
    station = Station(Profile(folder), SystemClock())
    try:
        progress("catalogue")
        books, week = _fill(station, generator, size)
        progress("index")
        station.library.refresh()
        progress("lessons")
        _keep(station, (*week, *_others(station, books, week)), video, size.cached)
        progress("timetable")
        _set_up(station, books)
    finally:
        station.close()
    done.touch()
    return folder


def _generator() -> Any:  # noqa: ANN401 - a module of the tests
    try:
        return importlib.import_module("tests.generator.lessons")
    except ImportError as error:
        raise UserError("bench_needs_checkout") from error


def _temporary(size: Size, version: int, film: str) -> Path:
    # The user's own folder: what another user could have put there is never opened.
    user = os.getuid() if hasattr(os, "getuid") else 0
    name = f"tongke-bench-room-{user}-{_LAYOUT}-{version}-{FORMAT}-{size.resources}-{size.cached}"
    return Path(tempfile.gettempdir()) / f"{name}-{film}"


def _fill(
    station: Station,
    generator: Any,  # noqa: ANN401 - a module of the tests
    size: Size,
) -> tuple[tuple[Book, ...], tuple[Lesson, ...]]:
    """Make the catalogue; give the room's books and their lessons."""
    chosen: dict[tuple[str, str], Book] = {}
    week: list[Lesson] = []
    grades: list[str] = []
    for made in generator.generate(size.resources):
        station.catalogue.put_lessons(generator.SOURCE, made.lessons)
        station.catalogue.put_sections(generator.SOURCE, made.book.id, made.sections)
        station.catalogue.put_books(generator.SOURCE, [made.book])
        place = made.book.place
        if place.grade not in grades and len(grades) < _GRADES:
            grades.append(place.grade)
        course = (place.grade, place.subject)
        if place.grade in grades and course not in chosen:
            chosen[course] = made.book
            week += made.lessons
    # The first lessons of every book are taught first, so they are cached first.
    return tuple(chosen.values()), tuple(sorted(week, key=lambda one: one.position))


def _others(station: Station, books: Sequence[Book], week: Sequence[Lesson]) -> Iterator[Lesson]:
    """Give lessons of other books."""
    mine, taken = {book.id for book in books}, {lesson.id for lesson in week}
    for book in station.catalogue.books():
        if book.id not in mine:
            yield from (
                one for one in station.catalogue.lessons_of_book(book.id) if one.id not in taken
            )


def _keep(station: Station, lessons: Iterable[Lesson], video: Path, count: int) -> None:
    """Have the first lessons here with all their files."""
    sheet = station.profile.folder / "sheet.pdf"
    cancel = CancelToken()
    film = _blob(station, video, "mp4", cancel)
    for lesson in islice(lessons, count):
        whole = _with_parts(lesson)
        station.catalogue.put_whole((whole,))
        sheet.write_bytes(b"%PDF-1.4\n%" + lesson.id.encode() + b"\n%%EOF\n")
        paper = _blob(station, sheet, "pdf", cancel)
        for part in whole.parts:
            blob = film if part.role is Role.VIDEO else paper
            station.holdings.keep(whole, part.id, part.files[0].path, blob)
    sheet.unlink(missing_ok=True)


def _blob(station: Station, path: Path, kind: str, cancel: CancelToken) -> Blob:
    stored = station.blobs.import_file(path, kind, cancel).stored
    return Blob(
        digest=stored.digest,
        ext=stored.ext,
        size_bytes=stored.size_bytes,
        trust=Trust.OBSERVED,
        decodes=Decodes.YES,
    )


def _with_parts(lesson: Lesson) -> Lesson:
    parts = tuple(
        _part(lesson.id, position, role, kind) for position, (role, kind) in enumerate(_ROLES)
    )
    return replace(lesson, parts=parts, has_detail=True)


def _part(lesson: LessonId, position: int, role: Role, kind: str) -> Part:
    file = RemoteFile(
        path=f"/{lesson}/{role.value}.{kind}",
        urls=(),
        format=kind,
        flags=(),
        use=FileUse.VIDEO_FILE if role is Role.VIDEO else FileUse.DOCUMENT,
    )
    return Part(
        id=PartId(f"{lesson}-{position}"),
        lesson=lesson,
        role=role,
        title=role.value,
        label="",
        position=position,
        period=-1,
        files=(file,),
    )


def _set_up(station: Station, books: Sequence[Book]) -> None:
    """Name the room, its classes and books, and fill every period of the week."""
    room = station.room
    periods: Sequence[int] = range(1, _PERIODS + 1)
    for grade in dict.fromkeys(book.place.grade for book in books):
        group = room.add_class(grade, grade_number(grade), 12).result()
        mine = [book for book in books if book.place.grade == grade]
        for book in mine:
            room.choose_book(group, book.place.subject, book.id).result()
        subjects = [book.place.subject for book in mine]
        slots = [
            Slot(
                key=SlotKey(day=day, period=period, class_id=group),
                subject=subjects[(day * _PERIODS + period) % len(subjects)],
            )
            for day in range(1, _DAYS + 1)
            for period in periods
        ]
        room.set_slots(slots).result()
        # In one period only one class looks at the screen.
        periods = tuple(period for period in periods if period != ALONE)
    room.set_room("Bench", "1").result()


def forget_classes(profile: Path) -> None:
    """End what a bench left open, so that the next run begins the same way. Blocking."""
    station = Station(Profile(profile), SystemClock())
    try:
        for one in station.records.unfinished():
            station.records.recorder.end(one.point.sitting, Ended.NOT_A_CLASS).result()
    finally:
        station.close()
