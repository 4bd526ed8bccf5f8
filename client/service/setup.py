"""What first run and settings ask for beside the room itself: sources and textbooks.

Invariants:
  SE1  Blocking work runs on one worker thread, in the order it was asked for.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from client.domain.catalogue import Book
from client.domain.ids import SourceId
from client.domain.timetable import ChosenBook
from client.service.api import Filters
from client.service.school import grade_name
from client.service.secrets import SecretPlace, read_token_file
from client.service.station import Station
from client.service.wishes import LOCAL, Wish, met_wishes, read_wishes, write_wishes
from client.store.catalogue_read import SourceRow

PLATFORM: Final = "platform"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceLine:
    """One place lessons come from, for showing."""

    id: str
    kind: str
    address: str


class SetupDesk:
    """Methods return at once. `check_address` refuses a base that cannot be one."""

    def __init__(self, station: Station, check_address: Callable[[str], object]) -> None:
        self._station = station
        self._check_address = check_address
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="setup")

    def sources(self) -> Future[tuple[SourceLine, ...]]:
        """List where lessons come from."""
        return self._worker.submit(self._sources)

    def add_platform(self, base: str, token_file: Path | None) -> Future[SecretPlace | None]:
        """Add the platform; the future tells where the token was put, None without one.

        It fails with `UserError` for an address or a token file that cannot be used.
        """
        return self._worker.submit(self._add_platform, base.strip(), token_file)

    def books(self, grade: int, subject: str) -> Future[tuple[Book, ...]]:
        """List the textbooks of a grade and subject that are known here."""
        place = Filters(grade=(grade_name(grade),), subject=(subject,))
        return self._station.library.books(place)

    def wish(self, wishes: tuple[Wish, ...]) -> Future[tuple[ChosenBook, ...]]:
        """Keep what stands on the covers, and choose the books that are known already."""
        return self._worker.submit(self._wish, wishes)

    def meet_wishes(self) -> Future[tuple[ChosenBook, ...]]:
        """Choose books for wishes that can be met now; call it after a catalogue sync."""
        return self._worker.submit(self._meet)

    def wishes(self) -> tuple[Wish, ...]:
        """List what was wished for. Memory only."""
        return read_wishes(self._station.room.local(LOCAL))

    def close(self) -> None:
        """Finish what was begun, then stop."""
        self._worker.shutdown(wait=True)

    # --- on the worker -------------------------------------------------------------------

    def _sources(self) -> tuple[SourceLine, ...]:
        return tuple(
            SourceLine(id=row.id, kind=row.kind, address=row.address)
            for row in self._station.sources()
        )

    def _add_platform(self, base: str, token_file: Path | None) -> SecretPlace | None:
        self._check_address(base)
        place: SecretPlace | None = None
        if token_file is not None:
            place = self._station.secrets.save(read_token_file(token_file))
        row = SourceRow(id=SourceId(PLATFORM), kind=PLATFORM, address=base)
        self._station.add_source(row)
        return place

    def _wish(self, wishes: tuple[Wish, ...]) -> tuple[ChosenBook, ...]:
        self._station.room.set_local(LOCAL, write_wishes(wishes)).result()
        return self._meet()

    def _meet(self) -> tuple[ChosenBook, ...]:
        room = self._station.room
        met = met_wishes(self.wishes(), room.snapshot(), self._station.library.books_now())
        for one in met:
            room.choose_book(one.class_id, one.subject, one.book).result()
        return met
