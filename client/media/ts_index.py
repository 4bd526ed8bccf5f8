"""What a transport stream holds, found by columns of its packets instead of one by one.

A lesson of forty minutes has half a million packets of 188 bytes. Their headers stand in
columns (`data[1::188]` and so on), so big integers and `bytes` methods find the packets that
matter in C, and Python only looks at the start of each picture.

Invariants:
  X1  Times in the index start at the first picture and never step back, whatever the stream's
      own clock does between segments.
  X2  A stream that is not understood gives None, never a wrong index.
"""

import mmap
from array import array
from dataclasses import dataclass, field
from typing import Final, Protocol

from client.media import h264

PACKET: Final = 188
TICKS: Final = 90_000
_SYNC: Final = 0x47
_WRAP: Final = 1 << 33
_H264: Final = 0x1B
_AUDIO: Final = {0x0F: "aac", 0x03: "mp3", 0x04: "mp3"}
_JUMP: Final = TICKS
_APART: Final = 10 * TICKS
"""No stream shows a picture so long after decoding it, or begins its sound so much later."""
_LONGEST: Final = 1 << 31
_NULL: Final = 0x1FFF
_HEAD_PACKETS: Final = 2000

# Bits of a packet's class.
_HIGH, _LOW, _START, _FIELD, _PAYLOAD = 1, 2, 4, 8, 16
_MINE: Final = _HIGH | _LOW | _PAYLOAD


class Packets(Protocol):
    """The bytes of a file, by slice."""

    def __getitem__(self, place: slice) -> bytes:
        """Return the bytes of `place`."""
        ...


@dataclass(slots=True)
class Track:
    """The access units of one elementary stream; column `n` of each array is unit `n`.

    Times are 90 kHz ticks on the index's own time line.
    """

    kind: str
    pid: int
    first: "array[int]" = field(default_factory=lambda: array("L"))
    """Number of the packet a unit begins in."""
    end: "array[int]" = field(default_factory=lambda: array("L"))
    """Number of the packet the next one begins in."""
    size: "array[int]" = field(default_factory=lambda: array("L"))
    dts: "array[int]" = field(default_factory=lambda: array("q"))
    pts: "array[int]" = field(default_factory=lambda: array("q"))
    keys: "array[int]" = field(default_factory=lambda: array("L"))
    """Numbers of the units at which decoding may start."""
    classes: bytes = b""
    """Class of every packet of the file, seen from this stream."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TsIndex:
    """A whole file."""

    video: Track
    audio: Track | None
    size: h264.PictureSize
    frame_ticks: int

    @property
    def duration_s(self) -> float:
        """From the first picture to the end of the last."""
        return (max(self.video.pts) + self.frame_ticks) / TICKS


def index(data: mmap.mmap) -> TsIndex | None:
    """Index a file, None when it is not a transport stream of H.264 pictures."""
    if len(data) < PACKET * 3 or len(data) % PACKET or not _is_in_step(data):
        return None
    streams = _streams(data)
    if "h264" not in streams.values():
        return None
    columns = tuple(data[n::PACKET] for n in range(1, 4))
    tracks = {
        ("h264" if kind == "h264" else "audio"): _track(data, columns, kind, pid)
        for pid, kind in reversed(streams.items())
    }
    video, audio = tracks["h264"], tracks.get("audio")
    if audio is not None and not audio.first:
        audio = None
    if not video.first or not video.keys:
        return None
    size = h264.picture_size(unit(data, video, video.keys[0]))
    if size is None or size.width <= 0 or size.height <= 0:
        return None
    frame_ticks = _straighten(video, audio)
    if max(video.pts) + frame_ticks >= _LONGEST:
        return None
    return TsIndex(video=video, audio=audio, size=size, frame_ticks=frame_ticks)


def unit(data: Packets, track: Track, number: int) -> bytes:
    """Return the bytes of one unit, as they stood before they were cut into packets."""
    first, end = track.first[number], track.end[number]
    block = data[first * PACKET : end * PACKET]
    parts = []
    for at, class_ in zip(range(0, len(block), PACKET), track.classes[first:end], strict=False):
        if class_ & _MINE == _MINE:
            skip = 5 + block[at + 4] if class_ & _FIELD else 4
            if not at:
                skip += 9 + block[at + skip + 8]
            parts.append(block[at + skip : at + PACKET])
    return b"".join(parts)


def _is_in_step(data: mmap.mmap) -> bool:
    column = data[::PACKET]
    return column.count(_SYNC) == len(column)


def _streams(data: mmap.mmap) -> dict[int, str]:
    """Read which stream carries what from the first tables."""
    tables: set[int] = {0}
    streams: dict[int, str] = {}
    for at in range(0, min(len(data), _HEAD_PACKETS * PACKET), PACKET):
        packet = data[at : at + PACKET]
        pid = (packet[1] & 0x1F) << 8 | packet[2]
        if pid not in tables or not packet[1] & 0x40:
            continue
        skip = 4 + (1 + packet[4] if packet[3] & 0x20 else 0)
        section = packet[skip + 1 + packet[skip] :] if skip < PACKET else b""
        if pid == 0:
            tables |= _programs(section)
        else:
            streams = _elements(section)
            if streams:
                return streams
    return streams


def _programs(section: bytes) -> set[int]:
    length = (section[1] & 0x0F) << 8 | section[2] if len(section) > 8 else 0  # noqa: PLR2004
    body = section[8 : max(8, 3 + length - 4)]
    return {
        (body[at + 2] & 0x1F) << 8 | body[at + 3]
        for at in range(0, len(body) - 3, 4)
        if body[at] or body[at + 1]
    }


def _elements(section: bytes) -> dict[int, str]:
    if len(section) < 12 or section[0] != 2:  # noqa: PLR2004 - table 2 maps programs
        return {}
    end = 3 + ((section[1] & 0x0F) << 8 | section[2]) - 4
    at = 12 + ((section[10] & 0x0F) << 8 | section[11])
    found: dict[int, str] = {}
    while at + 5 <= min(end, len(section)):
        pid = (section[at + 1] & 0x1F) << 8 | section[at + 2]
        kind = "h264" if section[at] == _H264 else _AUDIO.get(section[at], "")
        if kind and kind not in found.values():
            found[pid] = kind
        at += 5 + ((section[at + 3] & 0x0F) << 8 | section[at + 4])
    return found


def _track(data: mmap.mmap, columns: tuple[bytes, ...], kind: str, pid: int) -> Track:
    track = Track(kind, pid)
    track.classes = _classes(columns, pid)
    starts = _starts(track.classes)
    for number, packet in enumerate(starts):
        end = starts[number + 1] if number + 1 < len(starts) else len(track.classes)
        _append(data, track, packet, end)
    return track


def _classes(columns: tuple[bytes, ...], pid: int) -> bytes:
    """Class every packet as this stream sees it, whole columns at a time."""
    high, low = pid >> 8, pid & 0xFF
    of_first = bytes(
        (_HIGH if value & 0x1F == high else 0) | (_START if value & 0x40 else 0)
        for value in range(256)
    )
    of_second = bytes(_LOW if value == low else 0 for value in range(256))
    of_third = bytes(
        (_FIELD if value & 0x20 else 0) | (_PAYLOAD if value & 0x10 else 0) for value in range(256)
    )
    total = 0
    for column, table in zip(columns, (of_first, of_second, of_third), strict=True):
        total |= int.from_bytes(column.translate(table), "little")
    return total.to_bytes(len(columns[0]), "little")


def _starts(classes: bytes) -> list[int]:
    wanted = bytes(1 if value & (_MINE | _START) == (_MINE | _START) else 0 for value in range(256))
    flags = classes.translate(wanted)
    found = []
    at = flags.find(1)
    while at >= 0:
        found.append(at)
        at = flags.find(1, at + 1)
    return found


def _append(data: mmap.mmap, track: Track, packet: int, end: int) -> None:
    at = packet * PACKET
    skip = 5 + data[at + 4] if track.classes[packet] & _FIELD else 4
    head = data[at + skip : at + PACKET]
    if len(head) < 14 or head[:3] != b"\x00\x00\x01" or not head[7] & 0x80:  # noqa: PLR2004
        return
    pts = _stamp(head, 9)
    dts = _stamp(head, 14) if head[7] & 0x40 and len(head) >= 19 else pts  # noqa: PLR2004
    if (pts - dts) % _WRAP > _APART:
        pts = dts
    size = _payload_bytes(data, track.classes, packet, end) - 9 - head[8]
    if size <= 0:
        return
    payload = head[9 + head[8] :]
    if track.kind == "h264" and (_is_random_access(data, at) or h264.starts_group(payload)):
        track.keys.append(len(track.first))
    track.first.append(packet)
    track.end.append(end)
    track.size.append(size)
    track.pts.append(pts)
    track.dts.append(dts)


def _is_random_access(data: mmap.mmap, at: int) -> bool:
    return bool(data[at + 3] & 0x20 and data[at + 4] and data[at + 5] & 0x40)


def _payload_bytes(data: mmap.mmap, classes: bytes, first: int, end: int) -> int:
    plain = classes.count(_MINE, first, end) + classes.count(_MINE | _START, first, end)
    total = plain * (PACKET - 4)
    for value in (_MINE | _FIELD, _MINE | _START | _FIELD):
        at = classes.find(value, first, end)
        while at >= 0:
            total += max(0, PACKET - 5 - data[at * PACKET + 4])
            at = classes.find(value, at + 1, end)
    return total


def _stamp(head: bytes, at: int) -> int:
    return (
        (head[at] & 0x0E) << 29
        | head[at + 1] << 22
        | (head[at + 2] & 0xFE) << 14
        | head[at + 3] << 7
        | head[at + 4] >> 1
    )


def _straighten(video: Track, audio: Track | None) -> int:
    """Lay all times on one line that starts at the first picture; return a picture's length."""
    steps = sorted((b - a) % _WRAP for a, b in zip(video.dts[:500], video.dts[1:500], strict=False))
    frame_ticks = steps[len(steps) // 2] if steps else TICKS // 25
    offsets = _epochs(video, frame_ticks)
    zero = min(
        (video.pts[n] - video.dts[n]) % _WRAP + video.dts[n] for n in range(min(16, len(video.dts)))
    )
    _shift(video, offsets, zero)
    if audio is not None:
        _follow(audio, offsets, zero)
    return frame_ticks


def _epochs(track: Track, frame_ticks: int) -> list[tuple[int, int]]:
    """Find where the stream's clock jumps: (number of the first unit, ticks to add from there)."""
    offset = 0
    found = [(0, 0)]
    for number in range(1, len(track.dts)):
        step = track.dts[number] - track.dts[number - 1]
        if not 0 < step < _JUMP:
            offset += frame_ticks - step
            found.append((number, offset))
    return found


def _shift(track: Track, offsets: list[tuple[int, int]], zero: int) -> None:
    ends = [number for number, _ in offsets[1:]] + [len(track.dts)]
    for (begin, offset), end in zip(offsets, ends, strict=True):
        for number in range(begin, end):
            track.pts[number] = (track.pts[number] - track.dts[number]) % _WRAP + (
                track.dts[number] + offset - zero
            )
            track.dts[number] += offset - zero


def _follow(audio: Track, offsets: list[tuple[int, int]], zero: int) -> None:
    """Lay sound on the line of the pictures, epoch by epoch where both jump as often."""
    own = _epochs(audio, 0)
    if len(own) == len(offsets):
        own = [(number, offset) for (number, _), (_, offset) in zip(own, offsets, strict=True)]
    begins = (audio.dts[0] - zero + _APART) % _WRAP - _APART
    _shift(audio, own, audio.dts[0] - begins if abs(begins) <= _APART else audio.dts[0])
    while len(audio.dts) > 1 and audio.dts[1] <= 0:
        for column in (audio.first, audio.end, audio.size, audio.dts, audio.pts):
            del column[0]
    # An encoder primes itself with a few milliseconds of sound before the first picture.
    audio.dts[0] = audio.pts[0] = max(0, audio.dts[0])
