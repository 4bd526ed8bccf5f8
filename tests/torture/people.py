"""What teachers do: bodies of events, and what their author saw when writing."""

import random
from dataclasses import dataclass

from client.domain.canon import encode
from client.domain.ids import ClassId, EventId, LessonId, SittingId
from client.domain.record import bodies as b
from client.domain.record.fold import Fold
from client.domain.record.table import number_of, topic

CLASSES = (ClassId("c1"), ClassId("c2"))
LESSON = LessonId("lesson-1")


@dataclass(frozen=True)
class Draft:
    """What to write; `seen` are the events it replaces. No `body`: `raw` is of a newer program."""

    body: b.Body | None = None
    seen: tuple[EventId, ...] = ()
    raw: tuple[int, int, bytes] = (0, 0, b"")


def draft(dice: random.Random, number: int, fold: Fold) -> Draft:
    """Decide the next deed of a teacher who looks at `fold`. `number` makes it unique."""
    kind = dice.random()
    if kind < 0.45:
        return _register(dice, number, fold)
    if kind < 0.80:
        return Draft(body=_fact(dice, number))
    if kind < 0.90:
        return _correction(dice, number, fold)
    return _unknown(dice, number)


def _register(dice: random.Random, number: int, fold: Fold) -> Draft:
    body: b.RegisterBody
    match dice.randrange(3):
        case 0:
            name = dice.choice(("theme", "volume"))
            body = b.SettingWritten(name=name, value=f"v{number}")
        case 1:
            body = b.SlotWritten(
                class_id=dice.choice(CLASSES), day=1, period=1, subject=f"s{number}"
            )
        case _:
            body = b.PointerMoved(
                class_id=dice.choice(CLASSES), subject="maths", lesson=LessonId(f"l{number}")
            )
    kind = number_of(type(body))
    seen = tuple(entry.id for entry in fold.siblings(kind, topic(body)))[-64:]
    return Draft(body=_with(body, seen), seen=seen)


def _fact(dice: random.Random, number: int) -> b.FactBody:
    sitting = SittingId(number.to_bytes(8, "big").hex())
    match dice.randrange(3):
        case 0:
            return b.CueReached(sitting=sitting, ordinal=dice.randrange(400))
        case 1:
            return b.HeadcountTaken(
                sitting=sitting,
                class_id=dice.choice(CLASSES),
                lesson=LESSON,
                count=dice.randrange(50),
            )
        case _:
            begin = dice.randrange(900)
            run = (begin, begin + dice.randrange(1, 300))
            return b.Played(sitting=sitting, class_ids=CLASSES[:1], lesson=LESSON, stretches=(run,))


def _correction(dice: random.Random, number: int, fold: Fold) -> Draft:
    kinds = (b.EventType.CUE_REACHED, b.EventType.HEADCOUNT, b.EventType.PLAYED)
    # In the order of the deeds: which one is chosen may not hang on hashes, which hang on clocks.
    facts = sorted(fold.facts(*kinds), key=lambda entry: entry.event.body)
    if not facts:
        return Draft(body=_fact(dice, number))
    seen = (dice.choice(facts).id,)
    return Draft(body=b.Correction(sup=seen), seen=seen)


def _unknown(dice: random.Random, number: int) -> Draft:
    """A newer program: a new type, a new version of an old one, or a body nobody can read."""
    match dice.randrange(3):
        case 0:
            return Draft(raw=(9999, 1, encode([[], number])))
        case 1:
            return Draft(raw=(b.EventType.CUE_REACHED.value, 2, encode([[], number, "more"])))
        case _:
            return Draft(raw=(b.EventType.SETTING.value, 1, encode([[], number])))


def _with(body: b.RegisterBody, seen: tuple[EventId, ...]) -> b.RegisterBody:
    from dataclasses import replace

    return replace(body, sup=seen)
