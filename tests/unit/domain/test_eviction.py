"""EV1 to EV3: who may go, who never, and in which order."""

from hypothesis import given
from hypothesis import strategies as st

from client.domain.availability import Trust
from client.domain.eviction import (
    GB,
    Leaving,
    Limits,
    Room,
    Shield,
    Stored,
    default_floor_bytes,
    evict,
    lacking_bytes,
    most_freeable_bytes,
)
from client.domain.ids import Digest, LessonId

SIZES = {Digest(f"d{n}"): (n + 1) * 7 for n in range(8)}
"""One digest has one size, whoever refers to it."""
FILES = st.frozensets(st.sampled_from(sorted(SIZES)), max_size=4).map(
    lambda names: {name: SIZES[name] for name in names}
)
LESSONS = st.lists(
    st.builds(
        Stored,
        lesson=st.sampled_from([LessonId(f"l{n}") for n in range(12)]),
        files=FILES,
        uses=st.integers(0, 5),
        since=st.integers(0, 50),
        trust=st.sampled_from(Trust),
        is_withdrawn=st.booleans(),
        shields=st.one_of(
            st.just(frozenset[Shield]()), st.frozensets(st.sampled_from(Shield), max_size=2)
        ),
    ),
    max_size=12,
    unique_by=lambda one: one.lesson,
)


def freed(stored: list[Stored], gone: set[LessonId]) -> int:
    """What is free once these are gone, told the long way."""
    left = {digest for one in stored if one.lesson not in gone for digest in one.files}
    went = {digest for one in stored if one.lesson in gone for digest in one.files}
    return sum(SIZES[digest] for digest in went - left)


def one(key: str, size: int = 10, **facts: object) -> Stored:
    return Stored(**{"lesson": LessonId(key), "files": {Digest(key): size}, **facts})


@given(LESSONS, st.integers(0, 250))
def test_ev1_nothing_with_a_shield_goes(stored, need):
    goes = {gone.lesson for gone in evict(stored, need).goes}
    assert not {one.lesson for one in stored if one.shields} & goes


@given(LESSONS, st.integers(0, 250))
def test_ev2_enough_goes_and_no_more_or_nothing(stored, need):
    answer = evict(stored, need)
    gone = [one.lesson for one in answer.goes]
    most = freed(stored, {one.lesson for one in stored if not one.shields})
    assert most_freeable_bytes(stored) == most
    assert answer.freed_bytes == freed(stored, set(gone))
    if most < need:
        assert (gone, answer.short_bytes) == ([], need - most)
        return
    assert answer.short_bytes == 0
    assert answer.freed_bytes >= need
    assert not gone or freed(stored, set(gone[:-1])) < need
    for name in answer.goes:
        if name.why is not Leaving.WITHDRAWN:
            assert freed(stored, set(gone) - {name.lesson}) < need


@given(LESSONS.flatmap(lambda a: st.tuples(st.just(a), st.permutations(a))), st.integers(0, 250))
def test_ev3_the_order_they_are_told_in_says_nothing(both, need):
    assert evict(both[0], need) == evict(both[1], need)


@given(LESSONS, st.integers(1, 250))
def test_ev3_withdrawn_lessons_go_first(stored, need):
    whys = [gone.why is Leaving.WITHDRAWN for gone in evict(stored, need).goes]
    assert whys == sorted(whys, reverse=True)
    may = {one.lesson for one in stored if one.is_withdrawn and not one.shields}
    went = {gone.lesson for gone in evict(stored, need).goes}
    if any(not why for why in whys):
        assert may <= went


def test_what_was_never_taught_goes_before_what_was_taught_often():
    stored = [one("often", uses=9, since=3), one("new", since=3), one("once", uses=1, since=3)]
    answer = evict(stored, 30)
    assert [gone.lesson for gone in answer.goes] == ["new", "once", "often"]
    assert [gone.why for gone in answer.goes] == [
        Leaving.NEVER_USED,
        Leaving.LONG_UNUSED,
        Leaving.LONG_UNUSED,
    ]


def test_of_equals_the_less_trusted_goes_first():
    stored = [one("a"), one("b", trust=Trust.OBSERVED)]
    assert [gone.lesson for gone in evict(stored, 10).goes] == ["b"]


def test_a_large_one_that_is_enough_spares_the_small_ones():
    stored = [one("small", 10, since=99), one("large", 100)]
    assert [gone.lesson for gone in evict(stored, 50).goes] == ["large"]


def test_the_strongest_shield_is_named():
    pinned = one("a", shields=frozenset({Shield.ONLY_COPY, Shield.PINNED}))
    assert pinned.shield is Shield.PINNED
    assert pinned.size_bytes == 10


def test_the_floor_is_five_gigabytes_or_a_tenth():
    assert default_floor_bytes(10 * GB) == 1 * GB
    assert default_floor_bytes(500 * GB) == 2 * GB


def test_room_lacks_for_the_floor_or_for_the_quota():
    room = Room(total_bytes=1000, free_bytes=100, held_bytes=300)
    assert lacking_bytes(room, Limits(floor_bytes=50), 50) == 0
    assert lacking_bytes(room, Limits(floor_bytes=50), 60) == 10
    assert lacking_bytes(room, Limits(quota_bytes=300), 7) == 7
    assert lacking_bytes(room, Limits(quota_bytes=400), 100) == 0
