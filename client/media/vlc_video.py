"""Tapping libvlc's pictures: the callbacks of its memory output, with their traps handled.

Invariants:
  T1  Every ctypes callback is referenced as long as the player that knows it (a collected one
      is a segfault).
  T2  The chroma pointer is typed `void *`: with the binding's own `char *` the write goes to a
      copy and libvlc silently delivers another format.
  T3  The size asked for is the visible one of the media track, not the padded coded size.
"""

import ctypes
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from client.media.frame_ring import FrameRing

_CHROMA: Final = b"RV32"

_UINTS: Final = ctypes.POINTER(ctypes.c_uint)
_FORMAT: Final = ctypes.CFUNCTYPE(
    ctypes.c_uint, ctypes.POINTER(ctypes.c_void_p), ctypes.c_void_p, _UINTS, _UINTS, _UINTS, _UINTS
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracks:
    """What the container says; sizes 0 without a picture."""

    width: int = 0
    height: int = 0
    frame_rate: float = 0.0
    has_audio: bool = False


def tracks_of(vlc: Any, media: Any) -> Tracks:  # noqa: ANN401 - the binding has no types
    """Read the tracks of a parsed media."""
    width = height = 0
    rate = 0.0
    has_audio = False
    for track in media.tracks_get() or []:
        if track.type == vlc.TrackType.audio:
            has_audio = True
        elif track.type == vlc.TrackType.video and not width:
            # The binding declares the C union as three fields; `track.video` reads wild memory.
            video = ctypes.cast(track.audio, ctypes.POINTER(vlc.VideoTrack)).contents
            width, height = int(video.width), int(video.height)
            if video.frame_rate_den:
                rate = video.frame_rate_num / video.frame_rate_den
    return Tracks(width=width, height=height, frame_rate=rate, has_audio=has_audio)


class VideoTap:
    """Gives a libvlc player buffers of `ring` and tells `shown(index)` for each picture.

    `shown` runs on libvlc's thread with no lock held and may only post.
    """

    def __init__(
        self, ring: FrameRing, guard: threading.Lock, shown: Callable[[int], None]
    ) -> None:
        self._ring = ring
        self._guard = guard
        self._shown = shown
        self._kept: tuple[object, ...] = ()
        self.visible: tuple[int, int] = (0, 0)
        """Size of the track about to play, set before it opens."""

    def attach(self, vlc: Any, player: Any) -> None:  # noqa: ANN401 - the binding has no types
        """Register the callbacks; once, before the player plays anything."""
        callbacks = vlc.CallbackDecorators
        lock = callbacks.VideoLockCb(self._lock)
        unlock = callbacks.VideoUnlockCb(self._unlock)
        display = callbacks.VideoDisplayCb(self._display)
        layout = _FORMAT(self._format)
        self._kept = (lock, unlock, display, layout)
        vlc.libvlc_video_set_callbacks(player, lock, unlock, display, None)
        register = vlc.dll.libvlc_video_set_format_callbacks
        register.argtypes = [ctypes.c_void_p, _FORMAT, ctypes.c_void_p]
        register.restype = None
        register(ctypes.cast(player._as_parameter_, ctypes.c_void_p), layout, None)

    def _format(
        self,
        _opaque: object,
        chroma: int,
        width: Any,  # noqa: ANN401 - pointer to unsigned
        height: Any,  # noqa: ANN401 - pointer to unsigned
        pitches: Any,  # noqa: ANN401 - pointer to unsigned
        lines: Any,  # noqa: ANN401 - pointer to unsigned
    ) -> int:
        visible = self.visible if self.visible[0] else (width[0], height[0])
        with self._guard:
            shape = self._ring.allocate(*visible)
        ctypes.memmove(chroma, _CHROMA, len(_CHROMA))
        width[0], height[0] = shape.width, shape.height
        pitches[0], lines[0] = shape.stride, shape.rows
        return self._ring.count

    def _lock(self, _opaque: object, planes: Any) -> int:  # noqa: ANN401 - pointer to pointers
        with self._guard:
            index, address = self._ring.lend()
        planes[0] = address
        return index + 1  # 0 would be a null pointer

    @staticmethod
    def _unlock(_opaque: object, _picture: object, _planes: object) -> None:
        """Do nothing: the picture is taken when it is displayed."""

    def _display(self, _opaque: object, picture: int | None) -> None:
        if picture:
            self._shown(picture - 1)
