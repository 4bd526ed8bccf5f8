"""A transport stream as an MP4 file that phones play: the same pictures in another wrapping.

Phones and browsers play no `.ts`. libvlc repacks one without decoding it, in a second or two.

Invariants:
  RX1  It happens in a process of its own: a stream that crashes or hangs libvlc costs only that.
  RX2  A result counts only if it decodes and is as long as what it was made from; else there is
       none, and nothing is left behind.
"""

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Final

from client.domain.availability import Decodes
from client.domain.errors import PlayerError
from client.media.probe import ProbeResult, probe

PATIENCE_S: Final = 600.0
_SHORTER_S: Final = 2.0
"""Libvlc leaves out the pictures that wait for others at the very end."""
_ROOT: Final = Path(__file__).resolve().parents[2]


def remux(source: Path, target: Path) -> bool:
    """Write the film of `source` to `target` as MP4. Blocks for seconds; from any thread.

    Returns:
        Whether `target` is there and plays (RX2).
    """
    made = _in_another_process(source.absolute(), target.absolute())
    if made and _is_as_good(probe(source), probe(target)):
        return True
    target.unlink(missing_ok=True)
    return False


def _is_as_good(source: ProbeResult, made: ProbeResult) -> bool:
    return made.decodes is Decodes.YES and made.duration_s >= source.duration_s - _SHORTER_S


def _in_another_process(source: Path, target: Path) -> bool:
    if getattr(sys, "frozen", False):  # a bundled program has no interpreter to start
        return False
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", "client.media.remux", str(source), target.name],
            cwd=target.parent,
            env={**os.environ, "TONGKE_AOUT": "dummy", "PYTHONPATH": str(_ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=PATIENCE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 and target.is_file()


# --- in the process that repacks -------------------------------------------------------------


def main(arguments: list[str]) -> int:
    """Repack a file; the target is a plain name in the folder this process runs in."""
    from client.media import vlc_library  # noqa: PLC0415 - only in the process that repacks

    try:
        vlc, instance = vlc_library.bindings(), vlc_library.instance()
    except PlayerError:
        return 1
    return 0 if _run(vlc, instance, *arguments) else 1


def _run(vlc: Any, instance: Any, source: str, name: str) -> bool:  # noqa: ANN401 - untyped binding
    media = instance.media_new_path(source)
    media.add_option(f":sout=#std{{access=file,mux=mp4,dst={name}}}")
    media.add_option(":sout-all")
    player = instance.media_player_new()
    over, failed = threading.Event(), threading.Event()
    events = player.event_manager()
    events.event_attach(vlc.EventType.MediaPlayerEndReached, lambda _event: over.set())

    def fail(_event: object) -> None:
        failed.set()
        over.set()

    events.event_attach(vlc.EventType.MediaPlayerEncounteredError, fail)
    player.set_media(media)
    player.play()
    over.wait(PATIENCE_S)
    player.stop()  # writes the tables of the file
    return not failed.is_set()


if __name__ == "__main__":
    code = main(sys.argv[1:])
    # libvlc's threads must not meet an interpreter that is going away.
    os._exit(code)
