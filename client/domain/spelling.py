"""How a typed word meets a title: folding, units, spellings (the rules of search).

Rules, which the index (`client.store.search_index`), the highlighting below and the oracle of
the tests each follow on their own:

  U1  A text is a row of *units*. Every Chinese character is a unit; so is every letter and
      digit of another script, after compatibility folding (full width, case, accents).
      Blanks and punctuation are no units.
  U2  A unit is a *start* if it is a Chinese character, or the first of a run of letters or of
      a run of digits. A match begins at a start and covers neighbouring units.
  U3  A unit can be spelled as itself; a Chinese character also as any of its readings without
      tone, and as the first letter of any of them. `lü` may be typed lv, lü or lu.
  U4  The last unit of a match may also be spelled by the beginning of a reading.
  U5  A query is split at blanks into words, and its punctuation does not count. A text matches
      a word if the word can be cut into spellings of neighbouring units of that text.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Final

Readings = Mapping[str, tuple[str, ...]]
"""Toneless readings (a-z, `v` for ü and its variant with `u`) of each Chinese character."""

MAX_WORDS: Final = 8
MAX_WORD: Final = 48

_SPECIAL: Final = {"\u00fc": "v", "\u0251": "a", "\u0261": "g"}
_DIAERESIS: Final = "\u0308"
_TONED_U: Final = frozenset("\u01d6\u01d8\u01da\u01dc\u01d5\u01d7\u01d9\u01db\u00dc")


@dataclass(frozen=True, slots=True)
class Units:
    """The units of a text: folded characters, which of them are starts, and where they stand."""

    chars: tuple[str, ...]
    starts: tuple[bool, ...]
    at: tuple[int, ...]


class _Kind(Enum):
    NONE = 0
    CHINESE = 1
    DIGIT = 2
    LETTER = 3


def is_chinese(char: str) -> bool:
    """Tell whether the character is a Chinese one (the blocks that have readings)."""
    return "\u4e00" <= char <= "\u9fff" or "\u3400" <= char <= "\u4dbf" or char == "\u3007"


def fold(char: str) -> str:
    """Fold one character: the units it stands for, empty for blanks, marks and punctuation."""
    if is_chinese(char):
        return char
    if char in _TONED_U:
        return "v"
    special = _SPECIAL.get(char)
    if special is not None:
        return special
    decomposed = unicodedata.normalize("NFKD", char).casefold()
    return "".join(c for c in decomposed if c.isalnum())


def units(text: str) -> Units:
    """Cut a text into its units (U1, U2)."""
    chars: list[str] = []
    starts: list[bool] = []
    where: list[int] = []
    before = _Kind.NONE
    for at, char in enumerate(text):
        folded, kind = _known(char)
        if not folded:
            # A lone combining mark belongs to the letter before it.
            before = before if unicodedata.combining(char) else _Kind.NONE
            continue
        starts.append(kind is not before or kind is _Kind.CHINESE)
        chars.append(folded[0])
        where.append(at)
        before = kind
        for more in folded[1:]:
            chars.append(more)
            starts.append(_kind(more) is not before)
            where.append(at)
            before = _kind(more)
    return Units(tuple(chars), tuple(starts), tuple(where))


@lru_cache(maxsize=16384)
def _known(char: str) -> tuple[str, _Kind]:
    folded = fold(char)
    return folded, _kind(folded[:1])


def _kind(unit: str) -> _Kind:
    if not unit:
        return _Kind.NONE
    if is_chinese(unit):
        return _Kind.CHINESE
    return _Kind.DIGIT if unit.isdigit() else _Kind.LETTER


def query_words(query: str) -> tuple[str, ...]:
    """Split what was typed into folded words (U5); bounded, so that no paste can hurt."""
    composed = unicodedata.normalize("NFC", query)
    folded = ("".join(_known(char)[0] for char in word)[:MAX_WORD] for word in composed.split())
    return tuple(dict.fromkeys(word for word in folded if word))[:MAX_WORDS]


def spellings(char: str, readings: Readings) -> tuple[str, ...]:
    """All ways to type a whole unit (U3)."""
    if char == "v":
        return ("v", "u")
    known = readings.get(char, ())
    return (char, *known, *dict.fromkeys(reading[0] for reading in known))


class Marker:
    """Finds the stretches of titles that match a query, to be marked on the page."""

    def __init__(self, words: tuple[str, ...], readings: Readings) -> None:
        self._words = words
        self._readings = readings
        self._spelled: dict[str, tuple[str, ...]] = {}
        self._may_begin: dict[str, dict[str, bool]] = {word: {} for word in words}

    def spans(self, text: str) -> tuple[tuple[int, int], ...]:
        """Give the stretches (start, length) of `text`, merged and in order.

        Each word marks its leftmost match, the longest one from there.
        """
        row = units(text)
        marked: list[tuple[int, int]] = []
        for word in self._words:
            span = self._leftmost(row, word)
            if span is not None:
                marked.append(span)
        return _merge(sorted(marked))

    def _leftmost(self, row: Units, word: str) -> tuple[int, int] | None:
        may_begin = self._may_begin[word]
        for begin, char in enumerate(row.chars):
            may = may_begin.get(char)
            if may is None:
                may = may_begin[char] = any(word[0] == way[0] for way in self._ways(char))
            if may and row.starts[begin]:
                end = self._match(row.chars, begin, word)
                if end:
                    return row.at[begin], row.at[end - 1] + 1
        return None

    def _ways(self, char: str) -> tuple[str, ...]:
        ways = self._spelled.get(char)
        if ways is None:
            ways = self._spelled[char] = spellings(char, self._readings)
        return ways

    def _match(self, chars: tuple[str, ...], begin: int, word: str) -> int:
        """Give the unit after the longest match of all of `word` from `begin`, 0 if none."""
        states = {0}
        best = 0
        for index in range(begin, len(chars)):
            ways = self._ways(chars[index])
            after: set[int] = set()
            for done in states:
                rest = word[done:]
                for way in ways:
                    if rest.startswith(way):
                        after.add(done + len(way))
                    elif way.startswith(rest):
                        after.add(len(word))
            if len(word) in after:
                best = index + 1
                after.discard(len(word))
            if not after:
                break
            states = after
        return best


def _merge(spans: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    merged: list[tuple[int, int]] = []
    for begin, end in spans:
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((begin, end))
    return tuple((begin, end - begin) for begin, end in merged)
