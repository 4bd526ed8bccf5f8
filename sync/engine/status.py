"""The rows of 传输: made of the list of wants and what is known of each, without asking anybody."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from client.domain.catalogue import Lesson, display_title
from client.domain.clock import Clock
from client.domain.holding import Holding
from client.domain.ids import LessonId
from client.domain.want import WantState
from client.service.api import Promise, Reason, TransferRow, TransferState
from client.store.blob_store import growing_key
from sync.engine.fetch_job import Progress
from sync.engine.fetch_plan import Choice, plan_fetch
from sync.engine.hub_content import Attests, manifest_key, nobody, object_key
from sync.engine.schedule import FILM_ROLES, QUIET, Entry, Stage

SPEED_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the catalogue and the disk said of a wanted lesson when last asked."""

    title: str = ""
    subject: str = ""
    bytes_needed: int = 0
    papers_here: int = 0
    film_here: int = 0

    def here(self, stage: Stage) -> int:
        """Bytes that are here for good besides those of the stage under way."""
        return {Stage.PAPERS: self.film_here, Stage.FILM: self.papers_here}.get(stage, 0)


def facts_of(lesson: Lesson, entry: Entry, holdings: Iterable[Holding]) -> Facts:
    """Look up what a want costs and what is here of it."""
    choice = Choice(rendition=entry.want.rendition, roles=entry.want.roles)
    plan = plan_fetch(lesson, choice, holdings)
    here = [item for item in plan.items if item.held is not None]
    film = sum(item.file.fetch_bytes for item in here if item.part.role in FILM_ROLES)
    return Facts(
        title=display_title(lesson.title),
        subject=lesson.place.subject,
        bytes_needed=plan.bytes_needed,
        papers_here=sum(item.file.fetch_bytes for item in here) - film,
        film_here=film,
    )


def growing_keys(lesson: Lesson | None, attests: Attests = nobody) -> list[str]:
    """Name what grows of a lesson on this disk, from wherever; none for one that is unknown."""
    parts = () if lesson is None else lesson.parts
    files = [file for part in parts for file in part.files]
    told = [one.digest for file in files for _, one in attests(file.path)]
    plain = [growing_key(file.path, file.md5) for file in files]
    return [*plain, *map(object_key, told), *map(manifest_key, told)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What happens right now."""

    running: LessonId | None
    progress: Progress
    bytes_per_s: float
    is_paused: bool


def transfer_row(
    entry: Entry,
    facts: Mapping[LessonId, Facts],
    moment: Moment,
    promises: Mapping[LessonId, Promise] = MappingProxyType({}),
) -> TransferRow:
    """Make the row of one want."""
    lesson = entry.want.lesson
    known = facts.get(lesson, Facts())
    is_running = moment.running == lesson
    needed = known.bytes_needed or entry.want.bytes_needed
    done = known.papers_here + known.film_here
    if is_running and moment.progress.lesson == lesson:
        needed = needed or moment.progress.bytes_needed
        done = max(done, known.here(entry.stage) + moment.progress.bytes_done)
    if entry.want.state is WantState.DONE or entry.stage is Stage.DONE:
        done = needed
    reason = entry.reason or entry.want.reason
    return TransferRow(
        lesson=lesson,
        title=known.title,
        subject=known.subject,
        state=transfer_state(entry, is_running=is_running, is_paused=moment.is_paused),
        bytes_needed=needed,
        bytes_done=min(done, needed),
        bytes_per_s=moment.bytes_per_s if is_running else 0.0,
        reason=Reason(code=reason) if reason else None,
        promise=promises.get(lesson),
        is_planned=entry.is_planned,
    )


def transfer_state(entry: Entry, *, is_running: bool, is_paused: bool) -> TransferState:
    """Name the state of a want; the first line that fits decides.

    | condition                   | state    |
    |-----------------------------|----------|
    | failed                      | FAILED   |
    | nothing left                | DONE     |
    | everything is paused        | PAUSED   |
    | on its way now              | FETCHING |
    | closed, or coming near by   | WAITING  |
    | the last try broke          | RETRYING |
    | else                        | WAITING  |
    """
    if entry.want.state is WantState.FAILED:
        return TransferState.FAILED
    if not entry.is_open:
        return TransferState.DONE
    if is_paused:
        return TransferState.PAUSED
    if is_running:
        return TransferState.FETCHING
    has_broken = bool(entry.reason) and entry.reason not in QUIET
    return TransferState.RETRYING if has_broken else TransferState.WAITING


class Speed:
    """Bytes a second over the last second or more. Used under one lock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since_s = clock.monotonic()
        self._from_bytes = 0
        self._value = 0.0

    def at(self, received: int) -> float:
        """Give the speed, knowing that so many bytes have come in all."""
        now = self._clock.monotonic()
        if now - self._since_s >= SPEED_S:
            self._value = max(0, received - self._from_bytes) / (now - self._since_s)
            self._since_s, self._from_bytes = now, received
        return self._value
