"""The catalogue in library.db: what sources offer, kept row by row.

Invariants:
  C1  See `catalogue_rows`: equal content writes nothing, whatever else differs.
  C2  What a document said and the validator it is remembered by are committed together: a
      document counts as known only if its rows are here.
  C3  A lesson is never deleted. It is withdrawn, and may come back under the same number.
  C4  Every transaction that changes a lesson gives it a higher `changed` number than any before.

All methods block; call them from worker threads, never from the GUI thread.
"""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from client.domain.catalogue import Book, Lesson, Section, TagNode, display_title
from client.domain.ids import BookId, LessonId, SectionId, SourceId
from client.domain.seen import Seen, Validator
from client.store import catalogue_read as read
from client.store.catalogue_read import Changed, FileRow, LessonRecord, SourceRow
from client.store.catalogue_rows import (
    DetailState,
    book_key,
    book_values,
    file_values,
    lesson_key,
    lesson_values,
    packed,
    part_values,
    parts_key,
    unpacked,
)
from client.store.catalogue_tags import TagNumbers
from client.store.database import Database
from client.store.withdrawal_rows import note_gone

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What a write changed: ids of records that are new, and of those that differ."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


class CatalogueStore:
    """See the module. May be used from any thread but the GUI's."""

    def __init__(self, db: Database) -> None:
        self._db = db

    # --- sources and memory ---------------------------------------------------------------

    def put_source(self, row: SourceRow) -> None:
        """Add a source, or change its address and pace."""
        self._write(
            lambda c: c.execute(
                "INSERT INTO source (id, kind, address, pace_s) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (id) DO UPDATE SET kind = excluded.kind,"
                " address = excluded.address, pace_s = excluded.pace_s",
                (row.id, row.kind, row.address, row.pace_s),
            )
        )

    def sources(self) -> tuple[SourceRow, ...]:
        """Give all sources in the order they were added."""
        return self._db.read_here(read.sources)

    def memory(self, source: SourceId) -> "SourceMemory":
        """Give the memory of one source (`sync.source.port.Memory`)."""
        return SourceMemory(self._db, source)

    # --- writing --------------------------------------------------------------------------

    def put_tags(
        self, source: SourceId, nodes: Sequence[TagNode], seen: Iterable[Seen] = ()
    ) -> bool:
        """Replace a source's tag trees. Writes nothing if they are as they were.

        Returns:
            Whether anything changed.
        """

        def job(c: sqlite3.Connection) -> bool:
            remember(c, source, seen)
            if read.tag_nodes(c, source) == tuple(nodes):
                return False
            c.execute("DELETE FROM tag_node WHERE source = ?", (source,))
            # Heavy; only a sync that found new tags pays for it.
            from sqlite_utils import Database as Tables  # noqa: PLC0415

            Tables(c, recursive_triggers=False, execute_plugins=False).table("tag_node").insert_all(
                read.tag_node_row(source, node) for node in nodes
            )
            return True

        return self._write(job)

    def put_books(
        self, source: SourceId, books: Iterable[Book], seen: Iterable[Seen] = ()
    ) -> Changes:
        """Add or change books. A book that was withdrawn stays so until `restore_books`."""

        def job(c: sqlite3.Connection) -> Changes:
            changes = put_books(c, books)
            remember(c, source, seen)
            return changes

        return self._write(job)

    def put_sections(
        self, source: SourceId, book: BookId, sections: Sequence[Section], seen: Iterable[Seen] = ()
    ) -> Changes:
        """Replace a book's chapter tree.

        Returns:
            The lessons whose shown path changed by it.
        """

        def job(c: sqlite3.Connection) -> Changes:
            remember(c, source, seen)
            return put_sections(c, book, sections)

        return self._write(job)

    def put_lessons(
        self, source: SourceId, lessons: Iterable[Lesson], seen: Iterable[Seen] = ()
    ) -> Changes:
        """Add or change what a list says of lessons; their parts are left alone."""

        def job(c: sqlite3.Connection) -> Changes:
            changes = LessonWriter(c).put(lessons)
            remember(c, source, seen)
            return changes

        return self._write(job)

    def put_detail(self, lesson: Lesson, seen: Iterable[Seen] = ()) -> bool:
        """Keep a lesson's parts and periods, read from its own document.

        Returns:
            Whether anything changed.
        """

        def job(c: sqlite3.Connection) -> bool:
            is_changed = put_parts(c, lesson)
            remember(c, lesson.source, seen)
            return is_changed

        return self._write(job)

    def put_whole(self, lessons: Sequence[Lesson]) -> Changes:
        """Keep lessons with their parts in one go: those of a folder, or from a sidecar."""

        def job(c: sqlite3.Connection) -> Changes:
            changes = LessonWriter(c).put(lessons)
            renewed = [str(lesson.id) for lesson in lessons if put_parts(c, lesson)]
            again = [id_ for id_ in renewed if id_ not in changes.added]
            return Changes(
                added=changes.added, changed=tuple(dict.fromkeys([*changes.changed, *again]))
            )

        return self._write(job)

    def put_detail_state(self, lesson: LessonId, state: DetailState) -> None:
        """Note what a lesson's own document answered; its parts are left alone."""

        def job(c: sqlite3.Connection) -> None:
            c.execute(
                "UPDATE lesson SET detail = ?, changed = ? WHERE id = ? AND detail <> ?",
                (state.value, next_change(c), lesson, state.value),
            )

        self._write(job)

    def withdraw(self, lessons: Iterable[LessonId]) -> tuple[LessonId, ...]:
        """Stop offering lessons that their source has no more. Returns those it is new for."""
        return self._flag("lesson", lessons, is_withdrawn=True)

    def note_gone(self, lessons: Iterable[LessonId]) -> None:
        """Withdraw lessons of which nothing is here any more, so that the next index lacks them."""

        def job(c: sqlite3.Connection) -> None:
            change = next_change(c)
            c.executemany(_GONE_LESSON, [(change, lesson) for lesson in lessons])

        self._write(job)

    def restore(self, lessons: Iterable[LessonId]) -> tuple[LessonId, ...]:
        """Offer lessons again that no hub lists as withdrawn. Returns those it is new for."""
        return self._flag("lesson", lessons, is_withdrawn=False)

    def withdraw_books(self, books: Iterable[BookId]) -> tuple[BookId, ...]:
        """Stop offering books. Returns those it is new for."""
        return self._flag("book", books, is_withdrawn=True)

    def restore_books(self, books: Iterable[BookId]) -> tuple[BookId, ...]:
        """Offer withdrawn books again. Returns those it is new for."""
        return self._flag("book", books, is_withdrawn=False)

    # --- reading --------------------------------------------------------------------------

    def tag_nodes(self, source: SourceId) -> tuple[TagNode, ...]:
        """Give a source's tag trees, every node after its parent."""
        return self._db.read_here(lambda c: read.tag_nodes(c, source))

    def book(self, book: BookId) -> Book | None:
        """Give one book, withdrawn or not."""
        return self._db.read_here(lambda c: read.book(c, book))

    def books(self, source: SourceId | None = None, *, withdrawn: bool = False) -> tuple[Book, ...]:
        """Give the books on offer (or those withdrawn) by stage, grade, subject, title."""
        return self._db.read_here(lambda c: read.books(c, source, is_withdrawn=withdrawn))

    def sections(self, book: BookId) -> tuple[Section, ...]:
        """Give a book's chapter tree in reading order."""
        return self._db.read_here(lambda c: read.sections(c, book))

    def lesson(self, lesson: LessonId) -> Lesson | None:
        """Give a lesson with its parts, withdrawn or not."""
        record = self.record(lesson)
        return None if record is None else record.lesson

    def record(self, lesson: LessonId) -> LessonRecord | None:
        """Give a lesson with its parts and what the catalogue notes of it."""
        return self._db.read_here(lambda c: read.record(c, lesson))

    def lessons(self, ids: Sequence[LessonId]) -> tuple[Lesson, ...]:
        """Give lessons with their parts in the order asked for; unknown ids are left out."""
        return self._db.read_here(lambda c: read.lessons(c, ids))

    def lessons_of_book(self, book: BookId) -> tuple[Lesson, ...]:
        """Give a book's lessons on offer in reading order, without parts; no exercises."""
        return self._db.read_here(lambda c: read.lessons_of_book(c, book))

    def periods_of_book(self, book: BookId) -> tuple[tuple[LessonId, int], ...]:
        """List what `lessons_of_book` gives with its class periods, one at least."""
        return self._db.read_here(lambda c: read.periods_of_book(c, book))

    def textbooks(self, source: SourceId) -> tuple[Lesson, ...]:
        """Give a source's e-textbooks on offer, without parts."""
        return self._db.read_here(lambda c: read.textbooks(c, source))

    def ids_of_book(self, book: BookId, *, withdrawn: bool = False) -> tuple[LessonId, ...]:
        """Give ids of a book's lessons on offer (or of those withdrawn)."""
        return self._db.read_here(lambda c: read.ids_of_book(c, book, is_withdrawn=withdrawn))

    def loose_ids(self) -> tuple[LessonId, ...]:
        """Give ids of the lessons on offer that stand in no book."""
        return self._db.read_here(read.loose_ids)

    def ids_of_textbooks(
        self, source: SourceId, *, withdrawn: bool = False
    ) -> tuple[LessonId, ...]:
        """Give ids of a source's e-textbooks on offer (or of those withdrawn)."""
        return self._db.read_here(
            lambda c: read.ids_of_textbooks(c, source, is_withdrawn=withdrawn)
        )

    def parts_of_books(self, books: Sequence[BookId]) -> int:
        """Count the parts known of lessons on offer in these books."""
        return self._db.read_here(lambda c: read.parts_of_books(c, books))

    def changed_since(self, cursor: int, limit: int = 10_000) -> Changed:
        """Give the lessons changed after `cursor` (C4), oldest change first."""
        return self._db.read_here(lambda c: read.changed_since(c, cursor, limit))

    def files_with(self, md5: str, size_bytes: int) -> tuple[FileRow, ...]:
        """Give the parts that have a file with this digest and size."""
        return self._db.read_here(lambda c: read.files_with(c, md5, size_bytes))

    def lengths_with_md5(self, lengths: Iterable[int]) -> frozenset[int]:
        """Give those of these lengths that a file with an MD5 has; 0 if one's length is unknown."""
        return self._db.read_here(lambda c: read.lengths_with_md5(c, lengths))

    # --- inside ---------------------------------------------------------------------------

    def _write(self, job: Callable[[sqlite3.Connection], T]) -> T:
        return self._db.write(job).result()

    def _flag(self, table: str, ids: Iterable[T], *, is_withdrawn: bool) -> tuple[T, ...]:
        statement = FLAG_LESSON if table == "lesson" else FLAG_BOOK
        chosen = tuple(ids)

        def job(c: sqlite3.Connection) -> tuple[T, ...]:
            if table == "lesson":
                note_gone(c, map(str, chosen), is_gone=is_withdrawn)
            values = {"flag": int(is_withdrawn), "change": next_change(c)}
            return tuple(
                id_ for id_ in chosen if c.execute(statement, {**values, "id": id_}).rowcount > 0
            )

        return self._write(job)


class SourceMemory:
    """What one source read before. May be used from any thread but the GUI's."""

    def __init__(self, db: Database, source: SourceId) -> None:
        self._db = db
        self._source = source

    def recall(self, path: str) -> Seen | None:
        """Return what was remembered of a document."""

        def job(c: sqlite3.Connection) -> Seen | None:
            row = c.execute(
                "SELECT etag, modified, digest, ids FROM seen WHERE source = ? AND path = ?",
                (self._source, path),
            ).fetchone()
            if row is None:
                return None
            validator = Validator(etag=row[0], modified=row[1], digest=row[2])
            return Seen(path=path, validator=validator, ids=unpacked(row[3]))

        return self._db.read_here(job)


_PUT_BOOK: Final = (
    "INSERT INTO book (id, source, title, stage, grade, subject, edition, volume, provider, tags,"
    " digest, is_withdrawn) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)"
    " ON CONFLICT (id) DO UPDATE SET (source, title, stage, grade, subject, edition, volume,"
    " provider, tags, digest) = (excluded.source, excluded.title, excluded.stage, excluded.grade,"
    " excluded.subject, excluded.edition, excluded.volume, excluded.provider, excluded.tags,"
    " excluded.digest)"
)
_ADD_LESSON: Final = (
    "INSERT INTO lesson (id, source, kind, title, book, sections, section_titles, unit, position,"
    " week, provider, stage, grade, subject, edition, volume, tags, digest, changed, periods,"
    " detail, is_withdrawn)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '[]', 'unread',"
    " EXISTS (SELECT 1 FROM withdrawal WHERE lesson = ?1))"
)
_CHANGE_LESSON: Final = (
    "UPDATE lesson SET (id, source, kind, title, book, sections, section_titles, unit, position,"
    " week, provider, stage, grade, subject, edition, volume, tags, digest, changed)"
    " = (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) WHERE n = ?"
)
_ADD_PART: Final = "INSERT OR REPLACE INTO part VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_ADD_FILE: Final = (
    "INSERT OR REPLACE INTO file VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
FLAG_LESSON: Final = (
    "UPDATE lesson SET is_withdrawn = :flag, changed = :change"
    " WHERE id = :id AND is_withdrawn <> :flag"
    " AND (:flag OR NOT EXISTS (SELECT 1 FROM withdrawal WHERE lesson = :id))"
)
_GONE_LESSON: Final = "UPDATE lesson SET is_withdrawn = 1, changed = ? WHERE id = ?"
FLAG_BOOK: Final = "UPDATE book SET is_withdrawn = :flag WHERE id = :id AND is_withdrawn <> :flag"


def put_books(connection: sqlite3.Connection, books: Iterable[Book]) -> Changes:
    """Add or change books in a transaction; see `CatalogueStore.put_books`."""
    known = dict(connection.execute("SELECT id, digest FROM book"))
    tags = TagNumbers(connection)
    added: list[str] = []
    changed: list[str] = []
    for book in books:
        key = book_key(book)
        if known.get(book.id) == key:
            continue
        (changed if book.id in known else added).append(book.id)
        known[book.id] = key
        connection.execute(_PUT_BOOK, book_values(book, tags.of(book.tags), key))
    return Changes(added=tuple(added), changed=tuple(changed))


def put_sections(
    connection: sqlite3.Connection, book: BookId, sections: Sequence[Section]
) -> Changes:
    """Replace a chapter tree in a transaction; see `CatalogueStore.put_sections`."""
    if read.sections(connection, book) == tuple(sections):
        return Changes()
    connection.execute("DELETE FROM section WHERE book = ?", (book,))
    connection.executemany(
        "INSERT INTO section (book, id, parent, position, title) VALUES (?, ?, ?, ?, ?)",
        [(book, s.id, s.parent, s.position, s.title) for s in sections],
    )
    return Changes(changed=_retitle(connection, book))


class LessonWriter:
    """Puts lessons inside one transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._tags = TagNumbers(connection)
        self._change = next_change(connection)
        self._titles: dict[BookId, dict[str, str]] = {}

    def put(self, lessons: Iterable[Lesson]) -> Changes:
        """Add or change rows; the last of several with one id wins."""
        added: list[str] = []
        changed: list[str] = []
        for lesson in {lesson.id: lesson for lesson in lessons}.values():
            known = self._connection.execute(
                "SELECT n, digest, section_titles FROM lesson WHERE id = ?", (lesson.id,)
            ).fetchone()
            key, titles = lesson_key(lesson), self._titles_of(lesson)
            if known is not None and (known[1], known[2]) == (key, packed(titles)):
                continue
            values = lesson_values(lesson, titles, self._tags.of(lesson.tags), key)
            if known is None:
                self._connection.execute(_ADD_LESSON, (*values, self._change))
                added.append(lesson.id)
            else:
                self._connection.execute(_CHANGE_LESSON, (*values, self._change, known[0]))
                changed.append(lesson.id)
        return Changes(added=tuple(added), changed=tuple(changed))

    def _titles_of(self, lesson: Lesson) -> tuple[str, ...]:
        """Give the shown path: from the book's tree, else as the lesson itself says."""
        if lesson.book is None:
            return lesson.section_titles
        if lesson.book not in self._titles:
            self._titles[lesson.book] = read.section_titles(self._connection, lesson.book)
        return _shown(lesson.sections, self._titles[lesson.book]) or lesson.section_titles


def _shown(sections: Iterable[SectionId | str], titles: dict[str, str]) -> tuple[str, ...]:
    return tuple(display_title(titles[id_]) for id_ in sections if id_ in titles)


def _retitle(connection: sqlite3.Connection, book: BookId) -> tuple[str, ...]:
    """Bring the shown paths of a book's lessons up to its present tree."""
    titles = read.section_titles(connection, book)
    change = next_change(connection)
    changed: list[str] = []
    rows = connection.execute(
        "SELECT n, id, sections, section_titles FROM lesson WHERE book = ?", (book,)
    ).fetchall()
    for n, id_, sections, before in rows:
        shown = _shown(unpacked(sections), titles)
        if packed(shown) != before:
            connection.execute(
                "UPDATE lesson SET section_titles = ?, unit = ?, changed = ? WHERE n = ?",
                (packed(shown), shown[0] if shown else "", change, n),
            )
            changed.append(id_)
    return tuple(changed)


def put_parts(connection: sqlite3.Connection, lesson: Lesson) -> bool:
    """Keep the parts of a lesson that is known, in a transaction; tells whether they changed."""
    row = connection.execute(
        "SELECT n, parts_digest, detail FROM lesson WHERE id = ?", (lesson.id,)
    ).fetchone()
    if row is None or not lesson.has_detail:
        return False
    n, before, state = row
    key = parts_key(lesson)
    if (before, state) == (key, DetailState.HERE.value):
        return False
    connection.execute(
        "UPDATE lesson SET detail = ?, parts_digest = ?, periods = ?, changed = ? WHERE n = ?",
        (DetailState.HERE.value, key, packed(lesson.periods), next_change(connection), n),
    )
    if before == key:
        return False
    connection.execute("DELETE FROM part WHERE lesson = ?", (n,))
    connection.execute("DELETE FROM file WHERE lesson = ?", (n,))
    for part in lesson.parts:
        connection.execute(_ADD_PART, part_values(n, part))
        connection.executemany(
            _ADD_FILE,
            [file_values(n, part.id, at, file) for at, file in enumerate(part.files)],
        )
    return True


def next_change(connection: sqlite3.Connection) -> int:
    """Give the number of this transaction among those that changed lessons (C4)."""
    return int(connection.execute("SELECT coalesce(max(changed), 0) + 1 FROM lesson").fetchone()[0])


def remember(connection: sqlite3.Connection, source: SourceId, seen: Iterable[Seen]) -> None:
    """Keep what documents are remembered by, with their rows (C2)."""
    connection.executemany(
        "INSERT OR REPLACE INTO seen (source, path, etag, modified, digest, ids)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        [
            (
                source,
                s.path,
                s.validator.etag,
                s.validator.modified,
                s.validator.digest,
                packed(s.ids),
            )
            for s in seen
        ],
    )
