"""Withdrawn lessons as a teacher meets them in 课程库 (ui.view.library_detail) and 今天."""

import os
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QLabel, QWidget

from client.domain.availability import Decodes, Light, Trust
from client.domain.clock import FrozenClock
from client.domain.holding import Blob
from client.domain.ids import Digest, LessonId, SourceId
from client.domain.withdrawal import Standing, Withdrawal
from client.service.api import HubRow, Stopped
from client.service.paths import Profile
from client.service.placing import Placing
from client.service.station import Station
from client.service.text import Words
from client.store.withdrawal_rows import WithdrawalRows
from tests.fakes.today_pages import FakeActions, FakeToday, stopped_day
from tests.library_room import fill_stores
from ui.base.context import Appearance, UiContext
from ui.base.notice import Notice
from ui.view.library import LibraryView
from ui.view.library_rows import light_of
from ui.view.today import TodayView
from ui.view.today_cards import SingleCard, stopped_lines
from ui.view.today_popovers import SwapPopover
from ui.viewmodel.hubs import HubsModel
from ui.viewmodel.library import LibraryModel, LibraryPorts
from ui.viewmodel.today import TodayModel

ONE, OTHER = LessonId("fractions"), LessonId("area")
GRACE = Stopped(
    reason="outdated", standing=Standing.GRACE, classes_left=12, replacement=OTHER,
    replacement_title="分一分（修订）",
)  # fmt: skip
OVER = Stopped(reason="legal", replacement=OTHER, replacement_title="分一分（修订）")
ALONE = Stopped(reason="地图有误")


def keep_picture(widget: QWidget, name: str) -> None:
    """Keep a picture for somebody to look at, where one is asked for."""
    if folder := os.environ.get("TONGKE_PICTURES"):
        widget.grab().save(str(Path(folder) / f"{name}.png"))


@pytest.fixture
def station(tmp_path) -> Iterator[Station]:
    made = Station(Profile(tmp_path / "room"), FrozenClock())
    fill_stores(made.catalogue, made.library)
    made.room.add_class("三年级", 3).result()
    lesson = made.catalogue.lesson(ONE)
    assert lesson is not None
    part = next(one for one in lesson.parts if one.files)
    blob = Blob(
        digest=Digest("a" * 64), ext=".pdf", size_bytes=5, trust=Trust.ATTESTED,
        decodes=Decodes.UNKNOWN,
    )  # fmt: skip
    made.holdings.keep(lesson, part.id, part.files[0].path, blob)
    yield made
    made.close()


def withdraw(station: Station, days: int, reason: str, other: LessonId | None) -> None:
    word = Withdrawal(lesson=ONE, reason=reason, grace_days=days, replacement=other)
    WithdrawalRows(station.database).put(SourceId("hub"), [word])
    station.withdrawals.look_now()
    station.library.refresh()


def library(qtbot, station: Station) -> tuple[LibraryView, LibraryModel]:
    context = UiContext(Words("zh_CN"), FrozenClock(), Appearance())
    context.apply()
    ports = LibraryPorts(
        library=station.library,
        placing=Placing(station.room),
        memory=station.room,
        actions=FakeActions(),
    )
    model = LibraryModel(ports, context.dispatcher)
    view = LibraryView(context, model)
    context.setParent(view)
    model.setParent(view)
    qtbot.addWidget(view)
    view.resize(1512, 904)
    view.show()
    model.refresh()
    qtbot.waitUntil(lambda: model.is_answered and model.total >= 0)
    return view, model


def texts(widget: QWidget) -> str:
    return "\n".join(one.text() for one in widget.findChildren(QLabel))


def test_ld3_the_library_says_why_and_opens_what_replaces_it(qtbot, station) -> None:
    """LD3: with one press; what is withdrawn cannot be planned anew, nor fetched."""
    withdraw(station, 2, "outdated", OTHER)
    view, model = library(qtbot, station)
    row = next(row for row in model.rows if row.id == ONE)
    assert light_of(row) == (Light.NO_DEVICE, "library.stopped")
    model.select(ONE)
    qtbot.waitUntil(lambda: model.detail is not None)
    box = view.findChild(Notice, "stopped")
    said = texts(box)
    assert "已停用：内容已过时" in said
    assert "还可以用它上 12 节课" in said
    assert "替代课：" in said
    keep_picture(view, "library-stopped")
    assert view.detail.download is None
    assert not view.detail.to_timetable.isEnabled()
    button = view.findChild(QAbstractButton, "replacement")
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: model.detail is not None and model.detail.row.id == OTHER)
    assert view.findChild(QAbstractButton, "replacement") is None
    assert view.detail.to_timetable.isEnabled()


def test_ld3_without_a_replacement_there_is_only_the_reason(qtbot, station) -> None:
    """LD3: in the words of whoever withdrew it."""
    withdraw(station, 1, "地图有误", None)
    view, model = library(qtbot, station)
    model.select(ONE)
    qtbot.waitUntil(lambda: model.detail is not None)
    assert "已停用：地图有误" in texts(view.findChild(Notice, "stopped"))
    assert view.detail.replacement is None


def test_what_was_purged_is_not_listed_any_more(qtbot, station) -> None:
    withdraw(station, 5, "legal", None)
    _, model = library(qtbot, station)
    assert ONE not in [row.id for row in model.rows]


class HubPort:
    """Answers the hubs of a test."""

    def __init__(self, *hubs: HubRow) -> None:
        self.rows = hubs

    def hubs(self) -> Future[tuple[HubRow, ...]]:
        future: Future[tuple[HubRow, ...]] = Future()
        future.set_result(self.rows)
        return future


def test_the_library_says_which_catalogue_stands_still(qtbot, station) -> None:
    view, _ = library(qtbot, station)
    line = view.findChild(QLabel, "silent")
    port = HubPort(HubRow(key=b"1", name="县里", url="u", waiting=0, silent_days=31))
    hubs = HubsModel(port, view._context.dispatcher, view)
    view.follow(hubs)
    assert not line.isVisible()
    hubs.refresh()
    qtbot.waitUntil(line.isVisible)
    assert line.text() == "县里: 本机已运行 31 天没有收到更新的目录"
    keep_picture(view, "library-silent")
    port.rows = ()
    hubs.refresh()
    qtbot.waitUntil(lambda: not line.isVisible())


class Desk:
    """今天 with one withdrawn lesson."""

    def __init__(self, qtbot, stopped: Stopped, *, is_here: bool) -> None:
        self.port = FakeToday(stopped_day(stopped, is_here=is_here))
        self.context = UiContext(Words("zh_CN"), FrozenClock(), Appearance())
        self.context.apply()
        self.actions = FakeActions()
        self.model = TodayModel(self.port, self.actions, self.context.dispatcher)
        self.view = TodayView(self.context, self.model)
        self.context.setParent(self.view)
        self.model.setParent(self.view)
        qtbot.addWidget(self.view)
        self.view.resize(1512, 904)
        self.view.show()
        qtbot.waitUntil(lambda: bool(self.view.findChildren(SingleCard)))
        qtbot.waitUntil(lambda: self.card().isVisible() and self.card().main.hasFocus())

    def card(self) -> SingleCard:
        return self.view.findChildren(SingleCard)[0]


def test_while_grace_lasts_a_card_starts_and_offers_the_replacement(qtbot) -> None:
    """K1: one main button; the other lesson is one press away."""
    desk = Desk(qtbot, GRACE, is_here=True)
    keep_picture(desk.view, "today-grace")
    desk.card().main.click()
    assert [step[0] for step in desk.actions.done] == ["start"]
    assert stopped_lines(desk.context, desk.port.now.rows[1].cards[0]) == (
        "已停用：内容已过时 · 本教室还可以用它上 12 节课，之后从本机删除。",
        "替代课：分一分（修订）",
    )
    other = desk.card().findChild(QAbstractButton, "replace")
    qtbot.mouseClick(other, Qt.MouseButton.LeftButton)
    lesson = desk.port.now.rows[1].cards[0].lesson
    qtbot.waitUntil(lambda: ("use_instead", lesson, OTHER) in desk.port.asked)


def test_when_it_is_over_the_one_button_is_the_replacement(qtbot) -> None:
    desk = Desk(qtbot, OVER, is_here=False)
    keep_picture(desk.view, "today-over")
    assert desk.card().main.text() == "用替代课"
    desk.card().main.click()
    assert desk.port.asked[-1][0] in {"use_instead", "page"}
    assert any(asked[0] == "use_instead" for asked in desk.port.asked)


def test_where_nothing_replaces_it_something_else_is_chosen(qtbot) -> None:
    desk = Desk(qtbot, ALONE, is_here=False)
    keep_picture(desk.view, "today-alone")
    desk.card().main.click()
    qtbot.waitUntil(lambda: bool(desk.view.window().findChildren(SwapPopover)))
