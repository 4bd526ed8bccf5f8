"""One rendition: playlist, segments over several connections, one file VLC plays.

Invariants:
  V1  The file is the segments' bytes in order and nothing else: two rooms get the same digest.
  V2  A segment counts once it was appended and marked; later lives begin after the last one.
  V3  Nothing of a protected rendition is kept, and no segment of it is asked for.
"""

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from client.domain.cancel import CancelToken
from client.domain.catalogue import RemoteFile
from client.domain.failpoint import failpoint
from client.store.blob_store import BlobStore, StoredFile, growing_key
from client.store.growing import Growing
from sync.engine.assembly import Assembly
from sync.engine.content import WrongContentError, require_kind, require_packets
from sync.engine.download import Downloader, Wanted
from sync.engine.hls import ProtectedMediaError, Segment, parse_playlist, segment_urls
from sync.engine.pacing import LinkMeter, Width

if TYPE_CHECKING:
    from client.store.salvage_blocks import Salvage

_EXT: Final = ".ts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What a rendition is fetched with."""

    downloader: Downloader
    blobs: BlobStore
    meter: LinkMeter
    pool: ThreadPoolExecutor
    reachable: Callable[[str], str]
    """Turns an address of a playlist into a reachable one, or raises `ProtocolError`."""


class Stretches(Protocol):
    """The segments of a film from near by; `sync.engine.near_link.NearStretches` is one."""

    @property
    def playlist(self) -> bytes:
        """Give the publisher's list of them; its digest is not checked yet."""
        ...

    def read(self, index: int, cancel: CancelToken) -> bytes | None:
        """Give the bytes of one, None if there is no such. Any thread; blocking.

        Raises:
            TransportError: Whoever had it is gone.
        """
        ...


class RenditionFetch:
    """Fetches one rendition; used once, by one thread.

    Args:
        tools: See `Tools`.
        file: The rendition; its catalogue entry describes the playlist.
        urls: Reachable addresses of the playlist.
        width: Connections to begin with.
        near: Where segments are asked for first.
    """

    def __init__(
        self,
        tools: Tools,
        file: RemoteFile,
        urls: tuple[str, ...],
        width: Width,
        near: Stretches | None = None,
    ) -> None:
        self._tools = tools
        self._near = near
        self._file = file
        self._urls = urls
        self._key = growing_key(file.path, file.md5)
        self._playlist = tools.blobs.growing(f"{self._key}-list", f"{file.path} {file.md5}")
        self._segments: tuple[Segment, ...] = ()
        self._whole: Growing | None = None
        self._salvage: Salvage | None = None
        self._identity = ""
        self.width = width

    @property
    def bytes_done(self) -> int:
        """Bytes of the file that count for resume."""
        return 0 if self._whole is None else self._whole.size

    def finished(self) -> StoredFile | None:
        """Give the file an earlier life committed without recording it."""
        if not self._playlist.size:
            return None
        return self._tools.blobs.finished(self._open_whole())

    def take_up(self) -> int:
        """Find what earlier lives left; returns its bytes. Call it before `run`."""
        kept = self._playlist.size
        if kept and self._playlist.md5 == self._file.md5:
            self._open_whole()
        return kept + self.bytes_done

    def run(self, cancel: CancelToken) -> Growing:
        """Bring the file; it is complete and checked, but not committed.

        Raises:
            ProtectedMediaError: The playlist names a key; nothing is kept.
            WrongContentError: The bytes are not what the catalogue describes; nothing is kept.
            TransportError, RefusedError, StorageError, Cancelled: What came is kept.
        """
        try:
            self._read_playlist(cancel)
            failpoint("fetch.after_playlist")
            return self._assemble(cancel)
        except (ProtectedMediaError, WrongContentError):
            self.discard()
            raise

    def retire(self) -> None:
        """Delete what grew here, once the row of the committed file is kept; its marks stay."""
        self._tools.blobs.retire(self._open_whole(), self._playlist.read())
        self.discard()

    def discard(self) -> None:
        """Delete what grew here; the committed file is no longer part of it."""
        if self._whole is not None:
            self._whole.discard()
        self._playlist.discard()
        self._tools.blobs.clear(self._key)

    def _read_playlist(self, cancel: CancelToken) -> None:
        self._take_playlist()
        wanted = Wanted(
            urls=self._urls,
            size_bytes=self._file.size_bytes,
            md5=self._file.md5,
            check_head=lambda head: require_kind(self._file, head),
        )
        self._tools.downloader.fetch(self._playlist, wanted, cancel)
        self._playlist.mark()
        self._playlist.close()
        self._segments = parse_playlist(self._playlist.read(), self._file.segments)
        self._playlist.close()

    def _take_playlist(self) -> None:
        """Take the list from near by, if it is the one that the catalogue names."""
        data = b"" if self._near is None else self._near.playlist
        md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
        if md5 == self._file.md5 and self._playlist.md5 != md5:
            self._playlist.restart()
            self._playlist.write(data)

    def _open_whole(self) -> Growing:
        """Open the file that grows segment by segment; tied to this very playlist."""
        if self._whole is None:
            self._identity = f"{self._file.path} {self._playlist.sha256}"
            self._whole = self._tools.blobs.growing(self._key, self._identity, 0)
            self._salvage = self._tools.blobs.salvage(self._identity)
        return self._whole

    def _assemble(self, cancel: CancelToken) -> Growing:
        """Append segment after segment until the last one is in (V1, V2)."""
        whole, tools = self._open_whole(), self._tools
        assembly = Assembly(tools.pool, tools.meter, self.width, self._segment, self._append)
        try:
            assembly.run(len(whole.blocks), len(self._segments), cancel)
            if self._file.total_bytes not in (0, whole.size):
                raise WrongContentError("size_mismatch", {"found": whole.size})
        finally:
            self.width = assembly.width
            whole.close()
        return whole

    def _append(self, growing: Growing) -> None:
        whole = self._open_whole()
        whole.write(growing.read())
        whole.mark()
        failpoint("fetch.after_append")
        growing.discard()

    def _good(self, index: int, own: CancelToken) -> bytes | None:
        """Give a segment without the link (V1): of the damaged file of this list, or from near."""
        stretches = () if self._salvage is None else self._salvage.stretches
        if self._salvage is not None and len(stretches) == len(self._segments):
            good = self._salvage.read(stretches[index])
            if good is not None:
                return good
        data = None if self._near is None else self._near.read(index, own)
        if data is not None:
            require_packets(data)
        return data

    def _segment(self, index: int, own: CancelToken) -> Growing:
        """Bring one segment into its own growing file; runs on a worker."""
        segment = self._segments[index]
        name = hashlib.sha256(segment.uri.encode()).hexdigest()[:16]
        growing = self._tools.blobs.growing(
            f"{self._key}-{index:05d}", f"{self._identity} {index} {name}"
        )
        if growing.done is None and (good := self._good(index, own)) is not None:
            growing.restart()
            growing.write(good)
            growing.seal(_EXT)
        elif growing.done is None:
            urls = tuple(
                dict.fromkeys(
                    self._tools.reachable(url) for url in segment_urls(self._urls, segment)
                )
            )
            wanted = Wanted(urls=urls, check_whole=lambda one: require_packets(one.read()))
            self._tools.downloader.fetch(growing, wanted, own)
            growing.seal(_EXT)
        growing.close()
        failpoint("fetch.after_segment")
        return growing
