"""What is true of libvlc's player (`vlc_video`, `vlc_media`) beyond the common contract."""

import gc
import random
import threading
import time

import psutil
import pytest

from client.domain.errors import PlayerError
from client.media import vlc_library
from client.media.port import PlayerState
from client.media.virtual_mp4 import dress
from client.media.vlc_media import _Reader, open_media
from client.media.vlc_player import VlcPlayer
from tests.media import ClipSpec, clip, read_counter

FRAME_S = 0.04


def _spec(kind: str = "mp4", width: int = 640, height: int = 360) -> ClipSpec:
    return ClipSpec(kind=kind, seconds=8, width=width, height=height)


class _Watch:
    """Collects pictures and waits for them."""

    def __init__(self, player: VlcPlayer) -> None:
        self.seen: list[tuple[int | None, float, int, int]] = []
        self.changed = threading.Condition()
        player.on_frame(self._take)

    def _take(self, frame) -> None:
        number = read_counter(frame.data, frame.width, frame.height, frame.stride)
        with self.changed:
            self.seen.append((number, frame.at_s, frame.width, frame.height))
            self.changed.notify_all()

    def wait(self, met) -> None:
        with self.changed:
            assert self.changed.wait_for(met, 20)


@pytest.fixture
def player():
    player = VlcPlayer()
    yield player
    player.close()


@pytest.mark.parametrize("size", [(640, 360), (854, 480), (478, 270), (1280, 720)])
@pytest.mark.parametrize("kind", ["mp4", "ts"])
def test_the_picture_has_its_visible_size_and_is_neither_stretched_nor_torn(player, size, kind):
    """T2, T3: the numbers are readable only when format and layout are right."""
    watch = _Watch(player)
    player.open(clip(_spec(kind, *size)))
    player.play()
    watch.wait(lambda: len(watch.seen) > 10)
    assert {(width, height) for _, _, width, height in watch.seen} == {size}
    assert None not in [number for number, *_ in watch.seen]


def test_large_pictures_are_scaled_down_for_weak_machines():
    player = VlcPlayer(max_size=(320, 180))
    watch = _Watch(player)
    player.open(clip(_spec()))
    player.play()
    watch.wait(lambda: len(watch.seen) > 3)
    player.close()
    assert watch.seen[-1][2:] == (320, 180)
    assert watch.seen[-1][0] is not None


def test_a_pause_is_immediate(player):
    """V5: nothing is delivered after it returned, but for one picture in flight."""
    watch = _Watch(player)
    player.open(clip(_spec()))
    for _ in range(4):
        player.play()
        count = len(watch.seen)
        watch.wait(lambda count=count: len(watch.seen) > count + 6)
        player.pause()
        count = len(watch.seen)
        held = player.position_s
        threading.Event().wait(0.3)
        assert len(watch.seen) <= count + 1
        assert player.position_s == pytest.approx(held, abs=1.01 * FRAME_S)
        number, at_s, *_ = watch.seen[-1]
        assert abs(number - at_s / FRAME_S) <= 2


def test_going_on_neither_repeats_nor_skips_much(player):
    watch = _Watch(player)
    player.open(clip(_spec()))
    player.play()
    watch.wait(lambda: len(watch.seen) > 10)
    player.pause()
    before = watch.seen[-1][0]
    count = len(watch.seen)
    threading.Event().wait(0.2)
    player.play()
    watch.wait(lambda: len(watch.seen) > count + 2)
    assert 0 < watch.seen[count + 1][0] - before <= 8


def test_many_seeks_in_a_row_end_at_the_last(player):
    watch = _Watch(player)
    player.open(clip(_spec()))
    for target_s in (1.0, 6.0, 2.0, 7.0, 3.0, 5.0):
        player.seek_to(target_s)
    watch.wait(lambda: watch.seen[-1][0] is not None and abs(watch.seen[-1][0] - 125) <= 3)
    assert player.state is PlayerState.PAUSED


def test_a_seek_right_after_opening_shows_no_picture_of_before(player):
    watch = _Watch(player)
    for start_s, target_s in ((5.0, 1.0), (2.0, 7.0), (6.0, 0.0)):
        player.open(clip(_spec("ts")), start_s=start_s)
        count = len(watch.seen)
        player.seek_to(target_s)
        watch.wait(lambda count=count: len(watch.seen) > count)
        number, at_s, *_ = watch.seen[-1]
        assert abs(number - target_s / FRAME_S) <= 4
        assert abs(number - at_s / FRAME_S) <= 2


def test_playing_during_a_seek_plays_from_the_target(player):
    watch = _Watch(player)
    player.open(clip(_spec()))
    player.seek_to(5.0)
    player.play()
    watch.wait(lambda: watch.seen[-1][0] is not None and watch.seen[-1][0] > 135)
    assert player.state is PlayerState.PLAYING


def _play_to_the_end(player):
    player.open(clip(_spec()), start_s=7.5)
    ended = threading.Event()
    player.on_state(lambda state: state is PlayerState.ENDED and ended.set())
    player.play()
    assert ended.wait(20)


def test_a_seek_after_the_end_shows_that_picture(player):
    watch = _Watch(player)
    _play_to_the_end(player)
    player.seek_to(4.0)
    watch.wait(lambda: watch.seen[-1][0] is not None and abs(watch.seen[-1][0] - 100) <= 3)
    assert player.state is PlayerState.PAUSED


def test_playing_right_after_a_seek_from_the_end_plays_from_there(player):
    watch = _Watch(player)
    _play_to_the_end(player)
    count = len(watch.seen)
    player.seek_to(4.0)
    player.play()
    watch.wait(lambda: len(watch.seen) > count + 5)
    assert player.state is PlayerState.PLAYING
    assert 98 <= watch.seen[-1][0] <= 125


def test_a_loop_to_the_end_of_the_file_repeats(player):
    watch = _Watch(player)
    player.open(clip(_spec()), start_s=7.0)
    player.loop(7.0)
    player.play()
    watch.wait(lambda: sum(1 for number, *_ in watch.seen if number in range(176, 180)) >= 8)
    assert player.state is PlayerState.PLAYING


def test_callbacks_survive_the_collector(player):
    """T1: a collected callback would end the process."""
    watch = _Watch(player)
    player.open(clip(_spec("ts")))
    player.play()
    for wanted in (5, 10, 15):
        gc.collect()
        watch.wait(lambda wanted=wanted: len(watch.seen) > wanted)


def test_opening_and_closing_again_and_again_leaves_nothing_behind():
    """V6, T1, R3: threads, files and memory return."""
    chance = random.Random(5)
    process = psutil.Process()
    films = [clip(_spec(kind)) for kind in ("mp4", "ts")] + [clip(_spec("mp3"))]
    for number in range(25):
        player = VlcPlayer()
        player.on_frame(lambda _frame: None)
        player.open(chance.choice(films), start_s=chance.choice((0.0, 3.0)))
        if chance.random() < 0.7:
            player.play()
        if chance.random() < 0.4:
            player.seek_to(chance.random() * 8)
        begin = time.monotonic()
        player.close()
        assert time.monotonic() - begin < 5
        if number == 4:
            gc.collect()
            threads, files = process.num_threads(), process.num_fds()
    gc.collect()
    assert process.num_threads() <= threads + 4
    assert process.num_fds() <= files + 4


def test_closing_while_a_file_opens_is_safe():
    """V6."""
    for delay in (0.0, 0.02, 0.08, 0.15):
        player = VlcPlayer()
        opener = threading.Thread(target=_open_quietly, args=(player,))
        opener.start()
        threading.Event().wait(delay)
        player.close()
        opener.join(10)
        assert not opener.is_alive()


def _open_quietly(player: VlcPlayer) -> None:
    try:
        player.open(clip(_spec()), start_s=2.0)
    except PlayerError:
        return


def test_two_readers_of_one_view_do_not_disturb_each_other():
    """D1, D2."""
    import ctypes

    view = dress(clip(_spec("ts")))
    opened, read, seek, close = _Reader(view).callbacks
    names = []
    for _ in range(2):
        name, size = ctypes.c_void_p(), ctypes.c_uint64()
        opened(None, ctypes.pointer(name), ctypes.pointer(size))
        names.append(name)
        assert size.value == view.size
    buffer = ctypes.create_string_buffer(64)
    seek(names[0], 1000)
    assert read(names[1], buffer, 8) == 8
    assert buffer.raw[4:8] == b"ftyp"
    count = read(names[0], buffer, 64)
    assert buffer.raw[:count] == view.read(1000, 64)
    close(names[0])
    assert read(names[1], buffer, 8) == 8


def test_opening_does_not_outlive_its_media():
    vlc, instance = vlc_library.bindings(), vlc_library.instance()
    media = open_media(vlc, instance, clip(_spec("ts")))
    assert media.facts.frame_rate == pytest.approx(25.0)
    media.handle.release()
