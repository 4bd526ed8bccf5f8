"""What the program on screen asks of the outside: fetching, syncing, importing.

Invariants:
  LD1  One import runs at a time, in the order asked for, beside fetching; closing ends it at
       once and what came before stays.
  LD2  One folder that cannot be taken keeps no other out.
  LD3  What this room writes is brought to its hubs: a class that ended at once, anything else
       within a minute.
  LD4  Watched folders are taken in on the thread of imports, never during a class of this room;
       the status tells how they stand.
  LD5  Whatever changes timetable, limits or lessons makes another plan.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, TypeVar

from client.domain.cancel import CancelToken
from client.domain.catalogue import Role, display_title
from client.domain.errors import ProtocolError, StorageError, UserError
from client.domain.ids import LessonId
from client.domain.record.bodies import EventType
from client.domain.record.event import Event
from client.service.api import HubRow, Reason, SyncStatus, TransferState, WatchedRow
from client.service.hubs import Contact, KnownHub
from client.service.intake import ImportResult, NotTaken, OfferedLesson
from client.service.near_view import NearView
from client.service.station import Station
from client.service.text import Words
from client.store.edition_store import EditionStore
from sync.engine.belief import read_belief, waiting
from sync.engine.catalogue_sync import CatalogueReport, Wanted
from sync.engine.courier import Courier, CourierPorts
from sync.engine.courier_commands import labels_of
from sync.engine.courier_stick import is_packed
from sync.engine.fetch import Probe
from sync.engine.folder_import import FolderReport, import_folder
from sync.engine.folder_watch import FolderWatch, WatchPorts
from sync.engine.guide import PurseGuide, Wallet
from sync.engine.hub_calls import Trigger
from sync.engine.hub_link import HubLink, enrol
from sync.engine.hub_round import HubRound
from sync.engine.near_desk import NearDesk
from sync.engine.platform_link import PlatformLink, platform_of
from sync.engine.supervisor import Supervisor
from sync.engine.supervisor_ports import SupervisorPorts, nobody_near
from sync.engine.watched_folder import forget_folder, watch_folder, watched_folders
from sync.transport.metering import ask_system

T = TypeVar("T")

_CLOSE_S: Final = 5.0


class LinkDesk:
    """Makes and starts the supervisor of a profile. All methods return at once."""

    def __init__(self, station: Station, probe: Probe, near: NearDesk | None = None) -> None:
        self._station: Final = station
        self._probe: Final = probe
        self._near: Final = near
        self._cancel: Final = CancelToken()
        self._worker: Final = ThreadPoolExecutor(1, thread_name_prefix="import")
        self._imports: list[Future[ImportResult]] = []
        self._talker: Final = ThreadPoolExecutor(1, thread_name_prefix="hubs")
        self._questions: list[Future[Any]] = []
        self._before: dict[bytes, Contact] = {}
        """How calls to each hub had gone when it was first listed."""

        wallet = Wallet(station.purse)

        def link(on_bytes: Callable[[], None]) -> PlatformLink:
            around = None if near is None else near.around()
            return PlatformLink(station, platform_of(station), probe, on_bytes, wallet, around)

        self._round: Final = HubRound(
            station.hubs.hubs,
            lambda hub: HubLink(station, hub),
            station.clock,
        )
        self.supervisor: Final = Supervisor(
            SupervisorPorts(
                wants=station.wants,
                holdings=station.holdings,
                lesson=station.catalogue.lesson,
                link=link,
                clock=station.clock,
                calls=self._round,
                guide=PurseGuide(station.agenda, wallet, self._stop_withdrawn, ask_system),
                attests=EditionStore(station.database).attested,
                has_near=nobody_near if near is None else near.has_near,
            )
        )
        station.room.subscribe(self.supervisor.replan)
        station.holdings.subscribe(lambda _: self.supervisor.replan(is_link_new=False))
        self._watch: Final = FolderWatch(
            WatchPorts(
                station=station,
                probe=probe,
                submit=self._worker.submit,
                tell=self.supervisor.tell_watched,
            )
        )
        station.journal.listen(self._written)
        station.journal.wants_push = self._push
        self.supervisor.start()
        station.scrub.begin(self._is_idle, self.request)
        self._watch.start()
        if near is not None:
            near.book.subscribe(self.supervisor.replan)
            near.start()

    def _stop_withdrawn(self) -> None:
        """Take off the list, and off the disk, what must no longer be used."""
        for lesson in self._station.withdrawals.try_now().unwanted:
            self.supervisor.cancel(lesson)

    def request(
        self, lesson: LessonId, rendition: str = "", roles: frozenset[Role] = frozenset()
    ) -> None:
        """Have a lesson brought here; no rendition means the room's own choice."""
        usual = self._station.room.snapshot().settings.rendition
        self.supervisor.request(lesson, rendition or usual, roles)

    def cancel(self, lesson: LessonId) -> None:
        """Want a lesson no more."""
        self.supervisor.cancel(lesson)

    def pause(self) -> None:
        """Fetch nothing until `resume`."""
        self.supervisor.pause()

    def resume(self) -> None:
        """Go on."""
        self.supervisor.resume()

    def sync(self) -> Future[CatalogueReport]:
        """Bring the catalogue up to date for the books this room has chosen."""
        chosen = (choice.book for choice in self._station.room.snapshot().chosen_books)
        self.supervisor.source_changed()
        return self.supervisor.sync_catalogue(Wanted(books=tuple(dict.fromkeys(chosen))))

    def call_hubs(self) -> None:
        """Exchange with the hubs now; one may be new, or the link another."""
        self._round.look_again()
        self._round.tell(Trigger.ASKED)
        self.supervisor.hurry()

    def hubs(self) -> Future[tuple[HubRow, ...]]:
        """List the hubs of this room with what each has not got."""
        return self._asked(self._hub_rows)

    def add_hub(self, url: str, code: str) -> Future[KnownHub]:
        """Enrol with the hub at `url`, then exchange with it.

        The future fails as `sync.engine.hub_link.enrol` does.
        """

        def add() -> KnownHub:
            hub = enrol(self._station, url, code, self._cancel)
            self._before[hub.key] = Contact()
            self.call_hubs()
            return hub

        return self._asked(add)

    def lan(self) -> Future[NearView]:
        """Tell how sharing with PCs near by stands."""
        return _nothing() if self._near is None else self._near.view()

    def check_lan(self) -> Future[NearView]:
        """Try everything that sharing needs, then tell."""
        return _nothing() if self._near is None else self._near.check()

    def add_peer(self, text: str) -> Future[NearView]:
        """Make the PC with a typed address or code one of this school.

        The future fails as `sync.engine.near_desk.NearDesk.add_now` does.
        """
        return _nothing() if self._near is None else self._near.add(text)

    def folders(self) -> Future[tuple[WatchedRow, ...]]:
        """List the watched folders and how each stands."""

        def rows() -> tuple[WatchedRow, ...]:
            standing = self._watch.standing
            found = watched_folders(self._station)
            return tuple(WatchedRow(path=one, reason=standing.get(one)) for one in found)

        return self._asked(rows)

    def watch_folder(self, folder: Path, *, is_watched: bool) -> Future[None]:
        """Watch a folder from now on, or no longer."""

        def change() -> None:
            if is_watched:
                watch_folder(self._station, folder)
            else:
                forget_folder(self._station, folder)
            self._watch.look_again()

        return self._asked(change)

    def import_paths(self, paths: Sequence[Path]) -> Future[ImportResult]:
        """Take lessons from files or folders (LD1, LD2).

        The future fails only when the program is closed meanwhile (`Cancelled`).
        """
        future = self._worker.submit(self._import, tuple(paths))
        self._imports = [*(one for one in self._imports if not one.done()), future]
        return future

    def subscribe(self, listener: Callable[[SyncStatus], None]) -> object:
        """Tell each new status, on any thread."""
        return self.supervisor.subscribe(listener)

    def close(self) -> None:
        """Stop at once (LD1)."""
        self._cancel.cancel()
        self._station.scrub.close()
        self._watch.close()
        self.supervisor.close()
        if self._near is not None:
            self._near.close()
        for worker in (self._worker, self._talker):
            worker.shutdown(wait=False, cancel_futures=True)
        # A film that is being tried leaves by itself, without touching the profile.
        wait((*self._imports, *self._questions), timeout=_CLOSE_S)

    def _is_idle(self) -> bool:
        """Tell whether nothing is fetched or taken in."""
        rows = self.supervisor.status.rows
        is_fetching = any(row.state is TransferState.FETCHING for row in rows)
        return not is_fetching and all(one.done() for one in self._imports)

    def _asked(self, question: Callable[[], T]) -> Future[T]:
        future = self._talker.submit(question)
        self._questions = [*(one for one in self._questions if not one.done()), future]
        return future

    def _hub_rows(self) -> tuple[HubRow, ...]:
        here, book = self._station.journal.log.vector(), self._station.hubs
        found = []
        for hub in book.hubs():
            contact, belief = book.contact(hub.key), read_belief(book.belief(hub.key))
            is_new = contact != self._before.setdefault(hub.key, contact)
            found.append(
                HubRow(
                    key=hub.key,
                    name=hub.name,
                    url=hub.url,
                    waiting=waiting(belief, here),
                    last_contact_ms=contact.wall_ms or None,
                    reason=Reason(code=contact.reason) if contact.failures else None,
                    answers=not contact.failures if is_new else None,
                    silent_days=self._station.silent_days(hub.key),
                )
            )
        return tuple(found)

    def _push(self) -> None:
        """Bring what was written out of a disk that forgets."""
        self._round.tell(Trigger.CLASS_ENDED)
        self.supervisor.hurry()

    def _written(self, events: Sequence[Event]) -> None:
        """Hear of new facts (LD3)."""
        own = [event for event in events if event.writer == self._station.journal.writer]
        if own:
            has_ended = any(event.type == EventType.SITTING_ENDED for event in own)
            if has_ended:
                # What was withdrawn may have waited for this.
                self.supervisor.replan()
            self._round.tell(Trigger.CLASS_ENDED if has_ended else Trigger.WRITTEN)
            self._watch.heard([event.type for event in own])
            self.supervisor.hurry()

    def _import(self, paths: Sequence[Path]) -> ImportResult:
        result = ImportResult()
        for path in paths:
            try:
                result = self._taken(result, path)
            except (UserError, ProtocolError) as error:
                result = replace(result, failed=error)
            except StorageError as error:
                return replace(result, failed=error)
        return result

    def _taken(self, result: ImportResult, path: Path) -> ImportResult:
        """Take one folder in; one that was packed for a stick as a stick is."""
        if not is_packed(path):
            report = import_folder(self._station, path, self._probe, self._cancel)
            return self._joined(result, report)
        labels = labels_of(Words(self._station.room.snapshot().settings.language))
        ports = CourierPorts(
            station=self._station, probe=self._probe, labels=labels, cancel=self._cancel
        )
        unpacked = Courier(ports).unpack(path)
        left_out = (NotTaken(name=one.what, why=one.why) for one in unpacked.rejected)
        return replace(
            result,
            lessons=result.lessons + len(unpacked.lessons),
            not_taken=(*result.not_taken, *left_out),
        )

    def _joined(self, result: ImportResult, report: FolderReport) -> ImportResult:
        found = self._station.catalogue.lessons(report.offered)
        offered = (OfferedLesson(id=one.id, title=display_title(one.title)) for one in found)
        left_out = (NotTaken(name=one.what, why=one.why) for one in report.rejected)
        return replace(
            result,
            lessons=result.lessons + len(report.lessons),
            offered=(*result.offered, *offered),
            not_taken=(*result.not_taken, *left_out),
        )


def _nothing() -> Future[NearView]:
    """Tell that nothing is shared."""
    future: Future[NearView] = Future()
    future.set_result(NearView())
    return future
