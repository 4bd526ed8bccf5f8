"""The supervisor against the real replica: U1 to U4."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from client.domain.catalogue import Role
from client.domain.clock import SystemClock
from client.domain.errors import UserError
from client.domain.ids import LessonId
from client.domain.want import WantState
from client.service.api import SyncStatus, TransferState
from client.store.blob_store import BlobStore
from client.store.catalogue_store import CatalogueStore
from client.store.holding_store import HoldingStore
from client.store.library import open_library
from client.store.want_store import WantStore
from sync.engine.catalogue_sync import Wanted
from sync.engine.fetch_plan import Choice
from sync.engine.supervisor import Supervisor
from sync.engine.supervisor_ports import Link, SupervisorPorts
from tests.fetch_room import FetchRoom, fetch_room, prepare, rendition
from tests.replica import Replica, Replicas

pytestmark = [pytest.mark.shared]
WAIT_S = 30.0


@pytest.fixture(scope="module")
def peer(replicas: Replicas) -> Replica:
    return replicas()


@pytest.fixture(scope="module")
def library(peer: Replica, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepare(peer, tmp_path_factory.mktemp("library"))


@pytest.fixture(autouse=True)
def fresh(peer: Replica) -> None:
    peer.reset()


class RoomLink:
    """A `Link` over a test room's fetcher."""

    def __init__(self, room: FetchRoom, on_bytes: Callable[[], None]) -> None:
        self.room = room
        room.fetcher._meter._listener = on_bytes

    @property
    def progress(self):
        return self.room.fetcher.progress

    def fetch(self, lesson_id, choice: Choice, cancel):
        lesson = self.room.catalogue.lesson(lesson_id)
        if lesson is None:
            raise UserError("lesson_unknown", {"id": lesson_id})
        return self.room.fetch(lesson, choice, cancel)

    def sync(self, wanted, progress, cancel):
        raise UserError("no_source")

    def close(self) -> None:
        pass


class Watch:
    """Waits for a status."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._changed = threading.Condition()
        self.seen: list[SyncStatus] = []
        supervisor.subscribe(self._tell)

    def _tell(self, status: SyncStatus) -> None:
        with self._changed:
            self.seen.append(status)
            self._changed.notify_all()

    def until(self, check: Callable[[SyncStatus], bool]) -> SyncStatus:
        with self._changed:
            assert self._changed.wait_for(lambda: any(map(check, self.seen)), WAIT_S), self.seen[
                -1:
            ]
            return next(s for s in self.seen if check(s))

    def forget(self) -> None:
        with self._changed:
            self.seen.clear()


@contextmanager
def running(
    profile: Path, base: str, library: Path | None = None
) -> Iterator[tuple[FetchRoom, Supervisor, Watch]]:
    with fetch_room(profile, base, library=library) as room:
        supervisor = Supervisor(
            SupervisorPorts(
                wants=WantStore(room.db),
                holdings=room.holdings,
                lesson=room.catalogue.lesson,
                link=lambda on_bytes: RoomLink(room, on_bytes),
                clock=SystemClock(),
            )
        )
        watch = Watch(supervisor)
        try:
            yield room, supervisor, watch
        finally:
            supervisor.close()


def states(status: SyncStatus) -> dict[LessonId, TransferState]:
    return {row.lesson: row.state for row in status.rows}


def lessons(room: FetchRoom, count: int) -> list[LessonId]:
    found = []
    for book in room.catalogue.books():
        for row in room.catalogue.lessons_of_book(book.id):
            lesson = room.catalogue.lesson(row.id)
            films = [p for p in lesson.parts if p.role is Role.VIDEO] if lesson else []
            if films and not any(f.is_protected for p in films for f in p.files):
                found.append(row.id)
    return found[:count]


def test_what_is_requested_comes_and_is_told(peer: Replica, library: Path, tmp_path: Path) -> None:
    with running(tmp_path, peer.base, library) as (room, supervisor, watch):
        supervisor.start()
        (lesson,) = lessons(room, 1)
        supervisor.request(lesson).result(5)
        done = watch.until(lambda s: states(s).get(lesson) is TransferState.DONE)
        (row,) = done.rows
        assert row.title
        assert row.subject
        assert row.bytes_done == row.bytes_needed > 0
        assert supervisor.status.is_online is True
        assert supervisor.status.last_contact_ms
        assert room.holdings.kept_lessons()[0].id == lesson
        assert WantStore(room.db).all() == ()


def test_papers_of_all_lessons_come_before_any_film(
    peer: Replica, library: Path, tmp_path: Path
) -> None:  # Q1
    with running(tmp_path, peer.base, library) as (room, supervisor, watch):
        one, two = lessons(room, 2)
        supervisor.request(one).result(5)
        supervisor.request(two).result(5)
        order: list[tuple[LessonId, Role]] = []
        room.holdings.subscribe(lambda lesson: order.extend(_held(room, lesson, order)))
        supervisor.start()
        watch.until(lambda s: set(states(s).values()) == {TransferState.DONE})
        roles = [role is Role.VIDEO for _, role in order]
        assert roles == sorted(roles)
        assert {lesson for lesson, _ in order} == {one, two}


def _held(
    room: FetchRoom, lesson_id: LessonId, order: list[tuple[LessonId, Role]]
) -> list[tuple[LessonId, Role]]:
    lesson = room.catalogue.lesson(lesson_id)
    assert lesson is not None
    here = {h.part for h in room.holdings.of_lesson(lesson_id) if h.blob}
    known = [entry for entry in order if entry[0] == lesson_id]
    now = [(lesson_id, p.role) for p in lesson.parts if p.id in here]
    return [entry for entry in now if now.count(entry) > known.count(entry)][:1]


def test_pause_stops_at_once_and_another_life_goes_on(
    peer: Replica, library: Path, tmp_path: Path
) -> None:  # U1, U3
    with running(tmp_path, peer.base, library) as (room, supervisor, watch):
        (lesson,) = lessons(room, 1)
        peer.fault("slow", match=r"\.ts$", params={"bytes_per_second": 300_000})
        supervisor.start()
        supervisor.request(lesson).result(5)
        watch.until(lambda s: bool(s.rows) and s.rows[0].bytes_per_s > 0)
        supervisor.pause()
        watch.until(lambda s: s.is_paused and states(s)[lesson] is TransferState.PAUSED)
        watch.forget()
        supervisor.resume()
        watch.until(lambda s: states(s)[lesson] is TransferState.FETCHING)
    peer.fault("none")
    with running(tmp_path, peer.base) as (room, supervisor, watch):
        supervisor.start()
        watch.until(lambda s: states(s).get(lesson) is TransferState.DONE)
        kept = room.catalogue.lesson(lesson)
        assert kept is not None
        films = [p for p in kept.parts if p.role is Role.VIDEO]
        whole = rendition(kept).total_bytes * len(films)
        assert peer.body_bytes("media.segment") <= whole + 8 * 65536 * 2


def test_a_cancelled_lesson_is_wanted_no_more(
    peer: Replica, library: Path, tmp_path: Path
) -> None:  # U3
    with running(tmp_path, peer.base, library) as (room, supervisor, watch):
        (lesson,) = lessons(room, 1)
        peer.fault("slow", params={"bytes_per_second": 20_000})
        supervisor.start()
        supervisor.request(lesson).result(5)
        watch.until(lambda s: states(s).get(lesson) is TransferState.FETCHING)
        watch.forget()
        supervisor.cancel(lesson)
        watch.until(lambda s: s.rows == ())
    with running(tmp_path, peer.base) as (room, supervisor, watch):
        assert WantStore(room.db).all() == ()


def test_what_cannot_come_is_told_and_may_be_asked_again(
    peer: Replica, library: Path, tmp_path: Path
) -> None:  # Q3
    with running(tmp_path, peer.base, library) as (room, supervisor, watch):
        (lesson,) = lessons(room, 1)
        peer.mutate("withdraw", id=lesson)
        supervisor.start()
        supervisor.request(lesson).result(5)
        failed = watch.until(lambda s: states(s).get(lesson) is TransferState.FAILED)
        assert failed.rows[0].reason is not None
        assert failed.rows[0].reason.code == "gone"
        assert [w.state for w in WantStore(room.db).all()] == [WantState.FAILED]
        peer.reset()
        watch.forget()
        supervisor.source_changed()
        watch.until(lambda s: states(s).get(lesson) is TransferState.DONE)


def test_a_link_that_is_down_is_told_and_tried_again(
    peer: Replica, library: Path, tmp_path: Path
) -> None:  # Q3
    with running(tmp_path, peer.base, library) as (room, supervisor, watch):
        (lesson,) = lessons(room, 1)
        peer.fault("flaky-5xx")
        supervisor.start()
        supervisor.request(lesson).result(5)
        down = watch.until(lambda s: states(s).get(lesson) is TransferState.RETRYING)
        assert down.rows[0].reason is not None
        assert supervisor.status.is_online is False
        peer.fault("none")
        supervisor.resume()  # somebody does not want to wait
        watch.until(lambda s: states(s).get(lesson) is TransferState.DONE)
        assert supervisor.status.is_online is True


def test_a_bug_in_one_job_ends_that_job_only(
    peer: Replica, library: Path, tmp_path: Path
) -> None:  # U4
    with running(tmp_path, peer.base, library) as (room, supervisor, watch):
        one, two = lessons(room, 2)
        whole = RoomLink.fetch

        def broken(self: RoomLink, lesson_id: LessonId, choice: Choice, cancel):
            if lesson_id == one:
                raise ZeroDivisionError
            return whole(self, lesson_id, choice, cancel)

        RoomLink.fetch = broken  # type: ignore[method-assign]
        try:
            supervisor.start()
            supervisor.request(one).result(5)
            supervisor.request(two).result(5)
            status = watch.until(lambda s: states(s).get(two) is TransferState.DONE)
            assert states(status)[one] is TransferState.FAILED
        finally:
            RoomLink.fetch = whole  # type: ignore[method-assign]


def test_without_a_source_everything_says_so(tmp_path: Path) -> None:
    db = open_library(tmp_path / "library.db")

    def no_link(on_bytes: Callable[[], None]) -> Link:
        raise UserError("no_source")

    holdings = HoldingStore(db, BlobStore(tmp_path / "blobs"), tmp_path / "lessons")
    supervisor = Supervisor(
        SupervisorPorts(
            wants=WantStore(db),
            holdings=holdings,
            lesson=CatalogueStore(db).lesson,
            link=no_link,
            clock=SystemClock(),
        )
    )
    watch = Watch(supervisor)
    supervisor.start()
    try:
        asked = supervisor.sync_catalogue(Wanted())
        with pytest.raises(UserError, match="no_source"):
            asked.result(10)
        supervisor.request(LessonId("x")).result(5)
        status = watch.until(lambda s: states(s).get(LessonId("x")) is TransferState.FAILED)
        assert status.rows[0].reason is not None
        assert status.rows[0].reason.code == "no_source"
    finally:
        supervisor.close()
        supervisor.close()
        db.close()
