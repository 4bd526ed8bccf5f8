"""The command line on machines whose clock is decades off (libfaketime)."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from client.domain.clock import SystemClock
from tests.quality.sources import ROOT

FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
YEARS = (1970, 2013, 2099)

pytestmark = pytest.mark.skipif(FAKETIME is None, reason="libfaketime is not installed")


def tongke(profile: Path, year: int | None, *argv: str) -> dict[str, object]:
    """Run a command at noon of a day of that year (None: now); its exit code must be 0."""
    odd = {
        "LD_PRELOAD": str(FAKETIME),
        "FAKETIME": f"@{year}-03-04 12:00:00",
        # Running time stays what it is: only the date is wrong.
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }
    done = subprocess.run(
        [sys.executable, str(ROOT / "main.py"), "--profile", str(profile), *argv, "--json"],
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=120,
        env={**os.environ, "TZ": "Asia/Shanghai", **(odd if year else {})},
    )
    assert done.returncode == 0, done.stderr
    value = json.loads(done.stdout)
    assert isinstance(value, dict)
    return value


def add(profile: Path, year: int | None, value: int) -> None:
    here = ("--class", "三年级", "--value", str(value))
    tongke(profile, year, "record", "add", "headcount", *here)


def facts(profile: Path, year: int | None) -> list[dict[str, str]]:
    found = tongke(profile, year, "record", "list")["facts"]
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize("year", YEARS)
def test_a1_records_are_kept_in_order_and_said_to_be_unsure(tmp_path: Path, year: int) -> None:
    tongke(tmp_path, year, "class", "add", "三年级", "--grade", "3")
    for value in (11, 12):
        add(tmp_path, year, value)
    found = facts(tmp_path, year)
    assert [one["value"] for one in found] == ["11", "12"]
    assert {(one["at"], one["at_quality"]) for one in found} == {("", "unknown")}
    assert {one["when"]["code"] for one in found} == {"unknown"}
    clock = {one["code"]: one for one in tongke(tmp_path, year, "doctor")["checks"]}["clock"]
    assert clock["state"] == "advice"
    assert str(year) in clock["message"]


def test_a1_a_clock_that_is_put_right_dates_what_was_before(tmp_path: Path) -> None:
    before = SystemClock().wall()
    tongke(tmp_path, YEARS[0], "class", "add", "三年级", "--grade", "3")
    years = (*YEARS, None)
    for value, year in enumerate(years):
        add(tmp_path, year, value)
    found = facts(tmp_path, None)
    assert [one["value"] for one in found] == ["0", "1", "2", "3"]
    assert {one["at_quality"] for one in found} == {"clock"}
    times = [datetime.fromisoformat(one["at"]) for one in found]
    assert times == sorted(times)
    assert before.replace(microsecond=0) <= times[0]
    assert times[-1] <= SystemClock().wall().astimezone(UTC)
