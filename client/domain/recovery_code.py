"""The recovery code of a roster's backup: what a person keeps on paper and types again.

95 random bits as nineteen signs and a check sign, in groups of four: `7K2M-…`. The alphabet has no
two signs that look alike in print; what is typed instead of one of them is understood.

Invariants:
  RC1  Whatever `new_code` made is read again, in any case, grouping and with the usual mix-ups.
  RC2  One wrong sign, or two signs in each other's place, is found before anything is opened.
"""

from typing import Final

from client.domain.errors import UserError

ENTROPY_BYTES: Final = 12
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_MIX_UPS: Final = str.maketrans("OILU", "011V")
_SIGNS: Final = 20
_GROUP: Final = 4
_BITS: Final = 5
_REDUCE: Final = 0b100101
"""x⁵ + x² + 1: signs count as the elements of the field it makes."""


def new_code(entropy: bytes) -> str:
    """Make a code of `ENTROPY_BYTES` random bytes; one of their 96 bits is left over."""
    number = int.from_bytes(entropy, "big")
    values = [number >> _BITS * place & 31 for place in range(_SIGNS - 1)]
    signs = "".join(_ALPHABET[value] for value in (*values, _times(_checksum(values))))
    return "-".join(signs[at : at + _GROUP] for at in range(0, _SIGNS, _GROUP))


def read_code(text: str) -> str:
    """Read a code as a person types it and give it as `new_code` writes it.

    Raises:
        UserError: `roster_code_unreadable`: a sign is wrong, missing or too many.
    """
    typed = "".join(sign for sign in text.upper() if sign not in "- \t\r\n")
    signs = typed.translate(_MIX_UPS)
    if len(signs) != _SIGNS or set(signs) - set(_ALPHABET):
        raise UserError("roster_code_unreadable")
    if _checksum([_ALPHABET.index(sign) for sign in signs]):
        raise UserError("roster_code_unreadable")
    return "-".join(signs[at : at + _GROUP] for at in range(0, _SIGNS, _GROUP))


def _checksum(values: list[int]) -> int:
    """Weigh each place with another power, so that no swap and no single change adds up (RC2)."""
    total = 0
    for value in values:
        total = _times(total) ^ value
    return total


def _times(value: int) -> int:
    """Multiply with the field's generator."""
    doubled = value << 1
    return doubled ^ _REDUCE if doubled >> _BITS else doubled
