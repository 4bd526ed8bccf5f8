"""A hub over HTTP(S), and what only looks like one (sync.transport.hub_http, session)."""

import threading
from datetime import UTC, datetime

import pytest

from client.domain.cancel import CancelToken
from client.domain.errors import (
    BusyError,
    Cancelled,
    ProtocolError,
    TimedOutError,
    UnreachableError,
    UserError,
)
from sync.protocol.refusal import pack_refusal
from sync.transport.hub_http import HubHttp
from tests.fakes.http_hub import TYPE, Authority, HttpHub, Said

OURS = (("Content-Type", TYPE),)
LONG_AGO, LONG_AHEAD = datetime(2026, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC)
GO = CancelToken()
NO_TIME = lambda: None  # noqa: E731 - a value


@pytest.fixture
def serve():
    """Start hubs that are closed at the end."""
    started: list[HttpHub] = []

    def start(answer, chain=None) -> HttpHub:
        started.append(HttpHub(answer, chain))
        return started[-1]

    yield start
    for hub in started:
        hub.close()


@pytest.fixture
def client():
    """Make clients that are closed at the end."""
    made: list[HubHttp] = []

    def make(hub: HttpHub, authority: bytes = b"", trusted=NO_TIME, **more) -> HubHttp:
        made.append(HubHttp(hub.url, authority, trusted, **more))
        return made[-1]

    yield make
    for one in made:
        one.close()


def echo(_: str, body: bytes) -> Said:
    return Said(body=body)


def test_envelopes_go_and_come_with_few_headers(serve, client):
    hub = serve(echo)
    http = client(hub)
    assert http.exchange(b"one", GO) == b"one"
    assert http.exchange(b"two", GO) == b"two"
    assert hub.connections == 1
    names = [line.partition(b":")[0].lower() for line in hub.heads[0].splitlines()[1:] if line]
    assert sorted(names) == [b"content-length", b"content-type", b"host"]


def test_each_door_has_its_path(serve, client):
    paths: list[str] = []
    hub = serve(lambda path, body: paths.append(path) or Said(body=body))
    http = client(hub)
    http.exchange(b"", GO)
    http.enrol(b"", GO)
    assert http.hello(GO) == b""
    assert paths == ["/v1/x", "/v1/enrol", "/v1/hello"]


@pytest.mark.parametrize(
    "said",
    [
        Said(body=b"<html>please log in</html>", headers=(("Content-Type", "text/html"),)),
        Said(body=b"<html></html>", headers=()),
        Said(status=302, headers=(("Location", "http://login.example/"),)),
        Said(status=302, headers=(("Location", "http://login.example/"), *OURS)),
        Said(status=511, body=b"log in", headers=(("Content-Type", "text/html"),)),
        Said(status=404, body=b"nothing", headers=(("Content-Type", "text/plain"),)),
        Said(status=500, body=b"junk"),
        Said(body=bytes(600 * 1024)),
    ],
)
def test_what_is_no_hub_is_no_network(serve, client, said):
    """HH2."""
    with pytest.raises(UnreachableError, match="not_the_hub"):
        client(serve(lambda *_: said)).exchange(b"x", GO)


@pytest.mark.parametrize(
    ("code", "kind", "shown"),
    [
        ("node_unknown", UserError, "node_unknown"),
        ("node_revoked", UserError, "node_revoked"),
        ("code_unknown", UserError, "code_unknown"),
        ("busy", BusyError, "hub_busy"),
        ("too_slow", BusyError, "hub_busy"),
        ("too_often", BusyError, "too_often"),
        ("disk_full", BusyError, "hub_full"),
        ("message_invalid", ProtocolError, "message_invalid"),
        ("version_unknown", ProtocolError, "version_unknown"),
        ("something new", BusyError, "hub_busy"),
    ],
)
def test_the_hubs_own_refusals_keep_their_reason(serve, client, code, kind, shown):
    hub = serve(lambda *_: Said(status=400, body=pack_refusal(code, 7)))
    with pytest.raises(kind) as caught:
        client(hub).exchange(b"x", GO)
    assert caught.value.code == shown
    if kind is BusyError:
        assert caught.value.retry_after_s == 7


def test_a_busy_proxy_is_waited_for(serve, client):
    headers = (("Content-Type", "text/html"), ("Retry-After", "90"))
    hub = serve(lambda *_: Said(status=503, headers=headers))
    with pytest.raises(BusyError) as caught:
        client(hub).exchange(b"x", GO)
    assert caught.value.retry_after_s == 90


def test_a_body_cut_short_is_no_answer(serve, client):
    hub = serve(lambda _, body: Said(body=body, length=len(body) + 1))
    with pytest.raises(UnreachableError, match="hub_unreachable"):
        client(hub).exchange(b"x", GO)


def test_a_connection_that_died_is_opened_anew_once(serve, client):
    """HH3."""
    hub = serve(echo)
    http = client(hub)
    http.exchange(b"x", GO)
    hub.answer = lambda _, body: Said(body=body, headers=(*OURS, ("Connection", "close")))
    http.exchange(b"x", GO)

    def die(_: str, body: bytes) -> Said:
        hub.answer = echo
        raise ConnectionAbortedError

    hub.answer = echo
    http.exchange(b"x", GO)
    hub.answer = die
    assert http.exchange(b"again", GO) == b"again"
    hub.answer = die
    http.close()
    with pytest.raises(UnreachableError, match="hub_unreachable"):
        http.exchange(b"x", GO)


def test_nobody_there_is_said(client, serve):
    hub = serve(echo)
    http = HubHttp("http://127.0.0.1:9", b"", NO_TIME)
    with pytest.raises(UnreachableError):
        http.exchange(b"x", GO)
    assert hub.connections == 0
    with pytest.raises(ProtocolError, match="address_refused"):
        HubHttp("hub.example", b"", NO_TIME).hello(GO)


def test_silence_ends(client, serve):
    gate = threading.Event()
    hub = serve(lambda *_: (gate.wait(20) and Said()) or Said())
    with pytest.raises(TimedOutError):
        client(hub, stall_s=0.1).exchange(b"x", GO)
    gate.set()


def test_cancelling_wakes_who_waits(client, serve):
    """SE1."""
    gate, came, cancel = threading.Event(), threading.Event(), CancelToken()

    def wait(_: str, body: bytes) -> Said:
        came.set()
        gate.wait(20)
        return Said(body=body)

    hub = serve(wait)
    http = client(hub)
    threading.Thread(target=lambda: came.wait(20) and cancel.cancel(), daemon=True).start()
    with pytest.raises(Cancelled):
        http.exchange(b"x", cancel)
    gate.set()


def test_cookies_and_redirects_leave_no_trace(client, serve):
    """SE2."""
    hub = serve(lambda _, body: Said(body=body, headers=(*OURS, ("Set-Cookie", "a=b"))))
    http = client(hub)
    http.exchange(b"x", GO)
    http.exchange(b"x", GO)
    assert b"ookie" not in b"".join(hub.heads)


# --- TLS ------------------------------------------------------------------------------------------


def test_only_the_pinned_authority_holds(client, serve, tmp_path):
    """HH1."""
    authority, other = Authority(), Authority()
    hub = serve(echo, authority.chain(tmp_path / "hub.pem", LONG_AGO, LONG_AHEAD))
    assert client(hub, authority.der).exchange(b"x", GO) == b"x"
    with pytest.raises(UnreachableError, match="hub_certificate_other"):
        client(hub, other.der).exchange(b"x", GO)
    assert client(hub).exchange(b"unpinned, to enrol", GO) == b"unpinned, to enrol"


def test_the_name_is_checked(client, serve, tmp_path):
    """HH1."""
    authority = Authority()
    chain = authority.chain(tmp_path / "hub.pem", LONG_AGO, LONG_AHEAD, "192.0.2.9")
    with pytest.raises(UnreachableError, match="hub_certificate_other"):
        client(serve(echo, chain), authority.der).exchange(b"x", GO)


def at(year: int) -> tuple[int, int]:
    begin = int(datetime(year, 6, 1, tzinfo=UTC).timestamp() * 1000)
    return begin, begin + 1000


@pytest.mark.parametrize(
    "case",
    [
        (1990, 1991, None, True),
        (2080, 2090, None, True),
        (1990, 1991, at(2027), False),
        (2080, 2090, at(2027), False),
        (2020, 2090, at(2027), True),
        (1990, 2027, (at(2026)[0], at(2028)[1]), True),
    ],
)
def test_dates_are_checked_against_the_time_that_is_trusted(client, serve, tmp_path, case):
    """HH1: the machine's own clock says nothing, whatever it says."""
    authority = Authority()
    begins, ends, trusted, holds = case
    chain = authority.chain(
        tmp_path / "hub.pem", datetime(begins, 1, 1, tzinfo=UTC), datetime(ends, 1, 1, tzinfo=UTC)
    )
    http = client(serve(echo, chain), authority.der, lambda: trusted)
    if holds:
        assert http.exchange(b"x", GO) == b"x"
    else:
        with pytest.raises(UnreachableError, match="hub_certificate_dates"):
            http.exchange(b"x", GO)
