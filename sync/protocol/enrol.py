"""Enrolment: how a room and a hub that share a code come to know each other's keys.

    hello   = [1, hub key, certificate of the hub's authority (DER, empty without TLS), hub name]
    request = [1, node key, nonce, machine, school, room, proof, signature]
    reply   = [1, site, school, proof, signature]

Both proofs are HMAC-SHA256 under a key that only the code gives, over everything that was said:

    told    = [1, hub key, SHA-256(certificate), node key, nonce, machine, school, room]
    granted = told + [site, school]

Whoever sits between cannot put another key or certificate in its place without the code, so neither
side needs to trust the connection. A code holds 84 bits: trying cannot find it.

Invariants:
  E1  A proof holds for exactly one hub key, certificate, node key, nonce, machine, school and room,
      and for one direction.
  E2  One wrong letter, or two that changed places, make a code invalid before it is sent.
  E3  Reading is bounded; hostile bytes end in `ProtocolError` and nothing else.
"""

import hashlib
import hmac
import secrets
import unicodedata
from dataclasses import dataclass
from typing import Final

from client.domain.canon import Wire, decode_array, encode
from client.domain.errors import ProtocolError, UserError
from client.domain.signer import Signer, Verify
from sync.protocol.exchange import FORMAT, NAME_BYTES

LETTERS: Final = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""31 signs, none of which looks like another. A prime, so that E2 is plain arithmetic."""
CODE_LETTERS: Final = 18
"""17 that are drawn (84 bits) and one that checks them."""
_GROUP: Final = 6

MAX_HELLO_BYTES: Final = 8 * 1024
MAX_ENROL_BYTES: Final = 4 * 1024
MAX_NAME: Final = 120
"""Characters of the name of a school or a room."""
KEY_BYTES: Final = 32
NONCE_BYTES: Final = 16
_CODE: Final = b"tongke/code/1"
_SITE: Final = b"tongke/site/1"
_ASKED: Final = b"tongke/enrol/request/1"
_GRANTED: Final = b"tongke/enrol/reply/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """What a hub says to anybody. Nothing of it is believed before enrolment proved it."""

    key: bytes
    certificate: bytes
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Applicant:
    """Who asks to be enrolled, and as what."""

    key: bytes
    nonce: bytes
    """Sixteen random bytes, new for each attempt."""
    machine: bytes
    school: str
    room: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a hub decided: the school under which it knows the applicant."""

    site: bytes
    school: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolRequest:
    """A request that was read and not yet believed."""

    applicant: Applicant
    proof: bytes
    signature: bytes


def make_code() -> str:
    """Draw a code, written in groups of six letters with dashes between them."""
    drawn = [secrets.randbelow(len(LETTERS)) for _ in range(CODE_LETTERS - 1)]
    text = "".join(LETTERS[n] for n in (*drawn, _check_number(drawn)))
    return "-".join(text[at : at + _GROUP] for at in range(0, CODE_LETTERS, _GROUP))


def code_key(code: str) -> bytes:
    """Derive the key of proofs from a code as somebody typed it.

    Raises:
        UserError: `code_invalid`: it is mistyped.
    """
    plain = unicodedata.normalize("NFKC", code).upper()
    letters = "".join(letter for letter in plain if letter not in "- \t\r\n")
    numbers = [LETTERS.find(letter) for letter in letters]
    if len(numbers) != CODE_LETTERS or -1 in numbers or _check_number(numbers[:-1]) != numbers[-1]:
        raise UserError("code_invalid")
    return hashlib.sha256(_CODE + letters.encode("ascii")).digest()


def site_of(school: str) -> bytes:
    """Name a school: every hub gives the same name to the same words."""
    plain = " ".join(unicodedata.normalize("NFKC", school).split())
    return hashlib.sha256(_SITE + plain.encode()).digest()[:NAME_BYTES]


def pack_hello(hello: Hello) -> bytes:
    """Give the bytes of a hello."""
    return encode([FORMAT, hello.key, hello.certificate, hello.name])


def read_hello(data: bytes) -> Hello:
    """Read what a hub says of itself.

    Raises:
        ProtocolError: `not_canonical`, `message_invalid`, `too_large` or `version_unknown`.
    """
    match _row(data, MAX_HELLO_BYTES):
        case [bytes(key), bytes(certificate), str(name), *_] if (
            len(key) == KEY_BYTES and len(name) <= MAX_NAME
        ):
            return Hello(key=key, certificate=certificate, name=name)
        case _:
            raise ProtocolError("message_invalid")


def pack_enrol(applicant: Applicant, hello: Hello, key: bytes, signer: Signer) -> bytes:
    """Ask a hub to enrol this node. `key` is `code_key` of the code that people were given."""
    told = encode(_told(applicant, hello))
    proof = _proof(key, _ASKED, told)
    row = _applicant_row(applicant)
    return encode([FORMAT, *row, proof, signer.sign(_ASKED + told + proof)])


def read_enrol(data: bytes) -> EnrolRequest:
    """Read a request for enrolment without believing it.

    Raises:
        ProtocolError: `not_canonical`, `message_invalid`, `too_large` or `version_unknown`.
    """
    match _row(data, MAX_ENROL_BYTES):
        case [
            bytes(key),
            bytes(nonce),
            bytes(machine),
            str(school),
            str(room),
            bytes(proof),
            bytes(signature),
            *_,
        ] if (
            (len(key), len(nonce), len(machine)) == (KEY_BYTES, NONCE_BYTES, NAME_BYTES)
            and 0 < len(school) <= MAX_NAME
            and len(room) <= MAX_NAME
        ):
            return EnrolRequest(
                applicant=Applicant(
                    key=key, nonce=nonce, machine=machine, school=school, room=room
                ),
                proof=proof,
                signature=signature,
            )
        case _:
            raise ProtocolError("message_invalid")


def is_proven(request: EnrolRequest, hello: Hello, key: bytes) -> bool:
    """Tell whether the applicant knows the code with this key and means this hub (E1)."""
    told = encode(_told(request.applicant, hello))
    return hmac.compare_digest(request.proof, _proof(key, _ASKED, told))


def check_applicant(request: EnrolRequest, hello: Hello, verify: Verify) -> None:
    """Check that the applicant owns the key it wants enrolled.

    Raises:
        ProtocolError: `signature_bad`.
    """
    told = encode(_told(request.applicant, hello))
    if not verify(request.applicant.key, request.signature, _ASKED + told + request.proof):
        raise ProtocolError("signature_bad")


def pack_grant(
    grant: Grant, applicant: Applicant, hello: Hello, key: bytes, signer: Signer
) -> bytes:
    """Tell an applicant that it is enrolled."""
    granted = _granted(grant, applicant, hello)
    proof = _proof(key, _GRANTED, granted)
    signature = signer.sign(_GRANTED + granted + proof)
    return encode([FORMAT, grant.site, grant.school, proof, signature])


def open_grant(
    data: bytes, applicant: Applicant, hello: Hello, key: bytes, verify: Verify
) -> Grant:
    """Read the hub's answer; the hub's key and certificate may be pinned once this returns.

    Raises:
        ProtocolError: `proof_bad` (whoever answered does not know the code), `signature_bad`,
            `not_canonical`, `message_invalid`, `too_large` or `version_unknown`.
    """
    match _row(data, MAX_ENROL_BYTES):
        case [bytes(site), str(school), bytes(proof), bytes(signature), *_] if (
            len(site) in (0, NAME_BYTES) and len(school) <= MAX_NAME
        ):
            grant = Grant(site=site, school=school)
            granted = _granted(grant, applicant, hello)
            if not hmac.compare_digest(proof, _proof(key, _GRANTED, granted)):
                raise ProtocolError("proof_bad")
            if not verify(hello.key, signature, _GRANTED + granted + proof):
                raise ProtocolError("signature_bad")
            return grant
        case _:
            raise ProtocolError("message_invalid")


def _applicant_row(applicant: Applicant) -> list[Wire]:
    return [
        applicant.key,
        applicant.nonce,
        applicant.machine,
        applicant.school,
        applicant.room,
    ]


def _told(applicant: Applicant, hello: Hello) -> list[Wire]:
    authority = hashlib.sha256(hello.certificate).digest()
    return [FORMAT, hello.key, authority, *_applicant_row(applicant)]


def _granted(grant: Grant, applicant: Applicant, hello: Hello) -> bytes:
    return encode([*_told(applicant, hello), grant.site, grant.school])


def _proof(key: bytes, domain: bytes, said: bytes) -> bytes:
    return hmac.digest(key, domain + said, "sha256")


def _check_number(numbers: list[int]) -> int:
    """Weigh each place with another number: no wrong letter and no swap keeps the sum (E2)."""
    return sum(place * number for place, number in enumerate(numbers, 1)) % len(LETTERS)


def _row(data: bytes, max_bytes: int) -> list[Wire]:
    version, *row = decode_array(data, max_bytes=max_bytes) or [0]
    if version != FORMAT:
        raise ProtocolError("version_unknown")
    return row
