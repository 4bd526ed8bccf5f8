"""Everything that talks to one platform for one profile, joined.

Invariants:
  L1  Credentials go to the platform's private media hosts only (`sync.transport.sign`).
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from client.domain.cancel import CancelToken
from client.domain.catalogue import Lesson
from client.domain.errors import UserError
from client.domain.ids import LessonId
from client.service.station import Station
from client.store.catalogue_read import SourceRow
from sync.engine.catalogue_sync import (
    CatalogueReport,
    Progress,
    Wanted,
    no_progress,
    read_details,
    sync_catalogue,
)
from sync.engine.fetch import Fetcher, FetchPorts, Probe
from sync.engine.fetch import Progress as FetchProgress
from sync.engine.fetch_plan import Choice, FetchReport
from sync.engine.guide import Wallet
from sync.source.addresses import AddressBook
from sync.source.platform.pace import Pace
from sync.source.platform.source import PlatformSource
from sync.transport.http import HttpTransport
from sync.transport.metered import MeteredTransport
from sync.transport.sign import MediaSigner

KIND: Final = "platform"


class PlatformLink:
    """Blocking; for worker threads and the command line. `close` frees the workers."""

    def __init__(
        self,
        station: Station,
        row: SourceRow,
        probe: Probe,
        on_bytes: Callable[[], None] | None = None,
        wallet: Wallet | None = None,
    ) -> None:
        self._station: Final = station
        self._row: Final = row
        self._addresses: Final = AddressBook(row.address or None)
        signer = MediaSigner(station.secrets.load, station.clock, self._addresses.is_private)
        carrier = HttpTransport(resolve=self._addresses.redirect, sign=signer, saw=signer.saw)
        transport = MeteredTransport(carrier, wallet or Wallet(station.purse), station.clock)
        self._transport: Final = transport
        self.fetcher: Final = Fetcher(
            FetchPorts(
                transport=transport,
                addresses=self._addresses,
                holdings=station.holdings,
                clock=station.clock,
                probe=probe,
            ),
            on_bytes=on_bytes,
        )

    @property
    def progress(self) -> FetchProgress:
        """How far the present fetch is."""
        return self.fetcher.progress

    def sync(
        self,
        wanted: Wanted,
        progress: Progress = no_progress,
        cancel: CancelToken | None = None,
    ) -> CatalogueReport:
        """Bring lists up to date, then the details of this week's lessons, then the search index.

        Raises:
            TransportError: The link is down; what came is kept.
            RefusedError: The source refuses everything.
            ProtocolError: The book list is broken.
            Cancelled: As asked.
        """
        station = self._station
        source = self._source()
        known = (*wanted.detail_ids, *self._known_details())
        try:
            report = sync_catalogue(
                source,
                station.catalogue,
                replace(wanted, detail_ids=known),
                progress=progress,
                cancel=cancel,
                clock=station.clock,
            )
            self._read_week(source, progress, cancel)
        finally:
            station.library.refresh(cancel)
        return report

    def fetch(self, lesson_id: LessonId, choice: Choice, cancel: CancelToken) -> FetchReport:
        """Bring a lesson, reading its detail first when it is not known.

        Raises:
            UserError: `lesson_unknown`.
            TransportError: Its detail could not be read.
            Cancelled: As asked.
        """
        return self.fetcher.fetch(self._whole(lesson_id, cancel), choice, cancel)

    def close(self) -> None:
        """Free the workers."""
        self.fetcher.close()

    def _whole(self, lesson_id: LessonId, cancel: CancelToken) -> Lesson:
        catalogue = self._station.catalogue
        lesson = catalogue.lesson(lesson_id)
        if lesson is not None and not lesson.has_detail and lesson.source == self._row.id:
            read_details(self._source(), catalogue, (lesson_id,), cancel=cancel)
            lesson = catalogue.lesson(lesson_id)
        if lesson is None:
            raise UserError("lesson_unknown", {"id": lesson_id})
        return lesson

    def _source(self) -> PlatformSource:
        row = self._row
        pace = None if row.pace_s is None else Pace(gap_s=row.pace_s)
        memory = self._station.catalogue.memory(row.id)
        return PlatformSource(self._transport, self._addresses, memory, pace=pace, id=row.id)

    def _known_details(self) -> tuple[LessonId, ...]:
        """Lessons that were opened or cached before: their details are kept up to date."""
        kept = tuple(kept.id for kept in self._station.holdings.kept_lessons())
        return self._of_this_source((*self._station.today.week_lessons_now(), *kept))

    def _read_week(
        self, source: PlatformSource, progress: Progress, cancel: CancelToken | None
    ) -> None:
        """Read what the new lists put into the week."""
        missing = [
            id_
            for id_ in self._of_this_source(self._station.today.week_lessons_now())
            if (lesson := self._station.catalogue.lesson(id_)) is not None and not lesson.has_detail
        ]
        if missing:
            read_details(source, self._station.catalogue, missing, progress=progress, cancel=cancel)

    def _of_this_source(self, ids: Sequence[LessonId]) -> tuple[LessonId, ...]:
        lessons = self._station.catalogue.lessons(tuple(dict.fromkeys(ids)))
        return tuple(lesson.id for lesson in lessons if lesson.source == self._row.id)
