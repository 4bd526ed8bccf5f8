"""What becomes of a withdrawn lesson: the table, and that nothing makes a grace longer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.domain.ids import LessonId
from client.domain.withdrawal import (
    CLASSES_A_DAY,
    RUN_MS_A_DAY,
    URGENT,
    Counted,
    Standing,
    Withdrawal,
    classes_left,
    ran,
    standing,
    strictest,
)

L = LessonId("l1")
HOUR_MS = 3_600_000
counts = st.builds(Counted, classes=st.integers(0, 100), ran_ms=st.integers(0, 400 * HOUR_MS))
words = st.builds(
    Withdrawal,
    lesson=st.just(L),
    reason=st.sampled_from([*sorted(URGENT), "outdated", "the map is wrong"]),
    grace_days=st.integers(0, 10),
    replacement=st.sampled_from([None, LessonId("l2")]),
)


def word(days: int, reason: str = "outdated") -> Withdrawal:
    return Withdrawal(lesson=L, reason=reason, grace_days=days)


@pytest.mark.parametrize(
    ("said", "is_open", "days", "expected"),
    [
        (False, False, 0, Standing.OFFERED),
        (False, True, 0, Standing.OFFERED),
        (True, True, 0, Standing.TEACHING),
        (True, True, 3, Standing.TEACHING),
        (True, False, 3, Standing.GRACE),
        (True, False, 0, Standing.OVER),
    ],
)
def test_wd1_each_row_of_the_table(said, is_open, days, expected):
    """WD1: an open class comes before everything that was said."""
    one = word(days) if said else None
    assert standing(one, Counted(), Counted(), is_open=is_open) is expected


@pytest.mark.parametrize("reason", sorted(URGENT))
def test_wd2_urgent_reasons_have_no_grace(reason):
    """WD2: whatever a list says."""
    assert classes_left(word(10, reason), Counted(), Counted()) == 0
    assert standing(word(10, reason), Counted(), Counted(), is_open=False) is Standing.OVER


def test_wd3_a_grace_is_counted_in_classes_or_running_days():
    """WD3: two days are twelve classes, or forty-eight hours that the machine ran."""
    heard = Counted(classes=5, ran_ms=HOUR_MS)
    left = [
        classes_left(word(2), heard, Counted(classes=5 + held, ran_ms=HOUR_MS + hours * HOUR_MS))
        for held, hours in ((0, 0), (1, 0), (11, 47), (12, 0), (0, 24), (3, 24), (7, 24), (0, 48))
    ]
    assert left == [12, 11, 1, 0, 6, 6, 5, 0]


@given(words, counts, counts, counts)
def test_wd3_time_that_passes_never_makes_a_grace_longer(one, heard, now, more):
    """WD3: whatever is counted on, and never more than what was allowed."""
    later = Counted(classes=now.classes + more.classes, ran_ms=now.ran_ms + more.ran_ms)
    left = classes_left(one, heard, now)
    assert classes_left(one, heard, later) <= left <= CLASSES_A_DAY * one.allowed_days
    if standing(one, heard, now, is_open=False) is Standing.OVER:
        assert standing(one, heard, later, is_open=False) is Standing.OVER


@given(st.lists(words, min_size=1, max_size=4), counts, counts)
def test_wd3_of_several_words_the_strictest_counts(said, heard, now):
    """WD3: another hub that allows more changes nothing."""
    chosen = strictest(said)
    assert chosen is not None
    assert classes_left(chosen, heard, now) == min(classes_left(one, heard, now) for one in said)
    assert strictest([]) is None


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, RUN_MS_A_DAY)), max_size=8))
def test_running_time_is_counted_once_and_never_back(looks):
    total, then = 0, ("a", 0)
    for now in looks:
        more = ran(total, then, now)
        assert total <= more <= total + now[1]
        total, then = more, now
