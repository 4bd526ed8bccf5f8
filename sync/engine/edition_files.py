"""The rows of the newest believed edition of one hub, in a folder of the profile.

    NUMBER-DIGEST.rows     the packed stream; DIGEST is that of the stream
    withdrawn              the hub's list of withdrawals, and
    head                   the signed head that names it: both go on to others
    *.new                  under way, deleted at the next start

Invariants:
  EF1  A file stands under the name of an edition only after its stream had that digest and length
       and its bytes reached the disk.
  EF2  Rows are read as a stream: one group at a time is in memory.
  EF3  Rows that are damaged on this disk are thrown away, and the edition comes anew.
"""

import hashlib
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from client.domain.canon import decode_array
from client.domain.errors import DigestMismatchError, ProtocolError
from client.domain.ids import Digest
from client.domain.withdrawal import Withdrawal
from client.store.disk import disk_errors, sync_file, write_durably
from client.store.durable import sync_folder
from sync.protocol.edition import MAX_ROWS_BYTES, Head, read_withdrawals
from sync.protocol.edition_rows import MAX_GROUP_BYTES, book_of
from sync.protocol.row_stream import (
    QUICK,
    Row,
    applied,
    framed,
    group_of_row,
    in_order,
    packed,
    rows_in,
    unpacked,
)

_READ: Final = 1 << 16
_NEW: Final = ".new"
_ROWS: Final = ".rows"
_LIST: Final = "withdrawn"
_HEAD: Final = "head"


@dataclass(frozen=True, slots=True, kw_only=True)
class RowGroup:
    """The rows of one book, not looked into, and the digest they are remembered by."""

    digest: str
    rows: tuple[bytes, ...]

    @property
    def key(self) -> str:
        """The book's id, empty for what stands in none."""
        return book_of(decode_array(self.rows[0]))

    def read(self) -> Iterator[Row]:
        """Look into them (R1 of `row_stream`)."""
        return in_order(self.rows)


class EditionFiles:
    """See the module. One thread at a time.

    Args:
        folder: Of one hub; made when missing.

    Raises:
        StorageError: The disk is full or failed (as from every method).
    """

    def __init__(self, folder: Path) -> None:
        self.folder: Final = folder
        with disk_errors():
            folder.mkdir(parents=True, exist_ok=True)
            for path in folder.glob(f"*{_NEW}"):
                path.unlink()

    def number(self) -> int:
        """Tell of which edition rows are here, 0 if of none."""
        path = self._path()
        return 0 if path is None else _number(path)

    def has(self, digest: Digest) -> bool:
        """Tell whether rows of this digest are here; they are not read."""
        path = self._path()
        return path is not None and path.name.endswith(f"-{digest}{_ROWS}")

    def keep_whole(self, file: Path, head: Head) -> None:
        """Take the packed stream of all rows (EF1).

        Raises:
            ProtocolError: It is not what the head names.
        """
        self._keep(head, rows_in(unpacked(_pieces(file), head.rows_bytes)))

    def keep_steps(self, file: Path, unpacked_bytes: int, head: Head) -> None:
        """Take what packed steps make of the rows that are here (EF1).

        Raises:
            ProtocolError: It is not what the head names, or the rows here are damaged.
        """
        steps = rows_in(unpacked(_pieces(file), unpacked_bytes))
        self._keep(head, applied(self._rows(), steps))

    def groups(self) -> Iterator[RowGroup]:
        """Give the rows that are here, group by group (EF2).

        Raises:
            ProtocolError: They are damaged, or no order is in them; they are gone then (EF3).
        """
        try:
            yield from self._groups()
        except ProtocolError:
            self.forget()
            raise

    def forget(self) -> None:
        """Throw the rows away."""
        with disk_errors():
            for path in self.folder.glob(f"*{_ROWS}"):
                path.unlink()

    def has_withdrawals(self, digest: Digest) -> bool:
        """Tell whether the list with this digest is here."""
        return withdrawals_in(self.folder, digest) is not None

    def keep_withdrawals(self, data: bytes) -> None:
        """Take a list of withdrawals that was found right; empty for none."""
        write_durably(self.folder / _LIST, data)

    def keep_head(self, data: bytes) -> None:
        """Take the head of the list that is here."""
        write_durably(self.folder / _HEAD, data)

    def word(self) -> tuple[bytes, bytes] | None:
        """Give head and list as they came, None before the first."""
        head, listed = self.folder / _HEAD, self.folder / _LIST
        with disk_errors():
            if not (head.exists() and listed.exists()):
                return None
            return head.read_bytes(), listed.read_bytes()

    def withdrawals(self) -> tuple[Withdrawal, ...]:
        """Give the hub's list of withdrawals, empty where there is none."""
        path = self.folder / _LIST
        with disk_errors():
            data = path.read_bytes() if path.exists() else b""
        try:
            return read_withdrawals(data) if data else ()
        except ProtocolError:
            return ()

    # --- inside ---------------------------------------------------------------------------

    def _path(self) -> Path | None:
        with disk_errors():
            return max(self.folder.glob(f"*{_ROWS}"), key=_number, default=None)

    def _rows(self) -> Iterator[bytes]:
        path = self._path()
        return iter(()) if path is None else rows_in(unpacked(_pieces(path), MAX_ROWS_BYTES))

    def _keep(self, head: Head, rows: Iterator[bytes]) -> None:
        temp = self.folder / f"{secrets.token_hex(8)}{_NEW}"
        check = _Check(head)
        target = self.folder / f"{head.number}-{head.rows_digest}{_ROWS}"
        try:
            with disk_errors(), temp.open("xb") as file:
                for piece in packed(check.over(rows), QUICK):
                    file.write(piece)
                sync_file(file)
            check.end()
            with disk_errors():
                temp.replace(target)
                sync_folder(self.folder)
                for path in self.folder.glob(f"*{_ROWS}"):
                    if path != target:
                        path.unlink()
        finally:
            temp.unlink(missing_ok=True)

    def _groups(self) -> Iterator[RowGroup]:
        before, size, rows, digest = b"", 0, list[bytes](), hashlib.sha256()
        for row in self._rows():
            key = group_of_row(row)
            if rows and key != before:
                yield RowGroup(digest=digest.hexdigest(), rows=tuple(rows))
                if key < before:
                    raise ProtocolError("message_invalid")
                size, rows, digest = 0, [], hashlib.sha256()
            before, size = key, size + len(row)
            if size > MAX_GROUP_BYTES:
                raise ProtocolError("too_large")
            rows.append(row)
            digest.update(row)
        if rows:
            yield RowGroup(digest=digest.hexdigest(), rows=tuple(rows))


def head_in(folder: Path) -> bytes:
    """Give the head that was believed last of the hub with this folder, empty for none."""
    try:
        return (folder / _HEAD).read_bytes()
    except OSError:
        return b""


def rows_in_folder(folder: Path, digest: Digest) -> Path | None:
    """Find the packed rows of an edition by the digest of their stream."""
    return next(folder.glob(f"*-{digest}{_ROWS}"), None)


def withdrawals_in(folder: Path, digest: Digest) -> Path | None:
    """Find the hub's list of withdrawals if it has this digest."""
    path = folder / _LIST
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None
    return path if found == digest else None


class _Check:
    """Holds a stream against its head while it flows by."""

    def __init__(self, head: Head) -> None:
        self._head = head
        self._hash = hashlib.sha256()
        self._size = self._rows = 0

    def over(self, rows: Iterable[bytes]) -> Iterator[bytes]:
        """Give the frames of rows; never more bytes than the head says."""
        for frame in framed(rows):
            self._hash.update(frame)
            self._size += len(frame)
            self._rows += 1
            if self._size > self._head.rows_bytes:
                raise ProtocolError("edition_damaged")
            yield frame

    def end(self) -> None:
        """Raise `DigestMismatchError` unless it was the stream that the head names."""
        found = (self._hash.hexdigest(), self._size, self._rows)
        if found != (self._head.rows_digest, self._head.rows_bytes, self._head.rows):
            raise DigestMismatchError("edition_damaged")


def _number(path: Path) -> int:
    return int(path.name.partition("-")[0])


def _pieces(path: Path) -> Iterator[bytes]:
    with disk_errors(), path.open("rb") as file:
        while piece := file.read(_READ):
            yield piece
