"""传输: every control acts, figures move in place, everything has words (TM1, TM2, TV1, TV2)."""

from concurrent.futures import Future
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from client.domain.clock import FrozenClock
from client.domain.ids import LessonId
from client.domain.settings import Hours, LinkKind
from client.domain.spend import Why
from client.service.api import (
    HubRow,
    LinkView,
    Promise,
    Reason,
    SyncStatus,
    TransferRow,
    TransferState,
)
from client.service.text import Words
from tests.visible_text import visible_text
from ui.base.button import Button
from ui.base.context import Appearance, Say, UiContext
from ui.base.text import ElidedLabel
from ui.view.transfer import LineView, TransferPage
from ui.view.transfer_budget import BudgetBar
from ui.viewmodel.hubs import EVERY_MS, SELDOM_MS, HubsModel
from ui.viewmodel.transfer import Group, Need, TransferModel, ordered

MB = 1 << 20


class Port:
    """Writes down what was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def pause(self) -> None:
        self.asked.append(("pause", ""))

    def resume(self) -> None:
        self.asked.append(("resume", ""))

    def cancel(self, lesson: LessonId) -> None:
        self.asked.append(("cancel", lesson))

    def request(self, lesson: LessonId) -> None:
        self.asked.append(("request", lesson))


class HubPort:
    """Knows hubs (`HubsPort`)."""

    def __init__(self, *rows: HubRow) -> None:
        self.rows, self.asked = rows, []

    def hubs(self):
        self.asked.append("hubs")
        future = Future()
        future.set_result(self.rows)
        return future


def a_row(name: str, state: TransferState, **changes: object) -> TransferRow:
    row = TransferRow(
        lesson=LessonId(name),
        title=f"分一分 {name}",
        subject="数学",
        state=state,
        bytes_needed=40 * MB,
        bytes_done=10 * MB,
    )
    return replace(row, **changes)


FULL = SyncStatus(
    is_online=True,
    bytes_received=12 * MB,
    last_contact_ms=1_800_000_000_000,
    catalogue=Reason(code="sync_lessons", values=(("done", 2), ("total", 6))),
    rows=(
        a_row("1", TransferState.FETCHING, bytes_per_s=200_000.0),
        a_row("2", TransferState.WAITING),
        a_row("3", TransferState.RETRYING, reason=Reason(code="unreachable")),
        a_row("4", TransferState.FAILED, reason=Reason(code="login_needed")),
        a_row("5", TransferState.DONE, bytes_done=40 * MB),
    ),
)


@pytest.fixture
def port() -> Port:
    return Port()


@pytest.fixture
def model(qtbot, port: Port) -> TransferModel:
    return TransferModel(port)


def page(
    qtbot, model: TransferModel, port: "HubPort | None" = None, **look: object
) -> TransferPage:
    appearance = Appearance(**look)
    context = UiContext(Words(appearance.language), FrozenClock(), appearance)
    context.apply()
    hubs = HubsModel(port or HubPort(), context.dispatcher)
    made = TransferPage(context, model, hubs)
    made.hubs = hubs
    made.context = context
    qtbot.addWidget(made)
    made.resize(1100, 800)
    made.show()
    return made


def line(view: TransferPage, name: str) -> LineView:
    return next(one for one in view.findChildren(LineView) if one.lesson == name)


def press(qtbot, button: Button) -> None:
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_rows_that_need_a_hand_come_first_then_the_soonest_lesson() -> None:  # TM2
    needs = [Need(lesson=LessonId("3"), day=2, period=1, days_ahead=0)]
    needs.append(Need(lesson=LessonId("3"), day=3, period=2, days_ahead=1))
    lines = ordered(FULL.rows, needs)
    assert [one.row.lesson for one in lines] == ["4", "3", "1", "2", "5"]
    assert [one.group for one in lines] == [Group.HAND, *[Group.COMING] * 3, Group.HERE]
    assert [one.ahead for one in lines] == [0, 0, 1, 2, 0]
    assert lines[1].need == needs[0]


@pytest.mark.parametrize("language", ["zh_CN", "en"])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("scale", [100, 150])
def test_everything_is_said_in_words(qtbot, model, language: str, theme: str, scale: int) -> None:
    view = page(qtbot, model, language=language, theme=theme, scale=scale)
    model.set_needs([Need(lesson=LessonId("2"), day=3, period=2, days_ahead=2)])
    model.set_status(FULL)
    shown = visible_text(view)
    assert "transfer." not in shown
    assert "reason." not in shown
    assert "{" not in shown
    view.grab()


def test_an_empty_page_says_what_to_do(qtbot, model) -> None:
    view = page(qtbot, model)
    assert view.context.words("transfer.empty") in visible_text(view)
    assert not view.pause.isVisible()


def test_pause_and_go_on(qtbot, model, port: Port) -> None:
    view = page(qtbot, model)
    model.set_status(FULL)
    press(qtbot, view.pause)
    model.set_status(replace(FULL, is_paused=True))
    press(qtbot, view.pause)
    assert port.asked == [("pause", ""), ("resume", "")]


def test_taking_a_lesson_off_can_be_undone(qtbot, model, port: Port) -> None:  # TV2
    view = page(qtbot, model)
    model.set_status(FULL)
    said: list[Say] = []
    view.context.said.connect(said.append)
    press(qtbot, line(view, "1").findChildren(Button)[-1])
    assert port.asked == [("cancel", "1")]
    assert said[0].act is not None
    said[0].act()
    assert port.asked[-1] == ("request", "1")


def test_a_failed_lesson_can_be_tried_again(qtbot, model, port: Port) -> None:
    view = page(qtbot, model)
    model.set_status(FULL)
    press(qtbot, line(view, "4").findChildren(Button)[0])
    assert port.asked == [("request", "4")]


def test_every_visible_control_acts(qtbot, model, port: Port) -> None:
    hubs = HubPort(NEAR)
    view = page(qtbot, model, hubs)
    model.set_status(FULL)
    qtbot.waitUntil(lambda: bool(view.hubs.rows))
    visible_text(view)
    buttons = [one for one in view.findChildren(Button) if one.isVisible()]
    assert len(buttons) == 2 + 2 + 3
    view.sync_wanted.connect(lambda: port.asked.append(("sync", "")))
    for button in buttons:
        before = len(port.asked)
        press(qtbot, button)
        assert len(port.asked) == before + 1


def test_figures_move_without_building_rows_anew(qtbot, model) -> None:  # TV1
    view = page(qtbot, model)
    model.set_status(FULL)
    row = line(view, "1")
    before = visible_text(row)
    first, *rest = FULL.rows
    model.set_status(replace(FULL, rows=(replace(first, bytes_done=30 * MB), *rest)))
    assert line(view, "1") is row
    assert visible_text(row) != before


def test_the_same_status_again_changes_nothing(qtbot, model) -> None:  # TM1
    page(qtbot, model)
    model.set_status(FULL)
    with qtbot.assertNotEmitted(model.changed), qtbot.assertNotEmitted(model.reordered):
        model.set_status(FULL)
        model.set_needs(())


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"bytes_per_s": 0.0}, "transfer.fetching"),
        ({"bytes_per_s": 100.0}, "transfer.fetching_long"),
    ],
)
def test_the_rest_of_the_time_is_never_pretended(qtbot, model, changes, key: str) -> None:
    view = page(qtbot, model)
    first = replace(FULL.rows[0], **changes)
    model.set_status(replace(FULL, is_online=False, catalogue=None, rows=(first,)))
    speed = view.context.words.size(first.bytes_per_s)
    assert view.context.words(key, speed=speed) in visible_text(view)


def test_unknown_amounts_are_left_out(qtbot, model) -> None:
    view = page(qtbot, model)
    unknown = a_row("9", TransferState.WAITING, title="", subject="", bytes_needed=0, bytes_done=0)
    failed = a_row("8", TransferState.FAILED, reason=None)
    model.set_status(SyncStatus(rows=(unknown, failed)))
    model.set_needs([Need(lesson=LessonId("9"), day=2, period=1, days_ahead=1)])
    assert "MB" not in visible_text(line(view, "9"))
    assert view.context.words("transfer.tomorrow") in visible_text(view)
    assert view.context.words("transfer.sum_unknown", n=1) in visible_text(view)


NOW_MS = 1_810_630_800_000
"""A Tuesday, 09:00 local."""


def promised(days: int | None, code: str = "plan_full", **changes: object) -> Promise:
    values = (("size_bytes", 30 * MB), ("rendition", "360p"), ("wanted", "720p"))
    told = Promise(
        reason=Reason(code=code, values=values),
        arrives_ms=(NOW_MS, NOW_MS + 17 * 3_600_000),
        now_ms=NOW_MS,
        days_ahead=days,
        day=0 if days is None else (1 + days) % 7 + 1,
        period=2,
        begins=500,
        missing_bytes=30 * MB,
    )
    return replace(told, **changes)


SATELLITE = LinkView(
    kind=LinkKind.SATELLITE,
    is_metered=True,
    month_budget=8 << 30,
    month_spent=6 << 30,
    month_expected=7 << 30,
    day_budget=50 * MB,
    day_spent=MB,
    hours=Hours(begin=20, end=6),
    limit=Why.HOURS,
)
PLANNED = SyncStatus(
    link=SATELLITE,
    rows=(
        a_row("1", TransferState.WAITING, promise=promised(2)),
        a_row("2", TransferState.WAITING, promise=promised(0, "plan_papers", is_in_time=False)),
        a_row("3", TransferState.FETCHING, promise=promised(1, begins=None), bytes_per_s=9e4),
        a_row("4", TransferState.WAITING, promise=promised(None, "plan_open", arrives_ms=None)),
        a_row("5", TransferState.WAITING, promise=promised(2, "plan_smaller")),
    ),
)


def test_rows_stand_by_the_day_on_which_they_are_needed(qtbot, model) -> None:  # TM2
    view = page(qtbot, model)
    model.set_status(PLANNED)
    found = [(s.need.days_ahead if s.need else None, len(s.lines)) for s in model.sections()]
    assert found == [(0, 1), (1, 1), (2, 2), (None, 1)]
    shown, words = visible_text(view), view.context.words
    for text in ("transfer.today", "transfer.tomorrow", "frame.day4", "transfer.no_slot"):
        assert words(text) in shown
    assert words("transfer.arrives", when=words("plan.tonight", clock="02:00")) in shown
    assert words("transfer.is_late") in visible_text(line(view, "2"))
    assert words("reason.plan_papers") in visible_text(line(view, "2"))
    assert words("transfer.closed_hours", clock="20:00") in visible_text(line(view, "1"))


def test_an_open_link_says_why_of_each_row(qtbot, model) -> None:
    view = page(qtbot, model)
    model.set_status(replace(PLANNED, link=replace(SATELLITE, limit=Why.NOTHING)))
    assert "720p" in visible_text(line(view, "5"))
    assert view.context.words("reason.plan_open", size="30 MB") in visible_text(line(view, "4"))


@pytest.mark.parametrize("language", ["zh_CN", "en"])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"month_expected": 0, "is_time_sure": False, "limit": Why.UNSURE},
        {"month_expected": 8 << 30, "limit": Why.MONTH},
        {"month_budget": 0, "limit": Why.DAY, "kind": LinkKind.PHONE},
        {"hours": None, "month_budget": 0, "day_budget": 0, "limit": Why.MIDNIGHT},
        {"kind": LinkKind.PHONE, "is_detected": True},
        {"hours": None, "limit": Why.HOURS},
    ],
)
def test_the_budget_is_said_in_words(qtbot, model, language: str, changes) -> None:
    view = page(qtbot, model, language=language)
    model.set_status(replace(PLANNED, link=replace(SATELLITE, **changes)))
    shown = visible_text(view)
    assert "transfer." not in shown
    assert "{" not in shown
    bar = view.findChild(BudgetBar)
    assert bar is not None
    assert bar.isVisible()
    model.set_status(replace(PLANNED, link=LinkView()))
    assert not bar.isVisible()
    view.grab()


def test_watched_folders_are_told_in_one_line(qtbot, model) -> None:
    view = page(qtbot, model)
    values = (("n", 3), ("name", "接收"))
    model.set_status(SyncStatus(watched=Reason(code="watch_moving", values=values)))
    assert view.context.words("reason.watch_moving", n=3, name="接收") in visible_text(view)


# --- hubs ----------------------------------------------------------------------------------

NEAR = HubRow(key=b"1" * 32, name="云岭中心校", url="https://near", waiting=6)
FAR = HubRow(
    key=b"2" * 32,
    name="县里",
    url="https://far",
    waiting=0,
    last_contact_ms=1_800_000_000_000,
    reason=Reason(code="hub_unreachable"),
    silent_days=31,
)


@pytest.mark.parametrize("language", ["zh_CN", "en"])
def test_each_hub_tells_when_it_was_met_and_what_it_has_not_got(qtbot, model, language):
    view = page(qtbot, model, HubPort(NEAR, FAR), language=language)
    qtbot.waitUntil(lambda: bool(view.hubs.rows))
    words, shown = view.context.words, visible_text(view)
    for key in ("hubs.never", "hubs.sent", "error.hub_unreachable"):
        assert words(key) in shown
    assert words.plural("hubs.waiting", 6) in shown
    assert shown.count(words.plural("hubs.silent", 31)) == 1
    assert "hubs." not in shown
    assert "县里" in "".join(one.text() for one in view.findChildren(ElidedLabel))


def test_hm1_figures_come_again_while_somebody_looks(qtbot, model):
    port = HubPort(NEAR)
    view = page(qtbot, model, port)
    assert view.hubs._timer.interval() == EVERY_MS
    view.hubs._timer.setInterval(10)
    view.hubs.begin()
    qtbot.waitUntil(lambda: view.hubs.rows == (NEAR,))
    port.rows = (replace(NEAR, waiting=0),)
    qtbot.waitUntil(lambda: view.hubs.rows == port.rows)
    qtbot.waitUntil(lambda: view.context.words("hubs.sent") in visible_text(view))
    view.hide()
    assert view.hubs._timer.interval() == SELDOM_MS
    asked = len(port.asked)
    view.show()
    assert len(port.asked) == asked + 1
    view.hubs.end()
    assert not view.hubs._timer.isActive()


def test_sync_now_is_asked_for_by_mouse_and_key(qtbot, model):
    view = page(qtbot, model)
    asked = []
    view.sync_wanted.connect(lambda: asked.append(1))
    press(qtbot, view.sync)
    view.sync.setFocus()
    qtbot.keyClick(view.sync, Qt.Key.Key_Return)
    assert len(asked) == 2


def test_a_room_without_a_hub_is_shown_the_way_to_add_one(qtbot, model):
    view = page(qtbot, model)
    qtbot.waitUntil(lambda: view.hubs.rows == ())
    QApplication.sendPostedEvents()
    way = next(one for one in view.findChildren(Button) if one.objectName() == "hubs-settings")
    with qtbot.waitSignal(view.settings_wanted):
        way.click()
