"""The player port: what every backend promises (contract suite: tests/contract/test_player.py).

Invariants:
  V1  Callbacks of a backend only post; no method of the player is ever called from its thread.
  V2  A frame belongs to the receiver: its bytes do not change after it was delivered, until
      `RING` further frames were.
  V3  `position_s` is within one frame (40 ms at 25 fps) of the frame last delivered; while
      paused it *is* that frame's time.
  V4  After `seek_to` while paused a frame at or after the target minus one frame is delivered.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol

RING = 4


class PlayerState(Enum):
    """States of a player; one setter in each backend, names are persisted in logs."""

    EMPTY = "empty"
    OPENING = "opening"
    PLAYING = "playing"
    PAUSED = "paused"
    ENDED = "ended"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One decoded picture: 32-bit BGRX rows, `stride` bytes each.

    `data` is a buffer of `stride * height` bytes; `serial` grows by one per new picture;
    `at_s` is its media time in seconds.
    """

    data: memoryview
    width: int
    height: int
    stride: int
    serial: int
    at_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaFacts:
    """What opening a file told."""

    duration_s: float
    width: int
    height: int
    has_video: bool
    has_audio: bool
    frame_rate: float


FrameSink = Callable[[Frame], None]
StateSink = Callable[[PlayerState], None]


class Player(Protocol):
    """Plays one file at a time. Call it from one thread; sinks are called from any thread."""

    def open(self, path: Path, *, start_s: float = 0.0) -> MediaFacts:
        """Load a local file, paused at `start_s` with its first frame delivered.

        Raises:
            PlayerError: It cannot be opened or has neither picture nor sound.
        """
        ...

    def play(self) -> None:
        """Play from here; after the end, from the beginning."""
        ...

    def pause(self) -> None:
        """Hold the picture. No new frame is delivered after it returned, but for one in flight."""
        ...

    def seek_to(self, seconds: float) -> None:
        """Go to a media time, clamped to the file; keeps playing or paused."""
        ...

    def set_rate(self, rate: float) -> None:
        """Play at 0.5 to 2.0 of normal speed."""
        ...

    def set_volume(self, percent: int) -> None:
        """Set loudness, 0 to 100."""
        ...

    def loop(self, begin_s: float | None, end_s: float | None = None) -> None:
        """Repeat the stretch from A to B; None ends the loop."""
        ...

    @property
    def state(self) -> PlayerState:
        """The present state."""
        ...

    @property
    def position_s(self) -> float:
        """Media time of the picture shown now, in seconds."""
        ...

    @property
    def duration_s(self) -> float:
        """Length of the open file in seconds, 0.0 without one."""
        ...

    def on_frame(self, sink: FrameSink | None) -> None:
        """Deliver frames to `sink` (called on the backend's thread: it may only post)."""
        ...

    def on_state(self, sink: StateSink | None) -> None:
        """Tell `sink` each change of state (same rule)."""
        ...

    def close(self) -> None:
        """Stop and free everything. Idempotent; later calls raise `PlayerError`."""
        ...
