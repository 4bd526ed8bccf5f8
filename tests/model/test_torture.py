"""Histories of the simulator that every push lives through (tests.torture; SYNC §2.5).

What they check: W1, W2, W3, W4, W5 of `client.domain.record.log`, X1, X2 of vectors, O1, O2, O3, O4
of the fold, L1, L2, L3 of events, H1, H2, H4 of a hub, EX1, EX2, EX3, EX5, B1, B2 of exchanges.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.torture.mutants import PATCHES, SURVIVE
from tests.torture.runs import judge, plan_of, verdicts
from tests.torture.world import Plan

ROOT = Path(__file__).resolve().parents[2]
JOBS = int(os.environ.get("TONGKE_TEST_JOBS", "2"))
NOTICED = range(1, 7)
"""Histories of each faulty variant; `python -m tests.torture` counts with more."""


@pytest.mark.timeout(600)
def test_nothing_is_lost_and_all_converge():
    """See the module."""
    figures = told("--histories", "250", "--mutants", "0")
    assert (figures["histories"], figures["lost"], figures["diverged"]) == (250, 0, 0)


@pytest.mark.parametrize("first", [1001, 1011])
def test_histories_run_in_this_process_too(first):
    """They are few, because measuring which lines they reach slows them down."""
    verdicts_of = verdicts([plan_of(seed) for seed in range(first, first + 10)], 1)
    assert [(one.plan, one.detail) for one in verdicts_of if one.kind] == []


@pytest.mark.parametrize("name", PATCHES)
def test_a_fault_in_the_logic_is_noticed(name):
    """A simulator that passes anything proves nothing."""
    plans = [Plan(seed=seed) for seed in NOTICED]
    noticed = sum(bool(verdict.kind) for verdict in verdicts(plans, 1, name))
    assert noticed == 0 if name in SURVIVE else noticed >= len(NOTICED) - 1


def test_a_seed_is_a_history():
    for plan in (Plan(seed=11), Plan(seed=11, has_files=True), Plan(seed=11, is_signed=True)):
        one, other = judge(plan), judge(plan)
        assert one.digest == other.digest
        assert one.digest
    assert judge(Plan(seed=12)).digest != judge(Plan(seed=11)).digest


def test_clocks_decide_nothing():
    """L3: the same history under other clocks has the same facts."""
    for seed in range(100, 106):
        assert judge(Plan(seed=seed, is_whole=True)).kind == ""


def test_the_command_prints_its_figures():
    figures = told("--histories", "2", "--mutants", "0")
    assert figures["mutants"] == {}


def told(*arguments: str) -> dict[str, Any]:
    """Run the command in a process of its own, where nothing measures it."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.torture", "--jobs", str(JOBS), "--json", *arguments],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("COV")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)
