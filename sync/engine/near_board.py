"""What this PC is bringing over the link just now, as others may know it.

Invariants:
  ND1  A file stands here from the moment somebody decided to bring it until that fetch is over,
       however it ended, and its age never goes back.
"""

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from client.domain.clock import Clock
from client.domain.ids import LessonId
from sync.protocol.near import Coming


class NearBoard:
    """See the module. Any thread may read; one fetch writes at a time.

    Args:
        clock: Its monotonic time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock: Final = clock
        self._gate = threading.Lock()
        self._lesson: LessonId | None = None
        self._since: dict[str, float] = {}
        self._done: Callable[[], int] = int

    @contextlib.contextmanager
    def bringing(self, lesson: LessonId, done: Callable[[], int]) -> Iterator[None]:
        """Tell of a fetch while it runs. `done` tells its bytes so far, from any thread."""
        with self._gate:
            self._lesson, self._since, self._done = lesson, {}, done
        try:
            yield
        finally:
            with self._gate:
                self._lesson, self._since, self._done = None, {}, int

    def say(self, paths: Iterable[str]) -> None:
        """Tell which files the fetch will bring; one that was told before keeps its age."""
        now = self._clock.monotonic()
        with self._gate:
            self._since = {path: self._since.get(path, now) for path in paths}

    def age_ms(self, path: str) -> int:
        """Tell how long ago a file was told, -1 if it is not."""
        with self._gate:
            since = self._since.get(path)
        return -1 if since is None else self._ms(since)

    def coming(self, lesson: LessonId) -> tuple[Coming, ...]:
        """List what is being brought of a lesson."""
        with self._gate:
            since = dict(self._since) if lesson == self._lesson else {}
            done = self._done
        return tuple(
            Coming(path=path, age_ms=self._ms(at), bytes_done=done()) for path, at in since.items()
        )

    def _ms(self, since: float) -> int:
        return max(0, round((self._clock.monotonic() - since) * 1000))
