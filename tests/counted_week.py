"""A week of a room on a link that somebody else counts.

The room is real: profile, plan, purse, supervisor, sockets. So is the hub, which publishes its
lessons and tells the time. Between them stands a relay, which is the link: it counts what the
packets of everything that passes would take, and true time is what it needs for that. Clocks are
scripted: those of the room's machine show what a test says.
"""

import contextlib
import socket
import socketserver
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

from urllib3.util import connection

from client.domain.availability import Light, PartState
from client.domain.cancel import CancelToken
from client.domain.catalogue import Lesson, Role
from client.domain.record.bodies import Ended
from client.domain.settings import Hours
from client.domain.spend import MEGABYTE, Purpose, local_hours
from client.domain.timetable import Slot, SlotKey
from client.service.paths import Profile
from client.service.station import Station
from sync.engine import supervisor
from sync.engine.bench_term import TermClock
from sync.engine.folder_import import import_folder
from sync.engine.hub_catalogue import add_hub_source
from sync.engine.hub_link import enrol
from sync.engine.link_desk import LinkDesk
from sync.hub.content import ContentFolder
from sync.hub.enrolment import add_code
from sync.hub.folder import CONTENT, HubFolder
from sync.hub.publish import Publisher
from sync.transport.http import CONNECT_S
from sync.transport.metered import LEAST_BYTES
from tests.content_world import PDF, film, put, yes
from tests.hub_server import served

PACKET = 1348
HEADERS = 52
HANDSHAKE = 8 * 60
PIECE = 8 * PACKET
HOURS = Hours(begin=20, end=6)
BEGIN = datetime(2027, 2, 20, 12)
"""A Saturday noon, local."""
PERIODS = {1: 8.5, 2: 9.4, 3: 10.4}
PATIENCE_S = 60
STEP_S = 1800.0


def packets(size: int) -> int:
    """Tell what so many bytes take as packets of a usual size, each acknowledged by itself."""
    return size + -(-size // PACKET) * 2 * HEADERS


@dataclass(kw_only=True)
class Load:
    """How much there is, and what the link may carry of it."""

    day_mb: int = 50
    film_bytes: int = 12 * MEGABYTE
    sheet_bytes: int = 1_200_000
    bytes_per_s: int = 64_000
    hours: float = 168.0


SMALL = Load(day_mb=8, film_bytes=1_900_000, sheet_bytes=150_000, hours=84.0)


@dataclass
class Meter:
    """What crossed the link, by day of the school and by kind, as its operator would count."""

    clock: TermClock
    bytes_per_s: int
    by_day: Counter[str] = field(default_factory=Counter)
    content: Counter[str] = field(default_factory=Counter)
    closed: int = 0
    """Content in hours that are closed."""
    dark: tuple[tuple[float, float], ...] = ()
    """Stretches in hours after the beginning in which nothing passes."""
    is_counting: bool = False
    gate: threading.Lock = field(default_factory=threading.Lock)

    @property
    def is_dark(self) -> bool:
        """Tell whether nothing passes now."""
        hours = (self.clock.true - BEGIN.astimezone(UTC)).total_seconds() / 3600
        return any(begin <= hours < end for begin, end in self.dark)

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        with self.gate:
            self.clock.true += timedelta(seconds=seconds)

    def cross(self, size: int, *, is_content: bool) -> None:
        """Let packets pass: it takes its time."""
        with self.gate:
            if not self.is_counting:
                return
            local = self.clock.true.astimezone()
            self.by_day[f"{local:%a %d}"] += size
            if is_content:
                self.content[f"{local:%a %d}"] += size
                is_open = any(a <= local.hour < b for a, b in local_hours(HOURS))
                self.closed += 0 if is_open else size
            self.clock.true += timedelta(seconds=size / self.bytes_per_s)


class Relay(socketserver.ThreadingTCPServer):
    """The link: what connects here reaches the hub."""

    allow_reuse_address = daemon_threads = True

    def __init__(self, meter: Meter, target: tuple[str, int]) -> None:
        self.meter, self.target = meter, target
        super().__init__(("127.0.0.1", 0), _Wire)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, *_: object) -> None:
        """Say nothing of connections that broke."""


class _Wire(socketserver.BaseRequestHandler):
    server: Relay

    def handle(self) -> None:
        self.is_content = True
        self.server.meter.cross(HANDSHAKE, is_content=False)
        # What is sent and not read yet has crossed; let it be little.
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, PIECE)
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with socket.create_connection(self.server.target) as hub:
            hub.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            back = threading.Thread(target=self._pump, args=(hub, self.request), daemon=True)
            back.start()
            self._pump(self.request, hub)
            back.join()

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while (data := source.recv(PIECE)) and not self.server.meter.is_dark:
                if source is self.request and data.startswith((b"GET ", b"POST ")):
                    self.is_content = data.startswith(b"GET ")
                self.server.meter.cross(packets(len(data)), is_content=self.is_content)
                target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


class _Idle(threading.Condition):
    """A condition that tells when somebody waits on it."""

    def __init__(self, *args: object) -> None:
        super().__init__(*args)
        self.is_waiting = threading.Event()

    def wait(self, timeout: float | None = None) -> bool:
        self.is_waiting.set()
        try:
            return super().wait(timeout)
        finally:
            self.is_waiting.clear()


class _HubClock(TermClock):
    """The hub's clock: true time, or a year nobody believes."""

    def __init__(self, room: TermClock, *, is_right: bool) -> None:
        super().__init__()
        self._room, self._is_right = room, is_right

    def monotonic(self) -> float:
        return (self._room.true - self.booted).total_seconds()

    def wall(self) -> datetime:
        return self._room.true if self._is_right else datetime(2013, 1, 1, tzinfo=UTC)


@dataclass
class Week:
    """One room for one week. `run` lives through it; then it tells what became of it."""

    folder: Path
    load: Load
    fault: str
    knows_time: bool = True
    """Whether the hub knows what time it is."""
    clock: TermClock = field(default_factory=TermClock)
    had_papers: list[bool] = field(default_factory=list)
    """For each lesson: whether its sheets were here when it began."""
    green: dict[int, list[bool]] = field(default_factory=dict)
    """By day of the week."""
    charged: int = 0
    boots: int = 0

    def __post_init__(self) -> None:
        self.clock.true = self.clock.booted = BEGIN.astimezone(UTC)
        self.clock.fault = self.fault
        self.meter = Meter(self.clock, self.load.bytes_per_s)

    def run(self) -> None:
        """Live through seven days."""
        with contextlib.ExitStack() as stack:
            clock = _HubClock(self.clock, is_right=self.knows_time)
            hub = stack.enter_context(served(self.folder / "hub", clock=clock))
            self._publish(hub.folder)
            relay = stack.enter_context(Relay(self.meter, hub.address))
            thread = threading.Thread(target=relay.serve_forever, args=(0.02,))
            thread.start()
            stack.callback(thread.join)
            stack.callback(relay.shutdown)
            stack.enter_context(mock.patch.object(CancelToken, "sleep", self._sleep()))
            stack.enter_context(mock.patch.object(connection, "create_connection", self._connect()))
            self._open()
            self._furnish(relay.url, add_code(hub.folder.directory, hub.folder.audit))
            stack.callback(lambda: self._close())  # noqa: PLW0108 - the desk of then
            self._live()
            self.charged = self.station.purse.standing().ledger.total

    def _sleep(self) -> Callable[[CancelToken, float], None]:
        """Waiting for a dark link takes scripted time alone."""

        def sleep(token: CancelToken, seconds: float) -> None:
            token.check()
            if self.meter.is_dark:
                self.meter.wait(seconds)

        return sleep

    def _connect(self) -> Callable[..., socket.socket]:
        """Nobody answers on a dark link, for as long as a client has patience."""
        real = connection.create_connection

        def connect(*args: Any, **more: Any) -> socket.socket:
            if self.meter.is_dark:
                self.meter.wait(CONNECT_S)
                raise TimeoutError
            return real(*args, **more)

        return connect

    # --- the hub ---------------------------------------------------------------------------

    def _publish(self, hub: HubFolder) -> None:
        disk = self.folder / "disk"
        for number in range(5 * len(PERIODS)):
            where = f"三年级/数学/第六单元 分数/{number:02} 分一分"
            put(disk, f"{where}/film.mp4", film(self.load.film_bytes, number + 1))
            put(disk, f"{where}/课件.pdf", PDF + film(self.load.sheet_bytes, number + 99))
        with contextlib.closing(Station(Profile(hub.path / "profile"), self.clock)) as station:
            import_folder(station, disk, yes, CancelToken())
            content = ContentFolder(hub.path / CONTENT)
            Publisher(station, content, hub.key(), self.clock).publish(CancelToken())

    # --- the room --------------------------------------------------------------------------

    def _open(self) -> None:
        self.boots += 1
        profile = Profile(self.folder / "room")
        self.station = Station(profile, self.clock, str(self.clock.booted))
        watched = SimpleNamespace(Condition=_Idle, Thread=threading.Thread)
        with mock.patch.object(supervisor, "threading", watched):
            self.desk = LinkDesk(self.station, yes)

    def _close(self) -> None:
        self.desk.close()
        self.station.close()

    def _cut(self) -> None:
        """Cut the power, and start again with a clock that begins anew."""
        self._close()
        self.clock.true += timedelta(minutes=5)
        self.clock.booted = self.clock.true
        self._open()

    def _furnish(self, url: str, code: str) -> None:
        room = self.station.room
        # Limits are set one after another here, and count from then on.
        self.desk.pause()
        room.set_room("石板小学", "1号教室").result()
        self._class = room.add_class("三年级", 3, 13).result()
        hub = enrol(self.station, url, code, CancelToken())
        add_hub_source(self.station, hub)
        self.desk.sync().result(PATIENCE_S)
        # Wholly known before anything is counted; what comes then is what the week needs.
        ids = sorted(one.id for one in self._lessons())
        for number, lesson in enumerate(ids):
            key = SlotKey(day=number // 3 + 1, period=number % 3 + 1, class_id=self._class)
            room.set_slot(Slot(key=key, subject="maths", lesson=lesson)).result()
        for name, text in (
            ("link_kind", "satellite"),
            ("link_budget_mb", str(self.load.day_mb)),
            ("link_hours", f"{HOURS.begin}-{HOURS.end}"),
        ):
            room.set_setting(name, text).result()
        self.desk.call_hubs()

    def _lessons(self) -> tuple[Lesson, ...]:
        store = self.station.catalogue
        return tuple(one for book in store.books() for one in store.lessons_of_book(book.id))

    # --- the days --------------------------------------------------------------------------

    def _live(self) -> None:
        """Let time pass; the link is back just before midnight and before it closes."""
        self.meter.dark = ((31.5, 36.0 - 3 / 60), (60.5, 66.0 - 3 / 60), (132.0, 138.0 - 3 / 60))
        happens = sorted((*self._classes(), *self._accidents()), key=lambda one: one[0])
        self.meter.is_counting = True
        self.desk.resume()
        for at_h, what in (one for one in happens if one[0] <= self.load.hours):
            self._pass_until(BEGIN.astimezone(UTC) + timedelta(hours=at_h))
            what()

    def _accidents(self) -> Iterator[tuple[float, Callable[[], None]]]:
        yield 12.02, self._cut
        yield 58.1, self._cut
        yield 108.1, self._cut
        yield self.load.hours, lambda: None

    def _classes(self) -> Iterator[tuple[float, Callable[[], None]]]:
        for day in range(1, 6):
            for period, hour in PERIODS.items():
                yield 12.0 + 24 * day + hour, partial(self._teach, day, period)

    def _teach(self, day: int, period: int) -> None:
        key = SlotKey(day=day, period=period, class_id=self._class)
        slot = next(one for one in self.station.room.snapshot().slots if one.key == key)
        assert slot.lesson is not None
        held = {
            one.part
            for one in self.station.holdings.of_lesson(slot.lesson)
            if one.state is PartState.PRESENT
        }
        lesson = self.station.catalogue.lesson(slot.lesson)
        assert lesson is not None
        self.had_papers.append(all(p.id in held for p in lesson.parts if p.role is not Role.VIDEO))
        light = self.station.library.detail_now(slot.lesson).light
        self.green.setdefault(day, []).append(light is Light.READY)
        recorder = self.station.records.recorder
        opened = recorder.open((self._class,), slot.lesson, key)
        recorder.end(opened.sitting, Ended.FINISHED).result()

    def _pass_until(self, when: datetime) -> None:
        """Let time pass: while the link is used by its bytes, else in steps."""
        self._settle()
        while self.clock.true < when:
            step = min(self._step_s(), (when - self.clock.true).total_seconds())
            self.clock.true += timedelta(seconds=step)
            self._settle()

    def _step_s(self) -> float:
        asked = [self.station.purse.allowance(one) for one in (Purpose.CONTENT, Purpose.URGENT)]
        if any((one.bytes or 0) >= LEAST_BYTES for one in asked):
            return STEP_S
        return min(max(STEP_S, *(one.for_s for one in asked)), 7200.0)

    def _settle(self) -> None:
        """Wait until the supervisor has nothing to do at this moment."""
        wake = self.desk.supervisor._wake
        assert isinstance(wake, _Idle)
        with wake:
            wake.is_waiting.clear()
            wake.notify_all()
        assert wake.is_waiting.wait(PATIENCE_S)
