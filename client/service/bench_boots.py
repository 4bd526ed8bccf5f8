"""How large the vector of a room becomes whose disk forgets every day.

Each boot begins with the same image of the disk, writes some facts, and exchanges with a hub, both
kept by the real stores.
"""

import contextlib
import shutil
import tempfile
from pathlib import Path
from typing import Final

from client.domain.canon import Wire, encode
from client.domain.clock import FrozenClock
from client.domain.ids import SittingId
from client.domain.record.bodies import CueReached
from client.domain.record.log import Log
from client.domain.record.vector import EMPTY, Vector
from client.store.database import Database
from client.store.journal import Journal
from client.store.keyfile import KeyFile
from client.store.log_store import LogStore
from client.store.own_log import Start
from client.store.schema_journal import MIGRATIONS

SITE: Final = bytes(8)
FACTS_A_DAY: Final = 5
_ALL: Final = 1 << 40


def year_vector_bytes(boots: int) -> int:
    """Return the bytes a room's vector has after so many boots, told without its closed logs."""
    with tempfile.TemporaryDirectory() as name:
        return vector_bytes(forgetful_year(Path(name), boots))


def forgetful_year(folder: Path, boots: int) -> Vector:
    """Play the boots in an empty folder; return what the room holds after the last exchange.

    Raises:
        StorageError: The disk refused.
    """
    image, disk = folder / "image", folder / "disk"
    image.mkdir()
    clock = FrozenClock()
    with contextlib.closing(_open(image, clock, 0)) as journal:
        _teach(journal)
    held = EMPTY
    hub = Database(folder / "hub.db", MIGRATIONS)
    with contextlib.closing(hub):
        for boot in range(1, boots + 1):
            shutil.rmtree(disk, ignore_errors=True)
            shutil.copytree(image, disk)
            clock.advance(86_400)
            with contextlib.closing(_open(disk, clock, boot)) as journal:
                _teach(journal)
                exchange(journal, LogStore(hub, SITE))
                held = journal.log.vector()
    return held


def exchange(journal: Journal, hub: Log) -> None:
    """Bring both sides together, as the requests of one visit do."""
    for _ in range(2):
        journal.seal().result()
        _bring(journal.log, hub)
        _bring(hub, journal.log)


def vector_bytes(vector: Vector) -> int:
    """Count the bytes of a vector without its closed logs."""
    rows: list[Wire] = [stretch.wire() for stretch in vector.open]
    return len(encode([rows, vector.closed_digest]))


def _bring(source: Log, target: Log) -> None:
    lacking = source.missing(target.vector(), _ALL)
    target.take(lacking, source.introductions(lacking)).result()


def _teach(journal: Journal) -> None:
    for ordinal in range(FACTS_A_DAY):
        journal.append(CueReached(sitting=SittingId(""), ordinal=ordinal)).result()


def _open(folder: Path, clock: FrozenClock, boot: int) -> Journal:
    path = folder / "journal.key"
    key = KeyFile.load(path) or KeyFile.create(path)
    database = Database(folder / "journal.db", MIGRATIONS)
    return Journal(database, key, clock, Start(boot_key=str(boot)))
