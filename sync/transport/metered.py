"""A transport that asks before it spends: budgets to the byte, hours, and a speed cap.

What crosses the link is more than a body, so more is charged than can cross: for packets, for each
request and each connection that was opened, and for what was on its way when a body was left.
Where a limit stands, a file is asked for in ranges that were paid for before, so that a peer never
sends what may not be spent.

Invariants:
  MT1  No byte is asked for before it was taken from the purse; when nothing is left, a body ends
       with `link_closed`, and what came before is the reader's.
  MT2  A body that is asked for in several ranges is one body to its reader, and of one edition.
  MT3  Over any while the reader gets no more than the cap allows and one chunk of each connection.
  MT4  What is charged is never less than what crossed the link in both directions, packets and
       all, as long as packets that are lost and sent again stay below a tenth.
"""

import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Final, Protocol

from client.domain.cancel import CancelToken
from client.domain.clock import Clock
from client.domain.errors import TimedOutError, UnreachableError
from client.domain.spend import (
    HANDSHAKE_BYTES,
    REQUEST_BYTES,
    TRY_BYTES,
    body_bytes,
    wire_bytes,
)
from sync.transport.port import NO_HEADERS, Answer, Exchange, GivenUpError, Transport
from sync.transport.session import AHEAD_BYTES, Traffic, counting

_STEP_BYTES: Final = 1 << 22
_HEADS_BYTES: Final = 4 * (REQUEST_BYTES + TRY_BYTES + HANDSHAKE_BYTES)
"""What one answer may cost beside its body: it may come behind three redirects."""
LEAST_BYTES: Final = _HEADS_BYTES + wire_bytes(AHEAD_BYTES)
"""With less nothing is asked for: a peer may send more than it was asked for."""
_NOT_MODIFIED: Final = 304
_PARTIAL: Final = 206
_ASKED: Final = re.compile(r"bytes=(\d+)-(\d*)")
_ANYWHERE: Final = 1 << 62
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
            asked, end = self._bounded(headers, account)
            with self._ask(url, cancel, asked, account) as first:
                whole = _Whole(
                    first, account, lambda more: self._ask(url, cancel, more, account), end
                )
                rest = headers if asked is not headers else None
                yield _Paced(whole, rest, self._wait(cancel))
        finally:
            account.close()

    @contextmanager
    def _ask(
        self, url: str, cancel: CancelToken, headers: Mapping[str, str], account: "_Account"
    ) -> Iterator[Exchange]:
        with ExitStack() as stack:
            with counting(account.paid) as traffic:
                try:
                    exchange = stack.enter_context(self._inner.get(url, cancel, headers))
                except TimedOutError:
                    account.asked(traffic, traffic.ahead if traffic.requests else 0)
                    raise
                except Exception:
                    account.asked(traffic, traffic.awaited or 0)
                    raise
            traffic.requests = max(1, traffic.requests)
            length = exchange.answer.length
            account.asked(traffic, traffic.ahead if length is None else length)
            account.foresee(exchange.answer)
            yield exchange

    def _wait(self, cancel: CancelToken) -> Callable[[int], None]:
        def wait(size_bytes: int) -> None:
            cap = self._spending.cap_bytes_per_s
            if cap:
                cancel.sleep(self._bucket.wait_s(size_bytes, cap))

        return wait

    def _bounded(
        self, headers: Mapping[str, str], account: "_Account"
    ) -> tuple[Mapping[str, str], int]:
        """Ask for no more than was paid for, where a range can be asked for.

        Returns:
            What to ask for now, and behind which byte of the whole the body ends, as far as is
            known already.
        """
        asked = _ASKED.fullmatch(headers.get("Range", "bytes=0-"))
        start, end = (int(asked[1]), int(asked[2] or _ANYWHERE) + 1) if asked else (0, _ANYWHERE)
        is_piece = end < _ANYWHERE
        may = account.open(end - start if is_piece else 0)
        is_plain = is_piece or headers.get("Accept-Encoding") == "identity"
        if may is None or asked is None or not is_plain or start + may >= end:
            return headers, end
        return {**headers, "Range": f"bytes={start}-{start + may - 1}"}, end


def heads_bytes(traffic: Traffic) -> int:
    """Tell what connections and requests cost beside bodies."""
    connections = traffic.connections * TRY_BYTES + traffic.handshakes * HANDSHAKE_BYTES
    return connections + traffic.requests * REQUEST_BYTES


class _Account:
    """What one exchange has taken and spent (MT4)."""

    def __init__(self, spending: Spending) -> None:
        self._spending = spending
        self._left = 0
        self._bodies = 0
        self._ahead = 0
        """Bytes of it that can come when nobody reads."""
        self._coming = 0
        """Bytes of the present body that did not come yet."""

    @property
    def _on_its_way(self) -> int:
        """What a body may still cost that is left now."""
        return wire_bytes(min(self._coming, self._ahead))

    @property
    def paid(self) -> int:
        """How long a body may be without more being taken, 0 for any length."""
        return body_bytes(self._left - _HEADS_BYTES) if self._spending.is_limited else 0

    def open(self, body: int = 0) -> int | None:
        """Pay for a request; gives how long its body may be, None for any length.

        Args:
            body: How long it is to be, where that is known: no more than that is paid then.
        """
        cost = max(LEAST_BYTES, _HEADS_BYTES + wire_bytes(body))
        if body:
            self._need(LEAST_BYTES, cost, cost)
        else:
            self._need(LEAST_BYTES, _HEADS_BYTES + _STEP_BYTES, LEAST_BYTES)
        return self.paid or None

    def asked(self, traffic: Traffic, coming: int) -> None:
        """Count what asking took, and that so many bytes may be on their way now."""
        self._left -= heads_bytes(traffic)
        self._coming, self._ahead = coming, traffic.ahead

    def foresee(self, answer: Answer) -> None:
        """Refuse a body at its head when its announced length cannot be paid for.

        What is beyond that is for the other connections.
        """
        if answer.status == _NOT_MODIFIED:
            self._coming = 0
            return
        cost = wire_bytes(answer.length or 0)
        if cost > self._left and self._spending.is_limited:
            self._need(cost, cost, cost)
        more = self._left - cost - LEAST_BYTES
        if answer.length is not None and more > 0:
            self._left -= more
            self._spending.give_back(more)

    def spend(self, body: int) -> bool:
        """Pay for a piece of a body that came; tells whether more may come."""
        cost = wire_bytes(self._bodies + body) - wire_bytes(self._bodies)
        self._bodies += body
        self._coming = max(0, self._coming - body)
        if not self._spending.is_good():
            self._left = 0  # what was taken has ended; there may be more
        if cost + self._on_its_way > self._left:
            self._left += self._spending.take(_STEP_BYTES)
        self._left -= cost
        return self._left >= self._on_its_way and self._spending.is_good()

    def ended(self) -> None:
        """Note that a body came to its end."""
        self._coming = 0

    def close(self) -> None:
        """Give back what was not spent; what was on its way when a body was left, is."""
        self._left -= self._on_its_way
        self._spending.give_back(max(0, self._left))
        self._left = 0

    def _need(self, least: int, most: int, good: int) -> None:
        """Have at least so much: `most` if the first grant gives it, else `good` out of several."""
        more = most - self._left
        while more > 0 and (taken := self._spending.take(more)):
            self._left += taken
            more = good - self._left
        if self._left < least:
            raise LinkClosedError


class _Whole:
    """One body out of as many ranges as it takes (MT2)."""

    def __init__(
        self,
        first: Exchange,
        account: _Account,
        more: Callable[[Mapping[str, str]], AbstractContextManager[Exchange]],
        most: int,
    ) -> None:
        self._most: Final = most
        """Behind this byte of the whole it ends."""
        self.first = first
        self.received = 0
        self._account = account
        self._more = more

    def chunks(self, headers: Mapping[str, str] | None, size: int) -> Iterator[bytes]:
        """Yield the body, range after range; no headers: it was asked for as one."""
        yield from self._paid(self.first, size)
        end, total = (0, 0) if headers is None else _reach(self.first.answer)
        total = min(total, self._most)
        while end < total:
            may = self._account.open(total - end if self._most < _ANYWHERE else 0)
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
            self._account.ended()
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
