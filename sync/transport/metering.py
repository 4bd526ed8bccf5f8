"""What the system says of the present connection: whether it costs by the byte.

    Linux      NetworkManager's property `Metered`, over the system bus (`busctl`)
    elsewhere  nobody is asked, and the room's own settings hold

Invariants:
  ME1  Where nobody answers within two seconds, or answers anything else, nothing is known.
"""

import shutil
import subprocess
from collections.abc import Callable
from typing import Final

from client.domain.metering import Metering

Ask = Callable[[], Metering]
"""Tells what the system says. Blocks for two seconds at most; raises nothing."""

_WAIT_S: Final = 2.0
_NAME: Final = "org.freedesktop.NetworkManager"
_QUESTION: Final = ("get-property", _NAME, "/org/freedesktop/NetworkManager", _NAME, "Metered")
_SAID: Final = {
    "u 1": Metering.METERED,
    "u 2": Metering.FREE,
    # Guessed by the kind of the network: a phone that is shared says so.
    "u 3": Metering.METERED,
    "u 4": Metering.FREE,
}


def unknown() -> Metering:
    """Know nothing: an `Ask`."""
    return Metering.UNKNOWN


def ask_system(bus: str = "--system") -> Metering:
    """Ask NetworkManager (ME1): an `Ask`.

    Args:
        bus: Which D-Bus, as an option of `busctl`.
    """
    program = shutil.which("busctl")
    if program is None:
        return Metering.UNKNOWN
    command = [program, bus, "--auto-start=no", f"--timeout={_WAIT_S:.0f}", *_QUESTION]
    try:
        told = subprocess.run(  # noqa: S603 - the system's own program
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_WAIT_S,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return Metering.UNKNOWN
    return _SAID.get(told.stdout.strip(), Metering.UNKNOWN)
