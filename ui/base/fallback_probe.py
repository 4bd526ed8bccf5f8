"""Whether a file decodes here, also on a machine without VLC.

Invariants:
  FP1  What plays and what is tried is the same decoder: Qt's is asked only where VLC is missing.
"""

import os
import sys
from pathlib import Path

from client.domain.availability import Decodes
from client.domain.errors import PlayerError
from client.media import probe
from client.media.probe import ProbeResult

_MISSING = "player_missing"


def decodes(path: Path) -> Decodes:
    """Tell whether a file decodes with the player this machine has. From any thread."""
    found = probe.probe(path)
    if found.reason == _MISSING and not getattr(sys, "frozen", False):
        found = probe.ask("ui.base.fallback_probe", path)
    return found.decodes


def look(path: Path) -> ProbeResult:
    """Open the file with Qt's player: that shows its first picture or fails."""
    from PySide6.QtGui import QGuiApplication  # noqa: PLC0415 - only in the process that looks

    from ui.base.fallback_player import FallbackPlayer  # noqa: PLC0415 - see above

    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    _application = QGuiApplication(sys.argv[:1])
    seen: list[int] = []
    player = FallbackPlayer()
    player.on_frame(lambda frame: seen.append(frame.serial))
    try:
        facts = player.open(path)
    except PlayerError as error:
        return ProbeResult(decodes=Decodes.NO, reason=error.code)
    has_come = bool(seen) or not facts.has_video
    return ProbeResult(
        decodes=Decodes.YES if has_come else Decodes.NO,
        duration_s=facts.duration_s,
        width=facts.width,
        height=facts.height,
        reason="" if has_come else "media_unplayable",
    )


if __name__ == "__main__":
    probe.answer(look(Path(sys.argv[1])))
    os._exit(0)
