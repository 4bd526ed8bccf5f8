"""Units, spellings and marks (client.domain.spelling)."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from client.domain.spelling import MAX_WORD, MAX_WORDS, Marker, query_words, spellings, units
from client.store.pinyin import load_readings
from tests.oracle import search_oracle

READINGS = load_readings()

TITLES = st.text(
    st.sampled_from("分数的初步认识行长乐绿ü重 （一）Unit 6AB12，ɑé①㈠"), min_size=1, max_size=12
)
WORDS = st.text(st.sampled_from("分数的行长fenshudcbxighaolvyezuni16"), min_size=1, max_size=5)


@pytest.mark.parametrize(
    ("text", "chars", "starts"),
    [
        ("分数（一）", "分数一", (True, True, True)),
        ("Unit 6", "unit6", (True, False, False, False, True)),
        ("U６b", "u6b", (True, True, True)),
        ("don't", "dont", (True, False, False, True)),
        ("第12课", "第12课", (True, True, False, True)),
        ("cafe\u0301s", "cafes", (True, False, False, False, False)),
        ("Ü ɑ ﬁ ①", "vafi1", (True, True, True, False, True)),
        ("½", "12", (True, False)),
        ("㈠㈡", "一二", (True, True)),
        (" — ，", "", ()),
    ],
)
def test_units_and_starts_u1_u2(text: str, chars: str, starts: tuple[bool, ...]) -> None:
    row = units(text)

    assert "".join(row.chars) == chars
    assert row.starts == starts
    assert len(row.at) == len(chars)


def test_spellings_u3() -> None:
    assert spellings("行", READINGS) == ("行", "hang", "heng", "xing", "h", "x")
    assert set(spellings("绿", READINGS)) == {"绿", "lv", "lu", "l"}
    assert spellings("v", READINGS) == ("v", "u")
    assert spellings("q", READINGS) == ("q",)


def test_query_words_are_folded_and_bounded_u5() -> None:
    assert query_words(" ＦＳ  分数（一）, fs lü ") == ("fs", "分数一", "lv")
    assert query_words("fe\u0304nshu\u0300 u\u0308") == ("fenshu", "v")
    assert query_words("，。") == ()
    assert len(query_words(" ".join(f"w{n}" for n in range(99)))) == MAX_WORDS
    assert len(query_words("分" * 999)[0]) == MAX_WORD


@pytest.mark.parametrize(
    ("title", "query", "marked"),
    [
        ("分数的初步认识（一）", "fsdcb", "分数的初步"),
        ("分数的初步认识", "分数cb", ""),
        ("分数的初步认识", "fen数的", "分数的"),
        ("分数的初步认识", "fenshu cb", "分数|初步"),
        ("分数的初步认识", "fenshude chubur", "分数的初步认"),
        ("Unit 6 At the farm", "unit 6 far", "Unit|6|far"),
        ("Unit 6 At the farm", "arm", ""),
        ("重庆与音乐", "chongq yinyue", "重庆|音乐"),
        ("绿色的旅行", "lvse lux", "绿色|旅行"),
        ("认识（一）课", "shiyike", "识（一）课"),
        ("方法方法论", "ffl", "方法论"),
        ("西安先", "xian", "西安"),
    ],
)
def test_marks_u3_u4_u5(title: str, query: str, marked: str) -> None:
    spans = Marker(query_words(query), READINGS).spans(title)

    assert "|".join(title[at : at + size] for at, size in spans) == marked


@settings(max_examples=400, deadline=None)
@given(title=TITLES, word=WORDS)
def test_marker_marks_exactly_what_the_oracle_finds(title: str, word: str) -> None:
    folded = search_oracle.folded(title)
    expected = search_oracle.pattern(word, frozenset(folded)).search(folded)

    spans = Marker((word,), READINGS).spans(title)

    assert bool(spans) == bool(expected)
    if expected:
        first = len(re.sub(search_oracle.MARK, "", folded[: expected.start()]))
        assert spans[0][0] == units(title).at[first]
