"""A hub's published folder, a web server in front of it, and rooms that read it."""

import contextlib
import functools
import http.server
import os
import shutil
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from client.domain.availability import Decodes
from client.domain.cancel import CancelToken
from client.domain.clock import Clock, FrozenClock
from client.service.paths import Profile
from client.service.station import Station
from client.store.keyfile import KeyFile
from sync.engine.folder_import import FolderReport, import_folder
from sync.hub.content import ContentFolder
from sync.hub.publish import Publisher, PublishReport

UNIT = "三年级/数学/第六单元 认识分数"
PDF = b"%PDF-1.4\n"
FTYP = b"\0\0\0\x18ftypisom"


def yes(path: Path) -> Decodes:
    """A probe for tests that are not about decoding."""
    assert path.is_file()
    return Decodes.YES


def put(root: Path, name: str, data: bytes) -> Path:
    """Write a file below `root`."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def film(size: int, seed: int = 1) -> bytes:
    """Bytes that begin like a film and repeat nowhere."""
    body = b"".join((seed * 2**32 + at).to_bytes(8, "big") for at in range(size // 8 + 1))
    return (FTYP + body)[:size]


@dataclass
class Keeper:
    """Whoever keeps a hub: its profile, its key and what it publishes."""

    root: Path
    clock: Clock

    def __post_init__(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        self.station = Station(Profile(self.root / "profile"), self.clock)
        path = self.root / "hub.key"
        self.key = KeyFile.load(path) or KeyFile.create(path)
        self.content = ContentFolder(self.root / "content")

    def take_in(self, folder: Path) -> FolderReport:
        return import_folder(self.station, folder, yes, CancelToken())

    def publish(self) -> PublishReport:
        made = Publisher(self.station, self.content, self.key, self.clock)
        return made.publish(CancelToken())


@contextlib.contextmanager
def keeper(root: Path, clock: Clock | None = None) -> Iterator[Keeper]:
    made = Keeper(root, clock or FrozenClock())
    try:
        yield made
    finally:
        made.station.close()


@contextlib.contextmanager
def plain_server(public: Path) -> Iterator[str]:
    """Serve a folder with Python's own server, which knows no ranges."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=str(public))
    )
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


NGINX = """
{user}daemon off; pid {run}/pid; error_log {run}/error.log; worker_processes 1;
events {{}}
http {{
    access_log {run}/access.log;
    client_body_temp_path {run}/body; proxy_temp_path {run}/proxy; fastcgi_temp_path {run}/f;
    uwsgi_temp_path {run}/u; scgi_temp_path {run}/s;
    server {{
        listen 127.0.0.1:{port};
{server}
    }}
}}
"""


@contextlib.contextmanager
def nginx(public: Path, run: Path, server: str) -> Iterator[str]:
    """Serve a folder with nginx; `server` is the body of the server block."""
    program = shutil.which("nginx")
    assert program is not None, "make setup installs nginx"
    run.mkdir(parents=True, exist_ok=True)
    with http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as probe:
        port = probe.server_port
    config = run / "nginx.conf"
    user = "user root; " if os.geteuid() == 0 else ""
    config.write_text(NGINX.format(user=user, run=run, port=port, server=server), encoding="utf-8")
    process = subprocess.Popen([program, "-c", str(config), "-p", str(run), "-e", str(run / "e")])
    try:
        base = f"http://127.0.0.1:{port}"
        waiting = threading.Event()
        for _ in range(200):
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{base}/v1/c/head"):
                break
            waiting.wait(0.05)
        yield base
    finally:
        process.terminate()
        process.wait()
