"""The week grid: which class has which subject in which period.

Days are 1 (Monday) to 7, periods count from 1. A slot holds class and subject; its lesson is a
pointer along the textbook that moves on when taught.
"""

from dataclasses import dataclass
from enum import Enum

from client.domain.ids import BookId, ClassId, LessonId


class TeachingMode(Enum):
    """Who leads the slot (三个课堂)."""

    OWN = "own"
    DELIVERY = "delivery"
    MASTER = "master"
    PARTNER = "partner"


class Weeks(Enum):
    """In which weeks a slot takes place."""

    EVERY = "every"
    ODD = "odd"
    EVEN = "even"


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """The room itself. Nothing here names a person."""

    school: str
    room: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassGroup:
    """One class of this room. `headcount` is the assumed one, 0 when never given."""

    id: ClassId
    name: str
    grade: int
    headcount: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class SlotKey:
    """The place of a slot in the week; the register key of its event."""

    day: int
    period: int
    class_id: ClassId


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """What a class does in one period of the week."""

    key: SlotKey
    subject: str
    mode: TeachingMode = TeachingMode.OWN
    weeks: Weeks = Weeks.EVERY
    lesson: LessonId | None = None
    """A lesson chosen by hand for this slot; else the pointer of class and subject counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bell:
    """Begin and end of a period in minutes after midnight, local school time."""

    period: int
    begins: int
    ends: int


DEFAULT_BELLS: tuple[Bell, ...] = tuple(
    Bell(period=number, begins=begins, ends=begins + 40)
    for number, begins in ((1, 510), (2, 560), (3, 620), (4, 670), (5, 840), (6, 890))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenBook:
    """The textbook a class uses in a subject."""

    class_id: ClassId
    subject: str
    book: BookId


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointer:
    """How far a class has come in a subject's textbook: the lesson that is next.

    `period` is the class period inside a lesson of several (第二课时 = 1).
    """

    class_id: ClassId
    subject: str
    lesson: LessonId
    period: int = 0
