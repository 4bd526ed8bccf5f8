"""What a signed catalogue says of the bytes of a file, so that they may come from anywhere."""

from dataclasses import dataclass

from client.domain.ids import Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Attested:
    """One remote file, by its address without hosts, and the digest its bytes must have."""

    path: str
    digest: Digest
    size_bytes: int
    manifest: Digest
    """SHA-256 of the manifest of its blocks; empty for a file of one block, whose digest rules."""
    may_relay: bool = True
    """Whether its publisher may hand it on; nothing else of it is told then."""
