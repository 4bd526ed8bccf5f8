"""The one byte form of a value: deterministic CBOR of few kinds.

Invariants:
  N1  Only arrays, integers of 64 bits, byte strings and text are written or read. No map, float,
      tag, simple value or indefinite length.
  N2  A value has exactly one form: what is read and written again gives the same bytes.
  N3  Reading is bounded: size, depth and number of items are checked before anything is built.
"""

from typing import Final, TypeAlias

import cbor2

from client.domain.errors import ProtocolError

Wire: TypeAlias = int | bytes | str | list["Wire"]

MAX_BYTES: Final = 1 << 20
MAX_DEPTH: Final = 8
MAX_ITEMS: Final = 1 << 16

_UINT, _NINT, _BYTES, _TEXT, _ARRAY = range(5)
_DIRECT: Final = 24
"""Heads below this hold their argument themselves."""
_WIDEST: Final = 27
_INT_LIMIT: Final = 1 << 64
_STRINGS: Final = frozenset({bytes, str})


def encode(value: Wire) -> bytes:
    """Give the one byte form of `value`.

    Raises:
        ProtocolError: It holds a kind that is not allowed, or text that is no Unicode.
    """
    _check_kinds(value, MAX_DEPTH)
    try:
        return cbor2.dumps(value)
    except (cbor2.CBORError, UnicodeEncodeError) as error:
        raise ProtocolError("not_canonical") from error


def decode(data: bytes, *, max_bytes: int = MAX_BYTES) -> Wire:
    """Read a value whose form must be the one `encode` gives, with nothing behind it.

    Raises:
        ProtocolError: Any other form, or a limit was passed.
    """
    if len(data) > max_bytes:
        raise ProtocolError("too_large")
    _scan(data)
    try:
        value: Wire = cbor2.loads(data)
    except cbor2.CBORError as error:
        raise ProtocolError("not_canonical") from error
    return value


def decode_array(data: bytes, *, max_bytes: int = MAX_BYTES) -> list[Wire]:
    """Read an array; see `decode`."""
    value = decode(data, max_bytes=max_bytes)
    if not isinstance(value, list):
        raise ProtocolError("not_canonical")
    return value


def _check_kinds(value: object, depth: int) -> None:
    if isinstance(value, list) and depth:
        for item in value:
            if type(item) not in _STRINGS:  # most are, and a call for each is half of the time
                _check_kinds(item, depth - 1)
    elif isinstance(value, int) and not isinstance(value, bool):
        if not -_INT_LIMIT <= value < _INT_LIMIT:
            raise ProtocolError("not_canonical")
    elif not isinstance(value, bytes | str):
        raise ProtocolError("not_canonical")


def _scan(data: bytes) -> None:
    """Walk over the heads without building anything; refuse every form `encode` never gives."""
    at = items = 0
    wanted = [1]
    """How many values each array that is open still waits for."""
    while wanted:
        kind, argument, at = _head(data, at)
        items += 1
        wanted[-1] -= 1
        if kind == _ARRAY:
            wanted.append(argument)
        elif kind in (_BYTES, _TEXT):
            at += argument
        if items > MAX_ITEMS or len(wanted) > MAX_DEPTH + 1:
            raise ProtocolError("too_large")
        while wanted and not wanted[-1]:
            wanted.pop()
    if at != len(data):
        raise ProtocolError("not_canonical")


def _head(data: bytes, at: int) -> tuple[int, int, int]:
    """Read one head at `at`: its kind, its argument, and where it ends."""
    if at >= len(data):
        raise ProtocolError("not_canonical")
    kind, short = data[at] >> 5, data[at] & 31
    if kind > _ARRAY or short > _WIDEST:
        raise ProtocolError("not_canonical")
    if short < _DIRECT:
        return kind, short, at + 1
    width = 1 << (short - _DIRECT)
    argument = int.from_bytes(data[at + 1 : at + 1 + width], "big")
    smallest = _DIRECT if width == 1 else 1 << (4 * width)
    if at + 1 + width > len(data) or argument < smallest:
        raise ProtocolError("not_canonical")
    return kind, argument, at + 1 + width
