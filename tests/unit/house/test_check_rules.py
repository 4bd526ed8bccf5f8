"""The check that CI runs (tests.check): what it counts and what it refuses."""

import re
import subprocess
from pathlib import Path

import pytest

from tests import check
from tests.check import Counts, coverage_gaps, forbidden_skips, read_report
from tests.quality.sources import ROOT

REPORT = """<testsuites><testsuite>
<testcase classname="a" name="one"/>
<testcase classname="a" name="two"><failure message="no"/></testcase>
<testcase classname="a" name="three"><error message="no"/></testcase>
<testcase classname="a" name="four"><skipped message="only on Windows"/></testcase>
<testcase classname="a" name="five"><skipped message="no root"/></testcase>
</testsuite></testsuites>"""


@pytest.fixture
def counts(tmp_path: Path) -> Counts:
    path = tmp_path / "r.xml"
    path.write_text(REPORT, encoding="utf-8")
    return read_report(path)


def test_a_report_is_counted(counts: Counts) -> None:
    assert (counts.passed, counts.failed, counts.errors, len(counts.skipped)) == (1, 1, 1, 2)
    twice = counts.plus(counts)
    assert (twice.passed, twice.failed, twice.errors, len(twice.skipped)) == (2, 2, 2, 4)


def test_the_closing_line_reads_like_that_of_pytest(counts: Counts) -> None:
    line = counts.closing_line(1.5)
    assert re.fullmatch("=+ 1 failed, 1 passed, 2 skipped, 1 errors in 1.50s =+", line)
    assert "no tests ran" in Counts().closing_line(0.0)


def test_in_ci_only_named_reasons_may_skip(counts: Counts) -> None:
    assert forbidden_skips(counts, is_ci=False) == ()
    assert forbidden_skips(counts, is_ci=True) == (("a.five", "no root"),)


def summary(covered: int, total: int) -> dict[str, dict[str, int]]:
    return {"summary": {"covered_lines": covered, "num_statements": total}}


def test_a_folder_below_its_floor_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    report = {
        "files": {
            "client/store/a.py": summary(99, 100),
            "client/domain/b.py": summary(10, 10),
            "ui/view/c.py": summary(84, 100),
            "sync\\engine\\d.py": summary(1, 1),
        }
    }
    gaps = coverage_gaps(report)
    assert [gap.split(":")[0] for gap in gaps] == ["client/store/*", "ui/*"]
    assert "99.00 %" in capsys.readouterr().out


def test_ci_runs_what_developers_run() -> None:
    assert "make --no-print-directory test" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "tests.check" in (ROOT / "Makefile").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["packaging/bootstrap.sh", "packaging/lock.sh", ".ci/run"])
def test_shell_scripts_can_be_read_by_any_shell(name: str) -> None:
    assert subprocess.run(["sh", "-n", name], cwd=ROOT, check=False).returncode == 0
    assert (ROOT / name).read_text(encoding="utf-8").startswith("#!/bin/sh\n")


def test_every_system_package_has_a_reason() -> None:
    script = (ROOT / "packaging" / "bootstrap.sh").read_text(encoding="utf-8")
    rows = script.split("<<'LIST'\n")[1].split("\nLIST")[0].splitlines()
    assert len(rows) > 20
    assert [row for row in rows if len(row.split(maxsplit=1)) < 2] == []


def test_the_steps_of_the_check_exist() -> None:
    named = [name for name, _ in check.LINT]
    assert named == ["ruff", "format", "types", "imports", "words"]
    players = {Path(path).stem for path in check.ALONE}
    runs = [run for stage in check.FULL for chain in stage for run in chain]
    assert {run.name for run in runs} == {"offscreen", "programs", "windows"} | players
    assert [run.name for run in runs if run.is_measured] == ["offscreen"]
    assert all((check.ROOT / path).is_dir() for path in check.PROGRAMS)
    assert all((check.ROOT / path).is_file() for path in check.ALONE)
