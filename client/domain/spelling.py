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
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final, NamedTuple

Readings = Mapping[str, tuple[str, ...]]
"""Toneless readings (a-z, `v` for ü and its variant with `u`) of each Chinese character."""

MAX_WORDS: Final = 8
MAX_WORD: Final = 48

_SPECIAL: Final = {"\u00fc": "v", "\u0251": "a", "\u0261": "g"}
_DIAERESIS: Final = "\u0308"
_TONED_U: Final = frozenset("\u01d6\u01d8\u01da\u01dc\u01d5\u01d7\u01d9\u01db\u00dc")


class Unit(NamedTuple):
    """One unit of a text: its folded character, whether it is a start, where it stands."""

    char: str
    is_start: bool
    at: int


def is_chinese(char: str) -> bool:
    """Tell whether the character is a Chinese one (the blocks that have readings)."""
    return "\u4e00" <= char <= "\u9fff" or "\u3400" <= char <= "\u4dbf" or char == "\u3007"


@lru_cache(maxsize=16384)
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


def units(text: str) -> Iterator[Unit]:
    """Cut a text into its units (U1, U2)."""
    before = ""
    for at, char in enumerate(text):
        folded = fold(char)
        if not folded:
            # A lone combining mark belongs to the letter before it.
            before = before if unicodedata.combining(char) else ""
            continue
        for unit in folded:
            yield Unit(unit, _starts(before, unit), at)
            before = unit


def _starts(before: str, unit: str) -> bool:
    if not before or is_chinese(unit) or is_chinese(before):
        return True
    return before.isdigit() != unit.isdigit()


def query_words(query: str) -> tuple[str, ...]:
    """Split what was typed into folded words (U5); bounded, so that no paste can hurt."""
    composed = unicodedata.normalize("NFC", query)
    folded = ("".join(map(fold, word))[:MAX_WORD] for word in composed.split())
    return tuple(dict.fromkeys(word for word in folded if word))[:MAX_WORDS]


def spellings(char: str, readings: Readings) -> tuple[str, ...]:
    """All ways to type a whole unit (U3)."""
    if char == "v":
        return ("v", "u")
    known = readings.get(char, ())
    return (char, *known, *dict.fromkeys(reading[0] for reading in known))


def find_spans(
    text: str, words: tuple[str, ...], readings: Readings
) -> tuple[tuple[int, int], ...]:
    """Find the stretches (start, length) of `text` that match, merged and in order.

    Each word marks its leftmost match, the longest one from there.
    """
    row = tuple(units(text))
    marked: list[tuple[int, int]] = []
    for word in words:
        for begin, unit in enumerate(row):
            if unit.is_start and (end := _match(row, begin, word, readings)) > begin:
                marked.append((unit.at, row[end - 1].at + 1))
                break
    return _merge(sorted(marked))


def _match(row: tuple[Unit, ...], begin: int, word: str, readings: Readings) -> int:
    """Give the unit after the longest match of all of `word` from `begin`, 0 if there is none."""
    states = {0}
    best = 0
    for index in range(begin, len(row)):
        char = row[index].char
        after: set[int] = set()
        for done in states:
            rest = word[done:]
            after.update(done + len(s) for s in spellings(char, readings) if rest.startswith(s))
            if any(reading.startswith(rest) for reading in readings.get(char, ())):
                best = index + 1
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
