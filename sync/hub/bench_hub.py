"""`bench hub`: what a hub on this machine can take, over real HTTP, with signatures and fsync.

Requests are signed beforehand; other processes send them over open connections and wait for each
reply. Every exchange brings one small signed segment. Figures:

    exchanges_per_s, p99_ms      as fast as it goes, `connections` at a time
    cpu_ms_per_exchange          CPU time of the hub, all its threads
    cpu_share_300_schools        CPU time of the hub for 300 schools of 6 classes, 8 exchanges
                                 each, as a share of one core in a school day of 8 hours
    cpu_s_school_day             the same, in seconds
    memory_mb_before, _after     resident memory of the hub before and after all of it
    memory_mb_by_day             the same after each of several such school days
"""

import asyncio
import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import chain, zip_longest
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from client.domain.clock import SystemClock
from client.domain.errors import ResourceError
from client.domain.ids import SittingId
from client.domain.record.bodies import Body, CueReached, Incarnation, WhyIncarnation
from client.domain.record.event import NO_PREVIOUS, SCOPE_ROOM, Event, writer_of
from client.domain.record.segment import BootRow, seal
from client.domain.record.table import pack, spec_of
from client.domain.record.vector import Stretch, vector
from client.service.paths import ROOT
from client.store.keyfile import KeyFile
from sync.hub.app import TYPE
from sync.hub.folder import HubFolder
from sync.hub.ports import Node, Role
from sync.protocol.enrol import site_of
from sync.protocol.exchange import Reading, Request, node_of, pack_request

_PROCESSES: Final = 2
_SCHOOL_DAY_S: Final = 8 * 3600
_EXCHANGES: Final = 8
_DAYS: Final = 4
_CLASSES: Final = 6
_EVENTS_A_CLASS: Final = 34
"""Facts of one class in a day (SYNC §1.1)."""
_WALL_MS: Final = 1_810_000_000_000
_MACHINE: Final = b"machine1"
_MB: Final = 1 << 20

Log = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What is sent."""

    nodes: int = 600
    each: int = 12
    """Exchanges of each node, one small segment in each."""
    schools: int = 300
    connections: int = 24


QUICK: Final = Load(nodes=40, each=5, schools=10, connections=8)


class _Room:
    """A node that writes its log and knows what the hub holds of it."""

    def __init__(self, folder: Path, number: int, hub_key: bytes) -> None:
        self.key = KeyFile.create(folder / f"room-{number}.key")
        self.site = site_of(f"school {number}")
        self._hub_key = hub_key
        self._writer = writer_of(self.key.public_key, self.key.nonce)
        self._prev, self._seq = NO_PREVIOUS, 0

    @property
    def node(self) -> Node:
        """As the hub's directory has it."""
        return Node(
            key=self.key.public_key,
            role=Role.ROOM,
            site=self.site,
            school="",
            room="",
            machines=(_MACHINE,),
        )

    def ask(self, facts: int) -> bytes:
        """Write so many facts and sign the request that brings them."""
        key = self.key
        bodies: list[Body] = [
            CueReached(sitting=SittingId("00112233aabbccdd"), ordinal=n % 500) for n in range(facts)
        ]
        if not self._seq:
            why = WhyIncarnation.FIRST
            first = Incarnation(
                public_key=key.public_key, nonce=key.nonce, why=why, predecessors=()
            )
            bodies.insert(0, first)
        events = [self._event(body) for body in bodies]
        segment = seal(events, [BootRow(ordinal=1, wall_ms=_WALL_MS, was_clean=True)], key)
        held = Stretch(writer=self._writer, seq=self._seq, head=events[-1].id)
        request = Request(
            site=self.site,
            node=node_of(key.public_key),
            machine=_MACHINE,
            have=vector((held,)).summary,
            segments=(segment,),
            clock=Reading(boot=1, mono_ms=self._seq, wall_ms=_WALL_MS),
        )
        return pack_request(request, self._hub_key, key)

    def _event(self, body: Body) -> Event:
        self._seq += 1
        spec = spec_of(body)
        event = Event(
            writer=self._writer,
            seq=self._seq,
            prev=self._prev,
            lc=self._seq,
            boot=1,
            mono_ms=60_000 * self._seq,
            wall_ms=_WALL_MS + 60_000 * self._seq,
            scope=SCOPE_ROOM,
            type=spec.number.value,
            version=spec.version,
            body=pack(body),
        )
        self._prev = event.hash
        return event


def bench_hub(load: Load, log: Log) -> Mapping[str, object]:
    """Measure. Blocking, some ten seconds.

    Raises:
        ResourceError: `bench_app_died`: the hub did not start, or refused an exchange.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "keys").mkdir()
        with HubFolder(folder / "hub", SystemClock(), is_new_allowed=True) as hub:
            count = max(load.nodes, load.schools)
            rooms = [_Room(folder / "keys", n, hub.key().public_key) for n in range(count)]
            for room in rooms:
                hub.directory.enrol(room.node)
        log(f"{count} rooms are enrolled")
        with _start(folder / "hub") as process:
            try:
                return _measure(load, rooms, _base_of(process), process.pid)
            finally:
                process.terminate()


def _measure(load: Load, rooms: Sequence[_Room], base: str, pid: int) -> Mapping[str, object]:
    # A first round opens every log and warms up; it is not counted.
    first = [[room.ask(1)] for room in rooms]
    _send(base, first, load.connections)
    before = _memory_mb(pid)
    queues = [[room.ask(2) for _ in range(load.each)] for room in rooms[: load.nodes]]
    used = _cpu_s(pid)
    seconds, waits = _send(base, queues, load.connections)
    each = (_cpu_s(pid) - used) / len(waits)
    facts = _CLASSES * _EVENTS_A_CLASS // _EXCHANGES
    used, by_day = 0.0, []
    for _ in range(_DAYS):
        queues = [[room.ask(facts) for _ in range(_EXCHANGES)] for room in rooms[: load.schools]]
        begun = _cpu_s(pid)
        _send(base, queues, load.connections)
        used += (_cpu_s(pid) - begun) * 300 / load.schools / _DAYS
        by_day.append(_memory_mb(pid))
    return {
        "exchanges_per_s": round(len(waits) / seconds, 1),
        "p50_ms": round(_quantile(waits, 0.5) * 1000, 1),
        "p99_ms": round(_quantile(waits, 0.99) * 1000, 1),
        "cpu_ms_per_exchange": round(each * 1000, 2),
        "cpu_share_300_schools": round(used / _SCHOOL_DAY_S, 5),
        "cpu_s_school_day": round(used, 2),
        "memory_mb_before": before,
        "memory_mb_after": _memory_mb(pid),
        "memory_mb_by_day": by_day,
    }


def _start(folder: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, str(ROOT / "main.py"), "hub", "--data", str(folder), "--port", "0"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - ourselves


def _base_of(process: "subprocess.Popen[str]") -> str:
    """Read the first line that a hub says."""
    base = process.stdout.readline().strip() if process.stdout else ""
    if not base:
        raise ResourceError("bench_app_died", {"what": "hub"})
    return base


def _send(
    base: str, queues: Sequence[Sequence[bytes]], connections: int
) -> tuple[float, list[float]]:
    """Send each room's requests in their order; gives seconds in all, and of each exchange."""
    split = urlsplit(base)
    shares = [queues[n::_PROCESSES] for n in range(_PROCESSES)]
    with ProcessPoolExecutor(_PROCESSES, multiprocessing.get_context("spawn")) as pool:
        address = (split.hostname or "", split.port or 0)
        each = connections // _PROCESSES
        # Processes take a while to start: an empty round first, so that it is not counted.
        list(pool.map(_work, [(address, (), 1)] * _PROCESSES))
        found = list(pool.map(_work, [(address, share, each) for share in shares]))
    begun, ended = min(one[0] for one in found), max(one[1] for one in found)
    return ended - begun, list(chain.from_iterable(one[2] for one in found))


_Job = tuple[tuple[str, int], Sequence[Sequence[bytes]], int]


def _work(job: _Job) -> tuple[float, float, list[float]]:
    """Send in this process over so many connections; gives begin, end and seconds of each."""
    address, queues, connections = job
    clock = SystemClock()
    # Each connection takes its rooms in turns, so that a room's requests stay in order.
    lines = [
        [data for row in zip_longest(*queues[n::connections]) for data in row if data is not None]
        for n in range(connections)
    ]

    async def everything() -> list[float]:
        talks = [_talk(address, line, clock) for line in lines if line]
        return list(chain.from_iterable(await asyncio.gather(*talks)))

    begun = clock.monotonic()
    waits = asyncio.run(everything())
    return begun, clock.monotonic(), waits


async def _talk(
    address: tuple[str, int], bodies: Sequence[bytes], clock: SystemClock
) -> list[float]:
    reader, writer = await asyncio.open_connection(*address)
    waits = []
    for body in bodies:
        begun = clock.monotonic()
        head = f"POST /v1/x HTTP/1.1\r\nhost: {address[0]}\r\ncontent-type: {TYPE}\r\n"
        writer.write(f"{head}content-length: {len(body)}\r\n\r\n".encode("ascii") + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        length = int(answer.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
        await reader.readexactly(length)
        if not answer.startswith(b"HTTP/1.1 200"):
            raise ResourceError("bench_app_died", {"what": answer[9:12].decode("ascii")})
        waits.append(clock.monotonic() - begun)
    writer.close()
    return waits


def _quantile(values: Sequence[float], share: float) -> float:
    return sorted(values)[int(share * (len(values) - 1))]


def _cpu_s(pid: int) -> float:
    """CPU seconds of a process so far; 0.0 where the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory_mb(pid: int) -> float:
    """Resident memory of a process; 0.0 where the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()
    except OSError:
        return 0.0
    return round(int(fields[1]) * os.sysconf("SC_PAGE_SIZE") / _MB, 1)
