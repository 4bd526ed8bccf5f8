"""Heads of editions and lists of withdrawals (sync.protocol.edition)."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.domain.canon import decode_array, encode
from client.domain.errors import ProtocolError
from client.domain.ids import Digest, LessonId
from client.store.keyfile import verify
from sync.protocol.edition import (
    MAX_FILE_BYTES,
    MAX_GRACE_DAYS,
    MAX_HEAD_BYTES,
    MAX_ROWS_BYTES,
    Delta,
    Head,
    NamedFile,
    Withdrawal,
    open_head,
    pack_head,
    pack_withdrawals,
    read_withdrawals,
)
from tests.log_world import Key

DIGEST = Digest("ab" * 32)
FILE = NamedFile(digest=DIGEST, size_bytes=7)
HEAD = Head(
    number=3,
    signed_ms=1_700_000_000_000,
    rows_digest=DIGEST,
    rows_bytes=100,
    rows=2,
    whole=FILE,
    deltas=(Delta(base=2, file=FILE, unpacked_bytes=50),),
    withdrawn=FILE,
)
HUB = Key()


def refused(code: str, head: Head) -> None:
    with pytest.raises(ProtocolError) as told:
        open_head(pack_head(head, HUB), HUB.public_key, verify)
    assert told.value.code == code


@pytest.mark.parametrize("head", [HEAD, replace(HEAD, deltas=(), withdrawn=None)])
def test_s1_a_head_is_read_as_it_was_signed(head):
    """S1: by whoever pinned the key."""
    assert open_head(pack_head(head, HUB), HUB.public_key, verify) == head


def test_s1_another_hubs_head_and_every_changed_byte_are_refused():
    """S1: forged and of the wrong hub; no byte may be another."""
    data = pack_head(HEAD, HUB)
    with pytest.raises(ProtocolError) as told:
        open_head(data, Key().public_key, verify)
    assert told.value.code == "signature_bad"
    for at in range(len(data)):
        changed = bytearray(data)
        changed[at] ^= 1
        with pytest.raises(ProtocolError):
            open_head(bytes(changed), HUB.public_key, verify)


def test_s1_a_signature_of_another_kind_of_message_is_no_head():
    """S1: the key signs under a domain for each kind."""
    _, body, _ = decode_array(pack_head(HEAD, HUB))
    with pytest.raises(ProtocolError) as told:
        open_head(encode([1, body, HUB.sign(body)]), HUB.public_key, verify)
    assert told.value.code == "signature_bad"


@pytest.mark.parametrize(
    "head",
    [
        replace(HEAD, number=0),
        replace(HEAD, rows_bytes=MAX_ROWS_BYTES + 1),
        replace(HEAD, rows=101),
        replace(HEAD, rows_digest=Digest("ab")),
        replace(HEAD, whole=replace(FILE, size_bytes=MAX_FILE_BYTES + 1)),
        replace(HEAD, whole=replace(FILE, size_bytes=0)),
        replace(HEAD, whole=replace(FILE, digest=Digest("ab"))),
        replace(HEAD, withdrawn=replace(FILE, size_bytes=MAX_FILE_BYTES)),
        replace(HEAD, deltas=(Delta(base=3, file=FILE, unpacked_bytes=5),)),
        replace(HEAD, deltas=(Delta(base=1, file=FILE, unpacked_bytes=MAX_ROWS_BYTES + 1),)),
    ],
)
def test_s2_sizes_beyond_the_bounds_are_refused(head):
    """S2: also where the hub itself signed them."""
    refused("message_invalid", head)


def test_s3_heads_of_other_versions_and_shapes_are_refused():
    """S3: each with its own code."""
    for value, code in (
        ([2], "version_unknown"),
        ([], "message_invalid"),
        ([1, 2], "message_invalid"),
    ):
        with pytest.raises(ProtocolError) as told:
            open_head(encode(value), HUB.public_key, verify)
        assert told.value.code == code
    with pytest.raises(ProtocolError) as told:
        open_head(bytes(MAX_HEAD_BYTES + 1), HUB.public_key, verify)
    assert told.value.code == "too_large"


LIST = (
    Withdrawal(lesson=LessonId("a"), reason="licence"),
    Withdrawal(lesson=LessonId("b"), reason="x", grace_days=7, replacement=LessonId("c")),
)


def test_a_list_of_withdrawals_is_read_as_it_was_written():
    assert read_withdrawals(pack_withdrawals(LIST)) == LIST


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ([2, []], "version_unknown"),
        ([1], "message_invalid"),
        ([1, [["", "r", 0, ""]]], "message_invalid"),
        ([1, [["a", "r", MAX_GRACE_DAYS + 1, ""]]], "message_invalid"),
        ([1, [["a", "r" * 61, 0, ""]]], "message_invalid"),
    ],
)
def test_s3_lists_of_other_shapes_are_refused(value, code):
    """S3: a list is bounded as a head is."""
    with pytest.raises(ProtocolError) as told:
        read_withdrawals(encode(value))
    assert told.value.code == code


@given(st.binary(max_size=80))
def test_s3_hostile_bytes_end_in_an_error_of_the_protocol(data):
    """S3: for both."""
    for read in (lambda: open_head(data, HUB.public_key, verify), lambda: read_withdrawals(data)):
        with pytest.raises(ProtocolError):
            read()
