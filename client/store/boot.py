"""Which start of the machine this is, where the system tells."""

from pathlib import Path
from typing import Final

_LINUX: Final = Path("/proc/sys/kernel/random/boot_id")


def boot_key(path: Path = _LINUX) -> str:
    """Return a word that is the same until the machine starts again, empty where unknown."""
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
