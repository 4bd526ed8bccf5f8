"""The national platform behind the `Source` port.

Invariants:
  S1  Lists are followed through the addresses their index names, never counted or guessed; a
      version number proves neither change nor its absence.
  S2  Of a list only documents that changed are read again; the others are named by their ids.
  S3  Nothing is asked that is protected: this package reads documents of the catalogue only.
  S4  Where the list of exercises cannot be had, those of a book are as they were; a book that it
      does not name has none.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Final, TypeVar

from client.domain.cancel import CancelToken
from client.domain.catalogue import Book, Lesson, LessonKind, Section, TagNode
from client.domain.errors import ProtocolError, RefusedError
from client.domain.ids import BookId, SourceId
from client.domain.seen import Seen
from sync.source.addresses import AddressBook
from sync.source.platform.checks import BadRecord, text, texts, top_list, top_map
from sync.source.platform.detail import DetailReader
from sync.source.platform.documents import Document, Documents
from sync.source.platform.pace import LOOPBACK_PACE, Pace
from sync.source.platform.questions import read_questions
from sync.source.platform.records import read_books, read_lessons, read_textbooks
from sync.source.platform.rules import PlatformRules, load_rules
from sync.source.platform.trees import read_sections, read_tag_tree
from sync.source.port import DetailStatus, Found, Listing, Memory, Traffic, Unchanged
from sync.transport.port import Transport

PLATFORM: Final = SourceId("platform")
_MAX_PARTS: Final = 10_000
T = TypeVar("T", Book, Lesson)
_Readers = Callable[[Sequence[Document]], tuple[dict[str, tuple[T, ...]], int]]


@dataclass(frozen=True, slots=True)
class _Parts:
    """The parts of one list: what to read again, and what is as it was."""

    fresh: tuple[Document, ...]
    kept: tuple[str, ...]
    """Paths of the parts that are as they were."""
    index: tuple[Seen, ...]


class PlatformSource:
    """See `Source`.

    Args:
        transport: Carries the requests; its redirects should be judged by `addresses.redirect`.
        addresses: Which hosts are reached where.
        memory: What was read before.
        pace: By default that of `platform.toml`, or none for a peer on this machine.
        rules: By default those of `platform.toml`.
        id: The source's identity in the store.
    """

    def __init__(
        self,
        transport: Transport,
        addresses: AddressBook,
        memory: Memory,
        *,
        pace: Pace | None = None,
        rules: PlatformRules | None = None,
        id: SourceId = PLATFORM,  # noqa: A002 - the port's word
    ) -> None:
        self._rules = rules or load_rules()
        if pace is None:
            pace = LOOPBACK_PACE if addresses.is_loopback else Pace(gap_s=self._rules.gap_s)
        self._id = id
        self._addresses = addresses
        self._memory = memory
        self._documents = Documents(transport, addresses, memory, pace)
        self._with_questions: Listing[Book] | None = None
        self._no_questions: RefusedError | ProtocolError | None = None
        self._asked: dict[str, Document] = {}
        """The list of exercises read last: its chapters are asked for one by one."""
        self._details = DetailReader(rules=self._rules, addresses=addresses)

    @property
    def id(self) -> SourceId:
        """See `Source`."""
        return self._id

    @property
    def traffic(self) -> Traffic:
        """See `Source`."""
        return self._documents.traffic

    @property
    def connections(self) -> int:
        """See `Source`."""
        return self._rules.connections

    def tags(self, cancel: CancelToken) -> Found[tuple[TagNode, ...]] | Unchanged:
        """See `Source`. If one of the two trees changed, both are read."""
        paths = (self._rules.paths.lesson_tags, self._rules.paths.textbook_tags)
        read = [self._documents.read(path, cancel) for path in paths]
        if not any(isinstance(document, Document) for document in read):
            return Unchanged.UNCHANGED
        nodes: list[TagNode] = []
        seen: list[Seen] = []
        for path, found in zip(paths, read, strict=True):
            document = found if isinstance(found, Document) else self._again(path, cancel)
            nodes += read_tag_tree(document.content, path)
            seen.append(document.seen())
        return Found(value=tuple(nodes), seen=tuple(seen))

    def books(self, cancel: CancelToken) -> Listing[Book]:
        """See `Source`."""
        parts = self._parts(self._rules.paths.books, cancel)
        return _listing(parts, self._ids_of, self._read_books)

    def textbooks(self, cancel: CancelToken) -> Listing[Lesson]:
        """See `Source`. If one part changed, all are read: a volume may stand far from its set."""
        parts = self._parts(self._rules.paths.textbooks, cancel)
        if parts.fresh and parts.kept:
            again = tuple(self._again(path, cancel) for path in parts.kept)
            parts = _Parts((*parts.fresh, *again), (), parts.index)

        def read(documents: Sequence[Document]) -> tuple[dict[str, tuple[Lesson, ...]], int]:
            pairs = ((document.path, document.content) for document in documents)
            found, broken = read_textbooks(pairs, self._id, self._rules.dimensions)
            return dict(found), broken

        return _listing(parts, self._ids_of, read)

    def sections(self, book: BookId, cancel: CancelToken) -> Found[tuple[Section, ...]] | Unchanged:
        """See `Source`. The newer family of addresses is asked first."""
        *newer, last = (path.format(id=book) for path in self._rules.paths.tree)
        for path in newer:
            try:
                return self._sections(book, path, cancel)
            except RefusedError as error:
                if error.status not in (HTTPStatus.NOT_FOUND, HTTPStatus.FORBIDDEN):
                    raise
        return self._sections(book, last, cancel)

    def lessons(self, book: BookId, cancel: CancelToken) -> Listing[Lesson]:
        """See `Source`."""

        def read(documents: Sequence[Document]) -> tuple[dict[str, tuple[Lesson, ...]], int]:
            found: dict[str, tuple[Lesson, ...]] = {}
            broken = 0
            for document in documents:
                found[document.path], lost = read_lessons(
                    document.content, document.path, self._id, self._rules.dimensions, book
                )
                broken += lost
            return found, broken

        listed = _listing(
            self._parts(self._rules.paths.lessons.format(id=book), cancel), self._ids_of, read
        )
        return _joined(listed, self._questions(book, cancel))

    def detail(
        self, lesson: Lesson, cancel: CancelToken
    ) -> Found[Lesson] | Unchanged | DetailStatus:
        """See `Source`. Kinds without a known address are REFUSED without asking."""
        if lesson.kind is LessonKind.QUESTIONS:
            return self._question(lesson, cancel) or DetailStatus.GONE
        path = self._detail_path(lesson)
        if path is None:
            return DetailStatus.REFUSED
        is_volume = lesson.kind is LessonKind.TEXTBOOK
        try:
            document = self._documents.read(path, cancel, may_be_closed=is_volume)
        except RefusedError as error:
            status = _status(error)
            if status is None:
                raise
            return status
        if is_volume:
            return self._textbook(lesson, document, path, cancel)
        if isinstance(document, Unchanged):
            return document
        read, _ = self._details.read(lesson, document.content, path)
        return Found(value=read, seen=(document.seen(),))

    def is_gone(self, lesson: Lesson, cancel: CancelToken) -> bool:
        """See `Source`. Of a kind without a known address nothing can be said."""
        if lesson.kind is LessonKind.QUESTIONS:
            # A list that was cut short is no witness: it is read once more.
            self._asked = {}
            return self._question(lesson, cancel) is None
        path = self._detail_path(lesson)
        return path is not None and self._documents.is_gone(path, cancel)

    def is_book_gone(self, book: BookId, cancel: CancelToken) -> bool:
        """See `Source`."""
        return self._documents.is_gone(self._rules.paths.book.format(id=book), cancel)

    def _textbook(
        self, book: Lesson, document: Document | Unchanged, path: str, cancel: CancelToken
    ) -> Found[Lesson] | Unchanged:
        """Read an e-textbook with its recordings. If one of the two changed, both are read."""
        aside = self._rules.paths.recordings.format(id=book.id)
        sounds: Document | Unchanged | None
        try:
            sounds = self._documents.read(aside, cancel, may_be_closed=True)
        except RefusedError as error:
            if _status(error) is None:
                raise
            sounds = None
        if not isinstance(document, Document):
            if not isinstance(sounds, Document):
                return Unchanged.UNCHANGED
            document = self._again(path, cancel)
        if sounds is Unchanged.UNCHANGED:
            sounds = self._again(aside, cancel)
        read, _ = self._details.read(book, document.content, path)
        if not isinstance(sounds, Document):
            return Found(value=read, seen=(document.seen(),))
        read, _ = self._details.add_recordings(read, sounds.content, aside)
        return Found(value=read, seen=(document.seen(), sounds.seen()))

    def _questions(self, book: BookId, cancel: CancelToken) -> Listing[Lesson]:
        """List a book's exercises (S4)."""
        path = self._rules.paths.questions.format(id=book)
        as_it_was: Listing[Lesson] = Listing(kept=self._ids_of(path))
        try:
            index = self._question_books(cancel)
            if str(book) not in (*(str(one.id) for one in index.records), *index.kept):
                return Listing(seen=index.seen)
            document = self._documents.read(path, cancel, may_be_closed=True)
        except (RefusedError, ProtocolError) as error:
            if error.code == "platform_refuses":
                raise
            return as_it_was
        if isinstance(document, Unchanged):
            return replace(as_it_was, seen=index.seen)
        self._asked = {path: document}
        found, skipped = self._read_questions(book, document)
        bare = tuple(replace(one, parts=(), periods=(), has_detail=False) for one in found)
        seen = document.seen([str(one.id) for one in found])
        return Listing(records=bare, seen=(*index.seen, seen), skipped=skipped)

    def _question_books(self, cancel: CancelToken) -> Listing[Book]:
        """List the books with exercises, once in the life of this source."""
        if self._no_questions is not None:
            raise self._no_questions
        if self._with_questions is None:
            try:
                parts = self._parts(self._rules.paths.question_books, cancel)
            except (RefusedError, ProtocolError) as error:
                if not isinstance(error, RefusedError) or _status(error) is not DetailStatus.GONE:
                    self._no_questions = error
                    raise
                parts = _Parts((), (), ())
            self._with_questions = _listing(parts, self._ids_of, self._read_books)
        return self._with_questions

    def _question(self, lesson: Lesson, cancel: CancelToken) -> Found[Lesson] | None:
        """Find a chapter's exercises in the list of its book, None if they are not there."""
        book = BookId(str(lesson.book))
        path = self._rules.paths.questions.format(id=book)
        try:
            document = self._asked.get(path) or self._again(path, cancel)
        except RefusedError as error:
            if _status(error) is not DetailStatus.GONE:
                raise
            return None
        self._asked = {path: document}
        found, _ = self._read_questions(book, document)
        return next((Found(value=one) for one in found if one.id == lesson.id), None)

    def _read_questions(self, book: BookId, document: Document) -> tuple[tuple[Lesson, ...], int]:
        return read_questions(
            document.content,
            document.path,
            (self._id, book),
            self._rules.dimensions,
            self._addresses,
        )

    def _detail_path(self, lesson: Lesson) -> str | None:
        path = self._rules.details.get(lesson.kind)
        return None if path is None else path.format(id=lesson.id)

    def _read_books(self, documents: Sequence[Document]) -> tuple[dict[str, tuple[Book, ...]], int]:
        found: dict[str, tuple[Book, ...]] = {}
        broken = 0
        for document in documents:
            found[document.path], lost = read_books(
                document.content, document.path, self._id, self._rules.dimensions
            )
            broken += lost
        return found, broken

    def _sections(
        self, book: BookId, path: str, cancel: CancelToken
    ) -> Found[tuple[Section, ...]] | Unchanged:
        document = self._documents.read(path, cancel)
        if isinstance(document, Unchanged):
            return document
        sections = read_sections(document.content, path, book)
        return Found(value=sections, seen=(document.seen(),))

    def _parts(self, index: str, cancel: CancelToken) -> _Parts:
        """Follow an index to its parts, each as changed or as remembered."""
        found = self._documents.read(index, cancel)
        if isinstance(found, Document):
            paths = self._paths_in(found)
            seen: tuple[Seen, ...] = (found.seen(paths),)
        else:
            paths, seen = self._ids_of(index), ()
        fresh: list[Document] = []
        kept: list[str] = []
        for path in paths:
            part = self._part(path, cancel)
            if isinstance(part, Document):
                fresh.append(part)
            else:
                kept.append(path)
        return _Parts(tuple(fresh), tuple(kept), seen)

    def _ids_of(self, path: str) -> tuple[str, ...]:
        """Give what stood in a document when it was last read."""
        known = self._memory.recall(path)
        return known.ids if known else ()

    def _part(self, path: str, cancel: CancelToken) -> Document | Unchanged:
        """Read a part that an index named; if there is none, the index was wrong."""
        try:
            return self._documents.read(path, cancel)
        except RefusedError as error:
            if error.status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
                raise ProtocolError("document_broken", {"path": path}) from error
            raise

    def _paths_in(self, index: Document) -> tuple[str, ...]:
        """Read an index: an array, a version file with an array, or one with a comma string."""
        content = index.content
        try:
            if isinstance(content, dict):
                record = top_map(content, index.path)
                is_joined = isinstance(record.get("urls"), str)
                urls = text(record, "urls").split(",") if is_joined else texts(record, "urls")
            else:
                urls = texts({"urls": top_list(content, index.path)}, "urls")
        except BadRecord as error:
            raise ProtocolError("document_broken", {"path": index.path}) from error
        given = [url.strip() for url in urls if url.strip()]
        if len(given) > _MAX_PARTS:
            raise ProtocolError("document_broken", {"path": index.path})
        return tuple(dict.fromkeys(self._addresses.path_of(url) for url in given))

    def _again(self, path: str, cancel: CancelToken) -> Document:
        return self._documents.read_whole(path, cancel)


def _status(error: RefusedError) -> DetailStatus | None:
    if error.code == "platform_refuses":
        return None
    if error.status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
        return DetailStatus.GONE
    if error.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return DetailStatus.REFUSED
    return None


def _joined(one: Listing[Lesson], other: Listing[Lesson]) -> Listing[Lesson]:
    return Listing(
        records=one.records + other.records,
        kept=one.kept + other.kept,
        seen=one.seen + other.seen,
        skipped=one.skipped + other.skipped,
    )


def _listing(
    parts: _Parts, ids_of: Callable[[str], tuple[str, ...]], read: _Readers[T]
) -> Listing[T]:
    records, skipped = read(parts.fresh)
    seen: list[Seen] = [
        document.seen([str(r.id) for r in records[document.path]]) for document in parts.fresh
    ]
    return Listing(
        records=tuple(record for found in records.values() for record in found),
        kept=tuple(id_ for path in parts.kept for id_ in ids_of(path)),
        seen=(*parts.index, *seen),
        skipped=skipped,
    )
