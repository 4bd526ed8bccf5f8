"""Textbooks a room asked for by the words on their covers, before any catalogue was here.

Invariants:
  WI1  A wish never replaces a book that somebody chose.
  WI2  A wish is met only by a book of the same grade, subject, edition and volume.
"""

import json
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Final

from client.domain.catalogue import Book
from client.domain.ids import ClassId
from client.domain.record.room import RoomSnapshot
from client.domain.timetable import ChosenBook
from client.service.paths import ASSETS

LOCAL: Final = "wishes"
"""Name of the local value of client.service.room that holds them."""
_SPRING: Final = range(2, 8)
"""Months in which second volumes are taught."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What stands on the cover of a class's textbook."""

    class_id: ClassId
    grade: str
    subject: str
    edition: str
    volume: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Offers:
    """The built-in short list (assets/editions.toml)."""

    grades: tuple[str, ...]
    volumes: tuple[str, ...]
    editions: tuple[tuple[str, tuple[str, ...]], ...]
    """Subject and its editions, the usual one first."""

    def volume_in(self, month: int) -> str:
        """Choose the volume that is taught in a month."""
        return self.volumes[1 if month in _SPRING else 0]


@cache
def load_offers() -> Offers:
    """Read the short list. Kept: the file does not change while running."""
    data = tomllib.loads((ASSETS / "editions.toml").read_text(encoding="utf-8"))
    return Offers(
        grades=tuple(data["grades"]),
        volumes=tuple(data["volumes"]),
        editions=tuple((one["name"], tuple(one["editions"])) for one in data["subject"]),
    )


def write_wishes(wishes: Iterable[Wish]) -> str:
    """Turn wishes into the text that is kept."""
    return json.dumps([asdict(wish) for wish in wishes], ensure_ascii=False)


def read_wishes(text: str) -> tuple[Wish, ...]:
    """Read kept wishes; what cannot be read is no wish."""
    try:
        found = json.loads(text) if text else []
        return tuple(Wish(**{name: str(one[name]) for name in Wish.__slots__}) for one in found)  # type: ignore[arg-type]
    except (ValueError, KeyError, TypeError):
        return ()


def met_wishes(
    wishes: Iterable[Wish], room: RoomSnapshot, books: Sequence[Book]
) -> tuple[ChosenBook, ...]:
    """Find the books that meet wishes, for classes that still lack one (WI1, WI2)."""
    taken = {(chosen.class_id, chosen.subject) for chosen in room.chosen_books}
    present = {group.id for group in room.classes}
    met: list[ChosenBook] = []
    for wish in wishes:
        if wish.class_id not in present or (wish.class_id, wish.subject) in taken:
            continue
        wanted = (wish.grade, wish.subject, wish.edition, wish.volume)
        fitting = [book for book in books if _cover(book) == wanted]
        if fitting:
            met.append(ChosenBook(class_id=wish.class_id, subject=wish.subject, book=fitting[0].id))
    return tuple(met)


def _cover(book: Book) -> tuple[str, str, str, str]:
    place = book.place
    return place.grade, place.subject, place.edition, place.volume
