"""A transport stream dressed as an MP4 file, computed while it is read.

libvlc seeks in a transport stream to somewhere near the time asked for and then waits for the
next key frame: up to two seconds off. In an MP4 it goes to the picture. So the index of the
stream becomes the tables of an MP4, and its access units, unchanged, become the samples; no
byte is written to disk.

Invariants:
  M1  Every byte of the virtual file depends on the stream alone: reading in any order and in
      any pieces gives the same.
  M2  The samples stand in the order of the stream, so reading forward reads the disk forward.
"""

import mmap
import os
import struct
import threading
import weakref
from bisect import bisect_right
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Final

from client.media import ts_index
from client.media.ts_index import TICKS, Packets, Track, TsIndex

_MATRIX: Final = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_AAC_OBJECT: Final = 0x40
_MP3_OBJECT: Final = 0x6B
_AUDIO_RATE: Final = 44100
_VIDEO, _AUDIO = 1, 2


class VirtualMp4:
    """A readable, seekable view. Not thread-safe; libvlc reads from one thread at a time.

    Attributes:
        index: What the stream holds.
        size: Bytes of the virtual file.
    """

    def __init__(self, data: Packets, index: TsIndex) -> None:
        self.index = index
        self._data = data
        self._samples = _order(index)
        head = _box(b"ftyp", b"isom", struct.pack(">I", 512), b"isomiso2mp41")
        length = sum(index.video.size) + (sum(index.audio.size) if index.audio else 0)
        moov_bytes = len(_moov(index, self._samples, 0))
        begin = len(head) + moov_bytes + 16
        self._head = head + _moov(index, self._samples, begin)
        self._head += struct.pack(">I4sQ", 1, b"mdat", length + 16)
        self._starts = []
        at = begin
        for track, number in self._samples:
            self._starts.append(at)
            at += track.size[number]
        self.size = at

    def read(self, at: int, count: int) -> bytes:
        """Return up to `count` bytes from `at`; fewer at the end of a sample, none at the end."""
        if at < len(self._head):
            return self._head[at : at + count]
        if at >= self.size:
            return b""
        place = bisect_right(self._starts, at) - 1
        parts: list[bytes] = []
        skip = at - self._starts[place]
        while count > 0 and place < len(self._samples):
            track, number = self._samples[place]
            piece = ts_index.unit(self._data, track, number)[skip : skip + count]
            parts.append(piece)
            count -= len(piece)
            skip = 0
            place += 1
        return b"".join(parts)


def dress(path: Path) -> VirtualMp4 | None:
    """Return `path` as a virtual MP4, None when it is no transport stream that can be indexed."""
    with path.open("rb") as file:
        try:
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                index = ts_index.index(data)
        except ValueError:  # an empty file cannot be mapped
            return None
    return VirtualMp4(_File(path), index) if index is not None else None


class _File:
    """A file by slice. It is read, not mapped: pages that were played would count as ours."""

    def __init__(self, path: Path) -> None:
        self._number = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        self._lock = threading.Lock()
        # Not at exit: other threads may still be reading, and the system closes it anyway.
        weakref.finalize(self, os.close, self._number).atexit = False

    def __getitem__(self, place: slice) -> bytes:
        with self._lock:
            os.lseek(self._number, place.start, os.SEEK_SET)
            return os.read(self._number, place.stop - place.start)


def _order(index: TsIndex) -> list[tuple[Track, int]]:
    tracks = [index.video, *([index.audio] if index.audio else [])]
    samples = [
        (track.first[n], k, n) for k, track in enumerate(tracks) for n in range(len(track.first))
    ]
    samples.sort()
    return [(tracks[k], n) for _, k, n in samples]


def _box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", len(body) + 8, kind) + body


def _full(kind: bytes, flags: int, *parts: bytes) -> bytes:
    return _box(kind, struct.pack(">I", flags), *parts)


def _moov(index: TsIndex, samples: list[tuple[Track, int]], begin: int) -> bytes:
    duration = round(index.duration_s * TICKS)
    mvhd = struct.pack(">4I", 0, 0, TICKS, duration) + struct.pack(">IH10x", 0x10000, 0x100)
    parts = [
        _full(b"mvhd", 0, mvhd, _MATRIX, bytes(24), struct.pack(">I", 3)),
        _video_trak(index, _offsets(samples, index.video, begin), duration),
    ]
    if index.audio is not None:
        parts.append(_audio_trak(index.audio, _offsets(samples, index.audio, begin), duration))
    return _box(b"moov", *parts)


def _offsets(samples: list[tuple[Track, int]], wanted: Track, begin: int) -> bytes:
    places = []
    at = begin
    for track, number in samples:
        if track is wanted:
            places.append(at)
        at += track.size[number]
    return _full(b"co64", 0, struct.pack(f">I{len(places)}Q", len(places), *places))


def _video_trak(index: TsIndex, offsets: bytes, duration: int) -> bytes:
    video = index.video
    width, height = index.size.width, index.size.height
    entry = _box(
        b"avc1",
        struct.pack(">6xH16xHHIII", 1, width, height, 0x480000, 0x480000, 0),
        struct.pack(">H32xHh", 1, 24, -1),
    )
    shift = video.dts[0]
    durations = _durations(video, index.frame_ticks)
    composed = [pts - dts for pts, dts in zip(video.pts, video.dts, strict=True)]
    keys = [number + 1 for number in video.keys]
    tables = [
        _full(b"stsd", 0, struct.pack(">I", 1), entry),
        _runs(b"stts", durations),
        _runs(b"ctts", composed),
        _full(b"stss", 0, struct.pack(f">I{len(keys)}I", len(keys), *keys)),
    ]
    header = _full(b"vmhd", 1, bytes(8))
    # Decoding starts before the first picture is due: the edit begins at that picture.
    edit = struct.pack(">IIiI", 1, duration, -shift, 0x10000)
    return _trak(
        _VIDEO, (width, height), edit, b"vide", header, [*tables, *_sizes(video), offsets], duration
    )


def _audio_trak(audio: Track, offsets: bytes, duration: int) -> bytes:
    kind = _AAC_OBJECT if audio.kind == "aac" else _MP3_OBJECT
    config = bytes((0x04, 0x0D, kind, 0x15)) + bytes(11)
    descriptor = bytes((0x03, 3 + len(config) + 3, 0, 2, 0)) + config + bytes((0x06, 0x01, 0x02))
    entry = _box(
        b"mp4a",
        struct.pack(">6xH8xHHIHH", 1, 2, 16, 0, _AUDIO_RATE, 0),
        _full(b"esds", 0, descriptor),
    )
    tables = [
        _full(b"stsd", 0, struct.pack(">I", 1), entry),
        _runs(b"stts", _durations(audio, 0)),
    ]
    gap = audio.dts[0]
    edit = struct.pack(">I", 1 + (gap > 0))
    if gap > 0:
        edit += struct.pack(">IiI", gap, -1, 0x10000)
    edit += struct.pack(">IiI", max(0, duration - gap), 0, 0x10000)
    header = _full(b"smhd", 0, bytes(4))
    return _trak(
        _AUDIO, (0, 0), edit, b"soun", header, [*tables, *_sizes(audio), offsets], duration
    )


def _trak(  # noqa: PLR0913, PLR0917 - a box has the fields it has
    number: int,
    size: tuple[int, int],
    edit: bytes,
    handler: bytes,
    header: bytes,
    tables: list[bytes],
    duration: int,
) -> bytes:
    tkhd = struct.pack(
        ">5I8xhhhH", 0, 0, number, 0, duration, 0, 0, 0x100 if handler == b"soun" else 0, 0
    )
    tkhd += _MATRIX + struct.pack(">II", size[0] << 16, size[1] << 16)
    mdhd = struct.pack(">4IHH", 0, 0, TICKS, duration, 0x55C4, 0)
    reference = _box(b"dinf", _full(b"dref", 0, struct.pack(">I", 1), _full(b"url ", 1)))
    return _box(
        b"trak",
        _full(b"tkhd", 3, tkhd),
        _box(b"edts", _full(b"elst", 0, edit)),
        _box(
            b"mdia",
            _full(b"mdhd", 0, mdhd),
            _full(b"hdlr", 0, bytes(4), handler, bytes(13)),
            _box(b"minf", header, reference, _box(b"stbl", *tables)),
        ),
    )


def _durations(track: Track, last: int) -> list[int]:
    steps = [b - a for a, b in zip(track.dts, track.dts[1:], strict=False)]
    return [*steps, last or (steps[-1] if steps else 1)]


def _runs(kind: bytes, values: list[int]) -> bytes:
    """Pack a table of (count, value): times and composition offsets repeat."""
    runs = list(_grouped(values))
    body = b"".join(struct.pack(">Ii", count, value) for count, value in runs)
    return _full(kind, 0, struct.pack(">I", len(runs)), body)


def _grouped(values: list[int]) -> Iterator[tuple[int, int]]:
    for value, run in groupby(values):
        yield sum(1 for _ in run), value


def _sizes(track: Track) -> list[bytes]:
    count = len(track.size)
    return [
        _full(b"stsc", 0, struct.pack(">4I", 1, 1, 1, 1)),
        _full(b"stsz", 0, struct.pack(f">II{count}I", 0, count, *track.size)),
    ]
