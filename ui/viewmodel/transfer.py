"""State of 传输: what comes, how far it is, and what a person may do about it. GUI thread.

Invariants:
  TM1  Only the newest status is shown; a status equal to the one shown changes nothing.
  TM2  Rows stand in one order: what needs a hand, what comes (soonest lesson first), what is here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import groupby
from typing import Final, Protocol

from PySide6.QtCore import QObject, Signal

from client.domain.ids import LessonId
from client.service.api import Reason, SyncStatus, TransferRow, TransferState


class TransferPort(Protocol):
    """What the page asks of the supervisor. All return at once."""

    def pause(self) -> None:
        """Fetch nothing for now."""
        ...

    def resume(self) -> None:
        """Go on."""
        ...

    def cancel(self, lesson: LessonId) -> None:
        """Want a lesson no more."""
        ...

    def request(self, lesson: LessonId) -> None:
        """Want a lesson, or try it again."""
        ...


class Group(Enum):
    """The parts of the page, in their order."""

    HAND = "hand"
    COMING = "coming"
    HERE = "here"


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """When a lesson is taught next: day 1 (Monday) to 7 and period."""

    lesson: LessonId
    day: int
    period: int
    days_ahead: int
    begins: int | None = None
    """Its bell in minutes after midnight, None when it is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One row of the page."""

    row: TransferRow
    group: Group
    need: Need | None = None
    ahead: int = 0
    """How many lessons come before this waiting one."""

    @property
    def share(self) -> float:
        """How much of it is here, 0 to 1."""
        needed = self.row.bytes_needed
        return min(1.0, self.row.bytes_done / needed) if needed else 0.0

    @property
    def missing_bytes(self) -> int:
        """Bytes still to come."""
        return max(0, self.row.bytes_needed - self.row.bytes_done)

    @property
    def left_s(self) -> float | None:
        """Seconds until it is here at this speed, None when nothing tells."""
        speed = self.row.bytes_per_s
        return self.missing_bytes / speed if speed > 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Rows under one heading: those of one school day, or of a group without days."""

    group: Group
    lines: tuple[Line, ...]
    need: Need | None = None
    """The first lesson of that day."""


_GROUP_OF: Final = {TransferState.FAILED: Group.HAND, TransferState.DONE: Group.HERE}
_NEVER: Final = 999


class TransferModel(QObject):
    """See the module."""

    changed = Signal()
    """Figures changed; the same rows stand in the same order."""
    reordered = Signal()
    """Rows came, went or changed their group."""

    def __init__(self, port: TransferPort, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._port = port
        self._needs: tuple[Need, ...] = ()
        self.status = SyncStatus()
        self.lines: tuple[Line, ...] = ()

    @property
    def coming_bytes(self) -> int:
        """Bytes of everything that is still to come."""
        return sum(line.missing_bytes for line in self.lines if line.group is Group.COMING)

    @property
    def bytes_per_s(self) -> float:
        """Present speed."""
        return sum(line.row.bytes_per_s for line in self.lines)

    @property
    def catalogue(self) -> Reason | None:
        """Progress of a catalogue sync, None when there is none."""
        return self.status.catalogue

    def of_group(self, group: Group) -> tuple[Line, ...]:
        """Give the rows of one part of the page."""
        return tuple(line for line in self.lines if line.group is group)

    def sections(self) -> tuple[Section, ...]:
        """Give the parts of the page in their order; what comes is parted by school day."""

        def place(line: Line) -> tuple[Group, int | None]:
            is_coming = line.group is Group.COMING and line.need is not None
            return line.group, line.need.days_ahead if is_coming and line.need else None

        made = []
        for (group, _), lines in groupby(self.lines, place):
            found = tuple(lines)
            need = found[0].need if group is Group.COMING else None
            made.append(Section(group=group, lines=found, need=need))
        return tuple(made)

    def set_status(self, status: SyncStatus) -> None:
        """Show the supervisor's newest status (TM1)."""
        if status != self.status:
            self.status = status
            self._order()

    def set_needs(self, needs: Sequence[Need]) -> None:
        """Tell when lessons are taught."""
        if tuple(needs) != self._needs:
            self._needs = tuple(needs)
            self._order()

    def toggle_pause(self) -> None:
        """Pause everything, or go on."""
        act: Callable[[], None] = self._port.resume if self.status.is_paused else self._port.pause
        act()

    def cancel(self, lesson: LessonId) -> None:
        """Want a lesson no more."""
        self._port.cancel(lesson)

    def request(self, lesson: LessonId) -> None:
        """Try a lesson again, or want it after all."""
        self._port.request(lesson)

    def _order(self) -> None:
        lines = ordered(self.status.rows, self._needs)
        is_same = _shape(lines) == _shape(self.lines)
        self.lines = lines
        (self.changed if is_same else self.reordered).emit()


def _shape(lines: Sequence[Line]) -> list[tuple[LessonId, TransferState, int]]:
    """Tell what makes another page: other rows, states or days."""
    return [
        (line.row.lesson, line.row.state, line.need.days_ahead if line.need else _NEVER)
        for line in lines
    ]


def ordered(rows: Sequence[TransferRow], needs: Sequence[Need]) -> tuple[Line, ...]:
    """Group the rows and put the soonest lesson first; equal ones as they were asked for (TM2)."""
    soonest: dict[LessonId, Need] = {}
    for need in sorted(needs, key=lambda one: (one.days_ahead, one.period), reverse=True):
        soonest[need.lesson] = need
    lines = [
        Line(
            row=row,
            group=_GROUP_OF.get(row.state, Group.COMING),
            need=_promised_need(row) or soonest.get(row.lesson),
        )
        for row in rows
    ]
    lines.sort(key=_rank)
    return tuple(_counted(lines))


def _promised_need(row: TransferRow) -> Need | None:
    """Read out of the plan when a lesson is taught."""
    promise = row.promise
    if promise is None or promise.days_ahead is None:
        return None
    return Need(
        lesson=row.lesson,
        day=promise.day,
        period=promise.period,
        days_ahead=promise.days_ahead,
        begins=promise.begins,
    )


def _rank(line: Line) -> tuple[int, int, int, int]:
    need = line.need
    when = (_NEVER, _NEVER) if need is None else (need.days_ahead, need.period)
    is_waiting = line.row.state is not TransferState.FETCHING
    return (tuple(Group).index(line.group), *when, int(is_waiting))


def _counted(lines: Sequence[Line]) -> list[Line]:
    """Tell each waiting row how many stand before it."""
    counted: list[Line] = []
    ahead = 0
    for line in lines:
        is_coming = line.group is Group.COMING
        counted.append(
            Line(row=line.row, group=line.group, need=line.need, ahead=ahead if is_coming else 0)
        )
        ahead += is_coming
    return counted
