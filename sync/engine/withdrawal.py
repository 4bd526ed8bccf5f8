"""When a record that is missing from a list counts as withdrawn (DESIGN §6). Pure.

Invariants:
  X1  A record is withdrawn only after a 404 of its own detail, or of those of all records of a
      sample when very many are missing at once. Everything else is held back and kept.
  X2  A withdrawn record that is listed again comes back unless its own detail still says 404.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

Id = TypeVar("Id", bound=str)

SAMPLE: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict(Generic[Id]):
    """What becomes of records in doubt."""

    convicted: tuple[Id, ...] = ()
    """What was asked about is so: they are gone, or they are back."""
    acquitted: tuple[Id, ...] = ()


def to_probe(doubtful: Sequence[Id], chance: random.Random) -> tuple[Id, ...]:
    """Choose whose own detail is asked: all, or a sample of them."""
    if len(doubtful) <= SAMPLE:
        return tuple(doubtful)
    return tuple(chance.sample(list(doubtful), SAMPLE))


def judge(doubtful: Sequence[Id], answers: Mapping[Id, bool]) -> Verdict[Id]:
    """Decide from the answers of those that were asked.

    | asked  | answers | convicted            | acquitted  |
    |--------|---------|----------------------|------------|
    | all    | any     | those that said so   | the others |
    | sample | all so  | all                  | none       |
    | sample | mixed   | those that said so   | the others |
    """
    if answers and all(answers.values()):
        return Verdict(convicted=tuple(doubtful))
    guilty = tuple(id_ for id_ in doubtful if answers.get(id_, False))
    return Verdict(
        convicted=guilty, acquitted=tuple(id_ for id_ in doubtful if not answers.get(id_, False))
    )
