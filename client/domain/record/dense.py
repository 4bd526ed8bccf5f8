"""Natural numbers folded into one large number, each as short as its place makes it likely.

A value is cut into a symbol and plain bits: below 16 it is a symbol of its own, above the symbol
is its length, and the bits behind its first one follow. Each *place* (any key the caller chooses)
counts which symbols were seen there; of a sum `t` a symbol has `f`, all smaller ones `c`:

    write  n = (n div f) * t + (n mod f) + c
    read   n = (n div t) * f + (n mod t) - c      where c <= n mod t < c + f

so that a symbol costs log2(t / f) bits. Reading undoes writing: the value that is read first is
folded in last, and everything begins with 0.

Invariants:
  DN1  What is written is read again, place by place, with the same counts on both sides.
  DN2  A list of values has exactly one number and a number one form: a reader that took everything
      stands at 0, or it refuses.
  DN3  Time and memory are bounded by the length of the number and by how much its caller takes.
"""

from collections.abc import Hashable, Mapping
from typing import Final

from client.domain.errors import ProtocolError

MAX_NUMBER_BYTES: Final = 16 * 1024
MAX_VALUES: Final = 1 << 14
_VALUE_BITS: Final = 66
"""Enough for the signed difference of two integers of 64 bits."""
_DIRECT_BITS: Final = 4
_DIRECT: Final = 1 << _DIRECT_BITS
_SYMBOLS: Final = _DIRECT + _VALUE_BITS - _DIRECT_BITS
_WEIGHT: Final = 64
"""What one sight of a symbol counts; before it is seen it counts 1."""


class Counts(dict[Hashable, list[int]]):
    """Of each place the count of every symbol, and behind them their sum.

    Args:
        before: Where they begin. It is read place by place when it is asked for: few are.
    """

    def __init__(self, before: "Counts | None" = None) -> None:
        super().__init__()
        self._before: Final[Mapping[Hashable, list[int]]] = before or {}

    def __missing__(self, place: Hashable) -> list[int]:
        begun = self._before.get(place)
        found = self[place] = begun.copy() if begun else [1] * _SYMBOLS + [_SYMBOLS]
        return found


class DenseWriter:
    """Takes values; `number` folds them.

    Raises:
        ProtocolError: `segment_invalid`: a value is out of range; `too_large`: there are too many,
            or their number is too long.
    """

    def __init__(self, counts: Counts) -> None:
        self._counts: Final = counts
        self._steps: list[tuple[int, int, int]] = []
        self._count = 0

    def put(self, place: Hashable, value: int) -> None:
        """Write a value from 0 to 2⁶⁶ - 1."""
        if not 0 <= value < 1 << _VALUE_BITS:
            raise ProtocolError("segment_invalid")
        self._count += 1
        bits = value.bit_length() - 1
        symbol = value if value < _DIRECT else _DIRECT + bits - _DIRECT_BITS
        counts = self._counts[place]
        self._steps.append((sum(counts[:symbol]), counts[symbol], counts[-1]))
        _see(counts, symbol)
        if symbol >= _DIRECT:
            self._steps.append((value - (1 << bits), 1, 1 << bits))

    def number(self) -> bytes:
        """Give the number, its largest byte first."""
        if self._count > MAX_VALUES:
            raise ProtocolError("too_large")
        number = 0
        for smaller, often, total in reversed(self._steps):
            most, rest = divmod(number, often)
            number = most * total + rest + smaller
        data = number.to_bytes((number.bit_length() + 7) // 8, "big")
        if len(data) > MAX_NUMBER_BYTES:
            raise ProtocolError("too_large")
        return data


class DenseReader:
    """Gives the values of a number back.

    Raises:
        ProtocolError: `segment_invalid`: the number is too long, begins with a zero byte, or too
            much was taken from it.
    """

    def __init__(self, counts: Counts, number: bytes) -> None:
        if len(number) > MAX_NUMBER_BYTES or number[:1] == b"\0":
            raise ProtocolError("segment_invalid")
        self._counts: Final = counts
        self._number = int.from_bytes(number, "big")
        self._count = 0

    def take(self, place: Hashable) -> int:
        """Read the next value."""
        self._count += 1
        if self._count > MAX_VALUES:
            raise ProtocolError("segment_invalid")
        counts = self._counts[place]
        number, slot = divmod(self._number, counts[-1])
        symbol = 0
        while slot >= counts[symbol]:
            slot -= counts[symbol]
            symbol += 1
        number = number * counts[symbol] + slot
        _see(counts, symbol)
        if symbol < _DIRECT:
            self._number = number
            return symbol
        bits = symbol - _DIRECT + _DIRECT_BITS
        self._number = number >> bits
        return (1 << bits) | (number & ((1 << bits) - 1))

    def end(self) -> None:
        """Refuse a number that holds more than what was taken (DN2)."""
        if self._number:
            raise ProtocolError("segment_invalid")


def folded(value: int) -> int:
    """Give a signed value as a natural one: 0, -1, 1, -2, 2 as 0, 1, 2, 3, 4."""
    return 2 * value if value >= 0 else -2 * value - 1


def unfolded(value: int) -> int:
    """Undo `folded`."""
    return -(value + 1) // 2 if value % 2 else value // 2


def _see(counts: list[int], symbol: int) -> None:
    counts[symbol] += _WEIGHT
    counts[-1] += _WEIGHT
