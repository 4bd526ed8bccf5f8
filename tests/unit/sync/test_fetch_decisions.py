"""The pure parts of fetching: content, playlists, plans, pacing, schedule (M, P, L, R, Q)."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.domain.availability import PartState, Trust
from client.domain.catalogue import FileUse, Role
from client.domain.clock import FrozenClock
from client.domain.holding import Blob, Holding
from client.domain.ids import Digest, LessonId, PartId
from client.domain.want import Want, WantState
from client.service.api import TransferState
from sync.engine.content import WrongContentError, kind_of, require_kind, require_packets
from sync.engine.fetch_job import Progress
from sync.engine.fetch_plan import Choice, choose_rendition, plan_fetch
from sync.engine.hls import ProtectedMediaError, Segment, parse_playlist, segment_urls
from sync.engine.pacing import (
    MOST_WIDTH,
    LinkMeter,
    Patience,
    Width,
    backoff_s,
    next_width,
)
from sync.engine.schedule import (
    MOST_RETRY_S,
    Entry,
    Stage,
    find,
    mends_itself,
    next_due_s,
    next_entry,
    retry_wait_s,
    roles_of,
)
from sync.engine.status import Facts, Moment, Speed, transfer_row
from tests.lesson_values import a_file, a_lesson, a_part

PAGE = b"<html><head><title>401"


# --- content ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("a.pdf", b"%PDF-1.7"),
        ("a.jpg", b"\xff\xd8\xff\xe0"),
        ("a.png", b"\x89PNG\r\n\x1a\n"),
        ("a.mp3", b"ID3\x04"),
        ("a.mp4", b"\x00\x00\x00\x18ftypmp42"),
        ("a.wav", b"RIFF\x00\x00\x00\x00WAVE"),
        ("a.superboard", b"\x01\x02"),
    ],
)
def test_a_file_is_known_by_its_first_bytes(name: str, head: bytes) -> None:
    require_kind(a_file("/" + name), head)
    with pytest.raises(WrongContentError, match="not_the_file"):
        require_kind(a_file("/" + name), PAGE)  # M1
    with pytest.raises(WrongContentError, match="not_the_file"):
        require_kind(a_file("/" + name), b"")


@pytest.mark.parametrize("page", [b"\xef\xbb\xbf <!DOCTYPE", b'\n{"code":"CS"}', b"[1]"])
def test_a_page_of_words_is_no_unknown_document_either(page: bytes) -> None:  # M1
    with pytest.raises(WrongContentError):
        require_kind(a_file("/a.odd"), page)


def test_a_rendition_is_its_playlist() -> None:
    file = a_file("/a.m3u8", FileUse.RENDITION)
    assert kind_of(file) == "m3u8"
    require_kind(file, b"#EXTM3U\n")
    assert kind_of(replace(a_file("/a.pdf"), format="")) == "pdf"


@given(packets=st.integers(1, 5), at=st.integers(0, 5 * 188 - 1))
def test_a_segment_is_whole_packets(packets: int, at: int) -> None:  # M2
    data = (b"\x47" + bytes(187)) * packets
    require_packets(data)
    for wrong in (b"", data[:-1], data + b"\x47", data[: 188 * (packets - 1)] + bytes(188)):
        with pytest.raises(WrongContentError):
            require_packets(wrong)
    bent = bytearray(data)
    bent[at % len(data)] ^= 0xFF
    if at % len(data) % 188 == 0:
        with pytest.raises(WrongContentError):
            require_packets(bytes(bent))


# --- playlists -------------------------------------------------------------------------------

PLAIN = "#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:10.0,\na-0.ts\n#EXTINF:x,\n\na-1.ts\n#EXT-X-ENDLIST\n"


def test_a_playlist_is_its_segments_in_order() -> None:
    assert parse_playlist(PLAIN.encode(), 2) == (
        Segment(uri="a-0.ts", seconds=10.0),
        Segment(uri="a-1.ts", seconds=0.0),
    )
    assert len(parse_playlist(PLAIN.encode(), 0)) == 2
    odd = PLAIN.replace("10.0", "-5").encode()
    assert parse_playlist(odd, 2)[0].seconds == 0.0


@pytest.mark.parametrize("line", ['#EXT-X-KEY:METHOD=AES-128,URI="k"', "#ext-x-session-key:x"])
def test_a_key_makes_it_protected_whatever_else_is_wrong(line: str) -> None:  # P1
    with pytest.raises(ProtectedMediaError):
        parse_playlist(f"{line}\n{PLAIN}".encode(), 99)


@pytest.mark.parametrize(
    ("text", "announced", "code"),
    [
        ("", 0, "playlist_unsupported"),
        ("<html>", 0, "playlist_unsupported"),
        (PLAIN.replace("#EXT-X-ENDLIST", ""), 2, "playlist_unsupported"),
        (PLAIN.replace("#EXT-X-VERSION:3", "#EXT-X-MAP:URI=x"), 2, "playlist_unsupported"),
        (PLAIN.replace("#EXT-X-VERSION:3", "#EXT-X-BYTERANGE:9"), 2, "playlist_unsupported"),
        (PLAIN, 3, "segment_count"),
        ("#EXTM3U\n#EXT-X-ENDLIST\n", 0, "segment_count"),
        ("#EXTM3U\n" + "a.ts\n" * 20_001 + "#EXT-X-ENDLIST\n", 0, "segment_count"),
    ],
)
def test_half_a_playlist_is_none(text: str, announced: int, code: str) -> None:  # P2
    with pytest.raises(WrongContentError, match=code):
        parse_playlist(text.encode(), announced)


def test_bytes_that_are_no_text_are_no_playlist() -> None:  # P2
    with pytest.raises(WrongContentError):
        parse_playlist(b"#EXTM3U\n\xff\xfe", 0)


def test_a_segment_lies_beside_each_of_its_playlists() -> None:
    lists = ("http://a/x/l.m3u8?t=1", "http://b/x/l.m3u8")
    assert segment_urls(lists, Segment(uri="s.ts", seconds=1)) == (
        "http://a/x/s.ts",
        "http://b/x/s.ts",
    )
    assert segment_urls(lists, Segment(uri="http://c/s.ts", seconds=1)) == ("http://c/s.ts",)
    with pytest.raises(WrongContentError):
        segment_urls(lists, Segment(uri="http://[c/s.ts", seconds=1))


# --- plans -----------------------------------------------------------------------------------


def film(height: int, *, protected: bool = False, path: str = "") -> object:
    return a_file(path or f"/{height}.m3u8", FileUse.RENDITION, height=height, protected=protected)


@pytest.mark.parametrize(
    ("wanted", "height"),
    [("360p", 360), ("720p", 720), ("480p", 360), ("240p", 360), ("1080p", 720), ("best", 360)],
)
def test_the_nearest_height_below_else_the_lowest(wanted: str, height: int) -> None:
    files = [film(720), film(360)]
    chosen = choose_rendition(files, wanted)  # type: ignore[arg-type]
    assert chosen is not None
    assert chosen.height == height
    assert choose_rendition([], wanted) is None


def test_papers_then_recordings_then_films_and_nothing_protected() -> None:  # L1, L2
    lesson = a_lesson(
        a_part(Role.VIDEO, film(720, protected=True), film(360), position=0),
        a_part(Role.AUDIO, a_file("/a.mp3", FileUse.AUDIO), position=1),
        a_part(Role.SLIDES, a_file("/s.pdf"), a_file("/s.jpg", FileUse.IMAGE), position=2),
        a_part(Role.PLAN, a_file("/p.jpg", FileUse.IMAGE), position=3),
        a_part(Role.TASK, a_file("/t.json", FileUse.OTHER), position=4),
        a_part(Role.EXPERIMENT, film(360, protected=True), position=5),
    )
    plan = plan_fetch(lesson, Choice(rendition="720p"), ())
    assert [item.file.path for item in plan.items] == ["/s.pdf", "/p.jpg", "/a.mp3", "/360.m3u8"]
    assert {(o.role, o.reason) for o in plan.unavailable} == {
        (Role.TASK, "no_file"),
        (Role.EXPERIMENT, "protected"),
    }
    assert plan.bytes_needed == 40
    only = plan_fetch(lesson, Choice(roles=frozenset({Role.PLAN})), ())
    assert [item.part.role for item in only.items] == [Role.PLAN]
    assert only.unavailable == ()


def test_what_is_here_is_planned_as_held_and_what_was_found_protected_is_not() -> None:  # L1
    lesson = a_lesson(a_part(Role.VIDEO, film(720), film(360)), a_part(Role.TASK, a_file("/t.pdf")))
    blob = Blob(digest=Digest("0" * 64), ext=".pdf", size_bytes=10, trust=Trust.ATTESTED)

    def holding(role: str, path: str, state: PartState) -> Holding:
        kept = blob if state is PartState.PRESENT else None
        return Holding(lesson=LessonId("l1"), part=PartId(role), path=path, state=state, blob=kept)

    held = [
        holding("p-task", "/t.pdf", PartState.PRESENT),
        holding("p-video", "/360.m3u8", PartState.PROTECTED),
    ]
    plan = plan_fetch(lesson, Choice(), iter(held))
    assert [(i.file.path, i.held is not None) for i in plan.items] == [
        ("/t.pdf", True),
        ("/720.m3u8", False),
    ]


def test_healing_asks_for_the_named_files_only() -> None:
    lesson = a_lesson(
        a_part(Role.VIDEO, film(720), film(360, protected=True)),
        a_part(Role.TASK, a_file("/t.pdf")),
    )
    choice = Choice(paths=frozenset({"/720.m3u8", "/360.m3u8"}))
    assert [item.file.path for item in plan_fetch(lesson, choice, ()).items] == ["/720.m3u8"]


# --- pacing ----------------------------------------------------------------------------------


@given(failures=st.integers(1, 60), luck=st.floats(0, 1), asked=st.floats(0, 100))
def test_waits_grow_and_honour_the_peer(failures: int, luck: float, asked: float) -> None:  # R1
    patience = Patience()
    wait = backoff_s(patience, failures, asked, luck)
    assert asked <= wait <= max(asked, patience.most_s)
    assert wait <= backoff_s(patience, failures + 1, asked, luck) + 1e-9
    assert wait >= patience.first_s / 2


def test_connections_rise_while_it_pays_and_fall_when_asked() -> None:  # R2
    width = Width()
    seen = []
    for rate in (100, 200, 210, 212):
        width = next_width(width, float(rate), was_busy=False)
        seen.append(width.now)
    assert seen == [4, 8, 8, 8]
    assert next_width(Width(now=6, best_bytes_per_s=9.0), 9.0, was_busy=False).now == 6
    assert next_width(Width(now=8), 1e9, was_busy=True).now == 4
    assert next_width(Width(now=1), 1e9, was_busy=True).now == 1


@given(rates=st.lists(st.tuples(st.floats(0, 1e9), st.booleans()), max_size=40))
def test_connections_stay_between_one_and_eight(rates: list[tuple[float, bool]]) -> None:  # R2
    width = Width()
    for rate, busy in rates:
        width = next_width(width, rate, was_busy=busy)
        assert 1 <= width.now <= MOST_WIDTH


def test_dark_time_does_not_count_as_slow() -> None:
    clock = FrozenClock()
    told: list[int] = []
    meter = LinkMeter(clock, lambda: told.append(1))
    meter.came(0)
    clock.advance(1.0)
    meter.came(1000)
    clock.advance(60.0)  # dark
    meter.came(1000)
    assert meter.take(5.0) is None
    stretch = meter.take(2.5)
    assert stretch is not None
    assert (stretch.received, stretch.lit_s) == (2000, 2.5)
    assert stretch.bytes_per_s == 800.0
    assert meter.total == 2000
    assert len(told) == 2
    meter.busy()
    ended = meter.take(5.0)
    assert ended is not None
    assert (ended.was_busy, ended.bytes_per_s) == (True, 0.0)


# --- schedule and status -----------------------------------------------------------------------


def entry(name: str, **changes: object) -> Entry:
    return replace(Entry(want=Want(lesson=LessonId(name))), **changes)  # type: ignore[arg-type]


def test_papers_of_all_come_before_the_film_of_any() -> None:  # Q1
    one, two = entry("1", stage=Stage.FILM), entry("2")
    assert next_entry([one, two], 0.0) == two
    assert next_entry([one], 0.0) == one
    assert next_entry([entry("1", stage=Stage.DONE)], 0.0) is None


def test_what_waits_keeps_nobody_waiting() -> None:  # Q2
    waits, due = entry("1", not_before_s=50.0), entry("2", stage=Stage.FILM)
    assert next_entry([waits, due], 10.0) == due
    assert next_entry([waits], 10.0) is None
    assert next_due_s([waits], 10.0) == 40.0
    assert next_due_s([waits, due], 10.0) == 0.0
    assert next_due_s([], 10.0) is None
    assert find([waits, due], LessonId("2")) == due
    assert find([waits], LessonId("2")) is None


def test_what_mends_itself_is_tried_later_and_later() -> None:  # Q3
    assert mends_itself("unreachable")
    assert not mends_itself("gone")
    waits = [retry_wait_s(n) for n in range(1, 12)]
    assert waits == sorted(waits)
    assert waits[-1] == MOST_RETRY_S


def test_a_stage_takes_its_half_of_what_is_wanted() -> None:
    want = Want(lesson=LessonId("1"), roles=frozenset({Role.VIDEO, Role.TASK}))
    assert roles_of(want, Stage.PAPERS) == {Role.TASK}
    assert roles_of(want, Stage.FILM) == {Role.VIDEO}
    everything = Want(lesson=LessonId("1"))
    assert roles_of(everything, Stage.PAPERS) | roles_of(everything, Stage.FILM) == set(Role)


def test_a_row_counts_what_is_here_and_what_is_coming() -> None:
    facts = {LessonId("1"): Facts(title="t", bytes_needed=100, papers_here=10, film_here=20)}
    idle = Moment(running=None, progress=Progress(), bytes_per_s=5.0, is_paused=False)
    coming = replace(
        idle,
        running=LessonId("1"),
        progress=Progress(lesson=LessonId("1"), bytes_needed=80, bytes_done=60),
    )
    film_stage = entry("1", stage=Stage.FILM)
    assert transfer_row(film_stage, facts, idle).bytes_done == 30
    assert transfer_row(film_stage, facts, coming).bytes_done == 70
    assert transfer_row(film_stage, facts, coming).bytes_per_s == 5.0
    assert transfer_row(entry("1", stage=Stage.DONE), facts, idle).bytes_done == 100
    unknown = transfer_row(entry("1"), {}, coming)
    assert (unknown.bytes_needed, unknown.bytes_done) == (80, 60)


@pytest.mark.parametrize(
    ("made", "paused", "running", "state"),
    [
        (
            entry("1", want=Want(lesson=LessonId("1"), state=WantState.FAILED)),
            True,
            False,
            "FAILED",
        ),
        (entry("1", stage=Stage.DONE), True, False, "DONE"),
        (entry("1"), True, True, "PAUSED"),
        (entry("1"), False, True, "FETCHING"),
        (entry("1", reason="busy"), False, False, "RETRYING"),
        (entry("1"), False, False, "WAITING"),
    ],
)
def test_each_state_has_its_name(made: Entry, paused: bool, running: bool, state: str) -> None:
    moment = Moment(
        running=LessonId("1") if running else None,
        progress=Progress(),
        bytes_per_s=0.0,
        is_paused=paused,
    )
    assert transfer_row(made, {}, moment).state is TransferState[state]


def test_speed_is_that_of_the_last_second() -> None:
    clock = FrozenClock()
    speed = Speed(clock)
    assert speed.at(10) == 0.0
    clock.advance(2.0)
    assert speed.at(1000) == 500.0
    assert speed.at(5000) == 500.0
    clock.advance(1.0)
    assert speed.at(0) == 0.0  # a new link counts from nothing
