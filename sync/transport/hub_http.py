"""A hub over HTTP(S): envelopes out and in, as few headers as HTTP can do with.

    | what answers                                     | is                                     |
    |--------------------------------------------------|----------------------------------------|
    | 200 of our type                                  | the answer                             |
    | another status of our type                       | the hub says no                        |
    | 429 or 503 of anybody                            | `BusyError` with the time it asks for  |
    | anything else: a redirect, a page, another type  | `UnreachableError("not_the_hub")`      |

Invariants:
  HH1  With a pinned authority only its certificates hold, for the right name and at any time that
       the machine's clock may show (`sync.transport.tls`).
  HH2  Nothing that does not come as ours is read further than its head; a body has a bound.
  HH3  A connection that was kept and turns out to be dead is opened anew once.
"""

import http
from typing import Final, NamedTuple

import requests
import urllib3
from urllib3.util import SKIP_HEADER

from client.domain.cancel import CancelToken
from client.domain.errors import (
    BusyError,
    ClassroomError,
    ProtocolError,
    TimedOutError,
    UnreachableError,
    UserError,
)
from sync.protocol.enrol import MAX_HELLO_BYTES
from sync.protocol.exchange import MAX_MESSAGE_BYTES
from sync.protocol.refusal import BUSY, read_refusal
from sync.transport.http import CONNECT_S, proxies, retry_after_s, translated
from sync.transport.session import awaiting, quiet_session, shut, waking
from sync.transport.tls import TrustedTime, hub_adapter

TYPE: Final = "application/x-tongke"
STALL_S: Final = 30.0
"""Long: a hub brings what it took to its disk first, and the way may be over two satellites."""
_CHUNK: Final = 65536
_MENDS: Final = frozenset(
    {"node_unknown", "node_revoked", "site_denied", "code_unknown", "school_ambiguous"}
)
"""Refusals that a person has to settle."""
_LATER: Final = frozenset({BUSY, "too_often", "too_slow", "not_found"})


class _Ask(NamedTuple):
    method: str
    door: str
    body: bytes | None
    most: int
    """Bytes that an answer may have."""


class HubHttp:
    """One hub at one address. Used by one thread at a time; keeps one connection open.

    Args:
        url: Its base address.
        authority: Certificate that signs the hub's own (DER), pinned at enrolment. Empty: none is
            known yet, and what is said must prove itself.
        trusted: The time that may be relied on.
        stall_s: Seconds without a byte after which an answer counts as lost.
    """

    def __init__(
        self,
        url: str,
        authority: bytes,
        trusted: TrustedTime,
        stall_s: float = STALL_S,
    ) -> None:
        self._url = url.rstrip("/")
        self._authority = authority
        self._trusted = trusted
        self._timeout = (CONNECT_S, stall_s)
        self._session: requests.Session | None = None

    def exchange(self, envelope: bytes, cancel: CancelToken) -> bytes:
        """Carry one envelope of an exchange.

        Raises:
            TransportError: No answer of the hub's.
            UserError: It lets this machine in no more, or never did.
            ProtocolError: It does not understand what it was told.
            Cancelled: By request.
        """
        return self._carry(_Ask("POST", "/v1/x", envelope, MAX_MESSAGE_BYTES), cancel)

    def enrol(self, request: bytes, cancel: CancelToken) -> bytes:
        """Carry a request for enrolment; see `exchange`."""
        return self._carry(_Ask("POST", "/v1/enrol", request, MAX_HELLO_BYTES), cancel)

    def hello(self, cancel: CancelToken) -> bytes:
        """Ask the hub who it is; see `exchange`."""
        return self._carry(_Ask("GET", "/v1/hello", None, MAX_HELLO_BYTES), cancel)

    def close(self) -> None:
        """Let go of the connection. Idempotent."""
        if self._session is not None:
            self._session.close()
            self._session = None

    # --- inside --------------------------------------------------------------------------

    def _carry(self, ask: _Ask, cancel: CancelToken) -> bytes:
        was_open = self._session is not None
        try:
            return self._try(ask, cancel)
        except UnreachableError as error:
            self.close()
            if not was_open or error.code != "hub_unreachable":
                raise
        except ClassroomError:
            self.close()
            raise
        return self._try(ask, cancel)

    def _try(self, ask: _Ask, cancel: CancelToken) -> bytes:
        """Ask once (HH2)."""
        url = self._url + ask.door
        cancel.check()
        try:
            with waking(cancel):
                response = self._open().send(
                    _prepared(ask.method, url, ask.body),
                    stream=True,
                    allow_redirects=False,
                    timeout=self._timeout,
                    proxies=proxies(url),
                    verify=bool(self._authority),
                )
            forget = cancel.on_cancel(lambda: shut(response))
            try:
                awaiting(_length(response))
                return _read(response, ask.most)
            finally:
                forget()
                response.close()
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            cancel.check()
            raise _named(error, url) from error

    def _open(self) -> requests.Session:
        if self._session is None:
            adapter = hub_adapter(self._url, self._authority, self._trusted)
            self._session = quiet_session(adapter)
        return self._session


def _prepared(method: str, url: str, body: bytes | None) -> requests.PreparedRequest:
    try:
        request = requests.Request(method, url, data=body).prepare()
    except (requests.RequestException, UnicodeError) as error:
        raise ProtocolError("address_refused", {"url": url}) from error
    request.headers.clear()
    request.headers.update({"User-Agent": SKIP_HEADER, "Accept-Encoding": SKIP_HEADER})
    if body is not None:
        request.headers.update({"Content-Type": TYPE, "Content-Length": str(len(body))})
    return request


def _read(response: requests.Response, most: int) -> bytes:
    """Read an answer: the table of the module."""
    status, headers = response.status_code, response.headers
    if headers.get("Content-Type") == TYPE:
        body = _body(response, most)
        if status == http.HTTPStatus.OK:
            return body
        raise _refusal(body)
    if status in (http.HTTPStatus.TOO_MANY_REQUESTS, http.HTTPStatus.SERVICE_UNAVAILABLE):
        lowered = {name.lower(): value for name, value in headers.items()}
        raise BusyError("hub_busy", {"status": status, "retry_after_s": retry_after_s(lowered)})
    raise UnreachableError("not_the_hub")


def _length(response: requests.Response) -> int | None:
    text = response.headers.get("Content-Length", "")
    return int(text) if text.isdigit() else None


def _body(response: requests.Response, most: int) -> bytes:
    body = bytearray()
    for chunk in response.raw.stream(_CHUNK, decode_content=False):
        body += chunk
        if len(body) > most:
            raise UnreachableError("not_the_hub")
    return bytes(body)


def _refusal(body: bytes) -> ClassroomError:
    """Name the reason that a hub gives for not answering."""
    told = read_refusal(body)
    if told is None:
        return UnreachableError("not_the_hub")
    code, wait_s = told
    if code in _MENDS:
        return UserError(code)
    if code == "disk_full":
        return BusyError("hub_full", {"retry_after_s": wait_s})
    if code in _LATER:
        return BusyError(code if code == "too_often" else "hub_busy", {"retry_after_s": wait_s})
    return ProtocolError(code)


def _named(error: BaseException, url: str) -> ClassroomError:
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return UnreachableError("hub_certificate_other")
    named = translated(error, url)
    if isinstance(named, TimedOutError):
        return TimedOutError("hub_silent")
    if isinstance(named, UnreachableError):
        return UnreachableError("hub_unreachable")
    return UnreachableError("not_the_hub") if named.code == "not_http" else named
