"""体检: one page of checks that a person who is no expert can read, each with what helps.

Invariants:
  DR1  A check never guesses: what was not looked at is UNKNOWN, never OK; of what this machine
       cannot have (a hub, a detector of disks that forget) there is no line at all.
  DR2  Nothing here names a pupil, a person or a secret.
  DR3  Looking changes nothing but a file it makes and removes to try the disk.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from shutil import disk_usage
from typing import Final, Protocol, TypeAlias

from client.domain.availability import Decodes
from client.domain.cancel import CancelToken
from client.domain.errors import ClassroomError
from client.domain.record.bounds import CEILING, FLOOR
from client.domain.record.dates import Fault
from client.service.checks import Check, CheckState, Fix, make_check
from client.service.hubs import Contact
from client.service.keeping import KeepingFacts, keeping
from client.service.paths import ASSETS, Profile
from client.service.print_fonts import find_font
from client.service.secrets import SecretPlace, Secrets
from client.service.station import Station

SAMPLE: Final = ASSETS / "probe" / "clip.ts"
"""A second of H.264 and AAC that every machine must be able to decode."""
LOW_BYTES: Final = 5_000_000_000
"""Below this the lessons of a week may not fit."""
LEAST_BYTES: Final = 600_000_000
_STATES: Final = frozenset({"disk_full"})
"""Codes of notices that tell how things are; nothing was repaired."""
_BEHIND: Final = 400
"""So many events newer than the newest backup are worth a word."""
_PROJECTOR_PX: Final = (1024, 600)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFacts:
    """What is known of the log of this room; None where nobody counted."""

    events: int
    logs: int = 1
    forks: int | None = None
    """Places where one log went on in two ways: the PC was copied, or an old disk came back."""
    damaged: int | None = None
    is_suspect: bool = False
    """A damaged row was met, whether counted or not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupFacts:
    """How many backups there are, and how many events are newer than the newest."""

    kept: int
    behind: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HubContact:
    """The last contact with one hub: `when_label` by this PC's clock, empty if there was none."""

    name: str
    when_label: str
    is_reachable: bool
    silent_days: int = 0
    """Days of running time without a newer catalogue, once they are worth a word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockFacts:
    """What the clock says, whether the room believes it, and what was wrong with it lately."""

    year: int
    is_sure: bool = True
    faults: frozenset[Fault] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What was looked at; None where nobody looked."""

    free_bytes: int | None = None
    total_bytes: int | None = None
    is_writable: bool | None = None
    decodes: Decodes | None = None
    screens: tuple[tuple[int, int], ...] | None = None
    has_screen_font: bool | None = None
    has_print_font: bool | None = None
    secret: SecretPlace | None = None
    is_secret_known: bool = False
    """`secret` was looked at (None then means: no token is kept)."""
    log: LogFacts | None = None
    backups: BackupFacts | None = None
    clock: ClockFacts | None = None
    keeping: KeepingFacts | None = None
    hubs: tuple[HubContact, ...] = ()
    notices: tuple[str, ...] = field(default=())
    """Codes of what was repaired when the program started."""


def examine(facts: Facts) -> tuple[Check, ...]:
    """Judge what was looked at. Pure; the worst comes first, else in the order of the page."""
    always = (_disk, _player, _screens, _fonts, _keyring, _log, _backups, _clock, _repairs)
    checks = (*(check(facts) for check in always), *_restore(facts), *map(_hub, facts.hubs))
    checks += tuple(_catalogue(hub) for hub in facts.hubs if hub.silent_days)
    order = (CheckState.BAD, CheckState.ADVICE, CheckState.UNKNOWN, CheckState.OK)
    return tuple(sorted(checks, key=lambda check: order.index(check.state)))


def _restore(facts: Facts) -> tuple[Check, ...]:
    """Say whether the disk forgets, with the words of the banner."""
    if facts.keeping is None:
        return ()
    found = tuple(check for check in keeping(facts.keeping) if check.code == "restore")
    return found or (make_check("restore", CheckState.OK, "keeps"),)


def _hub(contact: HubContact) -> Check:
    """Being offline is a normal state: only a hub that was never met is worth a word."""
    named = {"name": contact.name, "when": contact.when_label}
    if not contact.when_label:
        return make_check("hub", CheckState.ADVICE, "never", **named)
    return make_check("hub", CheckState.OK, "ok" if contact.is_reachable else "away", **named)


def _catalogue(contact: HubContact) -> Check:
    """Say that a hub's catalogue stands still: what it withdraws does not get here."""
    named, days = contact.name, contact.silent_days
    return make_check("catalogue", CheckState.ADVICE, "frozen", name=named, n=days)


def _unknown(code: str) -> Check:
    return make_check(code, CheckState.UNKNOWN, "unknown")


def _disk(facts: Facts) -> Check:
    if facts.free_bytes is None or facts.is_writable is None:
        return _unknown("disk")
    sizes = {"free_bytes": facts.free_bytes, "total_bytes": facts.total_bytes or 0}
    if not facts.is_writable:
        return make_check("disk", CheckState.BAD, "read_only", **sizes)
    if facts.free_bytes < LEAST_BYTES:
        check = make_check("disk", CheckState.BAD, "full", **sizes)
        return replace(check, fix=Fix.OPEN_TRANSFER)
    if facts.free_bytes < LOW_BYTES:
        check = make_check("disk", CheckState.ADVICE, "low", **sizes)
        return replace(check, fix=Fix.OPEN_TRANSFER)
    return make_check("disk", CheckState.OK, "ok", **sizes)


def _player(facts: Facts) -> Check:
    table = {
        Decodes.YES: (CheckState.OK, "ok"),
        Decodes.NO: (CheckState.BAD, "no_decoder"),
        Decodes.UNKNOWN: (CheckState.BAD, "no_player"),
    }
    if facts.decodes is None:
        return _unknown("player")
    state, variant = table[facts.decodes]
    return make_check("player", state, variant)


def _screens(facts: Facts) -> Check:
    if not facts.screens:
        return _unknown("screens")
    width, height = facts.screens[0]
    if width < _PROJECTOR_PX[0] or height < _PROJECTOR_PX[1]:
        return make_check("screens", CheckState.ADVICE, "small", width=width, height=height)
    if len(facts.screens) == 1:
        return make_check("screens", CheckState.OK, "one", width=width, height=height)
    return make_check("screens", CheckState.OK, "several", n=len(facts.screens))


def _fonts(facts: Facts) -> Check:
    if facts.has_screen_font is None and facts.has_print_font is None:
        return _unknown("fonts")
    if facts.has_screen_font is False:
        return make_check("fonts", CheckState.BAD, "no_screen_font")
    if facts.has_print_font is False:
        return make_check("fonts", CheckState.ADVICE, "no_print_font")
    return make_check("fonts", CheckState.OK, "ok")


def _keyring(facts: Facts) -> Check:
    if not facts.is_secret_known:
        return _unknown("keyring")
    if facts.secret is None:
        return make_check("keyring", CheckState.OK, "none")
    if facts.secret is SecretPlace.FILE:
        return make_check("keyring", CheckState.ADVICE, "file")
    return make_check("keyring", CheckState.OK, "ok")


def _log(facts: Facts) -> Check:
    log = facts.log
    threats = keeping(facts.keeping) if facts.keeping is not None else ()
    for check in threats:
        if check.code == "journal":
            return check
    if log is None:
        return _unknown("journal")
    counts = {"n": log.events, "logs": log.logs}
    if log.damaged:
        return make_check("journal", CheckState.BAD, "damaged", **counts, damaged=log.damaged)
    if log.is_suspect:
        return make_check("journal", CheckState.BAD, "suspect", **counts)
    if log.forks:
        return make_check("journal", CheckState.OK, "forked", **counts, forks=log.forks)
    return make_check("journal", CheckState.OK, "several" if log.logs > 1 else "ok", **counts)


def _backups(facts: Facts) -> Check:
    backups = facts.backups
    if backups is None:
        return _unknown("backups")
    counts = {"n": backups.kept, "behind": backups.behind}
    if not backups.kept and backups.behind:
        check = make_check("backups", CheckState.ADVICE, "none", **counts)
    elif backups.behind > _BEHIND:
        check = make_check("backups", CheckState.ADVICE, "old", **counts)
    else:
        variant = "behind" if backups.behind else "ok"
        check = make_check("backups", CheckState.OK, variant, **counts)
    return replace(check, fix=Fix.BACK_UP)


def _clock(facts: Facts) -> Check:
    clock = facts.clock
    if clock is None:
        return _unknown("clock")
    if not FLOOR.year <= clock.year < CEILING.year:
        return make_check("clock", CheckState.ADVICE, "wrong", year=clock.year)
    for fault in Fault:
        if fault in clock.faults:
            return make_check("clock", CheckState.ADVICE, fault.value, year=clock.year)
    if not clock.is_sure:
        return make_check("clock", CheckState.ADVICE, "unsure", year=clock.year)
    return make_check("clock", CheckState.OK, "ok")


def _repairs(facts: Facts) -> Check:
    if not facts.notices:
        return make_check("repairs", CheckState.OK, "none")
    check = make_check("repairs", CheckState.ADVICE, "some", n=len(facts.notices))
    return replace(check, fix=Fix.CHECK_FILES)


# --- looking -----------------------------------------------------------------------------


Sense: TypeAlias = Callable[[Facts], Facts]
"""Fills in what a room knows of itself: log, backups, clock, disk, hubs. Blocking."""


class Patient(Protocol):
    """What the doctor looks at; `client.service.station.Station` is one."""

    @property
    def profile(self) -> Profile:
        """Where the room's files are."""
        ...

    @property
    def secrets(self) -> Secrets:
        """Where a token is kept."""
        ...


class Doctor:
    """Looks and acts on one worker thread; methods return at once."""

    def __init__(
        self,
        patient: Patient,
        *,
        sense: Sense,
        back_up: Callable[[], Future[bool]],
        verify: Callable[[], int],
        decodes: Callable[[Path], Decodes],
    ) -> None:
        self._patient = patient
        self._sense = sense
        self._back_up = back_up
        self._verify = verify
        self._decodes = decodes
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="doctor")

    def look(self, seen: Facts) -> Future[tuple[Check, ...]]:
        """Look at everything; `seen` holds what only the screen knows."""
        return self._worker.submit(lambda: self.look_now(seen))

    def look_now(self, seen: Facts) -> tuple[Check, ...]:
        """Look on the calling thread. Blocking, a few seconds."""
        folder = self._patient.profile.folder
        usage = disk_usage(folder)
        return examine(
            replace(
                self._sense(seen),
                free_bytes=usage.free,
                total_bytes=usage.total,
                is_writable=_is_writable(folder),
                decodes=self._decodes(SAMPLE),
                has_print_font=_has_print_font(),
                secret=self._patient.secrets.place(),
                is_secret_known=True,
            )
        )

    def mend(self, fix: Fix) -> Future[int]:
        """Do what a button says; the future tells how much was done.

        Only `BACK_UP` and `CHECK_FILES` are the doctor's to do.
        """
        if fix is Fix.BACK_UP:
            return self._worker.submit(lambda: int(self._back_up().result()))
        if fix is Fix.CHECK_FILES:
            return self._worker.submit(self._verify)
        raise AssertionError(fix)

    def close(self) -> None:
        """Finish what was begun, then stop."""
        self._worker.shutdown(wait=True)


def _is_writable(folder: Path) -> bool:
    trial = folder / ".doctor-trial"
    try:
        trial.write_bytes(b"x")
        trial.unlink()
    except OSError:
        return False
    return True


def _has_print_font() -> bool:
    try:
        find_font()
    except ClassroomError:
        return False
    return True


def _contact(name: str, contact: Contact, silent_days: int) -> HubContact:
    met = datetime.fromtimestamp(contact.wall_ms / 1000, UTC).astimezone()
    return HubContact(
        name=name,
        when_label=f"{met:%Y-%m-%d %H:%M}" if contact.wall_ms else "",
        is_reachable=contact.failures == 0,
        silent_days=silent_days,
    )


def station_doctor(station: Station, decodes: Callable[[Path], Decodes]) -> Doctor:
    """Make the doctor of a room.

    Args:
        station: The room.
        decodes: Tries whether a file plays here; blocking.
    """

    def sense(facts: Facts) -> Facts:
        health, hubs = station.journal.health(), station.hubs.hubs()
        now, faults = station.records.clock()
        return replace(
            facts,
            log=LogFacts(events=health.events, logs=health.logs, is_suspect=health.is_suspect),
            backups=BackupFacts(kept=health.backups, behind=health.behind),
            clock=ClockFacts(year=station.clock.wall().year, is_sure=now.is_sure, faults=faults),
            keeping=station.keeping.facts_now(),
            hubs=tuple(
                _contact(hub.name, station.hubs.contact(hub.key), station.silent_days(hub.key))
                for hub in hubs
            ),
            notices=tuple(one.code for one in station.notices if one.code not in _STATES),
        )

    def verify() -> int:
        at = station.clock.wall().isoformat()
        return station.holdings.verify(None, CancelToken(), at).checked

    return Doctor(
        station, sense=sense, back_up=station.journal.backup, verify=verify, decodes=decodes
    )
