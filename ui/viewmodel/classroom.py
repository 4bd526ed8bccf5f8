"""The class on the GUI thread: ticks the sitting, keeps the newest picture, tells the views.

Invariants:
  CM1  Pictures are coalesced: however fast they come, at most one waits for the GUI thread.
  CM2  Every view paints the same picture: `image` is made once per picture and shared.
  CM3  After `close` no callback reaches Qt any more.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final, Protocol

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtGui import QImage

from client.domain.record.bodies import Ended, TaughtBy, Understood
from client.domain.sitting import Phase
from client.domain.sitting_keys import Key
from client.media.port import Frame, FrameSink
from client.service.sitting import SittingView
from client.service.sitting_port import Notify, Written

TICK_MS: Final = 100


class SittingPort(Protocol):
    """What the screens need of `client.service.sitting.Sitting`."""

    def view(self) -> SittingView:
        """Show everything."""
        ...

    def press(self, key: Key, n: float = 0.0, track: int | None = None) -> None:
        """Answer a key."""
        ...

    def tick(self) -> None:
        """Let time pass."""
        ...

    def set_volume(self, percent: int) -> None:
        """Change the loudness."""
        ...

    def pages_known(self, track: int, document: int, pages: int) -> None:
        """Tell the length of a document."""
        ...

    def stage_lost(self) -> float:
        """Pause: pupils see nothing."""
        ...

    def note(self, text: str) -> None:
        """Write the line."""
        ...

    def understood(self, track: int, level: Understood) -> None:
        """Write 听懂."""
        ...

    def taught_by(self, who: TaughtBy) -> None:
        """Write who taught."""
        ...

    def counted(self, track: int, by: int) -> None:
        """Touch a headcount after the end."""
        ...

    def finish(self, how: Ended) -> tuple[Written, ...]:
        """Close the record."""
        ...

    def close(self) -> None:
        """Free the player."""
        ...


OpenSitting = Callable[[FrameSink, Notify], SittingPort]
"""Opens the sitting with a sink for pictures and one for "something changed"."""


class ClassroomModel(QObject):
    """One class. GUI thread, except the two sinks it gives to the sitting."""

    changed = Signal()
    """State, time or counts changed: read `view`."""
    pictured = Signal()
    """A new picture: read `image`."""
    ended = Signal()
    """The class is over; the record waits for `finish`."""

    _nudged = Signal()
    _framed = Signal()

    def __init__(self, open_sitting: OpenSitting, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._frame: Frame | None = None
        self._shown: Frame | None = None
        self._is_frame_posted = False
        self._is_nudge_posted = False
        self._is_closed = False
        self.image: QImage | None = None
        self.at_s = 0.0
        """Media time of `image`."""
        self.dropped = 0
        """Pictures that were replaced by a newer one before they could be shown."""
        self.pictures = 0
        self._serial = 0
        queued = Qt.ConnectionType.QueuedConnection
        self._nudged.connect(self._on_nudge, queued)
        self._framed.connect(self._on_frame, queued)
        self.sitting = open_sitting(self._hear_frame, self._hear_change)
        self.view = self.sitting.view()
        self._looks = _looks_of(self.view)
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.CoarseTimer)
        self._timer.timeout.connect(self.tick)
        self._timer.start(TICK_MS)

    # --- sinks, any thread --------------------------------------------------------------

    def _hear_frame(self, frame: Frame) -> None:
        self._frame = frame
        if not self._is_frame_posted and not self._is_closed:
            self._is_frame_posted = True
            self._framed.emit()

    def _hear_change(self) -> None:
        if not self._is_nudge_posted and not self._is_closed:
            self._is_nudge_posted = True
            self._nudged.emit()

    # --- GUI thread ---------------------------------------------------------------------

    def press(self, key: Key, n: float = 0.0, track: int | None = None) -> None:
        """Answer a key and show what became of it."""
        if self._is_closed:
            return
        was_ended = self.view.state.phase is Phase.ENDED
        self.sitting.press(key, n, track)
        self._publish()
        if self.view.state.phase is Phase.ENDED and not was_ended:
            self.ended.emit()

    def tick(self) -> None:
        """Let time pass and tell the views if they show something else now."""
        if self._is_closed:
            return
        self.sitting.tick()
        self._publish()

    def refresh(self) -> None:
        """Read the sitting again after a call that was made on it directly."""
        self._publish()

    def close(self) -> None:
        """Write what is left and free the player (CM3)."""
        if self._is_closed:
            return
        self._is_closed = True
        self._timer.stop()
        self.sitting.close()
        self.image = None
        self._frame = self._shown = None

    def _publish(self) -> None:
        self.view = self.sitting.view()
        looks = _looks_of(self.view)
        if looks != self._looks:
            self._looks = looks
            self.changed.emit()

    def _on_nudge(self) -> None:
        self._is_nudge_posted = False
        self.tick()

    def _on_frame(self) -> None:
        self._is_frame_posted = False
        frame = self._frame
        if frame is None or self._is_closed:
            return
        if self._serial and frame.serial > self._serial + 1:
            self.dropped += frame.serial - self._serial - 1
        self._serial = frame.serial
        self._shown = frame
        self.pictures += 1
        # The image wraps the player's own memory, which stays as it is until RING further
        # pictures came (V2); it is replaced with each of them.
        self.image = QImage(
            frame.data, frame.width, frame.height, frame.stride, QImage.Format.Format_RGB32
        )
        self.at_s = frame.at_s
        self.pictured.emit()
        self.tick()


def _looks_of(view: SittingView) -> object:
    """Leave out what changes without being seen, so that views are told a few times a second."""
    state = view.state
    tracks = tuple(
        replace(
            track,
            position_s=round(track.position_s * 4) / 4,
            screen_s=0.0,
            watched=(),
            timer=None
            if track.timer is None
            else replace(track.timer, left_s=float(round(track.timer.left_s))),
        )
        for track in state.tracks
    )
    still = replace(state, tracks=tracks, now_s=0.0)
    return replace(view, state=still), state.is_skip_armed, state.seek_shown_s
