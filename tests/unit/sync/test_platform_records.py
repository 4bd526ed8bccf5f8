"""J1, J2, X1, X2, F1 to F3, R1 to R3, L1, L2: reading the platform's documents."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from client.domain.catalogue import FileUse, Lesson, LessonKind, Placement, Role
from client.domain.errors import ProtocolError
from client.domain.ids import BookId, LessonId, SourceId
from sync.source.addresses import AddressBook
from sync.source.platform import checks
from sync.source.platform.detail import DetailReader
from sync.source.platform.files import read_files
from sync.source.platform.records import read_books, read_lessons, read_textbooks
from sync.source.platform.rules import load_rules
from sync.source.platform.trees import read_sections, read_tag_tree

RULES = load_rules()
HERE = SourceId("platform")
BOOK = BookId("ca29d703-d2a2-41da-a959-6e2972584232")
ADDRESSES = AddressBook()
READER = DetailReader(rules=RULES, addresses=ADDRESSES)
PRIVATE = "https://r{}-ndr-private.ykt.cbern.com.cn"
TAGS = [
    {"tag_dimension_id": "zxxxd", "tag_id": "1", "tag_name": "小学", "order_num": 3},
    {"tag_dimension_id": "zxxnj", "tag_id": "2", "tag_name": "三年级"},
    {"tag_dimension_id": "zxxweek", "tag_id": "week1", "tag_name": "第1周"},
    {"tag_dimension_id": "bad"},
    "no tag",
]


def lesson(kind: LessonKind = LessonKind.NATIONAL, name: str = "l1") -> Lesson:
    return Lesson(id=LessonId(name), source=HERE, kind=kind, title="t", place=Placement())


def item(path: str, **changes: Any) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "ti_md5": "A" * 32,
        "ti_size": 10,
        "ti_storage": "cs_path:${ref-path}" + path,
        "ti_storages": [PRIVATE.format(n) + path for n in (1, 2, 3)],
        "ti_file_flag": "href",
        "ti_format": path.rpartition(".")[2],
        "custom_properties": {"requirements": []},
    }
    return {**entry, **changes}


def needs(**values: object) -> dict[str, Any]:
    return {"requirements": [{"name": name, "value": value} for name, value in values.items()]}


# --- careful reading ---------------------------------------------------------------------


@pytest.mark.parametrize("body", [b"", b"{", b'{"a":', b"\xff\xfe", b"[" * 100_000, b"\x00"])
def test_what_is_no_document_is_refused(body: bytes) -> None:
    """J1."""
    with pytest.raises(ProtocolError, match="document_broken"):
        checks.parse(body, "/p")


def test_half_characters_are_replaced() -> None:
    """They could not be stored."""
    body = rb'{"a": "x\ud83d", "b": "\ud83d\ude00", "c": "\u00e9"}'
    assert checks.parse(body, "/p") == {"a": "x?", "b": "\U0001f600", "c": "é"}


@pytest.mark.parametrize(
    ("value", "number"),
    [("12", 12), (" 7 ", 7), ("12.9", 12), ("-1", 0), ("", 0), ("x", 0), ("9" * 40, 0), ("²", 0)],
)
def test_sizes_are_whole_and_reasonable(value: str, number: int) -> None:
    assert checks.digits(value) == number
    assert checks.number({"n": value}, "n") == number


def test_numbers_may_be_numbers() -> None:
    assert [checks.number({"n": n}, "n") for n in (5, 5.0, True, None, [])] == [5, 5, 0, 0, 0]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("PT15M15S", 915), ("PT1H", 3600), ("PT1H2M3.5S", 3723.5), ("PT", 0), ("15M", 0), ("", 0)],
)
def test_durations(value: str, seconds: float) -> None:
    assert checks.seconds(value) == seconds


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


def _spoilt(document: Any, way: list[int], value: object) -> Any:
    """The document with the value at the end of the way replaced by another one."""
    spot = document
    for last, step in zip([*[False] * (len(way) - 1), True], way, strict=True):
        keys = list(spot) if isinstance(spot, dict) else list(range(len(spot)))
        if not keys:
            break
        key = keys[step % len(keys)]
        if last or not isinstance(spot[key], dict | list):
            spot[key] = value
            break
        spot = spot[key]
    return document


@pytest.mark.shared
@given(which=st.integers(0, 99), way=st.lists(st.integers(0, 999), min_size=1), value=JSON)
@settings(max_examples=200, deadline=None)
def test_one_spoilt_value_never_breaks_the_reader(
    documents: dict[str, Any], which: int, way: list[int], value: object
) -> None:
    """J1, R2, L2, X2: a value, or `document_broken`; nothing else leaves."""
    name = sorted(documents)[which % len(documents)]
    document = _spoilt(copy.deepcopy(documents[name]), way, value)
    try:
        _read(name, document)
    except ProtocolError as error:
        assert error.code == "document_broken"


@pytest.mark.shared
@given(document=JSON)
@settings(max_examples=60, deadline=None)
def test_any_json_is_read_or_refused(document: object, documents: dict[str, Any]) -> None:
    for name in documents:
        try:
            _read(name, document)
        except ProtocolError as error:
            assert error.code == "document_broken"


def _read(name: str, document: object) -> object:
    match name.split(maxsplit=1)[0]:
        case "tags":
            return read_tag_tree(document, "/p")
        case "sections":
            return read_sections(document, "/p", BOOK)
        case "books":
            return read_books(document, "/p", HERE, RULES.dimensions)
        case "lessons":
            return read_lessons(document, "/p", HERE, RULES.dimensions, BOOK)
        case "textbooks":
            return read_textbooks([("/p", document)], HERE, RULES.dimensions)
        case kind:
            return READER.read(lesson(LessonKind(kind), name.split()[1]), document, "/p")


class Shelf(dict[str, Any]):
    """Documents by name; too large to be shown."""

    def __repr__(self) -> str:
        return f"Shelf({len(self)})"


@pytest.fixture(scope="session")
def documents(shared_dir: Path) -> dict[str, Any]:
    """The invented documents in the platform's exact layout."""
    root = shared_dir / "platform-fixtures" / "zxx"
    lists = {
        "tags lessons": "ndrs/tags/national_lesson_tag.json",
        "tags textbooks": "ndrs/tags/tch_material_tag.json",
        "sections": f"ndrv2/national_lesson/trees/{BOOK}.json",
        "books": "ndrs/national_lesson/teachingmaterials/part_100.json",
        "lessons": f"ndrs/national_lesson/teachingmaterials/{BOOK}/resources/part_100.json",
        "textbooks": "ndrs/resources/tch_material/part_100.json",
    }
    details = {
        "national_lesson": "ndrv2/national_lesson/resources/details",
        "elite_lesson": "ndrv2/resources",
        "singing": "ndrv2/singing/resources/details",
        "textbook": "ndrv2/resources/tch_material/details",
    }
    paths = {name: root / path for name, path in lists.items()}
    for kind, folder in details.items():
        paths |= {f"{kind} {path.stem}": path for path in sorted((root / folder).glob("*.json"))}
    return Shelf({name: json.loads(path.read_text("utf-8")) for name, path in paths.items()})


# --- the platform's own layout ------------------------------------------------------------


@pytest.mark.shared
def test_the_documents_of_the_platform_are_read_whole(documents: dict[str, Any]) -> None:
    lessons, broken = read_lessons(documents["lessons"], "/p", HERE, RULES.dimensions, BOOK)
    assert broken == 0
    assert [entry.kind.value for entry in lessons].count("national_lesson") == 2
    assert {entry.kind.value for entry in lessons} == {"national_lesson", "elite_lesson", "singing"}
    assert all(entry.place.subject and entry.place.grade and entry.sections for entry in lessons)
    for name, document in documents.items():
        if " " in name and not name.startswith("tags"):
            read, lost = _read(name, document)
            assert (lost, read.has_detail) == (0, True), name
            assert read.parts, name
            assert sorted(sum(read.periods, ())) == sorted(part.id for part in read.parts), name


@pytest.mark.shared
def test_two_class_hours_are_told_apart_by_the_structure_alone(documents: dict[str, Any]) -> None:
    """L1."""
    name = "national_lesson 8c81ea4e-2eed-45a7-a4c5-fbb4e856c486"
    read, _ = _read(name, documents[name])
    assert [len(period) for period in read.periods] == [5, 5]
    assert [part.period for part in read.parts] == [0] * 5 + [1] * 5


# --- trees -------------------------------------------------------------------------------


def test_tag_trees_have_any_depth_and_hidden_tags() -> None:
    """X1."""
    leaf = {"tag_id": "c", "tag_dimension_id": "zxxcc", "tag_name": "上册", "hierarchies": None}
    deep = {
        "tag_id": "b",
        "tag_name": "x",
        "hierarchies": [{"children": [leaf], "ext": {"hidden_tags": ["c"]}}],
    }
    flat = {"tag_id": "a", "tag_name": "y", "hierarchies": [], "ext": None}
    tree = {
        "tag_path": "root",
        "hierarchies": [{"children": [deep, 7, {"tag_name": "no id"}]}, {"children": [flat]}, 7],
    }
    nodes = read_tag_tree(tree, "/p")
    assert [(n.path, n.parent, n.position, n.is_hidden) for n in nodes] == [
        ("root", "", 0, False),
        ("root/b", "root", 0, False),
        ("root/b/c", "root/b", 0, True),
        ("root/a", "root", 1, False),
    ]
    assert read_tag_tree({}, "/p")[0].path == "/p"
    odd = {"hierarchies": [{"children": [leaf], "ext": 7}]}
    assert [n.is_hidden for n in read_tag_tree(odd, "/p")] == [False, False]


def test_a_broken_chapter_costs_what_hangs_below_it() -> None:
    """X2."""
    tree = [
        {"id": "u1", "title": "一\n", "child_nodes": [{"id": "s1", "title": "课"}, 7, {"id": ""}]},
        7,
        {"id": "u2", "title": 7, "child_nodes": [{"id": "lost"}]},
        {"id": "u3", "title": "三", "child_nodes": "none"},
        {"id": "u1", "title": "again"},
    ]
    found = read_sections(tree, "/p", BOOK)
    assert [(s.id, s.parent, s.position, s.title) for s in found] == [
        ("u1", None, 0, "一\n"),
        ("s1", "u1", 1, "课"),
        ("u3", None, 2, "三"),
    ]


def test_a_bottomless_chapter_tree_ends() -> None:
    node: dict[str, Any] = {"id": "n0", "title": "x"}
    top = node
    for depth in range(1, 60):
        node["child_nodes"] = [{"id": f"n{depth}", "title": "x"}]
        node = node["child_nodes"][0]
    assert len(read_sections([top], "/p", BOOK)) == 33
    tag: dict[str, Any] = {"tag_id": "t"}
    for _ in range(60):
        tag = {"tag_id": "t", "hierarchies": [{"children": [tag]}]}
    assert len(read_tag_tree({"hierarchies": [{"children": [tag]}]}, "/p")) == 34


# --- lists -------------------------------------------------------------------------------


def test_a_record_stands_where_its_tags_say() -> None:
    """R1."""
    record = {"id": "b-1", "title": "语文", "tag_list": TAGS, "provider_list": [{}, {"name": "社"}]}
    (book,), broken = read_books([record], "/p", HERE, RULES.dimensions)
    assert broken == 0
    assert book.place == Placement(stage="小学", grade="三年级")
    assert (book.provider, [tag.id for tag in book.tags]) == ("社", ["2", "week1", "1"])


@pytest.mark.parametrize(
    "record",
    [
        7,
        {},
        {"id": "x"},
        {"id": "", "title": "t"},
        {"id": "../../etc", "title": "t"},
        {"id": "a?b", "title": "t"},
        {"id": "题", "title": "t"},
        {"id": "x", "title": "t", "tag_list": 7},
        {"id": "x", "title": "t", "provider_list": [7]},
    ],
)
def test_a_broken_record_costs_only_itself(record: object) -> None:
    """R2."""
    good = {"id": "x-1", "title": "t", "unknown": {"any": "thing"}, "tag_list": None}
    lessons, broken = read_lessons([good, record], "/p", HERE, RULES.dimensions, BOOK)
    assert ([entry.id for entry in lessons], broken) == (["x-1"], 1)


def test_lessons_are_read_with_path_order_and_week() -> None:
    records = [
        {
            "id": "l-1",
            "title": "题\n目 ",
            "resource_type_code": "national_lesson",
            "chapter_ids": ["u", "s"],
            "resource_custom_properties": {"res_sort": 7},
            "tag_list": TAGS,
        },
        {
            "id": "l-2",
            "global_title": {"zh-CN": "唱"},
            "resource_type_code": "singing",
            "chapter_paths": ["u/s"],
            "resource_custom_properties": {"ppt_sort": 8},
        },
        {"id": "l-3", "title": "?", "resource_type_code": "somethingnew"},
    ]
    first, second, third = read_lessons(records, "/p", HERE, RULES.dimensions, BOOK)[0]
    assert (first.title, first.sections, first.position, first.week) == (
        "题\n目 ",
        ("u", "s"),
        7,
        "第1周",
    )
    assert (second.title, second.sections, second.position) == ("唱", ("u", "s"), 8)
    assert (second.kind, third.kind) == (LessonKind.SINGING, LessonKind.OTHER)
    assert third.sections == ()


def test_a_volume_has_the_tags_of_its_set() -> None:
    """R3."""
    parts = [
        ("/1", [{"id": "v", "title": "第一分册", "teachmeterial_ids": ["set"]}, 7]),
        (
            "/2",
            [
                {"id": "set", "title": "合集", "tag_list": TAGS},
                {"id": "o", "title": "孤", "teachmeterial_ids": ["?"]},
            ],
        ),
    ]
    found, broken = read_textbooks(parts, HERE, RULES.dimensions)
    assert broken == 1
    assert found["/1"][0].place == found["/2"][0].place == Placement(stage="小学", grade="三年级")
    assert found["/2"][1].tags == ()


# --- files -------------------------------------------------------------------------------


def test_flags_of_one_path_are_one_file_and_folders_are_none() -> None:
    """F1."""
    folder = item(
        "/d/image", ti_format="folder", ti_md5="", ti_size=0, custom_properties=needs(pagesize="9")
    )
    record = {
        "ti_items": [
            item("/d/a.pdf"),
            folder,
            item("/d/a.pdf", ti_file_flag="source"),
            item("/d/1.jpg", ti_size=None),
        ]
    }
    (pdf, jpg), broken = read_files(record, ADDRESSES)
    assert broken == 0
    assert (pdf.flags, pdf.pages, pdf.md5, pdf.size_bytes) == (("href", "source"), 9, "a" * 32, 10)
    assert (jpg.use, jpg.size_bytes, jpg.pages) == (FileUse.IMAGE, 0, 0)
    assert read_files({}, ADDRESSES) == ((), 0)


def test_a_rendition_says_what_stands_behind_its_playlist() -> None:
    facts = needs(total_size="79000000", count="90", Height="1080", Duration="PT14M55S", other=7)
    (file,), _ = read_files(
        {"ti_items": [item("/v/a-false-b.m3u8", custom_properties=facts)]}, ADDRESSES
    )
    assert (file.use, file.height, file.total_bytes, file.segments) == (
        FileUse.RENDITION,
        1080,
        79_000_000,
        90,
    )
    assert (file.duration_s, file.fetch_bytes, file.is_protected) == (895.0, 79_000_000, False)


@pytest.mark.parametrize(
    "changes",
    [
        {"custom_properties": {"encryption": "drm"}},
        {"custom_properties": {"encryption": "DRM"}},
        {"custom_properties": needs(encryption="true")},
        {"ti_storage": "cs_path:${ref-path}/v/a-1x1-true-b.m3u8"},
        {"ti_storages": [PRIVATE.format(1) + "/v/a-1x1-true-b.m3u8"]},
    ],
)
def test_any_mark_means_protected(changes: dict[str, Any]) -> None:
    """F2."""
    plain = item("/v/a-1x1-false-b.m3u8", custom_properties=needs(encryption="false"))
    assert not read_files({"ti_items": [plain]}, ADDRESSES)[0][0].is_protected
    for order in ([plain, {**plain, **changes}], [{**plain, **changes}, plain]):
        files, _ = read_files({"ti_items": order}, ADDRESSES)
        assert any(file.is_protected for file in files)
        same = [file for file in files if "-false-" in file.path]
        assert len(files) == 2 or same[0].is_protected


def test_a_file_is_known_by_its_path_whatever_the_mirror() -> None:
    """F3."""
    book = AddressBook("http://127.0.0.1:1")
    bare = item(
        "/d/a.pdf",
        ti_storage="",
        ti_storages=["https://evil.example/a.pdf", "http://127.0.0.1:1/r2-ndr-private/d/a.pdf"],
    )
    (file,), broken = read_files(
        {"ti_items": [bare, item("/x.pdf", ti_storage="", ti_storages=[])]}, book
    )
    assert (file.path, file.urls, broken) == ("/d/a.pdf", (PRIVATE.format(2) + "/d/a.pdf",), 1)
    (file,), _ = read_files(
        {"ti_items": [item("/d/a.bin", ti_storages=None, ti_md5="short")]}, book
    )
    assert (file.urls, file.use, file.md5) == ((), FileUse.OTHER, "")


# --- details -----------------------------------------------------------------------------


def sub(name: str, code: str = "micro_lesson_video", **changes: Any) -> dict[str, Any]:
    return {
        "id": name,
        "resource_type_code": code,
        "global_title": {"zh-CN": f"题 {name}"},
        "title": "视频课程",
        "custom_properties": {"alias_name": "视频课程", "duration": "PT1M"},
        "ti_items": [item(f"/{name}.m3u8")],
        **changes,
    }


def detail(subs: list[Any], hours: list[Any] | None = None, **changes: Any) -> dict[str, Any]:
    structure = {"relations": [{"res_ref": refs} for refs in hours]} if hours is not None else {}
    return {
        "id": "l1",
        "relations": {"national_course_resource": subs},
        "resource_structure": structure,
        **changes,
    }


REF = "$.relations.national_course_resource"


@pytest.mark.parametrize(
    ("hours", "periods"),
    [
        ([[REF + "[*]"]], (("a", "b", "c"),)),
        ([[REF]], (("a", "b", "c"),)),
        ([[REF + "[0]"], [REF + "[2, 1]"]], (("a",), ("c", "b"))),
        ([[REF + "[0]", REF + "[1]"], [REF + "[2]"]], (("a", "b"), ("c",))),
        ([[REF + "[0,7,x]"], [REF + "[9]"], []], (("a",),)),
        ([[REF + "[" + "9" * 5000 + "]"], ["$.other[*]"], ["$.relations.other[*]"]], ()),
    ],
)
def test_class_hours_follow_their_references(
    hours: list[list[str]], periods: tuple[tuple[str, ...], ...]
) -> None:
    """L1."""
    read, broken = READER.read(lesson(), detail([sub("a"), sub("b"), sub("c")], hours), "/p")
    assert (read.periods, broken) == (periods, 0)


def test_references_count_broken_entries_too() -> None:
    """L1, L2."""
    read, broken = READER.read(
        lesson(), detail([sub("a"), 7, sub("c")], [[REF + "[0]"], [REF + "[1,2]"]]), "/p"
    )
    assert (read.periods, broken) == ((("a",), ("c",)), 1)
    assert [(part.id, part.position, part.period) for part in read.parts] == [
        ("a", 0, 0),
        ("c", 1, 1),
    ]


def test_without_structure_tags_tell_the_class_hours() -> None:
    """L1."""

    def tagged(name: str, tag: str) -> dict[str, Any]:
        kind = {"tag_dimension_id": "bklx", "tag_id": "k", "tag_name": "视频课程"}
        return sub(name, tag_list=[kind, {"tag_dimension_id": "bkks", "tag_id": tag}])

    subs = [tagged("a", "第一课时"), tagged("b", "第二课时"), tagged("c", "第一课时")]
    read, _ = READER.read(lesson(), detail(subs), "/p")
    assert read.periods == (("a", "c"), ("b",))
    read, _ = READER.read(lesson(), detail([sub("a")]), "/p")
    assert (read.periods, read.parts[0].period) == ((), -1)


def test_parts_have_role_title_label_and_length() -> None:
    named = sub("b", "coursewares", global_title={}, custom_properties={"original_title": "原题"})
    bare = sub(
        "c",
        "learning_task",
        global_title=None,
        custom_properties=None,
        resource_type_code_name="任务单",
    )
    a, b, c = READER.read(lesson(), detail([sub("a"), named, bare]), "/p")[0].parts
    assert (a.role, a.title, a.label, a.duration_s) == (Role.VIDEO, "题 a", "视频课程", 60.0)
    assert (b.role, b.title, b.duration_s) == (Role.SLIDES, "原题", 0.0)
    assert (c.role, c.title, c.label) == (Role.TASK, "视频课程", "任务单")
    long = sub("d", ti_items=[item("/d.m3u8", custom_properties=needs(Duration="PT2M"))])
    assert READER.read(lesson(), detail([long]), "/p")[0].parts[0].duration_s == 120.0


def test_an_unknown_part_is_skipped_and_counted() -> None:
    """L2."""
    subs = [sub("a"), sub("b", "hologram"), sub("", "coursewares"), sub("c", ti_items=[7])]
    read, broken = READER.read(lesson(), detail(subs), "/p")
    assert ([part.id for part in read.parts], broken) == (["a", "c"], 3)


def test_recordings_are_parts_of_their_e_textbook() -> None:
    """L2: what is no recording, or has no file, is none; an id stands once."""
    book = lesson(LessonKind.TEXTBOOK)
    files = [{**item("/a.mp3"), "ti_format": "mp3"}]
    documents = [
        {**sub("a", "assets_audio"), "ti_items": files},
        {**sub("a", "assets_audio"), "ti_items": files},
        sub("b", "coursewares"),
        {**sub("c", "assets_audio"), "ti_items": []},
        7,
    ]
    read, broken = READER.add_recordings(book, documents, "/p")
    assert [(part.id, part.role, part.position) for part in read.parts] == [("a", Role.AUDIO, 0)]
    assert broken == 1
    with pytest.raises(ProtocolError, match="document_broken"):
        READER.add_recordings(book, {}, "/p")


def test_a_single_resource_is_its_own_part() -> None:
    document = {
        "id": "l1",
        "resource_type_code": "assets_document",
        "title": "语文",
        "ti_items": [item("/a.pdf")],
    }
    read, broken = READER.read(lesson(LessonKind.TEXTBOOK), document, "/p")
    assert ([part.role for part in read.parts], read.periods, broken) == (
        [Role.TEXTBOOK],
        (("l1",),),
        0,
    )
    read, _ = READER.read(lesson(LessonKind.SINGING), {**document, "ti_items": []}, "/p")
    assert (read.parts, read.periods, read.has_detail) == ((), (), True)
    read, broken = READER.read(
        lesson(LessonKind.SINGING), {**document, "resource_type_code": "?"}, "/p"
    )
    assert (read.parts, broken) == ((), 1)


@pytest.mark.parametrize(
    "document", [[], 7, {}, {"id": "other"}, detail([], [7]), detail([], relations=7)]
)
def test_what_is_no_detail_of_this_lesson_is_refused(document: object) -> None:
    with pytest.raises(ProtocolError, match="document_broken"):
        READER.read(lesson(), document, "/p")
