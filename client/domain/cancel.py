"""Stopping an operation from another thread, at points the operation names."""

import threading

from client.domain.errors import Cancelled


class CancelToken:
    """One per operation. May be used from any thread."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def cancel(self) -> None:
        """Ask the operation to stop at its next safe point."""
        self._event.set()

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
