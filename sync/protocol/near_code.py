"""The short code of a PC that shares: six signs that somebody reads from one screen and types.

It holds the last two numbers of the address, eight bits of the key, and a sign that checks them. It
is an address, no secret: whoever types it says that this PC is one of the school.

Invariants:
  NC1  A code leads to the address and key it was made of, in any network of the same first half;
       one wrong sign, or two that changed places, make it no code.
"""

import ipaddress
import unicodedata
from dataclasses import dataclass
from typing import Final

from sync.protocol.enrol import LETTERS

_SIGNS: Final = 5
_BASE: Final = len(LETTERS)
_HALF: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class NearCode:
    """What a code says: the last 16 bits of an address, and the first 8 of a key."""

    tail: int
    mark: int

    def at(self, own: str) -> str:
        """Give the address, seen from the network of an own address."""
        head = int(ipaddress.IPv4Address(own)) >> _HALF
        return str(ipaddress.IPv4Address(head << _HALF | self.tail))

    def fits(self, key: bytes) -> bool:
        """Tell whether a key may be the one it was made of."""
        return key[0] == self.mark


def make_code(address: str, key: bytes) -> str:
    """Give the code of a PC, in two groups of three."""
    tail = int(ipaddress.IPv4Address(address)) & ((1 << _HALF) - 1)
    number = tail << 8 | key[0]
    digits = [number // _BASE**place % _BASE for place in range(_SIGNS)]
    text = "".join(LETTERS[digit] for digit in (*digits, _check(digits)))
    return f"{text[:3]}-{text[3:]}"


def read_code(text: str) -> NearCode | None:
    """Read what somebody typed; None if it is no code (NC1)."""
    plain = unicodedata.normalize("NFKC", text).upper()
    digits = [LETTERS.find(sign) for sign in plain if sign not in "- \t"]
    if len(digits) != _SIGNS + 1 or -1 in digits or _check(digits[:-1]) != digits[-1]:
        return None
    number = sum(digit * _BASE**place for place, digit in enumerate(digits[:-1]))
    if number >> 8 >> _HALF:
        return None
    return NearCode(tail=number >> 8, mark=number & 0xFF)


def _check(digits: list[int]) -> int:
    return sum((place + 1) * digit for place, digit in enumerate(digits)) % _BASE
