"""Renaming and deleting files that another program may hold open for a moment.

On Windows a scanner that looks at a new file, or a player that shows one, keeps it from being
renamed or deleted while it does. Elsewhere such a refusal is rare, and waiting for it does no harm.

Invariants:
  LK1  A refusal is met by trying again, a few times and for no more than two seconds; then the
       last one is raised, and the files are as they were.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from client.domain.cancel import CancelToken

T = TypeVar("T")

PAUSES_S: Final = (0.05, 0.1, 0.2, 0.4, 0.8)


def patiently(act: Callable[[], T]) -> T:
    """Do something to a file, again while another program holds it (LK1).

    Raises:
        PermissionError: It is still held, or may never be touched.
        OSError: Anything else, at once.
    """
    for pause_s in PAUSES_S:
        try:
            return act()
        except PermissionError:
            CancelToken().sleep(pause_s)
    return act()


def replace(source: Path, target: Path) -> None:
    """Rename `source` to `target`, replacing it (LK1)."""
    patiently(lambda: source.replace(target))


def unlink(path: Path) -> None:
    """Delete a file; one that is gone is no error (LK1)."""
    patiently(lambda: path.unlink(missing_ok=True))
