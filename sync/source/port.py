"""The source port: where the catalogue and lessons come from (contract suite: tests/contract).

A source *yields* what it finds and knows nothing of the store; the engine writes. So a source
can be tested against a peer without a database, and a hub can reuse it without a room.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from client.domain.cancel import CancelToken
from client.domain.catalogue import Book, Lesson, Section, TagNode
from client.domain.ids import BookId, LessonId, SourceId


@dataclass(frozen=True, slots=True, kw_only=True)
class Validator:
    """What a source remembered of one document, to ask only for changes.

    `digest` is the SHA-256 of the body; `etag` and `modified` are the server's words or empty.
    """

    etag: str = ""
    modified: str = ""
    digest: str = ""


class Memory(Protocol):
    """Validators of documents by their host-less path. Raw documents themselves are not kept."""

    def recall(self, path: str) -> Validator | None:
        """Return what was remembered of a document."""
        ...

    def remember(self, path: str, validator: Validator) -> None:
        """Keep it, once what the document said has been stored."""
        ...


class Unchanged(Enum):
    """The answer of a source when a document is the one already known."""

    UNCHANGED = "unchanged"


class DetailStatus(Enum):
    """What a source says of one record's own document."""

    HERE = "here"
    GONE = "gone"
    """404: withdrawn."""
    REFUSED = "refused"
    """401/403: listed, but not to be had today."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What the source asked for so far. `bytes_received` counts bodies as received (gzip)."""

    requests: int = 0
    bytes_received: int = 0


class Source(Protocol):
    """One place lessons come from. Methods block; call them from a worker thread.

    All raise `TransportError` (retried inside as far as sensible), `RefusedError`,
    `ProtocolError` and `Cancelled`.
    """

    @property
    def id(self) -> SourceId:
        """Its identity in the store."""
        ...

    @property
    def traffic(self) -> Traffic:
        """Counters since it was made."""
        ...

    def tags(self, cancel: CancelToken) -> tuple[TagNode, ...] | Unchanged:
        """Read the tag trees."""
        ...

    def books(self, cancel: CancelToken) -> tuple[Book, ...] | Unchanged:
        """Read the whole book list."""
        ...

    def textbooks(self, cancel: CancelToken) -> Iterator[Lesson] | Unchanged:
        """Read the e-textbooks (kind TEXTBOOK)."""
        ...

    def sections(self, book: BookId, cancel: CancelToken) -> tuple[Section, ...] | Unchanged:
        """Read a book's chapter tree, in reading order, parents before children."""
        ...

    def lessons(self, book: BookId, cancel: CancelToken) -> tuple[Lesson, ...] | Unchanged:
        """Read a book's whole lesson list, in order, without parts."""
        ...

    def detail(self, lesson: Lesson, cancel: CancelToken) -> Lesson | Unchanged | DetailStatus:
        """Read one lesson with its parts and files; GONE and REFUSED are answers, not errors."""
        ...

    def is_gone(self, lesson: LessonId, cancel: CancelToken) -> bool:
        """Tell whether the record's own detail answers 404."""
        ...
