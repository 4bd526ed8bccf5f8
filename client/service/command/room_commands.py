"""Commands of the room: what this machine can answer without asking anybody else."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from client.domain.catalogue import Book
from client.domain.cues import default_cues
from client.domain.errors import UserError
from client.domain.ids import BookId, ClassId, LessonId
from client.domain.timetable import ClassGroup, Slot, SlotKey
from client.domain.timetable_paste import decode_table, parse_timetable
from client.service.command.documents import Listing
from client.service.command.parse import Invocation
from client.service.print_desk import sheet_name
from client.service.school import grade_number
from client.service.school_words import load_paste_words, load_subjects
from client.service.station import Station
from client.service.text import Words

Command = Callable[[Station, Invocation], object]

_DAYS: Final = 7
_PERIODS: Final = 20
_MAX_TABLE_BYTES: Final = 1 << 20


def set_room(station: Station, call: Invocation) -> object:
    """`room set`."""
    station.room.set_room(call.text("school"), call.text("room")).result()
    room = station.room.snapshot().room
    return {"school": room.school if room else "", "room": room.room if room else ""}


def add_class(station: Station, call: Invocation) -> object:
    """`class add`."""
    made = station.room.add_class(call.text("name"), call.number("grade")).result()
    return station.room.find_class(made)


def list_classes(station: Station, _: Invocation) -> object:
    """`class list`."""
    return Listing(name="classes", rows=station.room.snapshot().classes)


def choose_books(station: Station, call: Invocation) -> object:
    """`book choose`: each book goes to the classes of its grade and its subject; all or none."""
    chosen: list[tuple[Book, tuple[ClassGroup, ...]]] = []
    for name in call.items("ids"):
        book = station.catalogue.book(BookId(name))
        if book is None:
            raise UserError("book_unknown", {"id": name})
        groups = _classes_of(book, station.room.snapshot().classes)
        if not groups:
            raise UserError("no_class_for_book", {"title": book.title})
        chosen.append((book, groups))
    for book, groups in chosen:
        for group in groups:
            station.room.choose_book(group.id, book.place.subject, book.id).result()
    return Listing(name="books", rows=[book for book, _ in chosen])


def list_books(station: Station, call: Invocation) -> object:
    """`book list`."""
    return Listing(name="books", rows=station.library.books_now(chosen=call.flag("chosen")))


def set_slot(station: Station, call: Invocation) -> object:
    """`timetable set`."""
    group = station.room.find_class(call.text("class"))
    day, period = call.number("day"), call.number("period")
    if not 1 <= day <= _DAYS or not 1 <= period <= _PERIODS:
        raise UserError("slot_unreadable", {"day": day, "period": period})
    lesson = call.text("lesson")
    if lesson:
        station.library.detail_now(LessonId(lesson))
    slot = Slot(
        key=SlotKey(day=day, period=period, class_id=group.id),
        subject=call.text("subject"),
        lesson=LessonId(lesson) if lesson else None,
    )
    station.room.set_slot(slot).result()
    return slot


def list_slots(station: Station, _: Invocation) -> object:
    """`timetable list`."""
    return Listing(name="slots", rows=station.room.snapshot().slots)


def paste_slots(station: Station, call: Invocation) -> object:
    """`timetable paste`: what can be read is taken; the rest is told with its place."""
    path = call.needed_path("file")
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_TABLE_BYTES)
    except OSError as error:
        raise UserError("file_unreadable", {"name": path.name}) from error
    room = station.room.snapshot()
    parsed = parse_timetable(
        decode_table(data), room.classes, load_subjects(), load_paste_words(), room.bells
    )
    if not parsed.slots:
        raise UserError("timetable_not_found", {"name": path.name})
    station.room.set_slots(parsed.slots).result()
    return Listing(name="slots", rows=parsed.slots, more={"problems": parsed.problems})


def list_sources(station: Station, _: Invocation) -> object:
    """`source list`."""
    return Listing(name="sources", rows=station.sources())


def search(station: Station, call: Invocation) -> object:
    """`catalogue search`."""
    station.library.refresh()
    limit = max(1, call.number("limit", 50))
    return station.library.search_now(call.text("text"), limit=limit, count=True)


def show(station: Station, call: Invocation) -> object:
    """`catalogue show`."""
    return station.library.detail_now(LessonId(call.text("id")))


def list_lessons(station: Station, _: Invocation) -> object:
    """`lesson list`: the cached lessons."""
    rows = [
        {
            "id": kept.id,
            "title": kept.title,
            "size_bytes": kept.size_bytes,
            "availability": station.library.detail_now(kept.id).row.state,
            "verified_at": kept.verified_at,
        }
        for kept in station.holdings.kept_lessons()
    ]
    return Listing(name="lessons", rows=rows)


def drop_lesson(station: Station, call: Invocation) -> object:
    """`lesson drop`."""
    freed = station.holdings.drop(LessonId(call.text("id")))
    return {"id": call.text("id"), "freed_bytes": freed}


def add_record(station: Station, call: Invocation) -> object:
    """`record add`: done only after it is durable."""
    lesson = call.text("lesson")
    group = station.room.find_class(call.text("class"))
    name = station.records.add(
        call.text("kind"), group.id, call.text("value"), LessonId(lesson) if lesson else None
    ).result()
    return {"id": name.hex()}


def list_records(station: Station, call: Invocation) -> object:
    """`record list`: the fold, oldest first."""
    group: ClassId | None = None
    if call.has("class"):
        group = station.room.find_class(call.text("class")).id
    since = call.text("since") or None
    return Listing(name="facts", rows=station.records.facts(group, since))


def print_sheet(station: Station, call: Invocation) -> object:
    """`print`."""
    from client.service.print_kit import Sheet, print_pdf  # noqa: PLC0415 - heavy

    lesson = LessonId(call.text("id"))
    detail = station.library.detail_now(lesson)
    what = Sheet(call.text("what"))
    known = station.catalogue.lesson(lesson)
    out = call.path("pdf") or Path(sheet_name(lesson, what.value))
    words = Words(call.language or station.room.snapshot().settings.language)
    cues = default_cues(known) if known is not None else ()
    made = print_pdf(what, detail, out, words=words, cues=cues)
    return {"path": made, "size_bytes": made.stat().st_size}


def _classes_of(book: Book, classes: tuple[ClassGroup, ...]) -> tuple[ClassGroup, ...]:
    """Classes of the book's grade; a book that names no grade fits a room of one class."""
    number = grade_number(book.place.grade)
    if number:
        return tuple(group for group in classes if group.grade == number)
    return classes if len(classes) == 1 else ()


COMMANDS: Final[Mapping[str, Command]] = {
    "room set": set_room,
    "class add": add_class,
    "class list": list_classes,
    "book choose": choose_books,
    "book list": list_books,
    "timetable set": set_slot,
    "timetable list": list_slots,
    "timetable paste": paste_slots,
    "source list": list_sources,
    "catalogue search": search,
    "catalogue show": show,
    "lesson list": list_lessons,
    "lesson drop": drop_lesson,
    "record add": add_record,
    "record list": list_records,
    "print": print_sheet,
}
