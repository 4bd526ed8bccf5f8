"""Folders on sticks that others filled (sync.transport.stick)."""

import errno
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from client.domain.errors import StorageError, StorageFullError
from sync.engine.courier import Courier, CourierPorts
from sync.transport import stick as module
from sync.transport.folder_carrier import FolderCarrier
from sync.transport.stick import Stick, stick_errors


def test_files_are_there_whole_or_not_at_all(tmp_path, monkeypatch):
    """SF2"""
    stick = Stick(tmp_path)
    stick.write("a/b/c.idx", b"one")
    assert stick.read("a/b/c.idx", 10) == b"one"
    steps: list[int] = []
    for last in range(1, 12):
        steps.clear()

        def step(size, last=last):
            steps.append(size)
            if len(steps) >= last:
                raise StorageError("stick_failed")

        try:
            Stick(tmp_path, step).write("a/b/c.idx", b"two")
        except StorageError:
            assert stick.read("a/b/c.idx", 10) in (b"one", b"two")
        else:
            break
    assert last > 5
    assert stick.read("a/b/c.idx", 10) == b"two"
    assert [path.name for path in (tmp_path / "a" / "b").iterdir()] == ["c.idx"]


def test_nothing_outside_is_touched(tmp_path):
    """SF1"""
    outside, root = tmp_path / "outside", tmp_path / "stick"
    outside.mkdir()
    root.mkdir()
    (outside / "secret").write_bytes(b"secret")
    (root / "way").symlink_to(outside)
    (root / "file").symlink_to(outside / "secret")
    stick = Stick(root)
    for path in ("../outside/secret", "way/secret", "file", f"/{outside}/secret"):
        assert stick.size(path) is None
        assert stick.read(path, 100) is None
        assert not stick.leads_in(path)
        stick.remove(path)
        for act in (stick.open, stick.grow, lambda p: stick.write(p, b"x")):
            with pytest.raises(StorageError, match="stick_failed"):
                act(path)
    assert stick.names("way", 10) == ()
    assert stick.names("absent", 10) == ()
    assert (outside / "secret").read_bytes() == b"secret"
    assert [path.name for path in outside.iterdir()] == ["secret"]


def test_files_of_an_ending_are_found_wherever_they_lie(tmp_path):
    """SF1: not over links, not without bounds, those that lie high first."""
    outside, root = tmp_path / "outside", tmp_path / "stick"
    for folder in (outside, root / "b" / "c"):
        folder.mkdir(parents=True)
    for path in (outside / "x.p", root / "a.p", root / "b" / "d.p", root / "b" / "c" / "e.p"):
        path.write_bytes(b"x")
    (root / "b" / "f").write_bytes(b"x")
    (root / "folder.p").mkdir()
    (root / "way").symlink_to(outside)
    (root / "link.p").symlink_to(outside / "x.p")
    stick = Stick(root)
    assert stick.files(".p", 100) == ("a.p", "b/d.p", "b/c/e.p")
    assert stick.files(".p", 0) == ()
    assert len(stick.files(".p", 8)) == 2
    with pytest.raises(StorageError, match="stick_failed"):
        Stick(tmp_path / "gone").files(".p", 100)


def test_a_stick_that_can_only_be_read_is_told(tmp_path, monkeypatch):
    Stick(tmp_path).require_writable()
    real = os.statvfs(tmp_path)
    told = SimpleNamespace(f_flag=real.f_flag | os.ST_RDONLY)
    monkeypatch.setattr(os, "statvfs", lambda _: told)
    with pytest.raises(StorageError, match="stick_read_only"):
        Stick(tmp_path).require_writable()
    monkeypatch.delattr(os, "statvfs")
    Stick(tmp_path).require_writable()


@pytest.mark.skipif(os.name == "nt", reason="only on Windows there are no pipes")
def test_what_is_no_plain_file_is_not_opened(tmp_path):
    """SF1"""
    os.mkfifo(tmp_path / "pipe")
    stick = Stick(tmp_path)
    assert stick.size("pipe") is None
    with pytest.raises(StorageError):
        stick.open("pipe")


def test_a_file_grows_is_read_and_cut(tmp_path):
    """SF4"""
    stick = Stick(tmp_path)
    with stick.grow("a.part") as file:
        file.write(b"abcdef")
        file.sync()
        file.forget()
        file.seek(3)
        file.cut()
        assert file.size == 3
    with stick.open("a.part") as file:
        assert file.read(2) == b"ab"
        assert file.read(9) == b"c"
    stick.move("a.part", "a")
    assert stick.names("a/..", 5) == ()
    assert stick.size("a") == 3
    assert stick.read("a", 2) is None
    assert stick.free_bytes() > 0


def test_names_are_bounded(tmp_path):
    for number in range(9):
        (tmp_path / "x").mkdir(exist_ok=True)
        (tmp_path / "x" / str(number)).touch()
    assert len(Stick(tmp_path).names("x", 4)) == 4


@pytest.mark.parametrize(
    ("number", "kind", "code"),
    [(errno.EFBIG, StorageFullError, "stick_full"), (errno.EIO, StorageError, "stick_failed")],
)
def test_what_the_system_says_is_translated(number, kind, code):
    """SF3"""
    with pytest.raises(kind, match=code), stick_errors():
        raise OSError(number, "no")


def test_a_stick_that_is_gone_is_not_there(tmp_path):
    assert Stick(tmp_path).is_there()
    assert not Stick(tmp_path / "gone").is_there()


def test_a_system_that_knows_no_advice_does_without(tmp_path, monkeypatch):
    """SF4"""
    monkeypatch.delattr(module.os, "posix_fadvise", raising=False)
    with Stick(tmp_path).grow("a") as file:
        file.forget()


def test_a_file_that_grew_meanwhile_is_not_read(tmp_path, monkeypatch):
    (tmp_path / "a").write_bytes(b"123456")
    stick = Stick(tmp_path)
    monkeypatch.setattr(stick, "size", lambda _: 3)
    assert stick.read("a", 4) is None


def test_a_stick_whose_driver_is_gone_says_so(tmp_path, monkeypatch):
    """SF3: also where it is only asked what there is."""

    def gone(_path, **_more):
        raise OSError(errno.ENOTCONN, "gone")

    stick = Stick(tmp_path)
    stick.write("a/b", b"x")
    for name in ("is_dir", "exists"):
        monkeypatch.setattr(Path, name, gone)
    courier = Courier(CourierPorts(station=None, probe=None, labels=None))
    for act in (
        lambda: stick.names("a", 9),
        lambda: stick.write("a/c", b"x"),
        lambda: courier.inspect(tmp_path),
    ):
        with pytest.raises(StorageError, match="stick_failed"):
            act()
    with pytest.raises(StorageError, match="disk_failed"):
        list(FolderCarrier(tmp_path).answers())
