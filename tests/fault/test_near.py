"""PCs near by share, die, lie and crawl (near_link, near_shelf, near_way, near_desk, share)."""

import hashlib
import ipaddress
import itertools
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from client.domain.availability import PartState, Trust
from client.domain.cancel import CancelToken
from client.domain.errors import Cancelled, UserError
from client.domain.ids import Digest
from client.service.hubs import KnownHub
from sync.engine import near_desk
from sync.engine.near_book import BAN_S, REST_S, Found
from sync.engine.near_rules import STALL_S
from sync.protocol.manifest import BLOCK_BYTES
from sync.protocol.near import (
    Card,
    Coming,
    Listing,
    pack_card,
    pack_heads,
    pack_listing,
    read_card,
    read_listing,
)
from sync.transport.air import Air
from tests.content_world import PDF, UNIT, Keeper, film, keeper, put
from tests.fakes.peer import Asked, LoopbackPeer, Reply
from tests.fault.test_hub_source import Web
from tests.log_world import Key
from tests.near_world import Pc

FILM = 3 * BLOCK_BYTES + 1234
TITLE = "分一分"


class School:
    """A hub behind a counted web, and PCs."""

    def __init__(self, root: Path, hub: Keeper) -> None:
        self.root, self.keeper, self.air = root, hub, Air()
        put(root / "disk", f"{UNIT}/{TITLE}/film.mp4", film(FILM))
        put(root / "disk", f"{UNIT}/{TITLE}/课件.pdf", PDF + b"sheets")
        hub.take_in(root / "disk")
        hub.publish()
        self.web = Web(hub.content.public)
        self.hub = KnownHub(
            key=hub.key.public_key,
            url=self.web.url,
            authority=b"",
            site=b"",
            school="",
            name="hub",
        )
        self.pcs: list[Pc] = []

    def pc(self, number: int, *, has_catalogue: bool = True) -> Pc:
        made = Pc(self.root, number, self.air).enrol(self.hub).share()
        self.pcs.append(made)
        if has_catalogue:
            made.sync(self.hub)
        return made

    def over_the_link(self) -> int:
        """Bytes of objects that the hub sent."""
        return sum(n for path, n in self.web.sent.items() if path.startswith("/v1/o/"))

    def close(self) -> None:
        for pc in self.pcs:
            pc.close()
        self.web.close()


@pytest.fixture
def school(tmp_path: Path) -> Iterator[School]:
    with keeper(tmp_path / "hub") as hub:
        made = School(tmp_path, hub)
        try:
            yield made
        finally:
            made.close()


class Twisted:
    """A PC that answers as another one would, but for what a test twists."""

    def __init__(self, honest: Pc, key: Key | None = None) -> None:
        self.shelf = honest.desk._shelf(1)
        self.key = key
        self.cut: dict[str, int] = {}
        """After how many bytes answers of a kind end, for ever."""
        self.dead: set[str] = set()
        self.lies: dict[str, bytes] = {}
        self.coming: tuple[Coming, ...] = ()
        self.asked: list[str] = []
        self.peer = LoopbackPeer(self.answer)
        self.port = int(self.peer.base.rpartition(":")[2])

    def answer(self, asked: Asked) -> Reply:
        self.asked.append(asked.path)
        kind, _, name = asked.path.removeprefix("/v1/").rpartition("/")
        if kind in self.dead:
            return Reply(status=503)
        body, cut = self.lies.get(kind, self.body(kind, name)), self.cut.get(kind)
        self.dead |= {kind} if cut is not None and cut < len(body) else set()
        return Reply(body=body, cut_after=cut)

    def body(self, kind: str, name: str) -> bytes:
        shelf = self.shelf
        match kind:
            case "near/l":
                return self.listing(name)
            case "near":
                return shelf.heads()
            case "m":
                return shelf.manifest(Digest(name)) or b""
            case "near/s":
                return shelf.marks(Digest(name)) or b""
            case "near/r":
                found = shelf.rows(Digest(name))
            case _:
                found = shelf.object(Digest(name)) if kind == "o" else shelf.edition(Digest(name))
        return b"" if found is None else found.read_bytes()

    def listing(self, name: str) -> bytes:
        data = self.shelf.listing(name)
        if self.key is None:
            return data
        told = read_listing(data, name, lambda *_: True)  # type: ignore[arg-type]
        return pack_listing(replace(told, coming=self.coming), self.key)

    def heard_by(self, pc: Pc) -> None:
        key = (self.key or Key()).public_key
        pc.desk.book.heard("127.0.0.1", Card(key=key, port=self.port), Found.BROADCAST)


@pytest.fixture
def alone(school: School) -> Iterator[tuple[Pc, Twisted]]:
    """A PC that hears a twisted one only, which has everything."""
    first = school.pc(1)
    first.fetch(TITLE)
    other = Pc(school.root, 2, Air()).enrol(school.hub).share()
    school.pcs.append(other)
    other.sync(school.hub)
    school.web.sent.clear()
    twisted = Twisted(first, Key())
    twisted.heard_by(other)
    yield other, twisted
    twisted.peer.close()


# --- sharing -------------------------------------------------------------------------------


def test_nl2_the_second_pc_takes_everything_from_the_first(school):
    """NL1, NL2, NS1: what a hub signed stays attested, and no byte of it crosses the link again."""
    first, second = school.pc(1), school.pc(2)
    told = first.fetch(TITLE)
    assert (told.bytes_near, told.bytes_received > FILM) == (0, True)
    before = school.over_the_link()
    again = second.fetch(TITLE)
    assert (again.bytes_received, again.bytes_near > FILM) == (0, True)
    assert school.over_the_link() == before
    held = second.station.holdings.of_lesson(second.lesson(TITLE))
    assert {one.state for one in held} == {PartState.PRESENT}
    assert {one.blob.trust for one in held if one.blob} == {Trust.ATTESTED}
    assert second.link.progress.bytes_received == again.bytes_near


def test_nw1_a_pc_without_a_link_gets_the_catalogue_and_the_lesson(school):
    """NW1, NW2, NS3: under the hub's own signature."""
    first = school.pc(1)
    first.fetch(TITLE)
    second = school.pc(2, has_catalogue=False)
    school.web.gone |= {"/v1/c/head"}
    with pytest.raises(UserError, match="edition_absent"):
        second.sync(school.hub)
    school.web.close()
    report = second.sync(school.hub)
    assert (report.lessons, report.bytes_received) == (1, 0)
    assert second.fetch(TITLE).is_complete
    school.web = Web(school.keeper.content.public)


def test_nw2_rows_cross_the_link_once_and_withdrawals_come_from_near(school):
    """NW2, NS3"""
    from sync.protocol.edition import Withdrawal

    first = school.pc(1)
    lesson = first.lesson(TITLE)
    first.fetch(TITLE)
    school.keeper.content.withdraw(Withdrawal(lesson=lesson, reason="licence"))
    school.keeper.publish()
    assert first.sync(school.hub).withdrawn == 1
    school.web.sent.clear()
    second = school.pc(2)
    assert set(school.web.sent) == {"/v1/c/head"}
    assert second.station.catalogue.record(lesson) is None
    shelf = first.desk._shelf(1)
    assert shelf.heads() != pack_heads([])
    told = read_listing(shelf.listing(lesson), lesson, lambda *_: True)
    assert told.files == (), "NS1: what was withdrawn is not there any more"
    held = first.station.holdings.of_lesson(lesson)
    assert all(shelf.object(one.blob.digest) is None for one in held if one.blob)
    assert shelf.manifest(Digest("ab" * 32)) is None
    assert shelf.marks(Digest("ab" * 32)) is None
    assert shelf.rows(Digest("ab" * 32)) is None
    assert shelf.edition(Digest("ab" * 32)) is None


def test_nw1_nobody_near_has_a_head(school):
    """NW1: then the link's own failure is told."""
    first = school.pc(1, has_catalogue=False)
    school.pc(2, has_catalogue=False)
    school.web.close()
    with pytest.raises(Exception, match="unreachable"):
        first.sync(school.hub)
    school.web = Web(school.keeper.content.public)


def test_ns2_no_record_is_within_reach(school):
    """NS2: whatever is asked for; files of the profile have digests, too."""
    first = school.pc(1)
    first.fetch(TITLE)
    canary = "张金丝雀"
    first.station.room.set_room("石板小学", f"{canary}的教室").result()
    first.station.room.add_class(canary, 3).result()
    shelf = first.desk._shelf(1)
    assert canary in read_card(shelf.card()).room, "the room's own name is all that is told"
    told = (shelf.heads(), shelf.listing(first.lesson(TITLE)), shelf.listing(canary[:1]))
    assert not any(canary.encode() in data for data in told)
    for path in first.station.profile.folder.rglob("*"):
        if path.is_file() and "blobs" not in path.parts:
            digest = Digest(hashlib.sha256(path.read_bytes()).hexdigest())
            assert shelf.object(digest) is None
            found = shelf.edition(digest) or shelf.rows(digest)
            assert found is None or "editions" in found.parts


# --- dying, lying, crawling ------------------------------------------------------------------


def test_nl2_a_pc_that_dies_in_the_middle_costs_no_verified_byte(alone, school):
    """NL2: the fetch looks around again, then goes on over the link at the byte reached."""
    other, twisted = alone
    twisted.cut["o"] = 2 * BLOCK_BYTES + 99
    told = other.fetch(TITLE)
    assert [part.reason for part in told.parts if part.reason] == ["near_coming"]
    assert not other.desk.has_near(), "it rests"
    twisted.peer.close()
    rest = other.fetch(TITLE)
    assert rest.is_complete
    assert rest.bytes_reused >= 2 * BLOCK_BYTES
    assert school.over_the_link() <= FILM - 2 * BLOCK_BYTES


def test_nl2_a_liar_is_left_alone_and_what_was_good_of_it_stays(alone, school):
    """NL2, NB1: wrong blocks are noticed at once, twice is enough, a day is running time."""
    other, twisted = alone
    body = film(FILM)
    at = BLOCK_BYTES + 7
    twisted.lies["o"] = body[:at] + b"lie" + body[at + 3 :]
    other.fetch(TITLE)
    assert other.desk.book.all()[0].bad
    twisted.asked.clear()
    rest = other.fetch(TITLE)
    assert rest.is_complete
    assert not twisted.asked
    other.clock.advance(BAN_S - 60)
    twisted.heard_by(other)
    assert not other.desk.has_near()
    other.clock.advance(60)
    assert other.desk.has_near()


def test_nl2_nonsense_costs_nothing_but_the_try(alone):
    """NL2, NR1: in listings and manifests; too much is as good as wrong."""
    other, twisted = alone
    for kind, lie in itertools.product(("near/l", "m"), (b"", b"nonsense", bytes(1 << 20))):
        other.station.holdings.drop(other.lesson(TITLE))
        twisted.lies = {kind: lie}
        other.clock.advance(BAN_S)
        twisted.heard_by(other)
        other.fetch(TITLE)
        assert other.fetch(TITLE).is_complete
    twisted.lies = {}
    other.station.holdings.drop(other.lesson(TITLE))
    other.clock.advance(BAN_S)
    twisted.heard_by(other)

    def gone(asked: Asked) -> Reply:
        return Reply(status=404) if "/o/" in asked.path else twisted.answer(asked)

    twisted.peer.script = gone
    other.fetch(TITLE)
    assert other.desk.book.all()[0].not_before_s == other.clock.monotonic() + REST_S, "no liar"
    assert other.fetch(TITLE).is_complete


def test_nw2_lies_about_the_catalogue_change_nothing(alone, school):
    """NW2: neither rows nor heads nor lists."""
    other, twisted = alone
    put(school.root / "disk", f"{UNIT}/量一量/课件.pdf", PDF)
    school.keeper.take_in(school.root / "disk")
    school.keeper.publish()
    for lie in (b"nonsense", b""):
        twisted.lies = {"near/r": lie, "near": lie, "c/e": lie}
        other.desk.book.heard("127.0.0.1", Card(key=Key().public_key, port=1), Found.BROADCAST)
        twisted.heard_by(other)
    assert other.sync(school.hub).lessons == 2
    twisted.lies["near"] = pack_heads([(school.hub.key, b"forged")])
    school.web.close()
    with pytest.raises(Exception, match="unreachable"):
        other.sync(school.hub)
    school.web = Web(school.keeper.content.public)


# --- waiting ---------------------------------------------------------------------------------


class Busy(Twisted):
    """A PC that has nothing yet and is bringing everything."""

    def listing(self, name: str) -> bytes:
        told = read_listing(self.shelf.listing(name), name, lambda *_: True)  # type: ignore[arg-type]
        assert self.key is not None
        empty = Listing(key=b"", lesson=told.lesson, coming=self.coming)
        return pack_listing(empty, self.key)


@pytest.fixture
def busy(school: School) -> Iterator[tuple[Pc, Busy]]:
    first = school.pc(1)
    other = Pc(school.root, 2, Air()).enrol(school.hub).share()
    school.pcs.append(other)
    other.sync(school.hub)
    made = Busy(first, Key())
    made.heard_by(other)
    yield other, made
    made.peer.close()


def paths_of(pc: Pc) -> list[str]:
    lesson = pc.station.catalogue.lesson(pc.lesson(TITLE))
    assert lesson is not None
    return [file.path for part in lesson.parts for file in part.files]


def test_nl3_what_another_pc_brings_is_left_to_it_while_it_gets_somewhere(busy, school):
    """NL3, NU4, E5"""
    other, twisted = busy
    for done in (0, 1000):
        twisted.coming = tuple(
            Coming(path=path, age_ms=60_000, bytes_done=done) for path in paths_of(other)
        )
        told = other.fetch(TITLE)
        assert {part.reason for part in told.parts} == {"near_coming"}
        assert school.over_the_link() == 0
        other.clock.advance(STALL_S - 1)
        twisted.heard_by(other)
    other.clock.advance(2)
    told = other.fetch(TITLE)
    assert told.is_complete, "nothing came there for a minute"


def test_nl3_who_began_later_does_not_keep_anybody_waiting(busy):
    """NL3: and stopping ends looking."""
    other, twisted = busy
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        other.fetch(TITLE, cancel)
    twisted.coming = tuple(Coming(path=p, age_ms=0, bytes_done=0) for p in paths_of(other))
    other.clock.advance(1)
    assert other.fetch(TITLE).is_complete


def test_nl3_a_fetch_under_way_is_told_to_others(school):
    """NL3, ND1"""
    first = school.pc(1)
    lesson, seen = first.lesson(TITLE), []
    asked = threading.Event()

    def look(_: object) -> None:
        if not asked.is_set():
            asked.set()
            told = read_listing(first.desk._shelf(1).listing(lesson), lesson, lambda *_: True)
            seen.extend(one.path for one in told.coming)

    first.station.holdings.subscribe(look)
    first.fetch(TITLE)
    assert sorted(seen) == sorted(paths_of(first))


# --- the switch ------------------------------------------------------------------------------


def test_ne1_nothing_listens_while_the_switch_is_off(school, monkeypatch):
    """NE1"""
    monkeypatch.setattr(near_desk, "LISTEN_S", 0.0)
    first, second = school.pc(1), school.pc(2)
    assert second.desk.has_near()
    address = first.desk.view_now().address
    first.share(is_on=False)
    first.desk.follow()
    assert not first.desk.has_near()
    view = first.desk.view_now()
    assert (view.is_on, view.address, view.finding.code) == (False, "", "lan_off")
    with pytest.raises(UserError, match="lan_off"):
        first.desk.add_now(address)
    second.fetch(TITLE)
    assert second.desk.check_now().finding.code in ("lan_refused", "lan_isolated")


def test_ne2_who_is_heard_is_a_stranger_until_its_address_is_typed(school):
    """NE2: it has to answer; and it is remembered by the next life."""
    first, second = (school.pc(number, has_catalogue=False) for number in (1, 2))
    (row,) = second.desk.view_now().rows
    assert (row.room, row.is_known) == ("1号教室", False)
    second.knows(first)
    assert second.desk.view_now().rows[0].is_known
    assert first.station.journal.signer.public_key in second.desk.known()
    with pytest.raises(UserError, match="lan_own_address"):
        second.knows(second)
    for wrong in ("8.8.8.8", "10.0.0.1:x", "nobody", ""):
        with pytest.raises(UserError, match="lan_address_bad"):
            second.desk.add_now(wrong)
    with pytest.raises(UserError, match="lan_not_there"):
        second.desk.add_now("127.0.0.1:9")
    second.share(is_on=False)
    second.desk.follow()
    second.share()
    second.desk.follow()
    assert Found.TYPED in second.desk.book.all()[0].found


def test_ne2_a_code_must_fit_the_key_that_answers(school, monkeypatch):
    """NE2, NC1: and it must be a PC that answers."""
    from sync.protocol.near_code import make_code

    first, key = school.pc(1, has_catalogue=False), Key()
    for body in (b"nonsense", bytes(999)):
        peer = LoopbackPeer(lambda _, body=body: Reply(body=body))
        with peer, pytest.raises(UserError, match="lan_not_there"):
            first.desk.add_now(peer.base)
    card = pack_card(Card(key=key.public_key, port=9))
    with LoopbackPeer(lambda _: Reply(body=card)) as peer:
        monkeypatch.setattr(near_desk, "PORT", int(peer.base.rpartition(":")[2]))
        first.desk._networks = lambda: (ipaddress.IPv4Interface("127.0.5.5/8"),)
        right = make_code("127.0.0.1", key.public_key)
        wrong = make_code("127.0.0.1", bytes([key.public_key[0] ^ 1]) + bytes(31))
        with pytest.raises(UserError, match="lan_not_there"):
            first.desk.add_now(wrong)
        assert first.desk.add_now(right).rows
    assert first.desk.view_now().code == ""


def test_ne1_only_cards_from_home_are_taken_and_a_port_that_is_not_to_be_had_is_told(school):
    """NE1, NE3, NK1"""
    from client.domain.errors import ResourceError

    first = school.pc(1, has_catalogue=False)
    hears = first.desk._hears(Found.BROADCAST)
    card = pack_card(Card(key=Key().public_key, port=1))
    for host in ("8.8.8.8", "10.0.0.7", "nobody"):
        hears(host, card)
    hears("127.0.0.77", b"nonsense")
    assert not first.desk.has_near()
    hears("127.0.0.77", card)
    assert first.desk.has_near()
    first.desk._networks = lambda: (ipaddress.IPv4Interface("10.0.0.1/24"),)
    hears("10.0.0.7", card)
    assert len(first.desk.book.all()) == 1, "networks are looked at seldom"
    first.clock.advance(60)
    first.desk.book.clear()
    hears("10.0.0.7", card)
    assert len(first.desk.book.all()) == 1
    first.share(is_on=False)
    first.desk.follow()

    def refuse(_: object) -> None:
        raise ResourceError("address_taken")

    first.desk._serve = refuse
    first.share()
    assert first.desk.view_now().finding.code == "lan_no_port"


def test_nk1_the_check_knocks_at_every_door_and_has_somebody_knock_back(school, monkeypatch):
    """NK1, SH4"""
    monkeypatch.setattr(near_desk, "LISTEN_S", 0.0)
    first, second = (school.pc(number, has_catalogue=False) for number in (1, 2))
    assert second.desk.check_now().finding.code == "lan_blocked_here", "it was asked from 127.0.0.1"
    server = second.desk._server
    with LoopbackPeer(lambda _: Reply(body=b"1")) as peer:
        second.desk._back_to = None
        first_card = Card(key=Key().public_key, port=int(peer.base.rpartition(":")[2]))
        second.desk.book.heard("127.0.0.1", first_card, Found.TYPED)
        view = second.desk.check().result()
    assert server is not None
    assert (view.finding.code, view.is_fine) == ("lan_fine", True)
    assert second.desk.view().result().rows
    assert second.desk.add(f"{first.host}:{first.desk._server.port}").result().rows
