"""Named places where a test may end the process as a power cut would.

`TONGKE_FAILPOINT=NAME:N` kills the process when it passes NAME for the N-th time; nothing is
flushed, closed or told. Without the variable a fail-point costs one comparison.

Invariants:
  X1  Each name stands in one of the `POINTS`, so that a test can loop over all of them.
  X2  Unless the variable names it, a fail-point has no effect.
"""

import os
import signal
import threading
from typing import Final

VARIABLE: Final = "TONGKE_FAILPOINT"

POINTS: Final = (
    "grow.after_write",
    "grow.after_mark",
    "blob.before_rename",
    "blob.after_rename",
    "blob.after_folder",
    "sidecar.before_rename",
    "sidecar.after_rename",
    "holding.after_row",
    "fetch.after_playlist",
    "fetch.after_segment",
    "fetch.after_append",
    "fetch.after_probe",
)
"""Fail-points of fetching and keeping, in the order a fetch passes them."""

JOURNAL_POINTS: Final = (
    "journal.before_commit",
    "journal.after_commit",
    "backup.before_rename",
    "backup.between_renames",
    "repair.before_rename",
    "repair.after_rename",
)
"""Fail-points of recording and of repairing the record."""

COURIER_POINTS: Final = (
    "arrive.after_write",
    "arrive.after_sync",
    "courier.after_file",
    "courier.after_lesson",
    "courier.before_index",
)
"""Fail-points of taking in from a stick and of packing one."""

PURGE_POINTS: Final = ("purge.after_mark", "purge.after_rows", "purge.after_files")
"""Fail-points of taking a lesson off the machine."""

ROSTER_POINTS: Final = ("roster.before_rename",)
"""Fail-points of restoring a roster."""

PUBLISH_POINTS: Final = (
    "content.before_object",
    "content.before_head",
    "content.after_head",
)
"""Fail-points of publishing an edition."""


class _Trigger:
    """What the environment asks for."""

    def __init__(self, text: str) -> None:
        name, _, count = text.partition(":")
        self.name = name
        self._left = int(count) if count.isdigit() else 1
        self._gate = threading.Lock()

    def pull(self) -> None:
        """Count one passage, and die at the one that was asked for."""
        with self._gate:
            self._left -= 1
            if self._left > 0:
                return
        if hasattr(signal, "SIGKILL"):
            os.kill(os.getpid(), signal.SIGKILL)
        os._exit(137)


_TRIGGER: Final = _Trigger(os.environ.get(VARIABLE, ""))


def failpoint(name: str) -> None:
    """Die here if a test asked for it. May be called from any thread."""
    if name == _TRIGGER.name:
        _TRIGGER.pull()
