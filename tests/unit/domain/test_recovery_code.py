"""RC1 and RC2 of recovery_code: what is on paper is read again, and mistakes are found."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.domain.errors import UserError
from client.domain.recovery_code import ENTROPY_BYTES, new_code, read_code

ENTROPY = st.binary(min_size=ENTROPY_BYTES, max_size=ENTROPY_BYTES)
SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def refuses(text: str) -> bool:
    try:
        read_code(text)
    except UserError as error:
        return error.code == "roster_code_unreadable"
    return False


@given(ENTROPY, st.integers(0, 3))
def test_what_was_made_is_read_as_people_type_it(entropy: bytes, habit: int) -> None:
    """RC1"""
    code = new_code(entropy)
    typed = (
        code,
        code.lower().replace("-", " "),
        code.replace("-", ""),
        f" {code.replace('0', 'o').replace('1', 'l').replace('V', 'u')}\n",
    )[habit]
    assert read_code(typed) == code


@given(ENTROPY, st.integers(0, 19), st.sampled_from(SIGNS))
def test_one_wrong_sign_is_found(entropy: bytes, place: int, sign: str) -> None:
    """RC2"""
    signs = list(new_code(entropy).replace("-", ""))
    before, signs[place] = signs[place], sign
    assert refuses("".join(signs)) is (sign != before)


@given(ENTROPY, st.integers(0, 19), st.integers(0, 19))
def test_two_signs_in_each_others_place_are_found(entropy: bytes, one: int, two: int) -> None:
    """RC2"""
    signs = list(new_code(entropy).replace("-", ""))
    is_changed = signs[one] != signs[two]
    signs[one], signs[two] = signs[two], signs[one]
    assert refuses("".join(signs)) is is_changed


@given(st.text())
def test_anything_else_is_no_code(text: str) -> None:
    """RC2"""
    if not refuses(text):
        assert read_code(read_code(text)) == read_code(text)


@pytest.mark.parametrize("text", ["", "7K2M", "0" * 21, "!" * 20, "0" * 19])
def test_too_few_or_other_signs_are_no_code(text: str) -> None:
    assert refuses(text)


def test_95_bits_are_in_a_code_and_none_of_its_signs_looks_like_another() -> None:
    low = {new_code((1 << bit).to_bytes(ENTROPY_BYTES, "big")) for bit in range(95)}
    assert len(low) == 95
    assert not set("OILU") & set("".join(low))
    assert new_code(bytes(ENTROPY_BYTES)) == "0000-0000-0000-0000-0000"
