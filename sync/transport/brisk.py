"""A transport for PCs near by: what crawls is left, since the link may be faster.

Invariants:
  BK1  An answer that brought less than `LEAST_BYTES_PER_S` over its first `GRACE_S`, or over any
       such stretch after, ends with `GivenUpError`; what came before is the reader's.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from client.domain.cancel import CancelToken
from client.domain.clock import Clock
from sync.transport.port import NO_HEADERS, Answer, Exchange, GivenUpError, Transport

LEAST_BYTES_PER_S: Final = 64 << 10
GRACE_S: Final = 5.0


class BriskTransport:
    """See the module; a `Transport`.

    Args:
        inner: Carries.
        clock: Its monotonic time.
    """

    def __init__(self, inner: Transport, clock: Clock) -> None:
        self._inner: Final = inner
        self._clock: Final = clock

    @contextmanager
    def get(
        self, url: str, cancel: CancelToken, headers: Mapping[str, str] = NO_HEADERS
    ) -> Iterator[Exchange]:
        """See `Transport`."""
        with self._inner.get(url, cancel, headers) as exchange:
            yield _Brisk(exchange, self._clock)


class _Brisk:
    """See `Exchange`."""

    def __init__(self, inner: Exchange, clock: Clock) -> None:
        self._inner = inner
        self._clock = clock

    @property
    def answer(self) -> Answer:
        """See `Exchange`."""
        return self._inner.answer

    @property
    def received(self) -> int:
        """See `Exchange`."""
        return self._inner.received

    def chunks(self, size: int = 65536) -> Iterator[bytes]:
        """See `Exchange` (BK1)."""
        since, before = self._clock.monotonic(), 0
        for chunk in self._inner.chunks(size):
            yield chunk
            passed = self._clock.monotonic() - since
            if passed < GRACE_S:
                continue
            if self.received - before < LEAST_BYTES_PER_S * passed:
                raise GivenUpError("timed_out", {"url": self.answer.url})
            since, before = since + passed, self.received
