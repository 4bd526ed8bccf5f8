"""How much a first and a second catalogue sync cost: bytes, requests, seconds, memory."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from client.domain.ids import BookId
from client.store.catalogue_store import CatalogueStore
from client.store.library import open_library
from sync.engine.catalogue_sync import CatalogueReport, Wanted, sync_catalogue
from sync.source.addresses import AddressBook
from sync.source.platform.source import PLATFORM, PlatformSource
from sync.transport.http import HttpTransport

_STATUS = Path("/proc/self/status")
_MARK = "VmHWM:"
_KB_PER_MB = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueFigures:
    """Book list and some books, read twice. `ratio` is second to first in bytes."""

    first: CatalogueReport
    second: CatalogueReport
    ratio: float
    library_mb: float
    peak_rss_mb: float | None
    """Of the whole process; None where the system does not tell."""


def bench_catalogue(base: str, books: int = 40) -> CatalogueFigures:
    """Sync the book list and `books` books, evenly chosen, of the platform at `base`, twice."""
    with tempfile.TemporaryDirectory(prefix="tongke-bench-") as folder:
        path = Path(folder) / "library.db"
        db = open_library(path)
        try:
            store = CatalogueStore(db)
            offered = _read(base, store, ())
            chosen = [book.id for book in store.books(PLATFORM)][:: max(1, offered.books // books)]
            first = _read(base, store, chosen[:books])
            second = _read(base, store, chosen[:books])
        finally:
            db.close()
        whole = offered.bytes_received + first.bytes_received
        return CatalogueFigures(
            first=first,
            second=second,
            ratio=second.bytes_received / max(1, whole),
            library_mb=path.stat().st_size / _KB_PER_MB**2,
            peak_rss_mb=_peak_rss_mb(),
        )


def as_json(figures: CatalogueFigures) -> Mapping[str, object]:
    """Give the figures as the command line prints them."""

    def sync(report: CatalogueReport) -> dict[str, object]:
        return {
            "books": report.books,
            "lessons": report.lessons,
            "requests": report.requests,
            "bytes_received": report.bytes_received,
            "seconds": report.seconds,
        }

    return {
        "first": sync(figures.first),
        "second": sync(figures.second),
        "second_to_first": round(figures.ratio, 5),
        "library_mb": round(figures.library_mb, 1),
        "peak_rss_mb": figures.peak_rss_mb,
    }


def _read(base: str, store: CatalogueStore, books: Sequence[BookId]) -> CatalogueReport:
    addresses = AddressBook(base)
    transport = HttpTransport(resolve=addresses.redirect)
    source = PlatformSource(transport, addresses, store.memory(PLATFORM))
    return sync_catalogue(source, store, Wanted(books=tuple(books)))


def _peak_rss_mb(status: Path = _STATUS) -> float | None:
    if not status.exists():
        return None
    lines = status.read_text("ascii").splitlines()
    peaks = [int(line.split()[1]) for line in lines if line.startswith(_MARK)]
    return round(peaks[0] / _KB_PER_MB, 1) if peaks else None
