"""Manifests of content (sync.protocol.manifest)."""

import hashlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.domain.canon import encode
from client.domain.errors import ProtocolError
from sync.protocol.manifest import (
    BLOCK_BYTES,
    MAX_FILE_BYTES,
    Manifest,
    ManifestMaker,
    pack_manifest,
    read_manifest,
)

SIZES = (0, 1, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, 2 * BLOCK_BYTES + 5)
HASH = hashlib.sha256(b"").digest()


def made(data: bytes, *cuts: int) -> Manifest:
    maker = ManifestMaker()
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    for begin, end in pairwise(edges):
        maker.update(data[begin:end])
    return maker.manifest()


@given(st.sampled_from(SIZES), st.lists(st.integers(0, max(SIZES)), max_size=4))
def test_m1_the_same_bytes_have_the_same_manifest(size, cuts):
    data = bytes(range(251)) * (size // 251 + 1)
    data = data[:size]
    manifest = made(data, *cuts)
    assert manifest == made(data)
    assert manifest.sha256 == hashlib.sha256(data).digest()
    for block in manifest:
        piece = data[block.start : block.start + block.length]
        assert hashlib.sha256(piece).digest() == block.sha256
    assert sum(block.length for block in manifest) == size
    assert read_manifest(pack_manifest(manifest)) == manifest


@pytest.mark.parametrize(
    "value",
    [
        [2, 0, HASH, b""],
        [1, 0, HASH],
        [1, 0, HASH[:-1], b""],
        [1, 1, HASH, b""],
        [1, 1, HASH, HASH + HASH],
        [1, 1, HASH, bytes(32)],
        [1, BLOCK_BYTES + 1, HASH, HASH],
        [1, -1, HASH, b""],
        [1, MAX_FILE_BYTES + 1, HASH, b""],
        ["1", 0, HASH, b""],
        [],
    ],
)
def test_m2_what_is_not_whole_is_refused(value):
    with pytest.raises(ProtocolError):
        read_manifest(encode(value))


def test_a_file_beyond_all_measure_has_no_manifest():
    maker = ManifestMaker()
    maker._size = MAX_FILE_BYTES + 1  # nobody waits for 16 GiB
    with pytest.raises(ProtocolError):
        maker.manifest()
