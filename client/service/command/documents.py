"""JSON documents of the command line: the shapes other programs read (docs/commands.md).

Invariants:
  J1  Keys named in docs/commands.md are always there; keys may be added, never renamed.
  J2  Whatever a service answers can be written: values no rule knows are written by their fields.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Final, TypeVar

from client.domain.catalogue import Book
from client.domain.errors import ClassroomError
from client.domain.record.facts import iso
from client.domain.record.labels import Label, label_of
from client.domain.timetable import ClassGroup, Slot
from client.service.api import (
    FactRow,
    LessonDetail,
    LessonRow,
    PartView,
    Reason,
    RenditionView,
    SearchPage,
    TransferRow,
)
from client.service.text import Words

Document = dict[str, object]
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Rows under a name: `{"lessons": [...]}`."""

    name: str
    rows: Sequence[object]
    more: Mapping[str, object] | None = None
    """Further keys beside the rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """An answer whose exit code is not 0 although no error was raised."""

    value: object
    exit_code: int


def document(value: object) -> object:
    """Turn an answer into what `json.dumps` can write."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Enum):
        return value.value
    for kind, rule in _RULES:
        if isinstance(value, kind):
            return rule(value)
    return _by_shape(value)


def _by_shape(value: object) -> object:
    if isinstance(value, Mapping):
        return {_name(key): document(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [document(item) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: document(getattr(value, field.name)) for field in fields(value)}
    return str(value)


def _name(key: object) -> str:
    return str(key.value) if isinstance(key, Enum) else str(key)


def error_document(error: ClassroomError, words: Words) -> Document:
    """Write an error for programs: its code, and words for whoever reads the log."""
    return {
        "error": {
            "kind": error.kind,
            "code": error.code,
            "message": words.error(error),
            "hint": words.hint(error),
        }
    }


def _listing(value: Listing) -> Document:
    return {value.name: [document(row) for row in value.rows], **_more(value)}


def _more(value: Listing) -> Document:
    return {name: document(item) for name, item in (value.more or {}).items()}


def _page(page: SearchPage) -> Document:
    return {
        "query": page.query,
        "elapsed_ms": round(page.elapsed_ms, 3),
        "total": page.total,
        "results": [_row(row) for row in page.rows],
    }


def _row(row: LessonRow) -> Document:
    return {
        "id": row.id,
        "title": row.title,
        "stage": row.place.stage,
        "grade": row.place.grade,
        "subject": row.place.subject,
        "edition": row.place.edition,
        "volume": row.place.volume,
        "unit": row.unit,
        "kind": row.kind.value,
        "availability": row.state.value,
        "size_bytes": row.size_bytes,
    }


def _detail(detail: LessonDetail) -> Document:
    return {
        "id": detail.row.id,
        "title": detail.row.title,
        "kind": detail.row.kind.value,
        "provider": detail.row.provider,
        "availability": detail.row.state.value,
        "light": detail.light.value,
        "pinned": detail.is_pinned,
        "sections": list(detail.sections),
        "parts": [_part(part) for part in detail.parts],
    }


def _part(part: PartView) -> Document:
    return {
        "id": part.id,
        "role": part.role.value,
        "title": part.title,
        "format": part.format,
        "size_bytes": part.size_bytes,
        "digest": part.digest,
        "trust": part.trust.value if part.trust else None,
        "availability": part.state.value,
        "reason": reason_code(part.reason),
        "path": str(part.path) if part.path else None,
        "renditions": [_rendition(one) for one in part.renditions],
    }


def _rendition(rendition: RenditionView) -> Document:
    return {
        "name": rendition.name,
        "height": rendition.height,
        "size_bytes": rendition.size_bytes,
        "protected": rendition.is_protected,
        "availability": rendition.state.value,
    }


def _fact(fact: FactRow) -> Document:
    return {
        "id": fact.id,
        "kind": fact.kind,
        "class": fact.class_id,
        "lesson": fact.lesson,
        "at": iso(fact.when),
        "at_quality": fact.when.quality.value,
        "when": _label(label_of(fact.when)),
        "value": fact.value,
    }


def _label(label: Label) -> Document:
    return {"code": label.code, **label.values}


def _class(group: ClassGroup) -> Document:
    return {
        "id": group.id,
        "name": group.name,
        "grade": group.grade,
        "headcount": group.headcount,
    }


def _slot(slot: Slot) -> Document:
    return {
        "class": slot.key.class_id,
        "day": slot.key.day,
        "period": slot.key.period,
        "subject": slot.subject,
        "mode": slot.mode.value,
        "weeks": slot.weeks.value,
        "lesson": slot.lesson,
    }


def _book(book: Book) -> Document:
    return {
        "id": book.id,
        "title": book.title,
        "source": book.source,
        "stage": book.place.stage,
        "grade": book.place.grade,
        "subject": book.place.subject,
        "edition": book.place.edition,
        "volume": book.place.volume,
    }


def _transfer(row: TransferRow) -> Document:
    return {
        "id": row.lesson,
        "title": row.title,
        "state": row.state.value,
        "bytes_needed": row.bytes_needed,
        "bytes_done": row.bytes_done,
        "bytes_per_s": round(row.bytes_per_s),
        "reason": reason_code(row.reason),
    }


def reason_code(reason: Reason | None) -> str | None:
    """Give the code of a reason: programs read codes, people get its words."""
    return reason.code if reason is not None else None


def _rule(kind: type[T], rule: Callable[[T], object]) -> tuple[type, Callable[..., object]]:
    return kind, rule


_RULES: Final = (
    _rule(Listing, _listing),
    _rule(SearchPage, _page),
    _rule(LessonRow, _row),
    _rule(LessonDetail, _detail),
    _rule(PartView, _part),
    _rule(RenditionView, _rendition),
    _rule(FactRow, _fact),
    _rule(ClassGroup, _class),
    _rule(Slot, _slot),
    _rule(Book, _book),
    _rule(TransferRow, _transfer),
    _rule(Reason, reason_code),
    _rule(Path, str),
)
