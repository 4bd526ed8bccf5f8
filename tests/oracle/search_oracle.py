"""What a search must find, worked out the slow way from the stated rules.

Shares no code with the program: own folding, readings straight from pypinyin, matching by regular
expressions over every text, ranking by sorting all that was found.
"""

import re
import tomllib
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from client.domain.catalogue import Lesson

PLACES = Path(__file__).resolve().parents[2] / "assets" / "places.toml"
MARK = "\x01"
"""Stands before every unit at which a match may begin."""


def _is_han(char: str) -> bool:
    return "CJK UNIFIED" in unicodedata.name(char, "") or char == "〇"


def _plain(reading: str) -> str:
    text = unicodedata.normalize("NFD", reading).replace("u\u0308", "v")
    return re.sub("[^a-z]", "", text)


@cache
def _readings() -> dict[str, set[str]]:
    from pypinyin.phrases_dict import phrases_dict
    from pypinyin.pinyin_dict import pinyin_dict

    found: dict[str, set[str]] = defaultdict(set)
    for code, text in pinyin_dict.items():
        found[chr(code)] |= {_plain(r) for r in text.split(",")}
    for phrase, rows in phrases_dict.items():
        if len(phrase) == len(rows):
            for char, readings in zip(phrase, rows, strict=True):
                found[char] |= {_plain(r) for r in readings}
    return {
        char: {way for r in ways if r for way in (r, r.replace("v", "u"))}
        for char, ways in found.items()
        if "\u4e00" <= char <= "\u9fff" or char == "〇"
    }


@cache
def _by_spelling(alphabet: frozenset[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Characters of the alphabet by whole spelling and by beginning of a reading."""
    whole: dict[str, set[str]] = defaultdict(set)
    begun: dict[str, set[str]] = defaultdict(set)
    for char in alphabet:
        for way in _readings().get(char, ()):
            whole[way].add(char)
            whole[way[0]].add(char)
            for size in range(1, len(way) + 1):
                begun[way[:size]].add(char)
    return (
        {k: "".join(sorted(v)) for k, v in whole.items()},
        {k: "".join(sorted(v)) for k, v in begun.items()},
    )


def folded(text: str) -> str:
    """Units of a text, a mark before those that may begin a match."""
    out = ""
    kind_before = ""
    for char in unicodedata.normalize("NFC", text):
        if _is_han(char):
            out += MARK + char
            kind_before = ""
            continue
        plain = char.casefold()
        plain = "v" if plain in "üǖǘǚǜ" else {"ɑ": "a", "ɡ": "g"}.get(plain, plain)
        units = [c for c in unicodedata.normalize("NFKD", plain).casefold() if c.isalnum()]
        if not units and not unicodedata.combining(char):
            kind_before = ""
        for unit in units:
            kind = "han" if _is_han(unit) else "digit" if unit.isdigit() else "letter"
            out += (MARK if kind != kind_before or kind == "han" else "") + unit
            kind_before = kind
    return out


def words_of(query: str) -> list[str]:
    """Folded words of a query."""
    words = [folded(word).replace(MARK, "") for word in query.split()]
    return [word for word in words if word]


def pattern(word: str, alphabet: frozenset[str]) -> "re.Pattern[str]":
    """Regular expression over folded text that matches where the word does."""
    whole, begun = _by_spelling(alphabet)

    @cache
    def rest(at: int) -> str:
        ways = []
        for size in range(1, min(6, len(word) - at) + 1):
            piece = word[at : at + size]
            chars = whole.get(piece, "") + (piece if size == 1 else "")
            if piece == "u":
                chars += "v"
            if at + size == len(word):
                chars += begun.get(piece, "")
                ways += [f"[{re.escape(chars)}]"] if chars else []
            elif chars and (tail := rest(at + size)):
                ways.append(f"[{re.escape(chars)}]{MARK}?{tail}")
        return f"(?:{'|'.join(ways)})" if ways else ""

    found = rest(0)
    return re.compile(MARK + found if found else "(?!)")


@dataclass(frozen=True)
class Known:
    """All lessons in rank order, and which of them stand under each text."""

    ids: list[str]
    books: list[str]
    titles: str
    title_rows: list[list[int]]
    above: str
    above_rows: list[list[int]]
    alphabet: frozenset[str]


def ranked(lessons: Iterable[Lesson]) -> list[Lesson]:
    """Lessons in static rank: books in the order of school, then as the book goes on."""
    orders = tomllib.loads(PLACES.read_text(encoding="utf-8"))

    def at(name: str, word: str) -> tuple[int, str]:
        known = orders[name]
        return (known.index(word) if word in known else len(known) if word else 999, word)

    def key(lesson: Lesson) -> tuple[object, ...]:
        p = lesson.place
        return (
            at("stages", p.stage), at("grades", p.grade), at("subjects", p.subject), p.edition,
            at("volumes", p.volume), lesson.book, lesson.position, lesson.id,
        )  # fmt: skip

    return sorted(lessons, key=key)


def known(lessons: Iterable[Lesson]) -> Known:
    """Note the lessons, given in rank order."""
    ids: list[str] = []
    books: list[str] = []
    titles: dict[str, list[int]] = defaultdict(list)
    above: dict[str, list[int]] = defaultdict(list)
    for row, lesson in enumerate(lessons):
        ids.append(lesson.id)
        books.append(lesson.book or "")
        titles[folded(lesson.title)].append(row)
        p = lesson.place
        place = " ".join((p.stage, p.grade, p.subject, p.edition, p.volume))
        for text in (place, *lesson.section_titles):
            above[folded(text)].append(row)
    return Known(
        ids=ids,
        books=books,
        titles="\n".join(titles),
        title_rows=list(titles.values()),
        above="\n".join(above),
        above_rows=list(above.values()),
        alphabet=frozenset("".join((*titles, *above))),
    )


def _rows(found: "re.Pattern[str]", text: str, rows: list[list[int]]) -> set[int]:
    lines: set[int] = set()
    line = at = 0
    for match in found.finditer(text):
        line += text.count("\n", at, match.start())
        at = match.start()
        lines.add(line)
    return {row for index in lines for row in rows[index]}


def search(everything: Known, query: str, room: Sequence[str], limit: int = 50) -> list[str]:
    """Ids of the first lessons that must be shown."""
    in_title = set(range(len(everything.ids)))
    anywhere = set(in_title)
    for word in words_of(query):
        found = pattern(word, everything.alphabet)
        titles = _rows(found, everything.titles, everything.title_rows)
        in_title &= titles
        anywhere &= titles | _rows(found, everything.above, everything.above_rows)
    mine = set(room)
    ranked = sorted(
        anywhere, key=lambda row: (everything.books[row] not in mine, row not in in_title, row)
    )
    return [everything.ids[row] for row in ranked[:limit]]
