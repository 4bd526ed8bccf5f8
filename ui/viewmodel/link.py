"""The way from the pages to the link, which comes up only after the first page is painted."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Final, Protocol

from client.domain.catalogue import Role
from client.domain.errors import Cancelled
from client.domain.ids import LessonId
from client.service.api import HubRow, SyncStatus, TodayPage, WatchedRow
from client.service.hubs import KnownHub
from client.service.intake import ImportResult
from client.service.near_view import NearView
from ui.viewmodel.transfer import Need


class LinkPort(Protocol):
    """What the program needs of the link. All methods return at once."""

    def request(
        self, lesson: LessonId, rendition: str = "", roles: frozenset[Role] = frozenset()
    ) -> None:
        """Have a lesson brought here; no rendition means the room's own choice."""
        ...

    def cancel(self, lesson: LessonId) -> None:
        """Want a lesson no more."""
        ...

    def pause(self) -> None:
        """Fetch nothing for now."""
        ...

    def resume(self) -> None:
        """Go on fetching."""
        ...

    def sync(self) -> Future[Any]:
        """Bring the catalogue up to date."""
        ...

    def call_hubs(self) -> None:
        """Exchange with the hubs now."""
        ...

    def hubs(self) -> Future[tuple[HubRow, ...]]:
        """List the hubs of this room."""
        ...

    def add_hub(self, url: str, code: str) -> Future[KnownHub]:
        """Enrol with a hub; the future gives it, or fails."""
        ...

    def lan(self) -> Future[NearView]:
        """Tell how sharing with PCs near by stands."""
        ...

    def check_lan(self) -> Future[NearView]:
        """Try everything that sharing needs."""
        ...

    def add_peer(self, text: str) -> Future[NearView]:
        """Make the PC with a typed code or address one of this school."""
        ...

    def folders(self) -> Future[tuple[WatchedRow, ...]]:
        """List the watched folders."""
        ...

    def watch_folder(self, folder: Path, *, is_watched: bool) -> Future[None]:
        """Watch a folder from now on, or no longer."""
        ...

    def import_paths(self, paths: Sequence[Path]) -> Future[ImportResult]:
        """Take lessons from files or folders."""
        ...

    def subscribe(self, listener: Callable[[SyncStatus], None]) -> object:
        """Tell each new status, on any thread."""
        ...

    def close(self) -> None:
        """Stop."""
        ...


class LinkCalls:
    """What 传输 and 设置 ask of the link; while it is not here, nothing comes of it.

    Args:
        link: Gives the link, None while it is not here.
    """

    def __init__(self, link: Callable[[], LinkPort | None]) -> None:
        self._link: Final = link

    def pause(self) -> None:
        """See `ui.viewmodel.transfer.TransferPort`."""
        if (link := self._link()) is not None:
            link.pause()

    def resume(self) -> None:
        """See `ui.viewmodel.transfer.TransferPort`."""
        if (link := self._link()) is not None:
            link.resume()

    def cancel(self, lesson: LessonId) -> None:
        """See `ui.viewmodel.transfer.TransferPort`."""
        if (link := self._link()) is not None:
            link.cancel(lesson)

    def request(self, lesson: LessonId) -> None:
        """See `ui.viewmodel.transfer.TransferPort`."""
        if (link := self._link()) is not None:
            link.request(lesson)

    def hubs(self) -> Future[tuple[HubRow, ...]]:
        """See `ui.viewmodel.hubs.HubsPort`."""
        link = self._link()
        return _nothing() if link is None else link.hubs()

    def add_hub(self, url: str, code: str) -> Future[KnownHub]:
        """See `ui.viewmodel.hubs.HubsPort`."""
        link = self._link()
        return _nothing() if link is None else link.add_hub(url, code)

    def lan(self) -> Future[NearView]:
        """See `ui.viewmodel.near.NearPort`."""
        link = self._link()
        return _nothing() if link is None else link.lan()

    def check_lan(self) -> Future[NearView]:
        """See `ui.viewmodel.near.NearPort`."""
        link = self._link()
        return _nothing() if link is None else link.check_lan()

    def add_peer(self, text: str) -> Future[NearView]:
        """See `ui.viewmodel.near.NearPort`."""
        link = self._link()
        return _nothing() if link is None else link.add_peer(text)

    def folders(self) -> Future[tuple[WatchedRow, ...]]:
        """See `ui.viewmodel.folders.FoldersPort`."""
        link = self._link()
        return _nothing() if link is None else link.folders()

    def watch_folder(self, folder: Path, *, is_watched: bool) -> Future[None]:
        """See `ui.viewmodel.folders.FoldersPort`."""
        link = self._link()
        return _nothing() if link is None else link.watch_folder(folder, is_watched=is_watched)


def _nothing() -> Future[Any]:
    future: Future[Any] = Future()
    future.set_exception(Cancelled())
    return future


def needs_of(page: TodayPage) -> tuple[Need, ...]:
    """Say which lessons of today are still to be taught, and when."""
    return tuple(
        Need(lesson=card.lesson, day=card.key.day, period=card.key.period, days_ahead=0)
        for row in page.rows
        for card in row.cards
        if card is not None and card.lesson is not None and not card.is_taught
    )
