"""A catalogue of any size: invented lessons with the shape, words and names of the real one.

Deterministic for a seed. `generate(n)` yields books with their chapter tree and lessons until n
lessons exist: 2 stages x grades x subjects x editions x volumes. Titles are put together from
textbook topics, class-hour suffixes, proper names and phrases, so that the characters are as
many and as unevenly spread as in real titles (about 4,500 different ones), with Latin words and
digits among them.
"""

import random
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle, product
from pathlib import Path
from typing import Final

from client.domain.catalogue import Book, Lesson, LessonKind, Placement, Section, Tag
from client.domain.ids import BookId, LessonId, SectionId, SourceId

VERSION: Final = 3
SOURCE: Final = SourceId("platform")

WORDS: Final = tomllib.loads((Path(__file__).with_name("words.toml")).read_text(encoding="utf-8"))
SUFFIXES: Final = (*("",) * 8, *WORDS["suffixes"])
PREFIXES: Final = (*("",) * 9, *WORDS["prefixes"])
ENGLISH_TAILS: Final = ("", "Part A", "Part B", "Period 2", "第2课时")


@dataclass(frozen=True, slots=True, kw_only=True)
class Generated:
    """One book with everything below it."""

    book: Book
    sections: tuple[Section, ...]
    lessons: tuple[Lesson, ...]


def generate(n: int = 130_000, seed: int = 1) -> Iterator[Generated]:
    """Yield books until `n` lessons were made; the last one may be cut short."""
    dice = random.Random(seed)
    phrases = _phrases()
    left = n
    places = tuple(_places())
    per_book = max(12, n // len(places) + 1)
    for number, place in cycle(enumerate(places)):
        size = min(left, max(6, round(per_book * dice.uniform(0.6, 1.45))))
        yield _book(f"{number:04}-{left:06}", place, size, dice, phrases)
        left -= size
        if left <= 0:
            return


def _places() -> Iterator[Placement]:
    for stage, grades in WORDS["grades"].items():
        for subject, grade, volume in product(WORDS["subjects"][stage], grades, ("上册", "下册")):
            single = WORDS["one_edition"].get(subject)
            several = WORDS["editions"][: 6 if subject == "数学" else 4]
            for edition in (single,) if single else several:
                yield Placement(
                    stage=stage, grade=grade, subject=subject, edition=edition, volume=volume
                )


def _phrases() -> tuple[str, ...]:
    from pypinyin.phrases_dict import phrases_dict

    return tuple(sorted(p for p in phrases_dict if 2 <= len(p) <= 6))


def _book(
    key: str, place: Placement, size: int, dice: random.Random, phrases: tuple[str, ...]
) -> Generated:
    book = Book(
        id=BookId(f"book-{key}"),
        source=SOURCE,
        title=f"{place.subject}{place.grade}{place.volume}",
        place=place,
        tags=(Tag(dimension="zxxxk", id=f"id-{place.subject}", name=place.subject),),
    )
    topics = _topics(place.subject)
    sections: list[Section] = []
    lessons: list[Lesson] = []
    per_unit = -(-size // len(WORDS["units"]))
    for unit_no, numeral in enumerate(WORDS["units"]):
        theme = dice.choice(topics)
        unit = _section(book, None, len(sections), f"第{numeral}单元 {theme}")
        sections.append(unit)
        leaf = unit
        for index in range(min(per_unit, size - unit_no * per_unit)):
            if index % 3 == 0:
                leaf = _section(book, unit.id, len(sections), dice.choice(topics))
                sections.append(leaf)
            title = _title(place.subject, topics, dice, phrases)
            lessons.append(_lesson(book, (unit, leaf), title, len(lessons), dice))
    return Generated(book=book, sections=tuple(sections), lessons=tuple(lessons))


def _topics(subject: str) -> tuple[str, ...]:
    return tuple(WORDS["topics"].get(subject, WORDS["topics"]["其他"]))


def _section(book: Book, parent: SectionId | None, position: int, title: str) -> Section:
    return Section(
        id=SectionId(f"{book.id}-s{position}"),
        book=book.id,
        parent=parent,
        position=position,
        title=title,
    )


def _title(
    subject: str, topics: tuple[str, ...], dice: random.Random, phrases: tuple[str, ...]
) -> str:
    roll = dice.random()
    if subject == "英语" and roll < 0.8:
        unit, topic, tail = dice.randint(1, 8), dice.choice(topics), dice.choice(ENGLISH_TAILS)
        return f"Unit {unit} {topic} {tail}".strip()
    if roll < 0.02:
        topic = dice.choice(WORDS["rare"])
    elif roll < 0.22:
        topic = (
            f"{dice.choice(phrases)}{dice.choice(('', '', '与' + dice.choice(phrases), '的故事'))}"
        )
    elif roll < 0.35:
        topic = f"{dice.choice(topics)}与{dice.choice(topics)}"
    else:
        topic = dice.choice(topics)
    prefix = dice.choice(PREFIXES)
    closing = "》" if prefix == "《" else ""
    return f"{prefix}{topic}{closing}{dice.choice(SUFFIXES)}"


def _lesson(
    book: Book, path: tuple[Section, Section], title: str, position: int, dice: random.Random
) -> Lesson:
    chain = path[:1] if path[0] is path[1] else path
    return Lesson(
        id=LessonId(f"{book.id}-l{position:04}"),
        source=SOURCE,
        kind=LessonKind.NATIONAL if dice.random() < 0.8 else LessonKind.ELITE,
        title=title,
        place=book.place,
        book=book.id,
        sections=tuple(section.id for section in chain),
        section_titles=tuple(section.title for section in chain),
        position=position,
    )
