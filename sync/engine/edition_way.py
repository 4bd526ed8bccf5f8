"""How the files of an edition come: from the web, by range, or from a folder that was carried here.

Invariants:
  EW1  A file is handed on only after its bytes had the digest and length it was named by.
  EW2  What came of a file from the web is kept, and taken up again after a cut.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

from client.domain.cancel import CancelToken
from client.domain.errors import ProtocolError, UnreachableError
from client.store.blob_store import BlobStore, growing_key
from client.store.disk import disk_errors
from client.store.growing import Growing
from sync.engine.content import WrongContentError
from sync.engine.download import Downloader, Wanted
from sync.protocol.edition import MAX_HEAD_BYTES, Head, NamedFile
from sync.source.hub import HubAddresses

Use = Callable[[Path], None]
"""Takes a file that was found right; it is gone afterwards."""
_READ: Final = 1 << 20


class EditionWay(Protocol):
    """Where an edition comes from."""

    @property
    def requests(self) -> int:
        """How many files were asked for."""
        ...

    def head(self, cancel: CancelToken) -> bytes:
        """Give the bytes of the newest head, not believed yet."""
        ...

    def bring(self, file: NamedFile, use: Use, cancel: CancelToken) -> None:
        """Have `use` called with a file of the edition (EW1).

        Raises:
            TransportError: It cannot be had now.
            RefusedError: It is not there.
            ProtocolError: It has other bytes.
        """
        ...

    def rows(self, head: Head, use: Use, cancel: CancelToken) -> bool:
        """Have `use` called with packed rows of an edition that cost nothing, if there are any.

        `use` may refuse them with `ProtocolError`. Tells whether it took some.
        """
        ...


class WebWay:
    """A hub, or a web server in its place.

    Args:
        downloader: Brings files.
        addresses: Of the hub.
        blobs: Keeps what grows.
    """

    def __init__(self, downloader: Downloader, addresses: HubAddresses, blobs: BlobStore) -> None:
        self._downloader = downloader
        self._addresses = addresses
        self._blobs = blobs
        self.requests = 0

    def head(self, cancel: CancelToken) -> bytes:
        """See `EditionWay`."""
        self.requests += 1
        growing = self._growing(self._addresses.head)
        try:
            growing.restart()
            wanted = Wanted(urls=(self._addresses.head,), most_bytes=MAX_HEAD_BYTES)
            self._downloader.fetch(growing, wanted, cancel)
            return growing.read()
        except WrongContentError as error:
            raise UnreachableError("not_the_hub") from error
        finally:
            growing.discard()

    def bring(self, file: NamedFile, use: Use, cancel: CancelToken) -> None:
        """See `EditionWay` (EW2)."""
        self.requests += 1
        growing = self._growing(file.digest)
        try:
            wanted = Wanted(
                urls=(self._addresses.edition(file.digest),),
                size_bytes=file.size_bytes,
                check_whole=lambda whole: require_digest(whole, file.digest),
            )
            self._downloader.fetch(growing, wanted, cancel)
            use(growing.part)
            growing.discard()
        finally:
            growing.close()

    def rows(self, _head: Head, _use: Use, _cancel: CancelToken) -> bool:
        """See `EditionWay`: a hub gives none."""
        return False

    def _growing(self, name: str) -> Growing:
        return self._blobs.growing(growing_key(f"edition/{name}", ""), f"edition {name}")


class FolderWay:
    """The published files of a hub in a folder: a stick, a disk, a share.

    Args:
        public: The folder that holds `v1`.
    """

    def __init__(self, public: Path) -> None:
        self._addresses = HubAddresses(base=str(public))
        self.requests = 0

    def head(self, cancel: CancelToken) -> bytes:
        """See `EditionWay`."""
        cancel.check()
        with disk_errors(), Path(self._addresses.head).open("rb") as file:
            return file.read(MAX_HEAD_BYTES + 1)

    def bring(self, file: NamedFile, use: Use, cancel: CancelToken) -> None:
        """See `EditionWay`."""
        path = Path(self._addresses.edition(file.digest))
        sha256 = hashlib.sha256()
        with disk_errors():
            if path.stat().st_size != file.size_bytes:
                raise ProtocolError("edition_damaged")
            with path.open("rb") as reader:
                while data := reader.read(_READ):
                    cancel.check()
                    sha256.update(data)
        if sha256.hexdigest() != file.digest:
            raise ProtocolError("edition_damaged")
        use(path)

    def rows(self, _head: Head, _use: Use, _cancel: CancelToken) -> bool:
        """See `EditionWay`: a folder has none."""
        return False


def require_digest(growing: Growing, digest: str) -> None:
    """Check complete bytes; raises `WrongContentError`."""
    if growing.sha256 != digest:
        raise WrongContentError("digest_mismatch")
