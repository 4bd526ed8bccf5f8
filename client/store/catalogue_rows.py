"""Rows of the catalogue and the values they stand for; and what counts as a change of them.

Invariants:
  C1  The change key of a record is a hash of its normalised content: tags sorted, no hosts, no
      display order of tags. Records that differ in nothing else have equal keys.
"""

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import Final

from client.domain.catalogue import (
    Book,
    FileUse,
    Lesson,
    LessonKind,
    Part,
    Placement,
    RemoteFile,
    Role,
    Section,
    Tag,
)
from client.domain.ids import BookId, LessonId, PartId, SectionId, SourceId

_KEY_BYTES: Final = 16


class DetailState(Enum):
    """What is known of a record's own document; persisted by value."""

    UNREAD = "unread"
    HERE = "here"
    GONE = "gone"
    """It answered 404 while the record is listed."""
    REFUSED = "refused"
    """It answered 401 or 403."""


def book_key(book: Book) -> bytes:
    """Give the change key of a book."""
    return _key([book.source, book.title, _place(book.place), _tags(book.tags), book.provider])


def lesson_key(lesson: Lesson) -> bytes:
    """Give the change key of what a list says of a lesson."""
    return _key(
        [
            lesson.source,
            lesson.kind.value,
            lesson.title,
            lesson.book,
            lesson.sections,
            lesson.position,
            lesson.week,
            lesson.provider,
            _place(lesson.place),
            _tags(lesson.tags),
        ]
    )


def parts_key(lesson: Lesson) -> bytes:
    """Give the change key of what a lesson's own document says."""
    return _key(
        [lesson.periods, [[*_part(part), *map(_file, part.files)] for part in lesson.parts]]
    )


def book_values(book: Book, tags: str, key: bytes) -> tuple[object, ...]:
    """Give the values of a book's columns from `id` to `digest`."""
    return (book.id, book.source, book.title, *_place(book.place), book.provider, tags, key)


def lesson_values(
    lesson: Lesson, titles: Sequence[str], tags: str, key: bytes
) -> tuple[object, ...]:
    """Give the values of a lesson's columns from `id` to `tags`, and `digest`.

    `titles` are display titles from unit to leaf.
    """
    return (
        lesson.id,
        lesson.source,
        lesson.kind.value,
        lesson.title,
        lesson.book,
        packed(lesson.sections),
        packed(titles),
        titles[0] if titles else "",
        lesson.position,
        lesson.week,
        lesson.provider,
        *_place(lesson.place),
        tags,
        key,
    )


def part_values(n: int, part: Part) -> tuple[object, ...]:
    """Give a row of `part`."""
    return (n, *_part(part))


def file_values(n: int, part: PartId, position: int, file: RemoteFile) -> tuple[object, ...]:
    """Give a row of `file`."""
    path, format_, _, *rest = _file(file)
    return (n, part, path, position, packed(file.urls), format_, packed(file.flags), *rest)


def book_from(row: sqlite3.Row, tags: Mapping[int, Tag]) -> Book:
    """Make a book of its row."""
    return Book(
        id=BookId(row["id"]),
        source=SourceId(row["source"]),
        title=row["title"],
        place=_place_from(row),
        tags=_tags_from(row, tags),
        provider=row["provider"],
    )


def section_from(row: sqlite3.Row) -> Section:
    """Make a section of its row."""
    parent = row["parent"]
    return Section(
        id=SectionId(row["id"]),
        book=BookId(row["book"]),
        parent=None if parent is None else SectionId(parent),
        position=row["position"],
        title=row["title"],
    )


def lesson_from(row: sqlite3.Row, tags: Mapping[int, Tag], parts: tuple[Part, ...]) -> Lesson:
    """Make a lesson of its row and its parts."""
    book = row["book"]
    return Lesson(
        id=LessonId(row["id"]),
        source=SourceId(row["source"]),
        kind=LessonKind(row["kind"]),
        title=row["title"],
        place=_place_from(row),
        book=None if book is None else BookId(book),
        sections=tuple(SectionId(id_) for id_ in unpacked(row["sections"])),
        section_titles=unpacked(row["section_titles"]),
        position=row["position"],
        week=row["week"],
        provider=row["provider"],
        periods=tuple(
            tuple(PartId(id_) for id_ in period) for period in json.loads(row["periods"])
        ),
        tags=_tags_from(row, tags),
        parts=parts,
        has_detail=row["parts_digest"] is not None,
    )


def part_from(row: sqlite3.Row, lesson: LessonId, files: tuple[RemoteFile, ...]) -> Part:
    """Make a part of its row and its files."""
    return Part(
        id=PartId(row["id"]),
        lesson=lesson,
        role=Role(row["role"]),
        title=row["title"],
        label=row["label"],
        position=row["position"],
        period=row["period"],
        duration_s=row["duration_s"],
        files=files,
    )


def file_from(row: sqlite3.Row) -> RemoteFile:
    """Make a file of its row."""
    return RemoteFile(
        path=row["path"],
        urls=unpacked(row["urls"]),
        format=row["format"],
        flags=unpacked(row["flags"]),
        use=FileUse(row["use"]),
        md5=row["md5"],
        size_bytes=row["size_bytes"],
        is_protected=bool(row["is_protected"]),
        height=row["height"],
        total_bytes=row["total_bytes"],
        segments=row["segments"],
        duration_s=row["duration_s"],
        pages=row["pages"],
    )


def packed(values: Iterable[object]) -> str:
    """Write a short list into one column."""
    return json.dumps(list(values), ensure_ascii=False, separators=(",", ":"))


def unpacked(text: str) -> tuple[str, ...]:
    """Read what `packed` wrote of texts."""
    return tuple(json.loads(text))


def _key(content: object) -> bytes:
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:_KEY_BYTES]


def _tags(tags: Iterable[Tag]) -> list[tuple[str, str, str]]:
    return sorted((tag.dimension, tag.id, tag.name) for tag in tags)


def _place(place: Placement) -> tuple[str, ...]:
    return (place.stage, place.grade, place.subject, place.edition, place.volume)


def _place_from(row: sqlite3.Row) -> Placement:
    return Placement(
        stage=row["stage"],
        grade=row["grade"],
        subject=row["subject"],
        edition=row["edition"],
        volume=row["volume"],
    )


def _tags_from(row: sqlite3.Row, tags: Mapping[int, Tag]) -> tuple[Tag, ...]:
    return tuple(tags[n] for n in json.loads(row["tags"]))


def _part(part: Part) -> tuple[object, ...]:
    return (
        part.id,
        part.role.value,
        part.title,
        part.label,
        part.position,
        part.period,
        float(part.duration_s),
    )


def _file(file: RemoteFile) -> tuple[object, ...]:
    """Everything of a file but its hosts."""
    return (
        file.path,
        file.format,
        file.flags,
        file.use.value,
        file.md5,
        file.size_bytes,
        int(file.is_protected),
        file.height,
        file.total_bytes,
        file.segments,
        float(file.duration_s),
        file.pages,
    )
