"""Consecutive events of one writer as a dense number and the strings it speaks of.

An event is written as its *form* (scope, type, version, and of which kinds its body is made), the
steps of its counters and clocks, and the values of its body one by one. Every value has its
place in its form, and the number holds it the shorter, the more often it stood there
(`client.domain.record.dense`):

    integer   the difference to the integer before it in bodies of that type
    id        of an event before it in the segment: how many events ago
    string    seen before: 1 if it is the newest of its kind, 2 if it is the one that stood in
              this place last, else 2 + its place in the list of that kind, newest first;
              otherwise 0, its length, and it is appended to the strings

Kinds of strings are bytes, text, and text that is a lower-case UUID (16 bytes). Text stands in
UTF-16 where that is shorter than UTF-8. A body that is not made of these, or of too many, is kept
whole. All counts and lists begin with what a usual lesson leaves behind (`primer`).

Invariants:
  PK1  What is packed is unpacked to the same events: bodies of unknown types and of any bytes too.
  PK2  Events have exactly one packed form; every other one is refused.
  PK3  Unpacking is lazy and bounded; hostile bytes end in `ProtocolError` and nothing else.
"""

import re
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from typing import Final, TypeAlias

from client.domain.canon import Wire, decode, encode
from client.domain.errors import ProtocolError
from client.domain.record.dense import Counts, DenseReader, DenseWriter, folded, unfolded
from client.domain.record.event import NO_PREVIOUS, WRITER_BYTES, Event
from client.domain.record.primer import PRIMER_EVENTS, PRIMER_NUMBER, PRIMER_STRINGS

_MAX_NODES: Final = 256
"""A body of more values and arrays is kept whole."""
_RECENT: Final = 256
"""So many strings of a kind are remembered."""

_WHOLE, _INT, _ID, _BYTES, _TEXT, _WIDE, _UUID, _ARRAY = range(8)
"""Kinds of nodes; an array of n is `_ARRAY` + n."""
_UUID_FORM: Final = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_UUID_BYTES: Final = 16
_UUID_CUTS: Final = (0, 8, 12, 16, 20, 32)
"""Between these digits it has no dash."""
_ORDINAL_LIMIT: Final = 1 << 63
_WALL_LIMIT: Final = 1 << 53
_HEADS: Final = ("scope", "type", "version")
"""What stands before the kinds in a form."""

Form: TypeAlias = tuple[int, ...]
String: TypeAlias = bytes | str
BootFacts: TypeAlias = tuple[int, int, int]
"""Ordinal, wall clock in milliseconds, and 1 if the program had ended properly before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """Events without what their place in the log says."""

    number: bytes
    strings: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStart:
    """Where a run of `count` events begins: `prev` is the full hash before it."""

    writer: bytes
    seq: int
    count: int
    prev: bytes


@dataclass(slots=True)
class _Memory:
    """What both sides know after the same events."""

    counts: Counts = field(default_factory=Counts)
    forms: dict[Form, int] = field(default_factory=dict)
    names: list[Form] = field(default_factory=list)
    """The forms by their number."""
    recent: dict[int, list[String]] = field(default_factory=dict)
    """Strings of each kind, newest first."""
    stood: dict[tuple[int, int], String] = field(default_factory=dict)
    """The last string of each place."""
    integers: dict[int, int] = field(default_factory=dict)
    """The last integer of each type."""
    before: tuple[int, int] = (0, 0)
    """The last two forms."""

    def copy(self) -> "_Memory":
        return _Memory(
            Counts(self.counts),
            self.forms.copy(),
            self.names.copy(),
            {kind: strings.copy() for kind, strings in self.recent.items()},
            self.stood.copy(),
            self.integers.copy(),
            self.before,
        )

    def enter(self, form: int) -> None:
        self.before = (form, self.before[0])

    def rank(self, kind: int, place: tuple[int, int], value: String) -> int:
        """Say by which number a string that was seen is called; 0: it was not."""
        recent = self.recent.get(kind, [])
        if recent and recent[0] == value:
            return 1
        if self.stood.get(place) == value:
            return 2
        return 2 + recent.index(value) if value in recent else 0

    def named(self, kind: int, place: tuple[int, int], rank: int) -> String:
        """Find the string that `rank` calls."""
        recent = self.recent.get(kind, [])
        try:
            return self.stood[place] if rank == 2 else recent[max(0, rank - 2)]  # noqa: PLR2004
        except LookupError as error:
            raise _refuse() from error

    def saw(self, kind: int, place: tuple[int, int], value: String) -> None:
        """Remember a string as the newest of its kind."""
        recent = self.recent.setdefault(kind, [])
        if value in recent:
            recent.remove(value)
        recent.insert(0, value)
        del recent[_RECENT:]
        self.stood[place] = value


@dataclass(slots=True)
class _Clocks:
    """Where counters and clocks stood; drift is wall - mono."""

    lc: int = 0
    boot: int = 0
    mono: int = 0
    drift: int = 0
    turn: int = 0
    """Where the drift went last, -1 or 1: roundings go to and fro."""

    def step(self, lc: int, boot: int, mono: int, drift: int) -> "_Clocks":
        """Give where they stand after steps."""
        turn = (drift > 0) - (drift < 0)
        return _Clocks(
            self.lc + lc, self.boot + boot, self.mono + mono, self.drift + drift, turn or self.turn
        )


class _Packer:
    def __init__(self, memory: _Memory) -> None:
        self._memory = memory
        self._pen = DenseWriter(memory.counts)
        self._strings = bytearray()
        self._ids: dict[bytes, int] = {}
        self._at = _Clocks()

    def add(self, event: Event) -> None:
        nodes = _nodes(event.body, self._ids)
        form = (event.scope, event.type, event.version, *(kind for kind, _ in nodes))
        number = self._form(form)
        self._times(event, number)
        for at, (kind, value) in enumerate(nodes):
            place = (number, at)
            if kind == _INT and isinstance(value, int):
                step = value - self._memory.integers.get(event.type, 0)
                self._pen.put(place, folded(step))
                self._memory.integers[event.type] = value
            elif kind == _ID and isinstance(value, bytes):
                self._pen.put(place, len(self._ids) - self._ids[value])
            elif not isinstance(value, int | list):
                self._string(kind, place, value)
        self._ids[event.id] = len(self._ids)

    def boots(self, boots: Sequence[BootFacts]) -> None:
        self._pen.put("boots", len(boots))
        for ordinal, wall, clean in boots:
            self._pen.put("boot", folded(ordinal - self._at.boot))
            self._pen.put("began", folded(wall - self._at.drift))
            self._pen.put("clean", clean)

    def packed(self) -> Packed:
        return Packed(number=self._pen.number(), strings=bytes(self._strings))

    def _form(self, form: Form) -> int:
        memory = self._memory
        number = memory.forms.get(form)
        self._pen.put(("form", *memory.before), 0 if number is None else number + 1)
        if number is None:
            number = memory.forms[form] = len(memory.forms)
            memory.names.append(form)
            for place, value in zip(_HEADS, form, strict=False):
                self._pen.put(place, value)
            before = 0
            for kind in form[len(_HEADS) :]:
                self._pen.put(("kind", before), kind)
                before = kind
        memory.enter(number)
        return number

    def _times(self, event: Event, form: int) -> None:
        at, put = self._at, self._pen.put
        lc, boot, mono = event.lc - at.lc, event.boot - at.boot, event.mono_ms - at.mono
        drift = event.wall_ms - event.mono_ms - at.drift
        put("lc", lc)
        put("boot", folded(boot))
        put(("mono", form), folded(mono))
        put(("drift", at.turn), folded(drift))
        self._at = at.step(lc, boot, mono, drift)

    def _string(self, kind: int, place: tuple[int, int], value: String) -> None:
        rank = self._memory.rank(kind, place, value)
        self._pen.put(place, rank)
        if not rank:
            data = _bytes_of(kind, value)
            if kind != _UUID:
                self._pen.put(("length", kind), len(data))
            self._strings += data
        self._memory.saw(kind, place, value)


class _Unpacker:
    """Gives events one by one; the same steps as `_Packer`."""

    def __init__(self, memory: _Memory, packed: Packed) -> None:
        self._memory = memory
        self._pen = DenseReader(memory.counts, packed.number)
        self._strings = packed.strings
        self._used = 0
        self._ids: list[bytes] = []
        self._known: set[bytes] = set()
        self._at = _Clocks()

    def events(self, start: RunStart) -> Iterator[Event]:
        """Give the events of a run."""
        prev = start.prev
        for seq in range(start.seq, start.seq + start.count):
            event = self._event(start.writer, seq, prev)
            prev = event.hash
            self._ids.append(event.id)
            self._known.add(event.id)
            yield event

    def boots(self) -> tuple[BootFacts, ...]:
        """Give the boots that stand behind the events, and see that nothing follows."""
        boots = tuple(self._boot() for _ in range(self._pen.take("boots")))
        self._pen.end()
        if self._used != len(self._strings):
            raise _refuse()
        return boots

    def _boot(self) -> BootFacts:
        ordinal = self._at.boot + unfolded(self._pen.take("boot"))
        wall = self._at.drift + unfolded(self._pen.take("began"))
        clean = self._pen.take("clean")
        if not (0 <= ordinal < _ORDINAL_LIMIT and abs(wall) < _WALL_LIMIT and clean <= 1):
            raise _refuse()
        return ordinal, wall, clean

    def _event(self, writer: bytes, seq: int, prev: bytes) -> Event:
        number, form = self._form()
        at = self._times(number)
        values = [
            self._value(kind, (number, place), form[1])
            for place, kind in enumerate(form[len(_HEADS) :])
        ]
        return Event(
            writer=writer,
            seq=seq,
            prev=prev,
            lc=at.lc,
            boot=at.boot,
            mono_ms=at.mono,
            wall_ms=at.mono + at.drift,
            scope=form[0],
            type=form[1],
            version=form[2],
            body=_body(form[len(_HEADS) :], values),
        )

    def _form(self) -> tuple[int, Form]:
        memory = self._memory
        number = self._pen.take(("form", *memory.before)) - 1
        if number >= len(memory.forms):
            raise _refuse()
        if number < 0:
            number = len(memory.forms)
            form = (*(self._pen.take(place) for place in _HEADS), *self._kinds())
            if form in memory.forms:
                raise _refuse()
            memory.forms[form] = number
            memory.names.append(form)
        memory.enter(number)
        return number, memory.names[number]

    def _kinds(self) -> list[int]:
        kinds: list[int] = []
        wanted, before = 1, 0
        while wanted:
            before = self._pen.take(("kind", before))
            kinds.append(before)
            wanted += max(0, before - _ARRAY) - 1
            if len(kinds) + wanted > _MAX_NODES:
                raise _refuse()
        if _WHOLE in kinds[1:]:
            raise _refuse()
        return kinds

    def _times(self, form: int) -> _Clocks:
        at, take = self._at, self._pen.take
        lc, boot, mono = take("lc"), unfolded(take("boot")), unfolded(take(("mono", form)))
        if not lc:
            raise ProtocolError("chain_broken")
        self._at = at.step(lc, boot, mono, unfolded(take(("drift", at.turn))))
        return self._at

    def _value(self, kind: int, place: tuple[int, int], number: int) -> Wire:
        if kind >= _ARRAY:
            return kind - _ARRAY
        taken = self._pen.take(place)
        if kind == _INT:
            value = self._memory.integers.get(number, 0) + unfolded(taken)
            self._memory.integers[number] = value
            return value
        if kind == _ID:
            if not 0 < taken <= len(self._ids):
                raise _refuse()
            return self._ids[-taken]
        string = self._memory.named(kind, place, taken) if taken else self._new(kind)
        if self._memory.rank(kind, place, string) != taken:
            raise _refuse()
        self._memory.saw(kind, place, string)
        return string

    def _new(self, kind: int) -> String:
        size = _UUID_BYTES if kind == _UUID else self._pen.take(("length", kind))
        begin, self._used = self._used, self._used + size
        if self._used > len(self._strings):
            raise _refuse()
        data = self._strings[begin : self._used]
        string = _string_of(kind, data)
        chosen = _nodes(data, ())[0][0] if kind == _WHOLE else _kind(string, self._known)
        if chosen != kind:
            raise _refuse()
        return string


def pack(events: Sequence[Event], boots: Sequence[BootFacts]) -> Packed:
    """Pack consecutive events of one writer, and the starts of the machine they speak of.

    Raises:
        ProtocolError: `too_large`: fewer may fit.
    """
    return _pack(_primed().copy(), events, boots)


def unpack(packed: Packed, start: RunStart) -> tuple[tuple[Event, ...], tuple[BootFacts, ...]]:
    """Undo `pack`.

    Raises:
        ProtocolError: What stands there is not what `pack` makes of any events.
    """
    unpacker = _Unpacker(_primed().copy(), packed)
    return tuple(unpacker.events(start)), unpacker.boots()


def unpack_first(packed: Packed, start: RunStart) -> Event:
    """Unpack the first event and read nothing behind it."""
    return next(_Unpacker(_primed().copy(), packed).events(start))


@cache
def _primed() -> _Memory:
    memory = _Memory()
    start = RunStart(writer=bytes(WRITER_BYTES), seq=1, count=PRIMER_EVENTS, prev=NO_PREVIOUS)
    packed = Packed(number=PRIMER_NUMBER, strings=PRIMER_STRINGS)
    unpacker = _Unpacker(memory, packed)
    tuple(unpacker.events(start))
    unpacker.boots()
    return memory


def _pack(memory: _Memory, events: Sequence[Event], boots: Sequence[BootFacts]) -> Packed:
    packer = _Packer(memory)
    for event in events:
        packer.add(event)
    packer.boots(boots)
    return packer.packed()


def _nodes(body: bytes, ids: Container[bytes]) -> list[tuple[int, Wire]]:
    """Take a body apart: kind and value of each node, arrays before what they hold."""
    nodes: list[tuple[int, Wire]] = []

    def walk(value: Wire) -> None:
        if isinstance(value, list):
            nodes.append((_ARRAY + len(value), 0))
            for item in value:
                walk(item)
        else:
            nodes.append((_kind(value, ids), value))

    try:
        walk(decode(body))
    except ProtocolError:
        return [(_WHOLE, body)]
    return nodes if len(nodes) <= _MAX_NODES else [(_WHOLE, body)]


def _kind(value: int | bytes | str, ids: Container[bytes]) -> int:
    if isinstance(value, int):
        return _INT
    if isinstance(value, bytes):
        return _ID if value in ids else _BYTES
    if _UUID_FORM.fullmatch(value):
        return _UUID
    return min(_TEXT, _WIDE, key=lambda kind: len(_bytes_of(kind, value)))


def _body(kinds: Sequence[int], values: Sequence[Wire]) -> bytes:
    """Put a body together again."""
    if kinds[0] == _WHOLE and isinstance(values[0], bytes):
        return values[0]
    nodes = iter(zip(kinds, values, strict=True))

    def build() -> Wire:
        kind, value = next(nodes)
        if kind < _ARRAY:
            return value
        return [build() for _ in range(kind - _ARRAY)]

    return encode(build())


def _bytes_of(kind: int, string: String) -> bytes:
    if isinstance(string, bytes):
        return string
    if kind == _UUID:
        return bytes.fromhex(string.replace("-", ""))
    return string.encode("utf-16-be" if kind == _WIDE else "utf-8")


def _string_of(kind: int, data: bytes) -> String:
    if kind == _UUID:
        digits = data.hex()
        return "-".join(digits[begin:end] for begin, end in pairwise(_UUID_CUTS))
    if kind not in (_TEXT, _WIDE):
        return data
    try:
        return data.decode("utf-16-be" if kind == _WIDE else "utf-8")
    except UnicodeDecodeError as error:
        raise _refuse() from error


def _refuse() -> ProtocolError:
    return ProtocolError("segment_invalid")
