"""Verified files by the digest of their bytes: `blobs/<aa>/<sha256><ext>`. No database here.

    blobs/
      incoming/   files that grow (`.part`, `.list`), copies under way (`.tmp`)
      arriving/   files that come from near by (`client.store.arriving`)
      damaged/    files that no longer match their name, kept for a look
      3f/3f…e1.ts

Invariants:
  B1  A file stands under its digest only when its bytes had that digest; it gets there by one
      rename after its bytes reached the disk.
  B2  After a crash anywhere in `commit` the next life finds the blob or the growing file.
  B3  A file that does not match its name is set aside the moment it is noticed.
"""

import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Final

from client.domain.cancel import CancelToken
from client.domain.errors import DigestMismatchError, StorageFullError, UserError
from client.domain.failpoint import failpoint
from client.domain.ids import Digest
from client.store import one_pass
from client.store.arriving import Arriving, Expected
from client.store.disk import disk_errors
from client.store.durable import sync_folder
from client.store.growing import BLOCK_BYTES, Growing
from client.store.one_pass import OnePass

FLOOR_BYTES: Final = 300 * 1000 * 1000
"""Room that is left free for the records, the system and everybody else."""
_READ: Final = 1 << 20
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_EXT: Final = re.compile(r"\.[a-z0-9]{1,5}")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """One file in its place."""

    digest: Digest
    ext: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """A file that was copied from elsewhere; `md5` is how the catalogue would name its bytes."""

    stored: StoredFile
    md5: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    sha256: str
    md5: str
    size_bytes: int


class BlobStore:
    """One profile's files. May be used from several threads (not for the same growing file).

    Args:
        folder: `blobs`; made when missing.
        floor_bytes: Free room below which nothing is begun.
    """

    def __init__(self, folder: Path, *, floor_bytes: int = FLOOR_BYTES) -> None:
        self.folder: Final = folder
        self._floor_bytes = floor_bytes
        self._incoming = folder / "incoming"
        self._damaged = folder / "damaged"
        with disk_errors():
            self._incoming.mkdir(parents=True, exist_ok=True)
            self._damaged.mkdir(exist_ok=True)

    # --- coming in ---------------------------------------------------------------------------

    def require_room(self, more_bytes: int) -> None:
        """Raise `StorageFullError` unless so many bytes fit above the floor."""
        with disk_errors():
            free = shutil.disk_usage(self.folder).free
        if free - more_bytes < self._floor_bytes:
            need = (more_bytes + self._floor_bytes - free + 999_999) // 1_000_000
            raise StorageFullError("disk_full", {"free_mb": free // 1_000_000, "need_mb": need})

    def free_bytes(self) -> int:
        """Tell how much may come before the floor is reached."""
        with disk_errors():
            return max(0, shutil.disk_usage(self.folder).free - self._floor_bytes)

    def growing(self, key: str, identity: str, block_bytes: int = BLOCK_BYTES) -> Growing:
        """Take up or begin the growing file `key` (see `growing_key`)."""
        return Growing(self._incoming / f"{key}.part", identity, block_bytes)

    def commit(self, growing: Growing, ext: str) -> StoredFile:
        """Move a complete, checked file to its place (B1).

        Call `growing.discard` once its row is kept. A crash in between is no loss: `growing`
        with the same key then knows the blob, and `finished` gives it.
        """
        name = clean_ext(ext)
        digest = growing.seal(name)
        size = growing.size
        failpoint("blob.before_rename")
        self._place(growing.part, digest, name)
        return StoredFile(digest=digest, ext=name, size_bytes=size)

    def finished(self, growing: Growing) -> StoredFile | None:
        """Give the blob an earlier life made of this growing file, if it is there and sound."""
        if growing.done is None or growing.size:
            return None
        digest, ext = growing.done
        if not self.matches(digest, ext):
            growing.discard()
            return None
        path = self.path(digest, ext)
        return StoredFile(digest=digest, ext=ext, size_bytes=path.stat().st_size)

    def import_file(
        self,
        source: Path,
        ext: str,
        cancel: CancelToken,
        check_head: Callable[[bytes], None] = lambda _: None,
    ) -> Imported:
        """Copy a file from elsewhere, hashing what is written; it is read once.

        Args:
            source: A readable file.
            ext: Extension of the blob.
            cancel: Checked after each MiB.
            check_head: Raises if the first MiB is not what the file is said to be.

        Raises:
            UserError: `file_unreadable` or, while somebody writes it, `file_changes`.
            StorageError: The disk is full or failed. Nothing is kept of what was not copied whole.
        """
        temp = self._incoming / f"{secrets.token_hex(8)}.tmp"
        try:
            before = _facts(source)
            self.require_room(before[0])
            with disk_errors():
                said = _copy(source, temp, cancel, check_head)
            if before != _facts(source) or before[0] != said.size_bytes:
                raise UserError("file_changes", {"name": source.name})
            digest, name = Digest(said.sha256), clean_ext(ext)
            self._place(temp, digest, name)
        finally:
            temp.unlink(missing_ok=True)
        stored = StoredFile(digest=digest, ext=name, size_bytes=said.size_bytes)
        return Imported(stored=stored, md5=said.md5)

    def arriving(self, expected: Expected) -> Arriving:
        """Take up or begin a file from near by, whose digest is known."""
        # The name becomes a path: `path` refuses what is no digest.
        name = self.path(expected.digest, ".part").name
        return Arriving(self.folder / "arriving" / name, expected)

    def land(self, arriving: Arriving, ext: str) -> StoredFile:
        """Finish a file from near by and move it to its place (B1).

        Raises:
            DigestMismatchError: See `Arriving.finish`.
            StorageError: The disk refused.
        """
        arriving.finish()
        expected, name = arriving.expected, clean_ext(ext)
        failpoint("blob.before_rename")
        self._place(arriving.path, expected.digest, name)
        return StoredFile(digest=expected.digest, ext=name, size_bytes=expected.size_bytes)

    def clear_arriving(self) -> None:
        """Delete what came from near by and was not finished."""
        with disk_errors():
            for path in (self.folder / "arriving").glob("*"):
                path.unlink(missing_ok=True)

    def clear(self, key: str) -> None:
        """Delete everything that grew under `key`."""
        with disk_errors():
            for path in self._incoming.glob(f"{key}*"):
                path.unlink(missing_ok=True)

    def sweep(self, keep: Iterable[str]) -> int:
        """Delete leftovers in `incoming` whose key does not begin with one of `keep`.

        Returns:
            Bytes freed. Call it only while nothing is coming in.
        """
        kept = tuple(keep)
        freed = 0
        with disk_errors():
            for path in self._incoming.iterdir():
                if not kept or not path.name.startswith(kept) or path.suffix == ".tmp":
                    freed += path.stat().st_size
                    path.unlink()
        return freed

    # --- here --------------------------------------------------------------------------------

    def path(self, digest: Digest, ext: str) -> Path:
        """Say where a blob stands (or would)."""
        if not _DIGEST.fullmatch(digest):
            raise DigestMismatchError("digest_mismatch", {"name": digest[:64]})
        return self.folder / digest[:2] / f"{digest}{clean_ext(ext)}"

    def has(self, digest: Digest, ext: str, size_bytes: int) -> bool:
        """Tell, without reading it, whether a blob is there in its full length."""
        try:
            return self.path(digest, ext).stat().st_size == size_bytes
        except OSError:
            return False

    def matches(self, digest: Digest, ext: str, cancel: CancelToken | None = None) -> bool:
        """Read a blob and tell whether it is what its name says; set it aside if not (B3)."""
        path = self.path(digest, ext)
        try:
            found = _sha256(path, cancel or CancelToken())
        except FileNotFoundError:
            return False
        except OSError:
            found = ""  # unreadable sectors: as good as wrong bytes
        if found == digest:
            return True
        self.set_aside(digest, ext)
        return False

    def set_aside(self, digest: Digest, ext: str) -> None:
        """Take a bad blob out of its place; its bytes stay in `damaged` for a look."""
        path = self.path(digest, ext)
        with disk_errors():
            if path.exists():
                path.replace(self._damaged / path.name)

    def drop(self, digest: Digest, ext: str) -> int:
        """Delete a blob and what was set aside of it; returns the bytes freed."""
        freed = 0
        path = self.path(digest, ext)
        with disk_errors():
            for one in (path, self._damaged / path.name):
                if one.exists():
                    freed += one.stat().st_size
                    one.unlink()
        return freed

    def _place(self, temp: Path, digest: Digest, ext: str) -> None:
        target = self.path(digest, ext)
        with disk_errors():
            if not target.parent.exists():
                target.parent.mkdir()
                sync_folder(self.folder)
            temp.replace(target)
            failpoint("blob.after_rename")
            sync_folder(target.parent)
            (self._damaged / target.name).unlink(missing_ok=True)
        failpoint("blob.after_folder")


def growing_key(path: str, md5: str) -> str:
    """Name the growing file of a remote file: one edition's bytes, whatever the mirror."""
    return hashlib.sha256(f"{path}\n{md5}".encode()).hexdigest()[:32]


def clean_ext(ext: str) -> str:
    """Give a harmless extension with its dot: `.pdf` for `PDF`, `.bin` for anything odd."""
    name = "." + ext.lower().lstrip(".")
    return name if _EXT.fullmatch(name) else ".bin"


def _copy(
    source: Path, temp: Path, cancel: CancelToken, check_head: Callable[[bytes], None]
) -> _Said:
    hashes, size = (one_pass.sha256(), one_pass.md5()), 0
    with FileIO(temp, "xb") as file:
        with OnePass(file, hashes) as writer:
            for data in _pieces(source):
                cancel.check()
                if not size:
                    check_head(data)
                writer.write(data)
                size += len(data)
        os.fsync(file.fileno())
    return _Said(sha256=hashes[0].hexdigest(), md5=hashes[1].hexdigest(), size_bytes=size)


def _pieces(source: Path) -> Iterator[bytes]:
    """Read a file of somebody else: its errors are not those of our disk."""
    try:
        with source.open("rb", buffering=0) as file:
            while data := file.read(_READ):
                yield data
    except OSError as error:
        raise UserError("file_unreadable", {"name": source.name}) from error


def _facts(source: Path) -> tuple[int, int]:
    """Give length and date of a file: they tell whether somebody writes it."""
    try:
        facts = source.stat()
    except OSError as error:
        raise UserError("file_unreadable", {"name": source.name}) from error
    return facts.st_size, facts.st_mtime_ns


def _sha256(path: Path, cancel: CancelToken) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while data := file.read(_READ):
            cancel.check()
            digest.update(data)
    return digest.hexdigest()
