"""Drives the real program as a teacher does: a process, key presses, and what the screen shows.

Nothing here reaches into the program: keys go through the X server, pictures come from it, facts
come from the command line.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from PIL import Image, ImageGrab, ImageStat

ROOT: Final = Path(__file__).resolve().parents[1]
PATIENCE_S: Final = 60.0


def school_zone(hour: int, minute: int) -> str:
    """A POSIX time zone in which it is this time of the day right now."""
    now = datetime.now(UTC)
    ahead = (hour * 60 + minute) - (now.hour * 60 + now.minute)
    ahead = (ahead + 720) % 1440 - 720
    sign, most = ("-" if ahead >= 0 else "+"), abs(ahead)
    return f"SCH{sign}{most // 60:02}:{most % 60:02}"


class Desk:
    """One profile, one screen, one time zone."""

    def __init__(self, profile: Path, display: str, zone: str) -> None:
        self.profile, self.display = profile, display
        self.environment = dict(
            os.environ,
            DISPLAY=display,
            QT_QPA_PLATFORM="xcb",
            TZ=zone,
            TONGKE_AOUT="dummy",
            PYTHONWARNINGS="ignore",
        )
        self.process: subprocess.Popen[bytes] | None = None

    # --- the command line --------------------------------------------------------------

    def tell(self, *arguments: str) -> Any:
        """Run one command and give its JSON; it must succeed."""
        code, answer = self.ask(*arguments)
        assert code == 0, (arguments, answer)
        return answer

    def ask(self, *arguments: str) -> tuple[int, Any]:
        """Run one command and give exit code and JSON."""
        done = subprocess.run(
            [sys.executable, str(ROOT / "main.py"), "--profile", str(self.profile), "--json",
             *arguments],
            env=self.environment, capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
        assert done.stdout, done.stderr
        return done.returncode, json.loads(done.stdout)

    def weekday(self) -> str:
        """The day of the week at the school, 1 to 7."""
        done = subprocess.run(
            ["date", "+%u"], env=self.environment, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    # --- the app ------------------------------------------------------------------------

    @contextmanager
    def app(self, *options: str) -> Iterator[None]:
        """Run the app; it is killed at the end if it still runs."""
        self.start(*options)
        try:
            yield
        finally:
            self.kill()

    def start(self, *options: str) -> None:
        """Start the app and wait for its window."""
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "main.py"), "--profile", str(self.profile), *options],
            env=self.environment,
            stdout=subprocess.DEVNULL,
        )
        self.wait_for(lambda: bool(self.windows()))

    def kill(self) -> None:
        """Pull the plug: kill -9."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(30)
            self.process = None

    def windows(self) -> tuple[str, ...]:
        """Ids of the app's visible windows."""
        assert self.process is not None
        found = self._x("search", "--onlyvisible", "--pid", str(self.process.pid))
        return tuple(found.split())

    def keys(self, *names: str) -> None:
        """Press and release keys, as xdotool names them."""
        for name in names:
            self._x("key", "--clearmodifiers", name)

    def hold(self, name: str, seconds: float) -> None:
        """Hold a key down."""
        self._x("keydown", name)
        time.sleep(seconds)
        self._x("keyup", name)

    def type(self, text: str) -> None:
        """Type letters."""
        self._x("type", "--delay", "20", text)

    def grab(self) -> Image.Image:
        """Take a picture of the whole screen."""
        return ImageGrab.grab(xdisplay=self.display).convert("RGB")

    def save(self, folder: Path | None, name: str) -> None:
        """Keep a picture for people to look at."""
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            self.grab().save(folder / f"{name}.png")

    def wait_for(self, holds: Callable[[], bool], what: str = "") -> None:
        """Wait until something holds; the app must be alive meanwhile."""
        until = time.monotonic() + PATIENCE_S
        while not holds():
            assert self.process is None or self.process.poll() is None, "the app died"
            assert time.monotonic() < until, f"it never happened: {what}"
            time.sleep(0.1)

    def wait_until_still(self) -> None:
        """Wait until the screen has stopped changing (clocks of one minute do not count)."""
        last, since = self.grab().tobytes(), time.monotonic()
        until = since + PATIENCE_S
        while time.monotonic() - since < 1.0:
            time.sleep(0.2)
            now = self.grab().tobytes()
            if now != last:
                last, since = now, time.monotonic()
            assert time.monotonic() < until, "the screen never came to rest"

    def _x(self, *arguments: str) -> str:
        done = subprocess.run(
            ["xdotool", *arguments], env=self.environment, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        return done.stdout


class Film:
    """A video file as small grey pictures, to find which second a screen shows.

    `upper` is the share of the picture's height that is compared: 0.6 looks past the panel that
    covers the lower third of a mirrored stage.
    """

    SIZE: Final = (96, 54)
    RATE: Final = 5

    def __init__(self, path: Path, upper: float = 1.0) -> None:
        width, height = self.SIZE
        self._compared = width * round(height * upper)
        done = subprocess.run(
            ["ffmpeg", "-v", "error", "-i", str(path), "-vf",
             f"fps={self.RATE},scale={width}:{height}", "-pix_fmt", "gray", "-f", "rawvideo", "-"],
            capture_output=True, check=True,
        )  # fmt: skip
        step = width * height
        self._frames = [
            done.stdout[at : at + self._compared]
            for at in range(0, len(done.stdout) - step + 1, step)
        ]

    def second_on(self, stage: Image.Image) -> float | None:
        """Media time of the picture on a stage grab, None when it shows something else."""
        shown = self._shrunk(stage)
        score, best = min(
            (sum(abs(a - b) for a, b in zip(shown, frame, strict=True)), number)
            for number, frame in enumerate(self._frames)
        )
        return best / self.RATE if score / self._compared < 12 else None

    def _shrunk(self, stage: Image.Image) -> bytes:
        """Cut the letter box away and shrink."""
        width, height = stage.size
        wanted = min(width / 16, height / 9)
        w, h = round(wanted * 16), round(wanted * 9)
        left, top = (width - w) // 2, (height - h) // 2
        film = stage.crop((left, top, left + w, top + h)).convert("L")
        return film.resize(self.SIZE, Image.Resampling.BOX).tobytes()[: self._compared]


def is_black(picture: Image.Image) -> bool:
    """Tell whether nothing is shown."""
    return max(ImageStat.Stat(picture.convert("L")).extrema[0]) < 8


def crop(picture: Image.Image, box: Sequence[int]) -> Image.Image:
    """Cut (x, y, width, height) out of a picture."""
    x, y, width, height = box
    return picture.crop((x, y, x + width, y + height))
