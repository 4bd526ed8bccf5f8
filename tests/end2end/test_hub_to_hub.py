"""A school's hub and the county's hub above it: real processes, TLS, and kills in mid-exchange.

With `TONGKE_WHOLE=1` they are killed at more bytes.
"""

import contextlib
import json
import os
import secrets
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from client.domain.clock import SystemClock
from client.domain.ids import SittingId
from client.domain.record import bodies as b
from client.domain.record.log import Taken
from client.service.paths import ROOT
from client.store.log_rows import EVENT, FROM, event_of
from sync.hub.care import check
from sync.hub.folder import HubFolder
from sync.hub.ports import Node, Role
from sync.protocol.enrol import site_of
from tests.log_world import Key, Pen

MAIN = (sys.executable, str(ROOT / "main.py"))
ANYWHERE, HERE = "0.0.0.0", "127.0.0.1"
SCHOOL, OTHER = "石板小学", "大山小学"
KILLED_AT = (2500, 5000, 7500, 10_000)[:: 1 if "TONGKE_WHOLE" in os.environ else 2]


def start(*arguments: object) -> "subprocess.Popen[str]":
    command = [*MAIN, "--json", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def run(*arguments: object, code: int = 0) -> dict:
    with start(*arguments) as process:
        out, error = process.communicate()
    assert process.returncode == code, error
    return json.loads(out)


class Running:
    """A hub as a process that speaks TLS on every address, loopback too."""

    def __init__(self, data: Path, port: int = 0) -> None:
        self.data = data
        self.process = start("hub", "--data", data, "--host", ANYWHERE, "--port", port)
        assert self.process.stdout is not None
        url = self.process.stdout.readline().strip()
        assert url.startswith("https://")
        self.port = urlsplit(url).port or 0
        self.url = f"https://{HERE}:{self.port}"

    def code(self, *arguments: object) -> str:
        return str(run("hub", "code", "--data", self.data, *arguments)["code"])

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        self.process.communicate()
        return self.process.returncode


@contextlib.contextmanager
def running(data: Path, port: int = 0) -> Iterator[Running]:
    hub = Running(data, port)
    try:
        yield hub
    finally:
        if hub.process.poll() is None:
            assert hub.end(signal.SIGTERM) == 0


def a_room(profile: Path, school: str, count: int) -> tuple[object, ...]:
    room = ("--profile", profile)
    run(*room, "room", "set", "--school", school, "--room", "1号教室")
    run(*room, "class", "add", "三年级", "--grade", "3")
    run(*room, "record", "add", "headcount", "--class", "三年级", "--value", count)
    return room


def counted(room: tuple[object, ...]) -> list[str]:
    return sorted(one["value"] for one in run(*room, "record", "list")["facts"])


def summary(data: Path, school: str) -> bytes:
    with HubFolder(data, SystemClock()) as folder:
        return folder.logs.of(site_of(school)).vector().summary


@pytest.mark.timeout(900)
def test_a_county_holds_what_its_schools_recorded_and_each_school_its_own(tmp_path):
    """RY1: up by itself and by command, down to the same school, and to no other."""
    first = a_room(tmp_path / "one", SCHOOL, 11)
    second = a_room(tmp_path / "two", OTHER, 22)
    far = a_room(tmp_path / "far", SCHOOL, 33)
    tries = 600
    with contextlib.ExitStack() as stack:
        county, mine, other = (
            stack.enter_context(running(tmp_path / name)) for name in ("county", "mine", "other")
        )
        for hub, school in ((mine, SCHOOL), (other, OTHER)):
            code = county.code("--for-hub", "--school", school)
            added = run("hub", "upstream", "add", "--data", hub.data, county.url, "--code", code)
            assert (added["school"], added["tls"], added["failures"]) == (school, True, 0)
        for room, hub in ((second, other), (first, mine), (far, county)):
            run(*room, "source", "add", "hub", hub.url, "--code", hub.code())
            assert run(*room, "sync", "now")["pushed_events"] > 0
        run("hub", "sync", "--data", mine.data)
        assert run("hub", "sync", "--data", mine.data)["requests"] == 1
        run(*first, "sync", "now")
        assert counted(first) == ["11", "33"]
        pause = threading.Event()
        # Nobody asked: the running hub does it by itself.
        while summary(county.data, OTHER) != summary(other.data, OTHER) and tries:
            tries -= 1
            pause.wait(0.5)
        assert tries
        listed = run("hub", "upstream", "list", "--data", other.data)["upstreams"]
        assert [(one["url"], one["school"]) for one in listed] == [(county.url, OTHER)]
        run("hub", "upstream", "remove", "--data", other.data, county.url)
        error = run("hub", "sync", "--data", other.data, code=3)["error"]
        assert error["code"] == "no_upstream"
    with HubFolder(tmp_path / "mine", SystemClock()) as folder:
        assert folder.logs.sites() == (site_of(SCHOOL),)
    run(*far, "sync", "now", code=4)
    assert counted(second) == ["22"]


class Cut(threading.Thread):
    """A relay that does something once so many bytes went through, and then goes on."""

    def __init__(self, port: int, after: int, then: Callable[[], None]) -> None:
        super().__init__(daemon=True)
        self._left, self._then, self._to = after, then, (HERE, port)
        self._listener = socket.create_server((HERE, 0))
        self.port = self._listener.getsockname()[1]
        self.start()

    def run(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                with near, contextlib.suppress(OSError):
                    self._relay(near)

    def _relay(self, near: socket.socket) -> None:
        with socket.create_connection(self._to) as far:
            other = {near: far, far: near}
            while True:
                for one in select.select([near, far], [], [])[0]:
                    data = one.recv(512)
                    if not data:
                        return
                    was, self._left = self._left, self._left - len(data)
                    if was > 0 >= self._left:
                        self._then()
                    other[one].sendall(data)

    def close(self) -> None:
        self._listener.close()


def bring(data: Path, pen: Pen) -> None:
    """What a room brought to a hub: notes that no packing makes small."""
    for _ in range(20):
        pen.add(
            b.NoteWritten(
                note=secrets.token_bytes(8),
                sitting=SittingId(""),
                class_ids=(),
                lesson=None,
                text=secrets.token_hex(100),
            )
        )
    with HubFolder(data, SystemClock()) as folder:
        log = folder.logs.of(site_of(SCHOOL))
        assert log.take((pen.seal(),)).result() == (Taken.STORED,)


def school_hub(data: Path, key: Key) -> None:
    with HubFolder(data, SystemClock(), is_new_allowed=True) as folder:
        folder.key()
        site = site_of(SCHOOL)
        node = Node(key=key.public_key, role=Role.ROOM, site=site, school=SCHOOL, room="R")
        folder.directory.enrol(node)


def moved(data: Path, port: int) -> None:
    """Have the hub above reached at another port."""
    with HubFolder(data, SystemClock()) as folder:
        (hub,) = folder.upstreams.hubs()
        belief = folder.upstreams.belief(hub.key, site_of(SCHOOL))
        folder.upstreams.put(replace(hub, url=f"https://{HERE}:{port}"))
        folder.upstreams.save_belief(hub.key, site_of(SCHOOL), belief)


def killed_once(data: Path, county: Path, port: int, after: int, victim: str) -> None:
    """Exchange, and kill one of both once so many bytes went through."""
    above = Running(county, port)
    victims, is_killed = [above.process], threading.Event()

    def kill() -> None:
        victims[-1].kill()
        is_killed.set()

    cut = Cut(port, after, kill)
    moved(data, cut.port)
    with start("hub", "sync", "--data", data) as syncing:
        if victim == "below":
            victims.append(syncing)
        syncing.communicate()
    cut.close()
    moved(data, port)
    above.end(signal.SIGTERM)
    assert is_killed.is_set()
    assert syncing.returncode != 0


@pytest.mark.parametrize("victim", ["above", "below"])
def test_a_kill_in_mid_exchange_loses_nothing(tmp_path, victim):
    """RY1: either hub is killed at several bytes of the exchange; both end with all that is."""
    data, above = tmp_path / "mine", tmp_path / "county"
    pen, far = Pen(), Pen()
    school_hub(data, pen.key)
    with running(above) as county:
        port, code = county.port, county.code("--for-hub", "--school", SCHOOL)
        run("hub", "upstream", "add", "--data", data, county.url, "--code", code)
    for after in KILLED_AT:
        bring(data, pen)
        bring(above, far)
        killed_once(data, above, port, after, victim)
    with running(above, port):
        run("hub", "sync", "--data", data)
        assert run("hub", "sync", "--data", data)["requests"] == 1
    written = {event.hash for one in (pen, far) for event in one.events}
    for path in (data, above):
        with HubFolder(path, SystemClock()) as folder:
            found = check(folder)
            assert (found.is_sound, found.events) == (True, len(written))
            assert events(folder) == written


def events(folder: HubFolder) -> set[bytes]:
    """Hashes of all that a hub holds, read past its store."""
    rows = folder.log_database.read_here(
        lambda connection: connection.execute(f"SELECT {EVENT} {FROM}").fetchall()
    )
    return {event_of(row).hash for row in rows}
