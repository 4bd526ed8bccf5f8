"""What the program on screen asks of the outside: fetching, syncing, importing."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from client.domain.ids import LessonId
from client.service.api import SyncStatus
from client.service.station import Station
from sync.engine.catalogue_sync import Wanted
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

    def request(self, lesson: LessonId) -> None:
        """Have a lesson brought here, as the room's settings say."""
        self.supervisor.request(lesson, self._station.room.snapshot().settings.rendition)

    def sync(self, wanted: Wanted) -> None:
        """Bring the catalogue up to date."""
        self.supervisor.sync_catalogue(wanted)

    def import_paths(self, paths: Sequence[Path]) -> None:
        """Take lessons from files or folders."""

    def subscribe(self, listener: Callable[[SyncStatus], None]) -> object:
        """Tell each new status, on any thread."""
        return self.supervisor.subscribe(listener)

    def close(self) -> None:
        """Stop at once."""
        self.supervisor.close()
