"""The one byte form of values (client.domain.canon)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.domain.canon import MAX_DEPTH, MAX_ITEMS, decode, decode_array, encode
from client.domain.errors import ProtocolError

VALUES = st.recursive(
    st.integers(-(2**64), 2**64 - 1) | st.binary(max_size=40) | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=5),
    max_leaves=20,
)


def depth(value) -> int:
    return 1 + max(map(depth, value), default=0) if isinstance(value, list) else 0


@given(VALUES.filter(lambda value: depth(value) <= MAX_DEPTH))
def test_n2_a_value_comes_back_and_has_one_form(value):
    data = encode(value)
    assert decode(data) == value
    assert encode(decode(data)) == data


@given(st.binary(max_size=60))
def test_n2_bytes_that_are_read_are_the_bytes_that_would_be_written(data):
    try:
        value = decode(data)
    except ProtocolError:
        return
    assert encode(value) == data


@pytest.mark.parametrize(
    "data",
    [
        "",
        "f5",  # true
        "f6",  # null
        "f93c00",  # a float
        "a0",  # a map
        "c100",  # a tag
        "d82a00",
        "9f00ff",  # indefinite
        "5f4100ff",
        "1800",  # not the shortest
        "190017",
        "1a0000ffff",
        "1b00000000ffffffff",
        "1c",
        "62ffff",  # no Unicode
        "8201",  # cut off
        "18",
        "4401",
        "0000",  # something behind
    ],
)
def test_n1_other_forms_are_refused(data):
    with pytest.raises(ProtocolError):
        decode(bytes.fromhex(data))


@pytest.mark.parametrize("value", [1.5, None, True, {}, [None], 2**64, -(2**64) - 1, "\ud800"])
def test_n1_other_kinds_are_not_written(value):
    with pytest.raises(ProtocolError):
        encode(value)


def test_n3_size_depth_and_number_are_bounded_before_anything_is_built():
    nested = 0
    for _ in range(MAX_DEPTH + 1):
        nested = [nested]
    with pytest.raises(ProtocolError):
        encode(nested)
    with pytest.raises(ProtocolError) as caught:
        decode(b"\x81" * 3000 + b"\x00")
    assert caught.value.code == "too_large"
    with pytest.raises(ProtocolError) as caught:
        decode(encode([0] * MAX_ITEMS))
    assert caught.value.code == "too_large"
    with pytest.raises(ProtocolError) as caught:
        decode(encode(b"12345"), max_bytes=5)
    assert caught.value.code == "too_large"
    # A head that promises more than there is costs nothing.
    with pytest.raises(ProtocolError):
        decode(bytes.fromhex("9bffffffffffffffff"))


def test_an_array_is_asked_for_by_name():
    assert decode_array(encode([1])) == [1]
    with pytest.raises(ProtocolError):
        decode_array(encode(1))
