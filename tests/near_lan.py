"""A school in network namespaces: five PCs on a switch, the first also holds the one link outwards.

hub -- veth -- pc0 (gateway, bridge) -- pc1 … pc4
"""

import contextlib
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from client.service.paths import ROOT

HUB_AT = "10.78.0.1"
HUB_PORT = 8080
PATIENCE_S = 120


def why_not() -> str:
    """Say why there can be no namespaces here, empty if there can."""
    if sys.platform != "linux" or os.geteuid() != 0 or shutil.which("ip") is None:
        return "needs root and network namespaces"
    name = f"tkn-{os.getpid()}-try"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False)
    if made.returncode:
        return "needs root and network namespaces"
    bridge = subprocess.run(
        ["ip", "-n", name, "link", "add", "br0", "type", "bridge"], capture_output=True, check=False
    )
    subprocess.run(["ip", "netns", "del", name], check=True)
    return "needs bridges between network namespaces" if bridge.returncode else ""


class Lan:
    """The namespaces and what runs in them."""

    def __init__(self, pcs: int) -> None:
        self.names = [f"tkn-{os.getpid()}-{number}" for number in range(pcs)]
        self.hub = f"tkn-{os.getpid()}-hub"
        self.running: list[subprocess.Popen[str]] = []

    def ip(self, name: str, *words: object) -> None:
        subprocess.run(["ip", "-n", name, *map(str, words)], check=True, capture_output=True)

    def build(self) -> None:
        first = self.names[0]
        for name in (*self.names, self.hub):
            subprocess.run(["ip", "netns", "add", name], check=True)
            self.ip(name, "link", "set", "lo", "up")
        self.ip(
            first, "link", "add", "wan", "type", "veth", "peer", "name", "eth0", "netns", self.hub
        )
        self.ip(self.hub, "addr", "add", f"{HUB_AT}/30", "dev", "eth0")
        self.ip(self.hub, "link", "set", "eth0", "up")
        self.ip(self.hub, "route", "add", "10.77.0.0/24", "via", "10.78.0.2")
        self.ip(first, "addr", "add", "10.78.0.2/30", "dev", "wan")
        self.ip(first, "link", "set", "wan", "up")
        self.ip(first, "link", "add", "br0", "type", "bridge")
        self.ip(first, "addr", "add", "10.77.0.1/24", "brd", "+", "dev", "br0")
        self.ip(first, "link", "set", "br0", "up")
        for number, name in enumerate(self.names[1:], 2):
            port = f"p{number}"
            self.ip(
                first, "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", name
            )
            self.ip(first, "link", "set", port, "master", "br0", "up")
            self.ip(name, "addr", "add", f"10.77.0.{number}/24", "brd", "+", "dev", "eth0")
            self.ip(name, "link", "set", "eth0", "up")
            self.ip(name, "route", "add", "default", "via", "10.77.0.1")
        self.run(first, "sysctl", "-q", "-w", "net.ipv4.ip_forward=1")

    def run(self, name: str, *words: str) -> str:
        command = ["ip", "netns", "exec", name, *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def start(self, name: str, *words: object) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            ["ip", "netns", "exec", name, sys.executable, "-m", *map(str, words)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.running.append(process)
        return process

    def wan_bytes(self) -> int:
        """What came over the link since it was made, frames and all, counted at the link."""
        told = json.loads(self.run(self.names[0], "ip", "-s", "-j", "link", "show", "wan"))
        return int(told[0]["stats64"]["rx"]["bytes"])

    def close(self) -> None:
        for process in self.running:
            if process.poll() is None:
                process.kill()
            process.communicate()
        for name in (*self.names, self.hub):
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


@contextlib.contextmanager
def lan(pcs: int = 5) -> Iterator[Lan]:
    """Build the school until the block ends."""
    made = Lan(pcs)
    try:
        made.build()
        yield made
    finally:
        made.close()


class Room:
    """One PC in its namespace, and what it said so far."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)

    def tell(self, *words: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(list(words)) + "\n")
        self.process.stdin.flush()

    def until(self, **wanted: Any) -> dict[str, Any]:
        """Wait for a line that says all of this; a value may be a test."""
        while True:
            line = json.loads(self._lines.get(timeout=PATIENCE_S))
            if all(
                name in line and (value(line[name]) if callable(value) else line[name] == value)
                for name, value in wanted.items()
            ):
                return line

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def room(made: Lan, number: int, root: Path, key: bytes) -> Room:
    """Start a PC."""
    url = f"http://{HUB_AT}:{HUB_PORT}"
    profile = root / f"pc{number}"
    return Room(made.start(made.names[number], "tests.near_pc", profile, url, key.hex(), number))
