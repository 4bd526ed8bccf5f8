"""A virtual X screen with a window manager, for tests that open real windows."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress

NEEDED = ("Xvfb", "openbox")


def missing_programs() -> tuple[str, ...]:
    """List what this machine lacks for a virtual screen."""
    return tuple(name for name in NEEDED if shutil.which(name) is None)


@contextmanager
def virtual_display(size: str = "3200x1080x24") -> Iterator[str]:
    """Start a screen of its own and give its name (`:7`); what `xrandr` sets on it stays."""
    reading, writing = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", size, "-noreset", "-nolisten", "tcp"],
        pass_fds=(writing,),
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    with os.fdopen(reading) as answer:
        number = answer.readline().strip()
    manager: subprocess.Popen[bytes] | None = None
    try:
        if not number:
            raise RuntimeError("Xvfb did not start")
        name = f":{number}"
        manager = subprocess.Popen(
            ["openbox", "--sm-disable"],
            env={**os.environ, "DISPLAY": name},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        yield name
    finally:
        for process in (manager, server):
            if process is not None:
                process.terminate()
                with suppress(subprocess.TimeoutExpired):
                    process.wait(10)
