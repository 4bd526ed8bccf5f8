"""The hubs of a room as sources of lessons: their editions, and their files."""

from collections.abc import Callable
from functools import partial
from typing import Final

from client.domain.cancel import CancelToken
from client.service.hubs import KnownHub
from client.service.station import Station
from client.store.catalogue_read import SourceRow
from client.store.edition_store import EditionStore
from client.store.keyfile import verify
from client.store.withdrawal_rows import WithdrawalRows
from sync.engine.catalogue_sync import Progress
from sync.engine.download import Downloader
from sync.engine.edition_files import EditionFiles
from sync.engine.edition_sync import EditionPorts, EditionReport, sync_edition
from sync.engine.edition_way import EditionWay, WebWay
from sync.engine.guide import Wallet
from sync.engine.hub_content import HubPlace
from sync.engine.hub_link import trusted_time
from sync.engine.pacing import LinkMeter, Patience
from sync.source.hub import KIND, HubAddresses, source_of
from sync.transport.http import HttpTransport
from sync.transport.metered import MeteredTransport
from sync.transport.port import Transport
from sync.transport.tls import hub_adapter

EDITIONS: Final = "editions"
"""Folder of the profile for what hubs publish: can be deleted at any time."""

Through = Callable[[bytes, EditionWay], EditionWay]
"""Given the key of a hub and the way to it, gives the way to take."""


def straight(_key: bytes, way: EditionWay) -> EditionWay:
    """Go to the hub itself: a `Through`."""
    return way


def add_hub_source(station: Station, hub: KnownHub) -> SourceRow:
    """Have a hub among the sources of lessons. Blocking."""
    row = SourceRow(id=source_of(hub.key), kind=KIND, address=hub.url, pace_s=None)
    station.add_source(row)
    return row


def hub_places(station: Station, wallet: Wallet) -> tuple[HubPlace, ...]:
    """Give the hubs as places of files, paid for out of a wallet."""
    return tuple(
        HubPlace(
            source=source_of(hub.key),
            transport=_transport(station, hub, wallet),
            addresses=HubAddresses(base=hub.url),
        )
        for hub in station.hubs.hubs()
    )


def sync_hub(
    station: Station,
    hub: KnownHub,
    progress: Progress,
    cancel: CancelToken,
    patience: Patience | None = None,
    through: Through = straight,
) -> EditionReport:
    """Take a hub's newest edition over the link; see `sync_edition`. Blocking.

    `through` may put another way before that of the link.
    """
    meter = LinkMeter(station.clock)
    downloader = Downloader(
        _transport(station, hub, Wallet(station.purse)),
        meter,
        patience=patience or Patience(),
        worked=_ignore,
        failed=_ignore,
    )
    way = through(hub.key, WebWay(downloader, HubAddresses(base=hub.url), station.blobs))
    return take_edition(station, hub, way, lambda: meter.total, progress, cancel)


def take_edition(
    station: Station,
    hub: KnownHub,
    way: EditionWay,
    received: Callable[[], int],
    progress: Progress,
    cancel: CancelToken,
) -> EditionReport:
    """Take a hub's newest edition from wherever it is, a folder too; see `sync_edition`.

    The search index is left to the caller.
    """
    return sync_edition(edition_ports(station, hub, way, received), progress, cancel)


def edition_ports(
    station: Station, hub: KnownHub, way: EditionWay, received: Callable[[], int]
) -> EditionPorts:
    """Join a hub's edition with the stores of a profile."""
    source = source_of(hub.key)
    return EditionPorts(
        source=source,
        key=hub.key,
        way=way,
        files=EditionFiles(station.profile.folder / EDITIONS / source),
        store=EditionStore(station.database),
        catalogue=station.catalogue,
        withdrawals=WithdrawalRows(station.database),
        others=frozenset(row.id for row in station.sources() if row.kind != KIND),
        load=partial(station.hubs.edition, hub.key),
        save=partial(station.hubs.save_edition, hub.key),
        present=station.journal.present,
        verify=verify,
        clock=station.clock,
        received=received,
    )


def _transport(station: Station, hub: KnownHub, wallet: Wallet) -> Transport:
    adapter = partial(hub_adapter, hub.url, hub.authority, trusted_time(station))
    carrier = HttpTransport(adapter=adapter, is_slow=lambda: station.purse.profile.is_metered)
    return MeteredTransport(carrier, wallet, station.clock)


def _ignore(_: str) -> None:
    """Learn nothing of addresses: a hub has one."""
