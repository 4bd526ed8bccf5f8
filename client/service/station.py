"""One opened profile: every store and service of the classroom's machine, joined.

Invariants:
  N1  Opening always succeeds unless the disk refuses or a newer program wrote the profile; what
      had to be mended is told in `notices`.
  N2  `library.db` may be missing or damaged: it is made anew, cached lessons come back from disk,
      sources from the room's local rows. Nothing of the journal depends on it.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from client.domain.catalogue import Lesson, LessonKind
from client.domain.clock import Clock
from client.domain.edition_known import is_frozen, passed, read_known
from client.domain.errors import StorageCorruptError, UserError
from client.domain.holding import Holding
from client.domain.ids import BookId, LessonId, SourceId
from client.service.agenda import Agenda
from client.service.api import Filters, LessonDetail, LinkView, Promise, Stopped
from client.service.classes import ClassesService
from client.service.hubs import HubBook
from client.service.keeping import Keeping
from client.service.library import LibraryService
from client.service.paths import Profile
from client.service.print_desk import PrintDesk
from client.service.purge import PurgePorts, Purger
from client.service.purse import Purse
from client.service.records import RecordService
from client.service.room import RoomService
from client.service.scrub import Scrubber
from client.service.secrets import Secrets
from client.service.storage import StoragePorts, StorageService
from client.service.today import TodayService
from client.service.withdrawals import WithdrawalPorts, WithdrawalService, noted
from client.store.blob_store import BlobStore
from client.store.catalogue_read import SourceRow
from client.store.catalogue_store import CatalogueStore
from client.store.database import Database
from client.store.durable import set_aside
from client.store.edition_store import EditionStore
from client.store.holding_store import HoldingStore
from client.store.library import open_library
from client.store.machine import read_marks
from client.store.repair import Notice, open_journal
from client.store.sentinel import sentinel_of
from client.store.want_store import WantStore
from client.store.withdrawal_rows import WithdrawalRows

_SOURCE: Final = "source."
_FETCHED: Final = frozenset({"platform", "hub"})
"""Kinds of sources that lessons are fetched from."""
_DAY_MS: Final = 86_400_000
_SIMILAR: Final = 30
_MOST_SIMILAR: Final = 3


class Station:
    """See the module. Opening blocks for some tens of milliseconds; `close` drains writes.

    Args:
        profile: Where everything lies.
        clock: The machine's.
        boot: Names this start of the machine; the system is asked when it is left out.
    """

    def __init__(self, profile: Profile, clock: Clock, boot: str | None = None) -> None:
        self.profile: Final = profile.prepare()
        self.clock: Final = clock
        sentinel = sentinel_of(profile.folder)
        opened = open_journal(profile.folder, clock, sentinel, read_marks(), boot)
        self.journal: Final = opened.journal
        self.room: Final = RoomService(opened.journal)
        self.records: Final = RecordService(opened.journal, self.room.class_ids)
        library = _open_library(profile)
        self.database: Final = library.database
        self.catalogue: Final = CatalogueStore(self.database)
        self.blobs: Final = BlobStore(profile.blobs)
        self.holdings: Final = HoldingStore(self.database, self.blobs, profile.lessons)
        self.wants: Final = WantStore(self.database)
        self.notices: Final = (*opened.notices, *library.notices, *self._adopt())
        self.library: Final = LibraryService(
            self.database,
            self.holdings,
            self._chosen,
            self._stopped,
        )
        self.today: Final = TodayService(
            self.room, self.records, _Lessons(self), clock, self._promises
        )
        self.purse: Final = Purse(self.room, self.records, self._start, clock)
        self.agenda: Final = Agenda(
            self.room, self.today, _Shelf(self), self.purse, self._can_fetch
        )
        self.blobs.have_room_kept(self.storage.require_now)
        self.holdings.have_old_kept(self._is_in_class)
        self._restore_sources()

    @cached_property
    def secrets(self) -> Secrets:
        """The school's own credentials."""
        return Secrets(self.profile.keys)

    @cached_property
    def hubs(self) -> HubBook:
        """The hubs this room is enrolled with."""
        return HubBook(self.room)

    @cached_property
    def keeping(self) -> Keeping:
        """What threatens the records."""
        return Keeping(self.journal, lambda: len(self.hubs.hubs()))

    @cached_property
    def storage(self) -> StorageService:
        """Room for lessons."""
        return StorageService(
            StoragePorts(
                database=self.database,
                holdings=self.holdings,
                room=self.room,
                records=self.records,
                coming=self.today.lessons_ahead_now,
            )
        )

    @cached_property
    def withdrawals(self) -> WithdrawalService:
        """What must no longer be used."""
        editions = EditionStore(self.database)
        purger = Purger(
            PurgePorts(
                profile=self.profile,
                holdings=self.holdings,
                catalogue=self.catalogue,
                room=self.room,
                attested=lambda path: [one.digest for _, one in editions.attested(path)],
                index=self.library.refresh,
            )
        )
        return WithdrawalService(
            WithdrawalPorts(
                rows=WithdrawalRows(self.database),
                catalogue=self.catalogue,
                holdings=self.holdings,
                wants=self.wants,
                records=self.records,
                room=self.room,
                purger=purger,
                start=self._start,
            )
        )

    @cached_property
    def scrub(self) -> Scrubber:
        """Reads every file again while nothing else happens."""
        return Scrubber(self.holdings, self.room, self.clock)

    @cached_property
    def print_desk(self) -> PrintDesk:
        """Makes sheets to print."""
        return PrintDesk(self.room, self.library.detail_now, self.catalogue.lesson)

    @cached_property
    def classes(self) -> ClassesService:
        """What the classes did, for 班级."""
        return ClassesService(self.journal, self.room, self.catalogue)

    def silent_days(self, hub: bytes) -> int:
        """Tell for how many days of running time a hub had no newer edition; 0 below thirty."""
        present = self.journal.present()
        known = passed(read_known(self.hubs.edition(hub)), present.boot, present.mono_ms)
        return known.silent_ms // _DAY_MS if is_frozen(known) else 0

    # --- sources -------------------------------------------------------------------------

    def sources(self) -> tuple[SourceRow, ...]:
        """List where lessons come from. Blocking."""
        return self.catalogue.sources()

    def add_source(self, row: SourceRow) -> None:
        """Add or change a source; it survives deleting library.db. Blocking."""
        text = json.dumps([row.kind, row.address, row.pace_s])
        self.room.set_local(_SOURCE + row.id, text).result()
        self.catalogue.put_source(row)

    def source(self, name: str | None, kind: str) -> SourceRow:
        """Find a source by id, or the only one of a kind.

        Raises:
            UserError: `source_unknown`, `no_source`.
        """
        rows = self.sources()
        if name:
            found = [row for row in rows if row.id == name]
            if not found:
                raise UserError("source_unknown", {"name": name})
            return found[0]
        fitting = [row for row in rows if row.kind == kind]
        if not fitting:
            raise UserError("no_source")
        return fitting[0]

    def close(self) -> None:
        """Write what is queued and close everything. Idempotent."""
        self.today.close()
        for name in ("scrub", "storage", "print_desk", "classes", "keeping"):
            if name in self.__dict__:
                getattr(self, name).close()
        self.journal.close()
        self.database.close()

    # --- inside --------------------------------------------------------------------------

    def _start(self) -> tuple[str, int]:
        """Name this start of the machine, and how long it has been running in ms."""
        present = self.journal.present()
        return f"{present.writer.hex()}.{present.boot}", present.mono_ms

    def _stopped(self, lessons: Collection[LessonId]) -> Mapping[LessonId, Stopped]:
        return self.withdrawals.stopped_now(lessons)

    def _is_in_class(self, lesson: LessonId) -> bool:
        unfinished = self.records.unfinished()
        return any(one.point.lesson == lesson and one.is_interrupted for one in unfinished)

    def _can_fetch(self) -> bool:
        return any(row.kind in _FETCHED for row in self.sources())

    def _promises(self) -> tuple[Mapping[LessonId, Promise], LinkView] | None:
        newest = self.agenda.newest
        return None if newest is None else (newest.promises, newest.link)

    def _chosen(self) -> tuple[BookId, ...]:
        return tuple(dict.fromkeys(c.book for c in self.room.snapshot().chosen_books))

    def _adopt(self) -> tuple[Notice, ...]:
        if self.holdings.is_adopted():
            return ()
        WithdrawalRows(self.database).put_back(one for _, said in noted(self.room) for one in said)
        report = self.holdings.adopt(
            lambda lesson: _ignore(self.catalogue.put_whole((lesson,))),
            self.clock.wall().isoformat(),
        )
        if not report.lessons and not report.damaged:
            return ()
        values = (("lessons", report.lessons), ("damaged", report.damaged))
        return (Notice(code="library_rebuilt", values=values),)

    def _restore_sources(self) -> None:
        known = {row.id for row in self.sources()}
        for name, text in self.room.locals(_SOURCE).items():
            source = SourceId(name)
            if source not in known:
                kind, address, pace_s = json.loads(text)
                self.catalogue.put_source(
                    SourceRow(id=source, kind=kind, address=address, pace_s=pace_s)
                )


class _Shelf:
    """What the plan reads of catalogue and disk (client.service.agenda.Shelf)."""

    def __init__(self, station: Station) -> None:
        self._station = station

    def lesson(self, lesson: LessonId) -> Lesson | None:
        """See the port: nothing is planned of what is withdrawn."""
        record = self._station.catalogue.record(lesson)
        return None if record is None or record.is_withdrawn else record.lesson

    def of_lesson(self, lesson: LessonId) -> Sequence[Holding]:
        """See the port."""
        return self._station.holdings.of_lesson(lesson)


class _Lessons:
    """What 今天 reads of the library (client.service.today.Lessons)."""

    def __init__(self, station: Station) -> None:
        self._station = station

    def details_now(self, ids: Sequence[LessonId]) -> Mapping[LessonId, LessonDetail]:
        """See the port."""
        return self._station.library.details_now(ids)

    def with_textbook_now(self, detail: LessonDetail) -> LessonDetail:
        """See the port."""
        return self._station.library.with_textbook_now(detail)

    def periods_now(self, book: BookId) -> tuple[tuple[LessonId, int], ...]:
        """See the port."""
        return self._station.catalogue.periods_of_book(book)

    def order_now(self, book: BookId) -> tuple[Lesson, ...]:
        """See the port."""
        return self._station.catalogue.lessons_of_book(book)

    def similar_now(self, detail: LessonDetail) -> tuple[LessonDetail, ...]:
        """See the port."""
        library, place = self._station.library, detail.row.place
        wanted = Filters(grade=(place.grade,), subject=(place.subject,))
        rows = library.search_now(detail.row.title, wanted, _SIMILAR).rows
        ids = [
            row.id
            for row in rows
            if row.place.edition != place.edition and row.kind is not LessonKind.TEXTBOOK
        ]
        return tuple(library.details_now(ids[:_MOST_SIMILAR]).values())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Library:
    database: Database
    notices: tuple[Notice, ...] = ()


def _open_library(profile: Profile) -> _Library:
    try:
        return _Library(database=open_library(profile.library_db))
    except StorageCorruptError:
        damaged = set_aside(profile.library_db)
        for ending in ("-wal", "-shm"):
            profile.library_db.with_name(profile.library_db.name + ending).unlink(missing_ok=True)
        return _Library(
            database=open_library(profile.library_db),
            notices=(Notice(code="library_damaged", values=(("name", damaged.name),)),),
        )


def _ignore(_: object) -> None:
    return None
