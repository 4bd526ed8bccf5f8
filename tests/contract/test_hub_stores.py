"""What is true of every store of a hub (sync.hub.ports)."""

from collections.abc import Iterator

import pytest

from client.domain.errors import UserError
from client.domain.record.vector import EMPTY
from client.store.database import Database
from sync.hub.ports import MAX_MACHINES, Code, Directory, Node, Role
from sync.hub.store import MIGRATIONS, SqliteDirectory
from sync.protocol.enrol import site_of
from tests.fakes.memory_hub import MemoryDirectory, MemoryLogs
from tests.hub_world import OTHER_SITE, SITE
from tests.log_world import Key, Pen


@pytest.fixture(params=["memory", "sqlite"])
def directory(request, tmp_path) -> Iterator[Directory]:
    if request.param == "memory":
        yield MemoryDirectory()
        return
    database = Database(tmp_path / "hub.db", MIGRATIONS)
    yield SqliteDirectory(database)
    database.close()


@pytest.fixture(params=["memory"])
def logs(request):
    return MemoryLogs()


def node(number: int = 1, **values) -> Node:
    given = {"key": bytes([number]) * 32, "role": Role.ROOM, "site": SITE, "school": "S"}
    return Node(**{**given, "room": f"R{number}", **values})


def test_what_is_enrolled_is_found(directory):
    """D1."""
    first, second = directory.enrol(node(1)), directory.enrol(node(2, role=Role.HUB, site=b""))
    assert directory.find(first.name) == first
    assert directory.nodes() == (first, second)
    assert [one.number for one in directory.nodes()] == [1, 2]
    assert directory.find(b"nobody!!") is None


def test_enrolling_again_moves_and_renames(directory):
    """D2."""
    directory.enrol(node(1))
    directory.revoke(node(1).name)
    again = directory.enrol(node(1, site=OTHER_SITE, room="new", machines=(b"machine1",)))
    assert (again.number, again.site, again.room) == (1, OTHER_SITE, "new")
    assert again.machines == (b"machine1",)
    assert again.is_revoked
    assert directory.nodes() == (again,)


def test_a_name_belongs_to_one_key(directory, monkeypatch):
    """D3."""
    monkeypatch.setattr("sync.hub.ports.node_of", lambda key: b"the-same")
    first = directory.enrol(node(1))
    with pytest.raises(UserError, match="node_unknown"):
        directory.enrol(node(2))
    assert directory.nodes() == (first,)


def test_machines_are_remembered_up_to_a_bound(directory):
    """D4."""
    name = directory.enrol(node(1)).name
    machines = [f"machine{n}".encode() for n in range(MAX_MACHINES)]
    for machine in (*machines, machines[0], b"too many"):
        known = directory.saw(name, machine)
    assert known.machines == tuple(machines)
    assert directory.find(name) == known


def test_a_node_is_revoked_for_good(directory):
    """D1."""
    name = directory.enrol(node(1)).name
    assert directory.find(name).may_reach(SITE)
    assert directory.revoke(name).is_revoked
    assert not directory.find(name).may_reach(SITE)
    for ask in (directory.revoke, lambda name: directory.saw(name, b"machine1")):
        with pytest.raises(UserError, match="node_unknown"):
            ask(b"nobody!!")


def test_who_may_reach_which_school():
    assert node(1).may_reach(SITE)
    assert not node(1).may_reach(OTHER_SITE)
    assert node(1, site=b"").may_reach(OTHER_SITE)


def test_the_owner_of_a_log_is_known_by_school(directory):
    """D1."""
    for _ in range(2):
        assert directory.admit(SITE, b"writer-1", b"k" * 32, node(1))
    assert directory.owner(SITE, b"writer-1") == b"k" * 32
    assert directory.owner(OTHER_SITE, b"writer-1") is None
    assert directory.owner(SITE, b"writer-2") is None


def test_a_room_brings_so_many_logs_and_no_more(directory, monkeypatch):
    """D5."""
    monkeypatch.setattr("sync.hub.ports.MAX_LOGS", 2)
    room, hub = node(1), node(2, role=Role.HUB)
    for by, wanted in ((hub, [True] * 3), (room, [True, True, False])):
        writers = [by.key[:7] + bytes([n]) for n in range(3)]
        assert [directory.admit(SITE, w, by.key, by) for w in writers] == wanted
    assert directory.owner(SITE, room.key[:7] + bytes([2])) is None


def test_codes_are_replaced_together(directory):
    """D1."""
    codes = (Code(key=b"a" * 32), Code(key=b"b" * 32, role=Role.HUB, site=SITE, school="S"))
    assert directory.codes() == ()
    directory.set_codes(codes)
    assert directory.codes() == codes
    directory.set_codes(codes[1:])
    assert directory.codes() == codes[1:]


def test_schools_do_not_see_each_other(logs):
    pen = Pen(Key()).write(1)
    logs.of(SITE).take((pen.seal(),)).result()
    assert logs.of(OTHER_SITE).vector() == EMPTY
    assert logs.of(SITE).vector() != EMPTY


def test_what_was_written_outlives_the_program(tmp_path):
    """D1."""
    for _ in range(2):
        database = Database(tmp_path / "hub.db", MIGRATIONS)
        SqliteDirectory(database).enrol(node(1))
        database.close()
    database = Database(tmp_path / "hub.db", MIGRATIONS)
    assert [one.room for one in SqliteDirectory(database).nodes()] == ["R1"]
    database.close()


def test_codes_of_an_older_hub_hold_for_the_same_schools(tmp_path):
    """D1."""
    database = Database(tmp_path / "hub.db", MIGRATIONS[:1])
    rows = [(b"a" * 32, "room", ""), (b"b" * 32, "hub", "石板小学")]
    database.write(
        lambda connection: connection.executemany(
            "INSERT INTO code (key, role, school) VALUES (?, ?, ?)", rows
        )
    ).result()
    database.close()
    database = Database(tmp_path / "hub.db", MIGRATIONS)
    assert SqliteDirectory(database).codes() == (
        Code(key=b"a" * 32),
        Code(key=b"b" * 32, role=Role.HUB, site=site_of("石板小学"), school="石板小学"),
    )
    database.close()


def test_another_process_is_obeyed_at_once(tmp_path):
    """D1."""
    hub, care = (Database(tmp_path / "hub.db", MIGRATIONS) for _ in range(2))
    name = SqliteDirectory(hub).enrol(node(1)).name
    SqliteDirectory(care).revoke(name)
    assert SqliteDirectory(hub).find(name).is_revoked
    hub.close()
    care.close()
