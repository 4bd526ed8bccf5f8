"""Films and papers of the platform from PCs near by (near_rules, near_link, near_shelf, fetch)."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from client.domain.availability import Trust
from client.domain.cancel import CancelToken
from client.domain.catalogue import FileUse, Lesson, RemoteFile, Role
from client.domain.ids import Digest, SourceId
from client.store.blob_store import growing_key
from client.store.catalogue_read import SourceRow
from sync.engine.fetch_plan import Choice, FetchReport
from sync.engine.near_book import BAN_S
from sync.protocol.near import Mark, Marks, pack_marks
from sync.transport.air import Air
from tests.fakes.peer import Asked, LoopbackPeer, Reply
from tests.lesson_values import a_lesson, a_part
from tests.near_world import Pc

SEGMENTS = [bytes([0x47, n]) + bytes(186) for n in range(6)]
"""One packet each, so that every stretch is a transport stream."""
PLAYLIST = (
    "#EXTM3U\n"
    + "".join(f"#EXTINF:4.0,\nseg{n}.ts\n" for n in range(len(SEGMENTS)))
    + "#EXT-X-ENDLIST\n"
).encode()
PAPER = b"%PDF-1.4\n" + bytes(9000)


class Platform:
    """The platform, counted."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.is_gone = False
        self.peer = LoopbackPeer(self.answer)

    def answer(self, asked: Asked) -> Reply:
        self.asked.append(asked.path)
        if self.is_gone:
            return Reply(status=503)
        name = asked.path.rpartition("/")[2]
        if name.startswith("seg"):
            return Reply(body=SEGMENTS[int(name[3:-3])])
        return Reply(body=PLAYLIST if name.endswith("m3u8") else PAPER)

    def lesson(self) -> Lesson:
        base = self.peer.base
        film = RemoteFile(
            path="/film.m3u8",
            urls=(f"{base}/film.m3u8",),
            format="m3u8",
            flags=(),
            use=FileUse.RENDITION,
            md5=hashlib.md5(PLAYLIST).hexdigest(),
            size_bytes=len(PLAYLIST),
            height=360,
            total_bytes=sum(map(len, SEGMENTS)),
            segments=len(SEGMENTS),
        )
        paper = replace(
            film,
            path="/paper.pdf",
            urls=(f"{base}/paper.pdf",),
            format="pdf",
            use=FileUse.DOCUMENT,
            md5=hashlib.md5(PAPER).hexdigest(),
            size_bytes=len(PAPER),
            total_bytes=0,
            segments=0,
        )
        made = a_lesson(a_part(Role.VIDEO, film), a_part(Role.SLIDES, paper))
        return replace(made, has_detail=True)


class School:
    """PCs whose lessons come from the platform."""

    def __init__(self, root: Path) -> None:
        self.root, self.air, self.platform = root, Air(), Platform()
        self.lesson = self.platform.lesson()
        self.pcs: list[Pc] = []

    def pc(self, number: int) -> Pc:
        made = Pc(self.root, number, self.air)
        row = SourceRow(
            id=SourceId("platform"), kind="platform", address=self.platform.peer.base, pace_s=0.0
        )
        made.station.add_source(row)
        made.station.catalogue.put_whole((self.lesson,))
        made.platform = row
        self.pcs.append(made.share())
        return made

    def fetch(self, pc: Pc) -> FetchReport:
        return pc.link.fetch(self.lesson.id, Choice(), CancelToken())

    def trusts(self, pc: Pc) -> dict[str, Trust]:
        held = pc.station.holdings.of_lesson(self.lesson.id)
        return {one.path: one.blob.trust for one in held if one.blob is not None}

    def papers(self, pc: Pc) -> set[Digest]:
        held = pc.station.holdings.of_lesson(self.lesson.id)
        return {one.blob.digest for one in held if one.blob and one.path.endswith("pdf")}

    def close(self) -> None:
        for pc in self.pcs:
            pc.close()
        self.platform.peer.close()


@pytest.fixture
def school(tmp_path: Path) -> Iterator[School]:
    made = School(tmp_path)
    try:
        yield made
    finally:
        made.close()


BOTH = {"/film.m3u8": Trust.OBSERVED, "/paper.pdf": Trust.ATTESTED}


def test_nu2_papers_prove_themselves_and_films_come_from_pcs_of_the_school(school):
    """NU2, NL2, V1: what was observed there is observed here; nothing crosses the link again."""
    first, second, third = school.pc(1), school.pc(2), school.pc(3)
    assert school.fetch(first).is_complete
    second.knows(first)
    school.platform.asked.clear()
    school.platform.is_gone = True
    told = school.fetch(second)
    assert told.is_complete
    assert (told.bytes_received, school.platform.asked) == (0, [])
    school.platform.is_gone = False
    assert school.trusts(second) == BOTH == school.trusts(first)
    stranger = school.fetch(third)
    assert stranger.is_complete
    assert stranger.bytes_near == len(PAPER)
    assert not [path for path in school.platform.asked if path.endswith("pdf")]
    school.platform.asked.clear()
    fourth = school.pc(4)
    fourth.knows(second)
    assert school.fetch(fourth).bytes_received == 0, "it is passed on by who got it from near, too"


def test_nl2_a_film_goes_on_with_the_platform_where_the_pc_stopped(school):
    """NL2, V2: segment by segment; none is asked for twice."""
    first, second = school.pc(1), school.pc(2)
    school.fetch(first)
    second.knows(first)
    school.platform.asked.clear()
    served: list[Digest] = []
    honest = first.desk._shelf(1).object

    def dies(digest):
        if digest not in papers:
            served.append(digest)
            if len(served) > 3:
                return None
        return honest(digest)

    papers = school.papers(first)
    first.twists["object"] = dies
    told = school.fetch(second)
    assert {part.reason for part in told.parts} == {"", "near_coming"}
    first.share(is_on=False)
    first.desk.follow()
    rest = school.fetch(second)
    assert rest.is_complete
    segments = [path for path in school.platform.asked if "seg" in path]
    assert 0 < len(segments) <= len(SEGMENTS) - 1
    assert len(set(segments)) == len(segments)
    assert school.trusts(second) == BOTH


def test_nu2_false_marks_are_noticed(school):
    """NU2, NB1: by the digest that was signed."""
    first, second = school.pc(1), school.pc(2)
    school.fetch(first)
    second.knows(first)
    other = Marks(playlist=PLAYLIST, stretches=(Mark(length=1, sha256="ab" * 32),))
    first.twists["marks"] = lambda _: pack_marks(other)
    told = school.fetch(second)
    assert (told.is_complete, told.bytes_near) == (True, len(PAPER))
    assert school.trusts(second) == BOTH


def test_nl2_a_pc_with_other_segments_is_found_out(school, tmp_path):
    """NL2, NB1"""
    first, second = school.pc(1), school.pc(2)
    school.fetch(first)
    second.knows(first)
    false = tmp_path / "false"
    honest, papers = first.desk._shelf(1).object, school.papers(first)
    first.twists["object"] = lambda digest: honest(digest) if digest in papers else false
    for lie in (b"\x47" + bytes(187 + 188 * 5), b"short"):
        false.write_bytes(lie)
        for _ in range(3):
            told = school.fetch(second)
            second.clock.advance(60)
        assert told.is_complete
        assert school.trusts(second) == BOTH
        assert second.desk.book.all()[0].bad
        second.station.holdings.drop(school.lesson.id)
        second.clock.advance(BAN_S)
        second.knows(first)


def test_nl2_marks_that_do_not_come_are_no_hindrance(school, monkeypatch):
    """NL2: nor a list of fewer segments than the film has."""
    first, second = school.pc(1), school.pc(2)
    school.fetch(first)
    second.knows(first)
    shelf = type(first.desk._shelf(1))
    few = Marks(
        playlist=PLAYLIST,
        stretches=tuple(
            Mark(length=len(one), sha256=hashlib.sha256(one).hexdigest()) for one in SEGMENTS[:2]
        ),
    )
    monkeypatch.setattr(shelf, "_marks", lambda *_: pack_marks(few))
    told = school.fetch(second)
    assert told.is_complete
    third = school.pc(3)
    third.knows(first)
    first.twists["marks"] = lambda _: None
    assert school.fetch(third).is_complete


def test_e4_what_the_link_began_is_not_risked_on_a_strangers_word(school):
    """E4, F1: a paper proves itself at its end alone; its first half came from the platform."""
    first, second = school.pc(1), school.pc(2)
    school.fetch(first)
    (paper,) = (
        file for part in school.lesson.parts for file in part.files if file.use is FileUse.DOCUMENT
    )
    key = growing_key(paper.path, paper.md5)
    growing = second.station.blobs.growing(key, f"{paper.path} {paper.md5}")
    growing.from_answer(etag="", url=paper.urls[0], total=len(PAPER))
    growing.write(PAPER[:5000])
    growing.mark()
    growing.close()
    false = school.root / "false"
    false.write_bytes(bytes(len(PAPER)))
    first.twists["object"] = lambda _: false
    told = second.link.fetch(
        school.lesson.id, Choice(roles=frozenset({Role.SLIDES})), CancelToken()
    )
    assert told.is_complete
    assert (told.bytes_reused, told.bytes_received) == (5000, len(PAPER) - 5000)
