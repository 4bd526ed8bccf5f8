"""The demo school: a room with two grades and four lessons, for looking around.

Its lessons come as any other school's do: packed on a stick by a room that nobody knows.
"""

import shutil
import tempfile
import tomllib
from pathlib import Path
from typing import Final

from client.domain.availability import Decodes
from client.domain.cancel import CancelToken
from client.domain.clock import Clock
from client.domain.errors import UserError
from client.domain.timetable import Slot, SlotKey
from client.service.paths import ASSETS, ROOT, Profile
from client.service.school import grade_number
from client.service.station import Station
from client.service.text import Words
from sync.engine.courier import Courier, CourierPorts
from sync.engine.courier_commands import labels_of
from sync.engine.courier_pack import Packed
from sync.engine.courier_stick import is_packed
from sync.engine.courier_unpack import Unpacked
from sync.engine.fetch import Probe
from sync.engine.folder_import import import_folder

FOLDER: Final = ROOT / "build" / "demo"
_ROOM: Final = ASSETS / "demo" / "room.toml"
_DAYS: Final = range(1, 8)


def pack_demo(tree: Path, out: Path, clock: Clock) -> Packed:
    """Pack the lessons of a readable tree as a stick carries them. Blocking.

    Args:
        tree: What `packaging/make_demo.py` draws.
        out: Folder of the stick; what lay there before goes.
        clock: Of the room that packs, which lives no longer than this.
    """
    fresh = out.with_name(f"{out.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as folder:
        station = Station(Profile(Path(folder)), clock)
        try:
            # Who unpacks them tries the films: that is another machine.
            import_folder(station, tree, lambda _: Decodes.UNKNOWN, CancelToken())
            packed = _courier(station, lambda _: Decodes.UNKNOWN, CancelToken()).pack(fresh)
        finally:
            station.close()
    shutil.rmtree(out, ignore_errors=True)
    fresh.rename(out)
    return packed


def open_demo(
    station: Station, probe: Probe, cancel: CancelToken, folder: Path = FOLDER
) -> Unpacked:
    """Take the demo school over into a profile whose room is still empty. Blocking.

    Raises:
        UserError: `no_demo`: it has not been made on this machine.
        StorageFullError: The disk is full.
        Cancelled: As asked.
    """
    if not is_packed(folder):
        raise UserError("no_demo")
    report = _courier(station, probe, cancel).unpack(folder)
    if station.room.snapshot().room is None:
        _set_up(station)
    return report


def _courier(station: Station, probe: Probe, cancel: CancelToken) -> Courier:
    labels = labels_of(Words(station.room.snapshot().settings.language))
    return Courier(CourierPorts(station=station, probe=probe, labels=labels, cancel=cancel))


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
