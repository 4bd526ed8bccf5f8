"""Opening a file for libvlc: what is in it, and by which door libvlc reads it."""

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from client.domain.errors import PlayerError
from client.media.port import MediaFacts
from client.media.vlc_video import Tracks, tracks_of

_PARSE_S: Final = 5.0
_CACHING_MS: Final = 300
"""Read ahead: a change of speed shows so much later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenMedia:
    """A media libvlc can play. `handle` is libvlc's own."""

    handle: Any
    facts: MediaFacts
    keeps: object = None
    """What must live as long as the handle."""


def open_media(vlc: Any, instance: Any, path: Path) -> OpenMedia:  # noqa: ANN401 - the binding has no types
    """Read what `path` holds.

    Raises:
        PlayerError: It is missing or has neither picture nor sound.
    """
    if not path.is_file():
        raise PlayerError("media_missing", {"name": path.name})
    media = instance.media_new_path(str(path))
    media.add_option(f":file-caching={_CACHING_MS}")
    duration_s, tracks = _parse(vlc, media)
    if not tracks.width and not tracks.has_audio:
        media.release()
        raise PlayerError("media_unplayable", {"name": path.name})
    return OpenMedia(handle=media, facts=_facts(duration_s, tracks))


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
