"""Where a lesson stands in its textbook (BM1, BM2). client.domain.bookmarks."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.domain.bookmarks import Bookmarks, PageRange, pages_of, read_bookmarks
from client.domain.catalogue import Section
from client.domain.ids import BookId, SectionId

BOOK = BookId("math")


def chapter(name: str, parent: str = "") -> Section:
    above = SectionId(parent) if parent else None
    return Section(id=SectionId(name), book=BOOK, parent=above, position=0, title=name)


TREE = (
    chapter("u1"),
    chapter("a", "u1"),
    chapter("b", "u1"),
    chapter("b1", "b"),
    chapter("u2"),
    chapter("c", "u2"),
)


def marks(**pages: int) -> Bookmarks:
    return Bookmarks(book=BOOK, pages={SectionId(name): page for name, page in pages.items()})


def way(*names: str) -> tuple[SectionId, ...]:
    return tuple(map(SectionId, names))


def test_what_is_no_bookmark_is_passed_over() -> None:
    """BM1."""
    entries = [
        {"node_id": "a", "page_number": 3},
        {"node_id": "", "page_number": 4},
        {"node_id": "b", "page_number": 0},
        {"node_id": "c", "page_number": True},
        {"node_id": 5, "page_number": 5},
        {"page_number": 6},
        "x",
    ]
    found = read_bookmarks(json.dumps({"ebook_id": "math", "mappings": entries}).encode())
    assert found == marks(a=3)
    unsaid = read_bookmarks(b'{"ebook_id": 7, "mappings": []}')
    assert unsaid == Bookmarks(book=BookId(""), pages={})


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"\xff", b'{"mappings": 7}', b"{}", b"[" * 100_000]
)
def test_what_is_no_list_of_bookmarks_gives_none(data: bytes) -> None:
    """BM1."""
    assert read_bookmarks(data) is None


@given(st.binary(max_size=60))
def test_no_file_breaks_the_reading(data: bytes) -> None:
    """BM1."""
    read_bookmarks(data)


@pytest.mark.parametrize(
    ("pages", "path", "length", "found"),
    [
        # The deepest chapter with a bookmark decides, else what is below or above it.
        ({"u1": 2, "a": 2, "b": 6, "u2": 20}, ("u1", "a"), 30, (2, 5)),
        ({"u1": 2, "a": 2, "b": 6, "u2": 20}, ("u1", "b", "b1"), 30, (6, 19)),
        ({"b1": 9, "u2": 20}, ("u1", "b"), 30, (9, 19)),
        ({"u1": 2, "c": 20}, ("u1", "a"), 30, (2, 19)),
        # A unit ends where the next unit begins, not at its own second chapter.
        ({"u1": 2, "a": 3, "b": 6, "u2": 20}, ("u1",), 30, (2, 19)),
        # Two chapters on one page; the last chapter; a length that nobody knows.
        ({"a": 4, "b": 4, "c": 9}, ("u1", "a"), 30, (4, 8)),
        ({"a": 4, "c": 9}, ("u2", "c"), 30, (9, 30)),
        ({"a": 4, "c": 9}, ("u2", "c"), 0, (9, 0)),
        # A bookmark behind the end of the book is none.
        ({"a": 4, "c": 90}, ("u2", "c"), 30, None),
        ({"a": 4}, ("u2", "c"), 30, None),
        ({"a": 4}, (), 30, None),
    ],
)
def test_the_pages_of_a_lesson(
    pages: dict[str, int], path: tuple[str, ...], length: int, found: tuple[int, int] | None
) -> None:
    """BM2."""
    expected = None if found is None else PageRange(first=found[0], last=found[1])
    assert pages_of(marks(**pages), way(*path), TREE, length) == expected


NAMES = [str(one.id) for one in TREE]


@given(
    st.dictionaries(st.sampled_from(NAMES), st.integers(1, 40)),
    st.lists(st.sampled_from(NAMES), max_size=3),
    st.integers(1, 30),
)
def test_pages_never_lie_outside_the_book(
    pages: dict[str, int], path: list[str], length: int
) -> None:
    """BM2."""
    found = pages_of(marks(**pages), way(*path), TREE, length)
    assert found is None or 1 <= found.first <= found.last <= length
