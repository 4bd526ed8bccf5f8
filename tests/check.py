"""Everything CI checks, in one command: `python -m tests.check [--quick | --lint]`.

With `CI=true` in the environment a test may skip only for a reason in `MAY_SKIP_IN_CI`.
Coverage counts what unit, contract, fault and screen tests reach in their own process: measuring
costs half as much again as running, and what whole programs reach beside it moves no floor.
The last line printed is pytest's closing line, summed over its runs.
"""

import argparse
import fnmatch
import json
import os
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.display import missing_programs, virtual_display

ROOT: Final = Path(__file__).resolve().parents[1]
BUILD: Final = ROOT / "build" / "test"
PYTHON: Final = sys.executable
BIN: Final = Path(PYTHON).parent
SOURCES: Final = ("client", "sync", "ui", "main.py", "packaging")
MAY_SKIP_IN_CI: Final = (
    "only on Windows",
    "only on macOS",
    "no such stick can be mounted here",
)

FLOORS: Final = (
    # Benches run for minutes over links that break: their arithmetic is tested, their runs are not.
    ("sync/engine/bench_*", 75.0),
    ("client/domain/*", 100.0),
    ("client/store/*", 100.0),
    ("sync/engine/*", 100.0),
    ("sync/protocol/*", 100.0),
    ("client/*", 85.0),
    ("sync/*", 85.0),
    ("ui/*", 85.0),
)
"""Share of lines and branches, in percent, that the tests of a folder must reach together."""

LINT: Final = (
    ("ruff", (str(BIN / "ruff"), "check", "--quiet", ".")),
    ("format", (str(BIN / "ruff"), "format", "--quiet", "--check", ".")),
    ("types", (str(BIN / "mypy"), *(name for name in SOURCES if (ROOT / name).exists()))),
    ("imports", (str(BIN / "lint-imports"),)),
    ("words", (PYTHON, "packaging/compile_words.py", "--check")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of pytest."""

    name: str
    arguments: tuple[str, ...]
    needs_display: bool = False
    may_repeat: bool = False
    """Decoders have their own threads and no clock with a picture: a failure must come twice."""
    is_measured: bool = False
    """Whether its coverage counts."""


Stage = tuple[tuple[Run, ...], ...]
"""Chains of runs; the chains go side by side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What came of the tests of one or more runs."""

    passed: int = 0
    failed: int = 0
    errors: int = 0
    skipped: tuple[tuple[str, str], ...] = ()
    """Test and reason."""

    def plus(self, other: "Counts") -> "Counts":
        """Add up two runs."""
        return Counts(
            passed=self.passed + other.passed,
            failed=self.failed + other.failed,
            errors=self.errors + other.errors,
            skipped=self.skipped + other.skipped,
        )

    def closing_line(self, seconds: float) -> str:
        """Write them as pytest does."""
        numbers = (
            (self.failed, "failed"),
            (self.passed, "passed"),
            (len(self.skipped), "skipped"),
            (self.errors, "errors"),
        )
        said = ", ".join(f"{n} {word}" for n, word in numbers if n) or "no tests ran"
        return f" {said} in {seconds:.2f}s ".center(80, "=")


JOBS: Final = os.environ.get("TONGKE_TEST_JOBS", "2")
SPREAD: Final = ("-n", JOBS, "--dist", "loadfile") if JOBS != "1" else ()
QUICK: Final[tuple[Stage, ...]] = (
    ((Run(name="quick", arguments=("tests/unit", "tests/contract", "tests/quality", *SPREAD)),),),
)
PROGRAMS: Final = ("tests/model", "tests/end2end")
"""Long histories, and whole programs in processes of their own."""
ALONE: Final = (
    "tests/contract/test_player.py",
    "tests/contract/test_vlc_player.py",
    "tests/gui/test_fallback_player.py",
    "tests/gui/test_classroom_real.py",
    "tests/gui/test_every_control.py",
    "tests/gui/test_program.py",
)
"""Tests with native decoders, or that open and close whole programs: one process each, so that
none disturbs another."""
FULL: Final[tuple[Stage, ...]] = (
    (
        (
            Run(
                name="offscreen",
                arguments=(
                    *("tests", "-m", "not xvfb", *SPREAD),
                    *(f"--ignore={path}" for path in (*ALONE, *PROGRAMS)),
                ),
                is_measured=True,
            ),
        ),
    ),
    ((Run(name="programs", arguments=(*PROGRAMS, "-m", "not xvfb", *SPREAD)),),),
    (
        tuple(
            Run(name=Path(path).stem, arguments=(path, "-m", "not xvfb"), may_repeat=True)
            for path in ALONE
        ),
        (Run(name="windows", arguments=("tests", "-m", "xvfb"), needs_display=True),),
    ),
)


def step(name: str, command: Sequence[str]) -> bool:
    """Run one tool; print its output only when it fails."""
    began = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    took = time.monotonic() - began
    print(f"check: {name:<10} {'ok' if done.returncode == 0 else 'FAILED':<7} {took:6.1f} s")
    if done.returncode != 0:
        print(done.stdout + done.stderr)
    sys.stdout.flush()
    return done.returncode == 0


def run_pytest(run: Run, extra: Sequence[str], *, is_alone: bool) -> tuple[bool, Counts]:
    """Run pytest and read its report. No test at all is a pass.

    What it prints is shown as it comes where no other run stands beside it.
    """
    if run.needs_display and missing_programs():
        print(f"check: pytest {run.name} needs {', '.join(missing_programs())}", flush=True)
        return os.environ.get("CI") != "true", Counts()
    report = BUILD / f"{run.name}.xml"
    report.unlink(missing_ok=True)
    command = [PYTHON, "-m", "pytest", "-q", *run.arguments, f"--junitxml={report}", *extra]
    command += ["--timeout=240", "--timeout-method=thread", "-o", "junit_family=xunit2", "-rfE"]
    if run.is_measured:
        command += ["--cov", "--cov-branch", "--cov-report="]

    def once(environment: dict[str, str], note: str) -> int:
        print(f"check: pytest {run.name}{note}", flush=True)
        pipe = None if is_alone else subprocess.PIPE
        done = subprocess.run(
            command, cwd=ROOT, env=environment, check=False, stdout=pipe, stderr=subprocess.STDOUT
        )
        if done.stdout:
            head = f"check: pytest {run.name} ended with {done.returncode}"
            print(head, done.stdout.decode(errors="replace"), sep="\n", flush=True)
        return done.returncode

    with virtual_display() if run.needs_display else nullcontext("") as display:
        environment = dict(os.environ, PYTHONHASHSEED="0")
        if display:
            environment |= {"DISPLAY": display, "QT_QPA_PLATFORM": "xcb"}
        else:
            environment |= {"QT_QPA_PLATFORM": "offscreen"}
        code = once(environment, "")
        if run.may_repeat and code not in (0, 5):
            code = once(environment, f" FAILED ({code}); once more")
    is_fine = code in (0, 5)
    return is_fine, read_report(report) if report.exists() else Counts(errors=1)


def read_report(path: Path) -> Counts:
    """Count the tests in a JUnit report."""
    counts = Counts()
    for case in ET.parse(path).iter("testcase"):
        name = f"{case.get('classname')}.{case.get('name')}"
        skip = case.find("skipped")
        if skip is not None:
            reason = skip.get("message") or ""
            counts = counts.plus(Counts(skipped=((name, reason),)))
        elif case.find("failure") is not None:
            counts = counts.plus(Counts(failed=1))
        elif case.find("error") is not None:
            counts = counts.plus(Counts(errors=1))
        else:
            counts = counts.plus(Counts(passed=1))
    return counts


def forbidden_skips(counts: Counts, *, is_ci: bool) -> tuple[tuple[str, str], ...]:
    """List the tests that must not skip here."""
    if not is_ci:
        return ()
    return tuple((n, why) for n, why in counts.skipped if why not in MAY_SKIP_IN_CI)


def coverage_gaps(report: dict[str, dict[str, dict[str, dict[str, int]]]]) -> tuple[str, ...]:
    """Compare coverage with the floors; a file counts for the first pattern it matches."""
    reached: dict[str, list[int]] = {pattern: [0, 0] for pattern, _ in FLOORS}
    for path, file in report["files"].items():
        pattern = next((p for p, _ in FLOORS if fnmatch.fnmatch(path.replace("\\", "/"), p)), None)
        if pattern is not None:
            summary = file["summary"]
            reached[pattern][0] += summary["covered_lines"] + summary.get("covered_branches", 0)
            reached[pattern][1] += summary["num_statements"] + summary.get("num_branches", 0)
    gaps = []
    for pattern, floor in FLOORS:
        covered, total = reached[pattern]
        share = 100.0 * covered / total if total else 100.0
        print(f"check: coverage   {pattern:<18} {share:6.2f} % of {floor:.0f} %")
        if share < floor:
            gaps.append(f"{pattern}: {share:.2f} % is below {floor:.0f} %")
    return tuple(gaps)


def check_coverage() -> bool:
    """Tell whether every folder is covered as it must be."""
    target = BUILD / "coverage.json"
    command = [PYTHON, "-m", "coverage", "json", "-q", "-o", str(target)]
    if subprocess.run(command, cwd=ROOT, check=False).returncode != 0:
        return False
    gaps = coverage_gaps(json.loads(target.read_text(encoding="utf-8")))
    print("\n".join(f"check: coverage   {gap}" for gap in gaps))
    return not gaps


def run_stage(stage: Stage, extra: Sequence[str]) -> list[tuple[bool, Counts]]:
    """Run the chains of a stage side by side."""

    def follow(chain: tuple[Run, ...]) -> list[tuple[bool, Counts]]:
        return [run_pytest(run, extra, is_alone=len(stage) == 1) for run in chain]

    with ThreadPoolExecutor(len(stage)) as pool:
        return [one for chain in pool.map(follow, stage) for one in chain]


def check_tests(stages: Sequence[Stage], extra: Sequence[str]) -> bool:
    """Run the tests, then the rules about skips and coverage; print the closing line last."""
    BUILD.mkdir(parents=True, exist_ok=True)
    for old in ROOT.glob(".coverage*"):
        old.unlink()
    began = time.monotonic()
    total, is_fine = Counts(), True
    for stage in stages:
        for passed, counts in run_stage(stage, extra):
            is_fine, total = is_fine and passed, total.plus(counts)
    for name, why in total.skipped:
        print(f"check: skipped    {name}: {why}")
    forbidden = forbidden_skips(total, is_ci=os.environ.get("CI") == "true")
    if forbidden:
        print(f"check: {len(forbidden)} of these may not skip in CI")
    is_measured = any(run.is_measured for stage in stages for chain in stage for run in chain)
    if is_measured and not check_coverage():
        is_fine = False
    print(total.closing_line(time.monotonic() - began))
    return is_fine and not forbidden


def main(arguments: Sequence[str]) -> int:
    """Run what was asked for: 1 when anything failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lint", action="store_true", help="no tests")
    parser.add_argument("--quick", action="store_true", help="unit and contract tests only")
    parser.add_argument("extra", nargs="*", help="handed to pytest")
    options = parser.parse_args(arguments)
    failed = [name for name, command in LINT if not step(name, command)]
    if options.lint:
        return 1 if failed else 0
    is_tested = check_tests(QUICK if options.quick else FULL, options.extra)
    if failed:
        print(f"check: {', '.join(failed)} failed, see above", file=sys.stderr)
    return 0 if is_tested and not failed else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
