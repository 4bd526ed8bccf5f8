"""Does a file decode on this machine? Asked of a process of its own.

Media files come from everywhere; a decoder that crashes or hangs on one must take only the
probe with it.

Invariants:
  P1  Green needs pictures: a film decodes only when `_PICTURES` of them came out of the decoder,
      sound only when samples did.
  P2  Whatever the file holds, the answer comes within `PATIENCE_S`, and this process lives.
  P3  A machine that cannot tell (no player, too slow) says UNKNOWN, never NO.
"""

import json
import os
import subprocess
import sys
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from client.domain.availability import Decodes
from client.domain.errors import PlayerError
from client.media.pictures import picture_size

PATIENCE_S: Final = 15.0
_LOOK_S: Final = 10.0
_PICTURES: Final = 3
_SMALL: Final = (320, 180)
_HEAD_BYTES: Final = 512 * 1024
_PDF_WITHIN: Final = 1024
_MEMORY_BYTES: Final = 2 << 30
_ROOT: Final = Path(__file__).resolve().parents[2]
_UNSURE: Final = frozenset({"player_missing", "probe_slow"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeResult:
    """What was found. `reason` is a message code, empty when the file decodes."""

    decodes: Decodes
    duration_s: float = 0.0
    width: int = 0
    height: int = 0
    reason: str = ""


def decodes(path: Path) -> Decodes:
    """Tell whether a file decodes here; see `probe`."""
    return probe(path).decodes


def probe(path: Path) -> ProbeResult:
    """Look at a file: films and sound in a process of its own, the rest by their header.

    Blocks up to `PATIENCE_S`, usually half a second. From any thread.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError:
        return _refused("media_missing")
    still = _still(head)
    if still is not None:
        return still
    # A bundled program has no interpreter to start: it looks by itself.
    return look(path) if getattr(sys, "frozen", False) else ask("client.media.probe", path)


def _still(head: bytes) -> ProbeResult | None:
    if b"%PDF-" in head[:_PDF_WITHIN]:
        return ProbeResult(decodes=Decodes.YES)
    size = picture_size(head)
    if size is None:
        return None
    return ProbeResult(decodes=Decodes.YES, width=size[0], height=size[1])


def ask(module: str, path: Path) -> ProbeResult:
    """Let another process look: `python -m module path` prints what `answer` makes."""
    environment = {**os.environ, "TONGKE_AOUT": "dummy"}
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", module, str(path.absolute())],
            cwd=_ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=PATIENCE_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return _refused("probe_slow")
    except OSError:
        return _refused("player_missing")
    return _parse(done.stdout) if done.returncode == 0 else _refused("probe_crashed")


def _parse(answer: bytes) -> ProbeResult:
    try:
        told = json.loads(answer)
        return ProbeResult(
            decodes=Decodes(told["decodes"]),
            duration_s=float(told["duration_s"]),
            width=int(told["width"]),
            height=int(told["height"]),
            reason=str(told["reason"]),
        )
    except (ValueError, KeyError, TypeError):
        return _refused("probe_crashed")


def _refused(reason: str) -> ProbeResult:
    found = Decodes.UNKNOWN if reason in _UNSURE else Decodes.NO
    return ProbeResult(decodes=found, reason=reason)


# --- in the process that looks ---------------------------------------------------------------


def look(path: Path) -> ProbeResult:
    """Decode the first pictures or samples in this very process."""
    from client.media import vlc_library  # noqa: PLC0415 - only in the process that looks
    from client.media.vlc_media import open_media  # noqa: PLC0415 - see above

    try:
        vlc, instance = vlc_library.bindings(), vlc_library.instance()
        media = open_media(vlc, instance, path)
    except PlayerError as error:
        return _refused(error.code)
    facts = media.facts
    has_come = _decode(vlc, instance, media, has_video=facts.has_video)
    return ProbeResult(
        decodes=Decodes.YES if has_come else Decodes.NO,
        duration_s=round(facts.duration_s, 3),
        width=facts.width,
        height=facts.height,
        reason="" if has_come else "media_unplayable",
    )


def _decode(vlc: Any, instance: Any, media: Any, *, has_video: bool) -> bool:  # noqa: ANN401 - untyped binding
    """Play until enough came out of the decoder; False when it ends or takes too long."""
    from client.media.frame_ring import FrameRing  # noqa: PLC0415 - only in the process that looks
    from client.media.vlc_video import VideoTap  # noqa: PLC0415 - see above

    enough, over = threading.Event(), threading.Event()
    seen: list[int] = []

    def shown(index: int) -> None:
        with guard:
            ring.give_back(index)
        seen.append(index)
        if len(seen) >= _PICTURES:
            enough.set()
            over.set()

    guard = threading.Lock()
    ring = FrameRing(_SMALL)
    player = instance.media_player_new()
    tap = VideoTap(ring, guard, shown)
    tap.visible = (media.facts.width, media.facts.height)
    tap.attach(vlc, player)
    events = player.event_manager()
    for kind in (vlc.EventType.MediaPlayerEndReached, vlc.EventType.MediaPlayerEncounteredError):
        events.event_attach(kind, lambda _event: over.set())
    if not has_video:
        events.event_attach(vlc.EventType.MediaPlayerTimeChanged, lambda _event: over.set())
    player.set_media(media.handle)
    player.play()
    over.wait(_LOOK_S)
    stats = vlc.MediaStats()
    media.handle.get_stats(stats)
    sounded = int(stats.decoded_audio) > 0
    player.stop()
    if not has_video:
        return sounded
    # A film of one or two pictures ends before the third.
    is_brief = media.facts.duration_s * (media.facts.frame_rate or 25.0) < _PICTURES
    return enough.is_set() or (is_brief and bool(seen))


def main(arguments: list[str]) -> int:
    """Look at one file and print what was found as JSON."""
    _limit_memory()
    answer(look(Path(arguments[0])))
    return 0


def answer(found: ProbeResult) -> None:
    """Print what was found for the process that asked."""
    sys.stdout.write(json.dumps({**asdict(found), "decodes": found.decodes.value}))
    sys.stdout.flush()


def _limit_memory() -> None:
    """Bound what the decoder may ask for: a file may claim pictures of any size."""
    if sys.platform != "win32":
        import resource  # noqa: PLC0415 - not on every system

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))


if __name__ == "__main__":
    code = main(sys.argv[1:])
    # libvlc's threads must not meet an interpreter that is going away.
    os._exit(code)
