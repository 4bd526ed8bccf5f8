"""MT1 to MT3 of metered: what a peer sends is paid for, to the byte (sync.transport.metered)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from client.domain.cancel import CancelToken
from client.domain.clock import FrozenClock
from client.domain.errors import UnreachableError
from client.domain.spend import REQUEST_BYTES, body_bytes, wire_bytes
from client.store.blob_store import BlobStore
from sync.engine.download import Downloader, Wanted
from sync.engine.pacing import LinkMeter, Patience
from sync.transport.http import HttpTransport
from sync.transport.metered import LinkClosedError, MeteredTransport, TokenBucket
from tests.fakes.peer import LoopbackPeer, Reply
from tests.fakes.scripted_transport import ScriptedTransport

PLAIN = {"Accept-Encoding": "identity"}
URL = "http://twin.test/a"
NO_LIMIT = 1 << 60


class Till:
    """Has so many bytes, gives them out in steps of its own."""

    def __init__(self, left: int, step: int = 1 << 16, cap: int = 0) -> None:
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


@given(st.integers(0, 300_000), st.integers(0, 400_000), st.integers(8_000, 1 << 18))
@settings(max_examples=80, deadline=None)
def test_mt1_mt2_no_byte_is_sent_that_was_not_paid_for(size, budget, step):
    body = bytes(n % 251 for n in range(size))
    twin, till = serve(body), Till(budget, step)
    got = read(twin, till)
    cost = twin.body_bytes + REQUEST_BYTES * len(twin.asked)
    assert cost <= budget
    assert till.left <= budget - cost
    if got != body:
        assert got.endswith(b"!")
        assert body.startswith(got[:-1])


def test_a_download_goes_on_where_the_budget_ended(tmp_path):
    """F1, P5: over any number of days each byte crosses once."""
    body = bytes(n % 253 for n in range(200_000))
    twin = serve(body)
    blobs = BlobStore(tmp_path)
    growing = blobs.growing("k", "id")
    days = 0
    while growing.size < len(body):
        days += 1
        transport = MeteredTransport(twin, Till(40_000), FrozenClock())
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
    assert days == 6


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
        assert growing.size > 650_000


def test_a_range_that_was_asked_for_is_bounded_from_its_start():
    twin = serve(b"0123456789" * 1000)
    assert read(twin, Till(NO_LIMIT), {**PLAIN, "Range": "bytes=9990-"}) == b"0123456789"
    assert twin.asked[-1].headers["range"] == "bytes=9990-"
    assert read(twin, Till(50_000), {**PLAIN, "Range": "bytes=9990-"}) == b"0123456789"
    assert twin.asked[-1].headers["range"].startswith("bytes=9990-")
    assert not twin.asked[-1].headers["range"].endswith("-")
    read(twin, Till(50_000), {**PLAIN, "Range": "bytes=1-5"})
    assert twin.asked[-1].headers["range"] == "bytes=1-5"


def test_what_cannot_be_asked_for_in_ranges_is_refused_at_its_head():
    twin = serve(b"x" * 50_000)
    assert read(twin, Till(30_000), {}) == b"!"
    assert read(twin, Till(80_000), {}) == b"x" * 50_000
    assert read(serve(b"x" * 50_000, ranges=False), Till(80_000)) == b"x" * 50_000
    assert read(serve(b"x" * 50_000, ranges=False), Till(NO_LIMIT)) == b"x" * 50_000


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
    replies = iter([Reply(body=b"a" * 100_000, etag='"1"'), Reply(body=b"b" * 100_000, etag='"2"')])
    twin = ScriptedTransport(lambda _: next(replies))
    with pytest.raises(UnreachableError):
        read(twin, Till(300_000, step=20_000))


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


@given(st.integers(0, 1 << 30))
def test_bodies_and_their_cost_fit(size):
    assert wire_bytes(body_bytes(size)) <= max(size, 0)
    assert wire_bytes(size) >= size
