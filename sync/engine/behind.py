"""Last steps that are done one after the other while the next files are read.

Invariants:
  BE1  Steps are done in the order they were given, each after the one before.
  BE2  What goes wrong in a step is raised where the next one is given, or at the end.
"""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, Self

AHEAD: Final = 2
"""So many may wait: files that are read stay open, and memory is bounded."""


class Behind:
    """One thread for last steps; use it as a context, from one other thread."""

    def __init__(self) -> None:
        self._pool: Final = ThreadPoolExecutor(1, thread_name_prefix="behind")
        self._waiting: deque[Future[None]] = deque()

    def do(self, step: Callable[[], None]) -> None:
        """Have a step done soon; waits while too many are before it."""
        self._waiting.append(self._pool.submit(step))
        self.drain(AHEAD)

    def drain(self, left: int = 0) -> None:
        """Wait until at most so many steps are to be done."""
        while len(self._waiting) > left:
            self._waiting.popleft().result()

    def __enter__(self) -> Self:
        """Give the object itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Wait for what is under way."""
        self._pool.shutdown(wait=True)
