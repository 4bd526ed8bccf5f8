"""Taking a folder in: copy, verify, place, and use at once.

Invariants:
  I1  Every file is copied into the blob store while it is hashed, and read once, twice where it
      looks like one that is here and is not; what is kept, and what it is matched by, is what was
      read, whatever happens to the folder meanwhile.
  I2  A file whose bytes are those of a catalogue's file belongs to that lesson too, and is
      ATTESTED there; all others are OBSERVED.
  I3  Taking the same folder in again copies nothing that is here already and changes nothing.
  I4  A lesson that comes again, from wherever, loses no part: a file of the same name takes the
      place of the older one, all others stay. The same bytes stand in a lesson once.
  I5  A lesson's rows are kept as soon as its files are on the disk and its films were tried; the
      next one is copied meanwhile.
"""

import contextlib
import functools
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from io import FileIO
from pathlib import Path
from typing import Final

from client.domain.availability import Decodes, Trust
from client.domain.cancel import CancelToken
from client.domain.catalogue import Book, FileUse, Lesson, LessonKind, Part, RemoteFile, Section
from client.domain.errors import (
    ClassroomError,
    ProtocolError,
    StorageError,
    UserError,
)
from client.domain.holding import Blob
from client.domain.ids import BookId, Digest, LessonId, PartId, SectionId, SourceId
from client.service.station import Station
from client.store.blob_store import Imported
from client.store.catalogue_read import SourceRow
from sync.engine.behind import Behind
from sync.engine.content import require_kind
from sync.engine.fetch import Probe
from sync.engine.office import shown_as
from sync.source.folder import FolderFile, FolderLesson, FolderScan, Rejected, scan, source_of
from sync.source.folder_names import natural, shown

KIND: Final = "folder"
_CHUNK: Final = 1 << 20
_HEAD: Final = 16
_TRIES: Final = 3
_FEW: Final = 8
"""So many files of one length are looked at in any case."""
_LOOK_BYTES: Final = 8_000_000
"""Looking at some places of one takes a slow disk as long as reading so much."""
_PLACE_BYTES: Final = 4096
_LONG_BYTES: Final = 8_000_000
"""For files as long as this the catalogue is asked first whether their MD5 may matter."""


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
    md5: str
    """As the catalogue would name its bytes; empty where the catalogue has none of its length."""
    made: Imported | None = None
    """What is to be brought to its place; None where it is there, or comes before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bytes:
    """What was read of a file: its first bytes, MD5, SHA-256 and length."""

    head: bytes = b""
    md5: str = ""
    sha256: str = ""
    size_bytes: int = 0


Progress = Callable[[int, int], None]
"""Told how many of how many lessons are in."""

Look = Callable[[Path, CancelToken], FolderScan]
"""Tells what of a folder is to be taken in."""


def import_folder(
    station: Station,
    folder: Path,
    probe: Probe,
    cancel: CancelToken,
    progress: Progress = lambda _done, _all: None,
    look: Look = scan,
) -> FolderReport:
    """Take in a folder or a single file. Blocking, for worker threads and the command line.

    Raises:
        UserError: `folder_missing`.
        StorageError: The disk is full or failed; what was taken in before stays.
        Cancelled: As asked; what was taken in before stays.
    """
    folder = folder.absolute()
    if not _exists(folder):
        raise UserError("folder_missing", {"path": shown(str(folder))})
    found = look(folder, cancel)
    run = _Run(station, source_of(folder), probe, cancel)
    station.add_source(SourceRow(id=run.source, kind=KIND, address=shown(str(folder))))
    run.place_books(found.lessons)
    whole = len(found.lessons)
    progress(0, whole)

    def tell(done: int) -> None:
        progress(done, whole)

    try:
        run.take_all(found.lessons, tell)
    except StorageError:
        # What came before the disk was full is to be found, if there is room for that.
        with contextlib.suppress(ClassroomError):
            station.library.refresh(cancel)
        raise
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
        self._here: dict[Digest, Blob] = {}
        self._sizes: dict[int, list[Imported]] = {}
        self._named: frozenset[int] = frozenset()
        """Lengths of long files of the catalogue that these may be."""
        self._matched = self._copied = self._reused = 0

    def place_books(self, lessons: Sequence[FolderLesson]) -> None:
        """Keep the books the lessons stand in, with one section per unit, in teaching order."""
        catalogue = self._station.catalogue
        books: dict[BookId, Book] = {}
        units: dict[BookId, dict[SectionId, Section]] = {}
        for lesson in lessons:
            book, section = lesson.book, lesson.section
            if book is None:
                continue
            if book not in books:
                books[book] = catalogue.book(book) or self._book(book, lesson)
                units[book] = {one.id: one for one in catalogue.sections(book)}
            if section is not None:
                fresh = Section(id=section, book=book, parent=None, position=0, title=lesson.unit)
                units[book].setdefault(section, fresh)
        catalogue.put_books(self.source, books.values())
        for book_id, known in units.items():
            ordered = sorted(known.values(), key=lambda one: (natural(one.title), one.id))
            placed = [replace(one, position=at) for at, one in enumerate(ordered)]
            catalogue.put_sections(self.source, book_id, placed)

    def take_all(self, lessons: Sequence[FolderLesson], tell: Callable[[int], None]) -> None:
        """Take lessons in; films of one are tried while the next is copied (I5)."""
        lengths = {file.size_bytes for lesson in lessons for file in lesson.files}
        long = [length for length in lengths if length >= _LONG_BYTES]
        if long:
            self._named = self._station.catalogue.lengths_with_md5(long)
        with Behind() as behind:
            for done, described in enumerate(lessons, 1):
                copied = self._copied_files(described)

                def step(
                    described: FolderLesson = described,
                    copied: Sequence[_Taken] = copied,
                    done: int = done,
                ) -> None:
                    if copied:
                        self._commit(described, copied)
                    tell(done)

                behind.do(step)
            behind.drain()

    def _copied_files(self, described: FolderLesson) -> Sequence[_Taken]:
        """Copy a lesson's files; a broken file costs only itself (F3)."""
        taken: list[_Taken] = []
        try:
            for file in described.files:
                try:
                    taken.append(self._copy(file))
                except (UserError, ProtocolError) as error:
                    self._rejected.append(Rejected(what=shown(file.path.name), why=error.code))
        except BaseException:
            self._let_go(taken)
            raise
        return taken

    def _let_go(self, taken: Sequence[_Taken]) -> None:
        for one in taken:
            if one.made is not None:
                self._station.blobs.let_go(one.made)

    def _placed(self, copied: Sequence[_Taken]) -> Sequence[_Taken]:
        """Have files in their places, the same bytes once; one whose place is empty is left."""
        blobs, by_bytes = self._station.blobs, dict[Digest, _Taken]()
        try:
            for one in copied:
                if one.made is not None:
                    blobs.place(one.made)
                by_bytes.setdefault(one.blob.digest, one)
        finally:
            self._let_go(copied)
        found = by_bytes.values()
        return [
            one for one in found if blobs.has(one.blob.digest, one.blob.ext, one.blob.size_bytes)
        ]

    def _commit(self, described: FolderLesson, copied: Sequence[_Taken]) -> None:
        """Have files in their places, try the films of a lesson and keep its rows."""
        taken = tuple(replace(one, blob=self._tried(one)) for one in self._placed(copied))
        lesson, ids = self._joined(described, taken)
        self._station.catalogue.put_whole((lesson,))
        for part, one in zip(ids, taken, strict=True):
            self._keep(lesson, part, one.remote.path, one.blob)
            self._matched += self._match(one)
        (self._lessons if described.is_placed else self._offered).append(lesson.id)

    def _tried(self, one: _Taken) -> Blob:
        blob = self._here[one.blob.digest]
        if _plays(one.file.use) and blob.decodes is Decodes.UNKNOWN:
            path = self._station.blobs.path(blob.digest, blob.ext)
            blob = self._here[blob.digest] = replace(blob, decodes=self._probe(path))
            self._cancel.check()
        return blob

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

    def _book(self, book: BookId, lesson: FolderLesson) -> Book:
        place = lesson.place
        words = (place.subject, place.edition, place.grade, place.volume)
        title = " ".join(word for word in words if word)
        return Book(id=book, source=self.source, title=title, place=place)

    def _copy(self, file: FolderFile) -> _Taken:
        """Copy one file unless its bytes are here already (I1, I3)."""
        file = shown_as(file, self._station.profile.folder, self._cancel)
        taken = self._reused_file(file) or self._new_file(file)
        self._here.setdefault(taken.blob.digest, taken.blob)
        return taken

    def _reused_file(self, file: FolderFile) -> _Taken | None:
        """Find a file that is here; only one that may be is read for it."""
        size = file.size_bytes
        alike = self._alike(size)
        is_looked_at = len(alike) <= max(_FEW, size // _LOOK_BYTES)
        if is_looked_at and not any(_looks_like(file.path, one, size) for one in alike):
            return None
        read = _read(file.path, self._cancel)
        require_kind(_remote(file, read), read.head)
        digest = Digest(read.sha256)
        blob = self._here.get(digest) or self._station.holdings.has_blob(digest)
        if blob is None:
            return None
        self._reused += 1
        return _Taken(file=file, remote=_remote(file, read), blob=blob, md5=read.md5)

    def _alike(self, size_bytes: int) -> tuple[tuple[Path, ...], ...]:
        """Say where files of a length are, those that were just copied too; each once.

        One that was just copied goes to its place meanwhile: it is at the first path or the next.
        """
        blobs, held = self._station.blobs, self._station.holdings.of_size(size_bytes)
        places = (blobs.path(one.digest, one.ext) for one in held)
        found: dict[Path, tuple[Path, ...]] = {place: (place,) for place in places}
        for made in self._sizes.get(size_bytes, ()):
            place = blobs.path(made.stored.digest, made.stored.ext)
            found.setdefault(place, (made.temp, place))
        return tuple(found.values())

    def _new_file(self, file: FolderFile) -> _Taken:
        """Copy a file; one that changes meanwhile is copied again, a few times (I1)."""

        def check_head(head: bytes) -> None:
            require_kind(_remote(file, _Bytes()), head[:_HEAD])

        made = self._imported(file, check_head)
        stored = made.stored
        self._copied += stored.size_bytes
        read = _Bytes(sha256=stored.digest, size_bytes=stored.size_bytes)
        blob = Blob(
            digest=stored.digest,
            ext=stored.ext,
            size_bytes=stored.size_bytes,
            trust=Trust.OBSERVED,
            verified_at=self._station.clock.wall().isoformat(),
        )
        self._sizes.setdefault(stored.size_bytes, []).append(made)
        return _Taken(file=file, remote=_remote(file, read), blob=blob, md5=made.md5, made=made)

    def _imported(self, file: FolderFile, check_head: Callable[[bytes], None]) -> Imported:
        size = file.size_bytes
        copy = functools.partial(
            self._station.blobs.copy_in,
            file.path,
            f".{file.format}",
            self._cancel,
            check_head,
            with_md5=size < _LONG_BYTES or not self._named.isdisjoint((0, size)),
        )
        for _ in range(_TRIES - 1):
            try:
                return copy()
            except UserError as error:
                if error.code != "file_changes":
                    raise
        return copy()

    def _joined(
        self, described: FolderLesson, taken: Sequence[_Taken]
    ) -> tuple[Lesson, tuple[PartId, ...]]:
        """Make the lesson of what came and what was here of it before (I4)."""
        before = self._station.catalogue.lesson(described.id)
        fresh = _parts(described, taken)
        ids = tuple(part.id for part in fresh)
        rest = () if before is None else (one for one in before.parts if one.id not in ids)
        parts = (replace(one, position=at) for at, one in enumerate((*fresh, *rest)))
        source = self.source if before is None else before.source
        return _lesson(described, source, tuple(parts)), ids

    def _keep(self, lesson: Lesson, part: PartId, path: str, blob: Blob) -> None:
        """Record a file of a lesson unless just that is known (I3)."""
        known = next(
            (
                held.blob
                for held in self._station.holdings.of_lesson(lesson.id)
                if (held.part, held.path) == (part, path)
            ),
            None,
        )
        same = None if known is None else (known.digest, known.decodes)
        is_attested = known is not None and known.trust is Trust.ATTESTED
        if same != (blob.digest, blob.decodes) or (
            blob.trust is Trust.ATTESTED and not is_attested
        ):
            self._station.holdings.keep(lesson, part, path, blob)

    def _match(self, one: _Taken) -> bool:
        """Give the file to the catalogue's lessons it belongs to as well (I2)."""
        station = self._station
        is_matched = False
        for row in station.catalogue.files_with(one.md5, one.blob.size_bytes):
            record = station.catalogue.record(row.lesson)
            if record is None or record.is_withdrawn or record.lesson.kind is LessonKind.FOLDER:
                continue
            self._keep(record.lesson, row.part, row.path, replace(one.blob, trust=Trust.ATTESTED))
            is_matched = True
        return is_matched


def _parts(described: FolderLesson, taken: Sequence[_Taken]) -> tuple[Part, ...]:
    """Make one part of each file; its id is its name in the lesson, whatever its bytes (I4)."""
    ids: dict[PartId, _Taken] = {}
    for one in taken:
        file = one.file
        name = f"{file.role.value}\n{file.title}\n{file.format}"
        again = 0
        while (id_ := _part_id(described.id, f"{name}\n{again}")) in ids:
            again += 1
        ids[id_] = one
    return tuple(
        Part(
            id=id_,
            lesson=described.id,
            role=one.file.role,
            title=one.file.title,
            label="",
            position=0,
            period=-1,
            files=(one.remote,),
        )
        for id_, one in ids.items()
    )


def _part_id(lesson: LessonId, name: str) -> PartId:
    return PartId(f"{lesson}-{hashlib.sha256(name.encode()).hexdigest()[:16]}")


def _lesson(described: FolderLesson, source: SourceId, parts: tuple[Part, ...]) -> Lesson:
    section = described.section
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


def _remote(file: FolderFile, read: _Bytes) -> RemoteFile:
    return RemoteFile(
        path=f"folder/{read.sha256}.{file.format}",
        urls=(),
        format=file.format,
        flags=file.flags,
        use=file.use,
        size_bytes=read.size_bytes,
    )


def _looks_like(one: Path, others: Sequence[Path], size_bytes: int) -> bool:
    """Compare some places of two files of a length; only False is certain.

    The other one is at the first of its paths that there is.
    """
    places = (0, size_bytes // 2, max(0, size_bytes - _PLACE_BYTES))
    try:
        with one.open("rb", buffering=0) as first, _opened(others) as second:
            for at in places:
                first.seek(at)
                second.seek(at)
                if first.read(_PLACE_BYTES) != second.read(_PLACE_BYTES):
                    return False
    except OSError:
        return True
    return True


def _opened(paths: Sequence[Path]) -> FileIO:
    for path in paths[:-1]:
        with contextlib.suppress(FileNotFoundError):
            return FileIO(path)
    return FileIO(paths[-1])


def _read(path: Path, cancel: CancelToken) -> _Bytes:
    """Read a file once."""
    md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
    head, size = b"", 0
    try:
        with path.open("rb") as file:
            while block := file.read(_CHUNK):
                cancel.check()
                head = head or block[:_HEAD]
                md5.update(block)
                sha256.update(block)
                size += len(block)
    except OSError as error:
        raise UserError("file_unreadable", {"name": shown(path.name)}) from error
    return _Bytes(head=head, md5=md5.hexdigest(), sha256=sha256.hexdigest(), size_bytes=size)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False


def _plays(use: FileUse) -> bool:
    return use in (FileUse.VIDEO_FILE, FileUse.AUDIO)
