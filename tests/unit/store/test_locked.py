"""LK1 and B4: a scanner or a player that holds a file costs a moment, never what was verified."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from client.domain.cancel import CancelToken
from client.domain.errors import StorageError
from client.store import locked
from client.store.blob_store import BlobStore
from client.store.disk import write_durably
from client.store.durable import write_file
from tests.unit.store.test_blob_store import DATA, DIGEST, put

ALWAYS = 1 << 30


@contextmanager
def held(times: int, folder: str = "") -> Iterator[list[int]]:
    """Refuse the first renames and deletions of files below a folder, as Windows does."""
    left = [times]
    replace, unlink = Path.replace, Path.unlink

    def refuse(path: Path) -> None:
        if left[0] and folder in str(path.parent):
            left[0] -= 1
            raise PermissionError(13, "held by another program")

    def held_replace(path: Path, target: Path) -> Path:
        refuse(path)
        return replace(path, target)

    def held_unlink(path: Path, missing_ok: bool = False) -> None:
        if path.exists():
            refuse(path)
        unlink(path, missing_ok=missing_ok)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "replace", held_replace)
        patch.setattr(Path, "unlink", held_unlink)
        yield left


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locked, "PAUSES_S", (0.0,) * len(locked.PAUSES_S))


def test_lk1_it_is_tried_again_so_often_and_no_more(tmp_path: Path) -> None:
    calls: list[int] = []

    def refused() -> None:
        calls.append(1)
        raise PermissionError

    with pytest.raises(PermissionError):
        locked.patiently(refused)
    assert len(calls) == len(locked.PAUSES_S) + 1
    assert locked.patiently(lambda: 3) == 3
    with pytest.raises(FileNotFoundError):
        locked.replace(tmp_path / "none", tmp_path / "other")
    locked.unlink(tmp_path / "none")


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(times=st.integers(0, len(locked.PAUSES_S)))
def test_lk1_every_file_operation_outlasts_a_short_hold(tmp_path: Path, times: int) -> None:
    store = BlobStore(tmp_path / "blobs", floor_bytes=0)
    source = tmp_path / "source.pdf"
    source.write_bytes(DATA)
    with held(times):
        put(store)
    with held(times):
        write_durably(tmp_path / "note.json", b"1")
    with held(times):
        write_file(tmp_path / "note.json", b"2")
    with held(times):
        assert store.import_file(source, "pdf", CancelToken()).stored.digest == DIGEST
    assert store.matches(DIGEST, ".pdf")
    with held(times):
        assert store.drop(DIGEST, ".pdf") == len(DATA)
    assert [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()] == []


def test_lk1_verified_bytes_wait_for_a_file_that_is_held_for_long(tmp_path: Path) -> None:
    store = BlobStore(tmp_path / "blobs", floor_bytes=0)
    growing = store.growing("k", "x")
    growing.write(DATA)
    with held(ALWAYS), pytest.raises(StorageError):
        store.commit(growing, "pdf")
    again = store.growing("k", "x")
    assert (again.size, again.sha256) == (len(DATA), DIGEST)
    assert store.commit(again, "pdf").digest == DIGEST
    assert store.matches(DIGEST, ".pdf")


def test_b4_a_dropped_blob_that_is_held_goes_at_the_next_start(tmp_path: Path) -> None:
    store = BlobStore(tmp_path / "blobs", floor_bytes=0)
    put(store)
    with held(ALWAYS):
        assert store.drop(DIGEST, ".pdf") == 0
        assert store.sweep(["other"]) == 0
    assert store.path(DIGEST, ".pdf").exists()
    assert store.sweep([]) == len(DATA)
    assert not store.path(DIGEST, ".pdf").exists()
    assert store.sweep([]) == 0


def test_b4_a_blob_that_came_again_does_not_go(tmp_path: Path) -> None:
    store = BlobStore(tmp_path / "blobs", floor_bytes=0)
    put(store)
    with held(ALWAYS):
        store.drop(DIGEST, ".pdf")
    put(store)
    assert store.sweep([]) == 0
    assert store.matches(DIGEST, ".pdf")


def test_b4_a_blob_that_a_crash_left_to_be_found_does_not_go(tmp_path: Path) -> None:
    store = BlobStore(tmp_path / "blobs", floor_bytes=0)
    growing = store.growing("k", "x")
    growing.write(DATA)
    store.commit(growing, "pdf")
    with held(ALWAYS):
        store.drop(DIGEST, ".pdf")
    assert store.finished(store.growing("k", "x")) is not None
    store.sweep(["k"])
    assert store.matches(DIGEST, ".pdf")


def test_b4_a_bad_blob_that_is_held_goes_at_the_next_start(tmp_path: Path) -> None:
    store = BlobStore(tmp_path / "blobs", floor_bytes=0)
    put(store)
    store.path(DIGEST, ".pdf").write_bytes(b"rotten!!!!")
    with held(ALWAYS):
        assert not store.matches(DIGEST, ".pdf")
    assert store.sweep([]) == len(DATA)
    assert not store.path(DIGEST, ".pdf").exists()
