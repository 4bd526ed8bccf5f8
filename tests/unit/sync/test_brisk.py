"""brisk: what crawls is left."""

import contextlib

import pytest

from client.domain.cancel import CancelToken
from client.domain.clock import FrozenClock
from sync.transport.brisk import GRACE_S, LEAST_BYTES_PER_S, BriskTransport
from sync.transport.port import Answer, GivenUpError


class Slow:
    """A transport and its exchange: so many bytes every second."""

    def __init__(self, clock: FrozenClock, per_s: list[int]) -> None:
        self.clock, self.per_s, self.received = clock, per_s, 0
        self.answer = Answer(status=200, headers={}, url="http://10.0.0.1/")

    @contextlib.contextmanager
    def get(self, url, cancel, headers=None):
        yield self

    def chunks(self, size=65536):
        for count in self.per_s:
            self.clock.advance(1)
            self.received += count
            yield b"x" * count


def read(per_s: list[int]) -> int:
    clock, came = FrozenClock(), 0
    slow = Slow(clock, per_s)
    with BriskTransport(slow, clock).get("http://10.0.0.1/", CancelToken()) as exchange:
        assert exchange.answer.status == 200
        for chunk in exchange.chunks():
            came += len(chunk)
            assert exchange.received == came
    return came


def test_bk1_what_is_fast_enough_comes_to_its_end():
    """BK1: the first seconds are free."""
    assert read([0, 0, 10]) == 10
    assert read([LEAST_BYTES_PER_S] * 30) == 30 * LEAST_BYTES_PER_S


@pytest.mark.parametrize("fast_s", [0, 20])
def test_bk1_what_crawls_is_given_up_soon(fast_s):
    """BK1: also when it was fast before; what came is the reader's."""
    clock, came = FrozenClock(), 0
    slow = Slow(clock, [LEAST_BYTES_PER_S] * fast_s + [100] * 99)
    with (
        BriskTransport(slow, clock).get("http://10.0.0.1/", CancelToken()) as exchange,
        pytest.raises(GivenUpError, match="timed_out"),
    ):
        for chunk in exchange.chunks():
            came += len(chunk)
    assert came == slow.received
    assert slow.clock.monotonic() - 1000 <= fast_s + 2 * GRACE_S
