"""Figures of the stage: how soon a key freezes the picture, what playing costs, what is lost.

`python -m ui.bench_stage --layout mirrored|two [--video FILE] [--keys N] [--seconds N]` opens a
real class on the display it finds and prints one JSON document. With two screens the console
and the projector show the picture; CPU is that of this process in per cent of one core (the
display server has its own).
"""

import argparse
import ctypes
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QGuiApplication, QKeyEvent
from PySide6.QtWidgets import QApplication

from client.domain.availability import Decodes, LessonState, Light, PartState
from client.domain.catalogue import LessonKind, Placement, Role
from client.domain.clock import SystemClock
from client.domain.cues import Cue, CueKind
from client.domain.ids import ClassId, LessonId, PartId
from client.domain.sitting import Phase
from client.domain.sitting_keys import Key
from client.media.vlc_player import VlcPlayer
from client.service.api import LessonDetail, LessonRow, PartView
from client.service.sitting import SittingService
from client.service.sitting_port import Recorder, SittingPlan, TrackPlan
from client.service.text import Words
from ui.base.context import UiContext
from ui.view.classroom import ClassroomWindow
from ui.view.screens import Screens

SETTLE_MS: Final = 450
"""How long after a key pictures are watched."""


class Unrecorded:
    """A recorder for measuring: nothing is kept."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def note(*_args: object, **_kwargs: object) -> object:
            future: Future[None] = Future()
            future.set_result(None)
            if name == "open":
                return _Opened(future)
            return future

        return note


class _Opened:
    sitting = "0" * 16

    def __init__(self, recorded: Future[None]) -> None:
        self.recorded = recorded


class XKeys:
    """Presses the space bar through the X server; None where there is no XTEST."""

    def __init__(self) -> None:
        x11, xtst = ctypes.CDLL("libX11.so.6"), ctypes.CDLL("libXtst.so.6")
        x11.XOpenDisplay.restype = ctypes.c_void_p
        self._x11, self._xtst = x11, xtst
        self._display = ctypes.c_void_p(x11.XOpenDisplay(None))
        self._code = x11.XKeysymToKeycode(self._display, 0x20)

    def press(self) -> None:
        """Press and let go."""
        for is_down in (1, 0):
            self._xtst.XTestFakeKeyEvent(self._display, self._code, is_down, 0)
        self._x11.XFlush(self._display)


class Bench(QObject):
    """One run: plays, presses a key every now and then, then measures undisturbed playing."""

    def __init__(self, window: ClassroomWindow, keys: int, seconds: float) -> None:
        super().__init__()
        self._window = window
        self._keys, self._seconds = keys, seconds
        self._press: Callable[[], None] = self._press_qt
        if QGuiApplication.platformName() == "xcb":
            self._press = XKeys().press
        self._pressed_at = 0.0
        self._newest = 0.0
        self._extra = 0
        self._is_paused = False
        self.freeze_ms: list[float] = []
        self.extra_frames: list[int] = []
        self.painted = 0
        self.figures: dict[str, object] = {}
        stage = window.stage
        if window.screens.projector is not None:
            stage = window.projected
        stage.painted.connect(self._on_painted)
        window.model.changed.connect(self._on_changed)

    def start(self) -> None:
        """Begin once the first picture is there."""
        if self._window.model.image is None:
            QTimer.singleShot(50, self.start)
            return
        self._window.press(Key.PLAY)
        QTimer.singleShot(1200, self._next_key)

    def _press_qt(self) -> None:
        for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
            event = QKeyEvent(kind, Qt.Key.Key_Space, Qt.KeyboardModifier.NoModifier)
            QApplication.postEvent(self._window, event)

    def _on_painted(self, _at_s: float) -> None:
        self.painted += 1
        self._newest = time.perf_counter()
        self._extra += 1

    def _on_changed(self) -> None:
        """Take the moment the class knows that it is paused: no sooner is it frozen."""
        if self._window.model.view.state.phase is Phase.PAUSED and not self._is_paused:
            self._is_paused = True
            self._newest = max(self._newest, time.perf_counter())

    def _next_key(self) -> None:
        if len(self.freeze_ms) >= self._keys:
            self._measure_playing()
            return
        self._extra = 0
        self._is_paused = False
        self._newest = self._pressed_at = time.perf_counter()
        self._press()
        QTimer.singleShot(SETTLE_MS, self._frozen)

    def _frozen(self) -> None:
        if self._window.model.view.state.phase is not Phase.PAUSED:
            raise SystemExit("the key did not reach the class: has the window the focus?")
        self.freeze_ms.append((self._newest - self._pressed_at) * 1000)
        self.extra_frames.append(self._extra)
        self._press()
        # An odd wait, so that keys fall anywhere between two pictures.
        QTimer.singleShot(SETTLE_MS + 37 * (len(self.freeze_ms) % 7), self._next_key)

    def _measure_playing(self) -> None:
        self._window.press(Key.SEEK_TO, 1.0)
        self._window.panel.rest()
        QTimer.singleShot(1500, self._begin)

    def _begin(self) -> None:
        model = self._window.model
        self._from = (time.perf_counter(), time.process_time(), self.painted, model.dropped)
        QTimer.singleShot(round(self._seconds * 1000), self._end)

    def _end(self) -> None:
        wall, cpu, painted, dropped = self._from
        model = self._window.model
        passed = time.perf_counter() - wall
        shown = self.painted - painted
        self.figures = {
            "key_to_frozen_p50_ms": round(statistics.median(self.freeze_ms), 1),
            "key_to_frozen_p95_ms": round(_p95(self.freeze_ms), 1),
            "key_to_frozen_max_ms": round(max(self.freeze_ms), 1),
            "extra_frames_max": max(self.extra_frames),
            "cpu_one_core_percent": round((time.process_time() - cpu) / passed * 100, 1),
            "frames_per_s": round(shown / passed, 2),
            "dropped": model.dropped - dropped,
            **_memory(),
        }
        self._window.close()
        QApplication.quit()


def _p95(values: list[float]) -> float:
    return sorted(values)[max(0, round(len(values) * 0.95) - 1)]


def _memory() -> dict[str, int]:
    """Tell RSS and PSS of this process in MB, where the system says."""
    found: dict[str, int] = {}
    rollup = Path("/proc/self/smaps_rollup")
    if rollup.exists():
        for line in rollup.read_text(encoding="ascii").splitlines():
            for name in ("Rss", "Pss"):
                if line.startswith(f"{name}:"):
                    found[f"{name.lower()}_mb"] = round(int(line.split()[1]) / 1024)
    return found


def test_video(folder: Path, seconds: int = 60) -> Path:
    """Make a 720p25 clip with ffmpeg (H.264 1.5 Mbit/s, GOP 2 s, AAC)."""
    program = shutil.which("ffmpeg")
    if program is None:
        raise SystemExit("ffmpeg is not here: give a file with --video")
    target = folder / "bench.mp4"
    source = f"testsrc2=size=1280x720:rate=25:duration={seconds}"
    sound = f"sine=frequency=440:duration={seconds}"
    command = [
        program,
        "-v",
        "error",
        "-y",
        "-f",
        "lavfi",
        "-i",
        source,
        "-f",
        "lavfi",
        "-i",
        sound,
    ]
    coding = "-c:v libx264 -preset veryfast -b:v 1500k -g 50 -pix_fmt yuv420p -c:a aac -shortest"
    subprocess.run([*command, *coding.split(), str(target)], check=True)  # noqa: S603 - our own words
    return target


def bench_plan(video: Path, seconds: float) -> SittingPlan:
    """Make a class of one video in one step."""
    part = PartView(
        id=PartId("bench"),
        role=Role.VIDEO,
        title="bench",
        label="",
        format="mp4",
        size_bytes=video.stat().st_size,
        duration_s=seconds,
        pages=0,
        period=0,
        state=PartState.PRESENT,
        decodes=Decodes.YES,
        path=video,
    )
    row = LessonRow(
        id=LessonId("bench"),
        title="bench",
        kind=LessonKind.FOLDER,
        place=Placement(),
        unit="",
        provider="",
        state=LessonState.READY,
    )
    detail = LessonDetail(row=row, light=Light.READY, book=None, sections=(), parts=(part,))
    cue = Cue(ordinal=1, kind=CueKind.PLAY, title="cue.lead_in", prompt="prompt.lead_in", at_s=0.0)
    track = TrackPlan(class_id=ClassId("c1"), class_name="", lesson=detail)
    return SittingPlan(tracks=(replace(track, cues=(cue,)),))


def run(video: Path, *, keys: int, seconds: float, scale: int = 100) -> dict[str, object]:
    """Measure on the screens that are there; give the document of `bench`."""
    app = QApplication.instance() or QApplication([])
    clock = SystemClock()
    context = UiContext(Words("zh_CN"), clock)
    if scale != context.appearance.scale:
        context.change(scale=scale)
    context.apply()
    recorder: Recorder = Unrecorded()
    service = SittingService(recorder, VlcPlayer, clock)
    screens = Screens()
    plan = bench_plan(video, 60.0)
    window = ClassroomWindow(
        context, partial(service.start, plan), lambda _how: None, screens=screens
    )
    bench = Bench(window, keys, seconds)
    window.open()
    bench.start()
    app.exec()
    layout = "two" if screens.projector is not None else "mirrored"
    return {
        "bench": "stage",
        "machine": {"cores": os.cpu_count(), "platform": QGuiApplication.platformName()},
        "parameters": {"layout": layout, "keys": keys, "seconds": seconds, "video": "720p25"},
        "figures": bench.figures,
    }


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--video", type=Path)
    parser.add_argument("--keys", type=int, default=24)
    parser.add_argument("--seconds", type=float, default=10.0)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        video = chosen.video or test_video(Path(folder))
        document = run(video, keys=chosen.keys, seconds=chosen.seconds)
    sys.stdout.write(json.dumps(document) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
