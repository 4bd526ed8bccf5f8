"""The journal of a room: its own log, other logs it holds, and the local rows beside them.

Invariants:
  J1  An append's future is done only after COMMIT with FULL returned; what it named is then in
      the log for good.
  J2  Each event follows its log's tip; number, chain and Lamport counter come from the database
      inside the same transaction, never from memory.
  J3  A draft sees the log as it is when its own event is written: `sup` is never out of date.
  J4  Listeners hear of events after they are durable, before the append's future is done.
  J5  Every log begins with an INCARNATION that names the tips of the logs it goes on from.
  J6  A row that changed behind the program's back is never believed, and stops nothing.
  J7  When the disk is full the ballast is given up first, and the append is tried again.
"""

import itertools
import threading
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

from client.domain.clock import Clock
from client.domain.errors import ProtocolError, StorageError, StorageFullError
from client.domain.failpoint import failpoint
from client.domain.ids import EventId, SittingId
from client.domain.record.bodies import Body, EventType, Incarnation, WhyIncarnation
from client.domain.record.event import NO_PREVIOUS, SCOPE_ROOM, Event, follows, writer_of
from client.domain.record.fields import MAX_SEEN
from client.domain.record.resume import ResumePoint
from client.domain.record.segment import MAX_EVENTS, BootRow, seal
from client.domain.record.table import pack, spec_of
from client.domain.signer import Signer
from client.store import journal_rows as rows
from client.store import log_rows
from client.store.backup import Backups, is_due
from client.store.ballast import Ballast
from client.store.database import Database
from client.store.journal_rows import Boot, Look, Tip

if TYPE_CHECKING:
    import sqlite3

A = TypeVar("A")
B = TypeVar("B")

Draft: TypeAlias = Callable[[Look], Sequence[Body]]
"""Decides what to write while its transaction is open. Pure but for what it asks of `Look`."""
_Job: TypeAlias = "Callable[[sqlite3.Connection], tuple[Event, ...]]"
Listener: TypeAlias = Callable[[Sequence[Event]], None]

BALLAST: Final = "ballast"
CLEAN: Final = "journal.clean"
SUSPECT: Final = "journal.suspect"
"""Local value that asks the next start to repair the file."""
_BACKED_UP: Final = "journal.backed_up"


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalHealth:
    """Figures for 体检. `behind` counts the events that are newer than the newest backup.

    `is_suspect` tells that a damaged row was met; the next start repairs it.
    """

    events: int
    logs: int
    segments: int
    backups: int
    behind: int
    size_bytes: int
    is_suspect: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What a journal has to know about this start of the program.

    `boot_key` names the start of the machine where the system tells, else it is empty and a
    monotonic clock that went back tells.
    """

    why: WhyIncarnation = WhyIncarnation.FIRST
    boot_key: str = ""
    at_close: Callable[[], None] | None = None
    """Called once the file is closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Begun:
    """Where this start of the program stands in its log."""

    wi: int
    boot: int
    is_new_boot: bool


class Journal:
    """Appends and reads; any thread may call.

    Methods that return a value and no future read the disk: not for the GUI thread.

    Args:
        database: journal.db, opened with `schema_journal.MIGRATIONS`.
        signer: The key; its public key and nonce name the log that is written.
        clock: Gives evidence of time.
        start: See `Start`.

    Raises:
        StorageError: The first write failed.
    """

    def __init__(self, database: Database, signer: Signer, clock: Clock, start: Start) -> None:
        self._database: Final = database
        self._signer: Final = signer
        self._clock: Final = clock
        self._listeners: tuple[Listener, ...] = ()
        self._at_close: Final = start.at_close
        self._gate = threading.Lock()
        self._backing_up = threading.Lock()
        self.backups: Final = Backups(path=database.path)
        self.ballast: Final = Ballast(path=database.path.with_name(BALLAST))
        self.writer: Final = writer_of(signer.public_key, signer.nonce)
        self._begun: Final = database.write(
            lambda connection: self._begin(connection, start)
        ).result()
        self.is_new_boot: Final = self._begun.is_new_boot

    # --- writing -------------------------------------------------------------------------

    def append(self, body: Body) -> Future[EventId]:
        """Record one fact. The future is done after COMMIT (J1)."""
        return then(self.draft(lambda _: (body,)), lambda events: events[0].id)

    def draft(self, draft: Draft) -> Future[tuple[Event, ...]]:
        """Record what `draft` decides, all or nothing, in one transaction (J3)."""
        answer: Future[tuple[Event, ...]] = Future()
        answer.set_running_or_notify_cancel()

        def job(connection: "sqlite3.Connection") -> tuple[Event, ...]:
            bodies = draft(Look(connection))
            return tuple(self._add(connection, body, self._begun) for body in bodies)

        self._submit(job, answer)
        return answer

    def listen(self, listener: Listener) -> None:
        """Call `listener` with every batch of events that became durable, on any thread (J4).

        Batches may come in another order than they were written: folds do not mind.
        """
        with self._gate:
            self._listeners = (*self._listeners, listener)

    # --- reading -------------------------------------------------------------------------

    def events(
        self, numbers: Collection[EventType] | None = None, *, after: int = 0, limit: int = -1
    ) -> tuple[tuple[int, Event], ...]:
        """Read events in order of arrival, each with its place, from behind place `after`.

        A row whose hash does not hold is left out, and the next start repairs the file (J6).
        """
        events, broken = self._database.read_here(
            lambda connection: rows.select_events(
                connection, numbers=numbers, after=after, limit=limit
            )
        )
        if broken:
            self.set_local(SUSPECT, "1")
        return events

    def tips(self) -> tuple[Tip, ...]:
        """Return the tips of all logs."""
        return self._database.read_here(rows.select_tips)

    def count(self) -> int:
        """Count the events of all logs."""
        return self._database.read_here(rows.count_events)

    # --- segments ------------------------------------------------------------------------

    def seal(self) -> Future[int]:
        """Sign what no segment holds yet; the future gives how many segments were made.

        The signing happens on a reader thread, so that it delays no fact.
        """
        return self._database.read(self._seal)

    def segments(self) -> tuple[bytes, ...]:
        """Return all sealed segments, log by log, in order."""
        return self._database.read_here(rows.select_sealed)

    # --- local rows ----------------------------------------------------------------------

    def save_resume(self, point: ResumePoint, *, is_first: bool = False) -> Future[None]:
        """Remember where a sitting stands; `is_first` forgets older ones of class and lesson."""
        point = replace(point, saved_wall_ms=self._wall_ms())

        def job(connection: "sqlite3.Connection") -> None:
            if is_first:
                rows.drop_older_resume(connection, point)
            rows.put_resume(connection, point)

        return self._local(job)

    def drop_resume(self, sitting: SittingId) -> Future[None]:
        """Forget where a sitting stands."""
        return self._local(lambda connection: rows.drop_resume(connection, sitting))

    def resume_points(self) -> tuple[ResumePoint, ...]:
        """Return all resume points, the one saved last first."""
        return self._database.read_here(rows.select_resume)

    def set_local(self, name: str, value: str) -> Future[None]:
        """Remember a value of this machine only; an empty one removes it."""
        return self._local(lambda connection: rows.put_local(connection, name, value))

    def local(self) -> dict[str, str]:
        """Return all values of this machine."""
        return self._database.read_here(rows.select_local)

    # --- care ----------------------------------------------------------------------------

    def backup_if_due(self) -> Future[bool]:
        """Make a rolling backup if this start calls for one; the future tells whether it did."""
        return self._database.read(lambda _: self._back_up(is_forced=False))

    def lay_ballast(self) -> Future[bool]:
        """Keep room back for a full disk (see `Ballast`); the future tells whether it is there."""
        return self._database.read(lambda _: self.ballast.lay())

    def backup(self) -> Future[bool]:
        """Make a rolling backup now; the future gives False when the copy was not sound."""
        return self._database.read(lambda _: self._back_up(is_forced=True))

    def health(self) -> JournalHealth:
        """Look at the log and its backups."""
        events, then_ = self.count(), self._backed_up()
        return JournalHealth(
            events=events,
            logs=len(self.tips()),
            segments=len(self.segments()),
            backups=len(self.backups.present()),
            behind=events if then_ is None else max(0, events - then_),
            size_bytes=self._database.path.stat().st_size,
            is_suspect=self.local().get(SUSPECT) == "1",
        )

    def close(self) -> None:
        """Write what is queued and mark a clean end. Idempotent."""
        mono = self._clock.boot_monotonic_ms()

        def job(connection: "sqlite3.Connection") -> None:
            rows.touch_boot(connection, self._begun.wi, self._begun.boot, mono)
            rows.put_local(connection, CLEAN, "1")

        self._local(job)
        self._database.close()
        if self._at_close is not None:
            self._at_close()

    # --- inside --------------------------------------------------------------------------

    def _submit(self, job: "_Job", answer: Future[tuple[Event, ...]]) -> None:
        def committed(done: Future[tuple[Event, ...]]) -> None:
            error = done.exception()
            if isinstance(error, StorageFullError) and self.ballast.drop():
                self._submit(job, answer)
                return
            if error is not None:
                answer.set_exception(error)
                return
            failpoint("journal.after_commit")
            try:
                for listener in self._listeners:
                    listener(done.result())
            finally:
                answer.set_result(done.result())

        try:
            self._database.write(job).add_done_callback(committed)
        except StorageError as error:
            answer.set_exception(error)

    def _back_up(self, *, is_forced: bool) -> bool:
        with self._backing_up:
            return self._back_up_alone(is_forced=is_forced)

    def _back_up_alone(self, *, is_forced: bool) -> bool:
        events, then_ = self.count(), self._backed_up()
        if not is_forced and not is_due(
            is_new_boot=self.is_new_boot, events=events, events_then=then_
        ):
            return False
        is_made = self.backups.make(self._database)
        if is_made:
            self.set_local(_BACKED_UP, str(events)).result()
        return is_made

    def _backed_up(self) -> int | None:
        text = self.local().get(_BACKED_UP, "")
        return int(text) if text.isdigit() and self.backups.present() else None

    def _local(self, job: "Callable[[sqlite3.Connection], None]") -> Future[None]:
        try:
            return self._database.write(job)
        except StorageError as error:
            failed: Future[None] = Future()
            failed.set_exception(error)
            return failed

    def _begin(self, connection: "sqlite3.Connection", start: Start) -> _Begun:
        tips = rows.open_tips(connection)[-MAX_SEEN:]
        wi = log_rows.writer_index(connection, self.writer)
        is_first = wi is None
        if wi is None:
            signer = self._signer
            wi = log_rows.insert_writer(connection, self.writer, (signer.public_key, signer.nonce))
        begun = self._begin_boot(connection, wi, start.boot_key)
        if is_first:
            body = Incarnation(
                public_key=self._signer.public_key,
                nonce=self._signer.nonce,
                why=start.why,
                predecessors=tuple((tip.writer, tip.hash) for tip in tips),
            )
            self._add(connection, body, begun)
        rows.put_local(connection, CLEAN, "")
        return begun

    def _begin_boot(self, connection: "sqlite3.Connection", wi: int, key: str) -> _Begun:
        mono = self._clock.boot_monotonic_ms()
        last = rows.last_boot(connection, wi)
        if last is not None and not is_new_boot(last, key, mono):
            rows.touch_boot(connection, wi, last.ordinal, mono)
            return _Begun(wi=wi, boot=last.ordinal, is_new_boot=False)
        boot = Boot(ordinal=1 if last is None else last.ordinal + 1, key=key, mono_ms=mono)
        row = BootRow(
            ordinal=boot.ordinal,
            wall_ms=self._wall_ms(),
            was_clean=rows.select_local(connection).get(CLEAN) == "1",
        )
        rows.insert_boot(connection, wi, boot, row)
        return _Begun(wi=wi, boot=boot.ordinal, is_new_boot=True)

    def _add(self, connection: "sqlite3.Connection", body: Body, begun: _Begun) -> Event:
        tips = rows.select_tips(connection)
        tip = next((tip for tip in tips if tip.writer == self.writer), None)
        spec = spec_of(body)
        event = Event(
            writer=self.writer,
            seq=1 if tip is None else tip.seq + 1,
            prev=NO_PREVIOUS if tip is None else tip.hash,
            lc=1 + max((tip.lc for tip in tips), default=0),
            boot=begun.boot,
            mono_ms=self._clock.boot_monotonic_ms(),
            wall_ms=self._wall_ms(),
            scope=SCOPE_ROOM,
            type=spec.number.value,
            version=spec.version,
            body=pack(body),
        )
        log_rows.insert_event(connection, begun.wi, event)
        failpoint("journal.before_commit")
        return event

    def _wall_ms(self) -> int:
        return int(self._clock.wall().timestamp() * 1000)

    def _seal(self, connection: "sqlite3.Connection") -> int:
        made = 0
        for wi, writer in rows.writers_of(connection, self._signer.public_key):
            first = rows.next_unsealed(connection, wi)
            while found := rows.select_log(connection, writer, first, MAX_EVENTS):
                events = _unbroken(found)
                boots = rows.select_boots(connection, wi, {event.boot for event in events})
                events, data = self._signed(events, boots)
                self._database.write(_keep(wi, first, events, data)).result()
                first = events[-1].seq + 1
                made += 1
        return made

    def _signed(
        self, events: tuple[Event, ...], boots: tuple[BootRow, ...]
    ) -> tuple[tuple[Event, ...], bytes]:
        """Seal a run, halving it while it is too large; one event always fits."""
        while True:
            try:
                return events, seal(events, boots, self._signer)
            except ProtocolError as error:
                if error.code != "too_large":
                    raise
                events = events[: len(events) // 2]


def is_new_boot(last: Boot, key: str, mono_ms: int) -> bool:
    """Tell whether the machine was started again since `last` was written.

    | keys known | same  | monotonic went back | new boot |
    |------------|-------|---------------------|----------|
    | both       | yes   | -                   | no       |
    | both       | no    | -                   | yes      |
    | not both   | -     | yes                 | yes      |
    | not both   | -     | no                  | no       |
    """
    if key and last.key:
        return key != last.key
    return mono_ms < last.mono_ms


def then(future: Future[A], fn: Callable[[A], B]) -> Future[B]:
    """Give a future of `fn` of another future's result; errors of both pass through."""
    answer: Future[B] = Future()
    answer.set_running_or_notify_cancel()

    def done(finished: Future[A]) -> None:
        try:
            answer.set_result(fn(finished.result()))
        except BaseException as error:  # noqa: BLE001 - it belongs to the caller
            answer.set_exception(error)

    future.add_done_callback(done)
    return answer


def after(first: Future[A], second: Future[B]) -> Future[A]:
    """Give a future that is done when both are, with the result or error of the first.

    Nothing waits: this may be called on the thread that will finish them.
    """
    answer: Future[A] = Future()
    answer.set_running_or_notify_cancel()

    def copy(done: Future[A]) -> None:
        error = done.exception()
        if error is None:
            answer.set_result(done.result())
        else:
            answer.set_exception(error)

    second.add_done_callback(lambda _: first.add_done_callback(copy))
    return answer


def _unbroken(events: tuple[Event, ...]) -> tuple[Event, ...]:
    """Return the events up to the first gap: a repaired log may have lost some."""
    for number, (event, after) in enumerate(itertools.pairwise(events), 1):
        if not follows(after, event):
            return events[:number]
    return events


def _keep(
    wi: int, first: int, events: tuple[Event, ...], data: bytes
) -> "Callable[[sqlite3.Connection], None]":
    def job(connection: "sqlite3.Connection") -> None:
        # Somebody else may have sealed the same run meanwhile.
        if rows.next_unsealed(connection, wi) == first:
            log_rows.insert_sealed(connection, wi, events, data)

    return job
