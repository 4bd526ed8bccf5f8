"""One SQLite file: one thread that writes, readers that cannot.

Invariants:
  W1  Only the writer thread holds a connection that is able to write.
  W2  Each submitted function runs in one BEGIN IMMEDIATE ... COMMIT with synchronous=FULL. If
      it raises, nothing of it is kept and the exception is given to its future; the future is
      done only after COMMIT returned.
  W3  Functions run in the order of submission; `close` runs those already queued, then
      refuses new ones.
  W4  A migration and its record commit together; a file of a newer major version is refused.
"""

import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeVar

from client.domain.errors import (
    StorageCorruptError,
    StorageError,
    StorageFullError,
    StorageTooNewError,
)

T = TypeVar("T")
Migration = Callable[[sqlite3.Connection], None]

_READERS: Final = 2
_CACHE_KIB: Final = 8192
_CORRUPT: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class Database:
    """Opens, migrates and serialises access to one file. See the module's invariants.

    Args:
        path: The file; its folder must exist.
        migrations: Ordered functions; the n-th brings a file from version n-1 to n. Never
            edited after a release.

    Raises:
        StorageTooNewError: A newer program wrote the file.
        StorageCorruptError: It is not a database, or damaged beyond reading its header.
    """

    def __init__(self, path: Path, migrations: Sequence[Migration]) -> None:
        self.path: Final = path
        self._migrations = tuple(migrations)
        self._jobs: queue.SimpleQueue[Callable[[sqlite3.Connection], None] | None] = (
            queue.SimpleQueue()
        )
        self._gate = threading.Lock()
        self._closed = False
        self._local = threading.local()
        self._reading: list[sqlite3.Connection] = []
        opened: Future[None] = Future()
        self._thread = threading.Thread(
            target=self._run, args=(opened,), name=f"{path.stem}-writer", daemon=True
        )
        self._thread.start()
        opened.result()
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix=f"{path.stem}-reader")

    def write(self, fn: Callable[[sqlite3.Connection], T]) -> Future[T]:
        """Queue `fn` to run in its own transaction. May be called from any thread.

        Args:
            fn: Receives the write connection. Must not block on anything else.

        Returns:
            A future with the value of `fn`, done after COMMIT.

        Raises:
            StorageError: The database was closed.
        """
        future: Future[T] = Future()

        def job(connection: sqlite3.Connection) -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                connection.execute("BEGIN IMMEDIATE")
                result = fn(connection)
                connection.execute("COMMIT")
            except BaseException as error:  # noqa: BLE001 - it belongs to the caller
                # SQLite may already have rolled back by itself (disk full, a trigger).
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                future.set_exception(as_storage_error(error))
            else:
                future.set_result(result)

        with self._gate:
            if self._closed:
                raise StorageError("store_closed")
            self._jobs.put(job)
        return future

    def read(self, fn: Callable[[sqlite3.Connection], T]) -> Future[T]:
        """Run `fn` on a reader thread with a connection that cannot write."""

        def job() -> T:
            return self.read_here(fn)

        with self._gate:
            if self._closed:
                raise StorageError("store_closed")
            return self._readers.submit(job)

    def read_here(self, fn: Callable[[sqlite3.Connection], T]) -> T:
        """Run `fn` on the calling thread with that thread's own read connection.

        For worker threads and the command line; never for the GUI thread.
        """
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._connect(readonly=True)
            self._local.connection = connection
            with self._gate:
                self._reading.append(connection)
        try:
            return fn(connection)
        except sqlite3.Error as error:
            raise as_storage_error(error) from error

    def backup_to(self, target: Path) -> None:
        """Write a compact copy of the present state to `target` (must not exist)."""
        # Not `query_only`, which forbids VACUUM INTO too: the file itself is opened read-only.
        connection = sqlite3.connect(_readonly(self.path), uri=True)
        try:
            connection.execute("VACUUM INTO ?", (str(target),))
        except sqlite3.Error as error:
            raise as_storage_error(error) from error
        finally:
            connection.close()

    def close(self) -> None:
        """Run what is queued, then stop. Idempotent."""
        with self._gate:
            already, self._closed = self._closed, True
            if not already:
                self._jobs.put(None)
        self._thread.join()
        if already:
            return
        self._readers.shutdown(wait=True)
        for connection in self._reading:
            connection.close()

    def _run(self, opened: Future[None]) -> None:
        try:
            connection = self._connect(readonly=False)
        except sqlite3.Error as error:
            opened.set_exception(as_storage_error(error))
            return
        try:
            try:
                self._migrate(connection)
            except (sqlite3.Error, StorageError) as error:
                opened.set_exception(as_storage_error(error))
                return
            opened.set_result(None)
            while (job := self._jobs.get()) is not None:
                job(connection)
        finally:
            connection.close()

    def _connect(self, *, readonly: bool) -> sqlite3.Connection:
        # `check_same_thread` is off only so that close() may close readers of other threads.
        connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA busy_timeout = 5000")
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        if readonly:
            connection.execute("PRAGMA query_only = ON")
        else:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
        return connection

    def _migrate(self, connection: sqlite3.Connection) -> None:
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        if version > len(self._migrations):
            raise StorageTooNewError("store_too_new", {"name": self.path.name})
        for number, migration in enumerate(self._migrations[version:], version + 1):
            connection.execute("BEGIN IMMEDIATE")
            try:
                migration(connection)
                connection.execute(f"PRAGMA user_version = {number}")
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise


def script(connection: sqlite3.Connection, statements: str) -> None:
    """Run several statements inside the open transaction (`executescript` would commit it)."""
    pending = ""
    for line in statements.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            connection.execute(pending)
            pending = ""


def quick_check(path: Path) -> bool:
    """Tell whether SQLite finds the file sound. Reads all of it; False for a missing file."""
    if not path.exists():
        return False
    try:
        connection = sqlite3.connect(_readonly(path), uri=True)
    except sqlite3.Error:
        return False
    try:
        return bool(connection.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok")
    except sqlite3.Error:
        return False
    finally:
        connection.close()


def _readonly(path: Path) -> str:
    return f"{path.absolute().as_uri()}?mode=ro"


def as_storage_error(error: BaseException) -> BaseException:
    """Translate what SQLite raised, keeping its cause; pass everything else through."""
    if not isinstance(error, sqlite3.Error):
        return error
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    wrapped: StorageError
    if code == sqlite3.SQLITE_FULL:
        wrapped = StorageFullError("disk_full")
    elif code in _CORRUPT:
        wrapped = StorageCorruptError("store_corrupt")
    else:
        wrapped = StorageError("store_failed", {"detail": str(error)})
    wrapped.__cause__ = error
    return wrapped
