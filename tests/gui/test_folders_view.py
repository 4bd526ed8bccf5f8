"""The watched folders and the ways lessons come, on 传输 (FM1, FV1, TS1, TV3).

ui.view.folders, ui.viewmodel.folders, ui.view.transfer_sources.
"""

from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget

from client.domain.clock import FrozenClock
from client.domain.errors import StorageError
from client.domain.settings import Hours
from client.domain.spend import Why
from client.service.api import HubRow, LinkView, Reason, SyncStatus, WatchedRow
from client.service.text import Words
from tests.gui.test_transfer_view import HubPort, Port, page
from ui.base.button import Button
from ui.base.context import Appearance, UiContext
from ui.view.folders import FoldersPaper
from ui.viewmodel.folders import EVERY_MS, FoldersModel
from ui.viewmodel.link import LinkCalls
from ui.viewmodel.transfer import TransferModel


def settled(value=None, error=None) -> Future:
    future: Future = Future()
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(value)
    return future


class Folders:
    """Watches folders (`FoldersPort`)."""

    def __init__(self, *rows: WatchedRow) -> None:
        self.rows, self.asked, self.error = rows, 0, None

    def folders(self):
        self.asked += 1
        return settled(self.rows)

    def watch_folder(self, folder, *, is_watched):
        others = tuple(one for one in self.rows if one.path != folder)
        self.rows = (*others, WatchedRow(path=folder)) if is_watched else others
        return settled(None, self.error)


class House:
    def __init__(self, qtbot, port: Folders, **look) -> None:
        appearance = Appearance(**look)
        self.context = UiContext(Words(appearance.language), FrozenClock(), appearance)
        self.context.apply()
        self.said = []
        self.context.said.connect(self.said.append)
        self.chosen: Path | None = None
        self.model = FoldersModel(port, self.context.dispatcher)
        self.paper = FoldersPaper(self.context, self.model, lambda: self.chosen)
        qtbot.addWidget(self.paper)
        self.paper.show()
        qtbot.waitUntil(lambda: self.model.rows is not None)

    def texts(self) -> str:
        return _texts(self.paper)

    def buttons(self, name: str) -> list[Button]:
        return [one for one in self.paper.findChildren(Button) if one.objectName() == name]


def _texts(widget: QWidget) -> str:
    return "\n".join(one.text() for one in widget.findChildren(QLabel))


def test_a_folder_is_added_and_left_and_taken_up_again(qtbot, tmp_path):
    """FV1"""
    port = Folders()
    house = House(qtbot, port)
    click = Qt.MouseButton.LeftButton
    qtbot.mouseClick(house.paper.add, click)
    assert port.rows == (), "nobody chose one"
    house.chosen = tmp_path / "接收"
    qtbot.mouseClick(house.paper.add, click)
    qtbot.waitUntil(lambda: len(house.buttons("folder-forget")) == 1)
    assert house.context.words("folders.new") in house.texts()
    qtbot.mouseClick(house.buttons("folder-forget")[0], click)
    qtbot.waitUntil(lambda: house.model.rows == ())
    (said,) = house.said
    assert "接收" in said.text
    said.act()
    qtbot.waitUntil(lambda: house.model.rows == (WatchedRow(path=house.chosen),))


@pytest.mark.parametrize("language", ["zh_CN", "en"])
def test_each_folder_says_how_it_stands(qtbot, language):
    values = (("n", 3), ("name", "接收"))
    rows = (
        WatchedRow(path=Path("/a/接收"), reason=Reason(code="watch_moving", values=values)),
        WatchedRow(path=Path("/")),
    )
    house = House(qtbot, Folders(*rows), language=language)
    assert house.context.words("reason.watch_moving", n=3, name="接收") in house.texts()
    assert "folders." not in house.texts()


def test_they_are_asked_for_only_while_somebody_looks(qtbot):
    """FM1"""
    port = Folders()
    house = House(qtbot, port)
    timer = house.model._timer
    assert (timer.isActive(), timer.interval()) == (True, EVERY_MS)
    house.paper.hide()
    assert not timer.isActive()


def test_a_disk_that_fails_is_told(qtbot):
    port = Folders()
    port.error = StorageError("disk_failed")
    house = House(qtbot, port)
    house.model.set_watched(Path("/a"), is_watched=True)
    qtbot.waitUntil(lambda: bool(house.said))


def test_while_the_link_is_not_here_nothing_comes_of_it():
    calls = LinkCalls(lambda: None)
    assert calls.folders().exception() is not None
    assert calls.watch_folder(Path("/a"), is_watched=True).exception() is not None


# --- the ways lessons come ---------------------------------------------------------------------

HUB = HubRow(key=b"k", name="中心校", url="https://h", waiting=0)
LIMITED = LinkView(hours=Hours(begin=20, end=6), limit=Why.HOURS)


def sources(qtbot, *hubs: HubRow, **look):
    model = TransferModel(Port())
    view = page(qtbot, model, HubPort(*hubs), **look)
    view.hubs.refresh()
    qtbot.waitUntil(lambda: view.hubs.rows == hubs)
    return view, model


def sticks(view) -> list[Button]:
    return [b for b in view.sources.findChildren(Button) if b.objectName() == "by-stick"]


@pytest.mark.parametrize("look", [{}, {"language": "en", "theme": "dark"}])
@pytest.mark.parametrize(
    ("answers", "word", "helps"),
    [(True, "way_open", 0), (False, "way_shut", 1), (None, "way_untried", 0)],
)
def test_a_way_works_only_if_it_answered(qtbot, answers, word, helps, look):
    """TS1"""
    reason = None if answers else Reason(code="hub_unreachable")
    view, model = sources(qtbot, replace(HUB, answers=answers, reason=reason), **look)
    words = view.context.words
    assert words(f"transfer.{word}") in _texts(view.sources)
    assert len(sticks(view)) == helps
    view.sources.show_kinds(frozenset({"platform", "folder"}))
    model.set_status(SyncStatus(is_online=answers, last_contact_ms=None))
    assert _texts(view.sources).splitlines().count(words(f"transfer.{word}")) == 2
    assert len(sticks(view)) == 2 * helps
    assert "transfer." not in _texts(view.sources)


@pytest.mark.parametrize(
    ("link", "is_online", "word", "helps"),
    [
        (LIMITED, True, "way_limited", 0),
        (LIMITED, None, "way_limited", 0),
        (LIMITED, False, "way_shut", 1),
        (replace(LIMITED, limit=Why.MONTH), True, "way_limited", 1),
        (LinkView(), True, "way_open", 0),
    ],
)
def test_a_budget_that_is_spent_shuts_the_platform(qtbot, link, is_online, word, helps):
    view, model = sources(qtbot)
    view.sources.show_kinds(frozenset({"platform"}))
    model.set_status(SyncStatus(is_online=is_online, link=link, last_contact_ms=1_700_000_000_000))
    assert view.context.words(f"transfer.{word}") in _texts(view.sources)
    assert len(sticks(view)) == helps


def test_a_stick_is_a_way_and_is_asked_for_where_none_is_left(qtbot):
    view, _model = sources(qtbot, replace(HUB, answers=False))
    wanted = []
    view.sources.stick_wanted.connect(wanted.append)
    (button,) = sticks(view)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert wanted == [button]
    view.sources.show_stick("KINGSTON", 11)
    words = view.context.words
    assert words.plural("transfer.stick_lessons", 11) in _texts(view.sources)
    view.sources.show_stick("KINGSTON", 0)
    assert words("transfer.stick_other") in _texts(view.sources)
    view.sources.show_stick("", 0)
    assert words("transfer.stick_other") not in _texts(view.sources)


def test_without_any_source_the_way_to_settings_is_shown(qtbot):
    view, _model = sources(qtbot)
    asked = []
    view.settings_wanted.connect(lambda: asked.append(1))
    (way,) = [b for b in view.findChildren(Button) if b.objectName() == "sources-settings"]
    qtbot.mouseClick(way, Qt.MouseButton.LeftButton)
    assert asked == [1]


def test_the_side_folds_below_the_list(qtbot):
    """TV3"""
    view, _model = sources(qtbot)
    for width, is_beside in ((1200, True), (900, False), (1200, True)):
        view.resize(width, 700)
        qtbot.waitUntil(view.sources.isVisible)
        assert (view._columns.indexOf(view._column) >= 0) is is_beside
        assert (view.body.indexOf(view._column) >= 0) is not is_beside
