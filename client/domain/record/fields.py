"""How single values of a body go to the wire and back, each with its limits.

Invariants:
  F1  What a codec packs it unpacks to an equal value; everything outside of its limits is a
      `ProtocolError` in both directions.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, TypeVar

from client.domain.canon import Wire
from client.domain.errors import ProtocolError
from client.domain.ids import EventId, SittingId
from client.domain.record.event import HASH_BYTES, ID_BYTES, WRITER_BYTES

E = TypeVar("E", bound=Enum)

MAX_NAME: Final = 120
MAX_TEXT: Final = 2000
MAX_SEEN: Final = 64
MAX_CLASSES: Final = 16
MAX_STRETCHES: Final = 1000
MAX_COUNT: Final = 10_000
MAX_SECONDS: Final = 86_400
SITTING_BYTES: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Codec:
    """Turns one kind of value into its wire form and back."""

    form: str
    """How docs/protocol.md calls it."""
    pack: Callable[[Any], Wire]
    unpack: Callable[[Wire], Any]


def refuse() -> ProtocolError:
    """Make the one error of this module."""
    return ProtocolError("body_invalid")


def text(limit: int = MAX_NAME) -> Codec:
    """Text of at most `limit` characters."""

    def unpack(value: Wire) -> str:
        if not isinstance(value, str) or len(value) > limit:
            raise refuse()
        return value

    return Codec(form=f"text≤{limit}", pack=unpack, unpack=unpack)


def whole(limit: int = MAX_COUNT) -> Codec:
    """Make a codec of integers from 0 to `limit`."""

    def unpack(value: Wire) -> int:
        if not isinstance(value, int) or not 0 <= value <= limit:
            raise refuse()
        return value

    return Codec(form=f"int≤{limit}", pack=unpack, unpack=unpack)


def flag() -> Codec:
    """Yes or no as 1 or 0."""

    def unpack(value: Wire) -> bool:
        if value not in (0, 1) or not isinstance(value, int):
            raise refuse()
        return value == 1

    return Codec(form="0/1", pack=int, unpack=unpack)


def octets(size: int) -> Codec:
    """Make a codec of byte strings of exactly `size` bytes."""

    def unpack(value: Wire) -> bytes:
        if not isinstance(value, bytes) or len(value) != size:
            raise refuse()
        return value

    return Codec(form=f"bytes={size}", pack=unpack, unpack=unpack)


def choice(kind: type[E]) -> Codec:
    """One value of an enum, as its text. An unknown one makes the event unread, not lost."""
    known = {member.value: member for member in kind}

    def pack(value: E) -> Wire:
        return str(value.value)

    def unpack(value: Wire) -> E:
        if not isinstance(value, str) or value not in known:
            raise refuse()
        return known[value]

    return Codec(form="one of " + " ".join(known), pack=pack, unpack=unpack)


def several(item: Codec, limit: int) -> Codec:
    """Make a codec of arrays of at most `limit` values, tuples in Python."""

    def pack(value: tuple[Any, ...]) -> Wire:
        return [item.pack(one) for one in value]

    def unpack(value: Wire) -> tuple[Any, ...]:
        if not isinstance(value, list) or len(value) > limit:
            raise refuse()
        return tuple(item.unpack(one) for one in value)

    return Codec(form=f"[{item.form}]≤{limit}", pack=pack, unpack=unpack)


def pair(first: Codec, second: Codec) -> Codec:
    """Make a codec of arrays of exactly two values."""

    def pack(value: tuple[Any, Any]) -> Wire:
        return [first.pack(value[0]), second.pack(value[1])]

    def unpack(value: Wire) -> tuple[Any, Any]:
        if not isinstance(value, list) or len(value) != 2:  # noqa: PLR2004 - it is a pair
            raise refuse()
        return first.unpack(value[0]), second.unpack(value[1])

    return Codec(form=f"[{first.form}, {second.form}]", pack=pack, unpack=unpack)


def sitting() -> Codec:
    """Make the codec of a sitting: 8 bytes, or none for a fact outside of any."""

    def pack(value: SittingId) -> Wire:
        try:
            data = bytes.fromhex(value)
        except ValueError as error:
            raise refuse() from error
        unpack(data)
        return data

    def unpack(value: Wire) -> SittingId:
        if not isinstance(value, bytes) or len(value) not in (0, SITTING_BYTES):
            raise refuse()
        return SittingId(value.hex())

    return Codec(form="bytes=0 or 8", pack=pack, unpack=unpack)


def stretches() -> Codec:
    """Stretches `[begin, end]` in whole seconds, each of at least one second."""
    pairs = several(pair(whole(MAX_SECONDS), whole(MAX_SECONDS)), MAX_STRETCHES)

    def unpack(value: Wire) -> tuple[tuple[int, int], ...]:
        found: tuple[tuple[int, int], ...] = pairs.unpack(value)
        if any(begin >= end for begin, end in found):
            raise refuse()
        return found

    return Codec(form="[[begin_s, end_s]]", pack=pairs.pack, unpack=unpack)


def seen() -> Codec:
    """`sup`: ids of the events this one supersedes because its author saw them."""
    ids = several(octets(ID_BYTES), MAX_SEEN)

    def unpack(value: Wire) -> tuple[EventId, ...]:
        return tuple(EventId(one) for one in ids.unpack(value))

    return Codec(form=f"[id]≤{MAX_SEEN}", pack=ids.pack, unpack=unpack)


def logs() -> Codec:
    """Tips of earlier logs: `[writer, full hash]`."""
    return several(pair(octets(WRITER_BYTES), octets(HASH_BYTES)), MAX_SEEN)
