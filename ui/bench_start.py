"""Benches of the running app: `start`, `resume` and `memory` (DESIGN §4 and §5).

Each starts the real program as a process on a school of full size, presses real keys through the
X server and looks at real pictures. The films carry a number in every frame; who makes and
reads them lives with the tests, so these benches run from a checkout only.
"""

import importlib
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from PySide6.QtGui import QGuiApplication, QImage

from client.domain.cancel import CancelToken
from client.domain.errors import UserError
from client.service.bench_room import QUICK, bench_room, forget_classes
from ui.base.timing import FIRST_PAINT, PICTURE, USABLE
from ui.bench_app import App, display
from ui.bench_keys import XKeys

RUNS: Final = 7
QUICK_RUNS: Final = 3
FILM_S: Final = 60
TAUGHT_S: Final = 8.0
_RATE: Final = 25
_SEARCHES: Final = 50
_TYPED: Final = (
    *"yw",
    "BackSpace",
    *"uw",
    "BackSpace",
    "BackSpace",
    "BackSpace",
    *"sx",
    "BackSpace",
)
_PATIENCE_S: Final = 30.0

Log = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """How a bench is to run."""

    is_quick: bool = False
    is_one_core: bool = False
    before: Callable[[], None] = lambda: None
    """Run before each start; drops the page cache for `--cold`."""
    log: Log = lambda _: None

    @property
    def runs(self) -> int:
        """How often something is started."""
        return QUICK_RUNS if self.is_quick else RUNS


def start(how: How) -> dict[str, object]:
    """Measure from starting the process to the first paint and to 今天 with its data."""
    with display():
        profile = _school(how)
        with App(profile) as app:  # compiles, and fills the file cache
            app.moment(USABLE)
        lives = [_start_once(profile, how) for _ in range(how.runs)]
    first, usable, cpu, pss = zip(*lives, strict=True)
    return {
        "first_paint_s": round(statistics.median(first), 3),
        "usable_s": round(statistics.median(usable), 3),
        "usable_worst_s": round(max(usable), 3),
        "cpu_s": round(statistics.median(cpu), 3),
        "pss_mb": max(pss),
    }


def _start_once(profile: Path, how: How) -> tuple[float, float, float, float]:
    how.before()
    with App(profile, is_one_core=how.is_one_core) as app:
        first, usable = app.moment(FIRST_PAINT), app.moment(USABLE)
        cpu_s = app.cpu_s()
        CancelToken().sleep(2.0)  # the link has come up meanwhile
        return first, usable, cpu_s, app.memory_mb() or 0.0


def resume(how: How) -> dict[str, object]:
    """Measure from starting after a power cut in class to the picture at the right second."""
    with display() as name:
        profile = _school(how)
        eye = _Eye()
        lives = [_resume_once(profile, how, eye) for _ in range(how.runs)]
    seconds, errors = zip(*lives, strict=True)
    return {
        "seconds": round(statistics.median(seconds), 2),
        "seconds_worst": round(max(seconds), 2),
        "position_error_s": round(max(errors), 2),
        "display": name,
    }


def _resume_once(profile: Path, how: How, eye: "_Eye") -> tuple[float, float]:
    keys = XKeys()
    with App(profile) as app:
        app.moment(USABLE)
        eye.wait_still()
        keys.press("Return")
        app.moment(PICTURE)
        begun = eye.wait_second(0.0)
        keys.press("space")
        before = eye.wait_second(begun + TAUGHT_S)
    how.before()
    with App(profile, is_one_core=how.is_one_core) as app:
        app.moment(USABLE)
        keys.press("Return")
        seconds = app.moment(PICTURE)
        after = eye.wait_second(0.0)
    forget_classes(profile)
    how.log(f"{seconds:.2f} s, {before:.2f} -> {after:.2f}")
    return seconds, abs(after - before)


def memory(how: How) -> dict[str, object]:
    """Measure PSS and RSS idle, teaching at two sizes of film, and after fifty searches."""
    figures: dict[str, object] = {}
    with display():
        keys, eye = XKeys(), _Eye()
        for name, height in (("720p", 720), ("1080p", 1080)):
            profile = _school(how, height)
            with App(profile) as app:
                app.moment(USABLE)
                eye.wait_still()
                figures.setdefault("idle", _sizes(app))
                keys.press("Return")
                app.moment(PICTURE)
                keys.press("space")
                CancelToken().sleep(3.0)
                figures[f"teaching_{name}"] = _sizes(app)
        profile = _school(how)
        with App(profile) as app:
            app.moment(USABLE)
            eye.wait_still()
            keys.press("Control_L", "k")
            for number in range(_SEARCHES):
                keys.press(_TYPED[number % len(_TYPED)])
                CancelToken().sleep(0.15)
            figures["after_searches"] = _sizes(app)
    return figures


def _sizes(app: App) -> dict[str, float | None]:
    return {"pss_mb": app.memory_mb("Pss"), "rss_mb": app.memory_mb("Rss")}


def _school(how: How, height: int = 720) -> Path:
    film = tests_media().clip(
        tests_media().ClipSpec(seconds=FILM_S, width=height * 16 // 9, height=height)
    )
    return bench_room(Path(film), QUICK if how.is_quick or height != 720 else None, how.log)  # noqa: PLR2004 - the usual one


def tests_media() -> Any:  # noqa: ANN401 - a module of the tests
    """Give what makes films and reads their numbers."""
    try:
        return importlib.import_module("tests.media")
    except ImportError as error:
        raise UserError("bench_needs_checkout") from error


class _Eye:
    """Looks at the screen."""

    def __init__(self) -> None:
        known = QGuiApplication.instance()
        self._app = known if known is not None else QGuiApplication([])

    def grab(self) -> QImage:
        """Take a picture of the whole screen."""
        screen = QGuiApplication.primaryScreen()
        return screen.grabWindow(0).toImage().convertToFormat(QImage.Format.Format_RGB32)

    def second(self) -> float | None:
        """Read which second of the film fills the screen, None when it does not."""
        image = self.grab()
        frame = tests_media().read_counter(
            image.constBits(), image.width(), image.height(), image.bytesPerLine()
        )
        return None if frame is None else frame / _RATE

    def wait_second(self, least: float) -> float:
        """Wait until the screen shows at least this second; gives it."""
        until = time.monotonic() + _PATIENCE_S + least
        while time.monotonic() < until:
            second = self.second()
            if second is not None and second >= least:
                return second
            CancelToken().sleep(0.05)
        raise UserError("bench_app_died", {"what": f"{least:.0f} s"})

    def wait_still(self) -> None:
        """Wait until the screen has not changed for half a second."""
        last, since = self.grab(), time.monotonic()
        while time.monotonic() - since < 0.5:  # noqa: PLR2004 - half a second
            CancelToken().sleep(0.1)
            now = self.grab()
            if now != last:
                last, since = now, time.monotonic()


def cores() -> int:
    """Tell how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
