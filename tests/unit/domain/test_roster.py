"""RO1 to RO4 of roster: lists of names as schools keep them, and what becomes of a class."""

from collections import Counter
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.domain.errors import UserError
from client.domain.ids import ClassId
from client.domain.roster import (
    LONGEST_NAME,
    MOST_PUPILS,
    Mark,
    MarkKind,
    NameList,
    Pupil,
    PupilId,
    added,
    checked_mark,
    clean_name,
    decode_list,
    in_order,
    moved,
    parse_names,
    relisted,
    renamed,
    reordered,
)
from client.service.roster import list_words

WORDS = list_words()


def names(text: str) -> tuple[tuple[int, str], ...]:
    return parse_names(text, WORDS).rows


def trouble(text: str) -> str:
    with pytest.raises(UserError) as caught:
        parse_names(text, WORDS)
    return caught.value.code


def ids():
    numbers = count(1)
    return lambda: PupilId(f"p{next(numbers)}")


def class_of(*texts: str) -> tuple[Pupil, ...]:
    rows = tuple(enumerate(texts, 1))
    return relisted((), NameList(rows=rows), ids())


# --- reading -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "张三\n李四\n",
        "\ufeff张三\r\n\r\n 李四 \r",
        "1\t张三\n2\t李四",
        "2\t李四\n1\t张三",
        "1,张三\n2,李四",
        "1 张三\n2 李四",
        "1. 张三\n2、李四",
        "1\t张　三\n2\t李 四",
        "三年级一班名单\n学号,姓名,性别\n1,张三,男\n2,李四,女",
        "性别,姓名\n男,张三\n女,李四\n男,",
        "No.,Name\n2,李四\n1,张三",
        '姓名\n"张三"\n李四\n\n',
        ",1,张三\n,2,李四",
        "20230101,张三\n20230102,李四",
    ],
)
def test_a_list_is_read_in_the_forms_schools_keep_it(text: str) -> None:
    """RO1"""
    assert names(text) == ((1, "张三"), (2, "李四"))


def test_numbers_of_a_class_stay_and_gaps_with_them() -> None:
    assert names("1\t张三\n4\t李四") == ((1, "张三"), (4, "李四"))
    assert names("1\t张三\n1\t李四") == ((1, "张三"), (2, "李四"))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "roster_empty"),
        (" \n,,\n", "roster_empty"),
        (" \n\t\n,,\n", "roster_columns"),
        ("1\n2\n3", "roster_columns"),
        ("张三\n???\n", "roster_columns"),
        ("姓名\n", "roster_empty"),
        ("\n".join(f"甲{n}" for n in range(MOST_PUPILS + 1)), "roster_too_many"),
        ("\n".join(f"甲{n}" for n in range(2000)), "roster_too_many"),
        ("甲" * (1 << 20) + "甲", "roster_too_many"),
        ("张三,男,2013\n李四,女,2014", "roster_columns"),
        ("张三,男\n李四,女", "roster_columns"),
        (f"{'9' * 30},张三", "roster_columns"),
        ("张三\n" + "甲" * (LONGEST_NAME + 1), "roster_name_long"),
        ("甲" * 200_000, "roster_unreadable"),
    ],
)
def test_a_list_that_cannot_be_taken_says_why(text: str, code: str) -> None:
    """RO1"""
    assert trouble(text) == code


def test_the_largest_class_fits() -> None:
    assert len(names("\n".join(f"甲{n}" for n in range(MOST_PUPILS)))) == MOST_PUPILS


@given(
    st.text(alphabet=st.sampled_from('张三李四甲 \t,"\n\r1239.、\0\ufeffab姓名\ud800'), max_size=60)
)
def test_text_of_any_shape_is_taken_whole_or_refused(text: str) -> None:
    """RO1 RO2: and no error repeats what stood in the list."""
    try:
        rows = names(text)
    except UserError as error:
        assert not any(isinstance(value, str) for value in error.values.values())
        return
    assert rows
    assert [position for position, _ in rows] == sorted({position for position, _ in rows})
    assert all(name == clean_name(name) and name for _, name in rows)
    "".join(name for _, name in rows).encode()


def test_equal_names_are_two_pupils_and_told() -> None:
    """RO4"""
    listed = parse_names("王芳\n李四\n王芳", WORDS)
    assert len(listed.rows) == 3
    assert listed.duplicates == ((1, 3),)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_files_are_read_in_the_encodings_of_schools(encoding: str) -> None:
    assert decode_list("1,张㐂\n".encode(encoding)) == "1,张㐂\n"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"PK\x03\x04rest", "roster_spreadsheet"),
        (b"\xd0\xcf\x11\xe0rest", "roster_spreadsheet"),
        (b"\xff\xff\xff", "roster_unreadable"),
        (b"\xff\xfea", "roster_unreadable"),
        (b"a\0b", "roster_unreadable"),
    ],
)
def test_other_files_are_told(data: bytes, code: str) -> None:
    with pytest.raises(UserError) as caught:
        decode_list(data)
    assert caught.value.code == code


def test_names_of_all_peoples_stay_as_they_are() -> None:
    for name in ("阿依古丽·买买提", "བསྟན་འཛིན།", "ᠪᠠᠲᠤ᠋", "Anna Maria", "ئايگۈل ئەلى"):
        assert clean_name(f"\t{name} ") == name
    assert clean_name("欧阳\u3000 娜娜") == "欧阳娜娜"
    assert clean_name("Li 四") == "Li 四"
    assert clean_name("\u200b\x07") == ""


# --- a class -----------------------------------------------------------------------------

SHORT = st.lists(st.sampled_from("甲乙丙丁"), max_size=6)


@given(st.lists(SHORT, min_size=1, max_size=5))
def test_nobody_is_lost_through_new_lists(lists: list[list[str]]) -> None:
    """RO3"""
    pupils: tuple[Pupil, ...] = ()
    new_id = ids()
    for listed in lists:
        before = pupils
        pupils = relisted(before, NameList(rows=tuple(enumerate(listed, 1))), new_id)
        here = [pupil for pupil in pupils if pupil.is_present]
        assert [pupil.name for pupil in here] == listed
        assert {one.id: one.name for one in before}.items() <= {
            one.id: one.name for one in pupils
        }.items()
        most = Counter(one.name for one in before) | Counter(listed)
        assert Counter(one.name for one in pupils) == most
        assert pupils == in_order(pupils)


def test_a_pupil_keeps_the_id_through_a_new_list() -> None:
    """RO3"""
    first = class_of("张三", "李四")
    again = relisted(first, NameList(rows=((1, "赵六"), (2, "张三"))), lambda: PupilId("new"))
    assert [(p.id, p.name, p.is_present) for p in again] == [
        ("new", "赵六", True),
        ("p1", "张三", True),
        ("p2", "李四", False),
    ]


def test_one_comes_one_goes_one_has_another_name() -> None:
    pupils = class_of("张三", "李四")
    pupils = added(pupils, " 王 五 ", PupilId("p3"))
    assert [(p.position, p.name) for p in pupils] == [(1, "张三"), (2, "李四"), (3, "王五")]
    pupils = renamed(pupils, PupilId("p3"), "王武")
    pupils = moved(pupils, PupilId("p1"), is_present=False)
    assert [p.name for p in in_order(pupils)] == ["李四", "王武", "张三"]
    pupils = reordered(pupils, (PupilId("p3"), PupilId("p2")))
    assert [p.name for p in in_order(pupils)] == ["王武", "李四", "张三"]
    assert [p.position for p in in_order(pupils)][:2] == [1, 2]
    assert added((), "甲", PupilId("p1"))[0].position == 1


def test_what_cannot_be_is_refused() -> None:
    """RO2"""
    pupils = class_of("张三", "李四")
    with pytest.raises(UserError, match="name_empty"):
        added(pupils, " ", PupilId("p3"))
    with pytest.raises(UserError, match="roster_name_long") as caught:
        renamed(pupils, PupilId("p1"), "甲" * (LONGEST_NAME + 1))
    assert "甲" not in repr(caught.value)
    with pytest.raises(UserError, match="pupil_unknown"):
        renamed(pupils, PupilId("p9"), "甲")
    with pytest.raises(UserError, match="roster_order"):
        reordered(pupils, (PupilId("p1"), PupilId("p1")))
    full = class_of(*(f"甲{n}" for n in range(MOST_PUPILS)))
    with pytest.raises(UserError, match="roster_too_many"):
        added(full, "乙", PupilId("x"))


def test_no_value_shows_what_it_holds() -> None:
    """RO2: a value may stand in a log line."""
    mark = Mark(
        class_id=ClassId("c3"), pupil=PupilId("p1"), kind=MarkKind.NOTE, value="张三", day="5-18"
    )
    assert "张三" not in repr((class_of("张三"), parse_names("张三", WORDS), mark))


def test_marks_are_short() -> None:
    mark = Mark(
        class_id=ClassId("c3"), pupil=PupilId("p1"), kind=MarkKind.NOTE, value=" 好 ", day="5-18"
    )
    assert checked_mark(mark).value == "好"
    for value, day in (("", "5-18"), ("好", ""), ("好" * 201, "5-18"), ("好", "5" * 41)):
        wrong = Mark(class_id=mark.class_id, pupil=mark.pupil, kind=mark.kind, value=value, day=day)
        with pytest.raises(UserError, match="value_does_not_fit"):
            checked_mark(wrong)
