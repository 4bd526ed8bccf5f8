"""Packs to take home, asked for by the program on screen (HD1, HD2). sync.engine.home_desk."""

import threading
import zipfile

import pytest

from client.domain.availability import Decodes
from client.domain.cancel import CancelToken
from client.domain.clock import FrozenClock
from client.domain.errors import Cancelled, UserError
from client.service.paths import Profile
from client.service.station import Station
from client.service.sticks import HomeWish
from sync.engine import home_desk as module
from sync.engine.folder_import import import_folder
from sync.engine.home_desk import HomeDesk

PATIENCE_S = 20
UNIT = "三年级/数学/第六单元 认识分数"


@pytest.fixture
def station(tmp_path):
    source = tmp_path / "source"
    for title in ("分一分", "比大小"):
        folder = source / UNIT / title
        folder.mkdir(parents=True)
        (folder / "课件.pdf").write_bytes(b"%PDF-1.4\n" + title.encode())
    opened = Station(Profile(tmp_path / "profile"), FrozenClock())
    import_folder(opened, source, lambda _: Decodes.YES, CancelToken())
    yield opened
    opened.close()


@pytest.fixture
def desk(station):
    made = HomeDesk(station, lambda _source, _target: False)
    yield made
    made.close()


def lessons(station):
    return tuple(one.id for one in station.holdings.kept_lessons())


def quiet(_done, _whole):
    pass


def test_what_one_looks_at_is_offered_first(desk, station):
    titles = [one.title for one in desk.offers(()).result(PATIENCE_S)]
    assert titles == sorted(titles)
    last = max(lessons(station), key=lambda one: station.catalogue.lesson(one).title)
    first, other = desk.offers((last,)).result(PATIENCE_S)
    assert (first.id, first.is_soon, other.is_soon) == (last, True, False)
    assert first.size_bytes > 0


@pytest.mark.parametrize("is_zip", [False, True])
def test_no_pack_meets_another_one(desk, station, tmp_path, is_zip):
    """HD2"""
    wish = HomeWish(lessons=lessons(station), name="带回家", is_zip=is_zip)
    (tmp_path / "带回家").mkdir()
    (tmp_path / "带回家" / "其他.txt").write_text("x", encoding="utf-8")
    steps = []
    first = desk.pack(tmp_path, wish, lambda done, whole: steps.append((done, whole)))
    made = first.result(PATIENCE_S)
    again = desk.pack(tmp_path, wish, quiet).result(PATIENCE_S)
    assert (made.lessons, made.not_taken) == (2, ())
    assert steps[-1] == (2, 2)
    if is_zip:
        assert (made.path.name, again.path.name) == ("带回家.zip", "带回家 2.zip")
        assert "index.html" in zipfile.ZipFile(made.path).namelist()
    else:
        assert made.path.name == again.path.name == "带回家 2", "a folder of ours is packed again"
    assert (tmp_path / "带回家" / "其他.txt").read_text(encoding="utf-8") == "x"


def test_names_run_out_and_other_errors_are_told(desk, station, tmp_path, monkeypatch):
    """HD2"""
    monkeypatch.setattr(module, "_TRIES", 1)
    (tmp_path / "a.zip").touch()
    wish = HomeWish(lessons=lessons(station), name="a", is_zip=True)
    with pytest.raises(UserError, match="home_not_empty"):
        desk.pack(tmp_path, wish, quiet).result(PATIENCE_S)
    station.holdings.drop(wish.lessons[0])
    station.holdings.drop(wish.lessons[1])
    with pytest.raises(UserError, match="home_nothing"):
        desk.pack(tmp_path / "b", wish, quiet).result(PATIENCE_S)


def test_stopping_ends_one_pack_and_closing_all(desk, station, tmp_path):
    """HD1"""
    begun, gate = threading.Event(), threading.Event()
    wish = HomeWish(lessons=lessons(station), name="a", is_zip=True)

    def hold(_done, _whole):
        begun.set()
        assert gate.wait(PATIENCE_S)

    stopped = desk.pack(tmp_path, wish, hold)
    assert begun.wait(PATIENCE_S)
    desk.stop()
    gate.set()
    with pytest.raises(Cancelled):
        stopped.result(PATIENCE_S)
    assert not list(tmp_path.glob("a*"))
    assert desk.pack(tmp_path, wish, quiet).result(PATIENCE_S).lessons == 2
    begun.clear()
    gate.clear()
    last = desk.pack(tmp_path, wish, hold)
    assert begun.wait(PATIENCE_S)
    threading.Timer(0.05, gate.set).start()
    desk.close()
    assert last.done()


def test_closing_before_anything_was_asked(station):
    """HD1"""
    HomeDesk(station, lambda _source, _target: False).close()
