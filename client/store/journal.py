"""The journal of a room: its own log, other logs it holds, and the local rows beside them.

Invariants:
  J1  An append's future is done only after COMMIT with FULL returned; what it named is then in
      the log for good.
  J3  A draft sees the log as it is when its own event is written: `sup` is never out of date.
  J4  Listeners hear of events after they are durable, before the append's future is done; also
      of those that `log` took.
  J6  A row that changed behind the program's back is never believed, and stops nothing.
  J7  When the disk is full the ballast is given up first, and the append is tried again.
  J8  `refusal` names what kept the last write from the disk, until one is kept again.
"""

import contextlib
import threading
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeAlias

from client.domain.clock import Clock
from client.domain.errors import StorageError, StorageFullError
from client.domain.failpoint import failpoint
from client.domain.ids import EventId, SittingId
from client.domain.record.anchors import Anchor, Present
from client.domain.record.bodies import Body, EventType, WhyIncarnation
from client.domain.record.event import Event
from client.domain.record.resume import ResumePoint
from client.domain.signer import Signer
from client.store import clock_rows
from client.store import journal_rows as rows
from client.store.backup import Backups, is_due
from client.store.ballast import Ballast
from client.store.database import Database
from client.store.futures import then
from client.store.guard import Guard
from client.store.journal_rows import Look, Tip
from client.store.keyfile import KeyFile
from client.store.later import Later
from client.store.log_store import LogStore
from client.store.own_log import OwnLog, Start
from client.store.sealing import seal_all

if TYPE_CHECKING:
    import sqlite3

Draft: TypeAlias = Callable[[Look], Sequence[Body]]
"""Decides what to write while its transaction is open. Pure but for what it asks of `Look`."""
_Job: TypeAlias = "Callable[[sqlite3.Connection], tuple[Event, ...]]"
Listener: TypeAlias = Callable[[Sequence[Event]], None]

BALLAST: Final = "ballast"
NOTE_S: Final = 60.0
"""So long after a new event the sentinel is written at the latest."""
PUSH_S: Final = 5.0
"""So long after a commit a disk that forgets is to be pushed somewhere else."""
SUSPECT: Final = "journal.suspect"
"""Local value that asks the next start to repair the file."""
ACKNOWLEDGED: Final = "journal.acknowledged"
"""Local value: the summary of the last vector that a hub was found to hold all of."""
_BACKED_UP: Final = "journal.backed_up"
_TRIAL: Final = "journal.trial"
_TRIAL_TEXT: Final = "." * 16_384


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalHealth:
    """Figures for 体检. `behind` counts the events that are newer than the newest backup.

    `is_suspect` tells that a damaged row was met; the next start repairs it. `forgets`: the disk
    is set back at every start. `is_guarded`: the sentinel could be written the last time.
    """

    events: int
    logs: int
    segments: int
    backups: int
    behind: int
    size_bytes: int
    is_suspect: bool = False
    forgets: bool = False
    is_guarded: bool = True


class Journal:
    """Appends and reads; any thread may call.

    Methods that return a value and no future read the disk: not for the GUI thread.

    Args:
        database: journal.db, opened with `schema_journal.MIGRATIONS`.
        key: Its public key and nonce name the log that is written.
        clock: Gives evidence of time.
        start: See `Start`.
        guard: Notices disks that were set back; None where nobody looks.

    Raises:
        StorageError: The first write failed.
    """

    def __init__(
        self,
        database: Database,
        key: KeyFile,
        clock: Clock,
        start: Start,
        guard: Guard | None = None,
    ) -> None:
        self._database: Final = database
        self._clock: Final = clock
        self._listeners: tuple[Listener, ...] = ()
        self._at_close: Final = start.at_close
        self._gate = threading.Lock()
        self._backing_up = threading.Lock()
        self.backups: Final = Backups(path=database.path)
        self.ballast: Final = Ballast(path=database.path.with_name(BALLAST))
        self._guard: Final = guard
        self._own: Final = OwnLog(key, clock, start)
        self.forgets = False
        """Whether the disk is set back at every start of the machine."""
        self.wants_push: Callable[[], None] | None = None
        """Called a few seconds after a commit while the disk forgets; must not raise."""
        self.refusal = ""
        """Code of the error the last write ended with, empty when it was kept (J8)."""
        self.is_new_boot: Final = database.write(
            lambda connection: self._begin(connection, start)
        ).result()
        self.log: Final = LogStore(
            database, heard=self._tell, follow=self._took, relieve=self.ballast.drop
        )
        """All logs that are held, as exchanges see them."""
        self.log.spoilt = lambda: self.set_local(SUSPECT, "1")
        self._noting: Final = Later(self._note, NOTE_S)
        self._pushing: Final = Later(self._push, PUSH_S)
        if guard is not None:
            database.read(lambda connection: guard.note(connection, self.writer))

    @property
    def writer(self) -> bytes:
        """The log this machine writes now."""
        return self._own.writer

    @property
    def signer(self) -> Signer:
        """The key that signs for this machine."""
        return self._own.key

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
            return tuple(self._own.add(connection, body) for body in bodies)

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

        Older logs of this machine that came back are gone on from first. The signing happens
        on a reader thread, so that it delays no fact.
        """
        return self._database.read(self._seal)

    def segments(self) -> tuple[bytes, ...]:
        """Return all sealed segments, log by log, in order."""
        return self._database.read_here(rows.select_sealed)

    def acknowledge(self, summary: bytes) -> Future[None]:
        """Remember that a hub holds what a vector of this `summary` tells."""
        return self.set_local(ACKNOWLEDGED, summary.hex())

    def is_acknowledged(self) -> bool:
        """Tell whether a hub is known to hold everything that is here now."""
        return self.local().get(ACKNOWLEDGED) == self.log.vector().summary.hex()

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

    def try_disk(self) -> None:
        """Write a row of no meaning and take it away, to see whether the disk takes it (J8).

        Blocking; raises nothing. As large as a long note: a full file still takes small rows.
        """
        with contextlib.suppress(StorageError):
            for value in (_TRIAL_TEXT, ""):
                self.set_local(_TRIAL, value).result()

    def local(self) -> dict[str, str]:
        """Return all values of this machine."""
        return self._database.read_here(rows.select_local)

    # --- evidence of time ----------------------------------------------------------------

    def present(self) -> Present:
        """Tell what the clocks show now, and where an event written now would stand."""
        return Present(
            writer=self.writer,
            boot=self._own.boot,
            mono_ms=self._clock.boot_monotonic_ms(),
            wall_ms=self._wall_ms(),
        )

    def note_anchor(self, anchor: Anchor) -> Future[None]:
        """Keep what somebody told of the true time; done after COMMIT.

        Only once it is clear that this log was not rolled back: what a forgotten morning wrote
        would take it for its own.
        """
        return self._local(lambda connection: clock_rows.put_anchor(connection, anchor))

    def anchors(self) -> tuple[Anchor, ...]:
        """Return what is known of the true time."""
        return self._database.read_here(clock_rows.select_anchors)

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
            forgets=self.forgets,
            is_guarded=self._guard is None or self._guard.is_written,
        )

    def close(self) -> None:
        """Write what is queued and mark a clean end. Idempotent."""
        self._noting.close()
        self._pushing.close()
        with contextlib.suppress(StorageError):
            self._local(self._own.end).result()
        self._note()
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
            self._heed(error)
            if error is not None:
                answer.set_exception(error)
                return
            failpoint("journal.after_commit")
            try:
                self._tell(done.result())
            finally:
                answer.set_result(done.result())

        try:
            self._database.write(job).add_done_callback(committed)
        except StorageError as error:
            answer.set_exception(error)

    def _heed(self, error: BaseException | None) -> None:
        """Remember what became of a write (J8); what a draft raises says nothing of the disk."""
        if error is None:
            self.refusal = ""
        elif isinstance(error, StorageError):
            self.refusal = error.code

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
        answer: Future[None] = Future()
        answer.set_running_or_notify_cancel()

        def committed(done: Future[None]) -> None:
            # Before the answer: who waited for it may ask at once what became of it (J8).
            error = done.exception()
            self._heed(error)
            if error is None:
                answer.set_result(None)
            else:
                answer.set_exception(error)

        try:
            self._database.write(job).add_done_callback(committed)
        except StorageError as error:
            answer.set_exception(error)
        return answer

    def _begin(self, connection: "sqlite3.Connection", start: Start) -> bool:
        is_new_boot = self._own.begin(connection)
        if self._guard is not None:
            is_repaired = start.why is not WhyIncarnation.FIRST
            self.forgets = self._guard.begin(
                connection, is_new_boot=is_new_boot, is_repaired=is_repaired
            )
        return is_new_boot

    def _took(self, connection: "sqlite3.Connection", fresh: Sequence[Event]) -> list[Event]:
        written = self._own.took(connection, fresh)
        if self._guard is not None:
            self.forgets = self._guard.judge(connection)
        return written

    def _tell(self, events: Sequence[Event]) -> None:
        if self._guard is not None:
            self._noting.soon()
        if self.forgets and self.wants_push is not None:
            self._pushing.soon()
        for listener in self._listeners:
            listener(events)

    def _note(self) -> None:
        guard = self._guard
        if guard is not None:
            # The journal may have been closed, or its disk may be gone: then nothing is noted.
            with contextlib.suppress(StorageError):
                self._database.read(lambda connection: guard.note(connection, self.writer)).result()

    def _push(self) -> None:
        if self.wants_push is not None:
            self.wants_push()

    def _seal(self, connection: "sqlite3.Connection") -> int:
        if self._own.loose(connection):
            answer: Future[tuple[Event, ...]] = Future()
            answer.set_running_or_notify_cancel()
            self._submit(self._own.gather, answer)
            answer.result()
        made, broken = seal_all(connection, self._database, self._own.key)
        if broken:
            self.set_local(SUSPECT, "1").result()
        if self._guard is not None:
            self._guard.note(connection, self.writer)
        return made

    def _wall_ms(self) -> int:
        return int(self._clock.wall().timestamp() * 1000)
