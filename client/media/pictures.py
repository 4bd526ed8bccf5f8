"""Size of a still picture from its header, without decoding it."""

import struct
from typing import Final

_HEAD: Final = 32


def picture_size(data: bytes) -> tuple[int, int] | None:
    """Read width and height of a PNG, GIF, BMP, WebP or JPEG; None for anything else.

    `data` is the beginning of the file; a JPEG may need some hundred kilobytes of it.
    """
    if len(data) < _HEAD:
        return None
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        found = struct.unpack(">II", data[16:24])
    elif data[:6] in (b"GIF87a", b"GIF89a"):
        found = struct.unpack("<HH", data[6:10])
    elif data[:2] == b"BM":
        found = tuple(abs(side) for side in struct.unpack("<ii", data[18:26]))
    elif data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        found = _webp(data)
    elif data[:2] == b"\xff\xd8":
        found = _jpeg(data)
    else:
        return None
    return (found[0], found[1]) if len(found) > 1 and found[0] > 0 and found[1] > 0 else None


def _webp(data: bytes) -> tuple[int, ...]:
    kind = data[12:16]
    if kind == b"VP8X":
        return (
            1 + int.from_bytes(data[24:27], "little"),
            1 + int.from_bytes(data[27:30], "little"),
        )
    if kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    return tuple(side & 0x3FFF for side in struct.unpack("<HH", data[26:30]))


def _jpeg(data: bytes) -> tuple[int, ...]:
    at = 2
    while at + 9 < len(data) and data[at] == 0xFF:  # noqa: PLR2004 - a marker begins
        marker = data[at + 1]
        if marker == 0xFF:  # noqa: PLR2004 - padding
            at += 1
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):  # noqa: PLR2004 - a frame
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return width, height
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return ()
