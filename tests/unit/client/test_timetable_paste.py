"""A pasted timetable (client.domain.timetable_paste) with the words of assets."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from client.domain.timetable import ClassGroup, TeachingMode, Weeks
from client.domain.timetable_paste import Trouble, decode_table, parse_timetable
from client.service.school_words import load_paste_words, load_subjects

THREE = ClassGroup(id="c3", name="三年级", grade=3)
FIVE = ClassGroup(id="c5", name="五年级", grade=5)
BOTH = (THREE, FIVE)


def parse(text, classes=BOTH):
    return parse_timetable(text, classes, load_subjects(), load_paste_words())


def plain(parsed):
    return [(s.key.class_id, s.key.day, s.key.period, s.subject) for s in parsed.slots]


def troubles(parsed):
    return [(one.trouble, one.row, one.column, one.text) for one in parsed.problems]


def test_one_class_needs_no_name():
    found = parse("\t周一\t周二\n1\t语文\t数\n2\t\t道法\n", (THREE,))
    assert plain(found) == [
        ("c3", 1, 1, "语文"),
        ("c3", 2, 1, "数学"),
        ("c3", 2, 2, "道德与法治"),
    ]
    assert found.problems == ()


@pytest.mark.parametrize(
    "label",
    ["1", "一", "第1节", "第一节", " 第 １ 节课", "8:30", "08:30-9:10", "1节"],
)
def test_a_period_is_known_in_many_forms(label):
    assert plain(parse(f"\t周一\t周二\n{label}\t语文\t数学", (THREE,)))[0][2] == 1


@pytest.mark.parametrize("head", ["星期一\t星期二", "周一\t周二", "一\t二", "Mon\tTuesday"])
def test_days_are_known_in_many_forms(head):
    assert [slot.key.day for slot in parse(f"\t{head}\n1\t语文\t数学", (THREE,)).slots] == [1, 2]


def test_periods_of_the_afternoon_are_counted_on():
    text = "\t周一\t周二\n上午第1节\t语文\t数学\n下午第2节\t体育\t美术"
    assert [row[2] for row in plain(parse(text, (THREE,)))] == [1, 6, 1, 6]


def test_blocks_one_below_the_other_each_have_their_class():
    text = "三年级课程表\n节次\t周一\t周二\n1\t语文\t数学\n"
    text += "\n五年级\n节次\t周一\t周二\n1\t英语\t科学"
    assert plain(parse(text)) == [
        ("c3", 1, 1, "语文"),
        ("c5", 1, 1, "英语"),
        ("c3", 2, 1, "数学"),
        ("c5", 2, 1, "科学"),
    ]


def test_a_class_in_the_corner_or_in_its_own_merged_column():
    corner = "三年级\t周一\t周二\n1\t语文\t数学"
    assert {row[0] for row in plain(parse(corner))} == {"c3"}
    column = "班级\t节次\t周一\t周二\n三年级\t1\t语文\t数学\n\t3\t科学\t音乐\n五年级\t1\t英语\t\n"
    assert plain(parse(column)) == [
        ("c3", 1, 1, "语文"),
        ("c5", 1, 1, "英语"),
        ("c3", 1, 3, "科学"),
        ("c3", 2, 1, "数学"),
        ("c3", 2, 3, "音乐"),
    ]


def test_classes_under_merged_days():
    text = "\t周一\t\t周二\t\n\t三年级\t五年级\t三年级\t五年级\n1\t语文\t数学\t英语\t科学"
    assert plain(parse(text)) == [
        ("c3", 1, 1, "语文"),
        ("c5", 1, 1, "数学"),
        ("c3", 2, 1, "英语"),
        ("c5", 2, 1, "科学"),
    ]


def test_a_merged_period_label_counts_for_the_rows_under_it():
    text = "节次\t班级\t周一\t周二\n1\t三年级\t语文\t数学\n\t五年级\t英语\t科学"
    assert [row[:3] for row in plain(parse(text))] == [
        ("c3", 1, 1),
        ("c5", 1, 1),
        ("c3", 2, 1),
        ("c5", 2, 1),
    ]


def test_remarks_in_brackets():
    text = "\t周一\t周二\t周三\n1\t体育（合班）\t数学(单周)\t语文（专递）(双)\n"
    found = parse(text, BOTH)
    assert plain(found)[:2] == [("c3", 1, 1, "体育"), ("c5", 1, 1, "体育")]
    assert [one.trouble for one in found.problems] == [Trouble.CLASS_UNKNOWN] * 2
    single = parse(text, (THREE,)).slots
    assert [(slot.mode, slot.weeks) for slot in single] == [
        (TeachingMode.OWN, Weeks.EVERY),
        (TeachingMode.OWN, Weeks.ODD),
        (TeachingMode.DELIVERY, Weeks.EVEN),
    ]


def test_pauses_and_free_cells_are_passed_over():
    text = "\t周一\t周二\n早读\t语文\t语文\n1\t-\t数学\n午休\t\t\n大课间\t体育\t体育"
    found = parse(text, (THREE,))
    assert plain(found) == [("c3", 2, 1, "数学")]
    assert found.problems == ()


def test_tp1_unknown_words_are_problems_with_their_place():
    text = "\t周一\t周二\n1\t语问\t数学(老王)\n第九十节\t语文\t\n"
    assert troubles(parse(text, (THREE,))) == [
        (Trouble.SUBJECT_UNKNOWN, 2, 2, "语问"),
        (Trouble.SUBJECT_UNKNOWN, 2, 3, "数学(老王)"),
        (Trouble.PERIOD_UNKNOWN, 3, 1, "第九十节"),
    ]
    assert plain(parse("\t周一\t周二\n十一\t语文\t数学", (THREE,)))[0][2] == 11


def test_tp1_a_row_of_no_known_class_is_a_problem():
    assert plain(parse("\t周一\t周二\n1\t语文\t数学")) == []
    two = (THREE, ClassGroup(id="c3-2", name="三二班", grade=3))
    found = parse("班级\t节次\t周一\t周二\n3年级\t1\t语文\t数学", two)
    assert [one.trouble for one in found.problems] == [Trouble.CLASS_UNKNOWN] * 2
    assert parse("3年级\t周一\t周二\n1\t语文\t数学").slots[0].key.class_id == "c3"
    same = (THREE, ClassGroup(id="c3-2", name="三年级", grade=3))
    assert parse("三年级\t周一\t周二\n1\t语文\t数学", same).slots == ()


def test_tp1_a_time_that_is_no_bell_is_a_problem():
    found = parse("\t周一\t周二\n8:35\t语文\t数学", (THREE,))
    assert [one.trouble for one in found.problems] == [Trouble.PERIOD_UNKNOWN]


def test_a_table_without_days_is_a_problem():
    assert [one.trouble for one in parse("语文\t数学").problems] == [Trouble.NO_DAYS]
    assert [one.trouble for one in parse("").problems] == [Trouble.NO_DAYS]


def test_tp3_a_place_that_is_named_twice_keeps_the_first():
    text = "\t周一\t周二\n1\t语文\t数学\n1\t语文\t英语"
    found = parse(text, (THREE,))
    assert [slot.subject for slot in found.slots] == ["语文", "数学"]
    assert troubles(found) == [(Trouble.TWICE, 3, 3, "英语")]


def test_titles_above_do_not_confuse():
    text = "2027春\t课程表\n\n\t周一\t周二\n1\t语文\t数学"
    assert len(parse(text, (THREE,)).slots) == 2
    assert len(parse("\n\n" + text, (THREE,)).slots) == 2


def test_commas_do_as_well_as_tabs_and_quotes_hold_lines_together():
    text = '节次,周一,周二\n1,"语\n文",数学\n'
    assert plain(parse(text, (THREE,)))[0] == ("c3", 1, 1, "语文")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "utf-16"])
def test_files_come_in_the_encodings_of_spreadsheets(encoding):
    assert decode_table("三年级\t语文".encode(encoding)) == "三年级\t语文"


CELLS = st.sampled_from(
    [
        "",
        "周一",
        "周二",
        "一",
        "1",
        "三年级",
        "五年级",
        "语文",
        "数学(单周)",
        "午休",
        "?",
        '"',
        "8:30",
    ]
)


@given(st.lists(st.lists(CELLS, max_size=6), max_size=8))
@settings(max_examples=150)
def test_tp2_any_table_gives_an_answer(rows):
    found = parse("\n".join("\t".join(row) for row in rows))
    assert len({slot.key for slot in found.slots}) == len(found.slots)


@given(st.text(max_size=200))
def test_tp2_any_text_gives_an_answer(text):
    assert parse(text).slots is not None


def test_tp2_a_huge_table_is_cut_off_and_a_broken_one_ends():
    row = "1\t语文\t数学\n"
    assert parse("\t周一\t周二\n" + row * 1000, (THREE,)).slots
    assert parse("\t周一\t周二\n1\t" + "x" * 200_000 + "\t语文", (THREE,)).slots == ()


def test_every_subject_is_found_by_all_its_words():
    subjects = load_subjects()
    for subject in subjects.all:
        for word in (subject.name, subject.short, subject.english, *subject.aliases):
            assert subjects.find(f" {word} ") is not None
        assert subjects.find(subject.name) == subject
    assert subjects.find("魔法") is None
