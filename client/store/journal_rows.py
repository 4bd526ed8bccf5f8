"""The SQL of journal.db beside `log_rows`: rows in, values out.

Every function runs on its caller's connection, inside its caller's transaction.
"""

import sqlite3
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from client.domain.canon import Wire, decode_array, encode
from client.domain.errors import ProtocolError
from client.domain.ids import ClassId, EventId, LessonId, PartId, SittingId
from client.domain.record.bodies import EventType
from client.domain.record.event import Event
from client.domain.record.fold import Entry, Fold, read
from client.domain.record.resume import ResumePoint, RunningTimer
from client.domain.record.segment import BootRow
from client.store.log_rows import EVENT, FROM, HOME, event_of, octets, whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Tip:
    """The last event of a log, or of a branch of it."""

    writer: bytes
    public_key: bytes
    seq: int
    hash: bytes
    lc: int
    first: int
    """Back to this number nothing is missing."""
    is_named: bool
    """Whether a later log goes on from it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Boot:
    """A start of the machine, as it is known on this machine."""

    ordinal: int
    key: str
    mono_ms: int


class Look:
    """What a draft may ask of the log while its own transaction is open."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def siblings(self, number: EventType, key: bytes) -> tuple[Entry, ...]:
        """Return the visible writes of a register; a new write names their ids."""
        return Fold(self._events(number, key)).siblings(number, key)

    def facts(self, number: EventType, group: bytes) -> tuple[Entry, ...]:
        """Return the facts of a group that nobody took back."""
        return Fold(self._events(number, group)).facts(number)

    def find(self, name: EventId) -> Entry | None:
        """Find one event by its id; None when it is not here or says nothing."""
        found = find_event(self._connection, name)
        return None if found is None else read(found)

    def _events(self, number: EventType, key: bytes) -> Iterable[Event]:
        rows = self._connection.execute(
            f"SELECT {EVENT} {FROM} WHERE event.type = ? AND event.topic = ?",
            (number.value, key),
        )
        return map(event_of, rows)


def select_events(
    connection: sqlite3.Connection,
    *,
    numbers: Collection[EventType] | None = None,
    after: int = 0,
    limit: int = -1,
) -> tuple[tuple[tuple[int, Event], ...], int]:
    """Read events in order of arrival behind `after`, and count the rows that do not hold."""
    where, values = "", [after]
    if numbers is not None:
        where = f" AND event.type IN ({', '.join('?' * len(numbers))})"
        values += [number.value for number in numbers]
    rows = connection.execute(
        f"SELECT event.n, {EVENT} {FROM} WHERE event.n > ?{where} ORDER BY event.n LIMIT ?",
        (*values, limit),
    )
    events: list[tuple[int, Event]] = []
    broken = 0
    for n, *row in rows:
        try:
            events.append((n, event_of(row)))
        except ProtocolError:
            broken += 1
    return tuple(events), broken


def select_log(
    connection: sqlite3.Connection, writer: bytes, first_seq: int, count: int = -1
) -> tuple[Event, ...]:
    """Read a stretch of one writer's log, in order."""
    rows = connection.execute(
        f"SELECT {EVENT} {FROM} WHERE writer.w = ? AND event.seq >= ? ORDER BY event.seq LIMIT ?",
        (writer, first_seq, count),
    )
    return tuple(map(event_of, rows))


def find_event(connection: sqlite3.Connection, name: EventId) -> Event | None:
    """Find an event by the first half of its hash."""
    row = connection.execute(
        f"SELECT {EVENT} {FROM} WHERE event.hash >= ? AND event.hash <= ?",
        (name, name + b"\xff" * 16),
    ).fetchone()
    return None if row is None else event_of(row)


def find_by_hash(connection: sqlite3.Connection, writer: bytes, digest: bytes) -> Event | None:
    """Find an event of one log by its full hash."""
    row = connection.execute(
        f"SELECT {EVENT} {FROM} WHERE event.hash = ? AND writer.w = ?", (digest, writer)
    ).fetchone()
    return None if row is None else event_of(row)


def count_events(connection: sqlite3.Connection) -> int:
    """Count all events."""
    return whole(connection.execute("SELECT count(*) FROM event").fetchone()[0])


# --- writers and tips --------------------------------------------------------------------


def select_writers(
    connection: sqlite3.Connection,
) -> tuple[tuple[int, bytes, tuple[bytes, bytes]], ...]:
    """Return every writer: local number, name, public key and nonce."""
    found = connection.execute("SELECT wi, w, public_key, nonce FROM writer")
    return tuple(
        (whole(wi), octets(w), (octets(key), octets(nonce))) for wi, w, key, nonce in found
    )


def writers_of(connection: sqlite3.Connection, public_key: bytes) -> tuple[tuple[int, bytes], ...]:
    """Return (local number, writer) of every incarnation of one key."""
    rows = connection.execute(
        "SELECT wi, w FROM writer WHERE public_key = ? ORDER BY wi", (public_key,)
    )
    return tuple((whole(wi), octets(w)) for wi, w in rows)


def select_tips(connection: sqlite3.Connection) -> tuple[Tip, ...]:
    """Return the tips of all logs, ordered by writer."""
    rows = connection.execute(
        "SELECT writer.w, writer.public_key, head.seq, head.hash, head.lc, head.first,"
        " named.hash IS NOT NULL FROM head JOIN writer ON writer.wi = head.wi LEFT JOIN named"
        " ON named.si = writer.si AND named.w = writer.w AND named.hash = head.hash"
        " ORDER BY writer.w, head.hash"
    )
    return tuple(
        Tip(
            writer=octets(w),
            public_key=octets(key),
            seq=whole(seq),
            hash=octets(digest),
            lc=whole(lc),
            first=whole(first),
            is_named=is_named == 1,
        )
        for w, key, seq, digest, lc, first, is_named in rows
    )


def open_tips(connection: sqlite3.Connection) -> tuple[Tip, ...]:
    """Return the tips that no later log goes on from."""
    return tuple(tip for tip in select_tips(connection) if not tip.is_named)


def heads_of(connection: sqlite3.Connection, wi: int) -> tuple[tuple[int, bytes], ...]:
    """Return (number, hash) of the tips of one log, the newest last."""
    rows = connection.execute("SELECT seq, hash FROM head WHERE wi = ? ORDER BY lc, hash", (wi,))
    return tuple((whole(seq), octets(digest)) for seq, digest in rows)


def largest_counter(connection: sqlite3.Connection) -> int:
    """Return the largest Lamport counter that is known."""
    return whole(connection.execute("SELECT lc FROM site WHERE si = ?", (HOME,)).fetchone()[0])


# --- boots -------------------------------------------------------------------------------


def last_boot(connection: sqlite3.Connection, wi: int) -> Boot | None:
    """Return the newest start of the machine that a writer saw."""
    row = connection.execute(
        "SELECT ordinal, key, mono FROM boot WHERE wi = ? ORDER BY ordinal DESC LIMIT 1", (wi,)
    ).fetchone()
    return None if row is None else Boot(ordinal=row[0], key=row[1], mono_ms=row[2])


def insert_boot(connection: sqlite3.Connection, wi: int, boot: Boot, row: BootRow) -> None:
    """Remember a start of the machine."""
    connection.execute(
        "INSERT INTO boot (wi, ordinal, key, mono, wall, was_clean) VALUES (?, ?, ?, ?, ?, ?)",
        (wi, boot.ordinal, boot.key, boot.mono_ms, row.wall_ms, int(row.was_clean)),
    )


def touch_boot(connection: sqlite3.Connection, wi: int, ordinal: int, mono_ms: int) -> None:
    """Remember how long a start of the machine has lasted."""
    connection.execute(
        "UPDATE boot SET mono = ? WHERE wi = ? AND ordinal = ?", (mono_ms, wi, ordinal)
    )


def all_boots(connection: sqlite3.Connection, wi: int) -> tuple[tuple[Boot, BootRow], ...]:
    """Return every start of the machine that a writer saw."""
    found = connection.execute(
        "SELECT ordinal, key, mono, wall, was_clean FROM boot WHERE wi = ? ORDER BY ordinal", (wi,)
    )
    return tuple(
        (
            Boot(ordinal=whole(ordinal), key=str(key), mono_ms=whole(mono)),
            BootRow(ordinal=whole(ordinal), wall_ms=whole(wall), was_clean=clean == 1),
        )
        for ordinal, key, mono, wall, clean in found
    )


def select_boots(
    connection: sqlite3.Connection, wi: int, ordinals: Collection[int]
) -> tuple[BootRow, ...]:
    """Return the boot rows with these ordinals."""
    return tuple(row for boot, row in all_boots(connection, wi) if boot.ordinal in ordinals)


# --- sealed segments ---------------------------------------------------------------------


def select_unsealed(connection: sqlite3.Connection, wi: int) -> tuple[tuple[Event, ...], int]:
    """Return the events of a log that no segment holds, and count the rows that do not hold."""
    rows = connection.execute(
        f"SELECT {EVENT} {FROM} WHERE event.wi = ? AND event.is_sealed = 0 ORDER BY event.seq",
        (wi,),
    )
    events: list[Event] = []
    broken = 0
    for row in rows:
        try:
            events.append(event_of(row))
        except ProtocolError:
            broken += 1
    return tuple(events), broken


def select_sealed(connection: sqlite3.Connection) -> tuple[bytes, ...]:
    """Return all segments, log by log, in order."""
    rows = connection.execute("SELECT data FROM sealed ORDER BY wi, first_seq")
    return tuple(octets(data) for (data,) in rows)


# --- local rows --------------------------------------------------------------------------


def put_local(connection: sqlite3.Connection, name: str, value: str) -> None:
    """Write a local value; an empty one removes it."""
    if value:
        connection.execute(
            "INSERT INTO local (name, value) VALUES (?, ?)"
            " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (name, value),
        )
    else:
        connection.execute("DELETE FROM local WHERE name = ?", (name,))


def select_local(connection: sqlite3.Connection) -> dict[str, str]:
    """Return all local values."""
    rows = connection.execute("SELECT name, value FROM local")
    return {str(name): str(value) for name, value in rows}


def put_resume(connection: sqlite3.Connection, point: ResumePoint) -> None:
    """Write where a sitting stands."""
    timers: list[Wire] = [
        [timer.name, round(timer.total_s * 1000), round(timer.left_s * 1000)]
        for timer in point.timers
    ]
    connection.execute(
        "INSERT OR REPLACE INTO resume (sitting, class_ids, lesson, day, period, lesson_period,"
        " part, position_ms, is_playing, page, cue, timers, wall)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            point.sitting,
            encode(list(point.class_ids)),
            point.lesson,
            point.day,
            point.period,
            point.lesson_period,
            point.part,
            round(point.position_s * 1000),
            int(point.is_playing),
            point.page,
            point.cue,
            encode(timers),
            point.saved_wall_ms,
        ),
    )


def drop_resume(connection: sqlite3.Connection, sitting: SittingId) -> None:
    """Forget where a sitting stands."""
    connection.execute("DELETE FROM resume WHERE sitting = ?", (sitting,))


def drop_older_resume(connection: sqlite3.Connection, point: ResumePoint) -> None:
    """Forget other sittings of the same classes and lesson: this one goes on from them."""
    connection.execute(
        "DELETE FROM resume WHERE class_ids = ? AND lesson = ? AND sitting <> ?",
        (encode(list(point.class_ids)), point.lesson, point.sitting),
    )


def select_resume(connection: sqlite3.Connection) -> tuple[ResumePoint, ...]:
    """Return all resume points, the one saved last first."""
    rows = connection.execute(
        "SELECT sitting, class_ids, lesson, day, period, lesson_period, part, position_ms,"
        " is_playing, page, cue, timers, wall FROM resume ORDER BY rowid DESC"
    )
    return tuple(map(_resume_of, rows))


def _resume_of(row: Sequence[object]) -> ResumePoint:
    sitting, classes, lesson, day, period, lesson_period, part, position, *rest = row
    playing, page, cue, timers, wall = rest
    return ResumePoint(
        sitting=SittingId(str(sitting)),
        class_ids=tuple(ClassId(str(one)) for one in decode_array(octets(classes))),
        lesson=LessonId(str(lesson)),
        day=whole(day),
        period=whole(period),
        lesson_period=whole(lesson_period),
        part=None if part is None else PartId(str(part)),
        position_s=whole(position) / 1000,
        is_playing=playing == 1,
        page=whole(page),
        cue=whole(cue),
        timers=tuple(map(_timer_of, decode_array(octets(timers)))),
        saved_wall_ms=whole(wall),
    )


def _timer_of(value: Wire) -> RunningTimer:
    match value:
        case [str(name), int(total), int(left)]:
            return RunningTimer(name=name, total_s=total / 1000, left_s=left / 1000)
        case _:
            raise ProtocolError("not_canonical")
