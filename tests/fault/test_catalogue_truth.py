"""What is held equals the replica's truth, after every change and through every fault.

Every fault meets one of the four peers, each peer some faults, and changes come two at a time; with
`TONGKE_WHOLE=1` all meet all, one change after the other (seven minutes).
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.platform_room import ALL, Room, room
from tests.replica import Replica, Replicas

pytestmark = pytest.mark.shared

SMALL = (
    "--books",
    "3",
    "--lessons-per-book",
    "5",
    "--books-per-part",
    "2",
    "--lessons-per-part",
    "3",
)
PEERS = {
    "validators": SMALL,
    "no validators": (*SMALL, "--no-validators"),
    "seed 2": (*SMALL, "--seed", "2"),
    "one mirror dead": SMALL,
}
DEAD = {"profile": "flaky-5xx", "match": "^/s-file-1/", "params": {"statuses": [502]}}
FAULTS: dict[str, dict[str, Any]] = {
    "none": {},
    "cut": {"probability": 0.3},
    "slow": {"probability": 0.3, "params": {"bytes_per_second": 4_000_000}},
    "truncated-json": {"probability": 0.3},
    "stale": {"probability": 0.5},
    "wrong-md5": {},
    "html-as-pdf": {},
    "truncated-list": {"probability": 0.5},
    "flaky-5xx": {"probability": 0.3},
    "redirect-loop": {"probability": 0.3},
    "clock-skew": {},
}
IS_WHOLE = "TONGKE_WHOLE" in os.environ
AT_ONCE = 1 if IS_WHOLE else 2
MEETINGS = [
    pytest.param(peer, fault, id=f"{peer}-{fault}")
    for row, fault in enumerate(FAULTS)
    for column, peer in enumerate(PEERS)
    if row % len(PEERS) == column or IS_WHOLE
]
LYING = frozenset({"stale", "truncated-list"})
"""Faults that give sound answers which are not true: only a later sync can tell."""

Change = Callable[[Replica, dict[str, Any]], object]


def _lesson(truth: dict[str, Any], book: int = 0, number: int = 0) -> str:
    books = [book for book in truth["books"] if book["lessons"]]
    return str(books[book]["lessons"][number]["id"])


def _book(truth: dict[str, Any], number: int) -> str:
    return str([book for book in truth["books"] if book["lessons"]][number]["id"])


def _chapter(truth: dict[str, Any]) -> str:
    books = [book for book in truth["books"] if book["lessons"]]
    return str(books[0]["lessons"][0]["chapter_ids"][0])


CHANGES: dict[str, Change] = {
    "reorder-noise": lambda r, t: r.mutate("reorder-noise"),
    "version-bump": lambda r, t: r.mutate("version-bump"),
    "rename a lesson": lambda r, t: r.mutate("rename", id=_lesson(t), title="新的\n标题 "),
    "rename a book": lambda r, t: r.mutate("rename", id=_book(t, 0), title="新书名"),
    "rename a chapter": lambda r, t: r.mutate("rename", id=_chapter(t), title=" 新  单元"),
    "rename an e-textbook": lambda r, t: r.mutate(
        "rename", id=t["textbooks"][0]["id"], title="新教科书"
    ),
    "replace a video": lambda r, t: r.mutate("replace-file", id=_lesson(t), kind="video"),
    "replace a task": lambda r, t: r.mutate("replace-file", id=_lesson(t, 1), kind="task"),
    "replace an e-textbook": lambda r, t: r.mutate("replace-file", id=t["textbooks"][0]["id"]),
    "add lessons": lambda r, t: r.mutate("add-lesson", book=_book(t, 1), count=3),
    "rekey a book": lambda r, t: r.mutate("rekey-tag", id=_book(t, 1)),
    "rekey a tag": lambda r, t: r.mutate("rekey-tag", tag_id=_tag(t)),
    "grow parts": lambda r, t: r.mutate("grow-parts", count=2),
    "detail 403": lambda r, t: r.mutate("detail-gone", id=_lesson(t, 1, 1), status=403),
    "detail 404": lambda r, t: r.mutate("detail-gone", id=_lesson(t, 1, 2), status=404),
    "details back": lambda r, t: [
        r.mutate("restore", id=_lesson(t, 1, number)) for number in (1, 2)
    ],
    "withdraw a lesson": lambda r, t: r.mutate("withdraw", id=_lesson(t, 0, 3)),
    "withdraw an e-textbook": lambda r, t: r.mutate("withdraw", id=t["textbooks"][1]["id"]),
    "withdraw a book": lambda r, t: r.mutate("withdraw", id=_book(t, 2)),
}


def _tag(truth: dict[str, Any]) -> str:
    lesson = next(lesson for book in truth["books"] for lesson in book["lessons"])
    return str(lesson["tags"]["zxxxk"][0])


@pytest.fixture
def peer(request: pytest.FixtureRequest, replicas: Replicas) -> Replica:
    return replicas(*PEERS[request.param])


@pytest.fixture
def held(tmp_path: Path, peer: Replica) -> Iterator[Room]:
    with room(tmp_path, peer) as here:
        yield here


def test_a_first_sync_of_the_default_catalogue_holds_the_truth(
    tmp_path: Path, replica: Replica
) -> None:
    with room(tmp_path, replica) as here:
        report = here.sync(ALL)
        assert here.differences(replica) == []
    totals = replica.truth(files=False)["totals"]
    assert (report.books, report.lessons) == (totals["books"], totals["lessons"])
    assert report.resources == totals["sub_resources"]
    assert (report.requests, report.bytes_received) == (replica.requests(), replica.body_bytes())


@pytest.mark.parametrize(("peer", "fault"), MEETINGS, indirect=["peer"])
def test_every_change_arrives_through_every_fault(
    held: Room, peer: Replica, fault: str, request: pytest.FixtureRequest
) -> None:
    """Y1 to Y3, D1 to D5: the chain of changes is the same for all; each sync starts broken."""
    constant = [DEAD] if "one mirror dead" in request.node.name else []
    broken = [*constant, *([{"profile": fault, **FAULTS[fault]}] if fault != "none" else [])]
    peer.faults(*broken)
    held.sync(ALL)
    peer.faults(*constant)
    held.sync(ALL)
    start = peer.truth(files=False)
    chapters: dict[str, str] = {}
    for number, (name, change) in enumerate(CHANGES.items(), 1):
        offered = _offered(peer) & _held(held)
        change(peer, start)
        if name == "rename a chapter":
            chapters[_chapter(start)] = "新 单元"
        if number % AT_ONCE and number < len(CHANGES):
            continue
        peer.faults(*broken)
        held.sync(ALL)
        peer.faults()
        if fault in LYING:
            lost = (offered & _offered(peer)) - _held(held)
            assert not lost, f"{name}: a lie took {lost}"
            peer.faults(*constant)
            held.sync(ALL)
        assert held.differences(peer, chapters) == [], name
    asked = set(peer.stats()["classes"]) - {"control"}
    assert all(name.startswith("catalogue.") for name in asked), asked


def _offered(peer: Replica) -> set[str]:
    truth = peer.truth(files=False)
    return {str(lesson["id"]) for book in truth["books"] for lesson in book["lessons"]}


def _held(held: Room) -> set[str]:
    books = held.store.books()
    return {str(id_) for book in books for id_ in held.store.ids_of_book(book.id)}
