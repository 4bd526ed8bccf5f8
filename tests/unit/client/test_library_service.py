"""The library: search, tree and details over the real catalogue (client.service.library)."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from client.domain.availability import Decodes, LessonState, Light, PartState, Trust
from client.domain.cancel import CancelToken
from client.domain.catalogue import (
    Book,
    FileUse,
    Lesson,
    LessonKind,
    Part,
    Placement,
    RemoteFile,
    Role,
    Section,
)
from client.domain.errors import Cancelled, UserError
from client.domain.holding import Blob
from client.domain.ids import BookId, Digest, LessonId, PartId, SectionId, SourceId
from client.service.api import Filters, Reason
from client.service.library import NOT_COUNTED, LibraryService, no_books
from client.store import library_read
from client.store.blob_store import BlobStore
from client.store.catalogue_store import CatalogueStore
from client.store.holding_store import HoldingStore
from client.store.library import open_library
from tests.generator.lessons import SOURCE, Generated, generate

FENSHU = Placement(stage="小学", grade="三年级", subject="数学", edition="北师大版", volume="下册")
YUWEN = Placement(stage="小学", grade="一年级", subject="语文", edition="统编版", volume="上册")


class Room:
    """Stores of one profile and the library over them."""

    def __init__(self, folder: Path) -> None:
        self.database = open_library(folder / "library.db")
        self.catalogue = CatalogueStore(self.database)
        self.blobs = BlobStore(folder / "blobs", floor_bytes=0)
        self.holdings = HoldingStore(self.database, self.blobs, folder / "lessons")
        self.chosen: tuple[BookId, ...] = ()
        self.library = LibraryService(self.database, self.holdings, lambda: self.chosen)

    def put(self, made: Generated) -> None:
        self.catalogue.put_books(SOURCE, [made.book])
        self.catalogue.put_sections(SOURCE, made.book.id, made.sections)
        self.catalogue.put_lessons(SOURCE, made.lessons)

    def hold(self, lesson: Lesson, part: Part, path: str, decodes: Decodes) -> Blob:
        blob = Blob(
            digest=Digest(f"{len(path):064x}"),
            ext=".ts",
            size_bytes=9,
            trust=Trust.OBSERVED,
            decodes=decodes,
        )
        self.holdings.keep(lesson, part.id, path, blob)
        return blob


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path)
    yield made
    made.database.close()


def _file(path: str, use: FileUse, size: int, *, protected: bool = False, height: int = 0):
    return RemoteFile(
        path=path, urls=(f"https://x/{path}",), format=path.rsplit(".", 1)[-1], flags=(), use=use,
        size_bytes=size if use is not FileUse.RENDITION else 300, is_protected=protected,
        height=height, total_bytes=size if use is FileUse.RENDITION else 0, duration_s=400.0,
        pages=2 if use is FileUse.DOCUMENT else 0,
    )  # fmt: skip


def _fractions(*, protected: bool = False) -> Lesson:
    lesson = LessonId("fractions")
    video = Part(
        id=PartId("v"), lesson=lesson, role=Role.VIDEO, title="视频\n课程", label="视频",
        position=0, period=0, duration_s=726.0,
        files=(
            _file("a/720.m3u8", FileUse.RENDITION, 224, height=720, protected=protected),
            _file("a/360.m3u8", FileUse.RENDITION, 88, height=360, protected=protected),
            _file("a/cover.jpg", FileUse.IMAGE, 1),
        ),
    )  # fmt: skip
    sheet = Part(
        id=PartId("t"), lesson=lesson, role=Role.TASK, title="任务单", label="",
        position=1, period=0, files=(_file("a/sheet.pdf", FileUse.DOCUMENT, 6),),
    )  # fmt: skip
    return Lesson(
        id=lesson, source=SourceId("platform"), kind=LessonKind.NATIONAL,
        title="分数的初步认识（一）\n 分一分", place=FENSHU, book=BookId("math"),
        sections=(SectionId("u6"), SectionId("s1")), section_titles=("六 认识分数", "分一分（一）"),
        position=1, provider="某教研室", periods=((PartId("v"), PartId("t")),),
        parts=(video, sheet), has_detail=True,
    )  # fmt: skip


def _fill(room: Room, *, protected: bool = False) -> Lesson:
    book = Book(id=BookId("math"), source=SOURCE, title="数学三年级下册", place=FENSHU)
    sections = (
        Section(id=SectionId("u5"), book=book.id, parent=None, position=0, title="五 面积"),
        Section(id=SectionId("u6"), book=book.id, parent=None, position=1, title="六 认识分数"),
        Section(
            id=SectionId("s1"),
            book=book.id,
            parent=SectionId("u6"),
            position=2,
            title="分一分\n（一）",
        ),
    )
    lesson = _fractions(protected=protected)
    area = replace(
        lesson, id=LessonId("area"), title="什么是面积", parts=(), periods=(), has_detail=False,
        sections=(SectionId("u5"),), section_titles=("五 面积",), position=9,
    )  # fmt: skip
    room.put(Generated(book=book, sections=sections, lessons=(lesson, area)))
    room.catalogue.put_detail(lesson)
    poem = replace(
        area, id=LessonId("poem"), title="咏鹅", book=BookId("yuwen"), place=YUWEN, sections=(),
        section_titles=(), kind=LessonKind.ELITE,
    )  # fmt: skip
    reader = Book(id=BookId("yuwen"), source=SOURCE, title="语文一年级上册", place=YUWEN)
    room.put(Generated(book=reader, sections=(), lessons=(poem,)))
    room.library.refresh()
    return lesson


def test_a_lesson_is_found_and_marked(room: Room) -> None:
    _fill(room)

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


def test_books_of_the_room_come_first_and_filters_hold(room: Room) -> None:
    _fill(room)

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


def test_totals_come_with_the_facets_or_on_demand(room: Room) -> None:
    _fill(room)

    first = room.library.search_now("", limit=2)
    counted = room.library.search_now("", limit=2, count=True)
    facets = room.library.facets("").result()

    assert (first.total, counted.total, facets.total) == (NOT_COUNTED, 3, 3)
    assert facets.grade == (("三年级", 2), ("一年级", 1))
    assert room.library.facets_now("面积").subject == (("数学", 1),)


def test_refresh_does_nothing_until_something_changed_b2(room: Room) -> None:
    lesson = _fill(room)
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


def test_refresh_of_an_empty_catalogue(room: Room) -> None:
    assert room.library.search_now("x").rows == ()
    report = room.library.refresh()
    assert report is not None
    assert report.lessons == 0


def test_states_follow_what_is_held_b3(room: Room) -> None:
    lesson = _fill(room)
    video, sheet = lesson.parts

    def state() -> LessonState:
        (row,) = room.library.search_now("fsdcb").rows
        assert room.library.detail_now(lesson.id).row.state is row.state
        return row.state

    room.hold(lesson, sheet, "a/sheet.pdf", Decodes.UNKNOWN)
    assert state() is LessonState.PARTIAL
    room.hold(lesson, video, "a/360.m3u8", Decodes.YES)
    assert state() is LessonState.READY


def test_detail_names_parts_renditions_and_reasons(room: Room) -> None:
    lesson = _fill(room)
    video, sheet = lesson.parts
    blob = room.hold(lesson, sheet, "a/sheet.pdf", Decodes.UNKNOWN)
    room.holdings.mark(lesson.id, video.id, "a/360.m3u8", PartState.FAILED, "gone")

    detail = room.library.detail(lesson.id).result()

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


def test_protected_and_withdrawn_lessons_say_so(room: Room) -> None:
    lesson = _fill(room, protected=True)
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


def test_an_unknown_lesson_is_the_users_error(room: Room) -> None:
    with pytest.raises(UserError, match="lesson_unknown"):
        room.library.detail(LessonId("nobody")).result()


def test_books_and_tree(room: Room) -> None:
    _fill(room)

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


def test_pinned(room: Room) -> None:
    lesson = _fill(room)
    room.database.write(
        lambda c: c.execute(
            "INSERT INTO want VALUES (?, 1, '360p', '', 1, 'WAITING', '', 0, 0)", (lesson.id,)
        )
    ).result()

    assert room.library.detail_now(lesson.id).is_pinned


def test_a_list_takes_the_same_number_of_statements_however_long_l1(room: Room) -> None:
    for made in generate(120):
        room.put(made)
    room.catalogue.put_detail(replace(_fractions(), id=LessonId("fractions")))
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
