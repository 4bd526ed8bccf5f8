"""Does a file decode on this machine? The question behind every green light (P9).

A hostile or broken file may take a decoder down, so the question is put in a process of its own
(`python -m client.media.probe FILE`), which has a time limit and answers with one line of JSON.

Invariants:
  B1  `decodes` is YES only after three pictures (or, without a picture, sound) came out.
  B2  Whatever the file does, `probe` returns within `LIMIT_S` and the program lives on.
"""

import json
import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from client.domain.availability import Decodes
from client.domain.errors import PlayerError
from client.media.port import Frame, Player, PlayerState

LIMIT_S: Final = 20.0
PICTURES: Final = 3
_SOUND_S: Final = 0.2
_PLAY_S: Final = 8.0
_ROOT: Final = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeResult:
    """What the probe found. `reason` is a message code, empty when it decodes."""

    decodes: Decodes
    duration_s: float = 0.0
    width: int = 0
    height: int = 0
    reason: str = ""


def decodes(path: Path) -> Decodes:
    """Tell whether a video or sound decodes here. Blocking, up to `LIMIT_S`."""
    return probe(path).decodes


def probe(path: Path) -> ProbeResult:
    """Try a file in a process of its own (B2). Blocking."""
    command = [sys.executable, "-m", "client.media.probe", str(path)]
    try:
        done = subprocess.run(  # noqa: S603 - our own program, no shell
            command, cwd=_ROOT, capture_output=True, text=True, timeout=LIMIT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return ProbeResult(decodes=Decodes.NO, reason="probe_timed_out")
    except OSError:
        return ProbeResult(decodes=Decodes.UNKNOWN, reason="probe_failed")
    lines = done.stdout.strip().splitlines()
    if done.returncode != 0 or not lines:
        return ProbeResult(decodes=Decodes.NO, reason="probe_crashed")
    fields = json.loads(lines[-1])
    return ProbeResult(**{**fields, "decodes": Decodes(fields["decodes"])})


def probe_with(player: Player, path: Path) -> ProbeResult:
    """Try a file with a player and free it."""
    enough = threading.Event()
    seen: set[int] = set()

    def on_frame(frame: Frame) -> None:
        seen.add(frame.serial)
        if len(seen) >= PICTURES:
            enough.set()

    def on_state(state: PlayerState) -> None:
        if state in (PlayerState.ENDED, PlayerState.FAILED):
            enough.set()

    try:
        player.on_frame(on_frame)
        facts = player.open(path)
        player.on_state(on_state)
        player.play()
        enough.wait(_PLAY_S if facts.has_video else _SOUND_S * 5)
        heard = not facts.has_video and player.position_s >= _SOUND_S
        is_good = len(seen) >= PICTURES or heard or _is_short(player, seen)
    except PlayerError as error:
        return ProbeResult(decodes=Decodes.NO, reason=error.code)
    finally:
        player.close()
    return ProbeResult(
        decodes=Decodes.YES if is_good else Decodes.NO,
        duration_s=facts.duration_s,
        width=facts.width,
        height=facts.height,
        reason="" if is_good else "no_pictures",
    )


def _is_short(player: Player, seen: set[int]) -> bool:
    """Tell whether a film of one or two pictures came to its end: that decodes too."""
    return bool(seen) and player.state is PlayerState.ENDED


def main(arguments: list[str]) -> int:
    """Probe one file and print what was found."""
    from client.media.vlc_player import VlcPlayer  # noqa: PLC0415 - heavy

    try:
        found = probe_with(VlcPlayer(), Path(arguments[0]))
    except PlayerError as error:
        found = ProbeResult(decodes=Decodes.NO, reason=error.code)
    fields = {
        "decodes": found.decodes.value,
        "duration_s": found.duration_s,
        "width": found.width,
        "height": found.height,
        "reason": found.reason,
    }
    sys.stdout.write(json.dumps(fields) + "\n")
    return 0


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    # libvlc's threads outlive the player; taking the interpreter down under them may crash.
    os._exit(code)
