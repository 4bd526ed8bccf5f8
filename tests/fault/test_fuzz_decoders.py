"""Hostile bytes into every decoder: a `ProtocolError` or a sound value comes out, nothing else
(N1, N2, N3, B3, G1, G3, M1, E3)."""

import importlib
import inspect
import pkgutil
import re
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from types import CodeType, ModuleType

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import client.domain.record
import sync.protocol
from client.domain import canon
from client.domain.canon import encode
from client.domain.catalogue import Role
from client.domain.errors import ClassroomError, ProtocolError, UserError
from client.domain.ids import ClassId, Digest, LessonId
from client.domain.record import packing
from client.domain.record.bodies import EventType
from client.domain.record.dense import MAX_NUMBER_BYTES
from client.domain.record.fold import Fold
from client.domain.record.log import Introduction
from client.domain.record.packing import Packed
from client.domain.record.segment import covers, peek, seal, unseal
from client.domain.record.table import SPECS, pack, unpack
from client.domain.record.values import parse_value, read_counts, read_stretches
from client.domain.record.vector import EMPTY, Stretch, Vector, vector
from client.domain.signer import Verify
from sync.engine import belief
from sync.engine.belief import Belief, pack_belief, read_belief
from sync.protocol import bundle, edition, enrol, near, near_code
from sync.protocol.exchange import (
    HubTime,
    Reading,
    Reply,
    Request,
    Status,
    digest_of,
    node_of,
    open_reply,
    pack_have,
    pack_reply,
    pack_request,
    read_have,
    read_request,
)
from sync.protocol.manifest import BLOCK_BYTES, Manifest, pack_manifest, read_manifest
from sync.protocol.refusal import pack_refusal, read_refusal
from tests.lesson_values import a_file, a_lesson, a_part
from tests.log_world import Key, Pen
from tests.record_samples import BODIES

MOST_BYTES = 64 << 20
MOST_TYPED = 1 << 16
"""Nobody types more, and no longer arrays are made into parts of segments."""
KEY = Key(7)
PEN = Pen(KEY).write(1, 2, 3)
SEGMENT = PEN.seal()
STRETCH = Stretch(writer=PEN.writer, seq=4, head=PEN.events[-1].id)
HAVE = vector([STRETCH], [STRETCH])
HELLO = enrol.Hello(key=KEY.public_key, certificate=b"c" * 40, name="hub")
WHO = enrol.Applicant(
    key=KEY.public_key, nonce=bytes(16), machine=bytes(8), school="school", room="room"
)
CODE = enrol.code_key(enrol.make_code())


def request(have: Vector | bytes) -> bytes:
    made = Request(
        site=bytes(8),
        node=node_of(KEY.public_key),
        machine=bytes(8),
        have=have,
        segments=(SEGMENT,),
        introductions=(Introduction(public_key=KEY.public_key, nonce=KEY.nonce),),
        clock=Reading(boot=1, mono_ms=2, wall_ms=-3),
    )
    return pack_request(made, KEY.public_key, KEY)


REQUEST = request(HAVE)


def reply(have: Vector | bytes) -> bytes:
    made = Reply(
        status=Status.DONE,
        request=digest_of(REQUEST),
        have=have,
        segments=(SEGMENT,),
        clock=HubTime(came_ms=1, left_ms=2, err_ms=3),
        next_s=600,
        notes=("key_on_two_machines",),
    )
    return pack_reply(made, KEY)


def anything(_key: bytes, _signature: bytes, _message: bytes) -> bool:
    """A key that signs whatever it is given: what lies behind the signature is tried too."""
    return True


def nothing(_key: bytes, _signature: bytes, _message: bytes) -> bool:
    return False


@dataclass(frozen=True)
class Target:
    """A decoder, and bytes that it takes."""

    name: str
    read: Callable[[bytes, Verify], object]
    good: tuple[bytes, ...]

    def __repr__(self) -> str:
        return self.name


def bodies(data: bytes, _verify: Verify) -> None:
    for spec in SPECS:
        for version in (0, 1, 2):
            attempt(lambda kind, v: unpack(kind, v, data), spec.number.value, version)
    assert unpack(9999, 1, data) is None


def attempt(read: Callable[..., object], *values: object) -> object:
    """Only a `ProtocolError` may come out."""
    try:
        return read(*values)
    except ProtocolError:
        return None


def read_unsealed(data: bytes, verify: Verify) -> None:
    for key in (None, KEY.public_key):
        attempt(covers, data)
        attempt(peek, data)
        found = attempt(lambda known: unseal(data, lambda _: known, verify), key)
        if found is not None:
            # What is believed can be folded and packed again.
            Fold(found.events)
            attempt(seal, found.events, found.boots, KEY)


def read_packed(data: bytes, _verify: Verify) -> None:
    """What lies inside a segment, without its frame, its length or its signature."""
    match attempt(canon.decode_array, data[:MOST_TYPED]):
        case [bytes(number), bytes(strings)]:
            packed = Packed(number=number, strings=strings)
        case _:
            packed = Packed(number=data[::2], strings=data[1::2])
    for read in (packing.unpack, packing.unpack_first):
        attempt(read, packed, peek(SEGMENT))


def read_text(data: bytes, _verify: Verify) -> None:
    """What somebody types: the words of a refusal may come out too."""
    match attempt(canon.decode_array, data[:MOST_TYPED]):
        case [str(text), *_]:
            pass
        case _:
            text = data[:MOST_TYPED].decode("utf-8", "replace")
    kinds = ("headcount", "note", "answer", "opened", "played", text)
    reads = [read_counts, read_stretches, enrol.code_key, near_code.read_code]
    reads += [lambda t, k=k: parse_value(k, ClassId("c1"), t, None, bytes(8)) for k in kinds]
    for read in reads:
        try:
            attempt(read, text)
        except (ValueError, UserError):
            continue


def inside() -> bytes:
    """The number and the strings of a segment."""
    return encode(canon.decode_array(SEGMENT)[5:7])


DIGEST = bytes(range(32))
MANIFEST = Manifest(size_bytes=BLOCK_BYTES + 1, sha256=DIGEST, blocks=(DIGEST, bytes(32)))
HEX = Digest(DIGEST.hex())
NAMED = edition.NamedFile(digest=HEX, size_bytes=7)
HEAD = edition.Head(
    number=3,
    signed_ms=1_700_000_000_000,
    rows_digest=HEX,
    rows_bytes=100,
    rows=2,
    whole=NAMED,
    deltas=(edition.Delta(base=2, file=NAMED, unpacked_bytes=50),),
    withdrawn=NAMED,
)
WITHDRAWN = (
    edition.Withdrawal(lesson=LessonId("a"), reason="licence"),
    edition.Withdrawal(lesson=LessonId("b"), reason="x", grace_days=7, replacement=LessonId("c")),
)
LESSON = a_lesson(a_part(Role.TASK, a_file("/t.pdf")))
SHEET = bundle.pack_sheet(
    bundle.Sheet(
        lesson=LESSON,
        book=None,
        sections=(),
        files=(
            bundle.SheetFile(part=LESSON.parts[0].id, path="/t.pdf", ext=".pdf", manifest=MANIFEST),
        ),
    )
)
ENTRY = replace(bundle.vouch(LESSON.id, SHEET, 7, KEY), paths=("三年级/a.pdf",))
INDEX = bundle.pack_index(
    bundle.Index(key=KEY.public_key, site="石门教学点", entries=(ENTRY,)), KEY
)
CARD = near.Card(key=KEY.public_key, port=8520, room="五年级")
LISTING = near.Listing(
    key=KEY.public_key,
    lesson=LESSON.id,
    files=(near.NearFile(path="/t.pdf", digest=HEX, size_bytes=7, marks=HEX),),
    coming=(near.Coming(path="/t.ts", age_ms=1, bytes_done=2),),
)
MARKS = near.Marks(playlist=b"#EXTM3U", stretches=(near.Mark(length=188, sha256=HEX),))
GRANT = enrol.pack_grant(enrol.Grant(site=bytes(8), school="school"), WHO, HELLO, CODE, KEY)

TARGETS = (
    Target("canon", lambda data, _: canon.decode(data), (SEGMENT, REQUEST)),
    Target("bodies", bodies, tuple(pack(body) for body in BODIES)),
    Target("segment", read_unsealed, (SEGMENT,)),
    Target(
        "request",
        lambda data, _: read_request(data),
        (REQUEST, request(EMPTY), request(HAVE.summary)),
    ),
    Target(
        "reply",
        lambda data, verify: open_reply(data, REQUEST, KEY.public_key, verify),
        (reply(HAVE), reply(EMPTY), reply(HAVE.summary)),
    ),
    Target("belief", lambda data, _: read_belief(data), (pack_belief(Belief(there=HAVE)),)),
    Target("hello", lambda data, _: enrol.read_hello(data), (enrol.pack_hello(HELLO),)),
    Target(
        "enrol",
        lambda data, _: enrol.read_enrol(data),
        (enrol.pack_enrol(WHO, HELLO, CODE, KEY),),
    ),
    Target(
        "grant",
        lambda data, verify: enrol.open_grant(data, WHO, HELLO, CODE, verify),
        (GRANT,),
    ),
    Target("packed", read_packed, (inside(),)),
    Target("have", lambda data, _: read_have(canon.decode(data)), (encode(pack_have(HAVE)),)),
    Target("text", read_text, tuple(encode([text]) for text in ("A=3,B=1", "0-9,12-30", "40"))),
    Target("manifest", lambda data, _: read_manifest(data), (pack_manifest(MANIFEST),)),
    Target(
        "head",
        lambda data, verify: edition.open_head(data, KEY.public_key, verify),
        (edition.pack_head(HEAD, KEY),),
    ),
    Target(
        "withdrawals",
        lambda data, _: edition.read_withdrawals(data),
        (edition.pack_withdrawals(WITHDRAWN),),
    ),
    Target("sheet", lambda data, _: bundle.read_sheet(data), (SHEET,)),
    Target("index", bundle.read_index, (INDEX,)),
    Target("card", lambda data, _: near.read_card(data), (near.pack_card(CARD),)),
    Target(
        "listing",
        lambda data, verify: near.read_listing(data, LESSON.id, verify),
        (near.pack_listing(LISTING, KEY),),
    ),
    Target(
        "heads",
        lambda data, _: near.read_heads(data),
        (near.pack_heads([(KEY.public_key, edition.pack_head(HEAD, KEY))]),),
    ),
    Target("marks", lambda data, _: near.read_marks(data), (near.pack_marks(MARKS),)),
    Target("refusal", lambda data, _: read_refusal(data), (pack_refusal("busy", 3),)),
)

wire = st.recursive(
    st.integers(-(1 << 64), (1 << 64) - 1) | st.binary(max_size=40) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=8),
    max_leaves=30,
)


@st.composite
def spoilt(draw, good: tuple[bytes, ...]) -> bytes:
    """Bytes that nearly are what was meant."""
    data = draw(st.sampled_from(good))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(data) - 1)))
        match draw(st.integers(0, 4)):
            case 0:
                data = data[:at]
            case 1:
                data = data[:at] + draw(st.binary(min_size=1, max_size=9)) + data[at:]
            case 2:
                data = data[:at] + data[at + draw(st.integers(1, 9)) :]
            case 3:
                data = data[:at] + draw(st.binary(min_size=1, max_size=1)) + data[at + 1 :]
            case _:
                data = data[:at] + data[: draw(st.integers(0, len(data)))]
    return data


def put(value: list, path: list[int], new: object) -> list:
    """Replace something deep inside an array, also inside its byte strings that are arrays."""
    row = list(value)
    if not row:
        return [new]
    at = path[0] % len(row)
    inner = row[at]
    if len(path) > 1 and isinstance(inner, list):
        row[at] = put(inner, path[1:], new)
    elif len(path) > 1 and isinstance(inner, bytes):
        found = attempt(canon.decode, inner)
        row[at] = encode(put(found, path[1:], new)) if isinstance(found, list) else new
    else:
        row[at] = new
    return row


@pytest.mark.parametrize("target", TARGETS, ids=str)
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_nearly_good_bytes_are_refused_or_read(target, data):
    """M1, G3, N3: spoilt bytes, behind a signature that holds and one that does not."""
    raw = data.draw(spoilt(target.good))
    for verify in (anything, nothing):
        attempt(target.read, raw, verify)


@pytest.mark.parametrize("target", TARGETS, ids=str)
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_sound_arrays_with_a_wrong_value_are_refused_or_read(target, data):
    """M1, G3, B3: each field, at any depth, holds something else of the four kinds."""
    good = canon.decode(data.draw(st.sampled_from(target.good)))
    path = data.draw(st.lists(st.integers(0, 9), min_size=1, max_size=6))
    spoilt = attempt(lambda: encode(put(good, path, data.draw(wire))))
    if spoilt is not None:
        attempt(target.read, spoilt, anything)


@pytest.mark.parametrize("target", TARGETS, ids=str)
@settings(max_examples=100, deadline=None)
@given(data=st.binary(max_size=300))
@example(data=b"")
@example(data=b"\x9b" + b"\xff" * 8)
@example(data=b"\x5b" + b"\xff" * 8)
@example(data=b"\x81" * 5000)
def test_any_bytes_are_refused_or_read(target, data):
    """N1, N3."""
    for verify in (anything, nothing):
        attempt(target.read, data, verify)


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_good_bytes_are_read(target):
    """The fuzzer starts from what is right."""
    for data in target.good:
        target.read(data, anything)


DECODER = re.compile(r"(open|unpack|decode|parse|read|peek|covers|unseal)(_|$)|code_key$")
MODULES = (canon, belief, client.domain.record, sync.protocol)


def modules() -> Iterator[ModuleType]:
    for one in MODULES:
        yield one
        for found in pkgutil.iter_modules(getattr(one, "__path__", ())):
            yield importlib.import_module(f"{one.__name__}.{found.name}")


def called() -> set[CodeType]:
    """What runs while all targets read what is right."""
    seen: set[CodeType] = set()
    before = sys.getprofile()
    sys.setprofile(lambda frame, event, _: seen.add(frame.f_code) if event == "call" else None)
    try:
        for target in TARGETS:
            for data in target.good:
                target.read(data, anything)
    finally:
        sys.setprofile(before)
    return seen


def test_every_decoder_has_a_target():
    """Whoever adds a decoder adds it here too."""
    decoders = {
        f"{module.__name__}.{name}": function.__code__
        for module in modules()
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and DECODER.match(name)
    }
    assert len(decoders) >= 18
    ran = called()
    assert [name for name, code in decoders.items() if code not in ran] == []


def bomb() -> bytes:
    """A segment that says to hold as much as one may, in a number that never ends."""
    *start, _, _, signature = canon.decode(SEGMENT)
    return encode([*start, b"\x01" + bytes(MAX_NUMBER_BYTES - 1), b"", signature])


BOMBS = {
    "zeros": bomb,
    "many items": lambda: encode([[0] * 60_000]),
    "deep": lambda: b"\x81" * (1 << 19),
    "long length": lambda: b"\x5a\x7f\xff\xff\xff",
    "many arrays": lambda: b"\x9a\x00\x0f\xff\xff" + b"\x80" * ((1 << 20) - 5),
    "many numbers": lambda: b"\x9a\x00\x07\xff\xf0" + b"\x01" * ((1 << 19) - 5),
    "large": lambda: b"\x5a\x10\x00\x00\x00" + bytes(32 << 20),
}


@pytest.mark.parametrize("name", BOMBS)
@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_bombs_cost_bounded_memory(target, name):
    """G3, N3: reading is bounded before anything is built."""
    data = BOMBS[name]()
    tracemalloc.start()
    try:
        attempt(target.read, data, anything)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < MOST_BYTES


@settings(max_examples=100, deadline=None)
@given(
    rows=st.lists(st.tuples(st.integers(0, 3), st.integers(1, 9), st.integers(1, 9)), max_size=9)
)
def test_vectors_come_back_as_they_were(rows):
    """X1, M1: also as part of a message."""
    stretches = [
        Stretch(writer=bytes([w]) * 8, seq=max(a, b), head=bytes([a]) * 16, first=min(a, b))
        for w, a, b in rows
    ]
    have = vector(stretches[::2], stretches[1::2])
    assert read_request(request(have)).have == have


def test_only_named_errors_exist():
    """What a decoder raises is one of ours, and every type is fuzzed."""
    assert issubclass(ProtocolError, ClassroomError)
    assert {spec.number for spec in SPECS} == set(EventType)
