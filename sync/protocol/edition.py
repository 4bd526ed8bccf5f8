"""A signed edition of a hub's catalogue: its head, and the list of what was withdrawn.

    head     = [1, body, signature]                    body: the array below as bytes
    body     = [number, signed at, rows digest, rows size, rows, whole, deltas, withdrawn]
    whole    = [digest, size]                          the packed stream of all rows
    delta    = [from number, digest, size, steps size] the packed steps from an earlier edition
    withdrawn = [digest, size]                         the list below as one file

    list     = [1, [lesson, reason, grace, replacement] …]

The hub's key signs the body under a domain of its own. Everything else is named by its SHA-256, so
it may come from any web server, cache or stick.

Invariants:
  S1  Nothing of a head is believed before its signature held under the key that was pinned.
  S2  A head bounds what it names: sizes of files and of what they unpack to are in it.
  S3  Hostile bytes end in `ProtocolError`; no head or list is read beyond its limit.
"""

from dataclasses import dataclass
from typing import Final

from client.domain.canon import Wire, decode_array, encode
from client.domain.errors import ProtocolError
from client.domain.ids import Digest, LessonId
from client.domain.signer import Signer, Verify
from client.domain.withdrawal import Withdrawal

FORMAT: Final = 1
MAX_HEAD_BYTES: Final = 16 * 1024
MAX_FILE_BYTES: Final = 64 << 20
"""Of one packed file: eight times what a country's catalogue takes."""
MAX_ROWS_BYTES: Final = 512 << 20
MAX_LIST_BYTES: Final = 1 << 20
MAX_DELTAS: Final = 64
_DOMAIN: Final = b"tongke/edition/1"
_HASH_BYTES: Final = 32
_MOST: Final = 1 << 53
_MAX_ID: Final = 200
MAX_REASON: Final = 60
MAX_GRACE_DAYS: Final = 366


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedFile:
    """A file that travels: the SHA-256 of its bytes and their number."""

    digest: Digest
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """Steps from an earlier edition to this one."""

    base: int
    """Number of the earlier edition."""
    file: NamedFile
    unpacked_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """See the module."""

    number: int
    """Grows with each edition."""
    signed_ms: int
    """When it was signed, Unix milliseconds: it is not earlier than that."""
    rows_digest: Digest
    """SHA-256 of the stream of all rows: whatever way it came, this is what it must be."""
    rows_bytes: int
    rows: int
    whole: NamedFile
    deltas: tuple[Delta, ...] = ()
    withdrawn: NamedFile | None = None


def pack_head(head: Head, signer: Signer) -> bytes:
    """Give the signed bytes of a head."""
    body = encode(
        [
            head.number,
            head.signed_ms,
            bytes.fromhex(head.rows_digest),
            head.rows_bytes,
            head.rows,
            _named(head.whole),
            [
                [delta.base, *_named(delta.file), delta.unpacked_bytes]
                for delta in head.deltas[:MAX_DELTAS]
            ],
            [] if head.withdrawn is None else _named(head.withdrawn),
        ]
    )
    return encode([FORMAT, body, signer.sign(_DOMAIN + body)])


def open_head(data: bytes, key: bytes, verify: Verify) -> Head:
    """Read a head that the hub with this key signed (S1).

    Raises:
        ProtocolError: `signature_bad` (forged, or of another hub), `version_unknown`,
            `message_invalid`, `not_canonical` or `too_large`.
    """
    match decode_array(data, max_bytes=MAX_HEAD_BYTES):
        case [int(number), *_] if number != FORMAT:
            raise ProtocolError("version_unknown")
        case [int(_), bytes(body), bytes(signature)]:
            pass
        case _:
            raise ProtocolError("message_invalid")
    if not verify(key, signature, _DOMAIN + body):
        raise ProtocolError("signature_bad")
    return _read_body(body)


def pack_withdrawals(withdrawals: tuple[Withdrawal, ...]) -> bytes:
    """Give the bytes of a list; a head names them."""
    rows: list[Wire] = [
        [one.lesson, one.reason, one.grace_days, one.replacement or ""] for one in withdrawals
    ]
    return encode([FORMAT, rows])


def read_withdrawals(data: bytes) -> tuple[Withdrawal, ...]:
    """Read a list that a believed head names.

    Raises:
        ProtocolError: `version_unknown`, `message_invalid`, `not_canonical` or `too_large`.
    """
    match decode_array(data, max_bytes=MAX_LIST_BYTES):
        case [int(number), *_] if number != FORMAT:
            raise ProtocolError("version_unknown")
        case [int(_), list(rows)]:
            return tuple(_withdrawal(row) for row in rows)
        case _:
            raise ProtocolError("message_invalid")


def _named(file: NamedFile) -> list[Wire]:
    return [bytes.fromhex(file.digest), file.size_bytes]


def _read_body(body: bytes) -> Head:
    match decode_array(body, max_bytes=MAX_HEAD_BYTES):
        case [
            int(number),
            int(signed_ms),
            bytes(rows_digest),
            int(rows_bytes),
            int(rows),
            list(whole),
            list(deltas),
            list(withdrawn),
            *_,
        ] if (
            0 < number < _MOST
            and 0 <= signed_ms < _MOST
            and len(rows_digest) == _HASH_BYTES
            and 0 <= rows_bytes <= MAX_ROWS_BYTES
            and 0 <= rows <= rows_bytes
            and len(deltas) <= MAX_DELTAS
        ):
            return Head(
                number=number,
                signed_ms=signed_ms,
                rows_digest=Digest(rows_digest.hex()),
                rows_bytes=rows_bytes,
                rows=rows,
                whole=_file(whole, MAX_FILE_BYTES),
                deltas=tuple(_delta(delta, number) for delta in deltas),
                withdrawn=_file(withdrawn, MAX_LIST_BYTES) if withdrawn else None,
            )
        case _:
            raise ProtocolError("message_invalid")


def _file(wire: list[Wire], most: int) -> NamedFile:
    match wire:
        case [bytes(digest), int(size)] if len(digest) == _HASH_BYTES and 0 < size <= most:
            return NamedFile(digest=Digest(digest.hex()), size_bytes=size)
        case _:
            raise ProtocolError("message_invalid")


def _delta(wire: Wire, number: int) -> Delta:
    match wire:
        case [int(base), bytes(digest), int(size), int(unpacked)] if (
            0 < base < number and 0 <= unpacked <= MAX_ROWS_BYTES
        ):
            file = _file([digest, size], MAX_FILE_BYTES)
            return Delta(base=base, file=file, unpacked_bytes=unpacked)
        case _:
            raise ProtocolError("message_invalid")


def _withdrawal(wire: Wire) -> Withdrawal:
    match wire:
        case [str(lesson), str(reason), int(grace), str(replacement)] if (
            0 < len(lesson) <= _MAX_ID
            and len(reason) <= MAX_REASON
            and 0 <= grace <= MAX_GRACE_DAYS
            and len(replacement) <= _MAX_ID
        ):
            return Withdrawal(
                lesson=LessonId(lesson),
                reason=reason,
                grace_days=grace,
                replacement=LessonId(replacement) if replacement else None,
            )
        case _:
            raise ProtocolError("message_invalid")
