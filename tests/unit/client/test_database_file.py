"""One writer, honest futures, migrations, groups (client.store.database, W1 to W5)."""

import sqlite3
import threading
from pathlib import Path

import pytest

from client.domain.errors import (
    StorageCorruptError,
    StorageError,
    StorageFullError,
    StorageTooNewError,
)
from client.store.database import Database, as_storage_error, quick_check, script


def first(connection: sqlite3.Connection) -> None:
    script(connection, "CREATE TABLE t(n INTEGER PRIMARY KEY);\nCREATE TABLE u(m INTEGER);\n")


def second(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE t ADD COLUMN word TEXT")


@pytest.fixture
def database(tmp_path: Path):
    opened = Database(tmp_path / "a.db", [first])
    yield opened
    opened.close()


def insert(n: int):
    return lambda c: c.execute("INSERT INTO t(n) VALUES (?)", (n,)).lastrowid


def numbers(database: Database) -> list[int]:
    return [n for (n,) in database.read_here(lambda c: c.execute("SELECT n FROM t").fetchall())]


def test_w1_readers_cannot_write(database):
    with pytest.raises(StorageError):
        database.read_here(insert(1))
    with pytest.raises(StorageError):
        database.read(insert(1)).result()


def test_w2_a_function_that_raises_leaves_nothing(database):
    def half(connection: sqlite3.Connection) -> None:
        insert(1)(connection)
        raise KeyError("mine")

    with pytest.raises(KeyError):
        database.write(half).result()
    assert database.write(insert(2)).result() == 2
    assert numbers(database) == numbers(database) == [2]


def test_w2_a_rollback_by_sqlite_itself_keeps_the_first_error(database):
    def trigger(connection: sqlite3.Connection) -> None:
        connection.execute(
            "CREATE TRIGGER no BEFORE INSERT ON t BEGIN SELECT RAISE(ROLLBACK, 'never'); END"
        )

    database.write(trigger).result()
    with pytest.raises(StorageError) as caught:
        database.write(insert(1)).result()
    assert "never" in str(caught.value.values)
    assert numbers(database) == []


def test_w2_a_commit_that_fails_does_not_poison_the_next_write(database):
    def deferred(connection: sqlite3.Connection) -> None:
        connection.execute(
            "CREATE TABLE child(n INTEGER REFERENCES t(n) DEFERRABLE INITIALLY DEFERRED)"
        )

    database.write(deferred).result()
    with pytest.raises(StorageError):
        database.write(lambda c: c.execute("INSERT INTO child VALUES (9)")).result()
    assert database.write(insert(3)).result() == 3


def test_w2_every_commit_reaches_the_disk_before_its_future_is_done(database):
    assert database.write(lambda c: c.execute("PRAGMA synchronous").fetchone()[0]).result() == 2
    assert database.write(lambda c: c.execute("PRAGMA journal_mode").fetchone()[0]).result() == (
        "wal"
    )


def test_w3_writes_run_in_order_and_close_drains_them(tmp_path):
    database = Database(tmp_path / "a.db", [first])
    gate = threading.Event()
    database.write(lambda _: gate.wait(10))
    futures = [database.write(insert(n)) for n in range(1, 50)]
    closer = threading.Thread(target=database.close)
    closer.start()
    gate.set()
    closer.join()
    assert [f.result() for f in futures] == list(range(1, 50))
    for call in (database.write, database.read):
        with pytest.raises(StorageError):
            call(insert(99))
    database.close()


def test_a_write_cancelled_in_the_queue_is_not_run(database):
    gate = threading.Event()
    database.write(lambda _: gate.wait(10))
    future = database.write(insert(7))
    assert future.cancel()
    gate.set()
    database.write(insert(8)).result()
    assert numbers(database) == [8]


def test_w4_migrations_run_once_and_in_order(tmp_path):
    path = tmp_path / "a.db"
    Database(path, [first]).close()
    database = Database(path, [first, second])
    assert database.read_here(lambda c: c.execute("PRAGMA user_version").fetchone()[0]) == 2
    database.close()
    with pytest.raises(StorageTooNewError):
        Database(path, [first])


def test_w4_a_migration_that_fails_leaves_the_old_version(tmp_path):
    path = tmp_path / "a.db"

    def broken(connection: sqlite3.Connection) -> None:
        connection.execute("CREATE TABLE half(n)")
        raise sqlite3.OperationalError("disk I/O error")

    def rolled_back(connection: sqlite3.Connection) -> None:
        connection.execute("ROLLBACK")
        raise sqlite3.OperationalError("gone already")

    for migration in (broken, rolled_back):
        with pytest.raises(StorageError):
            Database(path, [first, migration])
    database = Database(path, [first])
    tables = database.read_here(
        lambda c: [name for (name,) in c.execute("SELECT name FROM sqlite_master")]
    )
    assert "half" not in tables
    database.close()


def test_a_file_that_is_no_database_is_called_corrupt(tmp_path):
    path = tmp_path / "a.db"
    path.write_bytes(b"this is not a database, whatever its name says" * 100)
    with pytest.raises(StorageCorruptError):
        Database(path, [first])
    assert not quick_check(path)


def test_a_folder_that_is_not_there_is_a_storage_error(tmp_path):
    with pytest.raises(StorageError):
        Database(tmp_path / "none" / "a.db", [first])


def test_quick_check_finds_a_torn_page(tmp_path):
    path = tmp_path / "a.db"
    database = Database(path, [first])
    database.write(
        lambda c: c.executemany("INSERT INTO t(n) VALUES (?)", [(n,) for n in range(20000)])
    ).result()
    copy = tmp_path / "copy.db"
    database.backup_to(copy)
    with pytest.raises(StorageError):
        database.backup_to(copy)
    database.close()
    assert quick_check(copy)
    torn = bytearray(copy.read_bytes())
    torn[4096 * 3 : 4096 * 5] = bytes(4096 * 2)
    copy.write_bytes(torn)
    assert not quick_check(copy)
    assert not quick_check(tmp_path / "none.db")
    assert not quick_check(tmp_path)


def test_a_script_may_break_its_statements_over_lines(database):
    many = "CREATE TABLE a(\n n INTEGER\n);\nINSERT INTO a\nVALUES (5);\n"
    database.write(lambda c: script(c, many)).result()
    assert database.read_here(lambda c: c.execute("SELECT n FROM a").fetchall()) == [(5,)]


def test_errors_are_translated_by_their_sqlite_code():
    def coded(code: int) -> sqlite3.Error:
        error = sqlite3.OperationalError("x")
        error.sqlite_errorcode = code
        return error

    assert isinstance(as_storage_error(coded(sqlite3.SQLITE_FULL)), StorageFullError)
    assert isinstance(as_storage_error(coded(sqlite3.SQLITE_CORRUPT)), StorageCorruptError)
    assert type(as_storage_error(coded(sqlite3.SQLITE_BUSY))) is StorageError
    own = KeyError("x")
    assert as_storage_error(own) is own


# --- groups ------------------------------------------------------------------------------


def queued(database: Database, *jobs) -> list:
    """Queue jobs behind one that blocks, so that the writer finds them all at once."""
    gate = threading.Event()
    database.write(lambda _: gate.wait())
    futures = [database.write(job, may_group=may_group) for job, may_group in jobs]
    gate.set()
    return futures


def commits(database: Database) -> int:
    return database.read_here(lambda c: c.execute("PRAGMA data_version").fetchone()[0])


def test_w5_a_group_shares_one_commit(database):
    before = commits(database)
    futures = queued(database, *((insert(n), True) for n in range(1, 6)))
    assert [future.result() for future in futures] == [1, 2, 3, 4, 5]
    assert commits(database) == before + 1
    assert numbers(database) == [1, 2, 3, 4, 5]


def test_w5_one_that_raises_harms_no_other(database):
    def broken(connection: sqlite3.Connection) -> None:
        insert(7)(connection)
        raise KeyError("mine")

    futures = queued(database, (insert(1), True), (broken, True), (insert(2), True))
    assert futures[0].result() == 1
    with pytest.raises(KeyError):
        futures[1].result()
    assert futures[2].result() == 2
    assert numbers(database) == [1, 2]


def test_w5_a_commit_that_fails_is_no_answer(database):
    database.write(
        lambda c: c.execute("CREATE TABLE v(n REFERENCES t(n) DEFERRABLE INITIALLY DEFERRED)")
    ).result()

    def orphan(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO v VALUES (99)")

    futures = queued(database, (insert(1), True), (orphan, True), (insert(2), True))
    assert futures[0].result() == 1
    assert isinstance(futures[1].exception(), StorageError)
    assert futures[2].result() == 2
    assert numbers(database) == [1, 2]


def test_w3_groups_and_others_keep_their_order(database, monkeypatch):
    monkeypatch.setattr("client.store.database._GROUP", 2)
    seen: list[int] = []

    def note(n: int):
        return lambda _: seen.append(n)

    kinds = [True, True, True, False, True, False, False, True]
    futures = queued(database, *((note(n), kind) for n, kind in enumerate(kinds)))
    for future in futures:
        future.result()
    assert seen == list(range(len(kinds)))


def test_w5_a_cancelled_one_is_left_out(database):
    futures = queued(database, (insert(1), True), (insert(2), True), (insert(3), True))
    gate = threading.Event()
    database.write(lambda _: gate.wait())
    cancelled = database.write(insert(4), may_group=True)
    assert cancelled.cancel()
    gate.set()
    for future in futures:
        future.result()
    database.close()


def test_w5_a_rollback_by_sqlite_itself_ends_the_group(database):
    def trigger(connection: sqlite3.Connection) -> None:
        connection.execute(
            "CREATE TRIGGER no BEFORE INSERT ON t WHEN NEW.n = 13"
            " BEGIN SELECT RAISE(ROLLBACK, 'never'); END"
        )

    database.write(trigger).result()
    futures = queued(database, (insert(1), True), (insert(13), True), (insert(2), True))
    assert futures[0].result() == 1
    assert isinstance(futures[1].exception(), StorageError)
    assert futures[2].result() == 2
    assert numbers(database) == [1, 2]
