"""A name for the hardware this runs on, so that a hub can tell a copy of a disk from its original.

Invariants:
  MA1  The name is salted: it says nothing of the machine to anybody, and two schools' hubs cannot
       compare what they were told.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

NAME_BYTES: Final = 8
_DOMAIN: Final = b"tongke/machine/1"
_NETWORK: Final = Path("/sys/class/net")


def machine_name(salt: bytes, marks: tuple[str, ...] | None = None) -> bytes:
    """Name this machine, 8 bytes.

    Args:
        salt: What the name is for: a key that is sent beside it anyway.
        marks: What tells machines apart; None: the addresses of what is built in.
    """
    found = tuple(sorted(network_marks(_NETWORK))) if marks is None else marks
    said = "\n".join(found).encode()
    return hashlib.sha256(_DOMAIN + salt + said).digest()[:NAME_BYTES]


def network_marks(folder: Path) -> Iterator[str]:
    """Yield addresses of network devices that sit on the board, where the system tells."""
    if not folder.is_dir():
        return
    for device in folder.iterdir():
        # A card that can be pulled out says nothing about the machine it sits in.
        link = device / "device"
        if link.exists() and "usb" not in str(link.resolve()):
            try:
                yield (device / "address").read_text(encoding="ascii").strip()
            except (OSError, ValueError):
                continue
