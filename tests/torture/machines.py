"""Rooms and hubs of a simulated school."""

import contextlib
import random
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from client.domain.clock import FrozenClock
from client.domain.errors import (
    ClassroomError,
    ProtocolError,
    StorageError,
    StorageFullError,
    UnreachableError,
)
from client.domain.record.bodies import WhyIncarnation
from client.domain.record.event import Event
from client.domain.record.fold import Fold
from client.domain.record.log import Taken
from client.domain.record.segment import MAX_EVENTS
from client.domain.signer import Verify
from sync.engine.exchange import Carrier, ExchangePorts, Exchanger, Here, Outcome
from sync.engine.folder_exchange import exchange_by_folder
from sync.hub.admission import Admission, VettedLog
from sync.hub.ports import Node, Role
from sync.hub.respond import Responder
from sync.protocol.exchange import MAX_MESSAGE_BYTES, node_of
from sync.transport.folder_carrier import FolderCarrier
from tests.fakes.memory_hub import MemoryDirectory
from tests.torture.keys import QuickKey
from tests.torture.memory import MemoryDisk
from tests.torture.net import Net
from tests.torture.observer import Broken, Deed, Observer
from tests.torture.people import Draft

SITE = b"school-1"
YEARS = (0, 1_356_998_400_000, 1_795_000_000_000, 4_070_908_800_000)
"""1970, 2013, 2026 and 2099."""
ROUNDS = 16
"""No exchange of a history takes more requests than this."""


class Clock:
    """The clock of one machine. Its dice are its own: other clocks, same history (I9)."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self.mono = 1000
        self.wall_ms = dice.choice(YEARS)

    def tick(self) -> tuple[int, int]:
        """Let some time pass, or let somebody change the date; gives (mono, wall)."""
        step = self._dice.randrange(1, 100_000)
        self.mono += step
        self.wall_ms += step
        if self._dice.random() < 0.05:
            self.wall_ms = self._dice.choice(YEARS) + self._dice.randrange(10**9)
        return self.mono, self.wall_ms

    def monotonic(self) -> float:
        return self.mono / 1000

    def boot_monotonic_ms(self) -> int:
        return self.mono

    def wall(self) -> datetime:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=self.wall_ms)

    def boot(self) -> None:
        self.mono = self._dice.randrange(1000, 60_000)
        if self._dice.random() < 0.3:
            self.wall_ms = self._dice.choice(YEARS)


@dataclass
class Room:
    """A PC of the school."""

    name: str
    disk: MemoryDisk
    clock: Clock
    observer: Observer
    net: Net
    verify: Verify
    is_liar: bool = False
    """Its disk says that it wrote what it did not."""
    frozen: MemoryDisk | None = None
    """What a restore card puts back at every start."""
    image: MemoryDisk | None = None
    """An older copy of the disk."""
    is_full: bool = False
    seen: int = 0
    is_stale: bool = True

    def __post_init__(self) -> None:
        self.fold = Fold()

    # --- recording -----------------------------------------------------------------------

    def look(self) -> Fold:
        """What the screen shows."""
        if self.is_stale:
            self.fold, self.seen, self.is_stale = Fold(), 0, False
        events, self.seen = self.disk.events_since(self.seen)
        for event in events:
            self.fold.add(event)
        return self.fold

    def begin(self, why: WhyIncarnation, key: QuickKey) -> None:
        """Begin a log under a new name."""
        self.disk.set_full(False)  # whoever repairs a machine makes room first
        heads = sorted(self.disk.own_heads())
        event = self.disk.begin(why, key, self.predecessors(heads), self.clock.tick())
        self.disk.set_full(self.is_full)
        self.notice()
        self.observer.retired.append((event, heads))

    def predecessors(self, heads: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        """Name the logs that a new one goes on from."""
        return heads

    def must_rotate(self) -> bool:
        """Whether somebody else wrote under the name of this machine."""
        return self.disk.is_forked()

    def write(self, draft: Draft) -> Event | None:
        """Do what a teacher decided; None when the disk was full and the user was told."""
        now = self.clock.tick()
        try:
            if draft.body is None:
                event = self.disk.write_raw(*draft.raw, now)
            else:
                event = self.disk.write(draft.body, now)
        except StorageFullError:
            return None
        seen = set(draft.seen)
        full = tuple(name for name in self.observer.deeds if name[:16] in seen)
        deed = Deed(len(self.observer.deeds), event, full, is_read=draft.body is not None)
        self.observer.done(self.name, deed, self.disk.key.public_key)
        self.notice()
        return event

    def start(self) -> None:
        """Start the program on the disk that is there."""
        self.is_stale = True
        self.disk.is_liar = self.is_liar
        self.disk.open(self.clock)
        self.disk.set_full(self.is_full)
        self.notice()

    def set_full(self, is_full: bool) -> None:
        """Fill the disk, or make room on it."""
        self.is_full = is_full
        self.disk.set_full(is_full)

    def notice(self) -> None:
        """Note what the program wrote by itself: beginnings of logs and what they go on from."""
        for event in self.disk.written_alone():
            if event.hash not in self.observer.deeds:
                deed = Deed(len(self.observer.deeds), event)
                self.observer.done(self.name, deed, self.disk.key.public_key)

    def seal(self, most: int = MAX_EVENTS) -> None:
        """Sign what no segment holds, if there is room for it."""
        with contextlib.suppress(StorageFullError):
            self.disk.seal(most)
        self.notice()

    def take(self, segments, introductions=()) -> None:
        """Take segments that came by hand."""
        self.disk.log.take(segments, introductions).result()
        self.disk.commit()
        self.notice()

    # --- accidents -----------------------------------------------------------------------

    def put(self, disk: MemoryDisk) -> None:
        """Start from this disk."""
        self.disk.close()
        self.disk = disk
        self.disk.boot += 1
        self.clock.boot()
        self.start()

    def lose(self, disk: MemoryDisk) -> None:
        """Start from a disk that is known to lack something."""
        self.put(disk)
        self.observer.excuse(self.name, self.there())

    def power_cut(self, dice: random.Random) -> None:
        """Pull the plug. An honest disk keeps what it promised."""
        if self.frozen is not None:
            self.lose(self.frozen.copy())
        elif self.is_liar:
            self.lose(self.disk.cut(dice.randrange(0, 4)))
        else:
            self.put(self.disk.cut(0, torn=dice.random()))
            self.observer.check_promises(self.name, self.there())

    def there(self) -> set[bytes]:
        return self.disk.there()

    # --- exchanging ----------------------------------------------------------------------

    def exchange(self, hub: "Hub", most: int = ROUNDS) -> Outcome | None:
        """Talk to a hub until there is nothing more to say; None when that was cut off.

        Of `most` requests none comes through any more.
        """
        try:
            return Exchanger(self._ports(hub, way(self.net, hub, most))).run()
        except ProtocolError as error:
            raise Broken(
                "stuck", f"an exchange fails at what is held here: {error.code}"
            ) from error
        except ClassroomError:
            return None
        finally:
            self.disk.commit()
            self.notice()

    def carry(self, hub: "Hub", stick: Path) -> None:
        """Take up what a hub answered on a stick, and leave on it what is to be said."""
        with contextlib.suppress(ClassroomError):  # a stick or a disk that is full
            exchange_by_folder(self._ports(hub), FolderCarrier(stick))
        self.disk.commit()
        self.notice()

    def _ports(self, hub: "Hub", carrier: Carrier = bytes) -> ExchangePorts:
        return ExchangePorts(
            log=self.disk.log,
            seal=self.seal,
            signer=self.disk.key,
            verify=self.verify,
            hub_key=hub.key.public_key,
            here=Here(site=SITE, machine=bytes(8), boot=self.disk.boot),
            carrier=carrier,
            memory=_Belief(self.disk, hub.name),
            on_refused=spread,
            clock=self.clock,
        )


def spread(_data: bytes, code: Taken) -> None:
    """Hear that somebody was offered a damaged segment: its owner has to find it before (LS4)."""
    raise Broken("rotten", f"a damaged segment was given away: {code.name}")


def way(net: Net, hub: "Hub", most: int) -> Carrier:
    """Give the way to a hub, on which no more than `most` requests come through."""
    left = most

    def carrier(envelope: bytes) -> bytes:
        nonlocal left
        left -= 1
        if len(envelope) > MAX_MESSAGE_BYTES:
            raise Broken("unbounded", "a request is too long")
        reply = net.carry(hub.answer, envelope) if left >= 0 else None
        if reply is None:
            raise UnreachableError("offline")
        return reply

    return carrier


@dataclass
class _Belief:
    disk: MemoryDisk
    hub: str

    def load(self) -> bytes:
        return self.disk.beliefs.get(self.hub, b"")

    def save(self, blob: bytes) -> None:
        self.disk.beliefs[self.hub] = blob
        self.disk.commit()


class Hub:
    """A hub: its store in use, and what of it is on the disk."""

    def __init__(self, name: str, disk: MemoryDisk, observer: Observer, verify: Verify) -> None:
        self.name, self.disk, self.observer, self.verify = name, disk, observer, verify
        self.key = disk.key
        self.directory = MemoryDirectory()
        self._admission = Admission(self.directory, verify)
        self._responder = Responder(self.key, self.directory, self, FrozenClock(), verify)
        self._promised: list[bytes] = []
        disk.open(FrozenClock())
        disk.flush()
        self.backup = disk.copy()
        self.backed_up: set[bytes] = set()
        self.is_full = False
        self.lies = False
        self.is_liar = False
        """Its disk says that it wrote what it did not."""
        self.takes = 0
        self.dies_in = -1
        """After so many more requests the plug is pulled behind the commit, before the reply."""

    def sync(self) -> None:
        """Bring what was committed to the disk, before anything is acknowledged."""
        self.disk.flush()
        self.disk.commit()

    def enrol(self, key: QuickKey, role: Role = Role.ROOM) -> None:
        """Let a key in."""
        self.observer.enrolled.add(key.public_key)
        site = SITE if role is Role.ROOM else b""
        self.directory.enrol(
            Node(key=key.public_key, role=role, site=site, school="school", room="room")
        )

    def node(self) -> Node:
        """What this hub is to one that asks it."""
        key = self.key.public_key
        return Node(key=key, role=Role.HUB, site=b"", school=self.name, room="")

    def revoke(self, key: bytes) -> None:
        """Let a key in no more."""
        self.directory.revoke(node_of(key))

    def set_full(self, is_full: bool) -> None:
        """Fill the disk, or make room on it."""
        self.is_full = is_full
        self.disk.set_full(is_full)

    def of(self, _site: bytes) -> "Keeper":
        """See `sync.hub.ports.Logs`."""
        return Keeper(self, self._promised)

    def answer(self, envelope: bytes) -> bytes:
        """Answer, and have the observer note what was promised."""
        self._promised = []
        reply = self._responder.answer(envelope)
        if len(reply) > MAX_MESSAGE_BYTES:
            raise Broken("unbounded", "a reply is too long")
        self.observer.acknowledged(self.name, self._promised)
        self.dies_in -= 1
        if self.dies_in == 0:
            self.power_cut()
            raise StorageError("store_failed")
        return reply

    def exchange(self, above: "Hub", net: Net, most: int = ROUNDS) -> Outcome | None:
        """Talk, as a hub of a school, to one above it: as a room does, with the same engine."""
        ports = ExchangePorts(
            log=VettedLog(Keeper(self, []), self._admission, above.node(), SITE),
            seal=lambda: None,
            signer=self.key,
            verify=self.verify,
            hub_key=above.key.public_key,
            here=Here(site=SITE, machine=bytes(8)),
            carrier=way(net, above, most),
            memory=_Belief(self.disk, above.name),
            on_refused=spread,
            clock=FrozenClock(),
        )
        try:
            return Exchanger(ports).run()
        except ProtocolError as error:
            raise Broken(
                "stuck", f"an exchange fails at what is held here: {error.code}"
            ) from error
        except ClassroomError:
            return None

    def power_cut(self, commits: int = 0) -> None:
        """Pull the plug. A disk that lies loses the newest `commits`."""
        if self.is_liar:
            self.lose(self.disk.cut(commits))
        else:
            self._put(self.disk.flushed())
            self.observer.check_promises(self.name, self.there())

    def roll_back(self) -> None:
        """Somebody puts an old backup in its place."""
        self.lose(self.backup.copy())

    def lose(self, disk: MemoryDisk) -> None:
        """Start from a disk that is known to lack something."""
        self._put(disk)
        self.observer.excuse(self.name, self.there())

    def make_backup(self) -> None:
        """Keep the present state of the disk."""
        self.backup.close()
        self.backup, self.backed_up = self.disk.flushed(), self.there()

    def _put(self, disk: MemoryDisk) -> None:
        self.disk.close()
        self.disk = disk
        disk.is_liar = self.is_liar
        disk.open(FrozenClock())
        disk.set_full(self.is_full)
        disk.flush()

    def there(self) -> set[bytes]:
        return self.disk.there()


class Keeper:
    """The store of a hub as its responder sees it: with a disk that may be full, or that lies."""

    def __init__(self, hub: Hub, promised: list[bytes]) -> None:
        self._hub, self._log, self._promised = hub, hub.disk.log, promised

    def take(self, segments, introductions=()):
        hub, done = self._hub, Future()
        if hub.lies:
            done.set_result(tuple(Taken.STORED for _ in segments))
            return done
        before = hub.there()
        codes = self._log.take(segments, introductions).result()
        if before - hub.there():
            raise AssertionError("a hub forgot")
        if segments:
            hub.sync()
        for data, code in zip(segments, codes, strict=True):
            if code.is_kept:
                self._promised.append(data)
        done.set_result(codes)
        return done

    def vector(self):
        return self._log.vector()

    def missing(self, there, max_bytes, **how):
        return self._log.missing(there, max_bytes, **how)

    def stretches(self, segments):
        return self._log.stretches(segments)

    def lacks(self, there):
        return self._log.lacks(there)

    def is_continued(self, writer):
        return self._log.is_continued(writer)

    def introductions(self, segments):
        return self._log.introductions(segments)
