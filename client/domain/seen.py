"""What is remembered of a document that was read, so that only changes are asked for."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Validator:
    """How to recognise a document: the server's words, or empty, and our own digest.

    `digest` is the SHA-256 of the body in hex.
    """

    etag: str = ""
    modified: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One document as last read. It is stored in the transaction that stores what it said.

    `path` is the address without host; `ids` are those of the records in it, in order, or for
    an index the paths of the documents it names. The document itself is not kept.
    """

    path: str
    validator: Validator = field(default_factory=Validator)
    ids: tuple[str, ...] = ()
