"""Sharing with PCs near by, joined: the server, being found, asking, and the check of all that.

Invariants:
  NE1  Nothing listens, speaks or is asked while the switch is off; turning it either way takes
       effect at once, and closing ends everything.
  NE2  A PC is known as one of this school when its log was met, or when somebody typed its address
       or code and it answered; nothing that was heard makes it so.
  NE3  Only addresses of the networks this PC is in are taken from the air: nobody can have it ask
       elsewhere.
"""

import ipaddress
import json
import re
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, Protocol, TypeVar

from client.domain.cancel import CancelToken
from client.domain.clock import Clock
from client.domain.errors import ClassroomError, ProtocolError, ResourceError, UserError
from client.domain.record.bodies import EventType, Incarnation
from client.domain.record.fold import read
from client.service.api import Reason
from client.service.near_view import NearRow, NearView
from client.service.station import Station
from client.store.keyfile import verify
from sync.engine.download import Downloader
from sync.engine.edition_way import EditionWay
from sync.engine.near_board import NearBoard
from sync.engine.near_book import Found, NearBook, Peer
from sync.engine.near_check import Facts, PeerFacts, find, why
from sync.engine.near_link import Delay, NearLink, NearPorts, own_delay
from sync.engine.near_shelf import NearShelf
from sync.engine.near_way import NearWay
from sync.engine.pacing import LinkMeter, Patience
from sync.engine.platform_link import Around
from sync.protocol.near import BACK_NO, BACK_YES, MAX_CARD_BYTES, Card, read_card
from sync.protocol.near_code import make_code, read_code
from sync.transport.air import Discovery, own_networks
from sync.transport.brisk import BriskTransport
from sync.transport.broadcast import BroadcastDiscovery
from sync.transport.http import HttpTransport
from sync.transport.knock import Knock, knock
from sync.transport.mdns import MdnsDiscovery

T = TypeVar("T")

PORT: Final = 8521
"""Where a PC shares unless the port is taken."""
LISTEN_S: Final = 2.0
_CONNECT_S: Final = 2.0
_STALL_S: Final = 10.0
_LOOK_S: Final = 5.0
_MOST: Final = 16
_KNOWN: Final = "lan.known."
_PORT: Final = re.compile(r"\d{0,5}")
_TRIES: Final = Patience(tries=2, first_s=0.2, most_s=0.5)


class Serving(Protocol):
    """A server that runs; `sync.hub.share.ShareServer` is one."""

    @property
    def port(self) -> int:
        """Where it is asked."""
        ...

    def close(self) -> None:
        """Stop it."""
        ...


Serve = Callable[[Callable[[int], NearShelf]], Serving]
"""Starts a server on what the shelf, told its port, gives; raises `ResourceError`."""
Discover = Callable[[str, Sequence[str]], Sequence[Discovery]]
"""Makes the ways of being found, given a name and the addresses of this PC."""
Networks = Callable[[], Sequence[ipaddress.IPv4Interface]]


def usual_ways(clock: Clock) -> Discover:
    """Find PCs by broadcast and by zeroconf."""

    def make(name: str, addresses: Sequence[str]) -> Sequence[Discovery]:
        return (BroadcastDiscovery(clock), MdnsDiscovery(name, addresses))

    return make


class NearDesk:
    """See the module. All methods return at once but `check_now`, `view_now` and `add_now`.

    Args:
        station: The room.
        serve: Starts the server.
        discover: Makes the ways of being found.
        networks: Gives the networks of this PC.
        delay_s: How long to wait before a lesson is begun over the link; its own by default.
    """

    def __init__(
        self,
        station: Station,
        serve: Serve,
        discover: Discover | None = None,
        networks: Networks = own_networks,
        delay_s: Delay | None = None,
    ) -> None:
        self._station: Final = station
        self._serve: Final = serve
        self._discover: Final = discover or usual_ways(station.clock)
        self._networks: Final = networks
        self._own: Final = station.journal.signer.public_key
        self.book: Final = NearBook(self._own, station.clock)
        self._board: Final = NearBoard(station.clock)
        self._transport: Final = BriskTransport(
            HttpTransport(connect_s=_CONNECT_S, stall_s=_STALL_S), station.clock
        )
        self._link: Final = NearLink(
            NearPorts(
                book=self.book,
                board=self._board,
                transport=self._transport,
                verify=verify,
                known=self.known,
                clock=station.clock,
                delay_s=delay_s or own_delay(self._own),
            )
        )
        self._cancel: Final = CancelToken()
        self._worker: Final = ThreadPoolExecutor(1, thread_name_prefix="near-desk")
        self._server: Serving | None = None
        self._ways: tuple[Discovery, ...] = ()
        self._knocks: dict[str, Knock] = {}
        self._is_reached: bool | None = None
        self._nets: tuple[ipaddress.IPv4Interface, ...] = ()
        self._look_due_s = 0.0

    # --- for the rest of the program -------------------------------------------------------

    def start(self) -> None:
        """Follow the switch from now on (NE1)."""
        self._station.room.subscribe(self._look)
        self._look()

    def around(self) -> Around:
        """Give the PCs near by to whoever fetches."""
        return Around(near=self._link, transport=self._transport, through=self._through)

    def has_near(self) -> bool:
        """Tell whether anybody can be asked. Memory only."""
        return bool(self.book.open())

    def view(self) -> Future[NearView]:
        """Tell how sharing stands."""
        return self._worker.submit(self.view_now)

    def check(self) -> Future[NearView]:
        """Try everything, then tell; takes some seconds."""
        return self._worker.submit(self.check_now)

    def add(self, text: str) -> Future[NearView]:
        """Make the PC with a typed address or code one of this school; see `add_now`."""
        return self._worker.submit(self.add_now, text)

    def stop_waiting(self) -> None:
        """End what takes long, from any thread."""
        self._cancel.cancel()

    def close(self) -> None:
        """Stop at once. Once."""
        self._cancel.cancel()
        self._worker.submit(self._stop)
        self._worker.shutdown()
        self._link.close()

    # --- blocking ------------------------------------------------------------------------

    def known(self) -> frozenset[bytes]:
        """Give the keys of this school's PCs (NE2)."""
        typed = (bytes.fromhex(name) for name in self._station.room.locals(_KNOWN))
        entries = (
            read(event) for _, event in self._station.journal.events({EventType.INCARNATION})
        )
        met = (
            entry.body.public_key
            for entry in entries
            if entry is not None and isinstance(entry.body, Incarnation)
        )
        return frozenset((*typed, *met)) - {self._own}

    def follow(self) -> None:
        """Do what the switch says (NE1)."""
        wanted = self._station.room.snapshot().settings.lan_share and not self._cancel.is_cancelled
        if wanted and self._server is None:
            self._begin()
        elif not wanted and self._server is not None:
            self._stop()

    def view_now(self) -> NearView:
        """Tell how sharing stands, from what is known."""
        self.follow()
        is_on = self._station.room.snapshot().settings.lan_share
        networks = self._networks() if is_on else ()
        known = self.known()
        peers = [(peer, self._facts(peer, networks)) for peer in self.book.all()]
        finding = find(
            Facts(
                is_on=is_on,
                has_network=bool(networks),
                is_listening=self._server is not None,
                is_reached=self._is_reached,
                peers=[facts for _, facts in peers],
            )
        )
        address, code = self._address(networks)
        return NearView(
            is_on=is_on,
            address=address,
            code=code,
            finding=Reason(code=finding.value),
            is_fine=finding.is_fine,
            needs_stick=finding.needs_stick,
            rows=tuple(_row(peer, facts, known) for peer, facts in peers),
        )

    def check_now(self) -> NearView:
        """Call everybody, knock at each door, have somebody knock at ours."""
        self.follow()
        if self._server is not None:
            for way in self._ways:
                way.call()
            self._cancel.sleep(LISTEN_S)
            peers = self.book.all()[:_MOST]
            with ThreadPoolExecutor(_MOST, thread_name_prefix="near-knock") as pool:
                knocks = pool.map(lambda peer: knock(peer.host, peer.card.port), peers)
                self._knocks = {p.host: k for p, k in zip(peers, knocks, strict=True)}
            self._is_reached = self._back(peers)
        return self.view_now()

    def add_now(self, text: str) -> NearView:
        """Make the PC with a typed address or code one of this school (NE2).

        Raises:
            UserError: `lan_off`, `lan_address_bad`, `lan_own_address` or `lan_not_there`.
        """
        self.follow()
        if self._server is None:
            raise UserError("lan_off")
        places, marks = self._places(text)
        for host, port in places:
            card = self._card(host, port)
            if card is None or not marks(card.key):
                continue
            if card.key == self._own:
                raise UserError("lan_own_address")
            row = json.dumps([host, card.port, card.room])
            self._station.room.set_local(_KNOWN + card.key.hex(), row).result()
            self.book.heard(host, card, Found.TYPED)
            self._knocks[host] = Knock.OPEN
            return self.view_now()
        raise UserError("lan_not_there", {"address": text.strip()})

    # --- on and off ----------------------------------------------------------------------

    def _look(self) -> None:
        if not self._cancel.is_cancelled:
            self._worker.submit(self.follow)

    def _begin(self) -> None:
        try:
            server = self._server = self._serve(self._shelf)
        except ResourceError:
            return  # told as `lan_no_port`; tried again when somebody looks
        card = self._shelf(server.port).card()
        addresses = [str(one.ip) for one in self._networks()]
        self._ways = tuple(self._discover(self._own.hex()[:16], addresses))
        for name, text in self._station.room.locals(_KNOWN).items():
            host, port, room = json.loads(text)
            known = Card(key=bytes.fromhex(name), port=port, room=room)
            self.book.heard(host, known, Found.TYPED)
        for way, how in zip(self._ways, (Found.BROADCAST, Found.ZEROCONF), strict=False):
            way.start(card, self._hears(how))

    def _stop(self) -> None:
        server, self._server = self._server, None
        ways, self._ways = self._ways, ()
        for way in ways:
            way.close()
        if server is not None:
            server.close()
        self.book.clear()
        self._knocks, self._is_reached = {}, None

    def _shelf(self, port: int) -> NearShelf:
        return NearShelf(self._station, self._board, lambda: port)

    def _hears(self, how: Found) -> Callable[[str, bytes], None]:
        def heard(host: str, data: bytes) -> None:
            try:
                card = read_card(data)
            except ProtocolError:
                return
            if self._server is not None and self._is_near(host):
                self.book.heard(host, card, how)

        return heard

    def _is_near(self, host: str) -> bool:
        """Tell whether an address is one of this PC's networks, as they are or soon will be."""
        if not _is_home(host):
            return False
        now, address = self._station.clock.monotonic(), ipaddress.IPv4Address(host)
        if now >= self._look_due_s and not any(address in one.network for one in self._nets):
            self._look_due_s = now + _LOOK_S
            self._nets = tuple(self._networks())
        return any(address in one.network for one in self._nets)

    # --- asking --------------------------------------------------------------------------

    def _through(self, key: bytes, inner: EditionWay) -> EditionWay:
        downloader = Downloader(
            self._transport,
            LinkMeter(self._station.clock),
            patience=_TRIES,
            worked=_ignore,
            failed=_ignore,
        )
        return NearWay(inner, key, self.book, downloader, self._station.blobs, verify)

    def _get(self, url: str, most: int) -> bytes | None:
        data = bytearray()
        try:
            with self._transport.get(url, self._cancel) as exchange:
                for chunk in exchange.chunks():
                    data += chunk
                    if len(data) > most:
                        return None
        except ClassroomError:
            return None
        return bytes(data)

    def _card(self, host: str, port: int) -> Card | None:
        data = self._get(f"http://{host}:{port}/v1/near", MAX_CARD_BYTES)
        try:
            return None if data is None else read_card(data)
        except ProtocolError:
            return None

    def _back(self, peers: Sequence[Peer]) -> bool | None:
        """Have PCs that answer try to reach this one; one that can is enough."""
        server, told = self._server, None
        for peer in peers:
            if server is None or self._knocks.get(peer.host) is not Knock.OPEN:
                continue
            said = self._get(f"{peer.base}/v1/near/back/{server.port}", 1)
            if said == BACK_YES:
                return True
            told = False if said == BACK_NO else told
        return told

    def _places(self, text: str) -> tuple[list[tuple[str, int]], Callable[[bytes], bool]]:
        """Say where a typed text leads, and which keys are right there."""
        code = read_code(text)
        if code is not None:
            hosts = dict.fromkeys(code.at(str(one.ip)) for one in self._networks())
            return [(host, PORT) for host in hosts], code.fits
        host, _, port = text.strip().removeprefix("http://").strip("/").partition(":")
        if not _is_home(host) or not _PORT.fullmatch(port):
            raise UserError("lan_address_bad", {"address": text.strip()})
        return [(host, int(port or PORT))], lambda _: True

    # --- telling -------------------------------------------------------------------------

    def _facts(self, peer: Peer, networks: Sequence[ipaddress.IPv4Interface]) -> PeerFacts:
        said = self._knocks.get(peer.host)
        if peer.answered is not None and said is not Knock.REFUSED:
            said = Knock.OPEN if peer.answered else said or Knock.SILENT
        address = ipaddress.IPv4Address(peer.host)
        return PeerFacts(
            is_heard=bool(peer.found - {Found.TYPED}),
            is_same_network=any(address in one.network for one in networks),
            knock=said,
            is_left_alone=bool(peer.bad),
        )

    def _address(self, networks: Sequence[ipaddress.IPv4Interface]) -> tuple[str, str]:
        """Say where this PC is asked, and the code for it if it listens where codes lead."""
        if self._server is None or not networks:
            return "", ""
        host, port = str(networks[0].ip), self._server.port
        code = make_code(host, self._own) if port == PORT else ""
        return f"{host}:{port}", code


def _row(peer: Peer, facts: PeerFacts, known: frozenset[bytes]) -> NearRow:
    code, is_usable = why(facts)
    return NearRow(
        room=peer.card.room,
        address=peer.host,
        reason=Reason(code=code),
        is_usable=is_usable,
        is_known=peer.card.key in known,
    )


def _is_home(host: str) -> bool:
    """Tell whether an address is one of a network at home."""
    try:
        return ipaddress.IPv4Address(host).is_private
    except ValueError:
        return False


def _ignore(_: str) -> None:
    """Learn nothing of addresses: a PC has one."""
