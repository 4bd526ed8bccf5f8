"""S1 to S3: the token has one safe place and never shows itself."""

import json
from pathlib import Path

import pytest

from client.domain.errors import StorageError, UserError
from client.service.secrets import (
    SecretPlace,
    Secrets,
    Token,
    is_private_file,
    parse_token,
    read_token_file,
    system_keyring,
)

TOKEN = Token(access_token="T0-secret", mac_key="K0-secret", expires_at="2027", diff_ms=-3)


class Ring:
    """A keyring in memory that may be locked."""

    def __init__(self) -> None:
        self.held: dict[tuple[str, str], str] = {}
        self.is_locked = False

    def _open(self) -> None:
        if self.is_locked:
            raise RuntimeError("locked")

    def get_password(self, service_name: str, username: str) -> str | None:
        self._open()
        return self.held.get((service_name, username))

    def set_password(self, service_name: str, username: str, password: str) -> None:
        self._open()
        self.held[service_name, username] = password

    def delete_password(self, service_name: str, username: str) -> None:
        self._open()
        del self.held[service_name, username]


def test_without_a_keyring_it_lies_in_a_file_only_its_owner_reads(tmp_path: Path) -> None:  # S2
    secrets = Secrets(tmp_path, lambda: None)
    assert secrets.load() is None
    assert secrets.place() is None
    assert secrets.save(TOKEN) is SecretPlace.FILE
    (file,) = tmp_path.iterdir()
    assert is_private_file(file)
    assert secrets.load() == TOKEN
    assert secrets.place() is SecretPlace.FILE
    file.chmod(0o644)
    assert not is_private_file(file)
    secrets.forget()
    assert secrets.load() is None


def test_a_keyring_is_used_where_there_is_one(tmp_path: Path) -> None:  # S3
    ring = Ring()
    Secrets(tmp_path, lambda: None).save(TOKEN)
    secrets = Secrets(tmp_path, lambda: ring)
    assert secrets.save(TOKEN) is SecretPlace.KEYRING
    assert list(tmp_path.iterdir()) == []
    assert secrets.load() == TOKEN
    assert secrets.place() is SecretPlace.KEYRING
    assert Secrets(tmp_path / "other", lambda: ring).load() is None
    secrets.forget()
    assert secrets.load() is None
    secrets.forget()


def test_a_locked_keyring_counts_as_none(tmp_path: Path) -> None:  # S2
    ring = Ring()
    ring.is_locked = True
    secrets = Secrets(tmp_path, lambda: ring)
    assert secrets.place() is None
    assert secrets.save(TOKEN) is SecretPlace.FILE
    assert secrets.load() == TOKEN
    secrets.forget()


def test_a_torn_file_holds_nothing(tmp_path: Path) -> None:
    secrets = Secrets(tmp_path, lambda: None)
    (tmp_path / "token.json").write_bytes(b'{"access')
    assert secrets.load() is None
    (tmp_path / "token.json").write_bytes(b"\xff\xfe\xff")
    assert secrets.load() is None


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        Secrets(tmp_path / "gone", lambda: None).save(TOKEN)


def test_no_secret_shows_in_a_repr_or_an_error(tmp_path: Path) -> None:  # S1
    assert "secret" not in repr(TOKEN)
    with pytest.raises(UserError) as caught:
        parse_token(json.dumps({"access_token": "two secret words"}), "t.json")
    assert "secret" not in repr(caught.value)


def test_this_machine_has_a_keyring_or_says_that_it_has_none() -> None:
    ring = system_keyring()
    assert ring is None or callable(ring.get_password)


def test_a_token_file_is_read_as_people_write_it(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    path.write_bytes(b'\xef\xbb\xbf{"access_token": "A", "other": 1, "mac_key": null}')
    assert read_token_file(path) == Token(access_token="A")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"access_token": 3}',
        '{"access_token": "a b"}',
        '{"access_token": "a\\nb"}',
        '{"access_token": "密"}',
        '{"access_token": "A", "mac_key": "a\\"b"}',
        '{"access_token": "A", "diff_ms": "soon"}',
        '{"access_token": "A", "diff_ms": true}',
        "[" * 100_000,
    ],
)
def test_anything_else_is_no_token_file(tmp_path: Path, text: str) -> None:
    path = tmp_path / "t.json"
    path.write_text(text)
    with pytest.raises(UserError, match="token_file_invalid"):
        read_token_file(path)


def test_files_that_cannot_be_a_token_are_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    path.write_bytes(b"x" * 100_000)
    with pytest.raises(UserError, match="token_file_invalid"):
        read_token_file(path)
    path.write_bytes(b"\xff\xff")
    with pytest.raises(UserError, match="token_file_invalid"):
        read_token_file(path)
    with pytest.raises(UserError, match="token_file_unreadable"):
        read_token_file(tmp_path / "absent.json")
