"""Rows of an edition as a stream, and differences of two (sync.protocol.row_stream)."""

import lzma

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.domain.canon import decode_array, encode
from client.domain.errors import ProtocolError
from sync.protocol.row_stream import (
    MAX_ROW_BYTES,
    QUICK,
    applied,
    framed,
    group_of_row,
    in_order,
    key_of,
    packed,
    rows_in,
    steps,
    unpacked,
)

rows = st.lists(
    st.tuples(
        st.sampled_from(["", "a", "b"]),
        st.integers(1, 3),
        st.integers(0, 9).map(str),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=3),
        st.lists(st.integers(0, 2), max_size=2),
    ).map(list)
    | st.tuples(st.just("a"), st.just(3), st.integers(0, 9).map(str), st.just(1)).map(list),
    max_size=30,
    unique_by=lambda row: tuple(row[:3]),
).map(lambda found: [encode(row) for row in sorted(found, key=key_of)])


def said(code: str, run) -> None:
    with pytest.raises(ProtocolError) as told:
        run()
    assert told.value.code == code


@given(rows, st.integers(1, 40), st.sampled_from([QUICK, 6]))
def test_r1_a_stream_comes_back_however_it_was_cut(sent, size, preset):
    """R1: framing, packing and cuts change nothing, and the order is checked."""
    whole = b"".join(packed(framed(sent), preset))
    pieces = [whole[at : at + size] for at in range(0, len(whole), size)]
    plain = b"".join(framed(sent))
    assert b"".join(unpacked(pieces, len(plain))) == plain
    found = list(rows_in(unpacked(pieces, len(plain))))
    assert found == sent
    assert [encode(row) for row in in_order(found)] == sent


def test_r1_rows_out_of_order_or_without_a_key_are_refused():
    """R1: equal keys are out of order too."""
    one, two = encode(["a", 1, "1", 0]), encode(["a", 1, "2", 0])
    for wrong in ([two, one], [one, one], [encode(["a", 1, "1"])]):
        said("message_invalid", lambda wrong=wrong: list(in_order(wrong)))


@given(rows, rows)
def test_r2_steps_lead_from_the_base_to_the_target(base, target):
    """R2: whatever the two have in common."""
    between = list(steps(base, target))
    assert list(applied(base, between)) == target
    assert base != target or between == []


def test_r2_a_changed_field_costs_that_field():
    """R2: a row with a new title travels as its place and the title."""
    base = [encode(["a", 3, str(number), "x" * 100, 7]) for number in range(9)]
    target = [*base[:5], encode(["a", 3, "5", "x" * 100, 8]), *base[6:]]
    assert list(steps(base, target)) == [encode([5, 1, 4, 8])]


@pytest.mark.parametrize(
    "step",
    [[2, 0], [0, 1, 2, "x"], [0, 1, 9, "x"], [0, 1, "t", 1], [0, 1, 3], [-1, 0], [0, 2, 1], [0, 7]],
)
def test_r2_steps_that_do_not_fit_their_base_are_refused(step):
    """R2: also those that would change a key or reach past the end."""
    base = [encode(["a", 1, "1", 0]), encode(["a", 1, "2", 0])]
    said("message_invalid", lambda: list(applied(base, [encode(step)])))


def test_r3_more_than_was_announced_is_not_read():
    """R3: a bomb is left where it passes its limit."""
    bomb = lzma.compress(bytes(50_000_000), format=lzma.FORMAT_XZ)
    read = 0
    with pytest.raises(ProtocolError) as told:
        for piece in unpacked([bomb], 1_000_000):
            read += len(piece)
    assert (told.value.code, read <= 1_000_000) == ("too_large", True)


def test_r3_a_packer_that_wants_much_memory_is_refused():
    """R3: a window of 64 MiB is not given to anybody."""
    greedy = lzma.compress(b"x", format=lzma.FORMAT_XZ, preset=9)
    said("not_canonical", lambda: list(unpacked([greedy], 10)))


def test_r3_frames_and_packed_bytes_end_where_they_say():
    """R3: nothing is half there and nothing stands behind."""
    whole = b"".join(packed([b"abc"]))
    for wrong in ([whole[:-1]], [whole + b"x"], [whole, b"x"], [b"no"], []):
        said("not_canonical", lambda wrong=wrong: list(unpacked(wrong, 10)))
    said("not_canonical", lambda: list(rows_in([b"\0\0\5abc"])))
    said("too_large", lambda: list(rows_in([b"\xff\xff\xff"])))
    said("too_large", lambda: list(framed([bytes(MAX_ROW_BYTES + 1)])))


@given(rows)
def test_r1_rows_of_one_group_are_known_by_their_first_value(sent):
    """R1: without reading the rest; ids of any length."""
    for row in [*sent, encode(["x" * 300, 1, "", 0]), encode([b"y" * 30, 1, "", 0])]:
        assert group_of_row(row) == encode(decode_array(row)[0])
    for wrong in (b"", b"\x84", encode([1, 2, 3, 4]), encode("text")):
        said("message_invalid", lambda wrong=wrong: group_of_row(wrong))


@given(st.binary(max_size=60))
def test_r3_hostile_bytes_end_in_an_error_of_the_protocol(data):
    """R3: steps, frames and packed bytes of anybody."""
    for run in (
        lambda: list(in_order(rows_in([data]))),
        lambda: list(applied([], rows_in([data]))),
        lambda: list(unpacked([data], 100)),
    ):
        try:
            run()
        except ProtocolError:
            continue
