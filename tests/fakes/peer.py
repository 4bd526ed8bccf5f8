"""A scripted web server on loopback, and the script both it and its in-memory twin follow."""

import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a path answers. `cut_after` breaks the connection after so many body bytes."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut_after: int | None = None
    stalls: bool = False
    """Send what `cut_after` allows (nothing without it), then fall silent."""
    is_garbage: bool = False
    """Answer something that is not HTTP."""
    ranges: bool = True
    etag: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request as the peer saw it."""

    path: str
    headers: Mapping[str, str]


Script = Callable[[Asked], Reply]


def ranged(reply: Reply, headers: Mapping[str, str]) -> Reply:
    """Apply Range and If-Range as a plain web server does."""
    wanted = headers.get("range", "")
    if reply.status != 200 or not reply.ranges or not wanted.startswith("bytes="):
        return reply
    if headers.get("if-range", reply.etag) != reply.etag:
        return reply
    first = int(wanted.removeprefix("bytes=").split("-")[0])
    last = int(wanted.split("-")[1] or len(reply.body) - 1)
    if first >= len(reply.body):
        return Reply(status=416, headers={"Content-Range": f"bytes */{len(reply.body)}"})
    body = reply.body[first : last + 1]
    extra = {"Content-Range": f"bytes {first}-{first + len(body) - 1}/{len(reply.body)}"}
    return Reply(
        status=206,
        body=body,
        headers={**reply.headers, **extra},
        cut_after=reply.cut_after,
        stalls=reply.stalls,
        etag=reply.etag,
    )


class LoopbackPeer:
    """A real web server that follows a script. Counts what it sent."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.asked: list[Asked] = []
        self.connections = 0
        self.body_bytes = 0
        self.released = threading.Event()
        self._lock = threading.Lock()
        peer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def setup(self) -> None:
                super().setup()
                with peer._lock:
                    peer.connections += 1

            def log_message(self, *args: object) -> None:
                pass

            def do_GET(self) -> None:
                peer._serve(self)

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: object, client_address: object) -> None:
                pass

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )
        self._thread.start()

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        headers = {name.lower(): value for name, value in handler.headers.items()}
        asked = Asked(path=handler.path, headers=headers)
        with self._lock:
            self.asked.append(asked)
        reply = ranged(self.script(asked), headers)
        if reply.is_garbage:
            handler.wfile.write(b"hello, I am no web server\r\n\r\n")
            handler.close_connection = True
            return
        if reply.stalls and reply.cut_after is None:
            self.released.wait(30)
            handler.close_connection = True
            return
        handler.send_response(reply.status)
        if reply.etag:
            handler.send_header("ETag", reply.etag)
        if reply.status != 304:
            handler.send_header("Content-Length", str(len(reply.body)))
        for name, value in reply.headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        body = reply.body if reply.cut_after is None else reply.body[: reply.cut_after]
        handler.wfile.write(body)
        handler.wfile.flush()
        with self._lock:
            self.body_bytes += len(body)
        if reply.stalls:
            self.released.wait(30)
        if reply.cut_after is not None:
            # An orderly close first lets the bytes arrive; the peer still sees a short body.
            handler.connection.shutdown(socket.SHUT_WR)
            handler.close_connection = True

    def close(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
