"""Sessions that keep nothing between requests, on sockets whose waiting can be ended.

Invariants:
  SE1  A cancelled token wakes a thread that waits for an answer inside `waking` at once.
  SE2  A session follows no redirect, keeps no cookie and reads nothing from the environment.
  SE3  On a slow link, or where little was paid, no more than twice the window, nor than what was
       paid, can arrive of a body that nobody reads: systems take twice what they are asked for.
"""

import contextlib
import http.cookiejar
import os
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, cast

import requests
import urllib3
from requests.adapters import HTTPAdapter

from client.domain.cancel import CancelToken

# A wrong clock is nothing new to a room and no reason to speak on stderr.
urllib3.disable_warnings(urllib3.exceptions.SystemTimeWarning)

Look = Callable[[Mapping[str, Any]], None]
_waiting: Final = threading.local()
"""`.wake`: called with the socket a thread is about to wait on. `.traffic`: see `counting`."""

# What is on its way is what a link that goes dark loses, and what is paid for when a body is left.
# Where it is more than a slow link holds, the rest waits in a queue, overflows and is sent again:
# a third more bytes under bbr, whose servers send as if each connection had the link for itself.
WINDOW_BYTES: Final = 1 << 18
"""Of all connections together: a second of 2 Mbit/s."""
AHEAD_BYTES: Final = 1 << 16
"""What is paid for at least when anything is asked for."""


@dataclass(slots=True)
class Traffic:
    """What one thread did on the wire."""

    connections: int = 0
    handshakes: int = 0
    requests: int = 0
    awaited: int | None = None
    """Length of the body of the last answer, None where nobody told."""
    paid: int = 0
    """How long a body may be that nobody reads, 0 for any length."""
    ahead: int = AHEAD_BYTES
    """How long it can be (SE3)."""
    heard: Callable[[int | None], None] = lambda _: None
    """Told the length of a body before it is read; what it raises ends the request."""


@contextmanager
def counting(
    paid: int = 0, heard: Callable[[int | None], None] = lambda _: None
) -> Iterator[Traffic]:
    """Count what this thread opens and asks for in here; see `Traffic`."""
    traffic = Traffic(paid=paid, heard=heard)
    _waiting.traffic = traffic
    try:
        yield traffic
    finally:
        _waiting.traffic = None


def awaiting(length: int | None) -> None:
    """Note how long the body is whose head came."""
    traffic = getattr(_waiting, "traffic", None)
    if traffic is not None:
        traffic.awaited = length
        traffic.heard(length)


@contextmanager
def waking(cancel: CancelToken, *, is_slow: bool = False) -> Iterator[None]:
    """Send requests in here: cancelling ends the wait for their answers (SE1).

    Args:
        cancel: Ends it.
        is_slow: Connections that are opened have a window, a share of `WINDOW_BYTES` (SE3).
    """
    wakes = _Wakes(cancel)
    share = getattr(_waiting, "share", 1)
    _waiting.wake, _waiting.window = wakes.watch, WINDOW_BYTES // share if is_slow else 0
    try:
        yield
    finally:
        _waiting.wake, _waiting.window = None, 0
        wakes.forget()


def share_window(threads: int) -> None:
    """Let this thread be one of so many that use a link at the same time."""
    _waiting.share = threads


def quiet_session(adapter: HTTPAdapter) -> requests.Session:
    """Make a session that sends everything through `adapter` (SE2)."""
    session = _Session()
    session.trust_env = False
    session.cookies.set_policy(_NoCookies())
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


def shut(response: requests.Response) -> None:
    """Wake whoever waits for the rest of this body."""
    try:
        response.raw.shutdown()
    except (OSError, RuntimeError, ValueError):
        return  # it ended by itself


class _Wakes:
    """Shuts the sockets a thread waits on when its token is cancelled."""

    def __init__(self, cancel: CancelToken) -> None:
        self._cancel = cancel
        self._forget: Callable[[], None] | None = None

    def watch(self, sock: socket.socket) -> None:
        """Start to care for `sock`."""
        self.forget()

        def shut() -> None:
            try:
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
            except OSError:
                return  # it is gone already, which is all that was wanted

        self._forget = self._cancel.on_cancel(shut)

    def forget(self) -> None:
        """Care no longer."""
        if self._forget is not None:
            self._forget()
            self._forget = None


def _bounded(sock: socket.socket, paid: int) -> int:
    """Let no more arrive unread than was paid for; tells how much can."""
    with contextlib.suppress(OSError):  # it broke, as the next read says
        if 0 < paid < sock.getsockopt(*_BUFFER):
            sock.setsockopt(*_BUFFER, paid // 2)
        return sock.getsockopt(*_BUFFER)
    return AHEAD_BYTES


def _opening() -> list[Any]:
    """Count a connection that is opened, and choose the options of its socket."""
    traffic, window = getattr(_waiting, "traffic", None), getattr(_waiting, "window", 0)
    if traffic is not None:
        traffic.connections += 1
    return [*_OPTIONS, (*_BUFFER, window)] if window else _OPTIONS


def _announce(sock: socket.socket | None) -> None:
    traffic = getattr(_waiting, "traffic", None)
    if traffic is not None:
        traffic.requests += 1
        traffic.awaited = None
        if sock is not None:
            traffic.ahead = _bounded(sock, traffic.paid)
    wake = getattr(_waiting, "wake", None)
    if wake is not None and sock is not None:
        wake(sock)


# Closing ends a connection at once. A FIN would be repeated when a dark link comes back, and its
# acknowledgement makes the server send one more window of what nobody reads any more: 1 % of a
# download that is interrupted every minute.
_BUFFER: Final = (socket.SOL_SOCKET, socket.SO_RCVBUF)
_AT_ONCE: Final = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
_OPTIONS: Final = [
    *urllib3.connection.HTTPConnection.default_socket_options,
    (socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE),
]


class _Connection(urllib3.connection.HTTPConnection):
    def _new_conn(self) -> socket.socket:
        self.socket_options = _opening()
        return super()._new_conn()

    def getresponse(self) -> urllib3.response.HTTPResponse:  # type: ignore[override] # as the base
        _announce(self.sock)
        return super().getresponse()


class _TlsConnection(urllib3.connection.HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        self.socket_options = _opening()
        sock = super()._new_conn()
        traffic = getattr(_waiting, "traffic", None)
        if traffic is not None:
            traffic.handshakes += 1
        return sock

    def getresponse(self) -> urllib3.response.HTTPResponse:  # type: ignore[override] # as the base
        _announce(self.sock)
        return super().getresponse()


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


def _pool_that_asks(look: Look) -> type[_TlsPool]:
    """Make pools whose connections show the peer's certificate before anything is sent."""

    class Connection(_TlsConnection):
        def connect(self) -> None:
            super().connect()
            look(cast("ssl.SSLSocket", self.sock).getpeercert() or {})

    class Pool(_TlsPool):
        ConnectionCls = Connection

        def _validate_conn(self, conn: Any) -> None:  # noqa: ANN401 - a private type of the base
            """Connect. The base would warn where the context verifies nothing, which is known."""
            if conn.is_closed:
                conn.connect()

    return Pool


class WakingAdapter(HTTPAdapter):
    """One connection to each host, whose wait can be ended from outside."""

    def __init__(self) -> None:
        super().__init__(pool_connections=8, pool_maxsize=1, max_retries=0)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as the base
        """See `HTTPAdapter`."""
        super().init_poolmanager(*args, socket_options=_OPTIONS, **kwargs)


class PinnedAdapter(WakingAdapter):
    """As above, with a TLS context of its own instead of the usual authorities.

    Args:
        context: Decides which certificates hold, also behind a proxy.
        look: Shown the certificate of each new connection (`ssl.SSLSocket.getpeercert`); what it
            raises ends the request.
    """

    def __init__(self, context: ssl.SSLContext, look: Look) -> None:
        self._context = context
        self._pools: dict[str, type] = {"http": _Pool, "https": _pool_that_asks(look)}
        super().__init__()
        self.poolmanager.pool_classes_by_scheme = self._pools

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as the base
        """See `HTTPAdapter`."""
        super().init_poolmanager(*args, ssl_context=self._context, **kwargs)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> urllib3.ProxyManager:  # noqa: ANN401 - as the base
        """See `HTTPAdapter`."""
        made: urllib3.ProxyManager = super().proxy_manager_for(
            proxy, ssl_context=self._context, **kwargs
        )
        made.pool_classes_by_scheme = self._pools
        return made

    def cert_verify(self, conn: object, url: object, verify: object, cert: object) -> None:
        """See `HTTPAdapter`: no other authorities are added to the context."""


class _Session(requests.Session):
    """A session that never looks at a redirect: `requests` would read its whole body first."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Find no target."""


class _NoCookies(http.cookiejar.DefaultCookiePolicy):
    def set_ok(self, cookie: object, request: object) -> bool:  # noqa: ARG002 - the base's shape
        return False
