"""What came of taking lessons in, as views and the command line show it."""

from dataclasses import dataclass

from client.domain.errors import ClassroomError
from client.domain.ids import LessonId


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedLesson:
    """A lesson that came in without a place, to be put into the week by hand."""

    id: LessonId
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotTaken:
    """A file that was left out; `why` is the end of a key `rejected.…`."""

    name: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportResult:
    """What came of taking files and folders in."""

    lessons: int = 0
    """Lessons that have their place."""
    offered: tuple[OfferedLesson, ...] = ()
    not_taken: tuple[NotTaken, ...] = ()
    failed: ClassroomError | None = None
    """What ended it early, or kept one of the folders out; the rest is in."""
