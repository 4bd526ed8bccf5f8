"""The exercises of a book (Q1, Q2, S4) and the bookmarks of a textbook (L3).

sync.source.platform.questions, source, detail. The layout is that of PLATFORM §1.10.
"""

from dataclasses import replace
from typing import Any

import pytest

from client.domain.availability import Decodes
from client.domain.cancel import CancelToken
from client.domain.catalogue import Book, FileUse, Lesson, LessonKind, Placement, Role
from client.domain.clock import SystemClock
from client.domain.errors import ProtocolError, RefusedError
from client.domain.holding import is_protected, main_files
from client.domain.ids import BookId, ClassId, SourceId
from client.service.library import LibraryService
from client.service.sitting_port import TrackPlan
from client.store.blob_store import BlobStore
from client.store.catalogue_store import CatalogueStore
from client.store.holding_store import HoldingStore
from client.store.library import open_library
from sync.engine.catalogue_sync import read_details
from sync.engine.content import WrongContentError, kind_of, require_kind
from sync.engine.fetch import Fetcher, FetchPorts
from sync.engine.fetch_plan import Choice, plan_fetch
from sync.engine.pacing import Patience
from sync.source.addresses import AddressBook
from sync.source.platform.source import PlatformSource
from sync.source.port import DetailStatus, Found
from tests.fakes.peer import Reply
from tests.unit.sync.test_platform_documents import PACE, Memory, Peer, source
from tests.unit.sync.test_platform_records import READER, item, lesson

HOST = "https://s-file-1.ykt.cbern.com.cn"
PICTURES = "https://r1-ndr.ykt.cbern.com.cn/edu_product/esp/questions"
LESSONS = "/zxx/ndrs/national_lesson/teachingmaterials/b1/resources/parts.json"
INDEX = "/zxx/ndrs/questions/teachingmaterials/version/data_version.json"
PART = "/zxx/ndrs/questions/teachingmaterials/part_100.json"
LIST = "/zxx/ndrs/questions/teachingmaterials/b1/national_resources/part_100.json"
B1 = BookId("b1")


def question(name: str, way: tuple[str, ...] = ("u1", "s1"), **changes: Any) -> dict[str, Any]:
    picture = {"question_big": f"{PICTURES}/{name}/big.jpg"}
    return {
        "id": name,
        "global_title": {"zh-CN": f"题 {name}"},
        "resource_type_code": "questions",
        "resource_type_code_name": "习题",
        "chapter_ids": list(way),
        "custom_properties": {"preview": picture},
        "resource_custom_properties": {"res_sort": 0},
        **changes,
    }


def peer(*questions: dict[str, Any], books: tuple[str, ...] = ("b1",)) -> Peer:
    return Peer(
        **{
            LESSONS: [],
            INDEX: {"module": "questions", "urls": [HOST + PART]},
            PART: [{"id": name, "title": name} for name in books],
            LIST: list(questions),
        }
    )


def listed(platform: PlatformSource, memory: Memory) -> list[Lesson]:
    found = platform.lessons(B1, CancelToken())
    memory.take(found.seen)
    return list(found.records)


def whole(platform: PlatformSource, bare: Lesson) -> Lesson:
    found = platform.detail(bare, CancelToken())
    assert isinstance(found, Found)
    return found.value


def test_the_questions_of_a_chapter_are_one_entry() -> None:
    """Q1."""
    order = {"resource_custom_properties": {"res_sort": 9}}
    memory = Memory()
    platform = source(
        peer(question("q2", **order), question("q1"), question("q3", ("u2",)), {"id": ""}), memory
    )
    found = listed(platform, memory)
    assert [(one.id, one.title, one.kind, one.book, one.sections) for one in found] == [
        ("s1.questions", "习题", LessonKind.QUESTIONS, "b1", ("u1", "s1")),
        ("u2.questions", "习题", LessonKind.QUESTIONS, "b1", ("u2",)),
    ]
    assert not any(one.parts or one.has_detail for one in found), "lists hold no parts"
    first = whole(platform, found[0])
    assert [(part.id, part.title, part.role) for part in first.parts] == [
        ("q1", "题 q1", Role.EXERCISE),
        ("q2", "题 q2", Role.EXERCISE),
    ]
    assert first.periods == (("q1", "q2"),)


def test_a_question_without_chapter_hangs_on_the_book() -> None:
    """Q1."""
    bare = question("q1", (), resource_type_code_name="", global_title={}, title="一道题")
    memory = Memory()
    (found,) = listed(source(peer(bare), memory), memory)
    assert (found.id, found.title, found.sections) == ("b1.questions", "一道题", ())


@pytest.mark.parametrize(
    ("preview", "path"),
    [
        ({"question_big": f"{PICTURES}/b.jpg"}, "/edu_product/esp/questions/b.jpg"),
        ({"question_small": f"{PICTURES}/s.png"}, "/edu_product/esp/questions/s.png"),
        ({"question_big": "", "question_small": f"{PICTURES}/s.jpg"}, None),
        ({"question_big": "https://evil.example/b.jpg"}, ""),
        ({"question_big": 7}, ""),
        ({}, ""),
    ],
)
def test_only_the_public_picture_of_a_question_is_ever_asked_for(
    preview: dict[str, object], path: str | None
) -> None:
    """Q2."""
    packed = {"result": "cs_path:${ref-path}/edu_product/esp/questions/q1.zip", "md5": "a" * 32}
    properties = {"preview": preview, "sys_packing_result": packed}
    memory = Memory()
    platform = source(peer(question("q1", custom_properties=properties)), memory)
    (bare,) = listed(platform, memory)
    (part,) = whole(platform, bare).parts
    (file,) = part.files
    chosen = plan_fetch(whole(platform, bare), Choice(), ())
    assert all("zip" not in one.path for one in part.files)
    if path == "":
        assert is_protected(part)
        assert [one.reason for one in chosen.unavailable] == ["protected"]
        assert not chosen.items
        return
    assert file.path == (path or "/edu_product/esp/questions/s.jpg")
    assert (file.use, file.is_protected) == (FileUse.IMAGE, False)
    assert [one.file for one in chosen.items] == [file]
    assert file.urls[0].startswith("https://r1-ndr.ykt")


def test_a_platform_without_exercises_costs_one_question() -> None:
    """S4: and a book that is not in the list of books with exercises is not asked for."""
    none = Peer(**{LESSONS: []})
    platform = source(none, Memory())
    platform.lessons(B1, CancelToken())
    platform.lessons(B1, CancelToken())
    assert sum("questions" in path for path in none.asked) == 2, "two mirrors say 404, once"
    other = peer(question("q1"), books=("b2",))
    assert source(other, Memory()).lessons(B1, CancelToken()).records == ()
    assert not any(path.endswith(LIST) for path in other.asked)


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        (INDEX, Reply(status=403)),
        (INDEX, {"urls": 7}),
        (PART, Reply(status=403)),
        (LIST, Reply(status=403)),
        (LIST, Reply(status=404)),
    ],
)
def test_exercises_are_as_they_were_while_their_list_cannot_be_had(
    path: str, answer: object
) -> None:
    """S4."""
    memory = Memory()
    room = peer(question("q1"))
    assert len(listed(source(room, memory), memory)) == 1
    assert source(room, memory).lessons(B1, CancelToken()).kept == ("s1.questions",)
    room.answers[path] = answer
    again = Memory(*(seen for name, seen in memory.seen.items() if name == LIST))
    platform = source(room, again)
    for _ in range(4):
        assert platform.lessons(B1, CancelToken()).kept == ("s1.questions",)


def test_a_platform_that_refuses_everything_is_told() -> None:
    """S4, D4."""
    room = peer(question("q1"))
    platform = source(room, Memory())
    room.answers[LESSONS] = Reply(status=403)
    for _ in range(3):
        with pytest.raises(RefusedError):
            platform.lessons(B1, CancelToken())
    room.answers[LESSONS] = []
    with pytest.raises(RefusedError, match="platform_refuses"):
        platform._questions(B1, CancelToken())


def test_exercises_are_gone_when_their_own_list_says_so() -> None:
    """Q1: the second look is a request of its own."""
    memory = Memory()
    room = peer(question("q1"), question("q2", ("u2",)))
    first, second = listed(source(room, memory), memory)
    room.answers[LIST] = [question("q1")]
    platform = source(room, memory)
    assert not platform.is_gone(first, CancelToken())
    assert platform.is_gone(second, CancelToken())
    assert platform.detail(second, CancelToken()) is DetailStatus.GONE
    room.answers[LIST] = Reply(status=404)
    assert source(room, memory).is_gone(first, CancelToken())
    room.answers[LIST] = Reply(status=403)
    with pytest.raises(RefusedError):
        source(room, memory).is_gone(first, CancelToken())
    room.answers[LIST] = {}
    with pytest.raises(ProtocolError):
        source(room, memory).is_gone(first, CancelToken())


def test_a_list_that_was_cut_short_takes_nothing_away() -> None:
    """S4: the same source that read it asks again before anything counts as gone."""
    memory = Memory()
    room = peer(question("q1"), question("q2", ("u2",)))
    whole_list = room.answers[LIST]
    _, second = listed(source(room, memory), memory)
    room.answers[LIST] = whole_list[:1]
    platform = source(room, memory)
    assert [one.id for one in platform.lessons(B1, CancelToken()).records] == ["s1.questions"]
    room.answers[LIST] = whole_list
    assert not platform.is_gone(second, CancelToken())


# --- bookmarks -----------------------------------------------------------------------------


def test_the_bookmarks_of_a_textbook_are_a_part_of_their_own() -> None:
    """L3."""
    record = {
        "id": "l1",
        "resource_type_code": "assets_document",
        "title": "数学三年级下册",
        "ti_items": [
            item("/edu_product/a/ebook_mapping.txt", ti_file_flag="ebook_mapping"),
            item("/edu_product/a/book.pdf", ti_file_flag="source"),
        ],
    }
    read, lost = READER.read(lesson(LessonKind.TEXTBOOK), record, "/p")
    book, marks = read.parts
    assert (lost, read.periods) == (0, (("l1", "l1.bookmarks"),))
    assert (book.role, main_files(book)) == (Role.TEXTBOOK, ("/edu_product/a/book.pdf",))
    assert (marks.role, main_files(marks)) == (
        Role.BOOKMARKS,
        ("/edu_product/a/ebook_mapping.txt",),
    )
    assert [one.part.role for one in plan_fetch(read, Choice(), ()).items] == [
        Role.TEXTBOOK,
        Role.BOOKMARKS,
    ]
    (file,) = marks.files
    assert kind_of(file) == "marks"
    require_kind(file, b'{"ebook_id"')
    for page in (b"<html>", b"", b"[1]"):
        with pytest.raises(WrongContentError):
            require_kind(file, page)
    other = {**record, "resource_type_code": "assets_audio"}
    (sound,) = READER.read(replace(lesson(LessonKind.TEXTBOOK)), other, "/p")[0].parts
    assert sound.role is Role.AUDIO


# --- from the list to the screen ---------------------------------------------------------------

JPEG = b"\xff\xd8\xff\xe0 a picture"


def test_exercises_come_from_the_list_to_the_screen(tmp_path) -> None:
    """Q1, Q2: a picture without sum or size is checked by its kind; a login page is none."""
    base = "http://peer"
    room = peer(question("q1"), question("q2"), question("q3", custom_properties={}))
    room.answers["/edu_product/esp/questions/q1/big.jpg"] = Reply(body=JPEG)
    room.answers["/edu_product/esp/questions/q2/big.jpg"] = Reply(body=b"<html>login</html>")
    db = open_library(tmp_path / "library.db")
    holdings = HoldingStore(db, BlobStore(tmp_path / "blobs", floor_bytes=0), tmp_path / "lessons")
    store = CatalogueStore(db)
    memory = store.memory(SourceId("platform"))
    platform = PlatformSource(room.transport, AddressBook(base), memory, pace=PACE)
    store.put_books(
        SourceId("platform"),
        [Book(id=B1, source=SourceId("platform"), title="b1", place=Placement())],
    )
    found = platform.lessons(B1, CancelToken())
    store.put_lessons(SourceId("platform"), found.records, found.seen)
    read_details(platform, store, [found.records[0].id])
    exercises = store.lesson(found.records[0].id)
    assert exercises is not None
    fetcher = Fetcher(
        FetchPorts(
            transport=room.transport,
            addresses=AddressBook(base),
            holdings=holdings,
            clock=SystemClock(),
            probe=lambda _path: Decodes.YES,
        ),
        patience=Patience(tries=2, first_s=0.0, most_s=0.0),
    )
    try:
        report = fetcher.fetch(exercises, Choice(), CancelToken())
        states = {part.id: (part.status.value, part.reason) for part in report.parts}
        assert states["q1"] == ("present", "")
        assert states["q2"][0] == "failed"
        assert states["q3"] == ("unavailable", "protected")
        detail = LibraryService(db, holdings).detail_now(exercises.id)
        assert [part.state.value for part in detail.parts] == ["present", "failed", "protected"]
        track = TrackPlan(class_id=ClassId("c3"), class_name="", lesson=detail)
        assert [part.id for part in track.documents] == ["q1"]
    finally:
        fetcher.close()
        db.close()
