"""What two machines wrote differently, side by side until a person decides. Pure.

Invariants:
  DI1  Visible writes to one register that do not say the same are all listed, each thing once.
  DI2  Keeping one, or joining notes, names exactly the writes that were shown: one that came
       meanwhile stays visible, and nothing leaves the log.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from client.domain.ids import ClassId, EventId, SittingId
from client.domain.record import bodies as b
from client.domain.record.bodies import EventType
from client.domain.record.event import ID_BYTES, Event
from client.domain.record.fields import MAX_SEEN, MAX_TEXT
from client.domain.record.fold import Fold
from client.domain.record.table import SPECS, topic
from client.domain.record.values import NO_SITTING
from client.service.when import When

_REGISTERS: Final = tuple(spec.number for spec in SPECS if spec.shape is b.Shape.REGISTER)
_ENDLESS: Final = 1 << 63


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One of the things a register says, by whom and when."""

    body: b.RegisterBody
    is_here: bool
    """Written on this PC."""
    when: When | None
    """None where the list of facts has no time for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute:
    """A register with several visible writes that do not say the same."""

    type: EventType
    key: bytes
    choices: tuple[Choice, ...]
    """The one that counts meanwhile last."""
    seen: tuple[EventId, ...]
    class_ids: tuple[ClassId, ...]
    """Empty: it concerns the whole room."""
    sitting: SittingId
    """Empty outside of any."""


def find_disputes(
    fold: Fold, own: Mapping[bytes, int], whens: Mapping[str, When]
) -> tuple[Dispute, ...]:
    """List the registers whose visible writes do not say the same (DI1).

    Args:
        fold: All events that are here.
        own: See `own_logs`.
        whens: Times of writes, by event id in hex digits.
    """
    classes = {body.sitting: body.class_ids for _, body in fold.facts_of(b.SittingOpened)}
    found = []
    for group in _disputed(fold):
        choices: dict[b.RegisterBody, Choice] = {}
        for event, body in group:
            said = replace(body, sup=())
            is_here = event.seq <= own.get(event.writer, 0)
            before = choices.pop(said, None)
            choices[said] = Choice(
                body=said,
                is_here=is_here or (before is not None and before.is_here),
                when=whens.get(event.id.hex()),
            )
        last = group[-1][1]
        sitting: SittingId = getattr(last, "sitting", NO_SITTING)
        found.append(
            Dispute(
                type=EventType(group[-1][0].type),
                key=topic(last),
                choices=tuple(choices.values()),
                seen=tuple(event.id for event, _ in group),
                class_ids=_classes_of(last) or classes.get(sitting, ()),
                sitting=sitting,
            )
        )
    return tuple(found)


def disputed_bodies(fold: Fold) -> Iterator[b.RegisterBody]:
    """Go through everything that is said differently."""
    return (body for group in _disputed(fold) for _, body in group)


def own_logs(fold: Fold, writer: bytes) -> Mapping[bytes, int]:
    """Tell which logs this PC wrote, each up to which number: its own, and what it goes on from.

    A clone goes on from the log it was copied with, up to the copy; what the other PC wrote
    there later is not its own. Logs of other keys are never its own unless the key was lost.
    """
    begins = {entry.event.writer: body for entry, body in fold.facts_of(b.Incarnation)}
    found, waiting = {writer: _ENDLESS}, [writer]
    while waiting:
        body = begins.get(waiting.pop())
        for log, head in body.predecessors if body is not None else ():
            entry, other = fold.find(EventId(head[:ID_BYTES])), begins.get(log)
            if entry is None or body is None or other is None:
                continue
            is_own = body.why is b.WhyIncarnation.KEY_LOST or body.public_key == other.public_key
            if is_own and entry.event.seq > found.get(log, 0):
                found[log] = entry.event.seq
                waiting.append(log)
    return found


def kept(dispute: Dispute, index: int) -> b.RegisterBody:
    """Make the write that keeps one choice (DI2)."""
    return replace(dispute.choices[index].body, sup=dispute.seen[:MAX_SEEN])


def joined(dispute: Dispute) -> b.NoteWritten | None:
    """Make the write that keeps all notes, one below the other (DI2).

    None where it is no note, fewer than two say anything, or they do not fit into one.
    """
    notes = [one.body for one in dispute.choices if isinstance(one.body, b.NoteWritten)]
    texts = list(dict.fromkeys(note.text for note in notes if note.text))
    text = "\n".join(texts)
    if len(texts) < 2 or len(text) > MAX_TEXT:  # noqa: PLR2004 - joining takes two
        return None
    return replace(notes[-1], text=text, sup=dispute.seen[:MAX_SEEN])


def _disputed(fold: Fold) -> Iterator[list[tuple[Event, b.RegisterBody]]]:
    """Go through the registers whose visible writes differ."""
    for number in _REGISTERS:
        for group in fold.registers(number):
            writes = [
                (one.event, one.body) for one in group if isinstance(one.body, b.RegisterBody)
            ]
            if len({replace(body, sup=()) for _, body in writes}) > 1:
                yield writes


def _classes_of(body: b.RegisterBody) -> tuple[ClassId, ...]:
    one: ClassId | None = getattr(body, "class_id", None)
    several: tuple[ClassId, ...] = getattr(body, "class_ids", ())
    return several if one is None else (one,)
