"""A damaged page can hold any value in any column: repair goes on with all the rest
(client.store.salvage)."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from client.domain.ids import SittingId
from client.domain.record.anchors import AnchorKind
from client.domain.record.resume import ResumePoint, RunningTimer
from client.store.database import Database
from client.store.salvage import fill, gather
from client.store.schema_journal import MIGRATIONS
from tests.journal_room import cue, make_journal

ODD = (None, "x", b"", b"x" * 8, -1, 1.5, 1 << 62)
POINT = ResumePoint(
    sitting=SittingId("00112233aabbccdd"),
    class_ids=("c3",),
    lesson="L1",
    timers=(RunningTimer(name="quiet", total_s=60.0, left_s=3.0),),
)


@pytest.fixture(scope="module")
def loose(tmp_path_factory) -> Path:
    """A journal with a row in every table that is salvaged, without any constraint."""
    folder = tmp_path_factory.mktemp("room")
    journal = make_journal(folder)
    for n in range(1, 6):
        journal.append(cue(n)).result()
    journal.seal().result()
    journal.append(cue(6)).result()
    journal.save_resume(POINT).result()
    journal.set_local("theme", "dark").result()
    anchor = journal.present().anchor(AnchorKind.HUB, 1_800_000_000_000, 1000)
    journal.note_anchor(anchor).result()
    journal.close()
    made = folder / "loose.db"
    with (
        closing(sqlite3.connect(folder / "journal.db")) as source,
        closing(sqlite3.connect(made)) as target,
    ):
        tables = source.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        )
        for (name,) in tables.fetchall():
            found = source.execute(f"SELECT * FROM {name}")
            columns = [one[0] for one in found.description]
            target.execute(f"CREATE TABLE {name} ({', '.join(columns)})")
            marks = ", ".join("?" for _ in columns)
            target.executemany(f"INSERT INTO {name} VALUES ({marks})", found)
        target.commit()
    return made


TABLES = ("writer", "event", "sealed", "boot", "resume", "local", "anchor")


def columns_of(path: Path, table: str) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]


@pytest.mark.parametrize("table", TABLES)
def test_no_value_of_any_column_keeps_the_rest_from_being_saved(loose, tmp_path, table):
    before = gather((loose,))
    assert len(before.events) > 6
    assert before.segments
    assert before.anchors
    assert before.points
    path = tmp_path / "journal.db"
    for column in columns_of(loose, table):
        for odd in ODD:
            path.write_bytes(loose.read_bytes())
            with closing(sqlite3.connect(path)) as connection:
                connection.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = 1", (odd,))
                connection.commit()
            # The names of writers are in each backup.
            saved = gather((path,), before)
            lost = before.events.keys() - saved.events.keys()
            assert len(lost) <= (table == "event"), (column, odd)
            fresh = tmp_path / "fresh.db"
            fresh.unlink(missing_ok=True)
            database = Database(fresh, MIGRATIONS)
            try:
                (count,) = database.write(lambda c, one=saved: fill(c, (one,))).result()
            finally:
                database.close()
            assert count == len(saved.events), (column, odd)
