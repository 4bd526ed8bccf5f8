"""Reading every file again while nothing else happens, so that rot is found before a class.

Files are gone through by their digests, round after round; the place is a local value of this
machine. So the file that was checked longest ago is always the next, whatever a clock says.

Invariants:
  SC1  It never reads while a class is on or something is fetched, and stops within one MiB.
  SC2  It reads at most `BYTES_PER_S`.
  SC3  A bad file is set aside at once, and its lessons are named to be fetched again; a file that
       was not read to its end is read again.
"""

import threading
from collections.abc import Callable
from typing import Final

from client.domain.cancel import CancelToken
from client.domain.clock import Clock
from client.domain.errors import Cancelled, StorageError
from client.domain.ids import LessonId
from client.service.room import RoomService
from client.store.holding_store import HoldingStore

BYTES_PER_S: Final = 5 * 1000 * 1000
FIRST_S: Final = 60.0
"""Wait after the start, so that the first page has the disk for itself."""
ROUND_S: Final = 6 * 3600.0
"""Rest after a round, in monotonic seconds."""
_LOOK_S: Final = 10.0
"""How often it is asked whether all is quiet."""
_PLACE: Final = "scrub.place"


class Scrubber:
    """See the module. `begin` starts a thread; `rest` and `go_on` come from any thread."""

    def __init__(self, holdings: HoldingStore, room: RoomService, clock: Clock) -> None:
        self._holdings: Final = holdings
        self._room: Final = room
        self._clock: Final = clock
        self._wake = threading.Condition()
        self._is_resting = False
        self._is_closed = False
        self._cancel = CancelToken()
        self._thread: threading.Thread | None = None

    def begin(self, is_idle: Callable[[], bool], lost: Callable[[LessonId], None]) -> None:
        """Check files from now on. Call it once.

        Args:
            is_idle: Tells whether nothing is fetched; any thread, returns at once.
            lost: Told each lesson that lacks a file now; any thread, returns at once.
        """
        self._thread = threading.Thread(
            target=self._run, args=(is_idle, lost), name="scrub", daemon=True
        )
        self._thread.start()

    def rest(self) -> None:
        """Read nothing until `go_on`: a class is on."""
        with self._wake:
            self._is_resting = True
            self._cancel.cancel()

    def go_on(self) -> None:
        """Read again."""
        with self._wake:
            self._is_resting = False
            self._wake.notify_all()

    def close(self) -> None:
        """Stop at once. Idempotent."""
        with self._wake:
            self._is_closed = True
            self._cancel.cancel()
            self._wake.notify_all()
        if self._thread is not None:
            self._thread.join()

    def step(self, is_idle: Callable[[], bool], lost: Callable[[LessonId], None]) -> float:
        """Check one file, if all is quiet (SC1 to SC3). Blocking.

        Returns:
            Seconds until the next one.
        """
        with self._wake:
            self._cancel = CancelToken()
            if self._is_closed or self._is_resting or not is_idle():
                return _LOOK_S
        blob = self._holdings.next_blob(self._room.local(_PLACE))
        if blob is None:
            self._room.set_local(_PLACE, "").result()
            return ROUND_S
        at = self._clock.wall().isoformat(timespec="seconds")
        pace = Pace(self._clock, self._cancel, is_idle)
        try:
            found = self._holdings.check(blob, self._cancel, at, pace.read)
        except Cancelled:
            return _LOOK_S
        self._room.set_local(_PLACE, blob.digest).result()
        for lesson in {lesson for lesson, _, _ in found or ()}:
            lost(lesson)
        return 0.0

    def _run(self, is_idle: Callable[[], bool], lost: Callable[[LessonId], None]) -> None:
        wait_s = FIRST_S
        while not self._is_over(wait_s):
            try:
                wait_s = self.step(is_idle, lost)
            except StorageError:
                wait_s = ROUND_S  # a disk that refuses says so elsewhere

    def _is_over(self, wait_s: float) -> bool:
        """Wait so long, or until it is closed."""
        with self._wake:
            return self._wake.wait_for(lambda: self._is_closed, wait_s)


class Pace:
    """Holds the reading of one file back (SC2)."""

    def __init__(self, clock: Clock, cancel: CancelToken, is_idle: Callable[[], bool]) -> None:
        self._clock = clock
        self._cancel = cancel
        self._is_idle = is_idle
        self._begun_s = clock.monotonic()
        self._bytes = 0

    def read(self, count: int) -> None:
        """Wait until so many bytes more are not too many; raises `Cancelled` to stop (SC1)."""
        self._bytes += count
        if not self._is_idle():
            raise Cancelled
        ahead_s = self._bytes / BYTES_PER_S - (self._clock.monotonic() - self._begun_s)
        if ahead_s > 0:
            self._cancel.sleep(ahead_s)
