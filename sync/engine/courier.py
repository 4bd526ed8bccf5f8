"""What a stick is for, in one place: results out, lessons in, lessons out (USB courier).

Invariants:
  CO1  Results go out before anything but leftovers is read or written, and a stick that cannot be
       written still gives its lessons.
  CO3  What hubs withdrew comes in before any lesson, and goes out with every stick.
  CO2  After `pack` and `unpack` returned nothing waits to be written: the stick may be pulled out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from client.domain.cancel import CancelToken
from client.domain.catalogue import display_title
from client.domain.errors import StorageError, UserError
from client.domain.ids import LessonId
from client.domain.signer import Signer
from client.service.station import Station
from client.store.keyfile import verify
from client.store.withdrawal_rows import WithdrawalRows
from sync.engine.carried_list import leave_lists, take_lists
from sync.engine.courier_pack import Labels, Packed, Packer, PackPorts
from sync.engine.courier_stick import FOLDER, look, sheets, tidy
from sync.engine.courier_unpack import Progress, Unpacked, Unpacker, UnpackPorts, no_progress
from sync.engine.fetch import Probe
from sync.engine.hub_link import HubLink
from sync.source.folder import Rejected
from sync.source.folder_names import shown
from sync.transport import folder_carrier
from sync.transport.folder_carrier import FolderCarrier
from sync.transport.stick import Stick, stick_errors

_RECORD: Final = f"{FOLDER}/x"
_DISK: Final = frozenset({"disk_failed", "disk_full"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """What became of the record on a stick."""

    left_events: int = 0
    pushed_events: int = 0
    """The hub signed that it holds them: receipts came back."""
    pulled_events: int = 0
    rejected: tuple[Rejected, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One lesson on a stick."""

    id: LessonId
    title: str
    size_bytes: int
    files: int
    missing: int
    """Files that are named and do not lie there."""
    is_attested: bool
    is_held: bool
    """All of its files are here already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a stick holds."""

    lessons: tuple[Look, ...] = ()
    sites: tuple[str, ...] = ()
    """For whom it was packed."""
    requests: int = 0
    answers: int = 0
    rejected: tuple[Rejected, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CourierPorts:
    """What the courier works with."""

    station: Station
    probe: Probe
    labels: Labels
    cancel: CancelToken = field(default_factory=CancelToken)
    pace: Callable[[int], None] = lambda _: None
    """Told before each step on the stick how many bytes it moves (`Stick`)."""


class Courier:
    """See the module. Blocking, for worker threads and the command line."""

    def __init__(self, ports: CourierPorts) -> None:
        self._ports: Final = ports
        self._station: Final = ports.station

    def results(self, folder: Path) -> Carried:
        """Leave what the hubs are to know, and take up their answers (CO1).

        Raises:
            StorageError: `stick_failed`, or the log could not be kept.
        """
        stick = self._stick(folder)
        if not stick.leads_in(f"{_RECORD}/ask"):
            return Carried(rejected=(Rejected(what=_RECORD, why="is_link"),))
        carried = Carried()
        not_written = (Rejected(what=_RECORD, why="not_writable"),)
        try:
            tidy(stick, verify)
        except StorageError:
            if not stick.is_there():
                raise
            return replace(carried, rejected=not_written)
        carrier = FolderCarrier(folder)
        for hub in self._station.hubs.hubs():
            link = HubLink(self._station, hub)
            try:
                outcome = link.by_folder(carrier)
            except StorageError as error:
                if error.code not in _DISK:
                    raise
                if not stick.is_there():
                    raise StorageError("stick_failed", error.values) from error
                return replace(carried, rejected=not_written)
            finally:
                link.close()
            carried = replace(
                carried,
                left_events=carried.left_events + outcome.left_events,
                pushed_events=carried.pushed_events + outcome.pushed_events,
                pulled_events=carried.pulled_events + outcome.pulled_events,
            )
        return carried

    def unpack(
        self, folder: Path, progress: Progress = lambda _done, _all, _title: None
    ) -> Unpacked:
        """Take in what a stick brings, the soonest lesson first.

        Raises:
            UserError: `folder_missing`.
            StorageError: The disk, or the stick (`stick_failed`); what came before stays.
            Cancelled: As asked.
        """
        ports = UnpackPorts(
            station=self._station,
            stick=self._stick(folder),
            probe=self._ports.probe,
            verify=verify,
            hubs=self._hubs(),
            soonest=self.soonest(),
            progress=progress,
        )
        try:
            rejected = take_lists(self._station, ports.stick, self._ports.cancel)
            taken = Unpacker(ports).run()
            return replace(taken, rejected=(*rejected, *taken.rejected))
        finally:
            self._station.withdrawals.try_now()
            self._station.library.refresh()

    def pack(
        self,
        folder: Path,
        lessons: Sequence[LessonId] = (),
        *,
        site: str = "",
        signer: Signer | None = None,
        progress: Progress = no_progress,
    ) -> Packed:
        """Pack lessons, all that are here where none are named, the soonest first.

        Args:
            folder: On the stick.
            lessons: In this order.
            site: For whom, in words.
            signer: Who vouches, this room where nobody else does.
            progress: Told on this thread.

        Raises:
            UserError: `folder_missing`.
            StorageError: The disk, or the stick (`stick_failed`); what came before stays.
            Cancelled: As asked.
        """
        ports = PackPorts(
            station=self._station,
            stick=self._stick(folder),
            signer=signer or self._station.journal.signer,
            verify=verify,
            hubs=self._hubs(),
            labels=self._ports.labels,
            site=site,
            progress=progress,
        )
        packed = Packer(ports).run(lessons or self.all_lessons())
        leave_lists(self._station, ports.stick)
        return packed

    def inspect(self, folder: Path) -> Seen:
        """Look into a stick and change nothing.

        Raises:
            UserError: `folder_missing`.
            StorageError: `stick_failed`.
        """
        stick, hubs = self._stick(folder), self._hubs()
        contents = look(stick, verify)
        found: dict[LessonId, Look] = {}
        for index in contents.indexes:
            for entry, sheet in sheets(stick, index):
                named = [at for at in zip(sheet.files, entry.paths, strict=True) if at[1]]
                lie = [one for one, path in named if stick.size(path) == one.manifest.size_bytes]
                here = [self._station.holdings.has_blob(one.digest) for one, _ in named]
                known = found.get(entry.lesson)
                if known is None or entry.key in hubs:
                    found[entry.lesson] = Look(
                        id=entry.lesson,
                        title=shown(display_title(sheet.lesson.title)),
                        size_bytes=sum(one.manifest.size_bytes for one in lie),
                        files=len(named),
                        missing=len(named) - len(lie),
                        is_attested=entry.key in hubs,
                        is_held=all(here),
                    )
        names = stick.names(_RECORD, folder_carrier.MAX_FILES)
        return Seen(
            lessons=tuple(found.values()),
            sites=tuple(dict.fromkeys(shown(one.site) for one in contents.indexes if one.site)),
            requests=sum(name.endswith(".ask") for name in names),
            answers=sum(name.endswith(".say") for name in names),
            rejected=contents.rejected,
        )

    def soonest(self) -> tuple[LessonId, ...]:
        """List what is taught next, and then what somebody asked for."""
        wanted = (want.lesson for want in self._station.wants.all())
        return tuple(dict.fromkeys((*self._station.today.week_lessons_now(), *wanted)))

    def all_lessons(self) -> tuple[LessonId, ...]:
        """List the lessons that are here and may leave, the soonest first."""
        kept = [one.id for one in self._station.holdings.kept_lessons()]
        withdrawn = WithdrawalRows(self._station.database).said(kept)
        here = [one for one in kept if one not in withdrawn]
        first = [one for one in self.soonest() if one in set(here)]
        return tuple(dict.fromkeys((*first, *here)))

    def _hubs(self) -> frozenset[bytes]:
        return frozenset(hub.key for hub in self._station.hubs.hubs())

    def _stick(self, folder: Path) -> Stick:
        def step(size_bytes: int) -> None:
            self._ports.cancel.check()
            self._ports.pace(size_bytes)

        with stick_errors():
            is_there = folder.is_dir()
        if not is_there:
            raise UserError("folder_missing", {"path": shown(str(folder))})
        return Stick(folder.absolute(), step)
