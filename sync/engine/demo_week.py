"""A week of lessons behind the demo school, for looking at pages that show what was recorded.

It is lived, not made up: each lesson goes through the recorder on a PC that was switched on for it,
at its time; what another PC wrote comes from a second log.

Invariants:
  DW1  Only a profile without any sitting gets a week.
"""

import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final, TypeAlias, cast

from client.domain.clock import Clock, FrozenClock
from client.domain.ids import ClassId, LessonId, SittingId
from client.domain.record import bodies as b
from client.domain.timetable import SlotKey
from client.service.paths import ASSETS, Profile
from client.service.records import RecordService, SittingRecorder
from client.service.station import Station
from client.store.database import Database
from client.store.journal import Journal
from client.store.keyfile import KeyFile
from client.store.own_log import Start
from client.store.repair import KEY_FILE
from client.store.schema_journal import MIGRATIONS

_WEEK: Final = ASSETS / "demo" / "week.toml"
_AGO: Final = timedelta(days=9)
_FORGOTTEN: Final = datetime(1970, 1, 1, 0, 12, tzinfo=UTC)
"""What a clock without a battery says."""
_What: TypeAlias = tuple[ClassId, LessonId]
_Taught: TypeAlias = tuple[SittingId, ClassId, LessonId]


def live_week(profile: Profile, today: Clock, open_school: Callable[[Station], object]) -> int:
    """Live the week before `today` in a demo school. Blocking.

    Args:
        profile: Where; nobody has it open.
        today: Tells which week.
        open_school: Sets the school up, on the first of its days.

    Returns:
        How many sittings were recorded; 0 where there were some.
    """
    plan = tomllib.loads(_WEEK.read_text(encoding="utf-8"))
    now = today.wall().astimezone()
    station = Station(profile, FrozenClock(at=now - _AGO))
    try:
        if station.records.sittings():
            return 0
        open_school(station)
        classes = {group.name: group.id for group in station.room.snapshot().classes}
        here = [(_what(station, row), row) for row in plan["sitting"]]
        there = [(_what(station, row), row) for row in plan["elsewhere"]]
    finally:
        station.close()
    folder, taught = profile.folder, list[_Taught]()
    key = cast("KeyFile", KeyFile.load(folder / KEY_FILE))
    for what, row in here:
        with _switched_on(folder, key, _moment(row, now)) as journal:
            taught.append(_teach(journal, what, row, _moment(row, now).isoweekday()))
    for row in plan["fact"]:
        with _switched_on(folder, key, _moment(row, now)) as journal:
            records = RecordService(journal, classes.values)
            records.add(row["kind"], classes[row["class"]], row["value"]).result()
    with (
        _other_key(folder / "elsewhere.key") as other,
        _switched_on(folder, other, _FORGOTTEN) as journal,
    ):
        for what, row in there:
            _teach(journal, what, row, row["day"])
        for row in plan["said"]:
            journal.append(_said(classes, row, taught)).result()
    return len(here) + len(there)


@contextmanager
def _switched_on(folder: Path, key: KeyFile, at: datetime) -> Iterator[Journal]:
    """Open the log of one PC after it was started at a time by its own clock."""
    database = Database(folder / "journal.db", MIGRATIONS)
    start = Start(boot_key=f"{at:%Y-%m-%d %H:%M}")
    journal = Journal(database, key, FrozenClock(at=at), start)
    try:
        yield journal
    finally:
        journal.close()


@contextmanager
def _other_key(path: Path) -> Iterator[KeyFile]:
    """Make the key of another PC, which leaves when it is done."""
    yield KeyFile.create(path)
    path.unlink()


def _moment(row: Mapping[str, Any], now: datetime) -> datetime:
    day = now - timedelta(days=row["days_ago"])
    return datetime.combine(day.date(), time.fromisoformat(row["time"]), now.tzinfo)


def _teach(journal: Journal, what: _What, row: Mapping[str, Any], day: int) -> _Taught:
    recorder, (class_id, lesson) = SittingRecorder(journal), what
    slot = SlotKey(day=day, period=row["period"], class_id=class_id)
    sitting = recorder.open((class_id,), lesson, slot).sitting
    if "shown" in row:
        recorder.played(sitting, row["shown"])
    for number, counts in enumerate(row.get("rounds", ()), 1):
        recorder.question(sitting, number, tuple(counts.items()))
    if "heads" in row:
        recorder.headcount(sitting, class_id, row["heads"])
    if "understood" in row:
        recorder.understood(sitting, class_id, b.Understood(row["understood"]))
    if "note" in row:
        recorder.note(sitting, row["note"])
    recorder.taught_by(sitting, b.TaughtBy(row.get("taught_by", "own")))
    recorder.end(sitting, b.Ended(row["ended"]), row.get("screen_s", 0)).result()
    return sitting, class_id, lesson


def _what(station: Station, row: Mapping[str, Any]) -> _What:
    """Give the class, and the first lesson of its book or a name that no catalogue knows."""
    class_id = station.room.find_class(row["class"]).id
    for chosen in station.room.snapshot().chosen_books:
        if (chosen.class_id, chosen.subject) == (class_id, row["subject"]):
            return class_id, station.catalogue.lessons_of_book(chosen.book)[0].id
    return class_id, LessonId(row["subject"])


def _said(
    classes: Mapping[str, ClassId], row: Mapping[str, Any], taught: Sequence[_Taught]
) -> b.RegisterBody:
    if "slot" in row:
        slot = row["slot"]
        return b.SlotWritten(
            class_id=classes[slot["class"]],
            day=slot["day"],
            period=slot["period"],
            subject=slot["subject"],
        )
    sitting, class_id, lesson = taught[row["sitting"]]
    if "note" in row:
        return b.NoteWritten(
            note=bytes.fromhex(sitting),
            sitting=sitting,
            class_ids=(class_id,),
            lesson=lesson,
            text=row["note"],
        )
    level = b.Understood(row["understood"])
    return b.UnderstoodWritten(sitting=sitting, class_id=class_id, level=level)
