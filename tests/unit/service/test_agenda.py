"""AG1, AG2 of agenda, SA1 of slots_ahead: from the timetable to what is promised."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from client.domain.availability import PartState
from client.domain.catalogue import FileUse, LessonKind, Role
from client.domain.holding import Holding
from client.domain.ids import ClassId, LessonId, PartId
from client.domain.settings import LinkKind
from client.domain.timetable import ClassGroup, Slot, SlotKey, Weeks
from client.domain.today import DayTime, Step
from client.domain.want import Want, WantState
from client.service.agenda import slot_seconds
from client.service.api import Promise, Reason
from client.service.command.link_commands import COMMANDS
from client.service.command.parse import parse
from client.service.needs import need_of
from client.service.plan_words import moment, sentence
from client.service.planner import Form
from client.service.slots_ahead import slots_ahead
from client.service.text import Words
from client.service.today_page import DayInputs
from tests.lesson_values import a_file, a_lesson, a_part
from tests.unit.client.test_today_service import SOURCE, clock, key, station

__all__ = ["clock", "station"]
WORDS = Words("en")
MEGABYTE = 1_000_000
GROUP = ClassGroup(id=ClassId("c3"), name="three", grade=3)


def inputs(*slots: Slot, **more) -> DayInputs:
    book = tuple(Step(lesson=LessonId(f"l{n}")) for n in range(20))
    return DayInputs(
        time=more.pop("time", DayTime(day=2, minute=500, is_odd_week=True)),
        classes=(GROUP,),
        bells=(),
        slots=slots,
        steps={("c3", "math"): book},
        pointers={},
        **more,
    )


def math(day: int, period: int = 1, **more) -> Slot:
    return Slot(key=key(day, period), subject="math", **more)


def test_sa1_two_weeks_of_slots_take_step_after_step():
    ahead = slots_ahead(inputs(math(1), math(2), math(4)))
    assert [(one.days, one.step.lesson) for one in ahead] == [
        (0, "l0"), (2, "l1"), (6, "l2"), (7, "l3"), (9, "l4"), (13, "l5"),
    ]  # fmt: skip
    assert len(slots_ahead(inputs(math(1), math(2), math(4)), 2)) == 2


def test_sa1_odd_weeks_follow_even_ones():
    odd, even = math(3, weeks=Weeks.ODD), math(3, 2, weeks=Weeks.EVEN)
    assert [(one.days, one.slot.key.period) for one in slots_ahead(inputs(odd, even))] == [
        (1, 1),
        (8, 2),
    ]
    unknown = DayTime(day=2, minute=None, is_sure=False)
    assert len(slots_ahead(inputs(odd, even, time=unknown))) == 4


def test_what_was_taught_today_is_left_out_and_a_swap_counts_once():
    taught = {key(2, 1): Step(lesson=LessonId("l0"))}
    swaps = {key(2, 2): Step(lesson=LessonId("other"))}
    stranger = Slot(key=SlotKey(day=2, period=3, class_id=ClassId("gone")), subject="math")
    ahead = slots_ahead(inputs(math(2), math(2, 2), stranger, taught=taught, swaps=swaps))
    assert [one.step.lesson for one in ahead] == ["other", "l0", "l1"]
    nothing = slots_ahead(inputs(math(2, 2), swaps={key(2, 2): None}))
    assert [one.days for one in nothing] == [7]


def test_ag2_a_slot_lies_in_a_span_while_time_is_unsure():
    (one,) = slots_ahead(inputs(math(3)), 1)
    sure = DayTime(day=2, minute=600)
    assert slot_seconds(replace(one, begins=540), sure) == (23 * 3600.0, 23 * 3600.0)
    told = replace(sure, is_sure=False)
    assert slot_seconds(replace(one, begins=540), told) == (22.5 * 3600, 23.5 * 3600)
    unknown = replace(told, minute=None)
    assert slot_seconds(one, unknown) == (0.0, 2 * 86400.0)


def film(path: str, height: int, size: int, *, protected: bool = False):
    return a_file(path, FileUse.RENDITION, height=height, size=size, protected=protected)


LESSON = a_lesson(
    a_part(Role.TASK, a_file("/t.pdf", size=10)),
    a_part(Role.AUDIO, a_file("/a.mp3", FileUse.AUDIO, size=20)),
    a_part(Role.VIDEO, film("/7", 720, 700), film("/3", 360, 300), film("/2", 240, 200)),
    a_part(Role.PLAN),
    a_part(Role.EXPERIMENT),
)


def held(part: str, path: str, state: PartState) -> Holding:
    return Holding(lesson=LESSON.id, part=part, path=path, state=state)  # type: ignore[arg-type]


def test_what_is_missing_is_offered_from_the_wanted_size_down():
    need = need_of(LESSON, (), "720p")
    assert need.papers_bytes == 30
    assert need.has_sound
    assert [(one.rendition, one.size_bytes) for one in need.films] == [
        ("720p", 700), ("360p", 300), ("240p", 200),
    ]  # fmt: skip
    assert need.missing_bytes == 730
    assert need_of(LESSON, (), "720p", frozenset({Role.TASK})).missing_bytes == 10
    assert [one.size_bytes for one in need_of(LESSON, (), "odd").films] == [200]
    assert need_of(replace(LESSON, has_detail=False), (), "360p").is_unknown
    folder = need_of(replace(LESSON, kind=LessonKind.FOLDER), (), "360p")
    assert (folder.missing_bytes, folder.is_barred) == (0, True)
    every = frozenset[Role]()
    hub = need_of(replace(LESSON, kind=LessonKind.FOLDER), (), "360p", every, "/3".__eq__)
    assert (hub.missing_bytes, hub.is_barred) == (300, False)


def test_what_is_here_or_barred_is_not_missing():
    here = (held("p-video", "/3", PartState.PRESENT), held("p-task", "/t.pdf", PartState.PRESENT))
    assert need_of(LESSON, here, "720p").missing_bytes == 20
    marked = [held("p-video", path, PartState.PROTECTED) for path in ("/7", "/3", "/2")]
    barred = need_of(LESSON, marked, "720p")
    assert (barred.films, barred.is_barred) == ((), True)


@pytest.fixture
def ready(station):
    """A profile whose lessons have parts."""
    lessons = [
        replace(
            lesson, kind=LessonKind.NATIONAL, source=SOURCE,
            parts=tuple(replace(p, lesson=lesson.id) for p in parts),
        )
        for lesson, parts in (
            (station.catalogue.lesson(LessonId(f"l{n}")), (
                a_part(Role.TASK, a_file(f"/{n}.pdf", size=MEGABYTE), key=f"t{n}"),
                a_part(
                    Role.VIDEO,
                    a_file(f"/{n}.mp4", FileUse.VIDEO_FILE, height=360, size=40 * MEGABYTE),
                    key=f"v{n}",
                ),
            ))
            for n in range(6)
        )
    ]  # fmt: skip
    extra = replace(lessons[0], id=LessonId("extra"), book=None, parts=lessons[0].parts[:1])
    own = tuple(replace(part, id=PartId("te"), lesson=extra.id) for part in extra.parts)
    station.catalogue.put_whole([*lessons, replace(extra, parts=own)])
    return station


def tell(station, *words):
    call = parse(list(words), WORDS)
    return COMMANDS[call.command](station, call)


def test_ag1_the_plan_follows_the_timetable_and_then_the_wishes(ready):
    ready.room.set_setting("link_kind", "satellite").result()
    wishes = (Want(lesson=LessonId("extra")), Want(lesson=LessonId("l1"), state=WantState.FAILED))
    outlook = ready.agenda.look_now(wishes)
    assert ready.agenda.newest is outlook
    papers = [task.lesson for task in outlook.plan.tasks if not task.is_film]
    assert papers == ["l0", "l2", "l3", "l4", "l5", "extra"]
    promise = outlook.promises[LessonId("l2")]
    assert promise.days_ahead == 1
    assert promise.arrives_ms is not None
    assert promise.now_ms is not None
    assert promise.arrives_ms[0] <= promise.arrives_ms[1]
    assert outlook.promises[LessonId("extra")].days_ahead is None


def test_ag2_without_a_date_there_are_no_hours(ready, clock):
    ready.room.set_setting("link_kind", "satellite").result()
    clock.at = datetime(2013, 1, 1, tzinfo=UTC)
    outlook = ready.agenda.look_now()
    assert not outlook.link.is_time_sure
    assert {one.arrives_ms for one in outlook.promises.values()} == {None}
    assert outlook.link.month_expected == 0


def test_ag3_without_a_source_nothing_is_promised(ready, monkeypatch):
    assert ready.agenda.look_now().is_reachable
    monkeypatch.setattr(ready, "sources", tuple)
    first = ready.catalogue.lesson(LessonId("l0"))
    ready.catalogue.put_whole([replace(first, parts=())])
    outlook = ready.agenda.look_now()
    assert not outlook.is_reachable
    for promise in (outlook.promises[LessonId(name)] for name in ("l1", "l2")):
        assert (promise.reason.code, promise.arrives_ms) == ("plan_no_source", None)
        assert not promise.is_in_time
    assert outlook.promises[LessonId("l0")].reason.code == "plan_here"


def test_a_budget_makes_itself_felt(ready, clock):
    shown = tell(
        ready, "link", "set", "--budget-mb", "45", "--month-mb", "110", "--hours", "20-6",
        "--kind", "satellite", "--cap-kbps", "8000",
    )  # fmt: skip
    assert shown["kind"] is LinkKind.SATELLITE
    assert (shown["day_budget_bytes"], shown["month_budget_bytes"]) == (45_000_000, 110_000_000)
    assert shown["month_expected_bytes"] == 53_666_667
    assert (shown["hours"], shown["limit"].value) == ("20-6", "hours")
    plan = tell(ready, "plan", "show")
    rows = {row["id"]: row for row in plan.rows}
    assert rows["l0"]["form"] is Form.LATE
    assert "U盘" in rows["l0"]["says"]
    assert rows["l2"]["form"] is Form.FULL
    assert rows["l2"]["arrives"].startswith("2027-05-19T0")
    assert "今晚" in rows["l2"]["says"]
    json.dumps(tell(ready, "link", "show"), default=str)
    clock.at = datetime(2013, 1, 1, tzinfo=UTC)
    assert {row["arrives"] for row in tell(ready, "plan", "show").rows} == {None}


def test_limits_are_set_together_or_not_at_all(ready):
    before = ready.room.snapshot().settings
    with pytest.raises(Exception, match="setting_unreadable"):
        tell(ready, "link", "set", "--budget-mb", "5", "--hours", "99")
    assert ready.room.snapshot().settings == before
    assert tell(ready, "link", "set", "--hours", "any")["hours"] == "any"


def test_times_are_said_as_people_say_them():
    now = int(datetime(2027, 5, 18, 9, tzinfo=UTC).timestamp() * 1000)

    def at(day: int, hour: int, month: int = 5) -> str:
        then = datetime(2027, month, day, hour, 40, tzinfo=UTC)
        return moment(WORDS, int(then.timestamp() * 1000), now)

    assert at(18, 15) == "today 15:40"
    assert at(18, 22) == at(18, 22).replace("today", "tonight") == "tonight 22:40"
    assert at(19, 2) == "tonight 02:40"
    assert at(19, 8) == "tomorrow 08:40"
    assert at(21, 8) == f"{WORDS('frame.day5')} 08:40"
    assert at(1, 8, 6) == "6/1 08:40"


def test_every_reason_has_a_sentence():
    for code in (
        "here",
        "full",
        "smaller",
        "papers",
        "sound",
        "protected",
        "late",
        "unknown",
        "open",
        "no_source",
    ):
        values = (("size_bytes", 5 << 20), ("rendition", "360p"), ("wanted", "720p"))
        promise = Promise(reason=Reason(code=f"plan_{code}", values=values))
        for language in ("en", "zh_CN"):
            said = sentence(Words(language), promise)
            assert "{" not in said
            assert "reason." not in said
