"""One SQLite file: one thread that writes, readers that cannot.

Invariants:
  W1  Only the writer thread holds a connection that is able to write.
  W2  Each submitted function runs in one BEGIN IMMEDIATE ... COMMIT with synchronous=FULL. If
      it raises, nothing of it is kept and the exception is given to its future; the future is
      done only after COMMIT returned.
  W3  Functions run in the order of submission; `close` runs those already queued, then
      refuses new ones.
  W4  A migration and its record commit together; a file of a newer major version is refused.
  W5  Functions that allow it share one COMMIT with those queued behind them. If one raises or
      COMMIT fails, nothing of the group is kept and each is run again alone.
"""

import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

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
_GROUP: Final = 256
"""So many functions share one COMMIT at most."""
_CORRUPT: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    fn: Callable[[sqlite3.Connection], Any]
    future: Future[Any]
    may_group: bool


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
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
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

    def write(self, fn: Callable[[sqlite3.Connection], T], *, may_group: bool = False) -> Future[T]:
        """Queue `fn` to run in its own transaction. May be called from any thread.

        Args:
            fn: Receives the write connection. Must not block on anything else.
            may_group: Let it share a transaction with its neighbours (W5). It may then be
                run twice and must do nothing but ask the connection.

        Returns:
            A future with the value of `fn`, done after COMMIT.

        Raises:
            StorageError: The database was closed.
        """
        future: Future[T] = Future()
        with self._gate:
            if self._closed:
                raise StorageError("store_closed")
            self._jobs.put(_Job(fn=fn, future=future, may_group=may_group))
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
            for group in self._groups():
                jobs = [job for job in group if job.future.set_running_or_notify_cancel()]
                if len(jobs) < 2 or not _together(connection, jobs):  # noqa: PLR2004 - a group
                    for job in jobs:
                        _alone(connection, job)
        finally:
            connection.close()

    def _groups(self) -> Iterator[list[_Job]]:
        """Give the queue in order: each function alone, or with those that may share its COMMIT."""
        job = self._jobs.get()
        while job is not None:
            group = [job]
            while job.may_group and len(group) < _GROUP and not self._jobs.empty():
                job = self._jobs.get()
                if job is None or not job.may_group:
                    break
                group.append(job)
            yield group
            if job is group[-1]:
                job = self._jobs.get()

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


def _together(connection: sqlite3.Connection, jobs: Sequence[_Job]) -> bool:
    """Run functions in one transaction; False when it failed and nothing of it is kept."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        results = [job.fn(connection) for job in jobs]
        connection.execute("COMMIT")
    except BaseException:  # noqa: BLE001 - run alone, it will tell whose it is
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        return False
    for job, result in zip(jobs, results, strict=True):
        job.future.set_result(result)
    return True


def _alone(connection: sqlite3.Connection, job: _Job) -> None:
    try:
        connection.execute("BEGIN IMMEDIATE")
        result = job.fn(connection)
        connection.execute("COMMIT")
    except BaseException as error:  # noqa: BLE001 - it belongs to the caller
        # SQLite may already have rolled back by itself (disk full, a trigger).
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        job.future.set_exception(as_storage_error(error))
    else:
        job.future.set_result(result)


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
