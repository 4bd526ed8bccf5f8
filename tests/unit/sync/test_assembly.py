"""AS1 and AS2 of assembly: pieces in order, and nothing under way afterwards."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from client.domain.cancel import CancelToken
from client.domain.clock import FrozenClock
from client.domain.errors import Cancelled, UnreachableError
from sync.engine.assembly import Assembly
from sync.engine.pacing import LinkMeter, Width
from sync.transport.metered import LinkClosedError


class Pieces:
    """Three pieces; the second is there before the first, the third waits until it is cancelled."""

    def __init__(self, pool, *, fails):
        self.appended, self.ended = [], threading.Event()
        self._fails = fails
        self._second, self._third = threading.Event(), threading.Event()
        meter = LinkMeter(FrozenClock())
        self.line = Assembly(pool, meter, Width(now=3), self.bring, self.appended.append)

    def bring(self, number, cancel):
        if number == 0:
            assert self._second.wait(20)
            if self._fails:
                assert self._third.wait(20)
                raise UnreachableError("cut_off")
        elif number == 1:
            self._second.set()
        elif self._fails:
            self._third.set()
            with pytest.raises(Cancelled):
                cancel.sleep(20)
            self.ended.set()
        return number


@pytest.fixture
def pool():
    with ThreadPoolExecutor(3) as made:
        yield made


def test_as1_pieces_are_appended_in_their_order(pool):
    pieces = Pieces(pool, fails=False)
    pieces.line.run(0, 3, CancelToken())
    assert pieces.appended == [0, 1, 2]


def test_as2_a_failure_ends_what_is_under_way(pool):
    pieces = Pieces(pool, fails=True)
    with pytest.raises(UnreachableError):
        pieces.line.run(0, 3, CancelToken())
    assert pieces.ended.is_set()
    assert pieces.appended == []


def test_as2_a_cancel_ends_it_before_it_begins(pool):
    pieces, cancel = Pieces(pool, fails=False), CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        pieces.line.run(0, 3, cancel)
    assert pieces.appended == []


def test_as3_what_was_paid_for_comes_to_its_end(pool):
    """AS3 AS2: nothing is begun after that, and the pieces before it are appended."""
    appended, begun = [], []
    second = threading.Event()

    def bring(number, _cancel):
        begun.append(number)
        if number == 1:
            second.set()
            raise LinkClosedError
        if number == 0:
            assert second.wait(20)
        return number

    line = Assembly(pool, LinkMeter(FrozenClock()), Width(now=2), bring, appended.append)
    with pytest.raises(LinkClosedError):
        line.run(0, 9, CancelToken())
    assert appended == [0]
    assert begun == [0, 1]
