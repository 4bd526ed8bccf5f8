"""The demo school: a room with two grades and four lessons, for looking around."""

import tomllib
from pathlib import Path
from typing import Final

from client.domain.cancel import CancelToken
from client.domain.errors import UserError
from client.domain.timetable import Slot, SlotKey
from client.service.paths import ASSETS, ROOT
from client.service.school import grade_number
from client.service.station import Station
from sync.engine.fetch import Probe
from sync.engine.folder_import import FolderReport, import_folder

FOLDER: Final = ROOT / "build" / "demo"
_ROOM: Final = ASSETS / "demo" / "room.toml"
_DAYS: Final = range(1, 8)


def open_demo(
    station: Station, probe: Probe, cancel: CancelToken, folder: Path = FOLDER
) -> FolderReport:
    """Take the demo school over into a profile whose room is still empty. Blocking.

    Raises:
        UserError: `no_demo`: it has not been made on this machine.
        StorageFullError: The disk is full.
        Cancelled: As asked.
    """
    if not folder.is_dir():
        raise UserError("no_demo")
    report = import_folder(station, folder, probe, cancel)
    if station.room.snapshot().room is None:
        _set_up(station)
    return report


def _set_up(station: Station) -> None:
    plan = tomllib.loads(_ROOM.read_text(encoding="utf-8"))
    room = station.room
    ids = {}
    for row in plan["class"]:
        ids[row["name"]] = room.add_class(row["name"], row["grade"], row["headcount"]).result()
    lessons = {}
    for book in station.library.books_now():
        first = station.catalogue.lessons_of_book(book.id)[:1]
        for group in room.snapshot().classes:
            if grade_number(book.place.grade) == group.grade and first:
                room.choose_book(group.id, book.place.subject, book.id).result()
                lessons[group.name, book.place.subject] = first[0].id
    for row in plan["slot"]:
        slots = [
            Slot(
                key=SlotKey(day=day, period=row["period"], class_id=ids[name]),
                subject=subject,
                lesson=lessons.get((name, subject)),
            )
            for day in _DAYS
            for name, subject in row["subjects"].items()
        ]
        room.set_slots(slots).result()
    # Last, so that a set-up that was cut off begins again.
    room.set_room(plan["school"], plan["room"]).result()
