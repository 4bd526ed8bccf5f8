"""What the supervisor works with: the ways to lessons and to hubs, as it sees them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from client.domain.cancel import CancelToken
from client.domain.catalogue import Lesson
from client.domain.clock import Clock
from client.domain.ids import LessonId
from client.store.holding_store import HoldingStore
from client.store.want_store import WantStore
from sync.engine.catalogue_sync import CatalogueProgress, CatalogueReport, Wanted
from sync.engine.fetch_job import Progress
from sync.engine.fetch_plan import Choice, FetchReport
from sync.engine.guide import Guide
from sync.engine.hub_content import Attests, nobody
from sync.engine.status import growing_keys


class Link(Protocol):
    """A way to the lessons' source; `sync.engine.platform_link.PlatformLink` is one."""

    @property
    def progress(self) -> Progress:
        """How far the present fetch is."""
        ...

    def fetch(self, lesson_id: LessonId, choice: Choice, cancel: CancelToken) -> FetchReport:
        """Bring a lesson."""
        ...

    def sync(
        self,
        wanted: Wanted,
        progress: Callable[[CatalogueProgress], None],
        cancel: CancelToken | None,
    ) -> CatalogueReport:
        """Bring the catalogue up to date."""
        ...

    def close(self) -> None:
        """Free its workers."""
        ...


class Calls(Protocol):
    """Exchanges with hubs; `sync.engine.hub_round.HubRound` is one. Any thread may ask."""

    def wait_s(self) -> float | None:
        """Tell in how many seconds one is due; None where there is no hub."""
        ...

    def call(self, cancel: CancelToken) -> bool:
        """Make the one that is due; tells whether the hub answered. Raises `Cancelled` only."""
        ...

    def link_up(self) -> None:
        """Hear that the link works again."""
        ...

    def close(self) -> None:
        """Say at the end what no hub has got yet, if that is quick."""
        ...


def nobody_near() -> bool:
    """Know no other PC."""
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class SupervisorPorts:
    """What the supervisor works with."""

    wants: WantStore
    holdings: HoldingStore
    lesson: Callable[[LessonId], Lesson | None]
    """Reads a lesson from the catalogue; blocking."""
    link: Callable[[Callable[[], None]], Link]
    """Makes the link, given what to call when bytes came; raises `UserError` without a source."""
    clock: Clock
    calls: Calls | None = None
    guide: Guide | None = None
    """Plans; without one everything is fetched as it was asked for, and nothing costs."""
    has_near: Callable[[], bool] = nobody_near
    """Tells whether another PC of the school can be asked. Memory only."""
    attests: Attests = nobody

    def growing(self, lesson: LessonId) -> list[str]:
        """Name what grows of a lesson on this disk; blocking."""
        return growing_keys(self.lesson(lesson), self.attests)
