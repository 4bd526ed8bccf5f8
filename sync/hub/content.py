"""What a hub shows to everybody: plain files whose paths are their addresses.

    public/v1/c/head        the signed head of the newest edition
    public/v1/c/e/DIGEST    packed rows and steps of editions, lists of withdrawals
    public/v1/o/DIGEST      an object: the bytes of a file, under their SHA-256
    public/v1/m/DIGEST      the manifest of that object's blocks
    editions                what is known here of the last editions
    withdrawn               what the next edition tells is withdrawn
    objects                 which objects the last edition has

Any web server can stand in front of `public`: nothing there is secret, nothing is computed, and
only the head ever changes.

Invariants:
  U1  A file stands under a digest only when its bytes have it; it gets there by a rename, after
      its bytes and before the head that names it reached the disk.
  U2  The head is the last thing that changes: whoever reads at any moment finds every file of the
      head they read, and of the one before.
  U3  Publishing that was cut off anywhere leaves the edition before, and the next one has a
      greater number than any that was signed here.
  U4  An object that two editions in a row do not have is deleted; one of a withdrawn lesson, which
      no other has, as soon as the withdrawal is told.
"""

import contextlib
import hashlib
import os
import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from client.domain.cancel import CancelToken
from client.domain.canon import Wire, decode_array, encode
from client.domain.errors import DigestMismatchError, ProtocolError, StorageCorruptError
from client.domain.failpoint import failpoint
from client.domain.ids import Digest, LessonId
from client.domain.withdrawal import Withdrawal
from client.store.disk import disk_errors, sync_file, write_durably
from client.store.durable import sync_folder
from sync.protocol.edition import (
    NamedFile,
    pack_withdrawals,
    read_withdrawals,
)
from sync.protocol.manifest import BLOCK_BYTES, Manifest, ManifestMaker, pack_manifest

PUBLIC: Final = "public"
WITHDRAWN: Final = "withdrawn"
MOST_EDITIONS: Final = 10
"""Editions that are kept to make steps from: a room that missed more takes the whole."""
_READ: Final = 1 << 20
_LEFTOVER: Final = ".new"
_ONE_BLOCK: Final = Digest("")


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """An edition that was made here, and the file of its rows."""

    number: int
    signed_ms: int
    rows_digest: Digest
    rows_bytes: int
    whole: NamedFile
    others: tuple[Digest, ...] = ()
    """Other files its head names."""


class ContentFolder:
    """See the module. One publisher at a time; readers need no care.

    Args:
        folder: The hub's `content` folder; made when missing.

    Raises:
        StorageError: The disk is full or failed (as from every method).
    """

    def __init__(self, folder: Path) -> None:
        self.public: Final = folder / PUBLIC
        self._known = folder / "editions"
        self._withdrawn = folder / WITHDRAWN
        self._shown = folder / "objects"
        version = self.public / "v1"
        self.head: Final = version / "c" / "head"
        self._editions = version / "c" / "e"
        self._objects = version / "o"
        self._manifests = version / "m"
        with disk_errors():
            for place in (self._editions, self._objects, self._manifests):
                place.mkdir(parents=True, exist_ok=True)

    # --- objects --------------------------------------------------------------------------

    def object(self, digest: Digest) -> Path:
        """Say where an object stands, or would."""
        return self._objects / digest

    def put_object(self, source: Path, digest: Digest, cancel: CancelToken) -> Digest:
        """Have a file among the objects (U1). One that is there already is not read again.

        Where the disk can, both names share the bytes.

        Args:
            source: A verified file that is never written to again.
            digest: What its bytes must have.
            cancel: Checked after each MiB.

        Returns:
            The digest of its manifest, empty for a file of one block.

        Raises:
            DigestMismatchError: The file has other bytes; nothing is kept of it.
        """
        with disk_errors():
            known = self._manifest_of(digest)
            if known is not None:
                return known
            temp = self._objects / f"{secrets.token_hex(8)}{_LEFTOVER}"
            try:
                _link_or_copy(source, temp)
                manifest = _hashed(temp, cancel)
                if manifest.sha256.hex() != digest:
                    raise DigestMismatchError("digest_mismatch", {"name": digest})
                failpoint("content.before_object")
                told = pack_manifest(manifest)
                if len(manifest.blocks) > 1:
                    write_durably(self._manifests / digest, told)
                temp.replace(self.object(digest))
                sync_folder(self._objects)
            finally:
                temp.unlink(missing_ok=True)
        return _named(told) if len(manifest.blocks) > 1 else _ONE_BLOCK

    def _manifest_of(self, digest: Digest) -> Digest | None:
        """Give the manifest of an object that is here, None when it is not."""
        try:
            size = self.object(digest).stat().st_size
            if size <= BLOCK_BYTES:
                return _ONE_BLOCK
            return _named((self._manifests / digest).read_bytes())
        except FileNotFoundError:
            return None

    # --- editions -------------------------------------------------------------------------

    def put_edition_file(self, pieces: Iterable[bytes]) -> NamedFile:
        """Keep a file of an edition under the digest of its bytes (U1)."""
        temp = self._editions / f"{secrets.token_hex(8)}{_LEFTOVER}"
        digest, size = hashlib.sha256(), 0
        with disk_errors():
            try:
                with temp.open("xb") as file:
                    for piece in pieces:
                        file.write(piece)
                        digest.update(piece)
                        size += len(piece)
                    sync_file(file)
                named = NamedFile(digest=Digest(digest.hexdigest()), size_bytes=size)
                temp.replace(self.edition_file(named.digest))
                sync_folder(self._editions)
            finally:
                temp.unlink(missing_ok=True)
        return named

    def edition_file(self, digest: Digest) -> Path:
        """Say where a file of an edition stands, or would."""
        return self._editions / digest

    def past(self) -> tuple[Past, ...]:
        """List the last editions, the newest last.

        Raises:
            StorageCorruptError: The list is damaged: a number could be used twice.
        """
        with disk_errors():
            try:
                data = self._known.read_bytes()
            except FileNotFoundError:
                return ()
        try:
            return tuple(map(_past_from, decode_array(data)))
        except ProtocolError as error:
            raise StorageCorruptError("editions_damaged", {"path": str(self._known)}) from error

    def withdrawals(self) -> tuple[Withdrawal, ...]:
        """List what was withdrawn, oldest first.

        Raises:
            StorageCorruptError: The list is damaged: somebody has to look.
        """
        with disk_errors():
            try:
                return read_withdrawals(self._withdrawn.read_bytes())
            except FileNotFoundError:
                return ()
            except ProtocolError as error:
                values = {"path": str(self._withdrawn)}
                raise StorageCorruptError("editions_damaged", values) from error

    def withdraw(self, one: Withdrawal) -> None:
        """Withdraw a lesson from the next edition on; the last word on it counts."""
        self._keep_list((*self._others(one.lesson), one))

    def offer_again(self, lesson: LessonId) -> None:
        """Take a withdrawal back from the next edition on."""
        self._keep_list(self._others(lesson))

    def _others(self, lesson: LessonId) -> tuple[Withdrawal, ...]:
        return tuple(other for other in self.withdrawals() if other.lesson != lesson)

    def _keep_list(self, listed: tuple[Withdrawal, ...]) -> None:
        write_durably(self._withdrawn, pack_withdrawals(listed))

    def release(
        self,
        head: bytes,
        past: Iterable[Past],
        objects: Collection[Digest],
        withdrawn: Collection[Digest] = (),
    ) -> None:
        """Show a new head, whose files are all here, and clean up behind it (U2 to U4).

        Args:
            head: The signed head of the last of `past`.
            past: All editions to remember, the newest last.
            objects: Those of its rows.
            withdrawn: Those of lessons that are withdrawn: they are not shown to anybody any more.
        """
        kept = tuple(past)[-MOST_EDITIONS:]
        write_durably(self._known, encode([_past(one) for one in kept]))
        failpoint("content.before_head")
        write_durably(self.head, head)
        failpoint("content.after_head")
        shown = {name for one in kept[-2:] for name in one.others}
        shown |= {one.whole.digest for one in kept}
        with disk_errors():
            for path in self._editions.iterdir():
                if path.name not in shown:
                    path.unlink()
        self._sweep(frozenset(objects), frozenset(withdrawn))

    def _sweep(self, objects: frozenset[Digest], withdrawn: frozenset[Digest]) -> None:
        """Delete the objects that neither this edition has nor the one before (U4)."""
        with disk_errors():
            before = self._shown.read_text("ascii").split() if self._shown.exists() else ()
            kept = objects.union(map(Digest, before)) - (withdrawn - objects)
            for folder in (self._objects, self._manifests):
                for path in folder.iterdir():
                    if path.name not in kept:
                        path.unlink()
        write_durably(self._shown, "\n".join(sorted(objects)).encode("ascii"))


def _link_or_copy(source: Path, temp: Path) -> None:
    """Give a file a second name, or make a second file where the disk knows no such thing."""
    with contextlib.suppress(OSError):
        os.link(source, temp)
        return
    with source.open("rb") as reader, temp.open("xb") as writer:
        while data := reader.read(_READ):
            writer.write(data)
        sync_file(writer)


def _hashed(path: Path, cancel: CancelToken) -> Manifest:
    maker = ManifestMaker()
    with path.open("rb") as file:
        while data := _read(file, cancel):
            maker.update(data)
    return maker.manifest()


def _read(file: BinaryIO, cancel: CancelToken) -> bytes:
    cancel.check()
    return file.read(_READ)


def _named(data: bytes) -> Digest:
    return Digest(hashlib.sha256(data).hexdigest())


def _past(one: Past) -> Wire:
    return [
        one.number,
        one.signed_ms,
        one.rows_digest,
        one.rows_bytes,
        one.whole.digest,
        one.whole.size_bytes,
        list(one.others),
    ]


def _past_from(wire: Wire) -> Past:
    match wire:
        case [
            int(number),
            int(signed_ms),
            str(rows_digest),
            int(rows_bytes),
            str(whole),
            int(size),
            list(others),
        ]:
            return Past(
                number=number,
                signed_ms=signed_ms,
                rows_digest=Digest(rows_digest),
                rows_bytes=rows_bytes,
                whole=NamedFile(digest=Digest(whole), size_bytes=size),
                others=tuple(Digest(str(other)) for other in others),
            )
        case _:
            raise ProtocolError("message_invalid")
