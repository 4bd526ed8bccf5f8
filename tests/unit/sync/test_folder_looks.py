"""When a file somebody else writes counts as whole (sync.source.folder_looks)."""

from hypothesis import given
from hypothesis import strategies as st

from sync.source.folder_looks import (
    LOOKS,
    OFTEN_S,
    RARELY_S,
    STILL_S,
    Looks,
    Stamp,
    next_wait_s,
)

NAMES = st.sampled_from(["a.mp4", "b.ts", "三年级/c.pdf"])
LISTING = st.dictionaries(NAMES, st.builds(Stamp, st.integers(0, 2), st.integers(0, 1)))
HISTORY = st.lists(st.tuples(st.floats(0, 60), LISTING), max_size=12)


@given(HISTORY)
def test_a_file_counts_after_standing_still_by_looks_and_by_time(history):
    """LK1, against the definition: the whole history is read for every file."""
    looks, now_s, past = Looks(), 0.0, []
    for wait_s, listing in history:
        now_s += wait_s
        looked = looks.look(listing, now_s)
        past.append((now_s, listing))
        still = {name for name in listing if stood_still(name, past)}
        assert looked.still == still
        assert looked.moving == listing.keys() - still
        before = past[-2][1] if len(past) > 1 else {}
        assert looked.has_changed is (before != listing)


def stood_still(name, past):
    same = []
    for at_s, listing in reversed(past):
        if listing.get(name) != past[-1][1][name]:
            break
        same.append(at_s)
    return len(same) >= LOOKS and same[0] - same[-1] >= STILL_S


@given(st.floats(OFTEN_S, RARELY_S), st.booleans(), st.booleans())
def test_looking_slows_down_by_itself_and_in_class(before_s, has_changed, is_moving):
    """LK2"""
    calm = next_wait_s(before_s, has_changed=False, is_moving=False, in_class=False)
    assert before_s <= calm <= RARELY_S
    lively = next_wait_s(before_s, has_changed=has_changed, is_moving=is_moving, in_class=False)
    assert lively == (OFTEN_S if has_changed or is_moving else calm)
    assert (
        next_wait_s(before_s, has_changed=has_changed, is_moving=is_moving, in_class=True)
        == RARELY_S
    )
