"""The disk of a simulated machine as files: the program's own journal and store of logs.

Pulling the plug copies database and write-ahead log as they are, closes nothing, and may cut the
end off the write-ahead log: SQLite has to find out by itself what was committed.
"""

import itertools
import shutil
from collections.abc import Iterable
from pathlib import Path

from client.domain.errors import ProtocolError
from client.domain.record.bodies import Body, EventType, WhyIncarnation
from client.domain.record.event import SCOPE_ROOM, Event, writer_of
from client.domain.record.segment import MAX_EVENTS
from client.store import journal_rows, log_rows, log_store, salvage
from client.store.database import Database
from client.store.journal import Journal
from client.store.log_store import LogStore
from client.store.own_log import Start
from client.store.schema_journal import MIGRATIONS
from tests.torture.keys import QuickKey

_NAME = "journal.db"
_WAL = "journal.db-wal"
_SALT = slice(16, 24)
_PLENTY = 1 << 30
_ALONE = (EventType.INCARNATION, EventType.GOES_ON)


def tear(path: Path, log: bytes, luck: float) -> None:
    """Write half of a page that a write-ahead log holds over the one in its file."""
    size = int.from_bytes(log[8:12])
    frames = [
        at for at in range(32, len(log) - size, 24 + size) if log[at + 8 : at + 16] == log[_SALT]
    ]
    if not frames:
        return
    page = int.from_bytes(log[(at := frames[int(luck * len(frames))]) : at + 4]) - 1
    with path.open("r+b") as file:
        if (page + 1) * size <= path.stat().st_size:
            file.seek(page * size + size // 2)
            file.write(b"\xaa" * (size // 2))


class FileDisk:
    """See `tests.torture.memory.MemoryDisk`: the same with files. A copy is closed at first.

    `site` is empty for a room, which has a journal in the same file.
    """

    _numbers = itertools.count(1)

    def __init__(self, key: QuickKey, folder: Path, site: bytes = b"") -> None:
        self._key, self.root, self.site = key, folder, site
        self.folder = folder / str(next(self._numbers))
        self.beliefs: dict[str, bytes] = {}
        self.boot = 1
        self.is_liar = False
        """It says that it wrote what it did not: older states count."""
        self._marks: list[tuple[bytes, int, QuickKey]] = []
        """Salt and length of the write-ahead log, and the key, after the newest commits."""
        self._noticed = 0
        self._is_full = False
        self._database: Database | None = None
        self._journal: Journal | None = None
        self.folder.mkdir()

    @property
    def key(self) -> QuickKey:
        """The key of the present name: the journal may take another one by itself."""
        return self._key if self._journal is None else self._journal._own.key

    def open(self, clock: object) -> None:
        """Start the program here."""
        self._clock = clock
        self._database = Database(self.folder / _NAME, MIGRATIONS)
        if self.site:
            self.log = LogStore(self._database, self.site)
        elif self._count("writer"):
            self._write_as(self._key, WhyIncarnation.FIRST)

    def close(self) -> None:
        """Throw this machine's files away."""
        if self._journal is not None:
            self._journal.close()
        elif self._database is not None:
            self._database.close()
        self._journal = self._database = None
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def writer(self) -> bytes:
        return writer_of(self.key.public_key, self.key.nonce)

    # --- copies and cuts -----------------------------------------------------------------

    def copy(self) -> "FileDisk":
        twin = FileDisk(self.key, self.root, self.site)
        twin.beliefs, twin.boot, twin._marks = dict(self.beliefs), self.boot, list(self._marks)
        for name in (_NAME, _WAL):
            if (self.folder / name).exists():
                shutil.copyfile(self.folder / name, twin.folder / name)
        return twin

    def commit(self) -> None:
        """Note how long the write-ahead log is behind a commit."""
        path = self.folder / _WAL
        if self.is_liar and path.exists():
            with path.open("rb") as file:
                salt = file.read(32)[_SALT]
            self._marks = [*self._marks, (salt, path.stat().st_size, self.key)][-4:]

    def set_full(self, is_full: bool) -> None:
        """Have SQLite itself refuse every page more, or take them again."""
        if is_full == self._is_full:
            return
        self._is_full, pages = is_full, 1 if is_full else _PLENTY
        self._database.write(lambda c: c.execute(f"PRAGMA max_page_count = {pages}")).result()

    def cut(self, commits: int, torn: float = 0.0) -> "FileDisk":
        """Pull the plug; the newest `commits` were never written, and half of the next was.

        Of one page that was on its way into the file (`torn` tells which) half got there.
        """
        twin = self.copy()
        path = twin.folder / _WAL
        if not commits and path.exists():
            tear(twin.folder / _NAME, path.read_bytes(), torn)
        if commits and len(twin._marks) > commits and path.exists():
            salt, size, key = twin._marks[-1 - commits]
            data = path.read_bytes()
            if data[:32][_SALT] == salt and size < len(data):
                # The write-ahead log may be longer than what counts of it: an older round's end.
                path.write_bytes(data[: size + (len(data) - size) // 3])
                twin._key = key
        twin._marks = []
        return twin

    def flush(self) -> None:
        """Every commit is on the disk already."""

    def flushed(self) -> "FileDisk":
        """The state after a power cut."""
        return self.cut(0)

    # --- recording -----------------------------------------------------------------------

    def begin(self, why: WhyIncarnation, key: QuickKey, _tips: object, _now: object) -> Event:
        """Begin a log: the journal itself names the tips it goes on from."""
        self._write_as(key, why)
        begun = self._journal.events((EventType.INCARNATION,))
        return next(event for _, event in reversed(begun) if event.writer == self.writer)

    def _write_as(self, key: QuickKey, why: WhyIncarnation) -> None:
        self._journal = Journal(self._database, key, self._clock, Start(why=why))
        self.log = self._journal.log
        self.commit()

    def written_alone(self) -> list[Event]:
        """What the program wrote without anybody asking for it since this was asked before."""
        found = self._journal.events(_ALONE, after=self._noticed) if self._journal else ()
        if not found:
            return []
        self._noticed, own = found[-1][0], self._own()
        return [event for _, event in found if event.writer in own]

    def _own(self) -> set[bytes]:
        found = self._database.read_here(
            lambda connection: journal_rows.writers_of(connection, self.key.public_key)
        )
        return {writer for _, writer in found}

    def write(self, body: Body, _now: object) -> Event:
        (event,) = self._journal.draft(lambda _: (body,)).result()
        self.commit()
        return event

    def write_raw(self, kind: int, version: int, body: bytes, now: tuple[int, int]) -> Event:
        """Write what a newer program would."""

        def job(connection) -> Event:
            own = self._journal._own
            wi = log_rows.writer_index(connection, own.writer)
            if wi is None:
                wi, _ = own._begin_log(connection)
            seq, prev = journal_rows.heads_of(connection, wi)[-1]
            event = Event(
                writer=own.writer,
                seq=seq + 1,
                prev=prev,
                lc=1 + journal_rows.largest_counter(connection),
                boot=self.boot,
                mono_ms=now[0],
                wall_ms=now[1],
                scope=SCOPE_ROOM,
                type=kind,
                version=version,
                body=body,
            )
            log_rows.insert_event(connection, wi, event)
            return event

        event = self._database.write(job).result()
        self.commit()
        return event

    def seal(self, _most: int = MAX_EVENTS) -> None:
        self._journal.seal().result()
        self.commit()

    # --- looking -------------------------------------------------------------------------

    @property
    def tip(self) -> Event:
        """The last event that a log of this key holds."""
        own = self._own()
        return max((one for one in self.events() if one.writer in own), key=lambda one: one.seq)

    def own_heads(self) -> set[tuple[bytes, bytes]]:
        """(writer, head) of every open log that this key began."""
        tips = self._database.read_here(journal_rows.open_tips)
        own = self.key.public_key
        return {(tip.writer, tip.hash) for tip in tips if tip.public_key == own}

    def is_forked(self) -> bool:
        """Never for long: the journal takes another name by itself."""
        return False

    def events_since(self, mark: int) -> tuple[list[Event], int]:
        found, _ = self._database.read_here(
            lambda connection: journal_rows.select_events(connection, after=mark)
        )
        return [event for _, event in found], found[-1][0] if found else mark

    def events(self) -> Iterable[Event]:
        return self.events_since(0)[0]

    def there(self) -> set[bytes]:
        """Hashes of everything that is held."""
        return self._database.read_here(
            lambda connection: {row[0] for row in connection.execute("SELECT hash FROM event")}
        )

    # --- bit rot -------------------------------------------------------------------------

    def rot(self, luck: float, where: float) -> bool:
        """Change one bit of a stored segment behind the program's back; False where none is."""

        def job(connection) -> bool:
            found = connection.execute("SELECT rowid, data FROM sealed ORDER BY data").fetchall()
            if not found:
                return False
            row, data = found[int(luck * len(found))]
            spoilt = bytearray(data)
            spoilt[int(where * len(spoilt))] ^= 1 << int(where * 8)
            connection.execute("UPDATE sealed SET data = ? WHERE rowid = ?", (bytes(spoilt), row))
            return True

        return self._database.write(job).result()

    def is_rotten(self) -> bool:
        """Read every segment again, as a check of a hub does."""

        def look(connection) -> bool:
            keys = dict(connection.execute("SELECT w, public_key FROM writer"))
            for (data,) in connection.execute("SELECT data FROM sealed"):
                try:
                    log_store.unseal(data, keys.get, log_store.verify)
                except ProtocolError:
                    return True
            return False

        return self._database.read_here(look)

    def beyond_signing(self) -> set[bytes]:
        """Events that no segment holds, of logs whose key is gone."""
        own = self.key.public_key
        found = self._database.read_here(
            lambda connection: connection.execute(
                "SELECT hash FROM event JOIN writer USING (wi)"
                " WHERE is_sealed = 0 AND public_key != ?",
                (own,),
            ).fetchall()
        )
        return {row[0] for row in found}

    def repaired(self) -> "FileDisk":
        """A disk with what can be believed of this one, under a new name of its key."""
        twin = FileDisk(self.key.rotated(), self.root)
        twin.beliefs, twin.boot = dict(self.beliefs), self.boot
        self._journal.close()
        self._journal = self._database = None
        found = salvage.gather((self.folder / _NAME,))
        database = Database(twin.folder / _NAME, MIGRATIONS)
        database.write(lambda connection: salvage.fill(connection, (found,))).result()
        database.close()
        return twin

    def _count(self, table: str) -> int:
        return self._database.read_here(
            lambda connection: connection.execute(f"SELECT count(*) FROM {table}").fetchone()
        )[0]
