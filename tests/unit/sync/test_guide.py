"""GD1 to GD3 of guide: the supervisor does what the plan says."""

import contextlib
from dataclasses import dataclass, replace

import pytest

from client.domain.catalogue import FileUse, Role
from client.domain.clock import FrozenClock
from client.domain.ids import LessonId
from client.domain.metering import Metering
from client.domain.spend import Allowance, Purpose
from client.domain.want import Want, WantState
from client.service.agenda import Outlook
from client.service.api import LinkView, Promise, Reason, TransferState
from client.service.paths import Profile
from client.service.planner import Plan, Task
from client.service.station import Station
from client.store.blob_store import growing_key
from sync.engine.catalogue_sync import Wanted
from sync.engine.guide import (
    PurseGuide,
    Wallet,
    in_turn,
    planned,
    purpose_of,
    put_off,
    rendition_of,
)
from sync.engine.schedule import CLOSED, Entry, Stage
from sync.engine.supervisor import Supervisor
from sync.engine.supervisor_ports import SupervisorPorts
from tests.lesson_values import a_file, a_lesson, a_part
from tests.unit.sync.test_supervisor_alone import Bench, failed

A, B, C = (LessonId(name) for name in "abc")
WAIT_S = 20.0


def outlook(*tasks: Task, **more) -> Outlook:
    return Outlook(plan=Plan(tasks=tasks), promises={}, link=LinkView(), **more)


def papers(lesson: LessonId, *, urgent: bool = False) -> Task:
    return Task(lesson=lesson, is_film=False, size_bytes=1, is_urgent=urgent)


def film(lesson: LessonId, rendition: str = "360p") -> Task:
    return Task(lesson=lesson, is_film=True, size_bytes=9, rendition=rendition)


def entry(lesson: LessonId, **more) -> Entry:
    return replace(Entry(want=Want(lesson=lesson)), **more)


def names(entries) -> list[str]:
    return [one.want.lesson for one in entries]


def test_gd1_the_order_is_that_of_the_plan():
    plan = outlook(papers(B), papers(A), film(A), film(B))
    known = (entry(C), entry(A, stage=Stage.FILM), entry(B, stage=Stage.FILM))
    assert names(in_turn(known, plan)) == ["a", "b", "c"]
    assert in_turn(known, None) == known


def test_gd2_a_planned_film_comes_only_while_the_plan_has_it():
    plan = outlook(papers(A), film(B))
    known = (
        entry(A, is_planned=True, stage=Stage.FILM),
        entry(B, is_planned=True, stage=Stage.FILM),
        entry(C, stage=Stage.FILM),
    )
    assert names(in_turn(known, plan)) == ["b", "c"]


def test_planned_lessons_come_and_go_with_the_timetable():
    plan = outlook(papers(A), papers(B), film(B))
    done = entry(LessonId("done"), is_planned=True, stage=Stage.DONE)
    known = (entry(C), entry(LessonId("old"), is_planned=True), done)
    after = planned(known, plan, {A})
    assert names(after) == ["c", "done", "b"]
    assert [one.is_planned for one in after] == [False, True, True]
    assert planned(after, plan, {A}) == after
    away = replace(plan, is_reachable=False)
    assert names(planned(known, away, ())) == ["c", "done"]


def test_sizes_and_purposes_are_those_of_the_plan():
    plan = outlook(papers(A, urgent=True), papers(B), film(A, "240p"))
    assert rendition_of(entry(A), plan) == "240p"
    assert rendition_of(entry(B), plan) == "360p"
    assert rendition_of(entry(B), None) == "360p"
    assert purpose_of(entry(A), plan) is Purpose.URGENT
    assert purpose_of(entry(B), plan) is Purpose.CONTENT
    assert purpose_of(entry(A, stage=Stage.FILM), plan) is Purpose.CONTENT
    assert purpose_of(entry(A), None) is Purpose.CONTENT


class Guide:
    """Says what it is told to."""

    def __init__(self, said: Outlook) -> None:
        self.said = said
        self.allowed: dict[Purpose, int | None] = {}
        self.asked: list[Purpose] = []
        self.looked: list[tuple[Want, ...]] = []
        self.learnt: list[tuple[int, float, float]] = []

    def look(self, wants):
        self.looked.append(tuple(wants))
        return self.said

    def allowance(self, purpose):
        self.asked.append(purpose)
        return Allowance(bytes=self.allowed.get(purpose), for_s=5.0)

    def measured(self, size_bytes, lit_s, whole_s):
        self.learnt.append((size_bytes, lit_s, whole_s))


@dataclass
class Spends:
    """What decides whether a fetch may spend."""

    guide: Guide | None
    clock: FrozenClock
    has_near: object = bool


def test_gd3_what_may_not_spend_waits_and_is_not_counted_as_a_failure():
    guide, clock = Guide(outlook(papers(A, urgent=True))), FrozenClock()
    guide.allowed = {Purpose.CONTENT: 0}
    waiting = put_off(entry(B), Spends(guide=guide, clock=clock), guide.said)
    assert waiting is not None
    assert (waiting.reason, waiting.retries) == (CLOSED, 0)
    assert waiting.not_before_s == clock.monotonic() + 60
    assert put_off(entry(A), Spends(guide=guide, clock=clock), guide.said) is None
    assert put_off(entry(B), Spends(guide=None, clock=clock), None) is None
    near = Spends(guide=guide, clock=clock, has_near=lambda: True)
    assert put_off(entry(B), near, guide.said) is None, "what is near costs nothing"


class Room(Bench):
    """The bench of the supervisor, with a guide."""

    def __init__(self, folder, guide: Guide) -> None:
        super().__init__(folder)
        self.forget()
        task, video = a_file("/t.pdf"), a_file("/v.mp4", FileUse.VIDEO_FILE, height=360)
        for lesson in (A, B):
            parts = (a_part(Role.TASK, task), a_part(Role.VIDEO, video))
            self.known[lesson] = a_lesson(*parts, key=lesson)
        self.guide = guide
        self.supervisor = Supervisor(
            SupervisorPorts(
                wants=self.wants,
                holdings=self.holdings,
                lesson=self.find,
                link=self.make,
                clock=FrozenClock(),
                guide=guide,
            )
        )
        self.supervisor.subscribe(self._tell)


@pytest.fixture
def make(tmp_path):
    made = []

    def build(guide: Guide) -> Room:
        made.append(Room(tmp_path, guide))
        return made[-1]

    yield build
    for room in made:
        room.link.gate.set()
        room.supervisor.close()
        room.db.close()


def test_q1_the_timetable_is_fetched_unasked_papers_first(make):
    room = make(Guide(outlook(papers(B), papers(A), film(A), film(B))))
    room.supervisor.start()
    room.until_state(TransferState.DONE, A)
    room.until_state(TransferState.DONE, B)
    fetched = [lesson for lesson, _ in room.link.asked]
    assert fetched == [B, A, A, B]
    assert room.wants.all() == ()
    assert room.guide.learnt[0] == (0, 0.0, 0.0)
    rows = room.supervisor.status.rows
    assert {row.is_planned for row in rows} == {True}
    assert room.supervisor.status.link == LinkView()


def test_what_was_taken_off_stays_off_until_it_is_wished(make):
    guide = Guide(outlook(papers(A), film(A)))
    guide.allowed = {Purpose.CONTENT: 0}
    room = make(guide)
    room.supervisor.start()
    room.until(lambda s: any(row.lesson == A for row in s.rows))
    room.supervisor.cancel(A)
    room.until(lambda s: bool(room.seen) and not s.rows)
    room.supervisor.replan()
    room.supervisor.request(A)
    room.until(lambda s: any(row.lesson == A and not row.is_planned for row in s.rows))


def test_what_grew_for_the_timetable_is_kept_at_a_start(make):
    """P5: also while the plan has no task for it."""
    told = Promise(reason=Reason(code="plan_papers"))
    room = make(Guide(replace(outlook(), promises={B: told})))
    blobs = room.holdings.blobs
    keys = {name: growing_key(f"/{name}.mp4", "") for name in ("v", "other")}
    for key in keys.values():
        with contextlib.closing(blobs.growing(key, key)) as growing:
            growing.write(b"x" * 100)
            growing.mark()
    room.supervisor.start()
    room.supervisor.sync_catalogue(Wanted()).result(WAIT_S)
    assert blobs.growing(keys["v"], keys["v"]).size == 100
    assert blobs.growing(keys["other"], keys["other"]).size == 0


def test_a_catalogue_is_no_urgent_paper(make):
    room = make(Guide(outlook()))
    room.supervisor.sync_catalogue(Wanted())
    room.supervisor.start()
    room.until(lambda s: s.catalogue is None and s.is_online is True)
    assert room.guide.asked == [Purpose.CONTENT]


def test_a_closed_link_waits_quietly_and_opens_with_the_limits(make):
    guide = Guide(outlook(papers(A), film(A)))
    guide.allowed = {Purpose.CONTENT: 0}
    room = make(guide)
    room.supervisor.start()
    closed = room.until(lambda s: any(row.reason is not None for row in s.rows))
    assert closed.rows[0].reason is not None
    assert (closed.rows[0].state, closed.rows[0].reason.code) == (TransferState.WAITING, CLOSED)
    assert room.link.asked == []
    guide.allowed = {}
    room.supervisor.replan()
    room.until_state(TransferState.DONE, A)


def test_what_costs_more_than_there_is_waits_longer_each_time(make):
    """Q3: and news of lessons are no reason to ask for it again, news of the link are."""
    room = make(Guide(outlook(papers(A))))
    room.link.outcome = failed(CLOSED)
    room.supervisor.start()
    room.until(lambda _: len(room.link.asked) == 1)
    room.until(lambda s: any(row.reason is not None for row in s.rows))
    room.supervisor.replan(is_link_new=False)
    room.until(lambda _: room.supervisor._plan_due_s > 0)
    assert len(room.link.asked) == 1
    room.supervisor.replan()
    room.until(lambda _: len(room.link.asked) == 2)
    room.until(lambda _: [entry.retries for entry in room.supervisor._entries] == [2])


def test_one_that_failed_is_not_planned_again_and_not_kept(make):
    room = make(Guide(outlook(papers(A))))
    room.link.outcome = failed("gone")
    room.supervisor.start()
    room.until_state(TransferState.FAILED, A)
    room.seen.clear()
    room.supervisor.replan()
    room.supervisor.pause()
    room.until(lambda s: s.is_paused)
    assert room.wants.all() == ()
    room.supervisor.resume()
    room.supervisor.source_changed()
    room.until(lambda s: any(row.state is not TransferState.FAILED for row in s.rows))
    assert any(want.state is WantState.FAILED for wants in room.guide.looked for want in wants)


def test_a_fetch_that_the_budget_ended_does_not_count_as_broken(make):
    guide = Guide(outlook(papers(A)))
    room = make(guide)
    room.link.outcome = failed(CLOSED)
    room.supervisor.start()
    closed = room.until(lambda s: any(row.reason is not None for row in s.rows))
    assert closed.rows[0].state is TransferState.WAITING


@pytest.fixture
def station(tmp_path):
    opened = Station(Profile(tmp_path), FrozenClock())
    yield opened
    opened.close()


def test_a_purse_guide_pays_for_what_it_allowed(station):
    station.room.set_setting("link_kind", "satellite").result()
    station.room.set_setting("link_budget_mb", "50").result()
    station.room.set_setting("link_cap_kbps", "800").result()
    wallet = Wallet(station.purse)
    guide = PurseGuide(station.agenda, wallet, lambda: Metering.FREE)
    assert not guide.look(()).is_reachable
    assert guide.allowance(Purpose.URGENT).bytes == 45_000_000
    assert wallet.purpose is Purpose.URGENT
    assert wallet.is_limited
    assert wallet.take(1000) == 1000
    assert wallet.is_good()
    wallet.give_back(1000)
    assert wallet.cap_bytes_per_s == 100_000
    guide.measured(5000, 2.0, 2.0)
    assert station.purse.throughput().bytes_per_s == 2500
