"""Histories of the simulator that every push lives through (tests.torture; SYNC §2.5).

What they check: W1, W2, W3, W4, W5 of `client.domain.record.log`, X1, X2 of vectors, O1, O2, O3, O4
of the fold, L1, L2, L3 of events, H1, H2, H4 of a hub, EX1, EX2, EX3, EX5, B1, B2 of exchanges.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.torture.mutants import PATCHES, SURVIVE
from tests.torture.runs import judge, plan_of, verdicts
from tests.torture.world import Plan

ROOT = Path(__file__).resolve().parents[2]
JOBS = int(os.environ.get("TONGKE_TEST_JOBS", "2"))
NOTICED = range(1, 7)
"""Histories of each faulty variant; `python -m tests.torture` counts with more."""


@pytest.mark.parametrize("first", range(1, 101, 25))
def test_nothing_is_lost_and_all_converge(first):
    """See the module. A hundred here; `python -m tests.torture --histories 5000` tells more."""
    plans = [plan_of(seed) for seed in range(first, first + 25)]
    failed = [verdict for verdict in verdicts(plans, JOBS) if verdict.kind]
    assert [(verdict.plan, verdict.detail) for verdict in failed] == []


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
    done = subprocess.run(
        [sys.executable, "-m", "tests.torture", "--histories", "2", "--mutants", "0", "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert (figures["histories"], figures["lost"], figures["diverged"]) == (2, 0, 0)
    assert figures["mutants"] == {}
