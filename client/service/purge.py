"""Taking every byte of a lesson off this machine.

What is to go is written down first, so that a machine that dies in between goes on at its next
start. What cannot be told apart by lesson goes with any of them: files that were set aside as
damaged at once, unfinished files from sticks at the next start, when nothing is coming in.

Invariants:
  PG1  Of a purged lesson no byte stays, unless another lesson refers to the same file: neither
       blob nor growing part, nor what was set aside, printed, converted or passed on; and no
       search finds it. Its row and what classes recorded of it stay.
  PG2  A purge that was cut off anywhere is finished by the next `finish`.
"""

import contextlib
import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from client.domain.catalogue import Lesson
from client.domain.failpoint import failpoint
from client.domain.ids import Digest, LessonId
from client.service.paths import Profile
from client.service.print_desk import sheet_name
from client.service.room import RoomService
from client.store.blob_store import growing_key
from client.store.catalogue_store import CatalogueStore
from client.store.disk import disk_errors
from client.store.holding_store import HoldingStore
from client.store.locked import unlink
from client.store.sidecar import file_name

_MARK: Final = "purge."
_SWEPT: Final = "purge_swept"


@dataclass(frozen=True, slots=True, kw_only=True)
class PurgePorts:
    """What it works with. The functions block."""

    profile: Profile
    holdings: HoldingStore
    catalogue: CatalogueStore
    room: RoomService
    attested: Callable[[str], Iterable[Digest]]
    """Gives the digests that hubs signed for the file at a path."""
    index: Callable[[], object]
    """Brings the search index up to the catalogue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mark:
    """What has to go of one lesson: files by digest and extension, and keys of what grows."""

    files: Mapping[str, str]
    keys: tuple[str, ...]


class Purger:
    """See the module. Blocking; one thread at a time, while none of the lessons is on its way."""

    def __init__(self, ports: PurgePorts) -> None:
        self._ports: Final = ports

    def purge(self, lessons: Iterable[LessonId]) -> int:
        """Delete every byte of these lessons (PG1); gives the bytes freed."""
        marks = {lesson: self._mark(lesson) for lesson in lessons}
        freed = sum(self._erase(lesson, mark) for lesson, mark in marks.items())
        if marks:
            self._ports.catalogue.note_gone(tuple(marks))
            self._ports.index()
        return freed

    def finish(self) -> None:
        """Go on with what an earlier life began (PG2). Call it before anything comes in."""
        found = {LessonId(name): text for name, text in self._marks().items()}
        for lesson, text in found.items():
            files, keys = json.loads(text)
            self._erase(lesson, _Mark(files=files, keys=tuple(keys)))
        if found:
            self._ports.catalogue.note_gone(tuple(found))
            self._ports.index()
        if found or self._ports.room.local(_SWEPT):
            self._ports.holdings.blobs.clear_arriving()
            shutil.rmtree(self._ports.profile.folder / "home", ignore_errors=True)
            self._ports.room.set_local(_SWEPT, "").result()

    def forget_growing(self, lesson: LessonId) -> None:
        """Delete what grows of a lesson that nobody may finish."""
        for key in self._keys(self._ports.catalogue.lesson(lesson)):
            self._ports.holdings.blobs.clear(key)

    # --- inside --------------------------------------------------------------------------

    def _marks(self) -> dict[str, str]:
        return {name: text for name, text in self._ports.room.locals(_MARK).items() if text}

    def _mark(self, lesson: LessonId) -> _Mark:
        """Write down what has to go."""
        holdings = self._ports.holdings
        known = self._ports.catalogue.lesson(lesson) or holdings.lesson(lesson)
        held = (one.blob for one in holdings.of_lesson(lesson))
        mark = _Mark(
            files={blob.digest: blob.ext for blob in held if blob is not None},
            keys=self._keys(known),
        )
        room = self._ports.room
        room.set_local(_SWEPT, "1").result()
        room.set_local(_MARK + lesson, json.dumps([mark.files, mark.keys])).result()
        failpoint("purge.after_mark")
        return mark

    def _keys(self, lesson: Lesson | None) -> tuple[str, ...]:
        files = () if lesson is None else (f for part in lesson.parts for f in part.files)
        found: list[str] = []
        for file in files:
            found.append(growing_key(file.path, file.md5))
            for digest in self._ports.attested(file.path):
                found += (growing_key(f"{what}/{digest}", "") for what in ("sha256", "manifest"))
        return tuple(found)

    def _erase(self, lesson: LessonId, mark: _Mark) -> int:
        blobs = self._ports.holdings.blobs
        freed = self._ports.holdings.drop(lesson)
        failpoint("purge.after_rows")
        for digest, ext in mark.files.items():
            if not self._ports.holdings.knows(Digest(digest)):
                freed += blobs.drop(Digest(digest), ext)
        for key in mark.keys:
            blobs.clear(key)
        freed += blobs.clear_damaged()
        self._clear_beside(lesson, mark)
        failpoint("purge.after_files")
        if not any(blobs.is_waiting(Digest(digest), ext) for digest, ext in mark.files.items()):
            self._ports.room.set_local(_MARK + lesson, "").result()
        return freed

    def _clear_beside(self, lesson: LessonId, mark: _Mark) -> None:
        """Delete what was made of a lesson: its voucher, sheets to print, converted papers."""
        profile = self._ports.profile
        with disk_errors():
            unlink(profile.vouched / file_name(lesson).replace(".json", ".les"))
            for path in profile.prints.glob(sheet_name(lesson, "*")):
                unlink(path)
            for path in (profile.folder / "office").glob("*.pdf"):
                if _sha256(path) in mark.files:
                    unlink(path)


def _sha256(path: Path) -> str:
    with contextlib.suppress(OSError), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
    return ""
