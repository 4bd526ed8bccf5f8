"""Reading one JSON document: mirrors, pace, retries, and asking only for changes.

Invariants:
  D1  A document counts as read only if it arrived whole and is JSON; cut, broken or busy
      answers are asked for again, at another mirror first, a bounded number of times.
  D2  A document that is as remembered gives `UNCHANGED`: by 304, or by the digest of its body.
  D3  An answer older than the one remembered is taken only when no mirror has a newer one.
  D4  So many 401 or 403 in a row, and nothing is asked any more.
  D5  404 is final only when two mirrors say so, or all that answer.
"""

import hashlib
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final, cast

from client.domain.cancel import CancelToken
from client.domain.errors import (
    BusyError,
    ProtocolError,
    RefusedError,
    TransportError,
    UnreachableError,
)
from client.domain.seen import Seen, Validator
from sync.source.addresses import AddressBook
from sync.source.platform.checks import parse
from sync.source.platform.pace import Gate, Pace, chance, wait_s
from sync.source.port import Memory, Traffic, Unchanged
from sync.transport.port import Answer, Exchange, Transport

MAX_DOCUMENT_BYTES: Final = 16 * 1024 * 1024
"""Ten times the largest document of the platform."""
_CLOSED: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_NONE: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
_WITNESSES: Final = 2
_SECOND_CHANCE: Final = 2
_UNDATED: Final = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document as read. `seen` still lacks the ids of its records."""

    path: str
    content: object
    validator: Validator

    def seen(self, ids: Sequence[str] = ()) -> Seen:
        """Give what is to be remembered of it."""
        return Seen(path=self.path, validator=self.validator, ids=tuple(ids))


class Documents:
    """Reads documents of one platform. May be used from several threads."""

    def __init__(
        self, transport: Transport, addresses: AddressBook, memory: Memory, pace: Pace
    ) -> None:
        self._transport = transport
        self._addresses = addresses
        self._memory = memory
        self._pace = pace
        self._gate = Gate(pace.gap_s)
        self._lock = threading.Lock()
        self._traffic = Traffic()
        self._refused_in_row = 0

    @property
    def traffic(self) -> Traffic:
        """Requests and bytes so far."""
        with self._lock:
            return self._traffic

    def read(
        self, path: str, cancel: CancelToken, *, may_be_closed: bool = False
    ) -> Document | Unchanged:
        """Read the document at a host-less path.

        Args:
            path: Where it is.
            cancel: Stops it.
            may_be_closed: Its 401 or 403 says nothing about whether we are welcome (D4).

        Raises:
            TransportError: No mirror gave it, for as often as it was asked.
            RefusedError: 400, 401, 403, 404, 410; or `platform_refuses` after many of them.
            ProtocolError: `document_broken`, `document_too_large`, `address_refused`.
            Cancelled: As soon as asked.
        """
        known = self._memory.recall(path)
        try:
            return _Reading(self, path, known.validator if known else None, cancel).result()
        except RefusedError as error:
            if not may_be_closed:
                self._note_refusal(error)
            raise

    def read_whole(self, path: str, cancel: CancelToken) -> Document:
        """Read a document whether or not it changed. Raises as `read` does."""
        # Nothing is known of it, so the answer cannot be that it is as known.
        return cast("Document", _Reading(self, path, None, cancel).result())

    def is_gone(self, path: str, cancel: CancelToken) -> bool:
        """Tell whether the record's own document answers 404 (D5)."""
        votes: dict[str, bool] = {}
        lost: TransportError = UnreachableError("unreachable", {"path": path})
        for failures in range(1, self._pace.tries + 1):
            mirrors = self._addresses.resolve(path)
            for url in mirrors:
                try:
                    is_gone = votes[url] if url in votes else self._is_gone_at(url, cancel)
                except TransportError as error:
                    lost = error
                    self._addresses.failed(url)
                    continue
                votes[url] = is_gone
                if not is_gone or len(votes) == min(_WITNESSES, len(mirrors)):
                    return is_gone
            if votes and failures == _SECOND_CHANCE:
                return True
            self.pause(failures, lost, cancel)
        raise lost

    def _is_gone_at(self, url: str, cancel: CancelToken) -> bool:
        try:
            self.ask(url, {}, cancel, wants_body=False)
        except RefusedError as error:
            return error.status in _NONE
        return False

    def ask(
        self, url: str, headers: Mapping[str, str], cancel: CancelToken, *, wants_body: bool = True
    ) -> tuple[Answer, bytes]:
        """Make one request and count it."""
        self._check_welcome()
        self._gate.enter(cancel)
        self._count(requests=1)
        try:
            with self._transport.get(url, cancel, headers) as exchange:
                try:
                    body = _body(exchange, url) if wants_body else b""
                finally:
                    self._count(received=exchange.received)
        except RefusedError as error:
            self._count(received=len(str(error.values.get("body", "")).encode()))
            raise
        with self._lock:
            self._refused_in_row = 0
        return exchange.answer, body

    def pause(self, failures: int, error: Exception, cancel: CancelToken) -> None:
        """Wait before the next try."""
        asked = error.retry_after_s if isinstance(error, BusyError) else 0.0
        cancel.sleep(wait_s(self._pace, failures, asked, chance()))

    @property
    def addresses(self) -> AddressBook:
        """Where documents are reached."""
        return self._addresses

    @property
    def tries(self) -> int:
        """How often one document is asked for."""
        return self._pace.tries

    def _check_welcome(self) -> None:
        with self._lock:
            is_closed = self._refused_in_row >= self._pace.refusals
        if is_closed:
            raise RefusedError("platform_refuses", {"status": int(HTTPStatus.FORBIDDEN)})

    def _note_refusal(self, error: RefusedError) -> None:
        with self._lock:
            if error.status in _CLOSED:
                self._refused_in_row += 1
            else:
                self._refused_in_row = 0

    def _count(self, requests: int = 0, received: int = 0) -> None:
        with self._lock:
            self._traffic = Traffic(
                requests=self._traffic.requests + requests,
                bytes_received=self._traffic.bytes_received + received,
            )


class _Reading:
    """One document on its way: tries, and what they gave so far."""

    def __init__(
        self, documents: Documents, path: str, known: Validator | None, cancel: CancelToken
    ) -> None:
        self._documents = documents
        self._path = path
        self._known = known
        self._cancel = cancel
        self._older: dict[str, Document] = {}
        """Answers by mirror that are older than what is remembered (D3)."""
        self._absent: dict[str, RefusedError] = {}
        """Mirrors that say there is no such document (D5)."""
        self._broken: set[str] = set()
        """Mirrors that failed at least once."""
        self._failure: TransportError | ProtocolError | None = None

    def result(self) -> Document | Unchanged:
        """Try until there is an answer, or no more tries."""
        for attempt in range(self._documents.tries):
            mirrors = self._mirrors()
            if not mirrors:
                break
            if self._failure is not None and attempt % len(mirrors) == 0:
                self._documents.pause(attempt // len(mirrors), self._failure, self._cancel)
            found = self._try(mirrors[0])
            if found is not None:
                return found
        return self._fallback()

    def _mirrors(self) -> tuple[str, ...]:
        """Give the mirrors still worth asking, the best first."""
        if len(self._absent) >= _WITNESSES:
            return ()
        used = {*self._older, *self._absent}
        if used:
            # Some mirror gave an answer of a kind: those that failed get no second chance.
            used |= self._broken
        urls = self._documents.addresses.resolve(self._path)
        return tuple(url for url in urls if url not in used)

    def _try(self, url: str) -> Document | Unchanged | None:
        try:
            answer, body = self._documents.ask(url, _conditions(self._known), self._cancel)
            found = self._judge(answer, body)
        except RefusedError as error:
            if error.status not in _NONE:
                raise
            self._absent[url] = error
            self._documents.addresses.failed(url)
            return None
        except (TransportError, ProtocolError) as error:
            if isinstance(error, ProtocolError) and error.code != "document_broken":
                raise
            self._failure = error
            self._broken.add(url)
            self._documents.addresses.failed(url)
            return None
        if isinstance(found, Document) and _is_older(found.validator, self._known):
            self._older[url] = found
            self._documents.addresses.failed(url)
            return None
        self._documents.addresses.worked(url)
        return found

    def _judge(self, answer: Answer, body: bytes) -> Document | Unchanged:
        if answer.status == HTTPStatus.NOT_MODIFIED and self._known is not None:
            return Unchanged.UNCHANGED
        digest = hashlib.sha256(body).hexdigest()
        if self._known is not None and digest == self._known.digest:
            return Unchanged.UNCHANGED
        validator = Validator(
            etag=answer.headers.get("etag", ""),
            modified=answer.headers.get("last-modified", ""),
            digest=digest,
        )
        return Document(path=self._path, content=parse(body, self._path), validator=validator)

    def _fallback(self) -> Document:
        """Nothing better came: an older document, the refusal, or the failure."""
        if self._older:
            return max(self._older.values(), key=lambda document: _date(document.validator))
        for error in self._absent.values():
            raise error
        raise self._failure or UnreachableError("unreachable", {"path": self._path})


def _conditions(known: Validator | None) -> Mapping[str, str]:
    if known is None:
        return {}
    if known.etag:
        return {"If-None-Match": known.etag}
    return {"If-Modified-Since": known.modified} if known.modified else {}


def _is_older(found: Validator, known: Validator | None) -> bool:
    return known is not None and _UNDATED < _date(found) < _date(known)


def _date(validator: Validator) -> float:
    """Read Last-Modified as the server's own order of editions; it is no clock of ours."""
    try:
        return parsedate_to_datetime(validator.modified).timestamp()
    except (ValueError, OverflowError):
        return _UNDATED


def _body(exchange: Exchange, url: str) -> bytes:
    body = bytearray()
    for chunk in exchange.chunks():
        body += chunk
        if len(body) > MAX_DOCUMENT_BYTES:
            raise ProtocolError("document_too_large", {"url": url[:200]})
    return bytes(body)
