"""Facts as people write them: the values of `record add`, read strictly, into bodies.

Invariants:
  A3  A value that cannot be read exactly is refused; nothing is guessed.
  A4  What is written from a body is read back as the same body.
"""

import re
from collections.abc import Iterable
from typing import Final

from client.domain.errors import ProtocolError, UserError
from client.domain.ids import ClassId, EventId, LessonId, SittingId
from client.domain.record import bodies as b
from client.domain.record.event import ID_BYTES
from client.domain.record.fold import Stretches, union
from client.domain.record.table import pack

NO_SITTING: Final = SittingId("")
"""Of facts that were recorded outside of any sitting."""

_COUNT: Final = re.compile(r"[0-9]{1,4}")
_CHOICE: Final = re.compile(r"\s*([^\s=,]{1,20})\s*=\s*([0-9]{1,5})\s*")
_STRETCH: Final = re.compile(r"\s*([0-9]{1,5})\s*-\s*([0-9]{1,5})\s*")


def parse_value(
    kind: str, class_id: ClassId, value: str, lesson: LessonId | None, fresh: bytes
) -> b.Body:
    """Make the body of a fact that was written by hand.

    Args:
        kind: `headcount`, `note`, `answer`, `opened` (takes no value) or `played`.
        class_id: The class it is about.
        value: See DESIGN §4.
        lesson: The lesson it is about.
        fresh: 8 random bytes to name a note with.

    Raises:
        UserError: `record_kind_unknown`, `value_unreadable`.
    """
    refused = UserError("value_unreadable", {"kind": kind, "value": value})
    try:
        body = _parse(kind, class_id, value.strip(), lesson, fresh)
        if body is not None:
            pack(body)
    except (ProtocolError, ValueError) as error:
        raise refused from error
    if body is None:
        raise refused
    return body


def _parse(
    kind: str, class_id: ClassId, value: str, lesson: LessonId | None, fresh: bytes
) -> b.Body | None:
    match kind:
        case "headcount":
            return _headcount(class_id, value, lesson)
        case "note":
            return _note(class_id, value, lesson, fresh)
        case "answer":
            return _answer(class_id, value, lesson)
        case "opened":
            return b.SittingOpened(sitting=NO_SITTING, class_ids=(class_id,), lesson=lesson)
        case "played":
            return b.Played(
                sitting=NO_SITTING,
                class_ids=(class_id,),
                lesson=lesson,
                stretches=read_stretches(value),
            )
        case _:
            raise UserError("record_kind_unknown", {"kind": kind})


def _headcount(class_id: ClassId, value: str, lesson: LessonId | None) -> b.Body | None:
    if not _COUNT.fullmatch(value):
        return None
    return b.HeadcountTaken(sitting=NO_SITTING, class_id=class_id, lesson=lesson, count=int(value))


def _note(class_id: ClassId, value: str, lesson: LessonId | None, fresh: bytes) -> b.Body | None:
    if not value:
        return None
    return b.NoteWritten(
        note=fresh,
        sitting=NO_SITTING,
        class_ids=(class_id,),
        lesson=lesson,
        text=value,
    )


def _answer(class_id: ClassId, value: str, lesson: LessonId | None) -> b.Body:
    return b.QuestionRound(
        sitting=NO_SITTING,
        class_ids=(class_id,),
        lesson=lesson,
        round=1,
        counts=read_counts(value),
    )


def read_counts(text: str) -> tuple[tuple[str, int], ...]:
    """Read `A=3,B=1`; each choice once.

    Raises:
        ValueError: It is anything else.
    """
    found = [_CHOICE.fullmatch(part) for part in text.split(",")]
    counts = tuple((match[1], int(match[2])) for match in found if match)
    if len(counts) != len(found) or len({choice for choice, _ in counts}) != len(counts):
        raise ValueError(text)
    return counts


def read_stretches(text: str) -> Stretches:
    """Read `0-90,120-300` as joined stretches of whole seconds.

    Raises:
        ValueError: It is anything else, or a stretch ends before it begins.
    """
    found = [_STRETCH.fullmatch(part) for part in text.split(",")]
    stretches = [(int(match[1]), int(match[2])) for match in found if match]
    if len(stretches) != len(found) or any(begin >= end for begin, end in stretches):
        raise ValueError(text)
    return union(stretches)


def write_counts(counts: Iterable[tuple[str, int]]) -> str:
    """Write counts as `read_counts` reads them."""
    return ",".join(f"{choice}={count}" for choice, count in counts)


def write_stretches(stretches: Iterable[tuple[int, int]]) -> str:
    """Write stretches as `read_stretches` reads them."""
    return ",".join(f"{begin}-{end}" for begin, end in stretches)


def event_id(text: str) -> EventId:
    """Read an id as the list prints it.

    Raises:
        UserError: `fact_unknown`.
    """
    name, _, _ = text.partition("/")
    if not re.fullmatch(rf"[0-9a-f]{{{2 * ID_BYTES}}}", name):
        raise UserError("fact_unknown", {"id": text})
    return EventId(bytes.fromhex(name))
