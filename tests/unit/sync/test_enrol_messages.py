"""Messages of enrolment and of refusals (sync.protocol.enrol, sync.protocol.refusal)."""

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from client.domain.canon import decode_array, encode
from client.domain.errors import ProtocolError, UserError
from client.store.keyfile import verify
from sync.protocol import enrol as e
from sync.protocol.refusal import BUSY, STATUS_OF, pack_refusal, read_refusal
from tests.log_world import Key

HUB, ROOM = Key(81), Key(82)
CODE = e.make_code()
KEY = e.code_key(CODE)
HELLO = e.Hello(key=HUB.public_key, certificate=b"certificate", name="Hub")
ROOM_1 = e.Applicant(
    key=ROOM.public_key, nonce=b"n" * 16, machine=b"machine1", school="S", room="R"
)
GRANT = e.Grant(site=e.site_of("S"), school="S")
REQUEST = e.pack_enrol(ROOM_1, HELLO, KEY, ROOM)
REPLY = e.pack_grant(GRANT, ROOM_1, HELLO, KEY, HUB)


def code_of(read, *args) -> str:
    with pytest.raises((ProtocolError, UserError)) as caught:
        read(*args)
    return caught.value.code


def test_both_sides_come_to_know_each_other():
    assert e.read_hello(e.pack_hello(HELLO)) == HELLO
    request = e.read_enrol(REQUEST)
    assert request.applicant == ROOM_1
    assert e.is_proven(request, HELLO, KEY)
    e.check_applicant(request, HELLO, verify)
    assert e.open_grant(REPLY, ROOM_1, HELLO, KEY, verify) == GRANT


HELLOS = [replace(HELLO, key=Key(83).public_key), replace(HELLO, certificate=b"another")]
APPLICANTS = [
    replace(ROOM_1, key=Key(84).public_key),
    replace(ROOM_1, nonce=b"m" * 16),
    replace(ROOM_1, machine=b"machine2"),
    replace(ROOM_1, school="T"),
    replace(ROOM_1, room="Q"),
]


@pytest.mark.parametrize("hello", HELLOS)
def test_a_proof_holds_for_one_hub_and_certificate(hello):
    """E1."""
    assert not e.is_proven(e.read_enrol(REQUEST), hello, KEY)
    assert code_of(e.check_applicant, e.read_enrol(REQUEST), hello, verify) == "signature_bad"
    assert code_of(e.open_grant, REPLY, ROOM_1, hello, KEY, verify) == "proof_bad"


@pytest.mark.parametrize("applicant", APPLICANTS)
def test_a_proof_holds_for_one_applicant(applicant):
    """E1."""
    request = replace(e.read_enrol(REQUEST), applicant=applicant)
    assert not e.is_proven(request, HELLO, KEY)
    assert code_of(e.open_grant, REPLY, applicant, HELLO, KEY, verify) == "proof_bad"


def test_another_code_proves_nothing():
    """E1."""
    other = e.code_key(e.make_code())
    assert not e.is_proven(e.read_enrol(REQUEST), HELLO, other)
    assert code_of(e.open_grant, REPLY, ROOM_1, HELLO, other, verify) == "proof_bad"


def test_a_proof_does_not_come_back_as_an_answer():
    """E1."""
    proof, signature = decode_array(REQUEST)[-2:]
    mirrored = encode([1, GRANT.site, GRANT.school, proof, signature])
    assert code_of(e.open_grant, mirrored, ROOM_1, HELLO, KEY, verify) == "proof_bad"
    other = encode([1, e.site_of("T"), "T", *decode_array(REPLY)[-2:]])
    assert code_of(e.open_grant, other, ROOM_1, HELLO, KEY, verify) == "proof_bad"


def test_a_hub_without_its_key_is_not_believed():
    """E1."""
    forged = e.pack_grant(GRANT, ROOM_1, HELLO, KEY, Key(85))
    assert code_of(e.open_grant, forged, ROOM_1, HELLO, KEY, verify) == "signature_bad"


def test_a_code_is_read_as_people_write_it():
    assert e.code_key(CODE.lower().replace("-", " ")) == KEY
    assert e.code_key(f" {CODE.replace('-', '')}\n") == KEY
    assert CODE.count("-") == 2
    assert len({e.make_code() for _ in range(50)}) == 50
    assert 31 ** (e.CODE_LETTERS - 1) > 1 << 80


@given(st.integers(0, 17), st.sampled_from(e.LETTERS))
def test_one_wrong_letter_is_noticed(at, letter):
    """E2."""
    plain = CODE.replace("-", "")
    assume(plain[at] != letter)
    assert code_of(e.code_key, plain[:at] + letter + plain[at + 1 :]) == "code_invalid"


@given(st.integers(0, 17), st.integers(0, 17))
def test_two_letters_that_changed_places_are_noticed(one, other):
    """E2."""
    letters = list(CODE.replace("-", ""))
    assume(letters[one] != letters[other])
    letters[one], letters[other] = letters[other], letters[one]
    assert code_of(e.code_key, "".join(letters)) == "code_invalid"


@pytest.mark.parametrize("text", ["", CODE[:-1], CODE + "2", "0" * 18, "同" * 18])
def test_what_is_no_code_is_refused(text):
    """E2."""
    assert code_of(e.code_key, text) == "code_invalid"


def test_a_school_has_one_name_however_it_is_spaced():
    assert e.site_of(" 石板 小学 ") == e.site_of("石板  小学")
    assert e.site_of("石板小学") != e.site_of("石版小学")


@pytest.mark.parametrize(
    ("at", "value"),
    [(1, b"k"), (2, b"n"), (3, b"m"), (4, ""), (4, "x" * 121), (5, "x" * 121), (6, 1), (7, "s")],
)
def test_a_field_of_a_request_out_of_its_range_is_refused(at, value):
    """E3."""
    row = decode_array(REQUEST)
    row[at] = value
    assert code_of(e.read_enrol, encode(row)) == "message_invalid"


def test_other_messages_are_refused():
    """E3."""
    assert code_of(e.read_hello, encode([1, b"short", b"", ""])) == "message_invalid"
    assert code_of(e.read_hello, encode([2])) == "version_unknown"
    assert code_of(e.read_hello, encode([])) == "version_unknown"
    assert code_of(e.read_hello, bytes(e.MAX_HELLO_BYTES + 1)) == "too_large"
    grant = (ROOM_1, HELLO, KEY, verify)
    assert code_of(e.open_grant, encode([1, b"site", "S", b"", b""]), *grant) == "message_invalid"


@given(st.binary(max_size=200), st.integers(0, 400), st.binary(min_size=1, max_size=3))
def test_hostile_bytes_end_in_a_protocol_error(noise, at, patch):
    """E3."""
    for good in (REQUEST, REPLY, e.pack_hello(HELLO)):
        place = at % len(good)
        broken = good[:place] + patch + good[place + len(patch) :]
        for data in (noise, broken):
            for read in (e.read_enrol, e.read_hello, opened):
                try:
                    read(data)
                except ProtocolError:
                    continue


def opened(data: bytes) -> e.Grant:
    return e.open_grant(data, ROOM_1, HELLO, KEY, verify)


@pytest.mark.parametrize("code", STATUS_OF)
def test_every_refusal_is_read_as_it_was_meant(code):
    """F1."""
    assert read_refusal(pack_refusal(code)) == (code, 0)
    assert read_refusal(pack_refusal(code, 30)) == (code, 30)


def test_a_refusal_nobody_knows_is_read_as_busy():
    """F1."""
    assert read_refusal(encode([1, "moon"])) == (BUSY, 0)
    assert read_refusal(encode([1, "moon", 5, "later"])) == (BUSY, 5)


@pytest.mark.parametrize(
    "body", [b"<html>", encode([2, "busy"]), encode([1, "busy", -1]), encode([1]), bytes(300)]
)
def test_what_no_hub_wrote_is_no_refusal(body):
    assert read_refusal(body) is None
