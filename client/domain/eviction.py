"""Which lessons go when room is needed: pure decisions over what is here.

How much a lesson is worth is counted in classes, never in days: how often it was taught, and how
many classes the room has held since. A wrong clock therefore costs nobody a lesson.

Invariants:
  EV1  A lesson with a shield never goes, and no file goes that a lesson which stays refers to.
  EV2  What goes makes room enough; without the last of it there would be too little, and no lesson
       that may still be taught goes if the others were enough. Where all together are too little
       nothing goes, and `short_bytes` says what lacks.
  EV3  Withdrawn lessons go first. The same lessons in any order give the same answer.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from client.domain.availability import Trust
from client.domain.ids import Digest, LessonId

GB: Final = 1000 * 1000 * 1000
FLOOR_BYTES: Final = 2 * GB
"""Most that lessons leave free by themselves: small disks of schools are nearly full already, and
the records have room of their own."""
_SHARE: Final = 10


class Shield(Enum):
    """Why a lesson may not go; values are the ends of message keys."""

    TEACHING = "teaching"
    """A class on it is open."""
    COMING = "coming"
    """It is taught within the next ten school days."""
    PINNED = "pinned"
    WANTED = "wanted"
    """It is on its way: part of it is here."""
    ONLY_COPY = "only_copy"
    """Nobody else in the school is known to have it, and no source gives it again."""


class Leaving(Enum):
    """Why a lesson may go; values are the ends of message keys, in the order of going."""

    WITHDRAWN = "withdrawn"
    NEVER_USED = "never_used"
    LONG_UNUSED = "long_unused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """One lesson that is here.

    `uses` counts the classes that were held on it, `since` the classes of the room since the last
    of them (since the first class of all where there was none).
    """

    lesson: LessonId
    files: Mapping[Digest, int]
    """Bytes of each file that it refers to; others may refer to the same."""
    uses: int = 0
    since: int = 0
    trust: Trust = Trust.ATTESTED
    """The lesser of its files."""
    is_withdrawn: bool = False
    shields: frozenset[Shield] = frozenset()

    @property
    def size_bytes(self) -> int:
        """Bytes of its files."""
        return sum(self.files.values())

    @property
    def shield(self) -> Shield | None:
        """The strongest reason to stay, None when it may go."""
        return next((one for one in Shield if one in self.shields), None)

    @property
    def leaving(self) -> Leaving:
        """Why it would go if it may."""
        if self.is_withdrawn:
            return Leaving.WITHDRAWN
        return Leaving.LONG_UNUSED if self.uses else Leaving.NEVER_USED


@dataclass(frozen=True, slots=True, kw_only=True)
class Goes:
    """One lesson that goes, and why."""

    lesson: LessonId
    why: Leaving


@dataclass(frozen=True, slots=True, kw_only=True)
class Eviction:
    """What goes, in this order. `short_bytes` is 0 when that is enough."""

    goes: tuple[Goes, ...] = ()
    freed_bytes: int = 0
    short_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much room lessons may take. `quota_bytes` is 0 for no limit."""

    quota_bytes: int = 0
    floor_bytes: int = 0
    """Bytes that stay free on the disk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What the disk says. `held_bytes` are those of the lessons here."""

    total_bytes: int
    free_bytes: int
    held_bytes: int


def default_floor_bytes(total_bytes: int) -> int:
    """Give what stays free on a disk of this size unless somebody chose otherwise."""
    return min(FLOOR_BYTES, total_bytes // _SHARE)


def lacking_bytes(room: Room, limits: Limits, more_bytes: int) -> int:
    """Tell how many bytes must go before so many can come; 0 when they fit."""
    over_floor = more_bytes + limits.floor_bytes - room.free_bytes
    over_quota = more_bytes + room.held_bytes - limits.quota_bytes if limits.quota_bytes else 0
    return max(0, over_floor, over_quota)


def evict(stored: Iterable[Stored], need_bytes: int) -> Eviction:
    """Choose what goes so that `need_bytes` become free (EV1 to EV3).

    Order: withdrawn; then by bytes times classes since the last use, over uses, the most first;
    of equals the one that is trusted less, then by id.
    """
    known = tuple(stored)
    hold = _Hold(known)
    chosen: list[Stored] = []
    for one in sorted((one for one in known if one.shield is None), key=_order):
        if hold.freed_bytes >= need_bytes:
            break
        hold.leave(one)
        chosen.append(one)
    if hold.freed_bytes < need_bytes:
        return Eviction(short_bytes=need_bytes - hold.freed_bytes)
    for one in reversed(tuple(chosen)):
        if not one.is_withdrawn and hold.would_be(one) >= need_bytes:
            hold.stay(one)
            chosen.remove(one)
    goes = tuple(Goes(lesson=one.lesson, why=one.leaving) for one in chosen)
    return Eviction(goes=goes, freed_bytes=hold.freed_bytes)


def most_freeable_bytes(stored: Iterable[Stored]) -> int:
    """Tell how many bytes could be made free at most."""
    known = tuple(stored)
    hold = _Hold(known)
    for one in known:
        if one.shield is None:
            hold.leave(one)
    return hold.freed_bytes


def _order(one: Stored) -> tuple[int, int, bool, str]:
    worth = (one.since + 1) * one.size_bytes // (one.uses + 1)
    return (not one.is_withdrawn, -worth, one.trust is Trust.ATTESTED, one.lesson)


@dataclass(slots=True)
class _Hold:
    """Who refers to what, and what is free once some have left."""

    known: tuple[Stored, ...]
    freed_bytes: int = 0
    users: Counter[Digest] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        for one in self.known:
            self.users.update(one.files.keys())

    def leave(self, one: Stored) -> None:
        self.users.subtract(one.files.keys())
        self.freed_bytes += self._alone(one)

    def stay(self, one: Stored) -> None:
        self.freed_bytes = self.would_be(one)
        self.users.update(one.files.keys())

    def would_be(self, one: Stored) -> int:
        """Give the bytes that would be free if `one`, which left, had stayed."""
        return self.freed_bytes - self._alone(one)

    def _alone(self, one: Stored) -> int:
        return sum(size for digest, size in one.files.items() if not self.users[digest])
