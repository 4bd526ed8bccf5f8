"""Loading libvlc once, lazily, with options every version of it accepts.

Invariants:
  L1  Importing this module loads nothing; a machine without VLC gets `PlayerError`, never an
      import error.
  L2  Without a sound device the dummy output is chosen: libvlc would flood stderr otherwise.
"""

import os
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from client.domain.errors import PlayerError

AOUT_VARIABLE: Final = "TONGKE_AOUT"
"""Overrides the sound output, e.g. `dummy`, `pulse`, `alsa`."""

# Hardware decoding is off: three format callbacks instead of one, and drivers of old machines.
_OPTIONS: Final = (
    "--quiet",
    "--no-xlib",
    "--no-video-title-show",
    "--avcodec-hw=none",
    "--no-sub-autodetect-file",
    "--no-snapshot-preview",
    "--no-osd",
)

_guard: Final = threading.Lock()
_instances: Final[dict[str, Any]] = {}


def bindings() -> Any:  # noqa: ANN401 - the binding has no types
    """Return the `vlc` module.

    Raises:
        PlayerError: VLC is not on this machine.
    """
    try:
        import vlc  # noqa: PLC0415 - 30 ms and 10 MB that start-up need not pay
    except (ImportError, OSError, AttributeError, NameError, SystemExit) as error:
        # The binding leaves by `sys.exit` when a path it was given does not exist.
        raise PlayerError("player_missing") from error
    return vlc


def instance() -> Any:  # noqa: ANN401 - the binding has no types
    """Return the shared libvlc instance; it lives as long as the process.

    Raises:
        PlayerError: VLC is missing or refuses to start.
    """
    aout = choose_aout(os.environ, sys.platform, has_sound_card=has_sound_card())
    with _guard:
        if aout not in _instances:
            options = [*_OPTIONS, *([f"--aout={aout}"] if aout else [])]
            made = bindings().Instance(options)
            if made is None:
                raise PlayerError("player_missing")
            _instances[aout] = made
        return _instances[aout]


def choose_aout(environ: Mapping[str, str], platform: str, *, has_sound_card: bool) -> str:
    """Choose the sound output; an empty answer leaves it to libvlc.

    | override | system    | a card or sound server | output   |
    |----------|-----------|------------------------|----------|
    | set      | any       | any                    | override |
    | -        | not Linux | any                    | libvlc's |
    | -        | Linux     | yes                    | libvlc's |
    | -        | Linux     | no                     | dummy    |
    """
    override = environ.get(AOUT_VARIABLE, "")
    if override:
        return override
    if platform != "linux" or has_sound_card or environ.get("PULSE_SERVER"):
        return ""
    return "dummy"


def has_sound_card(cards: Path = Path("/proc/asound/cards"), run: Path | None = None) -> bool:
    """Tell whether Linux lists a sound card or a sound server's socket stands ready."""
    folder = run or Path(os.environ.get("XDG_RUNTIME_DIR", "/nonexistent"))
    if (folder / "pulse" / "native").exists():
        return True
    try:
        listed = cards.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return any(line.strip()[:1].isdigit() for line in listed.splitlines())
