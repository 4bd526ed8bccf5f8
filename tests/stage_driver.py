"""Drives a real class on a real X display and reads what the screens show.

Run by tests/gui/test_classroom_screens.py as a program of its own (the test process draws
offscreen). Prints one JSON document: every check with the number burnt into the picture that
was grabbed from the X server and the frame that the player says it shows.
"""

import json
import random
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from PySide6.QtCore import QRect, Qt  # noqa: E402 - the checkout comes first
from PySide6.QtGui import QGuiApplication, QImage  # noqa: E402
from PySide6.QtTest import QTest  # noqa: E402
from PySide6.QtWidgets import QApplication  # noqa: E402

from client.domain.catalogue import Role  # noqa: E402
from client.domain.clock import SystemClock  # noqa: E402
from client.domain.sitting import Phase  # noqa: E402
from client.domain.sitting_keys import Key  # noqa: E402
from client.media.vlc_player import VlcPlayer  # noqa: E402
from client.service.sitting import SittingService  # noqa: E402
from client.service.text import Words  # noqa: E402
from tests.classroom_kit import Notebook, lesson, part, plan  # noqa: E402
from tests.media import ClipSpec, clip, read_counter  # noqa: E402
from ui.base.context import UiContext  # noqa: E402
from ui.view.classroom import ClassroomWindow  # noqa: E402

RATE = 25
PROJECTOR = ("PROJ", "1280/339x720/190+1280+0")
TEACHER = ("TEACHER", "1280/339x800/211+0+0")


def monitors(*names):
    """Tell X which monitors there are, touching only what changes."""
    listed = subprocess.run(["xrandr", "--listmonitors"], check=True, capture_output=True)
    present = listed.stdout.decode()
    for name, place in (TEACHER, PROJECTOR):
        output = "screen" if name == "TEACHER" else "none"
        if name in names and name not in present:
            run_quietly("xrandr", "--setmonitor", name, place, output)
        elif name not in names and name in present:
            run_quietly("xrandr", "--delmonitor", name)


def run_quietly(*command):
    subprocess.run(command, check=True, capture_output=True)


class Driver:
    def __init__(self, *, is_mirrored):
        self.app = QApplication.instance() or QApplication([])
        self.context = UiContext(Words("zh_CN"), SystemClock())
        self.context.apply()
        self.checks = []
        self.is_mirrored = is_mirrored
        video = clip(ClipSpec(seconds=60))
        detail = lesson(part(Role.VIDEO, video, seconds=60.0))
        # One long step: no question stops the video in the middle of a measurement.
        from client.domain.cues import Cue, CueKind

        cues = (Cue(ordinal=1, kind=CueKind.PLAY, title="cue.lead_in", prompt="x", at_s=0.0),)
        whole = plan(detail)
        from dataclasses import replace

        whole = replace(whole, tracks=(replace(whole.tracks[0], cues=cues),))
        service = SittingService(Notebook(), VlcPlayer, SystemClock())
        self.done = []
        self.window = ClassroomWindow(self.context, partial(service.start, whole), self.done.append)
        self.window.open()
        self.until(lambda: self.window.model.image is not None, "the first picture")

    def spin(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.app.processEvents()
            QTest.qWait(5)

    def until(self, holds, what, seconds=8.0):
        end = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > end:
                raise SystemExit(f"waited in vain for {what}")
            self.app.processEvents()
            QTest.qWait(2)

    @property
    def state(self):
        return self.window.model.view.state

    def stages(self):
        """What to look at: (name, rectangle on the X screen)."""
        if self.is_mirrored:
            return {"mirrored": self._rect(self.window.stage)}
        found = {"console": self._rect(self.window.console.thumbnail)}
        if self.window.stage_window.isVisible():
            found["projector"] = self._rect(self.window.projected)
        return found

    @staticmethod
    def _rect(widget):
        return QRect(widget.mapToGlobal(widget.rect().topLeft()), widget.size())

    def grab(self, rect):
        """Read pixels from the X server and cut out the 16:9 picture."""
        screen = QGuiApplication.primaryScreen()
        origin = screen.geometry().topLeft()
        pixmap = screen.grabWindow(
            0, rect.x() - origin.x(), rect.y() - origin.y(), rect.width(), rect.height()
        )
        image = pixmap.toImage().convertToFormat(QImage.Format.Format_RGB32)
        height = round(image.width() * 9 / 16)
        if height < image.height():
            image = image.copy(0, (image.height() - height) // 2, image.width(), height)
        else:
            width = round(image.height() * 16 / 9)
            image = image.copy((image.width() - width) // 2, 0, width, image.height())
        return image

    def counter(self, rect):
        image = self.grab(rect)
        return read_counter(
            memoryview(image.constBits()), image.width(), image.height(), image.bytesPerLine()
        )

    def check(self, step):
        """Compare every stage's number with the player's time."""
        if self.state.phase is not Phase.PLAYING:
            self.spin(0.15)
        for name, rect in self.stages().items():
            # The grab itself takes time in which the film goes on: what it shows lies between
            # the player's time before it and after it.
            before = self.frame_now()
            number = self.counter(rect)
            after = self.frame_now()
            self.checks.append(
                {"step": step, "stage": name, "number": number, "from": before, "to": after}
            )

    def frame_now(self):
        at_s = self.window.model.sitting._player.position_s
        return None if at_s is None else at_s * RATE

    def landed(self):
        self.until(lambda: self.window.model.sitting._player.position_s is not None, "the place")

    def go_to(self, seconds):
        self.window.press(Key.SEEK_TO, seconds)
        if self.is_mirrored:
            self.window.panel.rest()
        self.landed()

    def key(self, key):
        QTest.keyClick(self.window, key)
        if self.is_mirrored:
            self.window.panel.rest()

    def playing(self, is_playing):
        wanted = Phase.PLAYING if is_playing else Phase.PAUSED
        if self.state.phase is not wanted:
            self.key(Qt.Key.Key_Space)
        self.until(lambda: self.state.phase is wanted, wanted.name)


def run(*, is_mirrored):
    monitors(*(("TEACHER",) if is_mirrored else ("TEACHER", "PROJ")))
    driver = Driver(is_mirrored=is_mirrored)
    chance = random.Random(7)
    facts = {"layout": driver.window.layout_now.value}
    for number in range(5):
        at = chance.uniform(2.0, 50.0)
        driver.playing(True)
        driver.go_to(at)
        driver.spin(0.7)
        driver.check(f"playing {number}")
        driver.playing(False)
        driver.check(f"paused {number}")
        driver.go_to(chance.uniform(2.0, 50.0))
        driver.spin(0.3)
        driver.check(f"sought while paused {number}")
        driver.playing(True)
        driver.spin(0.3)
        driver.key(Qt.Key.Key_F)
        driver.check(f"frozen {number}")
        driver.key(Qt.Key.Key_F)
    if not is_mirrored:
        facts |= unplug(driver)
    driver.window.close()
    driver.spin(0.1)
    print(json.dumps({"facts": facts, "checks": driver.checks}))


def unplug(driver):
    driver.playing(True)
    driver.spin(0.5)
    before = driver.window.stage_window.isVisible()
    monitors("TEACHER")
    driver.until(lambda: driver.window.screens.projector is None, "the projector to go")
    hidden = not driver.window.stage_window.isVisible()
    driver.until(lambda: driver.state.phase is Phase.PAUSED, "the pause")
    told = driver.window.console.next_card._title.text()
    driver.check("unplugged")
    gone = driver.checks[-1]["number"]
    driver.spin(0.5)
    monitors("TEACHER", "PROJ")
    driver.until(driver.window.stage_window.isVisible, "the stage to come back")
    driver.spin(0.6)
    driver.check("plugged in again")
    back = driver.checks[-1]["number"]
    geometry = driver.window.stage_window.geometry()
    return {
        "was_visible": before,
        "hidden_when_unplugged": hidden,
        "told": told,
        "same_frame": gone == back,
        "still_paused": driver.state.phase is Phase.PAUSED,
        "stage_at": [geometry.x(), geometry.y(), geometry.width(), geometry.height()],
    }


if __name__ == "__main__":
    run(is_mirrored="mirrored" in sys.argv)
