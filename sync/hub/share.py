"""A PC that shares: the part of a hub that can only be read, in the same HTTP.

    GET /v1/near             who this is                GET /v1/o/DIGEST     a file, by range
    GET /v1/near/l/LESSON    what is here of a lesson   GET /v1/m/DIGEST     manifest of its blocks
    GET /v1/near/h           heads of editions          GET /v1/c/e/DIGEST   a list of withdrawals
    GET /v1/near/r/DIGEST    rows of an edition         GET /v1/near/s/DIGEST  what a film is of
    GET /v1/near/back/PORT   whether whoever asks can be reached at a port

Without TLS: whatever is given proves itself, and nothing of it is secret (docs/adr/0026-lan.md).

Invariants:
  SH1  Only addresses of a private network are answered: what the world could reach gives nothing.
  SH2  Nothing is written and nothing is taken in: a request has no body that is read.
  SH3  All answers together take no more than `PACE_BYTES_PER_S`, so that a class goes on beside.
  SH4  It is asked back only to the address that asks, with one empty connection, seldom.
"""

import asyncio
import contextlib
import ipaddress
import logging
import socket
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final, Protocol, TypeAlias, TypeVar

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from client.domain.clock import Clock
from client.domain.errors import ClassroomError, ProtocolError, ResourceError
from client.domain.ids import Digest
from sync.hub.app import DIGEST, NOT_FOUND, TYPE, no_such_door, published, refusal
from sync.hub.limits import Allowance
from sync.hub.serve import Place, Server, config_of, listen_at
from sync.protocol.near import BACK_NO, BACK_YES

T = TypeVar("T")
Door: TypeAlias = Callable[[Request], Awaitable[Response]]

EVERYWHERE: Final = "0.0.0.0"  # noqa: S104 - the gate lets private addresses in only
PORT: Final = 8521
PACE_BYTES_PER_S: Final = 24 << 20
_THREADS: Final = 2
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_BACK_S: Final = 2.0
_PORTS: Final = range(1, 1 << 16)
_MOST_LESSON: Final = 200
_STOP_S: Final = 15.0
_TICK_S: Final = 0.02

_log = logging.getLogger(__name__)


class Shelf(Protocol):
    """What is given; `sync.engine.near_shelf.NearShelf` is one. Blocking; any thread."""

    def card(self) -> bytes:
        """Say who this is."""
        ...

    def listing(self, lesson: str) -> bytes:
        """Say what is here of a lesson."""
        ...

    def heads(self) -> bytes:
        """Give heads of editions."""
        ...

    def rows(self, digest: Digest) -> Path | None:
        """Find rows of an edition."""
        ...

    def edition(self, digest: Digest) -> Path | None:
        """Find another file of an edition."""
        ...

    def object(self, digest: Digest) -> Path | None:
        """Find a file."""
        ...

    def manifest(self, digest: Digest) -> bytes | None:
        """Give the manifest of a file."""
        ...

    def marks(self, digest: Digest) -> bytes | None:
        """Give what a film is made of."""
        ...


class ShareApp:
    """Makes the ASGI application. One event loop.

    Args:
        shelf: What is given.
        clock: Measures.
        executor: Runs what waits for the disk.
    """

    def __init__(self, shelf: Shelf, clock: Clock, executor: ThreadPoolExecutor) -> None:
        self._executor = executor
        self._back = Allowance(clock, burst=4, per_s=0.1)
        app = Starlette(
            routes=[
                Route("/v1/near", self._told(lambda _: shelf.card()), methods=["GET"]),
                Route("/v1/near/l/{name}", self._told(shelf.listing), methods=["GET"]),
                Route("/v1/near/h", self._told(lambda _: shelf.heads()), methods=["GET"]),
                Route("/v1/near/back/{name}", self._ask_back, methods=["GET"]),
                Route("/v1/near/s/{name}", self._named(shelf.marks), methods=["GET"]),
                Route("/v1/m/{name}", self._named(shelf.manifest), methods=["GET"]),
                Route("/v1/near/r/{name}", self._file(shelf.rows), methods=["GET"]),
                Route("/v1/c/e/{name}", self._file(shelf.edition), methods=["GET"]),
                Route("/v1/o/{name}", self._file(shelf.object), methods=["GET"]),
            ],
            exception_handlers={HTTPException: no_such_door, ClassroomError: _refused},
        )
        self.asgi: Final[ASGIApp] = _Gate(app, clock)

    def _told(self, answer: Callable[[str], bytes]) -> Door:
        """Answer with what is true just now."""

        async def door(request: Request) -> Response:
            name = request.path_params.get("name", "")
            if len(name) > _MOST_LESSON:
                return refusal(ProtocolError(NOT_FOUND))
            data = await self._run(partial(answer, name))
            return Response(data, media_type=TYPE, headers={"cache-control": "no-store"})

        return door

    def _named(self, find: Callable[[Digest], bytes | None]) -> Door:
        """Answer with bytes that never change."""

        async def door(request: Request) -> Response:
            digest = _digest(request)
            data = None if digest is None else await self._run(partial(find, digest))
            if data is None:
                return refusal(ProtocolError(NOT_FOUND))
            return Response(data, media_type=TYPE, headers={"cache-control": _FOR_EVER})

        return door

    def _file(self, find: Callable[[Digest], Path | None]) -> Door:
        """Answer with a file that never changes, by range where that is asked for."""

        async def door(request: Request) -> Response:
            digest = _digest(request)
            path = None if digest is None else await self._run(partial(find, digest))
            if path is None:
                return refusal(ProtocolError(NOT_FOUND))
            return published(path, _FOR_EVER)

        return door

    async def _ask_back(self, request: Request) -> Response:
        """Try whether whoever asks can be reached (SH4)."""
        text, host = request.path_params["name"], _host(request.scope)
        if not text.isdecimal() or len(text) > len("65535") or int(text) not in _PORTS:
            return refusal(ProtocolError(NOT_FOUND))
        if self._back.spend(host.encode()):
            return Response(b"", status_code=429)
        answer = BACK_NO
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(_BACK_S):
                _, writer = await asyncio.open_connection(host, int(text))
            writer.close()
            answer = BACK_YES
        return Response(answer, media_type=TYPE)

    async def _run(self, job: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, job)


class _Gate:
    """Lets private addresses in, and answers out no faster than is good (SH1, SH3)."""

    def __init__(self, app: ASGIApp, clock: Clock) -> None:
        self._app = app
        self._clock = clock
        self._free_s = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if not is_private(_host(scope)):
            await refusal(ProtocolError(NOT_FOUND))(scope, receive, send)
            return

        async def paced(message: Message) -> None:
            await send(message)
            size = len(message.get("body", b""))
            now = self._clock.monotonic()
            self._free_s = max(self._free_s, now) + size / PACE_BYTES_PER_S
            if size and self._free_s - now > _TICK_S:
                await asyncio.sleep(self._free_s - now)

        # When the server stops, connections are gone before their answers hear of it.
        with contextlib.suppress(asyncio.CancelledError):
            await self._app(scope, receive, paced)


class ShareServer:
    """Listens as soon as it is made, and answers on a thread of its own until `close`.

    Args:
        shelf: Makes what is given, told the port.
        clock: Measures.
        place: Where to listen; where its port is taken, any that is free.

    Raises:
        ResourceError: `address_taken`.
    """

    def __init__(self, shelf: Callable[[int], Shelf], clock: Clock, place: Place) -> None:
        self._listener = _listen(place)
        self.port: Final[int] = self._listener.getsockname()[1]
        self._executor = ThreadPoolExecutor(_THREADS, thread_name_prefix="share")
        self._app = ShareApp(shelf(self.port), clock, self._executor)
        self._server = _Abrupt(config_of(self._app.asgi, None))
        self._thread = threading.Thread(target=self._run, name="share", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop; answers under way are cut off. Idempotent."""
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join(_STOP_S)

    def _run(self) -> None:
        with self._listener, self._executor:
            self._server.run(sockets=[self._listener])


class _Abrupt(Server):
    """Ends at once: whoever is cut off goes on with another source."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """See `uvicorn.Server`."""
        for connection in tuple(self.server_state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)
        await super().shutdown(sockets)


def is_private(host: str) -> bool:
    """Tell whether an address is one of a network at home."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_private and not address.is_unspecified


def _listen(place: Place) -> socket.socket:
    """Listen at a known port if it is free: firewalls are opened for one."""
    try:
        return listen_at(place)
    except ResourceError:
        return listen_at(replace(place, port=0))


def _host(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""


def _digest(request: Request) -> Digest | None:
    name = request.path_params["name"]
    return Digest(name) if DIGEST.fullmatch(name) else None


async def _refused(_: Request, error: Exception) -> Response:
    """Say that it is not to be had: what this PC lacks is its own affair."""
    _log.warning("nothing given: %s", error)
    return refusal(ProtocolError(NOT_FOUND))
