"""Lessons in a folder: what a county sends on a disk and a teacher keeps at home.

A folder that holds a `lesson.toml` says itself what it is. Otherwise the names on the way tell:
`三年级/数学/第六单元 认识分数/分一分/课件.pdf`. What they do not tell stays empty, and then it is
offered to a slot instead.

Invariants:
  F1  Reading a folder changes nothing in it, follows no link out of it and opens no file but
      `lesson.toml`; names are only shown, never used as names here.
  F2  The same tree gives the same lessons with the same ids, in any order of the directory and
      wherever it is mounted; different lessons without a place never share an id.
  F3  What cannot be taken is listed with a reason; it stops nothing.
"""

import hashlib
import os
import stat
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from client.domain.cancel import CancelToken
from client.domain.catalogue import FileUse, Placement, Role
from client.domain.ids import BookId, LessonId, SectionId, SourceId
from sync.source.folder_looks import Stamp
from sync.source.folder_names import (
    ROLES,
    Natural,
    Ways,
    bare,
    natural,
    read_ways,
    role_of,
    shown,
    use_of,
)

DESCRIPTION: Final = "lesson.toml"
NO_RELAY: Final = "no-relay"
"""Flag of files whose `lesson.toml` says `relay = false`: for this room, not to be handed on."""
MOST_FILES: Final = 20_000
MOST_DEPTH: Final = 12
MOST_BYTES: Final = 8 << 30
_DESCRIPTION_BYTES: Final = 64 << 10
_PLACE: Final = ("stage", "grade", "subject", "edition", "volume")
_OF_SYSTEMS: Final = frozenset(
    {"$recycle.bin", "system volume information", "lost+found", "thumbs.db", "desktop.ini"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderFile:
    """One file worth taking."""

    path: Path
    role: Role
    use: FileUse
    format: str
    title: str
    size_bytes: int
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderLesson:
    """Files that belong together. `place` may be empty: then nobody knows yet what it is."""

    title: str
    place: Placement
    unit: str
    position: int
    files: tuple[FolderFile, ...]

    @property
    def is_placed(self) -> bool:
        """Tell whether grade and subject are known."""
        return bool(self.place.grade and self.place.subject)

    @property
    def id(self) -> LessonId:
        """Its identity: by what it is, not by where it lies (F2).

        Two films `01.mp4` of two disks are two lessons: without a place, files count too.
        """
        files = () if self.is_placed else tuple(sorted(map(_name_and_size, self.files)))
        return LessonId(f"f-{_hex(*_words(self.place), self.unit, self.title, *files)}")

    @property
    def book(self) -> BookId | None:
        """The book it stands in, None when its place is not known."""
        return BookId(f"book-{_hex(*_words(self.place))}") if self.is_placed else None

    @property
    def section(self) -> SectionId | None:
        """The unit it stands in."""
        return SectionId(f"s-{_hex(*_words(self.place), self.unit)}") if self.unit else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """What was not taken: its name inside the folder, and a message code."""

    what: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderScan:
    """What a folder holds, in teaching order."""

    lessons: tuple[FolderLesson, ...]
    rejected: tuple[Rejected, ...]


@dataclass(slots=True)
class _Found:
    """What is gathered on the way: lessons by what makes them one."""

    root: Path
    takes: Callable[[Path], bool]
    lessons: dict[tuple[str, ...], FolderLesson] = field(default_factory=dict)
    rejected: list[Rejected] = field(default_factory=list)
    files: int = 0

    def refuse(self, path: Path, why: str) -> None:
        """List what is not taken (F3)."""
        inside = path.relative_to(self.root) if path.is_relative_to(self.root) else path.name
        self.rejected.append(Rejected(what=shown(str(inside)), why=why))

    def add(self, lesson: FolderLesson, folder: Path) -> None:
        """Add files to the lesson they belong to; without a place only beside each other."""
        where = "" if lesson.is_placed else str(folder)
        key = (*_words(lesson.place), lesson.unit, lesson.title, where)
        known = self.lessons.get(key)
        files = lesson.files if known is None else (*known.files, *lesson.files)
        self.lessons[key] = replace(known or lesson, files=files)


def source_of(folder: Path) -> SourceId:
    """Name the source that a folder is."""
    return SourceId(f"folder-{_hex(str(folder))[:8]}")


def _takes_all(_path: Path) -> bool:
    return True


def scan(root: Path, cancel: CancelToken, takes: Callable[[Path], bool] = _takes_all) -> FolderScan:
    """Look through a folder, or at a single file (F1 to F3). Blocking.

    Args:
        root: The folder or file.
        cancel: Stops it.
        takes: A file it is false of counts as not there.

    Raises:
        Cancelled: As asked.
    """
    if root.is_dir():
        found = _Found(root, takes)
        for folder, files in _walk(found, cancel):
            _gather(folder, files, found)
    else:
        found = _Found(root.parent, takes)
        _gather(root.parent, [root], found)
    lessons = sorted(map(_in_order, found.lessons.values()), key=_order)
    ranked = (replace(lesson, position=rank) for rank, lesson in enumerate(lessons))
    return FolderScan(lessons=tuple(ranked), rejected=tuple(found.rejected))


def stamps(root: Path, cancel: CancelToken) -> Mapping[str, Stamp]:
    """List size and time of every file a scan would look at, by its path below `root`. Blocking.

    Raises:
        Cancelled: As asked.
    """
    found: dict[str, Stamp] = {}
    for _, files in _walk(_Found(root, _takes_all), cancel):
        for path in files:
            try:
                facts = path.lstat()
            except OSError:
                continue  # gone since, or on its way: the next look tells
            if stat.S_ISREG(facts.st_mode) and _is_of_use(path):
                found[str(path.relative_to(root))] = Stamp(facts.st_size, facts.st_mtime_ns)
    return found


def _is_of_use(path: Path) -> bool:
    return path.name == DESCRIPTION or use_of(_ext(path)) is not None


def _ext(path: Path) -> str:
    return path.suffix.lower().lstrip(".")


def _order(one: FolderLesson) -> tuple[tuple[str, ...], Natural, int, Natural, LessonId]:
    return _words(one.place), natural(one.unit), one.position, natural(one.title), one.id


def _in_order(lesson: FolderLesson) -> FolderLesson:
    return replace(lesson, files=tuple(sorted(lesson.files, key=_file_order)))


def _file_order(file: FolderFile) -> tuple[bool, Natural, str, str]:
    """Films first, then as one counts."""
    is_film = file.use is FileUse.VIDEO_FILE
    return not is_film, natural(file.path.stem), file.format, str(file.path)


def _walk(found: _Found, cancel: CancelToken) -> Iterator[tuple[Path, list[Path]]]:
    def refuse(error: OSError) -> None:
        found.refuse(Path(error.filename), "unreadable")

    for place, folders, names in os.walk(found.root, onerror=refuse):
        cancel.check()
        folder = Path(place)
        folders[:] = _to_enter(folder, folders, found)
        paths = (folder / name for name in sorted(names) if not _is_hidden(name))
        files = [path for path in paths if found.takes(path)]
        found.files += len(files)
        if found.files > MOST_FILES:
            found.refuse(folder, "too_many_files")
            return
        if files:
            yield folder, files


def _to_enter(folder: Path, names: Sequence[str], found: _Found) -> list[str]:
    """Choose the folders to look into, in a fixed order."""
    is_deep = len(folder.relative_to(found.root).parts) >= MOST_DEPTH
    entered = []
    for name in sorted(name for name in names if not _is_hidden(name)):
        if (folder / name).is_symlink():
            found.refuse(folder / name, "is_link")
        elif is_deep:
            found.refuse(folder / name, "too_deep")
        else:
            entered.append(name)
    return entered


def _gather(folder: Path, paths: Sequence[Path], found: _Found) -> None:
    """Make lessons of the files of one folder."""
    described = _description(folder, found) if folder / DESCRIPTION in paths else None
    ways = read_ways((found.root.name, *folder.relative_to(found.root).parts))
    files = []
    for path in paths:
        if path.name == DESCRIPTION:
            continue
        taken = _file(path, ways.hint)
        if isinstance(taken, FolderFile):
            files.append(taken)
        else:
            found.refuse(path, taken)
    if files and described is not None:
        found.add(_from_description(described, files), folder)
    elif files:
        home = folder.parent if ways.hint else folder
        for lesson in _from_names(ways, files):
            found.add(lesson, home)


def _file(path: Path, hint: str) -> FolderFile | str:
    """Look at one file; a text is the reason why it is not taken."""
    ext = _ext(path)
    use = use_of(ext)
    if use is None:
        return "kind_unknown"
    try:
        facts = path.lstat()
    except OSError:
        return "unreadable"
    table = (
        (stat.S_ISLNK(facts.st_mode), "is_link"),
        (not stat.S_ISREG(facts.st_mode), "kind_unknown"),
        (facts.st_size == 0, "empty"),
        (facts.st_size > MOST_BYTES, "too_large"),
    )
    refused = next((why for holds, why in table if holds), None)
    if refused is not None:
        return refused
    title = shown(path.stem) or ext
    return FolderFile(
        path=path,
        role=role_of(use, title, hint),
        use=use,
        format=ext,
        title=title,
        size_bytes=facts.st_size,
    )


def _from_names(ways: Ways, files: Sequence[FolderFile]) -> Iterator[FolderLesson]:
    """One film and what lies beside it is a lesson; several films are several lessons."""
    films = [file for file in files if file.use is FileUse.VIDEO_FILE]
    if len(films) <= 1 and ways.lesson:
        parts: dict[str, list[FolderFile]] = {ways.lesson: list(files)}
    else:
        parts = {}
        for file in files:
            parts.setdefault(_title_beside(file, films, ways.lesson), []).append(file)
    for title, mine in parts.items():
        yield FolderLesson(
            title=title, place=ways.place, unit=ways.unit, position=0, files=tuple(mine)
        )


def _title_beside(file: FolderFile, films: Sequence[FolderFile], lesson: str) -> str:
    """Name the lesson of a file: that of the film whose name it begins with, else its own."""
    begun = [film.title for film in films if file.title.startswith(film.title)]
    is_film = file.use is FileUse.VIDEO_FILE
    own = file.title if is_film else max(begun, key=len, default=bare(file.title))
    return own if lesson in own else f"{lesson} {own}"


def _description(folder: Path, found: _Found) -> Mapping[str, object] | None:
    """Read `lesson.toml`; one that is a link or no file is not opened (F1)."""
    path = folder / DESCRIPTION
    described: Mapping[str, object] = {}
    try:
        if stat.S_ISREG(path.lstat().st_mode):
            with path.open("rb") as file:
                described = tomllib.loads(file.read(_DESCRIPTION_BYTES).decode("utf-8"))
    except (OSError, ValueError, RecursionError):
        described = {}
    if not _told(described, "title"):
        found.refuse(path, "description_broken")
        return None
    return described


def _from_description(described: Mapping[str, object], files: Sequence[FolderFile]) -> FolderLesson:
    """Take title, place and roles from `lesson.toml`; files it does not name keep their guess."""
    told = described.get("part")
    parts = told if isinstance(told, list) else []
    named = {str(part.get("file")): part for part in parts if isinstance(part, dict)}
    position = described.get("position")
    flags = (NO_RELAY,) if described.get("relay") is False else ()
    return FolderLesson(
        title=_told(described, "title"),
        place=Placement(**{name: _told(described, name) for name in _PLACE}),
        unit=_told(described, "unit"),
        position=position if isinstance(position, int) and 0 <= position < MOST_FILES else 0,
        files=tuple(
            replace(_named(file, named.get(file.path.name, {})), flags=flags) for file in files
        ),
    )


def _named(file: FolderFile, part: Mapping[str, object]) -> FolderFile:
    wanted = (role for role in ROLES[file.use] if role.value == part.get("role"))
    return replace(file, role=next(wanted, file.role), title=_told(part, "title") or file.title)


def _told(row: Mapping[str, object], name: str) -> str:
    value = row.get(name)
    return shown(value) if isinstance(value, str) else ""


def _is_hidden(name: str) -> bool:
    return (
        name.startswith((".", "~$"))
        or name.endswith((".part", ".tmp", ".crdownload"))
        or name.lower() in _OF_SYSTEMS
    )


def _name_and_size(file: FolderFile) -> str:
    return f"{file.path.name}\n{file.size_bytes}"


def _words(place: Placement) -> tuple[str, ...]:
    return tuple(getattr(place, name) for name in _PLACE)


def _hex(*words: str) -> str:
    whole = "\0".join(words).encode("utf-8", "surrogatepass")
    return hashlib.sha256(whole).hexdigest()[:16]
