"""What hubs withdrew, carried on sticks from room to room: signed heads with their lists.

    TONGKE/<8 bytes of the hub's key>.off = [head, list]

It is believed by the rules of `edition_trust`, like a head that comes over the link, and it goes on
as it came. It is read before any lesson is taken from the stick.

Invariants:
  CL1  Only what a hub of this room signed is taken, and none that is older than what is known.
  CL2  A stick that has a newer word of a hub keeps it; one that has an older one gets the newer.
  CL3  What is forged, damaged or in the way keeps no lesson out and no lesson in.
"""

import hashlib
from pathlib import Path
from typing import Final

from client.domain.cancel import CancelToken
from client.domain.canon import decode_array, encode
from client.domain.errors import ProtocolError, UnreachableError
from client.service.hubs import KnownHub
from client.service.station import Station
from client.store.disk import disk_errors
from client.store.keyfile import verify
from sync.engine.courier_stick import FOLDER, LeftOut, whole
from sync.engine.edition_files import EditionFiles
from sync.engine.edition_sync import take_word
from sync.engine.edition_trust import Verdict
from sync.engine.edition_way import Use
from sync.engine.hub_catalogue import EDITIONS, edition_ports
from sync.protocol.edition import MAX_HEAD_BYTES, MAX_LIST_BYTES, Head, NamedFile, open_head
from sync.source.folder import Rejected
from sync.source.hub import source_of
from sync.transport.stick import Stick

MAX_BYTES: Final = MAX_HEAD_BYTES + MAX_LIST_BYTES + 64
_TOLD: Final = frozenset({"signature_bad", "version_unknown", "unreadable"})


class CarriedWay:
    """A head and its list as a way of an edition that has no rows.

    Args:
        head: Not believed yet.
        listed: The bytes of the list, empty where there is none.
        folder: For the list on its way.
    """

    def __init__(self, head: bytes, listed: bytes, folder: Path) -> None:
        self._head: Final = head
        self._listed: Final = listed
        self._folder: Final = folder
        self.requests = 0

    def head(self, cancel: CancelToken) -> bytes:
        """See `EditionWay`."""
        cancel.check()
        return self._head

    def bring(self, file: NamedFile, use: Use, cancel: CancelToken) -> None:
        """See `EditionWay`."""
        cancel.check()
        if hashlib.sha256(self._listed).hexdigest() != file.digest:
            raise ProtocolError("edition_damaged")
        path = self._folder / "carried.new"
        with disk_errors():
            try:
                path.write_bytes(self._listed)
                use(path)
            finally:
                path.unlink(missing_ok=True)

    def rows(self, _head: Head, _use: Use, _cancel: CancelToken) -> bool:
        """See `EditionWay`: it has none."""
        return False


def take_lists(station: Station, stick: Stick, cancel: CancelToken) -> tuple[Rejected, ...]:
    """Take what the stick has of the hubs of this room (CL1, CL3); gives what was refused.

    Raises:
        StorageError: This disk failed, or the stick is gone.
        Cancelled: As asked.
    """
    rejected = []
    for hub in station.hubs.hubs():
        path = list_path(hub.key)
        if stick.size(path) is None:
            continue
        try:
            _take(station, hub, *_read(stick, path), cancel)
        except (ProtocolError, UnreachableError, LeftOut) as error:
            if error.code != Verdict.ROLLBACK.value:
                why = error.code if error.code in _TOLD else "index_damaged"
                rejected.append(Rejected(what=path, why=why))
    return tuple(rejected)


def _take(station: Station, hub: KnownHub, head: bytes, listed: bytes, cancel: CancelToken) -> None:
    folder = station.profile.folder / EDITIONS / source_of(hub.key)
    way = CarriedWay(head, listed, folder)
    take_word(edition_ports(station, hub, way, lambda: 0), cancel)


def leave_lists(station: Station, stick: Stick) -> None:
    """Leave on the stick what this room knows its hubs withdrew (CL2)."""
    for hub in station.hubs.hubs():
        word = EditionFiles(station.profile.folder / EDITIONS / source_of(hub.key)).word()
        if word is not None:
            leave_list(stick, hub.key, *word)


def leave_list(stick: Stick, key: bytes, head: bytes, listed: bytes) -> None:
    """Leave one hub's word, unless the stick has a newer one (CL2).

    Raises:
        ProtocolError: The word itself is not the hub's.
        StorageError: The stick is full or gone.
    """
    path, told = list_path(key), open_head(head, key, verify)
    digest = "" if told.withdrawn is None else told.withdrawn.digest
    if listed and hashlib.sha256(listed).hexdigest() != digest:
        return  # a life ended between the two; the next sync puts them right
    if _number(stick, path, key) < told.number:
        stick.write(path, encode([head, listed]))


def list_path(key: bytes) -> str:
    """Say where a hub's word lies on a stick."""
    return f"{FOLDER}/{key[:8].hex()}.off"


def _number(stick: Stick, path: str, key: bytes) -> int:
    """Give the number of the edition whose list lies there, 0 for none that is signed."""
    try:
        if stick.size(path) is None:
            return 0
        return open_head(_read(stick, path)[0], key, verify).number
    except (ProtocolError, LeftOut):
        return 0


def _read(stick: Stick, path: str) -> tuple[bytes, bytes]:
    match decode_array(whole(stick, path, MAX_BYTES), max_bytes=MAX_BYTES):
        case [bytes(head), bytes(listed)]:
            return head, listed
        case _:
            raise ProtocolError("message_invalid")
