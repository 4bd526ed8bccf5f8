"""A cue sheet: the steps of a class beside its video, and the default one every lesson has."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from client.domain.catalogue import Lesson, LessonKind, Part, Role


class CueKind(Enum):
    """What happens at a step."""

    PLAY = "play"
    ASK = "ask"
    ACTIVITY = "activity"
    SLIDES = "slides"
    TASK = "task"
    TEXTBOOK = "textbook"
    SUMMARY = "summary"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cue:
    """One step.

    `at_s` is the media time at which it begins, None for a step without video. `title` and
    `prompt` are message keys of `client.service.text` (default sheets) or plain text (written
    by a teacher); `prompt` must be fit for pupils' eyes: no answers, no names.
    """

    ordinal: int
    kind: CueKind
    title: str
    prompt: str
    at_s: float | None = None
    length_s: float = 0.0
    nth: int = 0
    """Which of several documents of its kind it shows, from 0."""


def default_cues(lesson: Lesson, period: int = 0) -> tuple[Cue, ...]:
    """Make a sheet from a lesson's parts, so that the console is never empty.

    The video is cut in thirds (导入, 新授, 巩固) with a question before the last; sheets and
    exercises follow without media time; a summary closes. Lengths are planning values.
    """
    parts = [part for part in lesson.parts if part.period in (period, -1)]
    roles = {part.role for part in parts}
    video = next((p for p in parts if p.role is Role.VIDEO), None)
    exercises = [part for part in parts if part.role is Role.EXERCISE]
    if lesson.kind is LessonKind.QUESTIONS and len(exercises) > 1:
        return _one_by_one(exercises)
    steps: list[tuple[CueKind, str, float | None, float]] = []
    if video is not None:
        total = video.duration_s or 720.0
        steps += [
            (CueKind.PLAY, "lead_in", 0.0, total * 0.2),
            (CueKind.PLAY, "new_content", float(int(total * 0.2)), total * 0.5),
            (CueKind.ASK, "pause_and_ask", float(int(total * 0.7)), 180.0),
            (CueKind.PLAY, "consolidate", float(int(total * 0.7)), total * 0.3),
        ]
    if Role.SLIDES in roles:
        steps.append((CueKind.SLIDES, "slides", None, 300.0))
    if Role.TASK in roles:
        steps.append((CueKind.TASK, "task_sheet", None, 480.0))
    if exercises:
        steps.append((CueKind.ACTIVITY, "exercise", None, 480.0))
    if not steps:
        steps.append((CueKind.TEXTBOOK, "textbook", None, 1200.0))
    steps.append((CueKind.SUMMARY, "summary", None, 120.0))
    return tuple(
        Cue(
            ordinal=n,
            kind=kind,
            title=f"cue.{key}",
            prompt=f"prompt.{key}",
            at_s=at,
            length_s=length,
        )
        for n, (kind, key, at, length) in enumerate(steps, 1)
    )


def _one_by_one(questions: Sequence[Part]) -> tuple[Cue, ...]:
    """Make a step of every question, with its own title where it has one, and a last one."""
    asked = (
        Cue(
            ordinal=at + 1,
            kind=CueKind.ACTIVITY,
            title=question.title or "cue.exercise",
            prompt="prompt.exercise",
            length_s=120.0,
            nth=at,
        )
        for at, question in enumerate(questions)
    )
    last = Cue(
        ordinal=len(questions) + 1,
        kind=CueKind.SUMMARY,
        title="cue.summary",
        prompt="prompt.summary",
        length_s=120.0,
    )
    return (*asked, last)
