"""Everything that brings lessons to one profile, joined: its hubs, and the platform if it has one.

Invariants:
  L1  Credentials go to the platform's private media hosts only (`sync.transport.sign`).
  L2  One hub that cannot be read keeps neither another nor the platform from being read.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from client.domain.cancel import CancelToken
from client.domain.catalogue import Lesson, RemoteFile
from client.domain.errors import Cancelled, ClassroomError, UserError
from client.domain.ids import LessonId
from client.service.hubs import KnownHub
from client.service.station import Station
from client.store.catalogue_read import SourceRow
from client.store.edition_store import EditionStore
from sync.engine.catalogue_sync import (
    CatalogueReport,
    Progress,
    Wanted,
    no_progress,
    read_details,
    sync_catalogue,
)
from sync.engine.edition_sync import EditionReport
from sync.engine.fetch import Fetcher, FetchPorts, Probe
from sync.engine.fetch_job import Progress as FetchProgress
from sync.engine.fetch_plan import Choice, FetchReport
from sync.engine.guide import Wallet
from sync.engine.hub_catalogue import Through, hub_places, straight, sync_hub
from sync.engine.hub_link import trusted_time
from sync.engine.near import Near, NoNear
from sync.source.addresses import AddressBook, refused_address
from sync.source.platform.pace import Pace
from sync.source.platform.source import PlatformSource
from sync.transport.http import HttpTransport
from sync.transport.metered import MeteredTransport
from sync.transport.port import Transport
from sync.transport.sign import MediaSigner
from sync.transport.tls import public_adapter

KIND: Final = "platform"


@dataclass(frozen=True, slots=True, kw_only=True)
class HubTold:
    """What became of reading one hub: a report, or why there is none."""

    hub: KnownHub
    report: EditionReport | None = None
    error: ClassroomError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """The PCs near by, as far as lessons and editions come from them."""

    near: Near = field(default_factory=NoNear)
    transport: Transport | None = None
    """Carries from them, at no cost."""
    through: Through = straight
    """The way of editions."""


class NoPlatform:
    """Stands for the addresses of a platform that this room does not have."""

    def media_urls(self, file: RemoteFile) -> tuple[str, ...]:
        """See `sync.engine.fetch.Addresses`: there is nobody to ask."""
        raise UserError("no_source", {"path": file.path})

    def redirect(self, url: str) -> str:
        """See `sync.engine.fetch.Addresses`."""
        raise refused_address(url)

    def worked(self, url: str) -> None:
        """Learn nothing."""

    def failed(self, url: str) -> None:
        """Learn nothing."""


def platform_of(station: Station) -> SourceRow | None:
    """Give the room's platform, None where its lessons come from hubs alone.

    Raises:
        UserError: `no_source`: it has neither.
    """
    try:
        return station.source(None, KIND)
    except UserError:
        if not station.hubs.hubs():
            raise
        return None


class PlatformLink:
    """Blocking; for worker threads and the command line. `close` frees the workers.

    Args:
        station: The profile.
        row: The platform, None where lessons come from hubs alone.
        probe: Tells whether a file decodes on this machine.
        on_bytes: Called after bytes of a fetch came.
        wallet: Pays; made when left out.
        around: The PCs near by.
    """

    def __init__(
        self,
        station: Station,
        row: SourceRow | None,
        probe: Probe,
        on_bytes: Callable[[], None] | None = None,
        wallet: Wallet | None = None,
        around: Around | None = None,
    ) -> None:
        self._station: Final = station
        around = around or Around()
        self._through: Final = around.through
        self._row: Final = row
        self.hubs_told: tuple[HubTold, ...] = ()
        """What became of each hub in the last sync."""
        addresses = None if row is None else AddressBook(row.address or None)
        self._addresses: Final = addresses

        def is_slow() -> bool:
            return station.purse.profile.is_metered

        if addresses is None:
            carrier = HttpTransport(is_slow=is_slow)
        else:
            signer = MediaSigner(station.secrets.load, station.clock, addresses.is_private)
            carrier = HttpTransport(
                resolve=addresses.redirect,
                sign=signer,
                saw=signer.saw,
                adapter=partial(public_adapter, trusted_time(station), station.clock),
                is_slow=is_slow,
            )
        wallet = wallet or Wallet(station.purse)
        transport = MeteredTransport(carrier, wallet, station.clock)
        self._transport: Final = transport
        self.fetcher: Final = Fetcher(
            FetchPorts(
                transport=transport,
                addresses=addresses or NoPlatform(),
                holdings=station.holdings,
                clock=station.clock,
                probe=probe,
                hubs=hub_places(station, wallet),
                attests=EditionStore(station.database).attested,
                near=around.near,
                near_transport=around.transport,
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

        The hubs' editions come first. Returns the platform's report, or that of the first hub that
        answered where there is no platform.

        Raises:
            TransportError: The link is down; what came is kept.
            RefusedError: The source refuses everything.
            ProtocolError: The book list, or the only edition, is broken.
            Cancelled: As asked.
        """
        try:
            self._sync_hubs(progress, cancel or CancelToken())
            if self._addresses is None:
                return self._of_hubs()
            return self._sync_platform(wanted, progress, cancel)
        finally:
            self._station.withdrawals.try_now()
            self._station.library.refresh(cancel)

    def _sync_platform(
        self, wanted: Wanted, progress: Progress, cancel: CancelToken | None
    ) -> CatalogueReport:
        source = self._source()
        known = (*wanted.detail_ids, *self._known_details())
        report = sync_catalogue(
            source,
            self._station.catalogue,
            replace(wanted, detail_ids=known),
            progress=progress,
            cancel=cancel,
            clock=self._station.clock,
        )
        self._read_week(source, progress, cancel)
        return report

    def _sync_hubs(self, progress: Progress, cancel: CancelToken) -> None:
        """Take the newest edition of every hub that publishes one (L2)."""
        told = []
        for hub in self._station.hubs.hubs():
            try:
                report = sync_hub(self._station, hub, progress, cancel, through=self._through)
            except Cancelled:
                raise
            except ClassroomError as error:
                told.append(HubTold(hub=hub, error=error))
            else:
                told.append(HubTold(hub=hub, report=report))
        self.hubs_told = tuple(told)

    def _of_hubs(self) -> CatalogueReport:
        for told in self.hubs_told:
            if told.report is not None:
                return told.report
        raise next(
            (told.error for told in self.hubs_told if told.error is not None),
            UserError("no_source"),
        )

    def fetch(self, lesson_id: LessonId, choice: Choice, cancel: CancelToken) -> FetchReport:
        """Bring a lesson, reading its detail first when it is not known.

        Raises:
            UserError: `lesson_unknown`, `lesson_withdrawn`.
            TransportError: Its detail could not be read.
            Cancelled: As asked.
        """
        return self.fetcher.fetch(self._whole(lesson_id, cancel), choice, cancel)

    def close(self) -> None:
        """Free the workers."""
        self.fetcher.close()

    def _whole(self, lesson_id: LessonId, cancel: CancelToken) -> Lesson:
        catalogue = self._station.catalogue
        record = catalogue.record(lesson_id)
        if record is not None and record.is_withdrawn:
            raise UserError("lesson_withdrawn", {"id": lesson_id})
        lesson = None if record is None else record.lesson
        if lesson is not None and not lesson.has_detail and self._is_ours(lesson):
            read_details(self._source(), catalogue, (lesson_id,), cancel=cancel)
            lesson = catalogue.lesson(lesson_id)
        if lesson is None:
            raise UserError("lesson_unknown", {"id": lesson_id})
        return lesson

    def _is_ours(self, lesson: Lesson) -> bool:
        return self._row is not None and lesson.source == self._row.id

    def _source(self) -> PlatformSource:
        row = self._row
        assert row is not None  # noqa: S101 - asked for where there is a platform only
        assert self._addresses is not None  # noqa: S101
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
        return tuple(lesson.id for lesson in lessons if self._is_ours(lesson))
