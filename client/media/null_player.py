"""A player without media: it keeps time, ends and fails like a real one.

It runs on a `Clock`. With the machine's clock it ticks by itself; with a frozen one the test
advances the clock and calls `tick`. Its pictures are small and carry their own number in the
same bars as the test clips.

Invariants:
  V1-V4  See `client.media.port`.
"""

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from client.domain.cancel import CancelToken
from client.domain.clock import Clock, FrozenClock
from client.domain.errors import Cancelled, PlayerError
from client.media.port import RING, Frame, FrameSink, MediaFacts, PlayerState, StateSink

_WIDTH: Final = 64
_HEIGHT: Final = 36
_CELL: Final = 2
_BITS: Final = 16
_DEFAULT: Final = MediaFacts(
    duration_s=60.0,
    width=_WIDTH,
    height=_HEIGHT,
    has_video=True,
    has_audio=True,
    frame_rate=25.0,
)


class NullPlayer:
    """See `client.media.port.Player`.

    Args:
        clock: What time it keeps.
        media: What a file of a name holds; others hold a minute of pictures and sound. A
            missing or empty file, and one that holds neither, cannot be opened.
    """

    def __init__(self, clock: Clock, media: Mapping[str, MediaFacts] | None = None) -> None:
        self._clock = clock
        self._media = dict(media or {})
        self._lock = threading.RLock()
        self._state = PlayerState.EMPTY
        self._facts: MediaFacts | None = None
        self._base_s = 0.0
        self._since = 0.0
        self._rate = 1.0
        self._loop: tuple[float, float] | None = None
        self._shown = -1
        self._serial = 0
        self._buffers = [bytearray(_WIDTH * _HEIGHT * 4) for _ in range(RING + 2)]
        self._frame_sink: FrameSink | None = None
        self._state_sink: StateSink | None = None
        self._is_closed = False
        self._token = CancelToken()
        if not isinstance(clock, FrozenClock):
            threading.Thread(target=self._run, name="null-player", daemon=True).start()

    def open(self, path: Path, *, start_s: float = 0.0) -> MediaFacts:
        """See `Player`."""
        with self._lock:
            self._require_open()
            self._set_state(PlayerState.OPENING)
            facts = self._look_at(path)
            self._facts = facts
            self._loop = None
            self._rate = 1.0
            self._shown = -1
            self._set_state(PlayerState.PAUSED)
            self._go(start_s)
            return facts

    def play(self) -> None:
        """See `Player`."""
        with self._lock:
            self._require_media()
            if self._state is PlayerState.ENDED:
                self._go(0.0)
            self._since = self._clock.monotonic()
            self._set_state(PlayerState.PLAYING)

    def pause(self) -> None:
        """See `Player`."""
        with self._lock:
            self._require_media()
            if self._state is PlayerState.PLAYING:
                self.tick()
                self._base_s = self._picture_s() if self._media_facts.has_video else self._now_s()
                self._set_state(PlayerState.PAUSED)

    def seek_to(self, seconds: float) -> None:
        """See `Player`."""
        with self._lock:
            self._require_media()
            if self._state is PlayerState.ENDED:
                self._set_state(PlayerState.PAUSED)
            self._go(seconds)

    def set_rate(self, rate: float) -> None:
        """See `Player`."""
        with self._lock:
            self._require_open()
            self._base_s, self._since = self._now_s(), self._clock.monotonic()
            self._rate = min(2.0, max(0.5, rate))

    def set_volume(self, percent: int) -> None:  # noqa: ARG002 - it is silent
        """See `Player`."""
        self._require_open()

    def loop(self, begin_s: float | None, end_s: float | None = None) -> None:
        """See `Player`."""
        with self._lock:
            self._require_media()
            end_s = self._media_facts.duration_s if end_s is None else end_s
            self._loop = None if begin_s is None else (begin_s, end_s)

    @property
    def state(self) -> PlayerState:
        """See `Player`."""
        self.tick()
        return self._state

    @property
    def position_s(self) -> float:
        """See `Player`."""
        with self._lock:
            self.tick()
            return self._now_s()

    @property
    def duration_s(self) -> float:
        """See `Player`."""
        return self._facts.duration_s if self._facts else 0.0

    def on_frame(self, sink: FrameSink | None) -> None:
        """See `Player`."""
        self._frame_sink = sink

    def on_state(self, sink: StateSink | None) -> None:
        """See `Player`."""
        self._state_sink = sink

    def close(self) -> None:
        """See `Player`."""
        with self._lock:
            self._is_closed = True
            self._frame_sink = self._state_sink = None
            self._token.cancel()

    def tick(self) -> None:
        """Do what is due by the clock: pictures, the end, the loop."""
        with self._lock:
            if self._state is not PlayerState.PLAYING or self._is_closed:
                return
            loop = self._loop
            if loop is not None and self._now_s() >= loop[1]:
                self._go(loop[0])
            elif self._now_s() >= self._media_facts.duration_s:
                self._deliver(self._last_picture())
                self._base_s = self._picture_s()
                self._set_state(PlayerState.ENDED)
            else:
                self._deliver(int(self._now_s() * self._media_facts.frame_rate + 1e-6))

    def _run(self) -> None:
        try:
            while True:
                self._token.sleep(0.01)
                self.tick()
        except Cancelled:
            return

    def _look_at(self, path: Path) -> MediaFacts:
        facts = self._media.get(path.name, _DEFAULT)
        is_there = path.is_file() and path.stat().st_size > 0
        if not is_there or not (facts.has_video or facts.has_audio):
            self._set_state(PlayerState.FAILED)
            code = "media_unplayable" if is_there else "media_missing"
            raise PlayerError(code, {"name": path.name})
        return facts

    def _go(self, seconds: float) -> None:
        facts = self._media_facts
        number = min(int(max(0.0, seconds) * facts.frame_rate + 1e-6), self._last_picture())
        self._base_s = number / facts.frame_rate
        self._since = self._clock.monotonic()
        self._shown = -1
        self._deliver(number)

    def _deliver(self, number: int) -> None:
        facts = self._media_facts
        if number == self._shown or not facts.has_video:
            return
        self._shown = number
        self._serial += 1
        buffer = self._buffers[self._serial % len(self._buffers)]
        _draw(buffer, number)
        if self._frame_sink is not None:
            self._frame_sink(
                Frame(
                    data=memoryview(buffer).toreadonly(),
                    width=_WIDTH,
                    height=_HEIGHT,
                    stride=_WIDTH * 4,
                    serial=self._serial,
                    at_s=number / facts.frame_rate,
                )
            )

    def _now_s(self) -> float:
        if self._state is not PlayerState.PLAYING:
            return self._base_s
        return self._base_s + (self._clock.monotonic() - self._since) * self._rate

    def _picture_s(self) -> float:
        return max(0, self._shown) / self._media_facts.frame_rate

    def _last_picture(self) -> int:
        facts = self._media_facts
        return max(0, round(facts.duration_s * facts.frame_rate) - 1)

    def _set_state(self, state: PlayerState) -> None:
        is_new = state is not self._state
        self._state = state
        if is_new and self._state_sink is not None:
            self._state_sink(state)

    @property
    def _media_facts(self) -> MediaFacts:
        assert self._facts is not None  # noqa: S101 - only asked with a file
        return self._facts

    def _require_open(self) -> None:
        if self._is_closed:
            raise PlayerError("player_closed")

    def _require_media(self) -> None:
        self._require_open()
        if self._facts is None:
            raise PlayerError("player_empty")


def _draw(buffer: bytearray, number: int) -> None:
    """Burn the number in: sixteen cells, least significant first, their complement below."""
    for bit in range(_BITS):
        is_on = bool(number >> bit & 1)
        for y in range(2 * _CELL):
            white = is_on == (y < _CELL)
            at = (y * _WIDTH + bit * _CELL) * 4
            buffer[at : at + 4 * _CELL] = (b"\xff" if white else b"\x00") * 4 * _CELL
