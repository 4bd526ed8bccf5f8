"""G1 to G3: bytes count for resume only when they are what the list says."""

import hashlib
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from client.domain.errors import StorageError
from client.store.growing import BLOCK_BYTES
from client.store.growing import Growing as RealGrowing

_OPEN: list[RealGrowing] = []


def Growing(  # noqa: N802 - stands for the class
    part: Path, identity: str, block_bytes: int = BLOCK_BYTES
) -> RealGrowing:
    growing = RealGrowing(part, identity, block_bytes)
    _OPEN.append(growing)
    return growing


@pytest.fixture(autouse=True)
def close_all() -> Iterator[None]:
    """A crash in these tests is an object nobody uses any more; its handle is given back here."""
    yield
    while _OPEN:
        _OPEN.pop().close()


@pytest.fixture
def part(tmp_path: Path) -> Path:
    return tmp_path / "f.part"


def grown(part: Path, *pieces: bytes) -> RealGrowing:
    growing = Growing(part, "x")
    for piece in pieces:
        growing.write(piece)
    return growing


def test_a_new_file_is_empty_and_leaves_nothing_behind(part: Path) -> None:
    growing = Growing(part, "x")
    assert (growing.size, growing.blocks, growing.done) == (0, (), None)
    assert list(part.parent.iterdir()) == []


def test_marked_bytes_are_there_again_after_a_crash_and_unmarked_are_cut_off(part: Path) -> None:
    growing = grown(part, b"abc")
    growing.mark()
    growing.write(b"lost")  # G1: no mark, so a crash takes it
    again = Growing(part, "x")
    assert again.size == 3
    assert part.read_bytes() == b"abc"
    again.write(b"def")
    again.mark()
    again.mark()
    assert again.read() == b"abcdef"
    assert again.sha256 == hashlib.sha256(b"abcdef").hexdigest()  # G3
    assert again.md5 == hashlib.md5(b"abcdef").hexdigest()


def test_a_full_block_is_marked_by_itself(part: Path) -> None:
    growing = grown(part, b"x" * BLOCK_BYTES, b"y")
    assert growing.blocks == ((BLOCK_BYTES, hashlib.sha256(b"x" * BLOCK_BYTES).hexdigest()),)
    assert Growing(part, "x").size == BLOCK_BYTES


def test_a_file_may_be_marked_only_when_told(part: Path) -> None:
    growing = Growing(part, "x", 0)
    growing.write(b"x" * (BLOCK_BYTES + 1))
    assert growing.blocks == ()
    growing.mark()
    assert len(growing.blocks) == 1


def test_other_bytes_start_anew(part: Path) -> None:
    growing = grown(part, b"abc")
    growing.mark()
    assert Growing(part, "another edition").size == 0
    assert not part.exists()


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"tongke-list 2\nI x\n",
        b"\xff\xfe",
        b"tongke-list 1\nI x\nB 3 zz\n",
        b"tongke-list 1\nI x\nB 0 " + hashlib.sha256(b"").hexdigest().encode() + b"\n",
        b"tongke-list 1\nI x\nB 3 " + hashlib.sha256(b"abc").hexdigest().encode(),  # torn
        b"tongke-list 1\nI x\nB 9 " + hashlib.sha256(b"abc").hexdigest().encode() + b"\n",
    ],
)
def test_a_list_that_says_nonsense_is_not_believed(part: Path, text: bytes) -> None:  # G2
    grown(part, b"abc").close()
    part.with_suffix(".list").write_bytes(text)
    assert Growing(part, "x").size == 0


def test_a_list_that_grew_without_bound_is_not_read(part: Path) -> None:  # G2
    growing = grown(part, b"abc")
    growing.mark()
    with part.with_suffix(".list").open("ab") as file:
        file.truncate(9 << 20)
    assert Growing(part, "x").size == 0


@settings(max_examples=60, deadline=None)
@given(
    blocks=st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=6),
    damage=st.integers(0, 239),
    cut=st.integers(0, 240),
)
def test_only_the_stretch_before_the_damage_is_kept(
    tmp_path_factory: pytest.TempPathFactory, blocks: list[bytes], damage: int, cut: int
) -> None:  # G2
    part = tmp_path_factory.mktemp("g") / "f.part"
    growing = Growing(part, "x")
    for block in blocks:
        growing.write(block)
        growing.mark()
    growing.close()
    data = bytearray(b"".join(blocks))
    if damage < len(data):
        data[damage] ^= 1
    part.write_bytes(bytes(data[:cut]))
    good, at = b"", 0
    for block in blocks:
        at += len(block)
        if at > cut or at > damage:
            break
        good += block
    again = Growing(part, "x")
    assert (again.size, again.read()) == (len(good), good)
    again.write(b"more")
    assert again.sha256 == hashlib.sha256(good + b"more").hexdigest()
    again.mark()
    assert Growing(part, "x").size == len(good) + 4


def test_the_answer_the_bytes_came_from_is_kept_with_them(part: Path) -> None:
    growing = Growing(part, "x")
    growing.from_answer(etag='"e1"', url="http://a/1", total=9)
    growing.from_answer(etag='"e1"', url="http://a/1", total=9)
    growing.from_answer(etag='"e1"', url="http://a /1", total=9)  # would break the line
    growing.write(b"abc")
    growing.mark()
    again = Growing(part, "x")
    assert (again.etag, again.url, again.total) == ('"e1"', "http://a/1", 9)
    again.from_answer(etag="two words", url="http://a/1", total=9)
    assert again.etag == ""
    part.write_bytes(b"")
    assert Growing(part, "x").url == ""


def test_a_sealed_file_that_was_moved_away_is_remembered(part: Path) -> None:
    growing = grown(part, b"abc")
    digest = growing.seal(".pdf")
    assert growing.seal(".pdf") == digest
    assert Growing(part, "x").done == (digest, ".pdf")
    again = Growing(part, "x")
    part.write_bytes(b"abX")
    assert Growing(part, "x").done is None
    part.write_bytes(b"abc")
    again.discard()
    again.write(b"abc")
    again.seal(".pdf")
    part.unlink()
    assert Growing(part, "x").done == (digest, ".pdf")


def test_a_complete_file_with_a_torn_list_is_complete(part: Path) -> None:
    growing = grown(part, b"abc")
    digest = growing.seal(".ts")
    with part.with_suffix(".list").open("ab") as file:
        file.write(b"B 12")
    assert Growing(part, "x").done == (digest, ".ts")
    assert Growing(part, "x").done == (digest, ".ts")  # also after it was written anew


def test_a_vanished_file_is_begun_again(part: Path) -> None:
    grown(part, b"abc").mark()
    part.unlink()
    assert Growing(part, "x").size == 0
    assert not part.with_suffix(".list").exists()


def test_restart_begins_at_byte_0(part: Path) -> None:
    growing = grown(part, b"abc")
    growing.mark()
    growing.restart()
    assert growing.read() == b""
    growing.write(b"xy")
    assert growing.read() == b"xy"


def test_a_folder_that_is_gone_is_a_storage_error(tmp_path: Path) -> None:
    growing = Growing(tmp_path / "gone" / "f.part", "x")
    with pytest.raises(StorageError, match="disk_failed"):
        growing.write(b"abc")


@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=6),
    st.sets(st.integers(0, 5)),
    st.integers(0, 240),
    st.booleans(),
)
@settings(max_examples=60)
def test_g4_what_stands_before_a_cut_goes_on_to_count(tmp_path_factory, sizes, marks, at, again):
    """G4, G3: wherever it is cut, in this life or the next; digests are those of what is there."""
    part = tmp_path_factory.mktemp("cut") / "f.part"
    growing = Growing(part, "x", 0)
    data = b""
    for number, size in enumerate(sizes):
        piece = bytes([number]) * size
        growing.write(piece)
        data += piece
        if number in marks:
            growing.mark()
    at = min(at, len(data))
    ends = list(accumulate(length for length, _ in growing.blocks))
    growing.cut(at)
    assert sum(length for length, _ in growing.blocks) == max(
        (end for end in ends if end <= at), default=0
    )
    assert growing.tail(0) == data[:at]
    assert growing.tail(at) == b""
    growing.write(b"new")
    whole = data[:at] + b"new"
    growing.mark()
    if again:
        growing.close()
        growing = Growing(part, "x", 0)
    assert growing.size == len(whole)
    assert growing.sha256 == hashlib.sha256(whole).hexdigest()
    assert growing.read() == whole
