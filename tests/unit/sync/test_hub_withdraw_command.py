"""`hub withdraw`, `hub publish` and what a keeper's stick takes (sync.hub.commands)."""

from pathlib import Path

import pytest

from client.domain.cancel import CancelToken
from client.domain.clock import FrozenClock
from client.domain.errors import UsageError
from client.domain.ids import LessonId
from client.domain.withdrawal import Withdrawal
from client.service.command.parse import Invocation
from client.service.paths import Profile
from client.service.station import Station
from client.store.keyfile import verify
from sync.engine.folder_import import import_folder
from sync.hub.commands import make_backup, publish, withdraw, word_of
from sync.hub.content import ContentFolder
from sync.hub.folder import CONTENT, HubFolder
from sync.protocol.edition import open_head, read_withdrawals
from tests.content_world import PDF, UNIT, put, yes
from tests.held_world import here, places_of


@pytest.fixture
def data(tmp_path) -> Path:
    with HubFolder(tmp_path / "hub", FrozenClock(), is_new_allowed=True) as folder:
        folder.key()
    return tmp_path / "hub"


def call(data: Path, **values: object) -> Invocation:
    return Invocation(command="hub", values=(("data", data), *values.items()))


def listed(data: Path) -> tuple[Withdrawal, ...]:
    return ContentFolder(data / CONTENT).withdrawals()


def test_a_keeper_withdraws_a_lesson_and_takes_it_back(data):
    told = withdraw(call(data, id="l1", reason="wrong", grace=3, replacement="l2"))
    one = Withdrawal(
        lesson=LessonId("l1"), reason="wrong", grace_days=3, replacement=LessonId("l2")
    )
    assert told == {"lesson": "l1", "reason": "wrong", "grace_days": 3, "replacement": "l2"}
    assert listed(data) == (one,)
    withdraw(call(data, id="l2", reason="legal", grace=9))
    assert listed(data)[1].grace_days == 0
    assert withdraw(call(data, id="l1", undo=True)) == {"lesson": "l1", "offered": True}
    assert [one.lesson for one in listed(data)] == ["l2"]
    with pytest.raises(UsageError):
        withdraw(call(data, id="l3"))


def test_what_a_hub_withdraws_leaves_the_profile_it_publishes_from(data, tmp_path):
    """And the word that goes onto a stick is the one that was published."""
    station = Station(Profile(data / "profile"), FrozenClock())
    for name in ("分一分", "比大小"):
        put(tmp_path / "disk", f"{UNIT}/{name}/课件.pdf", PDF + name.encode())
    import_folder(station, tmp_path / "disk", yes, CancelToken())
    with HubFolder(data, FrozenClock()) as folder:
        assert word_of(folder) is None
    publish(station, call(data), CancelToken())
    with HubFolder(data, FrozenClock()) as folder:
        found = word_of(folder)
    assert found is not None
    assert found[1] == b""
    titles = {one.title: one.id for one in station.holdings.kept_lessons()}
    withdraw(call(data, id=titles["分一分"], reason="safety"))
    withdraw(call(data, id=titles["比大小"], reason="outdated", grace=5))
    publish(station, call(data), CancelToken())
    assert here(station) == {titles["比大小"]}
    assert places_of(data, PDF + "分一分".encode()) == []
    with HubFolder(data, FrozenClock()) as folder:
        key, found = folder.key().public_key, word_of(folder)
    assert found is not None
    assert open_head(found[0], key, verify).withdrawn is not None
    assert read_withdrawals(found[1]) == listed(data)
    withdraw(call(data, id=titles["比大小"], undo=True))
    assert publish(station, call(data), CancelToken()).lessons == 1
    station.close()


def test_a_backup_says_what_it_leaves_out(data, tmp_path):
    made = make_backup(call(data, dir=tmp_path / "kept"))
    assert made["without"] == ("profile", "content/public")
