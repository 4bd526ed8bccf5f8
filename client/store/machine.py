"""Which machine this is: three marks of the hardware, never stored but as salted digests.

Invariants:
  MA1  What is written down tells nothing about the machine to anybody who does not have it.
  MA2  A mark that cannot be read now or could not be read then says nothing.
"""

import contextlib
import hashlib
import secrets
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Final

Marks = tuple[str, ...]
"""Installation, board, network card; empty where the system does not tell."""

OTHER: Final = 2
"""So many marks differ on another machine; one may be a new network card."""
_SALT_BYTES: Final = 8
_DIGEST_BYTES: Final = 8
_MULTICAST: Final = 1 << 40
"""Set where the system knew no address and a random one was made up."""


def read_marks(root: Path = Path("/")) -> Marks:
    """Read the marks of this machine. Blocking, some milliseconds."""
    return (
        _first_line(root / "etc/machine-id") or _guid(),
        _first_line(root / "sys/class/dmi/id/product_uuid"),
        _address(root / "sys/class/net"),
    )


def describe(marks: Marks, salt: bytes = b"") -> str:
    """Give the salted digests of marks as one word (MA1)."""
    salt = salt or secrets.token_bytes(_SALT_BYTES)
    return ":".join((salt.hex(), *(_digest(salt, mark) for mark in marks)))


def is_other(described: str, marks: Marks) -> bool:
    """Tell whether `marks` are those of another machine than the one that was described."""
    salt, *then = described.split(":")
    now = describe(marks, bytes.fromhex(salt)).split(":")[1:]
    return sum(bool(a and b and a != b) for a, b in zip(then, now, strict=False)) >= OTHER


def machine_name(marks: Sequence[str], public_key: bytes) -> bytes:
    """Name this machine to a hub, which sees no more than whether two names are equal."""
    return hashlib.sha256(public_key + "\0".join(marks).encode()).digest()[:_DIGEST_BYTES]


def _digest(salt: bytes, mark: str) -> str:
    if not mark:
        return ""
    return hashlib.sha256(salt + mark.encode()).digest()[:_DIGEST_BYTES].hex()


def _first_line(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""


def _guid() -> str:
    if sys.platform == "win32":
        import winreg  # noqa: PLC0415 - only there

        name = r"SOFTWARE\Microsoft\Cryptography"
        with contextlib.suppress(OSError), winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, name) as key:
            return str(winreg.QueryValueEx(key, "MachineGuid")[0])
    return ""


def _address(folder: Path) -> str:
    """Return the address of a real network card, the smallest one."""
    if folder.exists():
        cards = (path for path in folder.iterdir() if (path / "device").exists())
        return min(filter(None, (_first_line(card / "address") for card in cards)), default="")
    node = uuid.getnode()
    return "" if node & _MULTICAST else f"{node:012x}"
