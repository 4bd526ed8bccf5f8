"""Which lessons hold a file, by its digest."""

import sqlite3

from client.domain.ids import Digest, LessonId, PartId
from client.store.database import Database


def holders(database: Database, digest: Digest) -> tuple[tuple[LessonId, PartId, str], ...]:
    """List lesson, part and path of everything that the blob with this digest is. Blocking."""

    def read(connection: sqlite3.Connection) -> tuple[tuple[LessonId, PartId, str], ...]:
        found = connection.execute(
            "SELECT lesson, part, path FROM holding WHERE digest = ?", (digest,)
        )
        return tuple((LessonId(row[0]), PartId(row[1]), str(row[2])) for row in found)

    return database.read_here(read)
