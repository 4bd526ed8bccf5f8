"""Matching one shard: shift-and over sets of positions (rules U1-U5 of `client.domain.spelling`).

`plan` cuts a word into the steps it may begin with at each letter; it is the same for all shards.
`hits` runs the steps over a shard: `states[j]` holds the positions at which the rest of the word
from letter j must go on. All ways to cut the word are followed at once.

Invariants:
  M1  The set of hits holds the end bit of exactly those texts that match the word.
  M2  A hit on a node counts for every lesson below it, and for no other.
"""

from array import array
from bisect import bisect_left
from dataclasses import dataclass
from typing import Final, Protocol

from client.domain.spelling import Readings
from client.store.search_index import (
    Head,
    beginning,
    first_positions,
    literal,
    positions_of,
    syllable,
)


@dataclass(frozen=True, slots=True)
class Step:
    """From a letter of the word: a unit with `token` takes `size` letters; 0 takes the rest."""

    token: str
    size: int


class Sets(Protocol):
    """The sets of tokens, by shard."""

    def get(self, token: str, shard: int) -> int:
        """Give the set of a token in a shard, 0 if it has none. Called some hundred times."""
        ...


Plan = tuple[tuple[Step, ...], ...]


class Syllables:
    """All readings there are, for cutting words."""

    def __init__(self, readings: Readings) -> None:
        self.whole: Final = frozenset(way for ways in readings.values() for way in ways)
        self.beginnings: Final = frozenset(
            way[:size] for way in self.whole for size in range(1, len(way) + 1)
        )
        self.longest: Final = max(map(len, self.whole), default=0)


def plan(word: str, syllables: Syllables) -> Plan:
    """Say which steps are possible at each letter of a folded word."""
    rows: list[tuple[Step, ...]] = []
    for at, char in enumerate(word):
        rest = word[at:]
        steps = [Step(literal(char), 0 if len(rest) == 1 else 1)]
        if "a" <= char <= "z":
            if len(rest) > 1 and char in syllables.beginnings:
                steps.append(Step(beginning(char), 1))
            sizes = range(1, min(syllables.longest, len(rest) - 1) + 1)
            steps += [Step(syllable(rest[:n]), n) for n in sizes if rest[:n] in syllables.whole]
            if rest in syllables.beginnings:
                steps.append(Step(beginning(rest), 0))
        rows.append(tuple(steps))
    return tuple(rows)


class ShardView:
    """One shard ready to be matched. Made once, used by any thread."""

    def __init__(self, number: int, head: Head, starts: int, ends: int) -> None:
        titles = len(head.rows)
        self.number: Final = number
        self._head = head
        self._starts = starts
        self._ends = ends
        self._body = ((1 << (head.ends[-1] + 1)) - 1) ^ ends
        self._title_size = head.ends[titles - 1] + 1
        self._title_ends = head.ends[:titles]
        self._node_ends = array("I", [end - self._title_size for end in head.ends[titles:]])
        self.titles: Final = ends & ((1 << self._title_size) - 1)
        """End bits of all titles: the set of all lessons."""

    def hits(self, steps: Plan, sets: Sets) -> int:
        """End bits of the texts, titles and nodes, that match a word (M1)."""
        get, number = sets.get, self.number
        states = [0] * len(steps)
        states[0] = self._starts
        done = 0
        for at, choices in enumerate(steps):
            state = states[at]
            if not state:
                continue
            for step in choices:
                here = state & get(step.token, number)
                if not here:
                    continue
                if step.size:
                    states[at + step.size] |= here << 1
                else:
                    done |= here
        # In every text that holds a bit of `done` the sum carries into its end bit.
        return (done + self._body) & self._ends if done else 0

    def below(self, hits: int) -> int:
        """Lessons below the nodes among `hits` (M2)."""
        nodes = hits >> self._title_size
        if not nodes:
            return 0
        lows = bytearray((self._title_size >> 3) + 1)
        highs = bytearray(len(lows))
        covered = 0
        for position in positions_of(nodes):
            node = bisect_left(self._node_ends, position)
            begin, end = self._head.first[node], self._head.last[node]
            if begin >= covered:
                _set(lows, self._title_ends[begin - 1] + 1 if begin else 0)
                _set(highs, self._title_ends[end - 1] + 1)
                covered = end
        # The runs do not overlap, so the difference of their borders is their union.
        runs = int.from_bytes(highs, "little") - int.from_bytes(lows, "little")
        return runs & self.titles

    def rows_of(self, lessons: int, limit: int) -> list[int]:
        """Row numbers of the first lessons of a set, in rank order."""
        found = first_positions(lessons, limit)
        return [self._head.rows[bisect_left(self._title_ends, position)] for position in found]


def _set(raw: bytearray, position: int) -> None:
    raw[position >> 3] |= 1 << (position & 7)
