"""A relay between a room and a server: it counts what the server sends, cuts and slows the link.

It speaks just enough HTTP to know which bytes of which file an answer holds. Nothing of the product
counts for itself: what stands in `answers` is what went over this wire.
"""

import contextlib
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

_PIECE = 16 << 10
_ASKED = re.compile(rb"^range: bytes=(\d+)-", re.IGNORECASE | re.MULTILINE)
_RANGE = re.compile(rb"^content-range: bytes (\d+)-", re.IGNORECASE | re.MULTILINE)
_LENGTH = re.compile(rb"^content-length: (\d+)", re.IGNORECASE | re.MULTILINE)
_CHUNKED = re.compile(rb"^transfer-encoding:.*chunked", re.IGNORECASE | re.MULTILINE)
_RESET = struct.pack("ii", 1, 0)

Verified = Callable[[str, int], int | None]
"""Tells, for a path and the first byte that is asked for, up to which byte the file is verified
there; None where nobody can say."""


@dataclass
class Sent:
    """One answer with a body."""

    path: str
    start: int
    verified: int | None
    """When it was asked for."""
    size: int = 0
    """What went on of it."""


class Relay:
    """Runs on its own threads until `close`.

    Args:
        base: Address of the server.
        verified: Asked when a request comes, before the server hears of it.
    """

    def __init__(self, base: str, verified: Verified) -> None:
        split = urlsplit(base)
        self._to = (split.hostname or "", split.port or 80)
        self._verified = verified
        self._gate = threading.Lock()
        self._open: set[socket.socket] = set()
        self._dark_until = self._due = 0.0
        self._is_silent = False
        self._rate = 0
        self.answers: list[Sent] = []
        self.hits = 0
        """Connections that a cut ended."""
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.base = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def slow(self, bytes_per_s: int) -> None:
        """Let so many bytes pass in a second over all connections, 0 for all there are."""
        self._rate = bytes_per_s

    def cut(self, how: str, dark_s: float) -> None:
        """End every connection and let none begin for a while.

        `reset` says so, `closed` ends in the middle of a body, `silent` lets nothing pass first.
        """
        with self._gate:
            self._dark_until = time.monotonic() + dark_s
            self._is_silent = how == "silent"
        if how == "silent":
            time.sleep(dark_s)
        with self._gate:
            doomed, self._open = self._open, set()
            self._is_silent = False
        for one in doomed:
            self.hits += 1
            with contextlib.suppress(OSError):
                if how != "closed":
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                one.shutdown(socket.SHUT_RDWR) if how == "closed" else one.close()

    def close(self) -> None:
        self._listener.close()
        self.cut("reset", 0.0)

    # --- inside --------------------------------------------------------------------------

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                room, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(room,), daemon=True).start()

    def _serve(self, room: socket.socket) -> None:
        with contextlib.suppress(OSError, EOFError), room:
            if time.monotonic() < self._dark_until:
                room.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                return
            with socket.create_connection(self._to) as server, self._known(room):
                for one in (room, server):
                    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                while self._exchange(room, server):
                    pass

    @contextlib.contextmanager
    def _known(self, room: socket.socket) -> Iterator[None]:
        with self._gate:
            self._open.add(room)
        try:
            yield
        finally:
            with self._gate:
                self._open.discard(room)

    def _exchange(self, room: socket.socket, server: socket.socket) -> bool:
        head, rest = _head(room)
        method, target, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
        path = urlsplit(target).path
        asked = _ASKED.search(head)
        first = int(asked[1]) if asked else 0
        verified = self._verified(path, first) if method == "GET" else None
        server.sendall(head + rest)
        for data in _body(room, _length(head) - len(rest)):
            server.sendall(data)
        answer, rest = _head(server)
        assert not _CHUNKED.search(answer), "no answer here is chunked"
        place = _RANGE.search(answer)
        status = int(answer.split(b" ", 2)[1])
        size = 0 if method == "HEAD" or status in (204, 304) else _length(answer)
        sent = Sent(path=path, start=int(place[1]) if place else 0, verified=verified)
        if status in (200, 206) and method == "GET":
            with self._gate:
                self.answers.append(sent)
        room.sendall(answer)
        sent.size += self._pass(room, rest)
        for data in _body(server, size - len(rest)):
            sent.size += self._pass(room, data)
        return True

    def _pass(self, room: socket.socket, data: bytes) -> int:
        """Hand bytes on when it is their turn."""
        with self._gate:
            now = time.monotonic()
            self._due = max(self._due, now) + (len(data) / self._rate if self._rate else 0.0)
            wait = self._due - now
        time.sleep(wait)
        while self._is_silent:
            time.sleep(0.01)
        room.sendall(data)
        return len(data)


def _head(wire: socket.socket) -> tuple[bytes, bytes]:
    data = b""
    while b"\r\n\r\n" not in data:
        more = wire.recv(_PIECE)
        if not more:
            raise EOFError
        data += more
    head, end, rest = data.partition(b"\r\n\r\n")
    return head + end, rest


def _body(wire: socket.socket, size: int) -> Iterator[bytes]:
    while size > 0:
        data = wire.recv(min(size, _PIECE))
        if not data:
            raise EOFError
        size -= len(data)
        yield data


def _length(head: bytes) -> int:
    found = _LENGTH.search(head)
    return int(found[1]) if found else 0
