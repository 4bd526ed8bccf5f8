"""Whatever a peer sends to a real hub costs little and changes nothing (sync.hub)."""

import contextlib
import hashlib
import http.client
import os
import secrets
import socket
import sqlite3
import subprocess
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from client.domain.canon import decode_array, encode
from client.domain.clock import SystemClock
from client.domain.record.log import Introduction, Taken
from client.domain.record.segment import DOMAIN
from client.domain.record.vector import EMPTY, Stretch, Vector, vector
from client.service.paths import ROOT
from client.store.keyfile import verify
from sync.hub.app import TYPE
from sync.hub.folder import HubFolder
from sync.hub.ports import Node, Role
from sync.protocol.exchange import (
    MAX_MESSAGE_BYTES,
    Reading,
    Reply,
    Request,
    node_of,
    open_reply,
    pack_request,
)
from tests.hub_world import SITE
from tests.log_world import Key, Pen

MEMORY = 64 << 20
CPU_S = 1.0
HELD = (
    ("logs.db", "SELECT hash, body FROM event ORDER BY n"),
    ("logs.db", "SELECT head, data FROM sealed ORDER BY head"),
    ("logs.db", "SELECT hash, seq FROM head ORDER BY hash"),
    ("logs.db", "SELECT w, public_key FROM writer ORDER BY w"),
    ("hub.db", "SELECT * FROM node ORDER BY name"),
)


@dataclass
class Target:
    """A real hub, and a room that was let in and turned hostile."""

    folder: Path
    address: tuple[str, int]
    process: psutil.Process
    hub_key: bytes
    room: Key

    def post(self, body: bytes, path: str = "/v1/x") -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(*self.address, timeout=60)
        try:
            connection.request("POST", path, body, {"content-type": TYPE})
            answer = connection.getresponse()
            return answer.status, answer.read()
        except ConnectionError:
            return 0, b""
        finally:
            connection.close()

    def ask(self, **values) -> bytes:
        request = Request(
            site=SITE,
            node=node_of(self.room.public_key),
            machine=b"machine1",
            have=EMPTY,
            clock=Reading(boot=1, mono_ms=1, wall_ms=1),
        )
        return pack_request(replace(request, **values), self.hub_key, self.room)

    def say(self, **values) -> Reply:
        envelope = self.ask(**values)
        status, body = self.post(envelope)
        assert status == 200
        return open_reply(body, envelope, self.hub_key, verify)

    def held(self) -> str:
        """Everything that was held, as one digest."""
        found = hashlib.sha256()
        for name, query in HELD:
            path = (self.folder / name).as_uri()
            with contextlib.closing(sqlite3.connect(f"{path}?mode=ro", uri=True)) as file:
                for row in file.execute(query):
                    found.update(repr(row).encode())
        return found.hexdigest()

    def cpu_s(self) -> float:
        times = self.process.cpu_times()
        return times.user + times.system


@pytest.fixture(scope="module")
def target(tmp_path_factory) -> Iterator[Target]:
    path, room = tmp_path_factory.mktemp("hostile") / "hub", Key()
    with HubFolder(path, SystemClock(), is_new_allowed=True) as folder:
        hub_key = folder.key().public_key
        node = Node(key=room.public_key, role=Role.ROOM, site=SITE, school="S", room="R")
        folder.directory.enrol(replace(node, machines=(b"machine1",)))
    command = [sys.executable, ROOT / "main.py", "hub", "--data", path, "--port", "0"]
    # What a measured program costs says nothing about the program.
    plain = {name: value for name, value in os.environ.items() if "COVERAGE" not in name}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=plain) as process:
        try:
            assert process.stdout is not None
            split = urlsplit(process.stdout.readline().strip())
            one = Target(
                folder=path,
                address=(split.hostname or "", split.port or 0),
                process=psutil.Process(process.pid),
                hub_key=hub_key,
                room=room,
            )
            # Something is held, and everything was used once.
            held = [pen.write(1, 2).seal() for pen in (Pen(room.rotated()) for _ in range(20))]
            assert set(one.say(segments=tuple(held)).codes) == {Taken.STORED}
            yield one
        finally:
            process.terminate()


def signed(key: Key, parts: list) -> bytes:
    return encode([*parts, key.sign(DOMAIN + encode(parts))])


def bomb(key: Key, first: int, number: bytes, strings: bytes) -> bytes:
    """A segment that means far more work than it is large, signed as it must be."""
    version, writer, _, _, prev, *_ = decode_array(Pen(key).seal())
    return signed(
        key, [version, writer, first, 512, prev if first == 1 else b"p" * 32, number, strings]
    )


LARGEST = b"\xff" * (16 * 1024)


def noise(target: Target) -> list[bytes]:
    return [
        b"<html>" * 1000,
        secrets.token_bytes(MAX_MESSAGE_BYTES),
        b"\x81" * MAX_MESSAGE_BYTES,
        b"\x9b" + b"\xff" * 8,
        b"\x9a\x00\xff\xff\xff" + b"\x00" * 400_000,
        b"\x5b" + b"\xff" * 8 + b"x",
        encode([encode([[[[[[[1]]]]]]]), bytes(64)]),
    ]


def forged(target: Target) -> list[bytes]:
    good = target.ask(segments=(Pen(target.room).seal(),))
    body, signature = decode_array(good)
    fields = decode_array(body)
    return [
        encode([body, bytes(64)]),
        encode([body + b"", signature[::-1]]),
        encode([encode([*fields[:1], b"school-2", *fields[2:]]), signature]),
        encode([encode([*fields[:2], b"somebody", *fields[3:]]), signature]),
        good[:-1],
        good + b"\x00",
    ]


def bombs(target: Target) -> list[bytes]:
    room = target.room
    return [
        target.ask(segments=tuple(bomb(room, first, number, strings) for _ in range(count)))
        for first in (1, 2)
        for number, strings, count in (
            (LARGEST, b"", 15),
            (secrets.token_bytes(16 * 1024), b"", 15),
            (b"\x7f" * 600, b"", 300),
            (b"\x7f" * 16_000, b"\x81" + bytes(200_000), 1),
            (b"", zlib.compress(bytes(180 << 20), 9), 1),
        )
    ]


def writers(target: Target) -> list[bytes]:
    """Logs of keys that nobody enrolled, as many as fit."""
    pens = [Pen(Key()) for _ in range(600)]
    keys = tuple(Introduction(public_key=p.key.public_key, nonce=p.key.nonce) for p in pens)
    segments = tuple(pen.seal() for pen in pens)
    return [target.ask(segments=segments), target.ask(segments=segments[:300], introductions=keys)]


def jumps(target: Target) -> list[bytes]:
    far = Pen(target.room.rotated())
    far.lc = 1 << 39
    far.write(1)
    parts = decode_array(Pen(target.room.rotated()).write(1, 2).seal())[:-1]
    broken = signed(target.room, [*parts[:2], 2, *parts[3:]])
    return [target.ask(segments=(far.seal(), broken))]


def vectors(target: Target) -> list[bytes]:
    many = [
        Stretch(writer=secrets.token_bytes(8), seq=1 << 40, head=secrets.token_bytes(16))
        for _ in range(4096)
    ]
    told = vector(many, many)
    return [target.ask(have=told), target.ask(have=Vector(open=told.open, closed_digest=b"d" * 16))]


ATTACKS = (noise, forged, bombs, writers, jumps, vectors)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_a_hostile_message_costs_little_and_changes_nothing(target, attack):
    before, memory = target.held(), target.process.memory_info().rss
    for message in attack(target):
        used = target.cpu_s()
        status, body = target.post(message)
        assert target.cpu_s() - used <= CPU_S
        assert target.process.memory_info().rss - memory <= MEMORY
        if status == 200:
            reply = open_reply(body, message, target.hub_key, verify)
            assert [code for code in reply.codes if code.is_kept] == []
    assert target.held() == before


def test_a_reply_is_no_request(target):
    """What a hub signed does not come back as somebody's word."""
    envelope = target.ask()
    _, reply = target.post(envelope)
    before = target.held()
    assert target.post(reply)[0] == 400
    assert target.held() == before


def test_many_slow_bodies_cost_little(target):
    before, memory, used = target.held(), target.process.memory_info().rss, target.cpu_s()
    head = f"POST /v1/x HTTP/1.1\r\nhost: h\r\ncontent-type: {TYPE}\r\n"
    head += f"content-length: {MAX_MESSAGE_BYTES}\r\n\r\n"
    with contextlib.ExitStack() as stack:
        for _ in range(200):
            wire = stack.enter_context(socket.create_connection(target.address, timeout=60))
            wire.setblocking(False)
            with contextlib.suppress(BlockingIOError, ConnectionError):
                wire.send(head.encode("ascii") + bytes(400_000))
        assert target.post(b"nothing")[0] in (400, 429, 503)
        assert target.process.memory_info().rss - memory <= MEMORY
    assert target.cpu_s() - used <= 200 * CPU_S
    assert target.held() == before


def test_a_head_without_end_is_cut_off(target):
    memory = target.process.memory_info().rss
    with socket.create_connection(target.address, timeout=60) as wire:
        with contextlib.suppress(ConnectionError):
            wire.sendall(b"GET /v1/hello HTTP/1.1\r\n")
            for _ in range(1000):
                wire.sendall(b"x-more: " + b"y" * 8000 + b"\r\n")
        with contextlib.suppress(ConnectionError):
            assert b"200" not in wire.recv(100)
    assert target.process.memory_info().rss - memory <= MEMORY


def dense(pen: Pen) -> bytes:
    """The most work that a few hundred bytes can hold."""
    for _ in range(60):
        pen.add_raw(900, 1, encode([[], *[0] * 240]))
    return pen.seal()


@pytest.mark.parametrize("kind", ["many", "dense"])
def test_as_much_as_one_request_may_bring_costs_little(target, kind):
    """Honest or not: what is more than a second's work waits for the next request."""
    pen = Pen(target.room.rotated())
    if kind == "many":
        runs = [pen.write(*[1] * (512 - bool(n == 0))).seal() for n in range(20)]
    else:
        runs = [dense(pen) for _ in range(24)]
    memory, used = target.process.memory_info().rss, target.cpu_s()
    codes = target.say(segments=tuple(runs)).codes
    assert target.cpu_s() - used <= CPU_S
    assert target.process.memory_info().rss - memory <= MEMORY
    kept = [code.is_kept for code in codes]
    assert kept == sorted(kept, reverse=True)
    assert {Taken.STORED, Taken.FULL} == set(codes)
