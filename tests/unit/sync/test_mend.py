"""MD1, MD2 and SB1: of a damaged file only the bad stretches are asked for again, and never more
is lost than by fetching the whole (sync.engine.mend). The bytes are counted where they are sent.
"""

import hashlib
import random
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from client.domain.cancel import CancelToken
from client.domain.catalogue import Lesson, Role
from client.domain.errors import Cancelled, StorageFullError
from client.store import salvage_blocks
from client.store.blob_store import growing_key
from client.store.growing import BLOCK_BYTES, Growing
from client.store.salvage_blocks import Stretch, find_salvage
from sync.engine.fetch_plan import Choice
from tests.fakes.peer import Asked, Reply
from tests.lesson_values import a_lesson, a_part
from tests.unit.sync.test_fetch_corners import BASE, SITE, Desk, desk, one_film, paper

__all__ = ["desk"]

BOOK = b"%PDF-1.7" + random.Random(4).randbytes(5 * BLOCK_BYTES)
BLOCKS = 6
MD5 = hashlib.md5(BOOK).hexdigest()
MANY = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def one_book() -> Lesson:
    url = f"{BASE}/book.pdf"
    file = replace(paper(), path="/book.pdf", urls=(url,), md5=MD5, size_bytes=len(BOOK))
    return a_lesson(a_part(Role.TASK, file))


def blob_of(desk: Desk, lesson: Lesson) -> Path:
    (held,) = desk.holdings.of_lesson(lesson.id)
    assert held.file is not None
    return held.file


def rot(path: Path, *places: int) -> None:
    """Turn one bit at each place."""
    with path.open("r+b") as file:
        for place in places:
            file.seek(place)
            byte = file.read(1)
            file.seek(place)
            file.write(bytes([byte[0] ^ 1]))


def find_bad(desk: Desk) -> None:
    assert desk.holdings.verify(None, CancelToken(), "2027-01-01").bad == 1


def have(desk: Desk, lesson: Lesson) -> Path:
    desk.site["/book.pdf"] = BOOK
    assert desk.fetch(lesson).is_complete
    return blob_of(desk, lesson)


@MANY
@given(bad=st.frozensets(st.integers(0, BLOCKS - 1), max_size=BLOCKS))
def test_md1_only_bad_stretches_are_asked_for(desk: Desk, bad: frozenset[int]) -> None:
    lesson = one_book()
    path = have(desk, lesson)
    if bad:
        rot(path, *(number * BLOCK_BYTES for number in bad))
        find_bad(desk)
    before, asked = desk.transport.body_bytes, len(desk.transport.asked)
    report = desk.fetch(lesson)
    assert report.is_complete
    assert path.read_bytes() == BOOK
    sizes = [len(BOOK[n * BLOCK_BYTES : (n + 1) * BLOCK_BYTES]) for n in bad]
    assert desk.transport.body_bytes - before == sum(sizes)
    assert len(desk.transport.asked) - asked == len(bad)
    assert report.bytes_reused >= len(BOOK) - sum(sizes)
    assert list((desk.blobs.folder / "damaged").iterdir()) == []
    desk.holdings.drop(lesson.id)
    assert list((desk.blobs.folder / "marks").iterdir()) == []


@pytest.mark.parametrize(
    "fault",
    [
        Reply(body=BOOK, ranges=False),
        Reply(status=404),
        Reply(body=BOOK[::-1]),
        Reply(body=BOOK + b"more", status=206),
        Reply(body=BOOK, cut_after=1000),
        Reply(is_garbage=True),
    ],
    ids=["no ranges", "gone", "other bytes", "too much", "cut", "garbage"],
)
def test_md2_a_source_that_fails_while_mending_costs_no_more_than_the_rest(
    desk: Desk, fault: Reply
) -> None:
    lesson = one_book()
    path = have(desk, lesson)
    rot(path, BLOCK_BYTES)
    find_bad(desk)
    mended = desk.answer
    faults = [fault]

    def once(asked: Asked) -> Reply:
        return faults.pop() if faults else mended(asked)

    desk.transport.script = once
    before = desk.transport.body_bytes
    assert desk.fetch(lesson).is_complete
    assert path.read_bytes() == BOOK
    assert not faults
    wasted = BLOCK_BYTES if fault.status == 200 else len(fault.body)
    assert desk.transport.body_bytes - before <= wasted + len(BOOK) - BLOCK_BYTES


def test_md2_what_was_mended_before_a_stop_is_not_asked_for_again(desk: Desk) -> None:
    lesson = one_book()
    path = have(desk, lesson)
    rot(path, 0, 3 * BLOCK_BYTES)
    find_bad(desk)
    cancel = CancelToken()
    usual = desk.answer

    def stop_at_the_second(asked: Asked) -> Reply:
        if f"={3 * BLOCK_BYTES}-" in asked.headers.get("range", ""):
            cancel.cancel()
        return usual(asked)

    desk.transport.script = stop_at_the_second
    with pytest.raises(Cancelled):
        desk.fetcher.fetch(lesson, Choice(), cancel)
    desk.transport.script = usual
    before = desk.transport.body_bytes
    assert desk.fetch(lesson).is_complete
    assert desk.transport.body_bytes - before == BLOCK_BYTES
    assert path.read_bytes() == BOOK


def test_md2_a_part_that_ends_inside_a_stretch_goes_on_as_ever(desk: Desk) -> None:
    lesson = one_book()
    path = have(desk, lesson)
    rot(path, BLOCK_BYTES)
    find_bad(desk)
    file = lesson.parts[0].files[0]
    growing = desk.blobs.growing(growing_key(file.path, file.md5), f"{file.path} {file.md5}")
    growing.write(BOOK[:1000])
    growing.mark()
    growing.close()
    before = desk.transport.body_bytes
    assert desk.fetch(lesson).is_complete
    assert desk.transport.body_bytes - before == len(BOOK) - 1000
    assert path.read_bytes() == BOOK


def test_a_full_disk_ends_mending(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    lesson = one_book()
    path = have(desk, lesson)
    rot(path, 0)
    find_bad(desk)

    def full(_self: object, _data: bytes) -> None:
        raise StorageFullError("disk_full")

    monkeypatch.setattr(Growing, "write", full)
    report = desk.fetch(lesson)
    assert [part.reason for part in report.parts] == ["disk_full"]


def test_a_film_brings_only_its_bad_segment_again(desk: Desk) -> None:  # MD1, V1
    lesson = one_film()
    assert desk.fetch(lesson).is_complete
    path = blob_of(desk, lesson)
    good = path.read_bytes()
    rot(path, len(SITE["/a.ts"]) + 3)
    find_bad(desk)
    desk.transport.asked.clear()
    assert desk.fetch(lesson).is_complete
    assert sorted(asked.path for asked in desk.transport.asked) == ["/b.ts", "/l.m3u8"]
    assert path.read_bytes() == good


def test_a_film_of_another_cut_is_fetched_whole(desk: Desk) -> None:  # V1
    lesson = one_film()
    assert desk.fetch(lesson).is_complete
    path = blob_of(desk, lesson)
    marks = next((desk.blobs.folder / "marks").iterdir())
    marks.write_text(marks.read_text().replace("\nB ", "\nB 1 " + "0" * 64 + "\nB ", 1))
    rot(path, 3)
    find_bad(desk)
    desk.transport.asked.clear()
    assert desk.fetch(lesson).is_complete
    assert sorted(a.path for a in desk.transport.asked) == ["/a.ts", "/b.ts", "/l.m3u8"]


def test_sb1_nothing_is_given_that_has_not_its_hash(tmp_path: Path) -> None:
    damaged, marks = tmp_path / "damaged", tmp_path / "marks"
    for folder in (damaged, marks):
        folder.mkdir()
    good, bad = b"good bytes", b"bad bytes!"
    lines = [f"B {len(one)} {hashlib.sha256(one).hexdigest()}" for one in (good, bad)]
    name = "0" * 64
    (damaged / f"{name}.pdf").write_bytes(good + b"rot bytes!")
    listed = "\n".join(["tongke-list 1", "I x", *lines, ""])
    assert find_salvage(damaged, marks, "x") is None
    (marks / f"{name}.list").write_text(listed)
    assert find_salvage(damaged, marks, "y") is None
    found = find_salvage(damaged, marks, "x")
    assert found is not None
    assert [found.read(one) for one in found.stretches] == [good, None]
    assert found.read(Stretch(start=0, length=99, sha256=name)) is None
    (damaged / f"{name}.pdf").unlink()
    assert found.read(found.stretches[0]) is None
    (marks / f"{name}.list").write_bytes(b"\xff")
    (damaged / f"{name}.pdf").touch()
    assert find_salvage(damaged, marks, "x") is None


def test_sb1_a_list_with_a_huge_stretch_is_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(salvage_blocks, "MOST_BYTES", 3)
    (tmp_path / ("0" * 64)).touch()
    (tmp_path / f"{'0' * 64}.list").write_text(f"tongke-list 1\nI x\nB 4 {'0' * 64}\n")
    assert find_salvage(tmp_path, tmp_path, "x") is None
