"""Sentences by key (client.service.text)."""

import importlib.util
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from client.domain.errors import ResourceError, UserError
from client.service.text import LOCALE_DIR, Words, areas, english, languages, pick_language


@pytest.fixture(scope="module")
def compiler(project_root: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "compile_words", project_root / "packaging" / "compile_words.py"
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_key_has_a_text_in_every_language() -> None:
    """T1"""
    for language in languages():
        words = Words(language)
        empty = [key for key in english() if words(key) in ("", key)]
        assert empty == []


@pytest.mark.parametrize("damage", [b"", b"no catalogue", b"\xde\x12\x04\x95\0\0"])
def test_a_damaged_catalogue_leaves_english(tmp_path: Path, damage: bytes) -> None:
    """T1"""
    path = tmp_path / "zh_CN" / "LC_MESSAGES" / "tongke.mo"
    path.parent.mkdir(parents=True)
    path.write_bytes(damage)
    assert Words("zh_CN", tmp_path)("error.internal") == english()["error.internal"]


def test_an_unknown_key_is_its_own_text_and_never_raises() -> None:
    """T1"""
    assert Words("zh_CN")("no.such.key", n=3) == "no.such.key"
    assert Words("en").plural("no.such.key", 3) == "no.such.key"


def test_a_key_without_translation_falls_back_to_english(tmp_path: Path) -> None:
    """T1"""
    (tmp_path / "zh_CN").mkdir()
    words = Words("zh_CN", tmp_path)
    assert words("error.internal") == english()["error.internal"]
    assert words.plural("length.minutes", 1) == "1 min"
    assert words.plural("error.cancelled", 2) == english()["error.cancelled"]
    assert words("length.minutes", n=4) == "4 min"


@settings(max_examples=60, deadline=None)
@given(
    detail=st.text(max_size=30),
    extra=st.dictionaries(st.sampled_from(["a", "b", "what"]), st.integers()),
)
def test_values_come_through_as_they_are(detail: str, extra: dict[str, int]) -> None:
    """T2: braces and odd characters in values are no placeholders."""
    for language in ("zh_CN", "en"):
        assert detail in Words(language)("error.usage", detail=detail, **extra)


def test_a_missing_value_stays_visible() -> None:
    """T2"""
    assert "{detail}" in Words("en")("error.usage")


def test_a_value_of_the_wrong_kind_never_raises(tmp_path: Path) -> None:
    """T2"""
    assert Words("en", tmp_path)("{n:.1f} km", n="many") == "{n:.1f} km"


def test_words_may_be_asked_for_from_many_threads() -> None:
    """T3"""
    words, keys = Words("zh_CN"), sorted(english())
    alone = [words(key) for key in keys]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda _: [words(key) for key in keys], range(16)))
    assert together == [alone] * 16


def test_numbers_choose_their_form() -> None:
    assert Words("en").plural("length.seconds", 1) == "1 s"
    assert Words("zh_CN").plural("length.minutes", 3) == "3 分钟"


def test_texts_without_plural_forms_may_be_counted() -> None:
    assert Words("zh_CN").plural("cue.summary", 2) == "小结"


def test_errors_say_what_happened_and_what_to_do() -> None:
    words = Words("en")
    error = UserError("not_in_this_version", {"what": "hub", "not a name": 1})
    assert "hub" in words.error(error)
    assert words.hint(error) != ""
    assert words.hint(ResourceError("no_words_for_this")) == ""


@pytest.mark.parametrize(
    ("wanted", "got"),
    [
        ("zh_CN", "zh_CN"),
        ("zh-Hans-CN", "zh_CN"),
        ("en_GB.UTF-8", "en"),
        ("C", "zh_CN"),
        ("", "zh_CN"),
    ],
)
def test_the_nearest_language_is_chosen(wanted: str, got: str) -> None:
    assert pick_language(wanted) == got


def test_languages_without_a_folder_still_name_the_two_of_the_house(tmp_path: Path) -> None:
    assert languages(tmp_path / "absent") == ("zh_CN", "en")


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 KB"),
        (1, "1 KB"),
        (1500, "1 KB"),
        (82 * 1024**2, "82 MB"),
        (1.9 * 1024**3, "1.9 GB"),
    ],
)
def test_sizes_read_as_people_write_them(size: float, text: str) -> None:
    assert Words("en").size(size) == text


def test_times_read_as_people_write_them() -> None:
    words = Words("zh_CN")
    assert words.clock(408) == "6:48"
    assert words.clock(3723) == "1:02:03"
    assert words.clock(-1) == "0:00"
    assert words.length(408) == "6分48秒"
    assert words.length(60) == "1 分钟"
    assert words.length(12.2) == "12 秒"


def test_every_area_is_complete(compiler: ModuleType) -> None:
    """L1 L2 L3 hold for all areas and languages."""
    assert compiler.problems(dict(areas()), LOCALE_DIR) == ()


PO = 'msgctxt "{key}"\nmsgid "{english}"\nmsgstr "{chinese}"\n\n'


def problems(compiler: ModuleType, tmp_path: Path, po: str) -> str:
    folder = tmp_path / "zh_CN"
    folder.mkdir(exist_ok=True)
    (folder / "a.po").write_text(po, encoding="utf-8")
    sources = {"a": {"one": "One {n}"}, "b": {"one": "Twice"} if "twice" in po else {}}
    return "\n".join(compiler.problems(sources, tmp_path))


@pytest.mark.parametrize(
    ("po", "complaint"),
    [
        ("", "one is not translated"),
        (PO.format(key="one", english="One {n}", chinese="一"), "needs the placeholders"),
        (PO.format(key="one", english="One {n}", chinese=""), "empty"),
        ("#, fuzzy\n" + PO.format(key="one", english="One {n}", chinese="一{n}"), "unsure"),
        (PO.format(key="one", english="Old {n}", chinese="一{n}"), "another English"),
        (PO.format(key="two", english="Two", chinese="二"), "two is no key"),
        (PO.format(key="one", english="One {n}", chinese="一{n"), "expected"),
        (PO.format(key="one", english="One {n}", chinese="一{0}"), "odd placeholder"),
        (PO.format(key="one", english="One {n}", chinese="一{n}twice"), "also stands in"),
    ],
)
def test_each_gap_is_named(compiler: ModuleType, tmp_path: Path, po: str, complaint: str) -> None:
    """L1 L2 L3"""
    assert complaint in problems(compiler, tmp_path, po)


def test_a_missing_plural_form_is_named(compiler: ModuleType, tmp_path: Path) -> None:
    """L2"""
    (tmp_path / "zh_CN").mkdir()
    (tmp_path / "zh_CN" / "a.po").write_text(
        PO.format(key="one", english="{n} day", chinese="{n} 天"), encoding="utf-8"
    )
    found = compiler.problems({"a": {"one": ("{n} day", "{n} days")}}, tmp_path)
    assert any("another English" in line for line in found)


def test_a_file_without_an_area_is_named(compiler: ModuleType, tmp_path: Path) -> None:
    """L2"""
    (tmp_path / "zh_CN").mkdir()
    (tmp_path / "zh_CN" / "gone.po").write_text("", encoding="utf-8")
    assert any("gone.po belongs to no area" in x for x in compiler.problems({}, tmp_path))


def test_compiling_is_skipped_until_a_source_changes(compiler: ModuleType, tmp_path: Path) -> None:
    source = tmp_path / "zh_CN" / "a.po"
    source.parent.mkdir()
    source.write_text(PO.format(key="one", english="One", chinese="一"), encoding="utf-8")
    assert len(compiler.compile_all(tmp_path)) == 1
    assert compiler.compile_all(tmp_path) == ()
    assert Words("zh_CN", tmp_path)("one") == "一"
    source.write_text(PO.format(key="one", english="One", chinese="壹"), encoding="utf-8")
    assert len(compiler.compile_all(tmp_path)) == 1
    assert Words("zh_CN", tmp_path)("one") == "壹"
