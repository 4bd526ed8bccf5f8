"""The list of wanted lessons, in the order they were asked for (table `want`)."""

import sqlite3
from concurrent.futures import Future

from client.domain.catalogue import Role
from client.domain.ids import LessonId
from client.domain.want import Want, WantState
from client.store.database import Database


class WantStore:
    """Rows of one library.db. Reading blocks; writing returns at once with a future."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> tuple[Want, ...]:
        """List the wants, oldest first."""

        def read(connection: sqlite3.Connection) -> tuple[Want, ...]:
            return tuple(
                _want(row)
                for row in connection.execute(
                    "SELECT lesson, rendition, roles, pinned, state, reason, bytes_needed,"
                    " bytes_done FROM want ORDER BY place, lesson"
                )
            )

        return self._database.read_here(read)

    def put(self, want: Want) -> Future[None]:
        """Add a want at the end of the list, or replace it where it stands."""

        def write(connection: sqlite3.Connection) -> None:
            values = (
                want.lesson,
                want.rendition,
                " ".join(sorted(role.name for role in want.roles)),
                want.is_pinned,
                want.state.name,
                want.reason,
                want.bytes_needed,
                want.bytes_done,
            )
            connection.execute(
                "INSERT INTO want (lesson, rendition, roles, pinned, state, reason, bytes_needed,"
                " bytes_done, place) VALUES (?, ?, ?, ?, ?, ?, ?, ?,"
                " (SELECT coalesce(max(place), 0) + 1 FROM want))"
                " ON CONFLICT (lesson) DO UPDATE SET rendition = excluded.rendition,"
                " roles = excluded.roles, pinned = excluded.pinned, state = excluded.state,"
                " reason = excluded.reason, bytes_needed = excluded.bytes_needed,"
                " bytes_done = excluded.bytes_done",
                values,
            )

        return self._database.write(write)

    def forget(self, lesson: LessonId) -> Future[None]:
        """Take a lesson from the list."""

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM want WHERE lesson = ?", (lesson,))

        return self._database.write(write)


def _want(row: tuple[str, ...]) -> Want:
    return Want(
        lesson=LessonId(row[0]),
        rendition=row[1],
        roles=frozenset(Role[name] for name in row[2].split()),
        is_pinned=bool(row[3]),
        state=WantState[row[4]],
        reason=row[5],
        bytes_needed=int(row[6]),
        bytes_done=int(row[7]),
    )
