"""Tags of records, each written once and named by its number in `tag`."""

import json
import sqlite3
from collections.abc import Iterable

from client.domain.catalogue import Tag


class TagNumbers:
    """Numbers of tags inside one write transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        rows = connection.execute("SELECT dimension, id, name, n FROM tag")
        self._numbers = {(row[0], row[1], row[2]): int(row[3]) for row in rows}

    def of(self, tags: Iterable[Tag]) -> str:
        """Give the numbers of tags as the column `tags` holds them, new ones being added."""
        return json.dumps([self._number(tag) for tag in tags], separators=(",", ":"))

    def _number(self, tag: Tag) -> int:
        key = (tag.dimension, tag.id, tag.name)
        if key not in self._numbers:
            cursor = self._connection.execute(
                "INSERT INTO tag (dimension, id, name) VALUES (?, ?, ?)", key
            )
            self._numbers[key] = int(cursor.lastrowid or 0)
        return self._numbers[key]
