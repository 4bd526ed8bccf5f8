"""One suite for every player: libvlc, Qt's own, and the one without media.

Pictures carry their number, so what is delivered can be compared with what the player says.
Pictures are read where they are delivered: their memory is only lent.
"""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from client.domain.clock import SystemClock
from client.domain.errors import PlayerError
from client.media.null_player import NullPlayer
from client.media.port import Frame, MediaFacts, Player, PlayerState
from client.media.vlc_player import VlcPlayer
from tests.media import ClipSpec, clip, read_counter

FRAME_S = 0.04
SECONDS = 8


@dataclass
class Seen:
    """What a player delivered: (number burnt in, time claimed), in order."""

    pictures: list[tuple[int | None, float]] = field(default_factory=list)
    states: list[PlayerState] = field(default_factory=list)
    serials: list[int] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def frame(self, frame: Frame) -> None:
        number = read_counter(frame.data, frame.width, frame.height, frame.stride)
        with self.changed:
            self.pictures.append((number, frame.at_s))
            self.serials.append(frame.serial)
            self.changed.notify_all()

    def state(self, state: PlayerState) -> None:
        with self.changed:
            self.states.append(state)
            self.changed.notify_all()


@dataclass
class Rig:
    """A player, what it delivered, and a way to wait that lets it work."""

    player: Player
    seen: Seen
    wait: Callable[[Callable[[], bool]], None]

    def shown(self) -> tuple[int, float]:
        number, at_s = self.seen.pictures[-1]
        assert number is not None
        return number, at_s

    def error_in_frames(self) -> float:
        number, _ = self.shown()
        return number - self.player.position_s / FRAME_S

    def settle(self) -> None:
        """Wait until no picture has come for a while."""
        count, since = -1, time.monotonic()

        def is_quiet() -> bool:
            nonlocal count, since
            if len(self.seen.pictures) != count:
                count, since = len(self.seen.pictures), time.monotonic()
            return time.monotonic() - since > 0.3

        self.wait(is_quiet)


def _wait_plainly(met: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not met():
        assert time.monotonic() < deadline, "the player did nothing"
        threading.Event().wait(0.005)


@pytest.fixture(
    params=[
        "null",
        "vlc",
        # Its threads talk on while a handler of messages written in Python is taken down.
        pytest.param("qt", marks=pytest.mark.no_qt_log),
    ]
)
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    seen = Seen()
    wait = _wait_plainly
    player: Player
    if request.param == "null":
        facts = MediaFacts(
            duration_s=SECONDS, width=64, height=36, has_video=True, has_audio=True, frame_rate=25
        )
        sound = MediaFacts(
            duration_s=SECONDS, width=0, height=0, has_video=False, has_audio=True, frame_rate=25
        )
        names = {clip(_spec(kind)).name: facts for kind in ("mp4", "ts")}
        player = NullPlayer(SystemClock(), {**names, clip(_spec("mp3")).name: sound})
    elif request.param == "vlc":
        player = VlcPlayer()
    else:
        from ui.base.fallback_player import FallbackPlayer

        qtbot = request.getfixturevalue("qtbot")
        player = FallbackPlayer()

        def wait(met: Callable[[], bool]) -> None:
            qtbot.waitUntil(met, timeout=20_000)

    player.on_frame(seen.frame)
    player.on_state(seen.state)
    yield Rig(player=player, seen=seen, wait=wait)
    player.close()
    if request.param == "qt":
        # Qt's threads end in the event loop.
        request.getfixturevalue("qtbot").wait(120)


def _spec(kind: str) -> ClipSpec:
    return ClipSpec(kind=kind, seconds=SECONDS, width=640, height=360)


def test_opening_holds_the_first_picture(rig):
    facts = rig.player.open(clip(_spec("mp4")))
    assert (facts.has_video, facts.has_audio) == (True, True)
    assert facts.duration_s == pytest.approx(SECONDS, abs=0.1)
    assert rig.player.state is PlayerState.PAUSED
    rig.wait(lambda: bool(rig.seen.pictures))
    assert abs(rig.error_in_frames()) <= 2  # a late first picture is dropped on a busy machine
    assert rig.player.position_s == 0.0


def test_opening_in_the_middle_holds_that_picture(rig):
    rig.player.open(clip(_spec("mp4")), start_s=5.0)
    rig.wait(lambda: bool(rig.seen.pictures))
    assert abs(rig.shown()[0] - 125) <= 2
    assert abs(rig.error_in_frames()) <= 2
    assert [number for number, _ in rig.seen.pictures if number is not None and number < 120] == []


def test_the_time_is_that_of_the_picture_while_playing(rig):
    """V3."""
    rig.player.open(clip(_spec("mp4")))
    rig.player.play()
    rig.wait(lambda: len(rig.seen.pictures) > 60)
    errors = [number - at_s / FRAME_S for number, at_s in rig.seen.pictures if number is not None]
    assert len(errors) == len(rig.seen.pictures)
    assert all(abs(error) <= 2 for error in errors)
    assert rig.seen.serials == sorted(set(rig.seen.serials))


def test_a_pause_holds_the_picture_and_its_time(rig):
    """V3: while paused the position is the picture's."""
    rig.player.open(clip(_spec("mp4")))
    rig.player.play()
    rig.wait(lambda: len(rig.seen.pictures) > 20)
    rig.player.pause()
    assert rig.player.state is PlayerState.PAUSED
    rig.settle()
    number, at_s = rig.shown()
    assert abs(number - at_s / FRAME_S) <= 2
    assert rig.player.position_s == pytest.approx(at_s)
    rig.player.play()
    rig.wait(lambda: rig.shown()[0] > number + 10)
    assert abs(rig.shown()[0] - rig.shown()[1] / FRAME_S) <= 2


@pytest.mark.parametrize("kind", ["mp4", "ts"])
def test_a_seek_while_paused_shows_the_picture_asked_for(rig, kind):
    """V4."""
    rig.player.open(clip(_spec(kind)))
    for target_s in (5.02, 1.26, 6.5, 0.0, 3.98):
        before = len(rig.seen.pictures)
        rig.player.seek_to(target_s)
        rig.wait(lambda before=before: len(rig.seen.pictures) > before)
        rig.settle()
        assert rig.player.state is PlayerState.PAUSED
        assert rig.shown()[0] >= int(target_s / FRAME_S) - 1
        assert rig.shown()[0] <= int(target_s / FRAME_S) + 3
        assert abs(rig.error_in_frames()) <= 2


def test_a_seek_while_playing_goes_on_from_there(rig):
    rig.player.open(clip(_spec("mp4")))
    rig.player.play()
    rig.wait(lambda: len(rig.seen.pictures) > 5)
    rig.player.seek_to(6.0)
    rig.wait(lambda: 150 <= (rig.seen.pictures[-1][0] or 0) < 200)
    before = len(rig.seen.pictures)
    rig.wait(lambda: len(rig.seen.pictures) > before + 8)
    assert rig.player.state is PlayerState.PLAYING
    number, at_s = rig.shown()
    assert abs(number - at_s / FRAME_S) <= 2


def test_the_end_keeps_the_last_picture_and_plays_again_from_the_start(rig):
    rig.player.open(clip(_spec("mp4")), start_s=SECONDS - 0.6)
    rig.player.play()
    rig.wait(lambda: rig.player.state is PlayerState.ENDED)
    rig.settle()
    assert rig.shown()[0] >= SECONDS * 25 - 4
    assert PlayerState.ENDED in rig.seen.states
    before = len(rig.seen.pictures)
    rig.player.play()
    rig.wait(lambda: len(rig.seen.pictures) > before + 5)
    assert rig.player.state is PlayerState.PLAYING
    assert rig.shown()[0] < 60


def test_a_stretch_repeats(rig):
    rig.player.open(clip(_spec("mp4")))
    rig.player.loop(2.0, 3.0)
    rig.player.seek_to(2.0)
    rig.player.play()
    rig.wait(lambda: _laps(rig.seen) >= 2)
    numbers = [number for number, _ in rig.seen.pictures[5:] if number is not None]
    assert min(numbers) >= 49
    assert max(numbers) <= 79
    rig.player.loop(None)
    rig.wait(lambda: (rig.seen.pictures[-1][0] or 0) > 85)


def _laps(seen: Seen) -> int:
    numbers = [number for number, _ in seen.pictures if number is not None]
    return sum(1 for a, b in pairwise(numbers) if b < a - 15)


@pytest.mark.parametrize("rate", [0.5, 2.0])
def test_speed_changes_how_fast_pictures_come(rig, rate):
    rig.player.open(clip(_spec("mp4")))
    rig.player.play()
    rig.wait(lambda: len(rig.seen.pictures) > 5)
    rig.player.set_rate(rate)
    begin_s, begin = rig.player.position_s, time.monotonic()
    rig.wait(lambda: time.monotonic() - begin > 2.5)
    passed = (rig.player.position_s - begin_s) / (time.monotonic() - begin)
    assert passed == pytest.approx(rate, rel=0.35)


def test_sound_alone_plays_and_keeps_time(rig):
    facts = rig.player.open(clip(_spec("mp3")))
    assert (facts.has_video, facts.has_audio) == (False, True)
    rig.player.seek_to(3.0)
    rig.wait(lambda: abs(rig.player.position_s - 3.0) < 0.1)
    rig.player.play()
    rig.wait(lambda: rig.player.position_s > 3.4)
    rig.player.pause()
    held = rig.player.position_s
    assert held == pytest.approx(3.4, abs=1.0)
    assert rig.player.position_s == held
    assert rig.seen.pictures == []


def test_what_cannot_be_opened_is_said(rig, tmp_path):
    with pytest.raises(PlayerError):
        rig.player.open(tmp_path / "none.mp4")
    assert rig.player.state is PlayerState.FAILED
    empty = tmp_path / "empty.mp4"
    empty.touch()
    with pytest.raises(PlayerError):
        rig.player.open(empty)
    rig.player.open(clip(_spec("mp4")))
    assert rig.player.state is PlayerState.PAUSED


def test_a_closed_player_refuses(rig):
    rig.player.open(clip(_spec("mp4")))
    rig.player.play()
    rig.player.close()
    rig.player.close()
    with pytest.raises(PlayerError):
        rig.player.play()


def test_without_a_file_nothing_plays(rig):
    with pytest.raises(PlayerError):
        rig.player.play()
    assert rig.player.position_s == 0.0
    assert rig.player.duration_s == 0.0


def test_delivered_memory_does_not_change_until_as_many_were_delivered(rig):
    """V2."""
    kept: list[tuple[memoryview, bytes]] = []
    broken: list[int] = []

    def sink(frame: Frame) -> None:
        kept.append((frame.data, bytes(frame.data)))
        for data, copy in kept[-4:]:
            if bytes(data) != copy:
                broken.append(frame.serial)

    rig.player.on_frame(sink)
    rig.player.open(clip(_spec("mp4")))
    rig.player.play()
    rig.wait(lambda: len(kept) > 25)
    rig.player.pause()
    assert broken == []


def test_no_method_is_needed_from_a_sink(rig):
    """V1: a sink that blocks for a moment harms nothing but its own pictures."""
    hold = threading.Event()
    rig.player.on_frame(lambda _frame: hold.wait(0.02) and None)
    rig.player.open(clip(_spec("mp4")))
    rig.player.play()
    rig.wait(lambda: rig.player.position_s > 0.5)
    rig.player.pause()
    assert rig.player.state is PlayerState.PAUSED
