"""Building, publishing, counting (client.store.search_store, search_edition)."""

import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from client.domain.cancel import CancelToken
from client.domain.catalogue import Lesson
from client.domain.errors import Cancelled
from client.domain.ids import BookId
from client.store import search_store as module
from client.store.search_edition import Edition, SearchQuery
from client.store.search_store import BuildReport, Group, SearchStore
from tests.generator.lessons import generate
from tests.search_room import find, groups, lesson, search_store

SIZE = 600


@pytest.fixture(scope="module")
def lessons() -> list[Lesson]:
    return [one for book in generate(SIZE) for one in book.lessons]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SearchStore]:
    with search_store(tmp_path, shard_rows=100) as made:
        yield made


def test_an_empty_index_finds_nothing(store: SearchStore) -> None:
    assert store.first(SearchQuery(words=("a",)), 50) == ()
    assert store.first(SearchQuery(), 50) == ()
    assert store.counts(SearchQuery()).total == 0
    assert store.cursor() == 0
    assert store.rebuild([]) == BuildReport(lessons=0, built=0, kept=0)
    assert store.first(SearchQuery(), 50) == ()


def test_two_threads_may_load_the_same_set_e1(store: SearchStore, lessons: list[Lesson]) -> None:
    store.rebuild(groups(lessons))
    find(store, lessons, "fs")
    assert store._edition is not None
    sets = store._edition._sets
    token = next(iter(sets._tokens))

    again = store._database.read_here(lambda c: sets._load(c, token))

    assert again is sets._tokens[token]
    assert sets._held == sum(sum(map(_size, rows.values())) for rows in sets._tokens.values())


def test_counts_are_those_of_the_lessons(store: SearchStore, lessons: list[Lesson]) -> None:
    store.rebuild(groups(lessons), cursor=7)
    everything = store.counts(SearchQuery())
    found = {one.id for one in lessons if one.id in set(find(store, lessons, "课时", limit=SIZE))}
    counted = store.counts(SearchQuery(words=("课时",)))

    assert everything.total == len(lessons)
    assert counted.total == len(found)
    for name, values in counted.facets:
        tally = Counter(getattr(one.place, name) for one in lessons if one.id in found)
        assert dict(values) == dict(tally)
        assert list(values) == sorted(values, key=lambda item: (-item[1], item[0]))
    assert store.cursor() == 7


def test_a_facet_is_counted_under_the_choices_in_the_others(
    store: SearchStore, lessons: list[Lesson]
) -> None:
    store.rebuild(groups(lessons))
    grade = lessons[0].place.grade
    wanted = (("grade", (grade,)), ("subject", ("语文", "数学")))
    counted = store.counts(SearchQuery(wanted=wanted))
    facets = dict(counted.facets)

    fits = [
        one for one in lessons
        if one.place.grade == grade and one.place.subject in {"语文", "数学"}
    ]  # fmt: skip
    assert counted.total == len(fits)
    assert dict(facets["subject"]) == dict(
        Counter(one.place.subject for one in lessons if one.place.grade == grade)
    )
    assert dict(facets["grade"]) == dict(
        Counter(one.place.grade for one in lessons if one.place.subject in {"语文", "数学"})
    )
    assert find(store, lessons, "", wanted=wanted) == [one.id for one in fits][:50]


def test_filters_by_kind_and_book(store: SearchStore, lessons: list[Lesson]) -> None:
    store.rebuild(groups(lessons))
    book = lessons[-1].book
    wanted = (("book", (str(book),)), ("kind", ("elite_lesson",)))

    assert find(store, lessons, "", wanted=wanted) == [
        one.id for one in lessons if one.book == book and one.kind.value == "elite_lesson"
    ]
    assert find(store, lessons, "", wanted=(("grade", ("没有的年级",)),)) == []


def test_words_may_stand_in_title_or_above_but_titles_come_first(store: SearchStore) -> None:
    lessons = [
        lesson(1, "比大小", book="b1", path=("六 认识分数", "分一分")),
        lesson(2, "认识分数", book="b1", path=("六 认识分数", "练习")),
        lesson(3, "分数练习", book="b2", path=("一 除法",)),
        lesson(4, "除法", book="b3", path=("分数与练习",)),
        lesson(5, "别的", book="b3", path=()),
    ]
    store.rebuild(groups(lessons))

    assert find(store, lessons, "分数") == ["l2", "l3", "l1", "l4"]
    assert find(store, lessons, "分数", room=["b3"]) == ["l4", "l2", "l3", "l1"]
    assert find(store, lessons, "fs lx") == ["l3", "l2", "l4"]
    assert find(store, lessons, "sanianji") == []
    assert find(store, lessons, "sannianji 下册", room=["b2"], limit=2) == ["l3", "l1"]
    assert find(store, lessons, "分数 三年级数学", limit=1) == ["l1"]


def test_a_rebuild_is_seen_whole_or_not_s1(store: SearchStore, lessons: list[Lesson]) -> None:
    """Searches while other editions are published see one of them, never a mixture."""
    old, new = lessons[:300], [lesson(n, f"新课 {n}") for n in range(300)]
    store.rebuild(groups(old))
    query = SearchQuery()
    known = {store.first(query, SIZE)}
    counts = {store.counts(query).total}
    seen: list[tuple[int, ...]] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            seen.append(store.first(query, SIZE))
            counts.add(store.counts(query).total)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        for made in (new, old, new[:150], old):
            store.rebuild(groups(made))
            known.add(store.first(query, SIZE))
    finally:
        stop.set()
        asking.join()

    assert seen
    assert set(seen) <= known
    assert counts <= {300, 150}


def test_an_answer_begun_before_a_publication_ends_on_the_old_edition_s1(
    store: SearchStore, lessons: list[Lesson]
) -> None:
    store.rebuild(groups(lessons))
    query = SearchQuery(words=("f",))
    before = store.first(query, SIZE)

    def ask(connection: sqlite3.Connection, edition: Edition) -> tuple[int, ...]:
        other = [lesson(n, "别的") for n in range(SIZE)]
        building = threading.Thread(target=store.rebuild, args=(groups(other),))
        building.start()
        building.join()
        edition._sets._tokens.clear()
        return edition.first(connection, query, SIZE)

    assert store._answer(ask) == before
    assert store.first(query, SIZE) == ()


def test_only_changed_shards_are_built_s2(store: SearchStore, lessons: list[Lesson]) -> None:
    first = store.rebuild(groups(lessons))
    again = store.rebuild(groups(lessons), cursor=2)

    assert first.kept == 0
    assert (again.built, again.kept) == (0, first.built)
    assert store.cursor() == 2

    made = groups(lessons)
    changed = made[5]
    rows = (changed.rows[0], *changed.rows[2:])
    third = store.rebuild([*made[:5], Group(key=changed.key, rows=rows), *made[6:]])

    assert third.lessons == SIZE - 1
    assert third.built == 1
    assert store.counts(SearchQuery()).total == SIZE - 1

    fewer = store.rebuild(made[:3])
    assert fewer.lessons == sum(len(group.rows) for group in made[:3])
    assert store.counts(SearchQuery()).total == fewer.lessons


def test_growing_shards_are_cut_again_s2(store: SearchStore, lessons: list[Lesson]) -> None:
    made = groups(lessons)
    store.rebuild(made[::2])
    grown = store.rebuild(made)

    assert grown.kept == 0 or grown.built > 0
    assert store.first(SearchQuery(), SIZE) == tuple(range(1, SIZE + 1))


def test_a_build_that_stops_half_way_changes_nothing_s3(
    store: SearchStore, lessons: list[Lesson]
) -> None:
    store.rebuild(groups(lessons[:200]), cursor=1)
    before = store.first(SearchQuery(), SIZE)
    cancel = CancelToken()

    def halfway() -> Iterator[Group]:
        for index, group in enumerate(groups(lessons[200:])):
            if index == 20:
                cancel.cancel()
            yield group

    with pytest.raises(Cancelled):
        store.rebuild(halfway(), cursor=2, cancel=cancel)

    assert store.first(SearchQuery(), SIZE) == before
    assert SearchStore(store._database).first(SearchQuery(), SIZE) == before
    assert store.cursor() == 1
    store.rebuild(groups(lessons[:200]), cursor=3, cancel=CancelToken())
    leavings = store._database.read_here(
        lambda c: c.execute(
            "SELECT count(*) FROM search_posting WHERE shard NOT IN "
            "(SELECT shard FROM search_shard WHERE place IS NOT NULL)"
        ).fetchone()[0]
    )
    assert leavings == 0


def test_a_new_format_is_built_anew(
    store: SearchStore, lessons: list[Lesson], monkeypatch: pytest.MonkeyPatch
) -> None:
    built = store.rebuild(groups(lessons), cursor=4).built
    monkeypatch.setattr(module, "FORMAT", module.FORMAT + 1)

    assert store.cursor() == 0
    assert store.rebuild(groups(lessons), cursor=4).built == built
    assert store.cursor() == 4


def test_the_cache_stays_within_its_bounds_e1(tmp_path: Path, lessons: list[Lesson]) -> None:
    with search_store(tmp_path, shard_rows=100, cache_bytes=6000) as small:
        small.rebuild(groups(lessons))
        for query in ("fenshu", "数", "unit", "rs", "sx 三", "k", "d"):
            expected = find(small, lessons, query)
            assert find(small, lessons, query) == expected
            assert small._edition is not None
            sets = small._edition._sets
            held = sum(
                module_size
                for rows in sets._tokens.values()
                for module_size in map(_size, rows.values())
            )
            assert sets._held == held
            assert held <= 6000 or len(sets._tokens) == 1


def _size(kept: "int | bytes") -> int:
    return len(kept) + 33 if isinstance(kept, bytes) else (kept.bit_length() >> 3) + 28


def test_no_shard_is_matched_once_enough_was_found_e2(
    tmp_path: Path, lessons: list[Lesson], monkeypatch: pytest.MonkeyPatch
) -> None:
    from client.store.search_match import ShardView

    matched: list[int] = []
    real = ShardView.hits

    def spy(self: ShardView, steps: object, sets: object) -> int:
        matched.append(self.number)
        return real(self, steps, sets)

    with search_store(tmp_path, shard_rows=100) as store:
        store.rebuild(groups(lessons))
        monkeypatch.setattr(ShardView, "hits", spy)
        books = tuple(dict.fromkeys(BookId(str(one.book)) for one in lessons))

        assert store.first(SearchQuery(words=("的",)), 1)
        assert len(set(matched)) == 1
        matched.clear()
        assert store.first(SearchQuery(words=("的",), room=books[:1]), SIZE)
        # Every shard once, although four ranks were asked for.
        assert len(matched) == len(set(matched))
