"""A lesson's textbook and the page at which it opens.

client.service.textbooks, client.service.library (B4), client.service.sitting_port.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from client.domain.availability import Decodes, Trust
from client.domain.catalogue import FileUse, Lesson, LessonKind, Part, Placement, Role
from client.domain.cues import CueKind, default_cues
from client.domain.holding import Blob
from client.domain.ids import ClassId, Digest, LessonId, PartId
from client.domain.sitting_keys import Key, Press, press
from client.domain.sitting_moves import document_for, opening
from client.service.api import LessonDetail, TextbookPages
from client.service.sitting import _track_of
from client.service.sitting_port import TrackPlan
from tests.classroom_kit import part as view
from tests.generator.lessons import SOURCE
from tests.lesson_values import a_lesson, a_part
from tests.library_room import FENSHU, YUWEN, LibraryRoom, fill, remote_file


@pytest.fixture
def room(tmp_path: Path) -> Iterator[LibraryRoom]:
    made = LibraryRoom(tmp_path)
    fill(made)
    yield made
    made.database.close()


def textbook(name: str, place: Placement = FENSHU, *, ext: str = "pdf") -> Lesson:
    id_ = LessonId(name)
    book = Part(
        id=PartId(name), lesson=id_, role=Role.TEXTBOOK, title=name, label="", position=0,
        period=0, files=(replace(
            remote_file(f"{name}.{ext}", FileUse.DOCUMENT, 9), pages=30
        ),),
    )  # fmt: skip
    marks = replace(
        book, id=PartId(f"{name}.bookmarks"), role=Role.BOOKMARKS, position=1,
        files=(remote_file(f"{name}.txt", FileUse.BOOKMARKS, 9),),
    )  # fmt: skip
    return Lesson(
        id=id_, source=SOURCE, kind=LessonKind.TEXTBOOK, title=name, place=place,
        parts=(book, marks), has_detail=True,
    )  # fmt: skip


def have(room: LibraryRoom, book: Lesson, marks: object = None) -> None:
    """Put a textbook on this PC, with its bookmarks if there are any."""
    room.catalogue.put_lessons(SOURCE, [book])
    room.catalogue.put_detail(book)
    held = {book.parts[0]: b"%PDF-1.4 " + book.id.encode()}
    if marks is not None:
        held[book.parts[1]] = marks if isinstance(marks, bytes) else json.dumps(marks).encode()
    for part, data in held.items():
        blob = Blob(
            digest=Digest(hashlib.sha256(data).hexdigest()), ext=f".{part.files[0].format}",
            size_bytes=len(data), trust=Trust.OBSERVED, decodes=Decodes.UNKNOWN,
        )  # fmt: skip
        room.holdings.keep(book, part.id, part.files[0].path, blob)
        path = room.blobs.path(blob.digest, blob.ext)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def mapping(book: str = "math", **pages: int) -> dict[str, object]:
    entries = [{"node_id": name, "page_number": page} for name, page in pages.items()]
    return {"ebook_id": book, "mappings": entries}


def pages(room: LibraryRoom) -> tuple[str, int, int] | None:
    found = room.library.detail_now(LessonId("fractions")).textbook
    return None if found is None else (str(found.part.id), found.first, found.last)


def test_a_lesson_opens_its_textbook_where_it_stands_b4(room: LibraryRoom) -> None:
    assert pages(room) is None
    have(room, textbook("t"), mapping(u5=3, u6=12, s1=14, other=20))
    assert pages(room) == ("t", 14, 19)
    assert room.library.detail_now(LessonId("poem")).textbook is None


def test_bookmarks_of_another_book_are_no_textbook_of_the_lesson_b4(room: LibraryRoom) -> None:
    have(room, textbook("old"), mapping("other-edition", s1=3))
    assert pages(room) is None
    have(room, textbook("there", YUWEN), mapping(s1=4))
    assert pages(room) is None
    have(room, textbook("right"), mapping(s1=5))
    assert pages(room) == ("right", 5, 30)
    have(room, textbook("a"), mapping("", s1=6))
    assert pages(room) == ("a", 6, 30), "whoever does not say whose chapters are meant"


@pytest.mark.parametrize("marks", [None, b"no bookmarks"])
def test_without_bookmarks_the_only_textbook_opens_at_its_beginning_b4(
    room: LibraryRoom, marks: bytes | None
) -> None:
    have(room, textbook("t"), marks)
    assert pages(room) == ("t", 1, 0)
    have(room, textbook("u"), marks)
    assert pages(room) is None, "nobody knows which of the two"


def test_a_textbook_lists_its_chapters_with_their_pages(room: LibraryRoom) -> None:
    have(room, textbook("t"), mapping(u6=12, s1=14, u5=3, other=25))
    found = room.library.detail_now(LessonId("t")).chapters
    assert [(one.title, one.depth, one.pages.first, one.pages.last) for one in found] == [
        ("五 面积", 0, 3, 11),
        ("六 认识分数", 0, 12, 24),
        ("分一分 （一）", 1, 14, 24),
    ]
    assert {one.pages.part.id for one in found} == {"t"}
    assert room.library.detail_now(LessonId("fractions")).chapters == ()


@pytest.mark.parametrize(("ext", "marks"), [("pdf", None), ("mp4", {"ebook_id": "math"})])
def test_without_pages_or_bookmarks_there_are_no_chapters(
    room: LibraryRoom, ext: str, marks: object
) -> None:
    have(room, textbook("t", ext=ext), marks)
    assert room.library.detail_now(LessonId("t")).chapters == ()


def test_only_pages_are_opened_and_a_lost_file_costs_the_page_only(room: LibraryRoom) -> None:
    have(room, textbook("film", ext="mp4"), mapping(s1=4))
    assert pages(room) is None
    have(room, textbook("t"), mapping(s1=4))
    marks = room.library.detail_now(LessonId("t")).parts[1]
    assert marks.path is not None
    marks.path.unlink()
    assert pages(room) == ("t", 1, 0)


def test_chapters_of_a_textbook_decide_no_light(room: LibraryRoom) -> None:
    have(room, textbook("t"))
    found = room.library.detail_now(LessonId("t"))
    assert found.light.value == "ready"
    assert [part.state.value for part in found.parts] == ["present", "absent"]
    assert found.textbook is None, "a textbook is no lesson of a book"


# --- in the classroom ----------------------------------------------------------------------


def detail(tmp_path: Path, *names: Role, first: int = 14) -> LessonDetail:
    from tests.classroom_kit import lesson

    book = view(Role.TEXTBOOK, tmp_path / "book.pdf", pages=30)
    parts = [view(role, tmp_path / f"{role.value}.pdf", pages=3) for role in names]
    return replace(lesson(*parts), textbook=TextbookPages(part=book, first=first, last=19))


def plan_of(found: LessonDetail) -> TrackPlan:
    return TrackPlan(class_id=ClassId("c3"), class_name="三年级", lesson=found)


def test_the_textbook_opens_at_the_page_of_the_lesson(tmp_path: Path) -> None:
    track = _track_of(plan_of(detail(tmp_path, Role.SLIDES)))
    assert track.documents == (Role.SLIDES, Role.TEXTBOOK)
    assert (track.page, track.opens_at) == (0, (0, 13))
    shown = press(opening((track,)), Press(key=Key.DOCUMENT, n=1.0)).state.track
    assert (shown.document, shown.page) == (1, 13)
    back = press(opening((shown,)), Press(key=Key.DOCUMENT, n=0.0)).state.track
    assert (back.document, back.page) == (0, 0)


def test_a_class_with_nothing_but_the_textbook_begins_in_it(tmp_path: Path) -> None:
    track = _track_of(plan_of(detail(tmp_path)))
    assert track.cues[0].kind is CueKind.TEXTBOOK
    (begun,) = opening((track,)).tracks
    assert (begun.showing.value, begun.document, begun.page) == ("pages", 0, 13)


def test_the_lessons_own_textbook_goes_before(tmp_path: Path) -> None:
    found = detail(tmp_path, Role.TEXTBOOK)
    track = _track_of(plan_of(found))
    assert (track.documents, track.page) == ((Role.TEXTBOOK,), 0)


def test_the_questions_of_a_chapter_are_a_step_each(tmp_path: Path) -> None:
    """As many as there are; each shows its own picture."""
    found = detail(tmp_path, Role.EXERCISE)
    one = found.parts[0]
    several = tuple(replace(one, id=PartId(f"q{n}"), title=f"第{n}题") for n in (1, 2, 3))
    lost = replace(one, id=PartId("q4"), path=None)
    row = replace(found.row, kind=LessonKind.QUESTIONS)
    track = _track_of(plan_of(replace(found, row=row, parts=(*several, lost), textbook=None)))
    assert track.documents == (Role.EXERCISE,) * 3
    assert [cue.title for cue in track.cues] == ["第1题", "第2题", "第3题", "cue.summary"]
    assert [document_for(replace(track, cue=n)) for n in range(4)] == [0, 1, 2, None]


def test_one_question_is_an_ordinary_sheet() -> None:
    single = replace(a_lesson(a_part(Role.EXERCISE)), kind=LessonKind.QUESTIONS)
    assert [cue.title for cue in default_cues(single)] == ["cue.exercise", "cue.summary"]
