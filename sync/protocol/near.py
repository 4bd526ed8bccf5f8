"""What PCs of one school tell each other: who shares, and what is there of a lesson.

    card    = [1, node key, port, room]                               a datagram, or GET /v1/near
    listing = [1, [1, node key, lesson, files, coming], signature]    GET /v1/near/l/LESSON
    file    = [path, digest, size, marks]
    coming  = [path, age in ms, bytes so far]
    heads   = [1, [[hub key, signed head], …]]                        GET /v1/near/h
    marks   = [1, playlist, [[length, sha256], …]]                    GET /v1/near/s/DIGEST

A card is a hint and nothing more. A listing is believed as far as what it names proves itself, or
as far as the key that signed it is known to be one of this school.

Invariants:
  NR1  Reading is bounded and ends in `ProtocolError` and nothing else, whoever wrote it.
  NR2  A signature holds for one key, one lesson and everything that was said of it.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from client.domain.canon import Wire, decode_array, encode
from client.domain.errors import ProtocolError
from client.domain.ids import Digest, LessonId
from client.domain.signer import Signer, Verify
from sync.protocol.edition import MAX_HEAD_BYTES
from sync.protocol.enrol import KEY_BYTES
from sync.protocol.manifest import MAX_FILE_BYTES

FORMAT: Final = 1
MAX_CARD_BYTES: Final = 255
"""So that it fits one text of zeroconf."""
MAX_ROOM: Final = 40
MAX_LISTING_BYTES: Final = 256 * 1024
MAX_FILES: Final = 1024
MAX_HEADS: Final = 16
MAX_HEADS_BYTES: Final = MAX_HEADS * (MAX_HEAD_BYTES + 64)
MAX_MARKS: Final = 20_000
MAX_PLAYLIST_BYTES: Final = 4 << 20
MAX_MARKS_BYTES: Final = MAX_MARKS * 44 + MAX_PLAYLIST_BYTES
MAX_STRETCH_BYTES: Final = 64 << 20
BACK_YES: Final = b"1"
"""Whoever asked can be reached at the port it named."""
BACK_NO: Final = b"0"
_SIGNED: Final = b"tongke/near/1"
_HASH_BYTES: Final = 32
_PORTS: Final = range(1, 1 << 16)
_NONE: Final = Digest("")


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """Who shares, and at which port. Anybody can have written it."""

    key: bytes
    port: int
    room: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NearFile:
    """One file of a lesson that can be had."""

    path: str
    digest: Digest
    size_bytes: int
    marks: Digest = _NONE
    """SHA-256 of the packed marks of the stretches it came in; empty where they are not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coming:
    """One file of a lesson that is on its way to there over the link."""

    path: str
    age_ms: int
    bytes_done: int
    """Of the whole fetch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What one PC says of one lesson."""

    key: bytes
    lesson: LessonId
    files: tuple[NearFile, ...] = ()
    coming: tuple[Coming, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One stretch of a file: its length and its SHA-256."""

    length: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """What a film was made of: the publisher's list of its segments, and their bytes."""

    playlist: bytes
    stretches: tuple[Mark, ...]


def pack_card(card: Card) -> bytes:
    """Give the bytes of a card; a long name of a room is cut."""
    room = card.room[:MAX_ROOM]
    return encode([FORMAT, card.key, card.port, room])


def read_card(data: bytes) -> Card:
    """Read a card from anybody (NR1).

    Raises:
        ProtocolError: As `read_listing`.
    """
    match _row(data, MAX_CARD_BYTES):
        case [bytes(key), int(port), str(room), *_] if (
            len(key) == KEY_BYTES and port in _PORTS and len(room) <= MAX_ROOM
        ):
            return Card(key=key, port=port, room=room)
        case _:
            raise ProtocolError("message_invalid")


def pack_listing(listing: Listing, signer: Signer) -> bytes:
    """Sign what is here of a lesson."""
    files: list[Wire] = [
        [one.path, _octets(one.digest), one.size_bytes, _octets(one.marks)]
        for one in listing.files[:MAX_FILES]
    ]
    coming: list[Wire] = [
        [one.path, one.age_ms, one.bytes_done] for one in listing.coming[:MAX_FILES]
    ]
    body = encode([FORMAT, signer.public_key, listing.lesson, files, coming])
    return encode([FORMAT, body, signer.sign(_SIGNED + body)])


def read_listing(data: bytes, lesson: LessonId, verify: Verify) -> Listing:
    """Read what somebody signed of a lesson (NR1, NR2). Whose key it is, is for the caller.

    Raises:
        ProtocolError: `too_large`, `not_canonical`, `version_unknown`, `message_invalid` or
            `signature_bad`.
    """
    match _row(data, MAX_LISTING_BYTES):
        case [bytes(body), bytes(signature), *_]:
            match _row(body, MAX_LISTING_BYTES):
                case [bytes(key), str(of), list(files), list(coming), *_] if (
                    of == lesson and max(len(files), len(coming)) <= MAX_FILES
                ):
                    listing = Listing(
                        key=key,
                        lesson=lesson,
                        files=tuple(map(_file, files)),
                        coming=tuple(map(_coming, coming)),
                    )
                case _:
                    raise ProtocolError("message_invalid")
            if not verify(key, signature, _SIGNED + body):
                raise ProtocolError("signature_bad")
            return listing
        case _:
            raise ProtocolError("message_invalid")


def pack_heads(heads: Sequence[tuple[bytes, bytes]]) -> bytes:
    """Give heads of editions, each behind the key of its hub."""
    rows: list[Wire] = [[key, head] for key, head in heads[:MAX_HEADS]]
    return encode([FORMAT, rows])


def read_heads(data: bytes) -> dict[bytes, bytes]:
    """Read heads by the keys of their hubs; each still has to prove itself (NR1).

    Raises:
        ProtocolError: As `read_listing`.
    """
    found: dict[bytes, bytes] = {}
    match _row(data, MAX_HEADS_BYTES):
        case [list(rows), *_]:
            for row in rows:
                match row:
                    case [bytes(key), bytes(head)]:
                        found[key] = head
                    case _:
                        raise ProtocolError("message_invalid")
        case _:
            raise ProtocolError("message_invalid")
    return found


def pack_marks(marks: Marks) -> bytes:
    """Give what a film was made of."""
    rows: list[Wire] = [[one.length, bytes.fromhex(one.sha256)] for one in marks.stretches]
    return encode([FORMAT, marks.playlist, rows])


def read_marks(data: bytes) -> Marks:
    """Read what a film was made of (NR1).

    Raises:
        ProtocolError: As `read_listing`.
    """
    match _row(data, MAX_MARKS_BYTES):
        case [bytes(playlist), list(rows), *_]:
            return Marks(playlist=playlist, stretches=tuple(map(_mark, rows)))
        case _:
            raise ProtocolError("message_invalid")


def digest_of(data: bytes) -> Digest:
    """Name bytes."""
    return Digest(hashlib.sha256(data).hexdigest())


def _row(data: bytes, most: int) -> list[Wire]:
    match decode_array(data, max_bytes=most):
        case [int(number), *_] if number != FORMAT:
            raise ProtocolError("version_unknown")
        case [int(_), *rest]:
            return rest
        case _:
            raise ProtocolError("message_invalid")


def _file(wire: Wire) -> NearFile:
    match wire:
        case [str(path), bytes(digest), int(size), bytes(marks)] if (
            len(digest) == _HASH_BYTES
            and len(marks) in (0, _HASH_BYTES)
            and 0 <= size <= MAX_FILE_BYTES
        ):
            return NearFile(
                path=path,
                digest=Digest(digest.hex()),
                size_bytes=size,
                marks=Digest(marks.hex()),
            )
        case _:
            raise ProtocolError("message_invalid")


def _coming(wire: Wire) -> Coming:
    match wire:
        case [str(path), int(age), int(done)] if min(age, done) >= 0:
            return Coming(path=path, age_ms=age, bytes_done=done)
        case _:
            raise ProtocolError("message_invalid")


def _mark(wire: Wire) -> Mark:
    match wire:
        case [int(length), bytes(sha256)] if (
            0 < length <= MAX_STRETCH_BYTES and len(sha256) == _HASH_BYTES
        ):
            return Mark(length=length, sha256=sha256.hex())
        case _:
            raise ProtocolError("message_invalid")


def _octets(digest: Digest) -> bytes:
    return bytes.fromhex(digest)
