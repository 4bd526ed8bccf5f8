"""Questions to the catalogue's tables, each on a connection that is given.

For `CatalogueStore`, and for services that answer one question with one connection.
"""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from client.domain.catalogue import (
    Book,
    Lesson,
    LessonKind,
    Part,
    RemoteFile,
    Section,
    Tag,
    TagNode,
)
from client.domain.ids import BookId, LessonId, PartId, SourceId
from client.store.catalogue_rows import (
    DetailState,
    book_from,
    file_from,
    lesson_from,
    part_from,
    section_from,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRow:
    """One place lessons come from, as the room set it up.

    `kind` is `platform` or `folder`; `address` the base or folder, empty for the platform's own
    hosts; `pace_s` the least time between requests, None for the source's own.
    """

    id: SourceId
    kind: str
    address: str = ""
    pace_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LessonRecord:
    """A lesson and what the catalogue notes of it."""

    n: int
    lesson: Lesson
    is_withdrawn: bool
    detail: DetailState


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """Row numbers of changed lessons; ask again from `cursor`. `is_all` tells none are left."""

    cursor: int
    rows: tuple[int, ...]
    is_all: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRow:
    """Where a file stands in the catalogue."""

    lesson: LessonId
    part: PartId
    path: str


def sources(connection: sqlite3.Connection) -> tuple[SourceRow, ...]:
    """See `CatalogueStore.sources`."""
    rows = connection.execute("SELECT id, kind, address, pace_s FROM source ORDER BY rowid")
    return tuple(
        SourceRow(id=SourceId(id_), kind=kind, address=address, pace_s=pace_s)
        for id_, kind, address, pace_s in rows
    )


def tag_node_row(source: SourceId, node: TagNode) -> dict[str, object]:
    """Give a row of `tag_node`."""
    return {
        "source": source,
        "path": node.path,
        "parent": node.parent,
        "position": node.position,
        "dimension": node.tag.dimension,
        "tag": node.tag.id,
        "name": node.tag.name,
        "is_hidden": int(node.is_hidden),
    }


def tag_nodes(connection: sqlite3.Connection, source: SourceId) -> tuple[TagNode, ...]:
    """See `CatalogueStore.tag_nodes`."""
    rows = connection.execute(
        "SELECT path, parent, position, dimension, tag, name, is_hidden FROM tag_node"
        " WHERE source = ? ORDER BY rowid",
        (source,),
    )
    return tuple(
        TagNode(
            path=row[0],
            parent=row[1],
            position=row[2],
            tag=Tag(dimension=row[3], id=row[4], name=row[5]),
            is_hidden=bool(row[6]),
        )
        for row in rows
    )


def book(connection: sqlite3.Connection, id_: BookId) -> Book | None:
    """See `CatalogueStore.book`."""
    rows = _rows(connection, "SELECT * FROM book WHERE id = ?", (id_,))
    return next(iter(_books(connection, rows)), None)


def books(
    connection: sqlite3.Connection, source: SourceId | None, *, is_withdrawn: bool
) -> tuple[Book, ...]:
    """See `CatalogueStore.books`."""
    rows = _rows(
        connection,
        "SELECT * FROM book WHERE is_withdrawn = ? AND source = coalesce(?, source)"
        " ORDER BY stage, grade, subject, title, id",
        (int(is_withdrawn), source),
    )
    return _books(connection, rows)


def sections(connection: sqlite3.Connection, book_id: BookId) -> tuple[Section, ...]:
    """See `CatalogueStore.sections`."""
    rows = _rows(connection, "SELECT * FROM section WHERE book = ? ORDER BY position", (book_id,))
    return tuple(section_from(row) for row in rows)


def section_titles(connection: sqlite3.Connection, book_id: BookId) -> dict[str, str]:
    """Give raw titles of a book's sections by id."""
    return dict(connection.execute("SELECT id, title FROM section WHERE book = ?", (book_id,)))


def record(connection: sqlite3.Connection, id_: LessonId) -> LessonRecord | None:
    """See `CatalogueStore.record`."""
    return next(iter(records(connection, (id_,))), None)


def records(connection: sqlite3.Connection, ids: Sequence[LessonId]) -> tuple[LessonRecord, ...]:
    """Give the records of those lessons that are known, in no order."""
    rows = _rows(
        connection,
        "SELECT * FROM lesson WHERE id IN (SELECT value FROM json_each(?))",
        (json.dumps(ids),),
    )
    return tuple(
        LessonRecord(
            n=row["n"],
            lesson=lesson,
            is_withdrawn=bool(row["is_withdrawn"]),
            detail=DetailState(row["detail"]),
        )
        for lesson, row in zip(_whole(connection, rows), rows, strict=True)
    )


def lessons(connection: sqlite3.Connection, ids: Sequence[LessonId]) -> tuple[Lesson, ...]:
    """See `CatalogueStore.lessons`."""
    rows = _rows(
        connection,
        "SELECT * FROM lesson WHERE id IN (SELECT value FROM json_each(?))",
        (json.dumps(ids),),
    )
    found = {lesson.id: lesson for lesson in _whole(connection, rows)}
    return tuple(found[id_] for id_ in ids if id_ in found)


def lessons_of_book(connection: sqlite3.Connection, book_id: BookId) -> tuple[Lesson, ...]:
    """See `CatalogueStore.lessons_of_book`."""
    rows = _rows(
        connection,
        "SELECT * FROM lesson WHERE book = ? AND is_withdrawn = 0 AND kind <> ?"
        " ORDER BY position, id",
        (book_id, LessonKind.QUESTIONS.value),
    )
    place = {section.id: section.position for section in sections(connection, book_id)}
    found = _bare(connection, rows)
    last = len(place)

    def leaf(lesson: Lesson) -> int:
        return place.get(lesson.sections[-1], last) if lesson.sections else last

    return tuple(sorted(found, key=leaf))


def periods_of_book(
    connection: sqlite3.Connection, book_id: BookId
) -> tuple[tuple[LessonId, int], ...]:
    """See `CatalogueStore.periods_of_book`."""
    rows = connection.execute(
        "SELECT lesson.id, json_array_length(lesson.periods) FROM lesson"
        " LEFT JOIN section ON section.book = lesson.book"
        " AND section.id = json_extract(lesson.sections, '$[#-1]')"
        " WHERE lesson.book = ? AND lesson.kind <> ? AND (lesson.is_withdrawn = 0"
        # What was told to be withdrawn keeps its place, so that the class finds its own again.
        " OR EXISTS (SELECT 1 FROM withdrawal WHERE withdrawal.lesson = lesson.id))"
        " ORDER BY coalesce(section.position, (SELECT count(*) FROM section WHERE book = ?)),"
        " lesson.position, lesson.id",
        (book_id, LessonKind.QUESTIONS.value, book_id),
    )
    return tuple((LessonId(row[0]), max(1, int(row[1]))) for row in rows)


def textbooks(connection: sqlite3.Connection, source: SourceId) -> tuple[Lesson, ...]:
    """See `CatalogueStore.textbooks`."""
    rows = _rows(
        connection,
        "SELECT * FROM lesson WHERE source = ? AND kind = ? AND is_withdrawn = 0"
        " ORDER BY position, id",
        (source, LessonKind.TEXTBOOK.value),
    )
    return _bare(connection, rows)


def ids_of_book(
    connection: sqlite3.Connection, book_id: BookId, *, is_withdrawn: bool
) -> tuple[LessonId, ...]:
    """See `CatalogueStore.ids_of_book`."""
    rows = connection.execute(
        "SELECT id FROM lesson WHERE book = ? AND is_withdrawn = ? ORDER BY id",
        (book_id, int(is_withdrawn)),
    )
    return tuple(LessonId(row[0]) for row in rows)


def loose_ids(connection: sqlite3.Connection) -> tuple[LessonId, ...]:
    """See `CatalogueStore.loose_ids`."""
    rows = connection.execute(
        "SELECT id FROM lesson WHERE book IS NULL AND is_withdrawn = 0 ORDER BY id"
    )
    return tuple(LessonId(row[0]) for row in rows)


def ids_of_textbooks(
    connection: sqlite3.Connection, source: SourceId, *, is_withdrawn: bool
) -> tuple[LessonId, ...]:
    """See `CatalogueStore.ids_of_textbooks`."""
    rows = connection.execute(
        "SELECT id FROM lesson WHERE source = ? AND kind = ? AND is_withdrawn = ? ORDER BY id",
        (source, LessonKind.TEXTBOOK.value, int(is_withdrawn)),
    )
    return tuple(LessonId(row[0]) for row in rows)


def parts_of_books(connection: sqlite3.Connection, ids: Sequence[BookId]) -> int:
    """See `CatalogueStore.parts_of_books`."""
    statement = (
        "SELECT count(*) FROM lesson JOIN part ON part.lesson = lesson.n"
        " WHERE lesson.book = ? AND lesson.is_withdrawn = 0"
    )
    return sum(int(connection.execute(statement, (id_,)).fetchone()[0]) for id_ in ids)


def changed_since(connection: sqlite3.Connection, cursor: int, limit: int) -> Changed:
    """See `CatalogueStore.changed_since`. A transaction's changes are never torn apart."""
    rows = connection.execute(
        "SELECT n, changed FROM lesson WHERE changed > ? ORDER BY changed, n LIMIT ?",
        (cursor, limit),
    ).fetchall()
    if len(rows) < limit:
        last = rows[-1][1] if rows else cursor
        return Changed(cursor=last, rows=tuple(row[0] for row in rows), is_all=True)
    last = rows[-1][1]
    whole = connection.execute(
        "SELECT n FROM lesson WHERE changed > ? AND changed <= ? ORDER BY changed, n",
        (cursor, last),
    )
    return Changed(cursor=last, rows=tuple(row[0] for row in whole), is_all=False)


def files_with(connection: sqlite3.Connection, md5: str, size_bytes: int) -> tuple[FileRow, ...]:
    """See `CatalogueStore.files_with`."""
    rows = connection.execute(
        "SELECT lesson.id, file.part, file.path FROM file JOIN lesson ON lesson.n = file.lesson"
        " WHERE file.md5 = ? AND file.md5 <> '' AND file.size_bytes IN (0, ?)"
        " ORDER BY lesson.n, file.part",
        (md5, size_bytes),
    )
    return tuple(
        FileRow(lesson=LessonId(lesson), part=PartId(part), path=path)
        for lesson, part, path in rows
    )


def lengths_with_md5(connection: sqlite3.Connection, lengths: Iterable[int]) -> frozenset[int]:
    """See `CatalogueStore.lengths_with_md5`."""
    asked = ",".join(map(str, {0, *lengths}))
    rows = connection.execute(
        "SELECT DISTINCT size_bytes FROM file WHERE md5 <> ''"
        " AND size_bytes IN (SELECT value FROM json_each(?))",
        (f"[{asked}]",),
    )
    return frozenset(row[0] for row in rows)


def _rows(
    connection: sqlite3.Connection, statement: str, values: Sequence[object]
) -> list[sqlite3.Row]:
    cursor = connection.cursor()
    cursor.row_factory = sqlite3.Row
    return cursor.execute(statement, tuple(values)).fetchall()


def _tags(connection: sqlite3.Connection, rows: Iterable[sqlite3.Row]) -> dict[int, Tag]:
    numbers = sorted({n for row in rows for n in json.loads(row["tags"])})
    found = connection.execute(
        "SELECT n, dimension, id, name FROM tag WHERE n IN (SELECT value FROM json_each(?))",
        (json.dumps(numbers),),
    )
    return {n: Tag(dimension=dimension, id=id_, name=name) for n, dimension, id_, name in found}


def _books(connection: sqlite3.Connection, rows: Sequence[sqlite3.Row]) -> tuple[Book, ...]:
    tags = _tags(connection, rows)
    return tuple(book_from(row, tags) for row in rows)


def _bare(connection: sqlite3.Connection, rows: Sequence[sqlite3.Row]) -> tuple[Lesson, ...]:
    tags = _tags(connection, rows)
    return tuple(lesson_from(row, tags, ()) for row in rows)


def _whole(connection: sqlite3.Connection, rows: Sequence[sqlite3.Row]) -> tuple[Lesson, ...]:
    tags = _tags(connection, rows)
    parts = _parts(connection, {row["n"]: LessonId(row["id"]) for row in rows})
    return tuple(lesson_from(row, tags, parts.get(row["n"], ())) for row in rows)


def _parts(
    connection: sqlite3.Connection, ids: Mapping[int, LessonId]
) -> dict[int, tuple[Part, ...]]:
    numbers = (json.dumps(list(ids)),)
    files: dict[tuple[int, str], list[RemoteFile]] = {}
    for row in _rows(
        connection,
        "SELECT * FROM file WHERE lesson IN (SELECT value FROM json_each(?)) ORDER BY position",
        numbers,
    ):
        files.setdefault((row["lesson"], row["part"]), []).append(file_from(row))
    found: dict[int, list[Part]] = {}
    for row in _rows(
        connection,
        "SELECT * FROM part WHERE lesson IN (SELECT value FROM json_each(?)) ORDER BY position",
        numbers,
    ):
        n = row["lesson"]
        part = part_from(row, ids[n], tuple(files.get((n, row["id"]), ())))
        found.setdefault(n, []).append(part)
    return {n: tuple(parts) for n, parts in found.items()}
