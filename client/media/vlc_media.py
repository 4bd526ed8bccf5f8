"""Opening a file for libvlc: what is in it, and by which door libvlc reads it.

Transport streams are read through `VirtualMp4`, everything else by libvlc itself.

Invariants:
  D1  Callbacks and the view they read live as long as the handle.
  D2  Several readers of one file at once (libvlc opens it again when it likes) do not disturb
      each other.
"""

import ctypes
import itertools
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from client.domain.errors import PlayerError
from client.media.port import MediaFacts
from client.media.ts_index import TICKS
from client.media.virtual_mp4 import VirtualMp4, dress
from client.media.vlc_video import Tracks, tracks_of

_PARSE_S: Final = 5.0
_CACHING_MS: Final = 300
"""Read ahead: a change of speed shows so much later."""

_OPEN: Final = ctypes.CFUNCTYPE(
    ctypes.c_int,
    ctypes.c_void_p,
    ctypes.POINTER(ctypes.c_void_p),
    ctypes.POINTER(ctypes.c_uint64),
)
_READ: Final = ctypes.CFUNCTYPE(ctypes.c_ssize_t, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
_SEEK: Final = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_uint64)
_CLOSE: Final = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenMedia:
    """A media libvlc can play. `handle` is libvlc's own."""

    handle: Any
    facts: MediaFacts
    reader: object = None
    """What must live as long as the handle."""


def open_media(vlc: Any, instance: Any, path: Path) -> OpenMedia:  # noqa: ANN401 - the binding has no types
    """Read what `path` holds. Blocks for about a millisecond per minute of film.

    Raises:
        PlayerError: It is missing or has neither picture nor sound.
    """
    try:
        view = dress(path)
    except OSError as error:
        raise PlayerError("media_missing", {"name": path.name}) from error
    if view is not None:
        return _open_view(vlc, instance, view)
    media = instance.media_new_path(str(path))
    media.add_option(f":file-caching={_CACHING_MS}")
    duration_s, tracks = _parse(vlc, media)
    if not tracks.width and not tracks.has_audio:
        media.release()
        raise PlayerError("media_unplayable", {"name": path.name})
    return OpenMedia(handle=media, facts=_facts(duration_s, tracks))


class _Reader:
    """Serves a view to libvlc."""

    def __init__(self, view: VirtualMp4) -> None:
        self._view = view
        self._places: dict[int, int] = {}
        self._names = itertools.count(1)
        self.callbacks = (
            _OPEN(self._open),
            _READ(self._read),
            _SEEK(self._seek),
            _CLOSE(self._close),
        )

    def _open(self, _opaque: int, name: Any, size: Any) -> int:  # noqa: ANN401 - pointers
        number = next(self._names)
        self._places[number] = 0
        name[0] = number
        size[0] = self._view.size
        return 0

    def _read(self, name: int, buffer: int, count: int) -> int:
        piece = self._view.read(self._places[name], count)
        ctypes.memmove(buffer, piece, len(piece))
        self._places[name] += len(piece)
        return len(piece)

    def _seek(self, name: int, place: int) -> int:
        self._places[name] = place
        return 0

    def _close(self, name: int) -> None:
        self._places.pop(name, None)


def _open_view(vlc: Any, instance: Any, view: VirtualMp4) -> OpenMedia:  # noqa: ANN401 - the binding has no types
    reader = _Reader(view)
    create = vlc.dll.libvlc_media_new_callbacks
    create.restype = ctypes.c_void_p
    create.argtypes = [ctypes.c_void_p, _OPEN, _READ, _SEEK, _CLOSE, ctypes.c_void_p]
    handle = vlc.Media(
        create(ctypes.cast(instance._as_parameter_, ctypes.c_void_p), *reader.callbacks, None)
    )
    index = view.index
    facts = MediaFacts(
        duration_s=index.duration_s,
        width=index.size.width,
        height=index.size.height,
        has_video=True,
        has_audio=index.audio is not None,
        frame_rate=TICKS / index.frame_ticks,
    )
    return OpenMedia(handle=handle, facts=facts, reader=reader)


def _facts(duration_s: float, tracks: Tracks) -> MediaFacts:
    return MediaFacts(
        duration_s=duration_s,
        width=tracks.width,
        height=tracks.height,
        has_video=tracks.width > 0,
        has_audio=tracks.has_audio,
        frame_rate=tracks.frame_rate,
    )


def _parse(vlc: Any, media: Any) -> tuple[float, Tracks]:  # noqa: ANN401 - the binding has no types
    done = threading.Event()
    events = media.event_manager()
    events.event_attach(vlc.EventType.MediaParsedChanged, lambda _event: done.set())
    started = media.parse_with_options(vlc.MediaParseFlag.local, int(_PARSE_S * 1000)) == 0
    if started:
        done.wait(_PARSE_S + 1.0)
    events.event_detach(vlc.EventType.MediaParsedChanged)
    return max(0, media.get_duration()) / 1000, tracks_of(vlc, media)
