"""Files by their digest from hubs that attest them.

Invariants:
  HC1  What comes is kept only with the digest that a believed edition told; its blocks are checked
       as they come where it has several, under a manifest whose own digest was told.
  HC2  One hub that cannot give a file keeps no other from being asked.
  HC3  A large file comes in pieces over several connections, checked block by block as they are
       put together; from who gives no pieces it comes as one.
"""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Final

from client.domain.cancel import CancelToken
from client.domain.edition import Attested
from client.domain.ids import Digest, SourceId
from client.store.blob_store import BlobStore, growing_key
from client.store.growing import Growing
from sync.engine.assembly import Assembly
from sync.engine.blocks import Blocks, WrongBlockError
from sync.engine.content import WrongContentError
from sync.engine.download import Downloader, NoRangesError, Wanted
from sync.engine.edition_way import require_digest
from sync.engine.pacing import MOST_WIDTH, LinkMeter, Patience, Width
from sync.protocol.manifest import BLOCK_BYTES, MAX_MANIFEST_BYTES, Manifest, read_manifest
from sync.source.hub import HubAddresses
from sync.transport.port import Transport

PIECE_BYTES: Final = BLOCK_BYTES // 4
"""So small that at the end of a file no connection is left alone with much."""
_MANY: Final = 4
"""Pieces of a file from which on more than one connection is worth it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HubPlace:
    """One hub as a place of files."""

    source: SourceId
    transport: Transport
    addresses: HubAddresses


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One hub's word on a file, and the way to it."""

    attested: Attested
    addresses: HubAddresses
    downloader: Downloader
    is_near: bool = False


Attests = Callable[[str], tuple[tuple[SourceId, Attested], ...]]
"""Tells which sources attest the file at a path, and what."""


def object_key(digest: Digest) -> str:
    """Name the growing file of an object."""
    return growing_key(f"sha256/{digest}", "")


def manifest_key(digest: Digest) -> str:
    """Name the growing file of an object's manifest."""
    return growing_key(f"manifest/{digest}", "")


def nobody(_: str) -> tuple[tuple[SourceId, Attested], ...]:
    """Attest nothing."""
    return ()


class HubContent:
    """See the module. May be used from several threads.

    Args:
        places: The hubs.
        attests: What their editions say.
        blobs: Keeps what grows.
        meter: Counts what comes.
        patience: How often to try.
        pool: Brings pieces.
    """

    def __init__(
        self,
        places: Iterable[HubPlace],
        attests: Attests,
        blobs: BlobStore,
        meter: LinkMeter,
        patience: Patience,
        pool: ThreadPoolExecutor,
    ) -> None:
        self._attests = attests
        self._blobs = blobs
        self._meter = meter
        self._pool = pool
        self._width = Width(now=MOST_WIDTH // 2)
        self._ways: Final[Mapping[SourceId, tuple[HubAddresses, Downloader]]] = {
            place.source: (
                place.addresses,
                Downloader(
                    place.transport, meter, patience=patience, worked=_ignore, failed=_ignore
                ),
            )
            for place in places
        }

    def offers(self, path: str) -> tuple[Offer, ...]:
        """Give the hubs that attest the file at a path and can be asked (HC2)."""
        return tuple(
            Offer(attested=attested, addresses=way[0], downloader=way[1])
            for source, attested in self._attests(path)
            if (way := self._ways.get(source)) is not None
        )

    def growing(self, offer: Offer) -> Growing:
        """Take up or begin the file of an offer: the same, whichever hub gives it."""
        digest = offer.attested.digest
        return self._blobs.growing(object_key(digest), f"sha256 {digest}")

    def complete(self, growing: Growing, offer: Offer, cancel: CancelToken) -> None:
        """Bring what is missing of an offer (HC1).

        Raises:
            TransportError: It cannot be had now; what came is kept.
            RefusedError: The hub does not give it.
            ProtocolError: It gave other bytes.
            StorageError: The disk is full or failed.
            Cancelled: What came is kept.
        """
        told = offer.attested
        manifest = self._manifest(offer, cancel) if told.manifest else None
        if manifest is not None and not offer.is_near:
            with suppress(NoRangesError):
                try:
                    self._in_pieces(growing, offer, manifest, cancel)
                except WrongBlockError:  # once more, as F4 of `download` has it
                    self._in_pieces(growing, offer, manifest, cancel)
        wanted = Wanted(
            urls=(offer.addresses.object(told.digest),),
            size_bytes=told.size_bytes,
            manifest=manifest,
            check_whole=lambda whole: require_digest(whole, told.digest),
        )
        offer.downloader.fetch(growing, wanted, cancel)

    def _in_pieces(
        self, growing: Growing, offer: Offer, manifest: Manifest, cancel: CancelToken
    ) -> None:
        """Bring what is missing of a large file, its end too: pieces of it may be here (HC3)."""
        first, end = growing.size // PIECE_BYTES, -(-manifest.size_bytes // PIECE_BYTES)
        if end < _MANY or growing.size >= manifest.size_bytes:
            return
        pieces = _Pieces(offer, growing, Blocks(growing, manifest), self._blobs)
        assembly = Assembly(self._pool, self._meter, self._width, pieces.bring, pieces.append)
        try:
            assembly.run(first, end, cancel)
        finally:
            self._width = assembly.width
            pieces.settle()
            growing.close()

    def retire(self, growing: Growing, offer: Offer) -> None:
        """End the growing of a file whose row is kept, and its manifest's."""
        growing.discard()
        self._blobs.clear(object_key(offer.attested.digest))
        self._blobs.clear(manifest_key(offer.attested.digest))

    def _manifest(self, offer: Offer, cancel: CancelToken) -> Manifest:
        """Bring the manifest of an object, whose digest the edition told; it stays until then."""
        told, key = offer.attested, manifest_key(offer.attested.digest)
        with closing(self._blobs.growing(key, f"manifest {told.manifest}")) as growing:
            wanted = Wanted(
                urls=(offer.addresses.manifest(told.digest),),
                most_bytes=MAX_MANIFEST_BYTES,
                check_whole=lambda whole: require_digest(whole, told.manifest),
            )
            offer.downloader.fetch(growing, wanted, cancel)
            manifest = read_manifest(growing.read())
        named = (manifest.sha256.hex(), manifest.size_bytes)
        if named != (told.digest, told.size_bytes):
            raise WrongContentError("digest_mismatch")
        return manifest


class _Pieces:
    """The pieces of an object, from the byte on which is missing."""

    def __init__(self, offer: Offer, growing: Growing, blocks: Blocks, blobs: BlobStore) -> None:
        self._offer: Final = offer
        self._growing: Final = growing
        self._blocks: Final = blocks
        self._blobs: Final = blobs
        self._begun: Final = growing.size
        self._appended: list[Growing] = []

    def bring(self, number: int, cancel: CancelToken) -> Growing:
        """Bring one piece, or what is missing of it; runs on a worker."""
        told = self._offer.attested
        first = max(number * PIECE_BYTES, self._begun)
        end = min((number + 1) * PIECE_BYTES, told.size_bytes)
        growing = self._blobs.growing(
            f"{object_key(told.digest)}-{first}", f"sha256 {told.digest} {first}"
        )
        wanted = Wanted(
            urls=(self._offer.addresses.object(told.digest),),
            size_bytes=end - first,
            first=first,
            piece_of=told.size_bytes,
        )
        with closing(growing):
            self._offer.downloader.fetch(growing, wanted, cancel)
            growing.mark()
        return growing

    def append(self, piece: Growing) -> None:
        """Take the next piece; raises `WrongBlockError` when it ends a block that is wrong."""
        self._appended.append(piece)
        self._blocks.write(piece.read())
        if self._growing.size % BLOCK_BYTES == 0:
            self.settle()

    def settle(self) -> None:
        """Have the disk keep what was appended, then drop the pieces: a few at a time."""
        self._growing.mark()
        for piece in self._appended:
            piece.discard()
        self._appended = []


def _ignore(_: str) -> None:
    """Learn nothing of addresses: a hub has one."""
