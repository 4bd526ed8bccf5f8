"""The command line on machines whose clock is decades off (libfaketime): rooms, and hubs too.

| room | hub   | enrolling and syncing over TLS | what was recorded is dated              |
|------|-------|--------------------------------|-----------------------------------------|
| odd  | none  | -                              | not at all, and said to be unsure       |
| odd  | right | work                           | exactly                                 |
| odd  | odd   | work                           | as without a hub; exactly once it is put right |
| odd  | another one at the same address | refused | -                              |
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from client.domain.clock import SystemClock
from sync.hub.care import check
from sync.hub.folder import HubFolder
from tests.one_pc import Pc
from tests.quality.sources import ROOT

FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
YEARS = (1970, 2013, 2099)
SLACK = timedelta(minutes=1)
"""Far more than an answer takes, far less than these clocks are off."""

pytestmark = pytest.mark.skipif(FAKETIME is None, reason="libfaketime is not installed")


def world_of(year: int | None) -> dict[str, str]:
    """Give the environment of a machine at noon of a day of that year (None: now)."""
    odd = {
        "LD_PRELOAD": str(FAKETIME),
        "FAKETIME": f"@{year}-03-04 12:00:00",
        # Running time stays what it is: only the date is wrong.
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }
    return {**os.environ, "TZ": "Asia/Shanghai", **(odd if year else {})}


def tongke(profile: Path, year: int | None, *argv: str) -> dict[str, Any]:
    """Run a command that must end with exit code 0."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "main.py"), "--profile", str(profile), *argv, "--json"],
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=120,
        env=world_of(year),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    value = json.loads(done.stdout)
    assert isinstance(value, dict)
    return value


def add(profile: Path, year: int | None, value: int) -> None:
    here = ("--class", "三年级", "--value", str(value))
    tongke(profile, year, "record", "add", "headcount", *here)


def facts(profile: Path, year: int | None) -> list[dict[str, Any]]:
    found = tongke(profile, year, "record", "list")["facts"]
    assert isinstance(found, list)
    return found


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextlib.contextmanager
def hub(data: Path, port: int, year: int | None = None) -> Iterator[tuple[str, str]]:
    """Run a hub over TLS in that year; gives its address and the code that enrols."""
    code = data.with_suffix(".code")
    words = ("hub", "--data", data, "--host", "0.0.0.0", "--port", port, "--admin-code-file", code)
    with subprocess.Popen(
        [sys.executable, str(ROOT / "main.py"), *map(str, words)],
        stdout=subprocess.PIPE,
        text=True,
        env=world_of(year),
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("https://")
            yield f"https://127.0.0.1:{port}", code.read_text("ascii").strip()
        finally:
            process.send_signal(signal.SIGTERM)
    assert process.returncode == 0


def room_of(profile: Path, year: int | None) -> Pc:
    """Start a room's machine in that year, with a class."""
    room = Pc(profile, env=world_of(year))
    room.tell("room", "set", "--school", "石板小学", "--room", profile.name)
    room.tell("class", "add", "三年级", "--grade", "3")
    return room


def count(room: Pc, *values: int) -> None:
    for value in values:
        room.tell("record", "add", "headcount", "--class", "三年级", "--value", value)


def listed(room: Pc) -> list[str]:
    return [one["value"] for one in room.tell("record", "list")["facts"]]


def is_sound(data: Path) -> bool:
    with HubFolder(data, SystemClock()) as folder:
        return check(folder).is_sound


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
    assert before - SLACK <= times[0]
    assert times[-1] <= SystemClock().wall().astimezone(UTC) + SLACK


# --- with a hub --------------------------------------------------------------------------


def is_right(found: list[dict[str, Any]], begun: datetime) -> None:
    """Check that facts are dated exactly, in order, and after the test began."""
    assert {one["at_quality"] for one in found} == {"exact"}
    times = [datetime.fromisoformat(one["at"]) for one in found]
    assert times == sorted(times)
    assert begun - SLACK <= times[0]
    assert times[-1] <= SystemClock().wall().astimezone(UTC) + SLACK


@pytest.mark.parametrize("year", YEARS)
def test_a_room_with_an_odd_clock_enrols_and_syncs_over_tls(tmp_path: Path, year: int) -> None:
    """The pinned authority holds whatever the room's clock says; the hub's time dates facts."""
    begun, port = SystemClock().wall(), free_port()
    with (
        room_of(tmp_path / "room", year) as room,
        room_of(tmp_path / "other", None) as other,
        hub(tmp_path / "hub", port) as (url, code),
    ):
        count(room, 11, 12)
        assert room.tell("source", "add", "hub", url, "--code", code)["tls"] is True
        assert room.tell("sync", "now")["pushed_events"] > 0
        # Now the time is trusted, and the dates of the certificate are checked against it.
        count(room, 13)
        assert room.tell("sync", "now")["pushed_events"] > 0
        other.tell("source", "add", "hub", url, "--code", code)
        other.tell("sync", "now")
        assert listed(room) == listed(other) == ["11", "12", "13"]
        is_right(room.tell("record", "list")["facts"], begun)
    assert is_sound(tmp_path / "hub")


@pytest.mark.parametrize(("hub_year", "year"), [(1970, 2013), (2013, 2099), (2099, 1970)])
def test_a_hub_with_an_odd_clock_takes_everything_and_dates_nothing(
    tmp_path: Path, hub_year: int, year: int
) -> None:
    """Its authority and certificate, made in that year, hold on the day its clock is put right."""
    begun, port = SystemClock().wall(), free_port()
    with room_of(tmp_path / "room", year) as room:
        count(room, 11)
        with hub(tmp_path / "hub", port, hub_year) as (url, code):
            assert room.tell("source", "add", "hub", url, "--code", code)["tls"] is True
            assert room.tell("sync", "now")["pushed_events"] > 0
            count(room, 12)
            assert room.tell("sync", "now")["pushed_events"] > 0
        found = room.tell("record", "list")["facts"]
        assert {(one["at"], one["at_quality"]) for one in found} == {("", "unknown")}
        with hub(tmp_path / "hub", port):
            room.tell("sync", "now")
        assert listed(room) == ["11", "12"]
        is_right(room.tell("record", "list")["facts"], begun)
    assert is_sound(tmp_path / "hub")


def test_an_odd_clock_is_no_reason_to_believe_another_hub(tmp_path: Path) -> None:
    port = free_port()
    with room_of(tmp_path / "room", 2013) as room:
        with hub(tmp_path / "hub", port) as (url, code):
            room.tell("source", "add", "hub", url, "--code", code)
        count(room, 11)
        with hub(tmp_path / "stranger", port, 2013):
            exit_code, told = room.run("sync", "now")
            assert exit_code == 4
            assert told["error"]["code"] == "hub_certificate_other"
        with hub(tmp_path / "hub", port):
            assert room.tell("sync", "now")["pushed_events"] > 0
