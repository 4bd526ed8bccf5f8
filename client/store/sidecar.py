"""`lessons/<id>.json`: what a cached lesson is and which files it has, beside the files.

The library database may be deleted at any time; from these files it is built again without a
network. Reading is strict: a file that is not exactly what `encode` writes is refused whole.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from hashlib import sha256
from typing import Final, TypeVar, cast

from client.domain.availability import Decodes, Trust
from client.domain.catalogue import (
    FileUse,
    Lesson,
    LessonKind,
    Part,
    Placement,
    RemoteFile,
    Role,
    Tag,
)
from client.domain.errors import ProtocolError
from client.domain.holding import Blob
from client.domain.ids import BookId, Digest, LessonId, PartId, SectionId, SourceId

FORMAT: Final = 1
LIMIT_BYTES: Final = 4 << 20
_PLAIN_ID: Final = re.compile(r"[A-Za-z0-9-]{1,64}")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")

T = TypeVar("T")
E = TypeVar("E", bound=Enum)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One present file of a lesson."""

    part: PartId
    path: str
    blob: Blob


@dataclass(frozen=True, slots=True, kw_only=True)
class Sidecar:
    """The content of one file."""

    lesson: Lesson
    held: tuple[Held, ...]


def file_name(lesson: LessonId) -> str:
    """Name a lesson's file; an id with odd characters is replaced by its hash."""
    plain = _PLAIN_ID.fullmatch(lesson)
    return f"{lesson if plain else 'h-' + sha256(lesson.encode()).hexdigest()[:40]}.json"


def encode(sidecar: Sidecar) -> bytes:
    """Write a sidecar as JSON."""
    document = {
        "format": FORMAT,
        "lesson": asdict(sidecar.lesson),
        "held": [asdict(held) for held in sidecar.held],
    }
    return json.dumps(document, ensure_ascii=False, default=_name, indent=1).encode()


def decode(data: bytes) -> Sidecar:
    """Read a sidecar.

    Raises:
        ProtocolError: It is no sidecar of this format (`sidecar_damaged`).
    """
    try:
        document = _of_this_format(_Record(json.loads(data)))
        return Sidecar(lesson=_lesson(document.record("lesson")), held=document.each("held", _held))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ProtocolError("sidecar_damaged", {"detail": str(error)}) from error


def _of_this_format(document: "_Record") -> "_Record":
    if document.number("format") != FORMAT:
        raise ValueError("format")
    return document


def _name(value: object) -> str:
    assert isinstance(value, Enum)  # noqa: S101 - the only values JSON does not know
    return value.name


class _Record:
    """One JSON object, read field by field; anything of the wrong kind raises."""

    def __init__(self, value: object) -> None:
        if not isinstance(value, dict):
            raise TypeError("an object was expected")
        self._fields = cast("Mapping[str, object]", value)

    def _typed(self, name: str, kind: type[T]) -> T:
        value = self._fields[name]
        if not isinstance(value, kind) or isinstance(value, bool) != (kind is bool):
            raise TypeError(name)
        return value

    def text(self, name: str) -> str:
        return self._typed(name, str)

    def optional(self, name: str) -> str | None:
        return None if self._fields[name] is None else self.text(name)

    def number(self, name: str) -> int:
        return self._typed(name, int)

    def seconds(self, name: str) -> float:
        value = self._fields[name]
        return float(self.number(name)) if isinstance(value, int) else self._typed(name, float)

    def flag(self, name: str) -> bool:
        return self._typed(name, bool)

    def member(self, name: str, kind: type[E]) -> E:
        return kind[self.text(name)]

    def record(self, name: str) -> "_Record":
        return _Record(self._fields[name])

    def each(self, name: str, read: Callable[["_Record"], T]) -> tuple[T, ...]:
        return tuple(read(_Record(item)) for item in self._typed(name, list))

    def texts(self, name: str) -> tuple[str, ...]:
        return _texts(self._typed(name, list))

    def rows(self, name: str) -> tuple[tuple[str, ...], ...]:
        return tuple(_texts(row) for row in self._typed(name, list))


def _texts(items: object) -> tuple[str, ...]:
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise TypeError("texts were expected")
    return tuple(cast("Sequence[str]", items))


def _lesson(record: _Record) -> Lesson:
    book = record.optional("book")
    return Lesson(
        id=LessonId(record.text("id")),
        source=SourceId(record.text("source")),
        kind=record.member("kind", LessonKind),
        title=record.text("title"),
        place=_place(record.record("place")),
        book=None if book is None else BookId(book),
        sections=tuple(SectionId(one) for one in record.texts("sections")),
        section_titles=record.texts("section_titles"),
        position=record.number("position"),
        week=record.text("week"),
        provider=record.text("provider"),
        periods=tuple(tuple(PartId(one) for one in row) for row in record.rows("periods")),
        tags=record.each("tags", _tag),
        parts=record.each("parts", _part),
        has_detail=record.flag("has_detail"),
    )


def _place(record: _Record) -> Placement:
    return Placement(
        stage=record.text("stage"),
        grade=record.text("grade"),
        subject=record.text("subject"),
        edition=record.text("edition"),
        volume=record.text("volume"),
    )


def _tag(record: _Record) -> Tag:
    return Tag(dimension=record.text("dimension"), id=record.text("id"), name=record.text("name"))


def _part(record: _Record) -> Part:
    return Part(
        id=PartId(record.text("id")),
        lesson=LessonId(record.text("lesson")),
        role=record.member("role", Role),
        title=record.text("title"),
        label=record.text("label"),
        position=record.number("position"),
        period=record.number("period"),
        duration_s=record.seconds("duration_s"),
        files=record.each("files", _file),
    )


def _file(record: _Record) -> RemoteFile:
    return RemoteFile(
        path=record.text("path"),
        urls=record.texts("urls"),
        format=record.text("format"),
        flags=record.texts("flags"),
        use=record.member("use", FileUse),
        md5=record.text("md5"),
        size_bytes=record.number("size_bytes"),
        is_protected=record.flag("is_protected"),
        height=record.number("height"),
        total_bytes=record.number("total_bytes"),
        segments=record.number("segments"),
        duration_s=record.seconds("duration_s"),
        pages=record.number("pages"),
    )


def _held(record: _Record) -> Held:
    blob = record.record("blob")
    digest = blob.text("digest")
    if not _DIGEST.fullmatch(digest):
        raise ValueError("digest")
    return Held(
        part=PartId(record.text("part")),
        path=record.text("path"),
        blob=Blob(
            digest=Digest(digest),
            ext=blob.text("ext"),
            size_bytes=blob.number("size_bytes"),
            trust=blob.member("trust", Trust),
            decodes=blob.member("decodes", Decodes),
            verified_at=blob.text("verified_at"),
        ),
    )
