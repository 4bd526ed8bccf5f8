"""What PCs tell each other: near, near_code (sync.protocol.near, sync.protocol.near_code)."""

import ipaddress
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from client.domain.canon import decode_array, encode
from client.domain.errors import ProtocolError
from client.domain.ids import Digest, LessonId
from client.store.keyfile import verify
from sync.protocol import near
from sync.protocol.enrol import LETTERS
from sync.protocol.near import (
    MAX_CARD_BYTES,
    MAX_FILES,
    Card,
    Coming,
    Listing,
    Mark,
    Marks,
    NearFile,
    pack_card,
    pack_heads,
    pack_listing,
    pack_marks,
    read_card,
    read_heads,
    read_listing,
    read_marks,
)
from sync.protocol.near_code import NearCode, make_code, read_code
from tests.log_world import Key

KEY = Key()
DIGEST = Digest("ab" * 32)
LESSON = LessonId("lesson-1")
LISTING = Listing(
    key=KEY.public_key,
    lesson=LESSON,
    files=(
        NearFile(path="/a.pdf", digest=DIGEST, size_bytes=7),
        NearFile(path="/a.m3u8", digest=DIGEST, size_bytes=7, marks=DIGEST),
    ),
    coming=(Coming(path="/b.pdf", age_ms=3, bytes_done=9),),
)
MARKS = Marks(playlist=b"#EXTM3U", stretches=(Mark(length=188, sha256="cd" * 32),))


def code_of(read, *arguments) -> str:
    with pytest.raises(ProtocolError) as told:
        read(*arguments)
    return told.value.code


def read_of(data: bytes) -> Listing:
    return read_listing(data, LESSON, verify)


def test_nr1_everything_is_read_as_it_was_written():
    """NR1, NR2."""
    card = Card(key=KEY.public_key, port=8521, room="一年级")
    assert read_card(pack_card(card)) == card
    assert read_of(pack_listing(LISTING, KEY)) == LISTING
    assert read_heads(pack_heads([(b"k", b"head")])) == {b"k": b"head"}
    assert read_marks(pack_marks(MARKS)) == MARKS
    assert near.digest_of(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_nr1_the_longest_card_fits_a_text_of_zeroconf():
    """NR1"""
    card = Card(key=KEY.public_key, port=65535, room="\U00020000" * 99)
    assert len(pack_card(card)) <= MAX_CARD_BYTES
    assert len(read_card(pack_card(card)).room) == near.MAX_ROOM


def test_nr2_a_listing_holds_for_one_lesson_and_every_byte_of_it():
    """NR2"""
    data = pack_listing(LISTING, KEY)
    assert code_of(read_listing, data, LessonId("other"), verify) == "message_invalid"
    for at in range(len(data)):
        changed = bytearray(data)
        changed[at] ^= 1
        with pytest.raises(ProtocolError):
            read_of(bytes(changed))
    _, body, signature = decode_array(data)
    other = encode([1, body, Key().sign(b"tongke/near/1" + body)])
    assert code_of(read_of, other) == "signature_bad"
    assert len(signature) == 64


@pytest.mark.parametrize(
    ("read", "value", "code"),
    [
        (read_card, [2], "version_unknown"),
        (read_card, [], "message_invalid"),
        (read_card, [1, b"k", 1, ""], "message_invalid"),
        (read_card, [1, bytes(32), 0, ""], "message_invalid"),
        (read_card, [1, bytes(32), 1, "x" * 41], "message_invalid"),
        (read_of, [1], "message_invalid"),
        (read_of, [1, encode([1, b"k", LESSON, [["p"]], []]), b""], "message_invalid"),
        (read_of, [1, encode([1, b"k", LESSON, [], [["p"]]]), b""], "message_invalid"),
        (read_of, [1, encode([1, b"k", LESSON, [], [["p", -1, 0]]]), b""], "message_invalid"),
        (
            read_of,
            [1, encode([1, b"k", LESSON, [["p", bytes(32), 1, b"x"]], []]), b""],
            "message_invalid",
        ),
        (
            read_of,
            [1, encode([1, b"k", LESSON, [[]] * (MAX_FILES + 1), []]), b""],
            "message_invalid",
        ),
        (read_heads, [1], "message_invalid"),
        (read_heads, [1, [[b"k"]]], "message_invalid"),
        (read_marks, [1, b""], "message_invalid"),
        (read_marks, [1, b"", [[0, bytes(32)]]], "message_invalid"),
    ],
)
def test_nr1_other_shapes_are_refused(read, value, code):
    """NR1"""
    assert code_of(read, encode(value)) == code


@given(st.binary(max_size=60))
def test_nr1_hostile_bytes_end_in_an_error_of_the_protocol(data):
    """NR1"""
    for read in (read_card, read_of, read_heads, read_marks):
        with pytest.raises(ProtocolError):
            read(data)


def test_nr1_more_than_fits_is_left_out_by_the_writer():
    """NR1"""
    many = replace(LISTING, files=LISTING.files[:1] * (MAX_FILES + 5))
    assert len(read_of(pack_listing(many, KEY)).files) == MAX_FILES


ADDRESSES = st.integers(0, 2**32 - 1).map(lambda n: str(ipaddress.IPv4Address(n)))


@given(ADDRESSES, st.binary(min_size=32, max_size=32))
@example("192.168.255.255", b"\xff" * 32)
def test_nc1_a_code_leads_to_its_address_and_key(address, key):
    """NC1"""
    code = read_code(make_code(address, key).lower())
    assert code is not None
    assert code.at(address.rsplit(".", 2)[0] + ".9.9") == address
    assert code.fits(key)
    assert not code.fits(bytes([key[0] ^ 1]) + key[1:])


@given(ADDRESSES, st.integers(0, 5), st.integers(1, len(LETTERS) - 1))
def test_nc1_one_wrong_sign_is_no_code(address, place, step):
    """NC1"""
    signs = list(make_code(address, bytes(32)).replace("-", ""))
    signs[place] = LETTERS[(LETTERS.index(signs[place]) + step) % len(LETTERS)]
    assert read_code("".join(signs)) is None


@given(ADDRESSES, st.integers(0, 4))
def test_nc1_two_signs_that_changed_places_are_no_code(address, place):
    """NC1"""
    signs = list(make_code(address, bytes(32)).replace("-", ""))
    if signs[place] != signs[place + 1]:
        signs[place], signs[place + 1] = signs[place + 1], signs[place]
        assert read_code("".join(signs)) is None


def test_nc1_what_is_no_code_is_none():
    """NC1: too short, other signs, or more than 24 bits."""
    assert read_code("") is None
    assert read_code("192.168.1.9") is None
    digits = [30, 30, 30, 30, 30]
    check = sum((place + 1) * digit for place, digit in enumerate(digits)) % 31
    assert read_code("".join(LETTERS[digit] for digit in (*digits, check))) is None
    assert NearCode(tail=1, mark=0).at("10.0.9.9") == "10.0.0.1"
