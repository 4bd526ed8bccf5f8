"""One watched folder: what in it is whole and new, and taking that in.

Invariants:
  WF1  Only files that stood still (LK1) and can be opened are taken in, in the way any folder is;
       a `lesson.toml` that does not count yet holds back the files beside it.
  WF2  What was taken in is remembered beside the profile and not read again; if that is lost or
       damaged, everything is taken in once more, which changes nothing (I3).
  WF3  What vanishes from the folder, or with it, takes nothing away here.
  WF4  A lesson whose file could not be read is tried again; one that the school dropped stays
       dropped until its files change.
"""

import contextlib
import json
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path, PurePath
from typing import Final

from client.domain.cancel import CancelToken
from client.domain.ids import SourceId
from client.service.station import Station
from client.store.durable import write_file
from sync.engine.fetch import Probe
from sync.engine.folder_import import FolderReport, Progress, import_folder
from sync.source.folder import DESCRIPTION, FolderScan, scan, source_of, stamps
from sync.source.folder_looks import STILL_S, Looked, Looks, Stamp
from sync.source.folder_names import shown

WATCH: Final = "watch."
"""Local rows: the watched folders by the id of their source."""
BATCH: Final = 64
"""Lessons taken in at a time: what an interruption makes read again."""
_FOLDER: Final = "watched"
_TRY_AGAIN: Final = frozenset({"file_unreadable", "file_changes"})


class Step(Enum):
    """How things stand with a watched folder."""

    MISSING = "missing"
    QUIET = "quiet"
    """All that is in it is in."""
    MOVING = "moving"
    """Files are still being written."""
    UNREADABLE = "unreadable"
    READY = "ready"
    """Files can be taken in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a look found."""

    step: Step
    files: int = 0
    """How many files `step` speaks of."""
    has_changed: bool = False
    is_moving: bool = False


def watch_folder(station: Station, folder: Path) -> SourceId:
    """Have the program watch a folder from now on. Blocking."""
    source = source_of(folder.absolute())
    station.room.set_local(WATCH + source, json.dumps(str(folder.absolute()))).result()
    return source


def forget_folder(station: Station, folder: Path) -> None:
    """Watch a folder no longer; what came from it stays (WF3). Blocking."""
    station.room.set_local(WATCH + source_of(folder.absolute()), "").result()


def watched_folders(station: Station) -> tuple[Path, ...]:
    """List the folders that are watched."""
    return tuple(Path(json.loads(text)) for text in station.room.locals(WATCH).values() if text)


class WatchedFolder:
    """See the module. Blocking; for one thread at a time."""

    def __init__(self, station: Station, folder: Path, still_s: float = STILL_S) -> None:
        self.folder: Final = folder
        self._station: Final = station
        self._looks: Final = Looks(still_s)
        self._memory: Final = station.profile.folder / _FOLDER / f"{source_of(folder)}.json"
        self._taken: dict[str, Stamp] = dict(_read(self._memory))
        self._listing: Mapping[str, Stamp] = {}
        self._held: frozenset[str] = frozenset()
        self._fresh: frozenset[str] = frozenset()

    def look(self, cancel: CancelToken) -> Seen:
        """Look once.

        Raises:
            Cancelled: As asked.
        """
        if not _is_there(self.folder):
            return Seen(step=Step.MISSING)
        self._listing = stamps(self.folder, cancel)
        looked = self._looks.look(self._listing, self._station.clock.monotonic())
        new = {path for path in looked.still if self._taken.get(path) != self._listing[path]}
        shut = {path for path in new if not _opens(self.folder / path)}
        self._held = _with_their_neighbours(looked.moving | shut, self._listing)
        self._fresh = frozenset(new - self._held)
        return _seen(looked, shut, self._fresh)

    def take(
        self,
        probe: Probe,
        cancel: CancelToken,
        progress: Progress = lambda _done, _all: None,
        most: int = BATCH,
    ) -> FolderReport:
        """Take in what the last look found fresh, at most `most` lessons of it (WF1).

        Raises:
            UserError: `folder_missing`.
            StorageError: The disk is full or failed.
            Cancelled: As asked.
        """
        done: set[str] = set()

        def fresh(folder: Path, cancel: CancelToken) -> FolderScan:
            found = scan(folder, cancel, self._counts)
            lessons = [
                (lesson, names)
                for lesson in found.lessons
                if self._fresh & (names := self._names([file.path for file in lesson.files]))
            ]
            batch = lessons[:most]
            done.update(*(names for _, names in batch))
            if len(batch) == len(lessons):
                done.update(self._fresh)
            return replace(found, lessons=tuple(lesson for lesson, _ in batch))

        report = import_folder(self._station, self.folder, probe, cancel, progress, fresh)
        again = {one.what for one in report.rejected if one.why in _TRY_AGAIN}
        taken = done & self._fresh
        self._fresh -= done
        self._remember(name for name in taken if shown(PurePath(name).name) not in again)
        return report

    @property
    def has_more(self) -> bool:
        """Tell whether the last look found more than was taken in since."""
        return bool(self._fresh)

    @property
    def held(self) -> tuple[str, ...]:
        """Name the files that the last look found not to count yet."""
        return tuple(sorted(self._held))

    def _counts(self, path: Path) -> bool:
        return str(path.relative_to(self.folder)) not in self._held

    def _names(self, paths: Iterable[Path]) -> frozenset[str]:
        """Give the names of files below the folder, and those of the descriptions beside them."""
        whole = {one for path in paths for one in (path, path.with_name(DESCRIPTION))}
        return frozenset(str(path.relative_to(self.folder)) for path in whole)

    def _remember(self, names: Iterable[str]) -> None:
        """Keep what was taken in; that it cannot be kept costs a second reading only (WF2)."""
        self._taken.update((name, self._listing[name]) for name in names)
        with contextlib.suppress(OSError):
            self._memory.parent.mkdir(exist_ok=True)
            write_file(self._memory, json.dumps(self._taken).encode())


def _seen(looked: Looked, shut: AbstractSet[str], fresh: AbstractSet[str]) -> Seen:
    """Say how things stand; the first line that fits decides.

    | there are files that     | step       |
    |--------------------------|------------|
    | can be taken in          | READY      |
    | cannot be opened         | UNREADABLE |
    | do not count yet         | MOVING     |
    | none of these            | QUIET      |
    """
    table = ((fresh, Step.READY), (shut, Step.UNREADABLE), (looked.moving, Step.MOVING))
    files, step = next(((names, step) for names, step in table if names), (fresh, Step.QUIET))
    return Seen(
        step=step,
        files=len(files),
        has_changed=looked.has_changed,
        is_moving=bool(looked.moving),
    )


def _with_their_neighbours(names: AbstractSet[str], listing: Iterable[str]) -> frozenset[str]:
    """Add the files beside a description that does not count yet (WF1)."""
    folders = {PurePath(name).parent for name in names if PurePath(name).name == DESCRIPTION}
    beside = {name for name in listing if folders and PurePath(name).parent in folders}
    return frozenset(names | beside)


def _opens(path: Path) -> bool:
    """Tell whether a file can be read: one that is still written to often cannot."""
    try:
        with path.open("rb") as file:
            file.read(1)
    except OSError:
        return False
    return True


def _is_there(folder: Path) -> bool:
    try:
        return folder.is_dir()
    except OSError:
        return False


def _read(memory: Path) -> Mapping[str, Stamp]:
    """Read what was taken in; nothing when that cannot be told (WF2)."""
    try:
        rows = json.loads(memory.read_bytes())
        return {name: Stamp(int(size), int(mtime)) for name, (size, mtime) in rows.items()}
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return {}
