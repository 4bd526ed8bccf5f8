"""What this PC gives to others: verified files by digest, what it holds of a lesson, the catalogue.

Invariants:
  NS1  Nothing is given but what the table of `near_rules` lets pass, looked up at every request:
       what was withdrawn or dropped a moment ago is not there any more.
  NS2  No record, no name of a person and no secret is within reach: only blobs, rows of editions
       that a hub published, their heads, and the name of the room.
  NS3  Heads are given as the hub signed them, rows as this room verified them.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from client.domain.catalogue import FileUse, RemoteFile
from client.domain.holding import Blob
from client.domain.ids import Digest, LessonId
from client.service.station import Station
from client.store.disk import disk_errors
from client.store.holders import holders
from sync.engine.edition_files import head_in, rows_in_folder, withdrawals_in
from sync.engine.hub_catalogue import EDITIONS
from sync.engine.near_board import NearBoard
from sync.engine.near_rules import why_not
from sync.protocol.manifest import ManifestMaker, pack_manifest
from sync.protocol.near import (
    Card,
    Listing,
    Mark,
    Marks,
    NearFile,
    digest_of,
    pack_card,
    pack_heads,
    pack_listing,
    pack_marks,
)
from sync.source.hub import source_of

_MANIFESTS: Final = 64
_READ: Final = 1 << 20


class NearShelf:
    """See the module; a `sync.hub.share.Shelf`. Blocking; any thread.

    Args:
        station: The room.
        board: What it is bringing.
        port: Tells at which port it is asked.
    """

    def __init__(self, station: Station, board: NearBoard, port: Callable[[], int]) -> None:
        self._station: Final = station
        self._board: Final = board
        self._port: Final = port
        self._gate = threading.Lock()
        self._manifests: OrderedDict[Digest, bytes] = OrderedDict()

    def card(self) -> bytes:
        """Say who this is."""
        room = self._station.room.snapshot().room
        name = "" if room is None else room.room
        key = self._station.journal.signer.public_key
        return pack_card(Card(key=key, port=self._port(), room=name))

    def listing(self, lesson: str) -> bytes:
        """Say what is here of a lesson and what is coming, signed."""
        id_ = LessonId(lesson)
        told = Listing(
            key=b"",
            lesson=id_,
            files=tuple(self._files(id_)),
            coming=self._board.coming(id_),
        )
        return pack_listing(told, self._station.journal.signer)

    def heads(self) -> bytes:
        """Give the newest head of every hub that was believed (NS3)."""
        keys = [hub.key for hub in self._station.hubs.hubs()]
        found = [(key, head_in(self._folder(key))) for key in keys]
        return pack_heads([(key, head) for key, head in found if head])

    def rows(self, digest: Digest) -> Path | None:
        """Find the rows of an edition, by the digest of their stream."""
        return self._in_editions(rows_in_folder, digest)

    def edition(self, digest: Digest) -> Path | None:
        """Find another file of an edition: a list of withdrawals."""
        return self._in_editions(withdrawals_in, digest)

    def object(self, digest: Digest) -> Path | None:
        """Find a file that may be passed on (NS1)."""
        blob = self._passed(digest)
        return None if blob is None else self._station.blobs.path(blob.digest, blob.ext)

    def manifest(self, digest: Digest) -> bytes | None:
        """Make the manifest of such a file. It is read for that, once."""
        path = self.object(digest)
        if path is None:
            return None
        with self._gate:
            known = self._manifests.get(digest)
            if known is None:
                known = self._manifests[digest] = _manifest(path)
            self._manifests.move_to_end(digest)
            while len(self._manifests) > _MANIFESTS:
                self._manifests.popitem(last=False)
        return known

    def marks(self, digest: Digest) -> bytes | None:
        """Tell the stretches of such a file."""
        return self._marks(digest) if self._passed(digest) is not None else None

    # --- inside --------------------------------------------------------------------------

    def _files(self, lesson: LessonId) -> Iterator[NearFile]:
        for file, blob in self._held(lesson):
            marks = self._marks(blob.digest, file) if file.use is FileUse.RENDITION else None
            yield NearFile(
                path=file.path,
                digest=blob.digest,
                size_bytes=blob.size_bytes,
                marks=Digest("") if marks is None else digest_of(marks),
            )

    def _held(self, lesson_id: LessonId) -> Iterator[tuple[RemoteFile, Blob]]:
        """Give the files of a lesson that are here and may be passed on."""
        record = self._station.catalogue.record(lesson_id)
        if record is None:
            return
        held = {
            (one.part, one.path): one.blob
            for one in self._station.holdings.of_lesson(lesson_id)
            if one.blob is not None
        }
        for part in record.lesson.parts:
            for file in part.files:
                blob = held.get((part.id, file.path))
                if blob is not None and not why_not(
                    file,
                    blob,
                    is_withdrawn=record.is_withdrawn,
                    has_marks=self._marks(blob.digest, file) is not None,
                ):
                    yield file, blob

    def _passed(self, digest: Digest) -> Blob | None:
        """Find a blob that may be passed on for the sake of any lesson that has it."""
        owners = dict.fromkeys(owner for owner, *_ in holders(self._station.database, digest))
        for owner in owners:
            for _, blob in self._held(owner):
                if blob.digest == digest:
                    return blob
        return None

    def _marks(self, digest: Digest, file: RemoteFile | None = None) -> bytes | None:
        """Give what a stream was made of; None if that is not known, or of another file."""
        identity, blocks = self._station.blobs.marks(digest)
        playlist = self._station.blobs.playlist(digest)
        is_other = file is not None and not identity.startswith(f"{file.path} ")
        if not blocks or not playlist or is_other:
            return None
        stretches = tuple(Mark(length=length, sha256=sha256) for length, sha256 in blocks)
        return pack_marks(Marks(playlist=playlist, stretches=stretches))

    def _in_editions(
        self, find: Callable[[Path, Digest], Path | None], digest: Digest
    ) -> Path | None:
        folders = (self._folder(hub.key) for hub in self._station.hubs.hubs())
        return next((path for one in folders if (path := find(one, digest)) is not None), None)

    def _folder(self, key: bytes) -> Path:
        return self._station.profile.folder / EDITIONS / source_of(key)


def _manifest(path: Path) -> bytes:
    maker = ManifestMaker()
    with disk_errors(), path.open("rb") as file:
        while data := file.read(_READ):
            maker.update(data)
    return pack_manifest(maker.manifest())
