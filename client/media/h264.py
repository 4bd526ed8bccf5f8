"""The little that is needed of H.264: picture size and whether an access unit starts a group."""

from dataclasses import dataclass
from typing import Final

_SPS: Final = 7
_IDR: Final = 5
_HIGH_PROFILES: Final = (100, 110, 122, 244, 44, 83, 86, 118, 128)
_CHROMA_444: Final = 3
_EXTENDED_AR: Final = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureSize:
    """Visible size in pixels."""

    width: int
    height: int


def starts_group(head: bytes) -> bool:
    """Tell from the first bytes of an access unit whether decoding may start there."""
    return any(kind in (_SPS, _IDR) for kind, _ in units(head))


def units(data: bytes) -> list[tuple[int, int]]:
    """List (type, offset of the payload) of the NAL units that begin in `data`."""
    found = []
    at = data.find(b"\x00\x00\x01")
    while 0 <= at < len(data) - 3:
        found.append((data[at + 3] & 0x1F, at + 4))
        at = data.find(b"\x00\x00\x01", at + 3)
    return found


def picture_size(data: bytes) -> PictureSize | None:
    """Read the visible size from the first sequence parameter set in `data`, None without one."""
    for kind, at in units(data):
        if kind == _SPS:
            end = data.find(b"\x00\x00\x01", at)
            payload = data[at : end if end >= 0 else len(data)]
            try:
                return _read_sps(_Bits(payload.replace(b"\x00\x00\x03", b"\x00\x00")))
            except IndexError:
                return None
    return None


class _Bits:
    """Reads bits; past the end it raises IndexError."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def bit(self) -> int:
        value = (self._data[self._at >> 3] >> (7 - (self._at & 7))) & 1
        self._at += 1
        return value

    def bits(self, count: int) -> int:
        value = 0
        for _ in range(count):
            value = value << 1 | self.bit()
        return value

    def unsigned(self) -> int:
        zeros = 0
        while not self.bit():
            zeros += 1
        return (1 << zeros) - 1 + self.bits(zeros)

    def signed(self) -> int:
        value = self.unsigned()
        return (value + 1) // 2 if value & 1 else -(value // 2)


def _read_sps(bits: _Bits) -> PictureSize:
    profile = bits.bits(8)
    bits.bits(16)
    bits.unsigned()
    chroma = 1
    if profile in _HIGH_PROFILES:
        chroma = _read_chroma(bits)
    bits.unsigned()
    _skip_order(bits)
    bits.unsigned()
    bits.bit()
    columns = bits.unsigned() + 1
    rows = bits.unsigned() + 1
    is_frame_only = bits.bit()
    if not is_frame_only:
        bits.bit()
    bits.bit()
    left = right = top = bottom = 0
    if bits.bit():
        left, right, top, bottom = (bits.unsigned() for _ in range(4))
    unit_x = 2 if chroma in (1, 2) else 1
    unit_y = (2 if chroma == 1 else 1) * (2 - is_frame_only)
    return PictureSize(
        width=columns * 16 - (left + right) * unit_x,
        height=rows * 16 * (2 - is_frame_only) - (top + bottom) * unit_y,
    )


def _read_chroma(bits: _Bits) -> int:
    chroma = bits.unsigned()
    if chroma == _CHROMA_444:
        bits.bit()
    bits.unsigned()
    bits.unsigned()
    bits.bit()
    if bits.bit():
        for number in range(8 if chroma != _CHROMA_444 else 12):
            if bits.bit():
                _skip_scaling(bits, 16 if number < 6 else 64)  # noqa: PLR2004 - six lists of 4x4
    return chroma


def _skip_scaling(bits: _Bits, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.signed() + 256) % 256
        last = following or last


def _skip_order(bits: _Bits) -> None:
    kind = bits.unsigned()
    if kind == 0:
        bits.unsigned()
    elif kind == 1:
        bits.bit()
        bits.signed()
        bits.signed()
        for _ in range(bits.unsigned()):
            bits.signed()
