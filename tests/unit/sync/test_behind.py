"""Last steps beside reading (sync.engine.behind)."""

import threading

import pytest

from sync.engine.behind import AHEAD, Behind


def test_steps_are_done_in_their_order():
    """BE1"""
    done: list[int] = []
    gate = threading.Event()

    def step(number: int) -> None:
        gate.wait(10)
        done.append(number)

    with Behind() as behind:
        for number in range(AHEAD):
            behind.do(lambda number=number: step(number))
        assert done == []
        gate.set()
        for number in range(AHEAD, 9):
            behind.do(lambda number=number: step(number))
            assert len(done) >= number - AHEAD
        behind.drain()
        assert done == list(range(9))


def test_what_goes_wrong_is_raised():
    """BE2"""
    with Behind() as behind:
        behind.do([].pop)
        with pytest.raises(IndexError):
            behind.drain()
