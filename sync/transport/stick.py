"""A folder on a stick that somebody else may have filled, and that may be gone at any moment.

Invariants:
  SF1  Nothing outside of the folder is opened, written or removed: a path that does not lead into
       it, or leads over a link, is no path.
  SF2  What stands under its name is whole: temp name, write, fsync, rename; a stick that is pulled
       out in between has what it had.
  SF3  What the stick refuses leaves as `StorageError`: `stick_full` or `stick_failed`.
  SF4  What is read again after `forget` comes from the stick where the system can tell the
       difference, not from memory.
"""

import contextlib
import errno
import os
import shutil
import stat
from collections import deque
from collections.abc import Callable, Iterator
from io import FileIO
from itertools import islice
from pathlib import Path
from typing import Final, Self

from client.domain.errors import StorageError, StorageFullError
from client.store.durable import sync_folder
from sync.protocol.stick_names import steps_of

Step = Callable[[int], None]
"""Told before each step on the stick how many bytes it moves, 0 for others; may wait or raise."""

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_NEW: Final = ".new"
_REPARSE: Final = 0x400
"""What Windows calls a link of any kind."""


@contextlib.contextmanager
def stick_errors() -> Iterator[None]:
    """Turn what the operating system says of a stick into this program's errors (SF3)."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StorageFullError("stick_full") from error
        raise StorageError("stick_failed", {"detail": error.strerror or str(error)}) from error


def no_step(_size_bytes: int) -> None:
    """Let everything pass: a `Step`."""


class StickFile:
    """An open file of a stick; use it as a context. One thread at a time."""

    def __init__(self, raw: FileIO, step: Step) -> None:
        self._raw = raw
        self._step = step

    @property
    def size(self) -> int:
        """Its length in bytes."""
        with stick_errors():
            return os.fstat(self._raw.fileno()).st_size

    def read(self, size: int) -> bytes:
        """Read the next bytes; fewer only at the end."""
        self._step(size)
        data = b""
        with stick_errors():
            while len(data) < size and (more := self._raw.read(size - len(data))):
                data = data + more if data else more
        return data

    def write(self, data: bytes) -> None:
        """Write all of `data` where the file stands."""
        self._step(len(data))
        rest = memoryview(data)
        with stick_errors():
            while rest:
                rest = rest[self._raw.write(rest) :]

    def seek(self, at: int) -> None:
        """Stand at a byte."""
        with stick_errors():
            self._raw.seek(at)

    def cut(self) -> None:
        """Drop what lies behind the place where the file stands."""
        self._step(0)
        with stick_errors():
            self._raw.truncate()

    def sync(self) -> None:
        """Have what was written reach the stick."""
        self._step(0)
        with stick_errors():
            os.fsync(self._raw.fileno())

    def forget(self) -> None:
        """Have the next reader ask the stick itself (SF4)."""
        if hasattr(os, "posix_fadvise"):
            with stick_errors():
                os.posix_fadvise(self._raw.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

    def close(self) -> None:
        """Give it back."""
        with stick_errors():
            self._raw.close()

    def __enter__(self) -> Self:
        """Give the file itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()


class Stick:
    """One folder on a stick. Paths are relative, with `/`. Blocking; any thread.

    Args:
        root: The folder.
        step: See `Step`.
    """

    def __init__(self, root: Path, step: Step = no_step) -> None:
        self.root: Final = root
        self._step: Final = step

    def is_there(self) -> bool:
        """Tell whether the folder can be read at all."""
        try:
            self._step(0)
            with os.scandir(self.root) as entries:
                next(entries, None)
        except (OSError, StorageError):
            return False
        return True

    def leads_in(self, path: str) -> bool:
        """Tell whether a path leads into the folder, over no link (SF1)."""
        return self._place(path) is not None

    def free_bytes(self) -> int:
        """Tell how much fits on it."""
        with stick_errors():
            return shutil.disk_usage(self.root).free

    def require_writable(self) -> None:
        """Raise `StorageError` (`stick_read_only`) where the system lets nobody write at all."""
        if hasattr(os, "statvfs"):
            with stick_errors():
                flags = os.statvfs(self.root).f_flag
            if flags & os.ST_RDONLY:
                raise StorageError("stick_read_only")

    def names(self, folder: str, most: int) -> tuple[str, ...]:
        """List at most so many names in a folder, sorted; none where there is none."""
        self._step(0)
        place = self._place(folder)
        with stick_errors():
            if place is None or not place.is_dir():
                return ()
            with os.scandir(place) as entries:
                return tuple(sorted(one.name for _, one in zip(range(most), entries, strict=False)))

    def size(self, path: str) -> int | None:
        """Tell the length of a plain file, None where there is none."""
        self._step(0)
        place = self._place(path)
        try:
            facts = None if place is None else place.lstat()
        except OSError:
            return None
        return facts.st_size if facts is not None and stat.S_ISREG(facts.st_mode) else None

    def files(self, ending: str, most: int) -> tuple[str, ...]:
        """List plain files whose names end so, wherever they lie, among its first `most` entries.

        Folders that lie high come first; none is entered over a link (SF1).
        """
        found: list[str] = []
        folders = deque([""])
        left = most
        with stick_errors():
            while folders and left > 0:
                self._step(0)
                above = folders.popleft()
                with os.scandir(self.root / above) as entries:
                    for entry in islice(entries, left):
                        left -= 1
                        path = f"{above}/{entry.name}" if above else entry.name
                        if entry.is_dir(follow_symlinks=False) and not _is_link(Path(entry.path)):
                            folders.append(path)
                        elif entry.name.endswith(ending) and self.size(path) is not None:
                            found.append(path)
        return tuple(found)

    def read(self, path: str, most: int) -> bytes | None:
        """Read a small plain file whole; None if there is none or it is longer than `most`."""
        if (size := self.size(path)) is None or size > most:
            return None
        with self.open(path) as file:
            data = file.read(size + 1)
        return data if len(data) == size else None

    def open(self, path: str) -> StickFile:
        """Open a plain file for reading.

        Raises:
            StorageError: `stick_failed`; also when it is no plain file (SF1).
        """
        return self._open(path, os.O_RDONLY)

    def grow(self, path: str) -> StickFile:
        """Open a file for writing on, with what is in it; made with its folders when missing."""
        return self._open(path, os.O_RDWR | os.O_CREAT)

    def write(self, path: str, data: bytes) -> None:
        """Replace a file durably (SF2)."""
        fresh = path + _NEW
        self.remove(fresh)
        with self.grow(fresh) as file:
            file.write(data)
            file.sync()
            file.forget()
        self.move(fresh, path)

    def move(self, source: str, target: str) -> None:
        """Rename a file inside one folder, durably, replacing what is there (SF2)."""
        self._step(0)
        here, there = self._needed(source), self._needed(target)
        with stick_errors():
            here.replace(there)
        self._step(0)
        with stick_errors():
            sync_folder(there.parent)

    def remove(self, path: str) -> None:
        """Delete a file if it is there."""
        self._step(0)
        place = self._place(path)
        with stick_errors():
            if place is not None:
                place.unlink(missing_ok=True)

    # --- inside --------------------------------------------------------------------------

    def _open(self, path: str, flags: int) -> StickFile:
        self._step(0)
        place = self._needed(path, makes=bool(flags & os.O_CREAT))
        flags |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        flags |= getattr(os, "O_BINARY", 0)
        with stick_errors():
            handle = os.open(place, flags, 0o644)
            raw = FileIO(handle, "r+b" if flags & os.O_CREAT else "rb")
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raw.close()
            raise StorageError("stick_failed", {"detail": path})
        return StickFile(raw, self._step)

    def _needed(self, path: str, *, makes: bool = False) -> Path:
        place = self._place(path, makes=makes)
        if place is None:
            raise StorageError("stick_failed", {"detail": path})
        return place

    def _place(self, path: str, *, makes: bool = False) -> Path | None:
        """Find where a path leads; None if it leads out of the folder or over a link (SF1)."""
        steps = steps_of(path)
        if steps is None:
            return None
        place = self.root
        for step in steps[:-1]:
            place = place / step
            with stick_errors():
                if makes and not place.exists():
                    place.mkdir()
                    sync_folder(place.parent)
            if _is_link(place):
                return None
        place = place / steps[-1]
        return None if _is_link(place) else place


def _is_link(place: Path) -> bool:
    try:
        facts = place.lstat()
    except OSError:
        return False
    return stat.S_ISLNK(facts.st_mode) or bool(getattr(facts, "st_file_attributes", 0) & _REPARSE)
