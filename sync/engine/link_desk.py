"""What the program on screen asks of the outside: fetching, syncing, importing."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Final

from client.domain.catalogue import Role
from client.domain.ids import LessonId
from client.service.api import SyncStatus
from client.service.station import Station
from sync.engine.catalogue_sync import CatalogueReport, Wanted
from sync.engine.fetch import Probe
from sync.engine.platform_link import KIND, PlatformLink
from sync.engine.supervisor import Supervisor, SupervisorPorts


class LinkDesk:
    """Makes and starts the supervisor of a profile. All methods return at once."""

    def __init__(self, station: Station, probe: Probe) -> None:
        self._station: Final = station

        def link(on_bytes: Callable[[], None]) -> PlatformLink:
            return PlatformLink(station, station.source(None, KIND), probe, on_bytes)

        self.supervisor: Final = Supervisor(
            SupervisorPorts(
                wants=station.wants,
                holdings=station.holdings,
                lesson=station.catalogue.lesson,
                link=link,
                clock=station.clock,
            )
        )
        self.supervisor.start()

    def request(
        self, lesson: LessonId, rendition: str = "", roles: frozenset[Role] = frozenset()
    ) -> None:
        """Have a lesson brought here; no rendition means the room's own choice."""
        usual = self._station.room.snapshot().settings.rendition
        self.supervisor.request(lesson, rendition or usual, roles)

    def cancel(self, lesson: LessonId) -> None:
        """Want a lesson no more."""
        self.supervisor.cancel(lesson)

    def pause(self) -> None:
        """Fetch nothing until `resume`."""
        self.supervisor.pause()

    def resume(self) -> None:
        """Go on."""
        self.supervisor.resume()

    def sync(self) -> Future[CatalogueReport]:
        """Bring the catalogue up to date for the books this room has chosen."""
        chosen = (choice.book for choice in self._station.room.snapshot().chosen_books)
        self.supervisor.source_changed()
        return self.supervisor.sync_catalogue(Wanted(books=tuple(dict.fromkeys(chosen))))

    def import_paths(self, paths: Sequence[Path]) -> None:
        """Take lessons from files or folders."""

    def subscribe(self, listener: Callable[[SyncStatus], None]) -> object:
        """Tell each new status, on any thread."""
        return self.supervisor.subscribe(listener)

    def close(self) -> None:
        """Stop at once."""
        self.supervisor.close()
