"""What views ask about sticks and packs to take home, and are told: frozen values, no files.

Invariants:
  SK1  Progress is a state: whoever misses one loses nothing.
"""

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from client.domain.ids import LessonId
from client.service.intake import NotTaken


class StickStage(Enum):
    """What is being done with a stick."""

    RESULTS = "results"
    TAKING = "taking"
    PACKING = "packing"


@dataclass(frozen=True, slots=True, kw_only=True)
class StickProgress:
    """How far it is: lessons when taking in, bytes when packing (SK1)."""

    stage: StickStage
    done: int = 0
    whole: int = 0
    title: str = ""
    """Lesson on its way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StickSeen:
    """What lies on a stick."""

    lessons: int = 0
    fresh: int = 0
    """Of these, lessons of which something is not here yet."""
    sites: tuple[str, ...] = ()
    has_record: bool = False

    @property
    def is_ours(self) -> bool:
        """Tell whether a program like this one used it before."""
        return bool(self.lessons or self.has_record)


@dataclass(frozen=True, slots=True, kw_only=True)
class StickEnd:
    """What came of it; the stick may be pulled out."""

    stage: StickStage
    lessons: int = 0
    size_bytes: int = 0
    left_events: int = 0
    receipts: int = 0
    not_taken: tuple[NotTaken, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PackOffer:
    """One lesson that may be packed. `is_soon`: it is taught this week, or was asked for."""

    id: LessonId
    title: str
    size_bytes: int
    is_soon: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeWish:
    """A pack to take home: which lessons in this order, as a folder or zip of that name."""

    lessons: tuple[LessonId, ...]
    name: str
    is_zip: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeEnd:
    """The pack that was made, and what is not in it."""

    path: Path
    lessons: int
    size_bytes: int
    not_taken: tuple[NotTaken, ...] = ()
