"""A room that fetches from the replica: real transport, real store, a catalogue synced once."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from client.domain.availability import Decodes
from client.domain.cancel import CancelToken
from client.domain.catalogue import FileUse, Lesson, LessonKind, Part, RemoteFile, Role
from client.domain.clock import Clock, SystemClock
from client.service.secrets import Token
from client.store.blob_store import BlobStore
from client.store.catalogue_store import CatalogueStore
from client.store.database import Database
from client.store.holding_store import HoldingStore
from client.store.library import open_library
from sync.engine.fetch import Fetcher, FetchPorts, Probe
from sync.engine.fetch_plan import Choice, FetchReport
from sync.engine.pacing import Patience
from sync.source.addresses import AddressBook
from sync.transport.http import HttpTransport
from sync.transport.sign import MediaSigner
from tests.platform_room import room as catalogue_room
from tests.replica import Replica

QUICK = Patience(tries=6, first_s=0.01, most_s=0.05)
FILM = Choice(roles=frozenset({Role.VIDEO}))
PAPERS = Choice(roles=frozenset({Role.SLIDES, Role.PLAN, Role.TASK, Role.EXERCISE}))
ALL = Choice()


def sees_everything(path: Path) -> Decodes:
    """A probe for tests that are not about decoding."""
    assert path.is_file()
    return Decodes.YES


@dataclass
class FetchRoom:
    """One profile in one life of the program."""

    db: Database
    catalogue: CatalogueStore
    holdings: HoldingStore
    fetcher: Fetcher

    def fetch(
        self, lesson: Lesson, choice: Choice = ALL, cancel: CancelToken | None = None
    ) -> FetchReport:
        return self.fetcher.fetch(lesson, choice, cancel or CancelToken())

    def lesson(self, *, protected: bool = False, role: Role = Role.VIDEO) -> Lesson:
        """The first national lesson whose film is (not) protected."""
        for book in self.catalogue.books():
            for row in self.catalogue.lessons_of_book(book.id):
                lesson = self.catalogue.lesson(row.id)
                if lesson is None or lesson.kind is not LessonKind.NATIONAL:
                    continue
                films = [p for p in lesson.parts if p.role is role]
                if films and all(films_protected(p) is protected for p in films):
                    return lesson
        raise AssertionError("no such lesson")


def films_protected(part: Part) -> bool:
    return any(file.is_protected for file in part.files if file.use is FileUse.RENDITION)


def rendition(lesson: Lesson, height: int = 360) -> RemoteFile:
    """The rendition of a lesson's first film."""
    return next(
        file
        for part in lesson.parts
        if part.role is Role.VIDEO
        for file in part.files
        if file.height == height
    )


def prepare(replica: Replica, folder: Path) -> Path:
    """Sync a whole catalogue once; returns a library.db to copy."""
    folder.mkdir(parents=True, exist_ok=True)
    with catalogue_room(folder, replica) as room:
        room.sync()
    return folder / "library.db"


@contextmanager
def fetch_room(
    profile: Path,
    base: str,
    *,
    library: Path | None = None,
    token: Token | None = None,
    probe: Probe = sees_everything,
    patience: Patience = QUICK,
    clock: Clock | None = None,
    stall_s: float = 5.0,
    floor_bytes: int = 0,
) -> Iterator[FetchRoom]:
    """One life of a room in `profile`."""
    profile.mkdir(parents=True, exist_ok=True)
    if library is not None and not (profile / "library.db").exists():
        shutil.copy(library, profile / "library.db")
    clock = clock or SystemClock()
    addresses = AddressBook(base)
    signer = MediaSigner(lambda: token, clock, addresses.is_private)
    transport = HttpTransport(
        resolve=addresses.redirect, sign=signer, saw=signer.saw, stall_s=stall_s
    )
    db = open_library(profile / "library.db")
    holdings = HoldingStore(
        db, BlobStore(profile / "blobs", floor_bytes=floor_bytes), profile / "lessons"
    )
    fetcher = Fetcher(
        FetchPorts(
            transport=transport,
            addresses=addresses,
            holdings=holdings,
            clock=clock,
            probe=probe,
        ),
        patience=patience,
    )
    try:
        yield FetchRoom(db, CatalogueStore(db), holdings, fetcher)
    finally:
        fetcher.close()
        db.close()
