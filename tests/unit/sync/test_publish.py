"""Publishing an edition (sync.hub.publish, sync.hub.content)."""

import hashlib
import http.client
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from client.domain.availability import Decodes, Trust
from client.domain.cancel import CancelToken
from client.domain.catalogue import Role
from client.domain.clock import FrozenClock
from client.domain.edition import Group
from client.domain.errors import DigestMismatchError, ProtocolError, StorageCorruptError
from client.domain.failpoint import PUBLISH_POINTS
from client.domain.holding import Blob
from client.domain.ids import Digest, LessonId
from client.domain.withdrawal import Withdrawal
from client.store.keyfile import verify
from sync.hub.authority import FIRST
from sync.hub.content import MOST_EDITIONS, ContentFolder
from sync.hub.folder import CONTENT
from sync.hub.publish import why_not
from sync.protocol.edition import Head, open_head, read_withdrawals
from sync.protocol.edition_rows import book_of, group_of
from sync.protocol.manifest import BLOCK_BYTES, read_manifest
from sync.protocol.row_stream import applied, framed, in_order, rows_in, unpacked
from tests.catalogue_world import film as described
from tests.catalogue_world import one_lesson
from tests.content_world import PDF, UNIT, Keeper, film, keeper, nginx, plain_server, put
from tests.hub_server import served


@pytest.fixture
def hub(tmp_path):
    with keeper(tmp_path / "hub") as made:
        yield made


def disk(tmp_path: Path) -> Path:
    folder = tmp_path / "disk"
    put(folder, f"{UNIT}/分一分/film.mp4", film(BLOCK_BYTES * 2 + 5))
    put(folder, f"{UNIT}/分一分/课件.pdf", PDF)
    return folder


def head_of(hub: Keeper) -> Head:
    return open_head(hub.content.head.read_bytes(), hub.key.public_key, verify)


def stream_of(hub: Keeper, head: Head) -> bytes:
    packed = hub.content.edition_file(head.whole.digest).read_bytes()
    assert hashlib.sha256(packed).hexdigest() == head.whole.digest
    stream = b"".join(unpacked([packed], head.rows_bytes))
    assert hashlib.sha256(stream).hexdigest() == head.rows_digest
    return stream


def groups_of(stream: bytes) -> list[Group]:
    found: dict[str, list] = {}
    for row in in_order(rows_in([stream])):
        found.setdefault(book_of(row), []).append(row)
    return [group_of(key, rows) for key, rows in found.items()]


def test_u1_a_folder_becomes_an_edition_and_objects(hub, tmp_path):
    """U1, HP4: each object stands under its digest, with a manifest where it has several blocks."""
    hub.take_in(disk(tmp_path))
    report = hub.publish()
    head = head_of(hub)
    assert (report.lessons, report.files, report.left_out) == (1, 2, ())
    assert (report.number, report.rows) == (head.number, head.rows)
    (group,) = groups_of(stream_of(hub, head))
    assert [lesson.title for lesson in group.lessons] == ["分一分"]
    held = hub.station.catalogue.lesson(group.lessons[0].id)
    assert group.lessons[0] == replace(held, section_titles=())
    for one in group.attested:
        data = hub.content.object(one.digest).read_bytes()
        assert hashlib.sha256(data).hexdigest() == one.digest
        assert len(data) == one.size_bytes
        listed = hub.content.public / "v1" / "m" / one.digest
        assert bool(one.manifest) == listed.exists() == (one.size_bytes > BLOCK_BYTES)
        if one.manifest:
            assert hashlib.sha256(listed.read_bytes()).hexdigest() == one.manifest
            assert read_manifest(listed.read_bytes()).sha256.hex() == one.digest


def test_hp4_editions_grow_and_their_steps_lead_on(hub, tmp_path):
    """HP4, U3: numbers and times grow though the clock goes back; steps prove their digest."""
    hub.take_in(disk(tmp_path))
    hub.publish()
    streams = {head_of(hub).number: stream_of(hub, head_of(hub))}
    before = head_of(hub)
    for at in (datetime(1970, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC)):
        hub.clock.at = at
        put(tmp_path / "disk", f"{UNIT}/比大小{at.year}/课件.pdf", PDF + str(at).encode())
        hub.take_in(tmp_path / "disk")
        report = hub.publish()
        head = head_of(hub)
        assert head.number > before.number
        assert head.signed_ms > before.signed_ms >= FIRST.timestamp() * 1000
        stream = stream_of(hub, head)
        assert {delta.base for delta in head.deltas} == set(streams)
        assert report.delta_bytes == head.deltas[-1].file.size_bytes
        for delta in head.deltas:
            packed = hub.content.edition_file(delta.file.digest).read_bytes()
            steps = list(rows_in(unpacked([packed], delta.unpacked_bytes)))
            made = framed(applied(rows_in([streams[delta.base]]), steps))
            assert b"".join(made) == stream
        streams[head.number] = stream
        before = head


def test_u2_files_of_the_last_two_heads_stay_and_older_ones_go(hub, tmp_path):
    """U2: and only so many editions are kept to make steps from."""
    hub.take_in(disk(tmp_path))
    heads = []
    for number in range(MOST_EDITIONS + 2):
        put(tmp_path / "disk", f"{UNIT}/{number}/课件.pdf", PDF + str(number).encode())
        hub.take_in(tmp_path / "disk")
        hub.publish()
        heads.append(head_of(hub))
    here = {path.name for path in (hub.content.public / "v1" / "c" / "e").iterdir()}
    for head in heads[-2:]:
        assert {head.whole.digest, *(d.file.digest for d in head.deltas)} <= here
    assert heads[0].whole.digest not in here
    assert len(heads[-1].deltas) <= MOST_EDITIONS
    assert len(here) <= 3 * MOST_EDITIONS


class CutError(Exception):
    """A power cut in the middle of publishing."""


def test_u4_objects_go_after_two_editions_without_them(hub, tmp_path):
    """U4: and with them their manifests; what another lesson has stays."""
    hub.take_in(disk(tmp_path))
    put(tmp_path / "disk", f"{UNIT}/比大小/课件.pdf", PDF)
    hub.take_in(tmp_path / "disk")
    hub.publish()
    version = hub.content.public / "v1"
    whole = {path.name for path in (version / "o").iterdir()}
    lesson = next(one for one in hub.station.holdings.kept_lessons() if one.title == "分一分")
    hub.station.holdings.drop(lesson.id)
    hub.publish()
    assert {path.name for path in (version / "o").iterdir()} == whole
    hub.publish()
    kept = {path.name for path in (version / "o").iterdir()}
    assert kept == {hashlib.sha256(PDF).hexdigest()}
    assert not any((version / "m").iterdir())


def test_u4_objects_of_a_withdrawn_lesson_go_at_once(hub, tmp_path):
    """U4: though rooms may still have the head before; what another lesson has stays."""
    hub.take_in(disk(tmp_path))
    put(tmp_path / "disk", f"{UNIT}/比大小/课件.pdf", PDF)
    hub.take_in(tmp_path / "disk")
    hub.publish()
    lesson = next(one for one in hub.station.holdings.kept_lessons() if one.title == "分一分")
    hub.content.withdraw(Withdrawal(lesson=lesson.id, reason="licence", grace_days=3))
    hub.publish()
    version = hub.content.public / "v1"
    assert {path.name for path in (version / "o").iterdir()} == {hashlib.sha256(PDF).hexdigest()}
    assert not any((version / "m").iterdir())


def test_a_book_that_no_room_would_take_is_not_published(hub, tmp_path, monkeypatch):
    hub.take_in(disk(tmp_path))
    monkeypatch.setattr("sync.hub.publish.MAX_GROUP_BYTES", 10)
    with pytest.raises(ProtocolError):
        hub.publish()
    assert not hub.content.head.exists()


@pytest.mark.parametrize("where", PUBLISH_POINTS)
def test_u3_publishing_that_was_cut_off_leaves_an_edition_that_is_whole(
    hub, tmp_path, where, monkeypatch
):
    """U3: the one before or the new one; the next has a greater number than either."""
    hub.take_in(disk(tmp_path))
    hub.publish()
    before = head_of(hub)
    put(tmp_path / "disk", f"{UNIT}/分一分/任务单.pdf", PDF + b"2")
    hub.take_in(tmp_path / "disk")

    def cut(name: str) -> None:
        if name == where:
            raise CutError

    with monkeypatch.context() as patched:
        patched.setattr("sync.hub.content.failpoint", cut)
        with pytest.raises(CutError):
            hub.publish()
    after = head_of(hub)
    stream_of(hub, after)
    assert (after == before) == (where != "content.after_head")
    hub.publish()
    assert head_of(hub).number > max(after.number, before.number)
    objects = (hub.content.public / "v1" / "o").iterdir()
    assert all(len(path.name) == 64 for path in objects)


def test_u3_a_list_of_editions_that_is_damaged_stops_publishing(hub):
    """U3: a number might be used twice."""
    hub.publish()
    for data in (b"\xff", b"\x81\x01"):
        (hub.root / "content" / "editions").write_bytes(data)
        with pytest.raises(StorageCorruptError):
            hub.publish()


def test_hp2_a_file_that_is_no_longer_what_was_verified_is_left_out(hub, tmp_path):
    """HP2: nothing of it becomes an object."""
    hub.take_in(disk(tmp_path))
    (lesson,) = hub.station.holdings.kept_lessons()
    held = next(
        one for one in hub.station.holdings.of_lesson(lesson.id) if one.path.endswith(".pdf")
    )
    held.file.write_bytes(PDF[::-1])
    report = hub.publish()
    assert [(one.what, one.why) for one in report.left_out] == [(held.path, "damaged")]
    assert not hub.content.object(held.blob.digest).exists()


def test_u1_a_disk_without_second_names_gets_a_copy(hub, tmp_path, monkeypatch):
    """U1: FAT knows no links."""
    monkeypatch.setattr("os.link", lambda *_: (_ for _ in ()).throw(OSError("no links")))
    content = ContentFolder(tmp_path / "other")
    data = film(9)
    path = put(tmp_path, "one", data)
    digest = Digest(hashlib.sha256(data).hexdigest())
    assert content.put_object(path, digest, CancelToken()) == ""
    path.write_bytes(b"changed!!")
    assert content.object(digest).read_bytes() == data
    with pytest.raises(DigestMismatchError):
        content.put_object(path, Digest("ab" * 32), CancelToken())


FILM, _ = described(b"x")
PART = one_lesson(FILM).lessons[0].parts[0]
BLOB = Blob(digest=Digest("ab" * 32), ext=".mp4", size_bytes=1, trust=Trust.OBSERVED)
SEEN = replace(BLOB, decodes=Decodes.YES)


@pytest.mark.parametrize(
    ("part", "file", "blob", "why"),
    [
        (PART, replace(FILM, is_protected=True), replace(SEEN, trust=Trust.ATTESTED), "protected"),
        (PART, replace(FILM, flags=("no-relay",)), SEEN, "not_to_relay"),
        (PART, FILM, replace(BLOB, trust=Trust.ATTESTED), ""),
        (PART, FILM, BLOB, "not_decoded"),
        (PART, FILM, replace(BLOB, decodes=Decodes.NO), "not_decoded"),
        (PART, FILM, SEEN, ""),
        (replace(PART, role=Role.SLIDES), FILM, BLOB, ""),
    ],
)
def test_hp1_each_row_of_the_table(part, file, blob, why):
    """HP1: which files are handed on."""
    assert why_not(part, file, blob) == why


def test_hp1_a_folder_may_say_that_it_is_not_to_be_handed_on(hub, tmp_path):
    """HP1: `relay = false` in lesson.toml; the lesson is listed, its files are not."""
    folder = disk(tmp_path)
    put(folder, f"{UNIT}/分一分/lesson.toml", 'title = "分一分"\nrelay = false\n'.encode())
    hub.take_in(folder)
    report = hub.publish()
    assert report.lessons == 1
    assert {one.why for one in report.left_out} == {"not_to_relay"}
    assert not any((hub.content.public / "v1" / "o").iterdir())
    (group,) = groups_of(stream_of(hub, head_of(hub)))
    assert group.attested == ()


def test_hp3_what_was_withdrawn_is_in_no_later_edition(hub, tmp_path):
    """HP3: it is in the signed list instead; the last word on a lesson counts."""
    hub.take_in(disk(tmp_path))
    hub.publish()
    (lesson,) = hub.station.holdings.kept_lessons()
    last = Withdrawal(lesson=lesson.id, reason="licence", grace_days=3)
    for one in (replace(last, grace_days=1), Withdrawal(lesson=LessonId("x"), reason="r"), last):
        hub.content.withdraw(one)
    assert hub.publish().lessons == 0
    head = head_of(hub)
    assert head.withdrawn is not None
    listed = read_withdrawals(hub.content.edition_file(head.withdrawn.digest).read_bytes())
    assert listed == hub.content.withdrawals()
    assert listed[-1] == last
    assert len(listed) == 2
    (hub.root / "content" / "withdrawn").write_bytes(b"\xff")
    with pytest.raises(StorageCorruptError):
        hub.publish()


def ask(base: str, path: str, headers: dict[str, str] | None = None) -> tuple[int, bytes, str]:
    host = base.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=30)
    try:
        connection.request("GET", path, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read(), answer.headers.get("content-range", "")
    finally:
        connection.close()


def check_served(base: str, hub: Keeper, *, has_ranges: bool = True) -> None:
    head = head_of(hub)
    assert ask(base, "/v1/c/head")[:2] == (200, hub.content.head.read_bytes())
    packed = hub.content.edition_file(head.whole.digest).read_bytes()
    assert ask(base, f"/v1/c/e/{head.whole.digest}")[:2] == (200, packed)
    path = next(one for one in (hub.content.public / "v1" / "m").iterdir())
    data = hub.content.object(Digest(path.name)).read_bytes()
    assert ask(base, f"/v1/m/{path.name}")[1] == path.read_bytes()
    status, got, where = ask(base, f"/v1/o/{path.name}", {"Range": "bytes=7-"})
    if has_ranges:
        assert (status, got, where) == (206, data[7:], f"bytes 7-{len(data) - 1}/{len(data)}")
    else:
        assert (status, got) == (200, data)
    assert ask(base, "/v1/o/" + "0" * 64)[0] == 404


def test_what_is_published_is_plain_files_for_any_web_server(hub, tmp_path):
    hub.take_in(disk(tmp_path))
    hub.publish()
    with plain_server(hub.content.public) as base:
        check_served(base, hub, has_ranges=False)


def documented() -> str:
    """The lines of the documentation that tell nginx what to do."""
    text = (Path(__file__).parents[3] / "docs" / "commands.md").read_text(encoding="utf-8")
    return text.partition("```nginx\n")[2].partition("```")[0]


def test_what_is_published_stands_behind_nginx_as_documented(hub, tmp_path):
    hub.take_in(disk(tmp_path))
    hub.publish()
    server = documented().replace("/srv/tongke/content/public", str(hub.content.public))
    assert str(hub.content.public) in server
    with nginx(hub.content.public, tmp_path / "nginx", server) as base:
        check_served(base, hub)


def test_a5_the_hub_itself_gives_what_it_publishes(hub, tmp_path):
    """A5 (sync.hub.app): and nothing beside it, whatever a name says."""
    hub.take_in(disk(tmp_path))
    hub.publish()
    data = tmp_path / "running"
    data.mkdir()
    (data / CONTENT).symlink_to(hub.root / "content")
    with served(data) as running:
        check_served(running.url, hub)
        for wrong in (
            "/v1/o/../../../editions",
            "/v1/o/%2e%2e%2f%2e%2e%2feditions",
            "/v1/o/" + "A" * 64,
            "/v1/c/e/head",
            "/v1/p/" + "0" * 64,
        ):
            assert running.ask(wrong)[0] == 404
        _, _, headers = running.ask("/v1/c/head")
        assert headers["cache-control"] == "no-cache"


def test_a5_a_hub_that_published_nothing_says_so(tmp_path):
    """A5 (sync.hub.app): there is no head."""
    with served(tmp_path / "hub") as running:
        assert running.ask("/v1/c/head")[0] == 404


def test_a_catalogue_of_nothing_is_an_edition_too(hub):
    report = hub.publish()
    assert (report.books, report.lessons, report.rows) == (0, 0, 0)
    assert stream_of(hub, head_of(hub)) == b""
    assert isinstance(hub.clock, FrozenClock)
