"""The disk of a simulated machine as files: the program's own journal and store of logs.

Pulling the plug copies database and write-ahead log as they are, closes nothing, and may cut the
end off the write-ahead log: SQLite has to find out by itself what was committed.
"""

import itertools
import shutil
from collections.abc import Iterable
from pathlib import Path

from client.domain.record.bodies import Body, WhyIncarnation
from client.domain.record.event import SCOPE_ROOM, Event, writer_of
from client.domain.record.segment import MAX_EVENTS
from client.store import journal_rows, log_rows
from client.store.database import Database
from client.store.journal import Journal, Start
from client.store.log_store import LogStore
from client.store.schema_journal import MIGRATIONS
from tests.torture.keys import QuickKey

_NAME = "journal.db"
_WAL = "journal.db-wal"
_SALT = slice(16, 24)


class FileDisk:
    """See `tests.torture.memory.MemoryDisk`: the same with files. A copy is closed at first.

    `site` is empty for a room, which has a journal in the same file.
    """

    _numbers = itertools.count(1)

    def __init__(self, key: QuickKey, folder: Path, site: bytes = b"") -> None:
        self.key, self.root, self.site = key, folder, site
        self.folder = folder / str(next(self._numbers))
        self.beliefs: dict[str, bytes] = {}
        self.boot = 1
        self.is_liar = False
        """It says that it wrote what it did not: older states count."""
        self._marks: list[tuple[bytes, int]] = []
        """Beginning and length of the write-ahead log after the newest commits."""
        self._database: Database | None = None
        self._journal: Journal | None = None
        self.folder.mkdir()

    def open(self, clock) -> tuple[Event, ...]:
        """Start the program here; gives the events that the start itself wrote."""
        self._clock = clock
        self._database = Database(self.folder / _NAME, MIGRATIONS)
        self.log = LogStore(self._database, self.site)
        is_begun = not self.site and self._has_writers()
        return self._write_as(WhyIncarnation.FIRST) if is_begun else ()

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
            self._marks = [*self._marks, (salt, path.stat().st_size)][-4:]

    def cut(self, commits: int) -> "FileDisk":
        """Pull the plug; the newest `commits` were never written, and half of the next was."""
        twin = self.copy()
        path = twin.folder / _WAL
        if commits and len(twin._marks) > commits and path.exists():
            salt, size = twin._marks[-1 - commits]
            data = path.read_bytes()
            if data[:32][_SALT] == salt and size < len(data):
                # The write-ahead log may be longer than what counts of it: an older round's end.
                path.write_bytes(data[: size + (len(data) - size) // 3])
        twin._marks = []
        return twin

    def flush(self) -> None:
        """Every commit is on the disk already."""

    def flushed(self) -> "FileDisk":
        """The state after a power cut."""
        return self.cut(0)

    # --- recording -----------------------------------------------------------------------

    def begin(self, why: WhyIncarnation, _tips: object, _now: object) -> Event:
        """Begin a log: the journal itself names the tips it goes on from."""
        (event,) = self._write_as(why)
        return event

    def _write_as(self, why: WhyIncarnation) -> tuple[Event, ...]:
        before = self._last()
        self._journal = Journal(self._database, self.key, self._clock, Start(why=why))
        self.commit()
        return tuple(event for _, event in self._journal.events(after=before))

    def write(self, body: Body, _now: object) -> Event:
        (event,) = self._journal.draft(lambda _: (body,)).result()
        self.commit()
        return event

    def write_raw(self, kind: int, version: int, body: bytes, now: tuple[int, int]) -> Event:
        """Write what a newer program would."""

        def job(connection) -> Event:
            tips = journal_rows.select_tips(connection)
            tip = next(tip for tip in tips if tip.writer == self.writer)
            event = Event(
                writer=self.writer,
                seq=tip.seq + 1,
                prev=tip.hash,
                lc=1 + max(tip.lc for tip in tips),
                boot=self.boot,
                mono_ms=now[0],
                wall_ms=now[1],
                scope=SCOPE_ROOM,
                type=kind,
                version=version,
                body=body,
            )
            wi = log_rows.writer_index(connection, self.writer)
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
        """The last event of the own log; any of its ends if there are several."""
        own = (event for event in self.events() if event.writer == self.writer)
        return max(own, key=lambda event: event.seq)

    def own_heads(self) -> set[tuple[bytes, bytes]]:
        """(writer, head) of every open log that this key began."""

        def look(connection) -> set[tuple[bytes, bytes]]:
            own = {w for _, w in journal_rows.writers_of(connection, self.key.public_key)}
            tips = journal_rows.open_tips(connection)
            return {(tip.writer, tip.hash) for tip in tips if tip.writer in own}

        return self._database.read_here(look) if self._journal is not None else set()

    def is_forked(self) -> bool:
        """Whether the own log has several ends."""
        return sum(writer == self.writer for writer, _ in self.own_heads()) > 1

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

    def _last(self) -> int:
        return self._database.read_here(
            lambda connection: connection.execute(
                "SELECT coalesce(max(n), 0) FROM event"
            ).fetchone()
        )[0]

    def _has_writers(self) -> bool:
        return self._database.read_here(
            lambda connection: connection.execute("SELECT count(*) FROM writer").fetchone()
        )[0]
