"""Does a file decode here?"""

import os
import random
import signal
import struct
import subprocess
import sys
import zlib

import pytest

from client.domain.availability import Decodes
from client.media import probe as module
from client.media.pictures import picture_size
from client.media.probe import decodes, probe
from tests.media import ClipSpec, clip


def _spec(kind: str) -> ClipSpec:
    return ClipSpec(kind=kind, seconds=8, width=640, height=360)


@pytest.mark.parametrize("kind", ["mp4", "ts", "reset_ts"])
def test_a_film_decodes_when_its_pictures_came_out(kind):
    """P1."""
    found = probe(clip(_spec(kind)))
    assert found.decodes is Decodes.YES
    assert (found.width, found.height) == (640, 360)
    assert found.duration_s == pytest.approx(8.0, abs=0.1)
    assert found.reason == ""


def test_sound_decodes_when_samples_came_out():
    """P1."""
    found = probe(clip(_spec("mp3")))
    assert (found.decodes, found.width) == (Decodes.YES, 0)


def test_a_film_whose_tables_are_right_and_pictures_are_not_does_not_decode(tmp_path):
    """P1: opening it is not enough."""
    data = bytearray(clip(ClipSpec(kind="silent_mp4", seconds=2)).read_bytes())
    at, size = data.index(b"mdat") + 4, len(data)
    moov = data.index(b"moov") - 4
    end = moov if moov > at else size
    data[at:end] = random.Random(1).randbytes(end - at)
    path = tmp_path / "noise.mp4"
    path.write_bytes(data)
    found = probe(path)
    assert found.decodes is Decodes.NO
    assert found.reason == "media_unplayable"


@pytest.mark.parametrize("seed", range(3))
def test_noise_does_not_decode(seed, tmp_path):
    path = tmp_path / "noise.ts"
    path.write_bytes(b"\x47" + random.Random(seed).randbytes(188 * 400 - 1))
    assert decodes(path) is Decodes.NO


def test_a_missing_file_does_not_decode(tmp_path):
    assert probe(tmp_path / "none.mp4").reason == "media_missing"


@pytest.mark.parametrize(
    ("ending", "reason"), [(signal.SIGSEGV, "probe_crashed"), (signal.SIGKILL, "probe_crashed")]
)
def test_a_decoder_that_dies_takes_only_the_probe_with_it(monkeypatch, tmp_path, ending, reason):
    """P2."""
    path = tmp_path / "film.mp4"
    path.write_bytes(b"film" * 20)
    body = f"import os; os.kill(os.getpid(), {int(ending)})"
    _answer_with(monkeypatch, [sys.executable, "-c", body])
    assert probe(path).decodes is Decodes.NO
    assert probe(path).reason == reason


def test_a_decoder_that_hangs_is_ended_and_nothing_is_claimed(monkeypatch, tmp_path):
    """P2, P3."""
    path = tmp_path / "film.mp4"
    path.write_bytes(b"film" * 20)
    monkeypatch.setattr(module, "PATIENCE_S", 0.3)
    _answer_with(monkeypatch, [sys.executable, "-c", "import threading; threading.Event().wait()"])
    found = probe(path)
    assert (found.decodes, found.reason) == (Decodes.UNKNOWN, "probe_slow")


@pytest.mark.parametrize("said", ["", "{}", "[]", '{"decodes": "maybe"}', "\x00"])
def test_an_answer_that_is_none_is_a_crash(monkeypatch, tmp_path, said):
    path = tmp_path / "film.mp4"
    path.write_bytes(b"film" * 20)
    _answer_with(monkeypatch, [sys.executable, "-c", f"print({said!r})"])
    assert probe(path).reason == "probe_crashed"


def test_a_machine_without_a_player_does_not_say_no(monkeypatch, tmp_path):
    """P3."""
    path = tmp_path / "film.mp4"
    path.write_bytes(b"film" * 20)
    _answer_with(monkeypatch, [str(tmp_path / "no such program")])
    assert probe(path).decodes is Decodes.UNKNOWN


def _answer_with(monkeypatch: pytest.MonkeyPatch, command: list[str]) -> None:
    """Let another program stand where the looking process would."""
    real = subprocess.run

    def run(_command, **options):
        return real(command, **options)

    monkeypatch.setattr(module.subprocess, "run", run)


def _png(width: int, height: int) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + head
    length, check = struct.pack(">I", 13), struct.pack(">I", zlib.crc32(chunk))
    return b"\x89PNG\r\n\x1a\n" + length + chunk + check + bytes(32)


_JPEG = (
    b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00\xff\xff\xc0\x00\x11\x08"
    + struct.pack(">HH", 48, 64)
    + b"\x03"
    + bytes(30)
)


@pytest.mark.parametrize(
    ("data", "size"),
    [
        (_png(640, 360), (640, 360)),
        (b"GIF89a" + struct.pack("<HH", 30, 20) + bytes(40), (30, 20)),
        (b"BM" + bytes(16) + struct.pack("<ii", 30, -20) + bytes(40), (30, 20)),
        (
            b"RIFF" + bytes(4) + b"WEBPVP8 " + bytes(10) + struct.pack("<HH", 30, 20) + bytes(9),
            (30, 20),
        ),
        (b"RIFF" + bytes(4) + b"WEBPVP8X" + bytes(8) + b"\x1d\0\0\x13\0\0" + bytes(9), (30, 20)),
        (_JPEG, (64, 48)),
        (_png(0, 5), None),
        (b"\xff\xd8\xff\xd9" + bytes(60), None),
        (b"hello", None),
        (bytes(64), None),
    ],
)
def test_a_picture_tells_its_size(data, size, tmp_path):
    assert picture_size(data) == size
    path = tmp_path / "a.bin"
    path.write_bytes(data)
    if size is not None:
        found = probe(path)
        assert (found.decodes, found.width, found.height) == (Decodes.YES, *size)


def test_a_pdf_is_told_by_its_magic(tmp_path):
    path = tmp_path / "sheet.pdf"
    path.write_bytes(b"%PDF-1.7\n" + os.urandom(100))
    assert decodes(path) is Decodes.YES
