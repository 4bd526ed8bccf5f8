"""Grades as numbers and names, from assets/places.toml."""

import tomllib
from functools import cache
from typing import Final

from client.service.paths import ASSETS

_BEFORE_SENIOR: Final = 9
_SENIOR: Final = 3


@cache
def _grades() -> tuple[str, ...]:
    return tuple(tomllib.loads((ASSETS / "places.toml").read_text(encoding="utf-8"))["grades"])


def grade_number(name: str) -> int:
    """Give the number of a grade, 0 for a name that is none.

    The list names grades 1 to 9, then the three senior grades in two spellings.
    """
    names = _grades()
    if name not in names:
        return 0
    place = names.index(name)
    if place < _BEFORE_SENIOR:
        return place + 1
    return _BEFORE_SENIOR + 1 + (place - _BEFORE_SENIOR) % _SENIOR


def grade_name(number: int) -> str:
    """Give the name of a grade from 1 to 12, empty for another number."""
    names = _grades()
    return names[number - 1] if 1 <= number <= _BEFORE_SENIOR + _SENIOR else ""
