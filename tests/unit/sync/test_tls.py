"""Certificates hold by the time that somebody told (sync.transport.tls).

TL1 and TL2 for hubs are shown in test_hub_http.py.
"""

import contextlib
import socket
import ssl
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from client.domain.cancel import CancelToken
from client.domain.clock import FrozenClock
from client.domain.errors import UnreachableError
from client.domain.ids import SourceId
from client.domain.record.anchors import AnchorKind
from client.service.paths import Profile
from client.service.station import Station
from client.store.catalogue_read import SourceRow
from sync.engine.platform_link import KIND, PlatformLink
from sync.transport import tls
from sync.transport.http import HttpTransport
from sync.transport.tls import public_adapter
from tests.content_world import yes
from tests.fakes.http_hub import Authority, HttpHub, Said

TOLD = datetime(2026, 11, 20, tzinfo=UTC)
TOLD_MS = int(TOLD.timestamp() * 1000)
ELSEWHERE = "192.0.2.9"


@pytest.fixture
def authority(tmp_path, monkeypatch):
    """The only authority that counts as one of the usual ones."""
    made = Authority()
    bundle = tmp_path / "bundle.pem"
    bundle.write_text(ssl.DER_cert_to_PEM_cert(made.der), encoding="ascii")
    monkeypatch.setattr(tls, "DEFAULT_CA_BUNDLE_PATH", str(bundle))
    tls._public_context.cache_clear()
    yield made
    tls._public_context.cache_clear()


@pytest.fixture
def serve():
    with contextlib.ExitStack() as open_ones:

        def make(chain: Path) -> HttpHub:
            hub = HttpHub(lambda *_: Said(body=b"here"), chain)
            open_ones.callback(hub.close)
            return hub

        yield make


def years(begin: int, end: int) -> tuple[datetime, datetime]:
    return datetime(begin, 1, 1, tzinfo=UTC), datetime(end, 1, 1, tzinfo=UTC)


def read(url: str, *, told: bool, clock: datetime) -> bytes:
    now = (TOLD_MS, TOLD_MS + 1000) if told else None
    transport = HttpTransport(adapter=lambda: public_adapter(lambda: now, FrozenClock(clock)))
    with transport.get(url, CancelToken()) as exchange:
        return b"".join(exchange.chunks())


@pytest.mark.parametrize(
    "case",
    [
        ((2026, 2028), True, 2013, True),
        ((2026, 2028), True, 2099, True),
        ((2020, 2025), True, 2024, False),
        ((2090, 2099), True, 2095, False),
        ((2026, 2028), False, 2027, True),
        ((2026, 2028), False, 2013, False),
        ((2026, 2028), False, 2099, False),
        ((2010, 2015), False, 2013, True),
    ],
)
def test_what_somebody_told_counts_before_the_clock(authority, serve, tmp_path, case):
    """TL2: and where nobody told, the clock counts as it does everywhere."""
    runs, told, clock, holds = case
    server = serve(authority.chain(tmp_path / "server.pem", *years(*runs)))
    at = datetime(clock, 1, 1, tzinfo=UTC)
    if holds:
        assert read(server.url, told=told, clock=at) == b"here"
    else:
        with pytest.raises(UnreachableError, match="certificate_dates"):
            read(server.url, told=told, clock=at)
        assert server.heads == []


def test_only_the_usual_authorities_hold_and_only_for_the_right_name(authority, serve, tmp_path):
    """TL1"""
    other = Authority().chain(tmp_path / "other.pem", *years(2026, 2028))
    named = authority.chain(tmp_path / "named.pem", *years(2026, 2028), ELSEWHERE)
    for chain in (other, named):
        with pytest.raises(UnreachableError, match="tls_failed"):
            read(serve(chain).url, told=True, clock=TOLD)


@contextlib.contextmanager
def proxy_to(port: int):
    """A proxy that brings every tunnel to one port of this machine; gives its own."""
    with socket.create_server(("127.0.0.1", 0)) as waiting:

        def pump(source: socket.socket, target: socket.socket) -> None:
            with contextlib.suppress(OSError):
                while data := source.recv(65536):
                    target.sendall(data)
                target.shutdown(socket.SHUT_WR)

        def work() -> None:
            with contextlib.suppress(OSError):
                while True:
                    asked, _ = waiting.accept()
                    assert asked.recv(65536).startswith(b"CONNECT ")
                    asked.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                    behind = socket.create_connection(("127.0.0.1", port))
                    for pair in ((asked, behind), (behind, asked)):
                        threading.Thread(target=pump, args=pair, daemon=True).start()

        threading.Thread(target=work, daemon=True).start()
        yield waiting.getsockname()[1]


@pytest.mark.parametrize(("begins", "holds"), [(2026, True), (2010, False)])
def test_behind_a_proxy_it_is_the_same(authority, serve, tmp_path, monkeypatch, begins, holds):
    """TL1 TL2: the proxy's tunnel has no other authorities and no other clock."""
    chain = authority.chain(tmp_path / "server.pem", *years(begins, begins + 2), ELSEWHERE)
    server = serve(chain)
    with proxy_to(int(server.url.rsplit(":", 1)[1])) as port:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{port}")
        url = f"https://{ELSEWHERE}/"
        if holds:
            assert read(url, told=True, clock=TOLD) == b"here"
        else:
            with pytest.raises(UnreachableError, match="certificate_dates"):
                read(url, told=True, clock=TOLD)


@pytest.mark.parametrize(("told", "holds"), [(True, True), (False, False)])
def test_the_platform_is_reached_with_a_clock_that_forgot_the_year(
    authority, serve, tmp_path, told, holds
):
    """TL2: once somebody told the time."""
    server = serve(authority.chain(tmp_path / "server.pem", *years(2026, 2028)))
    station = Station(Profile(tmp_path / "profile"), FrozenClock(datetime(2013, 1, 1, tzinfo=UTC)))
    link = PlatformLink(station, SourceRow(id=SourceId(KIND), kind=KIND, address=server.url), yes)
    try:
        if told:
            anchor = station.journal.present().anchor(AnchorKind.HUB, TOLD_MS, 1000)
            station.journal.note_anchor(anchor).result()
        if holds:
            with link._transport.get(server.url, CancelToken()) as exchange:
                assert b"".join(exchange.chunks()) == b"here"
        else:
            with pytest.raises(UnreachableError, match="certificate_dates"):
                link._transport.get(server.url, CancelToken()).__enter__()
    finally:
        link.close()
        station.close()
