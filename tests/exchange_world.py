"""Rooms that exchange with a hub over carriers that may fail, all in memory."""

from collections.abc import Callable
from dataclasses import dataclass, field

from client.domain.clock import FrozenClock
from client.domain.errors import ClassroomError, UnreachableError
from client.domain.record.event import Event
from client.domain.record.log import Taken
from client.store.keyfile import verify
from sync.engine.exchange import ExchangePorts, Exchanger, Here, Outcome
from tests.fakes.memory_log import MemoryLog
from tests.hub_world import SITE, Hub
from tests.log_world import Key, Pen

Carrier = Callable[[bytes], bytes]


@dataclass
class Memory:
    """Keeps one blob."""

    blob: bytes = b""

    def load(self) -> bytes:
        return self.blob

    def save(self, blob: bytes) -> None:
        self.blob = blob


@dataclass
class Room:
    """A machine that writes a log of its own and exchanges it with a hub."""

    hub: Hub
    key: Key = field(default_factory=Key)
    log: MemoryLog = field(default_factory=MemoryLog)
    memory: Memory = field(default_factory=Memory)
    clock: FrozenClock = field(default_factory=FrozenClock)
    carrier: Carrier | None = None
    site: bytes = SITE
    machine: bytes = b"machine1"

    def __post_init__(self) -> None:
        self.pens = [Pen(self.key)]
        self.refused: list[tuple[bytes, Taken]] = []
        self.calls: list[bytes] = []
        self.hub.enrol(self.key, self.site)

    @property
    def pen(self) -> Pen:
        return self.pens[-1]

    def write(self, *ordinals: int) -> "Room":
        self.pen.write(*ordinals)
        return self

    def rotate(self) -> "Room":
        """Begin a new log that names the one before."""
        self.seal()
        self.pens.append(Pen(self.key.rotated(), after=(self.pen,)))
        return self

    def seal(self) -> None:
        for pen in self.pens:
            if pen.sealed < len(pen.events):
                assert self.log.take((pen.seal(),)).result() == (Taken.STORED,)

    def carry(self, envelope: bytes) -> bytes:
        self.calls.append(envelope)
        return (self.carrier or self.hub.responder.answer)(envelope)

    def ports(self) -> ExchangePorts:
        return ExchangePorts(
            log=self.log,
            seal=self.seal,
            signer=self.key,
            verify=verify,
            hub_key=self.hub.key.public_key,
            here=Here(site=self.site, machine=self.machine, boot=3),
            carrier=self.carry,
            memory=self.memory,
            on_refused=lambda data, code: self.refused.append((data, code)),
            clock=self.clock,
        )

    def sync(self) -> Outcome:
        return Exchanger(self.ports()).run()

    def try_sync(self) -> Outcome | None:
        """Exchange over a carrier that may fail."""
        try:
            return self.sync()
        except ClassroomError:
            return None

    def events(self) -> set[bytes]:
        return set(self.log.events)

    def written(self) -> set[bytes]:
        """What was written here, told by an observer outside of the store."""
        return {event.hash for pen in self.pens for event in pen.events}


def at_hub(hub: Hub, site: bytes = SITE) -> dict[bytes, Event]:
    return hub.logs.of(site).events


def dark(_: bytes) -> bytes:
    """A link that is down."""
    raise UnreachableError("unreachable")
