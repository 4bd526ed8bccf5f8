"""Y1 to Y3 with a source in memory; the platform's own documents: tests/fault."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from client.domain.cancel import CancelToken
from client.domain.catalogue import Part, Role, Section, Tag, TagNode
from client.domain.clock import FrozenClock
from client.domain.errors import Cancelled, ProtocolError, RefusedError, UnreachableError
from client.domain.ids import BookId, LessonId, PartId, SectionId
from client.store.catalogue_rows import DetailState
from client.store.catalogue_store import CatalogueStore
from client.store.library import open_library
from sync.engine.catalogue_sync import (
    CatalogueProgress,
    Phase,
    Wanted,
    read_details,
    sync_catalogue,
)
from sync.source.port import DetailStatus, Unchanged
from tests.fakes.shelf_source import SHELF, ShelfSource, book, lesson


@pytest.fixture
def store(tmp_path: Path) -> Iterator[CatalogueStore]:
    db = open_library(tmp_path / "library.db")
    yield CatalogueStore(db)
    db.close()


def shelf(count: int = 2) -> ShelfSource:
    section = Section(
        id=SectionId("s1"), book=BookId("b1"), parent=None, position=0, title="一 单元"
    )
    node = TagNode(path="r", parent="", position=0, tag=Tag(dimension="d", id="r", name="n"))
    return ShelfSource(
        on_shelf={"b1": book("b1"), "b2": book("b2", grade="四年级")},
        listed={
            "b1": [lesson(f"l{n}", "b1") for n in range(count)],
            "b2": [lesson("m0", "b2")],
        },
        texts=[lesson("t1", None)],
        tree=(section,),
        nodes=(node,),
    )


def with_part(name: str, title: str = "视频") -> object:
    part = Part(
        id=PartId(f"{name}-v"),
        lesson=LessonId(name),
        role=Role.VIDEO,
        title=title,
        label="",
        position=0,
        period=0,
    )
    return replace(lesson(name, "b1"), parts=(part,), has_detail=True)


def refused(status: int, code: str = "forbidden") -> RefusedError:
    return RefusedError(code, {"status": status})


def test_the_report_counts_each_record_once(store: CatalogueStore) -> None:
    source = shelf()
    source.details["l0"] = with_part("l0")
    report = sync_catalogue(source, store, Wanted(with_details=True), clock=FrozenClock())
    assert (report.books, report.lessons, report.resources) == (2, 3, 1)
    assert (report.added, report.changed, report.withdrawn, report.held_back) == (6, 0, 0, 0)
    assert (report.skipped, report.failed, report.seconds) == (1, 0, 0.0)
    assert (report.requests, report.bytes_received) == (source.requests, 10 * source.requests)
    assert store.tag_nodes(SHELF) == source.nodes
    again = sync_catalogue(source, store, Wanted(with_details=True))
    assert (again.added, again.changed) == (0, 0)


def test_a_second_sync_counts_what_changed(store: CatalogueStore) -> None:
    source = shelf()
    sync_catalogue(source, store, Wanted())
    source.listed["b1"][0] = lesson("l0", "b1", title="新")
    source.details["l1"] = with_part("l1")
    report = sync_catalogue(source, store, Wanted(books=(), detail_ids=(LessonId("l1"),)))
    assert (report.changed, report.lessons) == (1, 0)
    report = sync_catalogue(source, store, Wanted(books=(BookId("b1"), BookId("b1"), BookId("x"))))
    assert (report.changed, report.lessons, report.resources) == (1, 2, 1)


def test_a_renamed_chapter_changes_the_lessons_below_it(store: CatalogueStore) -> None:
    source = shelf()
    sync_catalogue(source, store, Wanted())
    source.tree = (replace(source.tree[0], title="二 单元"),)
    assert sync_catalogue(source, store, Wanted()).changed == 3


@pytest.mark.parametrize("missing", [1, 20, 21, 40])
def test_missing_records_are_withdrawn_when_their_details_are_gone(
    store: CatalogueStore, missing: int
) -> None:
    """Y2, X1."""
    source = shelf(41)
    sync_catalogue(source, store, Wanted())
    lost = source.listed["b1"][:missing]
    source.listed["b1"] = source.listed["b1"][missing:]
    source.gone = {entry.id for entry in lost}
    report = sync_catalogue(source, store, Wanted())
    assert (report.withdrawn, report.held_back) == (missing, 0)
    assert len(source.probed) == min(missing, 20)
    assert len(store.ids_of_book(BookId("b1"))) == 41 - missing


@pytest.mark.parametrize("missing", [1, 20, 21, 40])
def test_missing_records_are_held_back_while_their_details_are_there(
    store: CatalogueStore, missing: int
) -> None:
    """Y2, X1."""
    source = shelf(41)
    sync_catalogue(source, store, Wanted())
    source.listed["b1"] = source.listed["b1"][missing:]
    report = sync_catalogue(source, store, Wanted())
    assert (report.withdrawn, report.held_back) == (0, missing)
    assert len(store.ids_of_book(BookId("b1"))) == 41


def test_what_is_listed_again_comes_back_unless_it_is_gone(store: CatalogueStore) -> None:
    """X2."""
    source = shelf()
    everything = list(source.listed["b1"])
    sync_catalogue(source, store, Wanted())
    source.listed["b1"], source.gone = [], {"l0", "l1"}
    sync_catalogue(source, store, Wanted())
    source.listed["b1"], source.gone = everything, {"l1"}
    report = sync_catalogue(source, store, Wanted())
    assert (report.added, report.changed) == (0, 1)
    assert store.ids_of_book(BookId("b1")) == ("l0",)
    assert store.ids_of_book(BookId("b1"), withdrawn=True) == ("l1",)


def test_records_of_unchanged_documents_are_not_missing(store: CatalogueStore) -> None:
    source = shelf()
    sync_catalogue(source, store, Wanted())
    source.listed, source.kept, source.gone = {}, ("l0", "l1", "m0"), {"l0", "l1", "m0"}
    assert sync_catalogue(source, store, Wanted()).withdrawn == 0
    assert source.probed == []


def test_a_withdrawn_book_takes_its_lessons_along(store: CatalogueStore) -> None:
    source = shelf()
    sync_catalogue(source, store, Wanted())
    away = source.on_shelf.pop("b1")
    assert sync_catalogue(source, store, Wanted()).held_back == 1
    source.gone = {"b1", "l0", "l1"}
    report = sync_catalogue(source, store, Wanted())
    assert (report.withdrawn, report.books, report.lessons) == (3, 1, 1)
    source.on_shelf["b1"], source.gone = away, set()
    report = sync_catalogue(source, store, Wanted())
    assert (report.changed, report.books, report.lessons) == (3, 2, 3)


@pytest.mark.parametrize(
    ("call", "error", "failed"),
    [
        ("tags", ProtocolError("document_broken"), 1),
        ("books", ProtocolError("document_broken"), 1),
        ("books", refused(403), 1),
        ("textbooks", refused(403), 1),
        ("sections b1", refused(403), 1),
        ("lessons b1", ProtocolError("document_broken"), 1),
        ("lessons b1", refused(404, "gone"), 0),
        ("detail l0", ProtocolError("document_broken"), 1),
        ("detail l0", refused(400), 1),
    ],
)
def test_a_broken_document_costs_only_itself(
    store: CatalogueStore, call: str, error: Exception, failed: int
) -> None:
    """Y3."""
    source = shelf()
    sync_catalogue(source, store, Wanted())
    source.raises[call] = error
    source.listed["b2"].append(lesson("m1", "b2"))
    report = sync_catalogue(source, store, Wanted(with_details=True))
    assert (report.failed, report.added, report.withdrawn) == (failed, 1, 0)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        ("books", UnreachableError("unreachable")),
        ("books", refused(403, "platform_refuses")),
        ("tags", refused(403, "platform_refuses")),
        ("lessons b1", UnreachableError("unreachable")),
        ("detail l1", UnreachableError("unreachable")),
        ("detail l1", refused(403, "platform_refuses")),
        ("detail l1", Cancelled()),
    ],
)
def test_a_link_that_is_down_ends_the_sync_and_keeps_what_came(
    store: CatalogueStore, call: str, error: Exception
) -> None:
    """Y3, Y1."""
    source = shelf()
    sync_catalogue(source, store, Wanted())
    source.raises[call] = error
    source.details["l0"] = with_part("l0")
    with pytest.raises(type(error)):
        sync_catalogue(source, store, Wanted(with_details=True))
    assert len(store.ids_of_book(BookId("b1"))) == 2
    source.raises.clear()
    assert sync_catalogue(source, store, Wanted(with_details=True)).resources == 1


def test_the_first_book_list_must_come(store: CatalogueStore) -> None:
    source = shelf()
    source.raises["books"] = ProtocolError("document_broken")
    with pytest.raises(ProtocolError):
        sync_catalogue(source, store, Wanted())


def test_answers_of_details_are_noted_and_parts_stay(store: CatalogueStore) -> None:
    source = shelf()
    source.details["l0"] = with_part("l0")
    wanted = Wanted(detail_ids=(LessonId("l0"), LessonId("nobody")))
    sync_catalogue(source, store, wanted)
    for answer, state in (
        (DetailStatus.GONE, DetailState.GONE),
        (DetailStatus.REFUSED, DetailState.REFUSED),
        (Unchanged.UNCHANGED, DetailState.HERE),
    ):
        source.details["l0"] = answer
        sync_catalogue(source, store, wanted)
        record = store.record(LessonId("l0"))
        assert record is not None
        assert (record.detail, len(record.lesson.parts)) == (state, 1)


def test_progress_tells_every_phase_and_cancelling_ends_it(store: CatalogueStore) -> None:
    told: list[CatalogueProgress] = []
    cancel = CancelToken()
    source = shelf()
    sync_catalogue(source, store, Wanted(with_details=True), progress=told.append, cancel=cancel)
    assert [step.phase for step in told if step.done == step.total] == list(Phase)
    assert told[-1].requests == source.requests
    cancel.cancel()
    with pytest.raises(Cancelled):
        sync_catalogue(source, store, Wanted(), cancel=cancel)


def test_details_include_the_e_textbooks_of_the_same_place(store: CatalogueStore) -> None:
    asked: list[str] = []
    source = shelf()
    source.on_call = asked.append
    sync_catalogue(source, store, Wanted(books=(BookId("b1"),), with_details=True))
    assert sorted(call for call in asked if call.startswith("detail")) == [
        "detail l0",
        "detail l1",
        "detail t1",
    ]
    asked.clear()
    sync_catalogue(source, store, Wanted(books=(BookId("b2"),), with_details=True))
    assert [call for call in asked if call.startswith("detail")] == ["detail m0"]


def test_a_few_details_are_read_without_any_list(store: CatalogueStore) -> None:
    source = shelf()
    sync_catalogue(source, store, Wanted())
    source.details["l0"] = with_part("l0")
    calls: list[str] = []
    source.on_call = calls.append
    read_details(source, store, (LessonId("l0"), LessonId("l0")))
    assert calls == ["detail l0"]
    held = store.lesson(LessonId("l0"))
    assert held is not None
    assert held.has_detail
