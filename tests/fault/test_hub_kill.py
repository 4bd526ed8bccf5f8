"""A hub that is killed in mid-write has everything it acknowledged (sync.hub.respond: H2)."""

import contextlib
import http.client
import os
import random
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit

from client.domain.clock import SystemClock
from client.domain.errors import ProtocolError
from client.domain.record.log import Taken
from client.domain.record.vector import EMPTY
from client.service.paths import ROOT
from client.store.keyfile import verify
from sync.hub.app import TYPE
from sync.hub.care import check
from sync.hub.folder import HubFolder
from sync.hub.ports import Node, Role
from sync.protocol.exchange import Reading, Request, node_of, open_reply, pack_request
from tests.hub_world import SITE
from tests.log_world import Key, Pen

ROOMS = 4
KILLS = int(os.environ.get("TONGKE_KILLS", "5"))
"""1,000 on demand; fewer where every push has to wait for it."""
A_FOLDER = 25
"""So many lives are spent on one folder: a whole year of them would only be slow to check."""


class Pusher(threading.Thread):
    """A room that pushes one segment after the other, and notes outside what was acknowledged."""

    def __init__(self, address: tuple[str, int], pen: Pen, hub_key: bytes) -> None:
        super().__init__()
        self.address, self.pen, self.hub_key = address, pen, hub_key
        self.acknowledged: list[bytes] = []

    def run(self) -> None:
        with contextlib.suppress(OSError, http.client.HTTPException, ProtocolError):
            connection = http.client.HTTPConnection(*self.address, timeout=20)
            with contextlib.closing(connection):
                for number in range(1, 100):
                    self.push(connection, self.pen.write(number).seal())

    def push(self, connection: http.client.HTTPConnection, segment: bytes) -> None:
        request = Request(
            site=SITE,
            node=node_of(self.pen.key.public_key),
            machine=b"machine1",
            have=EMPTY.summary,
            segments=(segment,),
            clock=Reading(boot=1, mono_ms=1, wall_ms=1),
        )
        envelope = pack_request(request, self.hub_key, self.pen.key)
        connection.request("POST", "/v1/x", envelope, {"content-type": TYPE})
        answer = connection.getresponse().read()
        if open_reply(answer, envelope, self.hub_key, verify).codes == (Taken.STORED,):
            self.acknowledged.append(self.pen.events[-1].hash)


def killed_once(path: Path, pens: list[Pen], hub_key: bytes, after: int) -> list[bytes]:
    """Run a hub, kill it once so many segments were acknowledged; gives what was."""
    command = [sys.executable, ROOT / "main.py", "hub", "--data", path, "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as hub:
        assert hub.stdout is not None
        split = urlsplit(hub.stdout.readline().strip())
        address = (split.hostname or "", split.port or 0)
        pushers = [Pusher(address, pen, hub_key) for pen in pens]
        for one in pushers:
            one.start()
        while any(one.is_alive() for one in pushers):
            if sum(len(one.acknowledged) for one in pushers) >= after:
                hub.kill()
                break
        hub.kill()
        for one in pushers:
            one.join()
    return [head for one in pushers for head in one.acknowledged]


def test_what_was_acknowledged_outlives_a_kill(tmp_path):
    """H2."""
    chance, total = random.Random(7), 0
    for first in range(0, KILLS, A_FOLDER):
        lives = min(A_FOLDER, KILLS - first)
        total += spend(tmp_path / f"hub{first}", lives, chance)
    assert total >= KILLS * 5


def spend(path: Path, lives: int, chance: random.Random) -> int:
    """Kill one hub so often; counts what it acknowledged and has."""
    keys = [Key() for _ in range(ROOMS)]
    with HubFolder(path, SystemClock(), is_new_allowed=True) as folder:
        hub_key = folder.key().public_key
        for key in keys:
            node = Node(key=key.public_key, role=Role.ROOM, site=SITE, school="S", room="R")
            folder.directory.enrol(node)
    acknowledged: list[bytes] = []
    for _ in range(lives):
        pens = [Pen(key.rotated()) for key in keys]
        acknowledged += killed_once(path, pens, hub_key, chance.randrange(5, 40))
        with HubFolder(path, SystemClock()) as folder:
            assert check(folder).is_sound
            held = folder.log_database.read_here(
                lambda c: {row[0] for row in c.execute("SELECT hash FROM event")}
            )
        assert set(acknowledged) <= held
    return len(acknowledged)
