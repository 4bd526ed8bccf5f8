"""What a room knows of a hub's editions, and whether that hub fell silent. Pure.

That a hub has nothing newer is told after 30 days during which this machine ran.

Invariants:
  EK1  Silence is counted in running time; no clock on the wall makes it longer or shorter.
  EK2  What was kept and cannot be read is nothing known, never an error.
"""

from dataclasses import dataclass, replace
from typing import Final

from client.domain.canon import decode_array, encode
from client.domain.errors import ProtocolError
from client.domain.ids import Digest

FROZEN_MS: Final = 30 * 86_400_000
"""Running time without a newer head after which it is told."""
_HASH_BYTES: Final = 32
_NONE: Final = Digest("")


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a room knows of a hub's editions. The numbers are 0 and the digest empty at first."""

    number: int = 0
    rows_digest: Digest = _NONE
    list_digest: Digest = _NONE
    """Of its list of withdrawals, empty where it has none."""
    floor_ms: int = 0
    """It is not earlier than this, Unix milliseconds."""
    silent_ms: int = 0
    """Running time since the newest head came."""
    boot: int = 0
    mono_ms: int = 0
    """Until when running time was counted: which start of the machine, and when in it."""


def passed(known: Known, boot: int, mono_ms: int) -> Known:
    """Count the running time until now (EK1).

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
    digests = (bytes.fromhex(known.rows_digest), bytes.fromhex(known.list_digest))
    times = (known.floor_ms, known.silent_ms, known.boot, known.mono_ms)
    return encode([known.number, *digests, *times])


def read_known(data: bytes) -> Known:
    """Read what was kept (EK2)."""
    try:
        match decode_array(data):
            case [
                int(number),
                bytes(rows),
                bytes(listed),
                int(floor_ms),
                int(silent_ms),
                int(boot),
                int(mono_ms),
            ] if {len(rows), len(listed)} <= {0, _HASH_BYTES}:
                return Known(
                    number=number,
                    rows_digest=Digest(rows.hex()),
                    list_digest=Digest(listed.hex()),
                    floor_ms=floor_ms,
                    silent_ms=silent_ms,
                    boot=boot,
                    mono_ms=mono_ms,
                )
    except ProtocolError:
        pass
    return Known()
