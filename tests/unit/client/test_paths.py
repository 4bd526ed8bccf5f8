"""Where things are (client.service.paths)."""

import os
from pathlib import Path

import pytest

from client.domain.errors import StorageError
from client.service.paths import PROFILE_VARIABLE, Profile, profile_at


def test_the_profile_asked_for_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PROFILE_VARIABLE, str(tmp_path / "named"))
    assert profile_at(tmp_path / "asked").folder == tmp_path / "asked"
    assert profile_at().folder == tmp_path / "named"


def test_else_it_is_the_users_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(PROFILE_VARIABLE, raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert profile_at().folder.name == "tongke"


def test_a_relative_profile_is_made_absolute(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert profile_at(Path("here")).folder == tmp_path / "here"


def test_everything_of_a_room_is_in_one_folder(tmp_path: Path) -> None:
    profile = Profile(tmp_path)
    places = [profile.library_db, profile.blobs, profile.lessons, profile.keys, profile.prints]
    assert len(set(places)) == len(places)
    assert all(path.parent == tmp_path for path in places)
    assert list(tmp_path.iterdir()) == []


def test_preparing_makes_the_folders_and_keeps_the_keys_private(tmp_path: Path) -> None:
    profile = Profile(tmp_path / "a" / "b").prepare().prepare()
    assert profile.lessons.is_dir()
    if os.name == "posix":
        assert profile.keys.stat().st_mode & 0o077 == 0


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError) as caught:
        Profile(tmp_path / "file" / "p").prepare()
    assert caught.value.code == "profile_unusable"


def test_a_folder_that_cannot_be_written_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(StorageError):
        Profile(tmp_path).prepare()
