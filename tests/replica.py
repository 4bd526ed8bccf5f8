"""The platform's replica as a subprocess: start it, change it, break it, ask it for the truth.

    def test_something(replica):             # small catalogue, reset before each test
        replica.mutate("rename", id=..., title="新")
        replica.fault("cut", probability=0.3)
        assert replica.requests("catalogue.detail") == 3

    def test_other(replicas):                # any options; one process per set of options
        peer = replicas("--no-validators", "--seed", "2")

Processes live as long as the test session and share one folder of clips.
"""

import json
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

MEDIA_DIR = Path(tempfile.gettempdir()) / "replica-media"
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_WAIT_S = 240


class Replica:
    """One running replica. `base` is its address, e.g. `http://127.0.0.1:40123`."""

    def __init__(self, tools: Path, *options: str) -> None:
        command = [sys.executable, str(tools / "replica" / "serve.py"), "--port", "0"]
        command += ["--media-dir", str(MEDIA_DIR), *options]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self.process.stdout is not None
        self.base = self.process.stdout.readline().strip()
        assert self.base.startswith("http://"), f"the replica did not start: {self.base!r}"

    def mutate(self, op: str, **fields: object) -> Any:
        """Change the catalogue; the answer names what was changed."""
        return self._control("mutate", {"op": op, **fields})

    def fault(self, profile: str, **fields: object) -> None:
        """Make `profile` the only fault. `none` ends them all."""
        self._control("fault", {"profile": profile, **fields})

    def faults(self, *profiles: dict[str, object]) -> None:
        """Make these the active faults."""
        self._control("fault", list(profiles))

    def stats(self) -> dict[str, Any]:
        """Requests, body bytes and statuses since the last reset."""
        return dict(self._control("stats"))

    def requests(self, path_class: str = "") -> int:
        """Requests whose class (see the replica's README) starts with `path_class`."""
        return self._sum("requests", path_class)

    def body_bytes(self, path_class: str = "") -> int:
        """Body bytes sent for classes that start with `path_class`."""
        return self._sum("body_bytes", path_class)

    def truth(
        self, *, files: bool = True, book: str | None = None, lesson: str | None = None
    ) -> dict[str, Any]:
        """What a perfect client holds now. With files it waits for the clips."""
        query = {"files": "1" if files else "0", "book": book or "", "lesson": lesson or ""}
        return dict(self._control("truth?" + urllib.parse.urlencode(query)))

    def reset(self, *what: str) -> None:
        """Forget `stats`, `faults`, `mutations`; everything without arguments."""
        self._control("reset", {"what": list(what) or ["all"]})

    def stop(self) -> None:
        """End the process, also while it is still making clips."""
        self.process.terminate()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(timeout=20)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def _sum(self, what: str, path_class: str) -> int:
        classes = self.stats()["classes"]
        chosen = (n for n in classes if n.startswith(path_class) and n != "control")
        return sum(int(classes[name][what]) for name in chosen)

    def _control(self, name: str, content: object = None) -> Any:
        body = None if content is None else json.dumps(content).encode()
        request = urllib.request.Request(f"{self.base}/_control/{name}", data=body)
        with _OPENER.open(request, timeout=_WAIT_S) as answer:
            return json.load(answer)


Replicas = Callable[..., Replica]


@pytest.fixture(scope="session")
def replicas(shared_dir: Path) -> Iterator[Replicas]:
    """Give replicas by their options, each reset to its first edition."""
    running: dict[tuple[str, ...], Replica] = {}

    def get(*options: str) -> Replica:
        if options not in running:
            running[options] = Replica(shared_dir / "tools", *options)
        running[options].reset()
        return running[options]

    yield get
    for replica in running.values():
        replica.stop()


@pytest.fixture
def replica(replicas: Replicas) -> Replica:
    """Give the replica with default options, as if just started."""
    return replicas()
