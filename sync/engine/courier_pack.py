"""Packing a stick: readable folders for people and televisions, signed words for other rooms.

Invariants:
  CP1  Each file lies once on a stick, under a readable name; what others put there is used, not
       copied, and never changed.
  CP2  The index is written last, after each lesson anew: a stick that is pulled out at any moment
       has whole lessons, and the next packing goes on with the file at which it stopped.
  CP3  A file is read again from the stick before it counts; a lesson that came out wrong is taken
       out of the index and told.
  CP4  A file that is no longer what its digest says is not packed, and the room learns of it.
  CP5  What a hub signed of a lesson goes on as it is, as long as the files are those it signed.
"""

import contextlib
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from client.domain.availability import Decodes
from client.domain.catalogue import Lesson, Part, Role, Section, display_title
from client.domain.errors import ProtocolError, StorageError, StorageFullError
from client.domain.failpoint import failpoint
from client.domain.holding import Blob, Holding
from client.domain.ids import BookId, Digest, LessonId, PartId
from client.domain.signer import Signer, Verify
from client.service.station import Station
from client.store.holding_store import DAMAGED
from sync.engine.courier_stick import PART, LeftOut, index_path, look, sheet_path, sheets, tidy
from sync.engine.courier_unpack import Progress, no_progress
from sync.engine.vouchers import Vouched, Vouchers
from sync.protocol.bundle import (
    MAX_ENTRIES,
    Entry,
    Index,
    Sheet,
    SheetFile,
    is_vouched,
    pack_index,
    pack_sheet,
    sheet_digest,
    vouch,
)
from sync.protocol.manifest import BLOCK_BYTES, Manifest, ManifestMaker
from sync.protocol.stick_names import Names
from sync.source.folder import Rejected
from sync.source.folder_names import shown
from sync.transport.stick import Stick

MOST_BYTES: Final = (4 << 30) - 1
"""FAT32 holds no longer file; a film in pieces plays nowhere."""
_SPARE_BYTES: Final = 4 << 20
"""Room for sheets, indexes and the record."""
_MOST_NAMES: Final = 4096
_NUMBER: Final = "courier.number"


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """Words for the folders of a stick, in the language of the room."""

    role: Callable[[Role], str]
    elsewhere: str
    """Folder of lessons without a grade."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackPorts:
    """What packing works with."""

    station: Station
    stick: Stick
    signer: Signer
    """Who vouches: the room, or the hub whose keeper packs."""
    verify: Verify
    hubs: Collection[bytes]
    """Keys whose word is passed on."""
    labels: Labels
    site: str = ""
    progress: Progress = no_progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """What lies on the stick now of what was asked for."""

    lessons: tuple[LessonId, ...] = ()
    size_bytes: int = 0
    copied_bytes: int = 0
    rejected: tuple[Rejected, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lying:
    """A file on the stick."""

    path: str
    ext: str
    manifest: Manifest

    @property
    def digest(self) -> Digest:
        return Digest(self.manifest.sha256.hex())


_Laid = dict[tuple[PartId, str], _Lying]
"""Files of one lesson, by part and the catalogue's name."""


@dataclass(slots=True)
class _Known:
    """What is on the stick, by digest and by lesson."""

    files: dict[Digest, _Lying] = field(default_factory=dict)
    hints: dict[Digest, str] = field(default_factory=dict)
    """Where others say that a file lies: nothing to rely on before it was read."""
    own: dict[LessonId, Entry] = field(default_factory=dict)
    others: set[str] = field(default_factory=set)
    """Paths that indexes of other packers name."""


class Packer:
    """One packing. Blocking, for worker threads and the command line."""

    def __init__(self, ports: PackPorts) -> None:
        self._ports: Final = ports
        self._station: Final = ports.station
        self._stick: Final = ports.stick
        self._vouchers: Final = Vouchers(ports.station.profile.vouched)
        self._known = _Known()
        self._fresh: dict[str, Manifest] = {}
        """Files that were written now: they are read again at the end."""
        self._folders: dict[str, Names] = {}
        self._beside: dict[BookId, tuple[Lesson, ...]] = {}
        self._rejected: list[Rejected] = []
        self._packed: dict[LessonId, int] = {}
        self._done = self._whole = self._copied = 0
        self._title = ""

    def run(self, lessons: Sequence[LessonId]) -> Packed:
        """Pack lessons in this order; what does not fit is told, smaller ones may still.

        Raises:
            StorageError: The stick is gone (`stick_failed`), can only be read (`stick_read_only`),
                or this disk failed.
            Cancelled: As asked. Whole lessons stay on the stick.
        """
        self._stick.require_writable()
        tidy(self._stick, self._ports.verify)
        self._look()
        held = {one: self._held(one) for one in dict.fromkeys(lessons)}
        self._whole = sum(h.blob.size_bytes for rows in held.values() for h in rows if h.blob)
        for lesson, rows in held.items():
            try:
                self._pack(lesson, rows)
            except (ProtocolError, LeftOut, StorageError) as error:
                why = self._only_this(error)
                if why is None:
                    raise
                self._rejected.append(Rejected(what=shown(self._title or lesson), why=why))
        self._check()
        return Packed(
            lessons=tuple(self._packed),
            size_bytes=sum(self._packed.values()),
            copied_bytes=self._copied,
            rejected=tuple(self._rejected),
        )

    def _only_this(self, error: ProtocolError | LeftOut | StorageError) -> str | None:
        """Say why one lesson is not packed; None if no other will be either."""
        if not isinstance(error, StorageError) or error.code == "stick_full":
            return error.code
        # A link, or a file where a folder should be: the rest of the stick may be as it should.
        is_in_the_way = error.code == "stick_failed" and self._stick.is_there()
        return "not_writable" if is_in_the_way else None

    def _look(self) -> None:
        """Learn what lies on the stick already (CP1)."""
        own = self._ports.signer.public_key
        indexes = look(self._stick, self._ports.verify).indexes
        for index in sorted(indexes, key=lambda one: one.key != own):
            is_own = index.key == own
            for entry, sheet in sheets(self._stick, index):
                if is_own:
                    self._known.own[entry.lesson] = entry
                for file, path in zip(sheet.files, entry.paths, strict=True):
                    if not is_own:
                        self._known.others.add(path)
                    if path and self._stick.size(path) == file.manifest.size_bytes:
                        self._note(file, path, is_own=is_own)

    def _note(self, file: SheetFile, path: str, *, is_own: bool) -> None:
        if is_own:
            lying = _Lying(path=path, ext=file.ext, manifest=file.manifest)
            self._known.files.setdefault(file.digest, lying)
        else:
            self._known.hints.setdefault(file.digest, path)

    def _held(self, lesson: LessonId) -> tuple[Holding, ...]:
        """List what of a lesson is worth carrying: what is here and is not known not to play."""
        return tuple(
            one
            for one in self._station.holdings.of_lesson(lesson)
            if one.blob is not None and one.blob.decodes is not Decodes.NO
        )

    # --- one lesson ----------------------------------------------------------------------

    def _pack(self, name: LessonId, held: Sequence[Holding]) -> None:
        record = self._station.catalogue.record(name)
        lesson = None if record is None else record.lesson
        self._title = display_title(lesson.title) if lesson is not None else ""
        if record is None or lesson is None:
            raise LeftOut("lesson_unknown")
        if record.is_withdrawn:
            raise LeftOut("withdrawn")
        parts = {part.id: part for part in lesson.parts}
        rows = [one for one in held if one.part in parts]
        if not rows:
            raise LeftOut("nothing_here")
        self._require_room(rows)
        folder = self._folder(lesson)
        lying = {
            (one.part, one.path): self._lay(one.blob, folder, parts[one.part])
            for one in rows
            if one.blob is not None
        }
        entry, data = self._word(lesson, lying)
        if self._stick.size(sheet_path(entry.sheet)) != len(data):
            self._stick.write(sheet_path(entry.sheet), data)
        before = self._known.own.get(name)
        self._known.own[name] = entry
        self._write_index()
        if before is not None and before != entry:
            self._clear(before)
        self._packed[name] = sum(one.manifest.size_bytes for one in lying.values())

    def _word(self, lesson: Lesson, lying: _Laid) -> tuple[Entry, bytes]:
        """Find or make the signed sheet of a lesson whose files lie on the stick (CP5)."""
        vouched = self._vouchers.find(lesson.id)
        if vouched is not None and self._may_pass_on(vouched, lying):
            entry = replace(vouched.entry, paths=_paths(vouched.sheet, lying))
            return entry, vouched.data
        book = None if lesson.book is None else self._station.catalogue.book(lesson.book)
        files = tuple(
            SheetFile(part=part, path=path, ext=one.ext, manifest=one.manifest)
            for (part, path), one in lying.items()
        )
        sections = () if book is None else self._sections(lesson)
        sheet = Sheet(lesson=lesson, book=book, sections=sections, files=files)
        data = pack_sheet(sheet)
        known = self._known.own.get(lesson.id)
        if known is None or known.sheet != sheet_digest(data) or not self._is_mine(known):
            known = vouch(lesson.id, data, self._next_number(), self._ports.signer)
        return replace(known, paths=_paths(sheet, lying)), data

    def _may_pass_on(self, vouched: Vouched, lying: _Laid) -> bool:
        """Tell whether another's word holds for just these files."""
        entry = vouched.entry
        named = {(file.part, file.path): file.digest for file in vouched.sheet.files}
        is_same = all(named.get(of) == one.digest for of, one in lying.items())
        is_hubs = entry.key in self._ports.hubs and not self._is_mine(entry)
        return is_same and is_hubs and is_vouched(entry, self._ports.verify)

    def _is_mine(self, entry: Entry) -> bool:
        return entry.key == self._ports.signer.public_key

    def _sections(self, lesson: Lesson) -> tuple[Section, ...]:
        assert lesson.book is not None  # noqa: S101 - asked only of lessons in a book
        known = {one.id: one for one in self._station.catalogue.sections(lesson.book)}
        way = [known[one] for one in lesson.sections if one in known]
        return tuple(
            replace(one, parent=None if number == 0 else way[number - 1].id)
            for number, one in enumerate(way)
        )

    def _next_number(self) -> int:
        room = self._station.room
        number = int(room.local(_NUMBER) or "0") + 1
        room.set_local(_NUMBER, str(number)).result()
        return number

    # --- one file ------------------------------------------------------------------------

    def _require_room(self, rows: Sequence[Holding]) -> None:
        blobs = {one.blob.digest: one.blob.size_bytes for one in rows if one.blob is not None}
        there = {*self._known.files, *self._known.hints}
        missing = [size for digest, size in blobs.items() if digest not in there]
        if any(size > MOST_BYTES for size in missing):
            raise LeftOut("too_large_for_stick")
        if missing and self._stick.free_bytes() < sum(missing) + _SPARE_BYTES:
            raise StorageFullError("stick_full")

    def _lay(self, blob: Blob, folder: str, part: Part) -> _Lying:
        """Have a blob on the stick, once (CP1)."""
        known = self._known.files.get(blob.digest) or self._hinted(blob)
        if known is None:
            path = self._free_path(folder, part, blob)
            known = _Lying(path=path, ext=blob.ext, manifest=self._copy(blob, path))
        self._known.files[blob.digest] = known
        self._done += blob.size_bytes
        self._ports.progress(self._done, self._whole, self._title)
        return known

    def _hinted(self, blob: Blob) -> _Lying | None:
        """Read what another packer says lies here; None if it is something else."""
        path = self._known.hints.get(blob.digest)
        if path is None:
            return None
        try:
            manifest = self._read(path)
        except StorageError:
            if not self._stick.is_there():
                raise
            return None
        is_it = manifest.sha256.hex() == blob.digest
        return _Lying(path=path, ext=blob.ext, manifest=manifest) if is_it else None

    def _free_path(self, folder: str, part: Part, blob: Blob) -> str:
        """Choose the place of a file: one that is free, or has these very bytes (CP2)."""
        names = self._names(folder)
        word = self._ports.labels.role(part.role)
        while True:
            path = f"{folder}/{names.take(word, blob.ext)}"
            size = self._stick.size(path)
            if size is None or (path not in self._known.others and self._is_it(path, blob, size)):
                return path

    def _is_it(self, path: str, blob: Blob, size: int) -> bool:
        """Tell whether an earlier packing finished this file and did not come to say so."""
        if size != blob.size_bytes:
            return False
        return self._read(path).sha256.hex() == blob.digest

    def _copy(self, blob: Blob, path: str) -> Manifest:
        """Copy a blob, unless an earlier packing finished that (CP2, CP4)."""
        if self._stick.size(path) is not None:
            return self._read(path)
        part = path + PART
        try:
            manifest = self._grow(blob, part)
        except StorageFullError:
            self._stick.remove(part)
            raise
        if manifest.sha256.hex() != blob.digest:
            self._stick.remove(part)
            self._station.blobs.set_aside(blob.digest, blob.ext)
            self._station.holdings.lose(blob.digest, DAMAGED)
            raise LeftOut("damaged")
        self._stick.move(part, path)
        self._fresh[path] = manifest
        return manifest

    def _grow(self, blob: Blob, part: str) -> Manifest:
        maker = ManifestMaker()
        pieces = _pieces(self._station.blobs.path(blob.digest, blob.ext))
        with self._stick.grow(part) as file:
            file.cut()
            at = 0
            for data in pieces:
                maker.update(data)
                file.write(data)
                at += len(data)
                self._copied += len(data)
                self._ports.progress(self._done + at, self._whole, self._title)
            file.sync()
            file.forget()
        return maker.manifest()

    def _read(self, path: str) -> Manifest:
        """Make the manifest of a file on the stick, from the stick itself."""
        maker = ManifestMaker()
        with self._stick.open(path) as file:
            file.forget()
            while data := file.read(BLOCK_BYTES):
                maker.update(data)
        return maker.manifest()

    # --- names ---------------------------------------------------------------------------

    def _folder(self, lesson: Lesson) -> str:
        """Choose the folder of a lesson: where it was before, else by its place in school."""
        before = self._known.own.get(lesson.id)
        used = [] if before is None else [path for path in before.paths if path]
        if used:
            return used[0].rpartition("/")[0]
        place = lesson.place
        ways = [place.grade or self._ports.labels.elsewhere, place.subject, lesson.unit]
        above = ""
        for way in filter(None, ways):
            above += "/" * bool(above) + Names().take(way)
        title = f"{self._rank(lesson):02d} {display_title(lesson.title)}"
        return f"{above}/{self._names(above).take(title)}"

    def _rank(self, lesson: Lesson) -> int:
        """Count a lesson in its unit, from 1."""
        if lesson.book is None:
            return 1 + len(self._packed)
        beside = self._beside.get(lesson.book)
        if beside is None:
            beside = self._station.catalogue.lessons_of_book(lesson.book)
            self._beside[lesson.book] = beside
        unit = [one.id for one in beside if one.unit == lesson.unit]
        return unit.index(lesson.id) + 1 if lesson.id in unit else len(unit) + 1

    def _names(self, folder: str) -> Names:
        """Give the names of a folder that this packing gave already."""
        return self._folders.setdefault(folder, Names())

    # --- index ---------------------------------------------------------------------------

    def _write_index(self) -> None:
        """Say what lies here: the newest lessons first, as far as they fit (CP2)."""
        asked = [*reversed(self._known.own.values())][:MAX_ENTRIES]
        index = Index(
            key=self._ports.signer.public_key, site=self._ports.site, entries=tuple(asked[::-1])
        )
        data = pack_index(index, self._ports.signer)
        failpoint("courier.before_index")
        self._stick.write(index_path(index.key), data)

    def _clear(self, before: Entry) -> None:
        """Remove what an older packing of ours put there and nothing names any more."""
        named = {path for entry in self._known.own.values() for path in entry.paths}
        kept = named | self._known.others
        for path in before.paths:
            if path and path not in kept:
                self._stick.remove(path)
                self._known.files = {d: f for d, f in self._known.files.items() if f.path != path}

    def _check(self) -> None:
        """Read again what was written; what came out wrong counts no more (CP3)."""
        bad = {path for path, manifest in self._fresh.items() if not self._is_right(path, manifest)}
        wrong = [e for e in self._known.own.values() if bad & set(e.paths)]
        for entry in wrong:
            what = next(path for path in entry.paths if path in bad)
            self._rejected.append(Rejected(what=shown(what), why="stick_bad"))
            del self._known.own[entry.lesson]
            self._packed.pop(entry.lesson, None)
        if wrong:
            self._write_index()
        for path in bad:
            self._stick.remove(path)

    def _is_right(self, path: str, manifest: Manifest) -> bool:
        try:
            return self._read(path) == manifest
        except StorageError:
            if not self._stick.is_there():
                raise
            return False


def _paths(sheet: Sheet, lying: _Laid) -> tuple[str, ...]:
    """Say where the files of a sheet lie, empty for those that do not."""
    found = (lying.get((file.part, file.path)) for file in sheet.files)
    return tuple("" if one is None else one.path for one in found)


def _pieces(source: Path) -> Iterator[bytes]:
    """Read a blob. One that cannot be read ends early, and then has another digest (CP4)."""
    with contextlib.suppress(OSError), source.open("rb", buffering=0) as file:
        while data := file.read(BLOCK_BYTES):
            yield data
