"""Everything that should be found is found, in the stated order (against the oracle)."""

from collections.abc import Iterator

import pytest

from client.domain.catalogue import Lesson
from client.store.search_store import SearchStore
from tests.generator.lessons import generate
from tests.generator.queries import KINDS, queries
from tests.oracle import search_oracle
from tests.search_room import find, groups, search_store

LESSONS = 20_000
PER_KIND = 135


@pytest.fixture(scope="module")
def lessons() -> list[Lesson]:
    made = [lesson for book in generate(LESSONS) for lesson in book.lessons]
    return search_oracle.ranked(made)


@pytest.fixture(scope="module")
def everything(lessons: list[Lesson]) -> search_oracle.Known:
    return search_oracle.known(lessons)


@pytest.fixture(scope="module")
def store(lessons: list[Lesson], tmp_path_factory: pytest.TempPathFactory) -> Iterator[SearchStore]:
    with search_store(tmp_path_factory.mktemp("search"), shard_rows=1500) as made:
        made.rebuild(groups(lessons))
        yield made


@pytest.fixture(scope="module")
def room(lessons: list[Lesson]) -> tuple[str, ...]:
    books = list(dict.fromkeys(str(lesson.book) for lesson in lessons))
    return tuple(books[3 :: len(books) // 8])


@pytest.mark.parametrize("kind", KINDS)
def test_first_fifty_are_those_of_the_oracle(
    kind: str,
    lessons: list[Lesson],
    everything: search_oracle.Known,
    store: SearchStore,
    room: tuple[str, ...],
) -> None:
    wrong = {
        query
        for query in queries(lessons, PER_KIND)[kind]
        if find(store, lessons, query, room=room) != search_oracle.search(everything, query, room)
    }

    assert not wrong


def test_a_room_without_books_sees_the_static_rank(
    lessons: list[Lesson], everything: search_oracle.Known, store: SearchStore
) -> None:
    for query in queries(lessons, 10, seed=99)["mixed"]:
        assert find(store, lessons, query) == search_oracle.search(everything, query, ())


def test_no_words_show_everything_by_rank(
    lessons: list[Lesson], store: SearchStore, room: tuple[str, ...]
) -> None:
    found = find(store, lessons, "", room=room)
    mine = [lesson.id for lesson in lessons if lesson.book in room]

    assert found == mine[:50]
