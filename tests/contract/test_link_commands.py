"""Commands that reach beyond this machine, against the replica (commands, platform_link)."""

import json
from pathlib import Path

import pytest

from client.domain.availability import Decodes, LessonState, PartState
from client.domain.cancel import CancelToken
from client.domain.catalogue import LessonKind, Role
from client.domain.clock import FrozenClock
from client.domain.errors import Cancelled, ClassroomError, UsageError, UserError
from client.domain.ids import LessonId
from client.domain.timetable import Slot, SlotKey
from client.service.command.documents import Outcome
from client.service.command.parse import parse
from client.service.command.room_commands import COMMANDS as ROOM
from client.service.paths import Profile
from client.service.secrets import SecretPlace
from client.service.station import Station
from client.service.text import Words
from client.store.catalogue_read import SourceRow
from sync.engine.catalogue_sync import Wanted
from sync.engine.commands import commands
from sync.engine.fetch_plan import Choice
from sync.engine.platform_link import KIND, PlatformLink
from sync.source.platform.source import PLATFORM
from tests.fakes.peer import LoopbackPeer, Reply

WORDS = Words("en")
FILM = b"\0\0\0\x18ftypmp42" + b"x" * 100


def yes(_path: Path) -> Decodes:
    return Decodes.YES


class Line:
    """A profile and its command line."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.station = Station(Profile(folder / "profile"), FrozenClock())
        self.said: list[str] = []
        self.cancel = CancelToken()
        self.table = {**ROOM, **commands(yes, self.said.append, self.cancel)}

    def tell(self, *words: str):
        call = parse(list(words), WORDS)
        return self.table[call.command](self.station, call)

    def token(self, text: str) -> str:
        path = self.folder / "token.json"
        path.write_text(json.dumps({"access_token": text}))
        return str(path)


@pytest.fixture
def line(tmp_path):
    made = Line(tmp_path)
    yield made
    made.station.close()


@pytest.fixture
def synced(line, replica):
    line.tell("source", "add", "platform", replica.base, "--pace", "0")
    line.tell("catalogue", "sync", "--books", "all", "--details")
    return line


def a_lesson(line, *, is_plain=True):
    for book in line.station.catalogue.books():
        for row in line.station.catalogue.lessons_of_book(book.id):
            lesson = line.station.catalogue.lesson(row.id)
            films = [part for part in lesson.parts if part.role is Role.VIDEO]
            fits = films and all(part.is_protected is not is_plain for part in films)
            if lesson.kind is LessonKind.NATIONAL and fits:
                return lesson
    raise AssertionError("no such lesson")


# --- sources --------------------------------------------------------------------------------


def test_a_platform_is_added_with_and_without_a_token(line):
    told = line.tell("source", "add", "platform", "http://127.0.0.1:1")
    assert (told["id"], told["kind"], told["token"]) == (PLATFORM, KIND, None)
    assert told["warning"] is None
    told = line.tell(
        "source", "add", "platform", "http://127.0.0.1:1", "--token-file", line.token("T")
    )
    assert isinstance(told["token"], SecretPlace)
    assert (told["warning"] == "token_in_file") is (told["token"] is SecretPlace.FILE)
    assert line.station.secrets.load().access_token == "T"
    with pytest.raises(ClassroomError):
        line.tell("source", "add", "platform", "nonsense")


def test_a_folder_is_added_and_taken_in_at_once(line, tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "a.mp4").write_bytes(FILM)
    report = line.tell("source", "add", "folder", str(tmp_path / "disk"))
    assert len(report.offered) == 1
    assert line.said == ["lessons 0/1", "lessons 1/1"]


def test_without_a_source_there_is_nothing_to_ask(line):
    for words in (("catalogue", "sync"), ("lesson", "fetch", "x")):
        with pytest.raises(UserError, match="no_source"):
            line.tell(*words)


def test_roles_that_do_not_exist_are_refused(line):
    with pytest.raises(UsageError):
        line.tell("lesson", "fetch", "x", "--parts", "video,nonsense")


# --- the platform ---------------------------------------------------------------------------


@pytest.mark.shared
def test_a_sync_reads_the_lists_of_chosen_books_only(line, replica):
    line.tell("source", "add", "platform", replica.base, "--pace", "0")
    assert line.tell("catalogue", "sync").books > 0
    assert line.said
    book = full_book(replica)
    told = line.tell("catalogue", "sync", "--source", PLATFORM, "--books", book)
    assert told.lessons >= len(line.station.catalogue.lessons_of_book(book)) > 0
    others = [one.id for one in line.station.catalogue.books() if one.id != book]
    assert not any(line.station.catalogue.lessons_of_book(other) for other in others)


def full_book(replica):
    """A book that has national lessons."""
    return next(
        book["id"]
        for book in replica.truth(files=False)["books"]
        if any(lesson["type"] == "national_lesson" for lesson in book["lessons"])
    )


@pytest.mark.shared
def test_a_lesson_is_fetched_whole_or_in_parts(synced):
    lesson = a_lesson(synced)
    papers = synced.tell("lesson", "fetch", lesson.id, "--parts", "slides")
    assert isinstance(papers, Outcome)
    assert papers.exit_code == 0
    detail = synced.station.library.detail_now(lesson.id)
    here = {part.role for part in detail.parts if part.state is PartState.PRESENT}
    assert here == {Role.SLIDES}
    whole = synced.tell("lesson", "fetch", lesson.id, "--rendition", "360p")
    assert whole.exit_code == 0
    assert synced.station.library.detail_now(lesson.id).row.state is LessonState.READY


@pytest.mark.shared
def test_a_part_that_did_not_come_is_told_by_the_exit_code(synced, replica):
    lesson = a_lesson(synced)
    replica.mutate("withdraw", id=lesson.id)
    outcome = synced.tell("lesson", "fetch", lesson.id)
    assert outcome.exit_code == 4


@pytest.mark.shared
def test_damage_is_found_and_healed_while_the_source_is_there(synced, replica):
    lesson = a_lesson(synced)
    synced.tell("lesson", "fetch", lesson.id, "--parts", "slides")
    clean = synced.tell("lesson", "verify")
    assert (clean["bad"], clean["healed"]) == (0, 0)
    assert clean["checked"] > 0
    part = next(
        part
        for part in synced.station.library.detail_now(lesson.id).parts
        if part.state is PartState.PRESENT
    )
    part.path.write_bytes(b"x" * part.path.stat().st_size)
    told = synced.tell("lesson", "verify", lesson.id)
    assert (told["checked"], told["bad"], told["healed"]) == (clean["checked"], 1, 1)
    assert synced.tell("lesson", "verify")["bad"] == 0


def test_damage_without_a_source_is_told_and_stays(line, tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "a.mp4").write_bytes(FILM)
    report = line.tell("source", "add", "folder", str(tmp_path / "disk"))
    (part,) = line.station.library.detail_now(report.offered[0]).parts
    part.path.write_bytes(b"y" * len(FILM))
    told = line.tell("lesson", "verify")
    assert (told["checked"], told["bad"], told["healed"]) == (1, 1, 0)


# --- the link itself ------------------------------------------------------------------------


@pytest.fixture
def link(line, replica):
    line.tell("source", "add", "platform", replica.base, "--pace", "0")
    made = PlatformLink(line.station, line.station.source(None, KIND), yes)
    yield made
    made.close()


@pytest.mark.shared
def test_a_lesson_is_read_before_it_is_fetched(line, link, replica):
    book = full_book(replica)
    link.sync(Wanted(books=(book,)))
    row = next(
        row
        for row in line.station.catalogue.lessons_of_book(book)
        if row.kind is LessonKind.NATIONAL
    )
    assert not row.has_detail
    link.fetch(row.id, Choice(roles=frozenset({Role.TASK})), CancelToken())
    assert line.station.catalogue.lesson(row.id).has_detail
    assert link.progress.bytes_received > 0
    with pytest.raises(UserError, match="lesson_unknown"):
        link.fetch(LessonId("nothing"), Choice(), CancelToken())


@pytest.mark.shared
def test_details_of_this_week_come_with_the_lists_that_put_them_there(line, link, replica):
    station, book = line.station, full_book(replica)
    link.sync(Wanted(books=()))
    subject = station.catalogue.book(book).place.subject
    group = station.room.add_class("C", 3, 1).result()
    station.room.choose_book(group, subject, book).result()
    key = SlotKey(day=1, period=1, class_id=group)
    station.room.set_slot(Slot(key=key, subject=subject)).result()
    assert station.today.week_lessons_now() == ()
    link.sync(Wanted(books=(book,)))
    week = station.today.week_lessons_now()
    assert week
    assert all(lesson.has_detail for lesson in station.catalogue.lessons(week))
    replica.reset("stats")
    again = link.sync(Wanted(books=(book,)))
    assert (again.added, again.changed) == (0, 0)


@pytest.mark.shared
def test_a_sync_that_is_cancelled_stops(line, link):
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        link.sync(Wanted(), cancel=cancel)


def test_credentials_go_to_private_media_hosts_only(line):
    """L1 of platform_link: through the real transport, redirects too."""
    private, public = "r1-ndr-private", "r1-ndr"

    def script(asked):
        if asked.path.startswith(f"/{private}/away"):
            return Reply(status=302, headers={"Location": f"/{public}/landed"})
        return Reply(body=b"x")

    with LoopbackPeer(script) as peer:
        line.tell("source", "add", "platform", peer.base, "--token-file", line.token("T"))
        row = SourceRow(id=PLATFORM, kind=KIND, address=peer.base)
        link = PlatformLink(line.station, row, yes)
        for path in ("s-file-1/a.json", f"{public}/a.jpg", f"{private}/a.ts", f"{private}/away"):
            with link._transport.get(f"{peer.base}/{path}", CancelToken()) as exchange:
                assert b"".join(exchange.chunks()) == b"x"
        link.close()
        seen = {asked.path: asked.headers.get("authorization") for asked in peer.asked}
    assert seen == {
        "/s-file-1/a.json": None,
        f"/{public}/a.jpg": None,
        f"/{private}/a.ts": "Bearer T",
        f"/{private}/away": "Bearer T",
        f"/{public}/landed": None,
    }
