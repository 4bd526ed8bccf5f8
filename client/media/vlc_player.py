"""The player on libvlc: frames into Python's memory, a time to every picture.

A pilot thread owns libvlc; the methods post to it and return. libvlc's own threads only hand
over pictures and events. libvlc tells no time with a picture, and after a seek it first shows
one that is up to 160 ms early, so every seek is flown the same way: hold, go there, let go, and
let `Landing` find the picture asked for. From there `MediaClock` carries the time.

Invariants:
  V1-V4  See `client.media.port`.
  V5  Pausing takes effect before `pause` returns: pictures that libvlc still shows are not
      delivered, and the position is that of the last one delivered.
  V6  `close` returns within seconds whatever libvlc does, and may be called at any time.
"""

import math
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from client.domain.errors import PlayerError
from client.media import vlc_library
from client.media.pilot import Pilot
from client.media.port import FrameSink, MediaFacts, PlayerState, StateSink
from client.media.screening import Screening
from client.media.vlc_media import OpenMedia, open_media
from client.media.vlc_video import VideoTap

_OPEN_S: Final = 8.0
_LAND_S: Final = 1.5
_DRAIN_S: Final = 0.25
"""At most so long libvlc still shows new pictures after it was paused."""
_SHORT_S: Final = 0.06
_CLOSE_S: Final = 5.0
_SLOWEST: Final = 0.5
_FASTEST: Final = 2.0
_DEFAULT_RATE: Final = 25.0
_FULL_HD: Final = (1920, 1080)


class VlcPlayer:
    """See `client.media.port.Player`.

    Args:
        max_size: Larger pictures are scaled down while they are decoded.

    Raises:
        PlayerError: VLC is not on this machine.
    """

    def __init__(self, *, max_size: tuple[int, int] = _FULL_HD) -> None:
        self._vlc = vlc_library.bindings()
        self._instance = vlc_library.instance()
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._screen = Screening(max_size)
        self._state = PlayerState.EMPTY
        self._frame_sink: FrameSink | None = None
        self._state_sink: StateSink | None = None
        self._media: OpenMedia | None = None
        self._loop: tuple[float, float] | None = None
        self._rate = 1.0
        self._paused_at = 0.0
        self._is_running = self._is_over = self._is_broken = self._is_closed = False
        self._player: Any = self._instance.media_player_new()
        self._tap = VideoTap(self._screen.ring, self._lock, self._on_picture)
        self._tap.attach(self._vlc, self._player)
        self._pilot = Pilot("vlc-pilot", tick=self._watch_loop, failed=self._fail)
        self._listen()

    # --- what everybody calls -----------------------------------------------------------

    def open(self, path: Path, *, start_s: float = 0.0) -> MediaFacts:
        """See `Player`. Blocks until the first picture is there (50 to 400 ms)."""
        return self._pilot.call(lambda: self._load(path, start_s))

    def play(self) -> None:
        """See `Player`."""
        with self._lock:
            self._require_media()
            if self._state is PlayerState.PLAYING:
                return
            again = self._state is PlayerState.ENDED
            if not again and self._screen.landing.is_over:
                self._screen.await_next(time.monotonic())
        if again:
            self._pilot.post("seek", lambda: self._seek(0.0, then=PlayerState.PLAYING))
        else:
            self._set_state(PlayerState.PLAYING)
            self._pilot.post("obey", self._obey)

    def pause(self) -> None:
        """See `Player`."""
        with self._lock:
            self._require_media()
            if self._state is not PlayerState.PLAYING:
                return
            self._paused_at = now = time.monotonic()
            if not self._facts.has_video:
                self._screen.go_without_picture(self._position(now), now)
            if self._screen.landing.is_resume:
                self._screen.landing.give_up()
        self._set_state(PlayerState.PAUSED)
        self._pilot.post("obey", self._obey)

    def seek_to(self, seconds: float) -> None:
        """See `Player`."""
        with self._lock:
            self._require_media()
        self._leave_the_end()
        self._pilot.post("seek", lambda: self._seek(seconds))

    def set_rate(self, rate: float) -> None:
        """See `Player`."""
        with self._lock:
            self._require_open()
            self._rate = min(_FASTEST, max(_SLOWEST, rate))
        self._pilot.post("rate", self._apply_rate)

    def set_volume(self, percent: int) -> None:
        """See `Player`."""
        with self._lock:
            self._require_open()
        level = min(100, max(0, percent))
        self._pilot.post("volume", lambda: self._player.audio_set_volume(level))

    def loop(self, begin_s: float | None, end_s: float | None = None) -> None:
        """See `Player`. Without `end_s` the loop ends with the file."""
        with self._lock:
            self._require_media()
            if begin_s is None:
                self._loop = None
            else:
                end_s = self._facts.duration_s if end_s is None else end_s
                self._loop = (begin_s, max(end_s, begin_s + 2 * self._frame_s))
        self._pilot.post("loop", lambda: None)  # wakes the pilot

    @property
    def state(self) -> PlayerState:
        """See `Player`."""
        return self._state

    @property
    def position_s(self) -> float:
        """See `Player`."""
        with self._lock:
            return self._position(time.monotonic())

    @property
    def duration_s(self) -> float:
        """See `Player`."""
        media = self._media
        return media.facts.duration_s if media else 0.0

    def on_frame(self, sink: FrameSink | None) -> None:
        """See `Player`."""
        with self._lock:
            self._frame_sink = sink

    def on_state(self, sink: StateSink | None) -> None:
        """See `Player`."""
        with self._lock:
            self._state_sink = sink

    def close(self) -> None:
        """See `Player`."""
        with self._lock:
            self._is_closed = True
            self._frame_sink = None
            self._state_sink = None
            self._changed.notify_all()
        self._pilot.close(self._dispose, _CLOSE_S)

    # --- libvlc's threads ---------------------------------------------------------------

    def _listen(self) -> None:
        kinds = self._vlc.EventType
        heard: dict[Any, Callable[[Any], None]] = {
            kinds.MediaPlayerBuffering: lambda event: self._on_buffering(event.u.new_cache),
            kinds.MediaPlayerTimeChanged: lambda event: self._on_time(event.u.new_time),
            kinds.MediaPlayerPlaying: lambda _event: self._flag("_is_running"),
            kinds.MediaPlayerEndReached: lambda _event: self._flag("_is_over"),
            kinds.MediaPlayerEncounteredError: lambda _event: self._flag("_is_broken"),
        }
        events = self._player.event_manager()
        for kind, hear in heard.items():
            events.event_attach(kind, hear)
        self._heard = tuple(heard)

    def _on_buffering(self, percent: float) -> None:
        with self._lock:
            self._screen.landing.buffered(percent, time.monotonic())

    def _on_time(self, milliseconds: int) -> None:
        with self._lock:
            if self._screen.landing.is_over and self._state is PlayerState.PLAYING:
                self._screen.clock.tell(milliseconds / 1000, time.monotonic())

    def _flag(self, name: str) -> None:
        with self._lock:
            setattr(self, name, True)
            self._changed.notify_all()
        if name != "_is_running":
            self._pilot.post("obey", self._obey)

    def _on_picture(self, index: int) -> None:
        now = time.monotonic()
        with self._lock:
            is_playing = self._state is PlayerState.PLAYING
            frame = self._screen.take(index, now, is_playing=is_playing)
            sink = self._frame_sink
            self._changed.notify_all()
        if frame is not None and sink is not None:
            sink(frame)

    # --- the pilot's thread -------------------------------------------------------------

    def _load(self, path: Path, start_s: float) -> MediaFacts:
        self._player.stop()
        self._set_state(PlayerState.OPENING)
        try:
            media = open_media(self._vlc, self._instance, path)
        except PlayerError:
            self._set_state(PlayerState.FAILED)
            raise
        facts = media.facts
        with self._lock:
            previous, self._media = self._media, media
            self._loop = None
            self._rate = 1.0
            self._tap.visible = (facts.width, facts.height)
        self._begin(start_s, then=PlayerState.PAUSED)
        if previous is not None:
            previous.handle.release()
        return facts

    def _begin(self, start_s: float, *, then: PlayerState | None) -> None:
        """Start the open file from its beginning at `start_s`; without `then` the state stays."""
        start_s = self._clamp(start_s)
        facts = self._facts
        with self._lock:
            self._is_running = self._is_over = self._is_broken = False
            self._paused_at = math.inf  # it runs from here on, whatever the state says
            frame_s = self._frame_s if facts.has_video else 0.0
            self._screen.reset(frame_s)
        self._player.set_media(self._media.handle if self._media else None)
        self._mute(on=True)
        self._player.play()
        self._await(self._has_begun, _OPEN_S)
        if self._is_broken or not self._has_begun():
            self._player.stop()
            self._set_state(PlayerState.FAILED)
            raise PlayerError("media_unplayable")
        # libvlc drops pictures while its output is being set up, so even the start is flown to.
        self._fly(start_s)
        self._halt()
        self._mute(on=False)
        if self._rate != 1.0:
            self._apply_rate()
        with self._lock:
            if (then or self._state) is PlayerState.PLAYING:
                self._screen.await_next(time.monotonic())
        if then is not None:
            self._set_state(then)
        self._obey()

    def _has_begun(self) -> bool:
        if self._is_broken or self._is_over:
            return True
        return self._screen.landing.is_over if self._facts.has_video else self._is_running

    def _seek(self, seconds: float, *, then: PlayerState | None = None) -> None:
        target_s = self._clamp(seconds)
        if self._state not in (PlayerState.PLAYING, PlayerState.PAUSED, PlayerState.ENDED):
            return
        if self._is_over:
            if then is None:
                self._leave_the_end()
            self._begin(target_s, then=then)
            return
        self._fly(target_s)
        self._obey()

    def _apply_rate(self) -> None:
        """Bring libvlc to the speed asked for."""
        with self._lock:
            self._screen.clock.set_rate(self._rate, time.monotonic())
        self._player.set_rate(self._rate)

    def _fly_at_normal_speed(self) -> None:
        # libvlc errs by the way from the key frame when it seeks at another speed.
        if self._rate != 1.0:
            with self._lock:
                self._screen.clock.set_rate(1.0, time.monotonic())
            self._player.set_rate(1.0)

    def _hold(self) -> None:
        """Pause libvlc and let the pictures that it has on their way pass by."""
        with self._lock:
            is_settled = (
                self._state is PlayerState.PAUSED and time.monotonic() - self._paused_at > _DRAIN_S
            )
            self._screen.landing.hold()
        self._halt()
        if not is_settled:
            self._await(lambda: self._screen.landing.is_still or self._is_over, _DRAIN_S)

    def _halt(self) -> None:
        self._player.set_pause(1)
        self._paused_at = time.monotonic()

    def _fly(self, target_s: float) -> None:
        """Go to `target_s` and deliver its picture."""
        if not self._facts.has_video:
            self._player.set_time(round(target_s * 1000))
            with self._lock:
                self._screen.go_without_picture(target_s, time.monotonic())
            return
        self._hold()
        self._fly_at_normal_speed()
        with self._lock:
            is_silent = self._state is not PlayerState.PLAYING
            send_s = self._screen.aim(target_s)
        if is_silent:
            self._mute(on=True)
        self._player.set_time(round(send_s * 1000))
        self._player.set_pause(0)
        self._await(self._has_landed, _LAND_S)
        with self._lock:
            frame = self._screen.settle(time.monotonic())
            sink = self._frame_sink
        if frame is not None and sink is not None:
            sink(frame)
        if self._rate != 1.0:
            self._apply_rate()
        if is_silent:
            if self._state is not PlayerState.PLAYING:
                self._halt()
            self._mute(on=False)

    def _has_landed(self) -> bool:
        return self._screen.landing.is_over or self._is_over or self._is_broken

    def _obey(self) -> None:
        """Bring libvlc to where the state says it should be."""
        if self._is_broken and self._state is not PlayerState.FAILED:
            self._set_state(PlayerState.FAILED)
        elif self._is_over and self._state is PlayerState.PLAYING:
            loop = self._loop
            if loop is not None:
                self._begin(loop[0], then=PlayerState.PLAYING)
            else:
                self._set_state(PlayerState.ENDED)
        elif self._state in (PlayerState.PLAYING, PlayerState.PAUSED):
            self._player.set_pause(0 if self._state is PlayerState.PLAYING else 1)

    def _watch_loop(self) -> float | None:
        """Go back to A at B; else tell how long that will take."""
        with self._lock:
            loop = self._loop
            if loop is None or self._state is not PlayerState.PLAYING:
                return None
            left_s = (loop[1] - self._position(time.monotonic())) / self._rate - _SHORT_S
        if left_s > self._frame_s / 2:
            return left_s
        self._seek(loop[0])
        return 0.0

    def _dispose(self) -> None:
        self._player.stop()
        events = self._player.event_manager()
        for kind in self._heard:
            events.event_detach(kind)
        self._player.release()
        with self._lock:
            media, self._media = self._media, None
            self._screen.ring.forget()
        if media is not None:
            media.handle.release()
        self._set_state(PlayerState.EMPTY)

    # --- small things -------------------------------------------------------------------

    @property
    def _facts(self) -> MediaFacts:
        assert self._media is not None  # noqa: S101 - only asked with a file
        return self._media.facts

    @property
    def _frame_s(self) -> float:
        return 1.0 / (self._facts.frame_rate or _DEFAULT_RATE)

    def _clamp(self, seconds: float) -> float:
        last_s = self._facts.duration_s - (self._frame_s if self._facts.has_video else 0.0)
        return max(0.0, min(seconds, last_s)) if last_s > 0 else max(0.0, seconds)

    def _position(self, now: float) -> float:
        if self._media is None:
            return 0.0
        is_playing = self._state is PlayerState.PLAYING
        at_s = self._screen.position(now, self._rate, is_playing=is_playing)
        return min(at_s, self._facts.duration_s) if self._facts.duration_s else at_s

    def _await(self, met: Callable[[], bool], timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        with self._lock:
            while not met() and not self._is_closed:
                left_s = deadline - time.monotonic()
                if left_s <= 0:
                    return
                self._changed.wait(left_s)

    def _mute(self, *, on: bool) -> None:
        self._player.audio_set_mute(on)

    def _fail(self, _error: PlayerError) -> None:
        self._set_state(PlayerState.FAILED)

    def _leave_the_end(self) -> None:
        if self._state is PlayerState.ENDED:
            self._set_state(PlayerState.PAUSED)

    def _set_state(self, state: PlayerState) -> None:
        with self._lock:
            is_new = state is not self._state
            self._state = state
            sink = self._state_sink
        if is_new and sink is not None:
            sink(state)

    def _require_open(self) -> None:
        if self._is_closed:
            raise PlayerError("player_closed")

    def _require_media(self) -> None:
        self._require_open()
        if self._media is None:
            raise PlayerError("player_empty")
