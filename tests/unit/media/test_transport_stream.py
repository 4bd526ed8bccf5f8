"""Transport streams read as MP4: times, pictures and bytes, against what ffmpeg reads."""

import json
import mmap
import random
import subprocess

import pytest

from client.media import h264, ts_index
from client.media.virtual_mp4 import dress
from tests.media import ClipSpec, clip

KINDS = ("ts", "hls_ts", "reset_ts")


def _spec(kind: str) -> ClipSpec:
    return ClipSpec(kind=kind, seconds=8, width=640, height=360)


def _index(path):
    with path.open("rb") as file:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    index = ts_index.index(data)
    assert index is not None
    return data, index


@pytest.mark.parametrize("kind", KINDS)
def test_pictures_stand_on_one_line_from_zero(kind):
    """X1: whatever the clock of the stream does between segments."""
    _, index = _index(clip(_spec(kind)))
    assert sorted(index.video.pts) == [number * 3600 for number in range(200)]
    assert list(index.video.dts) == sorted(index.video.dts)
    assert index.duration_s == pytest.approx(8.0)
    assert index.size == h264.PictureSize(width=640, height=360)
    assert list(index.video.keys) == [0, 50, 100, 150]


@pytest.mark.parametrize("kind", KINDS)
def test_sound_keeps_beside_the_pictures(kind):
    _, index = _index(clip(_spec(kind)))
    audio = index.audio
    assert audio is not None
    assert list(audio.dts) == sorted(audio.dts)
    assert 0 <= audio.dts[0] <= 0.5 * ts_index.TICKS
    assert audio.dts[-1] == pytest.approx(8 * ts_index.TICKS, abs=ts_index.TICKS / 2)


@pytest.mark.parametrize("kind", KINDS)
def test_every_unit_has_the_size_the_tables_say(kind):
    data, index = _index(clip(_spec(kind)))
    for track in (index.video, index.audio):
        for number in range(len(track.first)):
            assert len(ts_index.unit(data, track, number)) == track.size[number]


@pytest.mark.parametrize("kind", KINDS)
def test_ffmpeg_reads_the_virtual_file_without_a_word(kind, tmp_path):
    view = dress(clip(_spec(kind)))
    out = tmp_path / "view.mp4"
    out.write_bytes(_whole(view, 65_521))
    command = ["ffprobe", "-v", "error", "-count_frames", "-of", "json", "-show_entries"]
    command += ["stream=codec_name,nb_read_frames,start_time,duration", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    video, sound = json.loads(done.stdout)["streams"]
    assert video["codec_name"] == "h264"
    assert int(video["nb_read_frames"]) == 200
    assert float(video["start_time"]) == 0.0
    assert sound["codec_name"] == "aac"


def _whole(view, piece: int) -> bytes:
    out = bytearray()
    while got := view.read(len(out), piece):
        out += got
    assert len(out) == view.size
    return bytes(out)


def test_reading_in_any_pieces_gives_the_same():
    """M1."""
    view = dress(clip(_spec("hls_ts")))
    whole = _whole(view, 1 << 20)
    chance = random.Random(7)
    for _ in range(60):
        at, count = chance.randrange(view.size), chance.randrange(1, 30_000)
        got = view.read(at, count)
        assert got
        assert whole[at : at + len(got)] == got
    assert view.read(view.size, 10) == b""


def test_reading_forward_reads_the_stream_forward():
    """M2."""
    view = dress(clip(_spec("hls_ts")))
    packets = [track.first[number] for track, number in view._samples]
    assert packets == sorted(packets)


def _packets(seed: int) -> bytes:
    chance = random.Random(seed)
    return b"".join(b"\x47" + chance.randbytes(187) for _ in range(200))


@pytest.mark.parametrize(
    "content",
    [b"", b"\x47" * 100, b"\x47" * 188 * 3, _packets(1), _packets(2), b"x" * 188 * 4],
    ids=["empty", "short", "constant", "noise", "noise2", "no sync"],
)
def test_what_is_not_understood_is_left_alone(content, tmp_path):
    """X2."""
    path = tmp_path / "a.ts"
    path.write_bytes(content)
    assert dress(path) is None


def test_a_stream_that_lost_bytes_is_left_alone(tmp_path):
    """X2: libvlc finds its way again; an index would be wrong from there on."""
    data = clip(_spec("ts")).read_bytes()[: 188 * 1000]
    path = tmp_path / "a.ts"
    path.write_bytes(data[: 188 * 500] + data[188 * 500 + 10 :] + bytes(10))
    assert dress(path) is None


@pytest.mark.parametrize("seed", range(40))
def test_a_damaged_stream_gives_an_index_or_none(seed, tmp_path):
    """X2: no damage makes it raise or lie about sizes."""
    chance = random.Random(seed)
    data = bytearray(clip(_spec("ts")).read_bytes()[: 188 * 2000])
    for _ in range(chance.randrange(1, 300)):
        data[chance.randrange(len(data)) | 1] = chance.randrange(256)
    data[::188] = b"\x47" * (len(data) // 188)
    path = tmp_path / "a.ts"
    path.write_bytes(data)
    view = dress(path)
    if view is not None:
        assert len(_whole(view, 1 << 18)) == view.size


def test_a_cropped_size_is_the_visible_one():
    path = clip(ClipSpec(kind="ts", seconds=2, width=854, height=482))
    _, index = _index(path)
    assert (index.size.width, index.size.height) == (854, 482)


def test_bytes_without_parameters_have_no_size():
    assert h264.picture_size(b"\x00\x00\x01\x65abc") is None
    assert h264.picture_size(b"\x00\x00\x01\x67") is None
    assert h264.starts_group(b"\x00\x00\x01\x65abc")
    assert not h264.starts_group(b"\x00\x00\x01\x41abc")
