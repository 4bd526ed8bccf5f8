"""What a sitting needs from others, and what it is opened with (frozen values)."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from client.domain.availability import Decodes
from client.domain.catalogue import Lesson, LessonKind, Part, Role
from client.domain.cues import Cue, default_cues
from client.domain.ids import ClassId, LessonId, PartId, SittingId, SourceId
from client.domain.record.bodies import Ended, TaughtBy, Understood
from client.domain.record.resume import ResumePoint, RunningTimer
from client.domain.timetable import Bell, SlotKey
from client.service.api import Card, LessonDetail, PartView, Reason

if TYPE_CHECKING:
    from client.service.records import OpenedSitting

Written = Future[Any]
"""Done after the fact is durable; its result is of no interest here."""


class Recorder(Protocol):
    """Writes what the class did: `client.service.records.SittingRecorder`. Never blocks."""

    def open(
        self,
        class_ids: Sequence[ClassId],
        lesson: LessonId,
        slot: SlotKey | None = None,
        lesson_period: int = 0,
    ) -> "OpenedSitting":
        """Begin a sitting."""
        ...

    def go_on(self, point: ResumePoint) -> None:
        """Take up an unfinished sitting."""
        ...

    def save_resume(  # noqa: PLR0913 - one row, keyword by keyword
        self,
        sitting: SittingId,
        *,
        part: PartId | None,
        position_s: float,
        is_playing: bool,
        page: int = -1,
        cue: int = 0,
        timers: Sequence[RunningTimer] = (),
    ) -> Written:
        """Save where the class stands, as a local row."""
        ...

    def played(self, sitting: SittingId, stretches: Iterable[tuple[float, float]]) -> Written:
        """Note stretches of media time that were shown."""
        ...

    def cue(self, sitting: SittingId, ordinal: int) -> Written:
        """Note that a step began."""
        ...

    def question(
        self, sitting: SittingId, round_: int, counts: Sequence[tuple[str, int]]
    ) -> Written:
        """Note the counts of a question round, by choice."""
        ...

    def headcount(self, sitting: SittingId, class_id: ClassId, count: int) -> Written:
        """Note how many are there."""
        ...

    def note(self, sitting: SittingId, text: str) -> Written:
        """Write the line about the class; a later one takes its place."""
        ...

    def understood(self, sitting: SittingId, class_id: ClassId, level: Understood) -> Written:
        """Note how much of the class understood."""
        ...

    def taught_by(self, sitting: SittingId, who: TaughtBy) -> Written:
        """Note who taught."""
        ...

    def end(self, sitting: SittingId, how: Ended, screen_s: float = 0.0) -> Written:
        """Close the sitting."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackPlan:
    """One class and its lesson. `resume` goes on with an unfinished sitting."""

    class_id: ClassId
    class_name: str
    lesson: LessonDetail
    subject: str = ""
    headcount: int = 0
    period: int = 0
    cues: tuple[Cue, ...] = ()
    """Empty for the default sheet."""
    resume: ResumePoint | None = None
    """The sitting that goes on under its own name, after it was cut off."""
    start: ResumePoint | None = None
    """Where a new sitting begins: where an earlier one left off for the next time."""
    watched: tuple[tuple[float, float], ...] = ()
    """What the record says was watched before, when it goes on with a sitting."""
    screen_today_s: float = 0.0
    """用屏 of this class today before this sitting."""

    @property
    def video(self) -> PartView | None:
        """The video (else the sound) of this class period that can play here."""
        return first_playable(self.lesson, self.period)

    @property
    def documents(self) -> tuple[PartView, ...]:
        """What can be shown page by page, at most one per role; of exercises every question."""
        if self.lesson.row.kind is LessonKind.QUESTIONS:
            return tuple(part for part in self.lesson.parts if part.path is not None)
        found: dict[Role, PartView] = {}
        for part in self.lesson.parts:
            shows = part.path is not None and part.format in PAGE_FORMATS
            if shows and part.period in (self.period, -1) and part.role in PAGE_ROLES:
                found.setdefault(part.role, part)
        if self.lesson.textbook is not None:
            found.setdefault(Role.TEXTBOOK, self.lesson.textbook.part)
        return tuple(found[role] for role in PAGE_ROLES if role in found)

    def opens_at(self, document: PartView) -> int:
        """Tell at which page, from 0, a document opens: a textbook where the lesson stands."""
        book = self.lesson.textbook
        return book.first - 1 if book is not None and book.part == document else 0

    def sheet(self) -> tuple[Cue, ...]:
        """Give the cue sheet: the chosen one, else the default."""
        return self.cues or cues_for(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class SittingPlan:
    """Everything a class starts from. Two tracks for 复式; the first is on the stage."""

    tracks: tuple[TrackPlan, ...]
    key: SlotKey | None = None
    bell: Bell | None = None
    screen_limit_s: float = 0.0
    """30 % of the planned minutes of the day, 0.0 when no day is planned."""
    planned_min: int = 0
    planned_periods: int = 0
    next_bell: Bell | None = None
    next_cards: tuple[tuple[str, Card], ...] = ()
    """下节课: class name and card."""
    next_time: tuple[tuple[str, str], ...] = ()
    """Class name and lesson title of the next period of the same subject."""
    first: int = 0
    """Which track begins on the stage (先给谁看屏幕)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Something went wrong and teaching went on: a message code and when (monotonic)."""

    reason: Reason
    at_s: float


PAGE_ROLES = (Role.SLIDES, Role.TASK, Role.EXERCISE, Role.TEXTBOOK)
PAGE_FORMATS = frozenset({"pdf", "png", "jpg", "jpeg", "gif", "webp", "bmp"})

Notify = Callable[[], None]


def first_playable(lesson: LessonDetail, period: int) -> PartView | None:
    """Find the part to play: a video of the period, else a sound."""
    here = [part for part in lesson.parts if part.path is not None]
    fits = [part for part in here if part.period in (period, -1)]
    plays = [part for part in fits if part.decodes is not Decodes.NO]
    for role in (Role.VIDEO, Role.AUDIO):
        for part in plays:
            if part.role is role:
                return part
    return None


def cues_for(plan: TrackPlan, video_s: float | None = None) -> tuple[Cue, ...]:
    """Make the default sheet of what is really here (so that no step asks for what is not).

    `video_s` is the video's measured length, where the catalogue's is not to be believed.
    """
    here = [part for part in (plan.video, *plan.documents) if part is not None]
    row = plan.lesson.row
    parts = tuple(
        Part(
            id=PartId(part.id),
            lesson=row.id,
            role=Role.VIDEO if part is plan.video else part.role,
            title=part.title,
            label=part.label,
            position=position,
            period=plan.period,
            duration_s=video_s if video_s and part is plan.video else part.duration_s,
        )
        for position, part in enumerate(here)
    )
    lesson = Lesson(
        id=row.id,
        source=SourceId("here"),
        kind=row.kind,
        title=row.title,
        place=row.place,
        parts=parts,
        has_detail=True,
    )
    return default_cues(lesson, plan.period)
