"""Commands that reach beyond this machine: sources, catalogue, fetching."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Final

from client.domain.cancel import CancelToken
from client.domain.catalogue import Role
from client.domain.errors import UsageError, UserError
from client.domain.ids import BookId, LessonId
from client.media.remux import remux
from client.service.command.documents import Outcome
from client.service.command.parse import Invocation
from client.service.command.room_commands import Command
from client.service.secrets import SecretPlace, read_token_file
from client.service.station import Station
from client.service.text import Words
from client.store.catalogue_read import SourceRow
from sync.engine.catalogue_sync import CatalogueProgress, Wanted
from sync.engine.fetch import Probe
from sync.engine.fetch_plan import Choice, FetchReport, PartStatus
from sync.engine.folder_import import FolderReport, Progress, import_folder
from sync.engine.hub_catalogue import sync_hub
from sync.engine.platform_link import KIND, HubTold, PlatformLink, platform_of
from sync.engine.take_home import HomePorts, take_home
from sync.engine.watched_folder import Step, WatchedFolder, watch_folder
from sync.source.addresses import AddressBook
from sync.source.folder import MOST_FILES, Rejected
from sync.source.folder_looks import LOOKS
from sync.source.folder_names import shown
from sync.source.hub import source_of
from sync.source.platform.source import PLATFORM

Say = Callable[[str], None]
"""Writes one line of progress to stderr."""

_ALL: Final = "all"
_HOME: Final = "home"
_FAILED: Final = 4
_LOOK_S: Final = 2.0
"""Seconds between the looks of a command, which people wait for."""


def commands(probe: Probe, say: Say, cancel: CancelToken) -> Mapping[str, Command]:
    """Make the commands.

    Args:
        probe: Tells whether a file decodes on this machine.
        say: Progress for people, on stderr.
        cancel: Cancelled by Ctrl-C.
    """
    desk = _Desk(probe, say, cancel)
    return {
        "source add platform": add_platform,
        "source add folder": desk.add_folder,
        "catalogue sync": desk.sync,
        "export": desk.export,
        "lesson fetch": desk.fetch,
        "lesson verify": desk.verify,
    }


def add_platform(station: Station, call: Invocation) -> object:
    """`source add platform`."""
    base = call.text("base")
    AddressBook(base or None)
    place: SecretPlace | None = None
    token = call.path("token_file")
    if token is not None:
        place = station.secrets.save(read_token_file(token))
    row = SourceRow(id=PLATFORM, kind=KIND, address=base, pace_s=call.seconds("pace"))
    station.add_source(row)
    warning = "token_in_file" if place is SecretPlace.FILE else None
    return {"id": row.id, "kind": row.kind, "base": base, "token": place, "warning": warning}


class _Desk:
    """Commands that need a link."""

    def __init__(self, probe: Probe, say: Say, cancel: CancelToken) -> None:
        self._probe = probe
        self._say = say
        self._cancel = cancel

    def add_folder(self, station: Station, call: Invocation) -> object:
        """`source add folder`: takes in what it holds, at once."""

        def tell(done: int, whole: int) -> None:
            self._say(f"lessons {done}/{whole}")

        folder = call.needed_path("dir")
        if call.flag("watch"):
            return self._watch(station, folder.absolute(), tell)
        return import_folder(station, folder, self._probe, self._cancel, tell)

    def _watch(self, station: Station, folder: Path, tell: Progress) -> FolderReport:
        """Watch a folder from now on; take in at once what stands still over a few looks."""
        watched = WatchedFolder(station, folder, still_s=0.0)
        for look in range(LOOKS):
            self._cancel.sleep(_LOOK_S if look else 0.0)
            if watched.look(self._cancel).step is Step.MISSING:
                raise UserError("folder_missing", {"path": shown(str(folder))})
        watch_folder(station, folder)
        report = watched.take(self._probe, self._cancel, tell, most=MOST_FILES)
        waiting = (Rejected(what=shown(name), why="file_changes") for name in watched.held)
        return replace(report, rejected=(*report.rejected, *waiting))

    def export(self, station: Station, call: Invocation) -> object:
        """`export home`: lessons as a folder or zip for phones and televisions."""
        if call.text("format") != _HOME:
            raise UsageError("not_in_this_version", {"what": f"export {call.text('format')}"})
        if not (names := call.items("lessons")):
            raise UsageError("usage", {"detail": "--lessons"})
        language = call.language or station.room.snapshot().settings.language
        ports = HomePorts(
            station=station,
            words=Words(language),
            remux=remux,
            cancel=self._cancel,
            progress=lambda done, whole: self._say(f"lessons {done}/{whole}"),
        )
        return take_home(ports, call.needed_path("out"), [LessonId(name) for name in names])

    def sync(self, station: Station, call: Invocation) -> object:
        """`catalogue sync`."""
        name = call.text("source")
        hub = next((hub for hub in station.hubs.hubs() if source_of(hub.key) == name), None)
        if hub is not None:
            try:
                return sync_hub(station, hub, self._tell, self._cancel)
            finally:
                station.withdrawals.try_now()
                station.library.refresh(self._cancel)
        row = station.source(name, KIND) if name else platform_of(station)
        names = call.items("books")
        chosen = tuple(dict.fromkeys(c.book for c in station.room.snapshot().chosen_books))
        books = tuple(BookId(name) for name in names) if names else chosen
        wanted = Wanted(
            books=None if names == (_ALL,) else books, with_details=call.flag("details")
        )
        with self._link(station, row) as link:
            report = link.sync(wanted, self._tell, self._cancel)
            hubs = [_told(one) for one in link.hubs_told]
        return {**asdict(report), "hubs": hubs} if hubs else report

    def fetch(self, station: Station, call: Invocation) -> object:
        """`lesson fetch`: 4 when a part that could have come did not."""
        choice = Choice(
            rendition=call.text("rendition") or station.room.snapshot().settings.rendition,
            roles=_roles(call.items("parts")),
        )
        with self._link(station, platform_of(station)) as link:
            report = link.fetch(LessonId(call.text("id")), choice, self._cancel)
        return Outcome(value=report, exit_code=_code(report))

    def verify(self, station: Station, call: Invocation) -> object:
        """`lesson verify`: hash again; what is damaged is fetched again if a source is there."""
        begun = station.clock.monotonic()
        name = call.text("id")
        checked = station.holdings.verify(
            LessonId(name) if name else None, self._cancel, station.clock.wall().isoformat()
        )
        healed = self._heal(station) if checked.bad else 0
        return {
            "checked": checked.checked,
            "bad": checked.bad,
            "healed": healed,
            "strays": station.holdings.strays(),
            "seconds": round(station.clock.monotonic() - begun, 3),
        }

    def _heal(self, station: Station) -> int:
        missing: dict[LessonId, set[str]] = {}
        for lesson, _, path in station.holdings.missing():
            missing.setdefault(lesson, set()).add(path)
        try:
            row = platform_of(station)
        except UserError:
            return 0
        healed = 0
        with self._link(station, row) as link:
            for lesson, paths in missing.items():
                choice = Choice(paths=frozenset(paths))
                report = link.fetch(lesson, choice, self._cancel)
                healed += sum(part.status is PartStatus.PRESENT for part in report.parts)
        return healed

    @contextlib.contextmanager
    def _link(self, station: Station, row: SourceRow | None) -> Iterator[PlatformLink]:
        link = PlatformLink(station, row, self._probe)
        try:
            yield link
        finally:
            link.close()

    def _tell(self, progress: CatalogueProgress) -> None:
        self._say(f"{progress.phase.value} {progress.done}/{progress.total}")


def _roles(names: tuple[str, ...]) -> frozenset[Role]:
    known = {role.value: role for role in Role}
    for name in names:
        if name not in known:
            raise UsageError("usage", {"detail": name})
    return frozenset(known[name] for name in names)


def _told(one: HubTold) -> Mapping[str, object]:
    """Say what became of a hub."""
    source = source_of(one.hub.key)
    if one.report is not None:
        return asdict(one.report)
    return {"source": source, "error": "" if one.error is None else one.error.code}


def _code(report: FetchReport) -> int:
    return 0 if report.is_complete else _FAILED
