"""B1 to B3: a file stands under its digest only when it has it."""

import hashlib
import os
from pathlib import Path

import pytest

from client.domain.cancel import CancelToken
from client.domain.errors import (
    Cancelled,
    DigestMismatchError,
    StorageError,
    StorageFullError,
    UserError,
)
from client.domain.ids import Digest
from client.store import disk
from client.store.blob_store import BlobStore, clean_ext, growing_key
from client.store.disk import write_durably

DATA = b"one lesson"
DIGEST = Digest(hashlib.sha256(DATA).hexdigest())


@pytest.fixture
def store(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "blobs", floor_bytes=0)


def put(store: BlobStore, data: bytes = DATA, key: str = "k") -> Digest:
    growing = store.growing(key, "x")
    growing.write(data)
    stored = store.commit(growing, "pdf")
    growing.discard()
    return stored.digest


def test_a_committed_file_stands_under_its_digest(store: BlobStore) -> None:  # B1
    assert put(store) == DIGEST
    path = store.path(DIGEST, ".pdf")
    assert path.read_bytes() == DATA
    assert path.parent.name == DIGEST[:2]
    assert store.has(DIGEST, ".pdf", len(DATA))
    assert not store.has(DIGEST, ".pdf", 3)
    assert not store.has(Digest("0" * 64), ".pdf", 3)
    assert store.matches(DIGEST, ".pdf")
    assert put(store) == DIGEST  # the same bytes again are no harm


def test_a_life_that_ended_after_the_move_finds_its_blob(store: BlobStore) -> None:  # B2
    growing = store.growing("k", "x")
    assert store.finished(growing) is None
    growing.write(DATA)
    store.commit(growing, "pdf")
    again = store.growing("k", "x")
    found = store.finished(again)
    assert found is not None
    assert (found.digest, found.ext, found.size_bytes) == (DIGEST, ".pdf", len(DATA))
    store.path(DIGEST, ".pdf").write_bytes(b"someone else's")
    assert store.finished(store.growing("k", "x")) is None
    assert store.growing("k", "x").done is None


def test_a_life_that_ended_before_the_move_has_all_bytes(store: BlobStore) -> None:  # B2
    growing = store.growing("k", "x")
    growing.write(DATA)
    growing.seal(".pdf")
    again = store.growing("k", "x")
    assert store.finished(again) is None
    assert again.size == len(DATA)
    assert store.commit(again, "pdf").digest == DIGEST


def test_a_bad_file_is_set_aside_and_good_bytes_take_its_place(store: BlobStore) -> None:  # B3
    put(store)
    path = store.path(DIGEST, ".pdf")
    path.write_bytes(b"rotten!!!!")
    assert not store.matches(DIGEST, ".pdf")
    assert not path.exists()
    damaged = store.folder / "damaged" / path.name
    assert damaged.read_bytes() == b"rotten!!!!"
    assert not store.matches(DIGEST, ".pdf")
    put(store)
    assert store.matches(DIGEST, ".pdf")
    assert not damaged.exists()


def test_the_marks_of_a_finished_file_stay_until_it_is_dropped(store: BlobStore) -> None:
    growing = store.growing("k", "x")
    growing.write(DATA)
    store.retire(growing)  # not complete: nothing to keep
    assert not list((store.folder / "marks").iterdir())
    store.commit(growing, "pdf")
    for _ in range(2):
        store.retire(growing)
        (marks,) = (store.folder / "marks").iterdir()
        assert marks.name == f"{DIGEST}.list"
    assert not list((store.folder / "incoming").iterdir())
    store.drop(DIGEST, ".pdf")
    assert not marks.exists()


def test_an_unreadable_file_counts_as_bad(store: BlobStore) -> None:  # B3
    path = store.path(DIGEST, ".pdf")
    path.mkdir(parents=True)
    assert not store.matches(DIGEST, ".pdf")
    assert not path.exists()


def test_dropping_frees_the_file_and_what_was_set_aside(store: BlobStore) -> None:
    put(store)
    store.set_aside(DIGEST, ".pdf")
    put(store, b"rest")
    assert store.drop(DIGEST, ".pdf") == len(DATA)
    assert store.drop(DIGEST, ".pdf") == 0
    store.set_aside(DIGEST, ".pdf")  # nothing to set aside


def test_an_import_is_hashed_while_it_is_copied(store: BlobStore, tmp_path: Path) -> None:
    """OP1."""
    source = tmp_path / "a.PDF"
    source.write_bytes(DATA)
    seen: list[bytes] = []
    made = store.import_file(source, "PDF", CancelToken(), seen.append)
    assert (made.stored.digest, made.stored.ext, seen) == (DIGEST, ".pdf", [DATA])
    assert made.md5 == hashlib.md5(DATA).hexdigest()
    again = store.import_file(source, ".pdf", CancelToken(), with_md5=False)
    assert (again.stored.digest, again.md5) == (DIGEST, "")
    assert not list((store.folder / "incoming").iterdir())


def test_an_import_of_a_file_that_changes_leaves_nothing(store: BlobStore, tmp_path: Path) -> None:
    source = tmp_path / "a.pdf"
    source.write_bytes(DATA)
    with pytest.raises(UserError, match="file_changes"):
        store.import_file(source, "pdf", CancelToken(), lambda _: source.write_bytes(DATA * 2))
    assert [p.name for p in store.folder.rglob("*") if p.is_file()] == []


def test_a_cancelled_or_broken_import_leaves_nothing(store: BlobStore, tmp_path: Path) -> None:
    source = tmp_path / "a.pdf"
    source.write_bytes(DATA)
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        store.import_file(source, "pdf", token)
    with pytest.raises(UserError, match="file_unreadable"):
        store.import_file(tmp_path / "absent.pdf", "pdf", CancelToken())
    assert [p.name for p in store.folder.rglob("*") if p.is_file()] == []


def test_the_floor_is_kept_free(tmp_path: Path) -> None:
    store = BlobStore(tmp_path / "blobs", floor_bytes=1 << 60)
    with pytest.raises(StorageFullError) as caught:
        store.require_room(1)
    assert int(str(caught.value.values["need_mb"])) > 0


def test_sweeping_leaves_what_is_still_wanted(store: BlobStore) -> None:
    for key in ("aa", "aa-00001", "bb"):
        growing = store.growing(key, "x")
        growing.write(DATA)
        growing.mark()
        growing.close()
    (store.folder / "incoming" / "aa.tmp").write_bytes(b"xyz")
    assert store.sweep(["aa"]) > len(DATA)
    names = {p.name for p in (store.folder / "incoming").iterdir()}
    assert names == {"aa.part", "aa.list", "aa-00001.part", "aa-00001.list"}
    store.clear("aa")
    assert store.sweep([]) == 0


def test_names_never_leave_the_folder(store: BlobStore) -> None:
    with pytest.raises(DigestMismatchError):
        store.path(Digest("../../etc/passwd"), ".pdf")
    assert clean_ext("PDF") == ".pdf"
    assert clean_ext("../x") == ".bin"
    assert clean_ext("") == ".bin"
    assert growing_key("/a", "1") != growing_key("/a", "2")


def test_a_small_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:  # D1, D2
    path = tmp_path / "a.json"
    write_durably(path, b"old")
    with pytest.raises(StorageError):
        write_durably(tmp_path / "gone" / "a.json", b"new")
    (tmp_path / "a.json.tmp").mkdir()
    with pytest.raises(StorageError, match="disk_failed"):
        write_durably(path, b"new")
    assert path.read_bytes() == b"old"


def test_a_rename_that_fails_leaves_no_temp_file(tmp_path: Path) -> None:  # D1
    folder = tmp_path / "a.json"
    folder.mkdir()
    (folder / "x").touch()
    with pytest.raises(StorageError):
        write_durably(folder, b"new")
    assert not (tmp_path / "a.json.tmp").exists()


@pytest.mark.root
def test_a_full_disk_is_told_as_such_and_costs_nothing_that_was_here(tmp_path: Path) -> None:
    import subprocess

    mount = tmp_path / "tiny"
    mount.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(mount)], check=True)
    try:
        store = BlobStore(mount / "blobs", floor_bytes=0)
        put(store)
        growing = store.growing("big", "x")
        with pytest.raises(StorageFullError, match="disk_full"):
            for _ in range(64):
                growing.write(os.urandom(100_000))
        growing.close()
        assert store.matches(DIGEST, ".pdf")
        again = store.growing("big", "x")
        assert again.size > 0
        assert again.size == sum(length for length, _ in again.blocks)
        assert again.read()[:1]
        source = tmp_path / "a.pdf"
        source.write_bytes(os.urandom(3_000_000))
        with pytest.raises(StorageFullError, match="disk_full"):
            store.import_file(source, "pdf", CancelToken())
        with pytest.raises(StorageFullError, match="disk_full"):
            write_durably(mount / "x.json", os.urandom(3_000_000))
        assert not (mount / "x.json").exists()
        again.discard()
        assert disk.write_durably(mount / "x.json", b"fits") is None
    finally:
        subprocess.run(["umount", str(mount)], check=True)


def test_sweeping_leaves_a_copy_that_is_under_way(store: BlobStore, tmp_path: Path) -> None:
    """A program that has just started sweeps while somebody imports already."""
    source = tmp_path / "film.mp4"
    source.write_bytes(DATA)
    made = store.import_file(source, "mp4", CancelToken(), lambda _: store.sweep([]) and None)
    assert store.has(made.stored.digest, ".mp4", len(DATA))
