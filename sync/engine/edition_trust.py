"""Whether an edition is to be believed, and whether its hub fell silent: pure decisions.

    | head, signed by the pinned key                     | verdict    |
    |----------------------------------------------------|------------|
    | none was known, or its number is greater           | NEWER      |
    | the number that is known, and the same rows        | SAME       |
    | the number that is known, and anything else        | MIXED      |
    | a smaller number                                   | ROLLBACK   |

A head's time lifts the floor under what time it can be, and nothing else: no edition runs out, and
none comes back, because a clock says so. That a hub has nothing newer is told after 30 days during
which this machine ran.

Invariants:
  ET1  What is known never goes back: neither the number nor the floor of time.
  ET2  Two heads of one number with different rows are never both believed.
  ET3  Silence is counted in running time; no clock on the wall makes it longer or shorter.
"""

from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from client.domain.canon import decode_array, encode
from client.domain.errors import ProtocolError
from client.domain.ids import Digest
from sync.protocol.edition import Head

FROZEN_MS: Final = 30 * 86_400_000
"""Running time without a newer head after which it is told."""
_HASH_BYTES: Final = 32
_NONE: Final = Digest("")


class Verdict(Enum):
    """What a head is beside the one known."""

    NEWER = "newer"
    SAME = "same"
    MIXED = "edition_mixed"
    ROLLBACK = "edition_rollback"

    @property
    def is_believed(self) -> bool:
        """Tell whether it may be used; the values of the others are message codes."""
        return self in (Verdict.NEWER, Verdict.SAME)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a room knows of a hub's editions. The numbers are 0 and the digest empty at first."""

    number: int = 0
    rows_digest: Digest = _NONE
    floor_ms: int = 0
    """It is not earlier than this, Unix milliseconds."""
    silent_ms: int = 0
    """Running time since the newest head came."""
    boot: int = 0
    mono_ms: int = 0
    """Until when running time was counted: which start of the machine, and when in it."""


def judge(known: Known, head: Head) -> Verdict:
    """Compare a head with what is known: the table of the module."""
    if head.number > known.number:
        return Verdict.NEWER
    if head.number < known.number:
        return Verdict.ROLLBACK
    return Verdict.SAME if head.rows_digest == known.rows_digest else Verdict.MIXED


def believed(known: Known, head: Head) -> Known:
    """Take over a head that was judged NEWER or SAME (ET1)."""
    fresh = head.number > known.number
    return replace(
        known,
        number=head.number,
        rows_digest=head.rows_digest,
        floor_ms=max(known.floor_ms, head.signed_ms),
        silent_ms=0 if fresh else known.silent_ms,
    )


def passed(known: Known, boot: int, mono_ms: int) -> Known:
    """Count the running time until now (ET3).

    In another start of the machine only what has passed since it began is sure.

    Args:
        known: So far.
        boot: Which start of the machine it is.
        mono_ms: Milliseconds since it began.
    """
    since = mono_ms - known.mono_ms if boot == known.boot else mono_ms
    if not known.boot:
        since = 0
    return replace(
        known, silent_ms=known.silent_ms + max(0, since), boot=boot, mono_ms=max(0, mono_ms)
    )


def is_frozen(known: Known) -> bool:
    """Tell whether the hub should have had something newer by now."""
    return known.number > 0 and known.silent_ms >= FROZEN_MS


def pack_known(known: Known) -> bytes:
    """Give what is known as bytes to keep."""
    times = (known.floor_ms, known.silent_ms, known.boot, known.mono_ms)
    return encode([known.number, bytes.fromhex(known.rows_digest), *times])


def read_known(data: bytes) -> Known:
    """Read what was kept; nothing is known where it cannot be read."""
    try:
        match decode_array(data):
            case [
                int(number),
                bytes(digest),
                int(floor_ms),
                int(silent_ms),
                int(boot),
                int(mono_ms),
            ] if len(digest) in (0, _HASH_BYTES):
                return Known(
                    number=number,
                    rows_digest=Digest(digest.hex()),
                    floor_ms=floor_ms,
                    silent_ms=silent_ms,
                    boot=boot,
                    mono_ms=mono_ms,
                )
    except ProtocolError:
        pass
    return Known()
