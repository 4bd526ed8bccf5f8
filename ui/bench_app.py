"""Runs the app as a process of its own, for benches: starts it, hears its moments, asks its size.

The display is the one there is; where there is none, a virtual one is started for the bench.
"""

import contextlib
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from client.domain.clock import SystemClock
from client.domain.errors import UserError
from client.service.paths import ROOT
from ui.base.timing import VARIABLE

PATIENCE_S: Final = 60.0
_KB_PER_MB: Final = 1024
_MORNING_MIN: Final = 9 * 60 + 30
_SCREEN: Final = "1920x1080x24"


class App:
    """One life of the app on a profile. Moments are seconds since the process was started."""

    def __init__(self, profile: Path, *, is_one_core: bool = False) -> None:
        self._profile = profile
        self._is_one_core = is_one_core
        self._moments: dict[str, float] = {}
        self._told: queue.SimpleQueue[tuple[str, float] | None] = queue.SimpleQueue()

    def __enter__(self) -> Self:
        """Start the process."""
        before = prefix() if self._is_one_core else []
        self._begun_s = time.monotonic()
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            [*before, sys.executable, str(ROOT / "main.py"), "--profile", str(self._profile)],
            env=_environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Pull the plug."""
        self.kill()

    def kill(self) -> None:
        """End the process as a power cut would. Idempotent."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        self._reader.join()

    def moment(self, name: str) -> float:
        """Wait for a moment; seconds from starting the process until then.

        Raises:
            UserError: `bench_app_died`: it ended, or the moment never came.
        """
        until = time.monotonic() + PATIENCE_S
        while name not in self._moments:
            left = max(0.0, until - time.monotonic())
            try:
                told = self._told.get(timeout=left)
            except queue.Empty:
                told = None
            if told is None:
                raise UserError("bench_app_died", {"what": name})
            self._moments[told[0]] = told[1] - self._begun_s
        return self._moments[name]

    def memory_mb(self, name: str = "Pss") -> float | None:
        """Tell `Pss` or `Rss`, None where the system does not say."""
        return memory_mb(self._process.pid, name)

    def cpu_s(self) -> float:
        """Tell how many seconds of a processor the process has used, 0.0 where nobody says."""
        status = Path(f"/proc/{self._process.pid}/stat")
        if not status.exists():
            return 0.0
        fields = status.read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _read(self) -> None:
        assert self._process.stderr is not None  # noqa: S101 - it was asked for
        with self._process.stderr as lines:
            for line in lines:
                words = line.split()
                if len(words) == 2 and words[1].replace(".", "").isdigit():  # noqa: PLR2004 - name, time
                    self._told.put((words[0], float(words[1])))
        self._told.put(None)


def _environment() -> dict[str, str]:
    """Give what the app runs in: sound to nowhere, and compiled code kept as anywhere else."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, VARIABLE: "1", "TONGKE_AOUT": "dummy", "TZ": _school_zone()}


def _school_zone() -> str:
    """Give a time zone in which it is the middle of the second period right now."""
    wall = SystemClock().wall()
    ahead = (_MORNING_MIN - wall.hour * 60 - wall.minute + 720) % 1440 - 720
    return f"SCH{'-' if ahead >= 0 else '+'}{abs(ahead) // 60:02}:{abs(ahead) % 60:02}"


def memory_mb(process: int, name: str = "Pss") -> float | None:
    """Tell how much memory a process takes up, None where the system does not say."""
    rollup = Path(f"/proc/{process}/smaps_rollup")
    if not rollup.exists():
        return None
    for line in rollup.read_text(encoding="ascii").splitlines():
        if line.startswith(f"{name}:"):
            return round(int(line.split()[1]) / _KB_PER_MB, 1)
    return None


def prefix() -> list[str]:
    """Give what keeps a command on one processor."""
    program = shutil.which("taskset")
    if program is None:
        raise UserError("bench_lacks", {"what": "taskset"})
    return [program, "-c", "0"]


@contextlib.contextmanager
def display() -> Iterator[str]:
    """Use the display there is, else start a virtual one; gives how it is named.

    Raises:
        UserError: `bench_lacks`: there is neither.
    """
    here = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if here or sys.platform != "linux":
        yield here or sys.platform
        return
    program = shutil.which("Xvfb")
    if program is None:
        raise UserError("bench_lacks", {"what": "Xvfb"})
    with contextlib.ExitStack() as ends:
        number = _start_display(program, ends)
        os.environ["DISPLAY"] = number
        ends.callback(os.environ.pop, "DISPLAY", None)
        asked = os.environ.pop("QT_QPA_PLATFORM", None)
        if asked is not None:
            ends.callback(os.environ.__setitem__, "QT_QPA_PLATFORM", asked)
        manager = shutil.which("openbox")
        if manager is not None:
            _start([manager, "--sm-disable"], ends)
        yield f"Xvfb {_SCREEN}"


def _start_display(program: str, ends: contextlib.ExitStack) -> str:
    reading, writing = os.pipe()
    words = ["-displayfd", str(writing), "-screen", "0", _SCREEN, "-noreset", "-nolisten", "tcp"]
    _start([program, *words], ends, (writing,))
    os.close(writing)
    with os.fdopen(reading) as answer:
        number = answer.readline().strip()
    if not number:
        raise UserError("bench_lacks", {"what": "Xvfb"})
    return f":{number}"


def _start(command: list[str], ends: contextlib.ExitStack, handed: tuple[int, ...] = ()) -> None:
    process = subprocess.Popen(  # noqa: S603 - found by its name on this machine
        command, pass_fds=handed, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    ends.callback(process.wait)
    ends.callback(process.terminate)
