"""A file while it arrives: `NAME.part` and the list of hashes that says what of it is good.

The list is text, one fact a line:

    tongke-list 1
    I <identity>             what these bytes are part of; another identity starts anew
    E <total> <etag> <url>   length of the whole (0 unknown), validator and address they came from
    B <length> <sha256>      a stretch that reached the disk, in order
    D <sha256> <ext>         the whole file, complete: its blob's name

Invariants:
  G1  Bytes count for resume only after they were marked: part on disk first, then its line.
  G2  The list is never trusted: opening hashes every stretch again and drops the file from the
      first one that does not match; a torn tail is cut off.
  G3  Digests of the whole are those of the bytes in the file, also after any number of resumes.
  G4  A wrong tail can be cut off; what stands before it goes on to count.
"""

import hashlib
import os
import re
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import BinaryIO, Final

from client.domain.failpoint import failpoint
from client.domain.ids import Digest
from client.store.disk import disk_errors, sync_file, write_durably
from client.store.locked import replace, unlink

BLOCK_BYTES: Final = 1 << 20
_HEAD: Final = "tongke-list 1"
_BLOCK: Final = re.compile(r"B (\d{1,15}) ([0-9a-f]{64})")
_DONE: Final = re.compile(r"D ([0-9a-f]{64}) (\.[a-z0-9]{1,5})")
_ANSWER: Final = re.compile(r"E (\d{1,15}) (\S{0,400}) (\S{1,2000})")
_WORD: Final = re.compile(r"\S{1,400}")
_READ: Final = 1 << 20
_LIST_LIMIT: Final = 8 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    total: int = 0
    etag: str = ""
    url: str = ""

    @property
    def line(self) -> str:
        return f"E {self.total} {self.etag} {self.url}"


def read_marks(path: Path, identity: str) -> tuple[tuple[int, str], ...]:
    """Read length and SHA-256 of each stretch from a kept list; none if it is of other bytes."""
    told, blocks = read_list(path)
    return blocks if told == _one_line(identity) else ()


def read_list(path: Path) -> tuple[str, tuple[tuple[int, str], ...]]:
    """Read the identity of a kept list, and length and SHA-256 of each stretch; empty for none."""
    try:
        lines = path.read_bytes().decode().split("\n")
    except (OSError, UnicodeDecodeError):
        return "", ()
    if lines[0] != _HEAD or not "".join(lines[1:2]).startswith("I "):
        return "", ()
    found = (_BLOCK.fullmatch(line) for line in lines)
    blocks = tuple((int(block[1]), block[2]) for block in found if block)
    return lines[1].removeprefix("I "), blocks


def _one_line(identity: str) -> str:
    return identity.replace("\n", " ")


class Growing:
    """One growing file. Used by one thread at a time; after a `StorageError` only good to close.

    Args:
        part: The data file, `NAME.part`; the list stands beside it.
        identity: One line that tells which bytes these are.
        block_bytes: Length after which bytes are marked by themselves, 0 for never.

    Raises:
        StorageError: The disk is full or failed (as from every method).
    """

    def __init__(self, part: Path, identity: str, block_bytes: int = BLOCK_BYTES) -> None:
        self.part: Final = part
        self._list = part.with_suffix(".list")
        self._identity = _one_line(identity)
        self._block_bytes = block_bytes
        self._blocks: list[tuple[int, str]] = []
        self._answer = _Answer()
        self.done: tuple[Digest, str] | None = None
        """Digest and extension once the file is complete; it may have been moved to its place."""
        self._file: FileIO | None = None
        self._reset_hashes()
        with disk_errors():
            self._load()

    @property
    def size(self) -> int:
        """Bytes here, marked or not."""
        return self._size

    @property
    def blocks(self) -> tuple[tuple[int, str], ...]:
        """Length and SHA-256 of the marked stretches, in order."""
        return tuple(self._blocks)

    @property
    def etag(self) -> str:
        """Validator of the answer the bytes came from, empty when unknown."""
        return self._answer.etag

    @property
    def url(self) -> str:
        """Address of that answer, empty when unknown."""
        return self._answer.url

    @property
    def total(self) -> int:
        """Length of the whole as the peer said, 0 when it did not."""
        return self._answer.total

    @property
    def sha256(self) -> Digest:
        """SHA-256 of all bytes here (G3)."""
        return Digest(self._sha256.hexdigest())

    @property
    def md5(self) -> str:
        """MD5 of all bytes here, which is what the platform announces (G3)."""
        return self._md5.hexdigest()

    def write(self, data: bytes) -> None:
        """Append bytes; marks them whenever a block is full."""
        with disk_errors():
            rest = memoryview(data)
            while rest:
                rest = rest[self._open().write(rest) :]
        self._sha256.update(data)
        self._md5.update(data)
        self._size += len(data)
        self._pending_hash.update(data)
        self._pending += len(data)
        failpoint("grow.after_write")
        if 0 < self._block_bytes <= self._pending:
            self.mark()

    def mark(self) -> None:
        """Make everything written so far count for resume (G1)."""
        if not self._pending:
            return
        with disk_errors():
            os.fsync(self._open().fileno())
            self._blocks.append((self._pending, self._pending_hash.hexdigest()))
            self._append_line("B {} {}".format(*self._blocks[-1]))
        self._begin_block()
        failpoint("grow.after_mark")

    def from_answer(self, *, etag: str, url: str, total: int) -> None:
        """Remember which answer the next bytes belong to."""
        answer = _Answer(total=total, etag=etag if _WORD.fullmatch(etag) else "", url=url)
        if answer != self._answer and _WORD.fullmatch(url):
            self._answer = answer
            with disk_errors():
                self._append_line(answer.line)

    def seal(self, ext: str) -> Digest:
        """Say that the file is complete and which blob it becomes; returns its digest."""
        self.mark()
        if self.done != (self.sha256, ext):
            with disk_errors():
                self._append_line(f"D {self.sha256} {ext}")
            self.done = (self.sha256, ext)
        self.close()
        return self.sha256

    def cut(self, size: int) -> None:
        """Throw away what stands behind the first `size` bytes (G4). Reads what stays again."""
        self.close()
        kept, claimed = 0, list[tuple[int, str]]()
        for length, digest in self._blocks:
            if kept + length > size:
                break
            kept += length
            claimed.append((length, digest))
        self._blocks = []
        self._reset_hashes()
        with disk_errors(), self.part.open("r+b") as file:
            self._keep_what_matches(claimed)
            file.seek(self._size)
            rest = file.read(size - self._size)
            file.truncate(self._size)
            sync_file(file)
        with disk_errors():
            self._rewrite()
        self.write(rest)

    def tail(self, start: int) -> bytes:
        """Give the bytes from `start` to the end."""
        with disk_errors(), self.part.open("rb") as file:
            file.seek(start)
            return file.read()

    def restart(self) -> None:
        """Throw away what is here and begin at byte 0."""
        self.discard()
        self._reset_hashes()

    def discard(self) -> None:
        """Delete both files. Idempotent."""
        self.close()
        self._blocks, self._answer, self.done = [], _Answer(), None
        self._reset_hashes()
        with disk_errors():
            unlink(self.part)
            unlink(self._list)

    def retire(self, marks: Path) -> None:
        """Keep the list of a file that is complete and in its place, under `marks`. Idempotent."""
        self.close()
        with disk_errors():
            if self._list.exists():
                replace(self._list, marks)
            unlink(self.part)

    def close(self) -> None:
        """Give the file back; a later `write` opens it again."""
        if self._file is not None:
            file, self._file = self._file, None
            with disk_errors():
                file.close()

    def read(self) -> bytes:
        """Give all bytes here; for small files."""
        self.mark()
        with disk_errors():
            return self.part.read_bytes() if self._size else b""

    def _open(self) -> FileIO:
        """Give the data file, without a buffer: what was written is in the system's hands."""
        if self._file is None:
            self._file = FileIO(self.part, "ab")
        return self._file

    def _reset_hashes(self) -> None:
        self._sha256 = hashlib.sha256()
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._size = 0
        self._begin_block()

    def _begin_block(self) -> None:
        self._pending = 0
        self._pending_hash = hashlib.sha256()

    def _append_line(self, line: str) -> None:
        new = not self._list.exists()
        with self._list.open("ab") as file:
            if new:
                file.write(f"{_HEAD}\nI {self._identity}\n".encode())
            file.write(f"{line}\n".encode())
            sync_file(file)

    def _load(self) -> None:
        """Take up what an earlier life left (G2)."""
        claimed = self._claims()
        if claimed is None:
            self.discard()
            return
        if self.part.exists():
            self._keep_what_matches(claimed)
            if self.done is not None and self.done[0] != self.sha256:
                self.done = None
            self._cut_and_rewrite(claimed)
        elif self.done is None:
            self.discard()

    def _claims(self) -> list[tuple[int, str]] | None:
        """Read the list; None when it is missing, torn at its head, or of other bytes."""
        try:
            if self._list.stat().st_size > _LIST_LIMIT:
                return None
            lines = self._list.read_bytes().decode().split("\n")
        except (FileNotFoundError, UnicodeDecodeError):
            return None
        if lines[:2] != [_HEAD, f"I {self._identity}"]:
            return None
        claimed: list[tuple[int, str]] = []
        for line in lines[2:-1]:  # what follows the last line end is torn, or empty
            if block := _BLOCK.fullmatch(line):
                claimed.append((int(block[1]), block[2]))
            elif done := _DONE.fullmatch(line):
                self.done = (Digest(done[1]), done[2])
            elif answer := _ANSWER.fullmatch(line):
                self._answer = _Answer(total=int(answer[1]), etag=answer[2], url=answer[3])
            else:
                break
        return claimed

    def _keep_what_matches(self, claimed: list[tuple[int, str]]) -> None:
        with self.part.open("rb") as file:
            for length, digest in claimed:
                if not self._matches(file, length, digest):
                    return
                self._blocks.append((length, digest))

    def _matches(self, file: BinaryIO, length: int, digest: str) -> bool:
        """Hash one stretch; its bytes count only when it is good."""
        whole, md5, stretch = self._sha256.copy(), self._md5.copy(), hashlib.sha256()
        left = length
        while left and (data := file.read(min(left, _READ))):
            for one in (whole, md5, stretch):
                one.update(data)
            left -= len(data)
        if left or not length or stretch.hexdigest() != digest:
            return False
        self._sha256, self._md5 = whole, md5
        self._size += length
        return True

    def _cut_and_rewrite(self, claimed: list[tuple[int, str]]) -> None:
        with self.part.open("r+b") as file:
            file.truncate(self._size)
            sync_file(file)
        if not self._blocks:
            self._answer = _Answer()
        if len(claimed) != len(self._blocks) or not self._list.read_bytes().endswith(b"\n"):
            self._rewrite()

    def _rewrite(self) -> None:
        lines = [_HEAD, f"I {self._identity}"]
        lines += [self._answer.line] if self._answer.url else []
        lines += [f"B {length} {digest}" for length, digest in self._blocks]
        lines += [f"D {self.done[0]} {self.done[1]}"] if self.done else []
        write_durably(self._list, ("\n".join(lines) + "\n").encode())
