"""Lessons to take home: what leaves, what stays, what a bad stick does (sync.engine.take_home)."""

import errno
import re
import shutil
import zipfile
from dataclasses import replace
from html.parser import HTMLParser
from types import SimpleNamespace
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.domain.availability import Decodes
from client.domain.cancel import CancelToken
from client.domain.catalogue import Role
from client.domain.clock import FrozenClock
from client.domain.errors import Cancelled, StorageError, UsageError, UserError
from client.domain.ids import LessonId
from client.service.command.parse import Invocation
from client.service.paths import Profile
from client.service.station import Station
from client.service.text import Words
from sync.engine import take_home as module
from sync.engine.commands import commands
from sync.engine.courier_stick import PART
from sync.engine.folder_import import import_folder
from sync.engine.home_page import HomeFile, HomeLesson, page
from sync.engine.take_home import PAGE, HomePorts, take_home
from sync.source.folder import NO_RELAY

UNIT = "三年级/数学/第六单元 认识分数"
PDF = b"%PDF-1.4\n%%EOF\n"
FILM = b"\0\0\0\x18ftypmp42" + b"x" * 100
STREAM = (b"\x47" + b"\0" * 187) * 3


def put(root, name, data):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


@pytest.fixture
def station(tmp_path):
    source = tmp_path / "source"
    put(source, f"{UNIT}/分一分/film.mp4", FILM)
    put(source, f"{UNIT}/分一分/课件.pdf", PDF)
    put(source, f"{UNIT}/比大小/film.ts", STREAM)
    opened = Station(Profile(tmp_path / "profile"), FrozenClock())
    import_folder(opened, source, lambda _: Decodes.YES, CancelToken())
    yield opened
    opened.close()


def lessons(station):
    return [kept.id for kept in station.holdings.kept_lessons()]


def no_remux(_source, _target):
    return False


def repack(source, target):
    target.write_bytes(b"mp4" + source.read_bytes())
    return True


def ports(station, remux=no_remux, cancel=None, **options):
    return HomePorts(
        station=station,
        words=Words("zh_CN"),
        remux=remux,
        cancel=cancel or CancelToken(),
        **options,
    )


class Links(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.links, self.tags = [], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.links += [unquote(value) for name, value in attrs if name == "href"]


def links(out):
    return Links((out / PAGE).read_text(encoding="utf-8")).links


def files(out):
    return {
        str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()
    }


def names_of(report):
    return [(one.what, one.why) for one in report.rejected]


# --- what goes ------------------------------------------------------------------------------


def test_a_folder_holds_what_its_page_names(station, tmp_path):
    """TH2, TH3: and packing again changes nothing."""
    out = tmp_path / "home"
    report = take_home(ports(station), out, lessons(station))
    found = files(out)
    assert set(links(out)) == set(found) - {PAGE}
    assert sorted(found[name] for name in links(out)) == sorted([FILM, PDF, STREAM])
    assert (report.files, len(report.lessons), report.rejected) == (3, 2, ())
    assert report.size_bytes == sum(len(found[name]) for name in links(out))
    assert all(name.startswith("三年级/数学/第六单元 认识分数/") for name in links(out))
    again = take_home(ports(station), out, lessons(station))
    assert (again, files(out)) == (report, found)


def test_a_zip_holds_the_same(station, tmp_path):
    """TH2, TH4"""
    take_home(ports(station), tmp_path / "home", lessons(station))
    out = tmp_path / "deep/home.zip"
    report = take_home(ports(station), out, lessons(station))
    with zipfile.ZipFile(out) as found:
        assert found.testzip() is None
        held = {name: found.read(name) for name in found.namelist()}
    assert held == files(tmp_path / "home")
    assert report.path == str(out)
    assert list(out.parent.iterdir()) == [out]


def test_films_are_repacked_for_phones_or_the_page_says_where_they_play(station, tmp_path):
    """TH5, HP2"""
    note = Words("zh_CN")("home.stream")
    take_home(ports(station), tmp_path / "a", lessons(station))
    assert note in (tmp_path / "a" / PAGE).read_text(encoding="utf-8")
    take_home(ports(station, repack), tmp_path / "b", lessons(station))
    assert note not in (tmp_path / "b" / PAGE).read_text(encoding="utf-8")
    assert b"mp4" + STREAM in files(tmp_path / "b").values()
    assert not any(name.endswith(".ts") for name in links(tmp_path / "b"))
    assert not (station.profile.folder / "home").exists()


def mark(station, name, **changes):
    lesson = station.catalogue.lesson(name)
    parts = tuple(
        replace(part, files=tuple(replace(file, **changes) for file in part.files))
        for part in lesson.parts
    )
    station.catalogue.put_whole((replace(lesson, parts=parts),))


@pytest.mark.parametrize("changes", [{"flags": (NO_RELAY,)}, {"is_protected": True}])
def test_what_may_not_leave_stays(station, tmp_path, changes):
    """TH1"""
    one, other = lessons(station)
    mark(station, one, **changes)
    report = take_home(ports(station), tmp_path / "home", [one, other])
    assert report.lessons == (other,)
    assert {why for _, why in names_of(report)} == {"not_to_relay"}
    with pytest.raises(UserError, match="home_nothing"):
        take_home(ports(station), tmp_path / "none", [one])
    assert not (tmp_path / "none").exists()


def test_what_is_withdrawn_or_not_here_stays(station, tmp_path, monkeypatch):
    """TH1"""
    one, other = lessons(station)
    real = station.catalogue.record

    def record(name):
        return replace(real(name), is_withdrawn=name == one)

    monkeypatch.setattr(station.catalogue, "record", record)
    report = take_home(ports(station), tmp_path / "a", [one, other])
    assert [why for _, why in names_of(report)] == ["withdrawn"]
    monkeypatch.undo()
    station.holdings.drop(one)
    lesson = replace(station.catalogue.lesson(other), id=LessonId("bare"), parts=())
    station.catalogue.put_whole((lesson,))
    report = take_home(ports(station), tmp_path / "b", [LessonId("bare"), other, other])
    assert [why for _, why in names_of(report)] == ["not_here"]
    with pytest.raises(UserError, match="lesson_unknown"):
        take_home(ports(station), tmp_path / "c", [LessonId("nobody")])


def test_the_chapters_of_a_textbook_are_nothing_to_look_at(station, tmp_path):
    """TH1"""
    one, other = lessons(station)
    lesson = station.catalogue.lesson(one)
    parts = tuple(replace(part, role=Role.BOOKMARKS) for part in lesson.parts)
    station.catalogue.put_whole((replace(lesson, parts=parts),))
    assert take_home(ports(station), tmp_path / "home", [one, other]).lessons == (other,)


def test_nothing_of_the_room_goes(station, tmp_path):
    """TH1: neither the school nor its classes stand in any file."""
    station.room.set_room("云岭小学", "三年级教室").result()
    station.room.add_class("王老师的班", 3).result()
    take_home(ports(station), tmp_path / "home", lessons(station))
    whole = b"".join(files(tmp_path / "home").values())
    assert not any(word.encode() in whole for word in ("云岭", "三年级教室", "王老师"))


def test_lessons_of_one_name_do_not_meet(station, tmp_path):
    """TH2: also where capitals count for nothing."""
    one, other = lessons(station)
    for name, title in ((one, "Aux: A/B?"), (other, "aux: a/b?")):
        station.catalogue.put_whole((replace(station.catalogue.lesson(name), title=title),))
    take_home(ports(station), tmp_path / "home", [one, other])
    folders = {name.split("/")[3].lower() for name in links(tmp_path / "home")}
    assert len(folders) == 2
    assert not any(re.search(r'[<>:"\\|?*]', name) for name in links(tmp_path / "home"))
    assert set(files(tmp_path / "home")) - {PAGE} == set(links(tmp_path / "home"))


def test_a_lesson_without_a_place_stands_at_the_top(tmp_path):
    """TH2"""
    put(tmp_path / "source", "x.pdf", PDF)
    station = Station(Profile(tmp_path / "profile"), FrozenClock())
    import_folder(station, tmp_path / "source", lambda _: Decodes.YES, CancelToken())
    take_home(ports(station), tmp_path / "home", lessons(station))
    station.close()
    assert [name.count("/") for name in links(tmp_path / "home")] == [1]


# --- what goes wrong ------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["home", "home.zip"])
def test_nobody_elses_folder_is_written_into(station, tmp_path, name):
    """TH4"""
    out = tmp_path / name
    put(tmp_path, f"{name}/{PAGE}" if name == "home" else name, b"<html>mine</html>")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UserError, match="home_not_empty"):
        take_home(ports(station), out, lessons(station))
    if name == "home":
        (out / PAGE).rename(out / "other.txt")
        with pytest.raises(UserError, match="home_not_empty"):
            take_home(ports(station), out, lessons(station))
        (out / "other.txt").rename(out / PAGE)
        put(tmp_path, "file", b"x")
        with pytest.raises(UserError, match="home_not_empty"):
            take_home(ports(station), tmp_path / "file", lessons(station))
        (tmp_path / "file").unlink()
    assert sorted(tmp_path.rglob("*")) == before
    (tmp_path / "empty").mkdir()
    assert take_home(ports(station), tmp_path / "empty", lessons(station)).files == 3


@pytest.mark.parametrize("name", ["home", "home.zip"])
@pytest.mark.parametrize("stop_at", [0, 1])
def test_stopping_leaves_no_page_and_no_half_file(station, tmp_path, name, stop_at):
    """TH3, TH4: what is whole stays in a folder; the next packing goes on from it."""
    cancel = CancelToken()

    def stop(done, _all):
        if done == stop_at:
            cancel.cancel()

    with pytest.raises(Cancelled):
        take_home(ports(station, cancel=cancel, progress=stop), tmp_path / name, lessons(station))
    out = tmp_path / name
    assert not list(tmp_path.rglob(f"*{PART}"))
    if name == "home.zip":
        assert not out.exists()
    else:
        assert links(out) == []
        whole = files(out)
        del whole[PAGE]
        assert set(whole.values()) <= {FILM, PDF, STREAM}
    assert take_home(ports(station), out, lessons(station)).files == 3


@pytest.mark.parametrize("name", ["home", "home.zip"])
def test_a_disk_that_fails_is_told(station, tmp_path, monkeypatch, name):
    """TH3"""

    def fail(*_arguments):
        raise OSError(errno.EIO, "io")

    monkeypatch.setattr(module, "_copy", fail)
    with pytest.raises(StorageError, match="home_failed"):
        take_home(ports(station), tmp_path / name, lessons(station))
    assert not list(tmp_path.rglob(f"*{PART}"))


def test_what_was_left_of_a_file_goes_before_anything_is_written(station, tmp_path, monkeypatch):
    """TH4: both names of a renaming that was interrupted, since they may be one file."""
    out = tmp_path / "pack"
    take_home(ports(station), out, lessons(station))
    torn = next(path for path in out.rglob("*.pdf"))
    torn.with_name(torn.name + PART).write_bytes(torn.read_bytes())
    other = torn.parent / f"gone.mp4{PART}"
    other.write_bytes(b"x")
    left = []

    def look_and_copy(source, to, cancel, real=module._copy):
        left.append(sorted(out.rglob(f"*{PART}")))
        real(source, to, cancel)

    monkeypatch.setattr(module, "_copy", look_and_copy)
    take_home(ports(station), out, lessons(station))
    assert torn.read_bytes() == PDF
    assert left == [[torn.with_name(torn.name + PART)]]
    assert not list(out.rglob(f"*{PART}"))


def flip(source, to, cancel, real=module._copy):
    """A stick that keeps other bytes than it was given, for papers."""
    if source.suffix != ".pdf":
        return real(source, to, cancel)
    to.write(source.read_bytes()[:-1] + b"?")
    return None


def test_a_file_that_reads_back_wrong_is_told_and_not_listed(station, tmp_path, monkeypatch):
    """TH3"""
    monkeypatch.setattr(module, "_copy", flip)
    report = take_home(ports(station), tmp_path / "home", lessons(station))
    assert [why for _, why in names_of(report)] == ["written_wrong"]
    assert not any(
        name.endswith(".pdf") for name in [*links(tmp_path / "home"), *files(tmp_path / "home")]
    )
    with pytest.raises(StorageError, match="home_failed"):
        take_home(ports(station), tmp_path / "home.zip", lessons(station))
    assert not list(tmp_path.glob("home.zip*"))


def test_a_lesson_of_which_nothing_could_be_written_is_not_listed(station, tmp_path, monkeypatch):
    """TH2, TH3: and a file too long for FAT32 stays here."""
    monkeypatch.setattr(module, "MOST_BYTES", len(PDF))
    report = take_home(ports(station), tmp_path / "home", lessons(station))
    assert [why for _, why in names_of(report)] == ["too_large"] * 2
    assert (report.files, len(report.lessons)) == (1, 1)


def test_a_full_stick_is_told_before_anything_is_written(station, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1))
    with pytest.raises(StorageError, match="home_full"):
        take_home(ports(station), tmp_path / "home", lessons(station))
    assert not (tmp_path / "home").exists()


# --- the page and the command ---------------------------------------------------------------


@given(st.text(), st.text(), st.text(min_size=1))
def test_no_title_is_read_as_anything_but_text(title, name, path):
    """HP1: no script, nothing from elsewhere, every link whole."""
    file = HomeFile(name=name, path=path, size_bytes=1, is_stream=False)
    text = page([HomeLesson(title=title, place=name, files=(file,))], Words("en")).decode(
        "utf-8", "surrogatepass"
    )
    found = Links(text)
    assert found.tags <= {
        "html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "small", "ul", "li", "a",
    }  # fmt: skip
    assert found.links == [path]


def test_the_command_packs_and_refuses_what_it_cannot(station, tmp_path):
    said = []
    export = commands(lambda _: Decodes.YES, said.append, CancelToken())["export"]
    values = (("format", "home"), ("out", tmp_path / "home"), ("lessons", tuple(lessons(station))))
    assert export(station, Invocation(command="export", values=values)).files == 3
    assert said[-1] == "lessons 2/2"
    with pytest.raises(UsageError, match="usage"):
        export(station, Invocation(command="export", values=values[:2]))
    with pytest.raises(UsageError, match="not_in_this_version"):
        export(station, Invocation(command="export", values=(("format", "csv"), *values[1:])))
