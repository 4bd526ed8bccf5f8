"""Qt's own player where VLC is missing: from any thread, and tried by itself."""

import subprocess
import sys
import threading

import pytest

from client.domain.availability import Decodes
from client.domain.errors import PlayerError
from client.media.port import PlayerState
from tests.media import ClipSpec, clip, read_counter
from ui.base import fallback_player, fallback_probe

pytestmark = pytest.mark.no_qt_log
"""Qt's sound threads talk on after a test; Qt for Python calls a handler that was taken down."""
SPEC = ClipSpec(kind="ts", seconds=8, width=640, height=360)


def test_another_thread_may_own_the_player(qtbot):
    """Q1: `fallback_player` posts its orders to the GUI thread; only `open` waits."""
    numbers: list[int | None] = []
    states: list[PlayerState] = []
    broken: list[str] = []

    def own() -> None:
        player = fallback_player.FallbackPlayer()
        player.on_frame(lambda f: numbers.append(read_counter(f.data, f.width, f.height, f.stride)))
        player.on_state(states.append)
        player.open(clip(SPEC), start_s=2.0)
        player.play()
        enough.wait(15)
        player.pause()
        player.seek_to(6.0)
        arrived.wait(15)
        player.close()
        try:
            player.play()
        except PlayerError as error:
            broken.append(error.code)

    enough, arrived = threading.Event(), threading.Event()
    owner = threading.Thread(target=own)
    owner.start()
    qtbot.waitUntil(lambda: len(numbers) > 8, timeout=15_000)
    enough.set()
    qtbot.waitUntil(lambda: abs((numbers[-1] or 0) - 150) <= 2, timeout=15_000)
    arrived.set()
    qtbot.waitUntil(lambda: not owner.is_alive(), timeout=15_000)
    qtbot.wait(120)  # Qt's threads end in the event loop
    assert abs((numbers[0] or 0) - 50) <= 2
    assert PlayerState.PLAYING in states
    assert broken == ["player_closed"]


def test_without_vlc_its_own_decoder_is_asked(project_root, tmp_path):
    """FP1: `fallback_probe` answers with the decoder that will play."""
    noise = tmp_path / "noise.mp4"
    noise.write_bytes(b"\x00\x01" * 4000)
    code = (
        "import sys; from pathlib import Path; from client.media.probe import probe;"
        "from ui.base.fallback_probe import decodes;"
        "print(probe(Path(sys.argv[1])).reason, *[decodes(Path(n)).value for n in sys.argv[1:]])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(clip(SPEC)), str(noise)],
        cwd=project_root,
        env={"PYTHON_VLC_LIB_PATH": str(tmp_path / "none"), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["player_missing", "yes", "no"]


def test_with_vlc_qt_is_not_asked():
    """FP1."""
    assert fallback_probe.decodes(clip(SPEC)) is Decodes.YES
