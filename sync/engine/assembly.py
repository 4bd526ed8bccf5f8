"""A file that comes in pieces over several connections.

Invariants:
  AS1  Pieces are appended in their order, each as soon as all before it are.
  AS2  However it ends, nothing is under way afterwards.
  AS3  Where nothing more may be spent, what was paid for comes to its end first.
"""

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Final

from client.domain.cancel import CancelToken
from client.store.growing import Growing
from sync.engine.pacing import LinkMeter, Width, next_width
from sync.transport.metered import LinkClosedError

STRETCH_S: Final = 1.0
_TICK_S: Final = 0.5


class Assembly:
    """See the module. Used once, by one thread.

    Args:
        pool: Runs `bring`.
        meter: Measures what comes.
        width: Connections to begin with; what was learned of them stands there afterwards.
        bring: Gives a piece by its number, complete and checked; blocking.
        append: Takes the next one.
    """

    def __init__(
        self,
        pool: ThreadPoolExecutor,
        meter: LinkMeter,
        width: Width,
        bring: Callable[[int, CancelToken], Growing],
        append: Callable[[Growing], None],
    ) -> None:
        self.width = width
        self._pool: Final = pool
        self._meter: Final = meter
        self._bring: Final = bring
        self._append: Final = append
        self._ready: dict[int, Growing] = {}
        self._pending: dict[Future[Growing], int] = {}

    def run(self, first: int, end: int, cancel: CancelToken) -> None:
        """Bring the pieces from number `first` to before `end`.

        Raises what `bring` and `append` raise, and `Cancelled`; what came is kept.
        """
        own = CancelToken()
        forget = cancel.on_cancel(own.cancel)
        try:
            self._run(first, end, own)
        finally:
            forget()
            own.cancel()
            wait(tuple(self._pending))

    def _run(self, following: int, end: int, own: CancelToken) -> None:
        begun = following
        closed: LinkClosedError | None = None
        while following < end:
            own.check()
            while closed is None and begun < end and len(self._pending) < self.width.now:
                self._pending[self._pool.submit(self._bring, begun, own)] = begun
                begun += 1
            if closed is not None and not self._pending:
                raise closed
            finished, _ = wait(tuple(self._pending), _TICK_S, FIRST_COMPLETED)
            for future in finished:
                number = self._pending.pop(future)
                try:
                    self._ready[number] = future.result()
                except LinkClosedError as error:
                    closed = error
            while (piece := self._ready.pop(following, None)) is not None:
                self._append(piece)
                following += 1
            self._widen()

    def _widen(self) -> None:
        stretch = self._meter.take(STRETCH_S)
        if stretch is not None:
            self.width = next_width(self.width, stretch.bytes_per_s, was_busy=stretch.was_busy)
