"""Verified files by the digest of their bytes: `blobs/<aa>/<sha256><ext>`. No database here.

    blobs/
      incoming/   files that grow (`.part`, `.list`), copies under way (`.tmp`), notes (`.gone`)
      arriving/   files that come from near by (`client.store.arriving`)
      damaged/    files that no longer match their name, kept for a look
      marks/      hashes of the stretches of files that came, and playlists, by digest
      3f/3f…e1.ts

Invariants:
  B1  A file stands under its digest only when its bytes had that digest; it gets there by one
      rename after its bytes reached the disk.
  B2  After a crash anywhere in `commit` the next life finds the blob or the growing file.
  B3  A file that does not match its name is set aside the moment it is noticed.
  B4  A blob that is dropped or bad while another program holds it stays under a note, `.gone`,
      and goes at the next start; coming again takes the note away.
"""

import contextlib
import hashlib
import re
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
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
from client.store.disk import disk_errors, write_durably
from client.store.durable import sync_file, sync_folder
from client.store.growing import BLOCK_BYTES, Growing, read_list
from client.store.locked import replace, unlink
from client.store.one_pass import OnePass
from client.store.salvage_blocks import Salvage, find_salvage

FLOOR_BYTES: Final = 300 * 1000 * 1000
"""Room that is left free for the records, the system and everybody else."""
_READ: Final = 1 << 20
_GONE: Final = ".gone"
_SEGMENTS: Final = ".m3u8"
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
    """Empty where nobody asked for it."""
    temp: Path
    """Where it waits for `place`."""


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
        self._marks = folder / "marks"
        self._keeper: Callable[[int], None] | None = None
        self._copies: set[str] = set()
        with disk_errors():
            self._incoming.mkdir(parents=True, exist_ok=True)
            self._damaged.mkdir(exist_ok=True)
            self._marks.mkdir(exist_ok=True)

    # --- coming in ---------------------------------------------------------------------------

    def have_room_kept(self, keeper: Callable[[int], None]) -> None:
        """Have `keeper` asked for room before anything begins; it may make some, or raise."""
        self._keeper = keeper

    def room(self) -> tuple[int, int]:
        """Tell how large the disk is and how much of it is free, in bytes."""
        with disk_errors():
            usage = shutil.disk_usage(self.folder)
        return usage.total, usage.free

    def require_room(self, more_bytes: int) -> None:
        """Raise `StorageFullError` unless so many bytes fit above the floor."""
        if self._keeper is not None:
            self._keeper(more_bytes)
        _, free = self.room()
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

        Call `retire` once its row is kept. A crash in between is no loss: `growing`
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
        with disk_errors():
            unlink(self._note(path))
        return StoredFile(digest=digest, ext=ext, size_bytes=path.stat().st_size)

    def retire(self, growing: Growing, playlist: bytes = b"") -> None:
        """End the growing of a file whose row is kept; its marks stay, to mend it by.

        Where it was made of segments, their list stays beside the marks, to pass it on by.
        """
        if growing.done is not None:
            marks = self._marks / f"{growing.done[0]}.list"
            if playlist:
                write_durably(marks.with_suffix(_SEGMENTS), playlist)
            growing.retire(marks)

    def marks(self, digest: Digest) -> tuple[str, tuple[tuple[int, str], ...]]:
        """Give the identity of a blob's growing, and length and SHA-256 of its stretches.

        Both are empty where they were not kept.
        """
        return read_list(self._marks / f"{digest}.list")

    def playlist(self, digest: Digest) -> bytes:
        """Give the list of the segments that a blob was made of; empty where it was not kept."""
        try:
            return (self._marks / f"{digest}{_SEGMENTS}").read_bytes()
        except OSError:
            return b""

    def salvage(self, identity: str) -> Salvage | None:
        """Find what is still good of a file that was set aside, by its growing's identity."""
        with disk_errors():
            return find_salvage(self._damaged, self._marks, identity)

    def import_file(
        self,
        source: Path,
        ext: str,
        cancel: CancelToken,
        check_head: Callable[[bytes], None] = lambda _: None,
        *,
        with_md5: bool = True,
    ) -> Imported:
        """Copy a file from elsewhere, hashing what is written, to its place; it is read once.

        Raises:
            UserError: `file_unreadable` or, while somebody writes it, `file_changes`.
            StorageError: The disk is full or failed. Nothing is kept of what was not copied whole.
        """
        made = self.copy_in(source, ext, cancel, check_head, with_md5=with_md5)
        self.place(made)
        return made

    def copy_in(
        self,
        source: Path,
        ext: str,
        cancel: CancelToken,
        check_head: Callable[[bytes], None] = lambda _: None,
        *,
        with_md5: bool = True,
    ) -> Imported:
        """Copy a file from elsewhere, so that `place` is all that is left to do.

        Args:
            source: A readable file.
            ext: Extension of the blob.
            cancel: Checked after each MiB.
            check_head: Raises if the first MiB is not what the file is said to be.
            with_md5: Give its MD5 as well, which costs more than all the rest.

        Raises:
            UserError: `file_unreadable` or, while somebody writes it, `file_changes`.
            StorageError: The disk is full or failed. Nothing is kept of what was not copied whole.
        """
        temp = self._incoming / f"{secrets.token_hex(8)}.tmp"
        self._copies.add(temp.name)
        try:
            before = _facts(source)
            self.require_room(before[0])
            with disk_errors():
                hashes = (one_pass.sha256(), *((one_pass.md5(),) if with_md5 else ()))
                said = _copy(source, temp, cancel, check_head, hashes)
            _require_same(source, before, said)
        except BaseException:
            self._forget(temp)
            raise
        digest = Digest(said.sha256)
        stored = StoredFile(digest=digest, ext=clean_ext(ext), size_bytes=said.size_bytes)
        return Imported(stored=stored, md5=said.md5, temp=temp)

    def place(self, made: Imported) -> None:
        """Have a copied file on the disk and in its place (B1); nothing is left of it otherwise.

        Raises:
            StorageError: The disk is full or failed.
        """
        try:
            with disk_errors():
                sync_file(made.temp)
            self._place(made.temp, made.stored.digest, made.stored.ext)
        finally:
            self.let_go(made)

    def let_go(self, made: Imported) -> None:
        """Delete a copied file that does not come to its place."""
        self._forget(made.temp)

    def _forget(self, temp: Path) -> None:
        unlink(temp)
        self._copies.discard(temp.name)

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
                unlink(path)

    def clear_damaged(self) -> int:
        """Delete everything that was set aside; returns the bytes freed."""
        with disk_errors():
            return sum(self._delete(path) for path in self._damaged.glob("*"))

    def is_waiting(self, digest: Digest, ext: str) -> bool:
        """Tell whether a dropped blob is still held by another program (B4)."""
        return self._note(self.path(digest, ext)).exists()

    def clear(self, key: str) -> None:
        """Delete everything that grew under `key`."""
        with disk_errors():
            for path in self._incoming.glob(f"{key}*"):
                unlink(path)

    def sweep(self, keep: Iterable[str]) -> int:
        """Delete leftovers in `incoming` whose key does not begin with one of `keep`.

        Returns:
            Bytes freed. Call it only while nothing grows; copies under way stay.
        """
        kept = tuple(keep)
        freed = 0
        with disk_errors():
            for note in self._incoming.glob(f"*{_GONE}"):
                with contextlib.suppress(PermissionError):
                    freed += self._delete(self.folder / note.name[:2] / note.stem)
                    unlink(note)
            for path in self._incoming.iterdir():
                if path.name in self._copies:
                    continue
                is_kept = path.name.startswith(kept)
                if path.suffix == ".tmp" or not (is_kept or path.suffix == _GONE):
                    freed += self._delete(path)
        return freed

    def all_files(self) -> Iterator[Path]:
        """Give every file that stands under a digest."""
        with disk_errors():
            yield from self.folder.glob("[0-9a-f][0-9a-f]/*")

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

    def matches(
        self,
        digest: Digest,
        ext: str,
        cancel: CancelToken | None = None,
        pace: Callable[[int], None] | None = None,
    ) -> bool:
        """Read a blob and tell whether it is what its name says; set it aside if not (B3).

        Args:
            digest: Its name.
            ext: Its extension.
            cancel: Checked after each MiB.
            pace: Told the bytes of each piece that was read; it may wait.
        """
        path = self.path(digest, ext)
        try:
            found = _sha256(path, cancel or CancelToken(), pace)
        except FileNotFoundError:
            return False
        except OSError:
            found = ""  # unreadable sectors: as good as wrong bytes
        if found == digest:
            return True
        self.set_aside(digest, ext)
        return False

    def set_aside(self, digest: Digest, ext: str) -> None:
        """Take a bad blob out of its place; its bytes stay in `damaged` for a look (B4)."""
        path = self.path(digest, ext)
        with disk_errors():
            try:
                if path.exists():
                    replace(path, self._damaged / path.name)
            except PermissionError:
                self._note(path).touch()

    def drop(self, digest: Digest, ext: str) -> int:
        """Delete a blob and what was set aside of it; returns the bytes freed (B4)."""
        path = self.path(digest, ext)
        with disk_errors():
            for kept in (".list", _SEGMENTS):
                unlink(self._marks / f"{digest}{kept}")
            unlink(self.folder / "arriving" / f"{digest}.part")
            freed = self._delete(self._damaged / path.name)
            try:
                return freed + self._delete(path)
            except PermissionError:
                self._note(path).touch()
                return freed

    def _note(self, blob: Path) -> Path:
        return self._incoming / f"{blob.name}{_GONE}"

    def _delete(self, path: Path) -> int:
        try:
            size = path.stat().st_size
        except FileNotFoundError:
            return 0
        unlink(path)
        return size

    def _place(self, temp: Path, digest: Digest, ext: str) -> None:
        target = self.path(digest, ext)
        with disk_errors():
            if not target.parent.exists():
                target.parent.mkdir()
                sync_folder(self.folder)
            unlink(self._note(target))
            replace(temp, target)
            failpoint("blob.after_rename")
            sync_folder(target.parent)
            unlink(self._damaged / target.name)
        failpoint("blob.after_folder")


def growing_key(path: str, md5: str) -> str:
    """Name the growing file of a remote file: one edition's bytes, whatever the mirror."""
    return hashlib.sha256(f"{path}\n{md5}".encode()).hexdigest()[:32]


def clean_ext(ext: str) -> str:
    """Give a harmless extension with its dot: `.pdf` for `PDF`, `.bin` for anything odd."""
    name = "." + ext.lower().lstrip(".")
    return name if _EXT.fullmatch(name) else ".bin"


def _copy(
    source: Path,
    temp: Path,
    cancel: CancelToken,
    check_head: Callable[[bytes], None],
    hashes: Sequence[one_pass.Hash],
) -> _Said:
    size = 0
    with FileIO(temp, "xb") as file, OnePass(file, hashes) as writer:
        for data in _pieces(source):
            cancel.check()
            if not size:
                check_head(data)
            writer.write(data)
            size += len(data)
    sha256, *md5 = (one.hexdigest() for one in hashes)
    return _Said(sha256=sha256, md5="".join(md5), size_bytes=size)


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


def _require_same(source: Path, before: tuple[int, int], said: _Said) -> None:
    if before != _facts(source) or before[0] != said.size_bytes:
        raise UserError("file_changes", {"name": source.name})


def _sha256(path: Path, cancel: CancelToken, pace: Callable[[int], None] | None) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while data := file.read(_READ):
            cancel.check()
            digest.update(data)
            if pace is not None:
                pace(len(data))
    return digest.hexdigest()
