"""What every `Transport` promises, shown on the real one and on its twin (T1 to T3, H1 to H4)."""

import gzip
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from client.domain.cancel import CancelToken
from client.domain.errors import (
    BusyError,
    Cancelled,
    ClassroomError,
    ProtocolError,
    RefusedError,
    TimedOutError,
    TransportError,
    UnreachableError,
)
from sync.transport.http import HttpTransport, retry_after_s
from sync.transport.port import Transport
from tests.fakes.peer import Asked, LoopbackPeer, Reply
from tests.fakes.scripted_transport import ScriptedTransport

Make = Callable[..., "Bench"]


@dataclass
class Bench:
    """A transport beside the peer it talks to."""

    transport: Transport
    base: str
    asked: list[Asked]
    peer: LoopbackPeer | None


@pytest.fixture(params=["http", "twin"])
def make(request: pytest.FixtureRequest) -> Iterator[Make]:
    """Build a transport against a script of replies by path."""
    peers: list[LoopbackPeer] = []

    def build(
        replies: Mapping[str, Reply] | Callable[[Asked], Reply],
        *,
        sign: Callable[[str], Mapping[str, str]] | None = None,
        may_redirect: Callable[[str], bool] = lambda url: True,
    ) -> Bench:
        def script(asked: Asked) -> Reply:
            if callable(replies):
                return replies(asked)
            return replies.get(asked.path.split("?")[0], Reply(status=404))

        def resolve(url: str) -> str:
            if not may_redirect(url):
                raise ProtocolError("address_refused", {"url": url})
            return url

        if request.param == "twin":
            twin = ScriptedTransport(script, resolve=resolve, sign=sign)
            return Bench(twin, "http://twin.test", twin.asked, None)
        peer = LoopbackPeer(script)
        peers.append(peer)
        real = HttpTransport(resolve=resolve, sign=sign, connect_s=1.0, stall_s=0.4)
        return Bench(real, peer.base, peer.asked, peer)

    yield build
    for peer in peers:
        peer.close()


def read(bench: Bench, path: str, cancel: CancelToken | None = None, **headers: str) -> bytes:
    token = cancel or CancelToken()
    with bench.transport.get(bench.base + path, token, headers) as exchange:
        return b"".join(exchange.chunks(1000))


def test_a_body_arrives_as_it_was_sent(make: Make) -> None:
    body = bytes(range(256)) * 900
    bench = make({"/a": Reply(body=body, headers={"X-Note": "1"}, etag='"e"')})
    with bench.transport.get(bench.base + "/a", CancelToken()) as exchange:
        assert exchange.answer.status == 200
        assert exchange.answer.length == len(body)
        assert exchange.answer.headers["x-note"] == "1"
        assert exchange.answer.headers["etag"] == '"e"'
        assert b"".join(exchange.chunks()) == body
        assert exchange.received == len(body)


def test_received_counts_the_wire_and_chunks_give_the_plain_text(make: Make) -> None:
    plain = b"one lesson " * 20_000
    packed = gzip.compress(plain)
    bench = make({"/a": Reply(body=packed, headers={"Content-Encoding": "gzip"})})
    with bench.transport.get(bench.base + "/a", CancelToken()) as exchange:
        assert b"".join(exchange.chunks()) == plain
        assert exchange.received == len(packed)


def test_a_range_gives_206_and_its_bytes_only(make: Make) -> None:
    bench = make({"/a": Reply(body=b"0123456789", etag='"e"')})
    with bench.transport.get(
        bench.base + "/a", CancelToken(), {"Range": "bytes=4-", "If-Range": '"e"'}
    ) as exchange:
        assert exchange.answer.status == 206
        assert exchange.answer.headers["content-range"] == "bytes 4-9/10"
        assert b"".join(exchange.chunks()) == b"456789"


@pytest.mark.parametrize("status", [304, 416])
def test_304_and_416_are_answers(make: Make, status: int) -> None:
    bench = make({"/a": Reply(status=status)})
    with bench.transport.get(bench.base + "/a", CancelToken()) as exchange:
        assert exchange.answer.status == status
        assert b"".join(exchange.chunks()) == b""


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (400, b"<Code>InvalidArgument</Code>", "bad_request"),
        (401, b"<html>401</html>", "login_needed"),
        (403, b'{"code":"CS/REQUIRE_SESSION"}', "login_needed"),
        (403, b"no", "forbidden"),
        (404, b"", "gone"),
        (410, b"", "gone"),
    ],
)
def test_refusals_carry_status_and_body(make: Make, status: int, body: bytes, code: str) -> None:
    bench = make({"/a": Reply(status=status, body=body)})
    with pytest.raises(RefusedError) as caught:
        read(bench, "/a")
    assert (caught.value.code, caught.value.status) == (code, status)
    assert caught.value.values["body"] == body.decode()


def test_a_long_refusal_is_kept_short(make: Make) -> None:
    bench = make({"/a": Reply(status=404, body=b"x" * 100_000)})
    with pytest.raises(RefusedError) as caught:
        read(bench, "/a")
    assert caught.value.values["body"] == "x" * 512


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_busy_peer_says_when_to_come_back(make: Make, status: int) -> None:
    bench = make({"/a": Reply(status=status, headers={"Retry-After": "7"})})
    with pytest.raises(BusyError) as caught:
        read(bench, "/a")
    assert caught.value.retry_after_s == 7.0


@pytest.mark.parametrize("status", [204, 418])
def test_any_other_status_breaks_the_contract(make: Make, status: int) -> None:
    with pytest.raises(ProtocolError, match="unexpected_status"):
        read(make({"/a": Reply(status=status)}), "/a")


def test_an_answer_that_is_not_http_breaks_the_contract(make: Make) -> None:
    with pytest.raises(ProtocolError, match="not_http"):
        read(make({"/a": Reply(is_garbage=True)}), "/a")


def test_a_short_body_never_ends_quietly(make: Make) -> None:  # T2
    bench = make({"/a": Reply(body=b"x" * 5000, cut_after=1234)})
    got = bytearray()
    with (
        pytest.raises(UnreachableError),
        bench.transport.get(bench.base + "/a", CancelToken()) as exchange,
    ):
        for chunk in exchange.chunks():
            got += chunk
    assert bytes(got) == b"x" * 1234  # H3: what came was handed on


def test_a_short_packed_body_never_ends_quietly(make: Make) -> None:  # T2
    packed = gzip.compress(bytes(range(256)) * 400)
    for cut in (len(packed) - 1, len(packed) - 8, 20, 0):
        headers = {"Content-Encoding": "gzip"}
        bench = make({"/a": Reply(body=packed, headers=headers, cut_after=cut)})
        with pytest.raises(UnreachableError):
            read(bench, "/a")


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(size=st.integers(1, 200_000), share=st.floats(0, 1))
def test_a_body_cut_anywhere_is_told_and_nothing_that_came_is_lost(
    make: Make, size: int, share: float
) -> None:  # T2, H3
    cut = min(int(size * share), size - 1)
    bench = make({"/a": Reply(body=b"y" * size, cut_after=cut)})
    got = 0
    try:
        with bench.transport.get(bench.base + "/a", CancelToken()) as exchange:
            for chunk in exchange.chunks(65536):
                got += len(chunk)
    except UnreachableError:
        assert got == cut
    else:
        pytest.fail("a short body ended quietly")


@pytest.mark.parametrize("cut", [None, 100])
def test_silence_is_a_time_out(make: Make, cut: int | None) -> None:
    with pytest.raises(TimedOutError):
        read(make({"/a": Reply(body=b"x" * 500, cut_after=cut, stalls=True)}), "/a")


def test_a_redirect_is_followed_where_it_is_allowed(make: Make) -> None:  # T3
    bench = make({"/a": Reply(status=302, headers={"Location": "/b"}), "/b": Reply(body=b"here")})
    assert read(bench, "/a") == b"here"


def test_a_refused_redirect_breaks_the_contract(make: Make) -> None:  # T3
    bench = make(
        {"/a": Reply(status=302, headers={"Location": "http://elsewhere.test/b"})},
        may_redirect=lambda url: "elsewhere" not in url,
    )
    with pytest.raises(ProtocolError, match="address_refused"):
        read(bench, "/a")
    assert [asked.path for asked in bench.asked] == ["/a"]


@pytest.mark.parametrize("target", ["", "http://[::1/x"])
def test_a_redirect_to_nowhere_breaks_the_contract(make: Make, target: str) -> None:  # T3
    with pytest.raises(ProtocolError):
        read(make({"/a": Reply(status=302, headers={"Location": target})}), "/a")


def test_a_redirect_loop_ends_after_three_hops(make: Make) -> None:  # T3
    bench = make(lambda asked: Reply(status=302, headers={"Location": "/again"}))
    with pytest.raises(TransportError, match="redirect_loop"):
        read(bench, "/a")
    assert len(bench.asked) == 4


def test_credentials_are_asked_for_each_address(make: Make) -> None:  # H2
    bench = make(
        {"/a": Reply(status=302, headers={"Location": "/b"}), "/b": Reply(body=b"here")},
        sign=lambda url: {"X-Proof": url.rsplit("/", 1)[1]},
    )
    read(bench, "/a")
    assert [asked.headers.get("x-proof") for asked in bench.asked] == ["a", "b"]


def test_credentials_are_not_carried_to_another_host() -> None:  # H2
    with LoopbackPeer(lambda asked: Reply(body=b"got")) as other:

        def script(asked: Asked) -> Reply:
            return Reply(status=302, headers={"Location": other.base + "/b", "Set-Cookie": "a=b"})

        with LoopbackPeer(script) as first:
            transport = HttpTransport(resolve=lambda url: url, sign=lambda url: {"X-Proof": "1"})
            for _ in range(2):
                with transport.get(first.base + "/a", CancelToken()) as exchange:
                    assert b"".join(exchange.chunks()) == b"got"
            assert first.asked[0].headers["x-proof"] == "1"
            assert all("x-proof" not in asked.headers for asked in other.asked)
            assert all("cookie" not in asked.headers for asked in first.asked + other.asked)


def test_a_cancelled_token_asks_nothing(make: Make) -> None:
    bench = make({"/a": Reply(body=b"x")})
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        read(bench, "/a", token)
    assert bench.asked == []


def test_a_token_cancelled_between_chunks_stops_the_body(make: Make) -> None:
    bench = make({"/a": Reply(body=b"x" * 100_000)})
    token = CancelToken()
    seen = 0
    with pytest.raises(Cancelled), bench.transport.get(bench.base + "/a", token) as exchange:
        for chunk in exchange.chunks(1000):
            seen += len(chunk)
            token.cancel()
    assert seen <= 1000


@pytest.mark.parametrize("cut", [None, 100])
def test_a_token_wakes_a_thread_that_waits_for_the_peer(cut: int | None) -> None:  # H4
    with LoopbackPeer(lambda asked: Reply(body=b"x" * 500, cut_after=cut, stalls=True)) as peer:
        transport = HttpTransport(stall_s=60)
        token = CancelToken()
        outcome: list[type[BaseException]] = []

        def fetch() -> None:
            try:
                with transport.get(peer.base + "/a", token) as exchange:
                    list(exchange.chunks())
            except ClassroomError as error:
                outcome.append(type(error))

        thread = threading.Thread(target=fetch, daemon=True)
        thread.start()
        while not peer.asked:
            thread.join(0.01)
        thread.join(0.05)
        token.cancel()
        thread.join(10)
        assert outcome == [Cancelled]


def test_a_connection_is_used_again_until_something_breaks() -> None:  # H1
    broken = [False]

    def script(asked: Asked) -> Reply:
        return Reply(body=b"x" * 10, cut_after=3 if broken[0] else None)

    with LoopbackPeer(script) as peer:
        transport = HttpTransport()
        bench = Bench(transport, peer.base, peer.asked, peer)
        for _ in range(3):
            read(bench, "/a")
        assert peer.connections == 1
        other: list[bytes] = []
        ready, go = threading.Event(), threading.Event()

        def second_thread() -> None:
            other.append(read(bench, "/a"))
            ready.set()
            go.wait(10)
            other.append(read(bench, "/a"))

        thread = threading.Thread(target=second_thread)
        thread.start()
        ready.wait(10)
        assert peer.connections == 2
        broken[0] = True
        with pytest.raises(UnreachableError):
            read(bench, "/a")
        broken[0] = False
        go.set()
        thread.join(10)
        assert len(other) == 2
        assert peer.connections == 3  # the second thread did not trust its old socket


def test_what_fails_late_or_never_connected_takes_no_newer_connection_with_it() -> None:  # H1
    def script(asked: Asked) -> Reply:
        cut = {"/cut": 3, "/slow": 3}.get(asked.path)
        return Reply(body=b"x" * 10, cut_after=cut, stalls=asked.path == "/slow")

    with LoopbackPeer(script) as peer:
        transport = HttpTransport(stall_s=0.4)
        bench = Bench(transport, peer.base, peer.asked, peer)

        def late() -> None:
            with pytest.raises(TimedOutError):
                read(bench, "/slow")

        thread = threading.Thread(target=late)
        thread.start()
        while not peer.asked:
            thread.join(0.01)
        with pytest.raises(UnreachableError):
            read(bench, "/cut")
        read(bench, "/a")
        assert peer.connections == 3
        thread.join(10)
        read(bench, "/a")
        with pytest.raises(UnreachableError), transport.get("http://127.0.0.1:9/a", CancelToken()):
            raise AssertionError("nobody listens there")
        read(bench, "/a")
        assert peer.connections == 3


def test_a_connection_that_is_given_up_is_gone_at_once() -> None:
    """A FIN would be sent again by a link that comes back, and answered with data."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        transport = HttpTransport(stall_s=0.2)
        failed: list[type[BaseException]] = []

        def ask() -> None:
            try:
                with transport.get(
                    f"http://127.0.0.1:{server.getsockname()[1]}/a", CancelToken()
                ) as exchange:
                    list(exchange.chunks())
            except TimedOutError as error:
                failed.append(type(error))

        thread = threading.Thread(target=ask)
        thread.start()
        peer, _ = server.accept()
        with peer:
            peer.recv(4096)
            peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
            thread.join(10)
            assert failed == [TimedOutError]
            with pytest.raises(ConnectionResetError):
                peer.recv(4096)


def test_nobody_there_is_unreachable() -> None:
    with LoopbackPeer(lambda asked: Reply()) as peer:
        base = peer.base
    with pytest.raises(UnreachableError), HttpTransport().get(base + "/a", CancelToken()):
        pass


@pytest.mark.parametrize("url", ["nonsense", "ftp://127.0.0.1/x", "http://[::1/x"])
def test_an_address_that_is_none_is_refused(url: str) -> None:  # T1
    with (
        pytest.raises(ProtocolError, match="address_refused"),
        HttpTransport().get(url, CancelToken()),
    ):
        pass


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0.0),
        ({"retry-after": "12"}, 12.0),
        ({"retry-after": "99999999"}, 3600.0),
        ({"retry-after": "soon"}, 0.0),
        (
            {
                "retry-after": "Tue, 18 May 1999 01:17:00 GMT",
                "date": "Tue, 18 May 1999 01:16:00 GMT",
            },
            60.0,
        ),
        (
            {
                "retry-after": "Tue, 18 May 1999 01:15:00 GMT",
                "date": "Tue, 18 May 1999 01:16:00 GMT",
            },
            0.0,
        ),
        ({"retry-after": "Tue, 18 May 1999 01:17:00 GMT"}, 0.0),
    ],
)
def test_retry_after_is_read_by_the_peers_own_clock(
    headers: dict[str, str], seconds: float
) -> None:
    assert retry_after_s(headers) == seconds
