"""The thread that looks at watched folders and has taken in what arrived there.

Invariants:
  WT1  While a class is on nothing is taken in; what is under way stops at its next safe point and
       goes on after the class.
  WT2  Taking in waits its turn with the imports that people ask for; closing ends it at once.
  WT3  Whatever happens to one folder keeps neither the others nor the thread from going on.
  WT4  How things stand is told when it changes, in one reason: what needs a hand before the rest.
"""

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from client.domain.cancel import CancelToken
from client.domain.errors import Cancelled, StorageError, UserError
from client.domain.record.bodies import EventType
from client.service.api import Reason
from client.service.station import Station
from sync.engine.fetch import Probe
from sync.engine.folder_import import FolderReport
from sync.engine.watched_folder import Seen, Step, WatchedFolder, watched_folders
from sync.source.folder_looks import OFTEN_S, STILL_S, next_wait_s
from sync.source.folder_names import shown

_LOG: Final = logging.getLogger(__name__)
_CLOSE_S: Final = 5.0
CLASS_S: Final = 2700.0
"""A class counts as over this long after the last that was heard of it, if nothing said so."""
_RANK: Final = (
    "watch_disk",
    "watch_missing",
    "watch_unreadable",
    "watch_class",
    "watch_taking",
    "watch_moving",
    "watch_quiet",
)

Submit = Callable[[Callable[[], FolderReport]], "Future[FolderReport]"]
"""Has something done on the thread of imports."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchPorts:
    """What the watch works with."""

    station: Station
    probe: Probe
    submit: Submit
    tell: Callable[[Reason | None], None]
    """Told how things stand, on any thread."""
    still_s: float = STILL_S


class FolderWatch:
    """See the module. All public methods return at once and may be called from any thread."""

    def __init__(self, ports: WatchPorts) -> None:
        self._ports: Final = ports
        self._wake: Final = threading.Condition()
        self._folders: dict[Path, WatchedFolder] = {}
        self._told: Reason | None = None
        self._found: dict[Path, Reason] = {}
        self._class_until_s: float | None = None
        self._is_closing = False
        self._is_asked = False
        self._running: CancelToken | None = None
        self._thread: Final = threading.Thread(target=self._run, name="folder-watch", daemon=True)

    def start(self) -> None:
        """Begin to look. Call it once."""
        self._thread.start()

    def look_again(self) -> None:
        """Look now; a folder may be new, or a disk be back."""
        with self._wake:
            self._is_asked = True
            self._wake.notify_all()

    def heard(self, types: Iterable[int]) -> None:
        """Hear what this room wrote down: that tells whether a class is on (WT1)."""
        of_class = [type_ for type_ in types if type_ >= EventType.SITTING_OPENED]
        if not of_class:
            return
        is_over = EventType.SITTING_ENDED in of_class
        with self._wake:
            now = self._ports.station.clock.monotonic()
            self._class_until_s = None if is_over else now + CLASS_S
            if is_over:
                self._is_asked = True
            elif self._running is not None:
                self._running.cancel()
            self._wake.notify_all()

    def close(self) -> None:
        """Stop at once; waits a few seconds at most. Idempotent."""
        with self._wake:
            self._is_closing = True
            if self._running is not None:
                self._running.cancel()
            self._wake.notify_all()
        if self._thread.is_alive():
            self._thread.join(_CLOSE_S)

    @property
    def standing(self) -> Mapping[Path, Reason]:
        """How each folder stood when all were looked at last; replaced, never changed."""
        return self._found

    @property
    def in_class(self) -> bool:
        """Tell whether a class is on (WT1)."""
        until_s = self._class_until_s
        return until_s is not None and self._ports.station.clock.monotonic() < until_s

    # --- the thread ----------------------------------------------------------------------------

    def _run(self) -> None:
        wait_s: float = OFTEN_S
        while not self._is_closing:
            wait_s = self.turn(wait_s)
            with self._wake:
                if not (self._is_closing or self._is_asked):
                    self._wake.wait(wait_s if self._folders else None)
                self._is_asked = False

    def turn(self, before_s: float) -> float:
        """Look at every folder once and take in what is there. Blocking.

        Returns:
            Seconds to wait before the next turn, `before_s` being those waited before this one.
        """
        wanted = watched_folders(self._ports.station)
        self._folders = {
            path: self._folders.get(path)
            or WatchedFolder(self._ports.station, path, self._ports.still_s)
            for path in wanted
        }
        found = [self._visit(folder) for folder in self._folders.values()]
        self._found = {path: reason for path, (_, reason) in zip(wanted, found, strict=True)}
        self._tell(reason for _, reason in found)
        return next_wait_s(
            before_s,
            has_changed=any(seen.has_changed for seen, _ in found),
            is_moving=any(seen.is_moving for seen, _ in found),
            in_class=self.in_class,
        )

    def _visit(self, folder: WatchedFolder) -> tuple[Seen, Reason]:
        """Look at one folder and take in what is fresh (WT3)."""
        cancel = CancelToken()
        seen = Seen(step=Step.MISSING)
        with self._wake:
            self._running = cancel
            if self._is_closing:
                cancel.cancel()
        try:
            seen = folder.look(cancel)
            if seen.step is Step.READY and not self.in_class:
                self._take(folder, seen, cancel)
                seen = folder.look(cancel)
        except (Cancelled, CancelledError):
            pass  # closing, or a class begins: what is left is found by the next look
        except StorageError:
            return seen, Reason(code="watch_disk")
        except UserError:
            seen = Seen(step=Step.MISSING)
        except Exception:  # noqa: BLE001 - a bug ends its turn, not the thread (WT3)
            _LOG.exception("taking in a watched folder failed inside")
        finally:
            with self._wake:
                self._running = None
        return seen, self._reason(folder, seen)

    def _take(self, folder: WatchedFolder, seen: Seen, cancel: CancelToken) -> None:
        """Take in everything fresh, in batches, each in its turn with other imports (WT2)."""
        self._tell((Reason(code="watch_taking", values=(("n", seen.files),)),))
        while folder.has_more:
            cancel.check()
            self._ports.submit(lambda: folder.take(self._ports.probe, cancel)).result()

    def _reason(self, folder: WatchedFolder, seen: Seen) -> Reason:
        is_kept_waiting = seen.step is Step.READY and self.in_class
        code = "watch_class" if is_kept_waiting else _CODES[seen.step]
        return Reason(code=code, values=(("n", seen.files), ("name", shown(folder.folder.name))))

    def _tell(self, reasons: Iterable[Reason]) -> None:
        """Tell the most urgent one, if it is another than before (WT4)."""
        first = min(reasons, key=lambda one: _RANK.index(one.code), default=None)
        if first != self._told:
            self._told = first
            self._ports.tell(first)


_CODES: Final = {
    Step.MISSING: "watch_missing",
    Step.QUIET: "watch_quiet",
    Step.MOVING: "watch_moving",
    Step.UNREADABLE: "watch_unreadable",
    Step.READY: "watch_taking",
}
