"""The order of books: as in school, from assets/places.toml."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Final

from client.domain.catalogue import Placement

PLACES_FILE: Final = Path(__file__).resolve().parents[2] / "assets" / "places.toml"
_LISTS: Final = ("stages", "grades", "subjects", "volumes")


@cache
def _orders() -> dict[str, dict[str, int]]:
    known = tomllib.loads(PLACES_FILE.read_text(encoding="utf-8"))
    return {name: {word: at for at, word in enumerate(known[name])} for name in _LISTS}


def value_key(name: str, value: str) -> tuple[int, str]:
    """Give what sorts the values of one facet (`stage`, `grade`, ...) as school does."""
    known = _orders().get(f"{name}s", {})
    return known.get(value, len(known)), value


def place_key(place: Placement) -> str:
    """Give a text that sorts by stage, grade, subject, edition, volume."""
    orders = _orders()

    def rank(name: str, word: str) -> str:
        known = orders[name]
        # What has no place at all stands last.
        return f"{known.get(word, len(known) if word else 999):03}{word}"

    return "\x1f".join(
        (
            rank("stages", place.stage),
            rank("grades", place.grade),
            rank("subjects", place.subject),
            place.edition,
            rank("volumes", place.volume),
        )
    )
