"""The library: search, tree and details over the real catalogue.

client.service.library, client.store.library_read.
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from client.domain.availability import Decodes, LessonState, Light, PartState, Trust
from client.domain.cancel import CancelToken
from client.domain.catalogue import LessonKind
from client.domain.errors import Cancelled, UserError
from client.domain.ids import BookId, LessonId, SectionId
from client.service.api import Filters, Reason
from client.service.library import NOT_COUNTED, in_school_order, no_books
from client.store import library_read
from tests.generator.lessons import SOURCE, generate
from tests.library_room import FENSHU, LibraryRoom, fill, fractions


@pytest.fixture
def room(tmp_path: Path) -> Iterator[LibraryRoom]:
    made = LibraryRoom(tmp_path)
    yield made
    made.database.close()


def test_a_lesson_is_found_and_marked_b1(room: LibraryRoom) -> None:
    fill(room)

    page = room.library.search("fsdcb").result()

    (row,) = page.rows
    assert (page.query, page.total, row.id) == ("fsdcb", 1, "fractions")
    assert row.title == "分数的初步认识（一） 分一分"
    assert row.matches == ((0, 5),)
    assert (row.unit, row.provider, row.place) == ("六 认识分数", "某教研室", FENSHU)
    assert row.duration_s == 726.0
    assert row.size_bytes == 88 + 6
    assert row.state is LessonState.ABSENT
    assert page.elapsed_ms > 0


def test_books_of_the_room_come_first_and_filters_hold(room: LibraryRoom) -> None:
    fill(room)

    def ids(text: str, filters: Filters | None = None) -> list[str]:
        return [row.id for row in room.library.search_now(text, filters or Filters()).rows]

    # Grade one stands before grade three, and in a book the tree decides, not the list.
    assert ids("") == ["poem", "area", "fractions"]
    room.chosen = (BookId("math"),)
    assert ids("") == ["area", "fractions", "poem"]
    assert ids("", Filters(grade=("一年级",))) == ["poem"]
    assert ids("", Filters(kinds=(LessonKind.NATIONAL,), volume=("下册", "上册"))) == [
        "area",
        "fractions",
    ]
    assert no_books() == ()


def test_totals_come_with_the_facets_or_on_demand(room: LibraryRoom) -> None:
    fill(room)

    first = room.library.search_now("", limit=2)
    counted = room.library.search_now("", limit=2, count=True)
    facets = room.library.facets("").result()

    assert (first.total, counted.total, facets.total) == (NOT_COUNTED, 3, 3)
    assert facets.grade == (("三年级", 2), ("一年级", 1))
    assert room.library.facets_now("面积").subject == (("数学", 1),)


def test_refresh_does_nothing_until_something_changed_b2(room: LibraryRoom) -> None:
    lesson = fill(room)
    assert room.library.refresh() is None

    room.catalogue.put_lessons(SOURCE, [replace(lesson, title="几分之一")])
    assert [row.id for row in room.library.search_now("几分之一").rows] == []
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        room.library.refresh(cancel)

    report = room.library.refresh()
    assert report is not None
    assert report.lessons == 3
    assert [row.id for row in room.library.search_now("几分之一").rows] == ["fractions"]


def test_refresh_of_an_empty_catalogue(room: LibraryRoom) -> None:
    assert room.library.search_now("x").rows == ()
    report = room.library.refresh()
    assert report is not None
    assert report.lessons == 0


def test_states_follow_what_is_held_b3_l2(room: LibraryRoom) -> None:
    lesson = fill(room)
    video, sheet = lesson.parts

    def state() -> LessonState:
        (row,) = room.library.search_now("fsdcb").rows
        assert room.library.detail_now(lesson.id).row.state is row.state
        return row.state

    room.hold(lesson, sheet, "a/sheet.pdf", Decodes.UNKNOWN)
    assert state() is LessonState.PARTIAL
    room.hold(lesson, video, "a/360.m3u8", Decodes.YES)
    assert state() is LessonState.READY


def test_detail_names_parts_renditions_and_reasons(room: LibraryRoom) -> None:
    lesson = fill(room)
    video, sheet = lesson.parts
    blob = room.hold(lesson, sheet, "a/sheet.pdf", Decodes.UNKNOWN)
    room.holdings.mark(lesson.id, video.id, "a/360.m3u8", PartState.FAILED, "gone")

    detail = room.library.detail(lesson.id).result()

    assert room.library.search_now("fsdcb").rows[0] == replace(detail.row, matches=((0, 5),))
    assert detail.light is Light.PARTIAL
    assert (detail.book, detail.sections) == ("math", ("六 认识分数", "分一分 （一）"))
    assert detail.periods == (("v", "t"),)
    assert not detail.is_pinned
    film, paper = detail.parts
    assert (film.title, film.format, film.size_bytes, film.duration_s) == (
        "视频 课程",
        "m3u8",
        88,
        726.0,
    )
    assert (film.state, film.reason, film.path) == (PartState.FAILED, Reason(code="gone"), None)
    assert [(r.name, r.size_bytes, r.state) for r in film.renditions] == [
        ("720p", 224, PartState.ABSENT),
        ("360p", 88, PartState.FAILED),
    ]
    assert (paper.state, paper.digest, paper.trust, paper.pages, paper.reason) == (
        PartState.PRESENT,
        blob.digest,
        Trust.OBSERVED,
        2,
        None,
    )
    assert paper.format == "pdf"
    assert paper.path == room.blobs.path(blob.digest, blob.ext)


def test_protected_and_withdrawn_lessons_say_so(room: LibraryRoom) -> None:
    lesson = fill(room, protected=True)
    film = room.library.detail_now(lesson.id).parts[0]

    assert (film.state, film.reason) == (PartState.PROTECTED, Reason(code="protected"))
    assert all(r.is_protected and r.state is PartState.PROTECTED for r in film.renditions)
    assert film.size_bytes == 0

    room.catalogue.withdraw([lesson.id, LessonId("area")])
    room.hold(lesson, lesson.parts[1], "a/sheet.pdf", Decodes.UNKNOWN)
    room.library.refresh()
    # What is here stays to be found; what is not goes with its offer.
    assert [row.id for row in room.library.search_now("").rows] == ["poem", "fractions"]
    assert room.library.detail_now(LessonId("area")).row.state is LessonState.WITHDRAWN
    detail = room.library.detail_now(lesson.id)
    assert [part.state for part in detail.parts] == [PartState.WITHDRAWN, PartState.PRESENT]
    assert detail.parts[0].reason == Reason(code="withdrawn")


def test_an_unknown_lesson_is_the_users_error(room: LibraryRoom) -> None:
    with pytest.raises(UserError, match="lesson_unknown"):
        room.library.detail(LessonId("nobody")).result()


def test_books_and_tree(room: LibraryRoom) -> None:
    fill(room)

    assert [book.id for book in room.library.books().result()] == ["yuwen", "math"]
    assert [book.id for book in room.library.books_now(Filters(subject=("数学",)))] == ["math"]
    room.chosen = (BookId("yuwen"),)
    assert [book.id for book in room.library.books_now(chosen=True)] == ["yuwen"]
    rows = room.library.sections(BookId("math")).result()
    assert [(row.title, row.depth, row.lessons) for row in rows] == [
        ("五 面积", 0, 1),
        ("六 认识分数", 0, 1),
        ("分一分 （一）", 1, 1),
    ]
    everything = room.library.lessons_of(BookId("math")).result()
    assert [row.id for row in everything] == ["area", "fractions"]
    below = room.library.lessons_of_now(BookId("math"), SectionId("u6"))
    assert [row.id for row in below] == ["fractions"]


def test_pinned(room: LibraryRoom) -> None:
    lesson = fill(room)
    room.database.write(
        lambda c: c.execute(
            "INSERT INTO want VALUES (?, 1, '360p', '', 1, 'WAITING', '', 0, 0)", (lesson.id,)
        )
    ).result()

    assert room.library.detail_now(lesson.id).is_pinned


def test_a_list_takes_the_same_number_of_statements_however_long_l1(room: LibraryRoom) -> None:
    for made in generate(120):
        room.put(made)
    room.catalogue.put_detail(replace(fractions(), id=LessonId("fractions")))
    room.library.refresh()

    def statements(count: int) -> int:
        ran: list[str] = []

        def read(connection: sqlite3.Connection) -> None:
            connection.set_trace_callback(ran.append)
            try:
                assert len(library_read.listed(connection, tuple(range(1, count + 1)))) == count
            finally:
                connection.set_trace_callback(None)

        room.database.read_here(read)
        return len(ran)

    assert statements(1) == statements(50) <= 5


def test_values_of_a_facet_stand_as_in_school() -> None:
    assert in_school_order("grade", ["三年级", "高一年级", "一年级", "乙班", "甲班"]) == (
        "一年级",
        "三年级",
        "高一年级",
        "乙班",
        "甲班",
    )
    assert in_school_order("edition", ["b", "a"]) == ("a", "b")
