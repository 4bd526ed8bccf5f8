"""Fetching without a socket, and the parts of its bench: corners the replica does not offer.

E1, E2, V1 to V3.
"""

import hashlib
import itertools
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from client.domain.availability import Decodes, PartState
from client.domain.cancel import CancelToken
from client.domain.catalogue import FileUse, Lesson, RemoteFile, Role
from client.domain.clock import SystemClock
from client.domain.errors import UserError
from client.store.blob_store import BlobStore, growing_key
from client.store.database import Database
from client.store.holding_store import HoldingStore
from client.store.library import open_library
from sync.engine import bench_fetch
from sync.engine.fetch import Fetcher, FetchPorts
from sync.engine.fetch_plan import Choice, FetchReport
from sync.engine.pacing import Patience, Width
from sync.source.addresses import AddressBook
from tests.fakes.peer import Asked, LoopbackPeer, Reply
from tests.fakes.scripted_transport import ScriptedTransport
from tests.lesson_values import a_file, a_lesson, a_part

if TYPE_CHECKING:
    from sync.engine.fetch_job import Progress

BASE = "http://twin.test"
PACKET = b"\x47" + bytes(187)
SEGMENTS = (PACKET * 3, PACKET * 2)
LIST = b"#EXTM3U\n#EXTINF:1,\na.ts\n#EXTINF:1,\nb.ts\n#EXT-X-ENDLIST\n"
PDF = b"%PDF-1.7 one task sheet"
SITE = {"/l.m3u8": LIST, "/a.ts": SEGMENTS[0], "/b.ts": SEGMENTS[1], "/t.pdf": PDF}


def film(**changes: object) -> RemoteFile:
    facts: dict[str, object] = {
        "path": "/l.m3u8",
        "urls": (f"{BASE}/l.m3u8",),
        "format": "m3u8",
        "flags": (),
        "use": FileUse.RENDITION,
        "md5": hashlib.md5(LIST).hexdigest(),
        "size_bytes": len(LIST),
        "height": 360,
        "total_bytes": 5 * 188,
        "segments": 2,
    }
    return RemoteFile(**(facts | changes))  # type: ignore[arg-type]


def paper() -> RemoteFile:
    return RemoteFile(
        path="/t.pdf",
        urls=(f"{BASE}/t.pdf",),
        format="pdf",
        flags=(),
        use=FileUse.DOCUMENT,
        md5=hashlib.md5(PDF).hexdigest(),
        size_bytes=len(PDF),
    )


class Desk:
    """A fetcher over a script."""

    def __init__(self, folder: Path, db: Database) -> None:
        self.blobs = BlobStore(folder / "blobs", floor_bytes=0)
        self.holdings = HoldingStore(db, self.blobs, folder / "lessons")
        self.transport = ScriptedTransport(self.answer)
        self.site = dict(SITE)
        self.told: list[Progress] = []
        self.waits_for: dict[str, str] = {}
        """A path that is answered only once a segment of this number is whole on the disk."""
        self.fetcher = Fetcher(
            FetchPorts(
                transport=self.transport,
                addresses=AddressBook(BASE),
                holdings=self.holdings,
                clock=SystemClock(),
                probe=lambda path: Decodes.YES,
            ),
            patience=Patience(tries=2, first_s=0.0, most_s=0.0),
            on_bytes=lambda: self.told.append(self.fetcher.progress),
        )

    def answer(self, asked: Asked) -> Reply:
        number = self.waits_for.get(asked.path)
        for _ in range(400):  # two seconds: what is waited for may be put together meanwhile
            if number is None or self.is_whole(number):
                break
            threading.Event().wait(0.005)
        body = self.site.get(asked.path)
        return Reply(status=404) if body is None else Reply(body=body, etag='"e"')

    def is_whole(self, number: str) -> bool:
        lists = (self.blobs.folder / "incoming").glob(f"*-{number}.list")
        return any("\nD " in path.read_text() for path in lists)

    def fetch(self, lesson: Lesson) -> FetchReport:
        return self.fetcher.fetch(lesson, Choice(), CancelToken())

    def reasons(self, lesson: Lesson) -> list[tuple[str, str]]:
        return [(part.status.value, part.reason) for part in self.fetch(lesson).parts]

    @property
    def incoming(self) -> list[str]:
        return sorted(path.name for path in (self.blobs.folder / "incoming").iterdir())


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    db = open_library(tmp_path / "library.db")
    made = Desk(tmp_path, db)
    yield made
    made.fetcher.close()
    db.close()


def one_film(**changes: object) -> Lesson:
    return a_lesson(a_part(Role.VIDEO, film(**changes)))


def test_a_film_is_its_segments_joined(desk: Desk) -> None:  # V1
    (part,) = desk.fetch(one_film()).parts
    assert part.path is not None
    assert part.path.read_bytes() == b"".join(SEGMENTS)
    assert desk.incoming == []
    assert desk.fetcher.progress.lesson is None


@pytest.mark.parametrize(
    ("changes", "site", "reason"),
    [
        ({"total_bytes": 4 * 188}, {}, "size_mismatch"),
        ({"segments": 3}, {}, "segment_count"),
        ({}, {"/b.ts": PACKET[:-1]}, "not_the_file"),
        ({}, {"/b.ts": b"<html>" + PACKET}, "not_the_file"),
        ({}, {"/l.m3u8": LIST + b"\n"}, "size_mismatch"),
    ],
)
def test_nothing_is_kept_of_a_film_that_is_not_the_one_described(
    desk: Desk, changes: dict[str, object], site: dict[str, bytes], reason: str
) -> None:  # V3
    desk.site.update(site)
    assert desk.reasons(one_film(**changes)) == [("failed", reason)]
    assert desk.incoming == []
    assert [h.state for h in desk.holdings.of_lesson(one_film().id)] == [PartState.FAILED]


def test_a_film_without_announced_sizes_is_taken_as_it_comes(desk: Desk) -> None:
    lesson = one_film(md5="", size_bytes=0, total_bytes=0, segments=0)
    assert desk.reasons(lesson) == [("present", "")]


def test_a_film_that_comes_for_minutes_is_asked_for_more_widely(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every look at the clock is a second later, so each stretch is long enough to judge."""
    ticks = itertools.count(1000.0)
    monkeypatch.setattr(SystemClock, "monotonic", lambda self: next(ticks))
    names = [f"/{number}.ts" for number in range(12)]
    lines = b"".join(b"#EXTINF:1,\n%s\n" % name[1:].encode() for name in names)
    listed = b"#EXTM3U\n" + lines + b"#EXT-X-ENDLIST\n"
    desk.site |= {"/l.m3u8": listed, **dict.fromkeys(names, PACKET)}
    facts = {"md5": hashlib.md5(listed).hexdigest(), "size_bytes": len(listed)}
    desk.fetch(one_film(**facts, total_bytes=12 * 188, segments=12))
    assert desk.fetcher._width.now > Width().now
    assert max(one.bytes_done for one in desk.told) > 0


def test_a_segment_that_is_gone_keeps_the_others_for_another_time(desk: Desk) -> None:  # E2
    del desk.site["/b.ts"]
    desk.waits_for["/b.ts"] = "00000"
    assert desk.reasons(one_film()) == [("failed", "gone")]
    assert any(name.endswith(".list") for name in desk.incoming)
    desk.site["/b.ts"] = SEGMENTS[1]
    desk.waits_for.clear()
    before = [asked.path for asked in desk.transport.asked]
    assert desk.reasons(one_film()) == [("present", "")]
    later = [asked.path for asked in desk.transport.asked][len(before) :]
    assert later == ["/b.ts"]
    assert desk.incoming == []


def test_a_whole_segment_that_waits_for_its_turn_is_not_asked_for_again(desk: Desk) -> None:  # V2
    del desk.site["/a.ts"]
    desk.waits_for["/a.ts"] = "00001"
    assert desk.reasons(one_film()) == [("failed", "gone")]
    desk.waits_for.clear()
    desk.site["/a.ts"] = SEGMENTS[0]
    asked = len(desk.transport.asked)
    assert desk.reasons(one_film()) == [("present", "")]
    assert [one.path for one in desk.transport.asked][asked:] == ["/a.ts"]


def test_a_file_that_was_committed_but_not_recorded_is_taken_up(desk: Desk) -> None:  # E1
    lesson = a_lesson(a_part(Role.TASK, paper()), a_part(Role.VIDEO, film()))
    growing = desk.blobs.growing(growing_key("/t.pdf", paper().md5), f"/t.pdf {paper().md5}")
    growing.write(PDF)
    desk.blobs.commit(growing, "pdf")
    listed = desk.blobs.growing(
        f"{growing_key('/l.m3u8', film().md5)}-list", f"/l.m3u8 {film().md5}"
    )
    listed.write(LIST)
    listed.mark()
    listed.close()
    whole = desk.blobs.growing(growing_key("/l.m3u8", film().md5), f"/l.m3u8 {listed.sha256}", 0)
    for segment in SEGMENTS:
        whole.write(segment)
        whole.mark()
    desk.blobs.commit(whole, "ts")
    report = desk.fetch(lesson)
    assert [part.status.value for part in report.parts] == ["present", "present"]
    assert desk.transport.asked == []
    assert report.bytes_reused == len(PDF) + 5 * 188
    assert desk.incoming == []


def test_a_file_deleted_behind_our_back_comes_again(desk: Desk) -> None:  # E1
    lesson = a_lesson(a_part(Role.TASK, paper()))
    (part,) = desk.fetch(lesson).parts
    assert part.path is not None
    part.path.unlink()
    assert desk.reasons(lesson) == [("present", "")]
    assert len(desk.transport.asked) == 2


def test_parts_that_cannot_be_had_are_told_beside_those_that_can(desk: Desk) -> None:  # E2
    lesson = a_lesson(
        a_part(Role.VIDEO, film(is_protected=True), film(path="/m", is_protected=True)),
        a_part(Role.PLAN, a_file("/p.json", FileUse.OTHER)),
        a_part(Role.TASK, paper()),
    )
    assert desk.reasons(lesson) == [
        ("unavailable", "protected"),
        ("unavailable", "no_file"),
        ("present", ""),
    ]


def test_an_address_outside_the_source_is_refused(desk: Desk) -> None:  # E2
    odd = a_lesson(a_part(Role.VIDEO, film(urls=("http://elsewhere.test/l.m3u8",))))
    assert desk.reasons(odd) == [("failed", "address_refused")]
    desk.site["/l.m3u8"] = LIST.replace(b"b.ts", b"http://elsewhere.test/b.ts")
    listed = desk.site["/l.m3u8"]
    changes = {"md5": hashlib.md5(listed).hexdigest(), "size_bytes": len(listed)}
    assert desk.reasons(one_film(**changes)) == [("failed", "address_refused")]
    assert not any("elsewhere" in asked.path for asked in desk.transport.asked)


# --- the bench -----------------------------------------------------------------------------------


def test_the_benchs_client_brings_the_benchs_lesson(tmp_path: Path) -> None:
    with bench_fetch._content(0.6) as content:
        root = content / "www"

        def serve(asked: Asked) -> Reply:
            return Reply(body=(root / asked.path.lstrip("/")).read_bytes(), etag='"e"')

        with LoopbackPeer(serve) as peer:
            assert bench_fetch.bring("platform", root, tmp_path, peer.base) == 0
        assert bench_fetch._same(tmp_path, root / "whole.bin")
        assert not bench_fetch._same(tmp_path / "blobs" / "incoming", root / "whole.bin")


def test_the_benchs_client_brings_what_a_hub_publishes(tmp_path: Path) -> None:
    with bench_fetch._content(1.2, "hub") as content:
        public = content / "hub" / "content" / "public"

        def serve(asked: Asked) -> Reply:
            return Reply(body=(public / asked.path.lstrip("/")).read_bytes())

        with LoopbackPeer(serve) as peer:
            assert bench_fetch.bring("hub", content / "www", tmp_path, peer.base) == 0
            assert {one.path.split("/")[2] for one in peer.asked} == {"m", "o"}
        assert bench_fetch._same(tmp_path, content / "www" / "whole.bin")


def test_the_bench_says_what_it_lacks(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="bench_needs"):
        bench_fetch.main(["--tools", str(tmp_path), "--quick"])
    with pytest.raises(UserError, match="bench_needs"):
        bench_fetch.main(["--tools", str(tmp_path), "--sizes", "1"])


@pytest.mark.root
@pytest.mark.shared
def test_the_bench_measures_all_clients_over_dark_links(shared_dir: Path) -> None:
    case = bench_fetch.Case(
        size_mb=0.6, congestion="bbr", outage="blackhole", dark_s=3, period_s=12
    )
    cases = [case, replace(case, source="hub", size_mb=0.2)]
    figures = bench_fetch.bench_fetch(shared_dir / "tools", cases, SystemClock(), sys.stderr)
    text = bench_fetch.document(figures, cases)
    row, hub = text["figures"]["cases"]  # type: ignore[index,call-overload]
    assert "aria2" not in hub
    for found in (row["tongke"], row["aria2"], hub["tongke"]):
        assert found["is_complete"]
        assert found["wire_ratio"] >= 1
