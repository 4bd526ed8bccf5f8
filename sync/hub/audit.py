"""audit.log: one line of JSON for each thing that was decided about a node or a code.

Invariants:
  U1  A line that `note` wrote is on the disk when it returns; a line is whole or not there.
  U2  The file is bounded: at 4 MiB it becomes `audit.old.log`, replacing the one before.
  U3  No class fact, code or key stands in it: only names that people gave, short names and codes
      of messages.
"""

import json
import os
import threading
from pathlib import Path
from typing import Final

from client.domain.clock import Clock
from client.store.durable import move_file

NAME: Final = "audit.log"
_OLD: Final = "audit.old.log"
_MAX_BYTES: Final = 4 << 20
_MODE: Final = 0o600


class AuditFile:
    """See `sync.hub.ports.Audit`. Several processes may append.

    Args:
        folder: The hub's data folder.
        clock: Dates the lines, as evidence.
    """

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._path = folder / NAME
        self._clock = clock
        self._gate = threading.Lock()

    def note(self, what: str, **values: str) -> None:
        """See the port."""
        at = self._clock.wall().isoformat(timespec="seconds")
        line = json.dumps({"at": at, "what": what, **values}, ensure_ascii=False)
        with self._gate:
            if self._path.exists() and self._path.stat().st_size > _MAX_BYTES:
                move_file(self._path, self._path.with_name(_OLD))
            handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, _MODE)
            try:
                # One call to write: lines of two processes do not mix.
                os.write(handle, f"{line}\n".encode())
                os.fsync(handle)
            finally:
                os.close(handle)
