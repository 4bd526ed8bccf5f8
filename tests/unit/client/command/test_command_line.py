"""The command line: reading, running, writing (client.service.command)."""

import io
import json
import re
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from client.domain.availability import LessonState, Light, PartState, Trust
from client.domain.catalogue import Book, LessonKind, Placement, Role
from client.domain.errors import (
    Cancelled,
    ClassroomError,
    ProtocolError,
    ResourceError,
    UsageError,
    UserError,
)
from client.domain.ids import BookId, ClassId, Digest, LessonId, PartId, SourceId
from client.domain.record.dates import NEVER
from client.domain.timetable import ClassGroup, Slot, SlotKey
from client.service.api import (
    FactRow,
    LessonDetail,
    LessonRow,
    PartView,
    Reason,
    RenditionView,
    SearchPage,
    TransferRow,
    TransferState,
)
from client.service.command.documents import Listing, Outcome, document
from client.service.command.lines import lines
from client.service.command.parse import Invocation, parse
from client.service.command.run import Handlers, run
from client.service.command.table import COMMANDS, Command, Value
from client.service.text import Words
from client.service.version import VERSION

WORDS = Words("en")


def sample(command: Command) -> list[str]:
    """A command line that gives every argument of a command."""
    given = command.name.split()
    for argument in command.arguments:
        text = {
            Value.NUMBER: "3",
            Value.SECONDS: "1.5",
            Value.ITEMS: "a, b，c",
            Value.FLAG: "",
        }.get(argument.value, "x")
        text = argument.choices[0] if argument.choices else text
        if argument.value is Value.FLAG:
            given.append(argument.flag)
        elif argument.flag.startswith("--"):
            given += [argument.flag, text]
        else:
            given.append(text)
    return given


def call(argv: list[str], handlers: Handlers) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    code = run(argv, handlers, language="en", out=out, err=err)
    return code, out.getvalue(), err.getvalue()


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_is_read_with_all_its_arguments(command: Command) -> None:
    """K1"""
    argv = sample(command)
    invocation = parse(argv, WORDS)
    assert invocation.command == command.name
    for argument in command.arguments:
        assert invocation.has(argument.name)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_explains_itself_in_both_languages(command: Command) -> None:
    for language in ("zh_CN", "en"):
        words = Words(language)
        text = parse([*command.name.split(), "--help"], words).help
        assert words(command.key) in text
        assert all(
            argument.flag in text or argument.name.upper() in text or argument.choices
            for argument in command.arguments
        )
        assert "cli." not in text


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_a_command_without_handler_says_that_it_comes_later(command: Command) -> None:
    """R3"""
    code, out, err = call([*sample(command), "--json"], {})
    assert code == 2
    assert json.loads(out)["error"]["code"] == "not_in_this_version"
    assert err == ""


def test_help_marks_what_this_version_cannot_do() -> None:
    later = WORDS("cli.not_in_this_version")
    assert later in parse(["sync", "now", "--help"], WORDS, {"demo"}).help
    assert later not in parse(["demo", "--help"], WORDS, {"demo"}).help


def test_without_a_command_the_app_is_meant() -> None:
    assert parse([], WORDS).command == ""
    invocation = parse(["--profile", "p", "--demo"], WORDS)
    assert (invocation.command, invocation.profile) == ("", Path("p"))
    assert invocation.flag("demo")
    assert parse(["--screenshots", "s"], WORDS).path("screenshots") == Path("s")


@pytest.mark.parametrize("before", [True, False])
def test_global_options_stand_before_or_after(before: bool) -> None:
    """K2"""
    common = ["--profile", "/p", "--lang", "en", "--json"]
    words = ["catalogue", "search", "x"]
    invocation = parse([*common, *words] if before else [*words, *common], WORDS)
    assert invocation.profile == Path("/p")
    assert invocation.language == "en"
    assert invocation.is_json


def test_values_have_their_types() -> None:
    invocation = parse(["lesson", "fetch", "L1", "--parts", "video, slides，task"], WORDS)
    assert invocation.text("id") == "L1"
    assert invocation.items("parts") == ("video", "slides", "task")
    assert invocation.text("rendition", "360p") == "360p"
    assert invocation.items("rendition") == ()
    assert parse(["catalogue", "search", "x"], WORDS).number("limit") == 50
    assert parse(["play", "x", "--seconds", "2"], WORDS).seconds("seconds") == 2.0
    assert parse(["play", "x"], WORDS).seconds("seconds") is None
    assert parse(["print", "x", "--what", "task"], WORDS).path("pdf") is None
    assert parse(["demo", "--report", "d"], WORDS).needed_path("report") == Path("d")
    with pytest.raises(UsageError):
        parse(["demo", "--report", "d"], WORDS).needed_path("absent")


@pytest.mark.parametrize(
    ("argv", "named"),
    [
        (["nonsense"], "nonsense"),
        (["room", "set"], "--school"),
        (["room"], ""),
        (["class", "add", "x", "--grade", "-3"], "--grade"),
        (["play", "x", "--seconds", "inf"], "inf"),
        (["print", "x", "--what", "poem"], "poem"),
        (["lesson", "list", "--nonsense"], "--nonsense"),
        (["catalogue", "search", "x", "--limit"], "--limit"),
    ],
)
def test_what_is_not_understood_is_named(argv: list[str], named: str) -> None:
    """K1"""
    for language in ("zh_CN", "en"):
        with pytest.raises(UsageError) as caught:
            parse(argv, Words(language))
        assert named in str(caught.value.values["detail"])
        assert caught.value.exit_code == 2


@settings(max_examples=40, deadline=None)
@given(argv=st.lists(st.text(max_size=8) | st.sampled_from(["--json", "lesson", "fetch", "-h"])))
def test_any_command_line_is_read_or_refused(argv: list[str]) -> None:
    """K1 R1"""
    code, out, _ = call(["--json", *argv], {})
    assert code in (0, 2)
    assert isinstance(json.loads(out), dict)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("usage"), 2),
        (UserError("x"), 3),
        (ResourceError("x"), 4),
        (ProtocolError("x"), 5),
        (Cancelled(), 130),
        (KeyboardInterrupt(), 130),
    ],
)
def test_the_exit_code_follows_from_the_error(error: BaseException, code: int) -> None:
    """R1 R2"""

    def fail(invocation: Invocation) -> object:
        raise error

    handlers: Handlers = {"lesson list": fail}
    assert call(["lesson", "list"], handlers)[0] == code
    got, out, err = call(["lesson", "list", "--json"], handlers)
    told = json.loads(out)["error"]
    assert got == code
    assert err == ""
    assert set(told) == {"kind", "code", "message", "hint"}
    assert told["kind"] in {"user", "resource", "protocol", "cancelled"}


def test_people_read_what_happened_and_what_to_do() -> None:
    code, out, err = call(["nonsense"], {})
    assert (code, out) == (2, "")
    assert "nonsense" in err
    assert "--help" in err


def test_the_language_asked_for_counts_for_errors_too() -> None:
    for argv in (["--lang", "zh_CN", "nonsense"], ["nonsense", "--lang=zh_CN"]):
        assert Words("zh_CN")("hint.usage") in call(argv, {})[2]


def test_help_is_printed_and_is_one_document_with_json() -> None:
    assert "lesson" in call(["--help"], {})[1]
    assert "help" in json.loads(call(["lesson", "--help", "--json"], {})[1])


def test_the_version_is_told() -> None:
    assert json.loads(call(["--version", "--json"], {})[1]) == {"version": VERSION}
    assert VERSION in call(["--version"], {})[1]


def test_a_handler_may_answer_with_an_exit_code() -> None:
    handlers: Handlers = {"doctor": lambda _: Outcome(value={"checks": []}, exit_code=4)}
    code, out, _ = call(["doctor", "--json"], handlers)
    assert (code, json.loads(out)) == (4, {"checks": []})


def test_a_console_of_another_code_page_takes_chinese(tmp_path: Path) -> None:
    with (tmp_path / "out").open("w", encoding="ascii") as out:
        run(["--help"], {}, language="zh_CN", out=out)
    assert Words("zh_CN")("cli.app")[:4] in (tmp_path / "out").read_text(encoding="utf-8")


def test_nothing_to_say_is_an_empty_document() -> None:
    """R1"""
    handlers: Handlers = {"": lambda _: None}
    assert call(["--json"], handlers) == (0, "{}\n", "")
    assert call([], handlers) == (0, "", "")


# --- documents -----------------------------------------------------------------------------

PLACE = Placement(stage="小学", grade="三年级", subject="数学", edition="北师大版", volume="下册")
ROW = LessonRow(
    id=LessonId("L1"),
    title="分数的初步认识",
    kind=LessonKind.NATIONAL,
    place=PLACE,
    unit="第六单元",
    provider="某校",
    state=LessonState.PARTIAL,
)
PART = PartView(
    id=PartId("P1"),
    role=Role.VIDEO,
    title="视频",
    label="",
    format="m3u8",
    size_bytes=5,
    duration_s=1.0,
    pages=0,
    period=0,
    state=PartState.PRESENT,
    digest=Digest("ab"),
    trust=Trust.OBSERVED,
    path=Path("/x"),
    reason=Reason(code="why"),
    renditions=(
        RenditionView(
            name="360p", height=360, size_bytes=5, is_protected=False, state=PartState.ABSENT
        ),
    ),
)
DETAIL = LessonDetail(row=ROW, light=Light.PARTIAL, book=None, sections=("a",), parts=(PART,))

SHAPES = {
    "catalogue search": SearchPage(query="fs", rows=(ROW,), total=1, elapsed_ms=1.23456),
    "catalogue show": DETAIL,
    "lesson list": Listing(name="lessons", rows=(), more={"total": 0}),
    "record list": Listing(
        name="facts",
        rows=(
            FactRow(
                id="e",
                kind="note",
                class_id=ClassId("c3"),
                lesson=None,
                when=NEVER,
                value="v",
            ),
        ),
    ),
}
KEYS = {
    "catalogue search": {
        "query elapsed_ms total results": None,
        "results": "id title stage grade subject edition volume unit kind availability",
    },
    "catalogue show": {
        "id title kind provider availability parts": None,
        "parts": "id role title format size_bytes digest trust availability reason renditions",
    },
    "lesson list": {"lessons": None},
    "record list": {"facts": "id kind class lesson at at_quality when value"},
}


@pytest.mark.parametrize("name", SHAPES)
def test_documents_have_the_promised_keys(name: str) -> None:
    """J1"""
    written = json.loads(json.dumps(document(SHAPES[name]), ensure_ascii=False))
    for keys, below in KEYS[name].items():
        if below is None:
            assert set(keys.split()) <= set(written)
        else:
            assert all(set(below.split()) <= set(row) for row in written[keys])


def test_renditions_have_the_promised_keys() -> None:
    """J1"""
    written = json.loads(json.dumps(document(DETAIL)))
    assert set(written["parts"][0]["renditions"][0]) == {
        "name",
        "height",
        "size_bytes",
        "protected",
        "availability",
    }
    assert written["parts"][0]["reason"] == "why"


class Colour(Enum):
    RED = "red"


@dataclass(frozen=True)
class Odd:
    """A value no rule knows."""

    colour: Colour = Colour.RED
    where: Path = Path("/x")
    many: frozenset[int] = frozenset({1})
    table: tuple[tuple[str, int], ...] = (("a", 1),)


def test_unknown_values_are_written_by_their_fields() -> None:
    """J2"""
    assert document({Colour.RED: Odd()}) == {
        "red": {"colour": "red", "where": "/x", "many": [1], "table": [["a", 1]]}
    }
    assert document(b"x") == "b'x'"
    assert document(Odd) == str(Odd)


def test_rows_of_the_room_are_written() -> None:
    """J2"""
    place = SlotKey(day=1, period=2, class_id=ClassId("c3"))
    rows = (
        ClassGroup(id=ClassId("c3"), name="三年级", grade=3),
        Slot(key=place, subject="数学"),
        Book(id=BookId("b"), source=SourceId("platform"), title="t", place=PLACE),
        TransferRow(
            lesson=LessonId("L"),
            title="t",
            subject="s",
            state=TransferState.DONE,
            bytes_needed=1,
            bytes_done=1,
        ),
        Reason(code="c"),
    )
    group, slot, book, transfer, reason = (document(row) for row in rows)
    assert (group, reason) == (
        {"id": "c3", "name": "三年级", "grade": 3, "headcount": 0},
        "c",
    )
    assert isinstance(slot, dict) and slot["class"] == "c3" and slot["day"] == 1
    assert isinstance(book, dict) and book["edition"] == "北师大版"
    assert isinstance(transfer, dict) and transfer["state"] == "done"


# --- lines ---------------------------------------------------------------------------------


def test_tables_line_up_although_chinese_is_wide() -> None:
    rows = [{"id": "a", "title": "分数", "x": None}, {"id": "bb", "title": "abc", "x": 1.50}]
    text = list(lines({"lessons": rows, "seconds": 2.0}, WORDS))
    assert text == ["seconds  2", "id  title  x", "a   分数   -", "bb  abc    1.5"]


def test_names_of_this_program_are_said_in_words() -> None:
    (_, row) = lines([{"availability": "ready", "title": "ready"}], WORDS)
    assert row.split() == [WORDS("cli.value.ready"), "ready"]
    assert list(lines({"mode": "never heard"}, WORDS)) == ["mode  never heard"]


def test_long_cells_are_shortened_and_empty_tables_say_so() -> None:
    (_, row) = list(lines([{"title": "字" * 50}], WORDS))
    assert re.fullmatch("字{19}…", row)
    assert list(lines({"rows": []}, WORDS)) == [WORDS("cli.nothing")]


def test_plain_answers_are_one_line() -> None:
    assert list(lines("done", WORDS)) == ["done"]
    assert list(lines({"a": ["x", 1], "b": {"c": True}}, WORDS)) == ["a  x, 1", "b  c=True"]


def test_errors_without_hint_print_one_line() -> None:
    def fail(invocation: Invocation) -> object:
        raise ClassroomError("cancelled")

    assert len(call(["lesson", "list"], {"lesson list": fail})[2].splitlines()) == 1
