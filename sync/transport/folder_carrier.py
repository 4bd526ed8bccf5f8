"""The envelopes of exchanges as files in a folder: a stick, a share, a box that somebody carries.

    TONGKE/x/<digest of the request>.ask     what a room says
    TONGKE/x/<digest of the request>.say     what the hub answers

Names are ASCII and say nothing but the digest, so no path can hide in one. A file is there whole or
not at all; asking, answering and taking up may happen in any order and any number of times.

Invariants:
  FC1  A request counts only under the name that is its digest; an answer stands beside its request.
  FC2  Whatever else lies in the folder is left alone: other files, links, folders, what is too
       large, what is beyond a bounded number.
  FC3  One request that cannot be answered keeps no other from being answered.
"""

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
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

    def ask(self, envelope: bytes) -> None:
        """Leave a request, durably.

        Raises:
            StorageError: The disk refused.
        """
        self._write(digest_of(envelope), _ASK, envelope)

    def answer(self, request: bytes, reply: bytes) -> None:
        """Leave the answer to a request, durably; see `ask`."""
        self._write(digest_of(request), _SAY, reply)

    def open_requests(self) -> Iterator[bytes]:
        """Yield requests that have no answer yet (FC1, FC2)."""
        names = set(self._names())
        for name in sorted(names):
            if name.endswith(_ASK) and name.removesuffix(_ASK) + _SAY not in names:
                yield from self._request(name)

    def answers(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield requests with their answers; neither is believed yet (FC1, FC2)."""
        names = set(self._names())
        for name in sorted(names):
            if name.endswith(_SAY) and (ask := name.removesuffix(_SAY) + _ASK) in names:
                for request in self._request(ask):
                    reply = self._read(name)
                    if reply is not None:
                        yield request, reply

    def forget(self, request: bytes) -> None:
        """Remove a request and its answer, if they are there.

        Raises:
            StorageError: The disk refused.
        """
        name = digest_of(request).hex()
        with disk_errors():
            for ending in (_ASK, _SAY):
                (self._folder / (name + ending)).unlink(missing_ok=True)

    # --- inside --------------------------------------------------------------------------

    def _write(self, digest: bytes, ending: str, data: bytes) -> None:
        with disk_errors():
            self._folder.mkdir(parents=True, exist_ok=True)
            write_file(self._folder / (digest.hex() + ending), data)

    def _names(self) -> Iterator[str]:
        """Yield names that may be ours, at most `MAX_FILES`."""
        if not self._folder.is_dir():
            return
        with disk_errors(), os.scandir(self._folder) as entries:
            for _, entry in zip(range(MAX_FILES), entries, strict=False):
                digest, dot, _ending = entry.name.partition(".")
                if dot and len(digest) == 2 * DIGEST_BYTES:
                    yield entry.name

    def _request(self, name: str) -> Iterator[bytes]:
        data = self._read(name)
        if data is not None and digest_of(data).hex() + _ASK == name:
            yield data

    def _read(self, name: str) -> bytes | None:
        """Read a plain file of a bounded size; None for anything else."""
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        flags |= getattr(os, "O_BINARY", 0)
        try:
            handle = os.open(self._folder / name, flags)
        except OSError:
            return None
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return None
            try:
                data = file.read(MAX_MESSAGE_BYTES + 1)
            except OSError:
                return None
        return data if len(data) <= MAX_MESSAGE_BYTES else None


def answer_folder(folder: Path, answer: Callable[[bytes], bytes]) -> Answered:
    """Answer as a hub what lies in a folder (FC3).

    Args:
        folder: As for `FolderCarrier`.
        answer: `sync.hub.respond.Responder.answer`.

    Raises:
        StorageError: The hub or the folder cannot keep it; what was answered stays.
    """
    carrier, answered, refused = FolderCarrier(folder), 0, 0
    for request in carrier.open_requests():
        try:
            reply = answer(request)
        except (ProtocolError, UserError):
            refused += 1
            continue
        carrier.answer(request, reply)
        answered += 1
    return Answered(answered=answered, refused=refused)
