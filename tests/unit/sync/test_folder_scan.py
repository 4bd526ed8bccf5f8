"""What a folder of lessons is taken for (sync.source.folder, folder_names)."""

import os
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from client.domain.cancel import CancelToken
from client.domain.catalogue import FileUse, Role
from client.domain.errors import Cancelled
from sync.source import folder as folder_module
from sync.source.folder import MOST_DEPTH, FolderScan, scan, source_of
from sync.source.folder_names import ROLES, bare, natural, read_ways, role_of, shown

UNIT = "三年级/数学/下册/第六单元 认识分数"


def put(root: Path, *names: str, text: str = "x") -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def look(root: Path) -> FolderScan:
    return scan(root, CancelToken())


def titles(found: FolderScan) -> list[str]:
    return [lesson.title for lesson in found.lessons]


def refused(found: FolderScan) -> dict[str, str]:
    return {one.what: one.why for one in found.rejected}


# --- reading names -------------------------------------------------------------------------


def test_names_on_the_way_tell_place_unit_and_lesson(tmp_path):
    put(tmp_path, f"{UNIT}/分一分（一）/film.mp4", f"{UNIT}/分一分（一）/课件.pdf")
    (lesson,) = look(tmp_path).lessons
    assert (lesson.place.grade, lesson.place.subject, lesson.place.volume) == (
        "三年级", "数学", "下册",
    )  # fmt: skip
    assert (lesson.unit, lesson.title) == ("第六单元 认识分数", "分一分（一）")
    assert [file.role for file in lesson.files] == [Role.VIDEO, Role.SLIDES]
    assert lesson.is_placed
    assert lesson.book is not None
    assert lesson.section is not None


@pytest.mark.parametrize(
    "name", ["小学数学三年级下册(北师大版)", "北师大版 数学 三年级下册", "三年级数学下册 北师大版"]
)
def test_one_name_may_tell_the_whole_place(tmp_path, name):
    """N1"""
    put(tmp_path, f"county/{name}/分一分.mp4")
    (lesson,) = look(tmp_path).lessons
    place = lesson.place
    assert (place.grade, place.subject, place.volume) == ("三年级", "数学", "下册")
    assert place.edition == "北师大版"
    assert lesson.title == "分一分"


def test_a_lesson_that_is_called_like_a_place_keeps_its_name(tmp_path):
    """N1"""
    put(tmp_path, "三年级/语文/一年级的小豆豆/a.mp4", "三年级/语文/数学家的故事/b.mp4")
    found = look(tmp_path)
    assert sorted(titles(found)) == ["一年级的小豆豆", "数学家的故事"]
    assert {lesson.place.subject for lesson in found.lessons} == {"语文"}


def test_several_films_are_several_lessons_and_papers_go_to_the_nearest(tmp_path):
    put(tmp_path, f"{UNIT}/1.mp4", f"{UNIT}/10.mp4", f"{UNIT}/10 任务单.pdf", f"{UNIT}/1.pdf")
    found = look(tmp_path)
    assert titles(found) == ["1", "10"]
    assert [[f.path.name for f in lesson.files] for lesson in found.lessons] == [
        ["1.mp4", "1.pdf"], ["10.mp4", "10 任务单.pdf"],
    ]  # fmt: skip


def test_films_of_one_lesson_keep_its_name(tmp_path):
    put(tmp_path, f"{UNIT}/分一分/第2课时.mp4", f"{UNIT}/分一分/第1课时.mp4")
    assert titles(look(tmp_path)) == ["分一分 第1课时", "分一分 第2课时"]


def test_folders_by_kind_belong_to_the_lesson_above_them(tmp_path):
    put(tmp_path, f"{UNIT}/分一分/视频/a.mp4", f"{UNIT}/分一分/任务单/b.pdf")
    put(tmp_path, f"{UNIT}/视频/比大小.mp4", f"{UNIT}/视频/吃西瓜.mp4", f"{UNIT}/课件/比大小.pdf")
    found = {lesson.title: lesson for lesson in look(tmp_path).lessons}
    assert set(found) == {"分一分", "比大小", "吃西瓜"}
    assert [file.role for file in found["分一分"].files] == [Role.VIDEO, Role.TASK]
    assert [file.role for file in found["比大小"].files] == [Role.VIDEO, Role.SLIDES]


def test_papers_without_a_film_meet_under_one_title(tmp_path):
    put(tmp_path, f"{UNIT}/分一分课件.pdf", f"{UNIT}/分一分-任务单.pdf", f"{UNIT}/比大小.pdf")
    found = {lesson.title: len(lesson.files) for lesson in look(tmp_path).lessons}
    assert found == {"分一分": 2, "比大小": 1}
    assert bare("课件") == "课件"


def test_teaching_order_counts_as_people_do(tmp_path):
    units = ("第一单元", "第二单元", "第三单元", "第十单元", "第十二单元", "第二十一单元")
    for unit in units:
        put(tmp_path, f"三年级/数学/{unit}/2 乙/a.mp4", f"三年级/数学/{unit}/10 甲/a.mp4")
    found = look(tmp_path)
    assert [lesson.unit for lesson in found.lessons] == [unit for unit in units for _ in "ab"]
    assert titles(found)[:2] == ["2 乙", "10 甲"]
    assert [lesson.position for lesson in found.lessons] == list(range(len(found.lessons)))
    assert natural("第一百零三课") > natural("第九十九课") > natural("第19课")
    assert natural("½") == ("½",)


def test_a_single_file_is_a_lesson_of_its_own(tmp_path):
    put(tmp_path, "some.mp4", "other.mp4")
    found = look(tmp_path / "some.mp4")
    assert titles(found) == ["some"]
    assert not found.lessons[0].is_placed
    assert found.lessons[0].book is None
    assert found.lessons[0].section is None


def test_a_place_nobody_knows_stays_empty(tmp_path):
    put(tmp_path, "county/分一分/a.mp4")
    (lesson,) = look(tmp_path).lessons
    assert lesson.title == "分一分"
    assert not lesson.is_placed


@pytest.mark.parametrize(
    ("use", "name", "role"),
    [
        (FileUse.VIDEO_FILE, "练习课", Role.VIDEO),
        (FileUse.VIDEO_FILE, "水的实验", Role.EXPERIMENT),
        (FileUse.AUDIO, "课件朗读", Role.AUDIO),
        (FileUse.DOCUMENT, "实验", Role.SLIDES),
        (FileUse.DOCUMENT, "学习任务单", Role.TASK),
        (FileUse.DOCUMENT, "Homework", Role.EXERCISE),
        (FileUse.DOCUMENT, "教学设计", Role.PLAN),
        (FileUse.IMAGE, "课本", Role.TEXTBOOK),
    ],
)
def test_role_words_count_only_where_the_role_is_possible(use, name, role):
    """N2: a film that passed for a paper would be green without ever decoding."""
    assert role_of(use, name) is role


def test_a_description_cannot_give_a_film_the_role_of_a_paper(tmp_path):
    """N2"""
    put(tmp_path, "a/film.mp4", "a/b.pdf")
    text = 'title = "甲"\n[[part]]\nfile = "film.mp4"\nrole = "slides"\n'
    text += '[[part]]\nfile = "b.pdf"\nrole = "task"\ntitle = "单子"\n'
    put(tmp_path, "a/lesson.toml", text=text)
    (lesson,) = look(tmp_path).lessons
    found = {file.path.name: (file.role, file.title) for file in lesson.files}
    assert found == {"b.pdf": (Role.TASK, "单子"), "film.mp4": (Role.VIDEO, "film")}


# --- lesson.toml ----------------------------------------------------------------------------


def test_a_description_says_what_the_lesson_is(tmp_path):
    text = (
        'title = "分一分"\ngrade = "三年级"\nsubject = "数学"\nunit = "U"\nposition = 4\npart = 3'
    )
    put(put(tmp_path, "x/lesson.toml", text=text), "x/film.mp4", "x/none.exe")
    found = look(tmp_path)
    (lesson,) = found.lessons
    assert (lesson.title, lesson.place.grade, lesson.unit) == ("分一分", "三年级", "U")
    assert refused(found) == {"x/none.exe": "kind_unknown"}


def test_the_position_of_a_description_orders_a_unit(tmp_path):
    for name, at in (("甲", 2), ("乙", 1), ("丙", -7)):
        text = f'title = "{name}"\ngrade = "三年级"\nsubject = "数学"\nposition = {at}'
        put(put(tmp_path, f"{name}/lesson.toml", text=text), f"{name}/a.mp4")
    assert titles(look(tmp_path)) == ["丙", "乙", "甲"]


@pytest.mark.parametrize(
    "text",
    ["title = ", 'grade = "三年级"', "title = 3", "a = " + "[" * 9000, "\x00", "x = 1\n" * 20000],
)
def test_a_broken_description_is_listed_and_the_names_are_used(tmp_path, text):
    """F3"""
    put(put(tmp_path, f"{UNIT}/分一分/lesson.toml", text=text), f"{UNIT}/分一分/a.mp4")
    found = look(tmp_path)
    assert refused(found) == {f"{UNIT}/分一分/lesson.toml": "description_broken"}
    assert titles(found) == ["分一分"]


def test_a_description_without_files_is_no_lesson(tmp_path):
    put(tmp_path, "a/lesson.toml", text='title = "甲"')
    assert look(tmp_path) == FolderScan(lessons=(), rejected=())


# --- what is not taken ----------------------------------------------------------------------


def test_links_are_not_followed(tmp_path):
    """F1: neither to folders, nor to files, nor to a description, nor into a pipe."""
    outside = put(tmp_path / "out", "film.mp4", "lesson.toml", text='title = "secret"')
    inside = put(tmp_path / "in", "a/film.mp4", "b/film.mp4")
    (inside / "folder").symlink_to(outside)
    (inside / "link.mp4").symlink_to(outside / "film.mp4")
    (inside / "a" / "lesson.toml").symlink_to(outside / "lesson.toml")
    os.mkfifo(inside / "b" / "lesson.toml")
    os.mkfifo(inside / "pipe.mp4")
    found = look(inside)
    assert sorted(titles(found)) == ["a", "b"]
    assert refused(found) == {
        "folder": "is_link",
        "link.mp4": "is_link",
        "a/lesson.toml": "description_broken",
        "b/lesson.toml": "description_broken",
        "pipe.mp4": "kind_unknown",
    }


def test_what_cannot_be_used_is_listed_with_its_reason(tmp_path, monkeypatch):
    """F3"""
    put(tmp_path, "a/notes.exe", "a/film.mp4", "a/bare")
    (tmp_path / "a" / "empty.mp4").touch()
    with (tmp_path / "a" / "huge.mp4").open("wb") as file:
        file.truncate(folder_module.MOST_BYTES + 1)
    found = look(tmp_path)
    assert titles(found) == ["a"]
    assert refused(found) == {
        "a/notes.exe": "kind_unknown",
        "a/bare": "kind_unknown",
        "a/empty.mp4": "empty",
        "a/huge.mp4": "too_large",
    }


def test_hidden_and_unfinished_files_and_those_of_systems_are_passed_over(tmp_path):
    put(tmp_path, ".hidden/a.mp4", "._a.mp4", "~$课件.pdf", "a.mp4.part", "b.tmp", "c.crdownload")
    put(tmp_path, "$RECYCLE.BIN/a.mp4", "System Volume Information/x", "Thumbs.db")
    assert look(tmp_path) == FolderScan(lessons=(), rejected=())


def test_a_folder_that_cannot_be_read_is_listed(tmp_path, monkeypatch):
    """F3"""
    put(tmp_path, "good/a.mp4", "bad/b.mp4")
    real = os.scandir

    def scandir(path):
        if Path(path).name == "bad":
            raise PermissionError(13, "no", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    found = look(tmp_path)
    assert titles(found) == ["good"]
    assert refused(found) == {"bad": "unreadable"}


def test_a_file_that_goes_while_one_looks_is_listed(tmp_path, monkeypatch):
    """F3"""
    put(tmp_path, "a/film.mp4")
    real = os.walk

    def walk(root, **options):
        for place, folders, names in real(root, **options):
            yield place, folders, [*names, *(["gone.mp4"] if names else [])]

    monkeypatch.setattr(os, "walk", walk)
    assert refused(look(tmp_path)) == {"a/gone.mp4": "unreadable"}


def test_depth_and_number_are_bounded(tmp_path, monkeypatch):
    """F3"""
    deep = "/".join("d" * (MOST_DEPTH + 2))
    put(tmp_path, f"{deep}/a.mp4", "near/b.mp4")
    found = look(tmp_path)
    assert titles(found) == ["near"]
    assert list(refused(found).values()) == ["too_deep"]
    monkeypatch.setattr(folder_module, "MOST_FILES", 1)
    put(tmp_path, "one/c.mp4")
    assert refused(look(tmp_path))["one"] == "too_many_files"


def test_a_scan_can_be_cancelled(tmp_path):
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        scan(tmp_path, cancel)


def test_hostile_names_become_harmless_texts(tmp_path):
    """N3"""
    odd = [b"two\nlines.mp4", b"\xff\xfe.mp4", b"x \\..mp4", b"a" * 251 + b".mp4", b"\x1b[2J.mp4"]
    for name in [*odd, b"bad\xff\n.exe", b" .mp4"]:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_bytes(b"x")
    found = look(tmp_path)
    assert len(found.lessons) == len(odd) + 1
    for text in (*titles(found), *refused(found), *(lesson.id for lesson in found.lessons)):
        assert text
        assert text.isprintable()
        assert len(text.encode("utf-8")) <= 800
    assert len({lesson.id for lesson in found.lessons}) == len(found.lessons)


@given(name=st.text(max_size=300))
@settings(max_examples=200)
def test_any_name_is_shown_in_one_line(name):
    """N3"""
    text = shown(name)
    assert len(text) <= 200
    assert "\n" not in text
    text.encode("utf-8")


# --- identity -------------------------------------------------------------------------------

names = st.sampled_from(
    ["三年级", "数学", "第一单元", "分一分", "视频", "课件", "county", "a", "b"]
)
trees = st.sets(
    st.tuples(
        st.lists(names, max_size=4).map("/".join),
        st.sampled_from(["1.mp4", "2.mp4", "课件.pdf", "task.pdf", "x.mp3", "bad.exe"]),
    ),
    min_size=1,
    max_size=8,
)


@given(tree=trees, seed=st.integers())
@settings(max_examples=40, deadline=None)
def test_lessons_and_ids_do_not_depend_on_directory_order_or_mount(tmp_path_factory, tree, seed):
    """F1 F2: and nothing in the tree changes, and no file is in two lessons or lost."""
    shuffled = random.Random(seed)
    roots = [tmp_path_factory.mktemp("t") / "disk" for _ in "ab"]
    for root in roots:
        for place, name in tree:
            put(root, f"{place}/{name}" if place else name, text=place + name)
    before = [photo(root) for root in roots]
    real = os.scandir
    with pytest.MonkeyPatch.context() as patch:
        one = look(roots[0])
        patch.setattr(os, "scandir", lambda path: Shuffled(real(path), shuffled))
        two = look(roots[1])
    assert [known(lesson, roots[0]) for lesson in one.lessons] == [
        known(lesson, roots[1]) for lesson in two.lessons
    ]
    assert refused(one) == refused(two)
    assert [photo(root) for root in roots] == before
    taken = [str(file.path.relative_to(roots[0])) for x in one.lessons for file in x.files]
    whole = {str(Path(place) / name) for place, name in tree if name != "bad.exe"}
    assert sorted(taken) == sorted(whole)
    assert len({lesson.id for lesson in one.lessons}) == len(one.lessons)


class Shuffled:
    """A directory in another order."""

    def __init__(self, entries, shuffled):
        self._entries = list(entries)
        shuffled.shuffle(self._entries)
        self._next = iter(self._entries)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def __iter__(self):
        return self._next

    def __next__(self):
        return next(self._next)

    def close(self):
        """As scandir's."""


def known(lesson, root):
    files = [(str(file.path.relative_to(root)), file.role, file.title) for file in lesson.files]
    return lesson.id, lesson.title, lesson.unit, lesson.place, lesson.position, files


def photo(root: Path):
    return {
        str(path): (path.lstat().st_mtime_ns, path.lstat().st_mode, path.lstat().st_size)
        for path in [root, *root.rglob("*")]
    }


def test_films_without_a_place_are_told_apart_by_their_size(tmp_path):
    """F2: `01.mp4` of two disks are two lessons; the same one mounted elsewhere is one."""
    first = put(tmp_path / "m1", "disk/01.mp4", text="one") / "disk"
    again = put(tmp_path / "m2", "disk/01.mp4", text="one") / "disk"
    other = put(tmp_path / "m3", "disk/01.mp4", text="other") / "disk"
    ids = [look(root).lessons[0].id for root in (first, again, other)]
    assert ids[0] == ids[1] != ids[2]
    assert source_of(first) != source_of(again)


def test_roles_fit_every_use():
    """N2"""
    assert set(ROLES) == {FileUse.VIDEO_FILE, FileUse.AUDIO, FileUse.DOCUMENT, FileUse.IMAGE}
    assert read_ways(("三年级",)).place.grade == "三年级"
