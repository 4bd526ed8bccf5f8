"""Lessons that must no longer be used: what was said of them, and what a room does. Pure.

A day of grace is `CLASSES_A_DAY` classes of the room or 24 hours that the machine ran, whichever of
the two counts is further. No clock on the wall is asked, so none ends a grace.

    | said of the lesson | a class on it is open | grace is left | standing |
    |--------------------|-----------------------|---------------|----------|
    | nothing            | either                | either        | OFFERED  |
    | withdrawn          | yes                   | either        | TEACHING |
    | withdrawn          | no                    | yes           | GRACE    |
    | withdrawn          | no                    | no            | OVER     |

Invariants:
  WD1  A class that is open on a lesson goes on to its end, whatever was said.
  WD2  What was withdrawn for an urgent reason has no grace, whoever says otherwise.
  WD3  Time that passes and more words never make a grace longer; of several words the strictest
       counts.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from client.domain.ids import LessonId

URGENT: Final = frozenset({"legal", "safety"})
"""Reasons that leave no grace."""
GONE: Final = "gone"
"""The reason where a platform answers that it has the lesson no more."""
REASONS: Final = (*sorted(URGENT), "wrong", "outdated", GONE)
"""Reasons that have words in every language; any other text is shown as it is."""
GONE_GRACE_DAYS: Final = 10
"""Platforms give no grace of their own: as long as the timetable looks ahead."""
CLASSES_A_DAY: Final = 6
RUN_MS_A_DAY: Final = 86_400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """A lesson that is no longer to be shown once its grace is over."""

    lesson: LessonId
    reason: str
    """One of `REASONS`, or what people read."""
    grace_days: int = 0
    """School may go on with it for so long; 0: not from its next start on."""
    replacement: LessonId | None = None

    @property
    def allowed_days(self) -> int:
        """Days of grace that count (WD2)."""
        return 0 if self.reason in URGENT else self.grace_days


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What a room has done so far: classes held, and for how long it ran in ms."""

    classes: int = 0
    ran_ms: int = 0


class Standing(Enum):
    """What becomes of a lesson in this room."""

    OFFERED = "offered"
    TEACHING = "teaching"
    GRACE = "grace"
    OVER = "over"


def strictest(said: Iterable[Withdrawal]) -> Withdrawal | None:
    """Choose the word that counts: the least grace, urgent ones first (WD3)."""
    return min(
        said,
        key=lambda one: (one.allowed_days, one.reason not in URGENT, one.replacement is None),
        default=None,
    )


def classes_left(one: Withdrawal, heard: Counted, now: Counted) -> int:
    """Give how many classes of the room the grace still covers, 0 when it is over.

    Args:
        one: What was said.
        heard: What the room had done when it first heard of it.
        now: What it has done until now.
    """
    held = max(0, now.classes - heard.classes)
    ran_days = max(0, now.ran_ms - heard.ran_ms) // RUN_MS_A_DAY
    used = max(held, CLASSES_A_DAY * ran_days)
    return max(0, CLASSES_A_DAY * one.allowed_days - used)


def standing(one: Withdrawal | None, heard: Counted, now: Counted, *, is_open: bool) -> Standing:
    """Decide by the table of the module; `is_open` tells of a class on the lesson."""
    if one is None:
        return Standing.OFFERED
    if is_open:
        return Standing.TEACHING
    return Standing.GRACE if classes_left(one, heard, now) else Standing.OVER


def ran(so_far_ms: int, then: tuple[str, int], now: tuple[str, int]) -> int:
    """Count on for how long the machine ran.

    In another start of the machine only what has passed since it began is sure.

    Args:
        so_far_ms: Counted until `then`.
        then: A start of the machine, and ms since it began.
        now: The same of now.
    """
    since = now[1] - then[1] if now[0] == then[0] else now[1]
    return so_far_ms + max(0, since)
