"""`bench NAME` answers with the document that DESIGN §4 names."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.display import missing_programs
from ui.base.timing import VARIABLE

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: str) -> tuple[int, dict]:
    done = subprocess.run(
        [sys.executable, "main.py", "--json", "bench", *arguments],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    return done.returncode, json.loads(done.stdout)


def test_an_unknown_bench_names_those_that_are():
    code, answer = run("nonsense")
    assert code == 3
    assert answer["error"]["code"] == "bench_unknown"
    assert "start" in answer["error"]["hint"]


@pytest.mark.xvfb
@pytest.mark.skipif(bool(missing_programs()), reason="needs Xvfb and openbox")
def test_ti1_the_start_is_measured_from_outside():
    code, answer = run("start", "--quick")
    assert code == 0
    assert answer["bench"] == "start"
    figures = answer["figures"]
    assert 0 < figures["first_paint_s"] <= figures["usable_s"] <= figures["usable_worst_s"]
    assert figures["pss_mb"] > 0


def test_ti2_without_the_variable_nothing_is_watched(qtbot):
    done = subprocess.run(
        [sys.executable, "-c", "from ui.base.timing import is_timed; assert not is_timed"],
        cwd=ROOT, env={"PATH": "/usr/bin:/bin", VARIABLE: ""}, check=False,
    )  # fmt: skip
    assert done.returncode == 0
