"""Names on sticks (sync.protocol.stick_names)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.protocol.stick_names import (
    LONGEST,
    MOST_DEPTH,
    Names,
    file_name,
    plain_name,
    same,
    steps_of,
)

TEXTS = st.text(max_size=80) | st.sampled_from(
    ["con", "NUL.txt", "com1", "LPT\u00b9.pdf", "a:b", "..", ".", " x. ", "a/b", "..\\c", "\u202ea"]
)


@given(TEXTS)
def test_a_name_is_allowed_everywhere(text):
    """P1"""
    name = plain_name(text)
    assert steps_of(name) == (name,)
    assert not set(name) & set('<>:"/\\|?*')
    assert name == name.strip(" .")
    assert 0 < len(name) <= LONGEST + 1
    assert plain_name(name)[:LONGEST] == name[:LONGEST]


@given(st.lists(TEXTS | st.sampled_from(["a", "A", "\u00e9", "e\u0301", "ﬁ", "fi"]), max_size=12))
def test_names_of_a_folder_differ_on_every_system(texts):
    """P2"""
    names = Names()
    given_ = [names.take(text, ".mp4") for text in texts]
    assert len({same(name) for name in given_}) == len(texts)
    assert all(steps_of(name) for name in given_)


def test_readable_names_stay_as_they_are():
    """P1"""
    assert plain_name("第六单元 认识分数") == "第六单元 认识分数"
    assert plain_name("01 它有多高？") == "01 它有多高？"
    assert file_name("视频", ".mp4") == "视频.mp4"
    assert plain_name("CON") == "_CON"
    assert plain_name("a\nb\tc") == "a b c"
    assert plain_name("x" * (LONGEST - 1) + "e\u0331\u0301") == "x" * (LONGEST - 1)
    names = Names()
    assert [names.take("视频", ".mp4") for _ in range(2)] == ["视频.mp4", "视频 (2).mp4"]


@pytest.mark.parametrize(
    "path",
    [
        "",
        "..",
        "a/../b",
        "/etc/passwd",
        "a//b",
        "./a",
        "C:/x",
        "a:b",
        "a\\b",
        "nul",
        "x/COM1.mp4",
        "a ",
        "a./b",
        "a\0b",
        "a\u202eb",
        "/".join("a" * (MOST_DEPTH + 1)),
        "a" * 600,
        "\ud800",
    ],
)
def test_a_path_that_leads_elsewhere_is_none(path):
    """P3"""
    assert steps_of(path) is None


def test_a_path_is_taken_apart():
    """P3"""
    assert steps_of("三年级/数学/a.mp4") == ("三年级", "数学", "a.mp4")
