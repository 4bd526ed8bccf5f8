"""The one thread that uses the link: progress first, then catalogue, papers, films, as planned.

Invariants:
  U1  What was requested is kept before anything is fetched for it, and comes in a later life of
      the program if this one ends.
  U2  `status` is one frozen value; a subscriber that is slow misses steps, never the last one.
  U3  Pausing, cancelling or closing stops the link at once and loses nothing that was verified.
  U4  Whatever one job raises ends that job, not the thread.
  U5  Progress goes before content: an exchange that is due stops a fetch, which goes on behind it.
"""

import contextlib
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from client.domain.cancel import CancelToken
from client.domain.catalogue import Role
from client.domain.errors import Cancelled, ClassroomError, StorageError, TransportError
from client.domain.ids import LessonId
from client.domain.spend import Purpose
from client.domain.want import Want, WantState
from client.service.api import Reason, SyncStatus
from sync.engine.catalogue_sync import CatalogueProgress, CatalogueReport, Wanted
from sync.engine.fetch_job import Progress
from sync.engine.fetch_plan import DEFAULT_RENDITION, Choice, FetchReport, PartStatus
from sync.engine.guide import Guide, in_turn, planned, put_off, rendition_of
from sync.engine.schedule import (
    CLOSED,
    MOST_RETRY_S,
    QUIET,
    Entry,
    Stage,
    find,
    mends_itself,
    next_due_s,
    next_entry,
    placed,
    reopened,
    retry_wait_s,
    roles_of,
)
from sync.engine.status import Facts, Moment, Speed, facts_of, transfer_row
from sync.engine.supervisor_ports import Calls, Link, SupervisorPorts

if TYPE_CHECKING:
    from client.service.agenda import Outlook

_LOG: Final = logging.getLogger(__name__)
_PUBLISH_S: Final = 0.25
_PLAN_S: Final = 600.0
_CLOSE_S: Final = 5.0


class Supervisor:
    """See the module. All public methods return at once and may be called from any thread."""

    def __init__(self, ports: SupervisorPorts) -> None:
        self._ports = ports
        self._wake = threading.Condition()
        self._entries: tuple[Entry, ...] = ()
        self._facts: dict[LessonId, Facts] = {}
        self._syncs: list[tuple[Wanted, Future[CatalogueReport]]] = []
        self._listeners: tuple[Callable[[SyncStatus], None], ...] = ()
        self._status = SyncStatus()
        self._closing = False
        self._running: tuple[LessonId | None, CancelToken] | None = None
        self._chosen: Entry | None = None
        self._outlook: Outlook | None = None
        self._plan_due_s = 0.0
        self._left_out: frozenset[LessonId] = frozenset()
        self._link: Link | None = None
        self._link_is_stale = False
        self._speed = Speed(ports.clock)
        self._published_s = 0.0
        self._thread = threading.Thread(target=self._run, name="sync-supervisor", daemon=True)

    # --- for the user interface ------------------------------------------------------------

    @property
    def status(self) -> SyncStatus:
        """The latest status (U2)."""
        return self._status

    def subscribe(self, listener: Callable[[SyncStatus], None]) -> Callable[[], None]:
        """Have `listener` told each new status, on any thread; returns how to end that."""
        with self._wake:
            self._listeners = (*self._listeners, listener)

        def forget() -> None:
            with self._wake:
                self._listeners = tuple(one for one in self._listeners if one is not listener)

        return forget

    def start(self) -> None:
        """Begin to work on what is wanted. Call it once."""
        self._thread.start()

    def request(
        self,
        lesson: LessonId,
        rendition: str = DEFAULT_RENDITION,
        roles: frozenset[Role] = frozenset(),
        *,
        is_pinned: bool = False,
    ) -> Future[None]:
        """Want a lesson, or want it again after it failed (U1).

        Returns:
            A future that is done once the wish is kept.
        """
        want = Want(lesson=lesson, rendition=rendition, roles=roles, is_pinned=is_pinned)
        with self._wake:
            kept = self._ports.wants.put(want)
            self._entries = placed(self._entries, Entry(want=want))
            self._left_out -= {lesson}
            self._plan_due_s = 0.0
            # Its papers come before the film that may be on its way (Q1).
            self._stop_running(unless=lesson)
            self._wake.notify_all()
        self._publish()
        return kept

    def cancel(self, lesson: LessonId) -> None:
        """Want a lesson no more; what came of it is kept for another time (U3)."""
        with self._wake:
            self._ports.wants.forget(lesson)
            self._entries = tuple(e for e in self._entries if e.want.lesson != lesson)
            self._left_out |= {lesson}
            self._plan_due_s = 0.0
            if self._running is not None and self._running[0] == lesson:
                self._running[1].cancel()
            self._wake.notify_all()
        self._publish()

    def pause(self) -> None:
        """Fetch nothing until `resume` (U3). A catalogue sync goes on."""
        with self._wake:
            self._status = replace(self._status, is_paused=True)
            self._stop_running()
        self._publish()

    def resume(self) -> None:
        """Go on."""
        with self._wake:
            self._status = replace(self._status, is_paused=False)
            self._entries = tuple(replace(e, not_before_s=0.0) for e in self._entries)
            self._wake.notify_all()
        self._publish()

    def sync_catalogue(self, wanted: Wanted) -> Future[CatalogueReport]:
        """Bring the catalogue up to date before the next lesson is fetched."""
        future: Future[CatalogueReport] = Future()
        with self._wake:
            self._syncs.append((wanted, future))
            self._stop_running()
            self._wake.notify_all()
        return future

    def source_changed(self) -> None:
        """Make a new link: a source or its token is another now. Failed wants are tried again."""
        with self._wake:
            self._link_is_stale = True
            for entry in self._entries:
                if entry.want.state is WantState.FAILED and not entry.is_planned:
                    self._ports.wants.put(reopened(entry).want)
            self._entries = tuple(reopened(entry) for entry in self._entries)
            self._plan_due_s = 0.0
            self._stop_running()
            self._wake.notify_all()
        self._publish()

    def replan(self, *, is_link_new: bool = True) -> None:
        """Hear that lessons, or timetable and limits are others: then what waits is tried again."""
        with self._wake:
            self._plan_due_s = 0.0
            self._entries = tuple(
                replace(e, not_before_s=0.0) if is_link_new and e.reason == CLOSED else e
                for e in self._entries
            )
            self._wake.notify_all()

    def hurry(self) -> None:
        """Look again whether a hub is to be called (U5)."""
        with self._wake:
            if self._call_wait_s() == 0.0:
                self._stop_running()
            self._wake.notify_all()

    def tell_watched(self, watched: Reason | None) -> None:
        """Show how things stand with the watched folders."""
        with self._wake:
            self._status = replace(self._status, watched=watched)
        self._publish()

    def close(self) -> None:
        """Stop at once; waits a few seconds at most. Idempotent."""
        with self._wake:
            self._closing = True
            if self._running is not None:
                self._running[1].cancel()
            self._wake.notify_all()
        if self._thread.is_alive():
            self._thread.join(_CLOSE_S)

    # --- the thread ----------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._load()
        except Exception:  # noqa: BLE001 - what is asked from now on still comes (U4)
            _LOG.exception("the list of wanted lessons could not be read")
        while (job := self._next_job()) is not None:
            try:
                job()
            except Exception:  # noqa: BLE001 - a job that cannot even be recorded (U4)
                _LOG.exception("what became of a lesson could not be written down")
                self._put_off()
        if self._link is not None:
            self._link.close()
        if self._ports.calls is not None:
            self._ports.calls.close()

    def _call_wait_s(self) -> float | None:
        return None if self._ports.calls is None else self._ports.calls.wait_s()

    def _call(self, calls: Calls) -> None:
        """Speak to a hub. That it does not answer says nothing of the link."""
        cancel = self._begin(None)
        try:
            if calls.call(cancel):
                self._contact(is_online=True)
        except Cancelled:  # the program is closing
            pass
        finally:
            self._end()
            self._publish()

    def _put_off(self) -> None:
        """Leave the chosen want alone for a while."""
        due = self._ports.clock.monotonic() + MOST_RETRY_S
        if self._chosen is not None:
            self._change(replace(self._chosen, not_before_s=due, reason="store_failed"))

    def _load(self) -> None:
        """Take up what earlier lives wanted, and sweep what nobody wants (U1)."""
        holdings, guide = self._ports.holdings, self._ports.guide
        holdings.settle()
        for want in self._ports.wants.all():
            with self._wake:
                if find(self._entries, want.lesson) is None:
                    self._entries = placed(self._entries, Entry(want=want))
        needed = {entry.want.lesson for entry in self._entries}
        if guide is not None:
            needed |= self._plan(guide)
        holdings.blobs.sweep(k for one in needed for k in self._ports.growing(one))
        holdings.missing()

    def _next_job(self) -> Callable[[], object] | None:
        """Wait for something to do; None to end."""
        with self._wake:
            while not self._closing:
                calls, call_wait_s = self._ports.calls, self._call_wait_s()
                if calls is not None and call_wait_s == 0.0:
                    return lambda: self._call(calls)
                if self._syncs:
                    wanted, future = self._syncs.pop(0)
                    return lambda: self._sync(wanted, future)
                now = self._ports.clock.monotonic()
                guide = self._ports.guide
                if guide is not None and self._plan_due_s <= now:
                    return lambda: self._plan(guide)
                turn = in_turn(() if self._status.is_paused else self._entries, self._outlook)
                entry = next_entry(turn, now)
                unknown = [e for e in self._entries if e.want.lesson not in self._facts]
                if unknown:
                    return lambda: self._learn_all(unknown)
                if entry is not None:
                    self._chosen = chosen = entry
                    return lambda: self._fetch(chosen)
                plan_wait_s = None if guide is None else self._plan_due_s - now
                waits = (next_due_s(turn, now), call_wait_s, plan_wait_s)
                self._wake.wait(min((wait for wait in waits if wait is not None), default=None))
        return None

    def _plan(self, guide: Guide) -> set[LessonId]:
        """Plan anew, and take up what the timetable needs; gives all lessons of the plan."""
        self._plan_due_s = self._ports.clock.monotonic() + _PLAN_S
        outlook = guide.look([e.want for e in self._entries if not (e.is_planned and e.is_open)])
        with self._wake:
            self._outlook = outlook
            self._entries = planned(self._entries, outlook, self._left_out)
        self._publish()
        return set(outlook.promises)

    def _sync(self, wanted: Wanted, future: Future[CatalogueReport]) -> None:
        cancel = self._begin(None)
        try:
            self._tell_catalogue(Reason(code="sync_begins"))
            if self._ports.guide is not None:
                self._ports.guide.allowance(Purpose.CONTENT)
            future.set_result(self._get_link().sync(wanted, self._on_catalogue, cancel))
            self._contact(is_online=True)
        except Exception as error:  # noqa: BLE001 - it belongs to whoever asked (U4)
            if isinstance(error, TransportError):
                self._contact(is_online=False)
            future.set_exception(error)
        finally:
            self._end()
            self._tell_catalogue(None)

    def _fetch(self, entry: Entry) -> None:
        """Fetch one stage of one want."""
        lesson, stage = entry.want.lesson, entry.stage
        roles = roles_of(entry.want, stage)
        if not roles:
            self._stage_done(entry)
            return
        if (waiting := put_off(entry, self._ports, self._outlook)) is not None:
            self._change(waiting)
            self._publish()
            return
        cancel = self._begin(lesson)
        try:
            self._learn(lesson)
            self._publish()
            choice = Choice(rendition=rendition_of(entry, self._outlook), roles=roles)
            report = self._get_link().fetch(lesson, choice, cancel)
            self._after(entry, report)
        except Cancelled:
            pass  # paused, cancelled, closed or overtaken: the list says what comes next
        except ClassroomError as error:
            self._failed(entry, error.code)
        except Exception:  # noqa: BLE001 - a bug ends its job, not the thread (U4)
            _LOG.exception("fetching a lesson failed inside")
            self._failed(entry, "internal")
        finally:
            self._end()
            self._learn(lesson)
            self._publish()

    def _after(self, entry: Entry, report: FetchReport) -> None:
        came, guide = report.bytes_received, self._ports.guide
        if guide is not None:
            guide.measured(came, report.lit_s, report.seconds)
        failed = [part.reason for part in report.parts if part.status is PartStatus.FAILED]
        if came or not (failed or report.bytes_near):
            self._contact(is_online=True)
        elif failed and mends_itself(failed[0]) and failed[0] not in QUIET:
            self._contact(is_online=False)
        if failed:
            reason = next((r for r in failed if mends_itself(r)), failed[0])
            self._failed(entry, reason, came=came)
        else:
            self._stage_done(entry)

    def _stage_done(self, entry: Entry) -> None:
        if entry.stage is Stage.PAPERS:
            self._plan_due_s = 0.0
            self._change(replace(entry, stage=Stage.FILM, retries=0, reason=""))
            return
        self._learn(entry.want.lesson)
        needed = self._facts[entry.want.lesson].bytes_needed
        want = replace(
            entry.want, state=WantState.DONE, reason="", bytes_needed=needed, bytes_done=needed
        )
        self._settle(replace(entry, stage=Stage.DONE, want=want), keep=want.is_pinned)

    def _failed(self, entry: Entry, reason: str, *, came: int = 0) -> None:
        """Try again later what may mend, keep the rest as failed (Q3)."""
        retries = max(1, entry.retries + (reason not in QUIET or (reason == CLOSED and not came)))
        if mends_itself(reason):
            due = self._ports.clock.monotonic() + retry_wait_s(retries, reason)
            self._change(replace(entry, retries=retries, not_before_s=due, reason=reason))
            return
        want = replace(entry.want, state=WantState.FAILED, reason=reason)
        self._settle(replace(entry, want=want), keep=True)

    def _settle(self, entry: Entry, *, keep: bool) -> None:
        """Write down how a want ended, then show it (U1)."""
        wants = self._ports.wants
        with self._wake:
            if not self._is_chosen(entry.want.lesson):
                return
            want = entry.want
            is_kept = keep and not entry.is_planned
            written = wants.put(want) if is_kept else wants.forget(want.lesson)
            self._plan_due_s = 0.0
        written.result()
        self._change(entry)

    # --- inside --------------------------------------------------------------------------------

    def _get_link(self) -> Link:
        if self._link is not None and self._link_is_stale:
            self._link.close()
            self._link = None
        if self._link is None:
            self._link_is_stale = False
            self._link = self._ports.link(self._on_bytes)
        return self._link

    def _begin(self, lesson: LessonId | None) -> CancelToken:
        cancel = CancelToken()
        with self._wake:
            self._running = (lesson, cancel)
            is_unwanted = lesson is not None and (
                self._status.is_paused or find(self._entries, lesson) is None
            )
            if self._closing or is_unwanted:
                cancel.cancel()
        return cancel

    def _end(self) -> None:
        with self._wake:
            self._running = None

    def _stop_running(self, unless: LessonId | None = None) -> None:
        """Stop a fetch so that the list is looked at again; a catalogue sync goes on."""
        if self._running is not None and self._running[0] not in (None, unless):
            self._running[1].cancel()

    def _change(self, entry: Entry) -> None:
        """Replace the chosen entry, unless its lesson was cancelled or wanted anew meanwhile."""
        with self._wake:
            if self._is_chosen(entry.want.lesson):
                self._entries = placed(self._entries, entry)

    def _is_chosen(self, lesson: LessonId) -> bool:
        known = find(self._entries, lesson)
        return known is not None and known is self._chosen

    def _contact(self, *, is_online: bool) -> None:
        wall_ms = int(self._ports.clock.wall().timestamp() * 1000)
        last = wall_ms if is_online else self._status.last_contact_ms
        is_back = is_online and self._status.is_online is False
        with self._wake:
            self._status = replace(self._status, is_online=is_online, last_contact_ms=last)
        if is_back and self._ports.calls is not None:
            self._ports.calls.link_up()

    def _tell_catalogue(self, reason: Reason | None) -> None:
        with self._wake:
            self._status = replace(self._status, catalogue=reason)
        self._publish()

    def _on_catalogue(self, progress: CatalogueProgress) -> None:
        values = (("done", progress.done), ("total", progress.total))
        self._tell_catalogue(Reason(code=f"sync_{progress.phase.value}", values=values))

    def _on_bytes(self) -> None:
        now = self._ports.clock.monotonic()
        if now - self._published_s >= _PUBLISH_S:
            self.hurry()
            self._publish()

    def _publish(self) -> None:
        """Make the status anew and tell everybody (U2)."""
        with self._wake:
            self._published_s = self._ports.clock.monotonic()
            progress = Progress() if self._link is None else self._link.progress
            moment = Moment(
                running=None if self._running is None else self._running[0],
                progress=progress,
                bytes_per_s=self._speed.at(progress.bytes_received),
                is_paused=self._status.is_paused,
            )
            promises = {} if self._outlook is None else self._outlook.promises
            rows = tuple(transfer_row(e, self._facts, moment, promises) for e in self._entries)
            status = replace(
                self._status,
                rows=rows,
                bytes_received=progress.bytes_received,
                link=None if self._outlook is None else self._outlook.link,
            )
            self._status = status
            listeners = self._listeners
        for listener in listeners:
            listener(status)

    def _learn_all(self, entries: list[Entry]) -> None:
        for entry in entries:
            self._learn(entry.want.lesson)
        self._publish()

    def _learn(self, lesson_id: LessonId) -> None:
        """Ask catalogue and disk about a wanted lesson; on the supervisor's thread only."""
        self._facts[lesson_id] = Facts()
        entry = find(self._entries, lesson_id)
        if entry is None:
            return
        with contextlib.suppress(StorageError):
            lesson = self._ports.lesson(lesson_id)
            if lesson is not None:
                held = self._ports.holdings.of_lesson(lesson_id)
                self._facts[lesson_id] = facts_of(lesson, entry, held)
