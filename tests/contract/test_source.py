"""What every source keeps (`sync/source/port.py`): the platform's, and its twin in memory."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from client.domain.cancel import CancelToken
from client.domain.catalogue import LessonKind, Section, Tag, TagNode
from client.domain.errors import Cancelled
from client.domain.ids import BookId, SectionId
from client.store.catalogue_store import CatalogueStore
from client.store.library import open_library
from sync.source.addresses import AddressBook
from sync.source.platform.source import PLATFORM, PlatformSource
from sync.source.port import DetailStatus, Found, Source, Unchanged
from sync.transport.http import HttpTransport
from tests.fakes.shelf_source import ShelfSource, book, lesson


@pytest.fixture
def store(tmp_path: Path) -> Iterator[CatalogueStore]:
    db = open_library(tmp_path / "library.db")
    yield CatalogueStore(db)
    db.close()


def _shelf() -> Source:
    section = Section(id=SectionId("s1"), book=BookId("b1"), parent=None, position=0, title="一")
    node = TagNode(path="r", parent="", position=0, tag=Tag(dimension="d", id="r", name="n"))
    return ShelfSource(
        on_shelf={"b1": book("b1")},
        listed={"b1": [lesson("l1", "b1"), lesson("l2", "b1")]},
        texts=[lesson("t1", None)],
        tree=(section,),
        nodes=(node,),
    )


@pytest.fixture(params=["shelf", pytest.param("platform", marks=pytest.mark.shared)])
def source(request: pytest.FixtureRequest, store: CatalogueStore) -> Source:
    if request.param == "shelf":
        return _shelf()
    replica = request.getfixturevalue("replicas")("--books", "2", "--lessons-per-book", "6")
    addresses = AddressBook(replica.base)
    transport = HttpTransport(resolve=addresses.redirect)
    return PlatformSource(transport, addresses, store.memory(PLATFORM))


def _fullest(source: Source) -> BookId:
    books = source.books(CancelToken()).records
    return max(books, key=lambda b: len(source.lessons(b.id, CancelToken()).records)).id


def test_records_name_their_source_and_have_ids_of_their_own(source: Source) -> None:
    books = source.books(CancelToken()).records
    lessons = source.lessons(_fullest(source), CancelToken()).records
    texts = source.textbooks(CancelToken()).records
    for records in (books, lessons, texts):
        assert records
        assert len({record.id for record in records}) == len(records)
        assert {record.source for record in records} == {source.id}


def test_lessons_belong_to_their_book_and_come_without_parts(source: Source) -> None:
    chosen = _fullest(source)
    for found in source.lessons(chosen, CancelToken()).records:
        assert (found.book, found.parts, found.has_detail) == (chosen, (), False)
    for found in source.textbooks(CancelToken()).records:
        assert (found.kind, found.book) == (LessonKind.TEXTBOOK, None)


def test_trees_give_parents_before_children(source: Source) -> None:
    nodes = source.tags(CancelToken())
    assert isinstance(nodes, Found)
    known = {""}
    for node in nodes.value:
        assert node.parent in known
        known.add(node.path)
    chosen = _fullest(source)
    tree = source.sections(chosen, CancelToken())
    assert isinstance(tree, Found)
    above: set[SectionId | None] = {None}
    for position, section in enumerate(tree.value):
        assert (section.book, section.position) == (chosen, position)
        assert section.parent in above
        above.add(section.id)


def test_a_detail_is_that_lesson_or_a_status(source: Source) -> None:
    for found in source.lessons(_fullest(source), CancelToken()).records:
        detail = source.detail(found, CancelToken())
        if isinstance(detail, Found):
            assert (detail.value.id, detail.value.has_detail) == (found.id, True)
            assert all(part.lesson == found.id for part in detail.value.parts)
        else:
            assert detail in (Unchanged.UNCHANGED, *DetailStatus)


def test_what_is_offered_is_not_gone(source: Source) -> None:
    chosen = _fullest(source)
    assert not source.is_book_gone(chosen, CancelToken())
    for found in source.lessons(chosen, CancelToken()).records[:2]:
        assert not source.is_gone(found, CancelToken())


def test_traffic_only_grows(source: Source) -> None:
    before = source.traffic
    source.books(CancelToken())
    after = source.traffic
    assert after.requests > before.requests
    assert after.bytes_received >= before.bytes_received
    assert source.connections >= 1


CALLS: dict[str, Callable[[Source, CancelToken], object]] = {
    "tags": lambda s, c: s.tags(c),
    "books": lambda s, c: s.books(c),
    "textbooks": lambda s, c: s.textbooks(c),
    "sections": lambda s, c: s.sections(BookId("b1"), c),
    "lessons": lambda s, c: s.lessons(BookId("b1"), c),
    "detail": lambda s, c: s.detail(lesson("l1", "b1"), c),
    "is_gone": lambda s, c: s.is_gone(lesson("l1", "b1"), c),
    "is_book_gone": lambda s, c: s.is_book_gone(BookId("b1"), c),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_cancelled_token_ends_every_call(source: Source, call: str) -> None:
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        CALLS[call](source, cancel)
