"""The in-memory twin of `HttpTransport`: same port, same contract, no socket."""

import threading
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urljoin, urlsplit

from client.domain.cancel import CancelToken
from client.domain.errors import (
    BusyError,
    ProtocolError,
    RefusedError,
    TimedOutError,
    UnreachableError,
)
from sync.transport.port import NO_HEADERS, Answer, Exchange
from tests.fakes.peer import Asked, Reply, Script, ranged

_REFUSED = {400: "bad_request", 401: "login_needed", 403: "forbidden", 404: "gone", 410: "gone"}


class ScriptedTransport:
    """Follows a script like `LoopbackPeer`, at once and in memory."""

    def __init__(
        self,
        script: Script,
        *,
        resolve: Callable[[str], str] | None = None,
        sign: Callable[[str], Mapping[str, str]] | None = None,
    ) -> None:
        self.script = script
        self.asked: list[Asked] = []
        self.body_bytes = 0
        self._resolve = resolve
        self._sign = sign
        self._lock = threading.Lock()

    @contextmanager
    def get(
        self, url: str, cancel: CancelToken, headers: Mapping[str, str] = NO_HEADERS
    ) -> Iterator[Exchange]:
        origin = urlsplit(url).netloc
        for _ in range(4):
            reply = self._ask(url, cancel, headers, may_sign=urlsplit(url).netloc == origin)
            if not 301 <= reply.status <= 308 or reply.status == 304:
                yield _Exchange(self, url, _judged(reply, url, cancel), cancel)
                return
            if self._resolve is None:
                raise ProtocolError("address_refused", {"url": url})
            try:
                url = self._resolve(urljoin(url, reply.headers["Location"] or "http://["))
            except ValueError as error:
                raise ProtocolError("address_refused", {"url": url}) from error
        raise UnreachableError("redirect_loop", {"url": url})

    def _ask(
        self, url: str, cancel: CancelToken, headers: Mapping[str, str], *, may_sign: bool
    ) -> Reply:
        cancel.check()
        sent = {name.lower(): value for name, value in headers.items()}
        if may_sign and self._sign is not None:
            sent.update({name.lower(): value for name, value in self._sign(url).items()})
        parts = urlsplit(url)
        asked = Asked(path=parts.path + (f"?{parts.query}" if parts.query else ""), headers=sent)
        with self._lock:
            self.asked.append(asked)
        reply = ranged(self.script(asked), sent)
        if reply.is_garbage:
            raise ProtocolError("not_http", {"url": url})
        if reply.stalls and reply.cut_after is None:
            raise TimedOutError("timed_out", {"url": url})
        return reply


def _judged(reply: Reply, url: str, cancel: CancelToken) -> Reply:
    if reply.status in (200, 206, 304, 416):
        return reply
    body = reply.body[:512].decode(errors="replace")
    if reply.status in _REFUSED:
        code = "login_needed" if "REQUIRE_SESSION" in body else _REFUSED[reply.status]
        raise RefusedError(code, {"status": reply.status, "body": body, "url": url})
    if reply.status == 429 or reply.status >= 500:
        wait = float(reply.headers.get("Retry-After", 0))
        raise BusyError("busy", {"status": reply.status, "retry_after_s": wait})
    raise ProtocolError("unexpected_status", {"status": reply.status, "url": url})


class _Exchange:
    def __init__(
        self, owner: ScriptedTransport, url: str, reply: Reply, cancel: CancelToken
    ) -> None:
        headers = {name.lower(): value for name, value in reply.headers.items()}
        if reply.status != 304:
            headers["content-length"] = str(len(reply.body))
        if reply.etag:
            headers["etag"] = reply.etag
        self._owner = owner
        self._reply = reply
        self._cancel = cancel
        self._received = 0
        self._answer = Answer(status=reply.status, headers=headers, url=url)

    @property
    def answer(self) -> Answer:
        return self._answer

    @property
    def received(self) -> int:
        return self._received

    def chunks(self, size: int = 65536) -> Iterator[bytes]:
        reply = self._reply
        sent = reply.body if reply.cut_after is None else reply.body[: reply.cut_after]
        with self._owner._lock:
            self._owner.body_bytes += len(sent)
        packed = self._answer.headers.get("content-encoding") == "gzip"
        inflate = zlib.decompressobj(31) if packed else None
        for start in range(0, len(sent), size):
            self._cancel.check()
            piece = sent[start : start + size]
            self._received += len(piece)
            plain = inflate.decompress(piece) if inflate else piece
            if plain:
                yield plain
        self._cancel.check()
        if reply.stalls:
            raise TimedOutError("timed_out", {"url": self._answer.url})
        if len(sent) < len(reply.body):
            raise UnreachableError("cut_off", {"url": self._answer.url})
