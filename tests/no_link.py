"""A link that nobody uses, for windows whose test is about something else."""

from concurrent.futures import Future
from typing import TypeVar

from client.service.near_view import NearView

T = TypeVar("T")


class NoLink:
    """Knows no hub, no PC near by and no folder, and tells nothing."""

    def hubs(self) -> "Future[tuple[()]]":
        """No hub."""
        return _done(())

    def lan(self) -> "Future[NearView]":
        """No PC near by."""
        return _done(NearView())

    def folders(self) -> "Future[tuple[()]]":
        """No watched folder."""
        return _done(())

    def subscribe(self, _listener: object) -> None:
        """Tell nothing."""

    def close(self) -> None:
        """Nothing is to be closed."""


def _done(value: T) -> "Future[T]":
    done: Future[T] = Future()
    done.set_result(value)
    return done
