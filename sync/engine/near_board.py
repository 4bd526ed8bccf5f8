"""What this PC is bringing over the link just now, as others may know it.

Invariants:
  ND1  A file stands here from the moment somebody decided to bring it until `LINGER_S` after that
       fetch ended, and its age never goes back: a fetch that made way for an exchange is not over.
"""

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from client.domain.clock import Clock
from client.domain.ids import LessonId
from sync.protocol.near import Coming

LINGER_S: Final = 30.0


@dataclass(slots=True, kw_only=True)
class _Fetch:
    done: Callable[[], int]
    since: dict[str, float] = field(default_factory=dict)
    """When each path was told first."""
    ended_s: float | None = None


class NearBoard:
    """See the module. Any thread may read; one fetch writes at a time.

    Args:
        clock: Its monotonic time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock: Final = clock
        self._gate = threading.Lock()
        self._fetches: dict[LessonId, _Fetch] = {}
        self._now: _Fetch | None = None

    @contextlib.contextmanager
    def bringing(self, lesson: LessonId, done: Callable[[], int]) -> Iterator[None]:
        """Tell of a fetch while it runs. `done` tells its bytes so far, from any thread."""
        with self._gate:
            self._forget()
            before = self._fetches.get(lesson)
            made = _Fetch(done=done, since={} if before is None else before.since)
            self._fetches[lesson] = self._now = made
        try:
            yield
        finally:
            with self._gate:
                last = done()
                made.done, made.ended_s, self._now = lambda: last, self._clock.monotonic(), None

    def say(self, paths: Iterable[str]) -> None:
        """Tell which files the fetch will bring; one that was told before keeps its age."""
        now = self._clock.monotonic()
        with self._gate:
            if self._now is not None:
                known = self._now.since
                self._now.since = {path: known.get(path, now) for path in paths}

    def age_ms(self, path: str) -> int:
        """Tell how long ago a file was told, -1 if it is not."""
        with self._gate:
            since = None if self._now is None else self._now.since.get(path)
        return -1 if since is None else self._ms(since)

    def coming(self, lesson: LessonId) -> tuple[Coming, ...]:
        """List what is being brought of a lesson."""
        with self._gate:
            self._forget()
            one = self._fetches.get(lesson)
            if one is None:
                return ()
            since, done = dict(one.since), one.done()
        return tuple(
            Coming(path=path, age_ms=self._ms(at), bytes_done=done) for path, at in since.items()
        )

    def _forget(self) -> None:
        """Drop what ended a while ago."""
        now = self._clock.monotonic()
        self._fetches = {
            lesson: one
            for lesson, one in self._fetches.items()
            if one.ended_s is None or now - one.ended_s < LINGER_S
        }

    def _ms(self, since: float) -> int:
        return max(0, round((self._clock.monotonic() - since) * 1000))
