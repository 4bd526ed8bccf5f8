"""A player that does at once what it is told; time passes only with the clock it was given."""

from pathlib import Path

from client.domain.clock import FrozenClock
from client.media.port import Frame, MediaFacts, PlayerState


class ObedientPlayer:
    """See `client.media.port.Player`. `frames` off makes it a player of sound."""

    def __init__(self, clock: FrozenClock, duration_s: float = 600.0, *, frames: bool = True):
        self.clock = clock
        self.duration_s = duration_s
        self.state = PlayerState.EMPTY
        self.calls = []
        self.fails_with = None
        self._frames = frames
        self._frame_sink = None
        self._state_sink = None
        self._at_s = 0.0
        self._since = clock.seconds
        self._rate = 1.0
        self._serial = 0

    def _note(self, *call):
        if self.fails_with is not None:
            raise self.fails_with
        self.calls.append(call)

    def open(self, path: Path, *, start_s: float = 0.0) -> MediaFacts:
        self._note("open", path, start_s)
        self._set(start_s, PlayerState.PAUSED)
        return MediaFacts(
            duration_s=self.duration_s,
            width=64,
            height=36,
            has_video=self._frames,
            has_audio=True,
            frame_rate=25.0,
        )

    def play(self):
        self._note("play")
        self._set(self.position_s, PlayerState.PLAYING)

    def pause(self):
        self._note("pause")
        self._set(self.position_s, PlayerState.PAUSED)

    def seek_to(self, seconds):
        self._note("seek", seconds)
        self._set(seconds, self.state)

    def set_rate(self, rate):
        self._note("rate", rate)
        self._set(self.position_s, self.state)
        self._rate = rate

    def set_volume(self, percent):
        self._note("volume", percent)

    def loop(self, begin_s, end_s=None):
        self._note("loop", begin_s, end_s)

    @property
    def position_s(self):
        if self.state is not PlayerState.PLAYING:
            return self._at_s
        passed = (self.clock.seconds - self._since) * self._rate
        return min(self.duration_s, self._at_s + passed)

    def on_frame(self, sink):
        self._frame_sink = sink

    def on_state(self, sink):
        self._state_sink = sink

    def close(self):
        self.calls.append(("close",))

    def _set(self, at_s, state):
        self._at_s, self._since, self.state = at_s, self.clock.seconds, state
        if self._frames and self._frame_sink is not None:
            self._serial += 1
            data = memoryview(bytes(64 * 36 * 4))
            self._frame_sink(
                Frame(data=data, width=64, height=36, stride=256, serial=self._serial, at_s=at_s)
            )
        if self._state_sink is not None:
            self._state_sink(state)
