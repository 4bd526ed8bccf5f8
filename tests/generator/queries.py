"""What people type: queries of every kind, taken from the texts of a catalogue.

`queries(lessons)` gives for each kind the same queries for the same seed. Most have answers; every
tenth is bent so that it may have none.
"""

import random
from collections.abc import Sequence
from functools import cache
from typing import Final

from client.domain.catalogue import Lesson

KINDS: Final = (
    "one_char", "two_char", "three_char", "words", "pinyin", "initials", "mixed", "polyphone",
)  # fmt: skip


@cache
def _ways(char: str) -> tuple[str, ...]:
    from pypinyin import Style, pinyin

    return tuple(pinyin(char, style=Style.NORMAL, heteronym=True, v_to_u=False)[0])


def _han(text: str) -> str:
    return "".join(char for char in text if "\u4e00" <= char <= "\u9fff")


class Typist:
    """Makes queries of each kind."""

    def __init__(self, lessons: Sequence[Lesson], seed: int) -> None:
        self._lessons = lessons
        self._dice = random.Random(seed)

    def make(self, kind: str) -> str:
        """One query."""
        query = str(getattr(self, f"_{kind}")())
        if self._dice.random() < 0.1:
            letters = list(query)
            self._dice.shuffle(letters)
            query = "".join(letters)
        return query

    def _piece(self, shortest: int, longest: int) -> str:
        while True:
            lesson = self._dice.choice(self._lessons)
            texts = (lesson.title, lesson.title, lesson.title, *lesson.section_titles)
            text = _han(self._dice.choice(texts))
            size = self._dice.randint(shortest, longest)
            if len(text) >= size:
                at = self._dice.randrange(len(text) - size + 1)
                return text[at : at + size]

    def _read(self, text: str) -> list[str]:
        return [self._dice.choice(_ways(char)) for char in text]

    def _one_char(self) -> str:
        return self._piece(1, 1)

    def _two_char(self) -> str:
        return self._piece(2, 2)

    def _three_char(self) -> str:
        return self._piece(3, 4)

    def _words(self) -> str:
        lesson = self._dice.choice(self._lessons)
        place = lesson.place
        above = (place.subject, place.grade, place.edition, *lesson.section_titles)
        words = [word for word in lesson.title.split() if word.isascii()]
        words += [text[:2] for text in (_han(lesson.title), _han(self._dice.choice(above))) if text]
        if self._dice.random() < 0.3:
            words.append(self._piece(1, 2))
        self._dice.shuffle(words)
        return " ".join(words[: self._dice.randint(2, 3)])

    def _pinyin(self) -> str:
        text = "".join(self._read(self._piece(1, 5)))
        # As typed: the last syllable is often not finished.
        return text[: len(text) - self._dice.choice((0, 0, 1, 2))] or text

    def _initials(self) -> str:
        return "".join(way[0] for way in self._read(self._piece(1, 6)))

    def _mixed(self) -> str:
        piece = self._piece(2, 5)
        joined = "".join(
            self._dice.choice((char, way, way[0]))
            for char, way in zip(piece, self._read(piece), strict=True)
        )
        if self._dice.random() < 0.3:
            joined += f" {self._initials()[:2]}"
        return joined

    def _polyphone(self) -> str:
        while True:
            piece = self._piece(2, 4)
            if any(len(_ways(char)) > 1 for char in piece):
                break
        style = self._dice.randrange(3)
        read = self._read(piece)
        if style == 0:
            return "".join(read)
        if style == 1:
            return "".join(way[0] for way in read)
        return piece[0] + "".join(read[1:])


def queries(lessons: Sequence[Lesson], per_kind: int, seed: int = 7) -> dict[str, list[str]]:
    """Queries of every kind."""
    return {
        kind: [typist.make(kind) for _ in range(per_kind)]
        for kind in KINDS
        for typist in (Typist(lessons, seed + KINDS.index(kind)),)
    }
