"""A search store in a temporary folder, filled with lessons or titles."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path

from client.domain.catalogue import Lesson, LessonKind, Placement
from client.domain.ids import BookId, LessonId, SourceId
from client.domain.spelling import query_words
from client.store.database import Database
from client.store.schema_search import m0003_search
from client.store.search_edition import SearchQuery
from client.store.search_index import IndexRow
from client.store.search_store import Group, SearchStore

SOURCE = SourceId("platform")


def lesson(
    n: int,
    title: str,
    *,
    book: str = "b1",
    path: Sequence[str] = (),
    place: tuple[str, str, str, str, str] = ("小学", "三年级", "数学", "北师大版", "下册"),
    kind: LessonKind = LessonKind.NATIONAL,
) -> Lesson:
    """A lesson as far as a search sees it."""
    stage, grade, subject, edition, volume = place
    return Lesson(
        id=LessonId(f"l{n}"),
        source=SOURCE,
        kind=kind,
        title=title,
        place=Placement(stage=stage, grade=grade, subject=subject, edition=edition, volume=volume),
        book=BookId(book) if book else None,
        section_titles=tuple(path),
        position=n,
    )


def groups(lessons: Iterable[Lesson]) -> list[Group]:
    """Lessons, given in rank order, as groups; row numbers count from 1."""
    numbered = enumerate(lessons, 1)
    return [
        Group(
            key=f"{at:06}-{book}",
            rows=tuple(_row(n, one) for n, one in some),
        )
        for at, (book, some) in enumerate(groupby(numbered, key=lambda item: item[1].book or ""))
    ]


def _row(n: int, one: Lesson) -> IndexRow:
    p = one.place
    return IndexRow(
        n=n,
        title=one.title,
        path=one.section_titles,
        place=(p.stage, p.grade, p.subject, p.edition, p.volume),
        kind=one.kind.value,
        book=one.book,
    )


@contextmanager
def search_store(
    folder: Path, *, shard_rows: int = 4000, cache_bytes: int = 24_000_000
) -> Iterator[SearchStore]:
    """An empty store with its own database."""
    database = Database(folder / "search.db", [m0003_search])
    try:
        yield SearchStore(database, shard_rows=shard_rows, cache_bytes=cache_bytes)
    finally:
        database.close()


def find(
    store: SearchStore,
    lessons: Sequence[Lesson],
    text: str,
    *,
    room: Sequence[str] = (),
    wanted: Sequence[tuple[str, tuple[str, ...]]] = (),
    limit: int = 50,
) -> list[str]:
    """Ids found, ranked."""
    query = SearchQuery(
        words=query_words(text), room=tuple(map(BookId, room)), wanted=tuple(wanted)
    )
    return [lessons[n - 1].id for n in store.first(query, limit)]
