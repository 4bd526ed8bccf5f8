"""Films in a wrapping that phones play (client.media.remux)."""

import subprocess
import sys

import pytest

from client.domain.availability import Decodes
from client.domain.errors import PlayerError
from client.media import remux as module
from client.media import vlc_library
from client.media.probe import ProbeResult, probe
from client.media.remux import main, remux
from tests.media import ClipSpec, clip

FILM = ClipSpec(kind="hls_ts", seconds=6, width=320, height=180)


def test_a_stream_becomes_an_mp4_of_the_same_length(tmp_path):
    """RX2: names with blanks and signs do not matter."""
    source = tmp_path / "it's {a} film.ts"
    source.write_bytes(clip(FILM).read_bytes())
    target = tmp_path / "made.mp4"
    assert remux(source, target)
    assert target.read_bytes()[4:8] == b"ftyp"
    assert b"avcC" in target.read_bytes()
    found = probe(target)
    assert found.decodes is Decodes.YES
    assert abs(found.duration_s - probe(source).duration_s) < 2


def test_what_is_no_film_gives_nothing(tmp_path):
    """RX1, RX2"""
    source = tmp_path / "x.ts"
    source.write_bytes(b"\x47" + b"\0" * 5000)
    target = tmp_path / "made.mp4"
    assert not remux(source, target)
    assert not remux(tmp_path / "none.ts", target)
    assert list(tmp_path.iterdir()) == [source]


def test_a_result_that_came_out_short_is_taken_away(tmp_path, monkeypatch):
    """RX2"""
    target = tmp_path / "made.mp4"

    def half(path):
        is_made = path == target
        return ProbeResult(decodes=Decodes.YES, duration_s=300.0 if is_made else 600.0)

    monkeypatch.setattr(module, "probe", half)
    assert not remux(clip(FILM), target)
    assert not target.exists()


@pytest.mark.parametrize("error", [OSError(), subprocess.TimeoutExpired("x", 1)])
def test_a_process_that_cannot_be_had_or_hangs_gives_nothing(tmp_path, monkeypatch, error):
    """RX1"""

    def run(*_arguments, **_options):
        raise error

    monkeypatch.setattr(module.subprocess, "run", run)
    assert not remux(clip(FILM), tmp_path / "made.mp4")


def test_a_bundled_program_leaves_films_as_they_are(tmp_path, monkeypatch):
    """RX1: it has no interpreter to start."""
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert not module._in_another_process(clip(FILM), tmp_path / "made.mp4")


def test_the_process_itself_repacks_or_says_no(tmp_path, monkeypatch):
    """RX1"""
    monkeypatch.chdir(tmp_path)
    assert main([str(clip(FILM)), "made.mp4"]) == 0
    assert main([str(tmp_path / "none.ts"), "other.mp4"]) == 1

    def missing():
        raise PlayerError("player_missing")

    monkeypatch.setattr(vlc_library, "bindings", missing)
    assert main(["a", "b"]) == 1
