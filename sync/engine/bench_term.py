"""The room and the luck of `bench promise`: its lessons, its clock, what goes wrong."""

import random
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from client.domain.catalogue import (
    Book,
    FileUse,
    Lesson,
    LessonKind,
    Part,
    Placement,
    RemoteFile,
    Role,
)
from client.domain.ids import BookId, ClassId, LessonId, PartId, SourceId
from client.domain.settings import Hours
from client.domain.spend import MEGABYTE
from client.domain.timetable import Slot, SlotKey
from client.service.station import Station
from client.store.catalogue_read import SourceRow

SOURCE: Final = SourceId("platform")
CLASS: Final = ClassId("c3")
SUBJECTS: Final = ("chinese", "maths", "english", "science", "ethics")
CLASSES: Final = (8.5, 9.4, 10.4, 14.0, 14.9)
"""Hours at which lessons begin."""
SCHOOL_DAYS: Final = 5
HOURS: Final = Hours(begin=20, end=6)
DAY_MB: Final = 250
MONTH_MB: Final = 6000
DAY_S: Final = 86_400
_COPIES: Final = 1000
_FIRST: Final = datetime(2027, 2, 22)  # noqa: DTZ001 - a Monday, local


@dataclass(frozen=True, slots=True, kw_only=True)
class Chances:
    """How often things go wrong, by school day, night or film."""

    power_cut: float = 0.25
    lost_file: float = 0.2
    """After a power cut."""
    dark_night: float = 0.02
    hub: float = 0.85
    stick: float = 0.12
    damaged: float = 0.01
    undecodable: float = 0.02


@dataclass(slots=True)
class TermClock:
    """True time, and what the machine shows of it."""

    true: datetime = field(default_factory=lambda: _FIRST.astimezone(UTC))
    booted: datetime = field(default_factory=lambda: _FIRST.astimezone(UTC))
    fault: str = ""

    def monotonic(self) -> float:
        """See `Clock`."""
        return (self.true - self.booted).total_seconds()

    def boot_monotonic_ms(self) -> int:
        """See `Clock`."""
        return int(self.monotonic() * 1000)

    def wall(self) -> datetime:
        """See `Clock`."""
        ran = self.true - self.booted
        if self.fault in {"2013", "2099"}:
            return datetime(int(self.fault), 1, 1, tzinfo=UTC) + ran
        if self.fault == "stepping":
            return self.true + int(ran.total_seconds() // 3600) * timedelta(hours=31)
        return self.true

    def until(self, hour: float) -> float:
        """Tell the seconds until this hour of the local day, today or tomorrow."""
        local = self.true.astimezone()
        at = local.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(hours=hour)
        return ((at - local).total_seconds()) % DAY_S or float(DAY_S)


def furnish(station: Station, luck: random.Random, lessons: int) -> None:
    """Make the catalogue, the timetable and the limits of a room; so many lessons in a book."""
    station.add_source(SourceRow(id=SOURCE, kind="platform"))
    place = Placement(stage="p", grade="g", edition="e", volume="v")
    books = [
        Book(id=BookId(name), source=SOURCE, title=name, place=replace(place, subject=name))
        for name in SUBJECTS
    ]
    station.catalogue.put_books(SOURCE, books)
    station.room.add_class("three", 3, 13).result()
    for book in books:
        made = [a_lesson(book, number, luck) for number in range(lessons)]
        station.catalogue.put_whole(made)
        station.room.choose_book(CLASS, book.place.subject, book.id).result()
    for day in range(1, SCHOOL_DAYS + 1):
        for period in range(1, len(CLASSES) + 1):
            subject = SUBJECTS[(period + day) % len(SUBJECTS)]
            key = SlotKey(day=day, period=period, class_id=CLASS)
            station.room.set_slot(Slot(key=key, subject=subject)).result()
    for name, text in (
        ("link_kind", "satellite"),
        ("link_budget_mb", str(DAY_MB)),
        ("link_month_mb", str(MONTH_MB)),
        ("link_hours", f"{HOURS.begin}-{HOURS.end}"),
    ):
        station.room.set_setting(name, text).result()


def a_lesson(book: Book, number: int, luck: random.Random) -> Lesson:
    """Make a lesson: a sheet, slides, a film in two sizes, protected in one of twelve."""
    lesson = LessonId(f"{book.id}{number:03}")
    film = luck.randrange(25, 60) * MEGABYTE
    is_protected = luck.random() < 1 / 12

    def part(role: Role, *files: RemoteFile) -> Part:
        return Part(
            id=PartId(f"{lesson}-{role.value}"),
            lesson=lesson,
            role=role,
            title=role.value,
            label="",
            position=0,
            period=-1,
            files=files,
        )

    def file(name: str, use: FileUse, size: int, height: int = 0) -> RemoteFile:
        return RemoteFile(
            path=f"/{lesson}/{name}",
            urls=(f"https://example.org/{lesson}/{name}",),
            format=name.rpartition(".")[2],
            flags=(),
            use=use,
            size_bytes=size,
            height=height,
            is_protected=is_protected and height > 0,
        )

    return Lesson(
        id=lesson,
        source=SOURCE,
        kind=LessonKind.NATIONAL,
        title=lesson,
        place=book.place,
        book=book.id,
        position=number,
        parts=(
            part(Role.TASK, file("task.pdf", FileUse.DOCUMENT, luck.randrange(200, 900) * 1000)),
            part(Role.SLIDES, file("slides.pdf", FileUse.DOCUMENT, 2 * MEGABYTE)),
            part(
                Role.VIDEO,
                file("360.mp4", FileUse.VIDEO_FILE, film, 360),
                file("240.mp4", FileUse.VIDEO_FILE, film * 11 // 20, 240),
            ),
        ),
        has_detail=True,
    )


def content_of(part: PartId) -> bytes:
    """Give the bytes of a file: far fewer than the catalogue says, the disk is not measured."""
    return (part.encode() * _COPIES)[: 20 * _COPIES]
