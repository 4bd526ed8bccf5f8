"""`bench exchange`: what it costs to keep a room and a hub together, counted on the wire.

A hub runs in a process of its own; a proxy in between counts the bytes of both directions.

    idle_bytes, idle_requests     nothing to do, on an open connection without TLS
    idle_tls_bytes                the same with TLS
    first_bytes                   the first exchange of a room with TLS, handshake included
    school_day_bytes              six classes for a day, eight exchanges on new TLS connections
    school_day_events             the facts of that day
    year_vector_bytes             what a room tells after `boots` starts of a disk that forgets
    link_idle_s, link_5000_s      over 600 ms and 1 % loss: nothing to do; 5,000 facts. Each on a
                                  new connection; absent without the link emulator or root

TCP/IP itself costs about 730 bytes more for each new connection.
"""

import contextlib
import json
import os
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import wait
from itertools import chain, count, islice
from pathlib import Path
from typing import Final

from client.domain.cancel import CancelToken
from client.domain.clock import SystemClock
from client.domain.errors import ResourceError
from client.domain.ids import ClassId, LessonId, SittingId
from client.domain.record import bodies as b
from client.service.bench_boots import year_vector_bytes
from client.service.paths import ROOT, Profile
from client.service.station import Station
from sync.engine.exchange import Outcome
from sync.engine.hub_link import HubLink, enrol

CLASSES: Final = 6
PERIODS: Final = 6
EXCHANGES: Final = 8
MANY: Final = 5000
_INSIDE: Final = "127.77.0.1"
_LOCAL: Final = "127.0.0.1"
_ANYWHERE: Final = "0.0.0.0"  # noqa: S104 - a hub speaks TLS off loopback only
_PORT: Final = 8520

Log = Callable[[str], None]


def bench_exchange(boots: int, tools: Path, log: Log) -> dict[str, object]:
    """Run the bench; see the module.

    Args:
        boots: Starts of the disk that forgets.
        tools: Where the link emulator lies, if it does.
        log: Progress for people.

    Raises:
        ResourceError: The hub did not start.
    """
    figures: dict[str, object] = {}
    with tempfile.TemporaryDirectory(prefix="tongke-bench") as name:
        folder = Path(name)
        log("plain")
        with _world(folder / "plain", _LOCAL) as (station, counter, link):
            link().exchange(CancelToken())
            figures |= _idle(link(), counter, "idle")
            station.close()
        log("TLS")
        with _world(folder / "tls", _ANYWHERE) as (station, counter, link):
            before = counter.bytes
            _once(link())
            figures["first_bytes"] = counter.bytes - before
            one = link()
            one.exchange(CancelToken())
            figures["idle_tls_bytes"] = _idle(one, counter, "idle")["idle_bytes"]
            figures |= _school_day(station, counter, link)
            station.close()
    log(f"{boots} starts of a disk that forgets")
    figures["year_vector_bytes"] = year_vector_bytes(boots)
    return figures | _over_satellite(tools, log)


# --- a hub, a room, and the wire between them -----------------------------------------------------


class Counter:
    """A relay that counts what goes through, both ways. Listens on loopback until it is closed."""

    def __init__(self, port: int) -> None:
        self._to = (_LOCAL, port)
        self._listener = socket.create_server((_LOCAL, 0))
        self._gate = threading.Lock()
        self._bytes = 0
        self.port: Final = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def bytes(self) -> int:
        """Bytes until now."""
        with self._gate:
            return self._bytes

    def close(self) -> None:
        """Take no more connections."""
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return  # it was closed
            far = socket.create_connection(self._to)
            threading.Thread(target=self._relay, args=(near, far), daemon=True).start()

    def _relay(self, near: socket.socket, far: socket.socket) -> None:
        other = {near: far, far: near}
        with near, far, contextlib.suppress(OSError):
            while True:
                for one in select.select([near, far], [], [])[0]:
                    data = one.recv(65536)
                    if not data:
                        return
                    with self._gate:
                        self._bytes += len(data)
                    other[one].sendall(data)


@contextlib.contextmanager
def _world(folder: Path, host: str) -> Iterator[tuple[Station, Counter, Callable[[], HubLink]]]:
    """Start a hub and enrol a room through a counter; links are closed at the end."""
    folder.mkdir()
    with _hub(folder / "hub", host) as (url, code), contextlib.ExitStack() as stack:
        scheme, _, port = url.replace("//", "").split(":")
        counter = Counter(int(port))
        stack.callback(counter.close)
        station = Station(Profile(folder / "room"), SystemClock())
        station.room.set_room("Bench", "1").result()
        known = enrol(station, f"{scheme}://{_LOCAL}:{counter.port}", code, CancelToken())

        def link() -> HubLink:
            one = HubLink(station, known)
            stack.callback(one.close)
            return one

        yield station, counter, link


@contextlib.contextmanager
def _hub(
    data: Path, host: str, port: int = 0, inside: tuple[str, ...] = ()
) -> Iterator[tuple[str, str]]:
    """Run a hub in a process of its own; yields its address and the code that enrols."""
    code = data.with_suffix(".code")
    command = [*inside, sys.executable, str(ROOT / "main.py"), "hub", "--data", str(data)]
    command += ["--host", host, "--port", str(port), "--admin-code-file", str(code)]
    hub = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - fixed
    try:
        assert hub.stdout is not None  # noqa: S101 - it was asked for
        url = hub.stdout.readline().strip()
        if not url:
            raise ResourceError("bench_needs", {"what": "hub"})
        yield url, code.read_text(encoding="ascii").strip()
    finally:
        hub.terminate()
        hub.communicate()


def _once(link: HubLink) -> Outcome:
    try:
        return link.exchange(CancelToken())
    finally:
        link.close()


def _idle(link: HubLink, counter: Counter, name: str) -> dict[str, object]:
    link.exchange(CancelToken())
    before = counter.bytes
    outcome = link.exchange(CancelToken())
    return {f"{name}_bytes": counter.bytes - before, f"{name}_requests": outcome.requests}


# --- a school day -----------------------------------------------------------------------------


def _school_day(
    station: Station, counter: Counter, link: Callable[[], HubLink]
) -> dict[str, object]:
    before, events = counter.bytes, station.journal.count()
    for period in range(EXCHANGES):
        if period < PERIODS:
            for number in range(CLASSES):
                wait(map(station.journal.append, lesson_facts(number, period)))
        _once(link())
    return {
        "school_day_bytes": counter.bytes - before,
        "school_day_events": station.journal.count() - events,
    }


def lesson_facts(number: int, period: int) -> list[b.Body]:
    """Make the facts of one lesson of one class: two question rounds, cues, a note at times."""
    sitting = SittingId(f"{number:08x}{period:08x}")
    ids, lesson = (ClassId(f"c{number}"),), LessonId(f"{number * 7919 + period:08x}-b2c1-4f0e")
    facts: list[b.Body] = [
        b.SittingOpened(
            sitting=sitting,
            class_ids=ids,
            lesson=lesson,
            day=3,
            period=period + 1,
            lesson_period=0,
        ),
        b.HeadcountTaken(sitting=sitting, class_id=ids[0], lesson=lesson, count=31 + number),
    ]
    for step in range(2):
        begin = step * 600 + period * 7
        counts = (("A", 17 - step), ("B", 5 + number), ("C", period), ("D", 2))
        facts += [
            b.CueReached(sitting=sitting, ordinal=step),
            b.Played(
                sitting=sitting,
                class_ids=ids,
                lesson=lesson,
                stretches=((begin, begin + 287 + number),),
            ),
            b.QuestionRound(
                sitting=sitting, class_ids=ids, lesson=lesson, round=step, counts=counts
            ),
        ]
    if period % 3 == 0:
        signs = (0x4E00 + (number * 331 + period * 17 + at * 97) % 8000 for at in range(16))
        facts.append(
            b.NoteWritten(
                sitting=sitting,
                class_ids=ids,
                lesson=lesson,
                note=bytes([number, period] * 4),
                text="".join(map(chr, signs)),
            )
        )
    facts.append(b.SittingEnded(sitting=sitting, how=b.Ended.FINISHED, screen_s=1800 + number))
    return facts


# --- over a satellite --------------------------------------------------------------------------


def _over_satellite(tools: Path, log: Log) -> dict[str, object]:
    """Measure through the link emulator, where it is here and may be used."""
    satlink = tools / "link" / "satlink.py"
    if not satlink.is_file() or shutil.which("ip") is None or os.geteuid() != 0:
        log("no link emulator here")
        return {}
    name = f"tx{os.getpid() % 10000}"
    with tempfile.TemporaryDirectory(prefix="tongke-bench") as folder, _link(satlink, name):
        return _timed(Path(folder), name, log)


@contextlib.contextmanager
def _link(satlink: Path, name: str) -> Iterator[None]:
    command = [sys.executable, str(satlink), "up", name, "--delay", "300", "--loss", "0.01"]
    link = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - fixed
    try:
        assert link.stdout is not None  # noqa: S101 - it was asked for
        link.stdout.readline()
        yield
    finally:
        link.terminate()
        link.communicate()


def _timed(folder: Path, name: str, log: Log) -> dict[str, object]:
    profile = folder / "room"
    station = Station(Profile(profile), SystemClock())
    station.room.set_room("Bench", "1").result()
    station.close()
    with _hub(folder / "hub", _INSIDE, _PORT, _within(name, "s")) as (url, code):
        _room(profile, name, "source", "add", "hub", url, "--code", code)
        _room(profile, name, "sync", "now")
        log("idle over the link")
        idle = [_room(profile, name, "sync", "now") for _ in range(3)]
        station = Station(Profile(profile), SystemClock())
        lessons = (lesson_facts(*divmod(number, PERIODS)) for number in count())
        wait(map(station.journal.append, islice(chain.from_iterable(lessons), MANY)))
        station.close()
        log(f"{MANY} facts over the link")
        many = _room(profile, name, "sync", "now")
    return {
        "link_idle_s": max(one["seconds"] for one in idle),
        "link_5000_s": many["seconds"],
        "link_5000_bytes": many["pushed_bytes"],
        "link_5000_requests": many["requests"],
    }


def _within(name: str, side: str) -> tuple[str, ...]:
    return ("ip", "netns", "exec", f"{name}-{side}")


def _room(profile: Path, name: str, *words: str) -> dict[str, float]:
    """Run one command of the room on its side of the link."""
    command = [*_within(name, "c"), sys.executable, str(ROOT / "main.py"), *words]
    command += ["--profile", str(profile), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - fixed
    if done.returncode:
        raise ResourceError("bench_needs", {"what": done.stdout.strip()})
    answer: dict[str, float] = json.loads(done.stdout)
    return answer
