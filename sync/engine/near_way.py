"""An edition of a hub by way of PCs near by: its rows from them, its head where no hub answers.

Invariants:
  NW1  The hub is asked for its newest head first. A head from near by counts only where the hub
       cannot be reached, and has to prove itself as the hub's own (`edition_trust`).
  NW2  Rows from near by are believed only as the stream that a believed head names; who gives
       others is left alone, and costs nothing but the try.
"""

from contextlib import closing
from pathlib import Path
from typing import Final

from client.domain.cancel import CancelToken
from client.domain.errors import (
    ProtocolError,
    RefusedError,
    TransportError,
)
from client.domain.ids import Digest
from client.domain.signer import Verify
from client.store.blob_store import BlobStore, growing_key
from client.store.growing import Growing
from sync.engine.download import Downloader, Wanted
from sync.engine.edition_way import EditionWay, Use, require_digest
from sync.engine.near_book import NearBook, Peer
from sync.protocol.edition import MAX_ROWS_BYTES, Head, NamedFile, open_head
from sync.protocol.near import MAX_HEADS_BYTES, read_heads
from sync.source.hub import HubAddresses


class NearWay:
    """See the module; an `EditionWay`.

    Args:
        inner: The way to the hub.
        key: Of the hub, pinned.
        book: The PCs near by.
        downloader: Brings files from them.
        blobs: Keeps what grows.
        verify: Checks heads.
    """

    def __init__(
        self,
        inner: EditionWay,
        key: bytes,
        book: NearBook,
        downloader: Downloader,
        blobs: BlobStore,
        verify: Verify,
    ) -> None:
        self._inner: Final = inner
        self._key: Final = key
        self._book: Final = book
        self._downloader: Final = downloader
        self._blobs: Final = blobs
        self._verify: Final = verify

    @property
    def requests(self) -> int:
        """See `EditionWay`: those that cost something."""
        return self._inner.requests

    def head(self, cancel: CancelToken) -> bytes:
        """See `EditionWay` (NW1)."""
        try:
            return self._inner.head(cancel)
        except TransportError:
            newest = max(self._heads(cancel), default=None)
            if newest is None:
                raise
            return newest[1]

    def bring(self, file: NamedFile, use: Use, cancel: CancelToken) -> None:
        """See `EditionWay`."""
        for peer in self._book.open():
            address = HubAddresses(base=peer.base).edition(file.digest)
            wanted = Wanted(
                urls=(address,),
                size_bytes=file.size_bytes,
                check_whole=lambda whole: require_digest(whole, file.digest),
            )
            if self._try(peer, f"edition {file.digest}", wanted, use, cancel):
                return
        self._inner.bring(file, use, cancel)

    def rows(self, head: Head, use: Use, cancel: CancelToken) -> bool:
        """See `EditionWay` (NW2)."""
        for peer in self._book.open():
            wanted = Wanted(urls=(rows_address(peer, head.rows_digest),), most_bytes=MAX_ROWS_BYTES)
            if self._try(peer, f"rows {head.rows_digest}", wanted, use, cancel):
                return True
        return False

    def _heads(self, cancel: CancelToken) -> list[tuple[int, bytes]]:
        """Give the heads of this hub that PCs know and that it signed, with their numbers."""
        found: list[tuple[int, bytes]] = []

        def take(path: Path) -> None:
            data = read_heads(path.read_bytes()).get(self._key)
            if data is not None:
                found.append((open_head(data, self._key, self._verify).number, data))

        for peer in self._book.open():
            wanted = Wanted(urls=(f"{peer.base}/v1/near/h",), most_bytes=MAX_HEADS_BYTES)
            self._try(peer, "heads", wanted, take, cancel)
        return found

    def _try(self, peer: Peer, name: str, wanted: Wanted, use: Use, cancel: CancelToken) -> bool:
        """Have `use` called with a file from one PC; tells whether it was (NW2)."""
        key = growing_key(f"near/{peer.host}/{name}", "")
        with closing(self._blobs.growing(key, name)) as growing:
            try:
                self._downloader.fetch(growing, wanted, cancel)
                growing.close()
                use(_some(growing))
            except RefusedError:
                return False  # it has not got it: no fault
            except ProtocolError:
                self._book.lied(peer)
                return False
            except TransportError:
                self._book.failed(peer)
                return False
            finally:
                growing.discard()
        return True


def _some(growing: Growing) -> Path:
    """Give the file of what came; nothing at all has none."""
    if not growing.size:
        raise ProtocolError("message_invalid")
    return growing.part


def rows_address(peer: Peer, digest: Digest) -> str:
    """Give the address of the rows of an edition at a PC."""
    return f"{peer.base}/v1/near/r/{digest}"
