"""Lessons in a folder: what a county sends on a disk and a teacher keeps at home.

A folder that holds a `lesson.toml` says itself what it is. Otherwise the names on the way tell:
`三年级/数学/第六单元 认识分数/分一分/课件.pdf`. What they do not tell stays empty, and then it is
offered to a slot instead.

Invariants:
  F1  Reading a folder changes nothing in it, follows no link out of it and opens no file but
      `lesson.toml`; names are only shown, never used as names here.
  F2  The same tree gives the same lessons with the same ids, in any order of the directory.
  F3  What cannot be taken is listed with a reason; it stops nothing.
"""

import hashlib
import os
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

from client.domain.cancel import CancelToken
from client.domain.catalogue import FileUse, Placement, Role
from client.domain.ids import BookId, LessonId, SectionId, SourceId
from client.service.paths import ASSETS
from client.service.school_words import load_subjects

DESCRIPTION: Final = "lesson.toml"
MOST_FILES: Final = 20_000
MOST_DEPTH: Final = 12
MOST_BYTES: Final = 8 << 30
_DESCRIPTION_BYTES: Final = 64 << 10
_TEXT: Final = 200
_PLACE: Final = ("stage", "grade", "subject", "edition", "volume")


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderFile:
    """One file worth taking."""

    path: Path
    role: Role
    use: FileUse
    format: str
    title: str
    size_bytes: int


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
        """Its identity: by what it is, not by where it lies (F2)."""
        return LessonId(f"f-{_hex(*_words(self.place), self.unit, self.title)}")

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
    """What a folder holds."""

    lessons: tuple[FolderLesson, ...]
    rejected: tuple[Rejected, ...]


@dataclass(slots=True)
class _Found:
    """What is gathered on the way."""

    lessons: list[FolderLesson] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    files: int = 0


def source_of(folder: Path) -> SourceId:
    """Name the source that a folder is."""
    return SourceId(f"folder-{_hex(str(folder))[:8]}")


def scan(root: Path, cancel: CancelToken) -> FolderScan:
    """Look through a folder, or at a single file (F1 to F3). Blocking.

    Raises:
        Cancelled: As asked.
    """
    found = _Found()
    if root.is_file():
        _gather(root.parent, [root], root.parent, found)
    else:
        for folder, files in _walk(root, cancel, found):
            _gather(folder, files, root, found)
    return FolderScan(
        lessons=tuple(sorted(found.lessons, key=_order)), rejected=tuple(found.rejected)
    )


def _order(one: FolderLesson) -> tuple[tuple[str, ...], str, int, str]:
    return _words(one.place), one.unit, one.position, one.title


def _walk(root: Path, cancel: CancelToken, found: _Found) -> Iterator[tuple[Path, list[Path]]]:
    def refuse(error: OSError) -> None:
        found.rejected.append(Rejected(what=_shown(Path(error.filename), root), why="unreadable"))

    for place, folders, names in os.walk(root, onerror=refuse):
        cancel.check()
        folder = Path(place)
        deep = len(folder.relative_to(root).parts)
        folders[:] = sorted(
            name for name in folders if not _is_hidden(name) and not (folder / name).is_symlink()
        )
        if deep >= MOST_DEPTH:
            folders.clear()
        files = [folder / name for name in sorted(names) if not _is_hidden(name)]
        found.files += len(files)
        if found.files > MOST_FILES:
            found.rejected.append(Rejected(what=_shown(folder, root), why="too_many_files"))
            return
        if files:
            yield folder, files


def _gather(folder: Path, paths: Sequence[Path], root: Path, found: _Found) -> None:
    """Make lessons of the files of one folder."""
    described = _description(folder, root, found) if folder / DESCRIPTION in paths else None
    files = []
    for path in paths:
        if path.name == DESCRIPTION:
            continue
        taken = _file(path)
        if isinstance(taken, FolderFile):
            files.append(taken)
        else:
            found.rejected.append(Rejected(what=_shown(path, root), why=taken))
    if described is not None:
        found.lessons.append(_from_description(described, files))
    elif files:
        found.lessons += _from_names(folder, files, root)


def _file(path: Path) -> FolderFile | str:
    """Look at one file; a text is the reason why it is not taken."""
    ext = path.suffix.lower().lstrip(".")
    use = _uses().get(ext)
    if use is None:
        return "kind_unknown"
    try:
        if path.is_symlink():
            return "is_link"
        size = path.stat().st_size
    except OSError:
        return "unreadable"
    if size == 0:
        return "empty"
    if size > MOST_BYTES:
        return "too_large"
    title = path.stem[:_TEXT]
    return FolderFile(
        path=path, role=_role(use, title), use=use, format=ext, title=title, size_bytes=size
    )


def _from_names(folder: Path, files: Sequence[FolderFile], root: Path) -> list[FolderLesson]:
    """One film and what lies beside it is a lesson; several films are several lessons."""
    ways = (root.name, *folder.relative_to(root).parts)
    place, unit, rest = _read_ways(ways)
    films = [file for file in files if file.use is FileUse.VIDEO_FILE]
    if len(films) <= 1 and rest:
        return [FolderLesson(title=rest, place=place, unit=unit, position=0, files=tuple(files))]
    lessons, beside = [], [file for file in files if file not in films]
    for film in films:
        mine = [file for file in beside if file.title.startswith(film.title)]
        beside = [file for file in beside if file not in mine]
        lessons.append((film.title, (film, *mine)))
    lessons += [(file.title, (file,)) for file in beside]
    return [
        FolderLesson(title=title, place=place, unit=unit, position=number, files=parts)
        for number, (title, parts) in enumerate(lessons)
    ]


def _read_ways(ways: Sequence[str]) -> tuple[Placement, str, str]:
    """Read the names of the folders on the way: place, unit, and what is left of the last one."""
    names: dict[str, str] = {}
    unit, rest = "", ""
    known = _places()
    for way in ways:
        subject = load_subjects().find(way)
        kind = next((kind for kind, words in known.items() if way in words), None)
        if kind is not None:
            names[kind], rest = way, ""
        elif subject is not None:
            names["subject"], rest = subject.name, ""
        elif any(word in way.lower() for word in _unit_words()):
            unit, rest = way[:_TEXT], ""
        else:
            rest = way[:_TEXT]
    if len(ways) == 1:
        rest = ""
    return Placement(**names), unit, rest


def _description(folder: Path, root: Path, found: _Found) -> Mapping[str, object] | None:
    path = folder / DESCRIPTION
    try:
        with path.open("rb") as file:
            data = file.read(_DESCRIPTION_BYTES)
        described = tomllib.loads(data.decode("utf-8"))
    except (OSError, ValueError, RecursionError):
        described = {}
    if not _told(described, "title"):
        found.rejected.append(Rejected(what=_shown(path, root), why="description_broken"))
        return None
    return described


def _from_description(described: Mapping[str, object], files: Sequence[FolderFile]) -> FolderLesson:
    """Take title, place and roles from `lesson.toml`; files it does not name keep their guess."""
    told = described.get("part")
    parts = told if isinstance(told, list) else []
    named = {str(part.get("file")): part for part in parts if isinstance(part, dict)}
    position = described.get("position")
    return FolderLesson(
        title=_told(described, "title"),
        place=Placement(**{name: _told(described, name) for name in _PLACE}),
        unit=_told(described, "unit"),
        position=position if isinstance(position, int) and 0 <= position < MOST_FILES else 0,
        files=tuple(_named(file, named.get(file.path.name, {})) for file in files),
    )


def _named(file: FolderFile, part: Mapping[str, object]) -> FolderFile:
    role = next((role for role in Role if role.value == part.get("role")), file.role)
    return FolderFile(
        path=file.path,
        role=role,
        use=file.use,
        format=file.format,
        title=_told(part, "title") or file.title,
        size_bytes=file.size_bytes,
    )


def _told(row: Mapping[str, object], name: str) -> str:
    value = row.get(name)
    return value.strip()[:_TEXT] if isinstance(value, str) else ""


def _role(use: FileUse, title: str) -> Role:
    lowered = title.lower()
    for role, words in _roles():
        if any(word in lowered for word in words):
            return role
    if use is FileUse.VIDEO_FILE:
        return Role.VIDEO
    return Role.AUDIO if use is FileUse.AUDIO else Role.SLIDES


def _is_hidden(name: str) -> bool:
    return name.startswith((".", "~$")) or name.endswith((".part", ".tmp", ".crdownload"))


def _shown(path: Path, root: Path) -> str:
    name = str(path.relative_to(root)) if path.is_relative_to(root) else path.name
    return name.encode("utf-8", "replace").decode("utf-8")


def _words(place: Placement) -> tuple[str, ...]:
    return tuple(getattr(place, name) for name in _PLACE)


def _hex(*words: str) -> str:
    whole = "\0".join(words).encode("utf-8", "surrogateescape")
    return hashlib.sha256(whole).hexdigest()[:16]


@cache
def _data() -> Mapping[str, object]:
    return tomllib.loads((ASSETS / "roles.toml").read_text(encoding="utf-8"))


@cache
def _roles() -> tuple[tuple[Role, tuple[str, ...]], ...]:
    rows = _data()["role"]
    assert isinstance(rows, list)  # noqa: S101 - our own data file
    return tuple((Role(row["role"]), tuple(row["words"])) for row in rows)


@cache
def _uses() -> Mapping[str, FileUse]:
    kinds = _data()["kinds"]
    assert isinstance(kinds, dict)  # noqa: S101 - our own data file
    names = {
        "video": FileUse.VIDEO_FILE,
        "audio": FileUse.AUDIO,
        "document": FileUse.DOCUMENT,
        "image": FileUse.IMAGE,
    }
    return {ext: names[kind] for kind, exts in kinds.items() for ext in exts}


@cache
def _unit_words() -> tuple[str, ...]:
    units = _data()["units"]
    assert isinstance(units, dict)  # noqa: S101 - our own data file
    return tuple(units["words"])


@cache
def _places() -> Mapping[str, frozenset[str]]:
    known = tomllib.loads((ASSETS / "places.toml").read_text(encoding="utf-8"))
    names = {"stage": "stages", "grade": "grades", "volume": "volumes"}
    return {name: frozenset(known[rows]) for name, rows in names.items()}
