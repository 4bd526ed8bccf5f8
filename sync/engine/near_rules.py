"""What may be passed on to other PCs, what is believed of them, and when to wait: pure decisions.

What a room passes on of a file it holds; the first line that fits decides:

    | the file                                                 | is passed on       |
    |----------------------------------------------------------|--------------------|
    | its lesson was withdrawn                                 | no: `withdrawn`    |
    | protected                                                | no: `protected`    |
    | whoever gave it said that it is not to be handed on      | no: `not_to_relay` |
    | its bytes have the digest that somebody signed or told   | yes                |
    | a film of the platform whose stretches are known         | yes, as observed   |
    | any other                                                | no: `observed`     |

What a room takes of it; `told` is what its own hubs signed, the rest stands in its own catalogue:

    | it knows                        | and takes                                | grade    |
    |---------------------------------|------------------------------------------|----------|
    | a digest that was told          | that digest, from anybody                | ATTESTED |
    | the publisher's MD5 and length  | that length, from anybody, checked by it | ATTESTED |
    | the length of a film            | stretches that a known PC signed         | OBSERVED |
    | less                            | nothing                                  |          |

Invariants:
  NU1  Nothing protected, withdrawn or not to be handed on is passed on, whatever else holds.
  NU2  Nothing is taken that neither proves itself nor is signed by a PC that this room knows.
  NU3  A start is put off by less than `SPREAD_S`, by the same time for the same PC and lesson.
  NU4  Of two PCs that began the same file the one that began later waits; nobody waits longer than
       `MOST_WAIT_S`, for a stranger `STRANGER_S`, nor than `STALL_S` for one that gets nothing.
"""

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from client.domain.availability import Decodes, Trust
from client.domain.catalogue import FileUse, RemoteFile
from client.domain.holding import Blob
from client.domain.ids import Digest, LessonId
from sync.protocol.near import Coming, NearFile
from sync.source.folder import NO_RELAY

SPREAD_S: Final = 8.0
"""PCs that want the same lesson at the same moment begin within so many seconds."""
MOST_WAIT_S: Final = 6 * 3600.0
"""A film takes as long over a satellite; who says so is known, and gets somewhere."""
STRANGER_S: Final = 600.0
STALL_S: Final = 60.0


def why_not(file: RemoteFile, blob: Blob, *, is_withdrawn: bool, has_marks: bool) -> str:
    """Say by a code why a file is not passed on, empty if it is: the first table (NU1)."""
    is_stream = file.use is FileUse.RENDITION and blob.decodes is Decodes.YES and has_marks
    table = (
        (is_withdrawn, "withdrawn"),
        (file.is_protected, "protected"),
        (NO_RELAY in file.flags, "not_to_relay"),
        (blob.trust is Trust.ATTESTED, ""),
        (is_stream, ""),
    )
    return next((why for fits, why in table if fits), "observed")


class Proof(Enum):
    """By what a file of another PC is known to be the right one."""

    DIGEST = "digest"
    MD5 = "md5"
    SIGNED = "signed"


def proof_of(
    file: RemoteFile, told: Collection[Digest], one: NearFile, *, is_known: bool
) -> Proof | None:
    """Say how an offered file proves itself, None if it is not taken: the second table (NU2).

    Args:
        file: What is wanted, as the own catalogue has it.
        told: Digests that hubs of this room signed for it.
        one: What is offered.
        is_known: Whether the key that signed the offer is one of this school.
    """
    if told:
        return Proof.DIGEST if one.digest in told else None
    if file.use is FileUse.RENDITION:
        fits = bool(one.marks) and one.size_bytes == file.total_bytes
        return Proof.SIGNED if fits and is_known else None
    fits = bool(file.md5) and bool(file.size_bytes) and one.size_bytes == file.size_bytes
    return Proof.MD5 if fits else None


def start_delay_s(node: bytes, lesson: LessonId) -> float:
    """Choose how long to wait before a lesson is brought over the link (NU3)."""
    drawn = hashlib.sha256(node + lesson.encode()).digest()[:8]
    return SPREAD_S * int.from_bytes(drawn, "big") / 2**64


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """What is remembered while another PC brings a file. Monotonic seconds."""

    since_s: float
    grew_s: float
    bytes_done: int


def waited(known: Wait | None, bytes_done: int, now_s: float) -> Wait:
    """Note how far the other one is now."""
    if known is None:
        return Wait(since_s=now_s, grew_s=now_s, bytes_done=bytes_done)
    if bytes_done > known.bytes_done:
        return replace(known, grew_s=now_s, bytes_done=bytes_done)
    return known


def may_wait(wait: Wait, now_s: float, *, is_known: bool) -> bool:
    """Tell whether waiting for a PC of this school, or for a stranger, goes on (NU4)."""
    most_s = MOST_WAIT_S if is_known else STRANGER_S
    return now_s - wait.since_s < most_s and now_s - wait.grew_s < STALL_S


def first_of(coming: Iterable[Coming], own_age_ms: int) -> Coming | None:
    """Give whoever began a file before this PC did, the oldest; None if nobody (NU4)."""
    before = (one for one in coming if one.age_ms > own_age_ms)
    return max(before, key=lambda one: one.age_ms, default=None)
