"""Copies of one profile that teach apart and sync in every order end with the same facts.

One room is enrolled with a hub and copied, bit by bit, to three PCs. Each teaches a class of its
own, and all write one note of the same words, which is three facts. Then they meet: over TLS, by a
stick that is carried to the hub, or each other with nothing but a folder. What was recorded is kept
in a list outside of the product, and every PC and the hub must hold exactly that.

Ways are gone on PCs that differ, more or less (`Kind`), and on PCs that do not, each in one order;
with `TONGKE_WHOLE=1` all ways in all orders (minutes).
"""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from itertools import permutations
from pathlib import Path
from typing import Any, Self

import pytest

from client.domain.clock import SystemClock
from client.domain.record.facts import fact_rows
from client.domain.record.fold import Fold
from client.domain.record.segment import unseal
from client.domain.record.vector import EMPTY
from client.store.journal import BALLAST
from client.store.keyfile import KeyFile, verify
from sync.hub.folder import HubFolder
from sync.protocol.enrol import site_of
from tests.one_pc import Pc
from tests.quality.sources import ROOT

SCHOOL = "石板小学"
PCS = ("甲", "乙", "丙")
CLASSES = {"甲": "c3", "乙": "c4", "丙": "c5"}
ORDERS = tuple(permutations(PCS))
SAME_WORDS = "三个班一起大扫除"
_LEFT_OUT = shutil.ignore_patterns(BALLAST)
_MOST_ROUNDS = 12

Fact = tuple[str, str, str]
"""Kind, class, value."""


class Kind(Enum):
    """How far the hardware of the PCs tells them apart: its marks, and how many logs they write."""

    OTHER = "{pc},{pc},{pc}", 3
    CARD = "installation,,{pc}", 1
    """Copies of an image that Windows runs on: only their network cards differ."""
    SAME = "installation,,card", 1

    def marks(self, pc: str) -> str:
        return self.value[0].format(pc=pc)


@dataclass
class World:
    """Three PCs and a hub, each a folder and a process; a context that ends the processes."""

    folder: Path
    url: str
    kind: Kind
    _running: dict[str, Pc] = field(default_factory=dict)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for pc in self._running.values():
            pc.__exit__()

    def tell(self, pc: str, *words: object) -> dict[str, Any]:
        """Run a command on a PC; it must succeed. Gives its document."""
        if pc not in self._running:
            env = {"TONGKE_STATE": str(self.folder / f"state-{pc}")}
            self._running[pc] = Pc(self.folder / pc, self.kind.marks(pc), env)
        return self._running[pc].tell(*words)

    def sync(self, pc: str, *words: object) -> bool:
        """Sync; tells whether any fact moved."""
        told = self.tell(pc, "sync", "now", *words)
        return bool(told["pushed_events"] or told["pulled_events"])

    def facts(self, pc: str) -> Counter[Fact]:
        facts = self.tell(pc, "record", "list")["facts"]
        return Counter((one["kind"], one["class"], one["value"]) for one in facts)

    @contextlib.contextmanager
    def hub(self) -> Iterator[str]:
        """Run the hub over TLS at its own port until the block ends; gives an enrolling code."""
        code = self.folder / "code.txt"
        port = self.url.rpartition(":")[2]
        words = ("hub", "--data", self.folder / "hub", "--host", "0.0.0.0", "--port", port)
        with subprocess.Popen(
            [sys.executable, str(ROOT / "main.py"), *map(str, words), "--admin-code-file", code],
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                assert process.stdout is not None
                assert process.stdout.readline().startswith("https://")
                yield code.read_text("ascii").strip() if code.exists() else ""
            finally:
                process.terminate()

    def answer(self, stick: Path) -> None:
        """Let the hub answer what lies on a stick."""
        words = ("hub", "answer", "--data", self.folder / "hub", stick, "--json")
        main = [sys.executable, ROOT / "main.py"]
        done = subprocess.run([*main, *words], check=True, capture_output=True)
        assert json.loads(done.stdout)["refused"] == 0

    def at_hub(self) -> Counter[Fact]:
        """Open the hub's folder and fold what it holds for the school."""
        with HubFolder(self.folder / "hub", SystemClock()) as hub:
            segments = hub.logs.of(site_of(SCHOOL)).missing(EMPTY, 1 << 40)
        key = key_of(self, PCS[0]).public_key
        read = [unseal(data, lambda _: key, verify) for data in segments]
        rows = fact_rows(Fold(event for segment in read for event in segment.events))
        return Counter((row.kind, row.class_id, row.value) for row in rows)


def key_of(world: World, pc: str) -> KeyFile:
    key = KeyFile.load(world.folder / pc / "journal.key")
    assert key is not None
    return key


# --- ways to meet ------------------------------------------------------------------------


def over_tls(world: World, order: tuple[str, ...]) -> None:
    with world.hub():
        for _ in range(_MOST_ROUNDS):
            if not [pc for pc in order if world.sync(pc)]:
                return
    pytest.fail("it never comes to rest")


def by_stick(world: World, order: tuple[str, ...]) -> None:
    """One stick goes round all PCs and then to the hub.

    PCs that a room cannot tell apart would take each other's answers from it: each has its own.
    """
    sticks = {
        pc: world.folder / (f"stick-{pc}" if world.kind is Kind.SAME else "stick") for pc in order
    }
    for number in range(_MOST_ROUNDS):
        if not [pc for pc in order if world.sync(pc, "--folder", sticks[pc])] and number:
            return
        for stick in dict.fromkeys(sticks.values()):
            world.answer(stick)
    pytest.fail("it never comes to rest")


def each_other(world: World, order: tuple[str, ...]) -> None:
    """With no hub, until all hold the same; one of them tells the hub in the end."""
    desk = world.folder / "desk"
    desk.mkdir()
    for _ in range(_MOST_ROUNDS):
        if len({world.tell(pc, "meet", desk)["vector"] for pc in order}) == 1:
            break
    else:
        pytest.fail("it never comes to rest")
    with world.hub():
        world.sync(order[0])


Way = Callable[[World, tuple[str, ...]], None]
IS_WHOLE = "TONGKE_WHOLE" in os.environ
WAYS = (
    (over_tls, Kind.OTHER),
    (over_tls, Kind.SAME),
    (by_stick, Kind.CARD),
    (each_other, Kind.OTHER),
    (each_other, Kind.SAME),
    *(((over_tls, Kind.CARD), (by_stick, Kind.OTHER), (by_stick, Kind.SAME)) if IS_WHOLE else ()),
)
MEETINGS = [
    pytest.param(way, kind, order, id=f"{way.__name__}-{kind.name.lower()}-{number}")
    for row, (way, kind) in enumerate(WAYS)
    for number, order in enumerate(ORDERS)
    if IS_WHOLE or row == number
]


# --- what must come of it ----------------------------------------------------------------


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@dataclass(frozen=True)
class Taught:
    """A world whose PCs taught, and the list of what they were told to record."""

    world: World
    recorded: Counter[Fact]


def teach(image: World, target: Path, kind: Kind) -> Taught:
    """Copy the image to three PCs, and have each record what the list says.

    PCs that differ in more than a card have taken names of their own by then; the others wrote on
    in one log, which makes it a fork.
    """
    recorded = Counter[Fact]({("note", "c3", "before"): 1})
    shutil.copytree(image.folder / "hub", target / "hub")
    with World(folder=target, url=image.url, kind=kind) as world:
        for number, pc in enumerate(PCS):
            shutil.copytree(image.folder / PCS[0], target / pc)
            own = CLASSES[pc]
            for what, group, value in (
                ("headcount", own, f"1{number}"),
                ("answer", own, f"A={number + 1}"),
                ("note", "c3", SAME_WORDS),
            ):
                world.tell(pc, "record", "add", what, "--class", group, "--value", value)
                recorded[(what, group, value)] += 1
    assert len({key_of(world, pc).nonce for pc in PCS}) == kind.value[1]
    return Taught(world=world, recorded=recorded)


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> dict[Kind, Taught]:
    image = World(
        folder=tmp_path_factory.mktemp("image"),
        url=f"https://127.0.0.1:{free_port()}",
        kind=Kind.SAME,
    )
    with image.hub() as code, image:
        image.tell(PCS[0], "room", "set", "--school", SCHOOL, "--room", "一号教室")
        for grade, name in enumerate(("三年级", "四年级", "五年级"), 3):
            image.tell(PCS[0], "class", "add", name, "--grade", grade)
        image.tell(PCS[0], "record", "add", "note", "--class", "c3", "--value", "before")
        image.tell(PCS[0], "source", "add", "hub", image.url, "--code", code)
    return {kind: teach(image, tmp_path_factory.mktemp("taught"), kind) for kind in Kind}


@pytest.mark.parametrize(("way", "kind", "order"), MEETINGS)
def test_copies_that_taught_apart_end_with_the_same_facts(
    tmp_path: Path, taught: dict[Kind, Taught], way: Way, kind: Kind, order: tuple[str, ...]
) -> None:
    before = taught[kind]
    shutil.copytree(before.world.folder, tmp_path, ignore=_LEFT_OUT, dirs_exist_ok=True)
    world = World(folder=tmp_path, url=before.world.url, kind=kind)
    with world:
        way(world, order)
        assert {pc: world.facts(pc) for pc in PCS} == dict.fromkeys(PCS, before.recorded)
    assert world.at_hub() == before.recorded
