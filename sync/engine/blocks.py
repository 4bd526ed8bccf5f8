"""Writing a file whose blocks have told digests.

Invariants:
  BL1  The last byte of a block is kept only when the block has its digest; else the block is thrown
       away, and what stands before it stays.
"""

import hashlib
from typing import Final

from client.store.growing import Growing
from sync.engine.content import WrongContentError
from sync.protocol.manifest import BLOCK_BYTES, Manifest


class WrongBlockError(WrongContentError):
    """A block came with other bytes than were told; it is gone, all before it is here."""


class Blocks:
    """Checks what is written to a growing file from where it stands now.

    Args:
        growing: Holds whole good blocks, and a beginning of the next one.
        manifest: Tells the digests.
    """

    def __init__(self, growing: Growing, manifest: Manifest) -> None:
        self._growing: Final = growing
        self._manifest: Final = manifest
        self._number = growing.size // BLOCK_BYTES
        begun = growing.size % BLOCK_BYTES
        self._hash = hashlib.sha256(growing.tail(growing.size - begun) if begun else b"")

    def write(self, data: bytes) -> None:
        """Append bytes (BL1).

        Raises:
            WrongBlockError: `block_wrong`.
            WrongContentError: `size_mismatch`: there are more than were told.
        """
        rest = memoryview(data)
        while rest:
            start = self._number * BLOCK_BYTES
            left = min(start + BLOCK_BYTES, self._manifest.size_bytes) - self._growing.size
            if left <= 0:
                raise WrongContentError("size_mismatch", {"announced": self._manifest.size_bytes})
            piece, rest = bytes(rest[:left]), rest[left:]
            self._hash.update(piece)
            if len(piece) == left:
                self._end_block(start)
            self._growing.write(piece)

    def _end_block(self, start: int) -> None:
        if self._hash.digest() != self._manifest.blocks[self._number]:
            if self._growing.size > start:
                self._growing.cut(start)
            raise WrongBlockError("block_wrong", {"number": self._number})
        self._number += 1
        self._hash = hashlib.sha256()
