"""A hub's folder, its copies and its check (sync.hub.folder, sync.hub.care)."""

import shutil
import sqlite3
import stat

import pytest

from client.domain.clock import FrozenClock
from client.domain.errors import ClassroomError
from client.domain.ids import LessonId
from client.domain.record.log import Taken
from client.domain.withdrawal import Withdrawal
from sync.hub.care import Damage, backup, check, restore
from sync.hub.content import ContentFolder
from sync.hub.enrolment import add_code
from sync.hub.folder import CONTENT, HUB_DB, KEY, LOGS_DB, HubFolder, SqliteLogs
from sync.hub.ports import Node, Role
from tests.hub_world import OTHER_SITE, SITE
from tests.log_world import Key, Pen


def node(key: Key) -> Node:
    return Node(
        key=key.public_key,
        role=Role.ROOM,
        site=SITE,
        school="S",
        room="R",
        machines=(b"machine1", b"machine2"),
    )


@pytest.fixture
def hub(tmp_path):
    """A hub with two schools, a fork and a closed log."""
    with HubFolder(tmp_path / "hub", FrozenClock(), is_new_allowed=True) as folder:
        folder.key()
        pen = Pen().write(1, 2)
        old = pen.seal()
        twin = pen.clone()
        segments = (old, pen.write(3).seal(), twin.write(4).seal())
        segments += (Pen(pen.key.rotated(), after=(pen,)).seal(),)
        folder.directory.enrol(node(pen.key))
        folder.directory.admit(SITE, pen.writer, pen.key.public_key, node(pen.key))
        assert set(folder.logs.of(SITE).take(segments).result()) == {Taken.STORED}
        folder.logs.of(OTHER_SITE).take((Pen().seal(),)).result()
        yield folder


def refused(ask, *args) -> str:
    with pytest.raises(ClassroomError) as caught:
        ask(*args)
    return caught.value.code


def test_the_folder_is_private_and_keeps_its_key(hub):
    """O1 O2."""
    assert stat.S_IMODE(hub.path.stat().st_mode) == 0o700
    assert stat.S_IMODE((hub.path / KEY).stat().st_mode) == 0o600
    known = hub.key()
    assert hub.key() == known
    (hub.path / KEY).unlink()
    assert refused(hub.key) == "hub_key_lost"


def test_there_is_no_hub_where_none_was_made(tmp_path):
    assert refused(HubFolder, tmp_path / "none", FrozenClock()) == "hub_absent"
    assert not (tmp_path / "none").exists()
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ClassroomError, match="store_failed"):
        HubFolder(tmp_path / "file", FrozenClock(), is_new_allowed=True)


def test_few_logs_are_kept_at_hand(hub, monkeypatch):
    monkeypatch.setattr("sync.hub.folder._SITES", 2)
    logs = SqliteLogs(hub.log_database)
    first = logs.of(SITE)
    assert logs.of(SITE) is first
    for site in (OTHER_SITE, b"school-3"):
        logs.of(site)
    assert logs.of(SITE) is not first
    assert logs.of(SITE).vector() == first.vector()


def test_what_is_whole_is_sound(hub):
    """Q3."""
    found = check(hub)
    assert found.is_sound
    assert (found.logs, found.segments, found.nodes) == (3, 5, 1)
    assert found.events == 3 + 1 + 1 + 1 + 1


DAMAGES = {
    "UPDATE sealed SET data = x'8000' WHERE rowid = 1": "not_canonical",
    "UPDATE sealed SET data = unsigned(data) WHERE rowid = 1": "signature_bad",
    "UPDATE event SET body = x'81' WHERE n = 2": "chain_broken",
    "UPDATE event SET wall = 'text' WHERE n = 2": None,
    "DELETE FROM event WHERE n = 3": "chain_broken",
    "DELETE FROM sealed WHERE rowid = 2": "chain_broken",
    "UPDATE head SET seq = seq + 1": "chain_broken",
    "UPDATE writer SET public_key = zeroblob(32) WHERE wi = 1": "writer_unknown",
}


@pytest.mark.parametrize("statement", DAMAGES)
def test_damage_is_found(hub, statement):
    """Q3."""
    with sqlite3.connect(hub.path / LOGS_DB) as connection:
        connection.create_function("unsigned", 1, lambda data: data[:-64] + bytes(64))
        try:
            connection.execute(statement)
        except sqlite3.IntegrityError:
            assert DAMAGES[statement] is None
            return
    connection.close()
    found = check(HubFolder(hub.path, FrozenClock()))
    assert not found.is_sound
    assert DAMAGES[statement] in {damage.why for damage in found.damaged}


def test_a_directory_that_names_another_owner_is_found(hub):
    """Q3."""
    with sqlite3.connect(hub.path / HUB_DB) as connection:
        connection.execute("UPDATE owner SET key = zeroblob(32)")
    connection.close()
    assert [damage.why for damage in check(hub).damaged] == ["writer_unknown"]


def test_a_torn_page_is_found(hub, monkeypatch):
    """Q3."""
    monkeypatch.setattr("sync.hub.care.quick_check", lambda path: path.name != LOGS_DB)
    assert check(hub).damaged == (Damage(what=LOGS_DB, why="store_corrupt"),)


def test_a_backup_of_a_running_hub_brings_everything_back(hub, tmp_path):
    """Q1 Q2."""
    add_code(hub.directory, hub.audit)
    (hub.path / "tls").mkdir()
    (hub.path / "tls" / "ca.pem").write_bytes(b"authority")
    copied = backup(hub, tmp_path / "copy")
    vector, nodes, key = hub.logs.of(SITE).vector(), hub.directory.nodes(), hub.key()
    codes = hub.directory.codes()
    hub.logs.of(SITE).take((Pen().seal(),)).result()
    assert refused(restore, tmp_path / "copy", hub.path) == "hub_in_use"
    hub.close()
    put_back = restore(tmp_path / "copy", hub.path)
    assert (put_back.files, put_back.size_bytes) == (copied.files, copied.size_bytes)
    assert put_back.set_aside is not None
    assert (put_back.set_aside / LOGS_DB).exists()
    with HubFolder(hub.path, FrozenClock()) as again:
        assert again.logs.of(SITE).vector() == vector
        assert again.directory.nodes() == nodes
        assert again.directory.codes() == codes
        assert (again.key().public_key, check(again).is_sound) == (key.public_key, True)
    assert (hub.path / "tls" / "ca.pem").read_bytes() == b"authority"


def test_q1_what_was_withdrawn_outlives_the_hub(hub, tmp_path):
    """Q1: or its next edition would take every withdrawal back. Lessons are not copied."""
    content = ContentFolder(hub.path / CONTENT)
    one = Withdrawal(lesson=LessonId("l1"), reason="legal")
    content.withdraw(one)
    content.put_edition_file([b"rows"])
    backup(hub, tmp_path / "kept")
    restore(tmp_path / "kept", tmp_path / "new")
    assert ContentFolder(tmp_path / "new" / CONTENT).withdrawals() == (one,)
    assert not list((tmp_path / "kept").rglob("public"))


def test_a_backup_never_replaces_anything(hub, tmp_path):
    """Q1."""
    (tmp_path / "copy").mkdir()
    assert refused(backup, hub, tmp_path / "copy") == "backup_exists"


def test_a_copy_that_is_not_sound_is_no_backup(hub, tmp_path, monkeypatch):
    """Q1."""
    monkeypatch.setattr("sync.hub.care.quick_check", lambda _path: False)
    assert refused(backup, hub, tmp_path / "copy") == "store_corrupt"
    monkeypatch.undo()
    monkeypatch.setattr("sync.hub.care.write_file", full)
    assert refused(backup, hub, tmp_path / "copy") == "store_failed"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["hub"]


def full(*_args, **_kwargs):
    raise OSError(28, "no room")


@pytest.mark.parametrize("damage", ["flip", "lose", "manifest", "format", "row", "path"])
def test_a_damaged_backup_changes_nothing(hub, tmp_path, damage):
    """Q2."""
    from client.domain.canon import encode

    copy = tmp_path / "copy"
    backup(hub, copy)
    hub.close()
    if damage == "flip":
        data = bytearray((copy / LOGS_DB).read_bytes())
        data[-1] ^= 1
        (copy / LOGS_DB).write_bytes(data)
    elif damage == "lose":
        (copy / KEY).unlink()
    else:
        rows = {
            "manifest": b"nothing",
            "format": encode([2, []]),
            "row": encode([1, [["name"]]]),
            "path": encode([1, [["../hub/hub.key", 1, b""]]]),
        }
        (copy / "manifest").write_bytes(rows[damage])
    before = sorted(path.name for path in hub.path.iterdir())
    assert refused(restore, copy, hub.path) == "backup_damaged"
    assert sorted(path.name for path in hub.path.iterdir()) == before
    shutil.rmtree(copy)
    assert refused(restore, copy, hub.path) == "backup_absent"


def test_a_restore_needs_no_old_hub_and_a_full_disk_stops_it(hub, tmp_path, monkeypatch):
    """Q2."""
    backup(hub, tmp_path / "copy")
    assert restore(tmp_path / "copy", tmp_path / "second").set_aside is None
    monkeypatch.setattr("sync.hub.care.write_file", full)
    assert refused(restore, tmp_path / "copy", tmp_path / "third") == "store_failed"
    assert not (tmp_path / "third").exists()
