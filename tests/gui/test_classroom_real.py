"""A class with nothing replaced: VLC decodes, Qt draws, the journal keeps; then the power goes."""

from dataclasses import replace
from functools import partial

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from client.domain.catalogue import Role
from client.domain.clock import SystemClock
from client.domain.ids import ClassId
from client.domain.record.bodies import Ended
from client.domain.sitting import Phase
from client.domain.sitting_keys import Key
from client.media.vlc_player import VlcPlayer
from client.service.records import RecordService
from client.service.sitting import SittingService
from client.service.text import Words
from client.store.repair import open_journal
from tests.classroom_kit import lesson, make_pdf, part, plan
from tests.media import ClipSpec, clip, read_counter
from ui.base.context import UiContext
from ui.view.classroom import ClassroomWindow

K = Qt.Key


class Room:
    """A profile folder and the class in it."""

    def __init__(self, folder, qtbot):
        self.folder, self.qtbot = folder, qtbot
        self.clock = SystemClock()
        self.start()

    def start(self):
        self.opened = open_journal(self.folder, self.clock)
        self.records = RecordService(self.opened.journal, lambda: (ClassId("c3"), ClassId("c5")))

    def teach(self, resume=None):
        video = part(Role.VIDEO, clip(ClipSpec(seconds=60)), seconds=60.0)
        slides = part(Role.SLIDES, make_pdf(self.folder / "slides.pdf", 3), pages=3)
        whole = plan(lesson(video, slides))
        if resume is not None:
            whole = replace(whole, tracks=(replace(whole.tracks[0], resume=resume),))
        service = SittingService(self.records.recorder, VlcPlayer, self.clock)
        self.context = UiContext(Words("zh_CN"), self.clock)
        self.context.apply()
        self.done = []
        window = ClassroomWindow(
            self.context, partial(service.start, whole), self.done.append, is_windowed=True
        )
        self.context.setParent(window)
        window.resize(1280, 720)
        window.open()
        self.qtbot.addWidget(window)
        self.qtbot.waitUntil(lambda: window.model.image is not None, timeout=8000)
        return window

    def cut_power(self, window):
        """Tell nobody; open the same files anew."""
        window.model._timer.stop()
        self.opened.journal.close()
        window.model.sitting._player.close()
        self.start()


@pytest.fixture
def room(tmp_path, qtbot):
    made = Room(tmp_path, qtbot)
    yield made
    made.opened.journal.close()


def number(window):
    image = window.stage.grab().toImage()
    return read_counter(
        memoryview(image.constBits()), image.width(), image.height(), image.bytesPerLine()
    )


def test_play_stop_again_slides_power_cut_same_second_end(room, qtbot):
    window = room.teach()
    window.panel.rest()
    assert number(window) == 0
    QTest.keyClick(window, K.Key_Space)
    qtbot.waitUntil(lambda: window.model.view.track.position_s > 2.0, timeout=8000)
    QTest.keyClick(window, K.Key_Space)
    window.panel.rest()
    qtbot.waitUntil(
        lambda: abs(number(window) - window.model.view.track.position_s * 25) <= 2, timeout=4000
    )
    QTest.keyClick(window, K.Key_Up)
    qtbot.waitUntil(lambda: window.model.view.track.position_s < 1.0, timeout=4000)
    window.press(Key.SEEK_TO, 30.0)
    QTest.keyClick(window, K.Key_K)
    qtbot.waitUntil(lambda: window.model.view.track.pages[0] == 3)
    QTest.keyClick(window, K.Key_PageDown)
    assert window.model.view.track.page == 1
    QTest.keyClick(window, K.Key_Q)
    for key in (K.Key_1, K.Key_1, K.Key_3):
        QTest.keyClick(window, key)
    QTest.keyClick(window, K.Key_Q)
    QTest.keyClick(window, K.Key_Plus)
    stopped = window.model.view.track.position_s

    room.cut_power(window)
    (unfinished,) = room.records.unfinished()
    assert unfinished.is_interrupted
    assert unfinished.point.position_s == pytest.approx(stopped, abs=5.0)

    again = room.teach(unfinished.point)
    again.panel.rest()
    qtbot.waitUntil(lambda: number(again) is not None, timeout=4000)
    assert number(again) == pytest.approx(stopped * 25, abs=5 * 25)
    QTest.keyClick(again, K.Key_Space)
    qtbot.waitUntil(lambda: again.model.view.state.phase is Phase.PLAYING)
    again.press(Key.END)
    again.end_page.done.click()
    qtbot.waitUntil(lambda: room.done == [Ended.FINISHED], timeout=8000)
    facts = {(fact.kind, fact.value) for fact in room.records.facts(ClassId("c3"))}
    kinds = {kind for kind, _ in facts}
    assert {"headcount", "answer"} <= kinds
    assert ("headcount", "14") in facts
    assert any(kind == "answer" and value.startswith("A=2") for kind, value in facts)
    assert room.records.unfinished() == ()
