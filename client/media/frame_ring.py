"""Memory the decoder writes pictures into, and when it may be used again.

Invariants:
  R1  A delivered picture is not written to until `RING` further ones were delivered.
  R2  The decoder may write past the last row (it does, by up to 64 bytes): slack follows.
  R3  Memory of an earlier size stays alive while the decoder or a receiver may hold it.
"""

import ctypes
import mmap
from collections import deque
from dataclasses import dataclass
from typing import Final

from client.media.port import RING

_BUFFERS: Final = RING + 4
_SLACK_BYTES: Final = 4096
_SPARE_ROWS: Final = 2
_KEPT_SETS: Final = 3
_PIXEL_BYTES: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Layout of one picture in memory: `stride` bytes a row, `rows` rows for the decoder."""

    width: int
    height: int
    stride: int
    rows: int

    @property
    def size_bytes(self) -> int:
        """Bytes a receiver sees."""
        return self.stride * self.height


def fit(width: int, height: int, limit: tuple[int, int]) -> Shape:
    """Choose the layout for a visible size, scaled down into `limit` where it is larger.

    Rows are padded to 64 bytes (16 pixels): the scaler works in blocks of that size.
    """
    scale = min(1.0, limit[0] / width, limit[1] / height)
    if scale < 1.0:
        width = max(16, int(width * scale) // 16 * 16)
        height = max(2, int(height * scale) // 2 * 2)
    stride = (width * _PIXEL_BYTES + 63) // 64 * 64
    return Shape(width=width, height=height, stride=stride, rows=(height + 31) // 32 * 32)


class _Buffers:
    """One set of equally large buffers."""

    def __init__(self, shape: Shape) -> None:
        size = shape.stride * (shape.rows + _SPARE_ROWS) + _SLACK_BYTES
        # Anonymous maps: page-aligned, and a set that is never written costs nothing.
        self.maps = [mmap.mmap(-1, size) for _ in range(_BUFFERS)]
        self.addresses = [ctypes.addressof(ctypes.c_char.from_buffer(m)) for m in self.maps]
        self.views = [memoryview(m)[: shape.size_bytes].toreadonly() for m in self.maps]


class FrameRing:
    """Hands buffers to the decoder and takes them back. Its player guards it with a lock.

    Args:
        limit: Largest width and height to decode into.
    """

    def __init__(self, limit: tuple[int, int]) -> None:
        self._limit = limit
        self._sets: deque[_Buffers] = deque(maxlen=_KEPT_SETS)
        self._free: deque[int] = deque()
        self._lent: deque[int] = deque()
        self._delivered: deque[int] = deque()
        self.shape: Shape | None = None

    def allocate(self, width: int, height: int) -> Shape:
        """Make buffers for pictures of a visible size."""
        self.shape = fit(width, height, self._limit)
        self._sets.append(_Buffers(self.shape))
        self._free = deque(range(_BUFFERS))
        self._lent.clear()
        self._delivered.clear()
        return self.shape

    @property
    def count(self) -> int:
        """Number of buffers in a set."""
        return _BUFFERS

    def lend(self) -> tuple[int, int]:
        """Return index and address of a buffer to decode into."""
        if not self._free:
            # Lent but never shown: the decoder dropped that picture.
            self._free.append(self._lent.popleft())
        index = self._free.popleft()
        self._lent.append(index)
        return index, self._sets[-1].addresses[index]

    def view(self, index: int) -> memoryview:
        """Return the visible bytes of a buffer."""
        return self._sets[-1].views[index]

    def give_back(self, index: int) -> None:
        """Take back a picture that was shown by the decoder but is not wanted."""
        if index in self._lent:
            self._lent.remove(index)
            self._free.append(index)

    def deliver(self, index: int) -> memoryview:
        """Mark a picture as delivered and return its bytes."""
        if index in self._lent:
            self._lent.remove(index)
            self._delivered.append(index)
        while len(self._delivered) > RING:
            self._free.append(self._delivered.popleft())
        return self.view(index)

    def forget(self) -> None:
        """Let go of all memory, once the decoder is gone; receivers keep what they hold."""
        self._sets.clear()
        self._free.clear()
        self._lent.clear()
        self._delivered.clear()
        self.shape = None
