"""A hub as a source of lessons, with everything going wrong (sync.engine.edition_sync and more)."""

import contextlib
import hashlib
import http.server
import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from client.domain.availability import PartState, Trust
from client.domain.cancel import CancelToken
from client.domain.canon import encode
from client.domain.clock import FrozenClock
from client.domain.edition import Group
from client.domain.edition_known import FROZEN_MS, pack_known, read_known
from client.domain.errors import (
    Cancelled,
    ProtocolError,
    RefusedError,
    StorageFullError,
    TransportError,
    UnreachableError,
    UserError,
)
from client.domain.holding import Blob
from client.domain.ids import Digest, LessonId, SourceId
from client.domain.withdrawal import Withdrawal
from client.service.command.parse import Invocation
from client.service.hubs import KnownHub
from client.service.paths import Profile
from client.service.station import Station
from client.store.catalogue_read import SourceRow
from client.store.edition_store import EditionStore
from client.store.keyfile import verify
from sync.engine import download, hub_content
from sync.engine.catalogue_sync import Wanted, no_progress
from sync.engine.commands import commands
from sync.engine.edition_files import EditionFiles
from sync.engine.edition_sync import FROZEN, EditionReport
from sync.engine.edition_way import FolderWay
from sync.engine.fetch_plan import Choice, PartStatus
from sync.engine.hub_catalogue import EDITIONS, add_hub_source, sync_hub, take_edition
from sync.engine.hub_commands import HubDesk
from sync.engine.hub_content import PIECE_BYTES
from sync.engine.pacing import MOST_WIDTH, Patience
from sync.engine.platform_link import NoPlatform, PlatformLink, platform_of
from sync.hub.enrolment import add_code
from sync.protocol.edition import Head, open_head, pack_head
from sync.protocol.edition_rows import rows_of
from sync.protocol.manifest import BLOCK_BYTES, ManifestMaker, pack_manifest
from sync.protocol.row_stream import framed, packed
from sync.source.hub import KIND, source_of
from tests.catalogue_world import film as described
from tests.catalogue_world import one_lesson
from tests.content_world import PDF, UNIT, Keeper, film, keeper, put, yes
from tests.hub_server import served

QUICK = Patience(tries=4, first_s=0.001, most_s=0.002)


class _Quiet(http.server.ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """Say nothing of clients that went away."""


class Web:
    """A web server on a folder whose link breaks and whose bytes lie as a test says."""

    def __init__(self, public: Path) -> None:
        self.asked: list[str] = []
        self.sent: dict[str, int] = {}
        self.cuts: dict[str, list[int]] = {}
        """For a path: after how many bytes each of the next answers ends."""
        self.lies: dict[str, list[tuple[int, bytes]]] = {}
        """For a path: what stands at an offset in the next answer that reaches there instead."""
        self.gone: set[str] = set()
        self.gives_ranges = True
        web = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                """Say nothing."""

            def do_GET(self) -> None:
                path = public / self.path.lstrip("/")
                web.asked.append(self.path)
                if self.path in web.gone or not path.is_file():
                    self.send_error(404)
                    return
                data = path.read_bytes()
                asked = self.headers.get("Range", "") if web.gives_ranges else ""
                first, _, last = (asked or "bytes=0-")[6:].partition("-")
                begin, end = int(first), int(last or len(data) - 1) + 1
                lies = web.lies.get(self.path, [])
                if told := [lie for lie in lies if begin <= lie[0] < end]:
                    lies.remove(told[0])
                    at, other = told[0]
                    data = data[:at] + other + data[at + len(other) :]
                self.send_response(206 if asked else 200)
                if asked:
                    self.send_header("Content-Range", f"bytes {begin}-{end - 1}/{len(data)}")
                self.send_header("Content-Length", str(end - begin))
                self.end_headers()
                body = data[begin:end]
                if cuts := web.cuts.get(self.path):
                    body = body[: cuts.pop(0)]
                    self.close_connection = True
                web.sent[self.path] = web.sent.get(self.path, 0) + len(body)
                with contextlib.suppress(OSError):
                    self.wfile.write(body)

        self._server = _Quiet(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class World:
    """One hub, the web in front of it, and a room."""

    def __init__(self, root: Path, hub: Keeper) -> None:
        self.root, self.keeper, self.disk = root, hub, root / "disk"
        self.web = Web(hub.content.public)
        self.clock = FrozenClock()
        self.hub = KnownHub(
            key=hub.key.public_key,
            url=self.web.url,
            authority=b"",
            site=b"",
            school="",
            name="hub",
        )
        self.room = Station(Profile(root / "room"), self.clock)
        self.room.hubs.put(self.hub)
        self.source = add_hub_source(self.room, self.hub).id

    def close(self) -> None:
        self.room.close()
        self.web.close()

    def again(self) -> None:
        """Another life of the room."""
        self.room.close()
        self.room = Station(Profile(self.root / "room"), self.clock)

    def publish(self, *lessons: str, size: int = 100) -> None:
        for name in lessons:
            put(self.disk, f"{UNIT}/{name}/film.mp4", film(size, seed=len(name)))
            put(self.disk, f"{UNIT}/{name}/课件.pdf", PDF + name.encode())
        if lessons:
            self.keeper.take_in(self.disk)
        self.keeper.publish()

    def sync(self, cancel: CancelToken | None = None) -> EditionReport:
        return sync_hub(self.room, self.hub, no_progress, cancel or CancelToken(), QUICK)

    def titles(self) -> set[str]:
        catalogue = self.room.catalogue
        return {
            lesson.title
            for book in catalogue.books()
            for lesson in catalogue.lessons_of_book(book.id)
        }

    @property
    def files(self) -> EditionFiles:
        return EditionFiles(self.room.profile.folder / EDITIONS / self.source)

    def rows(self) -> str:
        head = self.head()
        return f"/v1/c/e/{head.whole.digest}"

    def head(self):
        data = self.keeper.content.head.read_bytes()
        return open_head(data, self.hub.key, verify)


@pytest.fixture(autouse=True)
def _no_waits(monkeypatch):
    """Have nobody wait for a link that a test has cut."""
    monkeypatch.setattr(download, "backoff_s", lambda *_: 0.01)


@pytest.fixture
def world(tmp_path) -> Iterator[World]:
    with keeper(tmp_path / "hub") as hub:
        made = World(tmp_path, hub)
        try:
            yield made
        finally:
            made.close()


def test_ey2_a_room_takes_the_whole_then_steps_then_nothing(world):
    """EY1, EY2: and writes nothing that is as it was."""
    world.publish("分一分", "比大小")
    first = world.sync()
    assert (first.books, first.lessons, first.resources, first.added) == (1, 2, 4, 3)
    assert world.titles() == {"分一分", "比大小"}
    whole = world.rows()
    world.publish("量一量")
    second = world.sync()
    assert (second.added, second.withdrawn, second.lessons) == (1, 0, 3)
    assert world.rows() not in world.web.asked
    asked = len(world.web.asked)
    third = world.sync()
    assert (third.added, third.changed, third.requests) == (0, 0, 1)
    assert world.web.asked[asked:] == ["/v1/c/head"]
    assert world.web.asked.count(whole) == 1
    assert third.number == world.head().number


def test_what_a_hub_has_is_found_and_fetched_as_attested(world):
    world.publish("分一分", size=BLOCK_BYTES + 9)
    link = PlatformLink(world.room, platform_of(world.room), yes)
    try:
        report = link.sync(Wanted())
        assert report.source == world.source
        (row,) = world.room.library.search_now("分一分").rows
        done = link.fetch(row.id, Choice(), CancelToken())
    finally:
        link.close()
    assert {part.status for part in done.parts} == {PartStatus.PRESENT}
    held = world.room.holdings.of_lesson(row.id)
    assert {one.blob.trust for one in held} == {Trust.ATTESTED}
    for one in held:
        assert hashlib.sha256(one.file.read_bytes()).hexdigest() == one.blob.digest


# --- which editions are taken ----------------------------------------------------------------


def test_ey1_old_heads_are_refused_and_what_is_here_stays(world):
    """EY1: rollback, after any number of them, with any clock."""
    world.publish("分一分")
    old = world.keeper.content.head.read_bytes()
    world.publish("比大小")
    world.sync()
    world.keeper.content.head.write_bytes(old)
    for year in (1970, 2027, 2099):
        world.clock.at = world.clock.at.replace(year=year)
        world.again()
        with pytest.raises(ProtocolError) as told:
            world.sync()
        assert told.value.code == "edition_rollback"
    assert world.titles() == {"分一分", "比大小"}


def test_ey1_two_editions_of_one_number_are_not_both_believed(world):
    """EY1: mix-and-match."""
    world.publish("分一分")
    head = world.head()
    world.sync()
    other = replace(head, rows_digest=Digest("ab" * 32))
    world.keeper.content.head.write_bytes(pack_head(other, world.keeper.key))
    with pytest.raises(ProtocolError) as told:
        world.sync()
    assert told.value.code == "edition_mixed"
    assert world.titles() == {"分一分"}


def test_ey1_heads_of_another_hub_and_forged_ones_are_refused(world, tmp_path):
    """EY1: nothing they name is even asked for."""
    world.publish("分一分")
    with keeper(tmp_path / "other") as other:
        other.publish()
        world.keeper.content.head.write_bytes(other.content.head.read_bytes())
        with pytest.raises(ProtocolError) as told:
            world.sync()
    assert told.value.code == "signature_bad"
    assert world.web.asked == ["/v1/c/head"]


def test_a_page_in_place_of_the_head_is_nobody(world):
    world.publish("分一分")
    for page in (b"<html>login</html>", b"x" * 40_000):
        world.keeper.content.head.write_bytes(page)
        with pytest.raises(UnreachableError) as told:
            world.sync()
        assert told.value.code == "not_the_hub"


def test_a_hub_that_publishes_nothing_says_so(world):
    with pytest.raises(UserError) as told:
        world.sync()
    assert told.value.code == "edition_absent"
    world.web.gone.add("/v1/c/head")
    link = PlatformLink(world.room, platform_of(world.room), yes)
    with contextlib.closing(link), pytest.raises(UserError) as told:
        link.sync(Wanted())
    assert told.value.code == "edition_absent"


def test_a_head_that_is_refused_otherwise_is_told_as_it_is(world):
    world.publish("分一分")

    class Shut(FolderWay):
        def head(self, cancel: CancelToken) -> bytes:
            raise RefusedError("forbidden", {"status": 403})

    with pytest.raises(RefusedError):
        taken(world, Shut(world.keeper.content.public))


def test_ey4_thirty_days_of_running_time_without_a_newer_head_are_told(world):
    """EY4: whether the hub answers with the same head or not at all; no date is asked."""
    world.publish("分一分")
    assert world.sync().notes == ()
    world.web.gone.add("/v1/c/head")
    world.clock.advance(FROZEN_MS / 2000)
    with pytest.raises(UserError):
        world.sync()
    world.web.gone.clear()
    world.clock.at = world.clock.at.replace(year=1970)
    world.clock.seconds += FROZEN_MS / 2000
    assert world.sync().notes == (FROZEN,)
    world.publish("比大小")
    assert world.sync().notes == ()


# --- how rows come ---------------------------------------------------------------------------


def test_ey2_a_cut_whole_goes_on_where_it_stopped(world):
    """EY2, EW2: no byte twice, over lives of the program."""
    world.publish("分一分")
    size = world.head().whole.size_bytes
    world.web.cuts[world.rows()] = [size // 3] * 4
    world.sync()
    assert world.web.sent[world.rows()] == size
    assert world.titles() == {"分一分"}


def test_ey2_books_that_were_taken_are_not_taken_again(world):
    """EY2: a sync that was stopped between two books goes on with the second."""
    put(world.disk, "四年级/语文/第一单元/甲/课件.pdf", PDF + b"x")
    world.publish("分一分")
    cancel = CancelToken()

    def stop(_: object) -> None:
        cancel.cancel()

    with pytest.raises(Cancelled):
        sync_hub(world.room, world.hub, stop, cancel, QUICK)
    before = dict(EditionStore(world.room.database).digests(world.source))
    assert len(before) == 1
    world.again()
    report = world.sync()
    assert world.rows() in world.web.asked
    assert world.web.asked.count(world.rows()) == 1
    assert (report.books, report.added) == (2, 2)


def test_ey3_steps_that_are_damaged_or_gone_give_way_to_the_whole(world):
    """EY3: so does a base that is damaged on this disk."""
    world.publish("分一分")
    world.sync()
    world.publish("比大小")
    delta = f"/v1/c/e/{world.head().deltas[-1].file.digest}"
    world.web.lies[delta] = [(6, b"\7")] * 9
    world.sync()
    assert world.rows() in world.web.asked
    world.publish("称一称")
    world.web.gone.add(f"/v1/c/e/{world.head().deltas[-1].file.digest}")
    world.sync()
    assert world.rows() in world.web.asked
    (rows,) = world.files.folder.glob("*.rows")
    rows.write_bytes(rows.read_bytes()[:-9])
    world.publish("量一量")
    world.sync()
    assert world.rows() in world.web.asked
    assert world.titles() == {"分一分", "比大小", "称一称", "量一量"}


@pytest.mark.parametrize(
    "change",
    [
        {"rows_digest": Digest("ab" * 32)},
        {"rows": 1},
        {"rows_bytes": 10},
        {"rows_bytes": 10_000},
    ],
)
def test_ef1_rows_that_are_not_what_the_head_names_are_not_kept(world, change):
    """EF1: though the hub signed it; and EY1: the room goes on showing what it knew."""
    world.publish("分一分")
    head = replace(world.head(), **change)
    world.keeper.content.head.write_bytes(pack_head(head, world.keeper.key))
    with pytest.raises(ProtocolError):
        world.sync()
    assert not any(world.files.folder.glob("*.rows"))
    assert world.titles() == set()
    assert world.titles() == set()


def test_ef1_steps_that_make_more_than_the_head_says_are_stopped(world):
    """EF1: before the disk is full of them."""
    world.publish("分一分")
    world.sync()
    world.publish("比大小")
    head = replace(world.head(), rows_bytes=world.head().rows_bytes - 1)
    world.keeper.content.head.write_bytes(pack_head(head, world.keeper.key))
    with pytest.raises(ProtocolError):
        world.sync()
    assert world.files.number() < head.number


def test_ef3_rows_that_were_damaged_here_come_anew(world):
    """EF3: noticed as they are read."""
    world.publish("分一分")
    world.sync()
    EditionStore(world.room.database).note_taken(world.source, Digest(""))
    (rows,) = world.files.folder.glob("*.rows")
    rows.write_bytes(rows.read_bytes()[:-9])
    with pytest.raises(ProtocolError):
        world.sync()
    world.sync()
    assert world.web.asked.count(world.rows()) == 2


def test_a_catalogue_that_was_deleted_is_made_again_without_the_link(world):
    world.publish("分一分")
    world.sync()
    world.room.close()
    (world.root / "room" / "library.db").unlink()
    world.room = Station(Profile(world.root / "room"), world.clock)
    assert world.titles() == set()
    world.sync()
    assert world.titles() == {"分一分"}
    assert world.web.asked.count(world.rows()) == 1


# --- withdrawals, and who else speaks --------------------------------------------------------


def test_es3_lessons_that_went_are_withdrawn_and_may_come_back(world):
    """ES3: a book that is empty goes too."""
    world.publish("分一分", "比大小")
    world.sync()
    (gone, *rest) = world.keeper.station.holdings.kept_lessons()
    world.keeper.station.catalogue.withdraw([gone.id])
    world.publish()
    assert world.sync().withdrawn == 1
    book = world.keeper.station.catalogue.books()[0].id
    world.keeper.station.catalogue.withdraw([one.id for one in rest])
    world.keeper.station.catalogue.withdraw_books([book])
    world.publish()
    assert world.sync().withdrawn == 1
    assert world.room.catalogue.books() == ()
    world.keeper.station.catalogue.restore_books([book])
    world.keeper.station.catalogue.restore([gone.id, *(one.id for one in rest)])
    world.publish()
    world.sync()
    assert world.titles() == {"分一分", "比大小"}


def test_a_signed_withdrawal_counts_and_is_kept(world):
    world.publish("分一分", "比大小")
    world.sync()
    (lesson, *_) = world.keeper.station.holdings.kept_lessons()
    said = Withdrawal(lesson=lesson.id, reason="licence", grace_days=3)
    world.keeper.content.withdraw(said)
    world.publish()
    assert world.sync().withdrawn == 1
    assert world.files.withdrawals() == (said,)
    asked = len(world.web.asked)
    world.sync()
    assert len(world.web.asked) == asked + 1
    (world.files.folder / "withdrawn").write_bytes(b"\xff")
    assert world.files.withdrawals() == ()


def test_es2_what_another_source_keeps_is_left_to_it(world):
    """ES2: but what is attested is taken, and parts that were never read."""
    world.publish("分一分", "比大小")
    kept = world.keeper.station.holdings.kept_lessons()
    theirs = [world.keeper.station.catalogue.lesson(one.id) for one in kept]
    read, listed = (one for one in theirs if one is not None)
    other = SourceRow(id=read.source, kind="platform", address="http://127.0.0.1", pace_s=0.0)
    world.room.add_source(other)
    catalogue = world.room.catalogue
    catalogue.put_books(read.source, world.keeper.station.catalogue.books())
    catalogue.put_whole([replace(read, title="mine")])
    catalogue.put_lessons(read.source, [replace(listed, title="mine too", parts=())])
    catalogue.withdraw([read.id])
    world.sync()
    assert catalogue.lesson(read.id).title == "mine"
    assert catalogue.lesson(listed.id).title == "mine too"
    assert catalogue.lesson(listed.id).parts == listed.parts
    assert catalogue.lesson(read.id).id not in {
        row.id for row in catalogue.lessons_of_book(read.book)
    }
    store = EditionStore(world.room.database)
    for part in read.parts:
        ((source, told),) = store.attested(part.files[0].path)
        assert (source, told.size_bytes) == (world.source, part.files[0].size_bytes)
    world.keeper.station.catalogue.withdraw([listed.id])
    world.publish()
    assert world.sync().withdrawn == 0


def test_es1_what_a_book_says_and_its_digest_are_kept_together(world, monkeypatch):
    """ES1: a power cut in the middle of a book leaves nothing of it."""
    world.publish("分一分")

    def cut(*_: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr("client.store.edition_store._put_attested", cut)
        with pytest.raises(RuntimeError):
            world.sync()
    store = EditionStore(world.room.database)
    assert (world.titles(), store.digests(world.source)) == (set(), {})
    world.sync()
    assert world.titles() == {"分一分"}
    assert store.counts(world.source)[1] == 1


def test_ef2_rows_of_a_hub_that_puts_no_order_in_them_are_refused(world):
    """EF2: books that come twice, and more rows of one than a room can hold."""

    def publish(rows: list[bytes]) -> None:
        stream = b"".join(framed(rows))
        file = world.keeper.content.put_edition_file(packed([stream]))
        number = world.head().number + 1
        head = Head(
            number=number,
            signed_ms=1,
            rows_digest=Digest(hashlib.sha256(stream).hexdigest()),
            rows_bytes=len(stream),
            rows=len(rows),
            whole=file,
        )
        world.keeper.content.head.write_bytes(pack_head(head, world.keeper.key))

    world.publish()
    big = [encode(["a", 3, str(number), b"x" * 1_000_000]) for number in range(9)]
    for rows in (
        [
            encode(row)
            for name in ("b", "a")
            for row in rows_of(one_lesson(described(b"x")[0], f"l-{name}", name))
        ],
        [encode(["a", 3, name, 0]) for name in ("2", "1")],
        [b"\x01"],
        [encode([1, 2, 3, 4])],
        big,
    ):
        publish(rows)
        with pytest.raises(ProtocolError):
            world.sync()
        assert len(world.titles()) <= 1


def test_what_was_under_way_is_gone_at_the_next_start(world):
    world.files.folder.joinpath("x.new").write_bytes(b"x")
    assert not any(world.files.folder.iterdir())


# --- from a folder ---------------------------------------------------------------------------


def taken(world: World, way: FolderWay) -> EditionReport:
    return take_edition(world.room, world.hub, way, lambda: 0, no_progress, CancelToken())


def test_ew1_an_edition_may_come_in_a_folder(world, tmp_path):
    """EW1: the same files on a stick; one that is not what the head names is refused."""
    world.publish("分一分")
    stick = tmp_path / "stick"
    shutil.copytree(world.keeper.content.public, stick)
    rows = stick / world.rows().lstrip("/")
    good = rows.read_bytes()
    for wrong in (good[:-1], good[::-1]):
        rows.write_bytes(wrong)
        with pytest.raises(ProtocolError):
            taken(world, FolderWay(stick))
    rows.write_bytes(good)
    assert taken(world, FolderWay(stick)).lessons == 1
    assert world.titles() == {"分一分"}
    assert world.web.asked == []


# --- files -----------------------------------------------------------------------------------


def fetched(world: World, title: str = "分一分", link: PlatformLink | None = None):
    made = link or PlatformLink(world.room, platform_of(world.room), yes)
    with contextlib.closing(made):
        (row,) = world.room.library.search_now(title).rows
        return made.fetch(row.id, Choice(), CancelToken())


def ready(world: World, size: int) -> tuple[str, bytes]:
    """Publish and sync one lesson with a film; gives the film's address and bytes."""
    world.publish("分一分", size=size)
    world.sync()
    world.room.library.refresh()
    data = film(size, seed=3)
    return f"/v1/o/{hashlib.sha256(data).hexdigest()}", data


@pytest.fixture
def one_connection(monkeypatch):
    """Have no file come in pieces."""
    monkeypatch.setattr(hub_content, "_MANY", 999)


@pytest.mark.usefixtures("one_connection")
def test_f4_only_the_block_that_was_wrong_is_asked_for_again(world):
    """F4 (sync.engine.download), BL1 (sync.engine.blocks), HC1 (sync.engine.hub_content)."""
    path, data = ready(world, 3 * BLOCK_BYTES + 5)
    world.web.lies[path] = [(BLOCK_BYTES + 17, b"wrong")]
    done = fetched(world)
    assert done.is_complete
    assert world.web.asked.count(path) == 1 + 1
    held = next(p for p in done.parts if p.path is not None and p.path.suffix == ".mp4")
    assert held.path.read_bytes() == data


@pytest.mark.usefixtures("one_connection")
def test_f4_a_hub_that_gives_wrong_blocks_is_asked_no_more(world):
    """F4 (sync.engine.download): the good block before it stays for whoever can go on."""
    path, data = ready(world, 2 * BLOCK_BYTES + 5)
    world.web.lies[path] = [(BLOCK_BYTES + 17, b"wrong")] * 9
    done = fetched(world)
    assert {part.status for part in done.parts} == {PartStatus.PRESENT, PartStatus.FAILED}
    assert next(p.reason for p in done.parts if p.status is PartStatus.FAILED) == "block_wrong"
    assert world.web.asked.count(path) == 2
    world.web.lies.clear()
    sent = world.web.sent[path]
    again = fetched(world)
    assert again.is_complete
    assert world.web.sent[path] - sent == len(data) - BLOCK_BYTES


@pytest.mark.usefixtures("one_connection")
@pytest.mark.parametrize("cut", [1, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1])
def test_bl1_a_block_may_come_in_pieces_over_several_answers(world, cut):
    """BL1 (sync.engine.blocks): no byte is asked for twice."""
    path, data = ready(world, 2 * BLOCK_BYTES + 5)
    world.web.cuts[path] = [cut, 3]
    assert fetched(world).is_complete
    assert world.web.sent[path] == len(data)


def test_hc3_a_large_file_comes_in_pieces_and_no_byte_twice(world):
    """HC3 (sync.engine.hub_content), AS1 (sync.engine.assembly): answers end anywhere."""
    path, data = ready(world, 5 * BLOCK_BYTES + 5)
    world.web.cuts[path] = [1, PIECE_BYTES - 1, 3]
    done = fetched(world)
    assert done.is_complete
    assert world.web.sent[path] == len(data)
    held = next(p for p in done.parts if p.path is not None and p.path.suffix == ".mp4")
    assert held.path.read_bytes() == data
    assert list((world.room.holdings.blobs.folder / "incoming").glob("*.part")) == []


def test_hc3_pieces_go_on_in_the_middle_of_a_block(world, monkeypatch):
    """HC3 (sync.engine.hub_content): what one connection brought is not asked for again."""
    path, data = ready(world, 5 * BLOCK_BYTES + 5)
    with monkeypatch.context() as one_at_a_time:
        one_at_a_time.setattr(hub_content, "_MANY", 999)
        world.web.cuts[path] = [BLOCK_BYTES + 7, *[0] * 9]
        assert not fetched(world).is_complete
    world.web.cuts.clear()
    assert fetched(world).is_complete
    assert world.web.sent[path] == len(data)


@pytest.mark.parametrize(
    "cuts",
    [
        pytest.param([7, *[PIECE_BYTES] * 5], id="a piece in front does not come"),
        pytest.param([*[PIECE_BYTES] * 18, 7, PIECE_BYTES], id="one of the last does not come"),
    ],
)
def test_hc3_pieces_behind_one_that_does_not_come_are_kept(world, cuts):
    """HC3 (sync.engine.hub_content): also where few are missing."""
    path, data = ready(world, 5 * BLOCK_BYTES + 5)
    world.web.cuts[path] = [*cuts, *[0] * 99]
    assert not fetched(world).is_complete
    world.web.cuts.clear()
    assert fetched(world).is_complete
    assert world.web.sent[path] == len(data)


def test_hc3_of_a_file_that_is_here_nothing_is_asked_for(world, monkeypatch):
    """HC3 (sync.engine.hub_content): as a life finds it that ended before the row was kept."""
    path, data = ready(world, 5 * BLOCK_BYTES + 5)

    keep = world.room.holdings.keep

    def no_film(*row):
        if row[-1].ext == ".mp4":
            raise StorageFullError("disk_full")
        return keep(*row)

    with monkeypatch.context() as no_room:
        no_room.setattr(world.room.holdings, "keep", no_film)
        assert not fetched(world).is_complete
    asked = world.web.asked.count(path)
    assert fetched(world).is_complete
    assert world.web.asked.count(path) == asked
    assert world.web.sent[path] == len(data)


def test_hc3_a_piece_that_was_wrong_costs_its_block(world):
    """HC3 (sync.engine.hub_content), BL1 (sync.engine.blocks): and the file is right."""
    path, data = ready(world, 3 * BLOCK_BYTES + 5)
    world.web.lies[path] = [(BLOCK_BYTES + PIECE_BYTES + 17, b"wrong")]
    done = fetched(world)
    assert done.is_complete
    # What other connections were bringing just then may have been on its way.
    under_way = MOST_WIDTH * PIECE_BYTES
    assert len(data) < world.web.sent[path] <= len(data) + BLOCK_BYTES + under_way
    held = next(p for p in done.parts if p.path is not None and p.path.suffix == ".mp4")
    assert held.path.read_bytes() == data


def test_hc3_who_gives_no_pieces_gives_the_whole(world):
    """HC3 (sync.engine.hub_content)."""
    ready(world, 5 * BLOCK_BYTES + 5)
    world.web.gives_ranges = False
    assert fetched(world).is_complete


@pytest.mark.parametrize("wrong", [b"\0", b"x" * 200])
def test_hc1_a_manifest_that_is_not_the_one_that_was_told_is_refused(world, wrong):
    """HC1 (sync.engine.hub_content)."""
    path, _ = ready(world, BLOCK_BYTES + 5)
    world.web.lies[path.replace("/o/", "/m/")] = [(0, wrong)] * 9
    done = fetched(world)
    assert PartStatus.FAILED in {part.status for part in done.parts}
    assert path not in world.web.asked


def test_hc1_what_is_here_already_is_not_asked_for(world):
    """HC1 (sync.engine.hub_content), E3 (sync.engine.fetch): whoever brought the bytes."""
    path, data = ready(world, 500)
    put(world.root / "mine", "三年级/数学/别的/film.mp4", data)
    from sync.engine.folder_import import import_folder

    import_folder(world.room, world.root / "mine", yes, CancelToken())
    done = fetched(world)
    assert done.is_complete
    assert path not in world.web.asked


def test_hc1_a_manifest_of_another_file_is_refused(world):
    """HC1 (sync.engine.hub_content): though the edition names it."""
    path, _ = ready(world, BLOCK_BYTES + 5)
    listed = world.keeper.content.public / path.replace("/o/", "/m/").lstrip("/")
    maker = ManifestMaker()
    maker.update(bytes(BLOCK_BYTES + 5))
    other = pack_manifest(maker.manifest())
    listed.write_bytes(other)
    store = EditionStore(world.room.database)
    link = PlatformLink(world.room, platform_of(world.room), yes)
    (row,) = world.room.library.search_now("分一分").rows
    lesson = world.room.catalogue.lesson(row.id)
    digest = Digest(hashlib.sha256(other).hexdigest())
    told = [
        replace(one, manifest=digest if one.manifest else one.manifest)
        for part in lesson.parts
        for file in part.files
        for _, one in store.attested(file.path)
    ]
    group = Group(key=str(lesson.book), lessons=(lesson,), attested=tuple(told))
    store.put(world.source, group, "x", ())
    assert PartStatus.FAILED in {part.status for part in fetched(world, link=link).parts}
    assert path not in world.web.asked


def test_e1_a_file_that_was_placed_before_its_row_is_taken_up(world, monkeypatch):
    """E1 (sync.engine.fetch): a life that ended between the two lost nothing."""
    path, data = ready(world, 500)

    def full(*_: object) -> None:
        raise StorageFullError("disk_full")

    with monkeypatch.context() as patched:
        patched.setattr(world.room.holdings, "keep", full)
        assert not fetched(world).is_complete
        assert not fetched(world).is_complete
    world.again()
    sent = world.web.sent.get(path, 0)
    assert fetched(world).is_complete
    assert world.web.sent.get(path, 0) - sent in (0, len(data))


def test_e3_what_was_observed_is_attested_once_a_hub_signs_for_it(world):
    """E3 (sync.engine.fetch): nothing is asked for."""
    path, data = ready(world, 500)
    (row,) = world.room.library.search_now("分一分").rows
    lesson = world.room.catalogue.lesson(row.id)
    part = next(one for one in lesson.parts if one.files[0].format == "mp4")
    source = put(world.root, "seen.mp4", data)
    stored = world.room.blobs.import_file(source, ".mp4", CancelToken()).stored
    seen = Blob(
        digest=stored.digest, ext=stored.ext, size_bytes=stored.size_bytes, trust=Trust.OBSERVED
    )
    world.room.holdings.keep(lesson, part.id, part.files[0].path, seen)
    assert fetched(world).is_complete
    assert path not in world.web.asked
    held = world.room.holdings.of_lesson(lesson.id)
    assert {one.blob.trust for one in held} == {Trust.ATTESTED}


def test_hc2_another_hub_is_asked_where_one_cannot_give_a_file(world, tmp_path):
    """HC2 (sync.engine.hub_content), L2 (sync.engine.platform_link): editions of two hubs."""
    path, _ = ready(world, 500)
    with keeper(tmp_path / "second") as second:
        second.take_in(world.disk)
        second.publish()
        web = Web(second.content.public)
        hub = replace(world.hub, key=second.key.public_key, url=web.url)
        world.room.hubs.put(hub)
        add_hub_source(world.room, hub)
        link = PlatformLink(world.room, platform_of(world.room), yes)
        link.sync(Wanted())
        assert [told.error for told in link.hubs_told] == [None, None]
        first, other = (web, world.web) if source_of(hub.key) < world.source else (world.web, web)
        first.gone.add(path)
        try:
            assert fetched(world, link=link).is_complete
        finally:
            web.close()
    assert path in first.asked
    assert path in other.asked


def test_l2_a_hub_that_is_away_keeps_no_other_from_being_read(world):
    """L2 (sync.engine.platform_link)."""
    world.publish("分一分")
    away = replace(world.hub, key=b"\0" * 32, url="http://127.0.0.1:9")
    world.room.hubs.put(away)
    link = PlatformLink(world.room, platform_of(world.room), yes)
    with contextlib.closing(link):
        assert link.sync(Wanted()).source == world.source
    errors = [told.error for told in link.hubs_told]
    assert isinstance(errors[0], TransportError)
    assert errors[1] is None
    stopped = CancelToken()
    stopped.cancel()
    with contextlib.closing(PlatformLink(world.room, None, yes)) as link, pytest.raises(Cancelled):
        link.sync(Wanted(), no_progress, stopped)


def test_e4_what_no_hub_gives_is_asked_of_the_catalogues_own_place(world):
    """E4 (sync.engine.fetch): the hub first; a file that nobody can give fails with a reason."""
    path, data = ready(world, 500)
    world.web.gone.add(path)
    done = fetched(world)
    assert next(p.reason for p in done.parts if p.status is PartStatus.FAILED) == "gone"
    (row,) = world.room.library.search_now("分一分").rows
    lesson = world.room.catalogue.lesson(row.id)
    films = [part for part in lesson.parts if part.files[0].format == "mp4"]
    public = world.root / "platform"
    put(public, "film.mp4", data)
    web = Web(public)
    world.room.add_source(SourceRow(id=SourceId("p"), kind="platform", address=web.url, pace_s=0))
    moved = replace(films[0].files[0], urls=(f"{web.url}/film.mp4",))
    parts = tuple(replace(p, files=(moved,)) if p in films else p for p in lesson.parts)
    link = PlatformLink(world.room, platform_of(world.room), yes)
    try:
        with contextlib.closing(link):
            done = link.fetcher.fetch(replace(lesson, parts=parts), Choice(), CancelToken())
    finally:
        web.close()
    assert done.is_complete
    assert web.asked == ["/film.mp4"]
    held = world.room.holdings.of_lesson(lesson.id)
    assert {one.state for one in held} == {PartState.PRESENT}


def test_a_room_without_a_platform_says_who_is_missing(world):
    world.publish("分一分")
    world.sync()
    lesson = next(iter(world.room.catalogue.lessons_of_book(world.room.catalogue.books()[0].id)))
    whole = world.room.catalogue.lesson(lesson.id)
    alone = replace(
        whole,
        parts=tuple(
            replace(p, files=tuple(replace(f, path=f"/x{f.path}") for f in p.files))
            for p in whole.parts
        ),
    )
    link = PlatformLink(world.room, None, yes)
    with contextlib.closing(link):
        done = link.fetcher.fetch(alone, Choice(), CancelToken())
        assert {part.reason for part in done.parts} == {"no_source"}
        with pytest.raises(UserError):
            link.fetch(LessonId("none"), Choice(), CancelToken())
    with pytest.raises(ProtocolError):
        NoPlatform().redirect("http://x/")


def test_what_is_known_of_editions_outlives_what_cannot_be_read(world):
    assert world.room.hubs.edition(b"\1" * 32) == b""
    world.room.hubs.save_edition(world.hub.key, pack_known(read_known(b"")))
    world.room.room.set_local(f"hub.edition.{world.hub.key.hex()}", "!").result()
    assert world.room.hubs.edition(world.hub.key) == b""
    assert KIND == "hub"


# --- commands --------------------------------------------------------------------------------


class Say:
    """What a command tells meanwhile."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, line: str) -> None:
        self.lines.append(line)


def run(world: World, name: str, **values: object) -> object:
    table = commands(yes, Say(), CancelToken())
    call = Invocation(command=name, values=values)
    return table[name](world.room, call)


def test_the_commands_read_a_hub_and_fetch_from_it(world):
    world.publish("分一分")
    told = run(world, "catalogue sync")
    assert told["source"] == world.source
    assert [one["source"] for one in told["hubs"]] == [world.source]
    (row,) = world.room.library.search_now("分一分").rows
    world.publish("比大小")
    report = run(world, "catalogue sync", source=world.source)
    assert (report.added, report.lessons) == (1, 2)
    done = run(world, "lesson fetch", id=row.id)
    assert done.exit_code == 0
    held = next(h for h in world.room.holdings.of_lesson(row.id) if h.path.endswith(".pdf"))
    held.file.write_bytes(PDF[::-1])
    assert run(world, "lesson verify", id=row.id)["healed"] == 1
    away = replace(world.hub, key=b"\0" * 32, url="http://127.0.0.1:9")
    world.room.hubs.put(away)
    told = run(world, "catalogue sync")
    assert [one.get("error") for one in told["hubs"]] == ["unreachable", None]


def test_a_hub_that_a_room_enrols_with_is_a_source_of_lessons(world, tmp_path):
    world.room.room.set_room("村小", "一班").result()
    with served(tmp_path / "running") as running:
        code = add_code(running.folder.directory, running.folder.audit)
        call = Invocation(command="source add hub", values={"url": running.url, "code": code})
        HubDesk(CancelToken()).add(world.room, call)
    kinds = {row.kind for row in world.room.sources()}
    assert kinds == {KIND}
    assert len(world.room.sources()) == 2
