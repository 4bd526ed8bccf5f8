"""The player without media, on a frozen clock."""

import pytest

from client.domain.clock import FrozenClock
from client.domain.errors import PlayerError
from client.media.null_player import NullPlayer
from client.media.port import MediaFacts, PlayerState
from tests.media import read_counter


@pytest.fixture
def film(tmp_path):
    path = tmp_path / "film.mp4"
    path.write_bytes(b"x")
    return path


@pytest.fixture
def clock():
    return FrozenClock()


def test_time_passes_only_with_the_clock(clock, film):
    player = NullPlayer(clock)
    player.open(film, start_s=10.0)
    player.play()
    assert player.position_s == 10.0
    clock.advance(2.5)
    assert player.position_s == pytest.approx(12.5)
    player.set_rate(2.0)
    clock.advance(1.0)
    assert player.position_s == pytest.approx(14.5)
    player.pause()
    clock.advance(60.0)
    assert player.position_s == pytest.approx(14.5, abs=0.04)


def test_it_ends_and_begins_anew(clock, film):
    states: list[PlayerState] = []
    player = NullPlayer(clock)
    player.on_state(states.append)
    player.open(film)
    player.play()
    clock.advance(61.0)
    assert player.state is PlayerState.ENDED
    assert player.position_s == pytest.approx(59.96)
    player.play()
    assert player.position_s == 0.0
    assert states[-2:] == [PlayerState.ENDED, PlayerState.PLAYING]


def test_it_loops(clock, film):
    player = NullPlayer(clock)
    player.open(film)
    player.loop(5.0, 7.0)
    player.seek_to(6.5)
    player.play()
    clock.advance(0.6)
    assert player.position_s == pytest.approx(5.0)


def test_pictures_carry_their_number(clock, film):
    numbers: list[int | None] = []
    player = NullPlayer(clock)
    player.on_frame(lambda f: numbers.append(read_counter(f.data, f.width, f.height, f.stride)))
    player.open(film, start_s=40.0)
    player.play()
    clock.advance(0.08)
    player.tick()
    player.tick()
    assert numbers == [1000, 1002]


def test_what_holds_nothing_cannot_be_opened(clock, film):
    nothing = MediaFacts(
        duration_s=0, width=0, height=0, has_video=False, has_audio=False, frame_rate=0
    )
    player = NullPlayer(clock, {film.name: nothing})
    with pytest.raises(PlayerError):
        player.open(film)
    assert player.state is PlayerState.FAILED
