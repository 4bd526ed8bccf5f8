"""What a signed catalogue says: records book by book, and the bytes that files must have."""

from dataclasses import dataclass

from client.domain.catalogue import Book, Lesson, Section
from client.domain.ids import Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Attested:
    """One remote file, by its address without hosts, and the digest its bytes must have."""

    path: str
    digest: Digest
    size_bytes: int
    manifest: Digest
    """SHA-256 of the manifest of its blocks; empty for a file of one block, whose digest rules."""
    may_relay: bool = True
    """Whether its publisher may hand it on; if not, nothing else of it is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One book with everything below it; `book` is None for what stands in none."""

    key: str
    """The book's id, empty for what stands in none."""
    book: Book | None = None
    sections: tuple[Section, ...] = ()
    lessons: tuple[Lesson, ...] = ()
    attested: tuple[Attested, ...] = ()
