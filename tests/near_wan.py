"""The hub's side of a slow link: `python -m tests.near_wan PUBLIC BYTES_PER_S`, files by range."""

import http.server
import sys
import threading
import time
from pathlib import Path

from tests.near_lan import HUB_AT, HUB_PORT

_STEP = 1 << 14
_gate = threading.Lock()
_free = [0.0]


def paced(size: int, per_s: int) -> None:
    """Wait until so many bytes may leave; all connections share the link."""
    with _gate:
        _free[0] = max(_free[0], time.monotonic()) + size / per_s
        wait_s = _free[0] - time.monotonic()
    threading.Event().wait(wait_s)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    public = Path()
    per_s = 0

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        path = self.public / self.path.lstrip("/")
        if not path.is_file():
            self.send_error(404)
            return
        data = path.read_bytes()
        first, _, last = self.headers.get("Range", "bytes=0-")[6:].partition("-")
        begin, end = int(first), int(last or len(data) - 1) + 1
        self.send_response(206 if "Range" in self.headers else 200)
        self.send_header("Content-Range", f"bytes {begin}-{end - 1}/{len(data)}")
        self.send_header("Content-Length", str(end - begin))
        self.end_headers()
        for at in range(begin, end, _STEP):
            piece = data[at : min(at + _STEP, end)]
            paced(len(piece), self.per_s)
            self.wfile.write(piece)


class Quiet(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing of clients that went away."""


if __name__ == "__main__":
    Handler.public, Handler.per_s = Path(sys.argv[1]), int(sys.argv[2])
    Quiet((HUB_AT, HUB_PORT), Handler).serve_forever()
