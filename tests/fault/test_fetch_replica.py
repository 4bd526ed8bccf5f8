"""Fetching from the platform's replica, whatever happens on the way (F1 to F3, E1 to E3, V1 to V3).

The oracle for "not fetched twice" is the replica's own count of what it sent.
"""

import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from client.domain.availability import Decodes, PartState, Trust
from client.domain.cancel import CancelToken
from client.domain.catalogue import FileUse, Lesson, Part, RemoteFile, Role
from client.domain.clock import FrozenClock
from client.domain.errors import Cancelled
from client.domain.holding import part_state
from client.domain.ids import BookId, PartId
from client.service.library import LibraryService
from client.service.secrets import Token
from sync.engine.fetch_plan import Choice, FetchReport, PartStatus
from sync.source.platform.source import PLATFORM
from tests.fetch_room import FILM, PAPERS, FetchRoom, fetch_room, prepare, rendition
from tests.replica import Replica, Replicas

pytestmark = [pytest.mark.shared]


@pytest.fixture(scope="module")
def peer(replicas: Replicas) -> Replica:
    return replicas()


@pytest.fixture(scope="module")
def library(peer: Replica, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A synced catalogue to copy."""
    return prepare(peer, tmp_path_factory.mktemp("library"))


@pytest.fixture(autouse=True)
def fresh(peer: Replica) -> Iterator[None]:
    peer.reset()
    yield
    stats = peer.stats()["classes"]
    assert "key" not in stats
    assert "media.segment.protected" not in stats


def true_segments(peer: Replica, lesson: Lesson, path: str) -> list[dict[str, Any]]:
    truth = peer.truth(lesson=lesson.id)
    found = (one for video in _videos(truth) for one in video["renditions"])
    return next(list(one["segments"]) for one in found if path in json.dumps(one))


def _videos(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if "renditions" in value:
            yield value
        for one in value.values():
            yield from _videos(one)
    elif isinstance(value, list):
        for one in value:
            yield from _videos(one)


def statuses(report: FetchReport) -> set[tuple[str, str]]:
    return {(part.status.value, part.reason) for part in report.parts}


def test_a_whole_lesson_comes_documents_first(peer: Replica, library: Path, tmp_path: Path) -> None:
    with fetch_room(tmp_path, peer.base, library=library) as room:
        lesson = room.lesson()
        report = room.fetch(lesson)
        assert statuses(report) == {("present", "")}
        assert len(report.parts) == len(lesson.parts)
        sent = peer.body_bytes("media")
        assert report.bytes_received == sent
        film = rendition(lesson)
        held = {(h.part, h.path): h for h in room.holdings.of_lesson(lesson.id)}
        for part in lesson.parts:
            for file in part.files:
                holding = held.get((part.id, file.path))
                if holding is None or holding.blob is None or holding.file is None:
                    continue
                data = holding.file.read_bytes()
                assert holding.blob.digest == hashlib.sha256(data).hexdigest()
                if file.use is FileUse.RENDITION:
                    assert len(data) == file.total_bytes
                    assert holding.blob.trust is Trust.OBSERVED  # E3
                else:
                    assert hashlib.md5(data).hexdigest() == file.md5
                    assert holding.blob.trust is Trust.ATTESTED  # E3
            assert part_state(part, held.values()) is PartState.PRESENT
        assert any(path == film.path for _, path in held)
        assert list((tmp_path / "blobs" / "incoming").iterdir()) == []
        peer.reset("stats")
        again = room.fetch(lesson)
        assert peer.body_bytes() == 0
        assert again.bytes_reused == again.bytes_received + sum(
            h.blob.size_bytes for h in held.values() if h.blob
        )


def test_a_textbook_brings_its_chapters_and_opens_where_each_lesson_stands(
    peer: Replica, library: Path, tmp_path: Path
) -> None:  # L3, B4, BM2
    with fetch_room(tmp_path, peer.base, library=library) as room:
        shelf = LibraryService(room.db, room.holdings)
        (book, text) = _book_with_chapters(room)
        assert statuses(room.fetch(text)) == {("present", "")}
        found = [shelf.detail_now(one.id).textbook for one in room.catalogue.lessons_of_book(book)]
        firsts = [one.first for one in found if one is not None]
        length = max(file.pages for file in text.parts[0].files)
        assert len(firsts) == len(found)
        assert firsts == sorted(firsts)
        assert len(set(firsts)) > 1
        assert all(one is not None and one.first <= one.last <= length for one in found)


def _book_with_chapters(room: FetchRoom) -> tuple[BookId, Lesson]:
    """The first lesson book whose e-textbook has bookmarks."""
    texts = [room.catalogue.lesson(one.id) for one in room.catalogue.textbooks(PLATFORM)]
    for book in room.catalogue.books():
        for one in texts if room.catalogue.ids_of_book(book.id) else ():
            if one is None or one.place != book.place:
                continue
            if any(part.role is Role.BOOKMARKS for part in one.parts):
                return book.id, one
    raise AssertionError("no such book")


def test_the_film_is_its_segments_in_order_in_every_room(
    peer: Replica, library: Path, tmp_path: Path
) -> None:  # V1
    digests = set()
    for name in ("one", "other"):
        with fetch_room(tmp_path / name, peer.base, library=library) as room:
            lesson = room.lesson()
            if name == "other":
                peer.fault("cut", probability=0.6, match=r"\.ts$", times=12)
            report = room.fetch(lesson, FILM)
            path = next(p.path for p in report.parts)
            assert path is not None
            data = path.read_bytes()
            at = 0
            for segment in true_segments(peer, lesson, rendition(lesson).path):
                piece = data[at : at + segment["size"]]
                assert hashlib.md5(piece).hexdigest() == segment["md5"]
                at += segment["size"]
            assert at == len(data)
            digests.add(hashlib.sha256(data).hexdigest())
    assert len(digests) == 1


def test_cuts_cost_nothing_that_was_verified(
    peer: Replica, library: Path, tmp_path: Path
) -> None:  # F1
    with fetch_room(tmp_path, peer.base, library=library) as room:
        lesson = room.lesson()
        clean = sum(f.bytes_needed for f in [room.fetch(lesson)])
        room.holdings.drop(lesson.id)
        peer.reset("stats")
        peer.fault("cut", probability=0.5, classes=["media"])
        report = room.fetch(lesson)
        assert statuses(report) == {("present", "")}
        once = sum(
            h.blob.size_bytes for h in room.holdings.of_lesson(lesson.id) if h.blob is not None
        ) + rendition(lesson).size_bytes * len([p for p in lesson.parts if p.role is Role.VIDEO])
        assert once >= clean
        # What was on its way when a connection was reset is lost to both; nothing else is.
        assert peer.body_bytes("media") <= once + 65536 * peer.stats()["faults"].get("cut", 1)
        assert report.bytes_received <= once + 1000


@pytest.mark.parametrize("options", [("--no-ranges",), ("--no-validators",)])
def test_a_peer_without_ranges_sends_only_the_broken_file_again(
    replicas: Replicas, tmp_path: Path, options: tuple[str, ...]
) -> None:  # F1
    other = replicas(*options)
    library = prepare(other, tmp_path / "catalogue")
    with fetch_room(tmp_path / "room", other.base, library=library) as room:
        lesson = room.lesson()
        segments = true_segments(other, lesson, rendition(lesson).path)
        films = len([part for part in lesson.parts if part.role is Role.VIDEO])
        other.reset("stats")
        other.fault("cut", match=r"\.ts$", times=2, params={"min_bytes": 1})
        assert statuses(room.fetch(lesson)) == {("present", "")}
        assert other.requests("media.segment") == len(segments) * films + 2


def test_a_killed_fetch_goes_on_where_it_was(
    peer: Replica, library: Path, tmp_path: Path
) -> None:  # F1, V2: another life of the program
    with fetch_room(tmp_path, peer.base, library=library) as room:
        lesson = room.lesson()
        peer.fault("slow", match=r"\.ts$", params={"bytes_per_second": 400_000})
        cancel = CancelToken()
        outcome: list[type[BaseException]] = []

        def run() -> None:
            try:
                room.fetch(lesson, FILM, cancel)
            except Cancelled:
                outcome.append(Cancelled)

        thread = threading.Thread(target=run)
        thread.start()
        while room.fetcher.progress.bytes_done == 0:
            thread.join(0.01)
        cancel.cancel()
        thread.join(20)
        assert outcome == [Cancelled]
        assert {h.state for h in room.holdings.of_lesson(lesson.id)} == {PartState.ABSENT}
    peer.fault("none")
    with fetch_room(tmp_path, peer.base) as room:
        report = room.fetch(lesson, FILM)
        assert statuses(report) == {("present", "")}
        assert report.bytes_reused > 0
    whole = sum(
        rendition_of.total_bytes + rendition_of.size_bytes
        for part in lesson.parts
        if part.role is Role.VIDEO
        for rendition_of in part.files
        if rendition_of.height == 360
    )
    assert peer.body_bytes("media.playlist") == rendition(lesson).size_bytes * len(
        [p for p in lesson.parts if p.role is Role.VIDEO]
    )
    assert peer.body_bytes("media.segment") <= whole + 8 * 65536


def test_protected_media_is_never_asked_for(
    peer: Replica, library: Path, tmp_path: Path
) -> None:  # L1
    with fetch_room(tmp_path, peer.base, library=library) as room:
        lesson = room.lesson(protected=True)
        report = room.fetch(lesson)
        films = {p.id for p in lesson.parts if p.role is Role.VIDEO}
        assert {(p.status, p.reason) for p in report.parts if p.id in films} == {
            (PartStatus.UNAVAILABLE, "protected")
        }
        assert peer.requests("media.playlist") == 0
        states = {p.id: part_state(p, room.holdings.of_lesson(lesson.id)) for p in lesson.parts}
        assert {states[p] for p in films} == {PartState.PROTECTED}


def test_a_key_found_by_surprise_stops_everything(
    peer: Replica, library: Path, tmp_path: Path
) -> None:  # P1, V3
    with fetch_room(tmp_path, peer.base, library=library) as room:
        lesson = unmarked(room.lesson(protected=True))
        report = room.fetch(lesson, FILM)
        assert statuses(report) == {("unavailable", "protected")}
        assert list((tmp_path / "blobs" / "incoming").iterdir()) == []
        peer.reset("stats")
        assert statuses(room.fetch(lesson, FILM)) == {("unavailable", "protected")}
        assert peer.requests("media") == 0  # it was remembered


def low(part: Part) -> list[RemoteFile]:
    return [file for file in part.files if file.height == 360]


def file_of(lesson: Lesson, part: PartId, path: str) -> RemoteFile:
    return next(f for p in lesson.parts for f in p.files if p.id == part and f.path == path)


def unmarked(lesson: Lesson) -> Lesson:
    """The lesson as a catalogue that does not tell of protection would list it."""
    parts = tuple(
        replace(
            part, files=tuple(replace(f, is_protected=False) for f in part.files if f.height == 360)
        )
        for part in lesson.parts
    )
    return replace(lesson, parts=parts)


@pytest.mark.parametrize(
    ("profile", "match", "reason"),
    [
        ("wrong-md5", "", "digest_mismatch"),
        ("html-as-pdf", "", "not_the_file"),
        ("flaky-5xx", "", "busy"),
        ("redirect-loop", "", "redirect_loop"),
    ],
)
def test_a_fault_that_stays_ends_in_a_clear_state(
    peer: Replica, library: Path, tmp_path: Path, profile: str, match: str, reason: str
) -> None:  # F2, E2
    with fetch_room(tmp_path, peer.base, library=library) as room:
        lesson = room.lesson()
        peer.fault(profile, classes=["media"])
        report = room.fetch(lesson, PAPERS)
        assert statuses(report) == {("failed", reason)}
        assert not any(h.blob for h in room.holdings.of_lesson(lesson.id))
        assert not list((tmp_path / "blobs").glob("??/*"))
        assert not [p for p in (tmp_path / "blobs" / "incoming").iterdir() if p.suffix == ".part"]
        peer.fault("none")
        assert statuses(room.fetch(lesson, PAPERS)) == {("present", "")}


@pytest.mark.parametrize(
    "profile",
    [
        "cut",
        "slow",
        "wrong-md5",
        "html-as-pdf",
        "flaky-5xx",
        "redirect-loop",
        "stale",
        "clock-skew",
    ],
)
def test_a_fault_that_passes_leaves_the_true_files(
    peer: Replica, library: Path, tmp_path: Path, profile: str
) -> None:  # F2
    with fetch_room(tmp_path, peer.base, library=library) as room:
        lesson = room.lesson()
        params = {"bytes_per_second": 2_000_000} if profile == "slow" else {}
        # One bit of a segment cannot be noticed: nobody announced a digest (P2, observed).
        classes = ["media.document", "media.playlist"] if profile == "wrong-md5" else ["media"]
        peer.fault(profile, probability=0.3, classes=classes, params=params)
        for _ in range(6):
            report = room.fetch(lesson)
            if report.is_complete:
                break
        assert report.is_complete
        peer.fault("none")
        for holding in room.holdings.of_lesson(lesson.id):
            assert holding.file is not None
            file = file_of(lesson, holding.part, holding.path)
            data = holding.file.read_bytes()
            if file.use is FileUse.RENDITION:
                segments = true_segments(peer, lesson, file.path)
                true = b"".join(bytes.fromhex(one["md5"]) for one in segments)
                assert true == _md5s(data, segments)
            else:
                assert hashlib.md5(data).hexdigest() == file.md5


def _md5s(data: bytes, segments: list[dict[str, Any]]) -> bytes:
    found, at = b"", 0
    for segment in segments:
        found += hashlib.md5(data[at : at + segment["size"]]).digest()
        at += segment["size"]
    return found


def test_an_older_edition_under_the_new_name_is_not_taken(
    peer: Replica, tmp_path: Path
) -> None:  # F2
    only = Choice(roles=frozenset({Role.TASK}))
    with fetch_room(tmp_path / "old", peer.base, library=prepare(peer, tmp_path / "a")) as room:
        lesson = room.lesson()
        assert statuses(room.fetch(lesson, only)) == {("present", "")}
    peer.mutate("replace-file", id=lesson.id, kind="task")
    library = prepare(peer, tmp_path / "b")
    with fetch_room(tmp_path / "new", peer.base, library=library) as room:
        new = room.catalogue.lesson(lesson.id)
        assert new is not None
        peer.fault("stale", classes=["media"])
        report = room.fetch(new, only)
        assert ("failed", "digest_mismatch") in statuses(report) | {
            (status, "digest_mismatch")
            for status, reason in statuses(report)
            if "mismatch" in reason
        }
        peer.fault("none")
        assert statuses(room.fetch(new, only)) == {("present", "")}
    with fetch_room(tmp_path / "old", peer.base) as room:
        # The old edition stays until the new one is here, then it goes (K4).
        assert len(room.holdings.of_lesson(lesson.id)) == len(report.parts)
        before = {h.path for h in room.holdings.of_lesson(lesson.id)}
        assert statuses(room.fetch(new, only)) == {("present", "")}
        after = {h.path for h in room.holdings.of_lesson(lesson.id)}
        assert len(after) == len(before)
        assert after != before
        assert len(list((tmp_path / "old" / "blobs").glob("??/*"))) == len(after)


def test_a_withdrawn_lesson_is_gone(peer: Replica, library: Path, tmp_path: Path) -> None:
    with fetch_room(tmp_path, peer.base, library=library) as room:
        lesson = room.lesson()
        peer.mutate("withdraw", id=lesson.id)
        assert statuses(room.fetch(lesson)) == {("failed", "gone")}


TOKEN = ("--token", "T0", "--mac-key", "K0")


@pytest.fixture(scope="module")
def guarded(replicas: Replicas, tmp_path_factory: pytest.TempPathFactory) -> tuple[Replica, Path]:
    """A peer that wants a login, and its catalogue."""
    other = replicas(*TOKEN)
    return other, prepare(other, tmp_path_factory.mktemp("guarded"))


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        (None, "login_needed"),
        (Token(access_token="stale"), "login_needed"),
        (Token(access_token="T0", mac_key="wrong"), "bad_request"),
    ],
)
def test_without_a_good_login_little_is_asked_and_the_reason_is_told(
    guarded: tuple[Replica, Path], tmp_path: Path, token: Token | None, reason: str
) -> None:  # E2
    other, library = guarded
    other.reset()
    with fetch_room(tmp_path, other.base, library=library, token=token) as room:
        report = room.fetch(room.lesson())
        assert statuses(report) == {("failed", reason)}
        assert other.requests("media") == 2


@pytest.mark.parametrize(
    "token", [Token(access_token="T0"), Token(access_token="T0", mac_key="K0")]
)
def test_a_login_opens_what_it_should(
    guarded: tuple[Replica, Path], tmp_path: Path, token: Token
) -> None:
    other, library = guarded
    other.reset()
    with fetch_room(tmp_path, other.base, library=library, token=token) as room:
        assert statuses(room.fetch(room.lesson())) == {("present", "")}


def test_a_room_whose_clock_is_years_off_still_signs_well(
    guarded: tuple[Replica, Path], tmp_path: Path
) -> None:  # N2
    other, library = guarded
    other.reset()
    token = Token(access_token="T0", mac_key="K0")
    with fetch_room(
        tmp_path, other.base, library=library, token=token, clock=FrozenClock()
    ) as room:
        report = room.fetch(room.lesson(), PAPERS)
        # The first answer is a refusal that tells the platform's time.
        assert [p.reason for p in report.parts].count("bad_request") <= 1
        assert statuses(room.fetch(room.lesson(), PAPERS)) == {("present", "")}


def test_a_film_that_does_not_decode_here_is_kept_and_says_so(
    peer: Replica, library: Path, tmp_path: Path
) -> None:  # E1
    with fetch_room(tmp_path, peer.base, library=library, probe=lambda path: Decodes.NO) as room:
        lesson = room.lesson()
        assert statuses(room.fetch(lesson, FILM)) == {("present", "does_not_decode")}
        assert {h.blob.decodes for h in room.holdings.of_lesson(lesson.id) if h.blob} == {
            Decodes.NO
        }


def test_too_little_room_is_told_before_a_byte_is_asked(
    peer: Replica, library: Path, tmp_path: Path
) -> None:
    with fetch_room(tmp_path, peer.base, library=library, floor_bytes=1 << 60) as room:
        report = room.fetch(room.lesson())
        assert statuses(report) == {("failed", "disk_full")}
        assert peer.requests("media") == 0
