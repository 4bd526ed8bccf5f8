"""Taking a folder in: copy, verify, place, and use at once.

Invariants:
  I1  Every file is copied into the blob store while it is hashed; what is kept is what was read,
      whatever happens to the folder meanwhile.
  I2  A file whose bytes are those of a catalogue's file belongs to that lesson too, and is
      ATTESTED there; all others are OBSERVED.
  I3  Taking the same folder in again copies nothing that is here already and changes nothing.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from client.domain.availability import Decodes, Trust
from client.domain.cancel import CancelToken
from client.domain.catalogue import Book, FileUse, Lesson, LessonKind, Part, RemoteFile, Section
from client.domain.errors import ClassroomError, StorageFullError, UserError
from client.domain.holding import Blob
from client.domain.ids import Digest, LessonId, PartId, SourceId
from client.service.station import Station
from client.store.catalogue_read import SourceRow
from sync.engine.content import require_kind
from sync.engine.fetch import Probe
from sync.source.folder import FolderFile, FolderLesson, Rejected, scan, source_of

KIND: Final = "folder"
_CHUNK: Final = 1 << 20
_HEAD: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderReport:
    """What was taken in."""

    source: SourceId
    lessons: tuple[LessonId, ...]
    matched: int
    """Files that turned out to be a catalogue's own."""
    offered: tuple[LessonId, ...]
    """Lessons whose place nobody knows yet: 放到哪一节?"""
    copied_bytes: int
    reused: int
    rejected: tuple[Rejected, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Taken:
    """One file that is here now."""

    file: FolderFile
    remote: RemoteFile
    blob: Blob


Progress = Callable[[int, int], None]
"""Told how many of how many lessons are in."""


def import_folder(
    station: Station,
    folder: Path,
    probe: Probe,
    cancel: CancelToken,
    progress: Progress = lambda _done, _all: None,
) -> FolderReport:
    """Take in a folder or a single file. Blocking, for worker threads and the command line.

    Raises:
        UserError: `folder_missing`.
        StorageFullError: The disk is full; what was taken in before stays.
        Cancelled: As asked; what was taken in before stays.
    """
    folder = folder.absolute()
    if not folder.exists():
        raise UserError("folder_missing", {"path": str(folder)})
    found = scan(folder, cancel)
    run = _Run(station, source_of(folder), probe, cancel)
    station.add_source(SourceRow(id=run.source, kind=KIND, address=str(folder)))
    run.place_books(found.lessons)
    for done, lesson in enumerate(found.lessons):
        progress(done, len(found.lessons))
        run.take(lesson)
    progress(len(found.lessons), len(found.lessons))
    station.library.refresh(cancel)
    return run.report(found.rejected)


class _Run:
    """One import on its way."""

    def __init__(
        self, station: Station, source: SourceId, probe: Probe, cancel: CancelToken
    ) -> None:
        self.source: Final = source
        self._station = station
        self._probe = probe
        self._cancel = cancel
        self._lessons: list[LessonId] = []
        self._offered: list[LessonId] = []
        self._rejected: list[Rejected] = []
        self._matched = self._copied = self._reused = 0

    def place_books(self, lessons: Sequence[FolderLesson]) -> None:
        """Keep the books the lessons stand in, with one section per unit."""
        books: dict[str, Book] = {}
        units: dict[str, dict[str, Section]] = {}
        for lesson in lessons:
            book, section = lesson.book, lesson.section
            if book is None:
                continue
            place = lesson.place
            words = (place.subject, place.edition, place.grade, place.volume)
            title = " ".join(word for word in words if word)
            books[book] = Book(id=book, source=self.source, title=title, place=place)
            known = units.setdefault(book, {})
            if section is not None and section not in known:
                known[section] = Section(
                    id=section, book=book, parent=None, position=len(known), title=lesson.unit
                )
        catalogue = self._station.catalogue
        catalogue.put_books(self.source, books.values())
        for book_id, sections in units.items():
            held = {one.id: one for one in catalogue.sections(books[book_id].id)}
            fresh = [one for one in sections.values() if one.id not in held]
            if fresh:
                whole = (*held.values(), *fresh)
                placed = [replace(one, position=at) for at, one in enumerate(whole)]
                catalogue.put_sections(self.source, books[book_id].id, placed)

    def take(self, described: FolderLesson) -> None:
        """Copy a lesson's files and keep their rows; a broken file costs only itself (F3)."""
        taken: list[_Taken] = []
        for file in described.files:
            self._cancel.check()
            try:
                taken.append(self._copy(file))
            except StorageFullError:
                raise
            except ClassroomError as error:
                self._rejected.append(Rejected(what=file.path.name, why=error.code))
        if not taken:
            return
        lesson = _lesson(described, self.source, taken)
        self._station.catalogue.put_whole((lesson,))
        for part, one in zip(lesson.parts, taken, strict=True):
            self._station.holdings.keep(lesson, part.id, one.remote.path, one.blob)
            self._matched += self._match(one)
        (self._lessons if described.is_placed else self._offered).append(lesson.id)

    def report(self, rejected: Sequence[Rejected]) -> FolderReport:
        """Give the figures."""
        return FolderReport(
            source=self.source,
            lessons=tuple(self._lessons),
            matched=self._matched,
            offered=tuple(self._offered),
            copied_bytes=self._copied,
            reused=self._reused,
            rejected=(*rejected, *self._rejected),
        )

    def _copy(self, file: FolderFile) -> _Taken:
        """Copy one file unless its bytes are here already (I1, I3)."""
        head, md5, digest = _hashes(file.path, self._cancel)
        remote = RemoteFile(
            path=f"folder/{digest}.{file.format}",
            urls=(),
            format=file.format,
            flags=(),
            use=file.use,
            md5=md5,
            size_bytes=file.size_bytes,
        )
        require_kind(remote, head)
        known = self._station.holdings.has_blob(Digest(digest))
        if known is not None:
            self._reused += 1
            return _Taken(file=file, remote=remote, blob=known)
        stored = self._station.blobs.import_file(file.path, f".{file.format}", self._cancel)
        self._copied += stored.size_bytes
        path = self._station.blobs.path(stored.digest, stored.ext)
        blob = Blob(
            digest=stored.digest,
            ext=stored.ext,
            size_bytes=stored.size_bytes,
            trust=Trust.OBSERVED,
            decodes=self._probe(path) if _plays(file.use) else Decodes.UNKNOWN,
            verified_at=self._station.clock.wall().isoformat(),
        )
        kept = replace(remote, path=f"folder/{stored.digest}.{file.format}")
        return _Taken(file=file, remote=kept, blob=blob)

    def _match(self, one: _Taken) -> bool:
        """Give the file to the catalogue's lessons it belongs to as well (I2)."""
        station = self._station
        rows = station.catalogue.files_with(one.remote.md5, one.blob.size_bytes)
        is_matched = False
        for row in rows:
            lesson = station.catalogue.lesson(row.lesson)
            if lesson is None or lesson.kind is LessonKind.FOLDER:
                continue
            blob = replace(one.blob, trust=Trust.ATTESTED)
            station.holdings.keep(lesson, row.part, row.path, blob)
            is_matched = True
        return is_matched


def _lesson(described: FolderLesson, source: SourceId, taken: Sequence[_Taken]) -> Lesson:
    section = described.section
    parts = tuple(
        Part(
            id=PartId(f"{described.id}-{one.blob.digest[:16]}"),
            lesson=described.id,
            role=one.file.role,
            title=one.file.title,
            label="",
            position=position,
            period=-1,
            files=(one.remote,),
        )
        for position, one in enumerate(taken)
    )
    return Lesson(
        id=described.id,
        source=source,
        kind=LessonKind.FOLDER,
        title=described.title,
        place=described.place,
        book=described.book,
        sections=() if section is None else (section,),
        section_titles=(described.unit,) if described.unit else (),
        position=described.position,
        parts=parts,
        has_detail=True,
    )


def _hashes(path: Path, cancel: CancelToken) -> tuple[bytes, str, str]:
    """Read a file once: its first bytes, MD5 (the catalogue's word) and SHA-256 (its name)."""
    md5, sha256, head = hashlib.md5(usedforsecurity=False), hashlib.sha256(), b""
    try:
        with path.open("rb") as file:
            while block := file.read(_CHUNK):
                cancel.check()
                head = head or block[:_HEAD]
                md5.update(block)
                sha256.update(block)
    except OSError as error:
        raise UserError("file_unreadable", {"name": path.name}) from error
    return head, md5.hexdigest(), sha256.hexdigest()


def _plays(use: FileUse) -> bool:
    return use in (FileUse.VIDEO_FILE, FileUse.AUDIO)
