"""The envelopes of exchanges as files in a folder: a stick, a share, a box that somebody carries.

    TONGKE/x/<digest of the request>-<n>.ask     what a room says
    TONGKE/x/<digest of the request>-<n>.say     what the hub answers

`n` are two digits: the place among requests that were left together. Names are ASCII and say
nothing else, so no path can hide in one. A file is there whole or not at all; asking, answering and
taking up may happen in any order and any number of times.

Invariants:
  FC1  A request counts only under the name of its digest; an answer stands beside its request.
  FC2  Whatever else lies in the folder is left alone: other files, links, folders, what is too
       large, what is beyond a bounded number.
  FC3  One request that cannot be answered keeps no other from being answered.
  FC4  What only looks like an answer keeps no request from being answered.
"""

import os
import re
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final

from client.domain.errors import ProtocolError, UserError
from client.store.disk import disk_errors
from client.store.durable import write_file
from sync.protocol.exchange import DIGEST_BYTES, MAX_MESSAGE_BYTES, digest_of

FOLDER: Final = Path("TONGKE") / "x"
MAX_FILES: Final = 4096
_ASK: Final = ".ask"
_SAY: Final = ".say"
_NAME: Final = re.compile(f"[0-9a-f]{{{2 * DIGEST_BYTES}}}-[0-9]{{2}}\\.(ask|say)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What became of the requests in a folder."""

    answered: int = 0
    refused: int = 0
    """Not for this hub, or from somebody it does not know."""


class FolderCarrier:
    """The requests and answers in one folder. Blocking.

    Args:
        folder: Where `TONGKE` lies or is to lie.
    """

    def __init__(self, folder: Path) -> None:
        self._folder: Final = folder / FOLDER

    def ask(self, envelope: bytes, number: int) -> None:
        """Leave a request, durably.

        Args:
            envelope: The request.
            number: Its place among those that are left together, below 100.

        Raises:
            StorageError: The disk refused.
        """
        self._write(f"{digest_of(envelope).hex()}-{number:02d}{_ASK}", envelope)

    def open_requests(self) -> Iterator[tuple[str, bytes]]:
        """Yield requests that have no answer yet, with their names (FC1, FC2)."""
        names = self._names()
        for name in names:
            if name.endswith(_ASK) and _answer_to(name) not in names:
                yield from self._request(name)

    def answer(self, name: str, reply: bytes) -> None:
        """Leave the answer to a request, durably.

        Raises:
            StorageError: The disk refused.
        """
        self._write(_answer_to(name), reply)

    def answers(self) -> Iterator[tuple[str, bytes, bytes]]:
        """Yield requests with their names and answers; neither is believed yet (FC1, FC2)."""
        names = self._names()
        for name in names:
            if name.endswith(_ASK) and _answer_to(name) in names:
                reply = self._read(_answer_to(name))
                for _, request in self._request(name):
                    if reply is not None:
                        yield name, request, reply

    def forget(self, name: str) -> None:
        """Remove a request and its answer, if they are there.

        Raises:
            StorageError: The disk refused.
        """
        with disk_errors():
            (self._folder / name).unlink(missing_ok=True)
            (self._folder / _answer_to(name)).unlink(missing_ok=True)

    # --- inside --------------------------------------------------------------------------

    def _write(self, name: str, data: bytes) -> None:
        with disk_errors():
            self._folder.mkdir(parents=True, exist_ok=True)
            write_file(self._folder / name, data)

    def _names(self) -> dict[str, None]:
        """Return names that may be ours in order of their numbers, of at most `MAX_FILES`."""
        with disk_errors():
            if not self._folder.is_dir():
                return {}
            with os.scandir(self._folder) as entries:
                found = [entry.name for _, entry in zip(range(MAX_FILES), entries, strict=False)]
        ours = (name for name in found if _NAME.fullmatch(name))
        return dict.fromkeys(sorted(ours, key=lambda name: (name[-len("00.ask") :], name)))

    def _request(self, name: str) -> Iterator[tuple[str, bytes]]:
        data = self._read(name)
        if data is not None and name.startswith(digest_of(data).hex()):
            yield name, data

    def _read(self, name: str) -> bytes | None:
        """Read a plain file of a bounded size; None for anything else."""
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        flags |= getattr(os, "O_BINARY", 0)
        try:
            handle = os.open(self._folder / name, flags)
        except OSError:
            return None
        try:
            is_file = stat.S_ISREG(os.fstat(handle).st_mode)
            data = _read_all(handle) if is_file else b""
        except OSError:
            return None
        finally:
            os.close(handle)
        return data if is_file and len(data) <= MAX_MESSAGE_BYTES else None


def _read_all(handle: int) -> bytes:
    data = b""
    while len(data) <= MAX_MESSAGE_BYTES and (more := os.read(handle, MAX_MESSAGE_BYTES + 1)):
        data += more
    return data


def _answer_to(name: str) -> str:
    return name.removesuffix(_ASK) + _SAY


def _any(_request: bytes, _reply: bytes) -> bool:
    """Take every reply for one that holds."""
    return True


def answer_folder(
    folder: Path,
    answer: Callable[[bytes], bytes],
    holds: Callable[[bytes, bytes], bool] = _any,
) -> Answered:
    """Answer as a hub what lies in a folder (FC3, FC4).

    Args:
        folder: As for `FolderCarrier`.
        answer: `sync.hub.respond.Responder.answer`.
        holds: `sync.hub.respond.Responder.has_answered`.

    Raises:
        StorageError: The hub or the folder cannot keep it; what was answered stays.
    """
    carrier, answered, refused = FolderCarrier(folder), 0, 0
    jests = (one[:2] for one in carrier.answers() if not holds(one[1], one[2]))
    for name, request in chain(carrier.open_requests(), jests):
        try:
            reply = answer(request)
        except (ProtocolError, UserError):
            refused += 1
            continue
        carrier.answer(name, reply)
        answered += 1
    return Answered(answered=answered, refused=refused)
