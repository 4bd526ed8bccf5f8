"""The transport port: one GET at a time, streamed (contract suite: tests/contract).

Invariants:
  T1  Nothing but `TransportError`, `RefusedError`, `ProtocolError` and `Cancelled` gets out.
  T2  A body shorter than its Content-Length raises `UnreachableError`; it never ends quietly.
  T3  A redirect is followed only where `resolve` allows its target, at most three times.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Protocol

from client.domain.cancel import CancelToken
from client.domain.errors import TransportError

NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})


class GivenUpError(TransportError):
    """Asking the same peer again now is of no use; what came counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Status line and headers (names in lower case). Only 200, 206, 304 and 416 get this far."""

    status: int
    headers: Mapping[str, str]
    url: str

    @property
    def length(self) -> int | None:
        """Content-Length, None when the peer did not say."""
        text = self.headers.get("content-length", "")
        return int(text) if text.isdigit() else None


class Exchange(Protocol):
    """An answer whose body is still on its way."""

    @property
    def answer(self) -> Answer:
        """Status and headers."""
        ...

    def chunks(self, size: int = 65536) -> Iterator[bytes]:
        """Yield the decoded body. Checks the cancel token between chunks."""
        ...

    @property
    def received(self) -> int:
        """Body bytes as they came over the wire so far (before decompression)."""
        ...


class Transport(Protocol):
    """Opens GET requests. May be used from several threads."""

    def get(
        self, url: str, cancel: CancelToken, headers: Mapping[str, str] = NO_HEADERS
    ) -> AbstractContextManager[Exchange]:
        """Ask for `url` (already resolved to a reachable address).

        Raises:
            UnreachableError: No connection, or it broke (`unreachable`, `cut_off`).
            TimedOutError: Connecting took over 8 s, or no byte came for 10 s.
            BusyError: 429, 5xx; carries Retry-After in seconds.
            RefusedError: 400, 401, 403, 404, 410; carries the status and, in `values["body"]`,
                the first 512 characters of the body.
            ProtocolError: A refused redirect, or an answer that is not HTTP.
        """
        ...
