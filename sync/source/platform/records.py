"""Records of the lists: books, lessons and e-textbooks (PLATFORM §1.4, §1.6, §1.9).

Invariants:
  R1  Where a record stands in school is read from its tags by dimension, never from a tree.
  R2  A record without a sound id or title is skipped and counted; it costs no other record.
  R3  A volume without tags has those of the set it belongs to.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from client.domain.catalogue import Book, Lesson, LessonKind, Placement, Tag
from client.domain.ids import BookId, LessonId, SectionId, SourceId
from sync.source.platform.checks import (
    BadRecord,
    Json,
    child,
    each,
    identity,
    items,
    maps,
    needed,
    number,
    text,
    texts,
    top_list,
)
from sync.source.platform.rules import Dimensions

_KINDS: Final[Mapping[str, LessonKind]] = {
    "national_lesson": LessonKind.NATIONAL,
    "elite_lesson": LessonKind.ELITE,
    "singing": LessonKind.SINGING,
}
_LANGUAGE: Final = "zh-CN"


def read_books(
    document: object, path: str, source: SourceId, dimensions: Dimensions
) -> tuple[tuple[Book, ...], int]:
    """Read one part of the book list.

    Returns:
        The books, and the number of broken records.

    Raises:
        ProtocolError: It is no list.
    """

    def read(record: Json) -> Book:
        tags = read_tags(record)
        return Book(
            id=BookId(identity(record)),
            source=source,
            title=needed(record, "title"),
            place=placement(tags, dimensions),
            tags=tags,
            provider=provider(record),
        )

    return each(top_list(document, path), read)


def read_lessons(
    document: object, path: str, source: SourceId, dimensions: Dimensions, book: BookId
) -> tuple[tuple[Lesson, ...], int]:
    """Read one part of a book's lesson list. Lessons come without parts.

    Returns:
        The lessons, and the number of broken records.

    Raises:
        ProtocolError: It is no list.
    """

    def read(record: Json) -> Lesson:
        tags = read_tags(record)
        return Lesson(
            id=LessonId(identity(record)),
            source=source,
            kind=_KINDS.get(text(record, "resource_type_code"), LessonKind.OTHER),
            title=title(record),
            place=placement(tags, dimensions),
            book=book,
            sections=sections(record),
            position=position(record),
            week=_name_of(tags, dimensions.week),
            provider=provider(record),
            tags=tags,
        )

    return each(top_list(document, path), read)


def read_textbooks(
    documents: Iterable[tuple[str, object]], source: SourceId, dimensions: Dimensions
) -> tuple[Mapping[str, tuple[Lesson, ...]], int]:
    """Read the parts of the e-textbook list together, because a volume needs its set.

    Returns:
        The e-textbooks by path of their part, and the number of broken records.

    Raises:
        ProtocolError: One of them is no list.
    """
    parents: dict[str, str] = {}

    def read(record: Json) -> Lesson:
        tags = read_tags(record)
        id_ = identity(record)
        above = texts(record, "teachmeterial_ids")
        if not tags and above:
            parents[id_] = above[0]
        return Lesson(
            id=LessonId(id_),
            source=source,
            kind=LessonKind.TEXTBOOK,
            title=title(record),
            place=placement(tags, dimensions),
            position=position(record),
            provider=provider(record),
            tags=tags,
        )

    found: dict[str, tuple[Lesson, ...]] = {}
    broken = 0
    for path, document in documents:
        found[path], skipped = each(top_list(document, path), read)
        broken += skipped
    tags_of = {str(lesson.id): lesson.tags for lessons in found.values() for lesson in lessons}

    def inherit(lesson: Lesson) -> Lesson:
        tags = tags_of.get(parents.get(lesson.id, ""), ())
        return replace(lesson, tags=tags, place=placement(tags, dimensions)) if tags else lesson

    return {path: tuple(map(inherit, lessons)) for path, lessons in found.items()}, broken


def read_tags(record: Json) -> tuple[Tag, ...]:
    """Read a record's tags in an order of their own: that of the record is noise."""

    def read(tag: Json) -> Tag:
        return Tag(
            dimension=text(tag, "tag_dimension_id"),
            id=needed(tag, "tag_id"),
            name=text(tag, "tag_name"),
        )

    tags, _ = each(items(record, "tag_list"), read)
    return tuple(sorted(set(tags), key=lambda tag: (tag.dimension, tag.id, tag.name)))


def placement(tags: Sequence[Tag], dimensions: Dimensions) -> Placement:
    """Say where a record stands, from the first tag of each dimension."""
    return Placement(
        stage=_name_of(tags, dimensions.stage),
        grade=_name_of(tags, dimensions.grade),
        subject=_name_of(tags, dimensions.subject),
        edition=_name_of(tags, dimensions.edition),
        volume=_name_of(tags, dimensions.volume),
    )


def title(record: Json) -> str:
    """Give the raw title; where a record has none, the one kept for other languages."""
    found = text(record, "title") or text(child(record, "global_title"), _LANGUAGE)
    if not found:
        raise BadRecord
    return found


def resource_title(record: Json) -> str:
    """Give a sub-resource's title. In details `title` is often only the name of its kind."""
    return (
        text(child(record, "global_title"), _LANGUAGE)
        or text(child(record, "custom_properties"), "original_title")
        or text(record, "title")
    )


def provider(record: Json) -> str:
    """Give the name of who provides it, empty when the record does not say."""
    names = (text(item, "name") for item in maps(record, "provider_list"))
    return next((name for name in names if name), "")


def sections(record: Json) -> tuple[SectionId, ...]:
    """Give the chapters a record hangs on, from unit to leaf."""
    ids = texts(record, "chapter_ids")
    if not ids:
        paths = texts(record, "chapter_paths")
        ids = tuple(step for step in paths[0].split("/") if step) if paths else ()
    return tuple(SectionId(id_) for id_ in ids)


def position(record: Json) -> int:
    """Give the display order: `res_sort` of lessons, `ppt_sort` of single resources."""
    order = child(record, "resource_custom_properties")
    return number(order, "res_sort") or number(order, "ppt_sort")


def _name_of(tags: Sequence[Tag], dimension: str) -> str:
    return next((tag.name for tag in tags if tag.dimension == dimension), "")
