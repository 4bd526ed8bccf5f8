"""GET over HTTP(S) with `requests`: the real `Transport` (T1 to T3 stand in `port`).

Invariants:
  H1  One session per thread. After a time-out on a connection, or a broken one, every thread opens
      new sockets: a middlebox that forgot one connection forgot all of them. Those that were
      opened since are kept, and one that could not be opened says nothing of the others.
  H2  Credentials come from `sign` for each address by itself and are dropped by a redirect to
      another host; neither `~/.netrc` nor cookies are ever used.
  H3  A body is handed on as the socket delivers it, so a broken link loses nothing that came.
  H4  A cancelled token wakes a thread that waits for a header or a body at once; one that is
      still connecting at its next time-out.

Proxies are used only where the environment names them, and never for this machine itself.
"""

import http
import http.client
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import Final, NoReturn
from urllib.parse import urljoin, urlsplit

import requests
import urllib3

from client.domain.cancel import CancelToken
from client.domain.errors import (
    BusyError,
    Cancelled,
    ClassroomError,
    ProtocolError,
    RefusedError,
    TimedOutError,
    UnreachableError,
)
from sync.transport.port import NO_HEADERS, Answer, Exchange
from sync.transport.session import (
    WakingAdapter,
    awaiting,
    quiet_session,
    shut,
    waking,
)

Resolve = Callable[[str], str]
"""Turns the target of a redirect into a reachable address, or raises `ProtocolError`."""
Sign = Callable[[str], Mapping[str, str]]
"""Headers that prove who asks, for one address; empty where none may be sent."""
Saw = Callable[[str, Mapping[str, str]], None]
"""Learns from the headers of an answer (names in lower case)."""

CONNECT_S: Final = 8.0
STALL_S: Final = 10.0
"""Short, since after a dark stretch TCP itself may sleep for as long as it was dark."""
MAX_REDIRECTS: Final = 3
MAX_RETRY_AFTER_S: Final = 3600.0

_PASSED: Final = frozenset({200, 206, 304, 416})
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_REFUSED: Final = {
    400: "bad_request",
    401: "login_needed",
    403: "forbidden",
    404: "gone",
    410: "gone",
}
_SESSION_MARK: Final = "REQUIRE_SESSION"
_EXCERPT: Final = 512


def refuse_redirects(url: str) -> str:
    """Allow no redirect at all: the default `Resolve`."""
    raise ProtocolError("address_refused", {"url": url})


class HttpTransport:
    """The real thing. May be used from several threads.

    Args:
        resolve: Judges and translates targets of redirects.
        sign: Credentials for an address, exactly as it is sent.
        saw: Told address and headers of each answer, refusals too.
        connect_s: Seconds a connection may take.
        stall_s: Seconds without a byte after which an answer counts as lost.
        adapter: Makes what opens connections; another one where authorities are pinned.
        is_slow: Tells whether little may be on its way at a time: the link is narrow or costs.
    """

    def __init__(  # noqa: PLR0913 - keyword by keyword, each with its default
        self,
        *,
        resolve: Resolve = refuse_redirects,
        sign: Sign | None = None,
        saw: Saw | None = None,
        connect_s: float = CONNECT_S,
        stall_s: float = STALL_S,
        adapter: Callable[[], WakingAdapter] = WakingAdapter,
        is_slow: Callable[[], bool] = lambda: False,
    ) -> None:
        self._adapter = adapter
        self._is_slow = is_slow
        self._resolve = resolve
        self._sign = sign
        self._saw = saw
        self._timeout = (connect_s, stall_s)
        self._local = threading.local()
        self._epoch = 0

    @contextmanager
    def get(
        self, url: str, cancel: CancelToken, headers: Mapping[str, str] = NO_HEADERS
    ) -> Iterator[Exchange]:
        """See `Transport`."""
        response = self._follow(url, cancel, headers)
        forget = cancel.on_cancel(lambda: shut(response))
        try:
            exchange = _HttpExchange(response, cancel, self._forget_sockets)
            awaiting(exchange.answer.length)
            _raise_unless_passed(exchange)
            yield exchange
        finally:
            forget()
            response.close()

    def _follow(
        self, url: str, cancel: CancelToken, headers: Mapping[str, str]
    ) -> requests.Response:
        origin = _host_and_port(url)
        for _ in range(MAX_REDIRECTS + 1):
            response = self._ask(url, cancel, headers, may_sign=_host_and_port(url) == origin)
            if response.status_code not in _REDIRECTS:
                return response
            target = response.headers.get("Location", "")
            response.close()
            if not target:
                raise ProtocolError("not_http", {"url": url})
            url = self._resolve(_joined(url, target))
        raise UnreachableError("redirect_loop", {"url": url})

    def _ask(
        self, url: str, cancel: CancelToken, headers: Mapping[str, str], *, may_sign: bool
    ) -> requests.Response:
        cancel.check()
        try:
            request = self._prepared(url, headers, may_sign=may_sign)
            with waking(cancel, is_slow=self._is_slow()):
                response = self._session().send(
                    request,
                    stream=True,
                    allow_redirects=False,
                    timeout=self._timeout,
                    proxies=proxies(url),
                )
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            cancel.check()
            if not _never_connected(error):
                self._forget_sockets()
            raise translated(error, url) from error
        if self._saw is not None:
            self._saw(url, _lowered(response))
        return response

    def _prepared(
        self, url: str, headers: Mapping[str, str], *, may_sign: bool
    ) -> requests.PreparedRequest:
        coded = "identity" if "Range" in headers else "gzip"
        sent = {"User-Agent": "Tongke", "Accept": "*/*", "Accept-Encoding": coded, **headers}
        request = requests.Request("GET", url, headers=sent).prepare()
        if may_sign and self._sign is not None:
            request.headers.update(self._sign(str(request.url)))
        return request

    def _session(self) -> requests.Session:
        epoch = self._epoch
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is not None and self._local.epoch == epoch:
            return session
        if session is not None:
            session.close()
        session = quiet_session(self._adapter())
        self._local.session, self._local.epoch = session, epoch
        return session

    def _forget_sockets(self) -> None:
        """Let nobody use sockets as old as this thread's again."""
        self._epoch = max(self._epoch, getattr(self._local, "epoch", -1) + 1)


class _HttpExchange:
    """One answer; see `Exchange`."""

    def __init__(
        self, response: requests.Response, cancel: CancelToken, broke: Callable[[], None]
    ) -> None:
        self._raw: urllib3.response.BaseHTTPResponse = response.raw
        self._cancel = cancel
        self._broke = broke
        self._answer = Answer(
            status=response.status_code,
            headers=_lowered(response),
            url=str(response.url),
        )

    @property
    def answer(self) -> Answer:
        """See `Exchange`."""
        return self._answer

    @property
    def received(self) -> int:
        """See `Exchange`."""
        return int(self._raw.tell())

    def chunks(self, size: int = 65536) -> Iterator[bytes]:
        """See `Exchange`."""
        self._cancel.check()
        # urllib3 compares what came with Content-Length when the body ends (T2).
        while chunk := self._read(size):
            yield chunk
            self._cancel.check()

    def _read(self, size: int) -> bytes:
        """One read of the socket, decoded; empty only at the end of the body."""
        try:
            while not (chunk := self._raw.read1(size, decode_content=True)):
                # A decoder may need more bytes before it gives one.
                if self._is_over():
                    break
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            self._fail(translated(error, self._answer.url), error)
        return chunk

    def _is_over(self) -> bool:
        return bool(self._raw.closed) or self._raw.length_remaining in (0, None)

    def _fail(self, error: ClassroomError, cause: BaseException) -> NoReturn:
        self._cancel.check()
        self._broke()
        raise error from cause


def _lowered(response: requests.Response) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}


def _host_and_port(url: str) -> str:
    try:
        return urlsplit(url).netloc
    except ValueError as error:
        raise ProtocolError("address_refused", {"url": url}) from error


def _joined(url: str, target: str) -> str:
    try:
        return urljoin(url, target)
    except ValueError as error:
        raise ProtocolError("address_refused", {"url": target}) from error


def proxies(url: str) -> dict[str, str]:
    """Give the proxies that the environment names for an address."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.startswith("127.") or host == "::1":
        return {}
    return requests.utils.get_environ_proxies(url)


def _raise_unless_passed(exchange: _HttpExchange) -> None:
    answer = exchange.answer
    status = answer.status
    if status in _PASSED:
        return
    if status in _REFUSED:
        body = _excerpt(exchange)
        code = "login_needed" if _SESSION_MARK in body else _REFUSED[status]
        raise RefusedError(code, {"status": status, "body": body, "url": answer.url})
    if status == http.HTTPStatus.REQUEST_TIMEOUT:
        raise TimedOutError("timed_out", {"url": answer.url})
    if (
        status == http.HTTPStatus.TOO_MANY_REQUESTS
        or status >= http.HTTPStatus.INTERNAL_SERVER_ERROR
    ):
        values = {"status": status, "retry_after_s": retry_after_s(answer.headers)}
        raise BusyError("busy", values)
    raise ProtocolError("unexpected_status", {"status": status, "url": answer.url})


def _excerpt(exchange: _HttpExchange) -> str:
    """Read the first words of a refusal: they say which kind it is. A broken body is no matter."""
    kept = b""
    try:
        for chunk in exchange.chunks(_EXCERPT):
            kept += chunk
            if len(kept) >= _EXCERPT:
                break
    except Cancelled:
        raise
    except ClassroomError:
        return kept.decode(errors="replace")
    return kept[:_EXCERPT].decode(errors="replace")


def retry_after_s(headers: Mapping[str, str]) -> float:
    """Seconds a busy peer asked for, 0.0 if it did not say; never above an hour.

    A date is measured against the peer's own `Date`: this machine's clock decides nothing.
    """
    text = headers.get("retry-after", "")
    if text.isdigit():
        return min(float(text), MAX_RETRY_AFTER_S)
    try:
        wait = parsedate_to_datetime(text) - parsedate_to_datetime(headers.get("date", ""))
    except (TypeError, ValueError):
        return 0.0
    return min(max(wait.total_seconds(), 0.0), MAX_RETRY_AFTER_S)


_BAD_ADDRESS: Final = (
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
    urllib3.exceptions.LocationParseError,
)
_TIMEOUTS: Final = (requests.exceptions.Timeout, urllib3.exceptions.TimeoutError, TimeoutError)
_TLS: Final = (requests.exceptions.SSLError, urllib3.exceptions.SSLError)
_CUT: Final = (urllib3.exceptions.ProtocolError, ConnectionError, ValueError)


def translated(error: BaseException, url: str) -> ClassroomError:
    """Name what went wrong in this program's own words."""
    values = {"url": url}
    if isinstance(error, _BAD_ADDRESS):
        return ProtocolError("address_refused", values)
    if isinstance(error, _TIMEOUTS):
        return TimedOutError("timed_out", values)
    if isinstance(error, _TLS):
        return UnreachableError("tls_failed", values)
    if isinstance(error, urllib3.exceptions.DecodeError) or _is_not_http(error):
        return ProtocolError("not_http", values)
    if isinstance(error, _CUT):
        return UnreachableError("cut_off", values)
    return UnreachableError("unreachable", values)


def _never_connected(error: BaseException) -> bool:
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    failed = urllib3.exceptions.NewConnectionError
    return isinstance(error, requests.exceptions.ConnectTimeout) or isinstance(reason, failed)


def _is_not_http(error: BaseException) -> bool:
    """Tell an answer that is no HTTP from a connection that closed without one."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, http.client.HTTPException):
            return not isinstance(
                seen, (http.client.RemoteDisconnected, http.client.IncompleteRead)
            )
        inner = [arg for arg in seen.args if isinstance(arg, BaseException)]
        seen = inner[0] if inner else seen.__cause__
    return False
