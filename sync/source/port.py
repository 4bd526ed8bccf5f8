"""The source port: where the catalogue and lessons come from (contract suite: tests/contract).

A source *yields* what it finds and knows nothing of the store; the engine writes. So a source
can be tested against a peer without a database, and a hub can reuse it without a room.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Generic, Protocol, TypeVar

from client.domain.cancel import CancelToken
from client.domain.catalogue import Book, Lesson, Section, TagNode
from client.domain.ids import BookId, SourceId
from client.domain.seen import Seen

T = TypeVar("T")


class Memory(Protocol):
    """What was read before, by the host-less path of the document."""

    def recall(self, path: str) -> Seen | None:
        """Return what was remembered of a document."""
        ...


class Unchanged(Enum):
    """The answer of a source when a document is the one already known."""

    UNCHANGED = "unchanged"


class DetailStatus(Enum):
    """What a source says of one record's own document when it gives none."""

    GONE = "gone"
    """404: there is none (any more)."""
    REFUSED = "refused"
    """401/403: listed, but not to be had today."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found(Generic[T]):
    """A value and the documents it came from, to be remembered together with it."""

    value: T
    seen: tuple[Seen, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing(Generic[T]):
    """A whole list, of which only the changed documents were read again.

    `records` stand in documents that are new or changed; `kept` are ids of records in documents
    that are as they were. What is in neither is missing from the list.
    """

    records: tuple[T, ...] = ()
    kept: tuple[str, ...] = ()
    seen: tuple[Seen, ...] = ()
    skipped: int = 0
    """Records that could not be understood."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What the source asked for so far. `bytes_received` counts bodies as received (gzip)."""

    requests: int = 0
    bytes_received: int = 0


class Source(Protocol):
    """One place lessons come from. Methods block and may be called from several threads.

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

    @property
    def connections(self) -> int:
        """How many requests it allows at a time."""
        ...

    def tags(self, cancel: CancelToken) -> Found[tuple[TagNode, ...]] | Unchanged:
        """Read the tag trees."""
        ...

    def books(self, cancel: CancelToken) -> Listing[Book]:
        """Read the book list."""
        ...

    def textbooks(self, cancel: CancelToken) -> Listing[Lesson]:
        """Read the list of e-textbooks (kind TEXTBOOK)."""
        ...

    def sections(self, book: BookId, cancel: CancelToken) -> Found[tuple[Section, ...]] | Unchanged:
        """Read a book's chapter tree, in reading order, parents before children."""
        ...

    def lessons(self, book: BookId, cancel: CancelToken) -> Listing[Lesson]:
        """Read a book's lesson list, without parts."""
        ...

    def detail(
        self, lesson: Lesson, cancel: CancelToken
    ) -> Found[Lesson] | Unchanged | DetailStatus:
        """Read one lesson with its parts and files; GONE and REFUSED are answers, not errors."""
        ...

    def is_gone(self, lesson: Lesson, cancel: CancelToken) -> bool:
        """Tell whether the record's own detail answers 404, on every mirror that answers."""
        ...

    def is_book_gone(self, book: BookId, cancel: CancelToken) -> bool:
        """Tell whether the book's own detail answers 404, on every mirror that answers."""
        ...
