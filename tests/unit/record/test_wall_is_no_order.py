"""Whatever the clocks said, the same is kept, shown and ordered (L3, O1, C1)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from client.domain.ids import EventId
from client.domain.record import bodies as b
from client.domain.record.bodies import EventType
from client.domain.record.dates import Dates
from client.domain.record.event import NO_PREVIOUS, SCOPE_ROOM, Event
from client.domain.record.facts import fact_rows, played_seconds, sitting_rows
from client.domain.record.fold import Fold
from client.domain.record.room import room_snapshot
from client.domain.record.table import pack, spec_of
from tests.record_samples import BODIES, C3, LESSON


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One event to be: `sup` names earlier steps; `sees` tells whether it saw the others' lc."""

    writer: int
    body: b.Body
    sup: tuple[int, ...]
    is_alone: bool


@st.composite
def scripts(draw) -> list[Step]:
    steps: list[Step] = []
    for _ in range(draw(st.integers(1, 14))):
        body = draw(st.sampled_from(BODIES[1:]))
        if isinstance(body, b.SettingWritten):
            body = replace(body, value=draw(st.sampled_from(["dark", "light", ""])))
        sup = draw(st.sets(st.integers(0, len(steps) - 1), max_size=2)) if steps else set()
        step = Step(
            writer=draw(st.integers(1, 3)),
            body=body,
            sup=tuple(sorted(sup)),
            is_alone=draw(st.booleans()),
        )
        steps.append(step)
    return steps


WALLS = st.lists(
    st.one_of(
        st.integers(0, 4_102_444_800_000),
        st.integers(1_790_000_000_000, 1_800_000_000_000),
        st.sampled_from([0, -(1 << 52), 1_356_998_400_000, 4_070_908_800_000]),
    ),
    min_size=14,
    max_size=14,
)


def written(steps: Sequence[Step], walls: Sequence[int]) -> list[Event]:
    """Write a script with these clocks; `sup` follows the names that come of it."""
    made: list[Event] = []
    tips: dict[int, Event] = {}
    for number, step in enumerate(steps):
        body = replace(step.body, sup=tuple(made[at].id for at in step.sup))
        spec, tip = spec_of(body), tips.get(step.writer)
        seen = [tip] if step.is_alone else made
        event = Event(
            writer=bytes([step.writer]) * 8,
            seq=1 if tip is None else tip.seq + 1,
            prev=NO_PREVIOUS if tip is None else tip.hash,
            lc=1 + max((one.lc for one in (tip, *seen) if one is not None), default=0),
            boot=1,
            mono_ms=1000 * number,
            wall_ms=walls[number],
            scope=SCOPE_ROOM,
            type=spec.number.value,
            version=spec.version,
            body=pack(body),
        )
        tips[step.writer] = event
        made.append(event)
    return made


def shape(events: Sequence[Event]) -> object:
    """All that is kept and shown, by place in the script; ties of a counter are sets."""
    fold, place = Fold(events), {event.id: at for at, event in enumerate(events)}
    count = {event.id: event.lc for event in events}

    def ranked(names: Sequence[EventId]) -> list[tuple[int, frozenset[int]]]:
        by_count: dict[int, set[int]] = {}
        for name in names:
            by_count.setdefault(count[name], set()).add(place[name])
        # The order as it stands, so that a list that is not in rank order differs.
        return [(lc, frozenset(by_count[lc])) for lc in dict.fromkeys(count[n] for n in names)]

    facts = {kind: ranked([entry.id for entry in fold.facts(kind)]) for kind in EventType}
    registers = {
        kind: [ranked([entry.id for entry in group]) for group in fold.registers(kind)]
        for kind in EventType
    }
    lines = [row.id.partition("/")[0] for row in fact_rows(fold)]
    listed = ranked([EventId(bytes.fromhex(name)) for name in lines])
    return facts, registers, listed, fold.unread, played_seconds(fold, C3, LESSON)


@given(scripts(), WALLS)
@settings(max_examples=150)
def test_o1_a2_any_assignment_of_clocks_gives_the_same_record_in_the_same_order(steps, walls):
    plain = written(steps, [1_795_000_000_000 + 1000 * n for n in range(14)])
    odd = written(steps, walls)
    assert shape(odd) == shape(plain)


@given(scripts(), WALLS)
@settings(max_examples=60)
def test_a2_rows_stand_in_rank_order_whatever_the_clocks_said(steps, walls):
    fold = Fold(written(steps, walls))
    ranks = {e.id.hex(): e.rank for kind in EventType for e in fold.facts(kind)}
    ranks |= {
        e.id.hex(): e.rank for kind in EventType for group in fold.registers(kind) for e in group
    }
    found = [ranks[row.id.partition("/")[0]] for row in fact_rows(fold)]
    assert found == sorted(found)


def one_log(steps: Sequence[Step]) -> list[Step]:
    return [replace(step, writer=1, is_alone=False) for step in steps]


@given(scripts(), WALLS)
@settings(max_examples=60)
def test_in_one_log_even_what_is_shown_first_does_not_change(steps, walls):
    """Without ties nothing may differ but the names."""
    steps = one_log(steps)
    plain = Fold(written(steps, [0] * 14))
    odd = Fold(written(steps, walls))
    rooms = [room_snapshot(fold) for fold in (plain, odd)]
    assert len(rooms[0].conflicts) == len(rooms[1].conflicts)
    assert replace(rooms[0], conflicts=()) == replace(rooms[1], conflicts=())
    rows = [
        [(r.kind, r.class_id, r.lesson, r.value) for r in fact_rows(fold)] for fold in (plain, odd)
    ]
    assert rows[0] == rows[1]
    opened = [
        [(r.sitting, r.class_ids, r.how) for r in sitting_rows(fold, Dates([]))]
        for fold in (plain, odd)
    ]
    assert opened[0] == opened[1]
