"""What the program on screen asks of sticks. Every method returns at once.

Invariants:
  SD1  One thing at a time is done with sticks, in the order asked for; looking which sticks there
       are never waits for it.
  SD2  Closing ends it at once; what came before stays.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Final, TypeVar

from client.domain.cancel import CancelToken
from client.domain.catalogue import display_title
from client.domain.ids import LessonId
from client.service.intake import NotTaken
from client.service.station import Station
from client.service.sticks import PackOffer, StickEnd, StickProgress, StickSeen, StickStage
from sync.engine.courier import Courier, CourierPorts
from sync.engine.courier_pack import Labels
from sync.engine.courier_unpack import Progress
from sync.engine.fetch import Probe
from sync.source.folder import Rejected

_CLOSE_S: Final = 5.0
T = TypeVar("T")
Tell = Callable[[StickProgress], None]
"""Told on a worker thread; may only post."""
_Done = tuple[int, int, tuple[Rejected, ...]]
"""Lessons, bytes, and what was left out."""


class StickDesk:
    """See the module.

    Args:
        station: The room.
        probe: Tells whether a file decodes on this machine.
        labels: Gives the words of a stick's folders, in the language of the moment.
    """

    def __init__(self, station: Station, probe: Probe, labels: Callable[[], Labels]) -> None:
        self._station: Final = station
        self._probe: Final = probe
        self._labels: Final = labels
        self._cancel: Final = CancelToken()
        self._worker: Final = ThreadPoolExecutor(1, thread_name_prefix="stick")
        self._looker: Final = ThreadPoolExecutor(1, thread_name_prefix="stick-look")
        self._under_way: Future[StickEnd] | None = None

    def ask(self, question: Callable[[], T]) -> Future[T]:
        """Answer a question that reads the machine, aside from all else (SD1)."""
        return self._looker.submit(question)

    def look(self, folder: Path) -> Future[StickSeen]:
        """Look into a stick and change nothing."""

        def job() -> StickSeen:
            seen = self._courier().inspect(folder)
            return StickSeen(
                lessons=len(seen.lessons),
                fresh=sum(not one.is_held for one in seen.lessons),
                sites=seen.sites,
                has_record=bool(seen.requests or seen.answers),
            )

        return self._worker.submit(job)

    def take(self, folder: Path, tell: Tell) -> Future[StickEnd]:
        """Write the record out, then take lessons in."""

        def work(courier: Courier, progress: Progress) -> _Done:
            taken = courier.unpack(folder, progress)
            return len(taken.lessons), taken.copied_bytes, taken.rejected

        return self._begin(folder, StickStage.TAKING, tell, work)

    def pack(
        self, folder: Path, lessons: Sequence[LessonId], site: str, tell: Tell
    ) -> Future[StickEnd]:
        """Write the record out, then pack lessons in this order."""

        def work(courier: Courier, progress: Progress) -> _Done:
            packed = courier.pack(folder, tuple(lessons), site=site, progress=progress)
            return len(packed.lessons), packed.size_bytes, packed.rejected

        return self._begin(folder, StickStage.PACKING, tell, work)

    def offers(self) -> Future[tuple[PackOffer, ...]]:
        """List the lessons that are here, those of the week first."""

        def job() -> tuple[PackOffer, ...]:
            courier = self._courier()
            kept = {one.id: one for one in self._station.holdings.kept_lessons()}
            soon = frozenset(courier.soonest())
            return tuple(
                PackOffer(
                    id=one,
                    title=display_title(kept[one].title),
                    size_bytes=kept[one].size_bytes,
                    is_soon=one in soon,
                )
                for one in courier.all_lessons()
            )

        return self._worker.submit(job)

    def close(self) -> None:
        """Stop at once (SD2)."""
        self._cancel.cancel()
        self._looker.shutdown(wait=False, cancel_futures=True)
        self._worker.shutdown(wait=False, cancel_futures=True)
        if self._under_way is not None:
            wait([self._under_way], timeout=_CLOSE_S)

    def _begin(
        self,
        folder: Path,
        stage: StickStage,
        tell: Tell,
        work: Callable[[Courier, Progress], _Done],
    ) -> Future[StickEnd]:
        def job() -> StickEnd:
            courier = self._courier()
            tell(StickProgress(stage=StickStage.RESULTS))
            carried = courier.results(folder)

            def progress(done: int, whole: int, title: str) -> None:
                name = display_title(title)
                tell(StickProgress(stage=stage, done=done, whole=whole, title=name))

            lessons, size_bytes, rejected = work(courier, progress)
            return StickEnd(
                stage=stage,
                lessons=lessons,
                size_bytes=size_bytes,
                left_events=carried.left_events,
                receipts=carried.pushed_events,
                not_taken=tuple(
                    NotTaken(name=one.what, why=one.why) for one in (*carried.rejected, *rejected)
                ),
            )

        self._under_way = self._worker.submit(job)
        return self._under_way

    def _courier(self) -> Courier:
        ports = CourierPorts(
            station=self._station, probe=self._probe, labels=self._labels(), cancel=self._cancel
        )
        return Courier(ports)
