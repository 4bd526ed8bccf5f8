"""D1 to D5, K1, K2, S1 to S3: how documents are asked for."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest

from client.domain.cancel import CancelToken
from client.domain.catalogue import Lesson, LessonKind, Placement
from client.domain.clock import FrozenClock
from client.domain.errors import (
    BusyError,
    Cancelled,
    ClassroomError,
    ProtocolError,
    RefusedError,
    TransportError,
    UnreachableError,
)
from client.domain.ids import BookId, LessonId, SourceId
from client.domain.seen import Seen, Validator
from sync.source.addresses import AddressBook
from sync.source.platform import documents
from sync.source.platform.documents import Document, Documents
from sync.source.platform.pace import LOOPBACK_PACE, Gate, Pace, wait_s
from sync.source.platform.source import PlatformSource
from sync.source.port import DetailStatus, Found, Unchanged
from tests.fakes.peer import Asked, Reply
from tests.fakes.scripted_transport import ScriptedTransport

BASE = "http://peer"
PACE = Pace(gap_s=0.0, backoff_s=0.0, tries=6, refusals=3)
PATH = "/zxx/a.json"
OLD = "Fri, 01 Aug 2025 10:00:00 GMT"
NEW = "Sat, 02 Aug 2025 10:00:00 GMT"


class Memory:
    """Remembers in a dict."""

    def __init__(self, *seen: Seen) -> None:
        self.seen = {entry.path: entry for entry in seen}

    def recall(self, path: str) -> Seen | None:
        return self.seen.get(path)

    def take(self, entries: tuple[Seen, ...]) -> None:
        self.seen |= {entry.path: entry for entry in entries}


class Peer:
    """Answers paths by host. `answers` maps `/host/path`, or only `/path`, to what is given."""

    def __init__(self, **answers: Any) -> None:
        self.answers: dict[str, Any] = answers
        self.transport = ScriptedTransport(self._reply)

    @property
    def asked(self) -> list[str]:
        return [asked.path for asked in self.transport.asked]

    def _reply(self, asked: Asked) -> Reply:
        path = "/" + asked.path.split("/", 2)[2]
        answer = self.answers.get(asked.path, self.answers.get(path, Reply(status=404)))
        if isinstance(answer, list) and answer and isinstance(answer[0], Reply | Exception):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, Reply) else Reply(body=json.dumps(answer).encode())


def reader(peer: Peer, memory: Memory | None = None, pace: Pace = PACE) -> Documents:
    return Documents(peer.transport, AddressBook(BASE), memory or Memory(), pace)


def at(number: int, path: str = PATH) -> str:
    return f"/s-file-{number}{path}"


def body_of(found: object) -> object:
    assert isinstance(found, Document)
    return found.content


# --- one document ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "first",
    [
        UnreachableError("unreachable"),
        Reply(body=b"[1,2]", cut_after=2),
        Reply(stalls=True),
        Reply(status=503),
        Reply(body=b'{"a": '),
        Reply(status=304),
    ],
)
def test_a_broken_answer_is_asked_for_again_at_another_mirror(first: Reply | Exception) -> None:
    """D1."""
    peer = Peer(**{at(1): first, PATH: [7]})
    assert body_of(reader(peer).read(PATH, CancelToken())) == [7]
    assert peer.asked == [at(1), at(2)]


def test_tries_are_bounded() -> None:
    """D1."""
    for answer, error in (
        (UnreachableError("unreachable"), TransportError),
        (Reply(body=b"x"), ProtocolError),
    ):
        peer = Peer(**{PATH: answer})
        with pytest.raises(error):
            reader(peer).read(PATH, CancelToken())
        assert len(peer.asked) == PACE.tries
        assert {path[:9] for path in peer.asked} == {"/s-file-1", "/s-file-2", "/s-file-3"}


def test_what_is_no_platform_address_is_never_asked() -> None:
    peer = Peer()
    with pytest.raises(ProtocolError, match="address_refused"):
        reader(peer).read("//evil.example/a", CancelToken())
    assert peer.asked == []


def test_a_foreign_answer_ends_it() -> None:
    peer = Peer(**{PATH: Reply(is_garbage=True)})
    with pytest.raises(ProtocolError, match="not_http"):
        reader(peer).read(PATH, CancelToken())
    assert len(peer.asked) == 1


def test_a_document_without_end_is_thrown_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MAX_DOCUMENT_BYTES", 100)
    peer = Peer(**{PATH: Reply(body=b"[" + b"1," * 60 + b"1]")})
    with pytest.raises(ProtocolError, match="document_too_large"):
        reader(peer).read(PATH, CancelToken())


def test_a_known_document_is_asked_for_by_its_validator() -> None:
    """D2."""
    body = b"[7]"
    digest = hashlib.sha256(body).hexdigest()
    for validator, header in (
        (Validator(etag='"e"', modified=OLD, digest="?"), {"if-none-match": '"e"'}),
        (Validator(modified=OLD, digest="?"), {"if-modified-since": OLD}),
        (Validator(digest="?"), {}),
    ):
        peer = Peer(**{PATH: Reply(status=304)})
        memory = Memory(Seen(path=PATH, validator=validator))
        assert reader(peer, memory).read(PATH, CancelToken()) is Unchanged.UNCHANGED
        assert header.items() <= peer.transport.asked[0].headers.items()
    peer = Peer(**{PATH: Reply(body=body)})
    memory = Memory(Seen(path=PATH, validator=Validator(digest=digest)))
    assert reader(peer, memory).read(PATH, CancelToken()) is Unchanged.UNCHANGED
    found = reader(peer, memory).read_whole(PATH, CancelToken())
    assert found.seen(["x"]) == Seen(path=PATH, validator=Validator(digest=digest), ids=("x",))


def test_an_answer_that_is_older_than_the_known_one_is_the_last_choice() -> None:
    """D3."""

    def dated(value: int, modified: str) -> Reply:
        return Reply(body=json.dumps([value]).encode(), headers={"Last-Modified": modified})

    memory = Memory(Seen(path=PATH, validator=Validator(modified=NEW, digest="?")))
    peer = Peer(**{at(1): dated(1, OLD), at(2): dated(2, NEW)})
    assert body_of(reader(peer, memory).read(PATH, CancelToken())) == [2]
    older = "Thu, 31 Jul 2025 10:00:00 GMT"
    peer = Peer(**{at(1): dated(1, older), at(2): dated(2, OLD), at(3): dated(3, older)})
    assert body_of(reader(peer, memory).read(PATH, CancelToken())) == [2]
    assert len(peer.asked) == 3
    for strange in ("yesterday", ""):
        peer = Peer(**{PATH: dated(1, strange)})
        assert body_of(reader(peer, memory).read(PATH, CancelToken())) == [1]
        assert len(peer.asked) == 1


def test_repeated_refusals_end_all_asking() -> None:
    """D4."""
    peer = Peer(**{PATH: Reply(status=403), "/zxx/b.json": [7]})
    platform = reader(peer)
    for _ in range(2):
        with pytest.raises(RefusedError, match="forbidden"):
            platform.read(PATH, CancelToken())
    platform.read("/zxx/b.json", CancelToken())
    with pytest.raises(RefusedError):
        platform.read("/zxx/none.json", CancelToken())
    for _ in range(3):
        with pytest.raises(RefusedError, match="forbidden"):
            platform.read(PATH, CancelToken())
    count = len(peer.asked)
    with pytest.raises(RefusedError, match="platform_refuses"):
        platform.read("/zxx/b.json", CancelToken())
    assert len(peer.asked) == count


def test_documents_that_are_often_closed_do_not_count() -> None:
    """D4."""
    peer = Peer(**{PATH: Reply(status=403), "/zxx/b.json": [7]})
    platform = reader(peer)
    for _ in range(9):
        with pytest.raises(RefusedError):
            platform.read(PATH, CancelToken(), may_be_closed=True)
    assert body_of(platform.read("/zxx/b.json", CancelToken())) == [7]


def test_two_mirrors_must_say_that_there_is_none() -> None:
    """D5."""
    peer = Peer(**{at(3): [7]})
    with pytest.raises(RefusedError, match="gone"):
        reader(peer).read(PATH, CancelToken())
    assert peer.asked == [at(1), at(2)]
    peer = Peer(**{at(2): [7]})
    assert body_of(reader(peer).read(PATH, CancelToken())) == [7]
    peer = Peer(**{at(2): UnreachableError("unreachable"), at(3): UnreachableError("unreachable")})
    with pytest.raises(RefusedError, match="gone"):
        reader(peer).read(PATH, CancelToken())
    assert len(peer.asked) == 3


@pytest.mark.parametrize(
    ("answers", "is_gone", "asked"),
    [
        ({}, True, 2),
        ({at(1): [7]}, False, 1),
        ({at(2): [7]}, False, 2),
        ({at(1): Reply(status=403)}, False, 1),
        ({at(1): UnreachableError("unreachable")}, True, 3),
        ({at(1): Reply(status=503), at(2): Reply(status=503)}, True, 5),
    ],
)
def test_whether_a_record_is_gone_is_asked_of_two_mirrors(
    answers: dict[str, Any], is_gone: bool, asked: int
) -> None:
    """D5."""
    peer = Peer(**answers)
    assert reader(peer).is_gone(PATH, CancelToken()) is is_gone
    assert len(peer.asked) == asked


def test_without_any_answer_nothing_is_said_of_a_record() -> None:
    """D5."""
    peer = Peer(**{PATH: UnreachableError("unreachable")})
    with pytest.raises(UnreachableError):
        reader(peer).is_gone(PATH, CancelToken())
    assert len(peer.asked) == 3 * PACE.tries


def test_requests_and_bytes_are_counted_as_received() -> None:
    peer = Peer(**{PATH: Reply(body=b"[7]"), "/zxx/no.json": Reply(status=403, body=b"closed")})
    platform = reader(peer)
    platform.read(PATH, CancelToken())
    with pytest.raises(RefusedError):
        platform.read("/zxx/no.json", CancelToken())
    assert (platform.traffic.requests, platform.traffic.bytes_received) == (2, 3 + len("closed"))


# --- pace --------------------------------------------------------------------------------


def test_requests_start_apart() -> None:
    """K1."""
    clock = FrozenClock()
    waits: list[float] = []

    class Token(CancelToken):
        def sleep(self, seconds: float) -> None:
            waits.append(seconds)
            clock.advance(seconds)

    gate = Gate(0.5, clock)
    token = Token()
    for _ in range(3):
        gate.enter(token)
    clock.advance(2.0)
    gate.enter(token)
    assert waits == [0.5, 0.5]


def test_a_cancelled_token_ends_every_wait() -> None:
    """K2."""
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        Gate(0.0).enter(token)
    gate = Gate(60.0)
    gate.enter(CancelToken())
    with pytest.raises(Cancelled):
        gate.enter(token)


def test_waits_grow_are_spread_and_heed_the_peer() -> None:
    """K2."""
    pace = Pace(backoff_s=0.5, longest_s=60.0)
    assert [wait_s(pace, n, 0.0, 0.5) for n in (1, 2, 3, 4)] == [0.5, 1.0, 2.0, 4.0]
    assert wait_s(pace, 1, 0.0, 0.0) < wait_s(pace, 1, 0.0, 0.9)
    assert wait_s(pace, 1, 30.0, 0.5) == 30.0
    assert (wait_s(pace, 1, 900.0, 0.5), wait_s(pace, 30, 0.0, 0.5)) == (120.0, 60.0)


def test_a_busy_platform_is_given_the_time_it_asks_for() -> None:
    """K2, D1."""
    waits: list[float] = []

    class Token(CancelToken):
        def sleep(self, seconds: float) -> None:
            waits.append(seconds)

    busy = BusyError("busy", {"retry_after_s": 7.0})
    peer = Peer(**{at(1): [busy, Reply(body=b"[7]")], at(2): busy, at(3): busy})
    assert body_of(reader(peer).read(PATH, Token())) == [7]
    assert waits == [7.0]
    assert peer.asked == [at(1), at(2), at(3), at(1)]


# --- the source --------------------------------------------------------------------------

BOOKS = "/zxx/ndrs/national_lesson/teachingmaterials"
VERSION = f"{BOOKS}/version/data_version.json"
TEXTS = "/zxx/ndrs/resources/tch_material"
HOST = "https://s-file-2.ykt.cbern.com.cn"


def record(name: str, **more: object) -> dict[str, object]:
    return {"id": name, "title": name, **more}


def source(peer: Peer, memory: Memory) -> PlatformSource:
    return PlatformSource(peer.transport, AddressBook(BASE), memory, pace=PACE, id=SourceId("p"))


def test_a_list_is_followed_and_only_changed_parts_are_read_again() -> None:
    """S1, S2."""
    parts = [f"{HOST}{BOOKS}/part_{n}.json" for n in (100, 107)]
    peer = Peer(
        **{
            VERSION: {"module_version": 9, "urls": parts},
            f"{BOOKS}/part_100.json": [record("b1"), 7],
            f"{BOOKS}/part_107.json": [record("b2")],
        }
    )
    memory = Memory()
    first = source(peer, memory).books(CancelToken())
    assert ([book.id for book in first.records], first.kept, first.skipped) == (["b1", "b2"], (), 1)
    memory.take(first.seen)
    again = source(peer, memory).books(CancelToken())
    assert (again.records, again.kept, again.seen) == ((), ("b1", "b2"), ())
    peer.answers[VERSION] = {"module_version": 3, "urls": parts}
    peer.answers[f"{BOOKS}/part_107.json"] = [record("b2", description="x"), record("b3")]
    third = source(peer, memory).books(CancelToken())
    assert ([book.id for book in third.records], third.kept) == (["b2", "b3"], ("b1",))
    peer.answers[f"{BOOKS}/part_100.json"] = [record("b0")]
    assert source(peer, memory).books(CancelToken()).records[0].id == "b0", (
        "same version, other part"
    )


@pytest.mark.parametrize("joined", [True, False])
def test_indexes_are_arrays_or_comma_strings(joined: bool) -> None:
    """S1."""
    urls = [f"{HOST}{TEXTS}/part_100.json", f" {HOST}{TEXTS}/part_101.json", ""]
    peer = Peer(
        **{
            f"{TEXTS}/version/data_version.json": {"urls": ",".join(urls) if joined else urls},
            f"{TEXTS}/part_100.json": [record("v", teachmeterial_ids=["set"])],
            f"{TEXTS}/part_101.json": [
                record(
                    "set",
                    tag_list=[{"tag_id": "1", "tag_dimension_id": "zxxnj", "tag_name": "三年级"}],
                )
            ],
        }
    )
    memory = Memory()
    found = source(peer, memory).textbooks(CancelToken())
    assert [lesson.place.grade for lesson in found.records] == ["三年级", "三年级"]
    memory.take(found.seen)
    peer.answers[f"{TEXTS}/part_100.json"] = [record("w", teachmeterial_ids=["set"])]
    again = source(peer, memory).textbooks(CancelToken())
    assert [lesson.place.grade for lesson in again.records] == ["三年级", "三年级"], "read together"


@pytest.mark.parametrize(
    "index",
    [
        {"urls": 7},
        {"urls": [7]},
        {"urls": ["https://evil.example/part_100.json"]},
        {"urls": [f"{HOST}{BOOKS}/b1/resources/part_{n}.json" for n in range(10_001)]},
        7,
        [7],
        {"urls": [f"{HOST}{BOOKS}/b1/resources/none.json"]},
    ],
)
def test_a_broken_index_is_refused(index: object) -> None:
    """S1."""
    peer = Peer(**{f"{BOOKS}/b1/resources/parts.json": index})
    with pytest.raises(ProtocolError):
        source(peer, Memory()).lessons(BookId("b1"), CancelToken())


def test_a_part_that_is_refused_is_told() -> None:
    part = f"{BOOKS}/b1/resources/part_100.json"
    peer = Peer(**{f"{BOOKS}/b1/resources/parts.json": [HOST + part], part: Reply(status=403)})
    with pytest.raises(RefusedError):
        source(peer, Memory()).lessons(BookId("b1"), CancelToken())
    peer.answers[part] = [record("l1")]
    assert source(peer, Memory()).lessons(BookId("b1"), CancelToken()).records[0].book == "b1"


def test_an_index_that_names_nothing_is_an_empty_list() -> None:
    peer = Peer(**{f"{BOOKS}/b1/resources/parts.json": []})
    memory = Memory()
    found = source(peer, memory).lessons(BookId("b1"), CancelToken())
    assert (found.records, found.kept) == ((), ())


def test_a_part_that_nobody_remembers_is_read() -> None:
    """An index may be known while a part of it is not: an earlier sync was cut off."""
    part = f"{BOOKS}/b1/resources/part_100.json"
    peer = Peer(**{f"{BOOKS}/b1/resources/parts.json": [HOST + part], part: [record("l1")]})
    memory = Memory()
    found = source(peer, memory).lessons(BookId("b1"), CancelToken())
    memory.take(found.seen[:1])
    assert len(source(peer, memory).lessons(BookId("b1"), CancelToken()).records) == 1


def test_the_newer_tree_is_asked_first_and_the_older_one_if_there_is_none() -> None:
    newer, older = (f"/zxx/{family}/national_lesson/trees/b1.json" for family in ("ndrv2", "ndrs"))
    tree = [{"id": "u1", "title": "一"}]
    peer = Peer(**{newer: tree, older: []})
    memory = Memory()
    found = source(peer, memory).sections(BookId("b1"), CancelToken())
    assert isinstance(found, Found)
    assert found.value[0].id == "u1"
    memory.take(found.seen)
    assert source(peer, memory).sections(BookId("b1"), CancelToken()) is Unchanged.UNCHANGED
    for status in (404, 403):
        peer = Peer(**{newer: Reply(status=status), older: tree})
        assert isinstance(source(peer, Memory()).sections(BookId("b1"), CancelToken()), Found)
    peer = Peer(**{newer: Reply(status=401), older: tree})
    with pytest.raises(RefusedError):
        source(peer, Memory()).sections(BookId("b1"), CancelToken())


def test_both_tag_trees_are_read_if_one_changed() -> None:
    trees = [f"/zxx/ndrs/tags/{name}_tag.json" for name in ("national_lesson", "tch_material")]
    peer = Peer(**{path: {"tag_path": path, "hierarchies": []} for path in trees})
    memory = Memory()
    found = source(peer, memory).tags(CancelToken())
    assert isinstance(found, Found)
    memory.take(found.seen)
    assert source(peer, memory).tags(CancelToken()) is Unchanged.UNCHANGED
    peer.answers[trees[1]] = {"tag_path": "new", "hierarchies": []}
    found = source(peer, memory).tags(CancelToken())
    assert isinstance(found, Found)
    assert [node.path for node in found.value] == [trees[0], "new"]


def lesson(kind: LessonKind) -> Lesson:
    return Lesson(id=LessonId("l1"), source=SourceId("p"), kind=kind, title="t", place=Placement())


SOUNDS = "/zxx/ndrs/resources/l1/relation_audios.json"
DETAILS = {
    LessonKind.NATIONAL: "/zxx/ndrv2/national_lesson/resources/details/l1.json",
    LessonKind.ELITE: "/zxx/ndrv2/resources/l1.json",
    LessonKind.SINGING: "/zxx/ndrv2/singing/resources/details/l1.json",
    LessonKind.TEXTBOOK: "/zxx/ndrv2/resources/tch_material/details/l1.json",
}


@pytest.mark.parametrize("kind", DETAILS)
def test_every_kind_has_its_own_address(kind: LessonKind) -> None:
    """S3."""
    peer = Peer(**{DETAILS[kind]: {"id": "l1", "resource_type_code": "assets_document"}})
    memory = Memory()
    platform = source(peer, memory)
    found = platform.detail(lesson(kind), CancelToken())
    assert isinstance(found, Found)
    assert found.value.has_detail
    memory.take(found.seen)
    assert platform.detail(lesson(kind), CancelToken()) is Unchanged.UNCHANGED
    assert not platform.is_gone(lesson(kind), CancelToken())
    beside = {SOUNDS[1:]} if kind is LessonKind.TEXTBOOK else set()
    assert {path.split("/", 2)[2] for path in peer.asked} == {DETAILS[kind][1:], *beside}


def sound(name: str) -> dict[str, object]:
    return {
        "id": name,
        "title": name,
        "resource_type_code": "assets_audio",
        "ti_items": [{"ti_format": "mp3", "ti_storage": f"cs_path:${{ref-path}}/{name}.mp3"}],
    }


def test_an_e_textbook_has_its_recordings() -> None:
    """S2, S3: either document may change; a closed or missing list costs the book nothing."""
    path = DETAILS[LessonKind.TEXTBOOK]
    book = {"id": "l1", "resource_type_code": "assets_document"}
    peer = Peer(**{path: book, SOUNDS: [sound("a"), {"id": ""}, sound("b")]})
    memory = Memory()

    def read() -> list[str]:
        found = source(peer, memory).detail(lesson(LessonKind.TEXTBOOK), CancelToken())
        assert isinstance(found, Found)
        memory.take(found.seen)
        return [part.id for part in found.value.parts]

    assert read() == ["a", "b"]
    again = source(peer, memory).detail(lesson(LessonKind.TEXTBOOK), CancelToken())
    assert again is Unchanged.UNCHANGED
    peer.answers[SOUNDS] = [sound("a"), sound("b"), sound("c")]
    assert read() == ["a", "b", "c"]
    peer.answers[path] = {**book, "title": "new"}
    assert read() == ["a", "b", "c"]
    peer.answers[path] = {**book, "title": "newer"}
    peer.answers.pop(SOUNDS)
    assert read() == []


def test_kinds_without_an_address_are_not_asked_for() -> None:
    peer = Peer()
    platform = source(peer, Memory())
    assert platform.detail(lesson(LessonKind.OTHER), CancelToken()) is DetailStatus.REFUSED
    assert not platform.is_gone(lesson(LessonKind.OTHER), CancelToken())
    assert peer.asked == []


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (404, DetailStatus.GONE),
        (410, DetailStatus.GONE),
        (401, DetailStatus.REFUSED),
        (403, DetailStatus.REFUSED),
    ],
)
def test_refusals_of_a_detail_are_answers(status: int, answer: DetailStatus) -> None:
    peer = Peer(**{DETAILS[LessonKind.NATIONAL]: Reply(status=status)})
    assert source(peer, Memory()).detail(lesson(LessonKind.NATIONAL), CancelToken()) is answer


def test_other_refusals_of_a_detail_are_errors() -> None:
    peer = Peer(**{DETAILS[LessonKind.NATIONAL]: Reply(status=400)})
    platform = source(peer, Memory())
    with pytest.raises(RefusedError):
        platform.detail(lesson(LessonKind.NATIONAL), CancelToken())
    peer.answers[DETAILS[LessonKind.NATIONAL]] = Reply(status=403)
    for _ in range(PACE.refusals):
        platform.detail(lesson(LessonKind.NATIONAL), CancelToken())
    with pytest.raises(RefusedError, match="platform_refuses"):
        platform.detail(lesson(LessonKind.NATIONAL), CancelToken())


def test_a_book_is_gone_when_its_own_detail_says_so() -> None:
    peer = Peer(**{f"{BOOKS}/details/b1.json": record("b1")})
    platform = source(peer, Memory())
    assert not platform.is_book_gone(BookId("b1"), CancelToken())
    assert platform.is_book_gone(BookId("b2"), CancelToken())


def test_the_pace_is_that_of_the_platform_except_on_this_machine() -> None:
    def pace_of(base: str | None) -> Pace:
        made = PlatformSource(Peer().transport, AddressBook(base), Memory())
        assert (made.id, made.connections, made.traffic.requests) == ("platform", 2, 0)
        return made._documents._pace

    assert pace_of(None).gap_s >= 0.5
    assert pace_of("http://10.0.0.1").gap_s >= 0.5
    assert pace_of("http://127.0.0.1:1") == LOOPBACK_PACE


@pytest.mark.parametrize("call", ["tags", "books", "textbooks"])
def test_cancelling_ends_every_call(call: str) -> None:
    token = CancelToken()
    token.cancel()
    ask: Callable[[CancelToken], object] = getattr(source(Peer(), Memory()), call)
    with pytest.raises(ClassroomError, match="cancelled"):
        ask(token)
