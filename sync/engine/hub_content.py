"""Files by their digest from hubs that attest them.

Invariants:
  HC1  What comes is kept only with the digest that a believed edition told; its blocks are checked
       as they come where it has several, under a manifest whose own digest was told.
  HC2  One hub that cannot give a file keeps no other from being asked.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Final

from client.domain.cancel import CancelToken
from client.domain.edition import Attested
from client.domain.ids import Digest, SourceId
from client.store.blob_store import BlobStore, growing_key
from client.store.growing import Growing
from sync.engine.content import WrongContentError
from sync.engine.download import Downloader, Wanted
from sync.engine.edition_way import require_digest
from sync.engine.pacing import LinkMeter, Patience
from sync.protocol.manifest import MAX_MANIFEST_BYTES, Manifest, read_manifest
from sync.source.hub import HubAddresses
from sync.transport.port import Transport


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
    """

    def __init__(
        self,
        places: Iterable[HubPlace],
        attests: Attests,
        blobs: BlobStore,
        meter: LinkMeter,
        patience: Patience,
    ) -> None:
        self._attests = attests
        self._blobs = blobs
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
        wanted = Wanted(
            urls=(offer.addresses.object(told.digest),),
            size_bytes=told.size_bytes,
            manifest=self._manifest(offer, cancel) if told.manifest else None,
            check_whole=lambda whole: require_digest(whole, told.digest),
        )
        offer.downloader.fetch(growing, wanted, cancel)

    def retire(self, growing: Growing, offer: Offer) -> None:
        """End the growing of a file whose row is kept, and its manifest's."""
        growing.discard()
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


def _ignore(_: str) -> None:
    """Learn nothing of addresses: a hub has one."""
