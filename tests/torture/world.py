"""One history: a school where everything goes wrong for some weeks, and then a good week.

Rooms talk to one or two hubs, over a link or by stick; hubs may talk to one of the county.
"""

import hashlib
import random
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from unittest.mock import patch

from client.domain.canon import encode
from client.domain.record.bodies import WhyIncarnation
from client.domain.record.log import MAX_LAMPORT_JUMP
from client.domain.record.segment import seal
from client.domain.record.vector import EMPTY, Vector
from client.domain.signer import Verify
from sync.engine import exchange
from sync.hub import respond
from sync.hub.ports import Role
from tests.torture import journeys
from tests.torture.files import FileDisk
from tests.torture.keys import QuickKey, RealKey, signed
from tests.torture.machines import ROUNDS, SITE, Clock, Hub, Room
from tests.torture.memory import MemoryDisk
from tests.torture.net import Net
from tests.torture.observer import Broken, Observer, visible
from tests.torture.people import draft

LARGE = 1 << 18
STEPS = 110
MOST_ROOMS = 5
HEAL_ROUNDS = 9


@dataclass(frozen=True)
class Plan:
    """What a history is made from. The same plan gives the same history."""

    seed: int
    clocks: int = 0
    """Another number: other clocks, everything else the same."""
    is_signed: bool = False
    """With Ed25519 instead of its quick twin."""
    is_whole: bool = False
    """Messages are never cut by size, which hangs on clocks."""
    has_files: bool = False
    """With the program's own stores in SQLite."""
    steps: int = STEPS


@dataclass(frozen=True)
class Outcome:
    """What came of a history."""

    digest: str
    content: str
    """The same for every assignment of clocks."""
    events: int
    counts: Counter[str]


class World:
    """A school, its hubs and sticks."""

    def __init__(self, plan: Plan, verify: Verify, folder: Path) -> None:
        self.plan = plan
        self.folder = folder
        self.verify = verify
        self.dice = random.Random(plan.seed)
        self.clock_dice = random.Random(f"clocks {plan.seed} {plan.clocks}")
        self.observer = Observer()
        self.net = Net(self.dice, loss=self.dice.choice((0.0, 0.15, 0.3)))
        self.counts: Counter[str] = Counter()
        self.script = hashlib.sha256()
        self.key_type = RealKey if plan.is_signed else QuickKey
        self.keys = 0
        self.deeds = 0
        self.rooms: list[Room] = []
        self.sticks: list[tuple[tuple[bytes, ...], tuple]] = []
        self.sticks_of_hubs = journeys.sticks(folder)
        self.strangers: list[QuickKey] = []
        """Keys that no hub knows yet."""
        self.may_revoke = self.dice.random() < 0.15
        self.hubs: list[Hub] = []
        self.hubs += [self._hub(f"hub{n}") for n in range(1 + (self.dice.random() < 0.6))]
        self.county = self._hub("county") if self.dice.random() < 0.5 else None
        for hub in self.hubs if self.county else ():
            self.county.enrol(hub.key, Role.HUB)
        for _ in range(self.dice.choice((1, 2, 2, 3))):
            self._room()

    # --- making things -------------------------------------------------------------------

    def nonce(self) -> bytes:
        return self.dice.randbytes(16)

    @property
    def servers(self) -> list[Hub]:
        return [*self.hubs, *([self.county] if self.county else [])]

    def key(self) -> QuickKey:
        self.keys += 1
        number = self.plan.seed * 1000 + self.keys
        return self.key_type(number, self.nonce(), self.nonce)

    def room_key(self) -> QuickKey:
        """Make a key that the hubs know, or learn of later."""
        key = self.key()
        if self.dice.random() < 0.15:
            self.strangers.append(key)
        else:
            self.enrol(key)
        return key

    def enrol(self, key: QuickKey) -> None:
        for hub in self.hubs:
            hub.enrol(key)

    def _hub(self, name: str) -> Hub:
        hub = Hub(name, self.disk(self.key(), SITE), self.observer, self.verify)
        # The first one's disk is honest: what it promised is checked after every cut.
        hub.is_liar = hub.disk.is_liar = name != "hub0" and self.dice.random() < 0.3
        return hub

    def disk(self, key: QuickKey, site: bytes = b"") -> MemoryDisk | FileDisk:
        return FileDisk(key, self.folder, site) if self.plan.has_files else MemoryDisk(key)

    def _room(self, disk: MemoryDisk | None = None) -> Room:
        room = Room(
            name=f"pc{len(self.rooms)}",
            disk=disk or self.disk(self.room_key()),
            clock=Clock(self.clock_dice),
            observer=self.observer,
            net=self.net,
            verify=self.verify,
            is_liar=self.dice.random() < 0.4,
        )
        self.rooms.append(room)
        room.start()
        if disk is None:
            room.begin(WhyIncarnation.FIRST, room.disk.key)
            room.seal()
        self.observer.owed[room.name] = room.there() & self.observer.deeds.keys()
        return room

    # --- the bad weeks -------------------------------------------------------------------

    def run(self) -> Outcome:
        """Live through the history and judge it. Raises `Broken`."""
        certain = dict(
            zip(self.dice.sample(range(self.plan.steps), len(CERTAIN)), CERTAIN, strict=True)
        )
        for number in range(self.plan.steps):
            self.step(certain.get(number))
        self.heal()
        return self.judge()

    def close(self) -> None:
        """Close what is open."""
        for one in self.stores():
            one.disk.close()

    def step(self, action=None) -> None:
        room = self.dice.choice(self.rooms)
        action = action or self.dice.choices(ACTIONS, WEIGHTS)[0]
        self.counts[action.__name__.strip("_")] += 1
        self.script.update(f"{action.__name__} {room.name}\n".encode())
        action(self, room)

    def _teach(self, room: Room) -> None:
        for _ in range(self.dice.randrange(1, 4)):
            self.deeds += 1
            wish = draft(self.dice, self.deeds, room.look())
            self._heed_fork(room)
            room.write(wish)

    def _heed_fork(self, room: Room) -> None:
        if room.must_rotate():
            self._rotate(room)

    def _rotate(self, room: Room) -> None:
        self.counts["rotate"] += 1
        room.begin(WhyIncarnation.RESTORED, room.disk.key.rotated())

    def _sync(self, room: Room) -> None:
        hub = self.dice.choice(self.hubs)
        portion = self.dice.choice((1, 600, LARGE))
        most = self.dice.choice((1, 2, 3, ROUNDS))
        if self.dice.random() < 0.3:
            hub.dies_in = self.dice.randrange(1, 4)
        with portions(LARGE if self.plan.is_whole else portion):
            room.exchange(hub, most)
        hub.dies_in = -1

    def _seal(self, room: Room) -> None:
        room.seal(self.dice.choice((1, 2, 512)))

    def _late(self, _room: Room) -> None:
        self.net.deliver_late()

    def _power_cut(self, room: Room) -> None:
        room.power_cut(self.dice)

    def _hub_power_cut(self, _room: Room) -> None:
        hub = self.dice.choice((self.hubs[0], *self.servers))
        hub.power_cut(self.dice.randrange(4))

    def _image(self, room: Room) -> None:
        room.image = room.disk.copy()

    def _restore(self, room: Room) -> None:
        if room.image is None:
            return
        room.lose(room.image.copy())
        if self.dice.random() < 0.5:
            # The sentinel outside of the disk tells what happened.
            self._rotate(room)

    def _clone(self, room: Room) -> None:
        """Copy a disk into another machine; mostly nobody notices and both go on."""
        if len(self.rooms) >= MOST_ROOMS:
            return
        twin = self._room(room.disk.copy())
        if self.dice.random() < 0.15:
            self._rotate(twin)
        for one in (room, twin):
            self._teach(one)

    def _freeze(self, room: Room) -> None:
        room.frozen = None if room.frozen else room.disk.copy()

    def _key_lost(self, room: Room) -> None:
        room.set_full(False)  # nobody can ever sign what no segment holds by now
        room.seal()
        lost, new = room.disk.key.public_key, self.key()
        if sum(one.disk.key.public_key == lost for one in self.rooms) == 1:
            # Nobody will ever enrol it: the log of the next one says what it goes on from.
            self.strangers = [one for one in self.strangers if one.public_key != lost]
        self.enrol(new)
        room.begin(WhyIncarnation.KEY_LOST, new)

    def _fill_disk(self, room: Room) -> None:
        room.set_full(not room.is_full)
        hub = self.dice.choice(self.servers)
        hub.set_full(not hub.is_full)

    def _backup_hub(self, _room: Room) -> None:
        self.dice.choice(self.servers).make_backup()

    def _roll_hub_back(self, _room: Room) -> None:
        self.dice.choice(self.servers).roll_back()

    def _hub_lies(self, _room: Room) -> None:
        if len(self.hubs) > 1:
            self.hubs[1].lies = not self.hubs[1].lies

    def _stick_out(self, room: Room) -> None:
        room.seal()
        log = room.disk.log
        segments = log.missing(EMPTY, LARGE)
        self.sticks.append((segments, log.introductions(segments)))

    def _stick_in(self, room: Room) -> None:
        if not self.sticks:
            return
        segments, introductions = self.dice.choice(self.sticks)
        if self.dice.random() < 0.3:
            segments = tuple(self.net.garble(data) for data in segments)
        room.take(segments, introductions)

    def _hostile(self, room: Room) -> None:
        """Somebody who has no right to brings segments to a room and a hub."""
        hub = self.dice.choice(self.hubs)
        for log in (room.disk.log, hub.disk.log):
            before = log.vector().summary
            log.take(self._forged(room)).result()
            if log.vector().summary != before:
                raise Broken("forged", "a forged segment was taken")
        hub.sync()

    def _forged(self, room: Room) -> tuple[bytes, ...]:
        """Another's log under a wrong key, a counter that leaps under a stolen one, and rubbish."""
        tip = room.disk.tip
        false = replace(
            tip, seq=tip.seq + 1, prev=tip.hash, lc=tip.lc + 1, type=9999, body=encode([[], "no"])
        )
        highest = max(deed.event.lc for deed in self.observer.deeds.values())
        leap = replace(false, lc=highest + MAX_LAMPORT_JUMP + 1)
        thief = QuickKey(self.plan.seed + 77)
        stolen = room.disk.key
        return (seal([false], [], thief), seal([leap], [], stolen), self.dice.randbytes(60), b"")

    # --- the good week -------------------------------------------------------------------

    def heal(self) -> None:
        """Everything works again, at first with a network that still loses much."""
        for hub in self.servers:
            hub.set_full(False)
            hub.lies = hub.is_liar = hub.disk.is_liar = False
            hub.sync()
            journeys.look_after_hub(self, hub)
        for room in self.rooms:
            room.is_full = False
            room.frozen = None
            room.put(room.disk.cut(0, torn=self.dice.random()))
            journeys.look_after_room(self, room)
            self._teach(room)
            room.seal()
        journeys.enrol_all(self)
        for segments, introductions in self.sticks:
            self.rooms[0].take(segments, introductions)
        self.surviving = self._reachable()
        self.net.loss, self.net.storm = 0.25, 0
        self._exchange_all(2)
        self.net.deliver_late()
        self.net.loss, self.net.storm = 0.0, 0
        for _ in range(2):
            self._exchange_all(1)
            for room in self.rooms:
                self._teach(room)
            self.surviving |= self._reachable()
        self.is_settled = self._exchange_all(HEAL_ROUNDS)

    def _reachable(self) -> set[bytes]:
        """What is on a disk that may still talk to a hub."""
        able = [one for one in self.rooms if not self.is_revoked(one)]
        return set().union(*(one.there() for one in (*able, *self.servers)))

    def _exchange_all(self, rounds: int) -> bool:
        """Let all talk to all hubs until that changes nothing; tells whether it came to that."""
        after = self._vectors()
        for _ in range(rounds):
            before = after
            for hub in self.hubs:
                for room in self.rooms:
                    room.exchange(hub)
                if self.county:
                    hub.exchange(self.county, self.net)
            after = self._vectors()
            if before == after:
                return True
        return False

    def _vectors(self) -> list[Vector]:
        return [disk.log.vector() for disk in self._disks()]

    def is_revoked(self, room: Room) -> bool:
        return room.disk.key.public_key in self.observer.revoked

    def stores(self) -> list[Room | Hub]:
        return [*self.rooms, *self.servers]

    def _disks(self) -> list[MemoryDisk]:
        return [one.disk for one in self.stores()]

    def judge(self) -> Outcome:
        """Check everything that must be true now."""
        stores = {one.name: list(one.disk.events()) for one in self.stores()}
        cut_off = {one.name for one in self.rooms if self.is_revoked(one)}
        self.observer.judge(stores, self.surviving, cut_off)
        for one in self.servers:
            self.observer.check_refused(one.name, one.there())
        hub = self.hubs[0]
        events = {event.hash: event for event in stores[hub.name]}
        self.observer.check_closed(hub.disk.log.vector(), events)
        self._check_quiet()
        digest = hashlib.sha256(self.script.digest())
        for name in sorted(stores):
            digest.update(b"".join(sorted(event.hash for event in stores[name])))
        return Outcome(
            digest=digest.hexdigest()[:16],
            content=self._content(),
            events=len(events),
            counts=self.counts,
        )

    def _check_quiet(self) -> None:
        """I6: saying it all again changes nothing, and costs one small request each."""
        if not self.is_settled:
            raise Broken("restless", "there is always something new to say")
        before = self._vectors()
        idle = [hub.exchange(self.county, self.net) for hub in self.hubs if self.county]
        for room in self.rooms:
            found = [room.exchange(hub) for hub in self.hubs]
            if not self.is_revoked(room):
                idle += found
            elif any(found):
                raise Broken("denied", "a hub talks to a key that it revoked")
        if any(one is None or one.requests != 1 for one in idle):
            raise Broken("restless", "an idle exchange takes more than one request")
        for disk in self._disks():
            disk.log.take(disk.log.missing(EMPTY, 1 << 30)).result()
        if self._vectors() != before:
            raise Broken("restless", "a repetition changed something")

    def _content(self) -> str:
        """What is shown, told by the numbers of the deeds: it does not hang on clocks."""
        fold = self.rooms[0].look()
        numbers = sorted(self.observer.deeds[entry.event.hash].number for entry in visible(fold))
        return hashlib.sha256(repr((numbers, fold.unread)).encode()).hexdigest()[:16]


@contextmanager
def portions(size: int) -> Iterator[None]:
    """Let both sides send so few bytes of segments at a time."""
    with (
        patch.object(exchange, "MAX_PUSH_BYTES", size),
        patch.object(respond, "MAX_PUSH_BYTES", size),
    ):
        yield


def live(plan: Plan) -> Outcome:
    """Live through one history. Raises `Broken`."""
    with ExitStack() as stack:
        verify = stack.enter_context(signed(for_real=plan.is_signed))
        where = "/dev/shm" if Path("/dev/shm").is_dir() else None
        name = stack.enter_context(tempfile.TemporaryDirectory(prefix="torture-", dir=where))
        world = World(plan, verify, Path(name))
        stack.callback(world.close)
        return world.run()


ACTIONS, WEIGHTS = zip(
    (World._teach, 42),
    (World._sync, 26),
    (World._seal, 3),
    (World._late, 3),
    (World._power_cut, 5),
    (World._hub_power_cut, 8),
    (World._image, 3),
    (World._restore, 3),
    (World._clone, 4),
    (World._freeze, 2),
    (World._key_lost, 2),
    (World._fill_disk, 1),
    (World._backup_hub, 2),
    (World._roll_hub_back, 1),
    (World._hub_lies, 1),
    (World._stick_out, 1),
    (World._stick_in, 2),
    (World._hostile, 3),
    (journeys.carry_to_hub, 3),
    (journeys.spoil_stick, 1),
    (journeys.hub_to_county, 5),
    (journeys.lose_hub, 0.5),
    (journeys.enrol_one, 1),
    (journeys.revoke, 1),
    (journeys.rot, 1),
    strict=True,
)
CERTAIN = (
    World._clone,
    World._clone,
    World._clone,
    World._hub_power_cut,
    World._hub_power_cut,
    World._hub_power_cut,
    World._hub_power_cut,
    World._key_lost,
    World._hostile,
)
"""What happens in every history, at some moment."""
