"""Doing something soon, once for all who asked meanwhile, and never on the thread of who asked.

Invariants:
  LA1  What was asked for is done at most once per delay, and not after `close`.
"""

import threading
from collections.abc import Callable
from typing import Final


class Later:
    """See the module. Any thread may call."""

    def __init__(self, fn: Callable[[], object], delay_s: float) -> None:
        self._fn: Final = fn
        self._delay_s: Final = delay_s
        self._gate = threading.Lock()
        self._timer: threading.Timer | None = None
        self._is_closed = False

    def soon(self) -> None:
        """Ask; does nothing when it is asked for already."""
        with self._gate:
            if self._is_closed or self._timer is not None:
                return
            self._timer = threading.Timer(self._delay_s, self._run)
            self._timer.daemon = True
            self._timer.start()

    def close(self) -> None:
        """Forget what was asked for, and wait for what is being done. Idempotent."""
        with self._gate:
            self._is_closed = True
            timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
            if timer is not threading.current_thread():
                timer.join()

    def _run(self) -> None:
        with self._gate:
            if self._is_closed:
                return
        self._fn()
        with self._gate:
            self._timer = None
