"""Machines with known true times and clocks of many kinds: what repaired dates are judged by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from hypothesis import strategies as st

from client.domain.record import bodies as b
from client.domain.record.anchors import Anchor, AnchorKind
from client.domain.record.event import NO_PREVIOUS, SCOPE_ROOM, Event
from client.domain.record.table import pack, spec_of
from tests.record_samples import SITTING

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
YEAR = 365 * DAY


def utc(*parts: int) -> int:
    """Unix milliseconds of a UTC date."""
    return int(datetime(*parts, tzinfo=UTC).timestamp()) * 1000


BEGIN = utc(2026, 11, 2, 0)
MODELS = ("good", "offset", "dead", "jumpy", "future")


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Events with their true times, and what anchors were given."""

    events: tuple[Event, ...]
    truth: Mapping[bytes, int]
    anchors: tuple[Anchor, ...]


@dataclass(slots=True, kw_only=True)
class Machine:
    """Writes a log; the test moves true time on. A copy of it is a second machine."""

    writer: bytes
    rtc_ms: int = 0
    """What its clock is ahead of true time by."""
    rate: float = 1.0
    """How fast its running time runs."""
    now: int = BEGIN
    boot: int = 0
    tag: int = 0
    """Tells its events from those of a copy, whose clocks may show the same."""
    lc: int = 0
    """What it had seen before its first event."""
    began: int = 0
    events: list[Event] = field(default_factory=list)
    truth: dict[bytes, int] = field(default_factory=dict)
    anchors: list[Anchor] = field(default_factory=list)

    @property
    def mono(self) -> int:
        """Running time."""
        return round((self.now - self.began) * self.rate)

    def start(self, *, off_ms: int, wall_ms: int | None = None) -> None:
        """Start again after `off_ms`; `wall_ms` is what a clock without a battery then says."""
        self.now += off_ms
        self.began, self.boot = self.now, self.boot + 1
        if wall_ms is not None:
            self.rtc_ms = wall_ms - self.now

    def pose(self, *, off_ms: int, mono_ms: int) -> None:
        """Be another machine that takes itself for the same start: no system told it apart."""
        self.now += off_ms
        self.began = self.now - mono_ms

    def write(self, after_ms: int, body: b.Body | None = None) -> Event:
        """Write an event after some time."""
        self.now += after_ms
        body = body or b.CueReached(
            sitting=SITTING, ordinal=3 * (len(self.events) % 100) + self.tag
        )
        spec, last = spec_of(body), self.events[-1] if self.events else None
        event = Event(
            writer=self.writer,
            seq=1 if last is None else last.seq + 1,
            prev=NO_PREVIOUS if last is None else last.hash,
            lc=1 + (self.lc if last is None else last.lc),
            boot=self.boot,
            mono_ms=self.mono,
            wall_ms=self.now + self.rtc_ms,
            scope=SCOPE_ROOM,
            type=spec.number.value,
            version=spec.version,
            body=pack(body),
        )
        self.events.append(event)
        self.truth[event.hash] = self.now
        return event

    def hear(self, kind: AnchorKind = AnchorKind.HUB, *, off_by: int = 0, err_ms: int = 0) -> None:
        """Be told the time, `off_by` from the truth."""
        utc_ms = self.now + off_by
        self.anchors.append(
            Anchor(
                writer=self.writer, boot=self.boot, mono_ms=self.mono, utc_ms=utc_ms,
                err_ms=err_ms, kind=kind,
            )
        )  # fmt: skip

    def copied(self) -> "Machine":
        """Copy its disk to another machine."""
        return replace(
            self, tag=self.tag + 1, events=[*self.events], truth={**self.truth},
            anchors=[*self.anchors],
        )  # fmt: skip


def world(machines: Sequence[Machine]) -> World:
    """Put together what several machines wrote and heard."""
    events = {event.hash: event for one in machines for event in one.events}
    return World(
        events=tuple(events.values()),
        truth={name: at for one in machines for name, at in one.truth.items()},
        anchors=tuple(dict.fromkeys(a for one in machines for a in one.anchors)),
    )


RATES = st.sampled_from([1.0, 1.0 - 4e-4, 1.0 + 4e-4])
OFF = st.one_of(st.integers(MINUTE, HOUR), st.integers(HOUR, 30 * DAY))
WITHIN = st.one_of(st.integers(0, 5 * MINUTE), st.integers(0, 3 * HOUR))


@st.composite
def lives(draw, machine: Machine, model: str, kinds: Sequence[AnchorKind]) -> Machine:
    """Let a machine live through some starts, its clock of a kind of `MODELS`."""
    if model == "offset":
        machine.rtc_ms = draw(st.sampled_from([-8 * YEAR, -2 * YEAR, 60 * YEAR]))
    dead = draw(st.sampled_from([utc(1970, 1, 1), utc(2013, 1, 1)]))
    for _ in range(draw(st.integers(1, 6))):
        wall = {"dead": dead, "future": utc(2099, 1, 1)}.get(model)
        machine.start(off_ms=draw(OFF), wall_ms=wall)
        if kinds and draw(st.integers(0, 5)) == 0:
            tell(draw, machine, draw(st.sampled_from(kinds)))
        for _ in range(draw(st.integers(0, 3))):
            if model == "jumpy" and draw(st.booleans()):
                machine.rtc_ms += draw(st.sampled_from([-DAY, -HOUR, 3000, HOUR, 400 * DAY]))
            machine.write(draw(WITHIN))
            if kinds and draw(st.integers(0, 3)) == 0:
                tell(draw, machine, draw(st.sampled_from(kinds)))
    return machine


def tell(draw, machine: Machine, kind: AnchorKind) -> None:
    """Tell a machine the time, honestly."""
    machine.now += draw(WITHIN)
    if kind is AnchorKind.SIGNED:
        machine.hear(kind, off_by=-draw(st.integers(0, 90 * DAY)))
        return
    err = draw(st.sampled_from([0, 200, 5000, 30 * MINUTE]))
    machine.hear(kind, off_by=draw(st.integers(-err, err)), err_ms=err)


CERTAIN = (AnchorKind.HUB, AnchorKind.PEER, AnchorKind.SIGNED)


@st.composite
def worlds(
    draw, models: Sequence[str] = MODELS, kinds: Sequence[AnchorKind] = CERTAIN, copies: bool = True
) -> World:
    """Make a room's history: one machine, or one whose disk was copied, or that was set up anew."""
    model = draw(st.sampled_from(models))
    first = Machine(writer=b"\x07" * 8, rate=draw(RATES))
    draw(lives(first, model, kinds))
    machines = [first]
    if copies and first.events and draw(st.booleans()):
        second = first.copied()
        second.rtc_ms += draw(st.sampled_from([0, HOUR]))
        for one in (first, second):
            if one is second and draw(st.booleans()):
                one.pose(off_ms=draw(OFF), mono_ms=one.mono + draw(WITHIN))
            else:
                one.start(off_ms=draw(OFF))
            one.write(draw(WITHIN))
            draw(lives(one, model, kinds))
        machines.append(second)
    if copies and first.events and draw(st.booleans()):
        tip = first.events[-1]
        third = Machine(writer=b"\x08" * 8, now=first.now, lc=tip.lc, rate=draw(RATES))
        third.start(off_ms=draw(OFF))
        body = b.Incarnation(
            public_key=bytes(32), nonce=bytes(16), why=b.WhyIncarnation.RESTORED,
            predecessors=((tip.writer, tip.hash),),
        )  # fmt: skip
        third.write(draw(WITHIN), body)
        draw(lives(third, model, kinds))
        machines.append(third)
    return world(machines)
