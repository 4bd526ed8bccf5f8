"""A transport that asks before it spends: budgets to the byte, hours, and a speed cap.

What crosses the link is more than a body: requests, headers and packets are estimated, and more is
charged than is usual. Where a limit stands, a file is asked for in ranges that were paid for
before, so that a peer never sends what may not be spent.

Invariants:
  MT1  No byte is asked for before it was taken from the purse; when nothing is left, a body ends
       with `link_closed`, and what came before is the reader's.
  MT2  A body that is asked for in several ranges is one body to its reader, and of one edition.
  MT3  Over any while the reader gets no more than the cap allows and one chunk of each connection.
"""

import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Final, Protocol

from client.domain.cancel import CancelToken
from client.domain.clock import Clock
from client.domain.errors import UnreachableError
from client.domain.spend import REQUEST_BYTES, body_bytes, wire_bytes
from sync.transport.port import NO_HEADERS, Answer, Exchange, GivenUpError, Transport

_STEP_BYTES: Final = 1 << 22
_LEAST_BYTES: Final = 1 << 12
_PARTIAL: Final = 206
_ASKED: Final = re.compile(r"bytes=(\d+)-")
_GOT: Final = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


class LinkClosedError(GivenUpError):
    """The budget is spent or the hours are over. Trying again now is of no use."""

    def __init__(self) -> None:
        super().__init__("link_closed")


class Spending(Protocol):
    """What may be spent; `sync.engine.guide.Wallet` is one. Any thread may call."""

    @property
    def is_limited(self) -> bool:
        """Tell whether bytes are counted out."""
        ...

    @property
    def cap_bytes_per_s(self) -> int:
        """Most bytes a second, 0 for no cap."""
        ...

    def take(self, most: int) -> int:
        """Give away up to so many bytes."""
        ...

    def give_back(self, size_bytes: int) -> None:
        """Take back what was not spent."""
        ...

    def is_good(self) -> bool:
        """Tell whether what was taken may still be spent."""
        ...


class TokenBucket:
    """Shares a speed among connections. Any thread may call."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._gate = threading.Lock()
        self._free_s = 0.0

    def wait_s(self, size_bytes: int, bytes_per_s: int) -> float:
        """Tell how long to wait after so many bytes came (MT3)."""
        with self._gate:
            now = self._clock.monotonic()
            self._free_s = max(self._free_s, now) + size_bytes / bytes_per_s
            return self._free_s - now


class MeteredTransport:
    """See the module; a `Transport`.

    Args:
        inner: Carries.
        spending: Pays.
        clock: Its monotonic time.
    """

    def __init__(self, inner: Transport, spending: Spending, clock: Clock) -> None:
        self._inner: Final = inner
        self._spending: Final = spending
        self._bucket: Final = TokenBucket(clock)

    @contextmanager
    def get(
        self, url: str, cancel: CancelToken, headers: Mapping[str, str] = NO_HEADERS
    ) -> Iterator[Exchange]:
        """See `Transport`; raises `LinkClosedError` when nothing may be spent (MT1)."""
        account = _Account(self._spending)
        try:
            asked = self._bounded(headers, account)
            with self._inner.get(url, cancel, asked) as first:
                account.foresee(first.answer)
                whole = _Whole(first, account, lambda more: self._inner.get(url, cancel, more))
                rest = headers if asked is not headers else None
                yield _Paced(whole, rest, self._wait(cancel))
        finally:
            account.close()

    def _wait(self, cancel: CancelToken) -> Callable[[int], None]:
        def wait(size_bytes: int) -> None:
            cap = self._spending.cap_bytes_per_s
            if cap:
                cancel.sleep(self._bucket.wait_s(size_bytes, cap))

        return wait

    def _bounded(self, headers: Mapping[str, str], account: "_Account") -> Mapping[str, str]:
        """Ask for no more than was paid for, where a range can be asked for."""
        may = account.open()
        asked = _ASKED.fullmatch(headers.get("Range", "bytes=0-"))
        is_plain = headers.get("Accept-Encoding") == "identity"
        if may is None or asked is None or not is_plain:
            return headers
        start = int(asked[1])
        return {**headers, "Range": f"bytes={start}-{start + may - 1}"}


class _Account:
    """What one exchange has taken and spent."""

    def __init__(self, spending: Spending) -> None:
        self._spending = spending
        self._left = 0

    def open(self) -> int | None:
        """Pay for a request; gives how long its body may be, None for any length."""
        self._need(REQUEST_BYTES + wire_bytes(_LEAST_BYTES), REQUEST_BYTES + _STEP_BYTES)
        self._left -= REQUEST_BYTES
        return body_bytes(self._left) if self._spending.is_limited else None

    def foresee(self, answer: Answer) -> None:
        """Refuse a body at its head when its announced length cannot be paid for."""
        cost = wire_bytes(answer.length or 0)
        if cost > self._left and self._spending.is_limited:
            self._need(cost, cost)

    def spend(self, body: int) -> bool:
        """Pay for a piece of a body that came; tells whether more may come."""
        cost = wire_bytes(body)
        if not self._spending.is_good():
            self._left = 0  # what was taken has ended; there may be more
        if cost > self._left:
            self._left += self._spending.take(max(cost, _STEP_BYTES) - self._left)
        self._left -= cost
        return self._left >= 0 and self._spending.is_good()

    def close(self) -> None:
        """Give back what was not spent."""
        self._spending.give_back(max(0, self._left))
        self._left = 0

    def _need(self, least: int, most: int) -> None:
        self._left += self._spending.take(max(0, most - self._left))
        if self._left < least:
            raise LinkClosedError


class _Whole:
    """One body out of as many ranges as it takes (MT2)."""

    def __init__(
        self,
        first: Exchange,
        account: _Account,
        more: Callable[[Mapping[str, str]], AbstractContextManager[Exchange]],
    ) -> None:
        self.first = first
        self.received = 0
        self._account = account
        self._more = more

    def chunks(self, headers: Mapping[str, str] | None, size: int) -> Iterator[bytes]:
        """Yield the body, range after range; no headers: it was asked for as one."""
        yield from self._paid(self.first, size)
        end, total = (0, 0) if headers is None else _reach(self.first.answer)
        while end < total:
            may = self._account.open()
            last = total if may is None else min(total, end + may)
            asked = {**(headers or {}), "Range": f"bytes={end}-{last - 1}"}
            with self._more(asked) as exchange:
                _require_same(self.first.answer, exchange.answer, end)
                yield from self._paid(exchange, size)
            end = last

    def _paid(self, exchange: Exchange, size: int) -> Iterator[bytes]:
        before = counted = self.received
        try:
            for chunk in exchange.chunks(size):
                self.received = before + exchange.received
                may_go_on = self._account.spend(self.received - counted)
                counted = self.received
                yield chunk
                if not may_go_on:
                    raise LinkClosedError
        finally:
            self.received = before + exchange.received


class _Paced:
    """See `Exchange`: what the reader sees."""

    def __init__(
        self, whole: _Whole, headers: Mapping[str, str] | None, wait: Callable[[int], None]
    ) -> None:
        self._whole = whole
        self._headers = headers
        self._wait = wait

    @property
    def answer(self) -> Answer:
        """See `Exchange`."""
        return self._whole.first.answer

    @property
    def received(self) -> int:
        """See `Exchange`."""
        return self._whole.received

    def chunks(self, size: int = 65536) -> Iterator[bytes]:
        """See `Exchange`."""
        for chunk in self._whole.chunks(self._headers, size):
            yield chunk
            self._wait(len(chunk))


def _reach(answer: Answer) -> tuple[int, int]:
    """Tell behind which byte a range ends, and how long the whole is; (0, 0) for no range."""
    match = _GOT.fullmatch(answer.headers.get("content-range", ""))
    if answer.status != _PARTIAL or match is None:
        return 0, 0
    return int(match[2]) + 1, int(match[3])


def _require_same(first: Answer, next_: Answer, start: int) -> None:
    """Refuse a range of another edition or place (MT2)."""
    match = _GOT.fullmatch(next_.headers.get("content-range", ""))
    is_next = next_.status == _PARTIAL and match is not None and int(match[1]) == start
    if not is_next or first.headers.get("etag") != next_.headers.get("etag"):
        raise UnreachableError("cut_off", {"url": next_.url})
