"""The messages of an exchange: one request and one reply do everything (docs/protocol.md).

    envelope = [body, signature]                  body: byte string of canonical CBOR
    request  = [1, site, node, machine, have, segments, introductions, max_bytes, clock]
    reply    = [1, status, digest of the request, have, codes, segments, introductions, clock,
                next_s, notes]
    have     = summary | [stretches, closed digest] | [stretches, closed digest, closed stretches]
    stretch  = [writer, seq, head, first]

Invariants:
  M1  What a message says has exactly one form; anything else ends in `ProtocolError`, and reading
      is bounded before anything is built. Fields behind those that are known are left unread.
  M2  A reply answers one request: it carries that request's digest under the hub's signature.
  M3  A signature of one kind of message never holds for another: each has its own domain.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, TypeAlias, TypeVar

from client.domain.canon import Wire, decode_array, encode
from client.domain.errors import ProtocolError
from client.domain.ids import EventId
from client.domain.record.dense import MAX_VALUES
from client.domain.record.event import ID_BYTES, WRITER_BYTES
from client.domain.record.log import Introduction, Taken
from client.domain.record.segment import peek
from client.domain.record.vector import SUMMARY_BYTES, Stretch, Vector
from client.domain.signer import Signer, Verify

FORMAT: Final = 1
MAX_MESSAGE_BYTES: Final = 512 * 1024
MAX_PUSH_BYTES: Final = 256 * 1024
"""Segments of one message together; a larger backlog takes several exchanges."""
MAX_SEGMENTS: Final = 1024
"""Segments, and introductions, of one message."""
MAX_WORK: Final = 1 << 17
"""Values that the segments of one message may unpack to: a second's work, whatever they are."""
_VALUES_A_EVENT: Final = 256
MAX_STRETCHES: Final = 4096
NAME_BYTES: Final = 8
DIGEST_BYTES: Final = 16
_REQUEST: Final = b"tongke/request/1"
_REPLY: Final = b"tongke/reply/1"
_LIMIT: Final = 1 << 53

N = TypeVar("N", bound=IntEnum)

Have: TypeAlias = bytes | Vector
"""A summary of 16 bytes, where both sides are believed equal, or everything."""


class Status(IntEnum):
    """What a reply says about the request as a whole."""

    DONE = 0
    VECTOR_WANTED = 1
    """The summary was another one: ask again and tell everything."""
    CLOSED_WANTED = 2
    """As above, with the closed logs in full."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A room's clocks when it asked: start of the machine, milliseconds since then, date."""

    boot: int
    mono_ms: int
    wall_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HubTime:
    """UTC milliseconds when the request came and when the reply left, and how far off they may be.

    `err_ms` is -1 where the hub does not trust its own clock.
    """

    came_ms: int
    left_ms: int
    err_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a room says. `node` names its key, `machine` the hardware it runs on, salted."""

    site: bytes
    node: bytes
    machine: bytes
    have: Have
    segments: tuple[bytes, ...] = ()
    introductions: tuple[Introduction, ...] = ()
    max_bytes: int = MAX_PUSH_BYTES
    clock: Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a hub answers. `codes` answer the segments of the request, in their order."""

    status: Status
    request: bytes
    """`digest_of` the request's envelope (M2)."""
    have: Have
    codes: tuple[Taken, ...] = ()
    segments: tuple[bytes, ...] = ()
    introductions: tuple[Introduction, ...] = ()
    clock: HubTime
    next_s: int
    """After how many seconds to come again if nothing happens."""
    notes: tuple[str, ...] = ()
    """Message codes such as `key_on_two_machines`."""


def node_of(public_key: bytes) -> bytes:
    """Name a key."""
    return hashlib.sha256(public_key).digest()[:NAME_BYTES]


def digest_of(envelope: bytes) -> bytes:
    """Name an envelope."""
    return hashlib.sha256(envelope).digest()[:DIGEST_BYTES]


def fitting(segments: Sequence[bytes]) -> tuple[bytes, ...]:
    """Return those at the beginning that one message may bring; at least one if there is any.

    A small segment can hold much work. How much it may be at most is known from what it claims,
    so both sides count alike, and a hub need not take more.
    """
    work = 0
    for number, data in enumerate(segments[:MAX_SEGMENTS]):
        work += _work(data)
        if number and work > MAX_WORK:
            return tuple(segments[:number])
    return tuple(segments[:MAX_SEGMENTS])


def _work(data: bytes) -> int:
    try:
        return min(peek(data).count * _VALUES_A_EVENT, MAX_VALUES)
    except ProtocolError:
        return 0


def pack_request(request: Request, hub_key: bytes, signer: Signer) -> bytes:
    """Give the envelope of a request to the hub with `hub_key`; it holds for no other hub."""
    body = encode(
        [
            FORMAT,
            request.site,
            request.node,
            request.machine,
            pack_have(request.have),
            list(request.segments),
            _pack_introductions(request.introductions),
            request.max_bytes,
            [request.clock.boot, request.clock.mono_ms, request.clock.wall_ms],
        ]
    )
    return encode([body, signer.sign(_REQUEST + hub_key + body)])


def read_request(envelope: bytes) -> Request:
    """Read a request without believing it: its signature is checked by `check_request`.

    Raises:
        ProtocolError: `message_invalid`, `too_large` or `version_unknown`.
    """
    match _body(envelope):
        case [
            bytes(site),
            bytes(node),
            bytes(machine),
            have,
            list(segments),
            list(introductions),
            int(max_bytes),
            [int(boot), int(mono), int(wall), *_],
            *_,
        ] if len(site) == len(node) == len(machine) == NAME_BYTES:
            return Request(
                site=site,
                node=node,
                machine=machine,
                have=read_have(have),
                segments=_read_segments(segments),
                introductions=_read_introductions(introductions),
                max_bytes=_within(max_bytes),
                clock=Reading(boot=_within(boot), mono_ms=_within(mono), wall_ms=_date(wall)),
            )
        case _:
            raise ProtocolError("message_invalid")


def check_request(envelope: bytes, public_key: bytes, hub_key: bytes, verify: Verify) -> None:
    """Check that the owner of a key sent this request to this hub.

    Raises:
        ProtocolError: `signature_bad`.
    """
    _check(envelope, public_key, _REQUEST + hub_key, verify)


def pack_reply(reply: Reply, signer: Signer) -> bytes:
    """Give the envelope of a reply."""
    body = encode(
        [
            FORMAT,
            reply.status.value,
            reply.request,
            pack_have(reply.have),
            [code.value for code in reply.codes],
            list(reply.segments),
            _pack_introductions(reply.introductions),
            [reply.clock.came_ms, reply.clock.left_ms, reply.clock.err_ms],
            reply.next_s,
            list(reply.notes),
        ]
    )
    return encode([body, signer.sign(_REPLY + body)])


def open_reply(envelope: bytes, request: bytes, hub_key: bytes, verify: Verify) -> Reply:
    """Read the hub's reply to the envelope `request`; nothing is believed before it is checked.

    Raises:
        ProtocolError: `signature_bad`, `reply_to_another`, `message_invalid`, `too_large` or
            `version_unknown`.
    """
    _parts(envelope)
    _check(envelope, hub_key, _REPLY, verify)
    match _body(envelope):
        case [
            int(status),
            bytes(asked),
            have,
            list(codes),
            list(segments),
            list(introductions),
            [int(came), int(left), int(err), *_],
            int(next_s),
            list(notes),
            *_,
        ]:
            if asked != digest_of(request):
                raise ProtocolError("reply_to_another")
            return Reply(
                status=_enum(Status, status),
                request=asked,
                have=read_have(have),
                codes=tuple(_enum(Taken, code) for code in codes),
                segments=_read_segments(segments),
                introductions=_read_introductions(introductions),
                clock=HubTime(came_ms=_date(came), left_ms=_date(left), err_ms=_date(err)),
                next_s=_within(next_s),
                notes=tuple(_text(note) for note in notes),
            )
        case _:
            raise ProtocolError("message_invalid")


def pack_have(have: Have) -> Wire:
    """Give the form of what a store holds."""
    if isinstance(have, bytes):
        return have
    row: list[Wire] = [[stretch.wire() for stretch in have.open], have.closed_digest]
    if have.closed is not None:
        row.append([stretch.wire() for stretch in have.closed])
    return row


def read_have(have: Wire) -> Have:
    """Read what `pack_have` gave.

    Raises:
        ProtocolError: `message_invalid` or `too_large`.
    """
    match have:
        case bytes(summary) if len(summary) == SUMMARY_BYTES:
            return summary
        case [list(opened), bytes(digest)] if len(digest) == SUMMARY_BYTES:
            return Vector(open=read_stretches(opened), closed_digest=digest)
        case [list(opened), bytes(digest), list(closed)] if len(digest) == SUMMARY_BYTES:
            shut = read_stretches(closed)
            return Vector(open=read_stretches(opened), closed_digest=digest, closed=shut)
        case _:
            raise ProtocolError("message_invalid")


def read_stretches(rows: Sequence[Wire]) -> tuple[Stretch, ...]:
    """Read stretches as `Stretch.wire` gives them.

    Raises:
        ProtocolError: `message_invalid` or `too_large`.
    """
    if len(rows) > MAX_STRETCHES:
        raise ProtocolError("too_large")
    return tuple(_read_stretch(row) for row in rows)


def _read_stretch(row: Wire) -> Stretch:
    match row:
        case [bytes(writer), int(seq), bytes(head), int(first)] if (
            len(writer) == WRITER_BYTES and len(head) == ID_BYTES and 0 < first <= seq < _LIMIT
        ):
            return Stretch(writer=writer, seq=seq, head=EventId(head), first=first)
        case _:
            raise ProtocolError("message_invalid")


def _pack_introductions(introductions: Sequence[Introduction]) -> list[Wire]:
    return [[one.public_key, one.nonce] for one in introductions]


def _read_introductions(rows: Sequence[Wire]) -> tuple[Introduction, ...]:
    if len(rows) > MAX_SEGMENTS:
        raise ProtocolError("too_large")
    found = []
    for row in rows:
        match row:
            case [bytes(key), bytes(nonce)] if (len(key), len(nonce)) == (32, 16):
                found.append(Introduction(public_key=key, nonce=nonce))
            case _:
                raise ProtocolError("message_invalid")
    return tuple(found)


def _read_segments(rows: Sequence[Wire]) -> tuple[bytes, ...]:
    found = tuple(row for row in rows if isinstance(row, bytes))
    if len(found) != len(rows):
        raise ProtocolError("message_invalid")
    if len(rows) > MAX_SEGMENTS or sum(map(len, found)) > MAX_PUSH_BYTES:
        raise ProtocolError("too_large")
    return found


def _parts(envelope: bytes) -> tuple[bytes, bytes]:
    match decode_array(envelope, max_bytes=MAX_MESSAGE_BYTES):
        case [bytes(body), bytes(signature)]:
            return body, signature
        case _:
            raise ProtocolError("message_invalid")


def _body(envelope: bytes) -> list[Wire]:
    version, *row = decode_array(_parts(envelope)[0], max_bytes=MAX_MESSAGE_BYTES) or [0]
    if version != FORMAT:
        raise ProtocolError("version_unknown")
    return row


def _check(envelope: bytes, key: bytes, domain: bytes, verify: Verify) -> None:
    body, signature = _parts(envelope)
    if not verify(key, signature, domain + body):
        raise ProtocolError("signature_bad")


def _enum(kind: type[N], number: Wire) -> N:
    for one in kind:
        if one.value == number:
            return one
    raise ProtocolError("message_invalid")


def _within(number: int) -> int:
    if not 0 <= number < _LIMIT:
        raise ProtocolError("message_invalid")
    return number


def _date(number: int) -> int:
    if not -_LIMIT < number < _LIMIT:
        raise ProtocolError("message_invalid")
    return number


def _text(value: Wire) -> str:
    if not isinstance(value, str):
        raise ProtocolError("message_invalid")
    return value
