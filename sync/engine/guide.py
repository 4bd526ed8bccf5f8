"""What the plan says to the supervisor: the order, the sizes, and what may be spent on which.

Invariants:
  GD1  The order is that of the plan; papers stand before films (Q1), and what the plan does not
       know comes last, as it was asked for.
  GD2  The film of a lesson that only the timetable needs is fetched only if the plan has it.
  GD3  A fetch that may not spend now waits until that may change, and keeps nobody waiting whose
       purpose is another.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Final, Protocol

from client.domain.clock import Clock
from client.domain.ids import LessonId
from client.domain.spend import Allowance, Purpose
from client.domain.want import Want
from client.service.agenda import Agenda, Outlook
from client.service.purse import Purse
from sync.engine.schedule import CLOSED, Entry, Stage
from sync.transport.metered import LEAST_BYTES
from sync.transport.metering import Ask, unknown

_SOON_S: Final = 60.0
"""So long a fetch waits at least when nothing may be spent; limits may be changed meanwhile."""
_LONG_S: Final = 600.0


class Guide(Protocol):
    """Plans and allowances; `PurseGuide` is one. Called on the supervisor's thread."""

    def look(self, wants: Sequence[Want]) -> Outlook:
        """Plan anew. Blocking."""
        ...

    def allowance(self, purpose: Purpose) -> Allowance:
        """Tell what may be spent on something now, and spend on that from now on. Blocking."""
        ...

    def measured(self, size_bytes: int, lit_s: float, whole_s: float) -> None:
        """Learn what the link brought."""
        ...


class Spender(Protocol):
    """What decides whether a fetch may spend; `sync.engine.supervisor_ports` has it."""

    @property
    def guide(self) -> Guide | None:
        """Plans and allowances."""
        ...

    @property
    def clock(self) -> Clock:
        """Its monotonic time."""
        ...

    @property
    def has_near(self) -> Callable[[], bool]:
        """Tells whether another PC can be asked at no cost."""
        ...


class Wallet:
    """The purse as a transport sees it (`sync.transport.metered.Spending`)."""

    def __init__(self, purse: Purse) -> None:
        self.purse: Final = purse
        self.purpose = Purpose.CONTENT

    @property
    def is_limited(self) -> bool:
        """See `Spending`."""
        return self.purse.is_limited(self.purpose)

    @property
    def cap_bytes_per_s(self) -> int:
        """See `Spending`."""
        return self.purse.profile.cap_bytes_per_s

    def take(self, most: int) -> int:
        """See `Spending`."""
        return self.purse.take(self.purpose, most)

    def give_back(self, size_bytes: int) -> None:
        """See `Spending`."""
        self.purse.give_back(self.purpose, size_bytes)

    def is_good(self) -> bool:
        """See `Spending`."""
        return self.purse.is_good(self.purpose)


class PurseGuide:
    """See `Guide`.

    Args:
        agenda: Plans.
        wallet: Pays for what the link brings.
        tidy: Done before each plan, while nothing is fetched; must not raise.
        ask: Tells what the system says of the present connection.
    """

    def __init__(
        self,
        agenda: Agenda,
        wallet: Wallet,
        tidy: Callable[[], object] = lambda: None,
        ask: Ask = unknown,
    ) -> None:
        self._agenda: Final = agenda
        self._wallet: Final = wallet
        self._tidy: Final = tidy
        self._ask: Final = ask

    def look(self, wants: Sequence[Want]) -> Outlook:
        """See the port."""
        self._tidy()
        self._wallet.purse.hear(self._ask())
        return self._agenda.look_now(wants)

    def allowance(self, purpose: Purpose) -> Allowance:
        """See the port."""
        self._wallet.purpose = purpose
        return self._wallet.purse.allowance(purpose)

    def measured(self, size_bytes: int, lit_s: float, whole_s: float) -> None:
        """See the port."""
        self._wallet.purse.measured(size_bytes, lit_s, whole_s)


def planned(
    entries: Sequence[Entry], outlook: Outlook, left_out: Collection[LessonId]
) -> tuple[Entry, ...]:
    """Add what the timetable needs to the entries, and drop what it needs no more.

    Args:
        entries: What is known.
        outlook: The plan.
        left_out: Lessons somebody took off the list.
    """
    tasks = {task.lesson: task for task in outlook.plan.tasks if task.lesson not in left_out}
    kept = [
        entry
        for entry in entries
        if not entry.is_planned or not entry.is_open or entry.want.lesson in tasks
    ]
    if not outlook.is_reachable:
        return tuple(kept)
    known = {entry.want.lesson for entry in kept}
    new = (
        Entry(want=Want(lesson=lesson), is_planned=True) for lesson in tasks if lesson not in known
    )
    return (*kept, *new)


def in_turn(entries: Sequence[Entry], outlook: Outlook | None) -> tuple[Entry, ...]:
    """Give the entries that may be fetched in their order (GD1, GD2)."""
    if outlook is None:
        return tuple(entries)
    places = {(task.lesson, task.is_film): at for at, task in enumerate(outlook.plan.tasks)}

    def place(entry: Entry) -> int:
        return places.get((entry.want.lesson, entry.stage is Stage.FILM), len(places))

    may = (
        entry
        for entry in entries
        if not entry.is_planned
        or entry.stage is Stage.PAPERS
        or (entry.want.lesson, True) in places
    )
    return tuple(sorted(may, key=place))


def rendition_of(entry: Entry, outlook: Outlook | None) -> str:
    """Choose the size of a film: as planned, else as wanted."""
    tasks = () if outlook is None else outlook.plan.tasks
    lesson = entry.want.lesson
    found = (task.rendition for task in tasks if task.is_film and task.lesson == lesson)
    return next(found, "") or entry.want.rendition


def purpose_of(entry: Entry, outlook: Outlook | None) -> Purpose:
    """Tell what fetching an entry is for."""
    if outlook is None or entry.stage is Stage.FILM:
        return Purpose.CONTENT
    urgent = {task.lesson for task in outlook.plan.tasks if task.is_urgent}
    return Purpose.URGENT if entry.want.lesson in urgent else Purpose.CONTENT


def put_off(entry: Entry, ports: Spender, outlook: Outlook | None) -> Entry | None:
    """Tell whether an entry must wait since it may not spend, and how (GD3); None when it may.

    What may be had near by costs nothing, so it is looked for even when nothing may be spent.
    """
    guide, clock = ports.guide, ports.clock
    if guide is None:
        return None
    allowance = guide.allowance(purpose_of(entry, outlook))
    if ports.has_near() or allowance.bytes is None or allowance.bytes >= LEAST_BYTES:
        return None
    wait_s = min(max(allowance.for_s, _SOON_S), _LONG_S)
    return replace(entry, not_before_s=clock.monotonic() + wait_s, reason=CLOSED)
