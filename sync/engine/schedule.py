"""What to fetch next: pure decisions over the list of wants.

Invariants:
  Q1  Papers of every wanted lesson come before the film of any.
  Q2  What waits for its time does not keep others waiting.
  Q3  A failure that another try may mend is tried again by itself, later and later; any other
      waits for somebody.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from client.domain.catalogue import Role
from client.domain.ids import LessonId
from client.domain.want import Want, WantState

FILM_ROLES: Final = frozenset({Role.VIDEO, Role.EXPERIMENT})
FIRST_RETRY_S: Final = 15.0
MOST_RETRY_S: Final = 600.0
NEAR_S: Final = 3.0
CLOSED: Final = "link_closed"
NEAR: Final = "near_coming"
"""Another PC of the school brings it just now."""
QUIET: Final = frozenset({CLOSED, NEAR})
"""Reasons to wait that say nothing of the link."""
_MENDS_ITSELF: Final = QUIET | frozenset(
    {
        "unreachable",
        "cut_off",
        "timed_out",
        "busy",
        "redirect_loop",
        "tls_failed",
        "certificate_dates",
    }
)


class Stage(Enum):
    """Which half of a lesson is fetched."""

    PAPERS = "papers"
    FILM = "film"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One want with what this life of the program knows of it."""

    want: Want
    stage: Stage = Stage.PAPERS
    retries: int = 0
    not_before_s: float = 0.0
    """Monotonic seconds."""
    reason: str = ""
    """Why it is tried again later."""
    is_planned: bool = False
    """The timetable needs it; nobody asked for it by hand, and it is not kept in the list."""

    @property
    def is_open(self) -> bool:
        """Tell whether there is something left to fetch by itself."""
        return self.want.state is WantState.WAITING and self.stage is not Stage.DONE


def next_entry(entries: Iterable[Entry], now_s: float) -> Entry | None:
    """Choose what to fetch now (Q1, Q2); None when nothing is due."""
    due = [entry for entry in entries if entry.is_open and entry.not_before_s <= now_s]
    papers = [entry for entry in due if entry.stage is Stage.PAPERS]
    return next(iter(papers or due), None)


def next_due_s(entries: Iterable[Entry], now_s: float) -> float | None:
    """Tell in how many seconds something is due; None when nothing ever is."""
    waits = [entry.not_before_s - now_s for entry in entries if entry.is_open]
    return max(0.0, min(waits)) if waits else None


def roles_of(want: Want, stage: Stage) -> frozenset[Role]:
    """Give the roles to fetch in a stage; an empty set means there is nothing to do."""
    wanted = want.roles or frozenset(Role)
    return wanted & FILM_ROLES if stage is Stage.FILM else wanted - FILM_ROLES


def mends_itself(reason: str) -> bool:
    """Tell whether trying again later may help (Q3)."""
    return reason in _MENDS_ITSELF


def retry_wait_s(retries: int, reason: str = "") -> float:
    """Choose the wait before the `retries`-th new try, from 1; what is near is soon looked for."""
    if reason == NEAR:
        return NEAR_S
    return min(FIRST_RETRY_S * float(2 ** (retries - 1)), MOST_RETRY_S)


def find(entries: Iterable[Entry], lesson: LessonId) -> Entry | None:
    """Find the entry of a lesson."""
    return next((entry for entry in entries if entry.want.lesson == lesson), None)


def reopened(entry: Entry) -> Entry:
    """Try an entry again at once: one that failed from its beginning."""
    if entry.want.state is not WantState.FAILED:
        return replace(entry, not_before_s=0.0)
    return Entry(
        want=replace(entry.want, state=WantState.WAITING, reason=""), is_planned=entry.is_planned
    )


def placed(entries: tuple[Entry, ...], entry: Entry) -> tuple[Entry, ...]:
    """Put an entry in the place of the one of its lesson, or at the end."""
    lesson = entry.want.lesson
    if find(entries, lesson) is None:
        return (*entries, entry)
    return tuple(entry if one.want.lesson == lesson else one for one in entries)
