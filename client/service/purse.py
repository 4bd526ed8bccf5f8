"""The spending of one machine's links: asked before bytes are, kept where no clock reaches it.

Ledgers are local rows of journal.db (one for each kind of link): they survive deleting library.db,
are written with the same care as facts, and never leave the machine. Bytes are charged before they
are asked for, in grants: a machine that dies has counted what it did not get, never the reverse.

Invariants:
  PU1  A byte that may be spent is in the ledger, durably, before `take` gives it away.
  PU2  A grant is good for as long as the allowance it came from, and not a second longer; on the
       link alone that it was charged to, under the limits that stood then.
  PU3  A row that cannot be read counts as a window that is all spent while time is unsure, and
       begins anew at the next certain day.
"""

import json
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Final

from client.domain.clock import Clock
from client.domain.metering import Metering, told
from client.domain.record.dates import Dated
from client.domain.road import Throughput, speeds
from client.domain.settings import LinkKind
from client.domain.spend import (
    Allowance,
    Ledger,
    LinkProfile,
    Look,
    Purpose,
    Standing,
    Window,
    charge,
    look,
    may_spend,
    profile_of,
)
from client.service.day_facts import local
from client.service.records import RecordService
from client.service.room import RoomService

LEAST_GRANT: Final = 1 << 17
"""As much as a request needs that may bring more than it asks for."""
MOST_GRANT: Final = 1 << 22
_FREE_GRANT: Final = 1 << 24
"""Where nothing limits: counted only to be shown, so seldom written."""
_PARTS: Final = 8
"""A grant is at most this part of what is left, so that little is lost at the end."""
_MARGIN_S: Final = 30.0
"""A grant ends so long before its allowance, or longer: what is on its way then still arrives."""
_ON_ITS_WAY: Final = 1 << 20
"""Bytes that all connections together may have on their way."""
_LEDGER: Final = "link.ledger."
_SPEED: Final = "link.speed."
_FADES: Final = 0.8
_HOUR_MS: Final = 3600 * 1000


class Purse:
    """See the module. Any thread may call; `take` may write to the disk.

    Args:
        room: Its settings and local rows.
        records: Tells the time.
        boot: Names this start of the machine, and its running time in ms.
        clock: Its monotonic time.
    """

    def __init__(
        self,
        room: RoomService,
        records: RecordService,
        boot: Callable[[], tuple[str, int]],
        clock: Clock,
    ) -> None:
        self._room: Final = room
        self._records: Final = records
        self._boot: Final = boot
        self._clock: Final = clock
        self._gate = threading.RLock()
        self._grants: dict[Purpose, tuple[int, float]] = {}
        """Bytes that are charged and not given away, and until when they are good."""
        self._metering = Metering.UNKNOWN
        self._granted_on: LinkProfile | None = None
        """The link that they were charged to."""

    @property
    def profile(self) -> LinkProfile:
        """What the link is and may cost. Memory only."""
        return told(profile_of(self._room.snapshot().settings), self._metering)

    @property
    def is_detected(self) -> bool:
        """Tell whether the system alone says that the link is metered. Memory only."""
        return self.profile != profile_of(self._room.snapshot().settings)

    def hear(self, metering: Metering) -> None:
        """Learn what the system says of the present connection."""
        self._metering = metering

    def standing(self) -> Standing:
        """Give the ledger as of now."""
        now, wall_ms = self._records.now()
        with self._gate:
            known = self._ledger()
            standing = look(known, self._seen(now, wall_ms))
            if _is_news(known, standing.ledger):
                self._write(standing.ledger)
            return standing

    def allowance(self, purpose: Purpose) -> Allowance:
        """Tell what may be spent now, what is granted and not spent included."""
        with self._gate:
            may = self._may_spend(self.standing(), purpose)
            if may.bytes is None:
                return may
            return replace(may, bytes=may.bytes + self._granted(purpose))

    def is_limited(self, purpose: Purpose) -> bool:
        """Tell whether bytes for a purpose are counted out now."""
        with self._gate:
            return may_spend(self.standing(), self.profile, purpose).bytes is not None

    def take(self, purpose: Purpose, most: int) -> int:
        """Give away at most so many bytes; 0 when none may be spent (PU1, PU2)."""
        with self._gate:
            has = self._granted(purpose)
            if has < most:
                has = self._grant(purpose, most)
            taken = min(has, most)
            self._grants[purpose] = (has - taken, self._grants[purpose][1])
            return taken

    def give_back(self, purpose: Purpose, size_bytes: int) -> None:
        """Take back what was not spent, for the next who asks in time."""
        with self._gate:
            has = self._granted(purpose)
            self._grants[purpose] = (has + size_bytes, self._until(purpose))

    def is_good(self, purpose: Purpose) -> bool:
        """Tell whether what was taken may still be spent (PU2)."""
        with self._gate:
            return self._clock.monotonic() < self._until(purpose)

    def throughput(self) -> Throughput:
        """Tell what the link brought when it was used last."""
        try:
            bytes_per_s, lit_share = json.loads(self._room.local(_SPEED + self._kind().value))
            return Throughput(bytes_per_s=float(bytes_per_s), lit_share=float(lit_share))
        except (ValueError, TypeError):
            return Throughput()

    def measured(self, size_bytes: int, lit_s: float, whole_s: float) -> None:
        """Learn from a stretch of fetching: what came, in lit seconds out of all."""
        if lit_s <= 1.0 or not size_bytes:
            return
        known, rate = self.throughput(), size_bytes / lit_s
        share = min(1.0, lit_s / max(lit_s, whole_s))
        if known.bytes_per_s:
            rate = known.bytes_per_s * _FADES + rate * (1 - _FADES)
            share = known.lit_share * _FADES + share * (1 - _FADES)
        text = json.dumps([round(rate, 1), round(share, 4)])
        self._room.set_local(_SPEED + self._kind().value, text)

    # --- inside --------------------------------------------------------------------------

    def _kind(self) -> LinkKind:
        return self.profile.kind

    def _until(self, purpose: Purpose) -> float:
        return self._grants.get(purpose, (0, 0.0))[1]

    def _granted(self, purpose: Purpose) -> int:
        profile = self.profile
        if profile != self._granted_on:
            # Charged to another link, or while there was no limit.
            self._grants, self._granted_on = {}, profile
        size, until_s = self._grants.get(purpose, (0, 0.0))
        return size if self._clock.monotonic() < until_s else 0

    def _grant(self, purpose: Purpose, most: int) -> int:
        """Charge the next grant and give what is there now."""
        standing, has = self.standing(), self._granted(purpose)
        may = self._may_spend(standing, purpose)
        size = _FREE_GRANT
        if may.bytes is not None:
            fair = max(LEAST_GRANT, may.bytes // _PARTS)
            size = min(most - has, MOST_GRANT, fair, may.bytes)
        until_s = self._clock.monotonic() + may.for_s
        if size:
            self._write(charge(standing, size).ledger).result()
        self._grants[purpose] = (has + size, until_s if size else self._until(purpose))
        return has + size

    def _may_spend(self, standing: Standing, purpose: Purpose) -> Allowance:
        """Tell what may be asked for now, so that it is here in time."""
        profile = self.profile
        may = may_spend(standing, profile, purpose)
        if not may.bytes:
            return may
        _, bytes_per_s = speeds(profile, self.throughput())
        left_s = may.for_s - max(_MARGIN_S, _ON_ITS_WAY / bytes_per_s)
        return replace(may, for_s=left_s) if left_s > 0 else replace(may, bytes=0)

    def _seen(self, now: Dated, wall_ms: int) -> Look:
        boot, mono_ms = self._boot()
        offset = local(wall_ms).utcoffset() or timedelta()
        return Look(
            now=now,
            wall_ms=wall_ms,
            boot=boot,
            mono_ms=mono_ms,
            zone_ms=int(offset.total_seconds() * 1000),
        )

    def _ledger(self) -> Ledger:
        text = self._room.local(_LEDGER + self._kind().value)
        return read_ledger(text) if text else Ledger()

    def _write(self, ledger: Ledger) -> Future[None]:
        name = _LEDGER + self._kind().value
        return self._room.set_local(name, json.dumps(asdict(ledger)))


def _is_news(known: Ledger, ledger: Ledger) -> bool:
    """Tell whether a look is worth keeping: the next one may know less, or another clock."""
    are_same = (known.boot, known.day, known.month) == (ledger.boot, ledger.day, ledger.month)
    return not are_same or ledger.ran_ms - known.ran_ms >= _HOUR_MS


_ALL_SPENT: Final = Window(spent=1 << 60)


def read_ledger(text: str) -> Ledger:
    """Read a kept ledger (PU3)."""
    try:
        row = json.loads(text)
        day, month = Window(**row.pop("day")), Window(**row.pop("month"))
        return Ledger(day=day, month=month, **row)
    except (ValueError, TypeError, KeyError, AttributeError):
        return Ledger(day=_ALL_SPENT, month=_ALL_SPENT)
