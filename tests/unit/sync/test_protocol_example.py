"""The example of docs/protocol.md, byte by byte: real exchanger, hub and stores on both ends."""

import re
from pathlib import Path

import pytest

from client.domain.canon import decode_array
from client.domain.clock import FrozenClock
from client.domain.ids import ClassId, SittingId
from client.domain.record import bodies as b
from client.domain.record.log import Taken
from client.store.database import Database
from client.store.keyfile import verify
from client.store.log_store import LogStore
from client.store.schema_journal import MIGRATIONS
from sync.engine.exchange import ExchangePorts, Exchanger, Here
from sync.hub.enrolment import Registrar
from sync.hub.folder import HubFolder
from sync.hub.ports import Code
from sync.hub.respond import Responder
from sync.protocol import enrol as e
from tests.exchange_world import Memory
from tests.log_world import Key, Pen

PAGE = Path(__file__).resolve().parents[3] / "docs" / "protocol.md"
BLOCK = re.compile(r"^```hex ([a-z0-9 ]+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CODE = "234567-89ABCD-EFGHJP"
ROOM, HUB = Key(1), Key(2)
HELLO = e.Hello(key=HUB.public_key, certificate=b"", name="hub")
APPLICANT = e.Applicant(
    key=ROOM.public_key,
    nonce=bytes(range(16)),
    machine=b"machine1",
    school="石板小学",
    room="1号教室",
)
ORDER = tuple(f"{kind} {n}" for n in (1, 2, 3) for kind in ("request", "reply"))


def said() -> dict[str, bytes]:
    """The messages as the page writes them: hex, and behind `#` the name of each field."""
    found = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    lines = {name: [line.partition("#")[0] for line in text.splitlines()] for name, text in found}
    return {name: bytes.fromhex("".join(hexes)) for name, hexes in lines.items()}


@pytest.fixture
def folder(tmp_path):
    with HubFolder(tmp_path / "hub", FrozenClock(), is_new_allowed=True) as one:
        one.directory.set_codes((Code(key=e.code_key(CODE)),))
        yield one


@pytest.fixture
def log(tmp_path):
    database = Database(tmp_path / "journal.db", MIGRATIONS)
    yield LogStore(database, b"")
    database.close()


def registrar(folder: HubFolder) -> Registrar:
    return Registrar(HUB, HELLO, folder.directory, folder.audit, verify)


def exchange(log: LogStore, memory: Memory, carrier) -> None:
    site = e.site_of(APPLICANT.school)
    Exchanger(
        ExchangePorts(
            log=log,
            seal=lambda: None,
            signer=ROOM,
            verify=verify,
            hub_key=HUB.public_key,
            here=Here(site=site, machine=APPLICANT.machine, boot=1),
            carrier=carrier,
            memory=memory,
            on_refused=lambda _data, _code: None,
            clock=FrozenClock(),
        )
    ).run()


def written() -> bytes:
    """The segment of a room that counted eleven children once."""
    pen = Pen(ROOM)
    pen.add(b.HeadcountTaken(sitting=SittingId(""), class_id=ClassId("c3"), lesson=None, count=11))
    return pen.seal()


def replayed(folder: HubFolder, log: LogStore) -> dict[str, bytes]:
    """What both sides say now: enrolment, an exchange, and one with nothing to do."""
    key = e.code_key(CODE)
    now = {"hello": e.pack_hello(HELLO), "enrol": e.pack_enrol(APPLICANT, HELLO, key, ROOM)}
    now["granted"] = registrar(folder).answer(now["enrol"])
    assert log.take((written(),)).result() == (Taken.STORED,)
    answer = Responder(HUB, folder.directory, folder.logs, FrozenClock(), verify).answer
    names, memory = iter(ORDER), Memory()

    def carrier(envelope: bytes) -> bytes:
        now[next(names)] = envelope
        now[next(names)] = reply = answer(envelope)
        return reply

    for _ in range(2):
        exchange(log, memory, carrier)
    assert list(now) == ["hello", "enrol", "granted", *ORDER]
    return now


def test_room_and_hub_say_what_the_page_says(folder, log):
    assert {n: d.hex() for n, d in replayed(folder, log).items()} == {
        n: d.hex() for n, d in said().items()
    }


def test_the_hub_answers_the_bytes_of_the_page(folder):
    page = said()
    assert registrar(folder).answer(page["enrol"]) == page["granted"]
    answer = Responder(HUB, folder.directory, folder.logs, FrozenClock(), verify).answer
    for number in (1, 2, 3):
        assert answer(page[f"request {number}"]) == page[f"reply {number}"]


def test_the_room_is_content_with_the_bytes_of_the_page(log):
    """What it asks follows from the replies of the page alone."""
    page, memory = said(), Memory()
    assert e.read_hello(page["hello"]) == HELLO
    e.open_grant(page["granted"], APPLICANT, HELLO, e.code_key(CODE), verify)
    log.take((written(),)).result()
    left = {page[f"request {n}"]: page[f"reply {n}"] for n in (1, 2, 3)}
    for _ in range(2):
        exchange(log, memory, left.pop)
    assert left == {}


def test_every_field_of_the_page_has_a_name_and_lines_of_its_own():
    """A line is the head of an array, the head of bytes that are read on, or one whole value."""
    for name, text in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        fields = re.findall(
            r"^\s*([0-9a-f ]+?)\s+# (\S.*)\n((?:\s*[0-9a-f]+\n)*)", text, re.MULTILINE
        )
        assert sum(1 + rest.count("\n") for *_, rest in fields) == text.count("\n"), name
        for head, meaning, rest in fields:
            data = bytes.fromhex(head + rest)
            is_head = data[0] >> 5 == 4 or meaning.endswith(":")
            assert is_head or decode_array(b"\x81" + data), (name, meaning)
