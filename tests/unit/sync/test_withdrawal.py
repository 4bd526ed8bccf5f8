"""X1, X2: when a record that is missing counts as withdrawn."""

import random

from hypothesis import given
from hypothesis import strategies as st

from sync.engine.withdrawal import SAMPLE, Verdict, judge, to_probe

IDS = st.lists(st.text(min_size=1, max_size=4), unique=True, max_size=60)


@given(IDS, st.integers())
def test_all_are_asked_or_a_sample_of_twenty(ids: list[str], seed: int) -> None:
    asked = to_probe(ids, random.Random(seed))
    assert set(asked) <= set(ids)
    assert len(asked) == len(set(asked)) == min(len(ids), SAMPLE)


@given(IDS, st.data())
def test_nobody_is_convicted_by_one_who_denies_it(ids: list[str], data: st.DataObject) -> None:
    asked = to_probe(ids, random.Random(1))
    answers = {id_: data.draw(st.booleans()) for id_ in asked}
    verdict = judge(ids, answers)
    assert sorted(verdict.convicted + verdict.acquitted) == sorted(ids)
    if not all(answers.values()):
        assert set(verdict.convicted) == {id_ for id_, so in answers.items() if so}


def test_the_table() -> None:
    few, many = [f"f{n}" for n in range(3)], [f"m{n}" for n in range(30)]
    assert judge([], {}) == Verdict()
    assert judge(few, dict.fromkeys(few, True)).convicted == tuple(few)
    assert judge(few, {"f0": True, "f1": False, "f2": False}).convicted == ("f0",)
    sample = many[:SAMPLE]
    assert judge(many, dict.fromkeys(sample, True)).convicted == tuple(many)
    mixed = dict.fromkeys(sample, True) | {"m3": False}
    assert judge(many, mixed).acquitted == ("m3", *many[SAMPLE:])
