"""Test media made by ffmpeg: clips whose every frame carries its own number.

The number is burnt in as sixteen bars in the top left corner, least significant first, with
their complement in the row below, so that a torn or scaled picture is noticed instead of
misread. Clips are made once per machine and kept in a temporary folder.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

BITS: Final = 16
_COLUMNS: Final = 32
_ROWS: Final = 18
_CACHE: Final = Path(tempfile.gettempdir()) / f"tongke-test-media-{os.getuid()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipSpec:
    """What to encode. `kind` is the container: mp4, ts, hls_ts, reset_ts, mp3, silent_mp4."""

    kind: str = "mp4"
    seconds: int = 20
    width: int = 1280
    height: int = 720
    rate: int = 25
    gop: int = 50


def clip(spec: ClipSpec | None = None) -> Path:
    """Return the file for `spec`, encoding it when this machine has not yet."""
    spec = spec or ClipSpec()
    _CACHE.mkdir(mode=0o700, exist_ok=True)
    source = Path(__file__).read_bytes()
    name = hashlib.sha256(repr(spec).encode() + source).hexdigest()[:16]
    suffix = {"mp4": ".mp4", "silent_mp4": ".mp4", "mp3": ".mp3"}.get(spec.kind, ".ts")
    target = _CACHE / f"{spec.kind}-{name}{suffix}"
    if not target.exists():
        with tempfile.TemporaryDirectory(dir=_CACHE) as folder:
            made = _make(spec, Path(folder), suffix)
            made.replace(target)
    return target


def read_counter(
    pixels: bytes | memoryview, width: int, height: int, stride: int, *, row: int = 0
) -> int | None:
    """Read the frame number from 32-bit pixels of the whole picture, None when it is unreadable.

    The picture may be scaled, as long as a bar is a few pixels wide.
    """
    number = 0
    for bit in range(BITS):
        x = int((bit + 0.5) * width / _COLUMNS)
        on = _bright(pixels, x, int((row + 0.5) * height / _ROWS), stride)
        off = _bright(pixels, x, int((row + 1.5) * height / _ROWS), stride)
        if on is None or off is None or on is off:
            return None
        number |= int(on) << bit
    return number


def _bright(pixels: bytes | memoryview, x: int, y: int, stride: int) -> bool | None:
    green = pixels[y * stride + x * 4 + 1]
    if 90 < green < 165:
        return None
    return green > 127


def _bars(spec: ClipSpec) -> str:
    wide, high = spec.width / _COLUMNS, spec.height / _ROWS
    parts = [f"drawbox=x=0:y=0:w={wide * BITS}:h={2 * high}:color=black:t=fill"]
    for bit in range(BITS):
        for row, want in ((0, 1), (1, 0)):
            parts.append(
                f"drawbox=x={bit * wide}:y={row * high}:w={wide}:h={high}:color=white:t=fill"
                f":enable='eq(mod(floor(n/{2**bit}),2),{want})'"
            )
    return ",".join(parts)


def _make(spec: ClipSpec, folder: Path, suffix: str) -> Path:
    out = folder / f"out{suffix}"
    sound = ["-f", "lavfi", "-i", f"sine=frequency=440:sample_rate=44100:duration={spec.seconds}"]
    if spec.kind == "mp3":
        _ffmpeg(*sound, "-c:a", "libmp3lame", "-b:a", "64k", str(out))
        return out
    size = f"testsrc2=size={spec.width}x{spec.height}:rate={spec.rate}:duration={spec.seconds}"
    picture = ["-f", "lavfi", "-i", size]
    encode = ["-vf", _bars(spec), "-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p"]
    encode += ["-g", str(spec.gop), "-keyint_min", str(spec.gop), "-sc_threshold", "0"]
    if spec.kind == "silent_mp4":
        _ffmpeg(*picture, *encode, "-an", str(out))
        return out
    encode += ["-c:a", "aac", "-b:a", "64k"]
    both = [*picture, *sound, *encode]
    if spec.kind in ("mp4", "ts"):
        _ffmpeg(*both, str(out))
        return out
    names = folder / "s%04d.ts"
    if spec.kind == "hls_ts":
        playlist = folder / "p.m3u8"
        split = ["-f", "hls", "-hls_time", "4", "-hls_list_size", "0"]
        _ffmpeg(*both, *split, "-hls_segment_filename", str(names), str(playlist))
    else:
        split = ["-f", "segment", "-segment_time", "4", "-reset_timestamps", "1"]
        _ffmpeg(*both, *split, str(names))
    with out.open("wb") as whole:
        for segment in sorted(folder.glob("s*.ts")):
            with segment.open("rb") as piece:
                shutil.copyfileobj(piece, whole)
    return out


def _ffmpeg(*arguments: str) -> None:
    subprocess.run(
        ["ffmpeg", "-v", "error", "-y", *arguments], check=True, stdin=subprocess.DEVNULL
    )
