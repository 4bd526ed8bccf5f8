"""MT1 to MT4 of metered: what a peer sends is paid for, to the byte (sync.transport.metered)."""

import contextlib
import socket
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from client.domain.cancel import CancelToken
from client.domain.clock import FrozenClock
from client.domain.errors import ClassroomError, TimedOutError, UnreachableError
from client.domain.spend import REQUEST_BYTES, TRY_BYTES, body_bytes, wire_bytes
from client.store.blob_store import BlobStore
from sync.engine.download import Downloader, Wanted
from sync.engine.pacing import LinkMeter, Patience
from sync.transport.http import HttpTransport
from sync.transport.metered import (
    LEAST_BYTES,
    LinkClosedError,
    MeteredTransport,
    TokenBucket,
)
from sync.transport.session import AHEAD_BYTES, counting
from tests.fakes.peer import LoopbackPeer, Reply
from tests.fakes.scripted_transport import ScriptedTransport

PLAIN = {"Accept-Encoding": "identity"}
URL = "http://twin.test/a"
NO_LIMIT = 1 << 60


class Till:
    """Has so many bytes, gives them out in steps of its own."""

    def __init__(self, left: int, step: int = 1 << 20, cap: int = 0) -> None:
        self.left, self.step, self.cap_bytes_per_s = left, step, cap
        self.is_open = True

    @property
    def is_limited(self) -> bool:
        return self.left < NO_LIMIT // 2

    def take(self, most: int) -> int:
        taken = min(self.left, most, self.step)
        self.left -= taken
        return taken

    def give_back(self, size_bytes: int) -> None:
        assert size_bytes >= 0
        self.left += size_bytes

    def is_good(self) -> bool:
        return self.is_open


def serve(body: bytes, **more) -> ScriptedTransport:
    return ScriptedTransport(lambda _: Reply(body=body, etag='"e"', **more))


def read(twin, till, headers=PLAIN, clock=None) -> bytes:
    got = bytearray()
    transport = MeteredTransport(twin, till, clock or FrozenClock())
    try:
        with transport.get(URL, CancelToken(), headers) as exchange:
            for chunk in exchange.chunks(1000):
                got += chunk
            assert exchange.received == len(got)
    except LinkClosedError:
        got += b"!"
    return bytes(got)


@given(st.integers(0, 900_000), st.integers(0, 1_200_000), st.integers(120_000, 1 << 18))
@settings(max_examples=80, deadline=None)
def test_mt1_mt2_no_byte_is_sent_that_was_not_paid_for(size, budget, step):
    body = bytes(n % 251 for n in range(size))
    twin, till = serve(body), Till(budget, step)
    got = read(twin, till)
    cost = wire_bytes(twin.body_bytes) + REQUEST_BYTES * len(twin.asked)
    assert cost <= budget
    assert till.left <= budget - cost
    assert till.left >= budget - cost - wire_bytes(AHEAD_BYTES) or not got.endswith(b"!")
    if got != body:
        assert got.endswith(b"!")
        assert body.startswith(got[:-1])


def test_a_download_goes_on_where_the_budget_ended(tmp_path):
    """F1, P5: over any number of days each byte crosses once."""
    body = bytes(n % 253 for n in range(600_000))
    twin = serve(body)
    blobs = BlobStore(tmp_path)
    growing = blobs.growing("k", "id")
    days = 0
    while growing.size < len(body):
        days += 1
        transport = MeteredTransport(twin, Till(200_000, 1 << 20), FrozenClock())
        loader = Downloader(
            transport,
            LinkMeter(FrozenClock()),
            patience=Patience(tries=1),
            worked=lambda _: None,
            failed=pytest.fail,
        )
        try:
            loader.fetch(growing, Wanted(urls=(URL,), size_bytes=len(body)), CancelToken())
        except LinkClosedError as error:
            assert error.code == "link_closed"
    assert twin.body_bytes == len(body)
    assert days == 5


def test_mt1_a_real_server_sends_no_byte_that_was_not_paid_for(tmp_path):
    """The server counts: two days of 400 kB bring what two days pay for, each byte once."""
    body = bytes(n % 255 for n in range(900_000))
    growing = BlobStore(tmp_path).growing("k", "id")
    with LoopbackPeer(lambda _: Reply(body=body, etag='"e"')) as peer:
        for day in (1, 2):
            transport = MeteredTransport(HttpTransport(), Till(400_000, 1 << 20), FrozenClock())
            loader = Downloader(
                transport,
                LinkMeter(FrozenClock()),
                patience=Patience(tries=1),
                worked=lambda _: None,
                failed=pytest.fail,
            )
            with pytest.raises(LinkClosedError):
                loader.fetch(growing, Wanted(urls=(peer.base + "/a",)), CancelToken())
            assert peer.body_bytes == growing.size
            assert wire_bytes(growing.size) + REQUEST_BYTES * len(peer.asked) <= 400_000 * day
        assert growing.size > 600_000


def test_a_range_that_was_asked_for_is_bounded_from_its_start():
    twin = serve(b"0123456789" * 1000)
    assert read(twin, Till(NO_LIMIT), {**PLAIN, "Range": "bytes=9990-"}) == b"0123456789"
    assert twin.asked[-1].headers["range"] == "bytes=9990-"
    assert read(twin, Till(200_000), {**PLAIN, "Range": "bytes=9990-"}) == b"0123456789"
    assert twin.asked[-1].headers["range"].startswith("bytes=9990-")
    assert not twin.asked[-1].headers["range"].endswith("-")
    read(twin, Till(200_000), {**PLAIN, "Range": "bytes=1-5"})
    assert twin.asked[-1].headers["range"] == "bytes=1-5"


def test_mt1_a_piece_takes_no_more_than_it_costs_out_of_many_grants():
    """MT1 MT2: several leave each other what there is, and a short purse brings a part."""
    body = bytes(n % 251 for n in range(900_000))
    headers = {**PLAIN, "Range": "bytes=1000-301000"}
    twin, till = serve(body), Till(2_000_000, 1 << 17)
    transport = MeteredTransport(twin, till, FrozenClock())
    with transport.get(URL, CancelToken(), headers) as exchange:
        assert till.left >= 2_000_000 - wire_bytes(300_001) - LEAST_BYTES
        assert b"".join(exchange.chunks(1000)) == body[1000:301_001]
    assert len(twin.asked) == 1
    assert till.left == 2_000_000 - wire_bytes(300_001) - REQUEST_BYTES
    short = read(twin, Till(250_000, 1 << 17), headers)
    assert short.endswith(b"!")
    assert body[1000:301_001].startswith(short[:-1])
    assert len(short) > 100_000


def test_what_is_beyond_an_answer_is_for_the_others():
    body = bytes(5000)
    twin, till = serve(body), Till(6_000_000, 1 << 23)
    transport = MeteredTransport(twin, till, FrozenClock())
    with transport.get(URL, CancelToken(), PLAIN) as exchange:
        assert till.left >= 6_000_000 - wire_bytes(5000) - LEAST_BYTES - REQUEST_BYTES
        assert b"".join(exchange.chunks(1000)) == body


def test_what_cannot_be_asked_for_in_ranges_is_refused_at_its_head():
    body = b"x" * 300_000
    twin = serve(body)
    assert read(twin, Till(200_000), {}) == b"!"
    assert read(twin, Till(500_000), {}) == body
    assert read(serve(body, ranges=False), Till(500_000)) == body
    assert read(serve(body, ranges=False), Till(NO_LIMIT)) == body


def test_an_end_in_the_middle_keeps_what_came():
    twin, till = serve(b"x" * 5000), Till(NO_LIMIT)
    till.is_open = False
    assert read(twin, till) == b"x" * 1000 + b"!"


def test_a_grant_that_ended_is_followed_by_another_where_there_is_one():
    class Midnight(Till):
        """Says once that what was taken has ended."""

        ended = iter([False])

        def is_good(self) -> bool:
            return next(self.ended, True)

    assert read(serve(b"x" * 5000), Midnight(NO_LIMIT)) == b"x" * 5000


def test_mt2_another_edition_is_not_mixed_in():
    replies = iter([Reply(body=b"a" * 300_000, etag='"1"'), Reply(body=b"b" * 300_000, etag='"2"')])
    twin = ScriptedTransport(lambda _: next(replies))
    with pytest.raises(UnreachableError):
        read(twin, Till(900_000, step=130_000))


def test_mt3_connections_share_the_cap():
    clock = FrozenClock()
    bucket = TokenBucket(clock)
    assert bucket.wait_s(1000, 1000) == 1.0
    assert bucket.wait_s(1000, 1000) == 2.0
    clock.advance(5)
    assert bucket.wait_s(1000, 1000) == 1.0


def test_mt3_a_capped_reader_waits():
    class Token(CancelToken):
        slept = 0.0

        def sleep(self, seconds: float) -> None:
            Token.slept = max(Token.slept, seconds)

    transport = MeteredTransport(serve(b"x" * 3000), Till(NO_LIMIT, cap=1000), FrozenClock())
    with transport.get(URL, Token(), PLAIN) as exchange:
        assert len(b"".join(exchange.chunks(1000))) == 3000
    assert Token.slept == 3.0


def test_mt4_what_is_left_in_the_middle_was_on_its_way():
    till = Till(1_000_000)
    with MeteredTransport(serve(b"x" * 300_000), till, FrozenClock()).get(
        URL, CancelToken(), PLAIN
    ) as exchange:
        next(exchange.chunks(1000))
    assert till.left == 1_000_000 - REQUEST_BYTES - wire_bytes(1000 + AHEAD_BYTES)


@pytest.mark.parametrize(
    ("reply", "coming"),
    [
        (Reply(status=404, body=b"x" * 40_000), 40_000),
        (Reply(status=302, headers={"Location": "/b"}), 0),
        (Reply(status=304), 0),
        (Reply(stalls=True, body=b"x" * 10), 0),
        (Reply(cut_after=0, body=b"x" * 500), 500),
    ],
)
def test_mt4_what_asking_cost_is_counted_whatever_came_of_it(reply, coming):
    """On real sockets: the connection, the requests, and what nobody read."""
    till, spent = Till(1_000_000), TRY_BYTES + REQUEST_BYTES
    with LoopbackPeer(lambda _: reply) as peer:
        inner = HttpTransport(stall_s=0.2, is_slow=lambda: True)
        transport = MeteredTransport(inner, till, FrozenClock())
        with (
            contextlib.suppress(ClassroomError),
            transport.get(peer.base + "/a", CancelToken(), PLAIN) as exchange,
        ):
            list(exchange.chunks())
        if reply.stalls:
            assert 1_000_000 - till.left > spent + AHEAD_BYTES
        else:
            assert 1_000_000 - till.left == spent + wire_bytes(coming)


def test_mt4_a_dark_link_costs_nothing_that_was_not_sent():
    twin, till = serve(b"x" * 500, stalls=True), Till(1_000_000)
    transport = MeteredTransport(twin, till, FrozenClock())
    with pytest.raises(TimedOutError), transport.get(URL, CancelToken()):
        pytest.fail("nobody answers")
    assert till.left == 1_000_000


def test_mt4_a_peer_that_is_away_costs_its_packets():
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        till = Till(1_000_000)
        transport = MeteredTransport(HttpTransport(), till, FrozenClock())
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}/"
        with pytest.raises(UnreachableError), transport.get(url, CancelToken()):
            pytest.fail("nobody listens")
        assert till.left == 1_000_000 - TRY_BYTES


def test_se3_no_more_arrives_unread_than_was_paid_for():
    """A peer that was asked for a range and sends everything is held up by the window."""
    body, asked = b"x" * 8_000_000, threading.Event()
    with LoopbackPeer(lambda _: asked.set() or Reply(body=body, ranges=False)) as peer:
        transport = HttpTransport(is_slow=lambda: True)
        with (
            counting(AHEAD_BYTES) as traffic,
            transport.get(peer.base + "/a", CancelToken(), PLAIN),
        ):
            assert asked.wait(5)
            assert traffic.ahead <= AHEAD_BYTES
            assert (traffic.connections, traffic.requests) == (1, 1)
            assert traffic.awaited == len(body)


@given(st.integers(0, 1 << 30))
def test_bodies_and_their_cost_fit(size):
    assert wire_bytes(body_bytes(size)) <= max(size, 0)
    assert wire_bytes(size) >= size
