"""Lessons as the catalogue knows them, whatever the source (glossary: docs/glossary.md).

A `Lesson` belongs to a `Book`, hangs on a path of `Section`s, and has `Part`s; each part is
one or more `RemoteFile`s. Tags keep the source's own ids as opaque text. Titles are kept raw
and shown through `display_title`.
"""

from dataclasses import dataclass, field
from enum import Enum

from client.domain.ids import BookId, LessonId, PartId, SectionId, SourceId


class Role(Enum):
    """What a part is for; names are those of the command line's JSON."""

    VIDEO = "video"
    SLIDES = "slides"
    PLAN = "plan"
    TASK = "task"
    EXERCISE = "exercise"
    AUDIO = "audio"
    TEXTBOOK = "textbook"
    EXPERIMENT = "experiment"
    BOOKMARKS = "bookmarks"
    """At which pages the chapters of a textbook begin; never shown, and no light asks for it."""


class LessonKind(Enum):
    """Kind of a catalogue entry."""

    NATIONAL = "national_lesson"
    ELITE = "elite_lesson"
    SINGING = "singing"
    TEXTBOOK = "textbook"
    QUESTIONS = "questions"
    """Exercises of a chapter, a picture each; no lesson of the timetable."""
    FOLDER = "folder"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """One tag of a record. All three are the source's own words."""

    dimension: str
    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TagNode:
    """A node of a source's tag tree; `parent` is a path like `a/b`, empty at the root."""

    path: str
    parent: str
    position: int
    tag: Tag
    is_hidden: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where a book stands in school: names in the source's language, empty when unknown."""

    stage: str = ""
    grade: str = ""
    subject: str = ""
    edition: str = ""
    volume: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """One textbook record: edition x volume."""

    id: BookId
    source: SourceId
    title: str
    place: Placement
    tags: tuple[Tag, ...] = ()
    provider: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A node of a book's chapter tree, in reading order."""

    id: SectionId
    book: BookId
    parent: SectionId | None
    position: int
    title: str


class FileUse(Enum):
    """What one remote file is good for in the classroom."""

    RENDITION = "rendition"
    """A playlist whose segments make one video of a certain height."""
    DOCUMENT = "document"
    AUDIO = "audio"
    IMAGE = "image"
    VIDEO_FILE = "video_file"
    """A whole video file (mp4), no playlist."""
    BOOKMARKS = "bookmarks"
    """See `client.domain.bookmarks`."""
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteFile:
    """One distinct file of a part.

    `path` is the address without its host prefix (the identity of the bytes); `urls` are the
    full addresses in order of preference. `md5` and `size_bytes` are those of the file at
    `path` (for a rendition: of the playlist), empty and 0 when the catalogue does not say.
    `total_bytes` and `segments` describe the media behind a playlist.
    """

    path: str
    urls: tuple[str, ...]
    format: str
    flags: tuple[str, ...]
    use: FileUse
    md5: str = ""
    size_bytes: int = 0
    is_protected: bool = False
    height: int = 0
    total_bytes: int = 0
    segments: int = 0
    duration_s: float = 0.0
    pages: int = 0

    @property
    def fetch_bytes(self) -> int:
        """Bytes that cross the link for it, 0 when unknown."""
        return self.total_bytes or self.size_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One sub-resource of a lesson."""

    id: PartId
    lesson: LessonId
    role: Role
    title: str
    label: str
    position: int
    period: int
    """Class period it belongs to, from 0; -1 when the source does not say."""
    duration_s: float = 0.0
    files: tuple[RemoteFile, ...] = ()

    @property
    def is_protected(self) -> bool:
        """Tell whether every file of it is protected."""
        return bool(self.files) and all(file.is_protected for file in self.files)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """One lesson as lists and details give it; `parts` is empty until its detail was read."""

    id: LessonId
    source: SourceId
    kind: LessonKind
    title: str
    """Raw, as the source spells it; show `display_title(title)`."""
    place: Placement
    book: BookId | None = None
    sections: tuple[SectionId, ...] = ()
    section_titles: tuple[str, ...] = ()
    """Display titles from unit to leaf."""
    position: int = 0
    """Order inside the book."""
    week: str = ""
    provider: str = ""
    periods: tuple[tuple[PartId, ...], ...] = ()
    tags: tuple[Tag, ...] = ()
    parts: tuple[Part, ...] = field(default=())
    has_detail: bool = False

    @property
    def unit(self) -> str:
        """Title of the first-level section, empty when there is none."""
        return self.section_titles[0] if self.section_titles else ""


def display_title(raw: str) -> str:
    """Fold newlines and runs of blanks: titles of the platform hold both."""
    return " ".join(raw.split())
