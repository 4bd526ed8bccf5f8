"""One published edition of the index in memory: its shards, and a bounded cache of their sets.

Invariants:
  E1  The cache keeps at most about `cache_bytes` of sets; what was dropped is read again.
  E2  No shard is matched for rows once enough rows of a higher rank were found.
"""

import sqlite3
import threading
from collections import OrderedDict
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Final

from client.domain.ids import BookId
from client.store.search_index import ENDS, FACETS, STARTS, facet, unpack, unpack_head
from client.store.search_match import Plan, ShardView, Syllables, plan

Wanted = tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchQuery:
    """What is asked. `words` are folded (`client.domain.spelling.query_words`)."""

    words: tuple[str, ...] = ()
    wanted: Wanted = ()
    """Facet (or `kind`, `book`) and the values that will do; one of each facet must hold."""
    room: tuple[BookId, ...] = ()
    """Books whose lessons come first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many there are in all, and per facet how many each value would leave.

    A facet is counted under the choices made in the other facets, so that its own values can be
    changed. Largest first, then by name.
    """

    total: int
    facets: tuple[tuple[str, tuple[tuple[str, int], ...]], ...]


class Edition:
    """Shards that do not change any more. Any thread, each with its own connection."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        number: int,
        syllables: Syllables,
        cache_bytes: int,
    ) -> None:
        self.number: Final = number
        self._syllables = syllables
        self._sets = _Sets(cache_bytes)
        self._room: tuple[tuple[BookId, ...], tuple[int, ...]] | None = None
        self._known_values: dict[str, tuple[str, ...]] | None = None
        starts, ends = _packed(connection, STARTS), _packed(connection, ENDS)
        self._shards = tuple(
            ShardView(number, unpack_head(head), unpack(starts[number]), unpack(ends[number]))
            for number, head in connection.execute(
                "SELECT shard, head FROM search_shard WHERE place IS NOT NULL ORDER BY place"
            ).fetchall()
        )

    def first(
        self, connection: sqlite3.Connection, query: SearchQuery, limit: int
    ) -> tuple[int, ...]:
        """Row numbers of the first lessons found, ranked (see `client.store.search_store`)."""
        answers = self._ask(connection, query)
        found: list[int] = []
        for is_room in (True, False) if query.room else (False,):
            for by_title in (True, False):
                for answer in answers:
                    lessons = answer.ranked(is_room=is_room, by_title=by_title)
                    if lessons:
                        found += answer.shard.rows_of(lessons, limit - len(found))
                    if len(found) >= limit:
                        return tuple(found)
        return tuple(found)

    def counts(self, connection: sqlite3.Connection, query: SearchQuery) -> Counts:
        """Count all that is found, in all and per facet value."""
        total = 0
        tallies: dict[str, dict[str, int]] = {name: {} for name in FACETS}
        values = self._values(connection)
        for answer in self._ask(connection, query):
            total += answer.every().bit_count()
            for name, tally in tallies.items():
                _tally(answer, name, values[name], tally)
        return Counts(
            total=total,
            facets=tuple(
                (name, tuple(sorted(tally.items(), key=lambda item: (-item[1], item[0]))))
                for name, tally in tallies.items()
            ),
        )

    def _ask(self, connection: sqlite3.Connection, query: SearchQuery) -> list["_Answer"]:
        # Long words are rare ones: where they are missing the others need not be looked for.
        words = sorted(query.words, key=lambda word: -len(word.encode()))
        plans = tuple(plan(word, self._syllables) for word in words)
        sets = _Reader(self._sets, connection)
        room = self._lessons_of_room(query.room, sets)
        return [
            _Answer(shard, sets, plans, query.wanted, mine)
            for shard, mine in zip(self._shards, room, strict=True)
        ]

    def _lessons_of_room(self, room: tuple[BookId, ...], sets: "_Reader") -> tuple[int, ...]:
        """Lessons of the room's books in each shard; the same room asks again and again."""
        known = self._room
        if known is None or known[0] != room:
            tokens = [facet("book", book) for book in room]
            known = self._room = (
                room,
                tuple(
                    reduce(or_, (sets.get(token, shard.number) for token in tokens), 0)
                    for shard in self._shards
                ),
            )
        return known[1]

    def _values(self, connection: sqlite3.Connection) -> dict[str, tuple[str, ...]]:
        if self._known_values is None:
            found: dict[str, tuple[str, ...]] = {}
            for name in FACETS:
                lead = facet(name, "")
                rows = connection.execute(
                    "SELECT DISTINCT token FROM search_posting WHERE token > ? AND token < ?",
                    (lead, lead + "\U0010ffff"),
                )
                found[name] = tuple(token[len(lead) :] for (token,) in rows)
            self._known_values = found
        return self._known_values


class _Answer:
    """What one query finds in one shard, worked out as far as it is asked for."""

    def __init__(
        self,
        shard: ShardView,
        sets: "_Reader",
        plans: tuple[Plan, ...],
        wanted: Wanted,
        room: int,
    ) -> None:
        self.shard = shard
        self._sets = sets
        self._plans = plans
        self._wanted = wanted
        self._room = room
        self._hits: list[int] = []
        self._anywhere: int | None = None
        self._kept: int | None = None

    def ranked(self, *, is_room: bool, by_title: bool) -> int:
        """Lessons of one of the four ranks."""
        kept = self._kept_lessons() & (self._room if is_room else ~self._room)
        if not kept:
            return 0
        titles = kept
        for index in range(len(self._plans)):
            if titles:
                titles &= self._word_hits(index)
        if by_title:
            return titles
        return self._found_anywhere() & kept & ~titles

    def every(self, but: str = "") -> int:
        """All lessons found, leaving out the choice made in facet `but`."""
        found = self._found_anywhere()
        for name, values in self._wanted:
            if name != but and found:
                found &= self._having(name, values)
        return found

    def having(self, name: str, value: str) -> int:
        """Lessons with a facet value."""
        return self._sets.get(facet(name, value), self.shard.number)

    def _having(self, name: str, values: tuple[str, ...]) -> int:
        found = 0
        for value in values:
            found |= self._sets.get(facet(name, value), self.shard.number)
        return found

    def _kept_lessons(self) -> int:
        if self._kept is None:
            kept = self.shard.titles
            for name, values in self._wanted:
                kept &= self._having(name, values)
            self._kept = kept
        return self._kept

    def _word_hits(self, index: int) -> int:
        while len(self._hits) <= index:
            self._hits.append(self.shard.hits(self._plans[len(self._hits)], self._sets))
        return self._hits[index]

    def _found_anywhere(self) -> int:
        if self._anywhere is None:
            found = self.shard.titles
            for index in range(len(self._plans)):
                if found:
                    hits = self._word_hits(index)
                    found &= hits | self.shard.below(hits)
            self._anywhere = found
        return self._anywhere


def _tally(answer: _Answer, name: str, values: tuple[str, ...], tally: dict[str, int]) -> None:
    lessons = answer.every(but=name)
    for value in values:
        if not lessons:
            return
        having = lessons & answer.having(name, value)
        if having:
            # A lesson has one value of each facet, so what was counted need not be looked at again.
            lessons ^= having
            tally[value] = tally.get(value, 0) + having.bit_count()


class _Sets:
    """Bounded cache of sets by token and shard, the longest unused token dropped first (E1)."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._held = 0
        self._gate = threading.Lock()
        self._tokens: OrderedDict[str, dict[int, int | bytes]] = OrderedDict()

    def rows(self, connection: sqlite3.Connection, token: str) -> dict[int, int | bytes]:
        """Give the sets of a token by shard, packed ones as bytes."""
        with self._gate:
            rows = self._tokens.get(token)
            if rows is not None:
                self._tokens.move_to_end(token)
                return rows
        return self._load(connection, token)

    def _load(self, connection: sqlite3.Connection, token: str) -> dict[int, int | bytes]:
        rows: dict[int, int | bytes] = dict(_packed(connection, token))
        with self._gate:
            if token in self._tokens:
                return self._tokens[token]
            self._tokens[token] = rows
            self._held += sum(map(_size_of, rows.values()))
            self._trim()
        return rows

    def open(self, token: str, shard: int, packed: bytes) -> int:
        """Unpack a set and keep it so."""
        bits = unpack(packed)
        with self._gate:
            rows = self._tokens.get(token)
            if rows is not None and rows.get(shard) is packed:
                rows[shard] = bits
                self._held += _size_of(bits) - _size_of(packed)
                self._trim()
        return bits

    def _trim(self) -> None:
        while self._held > self._most and len(self._tokens) > 1:
            _, dropped = self._tokens.popitem(last=False)
            self._held -= sum(map(_size_of, dropped.values()))


class _Reader:
    """The sets for one query: asks the shared cache once per token."""

    def __init__(self, sets: _Sets, connection: sqlite3.Connection) -> None:
        self._sets = sets
        self._connection = connection
        self._tokens: dict[str, dict[int, int | bytes]] = {}

    def get(self, token: str, shard: int) -> int:
        """See `search_match.Sets`."""
        rows = self._tokens.get(token)
        if rows is None:
            rows = self._tokens[token] = self._sets.rows(self._connection, token)
        bits = rows.get(shard, 0)
        return self._sets.open(token, shard, bits) if isinstance(bits, bytes) else bits


def _size_of(kept: int | bytes) -> int:
    return len(kept) + 33 if isinstance(kept, bytes) else (kept.bit_length() >> 3) + 28


def _packed(connection: sqlite3.Connection, token: str) -> dict[int, bytes]:
    rows = connection.execute("SELECT shard, bits FROM search_posting WHERE token = ?", (token,))
    return dict(rows.fetchall())
