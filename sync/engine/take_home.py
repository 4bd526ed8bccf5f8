"""Lessons to take home: a folder or zip that phones and televisions open without this program.

For the days on which school is closed. One page of links, films, sounds and papers in folders
that say what they are; nothing has to be installed and no network is asked.

Invariants:
  TH1  Only what may leave goes: nothing protected, withdrawn or not to be handed on; nothing of
       pupils, classes or the room.
  TH2  Names are those FAT32 takes, whatever a catalogue calls a lesson; every link leads to a file.
  TH3  A file is read again after it was written; one that is not what it was here is told and not
       listed. The page comes last: what it names is there.
  TH4  Nobody else's folder is written into; a zip is there whole or not at all. What a packing
       that was interrupted left goes before anything is written (CS3 of `courier_stick`).
  TH5  A film in a wrapping that phones do not play is repacked; where that fails it goes as it
       is, and the page says where it plays.
"""

import hashlib
import shutil
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, NamedTuple, Protocol

from client.domain.cancel import CancelToken
from client.domain.catalogue import Lesson, Part, Role, display_title
from client.domain.errors import StorageError, StorageFullError, UserError
from client.domain.ids import Digest, LessonId
from client.service.api import PartView
from client.service.station import Station
from client.service.text import Words
from client.store.durable import move_file, sync_file, write_file
from sync.engine.courier_stick import PART
from sync.engine.home_page import MARK, HomeFile, HomeLesson, page
from sync.protocol.stick_names import Names, plain_name, same
from sync.source.folder import NO_RELAY, Rejected
from sync.source.folder_names import shown

PAGE: Final = "index.html"
MOST_BYTES: Final = (4 << 30) - 1
"""FAT32 holds no longer file."""
_ZIP: Final = ".zip"
_STREAM: Final = ".ts"
_WORK: Final = "home"
_CHUNK: Final = 1 << 20
_SPARE_BYTES: Final = 16 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class HomePorts:
    """What packing works with."""

    station: Station
    words: Words
    remux: Callable[[Path, Path], bool]
    """Makes an MP4 of a transport stream; tells whether it did (TH5)."""
    cancel: CancelToken
    progress: Callable[[int, int], None] = lambda _done, _all: None


@dataclass(frozen=True, slots=True, kw_only=True)
class HomePack:
    """What lies in the pack."""

    path: str
    lessons: tuple[LessonId, ...]
    files: int
    size_bytes: int
    rejected: tuple[Rejected, ...]


class _Place(NamedTuple):
    """A folder of the pack and the names that are taken in it."""

    folder: str
    names: Names


class WrittenWrongError(Exception):
    """What was written reads back as something else."""


class Sink(Protocol):
    """Where the files of a pack go."""

    def put(self, name: str, source: Path, digest: Digest) -> None:
        """Write a file; `WrittenWrongError` when it reads back as something else."""
        ...

    def finish(self, text: bytes) -> None:
        """Write the page, which makes the rest count."""
        ...

    def give_up(self) -> None:
        """Take away what is of no use unfinished."""
        ...


def take_home(ports: HomePorts, out: Path, lessons: Sequence[LessonId]) -> HomePack:
    """Pack what is here of some lessons. Blocking, for worker threads and the command line.

    Args:
        ports: What it works with.
        out: The folder, or a file that ends in `.zip`.
        lessons: Which, in this order.

    Raises:
        UserError: `home_nothing`, `home_not_empty`, `lesson_unknown`.
        StorageError: `home_full`, `home_failed`: no room there, or the disk or stick failed.
        Cancelled: As asked; the page of a folder names what it did before, and no zip is there.
    """
    out = out.absolute()
    packing = _Packing(ports)
    chosen = [packing.choose(one) for one in dict.fromkeys(lessons)]
    parts = [part for _, mine in chosen for part in mine]
    if not parts:
        raise UserError("home_nothing")
    try:
        _require_room(out, sum(part.size_bytes for part in parts))
        sink: Sink = (
            _Zip(out, ports.cancel)
            if out.suffix == _ZIP
            else _Folder(out, page((), ports.words), ports.cancel)
        )
        try:
            for done, (lesson, mine) in enumerate(chosen):
                ports.progress(done, len(chosen))
                packing.pack(lesson, mine, sink)
            ports.progress(len(chosen), len(chosen))
            sink.finish(page(packing.lessons, ports.words))
        except BaseException:
            sink.give_up()
            raise
    except (OSError, WrittenWrongError, zipfile.BadZipFile) as error:
        raise StorageError("home_failed", {"path": shown(str(out))}) from error
    finally:
        packing.clean()
    return packing.pack_of(out)


class _Packing:
    """One pack on its way."""

    def __init__(self, ports: HomePorts) -> None:
        self.lessons: list[HomeLesson] = []
        self._ports: Final = ports
        self._work: Final = ports.station.profile.folder / _WORK
        self._folders: dict[str, Names] = {}
        self._packed: list[LessonId] = []
        self._rejected: list[Rejected] = []
        self._size = 0

    def choose(self, name: LessonId) -> tuple[Lesson, tuple[PartView, ...]]:
        """Choose what of a lesson is here and may leave (TH1)."""
        record = self._ports.station.catalogue.record(name)
        if record is None:
            raise UserError("lesson_unknown", {"id": name})
        lesson = record.lesson
        views = self._ports.station.library.detail_now(name).parts
        here = [view for view in views if view.path is not None]
        if record.is_withdrawn or not here:
            self._reject(lesson.title, "withdrawn" if record.is_withdrawn else "not_here")
            return lesson, ()
        kept = {part.id for part in lesson.parts if _stays(part)}
        for view in here:
            if view.id in kept:
                self._reject(view.title, "not_to_relay")
        shows = (view for view in here if view.role is not Role.BOOKMARKS)
        return lesson, tuple(view for view in shows if view.id not in kept)

    def pack(self, lesson: Lesson, parts: Sequence[PartView], sink: Sink) -> None:
        """Write the files of a lesson."""
        title = display_title(lesson.title)
        place = [name for name in (lesson.place.grade, lesson.place.subject, lesson.unit) if name]
        above = "".join(f"{plain_name(name)}/" for name in place)
        folder = above + self._folders.setdefault(same(above), Names()).take(title)
        names, files = Names(), list[HomeFile]()
        for part in parts:
            role = self._ports.words(f"role.{part.role.value}")
            name = role if part.title in {"", title} else f"{role} {part.title}"
            file = self._file(part, name, _Place(folder, names), sink)
            files += [] if file is None else [file]
        if files:
            self._packed.append(lesson.id)
            self.lessons.append(
                HomeLesson(title=title, place=" · ".join(place), files=tuple(files))
            )

    def _file(self, part: PartView, name: str, place: _Place, sink: Sink) -> HomeFile | None:
        """Write one file; what goes wrong with it is told (TH3)."""
        path, digest = self._playable(part)
        size = path.stat().st_size
        if size > MOST_BYTES:
            self._reject(name, "too_large")
            return None
        where = f"{place.folder}/{place.names.take(name, path.suffix)}"
        try:
            sink.put(where, path, digest)
        except WrittenWrongError:
            self._reject(name, "written_wrong")
            return None
        self._size += size
        return HomeFile(name=name, path=where, size_bytes=size, is_stream=path.suffix == _STREAM)

    def _playable(self, part: PartView) -> tuple[Path, Digest]:
        """Give the file of a part as phones play it (TH5)."""
        path, digest = Path(str(part.path)), Digest(str(part.digest))
        if path.suffix == _STREAM:
            self._work.mkdir(exist_ok=True)
            made = self._work / "film.mp4"
            if self._ports.remux(path, made):
                return made, _sha256(made, self._ports.cancel)
        return path, digest

    def clean(self) -> None:
        """Take away what was repacked."""
        shutil.rmtree(self._work, ignore_errors=True)

    def pack_of(self, out: Path) -> HomePack:
        """Give the figures."""
        return HomePack(
            path=str(out),
            lessons=tuple(self._packed),
            files=sum(len(lesson.files) for lesson in self.lessons),
            size_bytes=self._size,
            rejected=tuple(self._rejected),
        )

    def _reject(self, what: str, why: str) -> None:
        self._rejected.append(Rejected(what=shown(what), why=why))


class _Folder:
    """A pack as a folder; one that was packed before may be packed again (TH4)."""

    def __init__(self, root: Path, blank: bytes, cancel: CancelToken) -> None:
        self._root: Final = root
        self._cancel: Final = cancel
        if root.exists() and not _is_ours(root):
            raise UserError("home_not_empty", {"path": shown(str(root))})
        root.mkdir(parents=True, exist_ok=True)
        for left in tuple(root.rglob(f"*{PART}")):
            left.unlink()
            left.with_name(left.name.removesuffix(PART)).unlink(missing_ok=True)
        if not (root / PAGE).exists():
            # A page that names nothing yet tells the next packing whose folder this is.
            self.finish(blank)

    def put(self, name: str, source: Path, digest: Digest) -> None:
        target = self._root / name
        if target.is_file() and _sha256(target, self._cancel) == digest:
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh = target.with_name(target.name + PART)
        try:
            with fresh.open("wb") as to:
                _copy(source, to, self._cancel)
            sync_file(fresh)
            if _sha256(fresh, self._cancel) != digest:
                raise WrittenWrongError(name)
            move_file(fresh, target)
        finally:
            fresh.unlink(missing_ok=True)

    def finish(self, text: bytes) -> None:
        write_file(self._root / PAGE, text)

    def give_up(self) -> None:
        """Whole files stay: the next packing goes on from them."""


class _Zip:
    """A pack as one file, there whole or not at all (TH4)."""

    def __init__(self, target: Path, cancel: CancelToken) -> None:
        if target.exists():
            raise UserError("home_not_empty", {"path": shown(str(target))})
        target.parent.mkdir(parents=True, exist_ok=True)
        self._target: Final = target
        self._fresh: Final = target.with_name(target.name + PART)
        self._cancel: Final = cancel
        self._digests: dict[str, Digest] = {}
        self._zip: Final = zipfile.ZipFile(self._fresh, "w")

    def put(self, name: str, source: Path, digest: Digest) -> None:
        # Films, sounds and PDFs are packed already. No time is written: clocks here are wrong.
        with self._zip.open(zipfile.ZipInfo(name), "w", force_zip64=True) as to:
            _copy(source, to, self._cancel)
        self._digests[name] = digest

    def finish(self, text: bytes) -> None:
        self._zip.writestr(zipfile.ZipInfo(PAGE), text)
        self._zip.close()
        sync_file(self._fresh)
        with zipfile.ZipFile(self._fresh) as found:
            for name, digest in self._digests.items():
                with found.open(name) as file:
                    if _digest(file, self._cancel) != digest:
                        raise WrittenWrongError(name)
        move_file(self._fresh, self._target)

    def give_up(self) -> None:
        self._zip.close()
        self._fresh.unlink(missing_ok=True)


def _stays(part: Part) -> bool:
    """Tell whether a part may not leave: whoever gave it said so, or it is protected (TH1)."""
    return any(file.is_protected or NO_RELAY in file.flags for file in part.files)


def _is_ours(root: Path) -> bool:
    """Tell whether a folder is empty or was packed here (TH4)."""
    if not root.is_dir():
        return False
    index = root / PAGE
    if index.is_file():
        return MARK in index.read_bytes()[:_CHUNK]
    return not any(root.iterdir())


def _require_room(out: Path, needed: int) -> None:
    near = next(folder for folder in out.parents if folder.is_dir())
    free = shutil.disk_usage(near).free
    if free < needed + _SPARE_BYTES:
        values = {"need_mb": needed >> 20, "free_mb": free >> 20}
        raise StorageFullError("home_full", values)


def _blocks(file: IO[bytes], cancel: CancelToken) -> Iterator[bytes]:
    while block := file.read(_CHUNK):
        cancel.check()
        yield block


def _copy(source: Path, to: IO[bytes], cancel: CancelToken) -> None:
    with source.open("rb") as file:
        for block in _blocks(file, cancel):
            to.write(block)


def _sha256(path: Path, cancel: CancelToken) -> Digest:
    with path.open("rb") as file:
        return _digest(file, cancel)


def _digest(file: IO[bytes], cancel: CancelToken) -> Digest:
    whole = hashlib.sha256()
    for block in _blocks(file, cancel):
        whole.update(block)
    return Digest(whole.hexdigest())
