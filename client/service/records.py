"""Facts about classes: adding them, listing their fold, and recording a sitting as it goes.

Invariants:
  R1  What `add` and the recorder acknowledge (a future that is done) is durable.
  R2  The list is the fold: corrected facts are gone, played time is a union, oldest first.
  R3  A value that cannot be read exactly is refused; nothing is guessed.
  R4  A sitting that did not end is found again with the place where it stood.
"""

import secrets
import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from client.domain.errors import UserError
from client.domain.ids import ClassId, EventId, LessonId, PartId, SittingId
from client.domain.record import bodies as b
from client.domain.record.anchors import Anchor, AnchorKind, Present
from client.domain.record.bodies import Ended, EventType, TaughtBy, Understood
from client.domain.record.dates import Dated, Dates, Fault
from client.domain.record.facts import SittingRow, fact_rows, sitting_rows
from client.domain.record.fold import Entry, Fold, union
from client.domain.record.resume import ResumePoint, RunningTimer
from client.domain.record.table import spec_of, topic
from client.domain.record.values import parse_value
from client.domain.timetable import SlotKey
from client.service.api import FactRow
from client.store.futures import after, then
from client.store.journal import Journal
from client.store.journal_rows import Look

if TYPE_CHECKING:
    from client.domain.record.event import Event

_SITTING_TYPES: Final = (
    EventType.SITTING_OPENED,
    EventType.SITTING_ENDED,
    EventType.CORRECTION,
)

SAVE_RESUME_EVERY_S: Final = 5.0
"""How often a running class calls `save_resume`."""

__all__ = [
    "SAVE_RESUME_EVERY_S",
    "Ended",
    "OpenedSitting",
    "RecordService",
    "ResumePoint",
    "RunningTimer",
    "SittingRecorder",
    "SittingRow",
    "TaughtBy",
    "Understood",
    "UnfinishedSitting",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedSitting:
    """A sitting that began. It may be used at once.

    `recorded` is done when both the event and the place to go on from are durable.
    """

    sitting: SittingId
    recorded: Future[EventId]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnfinishedSitting:
    """A sitting to go on with: cut off by a power failure, or left for the next time."""

    point: ResumePoint
    is_interrupted: bool
    """False when the teacher ended it with 没上完，下次接着上."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayLog:
    """Every sitting, oldest first, and what time it is as far as the same evidence tells."""

    sittings: tuple[SittingRow, ...]
    now: Dated
    wall_ms: int
    """What the clock showed then."""


class SittingRecorder:
    """Writes what a class does, as it does it.

    All methods return at once and may be called from any thread; futures are done after COMMIT
    and fail with `StorageError` when the disk does not keep it. Several sittings may run at a
    time (复式). A sitting that goes on after a restart is made known by `go_on`.

    A counted thing that is written again (headcount, a question's counts, note, understood,
    taught by, end) supersedes what this room wrote before for the same sitting.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal: Final = journal
        self._points: dict[SittingId, ResumePoint] = {}

    def open(
        self,
        class_ids: Sequence[ClassId],
        lesson: LessonId,
        slot: SlotKey | None = None,
        lesson_period: int = 0,
    ) -> OpenedSitting:
        """Begin a sitting; an older unfinished one of the same classes and lesson is dropped."""
        sitting = SittingId(secrets.token_hex(8))
        point = ResumePoint(
            sitting=sitting,
            class_ids=tuple(class_ids),
            lesson=lesson,
            day=slot.day if slot else 0,
            period=slot.period if slot else 0,
            lesson_period=lesson_period,
        )
        self._points[sitting] = point
        recorded = self._journal.append(
            b.SittingOpened(
                sitting=sitting,
                class_ids=point.class_ids,
                lesson=lesson,
                day=point.day,
                period=point.period,
                lesson_period=lesson_period,
            )
        )
        placed = self._journal.save_resume(point, is_first=True)
        return OpenedSitting(sitting=sitting, recorded=after(recorded, placed))

    def go_on(self, point: ResumePoint) -> None:
        """Take up an unfinished sitting (see `RecordService.unfinished`)."""
        self._points[point.sitting] = point

    def save_resume(  # noqa: PLR0913 - one row, keyword by keyword
        self,
        sitting: SittingId,
        *,
        part: PartId | None,
        position_s: float,
        is_playing: bool,
        page: int = -1,
        cue: int = 0,
        timers: Sequence[RunningTimer] = (),
    ) -> Future[None]:
        """Remember where the sitting stands, every `SAVE_RESUME_EVERY_S` and at each pause."""
        point = replace(
            self._points[sitting],
            part=part,
            position_s=max(0.0, position_s),
            is_playing=is_playing,
            page=page,
            cue=cue,
            timers=tuple(timers),
        )
        self._points[sitting] = point
        return self._journal.save_resume(point)

    def played(
        self, sitting: SittingId, stretches: Iterable[tuple[float, float]]
    ) -> Future[EventId]:
        """Record stretches of media time that were shown: every 5 min, at pause, cue and end."""
        point = self._points[sitting]
        return self._journal.append(
            b.Played(
                sitting=sitting,
                class_ids=point.class_ids,
                lesson=point.lesson,
                stretches=whole_seconds(stretches),
            )
        )

    def cue(self, sitting: SittingId, ordinal: int) -> Future[EventId]:
        """Record that a step of the cue sheet was reached."""
        return self._journal.append(b.CueReached(sitting=sitting, ordinal=ordinal))

    def question(
        self, sitting: SittingId, round_: int, counts: Sequence[tuple[str, int]]
    ) -> Future[EventId]:
        """Record how many chose what in the n-th question (from 1), replacing earlier counts."""
        point = self._points[sitting]
        body = b.QuestionRound(
            sitting=sitting,
            class_ids=point.class_ids,
            lesson=point.lesson,
            round=round_,
            counts=tuple(counts),
        )
        return self._replace_fact(body, lambda old: _is_round(old.body, round_))

    def headcount(self, sitting: SittingId, class_id: ClassId, count: int) -> Future[EventId]:
        """Record how many were counted, replacing an earlier count of this sitting."""
        body = b.HeadcountTaken(
            sitting=sitting,
            class_id=class_id,
            lesson=self._points[sitting].lesson,
            count=count,
        )
        return self._replace_fact(body, lambda old: _is_headcount(old.body, class_id))

    def note(self, sitting: SittingId, text: str) -> Future[EventId]:
        """Write the sitting's one note; empty removes it."""
        point = self._points[sitting]
        return self._write_register(
            b.NoteWritten(
                note=bytes.fromhex(sitting),
                sitting=sitting,
                class_ids=point.class_ids,
                lesson=point.lesson,
                text=text,
            )
        )

    def understood(
        self, sitting: SittingId, class_id: ClassId, level: Understood
    ) -> Future[EventId]:
        """Write 听懂 of a class; `UNSAID` clears it."""
        return self._write_register(
            b.UnderstoodWritten(sitting=sitting, class_id=class_id, level=level)
        )

    def taught_by(self, sitting: SittingId, who: TaughtBy) -> Future[EventId]:
        """Write 谁上的课."""
        return self._write_register(b.TaughtByWritten(sitting=sitting, who=who))

    def end(self, sitting: SittingId, how: Ended, screen_s: float = 0.0) -> Future[EventId]:
        """End the sitting, or change how it ended. `CARRY_ON` keeps its place for next time."""
        recorded = self._write_register(
            b.SittingEnded(sitting=sitting, how=how, screen_s=round(screen_s))
        )
        if how is not Ended.CARRY_ON:
            # Only once the end is durable may the place be forgotten.
            recorded.add_done_callback(lambda done: self._forget(done, sitting))
        return recorded

    def _forget(self, done: Future[EventId], sitting: SittingId) -> None:
        if done.exception() is None:
            self._journal.drop_resume(sitting)

    def _replace_fact(
        self, body: b.QuestionRound | b.HeadcountTaken, is_old: Callable[[Entry], bool]
    ) -> Future[EventId]:
        number = EventType.QUESTION_ROUND
        if isinstance(body, b.HeadcountTaken):
            number = EventType.HEADCOUNT

        def draft(look: Look) -> Sequence[b.Body]:
            old = [entry.id for entry in look.facts(number, topic(body)) if is_old(entry)]
            return (replace(body, sup=tuple(old)),)

        return then(self._journal.draft(draft), lambda events: events[0].id)

    def _write_register(self, body: b.RegisterBody) -> Future[EventId]:
        return write_register(self._journal, body)


class RecordService:
    """Adds single facts and lists the fold. Blocking methods say so.

    Args:
        journal: Where facts live.
        known_classes: The classes of the room, asked when a fact is added.
    """

    def __init__(self, journal: Journal, known_classes: Callable[[], Collection[ClassId]]) -> None:
        self._journal: Final = journal
        self._known_classes: Final = known_classes
        self.recorder: Final = SittingRecorder(journal)
        self._gate = threading.Lock()
        self._sittings = Fold()
        self._sitting_events: list[Event] = []
        self._dates = Dates(())
        self._anchors: tuple[Anchor, ...] = ()
        self._place = 0

    def add(
        self, kind: str, class_id: ClassId, value: str, lesson: LessonId | None = None
    ) -> Future[EventId]:
        """Record one fact of DESIGN §4: headcount, note, answer, opened or played.

        Raises:
            UserError: `record_kind_unknown`, `class_unknown`, `value_unreadable`.
        """
        if class_id not in self._known_classes():
            raise UserError("class_unknown", {"name": class_id})
        return self._journal.append(
            parse_value(kind, class_id, value, lesson, secrets.token_bytes(8))
        )

    def take_back(self, name: EventId) -> Future[EventId]:
        """Undo a fact: it is gone from the fold and stays in the log.

        The future fails with `UserError("fact_unknown")` when no such fact is alive.
        """

        def draft(look: Look) -> Sequence[b.Body]:
            entry = look.find(name)
            if entry is None:
                raise UserError("fact_unknown", {"id": name.hex()})
            if isinstance(entry.body, b.NoteWritten):
                seen = look.siblings(EventType.NOTE, topic(entry.body))
                return (replace(entry.body, text="", sup=tuple(one.id for one in seen)),)
            return (b.Correction(sup=(name,)),)

        return then(self._journal.draft(draft), lambda events: events[0].id)

    def facts(
        self, class_id: ClassId | None = None, since: str | None = None
    ) -> tuple[FactRow, ...]:
        """List the fold, oldest first. Blocking.

        Args:
            class_id: Only facts of this class.
            since: ISO date or time; facts whose time is not known are listed as well.

        Raises:
            UserError: `since_unreadable`.
        """
        events = self._all_events()
        found = fact_rows(Fold(events), since, Dates(events, self._journal.anchors()))
        return tuple(
            FactRow(
                id=row.id,
                kind=row.kind,
                class_id=row.class_id,
                lesson=row.lesson,
                when=row.when,
                value=row.value,
            )
            for row in found
            if class_id is None or row.class_id == class_id
        )

    def sittings(self) -> tuple[SittingRow, ...]:
        """List every sitting with how it ended, oldest first. Blocking."""
        return self.day_log().sittings

    def day_log(self) -> DayLog:
        """List every sitting, and tell the time. Blocking.

        Reads only what came since it was asked last: 今天 asks often, and years add up.
        """
        with self._gate:
            present = self._read_on()
            return DayLog(
                sittings=sitting_rows(self._sittings, self._dates),
                now=self._dates.now(present),
                wall_ms=present.wall_ms,
            )

    def now(self) -> tuple[Dated, int]:
        """Tell the time as `day_log` does, and what the clock shows. Blocking, but quick."""
        with self._gate:
            present = self._read_on()
            return self._dates.now(present), present.wall_ms

    def _read_on(self) -> Present:
        """Take in what came since it was asked last; gives the present."""
        fresh = self._journal.events(_SITTING_TYPES, after=self._place)
        for place, event in fresh:
            self._sittings.add(event)
            self._sitting_events.append(event)
            self._place = place
        anchors = self._journal.anchors()
        if fresh or anchors != self._anchors:
            self._dates, self._anchors = Dates(self._sitting_events, anchors), anchors
        return self._journal.present()

    def clock(self) -> tuple[Dated, frozenset[Fault]]:
        """Tell what time it is, and what is wrong with this machine's clock. Blocking."""
        dates = Dates(self._all_events(), self._journal.anchors())
        here = self._journal.present()
        return dates.now(here), dates.faults(here.writer)

    def tell_time(self, utc_ms: int, err_ms: int) -> Future[None]:
        """Keep what a person said: the day of the week and the hour now (`AnchorKind.TAP`)."""
        here = self._journal.present()
        return self._journal.note_anchor(here.anchor(AnchorKind.TAP, utc_ms, err_ms))

    def stretches(self, sitting: SittingId) -> tuple[tuple[int, int], ...]:
        """List what the record says was shown in a sitting, joined, in seconds. Blocking."""
        numbers = (EventType.PLAYED, EventType.CORRECTION)
        played = Fold(event for _, event in self._journal.events(numbers)).facts(EventType.PLAYED)
        bodies = (entry.body for entry in played)
        return union(
            stretch
            for body in bodies
            if isinstance(body, b.Played) and body.sitting == sitting
            for stretch in body.stretches
        )

    def unfinished(self) -> tuple[UnfinishedSitting, ...]:
        """List sittings to go on with, the one saved last first (R4). Blocking."""
        ended = {row.sitting: row.how for row in self.sittings()}
        points = ((point, ended.get(point.sitting)) for point in self._journal.resume_points())
        return tuple(
            UnfinishedSitting(point=point, is_interrupted=how is None)
            for point, how in points
            if how is None or how is Ended.CARRY_ON
        )

    def _all_events(self) -> "tuple[Event, ...]":
        return tuple(event for _, event in self._journal.events())


def write_register(journal: Journal, body: b.RegisterBody) -> Future[EventId]:
    """Write a register so that it supersedes exactly what is visible when it is written."""

    def draft(look: Look) -> Sequence[b.Body]:
        seen = look.siblings(spec_of(body).number, topic(body))
        return (replace(body, sup=tuple(entry.id for entry in seen)),)

    return then(journal.draft(draft), lambda events: events[0].id)


def whole_seconds(stretches: Iterable[tuple[float, float]]) -> tuple[tuple[int, int], ...]:
    """Round stretches to whole seconds of at least one each; a second shown in part counts."""
    return tuple((int(begin), max(int(begin) + 1, round(end))) for begin, end in sorted(stretches))


def _is_round(body: b.Body, number: int) -> bool:
    return isinstance(body, b.QuestionRound) and body.round == number


def _is_headcount(body: b.Body, class_id: ClassId) -> bool:
    return isinstance(body, b.HeadcountTaken) and body.class_id == class_id
