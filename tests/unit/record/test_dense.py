"""Values folded into one number (client.domain.record.dense)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.domain.errors import ProtocolError
from client.domain.record.dense import (
    MAX_NUMBER_BYTES,
    MAX_VALUES,
    Counts,
    DenseReader,
    DenseWriter,
    folded,
    unfolded,
)

VALUES = st.integers(0, 20) | st.integers(0, (1 << 66) - 1)
PLACED = st.lists(st.tuples(st.sampled_from("abc"), VALUES), max_size=60)


def written(placed) -> bytes:
    pen = DenseWriter(Counts())
    for place, value in placed:
        pen.put(place, value)
    return pen.number()


@given(PLACED)
def test_dn1_what_is_written_is_read_again(placed):
    reader = DenseReader(Counts(), written(placed))
    assert [(place, reader.take(place)) for place, _ in placed] == placed
    reader.end()


@given(st.binary(max_size=60), st.lists(st.sampled_from("abc"), max_size=60))
def test_dn2_a_number_that_is_accepted_is_the_only_one_of_its_values(number, places):
    try:
        reader = DenseReader(Counts(), number)
        placed = [(place, reader.take(place)) for place in places]
        reader.end()
    except ProtocolError:
        return
    assert written(placed) == number


def test_dn2_zeros_before_a_number_and_rests_behind_it_are_refused():
    number = written([("a", 3), ("b", 99)])
    with pytest.raises(ProtocolError):
        DenseReader(Counts(), b"\0" + number)
    reader = DenseReader(Counts(), number)
    reader.take("a")
    with pytest.raises(ProtocolError):
        reader.end()


def test_dn3_long_numbers_and_many_values_are_refused_on_both_sides():
    with pytest.raises(ProtocolError):
        DenseReader(Counts(), b"\1" * (MAX_NUMBER_BYTES + 1))
    reader = DenseReader(Counts(), b"")
    for _ in range(MAX_VALUES):
        assert reader.take("a") == 0
    with pytest.raises(ProtocolError):
        reader.take("a")
    for placed in ([("a", 0)] * (MAX_VALUES + 1), [("a", (1 << 66) - 1)] * 3000):
        with pytest.raises(ProtocolError) as caught:
            written(placed)
        assert caught.value.code == "too_large"


@pytest.mark.parametrize("value", [-1, 1 << 66])
def test_a_value_out_of_range_is_refused(value):
    with pytest.raises(ProtocolError):
        DenseWriter(Counts()).put("a", value)


@given(st.integers())
def test_signed_values_are_folded_without_loss(value):
    assert folded(value) >= 0
    assert unfolded(folded(value)) == value


def test_what_is_seen_often_costs_next_to_nothing():
    assert len(written([("a", 7)] * 500)) < 12
