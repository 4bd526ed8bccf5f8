"""A hub that listens on loopback inside the test's process, and plain HTTP to it."""

import contextlib
import http.client
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from client.domain.clock import Clock, SystemClock
from sync.hub.app import PACE, TYPE, Pace
from sync.hub.folder import HubFolder
from sync.hub.serve import HubServer, Place


class Served:
    """A running hub."""

    def __init__(self, folder: HubFolder, url: str) -> None:
        self.folder, self.url = folder, url
        split = urlsplit(url)
        self.address = (split.hostname or "", split.port or 0)

    def ask(
        self, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, bytes, http.client.HTTPMessage]:
        """One request on its own connection."""
        connection = http.client.HTTPConnection(*self.address, timeout=30)
        try:
            method = "GET" if body is None else "POST"
            sent = {"content-type": TYPE} if headers is None else headers
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.headers
        finally:
            connection.close()

    @contextlib.contextmanager
    def raw(self) -> Iterator[socket.socket]:
        """A connection on which the test writes bytes."""
        with socket.create_connection(self.address, timeout=30) as wire:
            yield wire


@contextlib.contextmanager
def served(path: Path, *, pace: Pace = PACE, clock: Clock | None = None) -> Iterator[Served]:
    """Run a hub on `path` until the block ends."""
    with HubFolder(path, SystemClock(), is_new_allowed=True) as folder:
        server = HubServer(folder, Place(port=0), clock or SystemClock(), pace=pace)
        thread = threading.Thread(target=server.run, name="hub")
        thread.start()
        try:
            yield Served(folder, server.url)
        finally:
            server.stop()
            thread.join()
