"""Exercises of a book: the questions of each chapter as one entry of pictures (PLATFORM §1.10).

The platform's own page asks and marks them on-line. What can be shown without it is the picture
of a question that everybody may fetch; a question without one is named, and not available here.

Invariants:
  Q1  A chapter's questions are one entry, in the order of the list; each is one part.
  Q2  Of a question only its public picture is ever asked for: a part without one is protected.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from client.domain.catalogue import FileUse, Lesson, LessonKind, Part, RemoteFile, Role
from client.domain.errors import ProtocolError
from client.domain.ids import BookId, LessonId, PartId, SectionId, SourceId
from sync.source.addresses import AddressBook
from sync.source.platform.checks import Json, child, each, identity, text, top_list
from sync.source.platform.records import (
    placement,
    position,
    provider,
    read_tags,
    resource_title,
    sections,
)
from sync.source.platform.rules import Dimensions

_PICTURES: Final = ("question_big", "question_small")
_LAST: Final = 1_000_000
"""Behind every lesson of its chapter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    way: tuple[SectionId, ...]
    position: int
    record: Json
    id: str
    title: str
    file: RemoteFile


def read_questions(
    document: object,
    path: str,
    book: tuple[SourceId, BookId],
    dimensions: Dimensions,
    addresses: AddressBook,
) -> tuple[tuple[Lesson, ...], int]:
    """Read a book's list of questions.

    Returns:
        One lesson for each chapter, whole (Q1), and the number of broken records.

    Raises:
        ProtocolError: It is no list.
    """

    def read(record: Json) -> _Question:
        name = identity(record)
        return _Question(
            way=sections(record),
            position=position(record),
            record=record,
            id=name,
            title=resource_title(record),
            file=_picture(record, addresses) or _closed(name),
        )

    found, broken = each(top_list(document, path), read)
    chapters: dict[tuple[SectionId, ...], list[_Question]] = {}
    for one in sorted(found, key=lambda one: one.position):
        chapters.setdefault(one.way, []).append(one)
    return tuple(_lesson(book, dimensions, way, own) for way, own in chapters.items()), broken


def _lesson(
    book: tuple[SourceId, BookId],
    dimensions: Dimensions,
    way: tuple[SectionId, ...],
    questions: Sequence[_Question],
) -> Lesson:
    first = questions[0]
    id_ = LessonId(f"{way[-1] if way else book[1]}.{LessonKind.QUESTIONS.value}")
    label = text(first.record, "resource_type_code_name")
    parts = {
        PartId(one.id): Part(
            id=PartId(one.id),
            lesson=id_,
            role=Role.EXERCISE,
            title=one.title,
            label=label,
            position=at,
            period=0,
            files=(one.file,),
        )
        for at, one in enumerate(questions)
    }
    return Lesson(
        id=id_,
        source=book[0],
        kind=LessonKind.QUESTIONS,
        title=label or first.title or str(id_),
        place=placement(read_tags(first.record), dimensions),
        book=book[1],
        sections=way,
        position=_LAST,
        provider=provider(first.record),
        periods=(tuple(parts),),
        parts=tuple(parts.values()),
        has_detail=True,
    )


def _picture(record: Json, addresses: AddressBook) -> RemoteFile | None:
    """Give the best picture of a question that may be asked for (Q2)."""
    shown: Mapping[str, object] = child(child(record, "custom_properties"), "preview")
    for name in _PICTURES:
        url = shown.get(name)
        if not isinstance(url, str) or not url:
            continue
        try:
            path, logical = addresses.path_of(url), addresses.logical(url)
        except ProtocolError:
            continue
        format_ = path.rpartition(".")[2].lower()
        return RemoteFile(
            path=path, urls=(logical,), format=format_, flags=(name,), use=FileUse.IMAGE, pages=1
        )
    return None


def _closed(name: str) -> RemoteFile:
    """Stand for what only the platform's own page can show."""
    return RemoteFile(
        path=f"/questions/{name}",
        urls=(),
        format="",
        flags=(),
        use=FileUse.DOCUMENT,
        is_protected=True,
    )
