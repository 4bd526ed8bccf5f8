"""Starts of machines as logs tell them, in an order that no clock made.

One `Uptime` is the time from one start of a machine to the next: its running time (`mono_ms`) is
one scale, so that all that happened in it is dated by one number, the true time at zero.

Invariants:
  UP1  Order comes from hashes alone: what an event names as written before it, was before it.
  UP2  Two branches of a copied log are never taken for one machine: what may belong to either
       is attached to neither.
  UP3  The result is the same for every order of events and anchors.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from client.domain.record.anchors import Anchor
from client.domain.record.bodies import EventType, Incarnation
from client.domain.record.event import Event
from client.domain.record.fold import read

JUMP_MS: Final = 2_000
"""Wall and running time move apart by more than this: somebody set the clock."""
_DRIFT: Final = 2_000
"""Running time is good to one part in so many."""

Key: TypeAlias = tuple[bytes, int]


@dataclass(slots=True, eq=False)
class Stretch:
    """What the clock said while nobody set it: the range of wall - mono, in ms."""

    low: int
    high: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Something in an uptime, at `before_ms` of it, was before this one's `ms`."""

    before: "Uptime"
    before_ms: int
    ms: int


@dataclass(slots=True, eq=False)
class Uptime:
    """One start of a machine; `first_ms` and `last_ms` are where its readings begin and end."""

    writer: bytes
    boot: int
    first_ms: int
    last_ms: int
    links: list[Link] = field(default_factory=list)
    stretches: list[Stretch] = field(default_factory=list)
    anchors: list[Anchor] = field(default_factory=list)

    @property
    def slack_ms(self) -> int:
        """How far running time may have gone wrong from one end to the other."""
        return (self.last_ms - self.first_ms) // _DRIFT + 1

    def parent(self) -> Link | None:
        """Return the link to the uptime of the same log before this one."""
        return next((link for link in self.links if link.before.writer == self.writer), None)

    def saw(self, event: Event) -> None:
        """Take in an event that belongs here, in order."""
        self.reach(event.mono_ms)
        drift = event.wall_ms - event.mono_ms
        last = self.stretches[-1] if self.stretches else None
        if last is not None and last.low - JUMP_MS <= drift <= last.high + JUMP_MS:
            last.low, last.high = min(last.low, drift), max(last.high, drift)
        else:
            self.stretches.append(Stretch(drift, drift))

    def reach(self, mono_ms: int) -> None:
        """Let its readings reach to a moment."""
        self.first_ms, self.last_ms = min(self.first_ms, mono_ms), max(self.last_ms, mono_ms)


class Uptimes:
    """All starts of machines that events and anchors tell of; each stands behind its links."""

    def __init__(self, events: Iterable[Event], anchors: Iterable[Anchor] = ()) -> None:
        self._all: list[Uptime] = []
        self._of: dict[bytes, Uptime] = {}
        self._held: dict[Key, list[Uptime]] = {}
        self._last: dict[bytes, Event] = {}
        known = {event.hash: event for event in events}
        ordered = sorted(known.values(), key=lambda event: (event.lc, event.hash))
        self._forked: Final = _forks(ordered)
        following = Counter(event.prev for event in ordered)
        for event in ordered:
            self._place(event, known, following[event.prev])
        for anchor in sorted(anchors, key=lambda one: (one.writer, one.boot, one.mono_ms)):
            self._attach(anchor)

    def __iter__(self) -> Iterator[Uptime]:
        """Go through all, what came before first."""
        return iter(self._all)

    def __reversed__(self) -> Iterator[Uptime]:
        """Go through all, what came after first."""
        return reversed(self._all)

    def of(self, event: Event) -> Uptime | None:
        """Find the uptime an event was written in."""
        return self._of.get(event.hash)

    def find(self, writer: bytes, boot: int) -> Uptime | None:
        """Find an uptime by its number, None when there is none or it may be one of several."""
        held = self._held.get((writer, boot), [])
        return held[0] if len(held) == 1 and not self._is_ambiguous(writer, boot) else None

    def newest(self, writer: bytes) -> Uptime | None:
        """Return the last uptime of a log."""
        return next((one for one in reversed(self._all) if one.writer == writer), None)

    def _is_ambiguous(self, writer: bytes, boot: int) -> bool:
        """Tell whether two machines with copies of one log may both have this number."""
        return writer in self._forked and boot > self._forked[writer]

    def _place(self, event: Event, known: Mapping[bytes, Event], following: int) -> None:
        before = known[event.prev] if event.prev in self._of else None
        if before is None and event.writer not in self._forked:
            # A repaired log has gaps; without a fork the event behind one still follows.
            before = self._last.get(event.writer)
        self._last[event.writer] = event
        up = None if before is None else self._of[before.hash]
        is_same = (
            before is not None
            and (before.writer, before.boot) == (event.writer, event.boot)
            and before.mono_ms <= event.mono_ms
            and following == 1
        )
        if up is None or not is_same:
            up, earlier = self._new(event.writer, event.boot, event.mono_ms), up
            self._all.append(up)
            if earlier is not None and before is not None:
                up.links.append(Link(before=earlier, before_ms=before.mono_ms, ms=event.mono_ms))
        self._link_predecessors(event, up, known)
        up.saw(event)
        self._of[event.hash] = up

    def _link_predecessors(self, event: Event, up: Uptime, known: Mapping[bytes, Event]) -> None:
        entry = read(event) if event.type == EventType.INCARNATION.value else None
        if entry is None or not isinstance(entry.body, Incarnation):
            return
        for _, digest in entry.body.predecessors:
            if digest in self._of:
                link = Link(
                    before=self._of[digest], before_ms=known[digest].mono_ms, ms=event.mono_ms
                )
                up.links.append(link)

    def _new(self, writer: bytes, boot: int, mono_ms: int) -> Uptime:
        up = Uptime(writer, boot, mono_ms, mono_ms)
        self._held.setdefault((writer, boot), []).append(up)
        return up

    def _attach(self, anchor: Anchor) -> None:
        writer, boot = anchor.writer, anchor.boot
        if (writer, boot) not in self._held and writer not in self._forked:
            self._insert(anchor)
        up = self.find(writer, boot)
        if up is not None:
            up.reach(anchor.mono_ms)
            up.anchors.append(anchor)

    def _insert(self, anchor: Anchor) -> None:
        """Make an uptime that wrote nothing, between those before and after it."""
        up = self._new(anchor.writer, anchor.boot, anchor.mono_ms)
        own = [one for one in self._all if one.writer == anchor.writer]
        earlier = [one for one in own if one.boot < anchor.boot]
        later = [one for one in own if one.boot > anchor.boot]
        if earlier:
            last = earlier[-1]
            up.links.append(Link(before=last, before_ms=last.last_ms, ms=up.first_ms))
        if later:
            up_ms, ms = up.last_ms, later[0].first_ms
            later[0].links.insert(0, Link(before=up, before_ms=up_ms, ms=ms))
            self._all.insert(self._all.index(later[0]), up)
        else:
            self._all.append(up)


def _forks(ordered: Iterable[Event]) -> dict[bytes, int]:
    """Find copied logs: writer -> the last start before a number was used twice."""
    boots: dict[tuple[bytes, int], int] = {}
    forked: dict[bytes, int] = {}
    for event in ordered:
        place = (event.writer, event.seq)
        if place in boots:
            before = boots.get((event.writer, event.seq - 1), 0)
            forked[event.writer] = min(before, forked.get(event.writer, before))
        boots.setdefault(place, event.boot)
    return forked
