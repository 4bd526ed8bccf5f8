"""The HTTP face of a hub: `POST /v1/x`, `POST /v1/enrol`, `GET /v1/hello`, and what it publishes.

Everything that is said stands in the bodies (sync.protocol); HTTP adds a status for whatever is in
between, and as few headers as it can.

Invariants:
  A1  A body is counted while it comes: neither one that is too large nor many at once are held.
  A2  A body that comes too slowly is cut off, and one that was not read to its end is not used.
  A3  Every refusal has the status and body of `sync.protocol.refusal`, and tells nothing else.
  A4  Refusals are counted for each address, and too many make it wait; answers are not counted.
  A5  What is published is read from plain files under names that are digests, by range where that
      is asked for; no name leads anywhere else.
"""

import asyncio
import contextlib
import logging
import re
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_network
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from client.domain.clock import Clock
from client.domain.errors import (
    BusyError,
    ClassroomError,
    ProtocolError,
    StorageError,
    UserError,
)
from sync.hub.enrolment import Refusals, Registrar
from sync.hub.limits import Allowance, Held
from sync.hub.respond import Responder
from sync.protocol.enrol import MAX_ENROL_BYTES, Hello, pack_hello
from sync.protocol.exchange import MAX_MESSAGE_BYTES
from sync.protocol.refusal import BUSY, STATUS_OF, pack_refusal

TYPE: Final = "application/x-tongke"
_HELD_BYTES: Final = 16 << 20
_HELD_EACH: Final = 4 << 20
_BUSY_S: Final = 30
_KINDS: Final = ("c/e", "o", "m")
DIGEST: Final = re.compile("[0-9a-f]{64}")
_PLAIN: Final = "application/octet-stream"
_FOR_EVER: Final = "public, max-age=31536000, immutable"
NOT_FOUND: Final = "not_found"
_CODE_OF: Final = {404: NOT_FOUND, 405: "method_wrong"}

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How long a body may take, in seconds."""

    idle_s: float = 20.0
    whole_s: float = 60.0


PACE: Final = Pace()


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """What the face stands in front of."""

    responder: Responder
    registrar: Registrar
    refusals: Refusals
    hello: Hello
    executor: Executor
    """Runs answers: they wait for the disk."""
    public: Path
    """The files it publishes (sync.hub.content)."""


class HubApp:
    """Makes the ASGI application. One event loop.

    Args:
        doors: See `Doors`.
        clock: Measures allowances.
        pace: See `Pace`.
    """

    def __init__(self, doors: Doors, clock: Clock, pace: Pace = PACE) -> None:
        self._doors = doors
        self._pace = pace
        self._hello = pack_hello(doors.hello)
        self._held = Held(total=_HELD_BYTES, each=_HELD_EACH)
        self._failures = Allowance(clock, burst=60, per_s=1)
        self.asgi: Final = Starlette(
            routes=[
                Route("/v1/x", self._exchange, methods=["POST"]),
                Route("/v1/enrol", self._enrol, methods=["POST"]),
                Route("/v1/hello", self._say_hello, methods=["GET"]),
                Route("/v1/c/head", self._head, methods=["GET"]),
                *(
                    Route(f"/v1/{kind}/{{name}}", partial(self._file, kind), methods=["GET"])
                    for kind in _KINDS
                ),
            ],
            exception_handlers={HTTPException: no_such_door},
        )

    async def _say_hello(self, _: Request) -> Response:
        return Response(self._hello, media_type=TYPE)

    async def _head(self, _: Request) -> Response:
        return published(self._doors.public / "v1" / "c" / "head", "no-cache")

    async def _file(self, kind: str, request: Request) -> Response:
        """Give a file that is named by its digest (A5)."""
        name = request.path_params["name"]
        if not DIGEST.fullmatch(name):
            return refusal(ProtocolError(NOT_FOUND))
        return published(self._doors.public / "v1" / kind / name, _FOR_EVER)

    async def _exchange(self, request: Request) -> Response:
        return await self._through(request, "x", MAX_MESSAGE_BYTES, self._doors.responder.answer)

    async def _enrol(self, request: Request) -> Response:
        return await self._through(request, "enrol", MAX_ENROL_BYTES, self._doors.registrar.answer)

    async def _through(
        self, request: Request, door: str, max_bytes: int, answer: Callable[[bytes], bytes]
    ) -> Response:
        """Read a body, answer it, and say no in one form (A3)."""
        address = _address(request)
        try:
            wait_s = self._failures.wait_s(address.encode())
            if wait_s:
                raise BusyError("too_often", {"retry_after_s": wait_s})
            async with self._body(request, address, max_bytes) as body:
                loop = asyncio.get_running_loop()
                reply = await loop.run_in_executor(self._doors.executor, answer, body)
        except ClientDisconnect:
            return Response(status_code=400)
        except ClassroomError as error:
            return self._refuse(error, door, address)
        return Response(reply, media_type=TYPE)

    def _refuse(self, error: ClassroomError, door: str, address: str) -> Response:
        if isinstance(error, UserError | ProtocolError):
            # What the peer did, not what the hub lacks.
            self._failures.spend(address.encode())
            self._doors.refusals.note(error, door, address)
        elif isinstance(error, StorageError):
            _log.error("%s: %s %s", door, error.code, dict(error.values))
        return refusal(error)

    @contextlib.asynccontextmanager
    async def _body(self, request: Request, address: str, max_bytes: int) -> AsyncIterator[bytes]:
        """Read a body and count it as held until it is let go (A1, A2)."""
        length = request.headers.get("content-length", "0")
        if request.headers.get("content-type") != TYPE:
            raise ProtocolError("type_wrong")
        if not length.isdigit() or int(length) > max_bytes:
            raise ProtocolError("too_large")
        body = bytearray()
        now = asyncio.get_running_loop().time
        latest = now() + self._pace.whole_s
        try:
            async with asyncio.timeout(self._pace.idle_s) as patience:
                async for chunk in request.stream():
                    if len(body) + len(chunk) > max_bytes:
                        raise ProtocolError("too_large")
                    if not self._held.take(address, len(chunk)):
                        raise BusyError(BUSY, {"retry_after_s": _BUSY_S})
                    body += chunk
                    patience.reschedule(min(latest, now() + self._pace.idle_s))
            yield bytes(body)
        except TimeoutError as error:
            raise ProtocolError("too_slow") from error
        finally:
            self._held.give(address, len(body))


def published(path: Path, cache: str) -> Response:
    """Give a file, whole or by range."""
    try:
        facts = path.stat()
    except OSError:
        return refusal(ProtocolError(NOT_FOUND))
    headers = {"cache-control": cache}
    return FileResponse(path, headers=headers, media_type=_PLAIN, stat_result=facts)


def refusal(error: ClassroomError) -> Response:
    """Say no: a status for what stands between, a code for the room."""
    code = error.code if error.code in STATUS_OF else _code_for(error)
    wait_s = int(getattr(error, "retry_after_s", 0)) or (_BUSY_S if code == BUSY else 0)
    headers = {"retry-after": str(wait_s)} if wait_s else None
    body = pack_refusal(code, wait_s)
    return Response(body, STATUS_OF[code], headers=headers, media_type=TYPE)


def _code_for(error: ClassroomError) -> str:
    """Choose what to say where the code itself is the hub's own affair."""
    return "message_invalid" if isinstance(error, UserError | ProtocolError) else BUSY


async def no_such_door(_: Request, error: Exception) -> Response:
    """Say that there is nothing at an address."""
    status = error.status_code if isinstance(error, HTTPException) else 0
    return refusal(ProtocolError(_CODE_OF.get(status, "message_invalid")))


def _address(request: Request) -> str:
    """Name where a request comes from: an address, of version 6 its network."""
    host = request.client.host if request.client else ""
    return str(ip_network(f"{host}/64", strict=False)) if ":" in host else host
