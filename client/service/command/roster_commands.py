"""Commands of the roster: the only ones that meet names of pupils. `roster list` alone writes them.

Invariants:
  RM1  No answer but that of `roster list`, and no error, holds a name.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from client.domain.errors import UserError
from client.service.command.documents import Listing
from client.service.command.parse import Invocation
from client.service.roster import RosterService
from client.service.station import Station
from client.service.text import Words

Command = Callable[[Station, RosterService, Invocation], object]


def import_list(station: Station, roster: RosterService, call: Invocation) -> object:
    """`roster import`: the class becomes what the file says."""
    group = station.room.find_class(call.text("class"))
    taken = roster.import_file(group.id, call.needed_path("file")).result()
    return {
        "class": group.id,
        "pupils": sum(pupil.is_present for pupil in taken.pupils),
        "added": taken.added,
        "left": taken.left,
        "duplicates": taken.duplicates or None,
        "recovery_code": taken.new_code or None,
    }


def list_pupils(station: Station, roster: RosterService, call: Invocation) -> object:
    """`roster list`."""
    group = station.room.find_class(call.text("class"))
    return Listing(name="pupils", rows=roster.pupils(group.id).result(), more={"class": group.id})


def back_up(_: Station, roster: RosterService, call: Invocation) -> object:
    """`roster backup`."""
    made = roster.back_up(call.needed_path("dir")).result()
    return {
        "path": made.path,
        "size_bytes": made.size_bytes,
        "pupils": made.pupils,
        "is_same_disk": made.is_same_disk,
        "recovery_code": made.new_code or None,
    }


def restore(_: Station, roster: RosterService, call: Invocation) -> object:
    """`roster restore`."""
    came = roster.restore(call.needed_path("file"), call.text("code")).result()
    return {
        "pupils": came.pupils,
        "kept": came.kept.name if came.kept is not None else None,
        "is_older": came.is_older,
    }


def drop(station: Station, roster: RosterService, call: Invocation) -> object:
    """`roster drop`."""
    group = station.room.find_class(call.text("class"))
    gone = roster.drop(group.id).result()
    return {
        "class": group.id,
        "pupils": gone.pupils,
        "beside": [path.name for path in gone.beside] or None,
    }


def show_code(station: Station, roster: RosterService, call: Invocation) -> object:
    """`roster code`: show the recovery code, or print its sheet."""
    code, out = roster.recovery_code().result(), call.path("pdf")
    if out is not None:
        _print(station, code, out, call)
    return {"recovery_code": code, "path": out}


def _print(station: Station, code: str, out: Path, call: Invocation) -> None:
    from client.service.roster_sheet import write_sheet  # noqa: PLC0415 - heavy

    snapshot = station.room.snapshot()
    if not out.parent.is_dir():
        raise UserError("roster_backup_folder", {"folder": out.parent.name})
    place = f"{snapshot.room.school} {snapshot.room.room}" if snapshot.room is not None else ""
    write_sheet(out, code, place, Words(call.language or snapshot.settings.language))


COMMANDS: Final[Mapping[str, Command]] = {
    "roster import": import_list,
    "roster list": list_pupils,
    "roster backup": back_up,
    "roster restore": restore,
    "roster drop": drop,
    "roster code": show_code,
}
