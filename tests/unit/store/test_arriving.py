"""Files from near by (client.store.arriving, client.store.one_pass)."""

import errno
import hashlib
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from client.domain.errors import DigestMismatchError, StorageError, StorageFullError
from client.domain.ids import Digest
from client.store import one_pass
from client.store.arriving import Arriving, Expected
from client.store.blob_store import BlobStore
from client.store.one_pass import OnePass, write_all

BLOCK = 64
DATA = random.Random(1).randbytes(5 * BLOCK + 7)


def expected(data: bytes = DATA) -> Expected:
    cuts = [data[at : at + BLOCK] for at in range(0, len(data), BLOCK)]
    return Expected(
        digest=Digest(hashlib.sha256(data).hexdigest()),
        size_bytes=len(data),
        block_bytes=BLOCK,
        blocks=[hashlib.sha256(one).digest() for one in cuts],
    )


@pytest.fixture
def store(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "blobs", floor_bytes=0)


def test_a_file_lands_under_its_digest(store: BlobStore):
    """V2 OP1"""
    with store.arriving(expected()) as arriving:
        arriving.write(DATA[:100])
        arriving.write(DATA[100:])
        stored = store.land(arriving, ".PDF")
    path = store.path(stored.digest, stored.ext)
    assert (path.read_bytes(), path.suffix) == (DATA, ".pdf")
    assert list((store.folder / "arriving").iterdir()) == []


@pytest.mark.parametrize("data", [DATA[:-1], DATA + b"x", DATA[:-1] + b"x"])
def test_other_bytes_land_nowhere(store: BlobStore, data: bytes):
    """V2"""
    arriving = store.arriving(expected())
    arriving.write(data)
    with pytest.raises(DigestMismatchError):
        store.land(arriving, ".pdf")
    arriving.discard()
    assert [path for path in store.folder.rglob("*") if path.is_file()] == []


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(DATA) + BLOCK), st.none() | st.integers(0, len(DATA) - 1))
def test_only_right_blocks_of_an_earlier_life_count(tmp_path_factory, left, wrong):
    """V1"""
    store = BlobStore(tmp_path_factory.mktemp("blobs"), floor_bytes=0)
    before = bytearray((DATA + bytes(BLOCK))[:left])
    if wrong is not None and wrong < left:
        before[wrong] ^= 1
    path = store.folder / "arriving" / f"{expected().digest}.part"
    path.parent.mkdir()
    path.write_bytes(before)
    with store.arriving(expected()) as arriving:
        assert arriving.path == path
        assert DATA.startswith(path.read_bytes())
        assert arriving.size == path.stat().st_size
        good = min(left, len(DATA)) if wrong is None or wrong >= left else wrong
        assert arriving.size in (good // BLOCK * BLOCK, len(DATA))
        arriving.write(DATA[arriving.size :])
        store.land(arriving, ".pdf")
    assert store.path(expected().digest, ".pdf").read_bytes() == DATA


def test_leftovers_can_be_cleared_and_names_are_digests(store: BlobStore):
    store.arriving(expected()).close()
    store.clear_arriving()
    assert list((store.folder / "arriving").iterdir()) == []
    odd = Expected(digest=Digest("../x"), size_bytes=1, block_bytes=1, blocks=[])
    with pytest.raises(DigestMismatchError):
        store.arriving(odd)
    assert store.free_bytes() > 0


def test_a_full_disk_is_told(store: BlobStore, monkeypatch):
    arriving = store.arriving(expected())

    def write(_data):
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(one_pass, "write_all", lambda *_: write(b""))
    with pytest.raises(StorageFullError):
        arriving.write(DATA)
    arriving.close()
    with pytest.raises(StorageError):
        Arriving(store.folder / "absent" / "x" / "y", expected())


class Slow:
    """A hash that takes its time, and counts what waits for it."""

    def __init__(self) -> None:
        self.taken = b""

    def update(self, data: bytes) -> None:
        self.taken += data

    def hexdigest(self) -> str:
        return self.taken.hex()


def test_what_is_hashed_is_what_is_written(tmp_path: Path, monkeypatch):
    """OP1 OP2"""
    monkeypatch.setattr(one_pass, "_FLUSH_BYTES", 100)
    flushed: list[int] = []
    monkeypatch.setattr(one_pass, "begin_flush", flushed.append)
    hashes = (Slow(), Slow())
    with (tmp_path / "a").open("xb", buffering=0) as file, OnePass(file, hashes) as writer:
        for at in range(0, len(DATA), 10):
            writer.write(DATA[at : at + 10])
            assert len(writer._waiting) <= one_pass._AHEAD * 2
    assert (tmp_path / "a").read_bytes() == hashes[0].taken == hashes[1].taken == DATA
    assert len(flushed) == len(DATA) // 100


def test_a_short_write_is_gone_on_with(tmp_path: Path):
    with (tmp_path / "a").open("xb", buffering=0) as file:
        write_all(lambda data: file.write(data[:3]), DATA)
    assert (tmp_path / "a").read_bytes() == DATA


def test_a_system_that_knows_no_advice_does_without(tmp_path: Path, monkeypatch):
    with (tmp_path / "a").open("wb") as file:
        one_pass.begin_flush(file.fileno())
    monkeypatch.delattr(one_pass.os, "posix_fadvise", raising=False)
    one_pass.begin_flush(0)
