"""K1 to K4: what is held, with and without the database."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from client.domain.availability import Decodes, PartState, Trust
from client.domain.cancel import CancelToken
from client.domain.catalogue import Lesson, Role
from client.domain.holding import Blob, Holding
from client.domain.ids import Digest, LessonId, PartId
from client.store.blob_store import BlobStore
from client.store.database import Database
from client.store.holding_store import HoldingStore
from client.store.library import open_library
from client.store.sidecar import file_name
from tests.lesson_values import a_file, a_lesson, a_part

TASK, PLAN = PartId("p-task"), PartId("p-plan")
AT = "2027-05-18T09:16:00+08:00"


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    database = open_library(tmp_path / "library.db")
    yield database
    database.close()


@pytest.fixture
def store(db: Database, tmp_path: Path) -> HoldingStore:
    return HoldingStore(db, BlobStore(tmp_path / "blobs", floor_bytes=0), tmp_path / "lessons")


def lesson(key: str = "l1", path: str = "/a.pdf") -> Lesson:
    return a_lesson(
        a_part(Role.TASK, a_file(path), lesson=key),
        a_part(Role.PLAN, a_file("/b.pdf"), lesson=key),
        key=key,
    )


def blob(store: HoldingStore, data: bytes = b"task", **facts: object) -> Blob:
    growing = store.blobs.growing(hashlib.md5(data).hexdigest(), "x")
    growing.write(data)
    stored = store.blobs.commit(growing, "pdf")
    growing.discard()
    return Blob(
        **{
            "digest": stored.digest,
            "ext": stored.ext,
            "size_bytes": stored.size_bytes,
            "trust": Trust.OBSERVED,
            "verified_at": "2027-01-01",
            **facts,
        }
    )


def states(store: HoldingStore, key: str = "l1") -> dict[str, tuple[PartState, str]]:
    return {h.path: (h.state, h.reason) for h in store.of_lesson(LessonId(key))}


def test_a_kept_file_is_present_and_its_lesson_listed(store: HoldingStore) -> None:  # K1
    told: list[LessonId] = []
    store.subscribe(told.append)
    one = blob(store)
    holding = store.keep(lesson(), TASK, "/a.pdf", one)
    assert holding == store.of_lesson(LessonId("l1"))[0]
    assert holding.file is not None
    assert holding.file.read_bytes() == b"task"
    (kept,) = store.kept_lessons()
    assert (kept.id, kept.title, kept.size_bytes) == ("l1", "分一分", 4)
    assert kept.verified_at == "2027-01-01"
    assert store.has_blob(one.digest) == one
    assert store.has_blob(Digest("0" * 64)) is None
    assert store.lesson(LessonId("l1")) == lesson()
    assert store.lesson(LessonId("other")) is None
    assert told == ["l1"]


def test_one_blob_for_two_lessons_is_counted_and_kept_for_both(store: HoldingStore) -> None:  # K4
    one = blob(store)
    store.keep(lesson("l1"), TASK, "/a.pdf", one)
    store.keep(lesson("l1"), PLAN, "/b.pdf", one)
    store.keep(lesson("l2"), TASK, "/a.pdf", one)
    assert [kept.size_bytes for kept in store.kept_lessons()] == [4, 4]
    assert store.drop(LessonId("l1")) == 0
    assert store.blobs.matches(one.digest, one.ext)
    assert store.of_lesson(LessonId("l1")) == ()
    assert store.drop(LessonId("l2")) == 4
    assert not store.blobs.matches(one.digest, one.ext)
    assert store.kept_lessons() == ()
    assert store.drop(LessonId("l2")) == 0


def test_better_knowledge_of_a_blob_is_not_overwritten(store: HoldingStore) -> None:
    one = blob(store, trust=Trust.ATTESTED, decodes=Decodes.YES)
    store.keep(lesson("l1"), TASK, "/a.pdf", one)
    store.keep(lesson("l2"), TASK, "/a.pdf", blob(store))
    known = store.has_blob(one.digest)
    assert known is not None
    assert (known.trust, known.decodes) == (Trust.ATTESTED, Decodes.YES)


def test_a_reason_is_kept_for_what_is_not_here_only(store: HoldingStore) -> None:
    store.mark(LessonId("l1"), TASK, "/a.pdf", PartState.FETCHING)
    store.mark(LessonId("l1"), PLAN, "/b.pdf", PartState.FAILED, "gone")
    assert states(store) == {
        "/a.pdf": (PartState.FETCHING, ""),
        "/b.pdf": (PartState.FAILED, "gone"),
    }
    store.settle()
    assert states(store) == {"/b.pdf": (PartState.FAILED, "gone")}
    store.keep(lesson(), PLAN, "/b.pdf", blob(store))
    store.mark(LessonId("l1"), PLAN, "/b.pdf", PartState.FAILED, "gone")
    assert states(store) == {"/b.pdf": (PartState.PRESENT, "")}


def test_an_older_edition_goes_when_the_new_one_is_here(store: HoldingStore) -> None:  # K4
    old = blob(store, b"old")
    store.keep(lesson(path="/old.pdf"), TASK, "/old.pdf", old)
    store.keep(lesson(path="/new.pdf"), PLAN, "/b.pdf", blob(store, b"plan"))
    assert set(states(store)) == {"/old.pdf", "/b.pdf"}
    store.mark(LessonId("l1"), TASK, "/older.pdf", PartState.FAILED, "gone")
    store.keep(lesson(path="/new.pdf"), TASK, "/new.pdf", blob(store, b"new"))
    assert set(states(store)) == {"/new.pdf", "/b.pdf"}
    assert not store.blobs.matches(old.digest, old.ext)


def test_verifying_finds_the_damaged_file_and_says_which(store: HoldingStore) -> None:  # K3
    good, bad = blob(store, b"good"), blob(store, b"bad!")
    store.keep(lesson("l1"), TASK, "/a.pdf", good)
    store.keep(lesson("l1"), PLAN, "/b.pdf", bad)
    store.keep(lesson("l2"), PLAN, "/b.pdf", bad)
    store.blobs.path(bad.digest, bad.ext).write_bytes(b"BAD!")
    report = store.verify(LessonId("l1"), CancelToken(), AT)
    assert (report.checked, report.bad) == (2, 1)
    assert set(report.damaged) == {("l1", PLAN, "/b.pdf"), ("l2", PLAN, "/b.pdf")}
    assert states(store)["/b.pdf"] == (PartState.ABSENT, "damaged")
    assert states(store)["/a.pdf"] == (PartState.PRESENT, "")
    known = store.has_blob(good.digest)
    assert known is not None
    assert known.verified_at == AT
    assert set(store.missing()) == set(report.damaged)
    assert store.verify(None, CancelToken(), AT).bad == 0
    store.keep(lesson("l1"), PLAN, "/b.pdf", blob(store, b"bad!"))
    assert store.missing() == (("l2", PLAN, "/b.pdf"),)


def test_a_file_somebody_deleted_is_noticed_without_reading(store: HoldingStore) -> None:
    one = blob(store)
    store.keep(lesson(), TASK, "/a.pdf", one)
    store.blobs.path(one.digest, one.ext).unlink()
    assert store.has_blob(one.digest) is None
    assert store.missing() == (("l1", TASK, "/a.pdf"),)
    assert states(store) == {"/a.pdf": (PartState.ABSENT, "missing")}


def test_the_sidecars_alone_give_the_rows_back(
    store: HoldingStore, db: Database, tmp_path: Path
) -> None:  # K2
    store.keep(lesson("l1"), TASK, "/a.pdf", blob(store, b"a"))
    store.keep(lesson("l1"), PLAN, "/b.pdf", blob(store, b"b", decodes=Decodes.YES))
    store.keep(lesson("l2"), TASK, "/a.pdf", blob(store, b"c"))
    rows: tuple[Holding, ...] = store.of_lessons((LessonId("l1"), LessonId("l2")))
    assert not store.is_adopted()
    lost = blob(store, b"c")
    store.blobs.path(lost.digest, lost.ext).unlink()
    folder = tmp_path / "lessons"
    (folder / file_name(LessonId("torn"))).write_bytes(b"{")
    with (folder / "huge.json").open("wb") as huge:
        huge.truncate(5 << 20)
    db.close()
    (tmp_path / "library.db").unlink()
    fresh = open_library(tmp_path / "library.db")
    try:
        again = HoldingStore(fresh, store.blobs, folder)
        put: list[Lesson] = []
        report = again.adopt(put.append, AT)
        assert (report.lessons, report.files, report.damaged) == (2, 2, 2)
        assert put == [lesson("l1"), lesson("l2")]
        assert again.is_adopted()
        assert again.of_lesson(LessonId("l1")) == tuple(r for r in rows if r.lesson == "l1")
        assert again.of_lesson(LessonId("l2")) == ()
        assert [kept.id for kept in again.kept_lessons()] == ["l1", "l2"]
    finally:
        fresh.close()


def test_a_lesson_that_lost_its_sidecar_can_lose_a_file(
    store: HoldingStore, tmp_path: Path
) -> None:
    one = blob(store)
    store.keep(lesson(), TASK, "/a.pdf", one)
    (tmp_path / "lessons" / "l1.json").unlink()
    assert store.lose(one.digest, "damaged") == (("l1", TASK, "/a.pdf"),)
