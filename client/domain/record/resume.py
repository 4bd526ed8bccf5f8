"""Where a class stands, as the local row that is written every few seconds (never an event)."""

from dataclasses import dataclass, field

from client.domain.ids import ClassId, LessonId, PartId, SittingId


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningTimer:
    """A countdown on the stage."""

    name: str
    total_s: float
    left_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumePoint:
    """Everything needed to go on with a sitting after a power cut.

    `day` and `period` name the timetable's slot, 0 outside of it; `page` counts from 0, -1 when
    no pages were shown. `saved_wall_ms` is evidence, filled in when it is saved.
    """

    sitting: SittingId
    class_ids: tuple[ClassId, ...]
    lesson: LessonId
    day: int = 0
    period: int = 0
    lesson_period: int = 0
    part: PartId | None = None
    position_s: float = 0.0
    is_playing: bool = False
    page: int = -1
    cue: int = 0
    timers: tuple[RunningTimer, ...] = field(default=())
    saved_wall_ms: int = 0
