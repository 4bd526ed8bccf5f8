"""PCs of one school on loopback: each shares at an address of its own, all behind one web."""

import ipaddress
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from client.domain.cancel import CancelToken
from client.domain.clock import Clock, FrozenClock, SystemClock
from client.domain.ids import LessonId
from client.service.hubs import KnownHub
from client.service.paths import Profile
from client.service.station import Station
from sync.engine.catalogue_sync import no_progress
from sync.engine.fetch_plan import Choice, FetchReport
from sync.engine.guide import Wallet
from sync.engine.hub_catalogue import add_hub_source, sync_hub
from sync.engine.near_desk import NearDesk
from sync.engine.near_shelf import NearShelf
from sync.engine.pacing import Patience
from sync.engine.platform_link import PlatformLink
from sync.hub.serve import Place
from sync.hub.share import ShareServer
from sync.transport.air import Air, MemoryDiscovery
from tests.content_world import yes

if TYPE_CHECKING:
    from client.store.catalogue_read import SourceRow

QUICK = Patience(tries=4, first_s=0.001, most_s=0.002)


def no_delay(_: LessonId) -> float:
    return 0.0


class Twist:
    """A shelf of which a test twists some answers."""

    def __init__(self, shelf: NearShelf, twists: dict[str, Callable[..., Any]]) -> None:
        self._shelf, self._twists = shelf, twists

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def answer(*arguments: object) -> object:
            # Looked up now: the server keeps what it was given once.
            return self._twists.get(name, getattr(self._shelf, name))(*arguments)

        return answer


class Pc:
    """One PC of the school, in one life of its program."""

    def __init__(self, root: Path, number: int, air: Air, clock: Clock | None = None) -> None:
        self.host = f"127.0.0.{10 + number}"
        self.clock = clock or FrozenClock()
        self.station = Station(Profile(root / f"pc{number}"), self.clock)
        self.station.room.set_room("石板小学", f"{number}号教室").result()
        self.desk = NearDesk(
            self.station,
            self._serve,
            lambda *_: (MemoryDiscovery(air, self.host),),
            lambda: (ipaddress.IPv4Interface(f"{self.host}/24"),),
            no_delay,
        )
        self.platform: SourceRow | None = None
        self.twists: dict[str, Callable[..., Any]] = {}
        """What it answers instead, by the names of the shelf."""
        self._link: PlatformLink | None = None

    def _serve(self, shelf: Callable[[int], NearShelf]) -> ShareServer:
        return ShareServer(
            lambda port: Twist(shelf(port), self.twists),
            SystemClock(),
            Place(host=self.host, port=0),
        )

    def share(self, *, is_on: bool = True) -> "Pc":
        self.station.room.set_setting("lan_share", "on" if is_on else "off").result()
        self.desk.start()
        self.desk.view().result()
        return self

    def enrol(self, hub: KnownHub) -> "Pc":
        self.station.hubs.put(hub)
        add_hub_source(self.station, hub)
        return self

    def knows(self, *others: "Pc") -> "Pc":
        """Have somebody type the addresses of others here."""
        for other in others:
            self.desk.add_now(other.desk.view_now().address)
        return self

    @property
    def link(self) -> PlatformLink:
        if self._link is None:
            wallet = Wallet(self.station.purse)
            around = self.desk.around()
            self._link = PlatformLink(self.station, self.platform, yes, None, wallet, around)
        return self._link

    def sync(self, hub: KnownHub):
        through = self.desk.around().through
        return sync_hub(self.station, hub, no_progress, CancelToken(), QUICK, through)

    def lesson(self, title: str) -> LessonId:
        catalogue = self.station.catalogue
        return next(
            lesson.id
            for book in catalogue.books()
            for lesson in catalogue.lessons_of_book(book.id)
            if lesson.title == title
        )

    def fetch(self, title: str, cancel: CancelToken | None = None) -> FetchReport:
        return self.link.fetch(self.lesson(title), Choice(), cancel or CancelToken())

    def close(self) -> None:
        if self._link is not None:
            self._link.close()
        self.desk.close()
        self.station.close()
