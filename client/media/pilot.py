"""One thread that owns a library which must not be called from everywhere.

Invariants:
  O1  Orders run one at a time, in the order given; an order of a kind replaces a waiting one
      of the same kind.
  O2  `close` runs a last order and returns within its time-out even if the thread is stuck;
      whoever still waits for a call gets an error.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from typing import Any, TypeVar

from client.domain.errors import PlayerError

T = TypeVar("T")


class Pilot:
    """Runs orders.

    Args:
        name: Of the thread.
        tick: Called when no order waits; returns in how many seconds it wants to be called
            again, None for not before the next order.
        failed: Told when a posted order raised `PlayerError`.
    """

    def __init__(
        self,
        name: str,
        *,
        tick: Callable[[], float | None],
        failed: Callable[[PlayerError], None],
    ) -> None:
        self._tick = tick
        self._failed = failed
        self._orders: deque[tuple[str, Callable[[], None]]] = deque()
        self._called: set[Future[Any]] = set()
        self._wake = threading.Condition()
        self._is_closing = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def post(self, kind: str, order: Callable[[], None]) -> None:
        """Run `order` soon; it replaces a waiting one of the same kind. From any thread."""
        with self._wake:
            if self._is_closing:
                return
            self._orders = deque(waiting for waiting in self._orders if waiting[0] != kind)
            self._orders.append((kind, order))
            self._wake.notify()

    def call(self, order: Callable[[], T]) -> T:
        """Run `order` before all others and wait for what it returns or raises.

        Raises:
            PlayerError: The pilot was closed.
        """
        future: Future[T] = Future()

        def job() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(order())
            except BaseException as error:  # noqa: BLE001 - it belongs to the caller
                future.set_exception(error)

        with self._wake:
            if self._is_closing:
                raise PlayerError("player_closed")
            self._orders.appendleft(("", job))
            self._called.add(future)
            self._wake.notify()
        try:
            return future.result()
        except CancelledError:
            raise PlayerError("player_closed") from None
        finally:
            self._called.discard(future)

    def close(self, last: Callable[[], None], timeout_s: float) -> bool:
        """Forget waiting orders, run `last`, end. Returns whether it ended in time."""
        with self._wake:
            if not self._is_closing:
                self._is_closing = True
                self._orders.clear()
                for future in tuple(self._called):
                    future.cancel()
                self._orders.append(("", last))
                self._wake.notify()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while True:
            order = self._next()
            if order is not None:
                try:
                    order()
                except PlayerError as error:
                    self._failed(error)
            elif self._is_done():
                return

    def _is_done(self) -> bool:
        with self._wake:
            return self._is_closing and not self._orders

    def _next(self) -> Callable[[], None] | None:
        """Wait for an order or for the time of a tick."""
        with self._wake:
            if self._orders:
                return self._orders.popleft()[1]
            if self._is_closing:
                return None
        pause_s = self._tick()
        deadline = None if pause_s is None else time.monotonic() + pause_s
        with self._wake:
            while not self._orders and not self._is_closing:
                left_s = None if deadline is None else deadline - time.monotonic()
                if left_s is not None and left_s <= 0:
                    return None
                self._wake.wait(left_s)
        return None
