"""Memory for pictures."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from client.media.frame_ring import FrameRing, fit
from client.media.port import RING

LIMIT = (1920, 1080)


@settings(max_examples=150, deadline=None)
@given(moves=st.lists(st.sampled_from(["deliver", "drop", "lose"]), max_size=80))
def test_a_delivered_picture_is_not_lent_until_as_many_were_delivered(moves):
    """R1."""
    ring = FrameRing(LIMIT)
    ring.allocate(64, 36)
    delivered: list[int] = []
    for move in moves:
        index, _ = ring.lend()
        assert index not in delivered[-RING:]
        if move == "deliver":
            ring.deliver(index)
            delivered.append(index)
        elif move == "drop":
            ring.give_back(index)


@pytest.mark.parametrize("size", [(16, 16), (64, 36), (854, 480)])
def test_the_decoder_may_write_past_the_last_row(size):
    """R2."""
    ring = FrameRing(LIMIT)
    shape = ring.allocate(*size)
    assert all(len(m) >= shape.stride * shape.rows + 4096 for m in ring._sets[-1].maps)


def test_memory_of_an_earlier_size_stays_readable():
    """R3."""
    ring = FrameRing(LIMIT)
    ring.allocate(64, 36)
    index, _ = ring.lend()
    view = ring.deliver(index)
    for _ in range(5):
        ring.allocate(128, 72)
    ring.forget()
    assert bytes(view) == bytes(len(view))


@pytest.mark.parametrize(
    ("size", "limit", "expected"),
    [
        ((1280, 720), LIMIT, (1280, 720, 5120)),
        ((854, 480), LIMIT, (854, 480, 3456)),
        ((1920, 1080), (1280, 720), (1280, 720, 5120)),
        ((3840, 2160), LIMIT, (1920, 1080, 7680)),
        ((1080, 1920), (1280, 720), (400, 720, 1600)),
    ],
)
def test_the_visible_size_is_kept_or_scaled_and_rows_are_padded(size, limit, expected):
    shape = fit(*size, limit)
    assert (shape.width, shape.height, shape.stride) == expected
    assert shape.stride % 64 == 0
    assert shape.rows >= shape.height
