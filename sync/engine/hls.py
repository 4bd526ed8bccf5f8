"""Playlists of the platform: one rendition is a list of plain transport-stream segments.

Invariants:
  P1  A playlist with any `EXT-X-KEY` is protected: it raises before one segment is known, and
      the address of a key is never read.
  P2  A playlist is taken whole or not at all: ended, of the announced number of segments, and
      without features whose segments could not simply be joined.
"""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urljoin

from client.domain.errors import ClassroomError
from sync.engine.content import WrongContentError

_LIMIT: Final = 20_000
_HEAD: Final = "#EXTM3U"
_END: Final = "#EXT-X-ENDLIST"
_DURATION: Final = "#EXTINF:"
_KEYS: Final = ("#EXT-X-KEY", "#EXT-X-SESSION-KEY")
_UNKNOWN: Final = ("#EXT-X-MAP", "#EXT-X-BYTERANGE", "#EXT-X-STREAM-INF", "#EXT-X-I-FRAMES-ONLY")


class ProtectedMediaError(ClassroomError):
    """The media is protected: not available here and never asked for."""

    kind = "protected"

    def __init__(self) -> None:
        super().__init__("protected")


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One entry of a playlist; `uri` as it is written there."""

    uri: str
    seconds: float


def parse_playlist(data: bytes, announced: int) -> tuple[Segment, ...]:
    """Read a media playlist (P1, P2).

    Args:
        data: The file; its digest was checked before.
        announced: Number of segments the catalogue names, 0 when it does not.

    Raises:
        ProtectedMediaError: It names a key.
        WrongContentError: `playlist_unsupported` or `segment_count`.
    """
    lines = _lines(data)
    if any(line.upper().startswith(_KEYS) for line in lines):
        raise ProtectedMediaError
    if not lines or lines[0] != _HEAD or _END not in lines:
        raise WrongContentError("playlist_unsupported")
    if any(line.startswith(_UNKNOWN) for line in lines):
        raise WrongContentError("playlist_unsupported")
    segments = _segments(lines)
    if not segments or len(segments) != (announced or len(segments)) or len(segments) > _LIMIT:
        raise WrongContentError("segment_count", {"found": len(segments), "announced": announced})
    return segments


def segment_urls(playlists: tuple[str, ...], segment: Segment) -> tuple[str, ...]:
    """Give the addresses of a segment beside each address of its playlist, each once.

    Raises:
        WrongContentError: `playlist_unsupported`: the address is none.
    """
    try:
        return tuple(dict.fromkeys(urljoin(url, segment.uri) for url in playlists))
    except ValueError as error:
        raise WrongContentError("playlist_unsupported") from error


def _lines(data: bytes) -> list[str]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise WrongContentError("playlist_unsupported") from error
    return [line.strip() for line in text.splitlines() if line.strip()]


def _segments(lines: list[str]) -> tuple[Segment, ...]:
    found: list[Segment] = []
    seconds = 0.0
    for line in lines:
        if line.startswith(_DURATION):
            seconds = _seconds(line)
        elif not line.startswith("#"):
            found.append(Segment(uri=line, seconds=seconds))
            seconds = 0.0
    return tuple(found)


def _seconds(line: str) -> float:
    try:
        value = float(line[len(_DURATION) :].split(",", maxsplit=1)[0])
    except ValueError:
        return 0.0
    return value if 0.0 <= value < 86400.0 else 0.0  # noqa: PLR2004 - a day
