"""One fetch of a lesson on its way: what it has done, and what need not be tried any more."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from client.domain.catalogue import Lesson
from client.domain.errors import (
    ClassroomError,
    RefusedError,
    StorageError,
    TransportError,
)
from client.domain.ids import LessonId
from client.store.growing import Growing
from sync.engine.fetch_plan import FetchPlan, Item, PartOutcome, PartStatus
from sync.engine.near import NearComingError, Visit
from sync.engine.rendition import RenditionFetch

_LOGIN_CODES: Final = frozenset({"login_needed", "forbidden", "bad_request"})
_LOGIN_LIMIT: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far the present fetch is. `bytes_done` counts what is verified for resume."""

    lesson: LessonId | None = None
    bytes_needed: int = 0
    bytes_done: int = 0
    bytes_received: int = 0
    """Since the fetcher was made."""


class Job:
    """One fetch under way."""

    def __init__(self, lesson: Lesson, plan: FetchPlan) -> None:
        self.lesson = lesson
        self.outcomes: list[PartOutcome] = []
        self.visit = Visit()
        self.bytes_reused = 0
        self._plan = plan
        self._done = 0
        self._current: Growing | RenditionFetch | None = None
        self._fatal: str = ""
        self._refusals = 0

    def progress(self) -> Progress:
        """See `Fetcher.progress`."""
        return Progress(
            lesson=self.lesson.id,
            bytes_needed=self._plan.bytes_needed,
            bytes_done=self.bytes_done(),
        )

    def bytes_done(self) -> int:
        """Count what is verified for resume; read from other threads, so it only looks."""
        current = self._current
        if isinstance(current, RenditionFetch):
            return self._done + current.bytes_done
        return self._done + (0 if current is None else current.size)

    def reuse(self, size_bytes: int) -> None:
        """Count bytes that were here before."""
        self.bytes_reused += size_bytes

    def finish(self, size_bytes: int) -> None:
        """Count a file that is here for good."""
        self._done += size_bytes

    @contextlib.contextmanager
    def following(self, current: Growing | RenditionFetch) -> Iterator[None]:
        """Count the bytes of what grows now."""
        self._current = current
        try:
            yield
        finally:
            self._current = None
            if isinstance(current, Growing):
                current.close()

    def remember(self, error: ClassroomError) -> None:
        """Note a failure that the next part would meet as well (E2)."""
        if isinstance(error, NearComingError):
            return
        if isinstance(error, (StorageError, TransportError)):
            self._fatal = error.code
        if isinstance(error, RefusedError) and error.code in _LOGIN_CODES:
            self._refusals += 1
            if self._refusals >= _LOGIN_LIMIT:
                self._fatal = error.code

    def given_up(self, item: Item) -> PartOutcome | None:
        """Say why a part is not even tried; what is here, or near, always is."""
        if not self._fatal or item.held is not None or self.visit.of(item.file.path):
            return None
        return outcome_of(item, PartStatus.FAILED, self._fatal)


def outcome_of(
    item: Item, status: PartStatus, reason: str, path: Path | None = None
) -> PartOutcome:
    """Make the outcome of one part."""
    return PartOutcome(
        id=item.part.id, role=item.part.role, status=status, reason=reason, path=path
    )
