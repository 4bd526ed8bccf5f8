"""Where a hub's published files are: on the web, or in a folder that was carried here.

    BASE/v1/c/head   BASE/v1/c/e/DIGEST   BASE/v1/o/DIGEST   BASE/v1/m/DIGEST

Below a folder the same names are files, so that what a hub publishes can travel on a disk.
"""

from dataclasses import dataclass

from client.domain.ids import Digest, SourceId

KIND = "hub"


@dataclass(frozen=True, slots=True, kw_only=True)
class HubAddresses:
    """Addresses below one base, which has no slash at its end."""

    base: str

    @property
    def head(self) -> str:
        """The signed head."""
        return f"{self.base}/v1/c/head"

    def edition(self, digest: Digest) -> str:
        """Give the address of a file of an edition."""
        return f"{self.base}/v1/c/e/{digest}"

    def object(self, digest: Digest) -> str:
        """Give the address of the bytes of a file."""
        return f"{self.base}/v1/o/{digest}"

    def manifest(self, digest: Digest) -> str:
        """Give the address of an object's manifest."""
        return f"{self.base}/v1/m/{digest}"


def source_of(key: bytes) -> SourceId:
    """Name the source that a hub with this key is."""
    return SourceId(f"hub-{key.hex()[:16]}")
