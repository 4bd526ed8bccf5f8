"""What lies where on a stick, and what others put there; nothing of it is believed unseen.

    三年级/数学/第六单元/01 分数的初步认识/视频.mp4      plays on a television
    TONGKE/<8 bytes of a key>.idx                     one index for each packer
    TONGKE/s/<SHA-256>.les                            sheets
    TONGKE/x/                                         requests and answers of the record

Invariants:
  CS1  However much lies on a stick, a bounded number of indexes and sheets is read.
  CS2  One index or sheet that is damaged keeps no other from being read.
  CS3  What a packing that was interrupted left of a file is gone before anything is written.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from client.domain.errors import ProtocolError, StorageError
from client.domain.signer import Verify
from sync.protocol.bundle import (
    MAX_INDEX_BYTES,
    Entry,
    Index,
    Sheet,
    read_index,
    read_sheet,
    sheet_digest,
)
from sync.source.folder import Rejected
from sync.transport.stick import Stick

FOLDER: Final = "TONGKE"
MAX_INDEXES: Final = 32
MAX_INDEXED_BYTES: Final = 8 << 20
"""All indexes of a stick together."""
MAX_SHEETS_BYTES: Final = 64 << 20
"""All sheets together: some thousand lessons, a terabyte of films."""
PART: Final = ".tkpart"
"""What a file is called until it is whole; nobody else's has such a name."""
_ENDING: Final = ".idx"
_MOST_ENTRIES: Final = 20_000
_MOST_NAMES: Final = 4096


class LeftOut(Exception):  # noqa: N818 - control flow: one file or lesson is not taken
    """Says why: `code` is the end of a key `rejected.…`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """The indexes on a stick."""

    indexes: tuple[Index, ...]
    rejected: tuple[Rejected, ...]


def index_path(key: bytes) -> str:
    """Say where a packer's index lies."""
    return f"{FOLDER}/{key[:8].hex()}{_ENDING}"


def sheet_path(digest: bytes) -> str:
    """Say where a sheet lies."""
    return f"{FOLDER}/s/{digest.hex()}.les"


def is_packed(folder: Path) -> bool:
    """Tell whether a folder holds lessons as a stick does."""
    return any((folder / FOLDER).glob(f"*{_ENDING}"))


def tidy(stick: Stick, verify: Verify) -> None:
    """Remove what an interrupted packing left (CS3).

    On FAT a file that grew when the stick was pulled out may end in a cluster that counts as free.
    Whatever is written next may be given it, and would lose it again when that file is cut or
    removed: so it goes first. A renaming that was interrupted leaves both names of one file.

    Raises:
        StorageError: `stick_failed`, or `stick_read_only`: systems that find such a file let nobody
            write until the stick is plugged in again; then it is gone.
    """
    left = stick.files(PART, _MOST_ENTRIES)
    if not left:
        return
    indexes = look(stick, verify).indexes
    named = {path for index in indexes for entry in index.entries for path in entry.paths}
    for path in left:
        for one in {path, path.removesuffix(PART)} - named:
            stick.remove(one)
    stick.require_writable()


def look(stick: Stick, verify: Verify) -> Contents:
    """Read the indexes of a stick (CS1, CS2).

    Raises:
        StorageError: `stick_failed`: it is gone.
    """
    found: list[Index] = []
    rejected: list[Rejected] = []
    names = [name for name in stick.names(FOLDER, _MOST_NAMES) if name.endswith(_ENDING)]
    left, sheets_left = MAX_INDEXED_BYTES, MAX_SHEETS_BYTES
    for number, name in enumerate(names):
        path = f"{FOLDER}/{name}"
        left -= stick.size(path) or 0
        if number >= MAX_INDEXES or left < 0:
            rejected.append(Rejected(what=path, why="too_many"))
            continue
        try:
            index = _index(stick, path, verify)
        except (ProtocolError, LeftOut) as error:
            rejected.append(Rejected(what=path, why=error.code))
            continue
        fitting = tuple(_fitting(index.entries, sheets_left))
        sheets_left -= sum(entry.size_bytes for entry in fitting)
        if len(fitting) < len(index.entries):
            rejected.append(Rejected(what=path, why="too_many"))
        found.append(replace(index, entries=fitting))
    return Contents(indexes=tuple(found), rejected=tuple(rejected))


def _index(stick: Stick, path: str, verify: Verify) -> Index:
    index = read_index(whole(stick, path, MAX_INDEX_BYTES), verify)
    if path != index_path(index.key):
        raise ProtocolError("index_damaged")
    return index


def _fitting(entries: Sequence[Entry], left: int) -> Iterator[Entry]:
    """Yield the first entries whose sheets are so long together at most (CS1)."""
    for entry in entries:
        left -= entry.size_bytes
        if left < 0:
            return
        yield entry


def whole(stick: Stick, path: str, most: int) -> bytes:
    """Read a small file; a bad place costs only this file.

    Raises:
        LeftOut: `file_absent` or `unreadable`.
        StorageError: `stick_failed`: the stick itself is gone.
    """
    try:
        data = stick.read(path, most)
    except StorageError as error:
        if not stick.is_there():
            raise
        raise LeftOut("unreadable") from error
    if data is None:
        raise LeftOut("file_absent")
    return data


def sheet_of(stick: Stick, entry: Entry) -> tuple[Sheet, bytes]:
    """Read the sheet of an entry, and give its packed form too.

    Raises:
        LeftOut: As `whole`.
        ProtocolError: `sheet_damaged` or another code of `read_sheet`.
        StorageError: `stick_failed`.
    """
    data = whole(stick, sheet_path(entry.sheet), entry.size_bytes)
    if sheet_digest(data) != entry.sheet:
        raise ProtocolError("sheet_damaged")
    sheet = read_sheet(data)
    if sheet.lesson.id != entry.lesson or len(sheet.files) != len(entry.paths):
        raise ProtocolError("sheet_damaged")
    return sheet, data


def sheets(stick: Stick, index: Index) -> Iterator[tuple[Entry, Sheet]]:
    """Yield the sheets of an index that can be read."""
    for entry in index.entries:
        try:
            yield entry, sheet_of(stick, entry)[0]
        except (ProtocolError, LeftOut):
            continue
