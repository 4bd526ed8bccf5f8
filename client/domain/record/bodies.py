"""What each type of event says, as values; `table` holds their wire form and merge shape.

Invariants:
  B2  No body has a field for a person: pupils are counts, teachers are `own` or `substitute`.
"""

from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import TypeAlias

from client.domain.ids import BookId, ClassId, EventId, LessonId, SittingId
from client.domain.timetable import TeachingMode, Weeks


class EventType(IntEnum):
    """Numbers of the types. A number is never used for anything else."""

    INCARNATION = 1
    CORRECTION = 2
    GOES_ON = 3
    ROOM = 10
    CLASS = 11
    BOOK_CHOICE = 12
    SLOT = 13
    POINTER = 14
    SETTING = 15
    SWAP = 16
    SITTING_OPENED = 20
    PLAYED = 21
    CUE_REACHED = 22
    QUESTION_ROUND = 23
    HEADCOUNT = 24
    NOTE = 25
    UNDERSTOOD = 26
    TAUGHT_BY = 27
    SITTING_ENDED = 28


class Shape(Enum):
    """How events of a type are merged. There are no others (SYNC Decisions 2)."""

    FACTS = "set of facts"
    INTERVALS = "union of intervals"
    REGISTER = "register with visible siblings"


class WhyIncarnation(Enum):
    """Why a log begins."""

    FIRST = "first"
    RESTORED = "restored"
    KEY_LOST = "key_lost"


class Understood(Enum):
    """听懂: the teacher's own estimate for a class."""

    UNSAID = "unsaid"
    MOST = "most"
    HALF = "half"
    FEW = "few"


class TaughtBy(Enum):
    """谁上的课. Never a name."""

    OWN = "own"
    SUBSTITUTE = "substitute"


class Ended(Enum):
    """How a sitting ended."""

    FINISHED = "finished"
    CARRY_ON = "carry_on"
    NOT_A_CLASS = "not_a_class"


@dataclass(frozen=True, slots=True, kw_only=True)
class Incarnation:
    """The first event of every log: whose it is and which logs of this room it goes on from."""

    sup: tuple[EventId, ...] = ()
    public_key: bytes
    nonce: bytes
    why: WhyIncarnation
    predecessors: tuple[tuple[bytes, bytes], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """Takes back the facts it names."""

    sup: tuple[EventId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GoesOn:
    """Names the tips of older logs of this machine that came back after this log had begun."""

    sup: tuple[EventId, ...] = ()
    predecessors: tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomWritten:
    """School and room."""

    sup: tuple[EventId, ...] = ()
    school: str
    room: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassWritten:
    """A class of this room; `is_present` is False after it was taken out."""

    sup: tuple[EventId, ...] = ()
    class_id: ClassId
    name: str
    grade: int
    headcount: int
    is_present: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class BookChosen:
    """The textbook of a class and subject, empty for none."""

    sup: tuple[EventId, ...] = ()
    class_id: ClassId
    subject: str
    book: BookId


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotWritten:
    """A place in the week; an empty subject means it is free."""

    sup: tuple[EventId, ...] = ()
    class_id: ClassId
    day: int
    period: int
    subject: str
    mode: TeachingMode = TeachingMode.OWN
    weeks: Weeks = Weeks.EVERY
    lesson: LessonId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PointerMoved:
    """The next lesson (and class period of it, from 0) of a class in a subject."""

    sup: tuple[EventId, ...] = ()
    class_id: ClassId
    subject: str
    lesson: LessonId
    period: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingWritten:
    """One setting as text, empty for its default."""

    sup: tuple[EventId, ...] = ()
    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Swapped:
    """只换这次: another lesson in a slot on one occasion, which is an opaque word (a date).

    No lesson with `is_textbook` means 课本课; without it, the swap was taken back.
    """

    sup: tuple[EventId, ...] = ()
    class_id: ClassId
    day: int
    period: int
    occasion: str
    lesson: LessonId | None
    lesson_period: int = 0
    is_textbook: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SittingOpened:
    """A lesson began for these classes; day and period are 0 outside of the timetable."""

    sup: tuple[EventId, ...] = ()
    sitting: SittingId
    class_ids: tuple[ClassId, ...]
    lesson: LessonId | None
    day: int = 0
    period: int = 0
    lesson_period: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """Stretches of media time that were shown, in whole seconds."""

    sup: tuple[EventId, ...] = ()
    sitting: SittingId
    class_ids: tuple[ClassId, ...]
    lesson: LessonId | None
    stretches: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CueReached:
    """A step of the cue sheet was reached."""

    sup: tuple[EventId, ...] = ()
    sitting: SittingId
    ordinal: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionRound:
    """How many pupils chose what. `round` counts from 1 inside a sitting."""

    sup: tuple[EventId, ...] = ()
    sitting: SittingId
    class_ids: tuple[ClassId, ...]
    lesson: LessonId | None
    round: int
    counts: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadcountTaken:
    """How many pupils were there, counted."""

    sup: tuple[EventId, ...] = ()
    sitting: SittingId
    class_id: ClassId
    lesson: LessonId | None
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteWritten:
    """A line of text about a class, empty after it was taken back. `note` names it."""

    sup: tuple[EventId, ...] = ()
    note: bytes
    sitting: SittingId
    class_ids: tuple[ClassId, ...]
    lesson: LessonId | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnderstoodWritten:
    """How much of the class understood."""

    sup: tuple[EventId, ...] = ()
    sitting: SittingId
    class_id: ClassId
    level: Understood


@dataclass(frozen=True, slots=True, kw_only=True)
class TaughtByWritten:
    """Whether the class's own teacher taught."""

    sup: tuple[EventId, ...] = ()
    sitting: SittingId
    who: TaughtBy


@dataclass(frozen=True, slots=True, kw_only=True)
class SittingEnded:
    """The end of a sitting; `screen_s` is how long pupils looked at the screen."""

    sup: tuple[EventId, ...] = ()
    sitting: SittingId
    how: Ended
    screen_s: int = 0


RegisterBody: TypeAlias = (
    RoomWritten
    | ClassWritten
    | BookChosen
    | SlotWritten
    | PointerMoved
    | SettingWritten
    | Swapped
    | NoteWritten
    | UnderstoodWritten
    | TaughtByWritten
    | SittingEnded
)
FactBody: TypeAlias = (
    Incarnation
    | Correction
    | GoesOn
    | SittingOpened
    | Played
    | CueReached
    | QuestionRound
    | HeadcountTaken
)
Body: TypeAlias = RegisterBody | FactBody
