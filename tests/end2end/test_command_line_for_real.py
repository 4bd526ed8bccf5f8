"""The command line as another program uses it: `main.py` in a process of its own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from client.domain.cancel import CancelToken
from client.service.command.table import COMMANDS
from client.service.text import Words
from client.service.version import VERSION
from tests.quality.sources import ROOT
from tests.replica import Replica

LATER = {"room join": ("http://127.0.0.1:1", "--code", "C"), "room lead": ("l1",)}
SCHOOL = "石门村教学点"


def tongke(profile: Path, *argv: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, str(ROOT / "main.py"), "--profile", str(profile), *argv],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=120,
        env={**os.environ, "PYTHONWARNINGS": "error", "LC_ALL": "C"},
    )
    return done.returncode, done.stdout, done.stderr


def answer(profile: Path, *argv: str, code: int = 0) -> dict[str, object]:
    """Run a command with `--json` and read its one document."""
    got, out, err = tongke(profile, *argv, "--json")
    assert got == code, err
    assert out.count("\n") == 1
    value = json.loads(out)
    assert isinstance(value, dict)
    return value


def test_a_room_is_set_up_and_remembered(tmp_path: Path) -> None:
    room = answer(tmp_path, "room", "set", "--school", SCHOOL, "--room", "一号教室")
    assert room["school"] == SCHOOL
    made = answer(tmp_path, "class", "add", "三年级", "--grade", "3")
    assert answer(tmp_path, "class", "list")["classes"] == [made]
    slot = answer(tmp_path, "timetable", "set", "三年级", "2", "1", "数学")
    assert answer(tmp_path, "timetable", "list")["slots"] == [slot]


def test_a_record_is_durable_when_the_command_is_done(tmp_path: Path) -> None:
    answer(tmp_path, "class", "add", "三年级", "--grade", "3")
    added = answer(tmp_path, "record", "add", "headcount", "--class", "三年级", "--value", "13")
    facts = answer(tmp_path, "record", "list")["facts"]
    assert isinstance(facts, list)
    assert [(fact["id"], fact["kind"], fact["value"]) for fact in facts] == [
        (added["id"], "headcount", "13")
    ]


@pytest.mark.parametrize("name", LATER)
def test_what_comes_later_says_so(tmp_path: Path, name: str) -> None:
    assert name in {command.name for command in COMMANDS}
    error = answer(tmp_path, *name.split(), *LATER[name], code=2)["error"]
    assert isinstance(error, dict)
    assert error["code"] == "not_in_this_version"


def test_mistakes_have_their_exit_codes(tmp_path: Path) -> None:
    wrong = ("record", "add", "note", "--class", "无此班", "--value", "x")
    error = answer(tmp_path, *wrong, code=3)["error"]
    assert isinstance(error, dict)
    assert error["kind"] == "user"
    assert error["hint"] != ""
    code, out, err = tongke(tmp_path, "class", "add")
    assert (code, out) == (2, "")
    assert Words("zh_CN")("hint.usage") in err


def test_a_roster_is_taken_in_listed_and_told_when_it_is_damaged(tmp_path: Path) -> None:
    answer(tmp_path, "class", "add", "三年级", "--grade", "3")
    names = tmp_path / "names.txt"
    names.write_text("张三\n李四\n", encoding="gb18030")
    told = answer(tmp_path, "roster", "import", str(names), "--class", "三年级")
    assert told["pupils"] == 2
    assert str(told["recovery_code"]).count("-") == 4
    code, out, _ = tongke(tmp_path, "roster", "list", "--class", "三年级")
    assert code == 0
    assert [line.split()[-2] for line in out.splitlines()[-2:]] == ["张三", "李四"]
    (tmp_path / "roster.db").write_bytes(b"torn" * 3000)
    code, out, err = tongke(tmp_path, "roster", "list", "--class", "三年级")
    assert code == 0
    assert "张三" not in out
    assert Words("zh_CN")("notice.roster_damaged", name="roster.db.damaged-1") in err


def test_a_folder_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    code, out, err = tongke(tmp_path / "file", "class", "list")
    assert code == 4
    assert out == ""
    assert Words("zh_CN")("hint.profile_unusable") in err


def test_the_version_needs_no_profile(tmp_path: Path) -> None:
    code, out, _ = tongke(tmp_path / "none", "--version")
    assert code == 0
    assert VERSION in out
    assert not (tmp_path / "none").exists()


@pytest.mark.shared
def test_ctrl_c_stops_a_sync_at_once_and_says_so(tmp_path: Path, replica: Replica) -> None:
    """R2: 130, one document, and the next run goes on."""
    answer(tmp_path, "source", "add", "platform", replica.base, "--pace", "30")
    command = [sys.executable, str(ROOT / "main.py"), "--profile", str(tmp_path)]
    with subprocess.Popen(
        [*command, "catalogue", "sync", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
    ) as process:
        wait_until(lambda: replica.requests() > 0)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=20)
    assert process.returncode == 130
    assert json.loads(out)["error"]["kind"] == "cancelled"
    answer(tmp_path, "source", "list")


def wait_until(is_met: Callable[[], bool]) -> None:
    """Wait for a condition in another process."""
    token = CancelToken()
    for _ in range(600):
        if is_met():
            return
        token.sleep(0.05)
    raise AssertionError("it did not happen")
