"""What the program on screen asks of packs to take home. Every method returns at once.

Invariants:
  HD1  One pack is made at a time; stopping ends it at once, and closing as well.
  HD2  A pack never meets another one: a zip has a name that is free, and a folder one that is free
       or ours.
"""

from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Final

from client.domain.cancel import CancelToken
from client.domain.catalogue import display_title
from client.domain.errors import UserError
from client.domain.ids import LessonId
from client.service.intake import NotTaken
from client.service.station import Station
from client.service.sticks import HomeEnd, HomeWish, PackOffer
from client.service.text import Words
from sync.engine.take_home import HomePorts, take_home
from sync.protocol.stick_names import plain_name

_CLOSE_S: Final = 5.0
_TRIES: Final = 100
_ZIP: Final = ".zip"
Tell = Callable[[int, int], None]
"""Told lessons done and in all, on a worker thread; may only post."""


class HomeDesk:
    """See the module.

    Args:
        station: The room.
        remux: Makes an MP4 of a transport stream; tells whether it did.
    """

    def __init__(self, station: Station, remux: Callable[[Path, Path], bool]) -> None:
        self._station: Final = station
        self._remux: Final = remux
        self._worker: Final = ThreadPoolExecutor(1, thread_name_prefix="home")
        self._looker: Final = ThreadPoolExecutor(1, thread_name_prefix="home-look")
        self._cancel = CancelToken()
        self._under_way: Future[HomeEnd] | None = None

    def offers(self, first: Collection[LessonId]) -> Future[tuple[PackOffer, ...]]:
        """List the lessons that are here: `first`, then those of the week, then the others."""

        def job() -> tuple[PackOffer, ...]:
            kept = {one.id: one for one in self._station.holdings.kept_lessons()}
            soon = self._station.today.week_lessons_now()
            order = dict.fromkeys((*first, *soon, *sorted(kept, key=lambda one: kept[one].title)))
            return tuple(
                PackOffer(
                    id=one,
                    title=display_title(kept[one].title),
                    size_bytes=kept[one].size_bytes,
                    is_soon=one in first if first else one in soon,
                )
                for one in order
                if one in kept
            )

        return self._looker.submit(job)

    def pack(self, folder: Path, wish: HomeWish, tell: Tell) -> Future[HomeEnd]:
        """Make a pack of these lessons in a folder. The future fails as `take_home` does."""
        cancel = self._cancel = CancelToken()

        def job() -> HomeEnd:
            cancel.check()
            ports = HomePorts(
                station=self._station,
                words=Words(self._station.room.snapshot().settings.language),
                remux=self._remux,
                cancel=cancel,
                progress=tell,
            )
            return _packed(ports, folder, wish)

        self._under_way = self._worker.submit(job)
        return self._under_way

    def stop(self) -> None:
        """Make no pack after all (HD1)."""
        self._cancel.cancel()

    def close(self) -> None:
        """Stop at once (HD1)."""
        self._cancel.cancel()
        self._looker.shutdown(wait=False, cancel_futures=True)
        self._worker.shutdown(wait=False, cancel_futures=True)
        if self._under_way is not None:
            wait([self._under_way], timeout=_CLOSE_S)


def _packed(ports: HomePorts, folder: Path, wish: HomeWish) -> HomeEnd:
    """Pack under the first name that is free or ours (HD2)."""
    for place in _places(folder, wish):
        try:
            made = take_home(ports, place, wish.lessons)
        except UserError as error:
            if error.code != "home_not_empty":
                raise
            continue
        return HomeEnd(
            path=Path(made.path),
            lessons=len(made.lessons),
            size_bytes=made.size_bytes,
            not_taken=tuple(NotTaken(name=one.what, why=one.why) for one in made.rejected),
        )
    raise UserError("home_not_empty", {"path": wish.name})


def _places(folder: Path, wish: HomeWish) -> Iterator[Path]:
    ext = _ZIP if wish.is_zip else ""
    for number in range(1, _TRIES + 1):
        name = wish.name if number == 1 else f"{wish.name} {number}"
        yield folder / (plain_name(name) + ext)
