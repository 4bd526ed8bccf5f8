"""Runs of events as a dense number and strings (client.domain.record.packing)."""

import random
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from client.domain.canon import encode
from client.domain.errors import ProtocolError
from client.domain.record import packing
from client.domain.record.dense import DenseWriter
from client.domain.record.event import ID_BYTES, MAX_BODY_BYTES, NO_PREVIOUS, Event
from client.domain.record.packing import Packed, RunStart, pack, unpack, unpack_first
from client.domain.record.primer import PRIMER_EVENTS, PRIMER_NUMBER, PRIMER_STRINGS
from tests.record_samples import BODIES, chain

WRITER = b"\x07" * 8
BOOTS = ((4, 5, 1), (6, -7, 0))

UUIDS = st.uuids().map(str)
WORDS = st.sampled_from(["A", "B", "c3", "most", "余数再讲一遍", "𠮷", "é", ""])
LEAVES = (
    st.integers(0, 30)
    | st.integers(-(1 << 64), (1 << 64) - 1)
    | st.binary(max_size=20)
    | WORDS
    | st.text(max_size=12)
    | UUIDS
    | UUIDS.map(str.upper)
)
TREES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=5), max_leaves=12)
CLOCKS = st.integers(0, (1 << 53) - 1)


@st.composite
def logs(draw) -> tuple[Event, ...]:
    """Draw a run: odd clocks, unknown types, bodies of any bytes, ids of events before."""
    events: list[Event] = []
    trees = draw(st.lists(TREES, min_size=1, max_size=3))
    for _ in range(draw(st.integers(1, 12))):
        ids = [bytes(event.id) for event in events]
        seen = draw(st.lists(st.sampled_from(ids), max_size=3)) if ids else []
        tree = draw(st.sampled_from(trees) | TREES)
        body = draw(st.just(encode([seen, tree])) | st.just(encode(tree)) | st.binary(max_size=40))
        before = events[-1] if events else None
        events.append(
            Event(
                writer=WRITER,
                seq=before.seq + 1 if before else 1,
                prev=before.hash if before else NO_PREVIOUS,
                lc=(before.lc if before else 0) + draw(st.integers(1, 5) | st.integers(1, 1 << 30)),
                boot=draw(st.integers(0, 3)),
                mono_ms=draw(CLOCKS),
                wall_ms=draw(CLOCKS) - (1 << 52),
                scope=draw(st.integers(0, 2)),
                type=draw(st.sampled_from([20, 22, 999, (1 << 63) - 1])),
                version=draw(st.integers(0, 2)),
                body=body,
            )
        )
    return tuple(events)


def start_of(events) -> RunStart:
    first = events[0]
    return RunStart(writer=first.writer, seq=first.seq, count=len(events), prev=first.prev)


@given(logs(), st.lists(st.tuples(st.integers(0, 9), CLOCKS, st.integers(0, 1)), max_size=3))
@settings(deadline=None)
def test_pk1_any_run_comes_back_as_it_was(events, boots):
    packed = pack(events, boots)
    assert unpack(packed, start_of(events)) == (events, tuple(boots))
    assert unpack_first(packed, start_of(events)) == events[0]


@pytest.mark.parametrize("begin", range(len(BODIES)))
def test_pk1_a_run_may_begin_anywhere_in_a_log(begin):
    events = chain()[begin:]
    assert unpack(pack(events, BOOTS), start_of(events)) == (events, BOOTS)


@pytest.mark.parametrize(
    "body",
    [
        encode([1] * 255),
        encode([1] * 256),
        encode(["c" * 40] * 240),
        encode([[[[[[[[1]]]]]]]]),
        b"\x81" * 9 + b"\x01",
        b"\x81" * 40 + b"\x01",
        b"\xa0",
        b"\x18\x01",
        b"",
        bytes(MAX_BODY_BYTES),
        encode([bytes(16), "f0000000-0000-4000-8000-000000000000", "F0000000-0000-4000-8000-0000"]),
    ],
    ids=lambda body: body[:6].hex() or "empty",
)
def test_pk1_bodies_at_the_edges_come_back(body):
    one = Event(
        writer=WRITER,
        seq=1,
        prev=NO_PREVIOUS,
        lc=1,
        boot=1,
        mono_ms=0,
        wall_ms=0,
        scope=1,
        type=77,
        version=9,
        body=body,
    )
    assert unpack(pack((one,), ()), start_of((one,)))[0] == (one,)


def test_ids_of_events_in_the_run_and_repeated_strings_cost_nothing():
    events = chain(BODIES[9:])
    lesson = UUID(BODIES[9].lesson).bytes
    strings = pack(events, ()).strings
    assert strings.count(lesson) == 1
    assert BODIES[9].lesson.encode() not in strings
    again = [
        Event(
            writer=WRITER,
            seq=events[-1].seq + 1,
            prev=events[-1].hash,
            lc=events[-1].lc + 1,
            boot=4,
            mono_ms=0,
            wall_ms=0,
            scope=1,
            type=2,
            version=1,
            body=encode([[bytes(event.id) for event in events]]),
        )
    ]
    more = pack((*events, *again), ())
    assert len(more.strings) == len(strings)
    assert len(more.number) - len(pack(events, ()).number) < 30 < len(events) * ID_BYTES


class Choosing:
    """A reader that decides what it reads, and writes it down: it reaches every branch."""

    def __init__(self, counts, choose) -> None:
        self.pen = DenseWriter(counts)
        self.choose = choose

    def take(self, place) -> int:
        value = self.choose(place)
        self.pen.put(place, value)
        return value

    def end(self) -> None:
        """Nothing is left over by a reader that chooses."""


POOL = ("A" + "余").encode("utf-16-be") * 9 + "Bé余数".encode() * 6 + b"\xff\x01\x81" * 30
ANY = [1] * 120 + [0, 0, 2, 2, 3, 4, 17, 1 << 40, 1 << 65]
RANGES = {"lc": (1, 3), "boot": (0, 2), "boots": (0, 1), "clean": (0, 1), "began": (0, 99)}
RANGES |= {"form": (0, 14), "kind": (0, 9), "length": (1, 6), "drift": (0, 3), "mono": (0, 40)}
RANGES |= {"scope": (0, 1), "type": (20, 21), "version": (0, 1)}


@given(st.integers(1, 4), st.integers(0, 1 << 32))
@settings(max_examples=300, deadline=None)
def test_pk2_pk3_a_form_that_is_accepted_is_the_only_one(count, seed):
    """PK2 PK3: whatever stands in a number, it is refused or it is what `pack` makes."""
    noise = random.Random(seed)
    start = RunStart(writer=WRITER, seq=5, count=count, prev=b"\x05" * 32)
    unpacker = packing._Unpacker(packing._primed().copy(), Packed(number=b"", strings=POOL))

    def choose(place) -> int:
        bounds = RANGES.get(place if isinstance(place, str) else place[0])
        return noise.randint(*bounds) if bounds else noise.choice(ANY)

    unpacker._pen = Choosing(unpacker._pen._counts, choose)
    try:
        events = tuple(unpacker.events(start))
        unpacker._strings = POOL[: unpacker._used]
        boots = unpacker.boots()
    except ProtocolError:
        return
    packed = Packed(number=unpacker._pen.pen.number(), strings=unpacker._strings)
    assert unpack(packed, start) == (events, boots)
    assert pack(events, boots) == packed


def refused(values, strings: bytes = b"", count: int = 1) -> str:
    """Read these values one after the other; give the code of the refusal."""
    unpacker = packing._Unpacker(packing._Memory(), Packed(number=b"", strings=strings))
    left = iter(values)
    unpacker._pen = Choosing(packing.Counts(), lambda _: next(left))
    start = RunStart(writer=WRITER, seq=5, count=count, prev=b"\x05" * 32)
    with pytest.raises(ProtocolError) as caught:
        tuple(unpacker.events(start))
        unpacker.boots()
    assert not tuple(left)
    return caught.value.code


WHOLE, INT, ID, BYTES, TEXT, WIDE, UUID_, ARRAY = range(8)
NEW = (0, 1, 77, 1)
"""A new form of scope 1, type 77, version 1."""
TIMES = (1, 0, 0, 0)


@pytest.mark.parametrize(
    ("values", "strings"),
    [
        ((5,), b""),
        ((*NEW, ARRAY + 1, WHOLE), b""),
        ((*NEW, ARRAY + 1, ARRAY + 255), b""),
        ((*NEW, ID, *TIMES, 0), b""),
        ((*NEW, ID, *TIMES, 1), b""),
        ((*NEW, TEXT, *TIMES, 1), b""),
        ((*NEW, TEXT, *TIMES, 2), b""),
        ((*NEW, TEXT, *TIMES, 1 << 65), b""),
        ((*NEW, TEXT, *TIMES, 0, 2), b"A"),
        ((*NEW, TEXT, *TIMES, 0, 1), b"\xff"),
        ((*NEW, WIDE, *TIMES, 0, 2), b"\xd8\x00"),
        ((*NEW, WIDE, *TIMES, 0, 2), b"\x00A"),
        ((*NEW, TEXT, *TIMES, 0, 6), "余数".encode()),
        ((*NEW, TEXT, *TIMES, 0, 36), b"f0000000-0000-4000-8000-000000000000"),
        ((*NEW, WHOLE, *TIMES, 0, 1), b"\x01"),
        ((*NEW, ARRAY + 2, TEXT, TEXT, *TIMES, 0, 1, 0, 1), b"AA"),
        ((*NEW, INT, *TIMES, 0, 0), b"A"),
        ((*NEW, INT, *TIMES, 0, 1, 0, 0, 2), b""),
        ((*NEW, INT, *TIMES, 0, 1, 1, 0, 0), b""),
        ((*NEW, INT, *TIMES, 0, 1, 0, 1 << 60, 0), b""),
    ],
)
def test_pk2_forms_that_no_writer_makes_are_refused(values, strings):
    assert refused(values, strings)


def test_pk2_a_form_that_is_known_is_not_new():
    assert refused((*NEW, INT, *TIMES, 0, *NEW, INT), count=2)


def test_a_counter_that_stands_still_breaks_the_chain():
    assert refused((*NEW, INT, 0, 0, 0)) == "chain_broken"


@given(st.binary(max_size=120), st.binary(max_size=30))
@settings(deadline=None)
def test_pk3_noise_is_refused_or_the_form_of_what_it_says(number, strings):
    start = RunStart(writer=WRITER, seq=1, count=2, prev=NO_PREVIOUS)
    try:
        events, boots = unpack(Packed(number=number, strings=strings), start)
    except ProtocolError:
        return
    assert pack(events, boots) == Packed(number=number, strings=strings)


def test_the_primer_is_what_its_golden_events_leave(project_root):
    lines = (project_root / "tests" / "golden" / "primer.txt").read_text().splitlines()
    events: list[Event] = []
    *lines, last = lines
    boot = tuple(map(int, last.split()[1:]))
    for line in lines:
        *numbers, body = line.split()
        lc, start, mono_ms, wall_ms, scope, kind, version = map(int, numbers)
        before = events[-1] if events else None
        events.append(
            Event(
                writer=bytes(8),
                seq=before.seq + 1 if before else 1,
                prev=before.hash if before else NO_PREVIOUS,
                lc=lc,
                boot=start,
                mono_ms=mono_ms,
                wall_ms=wall_ms,
                scope=scope,
                type=kind,
                version=version,
                body=bytes.fromhex(body),
            )
        )
    memory = packing._Memory()
    packed = packing._pack(memory, events, (boot,))
    assert (packed.number, packed.strings) == (PRIMER_NUMBER, PRIMER_STRINGS)
    assert len(events) == PRIMER_EVENTS
    assert packing._primed() == memory
