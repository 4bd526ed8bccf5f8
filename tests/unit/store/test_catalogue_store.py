"""C1 to C4: what is kept of the catalogue, and what counts as a change of it."""

import dataclasses
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from client.domain.catalogue import (
    Book,
    FileUse,
    Lesson,
    LessonKind,
    Part,
    Placement,
    RemoteFile,
    Role,
    Section,
    Tag,
    TagNode,
)
from client.domain.ids import BookId, LessonId, PartId, SectionId, SourceId
from client.domain.seen import Seen, Validator
from client.store.catalogue_read import FileRow, SourceRow
from client.store.catalogue_rows import DetailState, book_key, lesson_key, parts_key
from client.store.catalogue_store import CatalogueStore, Changes
from client.store.database import Database
from client.store.library import open_library

HERE = SourceId("platform")
B1 = BookId("b1")
TAGS = tuple(Tag(dimension=f"d{n}", id=f"i{n}", name=f"名{n}") for n in range(3))
PLACE = Placement(stage="小学", grade="三年级", subject="语文", edition="统编版", volume="上册")
BOOK = Book(id=B1, source=HERE, title="语文", place=PLACE, tags=TAGS, provider="社")


def lesson(name: str, **changes: object) -> Lesson:
    made = Lesson(
        id=LessonId(name),
        source=HERE,
        kind=LessonKind.NATIONAL,
        title=f"题\n{name}",
        place=PLACE,
        book=B1,
        sections=(SectionId("u1"), SectionId("s1")),
        position=100,
        week="第1周",
        provider="社",
        tags=TAGS,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


FILE = RemoteFile(
    path="/p/v.m3u8",
    urls=("https://r1/p/v.m3u8", "https://r2/p/v.m3u8"),
    format="m3u8",
    flags=("href", "href-m3u8"),
    use=FileUse.RENDITION,
    md5="0" * 32,
    size_bytes=5,
    is_protected=True,
    height=360,
    total_bytes=1000,
    segments=7,
    duration_s=61.5,
    pages=3,
)


def detailed(name: str, file: RemoteFile = FILE, **changes: object) -> Lesson:
    part = Part(
        id=PartId(f"{name}-p"),
        lesson=LessonId(name),
        role=Role.VIDEO,
        title="视频",
        label="视频课程",
        position=0,
        period=0,
        duration_s=61.5,
        files=(file, replace(file, path="/p/2.jpg", use=FileUse.IMAGE)),
    )
    return lesson(name, parts=(part,), periods=((part.id,),), has_detail=True, **changes)


def section(name: str, position: int, title: str, parent: str | None = None) -> Section:
    return Section(
        id=SectionId(name),
        book=B1,
        parent=SectionId(parent) if parent else None,
        position=position,
        title=title,
    )


TREE = (
    section("u1", 0, " 第一\n单元"),
    section("s1", 1, "一 课", "u1"),
    section("s2", 2, "二", "u1"),
)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    library = open_library(tmp_path / "library.db")
    yield library
    library.close()


@pytest.fixture
def store(db: Database) -> CatalogueStore:
    return CatalogueStore(db)


def test_what_is_put_is_given_back(store: CatalogueStore) -> None:
    store.put_books(HERE, [BOOK])
    store.put_sections(HERE, B1, TREE)
    assert store.put_lessons(HERE, [lesson("l1")]) == Changes(added=("l1",))
    assert store.put_detail(detailed("l1"))
    shown = detailed("l1", section_titles=("第一 单元", "一 课"))
    assert store.lesson(LessonId("l1")) == shown
    assert store.lessons([LessonId("x"), LessonId("l1")]) == (shown,)
    assert store.book(B1) == BOOK
    assert (store.sections(B1), store.books(), store.books(HERE)) == (TREE, (BOOK,), (BOOK,))
    assert store.books(SourceId("other")) == ()
    assert (store.book(BookId("x")), store.lesson(LessonId("x"))) == (None, None)
    assert store.parts_of_books([B1]) == 1


def test_equal_content_writes_nothing(db: Database, store: CatalogueStore) -> None:
    """C1: order of tags, mirrors and repetition are noise."""
    store.put_books(HERE, [BOOK])
    store.put_sections(HERE, B1, TREE)
    store.put_lessons(HERE, [lesson("l1")])
    store.put_detail(detailed("l1"))
    before = db.read_here(lambda c: list(c.iterdump()))
    turned = TAGS[::-1]
    assert store.put_books(HERE, [replace(BOOK, tags=turned)]) == Changes()
    assert store.put_sections(HERE, B1, TREE) == Changes()
    assert store.put_lessons(HERE, [lesson("l1", tags=turned)]) == Changes()
    other_host = replace(FILE, urls=("https://r3/p/v.m3u8",))
    assert not store.put_detail(detailed("l1", other_host))
    assert not store.put_tags(HERE, ())
    assert db.read_here(lambda c: list(c.iterdump())) == before


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_every_field_counts_in_the_change_key(data: st.DataObject) -> None:
    """C1 the other way: what is kept of a record changes its key."""
    whole = detailed("l1")
    field = data.draw(st.sampled_from(["source", "title", "book", "position", "week", "provider"]))
    other = replace(whole, **{field: 7 if field == "position" else "anders"})  # type: ignore[arg-type]
    assert lesson_key(other) != lesson_key(whole)
    assert parts_key(other) == parts_key(whole)
    name = data.draw(st.sampled_from([f.name for f in dataclasses.fields(RemoteFile)]))
    mended = replace(FILE, **{name: _other(getattr(FILE, name))})
    assert (parts_key(detailed("l1", mended)) == parts_key(whole)) == (name == "urls")
    place = replace(PLACE, grade="四年级")
    assert book_key(replace(BOOK, place=place)) != book_key(BOOK)


def _other(value: object) -> object:
    if isinstance(value, bool):
        return not value
    if isinstance(value, FileUse):
        return FileUse.OTHER
    if isinstance(value, tuple):
        return (*value, "mehr")
    return value + 1 if isinstance(value, int | float) else f"{value}x"


def test_changes_are_told_apart_from_additions(store: CatalogueStore) -> None:
    store.put_books(HERE, [BOOK])
    assert store.put_books(HERE, [replace(BOOK, title="新"), replace(BOOK, id=BookId("b2"))]) == (
        Changes(added=("b2",), changed=("b1",))
    )
    store.put_lessons(HERE, [lesson("l1")])
    again = store.put_lessons(HERE, [lesson("l1", title="新"), lesson("l2"), lesson("l2")])
    assert again == Changes(added=("l2",), changed=("l1",))
    store.put_detail(detailed("l1"))
    assert store.put_detail(detailed("l1", replace(FILE, md5="1" * 32)))


def test_a_list_leaves_the_parts_alone(store: CatalogueStore) -> None:
    store.put_lessons(HERE, [lesson("l1")])
    store.put_detail(detailed("l1"))
    store.put_lessons(HERE, [lesson("l1", title="新")])
    held = store.lesson(LessonId("l1"))
    assert held is not None
    assert (held.title, held.parts) == ("新", detailed("l1").parts)


def test_a_new_tree_renames_the_paths_shown(store: CatalogueStore) -> None:
    store.put_sections(HERE, B1, TREE)
    store.put_lessons(HERE, [lesson("l1"), lesson("l2", sections=(SectionId("s2"),))])
    moved = (replace(TREE[0], title="新"), *TREE[1:])
    assert store.put_sections(HERE, B1, moved).changed == ("l1",)
    held = store.lesson(LessonId("l1"))
    assert held is not None
    assert (held.unit, held.section_titles) == ("新", ("新", "一 课"))
    assert store.put_sections(HERE, B1, ()).changed == ("l1", "l2")
    held = store.lesson(LessonId("l1"))
    assert held is not None
    assert (held.unit, held.section_titles) == ("", ())


def test_lessons_stand_in_reading_order(store: CatalogueStore) -> None:
    store.put_sections(HERE, B1, TREE)
    put = [
        lesson("z", sections=(SectionId("s1"),), position=2),
        lesson("y", sections=(SectionId("s2"),), position=1),
        lesson("x", sections=(SectionId("s1"),), position=1),
        lesson("w", sections=(), position=0),
        lesson("v", sections=(SectionId("strange"),), position=0),
    ]
    store.put_lessons(HERE, put)
    assert [found.id for found in store.lessons_of_book(B1)] == ["x", "z", "y", "v", "w"]


def test_a_withdrawn_lesson_comes_back_under_its_number(store: CatalogueStore) -> None:
    """C3."""
    store.put_lessons(HERE, [lesson("l1"), lesson("l2")])
    before = store.record(LessonId("l1"))
    assert store.withdraw([LessonId("l1"), LessonId("x")]) == ("l1",)
    assert store.withdraw([LessonId("l1")]) == ()
    assert [found.id for found in store.lessons_of_book(B1)] == ["l2"]
    assert (store.ids_of_book(B1), store.ids_of_book(B1, withdrawn=True)) == (("l2",), ("l1",))
    gone = store.record(LessonId("l1"))
    assert gone is not None
    assert gone.is_withdrawn
    assert store.restore([LessonId("l1")]) == ("l1",)
    assert store.record(LessonId("l1")) == before


def test_books_are_withdrawn_and_restored(store: CatalogueStore) -> None:
    store.put_books(HERE, [BOOK])
    assert store.withdraw_books([B1]) == (B1,)
    assert (store.books(), store.books(withdrawn=True)) == ((), (BOOK,))
    store.put_books(HERE, [replace(BOOK, title="新")])
    assert store.books() == ()
    assert store.restore_books([B1]) == (B1,)
    assert store.books()[0].title == "新"


def test_e_textbooks_have_no_book(store: CatalogueStore) -> None:
    textbook = lesson(
        "t1", kind=LessonKind.TEXTBOOK, book=None, sections=(), section_titles=("丛书",)
    )
    store.put_lessons(HERE, [textbook, lesson("l1")])
    assert store.textbooks(HERE) == (textbook,)
    assert store.ids_of_textbooks(HERE) == ("t1",)
    store.withdraw([LessonId("t1")])
    assert (store.textbooks(HERE), store.ids_of_textbooks(HERE, withdrawn=True)) == ((), ("t1",))


def test_a_whole_lesson_comes_in_one_go(store: CatalogueStore) -> None:
    whole = detailed("f-1", source=SourceId("folder-1"), section_titles=("单元", "课"))
    bare = lesson("f-2")
    assert store.put_whole([whole, bare]) == Changes(added=("f-1", "f-2"))
    assert store.lesson(LessonId("f-1")) == whole
    assert store.put_whole([whole]) == Changes()
    other = replace(whole, title="新", parts=())
    assert store.put_whole([other]) == Changes(changed=("f-1",))
    assert store.put_whole([replace(whole, title="新")]) == Changes(changed=("f-1",))


def test_a_detail_of_an_unknown_lesson_is_left_out(store: CatalogueStore) -> None:
    assert not store.put_detail(detailed("nobody"))
    assert store.lesson(LessonId("nobody")) is None


def test_answers_of_details_are_noted(store: CatalogueStore) -> None:
    store.put_lessons(HERE, [lesson("l1")])
    start = store.changed_since(0).cursor
    for state in (DetailState.GONE, DetailState.REFUSED, DetailState.REFUSED):
        store.put_detail_state(LessonId("l1"), state)
        record = store.record(LessonId("l1"))
        assert record is not None
        assert record.detail is state
    assert store.changed_since(start).cursor == start + 2
    store.put_detail(detailed("l1"))
    store.put_detail_state(LessonId("l1"), DetailState.GONE)
    assert not store.put_detail(detailed("l1")), "the parts are as they were"
    record = store.record(LessonId("l1"))
    assert record is not None
    assert record.detail is DetailState.HERE


def test_a_document_is_remembered_with_its_rows(db: Database, store: CatalogueStore) -> None:
    """C2."""
    seen = Seen(
        path="/l", validator=Validator(etag='"e"', modified="m", digest="d"), ids=("l1", "l2")
    )
    memory = store.memory(HERE)
    assert memory.recall("/l") is None
    store.put_lessons(HERE, [lesson("l1")], [seen])
    assert memory.recall("/l") == seen
    assert store.memory(SourceId("other")).recall("/l") is None
    newer = replace(seen, ids=())
    for put in (
        lambda: store.put_tags(HERE, (), [newer]),
        lambda: store.put_books(HERE, [], [replace(newer, path="/b")]),
        lambda: store.put_sections(HERE, B1, (), [replace(newer, path="/s")]),
        lambda: store.put_detail(detailed("l1"), [replace(newer, path="/d")]),
    ):
        put()
    assert [memory.recall(path) is not None for path in ("/l", "/b", "/s", "/d")] == [True] * 4
    broken = replace(lesson("l3"), title=None)  # type: ignore[arg-type]
    with pytest.raises(Exception):  # noqa: B017 - any failure of the transaction
        store.put_lessons(HERE, [lesson("l4"), broken], [replace(seen, path="/never")])
    assert memory.recall("/never") is None
    assert store.lesson(LessonId("l4")) is None


def test_sources_are_kept_in_order(store: CatalogueStore) -> None:
    first = SourceRow(id=HERE, kind="platform", address="http://127.0.0.1:1", pace_s=0.0)
    second = SourceRow(id=SourceId("folder-1"), kind="folder", address="/x")
    store.put_source(first)
    store.put_source(second)
    store.put_source(replace(first, pace_s=None))
    assert store.sources() == (replace(first, pace_s=None), second)


def test_tag_trees_are_replaced_as_a_whole(store: CatalogueStore) -> None:
    nodes = [
        TagNode(path="r", parent="", position=0, tag=Tag(dimension="", id="r", name="")),
        TagNode(path="r/a", parent="r", position=0, tag=TAGS[0], is_hidden=True),
    ]
    assert store.put_tags(HERE, nodes)
    assert store.tag_nodes(HERE) == tuple(nodes)
    assert not store.put_tags(HERE, nodes)
    assert store.put_tags(HERE, nodes[:1])
    assert store.tag_nodes(HERE) == tuple(nodes[:1])


def test_a_file_is_found_by_digest_and_size(store: CatalogueStore) -> None:
    store.put_lessons(HERE, [lesson("l1")])
    store.put_detail(detailed("l1", replace(FILE, md5="a" * 32)))
    found = FileRow(lesson=LessonId("l1"), part=PartId("l1-p"), path="/p/v.m3u8")
    assert found in store.files_with("a" * 32, 5)
    assert store.files_with("a" * 32, 6) == ()
    assert store.files_with("", 5) == ()
    assert store.lengths_with_md5([5, 6]) == {5}
    store.put_detail(detailed("l1", replace(FILE, md5="a" * 32, size_bytes=0)))
    assert store.lengths_with_md5([6]) == {0}
    store.put_detail(detailed("l1", replace(FILE, md5="")))
    assert store.lengths_with_md5([5]) == frozenset()


@given(
    st.lists(
        st.tuples(st.sampled_from(["put", "rename", "detail", "gone", "back"]), st.integers(0, 4)),
        max_size=12,
    ),
    st.integers(1, 4),
)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_follower_sees_every_change(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]], limit: int
) -> None:
    """C4: whoever remembers a cursor is given every lesson changed since, at any page size."""
    db = open_library(tmp_path_factory.mktemp("follow") / "library.db")
    store = CatalogueStore(db)
    cursor, copy = 0, {}
    for count, (what, number) in enumerate(steps):
        name = LessonId(f"l{number}")
        match what:
            case "put":
                store.put_lessons(HERE, [lesson(f"l{n}") for n in range(number + 1)])
            case "rename":
                store.put_whole([lesson(name, title=f"新{count}")])
            case "detail":
                store.put_detail(detailed(name, replace(FILE, pages=count)))
            case "gone":
                store.withdraw([name])
            case _:
                store.restore([name])
        if count % 3 == 2:
            cursor = _follow(db, store, cursor, limit, copy)
    _follow(db, store, cursor, limit, copy)
    rows = db.read_here(
        lambda c: c.execute("SELECT n, title, is_withdrawn, parts_digest FROM lesson")
    )
    assert copy == {row[0]: row[1:] for row in rows.fetchall()}
    db.close()


def _follow(
    db: Database,
    store: CatalogueStore,
    cursor: int,
    limit: int,
    copy: dict[int, tuple[object, ...]],
) -> int:
    is_all = False
    while not is_all:
        changed = store.changed_since(cursor, limit)
        for n in changed.rows:
            row = db.read_here(
                lambda c, n=n: c.execute(
                    "SELECT title, is_withdrawn, parts_digest FROM lesson WHERE n = ?", (n,)
                ).fetchone()
            )
            copy[n] = row
        cursor, is_all = changed.cursor, changed.is_all
    return cursor
