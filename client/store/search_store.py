"""The search index in library.db: build it beside the old one, publish it, answer from it.

What is found and how it is ranked:

  * A lesson is found if every word of the query matches its title or one text above it: the place
    of its book (stage, grade, subject, edition, volume as one text), its unit, its sections
    (`client.domain.spelling`, U1-U5), and if it has one of the wanted values of every facet.
    A query without words finds every lesson.
  * First the lessons of this room's books, then the others; in each of the two first those whose
    title alone matches all words, then the rest; in each of the four by static rank: the order
    in which the lessons were given to `rebuild`.

Invariants:
  S1  `first` and `counts` answer from one published edition: a rebuild is seen whole or not.
  S2  A shard whose lessons did not change is kept as it is.
  S3  A build that stops half-way leaves the published edition in force; its leavings go with the
      next build.
"""

import hashlib
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

from client.domain.cancel import CancelToken
from client.store.database import Database
from client.store.pinyin import load_readings
from client.store.search_edition import Counts, Edition, SearchQuery
from client.store.search_index import IndexRow, Shard, build_shard
from client.store.search_match import Syllables

T = TypeVar("T")

FORMAT: Final = 3
"""Raised whenever the bytes of a shard or the rules change: all shards are then built anew."""
SHARD_ROWS: Final = 4000
CACHE_BYTES: Final = 24_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Lessons that stay together, of one book as a rule. Groups are given in order of `key`."""

    key: str
    rows: tuple[IndexRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildReport:
    """What a build did."""

    lessons: int
    built: int
    kept: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """A shard of the published edition."""

    shard: int
    first_key: str
    digest: bytes


class SearchStore:
    """See the module. Any thread but the GUI's; one `rebuild` at a time."""

    def __init__(
        self, database: Database, *, shard_rows: int = SHARD_ROWS, cache_bytes: int = CACHE_BYTES
    ) -> None:
        self._database = database
        self._shard_rows = shard_rows
        self._cache_bytes = cache_bytes
        self._gate = threading.Lock()
        self._building = threading.Lock()
        self._edition: Edition | None = None

    def first(self, query: SearchQuery, limit: int) -> tuple[int, ...]:
        """Row numbers of the first `limit` lessons found, ranked."""
        return self._answer(lambda c, edition: edition.first(c, query, limit))

    def counts(self, query: SearchQuery) -> Counts:
        """Count all that is found, in all and per facet value."""
        return self._answer(lambda c, edition: edition.counts(c, query))

    def cursor(self) -> int:
        """Cursor given to the last complete `rebuild`, 0 before the first or after a new format."""
        return self._database.read_here(_cursor)

    def rebuild(
        self, groups: Iterable[Group], *, cursor: int = 0, cancel: CancelToken | None = None
    ) -> BuildReport:
        """Bring the index up to these lessons. Worker threads only; some seconds when all is new.

        Args:
            groups: All lessons there are, in rank order.
            cursor: Remembered with the edition, see `cursor()`.
            cancel: Asked between shards.

        Raises:
            Cancelled: Nothing was published.
            StorageError: Nothing was published.
        """
        with self._building:
            self._database.write(_clear_leavings).result()
            known = self._database.read_here(_known_shards)
            readings = load_readings()
            spare = {shard.digest: shard for shard in known}
            numbers: list[int] = []
            kept = lessons = 0
            for key, rows in _cut(groups, tuple(k.first_key for k in known), self._shard_rows):
                if cancel is not None:
                    cancel.check()
                lessons += len(rows)
                digest = _digest(rows)
                old = spare.pop(digest, None)
                if old is not None:
                    kept += 1
                    numbers.append(old.shard)
                    continue
                built = build_shard(rows, readings)
                numbers.append(self._database.write(partial(_put, built, key, digest)).result())
            if kept < len(known) or kept < len(numbers):
                self._database.write(partial(_publish, numbers, cursor)).result()
            else:
                self._database.write(partial(_remember, cursor)).result()
        return BuildReport(lessons=lessons, built=len(numbers) - kept, kept=kept)

    def _answer(self, ask: Callable[[sqlite3.Connection, Edition], T]) -> T:
        def run(connection: sqlite3.Connection) -> T:
            # One read transaction: postings of the edition stay while they are being read (S1).
            connection.execute("BEGIN")
            try:
                return ask(connection, self._current(connection))
            finally:
                connection.execute("COMMIT")

        return self._database.read_here(run)

    def _current(self, connection: sqlite3.Connection) -> Edition:
        number = int(connection.execute("SELECT edition FROM search_state").fetchone()[0])
        with self._gate:
            if self._edition is None or self._edition.number != number:
                syllables = Syllables(load_readings())
                self._edition = Edition(connection, number, syllables, self._cache_bytes)
            return self._edition


def _cut(
    groups: Iterable[Group], borders: tuple[str, ...], most: int
) -> Iterator[tuple[str, tuple[IndexRow, ...]]]:
    """Cut into shards, where the published edition was cut as far as that fits (S2)."""
    key = ""
    rows: list[IndexRow] = []
    known = set(borders)
    for group in groups:
        full = len(rows) + len(group.rows) > most + most // 4
        if rows and (full or group.key in known or (not known and len(rows) >= most)):
            yield key, tuple(rows)
            rows = []
        if not rows:
            key = group.key
        rows += group.rows
    if rows:
        yield key, tuple(rows)


def _digest(rows: tuple[IndexRow, ...]) -> bytes:
    hashed = hashlib.sha256(b"%d" % FORMAT)
    for row in rows:
        fields = (str(row.n), row.title, *row.path, "", *row.place, row.kind, row.book or "")
        hashed.update("\0".join(fields).encode() + b"\n")
    return hashed.digest()


def _clear_leavings(connection: sqlite3.Connection) -> None:
    connection.execute(
        "DELETE FROM search_posting WHERE shard IN (SELECT shard FROM search_shard "
        "WHERE place IS NULL)"
    )
    connection.execute("DELETE FROM search_shard WHERE place IS NULL")


def _known_shards(connection: sqlite3.Connection) -> tuple[_Known, ...]:
    rows = connection.execute(
        "SELECT shard, first_key, digest FROM search_shard, search_state "
        "WHERE place IS NOT NULL AND format = ? ORDER BY place",
        (FORMAT,),
    )
    return tuple(_Known(shard=s, first_key=k, digest=d) for s, k, d in rows)


def _cursor(connection: sqlite3.Connection) -> int:
    row = connection.execute("SELECT cursor FROM search_state WHERE format = ?", (FORMAT,))
    found = row.fetchone()
    return int(found[0]) if found else 0


def _put(shard: Shard, key: str, digest: bytes, connection: sqlite3.Connection) -> int:
    number = connection.execute(
        "INSERT INTO search_shard (place, first_key, digest, head) VALUES (NULL, ?, ?, ?) "
        "RETURNING shard",
        (key, digest, shard.head),
    ).fetchone()[0]
    connection.executemany(
        "INSERT INTO search_posting VALUES (?, ?, ?)",
        ((token, number, bits) for token, bits in shard.postings),
    )
    return int(number)


def _publish(numbers: list[int], cursor: int, connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE search_shard SET place = NULL")
    connection.executemany(
        "UPDATE search_shard SET place = ? WHERE shard = ?", tuple(enumerate(numbers))
    )
    _clear_leavings(connection)
    connection.execute(
        "UPDATE search_state SET edition = edition + 1, format = ?, cursor = ?", (FORMAT, cursor)
    )


def _remember(cursor: int, connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE search_state SET cursor = ?", (cursor,))
