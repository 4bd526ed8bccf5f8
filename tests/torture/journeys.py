"""What happens to a school besides links: sticks, the county, who is let in, what rots.

Each action is called with the world and a room, as those of `tests.torture.world` are.
"""

import contextlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from client.domain.errors import ClassroomError
from sync.protocol.exchange import node_of
from sync.transport.folder_carrier import FOLDER, answer_folder
from tests.torture.machines import ROUNDS, SITE, Hub, Room
from tests.torture.observer import Broken

if TYPE_CHECKING:
    from tests.torture.world import World


def sticks(folder: Path) -> tuple[Path, ...]:
    """Make the sticks of a school."""
    made = tuple(folder / name for name in ("stick1", "stick2"))
    for stick in made:
        stick.mkdir()
    return made


def carry_to_hub(world: "World", room: Room) -> None:
    """Take a stick from a room to a hub, and mostly back; often it has been elsewhere meanwhile."""
    stick, hub = world.dice.choice(world.sticks_of_hubs), world.dice.choice(world.hubs)
    if world.plan.is_whole:
        # In which order a hub answers several rooms hangs on digests, and so on clocks.
        shutil.rmtree(stick / FOLDER, ignore_errors=True)
    room.carry(hub, stick)
    copy = stick.with_name("copy")
    if world.dice.random() < 0.3:
        shutil.copytree(stick, copy)
    if world.dice.random() < 0.3 and not world.plan.is_whole:
        world.dice.choice(world.rooms).carry(hub, stick)
    if world.dice.random() < 0.8:
        _answer(hub, stick)
    if world.dice.random() < 0.7:
        room.carry(hub, stick)
    if copy.exists():
        # Somebody kept the files and puts them back later: answers and requests of yesterday.
        shutil.copytree(copy, stick, dirs_exist_ok=True)
        shutil.rmtree(copy)


def _answer(hub: Hub, stick: Path) -> None:
    with contextlib.suppress(ClassroomError):  # the stick or the hub failed in the middle
        answer_folder(stick, hub.answer)


def spoil_stick(world: "World", _room: Room) -> None:
    """Cut every file on a stick short or change a byte of it, or lose the stick."""
    stick = world.dice.choice(world.sticks_of_hubs) / FOLDER
    luck, where = world.dice.random(), world.dice.random()
    if luck < 0.2:
        shutil.rmtree(stick, ignore_errors=True)
    for path in sorted(stick.glob("*")):
        data = path.read_bytes()
        at = int(where * len(data))
        middle = b"" if luck < 0.6 else bytes([data[at] ^ 1]) + data[at + 1 :]
        path.write_bytes(data[:at] + middle)


def hub_to_county(world: "World", _room: Room) -> None:
    """Have a hub of the school talk to the one above it."""
    hub = world.dice.choice(world.hubs)
    most = world.dice.choice((1, 2, ROUNDS))
    if world.county and not hub.lies:
        hub.exchange(world.county, world.net, most)


def lose_hub(world: "World", _room: Room) -> None:
    """A hub burns down; another machine takes over with its key and an empty store."""
    hub = world.dice.choice(world.servers)
    hub.lose(world.disk(hub.key, SITE))


def enrol_one(world: "World", _room: Room) -> None:
    """Somebody types in the code of a hub at last."""
    if world.strangers:
        _enrol(world, world.strangers.pop(0))


def enrol_all(world: "World") -> None:
    while world.strangers:
        _enrol(world, world.strangers.pop(0))
    for room in world.rooms:
        # An image may bring back a key that was lost before any hub knew it.
        key = room.disk.key
        if world.hubs[0].directory.find(node_of(key.public_key)) is None:
            _enrol(world, key)


def _enrol(world: "World", key) -> None:
    for hub in world.servers:
        own = {one for one in hub.there() if world.observer.key_of(one) == key.public_key}
        writers = {world.observer.deeds[one].event.writer for one in own}
        # A hub that was set back may have lost the log which vouched for what it let in.
        if not all(any(one.disk.log.is_continued(w) for one in world.stores()) for w in writers):
            raise Broken("denied", f"{hub.name} took what a stranger wrote")
    world.enrol(key)


def revoke(world: "World", room: Room) -> None:
    """A PC is stolen: its key is revoked at the hubs of the school, and it goes on."""
    key, observer = room.disk.key.public_key, world.observer
    if not world.may_revoke or observer.revoked or len(world.rooms) == 1:
        return
    copies = sum(one.disk.key.public_key == key for one in world.rooms)
    if any(one.public_key == key for one in world.strangers) or copies > world.dice.choice((1, 9)):
        return
    for hub in world.hubs:
        hub.revoke(key)
    known = set().union(*(one.there() | one.backed_up for one in world.servers))
    observer.revoked[key] = {one for one in known if observer.key_of(one) == key}


def rot(world: "World", room: Room) -> None:
    """A bit of a stored segment changes on a disk."""
    owner = world.dice.choice((room, world.dice.choice(world.servers)))
    owner.disk.rot(world.dice.random(), world.dice.random())


def look_after_hub(world: "World", hub: Hub) -> None:
    """Do what a check of the hub's store asks for: go back to a sound backup, else begin anew."""
    if not hub.disk.is_rotten():
        return
    world.counts["rotten_hub"] += 1
    disk = hub.backup.copy()
    hub.lose(disk)
    if hub.disk.is_rotten():
        hub.lose(world.disk(hub.key, SITE))


def look_after_room(world: "World", room: Room) -> None:
    """Repair a damaged journal, as the next start of the program does."""
    if room.disk.is_rotten():
        world.counts["rotten_room"] += 1
        room.put(room.disk.repaired())
        # The rows are there and shown, but nobody can sign them for others any more.
        world.observer.unsigned |= room.disk.beyond_signing()
