"""A classroom window on an obedient player and a clock moved by hand."""

from functools import partial
from pathlib import Path

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from client.domain.catalogue import Role
from client.domain.clock import FrozenClock
from client.domain.sitting import Phase
from client.service.sitting import SittingService
from client.service.text import Words
from tests.classroom_kit import Notebook, lesson, make_pdf, part, plan
from tests.fakes.obedient_player import ObedientPlayer
from ui.base.context import Appearance, UiContext
from ui.view.classroom import ClassroomWindow

VIDEO = Path("video.mp4")


class Desk:
    """One window and what it was built from. `grades` 2 is 复式."""

    def __init__(
        self,
        qtbot,
        tmp_path,
        *,
        grades=1,
        is_console=False,
        size=(1600, 900),
        scale=100,
        language="zh_CN",
        theme="light",
        has_video=True,
        has_pages=True,
        **over,
    ):
        self.qtbot = qtbot
        self.clock = FrozenClock()
        self.players = []
        self.book = Notebook()
        look = Appearance(language=language, theme=theme, scale=scale)
        self.context = UiContext(Words(language), self.clock, look)
        self.context.apply()
        parts = []
        if has_video:
            parts.append(part(Role.VIDEO, VIDEO, seconds=600.0))
        if has_pages:
            slides, task = tmp_path / "slides.pdf", tmp_path / "task.pdf"
            parts.append(part(Role.SLIDES, make_pdf(slides, 4), pages=4))
            parts.append(part(Role.TASK, make_pdf(task, 2), pages=2))
        detail = lesson(*parts)
        service = SittingService(self.book, self._player, self.clock)
        whole = plan(*([detail] * grades), **over)
        self.done = []
        self.window = ClassroomWindow(
            self.context, partial(service.start, whole), self.done.append, is_windowed=True
        )
        self.context.setParent(self.window)
        self.window.resize(*size)
        if is_console:
            self.window.go_console()
        self.window.open()
        qtbot.addWidget(self.window)
        if has_video:
            qtbot.waitUntil(lambda: self.window.model.image is not None)
            qtbot.waitUntil(lambda: not self.view.is_opening)

    def _player(self):
        self.players.append(ObedientPlayer(self.clock))
        return self.players[-1]

    @property
    def view(self):
        return self.window.model.view

    @property
    def state(self):
        return self.view.state

    @property
    def sheet(self):
        """Panel or console."""
        mirrored = self.window.layout_now.value == "mirrored"
        return self.window.panel if mirrored else self.window.console

    def key(self, key, modifiers=Qt.KeyboardModifier.NoModifier):
        QTest.keyClick(self.window, key, modifiers)
        return self

    def hold(self, key):
        QApplication.sendEvent(
            self.window, QKeyEvent(QEvent.Type.KeyPress, key, Qt.KeyboardModifier.NoModifier)
        )

    def release(self, key):
        QApplication.sendEvent(
            self.window, QKeyEvent(QEvent.Type.KeyRelease, key, Qt.KeyboardModifier.NoModifier)
        )

    def move_mouse(self):
        event = QMouseEvent(
            QEvent.Type.MouseMove,
            QPointF(QPoint(300, 300)),
            QPointF(QPoint(300, 300)),
            Qt.MouseButton.NoButton,
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
        )
        QApplication.sendEvent(self.window.stage, event)

    def play(self, seconds, dt=0.5):
        """Let the class play for a while."""
        if self.state.phase is not Phase.PLAYING:
            self.key(Qt.Key.Key_Space)
        player = self.players[-1]
        self.qtbot.waitUntil(lambda: ("play",) in player.calls)
        for _ in range(round(seconds / dt)):
            self.clock.advance(dt)
            self.window.model.sitting._player._shown_s = player.position_s
            self.window.model.tick()
        return self

    def end(self):
        from client.domain.sitting_keys import Key

        self.window.press(Key.END)
        return self.window.end_page

    def click(self, widget):
        self.qtbot.mouseClick(widget, Qt.MouseButton.LeftButton)
        return self
