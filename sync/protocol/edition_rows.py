"""What the catalogue knows, as rows of an edition and back.

    book     [book, 1, "", source, title, place, tags, provider]
    section  [book, 2, id, parent, position, title]
    lesson   [book, 3, id, source, kind, title, place, sections, section titles, position, week,
              provider, tags, periods, has detail, parts]
    part     [id, role, title, label, position, period, duration, files]
    file     [path, format, flags, use, md5, size, is protected, height, total, segments, duration,
              pages, may relay, digest, digest's size, manifest, urls]

Ids that are UUIDs are written as their 16 bytes, digests as bytes, durations in milliseconds. The
book of a lesson that stands in none is "". 0 stands for the place and the tags of a lesson that has
those of its book; section titles are told only where there is no book.

Invariants:
  W1  What is read of a row is what was written into it, up to a millisecond of a duration.
  W2  A file that is protected or not to be handed on never has a digest, whoever wrote the row.
  W3  Rows of anybody are bounded and of the kinds named here, or end in `ProtocolError`.
"""

import uuid
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Final, TypeVar

from client.domain.canon import Wire, encode
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
from client.domain.edition import Attested, Group
from client.domain.errors import ProtocolError
from client.domain.ids import BookId, Digest, LessonId, PartId, SectionId, SourceId
from sync.protocol.row_stream import Row, key_of

E = TypeVar("E", bound=Enum)

_BOOK: Final = 1
_SECTION: Final = 2
_LESSON: Final = 3
_NO_BOOK: Final = ""
_NO_BOOK_AT_ALL: Final = Book(
    id=BookId(""), source=SourceId(""), title="", place=Placement(), tags=()
)
MAX_TEXT: Final = 4000
MAX_GROUP_BYTES: Final = 8 << 20
"""Of the rows of one book, or of what stands in none."""
MAX_GROUP_FILES: Final = 50_000
"""Of one group: with its bytes this bounds what reading it takes."""
_UUID_TEXT: Final = 36
_UUID_BYTES: Final = 16
_HASH_BYTES: Final = 32
_MD5_BYTES: Final = 16
_MS: Final = 1000
_MOST: Final = 1 << 53


def rows_of(group: Group) -> list[Row]:
    """Give the rows of a group in their order."""
    named = {one.path: one for one in group.attested}
    book = group.book
    rows: list[Row] = [] if book is None else [_book_row(book)]
    rows += [_section_row(section) for section in group.sections]
    rows += [_lesson_row(lesson, book, named) for lesson in group.lessons]
    return sorted(rows, key=key_of)


def group_order(key: str) -> bytes:
    """Give what groups are ordered by: the rows of a stream stand group by group."""
    return encode(_id(key))


def book_of(row: Row) -> str:
    """Name the group a row belongs to.

    Raises:
        ProtocolError: `message_invalid`.
    """
    return _id_from(row[0])


def group_of(key: str, rows: Iterable[Row]) -> Group:
    """Read the rows of one group (W3).

    Raises:
        ProtocolError: `message_invalid` or `too_large`.
    """
    book: Book | None = None
    sections: list[Section] = []
    lessons: list[Lesson] = []
    attested: dict[str, Attested] = {}
    files = 0
    for row in rows:
        match row:
            case [_, 1, "", source, title, list(place), list(tags), provider]:
                book = Book(
                    id=BookId(key),
                    source=SourceId(_text(source)),
                    title=_text(title),
                    place=_place_from(place),
                    tags=_tags_from(tags),
                    provider=_text(provider),
                )
            case [_, 2, id_, parent, position, title]:
                sections.append(
                    Section(
                        id=SectionId(_id_from(id_)),
                        book=BookId(key),
                        parent=SectionId(_id_from(parent)) if parent != "" else None,
                        position=_count(position),
                        title=_text(title),
                    )
                )
            case [_, 3, *_]:
                lesson, found = _lesson_from(key, row, book)
                lessons.append(lesson)
                attested.update((one.path, one) for one in found)
                files += sum(len(part.files) for part in lesson.parts)
                if files > MAX_GROUP_FILES:
                    raise ProtocolError("too_large")
            case _:
                raise ProtocolError("message_invalid")
    in_order = tuple(sorted(sections, key=lambda one: (one.position, one.id)))
    return Group(
        key=key,
        book=book,
        sections=in_order,
        lessons=tuple(lessons),
        attested=tuple(attested.values()),
    )


# --- writing ------------------------------------------------------------------------------------


def _book_row(book: Book) -> Row:
    return [
        _id(book.id),
        _BOOK,
        "",
        _clean(book.source),
        _clean(book.title),
        _place(book.place),
        _tags(book.tags),
        _clean(book.provider),
    ]


def _section_row(section: Section) -> Row:
    parent = "" if section.parent is None else _id(section.parent)
    key: Row = [_id(section.book), _SECTION, _id(section.id)]
    return [*key, parent, section.position, _clean(section.title)]


def _lesson_row(lesson: Lesson, book: Book | None, named: Mapping[str, Attested]) -> Row:
    is_own_place = book is None or lesson.place != book.place
    is_own_tags = book is None or lesson.tags != book.tags
    titles = lesson.section_titles if lesson.book is None else ()
    return [
        _NO_BOOK if lesson.book is None else _id(lesson.book),
        _LESSON,
        _id(lesson.id),
        _clean(lesson.source),
        lesson.kind.value,
        _clean(lesson.title),
        _place(lesson.place) if is_own_place else 0,
        [_id(section) for section in lesson.sections],
        [_clean(title) for title in titles],
        lesson.position,
        _clean(lesson.week),
        _clean(lesson.provider),
        _tags(lesson.tags) if is_own_tags else 0,
        [[_id(part) for part in period] for period in lesson.periods],
        int(lesson.has_detail),
        [_part(part, named) for part in lesson.parts],
    ]


def _part(part: Part, named: Mapping[str, Attested]) -> Wire:
    return [
        _id(part.id),
        part.role.value,
        _clean(part.title),
        _clean(part.label),
        part.position,
        part.period,
        round(part.duration_s * _MS),
        [_file(file, named.get(file.path)) for file in part.files],
    ]


def _file(file: RemoteFile, attested: Attested | None) -> Wire:
    """Write a file; what may not be handed on has no digest (W2)."""
    shown = None if file.is_protected or attested is None or not attested.may_relay else attested
    told: list[Wire] = [b"", 0, b""]
    if shown is not None:
        told = [bytes.fromhex(shown.digest), shown.size_bytes, bytes.fromhex(shown.manifest)]
    return [
        _clean(file.path),
        _clean(file.format),
        [_clean(flag) for flag in file.flags],
        file.use.value,
        _md5(file.md5),
        file.size_bytes,
        int(file.is_protected),
        file.height,
        file.total_bytes,
        file.segments,
        round(file.duration_s * _MS),
        file.pages,
        int(attested is None or attested.may_relay),
        *told,
        [_clean(url) for url in file.urls],
    ]


def _place(place: Placement) -> list[Wire]:
    words = (place.stage, place.grade, place.subject, place.edition, place.volume)
    return [_clean(word) for word in words]


def _tags(tags: Iterable[Tag]) -> list[Wire]:
    return [[_clean(tag.dimension), _id(tag.id), _clean(tag.name)] for tag in tags]


def _id(text: str) -> Wire:
    """Write an id, a UUID as its bytes."""
    if len(text) == _UUID_TEXT:
        try:
            found = uuid.UUID(text)
        except ValueError:
            return _clean(text)
        if str(found) == text:
            return found.bytes
    return _clean(text)


def _md5(text: str) -> Wire:
    try:
        found = bytes.fromhex(text)
    except ValueError:
        return _clean(text)
    return found if len(found) == _MD5_BYTES and found.hex() == text else _clean(text)


def _clean(text: str) -> str:
    """Cut what no reader would take: half characters, zeros, and novels."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()[:MAX_TEXT]


# --- reading ------------------------------------------------------------------------------------


def _lesson_from(key: str, row: Row, book: Book | None) -> tuple[Lesson, list[Attested]]:
    match row[2:]:
        case [
            id_,
            source,
            kind,
            title,
            place,
            list(sections),
            list(titles),
            position,
            week,
            provider,
            tags,
            list(periods),
            has_detail,
            list(parts),
        ]:
            lesson_id = LessonId(_id_from(id_))
            found: list[Attested] = []
            read = tuple(_part_from(lesson_id, part, found) for part in parts)
            home = book or _NO_BOOK_AT_ALL
            lesson = Lesson(
                id=lesson_id,
                source=SourceId(_text(source)),
                kind=_one_of(LessonKind, kind),
                title=_text(title),
                place=home.place if place == 0 else _place_from(_list(place)),
                book=BookId(key) if key else None,
                sections=tuple(SectionId(_id_from(one)) for one in sections),
                section_titles=tuple(_text(one) for one in titles),
                position=_count(position),
                week=_text(week),
                provider=_text(provider),
                periods=tuple(
                    tuple(PartId(_id_from(one)) for one in _list(period)) for period in periods
                ),
                tags=home.tags if tags == 0 else _tags_from(_list(tags)),
                parts=read,
                has_detail=bool(_count(has_detail)),
            )
        case _:
            raise ProtocolError("message_invalid")
    return lesson, found


def _part_from(lesson: LessonId, wire: Wire, found: list[Attested]) -> Part:
    match wire:
        case [id_, role, title, label, position, int(period), duration, list(files)]:
            return Part(
                id=PartId(_id_from(id_)),
                lesson=lesson,
                role=_one_of(Role, role),
                title=_text(title),
                label=_text(label),
                position=_count(position),
                period=max(period, -1),
                duration_s=_count(duration) / _MS,
                files=tuple(_file_from(file, found) for file in files),
            )
        case _:
            raise ProtocolError("message_invalid")


def _file_from(wire: Wire, found: list[Attested]) -> RemoteFile:
    match wire:
        case [
            path,
            format_,
            list(flags),
            use,
            md5,
            size,
            protected,
            height,
            total,
            segments,
            duration,
            pages,
            relay,
            bytes(digest),
            told_size,
            bytes(manifest),
            list(urls),
        ]:
            file = RemoteFile(
                path=_text(path),
                urls=tuple(_text(url) for url in urls),
                format=_text(format_),
                flags=tuple(_text(flag) for flag in flags),
                use=_one_of(FileUse, use),
                md5=md5.hex() if isinstance(md5, bytes) else _text(md5),
                size_bytes=_count(size),
                is_protected=bool(_count(protected)),
                height=_count(height),
                total_bytes=_count(total),
                segments=_count(segments),
                duration_s=_count(duration) / _MS,
                pages=_count(pages),
            )
        case _:
            raise ProtocolError("message_invalid")
    if digest and not file.is_protected and _count(relay):
        found.append(_attested_from(file.path, digest, told_size, manifest))
    return file


def _attested_from(path: str, digest: bytes, size: Wire, manifest: bytes) -> Attested:
    if len(digest) != _HASH_BYTES or len(manifest) not in (0, _HASH_BYTES):
        raise ProtocolError("message_invalid")
    return Attested(
        path=path,
        digest=Digest(digest.hex()),
        size_bytes=_count(size),
        manifest=Digest(manifest.hex()),
    )


def _place_from(words: list[Wire]) -> Placement:
    match [_text(word) for word in words]:
        case [stage, grade, subject, edition, volume]:
            return Placement(
                stage=stage, grade=grade, subject=subject, edition=edition, volume=volume
            )
        case _:
            raise ProtocolError("message_invalid")


def _tags_from(tags: list[Wire]) -> tuple[Tag, ...]:
    return tuple(_tag_from(tag) for tag in tags)


def _tag_from(wire: Wire) -> Tag:
    match wire:
        case [dimension, id_, name]:
            return Tag(dimension=_text(dimension), id=_id_from(id_), name=_text(name))
        case _:
            raise ProtocolError("message_invalid")


def _id_from(wire: Wire) -> str:
    if isinstance(wire, bytes) and len(wire) == _UUID_BYTES:
        return str(uuid.UUID(bytes=wire))
    return _text(wire)


def _text(wire: Wire) -> str:
    if not isinstance(wire, str) or len(wire) > MAX_TEXT or "\0" in wire:
        raise ProtocolError("message_invalid")
    return wire


def _count(wire: Wire) -> int:
    if not isinstance(wire, int) or not 0 <= wire < _MOST:
        raise ProtocolError("message_invalid")
    return wire


def _list(wire: Wire) -> list[Wire]:
    if not isinstance(wire, list):
        raise ProtocolError("message_invalid")
    return wire


def _one_of(kind: type[E], wire: Wire) -> E:
    try:
        return kind(wire)
    except ValueError as error:
        raise ProtocolError("message_invalid") from error
