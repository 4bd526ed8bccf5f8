"""Making a PC ready to be copied (client.service.image, IM1 and IM2)."""

import json
import shutil

import pytest

import main
from client.domain.clock import FrozenClock
from client.domain.errors import StorageError, UserError
from client.service import image
from client.service.bench_boots import exchange
from client.service.image import seal_image
from client.service.paths import Profile
from client.store.database import Database
from client.store.log_store import LogStore
from client.store.repair import KEY_COPY, KEY_FILE, open_journal
from client.store.schema_journal import MIGRATIONS
from client.store.sentinel import Sentinel
from tests.journal_room import cue


@pytest.fixture
def profile(tmp_path):
    return Profile(tmp_path / "room")


@pytest.fixture
def sentinel(tmp_path):
    return Sentinel(path=tmp_path / "state" / "sentinel")


def opened(profile, sentinel):
    return open_journal(profile.folder, FrozenClock(), sentinel)


def taught(profile, sentinel):
    journal = opened(profile, sentinel).journal
    journal.append(cue(1)).result()
    journal.backup().result()
    return journal


def seal(profile, sentinel, *, is_sure=False):
    return seal_image(profile, FrozenClock(), sentinel, is_sure=is_sure)


def begun_anew(profile, sentinel, old) -> bool:
    found = opened(profile, sentinel)
    found.journal.close()
    return found.notices == () and found.journal.writer != old and found.journal.count() == 1


def test_im1_facts_that_no_hub_has_are_kept(profile, sentinel):
    journal = taught(profile, sentinel)
    journal.close()
    with pytest.raises(UserError) as caught:
        seal(profile, sentinel)
    assert (caught.value.code, caught.value.values["n"]) == ("image_has_facts", 1)
    found = opened(profile, sentinel)
    assert found.notices == ()
    assert found.journal.count() == 2
    found.journal.close()
    assert seal(profile, sentinel, is_sure=True) == 1
    assert begun_anew(profile, sentinel, journal.writer)


def test_im1_facts_that_a_hub_has_may_go(profile, sentinel, tmp_path):
    journal = taught(profile, sentinel)
    database = Database(tmp_path / "hub.db", MIGRATIONS)
    hub = LogStore(database, b"school-1")
    exchange(journal, hub)
    journal.acknowledge(hub.vector().summary).result()
    assert journal.is_acknowledged()
    journal.close()
    database.close()
    assert seal(profile, sentinel) == 1
    assert not sentinel.path.exists()
    assert begun_anew(profile, sentinel, journal.writer)


def test_im1_one_fact_more_is_not_acknowledged(profile, sentinel):
    journal = taught(profile, sentinel)
    journal.acknowledge(journal.log.vector().summary).result()
    journal.append(cue(2)).result()
    journal.close()
    with pytest.raises(UserError):
        seal(profile, sentinel)


def test_no_key_stays_behind_in_any_place(profile, sentinel):
    taught(profile, sentinel).close()
    for name in (KEY_FILE, KEY_COPY):
        (profile.folder / name).write_bytes(b"junk")
        taught(profile, sentinel).close()
    assert len(list(profile.folder.rglob("*.key*"))) == 4
    seal(profile, sentinel, is_sure=True)
    assert not list(profile.folder.rglob("*.key*"))


def test_an_empty_profile_is_ready(profile, sentinel):
    profile.folder.mkdir()
    assert seal(profile, sentinel) == 0
    journal = opened(profile, sentinel).journal
    journal.close()
    assert seal(profile, sentinel) == 0


def test_a_profile_that_is_open_is_left_alone(profile, sentinel):
    journal = taught(profile, sentinel)
    with pytest.raises(UserError) as caught:
        seal(profile, sentinel, is_sure=True)
    assert caught.value.code == "image_in_use"
    journal.close()
    assert opened(profile, sentinel).journal.count() == 2


def test_im2_a_death_in_the_middle_leaves_a_profile_that_opens(profile, sentinel, monkeypatch):
    taught(profile, sentinel).close()

    def die(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(image, "sync_folder", die)
    with pytest.raises(KeyboardInterrupt):
        seal(profile, sentinel, is_sure=True)
    found = opened(profile, sentinel)
    assert [notice.code for notice in found.notices] == ["journal_key_new"]
    assert found.journal.count() == 3
    found.journal.close()


def test_a_disk_that_refuses_says_so(profile, sentinel, monkeypatch):
    taught(profile, sentinel).close()

    def refuse(_):
        raise OSError(30, "read-only")

    monkeypatch.setattr(image, "sync_folder", refuse)
    with pytest.raises(StorageError):
        seal(profile, sentinel, is_sure=True)


def test_the_command_says_how_many_facts_went(profile, sentinel, capsys):
    taught(profile, sentinel).close()
    call = ["--profile", str(profile.folder), "seal-image", "--json"]
    assert main.main(call) == 3
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "image_has_facts"
    assert main.main([*call, "--yes"]) == 0
    assert json.loads(capsys.readouterr().out) == {"facts": 1}
    shutil.rmtree(profile.folder)
