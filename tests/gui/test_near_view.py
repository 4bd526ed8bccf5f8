"""Sharing with PCs near by on 设置 and 传输 (ui.view.near, ui.viewmodel.near: NM1, NM2, NV1)."""

from concurrent.futures import Future

import pytest
from PySide6.QtCore import Qt

from client.domain.clock import FrozenClock
from client.domain.errors import UserError
from client.service.api import Reason
from client.service.near_view import NearRow, NearView
from client.service.text import Words
from tests.visible_text import visible_text
from ui.base.context import Appearance, UiContext
from ui.view.near import NearPaper
from ui.viewmodel.near import EVERY_MS, NearModel

ROW = NearRow(
    room="1号教室",
    address="192.168.1.8",
    reason=Reason(code="lan_peer_fine"),
    is_usable=True,
    is_known=True,
)
STRANGER = NearRow(
    room="",
    address="192.168.1.9",
    reason=Reason(code="lan_peer_silent"),
    is_usable=False,
    is_known=False,
)
ON = NearView(
    is_on=True,
    address="192.168.1.7:8521",
    code="56F-626",
    finding=Reason(code="lan_blocked_here"),
    needs_stick=True,
    rows=(ROW, STRANGER),
)


class Port:
    """Answers at once, or when a test lets it (`NearPort`)."""

    def __init__(self) -> None:
        self.view, self.asked, self.held = NearView(), [], []
        self.is_slow = False

    def _answer(self, what: str) -> Future:
        self.asked.append(what)
        future: Future = Future()
        if self.is_slow:
            self.held.append(future)
        else:
            future.set_result(self.view)
        return future

    def lan(self):
        return self._answer("lan")

    def check_lan(self):
        return self._answer("check")

    def add_peer(self, text):
        return self._answer(f"add {text}")

    def set_setting(self, name, value):
        self.asked.append(f"{name} {value}")
        future: Future = Future()
        future.set_result(None)
        self.view = ON if value == "on" else NearView()
        return future


@pytest.fixture
def context(qtbot):
    made = UiContext(Words("zh_CN"), FrozenClock(), Appearance(language="zh_CN"))
    made.apply()
    yield made
    made.dispatcher.close()


@pytest.fixture
def port():
    return Port()


def paper_on(qtbot, context, port, *, has_form=True):
    model = NearModel(port, port.set_setting, context.dispatcher)
    made = NearPaper(context, model, has_form=has_form)
    qtbot.addWidget(made)
    made.show()
    return made, model


def test_the_switch_turns_sharing_on_checks_it_and_says_what_is_wrong(qtbot, context, port):
    """NV1: the next step is beside the sentence."""
    paper, model = paper_on(qtbot, context, port)
    assert "共享没有打开" in visible_text(paper)
    assert not paper.check.isVisible()
    paper.switch.click()
    qtbot.waitUntil(lambda: model.view == ON)
    assert port.asked[-2:] == ["lan_share on", "check"]
    text = visible_text(paper)
    for part in ("防火墙挡住了", "56F-626", "192.168.1.7:8521", "1号教室", "没起名的电脑"):
        assert part in text
    assert paper.stick.isVisible()
    with qtbot.waitSignal(model.stick_wanted):
        paper.stick.click()
    paper.switch.click()
    qtbot.waitUntil(lambda: not model.view.is_on)
    assert not paper.code.isVisible()
    model.share(is_on=False)
    assert port.asked.count("lan_share off") == 1


def test_nm1_it_is_asked_while_somebody_looks(qtbot, context, port):
    """NM1"""
    paper, model = paper_on(qtbot, context, port)
    qtbot.waitUntil(lambda: port.asked == ["lan"])
    assert model._timer.isActive()
    assert model._timer.interval() == EVERY_MS
    paper.hide()
    assert not model._timer.isActive()


def test_nm2_one_check_at_a_time_and_its_answer_is_the_last_word(qtbot, context, port):
    """NM2"""
    port.view = ON
    paper, model = paper_on(qtbot, context, port)
    qtbot.waitUntil(lambda: model.view == ON)
    port.is_slow = True
    paper.check.click()
    assert "正在检查" in visible_text(paper)
    assert not paper.check.isEnabled()
    model.refresh()
    model.check()
    model.add("x")
    assert port.asked[1:] == ["check"]
    port.held[0].set_result(NearView(is_on=True, finding=Reason(code="lan_fine"), is_fine=True))
    qtbot.waitUntil(lambda: model.view.is_fine)
    assert paper.check.isEnabled()
    assert not paper.stick.isVisible()


def test_nv1_a_typed_code_is_added_and_new_figures_leave_it_alone(qtbot, context, port):
    """NV1"""
    port.view = ON
    paper, model = paper_on(qtbot, context, port)
    qtbot.waitUntil(lambda: model.view == ON)
    heard = []
    context.said.connect(lambda say: heard.append(say.text))
    paper.add.click()
    assert port.asked == ["lan"]
    paper.code.setText("56F626")
    port.view = NearView(is_on=True, finding=Reason(code="lan_nobody"))
    model.refresh()
    qtbot.waitUntil(lambda: model.view == port.view)
    assert paper.code.text() == "56F626"
    qtbot.keyClick(paper.code, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not paper.code.text())
    assert port.asked[-1] == "add 56F626"
    assert "找到了，可以从它那里拿课了。" in heard
    port.is_slow = True
    paper.code.setText("8.8.8.8")
    paper.add.click()
    port.held[-1].set_exception(UserError("lan_address_bad", {"address": "8.8.8.8"}))
    qtbot.waitUntil(lambda: not model.is_busy)
    assert any("8.8.8.8" in text for text in heard)
    assert paper.code.text() == "8.8.8.8"


def test_on_the_page_of_transfers_it_has_a_name_and_no_switch(qtbot, context, port):
    port.view = ON
    paper, model = paper_on(qtbot, context, port, has_form=False)
    qtbot.waitUntil(lambda: model.view == ON)
    assert "本校其他电脑" in visible_text(paper)
    assert not hasattr(paper, "switch")
