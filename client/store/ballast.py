"""Room kept back on the disk, so that recording goes on when everything else has filled it.

Invariants:
  BA1  Recording never waits for it: it is laid behind the start, and only where there is plenty.
  BA2  It is given up once, when the disk refuses, and laid again at a later start.
"""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SIZE_BYTES: Final = 16 * 1024 * 1024
"""More than a school of six classes records in two years."""
PLENTY: Final = 8
"""It is laid where so many times its size are free."""
LITTLE: Final = 2
"""Without it, less than so many times its size is little."""
_PIECE: Final = bytes(1024 * 1024)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ballast:
    """One file of real blocks."""

    path: Path
    size_bytes: int = SIZE_BYTES

    def lay(self) -> bool:
        """Write it if it is not there and there is plenty of room. Blocking.

        Returns:
            Whether it is there now.
        """
        try:
            if self.path.exists() and self.path.stat().st_size >= self.size_bytes:
                return True
            if shutil.disk_usage(self.path.parent).free < PLENTY * self.size_bytes:
                return False
            with self.path.open("wb") as file:
                # Zeros would do, but some file systems keep no blocks for them.
                for _ in range(self.size_bytes // len(_PIECE)):
                    file.write(os.urandom(len(_PIECE)))
        except OSError:
            self.path.unlink(missing_ok=True)
            return False
        return True

    def is_low(self) -> bool:
        """Tell whether it is gone and little room is left besides. Blocking."""
        try:
            free_bytes = shutil.disk_usage(self.path.parent).free
        except OSError:
            return False
        return not self.path.exists() and free_bytes < LITTLE * self.size_bytes

    def drop(self) -> bool:
        """Give its room back; False when there was none."""
        try:
            self.path.unlink()
        except OSError:
            return False
        return True
