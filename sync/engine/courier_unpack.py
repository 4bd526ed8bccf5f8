"""Taking lessons from a stick, the soonest first, each usable as soon as its files are here.

Invariants:
  CU1  A file is kept only under the digest of what was read, and only if the sheet says so; what a
       stranger signed is OBSERVED, what a hub of this room signed is ATTESTED.
  CU2  What is held stays: a stranger's rows replace none that are known, and an older word of a hub
       replaces none that is newer. Withdrawn lessons stay withdrawn.
  CU3  A lesson's rows and holdings are committed as soon as its files are, and it plays then; the
       next one is read meanwhile.
  CU4  A stick that is pulled out costs what was on its way: verified blocks are not read again.
  CU5  What cannot be taken is listed with a reason and keeps nothing else out. Strangers fill at
       most half of what is free.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from client.domain.availability import Decodes, Trust
from client.domain.catalogue import FileUse, Lesson, LessonKind, RemoteFile
from client.domain.errors import (
    DigestMismatchError,
    ProtocolError,
    StorageError,
)
from client.domain.failpoint import failpoint
from client.domain.holding import Blob, is_video
from client.domain.ids import Digest, LessonId
from client.domain.signer import Verify
from client.service.station import Station
from client.store.arriving import Arriving, Expected
from client.store.blob_store import clean_ext
from client.store.withdrawal_rows import WithdrawalRows
from sync.engine.behind import Behind
from sync.engine.content import HEAD_BYTES, require_kind
from sync.engine.courier_stick import LeftOut, look, sheet_of
from sync.engine.fetch import Probe
from sync.engine.vouchers import Vouchers
from sync.protocol.bundle import Entry, Sheet, SheetFile, is_vouched
from sync.protocol.manifest import BLOCK_BYTES
from sync.source.folder import Rejected
from sync.source.folder_names import shown, use_of
from sync.transport.stick import Stick

_OWN: Final = frozenset({"ts", "marks"})
"""How renditions and bookmarks are kept; no folder brings them, so `use_of` need not know them."""

Progress = Callable[[int, int, str], None]
"""Told how many of how many lessons are in, and the title of the one on its way."""
Attests = Callable[[LessonId, SheetFile], bool]
"""Tells whether an edition of a hub of this room names a file of a lesson by its digest."""


def no_edition(_lesson: LessonId, _file: SheetFile) -> bool:
    """Know no edition: an `Attests`."""
    return False


def no_progress(_done: int, _whole: int, _title: str) -> None:
    """Tell nobody: a `Progress`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnpackPorts:
    """What taking in works with."""

    station: Station
    stick: Stick
    probe: Probe
    verify: Verify
    hubs: Collection[bytes]
    """Keys whose word is believed."""
    soonest: Sequence[LessonId] = ()
    attests: Attests = no_edition
    progress: Progress = no_progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpacked:
    """What came in."""

    lessons: tuple[LessonId, ...] = ()
    """Lessons of which something is new here, in the order they became usable."""
    copied_bytes: int = 0
    reused: int = 0
    """Files that were here already."""
    rejected: tuple[Rejected, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Come:
    """A file that is here, or in its last step."""

    file: SheetFile
    trust: Trust
    blob: Blob | None = None
    arriving: Arriving | None = None
    """Neither: it comes as another file of the same lesson."""

    def close(self) -> None:
        """Leave what was read for the next time."""
        if self.arriving is not None:
            self.arriving.close()


class Unpacker:
    """One unpacking. Blocking, for worker threads and the command line."""

    def __init__(self, ports: UnpackPorts) -> None:
        self._ports: Final = ports
        self._station: Final = ports.station
        self._vouchers: Final = Vouchers(ports.station.profile.vouched)
        self._withdrawals: Final = WithdrawalRows(ports.station.database)
        self._lessons: list[LessonId] = []
        self._rejected: list[Rejected] = []
        self._copied = self._reused = 0
        self._behind: Final = Behind()
        self._coming: set[str] = set()
        """These lessons and their files, by digest: not here yet, and not to be read again."""
        self._strangers_left = ports.station.blobs.free_bytes() // 2

    def run(self) -> Unpacked:
        """Take in what is new (CU3).

        Raises:
            StorageError: The disk is full or failed, or the stick is gone (`stick_failed`); what
                was taken in before stays.
            Cancelled: As asked; as above.
        """
        contents = look(self._ports.stick, self._ports.verify)
        self._rejected += contents.rejected
        entries = self._in_order([one for index in contents.indexes for one in index.entries])
        with self._behind:
            for done, entry in enumerate(entries):
                step = self._take(entry, done, len(entries))
                if step is not None:
                    self._behind.do(step)
            self._behind.drain()
        self._ports.progress(len(entries), len(entries), "")
        self._station.blobs.clear_arriving()
        return Unpacked(
            lessons=tuple(self._lessons),
            copied_bytes=self._copied,
            reused=self._reused,
            rejected=tuple(self._rejected),
        )

    def _in_order(self, entries: Sequence[Entry]) -> list[Entry]:
        """Put what is needed soonest first, and of one lesson what is believed most."""
        rank = {lesson: at for at, lesson in enumerate(self._ports.soonest)}
        hubs = self._ports.hubs

        def key(one: tuple[int, Entry]) -> tuple[int, int, bool, int]:
            at, entry = one
            return rank.get(entry.lesson, len(rank)), at, entry.key not in hubs, -entry.number

        first: dict[LessonId, int] = {}
        for at, entry in enumerate(entries):
            first.setdefault(entry.lesson, at)
        numbered = [(first[entry.lesson], entry) for entry in entries]
        return [entry for _, entry in sorted(numbered, key=key)]

    # --- one lesson ----------------------------------------------------------------------

    def _catch_up(self) -> None:
        """Wait for the rows of all lessons that were read."""
        self._behind.drain()
        self._coming.clear()

    def _take(self, entry: Entry, done: int, whole: int) -> Callable[[], None] | None:
        """Read one lesson; gives its last step, which needs the stick no more."""
        if entry.lesson in self._coming:
            self._catch_up()
        try:
            sheet, data = self._vouched(entry)
            lesson = self._lesson(entry, sheet)
        except (ProtocolError, LeftOut) as error:
            self._reject(entry.lesson, error)
            return None
        self._ports.progress(done, whole, lesson.title)
        come: list[_Come] = []
        try:
            for one in self._files(entry, sheet, lesson):
                come.append(one)  # noqa: PERF402 - what came is closed when the next one fails
        except BaseException:
            for one in come:
                one.close()
            raise
        if not come and entry.key not in self._ports.hubs:
            return None
        self._coming |= {lesson.id, *(one.file.digest for one in come)}
        return lambda: self._commit(entry, data, sheet, lesson, come)

    def _vouched(self, entry: Entry) -> tuple[Sheet, bytes]:
        if not is_vouched(entry, self._ports.verify):
            raise ProtocolError("signature_bad")
        return sheet_of(self._ports.stick, entry)

    def _lesson(self, entry: Entry, sheet: Sheet) -> Lesson:
        """Choose the rows of a lesson that comes (CU2).

        | known here                    | signed by a hub          | by a stranger              |
        |-------------------------------|--------------------------|----------------------------|
        | that it is withdrawn          | refused                  | refused                    |
        | nothing                       | the sheet's              | the sheet's                |
        | from a list, without parts    | the sheet's              | known, parts of the sheet  |
        | a folder's, or older rows     | the sheet's, joined      | known, joined              |
        | else                          | the sheet's; older: known| known                      |
        """
        record = self._station.catalogue.record(sheet.lesson.id)
        if record is None and not self._withdrawals.said((sheet.lesson.id,)):
            return sheet.lesson
        if record is None or record.is_withdrawn:
            raise LeftOut("withdrawn")
        known, come = record.lesson, sheet.lesson
        if entry.key in self._ports.hubs and not self._vouchers.is_older(entry):
            return _joined(come, known) if come.kind is LessonKind.FOLDER else come
        if not known.parts:
            return replace(known, parts=come.parts, periods=come.periods, has_detail=True)
        is_folder = known.kind is LessonKind.FOLDER is come.kind
        return _joined(known, come) if is_folder else known

    def _files(self, entry: Entry, sheet: Sheet, lesson: Lesson) -> Iterator[_Come]:
        """Bring the files of a lesson that are not here; a bad one costs only itself (CU5)."""
        own: set[Digest] = set()
        remotes = {(part.id, one.path): one for part in lesson.parts for one in part.files}
        held = {
            (one.part, one.path): one.blob
            for one in self._station.holdings.of_lesson(lesson.id)
            if one.blob is not None
        }
        for file, path in zip(sheet.files, entry.paths, strict=True):
            remote = remotes.get((file.part, file.path))
            if not path or remote is None or remote.is_protected:
                continue
            trust = self._trust(entry, lesson, file)
            known = held.get((file.part, file.path))
            if known is not None and not _is_better(file.digest, trust, known):
                self._reused += 1
                continue
            if file.digest in own:
                yield _Come(file=file, trust=trust)
                continue
            try:
                yield self._come(file, path, remote, trust)
                own.add(file.digest)
            except (ProtocolError, LeftOut) as error:
                self._reject(path, error)

    def _trust(self, entry: Entry, lesson: Lesson, file: SheetFile) -> Trust:
        is_attested = entry.key in self._ports.hubs or self._ports.attests(lesson.id, file)
        return Trust.ATTESTED if is_attested else Trust.OBSERVED

    def _commit(
        self, entry: Entry, data: bytes, sheet: Sheet, lesson: Lesson, files: Sequence[_Come]
    ) -> None:
        """Have a lesson's files in their places, try its films, and keep the rows (CU3)."""
        station = self._station
        landed: dict[Digest, Blob] = {}
        blobs = [(one.file, self._landed(one, landed)) for one in files]
        self._place(sheet, lesson)
        station.catalogue.put_whole((lesson,))
        if entry.key in self._ports.hubs:
            self._vouchers.keep(entry, data)
        films = {part.id for part in lesson.parts if is_video(part)}
        for file, blob in blobs:
            if file.part in films and blob.decodes is Decodes.UNKNOWN:
                path = station.blobs.path(blob.digest, blob.ext)
                blob = replace(blob, decodes=self._ports.probe(path))  # noqa: PLW2901 - the same one
            station.holdings.keep(lesson, file.part, file.path, blob)
        failpoint("courier.after_lesson")
        if files:
            self._lessons.append(lesson.id)

    def _place(self, sheet: Sheet, lesson: Lesson) -> None:
        """Keep the book a lesson stands in, where it is not known, and the way to its leaf."""
        catalogue, book = self._station.catalogue, sheet.book
        if book is None or lesson.book != book.id:
            return
        if catalogue.book(book.id) is None:
            catalogue.put_books(book.source, (book,))
        known = catalogue.sections(book.id)
        ids = {section.id for section in known}
        fresh = [section for section in sheet.sections if section.id not in ids]
        if fresh:
            catalogue.put_sections(book.source, book.id, (*known, *fresh))

    # --- one file ------------------------------------------------------------------------

    def _come(self, file: SheetFile, path: str, remote: RemoteFile, trust: Trust) -> _Come:
        """Find a file here or bring it from the stick (CU1)."""
        if file.digest in self._coming:
            self._catch_up()
        blob = self._station.holdings.has_blob(file.digest)
        if blob is not None:
            self._reused += 1
            better = blob.trust if blob.trust is Trust.ATTESTED else trust
            return _Come(file=file, trust=trust, blob=replace(blob, trust=better))
        ext = clean_ext(file.ext)[1:]
        if use_of(ext) is None and ext not in _OWN:
            raise LeftOut("kind_unknown")
        size = file.manifest.size_bytes
        if not size or self._ports.stick.size(path) != size:
            raise LeftOut("file_absent")
        if trust is Trust.OBSERVED:
            if size > self._strangers_left:
                raise LeftOut("no_room")
            self._strangers_left -= size
        self._station.blobs.require_room(size)
        head = replace(remote, use=FileUse.OTHER, format=ext)
        return _Come(file=file, trust=trust, arriving=self._bring(file, path, head))

    def _bring(self, file: SheetFile, path: str, head: RemoteFile) -> Arriving:
        """Copy a file while it is hashed, beginning behind what is here of it (CU4)."""
        expected = Expected(
            digest=file.digest,
            size_bytes=file.manifest.size_bytes,
            block_bytes=BLOCK_BYTES,
            blocks=file.manifest.blocks,
        )
        try:
            return self._attempt(expected, path, head)
        except DigestMismatchError:
            # Read wrong, or changed: what is right of it stays, the rest is read once more.
            return self._attempt(expected, path, head, is_last=True)

    def _attempt(
        self, expected: Expected, path: str, head: RemoteFile, *, is_last: bool = False
    ) -> Arriving:
        arriving = self._station.blobs.arriving(expected)
        try:
            self._copy(arriving, path, head)
            arriving.check()
        except BaseException as error:
            is_over = is_last or not isinstance(error, DigestMismatchError)
            is_wrong = isinstance(error, ProtocolError | LeftOut)
            (arriving.discard if is_wrong and is_over else arriving.close)()
            raise
        failpoint("courier.after_file")
        return arriving

    def _copy(self, arriving: Arriving, path: str, head: RemoteFile) -> None:
        left = arriving.expected.size_bytes - arriving.size
        try:
            with self._ports.stick.open(path) as file:
                file.forget()
                file.seek(arriving.size)
                while left and (data := file.read(min(left, BLOCK_BYTES))):
                    if not arriving.size:
                        require_kind(head, data[:HEAD_BYTES])
                    arriving.write(data)
                    left -= len(data)
                    self._copied += len(data)
        except StorageError as error:
            if error.code != "stick_failed" or not self._ports.stick.is_there():
                raise
            raise LeftOut("unreadable") from error

    def _landed(self, come: _Come, landed: dict[Digest, Blob]) -> Blob:
        """Have a file in its place, on the disk."""
        blob = come.blob or landed.get(come.file.digest)
        if come.arriving is not None:
            stored = self._station.blobs.land(come.arriving, come.file.ext)
            blob = Blob(
                digest=stored.digest,
                ext=stored.ext,
                size_bytes=stored.size_bytes,
                trust=come.trust,
                verified_at=self._station.clock.wall().isoformat(timespec="seconds"),
            )
        assert blob is not None  # noqa: S101 - the first file of its digest is here
        landed[blob.digest] = blob
        return blob

    def _reject(self, what: str, error: ProtocolError | LeftOut) -> None:
        self._rejected.append(Rejected(what=shown(what), why=error.code))


def _joined(first: Lesson, other: Lesson) -> Lesson:
    """Give a lesson the parts of another that it lacks."""
    ids = {part.id for part in first.parts}
    rest = (part for part in other.parts if part.id not in ids)
    parts = (replace(one, position=at) for at, one in enumerate((*first.parts, *rest)))
    return replace(first, parts=tuple(parts))


def _is_better(digest: Digest, trust: Trust, known: Blob) -> bool:
    """Tell whether a file on the stick is worth taking where one of its name is held (CU2).

    A stranger's bytes never take the place of those that are here.
    """
    if trust is Trust.OBSERVED:
        return False
    return digest != known.digest or known.trust is Trust.OBSERVED
