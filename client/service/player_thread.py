"""One thread that owns the player, so that a slow decoder never makes the teacher wait.

Invariants:
  PT1  The player is called from this one thread only; callers never block on it.
  PT2  `position_s` is None from the moment a place was asked for until a picture (or the
       player's clock) is there: a stale position never reaches the sitting.
  PT3  Of several waiting seeks only the last is carried out.
  PT4  A `PlayerError` becomes `error`; everything later but `open` and `close` is dropped.
  PT5  `close` returns within its time limit even when the player hangs.
"""

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from client.domain.clock import Clock
from client.domain.errors import PlayerError
from client.media.port import Frame, FrameSink, MediaFacts, Player, PlayerState

POLL_S: Final = 0.1
ARRIVED_S: Final = 1.0
"""A picture this near to the place asked for is the picture asked for."""
GIVE_UP_S: Final = 1.5
"""Without such a picture the player's own clock is believed after this long."""

Order = Callable[[Player], None]


@dataclass(slots=True)
class _Wanted:
    """A place on its way: `number` tells the newest request; `done_at` is when it was set."""

    number: int
    target_s: float
    done_at: float | None = None


class PlayerThread:
    """Carries out orders one after the other. Use it from one thread; sinks come from others.

    Args:
        factory: Makes the player, on the owner thread.
        clock: The program's clock.
        on_frame: Called on the player's threads with each picture; it may only post.
        on_change: Called on any thread when facts, error or state changed; it may only post.
    """

    def __init__(
        self,
        factory: Callable[[], Player],
        clock: Clock,
        on_frame: FrameSink,
        on_change: Callable[[], None],
    ) -> None:
        self._factory = factory
        self._clock = clock
        self._on_frame = on_frame
        self._on_change = on_change
        self._orders: queue.SimpleQueue[Order | None] = queue.SimpleQueue()
        self._wanted: _Wanted | None = None
        self._numbers = 0
        self._polled_s = 0.0
        self._shown_s: float | None = None
        self._facts: MediaFacts | None = None
        self._error: PlayerError | None = None
        self._state = PlayerState.EMPTY
        self._has_ended = False
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name="player", daemon=True)
        self._thread.start()

    @property
    def facts(self) -> MediaFacts | None:
        """What opening told, None until it has."""
        return self._facts

    @property
    def error(self) -> PlayerError | None:
        """Why nothing plays, None while all is well."""
        return self._error

    @property
    def state(self) -> PlayerState:
        """The player's state as last heard."""
        return self._state

    @property
    def has_ended(self) -> bool:
        """Tell whether the file came to its end since it was last told to go anywhere."""
        return self._has_ended

    @property
    def position_s(self) -> float | None:
        """Media time of the picture that is shown, None on the way to another place (PT2)."""
        wanted = self._wanted
        if wanted is not None and not self._has_arrived(wanted):
            return None
        return self._shown_s if self._shown_s is not None else self._polled_s

    def _has_arrived(self, wanted: _Wanted) -> bool:
        if wanted.done_at is None:
            return False
        shown_s = self._shown_s if self._shown_s is not None else self._polled_s
        is_near = abs(shown_s - wanted.target_s) <= ARRIVED_S
        if is_near or self._clock.monotonic() - wanted.done_at > GIVE_UP_S:
            self._wanted = None
            return True
        return False

    def open(self, path: Path, start_s: float) -> None:
        """Load a file, paused at `start_s`."""
        self._error = None
        self._facts = None
        number = self._want(start_s)

        def order(player: Player) -> None:
            self._shown_s = None
            self._facts = player.open(path, start_s=start_s)
            self._set(number)
            self._on_change()

        self._orders.put(order)

    def play(self) -> None:
        """Play on."""
        self._has_ended = False
        self._put(lambda player: player.play())

    def pause(self) -> None:
        """Hold the picture."""
        self._put(lambda player: player.pause())

    def seek(self, to_s: float) -> None:
        """Go to a media time; an older seek that still waits is left out (PT3)."""
        number = self._want(to_s)

        def order(player: Player) -> None:
            if number == self._numbers:
                player.seek_to(to_s)
                self._set(number)

        self._put(order)

    def set_rate(self, rate: float) -> None:
        """Change the speed."""
        self._put(lambda player: player.set_rate(rate))

    def set_volume(self, percent: int) -> None:
        """Change the loudness, 0 to 100."""
        self._put(lambda player: player.set_volume(percent))

    def loop(self, begin_s: float | None, end_s: float | None) -> None:
        """Repeat a stretch; None ends it."""
        self._put(lambda player: player.loop(begin_s, end_s))

    def close(self, timeout_s: float = 3.0) -> None:
        """Stop and free the player. Idempotent (PT5)."""
        if not self._is_closed:
            self._is_closed = True
            self._orders.put(None)
        self._thread.join(timeout_s)

    # --- inside ----------------------------------------------------------------------

    def _want(self, target_s: float) -> int:
        self._has_ended = False
        self._numbers += 1
        self._wanted = _Wanted(number=self._numbers, target_s=target_s)
        return self._numbers

    def _set(self, number: int) -> None:
        wanted = self._wanted
        if wanted is not None and wanted.number == number:
            wanted.done_at = self._clock.monotonic()

    def _put(self, order: Order) -> None:
        def guarded(player: Player) -> None:
            if self._error is None:
                order(player)

        self._orders.put(guarded)

    def _hear_frame(self, frame: Frame) -> None:
        self._shown_s = frame.at_s
        self._on_frame(frame)

    def _hear_state(self, state: PlayerState) -> None:
        if state is PlayerState.ENDED and self._state is not PlayerState.ENDED:
            self._has_ended = True
        self._state = state
        self._on_change()

    def _run(self) -> None:
        player = self._make()
        while True:
            order = self._wait()
            if order is None:
                break
            if player is not None:
                self._do(player, order)
        if player is not None:
            player.on_frame(None)
            player.on_state(None)
            player.close()

    def _make(self) -> Player | None:
        try:
            player = self._factory()
        except PlayerError as error:
            self._fail(error)
            return None
        player.on_frame(self._hear_frame)
        player.on_state(self._hear_state)
        return player

    def _wait(self) -> Order | None:
        """Take the next order; an empty one while nothing waits, so that time is polled."""
        try:
            return self._orders.get(timeout=POLL_S)
        except queue.Empty:
            return _nothing

    def _do(self, player: Player, order: Order) -> None:
        try:
            order(player)
            if self._error is None:
                self._polled_s = player.position_s
        except PlayerError as error:
            self._fail(error)

    def _fail(self, error: PlayerError) -> None:
        self._error = error
        self._wanted = None
        self._on_change()


def _nothing(_player: Player) -> None:
    """Look at the clock only."""
