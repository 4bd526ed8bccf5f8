"""The supervisor with a link that does as it is told: U1 to U4 in the corners."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from client.domain.cancel import CancelToken
from client.domain.catalogue import Lesson, Role
from client.domain.clock import SystemClock
from client.domain.errors import Cancelled, StorageError, UnreachableError
from client.domain.ids import LessonId, SourceId
from client.domain.want import Want, WantState
from client.service.api import SyncStatus, TransferState
from client.store.blob_store import BlobStore
from client.store.holding_store import HoldingStore
from client.store.library import open_library
from client.store.want_store import WantStore
from sync.engine.catalogue_sync import CatalogueProgress, CatalogueReport, Phase, Wanted
from sync.engine.fetch_job import Progress
from sync.engine.fetch_plan import Choice, FetchReport, PartOutcome, PartStatus
from sync.engine.supervisor import Supervisor
from sync.engine.supervisor_ports import Calls, SupervisorPorts
from tests.lesson_values import a_file, a_lesson, a_part

ONE = LessonId("l1")
WAIT_S = 20.0
REPORT = CatalogueReport(
    source=SourceId("platform"),
    books=1,
    lessons=1,
    resources=1,
    added=1,
    changed=0,
    withdrawn=0,
    held_back=0,
    requests=1,
    bytes_received=1,
    skipped=0,
    failed=0,
    seconds=0.1,
)


class FakeLink:
    """Answers at once, or when it is let go."""

    def __init__(self) -> None:
        self.progress = Progress()
        self.asked: list[tuple[LessonId, frozenset[Role]]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.outcome: Callable[[], tuple[PartOutcome, ...]] = tuple
        self.sync_error: Exception | None = None
        self.closed = 0

    def fetch(self, lesson_id: LessonId, choice: Choice, cancel: CancelToken) -> FetchReport:
        self.asked.append((lesson_id, choice.roles))
        while not self.gate.wait(0.01):
            cancel.check()
        return FetchReport(
            id=lesson_id,
            bytes_needed=0,
            bytes_received=0,
            bytes_reused=0,
            seconds=0.0,
            parts=self.outcome(),
        )

    def sync(self, wanted: Wanted, progress, cancel) -> CatalogueReport:
        if self.sync_error is not None:
            raise self.sync_error
        progress(
            CatalogueProgress(phase=Phase.LESSONS, done=1, total=2, requests=1, bytes_received=1)
        )
        return REPORT

    def close(self) -> None:
        self.closed += 1


class Bench:
    """A supervisor, its link, and a way to wait."""

    def __init__(self, folder: Path, calls: Calls | None = None) -> None:
        self.db = open_library(folder / "library.db")
        self.wants = WantStore(self.db)
        self.holdings = HoldingStore(self.db, BlobStore(folder / "blobs"), folder / "lessons")
        self.link = FakeLink()
        self.links = 0
        self.known: dict[LessonId, Lesson] = {
            ONE: a_lesson(a_part(Role.TASK, a_file("/t.pdf", size=100)))
        }
        self.supervisor = Supervisor(
            SupervisorPorts(
                wants=self.wants,
                holdings=self.holdings,
                lesson=self.find,
                link=self.make,
                clock=SystemClock(),
                calls=calls,
            )
        )
        self._changed = threading.Condition()
        self.seen: list[SyncStatus] = []
        self.forget = self.supervisor.subscribe(self._tell)

    def find(self, lesson: LessonId) -> Lesson | None:
        return self.known.get(lesson)

    def make(self, on_bytes: Callable[[], None]) -> FakeLink:
        self.links += 1
        self.on_bytes = on_bytes
        return self.link

    def _tell(self, status: SyncStatus) -> None:
        with self._changed:
            self.seen.append(status)
            self._changed.notify_all()

    def until(self, check: Callable[[SyncStatus], bool]) -> SyncStatus:
        with self._changed:
            assert self._changed.wait_for(lambda: any(map(check, self.seen)), WAIT_S), self.seen[
                -1:
            ]
            return next(one for one in self.seen if check(one))

    def until_state(self, state: TransferState, lesson: LessonId = ONE) -> SyncStatus:
        return self.until(lambda s: any(r.lesson == lesson and r.state is state for r in s.rows))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.link.gate.set()
    made.supervisor.close()
    made.db.close()


def failed(reason: str) -> Callable[[], tuple[PartOutcome, ...]]:
    from client.domain.ids import PartId

    part = PartOutcome(id=PartId("p"), role=Role.TASK, status=PartStatus.FAILED, reason=reason)
    return lambda: (part,)


def test_earlier_wants_are_taken_up_and_unknown_ones_tried(bench: Bench) -> None:  # U1
    bench.wants.put(Want(lesson=ONE, is_pinned=True)).result()
    bench.wants.put(Want(lesson=LessonId("unknown"))).result()
    bench.supervisor.start()
    bench.until_state(TransferState.DONE, LessonId("unknown"))
    bench.until_state(TransferState.DONE)
    assert [(w.lesson, w.state) for w in bench.wants.all()] == [(ONE, WantState.DONE)]


def test_a_want_for_papers_only_has_no_second_half(bench: Bench) -> None:
    bench.supervisor.start()
    bench.supervisor.request(ONE, roles=frozenset({Role.VIDEO}))
    bench.until_state(TransferState.DONE)
    assert bench.link.asked == [(ONE, frozenset({Role.VIDEO}))]


def test_wanting_again_replaces_what_is_on_its_way(bench: Bench) -> None:
    bench.link.gate.clear()
    bench.supervisor.start()
    bench.supervisor.request(ONE, "360p")
    bench.until_state(TransferState.FETCHING)
    bench.supervisor.request(ONE, "720p")
    bench.seen.clear()
    bench.link.gate.set()
    bench.until_state(TransferState.DONE)
    assert bench.wants.all() == ()


def test_one_that_ended_badly_while_it_was_wanted_anew_is_tried_anew(bench: Bench) -> None:
    answers = iter([failed("gone"), tuple, tuple])

    def outcome() -> tuple[PartOutcome, ...]:
        make = next(answers)
        if make is not tuple:
            bench.supervisor.request(ONE, "720p")
        return make()

    bench.link.outcome = outcome
    bench.supervisor.start()
    bench.supervisor.request(ONE)
    bench.until_state(TransferState.DONE)
    assert not any(r.state is TransferState.FAILED for s in bench.seen for r in s.rows)


def test_a_want_that_cannot_be_written_down_is_put_off(bench: Bench) -> None:  # U4
    bench.supervisor.start()

    ports = bench.supervisor._ports
    bench.link.outcome = failed("gone")
    bench.seen.clear()
    real_put, calls = ports.wants.put, []

    def put(want: Want):
        calls.append(want)
        if len(calls) > 1:
            raise StorageError("store_failed")
        return real_put(want)

    ports.wants.put = put  # type: ignore[method-assign]
    bench.supervisor.request(LessonId("x")).result(WAIT_S)
    with bench._changed:
        assert bench._changed.wait_for(lambda: len(calls) >= 2, WAIT_S)
    ports.wants.put = real_put  # type: ignore[method-assign]
    bench.supervisor.request(ONE)
    bench.until_state(TransferState.FAILED)
    x = next(r for r in bench.supervisor.status.rows if r.lesson == "x")
    assert x.state is TransferState.RETRYING


def test_a_sync_goes_before_lessons_and_tells_how_far_it_is(bench: Bench) -> None:
    bench.link.gate.clear()
    bench.supervisor.start()
    bench.supervisor.request(ONE)
    bench.until_state(TransferState.FETCHING)
    assert bench.supervisor.sync_catalogue(Wanted()).result(WAIT_S) == REPORT
    codes = {s.catalogue.code for s in bench.seen if s.catalogue}
    assert codes == {"sync_begins", "sync_lessons"}
    bench.until(lambda s: s.catalogue is None and s.is_online is True)
    bench.link.sync_error = UnreachableError("unreachable")
    with pytest.raises(UnreachableError):
        bench.supervisor.sync_catalogue(Wanted()).result(WAIT_S)
    bench.until(lambda s: s.is_online is False)


def test_another_source_makes_another_link(bench: Bench) -> None:
    bench.link.outcome = failed("login_needed")
    bench.supervisor.start()
    bench.supervisor.request(ONE)
    bench.until_state(TransferState.FAILED)
    bench.supervisor.source_changed()
    bench.seen.clear()
    bench.link.outcome = tuple
    bench.until_state(TransferState.DONE)
    bench.supervisor.source_changed()
    assert (bench.links, bench.link.closed) == (2, 1)


def test_bytes_are_told_but_not_each_of_them(bench: Bench) -> None:  # U2
    bench.link.gate.clear()
    bench.supervisor.start()
    bench.supervisor.request(ONE)
    bench.until_state(TransferState.FETCHING)
    bench.seen.clear()
    for count in range(200):
        bench.link.progress = Progress(lesson=ONE, bytes_needed=100, bytes_received=count)
        bench.on_bytes()
    assert len(bench.seen) < 20
    bench.supervisor._published_s = 0.0  # as if the last telling were long ago
    bench.on_bytes()
    assert bench.seen[-1].bytes_received == 199
    bench.forget()
    bench.seen.clear()
    bench.supervisor.pause()
    assert bench.seen == []
    assert bench.supervisor.status.is_paused


def test_cancelling_one_leaves_the_other_on_its_way(bench: Bench) -> None:  # U3
    bench.link.gate.clear()
    bench.supervisor.start()
    bench.supervisor.request(ONE)
    bench.until_state(TransferState.FETCHING)
    bench.supervisor.cancel(LessonId("other"))
    assert len(bench.link.asked) == 1
    bench.link.gate.set()
    bench.until_state(TransferState.DONE)


def test_a_lesson_cancelled_while_it_comes_is_gone_with_its_row(bench: Bench) -> None:  # U3
    bench.link.gate.clear()
    bench.supervisor.start()
    bench.supervisor.request(ONE)
    bench.until_state(TransferState.FETCHING)
    bench.seen.clear()
    bench.supervisor.cancel(ONE)
    bench.until(lambda status: status.rows == ())
    bench.supervisor.close()
    bench.wants.forget(LessonId("none")).result()  # what was asked before is written then
    assert (len(bench.link.asked), bench.wants.all()) == (1, ())


def test_pause_between_choosing_and_asking_is_kept(bench: Bench) -> None:  # U3
    bench.supervisor.pause()
    bench.supervisor.request(ONE)
    token = bench.supervisor._begin(ONE)
    assert token.is_cancelled
    assert not bench.supervisor._begin(None).is_cancelled
    bench.supervisor._end()


def test_a_list_that_cannot_be_read_does_not_stop_the_thread(bench: Bench) -> None:  # U4
    def broken() -> tuple[Want, ...]:
        raise StorageError("store_failed")

    bench.wants.all = broken  # type: ignore[method-assign] # stands for a disk that fails
    bench.supervisor.start()
    bench.supervisor.request(ONE)
    bench.until_state(TransferState.DONE)


@pytest.mark.parametrize("is_early", [True, False])
def test_a_catalogue_that_fails_before_anything_was_chosen_is_survived(
    bench: Bench, is_early: bool
) -> None:  # U4
    failures = iter([True])
    whole = bench.find

    def find(lesson: LessonId) -> Lesson | None:
        if next(failures, False):
            raise ZeroDivisionError
        return whole(lesson)

    ports = bench.supervisor._ports
    bench.supervisor._ports = SupervisorPorts(
        wants=ports.wants, holdings=ports.holdings, lesson=find, link=ports.link, clock=ports.clock
    )
    if is_early:
        bench.supervisor.request(ONE).result(WAIT_S)
    bench.supervisor.start()
    bench.supervisor.sync_catalogue(Wanted()).result(WAIT_S)  # the list has been read by now
    bench.supervisor.request(ONE)
    bench.until_state(TransferState.DONE)


class FakeCalls:
    """Hubs that are due when told."""

    def __init__(self) -> None:
        self.due = self.ups = 0
        self.is_closed = False
        self.called = threading.Event()
        self.error: Exception | None = None

    def wait_s(self) -> float | None:
        return 0.0 if self.due else None

    def call(self, cancel: CancelToken) -> bool:
        self.due -= 1
        self.called.set()
        if self.error is not None:
            raise self.error
        return True

    def link_up(self) -> None:
        self.ups += 1

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture
def calls() -> FakeCalls:
    return FakeCalls()


@pytest.fixture
def called(tmp_path: Path, calls: FakeCalls) -> Iterator[Bench]:
    made = Bench(tmp_path, calls)
    yield made
    made.link.gate.set()
    made.supervisor.close()
    assert calls.is_closed
    made.db.close()


def test_an_exchange_that_is_due_stops_a_fetch_which_goes_on_behind_it(
    called: Bench, calls: FakeCalls
) -> None:
    """U5."""
    called.link.gate.clear()
    called.supervisor.start()
    called.supervisor.request(ONE).result()
    called.until_state(TransferState.FETCHING)
    calls.due = 1
    called.supervisor.hurry()
    assert calls.called.wait(WAIT_S)
    called.until(lambda status: status.is_online is True)
    called.link.gate.set()
    called.until_state(TransferState.DONE)
    assert len(called.link.asked) > 2


def test_an_exchange_that_is_stopped_ends_quietly(called: Bench, calls: FakeCalls) -> None:
    """U4, U5."""
    calls.error = Cancelled()
    calls.due = 1
    called.supervisor.start()
    assert calls.called.wait(WAIT_S)
    called.supervisor.sync_catalogue(Wanted()).result(WAIT_S)


def test_a_hub_that_does_not_answer_says_nothing_of_the_link(
    called: Bench, calls: FakeCalls
) -> None:
    """U5."""
    calls.call = lambda _: calls.called.set()
    calls.due = 1
    called.supervisor.start()
    assert calls.called.wait(WAIT_S)
    calls.due = 0
    called.supervisor.close()
    assert called.supervisor.status.is_online is None


def test_hubs_hear_that_the_link_is_back(called: Bench, calls: FakeCalls) -> None:
    """U5."""
    called.supervisor.start()
    called.link.sync_error = UnreachableError("unreachable")
    with pytest.raises(UnreachableError):
        called.supervisor.sync_catalogue(Wanted()).result(WAIT_S)
    assert calls.ups == 0
    called.link.sync_error = None
    called.supervisor.sync_catalogue(Wanted()).result(WAIT_S)
    called.supervisor.close()
    assert calls.ups == 1
