"""Stopping an operation from another thread, at points the operation names."""

import threading
from collections.abc import Callable

from client.domain.errors import Cancelled


class CancelToken:
    """One per operation. May be used from any thread."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._gate = threading.Lock()
        self._callbacks: list[Callable[[], None]] = []

    def cancel(self) -> None:
        """Ask the operation to stop at its next safe point. Idempotent."""
        with self._gate:
            self._event.set()
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()

    def on_cancel(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Have `callback` called once when somebody asks to stop; at once if somebody did.

        It runs on the thread that asks, so it may only wake what blocks (shut a socket, set
        an event). The function returned forgets it; the operation calls that when it is done.
        """
        with self._gate:
            if not self._event.is_set():
                self._callbacks.append(callback)

                def forget() -> None:
                    with self._gate:
                        if callback in self._callbacks:
                            self._callbacks.remove(callback)

                return forget
        callback()
        return lambda: None

    @property
    def is_cancelled(self) -> bool:
        """Tell whether somebody asked to stop."""
        return self._event.is_set()

    def check(self) -> None:
        """Raise `Cancelled` if somebody asked to stop."""
        if self._event.is_set():
            raise Cancelled

    def sleep(self, seconds: float) -> None:
        """Wait, or raise `Cancelled` as soon as somebody asks to stop."""
        if self._event.wait(seconds):
            raise Cancelled
