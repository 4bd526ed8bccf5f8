"""Sessions that keep nothing between requests, on sockets whose waiting can be ended.

Invariants:
  SE1  A cancelled token wakes a thread that waits for an answer inside `waking` at once.
  SE2  A session follows no redirect, keeps no cookie and reads nothing from the environment.
"""

import http.cookiejar
import os
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, cast

import requests
import urllib3
from requests.adapters import HTTPAdapter

from client.domain.cancel import CancelToken

# A wrong clock is nothing new to a room and no reason to speak on stderr.
urllib3.disable_warnings(urllib3.exceptions.SystemTimeWarning)

Look = Callable[[Mapping[str, Any]], None]
_waiting: Final = threading.local()
"""`.wake`: called with the socket a thread is about to wait on."""


@contextmanager
def waking(cancel: CancelToken) -> Iterator[None]:
    """Send requests in here: cancelling ends the wait for their answers (SE1)."""
    wakes = _Wakes(cancel)
    _waiting.wake = wakes.watch
    try:
        yield
    finally:
        _waiting.wake = None
        wakes.forget()


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


def _announce(sock: socket.socket | None) -> None:
    wake = getattr(_waiting, "wake", None)
    if wake is not None and sock is not None:
        wake(sock)


# Closing ends a connection at once. A FIN would be repeated when a dark link comes back, and its
# acknowledgement makes the server send one more window of what nobody reads any more: 1 % of a
# download that is interrupted every minute.
_AT_ONCE: Final = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
_OPTIONS: Final = [
    *urllib3.connection.HTTPConnection.default_socket_options,
    (socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE),
]


class _Connection(urllib3.connection.HTTPConnection):
    def getresponse(self) -> urllib3.response.HTTPResponse:  # type: ignore[override] # as the base
        _announce(self.sock)
        return super().getresponse()


class _TlsConnection(urllib3.connection.HTTPSConnection):
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
        context: Decides which certificates hold.
        look: Shown the certificate of each new connection (`ssl.SSLSocket.getpeercert`); what it
            raises ends the request.
    """

    def __init__(self, context: ssl.SSLContext, look: Look) -> None:
        self._context = context
        super().__init__()
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _pool_that_asks(look)}

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as the base
        """See `HTTPAdapter`."""
        super().init_poolmanager(*args, ssl_context=self._context, **kwargs)

    def cert_verify(self, conn: object, url: object, verify: object, cert: object) -> None:
        """See `HTTPAdapter`: no other authorities are added to the context."""


class _Session(requests.Session):
    """A session that never looks at a redirect: `requests` would read its whole body first."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Find no target."""


class _NoCookies(http.cookiejar.DefaultCookiePolicy):
    def set_ok(self, cookie: object, request: object) -> bool:  # noqa: ARG002 - the base's shape
        return False
