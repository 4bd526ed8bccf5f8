"""Opening the journal whatever happened to it: client.store.repair, salvage, presence,
backup and boot."""

import shutil
import sqlite3
from pathlib import Path

import pytest

from client.domain.clock import FrozenClock
from client.domain.errors import StorageError, StorageTooNewError
from client.domain.ids import SittingId
from client.domain.record import bodies as b
from client.domain.record.facts import fact_rows
from client.domain.record.fold import Fold, read
from client.domain.record.resume import ResumePoint
from client.domain.record.room import room_snapshot
from client.domain.record.vector import EMPTY
from client.store import repair
from client.store.backup import EVENTS_BETWEEN, Backups, is_due
from client.store.boot import boot_key
from client.store.database import Database
from client.store.keyfile import KeyFile
from client.store.presence import Presence
from client.store.repair import KEY_COPY, KEY_FILE, open_journal
from client.store.salvage import gather
from client.store.schema_journal import MIGRATIONS
from tests.fakes.memory_log import MemoryLog
from tests.journal_room import cue, make_journal
from tests.log_world import Pen

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "journal"
POINT = ResumePoint(sitting=SittingId("00112233aabbccdd"), class_ids=("c3",), lesson="L1")


@pytest.fixture
def room(tmp_path):
    """A folder with a journal of ten facts and no backup, closed."""
    journal = make_journal(tmp_path)
    for n in range(1, 11):
        journal.append(cue(n)).result()
    journal.save_resume(POINT).result()
    journal.close()
    return tmp_path


def opened(folder):
    """Open, look, close: codes, ordinals of the facts, reasons of all logs."""
    found = open_journal(folder, FrozenClock())
    bodies = [read(event).body for _, event in found.journal.events()]
    found.journal.close()
    cues = sorted(body.ordinal for body in bodies if isinstance(body, b.CueReached))
    whys = [body.why.value for body in bodies if isinstance(body, b.Incarnation)]
    return [notice.code for notice in found.notices], cues, whys


def backed_up(folder):
    found = open_journal(folder, FrozenClock())
    assert found.journal.backup().result()
    found.journal.close()


def add(folder, *ordinals):
    journal = make_journal(folder)
    for n in ordinals:
        journal.append(cue(n)).result()
    journal.close()


TEN = list(range(1, 11))


def test_a_whole_journal_opens_without_a_word(room):
    assert opened(room) == ([], TEN, ["first"])
    assert opened(room / "new" / "profile") == ([], [], ["first"])


def zeros(path):
    data = bytearray(path.read_bytes())
    data[4096:] = bytes(len(data) - 4096)
    path.write_bytes(data)


def cut(path):
    path.write_bytes(path.read_bytes()[:5000])


def noise(path):
    path.write_bytes(b"this is no database " * 100)


def flipped(path):
    data = bytearray(path.read_bytes())
    at = data.rindex(bytes.fromhex("83804800112233aabbccdd"))
    data[at + 5] ^= 0xFF
    path.write_bytes(data)


def miscounted(path):
    """The header tells of more free pages than there are: SQLite reads on and says so."""
    data = bytearray(path.read_bytes())
    data[36:40] = (int.from_bytes(data[36:40], "big") + 3).to_bytes(4, "big")
    path.write_bytes(data)


def changed(statement):
    def damage(path):
        with sqlite3.connect(path) as connection:
            connection.execute("PRAGMA foreign_keys = OFF")
            connection.execute(statement)
        connection.close()

    damage.__name__ = "_".join(statement.lower().split())
    return damage


DAMAGES = [
    zeros,
    cut,
    noise,
    flipped,
    miscounted,
    changed("DROP TABLE head"),
    changed("DELETE FROM event WHERE n = 11"),
    changed("DELETE FROM event WHERE n IN (6, 7)"),
    changed("PRAGMA user_version = 0"),
    changed("UPDATE event SET mono = 7 WHERE n = 12"),
    changed("UPDATE event SET body = x'00' WHERE n = 11"),
]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda fn: fn.__name__)
def test_e1_e3_any_damage_opens_with_what_the_backup_has(room, damage):
    backed_up(room)
    add(room, 11, 12)
    damage(room / "journal.db")
    codes, cues, whys = opened(room)
    assert codes[:2] == ["journal_damaged", "journal_restored"]
    assert set(TEN) <= set(cues)
    assert cues == sorted(set(cues))
    assert whys[-1] == "restored"
    assert opened(room)[0] == []


def test_v1_segments_are_kept_and_give_events_too(room):
    """Those of other machines too: nobody here could sign them again."""
    other = Pen().write(1, 2)
    journal = make_journal(room)
    sealed = other.seal()
    journal.log.take((sealed,)).result()
    journal.seal().result()
    before = journal.segments()
    journal.close()
    with sqlite3.connect(room / "journal.db") as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("DELETE FROM event WHERE seq > 1")
        connection.execute("INSERT INTO sealed VALUES (1, 99, 1, x'00', x'00')")
        connection.execute(
            "INSERT INTO sealed VALUES (1, 98, 1, x'00', ?)", (Pen().write(1).seal(),)
        )
        connection.execute("UPDATE local SET value = '1' WHERE name = 'journal.clean'")
        connection.execute("INSERT INTO local VALUES ('journal.suspect', '1')")
    connection.close()
    codes, cues, _ = opened(room)
    assert codes[0] == "journal_damaged"
    assert set(TEN) <= set(cues)
    journal = make_journal(room)
    assert set(before) <= set(journal.segments())
    assert sealed in journal.segments()
    held = journal.log.missing(EMPTY, 1 << 30)
    assert set(before) <= set(held)
    journal.close()


def test_e3_what_the_damaged_file_still_gives_is_saved(room):
    backed_up(room)
    add(room, 11, 12)
    with sqlite3.connect(room / "journal.db") as connection:
        connection.execute("DROP TABLE head")
    connection.close()
    codes, cues, _ = opened(room)
    assert codes == ["journal_damaged", "journal_restored", "journal_salvaged"]
    assert cues == [*TEN, 11, 12]


def test_e3_v1_without_any_backup_everything_whose_hash_holds_is_saved(room):
    with sqlite3.connect(room / "journal.db") as connection:
        connection.execute("UPDATE event SET wall = wall + 1 WHERE n = 8")
    connection.close()
    codes, cues, _ = opened(room)
    assert codes == ["journal_damaged", "journal_salvaged"]
    assert cues == [1, 2, 3, 4, 5, 6, 8, 9, 10]
    # The gap that stays is no new damage, and the old log can still be sealed around it.
    found = open_journal(room, FrozenClock())
    assert found.notices == ()
    assert found.journal.seal().result() == 3
    found.journal.close()


def test_e3_a_log_that_lost_its_beginning_is_no_damage_for_ever(room):
    with sqlite3.connect(room / "journal.db") as connection:
        connection.execute("UPDATE event SET wall = wall + 1 WHERE n < 4")
    connection.close()
    assert opened(room)[1] == [3, 4, 5, 6, 7, 8, 9, 10]
    assert opened(room)[0] == []


def test_j6_a_row_that_changed_long_ago_stops_nothing_and_is_repaired_at_the_next_start(room):
    add(room, *range(11, 111))
    with sqlite3.connect(room / "journal.db") as connection:
        connection.execute("UPDATE event SET wall = wall + 1 WHERE n = 8")
    connection.close()
    found = open_journal(room, FrozenClock())
    assert found.notices == ()
    assert len(found.journal.events()) == 110
    assert found.journal.set_local("x", "y").result() is None
    assert found.journal.health().is_suspect
    found.journal.close()
    codes, cues, _ = opened(room)
    assert codes[0] == "journal_damaged"
    assert len(cues) == 109
    assert opened(room)[0] == []


def test_j6_a_segment_that_changed_is_signed_anew_after_the_next_start(room):
    """LS4: it is told when it should have been given, and the rows it held are whole."""
    journal = make_journal(room)
    journal.seal().result()
    (sealed,) = journal.segments()
    rotten = sealed[:-1] + bytes([sealed[-1] ^ 1])
    journal._database.write(lambda c: c.execute("UPDATE sealed SET data = ?", (rotten,))).result()
    assert journal.log.missing(EMPTY, 1 << 20) == ()
    assert journal.set_local("x", "y").result() is None  # the mark is written before it
    assert journal.health().is_suspect
    journal.close()
    codes, cues, _ = opened(room)
    assert (codes[0], cues) == ("journal_damaged", TEN)
    journal = make_journal(room)
    journal.seal().result()
    hub = MemoryLog()
    assert all(code.is_kept for code in hub.take(journal.log.missing(EMPTY, 1 << 20)).result())
    assert hub.vector() == journal.log.vector()
    journal.close()


def test_e3_a_backup_that_is_damaged_too_gives_way_to_the_older_one(room):
    backed_up(room)
    add(room, 11)
    backed_up(room)
    (room / "journal.backup-1.db").write_bytes(b"junk")
    (room / "journal.db").write_bytes(b"junk")
    codes, cues, _ = opened(room)
    assert codes == ["journal_damaged", "journal_restored"]
    assert cues in (TEN, [*TEN, 11])


def test_e1_a_file_that_is_gone_or_empty_is_restored(room):
    backed_up(room)
    (room / "journal.db").unlink()
    assert opened(room)[:2] == (["journal_missing", "journal_restored"], TEN)
    (room / "journal.db").write_bytes(b"")
    codes, cues, _ = opened(room)
    assert codes[:2] == ["journal_damaged", "journal_restored"]
    assert cues == TEN


def test_e1_without_file_and_backup_the_key_takes_a_new_name(room):
    before = KeyFile.load(room / "journal.key")
    for name in room.glob("journal*.db*"):
        name.unlink()
    assert opened(room) == (["journal_empty"], [], ["restored"])
    after = KeyFile.load(room / "journal.key")
    assert (after.public_key, after.nonce != before.nonce) == (before.public_key, True)


def test_e2_v2_the_damaged_file_is_kept_as_it_was(room):
    backed_up(room)
    (room / "journal.db").write_bytes(b"junk one")
    opened(room)
    (room / "journal.db").write_bytes(b"junk two")
    opened(room)
    assert (room / "journal.db.damaged-1").read_bytes() == b"junk one"
    assert (room / "journal.db.damaged-2").read_bytes() == b"junk two"


def test_e2_the_write_ahead_log_goes_with_its_file(room):
    backed_up(room)
    (room / "journal.db").write_bytes(b"junk")
    (room / "journal.db-wal").write_bytes(b"wal")
    opened(room)
    assert (room / "journal.db.damaged-1").read_bytes() == b"junk"
    assert not (room / "journal.db-wal").exists()


def test_v2_a_file_is_read_through_a_copy_with_its_write_ahead_log(room, tmp_path):
    journal = make_journal(room)
    name = journal.append(cue(77)).result()
    image = tmp_path / "image"
    image.mkdir()
    for ending in ("", "-wal"):
        shutil.copy(room / f"journal.db{ending}", image / f"journal.db{ending}")
    journal.close()
    before = {path.name: path.read_bytes() for path in image.iterdir()}
    found = gather((image / "journal.db",))
    assert name in {event.id for event in found.events.values()}
    assert {path.name: path.read_bytes() for path in image.iterdir()} == before


def test_pr1_leaving_twice_is_no_harm(tmp_path):
    one, other = Presence(tmp_path / "lock"), Presence(tmp_path / "lock")
    one.enter()
    with other.alone() as is_alone:
        assert not is_alone
    one.leave()
    one.leave()
    with other.alone() as is_alone:
        assert is_alone
    one.close()
    other.close()


def test_e4_after_a_repair_the_machine_writes_under_a_new_name(room):
    backed_up(room)
    old = make_journal(room)
    old_name = old.writer
    tips = {(tip.writer, tip.hash) for tip in old.tips()}
    old.close()
    (room / "journal.db").write_bytes(b"junk")
    found = open_journal(room, FrozenClock())
    begin = next(e for _, e in found.journal.events() if e.writer == found.journal.writer)
    assert found.journal.writer != old_name
    assert set(read(begin).body.predecessors) == tips
    assert found.journal.seal().result() == 2  # the old log is still ours to sign
    found.journal.close()


def lose_key(room):
    for name in (KEY_FILE, KEY_COPY):
        (room / name).unlink()


def test_e4_a_lost_key_is_told_and_the_log_goes_on(room):
    opened(room)
    lose_key(room)
    assert opened(room) == (["journal_key_new"], TEN, ["first", "key_lost"])
    lose_key(room)
    (room / "journal.db").write_bytes(b"junk")
    assert opened(room)[2] == ["first", "key_lost", "key_lost"]


def test_e4_many_repairs_name_only_the_logs_that_were_still_open(room):
    opened(room)
    for _ in range(70):
        lose_key(room)
        opened(room)
    assert opened(room)[1] == TEN
    found = open_journal(room, FrozenClock())
    last = found.journal.events()[-1][1]
    assert len(read(last).body.predecessors) == 1
    found.journal.close()


@pytest.mark.parametrize("is_junk", [False, True])
def test_k4_one_lost_key_file_costs_a_name_and_no_key(room, is_junk):
    assert opened(room)[0] == []
    before = KeyFile.load(room / KEY_FILE)
    (room / KEY_FILE).write_bytes(b"junk") if is_junk else (room / KEY_FILE).unlink()
    assert opened(room) == (["journal_key_restored"], TEN, ["first", "restored"])
    after = KeyFile.load(room / KEY_FILE)
    assert (after.public_key, after.nonce != before.nonce) == (before.public_key, True)
    assert opened(room)[0] == []
    (room / KEY_COPY).unlink()
    assert opened(room) == ([], TEN, ["first", "restored"])
    assert (room / KEY_COPY).read_bytes() == (room / KEY_FILE).read_bytes()


def test_k3_a_repair_finds_the_copy_too(room):
    backed_up(room)
    opened(room)
    before = KeyFile.load(room / KEY_FILE)
    (room / KEY_FILE).unlink()
    (room / "journal.db").write_bytes(b"junk")
    assert opened(room)[1:] == (TEN, ["first", "restored"])
    assert KeyFile.load(room / KEY_FILE).public_key == before.public_key


def test_where_a_class_stood_survives_the_damage(room):
    with sqlite3.connect(room / "journal.db") as connection:
        connection.execute("DROP TABLE head")
    connection.close()
    found = open_journal(room, FrozenClock())
    assert [point.lesson for point in found.journal.resume_points()] == ["L1"]
    found.journal.close()


def test_v1_a_file_that_lost_its_writers_is_read_with_the_names_of_a_backup(room):
    backed_up(room)
    add(room, 11)
    changed("DROP TABLE writer")(room / "journal.db")
    assert opened(room)[:2] == (
        ["journal_damaged", "journal_restored", "journal_salvaged"],
        [*TEN, 11],
    )


def test_where_a_class_stood_is_taken_from_the_file_in_use_not_from_an_older_backup(room):
    backed_up(room)
    journal = make_journal(room)
    journal.drop_resume(POINT.sitting).result()
    journal.close()
    changed("DROP TABLE head")(room / "journal.db")
    found = open_journal(room, FrozenClock())
    assert found.journal.resume_points() == ()
    found.journal.close()


def test_v1_a_file_of_which_nothing_can_be_read_gives_nothing(room):
    for table in ("writer", "resume", "local"):
        changed(f"DROP TABLE {table}")(room / "journal.db")
    codes, cues, _ = opened(room)
    assert codes == ["journal_damaged", "journal_empty"]
    assert cues == []


def test_e1_a_newer_program_s_file_is_refused_and_not_touched(room):
    with sqlite3.connect(room / "journal.db") as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = (room / "journal.db").read_bytes()
    with pytest.raises(StorageTooNewError) as caught:
        open_journal(room, FrozenClock())
    assert caught.value.values["name"] == "journal.db"
    assert (room / "journal.db").read_bytes() == before
    assert not list(room.glob("*.damaged-*"))


def test_e1_a_disk_that_refuses_is_no_damage(room, monkeypatch):
    class Refused(sqlite3.OperationalError):
        sqlite_errorcode = sqlite3.SQLITE_IOERR

    def broken(*_):
        raise Refused("disk I/O error")

    monkeypatch.setattr(repair.rows, "select_tips", broken)
    with pytest.raises(StorageError):
        open_journal(room, FrozenClock())
    assert not list(room.glob("*.damaged-*"))
    monkeypatch.undo()
    monkeypatch.setattr(Database, "_migrate", broken)
    with pytest.raises(StorageError):
        open_journal(room, FrozenClock())
    assert not list(room.glob("*.damaged-*"))
    monkeypatch.undo()
    assert opened(room) == ([], TEN, ["first"])


def test_e5_pr1_a_journal_that_somebody_has_open_is_not_repaired_under_his_feet(room):
    add(room, *range(11, 111))
    first = open_journal(room, FrozenClock())
    first.journal.set_local("journal.suspect", "1").result()
    second = open_journal(room, FrozenClock())
    assert second.notices == ()
    kept = first.journal.append(cue(400)).result()
    first.journal.close()
    assert kept in {event.id for _, event in second.journal.events()}
    second.journal._database.write(lambda c: c.execute("UPDATE head SET hash = x'00'")).result()
    with pytest.raises(StorageError) as caught:
        open_journal(room, FrozenClock())
    assert caught.value.code == "journal_in_use"
    assert not list(room.glob("*.damaged-*"))
    second.journal.close()
    codes, cues, _ = opened(room)
    assert codes[0] == "journal_damaged"
    assert cues == [*TEN, *range(11, 111), 400]


def test_e1_a_journal_that_cannot_begin_is_closed_again(room, monkeypatch):
    def refuse(*_):
        raise StorageError("store_failed")

    closed = []
    real = Database.close
    monkeypatch.setattr(repair, "Journal", refuse)
    monkeypatch.setattr(Database, "close", lambda self: (closed.append(1), real(self)))
    with pytest.raises(StorageError):
        open_journal(room, FrozenClock())
    assert closed == [1]


def test_what_was_left_by_a_crash_in_the_middle_of_a_repair_is_no_hindrance(room):
    backed_up(room)
    shutil.copy(room / "journal.db", room / "journal.db.work")
    (room / "journal.db.new").write_bytes(b"half")
    (room / "journal.db").rename(room / "journal.db.damaged-1")
    codes, cues, _ = opened(room)
    assert codes[:2] == ["journal_missing", "journal_restored"]
    assert cues == TEN
    assert not (room / "journal.db.work").exists()


# --- old databases -----------------------------------------------------------------------


@pytest.mark.parametrize("script", sorted(GOLDEN.glob("*.sql")), ids=lambda path: path.stem)
def test_a_database_of_every_release_opens_with_its_facts(script, tmp_path):
    with sqlite3.connect(tmp_path / "journal.db") as connection:
        connection.executescript(script.read_text(encoding="utf-8"))
    connection.close()
    key = script.with_suffix(".key.hex").read_text(encoding="utf-8")
    (tmp_path / "journal.key").write_bytes(bytes.fromhex(key))
    found = open_journal(tmp_path, FrozenClock())
    assert found.notices == ()
    fold = Fold(event for _, event in found.journal.events())
    assert fold.unread == 0
    assert len(fact_rows(fold)) == 13
    assert room_snapshot(fold).room.school == "石头坪小学"
    assert found.journal.resume_points()[0].position_s == pytest.approx(408.3)
    assert found.journal.append(cue(1)).result()
    found.journal.close()


def test_there_is_an_old_database_for_every_migration():
    assert len(list(GOLDEN.glob("*.sql"))) == len(MIGRATIONS)


# --- backups -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("is_new_boot", "events", "events_then", "expected"),
    [
        (False, 1, None, True),
        (True, 10, 10, False),
        (True, 11, 10, True),
        (False, 11, 10, False),
        (False, 10 + EVENTS_BETWEEN, 10, True),
        (False, 9, 10, True),
    ],
)
def test_when_a_start_makes_a_backup(is_new_boot, events, events_then, expected):
    answer = is_due(is_new_boot=is_new_boot, events=events, events_then=events_then)
    assert answer is expected


def test_a_start_makes_the_first_backup_and_no_second_without_need(room):
    found = open_journal(room, FrozenClock())
    # One of the two finds that there is nothing to do.
    found.journal.backup_if_due().result()
    assert not found.journal.backup_if_due().result()
    health = found.journal.health()
    assert (health.events, health.logs, health.segments, health.behind) == (11, 1, 0, 0)
    assert health.backups == 1
    assert health.size_bytes > 0
    found.journal.append(cue(1)).result()
    assert found.journal.health().behind == 1
    found.journal.close()


def test_two_backups_are_kept_the_newest_first(room):
    for n in (20, 21, 22):
        add(room, n)
        backed_up(room)
    backups = Backups(path=room / "journal.db").present()
    assert [path.name for path in backups] == ["journal.backup-1.db", "journal.backup-2.db"]
    counts = []
    for path in backups:
        with sqlite3.connect(path) as connection:
            counts.append(connection.execute("SELECT count(*) FROM event").fetchone()[0])
        connection.close()
    assert counts == [14, 13]


def test_p1_a_copy_that_is_not_sound_never_becomes_a_backup(room, monkeypatch):
    backed_up(room)
    before = (room / "journal.backup-1.db").read_bytes()
    found = open_journal(room, FrozenClock())
    monkeypatch.setattr("client.store.backup.quick_check", lambda _: False)
    assert not found.journal.backup().result()
    found.journal.close()
    assert (room / "journal.backup-1.db").read_bytes() == before
    assert not list(room.glob("journal.backup-new*"))


def test_p2_a_failure_between_the_renames_leaves_a_backup(room, monkeypatch):
    backed_up(room)
    found = open_journal(room, FrozenClock())

    def no_room(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("client.store.backup.move_file", no_room)
    with pytest.raises(OSError, match="No space"):
        found.journal.backup().result()
    found.journal.close()
    assert Backups(path=room / "journal.db").present()


def test_the_start_of_the_machine_is_named_where_the_system_tells(tmp_path):
    (tmp_path / "id").write_text("word\n", encoding="ascii")
    assert boot_key(tmp_path / "id") == "word"
    assert boot_key(tmp_path / "none") == ""
