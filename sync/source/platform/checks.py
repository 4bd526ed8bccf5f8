"""Careful reading of JSON that strangers wrote: every access says what it expects.

Invariants:
  J1  Nothing but `BadRecord` leaves for a value of the wrong type, and `ProtocolError` for a
      document that is no JSON, too deep, or of the wrong outer type.
  J2  Unknown keys are ignored; null counts as missing.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, TypeVar

from client.domain.errors import ProtocolError

T = TypeVar("T")
Json = Mapping[str, object]

_DURATION: Final = re.compile(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?")
_MAX_DIGITS: Final = 15
_HALF_CHARACTER: Final = b"\\ud"
_NOTHING: Final[Json] = {}


class BadRecord(Exception):  # noqa: N818 - never leaves this package
    """One record is not what it should be; the others may be."""


def parse(body: bytes, path: str) -> object:
    """Parse a document.

    Raises:
        ProtocolError: `document_broken`.
    """
    try:
        document = json.loads(body)
        if _HALF_CHARACTER in body.lower():
            # Half a character cannot be stored; the document is read without such halves.
            written = json.dumps(document, ensure_ascii=False)
            document = json.loads(written.encode("utf-8", "replace"))
    except (ValueError, RecursionError) as error:
        raise ProtocolError("document_broken", {"path": path}) from error
    return document


def top_list(document: object, path: str) -> Sequence[object]:
    """Expect an array as the document."""
    if not isinstance(document, list):
        raise ProtocolError("document_broken", {"path": path})
    return document


def top_map(document: object, path: str) -> Json:
    """Expect an object as the document."""
    if not isinstance(document, dict):
        raise ProtocolError("document_broken", {"path": path})
    return document


def each(items: Iterable[object], read: Callable[[Json], T | None]) -> tuple[tuple[T, ...], int]:
    """Read every object of a list.

    Returns:
        What `read` made of them (None is left out quietly), and how many were broken.
    """
    values: list[T] = []
    broken = 0
    for item in items:
        try:
            value = read(as_map(item))
        except BadRecord:
            broken += 1
        else:
            if value is not None:
                values.append(value)
    return tuple(values), broken


def as_map(value: object) -> Json:
    """Expect an object."""
    if not isinstance(value, dict):
        raise BadRecord
    return value


def child(record: Json, key: str) -> Json:
    """Give the object under `key`, an empty one when missing."""
    value = record.get(key)
    return _NOTHING if value is None else as_map(value)


def items(record: Json, key: str) -> Sequence[object]:
    """Give the array under `key`, an empty one when missing."""
    value = record.get(key)
    if value is None:
        return ()
    if not isinstance(value, list):
        raise BadRecord
    return value


def maps(record: Json, key: str) -> tuple[Json, ...]:
    """Give the objects in the array under `key`."""
    return tuple(as_map(item) for item in items(record, key))


def text(record: Json, key: str) -> str:
    """Give the text under `key`, empty when missing."""
    value = record.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadRecord
    return value


def needed(record: Json, key: str) -> str:
    """Give the text under `key`, which must be there."""
    value = text(record, key)
    if not value:
        raise BadRecord
    return value


def identity(record: Json) -> str:
    """Give the id of a record, which later stands in addresses."""
    value = needed(record, "id")
    if not (value.isascii() and value.replace("-", "").replace("_", "").isalnum()):
        raise BadRecord
    return value


def texts(record: Json, key: str) -> tuple[str, ...]:
    """Give the texts in the array under `key`."""
    values = items(record, key)
    if not all(isinstance(value, str) for value in values):
        raise BadRecord
    return tuple(str(value) for value in values)


def number(record: Json, key: str) -> int:
    """Give the whole number under `key` (also as text), 0 when missing or not one."""
    value = record.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return 0
    return digits(str(value))


def digits(value: str) -> int:
    """Read a size or count, 0 when it is none or beyond all reason."""
    head = value.strip().partition(".")[0]
    return int(head) if head.isascii() and head.isdigit() and len(head) <= _MAX_DIGITS else 0


def seconds(value: str) -> float:
    """Read a duration such as PT14M55S, 0.0 when it is none."""
    match = _DURATION.fullmatch(value)
    if match is None:
        return 0.0
    hours, minutes, rest = (float(group) if group else 0.0 for group in match.groups())
    return hours * 3600 + minutes * 60 + rest
