"""What somebody asked to have: one `Want` for each lesson, kept until it is here."""

from dataclasses import dataclass
from enum import Enum

from client.domain.catalogue import Role
from client.domain.ids import LessonId


class WantState(Enum):
    """How a want stands; persisted by name. What happens right now is not persisted."""

    WAITING = "waiting"
    FAILED = "failed"
    """It will not come by itself; `reason` says why."""
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Want:
    """One lesson to have."""

    lesson: LessonId
    rendition: str = "360p"
    roles: frozenset[Role] = frozenset()
    """Empty for all."""
    is_pinned: bool = False
    state: WantState = WantState.WAITING
    reason: str = ""
    bytes_needed: int = 0
    bytes_done: int = 0
