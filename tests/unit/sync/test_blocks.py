"""Writing what has told digests (sync.engine.blocks)."""

import contextlib
import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from client.store.growing import Growing
from sync.engine.blocks import Blocks, WrongBlockError
from sync.engine.content import WrongContentError
from sync.protocol.manifest import BLOCK_BYTES, Manifest, ManifestMaker

SIZE = 2 * BLOCK_BYTES + 7
DATA = (hashlib.sha256(b"seed").digest() * (SIZE // 32 + 1))[:SIZE]


def told() -> Manifest:
    maker = ManifestMaker()
    maker.update(DATA)
    return maker.manifest()


@given(
    st.lists(st.sampled_from([1, 5, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 9]), max_size=6),
    st.integers(0, SIZE - 1) | st.none(),
)
@settings(max_examples=25, deadline=None)
def test_bl1_only_good_blocks_stay(tmp_path_factory, cuts, wrong):
    """BL1: however it comes, and wherever one byte is another."""
    part = tmp_path_factory.mktemp("blocks") / "f.part"
    sent = bytearray(DATA)
    if wrong is not None:
        sent[wrong] ^= 1
    with contextlib.closing(Growing(part, "x")) as growing:
        blocks, at = Blocks(growing, told()), 0
        try:
            for size in [*cuts, SIZE]:
                blocks.write(bytes(sent[at : at + size]))
                at += size
        except WrongBlockError:
            assert wrong is not None
            assert growing.size == wrong // BLOCK_BYTES * BLOCK_BYTES
            Blocks(growing, told()).write(DATA[growing.size :])
        assert growing.read() == DATA


def test_bl1_more_than_was_told_is_refused(tmp_path):
    """BL1: there is no block for it."""
    with contextlib.closing(Growing(tmp_path / "f.part", "x")) as growing:
        with pytest.raises(WrongContentError):
            Blocks(growing, told()).write(DATA + b"x")
        assert growing.size == SIZE
