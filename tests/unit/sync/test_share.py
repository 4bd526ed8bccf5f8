"""share: the HTTP of a PC that shares."""

import asyncio
import contextlib
import http.client
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from client.domain.clock import FrozenClock, SystemClock
from client.domain.errors import ResourceError, StorageError
from sync.hub import share
from sync.hub.serve import Place, listen_at
from sync.hub.share import ShareApp, ShareServer, is_private

DIGEST = "ab" * 32
NONE = "cd" * 32
DATA = bytes(range(256)) * 8


class Shelf:
    """Has one file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.asked: list[str] = []

    def card(self) -> bytes:
        return b"card"

    def listing(self, lesson: str) -> bytes:
        self.asked.append(lesson)
        if lesson == "broken":
            raise StorageError("store_failed")
        return b"listing"

    def heads(self) -> bytes:
        return b"heads"

    def rows(self, digest):
        return self.object(digest)

    def edition(self, digest):
        return self.object(digest)

    def object(self, digest):
        return self.path if digest == DIGEST else None

    def manifest(self, digest):
        return b"manifest" if digest == DIGEST else None

    def marks(self, digest):
        return b"marks" if digest == DIGEST else None


@pytest.fixture
def served(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(DATA)
    shelf = Shelf(path)
    server = ShareServer(lambda _: shelf, SystemClock(), Place(port=0))
    yield server, shelf
    server.close()
    server.close()


def ask(server, path, method="GET", headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        connection.request(method, path, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_everything_has_its_door_and_nothing_else_has_one(served):
    server, shelf = served
    assert ask(server, "/v1/near") == (200, b"card")
    assert ask(server, "/v1/near/h") == (200, b"heads")
    assert ask(server, "/v1/near/l/one%20lesson") == (200, b"listing")
    assert shelf.asked == ["one lesson"]
    assert ask(server, f"/v1/near/s/{DIGEST}") == (200, b"marks")
    assert ask(server, f"/v1/m/{DIGEST}") == (200, b"manifest")
    for kind in ("near/r", "c/e", "o"):
        assert ask(server, f"/v1/{kind}/{DIGEST}") == (200, DATA)
        assert ask(server, f"/v1/{kind}/{NONE}")[0] == 404
    part = ask(server, f"/v1/o/{DIGEST}", headers={"Range": "bytes=256-511"})
    assert part == (206, DATA[256:512])
    long = "x" * 201
    for path in (f"/v1/m/{NONE}", "/v1/o/..%2f..", f"/v1/near/l/{long}", "/v1/x", "/v1/hello"):
        assert ask(server, path)[0] == 404
    assert ask(server, "/v1/near/l/broken")[0] == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_sh2_nothing_is_taken_in(served, method):
    """SH2"""
    assert ask(served[0], "/v1/near", method)[0] == 405
    assert ask(served[0], "/v1/x", method)[0] == 404


@pytest.mark.parametrize(
    ("host", "is_home"),
    [
        ("192.168.1.9", True),
        ("10.0.0.1", True),
        ("169.254.1.1", True),
        ("127.0.0.1", True),
        ("8.8.8.8", False),
        ("0.0.0.0", False),
        ("2001:4860::1", False),
        ("", False),
    ],
)
def test_sh1_only_addresses_at_home_are_answered(host, is_home, tmp_path):
    """SH1"""
    assert is_private(host) is is_home
    with ThreadPoolExecutor(1) as executor:
        sent = got(ShareApp(Shelf(tmp_path), FrozenClock(), executor).asgi, host)
    assert sent[0]["status"] == (200 if is_home else 404)


def got(app, host: str) -> list[dict]:
    """Ask for the card from an address, without a network."""
    sent = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/v1/near",
        "raw_path": b"/v1/near",
        "query_string": b"",
        "headers": [],
        "client": (host, 1) if host else None,
    }
    asyncio.run(app(scope, receive, send))
    return sent


def test_sh3_answers_leave_no_faster_than_is_good(tmp_path, monkeypatch):
    """SH3: each waits for those before it; time is the clock's."""
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(share, "PACE_BYTES_PER_S", len(b"card"))
    monkeypatch.setattr(asyncio, "sleep", sleep)
    with ThreadPoolExecutor(1) as executor:
        app = ShareApp(Shelf(tmp_path), FrozenClock(), executor).asgi
        for _ in range(3):
            assert got(app, "127.0.0.1")[0]["status"] == 200
    assert slept == [1.0, 2.0, 3.0]


def test_sh4_whoever_asks_is_knocked_at_seldom(served):
    """SH4: at its own address only."""
    server, _ = served
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
        assert ask(server, f"/v1/near/back/{port}") == (200, b"1")
    assert ask(server, f"/v1/near/back/{port}") == (200, b"0")
    for wrong in ("0", "65536", "x", "999999", "-1"):
        assert ask(server, f"/v1/near/back/{wrong}")[0] == 404
    said = [ask(server, f"/v1/near/back/{port}")[0] for _ in range(4)]
    assert said[-1] == 429


def test_a_taken_port_is_no_hindrance_and_closing_cuts_off(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(bytes(32 << 20))
    shelf = Shelf(path)
    with listen_at(Place(port=0)) as taken:
        place = Place(port=taken.getsockname()[1])
        server = ShareServer(lambda _: shelf, SystemClock(), place)
        assert server.port != place.port
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as wire:
            wire.sendall(f"GET /v1/o/{DIGEST} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            assert wire.recv(100)
            server.close()
            came = 0
            with contextlib.suppress(ConnectionError):
                while data := wire.recv(1 << 20):
                    came += len(data)
            assert came < 32 << 20
    with pytest.raises(ResourceError, match="address_taken"):
        ShareServer(lambda _: shelf, SystemClock(), Place(host="192.0.2.77", port=0))
