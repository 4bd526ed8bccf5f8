"""The commands `hub …` as processes (sync.hub.commands), and its bench (sync.hub.bench_hub)."""

import json
import signal
import sqlite3
import subprocess
import sys

from client.service.paths import ROOT
from sync.hub.bench_hub import QUICK, bench_hub
from sync.protocol.enrol import code_key

MAIN = (sys.executable, str(ROOT / "main.py"))


def run(*arguments: object, code: int = 0) -> dict:
    done = subprocess.run(
        [*MAIN, "--json", *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


def test_a_hub_runs_is_cared_for_and_stops(tmp_path):
    data, code_file = tmp_path / "hub", tmp_path / "code.txt"
    arguments = ("hub", "--data", data, "--port", "0", "--admin-code-file", code_file)
    with subprocess.Popen([*MAIN, *map(str, arguments)], stdout=subprocess.PIPE, text=True) as hub:
        assert hub.stdout is not None
        try:
            assert hub.stdout.readline().startswith("http://127.0.0.1:")
            assert code_key(code_file.read_text("ascii"))
            made = run("hub", "code", "--data", data, "--school", "石板小学", "--for-hub")
            assert (made["school"], made["role"]) == ("石板小学", "hub")
            assert run("hub", "nodes", "--data", data) == {"nodes": []}
            named = ("hub", "code", "--data", data, "--school", "石板小学")
            assert run(*named)["site"] == made["site"]
            other = run(*named, "--namesake")["site"]
            assert other != made["site"]
            assert run(*named, code=3)["error"]["code"] == "school_ambiguous"
            assert run(*named, "--site", other)["site"] == other
            assert run(*named, "--site", "00", code=3)["error"]["code"] == "school_absent"
            assert run("hub", "code", "--data", data, "--close") == {"closed": 5}
            error = run("hub", "revoke", "--data", data, "00" * 8, code=3)["error"]
            assert error["code"] == "node_unknown"
            assert run("hub", "fsck", "--data", data)["sound"] is True
            copy = run("hub", "backup", "--data", data, tmp_path / "copy")
            assert copy["files"] == 3
            error = run("hub", "restore", "--data", data, tmp_path / "copy", code=3)["error"]
            assert error["code"] == "hub_in_use"
        finally:
            hub.send_signal(signal.SIGTERM)
        assert hub.wait() == 0
    assert run("hub", "restore", "--data", data, tmp_path / "copy")["set_aside"]
    with sqlite3.connect(data / "logs.db") as connection:
        connection.execute("INSERT INTO writer (w, public_key, nonce) VALUES (x'00', x'00', x'00')")
    connection.close()
    assert run("hub", "fsck", "--data", data, code=4)["damaged"]
    assert run("hub", "fsck", "--data", tmp_path / "none", code=3)["error"]["code"] == "hub_absent"


def test_rooms_reach_a_hub_by_link_and_by_stick(tmp_path):
    """The same facts, whichever way; a hub need not run to answer a stick."""
    data, code_file, stick = tmp_path / "hub", tmp_path / "code.txt", tmp_path / "stick"
    arguments = ("hub", "--data", data, "--port", "0", "--admin-code-file", code_file)
    rooms = [("--profile", tmp_path / name) for name in ("one", "two")]
    for number, room in enumerate(rooms, 1):
        run(*room, "room", "set", "--school", "石板小学", "--room", f"{number}号教室")
        run(*room, "class", "add", "三年级", "--grade", "3")
        run(*room, "record", "add", "headcount", "--class", "三年级", "--value", f"1{number}")
    with subprocess.Popen([*MAIN, *map(str, arguments)], stdout=subprocess.PIPE, text=True) as hub:
        assert hub.stdout is not None
        try:
            url = hub.stdout.readline().strip()
            for room in rooms:
                run(*room, "source", "add", "hub", url, "--code", code_file.read_text("ascii"))
            assert run(*rooms[0], "sync", "now")["pushed_events"] > 0
        finally:
            hub.send_signal(signal.SIGTERM)
        assert hub.wait() == 0
    run(*rooms[1], "sync", "now", code=4)
    for _ in range(3):
        run(*rooms[1], "sync", "now", "--folder", stick)
        run("hub", "answer", "--data", data, stick)
    run(*rooms[1], "sync", "now", "--folder", stick)
    facts = run(*rooms[1], "record", "list")["facts"]
    assert sorted(one["value"] for one in facts) == ["11", "12"]


def test_the_bench_measures_a_real_hub():
    said: list[str] = []
    figures = bench_hub(QUICK, said.append)
    assert said == ["40 rooms are enrolled"]
    assert figures["exchanges_per_s"] > 0
    assert figures["p99_ms"] >= figures["p50_ms"] > 0
    assert figures["cpu_s_school_day"] > 0
    assert figures["memory_mb_after"] > 0
