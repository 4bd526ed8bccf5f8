"""What the services answer: frozen snapshots for views and the command line.

No value here holds words: titles come from the catalogue, everything else is an enum, a number
or a message code. Times are seconds, sizes bytes, days 1 (Monday) to 7.
"""

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from client.domain.availability import Decodes, LessonState, Light, PartState, Trust
from client.domain.catalogue import LessonKind, Placement, Role
from client.domain.ids import BookId, ClassId, Digest, LessonId, PartId, SectionId, SittingId
from client.domain.record.dates import Dated
from client.domain.settings import Hours, LinkKind
from client.domain.spend import Why
from client.domain.timetable import Bell, ClassGroup, SlotKey, TeachingMode
from client.domain.withdrawal import Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why something is as it is: a message code and its values."""

    code: str
    values: tuple[tuple[str, str | int | float], ...] = ()


# --- library -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class RenditionView:
    """One way to have a video."""

    name: str
    """`360p`, `720p`, …; the path of a file that has no height."""
    height: int
    size_bytes: int
    is_protected: bool
    state: PartState


@dataclass(frozen=True, slots=True, kw_only=True)
class PartView:
    """One part of a lesson, with what is here of it."""

    id: PartId
    role: Role
    title: str
    label: str
    format: str
    size_bytes: int
    duration_s: float
    pages: int
    period: int
    state: PartState
    reason: Reason | None = None
    digest: Digest | None = None
    trust: Trust | None = None
    decodes: Decodes = Decodes.UNKNOWN
    path: Path | None = None
    """The verified file to play or show, None unless present."""
    renditions: tuple[RenditionView, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """What is to be told of a lesson that is withdrawn."""

    reason: str
    """See `client.domain.withdrawal.REASONS`."""
    standing: Standing = Standing.OVER
    classes_left: int = 0
    """Classes of this room that the grace still covers."""
    replacement: LessonId | None = None
    replacement_title: str = ""
    """Empty where this room does not know it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextbookPages:
    """Where a lesson stands in a textbook that is here. Pages from 1, both ends included."""

    part: PartView
    first: int = 1
    last: int = 0
    """0 when it is not known where the lesson stands, or where it ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """A section of a textbook that is here, with its pages."""

    title: str
    depth: int
    """0 for a unit."""
    pages: TextbookPages


@dataclass(frozen=True, slots=True, kw_only=True)
class LessonRow:
    """One lesson as a search result or list row."""

    id: LessonId
    title: str
    """Display title."""
    kind: LessonKind
    place: Placement
    unit: str
    provider: str
    state: LessonState
    duration_s: float = 0.0
    size_bytes: int = 0
    """Of the smallest complete set, 0 when unknown."""
    has_detail: bool = False
    matches: tuple[tuple[int, int], ...] = ()
    """Stretches (start, length) of `title` that match the query."""
    light: Light = Light.NOT_READY
    is_stopped: bool = False
    """Somebody who may say so withdrew it; `LessonDetail.stopped` tells why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LessonDetail:
    """Everything known of one lesson."""

    row: LessonRow
    light: Light
    book: BookId | None
    sections: tuple[str, ...]
    parts: tuple[PartView, ...]
    periods: tuple[tuple[PartId, ...], ...] = ()
    is_pinned: bool = False
    stopped: Stopped | None = None
    textbook: TextbookPages | None = None
    """Looked for only where one lesson is opened."""
    chapters: tuple[Chapter, ...] = ()
    """Of a textbook that is here with its bookmarks; as above."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Facets chosen; an empty tuple means any."""

    stage: tuple[str, ...] = ()
    grade: tuple[str, ...] = ()
    subject: tuple[str, ...] = ()
    edition: tuple[str, ...] = ()
    volume: tuple[str, ...] = ()
    kinds: tuple[LessonKind, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPage:
    """The first rows of an answer.

    `total` counts all that match; -1 while there are more than `rows` and nobody counted them yet
    (`Facets.total` follows).
    """

    query: str
    rows: tuple[LessonRow, ...]
    total: int
    elapsed_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Facets:
    """How many rows each value of each facet would leave: (value, count), largest first.

    A facet is counted under the choices in the other facets. `total` counts under all of them.
    """

    total: int = 0
    stage: tuple[tuple[str, int], ...] = ()
    grade: tuple[tuple[str, int], ...] = ()
    subject: tuple[tuple[str, int], ...] = ()
    edition: tuple[tuple[str, int], ...] = ()
    volume: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionRow:
    """A node of a book's tree, in reading order; `depth` from 0, `lessons` below it."""

    id: SectionId
    title: str
    depth: int
    lessons: int


# --- promises ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What becomes of one lesson. Times are local milliseconds (as if local time were UTC)."""

    reason: Reason
    """One sentence: `plan_…`."""
    arrives_ms: tuple[int, int] | None = None
    """Hoped and promised; None while nobody can say."""
    now_ms: int | None = None
    """When this was worked out."""
    days_ahead: int | None = None
    """Days until its next slot, None for no slot."""
    day: int = 0
    """Day of the week of that slot, 1 (Monday) to 7."""
    period: int = 0
    begins: int | None = None
    """Its bell in minutes after midnight."""
    missing_bytes: int = 0
    is_in_time: bool = True
    """Whether it comes whole before its slot."""


# --- today -------------------------------------------------------------------------------


class CardAction(Enum):
    """The one button of a card."""

    START = "start"
    RESUME = "resume"
    FETCH = "fetch"
    IMPORT = "import"
    REPLACE = "replace"
    """Teach what takes the place of a withdrawn lesson."""
    SWAP = "swap"
    """Choose something else: a withdrawn lesson that nothing replaces."""
    NONE = "none"


class Moment(Enum):
    """Where a period stands in the day."""

    PAST = "past"
    NOW = "now"
    NEXT = "next"
    LATER = "later"


@dataclass(frozen=True, slots=True, kw_only=True)
class CardPart:
    """A small icon on a card."""

    role: Role
    is_usable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One class in one period of today."""

    key: SlotKey
    subject: str
    mode: TeachingMode
    light: Light
    action: CardAction
    lesson: LessonId | None = None
    title: str = ""
    place: Placement = field(default_factory=Placement)
    unit: str = ""
    minutes: int = 40
    video_s: float = 0.0
    parts: tuple[CardPart, ...] = ()
    reason: Reason | None = None
    resume_s: float | None = None
    sitting: SittingId | None = None
    """The unfinished sitting that `resume_s` belongs to."""
    is_taught: bool = False
    lesson_period: int = 0
    """Class period of the lesson, from 0."""
    lesson_periods: int = 1
    """How many class periods the lesson has."""
    promise: Promise | None = None
    """What becomes of it when something is still to come."""
    stopped: Stopped | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodRow:
    """One line of the day. `cards` stand in the order of the page's classes, None where free."""

    period: int
    bell: Bell
    moment: Moment
    cards: tuple[Card | None, ...]
    starts_in_min: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DayBar:
    """A coming day: one light per lesson, in order."""

    day: int
    lights: tuple[Light, ...]
    missing_bytes: int = 0
    coming: int = 0
    """How many of them are promised in time."""
    late: int = 0
    """How many cannot come in time and need a hand."""
    arrives_ms: int | None = None
    """When the last one in time is promised, local; None while nobody can say."""
    now_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeNotice:
    """A class that was interrupted (power cut)."""

    key: SlotKey
    sitting: SittingId
    lesson: LessonId
    title: str
    position_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TodayPage:
    """Everything 今天 shows."""

    day: int
    is_time_sure: bool
    classes: tuple[ClassGroup, ...]
    rows: tuple[PeriodRow, ...]
    resume: ResumeNotice | None
    upcoming: tuple[DayBar, ...]
    month_left: int | None = None
    """Bytes left of the month's budget, None without one."""
    needs_hand: tuple[Card, ...] = ()


class Swap(Enum):
    """Kinds of 换."""

    UNFINISHED = "unfinished"
    NEXT = "next"
    SAME_UNIT = "same_unit"
    OTHER_EDITION = "other_edition"
    TEXTBOOK = "textbook"


class SwapScope(Enum):
    """What happens to the lessons after it."""

    SHIFT = "shift"
    """后面顺延: the pointer moves to the chosen lesson."""
    ONCE = "once"
    """只换这次."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """One offer of 换. TEXTBOOK has no lesson of its own and counts as taught."""

    kind: Swap
    lesson: LessonId | None
    title: str
    place: Placement
    light: Light


# --- transfer ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkView:
    """What the link may cost and has cost. Bytes; budgets are 0 for no limit."""

    kind: LinkKind = LinkKind.BROADBAND
    is_metered: bool = False
    day_budget: int = 0
    day_spent: int = 0
    month_budget: int = 0
    month_spent: int = 0
    month_expected: int = 0
    """Spent by the end of this month if the plan is kept, 0 while nobody knows the month."""
    hours: Hours | None = None
    cap_bytes_per_s: int = 0
    is_time_sure: bool = True
    limit: Why = Why.NOTHING
    """What keeps content off the link now."""


class TransferState(Enum):
    """State of one wanted lesson; persisted by name."""

    WAITING = "waiting"
    FETCHING = "fetching"
    PAUSED = "paused"
    RETRYING = "retrying"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferRow:
    """One lesson on its way. `bytes_done` counts verified bytes only."""

    lesson: LessonId
    title: str
    subject: str
    state: TransferState
    bytes_needed: int
    bytes_done: int
    bytes_per_s: float = 0.0
    reason: Reason | None = None
    promise: Promise | None = None
    is_planned: bool = False
    """The timetable needs it; nobody asked for it by hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncStatus:
    """What the supervisor is doing, published as one frozen value."""

    is_paused: bool = False
    is_online: bool | None = None
    """None until a request was tried."""
    rows: tuple[TransferRow, ...] = ()
    catalogue: Reason | None = None
    """Progress of a catalogue sync as a message, None when idle."""
    bytes_received: int = 0
    """Media and catalogue bytes since the program started."""
    last_contact_ms: int | None = None
    """Wall clock of the last answer, as evidence only."""
    link: LinkView | None = None
    """Budgets and limits, None before the first plan."""
    watched: Reason | None = None
    """How things stand with the watched folders, None when none is watched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedRow:
    """A folder that is watched. `reason` says how it stands, None before it was looked at."""

    path: Path
    reason: Reason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HubRow:
    """One hub of this room."""

    key: bytes
    name: str
    url: str
    waiting: int
    """Events here that it is not known to have."""
    last_contact_ms: int | None = None
    """Wall clock of its last answer, as evidence only."""
    reason: Reason | None = None
    """Why the last call failed, None when it did not."""
    answers: bool | None = None
    """Whether it answered the last call; None until one was made since the program began."""
    silent_days: int = 0
    """Days of running time without a newer catalogue, once they are worth a word."""


# --- records -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class FactRow:
    """One line of the fold; `value` as the command line prints it."""

    id: str
    kind: str
    class_id: ClassId
    lesson: LessonId | None
    when: Dated
    value: str
