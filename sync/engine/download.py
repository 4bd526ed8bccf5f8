"""One file over a link that breaks: resume, other mirrors, patience.

Invariants:
  F1  A byte that was marked in the growing file is never asked for again, unless the peer shows
      that it belongs to another edition or cannot serve ranges.
  F2  A download ends complete and checked (length, first bytes, MD5 where announced) or raises;
      wrong bytes are thrown away before the next mirror is asked.
  F3  Only `TransportError` is tried again, with growing waits, unless trying again now is of no
      use (`GivenUpError`); a refusal is final, but for 404, which each mirror may say once.
  F4  With a manifest each block is checked before its last byte is kept; a wrong one is thrown away
      by itself, and after two of them nobody is asked for more.
"""

import random
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from client.domain.cancel import CancelToken
from client.domain.errors import (
    BusyError,
    Cancelled,
    ProtocolError,
    RefusedError,
    TransportError,
    UnreachableError,
)
from client.store.growing import Growing
from sync.engine.blocks import Blocks, WrongBlockError
from sync.engine.content import HEAD_BYTES, WrongContentError
from sync.engine.pacing import LinkMeter, Patience, backoff_s
from sync.protocol.manifest import Manifest
from sync.transport.port import Answer, Exchange, GivenUpError, Transport

LIMIT_BYTES: Final = 2 << 30
_RANGE: Final = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
_WHOLE: Final = 200
_PARTIAL: Final = 206
_UNSATISFIABLE: Final = 416
_GONE: Final = (404, 410)


class NoRangesError(GivenUpError):
    """The peer gives the whole file where a piece was asked for."""

    def __init__(self) -> None:
        super().__init__("cut_off")


def _anything(head: bytes) -> None:
    """Accept any first bytes: the whole is checked by its caller."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be downloaded. `md5` and `size_bytes` are empty and 0 where unknown."""

    urls: tuple[str, ...]
    size_bytes: int = 0
    most_bytes: int = LIMIT_BYTES
    """Where the size is unknown: what is longer is refused."""
    md5: str = ""
    check_head: Callable[[bytes], None] = _anything
    """Raises `WrongContentError` for first bytes that cannot be right."""
    manifest: Manifest | None = None
    """Tells the digest of each block, where somebody who is believed told it."""
    check_whole: Callable[[Growing], None] | None = None
    """Raises `WrongContentError` when the complete bytes are wrong."""
    first: int = 0
    piece_of: int = 0
    """Where only `size_bytes` from byte `first` on are wanted: the length of the whole, else 0."""


class Downloader:
    """Brings single files. May be used from several threads.

    Args:
        transport: Asks.
        meter: Counts what comes.
        patience: How often to try without progress.
        worked: Told an address that answered.
        failed: Told an address that did not.
    """

    def __init__(
        self,
        transport: Transport,
        meter: LinkMeter,
        *,
        patience: Patience,
        worked: Callable[[str], None],
        failed: Callable[[str], None],
    ) -> None:
        self._transport = transport
        self._meter = meter
        self._patience = patience
        self._worked = worked
        self._failed = failed
        self._random = random.Random()  # noqa: S311 - spreads retries, hides nothing

    def fetch(self, growing: Growing, wanted: Wanted, cancel: CancelToken) -> None:
        """Complete `growing` (F1 to F3).

        Raises:
            NoRangesError: A piece is wanted, and the peer gives none.
            TransportError: No byte came for too many tries, or none may come now; what came before
                is kept.
            RefusedError: The peer will not give it.
            WrongContentError: Every mirror gave other bytes; nothing is kept.
            StorageError: The disk is full or failed.
            Cancelled: What came is kept.
        """
        course = _Course(mirrors=len(wanted.urls))
        while True:
            cancel.check()
            url = wanted.urls[course.turn % len(wanted.urls)]
            before = growing.size
            try:
                with _kept(growing):
                    self._ask(growing, url, wanted, cancel)
                self._check(growing, wanted)
            except GivenUpError:
                raise
            except TransportError as error:
                self._failed(url)
                wait = self._after_failure(course, error, progressed=growing.size > before)
                cancel.sleep(wait)
            except RefusedError as error:
                course.refuse(error)
            except ProtocolError as error:
                if not isinstance(error, WrongBlockError):
                    growing.restart()
                self._failed(url)
                course.doubt(error)
            else:
                self._worked(url)
                return

    def _after_failure(
        self, course: "_Course", error: TransportError, *, progressed: bool
    ) -> float:
        """Count a broken try and choose the wait before the next; raises when it was the last."""
        retry_after_s = 0.0
        if isinstance(error, BusyError):
            self._meter.busy()
            retry_after_s = error.retry_after_s
        failures = course.fail(error, self._patience.tries, progressed=progressed)
        if not failures:
            return 0.0
        return backoff_s(self._patience, failures, retry_after_s, self._random.random())

    def _ask(self, growing: Growing, url: str, wanted: Wanted, cancel: CancelToken) -> None:
        """Ask once for what is missing."""
        known = wanted.size_bytes or growing.total
        if known and growing.size >= known:
            return
        headers = _headers(growing, url, wanted)
        with self._transport.get(url, cancel, headers) as exchange:
            total = _place(growing, exchange.answer, wanted)
            self._take(growing, exchange, wanted, total)

    def _take(self, growing: Growing, exchange: Exchange, wanted: Wanted, total: int) -> None:
        """Write the body; its first bytes are judged before its announced length."""
        limit = wanted.size_bytes or wanted.most_bytes
        told = (0, wanted.piece_of or limit)
        write = growing.write if wanted.manifest is None else Blocks(growing, wanted.manifest).write
        head = b"" if growing.size == 0 else None
        counted = 0
        try:
            for chunk in exchange.chunks():
                self._meter.came(exchange.received - counted)
                counted = exchange.received
                if head is not None:
                    head = _checked_head(head + chunk, wanted)
                if head is None and wanted.size_bytes and total not in told:
                    raise WrongContentError("size_mismatch", {"found": total})
                if growing.size + len(chunk) > limit:
                    raise WrongContentError("size_mismatch", {"announced": limit})
                write(chunk)
        finally:
            self._meter.came(exchange.received - counted)
        if head is not None:
            wanted.check_head(head)

    def _check(self, growing: Growing, wanted: Wanted) -> None:
        if wanted.size_bytes and growing.size != wanted.size_bytes:
            raise WrongContentError("size_mismatch", {"found": growing.size})
        if wanted.md5 and growing.md5 != wanted.md5:
            raise WrongContentError("digest_mismatch")
        if wanted.check_whole is not None:
            wanted.check_whole(growing)


class _Course:
    """How one download has gone so far."""

    def __init__(self, mirrors: int) -> None:
        self.turn = 0
        self._mirrors = mirrors
        self._failures = 0
        self._doubts = 0
        self._refusals = 0

    def fail(self, error: TransportError, most: int, *, progressed: bool) -> int:
        """Count a broken try; returns how many in a row brought nothing, 0 after progress."""
        self.turn += 1
        self._failures = 0 if progressed else self._failures + 1
        if self._failures >= most:
            raise error
        return self._failures

    def refuse(self, error: RefusedError) -> None:
        """Go on to the next mirror after a 404; anything else is final (F3)."""
        self._refusals += 1
        if error.status not in _GONE or self._refusals >= self._mirrors:
            raise error
        self.turn += 1

    def doubt(self, error: ProtocolError) -> None:
        """Go on to the next mirror after wrong bytes, at least one more time (F2)."""
        self._doubts += 1
        if self._doubts >= max(2, self._mirrors):
            raise error
        self.turn += 1


@contextmanager
def _kept(growing: Growing) -> Iterator[None]:
    """Mark what came, however the exchange ended; a failed disk is left alone."""
    try:
        yield
    except (TransportError, Cancelled):
        growing.mark()
        raise
    finally:
        growing.close()


def _headers(growing: Growing, url: str, wanted: Wanted) -> dict[str, str]:
    """Ask for the rest only, and for the same edition where no digest will tell."""
    headers = {"Accept-Encoding": "identity"}
    begin = wanted.first + growing.size
    if begin or wanted.piece_of:
        last = wanted.first + wanted.size_bytes - 1 if wanted.piece_of else ""
        headers["Range"] = f"bytes={begin}-{last}"
    if growing.size:
        is_needed = not wanted.md5 or growing.url == url
        if growing.etag and is_needed and not growing.etag.startswith("W/"):
            headers["If-Range"] = growing.etag
    return headers


def _place(growing: Growing, answer: Answer, wanted: Wanted) -> int:
    """Make the growing file end where the answer's body begins; returns the whole's length.

    Raises:
        NoRangesError: It is the whole, and a piece is wanted.
        UnreachableError: The range cannot be served; the next try begins at byte 0.
    """
    if wanted.piece_of and answer.status == _WHOLE:
        raise NoRangesError
    start, total = _span(answer)
    start -= wanted.first
    if start != growing.size:
        growing.restart()
    if start != growing.size or answer.status == _UNSATISFIABLE:
        raise UnreachableError("cut_off", {"url": answer.url})
    growing.from_answer(etag=answer.headers.get("etag", ""), url=answer.url, total=total)
    return total


def _span(answer: Answer) -> tuple[int, int]:
    """Give the first byte of the body and the length of the whole, 0 when unknown.

    Raises:
        ProtocolError: A 206 that does not say which bytes it holds, or an answer of no use.
    """
    if answer.status in (_WHOLE, _UNSATISFIABLE):
        is_coded = "content-encoding" in answer.headers
        return 0, 0 if is_coded else answer.length or 0
    match = _RANGE.fullmatch(answer.headers.get("content-range", ""))
    if answer.status != _PARTIAL or match is None:
        raise ProtocolError("not_http", {"url": answer.url})
    return int(match[1]), 0 if match[3] == "*" else int(match[3])


def _checked_head(head: bytes, wanted: Wanted) -> bytes | None:
    """Check the first bytes as soon as there are enough; None once that is done."""
    if len(head) < HEAD_BYTES:
        return head
    wanted.check_head(head[:HEAD_BYTES])
    return None
