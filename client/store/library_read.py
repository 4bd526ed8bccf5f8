"""Questions of the library page to library.db: one round of statements per answer.

Also gives the lessons to the search index, book by book.

Invariants:
  L1  The number of statements of an answer does not depend on how many lessons it holds.
  L2  What a list says of a lesson's state is folded by `client.domain.holding` from the same facts
      as everywhere else.
"""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from functools import partial
from typing import Any, Final

from client.domain.availability import Decodes, PartState, Trust
from client.domain.catalogue import (
    Book,
    FileUse,
    Lesson,
    LessonKind,
    Part,
    Placement,
    RemoteFile,
    Role,
    Section,
    display_title,
)
from client.domain.holding import Blob, Holding
from client.domain.ids import BookId, Digest, LessonId, PartId, SectionId, SourceId
from client.store import catalogue_read
from client.store.database import Database
from client.store.place_order import place_key
from client.store.search_index import FACETS, IndexRow
from client.store.search_store import Group

_SHOWN: Final = "(lesson.is_withdrawn = 0 OR lesson.id IN (SELECT lesson FROM kept))"
_GROUPS: Final = f"""
SELECT book, stage, grade, subject, edition, volume FROM lesson WHERE {_SHOWN}
GROUP BY book, stage, grade, subject, edition, volume
"""  # noqa: S608 - constants
_GROUP: Final = f"""
SELECT lesson.n, lesson.title, lesson.section_titles, lesson.kind
FROM lesson
LEFT JOIN section ON section.book = lesson.book
    AND section.id = json_extract(lesson.sections, '$[#-1]')
WHERE lesson.book IS ? AND lesson.stage = ? AND lesson.grade = ? AND lesson.subject = ?
    AND lesson.edition = ? AND lesson.volume = ? AND {_SHOWN}
ORDER BY section.position IS NULL, section.position, lesson.position, lesson.id
"""  # noqa: S608 - constants
_LESSONS: Final = """
SELECT n, id, source, kind, title, book, unit, provider, stage, grade, subject, edition, volume,
    is_withdrawn, parts_digest IS NOT NULL,
    EXISTS (SELECT 1 FROM withdrawal WHERE withdrawal.lesson = lesson.id)
FROM lesson WHERE n IN (SELECT value FROM json_each(?))
"""
_PARTS: Final = """
SELECT lesson, id, role, period, duration_s FROM part
WHERE lesson IN (SELECT value FROM json_each(?)) ORDER BY lesson, position
"""
_FILES: Final = """
SELECT lesson, part, path, use, is_protected, height, total_bytes, size_bytes, duration_s
FROM file WHERE lesson IN (SELECT value FROM json_each(?)) ORDER BY lesson, part, position
"""
_HOLDINGS: Final = """
SELECT h.lesson, h.part, h.path, h.state, h.reason,
    b.digest, b.ext, b.size_bytes, b.trust, b.decodes, b.verified_at
FROM holding AS h LEFT JOIN blob AS b ON b.digest = h.digest
WHERE h.lesson IN (SELECT value FROM json_each(?))
"""
_OF_SECTION: Final = f"""
SELECT lesson.n FROM lesson
LEFT JOIN section ON section.book = lesson.book
    AND section.id = json_extract(lesson.sections, '$[#-1]')
WHERE lesson.book = ? AND {_SHOWN}
    AND (? IS NULL OR EXISTS (SELECT 1 FROM json_each(lesson.sections) WHERE value = ?))
ORDER BY section.position IS NULL, section.position, lesson.position, lesson.id
"""  # noqa: S608 - constants
_COUNTS: Final = f"""
SELECT value, count(*) FROM lesson, json_each(lesson.sections)
WHERE lesson.book = ? AND {_SHOWN} GROUP BY value
"""  # noqa: S608 - constants
_TEXTBOOKS: Final = """
SELECT id FROM lesson WHERE book IS NULL AND kind = ? AND stage = ? AND grade = ? AND subject = ?
    AND edition = ? AND volume = ? AND id IN (SELECT lesson FROM kept) ORDER BY position, id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedLesson:
    """A lesson as lists need it, with what is held of it.

    `lesson.parts` are lean: their files have no addresses, formats or sums.
    """

    lesson: Lesson
    unit: str
    is_withdrawn: bool
    holdings: tuple[Holding, ...]
    is_stopped: bool = False
    """Somebody who may say so withdrew it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedSection:
    """A section of a book and how many lessons hang on it or below it."""

    section: Section
    lessons: int


def groups(database: Database) -> Iterator[Group]:
    """Give every lesson that is shown, in rank order, book by book. Worker threads only.

    Books stand in the order of school; lessons as the chapter tree does.
    """
    found = database.read_here(lambda c: c.execute(_GROUPS).fetchall())
    ordered = sorted(
        (place_key(_place(place)) + "\x1f" + (book or "\U0010ffff"), book, tuple(place))
        for book, *place in found
    )
    for key, book, place in ordered:
        rows = database.read_here(partial(_group, (book, *place)))
        yield Group(
            key=key,
            rows=tuple(
                IndexRow(
                    n=n,
                    title=display_title(title),
                    path=tuple(json.loads(path)),
                    place=place,
                    kind=kind,
                    book=None if book is None else BookId(book),
                )
                for n, title, path, kind in rows
            ),
        )


def _group(values: tuple[str | None, ...], connection: sqlite3.Connection) -> list[tuple[Any, ...]]:
    return connection.execute(_GROUP, values).fetchall()


def last_change(connection: sqlite3.Connection) -> int:
    """Highest change number of a lesson; see `CatalogueStore.changed_since`."""
    return int(connection.execute("SELECT coalesce(max(changed), 0) FROM lesson").fetchone()[0])


def listed(connection: sqlite3.Connection, rows: Sequence[int]) -> tuple[ListedLesson, ...]:
    """Give lessons by row number, in this order; numbers that are gone are left out (L1)."""
    numbers = (json.dumps(rows),)
    found = connection.execute(_LESSONS, numbers).fetchall()
    ids = {row[0]: LessonId(row[1]) for row in found}
    parts = _parts(connection, numbers, ids)
    holdings = _holdings(connection, tuple(ids.values()))
    made = {
        row[0]: ListedLesson(
            lesson=_lesson(row, tuple(parts.get(row[0], ()))),
            unit=row[6],
            is_withdrawn=bool(row[13]),
            is_stopped=bool(row[15]),
            holdings=tuple(holdings.get(row[1], ())),
        )
        for row in found
    }
    return tuple(made[n] for n in rows if n in made)


def lessons_of(
    connection: sqlite3.Connection, book: BookId, section: SectionId | None
) -> tuple[int, ...]:
    """Row numbers of a book's lessons, or of those on or below a section, in reading order."""
    found = connection.execute(_OF_SECTION, (book, section, section))
    return tuple(row[0] for row in found)


def sections(connection: sqlite3.Connection, book: BookId) -> tuple[CountedSection, ...]:
    """Give a book's chapter tree in reading order."""
    counts = dict(connection.execute(_COUNTS, (book,)).fetchall())
    return tuple(
        CountedSection(section=section, lessons=counts.get(section.id, 0))
        for section in catalogue_read.sections(connection, book)
    )


def books(connection: sqlite3.Connection) -> tuple[Book, ...]:
    """Give all books on offer in the order of school."""
    found = catalogue_read.books(connection, None, is_withdrawn=False)
    return tuple(sorted(found, key=lambda book: (place_key(book.place), book.title, book.id)))


def textbooks_here(connection: sqlite3.Connection, place: Placement) -> tuple[LessonId, ...]:
    """Give the e-textbooks of a place of which something is here."""
    rows = connection.execute(_TEXTBOOKS, (LessonKind.TEXTBOOK.value, *astuple(place)))
    return tuple(LessonId(row[0]) for row in rows)


def pinned(connection: sqlite3.Connection) -> frozenset[LessonId]:
    """Give the lessons that somebody wants to keep."""
    rows = connection.execute("SELECT lesson FROM want WHERE pinned <> 0")
    return frozenset(LessonId(row[0]) for row in rows)


def _parts(
    connection: sqlite3.Connection, numbers: tuple[str], ids: dict[int, LessonId]
) -> dict[int, list[Part]]:
    files: dict[tuple[int, str], list[RemoteFile]] = {}
    for row in connection.execute(_FILES, numbers):
        files.setdefault((row[0], row[1]), []).append(
            RemoteFile(
                path=row[2],
                urls=(),
                format="",
                flags=(),
                use=FileUse(row[3]),
                is_protected=bool(row[4]),
                height=row[5],
                total_bytes=row[6],
                size_bytes=row[7],
                duration_s=row[8],
            )
        )
    found: dict[int, list[Part]] = {}
    for position, (n, part, role, period, duration_s) in enumerate(
        connection.execute(_PARTS, numbers)
    ):
        found.setdefault(n, []).append(
            Part(
                id=PartId(part),
                lesson=ids[n],
                role=Role(role),
                title="",
                label="",
                position=position,
                period=period,
                duration_s=duration_s,
                files=tuple(files.get((n, part), ())),
            )
        )
    return found


def _holdings(
    connection: sqlite3.Connection, lessons: tuple[LessonId, ...]
) -> dict[str, list[Holding]]:
    found: dict[str, list[Holding]] = {}
    for row in connection.execute(_HOLDINGS, (json.dumps(lessons),)):
        lesson, part, path, state, reason, digest, ext, size, trust, decodes, at = row
        blob = None
        if digest is not None:
            blob = Blob(
                digest=Digest(digest),
                ext=ext,
                size_bytes=size,
                trust=Trust[trust],
                decodes=Decodes[decodes],
                verified_at=at,
            )
        found.setdefault(lesson, []).append(
            Holding(
                lesson=LessonId(lesson),
                part=PartId(part),
                path=path,
                state=PartState[state],
                reason=reason,
                blob=blob,
            )
        )
    return found


def _lesson(row: tuple[str, ...], parts: tuple[Part, ...]) -> Lesson:
    return Lesson(
        id=LessonId(row[1]),
        source=SourceId(row[2]),
        kind=LessonKind(row[3]),
        title=row[4],
        place=_place(row[8:13]),
        book=None if row[5] is None else BookId(row[5]),
        provider=row[7],
        parts=parts,
        has_detail=bool(row[14]),
    )


def _place(names: Sequence[str]) -> Placement:
    return Placement(**dict(zip(FACETS, names, strict=True)))
