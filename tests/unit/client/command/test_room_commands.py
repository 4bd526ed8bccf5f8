"""Commands of the room, read as typed and run on a real profile (room_commands, school)."""

from pathlib import Path

import pytest

from client.domain.availability import Decodes, LessonState
from client.domain.cancel import CancelToken
from client.domain.catalogue import Book, Placement
from client.domain.clock import FrozenClock
from client.domain.errors import UserError
from client.domain.ids import BookId, ClassId, LessonId
from client.domain.timetable_paste import Trouble
from client.service.command.parse import parse
from client.service.command.room_commands import COMMANDS
from client.service.command.table import COMMANDS as TABLE
from client.service.paths import Profile
from client.service.print_desk import PrintDesk, sheet_name
from client.service.school import grade_name, grade_number
from client.service.station import Station
from client.service.text import Words
from client.store.catalogue_read import SourceRow
from sync.engine.folder_import import import_folder
from tests.classroom_kit import make_pdf

WORDS = Words("en")
FILM = b"\0\0\0\x18ftypmp42" + b"x" * 100


class Room:
    """A profile with one lesson in one book, and its command line."""

    def __init__(self, folder: Path) -> None:
        lesson = folder / "disk" / "三年级" / "数学" / "第一单元" / "分一分"
        lesson.mkdir(parents=True)
        (lesson / "film.mp4").write_bytes(FILM)
        make_pdf(lesson / "任务单.pdf", 2)
        self.station = Station(Profile(folder / "profile"), FrozenClock())
        report = import_folder(self.station, folder / "disk", lambda _: Decodes.YES, CancelToken())
        (self.lesson,) = report.lessons
        (book,) = self.station.library.books_now()
        self.book = book.id

    def tell(self, *words: str):
        call = parse(list(words), WORDS)
        return COMMANDS[call.command](self.station, call)

    def rows(self, *words: str):
        return list(self.tell(*words).rows)


@pytest.fixture
def room(tmp_path, qapp):
    made = Room(tmp_path)
    yield made
    made.station.close()


def test_every_command_of_the_room_is_one_of_the_table():
    assert set(COMMANDS) <= {command.name for command in TABLE}


def test_a_room_its_classes_its_books(room):
    assert room.tell("room", "set", "--school", "S", "--room", "R") == {"school": "S", "room": "R"}
    made = room.tell("class", "add", "三年级", "--grade", "3")
    assert room.rows("class", "list") == [made]
    assert room.rows("book", "list", "--chosen") == []
    (book,) = room.rows("book", "choose", room.book)
    assert [one.id for one in room.rows("book", "list", "--chosen")] == [book.id]
    assert room.rows("book", "list") == [book]
    assert [one.kind for one in room.rows("source", "list")] == ["folder"]


def test_books_are_chosen_all_or_none(room):
    room.tell("class", "add", "三年级", "--grade", "3")
    with pytest.raises(UserError, match="book_unknown"):
        room.tell("book", "choose", f"{room.book},nothing")
    assert room.rows("book", "list", "--chosen") == []


def test_a_book_goes_to_the_classes_of_its_grade(room):
    room.tell("class", "add", "五年级", "--grade", "5")
    with pytest.raises(UserError, match="no_class_for_book"):
        room.tell("book", "choose", room.book)
    nameless = Book(id=BookId("b0"), source="s", title="T", place=Placement(subject="数学"))
    room.station.catalogue.put_books("s", [nameless])
    assert room.rows("book", "choose", "b0") == [nameless]
    room.tell("class", "add", "三年级", "--grade", "3")
    with pytest.raises(UserError, match="no_class_for_book"):
        room.tell("book", "choose", "b0")


def test_a_slot_is_set_with_and_without_a_lesson(room):
    room.tell("class", "add", "三年级", "--grade", "3")
    slot = room.tell("timetable", "set", "三年级", "2", "1", "数学", "--lesson", room.lesson)
    assert slot.lesson == room.lesson
    free = room.tell("timetable", "set", "三年级", "2", "2", "数学")
    assert room.rows("timetable", "list") == [slot, free]
    for wrong in (("0", "1"), ("8", "1"), ("1", "0"), ("1", "21")):
        with pytest.raises(UserError, match="slot_unreadable"):
            room.tell("timetable", "set", "三年级", *wrong, "数学")
    with pytest.raises(UserError, match="lesson_unknown"):
        room.tell("timetable", "set", "三年级", "1", "1", "数学", "--lesson", "nothing")


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16"])
def test_a_table_from_a_file_is_taken_as_far_as_it_is_understood(room, tmp_path, encoding):
    room.tell("class", "add", "三年级", "--grade", "3")
    file = tmp_path / "课程表.csv"
    file.write_bytes("节次,周一,周二\n第1节,语文,数学\n第2节,呼啦圈,英语\n".encode(encoding))
    pasted = room.tell("timetable", "paste", str(file))
    assert [(s.key.day, s.key.period, s.subject) for s in pasted.rows] == [
        (1, 1, "语文"),
        (2, 1, "数学"),
        (2, 2, "英语"),
    ]
    (problem,) = pasted.more["problems"]
    assert (problem.trouble, problem.text) == (Trouble.SUBJECT_UNKNOWN, "呼啦圈")
    assert room.rows("timetable", "list") == list(pasted.rows)


def test_a_file_without_a_table_changes_nothing(room, tmp_path):
    room.tell("class", "add", "三年级", "--grade", "3")
    with pytest.raises(UserError, match="file_unreadable"):
        room.tell("timetable", "paste", str(tmp_path))
    (tmp_path / "noise").write_bytes(b"\xff\x00\x81" * 99)
    with pytest.raises(UserError, match="timetable_not_found"):
        room.tell("timetable", "paste", str(tmp_path / "noise"))
    assert room.rows("timetable", "list") == []


def test_lessons_are_found_shown_listed_and_dropped(room):
    assert [row.id for row in room.tell("catalogue", "search", "fyf").rows] == [room.lesson]
    assert room.tell("catalogue", "show", room.lesson).row.title == "分一分"
    (kept,) = room.rows("lesson", "list")
    assert (kept["id"], kept["availability"]) == (room.lesson, LessonState.READY)
    dropped = room.tell("lesson", "drop", room.lesson)
    assert dropped["freed_bytes"] == kept["size_bytes"] > 0
    assert room.rows("lesson", "list") == []


def test_records_are_added_and_listed_by_class_and_time(room):
    first = room.tell("class", "add", "三年级", "--grade", "3")
    room.tell("class", "add", "五年级", "--grade", "5")
    told = room.tell("record", "add", "headcount", "--class", "三年级", "--value", "13")
    room.tell(
        "record", "add", "note", "--class", "五年级", "--value", "hm", "--lesson", room.lesson
    )
    assert [fact.kind for fact in room.rows("record", "list")] == ["headcount", "note"]
    (fact,) = room.rows("record", "list", "--class", first.name)
    assert told["id"] == fact.id
    assert room.rows("record", "list", "--since", "2999-01-01") == []


def test_sheets_are_printed_where_asked_or_here(room, tmp_path, monkeypatch):
    made = room.tell("print", room.lesson, "--what", "task", "--pdf", str(tmp_path / "o.pdf"))
    assert made["path"].read_bytes().startswith(b"%PDF")
    assert made["size_bytes"] == made["path"].stat().st_size
    monkeypatch.chdir(tmp_path)
    made = room.tell("print", room.lesson, "--what", "steps")
    assert made["path"].name == f"{room.lesson}-steps.pdf"


def test_the_print_desk_makes_sheets_for_all_pupils(room, tmp_path):
    station = room.station
    group = station.room.add_class("三年级", 3, 13).result()
    desk = station.print_desk
    assert isinstance(desk, PrintDesk)
    out = tmp_path / "new" / "folder"
    whole = desk.make(room.lesson, "task", out, WORDS, group).result(30)
    one = desk.make(room.lesson, "task", out / "one", WORDS, None).result(30)
    assert whole.parent == out
    assert pages(whole) > pages(one)
    nobody = desk.make(room.lesson, "steps", out, WORDS, ClassId("gone")).result(30)
    assert pages(nobody) == 1
    with pytest.raises(UserError, match="lesson_unknown"):
        desk.make(LessonId("gone"), "task", out, WORDS, None).result(30)


def pages(pdf: Path) -> int:
    data = pdf.read_bytes()
    return data.count(b"/Type /Page\n") or data.count(b"/Type /Page ")


def test_a_sheet_stays_in_its_folder_whatever_the_lesson_is_called(tmp_path):
    """PD1 of print_desk"""
    for name in ("../../x", "/etc/x", "a\nb", "x" * 300, ""):
        path = tmp_path / sheet_name(LessonId(name), "task")
        assert path.parent == tmp_path
        assert path.resolve().parent == tmp_path.resolve()
        assert len(path.name) < 200


def test_grades_have_numbers_and_names():
    assert [grade_number(grade_name(n)) for n in range(1, 13)] == list(range(1, 13))
    assert grade_number("高一") == grade_number("高一年级") == 10
    assert (grade_number("x"), grade_name(0), grade_name(13)) == (0, "", "")


def test_a_source_is_found_by_name_or_kind(room):
    station = room.station
    (row,) = station.sources()
    assert station.source(row.id, "folder") == row
    assert station.source(None, "folder") == row
    with pytest.raises(UserError, match="source_unknown"):
        station.source("nothing", "folder")
    with pytest.raises(UserError, match="no_source"):
        station.source(None, "platform")
    station.add_source(SourceRow(id="other", kind="platform", address="http://x", pace_s=1.5))
    assert station.source(None, "platform").pace_s == 1.5
