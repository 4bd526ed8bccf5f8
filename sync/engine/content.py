"""Is this the file that was asked for? Pure checks of bytes before anything is kept (P2).

Invariants:
  M1  A page of words (a login form, an error in HTML or XML) is never taken for a document,
      a picture, a recording or a film.
  M2  A transport stream is whole packets of 188 bytes, each with its sync byte.
"""

from typing import Final

from client.domain.catalogue import FileUse, RemoteFile
from client.domain.errors import ProtocolError

HEAD_BYTES: Final = 16
PACKET: Final = 188
_SYNC: Final = b"\x47"
_BOOKMARKS: Final = "marks"
_MAGIC: Final[dict[str, tuple[tuple[int, bytes], ...]]] = {
    "pdf": ((0, b"%PDF-"),),
    "jpg": ((0, b"\xff\xd8\xff"),),
    "jpeg": ((0, b"\xff\xd8\xff"),),
    "png": ((0, b"\x89PNG\r\n\x1a\n"),),
    "gif": ((0, b"GIF8"),),
    "webp": ((8, b"WEBP"),),
    "mp3": (
        (0, b"ID3"),
        (0, b"\xff\xfb"),
        (0, b"\xff\xf3"),
        (0, b"\xff\xf2"),
        (0, b"\xff\xfa"),
        (0, b"\xff\xe3"),
    ),
    "wav": ((8, b"WAVE"),),
    "ogg": ((0, b"OggS"),),
    "m4a": ((4, b"ftyp"),),
    "mp4": ((4, b"ftyp"),),
    "m3u8": ((0, b"#EXTM3U"),),
    "ts": ((0, _SYNC),),
    _BOOKMARKS: ((0, b"{"),),
}
_WORDS: Final = (b"<", b"{", b"[")
_BLANK: Final = b"\xef\xbb\xbf \t\r\n"


class WrongContentError(ProtocolError):
    """A mirror gave other bytes than the catalogue describes; another mirror may do better."""


def require_kind(file: RemoteFile, head: bytes) -> None:
    """Check the first bytes of a file against its format (M1).

    Args:
        file: What was asked for.
        head: Its first `HEAD_BYTES` bytes, or all of a shorter file.

    Raises:
        WrongContentError: `not_the_file`.
    """
    known = _MAGIC.get(kind_of(file))
    if known is not None:
        fits = any(head[at : at + len(magic)] == magic for at, magic in known)
    else:
        fits = bool(head) and not head.lstrip(_BLANK).startswith(_WORDS)
    if not fits:
        raise WrongContentError("not_the_file", {"format": kind_of(file)})


def require_packets(data: bytes) -> None:
    """Check that a segment is a transport stream (M2).

    Raises:
        WrongContentError: `not_the_file`.
    """
    packets = len(data) // PACKET
    # A last packet that is cut short adds one more byte to the slice, so it is refused too.
    if not packets or data[::PACKET] != _SYNC * packets:
        raise WrongContentError("not_the_file", {"format": "ts"})


def kind_of(file: RemoteFile) -> str:
    """Give the format of a file in lower case, from its address where the catalogue is silent."""
    if file.use is FileUse.RENDITION:
        return "m3u8"
    if file.use is FileUse.BOOKMARKS:
        return _BOOKMARKS
    name = file.format or file.path.rpartition(".")[2]
    return name.lower().lstrip(".")
