"""Tables of the catalogue in library.db: what the sources offer. Rebuildable at any time.

`lesson.n` is the row number the search index and `changed` lists speak of; rows are never
deleted, only withdrawn, so a number keeps its meaning for the life of the file.
`lesson.changed` counts the transactions that changed lessons: whoever remembers the highest
number it has worked off finds everything newer (`catalogue_store.changed_since`).
`digest` and `parts_digest` are hashes of the normalised content: the change key (C1).
"""

import sqlite3
from typing import Final, TypeAlias

_Columns: TypeAlias = dict[str, type]

_SOURCE: Final[_Columns] = {"id": str, "kind": str, "address": str, "pace_s": float}
_SEEN: Final[_Columns] = {
    "source": str,
    "path": str,
    "etag": str,
    "modified": str,
    "digest": str,
    "ids": str,
}
_TAG_NODE: Final[_Columns] = {
    "source": str,
    "path": str,
    "parent": str,
    "position": int,
    "dimension": str,
    "tag": str,
    "name": str,
    "is_hidden": int,
}
_TAG: Final[_Columns] = {"n": int, "dimension": str, "id": str, "name": str}
_BOOK: Final[_Columns] = {
    "n": int,
    "id": str,
    "source": str,
    "title": str,
    "stage": str,
    "grade": str,
    "subject": str,
    "edition": str,
    "volume": str,
    "provider": str,
    "tags": str,
    "is_withdrawn": int,
    "digest": bytes,
}
_SECTION: Final[_Columns] = {"book": str, "id": str, "parent": str, "position": int, "title": str}
_LESSON: Final[_Columns] = {
    "n": int,
    "id": str,
    "source": str,
    "kind": str,
    "title": str,
    "book": str,
    "sections": str,
    "section_titles": str,
    "unit": str,
    "position": int,
    "week": str,
    "provider": str,
    "stage": str,
    "grade": str,
    "subject": str,
    "edition": str,
    "volume": str,
    "tags": str,
    "periods": str,
    "detail": str,
    "is_withdrawn": int,
    "changed": int,
    "digest": bytes,
    "parts_digest": bytes,
}
_PART: Final[_Columns] = {
    "lesson": int,
    "id": str,
    "role": str,
    "title": str,
    "label": str,
    "position": int,
    "period": int,
    "duration_s": float,
}
_FILE: Final[_Columns] = {
    "lesson": int,
    "part": str,
    "path": str,
    "position": int,
    "urls": str,
    "format": str,
    "flags": str,
    "use": str,
    "md5": str,
    "size_bytes": int,
    "is_protected": int,
    "height": int,
    "total_bytes": int,
    "segments": int,
    "duration_s": float,
    "pages": int,
}
_TABLES: Final[tuple[tuple[str, _Columns, str | tuple[str, ...]], ...]] = (
    ("source", _SOURCE, "id"),
    ("seen", _SEEN, ("source", "path")),
    ("tag_node", _TAG_NODE, ("source", "path")),
    ("tag", _TAG, "n"),
    ("book", _BOOK, "n"),
    ("section", _SECTION, ("book", "id")),
    ("lesson", _LESSON, "n"),
    ("part", _PART, ("lesson", "id")),
    ("file", _FILE, ("lesson", "part", "path")),
)
_INDEXES: Final[tuple[tuple[str, tuple[str, ...], bool], ...]] = (
    ("tag", ("dimension", "id", "name"), True),
    ("book", ("id",), True),
    ("lesson", ("id",), True),
    ("lesson", ("book",), False),
    ("lesson", ("changed",), False),
    ("file", ("md5",), False),
)
_NULLABLE: Final = frozenset(
    {("source", "pace_s"), ("section", "parent"), ("lesson", "book"), ("lesson", "parts_digest")}
)


def m0001_catalogue(connection: sqlite3.Connection) -> None:
    """Make all tables of the catalogue."""
    # Heavy, and needed once in the life of a profile.
    from sqlite_utils import Database  # noqa: PLC0415

    db = Database(connection, recursive_triggers=False, execute_plugins=False)
    for name, columns, key in _TABLES:
        needed = [column for column in columns if (name, column) not in _NULLABLE]
        db.table(name).create(columns, pk=key, not_null=needed, strict=True)
    for name, index, is_unique in _INDEXES:
        db.table(name).create_index(list(index), unique=is_unique)
