"""The school's own secrets: in the system's keyring, else in a file only its owner can read.

Invariants:
  S1  A secret never stands in a message, a repr, a log, the library or the journal.
  S2  Where no keyring works a secret lies in a file with mode 0600, and whoever saved it is told
      so (`SecretPlace.FILE`).
  S3  There is at most one place: saving in one removes what the other held.

The keyring is imported when a secret is first asked for: it talks to the session bus and may
take a second, which starting the program must not pay.
"""

import contextlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Final, Protocol

from client.domain.errors import UserError
from client.store.disk import disk_errors
from client.store.durable import write_file

_SERVICE: Final = "Tongke"
_ACCOUNT: Final = "platform-token"
_FILE: Final = "token.json"
_LIMIT: Final = 64 << 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What the platform gave a person of this school."""

    access_token: str = field(repr=False)
    mac_key: str = field(default="", repr=False)
    expires_at: str = ""
    """As the platform wrote it; evidence only, the platform's answer decides."""
    diff_ms: int = 0
    """The platform's clock minus this machine's, in milliseconds."""


class SecretPlace(Enum):
    """Where a token was put."""

    KEYRING = "keyring"
    FILE = "file"


class Keyring(Protocol):
    """What is used of the `keyring` package."""

    def get_password(self, service_name: str, username: str) -> str | None:
        """Read a secret."""
        ...

    def set_password(self, service_name: str, username: str, password: str) -> None:
        """Keep a secret."""
        ...

    def delete_password(self, service_name: str, username: str) -> None:
        """Forget a secret."""
        ...


def system_keyring() -> Keyring | None:
    """Find a keyring that works, None on machines without one (the usual case in a school)."""
    try:
        import keyring  # noqa: PLC0415 - slow, see the module's text
        from keyring.backends import fail, null  # noqa: PLC0415 - as above

        backend = keyring.get_keyring()
    except Exception:  # noqa: BLE001 - keyring backends raise whatever their platform does
        return None
    return None if isinstance(backend, (fail.Keyring, null.Keyring)) else backend


class SecretText:
    """One secret of one profile as a text. Blocking; never called from the GUI thread.

    Args:
        file: Where it lies if no keyring takes it; its folder is the profile's `keys`.
        account: Its name in the keyring.
        find_keyring: Finds the keyring when it is first needed.
    """

    def __init__(
        self,
        file: Path,
        account: str,
        find_keyring: Callable[[], Keyring | None] = system_keyring,
    ) -> None:
        self._file = file
        self._account = f"{account} {file.parent}"
        self._find_keyring = find_keyring

    def save(self, text: str) -> SecretPlace:
        """Keep the secret (S2, S3).

        Raises:
            StorageError: Neither place took it.
        """
        keyring = self._find_keyring()
        if keyring is not None:
            try:
                keyring.set_password(_SERVICE, self._account, text)
            except Exception:  # noqa: BLE001 - a locked or broken keyring counts as none
                keyring = None
        if keyring is not None:
            with disk_errors():
                self._file.unlink(missing_ok=True)
            return SecretPlace.KEYRING
        with disk_errors():
            write_file(self._file, text.encode(), mode=0o600)
        return SecretPlace.FILE

    def load(self) -> str:
        """Give the secret, empty when there is none or it cannot be read."""
        return self._from_file() or self._from_keyring()

    def place(self) -> SecretPlace | None:
        """Tell where the secret lies."""
        if self._from_file():
            return SecretPlace.FILE
        return SecretPlace.KEYRING if self._from_keyring() else None

    def forget(self) -> None:
        """Remove the secret from both places."""
        with disk_errors():
            self._file.unlink(missing_ok=True)
        keyring = self._find_keyring()
        if keyring is not None:
            with contextlib.suppress(Exception):
                keyring.delete_password(_SERVICE, self._account)

    def _from_file(self) -> str:
        try:
            return self._file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return ""

    def _from_keyring(self) -> str:
        keyring = self._find_keyring()
        if keyring is None:
            return ""
        try:
            return keyring.get_password(_SERVICE, self._account) or ""
        except Exception:  # noqa: BLE001 - a locked or broken keyring holds nothing for us
            return ""


class Secrets:
    """The token of one profile. Blocking; never called from the GUI thread.

    Args:
        folder: The profile's `keys`.
        find_keyring: Finds the keyring when it is first needed.
    """

    def __init__(
        self, folder: Path, find_keyring: Callable[[], Keyring | None] = system_keyring
    ) -> None:
        self._text = SecretText(folder / _FILE, _ACCOUNT, find_keyring)

    def save(self, token: Token) -> SecretPlace:
        """Keep the token (S2, S3).

        Raises:
            StorageError: Neither place took it.
        """
        return self._text.save(_written(token))

    def load(self) -> Token | None:
        """Give the token, None when there is none or it cannot be read."""
        text = self._text.load()
        if not text:
            return None
        try:
            return parse_token(text)
        except UserError:
            return None

    def place(self) -> SecretPlace | None:
        """Tell where the token lies."""
        return self._text.place()

    def forget(self) -> None:
        """Remove the token from both places."""
        self._text.forget()


def read_token_file(path: Path) -> Token:
    """Read a token file as a person gives it (DESIGN §4).

    Raises:
        UserError: `token_file_unreadable` or `token_file_invalid`.
    """
    try:
        if path.stat().st_size > _LIMIT:
            raise UserError("token_file_invalid", {"file": path.name})
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError("token_file_invalid", {"file": path.name}) from error
    except OSError as error:
        raise UserError("token_file_unreadable", {"file": path.name}) from error
    return parse_token(text, path.name)


def parse_token(text: str, name: str = "") -> Token:
    """Read a token's JSON strictly.

    Raises:
        UserError: `token_file_invalid`.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    fields = document if isinstance(document, dict) else {}
    access, mac_key = fields.get("access_token"), fields.get("mac_key") or ""
    difference = fields.get("diff_ms") or 0
    if not _is_word(access) or not (mac_key == "" or _is_word(mac_key)):
        raise UserError("token_file_invalid", {"file": name})
    if isinstance(difference, bool) or not isinstance(difference, int):
        raise UserError("token_file_invalid", {"file": name})
    return Token(
        access_token=str(access),
        mac_key=str(mac_key),
        expires_at=str(fields.get("expires_at") or ""),
        diff_ms=difference,
    )


def _is_word(value: object) -> bool:
    """Tell a value that can stand in a header: printable ASCII without blanks or quotes."""
    return (
        isinstance(value, str)
        and value.isascii()
        and value.isprintable()
        and bool(value)
        and not set(value) & set(' "\\')
    )


def _written(token: Token) -> str:
    return json.dumps(
        {
            "access_token": token.access_token,
            "mac_key": token.mac_key,
            "expires_at": token.expires_at,
            "diff_ms": token.diff_ms,
        }
    )


def is_private_file(path: Path) -> bool:
    """Tell whether only its owner can read a file; always true where modes mean nothing."""
    return os.name == "nt" or not path.stat().st_mode & 0o077
