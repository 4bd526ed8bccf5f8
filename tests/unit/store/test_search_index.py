"""Shards: sets, packing, nodes (client.store.search_index, search_match)."""

from array import array

from hypothesis import given, settings
from hypothesis import strategies as st

from client.domain.catalogue import Lesson
from client.store.pinyin import load_readings
from client.store.search_index import (
    ENDS,
    build_shard,
    facet,
    first_positions,
    literal,
    pack_positions,
    positions_of,
    unpack,
    unpack_head,
)
from client.store.search_match import Syllables, plan
from tests.oracle import search_oracle
from tests.search_room import find, groups, lesson, search_store

READINGS = load_readings()
SETS = st.sets(st.integers(0, 5000), max_size=400)


@given(SETS)
def test_sets_come_back_as_they_were(positions: set[int]) -> None:
    ordered = sorted(positions)

    bits = unpack(pack_positions(array("I", ordered)))

    assert positions_of(bits) == ordered
    assert first_positions(bits, 3) == ordered[:3]


def test_dense_and_clustered_sets_come_back_too() -> None:
    for positions in (range(3000), range(0, 60_000, 90), range(5), [1 << 16]):
        assert positions_of(unpack(pack_positions(array("I", positions)))) == list(positions)


def _shard(lessons: list[Lesson]) -> dict[str, int]:
    rows = [row for group in groups(lessons) for row in group.rows]
    shard = build_shard(rows, READINGS)
    assert list(unpack_head(shard.head).rows) == [row.n for row in rows]
    return {token: unpack(bits) for token, bits in shard.postings}


def test_no_spelling_holds_an_end_i1() -> None:
    sets = _shard([lesson(1, "分数", path=("一 除法", "分数")), lesson(2, "", path=("一 除法",))])

    spelled = [bits for token, bits in sets.items() if token[0] in "'=<"]

    assert spelled
    assert all(bits & sets[ENDS] == 0 for bits in spelled)
    # Two titles, the place, one unit, one section below it.
    assert sets[ENDS].bit_count() == 5
    assert sets[facet("grade", "三年级")].bit_count() == 2
    assert sets[literal("分")].bit_count() == 2


def test_the_same_rows_give_the_same_bytes_i3() -> None:
    rows = [row for group in groups([lesson(1, "分数"), lesson(2, "Unit 6")]) for row in group.rows]

    assert build_shard(rows, READINGS) == build_shard(list(rows), READINGS)


def test_a_plan_names_each_way_to_go_on() -> None:
    steps = plan("xian", Syllables(READINGS))

    assert {step.token for step in steps[0]} == {"'x", "<x", "=xi", "=xia", "<xian"}
    # No reading begins with i, so there is no step but that of the letter itself.
    assert {step.token for step in steps[1]} == {"'i"}
    assert {step.token for step in steps[2]} == {"'a", "<a", "=a", "<an"}
    assert plan("分", Syllables(READINGS))[0][0].size == 0


TEXTS = st.text(st.sampled_from("分数行长乐绿 u6ü"), max_size=5)
LESSONS = st.lists(
    st.tuples(TEXTS, st.sampled_from(["b1", "b2", "b3"]), st.lists(TEXTS, max_size=2)),
    min_size=1,
    max_size=12,
)
QUERIES = st.text(st.sampled_from("分数行长 fshungxilvyzc6"), max_size=5)


@settings(max_examples=150, deadline=None)
@given(made=LESSONS, query=QUERIES, shard_rows=st.integers(1, 5), room=st.sampled_from(["", "b2"]))
def test_any_catalogue_is_searched_as_the_oracle_says_i1_i2_m1_m2(
    tmp_path_factory: "object", made: "object", query: str, shard_rows: int, room: str
) -> None:
    lessons = [
        lesson(n, title, book=book, path=path)
        for n, (title, book, path) in enumerate(sorted(made, key=lambda one: one[1]))
    ]
    rooms = (room,) if room else ()

    folder = tmp_path_factory.mktemp("any")
    with search_store(folder, shard_rows=shard_rows) as store:
        store.rebuild(groups(lessons))
        found = find(store, lessons, query, room=rooms, limit=5)

    assert found == search_oracle.search(search_oracle.known(lessons), query, rooms, limit=5)
