"""Running a hub: the process that `hub --data DIR` is.

Invariants:
  V1  Off loopback a hub speaks TLS or not at all.
  V2  Connections are taken as soon as the base URL is known.
  V3  A connection that asks nothing, or whose head never ends, is closed; so is one too many of the
      same address.
  V4  The certificate is renewed while the hub runs. Connections that are open stay open.
"""

import asyncio
import contextlib
import ipaddress
import logging
import signal
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar, Final

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from client.domain.clock import Clock
from client.domain.errors import ResourceError, StorageError
from client.store.durable import write_file
from client.store.keyfile import verify
from sync.hub.app import PACE, Doors, HubApp, Pace
from sync.hub.authority import FIRST, Tls, ready
from sync.hub.content import PUBLIC
from sync.hub.enrolment import Refusals, Registrar, add_code
from sync.hub.folder import CONTENT, TLS, HubFolder
from sync.hub.limits import Allowance
from sync.hub.respond import LATEST_S, Policy, Responder
from sync.protocol.enrol import Hello

LOOPBACK: Final = "127.0.0.1"
PORT: Final = 8520
CODE_FILE: Final = "admin-code.txt"
_THREADS: Final = 4
_CONNECTIONS: Final = 2048
_CONNECTIONS_EACH: Final = 256
_BACKLOG: Final = 512
_FIRST_S: Final = 20.0
"""Seconds in which a connection must have asked something."""
_STOP_S: Final = 10
_LOOK_S: Final = 3600.0
"""Seconds between looks at the certificate; it is renewed a year before its end."""
_DAY_S: Final = 86_400
_ANY: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104 - not a name that rooms could use

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a hub listens."""

    host: str = LOOPBACK
    port: int = PORT
    """0 for any that is free."""


class HubServer:
    """A hub that listens as soon as it is made, and answers while `run` runs.

    Args:
        folder: Its data; open until `run` is over.
        place: Where to listen.
        clock: Dates and measures.
        pace: How long bodies may take.

    Raises:
        ResourceError: `address_taken`: the address cannot be listened on.
        StorageError: The folder is damaged.
    """

    def __init__(self, folder: HubFolder, place: Place, clock: Clock, *, pace: Pace = PACE) -> None:
        names = own_names() | ({place.host} - _ANY)
        certificate = partial(_certificate, folder, names, clock)
        tls = None if is_loopback(place.host) else certificate()
        self._executor = ThreadPoolExecutor(_THREADS, thread_name_prefix="answer")
        app = HubApp(_doors(folder, tls, clock, self._executor), clock, pace)
        self._server = Server(config_of(app.asgi, tls), certificate)
        self._listener = listen_at(place)
        shown = f"[{place.host}]" if ":" in place.host else place.host
        scheme = "http" if tls is None else "https"
        self.url: Final = f"{scheme}://{shown}:{self._listener.getsockname()[1]}"

    def run(self) -> None:
        """Answer until SIGINT, SIGTERM or `stop`; then let answers under way end."""
        with self._listener, self._executor:
            self._server.run(sockets=[self._listener])

    def stop(self) -> None:
        """Let `run` return soon. Any thread may call."""
        self._server.should_exit = True


def first_code(folder: HubFolder, code_file: Path | None) -> None:
    """At the first start draw the code that enrols rooms, and write it where its keeper reads it.

    Raises:
        OSError: The file cannot be written; there is no code then.
    """
    if folder.directory.codes() or folder.directory.nodes():
        return
    path = code_file or folder.path / CODE_FILE
    add_code(
        folder.directory,
        folder.audit,
        write=lambda code: write_file(path, f"{code}\n".encode("ascii"), mode=0o600),
    )


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def own_names() -> frozenset[str]:
    """Find names and addresses under which this machine may be reached."""
    name = socket.gethostname()
    found = {name, "localhost", LOOPBACK}
    with contextlib.suppress(OSError):
        found |= {str(entry[4][0]).partition("%")[0] for entry in socket.getaddrinfo(name, None)}
    # Which address would be used outwards: connecting a datagram socket sends nothing.
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))
        found.add(probe.getsockname()[0])
    return frozenset(found)


def _certificate(folder: HubFolder, names: frozenset[str], clock: Clock) -> Tls:
    """Give the hub's certificate, renewed if it is time (V1).

    Raises:
        StorageError: It can be neither read nor made: there is no hub without it.
    """
    try:
        return ready(folder.path / TLS, names, clock)
    except OSError as error:
        raise StorageError("store_failed", {"detail": str(error)}) from error


def _doors(folder: HubFolder, tls: Tls | None, clock: Clock, executor: ThreadPoolExecutor) -> Doors:
    key = folder.key()
    authority = b"" if tls is None else tls.authority
    hello = Hello(key=key.public_key, certificate=authority, name=socket.gethostname())
    often = Allowance(clock, burst=120, per_s=2)
    much = Allowance(clock, burst=64 << 20, per_s=(8 << 20) / _DAY_S)
    policy = Policy(
        spend=lambda name, size: often.spend(name) or much.spend(name, size),
        floor_ms=round(FIRST.timestamp() * 1000),
    )
    directory, audit = folder.directory, folder.audit
    return Doors(
        responder=Responder(key, directory, folder.logs, clock, verify, policy),
        registrar=Registrar(key, hello, directory, audit, verify),
        refusals=Refusals(audit, clock),
        hello=hello,
        executor=executor,
        public=folder.path / CONTENT / PUBLIC,
    )


def config_of(app: ASGIApp, tls: Tls | None) -> uvicorn.Config:
    """Choose how to speak HTTP."""
    return uvicorn.Config(
        app,
        http=_Patient,
        loop="auto",  # uvloop where it is there
        lifespan="off",
        ws="none",
        interface="asgi3",
        log_config=None,
        log_level=logging.WARNING,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        limit_concurrency=_CONNECTIONS,
        backlog=_BACKLOG,
        # Longer than any room waits: an open connection saves a handshake.
        timeout_keep_alive=LATEST_S + 120,
        timeout_graceful_shutdown=_STOP_S,
        ssl_certfile=None if tls is None else tls.chain,
        ssl_keyfile=None if tls is None else tls.chain,
    )


def listen_at(place: Place) -> socket.socket:
    """Take connections at a place.

    Raises:
        ResourceError: `address_taken`.
    """
    family = socket.AF_INET6 if ":" in place.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((place.host, place.port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        values = {"address": f"{place.host}:{place.port}", "detail": str(error)}
        raise ResourceError("address_taken", values) from error
    return listener


class Server(uvicorn.Server):
    """Stops on the usual signals, and lets what comes behind it close the folder."""

    def __init__(
        self, config: uvicorn.Config, certificate: Callable[[], Tls] | None = None
    ) -> None:
        super().__init__(config)
        self._certificate = certificate

    async def main_loop(self) -> None:
        """See `uvicorn.Server`; looks at the certificate meanwhile (V4)."""
        renewing = asyncio.create_task(self._renew())
        try:
            await super().main_loop()
        finally:
            renewing.cancel()

    async def _renew(self) -> None:
        context, certificate = self.config.ssl, self._certificate
        while context is not None and certificate is not None:
            await asyncio.sleep(_LOOK_S)
            try:
                tls = await asyncio.to_thread(certificate)
                # Here and not in that thread: here connections are begun.
                context.load_cert_chain(tls.chain)
            except (OSError, StorageError):
                _log.warning("the certificate was not renewed; the old one stays", exc_info=True)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """See `uvicorn.Server`; there the signal would come again and end the process."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        numbers = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, self.handle_exit) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


class _Patient(H11Protocol):
    """A connection that is closed unless it asks something in good time (V3)."""

    _open: ClassVar[Counter[str]] = Counter()
    _address = ""
    _watch: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Count it, and begin to watch."""
        super().connection_made(transport)
        self._address = self.client[0] if self.client else ""
        self._open[self._address] += 1
        if self._open[self._address] > _CONNECTIONS_EACH:
            transport.abort()
        else:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop watching."""
        super().connection_lost(exc)
        self._open[self._address] -= 1
        if self._open[self._address] <= 0:
            del self._open[self._address]
        if self._watch is not None:
            self._watch.cancel()

    def data_received(self, data: bytes) -> None:
        """Watch as long as the head of a request is not whole."""
        super().data_received(data)
        if self.cycle is None or self.cycle.response_complete:
            self._wait()
        elif self._watch is not None:
            self._watch.cancel()
            self._watch = None

    def _wait(self) -> None:
        if self._watch is None:
            self._watch = self.loop.call_later(_FIRST_S, self._give_up)

    def _give_up(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()
