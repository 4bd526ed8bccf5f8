"""Corners of sharing: near_commands, near_desk, near_link, near_shelf, near_way, link_desk."""

import contextlib
import ipaddress
import itertools
from dataclasses import replace
from pathlib import Path

import pytest

from client.domain.availability import Decodes
from client.domain.cancel import CancelToken
from client.domain.clock import FrozenClock
from client.domain.errors import Cancelled, UnreachableError
from client.domain.ids import Digest, LessonId
from client.service.command.parse import Invocation
from client.service.paths import Profile
from client.service.station import Station
from client.service.text import Words
from client.store.blob_store import BlobStore
from client.store.growing import read_list
from client.store.keyfile import verify
from sync.engine import near_desk, near_shelf
from sync.engine.carried_list import CarriedWay
from sync.engine.download import Downloader
from sync.engine.edition_way import FolderWay
from sync.engine.link_desk import LinkDesk
from sync.engine.near import NearComingError, NearSource, NoNear
from sync.engine.near_book import Found, NearBook, Peer
from sync.engine.near_commands import NearCommands, commands
from sync.engine.near_desk import NearDesk, usual_ways
from sync.engine.near_link import NearStretches, own_delay
from sync.engine.near_rules import Proof, start_delay_s
from sync.engine.near_way import NearWay
from sync.engine.pacing import LinkMeter, Patience
from sync.engine.schedule import NEAR, NEAR_S, retry_wait_s
from sync.protocol.edition import MAX_HEAD_BYTES, NamedFile
from sync.protocol.near import Card, Mark, Marks, NearFile
from sync.transport.air import Air, MemoryDiscovery
from sync.transport.broadcast import BroadcastDiscovery
from sync.transport.mdns import MdnsDiscovery
from sync.transport.port import Answer
from tests.near_world import Pc

QUICK = Patience(tries=2, first_s=0.001, most_s=0.001)
PATIENCE_S = 30


@pytest.fixture
def station(tmp_path: Path):
    opened = Station(Profile(tmp_path / "profile"), FrozenClock())
    yield opened
    opened.close()


class Idle:
    """A server that answers nobody."""

    port = 8521
    closed = 0

    def close(self) -> None:
        self.closed += 1


def desk_of(station: Station, serve=lambda _: Idle(), networks=()) -> NearDesk:
    air = Air()
    ways = (MemoryDiscovery(air, "10.0.0.1"),)
    return NearDesk(station, serve, lambda *_: ways, lambda: networks)


def call(**values: str) -> Invocation:
    words = ["lan", "set"]
    for name, value in values.items():
        words += [f"--{name}", value]
    from client.service.command.parse import parse

    return parse(words, Words("en"))


def test_the_commands_turn_the_switch_and_say_what_is_wrong(station, monkeypatch):
    """NK1: with a sentence and a next step."""
    monkeypatch.setattr(near_desk, "LISTEN_S", 0.0)
    home = (ipaddress.IPv4Interface("192.168.1.7/24"),)

    def desk(one: Station, serve) -> NearDesk:
        return desk_of(one, serve, home)

    made = NearCommands(lambda _: Idle(), CancelToken(), desk)
    told = made.set(station, call())
    assert (told["share"], told["finding"], told["works"]) == ("off", "lan_off", False)
    told = made.set(station, call(share="on"))
    assert (told["share"], told["finding"]) == ("on", "lan_nobody")
    assert told["address"] == "192.168.1.7:8521"
    assert len(told["short_code"]) == len("56F-626")
    told = made.check(station, call())
    assert told["says"].endswith("。")
    assert told["next"]
    assert told["peers"] == []
    assert commands(lambda _: Idle(), CancelToken()).keys() == {"lan set", "lan check"}


def test_a_peer_by_command_is_remembered(tmp_path):
    """NE2"""
    first = Pc(tmp_path, 1, Air()).share()
    second = Station(Profile(tmp_path / "second"), FrozenClock())
    address = first.desk.view_now().address
    made = NearCommands(lambda _: Idle(), CancelToken(), desk_of)
    told = made.set(second, call(share="on", peer=address))
    assert [one["known"] for one in told["peers"]] == [True]
    second.close()
    first.close()


def test_ctrl_c_ends_the_check(station):
    """NE1"""
    cancel = CancelToken()
    cancel.cancel()
    station.room.set_setting("lan_share", "on").result()
    made = NearCommands(lambda _: Idle(), cancel, desk_of)
    assert made.check(station, call())["share"] == "on"


def test_ne1_closing_ends_everything_and_a_later_word_is_not_heard(station):
    """NE1"""
    station.room.set_setting("lan_share", "on").result()
    server = Idle()
    desk = desk_of(station, lambda _: server)
    desk.start()
    assert desk.view().result(PATIENCE_S).finding.code == "lan_no_network"
    desk.book.heard("10.0.0.2", Card(key=b"k" * 32, port=1), Found.BROADCAST)
    hears = desk._hears(Found.BROADCAST)
    desk.close()
    assert server.closed == 1
    assert not desk.has_near()
    hears("10.0.0.3", b"nonsense")
    station.room.set_setting("lan_share", "off").result()
    station.room.set_setting("lan_share", "on").result()
    assert server.closed == 1


def test_the_usual_ways_are_two(station):
    ways = usual_ways(station.clock)("name", ["10.0.0.1"])
    assert [type(one) for one in ways] == [BroadcastDiscovery, MdnsDiscovery]
    assert own_delay(b"n")(LessonId("a")) == start_delay_s(b"n", LessonId("a"))


def test_a_link_without_neighbours_shares_nothing_and_one_with_them_asks_the_desk(station):
    """NE1"""
    alone = LinkDesk(station, lambda _: Decodes.YES)
    for ask in (alone.lan, alone.check_lan, lambda: alone.add_peer("x")):
        assert not ask().result(PATIENCE_S).is_on
    alone.close()
    both = LinkDesk(station, lambda _: Decodes.YES, desk_of(station))
    assert both.lan().result(PATIENCE_S).finding.code == "lan_off"
    assert both.check_lan().result(PATIENCE_S).finding.code == "lan_off"
    with pytest.raises(Exception, match="lan_off"):
        both.add_peer("x").result(PATIENCE_S)
    both.close()


def test_nobody_near_is_blamed_for_nothing():
    with NoNear().visit(LessonId("a"), (), int, CancelToken()) as visit:
        assert visit.of("/a") == ()
    NoNear().blame(None, Cancelled())  # type: ignore[arg-type]
    assert NoNear().stretches((), lambda _: None, CancelToken()) is None


def test_manifests_are_remembered_so_far(station, tmp_path, monkeypatch):
    """NS1"""
    monkeypatch.setattr(near_shelf, "_MANIFESTS", 1)
    desk = desk_of(station)
    shelf = desk._shelf(1)
    file = tmp_path / "file"
    file.write_bytes(b"x")
    monkeypatch.setattr(type(shelf), "object", lambda *_: file)
    for number in (1, 2, 1):
        assert shelf.manifest(Digest(f"{number:064}"))
    assert len(shelf._manifests) == 1
    desk.close()


class Nowhere(FolderWay):
    """A way whose hub cannot be reached."""

    def head(self, cancel):
        raise UnreachableError("unreachable")

    def bring(self, file, use, cancel):
        raise UnreachableError("unreachable")


@pytest.mark.parametrize(
    ("status", "is_open"), [(404, True), (503, False)], ids=["has it not", "is busy"]
)
def test_nw2_who_has_not_got_it_is_no_liar(tmp_path, status, is_open):
    """NW2, NB1: who does not answer rests."""
    from tests.fakes.peer import LoopbackPeer, Reply

    clock = FrozenClock()
    book = NearBook(b"own", clock)
    from sync.transport.http import HttpTransport

    downloader = Downloader(
        HttpTransport(), LinkMeter(clock), patience=QUICK, worked=print, failed=lambda _: None
    )
    with LoopbackPeer(lambda _: Reply(status=status)) as peer:
        port = int(peer.base.rpartition(":")[2])
        book.heard("127.0.0.1", Card(key=b"k" * 32, port=port), Found.TYPED)
        blobs = BlobStore(tmp_path / "blobs", floor_bytes=0)
        way = NearWay(Nowhere(tmp_path), b"hub", book, downloader, blobs, verify)
        named = NamedFile(digest=Digest("ab" * 32), size_bytes=MAX_HEAD_BYTES)
        with pytest.raises(UnreachableError):
            way.bring(named, print, CancelToken())
        with pytest.raises(UnreachableError):
            way.head(CancelToken())
    assert bool(book.open()) is is_open
    assert not book.all()[0].bad
    assert way.requests == 0


def test_a_kept_list_that_is_none_says_nothing(tmp_path):
    for data in (b"", b"tongke-list 1\n", b"tongke-list 1\nX\n", b"other\nI a\n", b"\xff\xfe"):
        path = tmp_path / "list"
        path.write_bytes(data)
        assert read_list(path) == ("", ())
    assert read_list(tmp_path / "none") == ("", ())
    store = BlobStore(tmp_path / "blobs", floor_bytes=0)
    assert store.playlist(Digest("ab" * 32)) == b""
    assert store.marks(Digest("ab" * 32)) == ("", ())


class Endless:
    """A transport whose answers never end, and its exchange."""

    answer = Answer(status=206, headers={}, url="http://10.0.0.1/")
    received = 0

    @contextlib.contextmanager
    def get(self, url, cancel, headers=None):
        yield self

    def chunks(self, size=65536):
        return itertools.repeat(b"x")


def test_nl2_a_stretch_that_never_ends_is_cut(station):
    """NL2: at its length."""
    desk = desk_of(station)
    ports = replace(desk._link._ports, transport=Endless())
    peer = Peer(host="10.0.0.1", card=Card(key=b"k" * 32, port=1))
    file = NearFile(path="/a", digest=Digest("ab" * 32), size_bytes=9, marks=Digest("ab" * 32))
    source = NearSource(peer=peer, file=file, proof=Proof.SIGNED)
    marks = Marks(playlist=b"", stretches=(Mark(length=9, sha256="ab" * 32),))
    came: list[int] = []
    film = NearStretches(ports, marks, [source], came.append)
    with pytest.raises(NearComingError):
        film.read(0, CancelToken())
    assert sum(came) == 10
    assert film.read(1, CancelToken()) is None
    desk.close()


def test_a_carried_list_has_no_rows(tmp_path):
    way = CarriedWay(b"", b"", tmp_path)
    assert not way.rows(None, print, CancelToken())  # type: ignore[arg-type]


def test_what_comes_near_by_is_looked_for_soon():
    assert retry_wait_s(5, NEAR) == NEAR_S < retry_wait_s(1)
