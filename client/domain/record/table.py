"""The table of docs/protocol.md in code: number, version, fields and merge shape of each type.

Invariants:
  B1  Every type has exactly one of the three merge shapes.
  B3  An unknown type or version, or a known one that cannot be read, is kept and says nothing.
  B4  Bodies grow at the tail only: fields behind the known ones are ignored.
"""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from client.domain.canon import Wire, decode_array, encode
from client.domain.errors import ProtocolError
from client.domain.ids import LessonId
from client.domain.record import bodies as b
from client.domain.record import fields as f
from client.domain.record.bodies import Body, EventType, Shape
from client.domain.record.event import MAX_BODY_BYTES
from client.domain.timetable import TeachingMode, Weeks


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeSpec:
    """One row of the table. `topic` are the fields that name a register, or group facts."""

    number: EventType
    version: int
    body: Any
    """The class of its bodies."""
    shape: Shape
    fields: tuple[tuple[str, f.Codec], ...]
    topic: tuple[str, ...] = ()


_CLASS = ("class_id", f.text(40))
_CLASSES = ("class_ids", f.several(f.text(40), f.MAX_CLASSES))
_SUBJECT = ("subject", f.text(40))
_DAY = ("day", f.whole(7))
_PERIOD = ("period", f.whole(20))
_LESSON_PERIOD = ("lesson_period", f.whole(20))
_SITTING = ("sitting", f.sitting())


def _maybe(name: str) -> tuple[str, f.Codec]:
    """Make the codec of a lesson or none, which is the empty text on the wire."""
    inner = f.text()
    return name, f.Codec(
        form=inner.form,
        pack=lambda value: inner.pack(value or ""),
        unpack=lambda value: LessonId(inner.unpack(value)) or None,
    )


_LESSON = _maybe("lesson")
_SOME = {"facts": Shape.FACTS, "register": Shape.REGISTER, "intervals": Shape.INTERVALS}


def _spec(
    kind: EventType, body: object, shape: str, topic: str, *fields: tuple[str, f.Codec]
) -> TypeSpec:
    return TypeSpec(
        number=kind,
        version=1,
        body=body,
        shape=_SOME[shape],
        fields=(("sup", f.seen()), *fields),
        topic=tuple(topic.split()),
    )


SPECS: Final[tuple[TypeSpec, ...]] = (
    _spec(
        EventType.INCARNATION,
        b.Incarnation,
        "facts",
        "",
        ("public_key", f.octets(32)),
        ("nonce", f.octets(16)),
        ("why", f.choice(b.WhyIncarnation)),
        ("predecessors", f.logs()),
    ),
    _spec(EventType.CORRECTION, b.Correction, "facts", ""),
    _spec(EventType.ROOM, b.RoomWritten, "register", "", ("school", f.text()), ("room", f.text())),
    _spec(
        EventType.CLASS,
        b.ClassWritten,
        "register",
        "class_id",
        _CLASS,
        ("name", f.text(40)),
        ("grade", f.whole(12)),
        ("headcount", f.whole(500)),
        ("is_present", f.flag()),
    ),
    _spec(
        EventType.BOOK_CHOICE,
        b.BookChosen,
        "register",
        "class_id subject",
        _CLASS,
        _SUBJECT,
        ("book", f.text()),
    ),
    _spec(
        EventType.SLOT,
        b.SlotWritten,
        "register",
        "class_id day period",
        _CLASS,
        _DAY,
        _PERIOD,
        _SUBJECT,
        ("mode", f.choice(TeachingMode)),
        ("weeks", f.choice(Weeks)),
        _LESSON,
    ),
    _spec(
        EventType.POINTER,
        b.PointerMoved,
        "register",
        "class_id subject",
        _CLASS,
        _SUBJECT,
        ("lesson", f.text()),
        _PERIOD,
    ),
    _spec(
        EventType.SETTING,
        b.SettingWritten,
        "register",
        "name",
        ("name", f.text(60)),
        ("value", f.text(f.MAX_TEXT)),
    ),
    _spec(
        EventType.SWAP,
        b.Swapped,
        "register",
        "class_id day period occasion",
        _CLASS,
        _DAY,
        _PERIOD,
        ("occasion", f.text(40)),
        _LESSON,
        _LESSON_PERIOD,
        ("is_textbook", f.flag()),
    ),
    _spec(
        EventType.SITTING_OPENED,
        b.SittingOpened,
        "facts",
        "sitting",
        _SITTING,
        _CLASSES,
        _LESSON,
        _DAY,
        _PERIOD,
        _LESSON_PERIOD,
    ),
    _spec(
        EventType.PLAYED,
        b.Played,
        "intervals",
        "sitting",
        _SITTING,
        _CLASSES,
        _LESSON,
        ("stretches", f.stretches()),
    ),
    _spec(
        EventType.CUE_REACHED,
        b.CueReached,
        "facts",
        "sitting",
        _SITTING,
        ("ordinal", f.whole(500)),
    ),
    _spec(
        EventType.QUESTION_ROUND,
        b.QuestionRound,
        "facts",
        "sitting",
        _SITTING,
        _CLASSES,
        _LESSON,
        ("round", f.whole(500)),
        ("counts", f.several(f.pair(f.text(20), f.whole()), 12)),
    ),
    _spec(
        EventType.HEADCOUNT,
        b.HeadcountTaken,
        "facts",
        "sitting",
        _SITTING,
        _CLASS,
        _LESSON,
        ("count", f.whole(500)),
    ),
    _spec(
        EventType.NOTE,
        b.NoteWritten,
        "register",
        "note",
        ("note", f.octets(8)),
        _SITTING,
        _CLASSES,
        _LESSON,
        ("text", f.text(f.MAX_TEXT)),
    ),
    _spec(
        EventType.UNDERSTOOD,
        b.UnderstoodWritten,
        "register",
        "sitting class_id",
        _SITTING,
        _CLASS,
        ("level", f.choice(b.Understood)),
    ),
    _spec(
        EventType.TAUGHT_BY,
        b.TaughtByWritten,
        "register",
        "sitting",
        _SITTING,
        ("who", f.choice(b.TaughtBy)),
    ),
    _spec(
        EventType.SITTING_ENDED,
        b.SittingEnded,
        "register",
        "sitting",
        _SITTING,
        ("how", f.choice(b.Ended)),
        ("screen_s", f.whole(f.MAX_SECONDS)),
    ),
    _spec(EventType.GOES_ON, b.GoesOn, "facts", "", ("predecessors", f.logs())),
)

SPEC_OF_TYPE: Final = MappingProxyType({spec.number.value: spec for spec in SPECS})
_SPEC_OF_BODY: Final[dict[type[object], TypeSpec]] = {spec.body: spec for spec in SPECS}


def spec_of(body: Body) -> TypeSpec:
    """Return the row of the table that describes `body`."""
    return _SPEC_OF_BODY[type(body)]


def number_of(kind: type[object]) -> EventType:
    """Return the type that bodies of a class belong to."""
    return _SPEC_OF_BODY[kind].number


def pack(body: Body) -> bytes:
    """Give the canonical bytes of a body.

    Raises:
        ProtocolError: A value is outside of its limits.
    """
    spec = spec_of(body)
    row = [codec.pack(getattr(body, name)) for name, codec in spec.fields]
    for (_, codec), value in zip(spec.fields, row, strict=True):
        codec.unpack(value)
    return encode(row)


def unpack(kind: int, version: int, data: bytes) -> Body | None:
    """Read a body; None when this program does not know its type or version (B3).

    Raises:
        ProtocolError: The type is known and the bytes do not fit it.
    """
    spec = SPEC_OF_TYPE.get(kind)
    if spec is None or spec.version != version:
        return None
    row = decode_array(data, max_bytes=MAX_BODY_BYTES)
    if len(row) < len(spec.fields):
        raise ProtocolError("body_invalid")
    values = {
        name: codec.unpack(value) for (name, codec), value in zip(spec.fields, row, strict=False)
    }
    body: Body = spec.body(**values)
    return body


def topic(body: Body) -> bytes:
    """Name the register a body writes, or the group of facts it belongs to, inside its type."""
    spec = spec_of(body)
    by_name = dict(spec.fields)
    row: list[Wire] = [by_name[name].pack(getattr(body, name)) for name in spec.topic]
    return encode(row)
